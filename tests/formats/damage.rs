//! Whatever happens to what is stored: no panic, nothing written over it, and an error that names what is damaged.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use credentials::{Vault, VaultError};
use engine::{ClusterStore, RevisionError, StateStore, StoreError};
use plan::Plan;
use proptest::prelude::*;
use state_fs::FsStore;
use testkit::SeededRandomness;

use crate::fixture::{self, Files};
use crate::writing::{CLUSTER, lock_info};

/// One thing that happens to a file.
#[derive(Debug, Clone)]
enum Damage {
    CutOff(f64),
    Flipped(f64, u8),
    Inserted(f64, Vec<u8>),
    Removed(f64, usize),
    Replaced(Vec<u8>),
    /// Something that is valid, and something else.
    Foreign(&'static str),
    Swapped(f64),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let place = || 0.0..1.0;
        let texts =
            ["{}", "[]", "null", "3", "{\"format\": 1}", "{\"format\": 99}", "\"\"", "{\"record\": \"runStarted\"}\n"];
        prop_oneof![
            place().prop_map(Self::CutOff),
            (place(), 1..=u8::MAX).prop_map(|(place, bits)| Self::Flipped(place, bits)),
            (place(), prop::collection::vec(any::<u8>(), 1..20))
                .prop_map(|(place, bytes)| Self::Inserted(place, bytes)),
            (place(), 1..200_usize).prop_map(|(place, length)| Self::Removed(place, length)),
            prop::collection::vec(any::<u8>(), 0..200).prop_map(Self::Replaced),
            prop::sample::select(texts.to_vec()).prop_map(Self::Foreign),
            place().prop_map(Self::Swapped),
        ]
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
    fn at(bytes: &[u8], place: f64) -> usize {
        (bytes.len() as f64 * place) as usize
    }

    fn strike(&self, files: &mut Files, path: &str) {
        let mut bytes = files[path].clone();
        match self {
            Self::CutOff(place) => bytes.truncate(Self::at(&bytes, *place)),
            Self::Flipped(place, bits) => {
                let at = Self::at(&bytes, *place);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Self::Inserted(place, new) => {
                let at = Self::at(&bytes, *place);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Removed(place, length) => {
                let at = Self::at(&bytes, *place);
                let end = (at + length).min(bytes.len());
                bytes.drain(at..end);
            }
            Self::Replaced(new) => bytes.clone_from(new),
            Self::Foreign(text) => bytes = text.as_bytes().to_vec(),
            Self::Swapped(place) => {
                let other = files.values().nth(Self::at(&vec![0; files.len()], *place));
                bytes.clone_from(other.expect("another file"));
            }
        }
        files.insert(path.to_owned(), bytes);
    }
}

fn sound() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| fixture::read(fixture::NEWEST))
}

/// Damage is named; nothing else may come of it.
fn named<T>(result: Result<T, StoreError>) -> Option<StoreError> {
    let error = result.err()?;
    let is_clear = matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. } | StoreError::Unusable { .. });
    assert!(is_clear && error.to_string().len() > 10, "{error:?}");
    Some(error)
}

/// Reads everything that a command could read; gives what was found wrong.
async fn read_all(root: &Path) -> Vec<StoreError> {
    let store: Arc<dyn StateStore> = Arc::new(FsStore::new(root));
    let cluster = ClusterStore::new(store.clone(), CLUSTER);
    let mut errors = vec![named(cluster.load().await), named(cluster.runs().await), named(cluster.revisions().await)];
    if let Err(RevisionError::Store(error)) = cluster.revision("").await {
        errors.push(named(Err::<(), _>(error)));
    }
    match Vault::open(store.clone(), CLUSTER, &root.join("operator.key"), &SeededRandomness::new(3)).await {
        Err(VaultError::Store(error)) => errors.push(named(Err::<(), _>(error))),
        Err(error) => assert!(error.to_string().len() > 10, "{error:?}"),
        Ok(_) => {}
    }
    if let Ok(text) = std::fs::read_to_string(root.join("plan.json"))
        && let Err(error) = Plan::from_text(&text)
    {
        assert!(error.to_string().starts_with("it "), "{error}");
    }
    if let Ok(verified) = cluster.verify().await
        && errors.iter().flatten().any(|error| matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. }))
    {
        assert!(!verified.damages.is_empty(), "{errors:?} is not found by looking for damages");
    }
    errors.into_iter().flatten().collect()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime").block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_it_panic_or_write(which in 0..100_usize, damage in Damage::any()) {
        let mut files = sound().clone();
        let path = files.keys().nth(which % files.len()).cloned().expect("a file");
        damage.strike(&mut files, &path);
        let root = tempfile::tempdir().expect("a directory");
        fixture::lay_out(&files, root.path());
        run(read_all(root.path()));
        prop_assert!(fixture::collect(root.path()) == files, "reading has written");
    }

    #[test]
    fn a_damaged_lock_never_lets_the_epoch_fall(damage in Damage::any()) {
        let mut files = sound().clone();
        let path = files.keys().find(|path| path.ends_with("/lock")).cloned().expect("the lock");
        damage.strike(&mut files, &path);
        let root = tempfile::tempdir().expect("a directory");
        fixture::lay_out(&files, root.path());
        let store = FsStore::new(root.path());
        let lease = run(store.lock(CLUSTER, lock_info())).expect("nobody holds it");
        prop_assert!(lease.epoch() > 1 || matches!(damage, Damage::Flipped(..) | Damage::Inserted(..)));
    }
}

#[test]
fn every_object_and_head_that_differs_in_one_byte_is_found() {
    for (path, bytes) in sound() {
        let is_kept = path.contains("/objects/") || path.ends_with("/head.json");
        if !is_kept {
            continue;
        }
        let mut files = sound().clone();
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 0x80;
        files.insert(path.clone(), changed);
        let root = tempfile::tempdir().unwrap();
        fixture::lay_out(&files, root.path());
        let store: Arc<dyn StateStore> = Arc::new(FsStore::new(root.path()));
        let verified = run(ClusterStore::new(store, CLUSTER).verify()).unwrap();
        assert!(!verified.damages.is_empty(), "{path}");
    }
}

/// The head before the last one leads to the same records: what an end folds is still in the journal.
#[test]
fn the_head_that_is_kept_leads_to_the_same_records() {
    let root = tempfile::tempdir().unwrap();
    fixture::lay_out(sound(), root.path());
    let store: Arc<dyn StateStore> = Arc::new(FsStore::new(root.path()));
    let cluster = ClusterStore::new(store.clone(), CLUSTER);
    let lease = run(store.lock(CLUSTER, lock_info())).unwrap();
    let before = run(cluster.end_run(&*lease, "20260101T000100Z-bbbbbb")).unwrap();
    let earlier = store.earlier_head(CLUSTER).expect("it is kept");
    let head = root.path().join("clusters").join(CLUSTER).join("head.json");
    std::fs::write(&head, "{").unwrap();
    assert!(matches!(run(cluster.load()), Err(StoreError::Damaged { .. })));
    std::fs::copy(earlier, &head).unwrap();
    assert_eq!(run(cluster.load()).unwrap().unwrap().state, before);
}
