//! Objects of Gatekeeper's groups as they were found, and what is wrong with them, where it stands.

use crate::rego::LoadError;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The API groups whose objects are read.
const GROUPS: [&str; 7] = [
    "templates.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "config.gatekeeper.sh",
    "syncset.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "expansion.gatekeeper.sh",
    "externaldata.gatekeeper.sh",
];

/// Whether objects of this `apiVersion` are Gatekeeper's policies and settings.
pub fn is_gatekeeper(api_version: &str) -> bool {
    GROUPS.contains(&group_of(api_version))
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// One object and where it comes from.
#[derive(Clone, Debug)]
pub struct Given {
    /// The whole object.
    pub object: Json,
    /// The file, or `cluster`, for messages.
    pub from: String,
    /// Its text, if it comes from a file.
    pub place: Option<Place>,
}

/// Where in a file an object stands.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file's text.
    pub text: Arc<str>,
    /// Line (1-based) of each JSON Pointer of the YAML document.
    pub lines: Arc<BTreeMap<String, usize>>,
    /// The object within the document: empty, or `/items/2` in a list.
    pub prefix: String,
}

/// Something wrong at a place of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// JSON Pointer into the object.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(pointer: &str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), message: message.into() }
    }
}

impl Given {
    /// The API group.
    pub fn group(&self) -> &str {
        group_of(self.text("/apiVersion"))
    }

    /// The API version, without the group.
    pub(crate) fn version(&self) -> &str {
        self.text("/apiVersion").split_once('/').map_or("", |(_, version)| version)
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// How failures call it: `k8srequiredlabels/all-must-have-owner`, `constrainttemplate/k8srequiredlabels`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.kind().to_ascii_lowercase(), self.name())
    }

    fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
    }

    /// An annotation.
    pub(crate) fn annotation(&self, name: &str) -> &str {
        let annotations = self.object.pointer("/metadata/annotations");
        annotations.and_then(|all| all.get(name)).and_then(Json::as_str).unwrap_or_default()
    }

    /// `spec` in a type of ours.
    pub(crate) fn spec<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let spec = self.object.get("spec").cloned().unwrap_or_else(|| Json::Object(serde_json::Map::new()));
        serde_json::from_value(spec).map_err(|error| {
            let shown = error.to_string();
            Problem::new(&self.place_of(&shown), shown)
        })
    }

    /// Where in `spec` a key stands that serde complains of, if it says which.
    fn place_of(&self, problem: &str) -> String {
        let named = problem.strip_prefix("unknown field `").or(problem.strip_prefix("unknown variant `"));
        let key = named.and_then(|rest| rest.split('`').next()).unwrap_or_default();
        let Some(place) = self.place.as_ref().filter(|_| !key.is_empty()) else { return "/spec".into() };
        let start = format!("{}/spec/", place.prefix);
        let end = format!("/{key}");
        let known = place.lines.keys().find(|path| path.starts_with(&start) && path.ends_with(&end));
        known.and_then(|path| path.strip_prefix(&place.prefix)).unwrap_or("/spec").to_owned()
    }

    /// A problem with its file and line.
    pub(crate) fn error(&self, problem: &Problem) -> LoadError {
        let message = format!("{} `{}`: {}", self.kind(), self.name(), problem.message);
        let Some(place) = &self.place else { return LoadError::whole(&self.from, message) };
        let line = place.line(&problem.pointer);
        let text = place.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let column = text.chars().take_while(|character| matches!(character, ' ' | '-')).count() + 1;
        LoadError::at(&self.from, &place.text, number(line), number(column), message)
    }

    /// An error of the Rego at `pointer`, moved to where that line stands in the file.
    pub(crate) fn rego_error(&self, pointer: &str, error: &LoadError) -> LoadError {
        let message = format!("{} `{}`: {}", self.kind(), self.name(), error.message);
        let Some(place) = &self.place else { return LoadError { message, ..error.clone() } };
        let start = place.line(pointer);
        let head = place.text.lines().nth(start.saturating_sub(1)).unwrap_or_default();
        // Only a literal block (`|`) keeps the lines of the text as they are.
        let literal = head.trim_end().rsplit(' ').next().is_some_and(|last| last.starts_with('|'));
        if error.line == 0 || !literal {
            return self.error(&Problem::new(pointer, error.message.clone()));
        }
        let line = start + usize::try_from(error.line).unwrap_or_default();
        let indent = place
            .text
            .lines()
            .skip(start)
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.chars().take_while(|character| *character == ' ').count())
            .next()
            .unwrap_or_default();
        LoadError::at(&self.from, &place.text, number(line), error.column + number(indent), message)
    }
}

impl Place {
    /// The line of a place of the object, or of the nearest parent that is there.
    fn line(&self, pointer: &str) -> usize {
        let mut path = format!("{}{pointer}", self.prefix);
        while path.len() > self.prefix.len() {
            if let Some(line) = self.lines.get(&path) {
                return *line;
            }
            path.truncate(path.rfind('/').unwrap_or_default());
        }
        self.lines.get(&path).copied().unwrap_or(1)
    }
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}
