//! The stories, one per file.

mod bad_input;
mod bucket;
mod changes;
mod crash;
mod default_cluster;
mod drift;
mod failover;
mod foreign_things;
mod high_availability;
mod host_reboot;
mod joined;
mod locks;
mod lost_data;
mod mirror;
mod moved;
mod older_minor;
mod own_things;
mod packages;
mod saved_plan;
mod secrets;
mod stop_start;
mod store_fails;
mod taken_over;
mod two_clusters;
mod unified_cgroups;
mod upstream;
mod workloads;

use crate::Story;

/// All stories, in the order in which they are told. What guards data or a host is told always; so is what users do first.
pub(crate) const ALL: &[Story] = &[
    Story::always("bad input", bad_input::story),
    Story::always("default cluster", default_cluster::story),
    Story::always("crash", crash::story),
    Story::always("high availability", high_availability::story),
    Story::always("packages", packages::story),
    Story::by_turns("older minor", older_minor::story),
    Story::always("joined by kubeadm", joined::story),
    Story::by_turns("changes", changes::story),
    Story::by_turns("own things", own_things::story),
    Story::by_turns("workloads", workloads::story),
    Story::by_turns("mirror", mirror::story),
    Story::by_turns("upstream", upstream::story),
    Story::by_turns("moved program", moved::story),
    Story::always("saved plan", saved_plan::story),
    Story::always("locks", locks::story),
    Story::always("state in a bucket", bucket::story),
    Story::always("store fails", store_fails::story),
    Story::always("stop and start", stop_start::story),
    Story::always("lost data", lost_data::story),
    Story::always("two clusters", two_clusters::story),
    Story::always("foreign things", foreign_things::story),
    // A kernel that is a program: six minutes where others take one.
    Story::soak("unified cgroups", unified_cgroups::story),
    // Compiles another release, once.
    Story::soak("taken over", taken_over::story),
    // Times of elections count.
    Story::always("failover", failover::story).alone(),
    // These look at all processes of the host, change its settings or take its networks away.
    Story::always("secrets", secrets::story).alone(),
    Story::always("host reboot", host_reboot::story).alone(),
    Story::always("drift", drift::story).alone(),
];
