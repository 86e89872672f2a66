//! etcd is never born twice.

use machine::{MachineConfig, Reply, Request, Stage, Step};

use super::world::{World, apply, config, observe, text};
use crate::failure::Outcome;
use crate::guard::{self, Moment};
use crate::ledger::Lock;

const MANIFEST: &str = "/etc/kubernetes/manifests/etcd.yaml";
const LOG: &str = "/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal";
const HELD: &str = "/etc/kubernetes/manifests/.etcd.yaml.held";
const LEDGER: &str = "/var/lib/kubewright/ledger.json";

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

fn ask(world: &World, moment: Moment) -> Outcome<String> {
    let mut log = Vec::new();
    guard::guard(&world.system, moment, &mut log)?;
    Ok(String::from_utf8(log).unwrap())
}

/// What the guard says when kubelet is about to start.
fn watch(world: &World) -> String {
    ask(world, Moment::BeforeKubelet).unwrap()
}

/// A control plane with a member that the ledger knows of.
fn alive() -> World {
    let world = World::new();
    world.applied(&control_plane());
    world.write(LOG, "log");
    watch(&world);
    world
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
    ask(&world, Moment::Change).unwrap();
    vanish(&world);
    assert_eq!(ask(&world, Moment::Change).unwrap(), "");
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

#[test]
fn a_kubelet_that_is_about_to_start_counts_as_one_that_does_not_run() {
    let world = alive();
    world.link("/run/systemd/units/invocation:kubelet.service", "0123");
    vanish(&world);
    assert!(!watch(&world).is_empty());
    assert!(!world.exists(MANIFEST));
}

#[test]
fn without_a_record_nothing_is_born_and_what_lives_goes_on() {
    let world = alive();
    std::fs::remove_file(world.at(LEDGER)).unwrap();
    assert_eq!(watch(&world), "");
    assert!(!world.exists(LEDGER), "the guard knows too little to begin one");
    vanish(&world);
    assert!(!watch(&world).is_empty());
    assert!(world.exists(HELD) && !world.exists(MANIFEST));
}

#[test]
fn what_cannot_be_looked_at_keeps_kubelet_from_starting() {
    let world = alive();
    vanish(&world);
    // A directory that can't be listed; by root only this one.
    world.link("/var/lib/etcd/member/wal", "wal");
    assert!(ask(&world, Moment::BeforeKubelet).unwrap_err().why.contains("can't be seen"));
    assert!(world.exists(MANIFEST), "nothing was decided");
    assert!(fails_with(&world.apply(&control_plane()), "etcd"));
}

#[test]
fn a_manifest_that_cannot_be_held_back_keeps_kubelet_from_starting() {
    let world = alive();
    vanish(&world);
    // As on a file system that can't be written.
    std::fs::create_dir_all(world.at(HELD).join("x")).unwrap();
    assert!(ask(&world, Moment::BeforeKubelet).is_err());
}

#[test]
fn it_looks_before_it_notes() {
    let world = alive();
    vanish(&world);
    // The ledger can't be written: that is no reason to let etcd be born.
    std::fs::create_dir_all(world.at("/var/lib/kubewright/.ledger.json.kubewright/x")).unwrap();
    assert!(!watch(&world).is_empty());
    assert!(!world.exists(MANIFEST));
}

#[test]
fn a_birth_that_cannot_be_noted_keeps_kubelet_from_starting() {
    let world = World::new();
    world.applied(&control_plane());
    world.write(LOG, "log");
    std::fs::create_dir_all(world.at("/var/lib/kubewright/.ledger.json.kubewright/x")).unwrap();
    assert!(ask(&world, Moment::BeforeKubelet).is_err());
}

#[test]
fn a_guard_that_was_killed_after_it_held_the_manifest_back_did_enough() {
    let world = alive();
    vanish(&world);
    std::fs::rename(world.at(MANIFEST), world.at(HELD)).unwrap();
    assert_eq!(watch(&world), "");
    assert!(!world.exists(MANIFEST));
    assert!(fails_with(&world.apply(&control_plane()), "etcd"));
}

#[test]
fn what_was_held_back_goes_with_a_reset_wherever_it_is() {
    let world = World::new();
    let before = world.tree();
    world.applied(&control_plane());
    world.write(LOG, "log");
    watch(&world);
    vanish(&world);
    watch(&world);
    world.write("/var/lib/kubewright/held-etcd.yaml", "etcd\n");
    world.reset();
    world.assert_tree(&before, "after the reset");
}
