//! Addresses that stand in for those that nobody knows before their machine is made.
//!
//! Configs, certificates and command lines want an address, typed as one. A machine whose address is an output gets one here
//! that no host ever has; wherever it ends up in what is wanted, a reference to the output takes its place.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use resource::{Desired, Reference, Text};
use serde_json::Value;

use crate::{Address, Machine};

/// Each of the last three bytes has three digits, so that no stand-in is the beginning of another one in a text.
const DIGITS: std::ops::RangeInclusive<u8> = 100..=255;

/// What all stand-ins begin with: of the range 240.0.0.0/4, which is reserved (RFC 1112).
const FIRST: u8 = 240;
const BEGINNING: &str = "240.";
const LENGTH: usize = "240.100.100.100".len();

/// The stand-ins of a cluster's machines; only machines whose address is an output have one.
#[derive(Debug, Clone, Default)]
pub(crate) struct StandIns {
    by_machine: BTreeMap<String, Ipv4Addr>,
    /// What each stands for, by its text.
    outputs: HashMap<String, Reference>,
}

/// The stand-in of a machine, by its index.
fn stand_in(index: usize) -> Ipv4Addr {
    let base = DIGITS.len();
    let digit = |place: usize| DIGITS.clone().nth(index / place % base).unwrap_or(u8::MAX);
    Ipv4Addr::new(FIRST, digit(base * base), digit(base), digit(1))
}

impl StandIns {
    /// Those of a cluster's machines.
    pub(crate) fn of(machines: &[Machine]) -> Self {
        let mut all = Self::default();
        for (index, machine) in machines.iter().enumerate() {
            if let Address::Output(output) = &machine.address {
                let stand_in = stand_in(index);
                all.by_machine.insert(machine.name.clone(), stand_in);
                all.outputs.insert(stand_in.to_string(), output.clone());
            }
        }
        all
    }

    /// The address of a machine, or what stands in for it.
    pub(crate) fn address(&self, machine: &Machine) -> Ipv4Addr {
        let stand_in = || self.by_machine.get(&machine.name).copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
        machine.address.known().unwrap_or_else(stand_in)
    }

    /// Puts references in the place of all stand-ins of a resource.
    pub(crate) fn replace(&self, desired: &mut Desired) {
        if !self.outputs.is_empty() {
            self.replace_in(&mut desired.inputs);
        }
    }

    fn replace_in(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains(BEGINNING) => {
                if let Some(text) = self.parse(text) {
                    *value = text.to_value();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace_in(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.replace_in(field)),
            _ => {}
        }
    }

    fn parse(&self, text: &str) -> Option<Text> {
        Text::parse(text, BEGINNING, LENGTH, |found| self.outputs.get(found).cloned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_machine_has_a_stand_in_of_its_own_and_none_is_the_beginning_of_another() {
        let all: BTreeSet<String> = (0..100_000).map(|index| stand_in(index).to_string()).collect();
        assert_eq!(all.len(), 100_000);
        assert!(all.iter().all(|stand_in| stand_in.len() == LENGTH && stand_in.starts_with(BEGINNING)));
    }
}
