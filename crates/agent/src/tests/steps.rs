//! Single steps, facts and uploads.

use machine::{Content, Gate, Reply, Request, Start, Step, Unit};

use super::world::{World, changed, config, observe, text};

fn write_secret(path: &str) -> Step {
    Step::WriteSecret { path: path.into(), content: "aHVudGVyMg==".into(), mode: "0600".into() }
}

#[test]
fn a_worker_joins_by_steps_and_an_apply_in_between_leaves_it_alone() {
    let world = World::new();
    let mut config = config();
    config.group.files.remove("/etc/kubernetes/kubelet.conf");
    config.group.units.remove("haproxy.service");
    world.applied(&config);
    let before = world.tree();
    let start = Step::Start { unit: "kubelet.service".into() };
    let replies = world.run(vec![write_secret("/etc/kubernetes/bootstrap.conf"), start]);
    assert_eq!(changed(&replies), ["file//etc/kubernetes/bootstrap.conf written", "unit/kubelet.service started"]);
    assert_eq!(world.mode("/etc/kubernetes/bootstrap.conf"), 0o600);
    assert_eq!(world.applied(&config), [""; 0]);
    assert!(world.exists("/etc/kubernetes/bootstrap.conf"));

    let remove = Step::Remove { path: "/etc/kubernetes/bootstrap.conf".into() };
    assert_eq!(changed(&world.run(vec![remove.clone()])).len(), 1);
    assert_eq!(world.run(vec![remove]), [Reply::Done { changed: 0 }]);
    world.assert_tree(&before, "afterwards");
}

#[test]
fn files_of_steps_go_with_a_reset() {
    let world = World::new();
    let before = world.tree();
    world.run(vec![write_secret("/etc/kubernetes/deep/er/x")]);
    world.reset();
    world.assert_tree(&before, "afterwards");
}

#[test]
fn starting_twice_is_once() {
    let world = World::new();
    world.write("/etc/systemd/system/x.service", "");
    world.state.borrow_mut().loaded.insert("x.service".into());
    let start = || Step::Start { unit: "x.service".into() };
    assert_eq!(changed(&world.run(vec![start(), start()])), ["unit/x.service started"]);
    let stop = || Step::Stop { unit: "x.service".into() };
    assert_eq!(changed(&world.run(vec![stop(), stop()])), ["unit/x.service stopped"]);
}

#[test]
fn a_unit_that_does_not_start_fails_with_its_journal() {
    let world = World::new();
    world.state.borrow_mut().broken.insert("containerd.service".into());
    let replies = world.apply(&config());
    let Some(Reply::Failed { item, output, .. }) = replies.last() else { panic!("{replies:?}") };
    assert_eq!(item, "unit/containerd.service");
    assert_eq!(output, &["it says why"]);
}

#[test]
fn facts_are_answered() {
    let world = World::new();
    let replies = world.ask(&Request::Facts);
    assert!(matches!(&replies[..], [Reply::Facts { facts }] if facts.os == "debian"));
}

#[test]
fn probed_paths_are_answered() {
    let world = World::new();
    let replies = world.ask(&observe(&config(), false));
    assert!(matches!(replies.last(), Some(Reply::Observed { exists, .. }) if *exists == ["/etc/hostname"]));
}

#[test]
fn an_upload_is_moved_into_place_and_hashed_again_only_when_asked_or_touched() {
    let world = World::new();
    world.write("/tmp/upload", "");
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    let mut file = text("");
    file.mode = "0755".into();
    file.content = Content::Uploaded { asset: "kubelet@0123".into(), path: "/tmp/upload".into(), sha256 };
    config.group.files.insert("/usr/bin/kubelet".into(), file);
    world.applied(&config);
    assert!(!world.exists("/tmp/upload"));
    assert_eq!(world.mode("/usr/bin/kubelet"), 0o755);
    assert_eq!(world.drift(&config), [""; 0]);

    // The same size, inode and time with another digest noted: only a deep look sees what is really there.
    let ledger = world.read("/var/lib/kubewright/ledger.json");
    let Some(Content::Uploaded { sha256, .. }) = config.group.files.get_mut("/usr/bin/kubelet").map(|f| &mut f.content)
    else {
        panic!()
    };
    let other = "0".repeat(64);
    world.write("/var/lib/kubewright/ledger.json", &ledger.replace(&**sha256, &other));
    sha256.clone_from(&other);
    assert_eq!(world.drift(&config), [""; 0]);
    let deep = world.ask(&observe(&config, true));
    assert!(serde_json::to_string(&deep).unwrap().contains(r#""content":"sha256:e3b0"#));
    world.write("/usr/bin/kubelet", "touched");
    assert_eq!(world.drift(&config), ["file//usr/bin/kubelet content"]);
}

#[test]
fn a_machine_that_boots_is_waited_for_and_not_repaired() {
    let world = World::new();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    world.applied(&config);
    let running = std::mem::take(&mut world.state.borrow_mut().running);
    world.state.borrow_mut().booting = Some((2, running.into_iter().collect()));
    assert_eq!(world.drift(&config), [""; 0]);
    world.state.borrow_mut().running.clear();
    assert!(!world.drift(&config).is_empty(), "what does not run after the boot is seen");
}

#[test]
fn a_fleeting_oneshot_that_must_not_run_is_enabled_and_left_alone() {
    let world = World::new();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    config.group.files.insert("/etc/systemd/system/kubewright-guard.service".into(), text("[Service]\n"));
    let guard = Unit { enabled: true, start: Start::Never, after: vec![], reloads: false };
    config.group.units.insert("kubewright-guard.service".into(), guard);
    world.state.borrow_mut().oneshot.insert("kubewright-guard.service".into());
    world.applied(&config);
    assert_eq!(world.drift(&config), [""; 0]);
    assert!(!world.state.borrow().started.contains_key("kubewright-guard.service"));
}

#[test]
fn whoever_only_waits_needs_no_lease_and_leaves_nothing() {
    let world = World::new();
    world.ask(&super::world::apply(&config(), 5, "a"));
    let before = world.tree();
    let gate = Gate::File { path: "/etc/hostname".into(), timeout_seconds: 1 };
    let replies = world.ask(&Request::Run { steps: vec![Step::Wait { gate }], epoch: 0 });
    assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{replies:?}");
    world.assert_tree(&before, "afterwards");
}

#[test]
fn a_gate_that_stays_closed_shows_what_kubelet_says_and_which_containers_there_are() {
    let world = World::new();
    let mut config = config();
    config.group.units.remove("haproxy.service");
    config.group.gates = vec![Gate::File { path: "/never".into(), timeout_seconds: 0 }];
    let replies = world.apply(&config);
    let says = ["it says why", "CONTAINER  STATE   NAME", "6fd01       Exited  etcd"];
    assert!(matches!(replies.last(), Some(Reply::Failed { output, .. }) if output == &says), "{replies:?}");
}
