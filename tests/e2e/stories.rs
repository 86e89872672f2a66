//! The stories, one per file.

mod bad_input;
mod bucket;
mod changes;
mod crash;
mod default_cluster;
mod drift;
mod failover;
mod high_availability;
mod host_reboot;
mod joined;
mod locks;
mod lost_data;
mod mirror;
mod older_minor;
mod packages;
mod saved_plan;
mod secrets;
mod stop_start;
mod store_fails;
mod two_clusters;
mod upstream;

use crate::Story;

/// All stories, in the order in which they are told.
pub(crate) const ALL: &[Story] = &[
    ("bad input", bad_input::story),
    ("packages", packages::story),
    ("default cluster", default_cluster::story),
    ("older minor", older_minor::story),
    ("joined by kubeadm", joined::story),
    ("changes", changes::story),
    ("saved plan", saved_plan::story),
    ("secrets", secrets::story),
    ("high availability", high_availability::story),
    ("failover", failover::story),
    ("locks", locks::story),
    ("state in a bucket", bucket::story),
    ("store fails", store_fails::story),
    ("stop and start", stop_start::story),
    ("lost data", lost_data::story),
    ("host reboot", host_reboot::story),
    ("drift", drift::story),
    ("two clusters", two_clusters::story),
    ("crash", crash::story),
    ("mirror", mirror::story),
    ("upstream", upstream::story),
];
