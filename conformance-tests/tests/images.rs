//! Images on a real API server: what nobody signed is refused, what was signed is pinned to its digest and admitted,
//! and what was verified stays admitted when the registry is away.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;
use wayguard_conformance_tests::{Said, Sandbox, eventually};
use wayguard_images::fixtures::{Key, Making, SIGNED, statement};
use wayguard_images::registry::manifest::Descriptor;
use wayguard_images::test_registry::{Fault, Login, TestRegistry};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const NAMESPACE: &str = "images";

const POLICIES: &str = r"
apiVersion: wayguard.io/v1alpha1
kind: Policy
metadata: {name: signed}
spec:
  source: {library: images/signed}
  parameters: {pin: true}
";

/// The suite's own namespace.
const OWN: &str = "wayguard-system";

struct Rig {
    _runtime: Runtime,
    registry: TestRegistry,
    key: Key,
    sandbox: Sandbox,
}

fn file(text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

impl Rig {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = runtime.block_on(TestRegistry::start()).unwrap();
        let key = Key::p256();
        let policies = file(POLICIES);
        let sandbox = Sandbox::start(&["--policies", policies.path().to_str().unwrap()]);
        sandbox.namespace(NAMESPACE, "development");
        Self { _runtime: runtime, registry, key, sandbox }
    }

    /// An `ImageAuthority` over the team's repositories; a key as it is written there.
    fn authority(&self, key: &Value) -> String {
        json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "ImageAuthority", "metadata": {"name": "team"},
            "spec": {"images": [format!("{}/team", self.registry.host())],
                "authorities": [{"name": "builders", "keys": [key]}]}})
        .to_string()
    }

    /// Applies it, and waits until every server judges by it.
    fn trust(&self, key: &Value) {
        self.sandbox.apply(&self.authority(key)).accepted();
        let generation = self.sandbox.get("imageauthority", "team", "")["metadata"]["generation"].clone();
        eventually("the ImageAuthority is loaded", || {
            let status = self.status("imageauthority", "team");
            status["observedGeneration"] == generation && condition(&status)["status"] == "True"
        });
    }

    fn status(&self, kind: &str, name: &str) -> Value {
        self.sandbox.get(kind, name, "")["status"].clone()
    }

    fn signed(&self, tag: &str) -> Descriptor {
        let image = self.registry.image("team/app", tag);
        let bundle = Making::by_key(&self.key).envelope(&statement(image.digest, SIGNED, &json!({})));
        self.registry.attach("team/app", &image, BUNDLE, bundle.to_string().into());
        image
    }

    fn place(&self, rest: &str) -> String {
        format!("{}/team/app{rest}", self.registry.host())
    }

    /// A Pod of another name each time.
    fn pod(&self, image: &str) -> (String, Said) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("pod-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"containers": [{"name": "app", "image": image}]}});
        let said = self.sandbox.apply(&pod.to_string());
        (name, said)
    }

    fn image_of(&self, pod: &str) -> String {
        self.sandbox.get("pod", pod, NAMESPACE)["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    }
}

/// The condition `Loaded`.
fn condition(status: &Value) -> Value {
    let all = status["conditions"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|condition| condition["type"] == "Loaded").unwrap_or_default()
}

#[test]
fn images_are_judged_by_who_signed_them() {
    let rig = Rig::start();
    trust_is_what_the_cluster_says(&rig);
    what_nobody_signed_is_refused_and_what_was_verified_stays(&rig);
    the_pods_of_a_workload_cost_its_registry_nothing(&rig);
    a_tenants_pull_secret_answers_for_its_own_namespace(&rig);
}

/// What a workload names is looked at when it is applied, once, whatever the number of its Pods.
fn the_pods_of_a_workload_cost_its_registry_nothing(rig: &Rig) {
    const PODS: usize = 200;
    rig.registry.behave();
    let image = rig.signed("rollout");
    let labels = json!({"app": "rollout"});
    let named = rig.place(&format!(":rollout@{}", image.digest));
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "rollout", "namespace": NAMESPACE},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": named}]}}}});
    rig.registry.asked();
    rig.sandbox.apply(&object.to_string()).accepted();
    let asked = rig.registry.asked();
    assert_eq!(asked.iter().filter(|(_, path, _)| path.contains("/referrers/")).count(), 1, "{asked:?}");
    let replicas = format!("--replicas={PODS}");
    rig.sandbox.kubectl(&["scale", "deployment", "rollout", "-n", NAMESPACE, &replicas], "").accepted();
    eventually("all Pods are made", || {
        let pods =
            rig.sandbox.kubectl(&["get", "pods", "-l", "app=rollout", "-n", NAMESPACE, "-o", "name"], "");
        pods.accepted().lines().count() == PODS
    });
    assert_eq!(rig.registry.asked(), []);
    rig.sandbox.kubectl(&["delete", "deployment", "rollout", "-n", NAMESPACE], "").accepted();
}

