//! Requests: reading a cluster asks for what it needs and nothing else.

use std::sync::Arc;

use engine::journal::Record;
use engine::{AppliedSpec, ClusterStore, Revision, StateStore};
use testkit::Passed;
use testkit::conformance::lock_info;

use crate::site::Site;

async fn cluster(site: &Site) -> ClusterStore {
    let store: Arc<dyn StateStore> = Arc::new(site.open());
    let cluster = ClusterStore::new(store, "demo");
    let lease = cluster.store().lock("demo", lock_info("me")).await.unwrap();
    let digest = cluster.put_revision(&*lease, &Revision::of_nothing()).await.unwrap();
    cluster.create(&*lease, "lineage", digest).await.unwrap();
    cluster
}

fn is_plain_get(passed: &Passed) -> bool {
    passed.method == "GET" && !passed.path.contains("list-type")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_loaded_with_few_requests_and_no_list() {
    let site = Site::new().await;
    let cluster = cluster(&site).await;
    let lease = cluster.store().lock("demo", lock_info("me")).await.unwrap();
    let loaded = cluster.load().await.unwrap().unwrap();
    let applied =
        AppliedSpec { format: AppliedSpec::FORMAT, revision: loaded.head.revision.clone(), documents: Vec::new() };
    let (journal, ..) = cluster.begin_run(&*lease, &loaded, "run", Some(&applied)).await.unwrap();
    journal.append(&Record::RunFinished { succeeded: 0, failed: 0, skipped: 0, time: String::new() }).await.unwrap();

    site.proxy.take_passed();
    assert!(cluster.load().await.unwrap().unwrap().head.run.is_some());
    let passed = site.proxy.take_passed();
    assert!(passed.iter().all(is_plain_get), "{passed:#?}");
    assert!(passed.len() <= 8, "an open run asks for its journal too: {passed:#?}");

    cluster.end_run(&*lease, "run").await.unwrap();
    drop(lease);
    site.proxy.take_passed();
    assert!(cluster.load().await.unwrap().unwrap().applied.is_some());
    let passed = site.proxy.take_passed();
    assert!(passed.iter().all(is_plain_get) && passed.len() <= 5, "{passed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_only_opened_asks_nothing() {
    let site = Site::new().await;
    site.proxy.take_passed();
    let store = site.open();
    assert_eq!(store.describe(), site.url());
    drop(store);
    assert!(site.proxy.take_passed().is_empty());
}
