//! The gateway delivers exactly once: with a network that fails and lies, through every crash, and over a month of both.

#[path = "../network/mod.rs"]
mod network;

mod crashes;
mod household;
mod month;
mod network_faults;
mod program;
mod proxy;
