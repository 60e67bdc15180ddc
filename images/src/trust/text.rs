//! Where the text of a key or of a trust root is: written in place, or beside, in a ConfigMap, a Secret or a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One key of a ConfigMap or Secret in the suite's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectKey {
    /// The object's name; its namespace is the suite's own, so that nobody else's object is ever trusted.
    pub name: String,
    /// The key in its `data`, such as `cosign.pub`.
    pub key: String,
}

/// A text that is not written in place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextReference {
    /// In a ConfigMap of the suite's namespace.
    ConfigMap(ObjectKey),
    /// In a Secret of the suite's namespace (cosign keeps public keys beside private ones there).
    Secret(ObjectKey),
    /// In a file beside the document that names it; for the command line alone.
    File(String),
}

impl fmt::Display for TextReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigMap(object) => write!(out, "`{}` of ConfigMap `{}`", object.key, object.name),
            Self::Secret(object) => write!(out, "`{}` of Secret `{}`", object.key, object.name),
            Self::File(path) => write!(out, "file `{path}`"),
        }
    }
}

/// Who has the texts that are not written in place.
pub trait Texts {
    /// The text, or why there is none (for people, lower case, without a full stop).
    fn text(&self, reference: &TextReference) -> Result<String, String>;
}

/// Nothing but what is written in place.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTexts;

impl Texts for NoTexts {
    fn text(&self, _: &TextReference) -> Result<String, String> {
        Err("only what is written in place can be read here".to_owned())
    }
}
