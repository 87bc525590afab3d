//! register_meter and the meter rule.

use super::*;
use crate::events::MeterRegistered;
use crate::MAX_READING;

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
    for (meter, reading) in [(Some(f.meter.clone()), 1_000), (other, 7), (Some(f.meter.clone()), MAX_READING)] {
        f.client.register_meter(&f.provider, &meter, &reading, &POWER);
        assert_eq!(
            f.events(),
            [f.event(&MeterRegistered {
                prosumer: f.provider.clone(),
                meter: meter.clone(),
                max_power_kw: POWER,
                meter_start: reading,
                meter_reading: reading,
                read_at: START,
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
    f.deliver(id, 10);
    f.certify(1_000);
    let prosumer = f.client.get_prosumer(&f.provider);
    assert_eq!((prosumer.number, prosumer.agreements, prosumer.last_agreement), (0, 1, Some(id)));
}

#[test]
fn a_retired_meter_leaves_the_register_as_it_is() {
    let f = Fixture::new();
    f.certify(100);
    let id = f.agreement();
    f.client.deliver_energy(&id, &10, &125, &f.provider);
    f.client.register_meter(&f.provider, &None, &999, &POWER);
    assert_eq!(
        f.events(),
        [f.event(&MeterRegistered {
            prosumer: f.provider.clone(),
            meter: None,
            max_power_kw: 0,
            meter_start: 100,
            meter_reading: 125,
            read_at: START,
            energy_sold_kwh: 10,
        })]
    );
    assert_eq!(f.client.get_prosumer(&f.provider).meter, None);
    assert_eq!(register(&f), (100, 125, 10));
    // The rule goes on counting from there.
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &17, &126, &f.provider));
    let transaction = f.client.deliver_energy(&id, &16, &126, &f.provider);
    assert!(!f.transaction_state(transaction).metered);
}

#[test]
fn retiring_without_a_meter_changes_nothing_and_emits_nothing() {
    let f = Fixture::new();
    let before = f.ledger();
    f.client.register_meter(&f.provider, &None, &5, &POWER);
    assert_eq!(f.events(), []);
    assert!(f.ledger() == before);
}

#[test]
fn register_meter_fails_if_the_prosumer_is_not_registered() {
    let f = Fixture::new();
    for meter in [None, Some(f.meter.clone()), Some(f.stranger.clone())] {
        f.fails(SharingError::ProsumerNotRegistered, |c| c.try_register_meter(&f.stranger, &meter, &0, &POWER));
    }
}

#[test]
fn register_meter_fails_above_the_highest_reading() {
    let f = Fixture::new();
    for reading in [MAX_READING + 1, u64::MAX] {
        f.fails(SharingError::InvalidInput, |c| {
            c.try_register_meter(&f.provider, &Some(f.meter.clone()), &reading, &POWER)
        });
        // Without a meter it is ignored.
        f.client.register_meter(&f.provider, &None, &reading, &POWER);
    }
    assert_eq!(MAX_READING, 34_359_738_367);
}

#[test]
fn one_meter_serves_several_prosumers() {
    let f = Fixture::metered();
    f.client.register_meter(&f.consumer, &Some(f.meter.clone()), &500, &POWER);
    f.at(START + 1);
    let back = f.client.create_agreement(&f.consumer, &f.provider, &KWH, &PRICE, &DEADLINE);
    for (agreement, seller, reading) in [(f.agreement(), &f.provider, 10), (back, &f.consumer, 510)] {
        let id = f.client.deliver_energy(&agreement, &10, &reading, seller);
        assert!(f.transaction_state(id).metered);
    }
}

#[test]
fn a_reading_never_goes_back() {
    let f = Fixture::new();
    let [first, second] = [f.agreement(), f.agreement()];
    f.client.deliver_energy(&first, &1, &50, &f.provider);
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&second, &1, &49, &f.provider));
    // Deliveries of different agreements may share one.
    f.client.deliver_energy(&second, &1, &50, &f.provider);
    f.client.deliver_energy(&first, &1, &51, &f.provider);
    assert_eq!(register(&f), (0, 51, 3));
}

