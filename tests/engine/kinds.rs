//! The kinds of a local cluster as the fake world knows them: real schemas, and outputs like the real ones.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use credentials::{Credentials, Passwords, RegistryLogins};
use engine::{AssetFiles, AssetMissing, Handler, Host, HostConnector, HostError, HostTarget};
use hosts::HostsHandler;
use objects::{Connections, ObjectsHandler, TokenSecrets};
use provider_local::LocalProvider;
use resource::KindSchema;
use testkit::{FakeKind, Source};

/// Kinds that the real handler of generated credentials can do without a world.
pub(crate) fn generated() -> Vec<FakeKind> {
    Credentials.schemas().into_iter().map(with_outputs).collect()
}

/// A kind of the operator's: passwords that stand in files.
fn given() -> Vec<FakeKind> {
    RegistryLogins::new(Arc::new(Nowhere)).schemas().into_iter().map(with_outputs).collect()
}

/// The provider of the examples, on no host.
pub(crate) fn local() -> LocalProvider {
    LocalProvider::new(PathBuf::from("/nowhere"), Arc::new(Nowhere))
}

/// Kinds of what is outside: machines, what is on them, what is in the cluster.
pub(crate) fn outside() -> Vec<FakeKind> {
    let nowhere = Arc::new(Nowhere);
    let connections = Arc::new(Connections::new());
    let tokens = Arc::new(TokenSecrets::new(connections.clone()));
    let schemas = [
        local().schemas(),
        HostsHandler::new(nowhere.clone(), None, nowhere, tokens).schemas(),
        ObjectsHandler::new(connections).schemas(),
    ];
    schemas.into_iter().flatten().map(with_outputs).collect()
}

/// All of them.
pub(crate) fn all() -> Vec<FakeKind> {
    generated().into_iter().chain(given()).chain(outside()).collect()
}

fn with_outputs(schema: KindSchema) -> FakeKind {
    let name = schema.kind;
    let kind = FakeKind::new(schema);
    match name {
        "authority" => kind.output("certificate", Source::Identity).secret("key", Source::Identity),
        "key-pair" | "ssh-key" => kind.output("public", Source::Identity).secret("private", Source::Identity),
        "certificate" => kind
            .output("certificate", Source::Generation)
            .secret("key", Source::Generation)
            .secret("bundle", Source::Generation),
        "kubeconfig" | "encryption-config" | "registry-logins" => kind.secret("config", Source::Content),
        "cluster-info" => kind.output("kubeconfig", Source::Content),
        "machine" => kind.output("address", Source::Input("address")).output("hostKey", Source::Input("hostKeyPublic")),
        "cluster" => kind.secret("access", Source::Content).output("kubeSystemUid", Source::Identity),
        "object" => kind.output("uid", Source::Identity),
        _ => kind,
    }
}

/// Handlers are only asked for their schemas.
struct Nowhere;

impl Passwords for Nowhere {
    fn read(&self, _file: &str) -> std::io::Result<resource::Secret> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

#[async_trait]
impl HostConnector for Nowhere {
    async fn connect(&self, target: &HostTarget, _patience: Duration) -> Result<Arc<dyn Host>, HostError> {
        Err(HostError::Unreachable { name: target.name.clone(), why: "there are no machines here".to_owned() })
    }
}

impl AssetFiles for Nowhere {
    fn path(&self, asset: &str) -> Result<PathBuf, AssetMissing> {
        Err(AssetMissing(asset.to_owned()))
    }

    fn sha256(&self, asset: &str) -> Result<String, AssetMissing> {
        Err(AssetMissing(asset.to_owned()))
    }
}
