//! Makes a containerd root that already holds images: imported, unpacked and pinned by containerd itself.

mod configuration;
mod daemon;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{ImageStoreRecipe, Recipe};
use fs_err as fs;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::build::{only, wrong_kind};
use crate::process::{self, Program};
use crate::{AssetError, Build, BuildContext, Job};
use daemon::Daemon;

/// The namespace of Kubernetes' images.
const NAMESPACE: &str = "k8s.io";
/// Marks an image as Kubernetes' own, and keeps kubelet's garbage collection from it.
const LABELS: [&str; 2] = ["io.cri-containerd.image=managed", "io.cri-containerd.pinned=pinned"];
/// Imports at once; most of an import is decompression and digests, one core each.
const PARALLEL: usize = 2;
/// What the importing containerd leaves in its root that would be the same on every machine, or is of no use.
const REMOVED: [&str; 3] =
    ["io.containerd.grpc.v1.introspection", "io.containerd.content.v1.content/ingest", "tmpmounts"];

/// Makes image stores with the containerd that will use them.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImageStoreBuilder;

fn recipe(spec: &AssetSpec) -> Result<&ImageStoreRecipe, AssetError> {
    match spec.recipe() {
        Recipe::ImageStore(recipe) => Ok(recipe),
        _ => Err(wrong_kind(spec)),
    }
}

#[async_trait]
impl Build for ImageStoreBuilder {
    fn title(&self, _spec: &AssetSpec) -> String {
        "image store".into()
    }

    fn estimate(&self, spec: &AssetSpec) -> Option<u64> {
        recipe(spec).ok().and_then(|recipe| u64::try_from(recipe.images.len() + 2).ok())
    }

    fn uses_all_cores(&self) -> bool {
        true
    }

    async fn check(&self, _spec: &AssetSpec) -> Result<(), AssetError> {
        if rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "run kubewright with sudo");
        Err(AssetError::Io { what: "unpack images without root".into(), source })
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let job = only(jobs)?;
        let recipe = recipe(&job.spec)?;
        self.check(&job.spec).await?;
        let failed = |e| AssetError::io("make an image store", &job.out, e);
        fs::create_dir(&job.out).map_err(failed)?;
        // A socket's path may have 108 characters, fewer than the cache's.
        let state = tempfile::Builder::new().prefix("kubewright-").tempdir().map_err(failed)?;
        let containerd = context.inputs.path(&recipe.containerd)?;
        let daemon = Daemon::start(&containerd, &job.out, state.path(), context.cancel).await?;
        let imported = import_all(recipe, context, state.path()).await;
        let stopped = daemon.stop().await;
        imported.and(stopped)?;
        clean(&job.out).map_err(failed)
    }
}

async fn import_all(recipe: &ImageStoreRecipe, context: &BuildContext<'_>, state: &Path) -> Result<(), AssetError> {
    let ctr = Ctr { program: context.inputs.path(&recipe.ctr)?, state };
    let mut imports = Vec::new();
    for image in &recipe.images {
        let arguments = import(&recipe.snapshotter, &context.inputs.path(image)?);
        imports.push((image.name().to_owned(), ctr.program(image.name(), arguments)));
    }
    let (task, cancel) = (context.task, context.cancel);
    stream::iter(imports)
        .map(|(name, program)| async move {
            task.note(format!("importing {name}"));
            process::run(&program, cancel, &mut |_| ()).await
        })
        .buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    let names =
        process::output(&ctr.program("listing images", ["images", "list", "--quiet"].map(Into::into).into())).await?;
    let mut named = 0;
    for name in names.lines() {
        let words = ["images", "label", name].into_iter().chain(LABELS);
        process::run(&ctr.program(name, words.map(Into::into).collect()), context.cancel, &mut |_| ()).await?;
        named += 1;
    }
    if named >= recipe.images.len() {
        return Ok(());
    }
    let why = format!("it holds {named} images, but {} were imported", recipe.images.len());
    Err(AssetError::Unreadable { what: "the image store".into(), why })
}

/// containerd's client, and where the daemon listens.
struct Ctr<'a> {
    program: std::path::PathBuf,
    state: &'a Path,
}

impl Ctr<'_> {
    fn program(&self, what: &str, arguments: Vec<OsString>) -> Program {
        let mut all: Vec<OsString> = vec!["--address".into(), configuration::socket(self.state).into()];
        all.extend(["--namespace", NAMESPACE].map(Into::into));
        all.extend(arguments);
        Program {
            what: format!("importing {what}"),
            program: self.program.display().to_string(),
            arguments: all,
            ..Program::default()
        }
    }
}

/// Arguments that import an archive. Without `--local` the client leaves the work to the daemon, whose own mounts
/// nobody else sees.
fn import(snapshotter: &str, archive: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["images", "import", "--all-platforms", "--snapshotter", snapshotter].map(Into::into).into();
    arguments.push(archive.into());
    arguments
}

fn clean(root: &Path) -> io::Result<()> {
    for path in REMOVED {
        match fs::remove_dir_all(root.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_imported_for_all_platforms_into_the_recipes_snapshotter() {
        let arguments = import("overlayfs", Path::new("/cache/image-etcd"));
        let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(words, ["images", "import", "--all-platforms", "--snapshotter", "overlayfs", "/cache/image-etcd"]);
    }

    #[test]
    fn what_would_be_the_same_on_every_machine_is_removed() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("io.containerd.grpc.v1.introspection")).unwrap();
        fs::create_dir_all(root.path().join("io.containerd.metadata.v1.bolt")).unwrap();
        clean(root.path()).unwrap();
        assert!(!root.path().join("io.containerd.grpc.v1.introspection").exists());
        assert!(root.path().join("io.containerd.metadata.v1.bolt").exists());
    }
}
