//! Real clusters on real machines, judged by kubectl as a user would. Started by `cargo xtask test`.

mod checks;
mod data;
mod disk;
mod documents;
mod leaks;
mod machines;
mod offline;
mod preview;
mod probe;
mod processes;
mod published;
mod racing;
mod random;
mod registry;
mod running;
mod snapshot;
mod stories;
mod tools;
mod traffic;
mod world;

use std::process::ExitCode;
use std::time::Instant;

/// One story: a name and what happens.
type Story = (&'static str, fn(&mut world::World));

fn main() -> ExitCode {
    if std::env::var("KUBEWRIGHT_BIN").is_err() {
        println!("end to end tests need a program under test: run `cargo xtask test --only build,host,e2e`");
        println!("0 passed, 0 failed");
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let (mut passed, mut failed) = (0, Vec::new());
    let named = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    for (name, story) in stories::ALL.iter().filter(|(name, _)| named(name)) {
        println!("--- {name}");
        let began = Instant::now();
        let result = std::panic::catch_unwind(|| {
            let mut world = world::World::new(name);
            story(&mut world);
            world.finish();
        });
        let seconds = began.elapsed().as_secs();
        match result {
            Ok(()) => {
                println!("--- {name}: passed in {seconds} s");
                passed += 1;
            }
            Err(_) => {
                println!("--- {name}: FAILED after {seconds} s");
                failed.push(*name);
            }
        }
    }
    for name in &failed {
        println!("failed: {name}");
    }
    println!("{passed} passed, {} failed", failed.len());
    if passed + failed.len() == 0 {
        println!("no story is called {}", wanted.join(", "));
        return ExitCode::FAILURE;
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
