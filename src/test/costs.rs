//! What each call costs on the built Wasm with mainnet's settings, what a month of daily deliveries costs, what the
//! code itself costs its operator, and that it stays so.
//!
//! Each call runs twice: in a copy of the ledger in a fresh `Env`, for all but its rent (a long-lived `Env` meters its
//! own growing map), and then in the original, for its rent.

use std::{
    array, format,
    string::{String, ToString},
};

use soroban_env_host::e2e_invoke::entry_size_for_rent;
use soroban_sdk::xdr::{Limits, ScAddress, WriteXdr};

use super::*;
use months::{first_month, half_a_year, month_without_deposit};

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

mod months;
mod page;

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
const INSTRUCTIONS: usize = 0;
const RENT: usize = 6;
const FEE: usize = 7;

/// What a meter of some years shows: its first delivery stores all of it.
const READING: u64 = 120_500;
const DAY_KWH: u64 = 10;
const MONTH_KWH: u64 = 30 * DAY_KWH;
/// The plant on a family's roof.
const PLANT_KW: u64 = 12;

/// The most instructions and stroops of each call: what was measured, and about 2 %.
const GOALS: [(&str, i64, i64); 17] = [
    ("initialize", 424_000, 2_460_000),
    ("create_agreement", 551_000, 3_610_000),
    ("deliver_energy", 551_000, 257_000),
    ("settle_payment", 637_000, 19_400),
    ("register_prosumer", 442_000, 2_870_000),
    ("register_meter", 952_000, 744_000),
    ("fund_agreement", 811_000, 17_500),
    ("deliver_energy, paid at once", 809_000, 108_000),
    ("deliver_energy, joins the day", 814_000, 24_300),
    ("settle_payment, from a deposit", 676_000, 17_900),
    ("settle_agreement of 30", 1_460_000, 70_500),
    ("dispute_transaction", 516_000, 6_250),
    ("resolve_dispute", 525_000, 6_580),
    ("claim_refund", 668_000, 17_500),
    ("cancel_agreement", 520_000, 5_970),
    ("close_dispute", 525_000, 6_430),
    ("set_admin", 491_000, 11_400),
];

/// A direct trade with one delivery, in stroops; and the code's rent, in bytes.
const TRADE_GOAL: i64 = 3_900_000;
const CODE_GOAL: i64 = 555_000;

/// The implementation that keeps all records in one entry: stroops of its second trade, and of a month of daily trades,
/// which are its deliveries (it dies at the 84th). And a contract that keeps each transaction in an entry of its own,
/// of the same month.
const ONE_ENTRY_TRADE: i64 = 7_453_407 + 7_933_434 + 188_169;
const ONE_ENTRY_MONTH: i64 = 467_000_000;
const ENTRY_EACH_MONTH: i64 = 69_600_000;

