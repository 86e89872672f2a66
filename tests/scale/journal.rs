//! What a record of a journal costs when a hundred actions write at once: syncs of the disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use engine::journal::{Journal, Record};
use engine::{JournalWriter, StateStore as _, StoreError};
use plan::ActionId;
use resource::ResourceId;
use state_fs::FsStore;
use tokio::task::JoinSet;

const ACTIONS: usize = 100;
const RECORDS: usize = 20;

/// Counts batches: each is one sync.
struct Counted {
    inner: Arc<dyn JournalWriter>,
    batches: Arc<AtomicUsize>,
}

#[async_trait]
impl JournalWriter for Counted {
    async fn append(&self, records: &[String]) -> Result<(), StoreError> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.inner.append(records).await
    }
}

/// Prints syncs for each record on standard output.
pub(crate) async fn measure(directory: &Path) {
    let inner = FsStore::new(directory).create_journal("journal", "run").await.expect("a journal");
    let batches = Arc::new(AtomicUsize::new(0));
    let journal = Journal::start(Arc::new(Counted { inner, batches: batches.clone() }));
    let mut actions = JoinSet::new();
    for number in 0..ACTIONS {
        let journal = journal.clone();
        actions.spawn(async move {
            let resource = ResourceId::new("machine", &format!("demo/worker-{number}"));
            let action = ActionId::new("create", &resource);
            for _ in 0..RECORDS {
                let started =
                    Record::ActionStarted { action: action.clone(), resource: resource.clone(), provisional: None };
                journal.append(&started).await.expect("a record is written");
            }
        });
    }
    actions.join_all().await;
    println!("{:.4}", batches.load(Ordering::Relaxed) as f64 / (ACTIONS * RECORDS) as f64);
}
