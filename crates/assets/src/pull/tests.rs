//! Pulling, with a builder and a source that count what they are asked to do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use catalog::{Selection, SourceDigests, assets_for, find};
use engine::Event;
use fs_err as fs;
use tempfile::TempDir;
use testkit::WebServer;

use super::*;
use crate::{Build, BuildContext, Job, Mirror};

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl EventSink for Events {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// "Builds" whatever it is asked for: the content is the asset's name, and trees hold one file.
#[derive(Default)]
struct Scripted {
    calls: Mutex<Vec<Vec<String>>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    /// Appended to the content.
    flavour: &'static str,
    fails: Option<&'static str>,
    /// Everything else takes for ever, and a while to stop.
    others_linger: bool,
    unusable: bool,
    /// Keeps all cores busy, and is not done before the sources of so many builds are there.
    needs_sources_of: usize,
    fetched: Mutex<Vec<String>>,
}

#[async_trait]
impl Build for Scripted {
    fn group(&self, spec: &AssetSpec) -> String {
        spec.name().split_once("cni-").map_or_else(|| spec.asset_ref(), |_| "cni".to_owned() + &spec.kind_text())
    }

    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        Some(1)
    }

    fn uses_all_cores(&self) -> bool {
        self.needs_sources_of > 0
    }

    fn has_sources(&self) -> bool {
        self.needs_sources_of > 0
    }

    async fn fetch_sources(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        assert!(context.scratch.is_dir());
        self.fetched.lock().unwrap().extend(jobs.iter().map(|job| job.spec.name().to_owned()));
        Ok(())
    }

    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        let missing = || AssetError::ToolMissing { tool: "tool".into(), needed_for: spec.name().to_owned() };
        if self.unusable { Err(missing()) } else { Ok(()) }
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        tokio::task::yield_now().await;
        while self.fetched.lock().unwrap().len() < self.needs_sources_of {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        self.calls.lock().unwrap().push(jobs.iter().map(|job| job.spec.name().to_owned()).collect());
        for job in jobs {
            if self.fails == Some(job.spec.name()) {
                self.running.fetch_sub(1, Ordering::SeqCst);
                return Err(AssetError::ToolMissing { tool: "tool".into(), needed_for: job.spec.name().to_owned() });
            }
            if self.others_linger {
                context.cancel.cancelled().await;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                self.running.fetch_sub(1, Ordering::SeqCst);
                return Err(AssetError::Cancelled(job.spec.name().to_owned()));
            }
            for input in job.spec.recipe().inputs() {
                assert!(context.inputs.path(input)?.exists(), "{input} comes first");
            }
            let content = format!("{}{}", job.spec.name(), self.flavour);
            match job.spec.kind() {
                catalog::AssetKind::File => fs::write(&job.out, content).unwrap(),
                catalog::AssetKind::Tree => {
                    fs::create_dir(&job.out).unwrap();
                    fs::write(job.out.join("file"), content).unwrap();
                }
            }
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

trait KindText {
    fn kind_text(&self) -> String;
}

impl KindText for AssetSpec {
    fn kind_text(&self) -> String {
        format!("{:?}", self.kind())
    }
}

struct World {
    directory: TempDir,
    events: Arc<Events>,
    set: AssetSet,
}

impl World {
    fn new() -> Self {
        let selection = Selection::everything(SourceDigests::default());
        let set = assets_for(find("1.36").unwrap(), &selection);
        Self { directory: TempDir::new().unwrap(), events: Arc::default(), set }
    }

    fn cache(&self) -> AssetCache {
        AssetCache::open(self.directory.path().join("cache"))
    }

    fn puller(&self, builder: &Arc<Scripted>) -> Puller {
        let builders = Builders::all(Arc::<Scripted>::clone(builder));
        Puller::new(self.cache(), vec![Origin::Build(builders)], Arc::<Events>::clone(&self.events))
    }
}

#[tokio::test]
async fn everything_wanted_is_built_once_and_then_cached() {
    let world = World::new();
    let builder = Arc::new(Scripted::default());
    let lock = world.puller(&builder).pull(&world.set, None).await.unwrap();
    assert_eq!(lock.entries.len(), world.set.wanted().count());
    let calls = builder.calls.lock().unwrap().len();
    let again = world.puller(&builder).pull(&world.set, Some(&lock)).await.unwrap();
    assert_eq!(again, lock);
    assert_eq!(builder.calls.lock().unwrap().len(), calls, "nothing was built again");
    assert!(world.puller(&builder).plan(&world.set, None).await.unwrap().is_complete());
}

#[tokio::test]
async fn assets_of_one_group_are_built_by_one_call() {
    let world = World::new();
    let builder = Arc::new(Scripted::default());
    world.puller(&builder).pull(&world.set, None).await.unwrap();
    let calls = builder.calls.lock().unwrap();
    let plugins = calls.iter().find(|names| names.contains(&"cni-bridge".to_owned())).unwrap();
    assert_eq!(plugins.len(), catalog::names::CNI_PLUGIN_FILES.len() + 1);
}

#[tokio::test]
async fn only_what_is_wanted_and_its_inputs_are_built() {
    let world = World::new();
    let builder = Arc::new(Scripted::default());
    let set = world.set.clone().only(&["image-etcd"]);
    world.puller(&builder).pull(&set, None).await.unwrap();
    let mut names: Vec<String> = builder.calls.lock().unwrap().concat();
    names.sort();
    assert_eq!(names, ["etcd", "etcdctl", "etcdutl", "image-etcd"]);
}

#[tokio::test]
async fn sources_of_the_next_builds_are_fetched_while_one_compiles() {
    let world = World::new();
    let set = world.set.clone().only(&["kubelet", "etcd", "coredns"]);
    let builder = Arc::new(Scripted { needs_sources_of: 3, ..Scripted::default() });
    let puller = world.puller(&builder);
    tokio::time::timeout(std::time::Duration::from_secs(20), puller.pull(&set, None)).await.unwrap().unwrap();
    assert_eq!(builder.most_running.load(Ordering::SeqCst), 1, "one at a time compiles");
    assert_eq!(fs::read_dir(world.cache().root().join("scratch")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_missing_tool_shows_before_anything_is_built() {
    let world = World::new();
    let builder = Arc::new(Scripted { unusable: true, ..Scripted::default() });
    let error = world.puller(&builder).pull(&world.set, None).await.unwrap_err();
    assert!(matches!(error, AssetError::ToolMissing { .. }), "{error}");
    assert!(builder.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_build_leaves_nothing_behind_and_can_be_repeated() {
    let world = World::new();
    let failing = Arc::new(Scripted { fails: Some("kubelet"), ..Scripted::default() });
    let set = world.set.clone().only(&["kubelet"]);
    assert!(world.puller(&failing).pull(&set, None).await.is_err());
    assert!(world.cache().list().unwrap().is_empty());
    assert_eq!(fs::read_dir(world.cache().root().join("scratch")).unwrap().count(), 0);
    world.puller(&Arc::new(Scripted::default())).pull(&set, None).await.unwrap();
}

#[tokio::test]
async fn a_failed_build_is_told_when_the_others_have_stopped_too() {
    let world = World::new();
    let failing = Arc::new(Scripted { fails: Some("kubelet"), others_linger: true, ..Scripted::default() });
    let set = world.set.clone().only(&["kubelet", "etcd"]);
    let error = world.puller(&failing).pull(&set, None).await.unwrap_err();
    assert!(matches!(&error, AssetError::ToolMissing { needed_for, .. } if needed_for == "kubelet"), "{error}");
    assert!(failing.most_running.load(Ordering::SeqCst) > 1);
    assert_eq!(failing.running.load(Ordering::SeqCst), 0);
    assert_eq!(fs::read_dir(world.cache().root().join("scratch")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_build_that_differs_from_the_lock_is_refused_and_not_kept() {
    let world = World::new();
    let set = world.set.clone().only(&["kubelet"]);
    let lock = world.puller(&Arc::new(Scripted::default())).pull(&set, None).await.unwrap();
    let other = World::new();
    let builder = Arc::new(Scripted { flavour: "!", ..Scripted::default() });
    let error = other.puller(&builder).pull(&set, Some(&lock)).await.unwrap_err();
    assert!(matches!(error, AssetError::NotAsLocked { .. }), "{error}");
    assert!(other.cache().list().unwrap().is_empty());
}

#[tokio::test]
async fn what_comes_from_debian_may_differ_from_the_lock() {
    let world = World::new();
    let set = world.set.clone().only(&["rootfs"]);
    let lock = world.puller(&Arc::new(Scripted::default())).pull(&set, None).await.unwrap();
    let other = World::new();
    let builder = Arc::new(Scripted { flavour: "!", ..Scripted::default() });
    let newer = other.puller(&builder).pull(&set, Some(&lock)).await.unwrap();
    assert_ne!(newer, lock);
}

#[tokio::test]
async fn a_mirror_serves_what_was_published_and_nothing_is_built() {
    let world = World::new();
    let set = world.set.clone().only(&["kubelet", "cni-plugins"]);
    let lock = world.puller(&Arc::new(Scripted::default())).pull(&set, None).await.unwrap();
    let root = world.directory.path().join("mirror");
    let mirror = Mirror::in_directory(&root);
    assert_eq!(mirror.missing(&set).await.unwrap().len(), 2);
    let puller = world.puller(&Arc::new(Scripted::default()));
    puller.mirror(&set, &MirrorDirectory::new(&root)).await.unwrap();
    assert!(mirror.missing(&set).await.unwrap().is_empty());

    let other = World::new();
    let origins = vec![Origin::Fetch(Arc::new(mirror))];
    let puller = Puller::new(other.cache(), origins, Arc::<Events>::clone(&other.events));
    assert_eq!(puller.pull(&set, Some(&lock)).await.unwrap(), lock);
}

#[tokio::test]
async fn a_mirror_behind_a_web_server_serves_the_same() {
    let world = World::new();
    let set = world.set.clone().only(&["kubelet", "cni-plugins"]);
    let puller = world.puller(&Arc::new(Scripted::default()));
    let lock = puller.pull(&set, None).await.unwrap();
    let root = world.directory.path().join("mirror");
    puller.mirror(&set, &MirrorDirectory::new(&root)).await.unwrap();
    let server = WebServer::start().await.unwrap();
    for directory in ["refs", "objects", "trees"] {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            server.put(&format!("below/{directory}/{name}"), fs::read(&path).unwrap());
        }
    }
    let other = World::new();
    let cache = other.cache();
    let mirror = Mirror::on_the_web(&format!("{}/below/", server.url()), cache.root());
    assert!(mirror.missing(&set).await.unwrap().is_empty());
    assert_eq!(mirror.missing(&set.clone().only(&["kubectl"])).await.unwrap().len(), 1);
    let origins = vec![Origin::Fetch(Arc::new(mirror))];
    let puller = Puller::new(cache, origins, Arc::<Events>::clone(&other.events));
    assert_eq!(puller.pull(&set, Some(&lock)).await.unwrap(), lock);
}

#[tokio::test]
async fn a_mirror_with_other_content_than_it_says_is_refused() {
    let world = World::new();
    let set = world.set.clone().only(&["kubelet"]);
    let puller = world.puller(&Arc::new(Scripted::default()));
    let lock = puller.pull(&set, None).await.unwrap();
    let root = world.directory.path().join("mirror");
    puller.mirror(&set, &MirrorDirectory::new(&root)).await.unwrap();
    let object = root.join("objects").join(&lock.entries["kubelet"].sha256);
    fs::remove_file(&object).unwrap();
    fs::write(&object, "KUBELET").unwrap();
    let other = World::new();
    let origins = vec![Origin::Fetch(Arc::new(Mirror::in_directory(&root)))];
    let puller = Puller::new(other.cache(), origins, Arc::<Events>::clone(&other.events));
    let error = puller.pull(&set, None).await.unwrap_err();
    let AssetError::Damaged { moved_to: Some(aside), .. } = &error else { panic!("{error}") };
    assert_eq!(fs::read_to_string(aside).unwrap(), "KUBELET", "kept for whoever wants to know");
    assert!(other.cache().list().unwrap().is_empty());
}

#[tokio::test]
async fn an_asset_that_no_source_has_names_the_sources_that_were_asked() {
    let world = World::new();
    let origins = vec![Origin::Fetch(Arc::new(Mirror::in_directory("/no/such/mirror")))];
    let puller = Puller::new(world.cache(), origins, Arc::<Events>::clone(&world.events));
    let error = puller.pull(&world.set.clone().only(&["kubectl"]), None).await.unwrap_err();
    let AssetError::NoSource { asked, .. } = &error else { panic!("{error}") };
    assert_eq!(asked, &["cache", "mirror /no/such/mirror"]);
}

#[tokio::test]
async fn damage_in_the_cache_is_noted_and_repaired() {
    let world = World::new();
    let set = world.set.clone().only(&["kubelet"]);
    let builder = Arc::new(Scripted::default());
    let lock = world.puller(&builder).pull(&set, None).await.unwrap();
    let object = world.cache().root().join("objects").join(&lock.entries["kubelet"].sha256);
    fs::remove_file(&object).unwrap();
    fs::write(&object, "KUBELET").unwrap();
    assert_eq!(world.puller(&builder).pull(&set, Some(&lock)).await.unwrap(), lock);
    let events = world.events.0.lock().unwrap();
    let noted = |event: &Event| matches!(event, Event::Note { text } if text.contains("damaged"));
    assert!(events.iter().any(noted));
}

#[tokio::test]
async fn two_pulls_at_once_build_everything_once() {
    let world = World::new();
    let builder = Arc::new(Scripted::default());
    let (one, two) = (world.puller(&builder), world.puller(&builder));
    let (one, two) = tokio::join!(one.pull(&world.set, None), two.pull(&world.set, None));
    assert_eq!(one.unwrap(), two.unwrap());
    let mut names: Vec<String> = builder.calls.lock().unwrap().concat();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[tokio::test]
async fn a_cancelled_pull_stops_waiting_for_somebody_elses_lock() {
    let world = World::new();
    let builder = Arc::new(Scripted::default());
    let cancel = CancellationToken::new();
    let set = world.set.clone().only(&["kubelet"]);
    let spec = set.get("kubelet").unwrap();
    let task = crate::Task::start("other", None, Arc::<Events>::clone(&world.events));
    let path = world.cache().lock_file(spec.reference());
    let _held = crate::cache::AssetLock::acquire(path, &task, &cancel).await.unwrap();
    let puller = world.puller(&builder).cancelled_by(cancel.clone());
    let (pulled, ()) = tokio::join!(puller.pull(&set, None), async {
        tokio::task::yield_now().await;
        cancel.cancel();
    });
    assert!(matches!(pulled, Err(AssetError::Cancelled(_))));
}
