//! Questions outside a plan: gates and facts.

use std::net::SocketAddr;

use engine::HostTarget;
use hosts::AgentError;
use machine::{Gate, Request, Step};
use resource::Secret;

use crate::machines::Fault;
use crate::world::World;

fn target() -> HostTarget {
    HostTarget {
        name: "w-1".into(),
        address: SocketAddr::from(([10, 0, 0, 1], 22)),
        user: "root".into(),
        host_key: String::new(),
        private_key: Secret::new(""),
    }
}

fn dns() -> Gate {
    Gate::Dns { server: "10.96.0.10".into(), name: "kubernetes.default.svc".into(), timeout_seconds: 30 }
}

#[tokio::test]
async fn gates_are_waited_for_in_their_order() {
    let world = World::new(&["w-1"]);
    world.handler().run_gates(&target(), vec![dns(), dns()]).await.unwrap();
    let waits = vec![Step::Wait { gate: dns() }, Step::Wait { gate: dns() }];
    world.machines.with("w-1", |machine| assert_eq!(machine.asked, [Request::Run { steps: waits, epoch: 0 }]));
}

#[tokio::test]
async fn a_gate_that_does_not_hold_is_named() {
    let world = World::new(&["w-1"]);
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::GateFails));
    let error = world.handler().run_gates(&target(), vec![dns()]).await.unwrap_err();
    assert!(matches!(&error, AgentError::Failed { item, .. } if item == "gate/dns"), "{error}");
}

#[tokio::test]
async fn facts_are_asked_for() {
    let world = World::new(&["w-1"]);
    assert_eq!(world.handler().facts(&target()).await.unwrap().arch, "amd64");
}
