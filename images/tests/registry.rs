//! The registry client against a real HTTP server on loopback that misbehaves in every way that is guarded against;
//! each refusal asserts what was refused.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use wayguard_images::digest::Digest;
use wayguard_images::discover;
use wayguard_images::evidence::LegacyKind;
use wayguard_images::reference::Reference;
use wayguard_images::registry::credentials::Credential;
use wayguard_images::registry::http::Client;
use wayguard_images::registry::manifest::{Descriptor, EMPTY, IMAGE, INDEX, Manifest};
use wayguard_images::registry::options::{Bounds, RegistryOptions};
use wayguard_images::registry::{LARGEST_BLOB, LARGEST_MANIFEST, Problem, Repository, Source, fallback_tag};
use wayguard_images::test_registry::{Fault, Login, TestRegistry};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

struct Rig {
    registry: TestRegistry,
    client: Client,
    of: Repository,
}

fn options(registry: &TestRegistry) -> RegistryOptions {
    serde_json::from_value(serde_json::json!({"registries": {registry.host(): {"http": true}}})).unwrap()
}

fn bounds() -> Bounds {
    Bounds { exchange: Duration::from_secs(5), ..Bounds::default() }
}

impl Rig {
    async fn new() -> Self {
        Self::known_as(None).await
    }

    async fn known_as(credential: Option<Credential>) -> Self {
        let registry = TestRegistry::start().await.unwrap();
        let client = Client::new(registry.host(), &options(&registry), credential, bounds()).unwrap();
        let of = Repository::of(&format!("{}/team/app:v1", registry.host()).parse().unwrap());
        Self { registry, client, of }
    }

    fn reference(&self, rest: &str) -> Reference {
        format!("{}/team/app{rest}", self.registry.host()).parse().unwrap()
    }

    async fn manifest(&self, layers: &[(&str, &[u8])], subject: Option<&Descriptor>) -> Manifest {
        let config = self.client.push_blob(&self.of, Bytes::from_static(b"{}"), EMPTY).await.unwrap();
        let mut pushed = Vec::new();
        for (media_type, bytes) in layers {
            pushed.push(
                self.client.push_blob(&self.of, Bytes::copy_from_slice(bytes), media_type).await.unwrap(),
            );
        }
        Manifest {
            schema_version: 2,
            media_type: Some(IMAGE.to_owned()),
            artifact_type: None,
            config,
            layers: pushed,
            subject: subject.cloned(),
            annotations: BTreeMap::new(),
        }
    }

    /// An image under the tag `v1`.
    async fn image(&self) -> Descriptor {
        let manifest = self.manifest(&[("application/vnd.oci.image.layer.v1.tar", b"layer")], None).await;
        self.client.push_manifest(&self.of, &manifest, Some("v1")).await.unwrap()
    }

    /// Something that refers to it.
    async fn attach(&self, image: &Descriptor, media_type: &str, bytes: &[u8]) -> Descriptor {
        let manifest = self.manifest(&[(media_type, bytes)], Some(image)).await;
        self.client.push_manifest(&self.of, &manifest, None).await.unwrap()
    }

    async fn problem(&self, asked: &str) -> Problem {
        self.client.manifest(&self.of, asked).await.unwrap_err().problem
    }
}

#[tokio::test]
async fn what_is_pushed_is_found_with_what_refers_to_it() {
    for referrers in [true, false] {
        let rig = Rig::new().await;
        rig.registry.keep_referrers(referrers);
        rig.registry.page(2);
        let image = rig.image().await;
        for bytes in [b"one".as_slice(), b"two", b"three"] {
            rig.attach(&image, BUNDLE, bytes).await;
        }
        rig.attach(&image, "application/sarif+json", b"{\"runs\":[]}").await;
        rig.attach(&image, "application/spdx+json", b"nobody signed this, and nobody asks for it").await;
        let mut signed =
            rig.manifest(&[("application/vnd.dev.cosign.simplesigning.v1+json", b"payload")], None).await;
        signed.layers[0].annotations.insert("dev.cosignproject.cosign/signature".into(), "c2ln".into());
        let tag = format!("{}.sig", fallback_tag(image.digest));
        rig.client.push_manifest(&rig.of, &signed, Some(&tag)).await.unwrap();

        let (fetched, _) = discover::manifest(&rig.client, &rig.reference(":v1")).await.unwrap().unwrap();
        assert_eq!(fetched.digest, image.digest);
        let evidence = discover::evidence(&rig.client, &rig.of, image.digest).await.unwrap();
        let mut bundles = evidence.bundles.clone();
        bundles.sort();
        assert_eq!(bundles, [&b"one"[..], b"three", b"two"], "referrers: {referrers}");
        assert_eq!(evidence.documents.len(), 1);
        assert_eq!(evidence.legacy.len(), 1);
        assert_eq!(
            (evidence.legacy[0].kind, &evidence.legacy[0].payload[..]),
            (LegacyKind::Signature, &b"payload"[..])
        );
        assert_eq!(evidence.legacy[0].annotations["dev.cosignproject.cosign/signature"], "c2ln");
    }
}

