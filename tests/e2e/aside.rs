//! Where something of the host is out of sight: a network of its own with nothing in it, or a directory that looks empty.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A kind of namespace: its option, and its file.
type Namespace = (&'static str, &'static str);

/// A process that holds such a place until it is forgotten.
pub(crate) struct Aside {
    holder: Child,
    /// What is another one than the host's: the option of unshare and nsenter, and the file below /proc.
    namespace: Namespace,
}

impl Aside {
    /// A place from where nobody can be reached.
    pub(crate) fn offline() -> Self {
        Self::hold(("--net", "net"), "ip link set lo up")
    }

    /// A place where a directory is empty.
    pub(crate) fn without(directory: &Path) -> Self {
        Self::hold(("--mount", "mnt"), &format!("mount -t tmpfs tmpfs '{}'", directory.display()))
    }

    fn hold(namespace: Namespace, prepare: &str) -> Self {
        let script = format!("{prepare} && echo ready && exec sleep infinity");
        let mut command = Command::new("unshare");
        // From the root: what is hidden must not be where it runs.
        command.args([namespace.0, "sh", "-c", &script]).current_dir("/");
        let mut holder = command.stdout(Stdio::piped()).spawn().expect("unshare starts");
        let mut line = String::new();
        let said = holder.stdout.take().expect("a pipe");
        BufReader::new(said).read_line(&mut line).expect("the place is there");
        assert_eq!(line, "ready\n");
        Self { holder, namespace }
    }

    /// A program that runs there.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let (option, file) = self.namespace;
        command.arg(format!("{option}=/proc/{}/ns/{file}", self.holder.id())).arg("--").arg(program);
        command
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
