//! What the present program writes: everything that has a format, with every shape that it can take.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use credentials::Vault;
use engine::journal::{self, Journal, Record, StateEffect};
use engine::{AppliedSpec, ClusterStore, Lease, LockInfo, Revision, SecretVault as _, SourceText, State, StateStore};
use plan::{ActionId, Base, Change, DriftLine, Operation, Plan, Reason, ReportLine, ReportReason};
use resource::{ChangedBy, Digest, Effect, FieldChange, Lifecycle, Loss, Recorded, ResourceId, Secret};
use serde_json::{Value, json};
use state_fs::FsStore;
use testkit::SeededRandomness;

use crate::fixture;

pub(crate) const CLUSTER: &str = "demo";
pub(crate) const SECRET: &str = "the key of a machine";
const TIME: &str = "2026-01-01T00:00:00Z";

pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().expect("an id")
}

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

fn recorded(inputs: Value) -> Recorded {
    Recorded {
        schema_version: 1,
        depends_on: BTreeSet::from([id("network/demo")]),
        inputs,
        texts: BTreeMap::new(),
        outputs: BTreeMap::from([("address".to_owned(), json!("10.88.0.10"))]),
        secrets: BTreeMap::new(),
        contained_in: Some(id("network/demo")),
        lifecycle: Lifecycle::Managed,
        tainted: false,
        attempt: None,
    }
}

pub(crate) fn lock_info() -> LockInfo {
    LockInfo {
        id: "lock".to_owned(),
        who: "somebody@host".to_owned(),
        process: 1,
        operation: "update cluster".to_owned(),
        since: TIME.to_owned(),
    }
}

fn revision() -> Revision {
    Revision {
        format: Revision::FORMAT,
        documents: vec![SourceText { name: "demo.yaml".to_owned(), text: "kind: Cluster\n".to_owned() }],
        facts: json!({"provider": {"name": "some", "format": 1, "value": {"subnet": "10.88.0.0/24"}}, "programs": {}}),
        parent: None,
        author: "somebody@host".to_owned(),
        reason: "create cluster demo".to_owned(),
        time: TIME.to_owned(),
    }
}

async fn begin(cluster: &ClusterStore, lease: &dyn Lease, run: &str, applied: Option<&AppliedSpec>) -> Journal {
    let loaded = cluster.load().await.expect("it loads").expect("it is there");
    let (journal, ..) = cluster.begin_run(lease, &loaded, run, applied).await.expect("a run begins");
    let started = Record::RunStarted {
        format: journal::FORMAT,
        run: run.to_owned(),
        plan: digest("plan"),
        epoch: 1,
        who: "somebody@host".to_owned(),
        command: "update cluster demo --yes".to_owned(),
        revision: Some(loaded.head.revision),
        kubewright: String::new(),
        time: TIME.to_owned(),
    };
    journal.append(&started).await.expect("a record is written");
    journal
}

fn started(resource: &ResourceId, provisional: Option<Recorded>) -> Record {
    let action = ActionId::new("create", resource);
    Record::ActionStarted { action, resource: resource.clone(), provisional: provisional.map(Box::new) }
}

fn succeeded(resource: &ResourceId, effect: StateEffect) -> Record {
    Record::ActionSucceeded { action: ActionId::new("create", resource), resource: resource.clone(), effect, millis: 7 }
}

/// Writes a store with a cluster on which one run has ended and another was cut off.
pub(crate) async fn store(root: &Path) {
    let store: Arc<dyn StateStore> = Arc::new(FsStore::new(root));
    let cluster = ClusterStore::new(store.clone(), CLUSTER);
    std::fs::create_dir_all(root).expect("a directory");
    let lease: Arc<dyn Lease> = store.lock(CLUSTER, lock_info()).await.expect("the lock");
    let first = cluster.put_revision(&*lease, &revision()).await.expect("a revision");
    cluster.create(&*lease, "lineage-1", first.clone()).await.expect("a head");

    let key = root.join("operator.key");
    let vault = Vault::open(store.clone(), CLUSTER, &key, &SeededRandomness::new(1)).await.expect("a vault");
    let machine = id("machine/demo/control-plane-1");
    let secrets = BTreeMap::from([("hostKey".to_owned(), Secret::new(SECRET))]);
    let made = Recorded {
        secrets: vault.put(&*lease, &machine, &secrets).await.expect("a secret"),
        ..recorded(json!({"memory": 4, "key": {"$ref": "ssh-key/operator#private"}}))
    };

    let documents = vec![json!({"kind": "Cluster"})];
    let applied = AppliedSpec { format: AppliedSpec::FORMAT, revision: first, documents };
    let journal = begin(&cluster, &*lease, "20260101T000000Z-aaaaaa", Some(&applied)).await;
    let failed = id("node/worker-1");
    let drained = id("drain/worker-2");
    for record in [
        started(&machine, Some(made.clone())),
        succeeded(&machine, StateEffect::Put(Box::new(made))),
        started(&drained, None),
        succeeded(&drained, StateEffect::None),
        started(&failed, Some(recorded(json!({})))),
        Record::ActionFailed {
            action: ActionId::new("create", &failed),
            resource: failed.clone(),
            why: "no room".to_owned(),
        },
        succeeded(&id("node/worker-2"), StateEffect::Remove),
        Record::RunFinished { succeeded: 3, failed: 1, skipped: 0, time: TIME.to_owned() },
    ] {
        journal.append(&record).await.expect("a record is written");
    }
    cluster.end_run(&*lease, "20260101T000000Z-aaaaaa").await.expect("the run ends");

    let journal = begin(&cluster, &*lease, "20260101T000100Z-bbbbbb", None).await;
    journal.append(&started(&id("config/a"), Some(recorded(json!({}))))).await.expect("a record is written");
    let plan = plan().to_text().expect("a plan is JSON");
    std::fs::write(root.join("plan.json"), plan).expect("the plan is written");
}

