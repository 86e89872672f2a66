//! One story's own state directory and kubeconfig, and the programs it types.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::Moto;

use crate::aside::Aside;
use crate::cache;
use crate::disk::Disk;
use crate::leftovers;
use crate::running::Running;
use crate::snapshot::Snapshot;
use crate::teller::BESIDE;

/// A user's surroundings for one story. The asset cache is the host's, so that nothing is built twice.
pub(crate) struct World {
    /// The story's name.
    story: String,
    /// The disk that has the state. It is dropped before the directory that it is mounted in.
    disk: Option<Disk>,
    directory: tempfile::TempDir,
    /// While it is open the next run of tests lets the directory be.
    _owner: std::fs::File,
    program: PathBuf,
    before: Snapshot,
    /// Clusters that may have to be deleted.
    clusters: Vec<String>,
    /// Every cluster that there ever was.
    seen: BTreeSet<String>,
    /// Everything that kubewright has printed.
    said: Vec<u8>,
    /// Another asset cache than the host's.
    cache: Option<PathBuf>,
    /// Where something of this host is out of sight.
    aside: Option<Aside>,
    /// The S3 server that has the state.
    bucket: Option<Moto>,
    /// What programs find in their environment beside everything else.
    variables: BTreeMap<String, String>,
    /// Why the story cannot be told here.
    skipped: Option<String>,
}

impl World {
    /// Fresh surroundings. Must be on the cache's file system, because machines are hard links of cached trees.
    pub(crate) fn new(story: &str) -> Self {
        let prefix = format!("{}{}-", leftovers::PREFIX, story.replace(' ', "-"));
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(leftovers::PARENT).expect("a directory");
        let owner = leftovers::own(directory.path());
        let program = PathBuf::from(std::env::var("KUBEWRIGHT_BIN").expect("the program under test"));
        let before = Snapshot::take(&std::env::temp_dir());
        Self {
            story: story.to_owned(),
            directory,
            _owner: owner,
            program,
            before,
            clusters: Vec::new(),
            seen: BTreeSet::new(),
            said: Vec::new(),
            cache: None,
            aside: None,
            bucket: None,
            disk: None,
            variables: BTreeMap::new(),
            skipped: None,
        }
    }

    /// The story's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// Where kubewright keeps the story's clusters and machines.
    pub(crate) fn state(&self) -> PathBuf {
        match self.bucket {
            Some(_) => self.directory.path().join("home/kubewright"),
            None => self.directory.path().join("state"),
        }
    }

    /// A path in the story's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// From here on there is an empty asset cache, and this host's is out of sight.
    pub(crate) fn leave_the_cache(&mut self) {
        self.cache = Some(self.path("cache"));
    }

    /// From here on the asset cache is a copy of this host's, of hard links, in which an asset is missing.
    pub(crate) fn lose_from_the_cache(&mut self, asset: &str) {
        cache::copy_without(asset, &self.path("cache"));
        self.leave_the_cache();
    }

    /// From here on everything happens on a host without a network and with an empty asset cache.
    pub(crate) fn leave_with_nothing(&mut self) {
        self.leave_the_cache();
        self.aside = Some(Aside::offline());
    }

    /// From here on everything happens on a host with a network of its own, behind the firewall that a file of nft's makes.
    pub(crate) fn move_behind(&mut self, rules: &Path) {
        self.aside = Some(Aside::behind(rules));
    }

    /// From here on the program is a copy in a place where nothing else was, on a host without the sources and the target
    /// directory that it was built from.
    pub(crate) fn move_the_program(&mut self) {
        let moved = self.path("moved/kubewright");
        std::fs::create_dir(self.path("moved")).expect("a directory");
        std::fs::copy(&self.program, &moved).expect("the program is copied");
        self.program = moved;
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        self.aside = Some(Aside::without(checkout));
    }

    /// From here on this program is typed. Gives the one that was.
    pub(crate) fn use_program(&mut self, program: PathBuf) -> PathBuf {
        std::mem::replace(&mut self.program, program)
    }

