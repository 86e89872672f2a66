//! Kind `certificate`: a leaf certificate with its key. Reissued, with a new key, when it is not as wished or ends soon.

use engine::{ActionError, ObserveContext, Output, Outputs};
use jiff::Timestamp;
use pki::{Certificate, Difference, Issued, LeafWish, PrivateKey, Signer, compare};
use resource::{Behaviour, KindSchema, Observation, Reference, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attributes, Generated, Making, failed, generated, outputs, public, random, read, resolve, secret, text};

pub(super) const KIND: Generated = Generated { name: "certificate", irreplaceable: false, schema, observe, make };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inputs {
    authority: Reference,
    authority_key: Reference,
    #[serde(flatten)]
    leaf: LeafWish,
    renew_before_days: u32,
}

fn schema() -> KindSchema {
    generated("certificate")
        .rule("organizations", Behaviour::Unordered)
        .rule("dnsNames", Behaviour::Unordered)
        .rule("ipAddresses", Behaviour::Unordered)
        .rule("usages", Behaviour::Unordered)
}

fn observe(inputs: &Value, outputs: &Outputs, context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let mut attributes = Attributes::of(inputs);
    let now = context.clock().now();
    match State::of(outputs) {
        None => attributes.differs("key", "is not readable"),
        Some(state) => {
            let authority = resolve(&wanted.authority, context).ok();
            let authority = authority.and_then(|pem| Certificate::from_pem(&pem).ok());
            let found = match &authority {
                Some(authority) => state.differences(&wanted, authority, now),
                None => vec![Difference::Issuer { found: state.certificate.issuer.clone() }],
            };
            for difference in found {
                let (field, actual) = show(&difference, now);
                attributes.differs(field, actual);
            }
        }
    }
    Ok(attributes.present())
}

/// A recorded certificate that can be read.
struct State {
    certificate: Certificate,
    key: PrivateKey,
}

impl State {
    fn of(outputs: &Outputs) -> Option<Self> {
        let certificate = Certificate::from_pem(text(outputs, "certificate")?).ok()?;
        let key = PrivateKey::from_pem(&secret(outputs, "key")?).ok()?;
        outputs.contains_key("bundle").then_some(Self { certificate, key })
    }

    fn differences(&self, inputs: &Inputs, authority: &Certificate, now: Timestamp) -> Vec<Difference> {
        compare(&inputs.leaf, &self.certificate, Some(&self.key), authority, now, inputs.renew_before_days)
    }
}

fn make(&Making { resource, inputs, existing, context }: &Making<'_>) -> Result<Outputs, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let authority = resolve(&wanted.authority, context.outputs.as_ref())?;
    let authority_key = Secret::new(resolve(&wanted.authority_key, context.outputs.as_ref())?);
    let signer = Signer::new(&authority, &authority_key).map_err(|error| failed(resource, &error))?;
    let now = context.outputs.clock().now();
    let good = |state: State| state.differences(&wanted, signer.certificate(), now).is_empty();
    if State::of(existing).is_some_and(good) {
        return Ok(existing.clone());
    }
    let issued = wanted.leaf.issue(&signer, now, random(context)).map_err(|error| failed(resource, &error))?;
    Ok(to_outputs(&issued))
}

fn to_outputs(issued: &Issued) -> Outputs {
    outputs([
        ("bundle", Output::Secret(issued.bundle())),
        ("certificate", public(issued.certificate.as_str())),
        ("key", Output::Secret(issued.key.clone())),
        ("notAfter", public(issued.not_after.to_string())),
    ])
}

/// The field in which a difference is shown, and what is there.
pub(super) fn show(difference: &Difference, now: Timestamp) -> (&'static str, Value) {
    match difference {
        Difference::Key => ("key", json!("does not belong to the certificate")),
        Difference::Issuer { found } => ("authority", json!(format!("another authority, named {found}"))),
        Difference::CommonName { found } => ("commonName", json!(found)),
        Difference::Organizations { found } => ("organizations", json!(found)),
        Difference::DnsNames { found } => ("dnsNames", json!(found)),
        Difference::IpAddresses { found } => ("ipAddresses", json!(found)),
        Difference::Usages { found } => ("usages", json!(found)),
        Difference::Kind => ("authorityOrLeaf", json!("is the other one")),
        Difference::TooLong { issued_days } => ("validityDays", json!(issued_days)),
        Difference::Expires { at } => {
            let verb = if *at <= now { "expired" } else { "expires" };
            ("renew", json!(format!("{verb} {}", at.strftime("%Y-%m-%d"))))
        }
        Difference::NotYetValid { from } => ("renew", json!(format!("holds only from {}", from.strftime("%Y-%m-%d")))),
    }
}

#[cfg(test)]
mod tests {
    use pki::{Certificate, PrivateKey};
    use resource::Secret;
    use serde_json::{Value, json};

    use super::super::testing::World;

    const ID: &str = "certificate/cp-1/etcd-server";

