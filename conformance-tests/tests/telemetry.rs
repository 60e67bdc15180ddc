//! What operators look at: every metric that an alert or a panel names is in a live `/metrics`, what is documented is
//! what is measured, and every alert has its page.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use wayguard_conformance_tests::{Sandbox, eventually, policy};

const RUNBOOKS: &str = "https://github.com/wayguard/wayguard/blob/main/docs/runbooks/";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The values of a key of the rules' file, lines of folded text joined.
fn values(rules: &str, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = rules.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(value) = line.trim_start_matches([' ', '-']).strip_prefix(&format!("{key}: ")) else {
            continue;
        };
        if value != ">-" {
            found.push(value.to_owned());
            continue;
        }
        let indent = |line: &str| line.len() - line.trim_start().len();
        let depth = indent(line);
        let mut text = String::new();
        while let Some(more) = lines.next_if(|more| indent(more) > depth) {
            text = format!("{text} {}", more.trim());
        }
        found.push(text.trim().to_owned());
    }
    found
}

/// The names that an expression reads: words outside of quotes that are neither functions nor labels.
fn names(expression: &str) -> BTreeSet<String> {
    let plain: String = expression
        .split(['"', '`'])
        .enumerate()
        .filter(|(part, _)| part % 2 == 0)
        .map(|(_, text)| text)
        .collect();
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == ':';
    let words = plain.split(|character| !word(character)).filter(|text| !text.is_empty());
    words
        .filter(|text| text.starts_with("wayguard") || text.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

/// Names of series and, for families that have none yet, of families.
fn exposed(metrics: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in metrics.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            names.insert(if kind == "counter" { format!("{name}_total") } else { name.to_owned() });
        } else if !line.starts_with('#') {
            names.insert(line.split(['{', ' ']).next().unwrap_or_default().to_owned());
        }
    }
    names
}

/// Everything on, something refused, something for the audit to find, a claim's kinds at least watched.
fn everything() -> Sandbox {
    let sandbox = Sandbox::start_with(
        &[
            "--audit",
            "--provisioning",
            "--history",
            "--policies",
            "images/latest-tag",
            "--policies",
            "secrets/literal-credentials",
        ],
        &[("WAYGUARD_LOG_FORMAT", "json"), ("WAYGUARD_LOG", "info,wayguard::decision=debug")],
    );
    sandbox
        .apply(&policy("marked", "", "configmaps", "CREATE, UPDATE", "warn contains \"marked\" if true"))
        .accepted();
    let mut round = 0;
    eventually("the policy warns", || {
        round += 1;
        // What is unchanged is not sent.
        let map = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{round: 'a{round}'}}}}"
        );
        sandbox.apply(&map).err.contains("marked")
    });
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: floating}, spec: {containers: [{name: app, image: 'registry.example.com/app:latest'}]}}";
    sandbox.apply(pod).refused();
    eventually("the audit has found it", || {
        sandbox.metrics_of("audit").contains("wayguard_audit_findings{policy=\"marked\"")
    });
    sandbox
}

#[test]
fn what_is_alerted_on_drawn_and_documented_is_measured() {
    let sandbox = everything();
    let processes = [
        ("wayguard serve", "serve"),
        ("wayguard control --role webhooks", "control"),
        ("wayguard control --role audit", "audit"),
        ("wayguard control --role provisioning", "provisioning"),
    ];
    let metrics: BTreeMap<&str, String> =
        processes.iter().map(|(title, process)| (*title, sandbox.metrics_of(process))).collect();
    let live: BTreeSet<String> = metrics.values().flat_map(|text| exposed(text)).collect();

    let rules = read("charts/wayguard/files/rules.yaml");
    let recorded: BTreeSet<String> = values(&rules, "record").into_iter().collect();
    let dashboard: Value =
        serde_json::from_str(&read("charts/wayguard/files/dashboards/wayguard.json")).unwrap();
    let mut expressions = values(&rules, "expr");
    assert!(expressions.len() > 40, "{}", expressions.len());
    let drawn = expressions_of(&dashboard);
    assert!(drawn.len() > 50, "{}", drawn.len());
    expressions.extend(drawn);
    for expression in &expressions {
        let named = names(expression);
        assert!(!named.is_empty(), "it looks at nothing of ours: {expression}");
        for name in named {
            assert!(
                live.contains(&name) || recorded.contains(&name),
                "`{name}` is nowhere measured: {expression}"
            );
        }
    }
    documented_as_measured(&metrics);
    decisions_are_logged_with_their_documented_fields(&sandbox);
    what_is_planted_in_objects_is_nowhere_told(&sandbox);
    a_change_by_somebody_else_is_counted(&sandbox);
}

