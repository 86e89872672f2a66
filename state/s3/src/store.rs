//! The store itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::config::Credentials;
use engine::{JournalWriter, Lease, LockInfo, StateStore, StoreError, Version};
use tokio::task::JoinSet;

use crate::acquire::Request;
use crate::bucket::{Bucket, Condition, Written};
use crate::lease::Leases;
use crate::{Host, S3Url, head, journal};

/// How long a lease lives that nothing is heard of.
const TTL: Duration = Duration::from_secs(30);
/// How long one try of a request may take.
const ATTEMPT: Duration = Duration::from_secs(20);

/// How leases are held.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long others wait after the last sign of life of a holder; whole seconds, at least one.
    pub ttl: Duration,
    /// Which process this is.
    pub host: Host,
    /// How often a holder says that it lives. One that never does loses its lease in time, as a stopped process does.
    pub beat: Option<Duration>,
    /// Credentials instead of those of AWS' own chain.
    pub credentials: Option<Credentials>,
}

impl Default for Options {
    fn default() -> Self {
        Self { ttl: TTL, host: Host::here(), beat: Some(TTL / 3), credentials: None }
    }
}

/// State kept in an S3 bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    pub(crate) bucket: Arc<Bucket>,
    options: Options,
    leases: Leases,
}

impl S3Store {
    /// A store at an address. Nothing is asked of the network, nor of the environment, until the store is used.
    pub fn new(url: S3Url) -> Self {
        Self::with_options(url, Options::default())
    }

    /// The same with other leases.
    pub fn with_options(url: S3Url, options: Options) -> Self {
        Self {
            bucket: Arc::new(Bucket::new(url, ATTEMPT, options.credentials.clone())),
            options,
            leases: Leases::default(),
        }
    }

    fn request<'a>(&'a self, cluster: &'a str) -> Request<'a> {
        Request { bucket: &self.bucket, cluster, options: &self.options, leases: &self.leases }
    }

    /// Before something is deleted, which no condition guards: the lease is this process's still, if it has one, by what
    /// stands in the bucket and not only by what it believes.
    pub(crate) async fn confirm(&self, cluster: &str) -> Result<(), StoreError> {
        let Some(held) = self.leases.of(cluster) else { return Ok(()) };
        held.check()?;
        if self.request(cluster).is_held(held.epoch).await? {
            return Ok(());
        }
        held.end();
        Err(StoreError::LeaseLost)
    }

    /// The epoch of this process's lease of a cluster, if it has one; an error if it lost it.
    fn epoch(&self, cluster: &str) -> Result<Option<u64>, StoreError> {
        match self.leases.of(cluster) {
            Some(held) => held.check().map(|()| Some(held.epoch)),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl StateStore for S3Store {
    fn describe(&self) -> String {
        self.bucket.url().to_string()
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        let mut looking = JoinSet::new();
        for name in self.bucket.directories(&self.bucket.layout.clusters()).await? {
            let bucket = self.bucket.clone();
            looking.spawn(async move {
                let head = bucket.get(&bucket.layout.head(&name)).await;
                // One that cannot be read is listed: whoever reads it is told why, and the others are not hidden.
                if matches!(head, Ok(None)) { None } else { Some(name) }
            });
        }
        let mut names = Vec::new();
        for name in looking.join_all().await {
            names.extend(name);
        }
        names.sort_unstable();
        Ok(names)
    }

    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        let found = head::read(&self.bucket, cluster).await?;
        Ok(found.map(|(file, tag)| (file.head.into_bytes(), head::version(file.epoch, &tag))))
    }

    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError> {
        head::swap(&self.bucket, cluster, expected, self.epoch(cluster)?, head).await
    }

    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.epoch(cluster)?;
        let key = self.bucket.layout.object(cluster, key);
        match self.bucket.put(&key, bytes, Condition::Absent).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(_) => Err(StoreError::Conflict),
        }
    }

    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let object = self.bucket.get(&self.bucket.layout.object(cluster, key)).await?;
        Ok(object.map(|object| object.bytes))
    }

    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let root = self.bucket.layout.objects(cluster);
        let listed = self.bucket.list(&format!("{root}{prefix}")).await?;
        Ok(listed.iter().filter_map(|object| object.key.strip_prefix(&root).map(str::to_owned)).collect())
    }

    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError> {
        self.confirm(cluster).await?;
        self.bucket.delete(&self.bucket.layout.object(cluster, key)).await
    }

    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError> {
        Ok(Arc::new(self.request(cluster).acquire(info, epoch).await?))
    }

    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError> {
        self.request(cluster).break_lease().await
    }

    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError> {
        Ok(Arc::new(journal::create(&self.bucket, cluster, run, self.leases.of(cluster)).await?))
    }

    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
        journal::read(&self.bucket, cluster, run).await
    }

    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError> {
        self.bucket.directories(&self.bucket.layout.journals(cluster)).await
    }

    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError> {
        self.confirm(cluster).await?;
        let listed = self.bucket.list(&self.bucket.layout.journal(cluster, run)).await?;
        let keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
        self.bucket.delete_all(&keys).await
    }

    async fn remove(&self, cluster: &str) -> Result<(), StoreError> {
        // Only whoever holds the lease may remove; whoever has none was not asked for one.
        self.remove_what_is_there(cluster).await
    }
}
