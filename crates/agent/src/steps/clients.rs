//! The controller manager and the scheduler: at the birth of a control plane they start when the API server lets them ask.
//!
//! One whose first request comes before the API server has made its roles is refused, and asks for
//! its lease again two to four seconds later (client-go's leader election), which the whole cluster would wait for. Where
//! several control planes are born at once, one of their controller managers is let in early; measured, waiting costs more there.

use std::collections::BTreeSet;
use std::time::Duration;

use machine::{Item, ItemState, static_pod};

use crate::etcd;
use crate::failure::Outcome;
use crate::gates;
use crate::steps::files;
use crate::system::System;
use crate::waiting;
use crate::work::{States, Work};

const API_SERVER: &str = "kube-apiserver";
/// What waits. An API server may need other static pods, which are the user's.
const CLIENTS: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];
/// How long the API server is waited for. Without it they start as well, and ask until somebody answers.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Between two questions: each is a process on a machine that is busy starting an API server.
const PAUSE: Duration = Duration::from_millis(150);

/// Manifests to be written later: those that are new on a machine on which the API server is new, too.
pub(crate) fn later(work: &Work<'_, '_>, states: &States) -> BTreeSet<String> {
    let is_new = |path: &str| states.get(&Item::File(path).to_string()) == Some(&ItemState::Missing);
    let manifests = work.wanted.files.keys().filter_map(|path| Some((path, static_pod::name(path)?)));
    let clients = manifests.filter(|(path, name)| CLIENTS.contains(name) && is_new(path));
    let is_born = is_new(&static_pod::manifest(API_SERVER)) && etcd::is_alone(work.wanted);
    clients.filter(|_| is_born).map(|(path, _)| path.clone()).collect()
}

/// Writes what was left for later, when the API server has made its roles.
pub(crate) fn start(work: &mut Work<'_, '_>, states: &States, later: &BTreeSet<String>) -> Outcome<()> {
    if later.is_empty() {
        return Ok(());
    }
    let system = work.system;
    // Who needs the API finds out that it took too long.
    let waited = waiting::until("kube-apiserver", "the API server's roles", TIMEOUT, work.replies, || {
        let look = has_roles(system);
        if look.is_err() {
            std::thread::sleep(PAUSE);
        }
        Ok(look)
    });
    // Also where nobody waits for this apply any more: without them the control plane does nothing.
    files::apply(work, states, |path| later.contains(path))?;
    waited.map(drop)
}

/// Whether everybody may ask for the version: the API server makes the binding for that just before those of its clients. The
/// question is asked as this machine's node.
fn has_roles(system: &System) -> Result<(), String> {
    let limit = format!("--request-timeout={}s", gates::TIMEOUT.as_secs());
    let question = ["--kubeconfig=/etc/kubernetes/kubelet.conf", &limit, "get", "--raw=/version"];
    match system.programs().run("kubectl", &question) {
        Ok(ran) if ran.ok => Ok(()),
        Ok(ran) => Err(ran.stderr.lines().next_back().unwrap_or("no answer").to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
