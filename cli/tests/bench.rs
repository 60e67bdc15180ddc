//! `wayguard policy bench`, run as a person would: steps are the same from run to run, and more of them fail.

mod support;

use support::wayguard_in;

#[test]
fn what_costs_more_steps_than_the_baseline_fails() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        wayguard_in(folder.path(), &[&["policy", "bench", "demo", "--rounds", "2"], arguments].concat())
    };
    assert_eq!(wayguard_in(folder.path(), &["policy", "new", "demo/owner-label"]).code, 0);
    let kept = run(&["--baseline", "bench.json", "--update"]);
    assert_eq!(kept.code, 0, "{}", kept.shown());
    // The machine of a test may be busy: times are not judged here.
    let against = ["--baseline", "bench.json", "--fail-above", "1000000"];
    let same = run(&against);
    assert_eq!(same.code, 0, "{}", same.shown());
    assert!(same.stdout.contains("demo/owner-label"), "{}", same.shown());
    let file = folder.path().join("bench.json");
    let mut baseline: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let steps = &mut baseline["policies"]["demo/owner-label"]["steps"];
    *steps = (steps.as_u64().unwrap() - 1).into();
    std::fs::write(&file, baseline.to_string()).unwrap();
    let worse = run(&against);
    assert_eq!(worse.code, 2, "{}", worse.shown());
    assert!(worse.stderr.contains("`demo/owner-label` takes "), "{}", worse.shown());
    let json = run(&[&against[..], &["--format", "json"]].concat()).json();
    assert_eq!(json["policies"][0]["change"]["kind"], "worse");
}

#[test]
fn a_folder_without_policies_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let ran = wayguard_in(folder.path(), &["policy", "bench", "."]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("there is no policy"), "{}", ran.shown());
}
