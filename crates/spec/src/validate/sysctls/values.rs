//! Values of settings that are known to be numbers (`Documentation/networking/ip-sysctl.rst`): the kernel refuses other texts,
//! and the machine would not become what was asked for.

/// Settings that are one number.
const ONE: [&str; 30] = [
    "net.core.optmem_max",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_default",
    "net.core.wmem_max",
    "net.ipv4.icmp_echo_ignore_broadcasts",
    "net.ipv4.ip_default_ttl",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_fastopen",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_retries1",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_window_scaling",
];
/// Settings that are several numbers.
const SEVERAL: [(&str, usize, &str); 4] = [
    (LOCAL_PORTS, 2, "such as `32768 60999`"),
    ("net.ipv4.ping_group_range", 2, "such as `0 2147483647`"),
    ("net.ipv4.tcp_rmem", 3, "least, default and most, such as `4096 131072 6291456`"),
    ("net.ipv4.tcp_wmem", 3, "least, default and most, such as `4096 16384 4194304`"),
];
/// Settings of every interface, the last part of their names.
const OF_INTERFACES: [&str; 8] = [
    "accept_redirects",
    "accept_source_route",
    "arp_announce",
    "arp_ignore",
    "forwarding",
    "rp_filter",
    "route_localnet",
    "send_redirects",
];
/// The ports that Linux gives to outgoing connections.
pub(super) const LOCAL_PORTS: &str = "net.ipv4.ip_local_port_range";

/// Why the kernel does not keep a value, and what to write.
pub(super) fn wrong(dotted: &str, value: &str) -> Option<(String, String)> {
    let several = SEVERAL.iter().find(|(name, ..)| *name == dotted);
    let (count, help) = match several {
        Some((_, count, help)) => (*count, *help),
        None if is_one(dotted) => (1, "write a number"),
        None => return None,
    };
    let Some(found) = numbers(value) else {
        let form = if count == 1 { "is no number".to_owned() } else { format!("is not {count} numbers") };
        return Some((form, help.to_owned()));
    };
    if found.len() != count {
        // It keeps what it has of the rest, or drops what is too much: every update would find a difference.
        let form = if count == 1 { "is more than a number".to_owned() } else { format!("is not {count} numbers") };
        return Some((form, help.to_owned()));
    }
    let is_range = dotted == LOCAL_PORTS;
    match found.as_slice() {
        [first, last] if is_range && first > last => {
            Some(("goes downwards".to_owned(), format!("write `{last} {first}`")))
        }
        [first, last] if is_range && (*first < 1 || *last > 65_535) => {
            Some(("is no range of ports".to_owned(), help.to_owned()))
        }
        _ => None,
    }
}

fn is_one(dotted: &str) -> bool {
    let of_interface = dotted.strip_prefix("net.ipv4.conf.").and_then(|rest| rest.rsplit_once('.'));
    ONE.contains(&dotted) || of_interface.is_some_and(|(_, last)| OF_INTERFACES.contains(&last))
}

/// The numbers of a value as the kernel reads them: hexadecimal and octal ones, too.
pub(super) fn numbers(value: &str) -> Option<Vec<i64>> {
    let number = |word: &str| {
        let bare = word.strip_prefix('-').unwrap_or(word);
        if bare.starts_with(['+', '-']) {
            return None;
        }
        let hexadecimal = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X"));
        let magnitude = match hexadecimal {
            Some(digits) => i64::from_str_radix(digits, 16),
            None if bare.len() > 1 && bare.starts_with('0') => i64::from_str_radix(bare, 8),
            None => bare.parse(),
        };
        magnitude.ok().map(|magnitude| if word.starts_with('-') { -magnitude } else { magnitude })
    };
    let all: Vec<i64> = value.split_whitespace().map(number).collect::<Option<_>>()?;
    (!all.is_empty()).then_some(all)
}
