//! Kind `ssh-key`: an ed25519 key of a host or of the operator. Made once.

use engine::{ActionError, ObserveContext, Output, Outputs};
use pki::SshKey;
use resource::{Behaviour, KindSchema, Observation};
use serde::Deserialize;
use serde_json::Value;

use super::{Attributes, Generated, Making, failed, generated, lost, outputs, public, random, read, secret, text};

pub(super) const KIND: Generated = Generated { name: "ssh-key", irreplaceable: true, schema, observe, make };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    comment: String,
}

fn schema() -> KindSchema {
    // A comment is not worth touching every machine that knows the key.
    generated("ssh-key").rule("comment", Behaviour::CreateOnly)
}

fn observe(inputs: &Value, outputs: &Outputs, _context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let mut attributes = Attributes::of(inputs);
    let Some(key) = recorded(outputs) else { return Err(ActionError::permanent("its key is not readable")) };
    if !key.belongs_together() {
        attributes.differs("public", "is not the public half of the private key");
    }
    match pki::ssh::comment(&key.public) {
        Ok(comment) if comment == wanted.comment => {}
        Ok(comment) => attributes.differs("comment", comment),
        Err(_) => attributes.differs("public", "is not readable"),
    }
    Ok(attributes.present())
}

fn recorded(outputs: &Outputs) -> Option<SshKey> {
    Some(SshKey {
        public: text(outputs, "public").unwrap_or_default().to_owned(),
        private: secret(outputs, "private")?,
    })
}

fn make(&Making { resource, inputs, existing, context }: &Making<'_>) -> Result<Outputs, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let key = if existing.is_empty() {
        SshKey::from_seed(&wanted.comment, &random(context)).map_err(|error| failed(resource, &error))?
    } else {
        let key = recorded(existing).ok_or_else(|| lost(resource, "private key"))?;
        key.with_comment(&wanted.comment).map_err(|_| lost(resource, "private key"))?
    };
    Ok(outputs([("private", Output::Secret(key.private)), ("public", public(key.public))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    const ID: &str = "ssh-key/operator";

    #[tokio::test]
    async fn a_key_is_made_from_the_runs_randomness_and_kept() {
        let (world, other) = (World::new(), World::new());
        let inputs = json!({"comment": "operator of demo"});
        let made = world.create(ID, &inputs).await.unwrap();
        assert_eq!(other.create(ID, &inputs).await.unwrap(), made);
        assert_eq!(world.create(ID, &inputs).await.unwrap(), made);
        assert_eq!(world.secrets_of(ID), ["private"]);
        assert_eq!(world.observe(ID, &inputs).await, Some(inputs));
    }

    #[tokio::test]
    async fn another_comment_keeps_the_key() {
        let world = World::new();
        let old = world.create(ID, &json!({"comment": "old"})).await.unwrap();
        let inputs = json!({"comment": "new"});
        assert_eq!(world.observe(ID, &inputs).await, Some(json!({"comment": "old"})));
        let new = world.update(ID, &inputs).await.unwrap();
        let data = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
        assert_eq!(data(old["public"].text().unwrap()), data(new["public"].text().unwrap()));
        assert_eq!(world.observe(ID, &inputs).await, Some(inputs));
    }

    #[tokio::test]
    async fn a_damaged_public_half_is_made_good_from_the_private_one() {
        let world = World::new();
        let inputs = json!({"comment": "x"});
        let made = world.create(ID, &inputs).await.unwrap();
        world.set_public(ID, "public", "nonsense");
        assert_eq!(world.observe(ID, &inputs).await.unwrap()["public"], "is not readable");
        assert_eq!(world.update(ID, &inputs).await.unwrap(), made);
    }

    #[tokio::test]
    async fn a_lost_key_is_unknown_and_never_made_again() {
        let world = World::new();
        let inputs = json!({"comment": "x"});
        world.create(ID, &inputs).await.unwrap();
        world.lose_secrets(ID);
        assert_eq!(world.unknown(ID, &inputs).await, "its secret `private` is not in the vault");
        assert!(world.update(ID, &inputs).await.is_err());
    }
}
