//! All credentials of three control planes through handler, vault and record: made, stored, reopened, observed.
#![allow(clippy::unwrap_used, reason = "an integration test: helpers may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use credentials::{Credentials, Vault};
use engine::{
    ActionContext, Clock, Event, EventSink, Handler as _, KnownOutputs, MemoryStore, ObserveRequest, Output,
    Randomness, SecretVault, Secrets, State,
};
use jiff::Timestamp;
use pki::leaves::Place;
use pki::{Authority, AuthorityWish, ControlPlane};
use plan::{ActionId, Change, Operation, Reason};
use resource::{Desired, Digest, Observation, Recorded, Reference, ResourceId};
use serde_json::{Value, json};
use testkit::Held;
use tokio_util::sync::CancellationToken;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::constant(1_800_000_000, 0)
    }
}

impl Randomness for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl EventSink for Fixed {
    fn emit(&self, _event: Event) {}
}

fn reference(kind: &str, name: &str, output: &str) -> Value {
    Reference::new(ResourceId::new(kind, name), output).to_value()
}

/// Wishes in an order in which they can be made.
fn desired() -> Vec<Desired> {
    let mut all = vec![
        one("key-pair", "service-account", json!({"algorithm": "ecdsa-p256"})),
        one("encryption-config", "api-server", json!({"provider": "secretbox", "resources": ["secrets"]})),
        one("ssh-key", "operator", json!({"comment": "operator"})),
    ];
    for authority in Authority::ALL {
        let wish = serde_json::to_value(AuthorityWish::new(authority)).unwrap();
        all.push(one("authority", authority.name(), wish));
    }
    for number in 1..=3u8 {
        all.extend(machine(&format!("cp-{number}"), number));
    }
    all
}

fn one(kind: &str, name: &str, inputs: Value) -> Desired {
    Desired::new(ResourceId::new(kind, name), inputs)
}

fn machine(node: &str, number: u8) -> Vec<Desired> {
    let control_plane = ControlPlane::new(node, &[[10, 0, 0, number].into()], &[[10, 96, 0, 1].into()]);
    let mut all = Vec::new();
    for leaf in control_plane.leaves() {
        let name = format!("{node}/{}", leaf.name);
        let mut inputs = serde_json::to_value(&leaf.wish).unwrap();
        inputs["authority"] = reference("authority", leaf.authority.name(), "certificate");
        inputs["authorityKey"] = reference("authority", leaf.authority.name(), "key");
        inputs["renewBeforeDays"] = json!(30);
        all.push(one("certificate", &name, inputs));
        if matches!(leaf.place, Place::Kubeconfig(_)) {
            let inputs = json!({
                "clusterName": "kubernetes",
                "userName": leaf.wish.common_name,
                "server": format!("https://10.0.0.{number}:6443"),
                "authority": reference("authority", "kubernetes", "certificate"),
                "certificate": reference("certificate", &name, "certificate"),
                "key": reference("certificate", &name, "key"),
            });
            all.push(one("kubeconfig", &name, inputs));
        }
    }
    all
}

async fn open(store: &MemoryStore, key_file: &Path) -> Arc<Vault> {
    Arc::new(Vault::open(Arc::new(store.clone()), "demo", key_file, &Fixed).await.unwrap())
}

async fn make(desired: &Desired, known: &Arc<KnownOutputs>, vault: &Vault) -> Recorded {
    let id = ActionId::new("create", &desired.id);
    let change = Change {
        id: id.clone(),
        resource: desired.id.clone(),
        operation: Operation::Create,
        reason: Reason::New,
        replaces: false,
        fields: Vec::new(),
        effects: Vec::new(),
        expect: None,
        before: None,
        after: Some(desired.inputs.clone()),
        depends_on: BTreeSet::new(),
    };
    let context = ActionContext {
        action: id,
        cluster: "demo".to_owned(),
        epoch: 1,
        token: String::new(),
        outputs: known.clone(),
        randomness: Arc::new(Fixed),
        events: Arc::new(Fixed),
        cancel: CancellationToken::new(),
        unfinished: tokio_util::task::TaskTracker::new(),
    };
    let outputs = Credentials.apply(&change, &context).await.unwrap().outputs;
    known.set(&desired.id, outputs.clone());
    let (mut public, mut secrets) = (BTreeMap::new(), Secrets::new());
    for (name, output) in outputs {
        match output {
            Output::Public(value) => drop(public.insert(name, value)),
            Output::Secret(secret) => drop(secrets.insert(name, secret)),
        }
    }
    let secrets = vault.put(&Held::default(), &desired.id, &secrets).await.unwrap();
    Recorded { outputs: public, secrets, ..desired.to_recorded(1) }
}

async fn observe(state: &State, vault: Arc<Vault>) -> BTreeMap<ResourceId, Observation> {
    let known = KnownOutputs::load(state, Arc::new(Fixed), vault).await.unwrap();
    let request = |desired: Desired| ObserveRequest {
        recorded: state.resources.get(&desired.id).cloned(),
        desired: Some(desired.inputs),
        id: desired.id,
    };
    Credentials.observe(desired().into_iter().map(request).collect(), known).await
}

#[tokio::test]
async fn everything_that_was_made_is_found_as_wished_by_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("operator.key");
    let store = MemoryStore::default();
    let vault = open(&store, &key_file).await;
    let mut state = State::empty();
    let known = KnownOutputs::load(&state, Arc::new(Fixed), vault.clone()).await.unwrap();
    for wish in desired() {
        let recorded = make(&wish, &known, &vault).await;
        state.resources.insert(wish.id, recorded);
    }
    assert_eq!(state.resources.len(), 6 + 3 * (12 + 4));
    let as_wished: BTreeMap<ResourceId, Observation> =
        desired().into_iter().map(|wish| (wish.id, Observation::present(wish.inputs))).collect();
    assert_eq!(observe(&state, open(&store, &key_file).await).await, as_wished);

    let live: BTreeMap<ResourceId, BTreeMap<String, Digest>> =
        state.resources.iter().map(|(id, recorded)| (id.clone(), recorded.secrets.clone())).collect();
    vault.compact(&Held::default(), &live).await.unwrap();
    assert_eq!(observe(&state, open(&store, &key_file).await).await, as_wished);
}

#[tokio::test]
async fn records_contain_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let store = MemoryStore::default();
    let vault = open(&store, &directory.path().join("operator.key")).await;
    let known = KnownOutputs::load(&State::empty(), Arc::new(Fixed), vault.clone()).await.unwrap();
    for wish in desired() {
        let recorded = serde_json::to_string(&make(&wish, &known, &vault).await).unwrap();
        assert!(!recorded.contains("PRIVATE KEY") && !recorded.contains("secretbox:"), "{}", wish.id);
    }
}
