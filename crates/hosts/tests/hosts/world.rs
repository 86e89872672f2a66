//! Everything a handler needs: machines, outputs, tokens, events; and inputs as the model writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::{
    ActionContext, ActionError, AssetFiles, AssetMissing, BootstrapToken, BootstrapTokens, Clock, Event, EventSink,
    Handler, ObserveContext, ObserveRequest, Output, Outputs, Randomness, UnresolvedReference,
};
use hosts::{AgentBinary, HostsHandler};
use jiff::Timestamp;
use plan::{ActionId, Change, Operation, Reason};
use resource::{Observation, Recorded, Reference, ResourceId, Secret};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::machines::Machines;

pub(crate) const KEY: &str = "the private key of w-1";

/// A world with the machines `w-1`, `w-2`, … made and nothing on them.
pub(crate) struct World {
    pub(crate) machines: Machines,
    pub(crate) outputs: BTreeMap<ResourceId, Outputs>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) events: Arc<Events>,
    pub(crate) cancel: CancellationToken,
}

#[derive(Default)]
pub(crate) struct Events(pub Mutex<Vec<String>>);

impl EventSink for Events {
    fn emit(&self, event: Event) {
        if let Event::ActionProgress { note, .. } = event {
            self.0.lock().unwrap().push(note);
        }
    }
}

#[derive(Default)]
pub(crate) struct Tokens {
    pub(crate) alive: Mutex<BTreeSet<String>>,
    pub(crate) minted: Mutex<Vec<String>>,
}

#[async_trait]
impl BootstrapTokens for Tokens {
    async fn mint(
        &self,
        access: &Secret,
        description: &str,
        _context: &ActionContext,
    ) -> Result<BootstrapToken, ActionError> {
        assert_eq!(access.reveal(), "access to the cluster");
        self.minted.lock().unwrap().push(description.to_owned());
        self.alive.lock().unwrap().insert("abcdef".into());
        Ok(BootstrapToken { id: "abcdef".into(), token: Secret::new("abcdef.0123456789abcdef") })
    }

    async fn request_state(&self, access: &Secret, id: &str) -> Result<String, ActionError> {
        assert_eq!(access.reveal(), "access to the cluster");
        assert!(self.alive.lock().unwrap().contains(id));
        Ok("nobody approved the request csr-1".to_owned())
    }

    async fn revoke(&self, _access: &Secret, id: &str) -> Result<(), ActionError> {
        self.alive.lock().unwrap().remove(id);
        Ok(())
    }
}

struct Context(BTreeMap<ResourceId, Outputs>);

impl ObserveContext for Context {
    fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
        let outputs = self.0.get(&reference.resource);
        outputs.and_then(|all| all.get(&reference.output)).cloned().ok_or(UnresolvedReference(reference.clone()))
    }

    fn outputs(&self, resource: &ResourceId) -> Outputs {
        self.0.get(resource).cloned().unwrap_or_default()
    }

    fn clock(&self) -> &dyn Clock {
        &Fixed
    }

    fn digest_key(&self, scope: &str) -> [u8; 32] {
        let mut key = [7; 32];
        key[..scope.len()].copy_from_slice(scope.as_bytes());
        key
    }
}

/// Archives of images that stand on this side.
struct Archives;

impl AssetFiles for Archives {
    fn path(&self, asset: &str) -> Result<PathBuf, AssetMissing> {
        match asset.split_once('@') {
            Some(("image-metrics-server", _)) => Ok("/here/images/metrics-server.tar".into()),
            _ => Err(AssetMissing(asset.to_owned())),
        }
    }

