//! What can go wrong with one call, and when it does.

use std::time::Duration;

use engine::{ActionError, ErrorClass};
use plan::ActionId;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails for good, with nothing done.
    Permanent,
    /// The other side cannot be reached, and nothing is done.
    Unavailable,
    /// The other side asks to be asked less often, and nothing is done.
    Throttled,
    /// The handler panics, with nothing done.
    Panic,
    /// It is done, but the reply is lost.
    LostReply,
    /// The process dies before anything is done.
    DieBefore,
    /// The process dies when it is done, before anyone hears of it.
    DieAfter,
}

/// When it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// At the n-th call of all, from 1; calls that are tried again count anew.
    Call(usize),
    /// At the next call for this action.
    Action(ActionId),
    /// At every call for this action.
    Always(ActionId),
}

impl Fault {
    /// Whether it strikes before anything is done.
    pub(crate) fn is_before(self) -> bool {
        matches!(self, Self::Permanent | Self::Unavailable | Self::Throttled | Self::Panic | Self::DieBefore)
    }

    /// Whether the process dies of it.
    pub(crate) fn is_deadly(self) -> bool {
        matches!(self, Self::DieBefore | Self::DieAfter)
    }

    #[expect(clippy::panic, reason = "it is one of the faults")]
    pub(crate) fn error(self) -> ActionError {
        match self {
            Self::Permanent => ActionError::permanent("it was told to fail"),
            Self::Unavailable => ActionError::unavailable("it cannot be reached"),
            Self::Throttled => ActionError { class: ErrorClass::Throttled, ..ActionError::permanent("too many calls") },
            Self::Panic => panic!("it was told to panic"),
            Self::LostReply => ActionError::unavailable("the reply was lost"),
            Self::DieBefore | Self::DieAfter => crate::Life::dead(),
        }
    }
}

/// The faults that are still to come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    planned: Vec<(At, Fault)>,
    calls: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, at: At, fault: Fault) {
        self.planned.push((at, fault));
    }

    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// Counts a call and says what goes wrong with it.
    pub(crate) fn next(&mut self, action: &ActionId) -> Option<Fault> {
        self.calls += 1;
        let strikes = |at: &At| match at {
            At::Call(number) => *number == self.calls,
            At::Action(id) | At::Always(id) => id == action,
        };
        let position = self.planned.iter().position(|(at, _)| strikes(at))?;
        let fault = self.planned.get(position)?.1;
        if !matches!(self.planned.get(position)?.0, At::Always(_)) {
            self.planned.remove(position);
        }
        Some(fault)
    }
}

/// A result that is there, but does not show yet.
pub(crate) fn not_visible(within: Duration) -> ActionError {
    ActionError { class: ErrorClass::NotYetVisible { within }, ..ActionError::permanent("it does not show yet") }
}
