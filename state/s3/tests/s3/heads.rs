//! Heads: races, fences by epoch, and what cannot be read.

use engine::{StateStore as _, StoreError};
use testkit::conformance::lock_info;

use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_exactly_one_wins_in_every_of_many_rounds() {
    let site = Site::new().await;
    let (one, other) = (site.open(), site.open());
    let mut version = None;
    for round in 0..40 {
        // Equal bytes too: it matters who wrote them.
        let head = format!("{{\"serial\":{round}}}");
        let (first, second) = tokio::join!(
            one.swap_head("demo", version.as_ref(), head.as_bytes()),
            other.swap_head("demo", version.as_ref(), head.as_bytes()),
        );
        version = match (first, second) {
            (Ok(version), Err(StoreError::Conflict)) | (Err(StoreError::Conflict), Ok(version)) => Some(version),
            both => panic!("round {round}: {both:?}"),
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_loaded_before_the_lease_was_taken_cannot_be_swapped() {
    let site = Site::new().await;
    let (before, holder) = (site.open(), site.open());
    before.swap_head("demo", None, b"1").await.unwrap();
    let (head, version) = before.head("demo").await.unwrap().unwrap();
    let lease = holder.lock("demo", lock_info("holder")).await.unwrap();
    for store in [&before, &holder] {
        assert!(matches!(store.swap_head("demo", Some(&version), b"2").await, Err(StoreError::Conflict)));
    }
    let (same, version) = holder.head("demo").await.unwrap().unwrap();
    assert_eq!(same, head);
    holder.swap_head("demo", Some(&version), b"2").await.unwrap();
    assert_eq!(lease.epoch(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_is_named_and_left_alone() {
    let site = Site::new().await;
    let store = site.open();
    for (key, cluster) in [("head.json", "a"), ("lease.json", "b")] {
        let newer = r#"{"format":2,"anything":true}"#;
        let refusals = [
            ("not ours", "is damaged: kubewright did not write it so"),
            (newer, "has format 2, but this kubewright knows only up to 1"),
        ];
        for (text, expected) in refusals {
            site.write(&format!("clusters/{cluster}/{key}"), text).await;
            let error = match key {
                "head.json" => store.head(cluster).await.map(drop).unwrap_err(),
                _ => store.lock(cluster, lock_info("me")).await.map(drop).unwrap_err(),
            };
            let is_as_said = if text == newer {
                matches!(error, StoreError::Newer { .. })
            } else {
                matches!(error, StoreError::Damaged { .. })
            };
            assert!(is_as_said, "{error:?}");
            let said = error.to_string();
            let named = format!("s3://{}/team/clusters/{cluster}/{key} {expected}", site.bucket);
            assert!(said.starts_with(&named), "{said}");
        }
    }
    assert_eq!(site.keys().await, ["team/clusters/a/head.json", "team/clusters/b/lease.json"]);
}
