//! What is stored is read whole or not at all, and what is in force follows from objects and archives alone.

use super::*;
use crate::fake_api::client;
use bytes::Bytes;
use kube::api::DynamicObject;
use serde_json::{Value, json};
use wayguard_bundle::archive::Archive;
use wayguard_bundle::artifact::{Artifact, LAYER};
use wayguard_bundle::manifest::Manifest;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::{Action, PolicySpec, Source};
use wayguard_engine::{PolicySet, PolicySetBuilder};

const OWN: &str = "wayguard-system";

const POLICY: &str = "# METADATA
# scope: package
# title: Shops have owners
# description: For a test.
# custom:
#   severity: low
#   category: shop
#   remedy: Say who owns it.
#   match:
#     resourceRules: [{apiGroups: [''], resources: [configmaps], operations: [CREATE]}]
package shop.owner

deny contains \"no owner\" if not input.review.object.metadata.labels.owner
";

fn library(more: &[(&str, &str)]) -> Library {
    let bundle = |name: &str, policy: &str| {
        format!(
            "apiVersion: wayguard.io/v1alpha1\nkind: Bundle\nmetadata: {{name: {name}}}\nspec:\n  policies:\n    - {policy}\n"
        )
    };
    let mut files: BTreeMap<String, String> = [
        ("shop/owner/policy.rego".to_owned(), POLICY.to_owned()),
        ("bundles/shop.yaml".to_owned(), bundle("shop", "{policy: shop/owner, action: Warn}")),
        ("bundles/strict.yaml".to_owned(), bundle("strict", "{policy: shop/owner, action: Deny}")),
        ("bundles/tags.yaml".to_owned(), bundle("tags", "{policy: images/latest-tag, action: Audit}")),
    ]
    .into();
    files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    Library::from_files(files)
}

fn artifact(version: &str, library: Library) -> Artifact {
    let archive = Archive { manifest: Manifest::of("acme", &version.parse().unwrap(), &library), library };
    let bytes = archive.pack().unwrap();
    let config = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(b"{}").to_string(), "size": 2});
    let layer = json!({"mediaType": LAYER, "digest": Digest::of(&bytes).to_string(), "size": bytes.len()});
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [layer]});
    let manifest = Bytes::from(manifest.to_string());
    Artifact::from_parts(Digest::of(&manifest), manifest, bytes).unwrap()
}

fn stored(version: &str, library: Library) -> Arc<Stored> {
    Arc::new(Stored::of(&artifact(version, library)).unwrap())
}

fn spec(digest: Digest, enforce: &[&str]) -> PolicyBundleSpec {
    PolicyBundleSpec {
        image: format!("ghcr.io/acme/policies@{digest}"),
        enforce: enforce.iter().map(|name| (*name).to_owned()).collect(),
        allow_rollback: false,
    }
}

fn bundled(name: &str, stored: &Arc<Stored>, enforce: &[&str]) -> Bundled {
    Bundled {
        name: name.to_owned(),
        generation: 1,
        spec: Some(spec(stored.digest, enforce)),
        stored: Some(Arc::clone(stored)),
        problem: None,
    }
}

fn object(name: &str, spec: &Value) -> Object<PolicyBundleSpec> {
    let object = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "PolicyBundle",
        "metadata": {"name": name, "generation": 2, "uid": "u"}, "spec": spec});
    Object::read(serde_json::from_value::<DynamicObject>(object).unwrap())
}

/// What an API server has been asked to keep: each body by the order in which it came.
async fn written(artifact: &Artifact) -> Vec<Value> {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    let (client, _) = client(move |_, body| {
        seen.lock().unwrap().push(serde_json::from_str::<Value>(body).unwrap());
        (201, body.to_owned())
    });
    let about = Stored::of(artifact).unwrap().about;
    store::write(&client, OWN, "acme", artifact, &about).await.unwrap();
    bodies.lock().unwrap().clone()
}

fn kept(bodies: &[Value]) -> BTreeMap<Key, Arc<Kept>> {
    let read = |body: &Value| {
        let mut body = body.clone();
        body["apiVersion"] = "v1".into();
        body["kind"] = "ConfigMap".into();
        let kept = Kept::read(serde_json::from_value(body).unwrap()).unwrap();
        ((OWN.to_owned(), kept.name.clone()), Arc::new(kept))
    };
    bodies.iter().map(read).collect()
}

