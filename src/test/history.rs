//! get_transaction_history, get_agreement_transactions and get_agreement_page.

use soroban_sdk::xdr::{Limits, WriteXdr};

use super::*;
use crate::{AgreementEntry, EnergyTransaction, MAX_PAGE};

/// The ids of a list of transactions, which must all be as `get_transaction` answers.
fn ids(f: &Fixture, transactions: soroban_sdk::Vec<EnergyTransaction>) -> Vec<u64> {
    let same = |transaction: &EnergyTransaction| {
        assert_eq!(*transaction, f.client.get_transaction(&transaction.transaction_id))
    };
    transactions.iter().inspect(same).map(|transaction| transaction.transaction_id).collect()
}

fn history(f: &Fixture, prosumer: &Address) -> Vec<u64> {
    ids(f, f.client.get_transaction_history(prosumer))
}

/// As `ids`, of a page of agreements.
fn page(f: &Fixture, prosumer: &Address, before: Option<u64>, limit: u32) -> Vec<u64> {
    let page = f.client.get_agreement_page(prosumer, &before, &limit);
    let same = |AgreementEntry { agreement, state }| {
        let id = agreement.agreement_id;
        assert_eq!((agreement, state), (f.client.get_agreement(&id), f.client.get_agreement_state(&id)));
        id
    };
    page.iter().map(same).collect()
}

/// Three people trade with each other in both directions; some offers are not answered.
fn triangle(f: &Fixture) -> [&Address; 3] {
    f.client.register_prosumer(&f.stranger);
    let (p, c, s) = (&f.provider, &f.consumer, &f.stranger);
    for (provider, consumer, deliveries) in [(p, c, 2), (c, p, 1), (s, p, 0), (p, s, 1), (p, c, 1), (c, s, 3)] {
        let id = f.client.create_agreement(provider, consumer, &10, &1, &DEADLINE);
        for _ in 0..deliveries {
            let reading = f.client.get_prosumer(provider).meter_reading + 10;
            f.client.deliver_energy(&id, &1, &reading, provider);
        }
    }
    [p, c, s]
}

const P: [u64; 3] = [1, 2, 3];
const C: [u64; 2] = [1_000_001, 1_000_002];
const S: [u64; 1] = [2_000_001];

#[test]
fn histories_hold_both_roles_agreement_by_agreement() {
    let f = Fixture::new();
    let [p, c, s] = triangle(&f);
    let nth = transaction_id;
    assert_eq!(history(&f, p), [nth(P[0], 1), nth(P[0], 2), nth(C[0], 1), nth(P[1], 1), nth(P[2], 1)]);
    assert_eq!(
        history(&f, c),
        [nth(P[0], 1), nth(P[0], 2), nth(C[0], 1), nth(P[2], 1), nth(C[1], 1), nth(C[1], 2), nth(C[1], 3)]
    );
    assert_eq!(history(&f, s), [nth(P[1], 1), nth(C[1], 1), nth(C[1], 2), nth(C[1], 3)]);
}

#[test]
fn a_history_goes_by_agreements_and_not_by_time() {
    let f = Fixture::new();
    let [first, second] = [f.agreement(), f.agreement()];
    f.deliver(second, 1);
    f.at(START + HOUR);
    f.deliver(first, 1);
    assert_eq!(history(&f, &f.consumer), [first, second]);
    let times = f
        .client
        .get_transaction_history(&f.consumer)
        .iter()
        .map(|transaction| transaction.delivered_at)
        .collect::<Vec<_>>();
    assert_eq!(times, [START + HOUR, START]);
}

#[test]
fn the_transactions_of_an_agreement_are_all_its_deliveries() {
    let f = Fixture::new();
    let [none, three] = [f.agreement(), f.agreement()];
    let delivered = [f.deliver(three, 1), f.disputed(three, 2), f.deliver(three, 3)];
    assert_eq!(ids(&f, f.client.get_agreement_transactions(&three)), delivered);
    assert!(f.client.get_agreement_transactions(&none).is_empty());
}

