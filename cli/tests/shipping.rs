//! `wayguard policy build`, `push`, `pull` and `verify` against a registry on loopback: what is shipped is what
//! decides, and nothing is taken that nobody vouches for, or that goes back.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

mod support;

use support::{Ran, wayguard_in};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wayguard_images::test_registry::TestRegistry;

struct Rig {
    runtime: Runtime,
    registry: TestRegistry,
    folder: TempDir,
}

const BUNDLE: &str = "\
apiVersion: wayguard.io/v1alpha1
kind: Bundle
metadata: {name: shop}
spec:
  policies:
    - {policy: demo/owner, action: Deny}
";

impl Rig {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = runtime.block_on(TestRegistry::start()).unwrap();
        let rig = Self { runtime, registry, folder: tempfile::tempdir().unwrap() };
        for name in ["key", "other"] {
            let key = rcgen::KeyPair::generate().unwrap();
            rig.write(&format!("{name}.pem"), &key.serialize_pem());
            rig.write(&format!("{name}.pub"), &key.public_key_pem());
        }
        let made = rig.run(&["policy", "new", "demo/owner", "--in", "mine"]);
        assert_eq!(made.code, 0, "{}", made.shown());
        std::fs::create_dir(rig.folder.path().join("mine/bundles")).unwrap();
        rig.write("mine/bundles/shop.yaml", BUNDLE);
        rig
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        wayguard_in(self.folder.path(), arguments)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn build(&self, version: &str) -> Ran {
        self.run(&[
            "policy",
            "build",
            "mine",
            "--name",
            "acme",
            "--version",
            version,
            "-o",
            &format!("{version}.tar.gz"),
        ])
    }

    fn place(&self, rest: &str) -> String {
        format!("{}/acme/policies{rest}", self.registry.host())
    }

    /// Builds and pushes a version, signed, and gives its place by digest.
    fn ship(&self, version: &str) -> String {
        let built = self.build(version);
        assert_eq!(built.code, 0, "{}", built.shown());
        let (file, to) = (format!("{version}.tar.gz"), self.place(&format!(":{version}")));
        let pushed = self.run(&["policy", "push", &file, &to, "--sign-key", "key.pem"]);
        assert_eq!(pushed.code, 0, "{}", pushed.shown());
        pushed.stdout.trim().to_owned()
    }

    fn pull(&self, from: &str, more: &[&str]) -> Ran {
        let arguments = [&["policy", "pull", from, "-o", "pulled.tar.gz"], more].concat();
        self.run(&arguments)
    }
}

#[test]
fn what_is_shipped_is_what_decides() {
    let rig = Rig::new();
    for referrers in [true, false] {
        rig.registry.keep_referrers(referrers);
        let place = rig.ship(if referrers { "1.4.0" } else { "1.4.1" });
        assert!(place.starts_with(&rig.place("@sha256:")), "{place}");
        let verified = rig.run(&["policy", "verify", &place, "--key", "other.pub", "--key", "key.pub"]);
        assert_eq!(verified.code, 0, "{}", verified.shown());
        assert!(verified.stderr.contains("signed by options/key (key sha256:"), "{}", verified.shown());
        let pulled = rig.pull(&place, &["--key", "key.pub"]);
        assert_eq!(pulled.code, 0, "{}", pulled.shown());
        assert_eq!(pulled.stdout.trim(), place);
    }
    let denied = "mine/demo/owner/samples/denied/no-owner.yaml";
    for policies in ["shop", "demo/owner"] {
        let checked = rig.run(&["check", "--policies", "pulled.tar.gz", "--policies", policies, denied]);
        assert_eq!(checked.code, 2, "{}", checked.shown());
        assert!(checked.stdout.contains("demo/owner"), "{}", checked.shown());
    }
}

#[test]
fn the_same_files_give_the_same_bytes_and_tests_stay_behind() {
    let rig = Rig::new();
    let bytes = |version: &str| std::fs::read(rig.folder.path().join(format!("{version}.tar.gz"))).unwrap();
    assert_eq!(rig.build("1.0.0").code, 0);
    let first = bytes("1.0.0");
    assert_eq!(rig.build("1.0.0").code, 0);
    assert_eq!(first, bytes("1.0.0"));
    let read = wayguard_bundle::archive::Archive::unpack(&first).unwrap();
    let files: Vec<&str> = read.library.files().keys().map(String::as_str).collect();
    assert!(files.contains(&"demo/owner/policy.rego") && files.contains(&"bundles/shop.yaml"), "{files:?}");
    assert!(!files.iter().any(|path| path.contains("_test") || path.contains("samples")), "{files:?}");
}

/// Policies that must be told something by whoever uses them are shipped all the same.
#[test]
fn the_library_itself_can_be_shipped() {
    let rig = Rig::new();
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
    let built = rig.run(&[
        "policy",
        "build",
        library,
        "--name",
        "library",
        "--version",
        "0.1.0",
        "-o",
        "library.tar.gz",
    ]);
    assert_eq!(built.code, 0, "{}", built.shown());
    let bytes = std::fs::read(rig.folder.path().join("library.tar.gz")).unwrap();
    assert!(bytes.len() < 512 << 10, "{} bytes", bytes.len());
}

