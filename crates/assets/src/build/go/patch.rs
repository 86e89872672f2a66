//! Builds a changed copy of a module: some of its packages are left out, with every line that imports them.

use std::path::{Path, PathBuf};

use catalog::recipe::go::GoPatch;
use fs_err as fs;
use serde::Deserialize;

use crate::AssetError;
use crate::build::BuildContext;
use crate::process::{self, Program};

/// What `go mod download -json` says about a module.
#[derive(Debug, Deserialize)]
struct Download {
    #[serde(rename = "Dir", default)]
    directory: PathBuf,
    #[serde(rename = "Sum", default)]
    sum: String,
    #[serde(rename = "Error", default)]
    error: String,
}

/// Puts a changed copy of the module beside the recipe's go.mod, which points there by a `replace`.
///
/// The copy stands in a directory named after the last part of the module's path.
pub(super) async fn copy_and_change(
    patch: &GoPatch,
    recipe_directory: &Path,
    context: &BuildContext<'_>,
) -> Result<(), AssetError> {
    context.task.note(format!("fetching {}", patch.module));
    let original = download(patch, context.scratch).await?;
    let name = patch.module.rsplit('/').next().unwrap_or(&patch.module);
    let copy = recipe_directory.join(name);
    let failed = |e| AssetError::io(format!("copy {}", patch.module), &copy, e);
    copy_directory(&original, &copy).map_err(failed)?;
    for package in &patch.drop_packages {
        fs::remove_dir_all(copy.join(package)).map_err(failed)?;
        drop_imports(&copy, &format!("\"{}/{package}\"", patch.module)).map_err(failed)?;
    }
    Ok(())
}

/// Downloads the module as it was published and gives its directory in the module cache.
async fn download(patch: &GoPatch, scratch: &Path) -> Result<PathBuf, AssetError> {
    let module = format!("{}@{}", patch.module, patch.version);
    let program = Program {
        what: format!("fetching {module}"),
        program: "go".into(),
        arguments: ["mod", "download", "-json", &module].map(Into::into).into(),
        // Outside of any module: a `replace` must not hide the published one.
        directory: Some(scratch.to_owned()),
        environment: [("GOTOOLCHAIN", "local"), ("GOFLAGS", "-buildvcs=false"), ("GOWORK", "off")]
            .map(|(n, v)| (n.into(), v.into()))
            .into(),
    };
    let text = process::output(&program).await?;
    let unreadable = |why: String| AssetError::Unreadable { what: module.clone(), why };
    let found: Download = serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?;
    if !found.error.is_empty() {
        return Err(unreadable(found.error));
    }
    // A replaced module is not checked by go.sum, so it is checked here.
    if found.sum != patch.sum {
        let (asset, expected, found) = (module, patch.sum.clone(), found.sum);
        return Err(AssetError::Damaged { asset, expected, found, moved_to: None });
    }
    Ok(found.directory)
}

/// Copies files and directories; the copy is writable, the module cache is not.
fn copy_directory(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_directory(&source, &target)?;
        } else {
            fs::write(&target, fs::read(&source)?)?;
        }
    }
    Ok(())
}

fn drop_imports(directory: &Path, import: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            drop_imports(&path, import)?;
        } else if path.extension().is_some_and(|extension| extension == "go") {
            let text = fs::read_to_string(&path)?;
            if text.contains(import) {
                let kept: Vec<&str> = text.lines().filter(|line| !line.contains(import)).collect();
                fs::write(&path, kept.join("\n") + "\n")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_import_a_dropped_package_go() {
        let directory = tempfile::TempDir::new().unwrap();
        fs::create_dir(directory.path().join("sub")).unwrap();
        let file = directory.path().join("sub/main.go");
        fs::write(&file, "import (\n\t_ \"m/keep\"\n\t_ \"m/drop\"\n\t_ \"m/drop/not\"\n)\n").unwrap();
        drop_imports(directory.path(), "\"m/drop\"").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "import (\n\t_ \"m/keep\"\n\t_ \"m/drop/not\"\n)\n");
    }

    #[test]
    fn a_copy_of_a_read_only_module_can_be_changed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::TempDir::new().unwrap();
        let from = directory.path().join("from");
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/a.go"), "package a").unwrap();
        fs::set_permissions(from.join("sub/a.go"), std::fs::Permissions::from_mode(0o444)).unwrap();
        let to = directory.path().join("to");
        copy_directory(&from, &to).unwrap();
        fs::write(to.join("sub/a.go"), "package b").unwrap();
        assert_eq!(fs::read_to_string(to.join("sub/a.go")).unwrap(), "package b");
    }
}
