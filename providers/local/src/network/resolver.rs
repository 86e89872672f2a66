//! A resolver on the host's loopback, asked at the gateway: rules of our table, and the bridge's setting for them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::LocalError;
use crate::inputs::NetworkInputs;

/// Where names are asked for (RFC 1035).
const PORT: u16 = 53;

/// Chains of the cluster's table that send questions at the gateway on to the resolver; none without one.
///
/// Packets for loopback addresses that a machine itself sends are dropped before: the bridge takes such packets from here
/// on, and nothing else on the host's loopback is for machines.
pub(super) fn chains(inputs: &NetworkInputs, marker: &str) -> String {
    let mut text = String::new();
    let Some(resolver) = inputs.resolver else { return text };
    let NetworkInputs { bridge, gateway, .. } = inputs;
    // Writing into a string cannot fail.
    let _ = write!(
        text,
        "\tchain loopback {{\n\
         \t\ttype filter hook prerouting priority -300; policy accept;\n\
         \t\tiifname \"{bridge}\" ip daddr 127.0.0.0/8 drop comment \"{marker}\"\n\
         \t}}\n\
         \tchain prerouting {{\n\
         \t\ttype nat hook prerouting priority -100; policy accept;\n"
    );
    for protocol in ["udp", "tcp"] {
        let _ = writeln!(
            text,
            "\t\tiifname \"{bridge}\" ip daddr {gateway} {protocol} dport {PORT} dnat ip to {resolver} comment \"{marker}\""
        );
    }
    text.push_str("\t}\n");
    text
}

/// Whether the bridge takes packets whose destination became a loopback address. The setting goes with the bridge; it must not
/// be on without the rules.
pub(super) fn set_open(bridge: &str, open: bool) -> Result<(), LocalError> {
    if is_open(bridge) == open {
        return Ok(());
    }
    let path = setting(bridge);
    fs_err::write(&path, if open { "1" } else { "0" }).map_err(LocalError::io(format!("set {path}")))
}

fn is_open(bridge: &str) -> bool {
    fs_err::read_to_string(setting(bridge)).is_ok_and(|value| value.trim() == "1")
}

/// The resolver that is asked at the gateway, from `nft -j list table`: where every rule is there and the bridge lets
/// packets through.
pub(super) fn find(bridge: &str, marker: &str, json: &Value) -> Option<Ipv4Addr> {
    if is_open(bridge) { read(marker, json) } else { None }
}

fn setting(bridge: &str) -> String {
    format!("/proc/sys/net/ipv4/conf/{bridge}/route_localnet")
}

fn read(marker: &str, json: &Value) -> Option<Ipv4Addr> {
    let rules = super::masquerade::marked(marker, json);
    let has = |key: &str| {
        rules.iter().flat_map(|rule| rule.iter()).filter_map(|expression| expression.get(key)).collect::<Vec<_>>()
    };
    let targets: Vec<Ipv4Addr> =
        has("dnat").iter().filter_map(|dnat| dnat.get("addr")?.as_str()?.parse().ok()).collect();
    match (targets.as_slice(), has("drop").len()) {
        ([udp, tcp], 1) if udp == tcp => Some(*udp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inputs(resolver: Option<&str>) -> NetworkInputs {
        serde_json::from_value(
            json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "gateway": "10.88.0.1", "resolver": resolver}),
        )
        .unwrap()
    }

    #[test]
    fn questions_at_the_gateway_go_to_the_resolver_and_nothing_else_reaches_the_hosts_loopback() {
        let text = chains(&inputs(Some("127.0.0.1")), "kubewright:1a/dev");
        let expected = "\tchain loopback {\n\
            \t\ttype filter hook prerouting priority -300; policy accept;\n\
            \t\tiifname \"kw-dev\" ip daddr 127.0.0.0/8 drop comment \"kubewright:1a/dev\"\n\
            \t}\n\
            \tchain prerouting {\n\
            \t\ttype nat hook prerouting priority -100; policy accept;\n\
            \t\tiifname \"kw-dev\" ip daddr 10.88.0.1 udp dport 53 dnat ip to 127.0.0.1 comment \"kubewright:1a/dev\"\n\
            \t\tiifname \"kw-dev\" ip daddr 10.88.0.1 tcp dport 53 dnat ip to 127.0.0.1 comment \"kubewright:1a/dev\"\n\
            \t}\n";
        assert_eq!(text, expected);
        assert_eq!(chains(&inputs(None), "kubewright:1a/dev"), "");
    }

    /// What `nft -j list table` lists of a resolver's rules.
    fn listed(marker: &str, resolver: &str) -> Value {
        let dnat = json!({"rule": {"comment": marker, "expr": [{"dnat": {"family": "ip", "addr": resolver}}]}});
        json!({"nftables": [{"rule": {"comment": marker, "expr": [{"drop": null}]}}, dnat.clone(), dnat]})
    }

    #[test]
    fn a_resolver_whose_rules_are_not_all_there_is_none() {
        let mut json = listed("kubewright:1a/dev", "127.0.0.1");
        assert_eq!(read("kubewright:1a/dev", &json), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(read("kubewright:2b/dev", &json), None);
        json["nftables"].as_array_mut().unwrap().remove(0);
        assert_eq!(read("kubewright:1a/dev", &json), None, "the host's loopback is open");
    }
}
