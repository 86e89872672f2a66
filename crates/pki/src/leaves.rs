//! The certificates that a control plane machine needs, as kubeadm 1.36 makes them: wishes only.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::{Authority, LeafWish, Usage};

/// Group of cluster administrators, bound to `cluster-admin` by an object that can be deleted.
pub const ADMINS_GROUP: &str = "kubeadm:cluster-admins";
/// Group that the API server lets do everything, whatever RBAC says; cannot be revoked.
pub const MASTERS_GROUP: &str = "system:masters";
/// Group of kubelets, known to the Node authorizer.
pub const NODES_GROUP: &str = "system:nodes";
/// User of `admin.conf`.
pub const ADMIN_USER: &str = "kubernetes-admin";
/// User of `super-admin.conf`.
pub const SUPER_ADMIN_USER: &str = "kubernetes-super-admin";

/// User name of a node's kubelet, known to the Node authorizer.
pub fn node_user(node_name: &str) -> String {
    format!("system:node:{node_name}")
}

/// kubewright's own client certificate.
///
/// It is in `system:masters` because it is used before any RBAC object exists: it writes the binding that makes
/// `kubeadm:cluster-admins` administrators. kubeadm uses `super-admin.conf` for the same step.
pub fn operator(validity_days: u32) -> LeafWish {
    LeafWish { validity_days, ..LeafWish::client("kubewright-operator", Some(MASTERS_GROUP)) }
}

/// The certificates of a machine with an etcd member: server, peer, and the client of its health checks.
pub fn etcd_member(node_name: &str, node_ips: &[IpAddr], validity_days: u32) -> Vec<Leaf> {
    let mut names = Names::default();
    names.dns.extend([node_name.to_owned(), "localhost".to_owned()]);
    names.addresses(node_ips);
    names.addresses(&[IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)]);
    let both = names.wish(node_name, vec![Usage::Server, Usage::Client], validity_days);
    let healthcheck = LeafWish { validity_days, ..LeafWish::client("kube-etcd-healthcheck-client", None) };
    let leaf = |name, file, wish| Leaf { name, authority: Authority::Etcd, wish, place: Place::Pki(file) };
    vec![
        leaf("etcd-server", "etcd/server", both.clone()),
        leaf("etcd-peer", "etcd/peer", both),
        leaf("etcd-healthcheck-client", "etcd/healthcheck-client", healthcheck),
    ]
}

/// One certificate that a machine needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its name in resource ids: `certificate/<machine>/<name>`.
    pub name: &'static str,
    /// Who signs it.
    pub authority: Authority,
    /// What it says.
    pub wish: LeafWish,
    /// Where it goes on the machine.
    pub place: Place,
}

/// Where a certificate goes on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `<file>.crt` and `<file>.key` below `/etc/kubernetes/pki`.
    Pki(&'static str),
    /// Embedded in this kubeconfig below `/etc/kubernetes`.
    Kubeconfig(&'static str),
    /// `/var/lib/kubelet/pki/kubelet-client-current.pem`, certificate and key in one; kubelet renews it itself.
    Kubelet,
}

/// What the certificates of a control plane machine depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlane {
    /// The node's name.
    pub node_name: String,
    /// The node's addresses; the first is the one it advertises.
    pub node_ips: Vec<IpAddr>,
    /// The first address of each service range: where the Service `kubernetes` is.
    pub service_ips: Vec<IpAddr>,
    /// The cluster's DNS domain, such as `cluster.local`.
    pub dns_domain: String,
    /// The shared endpoint as `host`, `host:port` or `[v6]:port`; goes into the API server's names.
    pub endpoint: Option<String>,
    /// More names or addresses of the API server. kubeadm adds no 127.0.0.1: a node-local balancer must ask for it here.
    pub extra_sans: Vec<String>,
    /// Whether the API server's client for kubelets is in group `kubeadm:cluster-admins`: as kubeadm has it up to 1.35.
    /// Since 1.36 the ClusterRoleBinding `kubeadm:apiserver-kubelet-client` grants its user what it needs instead.
    pub kubelet_client_is_admin: bool,
    /// For how many days each certificate holds.
    pub validity_days: u32,
}

impl ControlPlane {
    /// A control plane machine of a cluster with kubeadm's defaults: domain `cluster.local`, no shared endpoint, one year.
    pub fn new(node_name: &str, node_ips: &[IpAddr], service_ips: &[IpAddr]) -> Self {
        Self {
            node_name: node_name.to_owned(),
            node_ips: node_ips.to_vec(),
            service_ips: service_ips.to_vec(),
            dns_domain: "cluster.local".to_owned(),
            endpoint: None,
            extra_sans: Vec::new(),
            kubelet_client_is_admin: false,
            validity_days: LeafWish::DAYS,
        }
    }

