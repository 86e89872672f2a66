//! Kind `encryption-config`: how the API server encrypts at rest. Its key is made once.

use std::collections::BTreeSet;

use engine::{ActionError, ObserveContext, Output, Outputs};
use pki::{Cipher, EncryptionConfiguration};
use resource::{Behaviour, KindSchema, Observation};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attributes, Generated, Making, failed, generated, lost, outputs, random, read, secret};

pub(super) const KIND: Generated = Generated { name: "encryption-config", irreplaceable: true, schema, observe, make };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    provider: Cipher,
    resources: Vec<String>,
}

fn schema() -> KindSchema {
    generated("encryption-config").rule("resources", Behaviour::Unordered)
}

fn observe(inputs: &Value, outputs: &Outputs, _context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let mut attributes = Attributes::of(inputs);
    let Some(found) = recorded(outputs) else {
        return Err(ActionError::permanent("its configuration is not readable"));
    };
    if found.cipher() != Some(wanted.provider) {
        attributes.differs("provider", json!(found.cipher()));
    }
    if !same(&found.encrypted(), &wanted.resources) {
        attributes.differs("resources", json!(found.encrypted()));
    }
    Ok(attributes.present())
}

fn recorded(outputs: &Outputs) -> Option<EncryptionConfiguration> {
    EncryptionConfiguration::from_yaml(&secret(outputs, "config")?).ok()
}

fn same(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

fn make(&Making { resource, inputs, existing, context }: &Making<'_>) -> Result<Outputs, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let configuration = if existing.is_empty() {
        if wanted.resources.is_empty() {
            return Err(ActionError::permanent(format!("{resource} names no resource to encrypt")));
        }
        EncryptionConfiguration::new(wanted.provider, &wanted.resources, random(context))
    } else {
        let found = recorded(existing).ok_or_else(|| lost(resource, "encryption key"))?;
        if same(&found.encrypted(), &wanted.resources) && found.cipher() == Some(wanted.provider) {
            return Ok(existing.clone());
        }
        found.with(wanted.provider, &wanted.resources, || random(context))
    };
    let config = configuration.to_yaml().map_err(|error| failed(resource, &error))?;
    Ok(outputs([("config", Output::Secret(config))]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::World;

    const ID: &str = "encryption-config/api-server";

    fn inputs(resources: &[&str]) -> Value {
        json!({"provider": "secretbox", "resources": resources})
    }

    fn key(config: &str) -> &str {
        config.lines().find_map(|line| line.trim().strip_prefix("secret: ")).unwrap()
    }

    #[tokio::test]
    async fn it_is_made_once_and_kept() {
        let world = World::new();
        let made = world.create(ID, &inputs(&["secrets"])).await.unwrap();
        assert_eq!(world.observe(ID, &inputs(&["secrets"])).await, Some(inputs(&["secrets"])));
        assert_eq!(world.create(ID, &inputs(&["secrets"])).await.unwrap(), made);
        assert_eq!(world.secrets_of(ID), ["config"]);
    }

    #[tokio::test]
    async fn other_resources_are_an_update_that_keeps_the_key() {
        let world = World::new();
        let before = world.create(ID, &inputs(&["secrets", "configmaps"])).await.unwrap();
        let fewer = inputs(&["secrets"]);
        assert_eq!(world.observe(ID, &fewer).await.unwrap()["resources"], json!(["secrets", "configmaps"]));
        let after = world.update(ID, &fewer).await.unwrap();
        let (before, after) = (before["config"].text().unwrap(), after["config"].text().unwrap());
        assert_eq!(key(before), key(after));
        assert!(after.contains("configmaps"), "what was encrypted must stay readable");
        assert_eq!(world.observe(ID, &fewer).await, Some(fewer));
    }

    #[tokio::test]
    async fn a_lost_key_is_unknown_and_never_made_again() {
        let world = World::new();
        world.create(ID, &inputs(&["secrets"])).await.unwrap();
        world.lose_secrets(ID);
        assert_eq!(world.unknown(ID, &inputs(&["secrets"])).await, "its secret `config` is not in the vault");
        assert!(world.update(ID, &inputs(&["secrets", "configmaps"])).await.is_err());
    }

    #[tokio::test]
    async fn encrypting_nothing_is_refused_at_first_and_keeps_the_key_later() {
        let world = World::new();
        assert!(world.create(ID, &inputs(&[])).await.is_err());
        world.create(ID, &inputs(&["secrets"])).await.unwrap();
        let outputs = world.update(ID, &inputs(&[])).await.unwrap();
        assert!(!key(outputs["config"].text().unwrap()).is_empty());
        assert_eq!(world.observe(ID, &inputs(&[])).await, Some(inputs(&[])));
    }

    #[tokio::test]
    async fn another_provider_is_an_update_that_keeps_the_earlier_key() {
        let world = World::new();
        let before = world.create(ID, &inputs(&["secrets"])).await.unwrap();
        let wanted = json!({"provider": "aescbc", "resources": ["secrets"]});
        assert_eq!(world.observe(ID, &wanted).await.unwrap()["provider"], "secretbox");
        let after = world.update(ID, &wanted).await.unwrap();
        let (before, after) = (before["config"].text().unwrap(), after["config"].text().unwrap());
        assert!(
            after.contains(key(before)) && after.find("aescbc") < after.find("secretbox"),
            "both, the new one first"
        );
        assert_eq!(world.observe(ID, &wanted).await, Some(wanted));
    }

    #[tokio::test]
    async fn a_provider_that_is_not_supported_is_refused() {
        let error = World::new().create(ID, &json!({"provider": "kms", "resources": []})).await.unwrap_err();
        assert!(error.message.contains("kms"), "{}", error.message);
    }
}
