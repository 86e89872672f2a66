//! Makes image layers of Debian packages: extracted, not installed, and rewritten so that they are always the same.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufWriter, Seek as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{LayerRecipe, Recipe};
use fs_err as fs;
use tar::EntryType;

use super::archive::Archive;
use super::{Build, BuildContext, Job, only, wrong_kind};
use crate::AssetError;
use crate::process::{self, Program};

/// Makes image layers of Debian packages with mmdebstrap.
#[derive(Debug, Clone, Copy, Default)]
pub struct LayerBuilder;

fn recipe(spec: &AssetSpec) -> Result<&LayerRecipe, AssetError> {
    match spec.recipe() {
        Recipe::Layer(recipe) => Ok(recipe),
        _ => Err(wrong_kind(spec)),
    }
}

#[async_trait]
impl Build for LayerBuilder {
    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        Some(10)
    }

    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        let program = Program { arguments: vec!["--version".into()], ..mmdebstrap(spec, recipe(spec)?, Path::new("")) };
        process::output(&program).await.map(|_| ())
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let job = only(jobs)?;
        let recipe = recipe(&job.spec)?.clone();
        let extracted = context.scratch.join("extracted.tar");
        let program = mmdebstrap(&job.spec, &recipe, &extracted).with_temporary_files_in(context.scratch);
        process::run(&program, context.cancel, &mut |line| {
            context.task.note(line.trim_start_matches("I: ").trim_end_matches("..."));
        })
        .await?;
        let out = job.out.clone();
        let failed = |e| AssetError::io(format!("write {}", job.spec.name()), context.scratch, e);
        let rewriting = move || rewrite(&extracted, &recipe, &out);
        tokio::task::spawn_blocking(rewriting).await.map_err(|e| failed(io::Error::other(e)))?.map_err(failed)
    }
}

/// Without a mirror's address, mmdebstrap takes the operating system's own one.
fn mmdebstrap(spec: &AssetSpec, recipe: &LayerRecipe, out: &Path) -> Program {
    let arguments: [OsString; 7] = [
        "--variant=extract".into(),
        format!("--architectures={}", recipe.architecture).into(),
        "--format=tar".into(),
        "--aptopt=Acquire::Languages \"none\"".into(),
        format!("--include={}", recipe.packages.join(",")).into(),
        recipe.suite.clone().into(),
        out.into(),
    ];
    Program {
        what: format!("making {}", spec.name()),
        program: "mmdebstrap".into(),
        arguments: arguments.into(),
        ..Program::default()
    }
}

/// What stands at one path of a layer.
enum Node {
    Directory { mode: u32 },
    File { mode: u32, size: u64, position: u64 },
    Symlink(PathBuf),
    HardLink(String),
}

/// Sorts the tar, drops what the recipe excludes, adds its links.
fn rewrite(extracted: &Path, recipe: &LayerRecipe, out: &Path) -> io::Result<()> {
    let mut nodes = read(extracted)?;
    nodes.retain(|path, _| !recipe.excluded.iter().any(|excluded| is_below(path, excluded)));
    for (path, target) in &recipe.symlinks {
        // What a package ships itself, it knows better.
        nodes.entry(path.clone()).or_insert_with(|| Node::Symlink(target.into()));
    }
    let mut content = fs::File::open(extracted)?;
    let mut archive = Archive::new(BufWriter::new(fs::File::create(out)?));
    for (path, node) in &nodes {
        match node {
            Node::Directory { mode } => archive.directory(path, *mode)?,
            Node::File { mode, size, position } => {
                content.seek(io::SeekFrom::Start(*position))?;
                archive.stream(path, *mode, *size, io::Read::take(&mut content, *size))?;
            }
            Node::Symlink(target) => archive.symlink(path, target)?,
            Node::HardLink(_) => (),
        }
    }
    // A hard link must stand behind what it links to.
    for (path, node) in &nodes {
        if let Node::HardLink(target) = node {
            archive.hard_link(path, target)?;
        }
    }
    archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

/// Reads which path holds what; devices are left out, containers get their own.
fn read(tar: &Path) -> io::Result<BTreeMap<String, Node>> {
    let mut archive = tar::Archive::new(fs::File::open(tar)?);
    let mut nodes = BTreeMap::new();
    for entry in archive.entries()? {
        let entry = entry?;
        let path = plain(&entry.path()?);
        let header = entry.header();
        let (mode, size) = (header.mode()?, header.size()?);
        let link = || entry.link_name().map(Option::unwrap_or_default);
        let node = match header.entry_type() {
            EntryType::Directory => Node::Directory { mode },
            EntryType::Regular => Node::File { mode, size, position: entry.raw_file_position() },
            EntryType::Symlink => Node::Symlink(link()?.into_owned()),
            EntryType::Link => Node::HardLink(plain(&link()?)),
            _ => continue,
        };
        if !path.is_empty() {
            nodes.insert(path, node);
        }
    }
    Ok(nodes)
}

/// `./usr/bin/` as `usr/bin`.
fn plain(path: &Path) -> String {
    path.display().to_string().trim_start_matches("./").trim_matches('/').trim_start_matches('.').to_owned()
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn extracted(directory: &Path, reversed: bool) -> PathBuf {
        let path = directory.join("in.tar");
        let mut archive = Archive::new(fs::File::create(&path).unwrap());
        let mut files = [("./usr/a", "first"), ("./usr/z", "second"), ("./usr/share/doc/x", "text")];
        if reversed {
            files.reverse();
        }
        archive.symlink("./usr/link", Path::new("a")).unwrap();
        for (path, content) in files {
            archive.bytes(path, 0o755, content.as_bytes()).unwrap();
        }
        archive.directory("./usr", 0o755).unwrap();
        archive.hard_link("./usr/0hard", "./usr/z").unwrap();
        archive.finish().unwrap();
        path
    }

    fn layer(reversed: bool) -> Vec<u8> {
        let directory = TempDir::new().unwrap();
        let recipe = LayerRecipe {
            suite: "trixie".into(),
            architecture: "amd64".into(),
            packages: Vec::new(),
            symlinks: [("bin".to_owned(), "usr/bin".to_owned()), ("usr/a".to_owned(), "never".to_owned())].into(),
            excluded: vec!["usr/share/doc".into()],
            revision: 1,
        };
        let out = directory.path().join("out.tar");
        rewrite(&extracted(directory.path(), reversed), &recipe, &out).unwrap();
        fs::read(out).unwrap()
    }

    #[test]
    fn the_order_of_the_packages_does_not_matter() {
        assert_eq!(layer(false), layer(true));
    }

    #[test]
    fn links_are_added_documents_left_out_and_hard_links_come_last() {
        let layer = layer(false);
        let mut archive = tar::Archive::new(layer.as_slice());
        let paths: Vec<String> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(paths, ["bin", "usr/", "usr/a", "usr/link", "usr/z", "usr/0hard"]);
    }
}
