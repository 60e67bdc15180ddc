//! What counts: every way to sign that an authority can name, made by the private sigstore of the fixtures.

use super::tests_world::*;
use super::*;
use crate::fixtures::{Key, LogVersion, Making, SIGNED, Sigstore, simple_signing, statement};
use serde_json::json;

#[test]
fn a_key_signs_with_nothing_beside_it() {
    for key in [Key::p256(), Key::p384(), Key::rsa()] {
        let bundle = Making::by_key(&key).envelope(&signed());
        let verified = judge(&[bundle], &by_keys(&[&key], &json!({})));
        let [signature] = verified.signatures.as_slice() else { panic!("{verified:?}") };
        assert_eq!(signature.signer.key, Some(key.fingerprint()));
        assert_eq!(signature.signer.authority, "team");
        assert!(signature.signer.times.is_empty() && signature.signer.logs.is_empty());
        assert!(verified.satisfied());
    }
}

#[test]
fn a_key_signs_the_manifest_itself() {
    let key = Key::p256();
    let bundle = Making::by_key(&key).message(MANIFEST);
    assert!(judge(&[bundle], &by_keys(&[&key], &json!({}))).satisfied());
}

#[test]
fn a_key_signs_into_a_log_and_is_stamped() {
    let sigstore = Sigstore::new("lab");
    let kinds = [Key::p256(), Key::p384(), Key::rsa()];
    let versions = [LogVersion::One, LogVersion::Two];
    for (key, version) in kinds.iter().flat_map(|key| versions.map(|version| (key, version))) {
        let making =
            Making::by_key(key).logged(&sigstore.log, version, now()).stamped(&sigstore.timestamps, now());
        // A key on P-384 hashes with SHA-384, and of the manifest only the SHA-256 is known.
        let message = (!std::ptr::eq(key, &raw const kinds[1])).then(|| making.message(MANIFEST));
        for bundle in [Some(making.envelope(&signed())), message].into_iter().flatten() {
            let evidence =
                json!({"trustRoot": "lab", "transparencyLog": "required", "timestamps": "required"});
            let verified = judge_by(&[bundle], &by_keys(&[key], &evidence), &sigstore);
            let [signature] = verified.signatures.as_slice() else { panic!("{version:?} {verified:?}") };
            assert_eq!(signature.signer.logs, [sigstore.log.address()]);
            assert!(signature.signer.times.contains(&now_in_seconds()));
        }
    }
}

#[test]
fn an_identity_signs_through_each_log_and_timestamp() {
    let sigstore = Sigstore::new("lab");
    let leaf = sigstore.leaf(WHO, now());
    let makings = [
        Making::by_leaf(&leaf).logged(&sigstore.log, LogVersion::One, now()),
        Making::by_leaf(&leaf)
            .logged(&sigstore.log, LogVersion::One, now())
            .stamped(&sigstore.timestamps, now()),
        Making::by_leaf(&leaf)
            .logged(&sigstore.log, LogVersion::Two, now())
            .stamped(&sigstore.timestamps, now()),
    ];
    for making in makings {
        for bundle in [making.envelope(&signed()), making.message(MANIFEST)] {
            let verified = judge_by(&[bundle], &by_identity(&json!({})), &sigstore);
            let [signature] = verified.signatures.as_slice() else { panic!("{verified:?}") };
            let certificate = signature.signer.certificate.as_ref().unwrap();
            assert_eq!(
                (certificate.subject.as_str(), certificate.issuer.as_str()),
                (WHO.subject, WHO.issuer)
            );
            assert!(verified.rejected.is_empty());
        }
    }
}

#[test]
fn an_identity_needs_no_log_where_a_timestamp_is_enough() {
    let sigstore = Sigstore::new("lab");
    let leaf = sigstore.leaf_without_sct(WHO, now());
    let bundle = Making::by_leaf(&leaf).stamped(&sigstore.timestamps, now()).envelope(&signed());
    let authority =
        by_identity(&json!({"transparencyLog": "off", "timestamps": "required", "sct": "optional"}));
    assert!(judge_by(&[bundle], &authority, &sigstore).satisfied());
}

