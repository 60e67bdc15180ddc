//! From texts to objects: every document of a stream, lists of kind `List` unfolded, with places.

use super::{Given, TextFile};
use crate::excerpt;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::rego::LoadError;
use wayguard_engine::value::{Document, Value, parse_yaml};

/// One object and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct FoundObject {
    /// The file's name, as shown to people.
    pub(crate) file: Arc<str>,
    /// Which of the files it is in.
    pub(crate) file_index: usize,
    /// Which document of the file, counting those that are not empty.
    pub(crate) document_index: usize,
    /// JSON Pointer within the document: empty, or `/items/2` in a list.
    pub(crate) prefix: String,
    /// 1-based line on which it starts.
    pub(crate) line: usize,
    /// The object.
    pub(crate) object: Document,
    lines: Arc<BTreeMap<String, usize>>,
}

/// Something that cannot be judged, and where.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// What to tell.
    pub(crate) error: LoadError,
    /// Whether the whole run is invalid by it; else it is only mentioned.
    pub(crate) fatal: bool,
}

impl FoundObject {
    /// The line of the place that a JSON Pointer into the object names, or of the nearest parent that is
    /// there.
    pub(crate) fn line_of(&self, pointer: &str) -> usize {
        let mut place = format!("{}{pointer}", self.prefix);
        while place.len() > self.prefix.len() {
            if let Some(line) = self.lines.get(&place) {
                return *line;
            }
            place.truncate(place.rfind('/').unwrap_or_default());
        }
        self.line
    }

    /// The object's value.
    pub(crate) fn value(&self) -> Value<'_> {
        self.object.value()
    }
}

/// Reads all objects of the files; what cannot be read is a problem beside them, not instead of them. Answers of
/// providers are no objects and are passed over.
pub(crate) fn objects(files: &[TextFile]) -> (Vec<FoundObject>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (file_index, file) in files.iter().enumerate() {
        let bump = bumpalo::Bump::new();
        let documents = match parse_yaml(&&bump, &file.text) {
            Ok(documents) => documents,
            Err(error) => {
                problems
                    .push(Problem { error: excerpt::not_yaml(&file.name, &file.text, &error), fatal: true });
                continue;
            }
        };
        let name: Arc<str> = file.name.as_str().into();
        for (document_index, document) in documents.into_iter().enumerate() {
            if super::answers::is_answers(document.value) {
                continue;
            }
            let lines = Arc::new(document.lines);
            let mut reader = Reader {
                file,
                name: &name,
                file_index,
                document_index,
                lines: &lines,
                found: &mut found,
                problems: &mut problems,
            };
            reader.object(document.value, String::new(), document.line);
        }
    }
    (found, problems)
}

struct Reader<'r> {
    file: &'r TextFile,
    name: &'r Arc<str>,
    file_index: usize,
    document_index: usize,
    lines: &'r Arc<BTreeMap<String, usize>>,
    found: &'r mut Vec<FoundObject>,
    problems: &'r mut Vec<Problem>,
}

impl Reader<'_> {
    fn object(&mut self, value: Value<'_>, prefix: String, line: usize) {
        let (api_version, kind) = (value.str_or_empty("apiVersion"), value.str_or_empty("kind"));
        if api_version.is_empty() || kind.is_empty() {
            let missing = if api_version.is_empty() { "apiVersion" } else { "kind" };
            let what = format!("this is no Kubernetes object: it has no `{missing}`");
            // In a folder lie other things too: Helm values, CI settings.
            let fatal = self.file.given != Given::Found || !prefix.is_empty();
            let error = excerpt::problem(&self.file.name, &self.file.text, line, 1, &what);
            return self.problems.push(Problem { error, fatal });
        }
        if let Some(items) = list_items(value) {
            for (index, item) in items.iter().enumerate() {
                let prefix = format!("{prefix}/items/{index}");
                let line = self.lines.get(&prefix).copied().unwrap_or(line);
                self.object(*item, prefix, line);
            }
            return;
        }
        self.found.push(FoundObject {
            file: Arc::clone(self.name),
            file_index: self.file_index,
            document_index: self.document_index,
            prefix,
            line,
            object: Document::from_value(value),
            lines: Arc::clone(self.lines),
        });
    }
}

/// The items of a `v1 List` or of a typed list such as `PodList`, as `kubectl get -o yaml` writes them.
fn list_items(value: Value<'_>) -> Option<&[Value<'_>]> {
    let items = value.get("items")?.as_array()?;
    // A kind of somebody's own may be called `AllowList`; unlike a list, its objects have names.
    let unnamed = value.at(&["metadata", "name"]).is_none();
    (value.str_or_empty("kind").ends_with("List") && unnamed).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, given: Given) -> (Vec<FoundObject>, Vec<Problem>) {
        objects(&[TextFile { name: "f.yaml".into(), path: None, text: text.into(), given }])
    }

    #[test]
    fn lists_are_unfolded_and_places_have_lines() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n- {apiVersion: v1, kind: Pod}\n";
        let (found, problems) = read(text, Given::Named);
        assert!(problems.is_empty());
        assert_eq!(
            found.iter().map(|object| (object.prefix.as_str(), object.line)).collect::<Vec<_>>(),
            [("/items/0", 4), ("/items/1", 8)]
        );
        assert_eq!(found[0].line_of("/metadata/name"), 7);
        assert_eq!(found[0].line_of("/metadata/labels/team"), 6);
        assert_eq!(found[0].line_of("/spec"), 4);
    }

    #[test]
    fn what_is_no_object_is_a_problem_only_where_it_was_named() {
        let (found, problems) = read("replicas: 3\n", Given::Found);
        assert!(found.is_empty() && !problems[0].fatal);
        let (_, problems) = read("a: 1\n---\napiVersion: v1\nname: x\n", Given::Named);
        let shown: Vec<_> = problems.iter().map(|problem| problem.error.to_string()).collect();
        assert_eq!(
            shown,
            [
                "f.yaml:1:1: this is no Kubernetes object: it has no `apiVersion`\n 1 | a: 1\n   | ^",
                "f.yaml:3:1: this is no Kubernetes object: it has no `kind`\n 3 | apiVersion: v1\n   | ^"
            ]
        );
        assert!(problems.iter().all(|problem| problem.fatal));
    }

    #[test]
    fn one_bad_file_leaves_the_others_alone() {
        let file = |name: &str, text: &str| TextFile {
            name: name.into(),
            path: None,
            text: text.into(),
            given: Given::Named,
        };
        let (found, problems) =
            objects(&[file("bad.yaml", "a: [1\nb: }\n"), file("good.yaml", "apiVersion: v1\nkind: Pod\n")]);
        assert_eq!((found.len(), problems.len()), (1, 1));
        assert!(problems[0].error.to_string().starts_with("bad.yaml:2:"), "{}", problems[0].error);
    }
}
