//! What each call costs on the built Wasm with mainnet's settings, what a month of daily deliveries costs, and what the
//! code itself costs its operator: `make costs` writes it into docs/costs.md and draws docs/costs.svg and
//! docs/community.svg. The goals that hold it are this example's tests.
//!
//! Each call runs twice: in a copy of the ledger in a fresh `Env`, for all but its rent (a long-lived `Env` meters its
//! own growing map), and then in the original, for its rent.

// A measurement that fails ends it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::{
    array,
    env::var,
    fs,
    string::{String, ToString},
};

use peer_to_peer_energy_sharing::{
    testutils::{is_nonce, transaction_id, Fixture, DAY, DEADLINE, HOUR, PRICE, START, WEALTH},
    Deposit, PeerToPeerEnergySharingClient, ARBITRATION_PERIOD,
};
use soroban_env_host::e2e_invoke::entry_size_for_rent;
use soroban_sdk::{
    testutils::{Address as _, EnvTestConfig, Ledger as _},
    xdr::{LedgerKey, Limits, ScAddress, WriteXdr},
    Address, Env,
};

#[cfg(test)]
mod goals;
mod months;
mod page;

fn main() {
    assert!(var("CONTRACT_WASM").is_ok(), "CONTRACT_WASM names the Wasm that is measured: make costs");
    page::write();
}

/// The people and the contract, in the fixture's `Env` or in a copy.
struct Scene {
    env: Env,
    client: PeerToPeerEnergySharingClient<'static>,
    admin: Address,
    provider: Address,
    consumer: Address,
    meter: Address,
    stranger: Address,
    token: Address,
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
            token: here(&f.token.address),
            env: env.clone(),
        }
    }

    fn copy(f: &Fixture) -> Self {
        let mut ledger = f.env.to_ledger_snapshot();
        ledger.ledger_entries.retain(|(key, _)| !is_nonce(key));
        let mut env = Env::from_ledger_snapshot(ledger);
        env.set_config(EnvTestConfig { capture_snapshot_at_drop: false });
        env.mock_all_auths();
        Self::of(f, &env)
    }

    /// An agreement of a month.
    fn create(&self) -> u64 {
        let deadline = self.env.ledger().timestamp() + 31 * DAY;
        self.client.create_agreement(&self.provider, &self.consumer, &MONTH_KWH, &PRICE, &deadline)
    }

    fn certify(&self) {
        self.client.register_meter(&self.provider, &Some(self.meter.clone()), &READING, &PLANT_KW);
    }

    /// A day's delivery.
    fn deliver(&self, agreement_id: u64) -> u64 {
        let reading = self.client.get_prosumer(&self.provider).meter_reading.max(READING) + DAY_KWH;
        self.client.deliver_energy(&agreement_id, &DAY_KWH, &reading, &self.provider)
    }
}

/// What a call costs: as in `HEAD`.
type Columns = [i64; 8];

const HEAD: [&str; 8] = [
    "instructions",
    "entries read",
    "bytes read from disk",
    "entries written",
    "bytes written",
    "event bytes",
    "rent",
    "fee",
];
const RENT: usize = 6;
const FEE: usize = 7;

const LEDGERS_PER_DAY: i64 = DAY as i64 / 5;

/// What a meter of some years shows: its first delivery stores all of it.
const READING: u64 = 120_500;
const DAY_KWH: u64 = 10;
const MONTH_KWH: u64 = 30 * DAY_KWH;
/// The plant on a family's roof.
const PLANT_KW: u64 = 12;

/// Makes a call that this account sends, and measures it. (Whoever else signs costs a check of its signature and a
/// nonce.)
fn measure(f: &Fixture, source: &Address, call: impl Fn(&Scene)) -> Columns {
    let original = Scene::of(f, &f.env);
    let copy = Scene::copy(f);
    let ScAddress::Account(source) = source.into() else { panic!("a contract sends no calls") };
    copy.env.host().set_source_account(source).unwrap();
    call(&copy);
    let (used, fee) = (copy.env.cost_estimate().resources(), copy.env.cost_estimate().fee());
    call(&original);
    let rent = f.env.cost_estimate().fee().persistent_entry_rent;
    [
        used.instructions,
        (used.memory_read_entries + used.disk_read_entries).into(),
        used.disk_read_bytes.into(),
        used.write_entries.into(),
        used.write_bytes.into(),
        used.contract_events_size_bytes.into(),
        rent,
        // The rent of a temporary entry is that of the nonce of a mocked signature.
        fee.total - fee.persistent_entry_rent - fee.temporary_entry_rent + rent,
    ]
}

/// The contract, its asset, and accounts, the parties with trustlines; none of them registered.
fn deployed() -> Fixture {
    let f = Fixture::deployed_for_accounts();
    let [admin, meter, stranger] = [3, 4, 5].map(|key| f.account(key));
    let f = Fixture { admin, meter, stranger, ..f };
    f.trust(&f.provider, |_| {});
    f.trust(&f.consumer, |_| {});
    f.asset.mint(&f.consumer, &WEALTH);
    // The contract's balance is an entry that is made once.
    f.asset.mint(&f.contract, &1);
    f
}

