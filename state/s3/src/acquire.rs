//! Takes a cluster's lease: when it is free, ran out, or its holder is a dead process of this host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::{LockInfo, StoreError};

use crate::bucket::{Bucket, Condition, Object, Written};
use crate::held::{Held, boot_time, trusted};
use crate::keeper::{Duty, Keeper};
use crate::layout::parse_segment;
use crate::lease::{Leases, S3Lease};
use crate::store::Options;
use crate::wire::{FORMAT, LeaseFile, decode, encode, seal};
use crate::{Host, head};

/// How often a race is run again that was lost to somebody who is already gone, or to a last write of the old holder.
const RACES: u32 = 20;

/// The life of a lease that was taken from its holder, seconds.
const BROKEN: u64 = 0;

/// Whether a lease can be had.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Its holder gave it back.
    Free,
    /// Its holder is dead, or was not heard of for too long; it may still believe that it holds the lease.
    Abandoned,
    /// Somebody works under it.
    Held,
}

/// Judges a lease of an age in whole seconds, by the server's clock.
fn judge(lease: &LeaseFile, age: i64, is_dead: impl FnOnce(&Host) -> bool) -> Standing {
    if lease.ttl_seconds == BROKEN && !lease.released {
        return Standing::Abandoned;
    }
    // Both times are cut to whole seconds, so an age of one second more than the life is the first that is certain.
    let is_over = u64::try_from(age).is_ok_and(|age| age > lease.ttl_seconds);
    match lease {
        LeaseFile { released: true, .. } => Standing::Free,
        _ if is_over || is_dead(&lease.host) => Standing::Abandoned,
        _ => Standing::Held,
    }
}

/// Who asks, and with what.
pub(crate) struct Request<'a> {
    pub(crate) bucket: &'a Bucket,
    pub(crate) cluster: &'a str,
    pub(crate) options: &'a Options,
    pub(crate) leases: &'a Leases,
}

/// What was written as the lease.
struct Taken {
    file: LeaseFile,
    tag: String,
    /// Boot time at which the request began.
    sent: Duration,
    /// The holder before did not give it back.
    was_abandoned: bool,
}

