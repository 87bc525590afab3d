//! What is stored: sizes, and how long it lives.

use std::println;

use soroban_sdk::{
    testutils::{
        storage::{Instance as _, Persistent as _},
        Deployer as _,
    },
    xdr::{LedgerEntry, Limits, WriteXdr},
    IntoVal, Val,
};

use super::*;
use crate::utils::storage::{
    Transaction, DAY as DAY_OF_LEDGERS, RECORD_THRESHOLD, RECORD_TTL, SHARED_MAX_STEP, SHARED_MIN_STEP, SHARED_TTL,
};

const ACCOUNTS: [&str; 2] =
    ["GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", "GCEZWKCA5VLDNRLN3RPRJMRZOX3Z6G5CHCGSNFHEYVXM3XOJMDS674JZ"];

/// The contract's entry under a key.
fn entry(f: &Fixture, key: impl IntoVal<Env, Val>) -> LedgerEntry {
    let key = ScVal::try_from_val(&f.env, &key.into_val(&f.env)).unwrap();
    let entries = f.env.to_ledger_snapshot().ledger_entries;
    let found = entries
        .into_iter()
        .find(|(found, _)| matches!(&**found, LedgerKey::ContractData(data) if data.key == key && data.contract == (&f.contract).into()));
    *found.unwrap().1 .0
}

fn size(entry: &LedgerEntry) -> usize {
    entry.to_xdr(Limits::none()).unwrap().len()
}

#[test]
fn a_trade_stores_few_bytes() {
    let f = Fixture::new();
    let [provider, consumer] = ACCOUNTS.map(|account| Address::from_str(&f.env, account));
    f.client.register_prosumer(&provider);
    f.client.register_prosumer(&consumer);
    f.client.register_meter(&provider, &Some(f.meter.clone()), &120_000);
    // The second trade, when both have a history.
    let mut agreement = 0;
    for reading in [120_100, 120_200] {
        let id = f.client.create_agreement(&provider, &consumer, &KWH, &PRICE, &DEADLINE);
        let transaction = f.client.deliver_energy(&id, &KWH, &reading, &provider);
        agreement = size(&entry(&f, id));
        f.client.dispute_transaction(&transaction, &consumer);
    }
    // Disputed or settled, with a time.
    let transaction = size(&entry(&f, (2 * crate::IDS_PER_PROVIDER + 2) as i64));
    println!("an agreement takes {agreement} bytes, a transaction {transaction}");
    assert_eq!([agreement, transaction], [200, 108]);
    assert!(agreement + transaction <= 520);
}

#[test]
fn the_largest_records_survive_storage() {
    let f = Fixture::new();
    f.env.ledger().set_timestamp(u64::MAX - 9);
    f.set_counts(crate::IDS_PER_PROVIDER - 2, crate::IDS_PER_PROVIDER - 2);
    f.asset.mint(&f.consumer, &u64::MAX.into());
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &u64::MAX, &1, &u64::MAX);
    f.client.fund_agreement(&agreement, &f.consumer);
    let transaction = f.client.deliver_energy(&agreement, &u64::MAX, &u64::MAX, &f.provider);
    f.assert_state(agreement, u64::MAX, u64::MAX, u64::MAX);
    f.client.dispute_transaction(&transaction, &f.consumer);
    f.client.resolve_dispute(&transaction, &u64::MAX, &f.admin);
    let stored = f.client.get_transaction(&transaction);
    assert_eq!((stored.energy_delivered_kwh, stored.meter_reading, stored.payment_amount), (u64::MAX, u64::MAX, u64::MAX));
    assert_eq!((stored.transaction_id, stored.agreement_id, stored.delivered_at), (999_999_999, 999_999_999, u64::MAX - 9));
    f.client.settle_payment(&transaction, &f.provider);
    assert_eq!(f.client.get_transaction(&transaction).settled_at, Some(u64::MAX - 9));
    let prosumer = f.client.get_prosumer(&f.provider);
    assert_eq!((prosumer.energy_sold_kwh, prosumer.meter_reading), (u64::MAX, u64::MAX));
    assert_eq!(f.balances(), [WEALTH, u64::MAX.into(), 0]);
}

