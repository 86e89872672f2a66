//! Texts that Kubernetes itself checks: versions, labels, flags, feature gates.

use super::{Unfit, names};

/// A version: `1.36.3` or a minor, `1.36`.
pub(crate) fn version(text: &str) -> Result<(), Unfit> {
    let numbers: Option<Vec<u16>> = text.split('.').map(number).collect();
    if numbers.is_some_and(|numbers| matches!(numbers.len(), 2 | 3)) {
        return Ok(());
    }
    let unfit = Unfit::new("it is not of the form MAJOR.MINOR.PATCH");
    Err(match text.strip_prefix('v') {
        Some(bare) if version(bare).is_ok() => unfit.help(format!("write `{bare}`, without the `v`")),
        _ => unfit.help("such as `1.36.3`"),
    })
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The key of a label or taint: a name, with a domain and `/` before it or not.
pub(crate) fn label_key(text: &str) -> Result<(), Unfit> {
    let name = match text.split_once('/') {
        Some((prefix, name)) => {
            names::domain(prefix).map_err(|unfit| Unfit::new(format!("the part before `/`: {}", unfit.why)))?;
            name
        }
        None => text,
    };
    if name.is_empty() {
        return Err(Unfit::new("the name is empty"));
    }
    word(name)
}

/// The value of a label or taint; may be empty.
pub(crate) fn label_value(text: &str) -> Result<(), Unfit> {
    if text.is_empty() { Ok(()) } else { word(text) }
}

fn word(text: &str) -> Result<(), Unfit> {
    if text.len() > 63 {
        return Err(Unfit::new(format!("it has {} characters, at most 63 are allowed", text.len())));
    }
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(*c))) {
        return Err(Unfit::new(format!("{c:?} is not allowed; use letters, digits, `-`, `_` and `.`")));
    }
    let edge = |c: char| c.is_ascii_alphanumeric();
    if text.starts_with(edge) && text.ends_with(edge) {
        return Ok(());
    }
    Err(Unfit::new("it must start and end with a letter or a digit"))
}

/// The name of a flag without dashes before it.
pub(crate) fn flag(text: &str) -> Result<(), Unfit> {
    let bare = text.trim_start_matches('-');
    let good = bare.starts_with(|c: char| c.is_ascii_lowercase())
        && bare.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match (good, bare == text) {
        (true, true) => Ok(()),
        (true, false) => Err(Unfit::new("it starts with dashes").help(format!("write `{bare}`"))),
        _ => {
            let unfit = Unfit::new("flags consist of lower-case letters, digits and `-`");
            // Kubernetes' programs take underscores, too; what kubewright knows of a flag it knows by one spelling.
            let meant = bare.to_ascii_lowercase().replace('_', "-");
            let is_flag = meant != text && flag(&meant).is_ok();
            Err(if is_flag { unfit.help(format!("write `{meant}`")) } else { unfit })
        }
    }
}

/// A name in camel case that starts with a capital.
pub(crate) fn camel_case(text: &str) -> Result<(), Unfit> {
    if text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Unfit::new("it must start with a capital and consist of letters and digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::assert_format;

    #[test]
    fn versions_have_two_or_three_numbers() {
        assert_format(version, &["1.36.3", "1.36"], &["", "1", "1.36.3.1", "v1.36.3", "1.x", "latest", "1.36.3-rc.0"]);
        assert_eq!(version("v1.36.3").unwrap_err().help.as_deref(), Some("write `1.36.3`, without the `v`"));
    }

    #[test]
    fn labels_follow_kubernetes() {
        assert_format(label_key, &["a", "example.org/tier", "A_b.c"], &["", "/a", "a/", "a/b/c", "-a", "A.b/c", "a b"]);
        assert_format(label_value, &["", "x", "1.2_3"], &["-x", "a b", "a/b", &"a".repeat(64)]);
    }

    #[test]
    fn flags_stand_without_dashes() {
        assert_format(flag, &["v", "audit-log-path"], &["", "--v", "Audit", "a_b"]);
        assert_eq!(flag("--v").unwrap_err().help.as_deref(), Some("write `v`"));
        assert_eq!(flag("log_flush_frequency").unwrap_err().help.as_deref(), Some("write `log-flush-frequency`"));
        assert_eq!(flag("a b").unwrap_err().help, None);
    }

    #[test]
    fn feature_gates_are_in_camel_case() {
        assert_format(camel_case, &["KubeletInUserNamespace"], &["", "kubelet", "A-B"]);
    }
}
