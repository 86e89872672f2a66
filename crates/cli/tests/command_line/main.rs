//! The program as it is typed, without any machine: names, variables, addresses, results, editors, signals.

mod addresses;
mod editor;
mod names;
mod previews;
mod results;
mod signals;
mod user;
