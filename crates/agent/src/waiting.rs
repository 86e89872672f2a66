//! Waiting for what comes by itself: looking again and again, and telling why it is not there yet.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::replies::Replies;

/// Between two looks. Short: what is waited for is on the way to a cluster that works.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two lines about the same wait.
const NEWS: Duration = Duration::from_secs(5);

/// Looks until `look` finds that it holds. When that takes longer than `limit`, gives why it did not at the last look. A
/// failure is one that waiting does not cure, such as that nobody waits for `item` any more.
pub(crate) fn until(
    item: &str,
    name: &str,
    limit: Duration,
    replies: &mut Replies<'_>,
    mut look: impl FnMut() -> Outcome<Result<(), String>>,
) -> Outcome<Result<(), String>> {
    let start = Instant::now();
    let mut news: Option<Instant> = None;
    loop {
        let Err(why) = look()? else { return Ok(Ok(())) };
        if start.elapsed() >= limit {
            return Ok(Err(why));
        }
        if replies.lost() {
            return Err(Failure::new(item, "nobody waits for it any more"));
        }
        if news.is_none_or(|last| last.elapsed() >= NEWS) {
            replies.progress(format!("waiting for {name} ({why})"));
            news = Some(Instant::now());
        }
        std::thread::sleep(PAUSE);
    }
}
