//! Turns small numbers into calls that mostly make sense: the right party of a record in the right state, amounts and times at the bounds.
//!
//! Each number chooses one argument, and 0 the plainest, so that a failing sequence shrinks to plain calls.

use super::std::{vec, vec::Vec};

use super::{
    books::{Agreement, Person, Transaction, ARBITRATION, IDS, REVIEW, TERM},
    model::{Call, Model},
    DAY, HOUR,
};
use crate::{AgreementStatus, TransactionStatus};

/// The test's list: two admins, five prosumers, one whose account is frozen, one who is not registered, two meters, contract and token.
pub const ADMINS: [Person; 2] = [0, 1];
pub const FROZEN: Person = 7;
pub const STRANGER: Person = 8;
pub const METERS: [Person; 2] = [9, 10];
pub const CONTRACT: Person = 11;
pub const ASSET: Person = 12;

/// What to do, below `OPERATIONS`, and five numbers from which its arguments are chosen.
pub type Step = (u8, [u8; 5]);
pub const OPERATIONS: u8 = 108;

/// A step with all its arguments.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Call(Call),
    /// A gift, if to the contract.
    Transfer(Person, Person, u64),
    Freeze(Person, bool),
    Wait(u64),
    /// Reads a prosumer, an agreement, a transaction, and a page of the prosumer's before a transaction.
    Look(Person, u64, u64, Option<u64>, u32),
}

pub fn choose(model: &Model, (operation, numbers): Step) -> Action {
    let [a, b, c, ..] = numbers;
    match model.books.config {
        None if a % 8 == 0 => Action::Call(Call::Initialize(one(&ADMINS, b), one(&[ASSET, CONTRACT, STRANGER, ASSET], c))),
        Some(_) if model.books.prosumers.len() < 3 && a % 4 == 0 => Action::Call(Call::RegisterProsumer(one(&[2, 3, 4], b))),
        Some(_) => model.action(operation, numbers),
        // One of each call.
        None => model.action(one(&[0, 10, 24, 36, 47, 54, 60, 65, 69, 74, 75, 79], c), numbers),
    }
}

fn one<T: Copy>(from: &[T], number: u8) -> T {
    from[usize::from(number) % from.len()]
}

/// Mostly some of what there is, else all of it, one more or less, nothing, or far too much.
fn amount(there_is: u64, number: u8, some: u8) -> u64 {
    let some = 1 + u64::from(some) % there_is.clamp(1, 20);
    let amounts = [
        some,
        some,
        some,
        there_is,
        there_is,
        some,
        some,
        there_is,
        some,
        some,
        some,
        there_is,
        there_is.saturating_add(1),
        there_is.saturating_sub(1),
        0,
        u64::MAX,
    ];
    one(&amounts, number)
}

impl Model {
    fn action(&self, operation: u8, [a, b, c, d, e]: [u8; 5]) -> Action {
        let operation = if a % 4 == 3 || self.books.config.is_none() { operation } else { self.possible(operation) };
        let call = match operation {
            0..=9 => self.an_agreement([a, b, c, d, e]),
            10..=23 => self.a_delivery([a, b, c, d, e]),
            24..=35 => {
                let id = self.agreement_id(a, |agreement| agreement.open(self.now) && !agreement.funded && agreement.delivered == 0);
                Call::FundAgreement(id, self.party(id, 1, b))
            }
            36..=46 => {
                let id = self.transaction_id(a, |transaction| transaction.status() == TransactionStatus::Delivered);
                Call::SettlePayment(id, self.party_of(id, b / 8, b))
            }
            47..=53 => {
                let id = self.transaction_id(a, |transaction| transaction.status() == TransactionStatus::Delivered && !transaction.ruled);
                Call::DisputeTransaction(id, self.party_of(id, b / 8, b))
            }
            54..=59 => {
                let id = self.disputed(a);
                let there_is = self.books.transactions.get(&id).map_or(1, |transaction| transaction.kwh);
                let accepted = if d % 3 == 0 { 0 } else { amount(there_is, d, e) };
                let admin = self.books.config.map_or(ADMINS[0], |(admin, _)| admin);
                Call::ResolveDispute(id, accepted, if b % 2 == 0 { admin } else { self.party_of(id, b / 2, c) })
            }
            60..=64 => Call::CloseDispute(self.disputed(a)),
            65..=68 => {
                let id = self.agreement_id(a, |agreement| agreement.open(self.now));
                Call::CancelAgreement(id, self.party(id, b / 8, b))
            }
            69..=73 => Call::ClaimRefund(self.agreement_id(a, |agreement| agreement.surplus(self.now) > 0)),
            74 => Call::RegisterProsumer(Person::from(a) % METERS[0]),
            75..=78 => self.a_meter([a, b, c, d, e]),
            79 => Call::SetAdmin(if a < 200 { ADMINS[usize::from(a % 2)] } else { self.prosumer(b) }),
            80 => Call::Initialize(one(&ADMINS, a), one(&[ASSET, CONTRACT, STRANGER], b)),
            81..=90 => return self.a_time(a, b),
            91..=92 => {
                let (from, to) = (Person::from(a) % METERS[0], if b % 2 == 0 { CONTRACT } else { Person::from(b) % FROZEN });
                // The token moves nothing from an account to itself, which tells nothing about the contract.
                let to = if from == to { STRANGER } else { to };
                return Action::Transfer(from, to, amount(u64::try_from(self.token.balances[from]).unwrap_or(u64::MAX), c, d));
            }
            93..=96 => {
                let holder = self.books.agreements.values().rev().find(|agreement| agreement.escrow > 0);
                let holder = holder.map_or(FROZEN, |agreement| agreement.consumer);
                let frozen = self.token.frozen.contains(&CONTRACT);
                let person = if frozen { CONTRACT } else { one(&[FROZEN, holder, holder, CONTRACT], a) };
                return Action::Freeze(person, !self.token.frozen.contains(&person));
            }
            100.. => self.several_mistakes([a, b, c, d, e]),
            _ => {
                let person = Person::from(a) % METERS[0];
                let before = if d % 2 == 0 { None } else { Some(self.transaction_id(e, |_| true)) };
                let limit = one(&[1, 2, 5, 0, 40, 41, u32::MAX], d / 2);
                return Action::Look(person, self.agreement_id(b, |_| true), self.transaction_id(c, |_| true), before, limit);
            }
        };
        Action::Call(call)
    }

