//! Stateful fakes for tests: a world with faults, latency and a memory of what was done to it, and ports that can die.
//!
//! A [`Site`] is all of it together with the pipeline between documents and reports: plan, carry out, look again.
//! [`FakeWorld`] behaves as the things behind real handlers do: what was made stays made though the reply was lost, what
//! goes away takes its children along, and whoever makes something before what it depends on is told so.

mod clock;
mod cloud;
pub mod conformance;
mod events;
mod fault;
mod held;
mod kind;
mod life;
mod moto;
mod proxy;
mod randomness;
mod repeat;
mod serving;
mod site;
mod store;
mod vault;
mod web;
mod world;

pub use clock::ManualClock;
pub use cloud::LaggingCloud;
pub use events::CollectedEvents;
pub use fault::{At, Fault};
pub use held::Held;
pub use kind::{FakeKind, Source};
pub use life::Life;
pub use moto::Moto;
pub use proxy::{Hitch, Passed, Proxy};
pub use randomness::SeededRandomness;
pub use repeat::Repeating;
pub use site::Site;
pub use store::{Moment, MortalStore};
pub use vault::MemoryVault;
pub use web::{Asked, Trouble, WebServer};
pub use world::{FakeWorld, Snapshot};
