//! Tests of the vault on a store in memory that counts, fails and hides.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use engine::{JournalWriter, Lease, LockInfo, MemoryStore, Version};
use resource::Secret;
use tempfile::TempDir;
use testkit::Held;

use super::*;

/// A store that counts writes, makes them slow, and can fail them.
#[derive(Clone, Default)]
struct Spy {
    inner: MemoryStore,
    puts: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl StateStore for Spy {
    fn describe(&self) -> String {
        "spy".into()
    }
    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        self.inner.clusters().await
    }
    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        self.inner.head(cluster).await
    }
    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError> {
        self.inner.swap_head(cluster, expected, head).await
    }
    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        if self.broken.load(Ordering::SeqCst) {
            let source = std::io::Error::other("disk full");
            return Err(StoreError::Unusable { what: "write".into(), source });
        }
        self.puts.fetch_add(1, Ordering::SeqCst);
        self.inner.put(cluster, key, bytes).await
    }
    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(cluster, key).await
    }
    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list(cluster, prefix).await
    }
    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError> {
        self.inner.delete(cluster, key).await
    }
    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError> {
        self.inner.lock_beyond(cluster, info, epoch).await
    }
    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError> {
        self.inner.break_lock(cluster).await
    }
    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError> {
        self.inner.create_journal(cluster, run).await
    }
    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
        self.inner.read_journal(cluster, run).await
    }
    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError> {
        self.inner.journals(cluster).await
    }
    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError> {
        self.inner.delete_journal(cluster, run).await
    }
    async fn remove(&self, cluster: &str) -> Result<(), StoreError> {
        self.inner.remove(cluster).await
    }
}

struct Fixed(u8);

impl Randomness for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// One store, and operators' key files in a directory.
struct Bench {
    store: Spy,
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { store: Spy::default(), directory: tempfile::tempdir().unwrap() }
    }

    fn key_file(&self, operator: &str) -> PathBuf {
        self.directory.path().join(format!("{operator}.key"))
    }

    async fn open_as(&self, operator: &str, random: u8) -> Result<Vault, VaultError> {
        Vault::open(Arc::new(self.store.clone()), "demo", &self.key_file(operator), &Fixed(random)).await
    }

    async fn open(&self) -> Vault {
        self.open_as("me", 1).await.unwrap()
    }

    async fn objects(&self) -> Vec<String> {
        self.store.list("demo", "").await.unwrap()
    }
}

fn id(name: &str) -> ResourceId {
    ResourceId::new("certificate", name)
}

fn secrets(text: &str) -> Secrets {
    Secrets::from([("key".to_owned(), Secret::new(text)), ("bundle".to_owned(), Secret::new(format!("b {text}")))])
}

async fn put(vault: &Vault, name: &str, text: &str) -> SecretDigests {
    SecretDigests::from([(id(name), vault.put(&Held::default(), &id(name), &secrets(text)).await.unwrap())])
}

async fn get(vault: &Vault, live: &SecretDigests) -> BTreeMap<ResourceId, Secrets> {
    vault.get(live).await.unwrap()
}

#[tokio::test]
async fn what_was_put_is_read_back_by_another_process() {
    let bench = Bench::new();
    let live = put(&bench.open().await, "a", "hunter2").await;
    let expected = BTreeMap::from([(id("a"), secrets("hunter2"))]);
    assert_eq!(get(&bench.open().await, &live).await, expected);
}

