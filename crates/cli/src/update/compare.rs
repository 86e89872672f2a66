//! A cluster compared with its documents: a plan, and all that carrying it out needs. Comparing writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Edition;
use engine::Lease;
use model::Resolved;
use plan::{Base, Plan};
use provider::Finding;
use reconcile::{OpenCluster, Policy};
use resource::{Desired, Digest, ResourceId};

use super::{UpdateOptions, View, show, timeline};
use crate::app::App;
use crate::compose::{Composition, compose};
use crate::error::{self, CommandError};
use crate::exit::Exit;
use crate::operation;
use crate::passwords::{self, PasswordFiles};
use crate::policy_check;
use crate::prepare::Prepared;
use crate::{documents, facts, kubeconfig, obstacles, prepare, resolving, revise};

/// A cluster compared with its documents.
pub(crate) struct Compared {
    pub(super) resolved: Resolved,
    pub(super) desired: BTreeMap<ResourceId, Desired>,
    pub(super) prepared: Prepared,
    pub(super) composition: Composition,
    pub(super) cluster: OpenCluster,
    pub(super) policy: Policy,
    /// What stands in the way of making what the plan makes.
    pub(super) obstacles: Vec<Finding>,
    /// What would have to be done.
    pub(crate) plan: Plan,
}

/// Compares a cluster with its documents; with everything ready that a run needs when the plan is `used`.
pub(crate) async fn compare(
    app: &App,
    name: &str,
    options: &UpdateOptions,
    used: bool,
) -> Result<Compared, CommandError> {
    let loaded = operation::load(app, name).await?;
    if let Some(base) = &options.base {
        revise::check_base(name, base, &loaded)?;
    }
    facts::check_access(app, name, &loaded).await?;
    let resolved = resolving::wanted(app, name, &loaded)?;
    let desired = resolving::build(app, &resolved)?;
    known_machines(&resolved, &options.agent_options.forget_etcd_data)?;
    let is_made = loaded.state.resources.contains_key(&model::ids::registry_logins(name));
    passwords::check(&resolved.cluster.spec.containerd.registry_credentials, is_made, &PasswordFiles)?;
    let policy = policy_check::policy(&resolved, &loaded)?;
    policy_check::documents(app, &policy)?;
    if used {
        kubeconfig::check(app, &loaded, name)?;
    }
    let obstacles = if options.view.recorded_only || options.view.drift_only {
        Vec::new()
    } else {
        obstacles::found(app, &resolved, &desired, &loaded.state.resources, &options.view.targets).await?
    };
    if used {
        obstacles::refuse(&obstacles)?;
    }
    let prepared = prepare::assets(app, &resolved, &loaded, used).await?;
    let composition = compose(app, prepared.agent.clone(), &options.agent_options);
    if used && loaded.state.resources.is_empty() {
        operation::make_key(app)?;
    }
    let cluster =
        operation::open(app, loaded, name, composition.handlers.clone()).await?.applying(policy.applied_spec());
    let plan = options.view.plan(app, name, &cluster, &desired, prepared.digest()).await?;
    let plan = if options.view.recorded_only { plan } else { reconcile::forecast(&cluster, &resolved, plan).await };
    let plan = plan.with_rules(options.rules.digest());
    Ok(Compared { resolved, desired, prepared, composition, cluster, policy, obstacles, plan })
}

impl Compared {
    /// Says what this kubewright would bring to a cluster that was made by an earlier one.
    pub(super) fn mention_edition(&self, app: &App, name: &str) {
        let (edition, newest) = (self.resolved.facts.edition, Edition::NEWEST);
        // What an earlier release stored names none; the first update does.
        if self.cluster.loaded.revision.facts.get("edition").is_none() && !self.plan.is_empty() {
            app.say(
                "\nAn earlier release made this cluster. What is planned although the documents did not change comes with this \
                 kubewright:\nit marks things as this cluster's, guards etcd's data or mends a fault (docs/guide.md, \"A newer \
                 kubewright\").",
            );
        }
        if edition < newest {
            let (edition, newest) = (edition.name(), newest.name());
            app.say(format!(
                "\nThis cluster is of edition {edition}, as an earlier release made it, and stays so until you ask for \
                 {newest}, which restarts kubelets and the cluster's own pods once.\nTo see what that changes: kubewright set \
                 cluster {name} spec.edition={newest}, then kubewright update cluster {name}"
            ));
        }
    }

