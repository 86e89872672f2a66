//! How each program is asked whether it accepts what we give it, without doing anything.

use std::process::Output;

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
pub(crate) fn configuration(programs: &Programs, program: &str, text: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
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

fn verdict(accepted: bool, output: &Output) -> Result<(), String> {
    if accepted { Ok(()) } else { Err(format!("{}: {}", output.status, complaint(&output.stderr))) }
}

/// The last lines that a program said: the first ones are its usage.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join("\n")
}
