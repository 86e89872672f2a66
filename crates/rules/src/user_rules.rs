//! The user's own rules: expressions in CEL over the plan as JSON, as files of `PlanRules` hold them.

use std::collections::BTreeMap;

use plan::{Base, Change, Operation, Plan, Reason};
use resource::{Diagnostic, Digest, ResourceId};
use serde_json::Value;
use spec::{ForEach, RuleSeverity, Source, WrittenRule};

use crate::{Finding, Severity};

use self::expression::{Expression, Wrong};

mod expression;
mod names;
mod sandbox;

/// Variables of expressions.
const VARIABLES: [&str; 2] = ["plan", "change"];

/// Rules of the user, fit to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserRules {
    rules: Vec<WrittenRule>,
}

impl UserRules {
    /// Reads files of rules. Expressions are compiled and tried, so that what can be refused is refused before anything
    /// is done.
    pub fn read(sources: &[Source]) -> Result<Self, Vec<Diagnostic>> {
        let (mut rules, mut wrong) = (Vec::new(), Vec::new());
        for source in sources {
            match spec::parse_plan_rules(source) {
                Ok(found) => rules.extend(found),
                Err(diagnostics) => wrong.extend(diagnostics),
            }
        }
        wrong.extend(repeated(&rules));
        let rules = Self { rules };
        if wrong.is_empty() {
            wrong.extend(rules.try_out());
        }
        if wrong.is_empty() { Ok(rules) } else { Err(wrong) }
    }

    /// Digest of what the rules say; nothing where there are none.
    pub fn digest(&self) -> Option<Digest> {
        let rules: Vec<&spec::PlanRule> = self.rules.iter().map(|written| &written.rule).collect();
        let value = serde_json::to_value(&rules).unwrap_or_default();
        (!rules.is_empty()).then(|| Digest::of_json(&value))
    }

    /// Judges a plan. A rule that cannot be asked about it is an error: nobody knows what it would have said.
    pub fn check(&self, plan: &Plan) -> Result<Vec<Finding>, Vec<Diagnostic>> {
        if self.rules.is_empty() {
            return Ok(Vec::new());
        }
        let (mut findings, mut wrong) = (Vec::new(), Vec::new());
        for (written, answer) in self.rules.iter().zip(expression::ask(self.expressions(), to_json(plan))) {
            match answer {
                Ok(answers) => findings.extend(finding(written, &answers, plan)),
                Err(why) => wrong.push(diagnostic(written, &why, plan)),
            }
        }
        if wrong.is_empty() { Ok(findings) } else { Err(wrong) }
    }

    fn expressions(&self) -> Vec<Expression> {
        let expression = |written: &WrittenRule| Expression {
            text: written.rule.expression().to_owned(),
            each_change: written.rule.for_each == Some(ForEach::Change),
        };
        self.rules.iter().map(expression).collect()
    }

    /// What can be said against the rules without a plan. That an expression fails on the one it is tried on is no reason:
    /// fields that it looks for may be in others.
    fn try_out(&self) -> Vec<Diagnostic> {
        let change = Change::new(&ResourceId::new("machine", "a"), Operation::Create, Reason::New);
        let plan = Plan { changes: vec![change], ..Plan::empty(Base::of_nothing("a")) };
        let answers = expression::ask(self.expressions(), to_json(&plan));
        let wrong = self.rules.iter().zip(answers).filter_map(|(written, answer)| Some((written, answer.err()?)));
        wrong
            .filter(|(_, wrong)| !matches!(wrong, Wrong::Fails { .. }))
            .map(|(written, wrong)| diagnostic(written, &wrong, &plan))
            .collect()
    }
}

fn to_json(plan: &Plan) -> Value {
    serde_json::to_value(plan).unwrap_or_default()
}

/// Names that stand more than once: a finding would not tell which rule it is of.
fn repeated(rules: &[WrittenRule]) -> Vec<Diagnostic> {
    let mut first = BTreeMap::new();
    let mut wrong = Vec::new();
    for written in rules {
        match first.get(&written.rule.name) {
            None => {
                first.insert(&written.rule.name, &written.name_at);
            }
            Some(earlier) => {
                let message = format!("two rules are called `{}`", written.rule.name);
                let diagnostic = Diagnostic::error("rules::repeated", message).at(written.name_at.clone());
                wrong.push(diagnostic.at((*earlier).clone()));
            }
        }
    }
    wrong
}

fn finding(written: &WrittenRule, answers: &[bool], plan: &Plan) -> Option<Finding> {
    let rule = &written.rule;
    let speaks_where = rule.deny.is_some();
    let hit: Vec<usize> =
        answers.iter().enumerate().filter(|(_, answer)| **answer == speaks_where).map(|(index, _)| index).collect();
    if hit.is_empty() {
        return None;
    }
    let place = format!("rule `{}`, {}:{}", rule.name, written.expression_at.file, written.expression_at.line);
    let hint = match &rule.description {
        Some(description) => format!("{} ({place})", description.trim()),
        None => format!("this is asked for by {place}"),
    };
    let each = rule.for_each == Some(ForEach::Change);
    let resources = hit.into_iter().filter(|_| each).filter_map(|index| plan.changes.get(index));
    let severity = match rule.severity {
        RuleSeverity::Refuse => Severity::Refuse,
        RuleSeverity::Warn => Severity::Warn,
    };
    let found = Finding { severity, ..Finding::refuse(&rule.name, rule.message.trim(), hint) };
    Some(found.about(resources.map(|change| &change.resource)))
}

fn diagnostic(written: &WrittenRule, wrong: &Wrong, plan: &Plan) -> Diagnostic {
    let name = &written.rule.name;
    let (code, message, help) = match wrong {
        Wrong::NoExpression(why) => {
            ("rules::expression", format!("rule `{name}` is no expression in CEL: {why}"), None)
        }
        Wrong::UnknownName(unknown) => {
            let nearest = spec::nearest(unknown, VARIABLES).map(|nearest| format!("did you mean `{nearest}`?"));
            let known = "the variables are `plan`, and `change` with `forEach: change`".to_owned();
            (
                "rules::unknown-name",
                format!("rule `{name}` names `{unknown}`, which is not there"),
                nearest.or(Some(known)),
            )
        }
        Wrong::NoBoolean(found) => {
            ("rules::no-boolean", format!("rule `{name}` is neither true nor false, but of type {found}"), None)
        }
        Wrong::Fails { change, why } => {
            let about = change.and_then(|index| plan.changes.get(index)).map(|change| format!(" on {}", change.id));
            let message = format!("rule `{name}` cannot be evaluated{}: {why}", about.unwrap_or_default());
            ("rules::evaluation", message, Some("look for a field with `has(…)` before it is used".to_owned()))
        }
        Wrong::Broken(why) => ("rules::broken", format!("rule `{name}` cannot be asked: {why}"), None),
    };
    let diagnostic = Diagnostic::error(code, message).at(written.expression_at.clone());
    Diagnostic { help, ..diagnostic }
}

#[cfg(test)]
mod tests;
