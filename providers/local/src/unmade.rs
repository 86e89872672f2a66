//! What would have to be made on this host.

use std::collections::BTreeMap;

use engine::{Handler as _, ObserveRequest};
use resource::{Observation, ResourceId};

use crate::LocalProvider;
use crate::handler::blocking;
use crate::inputs::MACHINE;

/// How much is not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unmade {
    /// Networks.
    pub networks: usize,
    /// Machines.
    pub machines: usize,
}

impl Unmade {
    /// Whether everything is there.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is absent, and what can't be seen (as without the programs that look) and was never made.
    fn of(requests: &[ObserveRequest], seen: &BTreeMap<ResourceId, Observation>) -> Self {
        let is_unmade = |request: &&ObserveRequest| match seen.get(&request.id) {
            Some(Observation::Absent) => true,
            Some(Observation::Unknown { .. }) => request.recorded.is_none(),
            _ => false,
        };
        let (machines, networks): (Vec<_>, Vec<_>) =
            requests.iter().filter(is_unmade).partition(|request| request.id.kind() == MACHINE);
        Self { networks: networks.len(), machines: machines.len() }
    }
}

impl LocalProvider {
    /// What of the networks and machines among `requests` would have to be made here. Changes nothing.
    pub(crate) async fn unmade(&self, requests: Vec<ObserveRequest>) -> Unmade {
        let kinds: Vec<&str> = self.schemas().iter().map(|schema| schema.kind).collect();
        let requests: Vec<_> = requests.into_iter().filter(|request| kinds.contains(&request.id.kind())).collect();
        let provider = self.clone();
        let looked = blocking(move || {
            let seen = provider.observe_here(&requests, None, false);
            Ok(Unmade::of(&requests, &seen))
        });
        // Where nobody can look, whoever plans says why.
        looked.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use resource::Recorded;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_absent_or_was_never_seen_nor_made_is_unmade() {
        let request = |id: &str, recorded: bool| ObserveRequest {
            id: id.parse().unwrap(),
            desired: Some(Value::Null),
            recorded: recorded.then(|| Recorded::of_inputs(1, Value::Null)),
        };
        let requests = [
            request("network/a", false),
            request("machine/a/gone", true),
            request("machine/a/there", true),
            request("machine/a/unseen", true),
            request("machine/a/new", false),
        ];
        let seen = BTreeMap::from([
            (requests[0].id.clone(), Observation::unknown("no ip")),
            (requests[1].id.clone(), Observation::Absent),
            (requests[2].id.clone(), Observation::present(Value::Null)),
            (requests[3].id.clone(), Observation::unknown("no ip")),
            (requests[4].id.clone(), Observation::Absent),
        ]);
        assert_eq!(Unmade::of(&requests, &seen), Unmade { networks: 1, machines: 2 });
    }
}
