//! Kind `registry-logins`: what kubelets show to registries, from passwords that the operator keeps in files.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{ActionContext, ActionError, Applied, Handler, ObserveContext, ObserveRequest, Output, Outputs};
use plan::{Change, Operation};
use resource::{KindSchema, Observation, ResourceId, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kinds::observed;

const KIND: &str = "registry-logins";

/// Where passwords come from.
pub trait Passwords: Send + Sync {
    /// Reads the password in a file of the operator's; an error when it cannot be read, or others can.
    fn read(&self, file: &str) -> io::Result<Secret>;
}

/// Makes the file with which kubelets log in at registries.
///
/// A password is read when the login is made and looked at again with every preview. Where its file cannot be read later
/// (another operator has none) the recorded one stays.
pub struct RegistryLogins {
    passwords: Arc<dyn Passwords>,
}

impl RegistryLogins {
    /// A handler that reads from `passwords`.
    pub fn new(passwords: Arc<dyn Passwords>) -> Self {
        Self { passwords }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    logins: BTreeMap<String, Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Login {
    username: String,
    password_file: String,
}

/// Docker's `config.json`, which kubelet reads in its root directory (Kubernetes: "Configuring nodes to authenticate to a
/// private registry").
#[derive(Serialize, Deserialize)]
struct DockerConfig {
    auths: BTreeMap<String, Auth>,
}

#[derive(Serialize, Deserialize)]
struct Auth {
    /// `user:password` in base64.
    auth: String,
}

impl Auth {
    fn new(username: &str, password: &Secret) -> Self {
        Self { auth: STANDARD.encode(format!("{username}:{}", password.reveal())) }
    }

    /// User and password; `None` when it is not ours.
    fn read(&self) -> Option<(String, Secret)> {
        let text = String::from_utf8(STANDARD.decode(&self.auth).ok()?).ok()?;
        let (username, password) = text.split_once(':')?;
        Some((username.to_owned(), Secret::new(password)))
    }
}

/// The key of a registry in Docker's file.
fn key(registry: &str) -> &str {
    if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry }
}

fn typed(inputs: &Value) -> Result<Inputs, ActionError> {
    serde_json::from_value(inputs.clone())
        .map_err(|error| ActionError::permanent(format!("cannot read what is wished for: {error}")))
}

fn recorded(outputs: &Outputs) -> DockerConfig {
    let text = outputs.get("config").and_then(Output::text);
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(DockerConfig { auths: BTreeMap::new() })
}

/// The inputs as they are: a login that was never made is missing, a password that has changed says so.
fn observe_recorded(inputs: &Value, outputs: &Outputs, passwords: &dyn Passwords) -> Result<Value, ActionError> {
    let wanted = typed(inputs)?;
    let mut known = recorded(outputs).auths;
    let mut logins = serde_json::Map::new();
    for (registry, login) in &wanted.logins {
        let Some((username, password)) = known.remove(key(registry)).and_then(|auth| auth.read()) else { continue };
        let mut found = json!({"username": username, "passwordFile": login.password_file});
        if passwords.read(&login.password_file).is_ok_and(|now| now != password) {
            found["password"] = "is not the one in the file".into();
        }
        logins.insert(registry.clone(), found);
    }
    logins.extend(known.into_keys().map(|registry| (registry, json!({}))));
    Ok(json!({"logins": logins}))
}

/// The file, with passwords as they are now.
fn make(inputs: &Value, outputs: &Outputs, passwords: &dyn Passwords) -> Result<Secret, ActionError> {
    let known = recorded(outputs).auths;
    let mut auths = BTreeMap::new();
    for (registry, login) in typed(inputs)?.logins {
        let kept = known.get(key(&registry)).and_then(Auth::read).filter(|(username, _)| *username == login.username);
        let password = match (passwords.read(&login.password_file), kept) {
            (Ok(password), _) | (Err(_), Some((_, password))) => password,
            (Err(error), None) => {
                let what = format!("cannot read the password for {registry} in {}", login.password_file);
                return Err(ActionError::from_source(&what, &error)
                    .hint("write it there, readable by you alone (chmod 0600), and run the command again"));
            }
        };
        auths.insert(key(&registry).to_owned(), Auth::new(&login.username, &password));
    }
    let text = serde_json::to_string(&DockerConfig { auths });
    text.map(Secret::new).map_err(|error| ActionError::permanent(format!("cannot write the logins: {error}")))
}

#[async_trait]
impl Handler for RegistryLogins {
    fn schemas(&self) -> Vec<KindSchema> {
        vec![KindSchema { update_changes_outputs: true, ..KindSchema::plain(KIND) }]
    }

    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        let observe = |request: ObserveRequest| {
            let outputs = context.outputs(&request.id);
            let observation = match (&request.recorded, &request.desired) {
                (None, _) => Observation::Absent,
                (Some(_), _) if !outputs.contains_key("config") => Observation::Absent,
                (Some(recorded), None) => Observation::present(recorded.inputs.clone()),
                (Some(_), Some(desired)) => {
                    let found = observe_recorded(desired, &outputs, &*self.passwords);
                    observed(found.map(Observation::present))
                }
            };
            (request.id, observation)
        };
        requests.into_iter().map(observe).collect()
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        let (Operation::Create | Operation::Update | Operation::Adopt, Some(inputs)) =
            (change.operation, &change.after)
        else {
            return Ok(Applied::default());
        };
        let config = make(inputs, &context.outputs.outputs(&change.resource), &*self.passwords)?;
        Ok(Applied { outputs: [("config".to_owned(), Output::Secret(config))].into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files(BTreeMap<&'static str, &'static str>);

    impl Passwords for Files {
        fn read(&self, file: &str) -> io::Result<Secret> {
            self.0.get(file).map(|text| Secret::new(*text)).ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    fn files(pairs: &[(&'static str, &'static str)]) -> Files {
        Files(pairs.iter().copied().collect())
    }

    fn wanted() -> Value {
        json!({"logins": {
            "docker.io": {"username": "me", "passwordFile": "hub"},
            "r.example:5000": {"username": "robot", "passwordFile": "r"},
        }})
    }

    fn made(passwords: &Files) -> Outputs {
        let config = make(&wanted(), &Outputs::new(), passwords).unwrap();
        [("config".to_owned(), Output::Secret(config))].into()
    }

    #[test]
    fn the_file_is_the_one_kubelet_reads() {
        let outputs = made(&files(&[("hub", "a:b"), ("r", "c")]));
        let text: Value = serde_json::from_str(outputs["config"].text().unwrap()).unwrap();
        let expected = json!({"auths": {
            "https://index.docker.io/v1/": {"auth": STANDARD.encode("me:a:b")},
            "r.example:5000": {"auth": STANDARD.encode("robot:c")},
        }});
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_as_wished_is_no_change_and_a_new_password_is_one() {
        let before = files(&[("hub", "a"), ("r", "c")]);
        let outputs = made(&before);
        assert_eq!(observe_recorded(&wanted(), &outputs, &before).unwrap(), wanted());
        let found = observe_recorded(&wanted(), &outputs, &files(&[("hub", "new"), ("r", "c")])).unwrap();
        assert!(found["logins"]["docker.io"]["password"].is_string(), "{found}");
        assert!(!found.to_string().contains("new"), "no password is shown");
        assert_eq!(found["logins"]["r.example:5000"], wanted()["logins"]["r.example:5000"]);
    }

    #[test]
    fn a_file_that_is_gone_keeps_the_recorded_password_and_is_needed_for_a_new_login() {
        let outputs = made(&files(&[("hub", "a"), ("r", "c")]));
        let nothing = files(&[]);
        assert_eq!(observe_recorded(&wanted(), &outputs, &nothing).unwrap(), wanted());
        assert_eq!(Some(make(&wanted(), &outputs, &nothing).unwrap().reveal()), outputs["config"].text());
        let error = make(&wanted(), &Outputs::new(), &nothing).unwrap_err();
        assert!(error.message.contains("docker.io") && error.message.contains("hub"), "{}", error.message);
    }

    #[test]
    fn a_login_that_is_no_longer_wanted_is_a_change() {
        let outputs = made(&files(&[("hub", "a"), ("r", "c")]));
        let fewer = json!({"logins": {"docker.io": {"username": "me", "passwordFile": "hub"}}});
        assert_ne!(observe_recorded(&fewer, &outputs, &files(&[])).unwrap(), fewer);
    }
}
