//! Keys on which everything else in a cluster rests are neither deleted nor replaced while it stays.

use plan::{Change, Operation, Reason};

use crate::{Finding, RuleInput};

const NAME: &str = "irreplaceable";

/// Kinds, and what is lost with one of them.
const KEYS: [(&str, &str); 3] = [
    ("authority", "nothing that it signed would be trusted any more"),
    ("key-pair", "every service account token would become invalid"),
    ("encryption-config", "the Secrets that are encrypted with it could never be read again"),
];

/// The same of kinds that can be deleted with their machine, but not forgotten while it stays.
const KEYS_OF_MACHINES: [(&str, &str); 1] = [("ssh-key", "its machine could not be logged in to any more")];

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    if !input.intent.stays() || !input.intent.is_made() {
        return Vec::new();
    }
    // What is forgotten because it is gone is lost already; what somebody asks to forget is lost by that.
    let loses = |change: &&Change| change.operation == Operation::Delete || change.reason == Reason::Asked;
    let lost = input.plan.changes.iter().filter(loses);
    lost.filter_map(|change| {
        let of_machines = if change.reason == Reason::Asked { &KEYS_OF_MACHINES[..] } else { &[] };
        let (_, loss) = KEYS.iter().chain(of_machines).find(|(kind, _)| *kind == change.resource.kind())?;
        let message = format!("{} would be lost: {loss}", change.resource);
        let hint = match change.operation {
            Operation::Forget => "its key is kept in the record only; leave it there",
            _ => "undo the change in the documents that this comes from",
        };
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
    fn a_key_that_is_kept_in_the_record_only_is_not_forgotten() {
        assert_eq!(World::made(1).forget_as_asked("authority/kubernetes").refusals(), ["irreplaceable"]);
        assert_eq!(World::made(1).forget_as_asked("ssh-key/w-1").refusals(), ["irreplaceable"]);
        assert!(World::made(1).forget_as_asked("node/w-1").refusals().is_empty());
    }

    #[test]
    fn other_keys_and_those_of_a_deleted_or_unmade_cluster_may_go() {
        assert!(World::made(1).delete("ssh-key/w-1").refusals().is_empty());
        assert!(World::made(1).delete("authority/etcd").wanting_nothing().refusals().is_empty());
        assert!(World::made(0).delete("authority/etcd").refusals().is_empty());
    }
}
