//! Results as data: one document on standard output and nothing else; documents that can be read back.

use serde_json::Value;

use crate::user::{User, ends};

#[test]
fn a_dry_run_prints_the_documents_as_data() {
    let user = User::new();
    let documents = user.json(&["create", "cluster", "terminal1", "--dry-run"]);
    let kinds: Vec<&Value> = documents.as_array().unwrap().iter().map(|document| &document["kind"]).collect();
    assert_eq!(kinds, ["Cluster", "InstanceGroup", "InstanceGroup"]);
    let yaml = user.done(&["create", "cluster", "terminal1", "--dry-run", "-o", "yaml"]);
    assert_eq!(yaml, user.done(&["create", "cluster", "terminal1", "--dry-run"]));
    let read = user.write("terminal1.yaml", &yaml);
    assert_eq!(user.json(&["create", "cluster", "terminal1", "--dry-run", "-f", &read]), documents);
    assert!(!user.path(".local").exists(), "a dry run keeps nothing");
}

#[test]
fn everything_that_prints_prints_one_document_as_data() {
    let user = User::with_clusters(&["terminal1"]);
    let revisions = user.json(&["get", "revisions", "terminal1"]);
    let first = revisions[0]["revision"].as_str().unwrap().to_owned();
    let set = user.json(&["set", "cluster", "terminal1", "spec.addons.localPath.enabled=false"]);
    assert_eq!((&set["cluster"], &set["new"]), (&"terminal1".into(), &true.into()));
    for command in [
        "get clusters",
        "get cluster terminal1",
        "get cluster terminal1 --full",
        "get machines terminal1",
        "get runs terminal1",
        "update cluster terminal1",
        "update cluster terminal1 --timeline",
        "update cluster terminal1 --drift-only",
        "update cluster terminal1 --refresh=false",
        "graph cluster terminal1",
        "delete cluster terminal1",
        "state list terminal1",
        "state verify terminal1",
        "state unlock terminal1",
        "secrets key",
        "secrets recipients list terminal1",
        "assets list",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        assert!(!user.json(&words).is_null(), "{command}");
    }
    let diff = user.json(&["diff", "cluster", "terminal1", &first]);
    assert!(diff["files"].as_object().is_some_and(|files| !files.is_empty()), "{diff}");
    let plan = user.json(&["rollback", "cluster", "terminal1", "--to", &first]);
    assert_eq!(plan["base"]["cluster"], "terminal1");
    let created = user.json(&["create", "cluster", "second", "--node-count", "0"]);
    assert_eq!(created["base"]["cluster"], "second");
}

#[test]
fn lists_print_kind_and_name_of_each_object_where_names_are_wanted() {
    let user = User::with_clusters(&["terminal1", "second"]);
    for (command, names) in [
        ("get clusters", &["cluster/second", "cluster/terminal1"][..]),
        ("get cluster terminal1", &["cluster/terminal1", "instancegroup/control-plane"]),
        ("get instancegroups terminal1", &["instancegroup/control-plane"]),
        ("get machines terminal1", &["machine/control-plane-1"]),
        ("get runs terminal1", &[]),
        ("state list terminal1", &[]),
    ] {
        let words: Vec<&str> = command.split(' ').chain(["-o", "name"]).collect();
        assert_eq!(user.done(&words).lines().collect::<Vec<_>>(), names, "{command}");
    }
    let begins = |command: &str, kind: &str| {
        let words: Vec<&str> = command.split(' ').chain(["-o", "name"]).collect();
        let printed = user.done(&words);
        assert!(!printed.is_empty() && printed.lines().all(|line| line.starts_with(kind)), "{command}: {printed}");
    };
    begins("get revisions terminal1", "revision/");
    begins("assets list", "asset/");
    begins("secrets recipients list terminal1", "recipient/age1");
}

#[test]
fn what_lists_no_objects_is_refused_before_it_does_anything_where_names_are_wanted() {
    let user = User::with_clusters(&["terminal1"]);
    for command in ["create cluster third", "delete cluster terminal1 --yes", "get cluster terminal1 --full", "version"]
    {
        let words: Vec<&str> = command.split(' ').chain(["-o", "name"]).collect();
        let output = user.run(&words);
        assert_eq!(ends(&output, 2, &["-o name is for commands that list objects", "get clusters"]), "", "{command}");
    }
    assert_eq!(user.done(&["get", "clusters", "-o", "name"]), "cluster/terminal1\n");
}

#[test]
fn a_failed_command_prints_nothing_on_standard_output_as_data() {
    let user = User::new();
    let output = user.run(&["get", "cluster", "terminal1", "-o", "json"]);
    assert_eq!(ends(&output, 1, &["there is no cluster terminal1"]), "");
}

