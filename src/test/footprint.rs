//! Which entries of the contract each call writes: only those of its own trade. So trades of unrelated people neither wait for each other
//! nor fail because of each other, and a call that was simulated before others landed still applies.

use std::collections::BTreeSet;

use soroban_sdk::{symbol_short, xdr::LedgerEntryData, IntoVal, Val};

use super::*;

/// The keys of the contract's entries that a call changes.
fn written<T>(f: &Fixture, call: impl FnOnce() -> T) -> BTreeSet<ScVal> {
    let before: BTreeSet<_> = f.ledger().into_iter().collect();
    call();
    let after = f.ledger().into_iter().collect();
    (before.symmetric_difference(&after))
        .filter_map(|(key, data, _)| match (key, data) {
            (LedgerKey::ContractData(key), LedgerEntryData::ContractData(_)) if key.contract == (&f.contract).into() => {
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

fn deliver(f: &Fixture, pair: &Pair, agreement_id: u64, kwh: u64) -> u64 {
    f.client.deliver_energy(&agreement_id, &kwh, &KWH, &pair.provider)
}

/// What create, fund, deliver, settle and dispute write in a pair's trade.
fn trade(f: &Fixture, pair: &Pair) -> [BTreeSet<ScVal>; 5] {
    let (mut agreement, mut first) = (0, 0);
    [
        written(f, || agreement = create(f, pair)),
        written(f, || f.client.fund_agreement(&agreement, &pair.consumer)),
        written(f, || first = deliver(f, pair, agreement, 10)),
        written(f, || f.client.settle_payment(&first, &pair.consumer)),
        {
            let second = deliver(f, pair, agreement, 10);
            written(f, || f.client.dispute_transaction(&second, &pair.consumer))
        },
    ]
}

#[test]
fn each_call_writes_only_the_entries_of_its_trade() {
    let f = Fixture::new();
    let [pair, _] = pairs(&f);
    let val = |val: &dyn Fn(&Env) -> Val| val(&f.env);
    let provider = || val(&|env| pair.provider.into_val(env));
    let consumer = || val(&|env| pair.consumer.into_val(env));
    let agreement = || val(&|env| 1_u64.into_val(env));
    let transaction = |id: i64| id.into_val(&f.env);
    assert_eq!(
        trade(&f, &pair),
        [
            keys(&f, [provider(), agreement()]),
            keys(&f, [agreement()]),
            keys(&f, [provider(), consumer(), agreement(), transaction(1)]),
            keys(&f, [agreement(), transaction(1)]),
            keys(&f, [transaction(2)]),
        ]
    );
    assert_eq!(written(&f, || f.client.cancel_agreement(&1, &pair.provider)), keys(&f, [agreement()]));
    assert_eq!(written(&f, || f.client.resolve_dispute(&2, &5, &f.admin)), keys(&f, [agreement(), transaction(2)]));
    assert_eq!(written(&f, || f.client.register_meter(&pair.provider, &Some(f.meter.clone()), &0)), keys(&f, [provider()]));
    assert_eq!(
        written(&f, || f.client.register_prosumer(&f.stranger)),
        keys(&f, [f.stranger.to_val(), symbol_short!("PROSUMERS").to_val()])
    );
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

#[test]
fn what_a_call_writes_does_not_depend_on_other_peoples_calls() {
    // The same calls, without and with others before each of them: of other people, and of the consumer with another provider.
    let [alone, crowded] = [false, true].map(|crowded| {
        let f = Fixture::new();
        let [pair, other] = pairs(&f);
        // Its ids are long ones.
        f.env.as_contract(&f.contract, || {
            let prosumer = storage::prosumer(&f.env, &other.provider).unwrap();
            storage::set_prosumer(&f.env, &other.provider, &Prosumer { number: 72_000_000, ..prosumer });
        });
        let with_consumer = Pair { provider: other.provider.clone(), consumer: pair.consumer.clone() };
        let by_consumer = Pair { provider: pair.consumer.clone(), consumer: other.consumer.clone() };
        let others = || {
            if crowded {
                for pair in [&other, &with_consumer, &by_consumer] {
                    let agreement = create(&f, pair);
                    f.client.deliver_energy(&agreement, &1, &1_000, &pair.provider);
                }
                f.client.register_prosumer(&Address::generate(&f.env));
            }
        };
        let bytes = || f.env.cost_estimate().resources().write_bytes;
        let measured = |call: &dyn Fn()| {
            others();
            let mut written_bytes = 0;
            let keys = written(&f, || {
                call();
                written_bytes = bytes();
            });
            (keys, written_bytes)
        };
        [
            measured(&|| assert_eq!(create(&f, &pair), 1)),
            measured(&|| f.client.fund_agreement(&1, &pair.consumer)),
            measured(&|| assert_eq!(deliver(&f, &pair, 1, 10), 1)),
            measured(&|| f.client.dispute_transaction(&1, &pair.consumer)),
            measured(&|| f.client.resolve_dispute(&1, &10, &f.admin)),
            measured(&|| f.client.settle_payment(&1, &pair.consumer)),
        ]
    });
    assert_eq!(alone, crowded);
}

#[test]
fn what_a_settlement_writes_does_not_depend_on_the_agreements_other_deliveries() {
    let [alone, crowded] = [false, true].map(|crowded| {
        let f = Fixture::new();
        let id = f.agreement();
        let transaction = f.deliver(id, 10);
        if crowded {
            f.deliver(id, 90);
        }
        f.client.settle_payment(&transaction, &f.consumer);
        f.env.cost_estimate().resources().write_bytes
    });
    assert_eq!(alone, crowded);
}

#[test]
fn a_registration_writes_as_many_bytes_whoever_registered_before() {
    let bytes = [0, 1, 127, 128, 100_000_000].map(|count| {
        let f = Fixture::new();
        f.env.as_contract(&f.contract, || storage::set_prosumers(&f.env, count));
        f.client.register_prosumer(&f.stranger);
        f.env.cost_estimate().resources().write_bytes
    });
    assert_eq!(bytes, [bytes[0]; 5]);
}
