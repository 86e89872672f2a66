//! What a run that did not do everything left undone, a line each.

use std::collections::BTreeMap;

use engine::Summary;
use plan::ActionId;

use crate::words::count;

/// How many skipped actions are named for one failure.
const NAMED: usize = 5;

/// What failed, what was skipped because of it, and how much was not started or was cut off.
pub fn summary_lines(summary: &Summary) -> Vec<String> {
    let mut because: BTreeMap<&ActionId, Vec<&ActionId>> = BTreeMap::new();
    for (skipped, failed) in &summary.skipped {
        because.entry(failed).or_default().push(skipped);
    }
    let mut lines = Vec::new();
    for (action, why) in &summary.failed {
        lines.push(format!("failed: {action}: {why}"));
        let skipped = because.remove(action).unwrap_or_default();
        lines.extend(skipped.iter().take(NAMED).map(|skipped| format!("  skipped because of it: {skipped}")));
        if skipped.len() > NAMED {
            lines.push(format!("  and {} more", skipped.len() - NAMED));
        }
    }
    if summary.cut_off > 0 {
        let actions = count(summary.cut_off, "action");
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
    fn what_was_skipped_stands_below_what_failed() {
        let skipped = (0..7).map(|number| (id(&format!("s{number}")), id("bad"))).collect();
        let failed = BTreeMap::from([(id("bad"), "no room".to_owned())]);
        let summary = Summary { failed, skipped, not_started: 2, cut_off: 1, ..Summary::default() };
        let lines = summary_lines(&summary);
        assert_eq!(lines[..2], ["failed: create x/bad: no room", "  skipped because of it: create x/s0"]);
        assert_eq!(
            lines[6..],
            ["  and 2 more", "cut off: 1 action; the next run finds out what became of them", "not started: 2 actions",]
        );
    }
}