#[test]
fn documents_of_several_files_are_printed_so_that_they_can_be_put_back() {
    let user = User::new();
    let documents = user.done(&["create", "cluster", "terminal1", "--dry-run"]);
    let parts: Vec<&str> = documents.split("---\n").filter(|part| !part.trim().is_empty()).collect();
    assert_eq!(parts.len(), 3);
    std::fs::create_dir(user.path("parts")).unwrap();
    for (number, part) in parts.iter().enumerate() {
        // No last line feed, as some editors leave it.
        std::fs::write(user.path(&format!("parts/{number}.yaml")), part.trim_end()).unwrap();
    }
    user.done(&["create", "cluster", "terminal1", "-f", "parts"]);
    let stream = user.done(&["get", "cluster", "terminal1"]);
    assert_eq!(stream.matches("---\n").count(), 2, "{stream}");
    let file = user.write("back.yaml", &stream);
    assert_eq!(user.json(&["replace", "-f", &file])["new"], true);
    assert_eq!(user.done(&["get", "cluster", "terminal1"]), stream);
    let again = user.write("again.yaml", &user.done(&["get", "cluster", "terminal1", "-o", "yaml"]));
    user.done(&["replace", "-f", &again]);
    assert_eq!(user.done(&["get", "cluster", "terminal1"]), stream);
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    let user = User::with_clusters(&["terminal1"]);
    for command in ["get cluster terminal1", "get clusters -o json", "completion bash", "--help", "version"] {
        let words: Vec<&str> = command.split(' ').collect();
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = user.command(&words).stdout(full).output().unwrap();
        ends(&output, 1, &["cannot write to standard output"]);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        ends(&user.command(&words).stdout(writer).output().unwrap(), 0, &[]);
    }
}

#[test]
fn what_is_not_there_is_not_called_sound() {
    let user = User::with_clusters(&["terminal1"]);
    assert_eq!(ends(&user.run(&["state", "verify", "terminal2"]), 1, &["did you mean terminal1?"]), "");
}

#[test]
fn a_resource_by_the_name_that_lists_print_is_told_its_whole_name() {
    let user = User::with_clusters(&["terminal1"]);
    let output = user.run(&["update", "cluster", "terminal1", "--target", "machine/control-plane-1"]);
    ends(&output, 2, &["did you mean machine/terminal1/control-plane-1?"]);
}

#[test]
fn a_home_that_cannot_be_written_to_keeps_nobody_from_looking() {
    let user = User::with_clusters(&["terminal1"]);
    user.done(&["get", "clusters"]);
    user.done(&["create", "cluster", "terminal2", "--dry-run"]);
    assert!(!user.path(".cache/kubewright/assets").exists() && !user.path(".cache/kubewright").exists());
}

#[test]
fn a_machine_that_carries_the_clusters_mark_is_deleted_although_its_record_does_not_know_it() {
    let user = User::with_clusters(&["terminal1"]);
    let state = user.path(".local/state/kubewright");
    let head = std::fs::read_to_string(state.join("clusters/terminal1/head.json")).unwrap();
    let head: Value = serde_json::from_str(&head).unwrap();
    let mark = |name: &str, lineage: &Value| {
        let machine = state.join("machines/terminal1").join(name);
        std::fs::create_dir_all(&machine).unwrap();
        let record = serde_json::json!({"image": "i", "prepared": true, "inputs": {"lineage": lineage}});
        std::fs::write(machine.join("machine.json"), record.to_string()).unwrap();
    };
    mark("worker-1", &head["lineage"]);
    let output = user.run(&["delete", "cluster", "terminal1"]);
    ends(&output, 0, &["- machine/terminal1/worker-1", "its record does not know it", "1 to delete"]);
    mark("worker-1", &"another".into());
    ends(&user.run(&["delete", "cluster", "terminal1"]), 11, &["another state"]);
}

#[test]
fn a_delete_whose_end_was_interrupted_is_ended_by_the_next_one() {
    let user = User::with_clusters(&["terminal1"]);
    let file = user.path(".local/state/kubewright/clusters/terminal1/head.json");
    let mut head: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    head["removing"] = true.into();
    std::fs::write(&file, head.to_string()).unwrap();
    ends(&user.run(&["get", "clusters"]), 0, &["Deleting: kubewright delete cluster terminal1 --yes"]);
    for command in ["update cluster terminal1", "create cluster terminal1", "get cluster terminal1"] {
        let words: Vec<&str> = command.split(' ').collect();
        ends(&user.run(&words), 1, &["was interrupted", "kubewright delete cluster terminal1 --yes"]);
    }
    ends(&user.run(&["delete", "cluster", "terminal1"]), 0, &["gone but for its record"]);
    ends(&user.run(&["delete", "cluster", "terminal1", "--yes"]), 0, &["Cluster terminal1 is gone."]);
    assert_eq!(user.json(&["get", "clusters"]), serde_json::json!([]));
}
