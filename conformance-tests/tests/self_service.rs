//! Self-service as a team meets it: a namespace, a database and a Deployment that names what the database hands back, by
//! `kubectl` as people of a team, on a real API server with the webhook, the provisioner and the API server's own backstop.
//! The test plays CloudNativePG by patching statuses.

#[path = "../../history/tests/support/postgres.rs"]
mod postgres;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use wayguard_conformance_tests::{Said, Sandbox, eventually, operators};

const NAMESPACE: &str = "developer-team-alpha";
const PROVISIONER: &str = "system:serviceaccount:wayguard-system:wayguard-provisioning";

#[test]
fn a_team_serves_itself() {
    let (module, version, path) = operators::CLOUD_NATIVE_PG;
    let definitions = match operators::definitions(module, version, path) {
        Ok(definitions) => definitions,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "the CRDs of {module} cannot be had: {why}");
            println!("skipped: the CRDs of {module} cannot be had: {why}");
            return;
        }
    };
    let sandbox = Sandbox::start(&["--provisioning"]);
    sandbox.kubectl(&["apply", "--server-side", "-f", &definitions], "").accepted();
    quotas_know_claims(&sandbox);
    namespaces_are_for_whom_they_are_for(&sandbox);
    pods_and_only_they_wait_for_their_namespace(&sandbox);
    nobody_marks_a_namespace_by_hand(&sandbox);
    a_ready_namespace_waits_for_nobody(&sandbox);
    claims_are_judged_when_they_are_applied(&sandbox);
    what_a_claim_hands_back_reaches_the_pod(&sandbox);
    names_that_do_not_exist_are_refused(&sandbox);
    an_application_connects_with_what_it_was_given(&sandbox);
    nobody_agrees_with_themselves(&sandbox);
    glass_is_broken_loudly_and_by_whom_may(&sandbox);
    a_protected_claim_is_not_deleted(&sandbox);
    the_accounts_of_classes_are_held_by_the_api_server(&sandbox);
    a_namespace_that_holds_data_is_not_deleted_by_accident(&sandbox);
}

fn object(api_version: &str, kind: &str, name: &str, namespace: &str, more: Value) -> String {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    for (key, value) in more.as_object().unwrap() {
        if key == "metadata" {
            object["metadata"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        } else {
            object[key] = value.clone();
        }
    }
    object.to_string()
}

fn namespace(name: &str, labels: Value) -> String {
    object("v1", "Namespace", name, "", json!({"metadata": {"labels": labels}}))
}

fn labels(environment: &str) -> Value {
    json!({"team": "alpha", "environment": environment, "managed-by": "idp"})
}

fn claim(name: &str, spec: Value) -> String {
    object("wayguard.io/v1alpha1", "PlatformClaim", name, NAMESPACE, json!({"spec": spec}))
}

fn database(size: &str) -> Value {
    json!({"type": "postgresql", "version": "15", "size": size, "backup": "enabled"})
}

fn pod(env: Value) -> Value {
    json!({
        "containers": [{"name": "shop", "image": "registry.example/shop:1.4.2", "env": env}],
    })
}

fn apply_as(sandbox: &Sandbox, user: &str, group: &str, text: &str) -> Said {
    sandbox.kubectl(&["--as", user, "--as-group", group, "apply", "-f", "-"], text)
}

#[track_caller]
fn refused(said: Said, words: &[&str]) {
    let text = said.refused();
    for words in words {
        assert!(text.contains(words), "`{words}` is not in\n{text}");
    }
}

/// The quota controller asks for new kinds every half a minute: a quota that is older than that is not looked at for minutes,
/// and no claim is taken beside it.
fn quotas_know_claims(sandbox: &Sandbox) {
    let mut round = 0;
    eventually("quotas know claims", || {
        round += 1;
        let name = format!("probe-{round}");
        let mut labels = labels("development");
        labels["managed-by"] = "test".into();
        sandbox.apply(&namespace(&name, labels)).accepted();
        let hard = json!({"spec": {"hard": {"count/platformclaims.wayguard.io": "1"}}});
        sandbox.apply(&object("v1", "ResourceQuota", "probe", &name, hard)).accepted();
        std::thread::sleep(std::time::Duration::from_secs(2));
        sandbox.get("resourcequota", "probe", &name)["status"]["used"].is_object()
    });
}

fn namespaces_are_for_whom_they_are_for(sandbox: &Sandbox) {
    // Whoever may make namespaces at all.
    let role = json!({"rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create", "get", "patch"]}]});
    sandbox.apply(&object("rbac.authorization.k8s.io/v1", "ClusterRole", "founders", "", role)).accepted();
    let bind = |name: &str, role: &str| {
        object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            name,
            "",
            json!({
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team-alpha"}],
            }),
        )
    };
    sandbox.apply(&bind("founders", "founders")).accepted();
    let jane = |text: &str| apply_as(sandbox, "jane", "team-alpha", text);

    refused(
        jane(&namespace("shop", labels("development"))),
        &[
            "denied by self-service/namespace-request: metadata.labels.team is `alpha`; must be a word of the namespace's name, `shop`",
        ],
    );
    refused(
        jane(&namespace("alpha-moon", labels("moon"))),
        &["metadata.labels.environment is `moon`; must be one of `development`, `staging`, `production`"],
    );
    refused(
        jane(&namespace("alpha-production", labels("production"))),
        &[
            "metadata.labels.environment is `production`; must be an environment that jane may use",
            "verb `use` on `environments.wayguard.io`",
        ],
    );
    let role = json!({"rules": [{"apiGroups": ["wayguard.io"], "resources": ["environments"], "resourceNames": ["production"], "verbs": ["use"]}]});
    sandbox
        .apply(&object("rbac.authorization.k8s.io/v1", "ClusterRole", "to-production", "", role))
        .accepted();
    sandbox.apply(&bind("to-production", "to-production")).accepted();
    eventually("who may use production has it", || {
        jane(&namespace("alpha-production", labels("production"))).fine
    });

    jane(&namespace(NAMESPACE, labels("development"))).accepted();
    refused(
        jane(&namespace(
            NAMESPACE,
            json!({"team": "alpha", "environment": "development", "managed-by": "us"}),
        )),
        &["metadata.labels.managed-by is `us`; must be `idp`, as it was"],
    );
    refused(
        jane(&namespace(
            NAMESPACE,
            json!({"team": "beta", "environment": "development", "managed-by": "idp"}),
        )),
        &["metadata.labels.team is `beta`"],
    );
}

