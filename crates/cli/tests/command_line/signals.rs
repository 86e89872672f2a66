//! Ctrl-C ends the program at a question, while documents are read from standard input, and when an editor hangs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::user::User;

/// How long a test waits for what comes at once on an idle machine.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Another program, killed when the test forgets it.
struct Started {
    child: Child,
    said: Receiver<Vec<u8>>,
    text: String,
}

impl Started {
    fn new(mut command: Command, listen_to_output: bool) -> Self {
        command.stdin(Stdio::piped());
        let (heard, other) = (Stdio::piped(), Stdio::null());
        if listen_to_output {
            command.stdout(heard).stderr(other)
        } else {
            command.stderr(heard).stdout(other)
        };
        let mut child = command.spawn().expect("it starts");
        let output = child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>);
        let errors = child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>);
        let mut pipe = output.or(errors).expect("a pipe");
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, said, text: String::new() }
    }

    fn waits_for(&mut self, part: &str) {
        while !self.text.contains(part) {
            let bytes = self.said.recv_timeout(TIMEOUT);
            let bytes = bytes.unwrap_or_else(|_| panic!("it never says {part}: {}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn interrupt(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, Signal::INT).expect("it takes a signal");
    }

    /// Waits for its end without closing its standard input.
    fn ends(mut self) -> Option<i32> {
        let (sender, ended) = mpsc::channel();
        let input = self.child.stdin.take();
        let said = std::mem::replace(&mut self.said, mpsc::channel().1);
        std::thread::spawn(move || {
            // Its output ends when it does.
            while said.recv().is_ok() {}
            let _ = sender.send(());
        });
        let ended = ended.recv_timeout(TIMEOUT);
        drop(input);
        assert!(ended.is_ok(), "it goes on: {}", self.text);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Once the thread that listens to signals runs.
fn listens(process: u32) {
    let path = format!("/proc/{process}/status");
    for _ in 0..6000 {
        let caught = std::fs::read_to_string(&path).unwrap_or_default();
        let mask = caught.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim).unwrap_or_default();
        if u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & (1 << 1) != 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not listen to signals");
}

#[test]
fn ctrl_c_ends_a_program_that_reads_documents_from_standard_input() {
    let user = User::new();
    for arguments in [["create", "cluster", "terminal1", "-f", "-"].as_slice(), &["replace", "-f", "-"]] {
        let started = Started::new(user.command(arguments), false);
        listens(started.child.id());
        started.interrupt();
        assert_eq!(started.ends(), Some(130), "{arguments:?}");
    }
}

#[test]
fn ctrl_c_at_the_question_ends_the_program_and_changes_nothing() {
    let user = User::with_clusters(&["terminal1"]);
    let before = user.files();
    for command in ["update cluster terminal1", "delete cluster terminal1"] {
        let program = format!("{} {command}; echo ended with $?", env!("CARGO_BIN_EXE_kubewright"));
        // A terminal of its own, in which Ctrl-C is a character.
        let mut terminal = Command::new("script");
        terminal
            .args(["--quiet", "--flush", "--command"])
            .arg(format!("sh -c 'trap : INT; {program}'"))
            .arg("/dev/null");
        terminal.env_clear().env("HOME", user.path("")).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        let mut started = Started::new(terminal, true);
        started.waits_for("Only `yes` is taken for an answer");
        started.child.stdin.as_mut().expect("a pipe").write_all(b"\x03").expect("a key is pressed");
        started.waits_for("ended with 130");
        assert_eq!(user.files(), before, "{command}");
    }
}

#[test]
fn an_editor_keeps_one_ctrl_c_and_a_third_one_ends_the_program() {
    let user = User::with_clusters(&["terminal1"]);
    let mut command = user.command(&["edit", "cluster", "terminal1"]);
    command.env("EDITOR", "echo editing >&2; exec sleep 600 #");
    let mut started = Started::new(command, false);
    started.waits_for("editing");
    let editor = children(started.child.id());
    started.interrupt();
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(100));
        started.interrupt();
    }
    let status = started.child.wait().expect("it ends");
    for process in editor {
        let _ = kill_process(process, Signal::KILL);
    }
    assert_eq!(status.code(), Some(130));
}

fn children(process: u32) -> Vec<Pid> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let file = std::fs::File::open(task.path().join("children"));
        let lines = file.map(|file| BufReader::new(file).lines().map_while(Result::ok).collect::<Vec<_>>());
        let words = lines.unwrap_or_default().join(" ");
        found.extend(words.split_whitespace().filter_map(|word| word.parse().ok().and_then(Pid::from_raw)));
    }
    found
}
