//! Takes files out of an archive that upstream publishes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use catalog::Upstream;
use flate2::read::GzDecoder;
use fs_err as fs;

use crate::{AssetError, Job};

/// Puts every job's member of the archive at its `out`, executable.
///
/// # Errors
/// [`AssetError::Unreadable`] when the archive lacks one of them.
pub(super) async fn extract(archive: &Path, address: &str, jobs: &[Job]) -> Result<(), AssetError> {
    let wanted = jobs.iter().filter_map(|job| match job.spec.upstream() {
        Some(Upstream::Member { path, .. }) => Some((path.clone(), job.out.clone())),
        _ => None,
    });
    let wanted: BTreeMap<String, PathBuf> = wanted.collect();
    let file = archive.to_owned();
    let failed = |e| AssetError::io(format!("unpack {address}"), archive, e);
    let unpacking = tokio::task::spawn_blocking(move || unpack(&file, wanted));
    let missing = unpacking.await.map_err(|e| failed(io::Error::other(e)))?.map_err(failed)?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(AssetError::Unreadable { what: address.to_owned(), why: format!("it lacks {}", missing.join(", ")) })
}

/// Gives what was not found.
fn unpack(archive: &Path, mut wanted: BTreeMap<String, PathBuf>) -> io::Result<Vec<String>> {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(archive)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.strip_prefix("./").map(Path::to_owned).unwrap_or(entry.path()?.into_owned());
        if entry.header().entry_type().is_file()
            && let Some(out) = path.to_str().and_then(|path| wanted.remove(path))
        {
            io::copy(&mut entry, &mut fs::File::create(&out)?)?;
            super::make_executable(&out)?;
        }
    }
    Ok(wanted.into_keys().collect())
}
