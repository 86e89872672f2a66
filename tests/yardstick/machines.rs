//! The machines: wanted as kubewright wants them, made and removed by the local provider.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use catalog::names;
use credentials::Credentials;
use model::{Facts, Resolved};
use provider_local::{LocalFacts, LocalProvider, subnet};
use resource::{Desired, ResourceId};
use spec::{HostContext, LoadBalancer, NewCluster, Source};
use testkit::{FakeWorld, Site};

/// What stands before anything of Kubernetes is on a machine.
const KINDS: [&str; 3] = ["network", "machine", "ssh-key"];

/// What is wanted, by id.
pub(crate) type Wanted = BTreeMap<ResourceId, Desired>;

/// Everything that `create cluster` would make of the same numbers of machines.
pub(crate) async fn wanted(
    provider: &LocalProvider,
    cluster: &str,
    [control_planes, workers]: [u32; 2],
) -> (Resolved, Wanted) {
    let new = NewCluster { control_planes, workers, ..NewCluster::new(cluster) };
    let text = spec::generate(&new).expect("documents");
    let loaded = spec::load(&[Source::new("new.yaml", &text)], &HostContext::default());
    let mut effective = loaded.effective.unwrap_or_else(|| panic!("not valid: {:?}", loaded.diagnostics));
    // kubeadm brings no load balancer: everybody talks to the first control plane.
    effective.cluster.spec.api.load_balancer = LoadBalancer::None;
    let facts = provider.facts().await.expect("facts of this host");
    let subnet = subnet::choose(&facts, &[]).expect("a free subnet");
    let names: Vec<String> = effective.groups.iter().flat_map(model::resolved::machine_names).collect();
    let local = LocalFacts::new(provider_local::names::bridge_name(cluster), subnet);
    let local = local.with_machines(names.iter().map(String::as_str)).expect("room in the subnet");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let digest = |package| sources::digest(&workspace, package).expect("sources of this workspace");
    let facts = Facts {
        provider: local.facts(),
        programs: BTreeMap::from([(names::AGENT.to_owned(), digest("agent")), ("pause".to_owned(), digest("pause"))]),
        edition: catalog::Edition::NEWEST,
        templates: BTreeMap::new(),
    };
    let resolved = provider::resolve(provider, "lineage", effective, facts).expect("a resolved cluster");
    let desired = provider::build(provider, &resolved).expect("resources");
    (resolved, desired)
}

/// The local provider beside what makes keys, on this host.
pub(crate) async fn site(local: LocalProvider) -> Site {
    Site::new(|life| FakeWorld::new([], life), vec![Arc::new(Credentials), Arc::new(local)]).await.expect("a site")
}

/// Boots all of them at once; whether all are up.
pub(crate) async fn boot(site: &Site, desired: &Wanted) -> bool {
    let wanted = desired.iter().filter(|(id, _)| KINDS.contains(&id.kind()));
    let wanted = wanted.map(|(id, desired)| (id.clone(), desired.clone())).collect();
    let (_, summary) = site.apply(&wanted).await.expect("a run");
    if !summary.is_complete() {
        eprintln!("{:?}", summary.failed);
    }
    summary.is_complete()
}

/// Removes everything that was made.
pub(crate) async fn take_away(site: &Site) {
    let (_, summary) = site.apply(&Wanted::new()).await.expect("a run");
    assert!(summary.is_complete(), "not everything could be removed: {:?}", summary.failed);
}
