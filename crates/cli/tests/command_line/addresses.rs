//! Where state is kept: variables that are empty, addresses that are mistyped, directories that are relative.

use crate::user::{User, ends};

#[test]
fn empty_variables_count_as_unset() {
    let user = User::with_clusters(&["terminal1"]);
    let all = ["KUBEWRIGHT_STATE", "KUBEWRIGHT_CLUSTER", "KUBEWRIGHT_ASSET_LOCK", "KUBEWRIGHT_RULES", "KUBEWRIGHT_LOG"];
    let usual =
        ["XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "KUBECONFIG", "EDITOR", "VISUAL", "NO_COLOR", "CI"];
    let with_nothing = |arguments: &[&str]| {
        let mut command = user.command(arguments);
        command.envs(all.iter().chain(&usual).map(|name| (name, "")));
        command.output().unwrap()
    };
    ends(&with_nothing(&["get", "clusters"]), 0, &["terminal1"]);
    ends(&with_nothing(&["update", "cluster", "terminal1"]), 0, &["to create"]);
    ends(&with_nothing(&["get", "cluster"]), 2, &["<NAME>"]);
    let named = user.command(&["get", "cluster"]).env("KUBEWRIGHT_CLUSTER", "terminal1").output().unwrap();
    ends(&named, 0, &["name: terminal1"]);
}

#[test]
fn a_mistyped_address_is_a_usage_error_and_no_directory() {
    let user = User::new();
    for address in ["s3:/bucket/x", "s3:bucket", "S3://bucket/x", "http://host/x", "gs://bucket", ""] {
        ends(&user.run(&["get", "clusters", "--state", address]), 2, &["invalid value"]);
        ends(&user.run(&["create", "cluster", "terminal1", "--state", address]), 2, &[]);
        ends(&user.run(&["state", "copy", address, "there"]), 2, &[]);
    }
    let by_variable = user.command(&["get", "clusters"]).env("KUBEWRIGHT_STATE", "s3:/bucket/x").output().unwrap();
    ends(&by_variable, 2, &["did you mean s3://bucket/x?"]);
    assert!(user.files().is_empty(), "{:?}", user.files());
}

#[test]
fn a_relative_directory_works_from_anywhere_afterwards() {
    let user = User::new();
    let output = user.run(&["create", "cluster", "terminal1", "--node-count", "0", "--state", "./st"]);
    let there = user.path("st").display().to_string();
    ends(&output, 0, &[&format!("update cluster terminal1 --yes --state {there}")]);
    let elsewhere =
        user.command(&["get", "machines", "terminal1", "--state", &there]).current_dir("/").output().unwrap();
    ends(&elsewhere, 0, &["control-plane-1"]);
}

#[test]
fn documents_alone_live_nowhere_and_go_with_their_state() {
    let user = User::new();
    user.done(&["create", "cluster", "terminal1", "--node-count", "0", "--state", "first"]);
    std::fs::rename(user.path("first"), user.path("second")).unwrap();
    std::os::unix::fs::symlink(user.path("second"), user.path("link")).unwrap();
    for state in ["second", "link"] {
        ends(&user.run(&["update", "cluster", "terminal1", "--state", state]), 0, &["to create"]);
    }
    ends(&user.run(&["delete", "cluster", "terminal1", "--yes", "--state", "second"]), 0, &["is gone"]);
}
