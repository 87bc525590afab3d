//! fund_agreement and claim_refund.

use super::*;
use crate::events::AgreementFunded;

#[test]
fn funding_moves_the_total_into_escrow() {
    for (f, deposit) in [
        (Fixture::new(), Deposit::Reviewed),
        (Fixture::metered(), Deposit::Reviewed),
        (Fixture::metered(), Deposit::Metered),
    ] {
        // Somebody else's gift does not count.
        f.token.transfer(&f.consumer, &f.contract, &1);
        let id = f.agreement_with(deposit);
        assert_eq!(
            f.events(),
            [
                f.event(&AgreementFunded {
                    agreement_id: id,
                    provider: f.provider.clone(),
                    consumer: f.consumer.clone(),
                    escrow_amount: TOTAL,
                    deposit,
                }),
                f.transfer_event(&f.consumer, &f.contract, TOTAL)
            ]
        );
        assert_eq!(f.balances(), [WEALTH - i128::from(TOTAL) - 1, 0, i128::from(TOTAL) + 1]);
        f.assert_state(id, 0, 0, TOTAL);
        assert_eq!(f.client.get_agreement_state(&id).deposit, deposit);
        assert_eq!(f.status(id), AgreementStatus::Active);
    }
}

#[test]
fn the_kind_of_a_deposit_is_what_its_consumer_named_whatever_is_certified_later() {
    let f = Fixture::new();
    let unmetered = f.agreement_with(Deposit::Reviewed);
    f.certify(0);
    let agreements =
        [unmetered, f.agreement_with(Deposit::Reviewed), f.agreement_with(Deposit::Metered), f.agreement()];
    let kinds = || agreements.map(|id| f.client.get_agreement_state(&id).deposit);
    let named = [Deposit::Reviewed, Deposit::Reviewed, Deposit::Metered, Deposit::None];
    assert_eq!(kinds(), named);
    f.retire();
    assert_eq!(kinds(), named);
}

#[test]
fn fund_fails_if_a_metered_deposit_has_no_meter_to_trust() {
    let f = Fixture::new();
    // The consumer's own meter does not count.
    f.client.register_meter(&f.consumer, &Some(f.meter.clone()), &0, &POWER);
    let id = f.agreement();
    let refused =
        || f.fails(SharingError::MeterNotCertified, |c| c.try_fund_agreement(&id, &f.consumer, &Deposit::Metered));
    refused();
    f.certify(0);
    f.retire();
    refused();
}

#[test]
fn fund_fails_while_the_token_refuses_and_succeeds_afterwards() {
    let f = Fixture::new();
    let id = f.agreement();
    f.token.transfer(&f.consumer, &f.stranger, &(WEALTH - i128::from(TOTAL) + 1));
    f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&id, &f.consumer, &Deposit::Reviewed));
    f.token.transfer(&f.stranger, &f.consumer, &1);
    f.freeze(&f.consumer, true);
    f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&id, &f.consumer, &Deposit::Reviewed));
    f.freeze(&f.consumer, false);
    f.client.fund_agreement(&id, &f.consumer, &Deposit::Reviewed);
    assert_eq!(f.balances(), [0, 0, TOTAL.into()]);
}

#[test]
fn the_largest_deposit_is_held_and_paid() {
    let f = Fixture::metered();
    f.asset.mint(&f.consumer, &u64::MAX.into());
    let id = f.client.create_agreement(&f.provider, &f.consumer, &1, &u64::MAX, &DEADLINE);
    f.client.fund_agreement(&id, &f.consumer, &Deposit::Metered);
    f.assert_state(id, 0, 0, u64::MAX);
    f.deliver(id, 1);
    assert_eq!(f.balances(), [WEALTH, u64::MAX.into(), 0]);
}

#[test]
fn an_expired_agreement_is_refunded_what_is_not_owed() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    f.at(DEADLINE);
    let transaction = f.deliver(id, 40);
    // While it is open, the whole deposit is owed.
    f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&id));
    f.at(DEADLINE + 1);
    assert_eq!(f.client.claim_refund(&id), 150_000_000);
    assert_eq!(
        f.events(),
        [f.refund_event(id, 150_000_000, 100_000_000), f.transfer_event(&f.contract, &f.consumer, 150_000_000)]
    );
    f.assert_owned(0, 100_000_000);
    f.assert_state(id, 40, 100_000_000, 100_000_000);
    f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&id));
    f.client.settle_payment(&transaction, &f.consumer);
    f.assert_owned(100_000_000, 0);
    f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&id));
    assert_eq!(f.status(id), AgreementStatus::Expired);
}

