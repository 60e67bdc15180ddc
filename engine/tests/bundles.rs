//! The bundles of the library: each loads, admits what it should and refuses what it should, by exactly the rules that
//! are expected; every policy is in one of them, or there is a reason.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::{WHOLE, bundles, creation};
use bumpalo::Bump;
use std::collections::BTreeSet;
use std::sync::Arc;
use wayguard_engine::decision::Effect;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::spec::{Action, OnError};
use wayguard_engine::value::Document;
use wayguard_engine::*;

/// Policies of no bundle, and why.
const LEFT_OUT: [(&str, &str); 13] = [
    ("images/age", "asks registries: somebody has to have said which"),
    ("images/allowed-registries", "has to be told the registries"),
    ("images/base-image", "has to be told the base images"),
    ("images/provenance", "has to be told the builders and sources"),
    ("images/pull-secrets", "has to be told which registries are private"),
    ("images/sbom", "somebody has to have said whose list counts"),
    ("images/scanned", "somebody has to have said whose scan counts"),
    ("images/signed", "somebody has to have said who signs"),
    ("ingress/allowed-hosts", "has to be told whose hosts are whose"),
    ("rbac/binders", "has to be told who may bind what"),
    ("rbac/service-account-change", "pipelines that change service accounts have to be named"),
    ("secrets/secret-exists", "needs the right to list the names of Secrets"),
    ("workload/metadata", "has to be told the labels"),
];

#[test]
fn every_policy_is_in_a_bundle_or_there_is_a_reason() {
    let library = Library::embedded();
    let members = library.bundles().into_iter().flat_map(|name| library.members(&name).unwrap().unwrap());
    let used: BTreeSet<String> = members.map(|member| member.policy).collect();
    let unused: Vec<String> = library.policy_ids().into_iter().filter(|id| !used.contains(id)).collect();
    let named: Vec<&str> = LEFT_OUT.iter().map(|(id, _)| *id).collect();
    assert_eq!(unused, named);
}

/// The action of a policy in a bundle; `None`: it is not in there.
fn action(bundle: &str, policy: &str) -> Option<Action> {
    let members = Library::embedded().members(bundle).expect("the bundle exists").expect("it expands");
    let found: Vec<_> = members.into_iter().filter(|member| member.policy == policy).collect();
    assert!(found.len() < 2, "`{policy}` twice in {bundle}: whoever breaks it would be told twice");
    found.first().map(|member| member.spec.action)
}

#[test]
fn the_same_policy_is_softer_where_teams_try_things() {
    use Action::{Audit, Deny, Warn};
    for (policy, development, golden_path, production) in [
        ("images/latest-tag", Some(Warn), Some(Deny), Some(Deny)),
        ("workload/probes", Some(Audit), Some(Warn), Some(Deny)),
        ("network/default-deny", Some(Audit), Some(Warn), Some(Deny)),
        ("network/service-types", Some(Audit), None, Some(Deny)),
        ("storage/host-path-volumes", Some(Warn), None, Some(Deny)),
        ("rbac/escalation", Some(Deny), None, Some(Deny)),
        ("workload/exec", None, None, Some(Deny)),
    ] {
        let found = ["development", "golden-path", "production"].map(|bundle| action(bundle, policy));
        assert_eq!(found, [development, golden_path, production], "{policy}");
    }
}

#[test]
fn no_bundle_has_a_policy_twice_and_what_warns_never_refuses_by_failing() {
    let library = Library::embedded();
    for bundle in library.bundles() {
        let mut seen = BTreeSet::new();
        for member in library.members(&bundle).unwrap().unwrap() {
            assert!(seen.insert(member.policy.clone()), "`{}` twice in {bundle}", member.policy);
            let softens = member.spec.action != Action::Deny;
            assert!(!softens || member.spec.on_error == OnError::Allow, "`{}` in {bundle}", member.name);
        }
    }
}

