//! etcd is never born twice.

use machine::{MachineConfig, Reply, Request, Stage, Step};

use super::world::{World, apply, config, observe, text};
use crate::guard;
use crate::ledger::Lock;

const MANIFEST: &str = "/etc/kubernetes/manifests/etcd.yaml";
const LOG: &str = "/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal";
const HELD: &str = "/var/lib/kubewright/held-etcd.yaml";

fn control_plane() -> MachineConfig {
    let mut config = config();
    config.group.packages.clear();
    config.group.units.remove("haproxy.service");
    let mut manifest = text("etcd\n");
    manifest.stage = Stage::Manifest;
    config.group.files.insert(MANIFEST.into(), manifest);
    config
}

fn vanish(world: &World) {
    std::fs::remove_dir_all(world.at("/var/lib/etcd/member")).unwrap();
}

fn fails_with(replies: &[Reply], item: &str) -> bool {
    matches!(replies.last(), Some(Reply::Failed { item: failed, hint: Some(_), .. }) if failed == item)
}

fn watch(world: &World) -> String {
    let mut log = Vec::new();
    guard::guard(&world.system, &mut log).unwrap();
    String::from_utf8(log).unwrap()
}

#[test]
fn a_member_whose_data_vanished_is_not_started_anew() {
    let world = World::new();
    world.applied(&control_plane());
    // Nothing there yet: etcd may still be on its way, so a second apply is fine.
    world.applied(&control_plane());
    world.write(LOG, "log");
    world.applied(&control_plane());
    vanish(&world);
    let before = world.tree();
    assert!(fails_with(&world.apply(&control_plane()), "etcd"));
    world.assert_tree(&before, "afterwards");

    assert_eq!(world.run(vec![Step::ForgetEtcdData]), [Reply::Done { changed: 0 }]);
    world.applied(&control_plane());
}

#[test]
fn an_observation_is_enough_to_know_of_a_member() {
    let world = World::new();
    world.applied(&control_plane());
    world.write(LOG, "log");
    world.ask(&observe(&control_plane(), false));
    vanish(&world);
    assert!(fails_with(&world.apply(&control_plane()), "etcd"));
}

#[test]
fn the_operators_records_count_where_the_ledger_was_lost() {
    let world = World::new();
    let Request::Apply { config, digest_key, epoch, lineage, .. } = apply(&control_plane(), 1, "a") else { panic!() };
    let replies = world.ask(&Request::Apply { config, digest_key, epoch, lineage, etcd_recorded: true });
    assert!(fails_with(&replies, "etcd"));
    assert!(!world.exists(MANIFEST));
}

#[test]
fn a_worker_does_not_care() {
    let world = World::new();
    world.applied(&control_plane());
    world.write(LOG, "log");
    world.ask(&observe(&control_plane(), false));
    vanish(&world);
    let mut worker = control_plane();
    worker.group.files.remove(MANIFEST);
    world.applied(&worker);
}

#[test]
fn at_boot_the_guard_takes_the_manifest_away_and_says_why() {
    let world = World::new();
    world.applied(&control_plane());
    assert_eq!(watch(&world), "");
    world.write(LOG, "log");
    assert_eq!(watch(&world), "");
    vanish(&world);
    assert!(watch(&world).contains("--forget-etcd-data"));
    assert!(!world.exists(MANIFEST) && world.exists(HELD));
    assert_eq!(watch(&world), "");

    assert!(fails_with(&world.apply(&control_plane()), "etcd"));
    world.run(vec![Step::ForgetEtcdData]);
    assert_eq!(world.applied(&control_plane()), ["file//etc/kubernetes/manifests/etcd.yaml created"]);
    assert!(!world.exists(HELD));
}

#[test]
fn while_kubelet_runs_the_guard_only_notes_the_birth() {
    let world = World::new();
    world.applied(&control_plane());
    world.link("/run/systemd/units/invocation:kubelet.service", "0123");
    world.write(LOG, "log");
    watch(&world);
    vanish(&world);
    assert_eq!(watch(&world), "");
    assert!(world.exists(MANIFEST));
    assert!(fails_with(&world.apply(&control_plane()), "etcd"));
}

#[test]
fn a_ledger_that_cannot_be_read_lets_nothing_be_born() {
    let world = World::new();
    world.applied(&control_plane());
    world.write("/var/lib/kubewright/ledger.json", "half a docum");
    assert!(!watch(&world).is_empty());
    assert!(!world.exists(MANIFEST));
}

#[test]
fn the_guard_does_not_wait_for_the_agent_that_starts_kubelet() {
    let world = World::new();
    world.applied(&control_plane());
    world.write(LOG, "log");
    watch(&world);
    let lock = Lock::take(&world.system).unwrap();
    assert_eq!(watch(&world), "");
    vanish(&world);
    assert!(!watch(&world).is_empty());
    drop(lock);
}
