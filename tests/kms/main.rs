//! Secrets encrypted for a key that is kept elsewhere: an age plugin asks for it, as those of KMSs, TPMs and tokens do.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use credentials::Vault;
use engine::{MemoryStore, SecretVault as _, Secrets, StateStore};
use resource::{ResourceId, Secret};
use tempfile::TempDir;
use testkit::{Held, SeededRandomness};

const PLUGIN: &str = env!("CARGO_BIN_EXE_age-plugin-kwkms");
const SECRET: &str = "correct horse battery staple";
const CLUSTER: &str = "demo";

/// A KMS, and the key files of those who use it.
struct Site {
    root: PathBuf,
    store: Arc<MemoryStore>,
}

impl Site {
    /// In a process that has the plugin in its PATH.
    fn here() -> Self {
        let root = std::env::var_os("KWKMS_DIRECTORY").expect("started by a test of this file").into();
        Self { root, store: Arc::new(MemoryStore::default()) }
    }

    /// A key file whose key the KMS keeps.
    fn kept_elsewhere(&self, key: &str) -> PathBuf {
        let made = Command::new(PLUGIN).args(["--new", key]).output().expect("the plugin runs");
        let path = self.root.join(format!("{key}.txt"));
        std::fs::write(&path, made.stdout).expect("the key file is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is ours alone");
        path
    }

    async fn open(&self, key_file: &Path) -> Result<Vault, credentials::VaultError> {
        Vault::open(self.store.clone(), CLUSTER, key_file, &SeededRandomness::new(1)).await
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.root.join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn deny(&self) {
        std::fs::write(self.root.join("denied"), "").expect("access is denied");
    }
}

fn id() -> ResourceId {
    "authority/etcd".parse().expect("an id")
}

/// Stores a secret, and gives what finds it again.
async fn put(vault: &Vault) -> BTreeMap<ResourceId, BTreeMap<String, resource::Digest>> {
    let secrets: Secrets = [("key".to_owned(), Secret::new(SECRET))].into();
    BTreeMap::from([(id(), vault.put(&Held::default(), &id(), &secrets).await.expect("it is stored"))])
}

/// Tells one story of this file in a process of its own, with these directories in PATH.
fn tell(story: &str, path: &Path) {
    let root = TempDir::new().expect("a directory");
    let told = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", story, "--ignored", "--nocapture"])
        .env("PATH", path)
        .env("KWKMS_DIRECTORY", root.path())
        .output()
        .expect("it runs");
    let text = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success() && text.contains("1 passed"), "{text}");
}

fn with_plugin() -> &'static Path {
    Path::new(PLUGIN).parent().expect("it lies in a directory")
}

#[test]
fn secrets_are_read_with_a_key_that_the_kms_keeps() {
    tell("kept_by_the_kms", with_plugin());
}

#[tokio::test]
#[ignore = "told by secrets_are_read_with_a_key_that_the_kms_keeps"]
async fn kept_by_the_kms() {
    let site = Site::here();
    let key_file = site.kept_elsewhere("ops");
    let vault = site.open(&key_file).await.unwrap();
    assert!(vault.own_public_key().starts_with("age1kwkms1"));
    let digests = put(&vault).await;
    assert_eq!(site.calls(), ["Encrypt ops"]);

    let found = site.open(&key_file).await.unwrap().get(&digests).await.unwrap();
    assert_eq!(found[&id()]["key"].reveal(), SECRET);
    assert_eq!(site.calls(), ["Encrypt ops", "Decrypt ops"]);
    let other = site.open(&site.kept_elsewhere("other")).await.err().unwrap().to_string();
    assert!(other.contains("not encrypted for your key age1kwkms1"), "{other}");
}

#[test]
fn an_operator_with_a_key_of_their_own_needs_no_kms_to_read() {
    tell("beside_a_key_of_ones_own", with_plugin());
}

#[tokio::test]
#[ignore = "told by an_operator_with_a_key_of_their_own_needs_no_kms_to_read"]
async fn beside_a_key_of_ones_own() {
    let site = Site::here();
    let own = site.root.join("own.txt");
    let (kms, mine) = (site.open(&site.kept_elsewhere("ops")).await.unwrap(), Vault::public_key(&own).unwrap());
    let digests = put(&kms).await;
    kms.set_operators(&Held::default(), BTreeSet::from([kms.own_public_key(), mine])).await.unwrap();
    site.deny();
    let found = site.open(&own).await.unwrap().get(&digests).await.unwrap();
    assert_eq!(found[&id()]["key"].reveal(), SECRET);
}

#[test]
fn a_kms_that_refuses_is_named_and_nothing_is_taken_for_damaged() {
    tell("refused_by_the_kms", with_plugin());
}

#[tokio::test]
#[ignore = "told by a_kms_that_refuses_is_named_and_nothing_is_taken_for_damaged"]
async fn refused_by_the_kms() {
    let site = Site::here();
    let key_file = site.kept_elsewhere("ops");
    let vault = site.open(&key_file).await.unwrap();
    put(&vault).await;
    let before = site.store.list(CLUSTER, "secrets/").await.unwrap();
    site.deny();
    let error = site.open(&key_file).await.err().unwrap().to_string();
    assert!(
        error.contains("an age plugin keeps") && error.contains("AccessDeniedException: Decrypt with ops"),
        "{error}"
    );
    let secrets: Secrets = [("key".to_owned(), Secret::new("another"))].into();
    assert!(vault.put(&Held::default(), &id(), &secrets).await.is_err());
    assert_eq!(site.store.list(CLUSTER, "secrets/").await.unwrap(), before);
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let nothing = TempDir::new().expect("a directory");
    tell("without_the_plugin", nothing.path());
}

#[tokio::test]
#[ignore = "told by a_plugin_that_is_not_there_is_named"]
async fn without_the_plugin() {
    let site = Site::here();
    let vault = site.open(&site.kept_elsewhere("ops")).await.unwrap();
    let secrets: Secrets = [("key".to_owned(), Secret::new(SECRET))].into();
    let error = std::error::Error::source(&vault.put(&Held::default(), &id(), &secrets).await.err().unwrap())
        .unwrap()
        .to_string();
    assert!(error.contains("age-plugin-kwkms"), "{error}");
    assert!(site.store.list(CLUSTER, "secrets/").await.unwrap().is_empty());
}