fn field(secret: bool) -> FieldChange {
    let path = ["files", "/etc/x.conf", "mode"].map(str::to_owned).to_vec();
    let changed_by = secret.then_some(ChangedBy::Both);
    FieldChange { path, before: Some(json!("0644")), after: None, secret, known_after_apply: secret, changed_by }
}

/// A plan with every operation, reason, effect and line of the report.
fn plan() -> Plan {
    let reasons = [
        (Operation::Create, Reason::New),
        (Operation::Update, Reason::SpecChanged),
        (Operation::Update, Reason::Drifted),
        (Operation::Update, Reason::Interrupted),
        (Operation::Delete, Reason::CannotUpdate { field: "address".to_owned() }),
        (Operation::Update, Reason::DependencyChanged { on: id("network/demo") }),
        (Operation::Delete, Reason::NoLongerWanted),
        (Operation::Forget, Reason::ContainedIn { parent: id("network/demo") }),
        (Operation::Forget, Reason::Gone),
        (Operation::Forget, Reason::Asked),
        (Operation::Adopt, Reason::FoundUnrecorded),
        (Operation::Adopt, Reason::MovedFrom { from: id("thing/old") }),
        (Operation::Forget, Reason::MovedTo { to: id("thing/new") }),
        (Operation::Run, Reason::StepOf { change: ActionId::new("delete", &id("node/a")) }),
        (Operation::Run, Reason::ServesAgain { after: ActionId::new("update", &id("machine/demo/a")) }),
    ];
    let name = |text: &str| text.to_owned();
    let effects = vec![
        Effect::Restarts { unit: name("kubelet.service"), machine: name("worker-1") },
        Effect::Reboots { machine: name("worker-1") },
        Effect::Drains { node: name("worker-1") },
        Effect::Loses { node: name("worker-1"), what: name("pod a/b"), loss: Loss::Pod { why: name("no controller") } },
        Effect::LosesData { what: name("volumes") },
    ];
    let change = |(number, (operation, reason)): (usize, (Operation, Reason))| Change {
        fields: vec![field(false), field(true)],
        effects: effects.clone(),
        expect: Some(digest("seen")),
        before: Some(json!({"mode": "0644"})),
        after: Some(json!({})),
        depends_on: BTreeSet::from([ActionId::new("create", &id("network/demo"))]),
        replaces: number == 4,
        ..Change::new(&id(&format!("thing/{number}")), operation, reason)
    };
    let lines = [
        ReportReason::Unknown { why: name("no route to host") },
        ReportReason::WaitsFor { on: id("network/demo") },
        ReportReason::QuorumAtRisk { away: id("machine-config/b") },
        ReportReason::Shared { differs: vec![field(false)] },
        ReportReason::Ignored,
        ReportReason::Orphan,
        ReportReason::Foreign,
        ReportReason::NotTargeted,
    ];
    Plan {
        changes: reasons.into_iter().enumerate().map(change).collect(),
        report: lines.into_iter().map(|reason| ReportLine { resource: id("thing/other"), reason }).collect(),
        drift: vec![DriftLine { resource: id("thing/1"), gone: false, fields: vec![field(false)] }],
        ..Plan::empty(Base { targets: BTreeSet::from([id("thing/1")]), ..Base::of_nothing(CLUSTER) })
    }
}

/// A new version of any format gets a fixture: `UPDATE=formats` writes it. Those of old are never written again.
#[tokio::test]
async fn every_version_that_is_written_has_a_fixture() {
    let written =
        [Plan::FORMAT, State::FORMAT, Revision::FORMAT, AppliedSpec::FORMAT, journal::FORMAT, engine::Head::FORMAT];
    assert!(written.iter().all(|version| *version <= fixture::NEWEST), "raise fixture::NEWEST");
    if std::env::var("UPDATE").is_ok_and(|what| what == "formats") {
        let root = tempfile::tempdir().expect("a directory");
        store(root.path()).await;
        fixture::write(fixture::NEWEST, &fixture::collect(root.path()));
    }
    assert!(fixture::read(fixture::NEWEST).len() > 8);
}
