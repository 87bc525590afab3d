//! What a gateway remembers: the accounts of consumers, what it signed and what became of it. Each change is a line of the
//! journal before anything follows from it.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::counting::{Account, Delivery};
use crate::energy::Energy;
use crate::journal::{Failure, Journal};
use crate::register::Reading;

/// A line of the journal. Addresses are written as G… or C….
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// A provider's register, as it was certified, and what its consumers' accounts are from then on.
    Certified {
        provider: String,
        certificate: Certificate,
        accounts: BTreeMap<String, Account>,
    },
    /// What its meter showed, when two samples had agreed.
    Believed {
        provider: String,
        at: u64,
        energy: Energy,
    },
    /// A consumer's account was opened or changed.
    Account {
        provider: String,
        consumer: String,
        account: Account,
    },
    /// All that was due at the time of a schedule has been looked at.
    Ran {
        provider: String,
        at: u64,
    },
    /// It is sent only after this line.
    Signed(Signed),
    Ended(Ended),
    /// What earlier lines came to: kWh that an agreement had been delivered, and fees of a key on a day since 1970.
    Delivered {
        provider: String,
        agreement_id: u64,
        energy_kwh: u64,
    },
    Spent {
        key: String,
        day: u64,
        stroops: u64,
    },
}

/// A meter's certificate, by what the contract shows of it: its first reading, and when that was taken or, where more had been
/// sold already when it was seen first, its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pub meter_start: u64,
    pub read_at: u64,
}

/// A call that was signed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub key: String,
    pub provider: String,
    pub consumer: String,
    pub delivery: Delivery,
    /// What the agreement had been delivered before.
    pub delivered_before: u64,
    /// What the consumer was entitled to, in all, when this was signed.
    pub entitled: Energy,
    pub sequence: i64,
    pub signed_at: u64,
    pub max_time: u64,
    /// The most that it costs, in stroops.
    pub fee: u32,
    pub hash: String,
    pub envelope: String,
}

impl Signed {
    /// What the agreement is delivered with it.
    pub fn total(&self) -> u64 {
        self.delivered_before + self.delivery.energy_kwh
    }

    /// For how many seconds it can be applied.
    pub fn lifetime(&self) -> u64 {
        self.max_time.saturating_sub(self.signed_at)
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    pub key: String,
    pub hash: String,
    pub end: Fate,
    /// When this was known, of the ledger's clock.
    pub at: u64,
    /// What it cost, in stroops.
    pub fee: u64,
    pub transaction_id: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Recorded,
    /// It was applied, and did nothing.
    Failed,
    /// It was not applied, and cannot be any more.
    Gone,
    /// Another call with its number was applied.
    Displaced,
    /// It had been said to be recorded, and the chain does not have it.
    Missing,
}

/// What the lines come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    pub providers: BTreeMap<String, ProviderMemory>,
    pub keys: BTreeMap<String, KeyMemory>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderMemory {
    pub certificate: Option<Certificate>,
    /// What was counted by others, by the latest of them last: a server may have made up what came after one.
    pub before: Vec<Counted>,
    pub believed: Option<Reading>,
    pub accounts: BTreeMap<String, Account>,
    pub ran: Option<u64>,
    /// kWh that agreements had been delivered with our last delivery: the chain shows at least that.
    pub delivered: BTreeMap<u64, u64>,
    /// The last calls that were recorded, by their keys and numbers and without their envelopes, as far back as a day before the
    /// consumer's last: so many may turn out to be missing. No consumer has more of them than `MOST_LAST`.
    pub last: BTreeMap<(String, i64), (Signed, Ended)>,
}

/// What was known of a meter when another certificate was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub certificate: Certificate,
    pub accounts: BTreeMap<String, Account>,
    pub believed: Option<Reading>,
}

