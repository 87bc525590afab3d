//! A month of five neighbours for each household, with a network that fails at random and a gateway that is killed at random
//! moments. At the end the chain has the floor of the truth for every consumer, which is computed here from the sun alone.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use p2p_gateway::book::{self, Book, Entry, Fate};
use p2p_gateway::chain::call::Contract;
use p2p_gateway::input::sun::Sun;
use stellar_xdr::ScVal;

use crate::household::DAY;
use crate::network::scene::{delivered, write_key};
use crate::network::{address, sc_address, Network};
use crate::program::{explain, Program};
use crate::proxy::{Dice, Proxy};

const HOUR: u64 = 3_600;
const START_KWH: u64 = 1_000;
const PRICE: u64 = 1_000_000;
/// The last one ends at ten past ten in the evening.
const STEPS: u64 = 11;
/// The day on whose evening one consumer's agreement ends, and the one on which it has another.
const DEADLINE_DAY: u64 = 10;
const NEXT_DAY: u64 = 15;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pays {
    Metered,
    Reviewed,
    Bill,
}

/// What a neighbour has agreed: a share in millionths, and agreements of so many kWh that follow each other.
struct Role {
    share: u64,
    pays: Pays,
    kwh: u64,
    has_gap: bool,
}

const ROLES: [Role; 5] = [
    Role { share: 300_000, pays: Pays::Metered, kwh: 9, has_gap: false },
    Role { share: 250_001, pays: Pays::Reviewed, kwh: 15, has_gap: false },
    Role { share: 199_999, pays: Pays::Bill, kwh: 12, has_gap: false },
    Role { share: 150_000, pays: Pays::Metered, kwh: 500, has_gap: true },
    Role { share: 100_000, pays: Pays::Bill, kwh: 900, has_gap: false },
];

/// kWh of agreements that are open at any time: more than a neighbour gets in three days.
const AHEAD: u64 = 60;

struct Consumer {
    role: &'static Role,
    key: SigningKey,
    agreements: Vec<u64>,
    /// What the registers showed between which it bought, in mWh.
    bought: Vec<(u64, Option<u64>)>,
}

struct Home {
    provider: SigningKey,
    meter: SigningKey,
    sun: Sun,
    consumers: Vec<Consumer>,
    had: (i64, i64),
}

impl Home {
    fn register(&self, now: u64) -> u64 {
        START_KWH * 1_000_000 + self.sun.register(now).mwh()
    }
}

