//! Upstream: release addresses, with the checksums published there, and registries. Also mirrors in upstream's layout.

mod images;
mod member;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use catalog::{AssetSpec, Published, Recipe, Upstream as Address};
use engine::{Event, EventSink};
use fs_err as fs;
use tokio::sync::OnceCell;

use self::images::{Images, RemoteImage};
use super::{FetchContext, Offer, Source};
use crate::transfer::http::{Http, HttpFile};
use crate::transfer::{Backoff, Download, Downloads, GaveUp, TransferError, host};
use crate::{AssetError, Job};

/// What to do when upstream does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Find out within seconds, and leave it to the next source.
    Probing,
    /// It is an error.
    Insisting,
}

/// Upstream, or a mirror in its layout.
pub struct Upstream {
    http: Http,
    images: Images,
    /// `https://mirror.example.org/path`: files are below it under their own host's name, images too.
    base: Option<String>,
    manner: Manner,
    /// With questions.
    backoff: Backoff,
    /// With transfers: what was promised is worth waiting for.
    transfers: Backoff,
    downloads: Downloads,
    events: Arc<dyn EventSink>,
    /// What upstream has, by address.
    known: Mutex<BTreeMap<String, Arc<OnceCell<Known>>>>,
    /// Hosts that did not answer, and addresses that could not be had: both are told once.
    silent: Mutex<BTreeSet<String>>,
}

/// What upstream has at an address.
#[derive(Clone)]
enum Known {
    Nothing,
    /// A file with this published digest.
    File(String),
    Image(Arc<RemoteImage>),
}

impl Upstream {
    /// Upstream itself. Downloads go through the cache at `cache`.
    pub fn new(manner: Manner, cache: &Path, events: Arc<dyn EventSink>) -> Self {
        Self {
            http: Http::new(),
            images: Images::new(None),
            base: None,
            manner,
            backoff: if manner == Manner::Probing { Backoff::PROBING } else { Backoff::USUAL },
            transfers: Backoff::USUAL,
            downloads: Downloads::of_cache(cache),
            events,
            known: Mutex::default(),
            silent: Mutex::default(),
        }
    }

    /// A mirror of it: `https://<base>/<upstream's host>/<path>` for files, `<base>/<upstream's registry>/<image>` for
    /// images.
    #[must_use]
    pub fn mirrored_at(self, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { images: Images::new(Some(&base)), base: Some(base), ..self }
    }

    /// Shorter pauses, for tests.
    #[must_use]
    pub fn pausing(mut self, first: Duration) -> Self {
        self.backoff.first_pause = first;
        self.transfers.first_pause = first;
        self
    }

    fn url(&self, address: &str) -> String {
        self.base.as_ref().map_or_else(|| format!("https://{address}"), |base| format!("{base}/{address}"))
    }

    /// The host that an address is asked of.
    fn host_of<'a>(&'a self, address: &'a str) -> &'a str {
        host(self.base.as_deref().unwrap_or(address))
    }

    /// What is at the address, asked once.
    async fn know(&self, address: &Address, architecture: &str) -> Result<Known, AssetError> {
        let cell = Arc::clone(lock(&self.known).entry(address.address().to_owned()).or_default());
        cell.get_or_try_init(|| self.ask(address, architecture)).await.cloned()
    }

    async fn ask(&self, address: &Address, architecture: &str) -> Result<Known, AssetError> {
        let host = self.host_of(address.address());
        if lock(&self.silent).contains(host) {
            return Ok(Known::Nothing);
        }
        match self.backoff.ask(|| self.find_file(address, architecture)).await {
            Ok(known) => Ok(known),
            Err(gave_up) if gave_up.is_missing() => Ok(Known::Nothing),
            Err(gave_up) if self.manner == Manner::Probing => {
                self.tell(host, address.address(), &gave_up);
                Ok(Known::Nothing)
            }
            Err(gave_up) => Err(gave_up.into_error(host, &self.url(address.address()))),
        }
    }

    /// Says, once, why the next source is asked.
    fn tell(&self, host: &str, address: &str, gave_up: &GaveUp) {
        let unreachable = gave_up.is_unreachable();
        let news = lock(&self.silent).insert(if unreachable { host } else { address }.to_owned());
        if news {
            let what = if unreachable { format!("{host} does not answer") } else { format!("{address} cannot be had") };
            let text = format!("{what} ({}): asking the next source.", gave_up.error);
            self.events.emit(Event::Note { text });
        }
    }

