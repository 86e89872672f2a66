//! Nodes, tokens, certificates and drains on a real API server.

use std::time::Duration;

use engine::BootstrapTokens as _;
use plan::{ActionId, Operation};
use resource::Observation;
use serde_json::{Value, json};

use super::{Real, resource};
use crate::TokenSecrets;
use crate::connection::Connection;
use crate::csr::samples::request_of;
use crate::request::Request;
use crate::world::{World, access_reference, id};

const NODES: &str = "/api/v1/nodes";

impl Real {
    async fn register(&self, name: &str) {
        let taint = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"});
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "spec": {"taints": [taint]},
        });
        self.send(Request::post(NODES, node)).await;
    }

    async fn taint_keys(&self, name: &str) -> Vec<String> {
        let node = self.send(Request::get(&format!("{NODES}/{name}"))).await;
        let taints = node.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default();
        taints.iter().map(|taint| taint["key"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_nodes_keep_what_is_not_ours() {
    let real = Real::start().await;
    real.register("cp-1").await;
    let key = "node-role.kubernetes.io/control-plane";
    let full = json!({
        "access": access_reference(),
        "labels": {key: "", "zone": "a"},
        "taints": [{"key": key, "effect": "NoSchedule"}, {"key": "gpu", "value": "yes", "effect": "NoExecute"}],
        "annotations": {"kubewright.io/owner": "node/cp-1"},
        "unschedulable": true,
    });
    real.world.create("node/cp-1", &full).await.unwrap();
    assert_eq!(real.seen("node/cp-1", &full, &full).await, full);
    assert!(real.taint_keys("cp-1").await.contains(&"node.kubernetes.io/not-ready".to_owned()));
    let path = format!("{NODES}/cp-1");
    real.send(Request::strategic(&path, json!({"metadata": {"labels": {key: null}}}))).await;
    let seen = real.seen("node/cp-1", &full, &full).await;
    assert_eq!(seen["labels"], json!({"zone": "a"}));
    let less =
        json!({"access": access_reference(), "labels": {}, "taints": [], "annotations": {}, "unschedulable": false});
    real.update("node/cp-1", &full, &less).await;
    assert_eq!(real.seen("node/cp-1", &less, &less).await, less);
    let left = real.taint_keys("cp-1").await;
    assert!(left.iter().all(|key| key.starts_with("node.kubernetes.io/")), "{left:?}");
    let delete = World::change(Operation::Delete, "node/cp-1", Some(less.clone()), None);
    real.world.apply(&delete).await.unwrap();
    assert_eq!(real.world.observe("node/cp-1", Some(&less), Some(&less)).await, Observation::Absent);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_tokens_may_ask_for_certificates_until_they_are_revoked() {
    let real = Real::start().await;
    let (id_of_binding, binding) = resource(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "kubeadm:kubelet-bootstrap"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper"},
        "subjects": [{"kind": "Group", "name": "system:bootstrappers:kubeadm:default-node-token"}],
    }));
    real.world.create(&id_of_binding, &binding).await.unwrap();
    let tokens = TokenSecrets::new(real.world.connections.clone());
    let context = real.world.context(&ActionId::new("create", &id("node-bootstrap/w-1")));
    let access = real.world.recorded_access();
    let token = tokens.mint(&access, "for w-1", &context).await.unwrap();
    let secrets = real.connection.list("/api/v1/namespaces/kube-system/secrets", &[]).await.unwrap();
    let secret = secrets.iter().find(|secret| secret["metadata"]["name"] == format!("bootstrap-token-{}", token.id));
    assert!(secret.unwrap()["data"]["expiration"].is_string());
    tokens.revoke(&access, &token.id).await.unwrap();
    tokens.revoke(&access, &token.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_serving_certificates_are_approved_and_issued() {
    let real = Real::start().await;
    real.register("w-1").await;
    let kubelet = real.world.connections.open(&real.kubernetes.access_of_node("w-1").to_secret()).unwrap();
    let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let ask = async |names: &[&str]| {
        let mut request = request_of("w-1", names);
        let spec = request["spec"].as_object_mut().unwrap();
        spec.retain(|name, _| name != "username" && name != "groups");
        request["apiVersion"] = json!("certificates.k8s.io/v1");
        request["kind"] = json!("CertificateSigningRequest");
        request["metadata"] = json!({"generateName": "csr-"});
        kubelet.send(&Request::post(path, request)).await.unwrap()
    };
    let name = "serving-certificate/w-1";
    let inputs = json!({"access": access_reference(), "node": "w-1", "addresses": ["10.0.0.2"], "dnsNames": []});
    ask(&["w-1", "10.9.9.9"]).await;
    let error = real.world.create(name, &inputs).await.unwrap_err();
    assert!(error.message.contains("foreign address 10.9.9.9"), "{}", error.message);
    let asked = ask(&["w-1", "10.0.0.2"]).await;
    real.world.create(name, &inputs).await.unwrap();
    let path = format!("{path}/{}", asked["metadata"]["name"].as_str().unwrap());
    for _ in 0..100 {
        if real.send(Request::get(&path)).await.pointer("/status/certificate").is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the certificate was not issued");
}

/// Does what the kubelet does with pods that are to end.
async fn end_pods(connection: &Connection) {
    loop {
        for pod in connection.list("/api/v1/pods", &[]).await.unwrap_or_default() {
            if pod.pointer("/metadata/deletionTimestamp").is_some() {
                let path = format!("/api/v1/namespaces/default/pods/{}", pod["metadata"]["name"].as_str().unwrap());
                let _ = connection.send(&Request::delete_now(&path)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

const PODS: &str = "/api/v1/namespaces/default/pods";

impl Real {
    /// A pod on `w-1` that runs, as far as its status says.
    async fn run(&self, name: &str, volumes: Value) {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "nodeName": "w-1", "automountServiceAccountToken": false,
                "containers": [{"name": "c", "image": "i:1"}], "volumes": volumes,
            },
        });
        let mut tries = 0;
        while self.connection.send(&Request::post(PODS, pod.clone())).await.is_err() {
            tries += 1;
            assert!(tries < 100, "the service account does not appear");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        self.send(Request::merge(&format!("{PODS}/{name}/status"), status)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_drains_lose_nothing_without_consent() {
    let real = Real::start().await;
    real.register("w-1").await;
    real.run("bare", json!([{"name": "cache", "emptyDir": {"medium": "Memory"}}])).await;
    let (source, claim) = (json!({"path": "/data"}), json!({"namespace": "default", "name": "data"}));
    let expression = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": ["w-1"]});
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "here"},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "local": source, "claimRef": claim,
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        },
    });
    real.send(Request::post("/api/v1/persistentvolumes", volume)).await;
    let inputs = json!({"access": access_reference(), "node": "w-1", "group": "w"});
    let Observation::Present { attributes, .. } = real.world.observe("drain/w-1", Some(&inputs), None).await else {
        panic!("the node is there")
    };
    let lost: Vec<&str> =
        attributes["lost"].as_array().unwrap().iter().map(|lost| lost["what"].as_str().unwrap()).collect();
    assert_eq!(lost, ["pod default/bare", "pod default/bare", "volume here"]);
    for (consents, lacks) in [
        (json!({}), "emptyDir data of pod default/bare"),
        (json!({"force": true}), "emptyDir data of pod default/bare"),
        (json!({"deleteEmptyDirData": true}), "volume here"),
    ] {
        let mut inputs = inputs.clone();
        inputs.as_object_mut().unwrap().extend(consents.as_object().unwrap().clone());
        let error =
            real.world.apply(&World::change(Operation::Run, "drain/w-1", None, Some(inputs))).await.unwrap_err();
        assert!(error.message.contains(lacks), "{}", error.message);
        let node = real.send(Request::get(&format!("{NODES}/w-1"))).await;
        assert_eq!(node.pointer("/spec/unschedulable"), None, "it was not cordoned");
    }
    assert_eq!(real.connection.list(PODS, &[]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_drains_respect_budgets() {
    let real = Real::start().await;
    real.register("w-1").await;
    for name in ["a", "b"] {
        real.run(name, json!([])).await;
    }
    let (budget_id, budget) = resource(&json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}},
    }));
    real.world.create(&budget_id, &budget).await.unwrap();
    let drain = |seconds: u64| {
        let inputs = json!({"access": access_reference(), "timeoutSeconds": seconds, "force": true});
        World::change(Operation::Run, "drain/w-1", None, Some(inputs))
    };
    let kubelet = real.connection.clone();
    let kubelet = tokio::spawn(async move { end_pods(&kubelet).await });
    let error = real.world.apply(&drain(8)).await.unwrap_err();
    assert!(error.message.ends_with("default/a is held by disruption budget web"), "{}", error.message);
    let delete = World::change(Operation::Delete, &budget_id, Some(budget), None);
    real.world.apply(&delete).await.unwrap();
    real.world.apply(&drain(20)).await.unwrap();
    assert!(real.connection.list(PODS, &[]).await.unwrap().is_empty());
    kubelet.abort();
}
