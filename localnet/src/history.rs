//! Closed ledgers, as long as they are remembered: what clients ask for.

use std::collections::{HashMap, VecDeque};

use crate::settings::SECONDS_PER_LEDGER;
use crate::tx::is_soroban;
use crate::xdr::*;

/// The last place that a total order id can name.
pub const LAST_PLACE: u32 = 0xf_ffff;

/// Of the ledgers without transactions only the latest is kept.
pub struct History {
    ledgers: VecDeque<Closed>,
    /// Where a transaction is: ledger, and place in it from 1.
    places: HashMap<[u8; 32], (u32, u32)>,
    retention: u32,
    network_id: [u8; 32],
}

pub struct Closed {
    pub seq: u32,
    pub time: u64,
    pub hash: [u8; 32],
    /// A `LedgerCloseMeta`; decoded it takes several times the memory.
    meta: Vec<u8>,
    /// In the order they were applied in.
    transactions: Vec<[u8; 32]>,
    pub events: Vec<Emitted>,
    /// Inclusion fees paid for an operation.
    pub classic_fees: Vec<i64>,
    pub soroban_fees: Vec<i64>,
}

/// A transaction in a closed ledger.
pub struct Transacted {
    pub hash: [u8; 32],
    pub seq: u32,
    pub time: u64,
    /// Its place in the ledger, from 1.
    pub order: u32,
    pub envelope: TransactionEnvelope,
    pub result: TransactionResult,
    pub meta: TransactionMetaV4,
}

impl Transacted {
    pub fn successful(&self) -> bool {
        succeeded(&self.result)
    }
}

/// An event, with its place in the ledger.
pub struct Emitted {
    pub event: ContractEvent,
    /// The place of its transaction, from 1. What comes before or after all
    /// transactions has a place before or after theirs.
    pub order: u32,
    pub operation: u32,
    pub index: u32,
    pub tx_hash: [u8; 32],
    pub successful: bool,
}

impl Closed {
    pub fn meta(&self) -> LedgerCloseMetaV2 {
        match decode(&self.meta) {
            Ok(LedgerCloseMeta::V2(meta)) => meta,
            other => unreachable!("only such are encoded: {other:?}"),
        }
    }

    /// How many transactions it has.
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// Its transactions, in the order they were applied in.
    pub fn transactions(&self, network_id: [u8; 32]) -> Vec<Transacted> {
        let meta = self.meta();
        let mut envelopes = envelopes(&meta.tx_set, network_id);
        let places = meta.tx_processing.iter().zip(1..);
        let transactions = places.map(|(processed, order)| {
            let hash = processed.result.transaction_hash.0;
            let meta = applied(processed);
            Transacted {
                hash,
                seq: self.seq,
                time: self.time,
                order,
                envelope: envelopes.remove(&hash).expect("the set has what was processed"),
                result: processed.result.result.clone(),
                meta: meta.clone(),
            }
        });
        transactions.collect()
    }
}

impl History {
    pub fn new(retention: u32, network_id: [u8; 32]) -> Self {
        Self { ledgers: VecDeque::new(), places: HashMap::new(), retention, network_id }
    }

    pub fn push(&mut self, meta: &LedgerCloseMetaV2) {
        if self.ledgers.len() > 1 && self.ledgers.back().is_some_and(Closed::is_empty) {
            self.ledgers.pop_back();
        }
        let closed = self.closed(meta);
        for (hash, order) in closed.transactions.iter().zip(1..) {
            self.places.insert(*hash, (closed.seq, order));
        }
        self.ledgers.push_back(closed);
        let oldest = self.oldest_seq();
        while self.ledgers.len() > 1 && self.ledgers[0].seq < oldest {
            for hash in self.ledgers.pop_front().into_iter().flat_map(|closed| closed.transactions) {
                self.places.remove(&hash);
            }
        }
    }