/// Agreements whose transactions a simulation still lists, with 40 deliveries and with one.
const FULL_AGREEMENTS: u32 = 73;
const SMALL_AGREEMENTS: u32 = 850;

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
    f.env.ledger().set_timestamp(START + 2 * DAY + HOUR + crate::ARBITRATION_PERIOD);
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
    let (ledgers, denominator, discount) = (120 * 17_280, 1_215, 3);
    bytes * rate / 1_024 * ledgers / denominator / discount
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn calls_cost_no_more_than_their_goals_however_many_trades_there_were() {
    assert!(var("CONTRACT_WASM").is_ok(), "make costs names the Wasm");
    let [empty, full] = [costs(0), costs(2_000)];
    for (((name, cost), (_, later)), goal) in empty.iter().zip(&full).zip(GOALS) {
        for (column, (now, later)) in HEAD.iter().zip(cost.iter().zip(later)) {
            assert!((later - now).abs() * 100 <= *now, "{name}, {column}: {now}, and {later} after 2,000 trades");
        }
        assert_eq!(*name, goal.0);
        assert!(cost[INSTRUCTIONS] <= goal.1, "{name}: {} instructions", cost[INSTRUCTIONS]);
        assert!(cost[FEE] <= goal.2, "{name}: {} stroops", cost[FEE]);
    }
    let trade = direct_trade(&full);
    assert!(trade <= TRADE_GOAL && trade * 100 <= ONE_ENTRY_TRADE * 29, "a trade: {trade} stroops");
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn a_month_of_deliveries_costs_no_more_than_its_goals_and_the_last_no_more_than_the_first() {
    let months = half_a_year();
    assert!(months[0].fee <= 7_100_000, "{months:?}");
    // The first four months are paid for 120 days; then the records that live on have to be kept.
    assert!(months.iter().all(|month| month.fee <= 10_000_000), "{months:?}");
    let [deposit, hourly] = [month_without_deposit(), first_month(24)].map(|month| month.fee);
    assert!(deposit <= 9_400_000 && hourly <= 25_000_000, "{deposit} {hourly}");
    for (metered, most) in [(true, 150_000), (false, 300_000)] {
        let (_, deliveries, _) = daily(metered);
        let (second, last) = (deliveries[1], deliveries[39]);
        let dearest = deliveries[1..].iter().map(|delivery| delivery[FEE]).max().unwrap();
        let average = deliveries[1..].iter().map(|delivery| delivery[FEE]).sum::<i64>() / 39;
        std::println!(
            "a further delivery: {average} stroops on average, {dearest} at most; instructions {} to {}",
            second[0],
            last[0]
        );
        assert!(average <= most, "{average}");
        assert!(last[INSTRUCTIONS] * 5 <= second[INSTRUCTIONS] * 8, "{second:?} {last:?}");
        assert!(last[FEE] * 2 <= second[FEE] * 3, "{second:?} {last:?}");
    }
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn how_long_a_call_takes_does_not_depend_on_what_became_of_older_deliveries() {
    // A simulation declares 50,000 instructions more than it took.
    let fates: [fn(&Fixture, u64); 3] = [
        |_, _| {},
        |f, through| _ = f.client.settle_agreement(&1, &through, &f.consumer),
        |f, _| (1..=38).for_each(|k| f.client.dispute_transaction(&transaction_id(1, k), &f.consumer)),
    ];
    let calls: [(&str, Call); 3] = [
        ("deliver_energy", |s| _ = s.deliver(1)),
        ("settle_payment", |s| s.client.settle_payment(&transaction_id(1, 39), &s.consumer)),
        ("dispute_transaction", |s| s.client.dispute_transaction(&transaction_id(1, 39), &s.consumer)),
    ];
    for (name, call) in calls {
        let took = fates.map(|fate| {
            let f = deployed().started();
            f.client.create_agreement(&f.provider, &f.consumer, &(40 * DAY_KWH), &PRICE, &DEADLINE);
            (0..39).for_each(|_| _ = Scene::of(&f, &f.env).deliver(1));
            fate(&f, transaction_id(1, 38));
            let source = if name == "deliver_energy" { &f.provider } else { &f.consumer };
            measure(&f, source, call)[INSTRUCTIONS]
        });
        assert!(took.iter().all(|took_then| took_then - took[0] < 50_000), "{name}: {took:?}");
        std::println!("{name}: {took:?} instructions, after older deliveries were left, settled, disputed");
    }
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn the_code_can_be_uploaded_with_plain_tools() {
    let bytes = code_rent();
    std::println!("the code's rent is for {bytes} bytes");
    assert!(bytes <= CODE_GOAL, "{bytes}");
    // A transaction's fee is a 32-bit number, and an upload declares 15 % more than its rent. At 12,000 stroops a KB
    // too.
    assert!(code_rent_stroops(bytes, 12_000) * 116 / 100 < u32::MAX.into());
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn a_history_of_a_thousand_transactions_fits_a_simulation() {
    // In full agreements, and in agreements of one delivery.
    for (agreements, deliveries) in [(FULL_AGREEMENTS, 40), (SMALL_AGREEMENTS, 1)] {
        let f = Fixture::new();
        for _ in 0..agreements {
            let agreement = f.client.create_agreement(&f.provider, &f.consumer, &40, &1, &DEADLINE);
            (0..deliveries).for_each(|_| _ = f.deliver(agreement, 1));
        }
        // A simulation has the budget of a transaction, but not its limit of entries.
        let copy = Scene::copy(&f);
        copy.env.cost_estimate().disable_resource_limits();
        assert_eq!(copy.client.get_transaction_history(&copy.provider).len(), agreements * deliveries);
        let used = copy.env.cost_estimate().resources();
        std::println!("{agreements} agreements of {deliveries}: {used:?}");
        assert!(used.instructions <= 400_000_000 && used.mem_bytes <= 41_943_040, "{used:?}");
    }
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn the_largest_bill_for_the_contracts_own_life_is_a_day() {
    let rent = |days| {
        let f = Fixture::new();
        f.env.ledger().with_mut(|ledger| ledger.sequence_number += days * crate::utils::storage::LEDGERS_PER_DAY);
        f.client.set_admin(&f.stranger);
        f.env.cost_estimate().fee().persistent_entry_rent
    };
    // Nearly all of it for the code, of which the network takes a third, which the SDK's estimate leaves out.
    let bills = [0, 90, 91, 100, 119].map(rent);
    assert_eq!(bills[..2], [0, 0]);
    assert!(bills[2..].iter().all(|bill| *bill == bills[2] && *bill <= 94_000_000), "{bills:?}");
}
