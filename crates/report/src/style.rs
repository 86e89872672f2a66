//! The few colours in use. Streams strip them where they are not wanted (NO_COLOR, pipes).

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Something is made.
pub const CREATE: Style = AnsiColor::Green.on_default();
/// Something is changed.
pub const UPDATE: Style = AnsiColor::Yellow.on_default();
/// Something goes away or went wrong.
pub const DELETE: Style = AnsiColor::Red.on_default();
/// Something is only mentioned.
pub const DIM: Style = Style::new().dimmed();
/// Something matters.
pub const BOLD: Style = Style::new().bold();

/// `text` in `style`.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
