//! The files that programs of a control plane find on their machine: keys, certificates, kubeconfigs.

use std::net::Ipv4Addr;
use std::path::Path;

use jiff::Timestamp;
use pki::kubeconfig::{Credential, Entry, Trust};
use pki::{
    Authority, AuthorityWish, Cipher, EncryptionConfiguration, Issued, Kubeconfig, LeafWish, PrivateKey, Signer, Usage,
};

use crate::rendered::NODE_IP;

const PKI: &str = "etc/kubernetes/pki";

/// Files by path, without the first slash.
pub(super) struct Fixtures(Vec<(String, String)>);

impl Fixtures {
    /// Makes all of them anew.
    pub(super) fn new() -> Self {
        let mut fixtures = Self(Vec::new());
        let cluster = fixtures.authority(Authority::Kubernetes, "ca");
        let etcd = fixtures.authority(Authority::Etcd, "etcd/ca");
        let proxy = fixtures.authority(Authority::FrontProxy, "front-proxy-ca");
        for (signer, file) in [
            (&cluster, "apiserver"),
            (&cluster, "apiserver-kubelet-client"),
            (&proxy, "front-proxy-client"),
            (&etcd, "apiserver-etcd-client"),
            (&etcd, "etcd/server"),
            (&etcd, "etcd/peer"),
        ] {
            let leaf = fixtures.leaf(signer, file);
            fixtures.pair(file, &leaf);
        }
        let key = PrivateKey::generate().unwrap();
        fixtures.put(format!("{PKI}/sa.key"), key.pem().reveal());
        fixtures.put(format!("{PKI}/sa.pub"), key.public_pem());
        for name in ["controller-manager", "scheduler", "kubelet"] {
            let kubeconfig = fixtures.kubeconfig(&cluster, name);
            fixtures.put(format!("etc/kubernetes/{name}.conf"), kubeconfig);
        }
        let kubelet = fixtures.leaf(&cluster, "kubelet");
        fixtures.put("var/lib/kubelet/pki/kubelet-client-current.pem", kubelet.bundle().reveal());
        fixtures.put("etc/hosts", "127.0.0.1 localhost\n");
        fixtures.put("etc/resolv.conf", "nameserver 192.0.2.53\n");
        fixtures
    }

    /// The keys for Secrets.
    pub(super) fn encryption(cipher: Cipher) -> String {
        let configuration = EncryptionConfiguration::new(cipher, &["secrets".to_owned()], [7; 32]);
        configuration.to_yaml().unwrap().reveal().to_owned()
    }

    /// Writes all of them below `root`.
    pub(super) fn lay(&self, root: &Path) {
        for (path, text) in &self.0 {
            write(root, path, text);
        }
    }

    fn put(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.0.push((path.into(), text.into()));
    }

    fn pair(&mut self, file: &str, issued: &Issued) {
        self.put(format!("{PKI}/{file}.crt"), issued.certificate.clone());
        self.put(format!("{PKI}/{file}.key"), issued.key.reveal());
    }

    fn authority(&mut self, authority: Authority, file: &str) -> Signer {
        let issued = AuthorityWish::new(authority).issue(Timestamp::now(), [1; 16]).unwrap();
        self.pair(file, &issued);
        Signer::new(&issued.certificate, &issued.key).unwrap()
    }

    fn leaf(&self, signer: &Signer, name: &str) -> Issued {
        let wish = LeafWish {
            dns_names: vec!["localhost".to_owned()],
            ip_addresses: vec![NODE_IP.parse().unwrap(), Ipv4Addr::LOCALHOST.into()],
            usages: vec![Usage::Server, Usage::Client],
            ..LeafWish::client(name, None)
        };
        wish.issue(signer, Timestamp::now(), [2; 16]).unwrap()
    }

    fn kubeconfig(&self, signer: &Signer, name: &str) -> String {
        let leaf = self.leaf(signer, name);
        let (_, authority) = self.0.iter().find(|(path, _)| path.ends_with("pki/ca.crt")).expect("an authority");
        let entry = Entry {
            cluster: "judge".to_owned(),
            user: name.to_owned(),
            server: format!("https://{NODE_IP}:6443"),
            trust: Trust::Embedded(authority.clone()),
            credential: Credential::Embedded { certificate: leaf.certificate, key: leaf.key },
        };
        Kubeconfig::new(&entry).to_yaml().unwrap().reveal().to_owned()
    }
}

/// Writes a file below `root`, with the directories above it.
pub(super) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().expect("a file has a directory")).unwrap();
    std::fs::write(path, text).unwrap();
}
