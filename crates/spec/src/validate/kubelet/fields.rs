//! The fields of `KubeletConfiguration` that are not the user's.

/// Fields that kubewright sets, and what to use instead; empty where there is nothing to choose.
pub(super) const MANAGED: [(&str, &str); 24] = [
    ("apiVersion", ""),
    ("authentication", ""),
    ("authorization", ""),
    ("cgroupDriver", ""),
    ("clusterDNS", "`spec.networking.serviceCIDRs`: DNS has its tenth address"),
    ("clusterDomain", "`spec.networking.dnsDomain`"),
    ("containerRuntimeEndpoint", ""),
    ("featureGates", "`spec.kubelet.featureGates`"),
    ("healthzBindAddress", ""),
    ("healthzPort", ""),
    ("kind", ""),
    ("kubeReserved", "`spec.kubelet.kubeReserved`"),
    ("podCIDR", "`spec.networking.podCIDRs`"),
    ("port", ""),
    ("providerID", ""),
    ("registerNode", ""),
    ("registerWithTaints", "`spec.taints` of the instance group"),
    ("rotateCertificates", ""),
    ("serverTLSBootstrap", ""),
    ("shutdownGracePeriod", "`spec.kubelet.shutdownGracePeriod`"),
    ("shutdownGracePeriodCriticalPods", "`spec.kubelet.shutdownGracePeriodCriticalPods`"),
    ("staticPodPath", ""),
    ("staticPodURL", ""),
    ("systemReserved", "`spec.kubelet.systemReserved`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_field_exists() {
        let release = catalog::find(catalog::DEFAULT_VERSION).unwrap();
        let fields =
            &catalog::facts(release.minor).unwrap().component("kubelet").unwrap().types["KubeletConfiguration"];
        for (name, _) in MANAGED {
            assert!(fields.contains_key(name), "{name}");
        }
    }
}
