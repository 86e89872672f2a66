//! Which names an expression uses that nobody gives a meaning: what is mistyped is found before there is a plan.

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr};

/// The first name that is neither in `known` nor made by the expression itself.
pub(super) fn unknown<'a>(expression: &'a IdedExpr, known: &[&'a str]) -> Option<&'a str> {
    let mut scope = known.to_vec();
    search(expression, &mut scope)
}

fn search<'a>(expression: &'a IdedExpr, scope: &mut Vec<&'a str>) -> Option<&'a str> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => None,
        Expr::Ident(name) => (!name.starts_with('@') && !scope.contains(&name.as_str())).then_some(name),
        Expr::Select(select) => search(&select.operand, scope),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).find_map(|part| search(part, scope)),
        Expr::List(list) => list.elements.iter().find_map(|element| search(element, scope)),
        Expr::Map(map) => map.entries.iter().find_map(|entry| in_entry(entry, scope)),
        Expr::Struct(made) => made.entries.iter().find_map(|entry| in_entry(entry, scope)),
        Expr::Comprehension(comprehension) => in_comprehension(comprehension, scope),
    }
}

fn in_entry<'a>(entry: &'a IdedEntryExpr, scope: &mut Vec<&'a str>) -> Option<&'a str> {
    match &entry.expr {
        EntryExpr::StructField(field) => search(&field.value, scope),
        EntryExpr::MapEntry(entry) => search(&entry.key, scope).or_else(|| search(&entry.value, scope)),
    }
}

/// `all`, `exists`, `map` and `filter` name what they go through.
fn in_comprehension<'a>(over: &'a ComprehensionExpr, scope: &mut Vec<&'a str>) -> Option<&'a str> {
    let outside = scope.len();
    let found = search(&over.iter_range, scope).or_else(|| search(&over.accu_init, scope)).or_else(|| {
        scope.push(&over.iter_var);
        scope.extend(over.iter_var2.as_deref());
        scope.push(&over.accu_var);
        [&over.loop_cond, &over.loop_step, &over.result].into_iter().find_map(|part| search(part, scope))
    });
    scope.truncate(outside);
    found
}

#[cfg(test)]
mod tests {
    use cel::Program;

    use super::*;

    fn in_text(text: &str) -> Option<String> {
        let program = Program::compile(text).unwrap();
        unknown(program.expression(), &["plan", "change"]).map(str::to_owned)
    }

    #[test]
    fn a_mistyped_variable_is_found_wherever_it_stands() {
        for text in [
            "plna.changes",
            "plan.changes.all(c, chnage.x)",
            "[1, {'a': b}]",
            "size(x) > 1",
            "plan.all(c, true) && c",
            "a.startsWith('x')",
            "has(x.y)",
        ] {
            assert!(in_text(text).is_some(), "{text}");
        }
    }

    #[test]
    fn variables_and_what_a_macro_names_are_known() {
        for text in [
            "plan.changes.all(c, c.fields.exists(f, f.path[0] == c.id))",
            "change.resource.startsWith('x') && plan.changes.map(c, c.id).size() > size(plan.report)",
            "plan.changes.exists_one(c, has(c.before)) || plan.changes.filter(c, c.replaces).size() == 0",
            "type(1) == int",
        ] {
            assert_eq!(in_text(text).filter(|name| name != "int"), None, "{text}");
        }
    }
}
