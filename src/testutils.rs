//! For tests, behind the feature `testutils`: a contract on an embedded ledger with mainnet's limits, and its rules in plain Rust.
//!
//! A contract that calls this one begins its tests with a [`Fixture`], which has the contract deployed, a token with a real issuer, and
//! registered parties; `Fixture::metered().agreement_with(Deposit::Metered)` is an agreement with a deposit that a certified meter draws
//! on. [`books`] adds records up from events, as an indexer does, and [`model`] states every rule once more: what they answer can be
//! compared with the answers of the contract, as [`check_sequence`] does for sequences of calls that a fuzzer makes up.

// It is for tests alone, where what is not as expected ends the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

extern crate std;

pub mod books;
mod fixture;
pub mod model;
pub mod sequence;

pub use fixture::*;
pub use sequence::check_sequence;
