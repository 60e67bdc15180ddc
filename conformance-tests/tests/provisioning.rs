//! Self-service on a real API server, with the CRDs of the real operators: the test plays the operators by patching
//! statuses. The controller runs with the rights of its own account, and what it does is read from the API server's
//! audit log.
//!
//! The operators' CRDs come from their Go modules, which Go keeps in its cache. Without Go, or where a module cannot be
//! had, the test says so and passes, unless CI is set.

mod platform;

use platform::{Platform, eventually, within};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAMESPACE: &str = "developer-team-alpha";

#[test]
fn a_platform_serves_its_teams() {
    let Some(mut platform) = Platform::start() else { return };
    platform.control();
    eventually("the controller leads", || {
        platform::condition_of(&platform.get("claimclass/namespace-default", ""), "Loaded")["status"]
            == "True"
    });
    a_labelled_namespace_is_furnished(&platform);
    a_claim_becomes_a_database(&platform);
    what_is_deleted_or_changed_comes_back(&platform);
    what_ships_is_taken_by_the_operators_own_crds(&platform);
    a_dry_run_says_what_would_change(&platform);
    many_namespaces_are_furnished(&platform);
    an_idle_platform_writes_nothing(&platform);
    somebody_has_to_agree(&platform);
    a_budget_is_never_exceeded(&platform);
    quota_and_budget_hold_against_a_rush(&platform);
    what_belongs_to_others_is_left_alone(&platform);
    hostile_classes_are_refused_one_by_one(&platform);
    data_outlives_its_claim_and_is_taken_up_again(&platform);
    a_rival_is_reported_and_not_fought(&platform);
    a_controller_that_was_killed_loses_nothing(&mut platform);
    a_namespace_ends_without_us(&mut platform);
}

fn a_labelled_namespace_is_furnished(platform: &Platform) {
    platform.namespace(NAMESPACE, "alpha", "development");
    let begun = Instant::now();
    let wanted = [
        "limitrange/defaults",
        "resourcequota/environment",
        "rolebinding.rbac.authorization.k8s.io/team",
        "networkpolicy.networking.k8s.io/default-deny",
        "networkpolicy.networking.k8s.io/allow-dns",
        "networkpolicy.networking.k8s.io/allow-neighbours",
        "networkpolicy.networking.k8s.io/allow-metrics",
    ];
    within(Duration::from_secs(5), "the namespace is furnished", || {
        let kinds = "limitranges,resourcequotas,rolebindings,networkpolicies";
        let names = platform.kubectl(&["get", kinds, "-n", NAMESPACE, "-o", "name"], "").unwrap();
        wanted.iter().all(|name| names.lines().any(|line| line == *name))
    });
    println!("furnished after {:?}", begun.elapsed());
    eventually("the default account has no token", || {
        platform.get("serviceaccount/default", NAMESPACE)["automountServiceAccountToken"] == false
    });
    let binding = platform.get("rolebinding/team", NAMESPACE);
    assert_eq!(binding["roleRef"]["name"], "edit");
    platform
        .kubectl(
            &[
                "auth",
                "can-i",
                "create",
                "deployments",
                "-n",
                NAMESPACE,
                "--as=jane",
                "--as-group=team-alpha",
            ],
            "",
        )
        .unwrap();
    let refused = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "moon-base", "labels": {"team": "alpha", "environment": "moon", "managed-by": "idp"}}});
    platform.apply(&refused).unwrap();
    eventually("why it is not furnished is an Event", || {
        let events =
            platform.kubectl(&["get", "events.events.k8s.io", "-n", "default", "-o", "json"], "").unwrap();
        events.contains(
            "metadata.labels.environment is `moon`; must be one of `development`, `production`, `staging`",
        )
    });
    assert!(!platform.exists("resourcequota/environment", "moon-base"));
}

fn database(size: &str) -> Value {
    platform::claim(
        "database",
        NAMESPACE,
        json!({"type": "postgresql", "version": "15", "size": size, "backup": "enabled"}),
    )
}

