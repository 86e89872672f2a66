//! What the networks around a new cluster mean for the address ranges that its documents leave open.

use engine::SourceText;
use spec::{HostContext, MovedRange, Source};

/// The documents of a new cluster with other ranges where the host uses the default ones, and what there is to say.
///
/// They are written down, so that they stay what they are when the host's routes change.
pub(crate) fn fitted(texts: Vec<SourceText>, host_context: &HostContext) -> (Vec<SourceText>, Vec<String>) {
    let mut sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
    let loaded = spec::load(&sources, &HostContext::default());
    // What is wrong with them is said by whoever reads them next.
    let Some(effective) = loaded.effective else { return (texts, Vec::new()) };
    let cluster = format!("Cluster/{}", effective.cluster.metadata.name);
    let mut said = Vec::new();
    for moved in spec::moved_ranges(&loaded.documents, &effective, host_context) {
        let assignment = format!("{}=[{}]", moved.field, moved.to);
        if let Ok(changed) = spec::set(&spec::parse(&sources), &cluster, &assignment) {
            sources = changed;
            said.push(moved_range(&moved));
        }
    }
    let texts = sources.into_iter().map(|source| SourceText { name: source.name, text: source.text });
    (texts.collect(), said)
}

fn moved_range(moved: &MovedRange) -> String {
    let MovedRange { field, what, from, to, route } = moved;
    format!("This host has a route to {route}: {what} get {to} instead of {from} ({field} in the cluster's documents).")
}

#[cfg(test)]
mod tests {
    use spec::NewCluster;

    use super::*;

    fn effective(texts: &[SourceText], host_context: &HostContext) -> spec::Loaded {
        let sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
        spec::load(&sources, host_context)
    }

    fn near(routes: &[&str]) -> HostContext {
        HostContext { routes: routes.iter().map(|net| net.parse().unwrap()).collect(), ..HostContext::default() }
    }

    fn texts() -> Vec<SourceText> {
        let text = spec::generate(&NewCluster::new("demo")).unwrap();
        vec![SourceText { name: "demo.yaml".to_owned(), text }]
    }

    #[test]
    fn a_vpn_that_takes_ten_moves_the_defaults_into_the_documents_and_says_so() {
        let host_context = near(&["10.0.0.0/8"]);
        let (fitted, said) = fitted(texts(), &host_context);
        let loaded = effective(&fitted, &host_context);
        assert_eq!(loaded.diagnostics, []);
        let effective = loaded.effective.unwrap();
        let networking = &effective.cluster.spec.networking;
        let ranges = networking.pod_cidrs.iter().chain(&networking.service_cidrs);
        let ranges: Vec<String> = ranges.map(ToString::to_string).collect();
        assert_eq!(ranges, ["172.29.0.0/16", "172.30.0.0/16"]);
        assert!(said.len() == 2 && said[0].contains("172.29.0.0/16 instead of 10.244.0.0/16"), "{said:?}");
    }

    #[test]
    fn documents_that_fit_or_cannot_be_read_stay_as_written() {
        let vpn = near(&["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(fitted(texts(), &vpn), (texts(), Vec::new()));
        let broken = vec![SourceText { name: "x.yaml".into(), text: "kind: [".into() }];
        assert_eq!(fitted(broken.clone(), &vpn), (broken, Vec::new()));
    }
}