/// A private image is looked at with what its own namespace offers; who is in another learns nothing of it.
fn a_tenants_pull_secret_answers_for_its_own_namespace(rig: &Rig) {
    rig.registry.behave();
    rig.signed("private");
    let image = rig.place(":private");
    // `robot:s3cret`
    rig.registry.require(Login::Basic("Basic cm9ib3Q6czNjcmV0".to_owned()));
    let kubectl = |arguments: &[&str]| rig.sandbox.kubectl(arguments, "").accepted();
    let server = format!("--docker-server={}", rig.registry.host());
    let login = ["--docker-username=robot", "--docker-password=s3cret"];
    for namespace in ["generous", "silent"] {
        rig.sandbox.namespace(namespace, "development");
        let secret = ["create", "secret", "docker-registry", "pull", "-n", namespace, &server];
        kubectl(&[&secret, &login[..]].concat());
    }
    let role = ["--verb=get", "--resource=secrets", "--resource-name=pull"];
    kubectl(&[&["create", "role", "pull", "-n", "generous"], &role[..]].concat());
    let account = format!("--serviceaccount={OWN}:wayguard-serve");
    kubectl(&["create", "rolebinding", "pull", "-n", "generous", "--role=pull", &account]);
    let pod_in = |namespace: &str| {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app", "namespace": namespace},
            "spec": {"containers": [{"name": "app", "image": image}]}});
        rig.sandbox.apply(&pod.to_string())
    };
    eventually("the secret is used", || pod_in("generous").fine);
    let complaint = pod_in("silent").refused();
    assert!(complaint.contains("is not for us (401)"), "{complaint}");
}

/// An authority comes, is given another key, breaks, and goes.
fn trust_is_what_the_cluster_says(rig: &Rig) {
    rig.signed("trusted");
    let image = rig.place(":trusted");
    let complaint = rig.pod(&image).1.refused();
    assert!(complaint.contains("no ImageAuthority speaks of its repository"), "{complaint}");

    let pem = |key: &Key| json!({"pem": key.public_pem()});
    rig.trust(&pem(&rig.key));
    rig.pod(&image).1.accepted();
    let told = rig.sandbox.wayguard(&["image", "verify", "--cluster", &image], "").accepted();
    assert!(told.contains("ok team: 1 of 1 signatures"), "{told}");
    let manifest = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "app", "image": image}]}});
    rig.sandbox
        .wayguard(&["check", "--cluster", "--policies", "images/signed", "-"], &manifest.to_string())
        .accepted();
    let unsigned = manifest.to_string().replace(":trusted", ":nobodys");
    rig.registry.image("team/app", "nobodys");
    let told = rig.sandbox.wayguard(&["check", "--cluster", "--policies", "images/signed", "-"], &unsigned);
    assert!(
        !told.fine && told.out.contains("0 of 1 that `team` wants have signed"),
        "{}{}",
        told.out,
        told.err
    );
    let shown = rig.sandbox.kubectl(&["get", "imageauthorities"], "").accepted();
    assert!(shown.contains("LOADED") && shown.contains("True") && shown.contains("1/1"), "{shown}");

    rig.trust(&pem(&Key::p256()));
    let complaint = rig.pod(&image).1.refused();
    assert!(complaint.contains("0 of 1 that `team` wants have signed"), "{complaint}");
    assert!(complaint.contains("none of the authority's keys signed it"), "{complaint}");

    // What cannot be used is refused when it is applied, with the place and what would work.
    let keyless = |root: &str, subject: &str| {
        let identity = json!({"issuer": "https://token.example", "subjectRegex": subject});
        json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "ImageAuthority", "metadata": {"name": "team"},
            "spec": {"images": ["ghcr.io"], "authorities":
                [{"name": "ci", "keyless": {"trustRoot": root, "identities": [identity]}}]}})
        .to_string()
    };
    let root = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "TrustRoot", "metadata": {"name": "lab"},
        "spec": {"trustedRoot": "{"}});
    for (object, words) in [
        (rig.authority(&json!({"pem": "no key"})), "`authorities[0].keys[0]`: "),
        (
            rig.authority(&json!({"configMap": {"name": "gone", "key": "a"}})),
            "there is none in the namespace `wayguard-system`",
        ),
        (
            rig.authority(&json!({"secret": {"name": "keys", "key": "a"}})),
            "`wayguard install --secret keys` grants",
        ),
        (rig.authority(&json!({})), "exactly one of `pem`, `configMap` and `secret` says where the key is"),
        (keyless("lab", "a@b"), "there is no trust root `lab`; a TrustRoot of that name, or `public-good`"),
        (keyless("public-good", "(a@b"), "it is no regular expression"),
        (root.to_string(), "it is no `trusted_root.json`"),
    ] {
        let complaint = rig.sandbox.apply(&object).refused();
        assert!(complaint.contains(words), "{words}: {complaint}");
    }

    // A key in a ConfigMap is followed: other keys count at once, and with it gone nothing does.
    let map = |key: &Key| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys", "namespace": OWN},
            "data": {"cosign.pub": key.public_pem()}})
        .to_string()
    };
    rig.sandbox.apply(&map(&Key::p256())).accepted();
    rig.trust(&json!({"configMap": {"name": "keys", "key": "cosign.pub"}}));
    assert!(rig.pod(&image).1.refused().contains("none of the authority's keys signed it"));
    rig.sandbox.apply(&map(&rig.key)).accepted();
    eventually("the new key counts", || rig.pod(&image).1.fine);
    rig.sandbox.kubectl(&["delete", "configmap", "keys", "-n", OWN], "").accepted();
    eventually("nothing counts any more", || !rig.pod(&image).1.fine);
    let complaint = rig.pod(&image).1.refused();
    assert!(
        complaint.contains("nothing satisfies the ImageAuthority `team` until it is mended"),
        "{complaint}"
    );
    eventually("the status says so", || {
        let said = condition(&rig.status("imageauthority", "team"));
        let message = said["message"].as_str().unwrap_or_default().to_owned();
        said["status"] == "False" && said["reason"] == "Invalid" && message.contains("ConfigMap `keys`")
    });

    rig.sandbox.kubectl(&["delete", "imageauthority", "team"], "").accepted();
    eventually("it is forgotten", || {
        rig.pod(&image).1.err.contains("no ImageAuthority speaks of its repository")
    });
}

