//! The service against a real registry on loopback: one look for many requests, verdicts that outlive a registry,
//! errors that nobody remembers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wayguard_images::authority::{ImageAuthorities, ImageAuthority, Roots};
use wayguard_images::digest::Digest;
use wayguard_images::fixtures::{Key, Making, SIGNED, statement};
use wayguard_images::registry::credentials::{Credential, Keyring};
use wayguard_images::registry::manifest::Descriptor;
use wayguard_images::registry::options::Bounds;
use wayguard_images::scan::trivy;
use wayguard_images::service::{Answer, ImageService, Settings};
use wayguard_images::test_registry::{Fault, Login, TestRegistry};
use wayguard_images::trust::NoTexts;
use wayguard_images::verify::Limits;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const VULNERABILITIES: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

struct Rig {
    registry: TestRegistry,
    key: Key,
}

impl Rig {
    async fn new() -> Self {
        let registry = TestRegistry::start().await.unwrap();
        Self { registry, key: Key::p256() }
    }

    fn options(registry: &TestRegistry) -> wayguard_images::registry::options::RegistryOptions {
        serde_json::from_value(json!({"registries": {registry.host(): {"http": true}}})).unwrap()
    }

    fn service(&self) -> Arc<ImageService<Value>> {
        let spec = json!({
            "images": [format!("{}/team", self.registry.host())],
            "authorities": [{"name": "builders", "keys": [{"pem": self.key.public_pem()}]}],
        });
        let spec = serde_json::from_value(spec).unwrap();
        let authority = ImageAuthority::compile("team", &spec, &Roots::default(), &NoTexts).unwrap();
        let settings = Settings {
            authorities: ImageAuthorities::new([authority]),
            allowed: Vec::new(),
            registries: Self::options(&self.registry),
            bounds: Bounds { exchange: Duration::from_secs(2), ..Bounds::default() },
            limits: Limits::default(),
        };
        ImageService::new(settings, Value::clone)
    }

    fn place(&self, rest: &str) -> String {
        format!("{}/team/app{rest}", self.registry.host())
    }

    fn image(&self, tag: &str) -> Descriptor {
        self.registry.image("team/app", tag)
    }

    fn attest(&self, image: &Descriptor, predicate_type: &str, predicate: &Value) {
        let bundle = Making::by_key(&self.key).envelope(&statement(image.digest, predicate_type, predicate));
        self.registry.attach("team/app", image, BUNDLE, Bytes::from(bundle.to_string()));
    }

    fn signed(&self, tag: &str) -> Descriptor {
        let image = self.image(tag);
        self.attest(&image, SIGNED, &json!({}));
        image
    }
}

fn known(answer: Answer<Value>) -> Arc<Value> {
    match answer {
        Answer::Known(known) => known,
        other => panic!("{other:?}"),
    }
}

fn satisfied(facts: &Value) -> bool {
    facts.pointer("/authorities/0/satisfied") == Some(&Value::Bool(true))
}

#[tokio::test]
async fn what_is_known_of_an_image_is_what_was_signed_of_it() {
    let rig = Rig::new().await;
    let image = rig.signed("v1");
    let scan = json!({"scanner": {"uri": "pkg:github/aquasecurity/trivy@0.60", "version": "0.60",
        "result": {"Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1", "Severity": "HIGH", "PkgName": "zlib"}]}]}},
        "metadata": {"scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:01:00Z"}});
    rig.attest(&image, VULNERABILITIES, &scan);
    let facts = known(rig.service().ask(&rig.place(":v1"), &Keyring::new()).await);
    assert_eq!(facts["ref"], rig.place(&format!("@{}", image.digest)));
    assert_eq!(facts["digest"], image.digest.to_string());
    assert!(satisfied(&facts), "{facts}");
    assert_eq!(facts["signatures"][0]["authority"], "builders");
    assert_eq!(facts["scans"][0]["counts"]["high"], 1, "{}", facts["scans"]);
    assert_eq!(facts["platforms"], json!(["linux/amd64"]));
    assert_eq!(facts["created"], "2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn two_hundred_requests_for_one_image_look_once() {
    let rig = Rig::new().await;
    rig.signed("v1");
    let service = rig.service();
    let asks = (0..200).map(|_| {
        let (service, place) = (Arc::clone(&service), rig.place(":v1"));
        tokio::spawn(async move { known(service.ask(&place, &Keyring::new()).await) })
    });
    let answers = futures::future::join_all(asks).await;
    assert!(answers.iter().all(|answer| satisfied(answer.as_ref().unwrap())));
    assert_eq!(service.counts().looks.load(Ordering::Relaxed), 1);
    // The same document each time, so that who remembers by it remembers.
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| Arc::ptr_eq(answer.as_ref().unwrap(), first)));
    assert!(service.at_hand(&rig.place(":v1"), &Keyring::new()).is_some());
}

