//! `assets`: what clusters are made of, and where it is.

mod list;
mod lock;
mod mirror;
mod pull;
mod verify;

use catalog::{AssetSet, Selection};
use clap::{Args, Subcommand};

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::programs;

/// What to do with assets.
#[derive(Debug, Subcommand)]
pub(crate) enum Assets {
    /// List the assets of a release and where each comes from
    List(Which),
    /// Build or fetch everything that a release needs
    Pull(Which),
    /// Check the cache, and every mirror among the sources, for completeness and against their digests
    Verify(Which),
    /// Pin the content of everything that a release needs, getting first what is missing
    Lock(lock::Arguments),
    /// Copy everything that a release needs into a directory, for hosts without other sources
    Mirror(mirror::Arguments),
}

/// Which assets.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Version of Kubernetes
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<String>,
    /// Sources, asked in order: auto, cache, upstream, go, or a mirror (its directory or address)
    #[arg(long, value_name = "SOURCE", value_delimiter = ',', default_value = "auto", value_parser = source)]
    sources: Vec<String>,
}

fn source(text: &str) -> Result<String, String> {
    spec::check_asset_source(text).map(|()| text.to_owned())
}

pub(crate) async fn run(app: &App, what: Assets) -> Outcome {
    match what {
        Assets::List(arguments) => list::run(app, &arguments).await,
        Assets::Pull(arguments) => pull::run(app, &arguments).await,
        Assets::Verify(arguments) => verify::run(app, &arguments).await,
        Assets::Lock(arguments) => lock::run(app, &arguments).await,
        Assets::Mirror(arguments) => mirror::run(app, &arguments).await,
    }
}

impl Which {
    /// Everything that the release needs.
    fn set(&self) -> Result<AssetSet, CommandError> {
        let version = self.kubernetes_version.as_deref().unwrap_or(catalog::DEFAULT_VERSION);
        let release = catalog::find(version).map_err(|unsupported| {
            CommandError::from_source("", &unsupported)
                .exit(Exit::InvalidSpec)
                .hint(format!("supported: {}", unsupported.supported.join(", ")))
        })?;
        Ok(catalog::assets_for(release, &Selection::everything(programs::sources())))
    }
}
