//! Own objects in the place of kubewright's.

use resource::Severity;
use spec::{Cluster, InstanceGroup};

use super::{Remark, ReviewError, fullest, nominal, of_cluster, remark};
use crate::manifests;

pub(super) fn check(cluster: &Cluster, groups: &[InstanceGroup]) -> Result<Vec<Remark>, ReviewError> {
    if cluster.spec.addons.manifests.is_empty() {
        return Ok(Vec::new());
    }
    let mut ours = fullest(cluster);
    ours.spec.addons.manifests.clear();
    let ours = crate::build(&nominal(ours, groups)?, Vec::new())?;
    let mut remarks = Vec::new();
    for (index, manifest) in cluster.spec.addons.manifests.iter().enumerate() {
        let mut alone = cluster.clone();
        alone.spec.addons.manifests = vec![manifest.clone()];
        for (id, _) in manifests::objects(&nominal(alone, groups)?) {
            if ours.contains_key(&id) {
                remarks.push(remark(
                    of_cluster(cluster),
                    Severity::Error,
                    "spec::manifest",
                    format!("spec.addons.manifests[{index}].content"),
                    format!("{id} of manifest `{}` is kubewright's own", manifest.name),
                    "remove it, or give it another name".to_owned(),
                ));
            }
        }
    }
    Ok(remarks)
}
