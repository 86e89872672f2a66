//! Keys on which everything else in a cluster rests are neither deleted nor replaced while it stays.

use plan::Operation;

use crate::{Finding, RuleInput};

const NAME: &str = "irreplaceable";

/// Kinds, and what is lost with one of them.
const KEYS: [(&str, &str); 3] = [
    ("authority", "nothing that it signed would be trusted any more"),
    ("key-pair", "every service account token would become invalid"),
    ("encryption-config", "the Secrets that are encrypted with it could never be read again"),
];

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    if !input.intent.stays() || !input.intent.is_made() {
        return Vec::new();
    }
    let deletes = input.plan.changes.iter().filter(|change| change.operation == Operation::Delete);
    deletes
        .filter_map(|change| {
            let (_, loss) = KEYS.iter().find(|(kind, _)| *kind == change.resource.kind())?;
            let message = format!("{} would be lost: {loss}", change.resource);
            let hint = "undo the change in the documents that this comes from";
            Some(Finding::refuse(NAME, message, hint).about([&change.resource]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn the_key_of_encrypted_secrets_is_not_deleted() {
        assert_eq!(World::made(1).delete("encryption-config/api-server").refusals(), ["irreplaceable"]);
    }

    #[test]
    fn an_authority_is_not_replaced() {
        let world = World::made(1).replace("authority/kubernetes").create("authority/kubernetes");
        assert_eq!(world.refusals(), ["irreplaceable"]);
    }

    #[test]
    fn other_keys_and_those_of_a_deleted_or_unmade_cluster_may_go() {
        assert!(World::made(1).delete("ssh-key/w-1").refusals().is_empty());
        assert!(World::made(1).delete("authority/etcd").wanting_nothing().refusals().is_empty());
        assert!(World::made(0).delete("authority/etcd").refusals().is_empty());
    }
}
