//! `wayguard policy new`: the start of a policy that works, with its test and samples.

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::input::is_manifest;
use crate::output::Output;
use std::path::{Path, PathBuf};
use wayguard_engine::expansion::plural;
use wayguard_engine::rego::{CompileOptions, Module, Program};

/// Options of `policy new`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard policy new demo/owner-label --kind apps/v1/Deployment --in mine
  wayguard test mine
  wayguard check --policies mine app.yaml

Exit codes: 0 made, 3 the name is taken or cannot be one.")]
pub(crate) struct Args {
    /// Its id: a category and a name, in lower case, such as `network/no-host-ports`
    #[arg(value_name = "CATEGORY/NAME")]
    id: String,

    /// The kind that it judges, as in `apiVersion` and `kind` of an object
    #[arg(long, value_name = "VERSION/KIND", default_value = "v1/Pod")]
    kind: String,

    /// What it is called, for people; without it the name in words
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The folder of policies that it goes into; it is made if it is not there
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If the name cannot be one, or something would be overwritten or cannot be written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let start = Start::new(args)?;
    let folder = args.folder.join(&args.id);
    if folder.exists() {
        let words = format!("`{}` is there already; choose another name", folder.display());
        return Err(Failure::Invalid(words));
    }
    for (path, text) in start.files() {
        write(&folder.join(path), &text)?;
    }
    for path in start.files().map(|(path, _)| folder.join(path)) {
        out.data(path.display());
    }
    if let Some(list) = list_in(&args.folder) {
        out.note(format!("`{}` says which policies hold here: name it there", list.display()));
    }
    out.talk(format!("next: wayguard test {}", args.folder.display()));
    Ok(ExitStatus::Fine)
}

/// A file beside the policies that chooses among them; without one all of them hold.
fn list_in(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| path.is_file() && is_manifest(path)).min()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| unwritable(path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

/// What the texts are made of.
struct Start<'a> {
    category: &'a str,
    name: &'a str,
    package: String,
    title: String,
    group: &'a str,
    api_version: &'a str,
    kind: &'a str,
}

