//! What is stored: sizes, and how long it lives.

use std::println;

use soroban_sdk::{
    symbol_short,
    testutils::{storage::Persistent as _, Deployer as _},
    xdr::{LedgerEntry, Limits, WriteXdr},
    IntoVal, Val,
};

use super::*;
use crate::utils::storage::{
    LEDGERS_PER_DAY, RECORD_MIN_STEP, RECORD_TTL, SHARED_MAX_STEP, SHARED_MIN_STEP, SHARED_TTL,
};
use crate::MAX_READING;

/// The contract's entry under a key.
fn entry(f: &Fixture, key: impl IntoVal<Env, Val>) -> LedgerEntry {
    let key = ScVal::try_from_val(&f.env, &key.into_val(&f.env)).unwrap();
    let contract = (&f.contract).into();
    let entries = f.env.to_ledger_snapshot().ledger_entries;
    let found = entries.into_iter().find(
        |(found, _)| matches!(&**found, LedgerKey::ContractData(data) if data.key == key && data.contract == contract),
    );
    *found.unwrap().1 .0
}

fn size(entry: &LedgerEntry) -> usize {
    entry.to_xdr(Limits::none()).unwrap().len()
}

/// The size of an agreement when it is new and after 1, 30 and 40 deliveries, a day apart.
fn sizes(f: &Fixture, agreement: u64) -> [usize; 4] {
    let bytes = || size(&entry(f, agreement));
    let mut sizes = [bytes(), 0, 0, 0];
    for day in 1..=40 {
        f.at(START + day * DAY);
        f.client.deliver_energy(&agreement, &10, &(120_000 + 10 * day), &f.provider);
        let at = [1, 30, 40].into_iter().position(|count| count == day);
        at.into_iter().for_each(|at| sizes[at + 1] = bytes());
    }
    sizes
}

#[test]
fn an_agreement_of_a_month_is_one_small_entry() {
    let f = Fixture::classic();
    let month = || f.client.create_agreement(&f.provider, &f.consumer, &400, &PRICE, &(START + 45 * DAY));
    let unmetered = month();
    let reviewed = sizes(&f, unmetered);
    f.env.ledger().set_timestamp(START);
    f.certify(120_000);
    let metered = month();
    f.client.fund_agreement(&metered, &f.consumer, &Deposit::Metered);
    let paid_at_once = sizes(&f, metered);
    println!(
        "bytes of an agreement, new and after 1, 30 and 40 deliveries: {reviewed:?}, paid at once: {paid_at_once:?}"
    );
    assert_eq!(reviewed, [176, 188, 476, 576]);
    assert_eq!(paid_at_once, [176, 184, 328, 376]);
    assert_eq!(size(&entry(&f, f.provider.clone())) - size(&entry(&f, f.consumer.clone())), 36);
    assert_eq!(size(&entry(&f, f.consumer.clone())), 140);
}

#[test]
fn the_largest_records_survive_storage() {
    let f = Fixture::metered();
    f.env.ledger().set_timestamp(u64::MAX - 9);
    f.change_prosumer(&f.provider, |prosumer| {
        prosumer.number = crate::MAX_PROSUMERS - 1;
        prosumer.agreements = crate::AGREEMENTS_PER_PROVIDER - 2;
    });
    f.asset.mint(&f.consumer, &u64::MAX.into());
    // 2^35 - 1 divides 2^105 - 1, and not 2^64 - 1: so there is a rest.
    let (kwh, price) = (u64::MAX / 3, 3);
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &kwh, &price, &u64::MAX);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Reviewed);
    f.assert_state(agreement, 0, 0, u64::MAX);
    f.freeze(&f.provider, true);
    let id = f.client.deliver_energy(&agreement, &MAX_READING, &MAX_READING, &f.provider);
    f.assert_state(agreement, MAX_READING, MAX_READING * 3, u64::MAX);
    f.client.dispute_transaction(&id, &f.consumer);
    f.client.resolve_dispute(&id, &MAX_READING, &f.admin);
    let stored = f.client.get_transaction(&id);
    assert_eq!(
        (stored.energy_delivered_kwh, stored.meter_reading, stored.payment_amount),
        (MAX_READING, MAX_READING, MAX_READING * 3)
    );
    assert_eq!(
        (stored.transaction_id, stored.agreement_id, stored.delivered_at),
        (agreement, 9_999_999_999_999, u64::MAX - 9)
    );
    f.freeze(&f.provider, false);
    f.client.settle_payment(&id, &f.provider);
    assert_eq!(f.client.get_transaction(&id).settled_at, Some(u64::MAX - 9));
    let prosumer = f.client.get_prosumer(&f.provider);
    assert_eq!((prosumer.energy_sold_kwh, prosumer.meter_reading), (MAX_READING, MAX_READING));
    assert_eq!(f.balances(), [WEALTH, i128::from(MAX_READING) * 3, i128::from(u64::MAX - MAX_READING * 3)]);
}

