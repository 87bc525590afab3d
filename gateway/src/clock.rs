//! The ledger's time, between two answers of the network: a small computer's own clock may stand at 1970 after a power cut,
//! and deadlines are the ledger's.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::report::Ledger;

#[derive(Debug, Default)]
pub struct Clock(Mutex<Option<Learned>>);

#[derive(Clone, Copy, Debug)]
struct Learned {
    ledger: Ledger,
    at: Instant,
}

impl Clock {
    /// A ledger closed at this time, in Unix seconds. The clock never goes back.
    pub fn learn(&self, sequence: u32, close: u64) {
        let mut learned = self.lock();
        let now = learned.map_or(0, Learned::now);
        if close >= now {
            *learned = Some(Learned { ledger: Ledger { sequence, close }, at: Instant::now() });
        }
    }

    /// `None` until the network has answered once.
    pub fn now(&self) -> Option<u64> {
        self.lock().map(Learned::now)
    }

    /// The newest ledger that the network told of.
    pub fn ledger(&self) -> Option<Ledger> {
        self.lock().map(|learned| learned.ledger)
    }

    /// How long ago it was that the network told the time.
    pub fn age(&self) -> Option<Duration> {
        self.lock().map(|learned| learned.at.elapsed())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Learned>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Learned {
    fn now(self) -> u64 {
        self.ledger.close + self.at.elapsed().as_secs()
    }
}
