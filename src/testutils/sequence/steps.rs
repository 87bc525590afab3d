//! Turns small numbers into calls that mostly make sense: the right party of a record in the right state, amounts and times at the bounds.
//!
//! `CHOICES` is the one list of what can happen; each of its functions chooses its arguments, number by number. Where no record fits, it
//! does what has to come first instead. 0 is always the plainest choice, so that a failing sequence shrinks to plain calls.

use super::std::{slice, vec, vec::Vec};

use super::super::{
    books::{
        Agreement, Person, Transaction, ARBITRATION, FORTY, HIGHEST_READING, MOST_POWER, PROVIDER_STEP, REVIEW, TERM,
        TRANSACTION_STEP,
    },
    model::{Call, Model},
    DAY, HOUR,
};
use crate::{AgreementStatus, Deposit};

/// The test's list: six prosumers, one who is not registered, two admins, two meters, contract and token.
pub const PROSUMERS: [Person; 6] = [0, 1, 2, 3, 4, 5];
pub const STRANGER: Person = 6;
pub const ADMINS: [Person; 2] = [7, 8];
pub const METERS: [Person; 2] = [9, 10];
pub const CONTRACT: Person = 11;
pub const ASSET: Person = 12;
const ANYONE: [Person; 9] = [0, 1, 2, 3, 4, 5, STRANGER, ADMINS[0], ADMINS[1]];

/// Makes a step of what numbers choose.
type Choice = fn(&mut Dice) -> Vec<Action>;

/// How often, of 256 times at most, each is tried.
const CHOICES: [(usize, Choice); 20] = [
    (8, create_agreement),
    (44, deliver_energy),
    (6, deliver_often),
    (12, fund_agreement),
    (16, settle_payment),
    (24, settle_agreement),
    (18, dispute_transaction),
    (14, resolve_dispute),
    (10, close_dispute),
    (10, cancel_agreement),
    (12, claim_refund),
    (5, register_prosumer),
    (12, register_meter),
    (5, set_admin),
    (4, initialize),
    (26, wait),
    (5, transfer),
    (10, freeze),
    (4, claw_back),
    (10, look),
];

/// The numbers from which a step is chosen.
pub type Step = [u8; 20];

/// What happens, with all its arguments.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Call(Call),
    /// A gift, if to the contract.
    Transfer(Person, Person, u64),
    Freeze(Person, bool),
    /// The issuer takes from the contract.
    ClawBack(u64),
    Wait(u64),
    /// Reads a prosumer, an agreement, a transaction, and a page of the prosumer's agreements before one.
    Look(Person, u64, u64, Option<u64>, u32),
}

pub fn choose(model: &Model, step: &Step) -> Vec<Action> {
    let mut dice = Dice { model, numbers: step.iter(), careless: false };
    let mut number = dice.roll() * CHOICES.iter().map(|(often, _)| often).sum::<usize>() / 256;
    dice.careless = dice.roll() >= 224;
    if model.books.config.is_none() && dice.roll() >= 240 {
        return initialize(&mut dice);
    }
    for (often, choice) in CHOICES {
        if number < often {
            return choice(&mut dice);
        }
        number -= often;
    }
    unreachable!()
}

fn call(call: Call) -> Vec<Action> {
    vec![Action::Call(call)]
}

fn initialize(dice: &mut Dice) -> Vec<Action> {
    call(Call::Initialize(dice.one(&ADMINS), dice.one(&[ASSET, ASSET, ASSET, CONTRACT, STRANGER])))
}

fn set_admin(dice: &mut Dice) -> Vec<Action> {
    let prosumer = dice.prosumer();
    call(Call::SetAdmin(dice.one(&[ADMINS[0], ADMINS[1], prosumer])))
}

fn register_prosumer(dice: &mut Dice) -> Vec<Action> {
    call(Call::RegisterProsumer(dice.one(&ANYONE)))
}

/// Often an exchange: a new register for a provider that has delivered to an open agreement.
fn register_meter(dice: &mut Dice) -> Vec<Action> {
    let now = dice.model.now;
    let any = dice.prosumer();
    let delivering = dice.agreement(|agreement| agreement.open(now) && agreement.delivered > 0);
    let prosumer = dice.one(&[delivering.map_or(any, |(_, agreement)| agreement.provider), any]);
    let meter = dice.one(&[Some(METERS[0]), Some(METERS[1]), Some(any), None, Some(prosumer)]);
    let register = dice.model.books.prosumers.get(&prosumer).map_or(0, |prosumer| prosumer.reading);
    let reading = dice.one(&[0, register / 2, register]);
    let reading = dice.mostly(reading, &[HIGHEST_READING, HIGHEST_READING - 3, HIGHEST_READING + 1, u64::MAX]);
    let power = dice.one(&[30, MOST_POWER, 4, MOST_POWER - 1]);
    let power = dice.mostly(power, &[0, 1, MOST_POWER + 1, u64::MAX]);
    call(Call::RegisterMeter(prosumer, meter, reading, power))
}