impl ProviderMemory {
    fn certify(&mut self, certificate: Certificate, accounts: BTreeMap<String, Account>) {
        /// Nobody has more meters exchanged, and a server may make up certificates without end.
        const MOST: usize = 16;
        let back = self.before.iter().position(|counted| counted.certificate == certificate);
        let believed = back.and_then(|place| self.before.remove(place).believed);
        let before = self.now();
        (self.certificate, self.accounts, self.believed) = (Some(certificate), accounts, believed);
        self.before.extend(before);
        if self.before.len() > MOST {
            self.before.remove(0);
        }
    }

    fn now(&self) -> Option<Counted> {
        let (accounts, believed) = (self.accounts.clone(), self.believed);
        self.certificate.map(|certificate| Counted { certificate, accounts, believed })
    }

    /// The last delivery to this consumer.
    pub fn last_delivery(&self, consumer: &str) -> Option<&(Signed, Ended)> {
        let own = self.last.values().filter(|(signed, _)| signed.consumer == consumer);
        own.max_by_key(|(signed, ended)| (ended.at, signed.sequence))
    }

    /// The last reading that is known of the meter by which this account counts.
    pub fn last_reading(&self, account: &Account) -> Energy {
        self.believed.map_or(account.from, |believed| believed.energy.max(account.from))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMemory {
    /// Signed, and nobody knows what became of it.
    pub in_flight: Option<Signed>,
    /// Those that were said not to be in the ledger, until a later one is.
    pub doubted: Vec<(Signed, Ended)>,
    /// The highest number of a call that was recorded: none with it, or a lower one, can be any more.
    pub recorded: Option<i64>,
    /// The day of the last fees, since 1970, and what they were in it.
    pub spent: (u64, u64),
}

impl KeyMemory {
    /// Of calls with one number for the same kWh at most one is applied: the lowest of them tells whether one was.
    fn doubt(&mut self, signed: Signed, ended: Ended) {
        let tells = |of: &Signed| (of.sequence, of.delivery.agreement_id, of.delivered_before);
        match self.doubted.iter_mut().find(|(other, _)| tells(other) == tells(&signed)) {
            None => self.doubted.push((signed, ended)),
            Some((other, why))
                if why.end != Fate::Missing && signed.delivery.energy_kwh <= other.delivery.energy_kwh =>
            {
                (*other, *why) = (signed, ended);
            }
            Some((_, why)) if why.end != Fate::Missing => why.at = ended.at,
            Some(_) => {}
        }
    }

    /// A doubt holds nothing up after a day, unless a server had said that the call is recorded. Then all with its number are
    /// kept, since at most one of them is applied.
    fn forget_old_doubts(&mut self, now: u64) {
        let missing = self.doubted.iter().filter(|(_, why)| why.end == Fate::Missing);
        let missing: Vec<_> = missing.map(|(signed, _)| signed.sequence).collect();
        self.doubted.retain(|(signed, why)| now < why.at.saturating_add(DAY) || missing.contains(&signed.sequence));
    }
}

pub const DAY: u64 = 86_400;

/// A longer journal begins anew with what it comes to.
const LONGEST: u64 = 16 << 20;

/// The last calls for one consumer that are kept.
const MOST_LAST: usize = 64;

impl Memory {
    pub fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Certified { provider, certificate, accounts } => {
                self.provider(provider).certify(certificate, accounts);
            }
            Entry::Believed { provider, at, energy } => {
                self.provider(provider).believed = Some(Reading { at, energy });
            }
            Entry::Account { provider, consumer, account } => {
                let provider = self.provider(provider);
                provider.accounts.insert(consumer, account);
                // What is older than every account is never asked for again.
                let since = provider.accounts.values().map(|account| account.since).min().unwrap_or(0);
                provider.delivered.retain(|agreement_id, _| *agreement_id >= since);
            }
            Entry::Ran { provider, at } => self.provider(provider).ran = Some(at),
            Entry::Signed(signed) => {
                let key = self.keys.entry(signed.key.clone()).or_default();
                key.in_flight = Some(signed);
            }
            Entry::Ended(ended) => self.end(ended),
            Entry::Delivered { provider, agreement_id, energy_kwh } => {
                self.provider(provider).delivered.insert(agreement_id, energy_kwh);
            }
            Entry::Spent { key, day, stroops } => self.keys.entry(key).or_default().spent = (day, stroops),
        }
    }

