//! What each call costs on the built Wasm with mainnet's settings, and that it stays so.
//!
//! Each call runs twice: in a copy of the ledger in a fresh `Env`, for all but its rent (a long-lived `Env` meters its own growing map), and
//! then in the original, for its rent.

use std::{print, println, string::ToString};

use super::*;

/// The people and the contract, in the fixture's `Env` or in a copy.
struct Scene {
    env: Env,
    client: PeerToPeerEnergySharingClient<'static>,
    admin: Address,
    provider: Address,
    consumer: Address,
    meter: Address,
    stranger: Address,
}

type Call = fn(&Scene);

impl Scene {
    fn of(f: &Fixture, env: &Env) -> Self {
        let here = |address: &Address| Address::from_str(env, &address.to_string().to_string());
        Self {
            client: PeerToPeerEnergySharingClient::new(env, &here(&f.contract)),
            admin: here(&f.admin),
            provider: here(&f.provider),
            consumer: here(&f.consumer),
            meter: here(&f.meter),
            stranger: here(&f.stranger),
            env: env.clone(),
        }
    }

    fn copy(f: &Fixture) -> Self {
        let mut ledger = f.env.to_ledger_snapshot();
        ledger.ledger_entries.retain(|(key, _)| !is_nonce(key));
        let mut env = Env::from_ledger_snapshot(ledger);
        env.set_config(EnvTestConfig { capture_snapshot_at_drop: false, ..EnvTestConfig::default() });
        env.mock_all_auths();
        Self::of(f, &env)
    }

    fn create(&self) -> u64 {
        self.client.create_agreement(&self.provider, &self.consumer, &KWH, &PRICE, &DEADLINE)
    }

    fn deliver(&self, agreement_id: u64, reading: u64) -> u64 {
        self.client.deliver_energy(&agreement_id, &KWH, &reading, &self.provider)
    }
}

#[derive(Clone, Copy)]
struct Cost {
    name: &'static str,
    /// Instructions, entries read, entries and bytes written, bytes of events, stroops of rent, stroops in all.
    columns: [i64; 7],
}

const HEAD: [&str; 7] = ["instructions", "entries read", "entries written", "bytes written", "event bytes", "rent", "fee"];
const INSTRUCTIONS: usize = 0;
const FEE: usize = 6;

/// Makes a call, measured where it has a name.
fn step(f: &Fixture, costs: &mut Vec<Cost>, name: &'static str, call: Call) {
    let original = Scene::of(f, &f.env);
    if name.is_empty() {
        return call(&original);
    }
    let copy = Scene::copy(f);
    call(&copy);
    let (used, fee) = (copy.env.cost_estimate().resources(), copy.env.cost_estimate().fee());
    call(&original);
    let rent = f.env.cost_estimate().fee().persistent_entry_rent;
    costs.push(Cost {
        name,
        columns: [
            used.instructions,
            (used.memory_read_entries + used.disk_read_entries).into(),
            used.write_entries.into(),
            used.write_bytes.into(),
            used.contract_events_size_bytes.into(),
            rent,
            // The rent of a temporary entry is that of the nonce of a mocked signature.
            fee.total - fee.persistent_entry_rent - fee.temporary_entry_rent + rent,
        ],
    });
}

/// The costs of all calls after so many trades of other people.
fn costs(others: usize) -> Vec<Cost> {
    let f = Fixture::new();
    let crowd: Vec<_> = (0..10).map(|_| Address::generate(&f.env)).collect();
    for person in &crowd {
        f.client.register_prosumer(person);
        f.asset.mint(person, &WEALTH);
    }
    for trade in 0..others {
        let [provider, consumer] = [&crowd[trade % 10], &crowd[(trade / 10 + trade + 1) % 10]];
        let [provider, consumer] = if provider == consumer { [&crowd[0], &crowd[1]] } else { [provider, consumer] };
        let agreement = f.client.create_agreement(provider, consumer, &1, &1, &DEADLINE);
        let transaction = f.client.deliver_energy(&agreement, &1, &(trade as u64 + 1), provider);
        f.client.settle_payment(&transaction, consumer);
    }

    let mut costs = Vec::new();
    let mut step = |name, call: Call| step(&f, &mut costs, name, call);
    // A person's first trade makes entries larger that its later trades find so.
    step("", |s| {
        s.create();
        s.deliver(1, 100);
        s.client.settle_payment(&1, &s.consumer);
    });
    step("create_agreement", |s| assert_eq!(s.create(), 2));
    step("deliver_energy", |s| assert_eq!(s.deliver(2, 200), 2));
    step("settle_payment", |s| s.client.settle_payment(&2, &s.consumer));
    step("register_prosumer", |s| s.client.register_prosumer(&s.stranger));
    step("register_meter", |s| s.client.register_meter(&s.provider, &Some(s.meter.clone()), &200));
    step("", |s| {
        s.create();
        s.client.fund_agreement(&3, &s.consumer);
        s.deliver(3, 300);
        s.client.settle_payment(&3, &s.provider);
        assert_eq!([s.create(), s.create(), s.create(), s.create()], [4, 5, 6, 7]);
    });
    step("fund_agreement", |s| s.client.fund_agreement(&4, &s.consumer));
    step("deliver_energy, metered", |s| assert_eq!(s.deliver(4, 400), 4));
    step("settle_payment, from a deposit", |s| s.client.settle_payment(&4, &s.provider));
    step("", |s| {
        for id in [5, 6, 7] {
            s.client.fund_agreement(&id, &s.consumer);
        }
        for reading in [440, 500] {
            s.client.deliver_energy(&5, &(reading - 400 - (reading / 500) * 40), &reading, &s.provider);
        }
    });
    step("dispute_transaction", |s| s.client.dispute_transaction(&5, &s.consumer));
    step("resolve_dispute, with a refund", |s| s.client.resolve_dispute(&5, &20, &s.admin));
    step("cancel_agreement, with a refund", |s| s.client.cancel_agreement(&6, &s.provider));
    step("", |s| {
        s.client.register_meter(&s.provider, &None, &0);
        s.client.dispute_transaction(&6, &s.consumer);
        s.env.ledger().set_timestamp(DEADLINE + crate::ARBITRATION_PERIOD);
    });
    step("close_dispute", |s| s.client.close_dispute(&6));
    step("claim_refund", |s| assert_eq!(s.client.claim_refund(&7), TOTAL));
    step("set_admin", |s| s.client.set_admin(&s.stranger));
    costs
}

fn of(costs: &[Cost], name: &str, column: usize) -> i64 {
    costs.iter().find(|cost| cost.name == name).unwrap().columns[column]
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn costs_keep_to_their_goals() {
    assert!(var("CONTRACT_WASM").is_ok(), "make costs names the Wasm");
    let [empty, full] = [costs(0), costs(2_000)];
    println!("| call | {} |\n|---|{}", HEAD.join(" | "), "---:|".repeat(HEAD.len()));
    for (cost, later) in empty.iter().zip(&full) {
        print!("| {}", cost.name);
        for (column, later) in cost.columns.iter().zip(later.columns) {
            print!(" | {column}");
            if *column != later {
                print!(" ({:+.2} %)", 100.0 * (later - column) as f64 / *column as f64);
            }
        }
        println!(" |");
    }
    let sum = |names: [&str; 3]| names.iter().map(|name| of(&empty, name, FEE)).sum::<i64>();
    let direct = sum(["create_agreement", "deliver_energy", "settle_payment"]);
    println!("a trade paid directly: {direct} stroops");
}
