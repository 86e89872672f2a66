//! `--timeline`: when each change would run, as far as earlier runs tell.

use plan::{Durations, Plan, Timeline};
use serde::Serialize;

use crate::app::App;
use crate::error::CommandError;
use crate::output;

/// A plan with its timeline, as it is printed as JSON.
#[derive(Serialize)]
struct InTime<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    timeline: Timeline,
}

/// Prints a plan and its timeline.
pub(super) async fn show(app: &App, plan: &Plan) -> Result<(), CommandError> {
    let runs = app.cluster(&plan.base.cluster).runs().await?;
    let actions = runs.iter().flat_map(|run| &run.actions);
    let durations = Durations::of(actions.filter_map(|action| Some((&action.action, action.millis?))));
    let timeline = Timeline::of(&plan.changes, &durations);
    let shown = InTime { plan, timeline };
    output::print(app.format, &shown, || report::plan_text(plan) + &report::timeline_text(&shown.timeline))
}