    fn end(&mut self, ended: Ended) {
        let key = self.keys.entry(ended.key.clone()).or_default();
        let day = ended.at / DAY;
        let before = if key.spent.0 == day { key.spent.1 } else { 0 };
        key.spent = (day, before.saturating_add(ended.fee));
        key.forget_old_doubts(ended.at);
        let in_flight = key.in_flight.take_if(|signed| signed.hash == ended.hash);
        if ended.end == Fate::Missing {
            if let Some(signed) = in_flight.or_else(|| self.forget_recorded(&ended)) {
                self.keys.entry(signed.key.clone()).or_default().doubt(signed, ended);
            }
            return;
        }
        let Some(signed) = in_flight else { return };
        if matches!(ended.end, Fate::Gone | Fate::Displaced | Fate::Failed) {
            if key.recorded.is_none_or(|recorded| recorded < signed.sequence) {
                key.doubt(signed, ended);
            }
            return;
        }
        // From now on the chain has to show at least the total of this call: kWh below it cannot be recorded a second time.
        let is_below =
            |of: &Signed| of.delivery.agreement_id == signed.delivery.agreement_id && of.total() <= signed.total();
        key.doubted.retain(|(doubted, _)| doubted.sequence > signed.sequence && !is_below(doubted));
        key.recorded = key.recorded.max(Some(signed.sequence));
        let provider = self.provider(signed.provider.clone());
        provider.delivered.insert(signed.delivery.agreement_id, signed.total());
        let is_kept = |(other, end): &(Signed, Ended)| {
            other.consumer != signed.consumer || end.at.saturating_add(DAY) >= ended.at
        };
        provider.last.retain(|_, other| is_kept(other));
        let own = provider.last.iter().filter(|(_, (other, _))| other.consumer == signed.consumer);
        if own.clone().count() >= MOST_LAST {
            let oldest = own.min_by_key(|(_, (_, end))| end.at).map(|(number, _)| number.clone());
            oldest.and_then(|number| provider.last.remove(&number));
        }
        let number = (signed.key.clone(), signed.sequence);
        provider.last.insert(number, (Signed { envelope: String::new(), ..signed }, ended));
    }

    /// What was said to be recorded is not counted any more.
    fn forget_recorded(&mut self, ended: &Ended) -> Option<Signed> {
        let mut forgotten = None;
        let mut recorded = None;
        for provider in self.providers.values_mut() {
            provider.last.retain(|_, (signed, _)| {
                let is_it = signed.hash == ended.hash;
                if is_it {
                    provider.delivered.insert(signed.delivery.agreement_id, signed.delivered_before);
                    forgotten = Some(signed.clone());
                } else if signed.key == ended.key {
                    recorded = recorded.max(Some(signed.sequence));
                }
                !is_it
            });
        }
        self.keys.entry(ended.key.clone()).or_default().recorded = recorded;
        forgotten
    }

