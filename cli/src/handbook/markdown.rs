//! The pages as Markdown.

use super::{Bundle, Entry, parameters};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wayguard_engine::matching::spec::ResourceRule;
use wayguard_engine::policy::bundle::Member;
use wayguard_engine::policy::metadata::{InventoryScope, Need};
use wayguard_engine::policy::spec::Action;

/// All pages: index, policies, bundles, peers.
pub(super) fn pages(entries: &[Entry], bundles: &[Bundle]) -> BTreeMap<String, String> {
    let own = entries.iter().map(|entry| (format!("{}.md", entry.id), page(entry)));
    let lists = bundles.iter().map(|it| (format!("bundles/{}.md", it.name), bundle_page(it, entries)));
    own.chain(lists)
        .chain([("README.md".to_owned(), index(entries, bundles)), ("peers.md".to_owned(), peers(entries))])
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
    if let Some(applies) = &custom.matches {
        page.push_str("\n## Judges\n\n");
        for rule in &applies.resource_rules {
            let _ = writeln!(page, "- {}", judged(rule));
        }
        for rule in &applies.exclude_resource_rules {
            let _ = writeln!(page, "- not {}", judged(rule));
        }
        if custom.expand {
            page.push_str("- workloads (Deployments, Jobs, CronJobs …), by the template of their Pods\n");
        }
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
        for (bundle, member) in &entry.bundles {
            let given = given(member);
            let with = if given.is_empty() { given } else { format!(", with {given}") };
            let _ =
                writeln!(page, "- [{bundle}](../bundles/{bundle}.md): {}{with}", word(member.spec.action));
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

fn judged(rule: &ResourceRule) -> String {
    let quoted = |all: &[String]| all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
    let groups = rule.api_groups.iter().map(|group| if group.is_empty() { "core" } else { group });
    let groups = groups.collect::<Vec<_>>().join(", ");
    let names = if rule.resource_names.is_empty() {
        String::new()
    } else {
        format!(" named {}", quoted(&rule.resource_names))
    };
    format!("{} ({groups}){names}: {}", quoted(&rule.resources), rule.operations.join(", "))
}

/// What a bundle has: each policy, what it does there, and which bundle says so.
fn bundle_page(bundle: &Bundle, entries: &[Entry]) -> String {
    let mut page = format!("# Bundle {}\n\n{}\n", bundle.name, bundle.spec.description.trim());
    let parents: Vec<_> = bundle.spec.inherits.iter().map(|name| format!("[{name}]({name}.md)")).collect();
    if !parents.is_empty() {
        let _ = write!(page, "\nInherits {}", parents.join(" and "));
        let removed: Vec<_> = bundle.spec.remove.iter().map(|name| format!("`{name}`")).collect();
        if !removed.is_empty() {
            let _ = write!(page, ", without {}", removed.join(", "));
        }
        page.push_str(".\n");
    }
    let _ = write!(
        page,
        "\n```sh\nwayguard check --policies {} manifests/\n```\n\n| policy | a finding is | parameters | said by | controls |\n|---|---|---|---|---|\n",
        bundle.name
    );
    let mut members: Vec<&Member> = bundle.members.iter().collect();
    members.sort_by(|left, right| (&left.policy, &left.name).cmp(&(&right.policy, &right.name)));
    for member in members {
        let controls = entries.iter().find(|entry| entry.id == member.policy);
        let controls = controls.map(|entry| entry.metadata.custom.controls.join(", ")).unwrap_or_default();
        let _ = writeln!(
            page,
            "| [{id}](../{id}.md) | {} | {} | {} | {controls} |",
            word(member.spec.action),
            cell(&given(member)),
            member.from.join(", "),
            id = member.policy,
        );
    }
    let _ = write!(page, "\n[The file](../../../policies/bundles/{}.yaml)\n", bundle.name);
    page
}

/// The parameters that a bundle gives a policy.
fn given(member: &Member) -> String {
    let parameters = member.spec.parameters.iter().flatten();
    parameters.map(|(name, value)| format!("`{name}: {value}`")).collect::<Vec<_>>().join(", ")
}

fn index(entries: &[Entry], bundles: &[Bundle]) -> String {
    let mut page = format!(
        "# The policy library\n\n{} policies, made into pages by `wayguard policy doc -o docs/policies`. What each covers of other\nlibraries stands in [a table](peers.md).\n\n## Bundles\n\n| bundle | policies | for |\n|---|---|---|\n",
        entries.len()
    );
    for Bundle { name, spec, members } in bundles {
        let _ = writeln!(
            page,
            "| [{name}](bundles/{name}.md) | {} | {} |",
            members.len(),
            cell(&spec.description)
        );
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
