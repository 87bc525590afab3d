//! Every state that two agreements with two deliveries each can reach, by all calls of everybody at the times that matter: what holds in
//! each of them and in each step, and what each party gains from there by its own calls, while all others are silent for ever.
//!
//! The rules are the model's, to which `property` holds the contract.

use super::std::{
    assert, assert_eq,
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use crate::testutils::{
    books::{Agreement, Books, Person, Transaction, ARBITRATION, MOST_POWER, REVIEW, TERM, TRANSACTION_STEP},
    model::{Call, Done, Model, Token},
    DAY, START,
};
use crate::Deposit;

const PROVIDER: Person = 0;
const CONSUMER: Person = 1;
const ADMIN: Person = 2;
const STRANGER: Person = 3;
const METER: Person = 4;
const CONTRACT: Person = 5;
const ASSET: Person = 6;

/// The terms of both agreements, which are delivered by a kWh or two at a time.
const KWH: u64 = 2;
const PRICE: u64 = 3;
const DEADLINE: u64 = START + REVIEW;

/// The first reviews end at the deadline, after which nothing is delivered; at the end all reviews and arbitrations are over.
const TIMES: [u64; 4] = [START, DEADLINE, DEADLINE + 1, END];
const END: u64 = START + TERM;

/// Whatever decides what calls can do. What no longer matters is 0, and one agreement is like the other.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct State {
    now: u64,
    agreements: Vec<(Agreement, Vec<Transaction>)>,
}

/// How much a party can gain by its own calls, and the least that it can leave in the contract.
#[derive(Clone, Copy)]
struct Reach {
    gain: i128,
    locked: i128,
}

struct Walk {
    /// The parties are registered, and nothing is agreed on.
    start: Model,
    /// The reach of the provider and of the consumer; none as long as the walk goes on from there.
    seen: BTreeMap<State, Option<[Reach; 2]>>,
}

impl State {
    fn of(Model { now, books, .. }: &Model) -> Self {
        let mut agreements = Vec::new();
        for agreement in books.agreements.values() {
            let transactions = agreement.transactions.iter().map(|id| plain(&books.transactions[id], agreement, *now));
            let transactions = transactions.collect();
            agreements.push((Agreement { id: 0, transactions: Vec::new(), ..agreement.clone() }, transactions));
        }
        agreements.sort();
        Self { now: *now, agreements }
    }

    /// The next of the times has come, or after the last one all that was waited for.
    fn later(&self, model: &Model) -> Self {
        let next = TIMES.into_iter().find(|time| *time > self.now);
        let later = Self::of(&Model { now: next.unwrap_or(END + ARBITRATION), ..model.clone() });
        Self { now: next.unwrap_or(END), ..later }
    }
}

/// A transaction without what decides nothing.
fn plain(transaction: &Transaction, agreement: &Agreement, now: u64) -> Transaction {
    // 0 if it is over, and else such that it is over at the same of the times.
    let since = |at: u64, period: u64| match TIMES.iter().find(|time| **time >= at + period) {
        _ if now >= at + period => 0,
        Some(end) => end - period,
        None => END,
    };
    let Transaction { kwh, payment, delivered_at, settled_at, disputed_at, metered, ruled, .. } = *transaction;
    let nothing = Transaction {
        agreement: 0,
        kwh,
        reading: 0,
        payment: 0,
        delivered_at: 0,
        settled_at: settled_at.map(|_| 0),
        disputed_at: None,
        metered: false,
        ruled: false,
        at_once: false,
    };
    if transaction.at_once && transaction.day() == now / DAY {
        // What is paid at once later on this day joins it.
        Transaction { payment, delivered_at: now, settled_at: Some(now), metered, at_once: true, ..nothing }
    } else if settled_at.is_some() {
        nothing
    } else if let Some(at) = disputed_at {
        Transaction { payment, disputed_at: Some(since(at, ARBITRATION)), metered, ..nothing }
    } else if ruled {
        Transaction { payment, ruled, ..nothing }
    } else {
        let reviewed = agreement.deposit == Deposit::Reviewed;
        let delivered_at = if reviewed { since(delivered_at, REVIEW) } else { 0 };
        Transaction { payment, delivered_at, metered, ..nothing }
    }
}

