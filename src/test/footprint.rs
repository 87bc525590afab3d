//! Which entries of the contract each call writes: only those of its own trade. So trades of unrelated people neither
//! wait for each other nor fail because of each other, and a call that was simulated before others landed still
//! applies.

use std::collections::BTreeSet;

use soroban_sdk::{symbol_short, xdr::LedgerEntryData, IntoVal, Val};

use super::*;
use crate::MAX_TERM;

/// The keys of the contract's entries that a call changes.
fn written<T>(f: &Fixture, call: impl FnOnce() -> T) -> BTreeSet<ScVal> {
    let before: BTreeSet<_> = f.ledger().into_iter().collect();
    call();
    let after = f.ledger().into_iter().collect();
    (before.symmetric_difference(&after))
        .filter_map(|(key, data, _)| match (key, data) {
            (LedgerKey::ContractData(key), LedgerEntryData::ContractData(_))
                if key.contract == (&f.contract).into() =>
            {
                Some(key.key.clone())
            }
            _ => None,
        })
        .collect()
}

fn keys<const N: usize>(f: &Fixture, keys: [Val; N]) -> BTreeSet<ScVal> {
    keys.into_iter().map(|key| ScVal::try_from_val(&f.env, &key).unwrap()).collect()
}

/// A provider and a consumer of their own.
struct Pair {
    provider: Address,
    consumer: Address,
}

fn pairs(f: &Fixture) -> [Pair; 2] {
    let [provider, consumer] = [(); 2].map(|()| Address::generate(&f.env));
    for person in [&provider, &consumer] {
        f.client.register_prosumer(person);
        f.asset.mint(person, &WEALTH);
    }
    [Pair { provider: f.provider.clone(), consumer: f.consumer.clone() }, Pair { provider, consumer }]
}

fn create(f: &Fixture, pair: &Pair) -> u64 {
    f.client.create_agreement(&pair.provider, &pair.consumer, &KWH, &PRICE, &DEADLINE)
}

fn deliver(f: &Fixture, pair: &Pair, agreement_id: u64, reading: u64) -> u64 {
    f.client.deliver_energy(&agreement_id, &10, &reading, &pair.provider)
}

/// What each call of a trade writes.
fn trade(f: &Fixture, pair: &Pair) -> [BTreeSet<ScVal>; 8] {
    let mut agreement = 0;
    let create = written(f, || agreement = create(f, pair));
    let fund = written(f, || f.client.fund_agreement(&agreement, &pair.consumer, &Deposit::Reviewed));
    let mut ids = [0; 3];
    let [first, ..] = [1, 2, 3].map(|k| written(f, || ids[k as usize - 1] = deliver(f, pair, agreement, 100 * k)));
    [
        create,
        fund,
        first,
        written(f, || f.client.dispute_transaction(&ids[0], &pair.consumer)),
        written(f, || f.client.resolve_dispute(&ids[0], &5, &f.admin)),
        written(f, || f.client.settle_payment(&ids[1], &pair.consumer)),
        written(f, || assert_eq!(f.client.settle_agreement(&agreement, &ids[2], &pair.consumer), 15 * PRICE)),
        written(f, || f.client.cancel_agreement(&agreement, &pair.provider)),
    ]
}

#[test]
fn each_call_writes_only_the_entries_of_its_trade() {
    let f = Fixture::new();
    let [pair, _] = pairs(&f);
    let [provider, consumer] = [&pair.provider, &pair.consumer].map(|who| who.to_val());
    let agreement: Val = 1_u64.into_val(&f.env);
    let [just_the_agreement, with_the_provider] = [keys(&f, [agreement]), keys(&f, [provider, agreement])];
    let [create, fund, deliver, others @ ..] = trade(&f, &pair);
    assert_eq!(create, keys(&f, [provider, consumer, agreement]));
    assert_eq!(fund, just_the_agreement);
    // Not its consumer.
    assert_eq!(deliver, with_the_provider);
    assert_eq!(others, [(); 5].map(|()| just_the_agreement.clone()));
    assert_eq!(written(&f, || f.client.claim_refund(&1)), just_the_agreement);
    assert_eq!(
        written(&f, || f.client.register_meter(&pair.provider, &Some(f.meter.clone()), &0, &POWER)),
        keys(&f, [provider])
    );
    let [stranger, prosumers] = [f.stranger.to_val(), symbol_short!("PROSUMERS").to_val()];
    assert_eq!(written(&f, || f.client.register_prosumer(&f.stranger)), keys(&f, [stranger, prosumers]));
}

