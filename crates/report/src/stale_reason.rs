//! What has moved since a plan was made, a line each.

use plan::StaleReason;

/// One thing that moved, as a line.
pub fn stale_reason(moved: &StaleReason) -> String {
    match moved {
        StaleReason::Base { what, then, now } => format!("{what}: {then} → {now}"),
        StaleReason::Added(action) => format!("{action}: needed now, but not in the plan"),
        StaleReason::Dropped(action) => format!("{action}: in the plan, but not needed any more"),
        StaleReason::SeenOtherwise(action) => format!("{action}: what is there was changed meanwhile"),
        StaleReason::Different(action) => format!("{action}: would change something else now"),
    }
}

#[cfg(test)]
mod tests {
    use plan::ActionId;
    use resource::ResourceId;

    use super::*;

    #[test]
    fn each_line_says_what_moved_and_how() {
        let action = ActionId::new("update", &ResourceId::new("node", "w-1"));
        assert_eq!(
            stale_reason(&StaleReason::SeenOtherwise(action)),
            "update node/w-1: what is there was changed meanwhile"
        );
        let serial = StaleReason::Base { what: "the serial of the state", then: "3".into(), now: "5".into() };
        assert_eq!(stale_reason(&serial), "the serial of the state: 3 → 5");
    }
}
