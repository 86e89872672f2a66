//! Whole lives of clusters in a cloud that chooses addresses itself, shows everything late, throttles and loses replies.

use std::collections::{BTreeMap, BTreeSet};

use model::{Facts, Resolved};
use plan::{ActionId, Plan};
use resource::{ResourceId, text};
use serde_json::Value;
use spec::{Effective, Role};
use testkit::{At, FakeWorld, Fault, LaggingCloud, Moment, Site};

use crate::check::{Outcome, apply, assert_settled};
use crate::clusters::{Wanted, documents, small, without_addons};
use crate::kinds;
use crate::lagging::{finished_by_the_next, later};

/// A worker group whose machines come and go by themselves.
const ELASTIC: &str = "spot";

async fn cloud() -> Site {
    let kinds = || kinds::all().into_iter().chain(LaggingCloud::kinds());
    let site = Site::new(|life| FakeWorld::new(kinds(), life), Vec::new()).await.unwrap();
    site.world.settle_after(LaggingCloud::LAG);
    site
}

/// What documents ask for in the cloud.
fn wanted(site: &Site, most: u32, change: impl FnOnce(&mut Effective)) -> Wanted {
    small(whole(site, most, change))
}

fn whole(site: &Site, most: u32, change: impl FnOnce(&mut Effective)) -> Wanted {
    let mut provider = LaggingCloud::new(site.world.clone());
    provider.elastic.insert(ELASTIC.to_owned(), (1, most));
    let resolved = resolved(&provider, change);
    provider::build(&provider, &resolved).unwrap()
}

fn resolved(provider: &LaggingCloud, change: impl FnOnce(&mut Effective)) -> Resolved {
    let mut effective = documents("local.yaml");
    without_addons(&mut effective);
    let workers = effective.groups.iter_mut().find(|group| group.spec.role == Role::Worker).unwrap();
    workers.spec.count = 1;
    let mut spot = workers.clone();
    ELASTIC.clone_into(&mut spot.metadata.name);
    effective.groups.push(spot);
    change(&mut effective);
    let facts = Facts {
        provider: LaggingCloud::facts("10.20.0.0/16".parse().unwrap()),
        programs: BTreeMap::from(["kubewright-agent", "pause"].map(|name| (name.to_owned(), "0".repeat(64)))),
        edition: catalog::Edition::NEWEST,
        templates: BTreeMap::new(),
    };
    provider::resolve(provider, "lineage", effective, facts).unwrap()
}

fn workers(documents: &mut Effective, change: impl Fn(&mut spec::InstanceGroup)) {
    let of_workers = documents.groups.iter_mut();
    of_workers.filter(|group| group.spec.role == Role::Worker && group.metadata.name != ELASTIC).for_each(change);
}

/// Everything that a cluster goes through.
fn steps(site: &Site) -> Vec<(&'static str, Wanted)> {
    let scaled = |documents: &mut Effective| workers(documents, |group| group.spec.count = 2);
    let changed = |documents: &mut Effective| {
        scaled(documents);
        documents.cluster.spec.kubelet.config.insert("maxPods".to_owned(), 77.into());
        documents.cluster.spec.api.extra_sans.push("other.example.org".to_owned());
    };
    let rolled = |documents: &mut Effective| {
        changed(documents);
        workers(documents, |group| group.spec.machine.memory = Some("3Gi".to_owned()));
    };
    vec![
        ("create", wanted(site, 3, |_| {})),
        ("scale", wanted(site, 5, scaled)),
        ("change", wanted(site, 5, changed)),
        ("roll", wanted(site, 5, rolled)),
        ("delete", Wanted::new()),
    ]
}

/// Lets a process die; one goes on at once, and one when everything shows. Together they make what one alone makes.
async fn survives(before: &Site, wanted: &Wanted, outcome: &Outcome, when: &str, kill: impl FnOnce(&Site)) {
    let last = finished_by_the_next(before, wanted, when, kill).await;
    later(&last).await;
    assert_settled(&last, wanted, when).await;
    outcome.assert_reached(&last, when).await;
}

