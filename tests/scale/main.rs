//! From files to the text of a plan for 1 000 machines, as a process of its own: `cargo xtask bench` measures its time
//! and memory.
//!
//! `scale setup DIR` writes documents, a recorded cluster and what is to be observed. `scale plan DIR` does what
//! `update cluster` does with them up to the plan's text, short of two things: secrets are not opened, since none is
//! compared here, and observations are read from a file. `scale schedule` has the scheduler go through a plan of that size
//! in which nothing has to be done. `scale journal DIR` has a hundred actions write to one journal.

mod journal;
#[path = "../engine/kinds.rs"]
mod kinds;
mod measured;
mod schedule;
mod setup;
mod steps;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match arguments[..] {
        ["setup", directory] => runtime.block_on(setup::write(Path::new(directory))),
        ["plan", directory] => runtime.block_on(measured::plan(Path::new(directory))),
        ["schedule"] => schedule::measure(),
        ["journal", directory] => runtime.block_on(journal::measure(Path::new(directory))),
        _ => panic!("scale setup DIR | scale plan DIR | scale schedule | scale journal DIR"),
    }
}