fn a_claim_becomes_a_database(platform: &Platform) {
    // A quota takes nothing before it was looked at.
    eventually("claims are taken", || platform.apply(&database("small")).is_ok());
    within(Duration::from_secs(5), "the operator's objects are there", || {
        [
            "clusters.postgresql.cnpg.io/database",
            "scheduledbackup/database-daily",
            "networkpolicy/database-postgresql",
        ]
        .iter()
        .all(|what| platform.exists(what, NAMESPACE))
    });
    eventually("it waits for the operator", || platform.phase("database", NAMESPACE) == "Provisioning");
    let cluster = platform.get("clusters.postgresql.cnpg.io/database", NAMESPACE);
    assert_eq!(cluster["spec"]["imageName"], "ghcr.io/cloudnative-pg/postgresql:15");
    assert_eq!(cluster["metadata"].get("ownerReferences"), None, "the class retains: {cluster}");
    assert_eq!(cluster["metadata"].get("finalizers"), None);
    let begun = Instant::now();
    platform.patch_status(
        "clusters.postgresql.cnpg.io/database",
        NAMESPACE,
        json!({"phase": "Cluster in healthy state", "conditions": [{"type": "Ready", "status": "True", "reason": "ClusterIsReady", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}),
    );
    within(Duration::from_secs(5), "what the operator says is the claim's", || {
        platform.phase("database", NAMESPACE) == "Ready"
    });
    println!("ready after {:?}", begun.elapsed());
    let status = platform.get("platformclaim/database", NAMESPACE)["status"].clone();
    assert_eq!(status["outputs"]["connection_string"], json!({"secret": "database-app", "key": "uri"}));
    assert_eq!(status["binding"]["name"], "database-app");
    assert_eq!(status["cost"]["monthlyEUR"].as_f64(), Some(12.0));
    assert!(
        status["conditions"].as_array().unwrap().iter().all(|it| it["observedGeneration"] == 1),
        "{status}"
    );
    let wrong =
        platform::claim("wrong", NAMESPACE, json!({"type": "postgresql", "version": "9", "size": "small"}));
    platform.apply(&wrong).unwrap();
    eventually("it is denied", || platform.phase("wrong", NAMESPACE) == "Denied");
    let message = platform.condition("wrong", NAMESPACE, "Accepted");
    assert!(message.contains("spec.version is `9`; must be one of `15`, `16`, `17`"), "{message}");
    let other = platform::claim(
        "database",
        NAMESPACE,
        json!({"type": "rabbitmq", "version": "4.1", "size": "small"}),
    );
    let refused = platform.apply(&other).unwrap_err();
    assert!(refused.contains("`type` cannot be changed"), "{refused}");
}

fn what_is_deleted_or_changed_comes_back(platform: &Platform) {
    for what in
        ["networkpolicy/database-postgresql", "resourcequota/environment", "scheduledbackup/database-daily"]
    {
        let before = platform.uid(what, NAMESPACE);
        platform.kubectl(&["delete", what, "-n", NAMESPACE], "").unwrap();
        let begun = Instant::now();
        within(Duration::from_secs(5), what, || {
            let now = platform.uid(what, NAMESPACE);
            !now.is_empty() && now != before
        });
        println!("{what} was back after {:?}", begun.elapsed());
    }
    let patch = r#"{"spec": {"instances": 7}}"#;
    platform
        .kubectl(
            &[
                "patch",
                "clusters.postgresql.cnpg.io",
                "database",
                "-n",
                NAMESPACE,
                "--type=merge",
                "-p",
                patch,
            ],
            "",
        )
        .unwrap();
    within(Duration::from_secs(5), "drift is corrected", || {
        platform.get("clusters.postgresql.cnpg.io/database", NAMESPACE)["spec"]["instances"] == 1
    });
    // What the class does not speak of is not its business.
    platform
        .kubectl(&["annotate", "clusters.postgresql.cnpg.io", "database", "-n", NAMESPACE, "note=mine"], "")
        .unwrap();
    let mut bigger = database("medium");
    bigger["metadata"]["labels"] = json!({"app.kubernetes.io/instance": "argo"});
    platform.apply(&bigger).unwrap();
    within(Duration::from_secs(5), "it is resized", || {
        let cluster = platform.get("clusters.postgresql.cnpg.io/database", NAMESPACE);
        cluster["spec"]["instances"] == 2 && cluster["metadata"]["annotations"]["note"] == "mine"
    });
    let off = platform::claim(
        "database",
        NAMESPACE,
        json!({"type": "postgresql", "version": "15", "size": "medium", "backup": "disabled"}),
    );
    platform.apply(&off).unwrap();
    within(Duration::from_secs(5), "what is not wanted any more goes", || {
        !platform.exists("scheduledbackup/database-daily", NAMESPACE)
    });
    platform.apply(&database("small")).unwrap();
    within(Duration::from_secs(5), "and comes", || {
        platform.exists("scheduledbackup/database-daily", NAMESPACE)
    });
    eventually("it is ready again", || platform.phase("database", NAMESPACE) == "Ready");
}

/// The sample of every class whose operator's CRD is there, as the API server takes it.
fn what_ships_is_taken_by_the_operators_own_crds(platform: &Platform) {
    for (class, kind) in [
        ("namespace", "limitranges"),
        ("volume", "persistentvolumeclaims"),
        ("postgresql", "clusters.postgresql.cnpg.io"),
        ("rabbitmq", "rabbitmqclusters.rabbitmq.com"),
        ("network", "httproutes.gateway.networking.k8s.io"),
        ("cluster", "clusters.cluster.x-k8s.io"),
        ("terraform", "terraforms.infra.contrib.fluxcd.io"),
    ] {
        if platform.kubectl(&["get", kind, "-A"], "").is_err() {
            println!("not tried against its CRD, which is not to be had: {class}");
            continue;
        }
        let sample =
            format!("{}/../policies/provision/{class}/samples/usual.yaml", env!("CARGO_MANIFEST_DIR"));
        let said = platform.wayguard(&["provision", &sample, "--format", "yaml"]);
        assert!(said.fine, "{}", said.err);
        let kept: Vec<&str> =
            said.out.split("---\n").filter(|it| !it.contains("PodMonitor") || platform.monitors).collect();
        let objects = kept.join("---\n");
        platform
            .kubectl(
                &[
                    "apply",
                    "--server-side",
                    "--force-conflicts",
                    "--validate=strict",
                    "--dry-run=server",
                    "-f",
                    "-",
                ],
                &objects,
            )
            .unwrap_or_else(|problem| panic!("{class}: {problem}"));
    }
}

fn a_dry_run_says_what_would_change(platform: &Platform) {
    let file = platform.file("claim.yaml", &database("large"));
    let said = platform.wayguard(&["provision", &file, "--kubeconfig", &platform.kubeconfig()]);
    assert!(said.fine, "{}{}", said.out, said.err);
    for expected in [
        "waits for approval",
        "platform-dba: a large database costs 420 EUR a month",
        "~ Cluster database",
        "spec.instances: 1 → 3",
        "= NetworkPolicy database-postgresql",
    ] {
        assert!(said.out.contains(expected), "{expected}: {}{}", said.out, said.err);
    }
    let said = platform.wayguard(&[
        "provision",
        &platform.file("claim.yaml", &database("small")),
        "--kubeconfig",
        &platform.kubeconfig(),
    ]);
    assert!(!said.out.contains('~') && said.out.contains("= Cluster database"), "{}", said.out);
}

/// The long form of what takes minutes: `just soak`.
fn soaking() -> bool {
    std::env::var_os("WAYGUARD_SOAK").is_some()
}

fn many_namespaces_are_furnished(platform: &Platform) {
    if !soaking() {
        return;
    }
    let named = |it: usize| format!("many-{it}");
    let all: Vec<String> = (0..200)
        .map(|it| {
            let labels = json!({"team": "many", "environment": "development", "managed-by": "idp"});
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": named(it), "labels": labels}})
                .to_string()
        })
        .collect();
    let begun = Instant::now();
    platform.kubectl(&["apply", "-f", "-"], &format!("---\n{}", all.join("\n---\n"))).unwrap();
    within(Duration::from_mins(5), "200 namespaces are furnished", || {
        let ready = ["get", "namespaces", "-l", "team=many,wayguard.io/ready=true", "-o", "name"];
        platform.kubectl(&ready, "").unwrap().lines().count() == 200
    });
    println!("200 namespaces furnished after {:?}", begun.elapsed());
}

fn an_idle_platform_writes_nothing(platform: &Platform) {
    eventually("it has come to rest", || {
        let before = platform.writes().len();
        std::thread::sleep(Duration::from_secs(4));
        platform.writes().len() == before
    });
    let before = platform.writes().len();
    std::thread::sleep(if soaking() { Duration::from_mins(2) } else { Duration::from_secs(15) });
    let writes = platform.writes();
    assert_eq!(&writes[before..], [""; 0], "writes of an idle controller");
}

fn somebody_has_to_agree(platform: &Platform) {
    let claim = |size: &str| {
        platform::claim("ledger", NAMESPACE, json!({"type": "postgresql", "version": "16", "size": size}))
    };
    platform.apply(&claim("large")).unwrap();
    eventually("it waits", || platform.phase("ledger", NAMESPACE) == "PendingApproval");
    assert!(!platform.exists("clusters.postgresql.cnpg.io/ledger", NAMESPACE), "nothing is made before");
    let hash =
        platform.get("platformclaim/ledger", NAMESPACE)["status"]["specHash"].as_str().unwrap().to_owned();
    let approval = |name: &str, hash: &str, group: &str| {
        // The webhook writes this; it does not run here.
        let stamp = json!({"user": "dora", "groups": ["platform-dba", "team-alpha"]}).to_string();
        json!({
            "apiVersion": "wayguard.io/v1alpha1", "kind": "ClaimApproval",
            "metadata": {"name": name, "namespace": NAMESPACE, "annotations": {"wayguard.io/approver": stamp}},
            "spec": {"claim": "ledger", "specHash": hash, "group": group},
        })
    };
    platform.apply(&approval("other", &format!("sha256:{}", "0".repeat(64)), "platform-dba")).unwrap();
    platform.apply(&approval("stranger", &hash, "team-alpha")).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(
        platform.phase("ledger", NAMESPACE),
        "PendingApproval",
        "neither is of this spec and that group"
    );
    platform.apply(&approval("right", &hash, "platform-dba")).unwrap();
    within(Duration::from_secs(5), "it is made", || {
        platform.exists("clusters.postgresql.cnpg.io/ledger", NAMESPACE)
    });
    let mut changed = claim("large");
    changed["spec"]["version"] = json!("17");
    platform.apply(&changed).unwrap();
    eventually("another spec needs another word", || {
        platform.phase("ledger", NAMESPACE) == "PendingApproval"
    });
    let cluster = platform.get("clusters.postgresql.cnpg.io/ledger", NAMESPACE);
    assert_eq!(cluster["spec"]["imageName"], "ghcr.io/cloudnative-pg/postgresql:16", "what is there stays");
}

fn a_budget_is_never_exceeded(platform: &Platform) {
    platform.namespace("beta-dev", "beta", "development");
    platform
        .apply(&json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "TeamBudget", "metadata": {"name": "beta"}, "spec": {"team": "beta", "monthlyEUR": 4}}))
        .unwrap();
    let stream: Vec<String> = (0..5)
        .map(|it| {
            platform::claim(&format!("files-{it}"), "beta-dev", json!({"type": "volume", "size": "small"}))
                .to_string()
        })
        .collect();
    platform.kubectl(&["apply", "-f", "-"], &format!("---\n{}", stream.join("\n---\n"))).unwrap();
    let phases = || (0..5).map(|it| platform.phase(&format!("files-{it}"), "beta-dev")).collect::<Vec<_>>();
    eventually("four are made and one is not", || {
        let phases = phases();
        phases.iter().filter(|phase| *phase == "Denied").count() == 1
            && !phases.iter().any(|phase| phase.is_empty() || phase == "Pending")
    });
    let list = platform.kubectl(&["get", "pvc", "-n", "beta-dev", "-o", "name"], "").unwrap();
    assert_eq!(list.lines().count(), 4, "{list}");
    let refused = (0..5).find(|it| platform.phase(&format!("files-{it}"), "beta-dev") == "Denied").unwrap();
    let message = platform.condition(&format!("files-{refused}"), "beta-dev", "Accepted");
    assert!(
        message.starts_with("it costs 1 EUR a month, and of the 4 of team `beta` 4 are reserved"),
        "{message}"
    );
    let other = (refused + 1) % 5;
    platform.kubectl(&["delete", "platformclaim", &format!("files-{other}"), "-n", "beta-dev"], "").unwrap();
    eventually("what is given back is used", || platform.exists(&format!("pvc/files-{refused}"), "beta-dev"));
}

