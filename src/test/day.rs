//! What a certified meter records and a `Metered` deposit pays at once on one day: one transaction.

use super::*;
use crate::utils::records::{Agreement, Outcome, Transaction};
use crate::{EnergyTransaction, MAX_READING};

/// Midnight, UTC.
const MIDNIGHT: u64 = START - START % DAY + DAY;

/// An agreement with a `Metered` deposit, of whose kWh the meter records some at this time.
fn delivered(times: &[(u64, u64)]) -> (Fixture, u64, Vec<u64>) {
    let f = Fixture::metered();
    let agreement = f.agreement_with(Deposit::Metered);
    let ids = times.iter().map(|(time, kwh)| {
        f.at(*time);
        f.deliver(agreement, *kwh)
    });
    let ids = ids.collect();
    (f, agreement, ids)
}

#[test]
fn deliveries_of_a_day_are_one_transaction() {
    let (f, agreement, ids) = delivered(&[(MIDNIGHT, 5), (MIDNIGHT + HOUR, 7), (MIDNIGHT + DAY - 1, 8)]);
    assert_eq!(ids, [agreement; 3]);
    // The last call's events have its own kWh and amount.
    assert_eq!(
        f.events(),
        [
            f.transfer_event(&f.contract, &f.provider, 8 * PRICE),
            f.delivered_event(agreement, agreement, 8, 20, true),
            f.settled_event(agreement, agreement, 8, &f.provider),
        ]
    );
    let day = EnergyTransaction {
        settled_at: Some(MIDNIGHT + DAY - 1),
        status: TransactionStatus::Settled,
        ..f.delivered(agreement, agreement, 20, 20)
    };
    assert_eq!(f.client.get_agreement_transactions(&agreement).iter().collect::<Vec<_>>(), [day]);
    f.assert_state(agreement, 20, 0, 80 * PRICE);
    assert_eq!(f.client.get_agreement_state(&agreement).transactions, 1);
    f.assert_owned(20 * PRICE, 80 * PRICE);
}

#[test]
fn a_day_ends_at_midnight_utc() {
    let (_, agreement, ids) =
        delivered(&[(MIDNIGHT - 1, 1), (MIDNIGHT, 1), (MIDNIGHT + DAY - 1, 1), (MIDNIGHT + DAY, 1)]);
    let [first, second, third] = [1, 2, 3].map(|k| transaction_id(agreement, k));
    assert_eq!(ids, [first, second, second, third]);
}

#[test]
fn a_call_sent_twice_does_not_join_the_day() {
    let (f, agreement, _) = delivered(&[(MIDNIGHT, 5)]);
    f.at(MIDNIGHT + HOUR);
    f.client.deliver_energy(&agreement, &5, &1_000, &f.provider);
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&agreement, &5, &1_000, &f.provider));
    f.assert_state(agreement, 10, 0, 90 * PRICE);
}

#[test]
fn what_the_token_refuses_is_a_transaction_of_its_own() {
    let (f, agreement, _) = delivered(&[(MIDNIGHT, 5)]);
    f.freeze(&f.provider, true);
    let refused = f.deliver(agreement, 7);
    assert_eq!(refused, transaction_id(agreement, 2));
    assert_eq!(f.client.get_transaction(&agreement).energy_delivered_kwh, 5);
    f.assert_state(agreement, 12, 7 * PRICE, 95 * PRICE);
    f.freeze(&f.provider, false);
    // What waits is joined by nothing, and what was settled later neither.
    assert_eq!(f.deliver(agreement, 1), transaction_id(agreement, 3));
    f.freeze(&f.provider, true);
    let last = f.deliver(agreement, 2);
    f.freeze(&f.provider, false);
    f.client.settle_agreement(&agreement, &last, &f.consumer);
    assert_eq!(f.deliver(agreement, 1), transaction_id(agreement, 5));
    f.assert_state(agreement, 16, 0, 84 * PRICE);
}

#[test]
fn only_what_is_paid_at_once_joins() {
    for agreement in [Fixture::agreement, |f: &Fixture| f.agreement_with(Deposit::Reviewed)] {
        let f = Fixture::metered();
        let agreement = agreement(&f);
        assert_eq!([f.deliver(agreement, 1), f.deliver(agreement, 1)], [1, 2].map(|k| transaction_id(agreement, k)));
    }
    // A provider whose meter is retired delivers for review.
    let (f, agreement, _) = delivered(&[(MIDNIGHT, 5)]);
    f.retire();
    let reviewed = f.deliver(agreement, 1);
    assert_eq!(reviewed, transaction_id(agreement, 2));
    f.client.dispute_transaction(&reviewed, &f.consumer);
}

#[test]
fn a_delivery_that_joins_a_day_fills_and_settles_its_agreement() {
    let (f, agreement, ids) = delivered(&[(MIDNIGHT, 60), (MIDNIGHT + HOUR, 40)]);
    assert_eq!(ids, [agreement; 2]);
    assert_eq!(f.status(agreement), AgreementStatus::Settled);
    f.fails(SharingError::AgreementNotActive, |c| c.try_deliver_energy(&agreement, &1, &1_000, &f.provider));
    f.assert_owned(TOTAL, 0);
}

#[test]
fn a_days_sum_may_need_more_bits_than_a_reading() {
    let f = Fixture::metered();
    let kwh = 3 * MAX_READING;
    f.asset.mint(&f.consumer, &kwh.into());
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &kwh, &1, &DEADLINE);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Metered);
    for n in 1..=3 {
        // A new register each time.
        f.certify(0);
        let id = f.client.deliver_energy(&agreement, &MAX_READING, &MAX_READING, &f.provider);
        assert_eq!(id, agreement);
        let day = f.client.get_transaction(&id);
        let sum = n * MAX_READING;
        assert_eq!((day.energy_delivered_kwh, day.payment_amount, day.meter_reading), (sum, sum, MAX_READING));
    }
    assert_eq!(f.balances(), [WEALTH, kwh.into(), 0]);
}

#[test]
fn a_meter_that_was_exchanged_within_the_day_goes_on_with_it() {
    let (f, agreement, _) = delivered(&[(MIDNIGHT, 5)]);
    f.let_meter_rest();
    f.client.deliver_energy(&agreement, &1, &1_000, &f.provider);
    f.certify(10);
    let id = f.client.deliver_energy(&agreement, &2, &12, &f.provider);
    assert_eq!(id, agreement);
    let day = f.client.get_transaction(&id);
    assert_eq!((day.energy_delivered_kwh, day.meter_reading), (8, 12));
}

#[test]
fn what_joins_a_day_is_accepted_before_it_is_stored_too() {
    let f = Fixture::new();
    let mut agreement = Agreement::new(&f.env, 7, f.provider.clone(), f.consumer.clone());
    let delivery = |kwh| Transaction {
        energy_delivered_kwh: kwh,
        energy_accepted_kwh: kwh,
        meter_reading: kwh,
        delivered_at: MIDNIGHT,
        metered: true,
        ruled: false,
        outcome: Outcome::PaidAtOnce,
    };
    assert_eq!([2, 3].map(|kwh| agreement.add(delivery(kwh)).unwrap()), [7; 2]);
    let day = agreement.transaction(7).unwrap();
    assert_eq!((day.energy_delivered_kwh, day.energy_accepted_kwh), (5, 5));
}
