//! Golden files: what every document of every minor looks like (`INSTA_UPDATE=always` writes them).

use std::collections::BTreeMap;

use catalog::Edition;
use resource::Digest;

use crate::inputs::{LATEST, RELEASES, documents, documents_in};

/// What the release before wrote where this one's newest edition writes something else: SHA-256 of its golden files, without the
/// line feed at the end.
const BEFORE: [(&str, &str); 11] = [
    ("bootstrap.yaml", "9b2abefd2336e976fdc7eeee1f4d24b1cb072bfc9fd87bd671cefbbbe78f54fe"),
    ("coredns.yaml", "281290dd32dd6d5e2646ac39f07be426e78a8ba9b2417ae0a329a266bf7f0b8c"),
    ("etcd.yaml", "f92b32ea6b7142784f42b6fc2368b2e2dbe1a680af868bc62b08f923f4b784dc"),
    ("flannel.yaml", "b110e7ef78159b2461f5058dcaa9be5248dd87493a00574b015498159a8fcd47"),
    ("kube-apiserver.yaml", "ecefd76085d485a46f3889868306e13d7015c226b5a26bca233f842fe8cd3c28"),
    ("kube-controller-manager.yaml", "f44a0a938bb3911763ca79dd015e9b87e662b8e3a9b4b4d15177b2bcef4f21a4"),
    ("kube-proxy.yaml", "8d8d788eae14f64ef8358ae9050058eb7c5400b1f5928ea3d94b44a4933ac202"),
    ("kube-scheduler.yaml", "a09a71ac8c03dd4065d8d2a2405528f5a7e61c4afec70a4facf827e5c290965f"),
    ("kubelet-config.yaml", "74cd7ce486c1776bd1b02af323e9e093b6b25b035ea9744c72d04b9f980c4094"),
    ("local-path.yaml", "77890a7e75a385bcaa041e6fa328090c9b38b9e64f7557f827d5f7cc76cbd1f6"),
    ("metrics-server.yaml", "fa8a330bd164e87322bcdd0f77d51ae9f480b5e46e4f6e00e923bed731c3ce09"),
];

#[test]
fn documents_of_every_minor_are_as_reviewed() {
    for release in RELEASES {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(format!("../golden/1.{}", release.minor));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (name, text) in documents(release).unwrap() {
            settings.bind(|| insta::assert_snapshot!(name, text));
        }
    }
}

#[test]
fn what_was_made_by_the_release_before_is_written_as_it_wrote_it() {
    let before = BTreeMap::from(BEFORE);
    let newest: BTreeMap<_, _> = documents(LATEST).unwrap().into_iter().collect();
    for (name, text) in documents_in(Edition::V1, LATEST).unwrap() {
        match before.get(name) {
            Some(digest) => assert_eq!(Digest::of_bytes(text.trim().as_bytes()).as_str(), *digest, "{name}:\n{text}"),
            None => assert_eq!(text, newest[name], "{name}"),
        }
    }
}
