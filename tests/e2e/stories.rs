//! The stories, one per file.

mod bad_input;
mod default_cluster;
mod high_availability;

use crate::Story;

/// All of them, in the order in which they are told.
pub(crate) const ALL: &[Story] = &[
    ("bad input", bad_input::story),
    ("default cluster", default_cluster::story),
    ("high availability", high_availability::story),
];
