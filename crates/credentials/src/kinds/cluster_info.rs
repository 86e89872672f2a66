//! Kind `cluster-info`: where a cluster's API is and whom to trust, for whoever has nothing else yet.

use engine::{ActionError, ObserveContext, Outputs};
use pki::Kubeconfig;
use resource::{KindSchema, Observation, Reference};
use serde::Deserialize;
use serde_json::Value;

use super::{Attributes, Generated, Making, generated, outputs, public, read, resolve, text};

pub(super) const KIND: Generated = Generated { name: "cluster-info", irreplaceable: false, schema, observe, make };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    server: String,
    authority: Reference,
}

impl Inputs {
    fn document(&self, context: &dyn ObserveContext) -> Result<String, ActionError> {
        let authority = resolve(&self.authority, context)?;
        let document = Kubeconfig::discovery(&self.server, &authority).to_yaml();
        // There is no user in it, so there is nothing secret in it.
        document
            .map(|text| text.reveal().to_owned())
            .map_err(|error| ActionError::from_source("cannot write the kubeconfig", &error))
    }
}

fn schema() -> KindSchema {
    generated("cluster-info")
}

fn observe(inputs: &Value, outputs: &Outputs, context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let mut attributes = Attributes::of(inputs);
    if text(outputs, "kubeconfig") != Some(&wanted.document(context)?) {
        attributes.differs("server", "another server or another authority");
    }
    Ok(attributes.present())
}

fn make(making: &Making<'_>) -> Result<Outputs, ActionError> {
    let wanted: Inputs = read(making.inputs)?;
    Ok(outputs([("kubeconfig", public(wanted.document(making.context.outputs.as_ref())?))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::World;

    #[tokio::test]
    async fn it_names_the_server_and_the_authority_and_nobody_else() {
        let world = World::new();
        let authority = json!({"commonName": "kubernetes", "validityDays": 3650});
        world.create("authority/kubernetes", &authority).await.unwrap();
        let inputs = json!({
            "server": "https://10.0.0.1:6443",
            "authority": {"$ref": "authority/kubernetes#certificate"},
        });
        let made = world.create("cluster-info/demo", &inputs).await.unwrap();
        let text = made["kubeconfig"].text().unwrap();
        assert!(text.contains("server: https://10.0.0.1:6443") && text.contains("users: []"), "{text}");
        assert_eq!(world.observe("cluster-info/demo", &inputs).await, Some(inputs));
    }
}
