//! Builds a machine image and an image store for real, on demand: needs root, mmdebstrap and the network.
//!
//! ```text
//! KUBEWRIGHT_TEST_OUT=DIR [KUBEWRIGHT_TEST_BINARIES=DIR with containerd and ctr] \
//!   cargo test -p assets --test machines -- --ignored
//! ```
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assets::{AssetError, Build, BuildContext, ImageStoreBuilder, Inputs, Job, RootfsBuilder, Task};
use catalog::recipe::{ImageStoreRecipe, Recipe};
use catalog::{AssetRef, AssetSpec, debian};
use engine::{Event, EventSink};
use tokio_util::sync::CancellationToken;

struct Quiet;

impl EventSink for Quiet {
    fn emit(&self, _event: Event) {}
}

#[derive(Default)]
struct Files(BTreeMap<AssetRef, PathBuf>);

impl Inputs for Files {
    fn path(&self, asset: &AssetRef) -> Result<PathBuf, AssetError> {
        let missing = || AssetError::Missing(engine::AssetMissing(asset.to_string()));
        self.0.get(asset).cloned().ok_or_else(missing)
    }
}

fn directory(name: &str) -> PathBuf {
    std::env::var_os(name).map_or_else(|| panic!("{name} names a directory"), PathBuf::from)
}

async fn build(builder: &dyn Build, spec: AssetSpec, inputs: &Files, out: &Path) {
    let task = Task::start(spec.name(), None, Arc::new(Quiet));
    let scratch = tempfile::tempdir_in(out).unwrap();
    let context = BuildContext { inputs, scratch: scratch.path(), task: &task, cancel: &CancellationToken::new() };
    builder.check(&spec).await.unwrap();
    let job = Job { out: out.join(spec.name()), spec };
    builder.build(&[job], &context).await.unwrap_or_else(|error| panic!("{error:?}"));
}

#[tokio::test]
#[ignore = "needs root and the network; see the head of the file"]
async fn a_machine_image_starts_little_and_is_nobodys() {
    let out = directory("KUBEWRIGHT_TEST_OUT");
    build(&RootfsBuilder, debian::machine_rootfs(), &Files::default(), &out).await;
    let image = out.join("rootfs");
    for path in ["usr/sbin/runc", "usr/sbin/nft", "usr/sbin/haproxy", "usr/lib/kubewright/prepare", "usr/sbin/sshd"] {
        assert!(image.join(path).exists(), "{path}");
    }
    for path in
        ["etc/ssh/ssh_host_rsa_key", "etc/machine-id", "etc/systemd/system/multi-user.target.wants/haproxy.service"]
    {
        assert!(!image.join(path).exists(), "{path}");
    }
}

/// Archives: all `*.tar` files beside containerd.
#[tokio::test]
#[ignore = "needs root and containerd; see the head of the file"]
async fn an_image_store_holds_every_image() {
    let (out, binaries) = (directory("KUBEWRIGHT_TEST_OUT"), directory("KUBEWRIGHT_TEST_BINARIES"));
    let mut files = Files::default();
    let mut input = |name: &str, file: PathBuf| {
        let reference: AssetRef = format!("{name}@{}", "0".repeat(64)).parse().unwrap();
        files.0.insert(reference.clone(), file);
        reference
    };
    let (containerd, ctr) = (input("containerd", binaries.join("containerd")), input("ctr", binaries.join("ctr")));
    let mut images = Vec::new();
    for entry in std::fs::read_dir(&binaries).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "tar") {
            images.push(input(&format!("image-{}", images.len()), file));
        }
    }
    let recipe = ImageStoreRecipe { images, containerd, ctr, snapshotter: "overlayfs".into(), revision: 1 };
    build(&ImageStoreBuilder, AssetSpec::new("image-store", Recipe::ImageStore(recipe)), &files, &out).await;
    assert!(out.join("image-store/io.containerd.metadata.v1.bolt/meta.db").is_file());
    assert!(!out.join("image-store/io.containerd.grpc.v1.introspection").exists());
}
