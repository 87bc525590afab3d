//! How a record becomes bytes, and back: one list of fields for each record serves both ways.
//!
//! A number is LEB128: 7 bits a byte, the lowest first, the top bit set where more follow. A call that is simulated
//! declares how many bytes it will write, so where other people's calls may change a number in between, it has a fixed
//! length; or it is filled up with bytes 0x80 to the length of the largest that it may become, and 0x00 ends it.
//!
//! An address is its kind, 0 for an account and 1 for a contract, and the 32 bytes of its key or hash: the last 33 bytes
//! of its XDR. As a value of the host it would take 44.
//!
//! Why records are packed is decision 3 in docs/decisions.md.

use soroban_sdk::{
    panic_with_error,
    xdr::{FromXdr, ToXdr},
    Address, Bytes, Env,
};

use super::records::{Agreement, Outcome, Transaction, MAX_READING};
use super::{Deposit, Prosumer, SharingError};

/// The flags of an agreement are two bits for its deposit, and one that says whether it is cancelled.
const AGREEMENT_FLAG_BITS: u32 = 3;

/// The flags of a transaction are a bit for metered, one for ruled, and two for its outcome.
const TRANSACTION_FLAG_BITS: u32 = 4;

/// As the largest that a number may become: it gets no more room than it takes.
const SAME: u64 = 0;

/// The bytes of numbers of fixed length, which are up to `MAX_PROSUMERS` (24 bits) and `AGREEMENTS_PER_PROVIDER` (20),
/// `TRANSACTION_STEP` (44), `MAX_READING` (35) and `MAX_POWER` (24).
const COUNT_BYTES: u32 = 3;
const ID_BYTES: u32 = 6;
const READING_BYTES: u32 = 5;
const POWER_BYTES: u32 = 3;

/// The time since the last delivery has 3 bytes with its flags, enough for 36 hours. So a call that is applied seconds
/// after its simulation takes no more bytes.
const A_DAY: u64 = (1 << 21) - 1;

/// A time has 5 bytes, enough until the year 3058.
const A_TIME: u64 = (1 << 35) - 1;

/// The bits of the time until a delivery is settled, disputed or ruled on, enough for 17 years. It shares 64 bits with
/// the accepted energy, whose 35 bits are those of a reading. A longer time follows as a number of its own; then a call
/// that was simulated before it has to be simulated again.
const LATER_BITS: u32 = 29;
const LATEST: u64 = (1 << LATER_BITS) - 1;

/// The bytes of an address, and what stands before them in its XDR: the types of the value (18), of the address and,
/// for an account, of its key, 4 bytes each. Their last byte is the kind, with which the packed address begins.
const ADDRESS_BYTES: u32 = 33;
const BEFORE_ACCOUNT: [u8; 11] = [0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0];
const BEFORE_CONTRACT: [u8; 7] = [0, 0, 0, 18, 0, 0, 0];
pub const ACCOUNT: u8 = 0;
pub const CONTRACT: u8 = 1;

/// The most bytes of a record's numbers, an agreement's: created_at and escrow take 10 each, energy and price 11 together
/// (the total has 64 bits), the term with its flags 4 (25 + 3 bits) and the ids before it 2 * 6, 47 in all. A
/// transaction takes 5 (energy) + 5 (time and flags: 25 + 4 bits) + 5 (reading) + 8 (outcome) + 10 (a long time) = 33:
/// 47 + 40 * 33 = 1,367. One that was paid at once takes less, though a day's energy may need 10: it has no outcome.
const MOST_BYTES: usize = 1_367;

pub fn pack_prosumer(env: &Env, prosumer: &Prosumer) -> Bytes {
    let mut numbers = Numbers::writer();
    numbers.prosumer(&mut prosumer.clone());
    let mut packed = numbers.to_bytes(env);
    if let Some(meter) = &prosumer.meter {
        packed.append(&pack_address(env, meter));
    }
    packed
}

pub fn unpack_prosumer(env: &Env, packed: &Bytes) -> Prosumer {
    let (mut prosumer, mut numbers) = (Prosumer::default(), Numbers::reader(packed));
    numbers.prosumer(&mut prosumer);
    let meter = packed.slice(numbers.position as u32..);
    if !meter.is_empty() {
        prosumer.meter = Some(unpack_address(env, &meter));
    }
    prosumer
}

pub fn pack_agreement(env: &Env, agreement: &Agreement) -> Bytes {
    let mut packed = pack_address(env, &agreement.provider);
    packed.append(&pack_address(env, &agreement.consumer));
    let mut numbers = Numbers::writer();
    numbers.agreement(&mut agreement.clone());
    packed.append(&numbers.to_bytes(env));
    packed
}

