//! A real control plane on loopback, ended when it is dropped.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;
use tempfile::TempDir;

use crate::Access;

/// etcd, kube-apiserver and kube-controller-manager.
pub(super) struct Kubernetes {
    directory: TempDir,
    port: u16,
    programs: Vec<Child>,
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn variable(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")).into()
}

impl Kubernetes {
    pub(super) fn start() -> Self {
        let directory = TempDir::new().unwrap();
        write_certificates(directory.path());
        let mut kubernetes = Self { directory, port: free_port(), programs: Vec::new() };
        let etcd = kubernetes.start_etcd();
        kubernetes.start_api_server(etcd);
        kubernetes.start_controllers();
        kubernetes
    }

    pub(super) fn access(&self) -> Access {
        Access {
            servers: vec![format!("https://127.0.0.1:{}", self.port)],
            authority: self.read("ca.crt"),
            certificate: self.read("operator.crt"),
            key: self.read("operator.key"),
        }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn run(&mut self, program: &Path, arguments: &[String]) {
        let name = program.file_name().unwrap().to_string_lossy().into_owned();
        let log = std::fs::File::create(self.directory.path().join(format!("{name}.log"))).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.programs.push(command.spawn().unwrap());
    }

    fn start_etcd(&mut self) -> u16 {
        let (client, peer) = (free_port(), free_port());
        let arguments = [
            format!("--data-dir={}", self.path("etcd")),
            format!("--listen-client-urls=http://127.0.0.1:{client}"),
            format!("--advertise-client-urls=http://127.0.0.1:{client}"),
            format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
            format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
            format!("--initial-cluster=default=http://127.0.0.1:{peer}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        self.run(&variable("KUBEWRIGHT_TEST_ETCD"), &arguments);
        client
    }

    fn start_api_server(&mut self, etcd: u16) {
        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            format!("--secure-port={}", self.port),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--tls-cert-file={}", self.path("server.crt")),
            format!("--tls-private-key-file={}", self.path("server.key")),
            format!("--client-ca-file={}", self.path("ca.crt")),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-key-file={}", self.path("sa.pub")),
            format!("--service-account-signing-key-file={}", self.path("sa.key")),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--enable-admission-plugins=NodeRestriction".to_owned(),
            "--enable-bootstrap-token-auth=true".to_owned(),
            "--allow-privileged=true".to_owned(),
        ];
        self.run(&variable("KUBEWRIGHT_TEST_KUBERNETES").join("kube-apiserver"), &arguments);
    }

    fn start_controllers(&mut self) {
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "clusters": [{"name": "x", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port),
                "certificate-authority": self.path("ca.crt"),
            }}],
            "users": [{"name": "x", "user": {
                "client-certificate": self.path("operator.crt"),
                "client-key": self.path("operator.key"),
            }}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        });
        std::fs::write(self.directory.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        let arguments = [
            format!("--kubeconfig={}", self.path("kubeconfig")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            format!("--cluster-signing-cert-file={}", self.path("ca.crt")),
            format!("--cluster-signing-key-file={}", self.path("ca.key")),
            format!("--service-account-private-key-file={}", self.path("sa.key")),
            format!("--root-ca-file={}", self.path("ca.crt")),
            "--use-service-account-credentials=false".to_owned(),
        ];
        self.run(&variable("KUBEWRIGHT_TEST_KUBERNETES").join("kube-controller-manager"), &arguments);
    }

    /// A client certificate for a node's kubelet.
    pub(super) fn access_of_node(&self, node: &str) -> Access {
        let key = KeyPair::from_pem(&self.read("ca.key")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&self.read("ca.crt"), key).unwrap();
        let (certificate, key) = leaf(&issuer, &format!("system:node:{node}"), "system:nodes", &[]);
        Access { certificate, key, ..self.access() }
    }
}

fn leaf<S: rcgen::SigningKey>(
    issuer: &rcgen::Issuer<'_, S>,
    name: &str,
    organization: &str,
    names: &[&str],
) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.distinguished_name.push(DnType::OrganizationName, organization);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    (parameters.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

fn write_certificates(directory: &Path) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    parameters.distinguished_name.push(DnType::CommonName, "test");
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let write = |name: &str, text: String| std::fs::write(directory.join(name), text).unwrap();
    write("ca.crt", authority.pem());
    write("ca.key", authority.key().serialize_pem());
    let accounts = KeyPair::generate().unwrap();
    write("sa.key", accounts.serialize_pem());
    write("sa.pub", accounts.public_key_pem());
    for (name, common_name, organization, names) in [
        ("server", "kube-apiserver", "test", &["127.0.0.1", "localhost"][..]),
        ("operator", "operator", "system:masters", &[]),
    ] {
        let (certificate, key) = leaf(&authority, common_name, organization, names);
        write(&format!("{name}.crt"), certificate);
        write(&format!("{name}.key"), key);
    }
}
