//! An evening of many households, each with a key of its own: how long it takes from the schedule's time to the last
//! delivery on the chain, with how many requests and fees; and what the gateway takes of memory and processor before it.
//!
//! GATEWAY names its program, LOCALNET the local network's and WASM the contract. `cargo run --release --example evening -- 500`
//! is the size for which the bars are set. It fails above a bar.

#[path = "../tests/network/mod.rs"]
mod network;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use network::{address, path, sc_address, Network};
use p2p_gateway::chain::call::Contract;
use p2p_gateway::report::Report;
use stellar_xdr::ScVal;

/// The bars for 500 households, and for one.
const MOST_SECONDS: u64 = 180;
const MOST_REQUESTS: f64 = 6.5;
const MOST_MEMORY_KB: u64 = 60_000;
const MOST_MEMORY_OF_ONE_KB: u64 = 12_000;
const MOST_CPU_PERCENT: f64 = 0.5;

const MOST_BYTES: u64 = 5_000_000;

const DAY: u64 = 86_400;
/// The time of a schedule that names none, in UTC.
const EVENING: u64 = 21 * 3_600 + 30 * 60;
const SHORTLY: u64 = 600;
const BELIEVED_AFTER: Duration = Duration::from_secs(30);
const PORT: u16 = 39_464;

