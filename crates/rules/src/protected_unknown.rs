//! What is protected should be there: a name that was mistyped protects nothing.

use std::collections::BTreeSet;

use resource::ResourceId;

use crate::{Finding, RuleInput};

const NAME: &str = "protected-unknown";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    // A plan that is limited to targets does not show all that is to be made.
    if !input.plan.base.targets.is_empty() || !input.intent.stays() {
        return Vec::new();
    }
    let planned = input.plan.changes.iter().map(|change| &change.resource);
    let known: BTreeSet<&ResourceId> = input.recorded.iter().chain(planned).collect();
    let unknown = input.protected.iter().filter(|id| !known.contains(id));
    unknown
        .map(|id| {
            Finding::warn(NAME, format!("there is no {id} to protect"), hint(input.intent.cluster, id, &known))
                .about([id])
        })
        .collect()
}

fn hint(cluster: &str, id: &ResourceId, known: &BTreeSet<&ResourceId>) -> String {
    match spec::nearest(id.as_str(), known.iter().map(|id| id.as_str())) {
        Some(nearest) => format!("did you mean {nearest}? It stands in `spec.protection.resources`"),
        None => {
            format!("it stands in `spec.protection.resources`; `kubewright state list {cluster}` shows what there is")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn what_is_not_there_is_not_protected_and_that_is_said() {
        let world = World::made(1).protect("network/demmo").create("network/demo");
        let findings = world.findings();
        let warning = findings.iter().find(|finding| finding.rule == "protected-unknown").unwrap();
        assert_eq!(warning.message, "there is no network/demmo to protect");
        assert!(warning.hint.contains("did you mean network/demo?"), "{}", warning.hint);
    }

    #[test]
    fn what_is_there_or_will_be_is_protected() {
        let said = |world: World| world.findings().iter().any(|finding| finding.rule == "protected-unknown");
        assert!(!said(World::made(1).protect("network/demo").create("network/demo")));
        assert!(!said(World::made(1).protect("network/demo").recorded("network/demo")));
        assert!(!said(World::made(1).protect("network/demo").wanting_nothing()));
    }
}