    /// The same with everything kept that was allocated for it, before anything is made with that.
    pub(super) async fn kept(
        self,
        app: &App,
        name: &str,
        options: &UpdateOptions,
        lease: &dyn Lease,
    ) -> Result<Self, CommandError> {
        let loaded = &self.cluster.loaded;
        let facts = &self.resolved.facts;
        if serde_json::to_value(facts).is_ok_and(|value| value == loaded.revision.facts) {
            return Ok(self);
        }
        let revision = documents::revision(app, loaded.revision.documents.clone(), facts, Some(loaded))?;
        let store = app.cluster(name);
        let digest = store.put_revision(lease, &revision).await?;
        store.set_revision(lease, loaded, digest).await?;
        let loaded = operation::load(app, name).await?;
        let policy = policy_check::policy(&self.resolved, &loaded)?;
        let handlers = self.composition.handlers.clone();
        let cluster = operation::open(app, loaded, name, handlers).await?.applying(policy.applied_spec());
        // The plan is the same one, on the revision that has what it was made with.
        let base = cluster.base(self.prepared.digest());
        let Base { targets, time, .. } = self.plan.base;
        let base = Base { targets, time, rules: options.rules.digest(), ..base };
        Ok(Self { plan: Plan { base, ..self.plan }, cluster, policy, ..self })
    }
}

impl View {
    pub(super) async fn show(&self, app: &App, plan: &Plan) -> Result<(), CommandError> {
        if self.timeline { timeline::show(app, plan).await } else { show(app, plan) }
    }

    /// The plan, as far as it is of interest.
    async fn plan(
        &self,
        app: &App,
        name: &str,
        cluster: &OpenCluster,
        desired: &BTreeMap<ResourceId, Desired>,
        assets: Digest,
    ) -> Result<Plan, CommandError> {
        self.known_targets(name, cluster, desired)?;
        let observed = if self.recorded_only {
            app.say("Nothing was looked at: this preview takes what was recorded for what is there.");
            cluster.recorded_as_observed(desired)
        } else {
            operation::observe(app, cluster, desired).await?
        };
        Ok(cluster.plan(desired, assets, &observed, &self.targets)?)
    }

    /// Refuses targets that are neither desired nor recorded.
    fn known_targets(
        &self,
        name: &str,
        cluster: &OpenCluster,
        desired: &BTreeMap<ResourceId, Desired>,
    ) -> Result<(), CommandError> {
        let known: BTreeSet<&ResourceId> = desired.keys().chain(cluster.loaded.state.resources.keys()).collect();
        let Some(unknown) = self.targets.iter().find(|target| !known.contains(target)) else { return Ok(()) };
        let known = known.into_iter().map(ResourceId::as_str);
        let all = format!("see all of them: kubewright update cluster {name} -o json");
        Err(error::not_among(format!("there is no resource {unknown}"), unknown.as_str(), known, all))
    }
}

/// Refuses names of machines that are none of the cluster's control planes, and one member of several: the others know it by its
/// id and take no new one in its place, so that it would never come up.
fn known_machines(resolved: &Resolved, names: &BTreeSet<String>) -> Result<(), CommandError> {
    let known: Vec<&str> = resolved.control_planes().map(|machine| machine.name.as_str()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None if names.is_empty() || names.len() == known.len() => Ok(()),
        None => Err(CommandError::failed(
            "a new member of etcd cannot take the place of one that the other control planes still know; nothing was changed",
        )
        .exit(Exit::Refused)
        .hint("restore the member's data from a copy of its disk; replacing one member of several is not built yet")
        .hint(format!("if all of them lost their data, name every one of them: {}", known.join(", ")))),
        Some(unknown) => Err(CommandError::failed(format!("there is no control plane {unknown}"))
            .exit(Exit::Usage)
            .hint(format!("there are: {}", known.join(", ")))),
    }
}
