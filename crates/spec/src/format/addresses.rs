//! Addresses: IP addresses and ranges, hosts, registries, URLs.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::{Unfit, names};

/// An address range in CIDR notation, without host bits.
pub(crate) fn cidr(text: &str) -> Result<(), Unfit> {
    let net = range(text)?;
    if net.trunc() == net {
        return Ok(());
    }
    Err(Unfit::new("it has bits set beyond its prefix").help(format!("write `{}`", net.trunc())))
}

/// An IPv4 address range in CIDR notation, without host bits.
pub(crate) fn ipv4_cidr(text: &str) -> Result<(), Unfit> {
    cidr(text)?;
    text.parse::<Ipv4Net>().map(drop).map_err(|_| Unfit::new("it is an IPv6 range"))
}

fn range(text: &str) -> Result<IpNet, Unfit> {
    if let Ok(net) = text.parse::<IpNet>() {
        return Ok(net);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        let example = if address.is_ipv4() { 16 } else { 56 };
        return Err(Unfit::new("the prefix length is missing").help(format!("such as `{address}/{example}`")));
    }
    let Some((address, prefix)) = text.split_once('/') else {
        return Err(Unfit::new("it is not of the form ADDRESS/PREFIX").help("such as `10.244.0.0/16`"));
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(Unfit::new(format!("`{address}` is not an IP address")));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    Err(Unfit::new(format!("the prefix length `{prefix}` is not a number from 0 to {most}")))
}

/// An IP address of either family.
pub(crate) fn ip(text: &str) -> Result<(), Unfit> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let unfit = Unfit::new("it is not four numbers from 0 to 255, nor an IPv6 address");
    Err(match text.rsplit_once(':') {
        Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
            unfit.help(format!("write `{address}`, without a port"))
        }
        _ => unfit,
    })
}

/// A DNS name or an IP address.
pub(crate) fn host(text: &str) -> Result<(), Unfit> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if let Some((_, rest)) = text.split_once("://") {
        let bare = rest.split(['/', ':']).next().unwrap_or(rest);
        return Err(Unfit::new("it is a URL").instead(text, &names::plain(bare), host));
    }
    if let Some((bare, port)) = text.rsplit_once(':')
        && port.parse::<u16>().is_ok()
        && host(bare).is_ok()
    {
        return Err(Unfit::new("it has a port").help(format!("write `{bare}`, and the port in `api.port`")));
    }
    looks_like_an_address(text)?;
    names::domain(text)
}

/// A name or address for a certificate: as a host, or with `*` as the first label.
pub(crate) fn alt_name(text: &str) -> Result<(), Unfit> {
    let found = text.strip_prefix("*.").map_or_else(|| host(text), names::domain);
    found.map_err(
        |unfit| if text.starts_with("*.") { unfit.instead(text, &names::plain(text), alt_name) } else { unfit },
    )
}

/// Numbers and dots that are no address are a mistyped address, not a name.
fn looks_like_an_address(text: &str) -> Result<(), Unfit> {
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(Unfit::new("it is not four numbers from 0 to 255"));
    }
    Ok(())
}

/// A registry's host, with a port where it isn't 443; `*` is every registry.
pub(crate) fn registry(text: &str) -> Result<(), Unfit> {
    if text == "*" {
        return Ok(());
    }
    if text.contains("://") || text.contains('/') {
        let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
        let bare = bare.split('/').next().unwrap_or(bare);
        return Err(Unfit::new("it is more than a host and a port").instead(text, &names::plain(bare), registry));
    }
    host(without_port(text)?).map_err(|unfit| unfit.instead(text, &names::plain(text), registry))
}

/// An http or https address of a host, with a port and a path where needed, without credentials.
pub(crate) fn url(text: &str) -> Result<(), Unfit> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(no_scheme(text));
    };
    if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Unfit::new("it contains white space"));
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    if authority.contains('@') {
        return Err(Unfit::new("it contains credentials").help("name a secret in `containerd.registryCredentials`"));
    }
    host(without_port(authority)?).map_err(|unfit| {
        // Paths are kept: their case matters.
        let end = text.len() - rest.len() + authority.len();
        let (before, path) = text.split_at(end);
        unfit.instead(text, &format!("{}{path}", names::plain(before)), url)
    })
}