#[tokio::test]
async fn what_is_not_there_is_no_error() {
    let rig = Rig::new().await;
    assert!(discover::manifest(&rig.client, &rig.reference(":v9")).await.unwrap().is_none());
    let evidence = discover::evidence(&rig.client, &rig.of, Digest::of(b"unknown")).await.unwrap();
    assert!(evidence.bundles.is_empty() && evidence.legacy.is_empty());
}

#[tokio::test]
async fn only_a_registry_that_says_so_has_no_signatures() {
    for (status, expected) in [
        (429, "it answers 429"),
        (500, "it answers 500"),
        (403, "is not for us (403)"),
        (400, "it answers 400"),
    ] {
        for path in ["/referrers/", ".sig", ".att"] {
            let rig = Rig::new().await;
            let image = rig.image().await;
            rig.registry.fail(path, Fault::Status(status, None), 9);
            let error = discover::evidence(&rig.client, &rig.of, image.digest).await.unwrap_err();
            assert!(error.to_string().contains(expected), "{path}: {error}");
            assert_eq!(error.is_passing(), matches!(status, 429 | 500), "{error}");
        }
    }
}

#[tokio::test]
async fn a_registry_that_asks_for_a_moment_gets_one_more_try() {
    let rig = Rig::new().await;
    rig.image().await;
    rig.registry.fail("/manifests/v1", Fault::Status(429, Some(0)), 1);
    assert!(rig.client.manifest(&rig.of, "v1").await.unwrap().is_some());
    rig.registry.fail("/manifests/v1", Fault::Status(429, Some(0)), 2);
    assert_eq!(
        rig.problem("v1").await,
        Problem::Busy { what: format!("`{}:v1`", rig.of), status: 429, retry_after: Some(0) }
    );
    // One that wants to be left alone for long is not waited for.
    rig.registry.behave();
    rig.registry.asked();
    rig.registry.fail("/manifests/v1", Fault::Status(503, Some(3600)), 1);
    assert!(matches!(rig.problem("v1").await, Problem::Busy { retry_after: Some(3600), .. }));
    assert_eq!(rig.registry.asked().len(), 1);
}

#[tokio::test]
async fn bytes_have_the_digest_that_they_were_asked_by() {
    let rig = Rig::new().await;
    let image = rig.image().await;
    let expected = image.digest;
    rig.registry.fail("/manifests/sha256:", Fault::Bytes(Bytes::from_static(b"{\"other\":1}")), 1);
    let found = Digest::of(b"{\"other\":1}");
    assert_eq!(rig.problem(&expected.to_string()).await, Problem::OtherContent { expected, found });
    let blob = Digest::of(b"layer");
    rig.registry.swap_blob(blob, Bytes::from_static(b"evil"));
    let problem = rig.client.blob(&rig.of, blob).await.unwrap_err().problem;
    assert_eq!(problem, Problem::OtherContent { expected: blob, found: Digest::of(b"evil") });
}

#[tokio::test]
async fn a_registry_that_swaps_content_between_calls_is_noticed() {
    let rig = Rig::new().await;
    let image = rig.image().await;
    let referrer = rig.attach(&image, BUNDLE, b"bundle").await;
    // The list says one digest, the manifest is another's.
    rig.registry.fail(&format!("/manifests/{}", referrer.digest), Fault::Bytes(Bytes::from_static(b"{}")), 1);
    let error = discover::evidence(&rig.client, &rig.of, image.digest).await.unwrap_err();
    assert!(matches!(error.problem, Problem::OtherContent { .. }), "{error}");
}

