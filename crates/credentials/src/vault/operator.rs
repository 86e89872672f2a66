//! Operators' keys: age's own, or those of an age plugin that asks a KMS, a TPM or a token.

use std::collections::BTreeMap;

use age::plugin::{self, IdentityPluginV1, RecipientPluginV1};
use age::secrecy::ExposeSecret as _;
use age::x25519;
use age::{Identity, NoCallbacks, Recipient};
use resource::Secret;

use super::VaultError;

/// The private key of an operator: an X25519 key, or the name of one that a plugin uses for us.
///
/// Plugins are programs `age-plugin-NAME` in PATH that speak age's plugin protocol
/// (<https://github.com/C2SP/C2SP/blob/main/age-plugin.md>). Nobody is asked for PINs.
#[derive(Clone)]
pub struct OperatorKey(Kind);

#[derive(Clone)]
enum Kind {
    Own(x25519::Identity),
    Plugin { identity: plugin::Identity, recipient: plugin::Recipient },
}

/// Why a text holds no operator's key, as the end of a sentence that begins with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// There is no key in it.
    Missing,
    /// What decrypts is there, what encrypts is not.
    WithoutRecipient,
}

impl OperatorKey {
    /// A new key, from the operating system's randomness.
    pub(super) fn generate() -> Self {
        Self(Kind::Own(x25519::Identity::generate()))
    }

    /// Reads a key file's text: the first line that is no comment is the key. A plugin's key says nothing of its recipient,
    /// which stands in a comment above it, as all plugins write it.
    pub(super) fn parse(text: &str) -> Result<Self, NoKey> {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let key = lines().find(|line| !line.starts_with('#')).ok_or(NoKey::Missing)?;
        if let Ok(own) = key.parse() {
            return Ok(Self(Kind::Own(own)));
        }
        let identity: plugin::Identity = key.parse().map_err(|_| NoKey::Missing)?;
        let words = lines().filter(|line| line.starts_with('#')).flat_map(str::split_whitespace);
        let recipient = words
            .filter_map(|word| word.parse::<plugin::Recipient>().ok())
            .find(|recipient| recipient.plugin() == identity.plugin())
            .ok_or(NoKey::WithoutRecipient)?;
        Ok(Self(Kind::Plugin { identity, recipient }))
    }

    /// The key as text.
    pub(super) fn text(&self) -> Secret {
        match &self.0 {
            Kind::Own(own) => Secret::new(own.to_string().expose_secret()),
            Kind::Plugin { identity, .. } => Secret::new(identity.to_string()),
        }
    }

    /// The public key, `age1…`.
    pub fn public(&self) -> String {
        match &self.0 {
            Kind::Own(own) => own.to_public().to_string(),
            Kind::Plugin { recipient, .. } => recipient.to_string(),
        }
    }

    /// What decrypts with it.
    pub(super) fn identity(&self) -> Result<Box<dyn Identity>, VaultError> {
        Ok(match &self.0 {
            Kind::Own(own) => Box::new(own.clone()),
            Kind::Plugin { identity, .. } => {
                let name = identity.plugin();
                let plugin = IdentityPluginV1::new(name, std::slice::from_ref(identity), NoCallbacks);
                Box::new(plugin.map_err(|error| VaultError::Plugin(error.to_string()))?)
            }
        })
    }
}

/// Whether a text can be an operator's public key. Whether its plugin is there is not looked at.
pub(super) fn check_recipient(text: &str) -> Result<(), VaultError> {
    let is_one = text.parse::<x25519::Recipient>().is_ok() || text.parse::<plugin::Recipient>().is_ok();
    is_one.then_some(()).ok_or_else(|| VaultError::Operator(text.to_owned()))
}

/// What encrypts for these public keys; each plugin is asked once for all of its keys.
pub(super) fn recipients<'a>(
    texts: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<Box<dyn Recipient + Send>>, VaultError> {
    let mut all: Vec<Box<dyn Recipient + Send>> = Vec::new();
    let mut plugins: BTreeMap<String, Vec<plugin::Recipient>> = BTreeMap::new();
    for text in texts {
        if let Ok(own) = text.parse::<x25519::Recipient>() {
            all.push(Box::new(own));
        } else {
            let recipient: plugin::Recipient = text.parse().map_err(|_| VaultError::Operator(text.clone()))?;
            plugins.entry(recipient.plugin().to_owned()).or_default().push(recipient);
        }
    }
    for (name, keys) in plugins {
        let plugin = RecipientPluginV1::new(&name, &keys, &[], NoCallbacks);
        all.push(Box::new(plugin.map_err(|error| VaultError::Plugin(error.to_string()))?));
    }
    Ok(all)
}
