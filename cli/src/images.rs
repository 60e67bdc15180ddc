//! What is known of images, for commands: who may sign, which registries are asked, or a layout on disk in their place.

use crate::authorities::Authorities;
use crate::exit::Failure;
use crate::registries::RegistryArgs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wayguard_engine::facts::Fact;
use wayguard_engine::value::Document;
use wayguard_images::authority::ImageAuthorities;
use wayguard_images::reference::RepositoryPattern;
use wayguard_images::registry::credentials::Keyring;
use wayguard_images::registry::layout::Layout;
use wayguard_images::registry::options::Bounds;
use wayguard_images::service::{Answer, ImageService, Settings};
use wayguard_images::verify::Limits;

/// A registry that has not answered by then is not waited for; commands have more patience than servers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of commands that judge by what is known of images.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct ImageArgs {
    /// A file with ImageAuthority objects, and TrustRoots that they name: who may sign which images; repeatable
    #[arg(long, value_name = "FILE", env = "WAYGUARD_IMAGE_AUTHORITY", value_delimiter = ',')]
    image_authority: Vec<PathBuf>,

    /// Repositories that are asked although nobody need sign there, such as `docker.io/library`; repeatable
    #[arg(long, value_name = "PATTERN", env = "WAYGUARD_IMAGE_ALLOW", value_delimiter = ',')]
    image_allow: Vec<String>,

    /// An OCI image layout that is asked in the place of all registries
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) registries: RegistryArgs,
}

/// What answers for images.
pub(crate) type Images = ImageService<Document>;

/// What the options name, read.
pub(crate) struct Named {
    authorities: ImageAuthorities,
    allowed: Vec<RepositoryPattern>,
    registries: RegistryArgs,
    offline: Option<PathBuf>,
}

impl ImageArgs {
    /// The service, if anything says who may sign or what may be asked; and the logins. `of_cluster`: who may sign as
    /// a cluster says it.
    ///
    /// # Errors
    /// If a file cannot be read or used.
    pub(crate) fn open(
        &self,
        of_cluster: Option<&ImageAuthorities>,
    ) -> Result<Option<(Arc<Images>, Keyring)>, Failure> {
        if self.image_authority.is_empty() && self.image_allow.is_empty() && of_cluster.is_none() {
            if self.offline.is_some() {
                let words = "`--offline` has images to look at, and nothing says who may sign them: name an \
                             `--image-authority` or an `--image-allow`";
                return Err(Failure::Invalid(words.to_owned()));
            }
            return Ok(None);
        }
        let none = ImageAuthorities::default();
        let service = self.read()?.service(of_cluster.unwrap_or(&none))?;
        Ok(Some((service, self.registries.keyring()?)))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read or used.
    pub(crate) fn read(&self) -> Result<Named, Failure> {
        let mut authorities = Authorities::default();
        for path in &self.image_authority {
            authorities.add(path)?;
        }
        let parse = |text: &String| {
            text.parse::<RepositoryPattern>().map_err(|problem| Failure::Invalid(problem.to_string()))
        };
        Ok(Named {
            authorities: authorities.compile()?,
            allowed: self.image_allow.iter().map(parse).collect::<Result<_, _>>()?,
            registries: self.registries.clone(),
            offline: self.offline.clone(),
        })
    }
}

impl Named {
    /// What is asked of whom, with those who may sign as a cluster says it.
    ///
    /// # Errors
    /// If the file about registries cannot be read.
    pub(crate) fn settings(&self, of_cluster: &ImageAuthorities) -> Result<Settings, Failure> {
        let authorities = self.authorities.and(of_cluster);
        let mut named = authorities.hosts();
        named.extend(self.allowed.iter().map(|pattern| host(pattern.written())));
        let registries = self.registries.options(&named.into_iter().collect::<Vec<_>>())?;
        Ok(Settings {
            authorities,
            allowed: self.allowed.clone(),
            registries,
            bounds: Bounds::default(),
            limits: Limits::default(),
        })
    }

    /// A service that asks by that.
    ///
    /// # Errors
    /// If a file or folder cannot be read.
    pub(crate) fn service(&self, of_cluster: &ImageAuthorities) -> Result<Arc<Images>, Failure> {
        service(self.settings(of_cluster)?, self.offline.as_deref(), Document::from_serde)
    }
}

/// A service that asks registries, or a layout on disk in their place.
///
/// # Errors
/// If the folder is no layout.
pub(crate) fn service<T: Send + Sync + 'static>(
    settings: Settings,
    offline: Option<&Path>,
    make: fn(&serde_json::Value) -> T,
) -> Result<Arc<ImageService<T>>, Failure> {
    let Some(folder) = offline else { return Ok(ImageService::new(settings, make)) };
    let layout = Layout::open(folder).map_err(|error| Failure::Invalid(error.to_string()))?;
    Ok(ImageService::from_source(settings, make, Arc::new(layout)))
}

/// The registry's host in a pattern.
pub(crate) fn host(pattern: &str) -> &str {
    pattern.split('/').next().unwrap_or(pattern)
}

/// The service, for callers on threads of their own.
pub(crate) struct ImageDesk {
    runtime: Runtime,
    service: Arc<Images>,
    keyring: Keyring,
}

impl std::fmt::Debug for ImageDesk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ImageDesk")
    }
}

impl ImageDesk {
    /// Opens what the options name, if they name anything.
    ///
    /// # Errors
    /// If a file cannot be read or used.
    pub(crate) fn open(
        args: &ImageArgs,
        of_cluster: Option<&ImageAuthorities>,
    ) -> Result<Option<Arc<Self>>, Failure> {
        let Some((service, keyring)) = args.open(of_cluster)? else { return Ok(None) };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Ours(format!("cannot start threads: {error}")))?;
        Ok(Some(Arc::new(Self { runtime, service, keyring })))
    }

    /// What is known of an image.
    pub(crate) fn ask(&self, reference: &str) -> Fact {
        self.runtime.block_on(fact(&self.service, &self.keyring, reference, Instant::now() + PATIENCE))
    }
}

/// What is known of an image by a deadline; the look goes on beyond it, so that the next request has its answer.
pub(crate) async fn fact(
    service: &Arc<Images>,
    keyring: &Keyring,
    reference: &str,
    deadline: Instant,
) -> Fact {
    let (asked, keyring, name) = (Arc::clone(service), keyring.clone(), reference.to_owned());
    let look = tokio::spawn(async move { asked.ask(&name, &keyring).await });
    match tokio::time::timeout_at(deadline.into(), look).await {
        Ok(Ok(Answer::Known(known))) => Fact::Known(known),
        Ok(Ok(Answer::Absent)) => Fact::Absent,
        Ok(Ok(Answer::Unavailable(reason))) => Fact::Unavailable(format!("image `{reference}`: {reason}")),
        Ok(Err(panicked)) => Fact::Unavailable(format!("image `{reference}`: {panicked}")),
        Err(_) => Fact::Unavailable(format!("image `{reference}`: its registry did not answer in time")),
    }
}
