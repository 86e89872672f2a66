//! What `kubeadm certs renew` leaves behind is no difference; anything else in its place is one.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use machine::{Content, MachineConfig, Reply, Request, certificate};
use pki::kubeconfig::{Credential, Entry, Trust};
use pki::{Authority, AuthorityWish, Issued, Kubeconfig, LeafWish, Signer, Usage};

use super::world::{World, config, text};

const CRT: &str = "/etc/kubernetes/pki/etcd/server.crt";
const KEY: &str = "/etc/kubernetes/pki/etcd/server.key";
const CONF: &str = "/etc/kubernetes/admin.conf";

fn start() -> Timestamp {
    "2026-11-20T22:46:00Z".parse().unwrap()
}

fn after(days: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * days)
}

fn signer() -> Signer {
    let issued = AuthorityWish::new(Authority::Kubernetes).issue(start(), [1; 16]).unwrap();
    Signer::new(&issued.certificate, &issued.key).unwrap()
}

fn wish() -> LeafWish {
    let addresses: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    LeafWish {
        dns_names: vec!["a".into(), "b".into()],
        ip_addresses: addresses.to_vec(),
        usages: vec![Usage::Server, Usage::Client],
        ..LeafWish::client("kube-apiserver", Some("group"))
    }
}

fn kubeconfig(issued: &Issued, server: &str) -> String {
    let entry = Entry {
        cluster: "demo".into(),
        user: "admin".into(),
        server: server.into(),
        trust: Trust::Embedded("ca".into()),
        credential: Credential::Embedded { certificate: issued.certificate.clone(), key: issued.key.clone() },
    };
    Kubeconfig::new(&entry).to_yaml().unwrap().reveal().to_owned()
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn wanted(issued: &Issued) -> MachineConfig {
    let mut config = config();
    for (path, content) in [
        (CRT, issued.certificate.clone()),
        (KEY, issued.key.reveal().to_owned()),
        (CONF, kubeconfig(issued, "https://10.0.0.1:6443")),
    ] {
        let mut file = text("");
        file.content = Content::Secret(base64(&content));
        file.mode = "0600".into();
        config.group.files.insert(path.into(), file);
    }
    config.group.units.remove("haproxy.service");
    config
}

fn issue(wish: &LeafWish, signer: &Signer, days: i64) -> Issued {
    wish.issue(signer, after(days), [u8::try_from(days).unwrap() + 2; 16]).unwrap()
}

/// What differs on a machine whose files were then made of `now`.
fn drift(ours: &Issued, now: &Issued, server: &str) -> Vec<String> {
    let world = World::new();
    let config = wanted(ours);
    world.applied(&config);
    world.write(CRT, &now.certificate);
    world.write(KEY, now.key.reveal());
    world.write(CONF, &kubeconfig(now, server));
    world.drift(&config)
}

#[test]
fn what_kubeadm_renewed_is_left_alone_until_ours_lives_longer() {
    let signer = signer();
    let (ours, renewed) = (issue(&wish(), &signer, 0), issue(&wish(), &signer, 100));
    let server = "https://10.0.0.1:6443";
    assert_eq!(drift(&ours, &renewed, server), [""; 0]);
    // kubewright's own renewal comes after it, and is written.
    assert_eq!(drift(&renewed, &ours, server).len(), 3);
    let world = World::new();
    let config = wanted(&ours);
    world.applied(&config);
    world.write(CRT, &renewed.certificate);
    world.write(KEY, renewed.key.reveal());
    assert_eq!(world.applied(&config), [""; 0]);
    assert_eq!(world.read(CRT), renewed.certificate);
}

#[test]
fn what_names_others_is_signed_by_others_or_lives_too_long_is_a_difference() {
    let signer = signer();
    let ours = issue(&wish(), &signer, 0);
    for other in [
        LeafWish { dns_names: vec!["a".into()], ..wish() },
        LeafWish { common_name: "x".into(), ..wish() },
        LeafWish { organizations: Vec::new(), ..wish() },
        LeafWish { usages: vec![Usage::Client], ..wish() },
        LeafWish { validity_days: 3650, ..wish() },
    ] {
        let now = issue(&other, &signer, 100);
        assert_eq!(drift(&ours, &now, "https://10.0.0.1:6443").len(), 3, "{other:?}");
    }
    let of_others = issue(&wish(), &self::signer(), 100);
    assert_eq!(drift(&ours, &of_others, "https://10.0.0.1:6443").len(), 3);
    let elsewhere = drift(&ours, &issue(&wish(), &signer, 100), "https://10.0.0.9:6443");
    assert!(elsewhere.len() == 1 && elsewhere[0].contains(CONF), "{elsewhere:?}");
}

#[test]
fn facts_say_how_long_kubelets_own_certificates_hold() {
    let world = World::new();
    let directory = "/var/lib/kubelet/pki";
    // As kubelet keeps them: certificate and key in a file with a date, and a link to it.
    let issued = wish().issue(&signer(), start(), [7; 16]).unwrap();
    let file = format!("{directory}/kubelet-client-2026-11-20-22-46-00.pem");
    world.write(&file, &format!("{}{}", issued.certificate, issued.key.reveal()));
    world.link(&format!("{directory}/kubelet-client-current.pem"), "kubelet-client-2026-11-20-22-46-00.pem");
    world.write(&format!("{directory}/kubelet-server-current.pem"), "torn");
    let replies = world.ask(&Request::Facts);
    let [Reply::Facts { facts }] = &replies[..] else { panic!("{replies:?}") };
    let [found] = &facts.kubelet_certificates[..] else { panic!("{facts:?}") };
    assert_eq!((found.purpose.as_str(), found.ends), ("client", issued.not_after.as_second()));
    assert!(found.begins <= start().as_second() && found.begins < found.ends);
}

#[test]
fn a_certificate_without_its_key_is_a_difference() {
    let signer = signer();
    let (ours, renewed) = (issue(&wish(), &signer, 0), issue(&wish(), &signer, 100));
    let world = World::new();
    let config = wanted(&ours);
    world.applied(&config);
    world.write(CRT, &renewed.certificate);
    let found = world.drift(&config);
    assert!(found.len() == 1 && found[0].contains(CRT), "{found:?}");
    assert!(certificate::is_key_of(ours.key.reveal().as_bytes(), ours.certificate.as_bytes()));
    assert!(!certificate::is_key_of(ours.key.reveal().as_bytes(), renewed.certificate.as_bytes()));
}

/// Needs openssl, which makes keys of RSA; passes where it is not installed.
#[test]
fn keys_of_rsa_are_told_apart_too() {
    let make = || {
        let arguments =
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", "-", "-out", "-"];
        let made = std::process::Command::new("openssl").args(arguments).stdin(std::process::Stdio::null()).output();
        made.ok().map(|made| String::from_utf8(made.stdout).unwrap())
    };
    let (Some(first), Some(second)) = (make(), make()) else { return };
    let split = |text: &str| {
        let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
        (key.as_bytes().to_vec(), certificate.as_bytes().to_vec())
    };
    let ((key, certificate), (other, _)) = (split(&first), split(&second));
    assert!(certificate::is_key_of(&key, &certificate));
    assert!(!certificate::is_key_of(&other, &certificate));
}