#[tokio::test]
async fn what_refers_to_another_image_does_not_vouch_for_this_one() {
    let rig = Rig::new().await;
    let image = rig.image().await;
    let other = Descriptor { digest: Digest::of(b"other"), ..image.clone() };
    let borrowed = rig.attach(&other, BUNDLE, b"for another").await;
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [borrowed]});
    rig.registry.fail("/referrers/", Fault::Bytes(serde_json::to_vec(&index).unwrap().into()), 1);
    let evidence = discover::evidence(&rig.client, &rig.of, image.digest).await.unwrap();
    assert!(evidence.bundles.is_empty());
}

#[tokio::test]
async fn bodies_without_an_end_are_not_read_to_it() {
    let rig = Rig::new().await;
    rig.image().await;
    rig.registry.fail("/", Fault::Endless, 9);
    let what = format!("`{}:v1`", rig.of);
    assert_eq!(rig.problem("v1").await, Problem::TooLarge { what, limit: LARGEST_MANIFEST });
    let blob = rig.client.blob(&rig.of, Digest::of(b"layer")).await.unwrap_err().problem;
    assert!(matches!(blob, Problem::TooLarge { limit: LARGEST_BLOB, .. }), "{blob}");
}

#[tokio::test]
async fn a_body_that_is_cut_is_no_answer() {
    let rig = Rig::new().await;
    rig.image().await;
    rig.registry.fail("/", Fault::Cut, 9);
    let problem = rig.problem("v1").await;
    assert!(problem.to_string().contains("ended early"), "{problem}");
}

#[tokio::test]
async fn a_slow_registry_is_not_waited_for() {
    let registry = TestRegistry::start().await.unwrap();
    let bounds = Bounds { exchange: Duration::from_millis(200), ..Bounds::default() };
    let client = Client::new(registry.host(), &options(&registry), None, bounds).unwrap();
    let of = Repository::of(&format!("{}/team/app", registry.host()).parse().unwrap());
    registry.fail("/", Fault::Slow(Duration::from_mins(1)), 9);
    let error = client.manifest(&of, "v1").await.unwrap_err();
    assert_eq!(error.problem, Problem::TooLate);
    assert!(error.is_passing());
}

#[tokio::test]
async fn redirects_are_followed_without_what_we_are_known_by() {
    let user = Credential::new("robot", "s3cret");
    let rig = Rig::known_as(Some(user)).await;
    rig.image().await;
    let other = TestRegistry::start().await.unwrap();
    other.fail("/", Fault::Bytes(Bytes::from_static(b"layer")), 9);
    rig.registry.require(Login::Basic("Basic cm9ib3Q6czNjcmV0".to_owned()));
    rig.registry.asked();
    rig.registry.fail("/blobs/", Fault::Status(401, None), 0);
    // Once without a login, then logged in, and sent on.
    let to = format!("http://{}/elsewhere", other.host());
    let layer = Digest::of(b"layer");
    assert_eq!(rig.client.blob(&rig.of, layer).await.unwrap().unwrap(), b"layer"[..]);
    assert_eq!(rig.registry.asked().last().unwrap().2.as_deref(), Some("Basic cm9ib3Q6czNjcmV0"));
    rig.registry.fail("/blobs/", Fault::Redirect(to), 9);
    assert_eq!(rig.client.blob(&rig.of, layer).await.unwrap().unwrap(), b"layer"[..]);
    let asked = other.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].2, None, "what we are known by went to another host");
}

#[tokio::test]
async fn redirects_to_where_nobody_should_look_are_refused() {
    let rig = Rig::new().await;
    rig.image().await;
    for (to, reason) in [
        ("http://169.254.169.254/latest/meta-data", "that address is never asked"),
        ("http://[fe80::1]/x", "that address is never asked"),
        ("ftp://example.com/x", "only HTTPS is"),
        ("file:///etc/passwd", "it says nowhere to go"),
        ("", "it says nowhere to go"),
        ("/again", "it redirects again and again"),
    ] {
        rig.registry.behave();
        rig.registry.fail("/", Fault::Redirect(to.to_owned()), 9);
        let problem = rig.problem("v1").await;
        assert!(
            matches!(&problem, Problem::Redirect { reason: found, .. } if *found == reason),
            "{to}: {problem}"
        );
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept_to_its_credential() {
    let rig = Rig::new().await;
    rig.image().await;
    rig.registry.require(Login::Bearer(Some("Basic cm9ib3Q6czNjcmV0".to_owned())));
    let known = Client::new(
        rig.registry.host(),
        &options(&rig.registry),
        Some(Credential::new("robot", "s3cret")),
        bounds(),
    )
    .unwrap();
    rig.registry.asked();
    for _ in 0..3 {
        assert!(known.manifest(&rig.of, "v1").await.unwrap().is_some());
    }
    let tokens: Vec<_> =
        rig.registry.asked().into_iter().filter(|(_, path, _)| path.starts_with("/token")).collect();
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0].1.contains("service=test&scope=repository:team/app:pull"), "{}", tokens[0].1);
    // Another client, known by nobody, gets nothing from that login.
    assert!(matches!(rig.problem("v1").await, Problem::Forbidden { status: 401, .. }));
}

