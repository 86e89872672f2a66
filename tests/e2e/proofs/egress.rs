//! SH-01, as far as a host without internet shows it: a shell in a pod, a file that it serves, and a way out of the cluster.

use std::io::Write as _;
use std::process::Stdio;

use super::Tools;
use crate::world::{World, both};

pub(super) fn all(world: &World, tools: &[Tools], registry: &str) {
    a_shell_takes_what_is_typed(world, &tools[0]);
    pods_reach_the_host(world, tools, registry);
}

/// Commands come through the standard input of a shell; what it writes on an emptyDir is served.
fn a_shell_takes_what_is_typed(world: &World, tools: &Tools) {
    const TYPED: &str = "echo Hello shell demo > /seen/index.html\n\
        httpd -p 127.0.0.1:8099 -h /seen\n\
        wget -qO- -T 2 http://localhost:8099/\nenv\nexit 0\n";
    let mut command = world.kubectl_command(&["exec", "--stdin", &tools.pod, "-c", "count", "--", "sh"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("kubectl starts");
    child.stdin.take().expect("a pipe").write_all(TYPED.as_bytes()).expect("it is typed");
    let output = child.wait_with_output().expect("kubectl ends");
    let said = both(&output);
    assert!(output.status.success() && said.starts_with("Hello shell demo\n"), "{said}");
    assert!(said.contains("KUBERNETES_SERVICE_HOST=10.96.0.1"), "{said}");
}

/// From every node; the host knows no way to pods, so it answers to the machines' addresses.
fn pods_reach_the_host(world: &World, tools: &[Tools], registry: &str) {
    for on_node in tools {
        on_node.eventually(world, &format!("wget -qO- -T 2 http://{registry}/v2/"), |text| text == "{}");
    }
}
