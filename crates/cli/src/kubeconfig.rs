//! The user's kubeconfig: a short-lived administrator's credentials, merged in beside whatever is there.

use std::path::Path;
use std::time::Duration;

use engine::{ObserveContext as _, Output, Randomness as _};
use fs_err as fs;
use jiff::{SignedDuration, Timestamp};
use model::{Resolved, ids};
use pki::kubeconfig::{Credential, Entry, Kubeconfig, Trust};
use resource::{Reference, Secret};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::app::App;
use crate::error::CommandError;
use crate::operation::Operation;
use crate::system::SystemRandomness;

/// How long exported credentials live: a working day and some more, as kops has it.
const LIFETIME: SignedDuration = SignedDuration::from_hours(18);

/// How long a control plane may take to accept a connection until the next one is asked.
const PATIENCE: Duration = Duration::from_secs(1);

/// Merges credentials for `resolved` into the user's kubeconfig and makes its context the current one.
pub(crate) async fn export(app: &App, operation: &Operation<'_>, resolved: &Resolved) -> Result<(), CommandError> {
    let entry = mint(operation, resolved, server(app, resolved).await)?;
    change(&app.environment.kubeconfig, |kubeconfig| {
        kubeconfig.merge(Kubeconfig::named(&entry, resolved.name()), true);
    })
}

/// Where the API is reached from here: the spec's endpoint, or else the first control plane that is up.
async fn server(app: &App, resolved: &Resolved) -> String {
    let (host, port) = resolved.routable_endpoint();
    let control_planes = resolved.control_planes().map(|machine| machine.address.to_string());
    let others = control_planes.filter(|address| *address != host).collect::<Vec<_>>();
    let mut choices = [vec![host], others].concat();
    if let Some(found) = first_up(&choices, port).await.filter(|found| *found > 0) {
        if resolved.cluster.spec.api.endpoint.is_some() {
            let (wanted, found) = (&choices[0], &choices[found]);
            app.say(format!("{wanted}:{port} is not reached from here; the kubeconfig names {found} instead."));
        }
        choices.swap(0, found);
    }
    format!("https://{}", model::host_port(&choices[0], port))
}

/// Index of the first host that accepts a connection. A single one need not be asked.
async fn first_up(hosts: &[String], port: u16) -> Option<usize> {
    if hosts.len() < 2 {
        return None;
    }
    for (index, host) in hosts.iter().enumerate() {
        let connected = timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await;
        if matches!(connected, Ok(Ok(_))) {
            return Some(index);
        }
    }
    None
}

/// New credentials for a cluster.
fn mint(operation: &Operation<'_>, resolved: &Resolved, server: String) -> Result<Entry, CommandError> {
    let authority = ids::authority("kubernetes");
    let output = |name: &str| {
        let reference = Reference::new(authority.clone(), name);
        operation.outputs.output(&reference).map_err(|error| {
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
        user: format!("{}-admin", resolved.name()),
        server,
        trust: Trust::Embedded(certificate),
        credential: Credential::Embedded { certificate: issued.certificate, key: issued.key },
    })
}

fn text(output: &Output) -> String {
    output.text().unwrap_or_default().to_owned()
}

/// Takes a cluster's context out of the user's kubeconfig.
pub(crate) fn remove(app: &App, name: &str) -> Result<(), CommandError> {
    let path = &app.environment.kubeconfig;
    if !path.exists() {
        return Ok(());
    }
    change(path, |kubeconfig| kubeconfig.remove(name))
}

/// Reads, changes and writes a kubeconfig, one process at a time: another cluster may be made just now.
fn change(path: &Path, edit: impl FnOnce(&mut Kubeconfig)) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::from_source("cannot lock the kubeconfig", &error);
    fs::create_dir_all(directory_of(path)).map_err(failed)?;
    // The directory, because the file itself is replaced, and a file beside it would keep kubectl away.
    let locked = fs::File::open(directory_of(path)).map_err(failed)?;
    locked.file().lock().map_err(failed)?;
    let mut kubeconfig = read(path)?;
    edit(&mut kubeconfig);
    write(path, &kubeconfig)
}

fn read(path: &Path) -> Result<Kubeconfig, CommandError> {
    match fs::read_to_string(path) {
        Ok(text) => Kubeconfig::from_yaml(&text).map_err(|error| {
            CommandError::from_source(
                &format!("{} cannot be read, so nothing is merged into it", path.display()),
                &error,
            )
            .hint("repair it, or set KUBECONFIG to another file")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kubeconfig::empty()),
        Err(error) => Err(CommandError::from_source("", &error)),
    }
}

/// Writes beside and renames, so that a kubectl that reads meanwhile never sees half a file.
fn write(path: &Path, kubeconfig: &Kubeconfig) -> Result<(), CommandError> {
    use std::io::Write as _;
    let failed = |error: std::io::Error| CommandError::from_source("cannot write the kubeconfig", &error);
    let text =
        kubeconfig.to_yaml().map_err(|error| CommandError::from_source("cannot write the kubeconfig", &error))?;
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory_of(path)).map_err(failed)?;
    file.write_all(text.reveal().as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
