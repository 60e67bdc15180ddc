//! Attacks by the layout: older bundles and layers, more than anybody needs, and every byte and field changed.
#![expect(clippy::too_many_lines, reason = "a table of attacks reads better whole than in parts")]

use super::hostile_world::*;
use super::tests_world::*;
use crate::digest::Digest;
use crate::evidence::LegacyLayer;
use crate::fixtures::{Key, LogVersion, Making, base64, simple_signing, statement};
use jiff::ToSpan as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn bundles_that_ask_for_less_proof() {
    let world = World::new();
    let authority = by_identity(&json!({}));
    for old in ["0.1", "0.2"] {
        let name = format!("the bundle relabelled {old}, without its proof");
        let bundle = edited(world.keyless().envelope(&signed()), |bundle| {
            bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle+json;version={old}"));
            remove(entry(bundle), "inclusionProof");
        });
        refused(&name, &judge_by(&[bundle], &authority, &world.lab), "version");
    }
    let bundle = edited(world.keyless().envelope(&signed()), |bundle| {
        bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v9.9+json");
    });
    refused("a bundle of tomorrow", &judge_by(&[bundle], &authority, &world.lab), "malformed");
    let layer = world.keyless().signature_layer(&simple_signing(image()));
    let verified = verified_by(evidence(&[], vec![layer]), &authority, &world.lab);
    refused("the layout before bundles, where it does not count", &verified, "legacy");
}

#[test]
fn layers_of_the_layout_before_bundles() {
    let world = World::new();
    let other = Digest::of(b"another manifest");
    let by_identity = by_identity(&json!({"legacy": true}));
    let by_key = by_keys(&[&world.key], &json!({"legacy": true}));
    let signature = || world.keyless().signature_layer(&simple_signing(image()));
    let annotate = |mut layer: LegacyLayer, name: &str, value: Option<String>| {
        let name = format!("dev.{name}");
        match value {
            Some(value) => layer.annotations.insert(name, value),
            None => layer.annotations.remove(&name),
        };
        layer
    };
    let borrowed = |payload: &[u8]| LegacyLayer { payload: payload.to_vec().into(), ..signature() };
    let cases = [
        (
            "the victim's annotations under a payload about this image",
            LegacyLayer {
                payload: simple_signing(image()).into(),
                ..world.keyless().signature_layer(&simple_signing(other))
            },
            &by_identity,
            "signature",
        ),
        ("a payload about another image", borrowed(&simple_signing(other)), &by_identity, "other-digest"),
        ("a payload that is none", borrowed(b"{}"), &by_identity, "malformed"),
        (
            "a payload of another kind",
            borrowed(
                &String::from_utf8(simple_signing(image()))
                    .unwrap()
                    .replace("cosign container", "atomic")
                    .into_bytes(),
            ),
            &by_identity,
            "payload-type",
        ),
        (
            "another key",
            Making::by_key(&Key::p256()).signature_layer(&simple_signing(image())),
            &by_key,
            "wrong-key",
        ),
        (
            "no signature",
            annotate(signature(), "cosignproject.cosign/signature", None),
            &by_identity,
            "malformed",
        ),
        (
            "no certificate",
            annotate(signature(), "sigstore.cosign/certificate", None),
            &by_identity,
            "not-by-certificate",
        ),
        (
            "no entry in the log",
            annotate(signature(), "sigstore.cosign/bundle", None),
            &by_identity,
            "no-log",
        ),
        (
            "an entry that is none",
            annotate(signature(), "sigstore.cosign/bundle", Some("{}".to_owned())),
            &by_identity,
            "malformed",
        ),
        (
            "a foreign log",
            Making::by_leaf(&world.leaf)
                .logged(&world.foreign.log, LogVersion::One, now())
                .signature_layer(&simple_signing(image())),
            &by_identity,
            "unknown-log",
        ),
        (
            "more certificates than anybody needs",
            annotate(signature(), "sigstore.cosign/chain", Some(world.leaf.pem().repeat(9))),
            &by_identity,
            "too-much-evidence",
        ),
        (
            "an attestation about another image",
            world.keyed().attestation_layer(&statement(other, "urn:scan", &json!({}))),
            &by_key,
            "other-digest",
        ),
        (
            "an edited attestation",
            {
                let mut layer = world.keyed().attestation_layer(&statement(image(), "urn:scan", &json!({})));
                let mut envelope: Value = serde_json::from_slice(&layer.payload).unwrap();
                envelope["payload"] = json!(base64(&statement(image(), "urn:scan", &json!({"clean": true}))));
                layer.payload = envelope.to_string().into();
                layer
            },
            &by_key,
            "wrong-key",
        ),
    ];
    for (name, layer, authority, code) in cases {
        refused(name, &verified_by(evidence(&[], vec![layer]), authority, &world.lab), code);
    }
}

