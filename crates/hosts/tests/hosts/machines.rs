//! Machines in memory, each with an agent that keeps state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use engine::{Exit, Host, HostConnector, HostError, HostTarget};
use machine::compare::{Found, FoundUnit};
use machine::wire::PROTOCOL;
use machine::{
    Body, DigestKey, Facts, Gate, Hello, Holes, ItemState, MachineConfig, Reply, Request, Step, compare, digest,
};
use serde::Serialize;
use tokio::sync::{Barrier, mpsc};

pub(crate) const LEDGER: &str = "/var/lib/kubewright/ledger.json";
pub(crate) const CERTIFICATE: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// What goes wrong on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Unreachable,
    /// The link is lost after the agent's hello, once.
    LinkLost,
    /// The agent can't be started even where it is.
    WrongArchitecture,
    /// Every apply fails.
    ApplyFails,
    /// A gate never holds.
    GateFails,
}

/// One machine.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) agents: BTreeSet<String>,
    pub(crate) files: BTreeMap<String, (Vec<u8>, u32)>,
    pub(crate) running: BTreeSet<String>,
    pub(crate) epoch: u64,
    pub(crate) fault: Option<Fault>,
    pub(crate) connections: usize,
    pub(crate) programs: usize,
    pub(crate) uploads: usize,
    /// What was asked, in order.
    pub(crate) asked: Vec<Request>,
    /// Names of container images; what was uploaded and not imported yet stands in `archives`.
    pub(crate) images: BTreeSet<String>,
    pub(crate) archives: BTreeSet<String>,
    /// Whether the cluster gives a kubelet its certificate.
    pub(crate) admitted: bool,
}

/// All machines, by name.
#[derive(Clone, Default)]
pub(crate) struct Machines {
    all: Arc<Mutex<BTreeMap<String, Machine>>>,
    /// Where set, connections wait until so many are made at once.
    pub(crate) meeting: Option<Arc<Barrier>>,
    pub(crate) targets: Arc<Mutex<Vec<HostTarget>>>,
}

