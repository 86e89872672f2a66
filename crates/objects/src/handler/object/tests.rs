//! Objects, applied to and observed in a fake cluster.

use engine::ErrorClass;
use resource::{Digest, Observation, Secret, reference};
use serde_json::json;

use super::*;
use crate::world::{World, access_reference, id};

const MAP: &str = "object/v1/ConfigMap/kube-system/coredns";
const PATH: &str = "/api/v1/namespaces/kube-system/configmaps/coredns";

fn inputs(corefile: &str) -> Value {
    json!({
        "access": access_reference(),
        "manifest": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "coredns",
                "namespace": "kube-system",
                "annotations": {"kubewright.io/owner": MAP},
            },
            "data": {"Corefile": corefile},
        },
    })
}

fn attributes(observation: Observation) -> Value {
    match observation {
        Observation::Present { attributes, .. } => attributes,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_applied_is_seen_as_it_is_desired() {
    let world = World::new();
    let wanted = inputs("a");
    assert_eq!(world.observe(MAP, Some(&wanted), None).await, Observation::Absent);
    let applied = world.create(MAP, &wanted).await.unwrap();
    assert!(matches!(applied.outputs.get("uid"), Some(Output::Public(Value::String(_)))));
    assert_eq!(attributes(world.observe(MAP, Some(&wanted), Some(&wanted)).await), wanted);
}

#[tokio::test]
async fn drift_is_seen_and_repaired() {
    let world = World::new();
    let wanted = inputs("a");
    world.create(MAP, &wanted).await.unwrap();
    world.fake.state().objects.get_mut(PATH).unwrap()["data"]["Corefile"] = json!("b");
    let seen = attributes(world.observe(MAP, Some(&wanted), Some(&wanted)).await);
    assert_eq!(seen, inputs("b"));
    let mut change = World::change(Operation::Update, MAP, Some(wanted.clone()), Some(wanted.clone()));
    change.expect = Some(Digest::of_json(&seen));
    world.apply(&change).await.unwrap();
    assert_eq!(attributes(world.observe(MAP, Some(&wanted), Some(&wanted)).await), wanted);
}

#[tokio::test]
async fn a_plan_made_on_something_else_is_refused() {
    let world = World::new();
    let wanted = inputs("a");
    world.create(MAP, &wanted).await.unwrap();
    let mut change = World::change(Operation::Update, MAP, Some(wanted.clone()), Some(inputs("c")));
    change.expect = Some(Digest::of_json(&inputs("b")));
    assert_eq!(world.apply(&change).await.unwrap_err().class, ErrorClass::Stale);
    world.fake.state().objects.remove(PATH);
    assert_eq!(world.apply(&change).await.unwrap_err().class, ErrorClass::Stale);
}

#[tokio::test]
async fn nothing_is_written_to_another_cluster() {
    let world = World::new();
    world.record("cluster/demo", "kubeSystemUid", Output::Public(json!("uid-of-the-old-one")));
    let error = world.create(MAP, &inputs("a")).await.unwrap_err();
    assert!(error.message.contains("another cluster answers"), "{}", error.message);
    assert!(!world.fake.state().objects.contains_key(PATH));
    assert!(matches!(world.observe(MAP, Some(&inputs("a")), None).await, Observation::Unknown { .. }));
}

#[tokio::test]
async fn a_cluster_that_was_never_made_holds_nothing() {
    let world = World::new();
    world.memory.outputs.lock().unwrap().clear();
    let wanted = inputs("a");
    assert_eq!(world.observe(MAP, Some(&wanted), None).await, Observation::Absent);
    assert!(matches!(world.observe(MAP, Some(&wanted), Some(&wanted)).await, Observation::Unknown { .. }));
}

#[tokio::test]
async fn an_unreachable_cluster_is_unknown_and_one_dead_server_is_not() {
    let world = World::new();
    let wanted = inputs("a");
    world.create(MAP, &wanted).await.unwrap();
    world.fake.state().dead.insert(crate::world::SERVERS[0].to_owned());
    assert_eq!(attributes(world.observe(MAP, Some(&wanted), Some(&wanted)).await), wanted);
    world.fake.state().dead.insert(crate::world::SERVERS[1].to_owned());
    assert!(matches!(world.observe(MAP, Some(&wanted), None).await, Observation::Unknown { .. }));
}

#[tokio::test]
async fn objects_of_one_kind_and_namespace_take_one_request() {
    let world = World::new();
    let requests = (0..20).map(|number| {
        let mut wanted = inputs("a");
        wanted["manifest"]["metadata"]["name"] = json!(format!("map-{number}"));
        wanted["manifest"]["metadata"]["namespace"] = json!(if number < 10 { "a" } else { "b" });
        let id = id(&format!("object/v1/ConfigMap/x/map-{number}"));
        engine::ObserveRequest { id, desired: Some(wanted), recorded: None }
    });
    let observed = engine::Handler::observe(&world.handler, requests.collect(), Arc::new(world.memory.clone())).await;
    assert_eq!(observed.len(), 20);
    let asked = world.fake.state().requests.clone();
    assert_eq!(
        asked,
        [
            "GET /api/v1/namespaces/kube-system",
            "GET /api/v1/namespaces/a/configmaps",
            "GET /api/v1/namespaces/b/configmaps"
        ]
    );
}

#[tokio::test]
async fn kinds_are_discovered_and_missing_ones_are_absent() {
    let world = World::new();
    let widget = json!({
        "access": access_reference(),
        "manifest": {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}},
    });
    let id = "object/example.com/v1/Widget/n/w";
    assert_eq!(world.observe(id, Some(&widget), None).await, Observation::Absent);
    let error = world.create(id, &widget).await.unwrap_err();
    assert!(matches!(error.class, ErrorClass::NotYetVisible { .. }), "{error:?}");
    let document = json!({"resources": [{"name": "widgets", "kind": "Widget", "namespaced": true}]});
    world.fake.state().discovery.insert("/apis/example.com/v1".to_owned(), document);
    world.create(id, &widget).await.unwrap();
    assert!(world.fake.state().objects.contains_key("/apis/example.com/v1/namespaces/n/widgets/w"));
}

#[tokio::test]
async fn references_are_resolved_when_applied_and_left_when_observed() {
    let world = World::new();
    let mut wanted = inputs("a");
    wanted["manifest"]["data"]["ca"] = json!({"$ref": "authority/x#certificate"});
    world.record("authority/x", "certificate", Output::Public(json!("PEM")));
    world.create(MAP, &wanted).await.unwrap();
    assert_eq!(world.fake.state().objects[PATH]["data"]["ca"], "PEM");
    assert_eq!(attributes(world.observe(MAP, Some(&wanted), Some(&wanted)).await), wanted);
    assert_eq!(reference::find_references(&wanted).len(), 2);
}

#[tokio::test]
async fn a_secret_never_appears_in_what_is_observed() {
    let world = World::new();
    world.record("token/x", "key", Output::Secret(Secret::new("hunter2")));
    let wanted = json!({
        "access": access_reference(),
        "manifest": {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"},
            "stringData": {"key": {"$ref": "token/x#key"}},
        },
    });
    let id = "object/v1/Secret/n/s";
    world.create(id, &wanted).await.unwrap();
    assert_eq!(attributes(world.observe(id, Some(&wanted), Some(&wanted)).await), wanted);
    world.record("token/x", "key", Output::Secret(Secret::new("hunter3")));
    let seen = attributes(world.observe(id, Some(&wanted), Some(&wanted)).await).to_string();
    assert!(seen.contains("hmac:") && !seen.contains("hunter"), "{seen}");
}

#[tokio::test]
async fn what_lost_our_marker_is_left_in_the_cluster() {
    let world = World::new();
    let wanted = inputs("a");
    world.create(MAP, &wanted).await.unwrap();
    world.fake.state().objects.get_mut(PATH).unwrap()["metadata"]["annotations"] = json!({});
    let delete = World::change(Operation::Delete, MAP, Some(wanted.clone()), None);
    world.apply(&delete).await.unwrap();
    assert!(world.fake.state().objects.contains_key(PATH));
    assert!(world.notes()[0].contains("left in the cluster"));
}

#[tokio::test]
async fn deleting_twice_is_as_good_as_once() {
    let world = World::new();
    let wanted = inputs("a");
    world.create(MAP, &wanted).await.unwrap();
    let delete = World::change(Operation::Delete, MAP, Some(wanted.clone()), None);
    for _ in 0..2 {
        world.apply(&delete).await.unwrap();
        assert!(!world.fake.state().objects.contains_key(PATH));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_waited_for() {
    let world = World::new();
    let wanted = json!({
        "access": access_reference(),
        "ready": true,
        "manifest": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": {"replicas": 1}},
    });
    let path = "/apis/apps/v1/namespaces/n/deployments/d";
    world.fake.before_request(6, move |state| {
        let status = json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1});
        state.objects.get_mut(path).unwrap()["status"] = status;
    });
    world.create("object/apps/v1/Deployment/n/d", &wanted).await.unwrap();
    assert_eq!(world.notes(), ["0 of 1 pods updated"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_does_not_end_fails_and_says_what_is_missing() {
    let world = World::new();
    let wanted = json!({
        "access": access_reference(),
        "ready": true,
        "manifest": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}},
    });
    let error = world.create("object/apps/v1/Deployment/n/d", &wanted).await.unwrap_err();
    assert!(error.message.contains("0 of 1 pods updated"), "{}", error.message);
}

/// A workload as it comes back from the API server, of which a controller has seen `seen` of two generations.
fn workload(seen: i64) -> Value {
    json!({
        "access": access_reference(),
        "manifest": {"apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "d", "namespace": "n", "generation": 2}, "status": {"observedGeneration": seen}},
    })
}

#[tokio::test(start_paused = true)]
async fn an_applied_workload_is_waited_for_until_its_controller_has_seen_it_and_no_longer() {
    let world = World::new();
    let path = "/apis/apps/v1/namespaces/n/daemonsets/d";
    world.fake.before_request(6, move |state| {
        state.objects.get_mut(path).unwrap()["status"] = json!({"observedGeneration": 2, "desiredNumberScheduled": 3});
    });
    world.create("object/apps/v1/DaemonSet/n/d", &workload(1)).await.unwrap();
    assert_eq!(world.notes(), ["its controller has not seen it yet"]);
    let seen = &world.fake.state().objects[path]["status"]["observedGeneration"];
    assert_eq!(seen, 2, "the roll-out itself, of which no pod is there yet, is not waited for");
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_is_down_fails_nothing() {
    let world = World::new();
    world.create("object/apps/v1/DaemonSet/n/d", &workload(1)).await.unwrap();
    assert_eq!(world.notes(), ["its controller has not seen it yet"]);
}

#[tokio::test]
async fn what_carries_our_marker_and_is_not_asked_for_is_an_orphan() {
    let world = World::new();
    let wanted = inputs("a");
    world.create(MAP, &wanted).await.unwrap();
    let mut live = world.fake.state().objects[PATH].clone();
    for (name, owner) in [("stray", "object/v1/ConfigMap/kube-system/stray"), ("copied", MAP)] {
        live["metadata"]["name"] = json!(name);
        live["metadata"]["annotations"]["kubewright.io/owner"] = json!(owner);
        let path = format!("/api/v1/namespaces/kube-system/configmaps/{name}");
        world.fake.state().objects.insert(path, live.clone());
    }
    let seen = world.observe_all(MAP, &wanted).await;
    let stray = id("object/v1/ConfigMap/kube-system/stray");
    assert_eq!(seen.keys().collect::<Vec<_>>(), [&id(MAP), &stray]);
    let Observation::Orphan { attributes } = &seen[&stray] else { panic!("{seen:?}") };
    assert_eq!(attributes["access"], access_reference());
    assert_eq!(attributes.pointer("/manifest/metadata/name"), Some(&json!("stray")));
    assert_eq!(attributes.pointer("/manifest/data"), None);
}

/// A world where somebody else has made an object of the same name.
fn with_somebody_elses() -> World {
    let world = World::new();
    let theirs = json!({
        "metadata": {
            "name": "coredns",
            "namespace": "kube-system",
            "managedFields": [{"manager": "helm", "operation": "Update"}],
        },
        "data": {"Corefile": "theirs"},
    });
    world.fake.state().put(PATH, theirs);
    world
}

#[tokio::test]
async fn somebody_elses_object_is_told_and_neither_overwritten_nor_deleted() {
    let world = with_somebody_elses();
    let wanted = inputs("ours");
    for recorded in [None, Some(&wanted)] {
        let seen = world.observe(MAP, Some(&wanted), recorded).await;
        let Observation::Foreign { attributes } = seen else { panic!("{seen:?}") };
        assert_eq!(attributes.pointer("/manifest/data"), None);
    }
    let error = world.create(MAP, &wanted).await.unwrap_err();
    assert!(error.message.contains("somebody else's"), "{}", error.message);
    let mut update = World::change(Operation::Update, MAP, Some(wanted.clone()), Some(wanted.clone()));
    update.expect = Some(Digest::of_json(&wanted));
    assert_eq!(world.apply(&update).await.unwrap_err().class, ErrorClass::Stale);
    let mut delete = World::change(Operation::Delete, MAP, Some(wanted.clone()), None);
    delete.expect = Some(Digest::of_json(&wanted));
    world.apply(&delete).await.unwrap();
    assert_eq!(world.fake.state().objects[PATH]["data"]["Corefile"], "theirs");
}

#[tokio::test]
async fn an_adopted_object_is_marked_kept_as_it_is_and_ours_from_then_on() {
    let world = with_somebody_elses();
    let wanted = inputs("ours");
    let seen = world.observe(MAP, Some(&wanted), None).await;
    let Observation::Foreign { attributes } = seen else { panic!("{seen:?}") };
    world.apply(&World::change(Operation::Adopt, MAP, None, Some(attributes.clone()))).await.unwrap();
    assert_eq!(world.fake.state().objects[PATH]["data"]["Corefile"], "theirs");
    let seen = world.observe(MAP, Some(&wanted), Some(&attributes)).await;
    assert_eq!(super::tests::attributes(seen).pointer("/manifest/data/Corefile"), Some(&json!("theirs")));
    let update = World::change(Operation::Update, MAP, Some(attributes), Some(wanted.clone()));
    world.apply(&update).await.unwrap();
    assert_eq!(world.fake.state().objects[PATH]["data"]["Corefile"], "ours");
    world.apply(&World::change(Operation::Delete, MAP, Some(wanted), None)).await.unwrap();
    assert!(!world.fake.state().objects.contains_key(PATH));
}

/// What we want, as the cluster of one state says it.
fn of_state(lineage: &str) -> Value {
    let mut wanted = inputs(lineage);
    wanted["manifest"]["metadata"]["annotations"]["kubewright.io/lineage"] = json!(lineage);
    wanted
}

#[tokio::test]
async fn what_another_state_made_is_neither_overwritten_nor_deleted_nor_listed_and_can_be_adopted() {
    let world = World::new();
    world.create(MAP, &of_state("theirs")).await.unwrap();
    let ours = of_state("ours");
    let seen = world.observe(MAP, Some(&ours), None).await;
    let Observation::Foreign { attributes } = seen else { panic!("{seen:?}") };
    assert!(world.create(MAP, &ours).await.unwrap_err().message.contains("somebody else's"));
    world.apply(&World::change(Operation::Delete, MAP, Some(ours.clone()), None)).await.unwrap();
    assert_eq!(world.fake.state().objects[PATH]["data"]["Corefile"], "theirs");

    world.apply(&World::change(Operation::Adopt, MAP, None, Some(attributes.clone()))).await.unwrap();
    let seen = super::tests::attributes(world.observe(MAP, Some(&ours), Some(&attributes)).await);
    assert_eq!(seen.pointer("/manifest/metadata/annotations/kubewright.io~1lineage"), Some(&json!("ours")));
    assert_eq!(seen.pointer("/manifest/data/Corefile"), Some(&json!("theirs")));
}

#[tokio::test]
async fn an_orphan_of_another_state_is_none() {
    let world = World::new();
    world.create(MAP, &of_state("ours")).await.unwrap();
    let mut live = world.fake.state().objects[PATH].clone();
    for (name, lineage) in [("stray", "ours"), ("copied", "theirs")] {
        live["metadata"]["name"] = json!(name);
        let owner = format!("object/v1/ConfigMap/kube-system/{name}");
        live["metadata"]["annotations"] = json!({"kubewright.io/owner": owner, "kubewright.io/lineage": lineage});
        let path = format!("/api/v1/namespaces/kube-system/configmaps/{name}");
        world.fake.state().objects.insert(path, live.clone());
    }
    let seen = world.observe_all(MAP, &of_state("ours")).await;
    assert_eq!(seen.keys().collect::<Vec<_>>(), [&id(MAP), &id("object/v1/ConfigMap/kube-system/stray")]);
}

#[test]
fn versions_of_a_group_name_one_object() {
    let same = |one: &str, other: &str| identity(&id(one)) == identity(&id(other));
    let scaler = "object/autoscaling/v1/HorizontalPodAutoscaler/web/web";
    assert!(same(scaler, "object/autoscaling/v2/HorizontalPodAutoscaler/web/web"));
    assert!(same("object/example.org/v1/Widget/_/w", "object/example.org/v1/Widget/default/w"));
    for other in [
        "object/autoscaling/v2/HorizontalPodAutoscaler/other/web",
        "object/autoscaling/v2/HorizontalPodAutoscaler/web/other",
        "object/autoscaling/v2/Other/web/web",
        "object/example.org/v1/HorizontalPodAutoscaler/web/web",
        "object/v1/HorizontalPodAutoscaler/web/web",
    ] {
        assert!(!same(scaler, other), "{other}");
    }
}
