//! register_meter and the meter rule.

use super::*;
use crate::events::MeterRegistered;

/// meter_start, meter_reading and energy_sold_kwh of the provider.
fn register(f: &Fixture) -> (u64, u64, u64) {
    let prosumer = f.client.get_prosumer(&f.provider);
    (prosumer.meter_start, prosumer.meter_reading, prosumer.energy_sold_kwh)
}

#[test]
fn certifying_restarts_the_register() {
    let f = Fixture::new();
    let id = f.agreement();
    f.client.deliver_energy(&id, &10, &25, &f.provider);
    assert_eq!(register(&f), (0, 25, 10));
    let other = Some(f.stranger.clone());
    // Higher, lower and all there is: first certification, exchange and rollover.
    for (meter, reading) in [(Some(f.meter.clone()), 1_000), (other, 7), (Some(f.meter.clone()), u64::MAX)] {
        f.client.register_meter(&f.provider, &meter, &reading);
        assert_eq!(
            f.events(),
            [f.event(&MeterRegistered {
                prosumer: f.provider.clone(),
                meter: meter.clone(),
                meter_start: reading,
                meter_reading: reading,
                energy_sold_kwh: 0,
            })]
        );
        assert_eq!(f.client.get_prosumer(&f.provider).meter, meter);
        assert_eq!(register(&f), (reading, reading, 0));
    }
}

#[test]
fn certifying_leaves_counts_and_history() {
    let f = Fixture::new();
    let id = f.agreement();
    let transaction = f.deliver(id, 10);
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &1_000);
    let prosumer = f.client.get_prosumer(&f.provider);
    assert_eq!((prosumer.number, prosumer.agreements, prosumer.deliveries, prosumer.last_transaction), (0, 1, 1, Some(transaction)));
}

#[test]
fn a_retired_meter_leaves_the_register_as_it_is() {
    let f = Fixture::new();
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &100);
    let id = f.agreement();
    f.client.deliver_energy(&id, &10, &125, &f.provider);
    f.client.register_meter(&f.provider, &None, &999);
    assert_eq!(
        f.events(),
        [f.event(&MeterRegistered {
            prosumer: f.provider.clone(),
            meter: None,
            meter_start: 100,
            meter_reading: 125,
            energy_sold_kwh: 10,
        })]
    );
    assert_eq!(f.client.get_prosumer(&f.provider).meter, None);
    assert_eq!(register(&f), (100, 125, 10));
    // The rule goes on counting from there.
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &16, &125, &f.provider));
    let transaction = f.client.deliver_energy(&id, &15, &125, &f.provider);
    assert!(!f.client.get_transaction_state(&transaction).metered);
}

#[test]
fn retiring_without_a_meter_changes_nothing_and_emits_nothing() {
    let f = Fixture::new();
    let before = f.ledger();
    f.client.register_meter(&f.provider, &None, &5);
    assert_eq!(f.events(), []);
    assert!(f.ledger() == before);
}

#[test]
fn register_meter_fails_if_the_prosumer_is_not_registered() {
    let f = Fixture::new();
    for meter in [None, Some(f.meter.clone()), Some(f.stranger.clone())] {
        f.fails(SharingError::ProsumerNotRegistered, |c| c.try_register_meter(&f.stranger, &meter, &0));
    }
}

#[test]
fn register_meter_fails_if_the_prosumer_is_its_own_meter() {
    let f = Fixture::new();
    f.fails(SharingError::InvalidInput, |c| c.try_register_meter(&f.provider, &Some(f.provider.clone()), &0));
}

#[test]
fn a_reading_never_goes_back() {
    let f = Fixture::new();
    let id = f.agreement();
    f.client.deliver_energy(&id, &1, &50, &f.provider);
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &1, &49, &f.provider));
    f.client.deliver_energy(&id, &1, &50, &f.provider);
    f.client.deliver_energy(&id, &1, &51, &f.provider);
    assert_eq!(register(&f), (0, 51, 3));
}

#[test]
fn nobody_sells_more_than_the_meter_exported() {
    for start in [0, 1_000] {
        let f = Fixture::new();
        f.client.register_meter(&f.provider, &Some(f.meter.clone()), &start);
        let [first, second] = [f.agreement(), f.agreement()];
        let error = SharingError::InvalidMeterReading;
        f.fails(error, |c| c.try_deliver_energy(&first, &1, &start, &f.provider));
        f.fails(error, |c| c.try_deliver_energy(&first, &31, &(start + 30), &f.provider));
        // Several deliveries share a reading, across agreements.
        f.client.deliver_energy(&first, &20, &(start + 30), &f.provider);
        f.fails(error, |c| c.try_deliver_energy(&second, &11, &(start + 30), &f.provider));
        f.client.deliver_energy(&second, &10, &(start + 30), &f.provider);
        f.fails(error, |c| c.try_deliver_energy(&second, &1, &(start + 30), &f.provider));
        assert_eq!(register(&f), (start, start + 30, 30));
    }
}

#[test]
fn a_reading_below_the_start_is_refused() {
    let f = Fixture::new();
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &u64::MAX);
    let id = f.agreement();
    for reading in [0, u64::MAX - 1, u64::MAX] {
        f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &1, &reading, &f.provider));
    }
}

#[test]
fn a_register_that_is_full_sells_no_more() {
    let f = Fixture::new();
    let create = || f.client.create_agreement(&f.provider, &f.consumer, &u64::MAX, &1, &DEADLINE);
    let [first, second] = [create(), create()];
    f.client.deliver_energy(&first, &u64::MAX, &u64::MAX, &f.provider);
    assert_eq!(register(&f), (0, u64::MAX, u64::MAX));
    for kwh in [1, u64::MAX] {
        f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&second, &kwh, &u64::MAX, &f.provider));
    }
}
