//! `--diff-from`: what was found before is no news, and only news is told. Before is a file, a folder, or a commit.

use super::judge::Judge;
use super::report::{Checked, Report, rule_id};
use crate::exit::{Failure, io_reason};
use crate::input::{Rendering, collect_rendered};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use wayguard_engine::Verdict;
use wayguard_engine::decision::Effect;

/// Where the manifests are as they were.
pub(super) struct Before {
    paths: Vec<PathBuf>,
    /// Removed when all is done.
    _folder: Option<Scratch>,
}

/// A folder of our own.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It lies in the system's folder for such things; nothing hangs on it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Before {
    /// Finds them: a file or folder as it is, else the commit that git knows by that name, with the files that
    /// `paths` name.
    ///
    /// # Errors
    /// If it is neither.
    pub(super) fn find(from: &str, paths: &[PathBuf]) -> Result<Self, Failure> {
        let path = Path::new(from);
        if path.exists() {
            return Ok(Self { paths: vec![path.to_owned()], _folder: None });
        }
        if paths.iter().any(|path| path.as_os_str() == "-") {
            return Err(Failure::Invalid(
                "stdin has no past; name the file or folder that it is compared with".to_owned(),
            ));
        }
        let root = git(&["rev-parse", "--show-toplevel"]).map_err(|_| neither(from))?;
        git(&["rev-parse", "--verify", "--quiet", &format!("{from}^{{commit}}")])
            .map_err(|_| neither(from))?;
        let folder = Scratch(scratch()?);
        let mut found = Vec::new();
        for path in paths {
            let absolute = std::path::absolute(path).map_err(|error| Failure::unreadable(path, &error))?;
            let below = absolute.strip_prefix(root.trim()).map_err(|_| {
                Failure::Invalid(format!("`{}` is not in the repository of `{from}`", path.display()))
            })?;
            found.extend(checked_out(from, root.trim(), below, &folder.0)?);
        }
        Ok(Self { paths: found, _folder: Some(folder) })
    }

    /// What was found in them.
    pub(super) fn report(&self, judge: &Judge, rendering: &Rendering) -> Result<Report, Failure> {
        let files = collect_rendered(&self.paths, rendering)?;
        Ok(judge.all(&files).report)
    }
}

fn neither(from: &str) -> Failure {
    Failure::Invalid(format!("`{from}` is no file, no folder, and no commit that git knows here"))
}

/// What git prints.
fn git(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// A new folder that only we can read.
fn scratch() -> Result<PathBuf, Failure> {
    let unique =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let path = std::env::temp_dir().join(format!("wayguard-{}-{unique}", std::process::id()));
    // Fails if it is there already: nobody else's files are taken for ours.
    std::fs::create_dir(&path)
        .map_err(|error| Failure::Ours(format!("cannot make `{}`: {}", path.display(), io_reason(&error))))?;
    Ok(path)
}

/// Writes the files of a commit at or below a path into a folder, at the same places; the path there, if there was
/// anything.
fn checked_out(commit: &str, root: &str, below: &Path, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let ours = |error: String| Failure::Ours(format!("git cannot show `{commit}`: {error}"));
    let wanted = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    let wanted = wanted.to_string_lossy();
    let listed =
        git(&["-C", root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", &wanted]);
    let listed = listed.map_err(ours)?;
    let mut any = false;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let output = Command::new("git").args(["-C", root, "show", &format!("{commit}:{name}")]).output();
        let output = output.map_err(|error| ours(error.to_string()))?;
        // A submodule is listed, and is no file.
        if !output.status.success() {
            continue;
        }
        let path = folder.join(name);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, &output.stdout));
        written.map_err(|error| crate::exit::unwritable(&path, &error))?;
        any = true;
    }
    Ok(any.then(|| folder.join(below)))
}

/// What says that two findings are the same: the object, the rule, the place and the words.
type Key = (String, String, String, String);

fn key(checked: &Checked, finding: &wayguard_engine::Finding) -> Key {
    let object = format!("{} {}", checked.object.api_version, checked.object);
    (object, rule_id(finding), finding.path.clone(), finding.message.clone())
}

/// Takes out of a report what another has already; how much that was.
pub(super) fn only_new(report: &mut Report, before: &Report) -> usize {
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    for checked in &before.results {
        for finding in &checked.findings {
            *known.entry(key(checked, finding)).or_default() += 1;
        }
    }
    let mut dropped = 0;
    for checked in &mut report.results {
        let lines: Vec<usize> = checked.findings().map(|(_, line)| line).collect();
        let findings = std::mem::take(&mut checked.findings);
        checked.lines.clear();
        for (finding, line) in findings.into_iter().zip(lines) {
            match known.get_mut(&key(checked, &finding)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    dropped += 1;
                }
                _ => {
                    checked.findings.push(finding);
                    checked.lines.push(line);
                }
            }
        }
        soften(checked);
    }
    dropped
}

/// The verdict that is left when what was there before does not count.
fn soften(checked: &mut Checked) {
    if checked.verdict != Verdict::Deny {
        return;
    }
    let open = || checked.findings.iter().filter(|finding| finding.exception.is_none());
    if open().any(|finding| finding.effect >= Effect::Deny) {
        return;
    }
    let warns = open().any(|finding| finding.effect == Effect::Warn);
    checked.verdict = if warns { Verdict::Warn } else { Verdict::Allow };
    checked.message = String::new();
}
