//! A gateway: what its threads share, and what each of them may do with it.

mod delivering;
pub mod reporting;
mod sending;

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ed25519_dalek::SigningKey;
use stellar_xdr::{AccountId, PublicKey, ScAddress, Uint256};
use thiserror::Error;

use crate::book::{Book, Entry, ProviderMemory};
use crate::chain::call::Contract;
use crate::chain::records::{Prosumer, Unreadable};
use crate::chain::rpc::{self, Rpc};
use crate::chain::view::{self, Reader};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::counting::{Agreement, Delivery};
use crate::folder::Problem;
use crate::input::{NoReading, Sample};
use crate::meter::Meter;
use crate::plan;
use crate::{journal, log};

pub struct Gateway {
    pub config: Config,
    pub rpc: Rpc,
    pub contract: Contract,
    pub clock: Clock,
    pub stop: Stop,
    book: Mutex<Book>,
    /// As the journal names them.
    addresses: Vec<String>,
    providers: Vec<Mutex<Provider>>,
    keys: Vec<Key>,
    /// No state of an older ledger is believed.
    newest: Mutex<Newest>,
    /// Why the network does not tell the time.
    silence: Mutex<Option<String>>,
}

/// The newest ledger that an answer named.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    ledger: u32,
    /// Since when all answers are of older ones.
    missed: Option<Instant>,
}

/// What is known of a provider besides the journal.
#[derive(Default)]
pub struct Provider {
    pub meter: Meter,
    pub status: Status,
    /// What was logged of it last.
    told: Status,
    pub seen: Option<Seen>,
    pub files: Option<Files>,
    /// What the contract refused at the last delivery.
    refused: Option<String>,
    /// When it is looked at again if something was in the way, of the ledger's clock, and how often that was in a row.
    retry: Option<(u64, u32)>,
    looked_at: Option<u64>,
}

/// What was wrong with a grid operator's files, and when the newest was written.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub problems: Vec<Problem>,
    pub newest: Option<SystemTime>,
}

/// What the chain showed last.
#[derive(Clone, Debug)]
pub struct Seen {
    pub prosumer: Prosumer,
    /// By consumer.
    pub agreements: BTreeMap<String, Vec<Agreement>>,
}

/// What a provider's deliveries are doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Waiting,
    Delivering,
    /// It goes on by itself.
    Held(String),
    /// A person has to look.
    Stopped(String),
}

impl Status {
    /// The same but for numbers, which grow while it lasts.
    fn is_like(&self, other: &Self) -> bool {
        let words = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        match (self, other) {
            (Self::Held(one), Self::Held(other)) | (Self::Stopped(one), Self::Stopped(other)) => {
                words(one) == words(other)
            }
            _ => self == other,
        }
    }
}

/// A meter's key, with the providers whose meter it is.
pub struct Key {
    pub address: String,
    secret: SigningKey,
    pub providers: Vec<usize>,
    state: Mutex<KeyState>,
}

#[derive(Clone, Debug, Default)]
pub struct KeyState {
    pub balance: Option<i64>,
    /// Calls in a row that were applied and did nothing.
    pub failures: u32,
    /// Calls in a row in whose place another one with the same number was applied.
    pub displaced: u32,
    /// Why nobody said what became of the call that is on its way, when it was asked for last.
    pub unanswered: Option<String>,
    /// Nothing is sent before this time of the ledger's clock.
    pub held_until: u64,
}