/// All of section 5 that some policy says it is about, but for what the bundle's file leaves out with a reason.
#[test]
fn every_control_of_the_benchmark_that_a_policy_names_is_in_cis() {
    let library = Library::embedded();
    let controls = |id: &str| {
        let module = library.policy(id).unwrap();
        let all = policy::metadata::read(&module).unwrap().custom.controls;
        all.into_iter().filter(|control| control.starts_with("CIS-")).collect::<Vec<_>>()
    };
    let all: BTreeSet<String> = library.policy_ids().iter().flat_map(|id| controls(id)).collect();
    let members = library.members("cis").unwrap().unwrap();
    let covered: BTreeSet<String> = members.iter().flat_map(|member| controls(&member.policy)).collect();
    assert_eq!(covered, all);
}

const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    team: alpha
    environment: production
    managed-by: idp
    pod-security.kubernetes.io/enforce: restricted
";

/// As a careful team writes it.
const GOOD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-app, namespace: shop, labels: {app: my-app}}
spec:
  replicas: 3
  selector: {matchLabels: {app: my-app}}
  template:
    metadata: {labels: {app: my-app}}
    spec:
      serviceAccountName: my-app
      automountServiceAccountToken: false
      enableServiceLinks: false
      priorityClassName: customers
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {matchLabels: {app: my-app}}
      containers:
        - name: app
          image: my-registry/my-app:1.4.2@sha256:8b1a9953c4611296a827abf8c47804d7e6c49c6b97f1a6e1f1c1f5a0b0c0d0e0
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: http}}
          livenessProbe: {httpGet: {path: /live, port: http}}
          resources:
            requests: {cpu: 250m, memory: 256Mi}
            limits: {memory: 256Mi}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
";

/// As nobody should.
const BAD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-app, namespace: shop, labels: {app: my-app}}
spec:
  replicas: 1
  selector: {matchLabels: {app: my-app}}
  template:
    metadata: {labels: {app: my-app}}
    spec:
      hostNetwork: true
      volumes: [{name: runtime, hostPath: {path: /run/containerd/containerd.sock}}]
      containers:
        - name: app
          image: my-registry/my-app:latest
          env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: my-app, key: password}}}]
          securityContext: {privileged: true, runAsUser: 0}
          volumeMounts: [{name: runtime, mountPath: /run/containerd.sock}]
";

/// The decision in a cluster that has the namespace, a default deny for it and a budget for the application.
fn decided(set: &PolicySet, yaml: &str) -> Decision {
    let bump = Bump::new();
    let request = creation(&bump, yaml, "shop");
    let document = |text: &str| {
        let bump = Bump::new();
        let documents = value::parse_yaml(&&bump, text).expect("the test's YAML is right");
        Arc::new(Document::from_serde(&documents[0].value.to_serde()))
    };
    let deny_all = "{default-deny: {metadata: {name: default-deny, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}}";
    let budgets = "{my-app: {metadata: {name: my-app, namespace: shop}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: my-app}}}}}";
    let mut facts = Facts::new();
    loop {
        match decide(&bump, &request, set, &facts, &WHOLE) {
            Outcome::Decided(decision) => return *decision,
            Outcome::NeedsFacts(keys) => {
                for key in keys {
                    let fact = match &key {
                        FactKey::Namespace(_) => Fact::Known(document(NAMESPACE)),
                        FactKey::Inventory { kind, .. } if kind == "NetworkPolicy" => {
                            Fact::Known(document(deny_all))
                        }
                        FactKey::Inventory { kind, .. } if kind == "PodDisruptionBudget" => {
                            Fact::Known(document(budgets))
                        }
                        _ => Fact::Absent,
                    };
                    facts.insert(key, fact);
                }
            }
        }
    }
}

fn rules(decision: &Decision, effect: Effect) -> Vec<String> {
    let found = decision.findings.iter().filter(|finding| finding.effect == effect);
    let named = found
        .map(|it| if it.rule.is_empty() { it.policy.clone() } else { format!("{} {}", it.policy, it.rule) });
    let all: BTreeSet<String> = named.collect();
    all.into_iter().collect()
}

