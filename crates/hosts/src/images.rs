//! Container images on machines that were born without them: looked for, imported and removed by containerd's client.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{
    ActionContext, ActionError, Applied, AssetFiles, Host, HostConnector, HostError, HostTarget, ObserveContext,
    ObserveRequest,
};
use futures::StreamExt as _;
use plan::{Change, Operation};
use resource::{Observation, ResourceId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::AgentError;
use crate::apply::{TIMEOUT, after, before, target_of, unless_cancelled};
use crate::observe::{self, AT_ONCE};
use crate::target::target_if_made;

/// containerd's client, in the namespace of Kubernetes.
const CLIENT: &str = "ctr --namespace k8s.io images";
/// Marks an image as Kubernetes' own, and keeps kubelet's garbage collection from it.
const LABELS: &str = "io.cri-containerd.image=managed io.cri-containerd.pinned=pinned";
/// How long a machine may take to list its images.
const LOOKING: Duration = Duration::from_secs(20);

/// Inputs of an `image` beside its target.
#[derive(Debug, Deserialize)]
struct Inputs {
    /// Full name with tag.
    image: String,
    /// The archive, as an asset's reference.
    asset: String,
}

impl Inputs {
    fn of(inputs: &Value) -> Result<Self, String> {
        Self::deserialize(inputs).map_err(|error| format!("its inputs cannot be read: {error}"))
    }
}

/// Observes and applies `image`s.
pub(crate) struct Images {
    connector: Arc<dyn HostConnector>,
    assets: Arc<dyn AssetFiles>,
}

impl Images {
    pub(crate) fn new(connector: Arc<dyn HostConnector>, assets: Arc<dyn AssetFiles>) -> Self {
        Self { connector, assets }
    }

    /// Looks for images: all machines at once, one program on each.
    pub(crate) async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: &dyn ObserveContext,
    ) -> BTreeMap<ResourceId, Observation> {
        let mut machines: BTreeMap<String, Vec<ObserveRequest>> = BTreeMap::new();
        for request in requests {
            let machine = request.id.name().split('/').next().unwrap_or_default().to_owned();
            machines.entry(machine).or_default().push(request);
        }
        futures::stream::iter(machines.into_values())
            .map(|requests| async move {
                let found = self.images_of(&requests, context).await;
                requests.into_iter().map(move |request| (request.id.clone(), observation(&request, &found)))
            })
            .buffer_unordered(AT_ONCE)
            .flat_map(futures::stream::iter)
            .collect()
            .await
    }

    /// Names of the images on the machine that all of `requests` are about; nothing where it was never made.
    async fn images_of(
        &self,
        requests: &[ObserveRequest],
        context: &dyn ObserveContext,
    ) -> Result<Option<BTreeSet<String>>, String> {
        let Some(inputs) = requests.iter().find_map(ObserveRequest::inputs) else { return Ok(None) };
        let Some(target) = target_if_made(inputs, context)? else { return Ok(None) };
        let listing = async {
            let host = self.connector.connect(&target, observe::TIMEOUT).await?;
            names(host.as_ref(), &target.name).await
        };
        let listed = tokio::time::timeout(LOOKING, listing).await;
        let names = listed.map_err(|_| format!("{} did not list its images in time", target.name))?;
        names.map(Some).map_err(|error| error.to_string())
    }

    /// Loads an image, or removes it.
    pub(crate) async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        let (inputs, removes) = match change.operation {
            Operation::Delete => (before(change)?, true),
            _ => (after(change)?, false),
        };
        let target = target_of(inputs, context.outputs.as_ref())?;
        let inputs = Inputs::of(inputs).map_err(ActionError::permanent)?;
        let work = async {
            if removes { self.remove(&target, &inputs).await } else { self.load(&target, &inputs, context).await }
        };
        unless_cancelled(context, work).await.map(|()| Applied::default())
    }

    async fn load(&self, target: &HostTarget, inputs: &Inputs, context: &ActionContext) -> Result<(), ActionError> {
        let missing = |error| ActionError::from_source("cannot load the image", &error);
        let archive = self.assets.path(&inputs.asset).map_err(missing)?;
        context.progress(format!("loading {}", inputs.image));
        let host = self.connector.connect(target, TIMEOUT).await.map_err(AgentError::from)?;
        let label = format!("{CLIENT} label {} {LABELS}", inputs.image);
        import(host.as_ref(), &target.name, &archive, Some(&label))
            .await
            .map_err(|error| AgentError::from(error).into())
    }

    async fn remove(&self, target: &HostTarget, inputs: &Inputs) -> Result<(), ActionError> {
        let removing = async {
            let host = self.connector.connect(target, TIMEOUT).await?;
            if names(host.as_ref(), &target.name).await?.contains(&inputs.image) {
                run(host.as_ref(), &target.name, &format!("{CLIENT} remove --sync {}", inputs.image)).await?;
            }
            Ok::<_, HostError>(())
        };
        removing.await.map_err(|error| AgentError::from(error).into())
    }
}

