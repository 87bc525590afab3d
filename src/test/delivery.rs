//! deliver_energy, but for the meter rule (`meter`).

use super::*;
use crate::events::EnergyDelivered;
use crate::{EnergyTransaction, TransactionState, MAX_READING, MAX_TRANSACTIONS, REVIEW_PERIOD};

#[test]
fn a_delivery_is_recorded() {
    let f = Fixture::new();
    f.agreement();
    let agreement = f.agreement();
    f.at(START + HOUR);
    let id = f.client.deliver_energy(&agreement, &40, &1_000, &f.provider);
    assert_eq!(
        f.events(),
        [f.event(&EnergyDelivered {
            transaction_id: 2,
            provider: f.provider.clone(),
            consumer: f.consumer.clone(),
            agreement_id: 2,
            energy_delivered_kwh: 40,
            meter_reading: 1_000,
            payment_amount: 100_000_000,
            delivered_at: START + HOUR,
            metered: false,
        })]
    );
    assert_eq!(
        f.client.get_transaction(&id),
        EnergyTransaction {
            transaction_id: 2,
            agreement_id: 2,
            provider: f.provider.clone(),
            consumer: f.consumer.clone(),
            energy_delivered_kwh: 40,
            meter_reading: 1_000,
            payment_amount: 100_000_000,
            delivered_at: START + HOUR,
            settled_at: None,
            status: TransactionStatus::Delivered,
        }
    );
    assert_eq!(
        f.transaction_state(id),
        TransactionState {
            metered: false,
            ruled: false,
            disputed_at: None,
            provider_settles_from: START + HOUR + REVIEW_PERIOD
        }
    );
    f.assert_state(agreement, 40, 100_000_000, 0);
    assert_eq!(f.status(agreement), AgreementStatus::Active);
    f.assert_owned(0, 0);
    let state = f.client.get_agreement_state(&agreement);
    assert_eq!((state.transactions, state.deposit), (1, Deposit::None));
}

#[test]
fn a_delivery_of_a_certified_meter_is_metered() {
    let f = Fixture::metered();
    let id = f.deliver(f.agreement(), 40);
    assert_eq!(f.events(), [f.delivered_event(1, 1, 40, 40, true)]);
    assert_eq!(
        f.transaction_state(id),
        TransactionState { metered: true, ruled: false, disputed_at: None, provider_settles_from: START }
    );
}

#[test]
fn deliveries_fill_an_agreement_to_the_last_kwh() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let [first, second] = [60, 39].map(|kwh| f.deliver(agreement, kwh));
    assert_eq!(f.status(agreement), AgreementStatus::Active);
    f.fails(SharingError::InsufficientEnergy, |c| c.try_deliver_energy(&agreement, &2, &1_000, &f.provider));
    let third = f.deliver(agreement, 1);
    assert_eq!([first, second, third], [1, 10_000_000_000_001, 20_000_000_000_001]);
    assert_eq!(f.status(agreement), AgreementStatus::Delivered);
    f.assert_state(agreement, KWH, TOTAL, 0);
}

#[test]
fn transaction_ids_count_within_their_agreement() {
    let f = Fixture::new();
    let [one, other] = [(&f.provider, &f.consumer), (&f.consumer, &f.provider)]
        .map(|(provider, consumer)| f.client.create_agreement(provider, consumer, &KWH, &PRICE, &DEADLINE));
    let deliver = |id, provider, reading| f.client.deliver_energy(&id, &1, &reading, provider);
    assert_eq!(deliver(one, &f.provider, 100), 1);
    assert_eq!(deliver(other, &f.consumer, 100), 1_000_001);
    // A failed call uses up no id.
    f.fails(SharingError::InvalidInput, |c| c.try_deliver_energy(&one, &0, &101, &f.provider));
    assert_eq!(deliver(one, &f.provider, 101), 10_000_000_000_001);
    assert_eq!(deliver(other, &f.consumer, 101), 10_000_001_000_001);
    let transaction = f.client.get_transaction(&10_000_001_000_001);
    assert_eq!((transaction.agreement_id, transaction.provider), (1_000_001, f.consumer.clone()));
}

#[test]
fn forty_deliveries_fill_an_agreement() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let ids: Vec<_> = (1..=40).map(|_| f.deliver(agreement, 1)).collect();
    assert_eq!(ids[39], 390_000_000_000_001);
    f.fails(SharingError::TooManyTransactions, |c| c.try_deliver_energy(&agreement, &60, &1_000, &f.provider));
    assert_eq!(f.client.get_agreement_state(&agreement).transactions, 40);
    assert_eq!(f.status(agreement), AgreementStatus::Active);
    f.at(DEADLINE + 1);
    assert_eq!(f.status(agreement), AgreementStatus::Expired);
    assert_eq!(MAX_TRANSACTIONS, 40);
}