/// Time to live of the agreement, its parties and the count of prosumers.
fn records(f: &Fixture, agreement: u64) -> [u32; 4] {
    f.env.as_contract(&f.contract, || {
        let storage = f.env.storage().persistent();
        [
            storage.get_ttl(&agreement),
            storage.get_ttl(&f.provider),
            storage.get_ttl(&f.consumer),
            storage.get_ttl(&symbol_short!("PROSUMERS")),
        ]
    })
}

fn pass(f: &Fixture, ledgers: u32) {
    f.env.ledger().with_mut(|ledger| ledger.sequence_number += ledgers);
}

#[test]
fn a_record_that_is_written_with_at_most_44_days_left_is_extended_to_45() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let transaction = f.deliver(agreement, 1);
    let fresh = 120 * LEDGERS_PER_DAY - 1;
    assert_eq!(records(&f, agreement), [fresh; 4]);
    let threshold = RECORD_TTL - RECORD_MIN_STEP;
    pass(&f, fresh - threshold - 1);
    f.client.settle_payment(&transaction, &f.consumer);
    f.client.register_prosumer(&f.stranger);
    assert_eq!(records(&f, agreement), [threshold + 1; 4]);
    pass(&f, 1);
    f.deliver(agreement, 1);
    // A delivery writes its provider and its agreement.
    assert_eq!(records(&f, agreement), [RECORD_TTL, RECORD_TTL, threshold, threshold]);
    f.agreement();
    f.client.register_prosumer(&f.meter);
    assert_eq!(records(&f, agreement), [RECORD_TTL; 4]);
    assert_eq!((RECORD_TTL, threshold), (45 * 17_280, 44 * 17_280));
    // However few days are left: one writer pays for all that are missing.
    for days in [20, 1] {
        pass(&f, (45 - days) * LEDGERS_PER_DAY);
        assert_eq!(records(&f, agreement), [days * LEDGERS_PER_DAY; 4]);
        f.deliver(agreement, 1);
        f.agreement();
        f.client.register_prosumer(&Address::generate(&f.env));
        assert_eq!(records(&f, agreement), [RECORD_TTL; 4]);
    }
}

#[test]
fn archived_records_come_back_when_they_are_used() {
    let f = Fixture::new();
    let agreement = f.funded_agreement();
    let first = f.deliver(agreement, 40);
    let archived = 120 * LEDGERS_PER_DAY;
    let fresh = archived - 1;
    pass(&f, archived);
    f.client.settle_payment(&first, &f.consumer);
    f.assert_owned(40 * PRICE, 60 * PRICE);
    assert_eq!(records(&f, agreement)[0], fresh);
    // Its parties and the count, too.
    let second = f.deliver(agreement, 60);
    f.agreement();
    f.client.register_prosumer(&f.stranger);
    assert_eq!(records(&f, agreement), [fresh; 4]);
    assert_eq!(f.client.get_prosumer(&f.stranger).number, 2);
    pass(&f, 10 * archived);
    f.client.settle_payment(&second, &f.consumer);
    f.assert_owned(TOTAL, 0);
    assert_eq!(f.client.get_transaction_history(&f.consumer).len(), 2);
}

/// For how long instance and code live; the lesser.
fn shared(f: &Fixture) -> u32 {
    let deployer = f.env.deployer();
    deployer.get_contract_instance_ttl(&f.contract).min(deployer.get_contract_code_ttl(&f.contract))
}

