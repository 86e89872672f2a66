//! Upstream's release addresses, on a web server with faults.

use std::io::Write as _;

use catalog::{AssetSet, Lock, Selection, assets_for, find};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use testkit::{CollectedEvents, Trouble, WebServer};

use super::*;
use crate::{AssetCache, Builders, Origin, Puller};

const KUBELET: &str = "dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet";
const CONTAINERD: &str =
    "github.com/containerd/containerd/releases/download/v2.4.2/containerd-2.4.2-linux-amd64.tar.gz";

fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// A cache, and a server in the layout of the release addresses.
struct World {
    directory: TempDir,
    server: WebServer,
    events: Arc<CollectedEvents>,
    manner: Manner,
}

impl World {
    async fn new() -> Self {
        let server = WebServer::start().await.unwrap();
        let world =
            Self { directory: TempDir::new().unwrap(), server, events: Arc::default(), manner: Manner::Insisting };
        let kubelet = kubelet();
        world.server.put(KUBELET, kubelet.clone());
        world.server.put(&format!("{KUBELET}.sha256"), sha256(&kubelet));
        let archive = archive(&[("bin/ctr", "ctr"), ("bin/containerd", "containerd"), ("bin/other", "other")]);
        let sums = format!("{}  containerd-2.4.2-linux-amd64.tar.gz\n", sha256(&archive));
        world.server.put(CONTAINERD, archive);
        world.server.put(&format!("{CONTAINERD}.sha256sum"), sums);
        world
    }

    fn cache(&self) -> AssetCache {
        AssetCache::open(self.directory.path().join("cache"))
    }

    fn upstream_at(&self, base: &str) -> Upstream {
        let root = self.cache().root().to_owned();
        let upstream = Upstream::new(self.manner, &root, Arc::<CollectedEvents>::clone(&self.events));
        upstream.mirrored_at(base).pausing(Duration::from_millis(5))
    }

    fn puller(&self) -> Puller {
        let origins =
            vec![Origin::Fetch(Arc::new(self.upstream_at(&self.server.url()))), Origin::Build(Builders::default())];
        Puller::new(self.cache(), origins, Arc::<CollectedEvents>::clone(&self.events))
    }

    async fn pull(&self, names: &[&str]) -> Result<Lock, AssetError> {
        self.puller().pull(&set().only(names), None).await
    }

    fn content(&self, name: &str) -> Vec<u8> {
        let asset = self.cache().find(set().get(name).unwrap().reference()).unwrap().unwrap();
        fs::read(asset.path).unwrap()
    }

    fn notes(&self) -> Vec<String> {
        let events = self.events.all();
        let notes = events.into_iter().filter_map(|event| match event {
            Event::Note { text } => Some(text),
            _ => None,
        });
        notes.collect()
    }
}

