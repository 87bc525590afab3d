//! What each call costs on the built Wasm with mainnet's settings, and that it stays so.
//!
//! Each call runs twice: in a copy of the ledger in a fresh `Env`, for all but its rent (a long-lived `Env` meters its own growing map), and
//! then in the original, for its rent.

use std::{
    format, print, println,
    string::{String, ToString},
};

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
    /// As in `HEAD`.
    columns: [i64; 8],
}

const HEAD: [&str; 8] =
    ["instructions", "entries read", "bytes read from disk", "entries written", "bytes written", "event bytes", "rent", "fee"];
const INSTRUCTIONS: usize = 0;
const FEE: usize = 7;

/// The most instructions and stroops of each call: what was measured, and about 2 %.
const GOALS: [(&str, i64, i64); 15] = [
    ("initialize", 446_000, 2_379_000),
    ("create_agreement", 540_000, 3_935_000),
    ("deliver_energy", 644_000, 2_148_000),
    ("settle_payment", 767_000, 109_000),
    ("register_prosumer", 452_000, 3_281_000),
    ("register_meter", 481_000, 752_000),
    ("fund_agreement", 788_000, 20_000),
    ("deliver_energy, metered", 666_000, 2_153_000),
    ("settle_payment, from a deposit", 753_000, 109_000),
    ("dispute_transaction", 513_000, 94_500),
    ("resolve_dispute, with a refund", 814_000, 26_300),
    ("cancel_agreement, with a refund", 717_000, 21_400),
    ("close_dispute", 550_000, 10_600),
    ("claim_refund", 660_000, 15_900),
    ("set_admin", 420_000, 13_900),
];

/// Instructions of a bare contract that makes only the same ledger writes, with compact records: at most 1.3 times these.
const BARE: [(&str, i64); 3] = [("create_agreement", 475_000), ("deliver_energy", 612_000), ("settle_payment", 659_000)];

/// The implementation that keeps all records in one entry: stroops of its second trade; instructions of `create_agreement` after so many
/// trades; and the trade that always fails.
const ONE_ENTRY_TRADE: i64 = 7_453_407 + 7_933_434 + 188_169;
const ONE_ENTRY_CREATE: [(usize, i64); 4] = [(0, 460_000), (10, 1_010_000), (50, 3_180_000), (82, 4_910_000)];
const ONE_ENTRY_END: usize = 84;

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
            // None: live records are in memory.
            used.disk_read_bytes.into(),
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
    let f = Fixture::deployed();
    let mut costs = Vec::new();
    step(&f, &mut costs, "initialize", |s| s.client.initialize(&s.admin, &s.token));
    for party in [&f.provider, &f.consumer] {
        f.client.register_prosumer(party);
    }
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