#[tokio::test]
async fn opening_an_empty_vault_writes_nothing_and_the_first_secret_a_private_key_file() {
    let bench = Bench::new();
    let vault = bench.open().await;
    assert!(!bench.key_file("me").exists());
    assert!(bench.objects().await.is_empty());
    put(&vault, "a", "x").await;
    assert_eq!(fs_err::metadata(bench.key_file("me")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_key_that_another_process_made_meanwhile_is_not_written_over() {
    let bench = Bench::new();
    let (one, other) = (bench.open().await, bench.open().await);
    put(&one, "a", "x").await;
    assert!(other.put(&Held::default(), &id("b"), &secrets("y")).await.is_err());
    put(&bench.open().await, "b", "y").await;
}

#[tokio::test]
async fn nothing_readable_is_stored() {
    let bench = Bench::new();
    let vault = bench.open().await;
    put(&vault, "a", "hunter2").await;
    let key = fs_err::read_to_string(bench.key_file("me")).unwrap();
    for object in bench.objects().await {
        let bytes = bench.store.get("demo", &object).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.starts_with("age-encryption.org/v1\n"));
        assert!(!text.contains("hunter2") && !text.contains("certificate/a"));
        assert!(!key.lines().any(|line| text.contains(line)));
    }
}

#[tokio::test]
async fn digests_are_keyed_by_the_cluster_and_equal_for_equal_secrets() {
    let (one, other) = (Bench::new(), Bench::new());
    let (vault, foreign) = (one.open_as("me", 1).await.unwrap(), other.open_as("me", 2).await.unwrap());
    let (a, again) = (put(&vault, "a", "x").await, put(&vault, "a", "x").await);
    assert_eq!(a, again);
    assert_ne!(a, put(&foreign, "a", "x").await);
    assert_ne!(a[&id("a")]["key"], Digest::of_bytes(b"x"), "a plain digest would let one guess");
    assert_ne!(vault.digest_key("cp-1"), vault.digest_key("cp-2"));
    assert_ne!(vault.digest_key("cp-1"), foreign.digest_key("cp-1"));
}

#[tokio::test]
async fn the_digest_key_outlives_the_process_that_made_it() {
    let bench = Bench::new();
    let first = bench.open_as("me", 1).await.unwrap();
    put(&first, "a", "x").await;
    let second = bench.open_as("me", 99).await.unwrap();
    assert_eq!(second.digest_key("cp-1"), first.digest_key("cp-1"));
}

#[tokio::test]
async fn every_version_stays_readable_until_the_vault_is_compacted() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let (old, new) = (put(&vault, "a", "old").await, put(&vault, "a", "new").await);
    let reopened = bench.open().await;
    assert_eq!(get(&reopened, &old).await[&id("a")], secrets("old"));
    assert_eq!(get(&reopened, &new).await[&id("a")], secrets("new"));
    reopened.compact(&Held::default(), &new).await.unwrap();
    let reopened = bench.open().await;
    assert!(get(&reopened, &old).await.is_empty());
    assert_eq!(get(&reopened, &new).await[&id("a")], secrets("new"));
    assert_eq!(bench.objects().await.len(), 1);
}

#[tokio::test]
async fn compacting_what_is_compact_writes_nothing() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let live = put(&vault, "a", "x").await;
    let before = bench.objects().await;
    vault.compact(&Held::default(), &live).await.unwrap();
    assert_eq!(bench.objects().await, before);
}

#[tokio::test]
async fn a_compacted_vault_can_be_written_and_compacted_again() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let mut live = SecretDigests::new();
    for name in ["a", "b", "c"] {
        live.extend(put(&vault, name, name).await);
        vault.compact(&Held::default(), &live).await.unwrap();
        assert_eq!(bench.objects().await.len(), 1);
    }
    assert_eq!(get(&bench.open().await, &live).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_puts_at_once_share_a_few_objects() {
    let bench = Bench::new();
    let vault = Arc::new(bench.open().await);
    let tasks = (0..60).map(|number| {
        let vault = vault.clone();
        tokio::spawn(async move { put(&vault, &format!("m-{number}"), &format!("text {number}")).await })
    });
    let mut live = SecretDigests::new();
    for task in tasks.collect::<Vec<_>>() {
        live.extend(task.await.unwrap());
    }
    assert!(bench.store.puts.load(Ordering::SeqCst) <= 10, "{} objects", bench.store.puts.load(Ordering::SeqCst));
    let found = get(&bench.open().await, &live).await;
    assert_eq!(found.len(), 60);
    assert_eq!(found[&id("m-7")], secrets("text 7"));
}

#[tokio::test]
async fn a_failed_write_is_an_error_for_everyone_who_waited_and_the_next_one_makes_it_good() {
    let bench = Bench::new();
    let vault = bench.open().await;
    bench.store.broken.store(true, Ordering::SeqCst);
    let (a, b) = (secrets("a"), secrets("b"));
    let (id_a, id_b) = (id("a"), id("b"));
    let lease = Held::default();
    let (one, other) = tokio::join!(vault.put(&lease, &id_a, &a), vault.put(&lease, &id_b, &b));
    assert!(one.is_err() && other.is_err());
    bench.store.broken.store(false, Ordering::SeqCst);
    let live = put(&vault, "a", "a").await;
    assert_eq!(get(&bench.open().await, &live).await[&id_a], a);
}

#[tokio::test]
async fn a_cancelled_put_loses_nobody_elses_secrets() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let (id_a, a) = (id("a"), secrets("a"));
    let cancelled =
        tokio::time::timeout(std::time::Duration::from_millis(1), vault.put(&Held::default(), &id_a, &a)).await;
    assert!(cancelled.is_err());
    let live = put(&vault, "b", "b").await;
    assert_eq!(get(&bench.open().await, &live).await[&id("b")], secrets("b"));
}

#[tokio::test]
async fn two_vaults_opened_empty_agree_once_the_first_has_written() {
    let bench = Bench::new();
    // One operator, whose key is there already.
    let store = Arc::new(bench.store.clone());
    put(&Vault::open(store, "other", &bench.key_file("me"), &Fixed(1)).await.unwrap(), "x", "x").await;
    let (first, second) = (bench.open_as("me", 1).await.unwrap(), bench.open_as("me", 2).await.unwrap());
    let a = put(&first, "a", "a").await;
    let b = put(&second, "b", "b").await;
    assert_eq!(first.digest_key("x"), second.digest_key("x"));
    let live: SecretDigests = a.into_iter().chain(b).collect();
    assert_eq!(get(&bench.open().await, &live).await.len(), 2);
}

