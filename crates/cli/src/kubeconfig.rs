//! The user's kubeconfig: a short-lived administrator's credentials, merged in beside whatever is there.

use std::path::Path;

use engine::{ObserveContext as _, Output, Randomness as _};
use fs_err as fs;
use jiff::{SignedDuration, Timestamp};
use model::{Resolved, ids};
use pki::kubeconfig::{Credential, Entry, Kubeconfig, Trust};
use resource::{Reference, Secret};

use crate::app::App;
use crate::error::CommandError;
use crate::operation::Operation;
use crate::system::SystemRandomness;

/// How long exported credentials live: a working day and some more, as kops has it.
const LIFETIME: SignedDuration = SignedDuration::from_hours(18);

/// Merges credentials for `resolved` into the user's kubeconfig and makes its context the current one.
pub(crate) fn export(app: &App, operation: &Operation<'_>, resolved: &Resolved) -> Result<(), CommandError> {
    let path = &app.environment.kubeconfig;
    let entry = mint(operation, resolved)?;
    let mut kubeconfig = read(path)?;
    kubeconfig.merge(Kubeconfig::named(&entry, resolved.name()), true);
    write(path, &kubeconfig)
}

/// New credentials for a cluster.
pub(crate) fn mint(operation: &Operation<'_>, resolved: &Resolved) -> Result<Entry, CommandError> {
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
    let (host, port) = resolved.routable_endpoint();
    Ok(Entry {
        cluster: resolved.name().to_owned(),
        user: format!("{}-admin", resolved.name()),
        server: format!("https://{host}:{port}"),
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
    let mut kubeconfig = read(path)?;
    kubeconfig.remove(name);
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
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed)?;
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(text.reveal().as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
