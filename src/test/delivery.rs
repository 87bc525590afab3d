//! deliver_energy.

use super::*;
use crate::events::EnergyDelivered;
use crate::{EnergyTransaction, TransactionState, IDS_PER_PROVIDER, REVIEW_PERIOD};

fn delivered(f: &Fixture, transaction_id: u64, agreement_id: u64, kwh: u64, meter_reading: u64) -> EnergyTransaction {
    EnergyTransaction {
        transaction_id,
        agreement_id,
        provider: f.provider.clone(),
        consumer: f.consumer.clone(),
        energy_delivered_kwh: kwh,
        meter_reading,
        payment_amount: kwh * PRICE,
        delivered_at: f.env.ledger().timestamp(),
        settled_at: None,
        status: TransactionStatus::Delivered,
    }
}

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
            transaction_id: 1,
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
    assert_eq!(f.client.get_transaction(&id), delivered(&f, 1, 2, 40, 1_000));
    assert_eq!(
        f.client.get_transaction_state(&id),
        TransactionState { metered: false, ruled: false, disputed_at: None, provider_settles_from: START + HOUR + REVIEW_PERIOD }
    );
    f.assert_state(agreement, 40, 100_000_000, 0);
    assert_eq!(f.status(agreement), AgreementStatus::Active);
    assert_eq!(f.balances(), [WEALTH, 0, 0]);
    for (party, deliveries) in [(&f.provider, 1), (&f.consumer, 0)] {
        let prosumer = f.client.get_prosumer(party);
        assert_eq!((prosumer.deliveries, prosumer.last_transaction), (deliveries, Some(1)));
    }
}

#[test]
fn a_delivery_of_a_certified_meter_is_metered() {
    let f = Fixture::metered();
    let id = f.deliver(f.agreement(), 40);
    assert_eq!(
        f.events(),
        [f.event(&EnergyDelivered {
            transaction_id: 1,
            provider: f.provider.clone(),
            consumer: f.consumer.clone(),
            agreement_id: 1,
            energy_delivered_kwh: 40,
            meter_reading: 40,
            payment_amount: 40 * PRICE,
            delivered_at: START,
            metered: true,
        })]
    );
    assert_eq!(
        f.client.get_transaction_state(&id),
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
    assert_eq!([first, second, third], [1, 2, 3]);
    assert_eq!(f.status(agreement), AgreementStatus::Delivered);
    f.assert_state(agreement, KWH, TOTAL, 0);
}

#[test]
fn transaction_ids_count_for_each_provider_from_its_number() {
    let f = Fixture::new();
    let [one, other] = [(&f.provider, &f.consumer), (&f.consumer, &f.provider)]
        .map(|(provider, consumer)| f.client.create_agreement(provider, consumer, &KWH, &PRICE, &DEADLINE));
    let deliver = |id, provider| f.client.deliver_energy(&id, &1, &100, provider);
    assert_eq!(deliver(one, &f.provider), 1);
    assert_eq!(deliver(other, &f.consumer), 1_000_000_001);
    f.fails(SharingError::InvalidInput, |c| c.try_deliver_energy(&one, &0, &100, &f.provider));
    assert_eq!(deliver(one, &f.provider), 2);
    assert_eq!(deliver(other, &f.consumer), 1_000_000_002);
    assert_eq!(f.client.get_transaction(&1_000_000_002).agreement_id, 1_000_000_001);
    assert_eq!(f.client.get_transaction(&1_000_000_002).provider, f.consumer);
}

#[test]
fn deliver_fails_if_not_the_provider() {
    let f = Fixture::new();
    let id = f.agreement();
    f.client.cancel_agreement(&id, &f.provider);
    // Before the status is looked at.
    for other in [&f.consumer, &f.stranger, &f.admin] {
        f.fails(SharingError::NotAuthorized, |c| c.try_deliver_energy(&id, &0, &0, other));
    }
}

#[test]
fn deliver_fails_if_not_active() {
    let f = Fixture::new();
    let [cancelled, delivered, settled] = f.ended_agreements();
    for time in [START, DEADLINE + 1] {
        f.at(time);
        for id in [cancelled, delivered, settled] {
            // Before the energy is looked at.
            f.fails(SharingError::AgreementNotActive, |c| c.try_deliver_energy(&id, &0, &1_000, &f.provider));
        }
    }
}

#[test]
fn deliver_fails_after_the_deadline() {
    let f = Fixture::new();
    let id = f.agreement();
    for time in [DEADLINE - 1, DEADLINE] {
        f.at(time);
        f.deliver(id, 1);
    }
    f.at(DEADLINE + 1);
    // Before the energy is looked at.
    f.fails(SharingError::DeliveryDeadlinePassed, |c| c.try_deliver_energy(&id, &0, &1_000, &f.provider));
}

#[test]
fn deliver_fails_if_nothing_is_delivered() {
    let f = Fixture::new();
    let id = f.agreement();
    // Before the meter is looked at.
    f.client.deliver_energy(&id, &1, &10, &f.provider);
    f.fails(SharingError::InvalidInput, |c| c.try_deliver_energy(&id, &0, &9, &f.provider));
}

#[test]
fn deliver_fails_if_more_than_what_remains() {
    let f = Fixture::new();
    let id = f.agreement();
    f.client.deliver_energy(&id, &10, &10, &f.provider);
    for kwh in [91, u64::MAX] {
        // Before the meter is looked at.
        f.fails(SharingError::InsufficientEnergy, |c| c.try_deliver_energy(&id, &kwh, &0, &f.provider));
    }
    f.client.deliver_energy(&id, &90, &100, &f.provider);
}

#[test]
fn deliver_fails_after_the_last_id() {
    let f = Fixture::new();
    let id = f.agreement();
    f.set_counts(1, IDS_PER_PROVIDER - 2);
    assert_eq!(f.deliver(id, 1), IDS_PER_PROVIDER - 1);
    // After the meter is looked at.
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &1, &0, &f.provider));
    f.fails(SharingError::AmountOverflow, |c| c.try_deliver_energy(&id, &1, &1_000, &f.provider));
}

#[test]
fn the_largest_delivery_is_recorded() {
    let f = Fixture::new();
    for (kwh, price) in [(u64::MAX, 1), (1, u64::MAX)] {
        let agreement = f.client.create_agreement(&f.provider, &f.consumer, &kwh, &price, &DEADLINE);
        f.client.register_meter(&f.provider, &Some(f.meter.clone()), &0);
        let id = f.client.deliver_energy(&agreement, &kwh, &u64::MAX, &f.provider);
        assert_eq!(f.client.get_transaction(&id).payment_amount, u64::MAX);
        f.assert_state(agreement, kwh, u64::MAX, 0);
    }
}

#[test]
fn a_transaction_is_not_found_by_another_id() {
    let f = Fixture::new();
    f.deliver(f.agreement(), 1);
    let error = SharingError::TransactionNotFound;
    for id in [0, 2, IDS_PER_PROVIDER, IDS_PER_PROVIDER + 1, u64::MAX] {
        f.fails(error, |c| c.try_get_transaction(&id));
        f.fails(error, |c| c.try_get_transaction_state(&id));
        f.fails(error, |c| c.try_settle_payment(&id, &f.stranger));
        f.fails(error, |c| c.try_dispute_transaction(&id, &f.stranger));
        f.fails(error, |c| c.try_resolve_dispute(&id, &0, &f.stranger));
        f.fails(error, |c| c.try_close_dispute(&id));
    }
}
