//! The chain: a state, a clock, and the history of closed ledgers. Every
//! accepted transaction closes a ledger of its own.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use ed25519_dalek::SigningKey;

use crate::account::new_account;
use crate::apply::{apply, Applied};
use crate::log::Log;
use crate::settings::*;
use crate::soroban::error_event;
use crate::state::{Slot, State};
use crate::tx::{Frame, Rejection};
use crate::xdr::*;
use crate::Args;
use soroban_env_host::LedgerInfo;
use soroban_simulation::NetworkConfig;

const TOTAL_COINS: i64 = 1_000_000_000_000_000_000;

pub struct Ledger {
    pub passphrase: String,
    pub network_id: [u8; 32],
    pub state: Rc<State>,
    pub config: NetworkConfig,
    /// Closed ledgers, less the empty ones that others followed.
    pub closed: BTreeMap<u32, ClosedLedger>,
    pub transactions: Vec<Transacted>,
    pub events: Vec<Emitted>,
    by_hash: HashMap<[u8; 32], usize>,
    /// Seconds the clock is ahead of the wall clock.
    offset: u64,
    log: Option<Log>,
}

pub struct ClosedLedger {
    pub header: LedgerHeaderHistoryEntry,
    pub meta: LedgerCloseMeta,
}

/// A transaction in a closed ledger.
pub struct Transacted {
    pub hash: [u8; 32],
    pub seq: u32,
    pub time: u64,
    pub fee_bump: bool,
    pub successful: bool,
    pub envelope: TransactionEnvelope,
    pub result: TransactionResult,
    pub meta: TransactionMetaV4,
}

/// A contract event, with its place in the chain.
pub struct Emitted {
    pub event: ContractEvent,
    pub index: u32,
    pub seq: u32,
    pub time: u64,
    pub tx_hash: [u8; 32],
}

pub enum Submission {
    Pending,
    Duplicate,
    Error(Box<TransactionResult>, Vec<DiagnosticEvent>),
}

impl Ledger {
    pub fn new(passphrase: &str) -> anyhow::Result<Self> {
        let network_id = sha256(passphrase.as_bytes());
        let mut state = State::default();
        for setting in config_entries() {
            state.put(Slot::new(LedgerEntryData::ConfigSetting(setting), 1, None));
        }
        let root = account_of(&root_key(network_id));
        state.put_account(new_account(root, TOTAL_COINS, 0), 1);
        state.commit();
        let mut ledger = Self {
            config: NetworkConfig::load_from_snapshot(&state)?,
            passphrase: passphrase.to_string(),
            network_id,
            state: Rc::new(state),
            closed: BTreeMap::new(),
            transactions: vec![],
            events: vec![],
            by_hash: HashMap::new(),
            offset: 0,
            log: None,
        };
        let time = ledger.now();
        ledger.close(1, time, None);
        Ok(ledger)
    }

    /// The network of a command line.
    pub fn open(args: &Args) -> anyhow::Result<Self> {
        let mut ledger = Self::new(&args.passphrase)?;
        if let Some(path) = &args.state_file {
            let failed = || format!("cannot use the state file {}", path.display());
            ledger.attach(Log::new(path)?).with_context(failed)?;
        }
        Ok(ledger)
    }

    /// Replays what the log holds, and records in it from then on.
    pub fn attach(&mut self, mut log: Log) -> anyhow::Result<()> {
        let records = log.open(&self.passphrase, PROTOCOL)?;
        if let Some(first) = records.first() {
            self.closed.clear();
            self.close(1, first.time, None);
        }
        for record in records {
            self.offset = record.offset;
            match record.envelope {
                None => self.close(record.seq, record.time, None),
                Some(envelope) => {
                    let frame = Frame::new(envelope, self.network_id)?;
                    if self.try_apply(frame, record.seq, record.time).is_err() {
                        anyhow::bail!("ledger {} does not replay", record.seq);
                    }
                }
            }
        }
        self.log = Some(log);
        Ok(())
    }

    pub fn header(&self) -> &LedgerHeader {
        &self.latest().header.header
    }

