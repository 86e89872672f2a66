//! Real kubeadm renews certificates that pki made, and pki accepts what kubeadm made of them.
//!
//! Needs root (kubeadm changes its root directory) and kubeadm on the PATH, as `cargo xtask test --only build,host,binaries`
//! puts it there; says that it is skipped otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an integration test: helpers may panic and say what is skipped"
)]

use std::path::Path;
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use machine::certificate;
use pki::kubeconfig::{Credential, Entry, Trust};
use pki::leaves::Place;
use pki::{Authority, AuthorityWish, Certificate, ControlPlane, Issued, Kubeconfig, Leaf, PrivateKey, Signer, compare};
use resource::Secret;

fn kubeadm(root: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new("kubeadm").arg("--rootfs").arg(root).args(arguments).output()
}

/// Whether kubeadm is here and may change its root directory.
fn usable(root: &Path) -> bool {
    let found = kubeadm(root, &["version"]).is_ok_and(|output| output.status.success());
    if !found {
        println!("SKIPPED: no kubeadm on the PATH that may change its root directory");
    }
    found
}

fn run(root: &Path, arguments: &[&str]) -> String {
    let output = kubeadm(root, arguments).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubeadm {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

fn control_plane() -> ControlPlane {
    ControlPlane {
        endpoint: Some("api.example.org:6443".into()),
        extra_sans: vec!["127.0.0.1".into()],
        ..ControlPlane::new("cp-1", &[[10, 77, 0, 51].into()], &[[10, 96, 0, 1].into()])
    }
}

const CONFIG: &str = "\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: api.example.org:6443
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 10.77.0.51
nodeRegistration:
  name: cp-1
";

fn write(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

fn write_pair(root: &Path, file: &str, issued: &Issued) {
    let path = root.join("etc/kubernetes/pki").join(file);
    write(&path.with_extension("crt"), &issued.certificate);
    write(&path.with_extension("key"), issued.key.reveal());
}

fn write_kubeconfig(root: &Path, file: &str, leaf: &Leaf, issued: &Issued, authority: &str) {
    let entry = Entry {
        cluster: "kubernetes".into(),
        user: leaf.wish.common_name.clone(),
        server: "https://api.example.org:6443".into(),
        trust: Trust::Embedded(authority.to_owned()),
        credential: Credential::Embedded { certificate: issued.certificate.clone(), key: issued.key.clone() },
    };
    let text = Kubeconfig::new(&entry).to_yaml().unwrap();
    write(&root.join("etc/kubernetes").join(file), text.reveal());
}

/// Writes everything as it lies on a control plane; certificates are 300 days old.
fn write_everything(root: &Path) {
    let now = Timestamp::now() - SignedDuration::from_hours(24 * 300);
    for authority in Authority::ALL {
        let ca = AuthorityWish::new(authority).issue(now, [1; 16]).unwrap();
        write_pair(root, authority.file(), &ca);
        let signer = Signer::new(&ca.certificate, &ca.key).unwrap();
        for leaf in control_plane().leaves().into_iter().filter(|leaf| leaf.authority == authority) {
            let issued = leaf.wish.issue(&signer, now, [2; 16]).unwrap();
            match leaf.place {
                Place::Pki(file) => write_pair(root, file, &issued),
                Place::Kubeconfig(file) => write_kubeconfig(root, file, &leaf, &issued, &ca.certificate),
                Place::Kubelet => {}
            }
        }
    }
    let key = PrivateKey::generate().unwrap();
    write(&root.join("etc/kubernetes/pki/sa.key"), key.pem().reveal());
    write(&root.join("etc/kubernetes/pki/sa.pub"), &key.public_pem());
    write(&root.join("config.yaml"), CONFIG);
}

/// The certificate and key of a leaf as they lie there now.
fn read(root: &Path, place: Place) -> Option<(Certificate, PrivateKey)> {
    let directory = root.join("etc/kubernetes");
    let text = |path: &Path| fs_err::read_to_string(path).unwrap();
    let (certificate, key) = match place {
        Place::Pki(file) => {
            let path = directory.join("pki").join(file);
            (text(&path.with_extension("crt")), Secret::new(text(&path.with_extension("key"))))
        }
        Place::Kubeconfig(file) => match Kubeconfig::from_yaml(&text(&directory.join(file))).unwrap().current()? {
            Entry { credential: Credential::Embedded { certificate, key }, .. } => (certificate, key),
            _ => return None,
        },
        Place::Kubelet => return None,
    };
    Some((Certificate::from_pem(&certificate).unwrap(), PrivateKey::from_pem(&key).unwrap()))
}

/// The files of a leaf as they lie there now: certificate and key, or a kubeconfig.
fn contents(root: &Path, place: Place) -> Option<Vec<Vec<u8>>> {
    let directory = root.join("etc/kubernetes");
    match place {
        Place::Pki(file) => {
            let path = directory.join("pki").join(file);
            Some(["crt", "key"].map(|extension| fs_err::read(path.with_extension(extension)).unwrap()).to_vec())
        }
        Place::Kubeconfig(file) => Some(vec![fs_err::read(directory.join(file)).unwrap()]),
        Place::Kubelet => None,
    }
}

fn is_accepted(ours: &[Vec<u8>], found: &[Vec<u8>]) -> bool {
    match (ours, found) {
        ([wanted, _], [found, key]) => certificate::is_renewed(wanted, found) && certificate::is_key_of(key, found),
        ([wanted], [found]) => certificate::is_renewed_kubeconfig(wanted, found),
        _ => false,
    }
}

#[test]
fn kubeadm_renews_everything_and_the_result_is_accepted() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    if !usable(root) {
        return;
    }
    write_everything(root);
    let before = run(root, &["certs", "check-expiration", "--config", "/config.yaml"]);
    assert_eq!(before.lines().filter(|line| line.contains(" 64d ")).count(), 11, "{before}");

    let files = || -> Vec<_> {
        let all = control_plane().leaves();
        all.iter().filter_map(|leaf| Some((leaf.name, contents(root, leaf.place)?))).collect()
    };
    let ours = files();
    run(root, &["certs", "renew", "all", "--config", "/config.yaml"]);
    // What the agent thinks of them, which has no cryptography and no YAML.
    for ((name, ours), (_, renewed)) in ours.iter().zip(files()) {
        assert!(is_accepted(ours, &renewed), "{name}");
        assert!(!is_accepted(&renewed, ours), "{name}");
    }
    let now = Timestamp::now();
    for leaf in control_plane().leaves() {
        let Some((certificate, key)) = read(root, leaf.place) else { continue };
        assert!(certificate.days_left(now) >= 364, "{} was not renewed", leaf.name);
        let authority = root.join("etc/kubernetes/pki").join(leaf.authority.file()).with_extension("crt");
        let authority = Certificate::from_pem(&fs_err::read_to_string(authority).unwrap()).unwrap();
        assert_eq!(compare(&leaf.wish, &certificate, Some(&key), &authority, now, 30), [], "{}", leaf.name);
    }
}

#[test]
fn kubeadm_takes_what_is_there_for_its_own_and_makes_nothing_new() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    if !usable(root) {
        return;
    }
    write_everything(root);
    let read_all = || -> Vec<Certificate> {
        control_plane().leaves().iter().filter_map(|leaf| Some(read(root, leaf.place)?.0)).collect()
    };
    let before = read_all();
    let shown = run(root, &["init", "phase", "certs", "all", "--config", "/config.yaml"]);
    assert!(shown.contains("Using existing apiserver certificate and key on disk"), "{shown}");
    assert!(!shown.contains("Generating"), "{shown}");
    run(root, &["init", "phase", "kubeconfig", "all", "--config", "/config.yaml"]);
    assert_eq!(read_all(), before);
}
