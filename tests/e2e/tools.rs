//! What people do to pods with kubectl: read logs, run commands, copy files, forward ports, go through the proxy.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use crate::probe;
use crate::world::World;

/// All of it, on a pod of the web service.
pub(crate) fn work(world: &World) {
    let pod = world.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"]);
    world.eventually(&["logs", &pod], |text| text.contains("Started HTTP server"));
    assert_eq!(world.kubectl(&["exec", &pod, "--", "/agnhost", "--version"]).lines().count(), 1);
    copies(world, &pod);

    let forward = Background::start(world, &["port-forward", &pod, ":8080"]);
    probe::from_host(&forward.address);
    let proxy = Background::start(world, &["proxy", "--port=0"]);
    assert!(probe::get(&proxy.address, "/version").contains("gitVersion"), "the API answers through the proxy");
    let through = format!("/api/v1/namespaces/default/pods/{pod}:8080/proxy/hostname");
    assert!(probe::get(&proxy.address, &through).contains(&pod), "a pod answers through the API");
}

fn copies(world: &World, pod: &str) {
    let there = format!("{pod}:/tmp/copied");
    let here = world.write("to-copy", "copied there and back");
    world.kubectl(&["cp", &here, &there]);
    let back = world.write("copied-back", "");
    world.kubectl(&["cp", &there, &back]);
    assert_eq!(std::fs::read_to_string(back).expect("the copy"), "copied there and back");
}

/// A kubectl that serves on a port of this host until it is forgotten.
struct Background {
    child: Child,
    /// Kept open: it says more when it is used.
    _said: BufReader<ChildStdout>,
    address: String,
}

impl Background {
    /// Starts it and waits until it says where it serves.
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world.kubectl_command(arguments).stdout(Stdio::piped()).spawn().expect("kubectl starts");
        let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("kubectl says where it serves");
        let found = line.split_whitespace().find(|word| word.starts_with("127.0.0.1:"));
        let address = found.unwrap_or_else(|| panic!("kubectl {arguments:?} says {line}")).to_owned();
        Self { child, _said: said, address }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
