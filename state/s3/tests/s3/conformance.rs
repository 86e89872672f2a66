//! The suite that every store passes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::StateStore;
use state_s3::Options;
use testkit::conformance::{StoreSubject, all};

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