fn create_agreement(dice: &mut Dice) -> Vec<Action> {
    let (books, now) = (&dice.model.books, dice.model.now);
    if books.config.is_some() && books.prosumers.len() < 2 && !dice.slip() {
        return register_prosumer(dice);
    }
    let (provider, any) = (dice.prosumer(), dice.prosumer());
    let others: Vec<_> = PROSUMERS.into_iter().filter(|other| *other != provider).collect();
    let consumer = dice.one(&others);
    let consumer = dice.mostly(consumer, &[provider, any]);

    let (some, many) = (1 + dice.roll() as u64 % 24, FORTY as u64 + 2);
    let kwh = dice.one(&[some, some, some, some, some, many]);
    let kwh = dice.mostly(kwh, &[0, 1 << 33, u64::MAX]);
    let affordable = (dice.wealth(consumer) / kwh.max(1)).max(1);
    let cheap = affordable.min(1 + dice.roll() as u64);
    let price = dice.one(&[cheap, cheap, cheap, cheap, affordable]);
    let price = dice.mostly(price, &[0, affordable.saturating_add(1), u64::MAX / kwh.max(1), u64::MAX]);
    let term = dice.one(&[7 * DAY, 40 * DAY, 2 * DAY, 7 * DAY, DAY, HOUR, 1]);
    let term = dice.mostly(term, &[TERM, TERM - 1, TERM + 1, 0, u64::MAX]);
    let deadline = dice.mostly(now.saturating_add(term), &[0, now - 1]);
    call(Call::CreateAgreement(provider, consumer, kwh, price, deadline))
}

fn fund_agreement(dice: &mut Dice) -> Vec<Action> {
    let now = dice.model.now;
    let unfunded = |agreement: &Agreement| agreement.open(now) && !agreement.funded() && agreement.delivered == 0;
    let Some((id, agreement)) = dice.agreement(unfunded) else { return create_agreement(dice) };
    let provider = dice.model.books.prosumers.get(&agreement.provider);
    let metered = provider.is_some_and(|provider| provider.meter.is_some());
    let usual = if metered { [Deposit::Metered, Deposit::Metered, Deposit::Reviewed] } else { [Deposit::Reviewed; 3] };
    let deposit = dice.one(&usual);
    let deposit = dice.mostly(deposit, &[Deposit::Metered, Deposit::Reviewed, Deposit::None]);
    call(Call::FundAgreement(id, dice.person(&[agreement.consumer]), deposit))
}

fn cancel_agreement(dice: &mut Dice) -> Vec<Action> {
    let now = dice.model.now;
    let Some((id, agreement)) = dice.agreement(|agreement| agreement.open(now)) else { return create_agreement(dice) };
    call(Call::CancelAgreement(id, dice.person(&agreement.parties())))
}

fn claim_refund(dice: &mut Dice) -> Vec<Action> {
    let now = dice.model.now;
    let Some((id, _)) = dice.agreement(|agreement| agreement.surplus(now) > 0) else { return wait(dice) };
    call(Call::ClaimRefund(id))
}

/// Mostly from a deposit.
fn deliver_energy(dice: &mut Dice) -> Vec<Action> {
    let now = dice.model.now;
    let funded = dice.one(&[true, true, true, false]);
    let open = |agreement: &Agreement| agreement.open(now) && (agreement.funded() || !funded);
    let Some((id, agreement)) = dice.agreement(open) else { return fund_agreement(dice) };
    let kwh = dice.amount(agreement.remaining());
    let least = dice.least_reading(agreement, kwh);
    let more = least.saturating_add(dice.roll() as u64 / 8);
    let reading = dice.one(&[least, least, least, more, more, least.saturating_sub(1)]);
    let reading = dice.mostly(reading, &[0, HIGHEST_READING, HIGHEST_READING + 1, u64::MAX]);
    let deliver = Action::Call(Call::DeliverEnergy(id, kwh, reading, dice.person(&[agreement.provider])));
    // Mostly as soon as the plant can have exported it, or a second before.
    let soonest = dice.soonest(agreement, reading);
    let time = dice.one(&[soonest, soonest, soonest, soonest - 1]);
    let waits = time > now && time <= agreement.deadline;
    waits.then_some(Action::Wait(time)).into_iter().chain([deliver]).collect()
}

