//! Applying and resetting a machine config.

use engine::ErrorClass;
use machine::{Request, Step};
use plan::{Change, Operation, Reason};
use resource::Digest;
use serde_json::{Value, json};

use crate::machines::Fault;
use crate::world::{KEY, World, config, create, id};

fn update(before: Value, after: Value) -> Change {
    let schema_fields = |before: &Value, after: &Value| {
        let schema = resource::KindSchema::plain("machine-config");
        plan::field_changes(&schema, before, after)
    };
    Change {
        operation: Operation::Update,
        reason: Reason::SpecChanged,
        fields: schema_fields(&before, &after),
        expect: Some(Digest::of_json(&before)),
        before: Some(before),
        ..create("machine-config", "w-1", after)
    }
}

fn with_issue(text: &str) -> Value {
    let mut inputs = config("w-1");
    inputs["config"]["group"]["files"]["/etc/issue"]["content"]["text"] = json!(text);
    inputs
}

#[tokio::test]
async fn a_new_machine_gets_the_agent_and_becomes_as_the_config_says() {
    let world = World::new(&["w-1"]);
    world.apply(&create("machine-config", "w-1", config("w-1"))).await.unwrap();
    world.machines.with("w-1", |machine| {
        assert_eq!(machine.uploads, 1);
        assert_eq!(machine.files["/etc/issue"], (b"I am w-1\n".to_vec(), 0o644));
        assert_eq!(machine.files["/etc/kubernetes/kubelet.key"], (KEY.into(), 0o600));
        assert!(machine.running.contains("containerd.service"));
        assert_eq!(machine.epoch, 5);
    });
    let notes = world.events.0.lock().unwrap().clone();
    assert_eq!(notes[..4], ["connecting", "uploading the agent", "writing files", "/etc/issue written"]);
}

#[tokio::test]
async fn the_target_is_taken_from_what_the_machine_gave() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    let targets = world.machines.targets.lock().unwrap();
    assert_eq!(targets[0].address.to_string(), "10.0.0.1:22");
    assert_eq!(targets[0].host_key, "ssh-ed25519 AAAA");
    assert_eq!(targets[0].private_key.reveal(), "operator's key");
}

#[tokio::test]
async fn doing_it_twice_does_nothing_more() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.events.0.lock().unwrap().clear();
    world.apply(&create("machine-config", "w-1", config("w-1"))).await.unwrap();
    assert_eq!(*world.events.0.lock().unwrap(), ["connecting", "writing files"]);
    world.machines.with("w-1", |machine| assert_eq!(machine.uploads, 1));
}

#[tokio::test]
async fn a_failure_says_what_on_which_machine_why_and_what_to_do() {
    let world = World::new(&["w-1"]);
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::ApplyFails));
    let error = world.apply(&create("machine-config", "w-1", config("w-1"))).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    assert_eq!(error.message, "unit/kubelet.service on w-1: it does not start");
    assert_eq!(error.hint.as_deref(), Some("look at the journal"));
    assert_eq!(error.output, ["bad flag"]);
}

#[tokio::test]
async fn a_machine_out_of_reach_is_tried_again_by_the_runner() {
    let world = World::new(&["w-1"]);
    for fault in [Fault::Unreachable, Fault::LinkLost] {
        world.bring_agent("w-1");
        world.machines.with("w-1", |machine| machine.fault = Some(fault));
        let error = world.apply(&create("machine-config", "w-1", config("w-1"))).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn nothing_is_applied_while_a_content_is_missing() {
    let mut world = World::new(&["w-1"]);
    world.outputs.remove(&id("certificate/w-1/kubelet"));
    let error = world.apply(&create("machine-config", "w-1", config("w-1"))).await.unwrap_err();
    assert_eq!(
        error.message,
        "/etc/kubernetes/kubelet.key needs `key` of certificate/w-1/kubelet, which is not made yet"
    );
    world.machines.with("w-1", |machine| assert_eq!(machine.connections, 0));
}

#[tokio::test]
async fn what_the_plan_shows_is_carried_out() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.apply(&update(config("w-1"), with_issue("Go away\n"))).await.unwrap();
    world.machines.with("w-1", |machine| assert_eq!(machine.files["/etc/issue"].0, b"Go away\n"));
}

#[tokio::test]
async fn what_moved_since_the_plan_is_not_overwritten() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.machines.with("w-1", |machine| {
        machine.files.insert("/var/lib/kubelet/config.yaml".into(), (b"edited".to_vec(), 0o644));
    });
    let error = world.apply(&update(config("w-1"), with_issue("Go away\n"))).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Stale);
    assert_eq!(error.message, "/var/lib/kubelet/config.yaml on w-1 was changed since the plan was made");
    world.machines.with("w-1", |machine| assert_eq!(machine.files["/etc/issue"].0, b"I am w-1\n"));
}

#[tokio::test]
async fn a_certificate_made_anew_in_the_same_run_is_no_reason_to_refuse() {
    let mut world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.secret("certificate/w-1/kubelet", "key", "another key");
    world.apply(&update(config("w-1"), config("w-1"))).await.unwrap();
    world.machines.with("w-1", |machine| {
        assert_eq!(machine.files["/etc/kubernetes/kubelet.key"].0, b"another key");
    });
}

#[tokio::test]
async fn a_deleted_config_resets_its_machine() {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    let change = Change {
        operation: Operation::Delete,
        before: Some(config("w-1")),
        after: None,
        ..create("machine-config", "w-1", config("w-1"))
    };
    world.apply(&change).await.unwrap();
    world.machines.with("w-1", |machine| {
        assert!(machine.files.is_empty() && machine.agents.is_empty());
        assert_eq!(machine.asked, [Request::Reset { epoch: 5 }]);
    });
}

#[tokio::test]
async fn etcd_is_forgotten_only_where_the_user_says_so() {
    let mut inputs = config("w-1");
    inputs["config"]["machine"]["files"]["/etc/kubernetes/manifests/etcd.yaml"] =
        json!({"content": {"text": "kind: Pod"}, "mode": "0600"});
    let world = World::new(&["w-1"]);
    world.bring_agent("w-1");
    let change = Change { expect: None, ..update(inputs.clone(), inputs) };
    world.apply(&change).await.unwrap();
    world.apply_with(&change, |handler| handler.forget_etcd_data(["w-1".to_owned()].into())).await.unwrap();
    let asked = world.machines.with("w-1", |machine| std::mem::take(&mut machine.asked));
    assert!(matches!(&asked[0], Request::Apply { etcd_recorded: true, .. }));
    assert_eq!(asked[1], Request::Run { steps: vec![Step::ForgetEtcdData], epoch: 5 });
    assert!(matches!(&asked[2], Request::Apply { etcd_recorded: false, .. }));
}

#[tokio::test]
async fn a_second_interrupt_stops_an_action() {
    let world = World::new(&["w-1"]);
    world.cancel.cancel();
    // Either branch may win where both are ready; a machine that never answers leaves only one.
    let mut world = world;
    world.machines.meeting = Some(std::sync::Arc::new(tokio::sync::Barrier::new(2)));
    let error = world.apply(&create("machine-config", "w-1", config("w-1"))).await.unwrap_err();
    assert_eq!(error.message, "stopped before it was done");
}
