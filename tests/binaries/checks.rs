//! How each program is asked whether it accepts what we give it, without doing anything.

use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use pki::{Authority, AuthorityWish};

use crate::programs::Programs;

/// Flags are parsed before the version is printed, so an unknown one or a value of the wrong type is refused.
pub(crate) fn command_line(programs: &Programs, program: &str, arguments: &[String]) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let version = if program == "coredns" { "-version" } else { "--version" };
    let arguments = [arguments, &[version.to_owned()]].concat();
    let output = programs.run(program, &arguments, directory.path());
    // flanneld shows its usage and ends as if all were well.
    let said = String::from_utf8_lossy(&output.stderr);
    let refused = said.contains("flag provided but not defined") || said.contains("invalid value");
    verdict(output.status.success() && !refused, &output)
}

/// - kubelet: reads and validates its configuration, then ends because the kubeconfig or the CA is not there.
/// - kube-proxy: reads and validates its configuration, writes it and ends.
/// - containerd: decodes its configuration with every plugin's part and prints it.
/// - haproxy: has an option for that.
/// - coredns: starts, in a root and a network of its own, and gets as far as waiting for the API.
pub(crate) fn configuration(programs: &Programs, program: &str, text: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    match program {
        "coredns" => return corefile(programs, text, directory.path()),
        "haproxy" => return haproxy(programs, text, directory.path()),
        _ => {}
    }
    let path = directory.path().join("config");
    let root = directory.path().join("root").to_string_lossy().into_owned();
    // Also on a host that is a node itself.
    std::fs::write(&path, text.replace("/etc/kubernetes/", &format!("{root}/nowhere/"))).unwrap();
    let path = path.to_string_lossy().into_owned();
    let arguments = match program {
        "kubelet" => vec![
            format!("--config={path}"),
            format!("--root-dir={root}"),
            format!("--kubeconfig={root}/nowhere/kubelet.conf"),
            format!("--cert-dir={root}/pki"),
        ],
        "kube-proxy" => vec![format!("--config={path}"), format!("--write-config-to={path}.written")],
        "containerd" => ["--config", &path, "config", "dump"].map(str::to_owned).to_vec(),
        other => panic!("{other} has no configuration"),
    };
    let output = programs.run(program, &arguments, directory.path());
    let said = String::from_utf8_lossy(&output.stderr);
    // All of them go on without a field that they don't know, and say so.
    let lenient = said.contains("lenient decoding") || said.contains("unknown key in TOML");
    // Both come after the configuration was validated; which is first depends on how kubelet gets its certificates.
    let ends = ["unable to load client CA file", "unable to load kubeconfig"];
    let accepted = match program {
        "kubelet" => !output.status.success() && ends.into_iter().any(|end| said.contains(end)),
        _ => output.status.success(),
    };
    verdict(accepted && !lenient, &output)
}

fn haproxy(programs: &Programs, text: &str, directory: &Path) -> Result<(), String> {
    let path = directory.join("haproxy.cfg").to_string_lossy().into_owned();
    // It reads the authority too, which only machines have.
    let authority = directory.join("ca.crt").to_string_lossy().into_owned();
    let issued = AuthorityWish::new(Authority::Kubernetes).issue(Timestamp::now(), [1; 16]).unwrap();
    std::fs::write(&authority, issued.certificate).unwrap();
    std::fs::write(&path, text.replace("/etc/kubernetes/pki/ca.crt", &authority)).unwrap();
    let output = programs.run_of_machine("usr/sbin/haproxy", &["-c", "-f", &path]);
    verdict(output.status.success(), &output)
}

fn corefile(programs: &Programs, text: &str, root: &Path) -> Result<(), String> {
    let account = root.join("var/run/secrets/kubernetes.io/serviceaccount");
    std::fs::create_dir_all(&account).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::copy(programs.path("coredns"), root.join("coredns")).unwrap();
    std::fs::write(account.join("token"), "token").unwrap();
    std::fs::write(root.join("etc/resolv.conf"), "nameserver 192.0.2.53\n").unwrap();
    std::fs::write(root.join("Corefile"), text).unwrap();
    // It goes on for ever; a Corefile that it does not accept ends it at once.
    let script = "ip link set lo up && exec timeout 3 chroot . /coredns -conf /Corefile";
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", script]).current_dir(root);
    command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", "9");
    let mut output = command.output().expect("unshare starts");
    output.stderr.extend_from_slice(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    let accepted = output.status.code() == Some(124) && said.contains("waiting for Kubernetes API");
    verdict(accepted, &output)
}

fn verdict(accepted: bool, output: &Output) -> Result<(), String> {
    if accepted { Ok(()) } else { Err(format!("{}: {}", output.status, complaint(&output.stderr))) }
}

/// The last lines that a program said: the first ones are its usage.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join("\n")
}
