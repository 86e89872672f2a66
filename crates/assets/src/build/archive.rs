//! Writes tars that are the same whoever writes them: order by path, no times, no names of users.

use std::io::{self, Read, Write};
use std::path::Path;

use fs_err as fs;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

/// A tar being written.
pub(crate) struct Archive<W: Write> {
    tar: Builder<W>,
}

impl<W: Write> Archive<W> {
    /// Starts a tar.
    pub(crate) fn new(writer: W) -> Self {
        Self { tar: Builder::new(writer) }
    }

    /// Adds a directory.
    pub(crate) fn directory(&mut self, path: &str, mode: u32) -> io::Result<()> {
        let mut header = header(EntryType::Directory, 0, mode);
        self.tar.append_data(&mut header, format!("{}/", path.trim_matches('/')), io::empty())
    }

    /// Adds a file with this content.
    pub(crate) fn bytes(&mut self, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        self.stream(path, mode, content.len() as u64, content)
    }

    /// Adds a file with the content of a file of this machine.
    pub(crate) fn file(&mut self, path: &str, mode: u32, from: &Path) -> io::Result<()> {
        let file = fs::File::open(from)?;
        let size = file.metadata()?.len();
        self.stream(path, mode, size, file)
    }

    /// Adds a file of `size` bytes.
    pub(crate) fn stream(&mut self, path: &str, mode: u32, size: u64, content: impl Read) -> io::Result<()> {
        let mut header = header(EntryType::Regular, size, mode);
        self.tar.append_data(&mut header, path.trim_start_matches('/'), content)
    }

    /// Adds a symbolic link.
    pub(crate) fn symlink(&mut self, path: &str, target: &Path) -> io::Result<()> {
        let mut header = header(EntryType::Symlink, 0, 0o777);
        self.tar.append_link(&mut header, path, target)
    }

    /// Adds a hard link to a file that was added before.
    pub(crate) fn hard_link(&mut self, path: &str, target: &str) -> io::Result<()> {
        let mut header = header(EntryType::Link, 0, 0o644);
        self.tar.append_link(&mut header, path, target)
    }

    /// Ends the tar.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.tar.into_inner()
    }
}

fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Passes bytes on and digests them.
pub(crate) struct Digesting<W> {
    writer: W,
    digest: Sha256,
    size: u64,
}

impl<W: Write> Digesting<W> {
    /// Digests what is written to `writer`.
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, digest: Sha256::new(), size: 0 }
    }

    /// Flushes; gives the digest (hex) and the number of bytes.
    pub(crate) fn finish(mut self) -> io::Result<(String, u64)> {
        self.writer.flush()?;
        Ok((hex::encode(self.digest.finalize()), self.size))
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
