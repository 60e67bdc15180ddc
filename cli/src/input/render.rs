//! Folders that are rendered before they are judged: Helm charts and Kustomize folders, by the tools that deploy them.

use super::files::{Given, MAX_DEPTH, TextFile, is_manifest, read, shown, stdin};
use crate::exit::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is said to the tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rendering {
    /// Files of values for charts.
    pub(crate) values: Vec<PathBuf>,
    /// The namespace that charts are released into.
    pub(crate) namespace: String,
}

/// What a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Chart,
    Kustomization,
    Plain,
}

/// Reads what the arguments name, as [`collect`](super::collect) does, but renders charts and Kustomize folders.
///
/// # Errors
/// If a name leads nowhere, something cannot be read, or a tool is not there or refuses.
pub(crate) fn collect_rendered(
    arguments: &[PathBuf],
    rendering: &Rendering,
) -> Result<Vec<TextFile>, Failure> {
    let mut files = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            files.push(stdin()?);
        } else if argument.is_dir() {
            folder(argument, rendering, 0, &mut files)?;
        } else {
            files.push(read(argument.clone(), Given::Named)?);
        }
    }
    // A folder and a file in it: the file is judged once.
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| file.path.as_ref().is_none_or(|path| seen.insert(path.clone())));
    Ok(files)
}

fn kind_of(folder: &Path) -> Kind {
    if folder.join("Chart.yaml").is_file() {
        Kind::Chart
    } else if kustomization_file(folder).is_some() {
        Kind::Kustomization
    } else {
        Kind::Plain
    }
}

/// The file that makes a folder one of Kustomize's.
fn kustomization_file(folder: &Path) -> Option<PathBuf> {
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    names.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

fn folder(
    path: &Path,
    rendering: &Rendering,
    depth: usize,
    files: &mut Vec<TextFile>,
) -> Result<(), Failure> {
    match kind_of(path) {
        Kind::Chart => chart(path, rendering, files),
        Kind::Kustomization => kustomization(path, files),
        Kind::Plain => plain(path, rendering, depth, files),
    }
}

fn plain(path: &Path, rendering: &Rendering, depth: usize, files: &mut Vec<TextFile>) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        let shown = path.display();
        return Err(Failure::Invalid(format!("`{shown}` is nested too deeply; is it a loop of links?")));
    }
    let unreadable = |error: std::io::Error| Failure::unreadable(path, &error);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push(entry.path());
        }
    }
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            folder(&entry, rendering, depth + 1, files)?;
        } else if is_manifest(&entry) {
            files.push(read(entry, Given::Found)?);
        }
    }
    Ok(())
}

fn chart(path: &Path, rendering: &Rendering, files: &mut Vec<TextFile>) -> Result<(), Failure> {
    let absolute = path.canonicalize().map_err(|error| Failure::unreadable(path, &error))?;
    let release = absolute.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut command = Command::new("helm");
    command.arg("template").arg(release_name(&release)).arg(path).arg("--include-crds");
    if !rendering.namespace.is_empty() {
        command.args(["--namespace", &rendering.namespace]);
    }
    for values in &rendering.values {
        command.arg("--values").arg(values);
    }
    let text = run(command, path, "a Helm chart", "helm template")?.ok_or_else(|| {
        missing(path, "a Helm chart", "`helm` is not on the PATH", "helm template CHART | wayguard check -")
    })?;
    files.extend(by_template(path, &text));
    Ok(())
}

/// A release's name is a DNS label.
fn release_name(folder: &str) -> String {
    let word: String = folder.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    match word.trim_matches('-') {
        "" => "release".to_owned(),
        name => name.chars().take(53).collect(),
    }
}

