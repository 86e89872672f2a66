//! A second provider: a cloud that chooses addresses itself, makes groups whose machines come and go, and shows everything late.
//!
//! Its things are those of a [`FakeWorld`]; whoever wants it to lag, to throttle and to lose replies tells the world so.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::Handler;
use ipnet::Ipv4Net;
use model::ids::{output, ssh_key};
use model::resolved::machine_names;
use model::{
    Access, Address, ElasticGroup, Infrastructure, Machine, ModelError, Platform, ProviderFacts, Resolved,
    group_config, place,
};
use provider::{
    DiscoverError, Discovered, ErrorKind, Finding, KnownCluster, NewCluster, PreflightRequest, Provider, ProviderError,
    RecordedById, Setup,
};
use resource::{Behaviour, Desired, Effect, FieldChange, KindSchema, ResourceId};
use serde_json::{Value, json};
use spec::{Effective, HostContext, InstanceGroup, Role};

use crate::{FakeKind, FakeWorld, Source};

const NAME: &str = "lagging-cloud";
const NETWORK: &str = "cloud-network";
const INSTANCE: &str = "cloud-instance";
const GROUP: &str = "cloud-group";
/// Its parts that fail as one.
const ZONES: [&str; 2] = ["a", "b"];
/// How late it shows what was made.
const LAG: Duration = Duration::from_secs(3);

/// A cloud, and which groups of documents it makes elastic.
#[derive(Clone)]
pub struct LaggingCloud {
    world: FakeWorld,
    /// How many machines a group may have, by its name.
    pub elastic: BTreeMap<String, (u32, u32)>,
}

impl LaggingCloud {
    /// How late it shows what was made.
    pub const LAG: Duration = LAG;

    /// A cloud whose things are in `world`.
    pub fn new(world: FakeWorld) -> Self {
        Self { world, elastic: BTreeMap::new() }
    }

    /// What there is in it: each is made under a token, and none shows at once.
    pub fn kinds() -> [FakeKind; 3] {
        let late = |kind| KindSchema { visible_within: LAG, ..KindSchema::plain(kind) };
        let instance = late(INSTANCE)
            .rule("type", Behaviour::Replace)
            .rule("hostKey", Behaviour::Secret)
            .power("running")
            .effects(reboots);
        let made = |schema| FakeKind::new(schema).output("id", Source::Identity).showing_outputs().made_by_token();
        let instance =
            made(instance).output("address", Source::Address).output("hostKey", Source::Input("hostKeyPublic"));
        [made(late(NETWORK)), instance, made(late(GROUP))]
    }

    /// The resource that is an instance.
    pub fn instance(cluster: &str, name: &str) -> ResourceId {
        ResourceId::new(INSTANCE, &format!("{cluster}/{name}"))
    }

    /// What is kept of a cluster in it.
    pub fn facts(range: Ipv4Net) -> ProviderFacts {
        ProviderFacts { name: NAME.to_owned(), format: 1, value: json!({"range": range}) }
    }
}

fn group_id(cluster: &str, name: &str) -> ResourceId {
    ResourceId::new(GROUP, &format!("{cluster}/{name}"))
}

fn range(facts: &ProviderFacts) -> Result<Ipv4Net, ProviderError> {
    let range = facts.value["range"].as_str().and_then(|range| range.parse().ok());
    range.ok_or_else(|| ProviderError::new(ErrorKind::Bug, "the facts name no range"))
}

/// A machine of a group, by its number in it: one zone gets as many as the other.
fn machine(cluster: &str, name: String, role: Role, (group, number): (usize, usize)) -> Machine {
    let zone = Some(ZONES[number % ZONES.len()].to_owned());
    let resource = LaggingCloud::instance(cluster, &name);
    let address = output(resource.clone(), "address");
    let access = Access {
        address: address.to_value(),
        port: 22,
        user: "admin".to_owned(),
        host_key: output(resource.clone(), "hostKey").to_value(),
        private_key: output(ssh_key("operator"), "private").to_value(),
    };
    Machine { name, role, group, zone, address: Address::Output(address), resource, access }
}

/// Other processors are had by a boot.
fn reboots(changes: &[FieldChange], _before: &Value, after: &Value) -> Vec<Effect> {
    let grows = changes.iter().any(|change| change.path == ["cpus"]);
    let name = after["name"].as_str().filter(|_| grows);
    name.map(|name| Effect::Reboots { machine: name.to_owned() }).into_iter().collect()
}

