//! The pipeline that the command line, the tests and later a controller share: open a cluster, observe, plan, run.
//!
//! It knows no terminal and reads no environment: whoever calls it says where state is kept, who asks, and where events go.

mod error;
mod forecast;
mod open;
mod planning;
mod policy;
mod run;

pub use error::ReconcileError;
pub use forecast::forecast;
pub use open::{Observations, OpenCluster};
pub use planning::{PlanInput, make_plan};
pub use policy::Policy;
pub use run::RunContext;

/// The version of kubewright that makes plans, as they record it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
