//! One action with its retries: only errors that time can heal are tried again.

use std::time::Duration;

use plan::Change;
use tokio::time::Instant;

use crate::handler::Applied;
use crate::{ActionContext, ActionError, ErrorClass, Event, Handler, Randomness};

/// How often an action is tried when the other side is throttling or out of reach.
const ATTEMPTS: u32 = 5;

/// How long an action may take, unless the user says otherwise. Handlers wait for five minutes at most, in each attempt:
/// what takes longer than all attempts together does not end by itself.
pub const ACTION_LIMIT: Duration = Duration::from_mins(30);

/// Applies `change`, again and again as long as its errors can heal, and no longer than `limit` in all.
pub(crate) async fn with_retries(
    handler: &dyn Handler,
    change: &Change,
    context: &ActionContext,
    limit: Duration,
) -> Result<Applied, ActionError> {
    if let Ok(ended) = tokio::time::timeout(limit, until_healed(handler, change, context)).await {
        return ended;
    }
    // What the handler has left running for this action ends too.
    context.cancel.cancel();
    Err(timed_out(limit))
}

fn timed_out(limit: Duration) -> ActionError {
    let limit = limit.as_secs();
    let message = format!("it did not end within {limit} s; what it has done is not known, the next run looks at it");
    let hint = format!(
        "see why it hangs; if it only needs longer, add: --action-timeout {}s",
        limit.saturating_mul(2).max(60)
    );
    ActionError { class: ErrorClass::TimedOut, ..ActionError::permanent(message) }.hint(hint)
}

async fn until_healed(handler: &dyn Handler, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
    let began = Instant::now();
    let mut number = 1;
    loop {
        let error = tokio::select! {
            result = handler.apply(change, context) => match result {
                Ok(applied) => return Ok(applied),
                Err(error) => error,
            },
            () = context.cancel.cancelled() => return Err(ActionError::permanent("stopped by the user")),
        };
        let Some(wait) = wait_before_retry(error.class, number, began.elapsed()) else { return Err(error) };
        context.events.emit(Event::ActionRetried {
            action: context.action.clone(),
            attempt: number,
            why: error.message,
        });
        tokio::time::sleep(spread(wait, context.randomness.as_ref())).await;
        number += 1;
    }
}

/// Half of a wait for certain, and the rest by chance: those that were refused together don't come back together.
fn spread(wait: Duration, randomness: &dyn Randomness) -> Duration {
    let mut chance = [0];
    randomness.fill(&mut chance);
    let [chance] = chance;
    wait / 2 + wait / 2 * u32::from(chance) / u32::from(u8::MAX)
}