#[test]
fn a_delivery_sent_twice_is_recorded_once() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    f.client.deliver_energy(&agreement, &10, &1_000, &f.provider);
    // Though the meter has exported enough for it, and though its call is signed anew.
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&agreement, &10, &1_000, &f.provider));
    f.assert_owned(10 * PRICE, 90 * PRICE);
    f.client.deliver_energy(&agreement, &10, &1_001, &f.provider);
    assert_eq!(f.balances()[1], i128::from(20 * PRICE));
}

#[test]
fn an_exchanged_meter_begins_below_the_readings_before_it() {
    let f = Fixture::metered();
    let agreement = f.agreement();
    f.client.deliver_energy(&agreement, &10, &1_000, &f.provider);
    f.certify(5);
    let deliver = |kwh: u64, reading: u64| {
        f.let_meter_rest();
        f.client.deliver_energy(&agreement, &kwh, &reading, &f.provider)
    };
    let ids = [deliver(10, 15), deliver(10, 25)];
    assert_eq!(ids.map(|id| f.client.get_transaction(&id).meter_reading), [15, 25]);
    // Once its register has passed what it began with, the agreement's readings rise again: the meter has exported enough for
    // the call that is sent twice.
    deliver(10, 40);
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&agreement, &5, &40, &f.provider));
    f.client.deliver_energy(&agreement, &5, &41, &f.provider);
}

#[test]
fn an_exchanged_meter_that_stands_higher_does_not_open_the_agreement_to_a_call_sent_twice() {
    let f = Fixture::metered();
    let agreement = f.agreement();
    f.client.deliver_energy(&agreement, &10, &1_000, &f.provider);
    f.certify(1_000);
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&agreement, &1, &1_000, &f.provider));
    f.client.deliver_energy(&agreement, &1, &1_001, &f.provider);
}

#[test]
fn nobody_sells_more_than_the_meter_exported() {
    for start in [0, 1_000] {
        let f = Fixture::new();
        f.certify(start);
        let [first, second] = [f.agreement(), f.agreement()];
        let error = SharingError::InvalidMeterReading;
        f.fails(error, |c| c.try_deliver_energy(&first, &1, &start, &f.provider));
        f.fails(error, |c| c.try_deliver_energy(&first, &31, &(start + 30), &f.provider));
        f.client.deliver_energy(&first, &20, &(start + 30), &f.provider);
        // What one agreement took is not there for another.
        f.fails(error, |c| c.try_deliver_energy(&second, &11, &(start + 30), &f.provider));
        f.client.deliver_energy(&second, &10, &(start + 30), &f.provider);
        f.fails(error, |c| c.try_deliver_energy(&first, &2, &(start + 31), &f.provider));
        f.client.deliver_energy(&first, &1, &(start + 31), &f.provider);
        assert_eq!(register(&f), (start, start + 31, 31));
    }
}

#[test]
fn no_reading_is_above_the_highest() {
    let f = Fixture::new();
    let id = f.agreement();
    for reading in [MAX_READING + 1, u64::MAX] {
        f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &1, &reading, &f.provider));
    }
    let transaction = f.client.deliver_energy(&id, &1, &MAX_READING, &f.provider);
    assert_eq!(f.client.get_transaction(&transaction).meter_reading, MAX_READING);
}

#[test]
fn a_register_that_is_full_sells_no_more_until_its_meter_is_certified_anew() {
    let f = Fixture::new();
    f.certify(MAX_READING);
    let id = f.agreement();
    for reading in [0, MAX_READING - 1, MAX_READING, MAX_READING + 1] {
        f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&id, &1, &reading, &f.provider));
    }
    f.certify(0);
    f.client.deliver_energy(&id, &1, &1, &f.provider);
}
