//! SLSA provenance, versions 0.2 and 1: who built, from which source.
//!
//! The builder is who signed the statement's content; everything else is what the builder says.

use crate::scan::field::{items, text, time};
use crate::verify::Verified;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

const V0_2: &str = "https://slsa.dev/provenance/v0.2";
const V1: &str = "https://slsa.dev/provenance/v1";

/// Who built an image, and from what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// `v0.2` or `v1`.
    pub version: String,
    /// The builder's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// How it was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_type: Option<String>,
    /// From which source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<BuildSource>,
    /// The run that built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<String>,
    /// When that run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The authority that signed it.
    pub authority: String,
}

/// A source repository at a point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildSource {
    /// The repository, without `git+` before it and what follows an `@`.
    pub uri: String,
    /// Such as `refs/tags/v1`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// All provenance beside an image.
pub fn all(verified: &Verified) -> Vec<Provenance> {
    let one = |attestation: &crate::verify::Attestation| {
        read(&attestation.predicate_type, &attestation.predicate, &attestation.signer.authority)
    };
    verified.attestations.iter().filter_map(one).collect()
}

/// Reads a predicate; none where it is no provenance of a version that is known.
pub fn read(predicate_type: &str, predicate: &Value, authority: &str) -> Option<Provenance> {
    let mut out = match predicate_type {
        V0_2 => version_0_2(predicate),
        V1 => version_1(predicate),
        _ => return None,
    };
    authority.clone_into(&mut out.authority);
    Some(out)
}

fn version_0_2(predicate: &Value) -> Provenance {
    let source = text(predicate, "/invocation/configSource/uri").map(|uri| BuildSource {
        commit: commit(predicate, "/invocation/configSource/digest"),
        ..source(&uri)
    });
    Provenance {
        version: "v0.2".to_owned(),
        builder: text(predicate, "/builder/id"),
        build_type: text(predicate, "/buildType"),
        source,
        invocation: text(predicate, "/metadata/buildInvocationId")
            .or_else(|| text(predicate, "/metadata/buildInvocationID")),
        started_at: time(predicate, "/metadata/buildStartedOn"),
        finished_at: time(predicate, "/metadata/buildFinishedOn"),
        authority: String::new(),
    }
}

fn version_1(predicate: &Value) -> Provenance {
    let dependencies = || items(predicate, "/buildDefinition/resolvedDependencies");
    let repository = text(predicate, "/buildDefinition/externalParameters/workflow/repository")
        .or_else(|| text(predicate, "/buildDefinition/externalParameters/source/uri"))
        .or_else(|| text(predicate, "/buildDefinition/externalParameters/source"))
        .or_else(|| dependencies().find_map(|one| text(one, "/uri").filter(|uri| uri.starts_with("git+"))));
    let source = repository.map(|uri| {
        let named = source(&uri);
        let same = |one: &&Value| text(one, "/uri").is_some_and(|uri| source(&uri).uri == named.uri);
        let resolved = dependencies().find(same);
        BuildSource {
            reference: text(predicate, "/buildDefinition/externalParameters/workflow/ref")
                .or(named.reference)
                .or_else(|| source(&text(resolved?, "/uri")?).reference),
            commit: resolved.and_then(|one| commit(one, "/digest")),
            uri: named.uri,
        }
    });
    Provenance {
        version: "v1".to_owned(),
        builder: text(predicate, "/runDetails/builder/id"),
        build_type: text(predicate, "/buildDefinition/buildType"),
        source,
        invocation: text(predicate, "/runDetails/metadata/invocationId"),
        started_at: time(predicate, "/runDetails/metadata/startedOn"),
        finished_at: time(predicate, "/runDetails/metadata/finishedOn"),
        authority: String::new(),
    }
}

/// `git+https://host/team/app@refs/heads/main`, taken apart at the first `@` of its path; the one before a host
/// (`ssh://git@host/…`) is part of the name.
fn source(uri: &str) -> BuildSource {
    let bare = uri.strip_prefix("git+").unwrap_or(uri);
    let taken_apart = || {
        let (scheme, rest) = bare.split_once("://")?;
        let (host, path) = rest.split_once('/')?;
        let (path, reference) = path.split_once('@')?;
        Some((format!("{scheme}://{host}/{path}"), reference.to_owned()))
    };
    let (uri, reference) = taken_apart().map_or_else(|| (bare.to_owned(), None), |(uri, at)| (uri, Some(at)));
    BuildSource { uri: uri.strip_suffix(".git").unwrap_or(&uri).to_owned(), reference, commit: None }
}

fn commit(value: &Value, digests: &str) -> Option<String> {
    ["gitCommit", "sha1"].into_iter().find_map(|kind| text(value, &format!("{digests}/{kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_versions_say_builder_and_source() {
        let one = read(
            V1,
            &json!({
                "buildDefinition": {
                    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                    "externalParameters": {"workflow": {"ref": "refs/tags/v1", "repository": "https://github.com/team/app"}},
                    "resolvedDependencies": [
                        {"uri": "git+https://github.com/team/app@refs/tags/v1", "digest": {"gitCommit": "abc"}},
                    ],
                },
                "runDetails": {
                    "builder": {"id": "https://github.com/actions/runner/github-hosted"},
                    "metadata": {"invocationId": "https://github.com/team/app/actions/runs/1"},
                },
            }),
            "github",
        )
        .unwrap();
        let source = BuildSource {
            uri: "https://github.com/team/app".to_owned(),
            reference: Some("refs/tags/v1".to_owned()),
            commit: Some("abc".to_owned()),
        };
        assert_eq!(one.source, Some(source.clone()));
        assert_eq!(one.builder.as_deref(), Some("https://github.com/actions/runner/github-hosted"));
        let older = read(
            V0_2,
            &json!({
                "builder": {"id": "https://ci"}, "buildType": "t",
                "invocation": {"configSource": {"uri": "git+https://github.com/team/app.git@refs/tags/v1", "digest": {"sha1": "abc"}}},
                "metadata": {"buildFinishedOn": "2026-11-22T12:00:00Z"},
            }),
            "ci",
        )
        .unwrap();
        assert_eq!(older.source.unwrap().commit, source.commit);
        assert!(older.finished_at.is_some());
        assert_eq!(read("https://slsa.dev/provenance/v2", &json!({}), "a"), None);
        assert_eq!(read(V1, &json!({}), "a").unwrap().builder, None);
    }

    #[test]
    fn sources_are_taken_apart_only_where_they_can_be() {
        for (uri, name, reference) in [
            ("git+https://h/t/a@refs/heads/main", "https://h/t/a", Some("refs/heads/main")),
            ("https://h/t/a.git", "https://h/t/a", None),
            ("git@h:t/a", "git@h:t/a", None),
            ("git+ssh://git@h/t/a", "ssh://git@h/t/a", None),
            ("git+https://h/t/a@refs/heads/a@b", "https://h/t/a", Some("refs/heads/a@b")),
        ] {
            let found = source(uri);
            assert_eq!((found.uri.as_str(), found.reference.as_deref()), (name, reference), "{uri}");
        }
    }
}
