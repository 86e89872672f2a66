//! Kind `kubeconfig`: a document made of a server, an authority and a client certificate with its key.

use engine::{ActionError, ObserveContext, Output, Outputs};
use pki::Kubeconfig;
use pki::kubeconfig::{Credential, Entry, Trust};
use resource::{Digest, KindSchema, Observation, Reference, Secret};
use serde::Deserialize;
use serde_json::Value;

use super::{Attributes, Generated, Making, failed, generated, outputs, read, resolve, text};

pub(super) const KIND: Generated = Generated { name: "kubeconfig", irreplaceable: false, schema, observe, make };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    cluster_name: String,
    user_name: String,
    server: String,
    authority: Reference,
    certificate: Reference,
    key: Reference,
}

impl Inputs {
    fn entry(self, context: &dyn ObserveContext) -> Result<Entry, ActionError> {
        Ok(Entry {
            trust: Trust::Embedded(resolve(&self.authority, context)?),
            credential: Credential::Embedded {
                certificate: resolve(&self.certificate, context)?,
                key: Secret::new(resolve(&self.key, context)?),
            },
            cluster: self.cluster_name,
            user: self.user_name,
            server: self.server,
        })
    }
}

fn schema() -> KindSchema {
    generated("kubeconfig")
}

fn observe(inputs: &Value, outputs: &Outputs, context: &dyn ObserveContext) -> Result<Observation, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let mut attributes = Attributes::of(inputs);
    let document = text(outputs, "config").and_then(|config| Kubeconfig::from_yaml(config).ok());
    let Some(found) = document.and_then(|document| document.current()) else {
        attributes.differs("config", "is not readable");
        return Ok(attributes.present());
    };
    let mut plain = |field, found: String, wanted: &str| {
        if found != wanted {
            attributes.differs(field, found);
        }
    };
    plain("clusterName", found.cluster, &wanted.cluster_name);
    plain("userName", found.user, &wanted.user_name);
    plain("server", found.server, &wanted.server);
    let (Trust::Embedded(authority), Credential::Embedded { certificate, key }) = (found.trust, found.credential)
    else {
        attributes.differs("config", "names files instead of holding the credentials");
        return Ok(attributes.present());
    };
    let mut content = |field, found: &str, reference: &Reference, shown: &dyn Fn(&str) -> String| {
        if resolve(reference, context).ok().as_deref() != Some(found) {
            attributes.differs(field, shown(found));
        }
    };
    let digest = |text: &str| format!("sha256:{}", Digest::of_bytes(text.as_bytes()));
    // A private key has too much entropy for its digest to be guessed, but nothing is gained by showing it either.
    let hidden = |_: &str| "another key".to_owned();
    content("authority", &authority, &wanted.authority, &digest);
    content("certificate", &certificate, &wanted.certificate, &digest);
    content("key", key.reveal(), &wanted.key, &hidden);
    Ok(attributes.present())
}

fn make(&Making { resource, inputs, context, .. }: &Making<'_>) -> Result<Outputs, ActionError> {
    let wanted: Inputs = read(inputs)?;
    let entry = wanted.entry(context.outputs.as_ref())?;
    let config = Kubeconfig::new(&entry).to_yaml().map_err(|error| failed(resource, &error))?;
    Ok(outputs([("config", Output::Secret(config))]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::World;

    const ID: &str = "kubeconfig/cp-1/admin";

    fn certificate() -> Value {
        json!({
            "authority": {"$ref": "authority/kubernetes#certificate"},
            "authorityKey": {"$ref": "authority/kubernetes#key"},
            "commonName": "kubernetes-admin",
            "organizations": ["kubeadm:cluster-admins"],
            "dnsNames": [],
            "ipAddresses": [],
            "usages": ["client"],
            "validityDays": 365,
            "renewBeforeDays": 30,
        })
    }

    fn inputs() -> Value {
        json!({
            "clusterName": "kubernetes",
            "userName": "kubernetes-admin",
            "server": "https://10.77.0.51:6443",
            "authority": {"$ref": "authority/kubernetes#certificate"},
            "certificate": {"$ref": "certificate/cp-1/admin#certificate"},
            "key": {"$ref": "certificate/cp-1/admin#key"},
        })
    }

    async fn world() -> World {
        let world = World::new();
        let authority = json!({"commonName": "kubernetes", "validityDays": 3650});
        world.create("authority/kubernetes", &authority).await.unwrap();
        world.create("certificate/cp-1/admin", &certificate()).await.unwrap();
        world.create(ID, &inputs()).await.unwrap();
        world
    }

    #[tokio::test]
    async fn it_holds_what_its_references_stand_for() {
        let world = world().await;
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
        assert_eq!(world.secrets_of(ID), ["config"]);
        let config = world.outputs(ID)["config"].text().unwrap().to_owned();
        assert!(config.contains("current-context: kubernetes-admin@kubernetes\n"), "{config}");
    }

    #[tokio::test]
    async fn a_moved_server_is_shown_and_repaired() {
        let world = world().await;
        let mut moved = inputs();
        moved["server"] = json!("https://api.example.org:6443");
        assert_eq!(world.observe(ID, &moved).await.unwrap()["server"], "https://10.77.0.51:6443");
        world.update(ID, &moved).await.unwrap();
        assert_eq!(world.observe(ID, &moved).await, Some(moved));
    }

    #[tokio::test]
    async fn a_reissued_certificate_shows_by_digest_and_never_the_key() {
        let mut world = world().await;
        world.pass_days(340);
        world.update("certificate/cp-1/admin", &certificate()).await.unwrap();
        let seen = world.observe(ID, &inputs()).await.unwrap();
        assert!(seen["certificate"].as_str().unwrap().starts_with("sha256:"));
        assert_eq!((&seen["key"], &seen["authority"]), (&json!("another key"), &inputs()["authority"]));
        world.update(ID, &inputs()).await.unwrap();
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
    }

    #[tokio::test]
    async fn a_lost_document_is_shown_and_made_again() {
        let world = world().await;
        world.lose_secrets(ID);
        assert_eq!(world.observe(ID, &inputs()).await.unwrap()["config"], "is not readable");
        world.update(ID, &inputs()).await.unwrap();
        assert_eq!(world.observe(ID, &inputs()).await, Some(inputs()));
    }
}