/// Why a provider's deliveries do not go on.
#[derive(Debug, Error)]
pub enum Trouble {
    #[error("{0}")]
    Held(String),
    /// So it is after each start: it is shown, and is no event.
    #[error("{0}")]
    Beginning(String),
    #[error("{0}")]
    Stopped(String),
    #[error("the gateway is being stopped")]
    Stopping,
    /// Without a journal nothing may be signed.
    #[error(transparent)]
    Journal(#[from] journal::Failure),
}

impl From<view::Failure> for Trouble {
    fn from(failure: view::Failure) -> Self {
        match failure {
            view::Failure::Unreadable(Unreadable::Missing(_)) | view::Failure::Refused { .. } => {
                Self::Stopped(failure.to_string())
            }
            _ => Self::Held(failure.to_string()),
        }
    }
}

impl From<rpc::Failure> for Trouble {
    fn from(failure: rpc::Failure) -> Self {
        Self::Held(failure.to_string())
    }
}

impl From<plan::OldCertificate> for Trouble {
    fn from(failure: plan::OldCertificate) -> Self {
        Self::Held(failure.to_string())
    }
}

impl From<plan::Unbelievable> for Trouble {
    fn from(failure: plan::Unbelievable) -> Self {
        Self::Held(failure.to_string())
    }
}

/// What a visit may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read the chain, and keep the accounts.
    Look,
    Deliver,
    /// Say what would be delivered first.
    DryRun,
}

/// What a visit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    pub delivered: Vec<Delivery>,
    /// In a dry run.
    pub would_deliver: Option<(Delivery, u32)>,
    /// Something is due, and cannot be delivered before this time of the ledger's clock.
    pub due_at: Option<u64>,
    /// An agreement for which the contract refused what it should take. A person has to look; all others had their turn.
    pub refused: Option<String>,
}

