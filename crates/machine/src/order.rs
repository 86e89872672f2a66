//! The order in which units are started.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Unit;
use crate::error::ConfigError;

/// Units in waves: everything in a wave can be started at once, after the waves before it.
///
/// Names in `after` that are not in `units` are left to systemd.
pub fn waves(units: &BTreeMap<String, Unit>) -> Result<Vec<Vec<&str>>, ConfigError> {
    let mut waiting: BTreeSet<&str> = units.keys().map(String::as_str).collect();
    let mut waves = Vec::new();
    while !waiting.is_empty() {
        let ready: Vec<&str> = waiting
            .iter()
            .copied()
            .filter(|name| units[*name].after.iter().all(|before| !waiting.contains(before.as_str())))
            .collect();
        if ready.is_empty() {
            return Err(ConfigError::Circle { units: waiting.iter().map(ToString::to_string).collect() });
        }
        for name in &ready {
            waiting.remove(name);
        }
        waves.push(ready);
    }
    Ok(waves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Start;

    fn units(list: &[(&str, &[&str])]) -> BTreeMap<String, Unit> {
        list.iter()
            .map(|(name, after)| {
                let after = after.iter().map(ToString::to_string).collect();
                ((*name).to_string(), Unit { enabled: true, start: Start::Always, after, reloads: false })
            })
            .collect()
    }

    #[test]
    fn a_unit_comes_after_those_it_names() {
        let units = units(&[("kubelet", &["containerd", "dbus"]), ("containerd", &[]), ("haproxy", &[])]);
        assert_eq!(waves(&units).unwrap(), [vec!["containerd", "haproxy"], vec!["kubelet"]]);
    }

    #[test]
    fn a_circle_is_named() {
        let units = units(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]);
        assert_eq!(waves(&units), Err(ConfigError::Circle { units: vec!["a".into(), "b".into()] }));
    }
}
