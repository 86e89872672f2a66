//! The document `PlanRules`: the user's own conditions on plans, each with its place in the file.

use std::sync::LazyLock;

use resource::{Diagnostic, Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::check::{self, Checked};
use crate::format::RuleName;
use crate::schema::generated;
use crate::shape::Shape;
use crate::source::Source;
use crate::tree::{self, Node};

/// Its `kind`.
pub(crate) const KIND: &str = "PlanRules";

/// Conditions that a plan must meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanRules {
    /// Always `kubewright.io/v1alpha1`.
    #[schemars(extend("const" = crate::API_VERSION))]
    pub api_version: String,
    /// Always `PlanRules`.
    #[schemars(extend("const" = "PlanRules"))]
    pub kind: String,
    /// The rules.
    #[schemars(length(min = 1))]
    pub rules: Vec<PlanRule>,
}

/// One condition, an expression in CEL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanRule {
    /// What the rule is called where it speaks: lower-case letters, digits and `-`.
    #[schemars(with = "RuleName")]
    pub name: String,
    /// Why there is such a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub description: Option<String>,
    /// The rule speaks where this is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub deny: Option<String>,
    /// The rule speaks where this is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub allow: Option<String>,
    /// Ask for each of these, instead of once for the whole plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ForEach")]
    pub for_each: Option<ForEach>,
    /// What is wrong with a plan of which the rule speaks.
    pub message: String,
    /// What becomes of such a plan.
    #[serde(default)]
    pub severity: RuleSeverity,
}

impl PlanRule {
    /// The expression, whichever way round it is; empty where there is none.
    pub fn expression(&self) -> &str {
        self.deny.as_deref().or(self.allow.as_deref()).unwrap_or_default()
    }
}

/// What a rule is asked for each of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ForEach {
    /// Every change of the plan, as the variable `change`.
    Change,
}

/// What becomes of a plan of which a rule speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RuleSeverity {
    /// It is not carried out.
    #[default]
    Refuse,
    /// The user is told.
    Warn,
}

/// A rule and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRule {
    /// The rule.
    pub rule: PlanRule,
    /// Where its name is.
    pub name_at: Label,
    /// Where its expression is.
    pub expression_at: Label,
}

/// The JSON Schema (draft 2020-12) of files of rules.
pub fn plan_rules_schema() -> Value {
    let mut schema = generated::<PlanRules>(false);
    if let Some(Value::Object(rule)) = schema.pointer_mut("/$defs/PlanRule") {
        // The parser says this in words of its own.
        rule.insert("oneOf".to_owned(), json!([{"required": ["deny"]}, {"required": ["allow"]}]));
    }
    schema
}

/// Reads the rules of one file: everything that is wrong is reported at once.
pub fn parse_plan_rules(source: &Source) -> Result<Vec<WrittenRule>, Vec<Diagnostic>> {
    static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::of(&generated::<PlanRules>(true)));
    let (trees, mut diagnostics) = tree::read(source);
    let mut rules = Vec::new();
    for tree in trees.iter().filter(|tree| !tree.is_empty()) {
        if let Some(stranger) = stranger(source, tree) {
            diagnostics.push(stranger);
            continue;
        }
        let checked = check::check(source, tree, &SHAPE);
        match written(source, tree, checked) {
            Ok(found) => rules.extend(found),
            Err(wrong) => diagnostics.extend(wrong),
        }
    }
    if rules.is_empty() && diagnostics.is_empty() {
        let nothing = Diagnostic::error("rules::nothing", format!("there are no rules in {}", source.name));
        diagnostics.push(nothing.help(format!("write a document with `kind: {KIND}`, or leave the file out")));
    }
    if diagnostics.is_empty() { Ok(rules) } else { Err(diagnostics) }
}

/// What is wrong with a document of another kind.
fn stranger(source: &Source, tree: &Node) -> Option<Diagnostic> {
    let kind = tree.entry("kind").filter(|kind| kind.value.text() != Some(KIND))?;
    let message = format!("`{}` is not `{KIND}`", kind.value.text().unwrap_or_default());
    let wrong = Diagnostic::error("rules::kind", message).at_field("kind").at(source.label(kind.value.span, "here"));
    Some(wrong.help("a file of rules contains nothing else"))
}

