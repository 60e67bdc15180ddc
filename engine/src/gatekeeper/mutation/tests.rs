//! Mutators by what they make of objects.

use super::{Mutators, read};
use crate::gatekeeper::object::Given;
use crate::gatekeeper::{Candidate, Source};
use crate::request::{GroupVersionKind, Operation};
use crate::value::{parse_json, parse_yaml};
use bumpalo::Bump;

const POD: GroupVersionKind<'_> = GroupVersionKind { group: "", version: "v1", kind: "Pod" };

fn given(yaml: &str) -> Given {
    let bump = Bump::new();
    let documents = parse_yaml(&&bump, yaml).unwrap();
    Given { object: documents[0].value.to_serde(), from: "m.yaml".into(), place: None }
}

/// A mutator for Pods: `spec` is the rest of its spec as flow YAML.
fn mutator(kind: &str, name: &str, spec: &str) -> Given {
    let apply = if kind == "AssignMetadata" {
        ""
    } else {
        "applyTo: [{groups: [''], versions: [v1], kinds: [Pod]}], "
    };
    given(&format!(
        "apiVersion: mutations.gatekeeper.sh/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{apply}{spec}}}\n"
    ))
}

/// The Pod after the mutators.
fn after(mutators: &[Given], pod: &str) -> Result<String, (String, String)> {
    let list = mutators.iter().map(|given| read(given).unwrap()).collect();
    let (mutators, contradictions) = Mutators::new(list);
    assert!(contradictions.is_empty(), "{contradictions:?}");
    let bump = Bump::new();
    let object = parse_json(&&bump, bump.alloc_str(pod).as_bytes()).unwrap();
    let candidate = Candidate {
        object,
        kind: POD,
        namespace: "team-a",
        namespace_object: None,
        source: Source::Original,
    };
    let once = mutators.apply(&bump, candidate, Some(Operation::Create), "ada", |_| true)?;
    let twice = mutators.apply(
        &bump,
        Candidate { object: once, ..candidate },
        Some(Operation::Create),
        "ada",
        |_| true,
    )?;
    assert_eq!(once, twice, "mutating twice equals mutating once");
    Ok(once.to_string())
}

fn problem(given: &Given) -> String {
    read(given).unwrap_err().message
}

