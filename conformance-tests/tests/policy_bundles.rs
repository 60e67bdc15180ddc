//! `PolicyBundle` on a real API server with a real registry: what is signed is stored and enforced, what is not signed,
//! goes back or does not load changes nothing, and with the registry gone and everything started anew it is enforced
//! still.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use tokio::runtime::Runtime;
use wayguard_conformance_tests::{Sandbox, eventually, output, wayguard};
use wayguard_images::test_registry::TestRegistry;

/// The suite's own namespace.
const OWN: &str = "wayguard-system";
const NAMESPACE: &str = "shop";

const POLICY: &str = r#"# METADATA
# scope: package
# title: ConfigMaps have owners
# description: For a test.
# custom:
#   severity: low
#   category: acme
#   remedy: Say who owns it.
#   match:
#     resourceRules: [{apiGroups: [''], apiVersions: ['*'], resources: [configmaps], operations: [CREATE, UPDATE]}]
package acme.owner

deny contains {
	"msg": "who owns it is not said",
	"path": "/metadata/labels/owner",
	"remedy": "Say who owns it.",
} if not input.review.object.metadata.labels.owner
"#;

const BUNDLE: &str = "apiVersion: wayguard.io/v1alpha1
kind: Bundle
metadata: {name: acme}
spec:
  policies:
    - {policy: acme/owner, action: Deny}
";

struct Rig {
    /// Of the registry; without it there is none.
    runtime: Option<Runtime>,
    registry: TestRegistry,
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Rig {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = runtime.block_on(TestRegistry::start()).unwrap();
        let sandbox = Sandbox::start(&["--policies", "images/latest-tag"]);
        sandbox.namespace(NAMESPACE, "development");
        let rig = Self { runtime: Some(runtime), registry, folder: tempfile::tempdir().unwrap(), sandbox };
        rig.write("mine/acme/owner/policy.rego", POLICY);
        rig.write("mine/bundles/acme.yaml", BUNDLE);
        for name in ["key", "other"] {
            let (private, public) = (rig.path(&format!("{name}.pem")), rig.path(&format!("{name}.pub")));
            let new = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
            output(Command::new("openssl").args(new).arg(&private), "").accepted();
            output(
                Command::new("openssl")
                    .args(["pkey", "-pubout", "-in"])
                    .arg(&private)
                    .arg("-out")
                    .arg(&public),
                "",
            )
            .accepted();
        }
        rig
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn wayguard(&self, arguments: &[&str]) -> String {
        output(Command::new(wayguard()).args(arguments).current_dir(self.folder.path()), "").accepted()
    }

    /// Builds, signs and pushes a version; its place by digest.
    fn ship(&self, version: &str, key: &str) -> String {
        let (file, to) =
            (format!("{version}.tar.gz"), format!("{}/acme/policies:{version}", self.registry.host()));
        self.wayguard(&["policy", "build", "mine", "--name", "acme", "--version", version, "-o", &file]);
        self.wayguard(&["policy", "push", &file, &to, "--sign-key", &format!("{key}.pem")]).trim().to_owned()
    }

    /// The same of a policy that names what is not there, packed by hand.
    fn ship_broken(&self, version: &str) -> String {
        let folder = self.path("broken");
        std::fs::create_dir(&folder).unwrap();
        let tar = |arguments: &[&str]| {
            output(Command::new("tar").args(arguments).current_dir(&folder), "").accepted()
        };
        tar(&["xzf", "../1.1.0.tar.gz"]);
        let broken = POLICY.replace("package acme.owner\n", "package acme.owner\n\nallowed := nobody(1)\n");
        std::fs::write(folder.join("acme/owner/policy.rego"), broken).unwrap();
        let manifest = std::fs::read_to_string(folder.join(".manifest")).unwrap();
        std::fs::write(folder.join(".manifest"), manifest.replace("1.1.0", version)).unwrap();
        tar(&["czf", "../broken.tar.gz", ".manifest", "acme", "bundles"]);
        let to = format!("{}/acme/policies:{version}", self.registry.host());
        self.wayguard(&["policy", "push", "broken.tar.gz", &to, "--sign-key", "key.pem"]).trim().to_owned()
    }

    fn bundle(&self, spec: &Value) -> i64 {
        let object = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "PolicyBundle", "metadata": {"name": "acme"}, "spec": spec});
        self.sandbox.apply(&object.to_string()).accepted();
        self.sandbox.get("policybundle", "acme", "")["metadata"]["generation"].as_i64().unwrap()
    }

    /// Waits until both conditions are about this generation and say this.
    fn says(&self, generation: i64, verified: (&str, &str), loaded: &str) -> Value {
        let mut status = Value::Null;
        eventually(&format!("{verified:?}, loaded {loaded}"), || {
            status = self.sandbox.get("policybundle", "acme", "")["status"].clone();
            let (one, other) = (condition(&status, "Verified"), condition(&status, "Loaded"));
            [&one, &other].iter().all(|it| it["observedGeneration"] == generation)
                && (one["status"].as_str(), one["reason"].as_str()) == (Some(verified.0), Some(verified.1))
                && other["status"] == loaded
        });
        status
    }

    /// Whether a ConfigMap without an owner is refused, and by what.
    fn is_enforced(&self) -> bool {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain", "namespace": NAMESPACE}});
        let said = self.sandbox.kubectl(&["create", "--dry-run=server", "-f", "-"], &map.to_string());
        if !said.fine {
            assert!(
                said.err.contains("denied by acme/owner: ") && said.err.contains("who owns it is not said"),
                "{}",
                said.err
            );
        }
        !said.fine
    }
}

