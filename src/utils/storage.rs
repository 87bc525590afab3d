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
//! it opens, the numbers of a record are packed (see `Numbers`), and what follows from the key or from other records is not stored.
//!
//! A call declares how many bytes it will write when it is simulated, and fails if they turn out more. So a record has room for what other
//! people's calls may change in between.

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
    let mut numbers = Numbers::unpack(&numbers);
    Ok(Prosumer {
        number: numbers.next(),
        meter,
        agreements: numbers.next(),
        deliveries: numbers.next(),
        last_transaction: numbers.next_id(),
        meter_reading: numbers.next(),
        energy_sold_kwh: numbers.next(),
        meter_start: numbers.next(),
    })
}

pub fn set_prosumer(env: &Env, address: &Address, prosumer: &Prosumer) {
    let mut numbers = Numbers::new();
    numbers.push(prosumer.number, ANY_NUMBER);
    numbers.push(prosumer.agreements, IDS_PER_PROVIDER);
    numbers.push(prosumer.deliveries, IDS_PER_PROVIDER);
    numbers.push(prosumer.last_transaction.unwrap_or_default(), ANY_ID);
    numbers.push(prosumer.meter_reading, ANY_READING);
    numbers.push(prosumer.energy_sold_kwh, ANY_READING);
    numbers.push(prosumer.meter_start, ANY_READING);
    set(env, address, &(&prosumer.meter, numbers.pack(env)));
}

pub fn agreement(env: &Env, id: u64) -> Result<Agreement, SharingError> {
    let (provider, consumer, numbers): (Address, Address, Bytes) = get(env, &id).ok_or(SharingError::AgreementNotFound)?;
    let mut numbers = Numbers::unpack(&numbers);
    let created_at = numbers.next();
    Ok(Agreement {
        id,
        provider,
        consumer,
        created_at,
        // A term is shorter than a date.
        delivery_deadline: created_at.saturating_add(numbers.next()),
        energy_amount_kwh: numbers.next(),
        price_per_kwh: numbers.next(),
        state: AgreementState { energy_delivered_kwh: numbers.next(), pending_amount: numbers.next(), escrow_amount: numbers.next() },
        funded: numbers.next() != 0,
        cancelled: numbers.next() != 0,
    })
}

pub fn set_agreement(env: &Env, agreement: &Agreement) {
    let total_amount = agreement.total_amount();
    let mut numbers = Numbers::new();
    numbers.push(agreement.created_at, SAME);
    numbers.push(agreement.delivery_deadline.saturating_sub(agreement.created_at), SAME);
    numbers.push(agreement.energy_amount_kwh, SAME);
    numbers.push(agreement.price_per_kwh, SAME);
    numbers.push(agreement.state.energy_delivered_kwh, agreement.energy_amount_kwh);
    numbers.push(agreement.state.pending_amount, total_amount);
    numbers.push(agreement.state.escrow_amount, total_amount);
    numbers.push(agreement.funded.into(), 1);
    numbers.push(agreement.cancelled.into(), 1);
    set(env, &agreement.id, &(&agreement.provider, &agreement.consumer, numbers.pack(env)));
}

pub fn transaction(env: &Env, id: u64) -> Result<Transaction, SharingError> {
    let numbers: Bytes = get(env, &id.cast_signed()).ok_or(SharingError::TransactionNotFound)?;
    let mut numbers = Numbers::unpack(&numbers);
    let flags = numbers.next();
    Ok(Transaction {
        id,
        metered: flags & METERED != 0,
        status: match flags & (SETTLED | DISPUTED) {
            SETTLED => TransactionStatus::Settled,
            DISPUTED => TransactionStatus::Disputed,
            _ => TransactionStatus::Delivered,
        },
        // Both ids begin with the provider's number, so only the agreement's n is stored.
        agreement_id: id.saturating_sub(id % IDS_PER_PROVIDER).saturating_add(numbers.next()),
        energy_delivered_kwh: numbers.next(),
        meter_reading: numbers.next(),
        delivered_at: numbers.next(),
        provider_previous: numbers.next_id(),
        consumer_previous: numbers.next_id(),
        status_since: numbers.next(),
        energy_accepted_kwh: (numbers.next() != 0).then(|| numbers.next()),
    })
}

