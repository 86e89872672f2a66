//! Results as data: one document on standard output and nothing else; documents that can be read back.

use serde_json::Value;

use crate::user::{User, ends};

#[test]
fn a_dry_run_prints_the_documents_as_data() {
    let user = User::new();
    let documents = user.json(&["create", "cluster", "demo", "--dry-run"]);
    let kinds: Vec<&Value> = documents.as_array().unwrap().iter().map(|document| &document["kind"]).collect();
    assert_eq!(kinds, ["Cluster", "InstanceGroup", "InstanceGroup"]);
    let yaml = user.done(&["create", "cluster", "demo", "--dry-run", "-o", "yaml"]);
    assert_eq!(yaml, user.done(&["create", "cluster", "demo", "--dry-run"]));
    let read = user.write("demo.yaml", &yaml);
    assert_eq!(user.json(&["create", "cluster", "demo", "--dry-run", "-f", &read]), documents);
    assert!(!user.path(".local").exists(), "a dry run keeps nothing");
}

#[test]
fn everything_that_prints_prints_one_document_as_data() {
    let user = User::with_clusters(&["demo"]);
    let revisions = user.json(&["get", "revisions", "demo"]);
    let first = revisions[0]["revision"].as_str().unwrap().to_owned();
    let set = user.json(&["set", "cluster", "demo", "spec.addons.localPath.enabled=false"]);
    assert_eq!((&set["cluster"], &set["new"]), (&"demo".into(), &true.into()));
    for command in [
        "get clusters",
        "get cluster demo",
        "get cluster demo --full",
        "get machines demo",
        "get runs demo",
        "update cluster demo",
        "update cluster demo --timeline",
        "update cluster demo --drift-only",
        "update cluster demo --refresh=false",
        "graph cluster demo",
        "delete cluster demo",
        "state list demo",
        "state verify demo",
        "state unlock demo",
        "secrets key",
        "secrets recipients list demo",
        "assets list",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        assert!(!user.json(&words).is_null(), "{command}");
    }
    let diff = user.json(&["diff", "cluster", "demo", &first]);
    assert!(diff["files"].as_object().is_some_and(|files| !files.is_empty()), "{diff}");
    let plan = user.json(&["rollback", "cluster", "demo", "--to", &first]);
    assert_eq!(plan["base"]["cluster"], "demo");
    let created = user.json(&["create", "cluster", "second", "--node-count", "0"]);
    assert_eq!(created["base"]["cluster"], "second");
}

#[test]
fn a_failed_command_prints_nothing_on_standard_output_as_data() {
    let user = User::new();
    let output = user.run(&["get", "cluster", "demo", "-o", "json"]);
    assert_eq!(ends(&output, 1, &["there is no cluster demo"]), "");
}

#[test]
fn documents_of_several_files_are_printed_so_that_they_can_be_put_back() {
    let user = User::new();
    let documents = user.done(&["create", "cluster", "demo", "--dry-run"]);
    let parts: Vec<&str> = documents.split("---\n").filter(|part| !part.trim().is_empty()).collect();
    assert_eq!(parts.len(), 3);
    std::fs::create_dir(user.path("parts")).unwrap();
    for (number, part) in parts.iter().enumerate() {
        // No last line feed, as some editors leave it.
        std::fs::write(user.path(&format!("parts/{number}.yaml")), part.trim_end()).unwrap();
    }
    user.done(&["create", "cluster", "demo", "-f", "parts"]);
    let stream = user.done(&["get", "cluster", "demo"]);
    assert_eq!(stream.matches("---\n").count(), 2, "{stream}");
    let file = user.write("back.yaml", &stream);
    assert_eq!(user.json(&["replace", "-f", &file])["new"], true);
    assert_eq!(user.done(&["get", "cluster", "demo"]), stream);
    let again = user.write("again.yaml", &user.done(&["get", "cluster", "demo", "-o", "yaml"]));
    user.done(&["replace", "-f", &again]);
    assert_eq!(user.done(&["get", "cluster", "demo"]), stream);
}
