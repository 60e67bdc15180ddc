//! An `ImageAuthority` that can verify: patterns and keys parsed, expressions compiled, trust roots found.

use crate::authority::identity::Identity;
use crate::authority::problem::{AuthorityProblem, Problem};
use crate::authority::spec::{AuthoritySpec, ImageAuthoritySpec, KeySpec, KeylessSpec, RequireSpec, Wanted};
use crate::digest::Digest;
use crate::reference::{Reference, RepositoryPattern};
use crate::trust::root::{Instance, TrustRoot};
use crate::trust::{PublicKey, Texts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Trust roots by the names under which authorities refer to them; those that are built in need not be put in, and
/// one that is put in under such a name takes its place.
#[derive(Clone, Debug, Default)]
pub struct Roots(BTreeMap<String, Result<Arc<TrustRoot>, String>>);

impl Roots {
    /// Puts one in; one that could not be read is put in as well, so that who refers to it learns why.
    pub fn put(&mut self, name: &str, root: Result<TrustRoot, crate::trust::RootProblem>) {
        self.0.insert(name.to_owned(), root.map(Arc::new).map_err(|problem| problem.to_string()));
    }

    /// Puts in one that was good before, for when what its object says now cannot be used.
    pub fn keep(&mut self, name: &str, root: Arc<TrustRoot>) {
        self.0.insert(name.to_owned(), Ok(root));
    }

    /// One that was put in and can be used.
    pub fn good(&self, name: &str) -> Option<Arc<TrustRoot>> {
        self.0.get(name)?.as_ref().ok().map(Arc::clone)
    }

    fn find(&self, name: &str) -> Result<Arc<TrustRoot>, Problem> {
        let unusable = |cause: String| Problem::Root { name: name.to_owned(), cause };
        match (self.0.get(name), Instance::named(name)) {
            (Some(Ok(root)), _) => Ok(Arc::clone(root)),
            (Some(Err(cause)), _) => Err(unusable(cause.clone())),
            (None, Some(instance)) => TrustRoot::built_in(name, instance)
                .map(Arc::new)
                .map_err(|problem| unusable(problem.to_string())),
            (None, None) => Err(Problem::UnknownRoot(name.to_owned())),
        }
    }
}

/// Who may sign the images of some repositories, ready to verify.
#[derive(Clone, Debug)]
pub struct ImageAuthority {
    name: String,
    patterns: Vec<RepositoryPattern>,
    authorities: Vec<Authority>,
    require: RequireSpec,
    /// Why it cannot be used, if it cannot.
    sealed: Option<String>,
    content: Digest,
}

/// One who may sign, ready to verify.
#[derive(Clone, Debug)]
pub struct Authority {
    pub(crate) name: String,
    pub(crate) who: Who,
    pub(crate) root: Option<Arc<TrustRoot>>,
    pub(crate) log: Wanted,
    pub(crate) timestamps: Wanted,
    pub(crate) sct: Wanted,
    pub(crate) legacy: bool,
    pub(crate) predicate_types: Vec<String>,
    pub(crate) vex: bool,
}

/// By what somebody is known.
#[derive(Clone, Debug)]
pub enum Who {
    /// By one of these keys.
    Keys(Vec<PublicKey>),
    /// By one of these identities in a certificate.
    Keyless(Vec<Identity>),
}

impl Authority {
    /// The name under which policies and messages speak of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether what it says with OpenVEX is believed.
    pub fn vex(&self) -> bool {
        self.vex
    }
}

impl ImageAuthority {
    /// From what was written; `name` is the object's.
    pub fn compile(
        name: &str,
        spec: &ImageAuthoritySpec,
        roots: &Roots,
        texts: &dyn Texts,
    ) -> Result<Self, AuthorityProblem> {
        if spec.images.is_empty() {
            return Err(at("images", Problem::NoImages));
        }
        if spec.authorities.is_empty() {
            return Err(at("authorities", Problem::NoAuthorities));
        }
        let pattern = |(index, text): (usize, &String)| {
            text.parse().map_err(|problem| at(&format!("images[{index}]"), Problem::Pattern(problem)))
        };
        let patterns = spec.images.iter().enumerate().map(pattern).collect::<Result<_, _>>()?;
        let mut names = BTreeSet::new();
        let mut authorities = Vec::new();
        for (index, authority) in spec.authorities.iter().enumerate() {
            let path = format!("authorities[{index}]");
            if !names.insert(authority.name.as_str()) {
                return Err(at(&format!("{path}.name"), Problem::NameTwice(authority.name.clone())));
            }
            authorities.push(compile(authority, &path, roots, texts)?);
        }
        let require = spec.require.unwrap_or_default();
        check_threshold(require, &authorities)?;
        let content = content(name, spec, &authorities);
        Ok(Self { name: name.to_owned(), patterns, authorities, require, sealed: None, content })
    }

    /// One that cannot be used, and why: it still speaks of its images, and nobody can satisfy it. Left out, it would
    /// let in what it was written to keep out. `images` that are no patterns speak of nothing.
    pub fn sealed(name: &str, images: &[String], reason: &str) -> Self {
        let patterns: Vec<RepositoryPattern> = images.iter().filter_map(|text| text.parse().ok()).collect();
        let mut bytes = format!("sealed\0{name}\0{reason}").into_bytes();
        for pattern in &patterns {
            bytes.push(0);
            bytes.extend_from_slice(pattern.written().as_bytes());
        }
        Self {
            name: name.to_owned(),
            patterns,
            authorities: Vec::new(),
            require: RequireSpec::default(),
            sealed: Some(reason.to_owned()),
            content: Digest::of(&bytes),
        }
    }

    /// Why it cannot be used, if it cannot.
    pub fn why_sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Those who may sign.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// How many must have signed.
    pub fn require(&self) -> RequireSpec {
        self.require
    }

    /// Whether it speaks of this image.
    pub fn covers(&self, reference: &Reference) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(reference))
    }

    /// The digest of all that a verdict depends on: what was written, the keys, the trust roots.
    pub fn content(&self) -> Digest {
        self.content
    }
}

