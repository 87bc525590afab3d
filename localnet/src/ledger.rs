//! The chain: a state, a clock, what waits, and what is remembered.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;

use crate::apply::{Applied, Applying, Charged};
use crate::history::History;
use crate::log::{Log, Record};
use crate::queue::{Queue, Refusal};
use crate::settings::*;
use crate::soroban::error_event;
use crate::state::{ttl_key, Replay, Slot, State};
use crate::tx::{Frame, Rejection};
use crate::tx_set::{build, Ordered};
use crate::validate::Next;
use crate::xdr::*;
use crate::{genesis, Args, Options};
use soroban_env_host::{Host, LedgerInfo, ModuleCache};
use soroban_simulation::NetworkConfig;

pub struct Ledger {
    pub options: Options,
    pub network_id: [u8; 32],
    pub state: Rc<State>,
    pub config: NetworkConfig,
    pub history: History,
    header: LedgerHeaderHistoryEntry,
    modules: ModuleCache,
    queue: Queue,
    /// Seconds the clock is ahead of the wall clock.
    offset: u64,
    /// When the next ledger closes, if ledgers close by time.
    due: Option<Instant>,
    log: Option<Log>,
}

pub enum Submission {
    Pending,
    Duplicate,
    TryAgainLater,
    Error(Box<TransactionResult>, Vec<DiagnosticEvent>),
}