#[test]
fn each_bundle_admits_a_careful_team_without_a_word() {
    for bundle in Library::embedded().bundles() {
        let set = bundles(&[&bundle]);
        for yaml in [NAMESPACE, GOOD] {
            let decision = decided(&set, yaml);
            assert!(decision.verdict.admits(), "{bundle}: {}", decision.message);
            assert_eq!(rules(&decision, Effect::Warn), [""; 0], "{bundle}");
            assert_eq!(rules(&decision, Effect::Error), [""; 0], "{bundle}");
        }
    }
}

/// What the restricted level of Pod Security says of the bad Deployment.
const POD_SECURITY: [&str; 8] = [
    "pod-security/allow-privilege-escalation allowPrivilegeEscalation",
    "pod-security/capabilities-restricted capabilities_restricted",
    "pod-security/host-namespaces hostNamespaces",
    "pod-security/privileged privileged",
    "pod-security/restricted-volumes restrictedVolumes",
    "pod-security/run-as-non-root runAsNonRoot",
    "pod-security/run-as-user runAsUser",
    "pod-security/seccomp-profile-restricted seccompProfile_restricted",
];

/// What baseline says of it.
const BASELINE: [&str; 4] = [
    "pod-security/host-namespaces hostNamespaces",
    "pod-security/host-path-volumes hostPathVolumes",
    "pod-security/privileged privileged",
    "workload/runtime-sockets runtime-socket",
];

/// What the golden path says of images and replicas.
const GOLDEN_PATH: [&str; 4] = [
    "images/digest missing-digest",
    "images/latest-tag latest-tag",
    "workload/production-replicas not-spread",
    "workload/production-replicas too-few-replicas",
];

const PROBES: [&str; 2] =
    ["workload/probes missing-liveness-probe", "workload/probes missing-readiness-probe"];

const WORKLOAD: [&str; 2] =
    ["workload/read-only-root writable-root", "workload/runtime-sockets runtime-socket"];

const NO_LIMIT: [&str; 1] = ["workload/resource-limits missing-memory-limit"];

const ACCOUNT: [&str; 2] =
    ["workload/automount-token token-mounted", "workload/default-service-account shared-service-account"];

#[test]
fn each_bundle_refuses_what_it_is_there_for() {
    let none: [&[&str]; 0] = [];
    let variable = ["secrets/from-env secret-in-variable"];
    let further = ["cost/resource-ratios memory-ratio", "workload/priority-classes no-priority-class"];
    let [digest, tag, replicas @ ..] = GOLDEN_PATH;
    for (bundle, denied, warned) in [
        ("golden-path", vec![&GOLDEN_PATH[..]], vec![&PROBES[..], &NO_LIMIT]),
        ("baseline", vec![&BASELINE[..]], none.to_vec()),
        ("restricted", vec![&POD_SECURITY[..], &WORKLOAD], none.to_vec()),
        ("cis", vec![&[digest, tag][..], &POD_SECURITY, &variable, &ACCOUNT, &WORKLOAD], none.to_vec()),
        (
            "production",
            vec![&GOLDEN_PATH[..], &POD_SECURITY, &PROBES, &NO_LIMIT, &WORKLOAD],
            vec![&ACCOUNT[..], &further],
        ),
        ("development", vec![&[digest][..], &replicas, &BASELINE], vec![&[tag][..], &NO_LIMIT]),
    ] {
        let decision = decided(&bundles(&[bundle]), BAD);
        let sorted = |parts: Vec<&[&str]>| {
            let all: BTreeSet<String> = parts.concat().into_iter().map(ToOwned::to_owned).collect();
            all.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(rules(&decision, Effect::Deny), sorted(denied), "denied by {bundle}");
        assert_eq!(rules(&decision, Effect::Warn), sorted(warned), "{bundle} warns");
    }
}
