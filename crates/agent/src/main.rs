//! `kubewright-agent`: makes the machine it runs on what a machine config says. Reads one request, answers in JSON lines.

mod apply;
mod dns;
mod etcd;
mod facts;
mod failure;
mod gates;
mod guard;
mod http;
mod itself;
mod keep;
mod ledger;
mod members;
mod observe;
mod os;
mod pods;
mod programs;
mod renewed;
mod replies;
mod reset;
mod run;
mod serve;
mod steps;
mod system;
mod systemctl;
#[cfg(test)]
mod tests;
mod waiting;
mod work;
mod write;

use std::io::Write;
use std::process::ExitCode;

use crate::guard::Moment;
use crate::system::System;

fn main() -> ExitCode {
    // Whatever the login's mask is: directories of the system must be readable.
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o022));
    let system = System::real();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let good = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve::serve(&system, &mut std::io::stdin().lock(), &mut std::io::stdout().lock()),
        ["guard"] => keep_watch(&system, Moment::Change),
        ["guard", "kubelet"] => keep_watch(&system, Moment::BeforeKubelet),
        ["--version"] => writeln!(std::io::stdout(), "kubewright-agent {}", env!("CARGO_PKG_VERSION")).is_ok(),
        _ => {
            let usage = "usage: kubewright-agent [guard [kubelet] | --version]; a request on standard input";
            let _ = writeln!(std::io::stderr(), "{usage}");
            return ExitCode::from(2);
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn keep_watch(system: &System, moment: Moment) -> bool {
    let mut log = std::io::stderr();
    match guard::guard(system, moment, &mut log) {
        Ok(()) => true,
        Err(failure) => {
            let _ = writeln!(log, "{}: {}", failure.item, failure.why);
            false
        }
    }
}
