//! What is measured: everything from files to the text of a plan.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engine::{ClusterStore, Handlers, Loaded};
use model::Facts;
use plan::Base;
use reconcile::{PlanInput, Policy};
use rules::UserRules;
use state_fs::FsStore;
use testkit::{FakeWorld, Life};

use crate::kinds;
use crate::steps::{self, CLUSTER};

/// Prints the plan on standard output, and on standard error how long each step took and what memory it came to.
pub(crate) async fn plan(directory: &Path) {
    let mut steps = Steps { began: Instant::now() };
    let effective = steps::effective(&read(&steps::documents(directory)));
    steps.took("documents");
    let store = ClusterStore::new(Arc::new(FsStore::new(steps::state(directory))), CLUSTER);
    let loaded = store.load().await.expect("the store").expect("the cluster");
    steps.took("recorded");
    let facts = Facts::read(&loaded.revision.facts, "").expect("the facts");
    let resolved = steps::resolve(effective, facts);
    let desired = steps::desired(&resolved);
    steps.took("desired");
    let bytes = std::fs::read(steps::observed(directory)).expect("observations");
    let observed = serde_json::from_slice(&bytes).expect("observations");
    drop(bytes);
    steps.took("observed");
    // The world is only asked for schemas.
    let handlers = Handlers::default().with(Arc::new(FakeWorld::new(kinds::all(), Life::default())));
    let (recorded, targets) = (&loaded.state.resources, &BTreeSet::new());
    let (desired, observed, handlers) = (&desired, &observed, &handlers);
    let input = PlanInput { base: base(&loaded), desired, recorded, observed, targets, handlers };
    let plan = reconcile::make_plan(input).expect("a plan");
    steps.took("plan");
    let policy = Policy::of(&resolved, &loaded).expect("documents");
    let findings = policy.plan(&plan, None, &UserRules::default()).expect("no rules of a user's");
    let text = report::rules_text(&findings) + &report::plan_text(&plan);
    std::io::stdout().write_all(text.as_bytes()).expect("standard output");
    steps.took("rules and text");
    eprintln!("changes: {}\npeak: {} kB", plan.changes.len(), peak_memory());
    // As a program ends that has printed its plan: what it holds goes with it.
    std::process::exit(0);
}

fn read(documents: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(documents).expect("documents").map(|entry| entry.expect("a document").path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort_unstable();
    let text = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a document");
    paths.iter().map(|path| (path.display().to_string(), text(path))).collect()
}

fn base(loaded: &Loaded) -> Base {
    Base {
        lineage: loaded.head.lineage.clone(),
        serial: loaded.head.serial,
        revision: loaded.head.revision.clone(),
        ..Base::of_nothing(CLUSTER)
    }
}

/// The most memory that this process has held, in kibibytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Says how long each step takes.
struct Steps {
    began: Instant,
}

impl Steps {
    fn took(&mut self, step: &str) {
        eprintln!("{step}: {} ms", self.began.elapsed().as_millis());
        self.began = Instant::now();
    }
}
