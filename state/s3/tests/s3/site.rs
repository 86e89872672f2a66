//! What a test works on: a bucket of its own behind a proxy of its own, and stores on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use engine::{Lease, StateStore, StoreError};
use state_s3::{Credentials, Host, Options, S3Store};
use testkit::conformance::lock_info;
use testkit::{Moto, Proxy};

use crate::moto;

/// The life of leases that a test waits for the end of, seconds. Servers tell the time in whole ones.
pub(crate) const SHORT: u64 = 5;
/// How often a test asks for what must come, each after a twentieth of a second.
const ASKS: u32 = 2400;

pub(crate) struct Site {
    moto: Arc<Moto>,
    pub(crate) proxy: Proxy,
    pub(crate) bucket: String,
}

impl Site {
    pub(crate) async fn new() -> Self {
        static BUCKETS: AtomicU32 = AtomicU32::new(0);
        let moto = tokio::task::spawn_blocking(moto::get).await.unwrap();
        let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::SeqCst));
        let site = Self { proxy: Proxy::start(&moto.url()).await.unwrap(), moto, bucket };
        site.client().create_bucket().bucket(&site.bucket).send().await.unwrap();
        site
    }

    /// Lets the bucket keep what is overwritten or deleted.
    pub(crate) async fn keep_versions(&self) {
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = self.client().put_bucket_versioning().bucket(&self.bucket).versioning_configuration(enabled);
        request.send().await.unwrap();
    }

    /// The address of a store.
    pub(crate) fn url(&self) -> String {
        format!("s3://{}/team?endpoint={}&region=us-east-1", self.bucket, self.proxy.url())
    }

    /// A store of this process, with leases that nobody waits for the end of.
    pub(crate) fn open(&self) -> S3Store {
        self.open_with(options())
    }

    pub(crate) fn open_with(&self, options: Options) -> S3Store {
        S3Store::with_options(self.url().parse().unwrap(), options)
    }

    /// A client that goes around store and proxy.
    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(self.moto.url())
            .credentials_provider(credentials())
            .force_path_style(true);
        Client::from_conf(config.build())
    }

    /// Puts an object behind the store's back; `key` begins below the prefix.
    pub(crate) async fn write(&self, key: &str, text: &str) {
        let request = self.client().put_object().bucket(&self.bucket).key(format!("team/{key}"));
        request.body(text.as_bytes().to_vec().into()).send().await.unwrap();
    }

    /// Keys of everything in the bucket.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let listed = self.client().list_objects_v2().bucket(&self.bucket).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("an-id", "a-secret", None, None, "tests")
}

pub(crate) fn options() -> Options {
    Options { credentials: Some(credentials()), ..Options::default() }
}

/// Options of a process on another host that says often that it lives, and has ample time for it on a busy machine.
pub(crate) fn lively_elsewhere(ttl: u64) -> Options {
    let beat = Some(Duration::from_millis(500));
    Options { ttl: Duration::from_secs(ttl), beat, host: elsewhere(), ..options() }
}

/// Options of a process on another host, with a short lease and without a sign of life: a process that was stopped.
pub(crate) fn paused_elsewhere() -> Options {
    Options { ttl: Duration::from_secs(SHORT), beat: None, host: elsewhere(), ..options() }
}

/// A process of which nothing can be known here.
pub(crate) fn elsewhere() -> Host {
    Host { boot_id: "another boot".to_owned(), ..Host::here() }
}

/// A process of this host that is certainly dead: its id was given again.
pub(crate) fn dead_here() -> Host {
    let here = Host::here();
    Host { process_start: here.process_start + 1, ..here }
}

/// Asks for a lock until it is given.
pub(crate) async fn lock_at_last(store: &dyn StateStore, cluster: &str, id: &str) -> Arc<dyn Lease> {
    for _ in 0..ASKS {
        match store.lock(cluster, lock_info(id)).await {
            Ok(lease) => return lease,
            Err(StoreError::Locked(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("the lease never ran out");
}

/// Waits until a lease is lost.
pub(crate) async fn lost_at_last(lease: &dyn Lease) {
    for _ in 0..ASKS {
        if matches!(lease.check(), Err(StoreError::LeaseLost)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the lease was never lost");
}

pub(crate) fn records(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
