//! Images of registries, one architecture of each.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use async_trait::async_trait;
use futures::future::ready;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use oci_client::client::{BlobResponse, Client, ClientConfig, ClientProtocol};
use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};
use oci_client::manifest::{OciDescriptor, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{ParseError, Reference};
use reqwest::StatusCode;
use resource::Digest;
use tokio_util::bytes::Bytes;

use crate::image_archive::{Blob, BlobContent, ImageArchive};
use crate::transfer::http::{CONNECT, SILENCE, USER_AGENT, judge, unanswered};
use crate::transfer::{Download, Opened, Remote, TransferError};

const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Registries.
#[derive(Clone)]
pub(super) struct Images {
    /// The error, when there can be no client.
    client: Result<Client, String>,
    /// Registry (`host:port`) and path of a mirror.
    base: Option<(String, String)>,
}

/// An image for one architecture, without its layers' content.
pub(super) struct RemoteImage {
    reference: Reference,
    architecture: String,
    /// As the registry gave it; its digest was checked.
    raw: Vec<u8>,
    media_type: String,
    manifest: OciImageManifest,
}

/// One blob of an image.
pub(super) struct RemoteBlob {
    images: Images,
    reference: Reference,
    descriptor: OciDescriptor,
}

impl Images {
    /// Upstream's registries, or a mirror of them at `base`.
    pub(super) fn new(base: Option<&str>) -> Self {
        let (plain, base) = base.map_or((false, None), |base| {
            let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            (base.starts_with("http://"), Some((host.to_owned(), path.to_owned())))
        });
        let config = ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(CONNECT),
            read_timeout: Some(SILENCE),
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        };
        Self { client: Client::try_from(config).map_err(|error| error.to_string()), base }
    }

    /// Looks an image up.
    pub(super) async fn find(&self, name: &str, architecture: &str) -> Result<RemoteImage, TransferError> {
        let reference = self.reference(name).map_err(|error| TransferError::Refused(error.to_string()))?;
        let raw = self.manifest(&reference).await?;
        let (reference, raw, manifest) = match parse(&raw)? {
            OciManifest::Image(manifest) => (reference, raw, manifest),
            OciManifest::ImageIndex(index) => {
                let entry = index.manifests.iter().find(|entry| {
                    entry.platform.as_ref().is_some_and(|platform| {
                        platform.os.to_string() == "linux" && platform.architecture.to_string() == architecture
                    })
                });
                let reference = reference.clone_with_digest(entry.ok_or(TransferError::Missing)?.digest.clone());
                let raw = self.manifest(&reference).await?;
                match parse(&raw)? {
                    OciManifest::Image(manifest) => (reference, raw, manifest),
                    OciManifest::ImageIndex(_) => {
                        return Err(TransferError::Refused("its index lists an index".into()));
                    }
                }
            }
        };
        let media_type = manifest.media_type.clone().unwrap_or_else(|| MANIFESTS[1].to_owned());
        let image = RemoteImage { reference, architecture: architecture.to_owned(), raw, media_type, manifest };
        image.check()?;
        Ok(image)
    }

    fn client(&self) -> Result<&Client, TransferError> {
        self.client.as_ref().map_err(|why| TransferError::Unreachable(why.clone()))
    }

    async fn manifest(&self, reference: &Reference) -> Result<Vec<u8>, TransferError> {
        let pulled = self.client()?.pull_manifest_raw(reference, &RegistryAuth::Anonymous, &MANIFESTS).await;
        pulled.map(|(bytes, _)| bytes.to_vec()).map_err(|error| understand(&error))
    }

    /// On a mirror, an image is below the mirror's path, under its registry's name.
    fn reference(&self, name: &str) -> Result<Reference, ParseError> {
        let Some((host, path)) = &self.base else { return name.parse() };
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let repository = [path.as_str(), repository].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Ok(Reference::with_tag(host.clone(), repository.join("/"), tag.to_owned()))
    }
}

fn parse(raw: &[u8]) -> Result<OciManifest, TransferError> {
    serde_json::from_slice(raw).map_err(|error| TransferError::Refused(format!("its manifest cannot be read: {error}")))
}

impl RemoteImage {
    /// Digests (`sha256:…`) and sizes of all blobs, in the order of digests.
    pub(super) fn blobs(&self) -> BTreeSet<(String, u64)> {
        self.descriptors().map(|descriptor| (descriptor.digest.clone(), size_of(descriptor))).collect()
    }

    /// Bytes to transfer.
    pub(super) fn size(&self) -> u64 {
        self.blobs().iter().map(|(_, size)| size).sum()
    }

