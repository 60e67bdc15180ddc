//! The database: opened and checked, written in batches. A batch that was taken is on the disk: SQLite runs with
//! `synchronous=FULL` over its write-ahead log, and PostgreSQL's default is the same.

use crate::error::StoreError;
use crate::place::Place;
use crate::record::DecisionRecord;
use crate::schema;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, ConnectOptions, Connection, Row};
use std::str::FromStr;
use std::time::Duration;

/// A connection that takes longer is not to be had.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// One writes, some read.
const CONNECTIONS: u32 = 4;

/// Settings of each connection to SQLite: <https://sqlite.org/pragma.html>. Space of deleted rows is given back in
/// steps, by retention.
const SQLITE: &str = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;";
const SQLITE_READING: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = 1;";

/// An open database.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) place: Place,
}

impl Store {
    /// Opens to write: makes the file if it is not there, checks it, brings it to the newest layout.
    ///
    /// # Errors
    /// If it is damaged, full, newer, or not to be had.
    pub async fn open(place: Place) -> Result<Self, StoreError> {
        let store = Self::connect(place, "rwc", SQLITE).await?;
        store.look_for_damage().await?;
        schema::bring_up(&store.pool, &store.place).await?;
        Ok(store)
    }

    /// Opens to read, beside whoever writes.
    ///
    /// # Errors
    /// If it is not there, not a history, or newer.
    pub async fn read(place: Place) -> Result<Self, StoreError> {
        let store = Self::connect(place, "rw", SQLITE_READING).await?;
        schema::check(&store.pool, &store.place).await?;
        Ok(store)
    }

    async fn connect(place: Place, mode: &str, settings: &'static str) -> Result<Self, StoreError> {
        install_default_drivers();
        let shown = place.shown();
        let failed = |error: sqlx::Error| match error {
            // It may repeat the URL.
            sqlx::Error::Configuration(_) => StoreError::NotThere {
                place: shown.clone(),
                problem: "its URL or the certificates that it names cannot be used".to_owned(),
            },
            other => StoreError::from_sqlx(&shown, &other),
        };
        let options =
            AnyConnectOptions::from_str(&place.url(mode)).map_err(failed)?.disable_statement_logging();
        let is_file = place.is_file();
        // One by itself first: the pool tries again and again, and says only that time is up.
        let first = async {
            let mut connection = options.connect().await?;
            if is_file {
                sqlx::raw_sql(settings).execute(&mut connection).await?;
            }
            connection.close().await
        };
        let Ok(outcome) = tokio::time::timeout(CONNECT_WITHIN, first).await else {
            let problem = format!("there was no connection within {} s", CONNECT_WITHIN.as_secs());
            return Err(StoreError::Unreachable { place: shown, problem });
        };
        outcome.map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_WITHIN)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if is_file {
                        sqlx::raw_sql(settings).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        Ok(Self { pool, place })
    }

    /// SQLite's own check of the file; PostgreSQL looks after its files itself.
    async fn look_for_damage(&self) -> Result<(), StoreError> {
        if !self.place.is_file() {
            return Ok(());
        }
        let rows = sqlx::query("PRAGMA quick_check(1)")
            .fetch_all(&self.pool)
            .await
            .map_err(|it| self.failed(&it))?;
        let said: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        if said == ["ok"] {
            return Ok(());
        }
        Err(StoreError::Damaged { place: self.place.shown(), problem: said.join("; ") })
    }

    /// Where it is, for messages.
    pub fn shown(&self) -> String {
        self.place.shown()
    }

    pub(crate) fn failed(&self, error: &sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.place.shown(), error)
    }

    /// A transaction that may write from its first statement on.
    pub(crate) async fn writing(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, StoreError> {
        let begin = if self.place.is_file() { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.pool.begin_with(begin).await.map_err(|error| self.failed(&error))
    }

    /// Stores decisions, all or none. One that is stored already (same id and uid) stays as it is, so that a batch
    /// whose answer was lost can be sent again.
    ///
    /// # Errors
    /// If the database does not take them: nothing of the batch is stored then.
    pub async fn write(&self, batch: &[DecisionRecord]) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        for decision in batch {
            insert(&mut transaction, decision).await.map_err(|error| self.failed(&error))?;
        }
        transaction.commit().await.map_err(|error| self.failed(&error))
    }

    /// Waits for what is under way and closes.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A count as databases hold it.
pub(crate) fn signed(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

async fn insert(
    transaction: &mut sqlx::Transaction<'static, sqlx::Any>,
    decision: &DecisionRecord,
) -> Result<(), sqlx::Error> {
    let policies = serde_json::to_string(&decision.policies).unwrap_or_default();
    let new = sqlx::query(
        "INSERT INTO decisions (id, uid, at, cluster, replica, stage, operation, api_group, kind, namespace, name, \
         requester, verdict, message, set_digest, policies, left_out, bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT (id, uid) DO NOTHING",
    )
    .bind(decision.id.as_str())
    .bind(decision.uid.as_str())
    .bind(decision.at.as_millisecond())
    .bind(decision.cluster.as_str())
    .bind(decision.replica.as_str())
    .bind(decision.stage.as_str())
    .bind(decision.operation.as_str())
    .bind(decision.group.as_str())
    .bind(decision.kind.as_str())
    .bind(decision.namespace.as_str())
    .bind(decision.name.as_str())
    .bind(decision.user.as_str())
    .bind(decision.verdict.as_str())
    .bind(decision.message.as_str())
    .bind(decision.set_digest.as_str())
    .bind(policies)
    .bind(signed(decision.left_out))
    .bind(signed(decision.bytes()))
    .execute(&mut **transaction)
    .await?;
    if new.rows_affected() == 0 {
        return Ok(());
    }
    for (position, finding) in (0_i64..).zip(&decision.findings) {
        sqlx::query(
            "INSERT INTO decision_findings (id, uid, position, policy, rule, severity, effect, path, message, \
             remedy, exception) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(decision.id.as_str())
        .bind(decision.uid.as_str())
        .bind(position)
        .bind(finding.policy.as_str())
        .bind(finding.rule.as_str())
        .bind(finding.severity.as_str())
        .bind(finding.effect.as_str())
        .bind(finding.path.as_str())
        .bind(finding.message.as_str())
        .bind(finding.remedy.as_str())
        .bind(finding.exception.as_str())
        .execute(&mut **transaction)
        .await?;
    }
    for (position, change) in (0_i64..).zip(&decision.changes) {
        sqlx::query(
            "INSERT INTO decision_changes (id, uid, position, operation, path) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(decision.id.as_str())
        .bind(decision.uid.as_str())
        .bind(position)
        .bind(change.operation.as_str())
        .bind(change.path.as_str())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}