/// Documents by the template that they come from, which Helm names in a comment: a place that is in the chart is
/// of more use than one in a text that nobody has. Lines are those of the rendered document.
fn by_template(chart: &Path, text: &str) -> Vec<TextFile> {
    let mut files: Vec<TextFile> = Vec::new();
    let outside = chart.parent().unwrap_or(Path::new(""));
    for document in documents(text) {
        let source = document.lines().find_map(|line| line.strip_prefix("# Source: "));
        // The first part of the path is the chart's name, which need not be the folder's.
        let below = source.and_then(|source| source.trim().split_once('/')).map(|(_, below)| below);
        let path = below.map_or_else(|| chart.to_owned(), |below| chart.join(below));
        let path = if path.is_file() { path } else { outside.join(chart.file_name().unwrap_or_default()) };
        let name = shown(&path);
        match files.iter_mut().find(|file| file.name == name) {
            Some(file) => {
                file.text.push_str("---\n");
                file.text.push_str(&document);
            }
            None => files.push(TextFile { name, path: None, text: document, given: Given::Found }),
        }
    }
    files
}

/// The documents of a stream, without the lines between them.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    documents.retain(|document| !document.trim().is_empty());
    documents
}

fn kustomization(path: &Path, files: &mut Vec<TextFile>) -> Result<(), Failure> {
    let mut own = Command::new("kustomize");
    own.arg("build").arg(path);
    let mut kubectl = Command::new("kubectl");
    kubectl.arg("kustomize").arg(path);
    let what = "a Kustomize folder";
    let text = match run(own, path, what, "kustomize build")? {
        Some(text) => Some(text),
        None => run(kubectl, path, what, "kubectl kustomize")?,
    };
    let text = text.ok_or_else(|| {
        let neither = "neither `kustomize` nor `kubectl` is on the PATH";
        missing(path, what, neither, "kustomize build DIR | wayguard check -")
    })?;
    let name = shown(&kustomization_file(path).unwrap_or_else(|| path.to_owned()));
    files.push(TextFile { name, path: None, text, given: Given::Found });
    Ok(())
}

/// What a tool prints; `None`: it is not there.
fn run(mut command: Command, path: &Path, what: &str, shown: &str) -> Result<Option<String>, Failure> {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::Ours(format!("cannot run `{shown}`: {error}"))),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let path = path.display();
        return Err(Failure::Invalid(format!(
            "`{path}` is {what}, and `{shown}` refuses it: {}",
            said.trim()
        )));
    }
    String::from_utf8(output.stdout)
        .map(Some)
        .map_err(|_| Failure::Invalid(format!("what `{shown}` printed is not UTF-8 text")))
}

fn missing(path: &Path, what: &str, none: &str, instead: &str) -> Failure {
    let path = path.display();
    Failure::Invalid(format!(
        "`{path}` is {what}, and {none}; install it, or render it yourself: `{instead}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_apart_by_their_files() {
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [
            ("a/Chart.yaml", Kind::Chart),
            ("b/kustomization.yaml", Kind::Kustomization),
            ("c/Kustomization", Kind::Kustomization),
            ("d/pod.yaml", Kind::Plain),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            assert_eq!(kind_of(path.parent().unwrap()), kind, "{name}");
        }
    }

    #[test]
    fn documents_are_found_again_in_the_templates_that_they_come_from() {
        let folder = tempfile::tempdir().unwrap();
        let chart = folder.path().join("shop");
        std::fs::create_dir_all(chart.join("templates")).unwrap();
        std::fs::write(chart.join("templates/a.yaml"), "").unwrap();
        let text = "---\n# Source: store/templates/a.yaml\na: 1\n---\n# Source: store/templates/a.yaml\na: 2\n---\n# Source: store/charts/x/templates/b.yaml\nb: 1\n";
        let files = by_template(&chart, text);
        let names: Vec<_> = files.iter().map(|file| file.name.clone()).collect();
        assert_eq!(names, [shown(&chart.join("templates/a.yaml")), shown(&chart)]);
        assert_eq!(files[0].text.matches("a: ").count(), 2);
    }

    #[test]
    fn a_release_has_the_name_of_a_label() {
        assert_eq!(release_name("my_shop."), "my-shop");
        assert_eq!(release_name("..."), "release");
    }
}
