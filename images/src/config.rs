//! An image's own words about itself: platforms, age, size, how it runs (OCI image specification, `config.md`).

use crate::facts::{ImageConfig, RunConfig};
use crate::registry::manifest::{Content, Manifest, Platform};
use crate::registry::{Problem, RegistryError, Repository, Source};
use bytes::Bytes;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most platforms of an index that are looked at; of one with more only their names are known.
const MOST_PLATFORMS: usize = 8;

/// A configuration as it is stored; only what is read here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    created: Option<Timestamp>,
    architecture: String,
    os: String,
    variant: Option<String>,
    config: Option<Run>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Run {
    labels: Option<BTreeMap<String, String>>,
    user: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    env: Option<Vec<String>>,
}

/// One platform's image.
struct One {
    stored: Stored,
    annotations: BTreeMap<String, String>,
    size: u64,
}

/// What an image says of itself; `None`: it is no image but another artifact, or its configuration is not there.
///
/// # Errors
/// If the registry could not be asked.
pub async fn image_config(
    source: &dyn Source,
    of: &Repository,
    content: &Content,
) -> Result<Option<ImageConfig>, RegistryError> {
    match content {
        Content::Image(manifest) => Ok(one(source, of, manifest).await?.map(|one| merged(vec![one]))),
        Content::Index(index) => {
            // Builders put attestations into the index as images of no platform.
            let images: Vec<_> = index
                .manifests
                .iter()
                .filter(|each| each.platform.as_ref().is_none_or(|platform| platform.os != "unknown"))
                .collect();
            if images.len() > MOST_PLATFORMS {
                let named = images.iter().filter_map(|each| each.platform.as_ref().map(shown)).collect();
                return Ok(Some(ImageConfig { platforms: named, ..ImageConfig::default() }));
            }
            let all = images.iter().map(|each| member(source, of, each.digest.to_string()));
            let all: Vec<One> = try_join_all(all).await?.into_iter().flatten().collect();
            Ok((!all.is_empty()).then(|| merged(all)))
        }
    }
}

async fn member(source: &dyn Source, of: &Repository, asked: String) -> Result<Option<One>, RegistryError> {
    let Some(fetched) = source.manifest(of, &asked).await? else { return Ok(None) };
    match Content::read(&fetched.bytes) {
        Ok(Content::Image(manifest)) => one(source, of, &manifest).await,
        Ok(Content::Index(_)) => Ok(None),
        Err(reason) => {
            let what = format!("`{of}@{asked}`");
            Err(RegistryError::new(of.registry(), Problem::Malformed { what, reason }))
        }
    }
}

async fn one(
    source: &dyn Source,
    of: &Repository,
    manifest: &Manifest,
) -> Result<Option<One>, RegistryError> {
    let Some(bytes) = source.blob(of, manifest.config.digest).await? else { return Ok(None) };
    let Some(stored) = read(&bytes) else { return Ok(None) };
    let size = manifest.layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    Ok(Some(One { stored, annotations: manifest.annotations.clone(), size }))
}

/// What cannot be read is another artifact's.
fn read(bytes: &Bytes) -> Option<Stored> {
    serde_json::from_slice(bytes).ok()
}

fn shown(platform: &Platform) -> String {
    let base = format!("{}/{}", platform.os, platform.architecture);
    platform.variant.as_ref().map_or_else(|| base.clone(), |variant| format!("{base}/{variant}"))
}

fn merged(all: Vec<One>) -> ImageConfig {
    let platforms = all.iter().filter(|one| !one.stored.os.is_empty()).map(|one| {
        let Stored { architecture, os, variant, .. } = &one.stored;
        shown(&Platform { architecture: architecture.clone(), os: os.clone(), variant: variant.clone() })
    });
    let platforms = platforms.collect();
    let created = all.iter().filter_map(|one| one.stored.created).min();
    let size = all.iter().map(|one| one.size).max();
    let config =
        all.into_iter().next().map(|one| run(one.stored.config.unwrap_or_default(), one.annotations));
    ImageConfig { platforms, created, size, config: config.unwrap_or_default() }
}

fn run(stored: Run, annotations: BTreeMap<String, String>) -> RunConfig {
    // Values of environment variables are somebody's secrets.
    let name = |variable: String| variable.split('=').next().unwrap_or_default().to_owned();
    RunConfig {
        labels: stored.labels.unwrap_or_default(),
        annotations,
        user: stored.user.filter(|user| !user.is_empty()),
        entrypoint: stored.entrypoint.unwrap_or_default(),
        cmd: stored.cmd.unwrap_or_default(),
        working_dir: stored.working_dir.filter(|folder| !folder.is_empty()),
        exposed_ports: stored.exposed_ports.unwrap_or_default().into_keys().collect(),
        environment: stored.env.unwrap_or_default().into_iter().map(name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_platforms_are_one_image() {
        let one = |text: &str, size| One {
            stored: read(&Bytes::copy_from_slice(text.as_bytes())).unwrap(),
            annotations: BTreeMap::new(),
            size,
        };
        let merged = merged(vec![
            one(
                r#"{"created":"2026-02-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"1000","Env":["PATH=/bin","TOKEN=s3cret"],"ExposedPorts":{"80/tcp":{}},"Labels":null}}"#,
                10,
            ),
            one(r#"{"created":"2026-01-01T00:00:00Z","architecture":"arm","os":"linux","variant":"v7"}"#, 20),
        ]);
        assert_eq!(merged.platforms, ["linux/amd64", "linux/arm/v7"]);
        assert_eq!(merged.created.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!((merged.size, merged.config.user.as_deref()), (Some(20), Some("1000")));
        assert_eq!(merged.config.environment, ["PATH", "TOKEN"]);
        assert_eq!(merged.config.exposed_ports, ["80/tcp"]);
    }

    #[test]
    fn what_is_no_configuration_says_nothing() {
        assert!(read(&Bytes::from_static(b"layer")).is_none());
        assert!(read(&Bytes::from_static(b"{}")).is_some());
    }
}