impl Gateway {
    pub fn new(config: Config, book: Book, keys: Vec<(SigningKey, Vec<usize>)>) -> Self {
        let rpc = Rpc::new(&config.network.rpc, &config.network.passphrase);
        let contract = Contract::new(config.contract.clone(), &config.network.passphrase);
        let addresses = config.providers.iter().map(|provider| provider.address.to_string()).collect();
        let providers = config.providers.iter().map(|_| Mutex::default()).collect();
        let key = |(secret, providers): (SigningKey, Vec<usize>)| Key {
            address: account(&secret.verifying_key().to_bytes()).to_string(),
            secret,
            providers,
            state: Mutex::default(),
        };
        Self {
            rpc,
            contract,
            clock: Clock::default(),
            stop: Stop::default(),
            book: Mutex::new(book),
            addresses,
            providers,
            keys: keys.into_iter().map(key).collect(),
            newest: Mutex::default(),
            silence: Mutex::default(),
            config,
        }
    }

    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub fn provider(&self, place: usize) -> MutexGuard<'_, Provider> {
        lock(&self.providers[place])
    }

    /// Asks the network for the time, unless it has told it lately.
    pub fn refresh_clock(&self, at_most: Duration) -> Result<u64, Trouble> {
        if self.clock.age().is_none_or(|age| age >= at_most) {
            let asked = self.ask_time();
            *lock(&self.silence) = asked.as_ref().err().map(ToString::to_string);
            asked?;
        }
        self.clock.now().ok_or(Trouble::Held("the network has not told the time".into()))
    }

    fn ask_time(&self) -> Result<(), Trouble> {
        let latest = self.rpc.latest()?;
        self.learn(latest.ledger, latest.close)
    }

    /// A ledger closed at this time: if that can be.
    fn learn(&self, ledger: u32, close: u64) -> Result<(), Trouble> {
        self.check_time(close).inspect_err(|_| self.rpc.leave(self.rpc.current()))?;
        self.see(ledger);
        self.clock.learn(ledger, close);
        Ok(())
    }

    /// A server that says it is later than it is could have a signed call stay valid for ever, and agreements end.
    fn check_time(&self, close: u64) -> Result<(), Trouble> {
        /// A clock that was never set stands before this: 1 January 2026.
        const BUILT: u64 = 1_767_225_600;
        /// No ledger closes after this, whatever this clock says: 1 January 2100.
        const NEVER: u64 = 4_102_444_800;
        if close > NEVER {
            return Err(Trouble::Held("the server's ledger is of another century".into()));
        }
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        if self.is_timely() && wall > BUILT && close > wall + plan::AHEAD {
            return Err(Trouble::Held(format!("the server's ledger is {} s ahead of this clock", close - wall)));
        }
        Ok(())
    }

    /// Whether the ledger's clock goes with everybody's. That of a network for tests is moved.
    fn is_timely(&self) -> bool {
        self.config.network.ledger >= Duration::from_secs(1)
    }

    fn see(&self, ledger: u32) {
        let mut newest = lock(&self.newest);
        if ledger >= newest.ledger {
            *newest = Newest { ledger, missed: None };
        }
    }

    /// State of which ledger is new enough. One that a server made up is not waited for for ever: what is planned on old
    /// state has an old number, and nothing comes of it.
    fn needed(&self) -> u32 {
        lock(&self.newest).ledger
    }

    /// A server showed an older ledger than is known.
    fn miss(&self) {
        const PATIENCE: Duration = Duration::from_secs(300);
        self.rpc.leave(self.rpc.current());
        let mut newest = lock(&self.newest);
        let since = *newest.missed.get_or_insert_with(Instant::now);
        if since.elapsed() >= PATIENCE.min(self.config.network.clock_age() * 5) {
            *newest = Newest::default();
        }
    }

    fn reader<'a>(&'a self, key: &Key) -> Reader<'a> {
        Reader { rpc: &self.rpc, contract: &self.contract, source: key.secret.verifying_key().to_bytes() }
    }

    fn write(&self, entry: Entry) -> Result<(), Trouble> {
        Ok(lock(&self.book).write(entry)?)
    }

    pub fn memory(&self, place: usize) -> ProviderMemory {
        lock(&self.book).memory.providers.get(&self.addresses[place]).cloned().unwrap_or_default()
    }

    pub fn spent_today(&self, key: &Key, now: u64) -> u64 {
        lock(&self.book).memory.spent_today(&key.address, now)
    }

    pub fn address(&self, place: usize) -> String {
        self.addresses[place].clone()
    }

    /// What a meter said at this time of the ledger's clock. A reading that is believed is kept now and then, so that a
    /// restart begins there.
    pub fn hear(&self, place: usize, said: Result<Sample, NoReading>, at: u64) -> Result<(), Trouble> {
        const KEPT_EVERY: u64 = 3_600;
        let believed = {
            let mut provider = self.provider(place);
            let meter = &mut provider.meter;
            let is_believed = meter.take(said, at);
            if let Some(why) = meter.news() {
                log::warning(format!("{}: no reading: {why}", self.config.providers[place].name));
            }
            if !is_believed {
                return Ok(());
            }
            meter.believed()
        };
        let Some(believed) = believed else { return Ok(()) };
        let kept = lock(&self.book).memory.providers.get(&self.addresses[place]).and_then(|memory| memory.believed);
        if kept.is_none_or(|kept| kept.energy < believed.energy && kept.at + KEPT_EVERY <= believed.at) {
            let (at, energy) = (believed.at, believed.energy);
            self.write(Entry::Believed { provider: self.address(place), at, energy })?;
        }
        Ok(())
    }

    /// What a provider has to do now, if anything.
    pub fn is_due(&self, place: usize, now: u64) -> Option<Mode> {
        const LOOKS_EVERY: u64 = 3_600;
        let (retry, looked_at) = {
            let provider = self.provider(place);
            (provider.retry, provider.looked_at)
        };
        if retry.is_some_and(|(at, _)| now < at) {
            return None;
        }
        let address = &self.addresses[place];
        let ran = lock(&self.book).memory.providers.get(address).and_then(|memory| memory.ran);
        // A time of the future was a server's lie, or a clock's.
        let ran = ran.filter(|ran| *ran <= now).unwrap_or(0);
        let due = self.config.providers[place].schedule.last_due(&self.config.time_zone, address, now);
        if ran < due {
            return Some(Mode::Deliver);
        }
        let is_time = retry.is_some() || looked_at.is_none_or(|looked_at| looked_at + LOOKS_EVERY <= now);
        is_time.then_some(Mode::Look)
    }

    /// A turn of this key ended by a fault of the program. It is tried again, rarely.
    pub fn panicked(&self, key: &Key) {
        const LATER: u64 = 3_600;
        let now = self.clock.now().unwrap_or(0);
        for place in &key.providers {
            let mut provider = self.provider(*place);
            provider.retry = Some((now + LATER, 0));
            provider.status = Status::Stopped("this program has a fault: please report what the log says".into());
        }
    }

    /// What a visit came to decides when the next one is.
    pub fn visited(&self, place: usize, mode: Mode, visit: &Result<Visit, Trouble>) -> Result<(), Trouble> {
        const FIRST_RETRY: u64 = 5;
        const LAST_RETRY: u64 = 3_600;
        let now = self.clock.now().unwrap_or(0);
        let mut provider = self.provider(place);
        let name = &self.config.providers[place].name;
        match visit {
            Ok(visit) => {
                // Who only looks tries nothing.
                if mode == Mode::Deliver {
                    provider.refused.clone_from(&visit.refused);
                }
                provider.status = provider.refused.clone().map_or(Status::Waiting, Status::Stopped);
                if !provider.status.is_like(&provider.told) {
                    match &provider.refused {
                        Some(why) => log::error(format!("{name}: stopped: {why}")),
                        None => log::info(format!("{name}: goes on")),
                    }
                    provider.told = provider.status.clone();
                }
                provider.looked_at = Some(now);
                provider.retry = visit.due_at.map(|at| (at.min(now + LAST_RETRY), 0));
                drop(provider);
                if mode == Mode::Deliver && visit.due_at.is_none() {
                    self.write(Entry::Ran { provider: self.address(place), at: now })?;
                }
            }
            Err(trouble) => {
                let times = provider.retry.map_or(0, |(_, times)| times);
                let pause = (FIRST_RETRY << times.min(16)).min(LAST_RETRY);
                provider.retry = Some((now + pause, times + 1));
                provider.status = match trouble {
                    Trouble::Stopped(why) => Status::Stopped(why.clone()),
                    _ => Status::Held(trouble.to_string()),
                };
                let is_event = !matches!(trouble, Trouble::Beginning(_) | Trouble::Stopping);
                if is_event && !provider.status.is_like(&provider.told) {
                    provider.told = provider.status.clone();
                    match trouble {
                        Trouble::Stopped(_) => log::error(format!("{name}: stopped: {trouble}")),
                        _ => log::warning(format!("{name}: deliveries wait: {trouble}")),
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whose meter this key is.
pub fn account(key: &[u8; 32]) -> ScAddress {
    ScAddress::Account(AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(*key))))
}

/// Which key is of which providers: those with the same file share it.
pub fn files_of_keys(providers: &[config::Provider]) -> BTreeMap<&std::path::Path, Vec<usize>> {
    let mut files: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, provider) in providers.iter().enumerate() {
        files.entry(provider.key.as_path()).or_default().push(place);
    }
    files
}

/// A thread that panicked has left what it was about to change, and nothing in part.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells all threads to end.
#[derive(Debug, Default)]
pub struct Stop {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    pub fn stop(&self) {
        *lock(&self.stopped) = true;
        self.told.notify_all();
    }

    pub fn is_stopped(&self) -> bool {
        *lock(&self.stopped)
    }

    /// Waits for so long, or until it is to end.
    pub fn wait(&self, duration: Duration) -> Result<(), Trouble> {
        let stopped = self.told.wait_timeout_while(lock(&self.stopped), duration, |stopped| !*stopped);
        let is_stopped = *stopped.unwrap_or_else(PoisonError::into_inner).0;
        if is_stopped {
            Err(Trouble::Stopping)
        } else {
            Ok(())
        }
    }
}
