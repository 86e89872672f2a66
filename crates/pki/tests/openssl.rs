//! What pki makes, seen through openssl and ssh-keygen; says so and passes where they are not installed.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an integration test: helpers may panic and say what is skipped"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use pki::{Authority, AuthorityWish, Certificate, ControlPlane, Issued, LeafWish, PrivateKey, Signer, SshKey};
use resource::Secret;

/// Whether the program is here; a missing one is said once per test.
fn has(program: &str, argument: &str) -> bool {
    let found = Command::new(program).arg(argument).stdin(Stdio::null()).output().is_ok();
    if !found {
        println!("SKIPPED: {program} is not installed");
    }
    found
}

fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

fn write(directory: &Path, name: &str, issued: &Issued) {
    let path = directory.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path.with_extension("crt"), &issued.certificate).unwrap();
    fs_err::write(path.with_extension("key"), issued.key.reveal()).unwrap();
}

fn read_signer(directory: &Path, name: &str) -> Signer {
    let read = |extension: &str| fs_err::read_to_string(directory.join(name).with_extension(extension)).unwrap();
    Signer::new(&read("crt"), &Secret::new(read("key"))).unwrap()
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn control_plane() -> ControlPlane {
    ControlPlane::new("cp-1", &[[10, 77, 0, 51].into()], &[[10, 96, 0, 1].into()])
}

/// Everything of one control plane in `directory`: `<authority name>.crt`, `<leaf name>.crt`, keys beside them.
fn make_everything(directory: &Path) {
    for authority in Authority::ALL {
        let ca = AuthorityWish::new(authority).issue(now(), [1; 16]).unwrap();
        write(directory, authority.name(), &ca);
        let signer = Signer::new(&ca.certificate, &ca.key).unwrap();
        for leaf in control_plane().leaves().into_iter().filter(|leaf| leaf.authority == authority) {
            write(directory, leaf.name, &leaf.wish.issue(&signer, now(), [2; 16]).unwrap());
        }
    }
}

#[test]
fn openssl_verifies_every_leaf_strictly_for_its_purpose() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    make_everything(directory.path());
    for leaf in control_plane().leaves() {
        for usage in &leaf.wish.usages {
            let purpose = if *usage == pki::Usage::Server { "sslserver" } else { "sslclient" };
            let ca = format!("{}.crt", leaf.authority.name());
            let certificate = format!("{}.crt", leaf.name);
            run(
                directory.path(),
                "openssl",
                &["verify", "-x509_strict", "-purpose", purpose, "-CAfile", &ca, &certificate],
            );
        }
    }
}

fn text(directory: &Path, name: &str) -> String {
    let file = format!("{name}.crt");
    let arguments = [
        "x509",
        "-in",
        &file,
        "-noout",
        "-subject",
        "-issuer",
        "-ext",
        "keyUsage,extendedKeyUsage,basicConstraints,subjectAltName",
    ];
    run(directory, "openssl", &arguments).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn openssl_shows_the_reference_api_server_certificate() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    make_everything(directory.path());
    let expected = "\
subject=CN = kube-apiserver
issuer=CN = kubernetes
X509v3 Subject Alternative Name:
    DNS:cp-1, DNS:kubernetes, DNS:kubernetes.default, DNS:kubernetes.default.svc, DNS:kubernetes.default.svc.cluster.local, IP Address:10.96.0.1, IP Address:10.77.0.51
X509v3 Key Usage: critical
    Digital Signature, Key Encipherment
X509v3 Extended Key Usage:
    TLS Web Server Authentication
X509v3 Basic Constraints: critical
    CA:FALSE";
    assert_eq!(text(directory.path(), "apiserver").replace("CN=", "CN = "), expected);
    let ca = text(directory.path(), "kubernetes");
    assert!(ca.contains("Digital Signature, Key Encipherment, Certificate Sign"), "{ca}");
    assert!(ca.contains("CA:TRUE") && ca.contains("DNS:kubernetes") && !ca.contains("Extended"), "{ca}");
}

