//! Rule: feature gates that settings need are on: the user's settings, and what kubewright itself writes.

use super::settings::{Fault, Settings};

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults = gated(settings);
    faults.extend(ours(settings));
    faults
}

/// Settings that kubelet refuses while a feature gate is off, and since which minor it is on by itself.
fn gated(settings: &Settings) -> Vec<Fault> {
    const NEVER: u32 = u32::MAX;
    let is_set = |name: &str| settings.get(name).is_some();
    let quota = settings.seconds("cpuCFSQuotaPeriod").is_some_and(|seconds| (seconds - 0.1).abs() > 1e-9);
    let is_aging = settings.seconds("imageMaximumGCAge").is_some_and(|seconds| seconds != 0.0);
    let tiered = settings.text("memoryReservationPolicy") == Some("TieredReservation");
    let wanted = [
        ("cpuCFSQuotaPeriod", quota, "CustomCPUCFSQuotaPeriod", 36),
        (
            "crashLoopBackOff.maxContainerRestartPeriod",
            is_set("crashLoopBackOff.maxContainerRestartPeriod"),
            "KubeletCrashLoopBackOffMax",
            35,
        ),
        ("enableSystemLogQuery", settings.flag("enableSystemLogQuery", false), "NodeLogQuery", 36),
        (
            "imagePullCredentialsVerificationPolicy",
            settings.text("imagePullCredentialsVerificationPolicy").is_some(),
            "KubeletEnsureSecretPulledImages",
            35,
        ),
        ("imageMaximumGCAge", is_aging, "ImageMaximumGCAge", 0),
        ("memoryReservationPolicy", tiered, "MemoryQoS", NEVER),
        (
            "preloadedImagesVerificationAllowlist",
            settings.list("preloadedImagesVerificationAllowlist").is_some_and(|list| !list.is_empty()),
            "KubeletEnsureSecretPulledImages",
            35,
        ),
        ("memorySwap.swapBehavior", settings.text("memorySwap.swapBehavior").is_some(), "NodeSwap", 0),
        ("qosReserved", is_set("qosReserved"), "QOSReserved", NEVER),
        (
            "shutdownGracePeriodByPodPriority",
            settings.list("shutdownGracePeriodByPodPriority").is_some_and(|list| !list.is_empty()),
            "GracefulNodeShutdownBasedOnPodPriority",
            0,
        ),
    ];
    let off =
        wanted.into_iter().filter(|(_, used, gate, since)| *used && !settings.gate(gate, settings.minor >= *since));
    off.map(|(name, _, gate, _)| {
        let help = format!("set `spec.kubelet.featureGates.{gate}: true`, or remove `{name}`");
        Fault::of(name, format!("kubelet refuses `{name}` while the feature gate `{gate}` is off")).help(help)
    })
    .collect()
}

/// Gates without which kubelet does not take what is no field of its layers.
fn ours(settings: &Settings) -> Vec<Fault> {
    let wanted = [
        (true, "RotateKubeletServerCertificate", "kubelets have their certificates signed by the cluster", "remove it"),
        (
            settings.has_shutdown_period,
            "GracefulNodeShutdown",
            "`shutdownGracePeriod` is there",
            "remove it, or the period",
        ),
    ];
    let off = wanted.into_iter().filter(|(used, gate, ..)| *used && !settings.gate(gate, true));
    off.map(|(_, gate, why, help)| {
        Fault::of_gate(gate, format!("kubelet does not start without the feature gate `{gate}`: {why}")).help(help)
    })
    .collect()
}
