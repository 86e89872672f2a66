//! Observing: what is asked of whom, and what the answers mean.

use std::sync::Arc;
use std::time::Duration;

use engine::{Handler, ObserveRequest};
use resource::Observation;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::machines::{CERTIFICATE, Fault};
use crate::world::{World, bootstrap, config, id, made, recorded, wanted};

fn differences(world: &World, observation: &Observation, desired: &Value) -> Vec<String> {
    let Observation::Present { attributes, .. } = observation else { panic!("{observation:?}") };
    let schema = world.handler().schemas().remove(0);
    plan::field_changes(&schema, attributes, desired).iter().map(|field| field.path[2..].join(" ")).collect()
}

#[tokio::test]
async fn nobody_asks_a_machine_that_was_never_made() {
    let world = World::new(&[]);
    let observed = world.observe_one(wanted("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::Absent);
    assert!(world.machines.targets.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_machine_whose_login_key_is_missing_is_unknown() {
    let mut world = World::new(&["w-1"]);
    world.outputs.remove(&id("ssh-key/operator"));
    let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::unknown("ssh-key/operator has no output `private` yet"));
}

#[tokio::test]
async fn a_machine_out_of_reach_is_unknown_and_says_why() {
    let world = World::new(&["w-1"]);
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::Unreachable));
    let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::unknown("cannot reach w-1: no route to host"));
}

#[tokio::test]
async fn a_machine_that_was_never_configured_is_left_alone() {
    let world = World::new(&["w-1"]);
    let observed = world.observe_one(wanted("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::Absent);
    world.machines.with("w-1", |machine| assert_eq!((machine.programs, machine.uploads), (1, 0)));
}

#[tokio::test]
async fn an_agent_without_a_ledger_means_that_nothing_was_made() {
    let world = World::new(&["w-1"]);
    world.bring_agent("w-1");
    let observed = world.observe_one(wanted("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::Absent);
}

#[tokio::test]
async fn what_was_applied_is_observed_as_desired_with_one_connection_and_one_program() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.machines.with("w-1", |machine| {
        machine.files.insert(CERTIFICATE.into(), (Vec::new(), 0o600));
        (machine.connections, machine.programs) = (0, 0);
    });
    let requests = vec![made("machine-config", "w-1", config("w-1")), made("node-bootstrap", "w-1", bootstrap("w-1"))];
    let observed = world.observe(requests).await;
    assert_eq!(observed[&id("machine-config/w-1")], Observation::present(config("w-1")));
    assert_eq!(observed[&id("node-bootstrap/w-1")], Observation::present(bootstrap("w-1")));
    world.machines.with("w-1", |machine| assert_eq!((machine.connections, machine.programs), (1, 1)));
}

#[tokio::test]
async fn a_kubelet_without_a_certificate_is_not_bootstrapped() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    let observed = world.observe_one(wanted("node-bootstrap", "w-1", bootstrap("w-1"))).await;
    assert_eq!(observed, Observation::Absent);
}

#[tokio::test]
async fn an_agent_of_another_version_is_replaced_once() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.machines.with("w-1", |machine| {
        machine.agents = ["/usr/local/bin/kubewright-agent-older".to_owned()].into();
        machine.uploads = 0;
    });
    for _ in 0..2 {
        let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
        assert_eq!(observed, Observation::present(config("w-1")));
    }
    world.machines.with("w-1", |machine| assert_eq!(machine.uploads, 1));
}

#[tokio::test]
async fn an_agent_that_does_not_run_is_unknown() {
    let world = World::new(&["w-1"]);
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::WrongArchitecture));
    let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::unknown("the agent does not run on w-1"));
}

#[tokio::test]
async fn a_link_lost_in_between_is_unknown() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::LinkLost));
    let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(observed, Observation::unknown("the connection to w-1 was lost while its agent worked"));
}

#[tokio::test]
async fn exactly_what_somebody_changed_differs() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.machines.with("w-1", |machine| {
        machine.files.get_mut("/etc/issue").unwrap().1 = 0o600;
        machine.files.insert("/var/lib/kubelet/config.yaml".into(), (b"edited".to_vec(), 0o644));
        machine.files.remove("/etc/kubernetes/kubelet.key");
        machine.running.clear();
    });
    let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(
        differences(&world, &observed, &config("w-1")),
        [
            "files /etc/issue mode",
            "files /var/lib/kubelet/config.yaml content text",
            "units containerd.service start",
            "files /etc/kubernetes/kubelet.key",
        ]
    );
}

#[tokio::test]
async fn a_changed_secret_shows_as_a_keyed_digest_only() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.machines.with("w-1", |machine| {
        machine.files.insert("/etc/kubernetes/kubelet.key".into(), (b"hunter2".to_vec(), 0o600));
    });
    let Observation::Present { attributes, .. } = world.observe_one(made("machine-config", "w-1", config("w-1"))).await
    else {
        panic!("not present")
    };
    let content = &attributes["config"]["machine"]["files"]["/etc/kubernetes/kubelet.key"]["content"];
    assert!(content["secret"].as_str().unwrap().starts_with("hmac:"), "{content}");
    assert!(!attributes.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_secret_that_is_not_made_yet_differs_from_what_is_there() {
    let mut world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.outputs.remove(&id("certificate/w-1/kubelet"));
    let observed = world.observe_one(made("machine-config", "w-1", config("w-1"))).await;
    assert_eq!(differences(&world, &observed, &config("w-1")), ["files /etc/kubernetes/kubelet.key content secret"]);
}

#[tokio::test]
async fn what_is_no_longer_wanted_is_seen_as_long_as_it_is_there() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    let mut desired = config("w-1");
    desired["config"]["group"]["files"].as_object_mut().unwrap().remove("/etc/issue");
    let request = || ObserveRequest {
        recorded: Some(recorded(config("w-1"))),
        ..wanted("machine-config", "w-1", desired.clone())
    };
    let observed = world.observe_one(request()).await;
    assert_eq!(differences(&world, &observed, &desired), ["files /etc/issue"]);
    world.machines.with("w-1", |machine| machine.files.remove("/etc/issue"));
    let observed = world.observe_one(request()).await;
    assert!(differences(&world, &observed, &desired).is_empty());
}

#[tokio::test]
async fn a_text_that_is_as_recorded_stands_as_it_was_recorded() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    let mut desired = config("w-1");
    desired["config"]["group"]["files"]["/etc/issue"]["content"]["text"] = json!("Go away\n");
    let request =
        ObserveRequest { recorded: Some(recorded(config("w-1"))), ..wanted("machine-config", "w-1", desired) };
    let observed = world.observe_one(request).await;
    assert_eq!(observed, Observation::present(config("w-1")));
}

#[tokio::test]
async fn what_nobody_wants_any_more_is_looked_for_by_its_record() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    let request = ObserveRequest { desired: None, ..made("machine-config", "w-1", config("w-1")) };
    assert_eq!(world.observe_one(request).await, Observation::present(config("w-1")));
}

#[tokio::test]
async fn all_machines_are_asked_at_once() {
    let names: Vec<String> = (0..20).map(|number| format!("w-{number}")).collect();
    let mut world = World::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    // Nobody gets through before everybody is there.
    world.machines.meeting = Some(Arc::new(Barrier::new(names.len())));
    let requests = names.iter().map(|name| wanted("machine-config", name, config(name))).collect();
    let observed = tokio::time::timeout(Duration::from_secs(20), world.observe(requests)).await.unwrap();
    assert_eq!(observed.len(), 20);
}
