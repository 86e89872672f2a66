//! Directories as archives.

use std::ffi::OsString;
use std::path::Path;

use catalog::AssetKind;
use fs_err as fs;
use tokio_util::sync::CancellationToken;

use crate::process::{self, Program};
use crate::source::FetchContext;
use crate::{AssetCache, AssetError, Task};

/// How tar ends when a file's time of change is another one than before it was read: also where only a hard link to it came or
/// went, as with every machine that is made or removed.
const TOUCHED: i32 = 1;

/// Packs a tree that has content of this digest.
///
/// GNU tar keeps what the directories of machines hold: owners, devices, hard links, file capabilities.
pub(super) async fn pack(
    tree: &Path,
    sha256: &str,
    tar: &Path,
    task: &Task,
    cancel: &CancellationToken,
) -> Result<(), AssetError> {
    let mut arguments = vec!["--create".into(), "--sort=name".into(), "--file".into(), tar.as_os_str().to_owned()];
    arguments.extend(["--directory".into(), tree.as_os_str().to_owned(), ".".into()]);
    let program = program(format!("packing {}", task.name()), arguments);
    let (status, last) = process::ended(&program, cancel, &mut |_| ()).await?;
    let is_whole = || AssetCache::measure(AssetKind::Tree, tree).map(|(record, _)| record.sha256 == sha256);
    if status.success() || (status.code() == Some(TOUCHED) && is_whole()?) {
        return Ok(());
    }
    Err(located(process::failure(&program, status, last), tar.parent().unwrap_or(tree)))
}

/// The opposite of [`pack`]. Nothing is at `tree` yet.
pub(super) async fn unpack(tar: &Path, tree: &Path, context: &FetchContext<'_>) -> Result<(), AssetError> {
    let name = context.task.name();
    context.task.note("unpacking");
    fs::create_dir(tree).map_err(|e| AssetError::io(format!("unpack {name}"), tree, e))?;
    let mut arguments = vec!["--extract".into(), "--preserve-permissions".into(), "--same-owner".into()];
    arguments.extend(["--file".into(), tar.as_os_str().to_owned(), "--directory".into(), tree.as_os_str().to_owned()]);
    let unpacking = program(format!("unpacking {name}"), arguments);
    process::run(&unpacking, context.cancel, &mut |_| ()).await.map_err(|error| located(error, tree))
}

fn program(what: String, arguments: Vec<OsString>) -> Program {
    let all = ["--xattrs", "--xattrs-include=*", "--numeric-owner"].map(Into::into).into_iter().chain(arguments);
    Program { what, program: "tar".into(), arguments: all.collect(), ..Program::default() }
}

/// An error of a program that writes to `target`.
fn located(error: AssetError, target: &Path) -> AssetError {
    match error {
        AssetError::DiskFull { what, .. } => AssetError::DiskFull { what, path: target.to_owned() },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use testkit::CollectedEvents;

    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_named() {
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join("file"), vec![0; 100_000]).unwrap();
        let packed = packed(tree.path(), Path::new("/dev/full"), "").await;
        assert_eq!(packed.unwrap_err().to_string(), "no space left in /dev while packing it");
    }

    async fn packed(tree: &Path, tar: &Path, sha256: &str) -> Result<(), AssetError> {
        let task = Task::start("it", None, Arc::new(CollectedEvents::default()));
        pack(tree, sha256, tar, &task, &CancellationToken::new()).await
    }

    /// As often as machines could come and go while a tree is packed.
    #[tokio::test]
    async fn hard_links_that_come_and_go_while_it_is_packed_do_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        let [tree, other, tar] = ["tree", "other", "tar"].map(|name| directory.path().join(name));
        fs::create_dir(&tree).unwrap();
        fs::write(tree.join("file"), vec![7; 64 << 20]).unwrap();
        let sha256 = AssetCache::measure(AssetKind::Tree, &tree).unwrap().0.sha256;
        let file = tree.join("file");
        let ended = CancellationToken::new();
        let (linking, stop) = (other.clone(), ended.clone());
        let links = std::thread::spawn(move || {
            while !stop.is_cancelled() {
                fs::hard_link(&file, &linking).unwrap();
                fs::remove_file(&linking).unwrap();
            }
        });
        let whole = packed(&tree, &tar, &sha256).await;
        let changed = packed(&tree, &tar, "of something else").await;
        ended.cancel();
        links.join().unwrap();
        whole.unwrap();
        assert!(changed.unwrap_err().to_string().starts_with("packing it failed"));
    }
}