/// Thirty claims at once against a quota of five and a budget for four, again and again.
fn quota_and_budget_hold_against_a_rush(platform: &Platform) {
    for round in 0..if soaking() { 20 } else { 2 } {
        let team = format!("rush-{round}");
        let labels = json!({"team": team, "environment": "development"});
        let object = |api: &str, kind: &str, name: &str, more: Value| {
            let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
            object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            object
        };
        let namespace = json!({"metadata": {"name": team, "labels": labels}});
        platform.apply(&object("v1", "Namespace", &team, namespace)).unwrap();
        let budget = json!({"spec": {"team": team, "monthlyEUR": 4}});
        platform.apply(&object("wayguard.io/v1alpha1", "TeamBudget", &team, budget)).unwrap();
        let quota = json!({"metadata": {"name": "claims", "namespace": team}, "spec": {"hard": {"count/platformclaims.wayguard.io": "5"}}});
        platform.apply(&object("v1", "ResourceQuota", "claims", quota)).unwrap();
        eventually("the quota counts", || {
            platform.get("resourcequota/claims", &team)["status"]["used"].is_object()
        });
        let said: Vec<Result<String, String>> = std::thread::scope(|scope| {
            let one = |it: usize| {
                let spec = json!({"type": "volume", "size": "small"});
                let claim = platform::claim(&format!("files-{it}"), &team, spec);
                platform.kubectl(&["create", "-f", "-"], &format!("---\n{claim}"))
            };
            let all: Vec<_> = (0..30).map(|it| scope.spawn(move || one(it))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let refused: Vec<&String> = said.iter().filter_map(|it| it.as_ref().err()).collect();
        assert_eq!(refused.len(), 25, "{said:?}");
        assert!(refused.iter().all(|why| why.contains("exceeded quota: claims")), "{refused:?}");
        let mut phases = Vec::new();
        eventually("four are provided for and one is not", || {
            let all: Value = serde_json::from_str(
                &platform.kubectl(&["get", "platformclaims", "-n", &team, "-o", "json"], "").unwrap(),
            )
            .unwrap();
            let claims = all["items"].as_array().unwrap();
            phases =
                claims.iter().map(|it| platform::condition_of(it, "Accepted")["reason"].clone()).collect();
            phases.iter().filter(|it| **it == "BudgetExceeded").count() == 1
                && phases.iter().filter(|it| **it == "Accepted").count() == 4
        });
        let volumes = platform.kubectl(&["get", "pvc", "-n", &team, "-o", "name"], "").unwrap();
        assert_eq!(volumes.lines().count(), 4, "{volumes}");
    }
}

fn what_belongs_to_others_is_left_alone(platform: &Platform) {
    let theirs = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared", "namespace": "beta-dev"}, "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}});
    platform.namespace("gamma-dev", "gamma", "development");
    let mut theirs = theirs;
    theirs["metadata"]["namespace"] = json!("gamma-dev");
    platform.apply(&theirs).unwrap();
    platform
        .apply(&platform::claim("shared", "gamma-dev", json!({"type": "volume", "size": "small"})))
        .unwrap();
    eventually("it says so", || platform.phase("shared", "gamma-dev") == "Failed");
    let message = platform.condition("shared", "gamma-dev", "Conflict");
    assert!(
        message.starts_with(
            "there is a PersistentVolumeClaim `shared` already, and `kubectl-client-side-apply` has made it"
        ),
        "{message}"
    );
    let object = platform.get("pvc/shared", "gamma-dev");
    assert_eq!(object["spec"]["resources"]["requests"]["storage"], "1Gi");
    assert!(!object.to_string().contains("wayguard.io"), "{object}");
}