/// A kWh at a time, at once, every two hours or every day, until there is no more, or one too many; and the bill for all of it.
fn deliver_often(dice: &mut Dice) -> Vec<Action> {
    let now = dice.model.now;
    let many = |agreement: &Agreement| agreement.kwh > FORTY as u64;
    let Some((id, agreement)) = dice.best_agreement(|agreement| agreement.open(now), many) else {
        return create_agreement(dice);
    };
    let (least, provider) = (dice.least_reading(agreement, 1), dice.person(&[agreement.provider]));
    let pause = dice.one(&[0, 2 * HOUR, DAY]);
    let mut actions = Vec::new();
    for n in 0..=agreement.remaining().min(FORTY as u64) {
        let time = now.saturating_add(n * pause);
        actions.extend((time > now && n < FORTY as u64).then_some(Action::Wait(time)));
        actions.push(Action::Call(Call::DeliverEnergy(id, 1, least.saturating_add(n), provider)));
    }
    let last = (agreement.transactions.len() as u64 + agreement.remaining()).min(FORTY as u64);
    let through = id.saturating_add((last - 1) * TRANSACTION_STEP);
    actions.push(Action::Call(Call::SettleAgreement(id, through, dice.person(&agreement.parties()))));
    actions
}

fn settle_payment(dice: &mut Dice) -> Vec<Action> {
    let Some((id, _, agreement)) = dice.transaction(Transaction::due) else { return deliver_energy(dice) };
    call(Call::SettlePayment(id, dice.person(&agreement.parties())))
}

/// Mostly several, through the last or one before.
fn settle_agreement(dice: &mut Dice) -> Vec<Action> {
    let transactions = &dice.model.books.transactions;
    let due = |agreement: &Agreement| agreement.transactions.iter().filter(|id| transactions[id].due()).count();
    let chosen = dice.best_agreement(|agreement| due(agreement) > 0, |agreement| due(agreement) > 1);
    let Some((id, agreement)) = chosen else { return deliver_energy(dice) };
    let last = agreement.transactions.last().copied().unwrap_or(id);
    let one = if agreement.transactions.is_empty() { id } else { dice.one(&agreement.transactions) };
    let other = dice.transaction(|_| true).map_or(id, |(other, ..)| other);
    let through = dice.one(&[last, one]);
    let through = dice.mostly(through, &[last.saturating_add(TRANSACTION_STEP), other, u64::MAX]);
    call(Call::SettleAgreement(id, through, dice.person(&agreement.parties())))
}

fn dispute_transaction(dice: &mut Dice) -> Vec<Action> {
    let Some((id, _, agreement)) = dice.transaction(Transaction::due) else { return deliver_energy(dice) };
    call(Call::DisputeTransaction(id, dice.person(&agreement.parties())))
}

fn resolve_dispute(dice: &mut Dice) -> Vec<Action> {
    let Some((id, transaction, agreement)) = dice.transaction(Transaction::disputed) else {
        return dispute_transaction(dice);
    };
    let some = dice.amount(transaction.kwh);
    let accepted = dice.one(&[some, some, some, some, 0, 0, transaction.kwh + 1]);
    let admin = dice.model.books.config.map_or(ADMINS[0], |(admin, _)| admin);
    call(Call::ResolveDispute(id, accepted, dice.person(&[admin, admin, agreement.provider, agreement.consumer])))
}

fn close_dispute(dice: &mut Dice) -> Vec<Action> {
    let Some((id, ..)) = dice.transaction(Transaction::disputed) else { return dispute_transaction(dice) };
    call(Call::CloseDispute(id))
}

