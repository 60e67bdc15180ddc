//! Tests of the authority: what it makes, what it refuses to read, and what it never shows.

use super::*;
use crate::bundle::CaBundle;
use crate::samples::{assert_holds_nothing_of, now, params, self_signed_with_key};

fn authority() -> Authority {
    Authority::generate(now()).unwrap()
}

fn names() -> ServingNames {
    ServingNames::for_service("gate", "ns").unwrap()
}

#[test]
fn a_new_authority_is_a_ca_for_a_year_that_began_an_hour_ago() {
    let authority = authority();
    let certificate = authority.certificate();
    assert!(certificate.is_ca());
    assert_eq!(certificate.not_before(), now() - BACKDATED);
    assert_eq!(certificate.not_after(), now() + AUTHORITY_LIFE);
    let two_thirds = (AUTHORITY_LIFE + BACKDATED) / 3 * 2;
    assert_eq!(certificate.renewal_due(), now() - BACKDATED + two_thirds);
    assert!(certificate.subject().contains("O=wayguard.io, CN=wayguard-ca-"), "{}", certificate.subject());
    assert_ne!(certificate.subject(), self::authority().certificate().subject());
}

#[test]
fn it_is_read_back_and_still_signs_what_its_bundle_trusts() {
    let made = authority();
    let pem = made.certificate().to_pem();
    let read = Authority::from_pem(pem.as_bytes(), made.key().expose().as_bytes(), now()).unwrap();
    assert_eq!(read.fingerprint(), made.fingerprint());
    assert_eq!(read.key().expose(), made.key().expose());
    let leaf = read.issue(&names(), now()).unwrap();
    assert_eq!(leaf.authority(), Some(made.fingerprint()));
    CaBundle::default().with(made.certificate()).check(&leaf, "gate.ns.svc", now()).unwrap();
}

#[test]
fn a_leaf_lives_ninety_days_and_never_beyond_its_authority() {
    let authority = authority();
    let leaf = authority.issue(&names(), now()).unwrap();
    let certificate = leaf.certificate();
    assert_eq!((certificate.not_before(), certificate.not_after()), (now() - BACKDATED, now() + LEAF_LIFE));
    assert!(!certificate.is_ca() && certificate.is_for_servers());
    assert_eq!(certificate.dns_names(), names().dns());
    let late = now() + AUTHORITY_LIFE - Duration::from_hours(1);
    let short = authority.issue(&names(), late).unwrap();
    assert_eq!(short.certificate().not_after(), authority.certificate().not_after());
}

#[test]
fn each_leaf_has_a_key_of_its_own() {
    let authority = authority();
    let (one, two) =
        (authority.issue_pem(&names(), now()).unwrap(), authority.issue_pem(&names(), now()).unwrap());
    assert_ne!(one.key.expose(), two.key.expose());
    assert_ne!(one.certificate, two.certificate);
}

#[test]
fn names_that_do_not_fit_and_no_names_are_refused() {
    let issue = |names: ServingNames| authority().issue(&names, now()).unwrap_err();
    assert_eq!(issue(ServingNames::default()), AuthorityError::NoNames);
    let error = issue(ServingNames::default().with_dns("bücher.example"));
    assert_eq!(error.to_string(), "`bücher.example` cannot be a DNS name in a certificate: it must be ASCII");
}

