//! Rule: texts of kubelet's configuration that have a form of their own have it.

use std::net::IpAddr;

use super::settings::{Fault, Settings};
use crate::format::amounts::parse_quantity;
use crate::validate::facts::values;
use crate::validate::logging;

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults: Vec<Fault> = [address(settings), tracing(settings), log_size(settings), hidden_metrics(settings)]
        .into_iter()
        .flatten()
        .collect();
    faults.extend(sysctls(settings));
    faults.extend(images(settings));
    faults.extend(memory_reserve(settings));
    let is_on = |gate: &str, default| settings.gate(gate, default);
    let wrong = settings.get("logging").map(|value| logging::check(value, &is_on)).unwrap_or_default();
    faults.extend(wrong.into_iter().map(|wrong| {
        Fault::of(&format!("logging{}", wrong.field), format!("kubelet does not start: {}", wrong.why)).help(wrong.help)
    }));
    faults
}

/// The API server asks every kubelet, for logs and `kubectl exec`.
fn address(settings: &Settings) -> Option<Fault> {
    let text = settings.text("address")?;
    let message = match text.parse::<IpAddr>() {
        Ok(address) if !address.to_canonical().is_loopback() => return None,
        Ok(_) => format!("the API server does not reach a kubelet that listens on {text}"),
        Err(_) => format!("`{text}` is no address"),
    };
    Some(Fault::of("address", message).help("write `0.0.0.0`, or leave it out"))
}

fn tracing(settings: &Settings) -> Option<Fault> {
    let name = "tracing.endpoint";
    let endpoint = settings.text(name)?;
    let is_good = if let Some((scheme, _)) = endpoint.split_once("//") {
        matches!(scheme.to_ascii_lowercase().as_str(), "dns:" | "unix:" | "unix-abstract:")
    } else {
        let host = endpoint.split('/').next().unwrap_or_default();
        let port = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map_or("", |(_, port)| port);
        port.chars().all(|c| c.is_ascii_digit())
    };
    let message = format!("kubelet can't send traces to `{endpoint}`");
    (!is_good).then(|| Fault::of(name, message).help("write host and port, such as `localhost:4317`"))
}

fn log_size(settings: &Settings) -> Option<Fault> {
    let name = "containerLogMaxSize";
    let text = settings.text(name)?;
    let is_whole = parse_quantity(text).is_some_and(|size| size.fract() == 0.0) && !is_imprecise(text);
    let message = format!("kubelet does not start with `{name}: {text}`");
    (!is_whole).then(|| Fault::of(name, message).help("such as `10Mi`"))
}

/// Whether Kubernetes keeps a quantity as a decimal fraction (`ParseQuantity`), of which kubelet takes no whole number: binary
/// units with a point, and those of more than 15 digits.
fn is_imprecise(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    let Some(power) = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|known| *known == unit) else {
        return false;
    };
    let (digits, binary_digits) = (number.trim_start_matches(['+', '-', '0']).len(), 10 * (power + 1));
    number.contains('.') || digits + binary_digits * 3 / 10 + 1 > 15
}

fn hidden_metrics(settings: &Settings) -> Option<Fault> {
    let name = "showHiddenMetricsForVersion";
    if settings.minor == u32::MAX {
        return None;
    }
    let before = values::minor_before(settings.minor);
    let version = settings.text(name).filter(|version| *version != before)?;
    let message = format!("kubelet has hidden metrics of the minor before only, not of `{version}`");
    Some(Fault::of(name, message).help(format!("write `\"{before}\"`, or leave it out")))
}

/// Kernel settings that pods may change are such as each has for itself, by name or with `*` at the end.
fn sysctls(settings: &Settings) -> Vec<Fault> {
    let list = settings.list("allowedUnsafeSysctls").into_iter().flatten().enumerate();
    let wrong = list.filter_map(|(index, one)| Some((index, one.as_str()?))).filter(|(_, one)| !is_of_pods(one));
    wrong
        .map(|(index, one)| {
            let message = format!("kubelet does not start: `{one}` is no kernel setting that a pod has for itself");
            let help = "settings below `net.` and `fs.mqueue.`, `kernel.sem`, `kernel.shm*` and `kernel.msg*`";
            Fault::of(&format!("allowedUnsafeSysctls[{index}]"), message).help(help)
        })
        .collect()
}