impl Consumer {
    /// Whole kWh by the sun: each time without a gap by itself.
    fn truth(&self, now: u64) -> u64 {
        let of = |(from, until): &(u64, Option<u64>)| {
            let mwh = u128::from(until.unwrap_or(now) - from) * u128::from(self.role.share) / 1_000_000;
            (mwh / 1_000_000) as u64
        };
        self.bought.iter().map(of).sum()
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

struct Month {
    network: Network,
    state: String,
    contract: Contract,
    admin: SigningKey,
    proxy: Proxy,
    folder: PathBuf,
    program: Program,
    homes: Vec<Home>,
    dice: Dice,
    seed: u64,
    per_mille: u64,
    kills: u64,
    peak_kib: u64,
    /// How long the gateway has for two hours of the ledger's clock.
    step: Duration,
    /// A ledger takes a second.
    is_slow: bool,
}

impl Month {
    fn new(name: &str, homes: u64, days: u64) -> Self {
        let folder = std::env::temp_dir().join(format!("p2p-gateway-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let state = folder.join("network").to_str().unwrap().to_string();
        let network = Network::start(&["--state-file", &state]);
        let proxy = Proxy::start(&network.url);
        let admin = network.person(1);
        let contract = network.deploy(&admin);
        let since = network.now() / DAY * DAY;
        let seed = setting("SOAK_SEED", since / DAY);
        let homes = (0..homes).map(|number| home(&network, &contract, &admin, number, since, days)).collect();
        let per_mille = setting("SOAK_FAULTS", 60);
        let step = Duration::from_millis(setting("SOAK_STEP_MS", 200));
        let mut month = Self {
            network,
            state,
            contract,
            admin,
            proxy,
            folder,
            program: Program::default(),
            homes,
            dice: Dice(seed),
            seed,
            per_mille,
            kills: 0,
            peak_kib: 0,
            step,
            is_slow: false,
        };
        month.configure(since);
        month
    }

    fn configure(&mut self, since: u64) {
        let date = jiff::Timestamp::from_second(since as i64).unwrap();
        let date = jiff::tz::TimeZone::UTC.to_datetime(date).date();
        let mut text = format!(
            "network = \"local\"\nrpc = \"{}\"\ncontract = \"{}\"\nstate = \".\"\nledger = \"20ms\"\nmax_fee_per_day = \"1000\"\n",
            self.proxy.url, self.contract.id
        );
        for (number, home) in self.homes.iter().enumerate() {
            write_key(&self.folder.join(format!("{number}.key")), &home.meter);
            write!(
                text,
                "[[provider]]\nname = \"House {number}\"\naddress = \"{}\"\nkey = \"{number}.key\"\nevery = \"day\"\n\
                 [provider.meter]\nsource = \"simulated\"\nsince = \"{date}\"\nstart_kwh = {START_KWH}\npeak_watts = {}\nseed = {}\n",
                address(&home.provider),
                home.sun.peak_watts,
                home.sun.seed
            )
            .unwrap();
            for (place, consumer) in home.consumers.iter().enumerate() {
                let pays = if consumer.role.pays == Pays::Bill { "bill" } else { "deposit" };
                write!(
                    text,
                    "[[provider.consumer]]\nname = \"Neighbour {place}\"\naddress = \"{}\"\nshare = 0.{:06}\npays = \"{pays}\"\n",
                    address(&consumer.key),
                    consumer.role.share
                )
                .unwrap();
            }
        }
        std::fs::write(self.folder.join("gateway.toml"), text).unwrap();
    }

    fn agree(&mut self, home: usize, place: usize, deadline: u64) -> u64 {
        let Home { provider, consumers, .. } = &self.homes[home];
        let consumer = &consumers[place];
        let parties = [provider, &consumer.key].map(|key| ScVal::Address(sc_address(key)));
        let terms = [consumer.role.kwh, PRICE, deadline].map(ScVal::U64);
        let args: Vec<_> = parties.into_iter().chain(terms).collect();
        // The admin pays the fees, so that what the provider has tells what it was paid.
        let id = self.network.call(&self.contract, &self.admin, "create_agreement", args, &[provider]);
        let ScVal::U64(id) = id else { panic!("{id:?}") };
        let deposit = match consumer.role.pays {
            Pays::Reviewed => Some(1),
            Pays::Metered => Some(2),
            Pays::Bill => None,
        };
        if let Some(deposit) = deposit {
            let args = [ScVal::U64(id), ScVal::Address(sc_address(&consumer.key)), ScVal::U32(deposit)];
            self.network.call(&self.contract, &consumer.key, "fund_agreement", args, &[]);
        }
        self.homes[home].consumers[place].agreements.push(id);
        id
    }

    /// Each neighbour whose agreements follow each other has enough of them for the next day.
    fn agree_ahead(&mut self, days: u64) {
        let deadline = self.network.now() + 40 * DAY;
        for home in 0..self.homes.len() {
            for (place, role) in ROLES.iter().enumerate() {
                if role.has_gap {
                    continue;
                }
                loop {
                    let consumer = &self.homes[home].consumers[place];
                    let recent = consumer.agreements.iter().rev().take(16);
                    let left: u64 = recent.map(|id| consumer.role.kwh - self.delivered(*id)).sum();
                    if left >= AHEAD * days {
                        break;
                    }
                    self.agree(home, place, deadline);
                }
            }
        }
    }

    fn delivered(&self, agreement: u64) -> u64 {
        delivered(&self.network, &self.contract, agreement)
    }

    fn total(&self, consumer: &Consumer) -> u64 {
        consumer.agreements.iter().map(|id| self.delivered(*id)).sum()
    }

    fn start(&self) {
        self.program.start(&self.folder, &[], &["run"]);
    }

    fn kill(&mut self) {
        self.peak_kib = self.peak_kib.max(self.program.peak_kib().unwrap_or(0));
        self.program.kill();
        self.kills += 1;
        self.start();
    }

    /// What is on its way has its end before the clock is moved. This network takes a call also after its time, if that is
    /// not over by the clock of this computer.
    fn lands(&self) {
        const MOST: Duration = Duration::from_secs(10);
        let began = Instant::now();
        let is_on_its_way = || {
            let memory = Book::look(&self.folder).unwrap().memory;
            memory.keys.values().any(|key| key.in_flight.is_some())
        };
        while is_on_its_way() && began.elapsed() < MOST {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Two hours of the ledger's clock, in which it is killed so often.
    fn step(&mut self, kills: u64) {
        if self.is_slow {
            self.lands();
        }
        self.network.advance(2 * HOUR);
        let millis = self.step.as_millis() as u64;
        let mut at: Vec<_> = (0..kills).map(|_| self.dice.below(millis)).collect();
        at.sort_unstable();
        let mut passed = 0;
        for at in at {
            std::thread::sleep(Duration::from_millis(at - passed));
            passed = at;
            self.kill();
        }
        std::thread::sleep(Duration::from_millis(millis - passed));
    }

    fn chaos(&mut self) {
        let seed = self.dice.below(u64::MAX);
        self.proxy.chaos(seed, self.per_mille);
    }

    /// Without faults, until this is so.
    fn quiet(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        const MOST: Duration = Duration::from_secs(120);
        self.proxy.heal();
        let began = Instant::now();
        while !is_so(self) {
            if began.elapsed() > MOST {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap();
                let log = &log[log.len().saturating_sub(1_000)..];
                panic!("seed {}: {what} is waited for in vain\n{}{log}", self.seed, self.table());
            }
            // Whatever had to rest has rested. From the last delivery to the deadline there are 78 such steps.
            self.network.advance(61);
            std::thread::sleep(Duration::from_secs(1));
            self.lands();
        }
    }

    /// What each neighbour has of its truth.
    fn table(&self) -> String {
        let now = self.network.now();
        let of = |home: &Home, consumer: &Consumer| {
            format!("{} of {} kWh\n", self.total(consumer), consumer.truth(home.register(now)))
        };
        self.homes.iter().flat_map(|home| home.consumers.iter().map(move |consumer| of(home, consumer))).collect()
    }

    /// On a machine that is busy the gateway may not get far between two kills. What is agreed lasts for three days, so it
    /// has to deliver now and then.
    fn catches_up(&self) {
        const MOST: u32 = 60;
        let has_run = || {
            let now = self.network.now();
            let memory = Book::look(&self.folder).unwrap().memory;
            let ran = |home: &Home| memory.providers.get(&address(&home.provider)).and_then(|provider| provider.ran);
            self.homes.iter().all(|home| ran(home).is_some_and(|ran| ran + 2 * DAY > now))
        };
        for _ in 0..MOST {
            if has_run() {
                return;
            }
            self.network.advance(30);
            std::thread::sleep(Duration::from_secs(1));
            self.lands();
        }
    }

    /// Whether the chain has all that the consumers of this role are entitled to. It never has more.
    fn is_exact(&self, is_of: impl Fn(&Role) -> bool) -> bool {
        let now = self.network.now();
        self.homes.iter().all(|home| {
            home.consumers.iter().enumerate().filter(|(_, consumer)| is_of(consumer.role)).all(|(place, consumer)| {
                let (total, truth) = (self.total(consumer), consumer.truth(home.register(now)));
                assert!(total <= truth, "seed {}: neighbour {place} has {total} kWh of {truth}", self.seed);
                total == truth
            })
        })
    }

    /// Until the gateway has looked at these agreements.
    fn knows(&self, ids: &[u64]) {
        self.quiet("the account", |month| {
            let memory = Book::look(&month.folder).unwrap().memory;
            let accounts = memory.providers.values().flat_map(|provider| provider.accounts.values());
            let known: Vec<_> = accounts.map(|account| account.until).collect();
            ids.iter().all(|id| known.contains(id))
        });
    }

    fn moves(&mut self, args: &[&str]) {
        self.network.kill();
        let state = self.state.clone();
        self.network = Network::start(&[&["--state-file", &state], args].concat());
        self.proxy.moves(&self.network.url);
    }

    /// The evening's deliveries are due at half past nine.
    fn day(&mut self, day: u64, kills: u64) {
        for step in 0..STEPS {
            let kills_now = if step == STEPS - 1 {
                kills - kills / 2
            } else {
                (kills / 2 * (step + 1)) / (STEPS - 1) - (kills / 2 * step) / (STEPS - 1)
            };
            if day == DEADLINE_DAY && step == STEPS - 1 {
                self.proxy.heal();
                self.network.advance(2 * HOUR);
                self.quiet("the last delivery before the deadline", |month| month.is_exact(|role| role.has_gap));
                (0..kills_now).for_each(|_| self.kill());
                continue;
            }
            self.step(kills_now);
        }
        self.catches_up();
    }

    fn play(&mut self, days: u64, kills: u64, slow_days: u64) {
        self.network.night();
        let midnight = self.network.now() / DAY * DAY;
        self.agree_ahead(1);
        let with_gap: Vec<_> = (0..ROLES.len()).filter(|place| ROLES[*place].has_gap).collect();
        for home in 0..self.homes.len() {
            for place in &with_gap {
                // After the evening's delivery on that day.
                self.agree(home, *place, midnight + DEADLINE_DAY * DAY + 23 * HOUR + 1_800);
            }
        }
        self.start();
        let newest = |month: &Self| -> Vec<u64> {
            month
                .homes
                .iter()
                .flat_map(|home| home.consumers.iter().filter_map(|consumer| consumer.agreements.last().copied()))
                .collect()
        };
        self.knows(&newest(self));
        let now = self.network.now();
        for home in &mut self.homes {
            let register = home.register(now);
            home.consumers.iter_mut().for_each(|consumer| consumer.bought.push((register, None)));
            home.had = (self.network.balance(&home.provider), self.network.balance(&home.meter));
        }
        for day in 0..days {
            let now = self.network.now();
            self.network.advance((midnight + day * DAY + 600).saturating_sub(now));
            if day == DEADLINE_DAY + 1 || day == NEXT_DAY {
                self.proxy.heal();
                let now = self.network.now();
                for home in 0..self.homes.len() {
                    for place in &with_gap {
                        let register = self.homes[home].register(now);
                        if day == NEXT_DAY {
                            self.agree(home, *place, now + 40 * DAY);
                            self.homes[home].consumers[*place].bought.push((register, None));
                        } else if let Some((_, until)) = self.homes[home].consumers[*place].bought.last_mut() {
                            *until = Some(register);
                        }
                    }
                }
                if day == NEXT_DAY {
                    self.knows(&newest(self));
                }
            }
            if day + slow_days == days {
                self.agree_ahead(slow_days);
                self.moves(&["--ledger-seconds", "1"]);
                self.step *= 4;
                self.is_slow = true;
            } else if day + slow_days < days {
                self.agree_ahead(1);
            }
            self.chaos();
            self.day(day, (day + 1) * kills / days - day * kills / days);
        }
        self.network.night();
        self.quiet("the end", |month| month.is_exact(|_| true));
    }

    /// What the gateway accounts for is what the chain has, kWh by kWh.
    fn is_explained(&self) {
        let number = |value: &serde_json::Value| value.as_u64().unwrap();
        for consumer in self.homes.iter().flat_map(|home| &home.consumers) {
            for id in &consumer.agreements {
                let explained = explain(&self.folder, *id);
                let total: u64 = explained.iter().map(|line| number(&line["energy_kwh"])).sum();
                assert_eq!(total, self.delivered(*id), "seed {}: agreement {id}", self.seed);
                for line in &explained {
                    let calls = line["calls"].as_array().unwrap();
                    let of_calls: u64 = calls.iter().map(|call| number(&call["energy_kwh"])).sum();
                    assert_eq!(of_calls, number(&line["energy_kwh"]), "seed {}: agreement {id}: {line}", self.seed);
                }
            }
        }
    }

    /// What a meter recorded was paid from the deposits at once, once.
    fn is_paid_once(&self) {
        for home in &self.homes {
            let metered = home.consumers.iter().filter(|consumer| consumer.role.pays == Pays::Metered);
            let kwh: u64 = metered.map(|consumer| self.total(consumer)).sum();
            let paid = self.network.balance(&home.provider) - home.had.0;
            assert_eq!(paid, i64::try_from(kwh * PRICE).unwrap(), "seed {}: stroops paid", self.seed);
        }
    }

    fn figures(&self, began: Instant) -> String {
        let entries = book::read_all(&self.folder).unwrap();
        let is_delivery = |entry: &&Entry| matches!(entry, Entry::Ended(ended) if ended.end == Fate::Recorded);
        let deliveries = entries.iter().filter(is_delivery).count() as u64;
        let fees: i64 = self.homes.iter().map(|home| home.had.1 - self.network.balance(&home.meter)).sum();
        format!(
            "{} households: {deliveries} deliveries, {} kills, {} faults, {:.1} requests and {} stroops of fees a delivery, \
             journal {} bytes, peak memory {} KiB, {} s (seed {})",
            self.homes.len(),
            self.kills,
            self.proxy.faults(),
            self.proxy.count("") as f64 / deliveries as f64,
            fees / i64::try_from(deliveries).unwrap(),
            std::fs::metadata(self.folder.join("journal")).unwrap().len(),
            self.peak_kib.max(self.program.peak_kib().unwrap_or(0)),
            began.elapsed().as_secs(),
            self.seed
        )
    }
}

fn home(network: &Network, contract: &Contract, admin: &SigningKey, number: u64, since: u64, days: u64) -> Home {
    let person = |place: u64| network.person(1_000 + number * 10 + place);
    let (provider, meter) = (person(0), person(1));
    let keys: Vec<_> = (0..ROLES.len() as u64).map(|place| person(2 + place)).collect();
    for key in keys.iter().chain([&provider]) {
        network.call(contract, admin, "register_prosumer", [ScVal::Address(sc_address(key))], &[key]);
    }
    let addresses = [&provider, &meter].map(|key| ScVal::Address(sc_address(key)));
    let args: Vec<_> = addresses.into_iter().chain([START_KWH, 50].map(ScVal::U64)).collect();
    network.call(contract, admin, "register_meter", args, &[&provider]);
    // 20 kWh a day in every season.
    let seed = number + 1;
    let whole = Sun { seed, peak_watts: 10_000, since };
    let usual = whole.register(since + days.max(10) * DAY).kwh() / days.max(10);
    let peak_watts = u32::try_from(10_000 * 20 / usual.max(1)).unwrap();
    let sun = Sun { peak_watts, ..whole };
    let consumers =
        ROLES.iter().zip(keys).map(|(role, key)| Consumer { role, key, agreements: vec![], bought: vec![] });
    Home { provider, meter, sun, consumers: consumers.collect(), had: (0, 0) }
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn after_a_month_of_faults_and_crashes_the_chain_equals_the_truth() {
    let began = Instant::now();
    let days = setting("SOAK_DAYS", 30).max(NEXT_DAY + 2);
    let kills = setting("SOAK_KILLS", 200);
    let mut month = Month::new("month", setting("SOAK_HOUSEHOLDS", 1), days);
    month.play(days, kills, 1);
    month.is_paid_once();
    month.is_explained();
    assert_eq!(month.kills, kills);
    println!("{}", month.figures(began));
    month.program.kill();
    std::fs::remove_dir_all(&month.folder).expect("its folder can be removed");
}
