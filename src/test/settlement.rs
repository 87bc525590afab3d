//! settle_payment, directly and from the escrow.

use super::*;
use soroban_sdk::testutils::IssuerFlags;

use crate::REVIEW_PERIOD;

#[test]
fn the_consumer_pays_directly_whoever_settles() {
    for consumer_settles in [true, false] {
        let f = Fixture::new();
        let agreement = f.agreement();
        let [first, second] = [f.deliver(agreement, 40), f.deliver(agreement, 60)];
        let settler = if consumer_settles { &f.consumer } else { &f.provider };
        // At once: the consumer's signature is its review.
        f.client.settle_payment(&first, settler);
        assert_eq!(
            f.events(),
            [f.settled_event(first, agreement, 40, settler), f.transfer_event(&f.consumer, &f.provider, 100_000_000)]
        );
        f.assert_owned(100_000_000, 0);
        f.assert_state(agreement, KWH, 150_000_000, 0);
        assert_eq!(f.status(agreement), AgreementStatus::Delivered);
        assert_eq!(f.transaction_status(second), TransactionStatus::Delivered);

        f.at(START + HOUR);
        f.client.settle_payment(&second, settler);
        f.assert_owned(250_000_000, 0);
        f.assert_state(agreement, KWH, 0, 0);
        assert_eq!(f.status(agreement), AgreementStatus::Settled);
        let [first, second] = [first, second].map(|id| f.client.get_transaction(&id));
        assert_eq!((first.status, first.settled_at), (TransactionStatus::Settled, Some(START)));
        assert_eq!((second.status, second.settled_at), (TransactionStatus::Settled, Some(START + HOUR)));
    }
}

#[test]
fn a_partly_filled_agreement_stays_active_when_all_is_settled() {
    let f = Fixture::new();
    let agreement = f.agreement();
    f.client.settle_payment(&f.deliver(agreement, 99), &f.consumer);
    assert_eq!(f.status(agreement), AgreementStatus::Active);
    f.client.settle_payment(&f.deliver(agreement, 1), &f.consumer);
    assert_eq!(f.status(agreement), AgreementStatus::Settled);
    f.assert_owned(TOTAL, 0);
}

#[test]
fn the_provider_draws_on_the_escrow_alone_after_the_review_period() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    f.at(START + HOUR);
    let id = f.deliver(agreement, KWH);
    let from = START + HOUR + REVIEW_PERIOD;
    assert_eq!(f.transaction_state(id).provider_settles_from, from);
    for time in [START + HOUR, from - 1] {
        f.at(time);
        f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_payment(&id, &f.provider));
    }
    f.at(from);
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(TOTAL, 0);
    assert_eq!(f.client.get_transaction(&id).settled_at, Some(from));
    assert_eq!(REVIEW_PERIOD, 86_400);
}

#[test]
fn whether_a_delivery_is_metered_is_decided_when_it_is_recorded() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let metered = |id: u64| f.transaction_state(id).metered;
    let before = f.deliver(agreement, 10);
    f.certify(0);
    let with = f.deliver(agreement, 10);
    f.retire();
    let after = f.deliver(agreement, 10);
    assert_eq!([before, with, after].map(metered), [false, true, false]);
}

#[test]
fn a_metered_delivery_whose_payment_failed_is_settled_by_the_provider_without_review() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    f.freeze(&f.provider, true);
    let [first, second] = [f.deliver(agreement, 30), f.deliver(agreement, 20)];
    f.assert_state(agreement, 50, 50 * PRICE, TOTAL);
    f.freeze(&f.provider, false);
    for (id, kwh, settler, paid, left) in [(first, 30, &f.provider, 30, 70), (second, 20, &f.consumer, 50, 50)] {
        f.client.settle_payment(&id, settler);
        assert_eq!(
            f.events(),
            [f.settled_event(id, agreement, kwh, settler), f.transfer_event(&f.contract, &f.provider, kwh * PRICE)]
        );
        f.assert_owned(paid * PRICE, left * PRICE);
    }
    f.assert_state(agreement, 50, 0, 50 * PRICE);
}

#[test]
fn the_consumer_settles_from_the_escrow_within_the_review_period() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let id = f.deliver(agreement, 40);
    f.client.settle_payment(&id, &f.consumer);
    assert_eq!(
        f.events(),
        [f.settled_event(id, agreement, 40, &f.consumer), f.transfer_event(&f.contract, &f.provider, 100_000_000)]
    );
    f.assert_owned(100_000_000, 150_000_000);
    f.assert_state(agreement, 40, 0, 150_000_000);
}

#[test]
fn a_review_that_would_end_after_the_end_of_time_ends_with_it() {
    let f = Fixture::new();
    f.env.ledger().set_timestamp(u64::MAX - 10);
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &u64::MAX);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Reviewed);
    let id = f.deliver(agreement, KWH);
    assert_eq!(f.transaction_state(id).provider_settles_from, u64::MAX);
    f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_payment(&id, &f.provider));
    f.env.ledger().set_timestamp(u64::MAX);
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(TOTAL, 0);
}

#[test]
fn settle_fails_while_the_token_refuses_and_succeeds_afterwards() {
    let f = Fixture::new();
    let id = f.deliver(f.agreement(), KWH);
    // Short by one.
    f.token.transfer(&f.consumer, &f.stranger, &(WEALTH - i128::from(TOTAL) + 1));
    for settler in [&f.consumer, &f.provider] {
        f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&id, settler));
    }
    f.token.transfer(&f.stranger, &f.consumer, &1);
    f.client.settle_payment(&id, &f.consumer);
    assert_eq!(f.balances(), [0, TOTAL.into(), 0]);
}

#[test]
fn settle_fails_if_the_escrow_was_clawed_back() {
    let f = Fixture::deployed();
    f.issuer.set_flag(IssuerFlags::RevocableFlag);
    f.issuer.set_flag(IssuerFlags::ClawbackEnabledFlag);
    let f = f.started();
    let rich = &f.stranger;
    f.asset.mint(rich, &TOTAL.into());
    let agreement = f.funded_agreement();
    let id = f.deliver(agreement, KWH);
    f.asset.clawback(&f.contract, &1);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&id, &f.consumer));
    f.token.transfer(rich, &f.contract, &1);
    f.client.settle_payment(&id, &f.consumer);
    f.assert_owned(TOTAL, 0);
}