fn what_nobody_signed_is_refused_and_what_was_verified_stays(rig: &Rig) {
    rig.trust(&json!({"pem": rig.key.public_pem()}));
    let (image, other) = (rig.signed("v1"), rig.signed("v2"));
    rig.registry.image("team/app", "unsigned");

    let complaint = rig.pod(&rig.place(":unsigned")).1.refused();
    assert!(complaint.contains("denied by images/signed") && complaint.contains(":unsigned"), "{complaint}");
    assert!(complaint.contains("0 of 1 that `team` wants have signed"), "{complaint}");
    let complaint = rig.pod("registry.invalid/app:1").1.refused();
    assert!(complaint.contains("no ImageAuthority speaks of its repository"), "{complaint}");

    let (pod, said) = rig.pod(&rig.place(":v1"));
    said.accepted();
    assert_eq!(rig.image_of(&pod), rig.place(&format!(":v1@{}", image.digest)));

    let debug = |image: &str| {
        let patch = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": image}]}}).to_string();
        let arguments =
            ["patch", "pod", &pod, "-n", NAMESPACE, "--subresource=ephemeralcontainers", "-p", &patch];
        rig.sandbox.kubectl(&arguments, "")
    };
    let complaint = debug(&rig.place(":unsigned")).refused();
    assert!(
        complaint.contains("denied by images/signed") && complaint.contains("have signed"),
        "{complaint}"
    );

    // A Deployment is told at once, and stays as it was written where it is right.
    let deployment = |image: &str| {
        let labels = json!({"app": "web"});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": image}]}}}});
        rig.sandbox.apply(&object.to_string())
    };
    assert!(deployment(&rig.place(":unsigned")).refused().contains("have signed"));
    let said = deployment(&rig.place(":v1"));
    let pinned = rig.place(&format!(":v1@{}", image.digest));
    assert!(said.err.contains("Warning") && said.err.contains(&pinned), "{}", said.err);
    said.accepted();
    let kept = rig.sandbox.get("deployment", "web", NAMESPACE);
    assert_eq!(kept["spec"]["template"]["spec"]["containers"][0]["image"], rig.place(":v1"));

    // With the registry away, what was verified is admitted, and what was not is refused with the reason.
    rig.registry.fail("/", Fault::Status(503, None), usize::MAX);
    for written in [format!("@{}", image.digest), format!(":v1@{}", image.digest), ":v1".to_owned()] {
        rig.pod(&rig.place(&written)).1.accepted();
    }
    let complaint = rig.pod(&rig.place(&format!("@{}", other.digest))).1.refused();
    assert!(complaint.contains("it answers 503"), "{complaint}");
    // Labels do not wait for a registry.
    let label = ["label", "pod", &pod, "-n", NAMESPACE, "owner=jane"];
    rig.sandbox.kubectl(&label, "").accepted();
}