/// What to write for a text that begins with another scheme, or with none.
fn no_scheme(text: &str) -> Unfit {
    let unfit = Unfit::new("it does not start with https:// or http://");
    if let Some((scheme, rest)) = text.split_once("://") {
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        return unfit.instead(text, &format!("{scheme}://{}{path}", names::plain(authority)), url);
    }
    let (secure, open) = (format!("https://{text}"), format!("http://{text}"));
    if url(&secure).is_err() {
        return unfit.help("such as `https://mirror.example.org`");
    }
    unfit.help(format!("write `{secure}` or `{open}`, as it answers"))
}

/// What a program asks without its proxy: a name, a domain with a leading dot, an address or a range.
pub(crate) fn proxy_exception(text: &str) -> Result<(), Unfit> {
    if text.parse::<IpNet>().is_ok() {
        return cidr(text);
    }
    let bare = text.strip_prefix('.').unwrap_or(text);
    host(bare).map_err(|unfit| unfit.help("such as `example.org`, `.example.org` or `192.0.2.0/24`"))
}

/// The host of `host:port`, `[v6]:port` or a host alone.
fn without_port(text: &str) -> Result<&str, Unfit> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').map(|(host, _)| host).ok_or_else(|| Unfit::new("`]` is missing"));
    }
    match text.split_once(':') {
        None => Ok(text),
        Some((host, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(host),
        Some((_, port)) => Err(Unfit::new(format!("`{port}` is not a port"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::assert_format;

    #[test]
    fn ranges_have_a_prefix_and_no_host_bits() {
        assert_format(
            cidr,
            &["10.244.0.0/16", "fd00::/48", "0.0.0.0/0"],
            &["", "10.244.0.0", "10.244.0.0/33", "10.244.0.1/16", "x/8", "10.244.0.0/x", "10.0/8"],
        );
        assert_eq!(cidr("10.244.3.0/16").unwrap_err().help.as_deref(), Some("write `10.244.0.0/16`"));
        assert_format(ipv4_cidr, &["10.88.1.0/24"], &["fd00::/48"]);
    }

    #[test]
    fn hosts_are_names_or_addresses_without_scheme_and_port() {
        assert_format(
            host,
            &["api.example.org", "10.0.0.1", "::1", "lb"],
            &["", "https://api.example.org", "api.example.org:6443", "10.0.0.256", "10.0.0", "*.example.org"],
        );
        assert_format(alt_name, &["*.example.org", "10.0.0.1"], &["*", "a.*.b", "*.10.0.0.999."]);
    }

    #[test]
    fn registries_and_mirrors_are_told_apart() {
        assert_format(
            registry,
            &["docker.io", "localhost:5000", "*", "[::1]:5000"],
            &["", "https://docker.io", "a/b", "a:x"],
        );
        assert_format(
            url,
            &["https://mirror.example.org/v2", "http://10.0.0.1:5000", "https://[fd00::1]:5000"],
            &["", "mirror.example.org", "https://", "https://u:p@mirror", "https://a b", "ftp://x"],
        );
    }

    #[test]
    fn what_to_write_instead_is_whole_and_passes_itself() {
        let help = |check: fn(&str) -> Result<(), Unfit>, text: &str| check(text).unwrap_err().help.unwrap_or_default();
        for (text, wanted) in [
            ("https://M.example.org:443", "write `https://m.example.org:443`"),
            ("https://M.example.org/V2", "write `https://m.example.org/V2`"),
            ("HTTPS://M.example.org", "write `https://m.example.org`"),
            ("socks5://proxy:1080", ""),
            ("proxy:3128", "write `https://proxy:3128` or `http://proxy:3128`, as it answers"),
            ("pro xy", "such as `https://mirror.example.org`"),
        ] {
            assert_eq!(help(url, text), wanted, "{text}");
        }
        for (text, wanted) in [
            ("Docker.io", "write `docker.io`"),
            ("Docker.io:5000", "write `docker.io:5000`"),
            ("https://docker.io/library", "write `docker.io`"),
            ("../../x", ""),
        ] {
            assert_eq!(help(registry, text), wanted, "{text}");
        }
        assert_eq!(help(host, "https://API.example.org/x"), "write `api.example.org`");
        assert_eq!(help(host, "https://"), "");
        assert_eq!(help(alt_name, "*.Example.org"), "write `*.example.org`");
    }

    #[test]
    fn addresses_with_a_port_say_so() {
        assert_format(ip, &["1.1.1.1", "2606:4700::1111"], &["", "1.1.1", "dns.example.org"]);
        assert_eq!(ip("1.1.1.1:53").unwrap_err().help.as_deref(), Some("write `1.1.1.1`, without a port"));
    }
}
