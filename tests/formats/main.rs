//! What is written down outlives the program that wrote it: every version is read, and damage is never taken for truth.

mod damage;
mod fixture;
mod reading;
mod writing;
