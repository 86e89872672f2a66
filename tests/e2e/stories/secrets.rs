//! No secret of a cluster stands in clear text in anything that its life leaves behind or shows.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::leaks::{self, Leaks};
use crate::processes::Processes;
use crate::world::World;
use crate::{checks, documents, machines};

const CLUSTER: &str = "secret1";
const PASSWORD: &str = "swordfish-5e0e1c77b2a94d0f";
/// Directories of machines where things are left lying about.
const LEFTOVERS: [&str; 6] = ["tmp", "var/tmp", "var/log", "root", "home", "var/lib/kubewright"];

/// What brings secrets of every kind into a cluster.
const SPEC: &str = "\
encryptionAtRest: {provider: aescbc}
containerd:
  registryCredentials:
    registry.example.org: {username: puller, passwordFile: PASSWORD_FILE}
";

pub(crate) fn story(world: &mut World) {
    leaks::check_itself();
    let processes = Processes::watch();
    let password = world.write("password", PASSWORD);
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).expect("it is the owner's alone");
    let documents = documents::with_workers(CLUSTER, &SPEC.replace("PASSWORD_FILE", &password), 1);
    let documents = world.write("secret1.yaml", &documents);
    world.kubewright(&["create", "cluster", CLUSTER, "-f", &documents, "--yes"]);
    let plan = world.path("plan.json").display().to_string();
    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.labels={tier: web}"]);
    world.kubewright(&["update", "cluster", CLUSTER, "-o", "json"]);
    world.kubewright(&["update", "cluster", CLUSTER, "--out", &plan]);
    world.kubewright(&["update", "cluster", CLUSTER, "--plan", &plan, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
    world.kubewright(&["delete", "cluster", CLUSTER, "-o", "json"]);
    world.kubewright(&["get", "cluster", CLUSTER, "--full", "-o", "yaml"]);
    world.kubewright(&["get", "runs", CLUSTER, "-o", "json"]);

    an_operator_comes_and_goes(world);
    let secrets = secrets(world);
    let leaks = Leaks::new(&secrets);
    found_where_they_belong(world, &leaks);
    nothing_on_the_host(world, &leaks, Path::new(&plan));
    nothing_left_on_machines(world, &leaks);
    world.kubewright(&["delete", "cluster", CLUSTER, "--yes"]);

    let said = leaks.of(world.said());
    assert!(said.is_empty(), "kubewright has said: {said:?}");
    let seen = processes.seen();
    assert!(seen.len() > 50, "only {} processes were seen", seen.len());
    for bytes in seen {
        let shown = leaks.of(&bytes);
        assert!(shown.is_empty(), "{shown:?} can be seen in {}", String::from_utf8_lossy(&bytes));
    }
    let logs = leaks.below(&world.state().join("logs"), &mut 0);
    assert!(logs.is_empty(), "in logs: {logs:#?}");
}

/// Another operator's public key.
const OTHER: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

fn an_operator_comes_and_goes(world: &mut World) {
    let own = world.kubewright(&["secrets", "key"]).trim().to_owned();
    let listed = |world: &mut World| world.kubewright(&["secrets", "recipients", "list", CLUSTER]);
    assert!(listed(world).contains(&own));
    world.kubewright(&["secrets", "recipients", "add", CLUSTER, OTHER]);
    assert!(listed(world).contains(OTHER));
    checks::nothing_to_do(world, CLUSTER);
    assert!(!world.try_kubewright(&["secrets", "recipients", "remove", CLUSTER, &own]).status.success());
    world.kubewright(&["secrets", "recipients", "remove", CLUSTER, OTHER]);
    assert!(!listed(world).contains(OTHER) && listed(world).contains(&own));
    world.kubewright(&["state", "verify", CLUSTER]);
}

/// The cluster's secrets as its control plane has them, the password, and the operator's own key.
fn secrets(world: &mut World) -> BTreeMap<String, Vec<u8>> {
    let mut secrets = BTreeMap::from([("the registry's password".to_owned(), PASSWORD.as_bytes().to_vec())]);
    let key = std::fs::read_to_string(world.path("config/kubewright/operator.key")).expect("the operator's key");
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY")).expect("a key of age");
    secrets.insert("the operator's key".to_owned(), key.as_bytes().to_vec());

    let list = "find /etc/kubernetes/pki -name '*.key'";
    let files: Vec<String> = world.on_machine(CLUSTER, "control-plane-1", list).lines().map(str::to_owned).collect();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let text = world.quietly_on_machine(CLUSTER, "control-plane-1", &format!("cat {file}"));
        secrets.insert(file, text.into_bytes());
    }
    let print = "cd /etc/kubernetes && grep -h client-key-data *.conf; grep -rh 'secret:' . | grep -v manifests";
    let lines = world.quietly_on_machine(CLUSTER, "control-plane-1", print);
    let decoded = |word: &str| lines.lines().filter_map(|line| value(line, word)).collect::<Vec<_>>();
    let (clients, encryption) = (decoded("client-key-data:"), decoded("secret:"));
    assert!(clients.len() >= 3 && !encryption.is_empty(), "{} and {}", clients.len(), encryption.len());
    for (index, secret) in clients.into_iter().chain(encryption).enumerate() {
        secrets.insert(format!("secret {index} of the control plane's configuration"), secret);
    }
    secrets
}

fn value(line: &str, word: &str) -> Option<Vec<u8>> {
    let (_, text) = line.split_once(word)?;
    STANDARD.decode(text.trim().trim_matches('"')).ok()
}

/// Finding nothing elsewhere means something only when they are found where they are.
fn found_where_they_belong(world: &World, leaks: &Leaks) {
    let control_plane = machines::home(world, CLUSTER, "control-plane-1").join("upper/etc");
    let found: BTreeSet<String> = leaks.below(&control_plane, &mut 0).into_values().flatten().collect();
    assert!(found.len() > 12, "only {found:?} were found on the control plane");
}

/// Everything beside the machines' own file systems.
fn nothing_on_the_host(world: &World, leaks: &Leaks, plan: &Path) {
    let mut files = 0;
    for directory in ["clusters", "logs"] {
        let found = leaks.below(&world.state().join(directory), &mut files);
        assert!(found.is_empty(), "in the state: {found:#?}");
    }
    assert!(files > 10, "only {files} files were looked at");
    let found = leaks.of(&std::fs::read(plan).expect("the plan"));
    assert!(found.is_empty(), "in the plan: {found:?}");
}

fn nothing_left_on_machines(world: &mut World, leaks: &Leaks) {
    let (mut machines, mut files) = (0, 0);
    for machine in machines::running(world, CLUSTER).into_keys() {
        machines += 1;
        let root = machines::home(world, CLUSTER, &machine).join("upper");
        for directory in LEFTOVERS {
            let found = leaks.below(&root.join(directory), &mut files);
            assert!(found.is_empty(), "on {machine}: {found:#?}");
        }
    }
    assert!(machines > 1 && files > 0, "{files} files of {machines} machines were looked at");
}