fn observation(request: &ObserveRequest, found: &Result<Option<BTreeSet<String>>, String>) -> Observation {
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => return Observation::Absent,
        Err(why) => return Observation::unknown(why.clone()),
    };
    let Some(inputs) = request.inputs() else { return Observation::Absent };
    match Inputs::of(inputs) {
        Err(why) => Observation::unknown(why),
        Ok(Inputs { image, .. }) if !found.contains(&image) => Observation::Absent,
        Ok(_) => Observation::present(as_loaded(inputs, request)),
    }
}

/// A name does not tell what it was loaded from; the record does.
fn as_loaded(inputs: &Value, request: &ObserveRequest) -> Value {
    let mut attributes = inputs.clone();
    if let Some(recorded) = &request.recorded {
        attributes["asset"] = recorded.inputs.get("asset").cloned().unwrap_or(json!(null));
    }
    attributes
}

/// Imports an archive of images into a machine, then runs `afterwards` there. Nothing of the archive is left behind.
///
/// # Errors
/// [`HostError`] when the machine cannot be used, or does not take the archive.
pub async fn import(host: &dyn Host, machine: &str, archive: &Path, afterwards: Option<&str>) -> Result<(), HostError> {
    let name = archive.file_name().map_or_else(|| "image".to_owned(), |name| name.to_string_lossy().into_owned());
    let safe: String =
        name.chars().filter(|letter| letter.is_ascii_alphanumeric() || ".-_".contains(*letter)).collect();
    let remote = format!("/var/lib/kubewright/loading-{safe}");
    host.upload(archive, &remote, 0o600).await?;
    let afterwards = afterwards.map(|command| format!(" && {command}")).unwrap_or_default();
    let import = format!("{CLIENT} import --all-platforms {remote}{afterwards}");
    run(host, machine, &format!("{import}; status=$?; rm -f {remote}; exit $status")).await.map(drop)
}

/// Names of the images that a machine has.
async fn names(host: &dyn Host, machine: &str) -> Result<BTreeSet<String>, HostError> {
    Ok(run(host, machine, &format!("{CLIENT} list --quiet")).await?.into_iter().collect())
}

/// Runs a command to its end; the lines that it printed.
async fn run(host: &dyn Host, machine: &str, command: &str) -> Result<Vec<String>, HostError> {
    let (sender, mut lines) = mpsc::channel(64);
    let listen = async {
        let mut all = Vec::new();
        while let Some(line) = lines.recv().await {
            all.push(line);
        }
        all
    };
    let (exit, lines) = tokio::join!(host.run(command, Vec::new(), sender), listen);
    let exit = exit?;
    if exit.status == 0 {
        return Ok(lines);
    }
    let (name, command) = (machine.to_owned(), command.to_owned());
    Err(HostError::Failed { name, command, status: exit.status, stderr: exit.stderr })
}