#[test]
fn outside_its_life_it_is_read_but_signs_nothing() {
    let made = authority();
    let (pem, key) = (made.certificate().to_pem(), made.key().expose().to_owned());
    for at in [now() - 2 * BACKDATED, now() + AUTHORITY_LIFE + Duration::from_secs(1)] {
        let error = Authority::from_pem(pem.as_bytes(), key.as_bytes(), at).unwrap_err();
        assert!(matches!(error, AuthorityError::Untimely { .. }), "{error}");
        let read = Authority::parse(pem.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(read.issue(&names(), at).unwrap_err(), error);
    }
    let late = now() + AUTHORITY_LIFE + Duration::from_secs(1);
    let error = made.check_time(late).unwrap_err().to_string();
    assert!(error.ends_with("cannot be used: it expired at 2027-10-26T07:33:20Z"), "{error}");
}

#[test]
fn what_is_not_an_authority_is_refused_for_what_it_is() {
    let (one, two) = (authority(), authority());
    let (cert, key) = (one.certificate().to_pem(), one.key().expose().to_owned());
    let parse = |cert: &str, key: &str| Authority::parse(cert.as_bytes(), key.as_bytes()).unwrap_err();
    assert!(matches!(parse(&cert, two.key().expose()), AuthorityError::KeyMismatch { .. }));
    let both = cert.clone() + &two.certificate().to_pem();
    assert_eq!(parse(&both, &key), AuthorityError::SeveralCertificates { count: 2 });
    let (leaf, leaf_key) = self_signed_with_key(&params(&["x"], now()));
    assert_eq!(
        parse(&leaf.to_pem(), &leaf_key).to_string(),
        "the certificate `CN=sample` is not a CA: its basic constraints or key usage forbid signing"
    );
    let mut no_signing = params(&[], now());
    no_signing.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    no_signing.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let (powerless, its_key) = self_signed_with_key(&no_signing);
    assert!(matches!(parse(&powerless.to_pem(), &its_key), AuthorityError::NotACa { .. }));
    let huge = "x".repeat(70_000);
    assert_eq!(
        parse(&huge, &key),
        AuthorityError::Certificate(CertificateError::Pem(PemError::TooLarge { bytes: 70_000 }))
    );
    assert_eq!(parse(&cert, &huge), AuthorityError::Key(PemError::TooLarge { bytes: 70_000 }));
    assert_eq!(parse(&cert, ""), AuthorityError::Key(PemError::NoKey));
    assert_eq!(parse(&cert, pem_text::encode_pkcs8(b"no key").expose()), AuthorityError::UnknownKey);
    let not_x509 = pem_text::encode_certificates([&b"nothing"[..]].into_iter());
    assert!(parse(&not_x509, &key).to_string().contains("certificate 1 is not X.509"));
    let der = one.certificate().der().as_ref();
    let longer = pem_text::encode_certificates([&[der, b"tail"].concat()[..]].into_iter());
    assert!(parse(&longer, &key).to_string().contains("there are bytes after its end"));
}

#[test]
fn keys_of_other_kinds_are_read_and_written_back_as_they_came() {
    for algorithm in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_RSA_SHA256] {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let mut params = params(&[], now());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&pair).unwrap().pem();
        let key = pair.serialize_pem();
        let authority = Authority::from_pem(cert.as_bytes(), key.as_bytes(), now()).unwrap();
        assert_eq!(authority.key().expose(), key);
        let leaf = authority.issue(&names(), now()).unwrap();
        CaBundle::default().with(authority.certificate()).check(&leaf, "gate.ns.svc", now()).unwrap();
    }
}

#[test]
fn a_clock_outside_the_calendar_is_an_error_and_not_a_panic() {
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    for at in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - AUTHORITY_LIFE, far] {
        let error = Authority::generate(at).unwrap_err();
        assert!(matches!(error, AuthorityError::Signing { .. }), "{error}");
    }
    Authority::generate(far - AUTHORITY_LIFE).unwrap();
}

#[test]
fn no_key_is_ever_shown() {
    let authority = authority();
    let pair = authority.issue_pem(&names(), now()).unwrap();
    let leaf = Leaf::from_pem(pair.certificate.as_bytes(), pair.key.expose().as_bytes()).unwrap();
    let shown = format!("{authority:?} {authority:#?} {pair:?} {leaf:?} {:?}", authority.key());
    assert_holds_nothing_of(authority.key().expose(), &shown);
    assert_holds_nothing_of(pair.key.expose(), &shown);

    // Keys in every wrong place and shape: the error says what is wrong, and nothing of the key.
    let key = authority.key().expose();
    let shapes = [
        key.to_owned(),
        key.replace('\n', ""),
        key.replace('\n', " "),
        key.replace("-----END", "----END"),
        key.replacen("KEY-----\n", "KEY-----", 1),
        key.replacen('M', "!", 1),
        key.lines().skip(1).collect::<Vec<_>>().join("\n"),
        key.repeat(2),
        key.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        key.replace("PRIVATE KEY", "CERTIFICATE"),
        key.replace("PRIVATE KEY", "CERTIFICATE").replace('\n', ""),
    ];
    for shape in &shapes {
        for (cert, key_text) in [
            (shape.as_str(), shape.as_str()),
            (&authority.certificate().to_pem(), shape),
            (&pair.certificate, shape),
            (shape, key),
        ] {
            let parsed = Authority::parse(cert.as_bytes(), key_text.as_bytes());
            let loaded = Leaf::from_pem(cert.as_bytes(), key_text.as_bytes());
            let bundled = CaBundle::from_pem(cert.as_bytes());
            let mut said = format!("{parsed:?} {loaded:?} {bundled:?}");
            said.extend(parsed.err().map(|error| error.to_string()));
            said.extend(loaded.err().map(|error| error.to_string()));
            said.extend(bundled.err().map(|error| error.to_string()));
            assert_holds_nothing_of(key, &said);
        }
    }
}
