//! Puts kubectl of the cluster's version beside this program.

use std::io;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use catalog::names;
use engine::AssetFiles as _;
use fs_err as fs;
use model::Resolved;

use crate::app::App;

/// Links kubectl from the cache beside this program; `None` where that place cannot be written to.
pub(crate) fn beside(app: &App, resolved: &Resolved) -> Option<PathBuf> {
    let asset = app.cache.path(&resolved.assets.asset_ref(names::KUBECTL)?).ok()?;
    let place = std::env::current_exe().ok()?.with_file_name("kubectl");
    link(&asset, &place).ok()?;
    Some(place)
}

/// Makes `place` another name of `asset`: one that outlives the cache where both are on one file system.
fn link(asset: &Path, place: &Path) -> io::Result<()> {
    let wanted = fs::metadata(asset)?;
    if fs::metadata(place).is_ok_and(|there| (there.dev(), there.ino()) == (wanted.dev(), wanted.ino())) {
        return Ok(());
    }
    // Linked beside and renamed: a kubectl that is being started meanwhile is the old one or the new one.
    let new = place.with_extension("new");
    let _ = fs::remove_file(&new);
    fs::hard_link(asset, &new).or_else(|_| symlink(asset, &new))?;
    fs::rename(&new, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_outlives_the_cache_and_follows_another_version() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("old"), "old").unwrap();
        fs::write(path("new-version"), "new").unwrap();
        let place = path("kubectl");
        link(&path("old"), &place).unwrap();
        link(&path("old"), &place).unwrap();
        fs::remove_file(path("old")).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "old");
        link(&path("new-version"), &place).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "new");
    }
}
