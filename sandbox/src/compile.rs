//! Builds the control plane with `go build` from sources that are part of this
//! crate, so that an installed binary needs no checkout of the repository.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, thread};

use crate::binaries::Origin;
use crate::options::Progress;

/// The Go module of `conformance-tests/control-plane`.
const SOURCES: [(&str, &str); 4] = [
    ("go.mod", include_str!("../../conformance-tests/control-plane/go.mod")),
    ("go.sum", include_str!("../../conformance-tests/control-plane/go.sum")),
    ("kubectl.go", include_str!("../../conformance-tests/control-plane/kubectl.go")),
    ("main.go", include_str!("../../conformance-tests/control-plane/main.go")),
];

/// What the program is called by; it plays the part of its name.
const PARTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

/// The program itself.
const PROGRAM: &str = "control-plane";

/// How many of Go's last lines an error shows.
const TAIL: usize = 30;

/// What can fail in building the control plane.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// None of the commands is there.
    #[error(
        "the control plane has to be built, and there is no Go: install Go 1.26 or newer (from your \
         distribution, or https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with `etcd`, \
         `kube-apiserver` and `kube-controller-manager`, or use a cluster you have by its KUBECONFIG"
    )]
    NoGo,
    /// Go ran and failed.
    #[error(
        "`go {command}` failed while building the control plane; it needs Go 1.26 or newer and Go's module \
         proxy (see GOPROXY). Its last lines:\n{tail}"
    )]
    Failed {
        /// What Go was to do.
        command: &'static str,
        /// What it said.
        tail: String,
    },
    /// The cache could not be read or written.
    #[error("cannot use the cache folder `{path}`: {source}; set XDG_CACHE_HOME to one that can be written")]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Whether a build is in the cache.
pub(crate) fn is_built(cache: &Path) -> bool {
    folder(cache).join(PROGRAM).is_file()
}

/// A folder in which every part is a program, and whether it was just built.
pub(crate) fn find_or_build(
    cache: &Path,
    go: &[PathBuf],
    progress: &mut dyn FnMut(Progress),
) -> Result<(PathBuf, Origin), CompileError> {
    let folder = folder(cache);
    if is_built(cache) {
        return Ok((folder, Origin::Cache));
    }
    let cache_error = |source| CompileError::Cache { path: folder.clone(), source };
    // Asked before anything is written: most people meet this error first.
    let go = go.iter().find(|go| runs(go)).ok_or(CompileError::NoGo)?;
    fs::create_dir_all(folder.join("src")).map_err(cache_error)?;
    // Several test programs may find the cache empty at once; one builds, the
    // others wait. The lock goes with the file handle, however this ends.
    let lock = fs::File::create(folder.join("lock")).map_err(cache_error)?;
    if lock.try_lock().is_err() {
        progress(Progress::WaitingForBuild);
        lock.lock().map_err(cache_error)?;
    }
    if is_built(cache) {
        return Ok((folder, Origin::Cache));
    }
    for (name, text) in SOURCES {
        fs::write(folder.join("src").join(name), text).map_err(cache_error)?;
    }
    build(go, &folder, progress)?;
    link_parts(&folder).map_err(cache_error)?;
    // Last, because its presence means that all is there.
    fs::rename(folder.join("unfinished"), folder.join(PROGRAM)).map_err(cache_error)?;
    Ok((folder, Origin::Built))
}

/// One folder per content: other sources, another version, another machine in
/// the same home folder never meet.
fn folder(cache: &Path) -> PathBuf {
    let mut hash = blake3::Hasher::new();
    for text in SOURCES.iter().flat_map(|(name, text)| [*name, *text]).chain([
        ldflags().as_str(),
        std::env::consts::OS,
        std::env::consts::ARCH,
    ]) {
        hash.update(text.as_bytes()).update(&[0]);
    }
    let hash = hash.finalize().to_hex();
    cache.join(format!("control-plane-{}", hash.get(..16).unwrap_or(&hash)))
}

/// Tells the programs their version, which clients parse; upstream's build
/// scripts do the same. The version is that of `go.mod`.
fn ldflags() -> String {
    let version = SOURCES
        .iter()
        .flat_map(|(_, text)| text.lines())
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"))
        .unwrap_or_default();
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let mut flags = "-s -w".to_owned();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in
            [("gitVersion", &*format!("v{version}")), ("gitMajor", major), ("gitMinor", minor)]
        {
            // Writing to a String cannot fail.
            let _ = write!(flags, " -X {package}.{name}={value}");
        }
    }
    flags
}

