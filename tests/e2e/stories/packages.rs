//! A machine image that lacks a package gets it from a local package mirror, once, and a reset takes it away again; so it is
//! where the agent was killed when the package had come.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::world::World;

const PACKAGE: &str = "kubewright-probe";

pub(crate) fn story(world: &mut World) {
    let assets = world.kubewright(&["assets", "list", "-o", "json"]);
    let assets: Value = serde_json::from_str(&assets).expect("assets are JSON");
    let path = |name: &str| {
        let found = assets.as_array().expect("assets").iter().find(|asset| asset["name"] == name);
        found
            .and_then(|asset| asset["path"].as_str())
            .unwrap_or_else(|| panic!("{name} is not in the cache"))
            .to_owned()
    };
    let machine = Image { directory: world.path("image"), lower: path("rootfs"), agent: path("kubewright-agent") };
    machine.prepare();

    let config = json!({
        "group": {"packages": [PACKAGE, "socat"]},
        "machine": {"nodeName": "probe", "nodeIps": ["192.0.2.1"]},
    });
    let key = "0".repeat(64);
    let observe = json!({"request": "observe", "config": config, "digestKey": key, "deep": false, "probe": []});
    let apply = json!({"request": "apply", "config": config, "digestKey": key, "epoch": 1, "lineage": "l"});

    assert!(!machine.has_package() && machine.ask(&observe).contains("missing"), "the image lacks it");
    let said = machine.ask(&apply);
    assert!(machine.has_package(), "it is installed:\n{said}");
    let again = machine.ask(&apply);
    assert!(said.contains("installed") && !again.contains("\"installed\""), "not twice:\n{again}");
    let reset = json!({"request": "reset", "epoch": 1});
    let said = machine.ask(&reset);
    assert!(!machine.has_package(), "it is gone again:\n{said}");

    for goes_on in [false, true] {
        let said = machine.killed_when_the_package_has_come(&apply);
        assert!(machine.has_package() && !said.contains("\"reply\":\"done\""), "killed in the middle of it:\n{said}");
        if goes_on {
            let said = machine.ask(&apply);
            assert!(said.contains("\"reply\":\"done\"") && !said.contains("\"installed\""), "it goes on:\n{said}");
        }
        let said = machine.ask(&reset);
        assert!(!machine.has_package(), "it was known whose it was (went on: {goes_on}):\n{said}");
    }
}

/// A copy of the machine image, laid over the cached one, that is looked into without booting it.
struct Image {
    directory: PathBuf,
    lower: String,
    agent: String,
}

impl Image {
    fn prepare(&self) {
        for name in ["upper/opt/mirror", "work", "root", "package/DEBIAN"] {
            std::fs::create_dir_all(self.directory.join(name)).expect("a directory");
        }
        let upper = self.directory.join("upper");
        std::fs::copy(&self.agent, upper.join("agent")).expect("the agent is copied");
        let control = format!(
            "Package: {PACKAGE}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a probe\n"
        );
        std::fs::write(self.directory.join("package/DEBIAN/control"), control).expect("the package is described");
        let mirror = upper.join("opt/mirror");
        let built = ["dpkg-deb", "--root-owner-group", "--build", "package", "upper/opt/mirror/probe.deb"];
        self.run(&built);
        let described = self.run(&["dpkg-deb", "--field", "upper/opt/mirror/probe.deb"]);
        let size = std::fs::metadata(mirror.join("probe.deb")).expect("a package").len();
        let sum = self.run(&["sha256sum", "upper/opt/mirror/probe.deb"]);
        let sum = sum.split_whitespace().next().expect("a digest");
        let index = format!("{}\nFilename: ./probe.deb\nSize: {size}\nSHA256: {sum}\n", described.trim_end());
        std::fs::write(mirror.join("Packages"), index).expect("the mirror's index");
        let sources = upper.join("etc/apt");
        std::fs::create_dir_all(sources.join("sources.list.d")).expect("a directory");
        std::fs::write(sources.join("sources.list"), "deb [trusted=yes] file:/opt/mirror ./\n").expect("sources");
    }

    /// Gives the agent a request, in a root, a network and a host name of its own.
    fn ask(&self, request: &Value) -> String {
        // The first process of a place can't be killed from inside: the agent is another one.
        let script = "mount -t overlay overlay -o lowerdir=\"$1\",upperdir=upper,workdir=work root \
             && mount -t proc proc root/proc && mount --bind /dev root/dev && chroot root /agent; exit $?";
        let own = ["unshare", "--mount", "--uts", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh"];
        let mut command = Command::new(own[0]);
        command.args(&own[1..]).arg(&self.lower).current_dir(&self.directory);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare starts");
        writeln!(child.stdin.take().expect("a pipe"), "{request}").expect("the request is sent");
        let output = child.wait_with_output().expect("the agent ends");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same with an agent that apt kills when it has installed something.
    fn killed_when_the_package_has_come(&self, request: &Value) -> String {
        const KILL: &str = "for process in /proc/[0-9]*; do \
            [ \"$(cat $process/comm 2>/dev/null)\" = agent ] && kill -9 ${process#/proc/}; done; true";
        let hook = self.directory.join("upper/etc/apt/apt.conf.d/99-kill");
        std::fs::create_dir_all(hook.parent().expect("a parent")).expect("a directory");
        std::fs::write(self.directory.join("upper/opt/kill"), KILL).expect("what kills");
        std::fs::write(&hook, "DPkg::Post-Invoke { \"sh /opt/kill\"; };\n").expect("a hook of apt");
        let said = self.ask(request);
        std::fs::remove_file(hook).expect("the hook is gone");
        said
    }

    fn has_package(&self) -> bool {
        let status = self.directory.join("upper/var/lib/dpkg/status");
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let record = status.split("\n\n").find(|record| record.starts_with(&format!("Package: {PACKAGE}\n")));
        record.is_some_and(|record| record.contains("\nStatus: install ok installed"))
    }

    /// Runs a program in the image's directory; gives what it printed.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(arguments[0]);
        let output = command.args(&arguments[1..]).current_dir(&self.directory).output().expect("it starts");
        assert!(output.status.success(), "{arguments:?} ended with {}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
