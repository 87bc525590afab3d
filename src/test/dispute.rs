//! dispute_transaction, resolve_dispute and close_dispute.

use super::*;
use crate::events::{DisputeResolved, TransactionDisputed};
use crate::{TransactionState, ARBITRATION_PERIOD, REVIEW_PERIOD};

fn resolved(
    f: &Fixture,
    transaction_id: u64,
    agreement_id: u64,
    kwh: u64,
    resolver: Option<&Address>,
) -> ContractEvent {
    f.event(&DisputeResolved {
        transaction_id,
        provider: f.provider.clone(),
        consumer: f.consumer.clone(),
        agreement_id,
        energy_accepted_kwh: kwh,
        payment_amount: kwh * PRICE,
        settled_at: (kwh == 0).then(|| f.env.ledger().timestamp()),
        resolver: resolver.cloned(),
    })
}

#[test]
fn either_party_disputes_a_delivery() {
    for consumer_disputes in [true, false] {
        let f = Fixture::new();
        let disputer = if consumer_disputes { &f.consumer } else { &f.provider };
        let agreement = f.funded_agreement();
        let id = f.deliver(agreement, KWH);
        f.at(START + HOUR);
        f.client.dispute_transaction(&id, disputer);
        assert_eq!(
            f.events(),
            [f.event(&TransactionDisputed {
                transaction_id: id,
                provider: f.provider.clone(),
                consumer: f.consumer.clone(),
                agreement_id: agreement,
                disputed_at: START + HOUR,
                disputer: disputer.clone(),
            })]
        );
        let transaction = f.client.get_transaction(&id);
        assert_eq!((transaction.status, transaction.settled_at), (TransactionStatus::Disputed, None));
        assert_eq!(
            f.transaction_state(id),
            TransactionState {
                metered: false,
                ruled: false,
                disputed_at: Some(START + HOUR),
                provider_settles_from: START + REVIEW_PERIOD,
            }
        );
        f.assert_state(agreement, KWH, TOTAL, TOTAL);
        assert_eq!(f.status(agreement), AgreementStatus::Delivered);
        f.assert_owned(0, TOTAL);
    }
}

#[test]
fn a_delivery_is_disputed_until_it_is_settled() {
    let f = Fixture::new();
    let id = f.deliver(f.funded_agreement(), KWH);
    f.at(DEADLINE + 365 * DAY / 4);
    f.client.dispute_transaction(&id, &f.consumer);
    assert_eq!(f.transaction_status(id), TransactionStatus::Disputed);
}

#[test]
fn a_ruling_sets_the_payment_and_frees_it_at_once() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let id = f.disputed(agreement, 40);
    f.at(START + HOUR);
    f.client.resolve_dispute(&id, &15, &f.admin);
    assert_eq!(f.events(), [resolved(&f, id, agreement, 15, Some(&f.admin))]);
    let transaction = f.client.get_transaction(&id);
    assert_eq!(
        (transaction.status, transaction.settled_at, transaction.energy_delivered_kwh, transaction.payment_amount),
        (TransactionStatus::Delivered, None, 40, 15 * PRICE)
    );
    assert_eq!(
        f.transaction_state(id),
        TransactionState { metered: false, ruled: true, disputed_at: None, provider_settles_from: START }
    );
    // No energy goes back to the agreement or to the meter.
    f.assert_state(agreement, 40, 15 * PRICE, 0);
    assert_eq!(f.client.get_prosumer(&f.provider).energy_sold_kwh, 40);
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(15 * PRICE, 0);
    f.assert_state(agreement, 40, 0, 0);
}

#[test]
fn a_ruling_moves_no_tokens_and_lets_the_provider_settle_alone() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let id = f.disputed(agreement, 40);
    f.client.resolve_dispute(&id, &15, &f.admin);
    assert_eq!(f.events(), [resolved(&f, id, agreement, 15, Some(&f.admin))]);
    f.assert_owned(0, TOTAL);
    f.assert_state(agreement, 40, 15 * PRICE, TOTAL);
    // Within the review period.
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(15 * PRICE, 85 * PRICE);
    f.assert_state(agreement, 40, 0, 85 * PRICE);
    assert_eq!(f.client.claim_refund(&agreement), 25 * PRICE);
}

