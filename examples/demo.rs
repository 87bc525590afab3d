//! Four trades on an embedded Stellar ledger: one paid directly, one from a deposit with a dispute, one from a deposit with a certified
//! meter, and one whose deadline passes.
//!
//! `cargo run --example demo` needs nothing but Rust: `Env` is the network's own smart contract host, the token its own asset contract.
//! Each row of the output is one call. Signers, statuses and balances are compared with those written down here, and the first that
//! differs ends the demo with exit code 1. Fees come from the Wasm, if it was built.

use std::{env, fmt::Debug, fs, io::IsTerminal, path::Path, process};

use peer_to_peer_energy_sharing::{PeerToPeerEnergySharing, PeerToPeerEnergySharingClient, SharingError};
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
const CENT: u64 = EUR / 100;

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
    mint.mint(&alice, &(100 * EUR).into());
    mint.mint(&bob, &(20 * EUR).into());

    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let wasm = Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("wasm32v1-none/release/peer_to_peer_energy_sharing.wasm");
    let (contract_id, source) = match fs::read(&wasm) {
        Ok(code) => (env.register(code.as_slice(), ()), "of the Wasm at"),
        Err(_) => (env.register(PeerToPeerEnergySharing, ()), "a little too low: of native code, as there is no Wasm at"),
    };
    let contract = PeerToPeerEnergySharingClient::new(&env, &contract_id);
    let mut demo = Demo {
        env: &env,
        contract: &contract,
        token: TokenClient::new(&env, &token_contract),
        people: [("Alice", alice.clone()), ("Bob", bob.clone()), ("Grid", grid.clone()), ("meter", meter.clone())],
        colour: std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        agreement: 0,
        fees: 0,
        rows: 0,
    };

    println!(
        "{}

Alice  buys energy, in euros             Bob    sells the energy of his solar roof
Grid   the co-op: certifies meters       meter  Bob's: once certified, it signs what he delivers
       and rules disputes

Row    one call: who signed, what it did; then the statuses of the agreement and of its latest
       delivery, what Alice, Bob and the contract hold, in EUR, and the call's fee, in XLM
Fees   {source}
       {}
       by soroban-sdk's estimate for mainnet, rent included; a transaction's size adds under 0.001",
        demo.paint(BOLD, "Peer-to-peer energy sharing: four trades on an embedded Stellar ledger"),
        wasm.display()
    );

    demo.section("Setup, once", 0);
    demo.wait(0, "in the morning");
    demo.step("sets up the contract", contract.try_initialize(&grid, &token_contract), ["Grid", "-", "-", "100.00", "20.00", "0.00"]);
    demo.step("registers", contract.try_register_prosumer(&bob), ["Bob", "-", "-", "100.00", "20.00", "0.00"]);
    demo.step("registers", contract.try_register_prosumer(&alice), ["Alice", "-", "-", "100.00", "20.00", "0.00"]);

    demo.section("1. Paid directly", 1);
    let call = contract.try_create_agreement(&bob, &alice, &10, &(25 * CENT), &demo.days_ahead(7));
    let agreement = demo.step("offers 10 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "100.00", "20.00", "0.00"]);
    demo.wait(10, "after a sunny day");
    let call = contract.try_deliver_energy(&agreement, &10, &1_010, &bob);
    let delivery = demo.step("delivers 10 kWh, meter 1,010", call, ["Bob", "Delivered", "Delivered", "100.00", "20.00", "0.00"]);
    demo.step("pays 2.50 EUR", contract.try_settle_payment(&delivery, &alice), ["Alice", "Settled", "Settled", "97.50", "22.50", "0.00"]);
    let direct_trade = demo.total();

    demo.section("2. From a deposit, with a dispute", 2);
    let call = contract.try_create_agreement(&bob, &alice, &40, &(25 * CENT), &demo.days_ahead(7));
    let agreement = demo.step("offers 40 kWh at 0.25 EUR", call, ["Bob", "Active", "-", "97.50", "22.50", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice);
    demo.step("deposits 10.00 EUR", call, ["Alice", "Active", "-", "87.50", "22.50", "10.00"]);
    demo.note("               (the first deposit of all also pays for the contract's own balance in the token)");
    demo.wait(24, "the next day");
    let call = contract.try_deliver_energy(&agreement, &40, &1_050, &bob);
    let delivery = demo.step("delivers 40 kWh, meter 1,050", call, ["Bob", "Delivered", "Delivered", "87.50", "22.50", "10.00"]);
    let call = contract.try_settle_payment(&delivery, &bob);
    let unchanged = ["Bob", "Delivered", "Delivered", "87.50", "22.50", "10.00"];
    demo.refused("tries to draw on the deposit", call, SharingError::ReviewPeriodOpen, "Alice has 24 hours to check it", unchanged);
    demo.wait(20, "20 hours later");
    let call = contract.try_dispute_transaction(&delivery, &alice);
    demo.step("disputes: 30 kWh arrived", call, ["Alice", "Delivered", "Disputed", "87.50", "22.50", "10.00"]);
    demo.wait(24, "the next day");
    let call = contract.try_settle_payment(&delivery, &bob);
    let unchanged = ["Bob", "Delivered", "Disputed", "87.50", "22.50", "10.00"];
    demo.refused("tries again", call, SharingError::TransactionDisputed, "first there must be a ruling", unchanged);
    let call = contract.try_resolve_dispute(&delivery, &30, &grid);
    demo.step("rules that 30 kWh are paid", call, ["Grid", "Delivered", "Delivered", "90.00", "22.50", "7.50"]);
    demo.step("draws his 7.50 EUR", contract.try_settle_payment(&delivery, &bob), ["Bob", "Settled", "Settled", "90.00", "30.00", "0.00"]);
    demo.total();

    demo.section("A certified meter, once", 0);
    let call = contract.try_register_meter(&bob, &Some(meter), &1_050);
    demo.step("certify Bob's meter at 1,050", call, ["Grid + Bob", "-", "-", "90.00", "30.00", "0.00"]);

    demo.section("3. From a deposit, certified meter", 3);
    let call = contract.try_create_agreement(&bob, &alice, &40, &(30 * CENT), &demo.days_ahead(7));
    let agreement = demo.step("offers 40 kWh at 0.30 EUR", call, ["Bob", "Active", "-", "90.00", "30.00", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice);
    demo.step("deposits 12.00 EUR", call, ["Alice", "Active", "-", "78.00", "30.00", "12.00"]);
    demo.wait(24, "the next day (what the meter signs needs no review: Bob is paid at once)");
    let call = contract.try_deliver_energy(&agreement, &15, &1_065, &bob);
    let delivery = demo.step("deliver 15 kWh, meter 1,065", call, ["Bob + meter", "Active", "Delivered", "78.00", "30.00", "12.00"]);
    demo.step("draws 4.50 EUR", contract.try_settle_payment(&delivery, &bob), ["Bob", "Active", "Settled", "78.00", "34.50", "7.50"]);
    demo.wait(24, "the next day");
    let call = contract.try_deliver_energy(&agreement, &25, &1_090, &bob);
    let delivery = demo.step("deliver 25 kWh, meter 1,090", call, ["Bob + meter", "Delivered", "Delivered", "78.00", "34.50", "7.50"]);
    demo.step("draws 7.50 EUR", contract.try_settle_payment(&delivery, &bob), ["Bob", "Settled", "Settled", "78.00", "42.00", "0.00"]);
    let metered_trade = demo.total();

    demo.section("4. From a deposit, past the deadline", 4);
    let call = contract.try_create_agreement(&bob, &alice, &20, &(40 * CENT), &demo.days_ahead(2));
    let agreement = demo.step("offers 20 kWh, for two days", call, ["Bob", "Active", "-", "78.00", "42.00", "0.00"]);
    let call = contract.try_fund_agreement(&agreement, &alice);
    demo.step("deposits 8.00 EUR", call, ["Alice", "Active", "-", "70.00", "42.00", "8.00"]);
    demo.wait(24, "the next day, cloudy");
    let call = contract.try_deliver_energy(&agreement, &5, &1_095, &bob);
    let delivery = demo.step("deliver 5 kWh, meter 1,095", call, ["Bob + meter", "Active", "Delivered", "70.00", "42.00", "8.00"]);
    demo.wait(25, "an hour past the deadline");
    let call = contract.try_deliver_energy(&agreement, &15, &1_110, &bob);
    let unchanged = ["Bob", "Expired", "Delivered", "70.00", "42.00", "8.00"];
    demo.refused("tries to deliver the rest", call, SharingError::DeliveryDeadlinePassed, "nobody owes anything more", unchanged);
    let call = contract.try_claim_refund(&agreement);
    demo.step("has Alice refunded 6.00 EUR", call, ["anyone", "Expired", "Delivered", "76.00", "42.00", "2.00"]);
    demo.step(
        "draws 2.00 EUR for his 5 kWh",
        contract.try_settle_payment(&delivery, &bob),
        ["Bob", "Expired", "Settled", "76.00", "44.00", "0.00"],
    );
    demo.total();

    println!();
    println!("{}", demo.paint(GREEN, &format!("All {} rows as expected, {} balances among them.", demo.rows, 3 * demo.rows)));
    println!("Fees of a direct trade: {} XLM; from a deposit, with two metered deliveries: {} XLM.", xlm(direct_trade), xlm(metered_trade));
    println!("Not in these fees: after three weeks, calls also pay for the life of the contract itself: see the README.");
}

/// What the `try_` functions of a contract's client answer: `E` is for a value that cannot be converted, and depends on its type.
type Call<T, E> = Result<Result<T, E>, Result<SharingError, InvokeError>>;

/// Signers; statuses of the agreement and of its latest delivery; balances of Alice, Bob and the contract. As text, so that what is
/// compared is what is shown.
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
    /// Of the section so far, in stroops.
    fees: i64,
    rows: u32,
}

impl Demo<'_> {
    fn section(&mut self, title: &str, agreement: u64) {
        self.agreement = agreement;
        self.fees = 0;
        println!();
        let columns = format!("  {:<9}  {:<9}  {:>6}  {:>6}  {:>8}  {:>6}", "agreement", "delivery", "Alice", "Bob", "contract", "fee");
        println!("{}{}", self.paint(BOLD, &format!("{title:<44}")), self.paint(DIM, &columns));
    }

    /// Lets time pass, and ledgers with it, for the rent is counted in these.
    fn wait(&self, hours: u32, what: &str) {
        self.env.ledger().with_mut(|ledger| {
            ledger.timestamp += u64::from(hours) * HOUR;
            ledger.sequence_number += hours * LEDGERS_PER_HOUR;
        });
        let time = self.env.ledger().timestamp() - DAY_1;
        self.note(&format!("  day {}, {:02}:00, {what}", time / DAY + 1, time % DAY / HOUR));
    }

    fn note(&self, text: &str) {
        println!("{}", self.paint(DIM, text));
    }

    fn days_ahead(&self, days: u64) -> u64 {
        self.env.ledger().timestamp() + days * DAY
    }

    /// A call that must succeed.
    fn step<T: Debug, E: Debug>(&mut self, what: &str, call: Call<T, E>, expected: Row) -> T {
        let Ok(Ok(value)) = call else { fail(&format!("{what}: expected success, got {call:?}")) };
        // Signers and fee are those of the last call: they are read before the row makes calls of its own.
        let signers = self.signers();
        let estimate = self.env.cost_estimate().fee();
        // A mocked signature writes a nonce with rent for 180 days. On the network, who sends the transaction needs none, and others let
        // theirs expire within minutes. The contract itself has no temporary entries.
        let fee = estimate.total - estimate.temporary_entry_rent;
        self.fees += fee;
        self.row(what, signers, &xlm(fee), expected);
        value
    }

    /// A call that must fail, and change nothing. Wallets find out by simulation, before there is a fee.
    fn refused<T: Debug, E: Debug>(&mut self, what: &str, call: Call<T, E>, error: SharingError, why: &str, expected: Row) {
        if !matches!(&call, Err(Ok(actual)) if *actual == error) {
            fail(&format!("{what}: expected {error:?}, got {call:?}"));
        }
        // A failed call leaves no record of who signed it.
        self.row(what, expected[0].into(), "-", expected);
        println!("               {}", self.paint(RED, &format!("refused, {error:?}: {why}")));
    }

    fn row(&mut self, what: &str, signers: String, fee: &str, expected: Row) {
        let [agreement, delivery] = self.statuses();
        let [alice, bob, contract] = [&self.people[0].1, &self.people[1].1, &self.contract.address].map(|who| eur(self.token.balance(who)));
        println!("  {signers:<11}  {what:<29}  {agreement:<9}  {delivery:<9}  {alice:>6}  {bob:>6}  {contract:>8}  {fee:>6}");
        let actual = [signers, agreement, delivery, alice, bob, contract];
        if actual != expected {
            fail(&format!("{what}:\n  expected {expected:?}\n  got      {actual:?}"));
        }
        self.rows += 1;
    }

    fn signers(&self) -> String {
        let name_of = |(address, _)| self.people.iter().find(|(_, known)| *known == address).map_or("stranger", |(name, _)| *name);
        let names: Vec<_> = self.env.auths().into_iter().map(name_of).collect();
        if names.is_empty() {
            "anyone".into()
        } else {
            names.join(" + ")
        }
    }

    fn statuses(&self) -> [String; 2] {
        let none = || "-".to_string();
        let Ok(Ok(agreement)) = self.contract.try_get_agreement(&self.agreement) else { return [none(), none()] };
        let latest = self.contract.get_prosumer(&agreement.provider).last_transaction.map(|id| self.contract.get_transaction(&id));
        let delivery = latest.filter(|delivery| delivery.agreement_id == self.agreement);
        [format!("{:?}", agreement.status), delivery.map_or_else(none, |delivery| format!("{:?}", delivery.status))]
    }

    fn total(&self) -> i64 {
        self.note(&format!("{:>92}  {:>6}", "fees of this trade", xlm(self.fees)));
        self.fees
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

/// Euros and cents, and what is below a cent only if it is there.
fn eur(units: i128) -> String {
    let unit = i128::from(EUR);
    let digits = format!("{}.{:07}", units / unit, units % unit);
    let cents = digits.len() - 5;
    format!("{}{}", &digits[..cents], digits[cents..].trim_end_matches('0'))
}

fn xlm(stroops: i64) -> String {
    format!("{:.4}", stroops as f64 / 10_000_000.0)
}
