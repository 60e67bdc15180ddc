//! The book holds together: every page is in the summary once, and every link and anchor leads somewhere. Needs nothing
//! but the files; where there is mdBook, the book is built too.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn pages(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
}

fn all_pages() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    pages(&repository().join("docs"), &mut found);
    found
}

/// A page without what is code: fenced blocks and spans hold no links.
fn prose(text: &str) -> String {
    let mut plain = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let parts = line.split('`').enumerate().filter(|(part, _)| part % 2 == 0).map(|(_, text)| text);
            plain.extend(parts);
            plain.push('\n');
        }
    }
    plain
}

/// What `](…)` names.
fn links(text: &str) -> Vec<String> {
    let plain = prose(text);
    let mut found: Vec<String> = Vec::new();
    for part in plain.split("](").skip(1) {
        found.extend(part.split_once(')').map(|(target, _)| target.to_owned()));
    }
    found
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if let (false, Some(heading)) = (fenced, line.strip_prefix('#')) {
            let kept =
                heading.trim_start_matches('#').trim().chars().filter_map(|character| match character {
                    ' ' => Some('-'),
                    '-' | '_' => Some(character),
                    _ if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
                    _ => None,
                });
            found.insert(kept.collect());
        }
    }
    found
}

/// `docs/guides` and `../runbooks/down.md` → `docs/runbooks/down.md`.
fn joined(folder: &Path, target: &str) -> PathBuf {
    let mut path = folder.to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

#[test]
fn every_page_is_in_the_summary_once() {
    let docs = repository().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut listed = BTreeSet::new();
    for link in links(&summary) {
        assert!(listed.insert(docs.join(&link)), "{link} is there twice");
    }
    let mut pages = all_pages();
    pages.remove(&docs.join("SUMMARY.md"));
    let missing: Vec<_> = pages.difference(&listed).collect();
    assert!(missing.is_empty(), "not in docs/SUMMARY.md: {missing:?}");
    let gone: Vec<_> = listed.difference(&pages).collect();
    assert!(gone.is_empty(), "in docs/SUMMARY.md, and not there: {gone:?}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = all_pages();
    for name in ["README.md", "CONTRIBUTING.md", "charts/wayguard/README.md"] {
        pages.insert(repository().join(name));
    }
    let (mut broken, mut looked) = (Vec::new(), 0);
    for page in pages.iter().filter(|page| page.is_file()) {
        let text = std::fs::read_to_string(page).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            looked += 1;
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = if target.is_empty() { page.clone() } else { joined(page.parent().unwrap(), target) };
            let known = || anchors(&std::fs::read_to_string(&path).unwrap_or_default());
            if !path.exists() || (!anchor.is_empty() && !known().contains(anchor)) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(looked > 200, "{looked}");
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn mdbook_builds_it() {
    if Command::new("mdbook").arg("--version").output().is_err() {
        println!("skipped: there is no mdbook");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("mdbook")
        .args(["build", "docs", "--dest-dir"])
        .arg(folder.path())
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(folder.path().join("guides/troubleshoot.html")).unwrap();
    assert!(page.contains("kubectl is stuck"));
    let named = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with("searchindex");
    assert!(std::fs::read_dir(folder.path()).unwrap().flatten().any(named), "it can be searched");
}

#[test]
fn the_threat_model_names_tests_that_exist() {
    let page = std::fs::read_to_string(repository().join("docs/threat-model.md")).unwrap();
    let named: Vec<&str> = page.split('`').filter(|words| words.contains(".rs")).collect();
    assert!(named.len() > 40, "{}", named.len());
    for named in named {
        let (file, function) = named.split_once("::").unwrap_or((named, ""));
        let text = std::fs::read_to_string(repository().join(file));
        let text = text.unwrap_or_else(|error| panic!("`{file}`: {error}"));
        assert!(text.contains(&format!("fn {function}")), "`{file}` has no `{function}`");
    }
}
