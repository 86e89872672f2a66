//! What is kept of the other clusters of a store. One that cannot be read is passed over, and said.

use std::sync::Arc;

use engine::{ClusterStore, StateStore, StoreError};
use model::ProviderFacts;

use crate::error::CommandError;
use crate::providers;

/// What is kept of the other clusters of a store.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Neighbours {
    /// What their providers keep.
    pub(crate) facts: Vec<ProviderFacts>,
    /// What there is to say about those that could not be read.
    pub(crate) unread: Vec<String>,
}

/// Looks at all clusters but `name`. Only a store that cannot be used at all is an error.
pub(crate) async fn find(store: &Arc<dyn StateStore>, name: &str) -> Result<Neighbours, StoreError> {
    let mut found = Neighbours::default();
    for other in store.clusters().await?.into_iter().filter(|other| other != name) {
        match ClusterStore::new(store.clone(), &other).latest_revision().await {
            Ok(None) => {}
            Ok(Some(revision)) => match ProviderFacts::read(&revision.facts, providers::EARLIEST) {
                Ok(facts) => found.facts.push(facts),
                Err(error) => found.unread.push(passed_over(&other, &error, "a newer kubewright may read it")),
            },
            Err(error) => {
                found.unread.push(passed_over(&other, &error, &format!("see: kubewright state verify {other}")));
            }
        }
    }
    Ok(found)
}

fn passed_over(name: &str, why: &dyn std::error::Error, advice: &str) -> String {
    let why = CommandError::from_source("", why).message;
    format!("Warning: cluster {name} is passed over: {why}; {advice}")
}

#[cfg(test)]
mod tests {
    use engine::{LockInfo, MemoryStore, Revision};
    use serde_json::json;

    use super::*;

    async fn cluster(store: &Arc<dyn StateStore>, name: &str, facts: serde_json::Value) {
        let cluster = ClusterStore::new(store.clone(), name);
        let text = || "test".to_owned();
        let info = LockInfo { id: text(), who: text(), process: 1, operation: text(), since: text() };
        let lease = store.lock(name, info).await.unwrap();
        let digest = cluster.put_revision(&*lease, &Revision { facts, ..Revision::of_nothing() }).await.unwrap();
        cluster.create(&*lease, "lineage", digest).await.unwrap();
    }

    #[tokio::test]
    async fn a_damaged_moved_or_foreign_cluster_hides_no_other() {
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::default());
        for (name, third) in [("good", 1), ("moved", 2), ("own", 3)] {
            let facts = json!({"local": {"subnet": format!("10.88.{third}.0/24")}, "programs": {}});
            cluster(&store, name, facts).await;
        }
        cluster(&store, "foreign", json!({"zones": ["a"]})).await;
        cluster(&store, "unreadable", json!({"provider": {"name": "local"}})).await;
        store.swap_head("damaged", None, b"{").await.unwrap();
        store.swap_head("newer", None, br#"{"format": 99}"#).await.unwrap();
        let (mut head, version) = store.head("moved").await.unwrap().unwrap();
        let mut moved: serde_json::Value = serde_json::from_slice(&head).unwrap();
        moved["movedTo"] = json!("s3://elsewhere");
        head = serde_json::to_vec(&moved).unwrap();
        store.swap_head("moved", Some(&version), &head).await.unwrap();

        let found = find(&store, "own").await.unwrap();
        let subnets: Vec<&str> =
            found.facts.iter().filter_map(|facts| facts.value.pointer("/local/subnet")?.as_str()).collect();
        assert_eq!(subnets, ["10.88.1.0/24", "10.88.2.0/24"], "machines of a moved cluster are still there");
        assert_eq!(found.unread.len(), 4, "{:?}", found.unread);
        assert!(found.unread[0].contains("cluster damaged is passed over"), "{:?}", found.unread);
    }
}
