//! Command-line flags of a component: defaults, and what a user puts in their place.

use std::collections::BTreeMap;

/// Flags given by a user, by name without dashes; several values repeat the flag in their order.
pub type ExtraArgs = BTreeMap<String, Vec<String>>;

/// Flags of one component, sorted by name as kubeadm writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(BTreeMap<String, Vec<String>>);

impl Flags {
    /// No flags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a flag to one value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), vec![value.into()]);
        self
    }

    /// Sets a flag if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Sets a flag to a comma-separated list; none where the list is empty.
    #[must_use]
    pub fn with_list(self, name: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if values.is_empty() { self } else { self.with(name, values.join(",")) }
    }

    /// Sets `--feature-gates=A=true,B=false`; none where there are no gates.
    #[must_use]
    pub fn with_feature_gates(self, gates: &BTreeMap<String, bool>) -> Self {
        self.with_list("feature-gates", gates.iter().map(|(name, on)| format!("{name}={on}")))
    }

    /// Puts a user's flags in the place of ours: all values of a flag named there are replaced.
    #[must_use]
    pub fn replaced_by(mut self, extra: &ExtraArgs) -> Self {
        self.0.extend(extra.iter().map(|(name, values)| (name.clone(), values.clone())));
        self
    }

    /// Makes sure that a comma-separated list names `value`, in the first place if it did not.
    #[must_use]
    pub fn with_list_naming(mut self, name: &str, value: &str) -> Self {
        let values = self.0.entry(name.to_owned()).or_default();
        if !values.iter().flat_map(|list| list.split(',')).any(|item| item.trim() == value) {
            match values.first_mut() {
                Some(first) if !first.is_empty() => *first = format!("{value},{first}"),
                Some(first) => value.clone_into(first),
                None => values.push(value.to_owned()),
            }
        }
        self
    }

    /// Removes a flag.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Whether a flag is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value that counts where a flag is repeated.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.last().map(String::as_str)
    }

    /// The flags as `--name=value`, by name.
    pub fn to_args(&self) -> Vec<String> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| format!("--{name}={value}"))).collect()
    }

    /// The flags by name.
    pub fn as_map(&self) -> &BTreeMap<String, Vec<String>> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{ExtraArgs, Flags};

    #[test]
    fn a_users_flag_replaces_all_values_of_ours_and_may_repeat() {
        let extra = ExtraArgs::from([
            ("v".to_owned(), vec!["4".to_owned()]),
            ("tls-sni-cert-key".to_owned(), vec!["b".to_owned(), "a".to_owned()]),
        ]);
        let flags = Flags::new().with("v", "2").with("bind-address", "127.0.0.1").replaced_by(&extra);
        assert_eq!(
            flags.to_args(),
            ["--bind-address=127.0.0.1", "--tls-sni-cert-key=b", "--tls-sni-cert-key=a", "--v=4"]
        );
    }

    #[test]
    fn a_list_keeps_the_name_it_must_have() {
        let extra = |value: &str| ExtraArgs::from([("plugins".to_owned(), vec![value.to_owned()])]);
        let kept = |value| Flags::new().replaced_by(&extra(value)).with_list_naming("plugins", "A").to_args();
        assert_eq!(kept("B,C"), ["--plugins=A,B,C"]);
        assert_eq!(kept("B,A"), ["--plugins=B,A"]);
        assert_eq!(kept(""), ["--plugins=A"]);
    }
}