#[test]
fn attestations_for_which_nobody_is_believed() {
    let world = World::new();
    let authority = by_keys(&[&world.key], &json!({"predicateTypes": ["https://slsa.dev/provenance/v1"]}));
    let scan = world.keyed().envelope(&statement(image(), "https://example.com/scan", &json!({})));
    refused("a scan by who may only attest builds", &judge(&[scan], &authority), "predicate-type");
}

#[test]
fn more_than_anybody_needs() {
    let world = World::new();
    let (plain, keyless) = (world.key_authority(), by_identity(&json!({})));
    let good = || world.keyed().envelope(&signed());
    let many: Vec<_> = (0..65).map(|_| good()).collect();
    refused("too many bundles, each of them good", &judge(&many, &plain), "too-many");
    let deep = statement(image(), "urn:deep", &json!(0));
    let deep = String::from_utf8(deep).unwrap().replace(
        "\"predicate\":0",
        &format!("\"predicate\":{}", {
            let open = "[".repeat(100);
            let close = "]".repeat(100);
            format!("{open}{close}")
        }),
    );
    refused(
        "a predicate nested deeply",
        &judge(&[world.keyed().envelope(deep.as_bytes())], &plain),
        "too-complex",
    );
    let wide = statement(image(), "urn:wide", &json!(vec![0; 600_000]));
    refused("a predicate of many values", &judge(&[world.keyed().envelope(&wide)], &plain), "too-complex");
    let objects = statement(image(), "urn:objects", &json!(vec![json!({"": 0}); 60_000]));
    let objects = world.keyed().envelope(&objects);
    refused("a predicate of many objects", &judge(&[objects], &plain), "too-complex");
    let large = statement(image(), "urn:large", &json!("x".repeat(7 << 20)));
    refused("a large bundle", &judge(&[world.keyed().envelope(&large)], &plain), "too-large");
    let entries = edited(world.keyless().envelope(&signed()), |bundle| {
        let one = entry(bundle).clone();
        bundle["verificationMaterial"]["tlogEntries"] = json!(vec![one; 9]);
    });
    refused("many entries of logs", &judge_by(&[entries], &keyless, &world.lab), "too-much-evidence");
    let nested = edited(good(), |bundle| {
        bundle["x"] = serde_json::from_str(&format!("{}{}", "[".repeat(40), "]".repeat(40))).unwrap();
    });
    refused("a bundle nested deeply", &judge(&[nested], &plain), "too-complex");
}

/// Whatever byte somebody changes: nobody else is let in by it, and nothing breaks.
#[test]
fn no_byte_changes_who_signed() {
    let world = World::new();
    let authority = by_identity(&json!({}));
    let bundle = world.stamped().envelope(&signed()).to_string();
    let good = judge_by(&[serde_json::from_str(&bundle).unwrap()], &authority, &world.lab);
    for at in (0..bundle.len()).step_by(37) {
        let mut bytes = bundle.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let mut evidence = evidence(&[], Vec::new());
        evidence.bundles.push(bytes.into());
        let verified = verified_by(evidence, &authority, &world.lab);
        for signature in &verified.signatures {
            assert_eq!(signature.signer, good.signatures[0].signer, "byte {at}");
        }
        assert!(verified.attestations.is_empty(), "byte {at}");
    }
}

