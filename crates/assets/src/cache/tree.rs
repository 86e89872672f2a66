//! What is in a directory, as text: one line per path, so that one digest stands for all of it.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::sha256_of_file;

/// What is in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    text: String,
    size: u64,
}

impl Manifest {
    /// Reads the whole directory.
    pub(crate) fn of(root: &Path) -> io::Result<Self> {
        let mut manifest = Self { text: String::new(), size: 0 };
        manifest.add_directory(root, Path::new(""))?;
        Ok(manifest)
    }

    /// The lines, sorted by path within each directory: type and mode, owner, content, path.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text, hex.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.text))
    }

    /// Size of all files in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn add_directory(&mut self, root: &Path, relative: &Path) -> io::Result<()> {
        let mut names: Vec<_> =
            fs::read_dir(root.join(relative))?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
        names.sort();
        for name in names {
            let path = relative.join(name);
            let metadata = fs::symlink_metadata(root.join(&path))?;
            self.add_line(root, &path, &metadata)?;
            if metadata.is_dir() {
                self.add_directory(root, &path)?;
            }
        }
        Ok(())
    }

    fn add_line(&mut self, root: &Path, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let kind = metadata.file_type();
        let content = if kind.is_file() {
            let (sha256, size) = sha256_of_file(&root.join(path))?;
            self.size += size;
            sha256
        } else if kind.is_symlink() {
            escaped(fs::read_link(root.join(path))?.as_os_str().as_bytes())
        } else if kind.is_block_device() || kind.is_char_device() {
            format!("device:{:x}", metadata.rdev())
        } else {
            "-".to_owned()
        };
        let (mode, uid, gid) = (metadata.mode(), metadata.uid(), metadata.gid());
        let path = escaped(path.as_os_str().as_bytes());
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "{mode:06o} {uid}:{gid} {content} {path}");
        Ok(())
    }
}

/// A path as one word of printable characters.
fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace(' ', "\\x20")
}
