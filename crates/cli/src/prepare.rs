//! Gets the assets of a cluster ready before its plan is carried out.

use std::collections::BTreeMap;

use assets::{PullPlan, Puller, Way};
use catalog::{AssetSet, AssetSpec, Lock, names};
use engine::{AssetFiles as _, Loaded};
use hosts::AgentBinary;
use model::Resolved;
use report::words;
use resource::Digest;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sources;

/// What was found out about a cluster's assets.
pub(crate) struct Prepared {
    /// The agent; `None` where it was not needed yet.
    pub(crate) agent: Option<AgentBinary>,
    /// What must still be got.
    missing: Missing,
    digest: Digest,
}

impl Prepared {
    /// Digest of what machines will be given, whether it is in the cache or not: every recipe, and the lock.
    pub(crate) fn digest(&self) -> Digest {
        self.digest.clone()
    }

    /// Says what carrying the plan out will build first.
    pub(crate) fn mention(&self, app: &App) {
        if let Some(text) = self.missing.describe() {
            app.say(format!("\n{text}"));
        }
    }
}

/// Assets that are not in the cache.
#[derive(Debug, Default)]
struct Missing {
    /// How many are fetched, and how many bytes of them are known of.
    fetched: (usize, u64),
    /// How many are built, and the seconds that takes.
    built: (usize, u64),
}

impl Missing {
    fn of(plan: &PullPlan) -> Self {
        let built = plan.assets().filter(|(_, way)| matches!(way, Way::Built(_))).count();
        Self { fetched: plan.fetched(), built: (built, plan.estimate()) }
    }

    /// A sentence for each way; `None` where everything is there.
    fn describe(&self) -> Option<String> {
        let assets = |count: usize| if count == 1 { "1 asset is".to_owned() } else { format!("{count} assets are") };
        let fetched = match self.fetched {
            (0, _) => None,
            (count, 0) => Some(format!("{} fetched first.", assets(count))),
            (count, bytes) => Some(format!("{} fetched first, {} and more.", assets(count), words::size(bytes))),
        };
        let built = (self.built.0 > 0).then(|| {
            let estimate = words::duration(std::time::Duration::from_secs(self.built.1));
            format!("{} not in the cache; building takes about {estimate} on two cores.", assets(self.built.0))
        });
        let sentences: Vec<String> = fetched.into_iter().chain(built).collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// Pulls everything that `resolved` needs when it will be `used`; else only looks what is missing.
pub(crate) async fn assets(
    app: &App,
    resolved: &Resolved,
    loaded: &Loaded,
    used: bool,
) -> Result<Prepared, CommandError> {
    let puller = sources::puller(app, &resolved.cluster.spec.assets.sources);
    let pins = app.asset_lock.read()?;
    let has_machines = loaded.state.resources.keys().any(|id| id.kind() == "machine-config");
    let wanted = if used {
        Some(resolved.assets.clone())
    } else {
        has_machines.then(|| resolved.assets.clone().only(&[names::AGENT]))
    };
    if let Some(wanted) = wanted {
        let _working = app.stop.working();
        app.phase("assets ready", pull(&puller, &wanted, pins.as_ref())).await?;
    }
    let plan = puller.plan(&resolved.assets, pins.as_ref()).await.map_err(|error| failed(&error))?;
    Ok(Prepared {
        agent: agent(app, resolved),
        missing: Missing::of(&plan),
        digest: digest(&resolved.assets, pins.as_ref()),
    })
}

fn digest(assets: &AssetSet, pins: Option<&Lock>) -> Digest {
    let recipes: Vec<String> = assets.wanted().map(AssetSpec::asset_ref).collect();
    let pins: BTreeMap<&str, &str> = pins
        .into_iter()
        .flat_map(|lock| &lock.entries)
        .map(|(name, entry)| (name.as_str(), entry.sha256.as_str()))
        .collect();
    Digest::of_json(&json!({"recipes": recipes, "lock": pins}))
}

async fn pull(puller: &Puller, wanted: &AssetSet, pins: Option<&Lock>) -> Result<Lock, CommandError> {
    puller.pull(wanted, pins).await.map_err(|error| failed(&error))
}

/// An asset error as a command error, with its advice and output.
pub(crate) fn failed(error: &assets::AssetError) -> CommandError {
    let mut shown = CommandError::from_source("", error);
    if matches!(error, assets::AssetError::Cancelled(_)) {
        shown = shown.exit(Exit::INTERRUPTED).hint("what was built is kept; run the command again");
    }
    shown.hints.extend(error.hint());
    shown.output = error.output().to_vec();
    shown
}

/// The agent in the cache; `None` where it was never built.
pub(crate) fn agent(app: &App, resolved: &Resolved) -> Option<AgentBinary> {
    let reference = resolved.assets.asset_ref(names::AGENT)?;
    Some(AgentBinary { path: app.cache.path(&reference).ok()?, sha256: app.cache.sha256(&reference).ok()? })
}
