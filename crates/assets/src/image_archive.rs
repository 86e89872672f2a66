//! One container image in one tar that can be imported: an OCI layout that docker's tools read too.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::build::archive::Archive;
use crate::cache::sha256_of_file;

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// A blob of an image.
pub(crate) struct Blob {
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) content: BlobContent,
}

/// Where a blob's bytes are.
pub(crate) enum BlobContent {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl Blob {
    /// A document.
    pub(crate) fn json(value: &Value) -> Self {
        Self::bytes(value.to_string().into_bytes())
    }

    /// Bytes as they are.
    pub(crate) fn bytes(bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        Self { sha256: hex::encode(Sha256::digest(&bytes)), size, content: BlobContent::Bytes(bytes) }
    }

    /// A file, which is read to digest it.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let (sha256, size) = sha256_of_file(path)?;
        Ok(Self { sha256, size, content: BlobContent::File(path.to_owned()) })
    }

    /// How others refer to it.
    pub(crate) fn descriptor(&self, media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": format!("sha256:{}", self.sha256), "size": self.size})
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.sha256)
    }
}

/// An image for one architecture.
pub(crate) struct ImageArchive<'a> {
    /// Its full name, with tag.
    pub(crate) name: &'a str,
    /// Go's name of the architecture.
    pub(crate) architecture: &'a str,
    pub(crate) config: Blob,
    pub(crate) manifest: Blob,
    /// The lowest first.
    pub(crate) layers: Vec<Blob>,
}

impl ImageArchive<'_> {
    /// Writes the tar, the same one for the same image.
    pub(crate) fn write(self, manifest_type: &str, out: &Path) -> io::Result<()> {
        let index = self.index(manifest_type);
        let docker = self.docker_manifest();
        let mut archive = Archive::new(BufWriter::new(fs::File::create(out)?));
        archive.directory("blobs", 0o755)?;
        archive.directory("blobs/sha256", 0o755)?;
        let mut blobs: Vec<Blob> = self.layers.into_iter().chain([self.config, self.manifest]).collect();
        blobs.sort_by(|a, b| a.sha256.cmp(&b.sha256));
        // An image may have the same (empty) layer twice.
        blobs.dedup_by(|a, b| a.sha256 == b.sha256);
        for blob in &blobs {
            match &blob.content {
                BlobContent::File(file) => archive.file(&blob.path(), 0o444, file)?,
                BlobContent::Bytes(bytes) => archive.bytes(&blob.path(), 0o444, bytes)?,
            }
        }
        archive.bytes("index.json", 0o444, index.to_string().as_bytes())?;
        archive.bytes("manifest.json", 0o444, docker.to_string().as_bytes())?;
        archive.bytes("oci-layout", 0o444, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(())
    }

    /// The index names the image the way containerd's import wants it.
    fn index(&self, manifest_type: &str) -> Value {
        let tag = self.name.rsplit(':').next().unwrap_or_default();
        let mut descriptor = self.manifest.descriptor(manifest_type);
        descriptor["platform"] = json!({"architecture": self.architecture, "os": "linux"});
        descriptor["annotations"] =
            json!({"io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": tag});
        json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [descriptor]})
    }

    /// What `docker load` reads.
    fn docker_manifest(&self) -> Value {
        json!([{
            "Config": self.config.path(),
            "RepoTags": [self.name],
            "Layers": self.layers.iter().map(Blob::path).collect::<Vec<_>>(),
        }])
    }
}