fn is_ready(sandbox: &Sandbox, name: &str) -> bool {
    sandbox.get("namespace", name, "")["metadata"]["labels"]["wayguard.io/ready"] == "true"
}

fn pods_and_only_they_wait_for_their_namespace(sandbox: &Sandbox) {
    eventually("it is furnished", || is_ready(sandbox, NAMESPACE));
    for what in ["resourcequota/environment", "limitrange/defaults", "networkpolicy/default-deny"] {
        sandbox.kubectl(&["get", what, "-n", NAMESPACE], "").accepted();
    }
    // Without the provisioner a namespace is never furnished.
    sandbox.signal("provisioning", "STOP");
    sandbox.apply(&namespace("alpha-late", labels("development"))).accepted();
    eventually("the default account", || {
        sandbox.kubectl(&["get", "serviceaccount", "default", "-n", "alpha-late"], "").fine
    });
    refused(
        sandbox.apply(&object("v1", "Pod", "early", "alpha-late", json!({"spec": pod(json!([]))}))),
        &[
            "denied by self-service/namespace-ready: namespace `alpha-late` is still being furnished",
            "Wait a few seconds",
        ],
    );
    sandbox.apply(&object("v1", "ConfigMap", "early", "alpha-late", json!({"data": {"a": "b"}}))).accepted();
}

fn nobody_marks_a_namespace_by_hand(sandbox: &Sandbox) {
    let words = ["metadata.labels[wayguard.io/ready] must stay as it is: only"];
    refused(sandbox.kubectl(&["label", "namespace", "alpha-late", "wayguard.io/ready=true"], ""), &words);
    refused(sandbox.kubectl(&["label", "namespace", NAMESPACE, "wayguard.io/ready-"], ""), &words);
    let mut bringing = labels("development");
    bringing["wayguard.io/ready"] = "true".into();
    refused(sandbox.apply(&namespace("alpha-forged", bringing)), &words);
    // And the provisioner's account is held to the mark.
    let patch = r#"{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}"#;
    let patched = ["patch", "namespace", NAMESPACE, "--type=merge", "-p", patch];
    refused(
        sandbox.kubectl_as(PROVISIONER, &patched, ""),
        &["may change nothing of a Namespace but its label wayguard.io/ready"],
    );
}

