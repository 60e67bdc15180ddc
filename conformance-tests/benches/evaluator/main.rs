//! Our evaluator beside OPA's prepared queries: the same modules, the same inputs, both parsed before. Ratios first.
//!
//! Both sides count time on the processor (OPA's with its garbage collection), take turns, and are given their
//! quickest batch of all turns, so that what else runs on the machine matters little. Templates and inputs are Gatekeeper's, beside the checkout
//! (`../shared/fixtures`); without them, or without Go, there is nothing to compare. An argument (`cargo bench …
//! --bench evaluator -- allowedrepos`) chooses the templates whose name holds it.

#[path = "../../tests/rego/mod.rs"]
mod rego;

mod ours;

use ours::Ours;
use rego::corpus::{self, Subject};
use rego::oracle::{Measured, Oracle};
use rego::question::Question;
use serde_json::{Value as Json, json};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often each side is measured, in turn.
const TURNS: usize = 6;

/// One template's figures, in microseconds.
struct Row {
    name: String,
    ours: f64,
    opa: f64,
}

fn main() {
    // `cargo test` runs benches too, to see that they start; a comparison takes minutes.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(mut oracle) = Oracle::start() else { return };
    let wanted = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    let subjects = corpus::gatekeeper();
    if subjects.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.name.contains(&wanted)) {
        // The largest input: of a suite's samples the one with most to judge.
        let Some(input) = subject.inputs.iter().max_by_key(|input| input.to_string().len()) else { continue };
        if input.pointer("/review/object/kind").and_then(Json::as_str) == Some("Pod") {
            rows.extend(compare(subject, input, &mut oracle));
        }
    }
    print(&rows);
    if !wanted.is_empty() {
        return;
    }
    if let Some(subject) = subjects.iter().find(|subject| subject.name.starts_with("k8suniqueingresshost/")) {
        join(subject, &mut oracle);
    }
    scaling(&subjects);
}

/// Asks both for the violations alone, which is what admission asks for.
fn question(subject: &Subject, input: &Json) -> Question {
    let query = format!("{}.violation", subject.question.query);
    Question { query, input: Some(input.to_string()), ..subject.question.clone() }
}

fn compare(subject: &Subject, input: &Json, oracle: &mut Oracle) -> Option<Row> {
    let question = question(subject, input);
    let ours = Ours::compile(&question);
    let Some((ours, opa)) = in_turns(&ours, &question, oracle) else {
        println!("left out: {}: OPA does not evaluate it", subject.name);
        return None;
    };
    Some(Row { name: subject.name.clone(), ours, opa })
}

/// Microseconds of both: the least of several turns that each has.
fn in_turns(ours: &Ours, question: &Question, oracle: &mut Oracle) -> Option<(f64, f64)> {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..TURNS {
        let (mine, elements) = ours.measure();
        let Measured { nanoseconds, elements: expected } = oracle.measure(question)?;
        assert_eq!(elements, expected, "the engines do not do the same work: {}", question.query);
        least = (least.0.min(mine / 1000.0), least.1.min(nanoseconds / 1000.0));
    }
    Some(least)
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn print(rows: &[Row]) {
    println!("| template | OPA / ours | ours µs | OPA µs |\n|---|---|---|---|");
    for row in rows {
        println!("| {} | {:.1} | {:.2} | {:.1} |", row.name, row.opa / row.ours, row.ours, row.opa);
    }
    let ratios: Vec<f64> = rows.iter().map(|row| row.opa / row.ours).collect();
    let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let (ours, opa) = rows.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.ours, sum.1 + row.opa));
    println!("| **geometric mean** | **{mean:.1}** | | |");
    println!("| **least** | **{least:.1}** | | |");
    println!("| **sum of {}** | **{:.1}** | {ours:.1} | {opa:.1} |\n", rows.len(), opa / ours);
}

/// Unique hosts among 1,000 Ingresses.
fn join(subject: &Subject, oracle: &mut Oracle) {
    let ingress = |number: usize| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": format!("ingress-{number}"), "namespace": format!("ns-{}", number % 20)},
            "spec": {"rules": [{"host": format!("host-{number}.example.com"),
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}})
    };
    let mut inventory = json!({});
    (0..1000).for_each(|number| corpus::into_inventory(&mut inventory, ingress(number)));
    let input = json!({"review": corpus::review(&ingress(5000)), "parameters": {}});
    let mut question = question(subject, &input);
    question.data = Some(json!({"inventory": inventory}).to_string());
    let Some((ours, opa)) = in_turns(&Ours::compile(&question), &question, oracle) else { return };
    println!("| among 1,000 objects | OPA / ours | ours µs | OPA µs |\n|---|---|---|---|");
    println!("| unique hosts of Ingresses | {:.1} | {ours:.2} | {opa:.1} |\n", opa / ours);
}

/// Two threads beside one, and what a compiled template takes of memory.
fn scaling(subjects: &[Subject]) {
    let programs: Vec<Ours> = subjects
        .iter()
        .filter(|subject| subject.name.starts_with("bench/"))
        .filter_map(|subject| Some(Ours::compile(&question(subject, subject.inputs.first()?))))
        .collect();
    let (one, two) = (ours::per_second(&programs, 1), ours::per_second(&programs, 2));
    let limit = ours::arithmetic(2) / ours::arithmetic(1);
    println!("| two threads | times one |\n|---|---|\n| all programs | {:.2} |", two / one);
    println!("| arithmetic alone, which is what the machine gives | {limit:.2} |\n");
    let questions: Vec<Question> =
        subjects.iter().filter_map(|subject| Some(question(subject, subject.inputs.first()?))).collect();
    println!("| memory | KiB |\n|---|---|\n| one compiled template | {:.0} |", ours::memory(&questions));
}
