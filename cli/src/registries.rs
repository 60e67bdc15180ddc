//! Registries, as the command line says how they are reached: options, and the credentials that Docker keeps.

use crate::exit::Failure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wayguard_images::reference::Reference;
use wayguard_images::registry::credentials::Keyring;
use wayguard_images::registry::http::Client;
use wayguard_images::registry::options::{Bounds, HostOptions, RegistryOptions};

/// Options of commands that ask registries.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RegistryArgs {
    /// How registries are reached: a YAML file with `registries: {HOST: {http, caBundle, mirrors, …}}`
    #[arg(long, value_name = "FILE", env = "WAYGUARD_REGISTRIES")]
    registries: Option<PathBuf>,

    /// Logins for registries, as `docker login` and pull secrets keep them. [default: Docker's own file]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_REGISTRY_CREDENTIALS")]
    registry_credentials: Option<PathBuf>,

    /// A registry that is reached over HTTP, in the clear; repeatable. Those on this machine are anyway
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    plain_http: Vec<String>,
}

impl RegistryArgs {
    /// A client of the registry that an image is in, logged in as Docker is.
    ///
    /// # Errors
    /// If the options or logins cannot be read.
    pub(crate) fn client(&self, reference: &Reference) -> Result<Client, Failure> {
        let options = self.options(&[reference.registry()])?;
        let keyring = self.keyring()?;
        let mut fitting = keyring.matching(reference.registry(), reference.repository());
        let credential = fitting.find(|credential| !credential.is_empty()).cloned();
        Client::new(reference.registry(), &options, credential, Bounds::default())
            .map_err(|error| Failure::Ours(error.to_string()))
    }

    /// How registries are reached; of these, those on this machine over HTTP unless the file says otherwise.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn options(&self, registries: &[&str]) -> Result<RegistryOptions, Failure> {
        let mut options = match &self.registries {
            Some(path) => read(path)?,
            None => RegistryOptions::default(),
        };
        let local = registries.iter().filter(|registry| is_local(registry)).map(|it| (*it).to_owned());
        for host in self.plain_http.iter().cloned().chain(local) {
            let http = || HostOptions { http: true, ..HostOptions::default() };
            options.registries.entry(host).or_insert_with(http);
        }
        Ok(options)
    }

    /// All logins.
    ///
    /// # Errors
    /// If the file that was named, or Docker's, cannot be read.
    pub(crate) fn keyring(&self) -> Result<Keyring, Failure> {
        let mut keyring = Keyring::new();
        let docker = || docker_file().filter(|path| path.is_file());
        let Some(path) = self.registry_credentials.clone().or_else(docker) else { return Ok(keyring) };
        let bytes = std::fs::read(&path).map_err(|error| Failure::unreadable(&path, &error))?;
        // Docker's file also has other things, and may have no logins at all.
        let file: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap_or_default();
        if self.registry_credentials.is_some() || file.contains_key("auths") {
            let problem = |problem| Failure::Invalid(format!("`{}`: {problem}", path.display()));
            keyring.add(&bytes).map_err(problem)?;
        }
        Ok(keyring)
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
