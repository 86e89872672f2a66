//! What the model makes of every example, carried out on a world of fakes: laws of a lifecycle, crashes, faults.

mod check;
mod checkpoints;
mod cloud;
mod clusters;
mod crashes;
mod credentials;
mod editions;
mod failures;
mod generated;
mod kinds;
mod lagging;
mod lifecycle;
mod mutations;
mod plans;
mod reaches;
mod repeats;
mod schema;
mod stopping;
mod upgrades;
