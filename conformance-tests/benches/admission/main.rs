//! The HTTPS webhook side by side with its peers on this machine, in one run: ratios first.
//!
//! ```text
//! reviews (each different, or Pods of 100 ReplicaSets) ─► 1 and 16 connections ─► us │ us without policies │ Gatekeeper
//! ```
//! The load is ours and costs every side the same: one thread per connection, HTTP/1.1 kept alive, requests made by
//! overwriting a few bytes of a ready body. Templates, constraints and the review are data beside the checkout
//! (`../shared/fixtures/bench`, or the folder in `WAYGUARD_BENCH`); without them there is nothing to compare.
//! `WAYGUARD_BENCH_SECONDS` is the time of each row (5). Peers run where `WAYGUARD_BENCH_GATEKEEPER` names a built
//! Gatekeeper (`just bench-peers` builds it); without it they are left out, which is said.

mod load;
mod peers;
mod servers;

use load::{Load, Objects, Row};
use servers::Ours;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that a comparison needs.
struct Material {
    folder: PathBuf,
    review: String,
    seconds: Duration,
}

impl Material {
    fn find() -> Option<Self> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/bench");
        let folder = std::env::var_os("WAYGUARD_BENCH").map_or(beside, PathBuf::from);
        let review = std::fs::read_to_string(folder.join("review.json")).ok()?;
        let seconds =
            std::env::var("WAYGUARD_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5.0);
        Some(Self { folder, review, seconds: Duration::from_secs_f64(seconds) })
    }
}

fn main() {
    // `cargo test` runs benches too, to see that they start; a comparison takes minutes.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(material) = Material::find() else {
        println!(
            "skipped: no `review.json`, `templates/` and `constraints.json`; name their folder in WAYGUARD_BENCH"
        );
        return;
    };
    let gatekeeper = peers::gatekeeper(&material.folder);
    let mut table = Table::default();
    for connections in [1, 16] {
        for objects in [Objects::Cold, Objects::Repeated] {
            let load = Load { review: &material.review, objects, connections, time: material.seconds };
            let ours = Ours::with_policies(&material.folder);
            let with = load.run(&ours);
            drop(ours);
            let ours = Ours::without_policies();
            let without = load.run(&ours);
            drop(ours);
            table.add(objects, connections, "no policies", &with, &without);
            if let Some(gatekeeper) = &gatekeeper {
                let peer = load.run(gatekeeper);
                table.add(objects, connections, "Gatekeeper", &with, &peer);
            }
        }
    }
    table.print();
}

/// Rows of the report.
#[derive(Default)]
struct Table(Vec<String>);

impl Table {
    fn add(&mut self, objects: Objects, connections: usize, other: &str, ours: &Row, theirs: &Row) {
        self.0.push(format!(
            "| {objects} | {connections} | {other} | {:.2} | {:.3} | {:.2} | {:.0} | {:.0} | {:.2} / {:.2} | {:.2} / {:.2} | {} / {} |",
            ours.per_second / theirs.per_second,
            ours.p99 / theirs.p99,
            ours.megabytes / theirs.megabytes,
            ours.per_second,
            theirs.per_second,
            ours.p50,
            theirs.p50,
            ours.p99,
            theirs.p99,
            ours.megabytes.round(),
            theirs.megabytes.round(),
        ));
    }

    fn print(&self) {
        println!(
            "| objects | connections | against | throughput × | p99 × | memory × | ours req/s | theirs | p50 ms | p99 ms | MB |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for row in &self.0 {
            println!("{row}");
        }
        if peers::gatekeeper_binary().is_none() {
            println!(
                "\nGatekeeper was left out: WAYGUARD_BENCH_GATEKEEPER names no program (`just bench-peers` builds one)."
            );
        }
    }
}