/// S9: who changes the registration is noticed.
fn a_change_by_somebody_else_is_counted(sandbox: &Sandbox) {
    let repairs = "wayguard_control_repairs_total 0";
    assert!(sandbox.metrics_of("control").contains(repairs), "what `control` does itself is no repair");
    sandbox.kubectl(&["delete", "validatingwebhookconfiguration", "wayguard"], "").accepted();
    eventually("the repair is counted", || {
        sandbox.metrics_of("control").contains("wayguard_control_repairs_total 1")
    });
}

fn decisions_are_logged_with_their_documented_fields(sandbox: &Sandbox) {
    let page = read("docs/reference/logs.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ").map(|row| row.0));
    let documented: BTreeSet<&str> = rows.filter(|name| !name.contains([' ', ','])).collect();
    let documented: BTreeSet<&str> =
        documented.into_iter().filter(|name| !["denied", "admitted"].contains(name)).collect();
    let lines: Vec<Value> = sandbox
        .server_log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let decisions: Vec<&Value> = lines.iter().filter(|line| line["target"] == "wayguard::decision").collect();
    for line in &decisions {
        let fields: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, documented, "{line}");
    }
    let of = |decision: &str, policy: &str| {
        decisions.iter().find(|line| line["decision"] == decision && line["policies"] == policy)
    };
    let denied = of("deny", "latest-tag").expect("the denial");
    assert_eq!(denied["message"], "denied");
    assert_eq!(
        (&denied["kind"], &denied["name"], &denied["operation"]),
        (&"Pod".into(), &"floating".into(), &"CREATE".into())
    );
    assert!(denied["user"].as_str().is_some_and(|user| !user.is_empty()), "{denied}");
    println!("{denied}");
    assert!(of("warn", "marked").is_some() && of("allow", "").is_some());
}

/// S11: fifty values, planted wherever objects hold what nobody else should read.
fn what_is_planted_in_objects_is_nowhere_told(sandbox: &Sandbox) {
    let canary = |number: usize| format!("canary{number:02}x5f3759df");
    let list = |numbers: std::ops::Range<usize>, form: &dyn Fn(String) -> String| {
        numbers.map(|number| form(canary(number))).collect::<Vec<_>>().join(", ")
    };
    let env = list(0..20, &|value| format!("{{name: PASSWORD_{}, value: '{value}'}}", &value[6..8]));
    let arguments = list(20..25, &|value| format!("'--token={value}'"));
    let annotations = list(25..30, &|value| format!("'example.com/{}': '{value}'", &value[6..8]));
    let data = list(30..40, &|value| format!("'k{}': '{value}'", &value[6..8]));
    let maps = list(40..49, &|value| format!("'k{}': '{value}'", &value[6..8]));
    let token = canary(49);
    for tag in ["latest", "1.4.2"] {
        let pod = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: planted-{}, annotations: {{{annotations}}}}}, spec: {{containers: [{{name: app, image: 'registry.example.com/app:{tag}', args: [{arguments}], env: [{env}]}}]}}}}",
            if tag == "latest" { "a" } else { "b" }
        );
        let said = sandbox.apply(&pod);
        assert!(!said.err.contains("x5f3759df"), "{}", said.err);
    }
    sandbox
        .apply(&format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: planted}}, stringData: {{{data}}}}}"
        ))
        .accepted();
    sandbox
        .apply(&format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: planted}}, data: {{{maps}}}}}"))
        .accepted();
    sandbox.apply(&format!("{{apiVersion: v1, kind: Secret, metadata: {{name: token}}, type: Opaque, stringData: {{token: '{token}'}}}}")).accepted();
    eventually("the servers have told of it", || sandbox.server_log().contains("planted-a"));
    let mut told: Vec<(String, Vec<u8>)> = Vec::new();
    for process in ["serve", "control", "audit", "provisioning", "history"] {
        told.push((format!("the log of {process}"), sandbox.log(process).into_bytes()));
    }
    for process in ["serve", "control", "audit", "provisioning"] {
        told.push((format!("metrics of {process}"), sandbox.metrics_of(process).into_bytes()));
    }
    for kinds in ["events", "policies.wayguard.io,policyexceptions.wayguard.io,platformclaims.wayguard.io"] {
        let out = sandbox.kubectl(&["get", kinds, "-A", "-o", "json"], "").accepted();
        told.push((kinds.to_owned(), out.into_bytes()));
    }
    for file in ["history.db", "history.db-wal"] {
        told.push((file.to_owned(), std::fs::read(sandbox.state().join(file)).unwrap_or_default()));
    }
    for (place, bytes) in told {
        let text = String::from_utf8_lossy(&bytes);
        for number in 0..50 {
            assert!(!text.contains(&canary(number)), "{} is in {place}", canary(number));
        }
    }
}