fn is_of_pods(pattern: &str) -> bool {
    const NAMES: [&str; 10] = [
        "kernel.msg",
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shm",
        "kernel.shm_rmid_forced",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
    ];
    let bare = pattern.strip_suffix('*').unwrap_or(pattern);
    // Parts are separated by dots or slashes; a `*` may stand for the last one or its end.
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_inner = |c: char| is_end(c) || matches!(c, '-' | '_');
    let is_part = |part: &str| part.starts_with(is_end) && part.ends_with(is_end) && part.chars().all(is_inner);
    let (before, last) = bare.rsplit_once(['.', '/']).map_or((None, bare), |(before, last)| (Some(before), last));
    let is_last = if bare.len() < pattern.len() {
        last.is_empty() || last.starts_with(is_end) && last.chars().all(is_inner)
    } else {
        is_part(last)
    };
    let is_formed = is_last && before.is_none_or(|before| before.split(['.', '/']).all(is_part));
    let name = bare.replace('/', ".");
    let is_known = NAMES.contains(&name.as_str()) || name.starts_with("net.") || name.starts_with("fs.mqueue.");
    is_formed && is_known && pattern.len() <= 253
}

/// Images that need no login are named without tag and digest, or as everything below a path.
fn images(settings: &Settings) -> Vec<Fault> {
    let name = "preloadedImagesVerificationAllowlist";
    let list = settings.list(name).into_iter().flatten().enumerate();
    let wrong = list.filter_map(|(index, one)| Some((index, one.as_str()?))).filter(|(_, one)| !is_image(one));
    wrong
        .map(|(index, one)| {
            let message = format!("kubelet does not start: `{one}` names no image");
            let help = "a name without tag and digest, or a path with `/*` at its end";
            Fault::of(&format!("{name}[{index}]"), message).help(help)
        })
        .collect()
}

fn is_image(pattern: &str) -> bool {
    if pattern != pattern.trim() || pattern.is_empty() {
        return false;
    }
    if let Some(path) = pattern.strip_suffix("/*") {
        return !path.is_empty() && !path.contains('*');
    }
    let last = pattern.rsplit('/').next().unwrap_or_default();
    !pattern.contains(['*', '@']) && !last.contains(':') && last.to_ascii_lowercase() == last
}

/// Only memory is kept back for the better classes of pods, as a part of all.
fn memory_reserve(settings: &Settings) -> Vec<Fault> {
    let name = "qosReserved";
    let is_part = |value: &str| {
        let number = value.strip_suffix('%').and_then(|part| part.trim_end_matches('%').parse::<u8>().ok());
        number.is_some_and(|number| number <= 100)
    };
    let wrong = settings.texts(name).into_iter().filter(|(of, value)| *of != "memory" || !is_part(value));
    wrong
        .map(|(of, value)| {
            let message = format!("kubelet can't keep back `{value}` of `{of}`");
            Fault::of_entry(name, of, message).help("write `memory`, with a part such as `50%`")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_settings_are_those_that_a_pod_has_for_itself() {
        for good in ["net.core.somaxconn", "net/ipv4/x", "net.ipv4.*", "kernel.msg*", "kernel.sem", "fs.mqueue.*"] {
            assert!(is_of_pods(good), "{good}");
        }
        for bad in ["*", "net..x", "a b", "kernel.pid_max", "net", "net*", "kernel.*", "Net.x", "net.x-", "net.*.x", ""]
        {
            assert!(!is_of_pods(bad), "{bad}");
        }
    }

    #[test]
    fn images_are_named_without_tag() {
        for good in ["docker.io/library/nginx", "localhost:5000/a", "docker.io/*", "a.example:5000/*"] {
            assert!(is_image(good), "{good}");
        }
        for bad in ["", " a", "nginx:1", "a@sha256:0", "*", "a*", "*/a", "a/*/*"] {
            assert!(!is_image(bad), "{bad}");
        }
    }
}