#[test]
fn openssl_finds_key_identifiers_that_chain() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    make_everything(directory.path());
    let identifier = |file: &str, extension: &str| {
        let shown = run(directory.path(), "openssl", &["x509", "-in", file, "-noout", "-ext", extension]);
        shown.lines().nth(1).unwrap().trim().trim_start_matches("keyid:").to_owned()
    };
    let authority = identifier("kubernetes.crt", "subjectKeyIdentifier");
    assert_eq!(identifier("apiserver.crt", "authorityKeyIdentifier"), authority);
    assert_ne!(identifier("apiserver.crt", "subjectKeyIdentifier"), authority);
}

#[test]
fn openssl_computes_the_hash_that_kubeadm_join_wants() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    make_everything(directory.path());
    run(directory.path(), "openssl", &["x509", "-in", "kubernetes.crt", "-noout", "-pubkey", "-out", "pub.pem"]);
    run(directory.path(), "openssl", &["pkey", "-pubin", "-in", "pub.pem", "-outform", "DER", "-out", "pub.der"]);
    let shown = run(directory.path(), "openssl", &["dgst", "-sha256", "-r", "pub.der"]);
    let certificate =
        Certificate::from_pem(&fs_err::read_to_string(directory.path().join("kubernetes.crt")).unwrap()).unwrap();
    assert_eq!(certificate.public_key_hash(), format!("sha256:{}", shown.split(' ').next().unwrap()));
}

#[test]
fn authorities_made_by_openssl_can_sign() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (name, new_key) in [
        ("ec", &["ecparam", "-name", "prime256v1", "-genkey", "-out", "ec.key"][..]),
        ("pkcs1", &["genrsa", "-traditional", "-out", "pkcs1.key", "2048"]),
        ("pkcs8", &["genrsa", "-out", "pkcs8.key", "2048"]),
    ] {
        run(directory.path(), "openssl", new_key);
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let subject = "/C=DE/O=Example/OU=One/CN=10.0.0.1@1700000000";
        let arguments =
            ["req", "-x509", "-new", "-key", &key, "-subj", subject, "-days", "10000", "-out", &certificate];
        run(directory.path(), "openssl", &arguments);
        let signer = read_signer(directory.path(), name);
        write(directory.path(), "leaf", &LeafWish::client("me", Some("team")).issue(&signer, now(), [3; 16]).unwrap());
        run(directory.path(), "openssl", &["verify", "-CAfile", &certificate, "leaf.crt"]);
    }
}

#[test]
fn an_authority_whose_name_cannot_be_repeated_is_refused() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let subject = "/DC=org/DC=example/CN=ca";
    let arguments =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-subj", subject, "-out", "ca.crt"];
    run(directory.path(), "openssl", &arguments);
    let signer = read_signer(directory.path(), "ca");
    let error = LeafWish::client("me", None).issue(&signer, now(), [3; 16]).unwrap_err();
    assert_eq!(error.to_string(), "`ca` cannot sign: its name has parts that cannot be repeated");
}

#[test]
fn openssl_reads_the_service_account_pair() {
    if !has("openssl", "version") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate().unwrap();
    fs_err::write(directory.path().join("sa.key"), key.pem().reveal()).unwrap();
    let public = run(directory.path(), "openssl", &["pkey", "-in", "sa.key", "-pubout"]);
    assert_eq!(public, key.public_pem());
}

#[test]
fn ssh_keygen_reads_the_keys_and_agrees_on_the_public_half() {
    if !has("ssh-keygen", "-?") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let key = SshKey::from_seed("operator of demo", &[5; 32]).unwrap();
    let path = directory.path().join("key");
    fs_err::write(&path, key.private.reveal()).unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let shown = run(directory.path(), "ssh-keygen", &["-y", "-f", "key"]);
    assert_eq!(shown.trim_end(), key.public);
    let shown = run(directory.path(), "ssh-keygen", &["-l", "-f", "key"]);
    assert!(shown.contains(&pki::ssh::fingerprint(&key.public).unwrap()), "{shown}");
}
