//! The set of transactions of one ledger: which of the pending ones fit, what
//! they pay for it, and the order they are applied in.

use std::collections::BTreeSet;

use crate::settings::*;
use crate::tx::Frame;
use crate::xdr::*;

/// What a transaction takes of a ledger, or a ledger has: operations,
/// instructions, size, entries and bytes read from disk, and written.
#[derive(Clone, Copy, Default)]
pub struct Resources([u64; 7]);

impl Resources {
    pub fn of(frame: &Frame) -> Self {
        let Some(data) = frame.soroban() else {
            return Self([frame.operations(), 0, 0, 0, 0, 0, 0]);
        };
        Self([
            1,
            data.resources.instructions.into(),
            frame.size.into(),
            frame.disk_read_entries(data).into(),
            data.resources.disk_read_bytes.into(),
            data.resources.footprint.read_write.len() as u64,
            data.resources.write_bytes.into(),
        ])
    }

    /// What a ledger has for one of its two phases.
    pub fn of_ledger(soroban: bool) -> Self {
        if !soroban {
            return Self([LEDGER_MAX_OPERATIONS, 0, 0, 0, 0, 0, 0]);
        }
        Self([
            LEDGER_MAX_CONTRACT_TXS,
            LEDGER_MAX_INSTRUCTIONS * MAX_CLUSTERS as u64,
            LEDGER_MAX_TXS_SIZE_BYTES,
            LEDGER_MAX_DISK_READ_ENTRIES,
            LEDGER_MAX_DISK_READ_BYTES,
            LEDGER_MAX_WRITE_ENTRIES,
            LEDGER_MAX_WRITE_BYTES,
        ])
    }

    pub fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|part| self.0[part] + other.0[part]))
    }

    pub fn minus(self, other: Self) -> Self {
        Self(std::array::from_fn(|part| self.0[part] - other.0[part]))
    }

    pub fn fits(self, limits: Self) -> bool {
        self.0.into_iter().zip(limits.0).all(|(part, limit)| part <= limit)
    }
}

/// One phase: classic transactions, or those that call contracts.
struct Phase {
    /// What an operation pays at most.
    base_fee: i64,
    /// Those that may touch the same entries are in one cluster.
    clusters: Vec<Vec<Frame>>,
}

/// A transaction in its place, with the base fee of its phase.
pub struct Ordered {
    pub frame: Frame,
    pub base_fee: i64,
}

/// Chooses by inclusion fee, and returns the set, its transactions in the
/// order they are applied in, and those that have to wait.
pub fn build(pending: Vec<Frame>, previous: &Hash) -> (GeneralizedTransactionSet, Vec<Ordered>, Vec<Frame>) {
    let (contracts, classic): (Vec<_>, Vec<_>) = pending.into_iter().partition(|frame| frame.soroban().is_some());
    let (classic, mut waiting) = choose(classic, false, previous);
    let (contracts, waiting_contracts) = choose(contracts, true, previous);
    waiting.extend(waiting_contracts);
    let set = GeneralizedTransactionSet::V1(TransactionSetV1 {
        previous_ledger_hash: previous.clone(),
        phases: list(vec![classic.sequential(), contracts.parallel()]),
    });
    let seed = sha256(&encode(&set));
    let mut ordered = vec![];
    for phase in [classic, contracts] {
        for mut cluster in phase.clusters {
            // Nobody can tell beforehand whose comes first.
            cluster.sort_by_key(|frame| xor(frame.hash, seed));
            ordered.extend(cluster.into_iter().map(|frame| Ordered { frame, base_fee: phase.base_fee }));
        }
    }
    (set, ordered, waiting)
}

/// The highest bids for an operation go in first, until the ledger is full.
/// If any did not fit, all pay the lowest bid that did.
fn choose(mut frames: Vec<Frame>, soroban: bool, previous: &Hash) -> (Phase, Vec<Frame>) {
    frames.sort_by(|a, b| b.compare_bid(a).then_with(|| xor(a.hash, previous.0).cmp(&xor(b.hash, previous.0))));
    let limits = Resources::of_ledger(soroban);
    let (mut used, mut clusters, mut waiting) = (Resources::default(), Clusters::default(), vec![]);
    let mut lowest = BASE_FEE;
    for frame in frames {
        let total = used.plus(Resources::of(&frame));
        if !total.fits(limits) || !clusters.can_take(&frame) {
            waiting.push(frame);
            continue;
        }
        used = total;
        lowest = frame.inclusion_fee() / frame.operations() as i64;
        clusters.add(frame);
    }
    let base_fee = if waiting.is_empty() { BASE_FEE } else { lowest };
    let mut clusters = clusters.packed();
    for cluster in &mut clusters {
        cluster.sort_by_key(|frame| frame.hash);
    }
    clusters.sort_by_key(|cluster| cluster[0].hash);
    (Phase { base_fee, clusters }, waiting)
}