#[test]
fn a_delivery_paid_at_once_writes_what_one_that_waits_writes() {
    let f = Fixture::metered();
    let [pair, _] = pairs(&f);
    let [waits, paid] = [create(&f, &pair), f.funded_agreement()];
    for (agreement, reading) in [(waits, 10), (paid, 20)] {
        let keys = keys(&f, [pair.provider.to_val(), agreement.into_val(&f.env)]);
        f.let_meter_rest();
        assert_eq!(written(&f, || deliver(&f, &pair, agreement, reading)), keys);
    }
}

#[test]
fn trades_of_different_people_share_no_written_entry() {
    let f = Fixture::new();
    let [one, other] = pairs(&f).map(|pair| trade(&f, &pair));
    for (n, one) in one.iter().enumerate() {
        assert!(!one.is_empty());
        for (m, other) in other.iter().enumerate() {
            assert!(one.is_disjoint(other), "calls {n} and {m}");
        }
    }
}

/// The entries that a call writes, and how many bytes.
fn declared<T>(f: &Fixture, call: impl FnOnce() -> T) -> (BTreeSet<ScVal>, u32) {
    let mut bytes = 0;
    let keys = written(f, || {
        call();
        bytes = f.env.cost_estimate().resources().write_bytes;
    });
    (keys, bytes)
}

#[test]
fn what_a_call_writes_does_not_depend_on_other_peoples_calls() {
    // The same calls, without and with others before each of them: of other people, and of the consumer with another
    // provider.
    let [alone, crowded] = [false, true].map(|crowded| {
        let f = Fixture::new();
        let [pair, other] = pairs(&f);
        // Its ids are the longest.
        f.change_prosumer(&other.provider, |prosumer| prosumer.number = crate::MAX_PROSUMERS - 1);
        let with_consumer = Pair { provider: other.provider.clone(), consumer: pair.consumer.clone() };
        let by_consumer = Pair { provider: pair.consumer.clone(), consumer: other.consumer.clone() };
        let mut reading = 0;
        let mut measured = |call: &dyn Fn()| {
            if crowded {
                for pair in [&other, &with_consumer, &by_consumer] {
                    reading += 100;
                    let agreement = create(&f, pair);
                    deliver(&f, pair, agreement, reading);
                }
                f.client.register_prosumer(&Address::generate(&f.env));
            }
            declared(&f, call)
        };
        [
            measured(&|| assert_eq!(create(&f, &pair), 1)),
            measured(&|| f.client.fund_agreement(&1, &pair.consumer, &Deposit::Reviewed)),
            measured(&|| assert_eq!(deliver(&f, &pair, 1, 100), 1)),
            measured(&|| f.client.dispute_transaction(&1, &pair.consumer)),
            measured(&|| f.client.resolve_dispute(&1, &9, &f.admin)),
            measured(&|| f.client.settle_payment(&1, &pair.consumer)),
            measured(&|| assert_eq!(f.client.claim_refund(&1), PRICE)),
            measured(&|| f.client.cancel_agreement(&1, &pair.provider)),
        ]
    });
    assert_eq!(alone, crowded);
}

