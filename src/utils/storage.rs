//! The only file that touches the ledger: what is stored, under which key, how, and for how long.
//!
//! | entry | key | value |
//! |---|---|---|
//! | settings | instance: `"ADMIN"`, `"TOKEN"` | address |
//! | count of prosumers | `"PROSUMERS"` | `u64` |
//! | prosumer | its address | meter, numbers |
//! | agreement | its id as `u64` | provider, consumer, numbers |
//! | transaction | its id as `i64` | numbers |
//!
//! A byte of a new entry costs about 20,000 stroops of rent, and all instructions of a call about 500. So the type of a key says what
//! it opens, the numbers of a record are packed (see `pack`), and what follows from the key or from other records is not stored.

use soroban_sdk::{symbol_short, Address, Bytes, Env, IntoVal, Symbol, TryFromVal, Val};

use super::{AgreementState, Config, Prosumer, SharingError, TransactionStatus, IDS_PER_PROVIDER};

/// Ledgers of 5 seconds in a day.
pub const DAY: u32 = 24 * 60 * 60 / 5;

/// A new record lives for the network's minimum of 120 days. Whoever writes it when at most 30 days are left pays for a life of 60: a trade
/// that goes on stays at hand, and one that is over is not paid for. An archived record comes back when it is used.
pub const RECORD_THRESHOLD: u32 = 30 * DAY;
pub const RECORD_TTL: u32 = 60 * DAY;

/// Instance and code are everyone's, and the code's rent is by far the dearest: a day of it costs more than a trade. The network gives them
/// 120 days at first; below 100, whoever acts pays for the time since the last call, from an hour (less is not worth the write) to a day.
/// So neither a quiet month nor one caller pays the whole bill, and a contract that is used once a day lives on.
pub const SHARED_TTL: u32 = 100 * DAY;
pub const SHARED_MIN_STEP: u32 = DAY / 24;
pub const SHARED_MAX_STEP: u32 = DAY;

const ADMIN: Symbol = symbol_short!("ADMIN");
const TOKEN: Symbol = symbol_short!("TOKEN");
const PROSUMERS: Symbol = symbol_short!("PROSUMERS");

/// An agreement as stored.
pub struct Agreement {
    pub id: u64,
    pub provider: Address,
    pub consumer: Address,
    pub energy_amount_kwh: u64,
    pub price_per_kwh: u64,
    pub created_at: u64,
    pub delivery_deadline: u64,
    pub state: AgreementState,
    pub funded: bool,
    pub cancelled: bool,
}

/// A transaction as stored.
pub struct Transaction {
    pub id: u64,
    pub agreement_id: u64,
    pub energy_delivered_kwh: u64,
    pub meter_reading: u64,
    pub delivered_at: u64,
    pub metered: bool,
    pub status: TransactionStatus,
    /// When it was settled or disputed.
    pub status_since: u64,
    /// The ruling, if there was one.
    pub energy_accepted_kwh: Option<u64>,
    /// The transactions before it, of its provider and of its consumer.
    pub provider_previous: Option<u64>,
    pub consumer_previous: Option<u64>,
}

pub fn config(env: &Env) -> Result<Config, SharingError> {
    let instance = env.storage().instance();
    match (instance.get(&ADMIN), instance.get(&TOKEN)) {
        (Some(admin), Some(token_contract)) => Ok(Config { admin, token_contract }),
        _ => Err(SharingError::NotInitialized),
    }
}

pub fn set_config(env: &Env, config: &Config) {
    let instance = env.storage().instance();
    instance.set(&ADMIN, &config.admin);
    instance.set(&TOKEN, &config.token_contract);
}

/// Extends instance and code by a step where it is due.
pub fn keep_alive(env: &Env) {
    env.storage().instance().extend_ttl_with_limits(SHARED_TTL, SHARED_MIN_STEP, SHARED_MAX_STEP);
}

/// How many prosumers are registered.
pub fn prosumers(env: &Env) -> u64 {
    env.storage().persistent().get(&PROSUMERS).unwrap_or_default()
}

pub fn set_prosumers(env: &Env, count: u64) {
    set(env, &PROSUMERS, &count);
}

pub fn prosumer(env: &Env, address: &Address) -> Result<Prosumer, SharingError> {
    let (meter, numbers): (Option<Address>, Bytes) = get(env, address).ok_or(SharingError::ProsumerNotRegistered)?;
    let [number, agreements, deliveries, last_transaction, meter_reading, energy_sold_kwh, meter_start] = unpack(&numbers);
    Ok(Prosumer {
        number,
        meter,
        meter_start,
        meter_reading,
        energy_sold_kwh,
        agreements,
        deliveries,
        last_transaction: id_or_none(last_transaction),
    })
}

pub fn set_prosumer(env: &Env, address: &Address, prosumer: &Prosumer) {
    let numbers = [
        prosumer.number,
        prosumer.agreements,
        prosumer.deliveries,
        prosumer.last_transaction.unwrap_or_default(),
        prosumer.meter_reading,
        prosumer.energy_sold_kwh,
        prosumer.meter_start,
    ];
    set(env, address, &(&prosumer.meter, pack(env, &numbers)));
}

