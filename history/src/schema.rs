//! The layout and how it came about: numbered steps, forward only, the same text for both databases. Several processes
//! may start at once: whoever comes first takes the steps, the others wait for it.

use crate::error::StoreError;
use crate::place::Place;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

/// The steps; a step's number is its place, from 1. What is here has run somewhere and never changes.
const STEPS: [&str; 1] = [include_str!("../migrations/0001-decisions-and-states.sql")];

/// PostgreSQL's lock for whoever takes steps: a number of our own.
const LOCK: &str = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(8623571204417); END $$";

/// The newest layout that is known.
pub(crate) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings a database to the newest layout.
///
/// # Errors
/// If it is newer than that, or refuses.
pub(crate) async fn bring_up(pool: &AnyPool, place: &Place) -> Result<(), StoreError> {
    let shown = place.shown();
    let failed = |error: sqlx::Error| StoreError::from_sqlx(&shown, &error);
    let begin = if place.is_file() { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut transaction = pool.begin_with(begin).await.map_err(failed)?;
    if !place.is_file() {
        sqlx::raw_sql(LOCK).execute(&mut *transaction).await.map_err(failed)?;
    }
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS wayguard_layout (step BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    let found =
        step_of(sqlx::query(STEP).fetch_one(&mut *transaction).await.map_err(failed)?).map_err(failed)?;
    if found > newest() {
        return Err(StoreError::Newer { place: shown, found, known: newest() });
    }
    for (number, step) in (1_i64..).zip(STEPS).filter(|(number, _)| *number > found) {
        sqlx::raw_sql(step).execute(&mut *transaction).await.map_err(failed)?;
        sqlx::query("INSERT INTO wayguard_layout (step) VALUES ($1)")
            .bind(number)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// Checks the layout of a database that is only read.
///
/// # Errors
/// If there is none, or a newer one.
pub(crate) async fn check(pool: &AnyPool, place: &Place) -> Result<(), StoreError> {
    let shown = place.shown();
    let row = sqlx::query(STEP).fetch_one(pool).await;
    let found = row.and_then(step_of).map_err(|error| match StoreError::from_sqlx(&shown, &error) {
        StoreError::Refused { place, .. } => {
            StoreError::NotThere { place, problem: "it holds no history of wayguard".to_owned() }
        }
        other => other,
    })?;
    if found > newest() {
        return Err(StoreError::Newer { place: shown, found, known: newest() });
    }
    Ok(())
}

const STEP: &str = "SELECT CAST(COALESCE(MAX(step), 0) AS BIGINT) AS step FROM wayguard_layout";

fn step_of(row: AnyRow) -> Result<i64, sqlx::Error> {
    row.try_get("step")
}
