//! What is marked as a cluster's own on this host, and its record does not know: a delete takes it, too.

use std::collections::BTreeMap;

use engine::ActionError;
use resource::{Observation, ResourceId};
use serde_json::{Value, json};

use crate::cgroup::Layout;
use crate::inputs::{MACHINE, NETWORK};
use crate::machine::{self, Home, Wanted};
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
            let mut found: BTreeMap<ResourceId, Value> = BTreeMap::new();
            for home in provider.homes(&owner.cluster)? {
                found.extend(marked_machine(&home, &owner, &Layout::of_host()?));
            }
            if network::links()?.iter().any(|link| link.alias.as_deref().and_then(Owner::read).as_ref() == Some(&owner))
            {
                found.insert(ResourceId::new(NETWORK, &owner.cluster), Value::Null);
            }
            Ok::<_, LocalError>(found)
        };
        Ok(blocking(look).await?)
    }
}

fn marked_machine(home: &Home, owner: &Owner, layout: &Layout) -> Option<(ResourceId, Value)> {
    let wanted = Wanted { inputs: json!({"lineage": owner.lineage}), ..Wanted::default() };
    match machine::observe(home, &wanted, layout) {
        // One that says nothing is not marked.
        Observation::Present { attributes } if attributes.get("lineage").is_some() => {
            Some((ResourceId::new(MACHINE, &format!("{}/{}", home.cluster, home.name)), attributes))
        }
        _ => None,
    }
}
