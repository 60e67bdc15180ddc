//! What an audit costs: 100,000 Pods and 30 policies, first pass, second pass, one policy edited; and how much memory it
//! holds. With `WAYGUARD_BENCH_FOLDER` (a folder with `templates/`, `constraints.json` and `review.json`) also 10,000
//! Pods and Gatekeeper's constraints, as they are. Pods come as an API server's pages of 500, made anew for each pass;
//! the time for making them does not count.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench says what it found"
)]

use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_audit::{Auditor, Counts, Edition, Host, KindName, totals};
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::gatekeeper::Given;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::{PolicySpec, Source};
use wayguard_engine::value::{Document, Value, parse_yaml};
use wayguard_engine::{Facts, PolicySet, PolicySetBuilder};

const PAGE: usize = 500;
const NAMESPACES: usize = 100;

struct Known(Vec<Arc<Document>>);

impl Host for Known {
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        for key in keys {
            let fact = match &key {
                FactKey::Namespace(name) => self.namespace(name).map_or(Fact::Absent, Fact::Known),
                _ => Fact::OutOfReach("a bench has no cluster".to_owned()),
            };
            facts.insert(key, fact);
        }
    }

    fn namespace(&self, name: &str) -> Option<Arc<Document>> {
        self.0.get(name.strip_prefix("load-")?.parse::<usize>().ok()?).cloned()
    }
}

fn namespaces() -> Known {
    let one = |number: usize| {
        Arc::new(Document::from_serde(&json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": format!("load-{number}"), "labels": {"team": format!("team-{}", number % 10)}}})))
    };
    Known((0..NAMESPACES).map(one).collect())
}

/// The first 30 policies of the library that judge Pods.
fn library(words: &str) -> PolicySet {
    let library = Library::embedded();
    let mut builder = PolicySetBuilder::new(Arc::clone(&library), SetConfig::default());
    let mut chosen = 0;
    for id in library.policy_ids() {
        let spec = PolicySpec::of(Source { library: Some(id.clone()), ..Source::default() });
        let mut probe = PolicySetBuilder::new(Arc::clone(&library), SetConfig::default());
        probe.policy("probe", spec.clone(), "bench", None);
        let set = probe.build();
        let about_pods = set.policies().any(|policy| {
            let rules = &policy.spec.matches.resource_rules;
            policy.validates() && rules.iter().any(|rule| rule.resources.iter().any(|it| it == "pods"))
        });
        if about_pods && chosen < 29 {
            chosen += 1;
            builder.policy(&id.replace('/', "-"), spec, "bench", None);
        }
    }
    let own = format!(
        "# METADATA\n# title: T\n# custom:\n#   remedy: R.\n#   match: {{resourceRules: [{{apiGroups: [''], resources: [pods], operations: [CREATE]}}]}}\npackage own\n\ndeny contains \"{words}\" if input.review.object.spec.hostNetwork\n"
    );
    builder.policy("own", PolicySpec::of(Source { rego: Some(own), ..Source::default() }), "bench", None);
    let set = builder.build();
    assert_eq!((set.policies().len(), set.failures().len()), (30, 0), "{:?}", set.failures());
    set
}

fn gatekeeper(folder: &Path) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Library::embedded(), SetConfig::default());
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join("templates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(folder.join("constraints.json"));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let bump = bumpalo::Bump::new();
        for document in parse_yaml(&&bump, &text).unwrap() {
            let whole = document.value.to_serde();
            let items = whole["items"].as_array().cloned().unwrap_or_else(|| vec![whole]);
            for object in items.into_iter().filter(|object| object["kind"].is_string()) {
                builder.gatekeeper(Given { object, from: file.display().to_string(), place: None });
            }
        }
    }
    builder.build()
}

/// A Pod of some 6 KB.
fn pod() -> Json {
    let container = |name: &str| {
        json!({"name": name, "image": format!("registry.example.com/team/{name}:1.4.2"),
            "args": ["--port=8080", "--log-format=json", "--config=/etc/app/config.yaml"],
            "env": (0..12).map(|at| json!({"name": format!("SETTING_{at}"), "value": "some value"})).collect::<Vec<_>>(),
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true,
                "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": true}]})
    };
    json!({"metadata": {"labels": {"app": "web"},
        "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {"f:phase": {}, "f:podIP": {}}}}]},
        "spec": {"containers": [container("web"), container("proxy"), container("metrics")],
            "volumes": [{"name": "config", "configMap": {"name": "web"}}], "serviceAccountName": "web"},
        "status": {"phase": "Running", "podIP": "10.0.0.1"}})
}

