//! A plan in a file is carried out as it stands or not at all; parts of plans, previews without a look, drift alone; what was
//! done, the way back, and what is recorded.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::checks;
use crate::world::{World, both};

const CLUSTER: &str = "plan1";
const COREDNS: &str = "object/v1/ConfigMap/kube-system/coredns";
const NO_DELETES: &str = "apiVersion: kubewright.io/v1alpha1
kind: PlanRules
rules:
- name: no-deletes
  forEach: change
  deny: change.operation == 'delete'
  message: ask Ann first
";
const LABELS: [&str; 4] = ["get", "node", "worker-1", "--show-labels"];

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "1", "--yes"]);
    wanted(world, "web");
    let web = revision(world);
    let file = world.path("plan.json").display().to_string();
    world.kubewright(&["update", "cluster", CLUSTER, "--out", &file]);
    shown_as_saved(world, &file);
    bad_input(world, &file);

    // Something else is needed by now: the plan is not the truth any more.
    world.kubectl(&["delete", "configmap", "-n", "kube-system", "coredns"]);
    let carry_out = ["update", "cluster", CLUSTER, "--plan", &file, "--yes"];
    ends(world, &carry_out, 12, &["is stale", &format!("create {COREDNS}: needed now"), "--out"]);
    let drift = ends(world, &["update", "cluster", CLUSTER, "--drift-only"], 3, &[COREDNS, "is gone"]);
    assert!(!drift.contains("worker-1"), "{drift}");

    // What was recorded says nothing of that.
    let preview = ends(world, &["update", "cluster", CLUSTER, "--refresh=false"], 0, &["Nothing was looked at"]);
    assert!(preview.contains("node/worker-1") && !preview.contains(COREDNS), "{preview}");

    let target = ["update", "cluster", CLUSTER, "--target", COREDNS];
    ends(world, &target, 0, &["node/worker-1", "is no target of this plan"]);
    world.kubewright(&[&target[..], &["--yes"]].concat());
    world.kubectl(&["get", "configmap", "-n", "kube-system", "coredns"]);
    assert!(!world.kubectl(&LABELS).contains("tier=web"), "only the target was changed");
    ends(world, &["update", "cluster", CLUSTER, "--drift-only"], 0, &["Nothing was changed from outside"]);
    ends(world, &carry_out, 12, &["the serial of the state"]);

    world.kubewright(&["update", "cluster", CLUSTER, "--out", &file]);
    world.kubewright(&[&carry_out[..], &["--parallelism", "1"]].concat());
    assert!(world.kubectl(&LABELS).contains("tier=web"), "the plan was carried out");
    checks::nothing_to_do(world, CLUSTER);
    ends(world, &carry_out, 12, &["is stale", "not needed any more"]);

    wanted(world, "back");
    world.kubewright(&["update", "cluster", CLUSTER, "--out", &file]);
    wanted(world, "front");
    ends(world, &carry_out, 12, &["the revision of the documents"]);
    assert!(world.kubectl(&LABELS).contains("tier=web"), "nothing was changed");

    the_way_back(world, &web);
    what_was_done(world);
    out_of_the_record(world);
    into_the_record(world);
    another_id(world);
}

