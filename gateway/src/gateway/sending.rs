//! A signed call on its way: sent until it is found, or until it cannot come any more, and then written down.

use std::time::{Duration, Instant};

use stellar_xdr::{Hash, Limits, ReadXdr, TransactionEnvelope};

use super::{lock, Gateway, Key, Trouble};
use crate::book::{Ended, Entry, Fate, Signed};
use crate::chain::rpc::Found;
use crate::chain::view;
use crate::submission::{Action, End, Event, InFlight};

/// After a call that did nothing a key rests for a minute, after the next for two, up to six hours.
const REST: u64 = 60;
const LONGEST_REST: u64 = 6 * 3_600;

/// So often in a row another call with the same number was applied: another program uses the key.
const MOST_DISPLACED: u32 = 2;

impl Gateway {
    /// What an earlier run signed, or this one before it lost the network, has its end first.
    pub(super) fn finish_in_flight(&self, key: &Key) -> Result<(), Trouble> {
        let in_flight = lock(&self.book).memory.keys.get(&key.address).and_then(|key| key.in_flight.clone());
        match in_flight {
            Some(signed) => self.follow(key, &signed, InFlight::restored(signed.signed_at, signed.max_time)),
            None => Ok(()),
        }
    }

    /// Sends it and waits for its end, which is written down. What was not recorded is an error.
    pub(super) fn follow(&self, key: &Key, signed: &Signed, mut call: InFlight) -> Result<(), Trouble> {
        let unreadable = |what: &str| Trouble::Stopped(format!("the journal's {what} cannot be read"));
        let envelope = TransactionEnvelope::from_xdr_base64(&signed.envelope, Limits::none());
        let envelope = envelope.map_err(|_| unreadable("envelope"))?;
        let hash: Hash = signed.hash.parse().map_err(|_| unreadable("hash"))?;
        let since = Instant::now();
        let mut action = call.first();
        let mut asked = 0;
        let (end, found) = loop {
            action = match action {
                Action::Send => call.after(self.rpc.send(&envelope).map_or(Event::SendUnanswered, Event::Sent)),
                Action::Ask => {
                    self.stop.wait(self.pause(asked))?;
                    asked += 1;
                    let found = self.find(&hash.0);
                    lock(&key.state).unanswered = found.as_ref().err().map(ToString::to_string);
                    if found.is_err() {
                        let _ = self.refresh_clock(self.config.network.clock_age());
                    }
                    let event = found.as_ref().map_or(Event::AskUnanswered, |found| Event::Found(*found));
                    match (call.after(event), found) {
                        // By the server's clock alone it would be gone as soon as the server says so.
                        (Action::End(End::Gone), _) if !self.has_waited(signed, since) => Action::Ask,
                        (Action::End(end), Ok(found)) => break (end, Some(found)),
                        _ if self.is_late(signed, since) => break (self.too_late(signed)?, None),
                        (action, _) => action,
                    }
                }
                Action::End(_) => Action::Ask,
            };
        };
        let fate = match end {
            End::Succeeded => Fate::Recorded,
            End::Failed => Fate::Failed,
            End::Gone | End::Refused(_) | End::Forgotten => self.fate(key, signed)?,
        };
        self.end(key, signed, fate, found)?;
        match (fate, end) {
            (Fate::Recorded, _) => Ok(()),
            (Fate::Failed, _) => {
                Err(Trouble::Held("a call was applied and did nothing: its simulation tells why".into()))
            }
            (Fate::Displaced, _) if lock(&key.state).displaced >= MOST_DISPLACED => {
                Err(Trouble::Stopped("another program uses this key: only one may".into()))
            }
            (Fate::Displaced, _) => Err(Trouble::Held("another call of this key took this one's place".into())),
            (Fate::Gone, End::Refused(code)) => {
                self.rest(key);
                Err(Trouble::Held(format!("the network does not take the call: {}", code.name())))
            }
            _ => Err(Trouble::Held("a call did not reach the ledger in its time".into())),
        }
    }

    fn find(&self, hash: &[u8; 32]) -> Result<Found, Trouble> {
        let found = self.rpc.transaction(hash)?;
        self.learn(found.latest_ledger, found.latest_close)?;
        Ok(found)
    }

