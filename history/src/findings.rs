//! What the audit's states say over time: the trend, what is new, what was fixed and how long that took, what is
//! oldest.

use crate::decisions::moment;
use crate::error::StoreError;
use crate::record::AuditFinding;
use crate::store::{Store, signed};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Which findings or totals; what is empty does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingFilter {
    /// Of this cluster.
    pub cluster: String,
    /// Of this namespace.
    pub namespace: String,
    /// Of this policy.
    pub policy: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Of what this owner answers for; totals do not know owners.
    pub owner: String,
}

/// Totals of one moment, one severity, one result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// When the audit told its state.
    pub at: Timestamp,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// As in PolicyReports.
    pub result: String,
    /// How many.
    pub count: u64,
}

/// One time that a finding was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFinding {
    /// The finding, as it was seen last.
    #[serde(flatten)]
    pub finding: AuditFinding,
    /// The cluster's name.
    pub cluster: String,
    /// The first state with it.
    pub first_seen: Timestamp,
    /// The last state with it.
    pub last_seen: Timestamp,
    /// The first state without it, if there is one.
    pub fixed_at: Option<Timestamp>,
}

/// How long it took to fix findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeanTime {
    /// How many were fixed.
    pub fixed: u64,
    /// From the first state with a finding to the first without it, on average; zero if none was fixed.
    pub mean: SignedDuration,
}

const COLUMNS: &str = "SELECT cluster, first_seen, last_seen, fixed_at, policy, rule, severity, result, api_group, \
     kind, namespace, name, path, message, owner FROM audit_findings";
const CHOSEN: &str = "($1 = '' OR cluster = $1) AND ($2 = '' OR namespace = $2) AND ($3 = '' OR policy = $3) \
     AND ($4 = '' OR severity = $4) AND ($5 = '' OR owner = $5)";

impl Store {
    /// Totals of all states in `[since, until)`, oldest first.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn trend(
        &self,
        filter: &FindingFilter,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<TrendPoint>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.at AS at, c.severity AS severity, c.result AS result, CAST(SUM(c.count) AS BIGINT) AS count \
             FROM audit_counts c JOIN audit_states s ON s.cluster = c.cluster AND s.at = c.at \
             WHERE ($1 = '' OR c.cluster = $1) AND ($2 = '' OR c.namespace = $2) AND ($3 = '' OR c.policy = $3) \
             AND ($4 = '' OR c.severity = $4) AND c.at >= $5 AND c.at < $6 \
             GROUP BY c.at, c.severity, c.result ORDER BY c.at, c.severity, c.result",
        )
        .bind(filter.cluster.as_str())
        .bind(filter.namespace.as_str())
        .bind(filter.policy.as_str())
        .bind(filter.severity.as_str())
        .bind(since.map_or(i64::MIN, Timestamp::as_millisecond))
        .bind(until.map_or(i64::MAX, Timestamp::as_millisecond))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(&error))?;
        let point = |row: &AnyRow| -> Result<TrendPoint, sqlx::Error> {
            Ok(TrendPoint {
                at: moment(row.try_get("at")?),
                severity: row.try_get("severity")?,
                result: row.try_get("result")?,
                count: row.try_get::<i64, _>("count")?.try_into().unwrap_or_default(),
            })
        };
        rows.iter().map(point).collect::<Result<_, _>>().map_err(|error| self.failed(&error))
    }

    /// Findings that are there, longest first; at most so many.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn oldest(&self, filter: &FindingFilter, limit: u32) -> Result<Vec<StoredFinding>, StoreError> {
        self.findings(
            filter,
            "fixed_at IS NULL AND first_seen >= $6 ORDER BY first_seen, identity",
            i64::MIN,
            limit,
        )
        .await
    }

    /// Findings that are there and were not before `since`, newest first; at most so many.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn new_since(
        &self,
        filter: &FindingFilter,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredFinding>, StoreError> {
        let rest = "fixed_at IS NULL AND first_seen >= $6 ORDER BY first_seen DESC, identity";
        self.findings(filter, rest, since.as_millisecond(), limit).await
    }

    /// Findings that went since then, newest first; at most so many. One that came back is among them too.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn fixed_since(
        &self,
        filter: &FindingFilter,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredFinding>, StoreError> {
        let rest = "fixed_at >= $6 ORDER BY fixed_at DESC, identity";
        self.findings(filter, rest, since.as_millisecond(), limit).await
    }

    /// How long it took to fix what was fixed since then.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn mean_time_to_fix(
        &self,
        filter: &FindingFilter,
        since: Timestamp,
    ) -> Result<MeanTime, StoreError> {
        let query = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) AS fixed, CAST(COALESCE(AVG(fixed_at - first_seen), 0) AS BIGINT) AS mean \
             FROM audit_findings WHERE {CHOSEN} AND fixed_at >= $6"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(filter.cluster.as_str())
            .bind(filter.namespace.as_str())
            .bind(filter.policy.as_str())
            .bind(filter.severity.as_str())
            .bind(filter.owner.as_str())
            .bind(since.as_millisecond())
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(&error))?;
        let number = |column: &str| row.try_get::<i64, _>(column).map_err(|error| self.failed(&error));
        Ok(MeanTime {
            fixed: number("fixed")?.try_into().unwrap_or_default(),
            mean: SignedDuration::from_millis(number("mean")?),
        })
    }

    async fn findings(
        &self,
        filter: &FindingFilter,
        rest: &str,
        since: i64,
        limit: u32,
    ) -> Result<Vec<StoredFinding>, StoreError> {
        let query = format!("{COLUMNS} WHERE {CHOSEN} AND {rest} LIMIT $7");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(filter.cluster.as_str())
            .bind(filter.namespace.as_str())
            .bind(filter.policy.as_str())
            .bind(filter.severity.as_str())
            .bind(filter.owner.as_str())
            .bind(since)
            .bind(signed(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(&error))?;
        rows.iter().map(stored).collect::<Result<_, _>>().map_err(|error| self.failed(&error))
    }
}

fn stored(row: &AnyRow) -> Result<StoredFinding, sqlx::Error> {
    Ok(StoredFinding {
        finding: AuditFinding {
            policy: row.try_get("policy")?,
            rule: row.try_get("rule")?,
            severity: row.try_get("severity")?,
            result: row.try_get("result")?,
            group: row.try_get("api_group")?,
            kind: row.try_get("kind")?,
            namespace: row.try_get("namespace")?,
            name: row.try_get("name")?,
            path: row.try_get("path")?,
            message: row.try_get("message")?,
            owner: row.try_get("owner")?,
        },
        cluster: row.try_get("cluster")?,
        first_seen: moment(row.try_get("first_seen")?),
        last_seen: moment(row.try_get("last_seen")?),
        fixed_at: row.try_get::<Option<i64>, _>("fixed_at")?.map(moment),
    })
}
