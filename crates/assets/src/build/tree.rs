//! Puts a directory together from files of the cache.

use std::path::Path;

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::Recipe;
use fs_err as fs;

use super::{Build, BuildContext, Job, only, wrong_kind};
use crate::AssetError;

/// Puts directories together.
#[derive(Debug, Clone, Copy, Default)]
pub struct TreeBuilder;

#[async_trait]
impl Build for TreeBuilder {
    fn title(&self, spec: &AssetSpec) -> String {
        format!("{} directory", spec.name())
    }

    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        Some(1)
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let job = only(jobs)?;
        let Recipe::Tree(recipe) = job.spec.recipe() else { return Err(wrong_kind(&job.spec)) };
        for entry in &recipe.entries {
            let (from, to) = (context.inputs.path(&entry.asset)?, job.out.join(&entry.path));
            place(&from, &to).map_err(|e| AssetError::io(format!("write {}", to.display()), &to, e))?;
        }
        Ok(())
    }
}

/// Links the file, which costs no space; copies it where the file system cannot.
fn place(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
}
