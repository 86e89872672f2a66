//! The judge: what the preview refuses, the real program refuses, and what the one takes, the other takes.
//!
//! A corpus of changed specifications is made from what is known of the components. Each is given to the preview, and what is
//! rendered from it to the program that has to live with it, started in spaces of its own: it ends at once, complaining, or
//! goes on to wait for its peers. Where the two differ is a fault of the preview. `KUBEWRIGHT_JUDGE=all` takes the whole
//! corpus, `KUBEWRIGHT_JUDGE=TEXT` the cases that have the text in them, and without it a sample is taken, another one with
//! each `KUBEWRIGHT_TURN`.

mod case;
mod corpus;
mod fixtures;
mod preview;
mod started;

use std::sync::atomic::{AtomicUsize, Ordering};

use pki::Cipher;

use self::case::Case;
use self::corpus::Dice;
use self::fixtures::Fixtures;
use self::preview::{Base, Refusal};
use self::started::{Signs, Verdict};
use crate::minors;
use crate::programs::Programs;
use crate::rendered::Rendered;

/// How many cases of each minor are taken where not all are.
const SAMPLE: usize = 40;
/// Programs at a time.
const WORKERS: usize = 2;

/// Codes of what is kubewright's own to refuse, whatever programs make of it: flags and fields that it sets itself, and the
/// form of its own fields.
const OWN: [&str; 5] = [
    "spec::containerd-version",
    "spec::invalid-value",
    "spec::managed-flag",
    "spec::managed-kubelet-field",
    "spec::out-of-range",
];
/// What programs look at when they have found a peer that they never find here; `docs/facts.md` says so. kubelet has no
/// runtime, and the scheduler no API server.
const LATE: [(&str, &str); 25] = [
    ("kube-controller-manager", "spec.kubeControllerManager.extraArgs.node-cidr-mask-size-ipv6"),
    ("kube-scheduler", "spec.kubeScheduler.extraArgs.leader-elect-lease-duration"),
    ("kube-controller-manager", "spec.kubeControllerManager.extraArgs.leader-elect-resource-name"),
    ("kube-controller-manager", "spec.kubeControllerManager.extraArgs.leader-elect-resource-namespace"),
    ("kube-scheduler", "spec.kubeScheduler.extraArgs.leader-elect-resource-name"),
    ("kube-scheduler", "spec.kubeScheduler.extraArgs.leader-elect-resource-namespace"),
    ("kube-scheduler", "spec.kubeScheduler.extraArgs.leader-elect-renew-deadline"),
    ("kube-scheduler", "spec.kubeScheduler.extraArgs.leader-elect-retry-period"),
    ("kubelet", "spec.kubelet.config.allowedUnsafeSysctls"),
    ("kubelet", "spec.kubelet.config.configMapAndSecretChangeDetectionStrategy"),
    ("kubelet", "spec.kubelet.config.containerLogMaxSize"),
    ("kubelet", "spec.kubelet.config.cpuManagerPolicy"),
    ("kubelet", "spec.kubelet.config.cpuManagerPolicyOptions"),
    ("kubelet", "spec.kubelet.config.evictionHard"),
    ("kubelet", "spec.kubelet.config.evictionMinimumReclaim"),
    ("kubelet", "spec.kubelet.config.evictionSoft"),
    ("kubelet", "spec.kubelet.config.evictionSoftGracePeriod"),
    ("kubelet", "spec.kubelet.config.memoryManagerPolicy"),
    ("kubelet", "spec.kubelet.config.podLogsDir"),
    ("kubelet", "spec.kubelet.config.qosReserved"),
    ("kubelet", "spec.kubelet.config.reservedMemory"),
    ("kubelet", "spec.kubelet.config.reservedSystemCPUs"),
    ("kubelet", "spec.kubelet.config.tlsCertFile"),
    ("kubelet", "spec.kubelet.config.tlsPrivateKeyFile"),
    ("kubelet", "spec.kubelet.config.topologyManagerPolicyOptions"),
];
/// What programs complain about because of this host and not of what they are given.
const OF_THE_HOST: [&str; 2] = ["when using cgroup v1", "on a host using cgroup v1"];
/// The etcd beside an API server did not answer in time: the host is busy, and it is tried again.
const TOO_SLOW: &str = "error creating storage factory: context deadline exceeded";
const TRIES: usize = 3;