/// What hostile classes want: name, the kind that they may make, the object, and why they do not get it.
fn hostile() -> [(&'static str, &'static str, Value, &'static str, &'static str); 6] {
    let object = |api: &str, kind: &str, more: Value| {
        let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "loot"}});
        for (key, value) in more.as_object().unwrap() {
            object[key] = value.clone();
        }
        object
    };
    let elsewhere =
        object("v1", "ConfigMap", json!({"metadata": {"name": "loot", "namespace": "kube-system"}}));
    let huge = object("v1", "ConfigMap", json!({"data": {"x": "y".repeat(100_000)}}));
    [
        (
            "secret",
            "/ConfigMap",
            object("v1", "Secret", json!({"stringData": {"a": "b"}})),
            "ClassFailed",
            "is a `/Secret`; the class may make `/ConfigMap`",
        ),
        (
            "elsewhere",
            "/ConfigMap",
            elsewhere,
            "ClassFailed",
            "is for the namespace \"kube-system\"; it may only be in",
        ),
        ("huge", "/ConfigMap", huge, "ClassFailed", "at most 65536 are applied"),
        (
            "finalizer",
            "/ConfigMap",
            object("v1", "ConfigMap", json!({"metadata": {"name": "loot", "finalizers": ["a/b"]}})),
            "ClassFailed",
            "has `metadata.finalizers`",
        ),
        // The class's account may not make ConfigMaps: RBAC says no, whatever class and Rego say.
        (
            "rights",
            "/ConfigMap",
            object("v1", "ConfigMap", json!({"data": {"a": "b"}})),
            "Forbidden",
            "cannot",
        ),
        // It may bind `edit` and `view`, and RBAC knows no others.
        (
            "admin",
            "rbac.authorization.k8s.io/RoleBinding",
            object(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                json!({
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}],
                }),
            ),
            "Forbidden",
            "is attempting to grant RBAC permissions not currently held",
        ),
    ]
}