/// The rules of a document that is as it should be.
fn written(source: &Source, tree: &Node, checked: Checked) -> Result<Vec<WrittenRule>, Vec<Diagnostic>> {
    let label = |field: &str| {
        let span = checked.places.get(field).map_or(tree.span, |place| place.span());
        source.label(span, "here")
    };
    let Some(value) = checked.value.filter(|_| checked.diagnostics.is_empty()) else { return Err(checked.diagnostics) };
    let document: PlanRules = serde_json::from_value(value)
        .map_err(|error| vec![Diagnostic::error("spec::unreadable", error.to_string()).at(label(""))])?;
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for (index, rule) in document.rules.into_iter().enumerate() {
        let path = format!("rules[{index}]");
        let word = if rule.deny.is_some() { "deny" } else { "allow" };
        if rule.deny.is_some() == rule.allow.is_some() {
            let message = format!("rule `{}` needs either `deny` or `allow`", rule.name);
            let about = label(&format!("{path}.name"));
            wrong.push(
                Diagnostic::error("rules::expression", message)
                    .at_field(&path)
                    .at(about)
                    .help("`deny` speaks where its expression is true, `allow` where it is false"),
            );
        }
        let (name_at, expression_at) = (label(&format!("{path}.name")), label(&format!("{path}.{word}")));
        rules.push(WrittenRule { rule, name_at, expression_at });
    }
    if wrong.is_empty() { Ok(rules) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: kubewright.io/v1alpha1\nkind: PlanRules\nrules:\n";

    fn read(rules: &str) -> Result<Vec<WrittenRule>, Vec<Diagnostic>> {
        parse_plan_rules(&Source::new("r.yaml", format!("{HEAD}{rules}")))
    }

    fn wrong(text: &str) -> Vec<(String, usize, usize, String)> {
        let found = parse_plan_rules(&Source::new("r.yaml", text)).unwrap_err();
        let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map_or((0, 0), |at| (at.line, at.column));
        found
            .iter()
            .map(|one| (one.code.clone(), place(one).0, place(one).1, one.help.clone().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn a_rule_is_read_with_its_place_and_refuses_unless_it_says_otherwise() {
        let rules = read("- {name: a, deny: \"true\", message: no}\n- name: b\n  allow: |\n    true\n  message: m\n  forEach: change\n  severity: warn\n").unwrap();
        assert_eq!((rules[0].rule.severity, rules[0].rule.expression()), (RuleSeverity::Refuse, "true"));
        assert_eq!((rules[0].expression_at.line, rules[0].expression_at.column), (4, 19));
        assert_eq!((rules[1].rule.severity, rules[1].rule.for_each), (RuleSeverity::Warn, Some(ForEach::Change)));
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_place_and_the_field_that_is_meant() {
        let found = wrong(&format!("{HEAD}- {{name: a, deny: \"true\", mesage: no}}\n"));
        assert!(found.contains(&("spec::unknown-field".into(), 4, 27, "did you mean `message`?".into())), "{found:?}");
        assert!(found.iter().any(|(code, ..)| code == "spec::missing-field"));
    }

    #[test]
    fn a_rule_has_one_expression() {
        for both in ["- {name: a, message: m}\n", "- {name: a, message: m, deny: \"true\", allow: \"true\"}\n"] {
            assert_eq!(read(both).unwrap_err()[0].code, "rules::expression");
        }
    }

    #[test]
    fn other_documents_versions_and_empty_files_are_refused() {
        assert_eq!(wrong("kind: Cluster\napiVersion: kubewright.io/v1alpha1\n")[0].0, "rules::kind");
        assert_eq!(wrong(&HEAD.replace("v1alpha1", "v2"))[0].0, "spec::wrong-type");
        assert_eq!(wrong("")[0].0, "rules::nothing");
        assert_eq!(wrong(&format!("{HEAD}  []\n"))[0].0, "spec::wrong-length");
        assert!(!wrong("rules: [").is_empty() && !wrong("- 1").is_empty() && !wrong("3").is_empty());
    }
}
