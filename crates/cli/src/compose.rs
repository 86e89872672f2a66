//! Puts handlers together.

use std::collections::BTreeSet;
use std::sync::Arc;

use credentials::{Credentials, RegistryLogins};
use engine::Handlers;
use hosts::{AgentBinary, HostsHandler};
use objects::{Connections, ObjectsHandler, TokenSecrets};
use ssh::SshConnector;

use crate::app::App;
use crate::passwords::PasswordFiles;
use crate::providers;

/// Everything that can be asked beside the handlers' common face.
pub(crate) struct Composition {
    /// All handlers, by kind.
    pub(crate) handlers: Handlers,
    /// Machines as hosts.
    pub(crate) hosts: Arc<HostsHandler>,
    /// Connections to the clusters' APIs.
    pub(crate) connections: Arc<Connections>,
}

/// How machines are looked at and treated, beyond what is usual.
#[derive(Debug, Clone, Default)]
pub(crate) struct AgentOptions {
    /// Hash large files again.
    pub(crate) deep: bool,
    /// Machines on which a member of etcd may be born again.
    pub(crate) forget_etcd_data: BTreeSet<String>,
}

/// All handlers, putting `agent` on machines; without it, what needs an agent is an error.
pub(crate) fn compose(app: &App, agent: Option<AgentBinary>, agent_options: &AgentOptions) -> Composition {
    let connections = Arc::new(Connections::new());
    let tokens = Arc::new(TokenSecrets::new(connections.clone()));
    let hosts = HostsHandler::new(Arc::new(SshConnector::new()), agent, app.cache.clone(), tokens);
    let hosts = Arc::new(hosts.deep(agent_options.deep).forget_etcd_data(agent_options.forget_etcd_data.clone()));
    let providers = providers::all(app).into_iter().map(|provider| provider.handler());
    let handlers = providers
        .fold(Handlers::default(), Handlers::with)
        .with(Arc::new(Credentials))
        .with(Arc::new(RegistryLogins::new(Arc::new(PasswordFiles))))
        .with(hosts.clone())
        .with(Arc::new(ObjectsHandler::new(connections.clone())));
    Composition { handlers, hosts, connections }
}
