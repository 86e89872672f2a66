//! What the scheduler itself costs: a plan of 30 actions on each of 1 000 machines, which take no time.

use std::collections::BTreeSet;
use std::time::Instant;

use engine::Limits;
use engine::schedule::{Outcome, Schedule};
use plan::{ActionId, Change, Operation, Reason};
use resource::ResourceId;

const MACHINES: usize = 1000;
const ACTIONS: usize = 30;

/// Prints what an action costs on standard output, in nanoseconds.
pub(crate) fn measure() {
    let changes = changes();
    let began = Instant::now();
    let mut schedule = Schedule::new(&changes, &Limits::default());
    let mut done = 0_usize;
    let mut running = BTreeSet::new();
    loop {
        while let Some(id) = schedule.start_next() {
            running.insert(id);
        }
        // The smallest first: neither the order in which they began, nor the reverse.
        let Some(id) = running.pop_first() else { break };
        assert!(schedule.finish(&id, Outcome::Succeeded).is_empty(), "nothing fails");
        done += 1;
    }
    let nanoseconds = began.elapsed().as_nanos() / done.max(1) as u128;
    assert_eq!(done, changes.len(), "everything is done");
    println!("{nanoseconds}");
}

/// On each machine, every action waits for up to three before it; all machines wait for one network.
fn changes() -> Vec<Change> {
    let network = Change::new(&ResourceId::new("network", "demo"), Operation::Create, Reason::New);
    let id = |machine: usize, action: usize| ResourceId::new("step", &format!("m-{machine:04}/{action:02}"));
    let change = |machine: usize, action: usize| {
        let before = (action.saturating_sub(3)..action).map(|earlier| ActionId::new("create", &id(machine, earlier)));
        let mut change = Change::new(&id(machine, action), Operation::Create, Reason::New);
        change.depends_on = before.chain([network.id.clone()]).collect();
        change
    };
    let machines = (0..MACHINES).flat_map(|machine| (0..ACTIONS).map(move |action| (machine, action)));
    std::iter::once(network.clone()).chain(machines.map(|(machine, action)| change(machine, action))).collect()
}
