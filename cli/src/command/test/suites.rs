//! Gatekeeper's `Suite` files: a template, a constraint, and objects with what is to be found in them.

use super::report::{Case, Outcome};
use crate::exit::Failure;
use crate::input::{Answers, Given as GivenFile, TextFile, is_manifest, objects, shown, walk};
use crate::judging::judge_request;
use crate::knowledge::Knowledge;
use crate::policies::gatekeeper_objects;
use bumpalo::Bump;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wayguard_engine::gatekeeper::{self, Given};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::value::{Document, parse_yaml};
use wayguard_engine::{Finding, PolicySet, PolicySetBuilder, Stage};

/// The group of `Suite`.
const GROUP: &str = "test.gatekeeper.sh/";

/// A file of tests.
#[derive(Debug, Deserialize)]
struct Suite {
    #[serde(default)]
    tests: Vec<Test>,
    #[serde(default)]
    skip: bool,
}

/// A template and a constraint of it.
#[derive(Debug, Deserialize)]
struct Test {
    #[serde(default)]
    name: String,
    #[serde(default)]
    template: String,
    #[serde(default)]
    constraint: String,
    #[serde(default)]
    expansion: String,
    #[serde(default)]
    cases: Vec<CaseSpec>,
    /// The constraint's parameters are to be refused.
    #[serde(default)]
    invalid: bool,
    #[serde(default)]
    skip: bool,
}

/// An object and what is to be found in it.
#[derive(Debug, Deserialize)]
struct CaseSpec {
    #[serde(default)]
    name: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    inventory: Vec<String>,
    #[serde(default)]
    assertions: Vec<Assertion>,
    #[serde(default)]
    skip: bool,
}

#[derive(Debug, Deserialize)]
struct Assertion {
    /// `yes` (the default), `no`, or how many.
    #[serde(default)]
    violations: Option<Json>,
    /// A regular expression; only violations whose message it matches count.
    #[serde(default)]
    message: Option<String>,
}

/// The files below a folder that hold a `Suite`.
///
/// # Errors
/// If the folder cannot be read.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in walk(folder, &is_manifest)? {
        if is_suite(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a file holds a `Suite`.
pub(super) fn is_suite(path: &Path) -> bool {
    // What cannot be read is somebody else's complaint.
    std::fs::read_to_string(path)
        .is_ok_and(|text| text.contains(GROUP) && read(&text).is_ok_and(|it| it.is_some()))
}

fn read(text: &str) -> Result<Option<Suite>, String> {
    let bump = Bump::new();
    let documents = parse_yaml(&&bump, text).map_err(|error| error.to_string())?;
    let mut values = documents.iter().map(|document| document.value);
    let suite = values.find(|value| {
        value.str_or_empty("apiVersion").starts_with(GROUP) && value.str_or_empty("kind") == "Suite"
    });
    suite.map(|suite| serde_json::from_value(suite.to_serde()).map_err(|error| error.to_string())).transpose()
}

/// Runs the tests of a file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn run(path: &Path) -> Result<Vec<Case>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let name = shown(path);
    let suite = read(&text).map_err(|problem| Failure::Invalid(format!("{name}: {problem}")))?;
    let suite = suite.unwrap_or(Suite { tests: Vec::new(), skip: true });
    let runner = Runner { suite: name, folder: path.parent().unwrap_or(Path::new("")) };
    let mut cases = Vec::new();
    for test in &suite.tests {
        runner.test(test, suite.skip, &mut cases);
    }
    Ok(cases)
}

struct Runner<'s> {
    suite: String,
    folder: &'s Path,
}