/// All that there are.
#[derive(Clone, Debug, Default)]
pub struct ImageAuthorities(Vec<Arc<ImageAuthority>>);

impl ImageAuthorities {
    /// These, in the order of their names, so that equal sets verify and hash alike.
    pub fn new(all: impl IntoIterator<Item = ImageAuthority>) -> Self {
        let mut all: Vec<_> = all.into_iter().map(Arc::new).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Self(all)
    }

    /// These and others.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let mut all: Vec<_> = self.0.iter().chain(&others.0).map(Arc::clone).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Self(all)
    }

    /// Each of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ImageAuthority>> {
        self.0.iter()
    }

    /// The registries that their patterns begin with.
    pub fn hosts(&self) -> BTreeSet<&str> {
        let patterns = self.0.iter().flat_map(|authority| &authority.patterns);
        patterns.filter_map(|pattern| pattern.written().split('/').next()).collect()
    }

    /// Those that speak of this image; each of them is asked.
    pub fn of(&self, reference: &Reference) -> Vec<Arc<ImageAuthority>> {
        self.0.iter().filter(|authority| authority.covers(reference)).map(Arc::clone).collect()
    }

    /// Whether any of them names images of this registry: no other registry is ever asked.
    pub fn name_registry(&self, host: &str) -> bool {
        self.0.iter().flat_map(|authority| &authority.patterns).any(|pattern| pattern.host_matches(host))
    }

    /// The digest of what the verdict on this image depends on, besides the image itself.
    pub fn content_for(&self, reference: &Reference) -> Digest {
        let parts: Vec<u8> =
            self.of(reference).iter().flat_map(|authority| *authority.content.bytes()).collect();
        Digest::of(&parts)
    }
}

fn at(path: &str, problem: Problem) -> AuthorityProblem {
    AuthorityProblem { path: path.to_owned(), problem }
}

fn compile(
    spec: &AuthoritySpec,
    path: &str,
    roots: &Roots,
    texts: &dyn Texts,
) -> Result<Authority, AuthorityProblem> {
    let inside = |field: &str, problem| at(&format!("{path}.{field}"), problem);
    if spec.name.is_empty() || spec.name.len() > 63 {
        return Err(inside("name", Problem::Name));
    }
    let (who, root) = match (&spec.keyless, spec.keys.is_empty()) {
        (None, true) => return Err(at(path, Problem::Who("neither"))),
        (Some(_), false) => return Err(at(path, Problem::Who("both"))),
        (None, false) => {
            let root = spec.trust_root.as_deref().map(|name| roots.find(name)).transpose();
            (Who::Keys(keys(&spec.keys, path, texts)?), root.map_err(|problem| inside("trustRoot", problem))?)
        }
        (Some(_), true) if spec.trust_root.is_some() => return Err(inside("trustRoot", Problem::RootTwice)),
        (Some(keyless), true) => {
            let root = roots.find(&keyless.trust_root);
            let root = root.map_err(|problem| inside("keyless.trustRoot", problem))?;
            (Who::Keyless(identities(keyless, path)?), Some(root))
        }
    };
    let (log, timestamps) = match root {
        Some(_) => (Wanted::Required, Wanted::Optional),
        None => (Wanted::Off, Wanted::Off),
    };
    let keyless = matches!(who, Who::Keyless(_));
    let authority = Authority {
        name: spec.name.clone(),
        who,
        root,
        log: spec.transparency_log.unwrap_or(log),
        timestamps: spec.timestamps.unwrap_or(timestamps),
        sct: spec.sct.unwrap_or(if keyless { Wanted::Required } else { Wanted::Off }),
        legacy: spec.legacy,
        predicate_types: spec.predicate_types.clone(),
        vex: spec.vex,
    };
    check_evidence(&authority, keyless, path)?;
    Ok(authority)
}