fn a_ready_namespace_waits_for_nobody(sandbox: &Sandbox) {
    // The provisioner does not work.
    sandbox.apply(&object("v1", "Pod", "first", NAMESPACE, json!({"spec": pod(json!([]))}))).accepted();
}

fn claims_are_judged_when_they_are_applied(sandbox: &Sandbox) {
    let jane = |text: &str| apply_as(sandbox, "jane", "team-alpha", text);
    // The team may `edit` its namespace, and so ask; others may not, whatever else they may.
    let mut old = database("small");
    old["version"] = "9".into();
    refused(
        jane(&claim("database", old)),
        &[
            "admission webhook \"claims.wayguard.io\" denied the request: PlatformClaim `database`: spec.version is `9`; must be one of `15`, `16`, `17`",
        ],
    );
    refused(
        jane(&claim("database", json!({"type": "oracle", "size": "small"}))),
        &["the type `oracle` is not offered"],
    );
    let role =
        json!({"rules": [{"apiGroups": ["wayguard.io"], "resources": ["platformclaims"], "verbs": ["*"]}]});
    sandbox.apply(&object("rbac.authorization.k8s.io/v1", "ClusterRole", "claims-only", "", role)).accepted();
    let binding = json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "claims-only"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}],
    });
    sandbox
        .apply(&object("rbac.authorization.k8s.io/v1", "RoleBinding", "claims-only", NAMESPACE, binding))
        .accepted();
    eventually("RBAC has heard of it", || {
        let said = apply_as(sandbox, "mallory", "strangers", &claim("database", database("small")));
        let text = said.refused();
        text.contains("mallory may not `use` the class `postgresql-default`")
    });
    eventually("claims are taken", || jane(&claim("database", database("small"))).fine);
    let stamped = sandbox.get("platformclaim", "database", NAMESPACE);
    let requester = &stamped["metadata"]["annotations"]["wayguard.io/requester"];
    assert!(requester.as_str().unwrap().contains(r#""user":"jane""#), "{stamped}");
    // What somebody writes there themselves is overwritten.
    let forged = [
        "annotate",
        "platformclaim",
        "database",
        "-n",
        NAMESPACE,
        "--overwrite",
        r#"wayguard.io/requester={"user":"dora"}"#,
    ];
    sandbox.kubectl(&forged, "").accepted();
    let again = sandbox.get("platformclaim", "database", NAMESPACE);
    assert_eq!(&again["metadata"]["annotations"]["wayguard.io/requester"], requester);
}

fn deployment(name: &str, env: Value, annotations: Value) -> String {
    let template =
        json!({"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": pod(env)});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template});
    object("apps/v1", "Deployment", name, NAMESPACE, json!({"spec": spec}))
}

fn pods_of(sandbox: &Sandbox, app: &str) -> Vec<Value> {
    let selector = format!("app={app}");
    let text =
        sandbox.kubectl(&["get", "pods", "-n", NAMESPACE, "-l", &selector, "-o", "json"], "").accepted();
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().cloned().unwrap_or_default()
}

fn secret(name: &str, key: &str) -> Value {
    json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "database-app", "key": key}}})
}