impl Machines {
    /// Looks at a machine, or changes it.
    pub(crate) fn with<T>(&self, name: &str, look: impl FnOnce(&mut Machine) -> T) -> T {
        look(self.lock().entry(name.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Machine>> {
        self.all.lock().unwrap()
    }
}

#[async_trait]
impl HostConnector for Machines {
    async fn connect(&self, target: &HostTarget, _timeout: Duration) -> Result<Arc<dyn Host>, HostError> {
        if let Some(meeting) = &self.meeting {
            meeting.wait().await;
        }
        self.targets.lock().unwrap().push(target.clone());
        let unreachable = self.with(&target.name, |machine| {
            machine.connections += 1;
            machine.fault == Some(Fault::Unreachable)
        });
        if unreachable {
            return Err(HostError::Unreachable { name: target.name.clone(), why: "no route to host".into() });
        }
        Ok(Arc::new(Connection { name: target.name.clone(), machines: self.clone() }))
    }
}

struct Connection {
    name: String,
    machines: Machines,
}

#[async_trait]
impl Host for Connection {
    async fn run(&self, command: &str, input: Vec<u8>, lines: mpsc::Sender<String>) -> Result<Exit, HostError> {
        let (said, status) = self.machines.with(&self.name, |machine| machine.run(command, &input));
        for line in said {
            let _ = lines.send(line).await;
        }
        Ok(Exit { status, stderr: vec!["last words".into()] })
    }

    async fn upload(&self, local: &Path, remote: &str, mode: u32) -> Result<(), HostError> {
        if let Ok(image) = local.strip_prefix("/here/images") {
            assert_eq!((image, mode), (Path::new("metrics-server.tar"), 0o600));
            self.machines.with(&self.name, |machine| machine.archives.insert(remote.to_owned()));
            return Ok(());
        }
        assert_eq!((local, mode), (Path::new("/here/kubewright-agent"), 0o755));
        self.machines.with(&self.name, |machine| {
            machine.uploads += 1;
            machine.agents.insert(remote.to_owned());
        });
        Ok(())
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn facts() -> Facts {
    Facts {
        arch: "amd64".into(),
        resolv_conf: "/etc/resolv.conf".into(),
        cgroup_driver: "cgroupfs".into(),
        ..Facts::default()
    }
}

impl Machine {
    fn run(&mut self, command: &str, input: &[u8]) -> (Vec<String>, i32) {
        self.programs += 1;
        if let Some(command) = command.strip_prefix("ctr --namespace k8s.io images ") {
            return self.client(command);
        }
        if command.starts_with("rm -f /usr/local/bin/kubewright-agent-") {
            self.agents.clear();
            return (Vec::new(), 0);
        }
        let agent = command.trim_end_matches('\'').rsplit("exec ").next().unwrap_or_default();
        if self.fault == Some(Fault::WrongArchitecture) && self.agents.contains(agent) {
            return (Vec::new(), 126);
        }
        if !self.agents.contains(agent) {
            return (vec!["Welcome!".into()], 127);
        }
        let mut said = vec!["Welcome!".to_owned(), line(&Hello { kubewright_agent: PROTOCOL })];
        if self.fault == Some(Fault::LinkLost) {
            self.fault = None;
            return (said, -1);
        }
        let request: Request = serde_json::from_slice(input).unwrap();
        self.asked.push(request.clone());
        let replies = self.answer(request);
        let failed = matches!(replies.last(), Some(Reply::Failed { .. }));
        said.extend(replies.iter().map(line));
        (said, i32::from(failed))
    }

    /// containerd's client.
    fn client(&mut self, command: &str) -> (Vec<String>, i32) {
        if !self.running.contains("containerd.service") {
            return (Vec::new(), 1);
        }
        match command.split(' ').collect::<Vec<_>>().as_slice() {
            ["list", "--quiet"] => (self.images.iter().cloned().collect(), 0),
            ["remove", "--sync", name] => (Vec::new(), i32::from(!self.images.remove(*name))),
            ["import", "--all-platforms", archive, rest @ ..] => {
                assert!(self.archives.remove(*archive), "{archive} was uploaded");
                assert_eq!(rest[..6], ["&&", "ctr", "--namespace", "k8s.io", "images", "label"]);
                let after = rest[7..].join(" ");
                assert!(after.contains("pinned=pinned; status=$?; rm -f /var/lib/kubewright/loading-"), "{after}");
                self.images.insert(rest[6].to_owned());
                (Vec::new(), 0)
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, request: Request) -> Vec<Reply> {
        match request {
            Request::Facts => vec![Reply::Facts { facts: facts() }],
            Request::Observe { config, digest_key, probe, .. } => vec![Reply::Observed {
                items: self.compare(&config, &digest_key),
                exists: probe.into_iter().filter(|path| self.files.contains_key(path)).collect(),
                facts: facts(),
                member_serves: None,
            }],
            Request::Apply { config, digest_key, epoch, lineage, .. } => {
                if self.fault == Some(Fault::ApplyFails) {
                    return vec![failed("unit/kubelet.service", "it does not start")];
                }
                self.apply(&config, &digest_key, epoch, &lineage)
            }
            Request::Run { steps, .. } => self.steps(steps),
            Request::Reset { .. } => {
                let changed = self.files.len();
                self.files.clear();
                vec![Reply::Done { changed }]
            }
        }
    }

    fn compare(&self, config: &MachineConfig, digest_key: &str) -> BTreeMap<String, ItemState> {
        let key = DigestKey::from_hex(digest_key).unwrap();
        let holes = Holes::new(&config.machine, &facts());
        let mut items = BTreeMap::new();
        for (path, wanted) in config.desired_files(&holes, &key).unwrap() {
            let found = match self.files.get(&path) {
                None => Found::Missing,
                Some((bytes, mode)) => {
                    let digest = if wanted.body.is_secret() { key.secret(bytes) } else { digest::public(bytes) };
                    Found::Expected { digest, mode: *mode, owner: (0, 0) }
                }
            };
            let state = match (wanted.create_only, &found) {
                (true, Found::Expected { .. }) => ItemState::Same,
                _ => compare::path(wanted.body.digest().unwrap_or_default(), wanted.mode, (0, 0), &found),
            };
            items.insert(format!("file/{path}"), state);
        }
        for (name, unit) in &config.group.units {
            let active = if self.running.contains(name) { "active" } else { "inactive" };
            let found = FoundUnit {
                load: "loaded".into(),
                active: active.into(),
                file: "enabled".into(),
                ..FoundUnit::default()
            };
            items.insert(format!("unit/{name}"), compare::unit(unit, true, false, &found));
        }
        items
    }

    fn apply(&mut self, config: &MachineConfig, digest_key: &str, epoch: u64, lineage: &str) -> Vec<Reply> {
        let holes = Holes::new(&config.machine, &facts());
        let mut replies = vec![Reply::Progress { note: "writing files".into() }];
        for (path, wanted) in config.desired_files(&holes, &DigestKey::from_hex(digest_key).unwrap()).unwrap() {
            let Body::Bytes { bytes, .. } = wanted.body else { continue };
            let file = (bytes, wanted.mode);
            if self.files.get(&path) != Some(&file) && !(wanted.create_only && self.files.contains_key(&path)) {
                replies.push(Reply::Changed { item: format!("file/{path}"), done: "written".into() });
                self.files.insert(path, file);
            }
        }
        self.running.extend(config.group.units.keys().cloned());
        self.epoch = epoch;
        self.files.insert(LEDGER.into(), (lineage.into(), 0o600));
        replies.push(Reply::Done { changed: replies.len() - 1 });
        replies
    }

    fn steps(&mut self, steps: Vec<Step>) -> Vec<Reply> {
        for step in &steps {
            match step {
                Step::WriteSecret { path, content, .. } => {
                    let bytes = machine::desired::decode(path, content).unwrap();
                    self.files.insert(path.clone(), (bytes, 0o600));
                }
                Step::Remove { path } => {
                    self.files.remove(path);
                }
                Step::Start { unit } => {
                    self.running.insert(unit.clone());
                    if self.admitted {
                        self.files.insert(CERTIFICATE.into(), (b"certificate".to_vec(), 0o600));
                    }
                }
                Step::Stop { unit } => {
                    self.running.remove(unit);
                }
                Step::Wait { gate: Gate::File { path, .. } } if !self.files.contains_key(path) => {
                    return vec![failed(&format!("gate/{path}"), "not there within 60 s")];
                }
                Step::Wait { .. } if self.fault == Some(Fault::GateFails) => {
                    return vec![failed("gate/dns", "no answer within 30 s")];
                }
                Step::Wait { .. } | Step::ForgetEtcdData => {}
            }
        }
        vec![Reply::Done { changed: steps.len() }]
    }
}

fn failed(item: &str, why: &str) -> Reply {
    Reply::Failed {
        item: item.into(),
        why: why.into(),
        hint: Some("look at the journal".into()),
        output: vec!["bad flag".into()],
    }
}
