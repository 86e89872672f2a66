//! Journals: appended in order, known from the moment they are opened, whole records only.

use engine::StoreError;

use super::StoreSubject;

fn records(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

pub(super) async fn records_are_read_in_the_order_of_their_batches(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    assert!(store.read_journal("journals", "none").await?.is_empty());
    let journal = store.create_journal("journals", "r1").await?;
    assert!(store.read_journal("journals", "r1").await?.is_empty());
    journal.append(&records(&["{\"a\":1}", "{\"ü\":\"\\n\"}"])).await?;
    journal.append(&records(&["{\"b\":2}"])).await?;
    journal.append(&records(&["{\"b\":2}"])).await?;
    let other = subject.open();
    assert_eq!(other.read_journal("journals", "r1").await?, ["{\"a\":1}", "{\"ü\":\"\\n\"}", "{\"b\":2}", "{\"b\":2}"]);
    Ok(())
}

pub(super) async fn an_opened_journal_is_known_and_is_opened_once(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    let journal = store.create_journal("opened", "r1").await?;
    assert_eq!(store.journals("opened").await?, ["r1"]);
    assert!(subject.open().create_journal("opened", "r1").await.is_err());
    journal.append(&records(&["one"])).await?;
    assert!(subject.open().create_journal("opened", "r1").await.is_err());
    assert_eq!(store.read_journal("opened", "r1").await?, ["one"]);
    Ok(())
}

pub(super) async fn journals_are_listed_sorted_and_deleted_one_by_one(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    assert!(store.journals("several").await?.is_empty());
    let (early, late) = ("20260101T000000Z-a", "20260102T000000Z-b");
    for run in [late, early] {
        store.create_journal("several", run).await?.append(&records(&["x", "y"])).await?;
    }
    assert_eq!(store.journals("several").await?, [early, late]);
    store.delete_journal("several", early).await?;
    store.delete_journal("several", early).await?;
    assert_eq!(store.journals("several").await?, [late]);
    assert!(store.read_journal("several", early).await?.is_empty());
    assert_eq!(store.read_journal("several", late).await?, ["x", "y"]);
    Ok(())
}

pub(super) async fn a_torn_record_is_left_out(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    let journal = store.create_journal("torn", "r1").await?;
    journal.append(&records(&["one", "two"])).await?;
    if subject.tear("torn", "r1", "thr").await {
        assert_eq!(store.read_journal("torn", "r1").await?, ["one", "two"]);
    }
    Ok(())
}

pub(super) async fn a_long_journal_is_read_whole(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    let journal = store.create_journal("long", "r1").await?;
    let expected: Vec<String> = (0..75).map(|number| format!("{{\"number\":{number}}}")).collect();
    for record in &expected {
        journal.append(std::slice::from_ref(record)).await?;
    }
    assert_eq!(store.read_journal("long", "r1").await?, expected);
    Ok(())
}
