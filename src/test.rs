//! The tests, one file for each concern. Their fixture is `testutils`.

extern crate std;

use std::{env::var, fmt::Debug, fs, vec::Vec};

use soroban_sdk::{
    testutils::{Address as _, EnvTestConfig, IssuerFlags, Ledger as _},
    token::{StellarAssetClient, TokenClient},
    xdr::{ContractEvent, ContractEventBody, LedgerEntryData, LedgerKey, ScVal},
    Address, Env, Event, InvokeError, TryFromVal,
};
use soroban_token_sdk::events::TransferWithAmountOnly;

use crate::testutils::*;
use crate::utils::storage;
use crate::{
    AgreementState, AgreementStatus, Deposit, PeerToPeerEnergySharing, PeerToPeerEnergySharingClient, Prosumer,
    SharingError, TransactionState, TransactionStatus, TRANSACTION_STEP,
};

mod agreement;
mod auth;
mod bill;
mod day;
mod delivery;
mod dispute;
mod docs;
mod escrow;
mod exhaustive;
mod faults;
mod footprint;
mod full;
mod history;
mod meter;
mod operator;
mod packed;
mod payments;
mod power;
mod property;
mod refusals;
mod schema;
mod settlement;
mod spec;
mod stored;
mod token;
mod wallets;
mod wasm;