/// A record is of the thing that its id names; only what is kept in the record itself may have another id.
fn another_id(world: &mut World) {
    let refused = |world: &mut World, from: &str, to: &str, why: &[&str]| {
        ends(world, &["state", "mv", CLUSTER, from, to, "--yes"], 2, why);
    };
    let (old, new) = ("ssh-key/worker-1", "ssh-key/pool-1");
    refused(world, "node/worker-1", "node/pool-1", &["name of something that is there"]);
    refused(world, old, old, &["still ask for ssh-key/worker-1"]);
    let documents = world.kubewright(&["get", "cluster", CLUSTER]);
    let renamed = documents.replace("name: worker", "name: pool");
    assert_ne!(renamed, documents, "the group has another name");
    let (documents, renamed) = (world.write("worker.yaml", &documents), world.write("pool.yaml", &renamed));
    world.kubewright(&["replace", "-f", &renamed]);
    refused(world, old, "certificate/pool-1", &["another kind"]);
    refused(world, old, "ssh-key/control-plane-1", &["recorded already"]);
    refused(world, old, "ssh-key/pool-2", &["do not ask for ssh-key/pool-2", "did you mean ssh-key/pool-1?"]);

    let public = public_key(world, old);
    ends(
        world,
        &["state", "mv", CLUSTER, old, new],
        0,
        &["<= ssh-key/pool-1", ". ssh-key/worker-1", "Nothing was changed"],
    );
    world.kubewright(&["state", "mv", CLUSTER, old, new, "--yes"]);
    assert_eq!(public_key(world, new), public);
    assert!(!world.kubewright(&["state", "list", CLUSTER]).contains(old));
    world.kubewright(&["replace", "-f", &documents]);
    world.kubewright(&["state", "mv", CLUSTER, new, old, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
}

fn public_key(world: &mut World, id: &str) -> Value {
    let text = world.kubewright(&["state", "show", CLUSTER, id, "-o", "json"]);
    let recorded: Value = serde_json::from_str(&text).expect("a record is JSON");
    recorded["outputs"]["public"].clone()
}

/// What carries our marker and is neither wanted nor recorded is told of, taken in, and then deleted as what nobody wants.
fn into_the_record(world: &mut World) {
    let stray = "object/v1/ConfigMap/kube-system/stray";
    let manifest = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: stray, namespace: kube-system,\n\
         annotations: {{kubewright.io/owner: {stray}}}}}, data: {{a: b}}}}\n"
    );
    world.apply(&manifest);
    ends(world, &["update", "cluster", CLUSTER], 0, &["No changes.", stray, "carries our marker", "state adopt"]);
    let other = "object/v1/ConfigMap/kube-system/straw";
    ends(world, &["state", "adopt", CLUSTER, other], 2, &[&format!("did you mean {stray}?")]);
    ends(world, &["state", "adopt", CLUSTER, stray], 0, &["Nothing was changed"]);
    world.kubewright(&["state", "adopt", CLUSTER, stray, "--yes"]);
    world.kubectl(&["get", "configmap", "-n", "kube-system", "stray"]);
    ends(world, &["update", "cluster", CLUSTER], 0, &[&format!("- {stray}")]);
    let rules = world.write("rules.yaml", NO_DELETES);
    ends(world, &["update", "cluster", CLUSTER, "--rules", &rules, "--yes"], 11, &["no-deletes", "ask Ann first"]);
    world.kubectl(&["get", "configmap", "-n", "kube-system", "stray"]);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert!(!world.try_kubectl(&["get", "configmap", "-n", "kube-system", "stray"]).status.success());
    checks::nothing_to_do(world, CLUSTER);
}

/// What was forgotten is found again; what cannot be lost is not forgotten.
fn out_of_the_record(world: &mut World) {
    let node = "node/worker-1";
    ends(world, &["state", "show", CLUSTER, node], 0, &["inputs:", "tier: web"]);
    ends(world, &["state", "show", CLUSTER, "node/worker-2"], 2, &["did you mean node/worker-1?"]);
    ends(world, &["state", "forget", CLUSTER, "authority/kubernetes", "--yes"], 11, &["authority/kubernetes"]);
    ends(world, &["state", "forget", CLUSTER, node], 0, &["you asked for it", "Nothing was changed"]);
    world.kubewright(&["state", "forget", CLUSTER, node, "--yes"]);
    assert!(!world.kubewright(&["state", "list", CLUSTER]).contains(node));
    world.kubectl(&["get", "node", "worker-1"]);
    ends(world, &["update", "cluster", CLUSTER], 0, &["<= node/worker-1", "found, but not recorded"]);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert!(world.kubewright(&["state", "list", CLUSTER]).contains(node));
    checks::nothing_to_do(world, CLUSTER);
}

/// The revision that is wanted now.
fn revision(world: &mut World) -> String {
    let text = world.kubewright(&["get", "revisions", CLUSTER, "-o", "json"]);
    let revisions: Vec<Value> = serde_json::from_str(&text).expect("revisions are JSON");
    let wanted = revisions.iter().find(|revision| revision["wanted"] == true).expect("one is wanted");
    wanted["revision"].as_str().expect("a digest").to_owned()
}

