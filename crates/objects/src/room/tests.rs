//! What is left of a Node, and whom it no longer holds.

use serde_json::json;

use super::*;

fn node() -> Value {
    let amounts =
        |cpu: &str, memory: &str| json!({"cpu": cpu, "memory": memory, "ephemeral-storage": "100Gi", "pods": "110"});
    json!({"status": {"capacity": amounts("2", "4Gi"), "allocatable": amounts("2", "3996Mi")}})
}

fn pod(name: &str, born: u32, cpu: &str, memory: &str) -> Value {
    json!({
        "metadata": {"namespace": "n", "name": name, "creationTimestamp": format!("2026-01-01T00:00:{born:02}Z")},
        "spec": {"containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}]},
    })
}

fn changes(room: &Room) -> Vec<(&str, &str, &str)> {
    room.changes.iter().map(|change| (change.resource.as_str(), change.from.as_str(), change.to.as_str())).collect()
}

#[test]
fn what_is_reserved_is_taken_from_what_there_is() {
    let after = json!({"kubeReserved": {"cpu": "100m", "memory": "200Mi"}, "systemReserved": {"cpu": "0.1", "memory": "100Mi"}});
    let found = room(&node(), &[], &json!({}), &after);
    assert_eq!(changes(&found), [("cpu", "2000m", "1800m"), ("memory", "3996Mi", "3696Mi")]);
    let back = room(&node(), &[], &after, &json!({}));
    assert_eq!(changes(&back), [("cpu", "2000m", "2200m"), ("memory", "3996Mi", "4296Mi")]);
    assert!(room(&node(), &[], &after, &after).changes.is_empty());
}

#[test]
fn thresholds_count_as_amounts_and_as_parts_and_so_does_the_number_of_pods() {
    let memory = |threshold: &str| json!({"evictionHard": {"memory.available": threshold, "nodefs.available": "10%"}});
    let found = room(&node(), &[], &json!({}), &memory("25%"));
    assert_eq!(changes(&found), [("memory", "3996Mi", "3072Mi")]);
    let found = room(&node(), &[], &memory("100Mi"), &memory("600Mi"));
    assert_eq!(changes(&found), [("memory", "3996Mi", "3496Mi")]);
    // Naming one threshold drops the default of the others: a tenth of the disk.
    let found = room(&node(), &[], &json!({}), &json!({"evictionHard": {"memory.available": "100Mi"}}));
    assert_eq!(changes(&found), [("ephemeral-storage", "102400Mi", "112640Mi")]);
    let pods = [pod("old", 1, "0", "0"), pod("new", 2, "0", "0")];
    let found = room(&node(), &pods, &json!({}), &json!({"maxPods": 1}));
    assert_eq!(changes(&found), [("pods", "110", "1")]);
    assert_eq!(found.turned_away, ["n/new"]);
}

#[test]
fn the_youngest_pods_are_turned_away_and_critical_ones_are_not() {
    let reserve = |cpu: &str| json!({"kubeReserved": {"cpu": cpu}});
    let mut critical = pod("critical", 9, "500m", "1Gi");
    critical["spec"]["priority"] = json!(2_000_001_000);
    let mut done = pod("done", 0, "2", "1Gi");
    done["status"]["phase"] = json!("Succeeded");
    let pods = [pod("young", 3, "600m", "1Gi"), pod("old", 1, "600m", "1Gi"), pod("idle", 4, "0", "0"), critical, done];
    assert!(room(&node(), &pods, &json!({}), &reserve("300m")).turned_away.is_empty());
    assert_eq!(room(&node(), &pods, &json!({}), &reserve("400m")).turned_away, ["n/young"]);
    assert_eq!(room(&node(), &pods, &json!({}), &reserve("1")).turned_away, ["n/old", "n/young"]);
}

#[test]
fn what_is_too_little_already_is_nobodys_fault_when_it_does_not_shrink() {
    let pods = [pod("a", 1, "3", "1Gi"), pod("b", 2, "3", "1Gi")];
    let found = room(&node(), &pods, &json!({}), &json!({"kubeReserved": {"memory": "100Mi"}}));
    assert!(found.turned_away.is_empty(), "{found:?}");
}

#[test]
fn a_pod_asks_for_what_runs_at_once() {
    let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = container("100m");
    sidecar["restartPolicy"] = json!("Always");
    let asked = |spec: Value| request(&json!({"spec": spec}), "cpu") / 1_000_000;
    assert_eq!(asked(json!({"containers": [container("200m"), container("0.3")]})), 500);
    assert_eq!(asked(json!({"containers": [container("200m")], "initContainers": [container("1"), sidecar]})), 1000);
    assert_eq!(asked(json!({"containers": [container("1")], "initContainers": [container("1"), sidecar]})), 1100);
    assert_eq!(asked(json!({"containers": [container("1")], "initContainers": [sidecar, container("1")]})), 1100);
    assert_eq!(asked(json!({"containers": [container("1")], "overhead": {"cpu": "50m"}})), 1050);
    let whole = json!({"requests": {"cpu": "2"}});
    assert_eq!(asked(json!({"containers": [container("1")], "resources": whole})), 2000);
    assert_eq!(asked(json!({"containers": [{}]})), 0);
}
