//! Puts container images together: an OCI layout that docker's tools read too, in one tar that can be imported.

use std::collections::BTreeSet;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{ImageRecipe, Recipe};
use fs_err as fs;
use serde_json::{Value, json};

use super::archive::{Archive, Digesting};
use super::{Build, BuildContext, Inputs, Job, only, wrong_kind};
use crate::AssetError;
use crate::image_archive::{Blob, BlobContent, ImageArchive};

/// Puts container images together.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImageBuilder;

/// Manifests of Kubernetes name bare commands, so every image needs a path.
const SEARCH_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// All times in an image: it must not depend on when it was made.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// Files that programs expect of any system: users, name service, a place for temporary files.
const SKELETON: [(&str, &str); 3] = [
    ("etc/group", "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"),
    ("etc/nsswitch.conf", "hosts: files dns\n"),
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n\
         nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
    ),
];

#[async_trait]
impl Build for ImageBuilder {
    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        Some(2)
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let job = only(jobs)?;
        let Recipe::Image(recipe) = job.spec.recipe() else { return Err(wrong_kind(&job.spec)) };
        let sources = Sources::find(recipe, context.inputs)?;
        let (recipe, out, scratch) = (recipe.clone(), job.out.clone(), context.scratch.to_owned());
        let failed = |e| AssetError::io(format!("write {}", job.spec.name()), context.scratch, e);
        let writing = move || write_image(&recipe, &sources, &scratch, &out);
        tokio::task::spawn_blocking(writing).await.map_err(|e| failed(io::Error::other(e)))?.map_err(failed)
    }
}

/// Where the content of an image is on this machine.
struct Sources {
    base: Option<PathBuf>,
    /// Path in the image and file.
    files: Vec<(String, PathBuf)>,
}

impl Sources {
    fn find(recipe: &ImageRecipe, inputs: &dyn Inputs) -> Result<Self, AssetError> {
        let base = recipe.base.as_ref().map(|base| inputs.path(base)).transpose()?;
        let files = recipe.files.iter().map(|file| Ok((file.path.clone(), inputs.path(&file.asset)?)));
        Ok(Self { base, files: files.collect::<Result<_, AssetError>>()? })
    }
}

fn write_image(recipe: &ImageRecipe, sources: &Sources, scratch: &Path, out: &Path) -> io::Result<()> {
    let mut layers = sources.base.as_deref().map(Blob::file).transpose()?.into_iter().collect::<Vec<_>>();
    layers.push(write_layer(&sources.files, &scratch.join("layer.tar"))?);
    let config = Blob::json(&config(recipe, &layers));
    let manifest = Blob::json(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config.descriptor(CONFIG_TYPE),
        "layers": layers.iter().map(|layer| layer.descriptor(LAYER_TYPE)).collect::<Vec<_>>(),
    }));
    let image = ImageArchive { name: &recipe.name, architecture: &recipe.architecture, config, manifest, layers };
    image.write(MANIFEST_TYPE, out)
}

/// The layer with the programs and the skeleton.
fn write_layer(files: &[(String, PathBuf)], path: &Path) -> io::Result<Blob> {
    let mut archive = Archive::new(Digesting::new(BufWriter::new(fs::File::create(path)?)));
    let mut directories = BTreeSet::from(["etc".to_owned()]);
    for (path, _) in files {
        let parents = Path::new(path.trim_start_matches('/')).ancestors().skip(1);
        directories.extend(parents.map(|parent| parent.display().to_string()).filter(|parent| !parent.is_empty()));
    }
    for directory in &directories {
        archive.directory(directory, 0o755)?;
    }
    archive.directory("tmp", 0o1777)?;
    for (path, text) in SKELETON {
        archive.bytes(path, 0o644, text.as_bytes())?;
    }
    for (path, file) in files {
        archive.file(path, 0o755, file)?;
    }
    let (sha256, size) = archive.finish()?.finish()?;
    Ok(Blob { sha256, size, content: BlobContent::File(path.to_owned()) })
}

fn config(recipe: &ImageRecipe, layers: &[Blob]) -> Value {
    let mut settings = json!({"Env": [SEARCH_PATH], "WorkingDir": "/"});
    for (name, value) in [("Entrypoint", &recipe.entrypoint), ("Cmd", &recipe.command)] {
        if !value.is_empty() {
            settings[name] = json!(value);
        }
    }
    if let Some(user) = &recipe.user {
        settings["User"] = json!(user);
    }
    json!({
        "created": EPOCH,
        "architecture": recipe.architecture,
        "os": "linux",
        "config": settings,
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|layer| format!("sha256:{}", layer.sha256)).collect::<Vec<_>>(),
        },
        "history": layers.iter().map(|_| json!({"created": EPOCH, "created_by": "kubewright"})).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
