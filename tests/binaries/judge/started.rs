//! A program started with what was rendered, in a root, a network and a process space of its own, until it has said enough.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::rendered::NODE_IP;

/// What a program does with what it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It ends, complaining.
    Ends(String),
    /// It got past its checks, and said so.
    GoesOn,
    /// It neither ended nor said anything that is known.
    Unknown(String),
}

/// What a program says when its checks are behind it, and what it says while it goes on though it is of no use.
pub(super) struct Signs {
    /// Everything was read and found good.
    pub(super) good: &'static str,
    /// It asked for what is not here, and ended for that alone.
    pub(super) peer: &'static str,
    /// A port that is listened on only then, for programs that can be made to say nothing.
    pub(super) port: Option<u16>,
    /// Words of one line that stand for an end.
    pub(super) bad: &'static [&'static str],
}

/// How long a program may take to say something on a slow and busy host.
const TIMEOUT: Duration = Duration::from_secs(40);
/// A program that says that all is well may end right after it.
const AFTERTHOUGHT: Duration = Duration::from_millis(150);

/// What programs of Kubernetes say in the line that tells why they end.
const FAREWELL: &str = "\"command failed\"";

/// The first process of the new spaces: gives the root what programs expect of it and becomes the program.
const SCRIPT: &str = r#"
set -e
root=$1 program=$2 address=$3 peer=$4
shift 4
ip link set lo up
ip address add "$address/32" dev lo
ip route add default dev lo
mkdir -p "$root/dev" "$root/proc" "$root/tmp" "$root/run"
for device in null zero random urandom; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
: > "$root/program"
mount --bind "$program" "$root/program"
mount -t proc proc "$root/proc"
if [ -n "$peer" ]; then
  : > "$root/peer"
  mount --bind "$peer" "$root/peer"
  xargs -a "$root/peer.arguments" -d '\n' chroot "$root" /peer > "$root/peer.log" 2>&1 &
fi
exec chroot "$root" /program "$@"
"#;

/// A program and its arguments.
pub(super) type Line = (PathBuf, Vec<String>);

/// Starts a program in `root`, beside another one if it can't go on without, and listens to it.
pub(super) fn judge(line: &Line, peer: Option<&Line>, root: &Path, signs: &Signs) -> Verdict {
    let log = root.join("log");
    let mut child = start(line, peer, root, &log);
    let verdict = watch(&mut child, &log, signs);
    // Its end is that of everything in its process space.
    let _ = child.kill();
    child.wait().unwrap();
    verdict
}

fn start((program, arguments): &Line, peer: Option<&Line>, root: &Path, log: &Path) -> Child {
    let output = std::fs::File::create(log).unwrap();
    let peer = peer.map_or(Path::new(""), |(peer, arguments)| {
        super::fixtures::write(root, "peer.arguments", &arguments.join("\n"));
        peer
    });
    // A test that is killed leaves nothing behind.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    command.args(["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child=SIGKILL"]);
    command.args(["sh", "-c", SCRIPT, "sh"]).arg(root).arg(program).arg(NODE_IP).arg(peer).args(arguments);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    command.stdout(output.try_clone().unwrap()).stderr(output);
    command.spawn().expect("setpriv starts")
}

fn watch(child: &mut Child, log: &Path, signs: &Signs) -> Verdict {
    let began = Instant::now();
    loop {
        // The end is looked at first, so that the text is all that it said.
        let ended = child.try_wait().unwrap();
        let text = String::from_utf8_lossy(&std::fs::read(log).unwrap()).to_lowercase();
        if let Some(line) = text.lines().find(|line| is_bad(line, signs)) {
            return Verdict::Ends(line.to_owned());
        }
        let is_good = (!signs.good.is_empty() && text.contains(signs.good))
            || signs.port.is_some_and(|port| is_listened_on(child.id(), port));
        if ended.is_some() {
            let end = last_lines(&text);
            // kube-proxy ends when it has done what it was asked for.
            let is_done = !signs.good.is_empty() && end.contains(signs.good);
            // What was not there is often named before, and got over. Others of its threads may speak after its last word.
            let mut lines = end.rsplit(" | ");
            let last = lines.next().unwrap_or_default();
            let why = std::iter::once(last).chain(lines).find(|line| line.contains(FAREWELL)).unwrap_or(last);
            let is_alone = !signs.peer.is_empty() && why.contains(signs.peer);
            return if is_done || is_alone { Verdict::GoesOn } else { Verdict::Ends(end) };
        }
        if is_good {
            std::thread::sleep(AFTERTHOUGHT);
            return if child.try_wait().unwrap().is_none() { Verdict::GoesOn } else { continue };
        }
        if began.elapsed() > TIMEOUT {
            return Verdict::Unknown(last_lines(&text));
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Whether some process listens on a port of the network that a process is in.
fn is_listened_on(process: u32, port: u16) -> bool {
    // It may have ended just now.
    let sockets = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
    let (address, listens) = (format!(":{port:04X} "), " 0A ");
    sockets.lines().any(|line| line.contains(listens) && line.contains(&address))
}

fn is_bad(line: &str, signs: &Signs) -> bool {
    !signs.bad.is_empty() && signs.bad.iter().all(|word| line.contains(word))
}

/// The end of what was said: usages stand before it.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
