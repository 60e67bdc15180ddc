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
    let once = mutators.apply(&bump, candidate, Some(Operation::Create), |_| true)?;
    let twice =
        mutators.apply(&bump, Candidate { object: once, ..candidate }, Some(Operation::Create), |_| true)?;
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
    assert_eq!(assign("location: spec.a"), "`assign` needs one of `value` and `fromMetadata`");
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
