//! Who may sign, of scripted API servers: what is broken never lets more in than before.

use super::*;
use crate::fake_api::{client, eventually, failure};
use serde_json::{Value, json};
use std::sync::Mutex;
use wayguard_images::reference::Reference;

/// Public keys that nobody has the private halves of any more.
const KEY: &str = include_str!("../../tests/keys/one.pub");
const OTHER: &str = include_str!("../../tests/keys/other.pub");

fn object(name: &str, generation: i64, spec: &Value) -> Value {
    json!({"metadata": {"name": name, "generation": generation, "uid": name, "resourceVersion": "1"}, "spec": spec})
}

fn by_key(key: &Value) -> Value {
    json!({"images": ["ghcr.io/team"], "authorities": [{"name": "release", "keys": [key]}]})
}

fn in_secret() -> Value {
    by_key(&json!({"secret": {"name": "keys", "key": "cosign.pub"}}))
}

fn secret(text: &str) -> Value {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(text);
    json!({"metadata": {"name": "keys", "namespace": "own", "resourceVersion": "1"}, "data": {"cosign.pub": data}})
}

/// Lists by plural; `None`: it may not be listed.
type Lists = std::collections::BTreeMap<&'static str, Option<Vec<Value>>>;

/// What the API server has.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Lists>>);

impl World {
    fn put(&self, plural: &'static str, items: Option<Vec<Value>>) {
        self.0.lock().unwrap().insert(plural, items);
    }

    fn client(&self) -> Client {
        let world = self.clone();
        client(move |line, _| {
            let plurals = ["imageauthorities", "trustroots", "secrets", "configmaps"];
            let plural = plurals.into_iter().find(|plural| line.contains(plural)).unwrap_or_default();
            let held = world.0.lock().unwrap().get(plural).cloned().unwrap_or(Some(Vec::new()));
            let Some(items) = held else { return failure(403, "Forbidden", "cannot list it") };
            if line.contains("watch=true") {
                // Everything is listed again each time: what a watch tells is the mirror's business.
                return failure(410, "Expired", "too old");
            }
            let named = line.split(plural).nth(1).unwrap_or_default().trim_start_matches('/');
            let name = named.split('?').next().unwrap_or_default();
            if !name.is_empty() {
                let found = items.iter().find(|item| item["metadata"]["name"] == name);
                return found
                    .map_or_else(|| failure(404, "NotFound", "not found"), |it| (200, it.to_string()));
            }
            (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string())
        })
        .0
    }
}

fn image() -> Reference {
    "ghcr.io/team/app:1".parse().unwrap()
}

async fn first(watch: &TrustWatch) -> Arc<Trusted> {
    let mut changes = watch.changes();
    let first = tokio::time::timeout(Duration::from_secs(10), changes.wait_for(Option::is_some));
    first.await.unwrap().unwrap().clone().unwrap()
}

fn told(trusted: &Trusted) -> String {
    trusted.authorities_told.iter().chain(&trusted.roots_told).flat_map(|item| item.errors.clone()).collect()
}

#[tokio::test]
async fn a_key_in_a_secret_is_believed_while_it_is_there() {
    let world = World::default();
    world.put("imageauthorities", Some(vec![object("team", 1, &in_secret())]));
    world.put("secrets", Some(vec![secret(KEY)]));
    let watch = TrustWatch::start(&world.client(), "own");
    let before = first(&watch).await.authorities.content_for(&image());
    let content = || watch.trusted().unwrap().authorities.content_for(&image());
    world.put("secrets", Some(vec![secret(OTHER)]));
    eventually("the other key", || content() != before).await;
    assert_eq!(told(&watch.trusted().unwrap()), "");
    // Nonsense in its place is a slip of the pen…
    let other = content();
    world.put("secrets", Some(vec![secret("no key")]));
    eventually("what is said of it", || told(&watch.trusted().unwrap()).contains("stays in force")).await;
    assert_eq!(content(), other);
    // … and a key that is gone was taken away.
    world.put("secrets", Some(Vec::new()));
    eventually("nothing is let in", || {
        told(&watch.trusted().unwrap()).contains("no image of which it speaks")
    })
    .await;
    let trusted = watch.trusted().unwrap();
    let [sealed] = trusted.authorities.of(&image()).try_into().unwrap();
    assert!(sealed.why_sealed().unwrap().contains("there is none in the namespace `own`"), "{sealed:?}");
}