#[test]
fn a_ruling_of_nothing_settles_without_a_payment() {
    let f = Fixture::new();
    for (agreement, escrow) in [(f.agreement(), 0), (f.funded_agreement(), TOTAL)] {
        let id = f.disputed(agreement, KWH);
        f.at(f.env.ledger().timestamp() + HOUR);
        f.client.resolve_dispute(&id, &0, &f.admin);
        let transaction = f.client.get_transaction(&id);
        assert_eq!(
            (transaction.status, transaction.settled_at, transaction.payment_amount),
            (TransactionStatus::Settled, Some(f.env.ledger().timestamp()), 0)
        );
        assert_eq!(
            f.transaction_state(id),
            TransactionState {
                metered: false,
                ruled: true,
                disputed_at: None,
                provider_settles_from: transaction.delivered_at
            }
        );
        f.assert_state(agreement, KWH, 0, escrow);
        assert_eq!(f.status(agreement), AgreementStatus::Settled);
        for party in [&f.consumer, &f.provider] {
            f.fails(SharingError::TransactionAlreadySettled, |c| c.try_settle_payment(&id, party));
            f.fails(SharingError::TransactionAlreadySettled, |c| c.try_dispute_transaction(&id, party));
        }
    }
    f.assert_owned(0, TOTAL);
    assert_eq!(f.client.claim_refund(&2), TOTAL);
}

#[test]
fn each_party_gives_away_what_is_its_own() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let [full, nothing] = [f.disputed(agreement, 40), f.disputed(agreement, 60)];
    f.client.resolve_dispute(&full, &40, &f.consumer);
    assert_eq!(f.events(), [resolved(&f, full, agreement, 40, Some(&f.consumer))]);
    f.client.resolve_dispute(&nothing, &0, &f.provider);
    assert_eq!(f.events(), [resolved(&f, nothing, agreement, 0, Some(&f.provider))]);
    f.client.settle_payment(&full, &f.provider);
    f.client.claim_refund(&agreement);
    f.assert_owned(40 * PRICE, 0);
}

#[test]
fn resolve_fails_if_neither_admin_nor_party() {
    let f = Fixture::new();
    let id = f.disputed(f.agreement(), 40);
    f.client.set_admin(&f.meter);
    // The old admin too.
    for other in [&f.stranger, &f.admin] {
        for kwh in [0, 40, 41] {
            f.fails(SharingError::NotAuthorized, |c| c.try_resolve_dispute(&id, &kwh, other));
        }
    }
    f.client.resolve_dispute(&id, &40, &f.meter);
}

#[test]
fn closing_a_dispute_rules_all_if_metered_and_nothing_if_not() {
    for (f, kwh) in [(Fixture::metered(), 40), (Fixture::new(), 0)] {
        let agreement = f.agreement();
        let id = f.deliver(agreement, 40);
        f.at(START + HOUR);
        f.client.dispute_transaction(&id, &f.consumer);
        let end = START + HOUR + ARBITRATION_PERIOD;
        for time in [START + HOUR, end - 1] {
            f.at(time);
            f.fails(SharingError::ArbitrationPeriodOpen, |c| c.try_close_dispute(&id));
        }
        f.at(end);
        f.client.close_dispute(&id);
        assert_eq!(f.events(), [resolved(&f, id, agreement, kwh, None)]);
        f.assert_state(agreement, 40, kwh * PRICE, 0);
        let transaction = f.client.get_transaction(&id);
        assert_eq!(transaction.payment_amount, kwh * PRICE);
        let settled = (TransactionStatus::Settled, Some(end));
        assert_eq!(
            (transaction.status, transaction.settled_at),
            if kwh == 0 { settled } else { (TransactionStatus::Delivered, None) }
        );
        f.fails(SharingError::TransactionNotDisputed, |c| c.try_close_dispute(&id));
    }
    assert_eq!(ARBITRATION_PERIOD, 2_592_000);
}

#[test]
fn a_dispute_that_is_closed_frees_the_deposit() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let id = f.disputed(agreement, 40);
    f.at(START + ARBITRATION_PERIOD);
    // 60 kWh were not delivered in time, 40 are in dispute.
    assert_eq!(f.client.claim_refund(&agreement), 60 * PRICE);
    f.client.close_dispute(&id);
    f.assert_owned(0, 40 * PRICE);
    assert_eq!(f.client.claim_refund(&agreement), 40 * PRICE);
    f.assert_owned(0, 0);
}