/// Dies around every call of one step, in turn before and after its effect, and after every third write of journal and state: a
/// success that was not recorded is looked for at the calls already.
async fn sweep(step: &str) {
    let site = cloud().await;
    let steps = steps(&site);
    let at = steps.iter().position(|(name, _)| *name == step).unwrap();
    for (_, earlier) in &steps[..at] {
        apply(&site, earlier).await;
        later(&site).await;
    }
    let wanted = &steps[at].1;
    let end = site.fork();
    apply(&end, wanted).await;
    later(&end).await;
    assert_settled(&end, wanted, step).await;
    let outcome = Outcome::of(&end).await;
    for call in 1..=end.world.calls() {
        let fault = if call.is_multiple_of(2) { Fault::DieBefore } else { Fault::DieAfter };
        let when = format!("{step}, {fault:?} {call}");
        survives(&site, wanted, &outcome, &when, |site| site.world.inject(At::Call(call), fault)).await;
    }
    for write in (1..=end.store.writes()).step_by(3) {
        let when = format!("{step}, write {write}");
        survives(&site, wanted, &outcome, &when, |site| site.store.die_at(write, Moment::After)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_create_in_a_cloud_that_lags() {
    sweep("create").await;
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_scaling_in_a_cloud_that_lags() {
    sweep("scale").await;
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_change_in_a_cloud_that_lags() {
    sweep("change").await;
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_roll_in_a_cloud_that_lags() {
    sweep("roll").await;
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_delete_in_a_cloud_that_lags() {
    sweep("delete").await;
}

/// One run in which a third of all calls is refused and a fifth is done without anybody hearing of it.
async fn is_done_in_spite(site: &Site, wanted: &Wanted) -> bool {
    let from = site.world.calls();
    for call in 1..=20 * (wanted.len() + 20) {
        let fault = match call {
            _ if call.is_multiple_of(5) => Fault::LostReply,
            _ if call.is_multiple_of(3) => Fault::Throttled,
            _ => continue,
        };
        site.world.inject(At::Call(from + call), fault);
    }
    let (_, summary) = site.apply(wanted).await.unwrap();
    site.world.heal();
    later(site).await;
    summary.is_complete() && site.plan(wanted).await.unwrap().is_empty()
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_throttles_and_loses_replies_gets_everything_once() {
    let (calm, rough) = (cloud().await, cloud().await);
    for (step, wanted) in steps(&calm) {
        apply(&calm, &wanted).await;
        later(&calm).await;
        let mut runs = 0;
        while {
            runs += 1;
            !is_done_in_spite(&rough, &wanted).await
        } {
            assert!(runs < 10, "{step}: nothing moves");
        }
        assert_settled(&rough, &wanted, step).await;
        Outcome::of(&calm).await.assert_reached(&rough, step).await;
    }
}

/// In this world the API is looked at without being reached. What is inside a real cluster of one control plane is looked at once
/// its access has the new address.
#[tokio::test(start_paused = true)]
async fn an_address_that_changed_outside_reaches_everything_that_says_it() {
    let site = cloud().await;
    let wanted = whole(&site, 3, |_| {});
    apply(&site, &wanted).await;
    later(&site).await;
    let instance = LaggingCloud::instance("demo", "control-plane-1");
    let address = |site: &Site| {
        let things = site.world.snapshot().things;
        let config = things[&ResourceId::new("machine-config", "control-plane-1")].clone();
        config["config"]["machine"]["nodeIps"][0].as_str().unwrap().to_owned()
    };
    let before = address(&site);
    let says_it = |site: &Site, address: &str| -> Vec<ResourceId> {
        let things = site.world.snapshot().things;
        things.into_iter().filter(|(_, thing)| thing.to_string().contains(address)).map(|(id, _)| id).collect()
    };
    let told = says_it(&site, &before);
    assert!(told.len() >= 8, "certificates, configs, kubeconfigs and what is in the cluster: {told:?}");
    assert!(site.world.rename(&instance));
    apply(&site, &wanted).await;
    later(&site).await;
    let after = address(&site);
    assert_ne!(after, before);
    // A kubelet that has its certificate needs no bootstrap any more, and is not told.
    let bootstrap = ResourceId::new("node-bootstrap", "worker-1");
    assert_eq!(says_it(&site, &before), std::slice::from_ref(&bootstrap));
    let told: Vec<ResourceId> = told.into_iter().filter(|id| *id != bootstrap).collect();
    assert_eq!(says_it(&site, &after), told);
    assert_settled(&site, &wanted, "moved").await;
}

/// Three control planes, which get more processors, and other settings of their kubelets.
fn three(documents: &mut Effective) {
    documents.cluster.spec.api.endpoint = Some("api.example.org".to_owned());
    control_planes(documents, |group| group.spec.count = 3);
}

fn grown(documents: &mut Effective) {
    three(documents);
    control_planes(documents, |group| group.spec.machine.cpus = Some(4));
    documents.cluster.spec.kubelet.config.insert("maxPods".to_owned(), 77.into());
    documents.cluster.spec.etcd.extra_args.insert("quota-backend-bytes".to_owned(), "4294967296".to_owned());
}

fn control_planes(documents: &mut Effective, change: impl Fn(&mut spec::InstanceGroup)) {
    documents.groups.iter_mut().filter(|group| group.spec.role == Role::ControlPlane).for_each(change);
}

/// What each change of a plan waits for, with all that these wait for.
fn ancestors(plan: &Plan) -> BTreeMap<ActionId, BTreeSet<ActionId>> {
    let mut all: BTreeMap<ActionId, BTreeSet<ActionId>> = BTreeMap::new();
    for change in &plan.changes {
        let inherited = change.depends_on.iter().filter_map(|id| all.get(id)).flatten().cloned();
        all.insert(change.id.clone(), change.depends_on.iter().cloned().chain(inherited).collect());
    }
    all
}

#[tokio::test(start_paused = true)]
async fn control_planes_that_name_each_others_addresses_are_changed_one_after_the_other() {
    let site = cloud().await;
    apply(&site, &whole(&site, 3, three)).await;
    later(&site).await;
    let wanted = whole(&site, 3, grown);
    let plan = site.plan(&wanted).await.unwrap();
    let ancestors = ancestors(&plan);
    let of = |number: usize| -> Vec<ActionId> {
        let name = format!("control-plane-{number}");
        let parts = [LaggingCloud::instance("demo", &name), ResourceId::new("machine-config", &name)];
        parts.map(|id| ActionId::new("update", &id)).to_vec()
    };
    for (one, other) in [(1, 2), (1, 3), (2, 3)] {
        for (one, other) in of(one).iter().zip(of(other).iter().rev()) {
            let ordered = ancestors[one].contains(other) || ancestors[other].contains(one);
            assert!(ordered, "{one} beside {other}");
        }
    }
    apply(&site, &wanted).await;
    later(&site).await;
    assert_settled(&site, &wanted, "grown").await;
}

#[tokio::test(start_paused = true)]
async fn one_control_plane_that_is_off_does_not_make_the_others_count_as_away() {
    let site = cloud().await;
    apply(&site, &whole(&site, 3, three)).await;
    later(&site).await;
    let off = LaggingCloud::instance("demo", "control-plane-3");
    assert!(site.world.tamper(&off, "/running", false.into()));
    let plan = site.plan(&whole(&site, 3, grown)).await.unwrap();
    let ancestors = ancestors(&plan);
    let update =
        |number: usize| ActionId::new("update", &LaggingCloud::instance("demo", &format!("control-plane-{number}")));
    for (first, then) in [(3, 1), (3, 2), (1, 2)] {
        assert!(ancestors[&update(then)].contains(&update(first)), "{first} before {then}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_made_or_recorded_has_a_text_that_nobody_filled_in() {
    let site = cloud().await;
    let wanted = whole(&site, 3, |_| {});
    let stand_in = |value: &Value| value.to_string().contains("240.1");
    assert!(wanted.values().any(|desired| text::has_texts(&desired.inputs)));
    assert!(!wanted.values().any(|desired| stand_in(&desired.inputs)), "every address has a reference");
    apply(&site, &wanted).await;
    let unrefreshed = site.plan_unrefreshed(&wanted).await.unwrap();
    assert!(unrefreshed.is_empty(), "the record says it all: {:?}", unrefreshed.changes);
    for (id, thing) in site.world.snapshot().things {
        assert!(!text::has_texts(&thing) && !stand_in(&thing), "{id}: {thing}");
    }
}

#[test]
fn machines_of_an_elastic_group_are_no_machines_of_a_plan() {
    let provider = |elastic| {
        let mut provider = LaggingCloud::new(FakeWorld::new([], testkit::Life::default()));
        provider.elastic.extend(elastic);
        provider
    };
    let fixed = provider(None);
    let elastic = provider(Some((ELASTIC.to_owned(), (1, 9))));
    let names = |provider: &LaggingCloud| -> Vec<String> {
        resolved(provider, |_| {}).machines.into_iter().map(|machine| machine.name).collect()
    };
    assert_eq!(names(&fixed), ["control-plane-1", "worker-1", "spot-1"]);
    assert_eq!(names(&elastic), ["control-plane-1", "worker-1"]);
    let built = provider::build(&elastic, &resolved(&elastic, |_| {})).unwrap();
    let about: Vec<String> = built.keys().map(ToString::to_string).filter(|id| id.contains(ELASTIC)).collect();
    assert_eq!(about, ["cloud-group/demo/spot"], "nothing is made of its machines one by one");
}
