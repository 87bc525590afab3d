//! An agreement with all its 40 deliveries, through every call, within mainnet's limits.

use super::*;
use crate::{ARBITRATION_PERIOD, MAX_TRANSACTIONS};

/// Its 40 deliveries, of 1 kWh each.
fn full(f: &Fixture, agreement: u64) -> Vec<u64> {
    (0..MAX_TRANSACTIONS).map(|_| f.deliver(agreement, 1)).collect()
}

#[test]
fn a_bill_of_forty_fits_the_network() {
    // Accounts have the longest addresses.
    let f = Fixture::classic();
    let agreement = f.agreement();
    let ids = full(&f, agreement);
    f.client.settle_agreement(&agreement, &ids[39], &f.consumer);
    let bytes = f.env.cost_estimate().resources().contract_events_size_bytes;
    assert_eq!(f.events().filter_by_contract(&f.contract).events().len(), 40);
    f.assert_owned(40 * PRICE, 0);
    assert_eq!(bytes, 14_164);
    assert!(bytes <= 16_384);
    f.assert_state(agreement, 40, 0, 0);
    assert_eq!(f.status(agreement), AgreementStatus::Active);
}

#[test]
fn a_full_reviewed_agreement_goes_through_every_call() {
    let f = Fixture::classic();
    let agreement = f.funded_agreement();
    let ids = full(&f, agreement);
    let [first, second, third, fourth] = [ids[0], ids[1], ids[38], ids[39]];
    f.fails(SharingError::TooManyTransactions, |c| c.try_deliver_energy(&agreement, &1, &1_000, &f.provider));
    f.client.settle_payment(&first, &f.consumer);
    for id in [second, third, fourth] {
        f.client.dispute_transaction(&id, &f.consumer);
    }
    f.client.resolve_dispute(&second, &0, &f.admin);
    f.client.resolve_dispute(&third, &1, &f.consumer);
    f.client.cancel_agreement(&agreement, &f.provider);
    // 60 kWh are not delivered, and one was ruled to be worth nothing.
    assert_eq!(f.client.claim_refund(&agreement), 61 * PRICE);
    f.assert_state(agreement, 40, 38 * PRICE, 38 * PRICE);
    // The first is paid and the last is disputed.
    f.at(START + DAY);
    assert_eq!(f.client.settle_agreement(&agreement, &fourth, &f.provider), 37 * PRICE);
    f.at(START + ARBITRATION_PERIOD);
    f.client.close_dispute(&fourth);
    assert_eq!(f.client.claim_refund(&agreement), PRICE);
    f.assert_owned(38 * PRICE, 0);
    f.assert_state(agreement, 40, 0, 0);
    let transactions = f.client.get_agreement_transactions(&agreement);
    assert!(transactions.iter().all(|transaction| transaction.status == TransactionStatus::Settled));
    assert_eq!(transactions, f.client.get_transaction_history(&f.consumer));
    assert_eq!(transactions.get(38).unwrap(), f.client.get_transaction(&third));
    assert_eq!(f.client.get_agreement_state(&agreement).transactions, 40);
}

/// 100 kWh with a `Metered` deposit, of which the meter records one on each of 40 days.
fn full_of_days(f: &Fixture) -> u64 {
    f.certify(0);
    let deadline = START + 50 * DAY;
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &deadline);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Metered);
    for n in 1..=40 {
        f.at(START + n * DAY);
        let id = f.deliver(agreement, 1);
        assert_eq!(id, transaction_id(agreement, n));
        assert_eq!(f.client.get_transaction(&id).settled_at, Some(START + n * DAY));
    }
    agreement
}

#[test]
fn a_full_metered_agreement_is_paid_day_by_day() {
    let f = Fixture::classic();
    let agreement = full_of_days(&f);
    f.assert_owned(40 * PRICE, 60 * PRICE);
    f.fails(SharingError::NothingToSettle, |c| {
        c.try_settle_agreement(&agreement, &transaction_id(agreement, 40), &f.provider)
    });
    f.at(START + 50 * DAY + 1);
    assert_eq!(f.client.claim_refund(&agreement), 60 * PRICE);
    assert_eq!(f.status(agreement), AgreementStatus::Expired);
}

#[test]
fn a_full_agreement_takes_more_on_its_last_day_and_none_on_the_next() {
    let f = Fixture::classic();
    let agreement = full_of_days(&f);
    let last = transaction_id(agreement, 40);
    assert_eq!(f.deliver(agreement, 20), last);
    let transaction = f.client.get_transaction(&last);
    assert_eq!((transaction.energy_delivered_kwh, transaction.payment_amount), (21, 21 * PRICE));
    f.assert_state(agreement, 60, 0, 40 * PRICE);
    // A payment that the token refuses has no place of its own.
    f.trust(&f.provider, |line| line.flags = 0);
    f.let_meter_rest();
    f.fails(SharingError::TooManyTransactions, |c| c.try_deliver_energy(&agreement, &20, &1_000, &f.provider));
    f.trust(&f.provider, |line| line.flags = 1);
    f.at(START + 41 * DAY);
    // Before the meter is looked at.
    f.fails(SharingError::TooManyTransactions, |c| c.try_deliver_energy(&agreement, &20, &0, &f.provider));
    f.assert_owned(60 * PRICE, 40 * PRICE);
}
