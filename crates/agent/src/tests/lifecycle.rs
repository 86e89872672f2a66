//! The law of the machine side: applied is the same, a mutation is named exactly and repaired, reset leaves no trace.

use machine::{Content, ItemState, MachineConfig, Reply};

use super::world::{World, changed, config, secret, text};

/// A machine with what the config expects of the OS.
fn machine() -> World {
    let world = World::new();
    world.write("/usr/lib/systemd/system/haproxy.service", "[Service]\n");
    world.state.borrow_mut().loaded.insert("haproxy.service".into());
    world
}

#[test]
fn what_was_applied_is_the_same() {
    let world = machine();
    assert!(!world.drift(&config()).is_empty());
    world.applied(&config());
    assert_eq!(world.drift(&config()), [""; 0]);
    assert_eq!(world.read("/var/lib/kubelet/config.yaml"), "node=cp-1 ip=10.0.0.1 driver=cgroupfs\n");
    assert_eq!(world.read("/etc/kubernetes/pki/apiserver.key"), "hunter2");
    assert_eq!(world.read("/proc/sys/kernel/hostname"), "cp-1\n");
    assert!(world.state.borrow().running.contains("kubelet.service"));
}

#[test]
fn a_second_apply_changes_nothing_and_asks_systemd_once() {
    let world = machine();
    world.applied(&config());
    let before = world.tree();
    world.calls();
    assert_eq!(world.applied(&config()), [""; 0]);
    assert_eq!(world.calls().len(), 1);
    world.assert_tree(&before, "afterwards");
}

#[test]
fn observing_changes_nothing() {
    let world = machine();
    let before = world.tree();
    world.drift(&config());
    world.assert_tree(&before, "afterwards");
    world.applied(&config());
    let before = world.tree();
    world.drift(&config());
    world.assert_tree(&before, "afterwards");
}

