//! Rule: settings of kubelet that are one of some words, or go together with others, are what kubelet takes.

use serde_json::Value;

use super::super::facts::forms::{SUITES, is_suite};
use super::settings::{Fault, Settings};
use crate::suggest;

/// Settings that are one of some words; the empty text is their default.
const WORDS: [(&str, &[&str]); 10] = [
    ("configMapAndSecretChangeDetectionStrategy", &["Get", "Cache", "Watch"]),
    ("cpuManagerPolicy", &["none", "static"]),
    ("hairpinMode", &["hairpin-veth", "promiscuous-bridge", "none"]),
    (
        "imagePullCredentialsVerificationPolicy",
        &["NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages", "AlwaysVerify"],
    ),
    ("memoryManagerPolicy", &["None", "Static"]),
    ("memoryReservationPolicy", &["None", "TieredReservation"]),
    ("memorySwap.swapBehavior", &["NoSwap", "LimitedSwap"]),
    ("tlsMinVersion", &["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"]),
    ("topologyManagerPolicy", &["none", "best-effort", "restricted", "single-numa-node"]),
    ("topologyManagerScope", &["container", "pod"]),
];

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults: Vec<Fault> = WORDS.iter().filter_map(|(name, words)| word(settings, name, words)).collect();
    faults.extend(suites(settings));
    faults.extend(pod_logs(settings));
    faults.extend(together(settings));
    faults
}

fn word(settings: &Settings, name: &str, words: &[&str]) -> Option<Fault> {
    let found = settings.text(name).filter(|found| !words.contains(found))?;
    let message = format!("kubelet has no `{name}` called `{found}`");
    Some(Fault::of(name, message).help(suggest::one_of(found, words, 8)))
}

/// Suites of TLS have the names that Go gives them.
fn suites(settings: &Settings) -> Option<Fault> {
    let name = "tlsCipherSuites";
    let all = settings.list(name)?.iter().filter_map(Value::as_str);
    let (index, unknown) = all.enumerate().find(|(_, suite)| !is_suite(suite))?;
    let help = suggest::meant(unknown, SUITES).unwrap_or_else(|| "names as Go's `crypto/tls` has them".to_owned());
    Some(Fault::of(&format!("{name}[{index}]"), format!("there is no suite `{unknown}`")).help(help))
}

fn pod_logs(settings: &Settings) -> Option<Fault> {
    let name = "podLogsDir";
    let path = settings.text(name)?;
    let plain = path.strip_prefix('/').is_some_and(|rest| !rest.split('/').any(|part| matches!(part, "" | "." | "..")));
    let message = format!("kubelet does not start with pod logs in `{path}`");
    (!plain || !path.is_ascii())
        .then(|| Fault::of(name, message).help("write a plain absolute path, such as `/var/log/pods`"))
}

/// Settings that need, or exclude, another one.
fn together(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |is_wrong: bool, of: &str, and: &str, message: &str, help: &str| {
        if is_wrong {
            faults.push(Fault::of(of, message).and(and).help(help));
        }
    };
    let is_empty = |name: &str| settings.list(name).is_none_or(<[Value]>::is_empty);
    fault(
        settings.text("systemCgroups").is_some() && settings.text("cgroupRoot").is_none(),
        "systemCgroups",
        "cgroupRoot",
        "kubelet moves the system into `systemCgroups` only below a `cgroupRoot`",
        "set `cgroupRoot`, such as `/`",
    );
    fault(
        settings.flag("runOnce", false),
        "runOnce",
        "runOnce",
        "kubelet does not start with `runOnce` any more",
        "remove it",
    );
    fault(
        settings.flag("enableSystemLogQuery", false) && !settings.flag("enableSystemLogHandler", true),
        "enableSystemLogQuery",
        "enableSystemLogHandler",
        "logs can't be asked for while `enableSystemLogHandler` is off",
        "switch both on, or both off",
    );
    fault(
        !is_empty("shutdownGracePeriodByPodPriority") && settings.has_shutdown_period,
        "shutdownGracePeriodByPodPriority",
        "shutdownGracePeriod",
        "times by priority and `spec.kubelet.shutdownGracePeriod` exclude each other",
        "keep one of them",
    );
    fault(
        !is_empty("preloadedImagesVerificationAllowlist")
            && settings.text("imagePullCredentialsVerificationPolicy") != Some("NeverVerifyAllowlistedImages"),
        "preloadedImagesVerificationAllowlist",
        "imagePullCredentialsVerificationPolicy",
        "a list of images needs the policy that reads it",
        "write `imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages`",
    );
    fault(
        settings.text("tlsCertFile").is_some() != settings.text("tlsPrivateKeyFile").is_some(),
        "tlsCertFile",
        "tlsPrivateKeyFile",
        "a certificate and its key come together",
        "set both, or leave both out: the cluster signs kubelets' certificates",
    );
    faults
}
