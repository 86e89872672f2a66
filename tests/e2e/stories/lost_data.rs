//! etcd's disk can't be used when the machine boots, or its data is gone: the machine does not come up as a new, empty cluster
//! until somebody says that it may.

use crate::disk::Frozen;
use crate::world::{World, both};
use crate::{checks, machines};

const CLUSTER: &str = "lost1";
const MACHINE: &str = "control-plane-1";

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "0", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    let cluster = identity(world);
    a_disk_that_cannot_be_used(world);
    assert_eq!(identity(world), cluster, "it is the same cluster");
    checks::nothing_to_do(world, CLUSTER);
    world.kubewright(&["stop", "cluster", CLUSTER]);
    let data = machines::home(world, CLUSTER, MACHINE).join("etcd/member");
    std::fs::rename(&data, world.path("member")).expect("the data is taken away");

    // What the guard refuses is said when it is seen, not when DNS has been waited for.
    let refused = world.try_kubewright(&["start", "cluster", CLUSTER]);
    let said = both(&refused);
    assert!(!refused.status.success() && said.contains("/var/lib/etcd/member is gone"), "{said}");
    assert!(said.contains("--forget-etcd-data") && !said.contains("logs ds/kube-flannel-ds"), "{said}");
    world.kubewright(&["stop", "cluster", CLUSTER]);

    // What is on a machine is looked at when it runs.
    let refused = world.try_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    let said = both(&refused);
    assert!(!refused.status.success() && said.contains("--forget-etcd-data"), "{said}");
    assert!(machines::running(world, CLUSTER).contains_key(MACHINE), "the machine itself runs");
    assert!(!data.exists(), "no member was born");
    let unknown = world.try_kubewright(&["update", "cluster", CLUSTER, "--forget-etcd-data", "nobody", "--yes"]);
    assert!(both(&unknown).contains("there are: control-plane-1"), "{}", both(&unknown));

    world.kubewright(&["stop", "cluster", CLUSTER]);
    let _ = std::fs::remove_dir_all(&data);
    std::fs::rename(world.path("member"), &data).expect("the data is put back");
    // Starting changes power only; the manifest that was held back is put back by an update.
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    assert_eq!(identity(world), cluster, "it is the same cluster");
    checks::nothing_to_do(world, CLUSTER);
    lose_the_bridge();
}

/// The disk is read-only when the machine boots, and can't be read at all later: kubelet waits until it is mended.
fn a_disk_that_cannot_be_used(world: &mut World) {
    world.kubectl(&["create", "configmap", "kept", "--from-literal=word=written-before"]);
    world.kubewright(&["stop", "cluster", CLUSTER]);
    let disk = machines::home(world, CLUSTER, MACHINE).join("etcd");
    let frozen = Frozen::at(&disk);
    let refused = world.try_kubewright(&["start", "cluster", CLUSTER]);
    // The machine has a mount of its own by now, which is as read-only.
    drop(frozen);
    let said = both(&refused);
    assert!(!refused.status.success() && said.contains("Read-only file system"), "{said}");
    assert!(said.contains("the disk of /var/lib/etcd") && !said.contains("logs ds/kube-flannel-ds"), "{said}");
    kubelet_waits(world, "can't be written");
    let refused = world.try_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert!(!refused.status.success() && both(&refused).contains("Read-only file system"), "{}", both(&refused));

    world.on_machine(
        CLUSTER,
        MACHINE,
        "mount -t tmpfs tmpfs /var/lib/etcd/member && ln -s wal /var/lib/etcd/member/wal",
    );
    kubelet_waits(world, "can't be seen");
    world.on_machine(CLUSTER, MACHINE, "umount /var/lib/etcd/member && mount -o remount,bind,rw /var/lib/etcd");
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    let word = world.kubectl(&["get", "configmap", "kept", "-o", "jsonpath={.data.word}"]);
    assert_eq!(word, "written-before", "it goes on with the data that was there");
}

/// kubelet is tried again and again, the guard refuses it each time and says why, and nothing that it would start runs.
fn kubelet_waits(world: &World, why: &str) {
    let script = format!(
        "since=$(date +@%s); for try in $(seq 60); do \
         journalctl -q -u kubelet --since $since --output cat | grep -qF \"{why}\" && break; sleep 0.5; done; \
         journalctl -q -u kubelet --since $since --output cat; \
         echo main process: $(systemctl show kubelet -p MainPID --value); \
         echo containers: $(ctr -n k8s.io tasks list -q)"
    );
    let said = world.quietly_on_machine(CLUSTER, MACHINE, &script);
    assert!(said.contains(why), "{said}");
    assert!(said.ends_with("main process: 0\ncontainers:\n"), "{said}");
}

fn identity(world: &World) -> String {
    world.eventually(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"], |uid| !uid.is_empty())
}

/// A bridge that somebody took away: the delete that ends the story takes what else there was of its network with it.
fn lose_the_bridge() {
    let bridge = format!("kw-{CLUSTER}");
    let gone = std::process::Command::new("ip").args(["link", "delete", "dev", &bridge]).status().expect("ip runs");
    assert!(gone.success(), "{bridge} is gone");
}