pub fn unpack_agreement(env: &Env, id: u64, packed: &Bytes) -> Agreement {
    let provider = unpack_address(env, &packed.slice(..ADDRESS_BYTES));
    let consumer = unpack_address(env, &packed.slice(ADDRESS_BYTES..2 * ADDRESS_BYTES));
    let mut agreement = Agreement::new(env, id, provider, consumer);
    Numbers::reader(&packed.slice(2 * ADDRESS_BYTES..)).agreement(&mut agreement);
    agreement
}

fn pack_address(env: &Env, address: &Address) -> Bytes {
    let xdr = address.clone().to_xdr(env);
    xdr.slice(xdr.len() - ADDRESS_BYTES..)
}

fn unpack_address(env: &Env, packed: &Bytes) -> Address {
    let before: &[u8] = if packed.get(0) == Some(ACCOUNT) { &BEFORE_ACCOUNT } else { &BEFORE_CONTRACT };
    let mut xdr = Bytes::from_slice(env, before);
    xdr.append(packed);
    Address::from_xdr(env, &xdr).unwrap_or_else(|_| panic_with_error!(env, SharingError::InvalidInput))
}

/// Whether an address is an account or a contract: no other kind, as a later protocol may bring, can be packed.
pub fn can_pack(env: &Env, address: &Address) -> bool {
    kind(&address.clone().to_xdr(env)) <= CONTRACT
}

pub fn is_contract(env: &Env, address: &Address) -> bool {
    kind(&address.clone().to_xdr(env)) == CONTRACT
}

/// The kind of the address in this XDR.
pub fn kind(address: &Bytes) -> u8 {
    address.get(BEFORE_CONTRACT.len() as u32).unwrap_or(u8::MAX)
}

/// The bytes of a record's numbers, being read or written.
struct Numbers {
    bytes: [u8; MOST_BYTES],
    position: usize,
    /// How many bytes there are to read.
    length: usize,
    writes: bool,
}

impl Numbers {
    fn writer() -> Self {
        Self { bytes: [0; MOST_BYTES], position: 0, length: MOST_BYTES, writes: true }
    }

    fn reader(packed: &Bytes) -> Self {
        let mut bytes = [0; MOST_BYTES];
        let length = packed.len() as usize;
        if let Some(place) = bytes.get_mut(..length) {
            packed.copy_into_slice(place);
        }
        Self { bytes, position: 0, length, writes: false }
    }

    fn to_bytes(&self, env: &Env) -> Bytes {
        Bytes::from_slice(env, self.bytes.get(..self.position).unwrap_or(&self.bytes))
    }

    fn prosumer(&mut self, prosumer: &mut Prosumer) {
        self.fixed(&mut prosumer.number, COUNT_BYTES);
        self.fixed(&mut prosumer.agreements, COUNT_BYTES);
        let mut last_agreement = prosumer.last_agreement.unwrap_or_default();
        self.fixed(&mut last_agreement, ID_BYTES);
        prosumer.last_agreement = (last_agreement != 0).then_some(last_agreement);
        self.fixed(&mut prosumer.meter_start, READING_BYTES);
        self.fixed(&mut prosumer.meter_reading, READING_BYTES);
        self.fixed(&mut prosumer.energy_sold_kwh, READING_BYTES);
        self.number(&mut prosumer.read_at, A_TIME);
        // A plant's power stands between these numbers and its meter's address. Neither is there without the other.
        if if self.writes { prosumer.meter.is_some() } else { self.position < self.length } {
            self.fixed(&mut prosumer.max_power_kw, POWER_BYTES);
        }
    }

    fn agreement(&mut self, agreement: &mut Agreement) {
        self.number(&mut agreement.created_at, SAME);
        let mut flags = agreement.deposit as u64 | u64::from(agreement.cancelled) << 2;
        self.time(&mut agreement.delivery_deadline, agreement.created_at, &mut flags, AGREEMENT_FLAG_BITS, SAME);
        agreement.deposit = match flags & 3 {
            0 => Deposit::None,
            1 => Deposit::Reviewed,
            _ => Deposit::Metered,
        };
        agreement.cancelled = flags & 4 != 0;
        self.number(&mut agreement.energy_amount_kwh, SAME);
        self.number(&mut agreement.price_per_kwh, SAME);
        let total_amount = agreement.amount(agreement.energy_amount_kwh);
        self.number(&mut agreement.escrow_amount, total_amount);
        self.fixed(&mut agreement.provider_previous, ID_BYTES);
        self.fixed(&mut agreement.consumer_previous, ID_BYTES);
        let (mut time, mut reading) = (agreement.created_at, 0);
        for transaction in &mut agreement.transactions {
            if self.position >= self.length || (self.writes && !transaction.exists()) {
                break;
            }
            self.transaction(transaction, time, reading);
            (time, reading) = (transaction.delivered_at, transaction.meter_reading);
        }
    }

