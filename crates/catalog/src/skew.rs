//! Kubernetes' version skew policy (kubernetes.io/releases/version-skew-policy) as questions about two versions.

use semver::Version;
use thiserror::Error;

/// How many minors a kubelet or kube-proxy may be older than the API server.
const KUBELET_MINORS_BEHIND: u64 = 3;

/// Two versions that must not meet in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SkewViolation {
    /// A component is newer than the API server.
    #[error("{component} {version} is newer than kube-apiserver {apiserver}")]
    Newer {
        /// The component.
        component: &'static str,
        /// Its version.
        version: Version,
        /// The oldest API server's version.
        apiserver: Version,
    },
    /// A component is too old for the API server.
    #[error("{component} {version} is more than {allowed} minor versions older than kube-apiserver {apiserver}")]
    TooOld {
        /// The component.
        component: &'static str,
        /// Its version.
        version: Version,
        /// The newest API server's version.
        apiserver: Version,
        /// How many minors it may be behind.
        allowed: u64,
    },
    /// An upgrade leaves out a minor.
    #[error("an upgrade from {from} to {to} leaves out {}", .through.join(" and "))]
    SkipsMinor {
        /// The present version.
        from: Version,
        /// The wished version.
        to: Version,
        /// The minors in between, which must be passed first.
        through: Vec<String>,
    },
    /// A downgrade of a minor.
    #[error("{to} is older than {from}, and a control plane cannot go back a minor version")]
    Downgrade {
        /// The present version.
        from: Version,
        /// The wished version.
        to: Version,
    },
}

/// Whether a kubelet (or kube-proxy) may talk to an API server.
pub fn kubelet(version: &Version, apiserver: &Version) -> Result<(), SkewViolation> {
    behind("kubelet", version, apiserver, KUBELET_MINORS_BEHIND)
}

/// Whether a controller manager or scheduler may talk to an API server.
pub fn controller(component: &'static str, version: &Version, apiserver: &Version) -> Result<(), SkewViolation> {
    behind(component, version, apiserver, 1)
}

/// Whether a kubectl is supported with an API server: one minor older or newer.
pub fn kubectl(version: &Version, apiserver: &Version) -> bool {
    version.major == apiserver.major && version.minor.abs_diff(apiserver.minor) <= 1
}

/// Whether a control plane may go from one version to another in one step.
pub fn upgrade(from: &Version, to: &Version) -> Result<(), SkewViolation> {
    if (to.major, to.minor) < (from.major, from.minor) {
        return Err(SkewViolation::Downgrade { from: from.clone(), to: to.clone() });
    }
    if to.major != from.major || to.minor > from.minor + 1 {
        let through = (from.minor + 1..to.minor).map(|minor| format!("{}.{minor}", from.major)).collect();
        return Err(SkewViolation::SkipsMinor { from: from.clone(), to: to.clone(), through });
    }
    Ok(())
}

fn behind(component: &'static str, version: &Version, apiserver: &Version, allowed: u64) -> Result<(), SkewViolation> {
    let (version, apiserver) = (version.clone(), apiserver.clone());
    if (version.major, version.minor) > (apiserver.major, apiserver.minor) {
        return Err(SkewViolation::Newer { component, version, apiserver });
    }
    if version.major != apiserver.major || apiserver.minor - version.minor > allowed {
        return Err(SkewViolation::TooOld { component, version, apiserver, allowed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn a_kubelet_may_be_three_minors_older_but_never_newer() {
        assert!(kubelet(&v("1.33.0"), &v("1.36.3")).is_ok());
        assert!(matches!(kubelet(&v("1.32.9"), &v("1.36.3")), Err(SkewViolation::TooOld { .. })));
        assert!(matches!(kubelet(&v("1.36.0"), &v("1.35.4")), Err(SkewViolation::Newer { .. })));
        assert!(kubelet(&v("1.36.3"), &v("1.36.1")).is_ok());
    }

    #[test]
    fn a_scheduler_may_be_one_minor_older() {
        assert!(controller("kube-scheduler", &v("1.35.4"), &v("1.36.3")).is_ok());
        assert!(controller("kube-scheduler", &v("1.34.4"), &v("1.36.3")).is_err());
    }

    #[test]
    fn upgrades_go_one_minor_at_a_time_and_never_back() {
        assert!(upgrade(&v("1.35.4"), &v("1.36.3")).is_ok());
        assert!(upgrade(&v("1.36.3"), &v("1.36.1")).is_ok());
        let skip = upgrade(&v("1.34.4"), &v("1.36.3")).unwrap_err();
        assert_eq!(skip.to_string(), "an upgrade from 1.34.4 to 1.36.3 leaves out 1.35");
        assert!(matches!(upgrade(&v("1.36.3"), &v("1.35.4")), Err(SkewViolation::Downgrade { .. })));
    }
}