fn what_a_claim_hands_back_reaches_the_pod(sandbox: &Sandbox) {
    // The provisioner still does not work: nobody knows what the claim hands back.
    let env = json!([
        {"name": "DATABASE_URL", "value": "${database.connection_string}"},
        {"name": "ALIAS", "value": "${database.url}"},
        {"name": "FLUX", "value": "$${database.uri}"},
        {"name": "JDBC", "value": "jdbc:postgresql://${database.host}:${database.port}/app?user=${database.username}"},
        {"name": "OTHER", "value": "${HOME}"},
    ]);
    let text = deployment("shop", env, json!({"wayguard.io/env": "PGPASSWORD=database.password"}));
    let server_side = |text: &str| {
        let said = sandbox.kubectl(&["apply", "--server-side", "-f", "-"], text);
        assert!(said.fine, "{}", said.err);
        said.err
    };
    let told = server_side(&text);
    assert!(!told.contains("claim-outputs"), "a claim that comes is no reason to warn: {told}");
    eventually("its Pods are told to wait", || {
        let events = sandbox.kubectl(&["get", "events", "-n", NAMESPACE, "-o", "json"], "").accepted();
        events.contains("the claim `database` hands nothing back yet: it is Pending")
    });
    assert_eq!(pods_of(sandbox, "shop"), Vec::<Value>::new());

    sandbox.signal("provisioning", "CONT");
    let pods = || pods_of(sandbox, "shop");
    eventually("the Pod is there", || !pods().is_empty());
    let made = &pods()[0]["spec"]["containers"][0]["env"];
    assert_eq!(
        made,
        &json!([
            secret("__ref_database.host", "host"),
            secret("__ref_database.port", "port"),
            secret("__ref_database.username", "username"),
            secret("DATABASE_URL", "uri"),
            secret("ALIAS", "uri"),
            secret("FLUX", "uri"),
            {"name": "JDBC", "value": "jdbc:postgresql://$(__ref_database.host):$(__ref_database.port)/app?user=$(__ref_database.username)"},
            {"name": "OTHER", "value": "${HOME}"},
            secret("PGPASSWORD", "password"),
        ])
    );
    // The Deployment is as in Git, also for whoever compares (M4).
    let kept = sandbox.get("deployment", "shop", NAMESPACE);
    assert_eq!(
        kept["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"],
        "${database.connection_string}"
    );
    assert_eq!(kept["metadata"]["generation"], 1);
    let diff = ["diff", "--server-side", "-f", "-"];
    sandbox.kubectl(&diff, &text).accepted();
    // What was resolved once can be applied again, changed to a literal, and taken out (M1 to M3).
    server_side(&text);
    let literal = deployment("shop", json!([{"name": "DATABASE_URL", "value": "none"}]), json!({}));
    server_side(&literal);
    eventually("the next Pod has the literal", || {
        pods().iter().any(|pod| {
            pod["spec"]["containers"][0]["env"] == json!([{"name": "DATABASE_URL", "value": "none"}])
        })
    });
}

fn names_that_do_not_exist_are_refused(sandbox: &Sandbox) {
    let env = |value: &str| json!([{"name": "A", "value": value}]);
    refused(
        sandbox.apply(&deployment("typo", env("${database.pasword}"), json!({}))),
        &[
            "denied by self-service/claim-outputs: spec.template.spec.containers[shop].env[A].value",
            "the claim `database` hands back no `pasword`",
            "`database.password`",
        ],
    );
    let said = sandbox.apply(&deployment("stranger", env("${databse.url}"), json!({})));
    assert!(said.fine, "{}", said.err);
    let told = said.err;
    assert!(told.contains("there is no PlatformClaim `databse` in the namespace"), "{told}");
    assert!(told.contains("`database`"), "{told}");
    let stray = object("v1", "Pod", "stray", NAMESPACE, json!({"spec": pod(env("${databse.url}"))}));
    refused(
        sandbox.apply(&stray),
        &["there is no PlatformClaim `databse` in the namespace", "must be one of `database`"],
    );
}