#[test]
fn every_call_that_acts_keeps_the_contract_alive() {
    let f = Fixture::metered();
    let [agreement, funded, cancelled] = [f.agreement(), f.funded_agreement(), f.agreement()];
    let [first, second, third, fourth, fifth] = [(); 5].map(|()| f.deliver(agreement, 1));
    f.client.dispute_transaction(&third, &f.consumer);
    f.client.dispute_transaction(&fourth, &f.consumer);
    let alive = |call: &dyn Fn()| {
        pass(&f, shared(&f) - SHARED_TTL + SHARED_MAX_STEP);
        call();
        assert_eq!(shared(&f), SHARED_TTL);
    };
    let c = &f.client;
    alive(&|| c.register_prosumer(&f.stranger));
    alive(&|| c.register_meter(&f.stranger, &Some(f.meter.clone()), &0, &POWER));
    alive(&|| assert_eq!(c.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &DEADLINE), 4));
    alive(&|| c.fund_agreement(&4, &f.consumer, &Deposit::Reviewed));
    alive(&|| assert_eq!(f.deliver(agreement, 1), transaction_id(agreement, 6)));
    alive(&|| c.settle_payment(&first, &f.consumer));
    alive(&|| assert_eq!(c.settle_agreement(&agreement, &fifth, &f.consumer), 2 * PRICE));
    let sixth = transaction_id(agreement, 6);
    alive(&|| c.dispute_transaction(&sixth, &f.consumer));
    alive(&|| c.resolve_dispute(&third, &1, &f.admin));
    alive(&|| c.cancel_agreement(&cancelled, &f.provider));
    f.env.ledger().set_timestamp(START + crate::ARBITRATION_PERIOD);
    alive(&|| c.close_dispute(&fourth));
    alive(&|| assert_eq!(c.claim_refund(&funded), TOTAL));
    alive(&|| c.set_admin(&f.stranger));
    assert_eq!(f.transaction_status(second), TransactionStatus::Settled);
}

#[test]
fn the_contract_is_kept_alive_by_an_hour_to_a_day_a_call_below_30_days() {
    let f = Fixture::new();
    let act = || f.client.register_prosumer(&f.provider);
    assert_eq!(shared(&f), 120 * LEDGERS_PER_DAY - 1);
    pass(&f, shared(&f) - SHARED_TTL + SHARED_MIN_STEP - 1);
    act();
    assert_eq!(shared(&f), SHARED_TTL - SHARED_MIN_STEP + 1);
    pass(&f, 1);
    act();
    assert_eq!(shared(&f), SHARED_TTL);
    // A quiet fortnight is not one caller's bill.
    pass(&f, 14 * LEDGERS_PER_DAY);
    for calls in 1..=14 {
        act();
        assert_eq!(shared(&f), SHARED_TTL - (14 - calls) * SHARED_MAX_STEP);
    }
    act();
    assert_eq!(shared(&f), SHARED_TTL);
    assert_eq!((SHARED_TTL, SHARED_MIN_STEP, SHARED_MAX_STEP), (30 * 17_280, 720, 17_280));
}

#[test]
fn a_contract_that_its_operator_extends_costs_its_callers_nothing() {
    let f = Fixture::new();
    f.env.deployer().extend_ttl(f.contract.clone(), 3_110_399, 3_110_399);
    assert_eq!(shared(&f), 180 * LEDGERS_PER_DAY - 1);
    pass(&f, 150 * LEDGERS_PER_DAY - 1);
    f.client.register_prosumer(&f.provider);
    assert_eq!(shared(&f), SHARED_TTL);
}

#[test]
fn a_prosumer_takes_the_same_room_from_its_first_day_on() {
    let f = Fixture::new();
    let bytes = || size(&entry(&f, f.provider.clone()));
    let fresh = bytes();
    f.change_prosumer(&f.provider, |prosumer| {
        *prosumer = Prosumer {
            number: crate::MAX_PROSUMERS - 1,
            meter: None,
            max_power_kw: 0,
            meter_start: MAX_READING,
            meter_reading: MAX_READING,
            read_at: u64::from(u32::MAX),
            energy_sold_kwh: MAX_READING,
            agreements: crate::AGREEMENTS_PER_PROVIDER - 1,
            last_agreement: Some(TRANSACTION_STEP - 1),
        }
    });
    assert_eq!(bytes(), fresh);
}
