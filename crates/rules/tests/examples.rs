//! The examples of user rules are what they say: each speaks of a plan that it forbids, and of no other.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;

use plan::{Base, Change, Operation, Plan, Reason};
use resource::{Effect, FieldChange};
use rules::{Severity, UserRules};
use serde_json::json;
use spec::Source;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/rules")
}

fn read(name: &str) -> UserRules {
    let text = fs_err::read_to_string(directory().join(name)).unwrap();
    UserRules::read(&[Source::new(name, text)]).unwrap()
}

fn change(id: &str, operation: Operation, reason: Reason) -> Change {
    Change::new(&id.parse().unwrap(), operation, reason)
}

/// Which rules of a file speak of these changes.
fn spoken(name: &str, changes: Vec<Change>) -> Vec<(String, Severity)> {
    let findings = read(name).check(&Plan { changes, ..Plan::empty(Base::of_nothing("demo")) }).unwrap();
    findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect()
}

fn refused(name: &str) -> Vec<(String, Severity)> {
    vec![(name.to_owned(), Severity::Refuse)]
}

#[test]
fn every_example_is_tested_here_and_is_silent_about_an_empty_plan() {
    let files = fs_err::read_dir(directory()).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["api-server-flags.yaml", "no-deletes.yaml", "one-machine-at-a-time.yaml"]);
    assert!(names.iter().all(|name| spoken(name, Vec::new()).is_empty()));
}

#[test]
fn no_deletes_refuses_deletes_only() {
    let delete = change("machine/demo/w-1", Operation::Delete, Reason::NoLongerWanted);
    assert_eq!(spoken("no-deletes.yaml", vec![delete]), refused("no-deletes"));
    assert!(spoken("no-deletes.yaml", vec![change("machine/demo/w-1", Operation::Create, Reason::New)]).is_empty());
}

#[test]
fn one_machine_at_a_time_refuses_the_second_replacement() {
    let replace = |id: &str| {
        let reason = Reason::CannotUpdate { field: "address".into() };
        Change { replaces: true, ..change(id, Operation::Delete, reason) }
    };
    let two = vec![replace("machine/demo/w-1"), replace("machine/demo/w-2")];
    assert_eq!(spoken("one-machine-at-a-time.yaml", two), refused("one-machine-at-a-time"));
    let other = vec![replace("machine/demo/w-1"), replace("certificate/w-1/kubelet")];
    assert!(spoken("one-machine-at-a-time.yaml", other).is_empty());
}

#[test]
fn kubelet_restarting_everywhere_is_a_warning() {
    let restart = |number: usize| {
        let (machine, unit) = (format!("w-{number}"), "kubelet.service".to_owned());
        let update = change(&format!("machine-config/{machine}"), Operation::Update, Reason::SpecChanged);
        let effects = vec![Effect::Drains { node: machine.clone() }, Effect::Restarts { unit, machine }];
        Change { effects, ..update }
    };
    let found = spoken("one-machine-at-a-time.yaml", (0..4).map(restart).collect());
    assert_eq!(found, [("kubelet-everywhere".to_owned(), Severity::Warn)]);
    assert!(spoken("one-machine-at-a-time.yaml", (0..3).map(restart).collect()).is_empty());
}

#[test]
fn flags_of_the_api_server_change_only_as_the_spec_says() {
    let update = |reason: Reason, file: &str| {
        let path = vec!["config".to_owned(), "files".to_owned(), file.to_owned(), "content".to_owned()];
        let (before, after) = (Some(json!("a")), Some(json!("b")));
        let field = FieldChange { path, before, after, secret: false, known_after_apply: false, changed_by: None };
        Change { fields: vec![field], ..change("machine-config/cp-1", Operation::Update, reason) }
    };
    let manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    let name = "api-server-flags.yaml";
    assert_eq!(spoken(name, vec![update(Reason::Drifted, manifest)]), refused("api-server-flags"));
    assert!(spoken(name, vec![update(Reason::SpecChanged, manifest)]).is_empty());
    assert!(spoken(name, vec![update(Reason::Drifted, "/etc/motd")]).is_empty());
}
