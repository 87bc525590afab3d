//! create_agreement, cancel_agreement and expiry.

use super::*;
use crate::events::{AgreementCancelled, AgreementCreated};
use crate::{EnergyAgreement, AGREEMENTS_PER_PROVIDER, MAX_PROSUMERS, MAX_TERM};

#[test]
fn create_stores_the_terms() {
    let f = Fixture::new();
    let id = f.agreement();
    assert_eq!(
        f.events(),
        [f.event(&AgreementCreated {
            agreement_id: 1,
            provider: f.provider.clone(),
            consumer: f.consumer.clone(),
            energy_amount_kwh: KWH,
            price_per_kwh: PRICE,
            total_amount: 250_000_000,
            delivery_deadline: DEADLINE,
            created_at: START,
        })]
    );
    assert_eq!(
        f.client.get_agreement(&id),
        EnergyAgreement {
            agreement_id: 1,
            provider: f.provider.clone(),
            consumer: f.consumer.clone(),
            energy_amount_kwh: KWH,
            price_per_kwh: PRICE,
            total_amount: 250_000_000,
            delivery_deadline: DEADLINE,
            status: AgreementStatus::Active,
            created_at: START,
        }
    );
    f.assert_state(id, 0, 0, 0);
    f.assert_owned(0, 0);
}

#[test]
fn ids_count_for_each_provider_from_its_number() {
    let f = Fixture::new();
    f.client.register_prosumer(&f.stranger);
    let create = |provider, consumer| f.client.create_agreement(provider, consumer, &1, &1, &DEADLINE);
    assert_eq!(create(&f.provider, &f.consumer), 1);
    assert_eq!(create(&f.consumer, &f.provider), 1_000_001);
    assert_eq!(create(&f.stranger, &f.provider), 2_000_001);
    assert_eq!(create(&f.provider, &f.stranger), 2);
    // A failed call uses up no id.
    f.fails(SharingError::InvalidInput, |c| c.try_create_agreement(&f.provider, &f.consumer, &0, &1, &DEADLINE));
    assert_eq!(create(&f.provider, &f.stranger), 3);
    assert_eq!(f.client.get_prosumer(&f.provider).agreements, 3);
    assert_eq!(f.client.get_prosumer(&f.consumer).agreements, 1);
    assert_eq!(f.client.get_agreement(&2_000_001).provider, f.stranger);
}

#[test]
fn create_fails_unless_the_deadline_is_ahead_by_at_most_the_longest_term() {
    let f = Fixture::new();
    for (deadline, error) in [
        (1, SharingError::DeliveryDeadlinePassed),
        (START - 1, SharingError::DeliveryDeadlinePassed),
        (START, SharingError::DeliveryDeadlinePassed),
        (START + MAX_TERM + 1, SharingError::InvalidInput),
        (START * 1_000, SharingError::InvalidInput),
        (u64::MAX, SharingError::InvalidInput),
    ] {
        f.fails(error, |c| c.try_create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &deadline));
    }
    for deadline in [START + 1, START + MAX_TERM] {
        let id = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &deadline);
        assert_eq!(f.client.get_agreement(&id).delivery_deadline, deadline);
    }
    assert_eq!(MAX_TERM, 31_622_400);
}

#[test]
fn a_term_may_end_with_time_itself() {
    let f = Fixture::new();
    f.env.ledger().set_timestamp(u64::MAX - 1);
    let id = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &u64::MAX);
    f.env.ledger().set_timestamp(u64::MAX);
    assert_eq!(f.status(id), AgreementStatus::Active);
    assert_eq!(f.client.get_agreement(&id).delivery_deadline, u64::MAX);
    f.fails(SharingError::DeliveryDeadlinePassed, |c| {
        c.try_create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &u64::MAX)
    });
}

#[test]
fn create_fails_if_the_total_overflows() {
    let f = Fixture::new();
    let half = 1_u64 << 32;
    for (kwh, price) in [(half, half), (u64::MAX, 2), (2, u64::MAX), (u64::MAX, u64::MAX)] {
        f.fails(SharingError::AmountOverflow, |c| {
            c.try_create_agreement(&f.provider, &f.consumer, &kwh, &price, &DEADLINE)
        });
    }
    for (kwh, price) in [(u64::MAX, 1), (1, u64::MAX), (half, half - 1)] {
        let id = f.client.create_agreement(&f.provider, &f.consumer, &kwh, &price, &DEADLINE);
        let agreement = f.client.get_agreement(&id);
        assert_eq!(
            (agreement.energy_amount_kwh, agreement.price_per_kwh, agreement.total_amount),
            (kwh, price, kwh * price)
        );
    }
}

#[test]
fn create_fails_after_the_last_id() {
    let f = Fixture::new();
    f.set_agreements(AGREEMENTS_PER_PROVIDER - 2);
    assert_eq!(f.agreement(), 999_999);
    f.fails(SharingError::AmountOverflow, |c| {
        c.try_create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &DEADLINE)
    });
}

