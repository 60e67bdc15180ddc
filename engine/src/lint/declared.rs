//! What a policy reads is what it declares: facts, kinds of the inventory, parameters, and what a request must carry.

use super::metadata::Annotations;
use super::paths::{self, Path, Step};
use super::reach::{self, ENTRIES, Reached};
use super::rule::{At, Found, Rule, Severity};
use super::unit::{Unit, Whole};
use super::walk::{self, Node};
use crate::rego::syntax::tree::{Term, TermKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

static FACT_UNDECLARED: Rule = Rule {
    id: "fact-undeclared",
    severity: Severity::Error,
    wants: "a fact that is read is listed under `custom.facts`",
    why: "Only what is declared is gathered: `input.facts.x` is never there otherwise, and its rules never hold.",
    example: None,
};
static FACT_UNREAD: Rule = Rule {
    id: "fact-unread",
    severity: Severity::Error,
    wants: "a fact that is declared is read",
    why: "Every request pays for gathering it, and waits for it.",
    example: None,
};
static INVENTORY_UNDECLARED: Rule = Rule {
    id: "inventory-undeclared",
    severity: Severity::Error,
    wants: "a kind that is read from `data.inventory` is listed under `custom.inventory`",
    why: "`data.inventory` holds only the kinds that are declared; others are never there.",
    example: None,
};
static INVENTORY_UNREAD: Rule = Rule {
    id: "inventory-unread",
    severity: Severity::Error,
    wants: "a kind that is declared is read",
    why: "The server watches and keeps every object of it, and must be allowed to.",
    example: None,
};
static PARAMETER_UNDECLARED: Rule = Rule {
    id: "parameter-undeclared",
    severity: Severity::Error,
    wants: "a parameter that is read is in the schema",
    why: "A schema without it refuses whoever sets it, and nothing fills in its default.",
    example: Some([
        "deny contains finding if {\n\tinput.review.object.metadata.name in input.parameters.names\n\tfinding := \
         {\"path\": \"/metadata/name\", \"expected\": \"another\"}\n}\n",
        "deny contains finding if {\n\tinput.review.object.metadata.name in input.parameters.taken\n\tfinding := \
         {\"path\": \"/metadata/name\", \"expected\": \"another\"}\n}\n",
    ]),
};
static PARAMETER_UNREAD: Rule = Rule {
    id: "parameter-unread",
    severity: Severity::Error,
    wants: "a parameter of the schema is read",
    why: "Who sets it believes that it does something.",
    example: None,
};
static NEED_UNDECLARED: Rule = Rule {
    id: "need-undeclared",
    severity: Severity::Error,
    wants: "who reads the user, the old object or the namespace says so under `custom.needs`",
    why: "An audit has no user and no old object, a check on a laptop no namespace: without `needs` the policy is \
          judged there all the same, and what it finds, or does not, is wrong.",
    example: Some([
        "deny contains finding if {\n\tinput.review.userInfo.username == \"bob\"\n\tfinding := {\"path\": \"\", \
         \"expected\": \"another user\"}\n}\n",
        "deny contains finding if {\n\tinput.review.object.metadata.name == \"bob\"\n\tfinding := {\"path\": \
         \"/metadata/name\", \"expected\": \"another name\"}\n}\n",
    ]),
};
static NEED_UNREAD: Rule = Rule {
    id: "need-unread",
    severity: Severity::Warning,
    wants: "what is needed is read",
    why: "Where it is not known the policy is skipped for nothing.",
    example: None,
};

pub(super) const RULES: &[&Rule] = &[
    &FACT_UNDECLARED,
    &FACT_UNREAD,
    &INVENTORY_UNDECLARED,
    &INVENTORY_UNREAD,
    &PARAMETER_UNDECLARED,
    &PARAMETER_UNREAD,
    &NEED_UNDECLARED,
    &NEED_UNREAD,
];

/// What a policy reads.
struct Reads<'w, 's> {
    /// With the file in which it is read.
    paths: Vec<(&'w Unit<'s>, Path)>,
    /// All texts and keys that are written out in what it comes to.
    words: BTreeSet<&'w str>,
}

pub(super) fn check(unit: &Unit<'_>, whole: &Whole<'_>, found: &mut Found) {
    let (Some(_), Some(annotations)) = (unit.policy(), &unit.annotations) else { return };
    let reached = reach::from(unit, &ENTRIES, whole);
    let reads = Reads::of(&reached, whole);
    let judge = Judge { unit, annotations, reads: &reads };
    judge.facts(found);
    judge.inventory(found);
    judge.parameters(&reached, found);
    judge.needs(found);
}

impl<'w, 's> Reads<'w, 's> {
    fn of(reached: &[Reached<'w, 's>], whole: &Whole<'s>) -> Self {
        let mut this = Self { paths: Vec::new(), words: BTreeSet::new() };
        for Reached { unit, rule } in reached {
            walk::rule(rule, &mut |node, _| {
                let Node::Term(term) = node else { return };
                if let TermKind::String { text, .. } = &term.kind {
                    this.words.insert(text);
                }
                if let Some(path) = paths::of_term(term, unit, whole) {
                    this.paths.push((unit, path));
                }
            });
        }
        // What is written as a path is shown rather than a name that stands for one.
        let is_name = |unit: &Unit<'_>, path: &Path| !unit.text(path.span).contains(['.', '[']);
        this.paths.sort_by_key(|(unit, path)| is_name(unit, path));
        this
    }

    /// The keys at a place below some keys: written out, with where; and whether any is read that is not.
    fn keys(&self, above: &[&str], at: usize) -> (BTreeMap<&str, (&'w Unit<'s>, &Path)>, bool) {
        let mut keys = BTreeMap::new();
        let mut any = false;
        for (unit, path) in self.paths.iter().filter(|(_, path)| path.starts_with(above)) {
            match path.steps.get(at) {
                Some(Step::Key(key)) => {
                    keys.entry(key.as_str()).or_insert((*unit, path));
                }
                Some(Step::Any) => any = true,
                None => {}
            }
        }
        (keys, any)
    }
}

struct Judge<'j, 'w, 's> {
    unit: &'w Unit<'s>,
    annotations: &'w Annotations,
    reads: &'j Reads<'w, 's>,
}

impl<'s> Judge<'_, '_, 's> {
    /// A place in the policy itself: where it is read, or the package if that is in a shared module; a comment there
    /// ignores it for all policies.
    fn place(&self, unit: &Unit<'s>, path: &Path) -> (At<'s>, String) {
        if std::ptr::eq(unit, self.unit) {
            return (unit.at(path.span), String::new());
        }
        let (file, line) = (unit.source.path.as_str(), path.span.start.line);
        let at = self.unit.at(self.unit.tree.package.span).through(file, line);
        let name = file.rsplit('/').next().unwrap_or_default();
        (at, format!(" (`{name}` reads it for this policy, on line {line})"))
    }

    fn facts(&self, found: &mut Found) {
        let declared = self.annotations.list("facts");
        let (read, any) = self.reads.keys(&["input", "facts"], 2);
        for (name, (unit, path)) in read.iter().filter(|(name, _)| !declared.contains(*name)) {
            let (at, by) = self.place(unit, path);
            let message = format!("the fact `{name}` is read but not declared{by}");
            found.add(&FACT_UNDECLARED, at, message, format!("add `{name}` to `custom.facts` of METADATA"));
        }
        for name in declared.iter().filter(|name| !any && !read.contains_key(*name)) {
            let at = self.annotations.at(self.unit.source, "custom", "facts");
            let message = format!("the fact `{name}` is declared but nothing reads it");
            found.add(&FACT_UNREAD, at, message, "remove it from `custom.facts`");
        }
    }

    fn inventory(&self, found: &mut Found) {
        let kinds = self.annotations.custom("inventory").and_then(Value::as_array);
        let kind = |entry: &'_ Value| entry.get("kind").and_then(Value::as_str).map(str::to_owned);
        let declared: Vec<String> = kinds.into_iter().flatten().filter_map(kind).collect();
        let (mut any_kind, mut told) = (false, false);
        for (scope, at) in [("namespace", 5), ("cluster", 4)] {
            let (read, any) = self.reads.keys(&["data", "inventory", scope], at);
            let whole =
                |path: &Path| path.steps.len() == at && path.starts_with(&["data", "inventory", scope]);
            any_kind |= any || self.reads.paths.iter().any(|(_, path)| whole(path));
            for (name, (unit, path)) in read.iter().filter(|(name, _)| !declared.iter().any(|it| it == *name))
            {
                let (at, by) = self.place(unit, path);
                told = true;
                let message = format!("the kind `{name}` is read from the inventory but not declared{by}");
                found.add(
                    &INVENTORY_UNDECLARED,
                    at,
                    message,
                    "add its group, version and kind to `custom.inventory`",
                );
            }
        }
        let reading = self.reads.paths.iter().find(|(_, path)| path.starts_with(&["data", "inventory"]));
        if let (Some((unit, path)), true) = (reading, declared.is_empty() && !told) {
            let (at, by) = self.place(unit, path);
            let message = format!("`data.inventory` is read and no kind is declared{by}");
            found.add(
                &INVENTORY_UNDECLARED,
                at,
                message,
                "list the kinds under `custom.inventory` of METADATA",
            );
        }
        for name in declared.iter().filter(|name| !any_kind && !self.reads.words.contains(name.as_str())) {
            let at = self.annotations.at(self.unit.source, "custom", "inventory");
            let message = format!("the kind `{name}` is declared but nothing reads it");
            found.add(&INVENTORY_UNREAD, at, message, "remove it from `custom.inventory`");
        }
    }

    fn parameters(&self, reached: &[Reached<'_, 's>], found: &mut Found) {
        let (read, any) = self.reads.keys(&["input", "parameters"], 2);
        let asked = if any { asked_by_name(reached) } else { BTreeMap::new() };
        let known = |name: &str| self.annotations.parameter(name).is_some();
        let places = read.iter().map(|(name, (unit, path))| (*name, self.place(unit, path)));
        let calls = asked.iter().map(|(name, term)| (*name, (self.unit.at(term.span), String::new())));
        for (name, (at, by)) in places.chain(calls).filter(|(name, _)| !known(name)) {
            let message = format!("the parameter `{name}` is read but not in the schema{by}");
            let remedy = format!("add `{name}` to the properties of `custom.parameters`, with a default");
            found.add(&PARAMETER_UNDECLARED, at, message, remedy);
        }
        for (name, _) in self.annotations.parameters() {
            let name = name.as_str();
            let whole = self
                .reads
                .paths
                .iter()
                .any(|(_, path)| path.starts_with(&["input", "parameters"]) && path.steps.len() == 2);
            if !read.contains_key(name) && !((any || whole) && self.reads.words.contains(name)) {
                let at = self.annotations.at(self.unit.source, "parameters", name);
                let message = format!("the parameter `{name}` is in the schema but nothing reads it");
                found.add(&PARAMETER_UNREAD, at, message, "remove it, or read it");
            }
        }
    }

    fn needs(&self, found: &mut Found) {
        let mut declared = self.annotations.list("needs");
        let when = self.annotations.custom("needsWhen").and_then(Value::as_object);
        let conditional = when.into_iter().flatten().filter_map(|(_, needs)| needs.as_array());
        declared.extend(conditional.flatten().filter_map(Value::as_str));
        let all: [(&str, &[&str]); 4] = [
            ("user", &["input", "review", "userInfo"]),
            ("oldObject", &["input", "review", "oldObject"]),
            ("namespace", &["input", "namespace"]),
            ("operation", &["input", "review", "operation"]),
        ];
        for (need, keys) in all {
            let read = self.reads.paths.iter().find(|(_, path)| path.starts_with(keys));
            let is_declared = declared.contains(&need);
            match read {
                Some((unit, path)) if !is_declared && need != "operation" => {
                    let (at, by) = self.place(unit, path);
                    let message = format!("`{}` is read without `needs: [{need}]`{by}", keys.join("."));
                    let remedy = format!("add `{need}` to `custom.needs` of METADATA");
                    found.add(&NEED_UNDECLARED, at, message, remedy);
                }
                None if is_declared => {
                    let at = self.annotations.at(self.unit.source, "custom", "needs");
                    let message = format!("`{need}` is needed but nothing reads `{}`", keys.join("."));
                    found.add(&NEED_UNREAD, at, message, "remove it from `custom.needs`");
                }
                _ => {}
            }
        }
    }
}

/// The parameters that are asked for by name, through a function of the policy that is given the name: what its calls
/// write out, with the place of the first.
fn asked_by_name<'w>(reached: &[Reached<'w, '_>]) -> BTreeMap<&'w str, &'w Term> {
    let mut readers: BTreeSet<(&str, usize)> = BTreeSet::new();
    for Reached { rule, .. } in reached {
        for (at, arg) in rule.head.args.iter().enumerate() {
            let TermKind::Var(name) = &arg.kind else { continue };
            let mut reads = false;
            walk::rule(rule, &mut |node, _| {
                let Node::Term(Term { kind: TermKind::Array(items), .. }) = node else { return };
                let is =
                    |item: Option<&Term>, wanted: &TermKind| item.is_some_and(|item| item.kind == *wanted);
                let parameters = TermKind::String { text: "parameters".to_owned(), raw: false };
                reads |= is(items.first(), &parameters) && is(items.get(1), &TermKind::Var(name.clone()));
            });
            if reads {
                readers.insert((rule.head.name.text.as_str(), at));
            }
        }
    }
    let mut asked = BTreeMap::new();
    for Reached { rule, .. } in reached {
        walk::rule(rule, &mut |node, _| {
            let Node::Term(Term { kind: TermKind::Call(call), .. }) = node else { return };
            let Some(name) = call.dotted() else { return };
            for (_, at) in readers.iter().filter(|(reader, _)| *reader == name) {
                if let Some(term @ Term { kind: TermKind::String { text, .. }, .. }) = call.args.get(*at) {
                    asked.entry(text.as_str()).or_insert(term);
                }
            }
        });
    }
    asked
}
