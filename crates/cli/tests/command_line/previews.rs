//! A preview writes nothing.

use crate::user::User;

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