#[test]
fn the_states_of_an_agreements_transactions_stand_in_their_order() {
    let f = Fixture::metered();
    let [none, some] = [f.agreement(), f.agreement()];
    f.deliver(some, 1);
    f.retire();
    f.client.resolve_dispute(&f.disputed(some, 2), &1, &f.admin);
    f.at(START + HOUR);
    f.disputed(some, 3);
    let reviewed = START + DAY;
    let state = |metered, ruled, disputed_at, provider_settles_from| TransactionState {
        metered,
        ruled,
        disputed_at,
        provider_settles_from,
    };
    assert_eq!(
        f.client.get_transaction_states(&some).iter().collect::<Vec<_>>(),
        [
            state(true, false, None, START),
            state(false, true, None, START),
            state(false, false, Some(START + HOUR), reviewed + HOUR)
        ]
    );
    assert!(f.client.get_transaction_states(&none).is_empty());
    // 1 kWh due, 1 ruled, 3 disputed.
    let state = f.client.get_agreement_state(&some);
    assert_eq!((state.pending_amount, state.disputed_amount), (5 * PRICE, 3 * PRICE));
}

#[test]
fn pages_show_all_agreements_of_both_roles_the_newest_first() {
    let f = Fixture::new();
    let [p, c, s] = triangle(&f);
    for (prosumer, newest_first) in
        [(p, [P[2], P[1], S[0], C[0], P[0]].as_slice()), (c, &[C[1], P[2], C[0], P[0]]), (s, &[C[1], P[1], S[0]])]
    {
        assert_eq!(page(&f, prosumer, None, u32::MAX), newest_first);
        assert_eq!(page(&f, prosumer, None, 2), newest_first[..2]);
        for (n, id) in newest_first.iter().enumerate() {
            assert_eq!(page(&f, prosumer, Some(*id), MAX_PAGE), newest_first[n + 1..]);
            assert_eq!(
                page(&f, prosumer, Some(*id), 1),
                newest_first.iter().skip(n + 1).take(1).copied().collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_history_shows_settlements_and_rulings() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let [settled, disputed, ruled] = [f.deliver(agreement, 10), f.disputed(agreement, 20), f.disputed(agreement, 30)];
    f.client.settle_payment(&settled, &f.consumer);
    f.client.resolve_dispute(&ruled, &0, &f.admin);
    let history = f.client.get_transaction_history(&f.consumer);
    assert_eq!(
        history.iter().map(|transaction| (transaction.status, transaction.payment_amount)).collect::<Vec<_>>(),
        [
            (TransactionStatus::Settled, 10 * PRICE),
            (TransactionStatus::Disputed, 20 * PRICE),
            (TransactionStatus::Settled, 0)
        ]
    );
    assert_eq!(ids(&f, history), [settled, disputed, ruled]);
}

#[test]
fn a_prosumer_without_agreements_has_an_empty_history_and_page() {
    let f = Fixture::new();
    assert!(history(&f, &f.provider).is_empty());
    assert!(page(&f, &f.consumer, None, MAX_PAGE).is_empty());
}

#[test]
fn a_limit_of_zero_gives_an_empty_page() {
    let f = Fixture::new();
    let id = f.agreement();
    assert!(page(&f, &f.provider, None, 0).is_empty());
    assert!(page(&f, &f.provider, Some(id), 0).is_empty());
}

#[test]
fn page_fails_if_before_is_not_an_agreement_of_the_prosumer() {
    let f = Fixture::new();
    f.client.register_prosumer(&f.stranger);
    let id = f.agreement();
    f.deliver(id, 1);
    f.deliver(id, 1);
    // A transaction is no agreement.
    for before in [0, id + 1, transaction_id(id, 2), u64::MAX] {
        f.fails(SharingError::AgreementNotFound, |c| c.try_get_agreement_page(&f.provider, &Some(before), &0));
    }
    f.fails(SharingError::AgreementNotFound, |c| c.try_get_agreement_page(&f.stranger, &Some(id), &0));
}

fn size(f: &Fixture, answer: soroban_sdk::Val) -> usize {
    ScVal::try_from_val(&f.env, &answer).unwrap().to_xdr(Limits::none()).unwrap().len()
}

#[test]
fn the_largest_answers_fit_the_network() {
    let f = Fixture::accounts();
    for _ in 0..=MAX_PAGE {
        f.agreement();
    }
    for limit in [MAX_PAGE, MAX_PAGE + 1, u32::MAX] {
        let page = f.client.get_agreement_page(&f.consumer, &None, &limit);
        assert_eq!(page.len(), MAX_PAGE);
        assert_eq!(size(&f, page.to_val()), 12 + 25 * 632);
    }
    // With a time of settlement.
    let agreement = f.agreement();
    for _ in 0..40 {
        f.client.resolve_dispute(&f.disputed(agreement, 1), &0, &f.admin);
    }
    let transactions = f.client.get_agreement_transactions(&agreement);
    let largest = size(&f, transactions.to_val());
    assert_eq!(largest, 12 + 40 * 400);
    assert!(largest <= 16_384);
    assert_eq!(MAX_PAGE, 25);
}