/// What is required must be possible: a trust root without logs would refuse every image, and say so each time.
fn check_evidence(authority: &Authority, keyless: bool, path: &str) -> Result<(), AuthorityProblem> {
    let inside = |field: &str, problem| at(&format!("{path}.{field}"), problem);
    let Some(root) = &authority.root else {
        return match (authority.log, authority.timestamps, authority.sct) {
            (Wanted::Off, Wanted::Off, Wanted::Off) => Ok(()),
            (Wanted::Off, Wanted::Off, _) => Err(inside("sct", Problem::SctOfKeys)),
            (Wanted::Off, ..) => Err(inside("timestamps", Problem::NoRoot)),
            _ => Err(inside("transparencyLog", Problem::NoRoot)),
        };
    };
    let lacks = |what, otherwise| Problem::Lacks { root: root.name().to_owned(), what, otherwise };
    let has = root.has();
    if keyless && !has.certificates {
        let problem = lacks("certificate authorities", "keys");
        return Err(inside("keyless.trustRoot", problem));
    }
    if keyless && authority.log == Wanted::Off && authority.timestamps == Wanted::Off {
        return Err(at(path, Problem::NoTime));
    }
    if authority.log == Wanted::Required && !has.logs {
        return Err(inside("transparencyLog", lacks("transparency logs", "transparencyLog: off")));
    }
    if authority.timestamps == Wanted::Required && !has.timestamps {
        return Err(inside("timestamps", lacks("timestamp authorities", "timestamps: off")));
    }
    if !keyless && authority.sct != Wanted::Off {
        return Err(inside("sct", Problem::SctOfKeys));
    }
    if authority.sct == Wanted::Required && !has.certificate_logs {
        return Err(inside("sct", lacks("logs of certificates", "sct: off")));
    }
    Ok(())
}

fn keys(specs: &[KeySpec], path: &str, texts: &dyn Texts) -> Result<Vec<PublicKey>, AuthorityProblem> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let wrong = |problem| at(&format!("{path}.keys[{index}]"), problem);
        let text = key_text(spec, texts).map_err(wrong)?;
        let key = PublicKey::from_pem(&text).map_err(|problem| wrong(Problem::Key(problem)))?;
        if !seen.insert(key.fingerprint()) {
            return Err(wrong(Problem::KeyTwice(key.fingerprint())));
        }
        out.push(key);
    }
    Ok(out)
}

fn key_text(spec: &KeySpec, texts: &dyn Texts) -> Result<String, Problem> {
    let mut references = spec.texts();
    match (&spec.pem, references.next(), references.count()) {
        (Some(pem), None, _) => Ok(pem.clone()),
        (None, Some(reference), 0) => {
            texts.text(&reference).map_err(|cause| Problem::Text { reference: reference.to_string(), cause })
        }
        (pem, first, more) => {
            Err(Problem::KeySources(usize::from(pem.is_some()) + usize::from(first.is_some()) + more))
        }
    }
}

fn identities(keyless: &KeylessSpec, path: &str) -> Result<Vec<Identity>, AuthorityProblem> {
    let path = format!("{path}.keyless.identities");
    if keyless.identities.is_empty() {
        return Err(at(&path, Problem::NoIdentities));
    }
    let identities = keyless.identities.iter().enumerate();
    identities.map(|(index, spec)| Identity::compile(spec, &format!("{path}[{index}]"))).collect()
}

fn check_threshold(require: RequireSpec, authorities: &[Authority]) -> Result<(), AuthorityProblem> {
    if require.count == 0 {
        return Err(at("require.count", Problem::CountZero));
    }
    // Identities by a pattern can be any number of people; keys cannot.
    let mut keys = BTreeSet::new();
    let mut any_number = false;
    for authority in authorities {
        match &authority.who {
            Who::Keys(known) => keys.extend(known.iter().map(PublicKey::fingerprint)),
            Who::Keyless(_) => any_number = true,
        }
    }
    if !any_number && keys.len() < usize::try_from(require.count).unwrap_or(usize::MAX) {
        let problem = Problem::CountImpossible { count: require.count, possible: keys.len() };
        return Err(at("require.count", problem));
    }
    let unlogged = authorities.iter().find(|authority| authority.log != Wanted::Required);
    match unlogged {
        Some(authority) if require.distinct_logs => {
            Err(at("require.distinctLogs", Problem::NoLogs(authority.name.clone())))
        }
        _ => Ok(()),
    }
}

/// Keys and roots are hashed by what they hold, not by where they were found: a Secret that changes changes this.
fn content(name: &str, spec: &ImageAuthoritySpec, authorities: &[Authority]) -> Digest {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(0);
    // A spec is texts, numbers and switches, which JSON can always write.
    bytes.extend(serde_json::to_vec(spec).unwrap_or_default());
    for authority in authorities {
        bytes.push(0);
        if let Who::Keys(keys) = &authority.who {
            keys.iter().for_each(|key| bytes.extend_from_slice(key.fingerprint().bytes()));
        }
        if let Some(root) = &authority.root {
            bytes.extend_from_slice(root.content().bytes());
        }
    }
    Digest::of(&bytes)
}

#[cfg(test)]
#[path = "compiled_tests.rs"]
mod tests;