/// Transactions by what they touch. Classic ones touch nothing here, as they
/// are applied one after the other in any case.
#[derive(Default)]
struct Clusters {
    groups: Vec<Group>,
}

#[derive(Default)]
struct Group {
    frames: Vec<Frame>,
    instructions: u64,
    read: BTreeSet<LedgerKey>,
    written: BTreeSet<LedgerKey>,
}

impl Group {
    fn conflicts(&self, frame: &Frame) -> bool {
        let Some(data) = frame.soroban() else { return true };
        let footprint = &data.resources.footprint;
        footprint.read_write.iter().any(|key| self.read.contains(key) || self.written.contains(key))
            || footprint.read_only.iter().any(|key| self.written.contains(key))
    }
}

impl Clusters {
    /// Each of the ledger's threads has its own instructions.
    fn can_take(&self, frame: &Frame) -> bool {
        let (own, others): (Vec<_>, Vec<_>) = self.groups.iter().partition(|group| group.conflicts(frame));
        let instructions = |frame: &Frame| frame.soroban().map_or(0, |data| data.resources.instructions.into());
        let merged = own.iter().map(|group| group.instructions).sum::<u64>() + instructions(frame);
        pack(others.iter().map(|group| group.instructions).chain([merged]).collect()).is_some()
    }

    fn add(&mut self, frame: Frame) {
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.groups).into_iter().partition(|group| group.conflicts(&frame));
        self.groups = others;
        let mut merged = Group::default();
        for group in own {
            merged.frames.extend(group.frames);
            merged.instructions += group.instructions;
            merged.read.extend(group.read);
            merged.written.extend(group.written);
        }
        if let Some(data) = frame.soroban() {
            merged.instructions += u64::from(data.resources.instructions);
            merged.read.extend(data.resources.footprint.read_only.iter().cloned());
            merged.written.extend(data.resources.footprint.read_write.iter().cloned());
        }
        merged.frames.push(frame);
        self.groups.push(merged);
    }

    /// As many clusters as the ledger has threads, at most.
    fn packed(self) -> Vec<Vec<Frame>> {
        let sizes = self.groups.iter().map(|group| group.instructions).collect();
        let places = pack(sizes).expect("each was taken");
        let mut clusters: Vec<Vec<Frame>> = (0..MAX_CLUSTERS).map(|_| vec![]).collect();
        for (group, place) in self.groups.into_iter().zip(places) {
            clusters[place].extend(group.frames);
        }
        clusters.retain(|cluster| !cluster.is_empty());
        clusters
    }
}

/// The thread of each group of instructions, the largest placed first; none
/// if they do not fit.
fn pack(sizes: Vec<u64>) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|group| std::cmp::Reverse(sizes[*group]));
    let (mut used, mut places) = ([0; MAX_CLUSTERS], vec![0; sizes.len()]);
    for group in order {
        let place = (0..MAX_CLUSTERS).min_by_key(|place| used[*place])?;
        used[place] += sizes[group];
        if used[place] > LEDGER_MAX_INSTRUCTIONS {
            return None;
        }
        places[group] = place;
    }
    Some(places)
}

impl Phase {
    fn envelopes(frames: &[Frame]) -> Vec<TransactionEnvelope> {
        frames.iter().map(|frame| frame.envelope.clone()).collect()
    }

    fn sequential(&self) -> TransactionPhase {
        let component = |frames: &Vec<Frame>| {
            TxSetComponent::TxsetCompTxsMaybeDiscountedFee(TxSetComponentTxsMaybeDiscountedFee {
                base_fee: Some(self.base_fee),
                txs: list(Self::envelopes(frames)),
            })
        };
        TransactionPhase::V0(list(self.clusters.iter().map(component).collect()))
    }

    fn parallel(&self) -> TransactionPhase {
        let clusters = self.clusters.iter().map(|frames| DependentTxCluster(list(Self::envelopes(frames))));
        let clusters: Vec<_> = clusters.collect();
        let stages = match clusters.is_empty() {
            true => vec![],
            false => vec![ParallelTxExecutionStage(list(clusters))],
        };
        TransactionPhase::V1(ParallelTxsComponent { base_fee: Some(self.base_fee), execution_stages: list(stages) })
    }
}

fn xor(hash: [u8; 32], seed: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|index| hash[index] ^ seed[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_packed_into_the_threads_of_a_ledger() {
        let half = LEDGER_MAX_INSTRUCTIONS / 2;
        assert_eq!(pack(vec![half, LEDGER_MAX_INSTRUCTIONS, half]), Some(vec![1, 0, 1]));
        assert_eq!(pack(vec![half, LEDGER_MAX_INSTRUCTIONS, half + 1]), None);
        assert_eq!(pack(vec![LEDGER_MAX_INSTRUCTIONS + 1]), None);
    }
}
