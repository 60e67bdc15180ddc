//! What came before a report: earlier reports in files, or the history that the audit writes.

use crate::exit::Failure;
use crate::history::{HistoryArgs, Kept};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use wayguard_audit::Outcome;
use wayguard_engine::decision::Severity;
use wayguard_history::{FindingFilter, Place, Store, StoreError, StoredFinding, TrendPoint};
use wayguard_report::{About, Counts, Finding, ObjectName, Past, Point, Repairs, Report, Told};

/// How far back the trend goes.
const TREND: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Options that name what came before.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PastArgs {
    /// Earlier reports in JSON to compare with; the newest tells what is new and what is fixed, all of them the trend
    #[arg(long, value_name = "FILE")]
    since: Vec<PathBuf>,

    #[command(flatten)]
    history: HistoryArgs,

    /// With a history: what is new and what was fixed in so many days
    #[arg(long, value_name = "COUNT", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

/// What was read of what came before.
pub(super) enum Before {
    /// Reports, with their files.
    Reports(Vec<(PathBuf, Report)>),
    /// A history.
    History(Told),
}

impl PastArgs {
    /// Reads it. `cluster`: as the history calls the cluster; empty: it knows only one.
    ///
    /// # Errors
    /// If a file is no report, or the database cannot be asked.
    pub(super) fn read(&self, time: Timestamp, cluster: &str) -> Result<Before, Failure> {
        if !self.since.is_empty() {
            if self.history.history.is_some() || self.history.database_url_file.is_some() {
                let words = "`--since` and a history both tell what came before: give one of them";
                return Err(Failure::Invalid(words.to_owned()));
            }
            let reports = self.since.iter().map(|path| report(path)).collect::<Result<_, _>>()?;
            return Ok(Before::Reports(reports));
        }
        let place = match self.history.kept()? {
            None => return Ok(Before::Reports(Vec::new())),
            Some(Kept::Database(place)) => place,
            Some(Kept::Service(_)) => {
                let words = "the history's service tells decisions, not findings over time: name its database, \
                             by `--history FILE` or `--database-url-file`";
                return Err(Failure::Invalid(words.to_owned()));
            }
        };
        let since = time - SignedDuration::from_hours(24 * i64::from(self.days));
        crate::cluster::block_on(told(place, since, time, cluster)).map(Before::History)
    }
}

impl Before {
    /// What a report makes of it.
    ///
    /// # Errors
    /// If a report is about something else, or of a later time.
    pub(super) fn past(self, about: &About) -> Result<Past, Failure> {
        let reports = match self {
            Self::History(told) => return Ok(Past::of_history(told)),
            Self::Reports(reports) => reports,
        };
        let names: Vec<String> = reports.iter().map(|(path, _)| format!("`{}`", path.display())).collect();
        let reports = reports.into_iter().map(|(_, report)| report).collect();
        Past::of_reports(reports, about)
            .map_err(|problem| Failure::Invalid(format!("`--since` {}: {problem}", names.join(", "))))
    }
}

fn report(path: &Path) -> Result<(PathBuf, Report), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let report = Report::from_json(&text).map_err(|problem| {
        Failure::Invalid(format!("`{}` cannot be compared with: {problem}", path.display()))
    })?;
    Ok((path.to_owned(), report))
}

async fn told(place: Place, since: Timestamp, time: Timestamp, cluster: &str) -> Result<Told, Failure> {
    let store = Store::read(place).await.map_err(failed)?;
    let filter = FindingFilter { cluster: cluster.to_owned(), ..FindingFilter::default() };
    let open = store.oldest(&filter, u32::MAX).await.map_err(failed)?;
    let fixed = store.fixed_since(&filter, since, u32::MAX).await.map_err(failed)?;
    let clusters: BTreeSet<&str> = open.iter().chain(&fixed).map(|stored| stored.cluster.as_str()).collect();
    if clusters.len() > 1 {
        let names: Vec<&str> = clusters.into_iter().collect();
        return Err(Failure::Invalid(format!(
            "the history has several clusters ({}): `--cluster-name` says which",
            names.join(", ")
        )));
    }
    let trend = store.trend(&filter, Some(time - TREND), Some(time)).await.map_err(failed)?;
    let mean = store.mean_time_to_fix(&filter, Timestamp::MIN).await.map_err(failed)?;
    store.close().await;
    let mean_seconds = u64::try_from(mean.mean.as_secs()).unwrap_or_default();
    let mut first_seen = BTreeMap::new();
    for stored in &open {
        first_seen.entry(stored.finding.identity()).or_insert(stored.first_seen);
    }
    Ok(Told {
        since,
        first_seen,
        fixed: fixed.iter().map(finding).collect(),
        trend: points(&trend),
        repairs: Repairs { count: mean.fixed, seconds: mean_seconds.saturating_mul(mean.fixed) },
    })
}

fn failed(error: StoreError) -> Failure {
    Failure::Ours(error.to_string())
}

/// A finding as the history keeps it; what it does not keep stays empty.
fn finding(stored: &StoredFinding) -> Finding {
    let told = &stored.finding;
    Finding {
        id: told.identity(),
        policy: told.policy.clone(),
        rule: told.rule.clone(),
        title: String::new(),
        result: outcome(&told.result).unwrap_or(Outcome::Fail),
        severity: severity(&told.severity),
        category: String::new(),
        controls: Vec::new(),
        object: ObjectName {
            api_version: told.group.clone(),
            kind: told.kind.clone(),
            namespace: told.namespace.clone(),
            name: told.name.clone(),
        },
        owner: told.owner.clone(),
        field: told.path.clone(),
        message: told.message.clone(),
        remedy: String::new(),
        docs: String::new(),
        exception: None,
        first_seen: stored.first_seen,
        object_created: None,
        new: false,
    }
}

fn outcome(name: &str) -> Option<Outcome> {
    [Outcome::Skip, Outcome::Warn, Outcome::Fail, Outcome::Error].into_iter().find(|it| it.as_str() == name)
}

fn severity(name: &str) -> Severity {
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    all.into_iter().find(|it| it.as_str() == name).unwrap_or_default()
}

/// The last state of each day: the audit writes many.
fn points(trend: &[TrendPoint]) -> Vec<Point> {
    let mut states: BTreeMap<Timestamp, Counts> = BTreeMap::new();
    for point in trend {
        let counts = states.entry(point.at).or_default();
        if let Some(outcome) = outcome(&point.result) {
            counts.add_many(outcome, severity(&point.severity), point.count);
        }
    }
    let mut days: BTreeMap<i64, Point> = BTreeMap::new();
    for (time, findings) in states {
        days.insert(
            time.as_second().div_euclid(86_400),
            Point { time, objects: None, refused: None, findings },
        );
    }
    days.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn of_each_day_the_last_state_counts() {
        let point = |time: &str, severity: &str, result: &str, count| TrendPoint {
            at: at(time),
            severity: severity.to_owned(),
            result: result.to_owned(),
            count,
        };
        let trend = [
            point("2026-11-01T08:00:00Z", "high", "fail", 9),
            point("2026-11-01T20:00:00Z", "high", "fail", 4),
            point("2026-11-01T20:00:00Z", "low", "skip", 2),
            point("2026-11-01T20:00:00Z", "low", "pass", 70),
            point("2026-11-02T00:00:00Z", "critical", "error", 1),
        ];
        let points = points(&trend);
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].findings.high, points[0].findings.skip, points[0].findings.open()), (4, 2, 4));
        assert_eq!((points[1].time, points[1].findings.critical), (at("2026-11-02T00:00:00Z"), 1));
    }
}
