//! Texts of etcd's flags.

use super::super::values::is_duration;
use super::{ALGORITHMS, entries};

/// Tokens of etcd: a kind, and options that must be there once with a value. Those of JWT are signed by some key.
pub(super) fn tokens(value: &str) -> bool {
    let mut parts = value.split(',');
    let kind = parts.next().unwrap_or_default();
    let mut options = std::collections::BTreeMap::new();
    for part in parts {
        let Some((name, text)) = part.split_once('=').filter(|(_, text)| !text.contains('=')) else { return false };
        if options.insert(name, text).is_some() {
            return false;
        }
    }
    let option = |name: &str| options.get(name).copied().filter(|text| !text.is_empty());
    match kind {
        "" | "simple" => true,
        "jwt" => {
            let has_key = match option("sign-method").unwrap_or_default() {
                "HS256" | "HS384" | "HS512" => option("priv-key").is_some(),
                "EdDSA" => option("priv-key").or(option("pub-key")).is_some(),
                method if ALGORITHMS.contains(&method) => option("priv-key").or(option("pub-key")).is_some(),
                _ => false,
            };
            has_key && option("ttl").is_none_or(is_duration)
        }
        _ => false,
    }
}

/// `*` alone, or addresses.
pub(super) fn origins(value: &str) -> bool {
    value == "*" || value.split(',').map(str::trim).all(is_address)
}

/// Addresses, or none.
pub(super) fn addresses(value: &str) -> bool {
    let local = |one: &str| one.starts_with("unix:") || one.starts_with("unixs:");
    entries(value).map(str::trim).all(|one| local(one) || is_address(one))
}

/// A scheme, a host and a port, and no path.
fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let port = host.filter(|host| !host.contains('/')).and_then(|host| host.rsplit_once(':'));
    port.is_some_and(|(name, port)| {
        let is_whole = !name.contains(':') || (name.starts_with('[') && name.ends_with(']'));
        is_whole && port.chars().all(|c| c.is_ascii_digit())
    })
}