pub fn agreement(env: &Env, id: u64) -> Result<Agreement, SharingError> {
    let (provider, consumer, numbers): (Address, Address, Bytes) = get(env, &id).ok_or(SharingError::AgreementNotFound)?;
    let [energy_amount_kwh, price_per_kwh, created_at, term, energy_delivered_kwh, pending_amount, funded, escrow_amount, cancelled] =
        unpack(&numbers);
    Ok(Agreement {
        id,
        provider,
        consumer,
        energy_amount_kwh,
        price_per_kwh,
        created_at,
        delivery_deadline: created_at.saturating_add(term),
        state: AgreementState { energy_delivered_kwh, pending_amount, escrow_amount },
        funded: funded != 0,
        cancelled: cancelled != 0,
    })
}

pub fn set_agreement(env: &Env, agreement: &Agreement) {
    let numbers = [
        agreement.energy_amount_kwh,
        agreement.price_per_kwh,
        agreement.created_at,
        agreement.delivery_deadline.saturating_sub(agreement.created_at),
        agreement.state.energy_delivered_kwh,
        agreement.state.pending_amount,
        agreement.funded.into(),
        agreement.state.escrow_amount,
        agreement.cancelled.into(),
    ];
    set(env, &agreement.id, &(&agreement.provider, &agreement.consumer, pack(env, &numbers)));
}

pub fn transaction(env: &Env, id: u64) -> Result<Transaction, SharingError> {
    let numbers: Bytes = get(env, &id.cast_signed()).ok_or(SharingError::TransactionNotFound)?;
    let [n, energy_delivered_kwh, meter_reading, delivered_at, metered, provider_previous, consumer_previous, status, status_since, ruled, accepted] =
        unpack(&numbers);
    Ok(Transaction {
        id,
        // Both ids begin with the provider's number, so only the agreement's n is stored.
        agreement_id: id.saturating_sub(id % IDS_PER_PROVIDER).saturating_add(n),
        energy_delivered_kwh,
        meter_reading,
        delivered_at,
        metered: metered != 0,
        status: match status {
            0 => TransactionStatus::Delivered,
            1 => TransactionStatus::Settled,
            _ => TransactionStatus::Disputed,
        },
        status_since,
        energy_accepted_kwh: (ruled != 0).then_some(accepted),
        provider_previous: id_or_none(provider_previous),
        consumer_previous: id_or_none(consumer_previous),
    })
}

pub fn set_transaction(env: &Env, transaction: &Transaction) {
    let numbers = [
        transaction.agreement_id % IDS_PER_PROVIDER,
        transaction.energy_delivered_kwh,
        transaction.meter_reading,
        transaction.delivered_at,
        transaction.metered.into(),
        transaction.provider_previous.unwrap_or_default(),
        transaction.consumer_previous.unwrap_or_default(),
        match transaction.status {
            TransactionStatus::Settled => 1,
            TransactionStatus::Disputed => 2,
            // Born delivered: nothing is stored for it.
            _ => 0,
        },
        transaction.status_since,
        transaction.energy_accepted_kwh.is_some().into(),
        transaction.energy_accepted_kwh.unwrap_or_default(),
    ];
    set(env, &transaction.id.cast_signed(), &pack(env, &numbers));
}

fn get<K: IntoVal<Env, Val>, V: TryFromVal<Env, Val>>(env: &Env, key: &K) -> Option<V> {
    env.storage().persistent().get(key)
}

fn set<K: IntoVal<Env, Val>, V: IntoVal<Env, Val>>(env: &Env, key: &K, value: &V) {
    let storage = env.storage().persistent();
    storage.set(key, value);
    storage.extend_ttl(key, RECORD_THRESHOLD, RECORD_TTL);
}

/// No id is 0: the n of an id counts from 1.
fn id_or_none(id: u64) -> Option<u64> {
    (id != 0).then_some(id)
}

/// The most numbers of a record, and the bytes that 64 bits take by 7.
const MAX_PACKED: usize = 11 * 10;

/// Packs numbers as LEB128: 7 bits a byte, the lowest first, the top bit set where more follow. Zeros at the end are left out, so numbers
/// that are seldom there stand last. (The postcard crate packs as tightly and takes 2.8 KB more of Wasm.)
fn pack(env: &Env, numbers: &[u64]) -> Bytes {
    let mut buffer = [0; MAX_PACKED];
    let mut free = buffer.iter_mut();
    let mut used = 0_usize;
    let mut length = 0;
    for number in numbers {
        let mut rest = *number;
        for byte in free.by_ref() {
            used = used.saturating_add(1);
            *byte = (rest & 0x7f) as u8;
            rest >>= 7;
            if rest == 0 {
                break;
            }
            *byte |= 0x80;
        }
        if *number != 0 {
            length = used;
        }
    }
    Bytes::from_slice(env, buffer.get(..length).unwrap_or_default())
}

fn unpack<const N: usize>(packed: &Bytes) -> [u64; N] {
    let mut numbers = [0; N];
    unpack_into(&mut numbers, packed);
    numbers
}

/// One copy for records of all lengths.
fn unpack_into(numbers: &mut [u64], packed: &Bytes) {
    let mut buffer = [0; MAX_PACKED];
    if let Some(bytes) = buffer.get_mut(..packed.len() as usize) {
        packed.copy_into_slice(bytes);
    }
    let mut bytes = buffer.iter();
    for number in numbers {
        let mut shift = 0_u32;
        for byte in bytes.by_ref() {
            *number |= u64::from(byte & 0x7f).unbounded_shl(shift);
            shift = shift.saturating_add(7);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
}
