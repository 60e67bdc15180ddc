//! What is kept for how long: the oldest go first, a few at a time, so that writers never wait long.

use crate::error::StoreError;
use crate::store::{Store, signed};
use jiff::Timestamp;
use sqlx::Row;
use std::time::Duration;

/// Decisions that go at a time.
const AT_A_TIME: i64 = 500;

/// Limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Decisions, totals and fixed findings older than this go. Default 90 days. Findings that are there stay.
    pub age: Duration,
    /// Bytes of decisions' texts; beyond it the oldest decisions go. The database takes about twice as much. Default
    /// 1 GiB.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Duration::from_hours(90 * 24), bytes: 1 << 30 }
    }
}

impl Store {
    /// Removes what is beyond the limits; how many decisions went.
    ///
    /// # Errors
    /// If the database refuses; what went until then is gone.
    pub async fn keep_within(&self, limits: Retention, now: Timestamp) -> Result<u64, StoreError> {
        let before = now.as_millisecond().saturating_sub(signed(limits.age.as_millis()));
        let mut gone = 0;
        loop {
            let some = self.remove_before(before).await?;
            gone += some;
            if some < AT_A_TIME.unsigned_abs() {
                break;
            }
        }
        while self.stored_bytes().await? > limits.bytes {
            let some = self.remove_before(i64::MAX).await?;
            gone += some;
            if some == 0 {
                break;
            }
        }
        for statement in [
            "DELETE FROM audit_counts WHERE at < $1",
            "DELETE FROM audit_states WHERE at < $1",
            "DELETE FROM audit_findings WHERE fixed_at < $1",
        ] {
            sqlx::query(statement)
                .bind(before)
                .execute(&self.pool)
                .await
                .map_err(|error| self.failed(&error))?;
        }
        if gone > 0 && self.place.is_file() {
            let shrink = sqlx::raw_sql("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
            shrink.execute(&self.pool).await.map_err(|error| self.failed(&error))?;
        }
        Ok(gone)
    }

    /// Bytes of all decisions' texts.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn stored_bytes(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM decisions")
            .fetch_one(&self.pool)
            .await;
        let bytes =
            row.and_then(|row| row.try_get::<i64, _>("bytes")).map_err(|error| self.failed(&error))?;
        Ok(bytes.try_into().unwrap_or_default())
    }

    /// The oldest decisions before then, with their parts, in one transaction.
    async fn remove_before(&self, before: i64) -> Result<u64, StoreError> {
        let mut transaction = self.writing().await?;
        let oldest = sqlx::query("SELECT id, uid FROM decisions WHERE at < $1 ORDER BY at LIMIT $2")
            .bind(before)
            .bind(AT_A_TIME)
            .fetch_all(&mut *transaction)
            .await
            .map_err(|error| self.failed(&error))?;
        for row in &oldest {
            let text = |column: &str| row.try_get::<String, _>(column).map_err(|error| self.failed(&error));
            let (id, uid) = (text("id")?, text("uid")?);
            for statement in [
                "DELETE FROM decision_findings WHERE id = $1 AND uid = $2",
                "DELETE FROM decision_changes WHERE id = $1 AND uid = $2",
                "DELETE FROM decisions WHERE id = $1 AND uid = $2",
            ] {
                sqlx::query(statement)
                    .bind(id.as_str())
                    .bind(uid.as_str())
                    .execute(&mut *transaction)
                    .await
                    .map_err(|error| self.failed(&error))?;
            }
        }
        transaction.commit().await.map_err(|error| self.failed(&error))?;
        Ok(oldest.len() as u64)
    }
}
