//! What a machine's platform asks of kubelet.

/// Settings that depend on what a machine is made of, not on what the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePlatform {
    /// Refuse cgroup v1 (kubelet's default from 1.35 on).
    pub fail_cgroup_v1: bool,
    /// Refuse to start where swap is on.
    pub fail_swap_on: bool,
    /// The machine may lack rights over the kernel: errors of sysctls and OOM scores are tolerated.
    pub user_namespace: bool,
    /// The devices behind kubelet's directories can be seen, so ephemeral storage can be counted.
    pub local_storage_capacity_isolation: bool,
    /// Remove unused images when the disk fills.
    pub image_garbage_collection: bool,
    /// Evict pods when the disk fills.
    pub disk_eviction: bool,
}

impl NodePlatform {
    /// A machine with a kernel of its own: kubelet's defaults.
    pub fn own_kernel() -> Self {
        Self {
            fail_cgroup_v1: true,
            fail_swap_on: true,
            user_namespace: false,
            local_storage_capacity_isolation: true,
            image_garbage_collection: true,
            disk_eviction: true,
        }
    }

    /// A container that shares kernel, disk and swap with its host.
    pub fn shared_kernel() -> Self {
        Self {
            fail_cgroup_v1: false,
            fail_swap_on: false,
            user_namespace: true,
            local_storage_capacity_isolation: false,
            image_garbage_collection: false,
            disk_eviction: false,
        }
    }
}

impl Default for NodePlatform {
    fn default() -> Self {
        Self::own_kernel()
    }
}