    /// The operation, or the one that has to come first.
    fn possible(&self, operation: u8) -> u8 {
        let (mut agreements, mut transactions) = (self.books.agreements.values(), self.books.transactions.values());
        match operation {
            54..=64 if transactions.all(|transaction| transaction.disputed_at.is_none()) => self.possible(47),
            36..=53 if transactions.all(|transaction| transaction.settled_at.is_some()) => self.possible(12),
            69..=73 if !self.books.agreements.values().any(|agreement| agreement.surplus(self.now) > 0) => 84,
            10..=35 if !agreements.any(|agreement| agreement.open(self.now)) => 0,
            _ => operation,
        }
    }

    fn an_agreement(&self, [a, b, c, d, e]: [u8; 5]) -> Call {
        let (provider, consumer) = (self.prosumer(a), self.prosumer(b));
        // Else it were the same far too often.
        let consumer = if consumer == provider && b < 240 { 2 + (provider + 1) % 5 } else { consumer };
        let kwh = if c < 240 { 1 + u64::from(c) % 12 } else { one(&[0, u64::MAX, 1 << 33, u64::MAX], c) };
        let wealth = u64::try_from(self.token.balances[consumer]).unwrap_or(u64::MAX);
        let affordable = wealth / kwh.max(1);
        let bounds = [affordable, affordable.saturating_add(1), wealth, 0, u64::MAX / kwh.max(1), u64::MAX];
        let price = match d {
            // As much energy as there can be, so that a register can be full.
            64.. if kwh == u64::MAX => 1,
            ..190 => 1 + u64::from(d),
            _ => one(&bounds, d),
        };
        let terms = [DAY, 2 * HOUR, 2 * DAY, 1, 40 * DAY, HOUR, 2 * DAY, 7 * DAY, TERM - 1, TERM, TERM + 1, 0, u64::MAX];
        let deadline = if e == u8::MAX { one(&[0, self.now - 1], d) } else { self.now.saturating_add(one(&terms, e)) };
        Call::CreateAgreement(provider, consumer, kwh, price, deadline)
    }

    fn a_delivery(&self, [a, b, c, d, e]: [u8; 5]) -> Call {
        let funded = c % 4 != 0 && self.books.agreements.values().any(|agreement| agreement.open(self.now) && agreement.funded);
        let id = self.agreement_id(a, |agreement| agreement.open(self.now) && (agreement.funded || !funded));
        let remaining = self.books.agreements.get(&id).map_or(1, |agreement| agreement.kwh - agreement.delivered);
        let kwh = amount(remaining, c, d);
        let provider = self.party(id, 0, b);
        let meter = self.books.prosumers.get(&provider).cloned().unwrap_or_default();
        // The least that will do.
        let exported = meter.start.saturating_add(meter.sold).saturating_add(kwh).max(meter.reading);
        let more = exported.saturating_add(u64::from(d / 8));
        let readings = [exported, exported, more, exported, exported.saturating_sub(1), exported, more, exported, exported, meter.reading];
        let reading = if e == u8::MAX { one(&[u64::MAX, 0], d) } else { one(&readings, e) };
        Call::DeliverEnergy(id, kwh, reading, provider)
    }

    fn a_meter(&self, [a, b, c, d, e]: [u8; 5]) -> Call {
        let prosumer = if a < 230 { self.prosumer(a) } else { Person::from(a) % METERS[0] };
        let meter = [Some(METERS[0]), Some(METERS[1]), None, Some(METERS[0]), Some(prosumer), Some(self.prosumer(c))];
        let reading = self.books.prosumers.get(&prosumer).map_or(0, |prosumer| prosumer.reading);
        Call::RegisterMeter(prosumer, one(&meter, b), if e < 250 { one(&[0, reading, 100, reading / 2], d) } else { u64::MAX })
    }