    fn inputs() -> Value {
        json!({
            "authority": {"$ref": "authority/etcd#certificate"},
            "authorityKey": {"$ref": "authority/etcd#key"},
            "commonName": "cp-1",
            "organizations": [],
            "dnsNames": ["cp-1", "localhost"],
            "ipAddresses": ["10.77.0.51", "127.0.0.1", "::1"],
            "usages": ["server", "client"],
            "validityDays": 365,
            "renewBeforeDays": 30,
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut inputs = inputs();
        inputs[field] = value;
        inputs
    }

    async fn world() -> World {
        let world = World::new();
        let authority = json!({"commonName": "etcd-ca", "validityDays": 3650});
        world.create("authority/etcd", &authority).await.unwrap();
        world.create(ID, &inputs()).await.unwrap();
        world
    }

    #[tokio::test]
    async fn a_new_certificate_is_as_wished_and_its_bundle_is_certificate_and_key() {
        let world = world().await;
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
        assert_eq!(world.secrets_of(ID), ["bundle", "key"]);
        let outputs = world.outputs(ID);
        let bundle = Secret::new(outputs["bundle"].text().unwrap());
        let in_bundle = Certificate::from_pem(bundle.reveal()).unwrap();
        assert_eq!(in_bundle, Certificate::from_pem(outputs["certificate"].text().unwrap()).unwrap());
        assert_eq!(in_bundle.public_key(), PrivateKey::from_pem(&bundle).unwrap().public_der());
        assert_eq!(outputs["notAfter"].text(), Some("2027-11-20T22:46:00Z"));
    }

    #[tokio::test]
    async fn a_changed_wish_shows_what_is_there_and_reissues_with_a_new_key() {
        let world = world().await;
        let before = world.outputs(ID);
        let changed = with("dnsNames", json!(["cp-1", "localhost", "etcd.example.org"]));
        let seen = world.observe(ID, &changed).await.unwrap();
        assert_eq!(seen["dnsNames"], json!(["cp-1", "localhost"]));
        world.update(ID, &changed).await.unwrap();
        assert_eq!(world.observe(ID, &changed).await, Some(changed));
        assert_ne!(world.outputs(ID)["key"], before["key"]);
    }

    #[tokio::test]
    async fn the_order_of_names_is_no_difference() {
        let turned = with("dnsNames", json!(["localhost", "cp-1"]));
        assert_eq!(world().await.observe(ID, &turned).await, Some(turned));
    }

    #[tokio::test]
    async fn renewal_shows_when_it_is_due_and_why() {
        let mut world = world().await;
        world.pass_days(334);
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
        world.pass_days(1);
        let seen = world.observe(ID, &inputs()).await.unwrap();
        assert_eq!(seen, with("renew", json!("expires 2027-11-20")));
        world.pass_days(60);
        assert_eq!(world.observe(ID, &inputs()).await.unwrap()["renew"], "expired 2027-11-20");
        world.update(ID, &inputs()).await.unwrap();
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
    }

    #[tokio::test]
    async fn another_renewal_window_alone_reissues_nothing() {
        let world = world().await;
        let before = world.outputs(ID);
        let changed = with("renewBeforeDays", json!(60));
        assert_eq!(world.observe(ID, &changed).await, Some(changed.clone()));
        assert_eq!(world.update(ID, &changed).await.unwrap(), before);
    }

    #[tokio::test]
    async fn an_authority_renewed_with_its_key_keeps_its_certificates_good() {
        let mut world = world().await;
        world.pass_days(3400);
        let authority = json!({"commonName": "etcd-ca", "validityDays": 3650});
        world.update(ID, &inputs()).await.unwrap();
        let before = world.outputs(ID);
        world.update("authority/etcd", &authority).await.unwrap();
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
        assert_eq!(world.update(ID, &inputs()).await.unwrap(), before);
    }

    #[tokio::test]
    async fn a_replaced_authority_makes_its_certificates_differ() {
        let world = world().await;
        world.replace("authority/etcd", &json!({"commonName": "etcd-ca", "validityDays": 3650})).await.unwrap();
        let seen = world.observe(ID, &inputs()).await.unwrap();
        assert_eq!(seen, with("authority", json!("another authority, named etcd-ca")));
        world.update(ID, &inputs()).await.unwrap();
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
    }

    #[tokio::test]
    async fn a_lost_key_is_shown_and_made_good_by_reissuing() {
        let world = world().await;
        world.lose_secrets(ID);
        assert_eq!(world.observe(ID, &inputs()).await, Some(with("key", json!("is not readable"))));
        world.update(ID, &inputs()).await.unwrap();
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
    }

    #[tokio::test]
    async fn without_its_authority_nothing_is_issued() {
        let error = World::new().create(ID, &inputs()).await.unwrap_err();
        assert_eq!(error.message, "something it needs is missing: authority/etcd has no output `certificate` yet");
    }

    #[tokio::test]
    async fn what_is_no_longer_wanted_is_present_as_recorded() {
        let world = world().await;
        assert_eq!(world.observe_unwanted(ID).await, Some(inputs()));
    }
}
