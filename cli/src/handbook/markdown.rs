//! The pages as Markdown.

use super::{Entry, parameters};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wayguard_engine::policy::metadata::{InventoryScope, Need};
use wayguard_engine::policy::spec::Action;

/// All pages: index, policies, peers.
pub(super) fn pages(entries: &[Entry], bundles: &[(String, String)]) -> BTreeMap<String, String> {
    let own = entries.iter().map(|entry| (format!("{}.md", entry.id), page(entry)));
    own.chain([("README.md".to_owned(), index(entries, bundles)), ("peers.md".to_owned(), peers(entries))])
        .collect()
}

fn page(entry: &Entry) -> String {
    let metadata = &entry.metadata;
    let custom = &metadata.custom;
    let mut page = format!("# {}\n\n`{}` · severity {}", metadata.title, entry.id, custom.severity.as_str());
    if !custom.controls.is_empty() {
        // Writing to a String cannot fail, here and below.
        let _ = write!(page, " · {}", custom.controls.join(", "));
    }
    let _ = write!(page, "\n\n{}\n", metadata.description.trim());
    if !custom.remedy.is_empty() {
        let _ = write!(page, "\n**Mend it:** {}\n", custom.remedy.trim());
    }
    let rows = parameters(metadata);
    if !rows.is_empty() {
        page.push_str("\n## Parameters\n\n| name | type | default | meaning |\n|---|---|---|---|\n");
        for [name, kind, default, meaning] in rows {
            let default = if default.is_empty() { default } else { format!("`{}`", cell(&default)) };
            let _ = writeln!(page, "| `{name}` | {} | {default} | {} |", cell(&kind), cell(&meaning));
        }
    }
    let reads = reads(entry);
    if !reads.is_empty() {
        let _ = write!(page, "\n## Reads besides the object\n\n{}\n", reads.join(", "));
    }
    if !entry.bundles.is_empty() {
        page.push_str("\n## Bundles\n\n");
        for (bundle, action) in &entry.bundles {
            let _ = writeln!(page, "- `{bundle}`: {}", word(*action));
        }
    }
    for (title, samples) in [("Refused or warned about", &entry.denied), ("Admitted", &entry.allowed)] {
        if !samples.is_empty() {
            let _ = write!(page, "\n## {title}\n");
        }
        for (name, text) in samples {
            let _ = write!(page, "\n{name}:\n\n```yaml\n{}\n```\n", text.trim_end());
        }
    }
    let _ = write!(page, "\n[Rego and tests](../../../policies/{})\n", entry.id);
    page
}

fn reads(entry: &Entry) -> Vec<String> {
    let custom = &entry.metadata.custom;
    let facts = custom.facts.iter().map(|fact| format!("the fact `{fact}`"));
    let kinds = custom.inventory.iter().map(|kind| {
        let group = if kind.group.is_empty() { String::new() } else { format!("{}/", kind.group) };
        let scope = match kind.scope {
            InventoryScope::Namespace => "namespace",
            InventoryScope::Cluster => "cluster",
        };
        format!("every `{group}{} {}` of the {scope}", kind.version, kind.kind)
    });
    let needs = custom.needs.iter().map(|need| match need {
        Need::User => "who asks".to_owned(),
        Need::Operation => "the operation".to_owned(),
        Need::OldObject => "the object before an update".to_owned(),
        Need::Namespace => "the Namespace".to_owned(),
    });
    facts.chain(kinds).chain(needs).collect()
}

fn index(entries: &[Entry], bundles: &[(String, String)]) -> String {
    let mut page = format!(
        "# The policy library\n\n{} policies, made into pages by `wayguard policy doc -o docs/policies`. What each covers of other\nlibraries stands in [a table](peers.md).\n\n## Bundles\n\n| bundle | policies | for |\n|---|---|---|\n",
        entries.len()
    );
    for (name, comment) in bundles {
        let count =
            entries.iter().filter(|entry| entry.bundles.iter().any(|(bundle, _)| bundle == name)).count();
        let _ = writeln!(page, "| `{name}` | {count} | {} |", cell(comment));
    }
    let mut category = "";
    for entry in entries {
        if entry.metadata.custom.category != category {
            category = &entry.metadata.custom.category;
            let _ = write!(page, "\n## {category}\n\n| policy | what it wants | severity |\n|---|---|---|\n");
        }
        let (id, metadata) = (&entry.id, &entry.metadata);
        let _ = writeln!(
            page,
            "| [{id}]({id}.md) | {} | {} |",
            cell(&metadata.title),
            metadata.custom.severity.as_str()
        );
    }
    page
}

fn peers(entries: &[Entry]) -> String {
    let mut covered: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        for peer in &entry.metadata.custom.peers {
            covered.entry(peer).or_default().push(&entry.id);
        }
    }
    let mut page = String::from(
        "# What is covered of other libraries\n\nMade from the METADATA of the policies: templates of Gatekeeper's library by their kind, Kyverno's policies by name,\nPolaris's checks by id.\n\n| theirs | ours |\n|---|---|\n",
    );
    for (peer, ours) in covered {
        let ours: Vec<_> = ours.iter().map(|id| format!("[{id}]({id}.md)")).collect();
        let _ = writeln!(page, "| `{peer}` | {} |", ours.join(", "));
    }
    page
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Audit => "recorded",
        Action::Warn => "warned about",
        Action::Deny => "refused",
    }
}

/// One line, in which nothing ends a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
