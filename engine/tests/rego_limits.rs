//! Policies that would never end, or take all memory: each ends at its limit and says where it was.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use bumpalo::Bump;
use std::time::{Duration, Instant};
use wayguard_engine::rego::{CompileOptions, EvaluationError, Limits, Module, Observer, Program, World};

fn program(text: &str) -> Program {
    let module = Module { path: "p.rego".into(), text: text.into() };
    Program::compile(vec![module], CompileOptions::default()).unwrap()
}

fn ask(text: &str, limits: Limits) -> (Result<String, EvaluationError>, Duration) {
    let program = program(text);
    let arena = Bump::new();
    let started = Instant::now();
    let answer = program.rule("data.p.answer", &arena, World { limits, ..World::default() }, None);
    (answer.map(|value| format!("{value:?}")), started.elapsed())
}

#[test]
fn a_rule_without_end_stops_at_its_limit_and_says_where() {
    let text = "package p\n\nanswer if {\n\tsome a in numbers.range(1, 1000)\n\tsome b in numbers.range(1, 1000)\n\tsome c in numbers.range(1, 1000)\n\ta + b + c < 0\n}\n";
    let (answer, took) = ask(text, Limits::of_time(Duration::from_millis(50)));
    let Err(EvaluationError::Timeout { limit_ms: 50, at }) = &answer else { panic!("{answer:?}") };
    assert!(at.file == "p.rego" && (5..=7).contains(&at.line), "{answer:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let (answer, _) = ask(text, Limits { steps: 10_000, ..Limits::default() });
    assert!(matches!(answer, Err(EvaluationError::TooManySteps { limit: 10_000, .. })), "{answer:?}");
}

#[test]
fn one_long_call_stops_at_the_limit_too() {
    let text = "package p\n\nanswer := count(numbers.range(1, 1000000000))\n";
    let limits = Limits { memory: 64 * 1024 * 1024, ..Limits::of_time(Duration::from_millis(100)) };
    let (answer, took) = ask(text, limits);
    assert!(
        matches!(
            answer,
            Err(EvaluationError::Timeout { .. }
                | EvaluationError::TooManySteps { .. }
                | EvaluationError::TooMuchMemory { .. })
        ),
        "{answer:?}"
    );
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_result_that_grows_stops_at_the_limit_of_memory() {
    let text = "package p\n\nanswer := [concat(\"-\", [x, y, z]) | some x in words; some y in words; some z in words]\nwords := [sprintf(\"a word that is long enough %d\", [n]) | some n in numbers.range(1, 300)]\n";
    let limits = Limits { memory: 8 * 1024 * 1024, ..Limits::of_time(Duration::from_mins(1)) };
    let (answer, _) = ask(text, limits);
    assert!(matches!(answer, Err(EvaluationError::TooMuchMemory { .. })), "{answer:?}");
}

#[test]
fn rules_that_wait_for_each_other_too_deep_are_an_error() {
    let mut text = "package p\n\nanswer := f0(1)\n".to_owned();
    for at in 0..2_000 {
        text.push_str(&format!("f{at}(x) := f{}(x)\n", at + 1));
    }
    text.push_str("f2000(x) := x\n");
    let (answer, _) = ask(&text, Limits::default());
    assert!(matches!(answer, Err(EvaluationError::TooDeep { .. })), "{answer:?}");
}

#[test]
fn what_ran_and_was_printed_can_be_seen() {
    let text = "package p\n\nanswer if {\n\tx := [1, \"two\"]\n\tprint(\"x is\", x, input.missing)\n\tcount(x) == 3\n\tprint(\"never\")\n}\n";
    let program = program(text);
    let arena = Bump::new();
    let mut observer = Observer::of_lines();
    assert_eq!(program.rule("data.p.answer", &arena, World::default(), Some(&mut observer)), Ok(None));
    let lines: Vec<u32> = observer.lines().map(|(_, line)| line).collect();
    assert_eq!(lines, [5, 6]);
    let prints: Vec<&str> = observer.prints.iter().map(|printed| printed.text.as_str()).collect();
    assert_eq!(prints, ["x is [1, \"two\"] <undefined>"]);
}
