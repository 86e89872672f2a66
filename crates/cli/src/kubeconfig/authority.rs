//! By what a cluster's entries in a kubeconfig are known as its own: its certificate authority.

use std::collections::BTreeSet;

use engine::ObserveContext as _;
use model::ids;
use pki::kubeconfig::Trust;
use reconcile::OpenCluster;
use resource::Reference;

/// A cluster's certificate authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Its certificates, without line breaks: after a change there is an old and a new one.
    Certificates(BTreeSet<String>),
    /// There is none yet, so nothing can be the cluster's own.
    Unknown,
}

impl Authority {
    /// The one that is recorded of a cluster.
    pub(crate) fn recorded(cluster: &OpenCluster) -> Self {
        let reference = Reference::new(ids::authority("kubernetes"), "certificate");
        let output = cluster.outputs.output(&reference).ok();
        output.and_then(|output| output.text().map(Self::parse)).unwrap_or(Self::Unknown)
    }

    /// The one that a kubeconfig trusts.
    pub(super) fn of(trust: &Trust) -> Self {
        match trust {
            Trust::Embedded(pem) => Self::parse(pem),
            Trust::File(path) => fs_err::read_to_string(path).map_or(Self::Unknown, |pem| Self::parse(&pem)),
        }
    }

    fn parse(pem: &str) -> Self {
        let blocks = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
        let certificates = blocks.filter_map(|block| block.split("-----END").next());
        let certificates: BTreeSet<String> = certificates.map(|block| block.split_whitespace().collect()).collect();
        if certificates.is_empty() { Self::Unknown } else { Self::Certificates(certificates) }
    }

    /// Whether a kubeconfig that trusts this means the same cluster.
    pub(super) fn is(&self, trust: &Trust) -> bool {
        match (self, Self::of(trust)) {
            (Self::Certificates(ours), Self::Certificates(theirs)) => !ours.is_disjoint(&theirs),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(content: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn an_authority_is_known_by_any_of_its_certificates() {
        let ours = Authority::parse(&format!("{}{}", pem("old"), pem("new")));
        assert!(ours.is(&Trust::Embedded(pem("new"))));
        assert!(ours.is(&Trust::Embedded(pem("ol\r\nd"))));
        assert!(!ours.is(&Trust::Embedded(pem("other"))));
    }

    #[test]
    fn without_an_authority_nothing_is_known_as_ones_own() {
        assert!(!Authority::Unknown.is(&Trust::Embedded(String::new())));
        assert!(!Authority::parse("").is(&Trust::File("/nowhere/ca.crt".into())));
    }

    #[test]
    fn an_authority_in_a_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.crt");
        fs_err::write(&path, pem("ours")).unwrap();
        assert!(Authority::parse(&pem("ours")).is(&Trust::File(path.display().to_string())));
    }
}
