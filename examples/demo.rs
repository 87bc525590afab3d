//! 68 days of trade on an embedded Stellar ledger: a delivery paid directly, one from a deposit under review with a
//! dispute, a month that a certified meter records and a deposit pays at once, a month paid with one signature,
//! a deposit under review with a meter, and a deadline that passes.
//!
//! `cargo run --example demo` needs nothing but Rust: `Env` is the network's own smart contract host, the token its own
//! asset contract. Signers, statuses and balances are compared with those written down here, and the first that differs
//! ends the demo with exit code 1. Fees come from the Wasm, if it was built.

use std::{env, fmt::Debug, fs, io::IsTerminal, path::Path, process};

use peer_to_peer_energy_sharing::{Deposit, PeerToPeerEnergySharing, PeerToPeerEnergySharingClient, SharingError};
use soroban_sdk::testutils::{Address as _, EnvTestConfig, Ledger as _};
use soroban_sdk::token::{StellarAssetClient, TokenClient};
use soroban_sdk::{Address, Env, InvokeError};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// 1 January 2026, 00:00 UTC.
const DAY_1: u64 = 1_767_225_600;
const LEDGERS_PER_HOUR: u32 = 60 * 60 / 5;

/// The smallest unit of every Stellar asset is 0.0000001.
const EUR: u64 = 10_000_000;
/// Of a kWh, in all trades.
const PRICE: u64 = EUR / 4;