/// What a machine of a group is made of.
fn machine_type(group: &InstanceGroup) -> String {
    group.spec.machine.memory.clone().unwrap_or_else(|| "small".to_owned())
}

#[async_trait]
impl Provider for LaggingCloud {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn host_context(&self) -> Result<HostContext, ProviderError> {
        Ok(HostContext::default())
    }

    async fn discover(&self, cluster: &NewCluster<'_>) -> Result<Discovered, DiscoverError> {
        let taken = cluster.others.facts().await?;
        let free = (0..=u8::MAX).filter_map(|number| Ipv4Net::new(Ipv4Addr::new(10, number, 0, 0), 16).ok());
        let free = free.map(Self::facts).find(|facts| !taken.contains(facts));
        let facts = free.ok_or_else(|| ProviderError::new(ErrorKind::Failed, "no range is free"))?;
        let reservation: Box<dyn Any + Send> = Box::new(());
        Ok(Discovered { facts, remarks: Vec::new(), reservation })
    }

    fn refresh(&self, cluster: &KnownCluster<'_>, _documents: &Effective) -> Result<ProviderFacts, ProviderError> {
        Ok(cluster.facts.clone())
    }

    fn infrastructure(&self, documents: &Effective, facts: &ProviderFacts) -> Result<Infrastructure, ProviderError> {
        let cluster = &documents.cluster.metadata.name;
        let (mut machines, mut elastic) = (Vec::new(), Vec::new());
        for (index, group) in documents.groups.iter().enumerate() {
            if let Some((min, max)) = self.elastic.get(&group.metadata.name) {
                let resource = group_id(cluster, &group.metadata.name);
                elastic.push(ElasticGroup { group: index, min: *min, max: *max, resource });
            } else {
                let names = machine_names(group).enumerate();
                machines.extend(names.map(|(at, name)| machine(cluster, name, group.spec.role, (index, at))));
            }
        }
        let range = range(facts)?;
        let resolver = range.hosts().nth(1).map(IpAddr::V4);
        Ok(Infrastructure {
            machines,
            elastic,
            platform: Platform::default(),
            networks: vec![range.into()],
            resolvers: resolver.into_iter().collect(),
            chosen: BTreeMap::new(),
        })
    }

    fn resources(&self, resolved: &Resolved) -> Result<Vec<Desired>, ModelError> {
        let network = ResourceId::new(NETWORK, resolved.name());
        let within = output(network.clone(), "id");
        let mut all = vec![Desired::new(network, json!({"ranges": resolved.networks, "lineage": resolved.lineage}))];
        for machine in &resolved.machines {
            let inputs = json!({
                "network": within,
                "zone": machine.zone,
                "type": machine_type(resolved.group_of(machine)),
                "name": machine.name,
                "cpus": resolved.group_of(machine).spec.machine.cpus,
                "running": true,
                "hostKey": output(ssh_key(&machine.name), "private"),
                "hostKeyPublic": output(ssh_key(&machine.name), "public"),
                "authorizedKey": output(ssh_key("operator"), "public"),
            });
            all.push(Desired::new(machine.resource.clone(), inputs).at(place(resolved, machine)));
        }
        for group in &resolved.elastic {
            let inputs = json!({
                "network": within,
                "min": group.min,
                "max": group.max,
                "type": machine_type(&resolved.groups[group.group]),
                "config": group_config(resolved, group.group)?,
            });
            all.push(Desired::new(group.resource.clone(), inputs));
        }
        Ok(all)
    }

    fn handler(&self) -> Arc<dyn Handler> {
        Arc::new(self.world.clone())
    }

    async fn check_access(&self, _cluster: &KnownCluster<'_>) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn check_name(&self, _name: &str, _lineage: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn preflight(&self, _request: &PreflightRequest<'_>) -> Vec<Finding> {
        Vec::new()
    }

    async fn survey(&self, _builds_image: bool) -> Result<Vec<Finding>, ProviderError> {
        Ok(Vec::new())
    }

    async fn complete(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError> {
        Ok(cluster.recorded.clone())
    }

    async fn unrecorded(&self, _cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError> {
        Ok(RecordedById::new())
    }

    fn setup(&self) -> Option<Box<dyn Setup>> {
        None
    }

    fn lies_beside_state(&self, _recorded: &RecordedById) -> bool {
        false
    }
}
