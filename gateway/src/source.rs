//! The meters, live: threads that connect, decode what comes and pass on what was said, or why nothing was. They connect
//! again for ever, and decide nothing: what a sample is worth is the register's business.

mod http;
mod line;
mod mqtt;

use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Meter, Register, Source};
use crate::input::{NoReading, Sample};

/// What the meter of a provider said, or why it said nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its place in the configuration.
    pub provider: usize,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Sample(Sample),
    NoReading(NoReading),
    /// The connection is there, or is there again.
    Connected,
    /// It is not, for this reason. Said once for as long as the reason stays the same.
    Disconnected(String),
}

/// The connections, until this is dropped.
pub struct Sources {
    stop: Arc<Stop>,
    brokers: Vec<rumqttc::Client>,
    threads: Vec<JoinHandle<()>>,
}

/// Connects to all meters that are not simulated. Samples that `heard` has no room for are lost: the next one has the whole
/// register again.
pub fn start(config: &Config, heard: SyncSender<Heard>) -> Sources {
    let mut sources = Sources { stop: Arc::default(), brokers: vec![], threads: vec![] };
    let mut lines: Vec<(line::Line, Vec<Listener>)> = vec![];
    let mut brokers: Vec<(mqtt::Broker, Vec<(Listener, mqtt::Reader)>)> = vec![];
    let mut pages = vec![];
    for (provider, entry) in config.providers.iter().enumerate() {
        let Meter::Register(register) = &entry.meter else { continue };
        let listener = Listener::new(provider, register);
        match &register.source {
            Source::Mqtt(mqtt) => join(&mut brokers, mqtt::Broker::of(mqtt), (listener, mqtt::Reader::new(mqtt))),
            Source::Telegram(line) => join(&mut lines, line.clone(), listener),
            Source::Http(http) => pages.push((http.clone(), listener)),
            Source::Simulated(_) => {}
        }
    }
    for (line, listeners) in lines {
        sources.run(&heard, listeners, move |link| line::run(&line, link));
    }
    for (http, listener) in pages {
        sources.run(&heard, vec![listener], move |link| http::run(&http, link));
    }
    for (broker, members) in brokers {
        let (listeners, readers) = members.into_iter().unzip();
        let (client, connection) = broker.client();
        sources.brokers.push(client.clone());
        sources.run(&heard, listeners, move |link| mqtt::run(&broker, &client, connection, readers, link));
    }
    sources
}

/// Adds a member to the connection that it shares with others.
fn join<K: PartialEq, M>(connections: &mut Vec<(K, Vec<M>)>, key: K, member: M) {
    match connections.iter_mut().find(|(other, _)| *other == key) {
        Some((_, members)) => members.push(member),
        None => connections.push((key, vec![member])),
    }
}

impl Sources {
    fn run(
        &mut self,
        heard: &SyncSender<Heard>,
        listeners: Vec<Listener>,
        body: impl FnOnce(&mut Link) + Send + 'static,
    ) {
        // Of a thread's stack only what it touches is memory; a handshake of TLS is what needs most.
        const STACK_BYTES: usize = 256 * 1024;
        let states = vec![None; listeners.len()];
        let mut link = Link { listeners, states, heard: heard.clone(), stop: self.stop.clone() };
        let providers: Vec<usize> = link.listeners.iter().map(|listener| listener.provider).collect();
        match Builder::new().name("source".into()).stack_size(STACK_BYTES).spawn(move || body(&mut link)) {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                for provider in providers {
                    let said = Said::Disconnected(format!("there is no thread for it: {error}"));
                    heard.try_send(Heard { provider, said }).ok();
                }
            }
        }
    }

    /// Ends all connections, as dropping this does.
    pub fn stop(self) {}
}

impl Drop for Sources {
    fn drop(&mut self) {
        // An attempt to connect can take longer. It holds nothing that could be lost, and ends by itself.
        const MOST: Duration = Duration::from_secs(1);
        const STEP: Duration = Duration::from_millis(10);
        self.stop.set();
        for broker in &self.brokers {
            broker.try_disconnect().ok();
        }
        let began = Instant::now();
        while began.elapsed() < MOST && !self.threads.iter().all(JoinHandle::is_finished) {
            std::thread::sleep(STEP);
        }
    }
}

/// Whether the threads are to end.
#[derive(Default)]
struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }
}

/// A provider whose meter a connection reads.
#[derive(Clone, Debug)]
struct Listener {
    provider: usize,
    meter_id: Option<String>,
    max_age: Duration,
}

impl Listener {
    fn new(provider: usize, register: &Register) -> Self {
        Self { provider, meter_id: register.id.clone(), max_age: register.max_age }
    }

