//! Kubelets that ask for serving certificates.

use super::*;
use crate::csr::samples::request_of;
use crate::world::{World, access_reference};

const ID: &str = "serving-certificate/w-1";

fn inputs() -> Value {
    json!({"access": access_reference(), "node": "w-1", "addresses": ["10.0.0.2"], "dnsNames": []})
}

fn ask(state: &mut crate::fake::State, name: &str, names: &[&str]) {
    let mut request = request_of("w-1", names);
    request["metadata"] = json!({"name": name});
    state.put(&format!("{REQUESTS}/{name}"), request);
}

fn world() -> World {
    let world = World::new();
    world.fake.state().put("/api/v1/nodes/w-1", json!({"metadata": {"name": "w-1"}}));
    world
}

fn is_approved(world: &World, name: &str) -> bool {
    stage(&world.fake.state().objects[&format!("{REQUESTS}/{name}")]) == Stage::Approved
}

#[tokio::test(start_paused = true)]
async fn a_request_is_waited_for_and_approved() {
    let world = world();
    world.fake.before_request(8, |state| ask(state, "csr-1", &["w-1", "10.0.0.2"]));
    assert_eq!(world.observe(ID, Some(&inputs()), None).await, Observation::Absent);
    world.create(ID, &inputs()).await.unwrap();
    assert!(is_approved(&world, "csr-1"));
    assert_eq!(world.observe(ID, Some(&inputs()), None).await, Observation::present(inputs()));
    // Making it once more finds it done.
    world.create(ID, &inputs()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_starts_anew_and_asks_again_is_answered_before_the_certificate_counts_as_made() {
    let world = world();
    ask(&mut world.fake.state(), "csr-1", &["w-1"]);
    let why = "remote error: tls: internal error".to_owned();
    world.fake.state().silent_kubelets.insert("w-1".to_owned(), why);
    world.fake.before_request(9, |state| ask(state, "csr-2", &["w-1"]));
    world.fake.before_request(30, |state| state.silent_kubelets.clear());
    world.create(ID, &inputs()).await.unwrap();
    assert!(is_approved(&world, "csr-1") && is_approved(&world, "csr-2"));
    assert!(world.notes()[0].contains("waiting for the kubelet of w-1 to serve"), "{:?}", world.notes());
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_does_not_serve_is_not_waited_for_without_end() {
    let world = world();
    ask(&mut world.fake.state(), "csr-1", &["w-1"]);
    world.fake.state().silent_kubelets.insert("w-1".to_owned(), "connection refused".to_owned());
    world.create(ID, &inputs()).await.unwrap();
    assert!(is_approved(&world, "csr-1"));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_request_is_neither_approved_nor_denied() {
    let world = world();
    ask(&mut world.fake.state(), "csr-1", &["w-1", "10.9.9.9"]);
    let error = world.create(ID, &inputs()).await.unwrap_err();
    assert!(error.message.contains("csr-1: it asks for the foreign address 10.9.9.9"), "{}", error.message);
    assert_eq!(stage(&world.fake.state().objects[&format!("{REQUESTS}/csr-1")]), Stage::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_right_request_beside_a_foreign_one_is_approved() {
    let world = world();
    ask(&mut world.fake.state(), "csr-1", &["w-1", "10.9.9.9"]);
    ask(&mut world.fake.state(), "csr-2", &["w-1"]);
    world.create(ID, &inputs()).await.unwrap();
    assert!(is_approved(&world, "csr-2") && !is_approved(&world, "csr-1"));
    assert!(world.notes()[0].contains("foreign address"));
}

#[tokio::test(start_paused = true)]
async fn a_pending_request_is_a_difference_that_an_update_takes_away() {
    let world = world();
    ask(&mut world.fake.state(), "csr-1", &["w-1"]);
    let Observation::Present { attributes, .. } = world.observe(ID, Some(&inputs()), Some(&inputs())).await else {
        panic!("it is recorded");
    };
    assert_eq!(attributes["pending"], json!(["csr-1"]));
    world.apply(&World::change(Operation::Update, ID, Some(inputs()), Some(inputs()))).await.unwrap();
    assert_eq!(world.observe(ID, Some(&inputs()), Some(&inputs())).await, Observation::present(inputs()));
}

#[tokio::test(start_paused = true)]
async fn an_approval_for_an_earlier_node_of_the_same_name_does_not_count() {
    let world = World::new();
    ask(&mut world.fake.state(), "csr-1", &["w-1"]);
    world.fake.state().put("/api/v1/nodes/w-1", json!({"metadata": {"name": "w-1"}}));
    let approved = json!({"conditions": [{"type": "Approved", "status": "True"}]});
    world.fake.state().objects.get_mut(&format!("{REQUESTS}/csr-1")).unwrap()["status"] = approved;
    assert_eq!(world.observe(ID, Some(&inputs()), None).await, Observation::Absent);
    let error = world.create(ID, &inputs()).await.unwrap_err();
    assert!(error.message.contains("has not asked"), "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn an_update_without_a_request_has_nothing_to_wait_for() {
    let world = world();
    world.apply(&World::change(Operation::Update, ID, Some(inputs()), Some(inputs()))).await.unwrap();
}
