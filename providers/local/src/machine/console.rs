//! What a machine's console said last.

use super::Home;
use crate::command;

/// The last lines of the console, at most 20.
pub(super) fn tail(home: &Home) -> Vec<String> {
    command::last_lines(&String::from_utf8_lossy(&fs_err::read(home.console()).unwrap_or_default()))
}
