//! A process that writes is killed at any moment, fifty times: what it was told is stored is there, nothing is half
//! there, and the file is whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail where it stands"
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::denial;
use wayguard_history::{Place, Store};

const KILLS: u64 = 50;
const BATCH: u64 = 7;
/// Names the file to the process that writes; without it that part does nothing.
const FILE: &str = "WAYGUARD_TEST_KILLED_FILE";
const FROM: &str = "WAYGUARD_TEST_KILLED_FROM";

/// Not a test by itself: what is killed. It prints a number as soon as the store has taken the batch that ends there.
#[tokio::test]
async fn writer() {
    let (Some(file), Ok(from)) = (std::env::var_os(FILE), std::env::var(FROM)) else { return };
    let store = Store::open(Place::file(file.as_ref())).await.unwrap();
    let mut next: u64 = from.parse().unwrap();
    loop {
        let batch: Vec<_> = (next..next + BATCH).map(denial).collect();
        store.write(&batch).await.unwrap();
        next += BATCH;
        println!("taken {next}");
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test]
async fn fifty_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let (mut acknowledged, mut batches) = (Vec::new(), 0);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..KILLS {
        let from = kill * 1_000_000;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writer", "--exact", "--nocapture", "--test-threads=1"])
            .env(FILE, &file)
            .env(FROM, from.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The moment differs from kill to kill: after so many batches, and somewhere within the next.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (after, within) = (1 + (seed >> 33) % 20, Duration::from_micros((seed >> 40) % 4000));
        let id = rustix::process::Pid::from_child(&child);
        let reader = std::thread::spawn(move || {
            let (mut last, mut seen) = (None, 0);
            for line in lines {
                let Ok(line) = line else { break };
                let Some(number) = line.split("taken ").nth(1) else { continue };
                last = number.parse::<u64>().ok();
                seen += 1;
                if seen == after {
                    std::thread::sleep(within);
                    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
                }
            }
            (last, seen)
        });
        let (last, seen) = reader.join().unwrap();
        child.wait().unwrap();
        acknowledged.push((from, last.expect("at least one batch was taken")));
        batches += seen;

        // Opening looks for damage.
        let store = Store::open(Place::file(&file)).await.unwrap();
        for number in [from, last.unwrap() - 1] {
            assert_eq!(store.decisions_named(&format!("{number:012x}")).await.unwrap(), [denial(number)]);
        }
        store.close().await;
    }
    let store = Store::open(Place::file(&file)).await.unwrap();
    let mut lost = 0;
    for (from, to) in &acknowledged {
        for number in *from..*to {
            let found = store.decisions_named(&format!("{number:012x}")).await.unwrap();
            lost += u64::from(found != [denial(number)]);
        }
    }
    assert_eq!(lost, 0);
    // A batch that was under way is there whole, or not at all.
    assert_eq!(store.decision_count().await.unwrap() % BATCH, 0);
    println!(
        "{KILLS} kills, {batches} batches acknowledged, {} decisions stored, 0 lost",
        store.decision_count().await.unwrap()
    );
}
