//! Pulls every asset of a release for real: minutes of compiling, so only on demand.
//!
//! ```text
//! KUBEWRIGHT_TEST_CACHE=DIR [KUBEWRIGHT_TEST_KUBERNETES=1.36] [KUBEWRIGHT_TEST_ASSETS=kubectl,ctr] \
//!   cargo test -p assets --test real -- --ignored --nocapture
//! ```
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, reason = "a test that is run by hand")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a test that is watched by a person")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use assets::{AssetCache, Builders, Mirror, MirrorDirectory, Origin, Puller};
use catalog::{AssetSet, Lock, Selection, SourceDigests, assets_for, find};
use engine::{Event, EventSink};

/// Prints what ended, and what is new about what goes on.
struct Printer(Instant, Mutex<String>);

impl EventSink for Printer {
    fn emit(&self, event: Event) {
        let seconds = self.0.elapsed().as_secs();
        match event {
            Event::TaskFinished { task, note } => println!("{seconds:>5} s  {task}: {note}"),
            Event::TaskProgress { task, done, total, note } => {
                let mut last = self.1.lock().unwrap();
                let line = format!("{task} {note}");
                if *last != line && std::env::var_os("KUBEWRIGHT_TEST_VERBOSE").is_some() {
                    println!("{seconds:>5} s  {task} {done}/{total:?} {note}");
                }
                *last = line;
            }
            other => println!("{seconds:>5} s  {other:?}"),
        }
    }
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What the settings ask for, and a puller that builds it.
fn puller() -> (AssetSet, Puller) {
    let cache = setting("KUBEWRIGHT_TEST_CACHE").expect("KUBEWRIGHT_TEST_CACHE names the cache's directory");
    let cache = AssetCache::open(cache);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let digest = |package: &str| sources::digest(&workspace, package).unwrap();
    let sources = SourceDigests { agent: digest("agent"), pause: digest("pause") };
    let release = find(&setting("KUBEWRIGHT_TEST_KUBERNETES").unwrap_or("1.36".into())).unwrap();
    let mut set = assets_for(release, &Selection::everything(sources));
    if let Some(names) = setting("KUBEWRIGHT_TEST_ASSETS") {
        set = set.only(&names.split(',').collect::<Vec<_>>());
    }
    let cargo_home = setting("CARGO_HOME").map(PathBuf::from).or(setting("HOME").map(|h| Path::new(&h).join(".cargo")));
    let builders = Builders::standard().with_workspace(&workspace, cargo_home.as_deref(), &cache);
    (set, Puller::new(cache, vec![Origin::Build(builders)], printer()))
}

fn printer() -> Arc<Printer> {
    Arc::new(Printer(Instant::now(), Mutex::default()))
}

async fn pull(puller: &Puller, set: &AssetSet) -> Lock {
    puller.pull(set, None).await.unwrap_or_else(|error| {
        panic!("{error:?}\n{}\n{:?}", error.output().join("\n"), error.hint());
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds Kubernetes; see the head of the file"]
async fn everything_of_a_release_can_be_pulled() {
    let (set, puller) = puller();
    let plan = puller.plan(&set, None).await.unwrap();
    println!("typically {} s of building", plan.estimate());
    println!("{}", pull(&puller, &set).await.to_text().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "copies gigabytes; see the head of the file"]
async fn a_mirror_gives_back_what_was_pulled() {
    let (set, puller) = puller();
    let lock = pull(&puller, &set).await;
    let directory = tempfile::TempDir::new_in(puller.cache().root()).unwrap();
    let root = directory.path().join("mirror");
    puller.mirror(&set, &MirrorDirectory::new(&root)).await.unwrap();
    let mirror = Mirror::in_directory(&root);
    assert!(mirror.missing(&set).await.unwrap().is_empty());
    let cache = AssetCache::open(directory.path().join("cache"));
    let from_mirror = Puller::new(cache, vec![Origin::Fetch(Arc::new(mirror))], printer());
    assert_eq!(pull(&from_mirror, &set).await, lock);
    from_mirror.verify(&set, Some(&lock)).unwrap();
}
