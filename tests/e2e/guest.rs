//! A host with a kernel of its own, where systemd is the first process and cgroups are unified: User-Mode Linux, a kernel
//! that is a program. `guest/build.sh` makes it from Debian's kernel source, once for each version of these files.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::cache::{Missing, Place};

/// What the host is made of. Another text makes another host.
const PARTS: [&str; 4] = [
    include_str!("guest/build.sh"),
    include_str!("guest/kernel.config"),
    include_str!("guest/orders.service"),
    include_str!("guest/orders.sh"),
];
/// Time there says nothing: this only ends a story that hangs.
const TIMEOUT: Duration = Duration::from_mins(25);

/// A running host. It is turned off when it is dropped.
pub(crate) struct Guest {
    kernel: Child,
    /// The directory that it shares with this host.
    orders: PathBuf,
    given: u32,
}

impl Guest {
    /// Starts a host whose disk and orders lie in an empty directory. Its kernel and image are made where they are missing.
    pub(crate) fn boot(directory: &Path) -> Result<Self, Missing> {
        let made = made()?;
        let orders = directory.join("orders");
        std::fs::create_dir_all(&orders).expect("a directory");
        let disk = directory.join("disk");
        let copied = Command::new("cp").arg("--sparse=always").args([&made.join("root.img"), &disk]).status();
        assert!(copied.is_ok_and(|status| status.success()), "{} is written", disk.display());
        let screen = File::create(directory.join("screen")).expect("a file");
        let mut kernel = Command::new(made.join("linux"));
        kernel.args([
            "mem=6G",
            "ncpus=2",
            "seccomp=auto",
            "root=/dev/ubda",
            "rw",
            "con=null",
            "con0=null,fd:1",
            "quiet",
        ]);
        kernel.args([format!("ubd0={}", disk.display()), format!("orders={}", orders.display())]);
        kernel.env("TMPDIR", memory(directory)).process_group(0);
        kernel
            .stdin(std::process::Stdio::null())
            .stdout(screen.try_clone().expect("the file once more"))
            .stderr(screen);
        let kernel = kernel.spawn().expect("the kernel starts");
        let mut guest = Self { kernel, orders, given: 0 };
        guest.run("systemctl is-system-running --wait || true");
        Ok(guest)
    }

    /// Where files that it should see are put; there it is called `/orders`.
    pub(crate) fn shared(&self) -> &Path {
        &self.orders
    }

    /// Runs a script of the shell and waits for its end. Errors are in what it said.
    pub(crate) fn run(&mut self, script: &str) -> (Option<i32>, String) {
        self.given += 1;
        let file = |suffix: &str| self.orders.join(format!("{}.{suffix}", self.given));
        std::fs::write(file("part"), script)
            .and_then(|()| std::fs::rename(file("part"), file("sh")))
            .expect("an order");
        let until = Instant::now() + TIMEOUT;
        while !file("code").exists() {
            let ended = self.kernel.try_wait().expect("the kernel is asked");
            assert!(ended.is_none() && Instant::now() < until, "no answer to {script:?}: {}", self.screen());
            std::thread::sleep(Duration::from_millis(200));
        }
        let text = |suffix: &str| std::fs::read(file(suffix)).expect("an answer");
        let said = String::from_utf8_lossy(&text("out")).into_owned();
        (String::from_utf8_lossy(&text("code")).trim().parse().ok(), said)
    }

    /// The last lines of its screen.
    fn screen(&self) -> String {
        let path = self.orders.with_file_name("screen");
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Guest {
    /// The kernel is many processes of one group.
    fn drop(&mut self) {
        let group = format!("-{}", self.kernel.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.kernel.wait();
    }
}

/// Its memory is a file, which should be in memory where there is room.
fn memory(directory: &Path) -> PathBuf {
    let room = Command::new("df").args(["--output=avail", "-k", "/dev/shm"]).output();
    let kilobytes =
        room.ok().and_then(|room| String::from_utf8_lossy(&room.stdout).lines().nth(1)?.trim().parse().ok());
    if kilobytes.is_some_and(|kilobytes: u64| kilobytes > 7 << 20) {
        return PathBuf::from("/dev/shm");
    }
    directory.to_path_buf()
}

/// The directory with its kernel and image: it takes ten minutes to make.
fn made() -> Result<PathBuf, Missing> {
    let digest = hex::encode(Sha256::digest(PARTS.concat()));
    let held = Place::take(&format!("guest-{}", &digest[..12]));
    let place = &held.path;
    if !place.join("linux").exists() {
        println!("    the host's kernel and image are made, in {}; this takes ten minutes", place.display());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/guest/build.sh");
        let Output { status, stderr, stdout } =
            Command::new("bash").arg(script).arg(place).output().map_err(|error| Missing(error.to_string()))?;
        if !status.success() {
            let said = [stdout, stderr].concat();
            let lines: Vec<String> = String::from_utf8_lossy(&said).lines().map(str::to_owned).collect();
            return Err(Missing(lines[lines.len().saturating_sub(10)..].join("\n")));
        }
    }
    Ok(place.clone())
}
