//! The gateway at work: sources are heard, and keys that have something to do take turns with a few workers.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::{Meter, Simulated, Source};
use crate::energy::Energy;
use crate::gateway::{Gateway, Key, Mode, Status, Trouble, Visit};
use crate::input::sun::Sun;
use crate::input::Sample;
use crate::log;
use crate::source::{Heard, Said};

/// Keys whose calls are on their way at the same time.
const MOST_WORKERS: usize = 32;

/// Nothing is waited for longer when the gateway is told to end: whatever is on its way is in the journal.
const LAST_WORDS: Duration = Duration::from_millis(700);

const TICK: Duration = Duration::from_secs(1);

/// The keys that have something to do.
#[derive(Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<usize>,
    /// Waiting or at work.
    busy: BTreeSet<usize>,
    failed: Option<String>,
}

/// Runs until it is told to end. `beat` is called every second. An error is one of the journal: without it nothing may be signed.
pub fn run(gateway: &Arc<Gateway>, heard: &Receiver<Heard>, mut beat: impl FnMut()) -> Result<(), String> {
    let turns = Arc::new(Turns::default());
    let workers: Vec<_> = (0..gateway.keys().len().min(MOST_WORKERS)).map(|_| worker(gateway, &turns)).collect();
    tell_time(gateway);
    let mut next = Instant::now();
    while !gateway.stop.is_stopped() {
        match heard.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(heard) => hear(gateway, heard)?,
            Err(RecvTimeoutError::Timeout) => {}
            // Where all meters are simulated or files, nobody is heard.
            Err(RecvTimeoutError::Disconnected) => {
                let _ = gateway.stop.wait(next.saturating_duration_since(Instant::now()));
            }
        }
        // However much there is to hear.
        if Instant::now() >= next {
            next = Instant::now() + TICK.min(gateway.config.network.ledger);
            tick(gateway, &turns)?;
            beat();
        }
        if let Some(failure) = turns.lock().failed.take() {
            gateway.stop.stop();
            return Err(failure);
        }
    }
    turns.changed.notify_all();
    let end = Instant::now() + LAST_WORDS;
    while Instant::now() < end && workers.iter().any(|worker| !worker.is_finished()) {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

pub fn hear(gateway: &Gateway, heard: Heard) -> Result<(), String> {
    let Heard { provider, said } = heard;
    let said = match said {
        Said::Sample(sample) => Ok(sample),
        Said::NoReading(why) => Err(why),
        Said::Connected | Said::Disconnected(_) => {
            let name = &gateway.config.providers[provider].name;
            let lost = match said {
                Said::Disconnected(why) => {
                    log::warning(format!("{name}: the meter is not connected: {why}"));
                    Some(why)
                }
                _ => {
                    log::info(format!("{name}: the meter is connected"));
                    None
                }
            };
            gateway.provider(provider).meter.connection(lost);
            return Ok(());
        }
    };
    let Some(now) = gateway.clock.now() else { return Ok(()) };
    gateway.hear(provider, said, now).map_err(|trouble| trouble.to_string())
}

fn tick(gateway: &Gateway, turns: &Turns) -> Result<(), String> {
    // Without a network there has been no time yet, and so no reading.
    let Some(now) = gateway.clock.now() else { return Ok(()) };
    for place in 0..gateway.config.providers.len() {
        simulate(gateway, place, &[now])?;
    }
    for (place, key) in gateway.keys().iter().enumerate() {
        if key.providers.iter().any(|provider| gateway.is_due(*provider, now).is_some()) {
            turns.add(place);
        }
    }
    Ok(())
}

/// A network that is slow to tell the time holds up nothing else.
fn tell_time(gateway: &Arc<Gateway>) {
    const STACK: usize = 256 * 1024;
    let gateway = gateway.clone();
    let work = move || {
        let network = &gateway.config.network;
        while gateway.stop.wait(network.ledger).is_ok() {
            // Why it does not is kept for who asks.
            let _ = gateway.refresh_clock(network.clock_age());
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread can be started");
}

/// What a simulated meter shows at these times.
pub fn simulate(gateway: &Gateway, place: usize, times: &[u64]) -> Result<(), String> {
    let Meter::Register(register) = &gateway.config.providers[place].meter else { return Ok(()) };
    let Source::Simulated(source) = &register.source else { return Ok(()) };
    for time in times {
        let sample = Sample { energy: simulated(source, *time), meter_id: None, time: None };
        gateway.hear(place, Ok(sample), *time).map_err(|trouble| trouble.to_string())?;
    }
    Ok(())
}

/// What a simulated register shows at this time.
pub fn simulated(source: &Simulated, time: u64) -> Energy {
    let sun = Sun { seed: source.seed, peak_watts: source.peak_watts, since: source.since };
    let start = Energy::from_kwh(source.start_kwh).unwrap_or_default();
    start.checked_add(sun.register(time)).unwrap_or(start)
}

fn worker(gateway: &Arc<Gateway>, turns: &Arc<Turns>) -> thread::JoinHandle<()> {
    const STACK: usize = 512 * 1024;
    let (gateway, turns) = (gateway.clone(), turns.clone());
    let work = move || {
        while let Some(place) = turns.next(&gateway) {
            let key = &gateway.keys()[place];
            // A fault of this program in one provider's turn is no reason to leave the others.
            let worked = catch_unwind(AssertUnwindSafe(|| work(&gateway, key)));
            let failed = worked.unwrap_or_else(|_| {
                gateway.panicked(key);
                Ok(())
            });
            turns.done(place, failed.err());
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread can be started")
}

/// All that a key has to do now, provider by provider.
fn work(gateway: &Gateway, key: &Key) -> Result<(), String> {
    for provider in &key.providers {
        let Some(now) = gateway.clock.now() else { return Ok(()) };
        let Some(mode) = gateway.is_due(*provider, now) else { continue };
        match turn(gateway, key, *provider, mode) {
            Ok(_) | Err(Trouble::Held(_) | Trouble::Beginning(_) | Trouble::Stopped(_)) => {}
            Err(Trouble::Stopping) => return Ok(()),
            Err(failure @ Trouble::Journal(_)) => return Err(failure.to_string()),
        }
    }
    Ok(())
}

/// A visit, and what follows from it for the next one.
pub fn turn(gateway: &Gateway, key: &Key, provider: usize, mode: Mode) -> Result<Visit, Trouble> {
    if mode == Mode::Deliver {
        gateway.provider(provider).status = Status::Delivering;
    }
    let visit = gateway.visit(key, provider, mode);
    gateway.visited(provider, mode, &visit)?;
    visit
}

impl Turns {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, key: usize) {
        let mut state = self.lock();
        if state.busy.insert(key) {
            state.waiting.push_back(key);
            self.changed.notify_one();
        }
    }

    /// `None` when the gateway ends.
    fn next(&self, gateway: &Gateway) -> Option<usize> {
        const AGAIN: Duration = Duration::from_millis(200);
        let mut state = self.lock();
        loop {
            if gateway.stop.is_stopped() {
                return None;
            }
            if let Some(key) = state.waiting.pop_front() {
                return Some(key);
            }
            state = self.changed.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn done(&self, key: usize, failed: Option<String>) {
        let mut state = self.lock();
        state.busy.remove(&key);
        state.failed = state.failed.take().or(failed);
    }
}
