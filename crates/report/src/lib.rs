//! Data into text: plans, diagnostics, tables, progress. Decides nothing, and prints only through the stream it is given.

pub mod diagnostics;
pub mod plan_text;
pub mod progress;
pub mod rules_text;
pub mod style;
pub mod table;
pub mod words;

pub use diagnostics::diagnostics_text;
pub use plan_text::plan_text;
pub use progress::{Mode, Progress};
pub use rules_text::rules_text;
pub use table::Table;
