//! What stands in the way of making machines, and what sets a host up for them.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Event, EventSink as _};
use model::Resolved;
use provider::{Finding, PreflightRequest, RecordedById, Setup, shown};
use resource::{Desired, ResourceId};

use crate::app::App;
use crate::error::CommandError;
use crate::{providers, sources};

/// What stands in the way of what is not there yet, of `targets` where there are any.
pub(crate) async fn found(
    app: &App,
    resolved: &Resolved,
    desired: &BTreeMap<ResourceId, Desired>,
    recorded: &RecordedById,
    targets: &BTreeSet<ResourceId>,
) -> Result<Vec<Finding>, CommandError> {
    let builds_image = sources::builds_machine_image(app, &resolved.cluster.spec.assets.sources);
    let request = PreflightRequest { resolved, desired, recorded, targets, builds_image };
    Ok(providers::named(app, &resolved.facts.provider.name)?.preflight(&request).await)
}

/// Refuses to go on where something stands in the way.
pub(crate) fn refuse<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Result<(), CommandError> {
    let findings: Vec<&Finding> = findings.into_iter().collect();
    if findings.is_empty() {
        return Ok(());
    }
    let mut error = CommandError::failed("this host cannot carry the cluster's machines yet; nothing was changed");
    error.output = findings.iter().map(|finding| words(finding)).collect();
    error.hints = findings.iter().filter_map(|finding| finding.command.clone()).collect();
    error.hints.dedup();
    if findings.iter().any(|finding| finding.can_be_installed) {
        error = error.hint("or let kubewright install what is missing: kubewright preflight --setup-host");
    }
    Err(error)
}

/// Says what stands in the way of carrying a plan out.
pub(crate) fn warn(app: &App, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let lines: Vec<String> = findings.iter().map(|finding| format!("  {}", words(finding))).collect();
    let lines = lines.join("\n");
    app.say(format!(
        "\nWarning: this host cannot carry the cluster's machines yet, so carrying this out would be refused:\n{lines}"
    ));
}

fn words(finding: &Finding) -> String {
    format!("{}: {}", finding.object, finding.why)
}

/// What the providers lack on this host.
fn setups(app: &App) -> Vec<Box<dyn Setup>> {
    providers::all(app).iter().filter_map(|provider| provider.setup()).collect()
}

/// Says what setting this host up would run.
pub(crate) fn foretell_set_up(app: &App) {
    for setup in setups(app) {
        app.say(format!("This host lacks programs; with --yes this would run: {}", shown(setup.commands())));
    }
}

/// Whether setting this host up would install anything.
pub(crate) fn lacks_programs(app: &App) -> bool {
    !setups(app).is_empty()
}

/// Installs the programs that are missing, after saying which.
pub(crate) async fn set_up(app: &App) -> Result<(), CommandError> {
    for setup in setups(app) {
        app.say(format!("This host lacks programs; running: {}", shown(setup.commands())));
        let progress = app.progress.clone();
        let say = move |line: &str| progress.emit(Event::Note { text: format!("  {line}") });
        let done = tokio::task::spawn_blocking(move || setup.run(&say)).await;
        done.map_err(|error| CommandError::from_source("setting this host up was interrupted", &error))?.map_err(
            |error| {
                let failed = CommandError::from(error);
                CommandError { message: format!("cannot set this host up: {}", failed.message), ..failed }
            },
        )?;
    }
    Ok(())
}
