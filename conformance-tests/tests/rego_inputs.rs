//! Real policies on inputs made worse: our engine answers each as OPA does.
//!
//! `REGO_SEED` and `REGO_COUNT` choose the inputs: so many in all, of each policy as many.

mod rego;

use rego::corpus::{self, Subject};
use rego::dice::Dice;
use rego::mutate;
use rego::oracle::Oracle;
use rego::ours::Ours;
use rego::question::Question;
use rego::report::Report;
use serde_json::Value as Json;
use std::collections::VecDeque;

/// Inputs that OPA is asked about at once.
const BATCH: usize = 50;

/// Questions on their way: a policy, the seeds of its inputs, and the inputs.
type Asked<'s> = (&'s Subject, &'s [u64], Vec<Option<String>>);

/// Asks about so many changed inputs, of each subject as many.
fn compare(what: &str, count: u64, subjects: &[Subject], change: fn(&Json, &mut Dice) -> Json) {
    let (Some(mut oracle), Some(mut shrinker)) = (Oracle::start(), Oracle::start()) else { return };
    let first = rego::setting("REGO_SEED", 1);
    let subjects: Vec<&Subject> = subjects.iter().filter(|subject| !subject.inputs.is_empty()).collect();
    assert!(!subjects.is_empty(), "nothing to ask about");
    let each = rego::setting("REGO_COUNT", count).div_ceil(subjects.len() as u64);
    let mut ours = Ours::default();
    let mut report = Report::default();
    let seeds: Vec<u64> = (first..first + each).collect();
    let mut batches =
        subjects.iter().flat_map(|subject| seeds.chunks(BATCH).map(move |seeds| (subject, seeds)));
    let mut asked: VecDeque<Asked<'_>> = VecDeque::new();
    loop {
        // OPA works at the next inputs while we work at these.
        while asked.len() < 2
            && let Some((subject, seeds)) = batches.next()
        {
            let input = |seed: &u64| {
                let mut dice = Dice::new(*seed);
                let input = dice.one(&subject.inputs);
                Some(if *seed == first { input.to_string() } else { change(input, &mut dice).to_string() })
            };
            let inputs: Vec<_> = seeds.iter().map(input).collect();
            oracle.ask(&subject.question, &inputs);
            asked.push_back((subject, seeds, inputs));
        }
        let Some((subject, seeds, inputs)) = asked.pop_front() else { break };
        for (seed, input) in seeds.iter().zip(inputs) {
            let opa = oracle.take();
            let question = Question { input, ..subject.question.clone() };
            report.add(&format!("{} seed {seed}", subject.name), &question, &mut ours, &opa, &mut shrinker);
        }
    }
    let asked = each * subjects.len() as u64;
    report.close(&format!("{what}: {} policies, {asked} inputs from seed {first}", subjects.len()));
}

#[test]
fn mutated_inputs_are_judged_as_opa_judges_them() {
    compare("mutated inputs", 3000, &corpus::subjects(), mutate::mutated);
}

#[test]
fn quantities_in_all_notations_are_judged_as_opa_judges_them() {
    let about_resources =
        |subject: &Subject| subject.question.modules.iter().any(|module| module.contains("\"Ki\""));
    let subjects: Vec<_> = corpus::subjects().into_iter().filter(about_resources).collect();
    compare("quantities", 1000, &subjects, mutate::requantified);
}
