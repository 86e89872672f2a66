//! Puts kubectl of the cluster's version beside this program.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use catalog::names;
use engine::AssetFiles as _;
use fs_err as fs;
use model::Resolved;

use crate::app::App;

/// Links kubectl from the cache beside this program; `None` where that place cannot be written to.
pub(crate) fn beside(app: &App, resolved: &Resolved) -> Option<PathBuf> {
    let asset = app.cache.path(&resolved.assets.asset_ref(names::KUBECTL)?).ok()?;
    let place = std::env::current_exe().ok()?.with_file_name("kubectl");
    if fs::read_link(&place).is_ok_and(|there| there == asset) {
        return Some(place);
    }
    // Linked beside and renamed: a kubectl that is being started meanwhile is the old one or the new one.
    let new = place.with_extension("new");
    let _ = fs::remove_file(&new);
    symlink(&asset, &new).ok()?;
    fs::rename(&new, &place).ok()?;
    Some(place)
}
