//! `wayguard report`, run as a person would: the formats, what is new since, signatures, and the page in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is test code outside test functions"
)]

mod support;

use support::{folder, wayguard, wayguard_in};

const HOUSE: [&str; 2] = ["--policies", "house/policies.yaml"];
const AT: [&str; 2] = ["--at", "2026-11-23T12:00:00Z"];

fn report(arguments: &[&str]) -> support::Ran {
    wayguard(&[&["report"], arguments, &HOUSE, &AT].concat())
}

/// A Pod as a cluster has it.
fn pod(name: &str, image: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, uid: uid-{name}, creationTimestamp: '2025-03-04T05:06:07Z', labels: {{team: retail}}}}\nspec: {{containers: [{{name: c, image: '{image}'}}]}}\nstatus: {{containerStatuses: [{{name: c, imageID: 'registry.example/x@sha256:{}'}}]}}\n",
        "0123".repeat(16)
    )
}

/// Runs `report` on one file in a folder with the house's policies.
struct Desk {
    files: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let house = std::fs::read_to_string(support::fixtures().join("house/policies.yaml")).unwrap();
        Self { files: folder(&[("policies.yaml", &house)]) }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.files.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.files.path().join(name)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> support::Ran {
        wayguard_in(self.files.path(), &[&["report"], arguments].concat())
    }

    fn report(&self, input: &str, output: &str, at: &str, more: &[&str]) -> support::Ran {
        self.run(&[&[input, "--policies", "policies.yaml", "-o", output, "--at", at], more].concat())
    }
}

#[test]
fn json_says_of_what_when_and_by_what_and_a_recount_agrees() {
    let ran = report(&["apps", "--format", "json", "--cluster-name", "prod"]);
    assert_eq!(ran.code, 0, "a report is no gate: {}", ran.shown());
    let told = ran.json();
    assert_eq!(told["schema"], "wayguard.io/report/v1");
    assert_eq!(told["about"]["time"], "2026-11-23T12:00:00Z");
    assert_eq!(told["about"]["cluster"]["name"], "prod");
    assert!(told["about"]["policySetDigest"].as_str().unwrap().len() >= 16, "{told}");
    let finding = &told["findings"][0];
    assert_eq!(
        (&finding["policy"], &finding["owner"], &finding["severity"]),
        (&"pinned-images".into(), &"retail".into(), &"high".into())
    );
    assert_eq!(finding["remedy"], "Name a version instead of `latest`.");
    // The same objects and policies as `wayguard audit` counts them.
    let audit = wayguard(&[&["audit", "apps", "--format", "json"], &HOUSE[..]].concat()).json();
    assert_eq!(told["totals"]["objects"], audit["summary"]["objects"]);
    assert_eq!(told["totals"]["refused"], audit["summary"]["denied"]);
    assert_eq!(told["totals"]["warned"], audit["summary"]["warned"]);
    let parsed = wayguard_report::Report::from_json(&ran.stdout).unwrap();
    assert_eq!(wayguard_report::recount(&parsed), []);
}

#[test]
fn every_format_is_the_same_for_the_same_input() {
    for format in ["html", "json", "csv", "sarif", "junit"] {
        let once = report(&["apps", "--format", format]);
        assert_eq!(once.code, 0, "{}", once.shown());
        assert!(once.stdout.len() > 300, "{}", once.shown());
        assert_eq!(once.stdout, report(&["apps", "--format", format]).stdout, "{format}");
    }
}

