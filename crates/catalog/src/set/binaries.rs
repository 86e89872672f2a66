//! Programs: Kubernetes, containerd, etcd, the CNI plugins, our own.

use std::collections::BTreeMap;

use super::{AssetSet, Cni, Selection, upstream};
use crate::asset::AssetSpec;
use crate::recipe::go::GoPatch;
use crate::recipe::{CargoRecipe, GoModule, GoRecipe, Recipe, TreeEntry, TreeRecipe};
use crate::{Release, modules, names};

/// Adds the programs that machines and operators use. Those that only go into images are added with their image.
pub(super) fn add(set: &mut AssetSet, release: &Release, selection: &Selection) {
    let architecture = &selection.architecture;
    for name in [names::KUBELET, names::KUBEADM, names::KUBECTL] {
        set.want(kubernetes(release, architecture, name));
    }
    for name in [names::CONTAINERD, names::CONTAINERD_SHIM, names::CTR] {
        set.want(containerd(release, architecture, name));
    }
    set.want(crictl(release, architecture));
    for name in [names::ETCDCTL, names::ETCDUTL] {
        set.want(etcd(release, architecture, name));
    }
    add_cni_plugins(set, release, selection);
    set.want(own(names::AGENT, "agent", architecture, &selection.sources.agent));
}

/// A Kubernetes program by its directory below `cmd`.
pub(super) fn kubernetes(release: &Release, architecture: &str, name: &str) -> AssetSpec {
    let package = format!("k8s.io/kubernetes/cmd/{name}");
    go(name, kubernetes_module(release), &package, architecture, kubernetes_variables(release))
        .published(upstream::kubernetes(release, architecture, name))
}

/// agnhost comes from Kubernetes' own test images.
pub(super) fn agnhost(release: &Release, architecture: &str) -> AssetSpec {
    let package = "k8s.io/kubernetes/test/images/agnhost";
    go("agnhost", kubernetes_module(release), package, architecture, kubernetes_variables(release))
}

/// etcd or one of its tools.
pub(super) fn etcd(release: &Release, architecture: &str, name: &str) -> AssetSpec {
    let directory = if name == "etcd" { "server" } else { name };
    go(name, &modules::ETCD, &format!("go.etcd.io/etcd/{directory}/v3"), architecture, BTreeMap::new())
        .published(upstream::etcd(release, architecture, name))
}

/// CoreDNS. Its version is a constant in its source.
pub(super) fn coredns(architecture: &str) -> AssetSpec {
    go("coredns", &modules::COREDNS, "github.com/coredns/coredns", architecture, BTreeMap::new())
}

/// metrics-server.
pub(super) fn metrics_server(release: &Release, architecture: &str) -> AssetSpec {
    let variables =
        variables("k8s.io/client-go/pkg/version", &[("gitVersion", &format!("v{}", release.metrics_server))]);
    let package = "sigs.k8s.io/metrics-server/cmd/metrics-server";
    go("metrics-server", &modules::METRICS_SERVER, package, architecture, variables)
}

/// local-path-provisioner.
pub(super) fn local_path_provisioner(release: &Release, architecture: &str) -> AssetSpec {
    let variables = variables("main", &[("VERSION", &format!("v{}", release.local_path_provisioner))]);
    let package = "github.com/rancher/local-path-provisioner";
    go("local-path-provisioner", &modules::LOCAL_PATH_PROVISIONER, package, architecture, variables)
}

/// flannel's daemon.
///
/// One of its cloud backends needs a module that cannot be had everywhere, so a copy without it is built. Its `udp`
/// backend needs cgo.
pub(super) fn flanneld(release: &Release, architecture: &str) -> AssetSpec {
    let version = format!("v{}", release.flannel);
    let static_link = ["-linkmode", "external", "-extldflags", "-static"].map(str::to_owned);
    let plain = plain_recipe(&modules::FLANNEL, "github.com/flannel-io/flannel", architecture);
    let recipe = GoRecipe {
        linker_flags: plain.linker_flags.iter().cloned().chain(static_link).collect(),
        variables: variables("github.com/flannel-io/flannel/pkg/version", &[("Version", &version)]),
        cgo: true,
        patch: Some(GoPatch {
            module: "github.com/flannel-io/flannel".into(),
            version,
            sum: FLANNEL_SUM.into(),
            drop_packages: vec!["pkg/backend/tencentvpc".into()],
        }),
        ..plain
    };
    AssetSpec::new("flanneld", Recipe::Go(recipe))
}

/// What the Go checksum database says about flannel v0.28.4.
const FLANNEL_SUM: &str = "h1:6O4wGCrCTl0Gf5BBpxfOJgOstkxZhEx3ZXzcKRopH8Q=";

/// A program of this workspace, linked statically.
pub(super) fn own(name: &str, package: &str, architecture: &str, sources: &str) -> AssetSpec {
    let machine = if architecture == "arm64" { "aarch64" } else { "x86_64" };
    let recipe = CargoRecipe {
        package: package.to_owned(),
        binary: name.to_owned(),
        profile: "agent".into(),
        target: format!("{machine}-unknown-linux-gnu"),
        rustflags: "-C target-feature=+crt-static".into(),
        sources: sources.to_owned(),
    };
    AssetSpec::new(name, Recipe::Cargo(recipe))
}