#[tokio::test]
async fn what_never_could_be_used_lets_nothing_in_and_its_neighbours_go_on() {
    let world = World::default();
    let misspelt = json!({"images": ["ghcr.io/team", "not a pattern"], "authorites": []});
    let rootless = json!({"images": ["quay.io"], "authorities": [{"name": "ci", "keyless":
        {"trustRoot": "lab", "identities": [{"issuer": "https://a.example", "subject": "b"}]}}]});
    world.put(
        "imageauthorities",
        Some(vec![
            object("good", 1, &by_key(&json!({"pem": KEY}))),
            object("misspelt", 2, &misspelt),
            object("rootless", 3, &rootless),
        ]),
    );
    world.put("trustroots", Some(vec![object("lab", 1, &json!({"trustedRoot": "{"}))]));
    let trusted = first(&TrustWatch::start(&world.client(), "own")).await;
    let speaking: Vec<_> = trusted
        .authorities
        .of(&image())
        .iter()
        .map(|it| (it.name().to_owned(), it.why_sealed().is_some()))
        .collect();
    assert_eq!(speaking, [("good".to_owned(), false), ("misspelt".to_owned(), true)]);
    let told = told(&trusted);
    for words in
        ["unknown field `authorites`", "the trust root `lab` cannot be used", "it is no `trusted_root.json`"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(trusted.authorities_told[1].generation, 2);
    assert!(trusted.authorities_told[0].loaded && !trusted.authorities_told[1].loaded);
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_says_how_it_may() {
    let world = World::default();
    world.put("imageauthorities", Some(vec![object("team", 1, &in_secret())]));
    world.put("secrets", None);
    let trusted = first(&TrustWatch::start(&world.client(), "own")).await;
    let told = told(&trusted);
    assert!(told.contains("`wayguard install --secret keys` grants: cannot list it"), "{told}");
}

#[tokio::test]
async fn kinds_that_are_not_installed_are_said_to_be() {
    let (client, _) = client(|_, _| failure(404, "NotFound", "no such kind"));
    let watch = TrustWatch::start(&client, "own");
    eventually("the problem", || watch.problem().is_some()).await;
    assert!(watch.problem().unwrap().contains("are not installed; `wayguard install`"));
    assert!(watch.trusted().is_none());
}

#[tokio::test]
async fn what_is_applied_is_checked_against_what_there_is_now() {
    let world = World::default();
    world.put("secrets", Some(vec![secret(KEY)]));
    let client = world.client();
    let said = |kind: &'static str, spec: Value| {
        let client = client.clone();
        async move { check(&client, "own", kind, "team", spec).await }
    };
    assert_eq!(said("ImageAuthority", in_secret()).await, Some(Ok(())));
    assert_eq!(said("ClaimApproval", json!({})).await, None);
    let keyless = |root: &str, subject: &str| {
        json!({"images": ["ghcr.io"], "authorities": [{"name": "ci", "keyless": {"trustRoot": root,
            "identities": [{"issuer": "https://a.example", "subjectRegex": subject}]}}]})
    };
    for (kind, spec, words) in [
        ("ImageAuthority", Value::Null, "ImageAuthority `team`: `spec` is missing"),
        ("ImageAuthority", json!({"images": [], "authorities": []}), "`images`: it is empty"),
        ("ImageAuthority", by_key(&json!({"pem": "no key"})), "`authorities[0].keys[0]`: "),
        (
            "ImageAuthority",
            by_key(&json!({"file": "cosign.pub"})),
            "files are read on the command line alone",
        ),
        (
            "ImageAuthority",
            by_key(&json!({"secret": {"name": "keys", "key": "other"}})),
            "it has no such key; it has `cosign.pub`",
        ),
        (
            "ImageAuthority",
            by_key(&json!({"configMap": {"name": "gone", "key": "a"}})),
            "there is none in the namespace",
        ),
        ("ImageAuthority", keyless("lab", "a@b"), "there is no trust root `lab`; a TrustRoot of that name"),
        ("ImageAuthority", keyless("public-good", "(a@b"), "it is no regular expression"),
        ("ImageAuthority", keyless("public-good", ".*"), "it matches everybody"),
        ("TrustRoot", json!({"trustedRoot": "{"}), "TrustRoot `team`: it is no `trusted_root.json`"),
        ("TrustRoot", json!({}), "one of `trustedRoot`, `configMap`, `file` and `instance`"),
        ("TrustRoot", json!({"trustRoot": ""}), "unknown field `trustRoot`"),
    ] {
        let message = said(kind, spec).await.unwrap().unwrap_err();
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[tokio::test]
async fn a_command_reads_what_a_replica_would() {
    let world = World::default();
    world.put("imageauthorities", Some(vec![object("team", 1, &in_secret())]));
    world.put("secrets", Some(vec![secret(KEY)]));
    let client = world.client();
    let watched = first(&TrustWatch::start(&client, "own")).await;
    assert_eq!(read(&client, "own").await.unwrap(), *watched);
}
