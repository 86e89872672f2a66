//! What lies on this host beside what was asked for: machines that nobody wants any more, and what is marked as a cluster's
//! own and its record does not know.

use std::collections::{BTreeMap, BTreeSet};

use engine::{ActionError, ObserveRequest};
use provider::{KnownCluster, ProviderError, RecordedById};
use resource::{Observation, Recorded, ResourceId};
use serde_json::{Value, json};

use crate::cgroup::Layout;
use crate::handler::{blocking, cluster_of};
use crate::machine::{self, Wanted};
use crate::owner::Owner;
use crate::{LocalError, LocalFacts, LocalProvider, MACHINE, NETWORK, ids, network, resources};

impl LocalProvider {
    /// Records of release 0.1, which wrote no lineage down, with it: a machine that was made since lies where only the lineage
    /// leads.
    pub(crate) async fn with_lineage(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError> {
        let mut unnamed: RecordedById =
            cluster.recorded.iter().filter(is_unnamed).map(|(id, recorded)| (id.clone(), recorded.clone())).collect();
        if !unnamed.is_empty() {
            let marked = self.marked_of(cluster).await?;
            unnamed.retain(|id, _| marked.contains_key(id));
        }
        for recorded in unnamed.values_mut() {
            recorded.inputs["lineage"] = cluster.lineage.into();
        }
        Ok(unnamed)
    }

    /// What carries a cluster's marker on this host and is not in its record: a delete that did not know it would leave machines
    /// behind that no state knows any more.
    pub(crate) async fn beside_the_record(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError> {
        let network = ids::network(cluster.name);
        let mut found = self.marked_of(cluster).await?;
        found.retain(|id, _| !cluster.recorded.contains_key(id));
        if let Some(inputs) = found.get_mut(&network) {
            *inputs = resources::network_inputs(cluster.lineage, &LocalFacts::read(cluster.facts)?);
        }
        let record = |(id, inputs): (ResourceId, Value)| {
            let depends_on = if id == network { BTreeSet::new() } else { BTreeSet::from([network.clone()]) };
            (id, Recorded { depends_on, ..Recorded::of_inputs(1, inputs) })
        };
        Ok(found.into_iter().map(record).collect())
    }

    /// Machines of a cluster, and its network, that carry the marker of this state, with what is known of them: a machine as
    /// it is seen, a network as null. That it cannot be found out is not the same as nothing.
    async fn marked_of(&self, cluster: &KnownCluster<'_>) -> Result<BTreeMap<ResourceId, Value>, ActionError> {
        let (owner, provider) = (Owner::new(cluster.lineage, cluster.name), self.clone());
        let look = move || {
            let mut found = provider.machines_of(&owner)?;
            // One that says nothing is not marked.
            found.retain(|_, seen| seen["lineage"].is_string());
            if network::links()?.iter().any(|link| link.alias.as_deref().and_then(Owner::read).as_ref() == Some(&owner))
            {
                found.insert(ids::network(&owner.cluster), Value::Null);
            }
            Ok::<_, LocalError>(found)
        };
        Ok(blocking(look).await?)
    }

    /// Machines of these clusters that nobody asked for. Where their directory cannot be read, nothing is known of what
    /// was asked for either: who took it for empty would take a network away from machines that use it.
    pub(crate) fn orphans(&self, requests: &[ObserveRequest]) -> BTreeMap<ResourceId, Observation> {
        let asked: BTreeSet<&ResourceId> = requests.iter().map(|request| &request.id).collect();
        let lineage = requests.iter().find_map(|request| request.inputs()?.get("lineage")?.as_str());
        let clusters: BTreeSet<&str> = asked.iter().map(|id| cluster_of(id)).collect();
        let mut found = BTreeMap::new();
        for cluster in clusters {
            match self.machines_of(&Owner::new(lineage.unwrap_or_default(), cluster)) {
                Ok(machines) => {
                    let beside = machines.into_iter().filter(|(id, _)| !asked.contains(id));
                    found.extend(beside.map(|(id, seen)| (id, Observation::orphan(seen))));
                }
                Err(error) => {
                    let unseen = asked.iter().filter(|id| cluster_of(id) == cluster);
                    found.extend(unseen.map(|id| ((*id).clone(), Observation::unknown(error.with_cause()))));
                }
            }
        }
        found
    }

    /// Machines of an owner that lie here, as they are seen.
    fn machines_of(&self, owner: &Owner) -> Result<BTreeMap<ResourceId, Value>, LocalError> {
        let (homes, layout) = (self.homes(owner.directories())?, Layout::of_host()?);
        let wanted = Wanted { inputs: json!({"lineage": owner.lineage}), ..Wanted::default() };
        let seen = homes.iter().filter_map(|home| match machine::observe(home, &wanted, &layout) {
            Observation::Present { mut attributes, .. } => {
                // Its directory says whose one is that was only begun.
                if attributes["lineage"].is_null() && home.owner == owner.short_name() {
                    attributes["lineage"] = json!(owner.lineage);
                }
                // Whose recorded inputs are of release 0.1 knows no lineage: what carries one may be another state's.
                let is_ours = owner.lineage.is_some() || attributes["lineage"].is_null();
                let id = ids::machine(&owner.cluster, &home.name);
                is_ours.then_some((id, attributes))
            }
            _ => None,
        });
        Ok(seen.collect())
    }
}

/// Whether a machine or a network is recorded without its lineage.
fn is_unnamed((id, recorded): &(&ResourceId, &Recorded)) -> bool {
    let is_marked = [MACHINE, NETWORK].contains(&id.kind());
    is_marked && recorded.inputs.is_object() && recorded.inputs.get("lineage").is_none()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use engine::{AssetFiles, AssetMissing};

    use super::*;

    struct NoAssets;

    impl AssetFiles for NoAssets {
        fn path(&self, asset: &str) -> Result<std::path::PathBuf, AssetMissing> {
            panic!("nobody asks for {asset}")
        }

        fn sha256(&self, asset: &str) -> Result<String, AssetMissing> {
            panic!("nobody asks for {asset}")
        }
    }

    fn make(root: &Path, home: &str, lineage: Option<&str>) {
        let home = root.join(home);
        std::fs::create_dir_all(&home).unwrap();
        if let Some(lineage) = lineage {
            let record = json!({"image": "i", "prepared": true, "inputs": {"lineage": lineage}});
            std::fs::write(home.join("machine.json"), record.to_string()).unwrap();
        }
    }

    fn found(root: &Path, lineage: &str) -> Vec<(String, Value)> {
        let provider = LocalProvider::new(root.to_owned(), Arc::new(NoAssets));
        let machines = provider.machines_of(&Owner::new(lineage, "dev")).unwrap().into_iter();
        machines.map(|(id, seen)| (id.name().to_owned(), seen["lineage"].clone())).collect()
    }

    #[test]
    fn machines_of_an_owner_are_those_of_its_lineage_where_an_earlier_release_made_them_too() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), "dev/earlier", Some("1a-2b"));
        make(root.path(), "dev/another", Some("3c-4d"));
        make(root.path(), "dev_1a2b/made", Some("1a-2b"));
        make(root.path(), "dev_1a2b/begun", None);
        make(root.path(), "dev_3c4d/begun-by-another", None);
        make(root.path(), "devel/made", Some("1a-2b"));
        let ours = ["begun", "earlier", "made"].map(|name| (format!("dev/{name}"), json!("1a-2b")));
        assert_eq!(found(root.path(), "1a-2b"), ours);
    }

    #[test]
    fn who_knows_no_lineage_takes_nothing_that_has_one() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), "dev/of-release-0-1", None);
        make(root.path(), "dev/another", Some("3c-4d"));
        make(root.path(), "dev_3c4d/another", Some("3c-4d"));
        assert_eq!(found(root.path(), ""), [("dev/of-release-0-1".to_owned(), Value::Null)]);
    }

    #[test]
    fn a_network_of_release_0_1_lacks_its_lineage_as_a_machine_does() {
        let recorded = |inputs| Recorded::of_inputs(1, inputs);
        let lacks = |id: ResourceId, inputs| is_unnamed(&(&id, &recorded(inputs)));
        assert!(lacks(ids::network("dev"), json!({})) && lacks(ids::machine("dev", "a"), json!({})));
        assert!(
            !lacks(ids::network("dev"), json!({"lineage": "1"})) && !lacks(ResourceId::new("node", "a"), json!({}))
        );
    }

    #[test]
    fn where_no_directory_is_there_is_no_machine() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("dev_notes"), "a file").unwrap();
        assert!(found(root.path(), "1a-2b").is_empty() && found(&root.path().join("none"), "1").is_empty());
    }
}