    /// Writes the archive of the image called `name`, from all its blobs.
    pub(super) fn write(&self, name: &str, blobs: &BTreeMap<String, Download>, out: &Path) -> io::Result<()> {
        let blob = |descriptor: &OciDescriptor| {
            let found = blobs.get(&descriptor.digest).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            let sha256 = descriptor.digest.trim_start_matches("sha256:").to_owned();
            Ok(Blob { sha256, size: size_of(descriptor), content: BlobContent::File(found.path().to_owned()) })
        };
        let archive = ImageArchive {
            name,
            architecture: &self.architecture,
            config: blob(&self.manifest.config)?,
            manifest: Blob::bytes(self.raw.clone()),
            layers: self.manifest.layers.iter().map(blob).collect::<io::Result<_>>()?,
        };
        archive.write(&self.media_type, out)
    }

    fn descriptors(&self) -> impl Iterator<Item = &OciDescriptor> {
        self.manifest.layers.iter().chain([&self.manifest.config])
    }

    fn check(&self) -> Result<(), TransferError> {
        let is_sha256 = |digest: &str| digest.strip_prefix("sha256:").and_then(Digest::parse).is_some();
        let other = self.descriptors().find(|descriptor| !is_sha256(&descriptor.digest));
        other.map_or(Ok(()), |other| Err(TransferError::Refused(format!("the digest {} is no SHA-256", other.digest))))
    }
}

fn size_of(descriptor: &OciDescriptor) -> u64 {
    u64::try_from(descriptor.size).unwrap_or_default()
}

impl RemoteBlob {
    /// The blob of `image` with this digest.
    pub(super) fn new(images: &Images, image: &RemoteImage, digest: &str, size: u64) -> Self {
        let size = i64::try_from(size).unwrap_or_default();
        let descriptor = OciDescriptor { digest: digest.to_owned(), size, ..OciDescriptor::default() };
        Self { images: images.clone(), reference: image.reference.clone(), descriptor }
    }
}

#[async_trait]
impl Remote for RemoteBlob {
    fn address(&self) -> String {
        format!("{}/{}@{}", self.reference.registry(), self.reference.repository(), self.descriptor.digest)
    }

    async fn open(&self, from: u64) -> Result<Opened, TransferError> {
        let client = self.images.client()?;
        let opened = if from == 0 {
            client.pull_blob_stream(&self.reference, &self.descriptor).await.map(BlobResponse::Full)
        } else {
            client.pull_blob_stream_partial(&self.reference, &self.descriptor, from, None).await
        };
        let (from, stream) = match opened.map_err(|error| understand(&error))? {
            BlobResponse::Full(stream) => (0, stream),
            BlobResponse::Partial(stream) => (from, stream),
        };
        let size = stream.content_length.map(|length| from + length);
        Ok(Opened { from, size, content: pieces(stream.stream) })
    }
}

/// A blob's content. A wrong digest at its end is left to the download, which finds it too, and puts the blob aside.
fn pieces(stream: BoxStream<'static, io::Result<Bytes>>) -> BoxStream<'static, Result<Bytes, TransferError>> {
    let is_content = |piece: &io::Result<Bytes>| match piece {
        Ok(_) => true,
        Err(error) => !error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<DigestError>),
    };
    stream.take_while(move |piece| ready(is_content(piece))).map_err(|error| broken(&error)).boxed()
}

fn broken(error: &io::Error) -> TransferError {
    TransferError::Temporary { why: format!("the connection broke: {error}"), after: None }
}

/// What a registry's error means for a transfer.
fn understand(error: &OciDistributionError) -> TransferError {
    use OciErrorCode::{BlobUnknown, ManifestBlobUnknown, ManifestUnknown, NameUnknown, NotFound, Toomanyrequests};
    match error {
        OciDistributionError::RequestError(error) => unanswered(error),
        OciDistributionError::ImageManifestNotFoundError(_) => TransferError::Missing,
        OciDistributionError::ServerError { code, .. } => StatusCode::from_u16(*code)
            .ok()
            .and_then(|status| judge(status, None).err())
            .unwrap_or_else(|| TransferError::Refused(error.to_string())),
        OciDistributionError::RegistryError { envelope, .. } => {
            let has = |codes: &[OciErrorCode]| envelope.errors.iter().any(|error| codes.contains(&error.code));
            if has(&[ManifestUnknown, NameUnknown, NotFound, BlobUnknown, ManifestBlobUnknown]) {
                TransferError::Missing
            } else if has(&[Toomanyrequests]) {
                TransferError::Temporary { why: "the registry says: too many requests".into(), after: None }
            } else {
                TransferError::Refused(error.to_string())
            }
        }
        OciDistributionError::IoError(error) => broken(error),
        error => TransferError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_blob_whose_digest_is_wrong_comes_to_an_end() {
        // The registry's client says so again whenever it is asked.
        let wrong = || DigestError::VerificationError { expected: "a".into(), actual: "b".into() };
        let said = stream::repeat_with(move || Err(io::Error::other(wrong())));
        let content = stream::iter([Ok(Bytes::from_static(b"content"))]).chain(said).boxed();
        let pieces: Vec<_> = pieces(content).collect().await;
        assert_eq!(pieces, [Ok(Bytes::from_static(b"content"))]);
    }
}
