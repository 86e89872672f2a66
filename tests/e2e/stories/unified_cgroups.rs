//! A cluster's life on a host as most users have it: systemd is the first process, and cgroups are unified.

use crate::cache::Missing;
use crate::documents;
use crate::guest::Guest;
use crate::world::World;

const CLUSTER: &str = "unified1";

pub(crate) fn story(world: &mut World) {
    let mut guest = match Guest::boot(&world.path("guest")) {
        Ok(guest) => guest,
        Err(Missing(why)) => return world.skip(format!("there is no host with unified cgroups here\n{why}")),
    };
    let share = |guest: &Guest, name: &str| guest.shared().join(name);
    let mirror = share(&guest, "mirror").display().to_string();
    world.kubewright(&["assets", "mirror", &mirror]);
    std::fs::copy(world.binary(), share(&guest, "kubewright")).expect("the program is copied");
    let spec = documents::with_workers(CLUSTER, "assets: {sources: [/orders/mirror]}", 1);
    std::fs::write(share(&guest, "cluster.yaml"), spec).expect("the documents are written");

    let unified = "test $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs && test $(cat /proc/1/comm) = systemd";
    succeeds(&mut guest, unified);
    // A network that leads nowhere: machines only talk with each other, as everything comes from the mirror.
    succeeds(
        &mut guest,
        "ip link add uplink type dummy && ip address add 192.0.2.2/24 dev uplink && ip link set uplink up && ip route add default via 192.0.2.1",
    );
    succeeds(&mut guest, "cp /orders/kubewright /usr/local/bin/");
    let before = traces(&mut guest);

    comes_up(&mut guest, &format!("create cluster {CLUSTER} -f /orders/cluster.yaml --yes"));
    lives(&mut guest);
    kubewright(&mut guest, &format!("stop cluster {CLUSTER}"));
    comes_up(&mut guest, &format!("start cluster {CLUSTER}"));
    lives(&mut guest);
    kubewright(&mut guest, &format!("delete cluster {CLUSTER} --yes"));
    assert_eq!(traces(&mut guest), before, "nothing is left");
}

/// A command does everything that there is to do, and the cluster is healthy in the end.
///
/// A host as slow as this one makes a controller manager give up before its API server is healthy, and kubelet wait before the
/// next, longer each time: a kubelet's certificate or DNS may take longer than a command waits for it, which says nothing about
/// the host. What is left is done by the command that is named then.
fn comes_up(guest: &mut Guest, arguments: &str) {
    println!("    guest$ kubewright {arguments}");
    let (_, said) = guest.run(&format!("kubewright {arguments}"));
    if !said.contains("✓ run") {
        println!("    guest: not all of it was done in time\n{said}");
        succeeds(
            guest,
            &format!("kubewright update cluster {CLUSTER} --yes || kubewright validate cluster {CLUSTER} --wait 10m"),
        );
        kubewright(guest, &format!("update cluster {CLUSTER} --detailed-exitcode"));
    }
    kubewright(guest, &format!("validate cluster {CLUSTER} --wait 10m"));
}

/// Machines run in cgroups that are theirs, and there is nothing to do.
fn lives(guest: &mut Guest) {
    let groups = succeeds(guest, "systemctl list-units --plain --no-legend 'kubewright-*.scope'");
    assert_eq!(groups.lines().count(), 2, "{groups}");
    kubewright(guest, &format!("validate cluster {CLUSTER} --wait 10m"));
    kubewright(guest, &format!("update cluster {CLUSTER} --detailed-exitcode"));
}

fn kubewright(guest: &mut Guest, arguments: &str) -> String {
    println!("    guest$ kubewright {arguments}");
    succeeds(guest, &format!("kubewright {arguments}"))
}

fn succeeds(guest: &mut Guest, script: &str) -> String {
    let (code, said) = guest.run(script);
    assert_eq!(code, Some(0), "{script}:\n{said}");
    said
}

/// What a cluster could leave on a host.
fn traces(guest: &mut Guest) -> String {
    succeeds(
        guest,
        "ip -brief link; nft list tables; ip rule; findmnt -rno TARGET | sort; \
         find /sys/fs/cgroup -path '*kubewright*' -type d; systemctl list-units --plain --no-legend '*kubewright*'",
    )
}
