//! The user's kubeconfig: a short-lived administrator's credentials, merged in beside whatever is there.

mod authority;
mod files;
mod remarks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::{Loaded, ObserveContext as _, Output, Randomness as _};
use jiff::{SignedDuration, Timestamp};
use model::{Resolved, ids};
use pki::kubeconfig::{Credential, Entry, Foreign, Names, Trust};
use reconcile::OpenCluster;
use resource::{Reference, Secret};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use self::authority::Authority;
use self::files::Files;
use crate::app::App;
use crate::error::CommandError;
use crate::reach;
use crate::system::SystemRandomness;

/// How long exported credentials live: a working day and some more, as kops has it.
const LIFETIME: SignedDuration = SignedDuration::from_hours(18);

/// How long a control plane may take to accept a connection until the next one is asked.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The names of a cluster's entries.
fn names(cluster: &str) -> Names {
    Names { context: cluster.to_owned(), cluster: cluster.to_owned(), user: format!("{cluster}-admin") }
}

/// Whether the user's current context changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    /// To the cluster's.
    Always,
    /// Only where the cluster's context is new.
    IfNew,
}

/// Merges credentials for `resolved` into the user's kubeconfig, and says where its context is.
pub(crate) async fn export(
    app: &App,
    cluster: &OpenCluster,
    resolved: &Resolved,
    switch: Switch,
) -> Result<String, CommandError> {
    let entry = mint(cluster, resolved, server(app, &reach::known(cluster, resolved)).await?)?;
    let (name, paths) = (resolved.name(), &app.environment.kubeconfigs);
    let _locks = files::lock(paths)?;
    let mut files = Files::read(paths)?;
    let authorities = [Authority::recorded(cluster), Authority::of(&entry.trust)];
    let found = files.foreign(&names(name), &|trust| authorities.iter().any(|known| known.is(trust)));
    if !found.is_empty() {
        return Err(in_the_way(&found, files.place(&names(name))));
    }
    files.put(&entry, &names(name), switch == Switch::Always);
    files.write()?;
    let path = files.place(&names(name)).display().to_string();
    Ok(match files.current_context() {
        current if current == name => format!("Context {name} is the current one in {path}."),
        _ => format!("Context {name} is in {path}; to use it: kubectl config use-context {name}"),
    })
}

/// The same at the end of other work, which it does not make a failure.
pub(crate) async fn export_if_possible(app: &App, cluster: &OpenCluster, resolved: &Resolved) -> Option<String> {
    match export(app, cluster, resolved, Switch::IfNew).await {
        Ok(said) => Some(said),
        Err(error) => {
            warn(app, &error);
            None
        }
    }
}

/// Refuses to begin with a cluster whose credentials could not be written in the end.
pub(crate) fn check_new(app: &App, name: &str) -> Result<(), CommandError> {
    let files = Files::read(&app.environment.kubeconfigs)?;
    match files.foreign(&names(name), &|_| false) {
        found if found.is_empty() => Ok(()),
        found => Err(in_the_way(&found, files.place(&names(name)))),
    }
}

/// Refuses an update that makes the cluster, as `create` does.
pub(crate) fn check(app: &App, loaded: &Loaded, name: &str) -> Result<(), CommandError> {
    if loaded.state.resources.contains_key(&ids::authority("kubernetes")) { Ok(()) } else { check_new(app, name) }
}

/// Says what carrying the plan out would be refused for.
pub(crate) fn foretell(app: &App, loaded: &Loaded, name: &str) {
    if let Err(error) = check(app, loaded, name) {
        app.say("\nThe kubeconfig cannot take this cluster, so carrying this out would be refused:");
        warn(app, &error);
    }
}

/// What stands where the cluster's entries would go.
fn in_the_way(found: &[Foreign], path: &Path) -> CommandError {
    let described: Vec<String> = found.iter().map(describe).collect();
    let mut error = CommandError::failed(format!(
        "{} has {} already, of another cluster, and they are not overwritten",
        path.display(),
        described.join(", ")
    ))
    .hint("to keep them, write into another file: KUBECONFIG=FILE kubewright …");
    let remove = found.iter().map(|foreign| match foreign {
        Foreign::Cluster { name, .. } => format!("kubectl config delete-cluster {name}"),
        Foreign::Context { name, .. } => format!("kubectl config delete-context {name}"),
        Foreign::User { name } => format!("kubectl config delete-user {name}"),
    });
    error.hints.push(format!("if nobody needs them: {}", remove.collect::<Vec<_>>().join("; ")));
    error
}

