//! Kind `authority`: a certificate authority. Its key is made once; its certificate is renewed with the same key.

use engine::{ActionError, ObserveContext, Output, Outputs};
use jiff::Timestamp;
use pki::{AuthorityWish, Certificate, Difference, Issued, PrivateKey, compare_authority};
use resource::{Behaviour, Effect, FieldChange, KindSchema, Observation};
use serde_json::Value;

use super::{Attributes, Generated, Making, failed, generated, lost, outputs, public, random, read, secret, text};

pub(super) const KIND: Generated = Generated { name: "authority", irreplaceable: true, schema, observe, make };

/// How many days before its end an authority's certificate is renewed: longer than any certificate under it lives.
const RENEW_BEFORE_DAYS: u32 = 366;

fn schema() -> KindSchema {
    generated("authority").rule("commonName", Behaviour::Replace).effects(effects)
}

fn effects(changes: &[FieldChange], _before: &Value, _after: &Value) -> Vec<Effect> {
    let replaced = changes.iter().any(|change| change.path.first().is_some_and(|field| field == "commonName"));
    let what = "trust in every certificate that the authority signed".to_owned();
    replaced.then_some(Effect::LosesData { what }).into_iter().collect()
}

fn observe(inputs: &Value, outputs: &Outputs, context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let wanted: AuthorityWish = read(inputs)?;
    let now = context.clock().now();
    let mut attributes = Attributes::of(inputs);
    for difference in differences(&wanted, outputs, now)? {
        let (field, actual) = super::certificate::show(&difference, now);
        attributes.differs(field, actual);
    }
    Ok(attributes.present())
}

fn differences(inputs: &AuthorityWish, outputs: &Outputs, now: Timestamp) -> Result<Vec<Difference>, ActionError> {
    let unreadable = |error: &pki::PkiError| ActionError::from_source("what is recorded is not readable", error);
    let certificate = text(outputs, "certificate").unwrap_or_default();
    let certificate = Certificate::from_pem(certificate).map_err(|error| unreadable(&error))?;
    let key = secret(outputs, "key").ok_or_else(|| ActionError::permanent("its private key is not in the vault"))?;
    let key = PrivateKey::from_pem(&key).map_err(|error| unreadable(&error))?;
    Ok(compare_authority(inputs, &certificate, Some(&key), now, RENEW_BEFORE_DAYS))
}

fn make(&Making { resource, inputs, existing, context }: &Making<'_>) -> Result<Outputs, ActionError> {
    let wanted: AuthorityWish = read(inputs)?;
    let now = context.outputs.clock().now();
    if existing.is_empty() {
        let issued = wanted.issue(now, random(context)).map_err(|error| failed(resource, &error))?;
        return Ok(to_outputs(&issued));
    }
    let key = secret(existing, "key").and_then(|key| PrivateKey::from_pem(&key).ok());
    let key = key.ok_or_else(|| lost(resource, "private key"))?;
    if differences(&wanted, existing, now).is_ok_and(|found| found.is_empty()) {
        return Ok(existing.clone());
    }
    let issued = wanted.renew(&key, now, random(context)).map_err(|error| failed(resource, &error))?;
    Ok(to_outputs(&issued))
}

fn to_outputs(issued: &Issued) -> Outputs {
    outputs([
        ("certificate", public(issued.certificate.as_str())),
        ("key", Output::Secret(issued.key.clone())),
        ("notAfter", public(issued.not_after.to_string())),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    fn inputs() -> serde_json::Value {
        json!({"commonName": "kubernetes", "validityDays": 3650})
    }

    #[tokio::test]
    async fn a_new_authority_is_as_wished_and_its_key_is_secret() {
        let world = World::new();
        assert_eq!(world.observe("authority/kubernetes", &inputs()).await, None);
        let made = world.create("authority/kubernetes", &inputs()).await.unwrap();
        assert_eq!(made.keys().collect::<Vec<_>>(), ["certificate", "key", "notAfter"]);
        assert_eq!(world.secrets_of("authority/kubernetes"), ["key"]);
        assert_eq!(world.observe("authority/kubernetes", &inputs()).await, Some(inputs()));
    }

    #[tokio::test]
    async fn it_is_renewed_with_the_same_key_in_its_last_year() {
        let mut world = World::new();
        let old = world.create("authority/kubernetes", &inputs()).await.unwrap();
        world.pass_days(3650 - 300);
        let seen = world.observe("authority/kubernetes", &inputs()).await.unwrap();
        assert_eq!(seen["renew"], "expires 2036-11-17");
        let new = world.update("authority/kubernetes", &inputs()).await.unwrap();
        assert_eq!(new["key"], old["key"]);
        assert_ne!(new["certificate"], old["certificate"]);
        assert_eq!(world.observe("authority/kubernetes", &inputs()).await, Some(inputs()));
    }

    #[tokio::test]
    async fn carrying_out_a_change_twice_changes_nothing() {
        let world = World::new();
        let made = world.create("authority/etcd", &inputs()).await.unwrap();
        assert_eq!(world.create("authority/etcd", &inputs()).await.unwrap(), made);
        assert_eq!(world.update("authority/etcd", &inputs()).await.unwrap(), made);
    }

    #[tokio::test]
    async fn a_replacement_gets_a_new_key() {
        let world = World::new();
        let old = world.create("authority/etcd", &inputs()).await.unwrap();
        let new = world.replace("authority/etcd", &inputs()).await.unwrap();
        assert_ne!(new["key"], old["key"]);
    }

    #[tokio::test]
    async fn a_lost_key_is_unknown_and_never_made_again() {
        let world = World::new();
        world.create("authority/etcd", &inputs()).await.unwrap();
        world.lose_secrets("authority/etcd");
        let why = world.unknown("authority/etcd", &inputs()).await;
        assert_eq!(why, "its secret `key` is not in the vault");
        let error = world.update("authority/etcd", &inputs()).await.unwrap_err();
        assert!(error.message.contains("not made again"), "{}", error.message);
    }
}