#[tokio::test]
async fn wrong_and_missing_credentials_are_told_apart_from_absence() {
    let wrong = Rig::known_as(Some(Credential::new("robot", "wrong"))).await;
    wrong.registry.require(Login::Basic("Basic cm9ib3Q6czNjcmV0".to_owned()));
    let problem = wrong.problem("v1").await;
    assert!(matches!(problem, Problem::Forbidden { status: 401, .. }), "{problem}");
    assert!(!problem.to_string().contains("wrong"), "{problem}");
}

#[tokio::test]
async fn too_many_referrers_are_an_error_and_not_a_choice() {
    let rig = Rig::new().await;
    let image = rig.image().await;
    let many: Vec<_> = (0..65).map(|at| Descriptor { digest: Digest::of(&[at]), ..image.clone() }).collect();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": many});
    rig.registry.fail("/referrers/", Fault::Bytes(serde_json::to_vec(&index).unwrap().into()), 1);
    let error = discover::evidence(&rig.client, &rig.of, image.digest).await.unwrap_err();
    assert!(matches!(error.problem, Problem::TooMany { limit: 64, .. }), "{error}");
}

#[tokio::test]
async fn nonsense_is_no_manifest() {
    let rig = Rig::new().await;
    let image = rig.image().await;
    for bad in ["", "<html>", "[]", r#"{"manifests":[],"layers":[]}"#] {
        rig.registry.fail("/manifests/v1", Fault::Bytes(Bytes::copy_from_slice(bad.as_bytes())), 1);
        let error = discover::manifest(&rig.client, &rig.reference(":v1")).await.unwrap_err();
        assert!(matches!(error.problem, Problem::Malformed { .. }), "{bad}: {error}");
    }
    rig.registry.fail("/referrers/", Fault::Bytes(Bytes::from_static(b"nonsense")), 1);
    let error = discover::evidence(&rig.client, &rig.of, image.digest).await.unwrap_err();
    assert!(matches!(error.problem, Problem::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn mirrors_are_asked_first_and_the_registry_after_them() {
    let rig = Rig::new().await;
    rig.image().await;
    let mirror = TestRegistry::start().await.unwrap();
    let options: RegistryOptions = serde_json::from_value(serde_json::json!({"registries": {
        rig.registry.host(): {"http": true, "mirrors": [format!("{}/cache", mirror.host())]},
        mirror.host(): {"http": true},
    }}))
    .unwrap();
    let client = Client::new(rig.registry.host(), &options, None, bounds()).unwrap();
    for fault in [None, Some(Fault::Status(500, None))] {
        if let Some(fault) = fault {
            mirror.fail("/", fault, 9);
        }
        assert!(client.manifest(&rig.of, "v1").await.unwrap().is_some());
        assert_eq!(mirror.asked()[0].1, "/v2/cache/team/app/manifests/v1");
    }
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_unreachable() {
    let rig = Rig::new().await;
    let (options, host) = (options(&rig.registry), rig.registry.host().to_owned());
    let of = rig.of.clone();
    drop(rig);
    let client = Client::new(&host, &options, None, bounds()).unwrap();
    let error = client.manifest(&of, "v1").await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable(_)) && error.is_passing(), "{error}");
}

#[tokio::test]
async fn plain_http_is_only_spoken_where_it_is_listed() {
    let registry = TestRegistry::start().await.unwrap();
    let client = Client::new(registry.host(), &RegistryOptions::default(), None, bounds()).unwrap();
    let of = Repository::of(&format!("{}/team/app", registry.host()).parse().unwrap());
    let error = client.manifest(&of, "v1").await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable(_)), "{error}");
    assert!(registry.asked().is_empty());
}

#[test]
fn link_local_registries_are_never_asked() {
    for host in ["169.254.169.254", "169.254.169.254:80", "[fe80::1]:5000", "0.0.0.0:5000"] {
        let error = Client::new(host, &RegistryOptions::default(), None, bounds()).unwrap_err();
        assert!(matches!(error.problem, Problem::Address { .. }), "{error}");
    }
}
