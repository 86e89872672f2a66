//! What is refused, and that nothing was changed then.

use machine::{Content, MachineConfig, Reply, Request};

use super::world::{World, apply, config, observe, text};

/// Asks, and expects a refusal that leaves the machine as it is but for the agent's lock; its item, reason and hint.
fn refused(world: &World, request: &Request) -> (String, String, Option<String>) {
    drop(crate::ledger::Lock::take(&world.system));
    let before = world.tree();
    let replies = world.ask(request);
    world.assert_tree(&before, "after the refusal");
    match replies.last() {
        Some(Reply::Failed { item, why, hint, .. }) => (item.clone(), why.clone(), hint.clone()),
        other => panic!("{other:?}"),
    }
}

fn with_file(path: &str, content: Content) -> MachineConfig {
    let mut config = config();
    let mut file = text("");
    file.content = content;
    config.group.files.insert(path.into(), file);
    config
}

#[test]
fn an_older_operator() {
    let world = World::new();
    world.ask(&apply(&config(), 5, "a"));
    let (item, _, hint) = refused(&world, &apply(&config(), 4, "a"));
    assert_eq!(item, "lease");
    assert!(hint.is_some());
    assert_eq!(refused(&world, &Request::Reset { epoch: 4 }).0, "lease");
    assert_eq!(refused(&world, &Request::Run { steps: vec![], epoch: 4 }).0, "lease");
}

#[test]
fn another_cluster() {
    let world = World::new();
    world.ask(&apply(&config(), 1, "a"));
    assert_eq!(refused(&world, &apply(&config(), 9, "b")).0, "lineage");
}

#[test]
fn an_unknown_hole() {
    let world = World::new();
    let (_, why, _) = refused(&world, &apply(&with_file("/etc/x", Content::Text("{{nodeNam}}".into())), 1, "a"));
    assert_eq!(why, "file//etc/x: unknown hole {{nodeNam}}");
    assert_eq!(refused(&world, &observe(&with_file("/etc/x", Content::Text("{{nodeNam}}".into())), false)).0, "config");
}

#[test]
fn a_provided_file_that_is_not_there() {
    let world = World::new();
    let mut config = with_file("/usr/bin/kubelet", Content::Provided { asset: "kubelet@0123".into() });
    config.group.packages.clear();
    let (item, why, _) = refused(&world, &apply(&config, 1, "a"));
    assert_eq!((item.as_str(), why.as_str()), ("file//usr/bin/kubelet", "kubelet@0123 is not there"));
}

#[test]
fn an_upload_with_another_content() {
    let world = World::new();
    world.write("/tmp/upload", "broken");
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into();
    let content = Content::Uploaded { asset: "kubelet@0123".into(), path: "/tmp/upload".into(), sha256 };
    let mut config = with_file("/usr/bin/kubelet", content);
    config.group.packages.clear();
    assert_eq!(refused(&world, &apply(&config, 1, "a")).0, "file//usr/bin/kubelet");
}

#[test]
fn a_directory_where_a_file_belongs() {
    let world = World::new();
    world.write("/etc/x/kept", "kept");
    let mut config = with_file("/etc/x", Content::Text(String::new()));
    config.group.packages.clear();
    assert_eq!(refused(&world, &apply(&config, 1, "a")).0, "file//etc/x");
}

#[test]
fn nonsense_is_refused_without_being_quoted() {
    let world = World::new();
    let mut output = Vec::new();
    let good =
        crate::serve::serve(&world.system, &mut r#"{"request":"apply","config":"hunter2"}"#.as_bytes(), &mut output);
    let output = String::from_utf8(output).unwrap();
    assert!(!good && output.contains(r#""reply":"failed""#), "{output}");
    assert!(!output.contains("hunter2"));
}