/// All that anyone can try, and nothing that only says who is who.
fn calls(books: &Books) -> Vec<Call> {
    let mut calls = Vec::new();
    for (&id, agreement) in &books.agreements {
        calls.push(Call::ClaimRefund(id));
        calls.extend(agreement.transactions.iter().map(|transaction| Call::CloseDispute(*transaction)));
        for person in [PROVIDER, CONSUMER, ADMIN, STRANGER] {
            calls.push(Call::CancelAgreement(id, person));
            calls.extend([Deposit::Reviewed, Deposit::Metered].map(|deposit| Call::FundAgreement(id, person, deposit)));
            calls.extend((1..=KWH).map(|kwh| Call::DeliverEnergy(id, kwh, kwh, person)));
            for &transaction in &agreement.transactions {
                calls.extend([
                    Call::SettlePayment(transaction, person),
                    Call::SettleAgreement(id, transaction, person),
                    Call::DisputeTransaction(transaction, person),
                ]);
                calls.extend((0..=KWH).map(|kwh| Call::ResolveDispute(transaction, kwh, person)));
            }
        }
    }
    calls
}

/// The certified meter and the account that the token refuses, for what depends on them; other payments fail, and change nothing. The token
/// refuses a provider who cannot receive, and whatever a hostile submitter of the meter's call wants it to.
fn circumstances(call: Call) -> &'static [(Option<Person>, Option<Person>)] {
    match call {
        Call::FundAgreement(..) => &[(None, None), (Some(METER), None)],
        Call::DeliverEnergy(..) => &[(None, None), (Some(METER), None), (Some(METER), Some(PROVIDER))],
        _ => &[(None, None)],
    }
}

impl Walk {
    /// From the offers on.
    fn new(agreements: u64, admin: Person) -> Self {
        let mut balances = vec![0; ASSET + 1];
        balances[CONSUMER] = 2 * i128::from(KWH * PRICE);
        let token = Token { balances, frozen: Default::default() };
        let mut start = Model { now: START, books: Books::default(), token, contract: CONTRACT, asset: ASSET };
        let setup =
            [Call::Initialize(admin, ASSET), Call::RegisterProsumer(PROVIDER), Call::RegisterProsumer(CONSUMER)];
        setup.into_iter().for_each(|call| act(&mut start, call));
        let mut offered = start.clone();
        (0..agreements)
            .for_each(|_| act(&mut offered, Call::CreateAgreement(PROVIDER, CONSUMER, KWH, PRICE, DEADLINE)));
        let mut walk = Self { start, seen: BTreeMap::new() };
        walk.explore(State::of(&offered));
        walk
    }

    fn model(&self, state: &State) -> Model {
        let mut model = Model { now: state.now, ..self.start.clone() };
        for (id, (agreement, transactions)) in (1..).zip(&state.agreements) {
            let ids: Vec<_> = (0..).zip(transactions).map(|(k, _)| k * TRANSACTION_STEP + id).collect();
            let transactions = transactions.iter().map(|known| Transaction { agreement: id, ..known.clone() });
            model.books.transactions.extend(ids.iter().copied().zip(transactions));
            model.token.balances[CONTRACT] += i128::from(agreement.escrow);
            model.books.agreements.insert(id, Agreement { id, transactions: ids, ..agreement.clone() });
        }
        model
    }

    /// Goes on to wherever time or a call leads.
    fn explore(&mut self, state: State) -> [Reach; 2] {
        if let Some(known) = self.seen.get(&state) {
            return known.expect("no call leads back");
        }
        self.seen.insert(state.clone(), None);
        let before = self.model(&state);
        check_escrows(&before);
        let later = state.later(&before);
        let here = Reach { gain: 0, locked: before.token.balances[CONTRACT] };
        let mut reach = if later == state { [here; 2] } else { self.explore(later) };
        let mut after = before.clone();
        for call in calls(&before.books) {
            for &(meter, frozen) in circumstances(call) {
                let provider = after.books.prosumers.get_mut(&PROVIDER).unwrap();
                (provider.meter, provider.power) = (meter, MOST_POWER);
                after.token.frozen = frozen.into_iter().collect();
                let Ok(Done { signers, events, .. }) = after.call(call) else { continue };
                after.books.apply(&events);
                let moved = check_step(&before, call, &signers, &after);
                let next = self.explore(State::of(&after));
                for party in [PROVIDER, CONSUMER] {
                    if signers.iter().all(|signer| *signer == party) {
                        let Reach { gain, locked } = &mut reach[party];
                        *gain = (*gain).max(moved[party] + next[party].gain);
                        *locked = (*locked).min(next[party].locked);
                    }
                }
                after.clone_from(&before);
            }
        }
        check_reach(&before, reach);
        self.seen.insert(state, Some(reach));
        reach
    }
}

fn act(model: &mut Model, call: Call) {
    let done = model.call(call).unwrap();
    model.books.apply(&done.events);
}

