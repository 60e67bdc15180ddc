//! The whole document, from what a registry holds to what a policy reads.

use super::*;
use crate::authority::{ImageAuthority, ImageAuthoritySpec, Roots};
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::fixtures::{Key, Making, SIGNED, statement};
use crate::trust::NoTexts;
use crate::verify::{Limits, verify};
use serde_json::json;

fn facts(signed: &[(&Key, &str, Value)], trusted: &Key, vex: bool) -> Value {
    let image = Digest::of(b"manifest");
    let bundles = signed.iter().map(|(key, kind, predicate)| {
        Making::by_key(key).envelope(&statement(image, kind, predicate)).to_string().into()
    });
    let sarif = json!({"runs": [{"tool": {"driver": {"name": "trivy"}}, "results": [{"ruleId": "CVE-9"}]}]});
    let document = |media_type: &str, bytes: Vec<u8>| Document {
        media_type: media_type.to_owned(),
        bytes: bytes.into(),
    };
    let evidence = Evidence {
        digest: image,
        bundles: bundles.collect(),
        legacy: Vec::new(),
        documents: vec![
            document("application/sarif+json", sarif.to_string().into_bytes()),
            document("application/sarif+json", b"no JSON".to_vec()),
            document("text/plain", b"{}".to_vec()),
        ],
    };
    let spec: ImageAuthoritySpec = serde_json::from_value(json!({
        "images": ["registry.example"],
        "authorities": [{"name": "team", "keys": [{"pem": trusted.public_pem()}], "vex": vex}],
    }))
    .unwrap();
    let authority = ImageAuthority::compile("images", &spec, &Roots::default(), &NoTexts).unwrap();
    let verified = verify(&evidence, &[authority.into()], &Limits::default(), Timestamp::now());
    let reference = "registry.example/team/app:v1".parse().unwrap();
    let config = ImageConfig {
        platforms: vec!["linux/amd64".to_owned()],
        size: Some(7),
        created: "0001-01-01T00:00:00Z".parse().ok(),
        ..ImageConfig::default()
    };
    let (_, report) = scan::trivy::read_report(&json!({"report": {"vulnerabilities": []}}));
    ImageFacts::new(&reference, &verified, &evidence.documents, [report], Some(config)).to_value()
}

#[test]
fn what_is_proven_is_there_and_the_rest_says_why_not() {
    let (key, stranger) = (Key::p256(), Key::p256());
    let vuln = "https://cosign.sigstore.dev/attestation/vuln/v1";
    let clean = json!({"scanner": {"result": {"matches": []}}, "metadata": {"scanFinishedOn": "2026-11-22T12:00:00Z"}});
    let vex = json!({"statements": [{"vulnerability": {"name": "CVE-9"}, "status": "not_affected"}]});
    let facts = facts(
        &[
            (&key, SIGNED, json!({})),
            (&key, vuln, clean.clone()),
            (&stranger, vuln, clean),
            (&key, "https://openvex.dev/ns/v0.2.0", vex),
            (
                &key,
                "https://slsa.dev/provenance/v1",
                json!({"runDetails": {"builder": {"id": "https://ci"}}}),
            ),
            (&key, "https://spdx.dev/Document", json!({"packages": []})),
        ],
        &key,
        true,
    );
    assert_eq!(facts["ref"], "registry.example/team/app:v1");
    assert_eq!(facts["digest"], Digest::of(b"manifest").to_string());
    assert_eq!(
        facts["authorities"],
        json!([{"name": "images", "signers": 1, "logs": 0, "required": 1, "satisfied": true}])
    );
    let signature = json!({
        "imageAuthority": "images", "authority": "team", "format": "bundle",
        "key": key.fingerprint().to_string(), "logs": [], "times": [],
    });
    assert_eq!(facts["signatures"], json!([signature]));
    assert_eq!(facts["attestations"][vuln].as_array().unwrap().len(), 1, "the stranger's is not there");
    assert_eq!(facts["attestations"][vuln][0]["predicate"]["scanner"]["result"]["matches"], json!([]));
    let scans = facts["scans"].as_array().unwrap();
    let kinds: Vec<_> =
        scans.iter().map(|scan| (scan["source"].as_str().unwrap(), scan["signed"] == true)).collect();
    assert_eq!(kinds, [("attestation", true), ("sarif", false), ("vulnerabilityReport", false)]);
    assert_eq!(scans[0]["counts"]["critical"], 0);
    assert_eq!(scans[0]["finishedAt"], "2026-11-22T12:00:00Z");
    assert_eq!(facts["vex"][0]["vulnerability"], "CVE-9");
    assert_eq!(facts["provenance"][0]["builder"], "https://ci");
    assert_eq!(facts["sboms"][0]["format"], "spdx");
    assert_eq!((&facts["platforms"], &facts["size"]), (&json!(["linux/amd64"]), &json!(7)));
    assert_eq!(facts["created"], Value::Null, "the year 1 is no time");
    let [rejected] = facts["rejected"].as_array().unwrap().as_slice() else { panic!("{facts}") };
    assert_eq!(rejected["reason"], "wrong-key");
    assert!(rejected["what"].as_str().unwrap().starts_with("bundle sha256:"));
}

#[test]
fn vex_counts_only_from_who_is_believed_with_it() {
    let key = Key::p256();
    let vex = json!({"statements": [{"vulnerability": {"name": "CVE-9"}, "status": "not_affected"}]});
    let facts = facts(&[(&key, "https://openvex.dev/ns/v0.2.0", vex)], &key, false);
    assert_eq!(facts["vex"], json!([]));
    assert_eq!(facts["authorities"][0]["satisfied"], false);
}
