//! A plan as text, in Terraform's manner: glyph, resource, reason, changed fields, what is disturbed, totals.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use plan::{Change, DriftLine, Operation, Plan, Reason, ReportLine, ReportReason};
use resource::{ChangedBy, Effect, FieldChange, Loss};
use serde_json::Value;

use crate::line_diff;
use crate::style::{BOLD, CREATE, DELETE, DIM, UPDATE, paint};
use crate::words::count;

/// The longest value shown in full.
const VALUE_WIDTH: usize = 60;
/// Lines of a unified diff that only name the file, which stands above it already.
const DIFF_HEADER: usize = 2;

/// The whole plan as text.
pub fn plan_text(plan: &Plan) -> String {
    let mut text = String::new();
    drift(&mut text, &plan.drift);
    if plan.is_empty() {
        report(&mut text, "Not done", &plan.report);
        let nothing = if plan.to_look_at_again().next().is_some() {
            "No changes can be planned before the above is looked into."
        } else {
            "No changes. What is there is what the spec asks for."
        };
        let _ = writeln!(text, "{}", paint(BOLD, nothing));
        return text;
    }
    let _ = writeln!(text, "kubewright will carry out these changes on cluster {}:\n", paint(BOLD, &plan.base.cluster));
    for change in visible(plan) {
        one(&mut text, change);
    }
    report(&mut text, "Not done", &plan.report);
    disruption(&mut text, plan);
    let _ = writeln!(text, "\n{}", totals(plan));
    text
}

/// Only what was changed from outside, field by field, and what could not be looked at.
pub fn drift_text(plan: &Plan) -> String {
    let mut text = String::new();
    drift(&mut text, &plan.drift);
    let unseen: Vec<ReportLine> = plan.report.iter().filter(|line| line.reason.is_unknown()).cloned().collect();
    report(&mut text, "Could not be looked at", &unseen);
    if text.is_empty() {
        text.push_str("Nothing was changed from outside.\n");
    }
    text
}

/// Changes that have a line of their own: the delete of a replace is shown with its create.
fn visible(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| !(change.replaces && change.operation == Operation::Delete))
}

fn one(text: &mut String, change: &Change) {
    let (glyph, style) = match change.operation {
        Operation::Create if is_found(change) => (" <=", UPDATE),
        Operation::Create if change.replaces => ("-/+", DELETE),
        Operation::Create => ("  +", CREATE),
        Operation::Update => ("  ~", UPDATE),
        Operation::Delete => ("  -", DELETE),
        Operation::Adopt | Operation::Run => (" <=", UPDATE),
        Operation::Forget => ("  .", DIM),
    };
    let _ = writeln!(text, "{} {}  {}", paint(style, glyph), change.resource, paint(DIM, reason(change)));
    fields(text, &change.fields);
    for effect in &change.effects {
        let _ = writeln!(text, "        {} {}", paint(UPDATE, "!"), effect_words(effect));
    }
}

/// What is there already is not made, but taken over.
fn is_found(change: &Change) -> bool {
    change.reason == Reason::FoundUnrecorded
}

fn reason(change: &Change) -> String {
    match &change.reason {
        Reason::New => "new".to_owned(),
        Reason::SpecChanged => "the spec changed".to_owned(),
        Reason::Drifted if change.operation == Operation::Create => "it is gone".to_owned(),
        Reason::Drifted => "it was changed from outside".to_owned(),
        Reason::Stopped { by, at } => format!("stopped by {by} at {at}"),
        Reason::Interrupted => "its last run was interrupted".to_owned(),
        Reason::CannotUpdate { field } => format!("`{field}` cannot be changed in place"),
        Reason::DependencyChanged { on } => format!("{on} changes"),
        Reason::NoLongerWanted => "no longer in the spec".to_owned(),
        Reason::ContainedIn { parent } => format!("forgotten: goes away with {parent}"),
        Reason::Gone => "forgotten: it is gone already".to_owned(),
        Reason::Asked if change.operation == Operation::Forget => "forgotten: you asked for it".to_owned(),
        Reason::Asked => "you asked for it".to_owned(),
        Reason::FoundUnrecorded => "found, but not recorded".to_owned(),
        Reason::MovedFrom { from } => format!("recorded as {from} until now; its content stays"),
        Reason::MovedTo { to } => format!("forgotten: it is recorded as {to}"),
        Reason::StepOf { change } => format!("before: {change}"),
        Reason::ServesAgain { after } => format!("until it is ready again, after: {after}"),
    }
}

fn fields(text: &mut String, fields: &[FieldChange]) {
    for field in fields {
        match lines_that_differ(field) {
            None => {
                let _ = writeln!(text, "        {}{}", field_line(field), origin(field));
            }
            Some(diff) => {
                let _ = writeln!(text, "        {}:{}", field.path.join("."), origin(field));
                for line in diff.lines().skip(DIFF_HEADER) {
                    let style = match line.as_bytes().first() {
                        Some(b'+') => CREATE,
                        Some(b'-') => DELETE,
                        _ => DIM,
                    };
                    let _ = writeln!(text, "          {}", paint(style, line));
                }
            }
        }
    }
}

/// Who changed a field, where it was not the spec alone.
fn origin(field: &FieldChange) -> String {
    let words = match field.changed_by {
        None | Some(ChangedBy::Spec) => return String::new(),
        Some(ChangedBy::Outside) => "  (changed from outside)",
        Some(ChangedBy::Both) => "  (wanted otherwise, and changed from outside)",
    };
    paint(DIM, words)
}

