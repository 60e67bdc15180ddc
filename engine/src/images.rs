//! Which images an object names: those that a node will pull for its Pods.

use crate::value::Value;
use std::collections::BTreeSet;

/// Where a Pod's spec is: in a Pod, in a workload's template, in a CronJob's, in a PodTemplate.
const SPECS: [&[&str]; 4] = [
    &["spec"],
    &["spec", "template", "spec"],
    &["spec", "jobTemplate", "spec", "template", "spec"],
    &["template", "spec"],
];

/// The lists of a Pod's spec whose members have an `image`.
pub(crate) const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Every image of a Pod or of a template, as it is written, each once: of containers of every kind, and of image
/// volumes (KEP-4639).
pub fn images_of(object: Value<'_>) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for spec in SPECS.iter().filter_map(|path| object.at(path)) {
        for list in CONTAINERS {
            found.extend(members(spec, list).filter_map(|container| container.get("image")?.as_str()));
        }
        found.extend(
            members(spec, "volumes").filter_map(|volume| volume.at(&["image", "reference"])?.as_str()),
        );
    }
    found
}

fn members<'a>(spec: Value<'a>, list: &str) -> impl Iterator<Item = Value<'a>> {
    spec.get(list).and_then(Value::as_array).unwrap_or_default().iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Document;

    fn images(json: &str) -> Vec<String> {
        let document = Document::from_json(json.as_bytes()).unwrap();
        images_of(document.value()).into_iter().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn every_image_is_found_once_wherever_the_pod_is() {
        let spec = r#"{"containers":[{"image":"a"},{"image":"a"},{}],"initContainers":[{"image":"b"}],
            "ephemeralContainers":[{"image":"c"}],"volumes":[{"image":{"reference":"d"}},{"emptyDir":{}}]}"#;
        for object in [
            format!(r#"{{"spec":{spec}}}"#),
            format!(r#"{{"spec":{{"template":{{"spec":{spec}}}}}}}"#),
            format!(r#"{{"spec":{{"jobTemplate":{{"spec":{{"template":{{"spec":{spec}}}}}}}}}}}"#),
            format!(r#"{{"template":{{"spec":{spec}}}}}"#),
        ] {
            assert_eq!(images(&object), ["a", "b", "c", "d"], "{object}");
        }
    }

    #[test]
    fn what_has_other_types_names_none() {
        for object in [
            "{}",
            "[]",
            r#"{"spec":{"containers":{"image":"a"}}}"#,
            r#"{"spec":{"containers":[{"image":1}]}}"#,
        ] {
            assert!(images(object).is_empty(), "{object}");
        }
    }
}
