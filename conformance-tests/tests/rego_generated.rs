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

/// Inputs that each policy is asked about.
const INPUTS: usize = 6;

#[test]
fn random_policies_are_answered_as_opa_answers() {
    let (Some(mut oracle), Some(mut shrinker)) = (Oracle::start(), Oracle::start()) else { return };
    let (first, count) = (rego::setting("REGO_SEED", 1), rego::setting("REGO_COUNT", 300));
    let mut ours = Ours::default();
    let mut report = Report::default();
    for seed in first..first + count {
        let policy = generator::policy(seed);
        let mut dice = Dice::new(seed ^ 0xabcd);
        let questions: Vec<Question> =
            (0..INPUTS).map(|_| Question { input: generator::input(&mut dice), ..policy.clone() }).collect();
        for question in &questions {
            oracle.ask(question);
        }
        for question in &questions {
            let opa = oracle.take();
            report.add(&format!("seed {seed}"), question, &mut ours, &opa, &mut shrinker);
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