/// What each program says, in lower case, when it got past its checks.
const SIGNS: [(&str, Signs); 7] = [
    ("containerd", Signs { bad: &["failed to load plugin", "cri"], ..signs("containerd successfully booted") }),
    ("etcd", Signs { port: Some(2381), ..signs("ready to serve client requests") }),
    ("kube-apiserver", signs("serving securely on")),
    ("kube-controller-manager", Signs { peer: ASKS, ..signs("attempting to acquire leader lease") }),
    ("kube-proxy", signs("wrote configuration")),
    ("kube-scheduler", Signs { peer: ASKS, ..signs("serving securely on") }),
    // Its runtime is the first peer that it asks.
    ("kubelet", Signs { peer: "validate cri v1 runtime api for endpoint", ..signs("") }),
];

/// The API server, which is not there, is asked by those who are told to end without it.
const ASKS: &str = "connect: connection refused";

const fn signs(good: &'static str) -> Signs {
    Signs { good, peer: "", port: None, bad: &[] }
}

#[test]
fn the_preview_judges_as_the_programs_do() {
    // A disagreement of one minor hides none of another.
    let mut disagreements = Vec::new();
    for programs in minors() {
        let release = programs.release();
        let cases = chosen(corpus::all(release));
        assert!(!cases.is_empty(), "no case has this text in it");
        let judged = judge_all(&programs, &cases);
        let count = |of: fn(&Judged) -> bool| judged.iter().filter(|judged| of(judged)).count();
        let version = release.kubernetes;
        println!(
            "{version}: {} cases; both take {}, both refuse {}; kubewright's own to refuse {}, not to be seen here {}",
            judged.len(),
            count(|judged| judged.refusals.is_empty() && judged.verdict == Verdict::GoesOn),
            count(|judged| !judged.refusals.is_empty() && matches!(judged.verdict, Verdict::Ends(_))),
            count(|judged| judged.is_own() && judged.verdict == Verdict::GoesOn),
            count(|judged| judged.is_of_the_host() || judged.is_late() && judged.verdict == Verdict::GoesOn),
        );
        let table: Vec<String> = judged.iter().filter(|judged| !judged.agree()).map(Judged::row).collect();
        if !table.is_empty() {
            disagreements.push(format!("{version}: {} disagreements\n{}", table.len(), table.join("\n")));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

/// All cases, those that were asked for, or a sample.
fn chosen(all: Vec<Case>) -> Vec<Case> {
    match std::env::var("KUBEWRIGHT_JUDGE").as_deref() {
        Ok("all") => all,
        Ok(text) => all.into_iter().filter(|case| case.to_string().contains(text)).collect(),
        Err(_) => {
            let seed = std::env::var("KUBEWRIGHT_TURN").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
            println!("a sample of {SAMPLE} of {} cases; the same again: KUBEWRIGHT_TURN={seed}", all.len());
            Dice::new(seed).some_of(all, SAMPLE)
        }
    }
}

/// A case and what both sides said.
struct Judged<'a> {
    case: &'a Case,
    refusals: Vec<Refusal>,
    verdict: Verdict,
}

impl Judged<'_> {
    fn agree(&self) -> bool {
        match self.verdict {
            Verdict::Ends(_) => !self.refusals.is_empty() || self.is_of_the_host(),
            Verdict::GoesOn => self.refusals.is_empty() || self.is_own() || self.is_late(),
            // An API server that is sent to another etcd than ours waits for that one.
            Verdict::Unknown(_) => self.is_own(),
        }
    }

    /// It is refused for nothing that a program would have a say in.
    fn is_own(&self) -> bool {
        !self.refusals.is_empty() && self.refusals.iter().all(|refusal| OWN.contains(&refusal.code.as_str()))
    }

    /// It is refused for what the program would say later: of a field itself, or of something in it.
    fn is_late(&self) -> bool {
        let is_in = |field: &str, late: &str| {
            field.strip_prefix(late).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let is_late = |refusal: &Refusal| {
            LATE.iter().any(|(program, late)| *program == self.case.program && is_in(&refusal.field, late))
        };
        !self.refusals.is_empty() && self.refusals.iter().all(is_late)
    }

    fn is_of_the_host(&self) -> bool {
        let Verdict::Ends(why) = &self.verdict else { return false };
        self.refusals.is_empty() && OF_THE_HOST.iter().any(|complaint| why.contains(complaint))
    }

    fn row(&self) -> String {
        let all: Vec<String> =
            self.refusals.iter().map(|refusal| format!("{}: {}", refusal.field, refusal.message)).collect();
        let refusals = if all.is_empty() { "nothing".to_owned() } else { all.join("; ") };
        let said = match &self.verdict {
            Verdict::Ends(why) => format!("ends: {why}"),
            Verdict::GoesOn => "goes on".to_owned(),
            Verdict::Unknown(why) => format!("said nothing that is known: {why}"),
        };
        format!("- {}\n    preview: {refusals}\n    program: {said}", self.case)
    }
}

fn judge_all<'a>(programs: &Programs, cases: &'a [Case]) -> Vec<Judged<'a>> {
    let base = Base::of(programs.release());
    let fixtures = Fixtures::new();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut judged = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let previewed = base.preview(case);
            let mut tries = (0..TRIES).map(|_| start(programs, case, &previewed.rendered, &fixtures));
            let is_slow = |verdict: &Verdict| matches!(verdict, Verdict::Ends(why) if why.contains(TOO_SLOW));
            let verdict = tries.find(|verdict| !is_slow(verdict));
            let verdict = verdict.unwrap_or_else(|| Verdict::Unknown(TOO_SLOW.to_owned()));
            let one = Judged { case, refusals: previewed.refusals, verdict };
            if !one.agree() {
                // The whole corpus takes a while.
                println!("{}", one.row());
            }
            judged.push(one);
        }
        judged
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect()
    })
}

