//! Several kubewrights at once on one cluster: one works, the others are told who does, and no two runs ever overlap.

use jiff::Timestamp;
use serde_json::Value;

use crate::checks;
use crate::running::Running;
use crate::world::World;

/// How many at once.
const MANY: usize = 8;

/// Carries a pending change out with many programs at once.
pub(crate) fn one_of_many_wins(world: &mut World, cluster: &str, machine: &str) {
    let runs_before = checks::runs(world, cluster).len();
    let started: Vec<Running> =
        (0..MANY).map(|_| world.start_kubewright(&["update", "cluster", cluster, "--yes"])).collect();
    let processes: Vec<u32> = started.iter().map(Running::process).collect();
    let ended: Vec<_> = started.into_iter().map(Running::finish).collect();
    let won = ended.iter().position(|(status, _)| status.success()).expect("one of them wins");
    let holder = format!("process {}", processes[won]);
    for (number, (status, said)) in ended.iter().enumerate().filter(|(number, _)| *number != won) {
        assert_eq!(status.code(), Some(13), "program {number}:\n{said}");
        assert!(said.contains(&holder), "program {number} does not name {holder}:\n{said}");
    }
    let runs = checks::runs(world, cluster);
    assert_eq!(runs.len(), runs_before + 1, "one run");
    apart(&runs);
    let ledger = world.on_machine(cluster, machine, "cat /var/lib/kubewright/ledger.json");
    let ledger: Value = serde_json::from_str(&ledger).expect("a ledger is JSON");
    let last = runs.last().expect("a run");
    assert!(ledger["epoch"].as_u64() <= last["epoch"].as_u64(), "the machine obeyed nobody later: {}", ledger["epoch"]);
}

fn time(text: Option<&str>) -> Timestamp {
    text.and_then(|text| text.parse().ok()).expect("a time")
}

/// Each run began after the one before had ended, under a later lease.
fn apart(runs: &[Value]) {
    for pair in runs.windows(2) {
        let [earlier, later] = pair else { continue };
        assert!(earlier["epoch"].as_u64() < later["epoch"].as_u64(), "{} {}", earlier["epoch"], later["epoch"]);
        // A run that was killed has no end.
        let ended = earlier["ended"].as_str().or(earlier["began"].as_str());
        assert!(time(ended) <= time(later["began"].as_str()), "{ended:?} {}", later["began"]);
    }
}
