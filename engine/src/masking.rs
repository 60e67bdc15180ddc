//! What a finding may show: values from places where teams put secrets are never repeated, in no view of a
//! decision.

use crate::value::Pointer;

/// What stands for a value that is not shown.
pub const MASKED: &str = "(not shown)";

/// Whether the value at this place could be a secret: env values, args and commands, data of ConfigMaps and
/// Secrets, annotations (`last-applied-configuration` repeats the whole object), HTTP headers of probes.
pub fn is_private(kind: &str, path: &Pointer) -> bool {
    is_private_at(kind, path.segments())
}

/// As [`is_private`], by the segments of the path.
pub(crate) fn is_private_at(kind: &str, segments: &[String]) -> bool {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let within = |name: &str| segments.contains(&name);
    let data = matches!(kind, "Secret" | "ConfigMap")
        && matches!(segments.first(), None | Some(&("data" | "stringData" | "binaryData")));
    let env = segments.iter().position(|segment| *segment == "env").is_some_and(|at| {
        // `/env`, `/env/3` and `/env/3/value` hold the value; `/env/3/name` and `valueFrom` do not.
        !matches!(segments.get(at + 2), Some(&("name" | "valueFrom")))
    });
    // A finding about a whole container or spec would repeat its env.
    let container_whole = segments.last().is_some_and(|last| last.parse::<usize>().is_ok())
        && segments.len() >= 2
        && segments.get(segments.len() - 2).is_some_and(|list| list.ends_with("ontainers"));
    let spec_whole = matches!(
        segments.last(),
        None | Some(
            &("spec" | "template" | "containers" | "initContainers" | "ephemeralContainers" | "metadata")
        )
    );
    data || env
        || within("args")
        || within("command")
        || within("annotations")
        || within("httpHeaders")
        || container_whole
        || spec_whole
}

/// Shortens long texts and drops control characters, so that a found value cannot break a terminal or a log.
pub fn printable(text: &str, limit: usize) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(limit).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_places() {
        let private = |kind: &str, path: &str| is_private(kind, &Pointer::parse(path).unwrap());
        for path in [
            "/spec/containers/0/env/1/value",
            "/spec/containers/0/env/1",
            "/spec/containers/0/args/2",
            "/spec/template/spec/initContainers/0/command",
            "/spec/containers/0",
            "/spec",
            "",
            "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        ] {
            assert!(private("Pod", path), "{path}");
        }
        assert!(private("ConfigMap", "/data/config.yaml"));
        assert!(private("Secret", "/stringData/password"));
        for path in [
            "/spec/containers/0/image",
            "/spec/containers/0/env/1/name",
            "/spec/containers/0/env/1/valueFrom/secretKeyRef/name",
            "/spec/hostNetwork",
            "/metadata/labels/team",
        ] {
            assert!(!private("Pod", path), "{path}");
        }
    }

    #[test]
    fn control_characters_do_not_get_through() {
        assert_eq!(printable("a\u{1b}[31mb\n", 10), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}
