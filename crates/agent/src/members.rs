//! What etcd's own client says of its members: whether they are complete, and whether one can be spared for a restart.

mod roll;

use serde::Deserialize;

use crate::etcd;
use crate::failure::{Failure, Outcome};
use crate::http;
use crate::pods;
use crate::programs::Ran;
use crate::system::System;
use crate::work::Wanted;

pub(crate) use roll::complete;

/// Where a member says that it serves; a linearizable read is part of it, so there is a quorum.
const READY: ([u8; 4], u16) = ([127, 0, 0, 1], 2381);
const CLIENT: [&str; 9] = [
    "--endpoints",
    "https://127.0.0.1:2379",
    "--cacert",
    "/etc/kubernetes/pki/etcd/ca.crt",
    "--cert",
    "/etc/kubernetes/pki/etcd/healthcheck-client.crt",
    "--key",
    "/etc/kubernetes/pki/etcd/healthcheck-client.key",
    "--write-out=json",
];
const HEALTH: [&str; 3] = ["endpoint", "health", "--cluster"];

/// What etcdctl says of one member.
#[derive(Debug, Deserialize)]
struct Health {
    endpoint: String,
    health: bool,
}

/// Refuses where the cluster would lose its quorum by the restart of the member that runs here. Where it has none, nothing is
/// lost by it: that may be what the change is to mend.
pub(crate) fn spare(system: &System, wanted: &Wanted) -> Outcome<()> {
    if pods::running(system, "etcd").is_empty() || http::get(READY.into(), "/readyz").is_err() {
        return Ok(());
    }
    let ran = etcdctl(system, &HEALTH).map_err(|error| Failure::new("etcd", error))?;
    let members = parse(&ran)?;
    let here = &wanted.config.machine.node_ips;
    match missed(&members, here) {
        None => Ok(()),
        Some(ill) => Err(Failure::new(
            "etcd",
            format!("it is not restarted now, because {ill} does not answer: without both there is no quorum"),
        )
        .hint(format!("mend that member first; {} stays as it is until then", etcd::MANIFEST))),
    }
}

/// Whether the member of etcd on this machine serves, for which there must be a quorum; `None` where it has none.
pub(crate) fn serves(system: &System) -> Option<bool> {
    etcd::is_member(system).then(|| http::get(READY.into(), "/readyz").is_ok())
}

fn etcdctl(system: &System, command: &[&str]) -> std::io::Result<Ran> {
    system.programs().run("etcdctl", &[&CLIENT[..], command].concat())
}

/// One ill member is enough for etcdctl to fail, so only what it says counts.
fn parse(ran: &Ran) -> Outcome<Vec<Health>> {
    let members = ran.stdout.lines().find_map(|line| serde_json::from_str(line).ok());
    members.ok_or_else(|| {
        Failure::new("etcd", "it is not restarted now, because its members' health can't be seen")
            .hint("`etcdctl endpoint health --cluster` on the machine says more")
            .output(ran.tail())
    })
}

/// Members that are ill, if the cluster lives and would not without the one that is here.
fn missed(members: &[Health], here: &[String]) -> Option<String> {
    let is_here = |member: &Health| here.iter().any(|address| is_at(&member.endpoint, address));
    let quorum = members.len() / 2 + 1;
    let well = members.iter().filter(|member| member.health && !is_here(member)).count();
    let ill: Vec<&str> = members
        .iter()
        .filter(|member| !member.health && !is_here(member))
        .map(|member| member.endpoint.as_str())
        .collect();
    (!ill.is_empty() && well < quorum).then(|| ill.join(", "))
}

/// Whether a URL such as `https://10.0.0.1:2379` or `https://[fd00::1]:2379` is at an address.
fn is_at(endpoint: &str, address: &str) -> bool {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
    host.trim_matches(['[', ']']) == address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(health: &[bool]) -> Vec<Health> {
        let member = |(index, health): (usize, &bool)| Health {
            endpoint: format!("https://10.0.0.{}:2379", index + 1),
            health: *health,
        };
        health.iter().enumerate().map(member).collect()
    }

    fn spared(health: &[bool]) -> bool {
        missed(&members(health), &["10.0.0.1".to_owned()]).is_none()
    }

    #[test]
    fn a_member_is_restarted_only_where_the_others_can_spare_it() {
        assert!(spared(&[true, true, true]));
        assert!(!spared(&[true, true, false]), "two of three, and one of them would go");
        assert!(spared(&[true, true, true, true, false]), "three others are a quorum of five");
        assert!(!spared(&[true, true, true, false, false]));
    }

    #[test]
    fn clusters_of_one_and_two_have_nothing_to_spare_and_are_changed_all_the_same() {
        assert!(spared(&[true]));
        assert!(spared(&[true, true]));
        assert!(!spared(&[true, false]));
    }

    #[test]
    fn the_member_that_is_ill_may_be_mended() {
        assert!(spared(&[false, true, true]));
    }

    #[test]
    fn addresses_are_told_apart_in_both_families() {
        assert!(is_at("https://10.0.0.1:2379", "10.0.0.1") && !is_at("https://10.0.0.11:2379", "10.0.0.1"));
        assert!(is_at("https://[fd00::1]:2379", "fd00::1"));
    }

    #[test]
    fn what_etcdctl_says_is_read_even_where_it_fails_and_silence_is_no_health() {
        let said = r#"[{"endpoint":"https://10.0.0.1:2379","health":true,"took":"2ms"},{"endpoint":"https://10.0.0.2:2379","health":false,"took":"5s","error":"context deadline exceeded"}]"#;
        let ran = Ran { ok: false, stdout: format!("{said}\n"), stderr: "Error: unhealthy cluster\n".into() };
        let health: Vec<bool> = parse(&ran).unwrap().iter().map(|member| member.health).collect();
        assert_eq!(health, [true, false]);
        assert!(parse(&Ran { stdout: String::new(), ..ran }).unwrap_err().hint.is_some());
    }
}