/// The direct trade, and the one from a deposit with a certified meter.
fn trades(costs: &[Cost]) -> [i64; 2] {
    let sum = |names: &[&str]| names.iter().map(|name| of(costs, name, FEE)).sum();
    [
        sum(&["create_agreement", "deliver_energy", "settle_payment"]),
        sum(&["create_agreement", "fund_agreement", "deliver_energy, metered", "settle_payment, from a deposit"]),
    ]
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn calls_cost_no_more_than_their_goals_however_many_trades_there_were() {
    assert!(var("CONTRACT_WASM").is_ok(), "make costs names the Wasm");
    let [empty, full] = [costs(0), costs(2_000)];
    for ((cost, later), goal) in empty.iter().zip(&full).zip(GOALS) {
        for (column, (now, later)) in HEAD.iter().zip(cost.columns.iter().zip(later.columns)) {
            assert!((later - now).abs() * 100 <= *now, "{}, {column}: {now}, and {later} after 2,000 trades", cost.name);
        }
        assert_eq!(cost.name, goal.0);
        let [instructions, fee] = [INSTRUCTIONS, FEE].map(|column| cost.columns[column]);
        assert!(instructions <= goal.1, "{}: {instructions} instructions", cost.name);
        assert!(fee <= goal.2, "{}: {fee} stroops", cost.name);
    }
    for (name, bare) in BARE {
        assert!(of(&full, name, INSTRUCTIONS) * 10 <= bare * 13, "{name}: over 1.3 times a bare contract");
    }
    let [direct, _] = trades(&full);
    assert!(direct * 100 <= ONE_ENTRY_TRADE * 40, "a trade: {direct} stroops");
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn a_history_of_440_transactions_fits_a_simulation() {
    let f = Fixture::new();
    for reading in 1..=440 {
        let agreement = f.client.create_agreement(&f.provider, &f.consumer, &1, &1, &DEADLINE);
        f.client.deliver_energy(&agreement, &1, &reading, &f.provider);
    }
    // A simulation has the budget of a transaction, but not its limit of entries.
    let copy = Scene::copy(&f);
    copy.env.cost_estimate().disable_resource_limits();
    assert_eq!(copy.client.get_transaction_history(&copy.provider).len(), 440);
    let used = copy.env.cost_estimate().resources();
    assert!(used.instructions <= 400_000_000 && used.mem_bytes <= 41_943_040, "{used:?}");
}

#[test]
#[ignore = "measures the built Wasm: make costs"]
fn the_largest_bill_for_the_contracts_own_life_is_a_day() {
    let rent = |days| {
        let f = Fixture::new();
        f.env.ledger().with_mut(|ledger| ledger.sequence_number += days * crate::utils::storage::DAY);
        f.client.set_admin(&f.stranger);
        f.env.cost_estimate().fee().persistent_entry_rent
    };
    // Nearly all of it for the code, of which the network takes a third, which the SDK's estimate leaves out.
    let bills = [0, 20, 21, 30, 60, 119].map(rent);
    println!("stroops of rent after so many quiet days: {bills:?}");
    assert_eq!(bills[..2], [0, 0]);
    assert!(bills[2..].iter().all(|bill| *bill == bills[2] && *bill <= 93_800_000), "{bills:?}");
}

/// Or, if asked, writes it: the table and the chart.
#[test]
#[ignore = "measures the built Wasm: make costs"]
fn the_readme_shows_the_costs() {
    let measured = costs(0);
    let mut table = format!("| Call | {} |\n|---|{}\n", HEAD.join(" | "), "---:|".repeat(HEAD.len()));
    for cost in &measured {
        let cells: Vec<_> = cost.columns.iter().map(|number| grouped(*number)).collect();
        table += &format!("| {} | {} |\n", cost.name, cells.join(" | "));
    }
    let [direct, metered] = trades(&measured);
    table += &format!(
        "\nA trade paid directly (create, deliver, settle) costs {} stroops; one from a deposit with a certified meter (create, fund, deliver, \
         settle) {}. The Wasm has {} bytes.\n",
        grouped(direct),
        grouped(metered),
        grouped(fs::metadata(var("CONTRACT_WASM").unwrap()).unwrap().len() as i64)
    );
    print!("{table}");
    let readme = fs::read_to_string("README.md").unwrap();
    if var("WRITE_COSTS").is_err() {
        // Fees are rent above all, so another compiler changes them by little.
        for cost in &measured {
            let row = readme.lines().find_map(|line| line.strip_prefix(&format!("| {} | ", cost.name))).unwrap();
            let shown: i64 = row.trim_end_matches(" |").rsplit(" | ").next().unwrap().replace(',', "").parse().unwrap();
            assert!((shown - cost.columns[FEE]).abs() * 50 <= shown, "{}: the README shows {shown}; make costs", cost.name);
        }
        return;
    }
    let (head, rest) = readme.split_once("<!-- costs -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- end of costs -->").unwrap();
    fs::write("README.md", format!("{head}<!-- costs -->\n{table}<!-- end of costs -->{tail}")).unwrap();
    let ours: Vec<_> = [0, 25, 50, 75, 100].map(|trades| (trades, of(&costs(trades), "create_agreement", INSTRUCTIONS))).into();
    fs::create_dir_all("docs").unwrap();
    fs::write("docs/costs.svg", chart(&ours)).unwrap();
}

/// 1234567 as 1,234,567.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// Instructions of `create_agreement` by the number of trades before it.
fn chart(ours: &[(usize, i64)]) -> String {
    let point = |(trades, instructions): (usize, i64)| (70.0 + 5.6 * trades as f64, 320.0 - 56.0 * instructions as f64 / 1e6);
    let line = |points: &[(usize, i64)], colour: &str| {
        let points: Vec<_> = points.iter().map(|at| point(*at)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        format!("<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2.5'/>\n", points.join(" "))
    };
    let mut svg = String::from(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 660 380' font-family='sans-serif' font-size='13' fill='#444'>\n\
         <rect width='660' height='380' fill='#fff'/>\n\
         <text x='70' y='22' font-size='15' fill='#111'>Instructions of create_agreement, by the number of trades before it</text>\n",
    );
    for million in 0..=5 {
        let (x, y) = point((0, million * 1_000_000));
        svg +=
            &format!("<path d='M{x} {y}h560' stroke='#ddd'/><text x='{}' y='{}' text-anchor='end'>{million} M</text>\n", x - 8.0, y + 4.0);
    }
    for trades in [0, 20, 40, 60, 80, 100] {
        let (x, _) = point((trades, 0));
        svg += &format!("<text x='{x}' y='340' text-anchor='middle'>{trades}</text>\n");
    }
    let (end, _) = point((ONE_ENTRY_END, 0));
    svg += &line(&ONE_ENTRY_CREATE, "#c0392b");
    svg += &line(ours, "#1f7a4d");
    svg + &format!(
        "<path d='M{end} 40V320' stroke='#c0392b' stroke-dasharray='4 4'/>\n\
         <text x='80' y='76' fill='#c0392b'>all records in one entry: trade {ONE_ENTRY_END} fails, for ever</text>\n\
         <text x='{}' y='282' text-anchor='end' fill='#1f7a4d'>this contract</text>\n\
         <text x='350' y='366' text-anchor='middle'>trades</text>\n</svg>\n",
        point((100, 0)).0
    )
}
