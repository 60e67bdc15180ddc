//! Registries, as the command line says how they are reached: options, and the credentials that Docker keeps.

use crate::exit::Failure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wayguard_images::reference::Reference;
use wayguard_images::registry::credentials::{Credential, Keyring};
use wayguard_images::registry::http::Client;
use wayguard_images::registry::options::{Bounds, HostOptions, RegistryOptions};

/// Options of commands that ask registries.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RegistryArgs {
    /// How registries are reached: a YAML file with `registries: {HOST: {http, caBundle, mirrors, …}}`
    #[arg(long, value_name = "FILE", env = "WAYGUARD_REGISTRIES")]
    registries: Option<PathBuf>,

    /// A registry that is reached over HTTP, in the clear; repeatable. Those on this machine are anyway
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    plain_http: Vec<String>,
}

impl RegistryArgs {
    /// A client of the registry that an image is in, logged in as Docker is.
    ///
    /// # Errors
    /// If the options or Docker's file cannot be read.
    pub(crate) fn client(&self, reference: &Reference) -> Result<Client, Failure> {
        let options = self.options(reference.registry())?;
        let credential = credential(reference)?;
        Client::new(reference.registry(), &options, credential, Bounds::default())
            .map_err(|error| Failure::Ours(error.to_string()))
    }

    fn options(&self, registry: &str) -> Result<RegistryOptions, Failure> {
        let mut options = match &self.registries {
            Some(path) => read(path)?,
            None => RegistryOptions::default(),
        };
        let local = is_local(registry).then(|| registry.to_owned());
        for host in self.plain_http.iter().cloned().chain(local) {
            options
                .registries
                .entry(host)
                .or_insert_with(|| HostOptions { http: true, ..HostOptions::default() });
        }
        Ok(options)
    }
}

/// As Docker and cosign have it: registries on this machine rarely have certificates.
fn is_local(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost"
        || host == "[::1]"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|it| it.is_loopback())
}

fn read(path: &Path) -> Result<RegistryOptions, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    crate::yaml::read(&text).map_err(|problem| Failure::Invalid(format!("`{}`: {problem}", path.display())))
}

/// Where Docker keeps what `docker login` was told.
fn docker_file() -> Option<PathBuf> {
    let folder = match std::env::var_os("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(&std::env::var_os("HOME")?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

fn credential(reference: &Reference) -> Result<Option<Credential>, Failure> {
    let Some(path) = docker_file().filter(|path| path.is_file()) else { return Ok(None) };
    let bytes = std::fs::read(&path).map_err(|error| Failure::unreadable(&path, &error))?;
    let mut keyring = Keyring::new();
    // The file also has other things, and may have no logins at all.
    let file: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap_or_default();
    if file.contains_key("auths") {
        let problem = |problem| Failure::Invalid(format!("`{}`: {problem}", path.display()));
        keyring.add(&bytes).map_err(problem)?;
    }
    Ok(keyring.matching(reference.registry(), reference.repository()).find(|it| !it.is_empty()).cloned())
}
