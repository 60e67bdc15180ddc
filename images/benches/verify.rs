//! What a verification costs, without any registry: reading, proving, and the facts that come of it.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where something cannot be done")]

use divan::{Bencher, black_box};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use wayguard_images::authority::{ImageAuthority, ImageAuthoritySpec, Roots};
use wayguard_images::digest::Digest;
use wayguard_images::evidence::Evidence;
use wayguard_images::facts::ImageFacts;
use wayguard_images::fixtures::{Key, LogVersion, Making, SIGNED, Sigstore, Who, simple_signing, statement};
use wayguard_images::trust::{NoTexts, TrustRoot};
use wayguard_images::verify::{Limits, Verified, verify};

const WHO: Who<'_> = Who { subject: "https://ci.example/team/app", issuer: "https://token.example" };

fn main() {
    divan::main();
}

struct World {
    evidence: Evidence,
    authority: Arc<ImageAuthority>,
}

impl World {
    fn verify(&self) -> Verified {
        verify(&self.evidence, std::slice::from_ref(&self.authority), &Limits::default(), Timestamp::now())
    }

    fn bench(&self, bencher: Bencher<'_, '_>) {
        assert!(self.verify().rejected.is_empty(), "{:?}", self.verify().rejected);
        bencher.bench(|| black_box(self.verify()));
    }
}

fn evidence(bundles: &[Value]) -> Evidence {
    let bundles = bundles.iter().map(|bundle| bundle.to_string().into()).collect();
    Evidence { digest: image(), bundles, legacy: Vec::new(), documents: Vec::new() }
}

fn image() -> Digest {
    Digest::of(b"manifest")
}

fn at() -> Timestamp {
    Timestamp::now() - std::time::Duration::from_mins(1)
}

fn authority(sigstore: &Sigstore, more: Value) -> Arc<ImageAuthority> {
    let mut one = json!({"name": "team", "legacy": true});
    one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let spec: ImageAuthoritySpec =
        serde_json::from_value(json!({"images": ["registry.example"], "authorities": [one]})).unwrap();
    let mut roots = Roots::default();
    roots.put("lab", TrustRoot::from_json("lab", &sigstore.trusted_root()));
    Arc::new(ImageAuthority::compile("images", &spec, &roots, &NoTexts).unwrap())
}

fn keyless() -> Value {
    json!({"keyless": {"trustRoot": "lab", "identities": [{"issuer": WHO.issuer, "subject": WHO.subject}]}})
}

#[divan::bench(args = ["P-256", "P-384", "RSA 2048"])]
fn key(bencher: Bencher<'_, '_>, kind: &str) {
    let key = match kind {
        "P-256" => Key::p256(),
        "P-384" => Key::p384(),
        _ => Key::rsa(),
    };
    let bundle = Making::by_key(&key).envelope(&statement(image(), SIGNED, &json!({})));
    let authority = authority(&Sigstore::new("lab"), json!({"keys": [{"pem": key.public_pem()}]}));
    World { evidence: evidence(&[bundle]), authority }.bench(bencher);
}

#[divan::bench]
fn keyless_first_log(bencher: Bencher<'_, '_>) {
    let sigstore = Sigstore::new("lab");
    let leaf = sigstore.leaf(WHO, at());
    let making = Making::by_leaf(&leaf).logged(&sigstore.log, LogVersion::One, at());
    let bundle = making.envelope(&statement(image(), SIGNED, &json!({})));
    World { evidence: evidence(&[bundle]), authority: authority(&sigstore, keyless()) }.bench(bencher);
}

#[divan::bench]
fn keyless_second_log_and_timestamp(bencher: Bencher<'_, '_>) {
    let sigstore = Sigstore::new("lab");
    let leaf = sigstore.leaf(WHO, at());
    let making = Making::by_leaf(&leaf)
        .logged(&sigstore.log, LogVersion::Two, at())
        .stamped(&sigstore.timestamps, at());
    let bundle = making.envelope(&statement(image(), SIGNED, &json!({})));
    World { evidence: evidence(&[bundle]), authority: authority(&sigstore, keyless()) }.bench(bencher);
}

#[divan::bench]
fn keyless_before_bundles(bencher: Bencher<'_, '_>) {
    let sigstore = Sigstore::new("lab");
    let leaf = sigstore.leaf(WHO, at());
    let making = Making::by_leaf(&leaf).logged(&sigstore.log, LogVersion::One, at());
    let mut evidence = evidence(&[]);
    evidence.legacy.push(making.signature_layer(&simple_signing(image())));
    World { evidence, authority: authority(&sigstore, keyless()) }.bench(bencher);
}

/// A scan of so many findings, verified and made into facts.
#[divan::bench(args = [10, 1000])]
fn scan_to_facts(bencher: Bencher<'_, '_>, findings: usize) {
    let key = Key::p256();
    let one = json!({"VulnerabilityID": "CVE-2026-0001", "PkgName": "openssl", "InstalledVersion": "3.0.0", "Severity": "HIGH"});
    let predicate = json!({"scanner": {"result": {"Results": [{"Vulnerabilities": vec![one; findings]}]}}});
    let kind = "https://cosign.sigstore.dev/attestation/vuln/v1";
    let bundle = Making::by_key(&key).envelope(&statement(image(), kind, &predicate));
    let authority = authority(&Sigstore::new("lab"), json!({"keys": [{"pem": key.public_pem()}]}));
    let world = World { evidence: evidence(&[bundle]), authority };
    let reference = "registry.example/team/app:v1".parse().unwrap();
    bencher.bench(|| black_box(ImageFacts::new(&reference, &world.verify(), &[], [], None).to_value()));
}

/// What somebody who can push may cost us at most: as many bundles as are looked at, each of a stranger.
#[divan::bench]
fn strangers(bencher: Bencher<'_, '_>) {
    let sigstore = Sigstore::new("lab");
    let stranger = Key::p256();
    let bundle = Making::by_key(&stranger).envelope(&statement(image(), SIGNED, &json!({})));
    let bundles = vec![bundle; Limits::default().items];
    let authority = authority(&sigstore, json!({"keys": [{"pem": Key::p256().public_pem()}]}));
    let world = World { evidence: evidence(&bundles), authority };
    bencher.bench(|| black_box(world.verify()));
}
