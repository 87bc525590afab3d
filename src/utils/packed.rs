//! How the numbers of a record become bytes, and back: one list of fields for each record serves both ways.
//!
//! A number is LEB128: 7 bits a byte, the lowest first, the top bit set where more follow. A call that is simulated
//! declares how many bytes it will write, so where other people's calls may change a number in between, it has a fixed
//! length; or it is filled up with bytes 0x80 to the length of the largest that it may become, and 0x00 ends it.

use soroban_sdk::{Bytes, Env};

use super::records::{Agreement, Delivery, AGREEMENT_FLAG_BITS, DELIVERY_FLAG_BITS, MAX_READING, PAID_AT_ONCE};
use super::Prosumer;

/// No more room than the number takes.
const SAME: u64 = 0;

/// Bytes of a number of fixed length: up to `MAX_PROSUMERS` (24 bits) and `AGREEMENTS_PER_PROVIDER` (20),
/// `AGREEMENT_IDS` (44) and `MAX_READING` (35).
const COUNT_BYTES: u32 = 3;
const ID_BYTES: u32 = 6;
const READING_BYTES: u32 = 5;

/// 3 bytes for the time since the last delivery and its flags, which lasts for 36 hours: so that a call which is
/// applied seconds after its simulation takes no more bytes.
const A_DAY: u64 = (1 << 21) - 1;

/// The time until a delivery is settled, disputed or ruled on: less than 17 years. It shares 64 bits with the accepted
/// energy, whose 35 bits are those of a reading. A longer time follows as a number of its own; then a call that was
/// simulated before it has to be simulated again.
const LATER_BITS: u32 = 29;
const LATEST: u64 = (1 << LATER_BITS) - 1;

/// The most bytes of a prosumer's record, 2 * 3 + 6 + 3 * 5 = 27, and 3 that `fixed` writes beyond the last number.
pub const PROSUMER_BYTES: usize = 27 + 3;

/// The most bytes of an agreement's record: its own numbers take 3 * 10 at most that have 64 bits (created_at, energy,
/// price), 10 the escrow, 4 the term with its flags (25 + 3 bits) and 2 * 6 the ids before it, 56 in all; a delivery
/// takes 5 (energy) + 5 (time and flags: 25 + 4 bits) + 5 (reading) + 8 (outcome) + 10 (a long time) = 33: 56 + 40 * 33
/// = 1,376.
pub const AGREEMENT_BYTES: usize = 1_376;

/// The bytes of a record, being read or written: in a place that is not larger than need be, since it has to be
/// cleared.
pub struct Packed<'a> {
    bytes: &'a mut [u8],
    position: usize,
    /// Of what is read.
    length: usize,
    writes: bool,
}

impl<'a> Packed<'a> {
    pub fn writer(bytes: &'a mut [u8]) -> Self {
        Self { length: bytes.len(), bytes, position: 0, writes: true }
    }

    pub fn read(&mut self, bytes: &Bytes) {
        self.writes = false;
        self.length = bytes.len() as usize;
        if let Some(slice) = self.bytes.get_mut(..self.length) {
            bytes.copy_into_slice(slice);
        }
    }

    pub fn to_bytes(&self, env: &Env) -> Bytes {
        Bytes::from_slice(env, self.bytes.get(..self.position).unwrap_or(self.bytes))
    }

    pub fn prosumer(&mut self, prosumer: &mut Prosumer) {
        self.fixed(&mut prosumer.number, COUNT_BYTES);
        self.fixed(&mut prosumer.agreements, COUNT_BYTES);
        let mut last_agreement = prosumer.last_agreement.unwrap_or_default();
        self.fixed(&mut last_agreement, ID_BYTES);
        prosumer.last_agreement = (last_agreement != 0).then_some(last_agreement);
        self.fixed(&mut prosumer.meter_start, READING_BYTES);
        self.fixed(&mut prosumer.meter_reading, READING_BYTES);
        self.fixed(&mut prosumer.energy_sold_kwh, READING_BYTES);
    }

    pub fn agreement(&mut self, agreement: &mut Agreement) {
        self.number(&mut agreement.created_at, SAME);
        self.time(
            &mut agreement.delivery_deadline,
            agreement.created_at,
            &mut agreement.flags,
            AGREEMENT_FLAG_BITS,
            SAME,
        );
        self.number(&mut agreement.energy_amount_kwh, SAME);
        self.number(&mut agreement.price_per_kwh, SAME);
        let total_amount = agreement.amount(agreement.energy_amount_kwh);
        self.number(&mut agreement.escrow_amount, total_amount);
        self.fixed(&mut agreement.provider_previous, ID_BYTES);
        self.fixed(&mut agreement.consumer_previous, ID_BYTES);
        let (mut time, mut reading) = (agreement.created_at, 0);
        for delivery in &mut agreement.deliveries {
            if self.position >= self.length || (self.writes && delivery.energy_delivered_kwh == 0) {
                break;
            }
            self.delivery(delivery, time, reading);
            (time, reading) = (delivery.delivered_at, delivery.meter_reading);
        }
    }

    /// After the delivery of this time and reading. Whatever becomes of it, it takes as many bytes, and as long.
    fn delivery(&mut self, delivery: &mut Delivery, time: u64, reading: u64) {
        self.number(&mut delivery.energy_delivered_kwh, SAME);
        self.time(&mut delivery.delivered_at, time, &mut delivery.flags, DELIVERY_FLAG_BITS, A_DAY);
        // Modulo 2^35: an exchanged meter may begin below the one before.
        let mut exported = delivery.meter_reading.wrapping_sub(reading) & MAX_READING;
        self.number(&mut exported, SAME);
        delivery.meter_reading = reading.wrapping_add(exported) & MAX_READING;
        if delivery.flags & PAID_AT_ONCE == PAID_AT_ONCE {
            delivery.energy_accepted_kwh = delivery.energy_delivered_kwh;
            delivery.changed_at = delivery.delivered_at;
        } else {
            let mut later = delivery.changed_at.wrapping_sub(delivery.delivered_at);
            let mut outcome = delivery.energy_accepted_kwh.unbounded_shl(LATER_BITS) | later.min(LATEST);
            // The bits of the energy and the time, in whole bytes.
            let bits = (u64::BITS + LATER_BITS + 7).wrapping_sub(delivery.energy_delivered_kwh.leading_zeros());
            self.fixed(&mut outcome, bits / 8);
            delivery.energy_accepted_kwh = outcome.unbounded_shr(LATER_BITS);
            if outcome & LATEST == LATEST {
                self.number(&mut later, SAME);
            } else {
                later = outcome & LATEST;
            }
            delivery.changed_at = delivery.delivered_at.wrapping_add(later);
        }
    }

    /// A time as what passed since an earlier one, with some flags below it.
    #[inline(always)]
    fn time(&mut self, time: &mut u64, earlier: u64, flags: &mut u64, bits: u32, largest: u64) {
        let mut packed = time.saturating_sub(earlier).unbounded_shl(bits) | *flags;
        self.number(&mut packed, largest);
        let passed = packed.unbounded_shr(bits);
        *time = earlier.wrapping_add(passed);
        *flags = packed ^ passed.unbounded_shl(bits);
    }

    /// As so many bytes, the lowest first. What is written beyond them is written over by the next number.
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

    fn number(&mut self, number: &mut u64, largest: u64) {
        // Below the length: no overflow.
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
