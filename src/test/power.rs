//! The power of a certified plant, which bounds the growth of its meter's readings.

use super::*;
use crate::MAX_POWER;

/// Its meter certified at 1,000 kWh, with a plant of so much power.
fn plant(max_power_kw: u64) -> (Fixture, u64) {
    let f = Fixture::new();
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &1_000, &max_power_kw);
    let agreement = f.agreement();
    (f, agreement)
}

fn delivers(f: &Fixture, agreement: u64, reading: u64) {
    f.client.deliver_energy(&agreement, &1, &reading, &f.provider);
    assert_eq!(f.client.get_prosumer(&f.provider).meter_reading, reading);
}

fn read_at(f: &Fixture) -> u64 {
    f.client.get_prosumer(&f.provider).read_at
}

#[track_caller]
fn refuses(f: &Fixture, agreement: u64, reading: u64) {
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&agreement, &1, &reading, &f.provider));
}

#[test]
fn a_reading_grows_no_faster_than_the_plant_can_export() {
    // 12 kW for so many seconds: 1 kWh each 300, and one more that the last reading did not show.
    for (seconds, most_kwh) in [(0, 1), (299, 1), (300, 2), (301, 2), (599, 2), (600, 3), (DAY, 289)] {
        let (f, agreement) = plant(12);
        f.at(START + seconds);
        refuses(&f, agreement, 1_000 + most_kwh + 1);
        delivers(&f, agreement, 1_000 + most_kwh);
    }
}

#[test]
fn the_bound_counts_from_the_last_reading_that_rose() {
    let (f, agreement) = plant(12);
    let other = f.agreement();
    f.at(START + DAY);
    delivers(&f, agreement, 1_010);
    assert_eq!(read_at(&f), START + DAY);
    // Of another agreement, and nothing was exported since.
    f.at(START + DAY + 200);
    delivers(&f, other, 1_010);
    assert_eq!(read_at(&f), START + DAY);
    f.at(START + DAY + 300);
    refuses(&f, agreement, 1_013);
    delivers(&f, agreement, 1_012);
}

#[test]
fn a_kwh_comes_before_its_time_once_and_not_with_each_call() {
    let (f, agreement) = plant(12);
    // Of which the first reading hid nearly all.
    delivers(&f, agreement, 1_001);
    assert_eq!(read_at(&f), START + 300);
    for (time, reading) in [(299, 1_002), (300, 1_003), (599, 1_003)] {
        f.at(START + time);
        refuses(&f, agreement, reading);
        if time == 300 {
            delivers(&f, agreement, 1_002);
        }
    }
    assert_eq!(read_at(&f), START + 600);
    // A pause makes up for it.
    f.at(START + 901);
    delivers(&f, agreement, 1_003);
    assert_eq!(read_at(&f), START + 901);
    refuses(&f, agreement, 1_005);
    delivers(&f, agreement, 1_004);
}

#[test]
fn a_plant_of_7_kw_at_full_power_is_read_at_odd_times() {
    // 7 kW from a fraction of 0.9 kWh on, read at odd times: in Wh, whose thousands its register shows.
    let (f, _) = plant(7);
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &1_000, &1, &(START + 30 * DAY));
    let mut shown = 1_000;
    for n in 1..=40 {
        let seconds = n * (n + 601);
        f.at(START + seconds);
        let reading = (1_000_900 + 7_000 * seconds / HOUR) / 1_000;
        if reading > shown {
            f.client.deliver_energy(&agreement, &1, &reading, &f.provider);
            shown = reading;
        }
    }
    assert_eq!(shown, 1_050);
}

#[test]
fn a_wild_reading_is_refused_and_the_true_one_accepted() {
    let f = Fixture::new();
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &120_500, &12);
    let agreement = f.funded_agreement();
    f.at(START + DAY);
    f.fails(SharingError::InvalidMeterReading, |c| c.try_deliver_energy(&agreement, &30, &158_198_682, &f.provider));
    f.client.deliver_energy(&agreement, &30, &120_530, &f.provider);
    f.assert_owned(30 * PRICE, 70 * PRICE);
}

