//! An `ImageAuthority` as people write it, compiled or refused.

use super::*;
use crate::fixtures::{Key, Sigstore};
use crate::trust::{KeyProblem, NoTexts, ObjectKey, TextReference};
use serde_json::{Value, json};

struct Secrets;

impl Texts for Secrets {
    fn text(&self, reference: &TextReference) -> Result<String, String> {
        match reference {
            TextReference::Secret(ObjectKey { name, .. }) if name == "release" => {
                Ok(Key::p256().public_pem())
            }
            _ => Err("there is none".to_owned()),
        }
    }
}

fn compiled(spec: &Value) -> Result<ImageAuthority, AuthorityProblem> {
    let mut roots = Roots::default();
    let lab = Sigstore::new("lab").trusted_root();
    roots.put("lab", TrustRoot::from_json("lab", &lab));
    let mut bare: Value = serde_json::from_str(&lab).unwrap();
    for part in ["tlogs", "ctlogs", "timestampAuthorities"] {
        bare[part] = json!([]);
    }
    roots.put("bare", TrustRoot::from_json("bare", &bare.to_string()));
    roots.put("broken", TrustRoot::from_json("broken", "{"));
    let spec: ImageAuthoritySpec = serde_json::from_value(spec.clone()).unwrap();
    ImageAuthority::compile("release", &spec, &roots, &Secrets)
}

fn keyless(root: &str) -> Value {
    json!({"trustRoot": root, "identities": [{"issuer": "https://token.example", "subject": "ci@example"}]})
}

/// With one authority; what is given replaces or adds.
fn with(authority: &Value) -> Value {
    let mut one = json!({"name": "a"});
    one.as_object_mut().unwrap().extend(authority.as_object().unwrap().clone());
    json!({"images": ["ghcr.io/team"], "authorities": [one]})
}