struct Gateway {
    program: Child,
    folder: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn main() {
    let households: u64 = std::env::args().nth(1).map_or(50, |count| count.parse().expect("a number of households"));
    let bytes = std::fs::metadata(path("GATEWAY")).expect("the gateway's program").len();
    println!("the program has {bytes} bytes");
    assert!(bytes <= MOST_BYTES, "above the bar");
    let network = Network::start(&[]);
    let (coop, bob) = (network.person(1), network.person(2));
    let contract = network.deploy(&coop);
    network.call(&contract, &bob, "register_prosumer", [ScVal::Address(sc_address(&bob))], &[]);
    let start = Instant::now();
    let meters: Vec<_> = (0..households).map(|number| settle(&network, &contract, &coop, &bob, number)).collect();
    println!("{households} households are settled after {} s", start.elapsed().as_secs());

    let one = Gateway::start(&network, &contract, &bob, &meters[..1]);
    let (memory, cpu) = one.idle();
    println!("one household: {memory} KB of memory, {cpu:.2} % of a core while it waits");
    assert!(memory <= MOST_MEMORY_OF_ONE_KB && cpu <= MOST_CPU_PERCENT, "above the bar");
    drop(one);

    let all = Gateway::start(&network, &contract, &bob, &meters);
    let (_, cpu) = all.idle();
    // What is due on the first evening is delivered whenever that is noticed. The second one is measured: shortly before it
    // all that the sun gave is believed, and then all are due within a minute.
    let second = (network.now() / DAY + 2) * DAY + EVENING;
    network.advance(second - DAY + SHORTLY - network.now());
    all.delivered_since(second - DAY, meters.len());
    network.advance(second - SHORTLY - network.now());
    sleep(BELIEVED_AFTER);
    let before = all.report();
    network.advance(second - network.now());
    let evening = Instant::now();
    let report = all.delivered_since(second, meters.len());
    let seconds = evening.elapsed().as_secs_f64();
    let requests = (report.requests - before.requests) as f64 / households as f64;
    let fees: u64 = report.keys.iter().map(|key| key.fees_stroops).sum();
    let memory = all.memory();
    println!(
        "{households} households: {memory} KB of memory, {cpu:.2} % of a core while they wait; the last delivery is recorded \
         {seconds:.0} s after the evening began, with {requests:.1} requests and a fee of {:.7} XLM each",
        fees as f64 / households as f64 / 1e7
    );
    assert!(memory <= MOST_MEMORY_KB && requests <= MOST_REQUESTS, "above the bar");
}

/// A household with a meter and an agreement, and the keys of both.
fn settle(
    network: &Network,
    contract: &Contract,
    coop: &SigningKey,
    bob: &SigningKey,
    number: u64,
) -> (SigningKey, SigningKey) {
    const METERED: u32 = 2;
    let (household, meter) = (network.person(1_000 + number), network.person(10_000 + number));
    let of = |key: &SigningKey| ScVal::Address(sc_address(key));
    network.call(contract, &household, "register_prosumer", [of(&household)], &[]);
    let certificate = [of(&household), of(&meter), ScVal::U64(1_000), ScVal::U64(20)];
    network.call(contract, coop, "register_meter", certificate, &[&household]);
    let deadline = network.now() + 60 * DAY;
    let terms = [of(&household), of(bob), ScVal::U64(200), ScVal::U64(100), ScVal::U64(deadline)];
    let id = network.call(contract, &household, "create_agreement", terms, &[]);
    network.call(contract, bob, "fund_agreement", [id, of(bob), ScVal::U32(METERED)], &[]);
    (household, meter)
}

impl Gateway {
    fn start(network: &Network, contract: &Contract, bob: &SigningKey, meters: &[(SigningKey, SigningKey)]) -> Self {
        let folder = std::env::temp_dir().join(format!("p2p-gateway-evening-{}-{}", std::process::id(), meters.len()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let now = i64::try_from(network.now()).expect("a time");
        let now = jiff::Timestamp::from_second(now).expect("a time");
        // Until then the registers show what was certified.
        let tomorrow = jiff::tz::TimeZone::UTC.to_datetime(now).date().tomorrow().expect("a day");
        let url = &network.url;
        // It waits about as long for a ledger as on a public network, and takes the clock that was moved.
        let mut text = format!(
            "network = \"local\"\nrpc = \"{url}\"\nledger = \"900ms\"\ncontract = \"{}\"\nstate = \".\"\nhealth = \"127.0.0.1:{PORT}\"\n",
            contract.id
        );
        for (number, (household, meter)) in meters.iter().enumerate() {
            write_key(&folder.join(format!("{number}.key")), meter);
            let _ = write!(
                text,
                "[[provider]]\nname = \"{number}\"\naddress = \"{}\"\nkey = \"{number}.key\"\n[provider.meter]\nsource = \"simulated\"\n\
                 seed = {number}\nstart_kwh = 1000\nsince = \"{tomorrow}\"\n[[provider.consumer]]\nname = \"Bob\"\naddress = \"{}\"\nshare = 0.5\n\
                 pays = \"deposit\"\n",
                address(household),
                address(bob)
            );
        }
        let config = folder.join("gateway.toml");
        std::fs::write(&config, text).expect("a configuration");
        let mut command = Command::new(path("GATEWAY"));
        let program = command.arg("--config").arg(config).arg("run").spawn().expect("the gateway starts");
        Self { program, folder }
    }

    /// Its memory and processor over some seconds in which nothing is due.
    fn idle(&self) -> (u64, f64) {
        const SETTLES: Duration = Duration::from_secs(20);
        const WATCHED: u64 = 20;
        sleep(SETTLES);
        let before = self.ticks();
        sleep(Duration::from_secs(WATCHED));
        let ticks = self.ticks() - before;
        // A tick is the hundredth part of a second, and so a percent of a core in a second.
        (self.memory(), ticks as f64 / WATCHED as f64)
    }

    /// Waits until each household has had a delivery since then.
    fn delivered_since(&self, time: u64, households: usize) -> Report {
        let start = Instant::now();
        loop {
            sleep(Duration::from_millis(500));
            let report = self.report();
            let consumers = report.providers.iter().flat_map(|provider| &provider.consumers);
            let last = consumers.filter_map(|consumer| consumer.last_delivery.as_ref());
            let delivered = last.filter(|delivery| delivery.delivered_at >= time).count();
            if delivered == households {
                return report;
            }
            let seconds = start.elapsed().as_secs();
            assert!(seconds <= MOST_SECONDS, "{delivered} of {households} are delivered after {seconds} s");
        }
    }

    fn report(&self) -> Report {
        let url = format!("http://127.0.0.1:{PORT}/status");
        let mut response = ureq::get(&url).call().expect("the gateway answers");
        let body = response.body_mut().with_config().limit(64 << 20).read_to_string().expect("its status");
        serde_json::from_str(&body).expect("a report")
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.program.id())).expect("the gateway runs")
    }

    /// The most that was resident, in KB.
    fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a line");
        line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
    }

    fn ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(") ").expect("the name");
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }
}

fn write_key(path: &Path, key: &SigningKey) {
    use std::os::unix::fs::PermissionsExt;
    let secret = stellar_strkey::ed25519::PrivateKey(key.to_bytes());
    std::fs::write(path, format!("{}\n", secret.as_unredacted())).expect("a key");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("its mode");
}