#[test]
fn the_layout_before_bundles_counts_where_it_is_said_to() {
    let (sigstore, key) = (Sigstore::new("lab"), Key::p256());
    let leaf = sigstore.leaf(WHO, now());
    let attested = statement(image(), "https://example.com/scan", &json!({"clean": true}));
    let by_key = by_keys(&[&key], &json!({"legacy": true}));
    let by_logged_key = by_keys(&[&key], &json!({"legacy": true, "trustRoot": "lab"}));
    let by_identity = by_identity(&json!({"legacy": true}));
    let cases = [
        (Making::by_key(&key), &by_key),
        (Making::by_key(&key).logged(&sigstore.log, LogVersion::One, now()), &by_logged_key),
        (Making::by_leaf(&leaf).logged(&sigstore.log, LogVersion::One, now()), &by_identity),
        (
            Making::by_leaf(&leaf)
                .logged(&sigstore.log, LogVersion::One, now())
                .stamped(&sigstore.timestamps, now()),
            &by_identity,
        ),
    ];
    for (making, authority) in cases {
        let layers =
            vec![making.signature_layer(&simple_signing(image())), making.attestation_layer(&attested)];
        let verified = verified_by(evidence(&[], layers), authority, &sigstore);
        assert_eq!((verified.signatures.len(), verified.attestations.len()), (1, 1), "{verified:?}");
        assert_eq!(verified.attestations[0].predicate["clean"], true);
        assert_eq!(verified.signatures[0].signer.format, Format::Legacy);
        let logged = verified.signatures[0].signer.logs.len();
        assert_eq!(logged, usize::from(!std::ptr::eq(authority, &raw const by_key)));
    }
}

#[test]
fn attestations_of_any_type_are_kept_with_what_they_say() {
    let key = Key::p256();
    let bundles: Vec<_> = ["https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom", "urn:of-ones-own"]
        .map(|kind| Making::by_key(&key).envelope(&statement(image(), kind, &json!({"kind": kind}))))
        .to_vec();
    let verified = judge(&bundles, &by_keys(&[&key], &json!({"vex": true})));
    assert_eq!(verified.attestations.len(), 3);
    assert!(verified.attestations.iter().all(|one| one.vex && one.predicate["kind"] == one.predicate_type));
    assert!(!verified.satisfied(), "an attestation is no signature of the image");
}

#[test]
fn a_threshold_counts_signers_and_not_signatures() {
    let (one, two) = (Key::p256(), Key::p256());
    let mut authority = by_keys(&[&one, &two], &json!({}));
    authority["require"] = json!({"count": 2});
    let by = |key: &Key| Making::by_key(key).envelope(&signed());
    let verified = judge(&[by(&one), by(&one)], &authority);
    assert_eq!((verified.required[0].signers, verified.satisfied()), (1, false));
    let verified = judge(&[by(&one), by(&two)], &authority);
    assert_eq!((verified.required[0].signers, verified.satisfied()), (2, true));
}

#[test]
fn a_threshold_can_ask_for_different_logs() {
    let sigstore = Sigstore::new("lab");
    let (one, two) = (Key::p256(), Key::p256());
    let mut authority = by_keys(&[&one, &two], &json!({"trustRoot": "lab"}));
    authority["require"] = json!({"count": 2, "distinctLogs": true});
    let by = |key, log| Making::by_key(key).logged(log, LogVersion::One, now()).envelope(&signed());
    let same = [by(&one, &sigstore.log), by(&two, &sigstore.log)];
    assert!(!judge_by(&same, &authority, &sigstore).satisfied());
    let different = [by(&one, &sigstore.log), by(&two, &sigstore.second_log)];
    assert!(judge_by(&different, &authority, &sigstore).satisfied());
    // An entry's own word for its log is not signed by the second version of the log.
    let mut posing = Making::by_key(&two)
        .logged(&sigstore.log, LogVersion::Two, now())
        .stamped(&sigstore.timestamps, now())
        .envelope(&signed());
    posing["verificationMaterial"]["tlogEntries"][0]["logId"]["keyId"] =
        json!(crate::fixtures::base64(sigstore.second_log.id().bytes()));
    assert!(!judge_by(&[by(&one, &sigstore.log), posing], &authority, &sigstore).satisfied());
}

#[test]
fn every_authority_judges_everything() {
    let (one, two) = (Key::p256(), Key::p256());
    let bundle = Making::by_key(&one).envelope(&signed());
    let mut authority = by_keys(&[&one], &json!({}));
    let other = by_keys(&[&two], &json!({"name": "others"}));
    authority["authorities"].as_array_mut().unwrap().extend(other["authorities"].as_array().unwrap().clone());
    let verified = judge(&[bundle], &authority);
    assert_eq!(verified.signatures.len(), 1);
    let [rejected] = verified.rejected.as_slice() else { panic!("{verified:?}") };
    assert_eq!(rejected.authority, Some(("images".to_owned(), "others".to_owned())));
    assert_eq!(rejected.reason, Reason::WrongKey);
    assert_eq!(SIGNED, "https://sigstore.dev/cosign/sign/v1");
}
