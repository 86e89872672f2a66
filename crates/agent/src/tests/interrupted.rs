//! An agent that is killed half-way: the next one brings its work to an end, and a reset still undoes all of it.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use machine::{Content, Reply};

use super::world::{World, apply, config};
use crate::ledger::{Ledger, Pending};

fn ledger(world: &World) -> Ledger {
    serde_json::from_str(&world.read("/var/lib/kubewright/ledger.json")).unwrap()
}

#[test]
fn a_restart_that_was_left_over_is_reported_and_done() {
    let world = World::new();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    world.applied(&config);
    // As if it was killed after the file was written and before the unit was restarted.
    let mut left = ledger(&world);
    left.pending = Pending { restarts: ["kubelet.service".to_string()].into(), reload: true, ..Pending::default() };
    world.write("/var/lib/kubewright/ledger.json", &serde_json::to_string(&left).unwrap());

    assert_eq!(world.drift(&config), ["unit/kubelet.service running"]);
    world.calls();
    assert_eq!(world.applied(&config), ["unit/kubelet.service restarted"]);
    assert!(world.calls().iter().any(|call| call == "systemctl daemon-reload"));
    assert_eq!(world.drift(&config), [""; 0]);
}

#[test]
fn a_failed_unit_leaves_the_restart_for_the_next_apply() {
    let world = World::new();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    world.applied(&config);
    world.state.borrow_mut().broken.insert("kubelet.service".into());
    let Some(file) = config.group.files.get_mut("/var/lib/kubelet/config.yaml") else { panic!() };
    file.content = Content::Text("other\n".into());
    assert!(matches!(world.apply(&config).last(), Some(Reply::Failed { .. })));
    assert!(ledger(&world).pending.restarts.contains("kubelet.service"));
    world.state.borrow_mut().broken.clear();
    world.applied(&config);
    assert_eq!(world.drift(&config), [""; 0]);
}

#[test]
fn what_was_noted_and_not_yet_made_is_no_trouble_for_a_reset() {
    let world = World::new();
    let before = world.tree();
    let mut config = config();
    config.group.packages.clear();
    world.state.borrow_mut().broken.insert("containerd.service".into());
    world.apply(&config);
    // Its files vanish, too.
    std::fs::remove_dir_all(world.at("/etc/kubernetes")).unwrap();
    std::fs::remove_file(world.at("/etc/systemd/system/kubelet.service")).unwrap();
    let replies = world.reset();
    assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{replies:?}");
    world.assert_tree(&before, "afterwards");
}

/// A connection that is lost after some lines.
struct Lost(usize);

impl Write for Lost {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(bytes.len())
            }
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_lost_connection_leaves_no_half_changed_machine() {
    let world = World::new();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    let request = serde_json::to_vec(&apply(&config, 1, "lineage-a")).unwrap();
    crate::serve::serve(&world.system, &mut request.as_slice(), &mut Lost(3));
    assert_eq!(world.drift(&config), [""; 0]);
}

#[test]
fn killed_at_any_program_it_runs_the_next_apply_ends_the_work_and_a_reset_undoes_it() {
    for late in [false, true] {
        killed_at_any_program(late);
    }
}

#[test]
fn killed_between_a_package_and_its_ledger_a_reset_takes_it_away_again() {
    let world = World::new();
    let before = world.tree();
    // The second program is the one that installs.
    (world.state.borrow_mut().dies_at, world.state.borrow_mut().dies_late) = (Some(1), true);
    assert!(catch_unwind(AssertUnwindSafe(|| world.apply(&config()))).is_err());
    world.state.borrow_mut().dies_at = None;
    assert!(world.calls()[1].starts_with("apt-get -q -y"));
    assert!(world.read("/var/lib/dpkg/status").contains("libsocat"));
    world.reset();
    world.assert_tree(&before, "after the reset");
}

#[test]
fn packages_are_named_before_they_come_with_what_they_bring_along() {
    let world = World::new();
    world.state.borrow_mut().dies_at = Some(1);
    assert!(catch_unwind(AssertUnwindSafe(|| world.apply(&config()))).is_err());
    assert!(!world.read("/var/lib/dpkg/status").contains("socat"));
    assert_eq!(ledger(&world).packages, ["libsocat", "socat"].map(String::from).into());
}

#[test]
fn a_reset_that_cannot_remove_packages_fails_and_the_next_one_does_it() {
    let world = World::new();
    let before = world.tree();
    world.applied(&config());
    world.write("/var/lib/kubewright/loading-images.tar", "an import was killed");
    world.state.borrow_mut().dpkg_is_locked = true;
    let replies = world.reset();
    assert!(matches!(replies.last(), Some(Reply::Failed { output, .. }) if output[0].contains("lock")), "{replies:?}");
    world.state.borrow_mut().dpkg_is_locked = false;
    let replies = world.reset();
    assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{replies:?}");
    world.assert_tree(&before, "after the second reset");
}

#[test]
fn a_reset_without_a_memory_is_not_done_while_what_the_agent_put_there_runs() {
    let world = World::new();
    world.applied(&config());
    // The memory's own disk is not mounted: its directory is empty, or not there.
    std::fs::remove_dir_all(world.at("/var/lib/kubewright")).unwrap();
    for _ in 0..2 {
        let replies = world.reset();
        assert!(matches!(replies.last(), Some(Reply::Failed { item, .. }) if item == "ledger"), "{replies:?}");
        std::fs::create_dir_all(world.at("/var/lib/kubewright")).unwrap();
    }
    world.state.borrow_mut().running.clear();
    let replies = world.reset();
    assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{replies:?}");
}

#[test]
fn a_kubelet_of_somebody_elses_does_not_keep_a_reset_from_having_nothing_to_do() {
    let world = World::new();
    world.applied(&config());
    std::fs::remove_dir_all(world.at("/var/lib/kubewright")).unwrap();
    std::fs::remove_file(world.at(crate::steps::sysctls::BOOT)).unwrap();
    assert_eq!(world.reset(), [Reply::Done { changed: 0 }]);
}

fn killed_at_any_program(late: bool) {
    let mut config = config();
    config.group.units.remove("haproxy.service");
    // The first apply runs apt-get, modprobe and systemctl; the second one, with another file, restarts.
    let mut second = config.clone();
    let Some(file) = second.group.files.get_mut("/var/lib/kubelet/config.yaml") else { panic!() };
    file.content = Content::Text("other\n".into());
    for victim in 0..20 {
        let world = World::new();
        let before = world.tree();
        (world.state.borrow_mut().dies_at, world.state.borrow_mut().dies_late) = (Some(victim), late);
        let killed = catch_unwind(AssertUnwindSafe(|| {
            world.apply(&config);
            world.apply(&second);
        }));
        world.state.borrow_mut().dies_at = None;
        world.applied(&second);
        assert_eq!(world.drift(&second), [""; 0], "killed at program {victim}");
        assert_eq!(world.read("/var/lib/kubelet/config.yaml"), "other\n");
        assert!(matches!(world.reset().last(), Some(Reply::Done { .. })));
        world.assert_tree(&before, &format!("killed at program {victim}"));
        if killed.is_ok() {
            assert!(victim > 8, "only {victim} programs were run");
            return;
        }
    }
    panic!("more programs than expected");
}