fn main() {
    // By default an Env writes a file of its state when it is dropped, which serves tests.
    let env = Env::new_with_config(EnvTestConfig { capture_snapshot_at_drop: false });
    // The TTLs of mainnet: an entry pays rent for 120 days when it is created, so they decide what a trade costs.
    env.ledger().with_mut(|ledger| {
        ledger.timestamp = DAY_1 + 8 * HOUR;
        ledger.sequence_number = 60_000_000;
        ledger.min_persistent_entry_ttl = 2_073_600;
        ledger.min_temp_entry_ttl = 17_280;
        ledger.max_entry_ttl = 3_110_400;
    });
    // Whoever is asked for a signature gives it; the rows show who was asked.
    env.mock_all_auths();

    let [alice, bob, grid, meter] = [(); 4].map(|()| Address::generate(&env));
    let token_contract = env.register_stellar_asset_contract_v2(grid.clone()).address();
    // Both hold euros from the start, so no payment has to open a balance: people have their trustlines already.
    let mint = StellarAssetClient::new(&env, &token_contract);
    mint.mint(&alice, &(200 * EUR).into());
    mint.mint(&bob, &(20 * EUR).into());

    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let wasm = Path::new(&target).join("wasm32v1-none/release/peer_to_peer_energy_sharing.wasm");
    let (contract_id, source) = match fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&wasm)) {
        Ok(code) => (env.register(code.as_slice(), ()), wasm.display().to_string()),
        Err(_) => (
            env.register(PeerToPeerEnergySharing, ()),
            "native code, a little too low: `make build` makes them true".into(),
        ),
    };
    let contract = PeerToPeerEnergySharingClient::new(&env, &contract_id);
    let mut demo = Demo {
        env: &env,
        contract: &contract,
        token: TokenClient::new(&env, &token_contract),
        people: [("Alice", alice.clone()), ("Bob", bob.clone()), ("Grid", grid.clone()), ("meter", meter.clone())],
        colour: std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        agreement: 0,
        time: String::new(),
        fees: 0,
        calls: 0,
        rows: 0,
    };

    println!(
        "{}

Alice buys energy, in euros. Bob sells the energy of his solar roof, and his meter has a key of its own.
Grid, their co-op, certifies meters and rules disputes.

A row is one call: day and time, who signed, what it did; the statuses of the agreement and of its latest
delivery; what Alice, Bob and the contract hold, in EUR; and the fee in XLM, rent included, as soroban-sdk
estimates it for mainnet; a transaction's size adds under 0.001.
The fees are those of {source}.",
        demo.paint(
            BOLD,
            "Peer-to-peer energy sharing: 68 days of trade between neighbours, on an embedded Stellar ledger"
        )
    );

    demo.section(0, "Setup, once", "");
    demo.step(
        "sets up the contract",
        contract.try_initialize(&grid, &token_contract),
        ["Grid", "-", "-", "200.00", "20.00", "0.00"],
    );
    demo.step("registers", contract.try_register_prosumer(&bob), ["Bob", "-", "-", "200.00", "20.00", "0.00"]);
    demo.step("registers", contract.try_register_prosumer(&alice), ["Alice", "-", "-", "200.00", "20.00", "0.00"]);

    demo.section(1, "1. Paid directly", "Alice signs the payment, which goes from her to Bob.");
    let call = contract.try_create_agreement(&bob, &alice, &10, &PRICE, &demo.days_ahead(7));
    let agreement = demo.step("offers 10 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "200.00", "20.00", "0.00"]);
    demo.note(DIM, "nearly all of the fee is rent, for 120 days of the agreement's entry on the ledger");
    demo.wait(10);
    let call = contract.try_deliver_energy(&agreement, &10, &1_010, &bob);
    let delivery =
        demo.step("delivers 10 kWh, meter 1,010", call, ["Bob", "Delivered", "Delivered", "200.00", "20.00", "0.00"]);
    demo.step(
        "pays 2.50 EUR",
        contract.try_settle_payment(&delivery, &alice),
        ["Alice", "Settled", "Settled", "197.50", "22.50", "0.00"],
    );
    demo.total("this trade");

    let what = "Alice pays the contract in advance. Bob draws on it a day after each delivery, unless she objects.";
    demo.section(2, "2. A deposit under review, and a dispute", what);
    let call = contract.try_create_agreement(&bob, &alice, &40, &PRICE, &demo.days_ahead(7));
    let agreement = demo.step("offers 40 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "197.50", "22.50", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice, &Deposit::Reviewed);
    demo.step("deposits 10.00 EUR", call, ["Alice", "Active", "-", "187.50", "22.50", "10.00"]);
    demo.note(DIM, "the first deposit of all, which opens the contract's balance in the token");
    demo.wait(24);
    let call = contract.try_deliver_energy(&agreement, &40, &1_050, &bob);
    let delivery =
        demo.step("delivers 40 kWh, meter 1,050", call, ["Bob", "Delivered", "Delivered", "187.50", "22.50", "10.00"]);
    let call = contract.try_settle_payment(&delivery, &bob);
    let unchanged = ["Bob", "Delivered", "Delivered", "187.50", "22.50", "10.00"];
    demo.refused(
        "tries to draw 10.00 EUR",
        call,
        SharingError::ReviewPeriodOpen,
        "Alice has 24 hours to check it",
        unchanged,
    );
    demo.wait(14);
    let call = contract.try_dispute_transaction(&delivery, &alice);
    demo.step("disputes: 30 kWh arrived", call, ["Alice", "Delivered", "Disputed", "187.50", "22.50", "10.00"]);
    demo.wait(4);
    let call = contract.try_resolve_dispute(&delivery, &30, &grid);
    demo.step("rules that 30 kWh are paid", call, ["Grid", "Delivered", "Delivered", "187.50", "22.50", "10.00"]);
    let call = contract.try_claim_refund(&agreement);
    demo.step("returns 2.50 EUR to Alice", call, ["anyone", "Delivered", "Delivered", "190.00", "22.50", "7.50"]);
    demo.step(
        "draws 7.50 EUR",
        contract.try_settle_payment(&delivery, &bob),
        ["Bob", "Settled", "Settled", "190.00", "30.00", "0.00"],
    );
    demo.total("this trade");

    demo.section(
        0,
        "A certified meter, once",
        "From here on the meter signs Bob's deliveries, and it alone: nobody has to be awake.",
    );
    demo.wait(6);
    let call = contract.try_register_meter(&bob, &Some(meter), &1_050, &12);
    demo.step("certify it: 1,050 kWh, 12 kW", call, ["Grid + Bob", "-", "-", "190.00", "30.00", "0.00"]);

    let what = "Alice signs once, and trusts the meter: each delivery is paid in the very call that records it.";
    demo.section(3, "3. A month from a deposit", what);
    let call = contract.try_create_agreement(&bob, &alice, &300, &PRICE, &demo.days_ahead(30));
    let agreement = demo.step("offers 300 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "190.00", "30.00", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice, &Deposit::Metered);
    demo.step("deposits 75.00 EUR", call, ["Alice", "Active", "-", "115.00", "30.00", "75.00"]);
    demo.daily([1_060], "delivers 10 kWh, meter 1,060", ["meter", "Active", "Settled", "115.00", "32.50", "72.50"]);
    let call = contract.try_deliver_energy(&agreement, &10, &1_060, &bob);
    let unchanged = ["meter", "Active", "Settled", "115.00", "32.50", "72.50"];
    demo.refused(
        "sends it again, to be sure",
        call,
        SharingError::InvalidMeterReading,
        "nothing is recorded, or paid, twice",
        unchanged,
    );
    demo.daily([1_070], "delivers 10 kWh, meter 1,070", ["meter", "Active", "Settled", "115.00", "35.00", "70.00"]);
    let readings = (1_080..=1_340).step_by(10);
    demo.daily(
        readings,
        "... 10 kWh on each of 27 days",
        ["27 x meter", "Active", "Settled", "115.00", "102.50", "2.50"],
    );
    demo.wait(14);
    demo.hourly(
        1_341..=1_350,
        "... 1 kWh in each of 10 hours",
        ["10 x meter", "Settled", "Settled", "115.00", "105.00", "0.00"],
    );
    demo.note(DIM, "what is paid at once on one day is one transaction: only the first of a day makes room for itself");
    demo.total("the month, 39 deliveries and 39 payments");

    let what = "The meter records each day; at the end, Alice looks at the bill and pays it with one signature.";
    demo.section(4, "4. A month without a deposit", what);
    let call = contract.try_create_agreement(&bob, &alice, &300, &PRICE, &demo.days_ahead(30));
    let agreement = demo.step("offers 300 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "115.00", "105.00", "0.00"]);
    demo.daily([1_360], "delivers 10 kWh, meter 1,360", ["meter", "Active", "Delivered", "115.00", "105.00", "0.00"]);
    demo.note(DIM, "dearer than one that is paid at once: room for its outcome is set aside");
    let readings = (1_370..=1_640).step_by(10);
    demo.daily(
        readings,
        "... 10 kWh on each of 28 days",
        ["28 x meter", "Active", "Delivered", "115.00", "105.00", "0.00"],
    );
    let last = demo.daily(
        [1_650],
        "delivers 10 kWh, meter 1,650",
        ["meter", "Delivered", "Delivered", "115.00", "105.00", "0.00"],
    );
    demo.wait(14);
    let call = contract.try_settle_agreement(&agreement, &last, &alice);
    demo.step("pays all 30, 75.00 EUR", call, ["Alice", "Settled", "Settled", "40.00", "180.00", "0.00"]);
    demo.total("the month, 30 deliveries and one payment");

    let what = "Alice deposits, and still wants to look: the meter records, and Bob draws a day later.";
    demo.section(5, "5. A deposit under review, with a meter", what);
    let call = contract.try_create_agreement(&bob, &alice, &10, &PRICE, &demo.days_ahead(7));
    let agreement = demo.step("offers 10 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "40.00", "180.00", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice, &Deposit::Reviewed);
    demo.step("deposits 2.50 EUR for review", call, ["Alice", "Active", "-", "37.50", "180.00", "2.50"]);
    let id = demo.daily(
        [1_660],
        "delivers 10 kWh, meter 1,660",
        ["meter", "Delivered", "Delivered", "37.50", "180.00", "2.50"],
    );
    demo.wait(24);
    let call = contract.try_settle_payment(&id, &bob);
    demo.step("draws 2.50 EUR", call, ["Bob", "Settled", "Settled", "37.50", "182.50", "0.00"]);
    demo.total("this trade");

    demo.section(6, "6. A deadline that passes", "What is not delivered in time is not owed, and returns to Alice.");
    let call = contract.try_create_agreement(&bob, &alice, &30, &PRICE, &demo.days_ahead(2));
    let agreement = demo.step("offers 30 kWh, for two days", call, ["Bob", "Active", "-", "37.50", "182.50", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice, &Deposit::Metered);
    demo.step("deposits 7.50 EUR", call, ["Alice", "Active", "-", "30.00", "182.50", "7.50"]);
    demo.daily([1_670], "delivers 10 kWh, meter 1,670", ["meter", "Active", "Settled", "30.00", "185.00", "5.00"]);
    demo.wait(25);
    let call = contract.try_deliver_energy(&agreement, &20, &1_690, &bob);
    let unchanged = ["meter", "Expired", "Settled", "30.00", "185.00", "5.00"];
    demo.refused(
        "tries to deliver the rest",
        call,
        SharingError::DeliveryDeadlinePassed,
        "it is an hour late",
        unchanged,
    );
    let call = contract.try_claim_refund(&agreement);
    demo.step("returns 5.00 EUR to Alice", call, ["anyone", "Expired", "Settled", "35.00", "185.00", "0.00"]);
    demo.total("this trade");

    println!();
    println!(
        "{}",
        demo.paint(GREEN, &format!("As expected: all {} calls, and {} balances.", demo.calls, 3 * demo.rows))
    );
    println!("Not in these fees: the rent of the contract itself, which its operator pays (see the README).");
}

/// What the `try_` functions of a contract's client answer: `E` is for a value that cannot be converted, and depends on
/// its type.
type Call<T, E> = Result<Result<T, E>, Result<SharingError, InvokeError>>;

/// Signers; statuses of the agreement and of its latest delivery; balances of Alice, Bob and the contract. As text, so
/// that what is compared is what is shown.
type Row = [&'static str; 6];

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";

struct Demo<'a> {
    env: &'a Env,
    contract: &'a PeerToPeerEnergySharingClient<'a>,
    token: TokenClient<'a>,
    people: [(&'static str, Address); 4],
    colour: bool,
    /// The agreement that the rows are about, 0 being none: Bob registered first, so his are 1, 2, 3 and so on.
    agreement: u64,
    /// Of the row before.
    time: String,
    /// Of the section so far, in stroops.
    fees: i64,
    calls: u32,
    rows: u32,
}

impl Demo<'_> {
    fn section(&mut self, agreement: u64, title: &str, what: &str) {
        self.agreement = agreement;
        self.time.clear();
        self.fees = 0;
        println!();
        let columns = format!(
            "  {:<9}  {:<9}  {:>6}  {:>6}  {:>8}  {:>6}",
            "agreement", "delivery", "Alice", "Bob", "contract", "fee"
        );
        println!("{}{}", self.paint(BOLD, &format!("{title:<51}")), self.paint(DIM, &columns));
        if !what.is_empty() {
            println!("{}", self.paint(DIM, what));
        }
    }

    /// Lets time pass, and ledgers with it, for the rent is counted in these.
    fn wait(&self, hours: u32) {
        self.env.ledger().with_mut(|ledger| {
            ledger.timestamp += u64::from(hours) * HOUR;
            ledger.sequence_number += hours * LEDGERS_PER_HOUR;
        });
    }

    fn days_ahead(&self, days: u64) -> u64 {
        self.env.ledger().timestamp() + days * DAY
    }

    /// A call that must succeed.
    fn step<T: Debug, E: Debug>(&mut self, what: &str, call: Call<T, E>, expected: Row) -> T {
        let (value, signers, fee) = self.done(what, call);
        self.row(what, signers, &xlm(fee), expected);
        value
    }

    /// A delivery of 10 kWh a day, recorded by the meter at each of these readings.
    fn daily(&mut self, readings: impl IntoIterator<Item = u64>, what: &str, expected: Row) -> u64 {
        self.deliveries(24, 10, readings, what, expected)
    }

    /// A delivery of 1 kWh an hour.
    fn hourly(&mut self, readings: impl IntoIterator<Item = u64>, what: &str, expected: Row) -> u64 {
        self.deliveries(1, 1, readings, what, expected)
    }

    /// Deliveries in one row. Returns the id of the last.
    fn deliveries(
        &mut self,
        hours: u32,
        kwh: u64,
        readings: impl IntoIterator<Item = u64>,
        what: &str,
        expected: Row,
    ) -> u64 {
        let (mut last, mut fees, mut count) = (0, 0, 0);
        for reading in readings {
            self.wait(hours);
            let call = self.contract.try_deliver_energy(&self.agreement, &kwh, &reading, &self.people[1].1);
            let (id, signer, fee) = self.done(what, call);
            if signer != "meter" || self.statuses()[1] != expected[2] {
                fail(&format!("{what}, at {reading}: signed by {signer}, {}", self.statuses()[1]));
            }
            (last, fees, count) = (id, fees + fee, count + 1);
        }
        let signers = if count == 1 { "meter".into() } else { format!("{count} x meter") };
        self.row(what, signers, &xlm(fees), expected);
        last
    }

    /// What a call that must succeed returned, who signed it, and its fee.
    fn done<T: Debug, E: Debug>(&mut self, what: &str, call: Call<T, E>) -> (T, String, i64) {
        let Ok(Ok(value)) = call else { fail(&format!("{what}: expected success, got {call:?}")) };
        // Signers and fee are those of the last call: they are read before a row makes calls of its own.
        let name_of = |(address, _)| {
            self.people.iter().find(|(_, known)| *known == address).map_or("stranger", |(name, _)| *name)
        };
        let names: Vec<_> = self.env.auths().into_iter().map(name_of).collect();
        let signers = if names.is_empty() { "anyone".into() } else { names.join(" + ") };
        let estimate = self.env.cost_estimate().fee();
        // A mocked signature writes a nonce with rent for 180 days. On the network, who sends the transaction needs
        // none, and others let theirs expire within minutes. The contract itself has no temporary entries.
        let fee = estimate.total - estimate.temporary_entry_rent;
        self.fees += fee;
        self.calls += 1;
        (value, signers, fee)
    }

    /// A call that must fail, and change nothing. Wallets find out by simulation, before there is a fee.
    fn refused<T: Debug, E: Debug>(
        &mut self,
        what: &str,
        call: Call<T, E>,
        error: SharingError,
        why: &str,
        expected: Row,
    ) {
        if !matches!(&call, Err(Ok(actual)) if *actual == error) {
            fail(&format!("{what}: expected {error:?}, got {call:?}"));
        }
        self.calls += 1;
        // A failed call leaves no record of who signed it.
        self.row(what, expected[0].into(), "-", expected);
        self.note(RED, &format!("refused, {error:?}: {why}"));
    }

    fn row(&mut self, what: &str, signers: String, fee: &str, expected: Row) {
        let [agreement, delivery] = self.statuses();
        let [alice, bob, contract] =
            [&self.people[0].1, &self.people[1].1, &self.contract.address].map(|who| eur(self.token.balance(who)));
        let passed = self.env.ledger().timestamp() - DAY_1;
        let time = format!("{:>2} {:02}:00", passed / DAY + 1, passed % DAY / HOUR);
        let shown = if time == self.time { "" } else { &time };
        let call = format!("{shown:<8}  {signers:<10}  {what:<29}  {agreement:<9}  {delivery:<9}");
        println!("{call}  {alice:>6}  {bob:>6}  {contract:>8}  {fee:>6}");
        let actual = [signers, agreement, delivery, alice, bob, contract];
        if actual != expected {
            fail(&format!("{what}:\n  expected {expected:?}\n  got      {actual:?}"));
        }
        self.time = time;
        self.rows += 1;
    }

    fn statuses(&self) -> [String; 2] {
        let none = || "-".to_string();
        let Ok(Ok(agreement)) = self.contract.try_get_agreement(&self.agreement) else { return [none(), none()] };
        let latest = self.contract.get_agreement_transactions(&self.agreement).last();
        [format!("{:?}", agreement.status), latest.map_or_else(none, |delivery| format!("{:?}", delivery.status))]
    }

    fn note(&self, style: &str, text: &str) {
        println!("{:22}{}", "", self.paint(style, text));
    }

    fn total(&self, what: &str) {
        println!("{}", self.paint(BOLD, &format!("{:>100}  {:>6}", format!("fees of {what}"), xlm(self.fees))));
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }
}

fn fail(difference: &str) -> ! {
    eprintln!("NOT AS EXPECTED: {difference}");
    process::exit(1)
}

/// With cents, and with all digits where some of it is below a cent.
fn eur(units: i128) -> String {
    let unit = i128::from(EUR);
    let digits = format!("{}.{:07}", units / unit, units % unit);
    digits.strip_suffix("00000").unwrap_or(&digits).into()
}

fn xlm(stroops: i64) -> String {
    format!("{:.4}", stroops as f64 / 10_000_000.0)
}