#[tokio::test]
async fn what_was_verified_is_known_while_the_registry_is_away() {
    let rig = Rig::new().await;
    let (old, new) = (rig.signed("v1"), rig.signed("v2"));
    let service = rig.service();
    known(service.ask(&rig.place(":v1"), &Keyring::new()).await);
    let by_digest = rig.place(&format!("@{}", old.digest));
    known(service.ask(&by_digest, &Keyring::new()).await);
    for fault in
        [Fault::Status(500, None), Fault::Status(429, None), Fault::Slow(Duration::from_mins(1)), Fault::Cut]
    {
        rig.registry.behave();
        rig.registry.fail("/", fault.clone(), usize::MAX);
        for place in [rig.place(":v1"), by_digest.clone()] {
            assert!(satisfied(&known(service.ask(&place, &Keyring::new()).await)), "{place} {fault:?}");
        }
        let unknown = service.ask(&rig.place(&format!("@{}", new.digest)), &Keyring::new()).await;
        assert!(matches!(unknown, Answer::Unavailable(_)), "{fault:?}: {unknown:?}");
    }
    // Nothing of that is remembered.
    rig.registry.behave();
    assert!(satisfied(&known(service.ask(&rig.place(":v2"), &Keyring::new()).await)));
}

#[tokio::test]
async fn an_image_that_nobody_signed_is_known_as_that() {
    let rig = Rig::new().await;
    rig.image("v1");
    let service = rig.service();
    let facts = known(service.ask(&rig.place(":v1"), &Keyring::new()).await);
    assert!(!satisfied(&facts));
    assert_eq!(facts["signatures"], json!([]));
    assert!(matches!(service.ask(&rig.place(":v9"), &Keyring::new()).await, Answer::Absent));
    // By digest too: that the registry says so is an answer, not a failure to ask.
    let nowhere = rig.place(&format!("@{}", Digest::of(b"nothing")));
    assert!(matches!(service.ask(&nowhere, &Keyring::new()).await, Answer::Absent));
}

#[tokio::test]
async fn registries_that_nobody_names_are_not_asked() {
    let rig = Rig::new().await;
    let other = TestRegistry::start().await.unwrap();
    let facts = known(rig.service().ask(&format!("{}/x:1", other.host()), &Keyring::new()).await);
    assert_eq!(facts["unasked"], true);
    assert!(other.asked().is_empty());
    let facts = known(rig.service().ask("no image at all", &Keyring::new()).await);
    assert!(facts["invalid"].as_str().unwrap().contains("names no image"));
}

#[tokio::test]
async fn nobody_learns_what_another_may_see() {
    let rig = Rig::new().await;
    rig.signed("v1");
    rig.registry.require(Login::Basic("Basic cm9ib3Q6czNjcmV0".to_owned()));
    let service = rig.service();
    let keyring = |password: &str| {
        let mut keyring = Keyring::new();
        keyring.insert(rig.registry.host(), Credential::new("robot", password));
        keyring
    };
    assert!(satisfied(&known(service.ask(&rig.place(":v1"), &keyring("s3cret")).await)));
    for other in [Keyring::new(), keyring("wrong")] {
        let answer = service.ask(&rig.place(":v1"), &other).await;
        let Answer::Unavailable(reason) = answer else { panic!("{answer:?}") };
        assert!(reason.contains("is not for us (401)") && !reason.contains("s3cret"), "{reason}");
    }
    // Several are tried, as a node does.
    let mut both = keyring("wrong");
    both.insert(&format!("{}/team", rig.registry.host()), Credential::new("robot", "s3cret"));
    assert!(satisfied(&known(service.ask(&rig.place(":v1"), &both).await)));
}

#[tokio::test]
async fn a_tag_that_moves_is_another_image() {
    let rig = Rig::new().await;
    let first = rig.signed("v1");
    let service = rig.service();
    assert_eq!(
        known(service.ask(&rig.place(":v1"), &Keyring::new()).await)["digest"],
        first.digest.to_string()
    );
    // Asked by digest, the tag beside it says nothing.
    let pinned = rig.place(&format!(":v1@{}", first.digest));
    let moved = rig.image("v2");
    rig.registry.retag("team/app", "v2", "v1");
    assert_ne!(moved.digest, first.digest);
    assert!(satisfied(&known(service.ask(&pinned, &Keyring::new()).await)));
    let fresh = known(rig.service().ask(&rig.place(":v1"), &Keyring::new()).await);
    assert_eq!(fresh["digest"], moved.digest.to_string());
    assert!(!satisfied(&fresh));
}

