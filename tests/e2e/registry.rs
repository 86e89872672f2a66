//! A real registry on this machine, from its Debian package.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A registry, until it is dropped.
pub(crate) struct Registry {
    process: Child,
    address: String,
    storage: PathBuf,
}

impl Registry {
    /// Gets the program and starts it for this host alone; everything below `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        unpack(directory);
        Self::serve(directory, "127.0.0.1")
    }

    /// Starts the program that was unpacked in `directory`, on an empty storage, at one of this host's addresses.
    pub(crate) fn serve(directory: &Path, host: &str) -> Self {
        let (root, storage) = (directory.join("root"), directory.join("storage"));
        std::fs::create_dir_all(&storage).expect("a directory");
        let configuration = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{host}:0\"}}\n",
            storage.display()
        );
        let file = directory.join("registry.yml");
        std::fs::write(&file, configuration).expect("the configuration is written");
        let mut command = Command::new(root.join("usr/bin/docker-registry"));
        command.arg("serve").arg(file).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the registry starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("listening on ")?.1.split('"').next()?.to_owned()));
        // Whoever stops reading stops the registry.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: address.expect("the registry says where it listens"), storage }
    }

    /// Its address, with the port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `http://` and its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Pushes the image in an archive as `repository:tag`.
    pub(crate) async fn push(&self, archive: &Path, repository: &str, tag: &str) {
        let (kind, manifest) = manifest(archive);
        let parsed: Value = serde_json::from_slice(&manifest).expect("a manifest");
        let config = blob(archive, &parsed["config"]["digest"]);
        self.push_parts(archive, repository, tag, (&kind, manifest, config)).await;
    }

    /// The same as an image of its own, which says its name. What kubelet knows of an image, it knows of its content: a name that
    /// it has pulled makes every other name of the same content one that must be pulled.
    pub(crate) async fn push_as_another(&self, archive: &Path, repository: &str, tag: &str) {
        let (kind, manifest) = manifest(archive);
        let mut manifest: Value = serde_json::from_slice(&manifest).expect("a manifest");
        let mut config: Value =
            serde_json::from_slice(&blob(archive, &manifest["config"]["digest"])).expect("a configuration");
        config["config"]["Labels"] = serde_json::json!({ "name": format!("{repository}:{tag}") });
        let config = config.to_string().into_bytes();
        manifest["config"]["digest"] = Value::from(format!("sha256:{}", hex::encode(Sha256::digest(&config))));
        manifest["config"]["size"] = Value::from(config.len());
        self.push_parts(archive, repository, tag, (&kind, manifest.to_string().into_bytes(), config)).await;
    }

    /// Pushes layers of an archive with a manifest, whose type comes first, and a configuration.
    async fn push_parts(&self, archive: &Path, repository: &str, tag: &str, parts: (&str, Vec<u8>, Vec<u8>)) {
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        let client = Client::try_from(config).expect("a client");
        let image = Reference::with_tag(self.address.clone(), repository.to_owned(), tag.to_owned());
        client.store_auth_if_needed(&self.address, &RegistryAuth::Anonymous).await;
        let (kind, raw, config) = parts;
        let manifest: Value = serde_json::from_slice(&raw).expect("a manifest");
        let digest = |part: &Value| part["digest"].as_str().expect("a digest").to_owned();
        for layer in manifest["layers"].as_array().expect("layers") {
            let content = blob(archive, &layer["digest"]);
            client.push_blob(&image, content, &digest(layer)).await.expect("a layer is pushed");
        }
        client.push_blob(&image, config, &digest(&manifest["config"])).await.expect("the configuration is pushed");
        let kind = kind.parse().expect("a header");
        client.push_manifest_raw(&image, raw, kind).await.expect("the manifest is pushed");
    }

    /// The file in which it keeps a blob.
    pub(crate) fn blob(&self, sha256: &str) -> PathBuf {
        let (start, _) = sha256.split_at(2);
        self.storage.join(format!("docker/registry/v2/blobs/sha256/{start}/{sha256}/data"))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Gets the program. Only unpacked: nothing of it is installed on this host.
pub(crate) fn unpack(directory: &Path) {
    std::fs::create_dir_all(directory).expect("a directory");
    let made = Command::new("mmdebstrap")
        .args(["--variant=extract", "--quiet", "--format=directory", "--include=docker-registry", "trixie"])
        .arg(directory.join("root"))
        .status();
    assert!(made.expect("mmdebstrap starts").success(), "the registry's package is unpacked");
}

/// SHA-256 digests of the layers of the image in an archive.
pub(crate) fn layers(archive: &Path) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&manifest(archive).1).expect("a manifest");
    let layers = manifest["layers"].as_array().expect("layers").iter();
    layers.map(|layer| plain(&layer["digest"]).to_owned()).collect()
}

/// The manifest of the image in an archive, and its type.
fn manifest(archive: &Path) -> (String, Vec<u8>) {
    let index: Value = serde_json::from_slice(&member(archive, "index.json")).expect("an index");
    let described = &index["manifests"][0];
    (described["mediaType"].as_str().expect("a type").to_owned(), blob(archive, &described["digest"]))
}

fn plain(digest: &Value) -> &str {
    digest.as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("a digest")
}

fn blob(archive: &Path, digest: &Value) -> Vec<u8> {
    member(archive, &format!("blobs/sha256/{}", plain(digest)))
}

fn member(archive: &Path, path: &str) -> Vec<u8> {
    let mut archive = tar::Archive::new(std::fs::File::open(archive).expect("the archive is opened"));
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        if entry.path().expect("a path").to_str() == Some(path) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("the entry is read");
            return content;
        }
    }
    panic!("the archive lacks {path}");
}
