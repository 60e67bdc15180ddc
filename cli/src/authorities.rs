//! Who may sign, as the command line says it: public keys, or files with ImageAuthority and TrustRoot objects.

use crate::excerpt;
use crate::exit::Failure;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};
use wayguard_engine::value::parse_yaml;
use wayguard_images::authority::{ImageAuthorities, ImageAuthority, ImageAuthoritySpec, Roots};
use wayguard_images::trust::{TextReference, Texts, TrustRoot, TrustRootSpec};

/// The group of our kinds.
const GROUP: &str = "wayguard.io/";

/// Files that say who may sign.
#[derive(Debug, Default)]
pub(crate) struct Authorities {
    roots: Vec<(String, TrustRootSpec, PathBuf)>,
    authorities: Vec<(String, ImageAuthoritySpec, PathBuf)>,
}

/// Texts in files beside the document that names them.
struct Beside<'p>(&'p Path);

impl Texts for Beside<'_> {
    fn text(&self, reference: &TextReference) -> Result<String, String> {
        let TextReference::File(path) = reference else {
            return Err("ConfigMaps and Secrets are read in a cluster; name a `file` here".to_owned());
        };
        let path = self.0.parent().unwrap_or(Path::new("")).join(path);
        std::fs::read_to_string(&path).map_err(|error| crate::exit::io_reason(&error))
    }
}

impl Authorities {
    /// Reads a file's objects; others than ImageAuthority and TrustRoot are not looked at.
    ///
    /// # Errors
    /// If it is no YAML, or an object of these kinds cannot be read.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
        let shown = path.display().to_string();
        let arena = bumpalo::Bump::new();
        let documents = parse_yaml(&&arena, &text)
            .map_err(|error| Failure::Invalid(excerpt::not_yaml(&shown, &text, &error).to_string()))?;
        let before = self.roots.len() + self.authorities.len();
        for document in documents {
            let object = document.value.to_serde();
            let is_ours =
                object.get("apiVersion").and_then(Value::as_str).is_some_and(|it| it.starts_with(GROUP));
            let name =
                object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            match object.get("kind").and_then(Value::as_str) {
                Some("TrustRoot") if is_ours => {
                    self.roots.push((
                        name.clone(),
                        spec(&object, &shown, "TrustRoot", &name)?,
                        path.to_owned(),
                    ));
                }
                Some("ImageAuthority") if is_ours => {
                    let spec = spec(&object, &shown, "ImageAuthority", &name)?;
                    self.authorities.push((name, spec, path.to_owned()));
                }
                _ => {}
            }
        }
        if self.roots.len() + self.authorities.len() == before {
            return Err(Failure::Invalid(format!(
                "`{shown}` holds no ImageAuthority or TrustRoot of `wayguard.io`"
            )));
        }
        Ok(())
    }

    /// Adds one that is not in a file.
    pub(crate) fn push(&mut self, name: &str, spec: ImageAuthoritySpec) {
        self.authorities.push((name.to_owned(), spec, PathBuf::new()));
    }

    /// Adds a trust root that is not in a file.
    pub(crate) fn root(&mut self, name: &str, spec: TrustRootSpec) {
        self.roots.push((name.to_owned(), spec, PathBuf::new()));
    }

    /// All of them, ready to verify by.
    ///
    /// # Errors
    /// If one cannot be used: where, and why.
    pub(crate) fn compile(&self) -> Result<ImageAuthorities, Failure> {
        let mut roots = Roots::default();
        for (name, spec, path) in &self.roots {
            roots.put(name, TrustRoot::from_spec(name, spec, &Beside(path)));
        }
        let compiled = self.authorities.iter().map(|(name, spec, path)| {
            ImageAuthority::compile(name, spec, &roots, &Beside(path)).map_err(|problem| {
                let place =
                    if path.as_os_str().is_empty() { String::new() } else { format!("{}: ", path.display()) };
                Failure::Invalid(format!("{place}ImageAuthority `{name}`: {problem}"))
            })
        });
        Ok(ImageAuthorities::new(compiled.collect::<Result<Vec<_>, _>>()?))
    }
}

fn spec<T: DeserializeOwned>(object: &Value, file: &str, kind: &str, name: &str) -> Result<T, Failure> {
    let spec = object.get("spec").cloned().unwrap_or_default();
    serde_json::from_value(spec)
        .map_err(|problem| Failure::Invalid(format!("{file}: {kind} `{name}`: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ImageAuthorities, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authority.yaml");
        std::fs::write(&path, text).unwrap();
        let mut authorities = Authorities::default();
        authorities.add(&path)?;
        authorities.compile()
    }

    #[test]
    fn what_cannot_be_used_says_where_and_why() {
        let cases = [
            ("kind: ConfigMap\napiVersion: v1\n", "holds no ImageAuthority or TrustRoot"),
            (
                "apiVersion: wayguard.io/v1alpha1\nkind: ImageAuthority\nmetadata: {name: a}\nspec: {images: [x.io], authorites: []}\n",
                "ImageAuthority `a`: unknown field `authorites`",
            ),
            (
                "apiVersion: wayguard.io/v1alpha1\nkind: ImageAuthority\nmetadata: {name: a}\nspec:\n  images: [x.io]\n  authorities: [{name: k, keys: [{file: gone.pub}]}]\n",
                "no such file or directory",
            ),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
