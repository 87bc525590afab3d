//! The only file that touches the ledger: what is stored, under which key, and for how long.
//!
//! | entry | key | value |
//! |---|---|---|
//! | settings | instance: `"ADMIN"`, `"TOKEN"` | address |
//! | count of prosumers | `"PROSUMERS"` | `u64` |
//! | prosumer | its address | `Bytes`: its numbers, then its meter if it has one |
//! | agreement with its transactions | its id as `u64` | `Bytes`: provider, consumer, numbers |
//!
//! Bytes are what a trade costs (decisions 2 and 3 in docs/decisions.md). So a key has no name besides its value, which
//! is an address for a prosumer and a number for an agreement; records are packed (see `packed`); and what follows from
//! the key or from other numbers is not stored.
//!
//! A call declares how many bytes it will write when it is simulated, and fails if they turn out more. So a record has
//! room for what other people's calls may change in between.
//!
//! A record that is missing ends the call with its error, so a function that reads one always answers it.

use soroban_sdk::{panic_with_error, symbol_short, Address, Bytes, Env, IntoVal, Symbol, Val};

use super::packed::{pack_agreement, pack_prosumer, unpack_agreement, unpack_prosumer};
use super::records::{Agreement, TRANSACTION_STEP};
use super::{Prosumer, SharingError};

/// A day has so many ledgers, since one closes every 5 seconds.
pub const LEDGERS_PER_DAY: u32 = 24 * 60 * 60 / 5;

/// A new record lives for the network's minimum of 120 days. Whoever writes it when at most 44 days are left pays for
/// the time since the last write, up to a life of 45. So a monthly rhythm or a dispute's 30 days never meet an archived
/// record, and nobody pays for an agreement that is over. An archived record comes back when it is used.
pub const RECORD_TTL: u32 = 45 * LEDGERS_PER_DAY;
pub const RECORD_MIN_STEP: u32 = LEDGERS_PER_DAY;

/// All trades share instance and code, and the code's rent is by far the dearest: a day of it costs more than a month of
/// deliveries. The operator extends both to the network's 180 days. As a safety net, below 30 days, whoever acts pays
/// for what is missing, but not for less than an hour, which is not worth the write, nor for more than a day. So a
/// contract that is used once a day lives on.
pub const SHARED_TTL: u32 = 30 * LEDGERS_PER_DAY;
pub const SHARED_MIN_STEP: u32 = LEDGERS_PER_DAY / 24;
pub const SHARED_MAX_STEP: u32 = LEDGERS_PER_DAY;

const ADMIN: Symbol = symbol_short!("ADMIN");
const TOKEN: Symbol = symbol_short!("TOKEN");
const PROSUMERS: Symbol = symbol_short!("PROSUMERS");

pub fn is_initialized(env: &Env) -> bool {
    env.storage().instance().has(&ADMIN)
}

/// Begins every call that acts: it ends the call if the contract is not initialised, and extends the contract's life by
/// a step where that is due.
pub fn enter(env: &Env) {
    admin(env);
    env.storage().instance().extend_ttl_with_limits(SHARED_TTL, SHARED_MIN_STEP, SHARED_MAX_STEP);
}

pub fn admin(env: &Env) -> Address {
    setting(env, &ADMIN)
}

pub fn set_admin(env: &Env, admin: &Address) {
    env.storage().instance().set(&ADMIN, admin);
}

pub fn token(env: &Env) -> Address {
    setting(env, &TOKEN)
}

pub fn set_token(env: &Env, token_contract: &Address) {
    env.storage().instance().set(&TOKEN, token_contract);
}

fn setting(env: &Env, key: &Symbol) -> Address {
    let setting = env.storage().instance().get(key);
    setting.unwrap_or_else(|| panic_with_error!(env, SharingError::NotInitialized))
}

/// How many prosumers are registered.
pub fn prosumer_count(env: &Env) -> u64 {
    env.storage().persistent().get(&PROSUMERS).unwrap_or_default()
}

pub fn set_prosumer_count(env: &Env, count: u64) {
    set(env, &PROSUMERS, &count);
}

pub fn is_registered(env: &Env, address: &Address) -> bool {
    env.storage().persistent().has(address)
}

pub fn prosumer(env: &Env, address: &Address) -> Prosumer {
    unpack_prosumer(env, &get(env, address, SharingError::ProsumerNotRegistered))
}

pub fn set_prosumer(env: &Env, address: &Address, prosumer: &Prosumer) {
    set(env, address, &pack_prosumer(env, prosumer));
}

pub fn agreement(env: &Env, id: u64) -> Agreement {
    unpack_agreement(env, id, &get(env, &id, SharingError::AgreementNotFound))
}

/// The agreement that has this transaction.
pub fn agreement_of(env: &Env, transaction_id: u64) -> Agreement {
    let (id, missing) = (transaction_id % TRANSACTION_STEP, SharingError::TransactionNotFound);
    let mut agreement = unpack_agreement(env, id, &get(env, &id, missing));
    if agreement.transaction(transaction_id).is_err() {
        panic_with_error!(env, missing);
    }
    agreement
}

pub fn set_agreement(env: &Env, agreement: &Agreement) {
    set(env, &agreement.id, &pack_agreement(env, agreement));
}

/// Reads a record, or ends the call with `missing`; or with `NotInitialized`, since a contract that is not initialised
/// has no records.
fn get<K: IntoVal<Env, Val>>(env: &Env, key: &K, missing: SharingError) -> Bytes {
    let packed = env.storage().persistent().get(key);
    packed.unwrap_or_else(|| {
        admin(env);
        panic_with_error!(env, missing)
    })
}

fn set<K: IntoVal<Env, Val>, V: IntoVal<Env, Val>>(env: &Env, key: &K, value: &V) {
    let storage = env.storage().persistent();
    storage.set(key, value);
    storage.extend_ttl_with_limits(key, RECORD_TTL, RECORD_MIN_STEP, RECORD_TTL);
}
