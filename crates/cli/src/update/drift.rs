//! `--drift-only`: what was changed behind our back, and nothing else.

use plan::{DriftLine, Plan, ReportLine};
use serde::Serialize;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

/// What is printed as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FromOutside<'a> {
    cluster: &'a str,
    drift: &'a [DriftLine],
    unknown: Vec<&'a ReportLine>,
}

/// Prints the drift; the exit code says whether there is any.
pub(super) fn show(app: &App, plan: &Plan) -> Result<Exit, CommandError> {
    let unknown: Vec<&ReportLine> = plan.report.iter().filter(|line| line.reason.is_unknown()).collect();
    let exit = exit(plan, &unknown);
    let shown = FromOutside { cluster: &plan.base.cluster, drift: &plan.drift, unknown };
    output::print(app.format, &shown, || report::drift_text(plan))?;
    Ok(exit)
}

/// Drift that was found counts for more than what could not be looked at.
fn exit(plan: &Plan, unknown: &[&ReportLine]) -> Exit {
    match (plan.drift.is_empty(), unknown.is_empty()) {
        (false, _) => Exit::Pending,
        (true, false) => Exit::Unreachable,
        (true, true) => Exit::Fine,
    }
}
