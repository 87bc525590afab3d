//! A single-node local Stellar network; see the README.

use std::path::PathBuf;

use clap::Parser;

mod account;
mod apply;
mod classic;
pub mod friendbot;
pub mod jsonrpc;
pub mod ledger;
pub mod log;
pub mod node;
pub mod rpc;
pub mod server;
mod settings;
mod simulate;
mod soroban;
mod state;
mod tx;
mod validate;
pub mod xdr;

/// A single-node local Stellar network for testing Soroban contracts
#[derive(Parser)]
#[command(version)]
pub struct Args {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// Network passphrase
    #[arg(long, default_value = "Standalone Network ; February 2017")]
    pub passphrase: String,
    /// File to keep the network in across restarts
    #[arg(long)]
    pub state_file: Option<PathBuf>,
}
