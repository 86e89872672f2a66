//! Whether etcd has the members that it should: one of each control plane, each started, none a learner, all of them well.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{HEALTH, Health, etcdctl};
use crate::programs::Ran;
use crate::system::System;

/// `etcdctl member list`.
#[derive(Debug, Default, Deserialize)]
struct Roll {
    #[serde(default)]
    members: Vec<Member>,
}

/// One member, as it is registered. One that was never started has no name yet.
#[derive(Debug, Default, Deserialize)]
struct Member {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "peerURLs")]
    peers: Vec<String>,
    #[serde(default, rename = "clientURLs")]
    clients: Vec<String>,
    #[serde(default, rename = "isLearner")]
    is_learner: bool,
}

/// Asks the member on this machine for all of them; everything that is wrong comes back.
pub(crate) fn complete(system: &System, names: &[String]) -> Result<(), String> {
    let listed: Roll = answer(etcdctl(system, &["member", "list"]))?;
    let health: Vec<Health> = answer(etcdctl(system, &HEALTH))?;
    let problems = problems(names, &listed.members, &health);
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// What etcdctl printed. It fails where one member is ill, and prints what it found all the same.
fn answer<T: for<'a> Deserialize<'a>>(ran: std::io::Result<Ran>) -> Result<T, String> {
    let ran = ran.map_err(|error| error.to_string())?;
    let read = ran.stdout.lines().find_map(|line| serde_json::from_str(line).ok());
    read.ok_or_else(|| format!("its members cannot be asked for: {}", ran.tail().pop().unwrap_or_default()))
}

fn problems(names: &[String], members: &[Member], health: &[Health]) -> Vec<String> {
    let started: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let lacks = names.iter().filter(|name| !started.contains(name.as_str()));
    let mut problems: Vec<String> = lacks.map(|name| format!("{name} has no member that ever started")).collect();
    for member in members {
        let Member { name, peers, clients, is_learner } = member;
        let is_ill = || health.iter().any(|asked| !asked.health && clients.contains(&asked.endpoint));
        if name.is_empty() {
            problems.push(format!("the member at {} was never started", peers.join(", ")));
        } else if !names.contains(name) {
            problems.push(format!("member {name} is no control plane's"));
        } else if *is_learner {
            problems.push(format!("{name} is a learner still, without a vote"));
        } else if is_ill() {
            problems.push(format!("{name} does not answer"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Vec<Member> {
        let roll: Roll = serde_json::from_str(text).unwrap();
        roll.members
    }

    fn health(well: &[bool]) -> Vec<Health> {
        let one = |(index, health): (usize, &bool)| Health {
            endpoint: format!("https://10.0.0.{}:2379", index + 1),
            health: *health,
        };
        well.iter().enumerate().map(one).collect()
    }

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("cp-{number}")).collect()
    }

    const TWO: &str = r#"{"header":{"cluster_id":1},"members":[
        {"ID":1,"name":"cp-1","peerURLs":["https://10.0.0.1:2380"],"clientURLs":["https://10.0.0.1:2379"]},
        {"ID":2,"name":"cp-2","peerURLs":["https://10.0.0.2:2380"],"clientURLs":["https://10.0.0.2:2379"]}]}"#;

    #[test]
    fn as_many_well_members_as_control_planes_are_complete() {
        assert!(problems(&names(2), &members(TWO), &health(&[true, true])).is_empty());
    }

    #[test]
    fn members_too_many_and_too_few_are_named() {
        assert_eq!(
            problems(&names(3), &members(TWO), &health(&[true, true])),
            ["cp-3 has no member that ever started"]
        );
        assert_eq!(problems(&names(1), &members(TWO), &health(&[true, true])), ["member cp-2 is no control plane's"]);
    }

    #[test]
    fn ill_members_learners_and_those_that_never_started_are_named() {
        assert_eq!(problems(&names(2), &members(TWO), &health(&[true, false])), ["cp-2 does not answer"]);
        let learner = TWO.replace(r#""ID":2,"#, r#""ID":2,"isLearner":true,"#);
        let said = problems(&names(2), &members(&learner), &health(&[true, false]));
        assert_eq!(said, ["cp-2 is a learner still, without a vote"]);
        let unstarted = TWO.replace(r#""name":"cp-2","#, "").replace(r#","clientURLs":["https://10.0.0.2:2379"]"#, "");
        assert_eq!(
            problems(&names(2), &members(&unstarted), &health(&[true])),
            ["cp-2 has no member that ever started", "the member at https://10.0.0.2:2380 was never started"]
        );
    }

    #[test]
    fn what_etcdctl_prints_counts_even_where_it_fails() {
        let ran =
            |stdout: &str, stderr: &str| Ok(Ran { ok: false, stdout: stdout.to_owned(), stderr: stderr.to_owned() });
        let printed = r#"[{"endpoint":"https://10.0.0.1:2379","health":false,"error":"timeout"}]"#;
        let health: Vec<Health> = answer(ran(printed, "Error: unhealthy cluster")).unwrap();
        assert!(!health[0].health);
        let why = answer::<Roll>(ran("", "Error: context deadline exceeded")).unwrap_err();
        assert_eq!(why, "its members cannot be asked for: Error: context deadline exceeded");
    }
}
