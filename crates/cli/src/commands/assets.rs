//! `assets`: what clusters are made of, and where it is.

use std::collections::BTreeMap;

use assets::{Mirror, Way};
use catalog::{AssetSet, Selection, SourceDigests, names};
use clap::{Args, Subcommand};
use report::{Table, words};
use serde_json::json;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{output, prepare, programs};

/// What to do with assets.
#[derive(Debug, Subcommand)]
pub(crate) enum Assets {
    /// List the assets of a release and whether they are in the cache
    List(Arguments),
    /// Build or fetch everything that a release needs
    Pull(Arguments),
    /// Check the cache against its digests
    Verify(Arguments),
    /// Copy everything that a release needs into a directory, for hosts without other sources
    Mirror(MirrorArguments),
}

/// Which assets.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Version of Kubernetes
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<String>,
    /// Sources, asked in order: cache, go, or the directory of a mirror
    #[arg(long, value_name = "SOURCE", value_delimiter = ',', default_value = "auto")]
    sources: Vec<String>,
}

/// Where a mirror goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct MirrorArguments {
    #[command(flatten)]
    which: Arguments,
    /// The mirror's directory
    #[arg(value_name = "DIR")]
    directory: String,
}

pub(crate) async fn run(app: &App, what: Assets) -> Outcome {
    match what {
        Assets::List(arguments) => list(app, &arguments).await,
        Assets::Pull(arguments) => pull(app, &arguments).await,
        Assets::Verify(arguments) => verify(app, &arguments),
        Assets::Mirror(arguments) => mirror(app, &arguments).await,
    }
}

fn set(arguments: &Arguments) -> Result<AssetSet, CommandError> {
    let version = arguments.kubernetes_version.clone().unwrap_or_else(|| catalog::DEFAULT_VERSION.to_owned());
    let release = catalog::find(&version).map_err(|unsupported| {
        CommandError::from_source("", &unsupported)
            .exit(Exit::InvalidSpec)
            .hint(format!("supported: {}", unsupported.supported.join(", ")))
    })?;
    let programs = programs::digests()?;
    let digest = |name: &str| programs.get(name).cloned().unwrap_or_default();
    let sources = SourceDigests { agent: digest(names::AGENT), pause: digest(programs::PAUSE) };
    Ok(catalog::assets_for(release, &Selection::everything(sources)))
}

async fn list(app: &App, arguments: &Arguments) -> Outcome {
    let set = set(arguments)?;
    let plan =
        prepare::puller(app, &arguments.sources).plan(&set, None).await.map_err(|error| prepare::failed(&error))?;
    let cached = plan.assets().filter_map(|(spec, way)| match way {
        Way::Cached(asset) => Some((spec.asset_ref(), asset.path.display().to_string())),
        _ => None,
    });
    let paths: BTreeMap<String, String> = cached.collect();
    let rows: Vec<(String, String, Option<u64>, String)> = plan
        .assets()
        .map(|(spec, way)| {
            let (from, size) = match way {
                Way::Cached(asset) => ("cache", Some(asset.record.size)),
                Way::Fetched(..) => ("mirror", None),
                Way::Built(_) => ("to be built", None),
            };
            (spec.name().to_owned(), from.to_owned(), size, spec.asset_ref())
        })
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, from, size, reference)| {
            let path = paths.get(reference);
            json!({"name": name, "from": from, "size": size, "reference": reference, "path": path})
        })
        .collect();
    output::print(app.format, &shown, || {
        let mut table = Table::new(&["name", "from", "size"]);
        for (name, from, size, _) in &rows {
            table.row([name.clone(), from.clone(), size.map(words::size).unwrap_or_default()]);
        }
        table.text()
    })?;
    Ok(Exit::Fine)
}

async fn pull(app: &App, arguments: &Arguments) -> Outcome {
    let set = set(arguments)?;
    let puller = prepare::puller(app, &arguments.sources);
    let lock = app.phase("assets ready", puller.pull(&set, None)).await.map_err(|error| prepare::failed(&error))?;
    app.say(format!("{} in {}.", words::count(lock.entries.len(), "asset"), app.cache.root().display()));
    Ok(Exit::Fine)
}

fn verify(app: &App, arguments: &Arguments) -> Outcome {
    let set = set(arguments)?;
    let mut missing = Vec::new();
    for spec in set.wanted() {
        match app.cache.verify(spec.reference()) {
            Ok(Some(_)) => {}
            Ok(None) => missing.push(spec.name().to_owned()),
            Err(error) => return Err(prepare::failed(&error)),
        }
    }
    if missing.is_empty() {
        app.say("Everything is in the cache and as its digests say.");
        return Ok(Exit::Fine);
    }
    Err(CommandError::failed(format!("not in the cache: {}", missing.join(", "))).hint("kubewright assets pull"))
}

async fn mirror(app: &App, arguments: &MirrorArguments) -> Outcome {
    let set = set(&arguments.which)?;
    let puller = prepare::puller(app, &arguments.which.sources);
    app.phase("assets ready", puller.pull(&set, None)).await.map_err(|error| prepare::failed(&error))?;
    let mirror = Mirror::new(&arguments.directory);
    app.phase("mirror filled", puller.mirror(&set, &mirror)).await.map_err(|error| prepare::failed(&error))?;
    app.say(format!(
        "{} holds everything; use it with spec.assets.sources: [{}]",
        arguments.directory, arguments.directory
    ));
    Ok(Exit::Fine)
}
