//! When each change would run, as text, with the critical path.

use std::fmt::Write as _;
use std::time::Duration;

use plan::Timeline;

use crate::style::{BOLD, DIM, UPDATE, paint};
use crate::words::{count, duration};

/// The predicted order of a plan's changes and how long they take; what decides about the whole is marked.
pub fn timeline_text(timeline: &Timeline) -> String {
    if timeline.steps.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nTimeline, as far as earlier runs tell (* is on the critical path):\n");
    let moments: Vec<String> = timeline.steps.iter().map(|step| moment(step.begins)).collect();
    let width = moments.iter().map(String::len).max().unwrap_or(0);
    for (step, moment) in timeline.steps.iter().zip(moments) {
        let mark = if step.critical { paint(UPDATE, "*") } else { " ".to_owned() };
        let takes = step.takes.map_or_else(|| "?".to_owned(), |millis| duration(Duration::from_millis(millis)));
        let _ = writeln!(text, "  {moment:>width$} {mark} {}  {}", step.action, paint(DIM, takes));
    }
    let path = timeline.critical().count();
    let whole = duration(Duration::from_millis(timeline.millis));
    let _ = write!(text, "\n{} {}, about {whole}", paint(BOLD, "Critical path:"), count(path, "action"));
    if timeline.unknown > 0 {
        let _ = write!(text, "; {} never timed, counted as no time", were(timeline.unknown));
    }
    text.push_str(".\n");
    text
}

fn were(number: usize) -> String {
    format!("{} (?) {}", count(number, "action"), if number == 1 { "was" } else { "were" })
}

fn moment(millis: u64) -> String {
    format!("+{}", duration(Duration::from_millis(millis)))
}

#[cfg(test)]
mod tests {
    use plan::{ActionId, Step};
    use resource::ResourceId;

    use super::*;

    fn step(name: &str, begins: u64, takes: Option<u64>, critical: bool) -> Step {
        Step { action: ActionId::new("create", &ResourceId::new("x", name)), begins, takes, critical }
    }

    #[test]
    fn steps_stand_in_their_order_with_the_critical_path_marked() {
        let steps = vec![step("a", 0, Some(1500), true), step("b", 0, None, false), step("c", 1500, Some(20), true)];
        let text = timeline_text(&Timeline { steps, millis: 1520, unknown: 1 });
        let expected = [
            "\nTimeline, as far as earlier runs tell (* is on the critical path):\n",
            "   +0 ms * create x/a  1.5 s\n   +0 ms   create x/b  ?\n  +1.5 s * create x/c  20 ms\n\n",
            "Critical path: 2 actions, about 1.5 s; 1 action (?) was never timed, counted as no time.\n",
        ];
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected.concat());
    }

    #[test]
    fn a_plan_without_changes_has_no_timeline() {
        assert_eq!(timeline_text(&Timeline { steps: Vec::new(), millis: 0, unknown: 0 }), "");
    }
}