    /// Lines that come to the same.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![];
        for (provider, memory) in &self.providers {
            let provider = || provider.clone();
            for Counted { certificate, accounts, believed } in memory.before.iter().cloned().chain(memory.now()) {
                entries.push(Entry::Certified { provider: provider(), certificate, accounts });
                entries.extend(believed.map(|Reading { at, energy }| Entry::Believed {
                    provider: provider(),
                    at,
                    energy,
                }));
            }
            entries.extend(memory.ran.map(|at| Entry::Ran { provider: provider(), at }));
            for (signed, ended) in memory.last.values() {
                entries.extend([Entry::Signed(signed.clone()), Entry::Ended(ended.clone())]);
            }
            for (agreement_id, energy_kwh) in &memory.delivered {
                let (agreement_id, energy_kwh) = (*agreement_id, *energy_kwh);
                entries.push(Entry::Delivered { provider: provider(), agreement_id, energy_kwh });
            }
        }
        for (key, memory) in &self.keys {
            for (signed, ended) in memory.doubted.clone() {
                entries.extend([Entry::Signed(signed), Entry::Ended(ended)]);
            }
            let (day, stroops) = memory.spent;
            entries.push(Entry::Spent { key: key.clone(), day, stroops });
            entries.extend(memory.in_flight.clone().map(Entry::Signed));
        }
        entries
    }

    pub fn provider(&mut self, provider: String) -> &mut ProviderMemory {
        self.providers.entry(provider).or_default()
    }

    /// Stroops that a key spent on this day of the ledger's clock.
    pub fn spent_today(&self, key: &str, now: u64) -> u64 {
        self.keys.get(key).filter(|key| key.spent.0 == now / DAY).map_or(0, |key| key.spent.1)
    }
}

/// The journal, and what it says.
pub struct Book {
    /// Without one nothing is kept.
    journal: Option<Journal<Entry>>,
    /// Bytes of the journal when it last began anew.
    renewed: u64,
    pub memory: Memory,
}

impl Book {
    /// Opens the journal of this folder, or begins one.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let private = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        private.map_err(|error| Failure::Io { path: folder.into(), error })?;
        let (journal, entries) = Journal::open(&path(folder))?;
        Ok(Self { journal: Some(journal), renewed: 0, memory: remember(entries) })
    }

    /// For whoever only looks: it writes nothing, and another gateway may be running.
    pub fn look(folder: &Path) -> Result<Self, Failure> {
        Ok(Self { journal: None, renewed: 0, memory: remember(read(folder)?) })
    }

    /// Returns when the line is on the disk.
    pub fn write(&mut self, entry: Entry) -> Result<(), Failure> {
        if let Some(journal) = &mut self.journal {
            journal.append(&entry)?;
            // If what it comes to is long itself, it does not begin anew with each line.
            if journal.length() > LONGEST.max(self.renewed.saturating_mul(2)) {
                self.memory.take(entry);
                journal.replace(&self.memory.entries())?;
                self.renewed = journal.length();
                return Ok(());
            }
        }
        self.memory.take(entry);
        Ok(())
    }
}

/// What the journal of a gateway says that may be running.
fn read(folder: &Path) -> Result<Vec<Entry>, Failure> {
    let path = path(folder);
    if path.exists() {
        Journal::read(&path)
    } else {
        Ok(vec![])
    }
}

/// The same, with what the journal before it said.
pub fn read_all(folder: &Path) -> Result<Vec<Entry>, Failure> {
    let old = folder.join("journal.old");
    let mut entries = if old.exists() { Journal::read(&old)? } else { vec![] };
    entries.extend(read(folder)?);
    Ok(entries)
}

pub fn remember(entries: impl IntoIterator<Item = Entry>) -> Memory {
    let mut memory = Memory::default();
    entries.into_iter().for_each(|entry| memory.take(entry));
    memory
}

