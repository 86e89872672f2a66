//! This provider behind the port.

use std::sync::Arc;

use async_trait::async_trait;
use engine::Handler;
use ipnet::IpNet;
use model::{Infrastructure, ModelError, ProviderFacts, Resolved};
use provider::{
    DiscoverError, Discovered, ErrorKind, Finding, KnownCluster, NewCluster, PreflightRequest, Provider, ProviderError,
    RecordedById, Setup,
};
use resource::Desired;
use spec::{Effective, HostContext, ProxyMode};

use crate::kept::LocalFacts;
use crate::setup::HostSetup;
use crate::{LocalProvider, MACHINE, NAME, PreflightInput, ids, infrastructure, names, resources, subnet};

#[async_trait]
impl Provider for LocalProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn host_context(&self) -> Result<HostContext, ProviderError> {
        let routes = self.facts().await?.routes.iter().map(|route| IpNet::V4(route.net.trunc())).collect();
        Ok(HostContext { routes, is_new: true })
    }

    async fn discover(&self, cluster: &NewCluster<'_>) -> Result<Discovered, DiscoverError> {
        self.found(cluster).await
    }

    fn refresh(&self, cluster: &KnownCluster<'_>, documents: &Effective) -> Result<ProviderFacts, ProviderError> {
        Ok(self.refreshed(cluster, documents)?.facts())
    }

    fn infrastructure(&self, documents: &Effective, facts: &ProviderFacts) -> Result<Infrastructure, ProviderError> {
        infrastructure::infrastructure(documents, &LocalFacts::read(facts)?)
    }

    fn resources(&self, resolved: &Resolved) -> Result<Vec<Desired>, ModelError> {
        let facts = LocalFacts::read(&resolved.facts.provider);
        resources::resources(resolved, &facts.map_err(|error| ModelError::Facts(error.message))?)
    }

    fn handler(&self) -> Arc<dyn Handler> {
        Arc::new(self.clone())
    }

    async fn check_access(&self, cluster: &KnownCluster<'_>) -> Result<(), ProviderError> {
        self.check_home(cluster).await
    }

    async fn check_name(&self, name: &str, lineage: &str) -> Result<(), ProviderError> {
        self.check_unused(name, lineage).await
    }

    /// This comes before a plan: planning for a run takes assets, which are a quarter of an hour's work.
    async fn preflight(&self, request: &PreflightRequest<'_>) -> Vec<Finding> {
        let unmade = self.unmade(request.requests()).await;
        if unmade.is_empty() {
            return Vec::new();
        }
        let resolved = request.resolved;
        let facts = match LocalFacts::read(&resolved.facts.provider) {
            Ok(facts) => facts,
            Err(error) => return vec![Finding::new("cluster", error.message, None)],
        };
        let proxy = &resolved.cluster.spec.networking.kube_proxy;
        let input = PreflightInput {
            cluster: resolved.name().to_owned(),
            lineage: resolved.lineage.clone(),
            bridge: facts.bridge,
            subnet: facts.subnet,
            recorded: request.recorded.contains_key(&ids::network(resolved.name())),
            machines: unmade.machines,
            builds_image: request.builds_image,
            proxies_by_nftables: proxy.enabled && proxy.mode == ProxyMode::Nftables,
        };
        self.obstacles(&input).await
    }

    async fn survey(&self, builds_image: bool) -> Result<Vec<Finding>, ProviderError> {
        let free = subnet::choose(&self.facts().await?, &[]);
        let subnet = free.ok_or_else(|| ProviderError::new(ErrorKind::Failed, subnet::NONE_FREE))?;
        let name = "preflight".to_owned();
        let input = PreflightInput {
            bridge: names::bridge_name(&name),
            lineage: name.clone(),
            cluster: name,
            subnet,
            recorded: false,
            machines: 3,
            builds_image,
            proxies_by_nftables: true,
        };
        Ok(self.obstacles(&input).await)
    }

    async fn complete(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError> {
        self.with_lineage(cluster).await
    }

    async fn unrecorded(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError> {
        self.beside_the_record(cluster).await
    }

    fn setup(&self) -> Option<Box<dyn Setup>> {
        HostSetup::of_this_host().map(|setup| Box::new(setup) as Box<dyn Setup>)
    }

    fn lies_beside_state(&self, recorded: &RecordedById) -> bool {
        recorded.keys().any(|id| id.kind() == MACHINE)
    }
}
