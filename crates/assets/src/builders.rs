//! Which builder makes which kind of recipe.

use std::path::Path;
use std::sync::Arc;

use catalog::{AssetSpec, Recipe};

use crate::build::cargo::CargoBuilder;
use crate::build::embedded::{EmbeddedProgram, EmbeddedPrograms};
use crate::build::go::GoBuilder;
use crate::build::image::ImageBuilder;
use crate::build::layer::LayerBuilder;
use crate::build::tree::TreeBuilder;
use crate::{AssetCache, Build, ImageStoreBuilder, RootfsBuilder};

/// The builders, one per kind of recipe. A kind without one cannot be built here, only fetched.
#[derive(Clone, Default)]
pub struct Builders {
    go: Option<Arc<dyn Build>>,
    cargo: Option<Arc<dyn Build>>,
    tree: Option<Arc<dyn Build>>,
    layer: Option<Arc<dyn Build>>,
    image: Option<Arc<dyn Build>>,
    rootfs: Option<Arc<dyn Build>>,
    image_store: Option<Arc<dyn Build>>,
}

impl Builders {
    /// All builders that need nothing but what is in the cache and installed on this machine.
    pub fn standard() -> Self {
        Self {
            go: Some(Arc::new(GoBuilder)),
            tree: Some(Arc::new(TreeBuilder)),
            layer: Some(Arc::new(LayerBuilder)),
            image: Some(Arc::new(ImageBuilder)),
            rootfs: Some(Arc::new(RootfsBuilder)),
            image_store: Some(Arc::new(ImageStoreBuilder)),
            ..Self::default()
        }
    }

    /// The same, building our own programs from the sources in `workspace`.
    ///
    /// `cargo_home` is where cargo keeps its sources; its path is kept out of the programs.
    #[must_use]
    pub fn with_workspace(mut self, workspace: &Path, cargo_home: Option<&Path>, cache: &AssetCache) -> Self {
        let builder = CargoBuilder::new(workspace, cache.root().join("cargo"));
        let builder = cargo_home.into_iter().fold(builder, |builder, home| builder.hiding(home, "cargo"));
        self.cargo = Some(Arc::new(builder));
        self
    }

    /// The same, taking our own programs from those that are part of the running one.
    #[must_use]
    pub fn with_programs(mut self, programs: impl IntoIterator<Item = EmbeddedProgram>) -> Self {
        self.cargo = Some(Arc::new(EmbeddedPrograms::new(programs)));
        self
    }

    /// The same without building upstream's programs: they come from elsewhere, and are only put together here.
    #[must_use]
    pub fn assembling(self) -> Self {
        Self { go: None, ..self }
    }

    /// One builder for everything, for tests.
    #[cfg(test)]
    pub(crate) fn all(builder: Arc<dyn Build>) -> Self {
        let builder = Some(builder);
        Self {
            go: builder.clone(),
            cargo: builder.clone(),
            tree: builder.clone(),
            layer: builder.clone(),
            image: builder.clone(),
            rootfs: builder.clone(),
            image_store: builder,
        }
    }

    /// The builder of an asset, when there is one.
    pub fn of(&self, spec: &AssetSpec) -> Option<&Arc<dyn Build>> {
        match spec.recipe() {
            Recipe::Go(_) => self.go.as_ref(),
            Recipe::Cargo(_) => self.cargo.as_ref(),
            Recipe::Tree(_) => self.tree.as_ref(),
            Recipe::Layer(_) => self.layer.as_ref(),
            Recipe::Image(_) => self.image.as_ref(),
            Recipe::Rootfs(_) => self.rootfs.as_ref(),
            Recipe::ImageStore(_) => self.image_store.as_ref(),
        }
    }
}
