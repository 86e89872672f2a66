//! Rule: kube-proxy's own settings are ones that it starts with (`kubeproxyconfig` validation of Kubernetes).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::super::facts::fields::{self, whole};
use super::super::facts::values;
use super::super::logging;
use crate::format::amounts::parse_go_duration;
use crate::suggest;

/// Settings of kube-proxy, and what they are looked at with.
pub(super) struct Settings<'a> {
    pub(super) config: &'a Map<String, Value>,
    /// The mode that it runs in, as its section is called.
    pub(super) mode: &'static str,
    /// Minor version of Kubernetes, where it is known.
    pub(super) minor: Option<u32>,
    /// Whether a feature gate is on, which is the second where nobody says anything.
    pub(super) is_on: &'a dyn Fn(&str, bool) -> bool,
}

/// What kube-proxy would say of a setting.
#[derive(Debug)]
pub(super) struct Fault {
    /// Its path below the configuration.
    pub(super) field: String,
    pub(super) message: String,
    pub(super) help: String,
}

/// How pods of this node are told from others, and the setting that names what is looked at.
const LOCAL: [(&str, Option<&str>); 4] = [
    ("ClusterCIDR", None),
    ("NodeCIDR", None),
    ("BridgeInterface", Some("bridgeInterface")),
    ("InterfaceNamePrefix", Some("interfaceNamePrefix")),
];

pub(super) fn check(settings: &Settings<'_>) -> Vec<Fault> {
    let mut faults = settings.addresses();
    faults.extend(settings.local());
    faults.extend(settings.node_ports());
    faults.extend(settings.numbers());
    faults.extend(settings.periods());
    faults.extend(settings.hidden_metrics());
    let wrong = settings.get("logging").map(|value| logging::check(value, settings.is_on)).unwrap_or_default();
    faults.extend(wrong.into_iter().map(|wrong| fault(&format!("logging{}", wrong.field), &wrong.why, wrong.help)));
    faults
}

fn fault(field: &str, why: &str, help: impl Into<String>) -> Fault {
    let message = format!("kube-proxy does not start: {why}");
    Fault { field: field.to_owned(), message, help: help.into() }
}

impl Settings<'_> {
    /// A setting; its parts are separated by dots.
    fn get(&self, name: &str) -> Option<&Value> {
        fields::at(self.config, name)
    }

    /// A text that is not empty: the empty one is none.
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A time in seconds; 0 is none.
    fn seconds(&self, name: &str) -> Option<f64> {
        self.text(name).and_then(parse_go_duration).filter(|seconds| *seconds != 0.0)
    }

    fn addresses(&self) -> Vec<Fault> {
        let fields =
            [("healthzBindAddress", "such as `0.0.0.0:10256`"), ("metricsBindAddress", "such as `0.0.0.0:10249`")];
        let wrong = |(name, help): (&str, &str)| {
            let text = self.text(name).filter(|text| !listens(text))?;
            Some(fault(name, &format!("`{text}` is no address with a port"), help))
        };
        fields.into_iter().filter_map(wrong).collect()
    }

    fn local(&self) -> Option<Fault> {
        let name = "detectLocalMode";
        let mode = self.text(name)?;
        let Some((_, part)) = LOCAL.iter().find(|(known, _)| *known == mode) else {
            let help = suggest::one_of(mode, &LOCAL.map(|(word, _)| word), 4);
            return Some(fault(name, &format!("it has no `{name}` called `{mode}`"), help));
        };
        let part = part.map(|part| format!("detectLocal.{part}")).filter(|part| self.text(part).is_none())?;
        Some(fault(name, &format!("`{mode}` needs `{part}`"), format!("set `{part}`, or remove `{name}`")))
    }

    /// Services with a port on the nodes are served on addresses of some ranges, or on the primary one.
    fn node_ports(&self) -> Option<Fault> {
        let name = "nodePortAddresses";
        let list = self.get(name)?.as_array()?;
        for (index, one) in list.iter().enumerate().filter_map(|(index, one)| Some((index, one.as_str()?))) {
            let at = format!("{name}[{index}]");
            if one == "primary" {
                let why = "`primary` and ranges exclude each other";
                return (list.len() > 1).then(|| fault(&at, why, "keep one of them"));
            }
            if !is_range(one) {
                return Some(fault(
                    &at,
                    &format!("`{one}` is no range of addresses"),
                    "such as `10.0.0.0/8`, or `primary`",
                ));
            }
        }
        None
    }

    fn numbers(&self) -> Vec<Fault> {
        let mut bounds = vec![("iptables.masqueradeBit", 0, 31), ("oomScoreAdj", -1000, 1000)];
        if self.mode == "nftables" {
            bounds.push(("nftables.masqueradeBit", 0, 31));
        }
        let number = |name: &str| self.get(name).and_then(whole);
        let wrong = |(name, least, most): (&str, i64, i64)| {
            let number = number(name).filter(|number| !(least..=most).contains(number))?;
            let help = format!("write a number from {least} to {most}");
            Some(fault(name, &format!("`{name}` is {number}"), help))
        };
        bounds.into_iter().filter_map(wrong).collect()
    }

    /// Rules are written again after some time, and not more often than after a shorter one.
    fn periods(&self) -> Vec<Fault> {
        let (most, least) = (format!("{}.syncPeriod", self.mode), format!("{}.minSyncPeriod", self.mode));
        let mut faults: Vec<Fault> = ["configSyncPeriod", &most, &least]
            .into_iter()
            .filter(|name| self.seconds(name).is_some_and(|seconds| seconds < 0.0))
            .map(|name| fault(name, &format!("`{name}` is negative"), "such as `30s`, or leave it out"))
            .collect();
        let (longest, shortest) = (self.seconds(&most).unwrap_or(30.0), self.seconds(&least).unwrap_or(1.0));
        if faults.is_empty() && shortest > longest {
            let why = format!("`{least}` ({shortest} s) is longer than `{most}` ({longest} s)");
            let at = if self.get(&least).is_some() { &least } else { &most };
            faults.push(fault(at, &why, format!("raise `{most}`, or lower `{least}`")));
        }
        faults
    }

    fn hidden_metrics(&self) -> Option<Fault> {
        let name = "showHiddenMetricsForVersion";
        let before = values::minor_before(self.minor?);
        let version = self.text(name).filter(|version| *version != before)?;
        let why = format!("it has hidden metrics of the minor before only, not of `{version}`");
        Some(fault(name, &why, format!("write `\"{before}\"`, or leave it out")))
    }
}

