//! The stories, one per file.

mod bad_input;
mod crash;
mod default_cluster;
mod drift;
mod failover;
mod high_availability;
mod host_reboot;
mod locks;
mod stop_start;
mod two_clusters;

use crate::Story;

/// Told in every run, in this order.
pub(crate) const ALL: &[Story] = &[
    ("bad input", bad_input::story),
    ("default cluster", default_cluster::story),
    ("high availability", high_availability::story),
];

/// Told only when they are named: they are long, or not steady yet.
pub(crate) const NAMED: &[Story] = &[
    ("locks", locks::story),
    ("stop and start", stop_start::story),
    ("host reboot", host_reboot::story),
    ("drift", drift::story),
    ("two clusters", two_clusters::story),
    ("failover", failover::story),
    ("crash", crash::story),
];