#[test]
fn numbers_of_every_length_survive_storage() {
    let f = Fixture::new();
    let numbers = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]).chain([u64::MAX]);
    for number in numbers {
        let prosumer = Prosumer {
            number,
            meter: None,
            meter_start: number / 2,
            meter_reading: number.rotate_left(9),
            energy_sold_kwh: !number,
            agreements: number.swap_bytes(),
            deliveries: 0,
            last_transaction: (number != 0).then_some(number),
        };
        let stored = f.env.as_contract(&f.contract, || {
            storage::set_prosumer(&f.env, &f.stranger, &prosumer);
            storage::prosumer(&f.env, &f.stranger).unwrap()
        });
        assert_eq!(stored, prosumer);
    }
}

/// Time to live of the agreement, its transaction, its parties and the count of prosumers.
fn records(f: &Fixture, agreement: u64, transaction: u64) -> [u32; 5] {
    f.env.as_contract(&f.contract, || {
        let storage = f.env.storage().persistent();
        [
            storage.get_ttl(&agreement),
            storage.get_ttl(&(transaction as i64)),
            storage.get_ttl(&f.provider),
            storage.get_ttl(&f.consumer),
            storage.get_ttl(&soroban_sdk::symbol_short!("PROSUMERS")),
        ]
    })
}

fn pass(f: &Fixture, ledgers: u32) {
    f.env.ledger().with_mut(|ledger| ledger.sequence_number += ledgers);
}

#[test]
fn records_are_extended_by_writing_them_when_at_most_30_days_are_left() {
    let f = Fixture::new();
    let agreement = f.agreement();
    let transaction = f.deliver(agreement, 1);
    let fresh = 120 * DAY_OF_LEDGERS - 1;
    assert_eq!(records(&f, agreement, transaction), [fresh; 5]);
    pass(&f, fresh - RECORD_THRESHOLD - 1);
    f.client.settle_payment(&transaction, &f.consumer);
    assert_eq!(records(&f, agreement, transaction), [RECORD_THRESHOLD + 1; 5]);
    pass(&f, 1);
    f.deliver(agreement, 1);
    assert_eq!(records(&f, agreement, transaction), [RECORD_TTL, RECORD_THRESHOLD, RECORD_TTL, RECORD_TTL, RECORD_THRESHOLD]);
    f.client.register_prosumer(&f.stranger);
    assert_eq!(records(&f, agreement, transaction)[4], RECORD_TTL);
    assert_eq!((RECORD_THRESHOLD, RECORD_TTL), (518_400, 1_036_800));
}

#[test]
fn archived_records_come_back_when_they_are_used() {
    let f = Fixture::metered();
    let agreement = f.funded_agreement();
    let transaction = f.deliver(agreement, 40);
    let archived = 120 * DAY_OF_LEDGERS;
    let fresh = archived - 1;
    pass(&f, archived);
    f.client.settle_payment(&transaction, &f.provider);
    assert_eq!(f.balances(), [WEALTH - i128::from(TOTAL), i128::from(40 * PRICE), i128::from(60 * PRICE)]);
    assert_eq!(records(&f, agreement, transaction)[..2], [fresh; 2]);
    // Its parties and the count, too.
    let second = f.deliver(agreement, 60);
    f.client.register_prosumer(&f.stranger);
    assert_eq!(records(&f, agreement, transaction), [fresh; 5]);
    assert_eq!(f.client.get_prosumer(&f.stranger).number, 2);
    pass(&f, 10 * archived);
    f.client.settle_payment(&second, &f.provider);
    assert_eq!(f.balances(), [WEALTH - i128::from(TOTAL), TOTAL.into(), 0]);
    assert_eq!(f.client.get_transaction_history(&f.consumer).len(), 2);
}

