//! Bootstrapping nodes: the steps, and the token's short life.

use machine::{Request, Step};
use plan::{Change, Operation, Reason};

use crate::machines::{CERTIFICATE, Fault};
use crate::world::{World, bootstrap, create};

const BOOTSTRAP_CONF: &str = "/etc/kubernetes/bootstrap-kubelet.conf";

fn worker(admitted: bool) -> World {
    let world = World::new(&["w-1"]);
    world.bring_agent("w-1");
    world.machines.with("w-1", |machine| machine.admitted = admitted);
    world
}

fn steps(world: &World) -> Vec<Step> {
    world.machines.with("w-1", |machine| {
        let runs = machine.asked.iter().filter_map(|request| match request {
            Request::Run { steps, epoch: 5 } => Some(steps.clone()),
            _ => None,
        });
        runs.flatten().collect()
    })
}

#[tokio::test]
async fn a_kubelet_gets_its_certificate_and_the_token_is_gone() {
    let world = worker(true);
    world.apply(&create("node-bootstrap", "w-1", bootstrap("w-1"))).await.unwrap();
    world.machines.with("w-1", |machine| {
        assert!(machine.files.contains_key(CERTIFICATE) && !machine.files.contains_key(BOOTSTRAP_CONF));
        assert_eq!(machine.files["/etc/kubernetes/kubelet.conf"].0, b"the kubelet.conf\n");
        assert!(machine.running.contains("kubelet.service"));
    });
    assert!(world.tokens.alive.lock().unwrap().is_empty());
    assert_eq!(*world.tokens.minted.lock().unwrap(), ["kubewright: w-1 of cluster demo"]);
}

#[tokio::test]
async fn the_kubelet_finds_a_kubeconfig_with_the_token() {
    let world = worker(true);
    world.apply(&create("node-bootstrap", "w-1", bootstrap("w-1"))).await.unwrap();
    let steps = steps(&world);
    let Step::WriteSecret { path, content, mode } = &steps[0] else { panic!("{steps:?}") };
    assert_eq!((path.as_str(), mode.as_str()), (BOOTSTRAP_CONF, "0600"));
    let text = String::from_utf8(machine::desired::decode(path, content).unwrap()).unwrap();
    let entry = pki::Kubeconfig::from_yaml(&text).unwrap().current().unwrap();
    assert_eq!((entry.cluster.as_str(), entry.server.as_str()), ("kubernetes", "https://10.0.0.9:6443"));
    assert_eq!(entry.trust, pki::kubeconfig::Trust::Embedded("CA PEM".into()));
    assert!(text.contains("token: abcdef.0123456789abcdef"), "{text}");
    let rest: Vec<String> = steps[1..].iter().map(|step| format!("{step:?}")).collect();
    assert!(rest[0].contains("Start") && rest[1].contains(CERTIFICATE) && rest[3].contains("Remove"), "{rest:?}");
}

#[tokio::test]
async fn a_kubelet_that_is_not_admitted_leaves_neither_token_nor_file() {
    let world = worker(false);
    let error = world.apply(&create("node-bootstrap", "w-1", bootstrap("w-1"))).await.unwrap_err();
    assert!(error.message.contains("not there within 60 s: nobody approved the request csr-1"), "{error}");
    assert!(world.tokens.alive.lock().unwrap().is_empty());
    world.machines.with("w-1", |machine| assert!(!machine.files.contains_key(BOOTSTRAP_CONF)));
}

#[tokio::test]
async fn a_machine_out_of_reach_costs_no_living_token() {
    let world = worker(true);
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::Unreachable));
    world.apply(&create("node-bootstrap", "w-1", bootstrap("w-1"))).await.unwrap_err();
    assert!(world.tokens.alive.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_bootstrap_that_was_cut_short_is_finished_without_a_token() {
    let world = worker(true);
    world.machines.with("w-1", |machine| {
        machine.files.insert(BOOTSTRAP_CONF.into(), (b"old token".to_vec(), 0o600));
    });
    let change = Change {
        operation: Operation::Update,
        reason: Reason::Interrupted,
        ..create("node-bootstrap", "w-1", bootstrap("w-1"))
    };
    world.apply(&change).await.unwrap();
    world.machines.with("w-1", |machine| {
        assert!(!machine.files.contains_key(BOOTSTRAP_CONF));
        assert_eq!(machine.files["/etc/kubernetes/kubelet.conf"].0, b"the kubelet.conf\n");
    });
    assert!(world.tokens.minted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_action_that_is_dropped_in_the_middle_takes_its_token_back() {
    let mut world = worker(true);
    // A machine that never answers.
    world.machines.meeting = Some(std::sync::Arc::new(tokio::sync::Barrier::new(2)));
    {
        let change = create("node-bootstrap", "w-1", bootstrap("w-1"));
        let action = world.apply(&change);
        tokio::pin!(action);
        tokio::select! {
            biased;
            _ = &mut action => panic!("the machine answered"),
            () = tokio::task::yield_now() => assert_eq!(world.tokens.alive.lock().unwrap().len(), 1),
        }
    }
    while !world.tokens.alive.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}
