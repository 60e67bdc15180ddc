//! What is trusted, of objects and texts and of what was trusted before: a pure function.

use super::objects::{Authority, Root};
use crate::policies::ItemReport;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_images::authority::{ImageAuthorities, ImageAuthority, Roots};
use wayguard_images::trust::{RootProblem, Texts, TrustRoot};

/// Who may sign images, made of whole lists; and what is to be told about each object.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// Every ImageAuthority, those among them that let nothing in because they cannot be used.
    pub authorities: ImageAuthorities,
    /// The ImageAuthority objects.
    pub authorities_told: Vec<ItemReport>,
    /// The TrustRoot objects.
    pub roots_told: Vec<ItemReport>,
}

impl PartialEq for Trusted {
    /// What decides alike and is told alike.
    fn eq(&self, other: &Self) -> bool {
        let contents = |it: &Self| -> Vec<_> { it.authorities.iter().map(|each| each.content()).collect() };
        contents(self) == contents(other)
            && self.authorities_told == other.authorities_told
            && self.roots_told == other.roots_told
    }
}

/// What was good last, by name.
#[derive(Debug, Default)]
pub(super) struct Memory {
    authorities: BTreeMap<String, ImageAuthority>,
    roots: BTreeMap<String, Arc<TrustRoot>>,
}

/// Told of what is kept.
const STAYS: &str = "what it said before stays in force";
/// Told of what is not.
const SEALED: &str = "no image of which it speaks is let in until it is mended";
/// Told of a root that is not kept.
const GONE: &str = "no ImageAuthority can use it until it is mended";

pub(super) fn compile(
    authorities: &[Arc<Authority>],
    roots: &[Arc<Root>],
    texts: &dyn Texts,
    memory: &mut Memory,
) -> Trusted {
    let (known, roots_told) = read_roots(roots, texts, memory);
    memory.authorities.retain(|name, _| authorities.iter().any(|it| it.object.name == *name));
    let mut made = Vec::with_capacity(authorities.len());
    let mut authorities_told = Vec::with_capacity(authorities.len());
    for Authority { object, images } in authorities.iter().map(|it| &**it) {
        let name = &object.name;
        // What cannot be read at all is a slip of the pen, or of an older schema.
        let compiled = match &object.spec {
            Err(error) => Err((error.to_string(), false)),
            Ok(spec) => ImageAuthority::compile(name, spec, &known, texts)
                .map_err(|problem| (problem.to_string(), problem.is_withdrawal())),
        };
        let (authority, error) = match compiled {
            Ok(authority) => {
                memory.authorities.insert(name.clone(), authority.clone());
                (authority, None)
            }
            Err((problem, withdrawn)) => {
                if withdrawn {
                    memory.authorities.remove(name);
                }
                match memory.authorities.get(name) {
                    Some(before) => (before.clone(), Some(format!("{problem}; {STAYS}"))),
                    None => {
                        (ImageAuthority::sealed(name, images, &problem), Some(format!("{problem}; {SEALED}")))
                    }
                }
            }
        };
        made.push(authority);
        authorities_told.push(item(name, object.generation, error));
    }
    Trusted { authorities: ImageAuthorities::new(made), authorities_told, roots_told }
}

fn read_roots(roots: &[Arc<Root>], texts: &dyn Texts, memory: &mut Memory) -> (Roots, Vec<ItemReport>) {
    memory.roots.retain(|name, _| roots.iter().any(|it| it.name == *name));
    let (mut known, mut told) = (Roots::default(), Vec::with_capacity(roots.len()));
    for root in roots {
        let name = &root.name;
        let read = match &root.spec {
            Err(error) => Err(RootProblem::Malformed(error.to_string())),
            Ok(spec) => TrustRoot::from_spec(name, spec, texts),
        };
        if matches!(read, Err(RootProblem::Text { .. })) {
            memory.roots.remove(name);
        }
        let error = match (&read, memory.roots.get(name)) {
            (Ok(_), _) => None,
            (Err(problem), Some(before)) => {
                known.keep(name, Arc::clone(before));
                Some(format!("{problem}; {STAYS}"))
            }
            (Err(problem), None) => Some(format!("{problem}; {GONE}")),
        };
        told.push(item(name, root.generation, error));
        if known.good(name).is_none() {
            known.put(name, read);
        }
        memory.roots.extend(known.good(name).map(|root| (name.clone(), root)));
    }
    (known, told)
}

fn item(name: &str, generation: i64, error: Option<String>) -> ItemReport {
    let errors: Vec<String> = error.into_iter().collect();
    ItemReport { name: name.to_owned(), generation, loaded: errors.is_empty(), errors }
}