#[test]
fn a_stolen_meter_draws_no_faster_than_the_plant_exports() {
    let (f, agreement) = plant(5);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Metered);
    // A kWh in 12 minutes, of which it tries one each minute.
    let (mut reading, mut drawn) = (1_000, 0);
    for minute in 0..=120 {
        f.at(START + minute * 60);
        if let Ok(Ok(_)) = f.client.try_deliver_energy(&agreement, &1, &(reading + 1), &f.provider) {
            (reading, drawn) = (reading + 1, drawn + 1);
        }
    }
    assert_eq!(drawn, 11);
    assert_eq!(f.balances()[1], i128::from(11 * PRICE));
}

#[test]
fn without_a_certified_meter_there_is_no_such_bound() {
    let f = Fixture::new();
    let agreement = f.agreement();
    delivers(&f, agreement, 1_000_000);
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &1_000_000, &1);
    refuses(&f, agreement, 1_000_002);
    f.retire();
    delivers(&f, agreement, 2_000_000);
    delivers(&f, agreement, 3_000_000);
    assert_eq!(read_at(&f), START);
}

#[test]
fn what_a_retired_meter_was_read_ahead_of_the_clock_ends_with_the_next_reading() {
    let (f, agreement) = plant(1);
    delivers(&f, agreement, 1_001);
    assert_eq!(read_at(&f), START + HOUR);
    f.at(START + 60);
    f.retire();
    assert_eq!(read_at(&f), START + HOUR);
    delivers(&f, agreement, 1_002);
    assert_eq!(read_at(&f), START + 60);
}

#[test]
fn certifying_counts_from_now() {
    let (f, agreement) = plant(12);
    f.at(START + DAY);
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &1_000, &12);
    assert_eq!(read_at(&f), START + DAY);
    refuses(&f, agreement, 1_002);
    delivers(&f, agreement, 1_001);
}

#[test]
fn register_meter_fails_without_power_or_with_more_than_any_plant_has() {
    let f = Fixture::new();
    for power in [0, MAX_POWER + 1, u64::MAX] {
        f.fails(SharingError::InvalidInput, |c| c.try_register_meter(&f.provider, &Some(f.meter.clone()), &0, &power));
        // Without a meter it is ignored.
        f.client.register_meter(&f.provider, &None, &0, &power);
    }
    for power in [1, MAX_POWER] {
        f.client.register_meter(&f.provider, &Some(f.meter.clone()), &0, &power);
        assert_eq!(f.client.get_prosumer(&f.provider).max_power_kw, power);
    }
    assert_eq!(MAX_POWER, 16_777_215);
}

#[test]
fn the_largest_plant_can_fill_the_largest_register() {
    let f = Fixture::new();
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &0, &MAX_POWER);
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &1, &1, &(START + 300 * DAY));
    // (2^35 - 2) * 3,600 / (2^24 - 1) seconds, rounded up.
    f.at(START + 7_372_800);
    refuses(&f, agreement, crate::MAX_READING);
    f.at(START + 7_372_801);
    delivers(&f, agreement, crate::MAX_READING);
}

#[test]
fn a_time_that_would_come_after_the_end_of_time_ends_with_it() {
    let f = Fixture::new();
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &0, &MAX_POWER);
    f.env.ledger().set_timestamp(u64::MAX - 1);
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &2, &1, &u64::MAX);
    delivers(&f, agreement, 1);
    refuses(&f, agreement, crate::MAX_READING);
    f.env.ledger().set_timestamp(u64::MAX);
    delivers(&f, agreement, crate::MAX_READING);
}

#[test]
fn a_meter_sells_at_once_what_it_exported_before_and_did_not_sell() {
    // The bound is one of readings: what was exported and is not sold yet can be sold in one call.
    let (f, agreement) = plant(12);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Metered);
    f.at(START + DAY);
    f.client.deliver_energy(&agreement, &1, &1_100, &f.provider);
    f.client.deliver_energy(&agreement, &99, &1_101, &f.provider);
    f.assert_owned(TOTAL, 0);
}
