//! Directories as archives.

use std::ffi::OsString;
use std::path::Path;

use fs_err as fs;
use tokio_util::sync::CancellationToken;

use crate::process::{self, Program};
use crate::source::FetchContext;
use crate::{AssetError, Task};

/// GNU tar keeps what the directories of machines hold: owners, devices, hard links, file capabilities.
pub(super) async fn pack(tree: &Path, tar: &Path, task: &Task, cancel: &CancellationToken) -> Result<(), AssetError> {
    let mut arguments = vec!["--create".into(), "--sort=name".into(), "--file".into(), tar.as_os_str().to_owned()];
    arguments.extend(["--directory".into(), tree.as_os_str().to_owned(), ".".into()]);
    tar_with(format!("packing {}", task.name()), arguments, tar.parent().unwrap_or(tree), cancel).await
}

/// The opposite of [`pack`]. Nothing is at `tree` yet.
pub(super) async fn unpack(tar: &Path, tree: &Path, context: &FetchContext<'_>) -> Result<(), AssetError> {
    let name = context.task.name();
    context.task.note("unpacking");
    fs::create_dir(tree).map_err(|e| AssetError::io(format!("unpack {name}"), tree, e))?;
    let mut arguments = vec!["--extract".into(), "--preserve-permissions".into(), "--same-owner".into()];
    arguments.extend(["--file".into(), tar.as_os_str().to_owned(), "--directory".into(), tree.as_os_str().to_owned()]);
    tar_with(format!("unpacking {name}"), arguments, tree, context.cancel).await
}

/// Runs tar, which writes to `target`.
async fn tar_with(
    what: String,
    arguments: Vec<OsString>,
    target: &Path,
    cancel: &CancellationToken,
) -> Result<(), AssetError> {
    let all = ["--xattrs", "--xattrs-include=*", "--numeric-owner"].map(Into::into).into_iter().chain(arguments);
    let program = Program { what, program: "tar".into(), arguments: all.collect(), ..Program::default() };
    process::run(&program, cancel, &mut |_| ()).await.map_err(|error| match error {
        AssetError::DiskFull { what, .. } => AssetError::DiskFull { what, path: target.to_owned() },
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_named() {
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join("file"), vec![0; 100_000]).unwrap();
        let arguments = ["--create", "--file", "/dev/full", "--directory"].map(OsString::from).into_iter();
        let arguments = arguments.chain([tree.path().into(), ".".into()]).collect();
        let packed = tar_with("packing it".into(), arguments, Path::new("/mirror"), &CancellationToken::new()).await;
        assert_eq!(packed.unwrap_err().to_string(), "no space left in /mirror while packing it");
    }
}
