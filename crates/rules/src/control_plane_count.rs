//! The control planes of a made cluster are neither more nor fewer nor others, for now.

use std::collections::BTreeMap;

use crate::documents::control_planes;
use crate::{Finding, Intent};

const NAME: &str = "control-plane-count";

pub(crate) fn check(intent: &Intent<'_>) -> Vec<Finding> {
    let (before, after) = (control_planes(intent.previous), control_planes(intent.wanted));
    if !intent.is_made() || !intent.stays() || before.is_empty() || before == after {
        return Vec::new();
    }
    let message = format!(
        "the cluster was made with {}, the documents ask for {}; adding, removing and moving control planes is not \
         supported yet",
        words(&before),
        words(&after)
    );
    let hint = "set the counts of these groups back, or create another cluster of the size you need";
    vec![Finding::refuse(NAME, message, hint)]
}

fn words(groups: &BTreeMap<&str, u64>) -> String {
    let total: u64 = groups.values().sum();
    let each: Vec<String> = groups.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    format!("{total} control plane{} ({})", if total == 1 { "" } else { "s" }, each.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[test]
    fn more_fewer_or_other_control_planes_are_refused() {
        for count in [1, 5] {
            let world = World::made(3).set("InstanceGroup/cp", "/spec/count", json!(count));
            assert_eq!(world.refusals(), ["control-plane-count"]);
        }
        let moved = World::made(3).set("InstanceGroup/cp", "/metadata/name", json!("masters"));
        assert_eq!(moved.refusals(), ["control-plane-count"]);
    }

    #[test]
    fn workers_may_change_and_an_interrupted_create_goes_on() {
        assert!(World::made(3).set("InstanceGroup/w", "/spec/count", json!(0)).refusals().is_empty());
        assert!(World::made(3).configured(&["cp-1"]).refusals().is_empty());
        assert!(World::made(0).set("InstanceGroup/cp", "/spec/count", json!(3)).refusals().is_empty());
    }
}