    /// From here on state is kept in a bucket, and only machines and logs in [`World::state`]. Gives the store's address.
    pub(crate) fn keep_state_in_a_bucket(&mut self) -> String {
        let program = std::env::var("KUBEWRIGHT_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let server = Moto::start(&program).expect("an S3 server starts: pip install 'moto[server,s3]'");
        server.create_bucket("kubewright").expect("a bucket");
        let url = format!("s3://kubewright/clusters?endpoint={}&region=us-east-1", server.url());
        let state = self.path("home").display().to_string();
        for (name, value) in [
            ("KUBEWRIGHT_STATE", url.as_str()),
            ("XDG_STATE_HOME", &state),
            ("AWS_ACCESS_KEY_ID", "somebody"),
            ("AWS_SECRET_ACCESS_KEY", "something"),
        ] {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
        self.bucket = Some(server);
        url
    }

    /// From here on state, but not the machines, is kept on a disk of its own.
    pub(crate) fn keep_state_on_a_small_disk(&mut self) {
        self.disk = Some(Disk::mount(self.state().join("clusters")));
    }

    /// The state's disk is full.
    pub(crate) fn fill_disk(&self) {
        self.disk.iter().for_each(Disk::fill);
    }

    /// The state's disk is read-only.
    pub(crate) fn freeze_disk(&self) {
        self.disk.iter().for_each(Disk::freeze);
    }

    /// The state's disk is well again.
    pub(crate) fn heal_disk(&self) {
        self.disk.iter().for_each(Disk::heal);
    }

    /// Writes a file of the user's and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path.to_string_lossy().into_owned()
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = match &self.aside {
            None => Command::new(program),
            Some(aside) => aside.command(program),
        };
        if let Some(cache) = &self.cache {
            command.env("XDG_CACHE_HOME", cache);
        }
        command
            .args(arguments)
            .env("KUBEWRIGHT_STATE", self.state())
            .env("XDG_CONFIG_HOME", self.directory.path().join("config"))
            .env("KUBECONFIG", self.kubeconfig())
            // The first kubectl of a host would make the user's.
            .env("KUBECACHEDIR", self.directory.path().join("kubectl"))
            .envs(&self.variables);
        command
    }

    /// Types `kubewright ARGUMENTS`, whatever comes of it.
    pub(crate) fn try_kubewright(&mut self, arguments: &[&str]) -> Output {
        let output = self.typed(arguments).output().expect("kubewright starts");
        self.said.extend(output.stdout.iter().chain(&output.stderr));
        if let (true, ["delete", "cluster", name, "--yes"]) = (output.status.success(), arguments) {
            self.clusters.retain(|cluster| cluster != name);
        }
        output
    }

    /// Types `kubewright ARGUMENTS &`.
    pub(crate) fn start_kubewright(&mut self, arguments: &[&str]) -> Running {
        Running::start(self.typed(arguments))
    }

    /// The file of the program under test.
    pub(crate) fn binary(&self) -> &Path {
        &self.program
    }

    /// `kubewright ARGUMENTS`, not typed yet; the story sees to what comes of it.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        self.command(&self.program, arguments)
    }

    /// Another program than kubewright, where kubewright runs.
    pub(crate) fn program_at(&self, program: &str, arguments: &[&str]) -> Command {
        self.command(Path::new(program), arguments)
    }

    /// The same as a user without rights, who has a state, a cache and a configuration of their own.
    pub(crate) fn program_like_nobody(&self, arguments: &[&str]) -> (Command, tempfile::TempDir) {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let home = tempfile::Builder::new().prefix("kubewright-nobody-").tempdir().expect("a directory");
        std::os::unix::fs::chown(home.path(), Some(65534), Some(65534)).expect("the directory is given away");
        let mut command = Command::new("setpriv");
        command.args(nobody).arg(&self.program).args(arguments).env("HOME", home.path()).env_remove("KUBECONFIG");
        for name in ["XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, home.path());
        }
        (command, home)
    }

    /// A cluster's name belongs to one story, because what is left on the host is told apart by it.
    fn claim(&self, cluster: &str) {
        let Some(claims) = std::env::var_os(BESIDE) else { return };
        let path = Path::new(&claims).join(cluster);
        if std::fs::File::create_new(&path).is_ok() {
            return std::fs::write(&path, &self.story).expect("the claim says whose it is");
        }
        let owner = std::fs::read_to_string(&path).expect("whose the cluster is");
        panic!("the story \"{owner}\" has a cluster {cluster} too: two stories never use the same name");
    }

    fn typed(&mut self, arguments: &[&str]) -> Command {
        println!("    $ kubewright {}", shortened(&arguments.join(" ")));
        if let ["create", "cluster", name, ..] = arguments {
            if self.seen.insert((*name).to_owned()) {
                self.claim(name);
            }
            if !self.clusters.iter().any(|cluster| cluster == name) {
                self.clusters.push((*name).to_owned());
            }
        }
        self.command(&self.program, arguments)
    }

