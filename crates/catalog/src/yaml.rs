//! What Kubernetes reads differently than others do, because its YAML is that of version 1.1.

/// The truth value that a plain word stands for in YAML 1.1 and not in 1.2; nothing for every other text.
///
/// As `go.yaml.in/yaml/v2` has it, through which all components and kubectl read.
pub fn older_truth(word: &str) -> Option<bool> {
    match word {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}
