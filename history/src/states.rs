//! The audit's state over time, written: totals of each moment, and when each finding came and went.

use crate::error::StoreError;
use crate::record::{AuditFinding, AuditPart};
use crate::store::{Store, signed};
use sqlx::{Any, Row, Transaction};

impl Store {
    /// Stores a part of a state, all of it or nothing. The last part closes the state: findings of this cluster that
    /// were in none of its parts are fixed as of then. A state older than one that is closed is left out, so that
    /// parts may be sent again.
    ///
    /// # Errors
    /// If the database does not take it.
    pub async fn write_state(&self, part: &AuditPart) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        write(&mut transaction, part).await.map_err(|error| self.failed(&error))?;
        transaction.commit().await.map_err(|error| self.failed(&error))
    }
}

async fn write(transaction: &mut Transaction<'static, Any>, part: &AuditPart) -> Result<(), sqlx::Error> {
    let at = part.at.as_millisecond();
    let closed = sqlx::query(
        "SELECT CAST(COUNT(*) AS BIGINT) AS count FROM audit_states WHERE cluster = $1 AND at >= $2",
    )
    .bind(part.cluster.as_str())
    .bind(at)
    .fetch_one(&mut **transaction)
    .await?;
    if closed.try_get::<i64, _>("count")? > 0 {
        return Ok(());
    }
    for count in &part.counts {
        sqlx::query(
            "INSERT INTO audit_counts (cluster, at, namespace, policy, severity, result, count) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (cluster, at, namespace, policy, severity, result) DO UPDATE SET count = excluded.count",
        )
        .bind(part.cluster.as_str())
        .bind(at)
        .bind(count.namespace.as_str())
        .bind(count.policy.as_str())
        .bind(count.severity.as_str())
        .bind(count.result.as_str())
        .bind(signed(count.count))
        .execute(&mut **transaction)
        .await?;
    }
    for finding in &part.findings {
        seen(transaction, &part.cluster, at, finding).await?;
    }
    if !part.last {
        return Ok(());
    }
    let unknown: Vec<&str> = part.unknown_kinds.iter().map(String::as_str).collect();
    sqlx::query(
        "UPDATE audit_findings SET fixed_at = $1 WHERE cluster = $2 AND fixed_at IS NULL AND last_seen < $1 \
         AND $3 NOT LIKE '%\"' || kind || '.' || api_group || '\"%'",
    )
    .bind(at)
    .bind(part.cluster.as_str())
    .bind(serde_json::to_string(&unknown).unwrap_or_default())
    .execute(&mut **transaction)
    .await?;
    sqlx::query("INSERT INTO audit_states (cluster, at, objects) VALUES ($1, $2, $3)")
        .bind(part.cluster.as_str())
        .bind(at)
        .bind(signed(part.objects))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// A finding is there: one that is known stays since when it was, one that is new or back begins.
async fn seen(
    transaction: &mut Transaction<'static, Any>,
    cluster: &str,
    at: i64,
    finding: &AuditFinding,
) -> Result<(), sqlx::Error> {
    let identity = finding.identity();
    let known = sqlx::query(
        "UPDATE audit_findings SET last_seen = $1, severity = $2, result = $3, message = $4, owner = $5 \
         WHERE cluster = $6 AND identity = $7 AND fixed_at IS NULL",
    )
    .bind(at)
    .bind(finding.severity.as_str())
    .bind(finding.result.as_str())
    .bind(finding.message.as_str())
    .bind(finding.owner.as_str())
    .bind(cluster)
    .bind(identity.as_str())
    .execute(&mut **transaction)
    .await?;
    if known.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO audit_findings (cluster, identity, first_seen, last_seen, policy, rule, severity, result, \
         api_group, kind, namespace, name, path, message, owner) \
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(cluster)
    .bind(identity)
    .bind(at)
    .bind(finding.policy.as_str())
    .bind(finding.rule.as_str())
    .bind(finding.severity.as_str())
    .bind(finding.result.as_str())
    .bind(finding.group.as_str())
    .bind(finding.kind.as_str())
    .bind(finding.namespace.as_str())
    .bind(finding.name.as_str())
    .bind(finding.path.as_str())
    .bind(finding.message.as_str())
    .bind(finding.owner.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
