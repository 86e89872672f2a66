//! The node-local load balancer of the API: haproxy on loopback, run by the operating system's `haproxy.service`.

use serde::Serialize;

use crate::static_pods::PKI_DIR;
use crate::{Error, Template, Templates, host_port};

/// The configuration.
pub const CONFIG_PATH: &str = "/etc/haproxy/haproxy.cfg";
/// The unit, to be reloaded when the configuration changes.
pub const UNIT: &str = "haproxy.service";

/// What is known about the load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Haproxy {
    /// Address it listens on.
    pub bind_address: String,
    /// Port it listens on.
    pub bind_port: u16,
    /// The API servers, all alike.
    pub backends: Vec<Backend>,
    /// Path of the certificate of the CA that signs API servers, for health checks.
    pub ca_file: String,
}

/// An API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Name of its node.
    pub name: String,
    /// Address or host name, without brackets.
    pub address: String,
    /// Port.
    pub port: u16,
}

impl Haproxy {
    /// On loopback.
    pub fn new(bind_port: u16, backends: Vec<Backend>) -> Self {
        Self { bind_address: "127.0.0.1".to_owned(), bind_port, backends, ca_file: format!("{PKI_DIR}/ca.crt") }
    }
}

/// The file `haproxy.cfg`.
pub fn config(input: &Haproxy, templates: &Templates) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Values<'a> {
        bind: String,
        ca_file: &'a str,
        backends: Vec<Server<'a>>,
    }
    #[derive(Serialize)]
    struct Server<'a> {
        name: &'a str,
        endpoint: String,
    }
    let server = |backend: &'_ Backend| host_port(&backend.address, backend.port);
    let values = Values {
        bind: host_port(&input.bind_address, input.bind_port),
        ca_file: &input.ca_file,
        backends: input
            .backends
            .iter()
            .map(|backend| Server { name: &backend.name, endpoint: server(backend) })
            .collect(),
    };
    templates.render(Template::Haproxy, &values)
}

#[cfg(test)]
mod tests {
    use super::{Backend, Haproxy, config};
    use crate::Templates;

    #[test]
    fn addresses_of_both_families_are_written_as_haproxy_reads_them() {
        let backend =
            |name: &str, address: &str| Backend { name: name.to_owned(), address: address.to_owned(), port: 6443 };
        let input = Haproxy::new(6444, vec![backend("a", "10.0.0.1"), backend("b", "fd00::1")]);
        let text = config(&input, &Templates::builtin()).unwrap();
        assert!(text.contains("bind 127.0.0.1:6444\n"), "{text}");
        assert!(text.contains("server a 10.0.0.1:6443\n"), "{text}");
        assert!(text.contains("server b [fd00::1]:6443\n"), "{text}");
    }
}
