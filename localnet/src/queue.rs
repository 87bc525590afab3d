//! Transactions that wait for a ledger. The rules are stellar-core's: one of
//! an account at a time, room for two ledgers, and who bids more gets in.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::tx::{Frame, Rejection};
use crate::tx_set::Resources;
use crate::xdr::*;

/// Ledgers that a transaction is tried for.
const PATIENCE: u32 = 4;
/// Ledgers during which what has been applied or dropped is not taken again.
const BAN: usize = 10;
/// Ledgers whose transactions there is room for.
const ROOM: u64 = 2;
/// How many times the fee a replacement has to bid.
const REPLACEMENT: i128 = 10;

#[derive(Default)]
pub struct Queue {
    pending: BTreeMap<AccountId, Pending>,
    /// Hashes, by how many ledgers ago they were banned.
    banned: VecDeque<HashSet<[u8; 32]>>,
}

struct Pending {
    frame: Frame,
    /// Ledgers that closed without it.
    age: u32,
}

/// What stands against taking a transaction, before its validity is looked at.
pub enum Refusal {
    Duplicate,
    TryAgainLater,
    Rejected(Rejection),
    /// The inclusion fee for which it would be taken.
    FeeTooLow(i64),
}

impl Queue {
    /// Whether there is room, and the accounts whose transactions have to go.
    pub fn admit(&mut self, frame: &Frame) -> Result<Vec<AccountId>, Refusal> {
        if self.is_banned(frame.hash) {
            return Err(Refusal::TryAgainLater);
        }
        if let Some(current) = self.pending.get(&frame.source()) {
            check_replacement(frame, &current.frame)?;
        }
        let room = self.make_room(frame);
        if room.is_err() {
            self.ban(frame.hash);
        }
        room
    }

    fn make_room(&self, frame: &Frame) -> Result<Vec<AccountId>, Refusal> {
        let soroban = frame.soroban().is_some();
        let mut others: Vec<&Frame> = self.pending.values().map(|pending| &pending.frame).collect();
        others.retain(|other| other.soroban().is_some() == soroban && other.source() != frame.source());
        others.sort_by(|a, b| a.compare_bid(b).then_with(|| a.hash.cmp(&b.hash)));
        let one = Resources::of_ledger(soroban);
        let room = (1..ROOM).fold(one, |room, _| room.plus(one));
        let mut used = others.iter().fold(Resources::of(frame), |used, other| used.plus(Resources::of(other)));
        let mut evicted = vec![];
        for other in others {
            if used.fits(room) {
                break;
            }
            if frame.compare_bid(other).is_le() {
                let bid = i128::from(other.inclusion_fee()) * i128::from(frame.operations());
                return Err(Refusal::FeeTooLow((bid / i128::from(other.operations()) + 1) as i64));
            }
            used = used.minus(Resources::of(other));
            evicted.push(other.source());
        }
        match used.fits(room) {
            true => Ok(evicted),
            false => Err(Refusal::TryAgainLater),
        }
    }

    /// Takes a transaction that was admitted and is valid.
    pub fn add(&mut self, frame: Frame, evicted: Vec<AccountId>) {
        for account in evicted {
            if let Some(pending) = self.pending.remove(&account) {
                self.ban(pending.frame.hash);
            }
        }
        self.pending.insert(frame.source(), Pending { frame, age: 0 });
    }

    pub fn is_pending(&self, source: &AccountId) -> bool {
        self.pending.contains_key(source)
    }

    /// The fees that an account owes for what waits, less that of `source`'s
    /// transaction, which is about to be replaced.
    pub fn owed(&self, fee_source: &AccountId, source: &AccountId) -> i64 {
        let others = self.pending.iter().filter(|(account, _)| *account != source);
        let frames = others.map(|(_, pending)| &pending.frame);
        frames.filter(|frame| frame.fee_source() == *fee_source).map(Frame::full_fee).sum()
    }

    /// Takes out what waits, for a ledger, with the ages.
    pub fn take(&mut self) -> Vec<(Frame, u32)> {
        std::mem::take(&mut self.pending).into_values().map(|pending| (pending.frame, pending.age)).collect()
    }

    /// Puts back what did not fit, unless it has been tried often enough.
    pub fn put_back(&mut self, frame: Frame, age: u32) {
        match age + 1 < PATIENCE {
            true => drop(self.pending.insert(frame.source(), Pending { frame, age: age + 1 })),
            false => self.ban(frame.hash),
        }
    }

    /// What is banned from now on counts as banned in a later ledger.
    pub fn next_ledger(&mut self) {
        self.banned.push_front(HashSet::new());
        self.banned.truncate(BAN);
    }

    pub fn ban(&mut self, hash: [u8; 32]) {
        if self.banned.is_empty() {
            self.next_ledger();
        }
        self.banned[0].insert(hash);
    }

    fn is_banned(&self, hash: [u8; 32]) -> bool {
        self.banned.iter().any(|banned| banned.contains(&hash))
    }
}

/// Only a fee bump of the same sequence number can take a pending one's place.
fn check_replacement(frame: &Frame, current: &Frame) -> Result<(), Refusal> {
    let of_bump = current.is_fee_bump() && !frame.is_fee_bump() && current.inner_hash == frame.hash;
    if current.hash == frame.hash || of_bump {
        return Err(Refusal::Duplicate);
    }
    if frame.tx.seq_num < current.tx.seq_num {
        return Err(Refusal::Rejected(TransactionResultCode::TxBadSeq.into()));
    }
    if let Some(data) = frame.soroban() {
        frame.validate_resources(data).map_err(Refusal::Rejected)?;
    }
    if !frame.is_fee_bump() || frame.tx.seq_num != current.tx.seq_num {
        return Err(Refusal::TryAgainLater);
    }
    let (new, old) = (i128::from(frame.operations()), i128::from(current.operations()));
    let wanted = REPLACEMENT * i128::from(current.inclusion_fee()) * new;
    if i128::from(frame.inclusion_fee()) * old < wanted {
        let least = (wanted + old - 1) / old;
        return Err(Refusal::FeeTooLow(least.min(i64::MAX.into()) as i64));
    }
    Ok(())
}
