//! Label selectors (`meta/v1` LabelSelector) against a labels object.

use super::spec::{LabelSelector, SelectorOperator};
use crate::value::Value;

/// Whether `labels` (an object of strings, or `null`) satisfy the selector; an empty selector matches all.
pub fn selects(selector: &LabelSelector, labels: Value<'_>) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    selector.match_labels.iter().all(|(key, value)| label(key) == Some(value))
        && selector.match_expressions.iter().all(|requirement| {
            let found = label(&requirement.key);
            let listed = || found.is_some_and(|found| requirement.values.iter().any(|value| value == found));
            match requirement.operator {
                SelectorOperator::In => listed(),
                // As in apimachinery: a label that is absent is "not in" any list.
                SelectorOperator::NotIn => !listed(),
                SelectorOperator::Exists => found.is_some(),
                SelectorOperator::DoesNotExist => found.is_none(),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bumpalo::Bump;

    #[test]
    fn as_apimachinery_does() {
        let bump = Bump::new();
        let labels = crate::value::parse_json(&&bump, br#"{"env":"prod","team":"a"}"#).unwrap();
        let fits = |text: &str| selects(&serde_json::from_str(text).unwrap(), labels);
        assert!(fits("{}"));
        assert!(fits(r#"{"matchLabels":{"env":"prod"}}"#));
        assert!(!fits(r#"{"matchLabels":{"env":"prod","x":"y"}}"#));
        assert!(fits(r#"{"matchExpressions":[{"key":"env","operator":"In","values":["dev","prod"]}]}"#));
        assert!(fits(r#"{"matchExpressions":[{"key":"x","operator":"NotIn","values":["y"]}]}"#));
        assert!(!fits(r#"{"matchExpressions":[{"key":"env","operator":"DoesNotExist"}]}"#));
        assert!(!selects(&serde_json::from_str(r#"{"matchLabels":{"a":"b"}}"#).unwrap(), Value::Null));
    }
}
