//! Images on a real API server: what nobody signed is refused, what was signed is pinned to its digest and admitted,
//! and what was verified stays admitted when the registry is away.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::json;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;
use wayguard_conformance_tests::{Said, Sandbox};
use wayguard_images::fixtures::{Key, Making, SIGNED, statement};
use wayguard_images::registry::manifest::Descriptor;
use wayguard_images::test_registry::{Fault, TestRegistry};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const NAMESPACE: &str = "images";

const POLICIES: &str = r#"
apiVersion: wayguard.io/v1alpha1
kind: Policy
metadata: {name: signed}
spec:
  expand: true
  match:
    resourceRules:
      - {apiGroups: [""], apiVersions: ["*"], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
  source:
    rego: |
      # METADATA
      # scope: package
      # title: Signed
      # description: For a test.
      # custom: {severity: high, category: test, remedy: Sign the image., facts: [images]}
      package test.signed

      deny contains sprintf("%s is not signed", [image]) if {
        some image, facts in input.facts.images
        not signed(facts)
      }

      signed(facts) if {
        count(facts.authorities) > 0
        every authority in facts.authorities { authority.satisfied }
      }
---
apiVersion: wayguard.io/v1alpha1
kind: Policy
metadata: {name: pinned}
spec:
  match:
    resourceRules:
      - {apiGroups: [""], apiVersions: ["*"], resources: [pods], operations: [CREATE]}
  source:
    rego: |
      # METADATA
      # scope: package
      # title: Pinned
      # description: For a test.
      # custom: {severity: high, category: test, remedy: None is needed., facts: [images]}
      package test.pinned

      overrides contains {"path": sprintf("/spec/containers/%d/image", [index]), "value": pinned} if {
        some index, container in input.review.object.spec.containers
        digest := input.facts.images[container.image].digest
        not contains(container.image, "@")
        pinned := sprintf("%s@%s", [container.image, digest])
      }
"#;

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
        let authority = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "ImageAuthority", "metadata": {"name": "team"},
            "spec": {"images": [format!("{}/team", registry.host())],
                "authorities": [{"name": "builders", "keys": [{"pem": key.public_pem()}]}]}});
        let (authority, policies) = (file(&authority.to_string()), file(POLICIES));
        let shown = |file: &NamedTempFile| file.path().to_str().unwrap().to_owned();
        let sandbox = Sandbox::start_with(
            &["--policies", &shown(&policies)],
            &[("WAYGUARD_IMAGE_AUTHORITY", &shown(&authority))],
        );
        sandbox.namespace(NAMESPACE, "development");
        Self { _runtime: runtime, registry, key, sandbox }
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

#[test]
fn images_are_judged_by_who_signed_them() {
    let rig = Rig::start();
    let (image, other) = (rig.signed("v1"), rig.signed("v2"));
    rig.registry.image("team/app", "unsigned");

    let complaint = rig.pod(&rig.place(":unsigned")).1.refused();
    assert!(complaint.contains("denied by signed") && complaint.contains(":unsigned"), "{complaint}");
    assert!(complaint.contains("is not signed"), "{complaint}");
    let complaint = rig.pod("registry.invalid/app:1").1.refused();
    assert!(complaint.contains("registry.invalid/app:1 is not signed"), "{complaint}");

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
    assert!(complaint.contains("denied by signed") && complaint.contains("is not signed"), "{complaint}");

    // A Deployment is told at once, and stays as it was written where it is right.
    let deployment = |image: &str| {
        let labels = json!({"app": "web"});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": image}]}}}});
        rig.sandbox.apply(&object.to_string())
    };
    assert!(deployment(&rig.place(":unsigned")).refused().contains("is not signed"));
    deployment(&rig.place(":v1")).accepted();
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