fn expressions_of(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("expr", Value::String(text)) => vec![text.clone()],
                _ => expressions_of(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(expressions_of).collect(),
        _ => Vec::new(),
    }
}

/// `docs/reference/metrics.md` names what each process measures, and nothing else: name, type, labels.
fn documented_as_measured(metrics: &BTreeMap<&str, String>) {
    let page = read("docs/reference/metrics.md");
    let mut documented: BTreeMap<String, BTreeMap<String, (String, String, bool)>> = BTreeMap::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.trim_matches('`').clone_into(&mut section);
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", name, kind, labels, says, ""] = cells[..]
            && name.starts_with('`')
        {
            let labels =
                labels.split_whitespace().map(|label| label.trim_matches('`')).collect::<Vec<_>>().join(",");
            let elsewhere = says.contains("once a provider was asked");
            let row = (kind.to_owned(), labels, elsewhere);
            documented.entry(section.clone()).or_default().insert(name.trim_matches('`').to_owned(), row);
        }
    }
    let common = documented.remove("Every process").unwrap();
    for (title, text) in metrics {
        let mut rows = documented.remove(*title).unwrap_or_else(|| panic!("`{title}` has no section"));
        rows.extend(common.clone());
        for line in text.lines() {
            let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
            let (documented_kind, labels, _) = rows
                .remove(&name)
                .unwrap_or_else(|| panic!("`{title}` measures `{name}`, which is not documented"));
            assert_eq!(documented_kind, kind, "{name}");
            for series in text.lines().filter(|line| line.starts_with(&format!("{name}{{"))) {
                assert_eq!(labels_of(series), labels, "{series}");
            }
        }
        let missing: Vec<_> = rows.iter().filter(|(_, row)| !row.2).map(|(name, _)| name).collect();
        assert!(missing.is_empty(), "documented for `{title}`, and not measured: {missing:?}");
    }
    assert!(documented.is_empty(), "nobody is asked about {:?}", documented.keys());
}

/// `a{x="1",y="2"} 3` → `x,y`.
fn labels_of(series: &str) -> String {
    let inside = series.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map(|(inside, _)| inside);
    let names = inside.unwrap_or_default().split("\",").filter_map(|label| Some(label.split_once("=\"")?.0));
    names.collect::<Vec<_>>().join(",")
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let rules = read("charts/wayguard/files/rules.yaml");
    let alerts = values(&rules, "alert");
    let urls = values(&rules, "runbook_url");
    assert_eq!(alerts.len(), urls.len(), "each alert has a page");
    let mut pages: BTreeSet<String> = std::fs::read_dir(repository().join("docs/runbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    let index = read("docs/runbooks/README.md");
    for (alert, url) in alerts.iter().zip(&urls) {
        let page = url.strip_prefix(RUNBOOKS).unwrap_or_else(|| panic!("{alert}: {url}"));
        assert!(pages.remove(page), "{alert}: docs/runbooks/{page} is missing, or another alert's");
        let text = read(&format!("docs/runbooks/{page}"));
        assert!(text.starts_with(&format!("# {alert}\n")), "{page}");
        for part in ["## What it means", "## Look here", "## Mend it"] {
            assert!(text.contains(part), "{page} lacks `{part}`");
        }
        assert!(index.contains(&format!("[{alert}]({page})")), "{alert} is not in the index");
    }
    assert!(pages.is_empty(), "no alert leads to {pages:?}");
}

/// Prometheus' own tool reads the rules and runs their tests.
#[test]
fn promtool_finds_the_rules_in_order() {
    let known = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/wayguard/bin/promtool"));
    let program = known.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from("promtool"));
    if Command::new(&program).arg("--version").output().is_err() {
        println!("skipped: there is no promtool");
        return;
    }
    for arguments in [
        ["check", "rules", "charts/wayguard/files/rules.yaml"],
        ["test", "rules", "conformance-tests/alerts/alerts.yaml"],
    ] {
        let output = Command::new(&program).args(arguments).current_dir(repository()).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
}
