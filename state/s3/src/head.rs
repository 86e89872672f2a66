//! The head of a cluster: compare and swap by the object's tag, fenced by the epoch that is written with it.

use engine::{StoreError, Version};

use crate::bucket::{Bucket, Condition, Written};
use crate::wire::{FORMAT, HeadFile, decode, encode};

/// How often the epoch is raised anew when the old holder's last swap came in between.
const RACES: u32 = 20;

/// The head's wrapper and its tag.
pub(crate) async fn read(bucket: &Bucket, cluster: &str) -> Result<Option<(HeadFile, String)>, StoreError> {
    let key = bucket.layout.head(cluster);
    match bucket.get(&key).await? {
        Some(object) => Ok(Some((decode(&bucket.layout.show(&key), &object.bytes)?, object.tag))),
        None => Ok(None),
    }
}

/// What a swap must find: tag, and the epoch it was written under.
pub(crate) fn version(epoch: u64, tag: &str) -> Version {
    Version(format!("{epoch} {tag}"))
}

fn parse_version(version: &Version) -> Option<(u64, &str)> {
    let (epoch, tag) = version.0.split_once(' ')?;
    Some((epoch.parse().ok()?, tag))
}

/// Replaces the head if it still is `expected`. `epoch` is that of the lease of this process, if it has one: a head that was
/// loaded under another lease, or before this one was taken, is not the present one.
pub(crate) async fn swap(
    bucket: &Bucket,
    cluster: &str,
    expected: Option<&Version>,
    epoch: Option<u64>,
    head: &[u8],
) -> Result<Version, StoreError> {
    let found = match expected {
        Some(version) => Some(parse_version(version).ok_or(StoreError::Conflict)?),
        None => None,
    };
    if let (Some((loaded, _)), Some(held)) = (found, epoch)
        && loaded != held
    {
        return Err(StoreError::Conflict);
    }
    let epoch = epoch.or(found.map(|(epoch, _)| epoch)).unwrap_or(0);
    let condition = found.map_or(Condition::Absent, |(_, tag)| Condition::Tag(tag));
    let head = std::str::from_utf8(head).map_err(|error| StoreError::Unusable {
        what: format!("write {}", bucket.layout.show(&bucket.layout.head(cluster))),
        source: std::io::Error::other(error),
    })?;
    match write(bucket, cluster, epoch, head.to_owned(), condition).await? {
        Written::Done(tag) => Ok(version(epoch, &tag)),
        Written::Refused(_) => Err(StoreError::Conflict),
    }
}

/// Writes the head again under a new epoch, so that whoever loaded it before cannot swap it any more.
pub(crate) async fn raise_epoch(bucket: &Bucket, cluster: &str, epoch: u64) -> Result<(), StoreError> {
    for _ in 0..RACES {
        let Some((file, tag)) = read(bucket, cluster).await? else { return Ok(()) };
        if file.epoch > epoch {
            // Somebody took the lease from us while we were at it.
            return Err(StoreError::LeaseLost);
        }
        if let Written::Done(_) = write(bucket, cluster, epoch, file.head, Condition::Tag(&tag)).await? {
            return Ok(());
        }
    }
    Err(StoreError::Conflict)
}

async fn write(
    bucket: &Bucket,
    cluster: &str,
    epoch: u64,
    head: String,
    condition: Condition<'_>,
) -> Result<Written, StoreError> {
    let write = uuid::Uuid::new_v4().simple().to_string();
    let file = HeadFile { format: FORMAT, epoch, write, head };
    bucket.put(&bucket.layout.head(cluster), &encode(&file)?, condition).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_holds_epoch_and_tag() {
        assert_eq!(parse_version(&version(7, "\"a b\"")), Some((7, "\"a b\"")));
        assert_eq!(parse_version(&Version("deadbeef".to_owned())), None);
    }
}