#[test]
fn a_metered_delivery_is_paid_at_once_from_a_metered_deposit() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    f.at(START + HOUR);
    let id = f.deliver(agreement, 40);
    assert_eq!(
        f.events(),
        [
            f.transfer_event(&f.contract, &f.provider, 100_000_000),
            f.delivered_event(id, agreement, 40, 40, true),
            f.settled_event(id, agreement, 40, &f.provider)
        ]
    );
    let paid = EnergyTransaction {
        settled_at: Some(START + HOUR),
        status: TransactionStatus::Settled,
        ..f.delivered(id, agreement, 40, 40)
    };
    assert_eq!(f.client.get_transaction(&id), paid);
    let state =
        TransactionState { metered: true, ruled: false, disputed_at: None, provider_settles_from: START + HOUR };
    assert_eq!(f.transaction_state(id), state);
    f.assert_state(agreement, 40, 0, 150_000_000);
    f.assert_owned(100_000_000, 150_000_000);
    for settler in [&f.consumer, &f.provider] {
        f.fails(SharingError::TransactionAlreadySettled, |c| c.try_settle_payment(&id, settler));
        f.fails(SharingError::TransactionAlreadySettled, |c| c.try_dispute_transaction(&id, settler));
    }
}

#[test]
fn the_last_metered_delivery_settles_the_agreement() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    f.deliver(agreement, 99);
    assert_eq!(f.status(agreement), AgreementStatus::Active);
    f.deliver(agreement, 1);
    assert_eq!(f.status(agreement), AgreementStatus::Settled);
    f.assert_state(agreement, KWH, 0, 0);
    f.assert_owned(TOTAL, 0);
}

#[test]
fn a_deposit_made_before_the_meter_was_certified_stays_under_review() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    f.certify(0);
    let id = f.deliver(agreement, 40);
    assert_eq!(f.events().filter_by_contract(&f.token.address).events(), []);
    let state = TransactionState {
        metered: false,
        ruled: false,
        disputed_at: None,
        provider_settles_from: START + REVIEW_PERIOD,
    };
    assert_eq!(f.transaction_state(id), state);
    f.assert_state(agreement, 40, 100_000_000, TOTAL);
    f.at(START + REVIEW_PERIOD - 1);
    f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_payment(&id, &f.provider));
    f.at(START + REVIEW_PERIOD);
    f.client.settle_payment(&id, &f.provider);
    f.assert_owned(100_000_000, 150_000_000);
}

#[test]
fn a_metered_deposit_waits_for_review_where_the_meter_was_retired() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    f.retire();
    let id = f.deliver(agreement, 40);
    assert!(!f.transaction_state(id).metered);
    assert_eq!(f.client.get_agreement_state(&agreement).deposit, Deposit::Metered);
    f.fails(SharingError::ReviewPeriodOpen, |c| c.try_settle_payment(&id, &f.provider));
    // Certified anew, the meter draws on it again.
    f.certify(1_000);
    f.deliver(agreement, 10);
    f.assert_owned(10 * PRICE, 90 * PRICE);
    f.assert_state(agreement, 50, 40 * PRICE, 90 * PRICE);
}

#[test]
fn the_largest_delivery_is_recorded() {
    let f = Fixture::new();
    let most = MAX_READING;
    for (kwh, price) in [(most, 536_870_912), (1, u64::MAX)] {
        let agreement = f.client.create_agreement(&f.provider, &f.consumer, &kwh, &price, &DEADLINE);
        f.certify(0);
        let id = f.client.deliver_energy(&agreement, &kwh, &most, &f.provider);
        assert_eq!(f.client.get_transaction(&id).payment_amount, kwh * price);
        f.assert_state(agreement, kwh, kwh * price, 0);
    }
}

#[test]
fn a_transaction_is_not_found_by_another_id() {
    let f = Fixture::new();
    f.deliver(f.agreement(), 1);
    f.agreement();
    let error = SharingError::TransactionNotFound;
    // Of no agreement, of one without deliveries, beyond the count, beyond the most, and the highest number.
    for id in [0, 2, 3, transaction_id(1, 2), transaction_id(1, 41), TRANSACTION_STEP, u64::MAX] {
        f.fails(error, |c| c.try_get_transaction(&id));
        f.fails(error, |c| c.try_settle_payment(&id, &f.stranger));
        f.fails(error, |c| c.try_dispute_transaction(&id, &f.stranger));
        f.fails(error, |c| c.try_resolve_dispute(&id, &0, &f.stranger));
        f.fails(error, |c| c.try_close_dispute(&id));
    }
}
