//! Objects: immutable, whole, listed by prefix.

use engine::StoreError;
use tokio::task::JoinSet;

use super::StoreSubject;

pub(super) async fn an_object_is_written_once_and_again_with_the_same_bytes(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let (one, other) = (subject.open(), subject.open());
    assert_eq!(one.get("objects", "a/one.json").await?, None);
    one.put("objects", "a/one.json", b"x").await?;
    other.put("objects", "a/one.json", b"x").await?;
    assert!(matches!(other.put("objects", "a/one.json", b"y").await, Err(StoreError::Conflict)));
    assert_eq!(other.get("objects", "a/one.json").await?, Some(b"x".to_vec()));
    assert!(!one.clusters().await?.contains(&"objects".to_owned()), "a cluster is there when its head is");
    Ok(())
}

pub(super) async fn one_of_several_writers_of_other_bytes_wins(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let mut racing = JoinSet::new();
    for racer in 0..8_u8 {
        let store = subject.open();
        racing.spawn(async move { (racer, store.put("raced-objects", "one", &[racer]).await) });
    }
    let mut won = Vec::new();
    for (racer, result) in racing.join_all().await {
        match result {
            Ok(()) => won.push(vec![racer]),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(subject.open().get("raced-objects", "one").await?, won.pop());
    Ok(())
}

pub(super) async fn objects_are_listed_by_prefix_and_sorted(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    assert!(store.list("listed", "").await?.is_empty());
    for key in ["b/2", "a/1", "b/10", "b/1", "c"] {
        store.put("listed", key, key.as_bytes()).await?;
    }
    assert_eq!(store.list("listed", "").await?, ["a/1", "b/1", "b/10", "b/2", "c"]);
    assert_eq!(store.list("listed", "b/").await?, ["b/1", "b/10", "b/2"]);
    assert_eq!(store.list("listed", "b/1").await?, ["b/1", "b/10"]);
    assert!(store.list("listed", "d/").await?.is_empty());
    Ok(())
}

pub(super) async fn an_object_is_deleted_also_when_it_is_gone(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    store.put("deleted", "one", b"x").await?;
    store.put("deleted", "two", b"x").await?;
    store.delete("deleted", "one").await?;
    store.delete("deleted", "one").await?;
    assert_eq!(store.get("deleted", "one").await?, None);
    assert_eq!(store.list("deleted", "").await?, ["two"]);
    store.put("deleted", "one", b"other").await
}

pub(super) async fn large_and_empty_objects_come_back_as_they_were(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[usize::from(at % 7 == 0)]).collect();
    for (key, bytes) in [("large", large.as_slice()), ("empty", b""), ("bytes", &[0, 255, 10, 13, 10])] {
        store.put("sized", key, bytes).await?;
        assert!(store.get("sized", key).await?.as_deref() == Some(bytes), "{key}");
    }
    Ok(())
}
