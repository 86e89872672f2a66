//! Makes the cluster on fakes, keeps it as a state store does, and lets the documents and the world move on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use engine::{AppliedSpec, ClusterStore, Handler as _, KnownOutputs, Loaded, ObserveRequest, Revision, SourceText};
use resource::{Desired, Observation, ResourceId};
use serde_json::json;
use state_fs::FsStore;
use testkit::conformance::lock_info;
use testkit::{FakeWorld, Site};

use crate::kinds;
use crate::steps::{self, CLUSTER};

/// Groups of workers; one more group is the control plane.
const WORKER_GROUPS: u32 = 19;
/// Machines in all.
const MACHINES: u32 = 1000;
const CONTROL_PLANES: u32 = 3;

/// Writes everything that a plan is made from into `directory`.
pub(crate) async fn write(directory: &Path) {
    let texts = texts("");
    let resolved = steps::resolve(steps::effective(&texts), steps::facts());
    let desired = steps::desired(&resolved);
    let site = Site::new(|life| FakeWorld::new(kinds::all(), life), Vec::new()).await.expect("a site");
    let (_, summary) = site.apply(&desired).await.expect("the fakes are made");
    assert!(summary.is_complete(), "{:?}", summary.failed);

    let made = site.load().await.expect("the made cluster");
    let facts = serde_json::to_value(&resolved.facts).expect("the facts are JSON");
    keep(directory, &made, texts, facts, steps::with_defaults(&resolved)).await;
    let observed = observe(&site, &made, &desired).await;
    let bytes = serde_json::to_vec(&observed).expect("observations are JSON");
    std::fs::write(steps::observed(directory), bytes).expect("observations are written");
    let documents = steps::documents(directory);
    std::fs::create_dir_all(&documents).expect("a directory");
    // What the user has changed since: a setting of kubelet in one group.
    for (name, text) in self::texts("  kubelet:\n    config:\n      maxPods: 77\n") {
        std::fs::write(documents.join(name), text).expect("a document is written");
    }
    println!("{} machines, {} resources", resolved.machines.len(), desired.len());
}

/// The documents, one file per group; `edit` is more of one group's spec.
fn texts(edit: &str) -> Vec<(String, String)> {
    let head = |kind: &str| format!("apiVersion: kubewright.io/v1alpha1\nkind: {kind}\nmetadata:\n");
    let cluster = format!(
        "{}  name: {CLUSTER}\nspec:\n  kubernetesVersion: 1.36.3\n  provider: local\n  api:\n    loadBalancer: \
         nodeLocal\n  networking:\n    podCIDRs: [10.192.0.0/13]\n",
        head("Cluster")
    );
    let group = |name: &str, role: &str, count: u32, more: &str| {
        let text = format!(
            "{}  name: {name}\n  cluster: {CLUSTER}\nspec:\n  role: {role}\n  count: {count}\n",
            head("InstanceGroup")
        );
        (format!("{name}.yaml"), text + more)
    };
    let mut texts =
        vec![("cluster.yaml".to_owned(), cluster), group("control-plane", "ControlPlane", CONTROL_PLANES, "")];
    let workers = MACHINES - CONTROL_PLANES;
    for number in 0..WORKER_GROUPS {
        let count = workers / WORKER_GROUPS + u32::from(number < workers % WORKER_GROUPS);
        let labels = format!("  labels:\n    example.org/pool: pool-{number}\n");
        let more = if number == 7 { labels + edit } else { labels };
        texts.push(group(&format!("pool-{number:02}"), "Worker", count, &more));
    }
    texts
}

async fn keep(
    directory: &Path,
    made: &Loaded,
    texts: Vec<(String, String)>,
    facts: serde_json::Value,
    wanted: Vec<serde_json::Value>,
) {
    let store = ClusterStore::new(Arc::new(FsStore::new(steps::state(directory))), CLUSTER);
    let lease = store.store().lock(CLUSTER, lock_info("setup")).await.expect("the lock");
    let revision = Revision {
        documents: texts.into_iter().map(|(name, text)| SourceText { name, text }).collect(),
        facts,
        ..made.revision.clone()
    };
    let digest = store.put_revision(&*lease, &revision).await.expect("a revision");
    store.create(&*lease, "lineage", digest.clone()).await.expect("a cluster");
    let empty = store.load().await.expect("the store").expect("the cluster");
    let applied = AppliedSpec { format: AppliedSpec::FORMAT, revision: digest, documents: wanted };
    let full = Loaded { state: made.state.clone(), ..empty };
    store.begin_run(&*lease, &full, "made", Some(&applied)).await.expect("a run");
    store.end_run(&*lease, "made").await.expect("a checkpoint");
}

/// Everything as it is, but for files that somebody changed on ten machines.
async fn observe(
    site: &Site,
    made: &Loaded,
    desired: &BTreeMap<ResourceId, Desired>,
) -> BTreeMap<ResourceId, Observation> {
    let outputs = KnownOutputs::load(&made.state, Arc::new(site.clock.clone()), Arc::new(site.vault.clone())).await;
    let request = |(id, wanted): (&ResourceId, &Desired)| ObserveRequest {
        id: id.clone(),
        desired: Some(wanted.inputs.clone()),
        recorded: made.state.resources.get(id).cloned(),
    };
    let outputs = outputs.expect("outputs");
    let mut observed = site.world.observe(desired.iter().map(request).collect(), outputs).await;
    let configs = observed.iter_mut().filter(|(id, _)| id.kind() == "machine-config").step_by(100);
    for (_, observation) in configs {
        let Observation::Present { attributes, .. } = observation else { panic!("a machine is not there") };
        let content = attributes.pointer_mut("/config/group/files/~1etc~1crictl.yaml/content").expect("a file");
        *content = json!({"text": format!("sha256:{}", "0".repeat(64))});
    }
    observed
}
