//! The laws of plans, over documents that nobody thought of.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use spec::{Effective, ProxyMode, Role};

use crate::check::{apply, assert_settled, site};
use crate::clusters::{Wanted, changed, small};

/// How many pairs of documents each law is tried with.
const CASES: u32 = 12;

/// What a user may change of a cluster while it lives.
#[derive(Debug, Clone)]
struct Shape {
    workers: u32,
    labels: BTreeMap<String, String>,
    max_pods: Option<u32>,
    requests: Option<u32>,
    names: Vec<String>,
    mode: ProxyMode,
    metrics_server: bool,
    local_path: bool,
    memory: Option<u32>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let labels = prop::collection::btree_map("[a-z]{1,8}\\.example/[a-z]{1,6}", "[a-z0-9]{0,6}", 0..3);
    let names = prop::collection::vec("[a-z]{1,9}\\.example\\.org", 0..3);
    let numbers = (prop::option::of(20..250_u32), prop::option::of(1..900_u32), prop::option::of(2..9_u32));
    let mode = prop_oneof![Just(ProxyMode::Nftables), Just(ProxyMode::Iptables)];
    (0..4_u32, labels, numbers, names, mode, any::<(bool, bool)>()).prop_map(
        |(workers, labels, (max_pods, requests, memory), names, mode, (metrics_server, local_path))| Shape {
            workers,
            labels,
            max_pods,
            requests,
            names,
            mode,
            metrics_server,
            local_path,
            memory,
        },
    )
}

impl Shape {
    fn wanted(&self) -> Wanted {
        small(changed("local.yaml", |documents| self.give(documents)))
    }

    fn give(&self, documents: &mut Effective) {
        let spec = &mut documents.cluster.spec;
        spec.kubelet.config.extend(self.max_pods.map(|pods| ("maxPods".to_owned(), pods.into())));
        let requests = self.requests.map(|requests| ("max-requests-inflight".to_owned(), requests.to_string()));
        spec.kube_api_server.extra_args.extend(requests);
        spec.api.extra_sans.clone_from(&self.names);
        spec.networking.kube_proxy.mode = self.mode;
        spec.addons.metrics_server.enabled = self.metrics_server;
        spec.addons.local_path.enabled = self.local_path;
        for group in &mut documents.groups {
            group.spec.labels.clone_from(&self.labels);
            group.spec.machine.memory = self.memory.map(|gibibytes| format!("{gibibytes}Gi"));
            if group.spec.role == Role::Worker {
                group.spec.count = self.workers;
            }
        }
    }
}

/// Tries a law with pairs of shapes: what a cluster is, and what it becomes.
fn holds(law: impl Fn(&Wanted, &Wanted) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    let tried = TestRunner::new(config).run(&(shape(), shape()), |(one, other)| law(&one.wanted(), &other.wanted()));
    if let Err(error) = tried {
        panic!("{error}");
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime").block_on(work)
}

#[test]
fn equal_documents_give_byte_equal_plans_whatever_they_say() {
    holds(|one, other| {
        let [first, second] = [(); 2].map(|()| {
            run(async {
                let site = site().await;
                let made = apply(&site, one).await;
                let changed = apply(&site, other).await;
                [made, changed].map(|plan| plan.to_text().expect("a plan is JSON"))
            })
        });
        prop_assert_eq!(first, second);
        Ok(())
    });
}

#[test]
fn what_was_carried_out_is_settled_whatever_it_was() {
    holds(|one, other| {
        run(async {
            let site = site().await;
            for (wanted, when) in [(one, "made"), (other, "changed"), (one, "changed back")] {
                apply(&site, wanted).await;
                assert_settled(&site, wanted, when).await;
            }
            apply(&site, &Wanted::new()).await;
            assert_settled(&site, &Wanted::new(), "deleted").await;
            assert!(site.world.snapshot().things.is_empty());
        });
        Ok(())
    });
}
