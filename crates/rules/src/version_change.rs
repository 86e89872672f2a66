//! The version of Kubernetes: never back, one minor at a time, and for now not at all in a made cluster.

use catalog::skew;
use semver::Version;
use spec::Kind;

use crate::documents::of_kind;
use crate::{Finding, Intent};

const NAME: &str = "version-change";

pub(crate) fn check(intent: &Intent<'_>) -> Vec<Finding> {
    let (Some(from), Some(to), true) = (version(intent.previous), version(intent.wanted), intent.is_made()) else {
        return Vec::new();
    };
    if from == to {
        return Vec::new();
    }
    let message = match skew::upgrade(&from, &to) {
        Err(violation) => violation.to_string(),
        Ok(()) if to < from => format!("{to} is older than {from}"),
        Ok(()) => format!("Kubernetes {from} runs in the cluster, and upgrading it to {to} is not supported yet"),
    };
    let hint = format!("set it back: kubewright set cluster {} spec.kubernetesVersion={from}", intent.cluster);
    vec![Finding::refuse(NAME, message, hint)]
}

fn version(documents: &[serde_json::Value]) -> Option<Version> {
    let clusters = of_kind(documents, Kind::Cluster);
    let cluster = clusters.values().next()?;
    Version::parse(cluster["spec"]["kubernetesVersion"].as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    fn to(version: &str) -> World {
        World::made(1).set("Cluster/demo", "/spec/kubernetesVersion", json!(version))
    }

    #[test]
    fn going_back_and_leaving_out_a_minor_are_refused_as_such() {
        for (version, words) in [
            ("1.33.9", "cannot go back a minor version"),
            ("1.34.1", "1.34.1 is older than 1.34.4"),
            ("1.36.3", "leaves out 1.35"),
            ("1.35.4", "not supported yet"),
            ("1.34.5", "not supported yet"),
        ] {
            let findings = to(version).findings();
            assert_eq!(findings.len(), 1, "{version}");
            assert_eq!(findings[0].rule, "version-change");
            assert!(findings[0].message.contains(words), "{}", findings[0].message);
        }
    }

    #[test]
    fn the_same_version_and_any_in_a_cluster_that_is_not_made_are_fine() {
        assert!(to("1.34.4").refusals().is_empty());
        let unmade = World::made(0).set("Cluster/demo", "/spec/kubernetesVersion", json!("1.36.3"));
        assert!(unmade.refusals().is_empty());
    }
}
