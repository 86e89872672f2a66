//! Every rendered command line and configuration of every minor, given to the real programs.
//!
//! `cargo xtask test --only build,host,binaries` builds the programs and says where they are. Which check each program
//! has stands in `checks.rs`; what a program can't check without a cluster is left to the end to end stories.

mod checks;
mod facts;
mod judge;
mod programs;
mod rendered;

use std::collections::BTreeSet;

use programs::Programs;
use rendered::{Rendered, shapes};

/// The programs of the minors to check, or nothing outside the stage that has them.
fn minors() -> Vec<Programs> {
    let Ok(minors) = std::env::var("KUBEWRIGHT_TEST_MINORS") else {
        println!("needs real programs: run `cargo xtask test --only build,host,binaries`");
        return Vec::new();
    };
    let cache = cache();
    minors.split(',').map(|minor| Programs::open(&cache, minor)).collect()
}

/// The same, and every other minor whose programs are in the cache.
fn minors_there() -> Vec<Programs> {
    let mut all = minors();
    if all.is_empty() {
        return all;
    }
    let cache = cache();
    for release in catalog::releases() {
        let is_new = all.iter().all(|programs| programs.release().minor != release.minor);
        let programs = Programs::open(&cache, &format!("1.{}", release.minor));
        if is_new && facts::COMPONENTS.into_iter().all(|program| programs.has(program)) {
            all.push(programs);
        }
    }
    all
}

/// Where the program under test keeps its assets.
fn cache() -> String {
    let home = || std::env::var("HOME").map(|home| format!("{home}/.cache"));
    let base = std::env::var("XDG_CACHE_HOME").or_else(|_| home()).expect("a home directory");
    format!("{base}/kubewright")
}

/// Calls `check` with everything that is rendered for every minor.
fn everywhere(mut check: impl FnMut(&Programs, &Rendered)) {
    for programs in minors() {
        for shape in shapes() {
            check(&programs, &Rendered::new(&shape, programs.release()));
        }
    }
}

#[test]
fn every_command_line_is_accepted_by_its_program() {
    everywhere(|programs, rendered| {
        let mut seen = 0;
        for (program, arguments) in rendered.command_lines() {
            checks::command_line(programs, program, &arguments).unwrap_or_else(|why| {
                panic!("{program} of {} for {}: {why}", programs.release().kubernetes, rendered.name)
            });
            seen += 1;
        }
        assert!(seen >= 7, "{}: only {seen} command lines were found", rendered.name);
    });
}

#[test]
fn every_configuration_is_accepted_by_its_program() {
    // Shapes share most of theirs.
    let mut seen = BTreeSet::new();
    everywhere(|programs, rendered| {
        for (program, text) in rendered.configurations() {
            if !seen.insert((programs.release().kubernetes, program, text.clone())) {
                continue;
            }
            checks::configuration(programs, program, &text).unwrap_or_else(|why| {
                panic!("{program} of {} for {}: {why}", programs.release().kubernetes, rendered.name)
            });
        }
    });
}

#[test]
fn a_flag_that_there_is_not_is_refused_by_every_program() {
    for programs in minors() {
        for program in rendered::PROGRAMS {
            let wrong = ["--there-is-no-such-flag=1".to_owned()];
            let refused = checks::command_line(&programs, program, &wrong);
            assert!(refused.is_err(), "{program} of {} takes any flag", programs.release().kubernetes);
        }
    }
}

#[test]
fn a_field_that_there_is_not_is_refused_by_every_program_with_a_configuration() {
    for programs in minors() {
        // The one with several control planes has all of them.
        let rendered = Rendered::new(&shapes()[2], programs.release());
        for (program, text) in rendered.configurations() {
            let wrong = match program {
                "containerd" => format!("thereIsNoSuchField = 1\n{text}"),
                _ => format!("thereIsNoSuchField: 1\n{text}"),
            };
            let refused = checks::configuration(&programs, program, &wrong);
            assert!(refused.is_err(), "{program} of {} takes any field", programs.release().kubernetes);
        }
    }
}
