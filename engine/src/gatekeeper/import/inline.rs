//! A template's libraries in the template's own module: a Policy object has one.

use super::modern::modern;
use crate::gatekeeper::template::Template;
use crate::rego::syntax::tree::{Module, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The template as one module of Rego v1: its package line apart from the rest.
///
/// # Errors
/// What stands in the way, in words.
pub(super) fn single_module(template: &Template) -> Result<Parts, String> {
    let Some((main, libraries)) = template.modules.split_first() else { return Err("it has no Rego".into()) };
    let (text, module) = modern(&main.text, template.v0)?;
    let mut names: BTreeSet<String> = rule_names(&module);
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bodies = Vec::new();
    for library in libraries {
        let (text, module) = modern(&library.text, template.v0)?;
        let package = package_of(&module);
        for name in rule_names(&module) {
            if !packages.entry(package.clone()).or_default().contains(&name) && !names.insert(name.clone()) {
                return Err(format!("rule `{name}` of library `{package}` has the name of another rule"));
            }
            packages.entry(package.clone()).or_default().insert(name);
        }
        bodies.push((text, module));
    }
    let mut rego = unwrapped(&text, &module, &packages)?;
    let mut imports = others(&text, &module);
    for (text, module) in &bodies {
        rego.push('\n');
        rego.push_str(unwrapped(text, module, &packages)?.trim_start());
        imports.extend(others(text, module));
    }
    imports.sort();
    imports.dedup();
    Ok(Parts { package: package_of(&module), imports, rules: rego.trim().to_owned() })
}

/// A module in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) package: String,
    pub(super) imports: Vec<String>,
    pub(super) rules: String,
}

fn package_of(module: &Module) -> String {
    module.package.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}

fn rule_names(module: &Module) -> BTreeSet<String> {
    module.rules.iter().map(|rule| rule.head.name.text.clone()).collect()
}

/// The import's path, `data` left out; `None`: it is no library.
fn library_import(path: &[crate::rego::syntax::tree::Name]) -> Option<String> {
    let names: Vec<&str> = path.iter().map(|name| name.text.as_str()).collect();
    match names.as_slice() {
        ["data", "lib", ..] => Some(names.get(1..).unwrap_or_default().join(".")),
        _ => None,
    }
}

/// Imports that stay. Those of keywords mean nothing in v1.
fn others(text: &str, module: &Module) -> Vec<String> {
    let kept = module.imports.iter().filter(|import| {
        let root = import.path.first().map(|name| name.text.as_str());
        library_import(&import.path).is_none() && !matches!(root, Some("future" | "rego"))
    });
    kept.map(|import| slice(text, import.span).to_owned()).collect()
}

/// The module without package and imports, and with the libraries' rules by their own names.
fn unwrapped(
    text: &str,
    module: &Module,
    packages: &BTreeMap<String, BTreeSet<String>>,
) -> Result<String, String> {
    let mut rest = text.to_owned();
    let cut = std::iter::once(module.package.span).chain(module.imports.iter().map(|import| import.span));
    let mut cut: Vec<Span> = cut.collect();
    cut.sort_by_key(|span| std::cmp::Reverse(span.start.offset));
    for span in cut {
        let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
        rest.replace_range(at(span.start.offset)..at(span.end.offset).min(rest.len()), "");
    }
    let mut prefixes: Vec<(String, &BTreeSet<String>)> =
        packages.iter().map(|(package, rules)| (format!("data.{package}."), rules)).collect();
    for import in &module.imports {
        let Some(path) = library_import(&import.path) else { continue };
        if let Some(rules) = packages.get(&path) {
            prefixes.push((format!("{}.", import.name()), rules));
            continue;
        }
        let known = path.rsplit_once('.').and_then(|(package, rule)| Some((packages.get(package)?, rule)));
        match known {
            Some((rules, rule)) if rules.contains(rule) && import.name() == rule => {}
            Some((rules, rule)) if rules.contains(rule) => {
                return Err(format!("the import of `data.{path}` as `{}` renames it", import.name()));
            }
            _ => return Err(format!("there is no library `{path}`")),
        }
    }
    Ok(renamed(&rest, &prefixes))
}

/// The text with `prefix.rule` as `rule`, outside of strings and comments.
fn renamed(text: &str, prefixes: &[(String, &BTreeSet<String>)]) -> String {
    let word = |character: char| character.is_alphanumeric() || character == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => quoted_end(rest),
            '`' => rest.get(1..).and_then(|inner| inner.find('`')).map_or(rest.len(), |at| at + 2),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ => {
                let named = prefixes.iter().find_map(|(prefix, rules)| {
                    let after = rest.strip_prefix(prefix.as_str())?;
                    let name = after.get(..after.find(|c: char| !word(c)).unwrap_or(after.len()))?;
                    (rules.contains(name) && !word(before) && before != '.').then_some(prefix.len())
                });
                if let Some(length) = named {
                    rest = rest.get(length..).unwrap_or_default();
                    before = ' ';
                    continue;
                }
                first.len_utf8()
            }
        };
        out.push_str(rest.get(..end).unwrap_or_default());
        before = first;
        rest = rest.get(end..).unwrap_or_default();
    }
    out
}

/// The end of a text in double quotes.
fn quoted_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn slice(text: &str, span: Span) -> &str {
    let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    text.get(at(span.start.offset)..at(span.end.offset)).unwrap_or_default()
}
