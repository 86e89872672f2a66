//! What lies on this host beside what was asked for: machines that nobody wants any more, and what is marked as a cluster's
//! own and its record does not know.

use std::collections::{BTreeMap, BTreeSet};

use engine::{ActionError, ObserveRequest};
use resource::{Observation, ResourceId};
use serde_json::{Value, json};

use crate::cgroup::Layout;
use crate::inputs::{MACHINE, NETWORK};
use crate::machine::{self, Wanted};
use crate::owner::Owner;
use crate::provider::blocking;
use crate::{LocalError, LocalProvider, network};

impl LocalProvider {
    /// Machines of a cluster, and its network, that carry the marker of this state, with what is known of them: a machine as
    /// it is seen, a network as null.
    ///
    /// # Errors
    /// When it cannot be found out: that is not the same as nothing.
    pub async fn marked_of(&self, cluster: &str, lineage: &str) -> Result<BTreeMap<ResourceId, Value>, ActionError> {
        let (owner, provider) = (Owner::new(lineage, cluster), self.clone());
        let look = move || {
            let mut found = provider.machines_of(&owner.cluster, Some(&json!(owner.lineage)))?;
            // One that says nothing is not marked.
            found.retain(|_, seen| seen.get("lineage").is_some());
            if network::links()?.iter().any(|link| link.alias.as_deref().and_then(Owner::read).as_ref() == Some(&owner))
            {
                found.insert(ResourceId::new(NETWORK, &owner.cluster), Value::Null);
            }
            Ok::<_, LocalError>(found)
        };
        Ok(blocking(look).await?)
    }

    /// Machines of these clusters that nobody asked for. Where their directory cannot be read, nothing is known of what
    /// was asked for either: who took it for empty would take a network away from machines that use it.
    pub(crate) fn orphans(&self, requests: &[ObserveRequest]) -> BTreeMap<ResourceId, Observation> {
        let asked: BTreeSet<&ResourceId> = requests.iter().map(|request| &request.id).collect();
        let lineage = requests.iter().find_map(|request| request.inputs()?.get("lineage"));
        let of_cluster = |id: &ResourceId, cluster: &str| id.name().split('/').next() == Some(cluster);
        let clusters: BTreeSet<&str> = asked.iter().filter_map(|id| id.name().split('/').next()).collect();
        let mut found = BTreeMap::new();
        for cluster in clusters {
            match self.machines_of(cluster, lineage) {
                Ok(machines) => {
                    let beside = machines.into_iter().filter(|(id, _)| !asked.contains(id));
                    found.extend(beside.map(|(id, seen)| (id, Observation::orphan(seen))));
                }
                Err(error) => {
                    let unseen = asked.iter().filter(|id| of_cluster(id, cluster));
                    found.extend(unseen.map(|id| ((*id).clone(), Observation::unknown(error.with_cause()))));
                }
            }
        }
        found
    }

    /// Machines of a cluster that lie here and are not those of another state, as they are seen.
    fn machines_of(&self, cluster: &str, lineage: Option<&Value>) -> Result<BTreeMap<ResourceId, Value>, LocalError> {
        let (homes, layout) = (self.homes(cluster)?, Layout::of_host()?);
        let wanted = Wanted { inputs: json!({"lineage": lineage}), ..Wanted::default() };
        let seen = homes.iter().filter_map(|home| match machine::observe(home, &wanted, &layout) {
            // Whose recorded inputs are of release 0.1 knows no lineage: what carries one may be another state's.
            Observation::Present { attributes, .. } if lineage.is_some() || attributes["lineage"].is_null() => {
                Some((ResourceId::new(MACHINE, &format!("{cluster}/{}", home.name)), attributes))
            }
            _ => None,
        });
        Ok(seen.collect())
    }
}