impl<'a> Start<'a> {
    fn new(args: &'a Args) -> Result<Self, Failure> {
        let id = &args.id;
        let is_name = |name: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && !name.ends_with('-')
                && name.chars().all(fits)
        };
        let (category, name) = id
            .split_once('/')
            .filter(|(category, name)| is_name(category) && is_name(name))
            .ok_or_else(|| {
                let words =
                    "is not a category and a name in lower case with hyphens, such as `demo/owner-label`";
                Failure::Invalid(format!("`{id}` {words}"))
            })?;
        let package = format!("{category}.{name}").replace('-', "_");
        let (api_version, kind) = args
            .kind
            .rsplit_once('/')
            .filter(|(_, kind)| kind.starts_with(|c: char| c.is_ascii_uppercase()))
            .filter(|(version, kind)| version.rsplit('/').next().is_some_and(is_version) && is_kind(kind))
            .ok_or_else(|| {
                let words = "is not a version and a kind, such as `v1/Pod` or `apps/v1/Deployment`";
                Failure::Invalid(format!("`{}` {words}", args.kind))
            })?;
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let title = args.title.clone().unwrap_or_else(|| in_words(name));
        let start = Self { category, name, package, title, group, api_version, kind };
        let modules = [start.rule(), start.tests()];
        let modules = modules.map(|text| Module { path: "policy.rego".into(), text }).into();
        let is_document = matches!(name, "input" | "data");
        if is_document || Program::compile(modules, CompileOptions::default()).is_err() {
            let words = "means something else in Rego; choose another name";
            return Err(Failure::Invalid(format!(
                "`{}` cannot be a package: a word of it {words}",
                start.package
            )));
        }
        Ok(start)
    }

    fn files(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("policy.rego", self.rule()),
            ("policy_test.rego", self.tests()),
            ("samples/denied/no-owner.yaml", self.denied()),
            ("samples/allowed/owner.yaml", self.allowed()),
        ]
        .into_iter()
    }

    fn rule(&self) -> String {
        let Self { category, package, title, group, kind, .. } = self;
        let title = serde_json::Value::from(title.as_str());
        let resource = plural(kind);
        // Written for Pods, it judges workloads by their template too.
        let expand = if *kind == "Pod" { "#   expand: true\n" } else { "" };
        format!(
            r#"# METADATA
# scope: package
# title: {title}
# description: |-
#   Say here what goes wrong without this policy, and whom it hurts. To start with, it asks for a label.
# custom:
#   severity: medium
#   category: {category}
#   match:
#     resourceRules:
#       - {{apiGroups: ["{group}"], resources: [{resource}], operations: [CREATE, UPDATE]}}
{expand}#   controls: []
#   remedy: Set the label `owner` to the team that answers for it.
#   parameters: {{type: object, additionalProperties: false, properties: {{}}}}
#   facts: []
#   needs: []
package {package}

# "Must be so" is `not` of what proves it: a field that is absent must not pass.
deny contains finding if {{
	not owned
	finding := {{
		"rule": "owner",
		"path": "/metadata/labels/owner",
		"expected": "the team that answers for it",
	}}
}}

owned if {{
	owner := input.review.object.metadata.labels.owner
	is_string(owner)
	owner != ""
}}
"#
        )
    }

    fn tests(&self) -> String {
        let package = &self.package;
        let rule = package.rsplit('.').next().unwrap_or(package);
        format!(
            r#"package {package}_test

import data.{package}

finding := {{
	"rule": "owner",
	"path": "/metadata/labels/owner",
	"expected": "the team that answers for it",
}}

labelled(labels) := {{"review": {{"object": {{"metadata": {{"labels": labels}}}}}}}}

test_an_owner_passes if {{
	{rule}.deny == set() with input as labelled({{"owner": "shop"}})
}}

test_no_owner_is_denied if {{
	every labels in [{{}}, {{"owner": ""}}, {{"owner": null}}, {{"owner": 7}}, null] {{
		{rule}.deny == {{finding}} with input as labelled(labels)
	}}
}}

test_absent_fields_do_not_pass if {{
	every object in [{{}}, {{"metadata": {{}}}}] {{
		{rule}.deny == {{finding}} with input as {{"review": {{"object": object}}}}
	}}
}}
"#
        )
    }

    fn object(&self, labels: &str) -> String {
        let Self { name, api_version, kind, .. } = self;
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}{labels}\n")
    }

    fn denied(&self) -> String {
        let head = "# Nobody answers for it.\n# test:\n#   expect:\n#     - {rule: owner, path: /metadata/labels/owner}\n";
        format!("{head}{}", self.object(""))
    }

    fn allowed(&self) -> String {
        format!("# The team shop answers for it.\n{}", self.object("\n  labels: {owner: shop}"))
    }
}

fn is_version(version: &str) -> bool {
    version.starts_with('v') && version.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn is_kind(kind: &str) -> bool {
    kind.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `owner-label` as `Owner label`.
fn in_words(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(id: &str, kind: &str) -> Args {
        Args { id: id.into(), kind: kind.into(), title: None, folder: PathBuf::from(".") }
    }

    #[test]
    fn names_that_cannot_be_one_are_told() {
        let refused = |id: &str, kind: &str| match Start::new(&args(id, kind)) {
            Ok(_) => String::new(),
            Err(failure) => failure.to_string(),
        };
        for id in
            ["owner", "Demo/owner", "demo/", "demo/-x", "demo/x-", "../x", "demo/a/b", "demo/a b", "demo/1"]
        {
            assert!(refused(id, "v1/Pod").contains("is not a category and a name"), "{id}");
        }
        for id in ["demo/import", "demo/input", "demo/not"] {
            assert!(refused(id, "v1/Pod").contains("means something else in Rego"), "{id}");
        }
        for kind in ["Pod", "v1/pod", "v1/", "apps/Deployment", "v1/Po d"] {
            assert!(refused("demo/x", kind).contains("is not a version and a kind"), "{kind}");
        }
        for kind in ["v1/Pod", "apps/v1/Deployment", "networking.k8s.io/v1beta1/Ingress"] {
            assert_eq!(refused("demo/owner-label", kind), "", "{kind}");
        }
        let (first, second) = (args("demo/owner-label", "apps/v1/Deployment"), "Owner label");
        let start = Start::new(&first).map_err(|failure| failure.to_string()).unwrap();
        assert_eq!((start.title.as_str(), start.group), (second, "apps"));
    }
}
