//! Locks: one holder, epochs that rise, free when dropped.

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