#[test]
fn what_is_new_and_fixed_since_an_earlier_report_is_told_with_how_long_it_took() {
    let desk = Desk::new();
    desk.write("before.yaml", &(pod("old", "x:latest") + &pod("mended", "x:latest")));
    desk.write(
        "after.yaml",
        &(pod("old", "x:latest") + &pod("mended", "x:1.2.3") + &pod("fresh", "y:latest")),
    );
    let first = desk.report("before.yaml", "first.json", "2026-11-01T00:00:00Z", &[]);
    assert_eq!(first.code, 0, "{}", first.shown());
    let ran = desk.report("after.yaml", "second.json", "2026-11-11T00:00:00Z", &["--since", "first.json"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let told: serde_json::Value = serde_json::from_str(&desk.read("second.json")).unwrap();
    assert_eq!(told["change"]["new"], 1, "{told}");
    assert_eq!(told["change"]["fixed"][0]["object"]["name"], "mended");
    assert_eq!(told["change"]["since"]["samePolicies"], true);
    assert_eq!(told["repairs"], serde_json::json!({"count": 1, "seconds": 864_000}));
    assert_eq!(told["trend"].as_array().unwrap().len(), 2);
    // Of two that are equally bad the one that is known longer stands first.
    let findings = told["findings"].as_array().unwrap();
    let high: Vec<_> = findings.iter().filter(|it| it["severity"] == "high").collect();
    assert_eq!(high[0]["object"]["name"], "old");
    assert_eq!((&high[0]["firstSeen"], &high[1]["new"]), (&"2026-11-01T00:00:00Z".into(), &true.into()));
    assert_eq!(high[0]["objectCreated"], "2025-03-04T05:06:07Z");
    // A report of the same time or a later one is nothing to compare with.
    let ran = desk.report("after.yaml", "x.json", "2026-11-01T00:00:00Z", &["--since", "first.json"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("`--since` `first.json`: it is of 2026-11-01T00:00:00Z"), "{}", ran.shown());
}

#[test]
fn images_are_listed_with_the_digests_that_run() {
    let desk = Desk::new();
    desk.write("pods.yaml", &(pod("a", "x:1.2.3") + &pod("b", "x:1.2.3")));
    desk.report("pods.yaml", "report.json", "2026-11-01T00:00:00Z", &[]);
    let told: serde_json::Value = serde_json::from_str(&desk.read("report.json")).unwrap();
    let image = &told["images"][0];
    assert_eq!((&image["reference"], &image["objects"]), (&"x:1.2.3".into(), &2.into()));
    assert_eq!(image["digests"], serde_json::json!([format!("sha256:{}", "0123".repeat(16))]));
    assert!(image.get("signatures").is_none(), "nobody was asked: {image}");
}

#[test]
fn a_signed_report_is_verified_and_a_changed_one_refused() {
    let desk = Desk::new();
    desk.write("pods.yaml", &pod("a", "x:latest"));
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    desk.write("key.pem", &key.serialize_pem());
    desk.write("key.pub", &key.public_key_pem());
    let ran = desk.report("pods.yaml", "r.json", "2026-11-01T00:00:00Z", &["--sign-key", "key.pem"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let ran = desk.run(&["verify", "r.json", "--key", "key.pub"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stderr.contains("counted anew"), "{}", ran.shown());
    let changed = desk.read("r.json").replace("\"high\": 1", "\"high\": 0");
    desk.write("r.json", &changed);
    let ran = desk.run(&["verify", "r.json", "--key", "key.pub"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stderr.contains("the file has been changed"), "{}", ran.shown());
}

#[test]
fn what_cannot_be_written_or_read_says_what_would_work() {
    let desk = Desk::new();
    let shown = |arguments: &[&str]| {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, 3, "{}", ran.shown());
        ran.stderr
    };
    let ending = shown(&["policies.yaml", "-o", "report.pdf"]);
    assert!(ending.contains("`--format html|json|csv|sarif|junit` does"), "{ending}");
    let since = shown(&["policies.yaml", "--since", "policies.yaml"]);
    assert!(since.contains("`wayguard report --format json -o FILE` writes one"), "{since}");
    let unsigned = shown(&["policies.yaml", "--sign-key", "key.pem"]);
    assert!(unsigned.contains("--output"), "{unsigned}");
}

/// Where a browser is that can be run without a screen.
fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let ran = std::process::Command::new(name).arg("--version").output();
        ran.is_ok_and(|ran| ran.status.success())
    })
}

/// The page as a browser has it after its script has run.
fn dumped(browser: &str, page: &std::path::Path, profile: &std::path::Path) -> String {
    let ran = std::process::Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_browser_shows_the_page_and_runs_no_script_but_its_own() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium on this machine (`apt-get install chromium`)");
        return;
    };
    let desk = Desk::new();
    let hostile =
        pod("evil", "</td><script>document.title=\"taken\"</script><b onmouseover=alert(1)>:latest");
    let owner = "<img src=x onerror=document.title=\"taken\">";
    let hostile = hostile.replace("{team: retail}", &format!("{{team: '{owner}'}}"));
    desk.write("pods.yaml", &(hostile + &pod("web", "nginx:latest")));
    let ran = desk.report("pods.yaml", "r.html", "2026-11-23T12:00:00Z", &["--cluster-name", "prod"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let dom = dumped(browser, &desk.files.path().join("r.html"), &desk.files.path().join("profile"));
    assert!(dom.contains("class=\"scripted\""), "its own script ran: {dom}");
    assert!(dom.contains("<title>Policy report: prod</title>"), "{dom}");
    assert_eq!(dom.matches("<script").count(), 1, "{dom}");
    assert!(!dom.contains("<img") && !dom.contains("<b onmouseover"), "{dom}");
    // What a reader is to find: the oldest of the worst, who owns it, how to mend it.
    let first = &dom[dom.find("class=\"first\"").unwrap()..dom.find("class=\"numbers\"").unwrap()];
    assert!(first.contains("The longest-standing high finding"), "{first}");
    assert!(first.contains("Name a version instead of <code>latest</code>."), "{first}");
    assert!(first.contains("&lt;img src=x") || first.contains("<strong>retail</strong>"), "{first}");
    for part in ["compliance", "change", "groups", "exceptions", "coverage", "images", "findings", "evidence"]
    {
        assert!(dom.contains(&format!("id=\"{part}\"")), "without {part}");
        assert!(dom.contains(&format!("href=\"#{part}\"")), "no way to {part}");
    }
    // Every link within the page leads somewhere.
    for target in dom.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(dom.contains(&format!("id=\"{target}\"")), "#{target} is nowhere");
    }
}

#[test]
fn a_history_tells_since_when_findings_are_there_and_what_was_fixed() {
    use wayguard_history::{AuditCount, AuditFinding, AuditPart, Place, Store};
    let desk = Desk::new();
    desk.write("pods.yaml", &(pod("old", "x:latest") + &pod("fresh", "x:latest")));
    let finding = |name: &str| AuditFinding {
        policy: "pinned-images".to_owned(),
        rule: "moving-tag".to_owned(),
        severity: "high".to_owned(),
        result: "fail".to_owned(),
        kind: "Pod".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        path: "spec.containers[c].image".to_owned(),
        message: "as it was worded then".to_owned(),
        owner: "retail".to_owned(),
        ..AuditFinding::default()
    };
    let state = |at: &str, names: &[&str]| AuditPart {
        cluster: "prod".to_owned(),
        at: at.parse().unwrap(),
        objects: 2,
        counts: vec![AuditCount {
            namespace: "shop".to_owned(),
            policy: "pinned-images".to_owned(),
            severity: "high".to_owned(),
            result: "fail".to_owned(),
            count: u64::try_from(names.len()).unwrap(),
        }],
        findings: names.iter().map(|name| finding(name)).collect(),
        last: true,
        ..AuditPart::default()
    };
    let file = desk.files.path().join("history.db");
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let store = Store::open(Place::file(&file)).await.unwrap();
        store.write_state(&state("2026-11-01T00:00:00Z", &["old", "mended"])).await.unwrap();
        store.write_state(&state("2026-11-11T00:00:00Z", &["old"])).await.unwrap();
        store.close().await;
    });
    let ran = desk.report(
        "pods.yaml",
        "r.json",
        "2026-11-20T00:00:00Z",
        &["--history", "history.db", "--days", "15"],
    );
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let told: serde_json::Value = serde_json::from_str(&desk.read("r.json")).unwrap();
    let findings = told["findings"].as_array().unwrap();
    let of = |name: &str| findings.iter().find(|it| it["object"]["name"] == name).unwrap();
    assert_eq!(of("old")["firstSeen"], "2026-11-01T00:00:00Z", "the same finding for both: {told}");
    assert_eq!(of("fresh")["new"], true);
    assert_eq!(told["change"]["fixed"][0]["object"]["name"], "mended");
    assert_eq!(told["repairs"], serde_json::json!({"count": 1, "seconds": 864_000}));
    assert_eq!(told["trend"].as_array().unwrap().len(), 3);
}
