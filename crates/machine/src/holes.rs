//! The closed list of facts that texts of a config may leave open, and how they are filled.

use crate::config::MachinePart;
use crate::error::ConfigError;
use crate::wire::Facts;

/// Every hole that a text may have.
pub const NAMES: [&str; 6] = ["nodeName", "nodeIP", "nodeIPs", "arch", "resolvConf", "cgroupDriver"];

/// What the holes of one machine are filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holes {
    node_name: String,
    node_ips: Vec<String>,
    arch: String,
    resolv_conf: String,
    cgroup_driver: String,
}

impl Holes {
    /// From what the operator says about the machine and what the machine says about itself.
    pub fn new(machine: &MachinePart, facts: &Facts) -> Self {
        Self {
            node_name: machine.node_name.clone(),
            node_ips: machine.node_ips.clone(),
            arch: facts.arch.clone(),
            resolv_conf: facts.resolv_conf.clone(),
            cgroup_driver: facts.cgroup_driver.clone(),
        }
    }

    /// `text` with its holes filled; `place` is the item it belongs to, for errors.
    ///
    /// A hole is `{{`, letters, `}}` without anything between them, so the templates of other tools
    /// (`{{ .Name }}`) stay what they are.
    pub fn fill(&self, place: &str, text: &str) -> Result<String, ConfigError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, hole, after)) = next(rest) {
            filled.push_str(before);
            filled.push_str(&self.value(place, hole)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, place: &str, hole: &str) -> Result<String, ConfigError> {
        let value = match hole {
            "nodeName" => self.node_name.clone(),
            "nodeIP" => self.node_ips.first().cloned().unwrap_or_default(),
            "nodeIPs" => self.node_ips.join(","),
            "arch" => self.arch.clone(),
            "resolvConf" => self.resolv_conf.clone(),
            "cgroupDriver" => self.cgroup_driver.clone(),
            _ => return Err(ConfigError::UnknownHole { place: place.into(), hole: hole.into() }),
        };
        if value.is_empty() {
            return Err(ConfigError::EmptyHole { place: place.into(), hole: hole.into() });
        }
        Ok(value)
    }
}

/// The first hole of a text that nothing is known to fill with, so that a config with this text can't be carried out.
pub fn unknown(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, hole, after)) = next(rest) {
        if !NAMES.contains(&hole) {
            return Some(hole);
        }
        rest = after;
    }
    None
}

/// The first hole of a text, and what stands before and after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("{{")?;
        match text[start + 2..].split_once("}}") {
            Some((hole, after)) if !hole.is_empty() && hole.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                return Some((&text[..start], hole, after));
            }
            // Only one brace is stepped over, so that `{{{nodeName}}` still shows its hole.
            _ => from = start + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holes() -> Holes {
        let machine = MachinePart {
            node_name: "cp-1".into(),
            node_ips: vec!["10.1.2.3".into(), "fd00::3".into()],
            ..MachinePart::default()
        };
        let facts = Facts {
            arch: "amd64".into(),
            resolv_conf: "/etc/resolv.conf".into(),
            cgroup_driver: "cgroupfs".into(),
            ..Facts::default()
        };
        Holes::new(&machine, &facts)
    }

    #[test]
    fn every_listed_hole_is_filled() {
        for name in NAMES {
            let filled = holes().fill("file/x", &format!("<{{{{{name}}}}}>")).unwrap();
            assert!(filled.len() > 2 && !filled.contains("{{"), "{name}: {filled}");
        }
        assert_eq!(
            holes().fill("file/x", "--node-ip={{nodeIPs}} {{nodeIP}}").unwrap(),
            "--node-ip=10.1.2.3,fd00::3 10.1.2.3"
        );
    }

    #[test]
    fn an_unknown_hole_is_an_error_that_names_the_file() {
        let error = holes().fill("file//etc/x", "a {{nodename}} b").unwrap_err();
        assert_eq!(error.to_string(), "file//etc/x: unknown hole {{nodename}}");
    }

    #[test]
    fn what_is_unknown_is_what_cannot_be_filled() {
        for text in ["a {{nodename}} b", "{{nodeName}} {{value}}", "{{{value}}}", "ä{{{{value}}"] {
            assert!(unknown(text).is_some() && holes().fill("x", text).is_err(), "{text}");
        }
        for text in ["{{nodeName}}", "{{ value }}", "{{.Value}}", "{{", "{{value}", "{{}}", ""] {
            assert!(unknown(text).is_none() && holes().fill("x", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_hole_without_a_fact_is_an_error() {
        let bare = Holes::new(&MachinePart::default(), &Facts::default());
        assert!(matches!(bare.fill("file/x", "{{nodeIP}}"), Err(ConfigError::EmptyHole { .. })));
    }

    #[test]
    fn templates_of_other_tools_and_single_braces_stay() {
        for text in ["{{ .Name }}", "{{", "}}", "{a}", "{{}}", "${{x-y}}", "ä{{ü}}"] {
            assert_eq!(holes().fill("file/x", text).unwrap(), text);
        }
        assert_eq!(holes().fill("file/x", "{{{nodeName}}}").unwrap(), "{cp-1}");
    }
}
