//! Whether an approval counts: it is by somebody of the group whose word is needed, and not by whoever asked.

use crate::plan::{APPROVER_ANNOTATION, REQUESTER_ANNOTATION, written};
use serde_json::Value;

/// Why an approval of a claim does not count, whatever it agrees to. Who asked and who agreed is what the webhook has
/// written down; an approval that it has not seen counts for nothing.
pub(crate) fn problem(claim: &Value, approval: &Value) -> Option<String> {
    let Some(approver) = written(approval, APPROVER_ANNOTATION) else {
        return Some(format!(
            "nobody knows who agreed: metadata.annotations[{APPROVER_ANNOTATION}] is missing; it is written when the approval is applied while the webhook works"
        ));
    };
    let user = |who: &Value| who.get("user").and_then(Value::as_str).map(str::to_owned);
    if let Some(requester) = written(claim, REQUESTER_ANNOTATION)
        && user(&requester) == user(&approver)
    {
        return Some(format!(
            "{} asked for it, and cannot agree to it as well; somebody else must",
            user(&approver).unwrap_or_default()
        ));
    }
    let group = approval.pointer("/spec/group").and_then(Value::as_str).unwrap_or_default();
    let groups = approver.get("groups").and_then(Value::as_array).into_iter().flatten();
    if groups.filter_map(Value::as_str).any(|it| it == group) {
        return None;
    }
    Some(format!(
        "spec.group is `{group}`, to which {} does not belong; must be a group of whoever agrees",
        user(&approver).unwrap_or_default()
    ))
}

/// Who breaks the glass for a claim, and why, in words: it is served though nobody has agreed. What the webhook has written
/// down, which lets only those do so who may.
pub(crate) fn broken_glass(claim: &Value) -> Option<String> {
    let requester = written(claim, REQUESTER_ANNOTATION)?;
    let reason = requester.get("breakGlass").and_then(Value::as_str).filter(|reason| !reason.is_empty())?;
    let user = requester.get("user").and_then(Value::as_str).unwrap_or_default();
    Some(format!("{user} broke the glass, nobody has agreed: {reason}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may end at once")]
    use super::*;
    use serde_json::json;

    fn by(annotation: &str, user: &str, groups: &[&str]) -> Value {
        let who = json!({"user": user, "groups": groups}).to_string();
        json!({"metadata": {"annotations": {annotation: who}}, "spec": {"group": "platform-dba"}})
    }

    fn said(claim: &Value, approval: &Value) -> String {
        problem(claim, approval).unwrap_or_default()
    }

    #[test]
    fn somebody_else_of_the_group_must_agree() {
        let claim = by(REQUESTER_ANNOTATION, "jane", &[]);
        assert_eq!(said(&claim, &by(APPROVER_ANNOTATION, "dora", &["dev", "platform-dba"])), "");
        assert!(
            said(&claim, &by(APPROVER_ANNOTATION, "jane", &["platform-dba"]))
                .starts_with("jane asked for it")
        );
        assert!(said(&claim, &by(APPROVER_ANNOTATION, "dora", &["dev"])).contains("dora does not belong"));
        assert!(
            said(&claim, &json!({"spec": {"group": "platform-dba"}})).starts_with("nobody knows who agreed")
        );
        let forged = json!({"metadata": {"annotations": {APPROVER_ANNOTATION: "dora"}}});
        assert!(said(&claim, &forged).starts_with("nobody knows"));
    }

    #[test]
    fn the_glass_is_broken_by_whom_the_webhook_has_seen() {
        let claim =
            |who: Value| json!({"metadata": {"annotations": {REQUESTER_ANNOTATION: who.to_string()}}});
        let broken = claim(json!({"user": "dora", "groups": [], "breakGlass": "the ledger is down"}));
        assert_eq!(
            broken_glass(&broken).as_deref(),
            Some("dora broke the glass, nobody has agreed: the ledger is down")
        );
        assert_eq!(broken_glass(&claim(json!({"user": "dora", "breakGlass": ""}))), None);
        assert_eq!(broken_glass(&claim(json!({"breakGlass": "x"}))), None);
        let alone = json!({"metadata": {"annotations": {"wayguard.io/break-glass": "x"}}});
        assert_eq!(broken_glass(&alone), None, "nobody has seen who it was");
    }

    #[test]
    fn a_claim_that_is_older_than_the_webhook_can_be_agreed_to() {
        assert_eq!(said(&json!({}), &by(APPROVER_ANNOTATION, "dora", &["platform-dba"])), "");
    }
}