#[test]
fn the_last_id_of_all_has_13_digits() {
    let f = Fixture::new();
    f.change_prosumer(&f.provider, |prosumer| {
        prosumer.number = MAX_PROSUMERS - 1;
        prosumer.agreements = AGREEMENTS_PER_PROVIDER - 2;
    });
    let id = f.agreement();
    assert_eq!(id, 9_999_999_999_999);
    assert_eq!(f.client.get_agreement(&id).agreement_id, id);
    assert_eq!([f.deliver(id, 1), f.deliver(id, 1)], [id, 19_999_999_999_999]);
}

#[test]
fn create_names_the_newest_agreement_of_both_parties() {
    let f = Fixture::new();
    f.client.register_prosumer(&f.stranger);
    let last = |who| f.client.get_prosumer(who).last_agreement;
    assert_eq!([&f.provider, &f.consumer, &f.stranger].map(last), [None; 3]);
    let first = f.agreement();
    let second = f.client.create_agreement(&f.stranger, &f.provider, &1, &1, &DEADLINE);
    assert_eq!([&f.provider, &f.consumer, &f.stranger].map(last), [Some(second), Some(first), Some(second)]);
}

#[test]
fn an_agreement_is_not_found_by_another_id() {
    let f = Fixture::new();
    f.agreement();
    let error = SharingError::AgreementNotFound;
    // Not one with a transaction's id either: it is never reduced.
    for id in
        [0, 2, AGREEMENTS_PER_PROVIDER, AGREEMENTS_PER_PROVIDER + 1, TRANSACTION_STEP, TRANSACTION_STEP + 1, u64::MAX]
    {
        f.fails(error, |c| c.try_get_agreement(&id));
        f.fails(error, |c| c.try_get_agreement_state(&id));
        f.fails(error, |c| c.try_get_agreement_transactions(&id));
        f.fails(error, |c| c.try_get_transaction_states(&id));
        f.fails(error, |c| c.try_settle_agreement(&id, &1, &f.stranger));
        f.fails(error, |c| c.try_fund_agreement(&id, &f.stranger, &Deposit::Reviewed));
        f.fails(error, |c| c.try_cancel_agreement(&id, &f.stranger));
        f.fails(error, |c| c.try_claim_refund(&id));
        f.fails(error, |c| c.try_deliver_energy(&id, &0, &0, &f.stranger));
    }
}

#[test]
fn an_agreement_expires_after_its_deadline() {
    let f = Fixture::new();
    let id = f.agreement();
    for (time, status) in [
        (DEADLINE - 1, AgreementStatus::Active),
        (DEADLINE, AgreementStatus::Active),
        (DEADLINE + 1, AgreementStatus::Expired),
        (u64::MAX, AgreementStatus::Expired),
    ] {
        f.at(time);
        assert_eq!(f.status(id), status);
    }
}

#[test]
fn only_an_open_agreement_expires() {
    let f = Fixture::new();
    let [cancelled, delivered, settled] = f.ended_agreements();
    for time in [START, DEADLINE + 1] {
        f.at(time);
        assert_eq!(f.status(cancelled), AgreementStatus::Cancelled);
        assert_eq!(f.status(delivered), AgreementStatus::Delivered);
        assert_eq!(f.status(settled), AgreementStatus::Settled);
    }
}

#[test]
fn either_party_cancels_an_unfunded_agreement_until_its_deadline() {
    let f = Fixture::new();
    let [first, second] = [f.agreement(), f.agreement()];
    f.at(DEADLINE);
    for (id, canceller) in [(first, &f.provider), (second, &f.consumer)] {
        f.client.cancel_agreement(&id, canceller);
        assert_eq!(
            f.events(),
            [f.event(&AgreementCancelled {
                agreement_id: id,
                provider: f.provider.clone(),
                consumer: f.consumer.clone(),
                canceller: canceller.clone(),
            })]
        );
        assert_eq!(f.status(id), AgreementStatus::Cancelled);
        f.assert_owned(0, 0);
    }
}

#[test]
fn deliveries_of_an_ended_agreement_are_settled_and_disputed() {
    let f = Fixture::new();
    let [expired, cancelled] = [f.agreement(), f.agreement()];
    let deliveries = [expired, cancelled].map(|id| [f.deliver(id, 10), f.deliver(id, 20)]);
    f.client.cancel_agreement(&cancelled, &f.consumer);
    f.at(DEADLINE + 1);
    let mut paid = 0;
    for (id, status, [first, second]) in
        [(expired, AgreementStatus::Expired, deliveries[0]), (cancelled, AgreementStatus::Cancelled, deliveries[1])]
    {
        f.client.settle_payment(&first, &f.consumer);
        paid += 10 * i128::from(PRICE);
        f.assert_state(id, 30, 20 * PRICE, 0);
        f.client.dispute_transaction(&second, &f.consumer);
        f.client.resolve_dispute(&second, &5, &f.admin);
        f.assert_state(id, 30, 5 * PRICE, 0);
        f.client.settle_payment(&second, &f.consumer);
        paid += 5 * i128::from(PRICE);
        f.assert_state(id, 30, 0, 0);
        assert_eq!(f.status(id), status);
        assert_eq!(f.balances(), [WEALTH - paid, paid, 0]);
    }
}