/// How long to wait before attempt `number + 1`; `None` when there is no point in one.
fn wait_before_retry(class: ErrorClass, number: u32, elapsed: Duration) -> Option<Duration> {
    let growing = Duration::from_millis(500 * 2_u64.pow(number.min(6) - 1));
    match class {
        ErrorClass::Permanent | ErrorClass::Stale | ErrorClass::TimedOut | ErrorClass::Fault => None,
        ErrorClass::Throttled | ErrorClass::Unavailable => (number < ATTEMPTS).then_some(growing),
        ErrorClass::NotYetVisible { within } => (elapsed < within).then_some(growing.min(Duration::from_secs(2))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use async_trait::async_trait;
    use plan::{Operation, Reason};
    use resource::{KindSchema, Observation, Reference, ResourceId};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{Clock, EventSink, ObserveContext, ObserveRequest, Output, Outputs, UnresolvedReference};

    /// Takes its time, and fails a number of times before it is done.
    struct Slow {
        takes: Duration,
        class: Option<ErrorClass>,
    }

    #[async_trait]
    impl Handler for Slow {
        fn schemas(&self) -> Vec<KindSchema> {
            Vec::new()
        }

        async fn observe(
            &self,
            _: Vec<ObserveRequest>,
            _: Arc<dyn ObserveContext>,
        ) -> BTreeMap<ResourceId, Observation> {
            BTreeMap::new()
        }

        async fn apply(&self, _: &Change, _: &ActionContext) -> Result<Applied, ActionError> {
            tokio::time::sleep(self.takes).await;
            match self.class {
                None => Ok(Applied::default()),
                Some(class) => Err(ActionError { class, ..ActionError::permanent("no") }),
            }
        }
    }

    /// Knows nothing and hears nothing.
    struct Nothing;

    impl ObserveContext for Nothing {
        fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
            Err(UnresolvedReference(reference.clone()))
        }

        fn outputs(&self, _: &ResourceId) -> Outputs {
            Outputs::new()
        }

        fn clock(&self) -> &dyn Clock {
            self
        }

        fn digest_key(&self, _: &str) -> [u8; 32] {
            [0; 32]
        }
    }

    impl Clock for Nothing {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }
    }

    impl Randomness for Nothing {
        fn fill(&self, _: &mut [u8]) {}
    }

    impl EventSink for Nothing {
        fn emit(&self, _: Event) {}
    }

    async fn tried(
        takes: u64,
        class: Option<ErrorClass>,
        limit: u64,
    ) -> (Result<Applied, ActionError>, Duration, bool) {
        let change = Change::new(&ResourceId::new("x", "a"), Operation::Create, Reason::New);
        let nothing = Arc::new(Nothing);
        let abort = CancellationToken::new();
        let context = ActionContext {
            action: change.id.clone(),
            cluster: "demo".into(),
            epoch: 1,
            token: String::new(),
            outputs: nothing.clone(),
            randomness: nothing.clone(),
            events: nothing,
            cancel: abort.child_token(),
            unfinished: tokio_util::task::TaskTracker::new(),
        };
        let (began, handler) = (Instant::now(), Slow { takes: Duration::from_secs(takes), class });
        let result = with_retries(&handler, &change, &context, Duration::from_secs(limit)).await;
        assert!(!abort.is_cancelled(), "the run goes on");
        (result, began.elapsed(), context.cancel.is_cancelled())
    }

    #[tokio::test(start_paused = true)]
    async fn an_action_past_its_limit_fails_and_what_it_left_running_is_told_to_end() {
        let (result, took, cancelled) = tried(3600, None, 120).await;
        let error = result.unwrap_err();
        assert_eq!((error.class, took, cancelled), (ErrorClass::TimedOut, Duration::from_mins(2), true));
        assert!(error.message.contains("120 s"), "{}", error.message);
        assert!(error.hint.unwrap().ends_with("--action-timeout 240s"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_action_within_its_limit_is_done() {
        let (result, took, cancelled) = tried(119, None, 120).await;
        assert_eq!((result.is_ok(), took, cancelled), (true, Duration::from_secs(119), false));
    }

    #[tokio::test(start_paused = true)]
    async fn retries_count_into_the_limit() {
        let (result, took, _) = tried(50, Some(ErrorClass::Unavailable), 120).await;
        assert_eq!((result.unwrap_err().class, took), (ErrorClass::TimedOut, Duration::from_mins(2)));
        let (result, ..) = tried(50, Some(ErrorClass::Unavailable), 3600).await;
        assert_eq!(result.unwrap_err().class, ErrorClass::Unavailable);
    }

    #[test]
    fn the_limit_leaves_room_for_every_attempt_of_the_longest_wait() {
        assert!(ACTION_LIMIT > Duration::from_mins(5) * ATTEMPTS);
        assert_eq!(wait_before_retry(ErrorClass::TimedOut, 1, Duration::ZERO), None);
    }

    #[test]
    fn permanent_errors_are_not_tried_again() {
        assert_eq!(wait_before_retry(ErrorClass::Permanent, 1, Duration::ZERO), None);
        assert_eq!(wait_before_retry(ErrorClass::Stale, 1, Duration::ZERO), None);
    }

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<Option<u64>> = (1..=5)
            .map(|number| wait_before_retry(ErrorClass::Unavailable, number, Duration::ZERO))
            .map(|wait| wait.map(|wait| u64::try_from(wait.as_millis()).unwrap()))
            .collect();
        assert_eq!(waits, [Some(500), Some(1000), Some(2000), Some(4000), None]);
    }

    #[test]
    fn waits_are_spread_over_their_second_half() {
        struct Always(u8);
        impl Randomness for Always {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(self.0);
            }
        }
        let spread = |chance| spread(Duration::from_millis(1020), &Always(chance)).as_millis();
        assert_eq!([0, 85, 255].map(spread), [510, 680, 1020]);
    }

    #[test]
    fn what_is_not_yet_visible_is_awaited_for_its_time() {
        let class = ErrorClass::NotYetVisible { within: Duration::from_secs(10) };
        assert!(wait_before_retry(class, 9, Duration::from_secs(9)).is_some());
        assert!(wait_before_retry(class, 9, Duration::from_secs(11)).is_none());
    }
}