    /// The sample, if it is of this provider's meter and not too old by the time that the message itself has, if it has
    /// one. Where the clock is not set yet, as on a Raspberry Pi that starts in 1970, no message is too old. That is no
    /// danger: an old register is a lower one, and without the network, which sets the clock, nothing is delivered.
    fn accept(&self, sample: Sample, now: Timestamp) -> Result<Sample, NoReading> {
        let max_age = SignedDuration::try_from(self.max_age).unwrap_or(SignedDuration::MAX);
        let oldest = now.checked_sub(max_age).unwrap_or(Timestamp::MIN);
        sample.accept(self.meter_id.as_deref(), oldest)
    }
}

/// A connection's way to say something. Its listeners are told whether it is there when that changes.
struct Link {
    listeners: Vec<Listener>,
    states: Vec<Option<Result<(), String>>>,
    heard: SyncSender<Heard>,
    stop: Arc<Stop>,
}

impl Link {
    fn is_stopped(&self) -> bool {
        *self.stop.lock()
    }

    /// Whether it was stopped meanwhile.
    fn waits(&self, time: Duration) -> bool {
        let stopped = self.stop.changed.wait_timeout_while(self.stop.lock(), time, |is_set| !*is_set);
        *stopped.unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_up(&mut self) {
        for listener in 0..self.listeners.len() {
            self.turns(listener, Ok(()));
        }
    }

    fn is_down(&mut self, reason: &str) {
        for listener in 0..self.listeners.len() {
            self.turns(listener, Err(reason.into()));
        }
    }

    fn turns(&mut self, listener: usize, state: Result<(), String>) {
        let (Some(listener), Some(before)) = (self.listeners.get(listener), self.states.get_mut(listener)) else {
            return;
        };
        if before.as_ref() == Some(&state) {
            return;
        }
        *before = Some(state.clone());
        let said = state.map_or_else(Said::Disconnected, |()| Said::Connected);
        let mut heard = Heard { provider: listener.provider, said };
        // Unlike a sample this is not said again, so it waits until there is room for it.
        const STEP: Duration = Duration::from_millis(50);
        loop {
            match self.heard.try_send(heard) {
                Ok(()) => return,
                Err(TrySendError::Full(back)) => heard = back,
                Err(TrySendError::Disconnected(_)) => return self.stop.set(),
            }
            if self.waits(STEP) {
                return;
            }
        }
    }

    fn hears(&self, listener: &Listener, read: Result<Sample, NoReading>) {
        let said = read.map_or_else(Said::NoReading, Said::Sample);
        if let Err(TrySendError::Disconnected(_)) = self.heard.try_send(Heard { provider: listener.provider, said }) {
            self.stop.set();
        }
    }
}

/// How long to wait before the next attempt: twice as long as before, and at random, so that a broker that was away is not
/// asked by all at the same moment.
struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    const LEAST: Duration = Duration::from_millis(500);

    fn new(most: Duration) -> Self {
        Self { next: Self::LEAST, most }
    }

    /// After an attempt that lasted so long, with the connection that came of it.
    fn after(&mut self, lasted: Duration) -> Duration {
        if lasted >= self.most {
            self.next = Self::LEAST;
        }
        let time = self.next;
        self.next = (time * 2).min(self.most);
        time / 2 + (time / 2).mul_f64(random() as f64 / u64::MAX as f64)
    }
}

/// Random enough to be different each time: the keys of a hash table are.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// A secret of one line.
fn secret(path: &std::path::Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::Energy;

    fn accepted(sample: &str, now: &str) -> bool {
        let listener = Listener { provider: 0, meter_id: None, max_age: Duration::from_secs(900) };
        let sample = Sample { energy: Energy::KWH, meter_id: None, time: Some(sample.parse().unwrap()) };
        listener.accept(sample, now.parse().unwrap()).is_ok()
    }

    #[test]
    fn a_message_is_refused_when_its_own_time_is_older_than_max_age() {
        assert!(accepted("2026-07-02T11:45:00Z", "2026-07-02T12:00:00Z"));
        assert!(!accepted("2026-07-02T11:44:59Z", "2026-07-02T12:00:00Z"));
    }

    #[test]
    fn a_gateway_whose_clock_is_not_set_yet_takes_messages_of_the_future() {
        assert!(accepted("2026-07-02T12:00:00Z", "1970-01-01T00:00:30Z"));
    }

    #[test]
    fn attempts_become_rarer_until_the_longest_pause_and_begin_anew_after_a_connection_that_lasted() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        let mut pause = |lasted| backoff.after(Duration::from_secs(lasted)).as_millis();
        for whole in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            let pause = pause(0);
            assert!((whole / 2..=whole).contains(&pause), "{pause} ms where {whole} ms is the most");
        }
        assert!(pause(59) > 500);
        assert!(pause(60) <= 500);
    }
}