impl Runner<'_> {
    fn case(&self, name: String, outcome: Result<(), String>) -> Case {
        let (outcome, message) = match outcome {
            Ok(()) => (Outcome::Passed, String::new()),
            Err(problem) => (Outcome::Failed, problem),
        };
        Case { suite: self.suite.clone(), name, outcome, message, place: None }
    }

    fn skipped(&self, name: String) -> Case {
        let message = "the suite says so".to_owned();
        Case { suite: self.suite.clone(), name, outcome: Outcome::Skipped, message, place: None }
    }

    fn test(&self, test: &Test, skip: bool, cases: &mut Vec<Case>) {
        if skip || test.skip {
            return cases.push(self.skipped(test.name.clone()));
        }
        let policies = match self.policies(test) {
            Ok(policies) => policies,
            Err(problem) => return cases.push(self.case(test.name.clone(), Err(problem))),
        };
        if test.invalid {
            let refused = set(&policies, &[]).is_err_and(|failure| failure.of_constraint);
            let problem = "the constraint was to be refused and was accepted".to_owned();
            let outcome = if refused { Ok(()) } else { Err(problem) };
            return cases.push(self.case(test.name.clone(), outcome));
        }
        if let Err(failure) = set(&policies, &[]) {
            return cases.push(self.case(test.name.clone(), Err(failure.text)));
        }
        for spec in &test.cases {
            let name = format!("{}/{}", test.name, spec.name);
            cases.push(if spec.skip {
                self.skipped(name)
            } else {
                self.case(name, self.judge(&policies, spec))
            });
        }
    }

    /// The template, the constraint and the expansions.
    fn policies(&self, test: &Test) -> Result<Vec<Given>, String> {
        let one = |file: &str, what: &str, group: &str| {
            if file.is_empty() {
                return Err(format!("the test names no {what}"));
            }
            let path = self.folder.join(file);
            let text = text_of(&path)?;
            let found = gatekeeper_objects(&shown(&path), &text).map_err(|error| error.to_string())?;
            let found: Vec<_> = found.into_iter().filter(|given| given.group() == group).collect();
            if found.is_empty() { Err(format!("`{}` has no {what}", path.display())) } else { Ok(found) }
        };
        let mut all = one(&test.template, "template", "templates.gatekeeper.sh")?;
        all.extend(one(&test.constraint, "constraint", "constraints.gatekeeper.sh")?);
        if !test.expansion.is_empty() {
            all.extend(one(&test.expansion, "expansion", "expansion.gatekeeper.sh")?);
        }
        Ok(all)
    }

    fn file(&self, file: &str) -> Result<TextFile, String> {
        let path = self.folder.join(file);
        Ok(TextFile { name: shown(&path), path: None, text: text_of(&path)?, given: GivenFile::Named })
    }

    fn objects(file: &TextFile) -> Result<Vec<Document>, String> {
        let (found, problems) = objects(std::slice::from_ref(file));
        match problems.first() {
            Some(problem) => Err(problem.error.to_string()),
            None => Ok(found.into_iter().map(|object| object.object).collect()),
        }
    }

    fn judge(&self, policies: &[Given], case: &CaseSpec) -> Result<(), String> {
        if case.object.is_empty() {
            return Err("the case names no `object`".into());
        }
        if case.assertions.is_empty() {
            return Err("the case has no `assertions`".into());
        }
        let found = Self::objects(&self.file(&case.object)?)?;
        let [object] = found.as_slice() else {
            return Err(format!("`{}` has {} objects; must have one", case.object, found.len()));
        };
        let mut knowledge = Knowledge::new().complete();
        let mut synced = Vec::new();
        for file in &case.inventory {
            let file = self.file(file)?;
            let answers = Answers::read(std::slice::from_ref(&file)).map_err(|error| error.to_string())?;
            knowledge.insert_answers(answers);
            for object in Self::objects(&file)? {
                knowledge.insert_as_it_is(object.value());
                synced.push(object);
            }
        }
        let set = set(policies, &synced).map_err(|failure| failure.text)?;
        let bump = Bump::new();
        let request = gatekeeper::request(&&bump, object.value())?;
        let decision = judge_request(&bump, &set, &request, Stage::Whole, &knowledge)?;
        if let Some(skipped) = decision.skipped.first() {
            return Err(format!("the constraint could not be judged: {}", skipped.reason));
        }
        case.assertions.iter().try_for_each(|assertion| assertion.check(&decision.findings))
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {}", path.display(), crate::exit::io_reason(&error)))
}

/// Why a set could not be made.
struct Refused {
    of_constraint: bool,
    text: String,
}

/// The set of a test; the kinds of the inventory are synced.
fn set(policies: &[Given], inventory: &[Document]) -> Result<PolicySet, Refused> {
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    for given in policies {
        builder.gatekeeper(given.clone());
    }
    let kinds = inventory.iter().map(|object| {
        let api_version = object.value().str_or_empty("apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        json!({"group": group, "version": version, "kind": object.value().str_or_empty("kind")})
    });
    let kinds: Vec<_> = kinds.collect();
    builder.gatekeeper(Given {
        object: json!({
            "apiVersion": "syncset.gatekeeper.sh/v1alpha1",
            "kind": "SyncSet",
            "metadata": {"name": "inventory"},
            "spec": {"gvks": kinds},
        }),
        from: "inventory".to_owned(),
        place: None,
    });
    let set = builder.build();
    if set.failures().is_empty() {
        return Ok(set);
    }
    let of_template = set.failures().iter().any(|failure| failure.policy.starts_with("constrainttemplate/"));
    // What fails for want of its template adds nothing.
    let telling = set
        .failures()
        .iter()
        .filter(|failure| !of_template || failure.policy.starts_with("constrainttemplate/"));
    let errors: Vec<_> = telling.flat_map(|failure| &failure.errors).map(ToString::to_string).collect();
    Err(Refused { of_constraint: !of_template, text: errors.join("\n") })
}

impl Assertion {
    /// Compares with what was found.
    fn check(&self, findings: &[Finding]) -> Result<(), String> {
        let pattern = self.message.as_deref().map(regex::Regex::new).transpose();
        let pattern = pattern.map_err(|error| format!("`message` is no regular expression: {error}"))?;
        let matches = |finding: &&Finding| pattern.as_ref().is_none_or(|it| it.is_match(&finding.message));
        let count = findings.iter().filter(matches).count();
        let wanted = match &self.violations {
            None | Some(Json::Bool(true)) => Wanted::Some,
            Some(Json::Bool(false)) => Wanted::Exactly(0),
            Some(Json::String(text)) if text == "yes" => Wanted::Some,
            Some(Json::String(text)) if text == "no" => Wanted::Exactly(0),
            Some(other) => match other.as_u64().and_then(|number| usize::try_from(number).ok()) {
                Some(number) => Wanted::Exactly(number),
                None => return Err(format!("`violations` is {other}; must be `yes`, `no` or a number")),
            },
        };
        let expected = match wanted {
            Wanted::Some if count > 0 => return Ok(()),
            Wanted::Exactly(number) if count == number => return Ok(()),
            Wanted::Some => "at least one violation".to_owned(),
            Wanted::Exactly(0) => "no violation".to_owned(),
            Wanted::Exactly(1) => "one violation".to_owned(),
            Wanted::Exactly(number) => format!("{number} violations"),
        };
        let of =
            self.message.as_ref().map(|text| format!(" whose message matches `{text}`")).unwrap_or_default();
        let messages: Vec<_> = findings.iter().map(|finding| format!("\n  {}", finding.message)).collect();
        let found = if messages.is_empty() { " none".to_owned() } else { messages.concat() };
        Err(format!("expected {expected}{of}, found {count}; all violations:{found}"))
    }
}

enum Wanted {
    Some,
    Exactly(usize),
}
