//! Expressions in CEL on a plan: compiled and evaluated, every failure an answer of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cel::{Context, ExecutionError, Program};
use serde_json::Value;

use super::names;
use super::sandbox::{Broken, apart};

/// The longest expression, in bytes: its tree is as deep as it is long, and every level takes stack.
const LONGEST: usize = 4096;
/// How long all expressions together may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest reason that is passed on: some of the crate's show whole values.
const WHY: usize = 200;
/// Types, which expressions may name too.
const TYPES: [&str; 9] = ["bool", "bytes", "double", "dyn", "int", "list", "map", "string", "uint"];

/// One expression, and what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    pub(super) text: String,
    /// Once for every change, else once for the plan.
    pub(super) each_change: bool,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is none.
    NoExpression(String),
    /// It names something that is not there.
    UnknownName(String),
    /// It is neither true nor false.
    NoBoolean(String),
    /// It could not be evaluated, for the change of this index where it is asked for each.
    Fails { change: Option<usize>, why: String },
    /// It did not end in time, or broke the evaluation.
    Broken(String),
}

/// True or false for the plan, or for each of its changes.
pub(super) type Answer = Result<Vec<bool>, Wrong>;

/// Asks every expression about a plan, given as JSON.
pub(super) fn ask(expressions: Vec<Expression>, plan: Value) -> Vec<Answer> {
    let (count, reached) = (expressions.len(), Arc::new(AtomicUsize::new(0)));
    let progress = reached.clone();
    let answered = apart(LIMIT, move || {
        let changes: Vec<cel::Value> = plan["changes"].as_array().into_iter().flatten().map(to_cel).collect();
        let plan = to_cel(&plan);
        let one = |(index, expression): (usize, &Expression)| {
            progress.store(index, Ordering::Relaxed);
            answer(expression, &plan, &changes)
        };
        expressions.iter().enumerate().map(one).collect()
    });
    answered.unwrap_or_else(|broken| {
        let why = match broken {
            Broken::TooLong => format!("it takes longer than {} s", LIMIT.as_secs()),
            Broken::Failed => "it cannot be evaluated".to_owned(),
        };
        let mut answers = vec![Ok(Vec::new()); count];
        if let Some(answer) = answers.get_mut(reached.load(Ordering::Relaxed)) {
            *answer = Err(Wrong::Broken(why));
        }
        answers
    })
}

fn answer(expression: &Expression, plan: &cel::Value, changes: &[cel::Value]) -> Answer {
    let program = compile(expression)?;
    let mut context = Context::default();
    context.add_variable_from_value("plan", plan.clone());
    if !expression.each_change {
        return evaluate(&program, &context, None).map(|answer| vec![answer]);
    }
    let each = |(index, change): (usize, &cel::Value)| {
        let mut scope = context.new_inner_scope();
        scope.add_variable_from_value("change", change.clone());
        evaluate(&program, &scope, Some(index))
    };
    changes.iter().enumerate().map(each).collect()
}

fn compile(expression: &Expression) -> Result<Program, Wrong> {
    if expression.text.len() > LONGEST {
        return Err(Wrong::NoExpression(format!("it is longer than {LONGEST} bytes")));
    }
    let program = Program::compile(&expression.text).map_err(|errors| {
        let first = errors.errors.first();
        let why = first
            .map_or_else(String::new, |error| format!("{} (line {}, column {})", error.msg, error.pos.0, error.pos.1));
        Wrong::NoExpression(shortened(&why))
    })?;
    let mut known = vec!["plan"];
    known.extend(expression.each_change.then_some("change"));
    known.extend(TYPES);
    match names::unknown(program.expression(), &known) {
        Some(name) => Err(Wrong::UnknownName(name.to_owned())),
        None => Ok(program),
    }
}

fn evaluate(program: &Program, context: &Context<'_, '_>, change: Option<usize>) -> Result<bool, Wrong> {
    match program.execute(context) {
        Ok(cel::Value::Bool(answer)) => Ok(answer),
        Ok(other) => Err(Wrong::NoBoolean(other.type_of().to_string())),
        Err(ExecutionError::UndeclaredReference(name)) => Err(Wrong::UnknownName(name.to_string())),
        Err(error) => Err(Wrong::Fails { change, why: shortened(&error.to_string()) }),
    }
}

fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WHY).collect();
    if text.chars().count() > WHY { format!("{line}…") } else { line }
}

/// JSON as CEL has it: every whole number is an `int`, so that numbers can be compared and added.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(boolean) => cel::Value::Bool(*boolean),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => cel::Value::Int(whole),
            (None, float) => cel::Value::Float(float.unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(fields) => {
            let fields: HashMap<String, cel::Value> =
                fields.iter().map(|(name, field)| (name.clone(), to_cel(field))).collect();
            cel::Value::from(fields)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Value {
        json!({"format": 1, "base": {"serial": 3}, "changes": [{"id": "create a/b", "after": null}, {"id": "delete c/d"}]})
    }

    fn asked(text: &str, each_change: bool) -> Answer {
        ask(vec![Expression { text: text.to_owned(), each_change }], plan()).remove(0)
    }

    #[test]
    fn expressions_see_the_plan_and_each_change() {
        assert_eq!(asked("size(plan.changes) == 2 && plan.base.serial + 1 == 4", false), Ok(vec![true]));
        assert_eq!(asked("change.id.startsWith('delete ')", true), Ok(vec![false, true]));
        assert_eq!(asked("has(change.after) && change.after == null", true), Ok(vec![true, false]));
        assert_eq!(asked("plan.changes.exists(c, c.id.matches('^delete .*d$'))", false), Ok(vec![true]));
    }

    #[test]
    fn what_is_no_expression_or_names_the_unknown_or_is_no_boolean_is_told_apart() {
        assert!(matches!(asked("1 +", false), Err(Wrong::NoExpression(_))));
        assert!(matches!(asked("", false), Err(Wrong::NoExpression(_))));
        assert_eq!(asked("change.id == ''", false), Err(Wrong::UnknownName("change".into())));
        assert_eq!(asked("siez(plan) == 1", false), Err(Wrong::UnknownName("siez".into())));
        assert_eq!(asked("plan.format", false), Err(Wrong::NoBoolean("int".into())));
        let fails = asked("change.after == null", true);
        assert!(matches!(&fails, Err(Wrong::Fails { change: Some(1), why }) if why.contains("after")), "{fails:?}");
    }

    #[test]
    fn the_deepest_and_the_longest_expressions_break_nothing() {
        for (open, inner, close) in [
            ("(", "true", ")"),
            ("[", "1", "]"),
            ("!", "true", ""),
            ("-", "1", ""),
            ("{1:", "1", "}"),
            ("f(", "1", ")"),
            ("true||", "true", ""),
            ("1+", "1", ""),
            ("plan.", "a", ""),
            ("true?true:", "true", ""),
            ("[1].map(x,", "1", ")"),
            ("'", "\"", "\\"),
        ] {
            for depth in [10, 50, 95, 96, 97, 300, 4096 / (open.len() + close.len()) - 4] {
                let text = [open.repeat(depth).as_str(), inner, &close.repeat(depth)].concat();
                let _ = asked(&text, false);
            }
        }
        assert!(matches!(asked(&"1".repeat(LONGEST + 1), false), Err(Wrong::NoExpression(_))));
    }
}
