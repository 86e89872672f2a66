//! Decides where each asset comes from, before anything is fetched or built.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalog::{AssetRef, AssetSet, AssetSpec, Lock};
use engine::Event;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Origin, Puller};
use crate::source::{Offer, Source};
use crate::{AssetError, Build, CachedAsset};

/// How many assets sources are asked for at once. All of them: a source that does not answer costs time only once.
const QUESTIONS: usize = 64;

/// Where an asset comes from.
#[derive(Clone)]
pub enum Way {
    /// It is in the cache.
    Cached(CachedAsset),
    /// A source has it.
    Fetched(Arc<dyn Source>, Offer),
    /// It is made here.
    Built(Arc<dyn Build>),
}

/// Where every needed asset comes from.
#[derive(Clone, Default)]
pub struct PullPlan {
    /// By reference, with what is to be had.
    pub(super) ways: BTreeMap<AssetRef, (AssetSpec, Way)>,
}

impl PullPlan {
    /// The assets and where they come from.
    pub fn assets(&self) -> impl Iterator<Item = (&AssetSpec, &Way)> {
        self.ways.values().map(|(spec, way)| (spec, way))
    }

    /// Whether everything is in the cache.
    pub fn is_complete(&self) -> bool {
        self.assets().all(|(_, way)| matches!(way, Way::Cached(_)))
    }

    /// What is fetched, and how many bytes of it are known of.
    pub fn fetched(&self) -> (usize, u64) {
        let sizes = self.assets().filter_map(|(_, way)| match way {
            Way::Fetched(_, offer) => Some(offer.size.unwrap_or(0)),
            _ => None,
        });
        sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
    }

    /// Typical seconds of what is to be built, one after the other.
    pub fn estimate(&self) -> u64 {
        let built = self.assets().filter_map(|(spec, way)| match way {
            Way::Built(builder) => Some((builder.group(spec), builder.estimate(spec).unwrap_or(0))),
            _ => None,
        });
        built.collect::<BTreeMap<_, _>>().values().sum()
    }
}

impl Puller {
    /// Decides where each asset comes from. Inputs of what is fetched are not needed, so they are not in the plan.
    pub async fn plan(&self, set: &AssetSet, lock: Option<&Lock>) -> Result<PullPlan, AssetError> {
        let mut plan = PullPlan::default();
        let mut open: Vec<&AssetSpec> = set.wanted().collect();
        while !open.is_empty() {
            let asked = stream::iter(open).map(|spec| async move { self.way(spec, lock).await.map(|way| (spec, way)) });
            let answers: Vec<(&AssetSpec, Way)> = asked.buffered(QUESTIONS).try_collect().await?;
            let mut inputs: BTreeMap<&str, &AssetSpec> = BTreeMap::new();
            for (spec, way) in answers {
                if let Way::Built(_) = way {
                    let needed = spec.recipe().inputs().into_iter().filter_map(|input| set.get(input.name()));
                    inputs.extend(needed.map(|input| (input.name(), input)));
                }
                plan.ways.insert(spec.reference().clone(), (spec.clone(), way));
            }
            open = inputs.into_values().filter(|input| !plan.ways.contains_key(input.reference())).collect();
        }
        Ok(plan)
    }

    async fn way(&self, spec: &AssetSpec, lock: Option<&Lock>) -> Result<Way, AssetError> {
        match self.cache.find(spec.reference()) {
            Ok(Some(asset)) => return Ok(Way::Cached(asset)),
            Ok(None) => (),
            // It is in quarantine now; getting it again repairs the cache.
            Err(error @ AssetError::Damaged { .. }) => self.events.emit(Event::Note { text: format!("{error}.") }),
            Err(error) => return Err(error),
        }
        let pinned = lock.and_then(|lock| lock.pinned(spec.name(), spec.reference().recipe()));
        let mut asked = vec!["cache".to_owned()];
        for origin in &self.origins {
            match origin {
                Origin::Fetch(source) => {
                    asked.push(source.name());
                    let offer = source.offer(spec).await?;
                    let other =
                        |offer: &Offer| pinned.is_some_and(|p| offer.sha256.as_ref().is_some_and(|s| *s != p.sha256));
                    if let Some(offer) = offer.filter(|offer| !other(offer)) {
                        return Ok(Way::Fetched(Arc::clone(source), offer));
                    }
                }
                Origin::Build(builders) => {
                    asked.push("build".to_owned());
                    if let Some(builder) = builders.of(spec) {
                        return Ok(Way::Built(Arc::clone(builder)));
                    }
                }
            }
        }
        Err(AssetError::NoSource { asset: spec.asset_ref(), asked })
    }

    /// Checks all tools before the first build: a missing one must not show after minutes of work.
    pub(super) async fn check_tools(&self, plan: &PullPlan) -> Result<(), AssetError> {
        let mut checked = BTreeSet::new();
        for (spec, way) in plan.assets() {
            if let Way::Built(builder) = way
                && checked.insert(builder.group(spec))
            {
                builder.check(spec).await?;
            }
        }
        Ok(())
    }
}