    fn sha256(&self, asset: &str) -> Result<String, AssetMissing> {
        Err(AssetMissing(asset.to_owned()))
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

impl Randomness for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn reference(resource: &str, output: &str) -> Value {
    Reference::new(id(resource), output).to_value()
}

impl World {
    pub(crate) fn new(machines: &[&str]) -> Self {
        let mut world = Self {
            machines: Machines::default(),
            outputs: BTreeMap::new(),
            tokens: Arc::default(),
            events: Arc::default(),
            cancel: CancellationToken::new(),
        };
        for (number, name) in machines.iter().enumerate() {
            world.public(&format!("machine/demo/{name}"), "address", &format!("10.0.0.{}", number + 1));
            world.public(&format!("machine/demo/{name}"), "hostKey", "ssh-ed25519 AAAA");
            world.secret(&format!("certificate/{name}/kubelet"), "key", &format!("the private key of {name}"));
        }
        world.secret("ssh-key/operator", "private", "operator's key");
        world.secret("cluster/demo", "access", "access to the cluster");
        world.public("authority/kubernetes", "certificate", "CA PEM");
        world
    }

    pub(crate) fn public(&mut self, resource: &str, output: &str, text: &str) {
        let outputs = self.outputs.entry(id(resource)).or_default();
        outputs.insert(output.to_owned(), Output::Public(json!(text)));
    }

    pub(crate) fn secret(&mut self, resource: &str, output: &str, text: &str) {
        let outputs = self.outputs.entry(id(resource)).or_default();
        outputs.insert(output.to_owned(), Output::Secret(Secret::new(text)));
    }

    pub(crate) fn handler(&self) -> HostsHandler {
        let agent = AgentBinary { path: "/here/kubewright-agent".into(), sha256: "0123456789abcdef".repeat(4) };
        HostsHandler::new(
            Arc::new(self.machines.clone()),
            Some(agent),
            Arc::new(Archives),
            Arc::clone(&self.tokens) as Arc<dyn BootstrapTokens>,
        )
    }

    fn context(&self) -> Arc<dyn ObserveContext> {
        Arc::new(Context(self.outputs.clone()))
    }

    pub(crate) async fn observe(&self, requests: Vec<ObserveRequest>) -> BTreeMap<ResourceId, Observation> {
        self.handler().observe(requests, self.context()).await
    }

    pub(crate) async fn observe_one(&self, request: ObserveRequest) -> Observation {
        let id = request.id.clone();
        self.observe(vec![request]).await.remove(&id).unwrap()
    }

    pub(crate) async fn apply(&self, change: &Change) -> Result<(), ActionError> {
        self.apply_with(change, |handler| handler).await
    }

    pub(crate) async fn apply_with(
        &self,
        change: &Change,
        with: impl FnOnce(HostsHandler) -> HostsHandler,
    ) -> Result<(), ActionError> {
        let context = ActionContext {
            action: change.id.clone(),
            cluster: "demo".into(),
            epoch: 5,
            token: String::new(),
            outputs: self.context(),
            randomness: Arc::new(Fixed),
            events: Arc::clone(&self.events) as Arc<dyn EventSink>,
            cancel: self.cancel.clone(),
            unfinished: tokio_util::task::TaskTracker::new(),
        };
        with(self.handler()).apply(change, &context).await.map(|applied| assert!(applied.outputs.is_empty()))
    }

    /// Creates `machine-config/NAME`.
    pub(crate) async fn configure(&self, name: &str) {
        self.apply(&create("machine-config", name, config(name))).await.unwrap();
        self.machines.with(name, |machine| machine.asked.clear());
    }

    /// The agent is there already, as with machines whose provider brings it.
    pub(crate) fn bring_agent(&self, name: &str) {
        self.machines
            .with(name, |machine| machine.agents.insert("/usr/local/bin/kubewright-agent-0123456789ab".into()));
    }
}

pub(crate) fn target(name: &str) -> Value {
    json!({
        "name": name,
        "address": reference(&format!("machine/demo/{name}"), "address"),
        "port": 22,
        "user": "root",
        "hostKey": reference(&format!("machine/demo/{name}"), "hostKey"),
        "privateKey": reference("ssh-key/operator", "private"),
    })
}

/// Inputs of `machine-config/NAME`.
pub(crate) fn config(name: &str) -> Value {
    json!({
        "target": target(name),
        "lineage": "lineage-1",
        "config": {
            "group": {
                "files": {
                    "/etc/issue": {"content": {"text": "I am {{nodeName}}\n"}, "mode": "0644"},
                    "/var/lib/kubelet/config.yaml":
                        {"content": {"text": "kind: KubeletConfiguration\n"}, "mode": "0644", "restarts": ["kubelet.service"]},
                },
                "units": {"containerd.service": {"enabled": true, "start": "always"}},
            },
            "machine": {
                "nodeName": name,
                "nodeIps": ["10.0.0.1"],
                "files": {
                    "/etc/kubernetes/kubelet.key":
                        {"content": {"secret": reference(&format!("certificate/{name}/kubelet"), "key")}, "mode": "0600"},
                },
            },
        },
    })
}

/// Inputs of `node-bootstrap/NAME`.
pub(crate) fn bootstrap(name: &str) -> Value {
    json!({
        "target": target(name),
        "access": reference("cluster/demo", "access"),
        "node": name,
        "clusterName": "kubernetes",
        "server": "https://10.0.0.9:6443",
        "authority": reference("authority/kubernetes", "certificate"),
        "kubeletConf": "the kubelet.conf\n",
    })
}

pub(crate) fn wanted(kind: &str, name: &str, inputs: Value) -> ObserveRequest {
    ObserveRequest { id: ResourceId::new(kind, name), desired: Some(inputs), recorded: None }
}

pub(crate) fn made(kind: &str, name: &str, inputs: Value) -> ObserveRequest {
    ObserveRequest { recorded: Some(recorded(inputs.clone())), ..wanted(kind, name, inputs) }
}

pub(crate) fn recorded(inputs: Value) -> Recorded {
    Recorded::of_inputs(1, inputs)
}

pub(crate) fn create(kind: &str, name: &str, inputs: Value) -> Change {
    let resource = ResourceId::new(kind, name);
    Change {
        id: ActionId::new("create", &resource),
        resource,
        operation: Operation::Create,
        reason: Reason::New,
        replaces: false,
        fields: Vec::new(),
        effects: Vec::new(),
        expect: None,
        before: None,
        after: Some(inputs),
        depends_on: BTreeSet::new(),
    }
}
