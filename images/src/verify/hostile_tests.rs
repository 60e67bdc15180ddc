//! Attacks by and on signers, each of which is refused with its own reason.
//!
//! Each case starts from something that counts and changes one thing, so that nothing else can be why it is refused.
#![expect(clippy::too_many_lines, reason = "a table of attacks reads better whole than in parts")]

use super::hostile_world::*;
use super::tests_world::*;
use crate::digest::Digest;
use crate::fixtures::{Key, LogVersion, Making, Who, base64, statement, unbase64};
use jiff::ToSpan as _;
use serde_json::{Value, json};

#[test]
fn what_is_attacked_counts_before_the_attack() {
    let world = World::new();
    let cases = [
        (world.keyed().envelope(&signed()), world.key_authority()),
        (
            world.keyed().logged(&world.lab.log, LogVersion::One, now()).envelope(&signed()),
            world.logged_key_authority(),
        ),
        (world.keyless().envelope(&signed()), by_identity(&json!({}))),
        (world.stamped().envelope(&signed()), by_identity(&json!({}))),
    ];
    for (bundle, authority) in cases {
        assert!(judge_by(&[bundle], &authority, &world.lab).satisfied());
    }
}

#[test]
fn signatures_by_keys() {
    let world = World::new();
    let other = Digest::of(b"another manifest");
    let good = || world.keyed().envelope(&signed());
    let logged = || world.keyed().logged(&world.lab.log, LogVersion::One, now()).envelope(&signed());
    let (plain, in_log) = (world.key_authority(), world.logged_key_authority());
    let cases = [
        ("another key", Making::by_key(&Key::p256()).envelope(&signed()), &plain, "wrong-key"),
        ("another curve", Making::by_key(&Key::p384()).envelope(&signed()), &plain, "wrong-key"),
        (
            "another image",
            world.keyed().envelope(&statement(other, crate::fixtures::SIGNED, &json!({}))),
            &plain,
            "other-digest",
        ),
        ("another manifest", world.keyed().message(b"another manifest"), &plain, "other-digest"),
        (
            "another manifest under the image's digest",
            edited(world.keyed().message(b"another manifest"), |bundle| {
                bundle["messageSignature"]["messageDigest"]["digest"] = json!(base64(image().bytes()));
            }),
            &plain,
            "wrong-key",
        ),
        (
            "a digest of another kind",
            edited(world.keyed().message(MANIFEST), |bundle| {
                bundle["messageSignature"]["messageDigest"]["algorithm"] = json!("SHA2_512");
            }),
            &plain,
            "other-digest",
        ),
        (
            "an edited signature",
            edited(good(), |bundle| {
                let place = &mut bundle["dsseEnvelope"]["signatures"][0]["sig"];
                *place = flipped(place);
            }),
            &plain,
            "wrong-key",
        ),
        (
            "an edited payload",
            edited(good(), |bundle| {
                payload(bundle, |text| text.replace("\"predicate\":{}", "\"predicate\":{\"a\":1}"));
            }),
            &plain,
            "wrong-key",
        ),
        (
            "the image's digest put into a signed statement about another",
            edited(
                world.keyed().envelope(&statement(other, crate::fixtures::SIGNED, &json!({}))),
                |bundle| payload(bundle, |text| text.replace(&other.hex(), &image().hex())),
            ),
            &plain,
            "wrong-key",
        ),
        (
            "an envelope of something else",
            edited(good(), |bundle| bundle["dsseEnvelope"]["payloadType"] = json!("text/plain")),
            &plain,
            "payload-type",
        ),
        (
            "two signatures in one envelope",
            edited(good(), |bundle| {
                let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
                signatures.push(signatures[0].clone());
            }),
            &plain,
            "malformed",
        ),
        (
            "no signature",
            edited(good(), |bundle| bundle["dsseEnvelope"]["signatures"] = json!([])),
            &plain,
            "malformed",
        ),
        ("a certificate where a key is wanted", world.keyless().envelope(&signed()), &plain, "not-by-key"),
        ("in no log where one is required", good(), &in_log, "no-log"),
        (
            "in a foreign log",
            world.keyed().logged(&world.foreign.log, LogVersion::One, now()).envelope(&signed()),
            &in_log,
            "unknown-log",
        ),
        (
            "the log's entry of another's signature of the same",
            edited(logged(), |bundle| {
                let theirs = Making::by_key(&Key::p256())
                    .logged(&world.lab.log, LogVersion::One, now())
                    .envelope(&signed());
                *entry(bundle) = theirs["verificationMaterial"]["tlogEntries"][0].clone();
            }),
            &in_log,
            "log-entry",
        ),
        (
            "no timestamp where one is required",
            logged(),
            &by_keys(&[&world.key], &json!({"trustRoot": "lab", "timestamps": "required"})),
            "no-timestamp",
        ),
        (
            "a foreign timestamp",
            world
                .keyed()
                .logged(&world.lab.log, LogVersion::One, now())
                .stamped(&world.foreign.timestamps, now())
                .envelope(&signed()),
            &in_log,
            "timestamp",
        ),
        (
            "a timestamp from the future",
            world
                .keyed()
                .logged(&world.lab.log, LogVersion::Two, now())
                .stamped(&world.lab.timestamps, now() + 1.hour())
                .envelope(&signed()),
            &in_log,
            "clock",
        ),
    ];
    for (name, bundle, authority, code) in cases {
        refused(name, &judge_by(&[bundle], authority, &world.lab), code);
    }
}

