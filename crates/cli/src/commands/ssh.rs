//! `ssh`: logs in to a machine with the operator's key, its host key pinned.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::Args;
use engine::ObserveContext as _;
use model::{Machine, ids};
use resource::Reference;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

use crate::app::App;
use crate::arguments::cluster_name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{open, power, reach};

/// Arguments of `ssh`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the cluster
    #[arg(value_name = "CLUSTER", value_parser = cluster_name)]
    cluster: String,
    /// Name or address of the machine
    #[arg(value_name = "MACHINE")]
    machine: String,
    /// Command to run there
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let open = open::cluster(app, &arguments.cluster).await?;
    let asked = &arguments.machine;
    let has_address = |machine: &Machine| machine.address.known().is_some_and(|known| known.to_string() == *asked);
    let is_it = |machine: &&Machine| machine.name == *asked || has_address(machine);
    let known = open.known();
    let Some(machine) = known.machines.iter().find(is_it) else {
        let names: Vec<&str> = open.resolved.machines.iter().map(|machine| machine.name.as_str()).collect();
        return Err(CommandError::failed(format!(
            "cluster {} has no machine {}",
            arguments.cluster, arguments.machine
        ))
        .hint(format!("its machines are: {}", names.join(", "))));
    };
    let target = reach::target(&open.cluster, &open.resolved, machine)?;
    let key = open
        .cluster
        .outputs
        .output(&Reference::new(ids::ssh_key("operator"), "private"))
        .map_err(|error| CommandError::from_source("there is no key to log in with", &error))?;
    let (key_file, _key) = memory_file("operator-key", key.text().unwrap_or_default())?;
    let known_host = format!("{} {}\n", target.address.ip(), target.host_key);
    let (known_hosts, _known) = memory_file("known-hosts", &known_host)?;
    let _lent = app.stop.lent();
    let status = std::process::Command::new("ssh")
        .arg("-i")
        .arg(&key_file)
        .arg("-o")
        .arg(format!("UserKnownHostsFile={known_hosts}"))
        .args(["-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-o", "HostKeyAlgorithms=ssh-ed25519"])
        .args(["-p", &target.address.port().to_string()])
        .arg(format!("{}@{}", target.user, target.address.ip()))
        .args(remote_command(&arguments.command))
        .status()
        .map_err(|error| CommandError::from_source("cannot start ssh", &error).hint("install an OpenSSH client"))?;
    // 255 is ssh's own.
    if status.code() == Some(255)
        && let Some(hint) = power::start_hint(&open.cluster.loaded, &arguments.cluster)
    {
        app.say(format!("hint: {hint}"));
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(Exit::Failed, Exit::Program))
}

/// The words as one text that the shell there takes apart into the same words again: ssh itself would join them with blanks.
/// A single word is a text for that shell, as with ssh. Nothing where no command is given.
fn remote_command(words: &[OsString]) -> Option<OsString> {
    match words {
        [] => None,
        [text] => Some(text.clone()),
        words => {
            let quoted: Vec<Vec<u8>> = words.iter().map(|word| quoted(word.as_bytes())).collect();
            Some(OsString::from_vec(quoted.join(&b' ')))
        }
    }
}

/// A word as a shell reads it, whatever bytes are in it.
fn quoted(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let mut text = vec![b'\''];
    for byte in word {
        if *byte == b'\'' { text.extend(b"'\\''") } else { text.push(*byte) }
    }
    text.push(b'\'');
    text
}

/// A file that lives in memory only, and no longer than this process. ssh opens it through this process's descriptors,
/// because it closes all it inherits.
fn memory_file(name: &str, content: &str) -> Result<(String, OwnedFd), CommandError> {
    let failed = |error: std::io::Error| CommandError::from_source("cannot hand the key to ssh", &error);
    let file = memfd_create(name, MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
    let mut file = File::from(file);
    file.write_all(content.as_bytes()).map_err(failed)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((path, file.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(words: &[&[u8]]) -> Option<Vec<u8>> {
        let words: Vec<OsString> = words.iter().map(|word| OsString::from_vec(word.to_vec())).collect();
        remote_command(&words).map(OsString::into_vec)
    }

    #[test]
    fn a_shell_takes_the_words_apart_as_they_were_given() {
        let words: [&[u8]; 6] = [b"printf", b"[%s]", b"a b", b"it's", b"", b"$HOME *\xff"];
        let text = OsString::from_vec(remote(&words).unwrap());
        let printed = std::process::Command::new("sh").arg("-c").arg(text).output().unwrap();
        assert_eq!(printed.stdout, b"[a b][it's][][$HOME *\xff]");
    }

    #[test]
    fn one_word_is_a_text_for_the_shell_and_none_is_a_login() {
        assert_eq!(remote(&[b"ls /tmp | wc -l"]).unwrap(), b"ls /tmp | wc -l");
        assert_eq!(remote(&[]), None);
    }
}
