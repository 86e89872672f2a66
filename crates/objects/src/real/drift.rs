//! Changes by others and by the spec, seen through a real API server.

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
        (json!({"spec": {"template": {"spec": {"hostNetwork": true}}}}), "/spec/template/spec/hostNetwork", Some(json!(true))),
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

/// What the spec may drop or move; each is seen before the apply and gone after it.
fn wishes() -> Vec<(&'static str, fn(&mut Value))> {
    vec![
        ("drops a label", |wish| drop(wish["metadata"]["labels"].as_object_mut().unwrap().remove("empty"))),
        ("drops a volume", |wish| drop(wish["spec"]["template"]["spec"]["volumes"].as_array_mut().unwrap().remove(1))),
        ("drops a port", |wish| {
            drop(wish["spec"]["template"]["spec"]["containers"][0]["ports"].as_array_mut().unwrap().remove(1));
        }),
        ("drops a field in a list owned as one", |wish| {
            drop(wish["spec"]["template"]["spec"]["tolerations"][1].as_object_mut().unwrap().remove("effect"));
            wish["spec"]["template"]["spec"]["tolerations"][1]["operator"] = json!("Exists");
        }),
        ("moves an init container", |wish| {
            wish["spec"]["template"]["spec"]["initContainers"].as_array_mut().unwrap().reverse();
        }),
        ("moves a variable", |wish| {
            wish["spec"]["template"]["spec"]["containers"][0]["env"].as_array_mut().unwrap().reverse();
        }),
        ("inserts a variable at the front", |wish| {
            let env = wish["spec"]["template"]["spec"]["containers"][0]["env"].as_array_mut().unwrap();
            env.insert(0, json!({"name": "NEW", "value": "1"}));
        }),
        ("empties a probe", |wish| {
            drop(wish["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("livenessProbe"));
        }),
        ("replaces a volume's source", |wish| {
            let volumes = wish["spec"]["template"]["spec"]["volumes"].as_array_mut().unwrap();
            *volumes.last_mut().unwrap() = json!({"name": "api", "emptyDir": {}});
        }),
        ("drops all volumes", |wish| {
            drop(wish["spec"]["template"]["spec"].as_object_mut().unwrap().remove("volumes"));
            drop(wish["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("volumeMounts"));
        }),
        ("drops resources", |wish| {
            wish["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({});
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_changes_of_the_spec_arrive() {
    let real = Real::start().await;
    let (id, mut before) = resource(&deployment());
    real.world.create(&id, &before).await.unwrap();
    for (what, change) in wishes() {
        let mut after = before.clone();
        change(&mut after["manifest"]);
        assert_eq!(real.seen(&id, &after, &before).await, before, "{what}: the old state is seen");
        real.update(&id, &before, &after).await;
        assert_eq!(real.seen(&id, &after, &after).await, after, "{what}: the new state is seen");
        before = after;
    }
}
