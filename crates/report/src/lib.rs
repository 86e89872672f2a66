//! Data into text: plans, diagnostics, tables, progress. Decides nothing, and prints only through the stream it is given.

pub mod diagnostics;
mod line_diff;
mod plan_graph;
pub mod plan_text;
pub mod progress;
pub mod rules_text;
mod stale_reason;
pub mod style;
mod summary_lines;
mod svg;
pub mod table;
mod timeline_text;
pub mod words;

pub use diagnostics::diagnostics_text;
pub use line_diff::line_diff;
pub use plan_graph::{desired_picture, plan_picture};
pub use plan_text::{drift_text, plan_text};
pub use progress::{Mode, Progress};
pub use rules_text::rules_text;
pub use stale_reason::stale_reason;
pub use summary_lines::summary_lines;
pub use svg::{MOST_NODES, svg};
pub use table::Table;
pub use timeline_text::timeline_text;
