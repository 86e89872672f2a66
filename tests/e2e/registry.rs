//! A real registry on this machine, from its Debian package.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use serde_json::Value;

/// A registry, until it is dropped.
pub(crate) struct Registry {
    process: Child,
    address: String,
    storage: PathBuf,
}

impl Registry {
    /// Gets the program and starts it on an empty storage; everything below `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        let (root, storage) = (directory.join("root"), directory.join("storage"));
        std::fs::create_dir_all(&storage).expect("a directory");
        // Only unpacked: nothing of it is installed on this host.
        let made = Command::new("mmdebstrap")
            .args(["--variant=extract", "--quiet", "--format=directory", "--include=docker-registry", "trixie"])
            .arg(&root)
            .status();
        assert!(made.expect("mmdebstrap starts").success(), "the registry's package is unpacked");
        let configuration = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:0\"}}\n",
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

    /// `http://` and its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Pushes the image in an archive as `repository:tag`.
    pub(crate) async fn push(&self, archive: &Path, repository: &str, tag: &str) {
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        let client = Client::try_from(config).expect("a client");
        let image = Reference::with_tag(self.address.clone(), repository.to_owned(), tag.to_owned());
        client.store_auth_if_needed(&self.address, &RegistryAuth::Anonymous).await;
        let index: Value = serde_json::from_slice(&member(archive, "index.json")).expect("an index");
        let described = &index["manifests"][0];
        let raw = blob(archive, &described["digest"]);
        let manifest: Value = serde_json::from_slice(&raw).expect("a manifest");
        let layers = manifest["layers"].as_array().expect("layers").iter();
        for part in layers.chain([&manifest["config"]]) {
            let digest = part["digest"].as_str().expect("a digest");
            client.push_blob(&image, blob(archive, &part["digest"]), digest).await.expect("a blob is pushed");
        }
        let kind = described["mediaType"].as_str().expect("a type").parse().expect("a header");
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

/// SHA-256 digests of the layers of the image in an archive.
pub(crate) fn layers(archive: &Path) -> Vec<String> {
    let index: Value = serde_json::from_slice(&member(archive, "index.json")).expect("an index");
    let manifest: Value = serde_json::from_slice(&blob(archive, &index["manifests"][0]["digest"])).expect("a manifest");
    let layers = manifest["layers"].as_array().expect("layers").iter();
    layers.map(|layer| plain(&layer["digest"]).to_owned()).collect()
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
