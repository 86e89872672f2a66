//! The state store in memory passes the suite that every store passes.

use std::sync::Arc;

use engine::{MemoryStore, StateStore};
use testkit::conformance::{self, StoreSubject};

struct Subject(MemoryStore);

impl StoreSubject for Subject {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(self.0.beside())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_does_what_every_store_does() {
    conformance::all(&Subject(MemoryStore::default())).await.unwrap();
}
