//! What is looked at: files with their trees, what they import, and the folder of a policy.

use super::rule::{At, Found};
use super::{loading, metadata::Annotations};
use crate::rego::syntax::tree::{Import, Module, Name, Rule, Span, Version};
use crate::rego::syntax::{self};
use std::collections::BTreeMap;

/// A file of Rego.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As shown to people.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// What it is.
    pub role: Role,
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A `policy.rego`.
    Policy(Folder),
    /// A `*_test.rego`.
    Tests,
    /// Shared Rego.
    Shared,
    /// Only there to be imported: nothing in it is reported.
    Known,
}

/// What lies around a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// `category/policy`, from the folders' names.
    pub id: String,
    /// How many samples are allowed.
    pub allowed: usize,
    /// How many samples are denied.
    pub denied: usize,
}

/// A file with its tree.
pub(super) struct Unit<'s> {
    pub(super) source: &'s Source,
    pub(super) tree: Module,
    /// The METADATA of its package, if there is one that can be read.
    pub(super) annotations: Option<Annotations>,
}

/// All files.
pub(super) struct Whole<'s> {
    pub(super) units: Vec<Unit<'s>>,
    by_package: BTreeMap<String, Vec<usize>>,
}

impl<'s> Whole<'s> {
    /// Parses all; what cannot be read is found and left out.
    pub(super) fn read(sources: &'s [Source], found: &mut Found) -> Self {
        let mut units = Vec::new();
        for source in sources {
            match syntax::parse_module(&source.text, Version::V1) {
                Ok(tree) => {
                    let annotations = Annotations::read(&tree);
                    units.push(Unit { source, tree, annotations });
                }
                Err(_) if source.role == Role::Known => {}
                Err(problems) => problems.into_iter().for_each(|problem| {
                    let at = At { path: &source.path, text: &source.text, span: problem.span, through: None };
                    found.add(&loading::SYNTAX, at, problem.message, loading::SYNTAX_REMEDY);
                }),
            }
        }
        let mut by_package: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, unit) in units.iter().enumerate() {
            by_package.entry(unit.package()).or_default().push(at);
        }
        Self { units, by_package }
    }

    /// The files of a package, by its path with dots.
    pub(super) fn package<'w>(&'w self, path: &str) -> impl Iterator<Item = &'w Unit<'s>> + use<'w, 's> {
        let of = self.by_package.get(path).map(Vec::as_slice).unwrap_or_default();
        of.iter().filter_map(|at| self.units.get(*at))
    }

    /// What a path below `data` names: the package, and the rule in it.
    pub(super) fn rules_at<'w, 'n>(
        &'w self,
        path: &'n [&'n str],
    ) -> Option<(&'w Unit<'s>, &'n str, &'n [&'n str])> {
        (1..path.len()).rev().find_map(|split| {
            let (package, rest) = path.split_at_checked(split)?;
            let (name, below) = rest.split_first()?;
            let mut units = self.package(&package.join("."));
            units.find(|unit| unit.defines(name)).map(|unit| (unit, *name, below))
        })
    }

    /// The policy that a test file is for, or the file that has the same name without `_test`.
    pub(super) fn tested_by<'w>(&'w self, unit: &'w Unit<'s>) -> impl Iterator<Item = &'w Unit<'s>> {
        self.units.iter().filter(move |other| {
            other.source.role == Role::Tests
                && match unit.source.role {
                    Role::Policy(_) => other.folder() == unit.folder(),
                    _ => {
                        other.source.path.strip_suffix("_test.rego") == unit.source.path.strip_suffix(".rego")
                    }
                }
        })
    }
}

impl<'s> Unit<'s> {
    /// The package with dots, without `data`.
    pub(super) fn package(&self) -> String {
        dotted(&self.tree.package.path)
    }

    /// The folder that the file lies in.
    pub(super) fn folder(&self) -> &'s str {
        self.source.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// A place in it.
    pub(super) fn at(&self, span: Span) -> At<'s> {
        At { path: &self.source.path, text: &self.source.text, span, through: None }
    }

    /// The text of a place.
    pub(super) fn text(&self, span: Span) -> &'s str {
        let range = span.start.offset as usize..span.end.offset as usize;
        self.source.text.get(range).unwrap_or_default()
    }

    pub(super) fn defines(&self, name: &str) -> bool {
        self.rules_named(name).next().is_some()
    }

    pub(super) fn rules_named<'u>(&'u self, name: &'u str) -> impl Iterator<Item = &'u Rule> {
        self.tree.rules.iter().filter(move |rule| rule.head.name.text == name)
    }

    /// The import that gives a name.
    pub(super) fn import(&self, name: &str) -> Option<&Import> {
        self.tree.imports.iter().find(|import| !is_directive(import) && import.name() == name)
    }

    /// The policy's folder, if this is a policy.
    pub(super) fn policy(&self) -> Option<&'s Folder> {
        match &self.source.role {
            Role::Policy(folder) => Some(folder),
            _ => None,
        }
    }
}

/// `import rego.v1`, `import future.keywords…`.
pub(super) fn is_directive(import: &Import) -> bool {
    import.path.first().is_some_and(|first| matches!(first.text.as_str(), "rego" | "future"))
}

/// Words with dots between them.
pub(super) fn dotted(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}
