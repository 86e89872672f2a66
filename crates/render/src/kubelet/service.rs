//! kubelet's flags, unit and drop-in.

use serde::Serialize;

use super::{BOOTSTRAP_KUBECONFIG_PATH, CONFIG_PATH, FLAGS_ENV_PATH, KUBECONFIG_PATH};
use crate::{Error, ExtraArgs, Flags, Gates, Template, Templates, hole};

/// What is known about the flags of a kubelet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeletFlags {
    /// What the Kubernetes minor takes.
    pub gates: Gates,
    /// Name of the node, or the hole.
    pub hostname_override: String,
    /// Addresses of the node separated by commas, or the hole.
    pub node_ip: String,
    /// The pause image; only old minors want it.
    pub pause_image: String,
    /// Flags that replace ours.
    pub extra_args: ExtraArgs,
}

impl KubeletFlags {
    /// Name and address as holes.
    pub fn new(gates: Gates, pause_image: impl Into<String>) -> Self {
        Self {
            gates,
            hostname_override: hole::NODE_NAME.to_owned(),
            node_ip: hole::NODE_IP.to_owned(),
            pause_image: pause_image.into(),
            extra_args: ExtraArgs::new(),
        }
    }
}

/// Where kubelet's program is and what goes before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KubeletUnit {
    /// Path of the program.
    pub program: String,
    /// Units that must run before, such as `containerd.service`.
    pub after: Vec<String>,
    /// Seconds between an exit and the next start.
    pub restart_seconds: u32,
}

impl Default for KubeletUnit {
    fn default() -> Self {
        Self {
            program: "/usr/bin/kubelet".to_owned(),
            after: vec!["containerd.service".to_owned()],
            restart_seconds: 2,
        }
    }
}

/// The whole command line after the program: files first, as the drop-in orders them.
pub fn args(input: &KubeletFlags) -> Vec<String> {
    let mut args = vec![
        format!("--bootstrap-kubeconfig={BOOTSTRAP_KUBECONFIG_PATH}"),
        format!("--kubeconfig={KUBECONFIG_PATH}"),
        format!("--config={CONFIG_PATH}"),
    ];
    args.extend(flags(input).to_args());
    args
}

/// The file `kubeadm-flags.env`.
pub fn flags_env(input: &KubeletFlags) -> String {
    let words: Vec<String> = flags(input).to_args().iter().map(|arg| word(arg)).collect();
    format!("KUBELET_KUBEADM_ARGS=\"{}\"\n", words.join(" ").replace('\\', "\\\\").replace('"', "\\\""))
}

/// The unit `kubelet.service`.
pub fn unit(input: &KubeletUnit, templates: &Templates) -> Result<String, Error> {
    templates.render(Template::KubeletService, input)
}

/// The drop-in `10-kubeadm.conf`.
pub fn drop_in(input: &KubeletUnit, templates: &Templates) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Values<'a> {
        program: &'a str,
        bootstrap_kubeconfig: &'a str,
        kubeconfig: &'a str,
        config: &'a str,
        flags_env: &'a str,
    }
    let values = Values {
        program: &input.program,
        bootstrap_kubeconfig: BOOTSTRAP_KUBECONFIG_PATH,
        kubeconfig: KUBECONFIG_PATH,
        config: CONFIG_PATH,
        flags_env: FLAGS_ENV_PATH,
    };
    templates.render(Template::KubeletDropIn, &values)
}

fn flags(input: &KubeletFlags) -> Flags {
    let pause_image = input.gates.kubelet_pod_infra_container_image.then_some(&input.pause_image);
    Flags::new()
        .with("hostname-override", &input.hostname_override)
        .with("node-ip", &input.node_ip)
        .with_some("pod-infra-container-image", pause_image)
        .replaced_by(&input.extra_args)
}

/// systemd splits the variable at white space and respects quotes; a plain argument is left as it is.
fn word(arg: &str) -> String {
    if arg.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\')) {
        format!("'{}'", arg.replace('\\', "\\\\").replace('\'', "\\'"))
    } else {
        arg.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{KubeletFlags, flags_env};
    use crate::Gates;

    #[test]
    fn flags_are_one_quoted_line_and_old_minors_name_the_pause_image() {
        let new = KubeletFlags::new(Gates::of_minor(36), "pause:3.10.2");
        assert_eq!(flags_env(&new), "KUBELET_KUBEADM_ARGS=\"--hostname-override={{nodeName}} --node-ip={{nodeIP}}\"\n");
        let old = KubeletFlags::new(Gates::of_minor(34), "pause:3.10.1");
        assert!(flags_env(&old).contains(" --pod-infra-container-image=pause:3.10.1\""));
    }

    #[test]
    fn an_argument_with_a_blank_stays_one_word() {
        let mut flags = KubeletFlags::new(Gates::of_minor(36), "");
        flags.extra_args.insert("node-labels".to_owned(), vec!["a=b c".to_owned()]);
        assert!(flags_env(&flags).contains(" '--node-labels=a=b c'\""));
    }
}
