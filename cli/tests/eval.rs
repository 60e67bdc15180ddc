//! `wayguard policy eval`: answers, refusals and failures, with their exit codes.

mod support;

use support::{folder, wayguard_in};

const MODULE: &str = "package house\n\nlimit := data.settings.limit\n\ntall if input.height > limit\n\nnames contains name if some name in input.names\n";

fn eval(arguments: &[&str]) -> support::Ran {
    let files = folder(&[
        ("rego/house.rego", MODULE),
        ("rego/settings/data.json", r#"{"limit": 3}"#),
        ("input.yaml", "height: 4\nnames: [b, a]\n"),
        ("broken.rego", "package broken\n\np if {\n\tx := nosuch(1)\n}\n\nq if {\n\thttp.send({})\n}\n"),
        ("zero.rego", "package zero\n\nv0 { input.height > 1 }\n"),
        (
            "loop.rego",
            "package slow\n\nfirst := 1\n\np contains [a, b, c, d] if {\n\tsome a in numbers.range(1, 200)\n\tsome b in numbers.range(1, 200)\n\tsome c in numbers.range(1, 200)\n\tsome d in numbers.range(1, 200)\n}\n",
        ),
    ]);
    wayguard_in(files.path(), &[&["policy", "eval"], arguments].concat())
}

#[test]
fn answers_are_json_on_one_line() {
    let ran = eval(&["-d", "rego", "-i", "input.yaml", "data.house"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "{\"result\":{\"limit\":3,\"names\":[\"a\",\"b\"],\"tall\":true}}\n"),
        "{}",
        ran.shown()
    );
    let ran = eval(&["-d", "rego", "--format", "json", "data.house.tall"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "{\"undefined\":true}\n"), "{}", ran.shown());
}

#[test]
fn numbers_of_json_stay_as_they_are_written() {
    let files = folder(&[
        ("data.json", r#"{"big": 123456789012345678901234567890}"#),
        ("input.json", r#"{"small": 1.00, "e": 1e2}"#),
    ]);
    let ran = wayguard_in(
        files.path(),
        &["policy", "eval", "-d", "data.json", "-i", "input.json", "[data.big, data.big + 1, input]"],
    );
    let answer = "[123456789012345678901234567890,123456789012345678901234567891,{\"e\":1e2,\"small\":1.00}]";
    assert_eq!(ran.stdout, format!("{{\"result\":{answer}}}\n"), "{}", ran.shown());
}

#[test]
fn all_that_is_wrong_at_load_is_shown_with_line_and_caret() {
    let ran = eval(&["-d", "broken.rego", "data.broken.p"]);
    assert_eq!(ran.code, 3);
    let errors = ran.json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 2, "{}", ran.shown());
    assert_eq!((&errors[0]["file"], &errors[0]["line"]), (&"broken.rego".into(), &4.into()));
    assert_eq!(errors[0]["message"], "undefined function nosuch");
    assert_eq!(errors[1]["line"], 8);
    assert!(errors[1]["message"].as_str().unwrap().contains("http.send"));
    assert!(ran.stderr.contains("\n 4 | \tx := nosuch(1)\n   | \t"), "{}", ran.shown());
    assert!(ran.stderr.trim_end().ends_with('^'), "{}", ran.shown());
}

#[test]
fn old_syntax_needs_its_flag() {
    assert_eq!(eval(&["-d", "zero.rego", "-i", "input.yaml", "data.zero.v0"]).code, 3);
    let ran = eval(&["-d", "zero.rego", "-i", "input.yaml", "--v0", "data.zero.v0"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "{\"result\":true}\n"), "{}", ran.shown());
}

#[test]
fn a_failing_evaluation_is_exit_code_one() {
    let ran = eval(&["-d", "loop.rego", "--timeout", "1", "data.slow.p"]);
    assert_eq!(ran.code, 1, "{}", ran.shown());
    assert_eq!(
        ran.stdout,
        "{\"error\":\"evaluation took longer than its limit of 1000 ms (loop.rego:9)\"}\n"
    );
}