    /// For the order of the checks: any party, any record, and numbers out of range at the same time.
    fn several_mistakes(&self, [a, b, c, d, e]: [u8; 5]) -> Call {
        let anyone = Person::from(b) % METERS[0];
        let extreme = |number| one(&[0, u64::MAX, 1], number);
        let (agreement, transaction) = (self.agreement_id(c, |_| true), self.transaction_id(c, |_| true));
        let (party, party_of) = (self.party(agreement, b / 16, b), self.party_of(transaction, b / 16, b));
        match a % 8 {
            0 => {
                let times = [0, self.now, self.now.saturating_add(1), self.now.saturating_add(TERM + 1), u64::MAX];
                let other = if d % 2 == 0 { anyone } else { self.prosumer(c) };
                Call::CreateAgreement(anyone, other, extreme(c), extreme(d), one(&times, e))
            }
            1 => Call::DeliverEnergy(agreement, extreme(d), extreme(e), if e % 4 == 0 { anyone } else { party }),
            2 => Call::FundAgreement(agreement, party),
            3 => Call::CancelAgreement(agreement, party),
            4 => Call::SettlePayment(transaction, party_of),
            5 => Call::DisputeTransaction(transaction, party_of),
            _ => Call::ResolveDispute(self.disputed(c), extreme(d), if e % 4 == 0 { party_of } else { anyone }),
        }
    }

    /// Mostly to just before, at or after the next ends of terms, reviews and arbitrations.
    fn a_time(&self, a: u8, b: u8) -> Action {
        let deadlines = self.books.agreements.values().filter(|agreement| agreement.status(self.now) == AgreementStatus::Active);
        let mut ends: Vec<u64> = deadlines.map(|agreement| agreement.deadline).collect();
        for transaction in self.books.transactions.values().filter(|transaction| transaction.settled_at.is_none()) {
            ends.push(transaction.delivered_at.saturating_add(REVIEW));
            ends.extend(transaction.disputed_at.map(|disputed_at| disputed_at.saturating_add(ARBITRATION)));
        }
        let mut times: Vec<_> = ends.into_iter().flat_map(|end| [end - 1, end, end.saturating_add(1)]).collect();
        times.retain(|time| *time > self.now);
        times.sort();
        times.dedup();
        Action::Wait(match a {
            // To the end of time.
            u8::MAX => self.now.max(u64::MAX - u64::from(b) % 3),
            _ if times.is_empty() || a % 8 == 7 => self.now.saturating_add(one(&[1, HOUR, DAY], b)),
            _ => times[usize::from(a / 8) % times.len().min(if b % 4 == 3 { usize::MAX } else { 4 })],
        })
    }

    /// Mostly one that is registered.
    fn prosumer(&self, number: u8) -> Person {
        let registered: Vec<_> = self.books.prosumers.keys().copied().collect();
        if number < 245 && !registered.is_empty() {
            one(&registered, number)
        } else {
            Person::from(number) % METERS[0]
        }
    }

    /// Mostly the provider (0) or the consumer (1) of an agreement.
    fn party(&self, id: u64, which: u8, number: u8) -> Person {
        match self.books.agreements.get(&id) {
            Some(agreement) if number % 16 < 15 => one(&[agreement.provider, agreement.consumer], which),
            _ => Person::from(number / 16) % METERS[0],
        }
    }

    fn party_of(&self, transaction: u64, which: u8, number: u8) -> Person {
        self.party(self.books.transactions.get(&transaction).map_or(0, |transaction| transaction.agreement), which, number)
    }

    /// Mostly one that fits, else any, or a wrong one.
    fn agreement_id(&self, number: u8, fits: impl Fn(&Agreement) -> bool) -> u64 {
        let fitting = self.books.agreements.iter().filter(|(_, agreement)| fits(agreement)).map(|(id, _)| *id).collect();
        self.id(number, fitting, self.books.agreements.keys().copied().collect())
    }

    fn transaction_id(&self, number: u8, fits: impl Fn(&Transaction) -> bool) -> u64 {
        let fitting = self.books.transactions.iter().filter(|(_, transaction)| fits(transaction)).map(|(id, _)| *id).collect();
        self.id(number, fitting, self.books.transactions.keys().copied().collect())
    }

    fn disputed(&self, number: u8) -> u64 {
        self.transaction_id(number, |transaction| transaction.status() == TransactionStatus::Disputed)
    }

    fn id(&self, number: u8, fitting: Vec<u64>, all: Vec<u64>) -> u64 {
        let wrong = vec![0, IDS, IDS + 999, 2 * IDS - 1, u64::MAX, all.last().map_or(1, |id| id + 1)];
        let ids = match number % 16 {
            15 => wrong,
            0..=11 if !fitting.is_empty() => fitting,
            _ if !all.is_empty() => all,
            _ => wrong,
        };
        one(&ids, number / 16)
    }
}
