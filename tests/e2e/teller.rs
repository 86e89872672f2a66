//! Tells stories, each in a process of its own: two at a time, since they mostly wait, and then those that must be alone.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tests::outcome::Outcome;
use tests::turns;

use crate::snapshot::Snapshot;
use crate::{Story, leftovers, number};

/// Set where other stories are told meanwhile: what is new on the host may be theirs. A directory with a file for each
/// cluster's name that says which story has it.
pub(crate) const BESIDE: &str = "KUBEWRIGHT_BESIDE";
/// Names the file that takes why a story could not be told: what it says is shown while it does, and cannot be read as well.
pub(crate) const WHY: &str = "KUBEWRIGHT_WHY_SKIPPED";
/// How many stories are told at a time; `KUBEWRIGHT_WORKERS` asks for another number.
const WORKERS: u64 = 2;

/// How a story went.
pub(crate) struct Told {
    /// Its name.
    pub(crate) name: String,
    /// How long it took.
    pub(crate) seconds: u64,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// Tells the stories.
pub(crate) fn tell(stories: &[&Story]) -> Vec<Told> {
    let program = std::env::var("KUBEWRIGHT_BIN").expect("the program under test");
    leftovers::check_itself();
    leftovers::sweep(Path::new(&program));
    let workers = usize::try_from(number("KUBEWRIGHT_WORKERS").unwrap_or(WORKERS)).expect("a small number");
    let (alone, beside): (Vec<&Story>, Vec<&Story>) =
        stories.iter().copied().partition(|story| story.alone || workers < 2);
    let mut told = Vec::new();
    let temporary = tempfile::Builder::new().prefix("stories-").tempdir().expect("a directory");
    if !beside.is_empty() {
        let claims = tempfile::tempdir().expect("a directory");
        let before = Snapshot::take(temporary.path());
        told.extend(turns::side_by_side(&beside, workers, |story| {
            beside_others(story, temporary.path(), claims.path())
        }));
        // While stories are told together each answers only for what carries its names. Here nobody else is left.
        let left = before.left(|_| true);
        if !left.is_empty() {
            println!("--- the stories that were told together leave behind: {left:#?}");
            told.push(Told { name: "nothing is left behind".to_owned(), seconds: 0, outcome: Outcome::Failed });
        }
    }
    told.extend(alone.into_iter().map(|story| by_itself(story, temporary.path())));
    told
}

/// What took how long, the slowest first.
pub(crate) fn table(told: &[Told]) {
    let mut slowest: Vec<&Told> = told.iter().collect();
    slowest.sort_by_key(|told| std::cmp::Reverse(told.seconds));
    println!("\nStories, the slowest first:");
    for told in slowest {
        println!("  {:<24} {:>5} s{}", told.name, told.seconds, told.outcome.remark());
    }
}

/// Tells a story while others are told, and shows what it said in one piece.
fn beside_others(story: &Story, temporary: &Path, claims: &Path) -> Told {
    println!("--- {}: begins", story.name);
    // A file without a name and not a pipe: what a failed story leaves running would keep a pipe open.
    let mut said = tempfile::tempfile().expect("a file");
    let copy = || said.try_clone().expect("the file once more");
    let mut command = command(story, temporary);
    command.env(BESIDE, claims).stdout(copy()).stderr(copy());
    let told = run(story, &mut command);
    let text = everything(&mut said);
    let mut out = std::io::stdout().lock();
    let shown = out.write_all(format!("--- {}\n{text}{}\n", story.name, verdict(&told)).as_bytes());
    shown.expect("standard output is there");
    told
}

fn everything(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("what a story said");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tells a story and shows what it says while it does.
fn by_itself(story: &Story, temporary: &Path) -> Told {
    println!("--- {}", story.name);
    let told = run(story, &mut command(story, temporary));
    println!("{}", verdict(&told));
    told
}

/// A story's own process. Its temporary files, and those of all programs that it starts, are in `temporary`.
fn command(story: &Story, temporary: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--tell", story.name]).env("TMPDIR", temporary);
    command
}

fn run(story: &Story, command: &mut Command) -> Told {
    let began = Instant::now();
    let why = tempfile::NamedTempFile::new().expect("a file");
    let status = command.env(WHY, why.path()).status().expect("this program starts once more");
    let outcome = Outcome::of(status.code(), &std::fs::read_to_string(why.path()).expect("what it wrote down"));
    Told { name: story.name.to_owned(), seconds: began.elapsed().as_secs(), outcome }
}

fn verdict(told: &Told) -> String {
    let (name, seconds) = (&told.name, told.seconds);
    match &told.outcome {
        Outcome::Passed => format!("--- {name}: passed in {seconds} s"),
        Outcome::Failed => format!("--- {name}: FAILED after {seconds} s"),
        Outcome::Skipped(why) => format!("--- {name}: SKIPPED: {why}"),
    }
}