impl Ledger {
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let network_id = sha256(options.passphrase.as_bytes());
        let mut state = State::default();
        for setting in config_entries(options.rent_rate) {
            state.put(Slot::new(LedgerEntryData::ConfigSetting(setting), 1, None));
        }
        for account in genesis::accounts(network_id) {
            state.put_account(account, 1);
        }
        state.commit();
        let mut ledger = Self {
            config: NetworkConfig::load_from_snapshot(&state)?,
            network_id,
            state: Rc::new(state),
            history: History::new(options.retention_ledgers, network_id),
            header: LedgerHeaderHistoryEntry::default(),
            modules: ModuleCache::new(&Host::default())?,
            queue: Queue::default(),
            offset: 0,
            due: None,
            log: None,
            options,
        };
        ledger.close_empty(1, ledger.now());
        ledger.wait_for_next();
        Ok(ledger)
    }

    /// The network of a command line.
    pub fn open(args: &Args) -> anyhow::Result<Self> {
        let mut ledger = Self::new(args.network.clone())?;
        if let Some(path) = &args.state_file {
            let failed = || format!("cannot use the state file {}", path.display());
            ledger.attach(path).with_context(failed)?;
        }
        Ok(ledger)
    }

    /// Goes on where the state file ends, and keeps it from then on.
    pub fn attach(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut state = Rc::unwrap_or_clone(std::mem::take(&mut self.state));
        let mut replay = Replay::new(&mut state);
        let passphrase = self.options.passphrase.clone();
        let mut empty = true;
        let mut log = Log::open(path, &passphrase, PROTOCOL, |record| {
            if std::mem::take(&mut empty) {
                self.history = History::new(self.options.retention_ledgers, self.network_id);
            }
            match record {
                Record::Entry(slot) => replay.put(slot),
                Record::Clock(offset) => self.offset = offset,
                Record::Empty { seq, time, offset } => {
                    self.offset = offset;
                    self.close_empty(seq, time);
                }
                Record::History(meta) => self.remember(&meta),
                Record::Ledger { meta, offset } => {
                    self.offset = offset;
                    replay_changes(&mut replay, &meta);
                    self.remember(&meta);
                }
            }
            Ok(())
        })?;
        // The settings are those of this start's options.
        for setting in config_entries(self.options.rent_rate) {
            replay.put(Slot::new(LedgerEntryData::ConfigSetting(setting), 1, None));
        }
        self.state = Rc::new(state);
        let history = self.history.all().map(|closed| Record::History(Box::new(closed.meta())));
        let entries = self.state.slots().cloned().map(Record::Entry);
        log.rewrite(&passphrase, PROTOCOL, history.chain(entries).chain([Record::Clock(self.offset)]))?;
        self.log = Some(log);
        Ok(())
    }

    pub fn header(&self) -> &LedgerHeader {
        &self.header.header
    }

    pub fn seq(&self) -> u32 {
        self.header().ledger_seq
    }

    pub fn time(&self) -> u64 {
        self.header().scp_value.close_time.0
    }

    fn now(&self) -> u64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        wall + self.offset
    }

    /// How long until a ledger closes by time; none if none does.
    pub fn due_in(&self) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(Instant::now()))
    }

    fn wait_for_next(&mut self) {
        let seconds = self.options.ledger_seconds;
        self.due = (seconds > 0).then(|| Instant::now() + Duration::from_secs(seconds));
    }

    /// Where ledgers do not close by time, closes an empty one if the last is
    /// over its time. The sequence number counts those that would have closed.
    pub fn tick(&mut self) {
        if self.due.is_none() && self.now() >= self.time() + SECONDS_PER_LEDGER {
            let Next { seq, time, .. } = self.next();
            self.close_empty(seq, time);
        }
    }

    /// Moves the clock forward, and closes a ledger with what waits.
    pub fn advance(&mut self, seconds: u64) -> anyhow::Result<()> {
        let end = self.next().time.checked_add(seconds);
        anyhow::ensure!(end.is_some_and(|end| end < u64::from(u32::MAX)), "too far in the future");
        self.offset += seconds;
        self.close()
    }

    /// The ledger that closes next.
    fn next(&self) -> Next {
        let time = self.now().max(self.time());
        let passed = (time - self.time()) / SECONDS_PER_LEDGER;
        Next { seq: self.seq() + passed.max(1) as u32, time, ahead: self.offset }
    }

    pub fn info(&self, seq: u32, time: u64) -> LedgerInfo {
        let mut info = LedgerInfo {
            protocol_version: PROTOCOL,
            sequence_number: seq,
            timestamp: time,
            network_id: self.network_id,
            base_reserve: BASE_RESERVE,
            ..LedgerInfo::default()
        };
        self.config.fill_config_fields_in_ledger_info(&mut info);
        info
    }

    /// Takes a transaction for the next ledger; and closes that ledger, if
    /// ledgers do not close by time.
    pub fn submit(&mut self, frame: Frame) -> anyhow::Result<Submission> {
        let evicted = match self.queue.admit(&frame) {
            Ok(evicted) => evicted,
            Err(Refusal::Duplicate) => return Ok(Submission::Duplicate),
            Err(Refusal::TryAgainLater) => return Ok(Submission::TryAgainLater),
            Err(Refusal::Rejected(rejection)) => return Ok(refused(&frame, &rejection, frame.min_fee())),
            Err(Refusal::FeeTooLow(inclusion_fee)) => {
                let rejection = Rejection { outer: true, ..TransactionResultCode::TxInsufficientFee.into() };
                let fee = inclusion_fee.saturating_add(frame.resource_fee());
                return Ok(refused(&frame, &rejection, fee));
            }
        };
        let owed = self.queue.owed(&frame.fee_source(), &frame.source());
        if let Err(rejection) = frame.validate(&self.state, &self.config, self.next(), owed) {
            return Ok(refused(&frame, &rejection, frame.min_fee()));
        }
        self.queue.add(frame, evicted);
        if self.due.is_none() {
            self.close()?;
        }
        Ok(Submission::Pending)
    }

    pub fn is_pending(&self, source: &AccountId) -> bool {
        self.queue.is_pending(source)
    }

    /// Closes a ledger with what waits, as far as it is valid and fits.
    pub fn close(&mut self) -> anyhow::Result<()> {
        self.wait_for_next();
        let next = self.next();
        let mut ages = HashMap::new();
        let mut pending = vec![];
        self.queue.next_ledger();
        for (frame, age) in self.queue.take() {
            match frame.validate(&self.state, &self.config, next, 0) {
                Ok(()) => {
                    ages.insert(frame.hash, age);
                    pending.push(frame);
                }
                Err(_) => self.queue.ban(frame.hash),
            }
        }
        let (set, chosen, waiting) = build(pending, &self.header.hash);
        // Should one make the host panic, none of them is tried again.
        for Ordered { frame, .. } in &chosen {
            self.queue.ban(frame.hash);
        }
        for frame in waiting {
            let age = ages[&frame.hash];
            self.queue.put_back(frame, age);
        }
        if chosen.is_empty() {
            self.close_empty(next.seq, next.time);
            let record = Record::Empty { seq: next.seq, time: next.time, offset: self.offset };
            return self.record(|| record);
        }
        let processing = self.apply(&chosen, next);
        let evicted = Rc::make_mut(&mut self.state).evict(next.seq);
        let evicted = evicted.into_iter().flat_map(|key| [ttl_key(&key), key]).collect();
        let meta = self.seal(next, set, processing, evicted);
        Rc::make_mut(&mut self.state).commit();
        let offset = self.offset;
        self.record(|| Record::Ledger { meta: Box::new(meta), offset })
    }

    fn apply(&mut self, chosen: &[Ordered], next: Next) -> Vec<TransactionResultMetaV1> {
        let info = self.info(next.seq, next.time);
        let state = Rc::make_mut(&mut self.state);
        let mut applying = Applying { state, config: &self.config, modules: &self.modules, info, next };
        let charged: Vec<Charged> =
            chosen.iter().map(|Ordered { frame, base_fee }| applying.charge(frame, *base_fee)).collect();
        let applied: Vec<Applied> =
            chosen.iter().zip(&charged).map(|(chosen, charged)| applying.apply(&chosen.frame, charged)).collect();
        let results = chosen.iter().zip(charged).zip(applied);
        results
            .map(|((Ordered { frame, .. }, charged), mut applied)| {
                let refunded = applying.refund(frame, &mut applied);
                TransactionResultMetaV1 {
                    ext: ExtensionPoint::V0,
                    result: TransactionResultPair { transaction_hash: Hash(frame.hash), result: applied.result },
                    fee_processing: charged.changes,
                    tx_apply_processing: TransactionMeta::V4(applied.meta),
                    post_tx_apply_fee_processing: refunded,
                }
            })
            .collect()
    }

    fn close_empty(&mut self, seq: u32, time: u64) {
        let (set, _, _) = build(vec![], &self.header.hash);
        self.seal(Next { seq, time, ahead: self.offset }, set, vec![], vec![]);
    }

    /// Makes the header, which names the one before, and remembers the ledger.
    fn seal(
        &mut self,
        next: Next,
        tx_set: GeneralizedTransactionSet,
        processing: Vec<TransactionResultMetaV1>,
        evicted: Vec<LedgerKey>,
    ) -> LedgerCloseMetaV2 {
        let results: Vec<_> = processing.iter().map(|meta| meta.result.clone()).collect();
        let fees: i64 = results.iter().map(|pair| pair.result.fee_charged).sum();
        let header = LedgerHeader {
            ledger_version: PROTOCOL,
            previous_ledger_hash: self.header.hash.clone(),
            scp_value: StellarValue {
                tx_set_hash: Hash(sha256(&encode(&tx_set))),
                close_time: TimePoint(next.time),
                upgrades: VecM::default(),
                ext: StellarValueExt::Basic,
            },
            tx_set_result_hash: Hash(sha256(&encode(&TransactionResultSet { results: list(results) }))),
            // There is no bucket list, so there is no hash of one.
            bucket_list_hash: Hash::default(),
            ledger_seq: next.seq,
            total_coins: genesis::TOTAL_COINS,
            fee_pool: self.header().fee_pool + fees,
            inflation_seq: 0,
            id_pool: 0,
            base_fee: BASE_FEE as u32,
            base_reserve: BASE_RESERVE,
            max_tx_set_size: LEDGER_MAX_OPERATIONS as u32,
            skip_list: Default::default(),
            ext: LedgerHeaderExt::V0,
        };
        let meta = LedgerCloseMetaV2 {
            ext: LedgerCloseMetaExt::V0,
            ledger_header: LedgerHeaderHistoryEntry {
                hash: Hash(sha256(&encode(&header))),
                header,
                ext: LedgerHeaderHistoryEntryExt::V0,
            },
            tx_set,
            tx_processing: list(processing),
            upgrades_processing: VecM::default(),
            scp_info: VecM::default(),
            total_byte_size_of_live_soroban_state: 0,
            evicted_keys: list(evicted),
        };
        self.remember(&meta);
        meta
    }

    fn remember(&mut self, meta: &LedgerCloseMetaV2) {
        self.header = meta.ledger_header.clone();
        self.history.push(meta);
    }

    fn record(&mut self, record: impl FnOnce() -> Record) -> anyhow::Result<()> {
        self.log.as_mut().map_or(Ok(()), |log| log.append(&record()))
    }

    /// Undoes a ledger whose closing did not come to its end.
    pub fn abandon(&mut self) {
        Rc::make_mut(&mut self.state).rollback(0);
    }
}

fn refused(frame: &Frame, rejection: &Rejection, fee: i64) -> Submission {
    let diagnostics = rejection.reason.iter().map(|reason| error_event(reason));
    Submission::Error(Box::new(frame.rejection_result(rejection, fee)), diagnostics.collect())
}

/// In the order in which the ledger made the changes.
fn replay_changes(replay: &mut Replay, meta: &LedgerCloseMetaV2) {
    for processed in meta.tx_processing.iter() {
        replay.apply(&processed.fee_processing);
    }
    for processed in meta.tx_processing.iter() {
        if let TransactionMeta::V4(meta) = &processed.tx_apply_processing {
            replay.apply(&meta.tx_changes_before);
            for operation in meta.operations.iter() {
                replay.apply(&operation.changes);
            }
            replay.apply(&meta.tx_changes_after);
        }
    }
    for processed in meta.tx_processing.iter() {
        replay.apply(&processed.post_tx_apply_fee_processing);
    }
    for key in meta.evicted_keys.iter() {
        replay.remove(key);
    }
}