#[tokio::test]
async fn other_authorities_give_another_verdict_at_once() {
    let rig = Rig::new().await;
    rig.signed("v1");
    let (service, stranger) = (rig.service(), Rig { key: Key::p256(), ..Rig::new().await });
    assert!(satisfied(&known(service.ask(&rig.place(":v1"), &Keyring::new()).await)));
    let spec = json!({"images": [format!("{}/team", rig.registry.host())],
        "authorities": [{"name": "builders", "keys": [{"pem": stranger.key.public_pem()}]}]});
    let spec = serde_json::from_value(spec).unwrap();
    let authority = ImageAuthority::compile("team", &spec, &Roots::default(), &NoTexts).unwrap();
    service.replace(Settings {
        authorities: ImageAuthorities::new([authority]),
        registries: Rig::options(&rig.registry),
        ..Settings::default()
    });
    let facts = known(service.ask(&rig.place(":v1"), &Keyring::new()).await);
    assert!(!satisfied(&facts));
    assert_eq!(facts["rejected"][0]["reason"], "wrong-key", "{}", facts["rejected"]);
}

#[tokio::test]
async fn who_looks_at_what_runs_sees_what_has_changed() {
    let rig = Rig::new().await;
    let image = rig.signed("v1");
    let service = rig.service();
    let place = rig.place(&format!("@{}", image.digest));
    known(service.ask(&place, &Keyring::new()).await);
    rig.attest(&image, VULNERABILITIES, &json!({"scanner": {"result": {"Results": []}}}));
    let attested = |facts: &Value| facts["attestations"].as_object().is_some_and(|all| !all.is_empty());
    assert!(!attested(&known(service.ask(&place, &Keyring::new()).await)));
    assert!(attested(&known(service.ask_anew(&place, &Keyring::new()).await)));
    assert!(attested(&known(service.ask(&place, &Keyring::new()).await)), "and it is remembered");
    rig.registry.fail("/", Fault::Status(503, None), usize::MAX);
    assert!(matches!(service.ask_anew(&place, &Keyring::new()).await, Answer::Unavailable(_)));
    assert!(attested(&known(service.ask(&place, &Keyring::new()).await)), "and that nobody answered is not");
}

#[tokio::test]
async fn what_a_scanner_in_the_cluster_says_is_seen_soon_and_costs_others_nothing() {
    let rig = Rig::new().await;
    let (image, other) = (rig.signed("v1"), rig.signed("v2"));
    let service = rig.service();
    let report = |critical: u64| {
        let object = json!({"report": {"scanner": {"name": "Trivy"}, "summary":
            {"criticalCount": critical, "highCount": 0, "mediumCount": 0, "lowCount": 0}}});
        std::collections::HashMap::from([(image.digest, vec![trivy::read_report(&object).1])])
    };
    service.report(report(1));
    let critical = async || {
        let facts = known(service.ask(&rig.place(":v1"), &Keyring::new()).await);
        assert_ne!(facts["scans"][0]["signed"], true, "{}", facts["scans"]);
        facts["scans"][0]["counts"]["critical"].as_u64()
    };
    assert_eq!(critical().await, Some(1));
    known(service.ask(&rig.place(":v2"), &Keyring::new()).await);
    let looks = || service.counts().looks.load(Ordering::Relaxed);
    let before = looks();
    // The same again is no news.
    service.report(report(1));
    assert_eq!((critical().await, looks()), (Some(1), before));
    service.report(report(2));
    let seen = async {
        while critical().await != Some(2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
    assert_eq!(looks(), before + 1);
    // A registry that is away takes nothing from what was verified.
    rig.registry.fail("/", Fault::Status(503, None), usize::MAX);
    service.report(report(3));
    for digest in [image.digest, other.digest] {
        assert!(satisfied(&known(service.ask(&rig.place(&format!("@{digest}")), &Keyring::new()).await)));
    }
}

#[tokio::test]
async fn memory_does_not_grow_with_a_registry_that_sends_without_end() {
    let rig = Rig::new().await;
    rig.registry.fail("/", Fault::Endless, usize::MAX);
    let service = rig.service();
    let before = resident();
    let asks = (0..100).map(|at| {
        let (service, place) = (Arc::clone(&service), rig.place(&format!("@{}", Digest::of(&[at]))));
        tokio::spawn(async move { service.ask(&place, &Keyring::new()).await })
    });
    for answer in futures::future::join_all(asks).await {
        assert!(matches!(answer.unwrap(), Answer::Unavailable(_)));
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
}

/// Resident memory in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
