//! Heads: made once, swapped only from what was read.

use engine::StoreError;
use tokio::task::JoinSet;

use super::{StoreSubject, lock_info};

pub(super) async fn a_head_is_swapped_only_from_what_was_read(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let (one, other) = (subject.open(), subject.open());
    assert_eq!(one.head("swapped").await?, None);
    let first = one.swap_head("swapped", None, b"1").await?;
    assert_eq!(other.head("swapped").await?, Some((b"1".to_vec(), first.clone())));
    let second = other.swap_head("swapped", Some(&first), b"2").await?;
    assert!(matches!(one.swap_head("swapped", Some(&first), b"3").await, Err(StoreError::Conflict)));
    assert_eq!(one.head("swapped").await?, Some((b"2".to_vec(), second)));
    assert!(one.clusters().await?.contains(&"swapped".to_owned()));
    Ok(())
}

pub(super) async fn a_head_is_made_only_where_none_is(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    let version = store.swap_head("made", None, b"1").await?;
    assert!(matches!(store.swap_head("made", None, b"1").await, Err(StoreError::Conflict)));
    assert!(matches!(store.swap_head("made-not", Some(&version), b"1").await, Err(StoreError::Conflict)));
    assert_eq!(store.head("made-not").await?, None);
    Ok(())
}

pub(super) async fn one_of_several_swaps_wins_every_round(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    let mut version = None;
    for round in 0..10 {
        let mut racing = JoinSet::new();
        for racer in 0..4 {
            let (store, version) = (subject.open(), version.clone());
            racing.spawn(async move {
                store.swap_head("raced", version.as_ref(), format!("{round} {racer}").as_bytes()).await
            });
        }
        let mut won = Vec::new();
        for result in racing.join_all().await {
            match result {
                Ok(version) => won.push(version),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        assert_eq!(won.len(), 1, "round {round}");
        version = won.pop();
        assert_eq!(store.head("raced").await?.map(|(_, version)| version), version);
    }
    Ok(())
}

pub(super) async fn a_reloaded_head_is_swapped_under_a_lease(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    store.swap_head("leased", None, b"1").await?;
    for round in 2..5 {
        let lease = store.lock("leased", lock_info("me")).await?;
        let version = store.head("leased").await?.map(|(_, version)| version);
        let version = store.swap_head("leased", version.as_ref(), format!("{round}").as_bytes()).await?;
        store.swap_head("leased", Some(&version), format!("{round}").as_bytes()).await?;
        lease.check()?;
    }
    assert_eq!(store.head("leased").await?.map(|(bytes, _)| bytes), Some(b"4".to_vec()));
    Ok(())
}
