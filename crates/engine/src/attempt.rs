//! One action with its retries: only errors that time can heal are tried again.

use std::time::Duration;

use plan::Change;
use tokio::time::Instant;

use crate::handler::Applied;
use crate::{ActionContext, ActionError, ErrorClass, Event, Handler};

/// How often an action is tried when the other side is throttling or out of reach.
const ATTEMPTS: u32 = 5;

/// Applies `change`, again and again as long as its errors can heal.
pub(crate) async fn attempt(
    handler: &dyn Handler,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
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
        tokio::time::sleep(wait).await;
        number += 1;
    }
}

/// How long to wait before attempt `number + 1`; `None` when there is no point in one.
fn wait_before_retry(class: ErrorClass, number: u32, elapsed: Duration) -> Option<Duration> {
    let growing = Duration::from_millis(500 * 2_u64.pow(number.min(6) - 1));
    match class {
        ErrorClass::Permanent | ErrorClass::Stale => None,
        ErrorClass::Throttled | ErrorClass::Unavailable => (number < ATTEMPTS).then_some(growing),
        ErrorClass::NotYetVisible { within } => (elapsed < within).then_some(growing.min(Duration::from_secs(2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_not_yet_visible_is_awaited_for_its_time() {
        let class = ErrorClass::NotYetVisible { within: Duration::from_secs(10) };
        assert!(wait_before_retry(class, 9, Duration::from_secs(9)).is_some());
        assert!(wait_before_retry(class, 9, Duration::from_secs(11)).is_none());
    }
}
