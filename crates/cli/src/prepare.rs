//! Gets the assets of a cluster ready before its plan is carried out.

use std::sync::Arc;

use assets::{Builders, Mirror, Origin, Puller};
use catalog::{AssetSet, Lock, names};
use engine::{AssetFiles as _, Loaded};
use hosts::AgentBinary;
use model::Resolved;
use report::words;
use resource::Digest;

use crate::app::App;
use crate::error::CommandError;
use crate::programs;

/// What was found out about a cluster's assets.
pub(crate) struct Prepared {
    /// The agent; a place that does not exist where it was not needed yet.
    pub(crate) agent: AgentBinary,
    /// What must still be built or fetched, and how long that may take.
    missing: Option<(usize, u64)>,
    lock: Lock,
}

impl Prepared {
    /// Digest of the lock that a plan is bound to.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of_bytes(self.lock.to_text().unwrap_or_default().as_bytes())
    }

    /// Says what carrying the plan out will build first.
    pub(crate) fn mention(&self, app: &App) {
        if let Some((count, seconds)) = self.missing {
            let estimate = words::duration(std::time::Duration::from_secs(seconds));
            app.say(format!(
                "\n{} not in the cache; building everything takes about {estimate} on two cores.",
                if count == 1 { "1 asset is".to_owned() } else { format!("{count} assets are") }
            ));
        }
    }
}

/// Where assets come from, in the order of the spec.
pub(crate) fn puller(app: &App, sources: &[String]) -> Puller {
    let builders = Builders::standard().with_workspace(&programs::workspace(), None, &app.cache);
    let mut origins = Vec::new();
    for source in sources {
        match source.as_str() {
            "cache" => {}
            "auto" | "go" => origins.push(Origin::Build(builders.clone())),
            mirror => origins.push(Origin::Fetch(Arc::new(Mirror::new(mirror)))),
        }
    }
    Puller::new((*app.cache).clone(), origins, app.progress.clone()).cancelled_by(app.stop.drain.clone())
}

/// Pulls everything that `resolved` needs when it will be `used`; else only looks what is missing.
pub(crate) async fn assets(
    app: &App,
    resolved: &Resolved,
    loaded: &Loaded,
    used: bool,
) -> Result<Prepared, CommandError> {
    let puller = puller(app, &resolved.cluster.spec.assets.sources);
    let has_machines = loaded.state.resources.keys().any(|id| id.kind() == "machine-config");
    let wanted = if used {
        Some(resolved.assets.clone())
    } else {
        has_machines.then(|| resolved.assets.clone().only(&[names::AGENT]))
    };
    let lock = match wanted {
        Some(wanted) => app.phase("assets ready", pull(&puller, &wanted)).await?,
        None => Lock::default(),
    };
    let plan = puller.plan(&resolved.assets, None).await.map_err(|error| failed(&error))?;
    let open = plan.assets().filter(|(_, way)| !matches!(way, assets::Way::Cached(_))).count();
    Ok(Prepared { agent: agent(app, resolved), missing: (open > 0).then(|| (open, plan.estimate())), lock })
}

async fn pull(puller: &Puller, wanted: &AssetSet) -> Result<Lock, CommandError> {
    puller.pull(wanted, None).await.map_err(|error| failed(&error))
}

/// An asset error as a command error, with its advice and output.
pub(crate) fn failed(error: &assets::AssetError) -> CommandError {
    let mut shown = CommandError::from_source("", error);
    shown.hints.extend(error.hint());
    shown.output = error.output().to_vec();
    shown
}

/// The agent in the cache; a place that does not exist where it was never built.
pub(crate) fn agent(app: &App, resolved: &Resolved) -> AgentBinary {
    let reference = resolved.assets.asset_ref(names::AGENT).unwrap_or_default();
    match (app.cache.path(&reference), app.cache.sha256(&reference)) {
        (Ok(path), Ok(sha256)) => AgentBinary { path, sha256 },
        _ => AgentBinary { path: std::path::PathBuf::new(), sha256: String::new() },
    }
}
