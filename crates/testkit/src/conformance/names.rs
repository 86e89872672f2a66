//! Names: whatever is legal is kept apart.

use engine::StoreError;
use futures::future::try_join_all;

use super::{StoreSubject, lock_info};

const KEYS: [&str; 14] = [
    " ",
    "%41",
    "+",
    "100%",
    "A",
    "a b",
    "a+b",
    "deep/er/and/er",
    "k=v&x?y#z",
    "pair.one",
    "pair.two",
    "quote'\"<>&",
    "tilde~",
    "ü/ß",
];

pub(super) async fn odd_keys_are_kept_apart(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    // At once: what one is written through must not be in the way of another.
    try_join_all(KEYS.iter().map(|key| store.put("odd", key, key.as_bytes()))).await?;
    for key in KEYS {
        assert_eq!(store.get("odd", key).await?.as_deref(), Some(key.as_bytes()), "{key}");
    }
    assert_eq!(store.list("odd", "").await?, KEYS);
    assert_eq!(store.list("odd", "a").await?, ["a b", "a+b"]);
    for key in KEYS {
        store.delete("odd", key).await?;
    }
    assert!(store.list("odd", "").await?.is_empty());
    Ok(())
}

pub(super) async fn clusters_whose_names_begin_alike_are_kept_apart(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    let long = "n".repeat(63);
    let names = ["0", "n", "n-1", "n.example.org", long.as_str()];
    for name in names {
        store.swap_head(name, None, name.as_bytes()).await?;
        store.put(name, "object", name.as_bytes()).await?;
    }
    for name in names {
        assert_eq!(store.head(name).await?.map(|(bytes, _)| bytes), Some(name.as_bytes().to_vec()));
        assert_eq!(store.list(name, "").await?, ["object"]);
        store.lock(name, lock_info(name)).await?.check()?;
    }
    let clusters = store.clusters().await?;
    assert!(names.iter().all(|name| clusters.iter().any(|cluster| cluster == name)), "{clusters:?}");
    assert!(clusters.is_sorted());
    Ok(())
}