fn hostile_classes_are_refused_one_by_one(platform: &Platform) {
    let class = |name: &str, allowed: &str, object: &Value| {
        let rego = format!(
            "# METADATA\n# scope: package\n# title: {name}\n# description: For a test.\n# custom:\n#   remedy: none\npackage provision.{name}\n\nobjects.loot := {object}\n"
        );
        let account = if name == "admin" { "wayguard-class-namespace" } else { "wayguard-class-volume" };
        json!({
            "apiVersion": "wayguard.io/v1alpha1", "kind": "ClaimClass", "metadata": {"name": format!("hostile-{name}")},
            "spec": {"type": "hostile", "class": name, "rego": rego, "allowedKinds": [allowed], "serviceAccount": account},
        })
    };
    for (name, allowed, object, reason, said) in hostile() {
        platform.apply(&class(name, allowed, &object)).unwrap();
        platform
            .apply(&platform::claim(name, "gamma-dev", json!({"type": "hostile", "class": name})))
            .unwrap();
        // A controller that may not watch a kind does not make any of it either.
        let blind = |message: &str| name == "rights" && message.contains("cannot be watched");
        eventually(name, || {
            let status = platform.get(&format!("platformclaim/{name}"), "gamma-dev");
            let applied = platform::condition_of(&status, "Applied");
            let (why, message) = (
                applied["reason"].as_str().unwrap_or_default(),
                applied["message"].as_str().unwrap_or_default(),
            );
            (why == reason && message.contains(said)) || blind(message)
        });
    }
    let never = class("direct", "/Secret", &json!({}));
    platform.apply(&never).unwrap();
    eventually("a class that says it makes Secrets is not loaded", || {
        let class = platform.get("claimclass/hostile-direct", "");
        platform::condition_of(&class, "Loaded")["message"]
            .as_str()
            .is_some_and(|it| it.contains("`/Secret`, which no class may make"))
    });
    let account = "--as=system:serviceaccount:wayguard-system:wayguard-provisioning";
    for verb in ["get", "list", "create"] {
        let said = platform.kubectl(&["auth", "can-i", verb, "secrets", "-A", account], "");
        assert!(said.is_err(), "{verb} secrets: {said:?}");
    }
    let said = platform.kubectl(
        &["auth", "can-i", "impersonate", "serviceaccounts/default", "-n", "kube-system", account],
        "",
    );
    assert!(said.is_err(), "{said:?}");
    platform
        .kubectl(
            &["delete", "claimclass", "-l", "!nothing", "--field-selector=metadata.name=hostile-direct"],
            "",
        )
        .unwrap();
}

