//! `wayguard image` and `check` with a registry on loopback: what was signed is told and judged, and nothing else.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

mod support;

use serde_json::{Value, json};
use support::{Ran, wayguard_in};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wayguard_images::fixtures::{Key, Making, SIGNED, statement};
use wayguard_images::registry::manifest::Descriptor;
use wayguard_images::test_registry::{Fault, TestRegistry};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Every image must be signed as its authorities want, and some authority must speak of it.
const POLICY: &str = r#"# METADATA
# title: Signed
# description: Images are signed by who should.
# custom:
#   severity: high
#   category: demo
#   remedy: Sign the image.
#   facts: [images]
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE]}
#   expand: true
package demo.signed

deny contains {"msg": sprintf("%s is not signed", [image]), "path": "/spec"} if {
	some image, facts in input.facts.images
	not signed(facts)
}

signed(facts) if {
	count(facts.authorities) > 0
	every authority in facts.authorities {
		authority.satisfied
	}
}
"#;

struct Rig {
    _runtime: Runtime,
    registry: TestRegistry,
    key: Key,
    folder: TempDir,
}

impl Rig {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = runtime.block_on(TestRegistry::start()).unwrap();
        let rig =
            Self { _runtime: runtime, registry, key: Key::p256(), folder: tempfile::tempdir().unwrap() };
        rig.write("key.pub", &rig.key.public_pem());
        rig.write("other.pub", &Key::p256().public_pem());
        rig.write(
            "authority.yaml",
            &format!(
                "apiVersion: wayguard.io/v1alpha1\nkind: ImageAuthority\nmetadata: {{name: team}}\nspec:\n  images: [\"{}/team\"]\n  authorities: [{{name: builders, keys: [{{file: key.pub}}]}}]\n",
                rig.registry.host()
            ),
        );
        std::fs::create_dir_all(rig.folder.path().join("demo/signed")).unwrap();
        rig.write("demo/signed/policy.rego", POLICY);
        rig
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.path().join(path), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        wayguard_in(self.folder.path(), arguments)
    }

    fn place(&self, rest: &str) -> String {
        format!("{}/team/app{rest}", self.registry.host())
    }

    fn signed(&self, tag: &str) -> Descriptor {
        let image = self.registry.image("team/app", tag);
        let bundle = Making::by_key(&self.key).envelope(&statement(image.digest, SIGNED, &json!({})));
        self.registry.attach("team/app", &image, BUNDLE, bundle.to_string().into());
        image
    }

    fn check(&self, image: &str) -> Ran {
        let pod = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}});
        self.write("app.yaml", &pod.to_string());
        self.run(&["check", "--policies", "demo/signed", "--image-authority", "authority.yaml", "app.yaml"])
    }
}

#[test]
fn who_signed_an_image_is_told() {
    let rig = Rig::new();
    let image = rig.signed("v1");
    let verified = rig.run(&["image", "verify", &rig.place(":v1"), "--key", "key.pub"]);
    assert_eq!(verified.code, 0, "{}", verified.shown());
    assert!(
        verified.stdout.contains(&format!("{} is {}", rig.place(":v1"), image.digest)),
        "{}",
        verified.shown()
    );
    assert!(verified.stdout.contains("ok options: 1 of 1 signatures"), "{}", verified.shown());
    assert!(verified.stdout.contains("signed by options/key (key sha256:"), "{}", verified.shown());

    let wrong = rig.run(&["image", "verify", &rig.place(":v1"), "--key", "other.pub"]);
    assert_eq!(wrong.code, 2, "{}", wrong.shown());
    assert!(wrong.stdout.contains("failed options: 0 of 1 signatures"), "{}", wrong.shown());
    assert!(wrong.stdout.contains("does not count: bundle sha256:"), "{}", wrong.shown());

    let facts = rig.run(&["image", "facts", &rig.place(":v1"), "--authority", "authority.yaml"]);
    assert_eq!(facts.code, 0, "{}", facts.shown());
    let facts: Value = serde_json::from_str(&facts.stdout).unwrap();
    assert_eq!(facts["signatures"][0]["authority"], "builders");
    assert_eq!(facts["digest"], image.digest.to_string());
}

#[test]
fn what_cannot_be_told_says_why() {
    let rig = Rig::new();
    let code = |arguments: &[&str], expected: i32, words: &str| {
        let ran = rig.run(arguments);
        assert_eq!(ran.code, expected, "{}", ran.shown());
        assert!(ran.stderr.contains(words), "{}", ran.shown());
    };
    code(&["image", "verify", &rig.place(":v9"), "--key", "key.pub"], 3, "does not exist");
    code(&["image", "verify", &rig.place(":v9")], 3, "--key");
    code(&["image", "verify", "no image", "--key", "key.pub"], 3, "names no image");
    code(&["image", "verify", &rig.place(":v9"), "--key", "gone.pub"], 3, "cannot read `gone.pub`");
    code(
        &["image", "verify", "ghcr.io/a/b", "--authority", "authority.yaml"],
        3,
        "no ImageAuthority that was named speaks of",
    );
    code(
        &["image", "verify", &rig.place(":v1"), "--key", "key.pub", "--offline", "demo"],
        3,
        "an image layout has an `index.json`",
    );
    rig.registry.fail("/", Fault::Status(500, None), 99);
    code(&["image", "verify", &rig.place(":v1"), "--key", "key.pub"], 1, "it answers 500");
}

#[test]
fn manifests_are_checked_by_what_is_known_of_their_images() {
    let rig = Rig::new();
    rig.signed("v1");
    rig.registry.image("team/app", "v2");
    let signed = rig.check(&rig.place(":v1"));
    assert_eq!(signed.code, 0, "{}", signed.shown());
    let unsigned = rig.check(&rig.place(":v2"));
    assert_eq!(unsigned.code, 2, "{}", unsigned.shown());
    assert!(unsigned.stdout.contains("team/app:v2 is not signed"), "{}", unsigned.shown());
    // Nobody speaks of it, so nobody is asked.
    let elsewhere = rig.check("registry.invalid/x:1");
    assert_eq!(elsewhere.code, 2, "{}", elsewhere.shown());
    assert!(elsewhere.stdout.contains("registry.invalid/x:1 is not signed"), "{}", elsewhere.shown());
    rig.registry.fail("/", Fault::Status(503, None), 99);
    let away = rig.check(&rig.place(":v1"));
    assert_eq!(away.code, 2, "{}", away.shown());
    assert!(away.stdout.contains("it answers 503"), "{}", away.shown());
}