/// A real server, the Secret as CloudNativePG writes it, and the test in the kubelet's place.
fn an_application_connects_with_what_it_was_given(sandbox: &Sandbox) {
    let password = "it-is-a-test";
    let server = match postgres::Postgres::start(password) {
        Ok(server) => server,
        Err(why) => {
            println!("skipped: {why}");
            return;
        }
    };
    let port = server.port().to_string();
    let keys = json!({
        "uri": format!("postgresql://wayguard:{password}@127.0.0.1:{port}/postgres"),
        "host": "127.0.0.1", "port": port, "username": "wayguard", "password": password,
    });
    sandbox.apply(&object("v1", "Secret", "database-app", NAMESPACE, json!({"stringData": keys}))).accepted();
    let env = json!([
        {"name": "DATABASE_URL", "value": "${database.connection_string}"},
        {"name": "DSN", "value": "host=${database.host} port=${database.port} user=${database.username} password=${database.password} dbname=postgres"},
    ]);
    sandbox.apply(&object("v1", "Pod", "client", NAMESPACE, json!({"spec": pod(env)}))).accepted();
    let made = sandbox.get("pod", "client", NAMESPACE)["spec"]["containers"][0]["env"].clone();
    let given = environment(sandbox, &made);
    for name in ["DATABASE_URL", "DSN"] {
        let ran = std::process::Command::new("psql")
            .args([&given[name], "-X", "-At", "-c", "select 'connected as ' || current_user"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(text.trim(), "connected as wayguard", "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    // What was given is in no log of ours.
    for process in ["serve", "control", "provisioning"] {
        assert!(!sandbox.log(process).contains(password), "{process} has logged it");
    }
}

/// A container's environment as the kubelet makes it: values out of Secrets, `$(NAME)` by what stands before.
fn environment(sandbox: &Sandbox, env: &Value) -> BTreeMap<String, String> {
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for variable in env.as_array().unwrap() {
        let name = variable["name"].as_str().unwrap().to_owned();
        let from = &variable["valueFrom"]["secretKeyRef"];
        let value = match from["name"].as_str() {
            Some(secret) => {
                let data = sandbox.get("secret", secret, NAMESPACE)["data"].clone();
                let text = data[from["key"].as_str().unwrap()].as_str().unwrap().to_owned();
                let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
                String::from_utf8(bytes).unwrap()
            }
            None => {
                made.iter().fold(variable["value"].as_str().unwrap().to_owned(), |text, (name, value)| {
                    text.replace(&format!("$({name})"), value)
                })
            }
        };
        made.insert(name, value);
    }
    made
}

fn a_namespace_that_holds_data_is_not_deleted_by_accident(sandbox: &Sandbox) {
    let delete = ["delete", "namespace", NAMESPACE, "--wait=false"];
    refused(
        sandbox.kubectl(&delete, ""),
        &[
            "denied by self-service/namespace-deletion",
            "the namespace holds data that outlives its claims: postgresql `database`, postgresql `ledger`",
            "wayguard.io/allow-deletion=true",
        ],
    );
    sandbox.kubectl(&["annotate", "namespace", NAMESPACE, "wayguard.io/allow-deletion=true"], "").accepted();
    sandbox.kubectl(&delete, "").accepted();
}

fn nobody_agrees_with_themselves(sandbox: &Sandbox) {
    apply_as(sandbox, "jane", "team-alpha", &claim("ledger", database("large"))).accepted();
    let status = || sandbox.get("platformclaim", "ledger", NAMESPACE)["status"].clone();
    eventually("it waits", || status()["phase"] == "PendingApproval");
    let hash = status()["specHash"].as_str().unwrap().to_owned();
    let role = json!({"rules": [{"apiGroups": ["wayguard.io"], "resources": ["claimapprovals"], "verbs": ["create", "get", "patch"]}]});
    sandbox.apply(&object("rbac.authorization.k8s.io/v1", "Role", "agree", NAMESPACE, role)).accepted();
    let binding = json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "agree"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "platform-dba"}],
    });
    sandbox
        .apply(&object("rbac.authorization.k8s.io/v1", "RoleBinding", "agree", NAMESPACE, binding))
        .accepted();
    let other = format!("sha256:{}", "0".repeat(64));
    let approval = |hash: &str, group: &str| {
        object(
            "wayguard.io/v1alpha1",
            "ClaimApproval",
            "ledger-large",
            NAMESPACE,
            json!({
                "spec": {"claim": "ledger", "specHash": hash, "group": group},
            }),
        )
    };
    eventually("RBAC has heard of it", || {
        let said = apply_as(sandbox, "jane", "platform-dba", &approval(&hash, "platform-dba"));
        said.refused()
            .contains("ClaimApproval `ledger-large`: jane asked for it, and cannot agree to it as well")
    });
    refused(
        apply_as(sandbox, "dora", "platform-dba", &approval(&hash, "finance")),
        &["spec.group is `finance`, to which dora does not belong"],
    );
    refused(
        apply_as(sandbox, "dora", "platform-dba", &approval(&other, "platform-dba")),
        &[&format!("must be `{hash}`, as the claim is now")],
    );
    apply_as(sandbox, "dora", "platform-dba", &approval(&hash, "platform-dba")).accepted();
    eventually("it is made", || {
        sandbox.kubectl(&["get", "clusters.postgresql.cnpg.io", "ledger", "-n", NAMESPACE], "").fine
    });
}