/// Text that does not become small by compression.
fn noise(bytes: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    let mut text = String::from("package lib.noise\n\n");
    while text.len() < bytes {
        text.push_str("# ");
        text.push_str(&next());
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn what_is_stored_in_parts_is_read_whole_or_not_at_all() {
    let large = noise(3 << 20);
    let artifact = artifact("1.0.0", library(&[("lib/noise.rego", &large)]));
    let bodies = written(&artifact).await;
    assert!(bodies.len() > 2, "{} ConfigMaps", bodies.len());
    assert!(bodies.iter().all(|body| body.to_string().len() < 1 << 20));
    let names: Vec<_> = bodies.iter().map(|body| body["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(*names.last().unwrap(), "policybundle-acme", "the index comes last");
    assert!(bodies[..bodies.len() - 1].iter().all(|part| part["immutable"] == true));

    let whole = kept(&bodies);
    assert_eq!(store::assemble("acme", &whole, OWN).unwrap().unwrap().archive, artifact.archive);
    assert!(store::assemble("other", &whole, OWN).is_none());
    let lacking = kept(&bodies[1..]);
    let error = store::assemble("acme", &lacking, OWN).unwrap().unwrap_err();
    assert!(error.contains(names[0]) && error.contains("is missing"), "{error}");
    let mut swapped = bodies.clone();
    let (one, two) = (swapped[0]["binaryData"].clone(), swapped[1]["binaryData"].clone());
    (swapped[0]["binaryData"], swapped[1]["binaryData"]) = (two, one);
    let error = store::assemble("acme", &kept(&swapped), OWN).unwrap().unwrap_err();
    assert!(error.contains("what is stored of `acme` cannot be used"), "{error}");
    // A part of another bundle is none of this one's.
    let mut foreign = bodies.clone();
    foreign[0]["metadata"]["labels"][LABEL] = "other".into();
    assert!(store::assemble("acme", &kept(&foreign), OWN).unwrap().is_err());
    // Parts of another digest are left over, these and the index are not.
    for one in whole.values() {
        assert!(!store::is_left_over(one, artifact.digest));
        assert_eq!(store::is_left_over(one, Digest::of(b"x")), one.name != "policybundle-acme");
    }
}

#[tokio::test]
async fn a_part_that_holds_something_else_is_made_anew() {
    let artifact = artifact("1.0.0", library(&[]));
    let gone = Arc::new(Mutex::new(false));
    let switch = Arc::clone(&gone);
    let (client, log) = client(move |line, body| {
        let named = |line: &str| {
            line.split('/').next_back().unwrap_or_default().split('?').next().unwrap().to_owned()
        };
        match line.split(' ').next().unwrap() {
            "POST" if !*switch.lock().unwrap() => {
                crate::fake_api::failure(409, "AlreadyExists", "it exists already")
            }
            "GET" => (
                200,
                json!({"metadata": {"name": named(line), "uid": "old"}, "binaryData": {"archive": "b3RoZXI="}})
                    .to_string(),
            ),
            "DELETE" => {
                assert!(body.contains("\"uid\":\"old\""), "{body}");
                *switch.lock().unwrap() = true;
                (200, json!({"kind": "Status", "status": "Success"}).to_string())
            }
            _ => (201, body.to_owned()),
        }
    });
    let about = Stored::of(&artifact).unwrap().about;
    store::write(&client, OWN, "acme", &artifact, &about).await.unwrap();
    let verbs: Vec<String> =
        log.lock().unwrap().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(verbs, ["POST", "GET", "DELETE", "POST", "PATCH"]);
}

#[tokio::test]
async fn what_was_good_stays_in_force_while_what_follows_cannot_be_used() {
    let (first, second) =
        (artifact("1.0.0", library(&[])), artifact("1.1.0", library(&[("lib/a.rego", "package lib.a\n")])));
    let mut good = Good::default();
    let wanted = |digest: Digest| object("acme", &json!(spec(digest, &["shop"])));
    // Nothing is stored yet.
    let now = read(OWN, &wanted(first.digest), &BTreeMap::new(), &mut good);
    assert!(now.stored.is_none() && now.problem.is_none() && !now.is_current());
    let one = kept(&written(&first).await);
    let now = read(OWN, &wanted(first.digest), &one, &mut good);
    assert_eq!(now.stored.as_ref().unwrap().about.version.to_string(), "1.0.0");
    assert!(now.is_current());
    // The object names another one, which is not stored yet.
    let now = read(OWN, &wanted(second.digest), &one, &mut good);
    assert_eq!(now.stored.as_ref().unwrap().digest, first.digest);
    assert!(!now.is_current() && now.problem.is_none());
    // It is, but damaged.
    let bodies = written(&second).await;
    let now = read(OWN, &wanted(second.digest), &kept(&bodies[1..]), &mut good);
    assert_eq!(now.stored.as_ref().unwrap().digest, first.digest);
    assert!(now.problem.as_ref().unwrap().contains("is missing"), "{now:?}");
    let now = read(OWN, &wanted(second.digest), &kept(&bodies), &mut good);
    assert!(now.is_current() && now.problem.is_none());
    // What can no longer be read leaves what it said.
    let now = read(OWN, &object("acme", &json!({"image": 7})), &kept(&bodies), &mut good);
    assert_eq!(now.spec.unwrap().enforce, ["shop"]);
    assert!(now.problem.is_some());
}

fn built(bundles: &[Bundled]) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Library::embedded(), SetConfig::default());
    // What the program is started with has a policy by that name already.
    let base = Library::embedded();
    let source = wayguard_engine::policy::choice::default_spec(&base, "images/latest-tag");
    builder.policy("latest-tag", source, "bundle golden-path", None);
    enforce::add(&mut builder, bundles, &|spec| spec);
    builder.build()
}

#[test]
fn a_bundle_brings_its_policies_and_goes_before_what_the_program_was_started_with() {
    let acme = stored("1.0.0", library(&[]));
    let set = built(&[bundled("acme", &acme, &["shop", "tags"])]);
    let of = |name: &str| set.policies().find(|policy| policy.name == name).unwrap().spec.action;
    assert_eq!((of("owner"), of("latest-tag")), (Action::Warn, Action::Audit));
    let report = enforce::report(&set, &bundled("acme", &acme, &["shop", "tags"]));
    assert!(report.loaded && report.errors.is_empty(), "{report:?}");
    // A Policy object may use a policy of it by its id.
    let source = Source { library: Some("shop/owner".into()), ..Default::default() };
    let all = [bundled("acme", &acme, &["shop"])];
    let chosen = enforce::chosen(&all, &Library::embedded(), "mine".into(), PolicySpec::of(source));
    assert_eq!(chosen.files.unwrap().modules[0].path, "PolicyBundle acme: shop/owner/policy.rego");
}

#[test]
fn what_cannot_be_meant_is_told_and_leaves_the_rest_in_force() {
    let acme = stored("1.0.0", library(&[]));
    let all = [
        bundled("acme", &acme, &["shop", "nobody"]),
        bundled("beta", &acme, &["strict"]),
        bundled("gamma", &acme, &["shop"]),
    ];
    let set = built(&all);
    let owner = set.policies().find(|policy| policy.name == "owner").unwrap();
    assert_eq!(owner.spec.action, Action::Warn, "the first stays");
    let [acme, beta, gamma] = [0, 1, 2].map(|at| enforce::report(&set, &all[at]));
    assert!(!acme.loaded && acme.errors[0].contains("`enforce` names `nobody`"), "{acme:?}");
    assert!(acme.errors[0].contains("its Bundles: shop, strict, tags; its policies: shop/owner"), "{acme:?}");
    assert!(
        beta.errors[0].contains("policy `owner` is one thing here and another in PolicyBundle acme"),
        "{beta:?}"
    );
    assert!(gamma.loaded, "the same twice is no matter: {gamma:?}");
}

#[test]
fn a_bundle_that_does_not_load_says_which_policy_and_where() {
    let broken =
        stored("1.0.0", library(&[("shop/owner/policy.rego", "package shop.owner\n\ndeny contains\n")]));
    let base: crate::policies::Base =
        Arc::new(|| Ok(PolicySetBuilder::new(Library::embedded(), SetConfig::default())));
    let wanted = spec(broken.digest, &["shop"]);
    let error = keeper::loads(&base, "acme", wanted, &broken).unwrap_err();
    assert!(error.starts_with("owner: PolicyBundle acme: shop/owner/policy.rego:"), "{error}");
}

#[test]
fn a_bundle_does_not_go_back_nor_become_another() {
    let of = |version: &str| stored(version, library(&[]));
    let (old, new) = (of("1.0.0"), of("1.2.0"));
    assert_eq!(keeper::follows(&new, Some(&old)), Ok(()));
    assert_eq!(keeper::follows(&new, None), Ok(()));
    let error = keeper::follows(&old, Some(&new)).unwrap_err();
    assert!(
        error.contains("version 1.0.0 would take the place of 1.2.0") && error.contains("allowRollback"),
        "{error}"
    );
    let mut other = (*new).clone();
    other.about.name = "beta".into();
    assert!(
        keeper::follows(&other, Some(&old)).unwrap_err().contains("`beta` would take the place of `acme`")
    );
}

#[test]
fn an_object_is_refused_where_its_words_cannot_be_meant() {
    let check = |kind: &str, spec: Value| check(kind, "acme", &spec);
    assert_eq!(check("ImageAuthority", json!({})), None);
    let good = json!(spec(Digest::of(b"x"), &["shop"]));
    assert_eq!(check("PolicyBundle", good), Some(Ok(())));
    let error = check("PolicyBundle", json!({"image": "ghcr.io/acme/policies:1", "enforce": ["shop"]}));
    assert!(
        error
            .unwrap()
            .unwrap_err()
            .contains("PolicyBundle `acme`: spec.image: `ghcr.io/acme/policies:1` has no digest")
    );
    let error = check("PolicyBundle", json!({"image": "x", "enforced": []})).unwrap().unwrap_err();
    assert!(error.contains("unknown field `enforced`"), "{error}");
}
