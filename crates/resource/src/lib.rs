//! Vocabulary of everything kubewright manages: ids, values, schemas, lifecycles, observations, diagnostics.

pub mod diagnostic;
pub mod digest;
pub mod id;
pub mod lifecycle;
pub mod observation;
pub mod recorded;
pub mod reference;
pub mod schema;
pub mod secret;
pub mod text;
pub mod yaml;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use digest::Digest;
pub use id::{InvalidId, ResourceId};
pub use lifecycle::Lifecycle;
pub use observation::Observation;
pub use recorded::{Attempt, Desired, Place, Recorded, Run};
pub use reference::Reference;
pub use schema::{Behaviour, ChangedBy, Effect, FieldChange, FieldRule, KindSchema, Loss, MEMBER_SERVES, STOPPED};
pub use secret::Secret;
pub use text::Text;