/// The costs of all calls after so many trades of other people.
fn costs(others: usize) -> Vec<(&'static str, Columns)> {
    let f = deployed();
    let mut costs = Vec::new();
    let mut measured = |name, source, call: Call| costs.push((name, measure(&f, source, call)));
    let make = |call: Call| call(&Scene::of(&f, &f.env));
    measured("initialize", &f.admin, |s| s.client.initialize(&s.admin, &s.token));
    for party in [&f.provider, &f.consumer] {
        f.client.register_prosumer(party);
    }
    let crowd: [_; 10] = array::from_fn(|_| Address::generate(&f.env));
    for person in &crowd {
        f.client.register_prosumer(person);
        f.asset.mint(person, &WEALTH);
    }
    for trade in 0..others {
        let [provider, consumer] = [&crowd[trade % 10], &crowd[(trade + 1 + trade / 10 % 9) % 10]];
        let agreement = f.client.create_agreement(provider, consumer, &1, &1, &DEADLINE);
        let transaction = f.client.deliver_energy(&agreement, &1, &(trade as u64 + 1), provider);
        f.client.settle_payment(&transaction, consumer);
    }

    measured("create_agreement", &f.provider, |s| assert_eq!(s.create(), 1));
    f.at(START + DAY);
    measured("deliver_energy", &f.provider, |s| assert_eq!(s.deliver(1), 1));
    measured("settle_payment", &f.consumer, |s| s.client.settle_payment(&1, &s.consumer));
    measured("register_prosumer", &f.stranger, |s| s.client.register_prosumer(&s.stranger));
    measured("register_meter", &f.admin, Scene::certify);
    make(|s| assert_eq!(s.create(), 2));
    measured("fund_agreement", &f.consumer, |s| s.client.fund_agreement(&2, &s.consumer, &Deposit::Metered));
    f.at(START + DAY + HOUR);
    make(|s| assert_eq!(s.deliver(2), 2));
    f.at(START + 2 * DAY);
    measured("deliver_energy, paid at once", &f.meter, |s| assert_eq!(s.deliver(2), transaction_id(2, 2)));
    f.at(START + 2 * DAY + HOUR);
    measured("deliver_energy, joins the day", &f.meter, |s| assert_eq!(s.deliver(2), transaction_id(2, 2)));
    make(|s| {
        s.client.register_meter(&s.provider, &None, &0, &0);
        assert_eq!(s.create(), 3);
        s.client.fund_agreement(&3, &s.consumer, &Deposit::Reviewed);
        s.deliver(3);
        s.deliver(3);
    });
    measured("settle_payment, from a deposit", &f.consumer, |s| s.client.settle_payment(&3, &s.consumer));
    make(|s| {
        assert_eq!(s.create(), 4);
        (0..30).for_each(|_| _ = s.deliver(4));
    });
    measured("settle_agreement of 30", &f.consumer, |s| {
        assert_eq!(s.client.settle_agreement(&4, &transaction_id(4, 30), &s.consumer), MONTH_KWH * PRICE);
    });
    measured("dispute_transaction", &f.consumer, |s| s.client.dispute_transaction(&transaction_id(3, 2), &s.consumer));
    measured("resolve_dispute", &f.admin, |s| s.client.resolve_dispute(&transaction_id(3, 2), &4, &s.admin));
    measured("claim_refund", &f.stranger, |s| assert_eq!(s.client.claim_refund(&3), 6 * PRICE));
    make(|s| {
        s.deliver(3);
        s.client.dispute_transaction(&transaction_id(3, 3), &s.consumer);
    });
    measured("cancel_agreement", &f.provider, |s| s.client.cancel_agreement(&3, &s.provider));
    f.env.ledger().set_timestamp(START + 2 * DAY + HOUR + ARBITRATION_PERIOD);
    measured("close_dispute", &f.stranger, |s| s.client.close_dispute(&transaction_id(3, 3)));
    measured("set_admin", &f.admin, |s| s.client.set_admin(&s.stranger));
    costs
}

fn of(costs: &[(&str, Columns)], name: &str, column: usize) -> i64 {
    costs.iter().find(|(known, _)| *known == name).unwrap().1[column]
}

/// A direct trade with one delivery.
fn direct_trade(costs: &[(&str, Columns)]) -> i64 {
    ["create_agreement", "deliver_energy", "settle_payment"].map(|name| of(costs, name, FEE)).into_iter().sum()
}

/// An agreement of 40 days with a delivery on each, paid at once from a deposit or not: the costs of what leads up to
/// the first, and of each.
fn daily(metered: bool) -> (Vec<Columns>, Vec<Columns>, Fixture) {
    let f = deployed().started();
    let mut before = Vec::new();
    before.push(measure(&f, &f.provider, |s| {
        let deadline = START + 41 * DAY;
        s.client.create_agreement(&s.provider, &s.consumer, &(40 * DAY_KWH), &PRICE, &deadline);
    }));
    if metered {
        Scene::of(&f, &f.env).certify();
        before.push(measure(&f, &f.consumer, |s| s.client.fund_agreement(&1, &s.consumer, &Deposit::Metered)));
    }
    let deliveries = (1..=40).map(|day| {
        f.at(START + day * DAY);
        measure(&f, if metered { &f.meter } else { &f.provider }, |s| _ = s.deliver(1))
    });
    (before, deliveries.collect(), f)
}

/// The bytes for which the operator pays rent: the code's file and what it takes in memory.
fn code_rent() -> i64 {
    let f = Fixture::deployed();
    let entries = f.env.to_ledger_snapshot().ledger_entries;
    let (_, (code, _)) = entries.into_iter().find(|(key, _)| matches!(**key, LedgerKey::ContractCode(_))).unwrap();
    let size = code.to_xdr(Limits::none()).unwrap().len() as u32;
    entry_size_for_rent(&f.env.host().budget_cloned(), &code, size).unwrap().into()
}

/// What the network asks for these bytes of code, for 120 days at so many stroops a KB.
fn code_rent_stroops(bytes: i64, rate: i64) -> i64 {
    let (ledgers, denominator, discount) = (120 * LEDGERS_PER_DAY, 1_215, 3);
    bytes * rate / 1_024 * ledgers / denominator / discount
}
