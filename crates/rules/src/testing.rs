//! A cluster `demo` with control planes `cp-1`, … and workers `w-1`, `w-2`, and a plan for it.

use std::collections::BTreeSet;

use plan::{Base, Change, Operation, Plan, Reason, ReportLine, ReportReason};
use resource::{Effect, ResourceId};
use serde_json::{Value, json};

use crate::{Finding, Intent, RuleInput, Severity, check};

/// What is judged.
pub(crate) struct World {
    previous: Vec<Value>,
    wanted: Vec<Value>,
    control_planes: BTreeSet<String>,
    plan: Plan,
    max_destroy: Option<usize>,
    protected: BTreeSet<ResourceId>,
    recorded: BTreeSet<ResourceId>,
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn group(name: &str, role: &str, count: usize) -> Value {
    json!({"kind": "InstanceGroup", "metadata": {"name": name}, "spec": {"role": role, "count": count}})
}

impl World {
    /// A cluster with this many control planes, all of them configured; with none, they were never reached.
    pub(crate) fn made(control_planes: usize) -> Self {
        let networking = json!({"podCIDRs": ["10.244.0.0/16"], "dnsDomain": "cluster.local"});
        let cluster = json!({
            "kind": "Cluster",
            "metadata": {"name": "demo"},
            "spec": {"kubernetesVersion": "1.34.4", "networking": networking},
        });
        let documents = vec![cluster, group("cp", "ControlPlane", control_planes.max(1)), group("w", "Worker", 2)];
        Self {
            previous: documents.clone(),
            wanted: documents,
            control_planes: (1..=control_planes).map(|number| format!("cp-{number}")).collect(),
            plan: Plan::empty(Base::of_nothing("demo")),
            max_destroy: None,
            protected: BTreeSet::new(),
            recorded: BTreeSet::new(),
        }
    }

    pub(crate) fn configured(mut self, names: &[&str]) -> Self {
        self.control_planes = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(crate) fn never_run(mut self) -> Self {
        self.previous.clear();
        self
    }

    pub(crate) fn wanting_nothing(mut self) -> Self {
        self.wanted.clear();
        self
    }

    pub(crate) fn allowing(mut self, most: usize) -> Self {
        self.max_destroy = Some(most);
        self
    }

    pub(crate) fn protect(mut self, resource: &str) -> Self {
        self.protected.insert(id(resource));
        self
    }

    pub(crate) fn recorded(mut self, resource: &str) -> Self {
        self.recorded.insert(id(resource));
        self
    }

    /// A cluster that was made with this pod network.
    pub(crate) fn on_network(mut self, cni: &str) -> Self {
        for documents in [&mut self.previous, &mut self.wanted] {
            documents[0]["spec"]["networking"]["cni"] = json!(cni);
        }
        self
    }

    /// Another Cluster document, before and now.
    pub(crate) fn documents(mut self, before: &Value, after: &Value) -> Self {
        self.previous[0] = before.clone();
        self.wanted[0] = after.clone();
        self
    }

    /// Sets a field of a wanted document.
    pub(crate) fn set(mut self, document: &str, pointer: &str, value: Value) -> Self {
        let (kind, name) = document.split_once('/').unwrap();
        let found = self.wanted.iter_mut().find(|found| found["kind"] == kind && found["metadata"]["name"] == name);
        *found.unwrap().pointer_mut(pointer).unwrap() = value;
        self
    }

    pub(crate) fn create(self, resource: &str) -> Self {
        self.change(resource, Operation::Create, Reason::New)
    }

    pub(crate) fn drifted(self, resource: &str) -> Self {
        self.change(resource, Operation::Create, Reason::Drifted)
    }

    pub(crate) fn delete(self, resource: &str) -> Self {
        self.change(resource, Operation::Delete, Reason::NoLongerWanted)
    }

    pub(crate) fn forget_gone(self, resource: &str) -> Self {
        self.change(resource, Operation::Forget, Reason::Gone)
    }

    pub(crate) fn forget_as_asked(self, resource: &str) -> Self {
        self.change(resource, Operation::Forget, Reason::Asked)
    }

    pub(crate) fn contained(self, resource: &str, parent: &str) -> Self {
        self.change(resource, Operation::Forget, Reason::ContainedIn { parent: id(parent) })
    }

    /// The first half of a replace.
    pub(crate) fn replace(self, resource: &str) -> Self {
        let mut world = self.change(resource, Operation::Delete, Reason::CannotUpdate { field: "address".into() });
        world.plan.changes.last_mut().unwrap().replaces = true;
        world
    }

    pub(crate) fn update(self, resource: &str, effect: Effect) -> Self {
        let mut world = self.change(resource, Operation::Update, Reason::SpecChanged);
        world.plan.changes.last_mut().unwrap().effects.push(effect);
        world
    }

    /// A drain that was looked at.
    pub(crate) fn drain(self, node: &str, effects: Vec<Effect>, inputs: Value) -> Self {
        let reason = Reason::StepOf { change: plan::ActionId::new("delete", &ResourceId::new("node", node)) };
        let mut world = self.change(&format!("drain/{node}"), Operation::Run, reason);
        if let Some(drain) = world.plan.changes.last_mut() {
            drain.effects = effects;
            drain.after = Some(inputs);
        }
        world
    }

    pub(crate) fn unknown(mut self, resource: &str) -> Self {
        let reason = ReportReason::Unknown { why: "no answer".into() };
        self.plan.report.push(ReportLine { resource: id(resource), reason });
        self
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        check(&RuleInput {
            intent: Intent {
                cluster: "demo",
                previous: &self.previous,
                wanted: &self.wanted,
                control_planes: &self.control_planes,
            },
            plan: &self.plan,
            max_destroy: self.max_destroy,
            protected: &self.protected,
            recorded: &self.recorded,
        })
    }

    pub(crate) fn refusals(&self) -> Vec<String> {
        self.named(Severity::Refuse)
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.named(Severity::Warn)
    }

    fn named(&self, severity: Severity) -> Vec<String> {
        self.findings().into_iter().filter(|found| found.severity == severity).map(|found| found.rule).collect()
    }

    fn change(mut self, resource: &str, operation: Operation, reason: Reason) -> Self {
        self.plan.changes.push(Change::new(&id(resource), operation, reason));
        self
    }
}
