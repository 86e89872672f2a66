//! Upstream's release addresses and a real registry, with faults, are enough to make a cluster of.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use testkit::{Trouble, WebServer};

use crate::published::{self, IMAGES};
use crate::registry::{self, Registry};
use crate::world::{World, both};
use crate::{checks, documents};

const KUBELET: &str = "dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet";
const CONTAINERD: &str =
    "github.com/containerd/containerd/releases/download/v2.4.2/containerd-2.4.2-linux-amd64.tar.gz";

pub(crate) fn story(world: &mut World) {
    let assets = published::cached(world);
    let mirror = mirror_of_what_nobody_publishes(world);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let registry = Registry::start(&world.path("registry"));
    for (asset, repository, tag) in IMAGES {
        runtime.block_on(registry.push(&assets[asset], repository, tag));
    }
    let server = runtime.block_on(WebServer::start()).expect("a server");
    published::publish(&server, &assets);
    server.move_below("v2/", &registry.url());
    world.leave_the_cache();
    let sources = format!("{},{mirror}", server.url());

    server.trouble(&format!("{KUBELET}.sha256"), Trouble::Status(429, Some(1)));
    server.trouble(CONTAINERD, Trouble::Cut(4 << 20));
    let first = lying_layer_is_refused(world, &registry, &assets["image-pause"], &sources);
    let second = world.try_kubewright(&["assets", "pull", "--sources", &sources]);
    assert!(second.status.success(), "{}", both(&second));
    everything_was_fetched(&server, &(first + &both(&second)));
    let sources = format!("assets: {{sources: [{}, {mirror}]}}", server.url());
    let documents = documents::control_plane("upstream1", &sources);
    let documents = world.write("upstream1.yaml", &documents);
    world.kubewright(&["create", "cluster", "upstream1", "-f", &documents, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    checks::nothing_to_do(world, "upstream1");
    world.kubewright(&["delete", "cluster", "upstream1", "--yes"]);
}

/// A mirror that has our own programs and the machine image, and lacks all the rest.
fn mirror_of_what_nobody_publishes(world: &mut World) -> String {
    const KEPT: [&str; 3] = ["kubewright-agent@", "rootfs@", "image-busybox@"];
    let directory = world.path("mirror");
    let mirror = directory.display().to_string();
    world.kubewright(&["assets", "mirror", &mirror]);
    world.kubewright(&["assets", "verify", "--sources", &mirror]);
    for entry in std::fs::read_dir(directory.join("refs")).expect("records") {
        let entry = entry.expect("an entry");
        if !KEPT.iter().any(|kept| entry.file_name().to_string_lossy().starts_with(kept)) {
            std::fs::remove_file(entry.path()).expect("a record is removed");
        }
    }
    let verified = world.try_kubewright(&["assets", "verify", "--sources", &mirror]);
    assert!(!verified.status.success() && both(&verified).contains("lacks: kubelet, "), "{}", both(&verified));
    mirror
}

/// A layer that is not what its digest says is put aside, and both digests are named.
fn lying_layer_is_refused(world: &mut World, registry: &Registry, archive: &Path, sources: &str) -> String {
    let layer = registry::layers(archive).remove(0);
    let file = registry.blob(&layer);
    flip_first_byte(&file);
    let pulled = world.try_kubewright(&["assets", "pull", "--sources", sources]);
    let said = both(&pulled);
    assert!(!pulled.status.success() && said.contains(&layer), "{said}");
    let aside = world.path("cache/kubewright/quarantine");
    let kept: Vec<String> = std::fs::read_dir(&aside)
        .expect("a quarantine")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let [kept] = kept.as_slice() else { panic!("one file is put aside: {kept:?}") };
    assert!(said.contains(kept.as_str()), "{said}");
    let found = kept.split('-').next().expect("a digest");
    assert!(found.len() == 64 && found != layer && said.contains(&format!("SHA-256 is {found}")), "{said}");
    flip_first_byte(&file);
    said
}

fn flip_first_byte(path: &Path) {
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path).expect("the blob is opened");
    let mut byte = [0];
    file.read_exact(&mut byte).expect("the blob is read");
    file.rewind().expect("the blob is rewound");
    file.write_all(&[byte[0] ^ 0xff]).expect("the blob is written");
}

fn everything_was_fetched(server: &WebServer, said: &str) {
    for name in ["kubelet", "containerd-2.4.2-linux-amd64.tar.gz", "image-etcd", "image-pause"] {
        let line = said.lines().find(|line| line.contains(&format!("{name}: fetched from mirror {}", server.url())));
        assert!(line.is_some(), "{name} is not fetched from upstream's layout:\n{said}");
    }
    assert!(said.contains("image store: built"), "it is made of upstream's images:\n{said}");
    let asked = server.gets(&format!("{KUBELET}.sha256"));
    assert!(asked.len() > 1, "a busy server is asked again: {asked:?}");
    let gets = server.gets(CONTAINERD);
    assert!(gets.len() == 2 && gets[1] > 0, "a cut download goes on where it stopped: {gets:?}");
}
