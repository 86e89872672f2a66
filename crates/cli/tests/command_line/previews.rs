//! A preview writes nothing.

use crate::user::{User, ends};

#[test]
fn a_preview_writes_nothing() {
    let user = User::with_clusters(&["terminal1"]);
    let before = user.files();
    let (head, key) = (user.path(".local/state/kubewright/clusters/terminal1/head.json"), user.path(".config"));
    let stored = std::fs::read(&head).unwrap();
    assert!(!key.exists(), "nothing was made yet that a key is needed for");
    for command in [
        "update cluster terminal1",
        "update cluster terminal1 --refresh=false",
        "update cluster terminal1 --drift-only",
        "graph cluster terminal1",
        "delete cluster terminal1",
        "create cluster another --dry-run",
        "state forget terminal1 machine/terminal1/control-plane-1",
    ] {
        user.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(user.files(), before, "{command}");
        assert_eq!(std::fs::read(&head).unwrap(), stored, "{command}");
    }
}

#[test]
fn what_is_said_of_a_preview_is_what_became_of_it() {
    let user = User::with_clusters(&["terminal1"]);
    let revisions = user.json(&["get", "revisions", "terminal1"]);
    let first = revisions[0]["revision"].as_str().unwrap().to_owned();
    user.done(&["set", "cluster", "terminal1", "spec.addons.localPath.enabled=false"]);
    let rolled_back = user.run(&["rollback", "cluster", "terminal1", "--to", &first]);
    ends(&rolled_back, 0, &["is the wanted one now, and nothing else was changed. To carry this out"]);
    let deleted = user.run(&["delete", "cluster", "terminal1", "--max-destroy", "3"]);
    let again = "kubewright delete cluster terminal1 --max-destroy 3 --yes";
    ends(&deleted, 0, &["Nothing of cluster terminal1 is there but its record.", again]);
}

#[test]
fn a_creation_that_is_typed_again_goes_on_with_the_same_documents_only() {
    let user = User::with_clusters(&["terminal1"]);
    let before = user.files();
    let again = user.run(&["create", "cluster", "terminal1", "--node-count", "0"]);
    ends(&again, 0, &["Cluster terminal1 was begun with the same documents and is not finished", "to create"]);
    assert_eq!(user.files(), before, "it is the same cluster, and nothing was asked for but a preview");
    let other = user.run(&["create", "cluster", "terminal1", "--node-count", "1"]);
    ends(&other, 1, &["cluster terminal1 exists already"]);
    user.done(&["set", "cluster", "terminal1", "spec.addons.localPath.enabled=false"]);
    let moved = user.run(&["create", "cluster", "terminal1", "--node-count", "0"]);
    ends(&moved, 1, &["cluster terminal1 exists already"]);
}

#[test]
fn what_is_suggested_goes_to_the_same_store() {
    let user = User::with_clusters(&[]);
    let state = user.path("o'neill's state").display().to_string();
    user.done(&["create", "cluster", "terminal1", "--node-count", "0", "--state", &state]);
    let output = user.run(&["create", "cluster", "terminal1", "--node-count", "1", "--state", &state]);
    let option = format!("--state '{}'", state.replace('\'', r"'\''"));
    let goes_on = format!("kubewright update cluster terminal1 --yes {option}");
    let changes = format!("kubewright set cluster terminal1 FIELD=VALUE {option}");
    let replaces = format!("kubewright replace -f FILE {option}, or");
    ends(&output, 1, &[&goes_on, &changes, &replaces]);
}

#[test]
fn what_a_preview_would_allocate_is_allocated_when_it_is_carried_out() {
    let user = User::with_clusters(&["terminal1"]);
    user.done(&["set", "cluster", "terminal1", "--instance-group", "control-plane", "spec.count=3"]);
    let before = user.files();
    let plan = user.json(&["update", "cluster", "terminal1"]);
    let ids: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().filter_map(|change| change["resource"].as_str()).collect();
    assert!(ids.contains(&"machine/terminal1/control-plane-3"), "{ids:?}");
    assert_eq!(user.files(), before);
}
