//! What every state store must do: one suite for all of them, run on a store that is really there.

mod apart;
mod heads;
mod journals;
mod locks;
mod lost;
mod names;
mod objects;
mod removal;

use std::sync::Arc;

use async_trait::async_trait;
use engine::{LockInfo, StateStore, StoreError};
use futures::future::BoxFuture;

pub use apart::Apart;

/// A kind of store under test.
#[async_trait]
pub trait StoreSubject: Send + Sync {
    /// A handle of its own on the same store, as another process has it.
    fn open(&self) -> Arc<dyn StateStore>;

    /// Leaves the beginning of a record at the end of a journal, as a crash in the middle of a write does. False where
    /// that cannot happen.
    async fn tear(&self, cluster: &str, run: &str, half: &str) -> bool {
        let _ = (cluster, run, half);
        false
    }
}

type Behaviour = for<'a> fn(&'a dyn StoreSubject) -> BoxFuture<'a, Result<(), StoreError>>;

macro_rules! behaviours {
    ($($module:ident::$name:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), |subject| Box::pin($module::$name(subject)))),*]
    };
}

const ALL: &[(&str, Behaviour)] = behaviours![
    heads::a_head_is_swapped_only_from_what_was_read,
    heads::a_head_is_made_only_where_none_is,
    heads::one_of_several_swaps_wins_every_round,
    heads::a_reloaded_head_is_swapped_under_a_lease,
    objects::an_object_is_written_once_and_again_with_the_same_bytes,
    objects::one_of_several_writers_of_other_bytes_wins,
    objects::objects_are_listed_by_prefix_and_sorted,
    objects::an_object_is_deleted_also_when_it_is_gone,
    objects::large_and_empty_objects_come_back_as_they_were,
    journals::records_are_read_in_the_order_of_their_batches,
    journals::an_opened_journal_is_known_and_is_opened_once,
    journals::journals_are_listed_sorted_and_deleted_one_by_one,
    journals::a_torn_record_is_left_out,
    journals::a_long_journal_is_read_whole,
    locks::a_second_lock_names_the_first_holder,
    locks::epochs_rise_and_a_dropped_lease_is_free,
    locks::one_of_several_racers_gets_the_lock,
    locks::clusters_are_locked_one_by_one,
    locks::an_epoch_is_higher_than_that_of_another_store,
    locks::a_broken_lock_is_lost_to_whoever_held_it,
    locks::a_lock_that_nobody_holds_cannot_be_broken,
    lost::whoever_lost_the_lock_writes_and_deletes_nothing,
    lost::whoever_lost_the_lock_ends_no_run_and_begins_none,
    removal::a_removed_cluster_leaves_nothing_and_others_alone,
    removal::a_cluster_is_removed_under_its_lease_and_made_anew,
    names::odd_keys_are_kept_apart,
    names::clusters_whose_names_begin_alike_are_kept_apart,
];

/// Runs the whole suite.
///
/// # Errors
/// The behaviour that the store failed, and how.
///
/// # Panics
/// When the store does something else than it must.
pub async fn all(subject: &dyn StoreSubject) -> Result<(), String> {
    all_but(subject, &[]).await
}

/// Runs the suite without some behaviours, such as those that the server below a store gets wrong.
///
/// # Errors
/// The behaviour that the store failed, and how.
///
/// # Panics
/// When the store does something else than it must, or when there is no such behaviour to leave out.
pub async fn all_but(subject: &dyn StoreSubject, left_out: &[&str]) -> Result<(), String> {
    let unknown = left_out.iter().find(|name| !ALL.iter().any(|(known, _)| known == *name));
    assert!(unknown.is_none(), "there is no behaviour {unknown:?}");
    for (name, behaviour) in ALL.iter().filter(|(name, _)| !left_out.contains(name)) {
        behaviour(subject).await.map_err(|error| format!("{name}: {error} ({error:?})"))?;
    }
    Ok(())
}

/// Somebody who wants a lock.
pub fn lock_info(id: &str) -> LockInfo {
    LockInfo {
        id: id.to_owned(),
        who: format!("{id}@here"),
        process: std::process::id(),
        operation: "conformance".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
    }
}
