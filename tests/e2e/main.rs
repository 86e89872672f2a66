//! Real clusters on real machines, judged by kubectl as a user would. Started by `cargo xtask test`.

mod aside;
mod cache;
mod checks;
mod data;
mod disk;
mod documents;
mod drains;
mod earlier;
mod guest;
mod leaks;
mod leftovers;
mod machines;
mod preview;
mod probe;
mod processes;
mod proofs;
mod published;
mod racing;
mod random;
mod registry;
mod running;
mod snapshot;
mod somebodys;
mod stories;
mod teller;
mod tools;
mod traffic;
mod world;

use std::process::ExitCode;

use tests::outcome::{Outcome, SKIPPED, summary};
use tests::stories::{Selection, pick};

/// A story, and what happens in it.
type Story = tests::stories::Story<fn(&mut world::World)>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        list();
        return ExitCode::SUCCESS;
    }
    if std::env::var("KUBEWRIGHT_BIN").is_err() {
        println!("end to end tests need a program under test: run `cargo xtask test --only build,host,e2e`");
        println!("0 passed, 0 failed");
        return ExitCode::SUCCESS;
    }
    if let [tell, name] = arguments.as_slice()
        && tell == "--tell"
    {
        return tell_here(name);
    }
    let names: Vec<String> = arguments.into_iter().filter(|argument| !argument.starts_with('-')).collect();
    let selection = match (names.is_empty(), number("KUBEWRIGHT_TURN")) {
        (false, _) => Selection::Named(names),
        (true, Some(turn)) => Selection::Turn(turn),
        (true, None) => Selection::All,
    };
    let told = teller::tell(&pick(stories::ALL, &selection));
    teller::table(&told);
    let failed: Vec<&str> =
        told.iter().filter(|told| told.outcome == Outcome::Failed).map(|told| told.name.as_str()).collect();
    for name in &failed {
        println!("failed: {name}");
    }
    println!("{}", summary(told.iter().map(|told| (told.name.as_str(), &told.outcome))));
    if told.is_empty() {
        println!("no story is told for {selection:?}; there are:");
        list();
    }
    if failed.is_empty() && !told.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells one story in this process; it ends badly when the story does, and as skipped when it could not be told.
fn tell_here(name: &str) -> ExitCode {
    let story = stories::ALL.iter().find(|story| story.name == name).expect("a story of this name");
    let mut world = world::World::new(name);
    (story.tell)(&mut world);
    let Some(why) = world.finish() else { return ExitCode::SUCCESS };
    if let Some(file) = std::env::var_os(teller::WHY) {
        std::fs::write(file, why).expect("it is written down why");
    }
    ExitCode::from(SKIPPED)
}

fn list() {
    for story in stories::ALL {
        println!("{:<20} {:<9} {}", story.name, story.tier.name(), if story.alone { "alone" } else { "" });
    }
}

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")))
}