fn condition(status: &Value, kind: &str) -> Value {
    let all = status["conditions"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

#[test]
fn a_bundle_is_enforced_as_it_was_signed() {
    let mut rig = Rig::start();
    nothing_is_dialled_of_which_nobody_speaks(&rig);
    what_is_signed_is_enforced(&rig);
    what_is_not_signed_or_goes_back_changes_nothing(&rig);
    what_is_stored_outlives_the_registry_and_every_process(&mut rig);
    what_is_deleted_is_gone(&rig);
}

fn nothing_is_dialled_of_which_nobody_speaks(rig: &Rig) {
    let place = rig.ship("1.0.0", "key");
    rig.registry.asked();
    let generation = rig.bundle(&json!({"image": place, "enforce": ["acme"]}));
    let status = rig.says(generation, ("False", "NobodySpeaksOfIt"), "False");
    let message = condition(&status, "Verified")["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("no ImageAuthority speaks of") && message.contains("/acme/policies`"),
        "{message}"
    );
    assert_eq!(rig.registry.asked(), []);
    assert!(!rig.is_enforced());
    // What a tag means may change tomorrow.
    let by_tag = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "PolicyBundle", "metadata": {"name": "tagged"},
        "spec": {"image": format!("{}/acme/policies:1.0.0", rig.registry.host()), "enforce": ["acme"]}});
    let refused = rig.sandbox.apply(&by_tag.to_string()).refused();
    assert!(refused.contains("spec.image"), "{refused}");
}

fn what_is_signed_is_enforced(rig: &Rig) {
    let key = std::fs::read_to_string(rig.path("key.pub")).unwrap();
    let authority = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "ImageAuthority", "metadata": {"name": "security"},
        "spec": {"images": [format!("{}/acme", rig.registry.host())], "authorities": [{"name": "security", "keys": [{"pem": key}]}]}});
    // Nobody applies the bundle again: who may sign has come.
    rig.sandbox.apply(&authority.to_string()).accepted();
    let generation = rig.sandbox.get("policybundle", "acme", "")["metadata"]["generation"].as_i64().unwrap();
    let status = rig.says(generation, ("True", "Signed"), "True");
    assert_eq!((status["version"].as_str(), status["bundle"].as_str()), (Some("1.0.0"), Some("acme")));
    assert_eq!(status["loadedBy"], "1/1");
    assert!(
        condition(&status, "Verified")["message"]
            .as_str()
            .unwrap()
            .starts_with("signed by security/security"),
        "{status}"
    );
    eventually("it is enforced", || rig.is_enforced());
    let shown = rig.sandbox.kubectl(&["get", "policybundles"], "").accepted();
    assert!(shown.contains("VERIFIED") && shown.contains("1.0.0"), "{shown}");
    // Whoever asks before applying is told the same.
    let map =
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: plain, namespace: {NAMESPACE}}}}}");
    let said = rig.sandbox.wayguard(&["check", "--cluster", "-"], &map);
    assert!(!said.fine && said.out.contains("acme/owner"), "{}{}", said.out, said.err);
    // A Policy may name a policy of it.
    let policy = "{apiVersion: wayguard.io/v1alpha1, kind: Policy, metadata: {name: mine}, spec: {source: {library: acme/owner}, action: Audit}}";
    rig.sandbox.apply(policy).accepted();
    eventually("the Policy is loaded", || {
        condition(&rig.sandbox.get("policy", "mine", "")["status"], "Loaded")["status"] == "True"
    });
    rig.sandbox.kubectl(&["delete", "policy", "mine"], "").accepted();
    // A version follows; what was of the one before is not kept.
    let next = rig.ship("1.1.0", "key");
    let generation = rig.bundle(&json!({"image": next, "enforce": ["acme"]}));
    assert_eq!(rig.says(generation, ("True", "Signed"), "True")["version"], "1.1.0");
    eventually("what nothing names is removed", || maps(rig).len() == 2);
}

/// The ConfigMaps of bundles.
fn maps(rig: &Rig) -> Vec<String> {
    let label = "wayguard.io/policy-bundle";
    let said = rig.sandbox.kubectl(&["get", "configmaps", "-n", OWN, "-l", label, "-o", "name"], "");
    said.accepted().lines().map(ToOwned::to_owned).collect()
}

fn what_is_not_signed_or_goes_back_changes_nothing(rig: &Rig) {
    let stays = |status: &Value| {
        assert_eq!(status["version"], "1.1.0");
        assert!(rig.is_enforced());
    };
    let unsigned = rig.ship("2.0.0", "other");
    let generation = rig.bundle(&json!({"image": unsigned, "enforce": ["acme"]}));
    let status = rig.says(generation, ("False", "NotSigned"), "False");
    let message = condition(&status, "Verified")["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("is not signed by who should") && message.contains("0 of 1 signatures"),
        "{message}"
    );
    stays(&status);

    let older = rig.ship("0.9.0", "key");
    let generation = rig.bundle(&json!({"image": older, "enforce": ["acme"]}));
    let status = rig.says(generation, ("False", "Rollback"), "False");
    let message = condition(&status, "Verified")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("version 0.9.0 would take the place of 1.1.0, which is newer"), "{message}");
    stays(&status);

    // What does not load: another program than `wayguard policy build` made it.
    let broken = rig.ship_broken("3.0.0");
    let generation = rig.bundle(&json!({"image": broken, "enforce": ["acme"]}));
    let status = rig.says(generation, ("False", "DoesNotLoad"), "False");
    let message = condition(&status, "Verified")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("PolicyBundle acme: acme/owner/policy.rego:"), "{message}");
    stays(&status);

    // Who means it may go back.
    let generation = rig.bundle(&json!({"image": older, "enforce": ["acme"], "allowRollback": true}));
    assert_eq!(rig.says(generation, ("True", "Signed"), "True")["version"], "0.9.0");
    assert!(rig.is_enforced());
}

fn what_is_stored_outlives_the_registry_and_every_process(rig: &mut Rig) {
    rig.runtime.take().unwrap().shutdown_background();
    for process in ["serve", "control"] {
        rig.sandbox.restart(process);
    }
    eventually("the server is ready again", || rig.sandbox.is_ready());
    assert!(rig.is_enforced(), "from the first request on");
    let status = rig.sandbox.get("policybundle", "acme", "")["status"].clone();
    assert_eq!(status["version"], "0.9.0");
    // That the registry is away is told, and takes nothing out of force.
    let generation = status["observedGeneration"].as_i64().unwrap();
    rig.says(generation, ("Unknown", "RegistryUnavailable"), "True");
    assert!(rig.is_enforced());
}

fn what_is_deleted_is_gone(rig: &Rig) {
    rig.sandbox.kubectl(&["delete", "policybundle", "acme"], "").accepted();
    eventually("it is enforced no more", || !rig.is_enforced());
    eventually("nothing is kept of it", || maps(rig).is_empty());
}
