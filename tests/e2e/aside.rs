//! Where something of the host is out of sight: a network of its own with nothing in it or with a firewall of its own, or a
//! directory that looks empty.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A kind of namespace: its option, and its file.
type Namespace = (&'static str, &'static str);

const NETWORK: Namespace = ("--net", "net");

/// Who answers on the network beyond a place's firewall.
pub(crate) const BEYOND: &str = "203.0.113.1";

/// A process that holds such a place until it is forgotten.
pub(crate) struct Aside {
    holder: Child,
    /// Holds the network that is reached from there.
    beyond: Option<Child>,
    /// What is another one than the host's: the option of unshare and nsenter, and the file below /proc.
    namespace: Namespace,
}

impl Aside {
    /// A place from where nobody can be reached.
    pub(crate) fn offline() -> Self {
        Self { holder: hold(NETWORK, "ip link set lo up"), beyond: None, namespace: NETWORK }
    }

    /// A place with another network beyond it, and with the firewall that `rules`, a file of nft's, makes there.
    pub(crate) fn behind(rules: &Path) -> Self {
        let beyond = hold(NETWORK, "ip link set lo up");
        let there = beyond.id();
        let script = format!(
            "ip link set lo up \
             && ip link add wan0 type veth peer name wan0 netns {there} \
             && ip address add 203.0.113.2/24 dev wan0 && ip link set wan0 up \
             && nsenter --net=/proc/{there}/ns/net sh -c 'ip address add {BEYOND}/24 dev wan0 && ip link set wan0 up' \
             && ip route add default via {BEYOND} && nft -f '{}'",
            rules.display()
        );
        Self { holder: hold(NETWORK, &script), beyond: Some(beyond), namespace: NETWORK }
    }

    /// A place where a directory is empty.
    pub(crate) fn without(directory: &Path) -> Self {
        let namespace = ("--mount", "mnt");
        let holder = hold(namespace, &format!("mount -t tmpfs tmpfs '{}'", directory.display()));
        Self { holder, beyond: None, namespace }
    }

    /// A program that runs there.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let (option, file) = self.namespace;
        command.arg(format!("{option}=/proc/{}/ns/{file}", self.holder.id())).arg("--").arg(program);
        command
    }
}

fn hold(namespace: Namespace, prepare: &str) -> Child {
    let script = format!("{prepare} && echo ready && exec sleep infinity");
    let mut command = Command::new("unshare");
    // From the root: what is hidden must not be where it runs.
    command.args([namespace.0, "sh", "-c", &script]).current_dir("/");
    let mut holder = command.stdout(Stdio::piped()).spawn().expect("unshare starts");
    let mut line = String::new();
    let said = holder.stdout.take().expect("a pipe");
    BufReader::new(said).read_line(&mut line).expect("the place is there");
    assert_eq!(line, "ready\n");
    holder
}

impl Drop for Aside {
    fn drop(&mut self) {
        for holder in [Some(&mut self.holder), self.beyond.as_mut()].into_iter().flatten() {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}