    /// Every certificate of a control plane machine with its own (stacked) etcd member.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = self.kubernetes();
        leaves.extend(etcd_member(&self.node_name, &self.node_ips, self.validity_days));
        leaves
    }

    /// The certificates of a control plane machine whose etcd runs elsewhere.
    pub fn kubernetes(&self) -> Vec<Leaf> {
        let pki = |name, authority, wish| Leaf { name, authority, wish, place: Place::Pki(name) };
        let mut leaves = vec![
            pki("apiserver", Authority::Kubernetes, self.apiserver()),
            pki("apiserver-kubelet-client", Authority::Kubernetes, self.apiserver_kubelet_client()),
            pki("apiserver-etcd-client", Authority::Etcd, self.client("kube-apiserver-etcd-client", None)),
            pki("front-proxy-client", Authority::FrontProxy, self.client("front-proxy-client", None)),
        ];
        leaves.extend(self.kubeconfigs());
        leaves.push(Leaf {
            name: "kubelet",
            authority: Authority::Kubernetes,
            wish: self.client(&node_user(&self.node_name), Some(NODES_GROUP)),
            place: Place::Kubelet,
        });
        leaves
    }

    fn kubeconfigs(&self) -> impl Iterator<Item = Leaf> {
        [
            ("admin", "admin.conf", ADMIN_USER, Some(ADMINS_GROUP)),
            ("super-admin", "super-admin.conf", SUPER_ADMIN_USER, Some(MASTERS_GROUP)),
            ("controller-manager", "controller-manager.conf", "system:kube-controller-manager", None),
            ("scheduler", "scheduler.conf", "system:kube-scheduler", None),
        ]
        .into_iter()
        .map(|(name, file, user, group)| Leaf {
            name,
            authority: Authority::Kubernetes,
            wish: self.client(user, group),
            place: Place::Kubeconfig(file),
        })
    }

    fn apiserver(&self) -> LeafWish {
        let mut names = Names::default();
        names.dns.insert(self.node_name.clone());
        let service = "kubernetes.default.svc";
        names.dns.extend(["kubernetes", "kubernetes.default", service].map(str::to_owned));
        if !self.dns_domain.is_empty() {
            names.dns.insert(format!("{service}.{}", self.dns_domain));
        }
        names.addresses(&self.service_ips);
        names.addresses(&self.node_ips);
        if let Some(endpoint) = &self.endpoint {
            names.host(endpoint_host(endpoint));
        }
        self.extra_sans.iter().for_each(|name| names.host(name));
        names.wish("kube-apiserver", vec![Usage::Server], self.validity_days)
    }

    fn apiserver_kubelet_client(&self) -> LeafWish {
        self.client("kube-apiserver-kubelet-client", self.kubelet_client_is_admin.then_some(ADMINS_GROUP))
    }

    fn client(&self, user: &str, group: Option<&str>) -> LeafWish {
        LeafWish { validity_days: self.validity_days, ..LeafWish::client(user, group) }
    }
}

/// Names of a server. DNS names sorted, addresses in the order in which they came, both without repeats: as kubeadm.
#[derive(Default)]
struct Names {
    dns: BTreeSet<String>,
    ips: Vec<IpAddr>,
}

impl Names {
    fn addresses(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            if !self.ips.contains(address) {
                self.ips.push(*address);
            }
        }
    }

    fn host(&mut self, name: &str) {
        match name.parse() {
            Ok(address) => self.addresses(&[address]),
            Err(_) if name.is_empty() => {}
            Err(_) => {
                self.dns.insert(name.to_owned());
            }
        }
    }

    fn wish(self, common_name: &str, usages: Vec<Usage>, validity_days: u32) -> LeafWish {
        LeafWish {
            common_name: common_name.to_owned(),
            organizations: Vec::new(),
            dns_names: self.dns.into_iter().collect(),
            ip_addresses: self.ips,
            usages,
            validity_days,
        }
    }
}