/// A page as an API server sends it.
fn page(template: &Json, first: usize, count: usize) -> Vec<u8> {
    let items: Vec<Json> = (first..first + count)
        .map(|number| {
            let mut pod = template.clone();
            let metadata = pod["metadata"].as_object_mut().unwrap();
            metadata.insert("name".into(), format!("web-7d9c-{number:06}").into());
            metadata.insert("namespace".into(), format!("load-{}", number / 50 % NAMESPACES).into());
            metadata.insert("uid".into(), format!("6f1c0000-0000-4000-8000-{number:012}").into());
            metadata.insert("resourceVersion".into(), (1000 + number).to_string().into());
            pod
        })
        .collect();
    json!({"metadata": {"resourceVersion": "9"}, "items": items}).to_string().into_bytes()
}

fn pass(auditor: &Auditor, template: &Json, host: &Known, objects: usize) -> (Duration, Counts) {
    let kind = KindName { group: String::new(), version: "v1".into(), kind: "Pod".into() };
    let number = auditor.begin();
    let (mut took, mut counts) = (Duration::ZERO, Counts::default());
    for first in (0..objects).step_by(PAGE) {
        let text = page(template, first, PAGE.min(objects - first));
        let started = Instant::now();
        let list = Document::from_json(&text).unwrap();
        let items: &[Value<'_>] = list.value().get("items").and_then(Value::as_array).unwrap();
        counts.join(auditor.judge(&kind, "pods", items, host, number, false));
        took += started.elapsed();
    }
    auditor.end(&kind, None, number);
    (took, counts)
}

/// Resident memory now and at most, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

fn told(what: &str, (took, counts): (Duration, Counts)) -> Duration {
    let (now, most) = memory();
    println!(
        "{what:<34} {:>8.2} s   same {:>6}  partly {:>6}  wholly {:>6}   {now} MiB now, {most} at most",
        took.as_secs_f64(),
        counts.same,
        counts.partly,
        counts.wholly
    );
    took
}

fn main() {
    let (host, now) = (namespaces(), jiff::Timestamp::now());
    let template = pod();
    let auditor = Auditor::new(Edition::of(&Arc::new(library("no")), now), "team");
    let objects = 100_000;
    println!("{objects} Pods of {} bytes, 30 policies", template.to_string().len());
    let first = told("first pass", pass(&auditor, &template, &host, objects));
    let second = told("second pass, nothing changed", pass(&auditor, &template, &host, objects));
    auditor.adopt(Edition::of(&Arc::new(library("not so")), now));
    told("one of 30 policies edited", pass(&auditor, &template, &host, objects));
    let started = Instant::now();
    let sum = totals(&auditor);
    let findings: u64 = sum.policies.values().flat_map(|policy| policy.findings.values()).sum();
    println!("{findings} findings, counted in {:.2} s", started.elapsed().as_secs_f64());
    println!("the second pass took {:.1} % of the first", 100.0 * second.as_secs_f64() / first.as_secs_f64());
    drop(auditor);
    let Some(folder) = std::env::var_os("WAYGUARD_BENCH_FOLDER") else { return };
    let folder = Path::new(&folder);
    let review: Json = serde_json::from_slice(&std::fs::read(folder.join("review.json")).unwrap()).unwrap();
    let mut template = review["request"]["object"].clone();
    template.as_object_mut().unwrap().retain(|key, _| key != "apiVersion" && key != "kind");
    let set = Arc::new(gatekeeper(folder));
    println!(
        "\n10000 Pods of {} bytes, Gatekeeper's {} constraints",
        template.to_string().len(),
        set.policies().len()
    );
    let auditor = Auditor::new(Edition::of(&set, now), "team");
    told("first pass", pass(&auditor, &template, &host, 10_000));
    told("second pass, nothing changed", pass(&auditor, &template, &host, 10_000));
}
