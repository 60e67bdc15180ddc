//! Our verdict beside cosign's, on images that cosign signed in each way that it knows.
//!
//! The cases in `tests/cosign/` were made by `conformance-tests/cosign`, which asked cosign itself; `just interop` makes
//! new ones and compares with those (`WAYGUARD_COSIGN_CASES` names their folder).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where something cannot be done")]

use base64::Engine as _;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use wayguard_images::authority::{ImageAuthority, ImageAuthoritySpec, Roots};
use wayguard_images::evidence::{Evidence, LegacyKind, LegacyLayer};
use wayguard_images::trust::{NoTexts, TrustRoot};
use wayguard_images::verify::{Limits, verify};

/// Where we differ, and why; decision 0013 says the same. Whatever else differs is a failed test, and so is one of
/// these that does not differ any more.
const DIFFERENCES: [(&str, &str, &str); 6] = [
    (
        "key-p384",
        "its key",
        "cosign verifies with SHA-256 what it signed with SHA-384, unless a flag says so",
    ),
    ("key-logged-p384", "its key", "the same"),
    ("legacy-p384", "its key", "the same"),
    (
        "manifest-as-file",
        "its key",
        "a signature of the manifest itself is one of the image; cosign wants a statement",
    ),
    ("key-p521", "its key and the hash of its curve", "the library has no P-521; the key is refused at load"),
    ("legacy-p521", "its key and the hash of its curve", "the same"),
];

#[derive(Deserialize)]
struct Scenario {
    name: String,
    digest: String,
    bundles: Vec<String>,
    legacy: Vec<Layer>,
    roots: BTreeMap<String, String>,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct Layer {
    kind: String,
    payload: String,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Question {
    about: String,
    authority: serde_json::Value,
    attestation: Option<String>,
    accepted: bool,
}

impl Scenario {
    fn evidence(&self) -> Evidence {
        let legacy = self.legacy.iter().map(|layer| LegacyLayer {
            kind: if layer.kind == "sig" { LegacyKind::Signature } else { LegacyKind::Attestation },
            payload: layer.payload.clone().into(),
            annotations: layer.annotations.clone().unwrap_or_default(),
        });
        Evidence {
            digest: self.digest.parse().unwrap(),
            bundles: self.bundles.iter().map(|bundle| bundle.clone().into()).collect(),
            legacy: legacy.collect(),
            documents: Vec::new(),
        }
    }

    /// Whether we accept, and in a few words why not.
    fn answer(&self, question: &Question) -> (bool, String) {
        let mut roots = Roots::default();
        for (name, text) in &self.roots {
            roots.put(name, TrustRoot::from_json(name, text));
        }
        let spec = json!({"images": ["registry.example"], "authorities": [question.authority]});
        let spec: ImageAuthoritySpec = serde_json::from_value(spec).unwrap();
        let authority = match ImageAuthority::compile("cosign", &spec, &roots, &NoTexts) {
            Ok(authority) => authority,
            Err(problem) => return (false, problem.to_string()),
        };
        let verified =
            verify(&self.evidence(), &[authority.into()], &Limits::default(), jiff::Timestamp::now());
        let accepted = match &question.attestation {
            Some(kind) => verified.attestations.iter().any(|one| one.predicate_type == *kind),
            None => verified.satisfied(),
        };
        let reasons: BTreeSet<_> = verified.rejected.iter().map(|one| one.reason.code()).collect();
        (accepted, reasons.into_iter().collect::<Vec<_>>().join(", "))
    }
}

fn scenarios() -> Vec<Scenario> {
    let committed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cosign");
    let folder = std::env::var_os("WAYGUARD_COSIGN_CASES").map_or(committed, PathBuf::from);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files.iter().map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap()).collect()
}

#[test]
fn what_cosign_accepts_we_accept_and_nothing_else() {
    let word = |accepted| if accepted { "accepted" } else { "refused" };
    let (mut wrong, mut differed) = (Vec::new(), BTreeSet::new());
    let scenarios = scenarios();
    assert!(scenarios.len() >= 18, "there are {} cases", scenarios.len());
    println!("{:<19} {:<62} {:<9} {:<9} why not", "image", "question", "cosign", "wayguard");
    for scenario in &scenarios {
        for question in &scenario.questions {
            let (accepted, why) = scenario.answer(question);
            let about = match &question.attestation {
                Some(kind) => format!("{}: {kind}", question.about),
                None => question.about.clone(),
            };
            let known = DIFFERENCES
                .iter()
                .find(|(image, asked, _)| *image == scenario.name && *asked == question.about);
            let note =
                if accepted == question.accepted { "" } else { known.map_or("DIFFERENT", |(.., why)| why) };
            println!(
                "{:<19} {about:<62} {:<9} {:<9} {why} {note}",
                scenario.name,
                word(question.accepted),
                word(accepted)
            );
            match (accepted == question.accepted, known) {
                (false, Some((image, asked, _))) => drop(differed.insert((*image, *asked))),
                (false, None) => wrong.push(format!("{}: {about}: {why}", scenario.name)),
                (true, _) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let known: BTreeSet<_> = DIFFERENCES.iter().map(|(image, asked, _)| (*image, *asked)).collect();
    assert_eq!(differed, known, "a difference that is none any more");
}

#[test]
fn what_cosign_attested_is_read() {
    let attested = scenarios().into_iter().find(|scenario| scenario.name == "attested").unwrap();
    let question = attested.questions.iter().find(|question| question.accepted).unwrap();
    let mut authority = question.authority.clone();
    authority["vex"] = json!(true);
    let spec = json!({"images": ["registry.example"], "authorities": [authority]});
    let spec: ImageAuthoritySpec = serde_json::from_value(spec).unwrap();
    let authority = ImageAuthority::compile("cosign", &spec, &Roots::default(), &NoTexts).unwrap();
    let evidence = attested.evidence();
    let verified = verify(&evidence, &[authority.into()], &Limits::default(), jiff::Timestamp::now());
    let reference = "registry.example/app".parse().unwrap();
    let facts = wayguard_images::facts::ImageFacts::new(&reference, &verified, &[], [], None).to_value();
    assert_eq!(facts["scans"][0]["counts"]["high"], 1);
    assert_eq!(facts["scans"][0]["finishedAt"], "2026-11-22T12:01:00Z");
    assert_eq!(facts["vex"][0]["vulnerability"], "CVE-2026-0001");
    assert_eq!(facts["provenance"][0]["builder"], "https://ci.example/builder");
    assert_eq!(facts["provenance"][0]["source"]["commit"], "0123");
    let formats: BTreeSet<_> =
        facts["sboms"].as_array().unwrap().iter().map(|one| one["format"].as_str().unwrap()).collect();
    assert_eq!(formats, BTreeSet::from(["cyclonedx", "spdx"]));
    assert_eq!(facts["rejected"], json!([]));
    let hint: serde_json::Value = serde_json::from_str(&attested.bundles[0]).unwrap();
    let hint = hint["verificationMaterial"]["publicKey"]["hint"].as_str().unwrap();
    let hint = base64::engine::general_purpose::STANDARD.decode(hint).unwrap();
    assert_eq!(verified.attestations[0].signer.key.unwrap().bytes().as_slice(), hint);
}
