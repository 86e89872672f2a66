//! Locks: one holder, epochs that rise, free when dropped.

use std::time::Duration;

use engine::StoreError;
use tokio::task::JoinSet;

use super::{StoreSubject, lock_info};

pub(super) async fn a_second_lock_names_the_first_holder(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let (one, other) = (subject.open(), subject.open());
    let lease = one.lock("locked", lock_info("one")).await?;
    for store in [&one, &other] {
        match store.lock("locked", lock_info("two")).await {
            Err(StoreError::Locked(holder)) => assert_eq!(holder, lock_info("one")),
            Err(error) => return Err(error),
            Ok(second) => assert!(second.check().is_err(), "two leases hold"),
        }
    }
    lease.check()
}

pub(super) async fn epochs_rise_and_a_dropped_lease_is_free(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let mut last = 0;
    for round in 0..4 {
        let lease = subject.open().lock("epochs", lock_info("me")).await?;
        assert!(lease.epoch() > last, "round {round}: {} after {last}", lease.epoch());
        last = lease.epoch();
    }
    Ok(())
}

pub(super) async fn one_of_several_racers_gets_the_lock(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    for round in 0..5 {
        let mut racing = JoinSet::new();
        for racer in 0..6 {
            let store = subject.open();
            racing.spawn(async move { store.lock("raced-lock", lock_info(&racer.to_string())).await });
        }
        // Nobody gives the lock back before all have asked.
        let mut leases = Vec::new();
        for result in racing.join_all().await {
            match result {
                Ok(lease) => leases.push(lease),
                Err(StoreError::Locked(_)) => {}
                Err(error) => return Err(error),
            }
        }
        assert_eq!(leases.len(), 1, "round {round}");
        leases[0].check()?;
    }
    Ok(())
}

pub(super) async fn clusters_are_locked_one_by_one(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    let one = store.lock("lock-a", lock_info("one")).await?;
    let other = store.lock("lock-b", lock_info("two")).await?;
    drop(one);
    other.check()?;
    store.lock("lock-a", lock_info("three")).await?.check()
}

pub(super) async fn an_epoch_is_higher_than_that_of_another_store(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    assert_eq!(store.lock_beyond("beyond", lock_info("me"), 41).await?.epoch(), 42);
    assert_eq!(store.lock_beyond("beyond", lock_info("me"), 5).await?.epoch(), 43);
    assert_eq!(store.lock("beyond", lock_info("me")).await?.epoch(), 44);
    Ok(())
}

pub(super) async fn a_broken_lock_is_lost_to_whoever_held_it(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let (one, other) = (subject.open(), subject.open());
    let lease = one.lock("broken", lock_info("one")).await?;
    assert_eq!(other.break_lock("broken").await?, Some(lock_info("one")));
    let next = other.lock("broken", lock_info("two")).await?;
    assert!(next.epoch() > lease.epoch());
    // Who held it may believe in it until the next time that it says that it lives, but not for ever.
    while lease.check().is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(lease);
    next.check()?;
    assert!(matches!(subject.open().lock("broken", lock_info("three")).await, Err(StoreError::Locked(_))));
    Ok(())
}

pub(super) async fn a_lock_that_nobody_holds_cannot_be_broken(subject: &dyn StoreSubject) -> Result<(), StoreError> {
    let store = subject.open();
    assert_eq!(store.break_lock("unlocked").await?, None);
    drop(store.lock("unlocked", lock_info("me")).await?);
    assert_eq!(store.break_lock("unlocked").await?, None);
    Ok(())
}
