//! get_transaction_history and get_transaction_page.

use soroban_sdk::xdr::{Limits, WriteXdr};

use super::*;
use crate::{EnergyTransaction, IDS_PER_PROVIDER, MAX_PAGE};

/// The ids of a list of transactions, which must all be as `get_transaction` answers.
fn ids(f: &Fixture, transactions: soroban_sdk::Vec<EnergyTransaction>) -> Vec<u64> {
    (transactions.iter())
        .map(|transaction| {
            assert_eq!(transaction, f.client.get_transaction(&transaction.transaction_id));
            transaction.transaction_id
        })
        .collect()
}

fn page(f: &Fixture, prosumer: &Address, before: Option<u64>, limit: u32) -> Vec<u64> {
    ids(f, f.client.get_transaction_page(prosumer, &before, &limit))
}

fn history(f: &Fixture, prosumer: &Address) -> Vec<u64> {
    ids(f, f.client.get_transaction_history(prosumer))
}

/// Three people trade with each other in both directions. Returns the third.
fn triangle(f: &Fixture) -> Address {
    f.client.register_prosumer(&f.stranger);
    let (p, c, s) = (&f.provider, &f.consumer, &f.stranger);
    for (provider, consumer) in [(p, c), (c, p), (s, p), (p, s), (p, c), (c, s)] {
        let id = f.client.create_agreement(provider, consumer, &1, &1, &DEADLINE);
        f.client.deliver_energy(&id, &1, &1_000, provider);
    }
    f.stranger.clone()
}

#[test]
fn histories_hold_both_roles_in_order() {
    let f = Fixture::new();
    let third = triangle(&f);
    let (p, c, s) = (0, IDS_PER_PROVIDER, 2 * IDS_PER_PROVIDER);
    assert_eq!(history(&f, &f.provider), [p + 1, c + 1, s + 1, p + 2, p + 3]);
    assert_eq!(history(&f, &f.consumer), [p + 1, c + 1, p + 3, c + 2]);
    assert_eq!(history(&f, &third), [s + 1, p + 2, c + 2]);
}

#[test]
fn pages_walk_back_through_the_whole_history() {
    let f = Fixture::new();
    triangle(&f);
    for prosumer in [&f.provider, &f.consumer, &f.stranger] {
        let mut newest_first = history(&f, prosumer);
        newest_first.reverse();
        assert_eq!(page(&f, prosumer, None, u32::MAX), newest_first);
        for (n, id) in newest_first.iter().enumerate() {
            assert_eq!(page(&f, prosumer, Some(*id), MAX_PAGE), newest_first[n + 1..]);
            assert_eq!(page(&f, prosumer, Some(*id), 1), newest_first.iter().skip(n + 1).take(1).copied().collect::<Vec<_>>());
        }
        assert_eq!(page(&f, prosumer, None, 2), newest_first[..2]);
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
        [(TransactionStatus::Settled, 10 * PRICE), (TransactionStatus::Disputed, 20 * PRICE), (TransactionStatus::Settled, 0)]
    );
    assert_eq!(ids(&f, history), [settled, disputed, ruled]);
}

#[test]
fn a_prosumer_without_transactions_has_an_empty_history() {
    let f = Fixture::new();
    f.agreement();
    assert!(history(&f, &f.provider).is_empty());
    assert!(page(&f, &f.consumer, None, MAX_PAGE).is_empty());
}

#[test]
fn a_limit_of_zero_gives_an_empty_page() {
    let f = Fixture::new();
    let id = f.deliver(f.agreement(), 1);
    assert!(page(&f, &f.provider, None, 0).is_empty());
    assert!(page(&f, &f.provider, Some(id), 0).is_empty());
}

#[test]
fn history_and_page_fail_if_the_prosumer_is_not_registered() {
    let f = Fixture::new();
    f.deliver(f.agreement(), 1);
    f.fails(SharingError::ProsumerNotRegistered, |c| c.try_get_transaction_history(&f.stranger));
    // Before `before` and `limit` are looked at.
    f.fails(SharingError::ProsumerNotRegistered, |c| c.try_get_transaction_page(&f.stranger, &Some(99), &0));
}

#[test]
fn page_fails_if_before_is_not_one_of_the_prosumer() {
    let f = Fixture::new();
    f.client.register_prosumer(&f.stranger);
    let id = f.deliver(f.agreement(), 1);
    for before in [0, id + 1, IDS_PER_PROVIDER, u64::MAX] {
        f.fails(SharingError::TransactionNotFound, |c| c.try_get_transaction_page(&f.provider, &Some(before), &0));
    }
    f.fails(SharingError::TransactionNotFound, |c| c.try_get_transaction_page(&f.stranger, &Some(id), &0));
}

#[test]
fn the_largest_page_fits_the_network() {
    let f = Fixture::new();
    let accounts = ["GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", "GCEZWKCA5VLDNRLN3RPRJMRZOX3Z6G5CHCGSNFHEYVXM3XOJMDS674JZ"];
    let [provider, consumer] = accounts.map(|account| Address::from_str(&f.env, account));
    f.client.register_prosumer(&provider);
    f.client.register_prosumer(&consumer);
    // Each of an agreement of its own: the most entries that a page can read.
    for reading in 1..=u64::from(MAX_PAGE) + 1 {
        let id = f.client.create_agreement(&provider, &consumer, &1, &PRICE, &DEADLINE);
        let transaction = f.client.deliver_energy(&id, &1, &reading, &provider);
        f.client.dispute_transaction(&transaction, &consumer);
        f.client.resolve_dispute(&transaction, &0, &f.admin);
    }
    for limit in [MAX_PAGE, MAX_PAGE + 1, u32::MAX] {
        let page = f.client.get_transaction_page(&consumer, &None, &limit);
        assert_eq!(page.len(), MAX_PAGE);
        let bytes = ScVal::try_from_val(&f.env, &page.to_val()).unwrap().to_xdr(Limits::none()).unwrap().len();
        assert_eq!(bytes, 12 + 400 * 40);
        assert!(bytes <= 16_384);
    }
    assert_eq!(MAX_PAGE, 40);
}
