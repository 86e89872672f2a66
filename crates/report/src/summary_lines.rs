//! What a run that did not do everything left undone: failures by name, everything else counted.

use std::collections::BTreeMap;

use engine::Summary;
use plan::ActionId;

use crate::words::count;

/// What failed, what was skipped because of it, and how much was not started or was cut off.
pub fn summary_lines(summary: &Summary) -> Vec<String> {
    let mut because: BTreeMap<&ActionId, usize> = BTreeMap::new();
    for failed in summary.skipped.values() {
        *because.entry(failed).or_default() += 1;
    }
    let mut lines = Vec::new();
    for (action, why) in &summary.failed {
        lines.push(format!("failed: {action}: {why}"));
        let skipped = because.get(action).copied().unwrap_or_default();
        if skipped > 0 {
            lines.push(format!("  skipped because of it: {}", count(skipped, "action")));
        }
    }
    if summary.aborted > 0 {
        let actions = count(summary.aborted, "action");
        lines.push(format!("cut off: {actions}; the next run finds out what became of them"));
    }
    if summary.not_started > 0 {
        lines.push(format!("not started: {}", count(summary.not_started, "action")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use resource::ResourceId;

    use super::*;

    fn id(name: &str) -> ActionId {
        ActionId::new("create", &ResourceId::new("x", name))
    }

    #[test]
    fn what_failed_is_named_and_what_was_skipped_because_of_it_is_counted() {
        let skipped = (0..7).map(|number| (id(&format!("s{number}")), id("bad"))).collect();
        let failed = BTreeMap::from([(id("bad"), "no room".to_owned())]);
        let summary = Summary { failed, skipped, not_started: 2, aborted: 1, ..Summary::default() };
        let lines = summary_lines(&summary);
        assert_eq!(
            lines,
            [
                "failed: create x/bad: no room",
                "  skipped because of it: 7 actions",
                "cut off: 1 action; the next run finds out what became of them",
                "not started: 2 actions",
            ]
        );
    }
}
