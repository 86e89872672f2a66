//! A cluster's name is a name, never a path, and a mistyped one leaves nothing behind.

use crate::user::{User, ends};

/// Every command that takes a name, with `NAME` in its place.
const COMMANDS: [&str; 27] = [
    "create cluster NAME",
    "update cluster NAME",
    "update cluster NAME --yes",
    "get cluster NAME",
    "get machines NAME",
    "get revisions NAME",
    "get runs NAME",
    "get join-command NAME",
    "edit cluster NAME",
    "set cluster NAME spec.kubernetesVersion=1.36",
    "diff cluster NAME abc",
    "rollback cluster NAME --to abc",
    "graph cluster NAME",
    "delete cluster NAME",
    "delete cluster NAME --yes",
    "validate cluster NAME",
    "export kubeconfig NAME",
    "load image x.tar --name NAME",
    "stop cluster NAME",
    "start cluster NAME",
    "ssh NAME control-plane-1",
    "state list NAME",
    "state show NAME machine/x",
    "state forget NAME machine/x --yes",
    "state unlock NAME --force",
    "secrets recipients add NAME age1x",
    "state copy FROM TO --name NAME",
];

fn words<'a>(command: &'a str, name: &'a str) -> Vec<&'a str> {
    command.split(' ').map(|word| if word == "NAME" { name } else { word }).collect()
}

#[test]
fn a_path_is_no_name_in_any_command() {
    let user = User::new();
    for command in COMMANDS {
        for name in ["../../x", "/tmp/x", "a/b", ".", "", "Demo"] {
            ends(&user.run(&words(command, name)), 2, &["invalid value"]);
        }
    }
    assert!(user.files().is_empty(), "{:?}", user.files());
}

#[test]
fn a_mistyped_name_leaves_nothing_behind_and_the_right_one_is_named() {
    let user = User::with_clusters(&["terminal1", "other"]);
    let before = user.files();
    for command in COMMANDS.iter().filter(|command| !command.starts_with("create") && !command.contains("copy")) {
        let output = user.run(&words(command, "terminal2"));
        assert!(!output.status.success(), "{command}");
        ends(&output, 1, &["there is no cluster terminal2", "did you mean terminal1?", "there are: other, terminal1"]);
        assert_eq!(user.files(), before, "{command}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_usage_error() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let user = User::new();
    let output = user.command(&["get", "cluster"]).arg(OsStr::from_bytes(b"d\xffmo")).output().unwrap();
    ends(&output, 2, &["UTF-8"]);
    let with_a_command =
        user.command(&["ssh", "terminal1", "cp", "--"]).arg(OsStr::from_bytes(b"\xff")).output().unwrap();
    ends(&with_a_command, 1, &["there is no cluster terminal1"]);
}