/// What is done behind the agent's back, and what it must say about it.
type Mutation = (&'static str, fn(&World));

const MUTATIONS: [Mutation; 19] = [
    ("package/socat missing", |w| w.write("/var/lib/dpkg/status", "Package: base\nStatus: install ok installed\n\n")),
    ("module/overlay missing", |w| std::fs::remove_dir(w.at("/sys/module/overlay")).unwrap()),
    ("sysctl/net.ipv4.ip_forward value", |w| w.write("/proc/sys/net/ipv4/ip_forward", "0\n")),
    ("sysctl/net.ipv4.ip_forward boot", |w| {
        w.write("/etc/sysctl.d/99-zz-kubewright.conf", "net.ipv4.ip_forward = 0\n");
    }),
    ("swap value", |w| w.write("/proc/swaps", "Filename\n/dev/vda2 partition\n")),
    ("swap boot", |w| w.write("/etc/fstab", "/dev/vda2 none swap sw 0 0\n")),
    ("hostname value", |w| w.write("/proc/sys/kernel/hostname", "other\n")),
    ("hostname boot", |w| w.write("/etc/hostname", "other\n")),
    ("directory/var/lib/etcd missing", |w| std::fs::remove_dir(w.at("/var/lib/etcd")).unwrap()),
    ("directory/var/lib/etcd mode", |w| w.chmod("/var/lib/etcd", 0o755)),
    ("file/etc/kubernetes/manifests/static.yaml content", |w| w.write("/etc/kubernetes/manifests/static.yaml", "x")),
    ("file/etc/kubernetes/manifests/static.yaml missing", |w| {
        std::fs::remove_file(w.at("/etc/kubernetes/manifests/static.yaml")).unwrap();
    }),
    ("file/etc/kubernetes/pki/apiserver.key content", |w| w.write("/etc/kubernetes/pki/apiserver.key", "x")),
    ("file/etc/kubernetes/pki/apiserver.key mode", |w| w.chmod("/etc/kubernetes/pki/apiserver.key", 0o644)),
    ("file/etc/kubernetes/kubelet.conf missing", |w| {
        std::fs::remove_file(w.at("/etc/kubernetes/kubelet.conf")).unwrap();
    }),
    ("file/var/lib/kubelet/config.yaml type", |w| {
        std::fs::remove_file(w.at("/var/lib/kubelet/config.yaml")).unwrap();
        w.link("/var/lib/kubelet/config.yaml", "/etc/hostname");
    }),
    ("unit/containerd.service running", |w| assert!(w.state.borrow_mut().running.remove("containerd.service"))),
    ("unit/containerd.service enabled", |w| {
        std::fs::remove_file(w.at("/etc/systemd/system/multi-user.target.wants/containerd.service")).unwrap();
    }),
    ("unit/haproxy.service running", |w| assert!(w.state.borrow_mut().running.insert("haproxy.service".into()))),
];

#[test]
fn every_mutation_is_named_exactly_and_repaired() {
    for (said, mutate) in MUTATIONS {
        let world = machine();
        world.applied(&config());
        mutate(&world);
        // Items are `kind/PATH`, and paths begin with a slash of their own.
        let drift: Vec<String> = world.drift(&config()).iter().map(|line| line.replace("//", "/")).collect();
        let expected: &[&str] = if said.contains("kubelet.conf") {
            // Without credentials kubelet need not run; that it does is no difference.
            &["file/etc/kubernetes/kubelet.conf missing"]
        } else {
            &[said]
        };
        assert_eq!(drift, expected);
        world.applied(&config());
        assert_eq!(world.drift(&config()), [""; 0], "after {said}");
    }
}

#[test]
fn reset_leaves_the_machine_as_it_was() {
    let world = machine();
    world.write("/etc/fstab", "# disks\n/dev/vda2 none swap sw 0 0\n");
    world.write("/proc/swaps", "Filename\n/dev/vda2 partition\n");
    world.write("/var/lib/kubelet/config.yaml", "by hand\n");
    world.chmod("/var/lib/kubelet/config.yaml", 0o640);
    std::fs::create_dir(world.at("/var/lib/etcd")).unwrap();
    world.link("/etc/kubernetes/manifests/static.yaml", "/elsewhere");
    world.state.borrow_mut().running.insert("haproxy.service".into());
    let before = world.tree();

    world.applied(&config());
    // What the cluster leaves in directories that were empty or not there.
    world.write("/var/lib/etcd/member/wal/0.wal", "log");
    world.write("/etc/kubernetes/pki/more.crt", "x");
    let replies = world.reset();
    assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{replies:?}");
    world.assert_tree(&before, "afterwards");
    assert_eq!(world.state.borrow().running, ["haproxy.service".to_string()].into());

    assert_eq!(world.reset(), [Reply::Done { changed: 0 }]);
    world.assert_tree(&before, "afterwards");
}

#[test]
fn reset_after_every_mutation_leaves_the_machine_as_it_was() {
    for (said, mutate) in MUTATIONS {
        let world = machine();
        world.write("/etc/fstab", "/dev/vda2 none swap sw 0 0\n");
        let before = world.tree();
        world.applied(&config());
        mutate(&world);
        world.applied(&config());
        let replies = world.reset();
        assert!(matches!(replies.last(), Some(Reply::Done { .. })), "{said}: {replies:?}");
        if said.starts_with("swap value") {
            // It was switched on in between, so a reset switches it on.
            world.write("/proc/swaps", "Filename\n");
        }
        world.assert_tree(&before, said);
    }
}

#[test]
fn what_others_put_beside_ours_stays() {
    let world = machine();
    world.write("/etc/kubernetes/mine.yaml", "kept");
    world.applied(&config());
    world.write("/etc/systemd/system/kubelet.service.d/90-mine.conf", "kept");
    world.reset();
    assert_eq!(world.read("/etc/kubernetes/mine.yaml"), "kept");
    assert_eq!(world.read("/etc/systemd/system/kubelet.service.d/90-mine.conf"), "kept");
    assert!(!world.exists("/etc/kubernetes/pki"));
}

#[test]
fn what_a_config_no_longer_names_goes() {
    let world = machine();
    world.applied(&config());
    let mut smaller: MachineConfig = config();
    smaller.group.files.remove("/etc/kubernetes/manifests/static.yaml");
    smaller.group.files.remove("/etc/systemd/system/containerd.service");
    smaller.group.units.remove("containerd.service");
    smaller.group.directories.remove("/var/lib/etcd");
    smaller.group.sysctls.clear();
    let changed = world.applied(&smaller);
    for line in [
        "file//etc/kubernetes/manifests/static.yaml removed",
        "unit/containerd.service stopped",
        "unit/containerd.service disabled",
        "directory//var/lib/etcd removed",
        "sysctl/net.ipv4.ip_forward set back",
    ] {
        assert!(changed.iter().any(|item| item == line), "{line} is not among {changed:?}");
    }
    assert!(!world.exists("/etc/sysctl.d/99-zz-kubewright.conf"));
    assert_eq!(world.read("/proc/sys/net/ipv4/ip_forward").trim(), "0");
    assert_eq!(world.applied(&smaller), [""; 0]);
}

#[test]
fn a_change_restarts_only_what_it_touches() {
    let world = machine();
    world.applied(&config());
    let mut other = config();
    let Some(file) = other.group.files.get_mut("/var/lib/kubelet/config.yaml") else { panic!() };
    file.content = Content::Text("other\n".into());
    other.group.files.insert("/etc/extra".into(), text("x"));
    world.calls();
    assert_eq!(
        world.applied(&other),
        ["file//etc/extra created", "file//var/lib/kubelet/config.yaml written", "unit/kubelet.service restarted"]
    );
    assert!(!world.calls().iter().any(|call| call.contains("daemon-reload")), "no unit file changed");

    // Only the mode: no restart.
    let Some(file) = other.group.files.get_mut("/var/lib/kubelet/config.yaml") else { panic!() };
    file.mode = "0600".into();
    assert_eq!(world.applied(&other), ["file//var/lib/kubelet/config.yaml mode and owner set"]);

    // A drop-in: read again.
    let dropin = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf";
    other.group.files.insert(dropin.into(), text("[Unit]\n"));
    world.calls();
    world.applied(&other);
    assert!(world.calls().iter().any(|call| call == "systemctl daemon-reload"));
}

#[test]
fn a_fresh_machine_costs_few_processes() {
    let world = machine();
    let mut config = config();
    config.group.packages.clear();
    world.applied(&config);
    let calls = world.calls();
    let systemctl: Vec<&str> =
        calls.iter().filter_map(|call| call.strip_prefix("systemctl ")?.split(' ').next()).collect();
    assert_eq!(systemctl, ["show", "enable", "start", "start", "show"]);
    assert!(calls.iter().any(|call| call == "systemctl enable -- containerd.service kubelet.service"), "{calls:?}");
}

#[test]
fn a_kubelet_without_credentials_waits_for_them() {
    let world = machine();
    let mut config = config();
    config.group.files.remove("/etc/kubernetes/kubelet.conf");
    world.applied(&config);
    assert!(!world.state.borrow().running.contains("kubelet.service"));
    assert_eq!(world.drift(&config), [""; 0]);
    world.write("/etc/kubernetes/bootstrap.conf", "token");
    assert_eq!(world.drift(&config), ["unit/kubelet.service running"]);
}

#[test]
fn a_created_only_file_is_never_compared() {
    let world = machine();
    world.applied(&config());
    world.write("/var/lib/rotated.pem", "second");
    std::fs::remove_file(world.at("/etc/kubernetes/kubelet.conf")).unwrap();
    std::os::unix::fs::symlink(world.at("/var/lib/rotated.pem"), world.at("/etc/kubernetes/kubelet.conf")).unwrap();
    assert_eq!(world.drift(&config()), [""; 0]);
    assert_eq!(world.applied(&config()), [""; 0]);
}

#[test]
fn secrets_are_reported_by_keyed_digest_and_kept_nowhere() {
    let world = machine();
    let replies = world.apply(&config());
    assert!(!changed(&replies).is_empty());
    let mut other = config();
    other.machine.files.insert("/etc/kubernetes/pki/apiserver.key".into(), secret("0600"));
    world.write("/etc/kubernetes/pki/apiserver.key", "stolen");
    let answer = serde_json::to_string(&world.ask(&super::world::observe(&other, true))).unwrap();
    let ledger = world.read("/var/lib/kubewright/ledger.json");
    for text in [serde_json::to_string(&replies).unwrap(), answer.clone(), ledger] {
        assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg") && !text.contains("stolen"));
    }
    assert!(answer.contains(r#""content":"hmac:"#), "{answer}");
}

#[test]
fn a_text_that_was_changed_is_sent_unless_it_is_long_or_no_text() {
    let world = machine();
    world.applied(&config());
    let sent = |content: &[u8]| {
        std::fs::write(world.at("/etc/systemd/system/kubelet.service"), content).unwrap();
        let replies = world.ask(&super::world::observe(&config(), false));
        let Some(Reply::Observed { items, .. }) = replies.last() else { panic!("{replies:?}") };
        let ItemState::Differs { fields } = &items["file//etc/systemd/system/kubelet.service"] else {
            panic!("{items:?}")
        };
        fields.get("text").cloned()
    };
    assert_eq!(sent(b"[Service]\nNice=5\n").as_deref(), Some("[Service]\nNice=5\n"));
    assert_eq!(sent(b"\xff\xfe"), None);
    assert_eq!(sent("x".repeat(64 * 1024 + 1).as_bytes()), None);
}

#[test]
fn a_unit_that_reads_its_files_again_is_reloaded_and_restarted_only_for_its_own_file() {
    let world = machine();
    let mut config = config();
    let unit = config.group.units.get_mut("containerd.service").unwrap();
    unit.reloads = true;
    let mut backends = super::world::text("one\n");
    backends.restarts = vec!["containerd.service".into()];
    config.group.files.insert("/etc/backends".into(), backends);
    world.applied(&config);
    for (path, verb) in [("/etc/backends", "reload-or-restart"), ("/etc/systemd/system/containerd.service", "restart")]
    {
        let file = config.group.files.get_mut(path).unwrap();
        file.content = Content::Text("[Service]\n#two\n".into());
        file.restarts = vec!["containerd.service".into()];
        world.calls();
        world.applied(&config);
        let wanted = format!("systemctl {verb} -- containerd.service");
        let calls = world.calls();
        assert!(calls.contains(&wanted), "{calls:?}");
        assert_eq!(world.drift(&config), [""; 0]);
    }
}
