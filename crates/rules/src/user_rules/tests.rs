//! Tests of the user's rules.

use super::*;

const HEAD: &str = "apiVersion: kubewright.io/v1alpha1\nkind: PlanRules\nrules:\n";

fn read(rules: &str) -> Result<UserRules, Vec<Diagnostic>> {
    UserRules::read(&[Source::new("r.yaml", format!("{HEAD}{rules}"))])
}

fn plan(changes: &[(&str, Operation)]) -> Plan {
    let change = |(id, operation): &(&str, Operation)| Change::new(&id.parse().unwrap(), *operation, Reason::New);
    Plan { changes: changes.iter().map(change).collect(), ..Plan::empty(Base::of_nothing("demo")) }
}

const NO_DELETES: &str =
    "- {name: no-deletes, forEach: change, deny: \"change.operation == 'delete'\", message: nothing is deleted}\n";

#[test]
fn deny_speaks_of_the_changes_for_which_it_is_true() {
    let rules = read(NO_DELETES).unwrap();
    let plan = plan(&[("machine/a", Operation::Create), ("machine/b", Operation::Delete)]);
    let findings = rules.check(&plan).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].rule.as_str(), findings[0].severity), ("no-deletes", Severity::Refuse));
    assert_eq!(findings[0].resources, [ResourceId::new("machine", "b")]);
    assert!(findings[0].hint.contains("r.yaml:4"), "{}", findings[0].hint);
}

#[test]
fn what_no_rule_minds_has_no_findings() {
    assert_eq!(read(NO_DELETES).unwrap().check(&plan(&[("machine/a", Operation::Create)])), Ok(Vec::new()));
    assert_eq!(UserRules::default().check(&plan(&[("machine/a", Operation::Delete)])), Ok(Vec::new()));
}

#[test]
fn allow_speaks_where_it_is_false_and_warns_if_it_says_so() {
    let rules = read("- {name: few, allow: \"size(plan.changes) < 2\", message: many, severity: warn}\n").unwrap();
    assert_eq!(rules.check(&plan(&[("a/a", Operation::Create)])), Ok(Vec::new()));
    let findings = rules.check(&plan(&[("a/a", Operation::Create), ("a/b", Operation::Create)])).unwrap();
    assert_eq!((findings[0].severity, findings[0].resources.len()), (Severity::Warn, 0));
}

#[test]
fn an_expression_that_is_none_names_the_unknown_or_is_no_boolean_is_refused_with_its_place() {
    for (expression, code, help) in [
        ("plan.changes ==", "rules::expression", None),
        ("plna.changes == []", "rules::unknown-name", Some("did you mean `plan`?")),
        ("change.id == ''", "rules::unknown-name", None),
        ("size(plan.changes)", "rules::no-boolean", None),
        ("sice(plan.changes) == 1", "rules::unknown-name", None),
    ] {
        let wrong = read(&format!("- name: a\n  message: m\n  deny: \"{expression}\"\n")).unwrap_err();
        assert_eq!((wrong[0].code.as_str(), wrong[0].labels[0].line), (code, 6), "{expression}: {wrong:?}");
        if help.is_some() {
            assert_eq!(wrong[0].help.as_deref(), help);
        }
    }
}

#[test]
fn a_rule_that_cannot_be_asked_about_a_plan_is_an_error_that_names_the_change() {
    let rules = read("- {name: a, forEach: change, deny: \"change.after.size > 1\", message: m}\n").unwrap();
    let wrong = rules.check(&plan(&[("machine/a", Operation::Create)])).unwrap_err();
    assert_eq!(wrong[0].code, "rules::evaluation");
    assert!(wrong[0].message.contains("create machine/a"), "{}", wrong[0].message);
}

#[test]
fn two_rules_of_one_name_are_refused() {
    let wrong = read(&[NO_DELETES, NO_DELETES].concat()).unwrap_err();
    assert_eq!((wrong[0].code.as_str(), wrong[0].labels.len()), ("rules::repeated", 2));
}

#[test]
fn the_digest_is_of_what_rules_say_and_not_of_how_it_is_written() {
    let digest = |text: &str| read(text).unwrap().digest();
    assert_eq!(digest(NO_DELETES), digest(&format!("# for safety\n{NO_DELETES}\n")));
    assert_ne!(digest(NO_DELETES), digest(&NO_DELETES.replace("delete'", "forget'")));
    assert_eq!(UserRules::default().digest(), None);
}
