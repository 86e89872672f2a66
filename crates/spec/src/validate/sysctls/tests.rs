//! Tests: names and values of kernel settings that would cut pods off, or that the kernel does not keep.

use super::super::tests::{about, about_group};

fn sysctl(name: &str, value: &str) -> Vec<String> {
    about(&format!("  sysctls: {{{name}: \"{value}\"}}\n"))
}

fn refused(name: &str) -> Vec<String> {
    vec![format!("spec::sysctl cluster.yaml:7 spec.sysctls[\"{name}\"]")]
}

#[test]
fn forwarding_is_not_switched_off_under_another_name() {
    for name in ["all", "default", "eth0"].map(|interface| format!("net.ipv4.conf.{interface}.forwarding")) {
        assert_eq!(sysctl(&name, "0"), refused(&name), "{name}");
        assert_eq!(sysctl(&name, "1"), [""; 0], "{name}");
    }
    for value in ["0x0", "00", "2"] {
        assert_eq!(sysctl("net.ipv4.conf.all.forwarding", value), refused("net.ipv4.conf.all.forwarding"), "{value}");
    }
    assert_eq!(sysctl("net.ipv4/conf.all.forwarding", "0"), refused("net.ipv4/conf.all.forwarding"));
    assert_eq!(sysctl("net.ipv4.conf.lo.forwarding", "0"), [""; 0]);
    assert_eq!(sysctl("net.ipv6.conf.all.forwarding", "0"), [""; 0]);
}

#[test]
fn values_are_numbers_where_the_kernel_wants_numbers() {
    for (name, value) in [
        ("net.core.somaxconn", "a"),
        ("net.core.somaxconn", ""),
        ("net.core.somaxconn", "1 2"),
        ("net.ipv4.tcp_rmem", "x"),
        ("net.ipv4.tcp_rmem", "4096"),
        ("net.ipv4.ip_local_port_range", "60999 32768"),
        ("net.ipv4.ip_local_port_range", "40000-50000"),
        ("net.ipv4.ip_local_port_range", "40000 70000"),
        ("net.ipv4.conf.all.rp_filter", "loose"),
    ] {
        assert_eq!(sysctl(name, value), refused(name), "{name}={value}");
    }
    for (name, value) in [
        ("net.core.somaxconn", "0x1000"),
        ("net.ipv4.tcp_rmem", "4096 131072 6291456"),
        ("net.ipv4.ip_local_port_range", "40000 60999"),
        ("net.ipv4.tcp_congestion_control", "bbr"),
        ("net.ipv4.ping_group_range", "1 0"),
    ] {
        assert_eq!(sysctl(name, value), [""; 0], "{name}={value}");
    }
}

#[test]
fn outgoing_connections_are_not_given_ports_that_are_listened_on() {
    let range = "net.ipv4.ip_local_port_range";
    for value in ["30000 32767", "6000 7000", "10000 11000", "1024 65535"] {
        let warned = format!("spec::ephemeral-port cluster.yaml:7 spec.sysctls[\"{range}\"]");
        assert_eq!(sysctl(range, value), [warned], "{value}");
    }
    let of_group = about_group(&format!("{{role: Worker, sysctls: {{{range}: 30000 60999}}}}"));
    assert_eq!(of_group, [format!("spec::ephemeral-port workers.yaml:4 spec.sysctls[\"{range}\"]")]);
    let kept = "net.ipv4.ip_local_reserved_ports: \"6443,10250,30000-32767\"";
    assert_eq!(about(&format!("  sysctls: {{{range}: 1024 65535, {kept}}}\n")), [""; 0]);
    // The API may be where Linux gives out ports without the range.
    let moved = about(&format!("  sysctls: {{{range}: 50000 60999}}\n  api: {{port: 40000}}\n"));
    assert_eq!(moved, [""; 0]);
}
