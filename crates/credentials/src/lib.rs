//! Generated credentials: the handler that makes keys and certificates, and the encrypted vault that keeps them.

mod handler;
mod kinds;
mod registry_logins;
pub mod vault;

pub use handler::Credentials;
pub use pki::mint_admin;
pub use registry_logins::{Passwords, RegistryLogins};
pub use vault::{Vault, VaultError};