#[test]
fn nothing_is_taken_that_nobody_vouches_for() {
    let rig = Rig::new();
    let place = rig.ship("1.0.0");
    let wrong = rig.pull(&place, &["--key", "other.pub"]);
    assert_eq!(wrong.code, 2, "{}", wrong.shown());
    assert!(wrong.stderr.contains("is not signed by who should"), "{}", wrong.shown());
    assert!(!rig.folder.path().join("pulled.tar.gz").exists());

    assert_eq!(rig.build("2.0.0").code, 0);
    let unsigned = rig.run(&["policy", "push", "2.0.0.tar.gz", &rig.place(":2.0.0")]);
    assert_eq!(unsigned.code, 0, "{}", unsigned.shown());
    assert!(unsigned.stderr.contains("it is not signed"), "{}", unsigned.shown());
    let pulled = rig.pull(unsigned.stdout.trim(), &["--key", "key.pub"]);
    assert_eq!(pulled.code, 2, "{}", pulled.shown());
    assert!(pulled.stderr.contains("0 of 1 signatures"), "{}", pulled.shown());
}

#[test]
fn what_is_there_is_not_taken_back() {
    let rig = Rig::new();
    let (old, new) = (rig.ship("1.9.0"), rig.ship("1.10.0"));
    let key = ["--key", "key.pub"];
    assert_eq!(rig.pull(&new, &key).code, 0);
    let back = rig.pull(&old, &key);
    assert_eq!(back.code, 2, "{}", back.shown());
    assert!(
        back.stderr.contains("version 1.9.0 would take the place of 1.10.0, which is newer"),
        "{}",
        back.shown()
    );
    let allowed = rig.pull(&old, &["--key", "key.pub", "--allow-rollback"]);
    assert_eq!(allowed.code, 0, "{}", allowed.shown());
    rig.write("pulled.tar.gz", "somebody's file");
    let kept = rig.pull(&new, &key);
    assert_eq!(kept.code, 2, "{}", kept.shown());
    assert!(kept.stderr.contains("`pulled.tar.gz` is no bundle of policies"), "{}", kept.shown());
}

#[test]
fn authorities_may_say_who_signs() {
    let rig = Rig::new();
    let place = rig.ship("1.0.0");
    let authority = |images: &str| {
        format!(
            "apiVersion: wayguard.io/v1alpha1\nkind: ImageAuthority\nmetadata: {{name: policies}}\nspec:\n  images: [\"{images}\"]\n  authorities: [{{name: security-team, keys: [{{file: key.pub}}]}}]\n"
        )
    };
    rig.write("authority.yaml", &authority(&rig.place("")));
    let verified = rig.run(&["policy", "verify", &place, "--authority", "authority.yaml"]);
    assert_eq!(verified.code, 0, "{}", verified.shown());
    assert!(verified.stderr.contains("signed by policies/security-team"), "{}", verified.shown());
    rig.write("authority.yaml", &authority("ghcr.io/acme"));
    let silent = rig.run(&["policy", "verify", &place, "--authority", "authority.yaml"]);
    assert_eq!(silent.code, 3, "{}", silent.shown());
    assert!(silent.stderr.contains("no ImageAuthority that was named speaks of"), "{}", silent.shown());
}

#[test]
fn what_cannot_be_shipped_says_why() {
    let rig = Rig::new();
    let code = |arguments: &[&str], expected: i32, words: &str| {
        let run = rig.run(arguments);
        assert_eq!(run.code, expected, "{}", run.shown());
        assert!(run.stderr.contains(words), "{}", run.shown());
    };
    let empty = tempfile::tempdir().unwrap();
    let build = |from: &str, expected, words: &str| {
        code(
            &["policy", "build", from, "--name", "a", "--version", "1.0.0", "-o", "a.tar.gz"],
            expected,
            words,
        );
    };
    build(&empty.path().display().to_string(), 3, "has no policy");
    code(
        &["policy", "build", "mine", "--name", "a", "--version", "1", "-o", "a.tar.gz"],
        3,
        "invalid value '1' for '--version <VERSION>'",
    );
    rig.write("mine/demo/owner/policy.rego", "package demo.owner\n\ndeny contains x if { y }\n");
    build("mine", 3, "mine/demo/owner");
    let bundle = "apiVersion: wayguard.io/v1alpha1\nkind: Bundle\nmetadata: {name: own}\nspec: {inherits: [baseline]}\n";
    rig.write("stray/own.yaml", bundle);
    assert_eq!(rig.run(&["policy", "new", "demo/fine", "--kind", "v1/ConfigMap", "--in", "stray"]).code, 0);
    build("stray", 3, "`stray/own.yaml` holds a Bundle, which would stay behind: move it to `stray/bundles`");
    rig.write("text.tar.gz", "text");
    code(
        &["policy", "push", "text.tar.gz", &rig.place(":1")],
        3,
        "is no bundle of policies: it is no gzipped tar",
    );
    code(&["policy", "verify", &rig.place(":9"), "--key", "key.pub"], 3, "does not exist");
    code(&["policy", "verify", "Not A Place", "--key", "key.pub"], 3, "names no image");
    code(&["policy", "verify", &rig.place(":9")], 3, "--key");
    let away = TestRegistry::start();
    let away = rig.runtime.block_on(away).unwrap().host().to_owned();
    code(&["policy", "verify", &format!("{away}/x:1"), "--key", "key.pub"], 1, "cannot be reached");
    assert!(!rig.folder.path().join("a.tar.gz").exists());
}
