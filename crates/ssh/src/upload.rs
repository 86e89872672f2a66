//! Puts a file on a machine: written beside its place, flushed to its disk, checked by digest, then renamed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::HostError;
use tokio::sync::mpsc;

use crate::host::SshHost;
use crate::input::{Bytes, FileInput, Input};
use crate::quote::quote;

/// Distinguishes uploads of this process to the same place.
static UPLOADS: AtomicU64 = AtomicU64::new(0);

/// Uploads `local` to `remote`; `sent` hears how many bytes are on their way.
pub(crate) async fn upload(
    host: &SshHost,
    local: &Path,
    remote: &str,
    mode: u32,
    sent: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), HostError> {
    let partial = format!("{remote}.{}-{}.partial", std::process::id(), UPLOADS.fetch_add(1, Ordering::Relaxed));
    let placed = place(host, local, remote, &partial, mode, sent).await;
    if placed.is_err() {
        let _ = shell(host, &format!("rm -f {}", quote(&partial)), &mut Bytes::new(Vec::new())).await;
    }
    placed
}

async fn place(
    host: &SshHost,
    local: &Path,
    remote: &str,
    partial: &str,
    mode: u32,
    sent: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), HostError> {
    let mut file = FileInput::open(local, sent).await.map_err(|error| host.unusable_input(error))?;
    let arrived = shell(host, &write_command(remote, partial, mode), &mut file).await?;
    if arrived.split_whitespace().next() != Some(file.digest().as_str()) {
        return Err(HostError::Failed {
            name: host.name().to_owned(),
            command: format!("sha256sum {partial}"),
            status: 0,
            stderr: vec!["what arrived has another digest than what was sent".to_owned()],
        });
    }
    shell(host, &place_command(remote, partial), &mut Bytes::new(Vec::new())).await?;
    Ok(())
}

fn directory(remote: &str) -> &str {
    remote.rsplit_once('/').map_or(".", |(directory, _)| if directory.is_empty() { "/" } else { directory })
}

/// Renames `partial` durably. `sync` takes names since coreutils 8.24; where it does not, all is flushed.
fn place_command(remote: &str, partial: &str) -> String {
    let (directory, partial, remote) = (quote(directory(remote)), quote(partial), quote(remote));
    format!("mv -f {partial} {remote} && {{ sync {directory} 2>/dev/null || sync; }}")
}

/// Writes standard input to `partial`, durably, and prints its digest.
fn write_command(remote: &str, partial: &str, mode: u32) -> String {
    let (directory, partial) = (quote(directory(remote)), quote(partial));
    format!(
        "mkdir -p {directory} && umask 077 && cat > {partial} && chmod {mode:04o} {partial} && \
         {{ sync {partial} 2>/dev/null || sync; }} && sha256sum < {partial}"
    )
}

/// Runs a command that must succeed and gives its last line; a login script may have printed lines before it.
async fn shell(host: &SshHost, command: &str, input: &mut impl Input) -> Result<String, HostError> {
    let (lines, mut received) = mpsc::channel(16);
    let last_line = async {
        let mut last = String::new();
        while let Some(line) = received.recv().await {
            last = line;
        }
        last
    };
    let (exit, last) = tokio::join!(host.execute(command, input, lines), last_line);
    let exit = exit?;
    match exit.status {
        0 => Ok(last),
        -1 => Err(HostError::Unreachable { name: host.name().to_owned(), why: "the connection was lost".to_owned() }),
        status => Err(HostError::Failed {
            name: host.name().to_owned(),
            command: command.to_owned(),
            status,
            stderr: exit.stderr,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_unreadable_for_others_and_digested() {
        assert_eq!(
            write_command("/opt/it's/x", "/opt/it's/x.1-0.partial", 0o755),
            r"mkdir -p '/opt/it'\''s' && umask 077 && cat > '/opt/it'\''s/x.1-0.partial' && chmod 0755 '/opt/it'\''s/x.1-0.partial' && { sync '/opt/it'\''s/x.1-0.partial' 2>/dev/null || sync; } && sha256sum < '/opt/it'\''s/x.1-0.partial'"
        );
    }

    #[test]
    fn its_new_name_is_flushed_too() {
        assert_eq!(
            place_command("/opt/x", "/opt/x.1-0.partial"),
            "mv -f '/opt/x.1-0.partial' '/opt/x' && { sync '/opt' 2>/dev/null || sync; }"
        );
    }

    #[test]
    fn a_file_in_the_root_directory_has_a_parent_too() {
        assert!(write_command("/x", "/x.partial", 0o600).contains("mkdir -p '/' &&"));
    }
}