/// The host part of `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
fn endpoint_host(endpoint: &str) -> &str {
    if endpoint.parse::<IpAddr>().is_ok() {
        return endpoint;
    }
    if let Some((host, _)) = endpoint.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn control_plane() -> ControlPlane {
        ControlPlane::new("cp-1", &[[10, 77, 0, 51].into()], &[[10, 96, 0, 1].into()])
    }

    fn line(leaf: &Leaf) -> String {
        let wish = &leaf.wish;
        let organizations: Vec<String> = wish.organizations.iter().map(|name| format!("O={name}, ")).collect();
        let organizations = organizations.concat();
        let names = wish.dns_names.iter().map(|name| format!("DNS:{name}"));
        let names = names.chain(wish.ip_addresses.iter().map(|address| format!("IP:{address}")));
        let names: Vec<String> = names.collect();
        let authority = leaf.authority.common_name();
        format!("{organizations}CN={} by {authority} {:?} {}", wish.common_name, wish.usages, names.join(", "))
            .trim_end()
            .to_owned()
    }

    #[test]
    fn the_catalogue_is_that_of_the_reference_machine() {
        let found: BTreeMap<&str, String> =
            control_plane().leaves().iter().map(|leaf| (leaf.name, line(leaf))).collect();
        let etcd = "CN=cp-1 by etcd-ca [Server, Client] DNS:cp-1, DNS:localhost, IP:10.77.0.51, IP:127.0.0.1, IP:::1";
        let expected = BTreeMap::from([
            (
                "apiserver",
                "CN=kube-apiserver by kubernetes [Server] DNS:cp-1, DNS:kubernetes, DNS:kubernetes.default, \
                 DNS:kubernetes.default.svc, DNS:kubernetes.default.svc.cluster.local, IP:10.96.0.1, IP:10.77.0.51",
            ),
            ("apiserver-kubelet-client", "CN=kube-apiserver-kubelet-client by kubernetes [Client]"),
            ("apiserver-etcd-client", "CN=kube-apiserver-etcd-client by etcd-ca [Client]"),
            ("front-proxy-client", "CN=front-proxy-client by front-proxy-ca [Client]"),
            ("etcd-server", etcd),
            ("etcd-peer", etcd),
            ("etcd-healthcheck-client", "CN=kube-etcd-healthcheck-client by etcd-ca [Client]"),
            ("admin", "O=kubeadm:cluster-admins, CN=kubernetes-admin by kubernetes [Client]"),
            ("super-admin", "O=system:masters, CN=kubernetes-super-admin by kubernetes [Client]"),
            ("controller-manager", "CN=system:kube-controller-manager by kubernetes [Client]"),
            ("scheduler", "CN=system:kube-scheduler by kubernetes [Client]"),
            ("kubelet", "O=system:nodes, CN=system:node:cp-1 by kubernetes [Client]"),
        ]);
        assert_eq!(found, expected.into_iter().map(|(name, text)| (name, text.to_owned())).collect());
    }

    #[test]
    fn files_are_those_of_kubeadm() {
        let places: Vec<Place> = control_plane().leaves().iter().map(|leaf| leaf.place).collect();
        assert!(places.contains(&Place::Pki("etcd/healthcheck-client")));
        assert!(places.contains(&Place::Kubeconfig("super-admin.conf")));
        assert!(places.contains(&Place::Kubelet));
    }

    #[test]
    fn an_endpoint_and_extra_names_go_into_the_api_server_only() {
        let cluster = ControlPlane {
            endpoint: Some("api.example.org:6443".into()),
            extra_sans: vec!["127.0.0.1".into(), "10.77.0.51".into(), "fd00::7".into(), "*.example.net".into()],
            ..control_plane()
        };
        let leaves = cluster.leaves();
        let apiserver = &leaves.iter().find(|leaf| leaf.name == "apiserver").unwrap().wish;
        assert_eq!(apiserver.dns_names[..2], ["*.example.net", "api.example.org"]);
        let addresses: Vec<String> = apiserver.ip_addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.96.0.1", "10.77.0.51", "127.0.0.1", "fd00::7"]);
        assert!(!line(leaves.iter().find(|leaf| leaf.name == "etcd-server").unwrap()).contains("example"));
    }

    #[test]
    fn an_endpoint_may_be_an_address_with_or_without_port() {
        for (endpoint, host) in [
            ("10.0.0.1:6443", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("[fd00::1]:6443", "fd00::1"),
            ("fd00::1", "fd00::1"),
            ("api.example.org", "api.example.org"),
            ("api.example.org:8443", "api.example.org"),
        ] {
            assert_eq!(endpoint_host(endpoint), host);
        }
    }

    #[test]
    fn before_1_36_the_api_servers_kubelet_client_is_an_administrator() {
        let leaves = ControlPlane { kubelet_client_is_admin: true, ..control_plane() }.kubernetes();
        let found = leaves.iter().find(|leaf| leaf.name == "apiserver-kubelet-client").unwrap();
        assert_eq!(found.wish.organizations, [ADMINS_GROUP]);
    }

    #[test]
    fn a_machine_without_etcd_gets_no_etcd_server() {
        assert!(control_plane().kubernetes().iter().all(|leaf| !leaf.name.starts_with("etcd-")));
    }
}