/// Entries that the library does not read, and which are proven beside it.
#[test]
fn entries_of_the_second_log_by_other_keys() {
    let world = World::new();
    let key = Key::rsa();
    let making = || Making::by_key(&key).logged(&world.lab.log, LogVersion::Two, now());
    let authority = by_keys(&[&key], &json!({"trustRoot": "lab"}));
    let good = || making().envelope(&signed());
    assert!(judge_by(&[good()], &authority, &world.lab).satisfied());
    let theirs =
        |payload: &[u8]| making().envelope(payload)["verificationMaterial"]["tlogEntries"][0].clone();
    let cases = [
        ("no proof", edited(good(), |bundle| remove(entry(bundle), "inclusionProof")), "no-proof"),
        (
            "the entry of another signature",
            edited(good(), |bundle| *entry(bundle) = theirs(&statement(image(), "urn:other", &json!({})))),
            "log-entry",
        ),
        (
            "another key in the entry",
            edited(good(), |bundle| {
                let other = base64(&Key::p256().spki());
                body(bundle, |text| text.replace(&base64(&key.spki()), &other));
            }),
            "log-entry",
        ),
        (
            "another message in the entry",
            edited(good(), |bundle| {
                body(bundle, |text| text.replace("SHA2_256", "SHA2_512"));
            }),
            "log-entry",
        ),
        (
            "an entry of another kind",
            edited(good(), |bundle| body(bundle, |text| text.replace("0.0.2", "0.0.3"))),
            "log-entry",
        ),
        (
            "an entry with more in it than the log has",
            edited(good(), |bundle| body(bundle, |text| text.replacen('{', "{ ", 1))),
            "proof",
        ),
        (
            "an edited path in the tree",
            edited(good(), |bundle| {
                let place = &mut entry(bundle)["inclusionProof"]["hashes"][0];
                *place = flipped(place);
            }),
            "proof",
        ),
        (
            "another place in the tree",
            edited(good(), |bundle| entry(bundle)["logIndex"] = json!("2")),
            "proof",
        ),
        (
            "a checkpoint that nobody signed",
            edited(good(), |bundle| {
                let place = &mut entry(bundle)["inclusionProof"]["checkpoint"]["envelope"];
                let note = place.as_str().unwrap().split("\n\n").next().unwrap().to_owned();
                *place = json!(format!("{note}\n\n\u{2014} rekor.lab AAAAAAAA\n"));
            }),
            "checkpoint",
        ),
        (
            "a foreign log",
            Making::by_key(&key).logged(&world.foreign.log, LogVersion::Two, now()).envelope(&signed()),
            "unknown-log",
        ),
        (
            "a foreign timestamp beside it",
            making().stamped(&world.foreign.timestamps, now()).envelope(&signed()),
            "timestamp",
        ),
    ];
    for (name, bundle, code) in cases {
        refused(name, &judge_by(&[bundle], &authority, &world.lab), code);
    }
}

