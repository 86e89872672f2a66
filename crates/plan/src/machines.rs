//! The machines of a cluster: what is a part of which, which are members of the quorum, and how many may be away at once.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Desired, KindSchema, MEMBER_SERVES, Observation, Place, Recorded, ResourceId};
use serde_json::Value;

/// The machines of a cluster, by what is wanted and recorded of them. Which are members of its quorum is for their kinds'
/// schemas to say (see [`KindSchema::is_member`]).
#[derive(Debug, Default)]
pub struct Machines {
    /// The members, recorded or wanted, with what they run on: each member is told of all of them when it is made.
    members: BTreeMap<ResourceId, BTreeSet<Powered>>,
    /// Whether a member was ever made.
    is_made: bool,
    /// What is wanted as a member, with its inputs.
    wanted: BTreeMap<ResourceId, Value>,
    /// The member that runs on what has power, recorded or wanted.
    by_machine: BTreeMap<ResourceId, ResourceId>,
    /// Where each wanted resource is a part of a machine.
    places: BTreeMap<ResourceId, Place>,
    /// What is wanted and has power: the machines themselves.
    powered: BTreeSet<ResourceId>,
    /// How the members were seen.
    quorum: Quorum,
}

/// How members of the quorum were seen.
#[derive(Debug, Default)]
struct Quorum {
    /// They are gone or off, or don't serve: not now, or not yet.
    away: BTreeSet<ResourceId>,
    /// They could not be looked at.
    unseen: BTreeSet<ResourceId>,
    /// Whether one says that it serves, which it does only with a quorum.
    is_alive: bool,
}