fn problem(spec: &Value) -> String {
    compiled(spec).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn defaults_depend_on_what_can_be_proven() {
    let pem = Key::p256().public_pem();
    let cases = [
        (json!({"keys": [{"pem": pem}]}), (Wanted::Off, Wanted::Off, Wanted::Off)),
        (
            json!({"keys": [{"pem": pem}], "trustRoot": "lab"}),
            (Wanted::Required, Wanted::Optional, Wanted::Off),
        ),
        (json!({"keyless": keyless("lab")}), (Wanted::Required, Wanted::Optional, Wanted::Required)),
        (json!({"keyless": keyless("public-good")}), (Wanted::Required, Wanted::Optional, Wanted::Required)),
        (
            json!({"keyless": keyless("github"), "transparencyLog": "off", "timestamps": "required", "sct": "off"}),
            (Wanted::Off, Wanted::Required, Wanted::Off),
        ),
    ];
    for (authority, expected) in cases {
        let compiled = compiled(&with(&authority)).unwrap_or_else(|problem| panic!("{problem}"));
        let [one] = compiled.authorities() else { panic!("one authority") };
        assert_eq!((one.log, one.timestamps, one.sct), expected, "{authority}");
    }
}

#[test]
fn mistakes_say_where_they_are_and_what_would_work() {
    let pem = Key::p256().public_pem();
    let key = json!({"pem": pem});
    let cases = [
        (json!({"images": [], "authorities": []}), "`images`: it is empty; name repositories"),
        (json!({"images": ["team"], "authorities": [{"name": "a"}]}), "`images[0]`: `team` is no pattern"),
        (json!({"images": ["ghcr.io"], "authorities": []}), "`authorities`: it is empty"),
        (with(&json!({})), "`authorities[0]`: it says neither; say `keys` or `keyless`"),
        (with(&json!({"keys": [key], "keyless": keyless("lab")})), "`authorities[0]`: it says both"),
        (with(&json!({"name": "", "keys": [key]})), "`authorities[0].name`: a name has 1 to 63"),
        (with(&json!({"keys": [{}]})), "`authorities[0].keys[0]`: one of `pem`"),
        (
            with(&json!({"keys": [{"pem": pem, "file": "x"}]})),
            "`authorities[0].keys[0]`: one of `pem`, `configMap`, `secret` and `file` says where the key is, and 2",
        ),
        (
            with(&json!({"keys": [{"configMap": {"name": "keys", "key": "a.pub"}}]})),
            "`authorities[0].keys[0]`: `a.pub` of ConfigMap `keys` cannot be read: there is none",
        ),
        (with(&json!({"keys": [key, key]})), "`authorities[0].keys[1]`: the key sha256:"),
        (
            with(&json!({"keys": [key], "trustRoot": "nowhere"})),
            "`authorities[0].trustRoot`: there is no trust root `nowhere`",
        ),
        (
            with(&json!({"keyless": keyless("broken")})),
            "`authorities[0].keyless.trustRoot`: the trust root `broken` cannot be used: it is no `trusted_root.json`",
        ),
        (
            with(&json!({"keyless": keyless("lab"), "trustRoot": "lab"})),
            "`authorities[0].trustRoot`: with `keyless`",
        ),
        (
            with(&json!({"keyless": {"trustRoot": "lab", "identities": []}})),
            "`authorities[0].keyless.identities`: it is empty",
        ),
        (
            with(
                &json!({"keyless": {"trustRoot": "lab", "identities": [{"issuer": "x", "subjectRegex": "("}]}}),
            ),
            "`authorities[0].keyless.identities[0].subjectRegex`: it is no regular expression: unclosed group",
        ),
        (
            with(&json!({"keys": [key], "transparencyLog": "required"})),
            "`authorities[0].transparencyLog`: it needs a trust root",
        ),
        (
            with(&json!({"keys": [key], "timestamps": "optional"})),
            "`authorities[0].timestamps`: it needs a trust",
        ),
        (with(&json!({"keys": [key], "sct": "required"})), "`authorities[0].sct`: keys have no certificate"),
        (
            with(&json!({"keyless": keyless("bare")})),
            "`authorities[0].transparencyLog`: the trust root `bare` has no transparency logs; `transparencyLog: off`",
        ),
        (
            with(&json!({"keyless": keyless("lab"), "transparencyLog": "off", "timestamps": "off"})),
            "`authorities[0]`: a keyless signature is only as good as the time",
        ),
    ];
    for (spec, expected) in cases {
        let found = problem(&spec);
        assert!(found.starts_with(expected), "{spec}\nfound:    {found}\nexpected: {expected}");
    }
}

#[test]
fn a_threshold_must_be_possible() {
    let mut spec = with(&json!({"keys": [{"pem": Key::p256().public_pem()}]}));
    spec["require"] = json!({"count": 0});
    assert!(problem(&spec).starts_with("`require.count`: at least 1"));
    spec["require"] = json!({"count": 2});
    assert_eq!(problem(&spec), "`require.count`: 2 must sign, and only 1 can: there are no more keys");
    spec["require"] = json!({"distinctLogs": true});
    assert!(problem(&spec).starts_with("`require.distinctLogs`: an authority whose `transparencyLog`"));
}

#[test]
fn keys_are_read_from_where_they_are() {
    let secret = json!({"secret": {"name": "release", "key": "cosign.pub"}});
    assert!(compiled(&with(&json!({"keys": [secret]}))).is_ok());
    let spec: ImageAuthoritySpec = serde_json::from_value(with(&json!({"keys": [secret]}))).unwrap();
    let refused = ImageAuthority::compile("a", &spec, &Roots::default(), &NoTexts).unwrap_err();
    assert!(matches!(refused.problem, Problem::Text { .. }));
    let wrong = with(&json!({"keys": [{"pem": "x"}]}));
    assert_eq!(compiled(&wrong).unwrap_err().problem, Problem::Key(KeyProblem::NotPem));
}

#[test]
fn fields_that_are_not_known_are_refused() {
    let spec = with(&json!({"keyles": keyless("lab")}));
    let error = serde_json::from_value::<ImageAuthoritySpec>(spec).unwrap_err().to_string();
    assert!(
        error.starts_with("unknown field `keyles`, expected one of `name`, `keys`, `keyless`"),
        "{error}"
    );
}

#[test]
fn the_digest_follows_what_a_verdict_depends_on() {
    let pem = Key::p256().public_pem();
    let one = with(&json!({"keys": [{"pem": pem}]}));
    let content = |spec: &Value| compiled(spec).unwrap().content();
    assert_eq!(content(&one), content(&one));
    assert_ne!(content(&one), content(&with(&json!({"keys": [{"pem": pem}], "legacy": true}))));
    // The same words, and another key behind them.
    let secret = with(&json!({"keys": [{"secret": {"name": "release", "key": "cosign.pub"}}]}));
    assert_ne!(content(&secret), content(&secret));
    let rooted = with(&json!({"keyless": keyless("lab")}));
    assert_ne!(content(&rooted), content(&rooted), "each time another lab");
}

#[test]
fn only_those_that_cover_an_image_are_asked() {
    let pem = Key::p256().public_pem();
    let team = compiled(&with(&json!({"keys": [{"pem": pem}]}))).unwrap();
    let all = ImageAuthorities::new([team]);
    let parse = |text: &str| text.parse::<Reference>().unwrap();
    assert_eq!(all.of(&parse("ghcr.io/team/app:v1")).len(), 1);
    assert!(all.of(&parse("ghcr.io/other/app:v1")).is_empty());
    assert!(all.name_registry("ghcr.io") && !all.name_registry("ghcr.io.evil.example"));
    assert_ne!(all.content_for(&parse("ghcr.io/team/app")), all.content_for(&parse("ghcr.io/other/app")));
}

#[test]
fn one_that_cannot_be_used_speaks_of_its_images_all_the_same() {
    let images = ["ghcr.io/team".to_owned(), "no pattern !".to_owned()];
    let sealed = ImageAuthority::sealed("team", &images, "its key is gone");
    assert!(sealed.covers(&"ghcr.io/team/app:1".parse().unwrap()));
    assert!(!sealed.covers(&"ghcr.io/other/app:1".parse().unwrap()));
    assert_ne!(sealed.content(), ImageAuthority::sealed("team", &images, "another reason").content());
    let good = compiled(&with(&json!({"keys": [{"pem": Key::p256().public_pem()}]}))).unwrap();
    let all = ImageAuthorities::new([good]).and(&ImageAuthorities::new([sealed]));
    assert_eq!(all.of(&"ghcr.io/team/app:1".parse().unwrap()).len(), 2);
    assert_eq!(all.hosts().into_iter().collect::<Vec<_>>(), ["ghcr.io"]);
}
