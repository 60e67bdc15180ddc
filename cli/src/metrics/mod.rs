//! Which process measures what: the collectors that the binary adds to those of its parts, and the list that
//! `docs/reference/metrics.md` is made from.

mod audit;
mod cluster;
mod control;
mod images;
mod provisioning;

pub(crate) use audit::Audit;
pub(crate) use cluster::{ApiRequests, Watches};
pub(crate) use control::Control;
pub(crate) use images::ImageLookups;
pub(crate) use provisioning::Provisioning;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fmt::Write as _;
    use std::path::Path;
    use wayguard_webhook::metric::Described;

    /// The processes, as they are called on the command line, with what each measures.
    fn by_process() -> Vec<(&'static str, Vec<&'static Described>)> {
        let api = &cluster::API_METRICS[..];
        vec![
            (
                "wayguard serve",
                [&wayguard_webhook::admission_metrics()[..], &cluster::WATCH_METRICS, &images::METRICS]
                    .concat(),
            ),
            ("wayguard control --role webhooks", control::METRICS.to_vec()),
            ("wayguard control --role audit", audit::METRICS.to_vec()),
            ("wayguard control --role provisioning", provisioning::METRICS.to_vec()),
            ("every process", [api, &wayguard_webhook::PROCESS_METRICS].concat()),
        ]
    }

    fn page() -> String {
        let mut page = String::from(
            "# Metrics\n\nMade from the code. Each process answers `GET /metrics` on its health port (`--health-listen`, 8080), in the text form\nof Prometheus and OpenMetrics. Labels come from fixed lists and from names of loaded policies, providers and kinds: never\nfrom a request, so a flood of requests makes no series. Series that alerts look at begin at 0.\n",
        );
        for (process, metrics) in by_process() {
            let _ = write!(
                page,
                "\n## {}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n",
                if process.starts_with("every") {
                    "Every process".to_owned()
                } else {
                    format!("`{process}`")
                }
            );
            for metric in metrics {
                let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
                let when = if metric.when.is_empty() { String::new() } else { format!("; {}", metric.when) };
                let _ = writeln!(
                    page,
                    "| `{}` | {} | {} | {}{when} |",
                    metric.series(),
                    metric.kind.as_str(),
                    labels.join(" "),
                    metric.help
                );
            }
        }
        page
    }

    #[test]
    fn the_reference_of_metrics_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
        let page = page();
        if std::env::var_os("WAYGUARD_UPDATE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == page,
            "docs/reference/metrics.md is not what the program measures now; run `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib metrics`"
        );
    }

    #[test]
    fn names_and_labels_keep_to_the_conventions() {
        let mut names = BTreeSet::new();
        for (process, metrics) in by_process() {
            for metric in metrics {
                let name = metric.name;
                assert!(names.insert(name), "{name} is described twice");
                assert!(name.starts_with("wayguard_") || name.starts_with("process_"), "{process}: {name}");
                assert!(!name.ends_with("_total"), "{name}: counters get their ending when they are read");
                assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{name}");
                for label in metric.labels {
                    assert!(
                        !["user", "name", "namespace", "object", "uid", "image"].contains(label),
                        "{name}: `{label}` has no bounds"
                    );
                }
            }
        }
    }
}
