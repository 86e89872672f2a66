//! The agent on a machine: put there when it is missing, asked, listened to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::{Host, HostConnector, HostTarget};
use machine::{Reply, Request};
use tokio::sync::mpsc;

use crate::AgentError;
use crate::conversation::Conversation;

/// The agent's binary on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentBinary {
    /// Where it is on this host.
    pub path: PathBuf,
    /// SHA-256 of the file, hex.
    pub sha256: String,
}

impl AgentBinary {
    /// Where it is on a machine; the name holds the digest's first 12 characters.
    pub fn remote_path(&self) -> String {
        format!("/usr/local/bin/kubewright-agent-{}", self.sha256.get(..12).unwrap_or(&self.sha256))
    }
}

impl AgentBinary {
    /// Runs it on a machine, if what stands there is all of it: a file that a power cut or a full disk left torn is none.
    fn command(&self) -> String {
        let (path, sha256) = (self.remote_path(), &self.sha256);
        format!("sh -c '[ \"$(sha256sum < {path})\" = \"{sha256}  -\" ] || exit 127; exec {path}'")
    }
}

/// Every version that was ever put on a machine.
const ALL_VERSIONS: &str = "/usr/local/bin/kubewright-agent-????????????";

/// What to do where the agent is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenMissing {
    /// Put it there.
    Upload,
    /// Leave the machine alone and say so.
    Report,
}

/// Hears what an agent says about its work.
pub(crate) type Note<'a> = &'a (dyn Fn(String) + Send + Sync);

/// Asks agents.
pub(crate) struct Agents {
    connector: Arc<dyn HostConnector>,
    binary: Option<AgentBinary>,
}

impl Agents {
    pub(crate) fn new(connector: Arc<dyn HostConnector>, binary: Option<AgentBinary>) -> Self {
        Self { connector, binary }
    }

    /// Asks the agent of `target` one thing. One connection and one program where the agent is there already.
    pub(crate) async fn ask(
        &self,
        target: &HostTarget,
        timeout: Duration,
        missing: WhenMissing,
        request: &Request,
        note: Note<'_>,
    ) -> Result<Reply, AgentError> {
        let binary = self.binary.as_ref().ok_or_else(|| AgentError::NotBuilt { machine: target.name.clone() })?;
        note("connecting".to_owned());
        let host = self.connector.connect(target, timeout).await?;
        match converse(binary, host.as_ref(), &target.name, request, note).await {
            Err(AgentError::NotThere { .. }) if missing == WhenMissing::Upload => {
                note("uploading the agent".to_owned());
                host.upload(&binary.path, &binary.remote_path(), 0o755).await?;
                converse(binary, host.as_ref(), &target.name, request, note).await.map_err(|error| match error {
                    AgentError::NotThere { machine } => AgentError::CannotRun { machine, stderr: Vec::new() },
                    other => other,
                })
            }
            answer => answer,
        }
    }

    /// Takes the agent off a machine, in all versions. One that is bound there from outside stays.
    pub(crate) async fn remove(&self, target: &HostTarget, timeout: Duration) -> Result<(), AgentError> {
        let host = self.connector.connect(target, timeout).await?;
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        host.run(&format!("rm -f {ALL_VERSIONS}"), Vec::new(), sender).await?;
        Ok(())
    }
}

async fn converse(
    binary: &AgentBinary,
    host: &dyn Host,
    machine: &str,
    request: &Request,
    note: Note<'_>,
) -> Result<Reply, AgentError> {
    // A request is plain data; nothing in it can fail to serialise.
    let input = serde_json::to_vec(request).map_err(|_| AgentError::Unexpected { machine: machine.to_owned() })?;
    let command = binary.command();
    let (sender, mut lines) = mpsc::channel::<String>(64);
    let mut conversation = Conversation::default();
    let listen = async {
        while let Some(line) = lines.recv().await {
            if let Some(fragment) = conversation.line(&line).and_then(fragment) {
                note(fragment);
            }
        }
    };
    let (exit, ()) = tokio::join!(host.run(&command, input, sender), listen);
    conversation.answer(machine, exit?)
}

/// What a reply says, for people.
fn fragment(reply: Reply) -> Option<String> {
    match reply {
        Reply::Progress { note } => Some(note),
        Reply::Changed { item, done } => {
            let name = item.split_once('/').map_or(item.as_str(), |(_, name)| name);
            Some(format!("{name} {done}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use sha2::{Digest, Sha256};

    use super::*;

    const PROGRAM: &str = "#!/bin/sh\necho hello\n";

    /// What the command says and how it ends when `there` stands at the agent's place.
    fn run(there: Option<&str>) -> (String, Option<i32>) {
        let directory = tempfile::tempdir().unwrap();
        let binary = AgentBinary { path: "/here".into(), sha256: hex::encode(Sha256::digest(PROGRAM)) };
        let place = directory.path().join("agent");
        if let Some(text) = there {
            std::fs::write(&place, text).unwrap();
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let command = binary.command().replace(&binary.remote_path(), place.to_str().unwrap());
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    #[test]
    fn only_all_of_it_is_run() {
        assert_eq!(run(Some(PROGRAM)), ("hello\n".to_owned(), Some(0)));
        for torn in [Some(""), Some("#!/bin/sh\necho he"), Some("#!/bin/sh\necho hallo\n"), None] {
            assert_eq!(run(torn), (String::new(), Some(127)), "{torn:?}");
        }
    }
}
