//! Lists against an API server that is a function.

use super::*;
use crate::fake_api::{client, failure};
use serde_json::json;
use std::sync::Arc;

fn pods() -> ResourceKind {
    ResourceKind {
        group: String::new(),
        versions: vec!["v1".into()],
        plural: "pods".into(),
        kind: "Pod".into(),
        namespaced: true,
        verbs: ["list", "watch", "create"].map(str::to_owned).into(),
        subresources: BTreeSet::new(),
    }
}

fn page(names: &[&str], next: &str) -> (u16, String) {
    let items: Vec<_> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    let metadata = json!({"resourceVersion": "7", "continue": next, "remainingItemCount": 1});
    (200, json!({"metadata": metadata, "items": items}).to_string())
}

fn names(page: &Page) -> Vec<String> {
    let name = |item: &Value<'_>| item.get("metadata").unwrap_or_default().str_or_empty("name").to_owned();
    page.items().iter().map(name).collect()
}

#[tokio::test]
async fn lists_are_read_by_pages_to_their_end() {
    let (client, log) = client(|line, _| match line {
        line if line.contains("continue=more") => page(&["b"], ""),
        _ => page(&["a"], "more"),
    });
    let listing = Listing::new(&client, pods(), &Arc::new(Pace::new(1000, 10)));
    let mut pages = listing.pages("");
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!((names(&first), first.first, first.remaining), (vec!["a".to_owned()], true, 1));
    assert_eq!(names(&pages.next().await.unwrap().unwrap()), ["b"]);
    assert!(pages.next().await.unwrap().is_none());
    assert_eq!(pages.version(), "7");
    assert!(log.lock().unwrap().iter().all(|line| line.contains("limit=500")));
}

#[tokio::test]
async fn a_list_that_became_too_old_is_begun_anew() {
    let asked = std::sync::atomic::AtomicU32::new(0);
    let (client, _) = client(move |line, _| match line {
        line if line.contains("continue=more") => {
            if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                failure(410, "Expired", "the continue parameter is too old")
            } else {
                page(&["b"], "")
            }
        }
        _ => page(&["a"], "more"),
    });
    let listing = Listing::new(&client, pods(), &Arc::new(Pace::new(1000, 10)));
    let mut pages = listing.pages("");
    let mut read = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        read.push((names(&page).concat(), page.first));
    }
    assert_eq!(read, [("a".to_owned(), true), ("a".to_owned(), true), ("b".to_owned(), false)]);
}

#[tokio::test]
async fn what_may_not_be_listed_is_told_in_the_api_servers_words() {
    let (client, _) = client(|_, _| failure(403, "Forbidden", "pods is forbidden"));
    let listing = Listing::new(&client, pods(), &Arc::new(Pace::new(1000, 10)));
    let error = listing.pages("").next().await.err().unwrap();
    assert_eq!(error, ApiError::Forbidden("pods is forbidden".into()));
}

#[test]
fn a_budget_gives_a_burst_and_then_an_even_pace() {
    let pace = Pace::new(10, 3);
    let now = Instant::now();
    let waits: Vec<u128> = (0..5).map(|_| pace.take(now).as_millis()).collect();
    assert_eq!(waits, [0, 0, 0, 100, 200]);
}

#[test]
fn kinds_are_those_that_policies_judge_less_secrets_and_noise() {
    use crate::webhooks::samples;
    use wayguard_engine::PolicySetBuilder;
    use wayguard_engine::policy::library::Library;
    use wayguard_engine::policy::set::SetConfig;
    let mut resources = samples::cluster();
    let mut secrets = pods();
    secrets.plural = "secrets".into();
    resources.kinds.push(secrets);
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    let mut policy = |name: &str, groups: &str, resources: &str, operations: &str| {
        let rego = format!(
            "# METADATA\n# custom: {{remedy: R.}}\npackage {name}\n\ndeny contains \"no\" if input.review.object"
        );
        let rules = json!([{"apiGroups": [groups], "resources": [resources], "operations": [operations]}]);
        let spec = json!({"source": {"rego": rego}, "match": {"resourceRules": rules}});
        builder.policy(name, serde_json::from_value(spec).unwrap(), "test", None);
    };
    policy("pods", "", "pods", "CREATE");
    policy("secrets", "", "secrets", "*");
    policy("everything", "example.com", "*", "*");
    policy("reviews", "authentication.k8s.io", "tokenreviews", "CREATE");
    policy("exec", "", "pods/exec", "CONNECT");
    policy("elsewhere", "absent.example", "things", "CREATE");
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    let concerns = Concerns::of(&set, &resources);
    let kinds: Vec<_> = concerns
        .kinds
        .iter()
        .map(|(kind, policies)| {
            (kind.plural.as_str(), policies.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(kinds, [("pods", vec!["pods"]), ("widgets", vec!["everything"])]);
    let left_out: Vec<_> = concerns.left_out.iter().map(|(kind, why)| (kind.as_str(), &why[..20])).collect();
    assert_eq!(
        left_out,
        [("secrets", "Secrets are never re"), ("tokenreviews.authentication.k8s.io", "its objects cannot b")]
    );
    let idle: Vec<_> = concerns.idle.iter().map(|(policy, why)| (policy.as_str(), why.as_str())).collect();
    assert_eq!(
        idle,
        [
            ("elsewhere", "the cluster has none of the kinds that it judges"),
            ("exec", "it judges changes and connections, not new objects"),
        ]
    );
}
