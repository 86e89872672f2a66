//! A host that lacks what machines need: previews warn, `--yes` refuses before anything is got or installed.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::user::{User, ends};

/// Documents of a cluster whose assets are looked for nowhere in the network.
fn documents(user: &User, name: &str) -> String {
    let documents = user.done(&["create", "cluster", name, "--node-count", "0", "--dry-run"]);
    user.write(&format!("{name}.yaml"), &documents.replacen("spec:\n", "spec:\n  assets: {sources: [go]}\n", 1))
}

/// The program as somebody starts it who is not root. Who is none anyway stays who they are.
fn as_nobody(user: &User, line: &str) -> Output {
    const NOBODY: u32 = 65534;
    let words: Vec<&str> = line.split(' ').collect();
    if !is_root() {
        return user.run(&words);
    }
    // Where the program was compiled may be root's alone.
    let program = user.path("kubewright");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_kubewright"), &program).unwrap();
        chown(user.path(""), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let known = user.command(&[]);
    let mut command = Command::new(program);
    command.args(words).current_dir(user.path("")).env_clear().uid(NOBODY).gid(NOBODY);
    command.envs(known.get_envs().filter_map(|(name, value)| Some((name, value?)))).output().unwrap()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

#[test]
fn a_host_that_is_not_fit_is_told_by_previews_and_refused_before_assets_are_got() {
    let user = User::new();
    let file = documents(&user, "terminal1");
    let says = |line: &str, code, says: &[&str]| {
        ends(&as_nobody(&user, line), code, says);
    };
    let (refused, need) = ("this host cannot carry the cluster's machines yet; nothing was changed", "need root");
    says(&format!("create cluster terminal1 -f {file} --yes"), 1, &[refused, need]);
    assert!(!user.path(".local/state/kubewright/clusters/terminal1").exists(), "nothing was kept");
    let warning = "Warning: this host cannot carry the cluster's machines yet";
    says(&format!("create cluster terminal1 -f {file}"), 0, &[warning, need]);
    says("update cluster terminal1", 0, &[warning, need]);
    says("update cluster terminal1 --yes", 1, &[refused, need]);
    let only = as_nobody(&user, "update cluster terminal1 --target ssh-key/control-plane-1");
    ends(&only, 0, &["1 to create", "kubewright update cluster terminal1 --target ssh-key/control-plane-1 --yes"]);
    assert!(!String::from_utf8_lossy(&only.stderr).contains(warning), "no machine is made");
    let cached = std::fs::read_dir(user.path(".cache/kubewright/assets")).into_iter().flatten().count();
    assert_eq!(cached, 0, "no asset was got");
}

/// The program on a host without systemd-nspawn, whose package manager leaves a file behind and installs nothing.
fn without_nspawn(user: &User, line: &str) -> Output {
    let manager = user.path("apt-get");
    if !manager.exists() {
        user.write("apt-get", &format!("#!/bin/sh\ntouch {}\n", user.path("installed").display()));
        std::fs::set_permissions(&manager, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let known = user.command(&[]);
    let script =
        "mount --bind /dev/null /usr/bin/systemd-nspawn && mount --bind \"$0\" /usr/bin/apt-get && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(manager).arg(env!("CARGO_BIN_EXE_kubewright"));
    command.args(line.split(' ')).current_dir(user.path("")).env_clear();
    command.envs(known.get_envs().filter_map(|(name, value)| Some((name, value?)))).output().unwrap()
}

#[test]
fn a_host_is_set_up_only_when_nothing_can_refuse_any_more() {
    let programs = ["/usr/bin/systemd-nspawn", "/usr/bin/apt-get", "/usr/bin/unshare"];
    if !is_root() || !programs.iter().all(|program| Path::new(program).exists()) {
        println!("SKIPPED: hiding a program of this host needs root, systemd-nspawn, apt-get and unshare");
        return;
    }
    let user = User::new();
    let says = |line: &str, code, says: &[&str]| {
        ends(&without_nspawn(&user, line), code, says);
    };
    let file = documents(&user, "terminal1");
    let login = "spec:\n  containerd: {registryCredentials: {r.example: {username: u, passwordFile: /nowhere}}}\n";
    let text = std::fs::read_to_string(&file).unwrap().replacen("spec:\n", login, 1);
    let with_login = user.write("login.yaml", &text);
    says(&format!("create cluster terminal1 --setup-host --yes -f {with_login}"), 10, &["passwordFile"]);
    let rules =
        "apiVersion: kubewright.io/v1alpha1\nkind: PlanRules\nrules: [{name: none, deny: 'true', message: no}]\n";
    let rules = user.write("rules.yaml", rules);
    says(&format!("create cluster terminal1 -f {file} --setup-host --rules {rules} --yes"), 11, &["refused by"]);
    let file = documents(&user, "terminal2");
    let would = ["with --yes this would run", "systemd-container"];
    says(&format!("create cluster terminal2 -f {file} --setup-host"), 0, &would);
    assert!(!user.path("installed").exists());
    // This package manager brings nothing, so that what is still missing is refused, before assets are got.
    let hint = "kubewright preflight --setup-host";
    let file = documents(&user, "terminal3");
    says(&format!("create cluster terminal3 -f {file} --setup-host --yes"), 1, &["program systemd-nspawn", hint]);
    assert!(user.path("installed").exists());
}
