//! kube-proxy's own settings.

use serde_json::{Value, json};

use super::super::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, values) in settings() {
        cases.extend(values.into_iter().map(|value| case(name, value)));
    }
    // In the other mode, another section is read.
    for (section, value) in [
        ("iptables", json!({"syncPeriod": "-1s"})),
        ("iptables", json!({"minSyncPeriod": "31s"})),
        ("iptables", json!({"syncPeriod": "0s", "minSyncPeriod": "0s"})),
        ("nftables", json!({"masqueradeBit": 32})),
        ("nftables", json!({"syncPeriod": "-1s"})),
    ] {
        cases.push(case(section, value).and("networking/kubeProxy/mode", "iptables"));
    }
    for (mode, part) in [("BridgeInterface", "bridgeInterface"), ("InterfaceNamePrefix", "interfaceNamePrefix")] {
        let local = |part: &str| {
            case("detectLocalMode", json!(mode)).and("networking/kubeProxy/config/detectLocal", json!({part: "cni0"}))
        };
        cases.extend([local(part), local("noSuchPart")]);
    }
    cases
}

fn case(name: &str, value: Value) -> Case {
    Case::new("kube-proxy", format!("networking/kubeProxy/config/{name}"), value)
}

fn settings() -> Vec<(&'static str, Vec<Value>)> {
    let texts = |words: &[&str]| words.iter().map(|word| json!(word)).collect::<Vec<_>>();
    let metrics = ["127.0.0.1:10249", "127.0.0.1", "", "localhost:10249", ":10249", "127.0.0.1:0", "127.0.0.1:70000"];
    vec![
        ("metricsBindAddress", texts(&metrics)),
        ("healthzBindAddress", texts(&["[::]:10256", "::", "[::]", "0.0.0.0:x", "10.0.0.256:1", "010.0.0.1:1"])),
        ("detectLocalMode", texts(&["", "ClusterCIDR", "NodeCIDR", "clusterCIDR", "BridgeInterface"])),
        (
            "nodePortAddresses",
            vec![
                json!([]),
                json!(["primary"]),
                json!(["primary", "10.0.0.0/8"]),
                json!(["10.0.0.0/8", "primary"]),
                json!(["10.0.0.0/8", "fd00::/8"]),
                json!(["10.0.0.1"]),
                json!(["10.0.0.0/33"]),
            ],
        ),
        ("configSyncPeriod", texts(&["15m", "0s", "-1s", "x"])),
        ("oomScoreAdj", [-1000, 1000, -1001, 1001].map(|number| json!(number)).to_vec()),
        ("showHiddenMetricsForVersion", texts(&["", "1.36", "1.35", "1.34", "1.33"])),
        ("iptables", vec![json!({"masqueradeBit": 0}), json!({"masqueradeBit": 32}), json!({"syncPeriod": "-1s"})]),
        (
            "nftables",
            vec![
                json!({"masqueradeBit": 31}),
                json!({"masqueradeBit": -1}),
                json!({"syncPeriod": "-1s"}),
                json!({"minSyncPeriod": "-1s"}),
                json!({"minSyncPeriod": "31s"}),
                json!({"syncPeriod": "500ms"}),
                json!({"syncPeriod": "1h", "minSyncPeriod": "1m"}),
            ],
        ),
        ("logging", logging()),
    ]
}

fn logging() -> Vec<Value> {
    vec![
        json!({"format": "json"}),
        json!({"format": "xml"}),
        json!({"flushFrequency": "-5s"}),
        json!({"flushFrequency": 0}),
        json!({"format": "json", "vmodule": [{"filePattern": "x", "verbosity": 3}]}),
        json!({"vmodule": [{"filePattern": "a,b", "verbosity": 3}]}),
        json!({"options": {"json": {"splitStream": true}}}),
        json!({"options": {"text": {"infoBufferSize": "1Ki"}}}),
    ]
}