/// Every place in a bundle, each replaced by values of every other kind: nobody else is let in by it, nothing breaks.
#[test]
fn no_field_changes_who_signed() {
    fn places(value: &Value, at: &str, out: &mut Vec<String>) {
        out.push(at.to_owned());
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), out));
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, value)| places(value, &format!("{at}/{index}"), out)),
            _ => {}
        }
    }
    let world = World::new();
    let authority = by_identity(&json!({}));
    let bundle = Making::by_leaf(&world.leaf)
        .logged(&world.lab.log, LogVersion::One, now())
        .stamped(&world.lab.timestamps, now())
        .envelope(&signed());
    let good = judge_by(std::slice::from_ref(&bundle), &authority, &world.lab);
    let mut all = Vec::new();
    places(&bundle, "", &mut all);
    assert!(all.len() > 30, "{all:?}");
    let mut counted = Vec::new();
    for place in &all {
        for other in
            [json!(null), json!([]), json!({}), json!(""), json!(0), json!(-1), json!("AAAA"), json!([null])]
        {
            let mut bundle = bundle.clone();
            *bundle.pointer_mut(place).unwrap() = other;
            let verified = judge_by(&[bundle], &authority, &world.lab);
            if let Some(signature) = verified.signatures.first() {
                let (found, expected) = (&signature.signer, &good.signatures[0].signer);
                assert_eq!(
                    (&found.certificate, &found.key),
                    (&expected.certificate, &expected.key),
                    "{place}"
                );
                assert!(!found.times.is_empty() && !found.logs.is_empty(), "{place}");
                counted.push(place.as_str());
            }
        }
    }
    // What may be taken away, as the rest proves enough: the promise beside a proof and a timestamp, and the timestamp
    // beside a promise.
    let evidence = "/verificationMaterial/";
    let expected = [
        "tlogEntries/0/inclusionPromise",
        "timestampVerificationData",
        "timestampVerificationData/rfc3161Timestamps",
    ];
    let (counted, expected): (BTreeSet<_>, BTreeSet<_>) = (
        counted.iter().map(|place| place.replacen(evidence, "", 1)).collect(),
        expected.map(str::to_owned).into(),
    );
    assert_eq!(counted, expected);
}

#[test]
fn what_is_no_bundle() {
    let world = World::new();
    for (name, bytes) in [
        ("nothing", &b""[..]),
        ("no JSON", b"\x00\x01"),
        ("no text", b"\xff\xfe"),
        ("no bundle", br#"{"mediaType":"text/plain"}"#),
        ("an empty one", br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#),
        ("a list", b"[]"),
    ] {
        let mut evidence = evidence(&[], Vec::new());
        evidence.bundles.push(bytes::Bytes::from_static(bytes));
        refused(name, &verified_by(evidence, &world.key_authority(), &world.lab), "malformed");
    }
}

#[test]
fn a_clock_that_is_behind_is_said_so_and_does_not_last() {
    let world = World::new();
    let making = Making::by_leaf(&world.leaf).logged(&world.lab.log, LogVersion::One, now());
    let verified = judge_by(&[making.envelope(&signed())], &by_identity(&json!({})), &world.lab);
    assert!(verified.satisfied() && !verified.may_pass());
    let later = world.lab.leaf(WHO, now() + 1.hour());
    let making = Making::by_leaf(&later).logged(&world.lab.log, LogVersion::One, now() + 1.hour());
    let verified = judge_by(&[making.envelope(&signed())], &by_identity(&json!({})), &world.lab);
    assert!(verified.may_pass());
}
