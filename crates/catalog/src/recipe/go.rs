//! The recipe of a program built from a Go module.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A Go module that requires what is to be built, with its pinned dependencies.
#[derive(Debug, PartialEq, Eq)]
pub struct GoModule {
    /// Its name, such as `kubernetes-1.36`.
    pub name: &'static str,
    /// The text of its go.mod.
    pub go_mod: &'static str,
    /// The text of its go.sum.
    pub go_sum: &'static str,
}

impl GoModule {
    /// Lowest version of Go that builds it: the `go` line of its go.mod. Zero when it has none.
    pub fn go(&self) -> Version {
        let line = self.go_mod.lines().find_map(|line| line.strip_prefix("go "));
        line.and_then(|version| Version::parse(version.trim()).ok()).unwrap_or(Version::new(0, 0, 0))
    }

    /// The version of a module that it requires, without the leading `v`.
    pub fn version_of(&self, module: &str) -> Option<&'static str> {
        self.go_mod.lines().find_map(|line| {
            let line = line.trim_start_matches("require").trim();
            let rest = line.strip_prefix(module)?.strip_prefix(" v")?;
            rest.split_whitespace().next()
        })
    }
}

impl Serialize for GoModule {
    /// By digest: the texts are long, and a recipe's JSON is read by people too.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digest = |text: &str| hex::encode(Sha256::digest(text));
        (self.name, digest(self.go_mod), digest(self.go_sum)).serialize(serializer)
    }
}

/// A program built from a Go module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoRecipe {
    /// The module it is built in.
    pub module: &'static GoModule,
    /// The package to build.
    pub package: String,
    /// Go's name of the architecture it runs on.
    pub architecture: String,
    /// Flags of `go build`.
    pub flags: Vec<String>,
    /// Flags of the linker, without the variables.
    pub linker_flags: Vec<String>,
    /// Variables of the program that the linker sets, with their values.
    pub variables: BTreeMap<String, String>,
    /// Needs cgo, and so a C compiler.
    pub cgo: bool,
    /// A module that is copied and changed before it is built.
    pub patch: Option<GoPatch>,
}

impl GoRecipe {
    /// What `go build` calls the program: the last part of the package's path that is not a major version.
    pub fn output(&self) -> &str {
        let is_version = |part: &&str| part.strip_prefix('v').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        self.package.rsplit('/').find(|part| !is_version(part)).unwrap_or(&self.package)
    }
}

/// A change to a copy of a module: packages that are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoPatch {
    /// The module, such as `github.com/flannel-io/flannel`.
    pub module: String,
    /// Its version, with the leading `v`.
    pub version: String,
    /// Its checksum as go.sum has it (`h1:…`): a replaced module is not checked by go.sum itself.
    pub sum: String,
    /// Directories that are removed, with every line that imports them.
    pub drop_packages: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules;

    fn output(package: &str) -> String {
        let recipe = GoRecipe {
            module: &modules::ETCD,
            package: package.into(),
            architecture: "amd64".into(),
            flags: Vec::new(),
            linker_flags: Vec::new(),
            variables: BTreeMap::new(),
            cgo: false,
            patch: None,
        };
        recipe.output().to_owned()
    }

    #[test]
    fn a_program_is_called_after_the_last_part_of_its_path_that_is_not_a_version() {
        assert_eq!(output("go.etcd.io/etcd/server/v3"), "server");
        assert_eq!(output("k8s.io/kubernetes/cmd/kubelet"), "kubelet");
        assert_eq!(output("github.com/containerd/containerd/v2/cmd/ctr"), "ctr");
    }

    #[test]
    fn every_module_says_which_go_it_needs() {
        for module in modules::ALL {
            assert!(module.go() >= Version::new(1, 25, 0), "{}", module.name);
        }
    }
}
