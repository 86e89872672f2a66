//! Addresses of issuers of tokens, as Go's `net/url` and kube-apiserver read them.

/// Whether kube-apiserver takes an address; the empty text is none.
pub(super) fn is_good(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("https:") else { return value.is_empty() };
    let is_bare = |mark: char| rest.split_once(mark).is_none_or(|(_, after)| after.is_empty());
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let is_host = !authority.contains('@') && !authority.contains(' ') && has_good_port(authority);
    // Without a slash there is no path that would be read.
    let is_path = !rest.starts_with('/') || is_escaped(rest);
    is_bare('?') && is_bare('#') && is_host && is_path && !rest.contains(|c: char| c.is_ascii_control())
}

/// What stands after the colon of a host is digits, or nothing. An address of IPv6 stands in brackets.
fn has_good_port(authority: &str) -> bool {
    let port = if authority.starts_with('[') {
        let Some((_, after)) = authority.rsplit_once(']') else { return false };
        after.strip_prefix(':').or(after.is_empty().then_some(""))
    } else {
        Some(authority.rsplit_once(':').map_or("", |(_, port)| port))
    };
    port.is_some_and(|port| port.chars().all(|c| c.is_ascii_digit()))
}

/// After each percent sign there are two digits.
fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.chars();
        (0..2).all(|_| digits.next().is_some_and(|c| c.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port_and_escapes_that_go_reads() {
        for good in [
            "",
            "https://a",
            "https://a:443/b",
            "https://a:",
            "https://[::1]",
            "https://[::1]:8443/%2f",
            "https://a/b@c",
        ] {
            assert!(is_good(good), "{good}");
        }
        for bad in [
            "http://a",
            "https://a:port",
            "https://a:1x/b",
            "https://[::1",
            "https://[::1]x",
            "https://a/%zz",
            "https://a/%2",
            "https://a b/c",
            "https://u@a",
            "https://a/b?c",
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }
}
