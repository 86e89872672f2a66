//! The suite that every store passes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::StateStore;
use state_s3::Options;
use testkit::conformance::{StoreSubject, all, all_but};

use crate::site::{Site, options};

#[async_trait]
impl StoreSubject for Site {
    fn open(&self) -> Arc<dyn StateStore> {
        // They beat often, so that a holder soon knows what became of its lease.
        let options = Options { beat: Some(Duration::from_millis(500)), ..options() };
        Arc::new(self.open_with(options))
    }

    /// Segments are written whole; one that is torn nevertheless came from a copy.
    async fn tear(&self, cluster: &str, run: &str, half: &str) -> bool {
        self.write(&format!("clusters/{cluster}/journals/{run}/00000002.jsonl"), half).await;
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_s3_does_what_every_store_does() {
    all(&Site::new().await).await.unwrap();
}

/// What these look at is listed by directories; in buckets with versions, moto 5.2 also lists those in which everything was
/// deleted, as S3 does not.
const LISTED_WRONG: [&str; 2] = [
    "journals::journals_are_listed_sorted_and_deleted_one_by_one",
    "removal::a_removed_cluster_leaves_nothing_and_others_alone",
];

/// What is overwritten and deleted can be had back, and is in nobody's way.
#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_in_a_bucket_that_keeps_versions() {
    let site = Site::new().await;
    site.keep_versions().await;
    all_but(&site, &LISTED_WRONG).await.unwrap();
    let client = site.client();
    let versions = client.list_object_versions().bucket(&site.bucket).prefix("team/clusters/again/head.json");
    let kept = versions.send().await.unwrap();
    assert!(kept.versions().len() > 1 && !kept.delete_markers().is_empty(), "the cluster was removed and made anew");
}
