//! `wayguard policy fmt`, run as a person would.

mod support;

use support::{folder, wayguard_in, wayguard_with_stdin};

const UGLY: &str = "package a\np if { input.x==1 }\n# kept\nq:=[1,2]\n";
const PRETTY: &str = "package a\n\np if input.x == 1\n\n# kept\nq := [1, 2]\n";

#[test]
fn files_are_laid_out_where_they_are() {
    let folder = folder(&[("a/one.rego", UGLY), ("a/two.rego", PRETTY)]);
    let ran = wayguard_in(folder.path(), &["policy", "fmt", "a"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "laid out a/one.rego\n"), "{}", ran.shown());
    assert_eq!(std::fs::read_to_string(folder.path().join("a/one.rego")).unwrap(), PRETTY);
}

#[test]
fn check_and_diff_change_nothing_and_say_what_would_change() {
    let folder = folder(&[("one.rego", UGLY), ("two.rego", PRETTY)]);
    let ran = wayguard_in(folder.path(), &["policy", "fmt", ".", "--check"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, "one.rego\n"), "{}", ran.shown());
    let ran = wayguard_in(folder.path(), &["policy", "fmt", "one.rego", "--diff"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.stdout,
        "--- one.rego\n+++ one.rego\n@@ -1,4 +1,6 @@\n package a\n-p if { input.x==1 }\n+\n+p if input.x == 1\n+\n # kept\n-q:=[1,2]\n+q := [1, 2]\n"
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("one.rego")).unwrap(), UGLY);
    assert_eq!(wayguard_in(folder.path(), &["policy", "fmt", "two.rego", "--check"]).code, 0);
}

#[test]
fn stdin_goes_to_stdout_and_older_rego_is_read_on_request() {
    let ran = wayguard_with_stdin(&["policy", "fmt", "-"], UGLY);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, PRETTY));
    let old = "package a\nviolation[{\"msg\": \"x\"}] { input.y }\n";
    let ran = wayguard_with_stdin(&["policy", "fmt", "-"], old);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    let ran = wayguard_with_stdin(&["policy", "fmt", "-", "--v0"], old);
    assert_eq!(ran.stdout, "package a\n\nviolation[{\"msg\": \"x\"}] {\n\tinput.y\n}\n", "{}", ran.shown());
}

#[test]
fn the_library_is_laid_out() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ran = wayguard_in(&root, &["policy", "fmt", "policies", "--check"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
}