fn path(folder: &Path) -> std::path::PathBuf {
    folder.join("journal")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &str = "GALICE";
    const KEY: &str = "GMETER";

    fn signed(hash: &str) -> Signed {
        Signed {
            key: KEY.into(),
            provider: PROVIDER.into(),
            consumer: "GBOB".into(),
            delivery: Delivery { agreement_id: 7, energy_kwh: 4, meter_reading: 104 },
            delivered_before: 10,
            entitled: Energy::from_mwh(14_500_000),
            sequence: 9,
            signed_at: 100,
            max_time: 160,
            fee: 50_000,
            hash: hash.into(),
            envelope: "AAAA".into(),
        }
    }

    fn ended(hash: &str, end: Fate, at: u64) -> Ended {
        Ended { key: KEY.into(), hash: hash.into(), end, at, fee: 20_000, transaction_id: Some(7) }
    }

    #[test]
    fn what_is_signed_is_in_flight_until_its_own_end() {
        let mut memory = remember([Entry::Signed(signed("a"))]);
        assert_eq!(memory.keys[KEY].in_flight, Some(signed("a")));
        memory.take(Entry::Ended(ended("b", Fate::Recorded, 120)));
        assert_eq!(memory.keys[KEY].in_flight, Some(signed("a")));
        memory.take(Entry::Ended(ended("a", Fate::Recorded, 120)));
        assert_eq!(memory.keys[KEY].in_flight, None);
        assert_eq!(memory.providers[PROVIDER].delivered[&7], 14);
    }

    #[test]
    fn what_did_nothing_is_not_counted_and_its_fee_is() {
        let memory = remember([Entry::Signed(signed("a")), Entry::Ended(ended("a", Fate::Failed, 120))]);
        assert!(memory.providers.is_empty());
        assert_eq!((memory.spent_today(KEY, 120), memory.spent_today(KEY, DAY)), (20_000, 0));
    }

    #[test]
    fn what_was_said_not_to_be_in_the_ledger_is_doubted_until_a_later_call_is() {
        for fate in [Fate::Gone, Fate::Displaced, Fate::Failed] {
            let mut memory = remember([Entry::Signed(signed("a")), Entry::Ended(ended("a", fate, 120))]);
            assert_eq!(memory.keys[KEY].doubted, [(signed("a"), ended("a", fate, 120))]);
            assert_eq!(remember(memory.entries()), memory);
            let later = Signed { sequence: 10, ..signed("b") };
            memory.take(Entry::Signed(later));
            memory.take(Entry::Ended(ended("b", Fate::Recorded, 130)));
            assert_eq!(memory.keys[KEY].doubted, []);
            // A server that showed a number of before: nothing of it can be in the ledger.
            memory.take(Entry::Signed(signed("c")));
            memory.take(Entry::Ended(ended("c", fate, 140)));
            assert_eq!(memory.keys[KEY].doubted, []);
        }
    }

    #[test]
    fn what_the_chain_turns_out_not_to_have_is_doubted_and_counts_as_it_did_before() {
        let to_carol = Delivery { agreement_id: 8, ..signed("b").delivery };
        let other = Signed { consumer: "GCAROL".into(), delivery: to_carol, sequence: 8, ..signed("b") };
        let recorded = |hash| Entry::Ended(ended(hash, Fate::Recorded, 120));
        let lines = [Entry::Signed(other), recorded("b"), Entry::Signed(signed("a")), recorded("a")];
        let mut memory = remember(lines);
        assert_eq!((memory.keys[KEY].recorded, memory.providers[PROVIDER].delivered[&7]), (Some(9), 14));
        let missing = Ended { fee: 0, transaction_id: None, ..ended("a", Fate::Missing, 400) };
        memory.take(Entry::Ended(missing.clone()));
        assert_eq!((memory.keys[KEY].recorded, memory.providers[PROVIDER].delivered[&7]), (Some(8), 10));
        assert_eq!(memory.providers[PROVIDER].last.keys().map(|(_, number)| *number).collect::<Vec<_>>(), [8]);
        let first = Signed { envelope: String::new(), ..signed("a") };
        assert_eq!(memory.keys[KEY].doubted, [(first.clone(), missing.clone())]);
        assert_eq!(remember(memory.entries()), memory);
        // Of calls with one number for the same kWh the first says from which total on one of them is on the chain.
        let more = Signed { delivery: Delivery { energy_kwh: 5, ..signed("c").delivery }, ..signed("c") };
        memory.take(Entry::Signed(more));
        memory.take(Entry::Ended(ended("c", Fate::Displaced, 500)));
        assert_eq!(memory.keys[KEY].doubted, [(first.clone(), missing.clone())]);
        let elsewhere = Signed { delivery: Delivery { agreement_id: 9, ..signed("d").delivery }, ..signed("d") };
        memory.take(Entry::Signed(elsewhere.clone()));
        memory.take(Entry::Ended(ended("d", Fate::Gone, 600)));
        assert_eq!(memory.keys[KEY].doubted, [(first, missing), (elsewhere, ended("d", Fate::Gone, 600))]);
        assert_eq!(remember(memory.entries()), memory);
    }

    #[test]
    fn the_last_calls_are_kept_as_far_back_as_a_day_before_a_consumers_last() {
        let mut memory = Memory::default();
        let mut record = |sequence, consumer: &str, at| {
            memory.take(Entry::Signed(Signed { consumer: consumer.into(), sequence, ..signed("a") }));
            memory.take(Entry::Ended(ended("a", Fate::Recorded, at)));
            memory.providers[PROVIDER].last.keys().map(|(_, number)| *number).collect::<Vec<_>>()
        };
        assert_eq!((record(7, "GBOB", 0), record(8, "GCAROL", 0)), (vec![7], vec![7, 8]));
        assert_eq!((record(9, "GBOB", DAY), record(10, "GBOB", DAY + 1)), (vec![7, 8, 9], vec![8, 9, 10]));
        let last = |consumer| memory.providers[PROVIDER].last_delivery(consumer).map(|(_, ended)| ended.at);
        assert_eq!((last("GBOB"), last("GCAROL"), last("GDAVE")), (Some(DAY + 1), Some(0), None));
        assert_eq!(remember(memory.entries()), memory);
    }

    #[test]
    fn a_journal_that_begins_anew_comes_to_the_same() {
        let certified = |meter_start| Entry::Certified {
            provider: PROVIDER.into(),
            certificate: Certificate { meter_start, read_at: 80 },
            accounts: BTreeMap::new(),
        };
        let believed = Entry::Believed { provider: PROVIDER.into(), at: 90, energy: Energy::from_mwh(9) };
        let ran = Entry::Ran { provider: PROVIDER.into(), at: 95 };
        let to_carol = Delivery { agreement_id: 8, ..signed("b").delivery };
        let other = Signed { consumer: "GCAROL".into(), delivery: to_carol, sequence: 10, ..signed("b") };
        let recorded = |hash| Entry::Ended(ended(hash, Fate::Recorded, 120));
        let lines = [
            certified(100),
            believed.clone(),
            certified(50),
            certified(3),
            believed,
            ran,
            Entry::Signed(signed("a")),
            recorded("a"),
            Entry::Signed(other),
            recorded("b"),
        ];
        let memory = remember(lines.into_iter().chain([Entry::Signed(signed("c"))]));
        assert_eq!(memory.keys[KEY].spent, (0, 40_000));
        assert_eq!(remember(memory.entries()), memory);
    }

    #[test]
    fn what_no_account_counts_any_more_is_forgotten() {
        let account = |since| Account {
            share: crate::counting::Share::from_millionths(1).unwrap(),
            from: Energy::ZERO,
            entitled: Energy::ZERO,
            since,
            until: since,
            waits: None,
            delivered_before: 0,
            had: BTreeMap::new(),
        };
        let opened =
            |since| Entry::Account { provider: PROVIDER.into(), consumer: "GBOB".into(), account: account(since) };
        let mut memory = remember([opened(7), Entry::Signed(signed("a")), Entry::Ended(ended("a", Fate::Recorded, 1))]);
        memory.take(opened(7));
        assert_eq!(memory.providers[PROVIDER].delivered.len(), 1);
        memory.take(opened(8));
        assert_eq!(memory.providers[PROVIDER].delivered.len(), 0);
    }

    #[test]
    fn a_consumer_has_no_more_than_64_last_calls() {
        let mut memory = Memory::default();
        for sequence in 1..=67 {
            let consumer = if sequence == 1 { "GCAROL" } else { "GBOB" };
            memory.take(Entry::Signed(Signed { consumer: consumer.into(), sequence, ..signed("a") }));
            memory.take(Entry::Ended(ended("a", Fate::Recorded, 120 + sequence.unsigned_abs())));
        }
        let kept: Vec<_> = memory.providers[PROVIDER].last.keys().map(|(_, number)| *number).collect();
        assert_eq!(kept, [vec![1], (4..=67).collect()].concat());
    }

    #[test]
    fn a_doubt_is_forgotten_after_a_day_unless_a_call_with_its_number_was_said_to_be_recorded() {
        let gone = |hash: &str, agreement_id, sequence, at| {
            let delivery = Delivery { agreement_id, ..signed(hash).delivery };
            [Entry::Signed(Signed { delivery, sequence, ..signed(hash) }), Entry::Ended(ended(hash, Fate::Gone, at))]
        };
        let mut memory = remember(gone("a", 7, 10, 120).into_iter().chain(gone("b", 8, 9, 130)));
        memory.take(Entry::Signed(signed("c")));
        memory.take(Entry::Ended(ended("c", Fate::Missing, 140)));
        let mut doubted = |last: &str, at| {
            gone(last, 9, 11, at).into_iter().for_each(|entry| memory.take(entry));
            assert_eq!(remember(memory.entries()), memory);
            memory.keys[KEY].doubted.iter().map(|(signed, _)| signed.hash.clone()).collect::<Vec<_>>()
        };
        assert_eq!(doubted("d", 119 + DAY), ["a", "b", "c", "d"]);
        assert_eq!(doubted("e", 120 + DAY), ["b", "c", "e"]);
        assert_eq!(doubted("f", 120 + 9 * DAY), ["b", "c", "f"]);
    }

    #[test]
    fn a_later_call_is_doubted_until_its_agreement_is_delivered_its_total() {
        let recorded = |energy_kwh| {
            let elsewhere = Delivery { agreement_id: 8, ..signed("b").delivery };
            let elsewhere = Signed { delivery: elsewhere, sequence: 12, ..signed("b") };
            let lines = [(Signed { sequence: 11, ..signed("a") }, Fate::Gone), (elsewhere, Fate::Gone)];
            let call =
                Signed { delivery: Delivery { energy_kwh, ..signed("c").delivery }, sequence: 10, ..signed("c") };
            let lines = lines.into_iter().chain([(call, Fate::Recorded)]);
            let lines = lines.flat_map(|(signed, fate)| {
                let ended = ended(&signed.hash, fate, 120);
                [Entry::Signed(signed), Entry::Ended(ended)]
            });
            let memory = remember(lines);
            memory.keys[KEY].doubted.iter().map(|(signed, _)| signed.hash.clone()).collect::<Vec<_>>()
        };
        assert_eq!((recorded(3), recorded(4)), (vec!["a".into(), "b".into()], vec!["b".to_string()]));
    }

    #[test]
    fn a_journal_that_comes_to_much_does_not_begin_anew_with_each_line() {
        let folder = std::env::temp_dir().join(format!("p2p-gateway-{}-much", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let mut book = Book::open(&folder).unwrap();
        let envelope = "A".repeat(1 << 20);
        for sequence in 0..17 {
            let call = Signed { sequence, envelope: envelope.clone(), ..signed("a") };
            book.write(Entry::Signed(call)).unwrap();
            book.write(Entry::Ended(ended("a", Fate::Gone, 120))).unwrap();
        }
        let length = |book: &Book| book.journal.as_ref().unwrap().length();
        let before = (length(&book), book.renewed);
        assert!(before.0 > LONGEST && before.1 > 0);
        book.write(Entry::Ran { provider: PROVIDER.into(), at: 5 }).unwrap();
        assert_eq!((length(&book) > before.0, book.renewed), (true, before.1));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