#[tokio::test]
async fn without_the_key_file_a_filled_vault_is_an_error_and_no_new_key_is_made() {
    let bench = Bench::new();
    put(&bench.open().await, "a", "x").await;
    let error = bench.open_as("other", 1).await.err().unwrap();
    assert!(matches!(error, VaultError::NoKey { .. }), "{error}");
    assert!(!bench.key_file("other").exists());
}

#[tokio::test]
async fn another_operator_reads_only_after_being_added_and_not_after_being_removed() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let live = put(&vault, "a", "x").await;
    let colleague = key_file::create(&bench.key_file("colleague")).unwrap().public();
    let error = bench.open_as("colleague", 1).await.err().unwrap();
    assert!(matches!(&error, VaultError::NotForUs { public, .. } if *public == colleague), "{error}");

    let both = BTreeSet::from([vault.own_public_key(), colleague.clone()]);
    vault.set_operators(&Held::default(), both.clone()).await.unwrap();
    let theirs = bench.open_as("colleague", 1).await.unwrap();
    assert_eq!(theirs.operators(), both);
    let more = put(&theirs, "b", "y").await;
    assert_eq!(get(&theirs, &live).await[&id("a")], secrets("x"));

    let mine = bench.open().await;
    assert_eq!(get(&mine, &more).await[&id("b")], secrets("y"));
    mine.set_operators(&Held::default(), BTreeSet::from([mine.own_public_key()])).await.unwrap();
    assert!(matches!(bench.open_as("colleague", 1).await, Err(VaultError::NotForUs { .. })));
    assert_eq!(get(&bench.open().await, &more).await[&id("b")], secrets("y"));
}

#[tokio::test]
async fn an_operator_cannot_lock_itself_out_or_add_nonsense() {
    let vault = Bench::new().open().await;
    assert!(matches!(vault.set_operators(&Held::default(), BTreeSet::new()).await, Err(VaultError::WouldLockOut)));
    let nonsense = BTreeSet::from([vault.own_public_key(), "age1nonsense".to_owned()]);
    assert!(matches!(vault.set_operators(&Held::default(), nonsense).await, Err(VaultError::Operator(_))));
}

#[tokio::test]
async fn a_changed_object_is_damaged_and_named() {
    let bench = Bench::new();
    put(&bench.open().await, "a", "x").await;
    let object = bench.objects().await.remove(0);
    let mut bytes = bench.store.get("demo", &object).await.unwrap().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    bench.store.delete("demo", &object).await.unwrap();
    bench.store.inner.put("demo", &object, &bytes).await.unwrap();
    let error = bench.open_as("me", 1).await.err().unwrap().to_string();
    assert_eq!(error, format!("{object} is damaged: its content does not have the digest that it is named by"));
}

#[tokio::test]
async fn a_newer_format_is_refused_and_not_misread() {
    let bench = Bench::new();
    let operator = key_file::create(&bench.key_file("me")).unwrap();
    let mut bundle =
        serde_json::to_value(Bundle::new(&[1; 32], BTreeSet::from([operator.public()]), Vec::new())).unwrap();
    bundle["format"] = 2.into();
    let sealed = cipher::seal(&serde_json::from_value(bundle).unwrap()).unwrap();
    bench.store.put("demo", &object_key(&sealed), &sealed).await.unwrap();
    let error = bench.open_as("me", 1).await.err().unwrap().to_string();
    assert!(error.ends_with("it has format 2, this program reads 1"), "{error}");
}

#[tokio::test]
async fn secrets_that_are_not_there_are_left_out() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let wanted = SecretDigests::from([(id("a"), BTreeMap::from([("key".to_owned(), Digest::of_bytes(b"x"))]))]);
    assert!(get(&vault, &wanted).await.is_empty());
}

#[tokio::test]
async fn whoever_lost_the_lease_writes_and_deletes_nothing() {
    let bench = Bench::new();
    let vault = bench.open().await;
    let live: SecretDigests = put(&vault, "a", "x").await.into_iter().chain(put(&vault, "b", "y").await).collect();
    let before = bench.objects().await;
    assert_eq!(before.len(), 2);
    let lost = Held::default();
    lost.lose();
    let put = vault.put(&lost, &id("c"), &secrets("z")).await.map(drop);
    let compacted = vault.compact(&lost, &SecretDigests::new()).await;
    let operators = vault.set_operators(&lost, BTreeSet::from([vault.own_public_key()])).await;
    assert!(matches!(put, Err(StoreError::LeaseLost)), "{put:?}");
    assert!(matches!(compacted, Err(StoreError::LeaseLost)), "{compacted:?}");
    assert!(matches!(operators, Err(VaultError::Store(StoreError::LeaseLost))), "{operators:?}");
    assert_eq!(bench.objects().await, before);
    assert_eq!(get(&bench.open().await, &live).await.len(), 2);
}