/// Mostly until just before, at or after one of the next ends of terms, reviews and arbitrations.
fn wait(dice: &mut Dice) -> Vec<Action> {
    let (books, now) = (&dice.model.books, dice.model.now);
    let mut ends = Vec::new();
    for agreement in books.agreements.values().filter(|agreement| agreement.status(now) == AgreementStatus::Active) {
        ends.push(agreement.deadline);
    }
    for transaction in books.transactions.values().filter(|transaction| transaction.settled_at.is_none()) {
        ends.push(transaction.delivered_at.saturating_add(REVIEW));
        ends.extend(transaction.disputed_at.map(|disputed_at| disputed_at.saturating_add(ARBITRATION)));
    }
    let mut times: Vec<_> =
        ends.into_iter().flat_map(|end| [end - 1, end, end.saturating_add(1)]).filter(|time| *time > now).collect();
    times.sort();
    times.dedup();
    times.truncate(4);
    let [second, hour, day] = [1, HOUR, DAY].map(|time| now.saturating_add(time));
    let next = if times.is_empty() { day } else { dice.one(&times) };
    let time = dice.one(&[next, next, next, hour]);
    let end_of_time = now.max(u64::MAX - dice.roll() as u64 % 3);
    vec![Action::Wait(dice.mostly(time, &[day, second, hour, day, second, hour, day, end_of_time]))]
}

fn transfer(dice: &mut Dice) -> Vec<Action> {
    let from = dice.one(&ANYONE);
    // The token moves nothing from an account to itself, which tells nothing about the contract.
    let others: Vec<_> = ANYONE.into_iter().filter(|to| *to != from).collect();
    let other = dice.one(&others);
    let to = dice.one(&[CONTRACT, other]);
    vec![Action::Transfer(from, to, dice.amount(dice.wealth(from)))]
}

/// Freezes the account of a party to a deposit, or the contract's, or thaws it; the contract's does not stay frozen for long.
fn freeze(dice: &mut Dice) -> Vec<Action> {
    let frozen = &dice.model.token.frozen;
    let deposits = dice.model.books.agreements.values().filter(|agreement| agreement.escrow > 0);
    let people: Vec<_> = deposits.flat_map(Agreement::parties).chain([CONTRACT]).collect();
    let person = if frozen.contains(&CONTRACT) { CONTRACT } else { dice.one(&people) };
    vec![Action::Freeze(person, !frozen.contains(&person))]
}

fn claw_back(dice: &mut Dice) -> Vec<Action> {
    let held = dice.wealth(CONTRACT);
    if held == 0 {
        return fund_agreement(dice);
    }
    let some = 1 + dice.roll() as u64 % held;
    vec![Action::ClawBack(dice.one(&[held, some]))]
}

fn look(dice: &mut Dice) -> Vec<Action> {
    let agreement = dice.agreement(|_| true).map_or(0, |(id, _)| id);
    let transaction = dice.transaction(|_| true).map_or(0, |(id, ..)| id);
    let before = dice.agreement(|_| true).map(|(id, _)| id);
    vec![Action::Look(
        dice.one(&ANYONE),
        agreement,
        transaction,
        dice.one(&[None, before]),
        dice.one(&[1, 2, 5, 0, 40, 41, u32::MAX]),
    )]
}

/// Chooses, number by number.
struct Dice<'a> {
    model: &'a Model,
    numbers: slice::Iter<'a, u8>,
    /// For the order of the checks: half of the choices of such a step slip, else there would hardly ever be two mistakes in one.
    careless: bool,
}

/// What an id that names nothing is taken for, where there is nothing yet.
static NO_AGREEMENT: Agreement = Agreement {
    id: 0,
    provider: PROSUMERS[0],
    consumer: PROSUMERS[1],
    kwh: 1,
    price: 1,
    total: 1,
    deadline: 0,
    created_at: 0,
    delivered: 0,
    pending: 0,
    escrow: 0,
    deposit: Deposit::None,
    cancelled: false,
    transactions: Vec::new(),
};
static NO_TRANSACTION: Transaction = Transaction {
    agreement: 0,
    kwh: 1,
    reading: 1,
    payment: 1,
    delivered_at: 0,
    settled_at: None,
    disputed_at: None,
    metered: false,
    ruled: false,
    at_once: false,
};

