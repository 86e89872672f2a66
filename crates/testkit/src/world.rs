//! Everything outside the program: things of arbitrary kinds that stay, change, depend on each other and go away.

mod effect;
mod observe;
mod thing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use engine::{ActionContext, ActionError, Applied, Handler, ObserveContext, ObserveRequest};
use plan::{Change, Expander};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use resource::{Desired, Digest, KindSchema, Observation, ResourceId};
use serde_json::Value;
use tokio::time::Instant;

use crate::fault::Faults;
use crate::{At, FakeKind, Fault, Life};
use thing::Thing;

/// A world of things. Copies are the same world.
#[derive(Clone)]
pub struct FakeWorld {
    kinds: Arc<BTreeMap<String, FakeKind>>,
    expanders: Vec<(&'static str, Expander)>,
    life: Life,
    inner: Arc<Mutex<World>>,
}

/// What there is, and how often each thing was made, changed and removed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// What each thing is like, references resolved.
    pub things: BTreeMap<ResourceId, Arc<Value>>,
    /// How often each thing came to be.
    pub made: BTreeMap<ResourceId, usize>,
    /// How often each thing became another; doing what is done already does not count.
    pub changed: BTreeMap<ResourceId, usize>,
    /// How often each thing was removed, alone or with what contained it.
    pub removed: BTreeMap<ResourceId, usize>,
}

/// What is known of how things hang together, which handlers are not told.
#[derive(Clone, Default)]
struct Wires {
    depends_on: BTreeSet<ResourceId>,
    contained_in: Option<ResourceId>,
}

/// What observers still see of a thing that has changed.
#[derive(Clone)]
struct Lag {
    until: Instant,
    seen: Option<Arc<Value>>,
}

#[derive(Clone)]
struct World {
    things: BTreeMap<ResourceId, Thing>,
    history: Snapshot,
    wires: BTreeMap<ResourceId, Wires>,
    /// What was last told to an observer, and the thing's revision then.
    told: BTreeMap<ResourceId, (Digest, u64)>,
    hidden: BTreeMap<String, String>,
    lagging: BTreeMap<ResourceId, Lag>,
    settles_after: Duration,
    latency: Duration,
    works_on: Duration,
    random: StdRng,
    faults: Faults,
    revision: u64,
    /// Tokens under which something was made.
    spent: BTreeSet<String>,
}

impl FakeWorld {
    /// An empty world of these kinds, in which the process that `life` is of acts.
    pub fn new(kinds: impl IntoIterator<Item = FakeKind>, life: Life) -> Self {
        let world = World {
            things: BTreeMap::new(),
            history: Snapshot::default(),
            wires: BTreeMap::new(),
            told: BTreeMap::new(),
            hidden: BTreeMap::new(),
            lagging: BTreeMap::new(),
            settles_after: Duration::ZERO,
            latency: Duration::ZERO,
            works_on: Duration::ZERO,
            random: StdRng::seed_from_u64(0),
            faults: Faults::default(),
            revision: 0,
            spent: BTreeSet::new(),
        };
        Self { kinds: Arc::new(by_name(kinds)), expanders: Vec::new(), life, inner: Arc::new(Mutex::new(world)) }
    }

    /// The same with changes of `kind` expanded into steps.
    #[must_use]
    pub fn expanding(mut self, kind: &'static str, expander: Expander) -> Self {
        self.expanders.push((kind, expander));
        self
    }

    /// The same things in a world that goes its own way: no faults are to come, and calls are counted from the beginning.
    #[must_use]
    pub fn fork(&self, life: Life) -> Self {
        let mut world = self.lock().clone();
        world.faults = Faults::default();
        Self { kinds: self.kinds.clone(), expanders: self.expanders.clone(), life, inner: Arc::new(Mutex::new(world)) }
    }

    /// The same things as a program of another version knows them, whose kinds upgrade what earlier ones recorded.
    #[must_use]
    pub fn known_as(&self, kinds: impl IntoIterator<Item = FakeKind>) -> Self {
        let kinds = by_name(kinds);
        for (id, thing) in &mut self.lock().things {
            let versions = self.kinds.get(id.kind()).zip(kinds.get(id.kind()));
            if let Some((before, now)) = versions.filter(|(before, now)| before.schema.version < now.schema.version) {
                let attributes = (now.schema.upgrade)(before.schema.version, Value::clone(&thing.attributes));
                thing.attributes = Arc::new(attributes);
            }
        }
        Self { kinds: Arc::new(kinds), ..self.clone() }
    }

    /// Tells the world how things hang together: it takes children away with their parents, and says so when something
    /// is made before what it depends on or deleted while something depends on it.
    pub fn learn(&self, desired: &BTreeMap<ResourceId, Desired>) {
        let mut world = self.lock();
        for (id, resource) in desired {
            let wires = Wires { depends_on: resource.dependencies(), contained_in: resource.contained_in.clone() };
            world.wires.insert(id.clone(), wires);
        }
    }

