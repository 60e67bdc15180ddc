-- The same text makes both databases: TEXT and BIGINT mean the same in SQLite and PostgreSQL.
-- Times are Unix milliseconds. `bytes` is the length of all texts of a decision, by which the limit on size counts.
CREATE TABLE decisions (
    id TEXT NOT NULL,
    uid TEXT NOT NULL,
    at BIGINT NOT NULL,
    cluster TEXT NOT NULL,
    replica TEXT NOT NULL,
    stage TEXT NOT NULL,
    operation TEXT NOT NULL,
    api_group TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    requester TEXT NOT NULL,
    verdict TEXT NOT NULL,
    message TEXT NOT NULL,
    set_digest TEXT NOT NULL,
    policies TEXT NOT NULL,
    left_out BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (id, uid)
);
CREATE INDEX decisions_by_time ON decisions (at);
CREATE INDEX decisions_by_namespace ON decisions (namespace, at);

CREATE TABLE decision_findings (
    id TEXT NOT NULL,
    uid TEXT NOT NULL,
    position BIGINT NOT NULL,
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    effect TEXT NOT NULL,
    path TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    exception TEXT NOT NULL,
    PRIMARY KEY (id, uid, position)
);
CREATE INDEX decision_findings_by_policy ON decision_findings (policy);

CREATE TABLE decision_changes (
    id TEXT NOT NULL,
    uid TEXT NOT NULL,
    position BIGINT NOT NULL,
    operation TEXT NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (id, uid, position)
);

-- One row for each time that the audit told its whole state.
CREATE TABLE audit_states (
    cluster TEXT NOT NULL,
    at BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    PRIMARY KEY (cluster, at)
);
CREATE TABLE audit_counts (
    cluster TEXT NOT NULL,
    at BIGINT NOT NULL,
    namespace TEXT NOT NULL,
    policy TEXT NOT NULL,
    severity TEXT NOT NULL,
    result TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (cluster, at, namespace, policy, severity, result)
);
-- One row for each time that a finding was there: a finding that comes back has a second row.
CREATE TABLE audit_findings (
    cluster TEXT NOT NULL,
    identity TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    fixed_at BIGINT,
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    result TEXT NOT NULL,
    api_group TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    message TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (cluster, identity, first_seen)
);
CREATE INDEX audit_findings_open ON audit_findings (cluster, fixed_at, first_seen);
