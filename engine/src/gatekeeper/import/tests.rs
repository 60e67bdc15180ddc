//! Imported policies judge as the constraints did that they were made of.

use super::import;
use crate::gatekeeper::object::Given;
use crate::policy::library::Library;
use crate::policy::set::{PolicySetBuilder, SetConfig};
use crate::value::parse_yaml;
use std::sync::Arc;

fn given(yaml: &str) -> Vec<Given> {
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, yaml).unwrap();
    let object = |value: crate::value::Value<'_>| Given {
        object: value.to_serde(),
        from: "f.yaml".into(),
        place: None,
    };
    documents.iter().map(|document| object(document.value)).collect()
}

const TEMPLATE: &str = "
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: noroot}
spec:
  crd: {spec: {names: {kind: NoRoot}, validation: {openAPIV3Schema: {type: object, properties: {exempt: {type: array, items: {type: string}}}}}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package noroot

        import data.lib.exempt.is_exempt
        import data.lib.words

        violation[{\"msg\": msg}] {
          c := input.review.object.spec.containers[_]
          not is_exempt(c)
          c.securityContext.runAsUser == 0
          msg := sprintf(\"words.root: %v %v\", [c.name, words.root])
        }
      libs:
        - |
          package lib.exempt

          is_exempt(c) { startswith(c.image, input.parameters.exempt[_]) }
        - |
          package lib.words

          root = \"runs as root\"
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: no-root}
spec:
  match: {kinds: [{apiGroups: [''], kinds: [Pod]}], excludedNamespaces: [kube-*], scope: Namespaced}
  parameters: {exempt: [debug/]}
";

#[test]
fn a_template_with_libraries_becomes_one_module_of_rego_v1() {
    let imported = import(&given(TEMPLATE));
    assert!(imported.remarks.is_empty(), "{:?}", imported.remarks);
    let (name, spec) = &imported.policies[0];
    assert_eq!(name, "no-root");
    let rego = spec.source.rego.as_deref().unwrap();
    assert!(rego.contains("violation contains {\"msg\": msg} if {"), "{rego}");
    assert!(rego.contains("sprintf(\"words.root: %v %v\", [c.name, root])"), "{rego}");
    assert!(rego.contains("is_exempt(c) if { startswith"), "{rego}");
    assert!(!rego.contains("import data.lib"), "{rego}");
    assert_eq!(spec.matches.resource_rules[0].resources, ["pods", "pods/ephemeralcontainers"]);
    assert_eq!(spec.matches.exclude_namespaces, ["kube-*"]);
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    builder.policy(name, spec.clone(), "f.yaml", None);
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
}

#[test]
fn what_cannot_be_is_said() {
    let mut all = given(TEMPLATE);
    all.extend(given(
        "
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: generated}
spec: {match: {source: Generated}}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoRoot
metadata: {name: audit}
spec: {enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]}
---
apiVersion: mutations.gatekeeper.sh/v1
kind: AssignMetadata
metadata: {name: owner}
spec: {location: metadata.labels.owner, parameters: {assign: {value: x}}}
",
    ));
    let imported = import(&all);
    assert_eq!(imported.policies.len(), 1);
    let remarks: Vec<_> = imported.remarks.iter().map(|it| format!("{}: {}", it.id, it.text)).collect();
    assert_eq!(
        remarks,
        [
            "noroot/generated: it is for generated objects only; a native policy that expands judges both",
            "noroot/audit: it is not enforced at admission",
            "assignmetadata/owner: mutators are no policies; `--policies` reads them as they are",
        ]
    );
}