    pub fn latest(&self) -> &ClosedLedger {
        self.closed.values().next_back().expect("the first ledger is closed at start")
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

    /// Closes an empty ledger if the last one is over its time. The sequence
    /// number counts the ledgers that would have closed meanwhile.
    pub fn tick(&mut self) {
        if self.now() >= self.time() + SECONDS_PER_LEDGER {
            let (seq, time) = self.next();
            self.close(seq, time, None);
        }
    }

    /// Moves the clock forward.
    pub fn advance(&mut self, seconds: u64) -> anyhow::Result<()> {
        let end = self.next().1.checked_add(seconds);
        anyhow::ensure!(end.is_some_and(|end| end < u64::from(u32::MAX)), "too far in the future");
        self.offset += seconds;
        let (seq, time) = self.next();
        self.close(seq, time, None);
        self.record(seq, time, None)
    }

    /// Sequence number and close time of the next ledger.
    fn next(&self) -> (u32, u64) {
        let time = self.now().max(self.time());
        let passed = (time - self.time()) / SECONDS_PER_LEDGER;
        (self.seq() + passed.max(1) as u32, time)
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

    pub fn transaction(&self, hash: &[u8; 32]) -> Option<&Transacted> {
        self.by_hash.get(hash).map(|index| &self.transactions[*index])
    }

    pub fn submit(&mut self, frame: Frame) -> anyhow::Result<Submission> {
        if self.by_hash.contains_key(&frame.hash) {
            return Ok(Submission::Duplicate);
        }
        let (seq, time) = self.next();
        let envelope = frame.envelope.clone();
        match self.try_apply(frame, seq, time) {
            Ok(()) => {
                self.record(seq, time, Some(envelope))?;
                Ok(Submission::Pending)
            }
            Err(refused) => {
                let (result, rejection) = *refused;
                let diagnostics = rejection.reason.iter().map(|reason| error_event(reason));
                Ok(Submission::Error(Box::new(result), diagnostics.collect()))
            }
        }
    }

    fn try_apply(&mut self, frame: Frame, seq: u32, time: u64) -> Result<(), Box<(TransactionResult, Rejection)>> {
        let info = self.info(seq, time);
        let state = Rc::make_mut(&mut self.state);
        let outcome = frame
            .validate(state, &self.config, seq, time, self.offset)
            .and_then(|()| apply(&frame, state, &self.config, info));
        match outcome {
            Ok(applied) => {
                self.close(seq, time, Some((frame, applied)));
                Ok(())
            }
            Err(rejection) => Err(Box::new((frame.rejection_result(&rejection), rejection))),
        }
    }

    /// Undoes a transaction whose application did not come to an end.
    pub fn abandon(&mut self) {
        Rc::make_mut(&mut self.state).rollback(0);
    }

    fn record(&mut self, seq: u32, time: u64, envelope: Option<TransactionEnvelope>) -> anyhow::Result<()> {
        let offset = self.offset;
        self.log.as_mut().map_or(Ok(()), |log| log.append(seq, time, offset, envelope))
    }

    fn close(&mut self, seq: u32, time: u64, transaction: Option<(Frame, Applied)>) {
        let previous = self.closed.values().next_back().map(|ledger| &ledger.header);
        let (previous_hash, fee_pool) =
            previous.map_or((Hash::default(), 0), |entry| (entry.hash.clone(), entry.header.fee_pool));
        // Of a run of empty ledgers only the last is kept, and the first one.
        let last = self.closed.keys().next_back().filter(|last| **last > 1);
        let replaced = last
            .copied()
            .filter(|last| transaction.is_none() && self.transactions.last().is_none_or(|tx| tx.seq != *last));

        let mut fees = 0;
        let mut phases = vec![TransactionPhase::V0(VecM::default())];
        let mut processing = vec![];
        if let Some((frame, applied)) = transaction {
            let hash = Hash(frame.hash);
            fees = applied.result.fee_charged;
            phases = tx_phases(&frame);
            processing.push(TransactionResultMetaV1 {
                ext: ExtensionPoint::V0,
                result: TransactionResultPair { transaction_hash: hash, result: applied.result.clone() },
                fee_processing: applied.fee_changes.clone(),
                tx_apply_processing: TransactionMeta::V4(applied.meta.clone()),
                post_tx_apply_fee_processing: applied.refund_changes.clone(),
            });
            self.remember(frame, applied, seq, time);
        }
        let results = processing.iter().map(|meta| meta.result.clone()).collect();
        let tx_set = GeneralizedTransactionSet::V1(TransactionSetV1 {
            previous_ledger_hash: previous_hash.clone(),
            phases: list(phases),
        });
        let header = LedgerHeader {
            ledger_version: PROTOCOL,
            previous_ledger_hash: previous_hash,
            scp_value: StellarValue {
                tx_set_hash: Hash(sha256(&encode(&tx_set))),
                close_time: TimePoint(time),
                upgrades: VecM::default(),
                ext: StellarValueExt::Basic,
            },
            tx_set_result_hash: Hash(sha256(&encode(&TransactionResultSet { results: list(results) }))),
            // There is no bucket list, so there is no hash of one.
            bucket_list_hash: Hash::default(),
            ledger_seq: seq,
            total_coins: TOTAL_COINS,
            fee_pool: fee_pool + fees,
            inflation_seq: 0,
            id_pool: 0,
            base_fee: BASE_FEE as u32,
            base_reserve: BASE_RESERVE,
            max_tx_set_size: 1,
            skip_list: Default::default(),
            ext: LedgerHeaderExt::V0,
        };
        let header = LedgerHeaderHistoryEntry {
            hash: Hash(sha256(&encode(&header))),
            header,
            ext: LedgerHeaderHistoryEntryExt::V0,
        };
        let meta = LedgerCloseMeta::V2(LedgerCloseMetaV2 {
            ext: LedgerCloseMetaExt::V0,
            ledger_header: header.clone(),
            tx_set,
            tx_processing: list(processing),
            upgrades_processing: VecM::default(),
            scp_info: VecM::default(),
            total_byte_size_of_live_soroban_state: 0,
            evicted_keys: VecM::default(),
        });
        if let Some(seq) = replaced {
            self.closed.remove(&seq);
        }
        self.closed.insert(seq, ClosedLedger { header, meta });
        Rc::make_mut(&mut self.state).commit();
    }

    fn remember(&mut self, frame: Frame, applied: Applied, seq: u32, time: u64) {
        let events = applied.meta.operations.iter().flat_map(|op| op.events.iter());
        self.events.extend(events.zip(0..).map(|(event, index)| Emitted {
            event: event.clone(),
            index,
            seq,
            time,
            tx_hash: frame.hash,
        }));
        self.by_hash.insert(frame.hash, self.transactions.len());
        self.transactions.push(Transacted {
            hash: frame.hash,
            seq,
            time,
            fee_bump: frame.is_fee_bump(),
            successful: applied.successful,
            result: applied.result,
            meta: applied.meta,
            envelope: frame.envelope,
        });
    }
}

/// Contract transactions go into the parallel phase of the set.
fn tx_phases(frame: &Frame) -> Vec<TransactionPhase> {
    let (base_fee, txs) = (Some(BASE_FEE), list(vec![frame.envelope.clone()]));
    if frame.soroban().is_some() {
        let stage = ParallelTxExecutionStage(list(vec![DependentTxCluster(txs)]));
        let execution_stages = list(vec![stage]);
        let parallel = ParallelTxsComponent { base_fee, execution_stages };
        return vec![TransactionPhase::V0(VecM::default()), TransactionPhase::V1(parallel)];
    }
    let component = TxSetComponentTxsMaybeDiscountedFee { base_fee, txs };
    let component = TxSetComponent::TxsetCompTxsMaybeDiscountedFee(component);
    vec![TransactionPhase::V0(list(vec![component]))]
}

/// The key of the account that holds all lumens at first, derived from the
/// passphrase as on every Stellar network.
pub fn root_key(network_id: [u8; 32]) -> SigningKey {
    SigningKey::from_bytes(&network_id)
}

pub fn account_of(key: &SigningKey) -> AccountId {
    AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key.verifying_key().to_bytes())))
}