    fn closed(&self, meta: &LedgerCloseMetaV2) -> Closed {
        let header = &meta.ledger_header;
        let mut closed = Closed {
            seq: header.header.ledger_seq,
            time: header.header.scp_value.close_time.0,
            hash: header.hash.0,
            meta: encode(&LedgerCloseMeta::V2(meta.clone())),
            transactions: vec![],
            events: vec![],
            classic_fees: vec![],
            soroban_fees: vec![],
        };
        let envelopes = envelopes(&meta.tx_set, self.network_id);
        closed.events.extend(transaction_events(meta, TransactionEventStage::BeforeAllTxs, 0));
        for (processed, order) in meta.tx_processing.iter().zip(1..) {
            let tx_hash = processed.result.transaction_hash.0;
            let result = &processed.result.result;
            let meta = applied(processed);
            for (op, operation) in meta.operations.iter().zip(0..) {
                closed.events.extend(op.events.iter().zip(0..).map(|(event, index)| Emitted {
                    event: event.clone(),
                    order,
                    operation,
                    index,
                    tx_hash,
                    successful: succeeded(result),
                }));
            }
            closed.transactions.push(tx_hash);
            let operations = envelopes.get(&tx_hash).map_or(&[][..], operations);
            match &meta.soroban_meta {
                Some(SorobanTransactionMetaV2 { ext: SorobanTransactionMetaExt::V1(fees), .. }) => {
                    let resources =
                        fees.total_non_refundable_resource_fee_charged + fees.total_refundable_resource_fee_charged;
                    closed.soroban_fees.push(result.fee_charged - resources);
                }
                _ if operations.iter().any(|op| is_soroban(&op.body)) => {}
                _ => closed.classic_fees.push(result.fee_charged / operations.len().max(1) as i64),
            }
        }
        closed.events.extend(transaction_events(meta, TransactionEventStage::AfterAllTxs, LAST_PLACE));
        closed
    }

    pub fn latest(&self) -> &Closed {
        self.ledgers.back().expect("the first ledger is closed at the start")
    }

    /// The oldest ledger that is remembered.
    pub fn oldest_seq(&self) -> u32 {
        self.latest().seq.saturating_sub(self.retention - 1).max(1)
    }

    /// Its close time. Where it was an empty one, it is known from the next.
    pub fn oldest_time(&self) -> u64 {
        let oldest = self.oldest_seq();
        let next = self.from(oldest).next().unwrap_or(self.latest());
        next.time.saturating_sub(u64::from(next.seq - oldest) * SECONDS_PER_LEDGER)
    }

    /// The ledgers from this one on.
    pub fn from(&self, seq: u32) -> impl Iterator<Item = &Closed> {
        let start = self.ledgers.partition_point(|closed| closed.seq < seq);
        self.ledgers.range(start..)
    }

    pub fn all(&self) -> impl Iterator<Item = &Closed> {
        self.ledgers.iter()
    }

    pub fn transaction(&self, hash: &[u8; 32]) -> Option<Transacted> {
        let (seq, order) = *self.places.get(hash)?;
        let closed = self.from(seq).next()?;
        closed.transactions(self.network_id).into_iter().nth(order as usize - 1)
    }
}

fn applied(processed: &TransactionResultMetaV1) -> &TransactionMetaV4 {
    match &processed.tx_apply_processing {
        TransactionMeta::V4(meta) => meta,
        other => unreachable!("only such are made: {other:?}"),
    }
}

/// Events of all transactions at one stage, which have one place.
fn transaction_events(meta: &LedgerCloseMetaV2, stage: TransactionEventStage, order: u32) -> Vec<Emitted> {
    let mut found = vec![];
    for processed in meta.tx_processing.iter() {
        let meta = applied(processed);
        for event in meta.events.iter().filter(|event| event.stage == stage) {
            found.push(Emitted {
                event: event.event.clone(),
                order,
                operation: 0,
                index: found.len() as u32,
                tx_hash: processed.result.transaction_hash.0,
                successful: succeeded(&processed.result.result),
            });
        }
    }
    found
}

fn succeeded(result: &TransactionResult) -> bool {
    use TransactionResultResult as R;
    matches!(result.result, R::TxSuccess(_) | R::TxFeeBumpInnerSuccess(_))
}

/// The transactions of a set, by hash.
fn envelopes(set: &GeneralizedTransactionSet, network_id: [u8; 32]) -> HashMap<[u8; 32], TransactionEnvelope> {
    let GeneralizedTransactionSet::V1(set) = set;
    let mut found = vec![];
    for phase in set.phases.iter() {
        match phase {
            TransactionPhase::V0(components) => {
                for TxSetComponent::TxsetCompTxsMaybeDiscountedFee(component) in components.iter() {
                    found.extend(component.txs.iter());
                }
            }
            TransactionPhase::V1(parallel) => {
                let clusters = parallel.execution_stages.iter().flat_map(|stage| stage.0.iter());
                found.extend(clusters.flat_map(|cluster| cluster.0.iter()));
            }
        }
    }
    found.into_iter().map(|envelope| (envelope.hash(network_id).expect("as accepted"), envelope.clone())).collect()
}

fn operations(envelope: &TransactionEnvelope) -> &[Operation] {
    match envelope {
        TransactionEnvelope::TxV0(inner) => &inner.tx.operations,
        TransactionEnvelope::Tx(inner) => &inner.tx.operations,
        TransactionEnvelope::TxFeeBump(outer) => match &outer.tx.inner_tx {
            FeeBumpTransactionInnerTx::Tx(inner) => &inner.tx.operations,
        },
    }
}
