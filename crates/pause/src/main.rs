//! Holds a pod's namespaces: sleeps, reaps orphans that the pod's processes leave behind, and ends on SIGTERM or SIGINT.

use std::process::ExitCode;

use rustix::process::{WaitOptions, wait};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

fn main() -> ExitCode {
    // The kernel gives process 1 no default signal handlers: without these it could only be killed.
    let Ok(mut signals) = Signals::new([SIGCHLD, SIGINT, SIGTERM]) else {
        return ExitCode::FAILURE;
    };
    for signal in signals.forever() {
        if signal != SIGCHLD {
            break;
        }
        // One SIGCHLD may stand for several children.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    }
    ExitCode::SUCCESS
}
