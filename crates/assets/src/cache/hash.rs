//! SHA-256 of files, read in large pieces.

use std::io::{self, Read as _};
use std::path::Path;

use fs_err as fs;
use sha2::{Digest as _, Sha256};

/// The digest of a file (hex) and its size in bytes.
pub(crate) fn sha256_of_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = fs::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex::encode(digest.finalize()), size));
        }
        digest.update(buffer.get(..read).unwrap_or_default());
        size += read as u64;
    }
}