/// An address, with a port or without: then it gets the usual one.
fn listens(text: &str) -> bool {
    if parse_address(text).is_some() {
        return true;
    }
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = match bare {
        Some(bare) => parse_address(bare).is_some(),
        None => !host.contains(':') && parse_address(host).is_some(),
    };
    is_address && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let length = length.parse().ok();
    parse_address(address).zip(length).is_some_and(|(address, length)| IpNet::new(address, length).is_ok())
}

/// An address, whose numbers may have zeros before them.
fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| {
        let number = |part: &str| part.chars().all(|c| c.is_ascii_digit()).then(|| part.parse::<u8>().ok())?;
        let parts: Vec<u8> = text.split('.').map(number).collect::<Option<_>>()?;
        let parts: [u8; 4] = parts.try_into().ok()?;
        Some(Ipv4Addr::from(parts).into())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The fields that are complained about where kube-proxy makes rules of nftables.
    fn at(config: &Value) -> Vec<String> {
        let settings = Settings {
            config: config.as_object().unwrap(),
            mode: "nftables",
            minor: Some(36),
            is_on: &|_, default| default,
        };
        check(&settings).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn settings_are_those_that_kube_proxy_starts_with() {
        for (config, field) in [
            (json!({"metricsBindAddress": "localhost:10249"}), "metricsBindAddress"),
            (json!({"metricsBindAddress": "127.0.0.1:0"}), "metricsBindAddress"),
            (json!({"healthzBindAddress": "[::]"}), "healthzBindAddress"),
            (json!({"healthzBindAddress": ":10256"}), "healthzBindAddress"),
            (json!({"detectLocalMode": "clusterCIDR"}), "detectLocalMode"),
            (json!({"detectLocalMode": "BridgeInterface"}), "detectLocalMode"),
            (
                json!({"detectLocalMode": "InterfaceNamePrefix", "detectLocal": {"bridgeInterface": "a"}}),
                "detectLocalMode",
            ),
            (json!({"nodePortAddresses": ["primary", "10.0.0.0/8"]}), "nodePortAddresses[0]"),
            (json!({"nodePortAddresses": ["10.0.0.0/8", "10.0.0.1"]}), "nodePortAddresses[1]"),
            (json!({"iptables": {"masqueradeBit": 32}}), "iptables.masqueradeBit"),
            (json!({"nftables": {"masqueradeBit": -1}}), "nftables.masqueradeBit"),
            (json!({"nftables": {"syncPeriod": "-1s"}}), "nftables.syncPeriod"),
            (json!({"nftables": {"minSyncPeriod": "31s"}}), "nftables.minSyncPeriod"),
            (json!({"nftables": {"syncPeriod": "500ms"}}), "nftables.syncPeriod"),
            (json!({"configSyncPeriod": "-1m"}), "configSyncPeriod"),
            (json!({"oomScoreAdj": -1001}), "oomScoreAdj"),
            (json!({"showHiddenMetricsForVersion": "1.36"}), "showHiddenMetricsForVersion"),
            (json!({"logging": {"format": "JSON"}}), "logging.format"),
            (json!({"logging": {"flushFrequency": "-5s"}}), "logging.flushFrequency"),
            (json!({"logging": {"format": "json", "vmodule": [{"filePattern": "a"}]}}), "logging.vmodule"),
            (json!({"logging": {"vmodule": [{"filePattern": "a=b"}]}}), "logging.vmodule[0]"),
            (
                json!({"logging": {"options": {"text": {"infoBufferSize": "1Ki"}}}}),
                "logging.options.text.infoBufferSize",
            ),
        ] {
            assert_eq!(at(&config), [field], "{config}");
        }
    }

    #[test]
    fn settings_of_every_kind_are_taken() {
        for config in [
            json!({"metricsBindAddress": "127.0.0.1", "healthzBindAddress": "[::]:10256"}),
            json!({"metricsBindAddress": "", "healthzBindAddress": "::1"}),
            json!({"detectLocalMode": "BridgeInterface", "detectLocal": {"bridgeInterface": "cni0"}}),
            json!({"detectLocalMode": "NodeCIDR", "nodePortAddresses": ["primary"]}),
            json!({"nodePortAddresses": ["10.0.0.0/8", "10.0.0.1/8", "fd00::/8", "010.0.0.0/8"]}),
            json!({"iptables": {"masqueradeBit": 0, "syncPeriod": "-1s"}, "nftables": {"syncPeriod": "0s"}}),
            json!({"configSyncPeriod": "0s", "oomScoreAdj": 1000, "showHiddenMetricsForVersion": "1.35"}),
            json!({"logging": {"format": "json", "flushFrequency": 0, "verbosity": 4}}),
            json!({"logging": {"options": {"json": {"infoBufferSize": "0", "splitStream": true}}}}),
        ] {
            assert_eq!(at(&config), [""; 0], "{config}");
        }
    }
}
