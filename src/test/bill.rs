//! settle_agreement: many deliveries, one signature and one transfer.

use super::*;
use crate::REVIEW_PERIOD;

/// Three deliveries, of 10, 20 and 30 kWh.
fn delivered(f: &Fixture, agreement: u64) -> [u64; 3] {
    [10, 20, 30].map(|kwh| f.deliver(agreement, kwh))
}

#[test]
fn a_bill_is_paid_directly_with_one_transfer_whoever_settles() {
    for consumer_settles in [true, false] {
        let f = Fixture::new();
        let agreement = f.agreement();
        let [first, second, third] = delivered(&f, agreement);
        let settler = if consumer_settles { &f.consumer } else { &f.provider };
        f.at(START + HOUR);
        assert_eq!(f.client.settle_agreement(&agreement, &third, settler), 150_000_000);
        assert_eq!(
            f.events(),
            [
                f.settled_event(first, agreement, 10, settler),
                f.settled_event(second, agreement, 20, settler),
                f.settled_event(third, agreement, 30, settler),
                f.transfer_event(&f.consumer, &f.provider, 150_000_000)
            ]
        );
        f.assert_owned(150_000_000, 0);
        f.assert_state(agreement, 60, 0, 0);
        for id in [first, second, third] {
            let transaction = f.client.get_transaction(&id);
            assert_eq!((transaction.status, transaction.settled_at), (TransactionStatus::Settled, Some(START + HOUR)));
        }
    }
}

#[test]
fn the_consumer_pays_a_bill_from_its_deposit_within_the_review_period() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let [first, second, third] = delivered(&f, agreement);
    assert_eq!(f.client.settle_agreement(&agreement, &third, &f.consumer), 60 * PRICE);
    assert_eq!(
        f.events(),
        [
            f.settled_event(first, agreement, 10, &f.consumer),
            f.settled_event(second, agreement, 20, &f.consumer),
            f.settled_event(third, agreement, 30, &f.consumer),
            f.transfer_event(&f.contract, &f.provider, 60 * PRICE)
        ]
    );
    f.assert_owned(60 * PRICE, 40 * PRICE);
    f.assert_state(agreement, 60, 0, 40 * PRICE);
}

#[test]
fn the_provider_draws_what_has_been_reviewed_and_nothing_else() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let first = f.deliver(agreement, 10);
    f.at(START + HOUR);
    let second = f.deliver(agreement, 20);
    f.at(START + REVIEW_PERIOD - 1);
    f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_agreement(&agreement, &second, &f.provider));
    f.at(START + REVIEW_PERIOD);
    assert_eq!(f.client.settle_agreement(&agreement, &second, &f.provider), 10 * PRICE);
    assert_eq!(
        f.events(),
        [f.settled_event(first, agreement, 10, &f.provider), f.transfer_event(&f.contract, &f.provider, 10 * PRICE)]
    );
    f.assert_state(agreement, 30, 20 * PRICE, 90 * PRICE);
    f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_agreement(&agreement, &second, &f.provider));
    // Also where what is settled or disputed comes after what is under review.
    let third = f.disputed(agreement, 30);
    f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_agreement(&agreement, &third, &f.provider));
    // The first is settled, and nothing before it is under review.
    f.fails(SharingError::NothingToSettle, |c| c.try_settle_agreement(&agreement, &first, &f.provider));
}

#[test]
fn what_comes_after_through_waits() {
    for agreement_of in [Fixture::agreement, Fixture::funded_agreement] {
        let f = Fixture::new();
        let agreement = agreement_of(&f);
        let [first, second, third] = delivered(&f, agreement);
        f.at(START + REVIEW_PERIOD);
        assert_eq!(f.client.settle_agreement(&agreement, &second, &f.consumer), 30 * PRICE);
        assert_eq!(
            [first, second, third].map(|id| f.transaction_status(id)),
            [TransactionStatus::Settled, TransactionStatus::Settled, TransactionStatus::Delivered]
        );
        assert_eq!(f.balances()[1], i128::from(30 * PRICE));
        assert_eq!(f.client.settle_agreement(&agreement, &third, &f.provider), 30 * PRICE);
    }
}