fn the_way_back(world: &mut World, web: &str) {
    let differs = world.kubewright(&["diff", "cluster", CLUSTER, &web[..12]]);
    let has = |sign: char, tier: &str| differs.lines().any(|line| line.starts_with(sign) && line.contains(tier));
    assert!(has('-', "web") && has('+', "front"), "{differs}");
    ends(world, &["rollback", "cluster", CLUSTER, "--to", "nothing"], 1, &["no revision nothing", "get revisions"]);
    ends(world, &["rollback", "cluster", CLUSTER, "--to", &web[..12]], 0, &["No changes."]);
    let differs = world.kubewright(&["diff", "cluster", CLUSTER, web]);
    assert_eq!(differs, "The documents are the same.\n");
}

/// Three runs changed something: the creation, the target, the saved plan.
fn what_was_done(world: &mut World) {
    let runs = checks::runs(world, CLUSTER);
    let told: Vec<(&str, usize)> = runs
        .iter()
        .map(|run| (run["outcome"].as_str().unwrap_or_default(), run["actions"].as_array().map_or(0, Vec::len)))
        .collect();
    assert!(told.len() == 3 && told[0].1 > 40 && told[1..] == [("complete", 1), ("complete", 1)], "{told:?}");
    let last = &runs[2];
    assert_eq!(last["actions"][0]["action"], "update node/worker-1");
    assert!(last["actions"][0]["millis"].is_u64(), "{last}");
    assert!(last["command"].as_str().is_some_and(|command| command.contains("--plan")), "{last}");
    let text = world.kubewright(&["get", "runs", CLUSTER]);
    assert!(text.lines().count() == 4 && text.contains("complete"), "{text}");
}

/// Asks for another label on the worker.
fn wanted(world: &mut World, tier: &str) {
    let labels = format!("spec.labels={{tier: {tier}}}");
    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", &labels]);
}

/// The file is the owner's alone, says what is to be done, and nothing was done.
fn shown_as_saved(world: &mut World, file: &str) {
    let mode = std::fs::metadata(file).expect("the plan is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = world.kubewright(&["get", "plan", file]);
    assert!(text.contains("~ node/worker-1") && text.contains("labels.tier"), "{text}");
    let shown: Value = serde_json::from_str(&world.kubewright(&["get", "plan", file, "-o", "json"])).expect("JSON");
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("text")).expect("JSON");
    assert_eq!(shown, saved);
    assert!(!world.kubectl(&LABELS).contains("tier=web"), "a preview changes nothing");
}

fn bad_input(world: &mut World, file: &str) {
    let text = std::fs::read_to_string(file).expect("the plan is there");
    let half = world.write("half.json", &text[..text.len() / 2]);
    ends(world, &["update", "cluster", CLUSTER, "--plan", &half, "--yes"], 1, &["half.json", "is not a plan"]);
    let edited = world.write("edited.json", &text.replace("\"web\"", "\"other\""));
    ends(world, &["update", "cluster", CLUSTER, "--plan", &edited, "--yes"], 12, &["would change something else now"]);
    ends(world, &["update", "cluster", "other1", "--plan", file, "--yes"], 2, &["a plan for cluster plan1"]);
    ends(world, &["update", "cluster", CLUSTER, "--target", "node/worker-2"], 2, &["did you mean node/worker-1?"]);
    ends(world, &["update", "cluster", CLUSTER, "--target", "worker"], 2, &["kind/name"]);
    ends(world, &["update", "cluster", CLUSTER, "--refresh=false", "--yes"], 2, &["--refresh"]);
    let nowhere = world.path("nowhere/plan.json").display().to_string();
    ends(world, &["update", "cluster", CLUSTER, "--out", &nowhere], 1, &["cannot write the plan", "nowhere"]);
}

/// Types a command that ends with `code` and says `parts`; gives everything that it said.
fn ends(world: &mut World, arguments: &[&str], code: i32, parts: &[&str]) -> String {
    let output = world.try_kubewright(arguments);
    let text = both(&output);
    assert_eq!(output.status.code(), Some(code), "kubewright {arguments:?}:\n{text}");
    for part in parts {
        assert!(text.contains(part), "kubewright {arguments:?} does not say {part}:\n{text}");
    }
    text
}