impl Request<'_> {
    /// Takes the lease, with an epoch higher than `beyond`, or says who holds it.
    pub(crate) async fn acquire(&self, info: LockInfo, beyond: u64) -> Result<S3Lease, StoreError> {
        let taken = self.take(info, beyond).await?;
        let (epoch, holder, was_abandoned) = (taken.file.epoch, taken.file.holder.id.clone(), taken.was_abandoned);
        let lease = self.keep(taken)?;
        // Should the rest fail, a lease that was abandoned before is left abandoned, so that whoever takes it next does it.
        if !was_abandoned {
            lease.settle();
        }
        head::raise_epoch(self.bucket, self.cluster, epoch).await?;
        if was_abandoned {
            self.seal_journals(epoch, &holder).await?;
        }
        lease.settle();
        Ok(lease)
    }

    /// Whether the lease that stands in the bucket is the one of this epoch, and neither given back nor taken away.
    pub(crate) async fn is_held(&self, epoch: u64) -> Result<bool, StoreError> {
        let key = self.bucket.layout.lease(self.cluster);
        let Some(object) = self.bucket.get(&key).await? else { return Ok(false) };
        let lease: LeaseFile = decode(&self.bucket.layout.show(&key), &object.bytes)?;
        Ok(lease.epoch == epoch && !lease.released && lease.ttl_seconds != BROKEN)
    }

    /// Leaves the lease abandoned, and says who held it. Who takes it next does what a takeover needs.
    pub(crate) async fn break_lease(&self) -> Result<Option<LockInfo>, StoreError> {
        let key = self.bucket.layout.lease(self.cluster);
        for _ in 0..RACES {
            let Some(object) = self.bucket.get(&key).await? else { return Ok(None) };
            let lease: LeaseFile = decode(&self.bucket.layout.show(&key), &object.bytes)?;
            if lease.released {
                return Ok(None);
            }
            let broken = LeaseFile { ttl_seconds: BROKEN, ..lease };
            // Between reading and writing its holder may have beaten, or given it back.
            if let Written::Done(_) = self.bucket.put(&key, &encode(&broken)?, Condition::Tag(&object.tag)).await? {
                return Ok(Some(broken.holder));
            }
        }
        Err(StoreError::Conflict)
    }

    async fn take(&self, info: LockInfo, beyond: u64) -> Result<Taken, StoreError> {
        let key = self.bucket.layout.lease(self.cluster);
        let mut there = self.bucket.get(&key).await?;
        let mut left = RACES;
        loop {
            let (last, was_abandoned) = self.last_epoch(there.as_ref()).await?;
            let file = LeaseFile {
                format: FORMAT,
                epoch: last.max(beyond) + 1,
                holder: info.clone(),
                ttl_seconds: self.options.ttl.as_secs().max(1),
                beat: 0,
                released: false,
                host: self.options.host.clone(),
            };
            let condition = there.as_ref().map_or(Condition::Absent, |object| Condition::Tag(&object.tag));
            let sent = boot_time();
            match self.bucket.put(&key, &encode(&file)?, condition).await? {
                Written::Done(tag) => return Ok(Taken { file, tag, sent, was_abandoned }),
                Written::Refused(other) => there = other,
            }
            left -= 1;
            if left == 0 {
                return Err(StoreError::Conflict);
            }
        }
    }

    /// The last epoch, and whether its holder did not give it back; an error when somebody holds the lease.
    async fn last_epoch(&self, there: Option<&Object>) -> Result<(u64, bool), StoreError> {
        let Some(object) = there else {
            // The lease may have been deleted by hand; the head still knows.
            let head = head::read(self.bucket, self.cluster).await?;
            return Ok((head.map_or(0, |(head, _)| head.epoch), false));
        };
        let what = self.bucket.layout.show(&self.bucket.layout.lease(self.cluster));
        let lease: LeaseFile = decode(&what, &object.bytes)?;
        match judge(&lease, object.age, |host| host.is_dead(&self.options.host)) {
            Standing::Held => Err(StoreError::Locked(lease.holder)),
            Standing::Free => Ok((lease.epoch, false)),
            Standing::Abandoned => Ok((lease.epoch, true)),
        }
    }

    fn keep(&self, taken: Taken) -> Result<S3Lease, StoreError> {
        let ttl = Duration::from_secs(taken.file.ttl_seconds);
        let held = Arc::new(Held::new(taken.file.epoch, taken.sent + trusted(ttl)));
        let keeper = Keeper::start(Duty {
            // A try that takes longer than a third of the life is worth less than another try.
            bucket: self.bucket.apart((ttl / 3).max(Duration::from_secs(1))),
            key: self.bucket.layout.lease(self.cluster),
            file: taken.file,
            tag: taken.tag,
            held: held.clone(),
            beat: self.options.beat,
        });
        let keeper = keeper.map_err(|source| StoreError::Unusable { what: "keep the lease".to_owned(), source })?;
        Ok(S3Lease::new(self.cluster, held, self.leases.clone(), keeper))
    }

    /// Ends the journal that the holder before may still write to: its next segment is taken.
    ///
    /// That is the one written to last by the server's clock, and the last by name; usually the same.
    async fn seal_journals(&self, epoch: u64, holder: &str) -> Result<(), StoreError> {
        let prefix = self.bucket.layout.journals(self.cluster);
        let listed = self.bucket.list(&prefix).await?;
        let segments: Vec<(&str, u32, i64)> = listed
            .iter()
            .filter_map(|object| {
                let (run, number) = parse_segment(object.key.strip_prefix(&prefix)?)?;
                Some((run, number, object.written))
            })
            .collect();
        let latest = segments.iter().map(|(.., written)| *written).max();
        let mut runs: BTreeSet<&str> =
            segments.iter().filter(|(.., written)| Some(*written) == latest).map(|(run, ..)| *run).collect();
        runs.extend(segments.last().map(|(run, ..)| *run));
        for run in runs {
            let numbers = segments.iter().filter(|(of, ..)| *of == run).map(|(_, number, _)| *number);
            self.seal_journal(run, numbers.max().unwrap_or(0) + 1, &seal(epoch, holder)?).await?;
        }
        Ok(())
    }

    async fn seal_journal(&self, run: &str, mut number: u32, seal: &[u8]) -> Result<(), StoreError> {
        for _ in 0..RACES {
            let key = self.bucket.layout.segment(self.cluster, run, number);
            match self.bucket.put(&key, seal, Condition::Absent).await? {
                Written::Done(_) => return Ok(()),
                // The old holder's last write was just on its way.
                Written::Refused(_) => number += 1,
            }
        }
        Err(StoreError::Conflict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(released: bool) -> LeaseFile {
        LeaseFile {
            format: FORMAT,
            epoch: 4,
            holder: LockInfo {
                id: "one".to_owned(),
                who: "me@here".to_owned(),
                process: 1,
                operation: "test".to_owned(),
                since: "now".to_owned(),
            },
            ttl_seconds: 30,
            beat: 0,
            released,
            host: Host::here(),
        }
    }

    #[test]
    fn a_lease_runs_out_only_when_that_is_certain_by_the_servers_clock() {
        for (age, standing) in
            [(-3600, Standing::Held), (0, Standing::Held), (30, Standing::Held), (31, Standing::Abandoned)]
        {
            assert_eq!(judge(&lease(false), age, |_| false), standing, "{age}");
        }
    }

    #[test]
    fn a_lease_that_was_broken_is_abandoned_at_once() {
        assert_eq!(judge(&LeaseFile { ttl_seconds: BROKEN, ..lease(false) }, 0, |_| false), Standing::Abandoned);
    }

    #[test]
    fn a_dead_holder_is_not_waited_for_and_a_released_lease_is_free() {
        assert_eq!(judge(&lease(false), 0, |_| true), Standing::Abandoned);
        assert_eq!(judge(&lease(true), 0, |_| true), Standing::Free);
    }
}
