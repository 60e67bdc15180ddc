//! What a person hands to `check`: files, folders and stdin, as Kubernetes objects with the line of every field.

mod answers;
mod files;
mod objects;
mod render;

pub(crate) use answers::Answers;
pub(crate) use files::{Given, TextFile, collect, is_manifest, shown, walk};
pub(crate) use objects::{FoundObject, Problem, objects};
pub(crate) use render::{Rendering, collect_rendered};