fn containerd(release: &Release, architecture: &str, name: &str) -> AssetSpec {
    let version = format!("v{}", release.containerd);
    let settings = [("Version", version.as_str()), ("Package", "github.com/containerd/containerd/v2")];
    let variables = variables("github.com/containerd/containerd/v2/version", &settings);
    let package = format!("github.com/containerd/containerd/v2/cmd/{name}");
    go(name, &modules::CONTAINERD, &package, architecture, variables).published(upstream::containerd(
        release,
        architecture,
        name,
    ))
}

fn crictl(release: &Release, architecture: &str) -> AssetSpec {
    let module = match release.minor {
        34 | 35 => &modules::CRICTL_1_34,
        _ => &modules::CRICTL_1_36,
    };
    let variables = variables("sigs.k8s.io/cri-tools/pkg/version", &[("Version", &format!("v{}", release.crictl))]);
    let package = "sigs.k8s.io/cri-tools/cmd/crictl";
    go(names::CRICTL, module, package, architecture, variables).published(upstream::crictl(release, architecture))
}

/// Each plugin is an asset of its own (machines that files are copied to get them one by one), and all of them together
/// are a directory (that local machines get bound in).
fn add_cni_plugins(set: &mut AssetSet, release: &Release, selection: &Selection) {
    const VERSION: &str = "github.com/containernetworking/plugins/pkg/utils/buildversion";
    let architecture = &selection.architecture;
    let mut entries = Vec::new();
    for file in names::CNI_PLUGIN_FILES {
        let kind = match file {
            "dhcp" | "host-local" | "static" => "ipam",
            "bandwidth" | "firewall" | "portmap" | "sbr" | "tuning" | "vrf" => "meta",
            _ => "main",
        };
        let package = format!("github.com/containernetworking/plugins/plugins/{kind}/{file}");
        let variables = variables(VERSION, &[("BuildVersion", &format!("v{}", release.cni_plugins))]);
        let spec = go(&names::cni_plugin(file), &modules::CNI_PLUGINS, &package, architecture, variables)
            .published(upstream::cni_plugin(release.cni_plugins, architecture, file));
        entries.push(TreeEntry { path: file.to_owned(), asset: set.want(spec) });
    }
    if selection.cni == Cni::Flannel {
        let asset = set.want(flannel_cni(release, architecture));
        entries.push(TreeEntry { path: "flannel".into(), asset });
    }
    set.want(AssetSpec::new(names::CNI_PLUGINS, Recipe::Tree(TreeRecipe { entries })));
}

/// The `flannel` CNI plugin.
pub(super) fn flannel_cni(release: &Release, architecture: &str) -> AssetSpec {
    let version = format!("v{}", release.flannel_cni);
    let variables =
        variables("github.com/containernetworking/plugins/pkg/utils/buildversion", &[("BuildVersion", &version)]);
    let package = "github.com/containernetworking/plugins/plugins/meta/flannel";
    go(&names::cni_plugin("flannel"), &modules::FLANNEL_CNI, package, architecture, variables)
        .published(upstream::cni_plugin(release.flannel_cni, architecture, "flannel"))
}

fn go(
    name: &str,
    module: &'static GoModule,
    package: &str,
    architecture: &str,
    variables: BTreeMap<String, String>,
) -> AssetSpec {
    let recipe = GoRecipe { variables, ..plain_recipe(module, package, architecture) };
    AssetSpec::new(name, Recipe::Go(recipe))
}

/// A program without paths of the machine it was built on, version control stamps, symbols and debugging data.
fn plain_recipe(module: &'static GoModule, package: &str, architecture: &str) -> GoRecipe {
    GoRecipe {
        module,
        package: package.to_owned(),
        architecture: architecture.to_owned(),
        // Without the data for debuggers, which the linker would drop, compiling takes a seventh less.
        flags: ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"].map(str::to_owned).into(),
        linker_flags: ["-s", "-w"].map(str::to_owned).into(),
        variables: BTreeMap::new(),
        cgo: false,
        patch: None,
    }
}

fn kubernetes_module(release: &Release) -> &'static GoModule {
    match release.minor {
        34 => &modules::KUBERNETES_1_34,
        35 => &modules::KUBERNETES_1_35,
        _ => &modules::KUBERNETES_1_36,
    }
}

/// What Kubernetes' own build (`hack/lib/version.sh`) sets. The commit is not known from a module, so it is left empty.
fn kubernetes_variables(release: &Release) -> BTreeMap<String, String> {
    let (tag, minor) = (release.tag(), release.minor.to_string());
    let settings = [
        ("gitVersion", tag.as_str()),
        ("gitMajor", "1"),
        ("gitMinor", &minor),
        ("gitTreeState", "clean"),
        ("gitCommit", ""),
    ];
    let mut all = variables("k8s.io/component-base/version", &settings);
    all.extend(variables("k8s.io/client-go/pkg/version", &settings));
    all
}

fn variables(package: &str, settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    settings.iter().map(|(name, value)| (format!("{package}.{name}"), (*value).to_owned())).collect()
}