fn runs(go: &Path) -> bool {
    let status = Command::new(go).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn build(go: &Path, folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), CompileError> {
    // How many packages there are, to say how far the build is.
    let packages = run(go, folder, "list", &["-deps", "."], &mut |line| {
        if let Some(module) = line.strip_prefix("go: downloading ") {
            progress(Progress::Downloading { module: module.to_owned() });
        }
    })?;
    let total = packages.lines().count();
    let mut done = 0;
    let args = ["-v", "-trimpath", "-ldflags", &ldflags(), "-o", "../unfinished", "."];
    run(go, folder, "build", &args, &mut |line| {
        // With -v Go names each package as it comes to it; what is in Go's own
        // cache is not named.
        if !line.is_empty() && !line.contains(char::is_whitespace) {
            done += 1;
            progress(Progress::Compiling { package: line.to_owned(), done, total });
        }
    })?;
    Ok(())
}

/// Runs Go in the sources' folder, shows each line of its talk, and returns its
/// output.
fn run(
    go: &Path,
    folder: &Path,
    command: &'static str,
    args: &[&str],
    on_line: &mut dyn FnMut(&str),
) -> Result<String, CompileError> {
    let failed = |tail: String| CompileError::Failed { command, tail };
    let mut child = Command::new(go)
        .arg(command)
        .args(args)
        .current_dir(folder.join("src"))
        // What a developer set for other projects must not change this one: no
        // workspace of theirs, no vendor folder, no C compiler needed.
        .envs([("GOWORK", "off"), ("GOFLAGS", "-mod=readonly"), ("CGO_ENABLED", "0"), ("GO111MODULE", "on")])
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let (talk, output) = (child.stderr.take(), child.stdout.take());
    let mut tail = VecDeque::new();
    let output = thread::scope(|scope| {
        // Read at the same time: a full pipe would stop Go.
        let output = scope.spawn(|| {
            let mut text = String::new();
            output.map(|mut output| output.read_to_string(&mut text));
            text
        });
        for line in talk.into_iter().flat_map(|talk| BufReader::new(talk).lines()).map_while(Result::ok) {
            on_line(&line);
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        }
        output.join().unwrap_or_default()
    });
    match child.wait() {
        Ok(status) if status.success() => Ok(output),
        Ok(_) => Err(failed(Vec::from(tail).join("\n"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Gives the one program the names of its parts.
fn link_parts(folder: &Path) -> io::Result<()> {
    for part in PARTS {
        match symlink(PROGRAM, folder.join(part)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_told_the_version_that_go_mod_names() {
        let flags = ldflags();
        assert!(flags.contains("-X k8s.io/component-base/version.gitVersion=v1."), "{flags}");
        assert!(flags.contains("-X k8s.io/client-go/pkg/version.gitMajor=1 "), "{flags}");
        let minor = flags.rsplit_once("gitMinor=").unwrap().1;
        assert!(minor.parse::<u32>().unwrap() >= 37, "{flags}");
    }

    #[test]
    fn a_build_that_fails_shows_what_go_said() {
        let cache = tempfile::tempdir().unwrap();
        let go = cache.path().join("go");
        fs::write(&go, "#!/bin/sh\ntest \"$1\" = version && exit 0\necho 'go: no such luck' >&2\nexit 1\n")
            .unwrap();
        fs::set_permissions(&go, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let error = find_or_build(cache.path(), &[go], &mut |_| {}).unwrap_err();
        assert!(matches!(&error, CompileError::Failed { command: "list", .. }), "{error}");
        assert!(error.to_string().contains("go: no such luck"), "{error}");
        assert!(!is_built(cache.path()));
    }

    #[test]
    fn a_finished_build_is_found_again_and_nothing_is_run() {
        let cache = tempfile::tempdir().unwrap();
        let built = folder(cache.path());
        fs::create_dir_all(&built).unwrap();
        fs::write(built.join(PROGRAM), "").unwrap();
        assert_eq!(find_or_build(cache.path(), &[], &mut |_| {}).unwrap(), (built, Origin::Cache));
    }
}