/// Starts the program of a case with what was rendered.
fn start(programs: &Programs, case: &Case, rendered: &Rendered, fixtures: &Fixtures) -> Verdict {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fixtures.lay(root);
    for (path, text) in rendered.files() {
        fixtures::write(root, &path, &text);
    }
    let cipher = if case.to_string().contains("aescbc") { Cipher::Aescbc } else { Cipher::Secretbox };
    fixtures::write(root, "etc/kubernetes/encryption/config.yaml", &Fixtures::encryption(cipher));
    std::fs::create_dir_all(root.join("var/log/kubernetes/audit")).unwrap();
    let (_, signs) = SIGNS.iter().find(|(program, _)| *program == case.program).expect("a program with signs");
    let line = |program: &str, more: &[&str]| {
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        (programs.path(program), [arguments(program, rendered, root), more].concat())
    };
    // It looks for leases before it has read everything.
    let etcd = (case.program == "kube-apiserver").then(|| line("etcd", &["--unsafe-no-fsync", "--log-level=error"]));
    let verdict = started::judge(&line(case.program, &[]), etcd.as_ref(), root, signs);
    directory.close().unwrap();
    verdict
}

fn arguments(program: &str, rendered: &Rendered, root: &std::path::Path) -> Vec<String> {
    let own = || {
        let line = rendered.command_lines().into_iter().find(|(name, _)| *name == program);
        line.unwrap_or_else(|| panic!("no command line of {program}")).1
    };
    let configuration = || {
        let all = rendered.configurations();
        all.into_iter().find(|(name, _)| *name == program).expect("a configuration").1
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match program {
        "containerd" => words(&["--config", "/etc/containerd/config.toml"]),
        "kube-proxy" => {
            fixtures::write(root, "config.conf", &configuration());
            words(&["--config=/config.conf", "--write-config-to=/written.conf"])
        }
        "kubelet" => {
            let given = ["--config=/var/lib/kubelet/config.yaml", "--kubeconfig=/etc/kubernetes/kubelet.conf"];
            [words(&given), own()].concat()
        }
        _ => own(),
    }
}
