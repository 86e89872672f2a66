//! A run's journal: numbered segments, one per batch of records, each written whole or not at all.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{JournalWriter, StoreError};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::bucket::{Bucket, Condition, Written};
use crate::held::Held;
use crate::wire::is_seal;

/// How many segments are asked for at once at most. Reading begins with few: most journals are short, and what lies past
/// the end is asked for in vain.
const READ_AT_ONCE: u32 = 32;

/// An open journal.
pub(crate) struct S3Journal {
    bucket: Arc<Bucket>,
    cluster: String,
    run: String,
    /// The lease it was opened under: what is written after that is over does not count.
    held: Option<Arc<Held>>,
    end: Mutex<End>,
}

/// Where a journal goes on.
struct End {
    /// Number of the next segment.
    next: u32,
    /// Segments of which it was never heard whether they were written; at most one of them stands at `next`.
    doubtful: Vec<Vec<u8>>,
}

/// Opens the journal of a new run.
pub(crate) async fn create(
    bucket: &Arc<Bucket>,
    cluster: &str,
    run: &str,
    held: Option<Arc<Held>>,
) -> Result<S3Journal, StoreError> {
    if let Some(held) = &held {
        held.check()?;
    }
    // The mark makes the journal known before it has records, and has a name in it so that a lost reply can be told from
    // a journal of somebody else.
    let key = bucket.layout.segment(cluster, run, 0);
    let mark = format!("{}\n", uuid::Uuid::new_v4().simple());
    match bucket.put(&key, mark.as_bytes(), Condition::Absent).await? {
        Written::Done(_) => {}
        Written::Refused(_) => {
            let what = format!("open the journal of run {run}");
            return Err(StoreError::Unusable { what, source: std::io::ErrorKind::AlreadyExists.into() });
        }
    }
    Ok(S3Journal {
        bucket: bucket.clone(),
        cluster: cluster.to_owned(),
        run: run.to_owned(),
        held,
        end: Mutex::new(End { next: 1, doubtful: Vec::new() }),
    })
}

#[async_trait]
impl JournalWriter for S3Journal {
    async fn append(&self, records: &[String]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut end = self.end.lock().await;
        if let Some(held) = &self.held {
            held.check()?;
        }
        let mut bytes = records.join("\n").into_bytes();
        bytes.push(b'\n');
        loop {
            let key = self.bucket.layout.segment(&self.cluster, &self.run, end.next);
            // In doubt until it is answered, also when nobody waits for the answer any more.
            if !end.doubtful.contains(&bytes) {
                end.doubtful.push(bytes.clone());
            }
            match self.bucket.put(&key, &bytes, Condition::Absent).await? {
                Written::Done(_) => {
                    end.next += 1;
                    end.doubtful.clear();
                    return Ok(());
                }
                Written::Refused(Some(there)) if end.doubtful.contains(&there.bytes) => {
                    end.next += 1;
                    end.doubtful.retain(|doubtful| *doubtful != there.bytes);
                }
                Written::Refused(_) => return Err(StoreError::LeaseLost),
            }
        }
    }
}

/// All whole records up to the end or the seal of a journal. It is found by asking for one segment after the other:
/// numbers have no gaps, and a list would be one more request.
pub(crate) async fn read(bucket: &Arc<Bucket>, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
    let mut records = Vec::new();
    let (mut first, mut count) = (1, 2);
    loop {
        for segment in read_segments(bucket, cluster, run, first..first + count).await? {
            match segment {
                Some(bytes) if !is_seal(&bytes) => records.extend(whole_lines(&bytes)),
                _ => return Ok(records),
            }
        }
        first += count;
        count = (count * 2).min(READ_AT_ONCE);
    }
}

async fn read_segments(
    bucket: &Arc<Bucket>,
    cluster: &str,
    run: &str,
    numbers: std::ops::Range<u32>,
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let mut reading = JoinSet::new();
    for number in numbers {
        let (bucket, key) = (bucket.clone(), bucket.layout.segment(cluster, run, number));
        reading.spawn(async move { (number, bucket.get(&key).await) });
    }
    let mut segments = Vec::new();
    for (number, read) in reading.join_all().await {
        segments.push((number, read?.map(|object| object.bytes)));
    }
    segments.sort_unstable_by_key(|(number, _)| *number);
    Ok(segments.into_iter().map(|(_, segment)| segment).collect())
}

/// The lines of a segment that end with a line feed.
fn whole_lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_left_out() {
        assert_eq!(whole_lines(b"one\ntwo\nthr"), ["one", "two"]);
        assert!(whole_lines(b"thr").is_empty() && whole_lines(b"").is_empty());
    }
}