impl<'a> Dice<'a> {
    /// The next number, up to 255.
    fn roll(&mut self) -> usize {
        self.numbers.next().copied().unwrap_or_default().into()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll() * of.len() / 256]
    }

    fn slip(&mut self) -> bool {
        self.roll() >= if self.careless { 128 } else { 240 }
    }

    /// The usual, or by a slip something else.
    fn mostly<T: Copy>(&mut self, usual: T, slips: &[T]) -> T {
        if self.slip() {
            self.one(slips)
        } else {
            usual
        }
    }

    /// Some of what there is, or all of it; by a slip one more or less, nothing, or far too much.
    fn amount(&mut self, there_is: u64) -> u64 {
        let some = 1 + self.roll() as u64 % there_is.clamp(1, 20);
        let amount = self.one(&[some, some, some, there_is]);
        self.mostly(amount, &[0, there_is.saturating_add(1), there_is.saturating_sub(1), u64::MAX])
    }

    /// One of these people, or by a slip anyone.
    fn person(&mut self, usual: &[Person]) -> Person {
        let person = self.one(usual);
        self.mostly(person, &ANYONE)
    }

    /// One that is registered, or by a slip anyone.
    fn prosumer(&mut self) -> Person {
        let registered: Vec<_> = self.model.books.prosumers.keys().copied().collect();
        self.person(if registered.is_empty() { &ANYONE } else { &registered })
    }

    fn wealth(&self, person: Person) -> u64 {
        u64::try_from(self.model.token.balances[person]).unwrap_or(u64::MAX)
    }

    /// The lowest that a delivery's reading can be.
    fn least_reading(&self, agreement: &Agreement, kwh: u64) -> u64 {
        let Some(seller) = self.model.books.prosumers.get(&agreement.provider) else { return kwh };
        let last = agreement.transactions.last().map_or(0, |last| self.model.books.transactions[last].reading);
        let higher = if seller.reading < last { 0 } else { last + 1 };
        (seller.start + seller.sold).saturating_add(kwh).max(seller.reading).max(higher)
    }

    /// From when the provider's meter can show this reading.
    fn soonest(&self, agreement: &Agreement, reading: u64) -> u64 {
        let now = self.model.now;
        let seller = self.model.books.prosumers.get(&agreement.provider);
        seller
            .filter(|seller| seller.reading < reading && reading <= HIGHEST_READING)
            .map_or(now, |seller| now.max(seller.can_export(reading - seller.reading - 1)))
    }

    /// An agreement that fits, if there is one; sometimes any other, or an id that names none.
    fn agreement(&mut self, fits: impl Fn(&Agreement) -> bool) -> Option<(u64, &'a Agreement)> {
        let agreements = &self.model.books.agreements;
        let fitting = agreements.iter().filter(|(_, agreement)| fits(agreement)).map(|(id, _)| *id).collect();
        let (id, known) = self.id(fitting, agreements.keys().copied().collect())?;
        Some((id, agreements.get(&known).unwrap_or(&NO_AGREEMENT)))
    }

    /// The same; mostly the best that fits, if there is one.
    fn best_agreement(
        &mut self,
        fits: impl Fn(&Agreement) -> bool,
        best: impl Fn(&Agreement) -> bool,
    ) -> Option<(u64, &'a Agreement)> {
        let choosy = self.one(&[true, true, true, false]);
        let choosy = choosy && self.model.books.agreements.values().any(|agreement| fits(agreement) && best(agreement));
        self.agreement(|agreement| fits(agreement) && (best(agreement) || !choosy))
    }

    /// A transaction that fits, in the same way, and its agreement.
    fn transaction(&mut self, fits: impl Fn(&Transaction) -> bool) -> Option<(u64, &'a Transaction, &'a Agreement)> {
        let books = &self.model.books;
        let fitting =
            books.transactions.iter().filter(|(_, transaction)| fits(transaction)).map(|(id, _)| *id).collect();
        let (id, known) = self.id(fitting, books.transactions.keys().copied().collect())?;
        let transaction = books.transactions.get(&known).unwrap_or(&NO_TRANSACTION);
        Some((id, transaction, books.agreements.get(&transaction.agreement).unwrap_or(&NO_AGREEMENT)))
    }

    /// An id, and the one that exists for which it is taken.
    fn id(&mut self, fitting: Vec<u64>, all: Vec<u64>) -> Option<(u64, u64)> {
        if self.model.books.config.is_some() && !self.slip() {
            let ids = self.one(&[&fitting, &fitting, &fitting, &fitting, &fitting, &all]);
            return (!ids.is_empty()).then(|| self.one(ids)).map(|id| (id, id));
        }
        let known = if all.is_empty() { 1 } else { self.one(&all) };
        let beyond = known % TRANSACTION_STEP + FORTY as u64 * TRANSACTION_STEP;
        let id = self.one(&[
            known,
            known,
            known,
            known,
            known + 1,
            known + TRANSACTION_STEP,
            beyond,
            PROVIDER_STEP,
            u64::MAX,
            0,
        ]);
        Some((id, known))
    }
}