    async fn find_file(&self, address: &Address, architecture: &str) -> Result<Known, TransferError> {
        match address {
            Address::File(published) | Address::Member { archive: published, .. } => {
                let text = self.http.text(&self.url(&published.checksums)).await?;
                let unknown = || TransferError::Refused(format!("{} is no list of checksums", published.checksums));
                published.digest_in(&text).map(Known::File).ok_or_else(unknown)
            }
            Address::Image(name) => Ok(Known::Image(Arc::new(self.images.find(name, architecture).await?))),
        }
    }

    async fn fetch_file(
        &self,
        address: &Published,
        sha256: &str,
        context: &FetchContext<'_>,
    ) -> Result<Download, AssetError> {
        let remote = HttpFile { http: self.http.clone(), url: self.url(&address.address) };
        self.downloads.get(&remote, sha256, &self.transfers, context.task, context.cancel).await
    }

    async fn fetch_image(
        &self,
        name: &str,
        image: &Arc<RemoteImage>,
        job: &Job,
        context: &FetchContext<'_>,
    ) -> Result<(), AssetError> {
        let mut blobs = BTreeMap::new();
        // In the order of digests: two images that share layers must not wait for each other.
        for (digest, size) in image.blobs() {
            let remote = images::RemoteBlob::new(&self.images, image, &digest, size);
            let sha256 = digest.trim_start_matches("sha256:");
            let blob = self.downloads.get(&remote, sha256, &self.transfers, context.task, context.cancel).await?;
            blobs.insert(digest, blob);
        }
        let (name, image, out) = (name.to_owned(), Arc::clone(image), job.out.clone());
        let failed = |e| AssetError::io(format!("write {}", job.spec.name()), &job.out, e);
        let writing = move || image.write(&name, &blobs, &out);
        tokio::task::spawn_blocking(writing).await.map_err(|e| failed(io::Error::other(e)))?.map_err(failed)
    }
}

#[async_trait]
impl Source for Upstream {
    fn name(&self) -> String {
        let mirrored = |base: &String| format!("mirror {base} (upstream's layout)");
        self.base.as_ref().map_or_else(|| "upstream".to_owned(), mirrored)
    }

    fn group(&self, spec: &AssetSpec) -> String {
        spec.upstream().map_or_else(|| spec.asset_ref(), |upstream| upstream.address().to_owned())
    }

    async fn offer(&self, spec: &AssetSpec) -> Result<Option<Offer>, AssetError> {
        let Some(address) = spec.upstream() else { return Ok(None) };
        let known = self.know(address, architecture(spec)).await?;
        Ok(match (known, address) {
            (Known::Nothing, _) => None,
            (Known::File(sha256), Address::File(_)) => Some(Offer { sha256: Some(sha256), size: None }),
            (Known::File(_), _) => Some(Offer::default()),
            (Known::Image(image), _) => Some(Offer { sha256: None, size: Some(image.size()) }),
        })
    }

    async fn fetch(&self, jobs: &[Job], context: &FetchContext<'_>) -> Result<(), AssetError> {
        let Some((first, address)) = jobs.first().and_then(|job| Some((job, job.spec.upstream()?))) else {
            return Ok(());
        };
        let known = self.know(address, architecture(&first.spec)).await?;
        match (address, known) {
            (Address::File(file), Known::File(sha256)) => {
                let download = self.fetch_file(file, &sha256, context).await?;
                fs::rename(download.path(), &first.out)
                    .and_then(|()| make_executable(&first.out))
                    .map_err(|e| AssetError::io(format!("keep {}", first.spec.name()), &first.out, e))
            }
            (Address::Member { archive, .. }, Known::File(sha256)) => {
                let download = self.fetch_file(archive, &sha256, context).await?;
                context.task.note("unpacking");
                member::extract(download.path(), &archive.address, jobs).await
            }
            (Address::Image(name), Known::Image(image)) => self.fetch_image(name, &image, first, context).await,
            _ => Err(AssetError::NoSource { asset: first.spec.asset_ref(), asked: vec![self.name()] }),
        }
    }
}

/// Go's name of the architecture that an asset is for.
fn architecture(spec: &AssetSpec) -> &str {
    match spec.recipe() {
        Recipe::Image(image) => &image.architecture,
        Recipe::Go(program) => &program.architecture,
        _ => "",
    }
}

fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
