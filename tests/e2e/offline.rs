//! A network of its own with nothing in it but the loopback: what runs there reaches nobody.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that holds the network until it is forgotten.
pub(crate) struct Offline {
    holder: Child,
}

impl Offline {
    /// Makes the network.
    pub(crate) fn enter() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up && echo ready && exec sleep infinity"]);
        let mut holder = command.stdout(Stdio::piped()).spawn().expect("unshare starts");
        let mut line = String::new();
        let said = holder.stdout.take().expect("a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).expect("the network is there");
        assert_eq!(line, "ready\n");
        Self { holder }
    }

    /// A program that runs there.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id())).arg("--").arg(program);
        command
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