/// More than goes over the wire at once.
fn kubelet() -> Vec<u8> {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn set() -> AssetSet {
    assets_for(find("1.36").unwrap(), &Selection::default())
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("./{path}"), content.as_bytes()).unwrap();
    }
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn a_program_is_fetched_once_and_locked_by_its_content() {
    let world = World::new().await;
    let lock = world.pull(&["kubelet"]).await.unwrap();
    assert_eq!(lock.entries["kubelet"].sha256, sha256(&kubelet()));
    assert_eq!(world.content("kubelet"), kubelet());
    world.pull(&["kubelet"]).await.unwrap();
    assert_eq!(world.server.gets(KUBELET), [0], "the second pull took it from the cache");
    let left: Vec<_> = fs::read_dir(world.cache().root().join("downloads")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn files_of_one_archive_are_fetched_in_one_go() {
    let world = World::new().await;
    world.pull(&["ctr", "containerd"]).await.unwrap();
    assert_eq!(world.content("ctr"), b"ctr");
    assert_eq!(world.content("containerd"), b"containerd");
    assert_eq!(world.server.gets(CONTAINERD).len(), 1);
}

#[tokio::test]
async fn an_archive_without_the_file_is_an_error_that_names_both() {
    let world = World::new().await;
    let error = world.pull(&["containerd-shim-runc-v2"]).await.unwrap_err().to_string();
    assert!(error.contains("containerd-2.4.2-linux-amd64.tar.gz") && error.contains("containerd-shim"), "{error}");
}

#[tokio::test]
async fn redirects_are_followed() {
    let world = World::new().await;
    world.server.put("elsewhere/kubelet", kubelet());
    world.server.trouble(KUBELET, Trouble::Redirect(format!("{}/elsewhere/kubelet", world.server.url())));
    world.pull(&["kubelet"]).await.unwrap();
    assert_eq!(world.content("kubelet"), kubelet());
}

#[tokio::test]
async fn a_cut_transfer_goes_on_where_it_stopped() {
    let world = World::new().await;
    world.server.trouble(KUBELET, Trouble::Cut(300_000));
    world.server.trouble(KUBELET, Trouble::Cut(200_000));
    world.pull(&["kubelet"]).await.unwrap();
    assert_eq!(world.content("kubelet"), kubelet());
    let gets = world.server.gets(KUBELET);
    assert!(gets.len() == 3 && gets[0] == 0 && gets[1] > 0 && gets[2] >= gets[1], "{gets:?}");
}

#[tokio::test]
async fn a_later_run_goes_on_where_an_earlier_one_gave_up() {
    let world = World::new().await;
    world.server.trouble(KUBELET, Trouble::Cut(300_000));
    world.server.trouble(KUBELET, Trouble::Status(403, None));
    let error = world.pull(&["kubelet"]).await.unwrap_err();
    assert!(error.to_string().contains("403") && error.hint().is_some(), "{error}");
    world.pull(&["kubelet"]).await.unwrap();
    assert!(world.server.gets(KUBELET)[2] > 0, "{:?}", world.server.gets(KUBELET));
    assert_eq!(world.content("kubelet"), kubelet());
}

#[tokio::test]
async fn a_server_that_only_sends_whole_files_is_good_enough() {
    let world = World::new().await;
    world.server.trouble(KUBELET, Trouble::Cut(300_000));
    world.server.trouble(KUBELET, Trouble::Whole);
    world.pull(&["kubelet"]).await.unwrap();
    assert_eq!(world.content("kubelet"), kubelet());
}

#[tokio::test]
async fn the_beginning_of_another_file_is_thrown_away() {
    let world = World::new().await;
    let downloads = world.cache().root().join("downloads");
    fs::create_dir_all(&downloads).unwrap();
    for wrong in [1000, kubelet().len(), kubelet().len() + 1000] {
        fs::write(downloads.join(sha256(&kubelet())), vec![7; wrong]).unwrap();
        let _ = fs::remove_dir_all(world.cache().root().join("refs"));
        world.pull(&["kubelet"]).await.unwrap();
        assert_eq!(world.content("kubelet"), kubelet());
    }
}

#[tokio::test]
async fn busy_servers_are_asked_again() {
    let world = World::new().await;
    for status in [429, 500, 502, 503, 504] {
        world.server.trouble(KUBELET, Trouble::Status(status, None));
    }
    world.server.trouble(&format!("{KUBELET}.sha256"), Trouble::Status(429, Some(0)));
    world.server.trouble(&format!("{KUBELET}.sha256"), Trouble::Status(503, None));
    world.pull(&["kubelet"]).await.unwrap();
    assert_eq!(world.server.gets(KUBELET).len(), 6);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up_with_its_words() {
    let world = World::new().await;
    for _ in 0..10 {
        world.server.trouble(KUBELET, Trouble::Status(503, None));
    }
    let error = world.pull(&["kubelet"]).await.unwrap_err().to_string();
    assert!(error.contains("503 Service Unavailable") && error.contains("6 attempts"), "{error}");
    assert!(error.contains(KUBELET), "{error}");
}

#[tokio::test]
async fn what_belies_its_published_checksum_is_put_into_quarantine() {
    let world = World::new().await;
    world.server.trouble(KUBELET, Trouble::Lie(b"not the kubelet".to_vec()));
    let error = world.pull(&["kubelet"]).await.unwrap_err();
    let AssetError::Damaged { expected, found, moved_to: Some(aside), .. } = &error else { panic!("{error}") };
    assert_eq!((expected, found), (&sha256(&kubelet()), &sha256(b"not the kubelet")));
    assert_eq!(fs::read(aside).unwrap(), b"not the kubelet");
    let text = error.to_string();
    assert!(text.contains(expected) && text.contains(found) && text.contains(KUBELET), "{text}");
    assert!(world.cache().list().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_lock_does_not_say_is_put_into_quarantine_though_upstream_stands_by_it() {
    let world = World::new().await;
    let mut lock = world.pull(&["ctr"]).await.unwrap();
    let other = World::new().await;
    lock.entries.get_mut("ctr").unwrap().sha256 = sha256(b"what ctr was");
    let error = other.puller().pull(&set().only(&["ctr"]), Some(&lock)).await.unwrap_err();
    let AssetError::NotAsLocked { locked, found, moved_to: Some(aside), .. } = &error else { panic!("{error}") };
    assert_eq!((locked, found), (&sha256(b"what ctr was"), &sha256(b"ctr")));
    assert_eq!(fs::read(aside).unwrap(), b"ctr");
}

#[tokio::test]
async fn without_a_published_checksum_nothing_is_fetched() {
    let world = World::new().await;
    world.server.trouble(&format!("{KUBELET}.sha256"), Trouble::Status(404, None));
    let error = world.pull(&["kubelet"]).await.unwrap_err();
    assert!(matches!(error, AssetError::NoSource { .. }), "{error}");
    assert!(world.server.gets(KUBELET).is_empty());
}

#[tokio::test]
async fn a_sign_in_page_instead_of_a_checksum_is_no_source() {
    let mut world = World::new().await;
    world.manner = Manner::Probing;
    world.server.trouble(&format!("{KUBELET}.sha256"), Trouble::Lie(b"<html>Sign in</html>".to_vec()));
    let error = world.pull(&["kubelet"]).await.unwrap_err();
    assert!(matches!(error, AssetError::NoSource { .. }), "{error}");
    assert!(world.notes()[0].contains("no list of checksums"), "{:?}", world.notes());
}

/// An address that nobody listens on.
async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn where_upstream_does_not_answer_auto_goes_on_and_says_so_once() {
    let mut world = World::new().await;
    world.manner = Manner::Probing;
    let upstream = world.upstream_at(&nowhere().await);
    let set = set();
    for name in ["kubelet", "kubectl", "image-etcd", "image-pause"] {
        assert_eq!(upstream.offer(set.get(name).unwrap()).await.unwrap(), None, "{name}");
    }
    let notes = world.notes();
    assert!(notes.len() == 1 && notes[0].contains("does not answer (Connection refused"), "{notes:?}");
}

#[tokio::test]
async fn where_upstream_is_insisted_on_its_silence_is_an_error() {
    let world = World::new().await;
    let upstream = world.upstream_at(&nowhere().await);
    for name in ["kubelet", "image-etcd"] {
        let error = upstream.offer(set().get(name).unwrap()).await.unwrap_err();
        assert!(matches!(error, AssetError::Unreachable { .. }), "{name}: {error}");
        assert!(error.hint().unwrap().contains("spec.assets.sources"));
    }
}