#[test]
fn assign_sets_creates_and_tests() {
    let policy = mutator(
        "Assign",
        "pull",
        "location: 'spec.containers[name: *].imagePullPolicy', parameters: {assign: {value: Always}}",
    );
    assert_eq!(
        after(&[policy], r#"{"spec":{"containers":[{"name":"a","imagePullPolicy":"Never"},{"name":"b"}]}}"#)
            .unwrap(),
        r#"{"spec":{"containers":[{"imagePullPolicy":"Always","name":"a"},{"imagePullPolicy":"Always","name":"b"}]}}"#
    );
    let sidecar = mutator(
        "Assign",
        "sidecar",
        "location: 'spec.containers[name: proxy]', parameters: {assign: {value: {name: proxy, image: envoy}}}",
    );
    assert_eq!(
        after(&[sidecar], r#"{"spec":{"containers":[{"name":"a"}]}}"#).unwrap(),
        r#"{"spec":{"containers":[{"name":"a"},{"image":"envoy","name":"proxy"}]}}"#
    );
    let absent = mutator(
        "Assign",
        "user",
        "location: spec.securityContext.runAsUser, parameters: {pathTests: [{subPath: spec.securityContext.runAsUser, condition: MustNotExist}], assign: {value: 1000}}",
    );
    let pods = [r#"{"spec":{}}"#, r#"{"spec":{"securityContext":{"runAsUser":0}}}"#];
    assert_eq!(
        after(std::slice::from_ref(&absent), pods[0]).unwrap(),
        r#"{"spec":{"securityContext":{"runAsUser":1000}}}"#
    );
    assert_eq!(after(&[absent], pods[1]).unwrap(), pods[1]);
    let named = mutator(
        "Assign",
        "named",
        "location: spec.hostname, parameters: {assign: {fromMetadata: {field: name}}, assignIf: {in: [x]}}",
    );
    let pod = r#"{"metadata":{"name":"web"},"spec":{"hostname":"x"}}"#;
    assert_eq!(after(&[named], pod).unwrap(), r#"{"metadata":{"name":"web"},"spec":{"hostname":"web"}}"#);
}

#[test]
fn metadata_is_written_only_where_it_is_absent() {
    let label = mutator(
        "AssignMetadata",
        "owner",
        "location: 'metadata.labels.\"example.com/owner\"', parameters: {assign: {value: platform}}",
    );
    assert_eq!(
        after(std::slice::from_ref(&label), r#"{"metadata":{"name":"a"}}"#).unwrap(),
        r#"{"metadata":{"labels":{"example.com/owner":"platform"},"name":"a"}}"#
    );
    let taken = r#"{"metadata":{"labels":{"example.com/owner":"me"}}}"#;
    assert_eq!(after(&[label], taken).unwrap(), taken);
}

#[test]
fn sets_are_merged_and_pruned() {
    let merge = mutator(
        "ModifySet",
        "args",
        "location: 'spec.containers[name: a].args', parameters: {operation: merge, values: {fromList: [--x, --y]}}",
    );
    assert_eq!(
        after(&[merge], r#"{"spec":{"containers":[{"name":"a","args":["--y"]}]}}"#).unwrap(),
        r#"{"spec":{"containers":[{"args":["--y","--x"],"name":"a"}]}}"#
    );
    let prune = mutator(
        "ModifySet",
        "drop",
        "location: 'spec.containers[name: *].securityContext.capabilities.add', parameters: {operation: prune, values: {fromList: [NET_ADMIN]}}",
    );
    assert_eq!(
        after(
            &[prune],
            r#"{"spec":{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["NET_ADMIN","CHOWN"]}}},{"name":"b"}]}}"#
        )
        .unwrap(),
        r#"{"spec":{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["CHOWN"]}}},{"name":"b"}]}}"#
    );
}

#[test]
fn images_change_part_by_part() {
    let image = mutator(
        "AssignImage",
        "mirror",
        "location: 'spec.containers[name: *].image', parameters: {assignDomain: mirror.example.com}",
    );
    assert_eq!(
        after(
            &[image],
            r#"{"spec":{"containers":[{"name":"a","image":"quay.io/x/y:1"},{"name":"b","image":"nginx"}]}}"#
        )
        .unwrap(),
        r#"{"spec":{"containers":[{"image":"mirror.example.com/x/y:1","name":"a"},{"image":"mirror.example.com/nginx","name":"b"}]}}"#
    );
}

#[test]
fn what_gatekeeper_refuses_is_refused() {
    let assign = |spec: &str| problem(&mutator("Assign", "a", spec));
    assert_eq!(
        assign("location: metadata.labels.x, parameters: {assign: {value: 1}}"),
        "Assign cannot write into `metadata`"
    );
    assert_eq!(
        assign("location: 'spec.containers[name: a].name', parameters: {assign: {value: b}}"),
        "the key `name` of a list's elements cannot be changed"
    );
    assert_eq!(
        assign("location: 'spec.containers[name: a]', parameters: {assign: {value: {name: b}}}"),
        "`assign.value` must have `name: \"a\"` like the location"
    );
    assert_eq!(
        assign(
            "location: spec.a, parameters: {pathTests: [{subPath: spec.b, condition: MustExist}], assign: {value: 1}}"
        ),
        "`spec.b` is no beginning of the location"
    );
    assert_eq!(
        assign("location: spec.a"),
        "`assign` needs one of `value`, `fromMetadata` and `externalData`"
    );
    assert_eq!(
        problem(&mutator("AssignMetadata", "a", "location: metadata.name, parameters: {assign: {value: x}}")),
        "AssignMetadata writes `metadata.labels.…` and `metadata.annotations.…` only"
    );
    assert_eq!(
        problem(&mutator("ModifySet", "a", "location: spec.a, parameters: {operation: swap}")),
        "`operation` is `swap`; must be merge or prune"
    );
}

#[test]
fn a_wrong_type_on_the_way_is_an_error_that_names_the_place() {
    let assign = mutator("Assign", "deep", "location: spec.hostname.x, parameters: {assign: {value: 1}}");
    assert_eq!(
        after(&[assign], r#"{"spec":{"hostname":"a"}}"#).unwrap_err(),
        ("assign/deep".to_owned(), "`spec.hostname` is a string, not an object".to_owned())
    );
}

#[test]
fn mutators_that_contradict_each_other_are_taken_out() {
    let one =
        read(&mutator("Assign", "a", "location: 'spec.x[name: a].y', parameters: {assign: {value: 1}}"));
    let two = read(&mutator("Assign", "b", "location: spec.x.y, parameters: {assign: {value: 1}}"));
    let (mutators, contradictions) = Mutators::new(vec![one.unwrap(), two.unwrap()]);
    assert_eq!(mutators.iter().count(), 0);
    assert_eq!(contradictions[0], ("assign/a".to_owned(), "assign/b".to_owned()));
}

/// The Pod after mutators and providers; `said` answers the keys of a provider.
fn resolved(mutators: &[Given], pod: &str, said: &serde_json::Value) -> (String, Vec<String>, Vec<String>) {
    use super::{Outside, resolve};
    use crate::facts::{Fact, FactKey};
    let (mutators, contradictions) =
        Mutators::new(mutators.iter().map(|given| read(given).unwrap()).collect());
    assert!(contradictions.is_empty(), "{contradictions:?}");
    let bump = Bump::new();
    let object = parse_json(&&bump, bump.alloc_str(pod).as_bytes()).unwrap();
    let namespace_object = None;
    let candidate =
        Candidate { object, kind: POD, namespace: "team-a", namespace_object, source: Source::Original };
    let object = mutators.apply(&bump, candidate, Some(Operation::Create), "ada", |_| true).unwrap();
    let mut facts = crate::Facts::new();
    let mut asked = Vec::new();
    loop {
        let outside =
            Outside { facts: bump.alloc(facts.clone()), user: "ada", missing: std::cell::RefCell::default() };
        let resolved = resolve(&bump, object, &outside);
        let missing = outside.missing.into_inner();
        if missing.is_empty() {
            let refusals = resolved.refusals.into_iter().map(|(id, reason)| format!("{id}: {reason}"));
            return (resolved.object.to_string(), asked, refusals.collect());
        }
        for key in missing {
            let FactKey::External { provider, keys } = &key else { panic!("{key:?}") };
            asked.push(format!("{provider}: {}", keys.join(" ")));
            let document = crate::value::Document::from_serde(&said[provider]);
            facts.insert(key, Fact::Known(std::sync::Arc::new(document)));
        }
    }
}

fn digests() -> serde_json::Value {
    serde_json::json!({
        "digests": {"idempotent": true, "answer": {"system_error": "", "errors": [["c:1", "unknown tag"]],
            "responses": [["a:1", "a@1"], ["b:1", "b@1"], ["", 7]]}},
        "owners": {"idempotent": true, "answer": {"system_error": "", "errors": [], "responses": [["ada", "team-a"]]}},
        "moody": {"idempotent": false, "answer": {"system_error": "", "errors": [], "responses": [["a:1", "x"]]}},
        "away": {"idempotent": false, "answer": {"system_error": " it is away ", "errors": null, "responses": null}},
    })
}

fn image(provider: &str, more: &str) -> Given {
    mutator(
        "Assign",
        "image",
        &format!(
            "location: 'spec.containers[name: *].image', parameters: {{assign: {{externalData: {{provider: {provider}{more}}}}}}}"
        ),
    )
}

const TWO: &str = r#"{"spec":{"containers":[{"image":"a:1","name":"a"},{"image":"b:1","name":"b"}]}}"#;

#[test]
fn a_provider_is_asked_once_for_all_places() {
    let owner = mutator(
        "AssignMetadata",
        "owner",
        "location: metadata.annotations.owner, parameters: {assign: {externalData: {provider: owners, dataSource: Username}}}",
    );
    let (after, asked, refusals) = resolved(&[image("digests", ""), owner], TWO, &digests());
    assert_eq!(
        after,
        r#"{"metadata":{"annotations":{"owner":"team-a"}},"spec":{"containers":[{"image":"a@1","name":"a"},{"image":"b@1","name":"b"}]}}"#
    );
    assert_eq!(
        (asked, refusals),
        (vec!["digests: a:1 b:1".to_owned(), "owners: ada".to_owned()], Vec::new())
    );
    // Another mutator for the same place comes first or last, by name.
    let first = mutator(
        "Assign",
        "first",
        "location: 'spec.containers[name: a].image', parameters: {assign: {value: 'b:1'}}",
    );
    let (after, asked, _) = resolved(&[image("digests", ""), first], TWO, &digests());
    assert_eq!(asked, ["digests: b:1"]);
    assert!(after.contains(r#"{"image":"b@1","name":"a"}"#), "{after}");
}

#[test]
fn without_an_answer_the_failure_policy_decides() {
    let pod =
        r#"{"spec":{"containers":[{"image":"a:1","name":"a"},{"image":"c:1","name":"c"},{"name":"none"}]}}"#;
    let (_, asked, refusals) = resolved(&[image("digests", "")], pod, &digests());
    assert_eq!(asked, ["digests:  a:1 c:1"]);
    assert_eq!(refusals, ["assign/image: provider `digests`: unknown tag"]);
    let (after, _, refusals) =
        resolved(&[image("digests", ", failurePolicy: UseDefault, default: 'pause:1'")], pod, &digests());
    assert_eq!(
        after,
        r#"{"spec":{"containers":[{"image":"a@1","name":"a"},{"image":"pause:1","name":"c"},{"image":"pause:1","name":"none"}]}}"#
    );
    assert!(refusals.is_empty());
    let (after, _, refusals) = resolved(&[image("digests", ", failurePolicy: Ignore")], pod, &digests());
    assert_eq!(after, pod.replace("a:1", "a@1"), "nothing is written where nothing is known");
    assert!(refusals.is_empty());
    for (provider, why) in [
        ("moody", "it does not say that it would answer the same again (`idempotent`)"),
        ("away", "it is away"),
    ] {
        let (after, _, refusals) = resolved(&[image(provider, "")], TWO, &digests());
        assert_eq!(
            (after.as_str(), refusals),
            (TWO, vec![format!("assign/image: provider `{provider}`: {why}")])
        );
    }
    let number = mutator(
        "Assign",
        "name",
        "location: spec.nodeName, parameters: {assign: {externalData: {provider: digests}}}",
    );
    let (_, _, refusals) = resolved(&[number], r#"{"spec":{}}"#, &digests());
    assert_eq!(refusals, ["assign/name: provider `digests`: its value is a number, not a text"]);
}

#[test]
fn external_data_has_its_limits() {
    let wrong = |kind: &str, location: &str, external: &str| {
        problem(&mutator(
            kind,
            "x",
            &format!("location: '{location}', parameters: {{assign: {{externalData: {external}}}}}"),
        ))
    };
    assert_eq!(
        wrong("Assign", "spec.nodeName", "{provider: p, failurePolicy: UseDefault}"),
        "`failurePolicy: UseDefault` needs a `default`"
    );
    assert_eq!(wrong("Assign", "spec.nodeName", "{provider: ''}"), "`externalData.provider` is missing");
    assert_eq!(
        wrong("AssignMetadata", "metadata.labels.a", "{provider: p}"),
        "`externalData` of AssignMetadata needs `dataSource: Username`"
    );
    assert_eq!(
        wrong("Assign", "spec.containers[name: a]", "{provider: p}"),
        "only an object can be an element of a list with keys"
    );
    let both = mutator(
        "Assign",
        "x",
        "location: spec.nodeName, parameters: {assign: {value: a, externalData: {provider: p}}}",
    );
    assert_eq!(problem(&both), "`assign` needs one of `value`, `fromMetadata` and `externalData`");
    // What is below a text contradicts it.
    let below = mutator(
        "Assign",
        "z",
        "location: 'spec.containers[name: *].image.tag', parameters: {assign: {value: a}}",
    );
    let list = [image("p", ""), below].iter().map(|given| read(given).unwrap()).collect();
    assert_eq!(Mutators::new(list).1.len(), 2);
}