/// The escrow covers what is owed, and what a deposit trusts the meter with is never disputed.
fn check_escrows(Model { now, books, token, .. }: &Model) {
    let agreements = books.agreements.values();
    for agreement in agreements.clone() {
        let owed = if agreement.funded() { agreement.owed(*now) } else { 0 };
        assert!(agreement.escrow >= owed, "{agreement:?} owes {owed}");
        assert!(agreement.delivered <= agreement.kwh && agreement.transactions.len() <= 2);
        for transaction in agreement.transactions.iter().map(|id| &books.transactions[id]) {
            let trusted = agreement.deposit == Deposit::Metered && transaction.metered;
            assert!(!(trusted && transaction.disputed()), "{transaction:?} trusts the meter");
        }
    }
    assert_eq!(token.balances[CONTRACT], agreements.map(|agreement| i128::from(agreement.escrow)).sum::<i128>());
}

/// Only calls that may do so move tokens: what was not paid yet, to the provider, or what nobody is owed, to the consumer.
fn check_step(before: &Model, call: Call, signers: &BTreeSet<Person>, after: &Model) -> Vec<i128> {
    check_escrows(after);
    let mut paid = 0;
    for (id, new) in &after.books.transactions {
        match before.books.transactions.get(id) {
            Some(old) if old.at_once && new.kwh > old.kwh => {
                let Transaction { kwh, payment, reading, .. } = *new;
                assert_eq!(*new, Transaction { kwh, payment, reading, ..old.clone() }, "joined on the same day");
                paid += i128::from(payment - old.payment);
            }
            Some(old) if old.settled_at.is_some() => assert_eq!(new, old, "settled for good"),
            old if new.settled_at.is_some() => {
                let reviewed = |old: &Transaction| old.ruled || before.now >= old.delivered_at + REVIEW;
                let deposit = before.books.agreements[&new.agreement].deposit;
                let alone = deposit == Deposit::Reviewed && new.payment > 0 && !signers.contains(&CONSUMER);
                assert!(!alone || old.is_some_and(reviewed), "{call:?} without a review");
                paid += i128::from(new.payment);
            }
            _ => {}
        }
    }
    let agreement = |id: u64| &before.books.agreements[&(id % TRANSACTION_STEP)];
    let [to_provider, to_consumer] = match call {
        Call::FundAgreement(id, ..) => [0, -i128::from(agreement(id).total)],
        Call::ClaimRefund(id) => [0, agreement(id).surplus(before.now).into()],
        Call::SettlePayment(id, _) | Call::SettleAgreement(id, ..) if !agreement(id).funded() => [paid, -paid],
        Call::SettlePayment(..) | Call::SettleAgreement(..) | Call::DeliverEnergy(..) => [paid, 0],
        _ => [0, 0],
    };
    let moved: Vec<_> = after.token.balances.iter().zip(&before.token.balances).map(|(new, old)| new - old).collect();
    assert_eq!(moved[..CONTRACT], [to_provider, to_consumer, 0, 0, 0], "{call:?}");
    assert!(to_consumer >= 0 || signers.contains(&CONSUMER), "{call:?} without the consumer");
    moved
}

/// Without anyone else, the provider is paid for what is not disputed, or disputed and metered; the consumer gets back what it can dispute,
/// and whatever is not needed to pay for the rest; and either can leave nothing in the contract.
fn check_reach(Model { now, books, .. }: &Model, [provider, consumer]: [Reach; 2]) {
    let (mut due, mut free) = (0, 0);
    for agreement in books.agreements.values().filter(|agreement| agreement.funded()) {
        free += i128::from(agreement.escrow);
        for transaction in agreement.transactions.iter().map(|id| &books.transactions[id]) {
            let Transaction { payment, disputed_at, metered, ruled, settled_at: None, .. } = *transaction else {
                continue;
            };
            due += if disputed_at.is_none() || metered { i128::from(payment) } else { 0 };
            free -= if metered || ruled { i128::from(payment) } else { 0 };
        }
    }
    assert!(provider.gain >= due, "the provider gets {} of {due}", provider.gain);
    assert!(provider.gain == due || *now < END, "the provider gets {} instead of {due}", provider.gain);
    assert_eq!(consumer.gain, free, "the consumer gets back");
    assert_eq!([provider.locked, consumer.locked], [0, 0], "locked without the other");
}

#[test]
fn from_every_state_all_money_comes_free_without_any_one_of_them() {
    let walk = Walk::new(2, ADMIN);
    assert_eq!(walk.seen.len(), 91_407);
}

#[test]
fn a_party_gains_nothing_by_being_the_admin() {
    for admin in [PROVIDER, CONSUMER] {
        assert_eq!(Walk::new(1, admin).seen.len(), 848);
    }
}
