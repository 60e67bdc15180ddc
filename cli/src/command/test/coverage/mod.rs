//! What the tests have come to of each policy and shared module: rule heads, `else`s and expressions, told by lines.
//!
//! A line counts if something begins on it, as `opa test --coverage` has it; it is covered if all that begins on it
//! was come to.

mod html;
mod page;
mod told;

use super::report::Covered;
use crate::exit::Failure;
use crate::input::walk;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wayguard_engine::rego::syntax::parse_module;
use wayguard_engine::rego::syntax::tree::{Span, Version};
use wayguard_engine::rego::{Mark, Marked, Module, Program};

/// What was come to, by file.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// By the file's path without links, so that each is there once.
    files: BTreeMap<PathBuf, File>,
}

/// What was come to of one file.
#[derive(Debug)]
struct File {
    /// As it was named.
    name: String,
    text: String,
    /// By line and column.
    spots: BTreeMap<(u32, u32), Spot>,
}

/// One thing that tests can come to.
#[derive(Clone, Copy, Debug)]
struct Spot {
    span: Span,
    what: Marked,
    reached: bool,
}

/// How many are covered, and how many are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    covered: usize,
    not_covered: usize,
}

impl Count {
    fn of(items: impl Iterator<Item = bool>) -> Self {
        items.fold(Self::default(), |mut count, covered| {
            *(if covered { &mut count.covered } else { &mut count.not_covered }) += 1;
            count
        })
    }

    fn plus(self, other: Self) -> Self {
        Self { covered: self.covered + other.covered, not_covered: self.not_covered + other.not_covered }
    }

    fn all(self) -> usize {
        self.covered + self.not_covered
    }

    /// In percent, with two digits; nothing at all is all of it. Never 100 as long as something is missing.
    fn percent(self) -> f64 {
        Covered::percent(self.covered, self.not_covered)
    }

    fn json(self) -> Json {
        json!({"covered": self.covered, "notCovered": self.not_covered})
    }
}

impl Coverage {
    /// Adds what a program has come to; `modules`: what it was compiled of. Tests themselves do not count, nor what
    /// is built in.
    pub(super) fn add(&mut self, program: &Program, modules: &[Module]) {
        let mut numbered: BTreeMap<u16, PathBuf> = BTreeMap::new();
        for (number, module) in (0..).zip(modules) {
            if let Some(path) = self.file(module) {
                numbered.insert(number, path);
            }
        }
        for (mark, reached) in program.marks() {
            let file = numbered.get(&mark.file).and_then(|path| self.files.get_mut(path));
            if let Some(file) = file {
                file.add(mark, reached);
            }
        }
    }

    /// The key of a module's file; `None` if it does not count.
    fn file(&mut self, module: &Module) -> Option<PathBuf> {
        if is_test(Path::new(&module.path)) {
            return None;
        }
        let path = Path::new(&module.path).canonicalize().ok()?;
        self.files.entry(path.clone()).or_insert_with(|| File {
            name: module.path.clone(),
            text: module.text.clone(),
            spots: BTreeMap::new(),
        });
        Some(path)
    }

    /// Adds what another run has come to.
    pub(super) fn merge(&mut self, other: Self) {
        for (path, file) in other.files {
            match self.files.get_mut(&path) {
                None => {
                    self.files.insert(path, file);
                }
                Some(known) => {
                    for (place, spot) in file.spots {
                        let known = known.spots.entry(place).or_insert(spot);
                        known.reached |= spot.reached;
                    }
                }
            }
        }
    }

    /// Keeps the files of the folders that were given, and adds those of them that no test has loaded.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub(super) fn settle(&mut self, folders: &[PathBuf]) -> Result<(), Failure> {
        let mut given = Vec::new();
        for folder in folders {
            given.push(folder.canonicalize().map_err(|error| Failure::unreadable(folder, &error))?);
            if !folder.is_dir() {
                continue;
            }
            let is_module = |path: &Path| path.extension().is_some_and(|it| it == "rego") && !is_test(path);
            for path in walk(folder, &is_module)? {
                let module = super::units::module(&path)?;
                let Some(key) = self.file(&module) else { continue };
                // What does not parse has failed its tests, and has nothing to come to.
                let Ok(tree) = parse_module(&module.text, Version::V1) else { continue };
                if let Some(file) = self.files.get_mut(&key) {
                    Mark::of_module(0, &tree).into_iter().for_each(|mark| file.add(mark, false));
                    file.name = module.path;
                }
            }
        }
        self.files.retain(|path, _| given.iter().any(|folder| path.starts_with(folder)));
        Ok(())
    }

    fn lines(&self) -> Count {
        self.files.values().map(File::lines).fold(Count::default(), Count::plus)
    }

    fn expressions(&self) -> Count {
        self.files.values().map(File::expressions).fold(Count::default(), Count::plus)
    }

    /// Covered lines in percent.
    pub(super) fn percent(&self) -> f64 {
        self.lines().percent()
    }

    /// For programs; `threshold`: what was asked for.
    pub(super) fn json(&self, threshold: Option<f64>) -> Json {
        let file = |file: &File| {
            json!({
                "file": file.name,
                "percent": file.lines().percent(),
                "lines": file.lines().json(),
                "expressions": file.expressions().json(),
                "covered": file.ranges(true),
                "notCovered": file.missed().map(|spot| json!({
                    "start": {"line": spot.span.start.line, "column": spot.span.start.column},
                    "end": {"line": spot.span.end.line, "column": spot.span.end.column},
                    "what": spot.what.named(),
                })).collect::<Vec<_>>(),
                "notCoveredLines": file.ranges(false),
            })
        };
        json!({
            "percent": self.percent(),
            "threshold": threshold,
            "lines": self.lines().json(),
            "expressions": self.expressions().json(),
            "files": self.files.values().map(file).collect::<Vec<_>>(),
        })
    }
}

