//! Records to store.

use wayguard_history::{Change, DecisionRecord, FindingRecord};

/// A denial with three findings and a change.
pub(crate) fn denial(number: u64) -> DecisionRecord {
    let finding = |rule: &str| FindingRecord {
        policy: "images/latest-tag".into(),
        rule: rule.into(),
        severity: "medium".into(),
        effect: "deny".into(),
        path: "spec.containers[web].image".into(),
        message: format!("spec.containers[web].image is `web:latest` \"{number}\""),
        ..FindingRecord::default()
    };
    DecisionRecord {
        id: format!("{number:012x}"),
        uid: format!("uid-{number}"),
        at: jiff::Timestamp::from_second(1_800_000_000 + i64::try_from(number).unwrap()).unwrap(),
        cluster: "test".into(),
        replica: "serve-1".into(),
        stage: "validate".into(),
        operation: "CREATE".into(),
        kind: "Pod".into(),
        namespace: if number.is_multiple_of(2) { "team-a".into() } else { "team-b".into() },
        name: format!("web-{number}"),
        user: "ada".into(),
        verdict: "deny".into(),
        message: "denied by images/latest-tag".into(),
        set_digest: "abc".into(),
        policies: vec!["images/latest-tag".into(), "workload/limits".into()],
        findings: ["one", "two", "three"].map(finding).to_vec(),
        changes: vec![Change { operation: "add".into(), path: "/spec/x".into() }],
        ..DecisionRecord::default()
    }
}