    /// Whether a call's time is over by this clock, too, which may stand still on a network for tests.
    fn has_waited(&self, signed: &Signed, since: Instant) -> bool {
        !self.is_timely() || since.elapsed().as_secs() >= signed.lifetime()
    }

    /// Whether it is asked in vain: its time was over a minute ago.
    fn is_late(&self, signed: &Signed, since: Instant) -> bool {
        const SLOW: u64 = 60;
        self.has_waited(signed, since) && self.clock.now().is_some_and(|now| now > signed.max_time + SLOW)
    }

    /// Nobody finds it or says that it is not there. If ledgers go on, what the contract recorded tells what became of it;
    /// else it stays on its way, and nothing else is signed.
    fn too_late(&self, signed: &Signed) -> Result<End, Trouble> {
        let held = |why: &dyn std::fmt::Display| {
            Trouble::Held(format!("nobody says what became of a call, and nothing else is sent before: {why}"))
        };
        self.refresh_clock(Duration::ZERO).map_err(|trouble| held(&trouble))?;
        match self.clock.ledger() {
            Some(ledger) if ledger.close > signed.max_time => Ok(End::Forgotten),
            _ => Err(held(&"the newest ledger that the network shows is of before its end")),
        }
    }

    /// How long to wait before it is asked for: half a ledger at first, then longer.
    fn pause(&self, asked: u32) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(50);
        const LONGEST: Duration = Duration::from_secs(15);
        let ledger = self.config.network.ledger;
        (ledger / 2 * (asked + 1).min(16)).clamp(SHORTEST, LONGEST)
    }

    /// The account's sequence number tells whether a call with this one's number was applied, and the contract's records
    /// whether it was this one.
    fn fate(&self, key: &Key, signed: &Signed) -> Result<Fate, Trouble> {
        let reader = self.reader(key);
        let account = self.rpc.account(&reader.source)?.ok_or(view::Failure::NoAccount)?;
        let needed = self.needed();
        if account.ledger < needed {
            self.miss();
            return Err(view::Failure::Behind { ledger: account.ledger, needed }.into());
        }
        self.see(account.ledger);
        if account.sequence < signed.sequence {
            return Ok(Fate::Gone);
        }
        let recorded = reader.transactions(signed.delivery.agreement_id, account.ledger)?;
        let energy_kwh: u64 = recorded.iter().map(|recorded| recorded.energy_kwh).sum();
        let last = recorded.last().map(|recorded| recorded.meter_reading);
        let is_ours = energy_kwh == signed.total() && last == Some(signed.delivery.meter_reading);
        Ok(if is_ours { Fate::Recorded } else { Fate::Displaced })
    }

    fn end(&self, key: &Key, signed: &Signed, fate: Fate, found: Option<Found>) -> Result<(), Trouble> {
        // Where nobody knows what it cost, it cost what it could, and it never cost more.
        let most = u64::from(signed.fee);
        let fee = match fate {
            Fate::Recorded | Fate::Failed => {
                found.map(|found| found.fee).filter(|fee| (1..=most).contains(fee)).unwrap_or(most)
            }
            _ => 0,
        };
        self.write(Entry::Ended(Ended {
            key: key.address.clone(),
            hash: signed.hash.clone(),
            end: fate,
            at: self.clock.now().unwrap_or(signed.max_time),
            fee,
            transaction_id: found.and_then(|found| found.transaction_id).filter(|_| fate == Fate::Recorded),
        }))?;
        let mut state = lock(&key.state);
        state.unanswered = None;
        match fate {
            Fate::Recorded => {
                state.failures = 0;
                state.displaced = 0;
            }
            Fate::Failed => state.failures += 1,
            Fate::Displaced => state.displaced += 1,
            _ => {}
        }
        drop(state);
        if matches!(fate, Fate::Failed | Fate::Displaced) {
            self.rest(key);
        }
        Ok(())
    }

    fn rest(&self, key: &Key) {
        let mut state = lock(&key.state);
        let times = state.failures.max(state.displaced).clamp(1, 16) - 1;
        let rest = (REST << times).min(LONGEST_REST);
        state.held_until = self.clock.now().unwrap_or(0).saturating_add(rest);
    }
}