impl File {
    fn add(&mut self, mark: Mark, reached: bool) {
        let place = (mark.span.start.line, mark.span.start.column);
        let spot = Spot { span: mark.span, what: mark.what, reached };
        self.spots.entry(place).or_insert(spot).reached |= reached;
    }

    /// Lines on which something begins, and whether all of it was come to.
    fn by_line(&self) -> BTreeMap<u32, bool> {
        let mut lines = BTreeMap::new();
        for ((line, _), spot) in &self.spots {
            *lines.entry(*line).or_insert(true) &= spot.reached;
        }
        lines
    }

    fn lines(&self) -> Count {
        Count::of(self.by_line().into_values())
    }

    fn expressions(&self) -> Count {
        Count::of(self.spots.values().map(|spot| spot.reached))
    }

    fn missed(&self) -> impl Iterator<Item = &Spot> {
        self.spots.values().filter(|spot| !spot.reached)
    }

    /// The first and last lines of runs of lines that are covered, or are not; lines that do not count are in none.
    fn ranges(&self, covered: bool) -> Vec<[u32; 2]> {
        let mut ranges: Vec<[u32; 2]> = Vec::new();
        for (line, _) in self.by_line().into_iter().filter(|(_, is)| *is == covered) {
            match ranges.last_mut() {
                Some([_, last]) if *last + 1 == line => *last = line,
                _ => ranges.push([line, line]),
            }
        }
        ranges
    }
}

trait Named {
    fn named(self) -> &'static str;
}

impl Named for Marked {
    /// The word for programs.
    fn named(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Else => "else",
            Self::Default => "default",
            Self::Expression => "expression",
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_test.rego"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayguard_engine::rego::{CompileOptions, World};

    /// What a rule's evaluation comes to, of a file on disk.
    fn covered(text: &str, rules: &[&str]) -> Coverage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.rego");
        std::fs::write(&path, text).unwrap();
        let modules = vec![Module { path: path.display().to_string(), text: text.to_owned() }];
        let options = CompileOptions { marks: true, ..CompileOptions::default() };
        let program = Program::compile(modules.clone(), options).unwrap();
        for rule in rules {
            let arena = bumpalo::Bump::new();
            program.rule(rule, &arena, World::default(), None).unwrap();
        }
        let mut coverage = Coverage::default();
        coverage.add(&program, &modules);
        coverage
    }

    #[test]
    fn a_line_is_covered_if_all_that_begins_on_it_was_come_to() {
        let text = "package p\n\na if {\n\tx := 1\n\tx == 2\n\tx > 0\n}\n\nb := 1 if { true; false }\n\ndefault c := 1\n";
        let coverage = covered(text, &["data.p.a", "data.p.b"]);
        let file = coverage.files.values().next().unwrap();
        assert_eq!(file.ranges(true), [[4, 5]]);
        assert_eq!(file.ranges(false), [[3, 3], [6, 6], [9, 9], [11, 11]]);
        assert_eq!(coverage.lines(), Count { covered: 2, not_covered: 4 });
        let json = coverage.json(Some(90.0));
        assert_eq!(json["percent"], 33.33);
        assert_eq!(json["files"][0]["notCovered"][3]["what"], "default");
    }

    #[test]
    fn runs_are_put_together() {
        let text = "package p\n\na if 1 == 1\n\nb if 2 == 2\n";
        let mut one = covered(text, &["data.p.a"]);
        let mut other = covered(text, &["data.p.b"]);
        let (a, b) = (one.files.pop_first().unwrap().1, other.files.pop_first().unwrap().1);
        one.files.insert(PathBuf::from("p"), a);
        other.files.insert(PathBuf::from("p"), b);
        assert!((one.percent() - 50.0).abs() < f64::EPSILON);
        one.merge(other);
        assert!((one.percent() - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn almost_all_is_not_all() {
        let count = Count { covered: 99_999, not_covered: 1 };
        assert!(count.percent() < 100.0);
        assert!((Count::default().percent() - 100.0).abs() < f64::EPSILON);
    }
}