#[test]
fn disputed_deliveries_are_left_out_and_rulings_are_paid_as_ruled() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let [plain, disputed, ruled, nothing] =
        [f.deliver(agreement, 10), f.disputed(agreement, 20), f.disputed(agreement, 30), f.disputed(agreement, 40)];
    f.client.resolve_dispute(&ruled, &5, &f.admin);
    f.client.resolve_dispute(&nothing, &0, &f.admin);
    // Within the review period the provider is paid for what was ruled on.
    assert_eq!(f.client.settle_agreement(&agreement, &nothing, &f.provider), 5 * PRICE);
    assert_eq!(
        f.events(),
        [f.settled_event(ruled, agreement, 5, &f.provider), f.transfer_event(&f.contract, &f.provider, 5 * PRICE)]
    );
    assert_eq!(f.client.settle_agreement(&agreement, &nothing, &f.consumer), 10 * PRICE);
    assert_eq!(
        f.events(),
        [f.settled_event(plain, agreement, 10, &f.consumer), f.transfer_event(&f.contract, &f.provider, 10 * PRICE)]
    );
    assert_eq!(f.transaction_status(disputed), TransactionStatus::Disputed);
    f.assert_state(agreement, 100, 20 * PRICE, 85 * PRICE);
    f.fails(SharingError::NothingToSettle, |c| c.try_settle_agreement(&agreement, &nothing, &f.consumer));
    f.fails(SharingError::NothingToSettle, |c| c.try_settle_agreement(&agreement, &nothing, &f.provider));
}

#[test]
fn metered_deliveries_whose_payment_failed_are_drawn_without_review() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    f.freeze(&f.provider, true);
    let [_, _, third] = delivered(&f, agreement);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_agreement(&agreement, &third, &f.provider));
    f.freeze(&f.provider, false);
    assert_eq!(f.client.settle_agreement(&agreement, &third, &f.provider), 60 * PRICE);
    f.assert_owned(60 * PRICE, 40 * PRICE);
}

#[test]
fn settle_agreement_fails_if_through_is_not_one_of_its_transactions() {
    let f = Fixture::new();
    let [agreement, other] = [f.agreement(), f.agreement()];
    f.deliver(agreement, 10);
    let others = f.deliver(other, 10);
    for through in [0, others, transaction_id(agreement, 2), transaction_id(agreement, 41), u64::MAX] {
        f.fails(SharingError::TransactionNotFound, |c| c.try_settle_agreement(&agreement, &through, &f.consumer));
    }
}

#[test]
fn a_bill_is_paid_as_a_whole_or_not_at_all() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let [_, second, third] = delivered(&f, agreement);
    f.token.transfer(&f.consumer, &f.stranger, &(WEALTH - i128::from(60 * PRICE) + 1));
    for settler in [&f.consumer, &f.provider] {
        f.fails(SharingError::PaymentFailed, |c| c.try_settle_agreement(&agreement, &third, settler));
    }
    // A part of it, to which the money goes.
    assert_eq!(f.client.settle_agreement(&agreement, &second, &f.consumer), 30 * PRICE);
    f.token.transfer(&f.stranger, &f.consumer, &1);
    assert_eq!(f.client.settle_agreement(&agreement, &third, &f.consumer), 30 * PRICE);
    assert_eq!(f.balances(), [0, i128::from(60 * PRICE), 0]);
}

#[test]
fn the_last_payment_of_a_bill_settles_the_agreement() {
    let f = Fixture::new();
    let agreement = f.agreement();
    f.deliver(agreement, 60);
    let last = f.deliver(agreement, 40);
    assert_eq!(f.status(agreement), AgreementStatus::Delivered);
    f.client.settle_agreement(&agreement, &last, &f.consumer);
    assert_eq!(f.status(agreement), AgreementStatus::Settled);
}

#[test]
fn a_surplus_stays_with_claim_refund() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let [_, _, third] = delivered(&f, agreement);
    f.at(DEADLINE + 1);
    f.client.settle_agreement(&agreement, &third, &f.provider);
    f.assert_state(agreement, 60, 0, 40 * PRICE);
    assert_eq!(f.client.claim_refund(&agreement), 40 * PRICE);
    f.assert_owned(60 * PRICE, 0);
}
