//! Random policies: our engine answers each as OPA does.
//!
//! `REGO_SEED` and `REGO_COUNT` choose the policies; a difference names its seed, by which it can be had again.

mod rego;

use rego::dice::Dice;
use rego::generator;
use rego::oracle::Oracle;
use rego::ours::Ours;
use rego::question::Question;
use rego::report::Report;
use std::collections::VecDeque;

/// Inputs that each policy is asked about.
const INPUTS: usize = 6;

/// Policies that OPA is asked about before its answers are needed.
const AHEAD: usize = 4;

/// How it goes is told after so many policies: a long run that is ended has said something.
const TOLD: u64 = 5_000;

#[test]
fn random_policies_are_answered_as_opa_answers() {
    let (Some(mut oracle), Some(mut shrinker)) = (Oracle::start(), Oracle::start()) else { return };
    let (first, count) = (rego::setting("REGO_SEED", 1), rego::setting("REGO_COUNT", 300));
    let mut ours = Ours::default();
    let mut report = Report::default();
    let mut asked: VecDeque<(u64, Question, Vec<Option<String>>)> = VecDeque::new();
    let mut seeds = first..first + count;
    loop {
        // OPA works at the next policies while we work at this one.
        while asked.len() < AHEAD
            && let Some(seed) = seeds.next()
        {
            let policy = generator::policy(seed);
            let mut dice = Dice::new(seed ^ 0xabcd);
            let inputs: Vec<_> = (0..INPUTS).map(|_| generator::input(&mut dice)).collect();
            oracle.ask(&policy, &inputs);
            asked.push_back((seed, policy, inputs));
        }
        let Some((seed, policy, inputs)) = asked.pop_front() else { break };
        if seed > first && (seed - first).is_multiple_of(TOLD) {
            report.tell(&format!("{} policies from seed {first}", seed - first));
        }
        for input in inputs {
            let opa = oracle.take();
            let question = Question { input, ..policy.clone() };
            report.add(&format!("seed {seed}"), &question, &mut ours, &opa, &mut shrinker);
        }
    }
    report.close(&format!("{count} policies from seed {first}"));
}

/// Shows one policy, for whoever works on the generator.
#[test]
#[ignore = "shows, and tests nothing"]
fn show() {
    let seed = rego::setting("REGO_SEED", 1);
    println!("{}", generator::policy(seed));
}