pub fn set_transaction(env: &Env, transaction: &Transaction) {
    let status = match transaction.status {
        TransactionStatus::Settled => SETTLED,
        TransactionStatus::Disputed => DISPUTED,
        _ => 0,
    };
    let mut numbers = Numbers::new();
    numbers.push(status | u64::from(transaction.metered), METERED);
    numbers.push(transaction.agreement_id % IDS_PER_PROVIDER, SAME);
    numbers.push(transaction.energy_delivered_kwh, SAME);
    numbers.push(transaction.meter_reading, SAME);
    numbers.push(transaction.delivered_at, SAME);
    numbers.push(transaction.provider_previous.unwrap_or_default(), ANY_ID);
    numbers.push(transaction.consumer_previous.unwrap_or_default(), ANY_ID);
    // The rest is changed only by its parties and their judge, and not from the same state.
    numbers.push(transaction.status_since, SAME);
    numbers.push(transaction.energy_accepted_kwh.is_some().into(), SAME);
    numbers.push(transaction.energy_accepted_kwh.unwrap_or_default(), SAME);
    set(env, &transaction.id.cast_signed(), &numbers.pack(env));
}

fn get<K: IntoVal<Env, Val>, V: TryFromVal<Env, Val>>(env: &Env, key: &K) -> Option<V> {
    env.storage().persistent().get(key)
}

fn set<K: IntoVal<Env, Val>, V: IntoVal<Env, Val>>(env: &Env, key: &K, value: &V) {
    let storage = env.storage().persistent();
    storage.set(key, value);
    storage.extend_ttl(key, RECORD_THRESHOLD, RECORD_TTL);
}

/// The flags of a transaction; without the last two it is delivered.
const METERED: u64 = 1;
const SETTLED: u64 = 2;
const DISPUTED: u64 = 4;

/// What room is kept for: numbers of 4, 5 and 8 bytes, for 268 million prosumers, 34 TWh, and ids of 72 million providers. Larger ones are
/// stored as well; then a call may have to be simulated again.
const ANY_NUMBER: u64 = (1 << (4 * 7)) - 1;
const ANY_READING: u64 = (1 << (5 * 7)) - 1;
const ANY_ID: u64 = (1 << (8 * 7)) - 1;
/// No more room than the number takes.
const SAME: u64 = 0;

/// The most numbers of a record, and the bytes that 64 bits take by 7.
const MAX_PACKED: usize = 10 * 10;

/// The numbers of a record as LEB128: 7 bits a byte, the lowest first, the top bit set where more follow. Zeros at the end are left out, but
/// for the room that is kept. (The postcard crate packs as tightly and takes 2.8 KB more of Wasm.)
struct Numbers {
    bytes: [u8; MAX_PACKED],
    position: usize,
    length: usize,
    room: usize,
}

impl Numbers {
    fn new() -> Self {
        Self { bytes: [0; MAX_PACKED], position: 0, length: 0, room: 0 }
    }

    fn unpack(packed: &Bytes) -> Self {
        let mut numbers = Self::new();
        if let Some(bytes) = numbers.bytes.get_mut(..packed.len() as usize) {
            packed.copy_into_slice(bytes);
        }
        numbers
    }

    fn pack(&self, env: &Env) -> Bytes {
        Bytes::from_slice(env, self.bytes.get(..self.length.max(self.room)).unwrap_or_default())
    }

    /// Adds a number, and keeps room for the largest that it may become.
    fn push(&mut self, number: u64, largest: u64) {
        let mut rest = number;
        while let Some(byte) = self.bytes.get_mut(self.position) {
            self.position = self.position.saturating_add(1);
            *byte = (rest & 0x7f) as u8;
            rest >>= 7;
            if rest == 0 {
                break;
            }
            *byte |= 0x80;
        }
        if number != 0 {
            self.length = self.position;
        }
        let bits = u64::BITS.saturating_sub(number.max(largest).leading_zeros());
        self.room = self.room.saturating_add(bits.div_ceil(7) as usize);
    }

    fn next(&mut self) -> u64 {
        let mut number = 0;
        let mut shift = 0_u32;
        while let Some(byte) = self.bytes.get(self.position) {
            self.position = self.position.saturating_add(1);
            number |= u64::from(byte & 0x7f).unbounded_shl(shift);
            shift = shift.saturating_add(7);
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    /// No id is 0: the n of an id counts from 1.
    fn next_id(&mut self) -> Option<u64> {
        let id = self.next();
        (id != 0).then_some(id)
    }
}
