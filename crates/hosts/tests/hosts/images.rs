//! Images that are loaded into machines after their birth.

use engine::ErrorClass;
use plan::{Change, Operation};
use resource::Observation;
use serde_json::{Value, json};

use crate::machines::Fault;
use crate::world::{World, create, made, target, wanted};

const NAME: &str = "w-1/metrics-server";
const IMAGE: &str = "registry.k8s.io/metrics-server/metrics-server:v0.9.0";

fn image(digest: &str) -> Value {
    json!({"target": target("w-1"), "image": IMAGE, "asset": format!("image-metrics-server@{digest}")})
}

async fn loaded() -> World {
    let world = World::new(&["w-1"]);
    world.configure("w-1").await;
    world.apply(&create("image", NAME, image("a"))).await.unwrap();
    world
}

#[tokio::test]
async fn an_image_is_loaded_once_and_nothing_of_its_archive_is_left() {
    let world = loaded().await;
    assert_eq!(world.observe_one(made("image", NAME, image("a"))).await, Observation::present(image("a")));
    world.apply(&create("image", NAME, image("a"))).await.unwrap();
    world.machines.with("w-1", |machine| {
        assert!(machine.images.iter().eq([IMAGE]) && machine.archives.is_empty());
    });
}

#[tokio::test]
async fn an_image_that_was_removed_by_hand_is_absent() {
    let world = loaded().await;
    world.machines.with("w-1", |machine| machine.images.clear());
    assert_eq!(world.observe_one(made("image", NAME, image("a"))).await, Observation::Absent);
}

#[tokio::test]
async fn an_image_made_by_another_recipe_is_told_by_the_record() {
    let world = loaded().await;
    let mut request = made("image", NAME, image("a"));
    request.desired = Some(image("b"));
    assert_eq!(world.observe_one(request).await, Observation::present(image("a")));
}

#[tokio::test]
async fn a_removed_image_may_be_gone_already() {
    let world = loaded().await;
    let change = Change {
        operation: Operation::Delete,
        before: Some(image("a")),
        after: None,
        ..create("image", NAME, image("a"))
    };
    for _ in 0..2 {
        world.apply(&change).await.unwrap();
        world.machines.with("w-1", |machine| assert!(machine.images.is_empty()));
    }
}

#[tokio::test]
async fn without_an_answer_of_the_runtime_an_image_is_unknown() {
    let world = World::new(&["w-1"]);
    let stopped = world.observe_one(wanted("image", NAME, image("a"))).await;
    assert!(matches!(&stopped, Observation::Unknown { why } if why.contains("ended with status 1")), "{stopped:?}");
    world.machines.with("w-1", |machine| machine.fault = Some(Fault::Unreachable));
    let away = world.observe_one(made("image", NAME, image("a"))).await;
    assert_eq!(away, Observation::unknown("cannot reach w-1: no route to host"));
}

#[tokio::test]
async fn an_image_on_a_machine_that_was_never_made_is_absent() {
    let world = World::new(&[]);
    assert_eq!(world.observe_one(wanted("image", NAME, image("a"))).await, Observation::Absent);
}

#[tokio::test]
async fn what_cannot_be_loaded_says_why() {
    let world = loaded().await;
    let unknown = json!({"target": target("w-1"), "image": IMAGE, "asset": "image-other@a"});
    let error = world.apply(&create("image", NAME, unknown)).await.unwrap_err();
    assert!(error.message.contains("image-other@a is not in the cache"), "{}", error.message);
    world.machines.with("w-1", |machine| machine.running.clear());
    let error = world.apply(&create("image", NAME, image("a"))).await.unwrap_err();
    assert_eq!((error.class, error.output.as_slice()), (ErrorClass::Permanent, ["last words".to_owned()].as_slice()));
}
