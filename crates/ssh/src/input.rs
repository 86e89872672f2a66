//! What is fed to a program's standard input, in pieces.

use std::future::Future;
use std::io;

use fs_err::tokio::File;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

/// Size of a piece of a file.
const PIECE: usize = 256 * 1024;

/// A source of pieces.
pub(crate) trait Input: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> impl Future<Output = io::Result<Option<Vec<u8>>>> + Send;
}

/// Bytes that are there already.
pub(crate) struct Bytes(Option<Vec<u8>>);

impl Bytes {
    /// All of `bytes` as one piece.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Input for Bytes {
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.take())
    }
}

/// A file, digested while it is read.
pub(crate) struct FileInput<'a> {
    file: File,
    digest: Sha256,
    read: u64,
    progress: &'a (dyn Fn(u64) + Send + Sync),
}

impl<'a> FileInput<'a> {
    /// The file at `path`; `progress` hears how many bytes were read so far.
    pub(crate) async fn open(
        path: &std::path::Path,
        progress: &'a (dyn Fn(u64) + Send + Sync),
    ) -> io::Result<FileInput<'a>> {
        Ok(Self { file: File::open(path).await?, digest: Sha256::new(), read: 0, progress })
    }

    /// SHA-256 of what was read, hex.
    pub(crate) fn digest(self) -> String {
        hex::encode(self.digest.finalize())
    }
}

impl Input for FileInput<'_> {
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.read > 0 {
            // The piece before this one is on its way.
            (self.progress)(self.read);
        }
        let mut piece = vec![0; PIECE];
        let length = self.file.read(&mut piece).await?;
        if length == 0 {
            return Ok(None);
        }
        piece.truncate(length);
        self.digest.update(&piece);
        self.read += length as u64;
        Ok(Some(piece))
    }
}
