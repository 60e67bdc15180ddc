//! Who must have signed one thing in a registry: keys, identities, or files that say it.

use crate::authorities::Authorities;
use crate::cluster::ClusterArgs;
use crate::exit::Failure;
use std::path::{Path, PathBuf};
use wayguard_images::authority::{
    AuthoritySpec, IdentitySpec, ImageAuthorities, ImageAuthoritySpec, KeySpec, KeylessSpec, Wanted,
};
use wayguard_images::reference::Reference;
use wayguard_images::trust::TrustRootSpec;

/// Options that say who must have signed. The names of those about certificates are cosign's.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "who", required = true, multiple = true)]
pub(crate) struct TrustArgs {
    /// A public key, PEM; with several, a signature by any of them counts
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,

    /// A file with ImageAuthority objects, and TrustRoots that they name: those that speak of the repository count
    #[arg(long = "authority", value_name = "FILE")]
    authorities: Vec<PathBuf>,

    /// The ImageAuthority and TrustRoot objects of the cluster that kubectl talks to
    #[arg(long)]
    cluster: bool,

    /// The kubeconfig of that cluster. [default: as kubectl finds it]
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,

    /// The suite's own namespace in that cluster, which has what the objects name. [default: wayguard-system]
    #[arg(long, value_name = "NAME", requires = "cluster")]
    own_namespace: Option<String>,

    /// Who signed without a key: a mail address, or a workflow's URI
    #[arg(long, value_name = "TEXT")]
    certificate_identity: Option<String>,

    /// The same as a regular expression, which the whole of it must match
    #[arg(long, value_name = "REGEX", conflicts_with = "certificate_identity")]
    certificate_identity_regexp: Option<String>,

    /// Who vouched for that identity
    #[arg(long, value_name = "URL")]
    certificate_oidc_issuer: Option<String>,

    /// The same as a regular expression, which the whole of it must match
    #[arg(long, value_name = "REGEX", conflicts_with = "certificate_oidc_issuer")]
    certificate_oidc_issuer_regexp: Option<String>,

    /// The trust root of keyless signatures: `trusted_root.json`. [default: sigstore.dev's]
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,

    /// Do not ask for a certificate's entry in a log of certificates
    #[arg(long)]
    insecure_ignore_sct: bool,

    /// Let the layout before bundles (tags that end in `.sig` and `.att`) count as well
    #[arg(long)]
    legacy: bool,
}

/// What options, rather than a file, are called in messages.
const OPTIONS: &str = "options";

impl TrustArgs {
    /// Reads the files; those of the authorities that speak of the reference.
    ///
    /// # Errors
    /// If one cannot be read or used, or none speaks of the reference.
    pub(crate) fn authorities(&self, of: &Reference) -> Result<ImageAuthorities, Failure> {
        let mut all = Authorities::default();
        for path in &self.authorities {
            all.add(path)?;
        }
        let mut own = Vec::new();
        if !self.keys.is_empty() {
            let keys =
                self.keys.iter().map(|path| Ok(KeySpec { pem: Some(read(path)?), ..KeySpec::default() }));
            let keys = keys.collect::<Result<_, Failure>>()?;
            own.push(AuthoritySpec {
                name: "key".to_owned(),
                keys,
                legacy: self.legacy,
                ..AuthoritySpec::default()
            });
        }
        own.extend(self.keyless(&mut all)?);
        if !own.is_empty() {
            let images = vec![format!("{}/{}", of.registry(), of.repository())];
            all.push(OPTIONS, ImageAuthoritySpec { images, authorities: own, require: None });
        }
        let mut compiled = all.compile()?;
        if self.cluster {
            compiled = compiled.and(&self.of_cluster()?);
        }
        if compiled.of(of).is_empty() {
            return Err(Failure::Invalid(format!(
                "no ImageAuthority that was named speaks of `{}`",
                of.name()
            )));
        }
        Ok(compiled)
    }

    fn of_cluster(&self) -> Result<ImageAuthorities, Failure> {
        let cluster = ClusterArgs { kubeconfig: self.kubeconfig.clone(), ..ClusterArgs::default() };
        let namespace = self.own_namespace.as_deref().unwrap_or("wayguard-system");
        let found = crate::cluster::block_on(async {
            crate::live::authorities(&cluster.connect_like_kubectl().await?, namespace).await
        })?;
        found.ok_or_else(|| {
            let words = "the cluster has no kind `ImageAuthority`; `wayguard install` makes it";
            Failure::Invalid(words.to_owned())
        })
    }

    fn keyless(&self, all: &mut Authorities) -> Result<Option<AuthoritySpec>, Failure> {
        let identity = IdentitySpec {
            issuer: self.certificate_oidc_issuer.clone(),
            issuer_regex: self.certificate_oidc_issuer_regexp.clone(),
            subject: self.certificate_identity.clone(),
            subject_regex: self.certificate_identity_regexp.clone(),
        };
        if identity == IdentitySpec::default() {
            return Ok(None);
        }
        let mut trust_root = "public-good".to_owned();
        if let Some(path) = &self.trusted_root {
            OPTIONS.clone_into(&mut trust_root);
            let spec = TrustRootSpec { trusted_root: Some(read(path)?), ..TrustRootSpec::default() };
            all.root(OPTIONS, spec);
        }
        Ok(Some(AuthoritySpec {
            name: "certificate".to_owned(),
            keyless: Some(KeylessSpec { trust_root, identities: vec![identity] }),
            sct: self.insecure_ignore_sct.then_some(Wanted::Off),
            legacy: self.legacy,
            ..AuthoritySpec::default()
        }))
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))
}
