//! Everything that kubewright manages is changed behind its back: a preview names exactly that, an update repairs it.

mod machine;
mod objects;

use std::collections::BTreeSet;

use crate::checks;
use crate::preview::{self, Changes};
use crate::world::World;

const CLUSTER: &str = "drift1";
const MACHINE: &str = "control-plane-1";

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "0", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    let recorded = preview::recorded(world, CLUSTER);
    let config = machine::Config::of(&recorded[&format!("machine-config/{MACHINE}")]["config"]);

    what_is_not_ours_is_no_drift(world);
    repaired(world, |world| {
        let mut expected = machine::change_contents(world, &config);
        expected.extend(objects::relabel(world, &recorded));
        expected
    });
    repaired(world, |world| {
        let mut expected = machine::change_modes_and_states(world, &config);
        expected.extend(objects::patch(world));
        expected
    });
    repaired(world, |world| {
        let mut expected = machine::remove_files(world, &config);
        expected.extend(objects::delete(world));
        expected.extend(machine::change_on_host(world));
        expected
    });
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
}

/// Changes something; a preview shows just what was changed, and an update makes it good.
fn repaired(world: &mut World, change: impl FnOnce(&mut World) -> Changes) {
    let expected = change(world);
    let found = preview::update(world, CLUSTER);
    let named = |changes: &Changes| -> BTreeSet<String> {
        let lines = changes.iter().flat_map(|(change, fields)| {
            let fields = fields.iter().map(move |field| format!("{change}: {field}"));
            std::iter::once(change.clone()).chain(fields)
        });
        lines.collect()
    };
    let (expected, found) = (named(&expected), named(&found));
    let missed: Vec<_> = expected.difference(&found).collect();
    let invented: Vec<_> = found.difference(&expected).collect();
    assert!(missed.is_empty() && invented.is_empty(), "the preview misses {missed:#?} and invents {invented:#?}");
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
}

/// Labels of users and annotations of controllers stay.
fn what_is_not_ours_is_no_drift(world: &mut World) {
    world.kubectl(&["label", "-n", "kube-system", "deployment/coredns", "team=ours"]);
    world.kubectl(&["annotate", "node", MACHINE, "example.com/note=ours"]);
    world.on_machine(CLUSTER, MACHINE, "echo ours > /etc/kubernetes/notes");
    checks::nothing_to_do(world, CLUSTER);
}
