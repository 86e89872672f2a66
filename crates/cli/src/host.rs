//! This host: whether it can carry what a plan makes here, and what sets it up.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Event, EventSink as _, ObserveRequest};
use model::Resolved;
use provider_local::{Finding, PreflightInput, setup};
use resource::{Desired, Recorded, ResourceId};

use crate::app::App;
use crate::error::CommandError;
use crate::{compose, sources};

/// What is wanted of a cluster, and what is recorded of it.
pub(crate) struct Asked<'a> {
    /// Identity of the cluster's state.
    pub(crate) lineage: &'a str,
    /// The documents on their ground.
    pub(crate) resolved: &'a Resolved,
    /// Everything that should be there.
    pub(crate) desired: &'a BTreeMap<ResourceId, Desired>,
    /// Everything that was made.
    pub(crate) recorded: &'a BTreeMap<ResourceId, Recorded>,
    /// What a plan is limited to; nothing where it is whole.
    pub(crate) targets: &'a BTreeSet<ResourceId>,
}

impl Asked<'_> {
    /// What stands in the way of making on this host what is not there yet; nothing where all of it is there.
    ///
    /// This comes before a plan: planning for a run takes assets, which are a quarter of an hour's work.
    pub(crate) async fn obstacles(&self, app: &App) -> Vec<Finding> {
        let local = compose::local_provider(app);
        let unmade = local.unmade(self.requests()).await;
        if unmade.is_empty() {
            return Vec::new();
        }
        let (spec, ground) = (&self.resolved.cluster.spec, &self.resolved.ground.local);
        let proxy = &spec.networking.kube_proxy;
        let input = PreflightInput {
            cluster: self.resolved.name().to_owned(),
            lineage: self.lineage.to_owned(),
            bridge: ground.bridge.clone(),
            subnet: ground.subnet,
            recorded: self.recorded.contains_key(&model::ids::network(self.resolved.name())),
            machines: unmade.machines,
            builds_image: sources::builds_machine_image(app, &spec.assets.sources),
            proxies_by_nftables: proxy.enabled && proxy.mode == spec::ProxyMode::Nftables,
        };
        local.preflight(&input).await
    }

    fn requests(&self) -> Vec<ObserveRequest> {
        let wanted = self.within_targets();
        let request = |(id, desired): (&ResourceId, &Desired)| ObserveRequest {
            id: id.clone(),
            desired: Some(desired.inputs.clone()),
            recorded: self.recorded.get(id).cloned(),
        };
        self.desired.iter().filter(|(id, _)| wanted.contains(id)).map(request).collect()
    }

    /// The targets, and all that they rest on; everything where there are none.
    fn within_targets(&self) -> BTreeSet<ResourceId> {
        if self.targets.is_empty() {
            return self.desired.keys().cloned().collect();
        }
        let mut within = BTreeSet::new();
        let mut queue: Vec<ResourceId> = self.targets.iter().cloned().collect();
        while let Some(id) = queue.pop() {
            queue.extend(
                self.desired.get(&id).map(Desired::dependencies).unwrap_or_default().difference(&within).cloned(),
            );
            within.insert(id);
        }
        within
    }
}

/// Refuses to go on where something stands in the way.
pub(crate) fn refuse<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Result<(), CommandError> {
    let findings: Vec<&Finding> = findings.into_iter().collect();
    if findings.is_empty() {
        return Ok(());
    }
    let mut error = CommandError::failed("this host cannot carry the cluster's machines yet; nothing was changed");
    error.output = findings.iter().map(|finding| words(finding)).collect();
    error.hints = findings.iter().filter_map(|finding| finding.command.clone()).collect();
    error.hints.dedup();
    if findings.iter().any(|finding| finding.can_be_installed()) {
        error = error.hint("or let kubewright install what is missing: kubewright preflight --setup-host");
    }
    Err(error)
}

/// Says what stands in the way of carrying a plan out.
pub(crate) fn warn(app: &App, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let lines: Vec<String> = findings.iter().map(|finding| format!("  {}", words(finding))).collect();
    let lines = lines.join("\n");
    app.say(format!(
        "\nWarning: this host cannot carry the cluster's machines yet, so carrying this out would be refused:\n{lines}"
    ));
}

fn words(finding: &Finding) -> String {
    format!("{}: {}", finding.object, finding.why)
}

/// Says what setting this host up would run.
pub(crate) fn foretell_set_up(app: &App) {
    let commands = setup::setup_host(true);
    if !commands.is_empty() {
        app.say(format!("This host lacks programs; with --yes this would run: {}", setup::shown(&commands)));
    }
}

/// Whether setting this host up would install anything.
pub(crate) fn lacks_programs() -> bool {
    !setup::setup_host(true).is_empty()
}

/// Installs the programs that are missing, after saying which.
pub(crate) async fn set_up(app: &App) -> Result<(), CommandError> {
    let commands = setup::setup_host(true);
    if commands.is_empty() {
        return Ok(());
    }
    app.say(format!("This host lacks programs; running: {}", setup::shown(&commands)));
    let progress = app.progress.clone();
    let say = move |line: &str| progress.emit(Event::Note { text: format!("  {line}") });
    tokio::task::spawn_blocking(move || setup::run(&commands, &say))
        .await
        .map_err(|error| CommandError::from_source("setting this host up was interrupted", &error))?
        .map_err(|error| {
            let mut failed = CommandError::from_source("cannot set this host up", &error);
            failed.output = error.output().to_vec();
            failed.hints.extend(error.hint());
            failed
        })
}
