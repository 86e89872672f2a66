//! Asks the rules about documents and plans, before anything is changed, and shows what they say.

use std::collections::BTreeSet;

use engine::Loaded;
use model::Resolved;
use plan::Plan;
use reconcile::Policy;
use report::words;
use resource::Diagnostic;
use rules::{Finding, Severity, UserRules};

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output::{self, Format};

/// What rules are asked about a cluster that is to be as its documents say.
pub(crate) fn policy(resolved: &Resolved, loaded: &Loaded) -> Result<Policy, CommandError> {
    Policy::of(resolved, loaded)
        .map_err(|error| CommandError::from_source("cannot keep the documents", &error).exit(Exit::Bug))
}

/// Refuses documents that no plan could carry out.
pub(crate) fn documents(app: &App, policy: &Policy) -> Result<(), CommandError> {
    show(app, &policy.documents())
}

/// Refuses a plan that endangers the cluster, or that the user's own rules forbid.
pub(crate) fn plan(
    app: &App,
    policy: &Policy,
    plan: &Plan,
    max_destroy: Option<usize>,
    own: &UserRules,
) -> Result<(), CommandError> {
    show(app, &policy.plan(plan, max_destroy, own).map_err(|wrong| unasked(&wrong))?)
}

/// Rules of the user's that nobody knows the answer of.
fn unasked(wrong: &[Diagnostic]) -> CommandError {
    output::note(&report::diagnostics_text(wrong, |name| fs_err::read_to_string(name).ok()));
    CommandError::failed("your rules cannot be asked about this plan; nothing was changed").exit(Exit::InvalidSpec)
}

fn show(app: &App, findings: &[Finding]) -> Result<(), CommandError> {
    let text = app.suggestive(&report::rules_text(findings));
    match app.format {
        Format::Text => output::text(&text)?,
        // Standard output is for the plan.
        Format::Json | Format::Yaml | Format::Name => output::note(&text),
    }
    let refusing: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refuse)
        .map(|finding| finding.rule.as_str())
        .collect();
    if refusing.is_empty() {
        return Ok(());
    }
    let message = format!("refused by {}; nothing was changed", words::count(refusing.len(), "rule"));
    Err(CommandError::failed(message).exit(Exit::Refused))
}
