//! Changes by others and by the spec, seen through a real API server.

use plan::field_changes;
use resource::KindSchema;
use serde_json::{Value, json};

use super::manifests::deployment;
use super::{Real, resource};
use crate::request::Request;

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";

/// What somebody else may do to the Deployment, and how it is to be seen.
fn changes() -> Vec<(Value, &'static str, Option<Value>)> {
    let container = |fields: Value| {
        let mut container = json!({"name": "coredns"});
        container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"spec": {"template": {"spec": {"containers": [container]}}}})
    };
    vec![
        (json!({"spec": {"replicas": 5}}), "/spec/replicas", Some(json!(5))),
        (json!({"metadata": {"labels": {"k8s-app": null}}}), "/metadata/labels/k8s-app", None),
        (json!({"metadata": {"labels": {"empty": null}}}), "/metadata/labels/empty", None),
        (json!({"metadata": {"labels": {"k8s-app": "other"}}}), "/metadata/labels/k8s-app", Some(json!("other"))),
        (
            json!({"spec": {"template": {"spec": {"hostNetwork": true}}}}),
            "/spec/template/spec/hostNetwork",
            Some(json!(true)),
        ),
        (container(json!({"image": "x:2"})), "/spec/template/spec/containers/0/image", Some(json!("x:2"))),
        (container(json!({"args": ["-conf"]})), "/spec/template/spec/containers/0/args", Some(json!(["-conf"]))),
        (
            container(json!({"resources": {"limits": {"cpu": "2"}}})),
            "/spec/template/spec/containers/0/resources/limits/cpu",
            Some(json!("2")),
        ),
        (
            container(json!({"env": [{"name": "A", "value": "b"}]})),
            "/spec/template/spec/containers/0/env/3/value",
            Some(json!("b")),
        ),
        (
            json!({"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/os": "windows"}}}}}),
            "/spec/template/spec/nodeSelector/kubernetes.io~1os",
            Some(json!("windows")),
        ),
        (
            json!({"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}),
            "/spec/template/spec/tolerations",
            Some(json!([{"operator": "Exists"}])),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_drift_is_named_and_repaired() {
    let real = Real::start().await;
    let (id, inputs) = resource(&deployment());
    real.world.create(&id, &inputs).await.unwrap();
    for (patch, pointer, value) in changes() {
        real.send(Request::strategic(DEPLOYMENT, patch.clone())).await;
        let seen = real.seen(&id, &inputs, &inputs).await;
        assert_eq!(seen["manifest"].pointer(pointer), value.as_ref(), "{pointer}: {}", seen["manifest"]);
        let mut expected = inputs.clone();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let last = last.replace("~1", "/");
        let parent = expected["manifest"].pointer_mut(parent).unwrap();
        match value {
            Some(value) => parent[last.as_str()] = value,
            None => drop(parent.as_object_mut().unwrap().remove(&last)),
        }
        assert_eq!(seen, expected, "{pointer}");
        real.update(&id, &inputs, &inputs).await;
        assert_eq!(real.seen(&id, &inputs, &inputs).await, inputs, "after {pointer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_fields_of_others_are_not_ours() {
    let real = Real::start().await;
    let (id, inputs) = resource(&deployment());
    real.world.create(&id, &inputs).await.unwrap();
    let foreign = json!({
        "metadata": {"labels": {"theirs": "x"}, "annotations": {"deployment.kubernetes.io/revision": "7"}},
        "spec": {"revisionHistoryLimit": 3, "template": {"spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [{"name": "sidecar", "image": "s:1"}, {"name": "coredns", "env": [{"name": "THEIRS", "value": "x"}]}],
            "volumes": [{"name": "theirs", "emptyDir": {}}],
        }}},
    });
    real.send(Request::strategic(DEPLOYMENT, foreign)).await;
    assert_eq!(real.seen(&id, &inputs, &inputs).await, inputs);
    real.update(&id, &inputs, &inputs).await;
    assert_eq!(real.seen(&id, &inputs, &inputs).await, inputs);
}

/// What the spec may drop or move: where the difference is seen before the apply, and how it is made.
type Alteration = (&'static [&'static str], fn(&mut Value));

fn pod(manifest: &mut Value) -> &mut Value {
    &mut manifest["spec"]["template"]["spec"]
}

fn container(manifest: &mut Value) -> &mut Value {
    &mut pod(manifest)["containers"][0]
}

fn drop_field(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

fn drop_item(list: &mut Value, index: usize) {
    list.as_array_mut().unwrap().remove(index);
}

fn alterations() -> Vec<Alteration> {
    vec![
        (&["metadata.labels.empty"], |wish| drop_field(&mut wish["metadata"]["labels"], "empty")),
        (&["containers.0.volumeMounts", "volumes"], |wish| {
            drop_item(&mut pod(wish)["volumes"], 1);
            drop_item(&mut container(wish)["volumeMounts"], 1);
        }),
        (&["containers.0.ports"], |wish| drop_item(&mut container(wish)["ports"], 1)),
        // Tolerations are owned as one.
        (&["tolerations.1.effect", "tolerations.1.operator"], |wish| {
            drop_field(&mut pod(wish)["tolerations"][1], "effect");
            pod(wish)["tolerations"][1]["operator"] = json!("Exists");
        }),
        (&["initContainers.0.name", "initContainers.1.name"], |wish| {
            pod(wish)["initContainers"].as_array_mut().unwrap().reverse();
        }),
        (&["containers.0.args"], |wish| container(wish)["args"].as_array_mut().unwrap().reverse()),
        (&["containers.0.env"], |wish| {
            let variable = json!({"name": "NEW", "value": "1"});
            container(wish)["env"].as_array_mut().unwrap().insert(0, variable);
        }),
        (&["containers.0.livenessProbe"], |wish| drop_field(container(wish), "livenessProbe")),
        (&["volumes.2.emptyDir", "volumes.2.projected"], |wish| {
            pod(wish)["volumes"][2] = json!({"name": "api", "emptyDir": {}});
        }),
        (&["containers.0.volumeMounts", "volumes"], |wish| {
            drop_field(pod(wish), "volumes");
            drop_field(container(wish), "volumeMounts");
        }),
        (&["containers.0.resources.limits", "containers.0.resources.requests"], |wish| {
            container(wish)["resources"] = json!({});
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_changes_of_the_spec_arrive() {
    let real = Real::start().await;
    let (id, mut before) = resource(&deployment());
    let schema = KindSchema::plain("object");
    real.world.create(&id, &before).await.unwrap();
    for (paths, change) in alterations() {
        let mut after = before.clone();
        change(&mut after["manifest"]);
        let seen = real.seen(&id, &after, &before).await;
        let found: Vec<String> = field_changes(&schema, &seen, &after)
            .iter()
            .map(|change| change.path.join(".").replace("manifest.", "").replace("spec.template.spec.", ""))
            .collect();
        assert_eq!(found, paths);
        real.update(&id, &before, &after).await;
        assert_eq!(real.seen(&id, &after, &after).await, after, "{paths:?}");
        before = after;
    }
}
