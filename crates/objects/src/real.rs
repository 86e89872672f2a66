//! Proof against a real API server: what is applied is seen as it is desired, drift is named, and nothing else is.
//!
//! Ignored by default, run by `cargo xtask test --only build,host,binaries`. `KUBEWRIGHT_TEST_KUBERNETES` names a directory with
//! kube-apiserver and kube-controller-manager, `KUBEWRIGHT_TEST_ETCD` the etcd program.

mod drift;
mod manifests;
mod nodes;
mod server;
mod versions;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Handler as _, ObserveRequest, Output};
use plan::Operation;
use resource::{Observation, Reference, Secret};
use serde_json::{Value, json};

use self::manifests::manifests;
use self::server::Kubernetes;
use crate::connection::Connection;
use crate::handler::as_recorded;
use crate::request::Request;
use crate::world::{World, access_reference, id};

/// A real cluster, recorded as made.
struct Real {
    kubernetes: Kubernetes,
    world: World,
    connection: Arc<Connection>,
}

impl Real {
    async fn start() -> Self {
        let kubernetes = Kubernetes::start();
        let access = kubernetes.access();
        let world = World::real();
        world.record("authority/kubernetes", "certificate", Output::Public(json!(access.authority)));
        world.record("certificate/operator", "certificate", Output::Public(json!(access.certificate)));
        world.record("certificate/operator", "key", Output::Secret(Secret::new(access.key)));
        let reference = |resource: &str, output| Reference::new(id(resource), output).to_value();
        let inputs = json!({
            "servers": access.servers,
            "authority": reference("authority/kubernetes", "certificate"),
            "certificate": reference("certificate/operator", "certificate"),
            "key": reference("certificate/operator", "key"),
        });
        let applied = world.create("cluster/demo", &inputs).await.unwrap();
        for (name, output) in applied.outputs {
            world.record("cluster/demo", &name, output);
        }
        assert_eq!(world.observe("cluster/demo", Some(&inputs), Some(&inputs)).await, Observation::present(inputs));
        let connection = world.connections.open(&world.recorded_access()).unwrap();
        Self { kubernetes, world, connection }
    }

    async fn seen(&self, resource: &str, desired: &Value, before: &Value) -> Value {
        match self.world.observe(resource, Some(desired), Some(before)).await {
            Observation::Present { attributes, .. } => attributes,
            other => panic!("{resource}: {other:?}"),
        }
    }

    async fn update(&self, resource: &str, before: &Value, after: &Value) {
        let change = World::change(Operation::Update, resource, Some(before.clone()), Some(after.clone()));
        self.world.apply(&change).await.unwrap();
    }

    async fn send(&self, request: Request) -> Value {
        self.connection.send(&request).await.unwrap()
    }
}

/// The id and inputs of the resource for a manifest, with the marker that the model gives to all of them.
fn resource(manifest: &Value) -> (String, Value) {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or("_");
    let id = format!(
        "object/{}/{}/{}/{}",
        text("/apiVersion"),
        text("/kind"),
        text("/metadata/namespace"),
        text("/metadata/name")
    );
    let mut manifest = manifest.clone();
    manifest["metadata"]["annotations"]["kubewright.io/owner"] = json!(id);
    (id, json!({"access": access_reference(), "manifest": manifest}))
}

/// Looks at everything in one go, which lists what one look at a time gets.
async fn all_at_once(real: &Real) -> Vec<String> {
    let wanted: Vec<(String, Value)> = manifests().iter().map(resource).collect();
    let request = |(name, inputs): &(String, Value)| ObserveRequest {
        id: id(name),
        desired: Some(inputs.clone()),
        recorded: Some(as_recorded(inputs.clone())),
    };
    let requests = wanted.iter().map(request).collect();
    let started = Instant::now();
    let observed = real.world.handler.observe(requests, Arc::new(real.world.memory.clone())).await;
    println!("{} objects observed in {:?}", wanted.len(), started.elapsed());
    let differs = |(name, inputs): &&(String, Value)| observed[&id(name)] != Observation::present(inputs.clone());
    wanted.iter().filter(differs).map(|(name, _)| format!("listed {name}: {:?}", observed[&id(name)])).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_objects_are_seen_as_they_are_desired() {
    let real = Real::start().await;
    let mut wrong = Vec::new();
    for manifest in manifests() {
        let (id, inputs) = resource(&manifest);
        // A definition takes a moment until its kind is served.
        let mut tries = 0;
        while let Err(error) = real.world.create(&id, &inputs).await {
            tries += 1;
            assert!(tries < 50, "{id}: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let seen = real.seen(&id, &inputs, &inputs).await;
        if seen != inputs {
            wrong.push(format!("{id}\n desired {}\n    seen {}", inputs["manifest"], seen["manifest"]));
        }
    }
    // Once more, when the controllers have done their part.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for manifest in manifests() {
        let (id, inputs) = resource(&manifest);
        real.update(&id, &inputs, &inputs).await;
        let seen = real.seen(&id, &inputs, &inputs).await;
        if seen != inputs {
            wrong.push(format!("again {id}\n desired {}\n    seen {}", inputs["manifest"], seen["manifest"]));
        }
    }
    wrong.extend(all_at_once(&real).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