fn data_outlives_its_claim_and_is_taken_up_again(platform: &Platform) {
    let before = platform.uid("clusters.postgresql.cnpg.io/database", NAMESPACE);
    platform.kubectl(&["delete", "platformclaim", "database", "-n", NAMESPACE, "--timeout=10s"], "").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(platform.uid("clusters.postgresql.cnpg.io/database", NAMESPACE), before, "it is retained");
    let orphans = || {
        let said = platform.wayguard(&["provision", "--orphans", "--kubeconfig", &platform.kubeconfig()]);
        assert!(said.fine, "{}", said.err);
        said.out
    };
    let told = orphans();
    assert!(told.contains("Cluster developer-team-alpha/database since 20"), "{told}");
    assert!(told.contains("made for the claim `database`; a claim of that name takes it up again"), "{told}");
    platform.apply(&database("small")).unwrap();
    eventually("the next claim of that name takes it up", || {
        platform.phase("database", NAMESPACE) == "Ready"
    });
    assert_eq!(platform.uid("clusters.postgresql.cnpg.io/database", NAMESPACE), before);
    eventually("it belongs to somebody again", || {
        !orphans().contains("Cluster developer-team-alpha/database")
    });
    let own =
        platform::claim("orders", NAMESPACE, json!({"type": "rabbitmq", "version": "4.1", "size": "small"}));
    platform.apply(&own).unwrap();
    eventually("a class that deletes", || platform.exists("rabbitmqclusters.rabbitmq.com/orders", NAMESPACE));
    platform.kubectl(&["delete", "platformclaim", "orders", "-n", NAMESPACE], "").unwrap();
    eventually("goes with its claim", || !platform.exists("rabbitmqclusters.rabbitmq.com/orders", NAMESPACE));
}