fn describe(foreign: &Foreign) -> String {
    match foreign {
        Foreign::Cluster { name, server } => format!("a cluster {name} at {server}"),
        Foreign::Context { name, cluster } => format!("a context {name} of cluster {cluster}"),
        Foreign::User { name } => format!("a user {name}"),
    }
}

fn warn(app: &App, error: &CommandError) {
    let lines: Vec<&str> = std::iter::once(&error.message).chain(&error.hints).map(String::as_str).collect();
    app.say(format!("Warning: {}", lines.join("\n  ")));
}

/// Where the API is reached from here: the spec's endpoint, or else the first control plane that is up.
async fn server(app: &App, resolved: &Resolved) -> Result<String, CommandError> {
    let (host, port) = endpoint(resolved)?;
    let known = resolved.control_planes().filter_map(|machine| machine.address.known());
    let control_planes = known.map(|address| address.to_string());
    let others = control_planes.filter(|address| *address != host).collect::<Vec<_>>();
    let mut choices = [vec![host], others].concat();
    if let Some(found) = first_up(&choices, port).await.filter(|found| *found > 0) {
        if resolved.cluster.spec.api.endpoint.is_some() {
            let (wanted, found) = (&choices[0], &choices[found]);
            app.say(format!("{wanted}:{port} is not reached from here; the kubeconfig names {found} instead."));
        }
        choices.swap(0, found);
    }
    Ok(format!("https://{}", model::host_port(&choices[0], port)))
}

/// Host and port of the API.
pub(crate) fn endpoint(resolved: &Resolved) -> Result<(String, u16), CommandError> {
    resolved.known_endpoint().ok_or_else(|| {
        CommandError::failed("it is not known where the API is: the first control plane has no address yet")
            .hint(format!("kubewright update cluster {} --yes", resolved.name()))
    })
}

/// Index of the first host that accepts a connection. A single one need not be asked.
async fn first_up(hosts: &[String], port: u16) -> Option<usize> {
    if hosts.len() < 2 {
        return None;
    }
    for (index, host) in hosts.iter().enumerate() {
        let connected = timeout(TIMEOUT, TcpStream::connect((host.as_str(), port))).await;
        if matches!(connected, Ok(Ok(_))) {
            return Some(index);
        }
    }
    None
}

/// New credentials for a cluster.
fn mint(cluster: &OpenCluster, resolved: &Resolved, server: String) -> Result<Entry, CommandError> {
    let authority = ids::authority("kubernetes");
    let output = |name: &str| {
        let reference = Reference::new(authority.clone(), name);
        cluster.outputs.output(&reference).map_err(|error| {
            CommandError::from_source("the cluster has no certificate authority yet", &error)
                .hint(format!("carry its plan out first: kubewright update cluster {} --yes", resolved.name()))
        })
    };
    let certificate = text(&output("certificate")?);
    let key = Secret::new(text(&output("key")?));
    let mut serial = pki::SerialBytes::default();
    SystemRandomness.fill(&mut serial);
    let issued = pki::mint_admin(&certificate, &key, LIFETIME, Timestamp::now(), serial)
        .map_err(|error| CommandError::from_source("cannot make the administrator's certificate", &error))?;
    Ok(Entry {
        cluster: resolved.name().to_owned(),
        user: names(resolved.name()).user,
        server,
        trust: Trust::Embedded(certificate),
        credential: Credential::Embedded { certificate: issued.certificate, key: issued.key },
    })
}

fn text(output: &Output) -> String {
    output.text().unwrap_or_default().to_owned()
}

/// Takes a cluster's entries out of the user's kubeconfig. That it can't be done keeps no deleted cluster.
pub(crate) fn remove(app: &App, name: &str, authority: &Authority) {
    let paths: Vec<PathBuf> = app.environment.kubeconfigs.iter().filter(|path| path.exists()).cloned().collect();
    match take_out(&paths, name, authority) {
        Ok(stays) if stays.is_empty() || *authority == Authority::Unknown => {}
        Ok(stays) => {
            let described: Vec<String> = stays.iter().map(describe).collect();
            app.say(format!("In the kubeconfig, of another cluster and left as they are: {}.", described.join(", ")));
        }
        Err(error) => warn(app, &error),
    }
}

fn take_out(paths: &[PathBuf], name: &str, authority: &Authority) -> Result<Vec<Foreign>, CommandError> {
    let _locks = files::lock(paths)?;
    let mut files = Files::read(paths)?;
    let stays = files.take_out(&names(name), &|trust| authority.is(trust));
    files.write()?;
    Ok(stays)
}