#[test]
fn every_call_that_acts_keeps_the_contract_alive() {
    let f = Fixture::metered();
    let [agreement, funded, cancelled] = [f.agreement(), f.funded_agreement(), f.agreement()];
    let [settled, disputed, resolved, closed] =
        [f.deliver(agreement, 1), f.deliver(agreement, 1), f.deliver(agreement, 1), f.deliver(agreement, 1)];
    f.client.dispute_transaction(&resolved, &f.consumer);
    f.client.dispute_transaction(&closed, &f.consumer);
    let alive = |call: &dyn Fn()| {
        let ttl = || f.env.deployer().get_contract_instance_ttl(&f.contract).min(f.env.deployer().get_contract_code_ttl(&f.contract));
        pass(&f, ttl() - SHARED_TTL + SHARED_MAX_STEP);
        call();
        assert_eq!(ttl(), SHARED_TTL);
    };
    let c = &f.client;
    alive(&|| c.register_prosumer(&f.stranger));
    alive(&|| c.register_meter(&f.stranger, &Some(f.meter.clone()), &0));
    alive(&|| assert_eq!(c.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &DEADLINE), 4));
    alive(&|| c.fund_agreement(&4, &f.consumer));
    alive(&|| assert_eq!(f.deliver(agreement, 1), 5));
    alive(&|| c.settle_payment(&settled, &f.consumer));
    alive(&|| c.dispute_transaction(&disputed, &f.consumer));
    alive(&|| c.resolve_dispute(&resolved, &1, &f.admin));
    alive(&|| c.cancel_agreement(&cancelled, &f.provider));
    f.env.ledger().set_timestamp(START + crate::ARBITRATION_PERIOD);
    alive(&|| c.close_dispute(&closed));
    alive(&|| assert_eq!(c.claim_refund(&funded), TOTAL));
    alive(&|| c.set_admin(&f.stranger));
}

#[test]
fn the_instance_is_extended_to_100_days_by_an_hour_to_a_day_a_call() {
    let f = Fixture::new();
    let ttl = || f.env.as_contract(&f.contract, || f.env.storage().instance().get_ttl());
    let act = || f.client.register_prosumer(&f.provider);
    assert_eq!(ttl(), 120 * DAY_OF_LEDGERS - 1);
    pass(&f, ttl() - SHARED_TTL + SHARED_MIN_STEP - 1);
    act();
    assert_eq!(ttl(), SHARED_TTL - SHARED_MIN_STEP + 1);
    pass(&f, 1);
    act();
    assert_eq!(ttl(), SHARED_TTL);
    // A quiet month is not one caller's bill.
    pass(&f, 30 * DAY_OF_LEDGERS);
    for calls in 1..=30 {
        act();
        assert_eq!(ttl(), SHARED_TTL - (30 - calls) * SHARED_MAX_STEP);
    }
    act();
    assert_eq!(ttl(), SHARED_TTL);
    assert_eq!((SHARED_TTL, SHARED_MIN_STEP, SHARED_MAX_STEP), (1_728_000, 720, 17_280));
}

#[test]
fn a_ruled_transaction_survives_storage_though_no_room_is_left() {
    let f = Fixture::new();
    // Ids that take all the room that is kept for them, and a zero before the ruling.
    let (id, previous) = (u64::MAX, Some(u64::MAX));
    let transaction = Transaction {
        id,
        agreement_id: id,
        energy_delivered_kwh: 2,
        meter_reading: 2,
        delivered_at: START,
        metered: true,
        status: TransactionStatus::Delivered,
        status_since: 0,
        energy_accepted_kwh: Some(1),
        provider_previous: previous,
        consumer_previous: previous,
    };
    let stored = f.env.as_contract(&f.contract, || {
        storage::set_transaction(&f.env, &transaction);
        storage::transaction(&f.env, id).unwrap()
    });
    assert_eq!((stored.agreement_id, stored.status, stored.status_since), (id, TransactionStatus::Delivered, 0));
    assert_eq!((stored.metered, stored.energy_accepted_kwh), (true, Some(1)));
    assert_eq!((stored.provider_previous, stored.consumer_previous), (previous, previous));
}

#[test]
fn a_prosumer_takes_the_same_room_from_its_first_day_on() {
    let f = Fixture::new();
    let fresh = size(&entry(&f, f.provider.clone()));
    let [reading, ids] = [(1 << 35) - 1, crate::IDS_PER_PROVIDER - 1];
    let grown = Prosumer {
        number: (1 << 28) - 1,
        meter: None,
        meter_start: reading,
        meter_reading: reading,
        energy_sold_kwh: reading,
        agreements: ids,
        deliveries: ids,
        last_transaction: Some((1 << 56) - 1),
    };
    f.env.as_contract(&f.contract, || storage::set_prosumer(&f.env, &f.provider, &grown));
    assert_eq!(size(&entry(&f, f.provider.clone())), fresh);
}