fn a_rival_is_reported_and_not_fought(platform: &Platform) {
    let patch = |instances: u32| {
        let patch = json!({"spec": {"instances": instances}}).to_string();
        let what = [
            "patch",
            "clusters.postgresql.cnpg.io",
            "database",
            "-n",
            NAMESPACE,
            "--type=merge",
            "--field-manager=rival",
            "-p",
            &patch,
        ];
        platform.kubectl(&what, "").unwrap();
    };
    let limit = Instant::now() + Duration::from_mins(1);
    let mut fought = 0;
    while platform.condition("database", NAMESPACE, "Flapping").is_empty() {
        assert!(Instant::now() < limit, "in vain: it is reported");
        if platform.get("clusters.postgresql.cnpg.io/database", NAMESPACE)["spec"]["instances"] == 1 {
            patch(5 + fought);
            fought += 1;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let message = platform.condition("database", NAMESPACE, "Flapping");
    assert!(
        message.starts_with("Cluster `database` is changed by `rival` as often as it is put right"),
        "{message}"
    );
    assert!(fought <= 8, "fought {fought} times");
}

fn a_controller_that_was_killed_loses_nothing(platform: &mut Platform) {
    platform.kill();
    platform.namespace("delta-dev", "delta", "development");
    platform
        .apply(&platform::claim("files", "delta-dev", json!({"type": "volume", "size": "small"})))
        .unwrap();
    platform.kubectl(&["delete", "networkpolicy", "database-postgresql", "-n", NAMESPACE], "").unwrap();
    let before = platform.uid("clusters.postgresql.cnpg.io/database", NAMESPACE);
    platform.control();
    eventually("what was asked meanwhile is there", || platform.exists("pvc/files", "delta-dev"));
    eventually("what was deleted meanwhile is back", || {
        platform.exists("networkpolicy/database-postgresql", NAMESPACE)
    });
    assert_eq!(platform.uid("clusters.postgresql.cnpg.io/database", NAMESPACE), before);
    // At any step: it is killed while a claim is being served, again and again.
    for round in 0..3_u64 {
        let name = format!("step-{round}");
        platform
            .apply(&platform::claim(
                &name,
                "delta-dev",
                json!({"type": "rabbitmq", "version": "4.1", "size": "small"}),
            ))
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 * round));
        platform.kill();
        platform.control();
        eventually("it is whole", || {
            platform.phase(&name, "delta-dev") == "Provisioning"
                && platform.get(&format!("platformclaim/{name}"), "delta-dev")["status"]["inventory"]
                    .as_array()
                    .map(Vec::len)
                    == Some(3)
        });
    }
}

fn a_namespace_ends_without_us(platform: &mut Platform) {
    platform.kill();
    let begun = Instant::now();
    platform.kubectl(&["delete", "namespace", "delta-dev", NAMESPACE, "--timeout=60s"], "").unwrap();
    println!("namespaces with claims were gone after {:?}", begun.elapsed());
}