    /// Lets something go wrong.
    pub fn inject(&self, at: At, fault: Fault) {
        self.lock().faults.add(at, fault);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// How many changes it was asked for so far.
    pub fn calls(&self) -> usize {
        self.lock().faults.calls()
    }

    /// Lets every change take up to `most`; how long each does follows from `seed`.
    pub fn slow_down(&self, most: Duration, seed: u64) {
        let mut world = self.lock();
        (world.latency, world.random) = (most, StdRng::seed_from_u64(seed));
    }

    /// Leaves something running for this long after every change, also where nobody waits for the change any more.
    pub fn work_on_for(&self, time: Duration) {
        self.lock().works_on = time;
    }

    /// Lets observers see the past for this long after every change.
    pub fn settle_after(&self, delay: Duration) {
        self.lock().settles_after = delay;
    }

    /// Hides a thing, or all things of a kind, from observers.
    pub fn hide(&self, id_or_kind: &str, why: &str) {
        self.lock().hidden.insert(id_or_kind.to_owned(), why.to_owned());
    }

    /// Hides nothing any more.
    pub fn reveal(&self) {
        self.lock().hidden.clear();
    }

    /// Somebody else changes a thing: the field at `pointer` (RFC 6901) becomes `value`. Gives back whether it could.
    pub fn tamper(&self, id: &ResourceId, pointer: &str, value: Value) -> bool {
        let mut world = self.lock();
        let revision = world.next_revision();
        let Some(thing) = world.things.get_mut(id) else { return false };
        let mut attributes = Value::clone(&thing.attributes);
        let Some(field) = attributes.pointer_mut(pointer) else { return false };
        *field = value;
        *thing = Thing { attributes: Arc::new(attributes), revision, changed_by: None, ..thing.clone() };
        true
    }

    /// Somebody else gives a thing another identity, as an address that is not kept over a restart. Gives back whether it is there.
    pub fn rename(&self, id: &ResourceId) -> bool {
        let mut world = self.lock();
        let revision = world.next_revision();
        let Some(thing) = world.things.get_mut(id) else { return false };
        *thing = Thing { birth: thing.birth + 1, revision, changed_by: None, ..thing.clone() };
        true
    }

    /// Somebody else removes a thing with everything in it.
    pub fn take_away(&self, id: &ResourceId) {
        self.lock().remove(id);
    }

    /// What there is.
    pub fn snapshot(&self) -> Snapshot {
        let world = self.lock();
        let things = world.things.iter().map(|(id, thing)| (id.clone(), thing.attributes.clone())).collect();
        Snapshot { things, ..world.history.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latency(&self) -> Duration {
        let mut world = self.lock();
        let most = world.latency;
        if most.is_zero() { most } else { world.random.random_range(Duration::ZERO..=most) }
    }
}

#[async_trait]
impl Handler for FakeWorld {
    fn schemas(&self) -> Vec<KindSchema> {
        self.kinds.values().map(|kind| kind.schema.clone()).collect()
    }

    fn expanders(&self) -> Vec<(&'static str, Expander)> {
        self.expanders.clone()
    }

    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        let mut world = self.lock();
        let look = |request: ObserveRequest| {
            let observation = if self.life.is_over() {
                Observation::unknown("the process is dead")
            } else {
                world.observe(self.kinds.get(request.id.kind()), &request, context.as_ref())
            };
            (request.id, observation)
        };
        requests.into_iter().map(look).collect()
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        self.life.check()?;
        let fault = self.lock().faults.next(&change.id);
        let works_on = self.lock().works_on;
        if !works_on.is_zero() {
            let held = context.unfinished.token();
            tokio::spawn(async move {
                tokio::time::sleep(works_on).await;
                drop(held);
            });
        }
        let latency = self.latency();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        self.life.check()?;
        if let Some(fault) = fault.filter(|fault| fault.is_before()) {
            return Err(self.strike(fault));
        }
        let kind = self.kinds.get(change.resource.kind()).ok_or_else(|| unknown_kind(&change.resource))?;
        // Also where what is done does not show yet.
        let applied = self.lock().apply(kind, &self.kinds, change, context);
        match fault {
            Some(fault) => Err(self.strike(fault)),
            None => applied,
        }
    }
}

impl FakeWorld {
    fn strike(&self, fault: Fault) -> ActionError {
        if fault.is_deadly() {
            self.life.end();
        }
        fault.error()
    }
}

impl World {
    fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }
}

fn by_name(kinds: impl IntoIterator<Item = FakeKind>) -> BTreeMap<String, FakeKind> {
    kinds.into_iter().map(|kind| (kind.schema.kind.to_owned(), kind)).collect()
}

fn unknown_kind(id: &ResourceId) -> ActionError {
    ActionError::permanent(format!("the fake world knows no kind `{}`", id.kind()))
}

#[cfg(test)]
mod tests;