fn glass_is_broken_loudly_and_by_whom_may(sandbox: &Sandbox) {
    let claim = object(
        "wayguard.io/v1alpha1",
        "PlatformClaim",
        "urgent",
        NAMESPACE,
        json!({"metadata": {"annotations": {"wayguard.io/break-glass": "the ledger is down"}}, "spec": database("large")}),
    );
    refused(
        apply_as(sandbox, "jane", "team-alpha", &claim),
        &["jane may not `use` `breakglass.wayguard.io` of the name `postgresql-default`"],
    );
    let role =
        json!({"rules": [{"apiGroups": ["wayguard.io"], "resources": ["breakglass"], "verbs": ["use"]}]});
    sandbox.apply(&object("rbac.authorization.k8s.io/v1", "Role", "fire", NAMESPACE, role)).accepted();
    let binding = json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "fire"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team-alpha"}],
    });
    sandbox
        .apply(&object("rbac.authorization.k8s.io/v1", "RoleBinding", "fire", NAMESPACE, binding))
        .accepted();
    eventually("who may does", || apply_as(sandbox, "jane", "team-alpha", &claim).fine);
    eventually("it is made at once", || {
        sandbox.kubectl(&["get", "clusters.postgresql.cnpg.io", "urgent", "-n", NAMESPACE], "").fine
    });
    let words = "jane broke the glass, nobody has agreed: the ledger is down";
    eventually("and everybody is told", || {
        let status = sandbox.get("platformclaim", "urgent", NAMESPACE)["status"].to_string();
        let events = sandbox.kubectl(&["get", "events", "-n", NAMESPACE, "-o", "json"], "").accepted();
        status.contains(words) && events.contains(words) && events.contains("BreakGlass")
    });
}

fn a_protected_claim_is_not_deleted(sandbox: &Sandbox) {
    let annotate = |value: &str| {
        sandbox.kubectl(&["annotate", "platformclaim", "urgent", "-n", NAMESPACE, value], "").accepted();
    };
    annotate("wayguard.io/protected=true");
    let delete = ["delete", "platformclaim", "urgent", "-n", NAMESPACE];
    refused(sandbox.kubectl(&delete, ""), &["wayguard-protected-claims", "the claim is protected"]);
    annotate("wayguard.io/protected-");
    sandbox.kubectl(&delete, "").accepted();
}

fn the_accounts_of_classes_are_held_by_the_api_server(sandbox: &Sandbox) {
    // As if our process and RBAC had both been taken over.
    let account = "system:serviceaccount:wayguard-system:wayguard-class-postgresql";
    let everything = json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "wayguard-class-postgresql", "namespace": "wayguard-system"}],
    });
    sandbox
        .apply(&object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "taken-over", "", everything))
        .accepted();
    let marked = json!({"labels": {"wayguard.io/trigger": "u"}});
    let tries = [
        (
            object("v1", "Secret", "s", NAMESPACE, json!({"metadata": marked})),
            "write no Secrets, Pods or Namespaces",
        ),
        (
            object("v1", "ConfigMap", "c", "kube-system", json!({"metadata": marked})),
            "write only in namespaces of teams",
        ),
        (
            object("v1", "ConfigMap", "c", "wayguard-system", json!({"metadata": marked})),
            "write only in namespaces of teams",
        ),
        (
            object("v1", "ConfigMap", "c", NAMESPACE, json!({})),
            "write only what bears the label wayguard.io/trigger",
        ),
        (
            object("rbac.authorization.k8s.io/v1", "ClusterRole", "c", "", json!({"metadata": marked})),
            "write only in namespaces of teams",
        ),
        (
            object(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "c",
                NAMESPACE,
                json!({
                    "metadata": marked,
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                }),
            ),
            "bind neither admin nor cluster-admin",
        ),
    ];
    eventually("RBAC has heard of it", || {
        let may = ["auth", "can-i", "create", "secrets", "-n", NAMESPACE];
        sandbox.kubectl_as(account, &may, "").fine
    });
    for (text, words) in tries {
        refused(
            sandbox.kubectl_as(account, &["create", "-f", "-"], &text),
            &["wayguard-class-accounts", words],
        );
    }
    let token = ["create", "token", "default", "-n", NAMESPACE, "--duration", "10m"];
    refused(sandbox.kubectl_as(account, &token, ""), &["write no subresources"]);
    let fine = object("v1", "ConfigMap", "c", NAMESPACE, json!({"metadata": marked}));
    sandbox.kubectl_as(account, &["create", "-f", "-"], &fine).accepted();
}