#[test]
fn an_agreement_that_was_never_funded_has_nothing_to_refund() {
    let f = Fixture::new();
    f.funded_agreement();
    let [open, delivered, cancelled] = [f.agreement(), f.agreement(), f.agreement()];
    f.deliver(delivered, KWH);
    f.client.cancel_agreement(&cancelled, &f.consumer);
    for time in [START, DEADLINE + 1] {
        f.at(time);
        for id in [open, delivered, cancelled] {
            f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&id));
        }
    }
}

#[test]
fn a_fully_delivered_agreement_keeps_its_escrow_for_the_provider() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    let transaction = f.deliver(id, KWH);
    f.at(DEADLINE + 1);
    f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&id));
    f.client.settle_payment(&transaction, &f.provider);
    f.assert_owned(TOTAL, 0);
}

#[test]
fn a_cancellation_moves_no_tokens_and_frees_what_is_not_owed() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    let transaction = f.deliver(id, 40);
    f.client.cancel_agreement(&id, &f.provider);
    assert_eq!(f.events().filter_by_contract(&f.token.address).events(), []);
    f.assert_state(id, 40, 100_000_000, TOTAL);
    assert_eq!(f.client.claim_refund(&id), 150_000_000);
    assert_eq!(
        f.events(),
        [f.refund_event(id, 150_000_000, 100_000_000), f.transfer_event(&f.contract, &f.consumer, 150_000_000)]
    );
    f.assert_owned(0, 100_000_000);
    f.client.settle_payment(&transaction, &f.consumer);
    f.assert_owned(100_000_000, 0);
    f.assert_state(id, 40, 0, 0);
    assert_eq!(f.status(id), AgreementStatus::Cancelled);
}

#[test]
fn a_refund_waits_for_a_consumer_who_cannot_receive() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    f.freeze(&f.consumer, true);
    f.client.cancel_agreement(&id, &f.provider);
    f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&id));
    f.assert_state(id, 0, 0, TOTAL);
    f.freeze(&f.consumer, false);
    assert_eq!(f.client.claim_refund(&id), TOTAL);
    assert_eq!(f.events(), [f.refund_event(id, TOTAL, 0), f.transfer_event(&f.contract, &f.consumer, TOTAL)]);
    f.assert_owned(0, 0);
}

#[test]
fn a_ruling_frees_its_rest_while_the_agreement_is_open() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    let transaction = f.disputed(id, 40);
    f.client.resolve_dispute(&transaction, &15, &f.admin);
    assert_eq!(f.client.claim_refund(&id), 25 * PRICE);
    f.assert_state(id, 40, 15 * PRICE, 75 * PRICE);
    f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&id));
    f.client.settle_payment(&transaction, &f.provider);
    f.assert_owned(15 * PRICE, 60 * PRICE);
}

#[test]
fn escrows_are_kept_apart() {
    let f = Fixture::metered();
    let [first, second] = [f.funded_agreement(), f.funded_agreement()];
    f.deliver(first, KWH);
    f.assert_state(first, KWH, 0, 0);
    f.assert_state(second, 0, 0, TOTAL);
    f.client.cancel_agreement(&second, &f.provider);
    f.client.claim_refund(&second);
    f.assert_owned(TOTAL, 0);
}

#[test]
fn a_deposit_comes_free_though_any_one_of_them_is_silent_for_ever() {
    for silent in ["consumer", "provider", "admin"] {
        let f = Fixture::new();
        let agreement = f.funded_agreement();
        let [open, disputed] = [f.deliver(agreement, 40), f.disputed(agreement, 30)];
        let settler = if silent == "consumer" { &f.provider } else { &f.consumer };
        let signers = || f.env.auths().into_iter().map(|(signer, _)| signer).collect::<std::vec::Vec<_>>();
        f.at(DEADLINE.max(START + crate::ARBITRATION_PERIOD) + 1);
        f.client.settle_payment(&open, settler);
        assert_eq!(signers(), std::slice::from_ref(settler));
        f.client.close_dispute(&disputed);
        assert_eq!(signers(), []);
        assert_eq!(f.client.claim_refund(&agreement), 60 * PRICE);
        assert_eq!(signers(), []);
        assert_eq!(f.balances(), [WEALTH - i128::from(40 * PRICE), i128::from(40 * PRICE), 0]);
        f.assert_state(agreement, 70, 0, 0);
    }
}
