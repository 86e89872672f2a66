//! Proxies of the environment. kubewright asks none on the way to its own machines; kubectl does unless it is told not to.

use std::net::IpAddr;

use ipnet::IpNet;
use model::Resolved;

use crate::app::App;

/// What the environment says about proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// The proxy for https, which is what the API speaks.
    pub(crate) https: Option<String>,
    /// Where none is asked, separated by commas.
    pub(crate) none_for: String,
}

impl Proxies {
    /// Whether kubectl would ask the proxy for `host`, as Go's programs decide it.
    fn stand_before(&self, host: &str) -> bool {
        let exempt = |entry: &str| is_exempt(entry.trim(), host);
        self.https.is_some() && !is_this_host(host) && !self.none_for.split(',').any(exempt)
    }
}

fn is_this_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an entry of NO_PROXY means a host: `*`, an address, a range, or a domain with all that is below it.
fn is_exempt(entry: &str, host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return entry == "*"
            || entry.parse::<IpNet>().is_ok_and(|net| net.contains(&address))
            || entry.parse::<IpAddr>().is_ok_and(|exempt| exempt == address);
    }
    let entry = entry.to_ascii_lowercase();
    let domain = entry.trim_start_matches("*.").trim_start_matches('.');
    entry == "*" || (!domain.is_empty() && (host == domain || host.ends_with(&format!(".{domain}"))))
}

/// Says, where it is so, that kubectl needs NO_PROXY to reach this cluster.
pub(crate) fn mention(app: &App, resolved: &Resolved) {
    let endpoint = resolved.known_endpoint();
    if let Some(text) = endpoint.and_then(|(host, _)| advice(&app.environment.proxies, &host)) {
        app.say(text);
    }
}

fn advice(proxies: &Proxies, host: &str) -> Option<String> {
    if !proxies.stand_before(host) {
        return None;
    }
    let proxy = without_login(proxies.https.as_deref().unwrap_or_default());
    let others = if proxies.none_for.is_empty() { String::new() } else { format!("{},", proxies.none_for) };
    Some(format!(
        "kubectl would ask the proxy {proxy} for this cluster's API; keep it from that with: export NO_PROXY='{others}{host}'"
    ))
}

/// A proxy's address without the name and password that may stand in it. A password may hold any character, so nothing
/// before the last `@` is shown.
fn without_login(proxy: &str) -> String {
    let (scheme, rest) = proxy.split_once("://").unwrap_or(("", proxy));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(none_for: &str) -> Proxies {
        Proxies { https: Some("http://proxy:3128".to_owned()), none_for: none_for.to_owned() }
    }

    #[test]
    fn kubectl_asks_the_proxy_unless_no_proxy_means_the_host() {
        for exempt in ["*", "10.88.0.10", "a, 10.88.0.0/16 ,b"] {
            assert!(!proxies(exempt).stand_before("10.88.0.10"), "{exempt}");
        }
        for exempt in ["", "10.89.0.0/16", "example.org", "10.88.0.1", "0.10"] {
            assert!(proxies(exempt).stand_before("10.88.0.10"), "{exempt}");
        }
        for exempt in ["api.example.org", "example.org", ".example.org", "*.example.org", "Example.ORG"] {
            assert!(!proxies(exempt).stand_before("api.example.org"), "{exempt}");
        }
        assert!(proxies("ample.org").stand_before("api.example.org"));
        assert!(!proxies("").stand_before("127.0.0.1") && !Proxies::default().stand_before("10.88.0.10"));
    }

    #[test]
    fn what_is_to_be_typed_keeps_what_is_exempt_already() {
        let text = advice(&proxies("corp.example"), "10.88.0.10").unwrap();
        assert!(text.ends_with("export NO_PROXY='corp.example,10.88.0.10'"), "{text}");
        assert_eq!(advice(&proxies("*"), "10.88.0.10"), None);
    }

    #[test]
    fn the_login_of_a_proxy_is_not_shown() {
        for (proxy, shown) in [
            ("http://me:s3cret@proxy:3128", "http://proxy:3128"),
            ("me:s3/c@ret@proxy:3128", "proxy:3128"),
            ("http://proxy:3128/", "http://proxy:3128/"),
        ] {
            let proxies = Proxies { https: Some(proxy.to_owned()), none_for: String::new() };
            let text = advice(&proxies, "10.88.0.10").unwrap();
            assert!(text.contains(&format!("the proxy {shown} for")) && !text.contains("s3"), "{text}");
        }
    }
}
