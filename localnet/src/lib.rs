//! A single-node local Stellar network; see the README.

use std::path::PathBuf;

use clap::Parser;

mod account;
mod apply;
mod asset_events;
mod classic;
mod format;
pub mod friendbot;
pub mod genesis;
pub mod history;
pub mod jsonrpc;
pub mod ledger;
mod log;
pub mod node;
mod queue;
pub mod rpc;
pub mod server;
pub mod settings;
mod signatures;
mod simulate;
mod soroban;
mod state;
mod tx;
mod tx_set;
mod validate;
pub mod xdr;

/// A single-node local Stellar network for testing Soroban contracts
#[derive(Parser)]
#[command(version)]
pub struct Args {
    /// Port on 127.0.0.1 and ::1; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// File to keep the network in across restarts
    #[arg(long)]
    pub state_file: Option<PathBuf>,
    #[command(flatten)]
    pub network: Options,
}

/// What makes a network differ from another.
#[derive(clap::Args, Clone)]
pub struct Options {
    /// Network passphrase
    #[arg(long, default_value = PASSPHRASE)]
    pub passphrase: String,
    /// Seconds between ledgers; 0 closes one for each transaction, at once
    #[arg(long, default_value_t = 0)]
    pub ledger_seconds: u64,
    /// Ledgers whose transactions and events are remembered
    #[arg(long, default_value_t = RETENTION_LEDGERS, value_parser = clap::value_parser!(u32).range(1..))]
    pub retention_ledgers: u32,
    /// Rate of rent in stroops a KB; Mainnet's is between 1000 and some 12000
    #[arg(long, default_value_t = settings::RENT_RATE, value_parser = clap::value_parser!(i64).range(settings::MIN_RENT_RATE..))]
    pub rent_rate: i64,
}

const PASSPHRASE: &str = "Standalone Network ; February 2017";
/// Seven days.
const RETENTION_LEDGERS: u32 = 120_960;

impl Default for Options {
    fn default() -> Self {
        Self {
            passphrase: PASSPHRASE.into(),
            ledger_seconds: 0,
            retention_ledgers: RETENTION_LEDGERS,
            rent_rate: settings::RENT_RATE,
        }
    }
}
