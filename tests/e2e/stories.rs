//! The stories, one per file.

mod bad_input;
mod changes;
mod crash;
mod default_cluster;
mod drift;
mod failover;
mod high_availability;
mod host_reboot;
mod locks;
mod mirror;
mod older_minor;
mod stop_start;
mod two_clusters;

use crate::Story;

/// All stories, in the order in which they are told.
pub(crate) const ALL: &[Story] = &[
    ("bad input", bad_input::story),
    ("default cluster", default_cluster::story),
    ("older minor", older_minor::story),
    ("changes", changes::story),
    ("high availability", high_availability::story),
    ("failover", failover::story),
    ("locks", locks::story),
    ("stop and start", stop_start::story),
    ("host reboot", host_reboot::story),
    ("drift", drift::story),
    ("two clusters", two_clusters::story),
    ("mirror", mirror::story),
    ("crash", crash::story),
];