#[test]
fn signatures_by_identities() {
    let world = World::new();
    let elsewhere = Who { issuer: "https://token.actions.githubusercontent.com.evil.example", ..WHO };
    let somebody =
        Who { subject: "https://github.com/evil/app/.github/workflows/release.yml@refs/heads/main", ..WHO };
    let by_somebody = world.lab.leaf(somebody, now());
    let from_elsewhere = world.lab.leaf(elsewhere, now());
    let foreign = world.foreign.leaf(WHO, now());
    let unlogged = world.lab.leaf_without_sct(WHO, now());
    let misloggged = world.lab.leaf_with_foreign_sct(WHO, now());
    let expired = world.lab.leaf(WHO, now() - 1.hour());
    let early = world.lab.leaf(WHO, now() + 1.hour());
    let later = world.lab.leaf(WHO, now() + 1.hour());
    let good = || world.keyless().envelope(&signed());
    let second = || world.stamped().envelope(&signed());
    let authority = by_identity(&json!({}));
    let cases = [
        ("somebody else", world.by(&by_somebody).envelope(&signed()), "subject"),
        ("another issuer", world.by(&from_elsewhere).envelope(&signed()), "issuer"),
        ("a key where an identity is wanted", world.keyed().envelope(&signed()), "not-by-certificate"),
        (
            "a certificate of another sigstore of that name",
            world.by(&foreign).envelope(&signed()),
            "untrusted",
        ),
        ("a certificate that no log has seen", world.by(&unlogged).envelope(&signed()), "sct"),
        ("a certificate that a foreign log has seen", world.by(&misloggged).envelope(&signed()), "sct"),
        ("signed after the certificate's end", world.by(&expired).envelope(&signed()), "certificate-time"),
        ("signed before the certificate's begin", world.by(&early).envelope(&signed()), "certificate-time"),
        (
            "a certificate that cannot be read",
            edited(good(), |bundle| {
                bundle["verificationMaterial"]["certificate"]["rawBytes"] =
                    json!(base64(b"\x30\x03\x02\x01\x01"));
            }),
            "certificate",
        ),
        (
            "a certificate whose name was edited",
            edited(good(), |bundle| {
                let place = &mut bundle["verificationMaterial"]["certificate"]["rawBytes"];
                *place = flipped(place);
            }),
            "untrusted",
        ),
        (
            "a chain in place of a certificate",
            edited(good(), |bundle| {
                let material = &mut bundle["verificationMaterial"];
                material["x509CertificateChain"] = json!({"certificates": [material["certificate"]]});
                remove(material, "certificate");
            }),
            "malformed",
        ),
        (
            "signed by another key than the certificate's",
            edited(good(), |bundle| {
                let theirs = Making::by_key(&world.key).envelope(&signed());
                bundle["dsseEnvelope"] = theirs["dsseEnvelope"].clone();
            }),
            "signature",
        ),
        ("in no log", Making::by_leaf(&world.leaf).envelope(&signed()), "no-log"),
        (
            "in a foreign log",
            Making::by_leaf(&world.leaf)
                .logged(&world.foreign.log, LogVersion::One, now())
                .envelope(&signed()),
            "unknown-log",
        ),
        (
            "another time in the log",
            edited(good(), |bundle| {
                entry(bundle)["integratedTime"] = json!((now() - 5.seconds()).as_second().to_string());
            }),
            "promise",
        ),
        (
            "a time in the future, which the log signed",
            Making::by_leaf(&later)
                .logged(&world.lab.log, LogVersion::One, now() + 1.hour())
                .envelope(&signed()),
            "clock",
        ),
        (
            "a time in the future, by the timestamp authority",
            Making::by_leaf(&later)
                .logged(&world.lab.log, LogVersion::Two, now() + 1.hour())
                .stamped(&world.lab.timestamps, now() + 1.hour())
                .envelope(&signed()),
            "clock",
        ),
        (
            "an edited promise",
            edited(good(), |bundle| {
                let place = &mut entry(bundle)["inclusionPromise"]["signedEntryTimestamp"];
                *place = flipped(place);
            }),
            "promise",
        ),
        (
            "no promise, and so no time",
            edited(good(), |bundle| remove(entry(bundle), "inclusionPromise")),
            "no-time",
        ),
        ("no proof", edited(good(), |bundle| remove(entry(bundle), "inclusionProof")), "no-proof"),
        (
            "a second entry without any proof",
            edited(good(), |bundle| {
                let mut bare = entry(bundle).clone();
                remove(&mut bare, "inclusionProof");
                bundle["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(bare);
            }),
            "no-proof",
        ),
        (
            "an edited path in the tree",
            edited(good(), |bundle| {
                let place = &mut entry(bundle)["inclusionProof"]["hashes"][0];
                *place = flipped(place);
            }),
            "proof",
        ),
        (
            "a shorter path in the tree",
            edited(good(), |bundle| {
                entry(bundle)["inclusionProof"]["hashes"].as_array_mut().unwrap().pop();
            }),
            "proof",
        ),
        (
            "another place in the tree",
            edited(second(), |bundle| entry(bundle)["logIndex"] = json!("2")),
            "proof",
        ),
        (
            "a place that the tree does not have",
            edited(good(), |bundle| entry(bundle)["inclusionProof"]["logIndex"] = json!("3")),
            "proof",
        ),
        (
            "a checkpoint of another tree",
            edited(good(), |bundle| {
                let checkpoint = world.lab.log.checkpoint(3, Digest::of(b"another root"));
                entry(bundle)["inclusionProof"]["checkpoint"]["envelope"] = json!(checkpoint);
            }),
            "checkpoint",
        ),
        (
            "a checkpoint of a foreign log about the same tree",
            edited(second(), |bundle| {
                let root = entry(bundle)["inclusionProof"]["rootHash"].as_str().unwrap().to_owned();
                let root = format!(
                    "sha256:{}",
                    unbase64(&root).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
                );
                let checkpoint = world.foreign.log.checkpoint(3, root.parse().unwrap());
                entry(bundle)["inclusionProof"]["checkpoint"]["envelope"] = json!(checkpoint);
            }),
            "checkpoint",
        ),
        (
            "a checkpoint that nobody signed",
            edited(second(), |bundle| {
                let place = &mut entry(bundle)["inclusionProof"]["checkpoint"]["envelope"];
                let note = place.as_str().unwrap().split("\n\n").next().unwrap().to_owned();
                *place = json!(format!("{note}\n\n\u{2014} rekor.lab AAAAAAAA\n"));
            }),
            "checkpoint",
        ),
        (
            "an edited entry",
            edited(good(), |bundle| body(bundle, |text| text.replace("0.0.1", "0.0.2"))),
            "promise",
        ),
        (
            "an entry of another kind",
            edited(good(), |bundle| entry(bundle)["kindVersion"]["version"] = json!("0.0.9")),
            "malformed",
        ),
        (
            "the log's entry of another signature by the same",
            edited(good(), |bundle| {
                let theirs = world.keyless().envelope(&statement(image(), "urn:other", &json!({})));
                *entry(bundle) = theirs["verificationMaterial"]["tlogEntries"][0].clone();
            }),
            "log-entry",
        ),
        (
            "the envelope of another's signature under this entry",
            edited(second(), |bundle| {
                let theirs = world.stamped().envelope(&signed());
                bundle["dsseEnvelope"] = theirs["dsseEnvelope"].clone();
            }),
            "timestamp",
        ),
        (
            "no timestamp where the log has no time",
            edited(second(), |bundle| {
                bundle["verificationMaterial"]["timestampVerificationData"] =
                    json!({"rfc3161Timestamps": []});
            }),
            "no-time",
        ),
        (
            "a foreign timestamp",
            Making::by_leaf(&world.leaf)
                .logged(&world.lab.log, LogVersion::Two, now())
                .stamped(&world.foreign.timestamps, now())
                .envelope(&signed()),
            "timestamp",
        ),
        (
            "an edited timestamp",
            edited(second(), |bundle| {
                let place = &mut bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
                    [0]["signedTimestamp"];
                *place = flipped(place);
            }),
            "timestamp",
        ),
        (
            "a timestamp from before the authority was trusted",
            Making::by_leaf(&world.leaf)
                .logged(&world.lab.log, LogVersion::Two, now())
                .stamped(&world.lab.timestamps, now() - 48.hours())
                .envelope(&signed()),
            "timestamp-window",
        ),
        (
            "one good timestamp and one backdated",
            Making::by_leaf(&world.leaf)
                .logged(&world.lab.log, LogVersion::Two, now())
                .stamped(&world.lab.timestamps, now())
                .stamped(&world.lab.timestamps, now() - 1.hour())
                .envelope(&signed()),
            "certificate-time",
        ),
    ];
    assert!(cases.len() >= 30);
    for (name, bundle, code) in cases {
        refused(name, &judge_by(&[bundle], &authority, &world.lab), code);
    }
}

/// The right authorities, at a time at which they were not trusted.
#[test]
fn authorities_whose_time_is_over_or_has_not_begun() {
    let world = World::new();
    let root: Value = serde_json::from_str(&world.lab.trusted_root()).unwrap();
    let windowed = |places: &[&str], window: Value| {
        let mut root = root.clone();
        for place in places {
            let part = root.pointer_mut(place).unwrap();
            part["validFor"] = window.clone();
        }
        root.to_string()
    };
    let over = json!({"start": (now() - 24.hours()).to_string(), "end": (now() - 1.hour()).to_string()});
    let ahead = json!({"start": (now() + 1.hour()).to_string()});
    let logs = ["/tlogs/0/publicKey", "/tlogs/1/publicKey"];
    let authority = by_identity(&json!({}));
    let (first, second) = (world.keyless().envelope(&signed()), world.stamped().envelope(&signed()));
    let cases = [
        ("certificates, over", windowed(&["/certificateAuthorities/0"], over.clone()), &first, "untrusted"),
        ("certificates, ahead", windowed(&["/certificateAuthorities/0"], ahead.clone()), &first, "untrusted"),
        ("the log of certificates, over", windowed(&["/ctlogs/0/publicKey"], over.clone()), &first, "sct"),
        ("the log, over when it promised", windowed(&logs, over.clone()), &first, "promise"),
        ("the log, ahead", windowed(&logs, ahead.clone()), &second, "checkpoint"),
        ("timestamps, over", windowed(&["/timestampAuthorities/0"], over), &second, "timestamp-window"),
        ("timestamps, ahead", windowed(&["/timestampAuthorities/0"], ahead), &second, "timestamp"),
    ];
    for (name, root, bundle, code) in cases {
        let evidence = evidence(std::slice::from_ref(bundle), Vec::new());
        refused(name, &verified_by_root(&evidence, &authority, &root), code);
    }
}

/// Issuer and subject are each somebody's, but not one person's.
#[test]
fn two_halves_of_two_identities() {
    let world = World::new();
    let mut authority = by_identity(&json!({}));
    authority["authorities"][0]["keyless"]["identities"] = json!([
        {"issuer": WHO.issuer, "subject": "ops@example.com"},
        {"issuer": "https://accounts.example.com", "subject": WHO.subject},
    ]);
    let bundle = world.keyless().envelope(&signed());
    refused("two halves", &judge_by(&[bundle], &authority, &world.lab), "identity");
}
