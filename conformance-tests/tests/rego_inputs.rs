//! Real policies on inputs made worse: our engine answers each as OPA does.
//!
//! `REGO_SEED` and `REGO_COUNT` choose the inputs: that many of each policy.

mod rego;

use rego::corpus::{self, Subject};
use rego::dice::Dice;
use rego::mutate;
use rego::oracle::Oracle;
use rego::ours::Ours;
use rego::question::Question;
use rego::report::Report;
use serde_json::Value as Json;

/// Asks about each subject that many changed inputs.
fn compare(what: &str, count: u64, subjects: &[Subject], change: fn(&Json, &mut Dice) -> Json) {
    let (Some(mut oracle), Some(mut shrinker)) = (Oracle::start(), Oracle::start()) else { return };
    let first = rego::setting("REGO_SEED", 1);
    let count = rego::setting("REGO_COUNT", count);
    let mut ours = Ours::default();
    let mut report = Report::default();
    for subject in subjects.iter().filter(|subject| !subject.inputs.is_empty()) {
        for seed in first..first + count {
            let mut dice = Dice::new(seed);
            let input = dice.one(&subject.inputs).clone();
            let input = if seed == first { input } else { change(&input, &mut dice) };
            let question = Question { input: Some(input.to_string()), ..subject.question.clone() };
            let opa = oracle.answer(&question);
            report.add(&format!("{} seed {seed}", subject.name), &question, &mut ours, &opa, &mut shrinker);
        }
    }
    report.close(&format!("{what}: {} policies, {count} inputs each from seed {first}", subjects.len()));
}

#[test]
fn mutated_inputs_are_judged_as_opa_judges_them() {
    compare("mutated inputs", 20, &corpus::subjects(), mutate::mutated);
}

#[test]
fn quantities_in_all_notations_are_judged_as_opa_judges_them() {
    let about_resources =
        |subject: &Subject| subject.question.modules.iter().any(|module| module.contains("\"Ki\""));
    let subjects: Vec<_> = corpus::subjects().into_iter().filter(about_resources).collect();
    compare("quantities", 100, &subjects, mutate::requantified);
}
