//! A store whose clusters have a name of ours before their own, beside which others do the same in the same place.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{JournalWriter, Lease, LockInfo, StateStore, StoreError, Version};

use super::StoreSubject;

/// A subject that does not see what others do to the same store under another prefix.
pub struct Apart<'a> {
    /// What is shared.
    pub subject: &'a dyn StoreSubject,
    /// What the names of our clusters begin with.
    pub prefix: &'a str,
}

#[async_trait]
impl StoreSubject for Apart<'_> {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(Prefixed { store: self.subject.open(), prefix: self.prefix.to_owned() })
    }

    async fn tear(&self, cluster: &str, run: &str, half: &str) -> bool {
        self.subject.tear(&format!("{}{cluster}", self.prefix), run, half).await
    }
}

struct Prefixed {
    store: Arc<dyn StateStore>,
    prefix: String,
}

impl Prefixed {
    fn name(&self, cluster: &str) -> String {
        format!("{}{cluster}", self.prefix)
    }
}

#[async_trait]
impl StateStore for Prefixed {
    fn describe(&self) -> String {
        self.store.describe()
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        let all = self.store.clusters().await?;
        Ok(all.iter().filter_map(|name| name.strip_prefix(&self.prefix)).map(str::to_owned).collect())
    }

    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        self.store.head(&self.name(cluster)).await
    }

    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError> {
        self.store.swap_head(&self.name(cluster), expected, head).await
    }

    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.store.put(&self.name(cluster), key, bytes).await
    }

    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&self.name(cluster), key).await
    }

    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.store.list(&self.name(cluster), prefix).await
    }

    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError> {
        self.store.delete(&self.name(cluster), key).await
    }

    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError> {
        self.store.lock_beyond(&self.name(cluster), info, epoch).await
    }

    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError> {
        self.store.break_lock(&self.name(cluster)).await
    }

    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError> {
        self.store.create_journal(&self.name(cluster), run).await
    }

    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
        self.store.read_journal(&self.name(cluster), run).await
    }

    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError> {
        self.store.journals(&self.name(cluster)).await
    }

    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError> {
        self.store.delete_journal(&self.name(cluster), run).await
    }

    async fn remove(&self, cluster: &str) -> Result<(), StoreError> {
        self.store.remove(&self.name(cluster)).await
    }
}
