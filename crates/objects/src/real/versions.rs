//! An object whose version is raised in the manifest, on a real API server.

use std::collections::BTreeMap;

use engine::{Handler as _, ObserveRequest};
use plan::{Base, Input, Operation, Plan, make_plan};
use resource::{Desired, Recorded, ResourceId};
use serde_json::{Value, json};

use super::{Real, resource};
use crate::handler::as_recorded;
use crate::request::Request;
use crate::world::id;

const PATH: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web";

/// A scaler at 50 % of its processors, as a version of its group writes that.
fn scaler(version: &str) -> (ResourceId, Value) {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let mut manifest = json!({
        "apiVersion": format!("autoscaling/{version}"),
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": target},
    });
    if version == "v1" {
        manifest["spec"]["targetCPUUtilizationPercentage"] = json!(50);
    } else {
        let processors = json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}});
        manifest["spec"]["metrics"] = json!([{"type": "Resource", "resource": processors}]);
    }
    let (name, _) = resource(&manifest);
    manifest["metadata"]["annotations"] = json!({"kubewright.io/owner": name});
    (id(&name), resource(&manifest).1)
}

/// What would be done to get from what is recorded to one version.
async fn plan(real: &Real, recorded: &BTreeMap<ResourceId, Recorded>, wanted: &(ResourceId, Value)) -> Plan {
    let desired = BTreeMap::from([(wanted.0.clone(), Desired::new(wanted.0.clone(), wanted.1.clone()))]);
    let all = desired.keys().chain(recorded.keys().filter(|id| !desired.contains_key(*id)));
    let requests = all.map(|id| ObserveRequest {
        id: id.clone(),
        desired: desired.get(id).map(|desired| desired.inputs.clone()),
        recorded: recorded.get(id).cloned(),
    });
    let handler = &real.world.handler;
    let observed = handler.observe(requests.collect(), std::sync::Arc::new(real.world.memory.clone())).await;
    let schemas = handler.schemas().into_iter().map(|schema| (schema.kind.to_owned(), schema)).collect();
    let expanders = BTreeMap::new();
    let base = Base::of_nothing("demo");
    let input =
        Input { base, desired: &desired, recorded, observed: &observed, schemas: &schemas, expanders: &expanders };
    make_plan(input).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real kube-apiserver and etcd"]
async fn real_objects_live_on_when_their_version_is_raised() {
    let real = Real::start().await;
    let (first, second) = (scaler("v1"), scaler("v2"));
    real.world.create(first.0.as_str(), &first.1).await.unwrap();
    let uid = |live: Value| live.pointer("/metadata/uid").cloned();
    let born = uid(real.send(Request::get(PATH)).await);

    let mut recorded = BTreeMap::from([(first.0.clone(), as_recorded(first.1))]);
    let raised = plan(&real, &recorded, &second).await;
    let ids: Vec<&str> = raised.changes.iter().map(|change| change.id.as_str()).collect();
    assert_eq!(ids, [format!("create {}", second.0), format!("forget {}", first.0)]);
    for change in raised.changes.iter().filter(|change| change.operation != Operation::Forget) {
        real.world.apply(change).await.unwrap();
    }
    recorded.clear();
    recorded.insert(second.0.clone(), as_recorded(second.1.clone()));

    assert_eq!(uid(real.send(Request::get(PATH)).await), born, "it is another object now");
    let settled = plan(&real, &recorded, &second).await;
    assert!(settled.is_empty() && settled.report.is_empty() && settled.drift.is_empty(), "{settled:?}");
}