    /// Types `kubewright ARGUMENTS`, which must succeed; gives what it printed on standard output.
    pub(crate) fn kubewright(&mut self, arguments: &[&str]) -> String {
        let began = Instant::now();
        let output = self.try_kubewright(arguments);
        assert!(output.status.success(), "kubewright {arguments:?} ended with {}:\n{}", output.status, both(&output));
        println!("      ({:.1} s)", began.elapsed().as_secs_f32());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a shell script as root on a machine; gives what it printed.
    pub(crate) fn on_machine(&mut self, cluster: &str, machine: &str, script: &str) -> String {
        self.kubewright(&["ssh", cluster, machine, "--", script])
    }

    /// The same, and nobody remembers what was printed.
    pub(crate) fn quietly_on_machine(&self, cluster: &str, machine: &str, script: &str) -> String {
        let output = self.program(&["ssh", cluster, machine, "--", script]).output().expect("kubewright starts");
        assert!(output.status.success(), "{script} ended with {}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Everything that kubewright has printed, on both streams.
    pub(crate) fn said(&self) -> &[u8] {
        &self.said
    }

    /// Types `kubectl ARGUMENTS`, whatever comes of it.
    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_command(arguments).output().expect("kubectl starts")
    }

    /// `kubectl ARGUMENTS`, not typed yet.
    pub(crate) fn kubectl_command(&self, arguments: &[&str]) -> Command {
        self.command(&self.program.with_file_name("kubectl"), arguments)
    }

    /// Types `kubectl ARGUMENTS`, which must succeed; gives what it printed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?} ended with {}:\n{}", output.status, both(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `kubectl get … -o json`.
    pub(crate) fn get(&self, arguments: &[&str]) -> Value {
        let text = self.kubectl(&[&["get", "-o", "json"], arguments].concat());
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }

    /// Types `kubectl` again and again until `good` likes what it prints.
    pub(crate) fn eventually(&self, arguments: &[&str], good: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let output = self.try_kubectl(arguments);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() && good(&text) {
                return text;
            }
            assert!(Instant::now() < until, "kubectl {arguments:?} never gave what is expected:\n{}", both(&output));
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Applies a manifest.
    pub(crate) fn apply(&self, manifest: &str) {
        let path = self.write("manifest.yaml", manifest);
        self.kubectl(&["apply", "-f", &path]);
    }

    /// The story cannot be told here. Whoever counts must not take it for one that went well.
    pub(crate) fn skip(&mut self, why: String) {
        println!("    SKIPPED: {why}");
        self.skipped = Some(why);
    }

    /// The story is over: whatever it made is gone, and the host is as it was. Says why it was not told, where it was not.
    pub(crate) fn finish(mut self) -> Option<String> {
        let clusters = std::mem::take(&mut self.clusters);
        for cluster in &clusters {
            // A cluster that was refused was never there. Stories with a bucket delete their clusters.
            if !self.state().join("clusters").join(cluster).join("head.json").exists() {
                continue;
            }
            self.kubewright(&["delete", "cluster", cluster, "--yes"]);
        }
        (self.bucket, self.disk) = (None, None);
        let directory = self.directory.path().display().to_string();
        let words = |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| self.seen.contains(word));
        let named = |line: &str| line.contains(&directory) || words(line);
        // Where other stories are told meanwhile, the rest is looked for when all of them have ended.
        let beside = std::env::var_os(BESIDE).is_some();
        let left = self.before.left(|line| !beside || (line.starts_with("+ ") && named(line)));
        assert!(left.is_empty(), "the story leaves behind: {left:#?}");
        self.skipped.take()
    }
}

impl Drop for World {
    /// A failed story must not leave machines to the next one.
    fn drop(&mut self) {
        self.heal_disk();
        for cluster in std::mem::take(&mut self.clusters) {
            if std::env::var("KUBEWRIGHT_KEEP").is_ok() {
                println!("      kept cluster {cluster}");
                continue;
            }
            let output = self.try_kubewright(&["delete", "cluster", &cluster, "--yes"]);
            println!("      cleaned up cluster {cluster}: {}", output.status);
            if !output.status.success() {
                println!("{}", both(&output));
            }
        }
    }
}

/// The beginning of what was typed.
fn shortened(text: &str) -> String {
    const WIDTH: usize = 110;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= WIDTH && line == text {
        return line.to_owned();
    }
    let beginning: String = line.chars().take(WIDTH).collect();
    format!("{beginning}…")
}

/// Both streams of a program, for messages.
pub(crate) fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