#[test]
fn dispute_fails_where_a_deposit_trusts_the_meter() {
    let f = Fixture::metered();
    let agreement = f.agreement_with(Deposit::Metered);
    f.freeze(&f.provider, true);
    let id = f.deliver(agreement, 40);
    for disputer in [&f.consumer, &f.provider] {
        f.fails(SharingError::DepositTrustsMeter, |c| c.try_dispute_transaction(&id, disputer));
    }
    // It is paid as soon as the token pays.
    f.freeze(&f.provider, false);
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(40 * PRICE, 60 * PRICE);
    // What was settled is settled first of all.
    f.fails(SharingError::TransactionAlreadySettled, |c| c.try_dispute_transaction(&id, &f.consumer));
}

#[test]
fn a_delivery_from_a_deposit_that_trusts_the_meter_is_disputed_if_no_meter_recorded_it() {
    let f = Fixture::metered();
    let agreement = f.agreement_with(Deposit::Metered);
    f.retire();
    let id = f.disputed(agreement, 40);
    f.fails(SharingError::TransactionDisputed, |c| c.try_settle_payment(&id, &f.provider));
    f.client.resolve_dispute(&id, &10, &f.admin);
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(10 * PRICE, 90 * PRICE);
}

#[test]
fn metered_deliveries_are_disputed_without_a_deposit_and_those_of_a_meter_from_a_reviewed_one() {
    let f = Fixture::metered();
    for (agreement, metered) in [(f.agreement(), true), (f.agreement_with(Deposit::Reviewed), false)] {
        let id = f.disputed(agreement, 40);
        let state = f.transaction_state(id);
        assert_eq!((state.metered, state.disputed_at), (metered, Some(START)));
    }
}

#[test]
fn a_default_ruling_goes_by_the_meter_of_the_delivery() {
    let f = Fixture::metered();
    let agreement = f.agreement();
    let metered = f.disputed(agreement, 40);
    f.retire();
    let unmetered = f.disputed(agreement, 40);
    f.certify(0);
    f.at(START + ARBITRATION_PERIOD);
    for (id, payment) in [(metered, 40 * PRICE), (unmetered, 0)] {
        f.client.close_dispute(&id);
        assert_eq!(f.client.get_transaction(&id).payment_amount, payment);
    }
}

#[test]
fn a_dispute_is_ruled_on_until_somebody_closes_it() {
    let f = Fixture::new();
    let id = f.disputed(f.agreement(), 40);
    f.at(START + 3 * ARBITRATION_PERIOD);
    f.client.resolve_dispute(&id, &39, &f.admin);
    assert_eq!(f.client.get_transaction(&id).payment_amount, 39 * PRICE);
}

#[test]
fn an_arbitration_that_would_end_after_the_end_of_time_ends_with_it() {
    let f = Fixture::new();
    f.env.ledger().set_timestamp(u64::MAX - 10);
    let id = f.deliver(f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &u64::MAX), 40);
    f.env.ledger().set_timestamp(u64::MAX - 1);
    f.client.dispute_transaction(&id, &f.consumer);
    f.fails(SharingError::ArbitrationPeriodOpen, |c| c.try_close_dispute(&id));
    f.env.ledger().set_timestamp(u64::MAX);
    f.client.close_dispute(&id);
    assert_eq!(f.client.get_transaction(&id).settled_at, Some(u64::MAX));
}

#[test]
fn a_dispute_may_be_opened_and_settled_decades_after_the_delivery() {
    let f = Fixture::new();
    let agreement = f.agreement();
    // To the second, around 17 years, until the end of time.
    for time in [(1 << 29) - 2, (1 << 29) - 1, 1 << 29, 1 << 40, u64::MAX - START] {
        f.env.ledger().set_timestamp(START);
        let id = f.deliver(agreement, 1);
        f.env.ledger().set_timestamp(START + time);
        f.client.dispute_transaction(&id, &f.consumer);
        assert_eq!(f.transaction_state(id).disputed_at, Some(START + time));
        f.client.resolve_dispute(&id, &1, &f.admin);
        f.client.settle_payment(&id, &f.consumer);
        assert_eq!(f.client.get_transaction(&id).settled_at, Some(START + time));
    }
}