    /// `time` and `reading` are those of the transaction before it. It takes as many bytes whatever becomes of it: those
    /// of its outcome are there from the start.
    fn transaction(&mut self, transaction: &mut Transaction, time: u64, reading: u64) {
        let (code, mut since) = match transaction.outcome {
            Outcome::Open => (0, transaction.delivered_at),
            Outcome::Disputed { since } => (1, since),
            Outcome::Settled { at } => (2, at),
            Outcome::PaidAtOnce => (3, transaction.delivered_at),
        };
        self.number(&mut transaction.energy_delivered_kwh, SAME);
        let mut flags = u64::from(transaction.metered) | u64::from(transaction.ruled) << 1 | code << 2;
        self.time(&mut transaction.delivered_at, time, &mut flags, TRANSACTION_FLAG_BITS, A_DAY);
        transaction.metered = flags & 1 != 0;
        transaction.ruled = flags & 2 != 0;
        // The difference is taken modulo 2^35, since an exchanged meter may begin below the one before.
        let mut exported = transaction.meter_reading.wrapping_sub(reading) & MAX_READING;
        self.number(&mut exported, SAME);
        transaction.meter_reading = reading.wrapping_add(exported) & MAX_READING;
        if flags >> 2 == 3 {
            transaction.energy_accepted_kwh = transaction.energy_delivered_kwh;
            transaction.outcome = Outcome::PaidAtOnce;
            return;
        }
        let mut later = since.wrapping_sub(transaction.delivered_at);
        let mut outcome = transaction.energy_accepted_kwh.unbounded_shl(LATER_BITS) | later.min(LATEST);
        // It takes the bits of the delivered energy and of the time, in whole bytes.
        let bits = (u64::BITS + LATER_BITS + 7).wrapping_sub(transaction.energy_delivered_kwh.leading_zeros());
        self.fixed(&mut outcome, bits / 8);
        transaction.energy_accepted_kwh = outcome.unbounded_shr(LATER_BITS);
        if outcome & LATEST == LATEST {
            self.number(&mut later, SAME);
        } else {
            later = outcome & LATEST;
        }
        since = transaction.delivered_at.wrapping_add(later);
        transaction.outcome = match flags >> 2 {
            0 => Outcome::Open,
            1 => Outcome::Disputed { since },
            _ => Outcome::Settled { at: since },
        };
    }

    /// A time is stored as what has passed since an earlier one, with some flags in its lowest bits.
    ///
    /// If this is inlined, the number of bits is a constant, which saves 1,700 bytes of the code's rent.
    #[inline(always)]
    fn time(&mut self, time: &mut u64, earlier: u64, flags: &mut u64, bits: u32, largest: u64) {
        let mut packed = time.saturating_sub(earlier).unbounded_shl(bits) | *flags;
        self.number(&mut packed, largest);
        let passed = packed.unbounded_shr(bits);
        *time = earlier.wrapping_add(passed);
        *flags = packed ^ passed.unbounded_shl(bits);
    }

    /// A number of fixed length, the lowest byte first. 8 bytes are written, and the next number overwrites what is too
    /// much.
    fn fixed(&mut self, number: &mut u64, length: u32) {
        let rest = self.bytes.get_mut(self.position..).unwrap_or_default();
        if let Some(bytes) = rest.first_chunk_mut() {
            if self.writes {
                *bytes = number.to_le_bytes();
            }
            *number =
                u64::from_le_bytes(*bytes) & u64::MAX.wrapping_shr(u64::BITS.wrapping_sub(length.wrapping_mul(8)));
        }
        self.position = self.position.wrapping_add(length as usize);
    }

    /// A number in LEB128, with room for the largest that it may become.
    fn number(&mut self, number: &mut u64, largest: u64) {
        // It grows only within the array, so it cannot overflow.
        let mut position = self.position;
        if self.writes {
            let (mut rest, mut room) = (*number, *number | largest);
            while let Some(byte) = self.bytes.get_mut(position) {
                position = position.wrapping_add(1);
                let more = room > 0x7f;
                *byte = (rest & 0x7f) as u8 | u8::from(more) << 7;
                if !more {
                    break;
                }
                rest >>= 7;
                room >>= 7;
            }
        } else {
            let (mut value, mut shift) = (0, 0_u32);
            while let Some(byte) = self.bytes.get(position) {
                position = position.wrapping_add(1);
                value |= u64::from(byte & 0x7f).wrapping_shl(shift);
                if *byte < 0x80 {
                    break;
                }
                shift = shift.wrapping_add(7);
            }
            *number = value;
        }
        self.position = position;
    }
}
