//! What starts when on a control plane that is born.

use machine::{MachineConfig, Stage};

use super::world::{World, config, text};

const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// A control plane among `members` of etcd.
fn control_plane(members: &str) -> MachineConfig {
    let mut config = config();
    config.group.units.remove("haproxy.service");
    config.group.files.remove("/etc/kubernetes/manifests/static.yaml");
    let etcd = format!("spec:\n    - --initial-cluster={members}\n");
    for (name, content) in [("etcd", etcd.as_str()), ("kube-apiserver", "api\n"), ("kube-scheduler", "scheduler\n")] {
        let mut manifest = text(content);
        manifest.stage = Stage::Manifest;
        config.group.files.insert(format!("{MANIFESTS}/{name}.yaml"), manifest);
    }
    config
}

fn questions(world: &World) -> usize {
    world.calls().iter().filter(|call| call.starts_with("kubectl")).count()
}

#[test]
fn clients_of_the_api_server_start_when_it_lets_them_ask() {
    let world = World::new();
    world.state.borrow_mut().refusals = 2;
    let config = control_plane("cp-1=https://10.0.0.1:2380");
    let changed = world.applied(&config);
    assert_eq!(questions(&world), 3);
    assert_eq!(changed.last().unwrap(), "file//etc/kubernetes/manifests/kube-scheduler.yaml created");
    assert_eq!(world.drift(&config), [""; 0]);
}

#[test]
fn of_several_that_are_born_at_once_none_waits_for_its_own() {
    let world = World::new();
    world.applied(&control_plane("cp-1=https://10.0.0.1:2380,cp-2=https://10.0.0.2:2380"));
    assert_eq!(questions(&world), 0);
}

#[test]
fn what_was_left_out_by_an_agent_that_died_is_made_at_once_by_the_next() {
    let world = World::new();
    let config = control_plane("cp-1=https://10.0.0.1:2380");
    world.applied(&config);
    let scheduler = format!("{MANIFESTS}/kube-scheduler.yaml");
    std::fs::remove_file(world.at(&scheduler)).unwrap();
    world.calls();
    world.applied(&config);
    assert_eq!(questions(&world), 0, "its API server is there");
    assert!(world.exists(&scheduler));
}