/// The difference of a text of several lines, such as a file; `None` for everything else.
fn lines_that_differ(field: &FieldChange) -> Option<String> {
    let (Some(Value::String(before)), Some(Value::String(after))) = (&field.before, &field.after) else { return None };
    let is_text = !field.secret && before.contains('\n') && after.contains('\n');
    is_text.then(|| line_diff("", before, after)).flatten()
}

fn field_line(field: &FieldChange) -> String {
    let path = field.path.join(".");
    if field.secret {
        return format!("{path}: (secret) changes");
    }
    let before = field.before.as_ref().map_or_else(|| "(none)".to_owned(), value_words);
    let after = match &field.after {
        _ if field.known_after_apply => "(known after apply)".to_owned(),
        None => "(none)".to_owned(),
        Some(value) => value_words(value),
    };
    format!("{path}: {before} → {after}")
}

fn value_words(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= VALUE_WIDTH {
        return text;
    }
    let head: String = text.chars().take(VALUE_WIDTH - 1).collect();
    format!("{head}…")
}

fn effect_words(effect: &Effect) -> String {
    match effect {
        Effect::Restarts { unit, machine } => format!("restarts {unit} on {machine}"),
        Effect::Reboots { machine } => format!("reboots {machine}"),
        Effect::Drains { node } => format!("evicts the pods of {node}"),
        Effect::Loses { what, loss, .. } => match loss {
            Loss::Pod { why } => format!("loses {what}: {why}"),
            Loss::EmptyDirData { volumes } => format!("loses emptyDir data of {what}: {}", volumes.join(", ")),
            Loss::LocalVolume { claim } => format!("loses {what} with the data of claim {claim}"),
        },
        Effect::Resizes { node, resource, from, to } => format!("leaves pods of {node} {resource} {from} → {to}"),
        Effect::TurnsAway { node, pod } => format!("has no room for pod {pod} on {node} any more: kubelet rejects it"),
        Effect::LosesData { what } => format!("loses data: {what}"),
    }
}

fn report(text: &mut String, title: &str, lines: &[ReportLine]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}:");
    for line in lines {
        let why = match &line.reason {
            ReportReason::Unknown { why } => format!("unknown: {why}"),
            ReportReason::WaitsFor { on } => format!("waits for {on}"),
            ReportReason::QuorumAtRisk { away } => {
                format!("waits for {away}: it is away or out of sight, and etcd could lose its majority by more")
            }
            ReportReason::Shared { differs } if differs.is_empty() => "shared, as expected".to_owned(),
            ReportReason::Shared { differs } => format!("shared, but differs in {}", count(differs.len(), "field")),
            ReportReason::Ignored => "ignored: neither looked at nor changed".to_owned(),
            ReportReason::Orphan => {
                "carries our marker, but is neither wanted nor recorded; `state adopt` takes it in".to_owned()
            }
            ReportReason::Foreign => "is not ours and stays as it is".to_owned(),
            ReportReason::Taken => "is somebody else's and stays as it is; `state adopt` makes it ours".to_owned(),
            ReportReason::NotTargeted => "is no target of this plan".to_owned(),
        };
        let _ = writeln!(text, "  {} {}  {}", paint(UPDATE, "?"), line.resource, paint(DIM, why));
    }
}

fn drift(text: &mut String, lines: &[DriftLine]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "Changed from outside since the last run:");
    for line in lines {
        let what =
            if line.gone { "is gone".to_owned() } else { format!("{} changed", count(line.fields.len(), "field")) };
        let _ = writeln!(text, "  {} {}  {}", paint(UPDATE, "!"), line.resource, paint(DIM, what));
        fields(text, &line.fields);
    }
    text.push('\n');
}

fn disruption(text: &mut String, plan: &Plan) {
    let effects: BTreeSet<&Effect> = plan.changes.iter().flat_map(|change| &change.effects).collect();
    let mut units: BTreeSet<&str> = BTreeSet::new();
    for effect in &effects {
        if let Effect::Restarts { unit, .. } = effect {
            units.insert(unit);
        }
    }
    for unit in units {
        let machines = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Restarts { unit: other, .. } if other == unit))
            .count();
        let _ = writeln!(text, "\nDisruption: restarts {unit} on {}", count(machines, "machine"));
    }
    let booted = effects.iter().filter(|effect| matches!(effect, Effect::Reboots { .. })).count();
    if booted > 0 {
        let _ = writeln!(text, "\nDisruption: reboots {}", count(booted, "machine"));
    }
}

/// The last line: how many of what.
fn totals(plan: &Plan) -> String {
    let number = |wanted: fn(&Change) -> bool| plan.changes.iter().filter(|change| wanted(change)).count();
    let mut parts = vec![
        format!(
            "{} to create",
            number(|change| change.operation == Operation::Create && !change.replaces && !is_found(change))
        ),
        format!("{} to update", number(|change| change.operation == Operation::Update)),
        format!("{} to replace", number(|change| change.operation == Operation::Create && change.replaces)),
        format!("{} to delete", number(|change| change.operation == Operation::Delete && !change.replaces)),
    ];
    let found = number(is_found);
    if found > 0 {
        parts.push(format!("{found} to adopt"));
    }
    let forgotten = number(|change| change.operation == Operation::Forget);
    if forgotten > 0 {
        parts.push(format!("{forgotten} to forget"));
    }
    format!("{} {}.", paint(BOLD, "Plan:"), parts.join(", "))
}