#[test]
fn what_a_call_writes_does_not_depend_on_what_the_other_party_did_to_older_deliveries() {
    // Whatever became of the first delivery, settled, disputed or ruled on: the call that was simulated before still
    // fits.
    let fates: [fn(&Fixture, u64); 5] = [
        |_, _| {},
        |f, id| f.client.settle_payment(&id, &f.consumer),
        |f, id| f.client.dispute_transaction(&id, &f.consumer),
        |f, id| {
            f.client.dispute_transaction(&id, &f.consumer);
            f.client.resolve_dispute(&id, &9, &f.admin);
        },
        |f, id| {
            f.client.dispute_transaction(&id, &f.consumer);
            f.client.resolve_dispute(&id, &0, &f.admin);
        },
    ];
    let calls: [fn(&Fixture, u64, u64); 4] = [
        |f, agreement, _| {
            f.client.deliver_energy(&agreement, &10, &1_000, &f.provider);
        },
        |f, _, id| f.client.settle_payment(&id, &f.consumer),
        |f, _, id| f.client.dispute_transaction(&id, &f.consumer),
        |f, agreement, _| f.client.cancel_agreement(&agreement, &f.provider),
    ];
    for call in calls {
        let bytes = fates.map(|fate| {
            let f = Fixture::new();
            let last = START + MAX_TERM;
            let agreement = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &last);
            f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Reviewed);
            let [first, second] = [f.deliver(agreement, 10), f.deliver(agreement, 10)];
            // When the longest term ends it is still the same room.
            f.env.ledger().set_timestamp(last);
            fate(&f, first);
            declared(&f, || call(&f, agreement, second)).1
        });
        assert_eq!(bytes, [bytes[0]; 5]);
    }
}

#[test]
fn a_delivery_makes_its_agreement_longer_and_a_call_on_it_has_to_be_simulated_again() {
    // The one exception: by how much, and that it is the only thing that moves.
    let [before, after] = [0, 1].map(|deliveries| {
        let f = Fixture::new();
        let [agreement, other] = [f.funded_agreement(), f.funded_agreement()];
        let [id, others] = [agreement, other].map(|agreement| f.deliver(agreement, 10));
        for _ in 0..deliveries {
            f.deliver(agreement, 10);
        }
        [(others, other), (id, agreement)].map(|(id, _)| declared(&f, || f.client.settle_payment(&id, &f.consumer)).1)
    });
    assert_eq!(before[0], after[0]);
    assert_eq!(after[1] - before[1], 8);
}

#[test]
fn how_many_bytes_a_delivery_takes_does_not_depend_on_when_it_is_applied_within_36_hours() {
    let bytes = |later: u64| {
        let f = Fixture::new();
        let agreement = f.agreement();
        f.deliver(agreement, 10);
        f.env.ledger().set_timestamp(START + later);
        declared(&f, || f.deliver(agreement, 10)).1
    };
    let same = bytes(0);
    for later in [7, 8, 9, 1_023, 1_024, 1_025, HOUR, DAY, 131_071] {
        assert_eq!(bytes(later), same, "{later} seconds later");
    }
}

#[test]
fn a_first_meter_makes_a_prosumers_record_longer_and_a_later_one_does_not() {
    let bytes = |meters: &[bool]| {
        let f = Fixture::new();
        for certified in meters {
            f.client.register_meter(&f.consumer, &certified.then(|| f.meter.clone()), &0, &POWER);
        }
        declared(&f, || f.agreement()).1
    };
    // Its address and its plant's power.
    assert_eq!(bytes(&[true]) - bytes(&[]), 36);
    assert_eq!(bytes(&[true, true]), bytes(&[true]));
    assert_eq!(bytes(&[true, false]), bytes(&[]));
}

#[test]
fn a_registration_writes_as_many_bytes_whoever_registered_before() {
    let bytes = [0, 1, 127, 128, 9_999_999].map(|count| {
        let f = Fixture::new();
        f.env.as_contract(&f.contract, || storage::set_prosumer_count(&f.env, count));
        declared(&f, || f.client.register_prosumer(&f.stranger)).1
    });
    assert_eq!(bytes, [bytes[0]; 5]);
}
