//! Images: what is in the archive, and that it is always the same.

use std::collections::BTreeMap;
use std::io::Read as _;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;

fn recipe() -> ImageRecipe {
    ImageRecipe {
        name: "registry.k8s.io/pause:3.10.2".into(),
        architecture: "amd64".into(),
        base: None,
        files: Vec::new(),
        entrypoint: vec!["/pause".into()],
        command: Vec::new(),
        user: None,
        revision: 1,
    }
}

fn image(recipe: &ImageRecipe, base: Option<&str>) -> Vec<u8> {
    let directory = TempDir::new().unwrap();
    let program = directory.path().join("program");
    fs::write(&program, "program").unwrap();
    let base = base.map(|content| {
        let path = directory.path().join("base.tar");
        fs::write(&path, content).unwrap();
        path
    });
    let sources = Sources { base, files: vec![("/usr/local/bin/pause".into(), program)] };
    let out = directory.path().join("out");
    write_image(recipe, &sources, directory.path(), &out).unwrap();
    fs::read(&out).unwrap()
}

fn entries(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(read).collect()
}

fn json_of(entries: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&entries[path]).unwrap()
}

#[test]
fn the_same_image_is_the_same_bytes() {
    assert_eq!(image(&recipe(), None), image(&recipe(), None));
}

#[test]
fn every_descriptor_names_a_blob_with_that_digest_and_size() {
    let entries = entries(&image(&recipe(), Some("base")));
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let content = &entries[&format!("blobs/sha256/{digest}")];
        assert_eq!(hex::encode(Sha256::digest(content)), digest);
        assert_eq!(descriptor["size"], content.len());
        content.clone()
    };
    let manifest: Value = serde_json::from_slice(&blob(&json_of(&entries, "index.json")["manifests"][0])).unwrap();
    blob(&manifest["config"]);
    assert_eq!(manifest["layers"].as_array().unwrap().iter().map(&blob).next().unwrap(), b"base");
}

#[test]
fn containerd_and_docker_find_the_images_name() {
    let entries = entries(&image(&recipe(), None));
    let annotations = &json_of(&entries, "index.json")["manifests"][0]["annotations"];
    assert_eq!(annotations["io.containerd.image.name"], "registry.k8s.io/pause:3.10.2");
    assert_eq!(json_of(&entries, "manifest.json")[0]["RepoTags"][0], "registry.k8s.io/pause:3.10.2");
}

#[test]
fn the_config_has_a_path_an_entry_point_and_an_architecture() {
    let entries = entries(&image(&recipe(), None));
    let path = json_of(&entries, "manifest.json")[0]["Config"].as_str().unwrap().to_owned();
    let config = json_of(&entries, &path);
    assert_eq!(config["architecture"], "amd64");
    assert_eq!(config["config"]["Entrypoint"], json!(["/pause"]));
    assert!(config["config"]["Env"][0].as_str().unwrap().starts_with("PATH=/usr/local/sbin:"));
    assert_eq!(config["config"].get("User"), None);
}

#[test]
fn programs_stand_in_their_directories_and_can_be_run() {
    let entries = entries(&image(&recipe(), None));
    let layer = json_of(&entries, "manifest.json")[0]["Layers"][0].as_str().unwrap().to_owned();
    let mut archive = tar::Archive::new(entries[&layer].as_slice());
    let modes: BTreeMap<String, u32> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap())
        })
        .collect();
    assert_eq!(modes["usr/local/bin/pause"], 0o755);
    assert_eq!(modes["tmp/"], 0o1777);
    assert!(modes.contains_key("usr/local/bin/") && modes.contains_key("etc/passwd"));
}
