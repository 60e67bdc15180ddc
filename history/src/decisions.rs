//! Decisions, asked for by id or by what they are about.

use crate::error::StoreError;
use crate::record::{Change, DecisionRecord, FindingRecord};
use crate::store::{Store, signed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Which decisions; what is empty does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecisionFilter {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Of this cluster.
    pub cluster: String,
    /// Of this namespace.
    pub namespace: String,
    /// Of this kind, as `Pod` or `Pod/exec`.
    pub kind: String,
    /// Of this object.
    pub name: String,
    /// Asked by this user.
    pub user: String,
    /// `allow` (a mutation), `warn`, `deny`, `error`.
    pub verdict: String,
    /// With a finding of this policy.
    pub policy: String,
    /// The newest so many; 0 means 100.
    pub limit: u32,
}

const COLUMNS: &str = "SELECT id, uid, at, cluster, replica, stage, operation, api_group, kind, namespace, name, \
     requester, verdict, message, set_digest, policies, left_out FROM decisions";

impl Store {
    /// The decisions whose id begins so, newest first; ids are twelve hexadecimal digits. At most 20.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn decisions_named(&self, prefix: &str) -> Result<Vec<DecisionRecord>, StoreError> {
        let prefix = prefix.to_ascii_lowercase();
        let query = format!("{COLUMNS} WHERE id >= $1 AND id < $2 ORDER BY at DESC, uid LIMIT 20");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(prefix.as_str())
            // Behind all that begin so: `g` follows the digits.
            .bind(format!("{prefix}g"))
            .fetch_all(&self.pool)
            .await;
        self.whole(rows).await
    }

    /// The decisions that a filter chooses, newest first, each whole.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn decisions(&self, filter: &DecisionFilter) -> Result<Vec<DecisionRecord>, StoreError> {
        let query = format!(
            "{COLUMNS} WHERE at >= $1 AND at < $2 AND ($3 = '' OR cluster = $3) AND ($4 = '' OR namespace = $4) \
             AND ($5 = '' OR kind = $5) AND ($6 = '' OR name = $6) AND ($7 = '' OR requester = $7) \
             AND ($8 = '' OR verdict = $8) AND ($9 = '' OR EXISTS (SELECT 1 FROM decision_findings f \
             WHERE f.id = decisions.id AND f.uid = decisions.uid AND f.policy = $9)) \
             ORDER BY at DESC, id LIMIT $10"
        );
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(filter.since.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(filter.until.map_or(i64::MAX, Timestamp::as_millisecond))
            .bind(filter.cluster.as_str())
            .bind(filter.namespace.as_str())
            .bind(filter.kind.as_str())
            .bind(filter.name.as_str())
            .bind(filter.user.as_str())
            .bind(filter.verdict.as_str())
            .bind(filter.policy.as_str())
            .bind(signed(limit))
            .fetch_all(&self.pool)
            .await;
        self.whole(rows).await
    }

    /// How many decisions there are.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn decision_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM decisions").fetch_one(&self.pool).await;
        let count =
            row.and_then(|row| row.try_get::<i64, _>("count")).map_err(|error| self.failed(&error))?;
        Ok(count.try_into().unwrap_or_default())
    }

    async fn whole(&self, rows: Result<Vec<AnyRow>, sqlx::Error>) -> Result<Vec<DecisionRecord>, StoreError> {
        let mut decisions = Vec::new();
        for row in rows.map_err(|error| self.failed(&error))? {
            let mut decision = decision(&row).map_err(|error| self.failed(&error))?;
            self.add_parts(&mut decision).await.map_err(|error| self.failed(&error))?;
            decisions.push(decision);
        }
        Ok(decisions)
    }

    async fn add_parts(&self, decision: &mut DecisionRecord) -> Result<(), sqlx::Error> {
        let findings = sqlx::query(
            "SELECT policy, rule, severity, effect, path, message, remedy, exception FROM decision_findings \
             WHERE id = $1 AND uid = $2 ORDER BY position",
        )
        .bind(decision.id.as_str())
        .bind(decision.uid.as_str())
        .fetch_all(&self.pool)
        .await?;
        decision.findings = findings.iter().map(finding).collect::<Result<_, _>>()?;
        let changes = sqlx::query(
            "SELECT operation, path FROM decision_changes WHERE id = $1 AND uid = $2 ORDER BY position",
        )
        .bind(decision.id.as_str())
        .bind(decision.uid.as_str())
        .fetch_all(&self.pool)
        .await?;
        let change = |row: &AnyRow| -> Result<Change, sqlx::Error> {
            Ok(Change { operation: row.try_get("operation")?, path: row.try_get("path")? })
        };
        decision.changes = changes.iter().map(change).collect::<Result<_, _>>()?;
        Ok(())
    }
}

/// A moment as databases hold it; one outside of the calendar is the beginning of time.
pub(crate) fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

fn decision(row: &AnyRow) -> Result<DecisionRecord, sqlx::Error> {
    let policies: String = row.try_get("policies")?;
    Ok(DecisionRecord {
        id: row.try_get("id")?,
        uid: row.try_get("uid")?,
        at: moment(row.try_get("at")?),
        cluster: row.try_get("cluster")?,
        replica: row.try_get("replica")?,
        stage: row.try_get("stage")?,
        operation: row.try_get("operation")?,
        group: row.try_get("api_group")?,
        kind: row.try_get("kind")?,
        namespace: row.try_get("namespace")?,
        name: row.try_get("name")?,
        user: row.try_get("requester")?,
        verdict: row.try_get("verdict")?,
        message: row.try_get("message")?,
        set_digest: row.try_get("set_digest")?,
        policies: serde_json::from_str(&policies).unwrap_or_default(),
        left_out: row.try_get::<i64, _>("left_out")?.try_into().unwrap_or_default(),
        findings: Vec::new(),
        changes: Vec::new(),
    })
}

fn finding(row: &AnyRow) -> Result<FindingRecord, sqlx::Error> {
    Ok(FindingRecord {
        policy: row.try_get("policy")?,
        rule: row.try_get("rule")?,
        severity: row.try_get("severity")?,
        effect: row.try_get("effect")?,
        path: row.try_get("path")?,
        message: row.try_get("message")?,
        remedy: row.try_get("remedy")?,
        exception: row.try_get("exception")?,
    })
}
