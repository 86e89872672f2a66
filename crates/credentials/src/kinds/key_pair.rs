//! Kind `key-pair`: the key with which service account tokens are signed. Made once.

use engine::{ActionError, ObserveContext, Output, Outputs};
use pki::PrivateKey;
use resource::{Behaviour, Effect, FieldChange, KindSchema, Observation};
use serde::Deserialize;
use serde_json::Value;

use super::{Attributes, Generated, Making, failed, generated, lost, outputs, public, read, secret, text};

pub(super) const KIND: Generated = Generated { name: "key-pair", irreplaceable: true, schema, observe, make };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    algorithm: Algorithm,
}

#[derive(Deserialize)]
enum Algorithm {
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
}

fn schema() -> KindSchema {
    generated("key-pair").rule("algorithm", Behaviour::Replace).effects(effects)
}

fn effects(changes: &[FieldChange], _before: &Value, _after: &Value) -> Vec<Effect> {
    let replaced = changes.iter().any(|change| change.path.first().is_some_and(|field| field == "algorithm"));
    let what = "every service account token issued so far".to_owned();
    replaced.then_some(Effect::LosesData { what }).into_iter().collect()
}

fn observe(inputs: &Value, outputs: &Outputs, _context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let Inputs { algorithm: Algorithm::EcdsaP256 } = read(inputs)?;
    let mut attributes = Attributes::of(inputs);
    if !belong_together(outputs) {
        attributes.differs("public", "is not the public half of the private key");
    }
    Ok(attributes.present())
}

fn belong_together(outputs: &Outputs) -> bool {
    let key = secret(outputs, "private").and_then(|key| PrivateKey::from_pem(&key).ok());
    key.is_some_and(|key| text(outputs, "public") == Some(key.public_pem().as_str()))
}

fn make(&Making { resource, inputs, existing, .. }: &Making<'_>) -> Result<Outputs, ActionError> {
    let Inputs { algorithm: Algorithm::EcdsaP256 } = read(inputs)?;
    let key = if existing.is_empty() {
        PrivateKey::generate().map_err(|error| failed(resource, &error))?
    } else {
        let private = secret(existing, "private").and_then(|key| PrivateKey::from_pem(&key).ok());
        private.ok_or_else(|| lost(resource, "private key"))?
    };
    Ok(outputs([("private", Output::Secret(key.pem().clone())), ("public", public(key.public_pem()))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    const ID: &str = "key-pair/service-account";

    #[tokio::test]
    async fn the_pair_is_made_once_and_kept() {
        let world = World::new();
        let inputs = json!({"algorithm": "ecdsa-p256"});
        assert_eq!(world.observe(ID, &inputs).await, None);
        let made = world.create(ID, &inputs).await.unwrap();
        assert!(made["public"].text().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
        assert_eq!(world.secrets_of(ID), ["private"]);
        assert_eq!(world.update(ID, &inputs).await.unwrap(), made);
        assert_eq!(world.observe(ID, &inputs).await, Some(inputs));
    }

    #[tokio::test]
    async fn a_public_key_of_another_pair_is_noticed_and_repaired_from_the_private_one() {
        let world = World::new();
        let inputs = json!({"algorithm": "ecdsa-p256"});
        let made = world.create(ID, &inputs).await.unwrap();
        world.set_public(ID, "public", "another");
        assert_ne!(world.observe(ID, &inputs).await, Some(inputs.clone()));
        assert_eq!(world.update(ID, &inputs).await.unwrap(), made);
    }

    #[tokio::test]
    async fn an_algorithm_that_is_not_supported_is_refused() {
        let error = World::new().create(ID, &json!({"algorithm": "rsa"})).await.unwrap_err();
        assert!(error.message.contains("rsa"), "{}", error.message);
    }

    #[tokio::test]
    async fn a_lost_key_is_unknown_and_never_made_again() {
        let world = World::new();
        let inputs = json!({"algorithm": "ecdsa-p256"});
        world.create(ID, &inputs).await.unwrap();
        world.lose_secrets(ID);
        assert_eq!(world.unknown(ID, &inputs).await, "its secret `private` is not in the vault");
        assert!(world.update(ID, &inputs).await.is_err());
    }
}