/// What tells a machine from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key<'a> {
    /// All members of a quorum that is lost: they are changed at once.
    LostQuorum,
    /// The name that its parts have in common.
    Machine(&'a str),
    /// The member that runs on it, or a resource that is a part of nothing.
    Resource(&'a ResourceId),
}

/// What has power, and the field that says so.
type Powered = (ResourceId, &'static str);

/// Whether a member says that it serves.
fn says_it_serves(seen: &Observation) -> bool {
    seen.output(MEMBER_SERVES) == Some(&Value::Bool(true))
}

impl Machines {
    /// Those that are recorded or wanted.
    pub fn of(
        recorded: &BTreeMap<ResourceId, Recorded>,
        desired: &BTreeMap<ResourceId, Desired>,
        schemas: &BTreeMap<String, KindSchema>,
    ) -> Self {
        let is_member =
            |id: &ResourceId, inputs: &Value| schemas.get(id.kind()).is_some_and(|schema| (schema.is_member)(inputs));
        // What it is inside of is its machine. Members name each other's machines, too, where these choose their addresses.
        let powered = |inside: Option<&ResourceId>, needs: BTreeSet<ResourceId>| -> BTreeSet<Powered> {
            let power = |id: &ResourceId| schemas.get(id.kind())?.power;
            let own = inside.filter(|id| power(id).is_some()).map(|id| BTreeSet::from([id.clone()]));
            let needs = own.unwrap_or(needs).into_iter();
            needs.filter_map(|id| power(&id).map(|field| (id, field))).collect()
        };
        let mut machines = Self::default();
        for (id, resource) in recorded.iter().filter(|(id, resource)| is_member(id, &resource.inputs)) {
            let below = powered(resource.contained_in.as_ref(), resource.depends_on.iter().cloned().collect());
            machines.by_machine.extend(below.iter().map(|(machine, _)| (machine.clone(), id.clone())));
            machines.members.insert(id.clone(), below);
            machines.is_made = true;
        }
        for (id, resource) in desired.iter().filter(|(id, resource)| is_member(id, &resource.inputs)) {
            let below = powered(resource.contained_in.as_ref(), resource.dependencies());
            machines.by_machine.extend(below.iter().map(|(machine, _)| (machine.clone(), id.clone())));
            machines.members.entry(id.clone()).or_insert(below);
            machines.wanted.insert(id.clone(), resource.inputs.clone());
        }
        for (id, resource) in desired {
            let Some(place) = &resource.place else { continue };
            let ready = place.ready.as_ref().map(|ready| ready.resource.clone());
            machines.places.extend(ready.into_iter().chain([id.clone()]).map(|id| (id, place.clone())));
            if schemas.get(id.kind()).is_some_and(|schema| schema.power.is_some()) {
                machines.powered.insert(id.clone());
            }
        }
        machines
    }

    /// The same as they were seen.
    #[must_use]
    pub fn as_seen(mut self, observed: &BTreeMap<ResourceId, Observation>) -> Self {
        let is_away = |(id, machines): &(&ResourceId, &BTreeSet<Powered>)| {
            let is_off = |(machine, field): &Powered| match observed.get(machine) {
                Some(Observation::Absent) => true,
                Some(Observation::Present { attributes, .. }) => attributes.get(field) == Some(&Value::Bool(false)),
                _ => false,
            };
            // Where nothing is said of it, the member was not made yet, or what it was made of is gone.
            let is_idle = match observed.get(*id) {
                Some(Observation::Absent) => true,
                Some(seen @ Observation::Present { .. }) => !says_it_serves(seen),
                _ => false,
            };
            is_idle || machines.iter().any(is_off)
        };
        let is_unobserved = |id: &&ResourceId| matches!(observed.get(*id), None | Some(Observation::Unknown { .. }));
        let away: BTreeSet<ResourceId> = self.members.iter().filter(is_away).map(|(id, _)| id.clone()).collect();
        let unseen = self.members.keys().filter(|id| !away.contains(*id)).filter(is_unobserved).cloned().collect();
        let is_alive = self.members.keys().filter_map(|id| observed.get(id)).any(says_it_serves);
        self.quorum = Quorum { away, unseen, is_alive };
        self
    }

    /// Whether so many members were seen not to serve that the others are no quorum.
    ///
    /// Only what was seen counts: one that could not be looked at may serve, so that whoever is kept from looking takes
    /// nothing away from a cluster that works. One that serves says by that that there is a quorum, whatever others said.
    pub(crate) fn lost_their_quorum(&self) -> bool {
        self.is_made && !self.quorum.is_alive && self.members.len() - self.quorum.away.len() < self.majority()
    }

    /// Why a member cannot be taken away too: another one that is away or was not seen, with which the rest would be no quorum.
    /// `returns`: the plan brings it back before. One that is away itself has nothing to lose.
    pub(crate) fn keeps(&self, member: &ResourceId, returns: impl Fn(&ResourceId) -> bool) -> Option<&ResourceId> {
        if !self.is_made || self.is_away(member) {
            return None;
        }
        let others = self.quorum.away.iter().chain(&self.quorum.unseen);
        let others: Vec<&ResourceId> = others.filter(|other| *other != member && !returns(other)).collect();
        let left = self.members.len().saturating_sub(others.len() + 1);
        others.first().copied().filter(|_| left < self.majority())
    }

    /// Whether a member was seen not to serve.
    pub(crate) fn is_away(&self, member: &ResourceId) -> bool {
        self.quorum.away.contains(member)
    }

    fn majority(&self) -> usize {
        self.members.len() / 2 + 1
    }

    /// Whether none is wanted: the cluster goes.
    pub(crate) fn none_is_wanted(&self) -> bool {
        self.wanted.is_empty()
    }

    /// The member that a resource is, or that runs on it.
    pub(crate) fn of_resource<'a>(&'a self, id: &'a ResourceId) -> Option<&'a ResourceId> {
        if self.members.contains_key(id) { Some(id) } else { self.by_machine.get(id) }
    }

    /// What tells the machine that a resource is a part of from others.
    pub(crate) fn key<'a>(&'a self, id: &'a ResourceId) -> Key<'a> {
        match self.places.get(id) {
            Some(place) => Key::Machine(&place.machine),
            None => Key::Resource(self.of_resource(id).unwrap_or(id)),
        }
    }

    /// Whether a resource is a machine, and not only a part of one.
    pub(crate) fn is_machine(&self, id: &ResourceId) -> bool {
        self.powered.contains(id) || self.of_resource(id).is_some()
    }

    /// What the machine of a resource counts against while it is away; nothing where it is away alone.
    pub(crate) fn budgets(&self, id: &ResourceId) -> Option<&BTreeMap<String, u32>> {
        let is_member = self.of_resource(id).is_some();
        self.places.get(id).map(|place| &place.budgets).filter(|budgets| !is_member && !budgets.is_empty())
    }

    /// The zone of the machine of a resource.
    pub(crate) fn zone(&self, id: &ResourceId) -> Option<&str> {
        self.places.get(id)?.zone.as_deref()
    }

    /// What is run to wait until the machine of a resource is ready again, with its inputs.
    pub(crate) fn ready(&self, id: &ResourceId) -> Option<(&ResourceId, &Value)> {
        let member = || self.wanted.get_key_value(self.of_resource(id)?);
        let ready = self.places.get(id).and_then(|place| place.ready.as_ref());
        ready.map(|ready| (&ready.resource, &ready.inputs)).or_else(member)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    fn three() -> Machines {
        let config = KindSchema { is_member: |inputs| inputs["etcd"] == true, ..KindSchema::plain("config") };
        let schemas = [config, KindSchema::plain("machine").power("running"), KindSchema::plain("network")];
        let schemas = schemas.map(|schema| (schema.kind.to_owned(), schema)).into();
        let one = |name: &str, etcd: bool| {
            let mut recorded = Recorded::of_inputs(1, json!({"etcd": etcd}));
            recorded.depends_on = [id("network/dev"), id(&format!("machine/dev/{name}"))].into();
            (id(&format!("config/{name}")), recorded)
        };
        let recorded = [("cp-1", true), ("cp-2", true), ("cp-3", true), ("worker-1", false)];
        Machines::of(&recorded.map(|(name, etcd)| one(name, etcd)).into(), &BTreeMap::new(), &schemas)
    }

    fn serves(serves: bool) -> Observation {
        Observation::present(json!({})).with_output(MEMBER_SERVES, serves.into())
    }

    fn lost(seen: &[(&str, Observation)]) -> bool {
        three().as_seen(&seen.iter().map(|(name, seen)| (id(name), seen.clone())).collect()).lost_their_quorum()
    }

    #[test]
    fn a_quorum_is_lost_when_too_many_members_were_seen_not_to_serve() {
        let silent = serves(false);
        assert!(!lost(&[
            ("config/cp-1", silent.clone()),
            ("config/cp-2", serves(true)),
            ("config/cp-3", serves(true))
        ]));
        assert!(lost(&[("config/cp-1", silent.clone()), ("config/cp-2", silent.clone())]));
        assert!(!lost(&[
            ("config/cp-1", silent.clone()),
            ("config/cp-2", silent.clone()),
            ("config/cp-3", serves(true))
        ]));
        assert!(lost(&[("config/cp-1", silent.clone()), ("config/cp-2", Observation::Absent)]));
        let not_made_yet = || Observation::present(json!({}));
        assert!(lost(&[("config/cp-1", silent), ("config/cp-2", not_made_yet()), ("config/cp-3", not_made_yet())]));
    }

    #[test]
    fn machines_that_were_seen_to_be_off_or_gone_take_their_members_with_them() {
        let off = Observation::present(json!({"running": false}));
        let unseen = Observation::unknown("it cannot be reached");
        assert!(lost(&[("machine/dev/cp-1", off.clone()), ("machine/dev/cp-2", Observation::Absent)]));
        assert!(lost(&[("machine/dev/cp-1", off.clone()), ("machine/dev/cp-2", off), ("config/cp-1", unseen)]));
        assert!(!lost(&[("machine/dev/cp-1", Observation::present(json!({"running": true})))]));
    }

    #[test]
    fn what_could_not_be_seen_is_not_lost() {
        let unseen = || Observation::unknown("it cannot be reached");
        assert!(!lost(&[]));
        assert!(!lost(&[("config/cp-1", unseen()), ("config/cp-2", unseen()), ("config/cp-3", unseen())]));
        assert!(!lost(&[("config/cp-1", serves(false)), ("config/cp-2", unseen()), ("config/cp-3", unseen())]));
        assert!(!Machines::default().as_seen(&BTreeMap::new()).lost_their_quorum(), "a new cluster has none");
    }
}
