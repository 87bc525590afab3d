//! Transaction envelopes: what they hold, cost and result in.

use std::cmp::Ordering;

use crate::settings::*;
use crate::xdr::*;
use soroban_env_host::fees::{compute_transaction_resource_fee, TransactionResources};
use soroban_env_host::ledger_info::get_key_durability;
use soroban_simulation::NetworkConfig;

/// A decoded envelope. `tx` is the inner transaction of a fee bump.
pub struct Frame {
    pub envelope: TransactionEnvelope,
    pub hash: [u8; 32],
    pub tx: Transaction,
    pub inner_hash: [u8; 32],
    pub signatures: Vec<DecoratedSignature>,
    pub bump: Option<Bump>,
    /// Size of the inner envelope, which resource fees are charged for.
    pub size: u32,
}

/// The outer part of a fee bump.
pub struct Bump {
    pub source: AccountId,
    pub fee: i64,
    pub signatures: Vec<DecoratedSignature>,
}

pub fn is_soroban(body: &OperationBody) -> bool {
    matches!(
        body,
        OperationBody::InvokeHostFunction(_)
            | OperationBody::ExtendFootprintTtl(_)
            | OperationBody::RestoreFootprint(_)
    )
}

/// How a transaction ended: after its operations ran, or before.
pub enum Outcome {
    Success(Vec<OperationResult>),
    Failed(Vec<OperationResult>),
    Code(TransactionResultCode),
}

/// Why a transaction may not enter a ledger.
pub struct Rejection {
    pub outcome: Outcome,
    /// Whether the fee-bump envelope, not the inner transaction, is at fault.
    pub outer: bool,
    /// The limit or rule that was broken, for the client's logs.
    pub reason: Option<String>,
}

impl From<TransactionResultCode> for Rejection {
    fn from(code: TransactionResultCode) -> Self {
        Self { outcome: Outcome::Code(code), outer: false, reason: None }
    }
}

impl Rejection {
    pub fn soroban(reason: impl Into<String>) -> Self {
        let code = TransactionResultCode::TxSorobanInvalid;
        Self { reason: Some(reason.into()), ..code.into() }
    }

    pub fn operations(results: Vec<OperationResult>) -> Self {
        Self { outcome: Outcome::Failed(results), outer: false, reason: None }
    }
}

impl Frame {
    pub fn new(envelope: TransactionEnvelope, network_id: [u8; 32]) -> anyhow::Result<Self> {
        let hash = envelope.hash(network_id)?;
        let (inner, bump) = match &envelope {
            TransactionEnvelope::TxV0(_) => anyhow::bail!("V0 envelopes are not supported"),
            TransactionEnvelope::Tx(inner) => (inner.clone(), None),
            TransactionEnvelope::TxFeeBump(outer) => {
                let FeeBumpTransactionInnerTx::Tx(inner) = &outer.tx.inner_tx;
                let bump = Bump {
                    source: account_id(&outer.tx.fee_source),
                    fee: outer.tx.fee,
                    signatures: outer.signatures.to_vec(),
                };
                (inner.clone(), Some(bump))
            }
        };
        Ok(Self {
            hash,
            inner_hash: inner.tx.hash(network_id)?,
            size: encode(&TransactionEnvelope::Tx(inner.clone())).len() as u32,
            signatures: inner.signatures.to_vec(),
            tx: inner.tx,
            bump,
            envelope,
        })
    }

    pub fn source(&self) -> AccountId {
        account_id(&self.tx.source_account)
    }

    pub fn fee_source(&self) -> AccountId {
        self.bump.as_ref().map_or_else(|| self.source(), |bump| bump.source.clone())
    }

    pub fn is_fee_bump(&self) -> bool {
        self.bump.is_some()
    }

    pub fn soroban(&self) -> Option<&SorobanTransactionData> {
        match &self.tx.ext {
            TransactionExt::V1(data) => Some(data),
            TransactionExt::V0 => None,
        }
    }

    pub fn resource_fee(&self) -> i64 {
        self.soroban().map_or(0, |data| data.resource_fee)
    }

    /// The fee bid above the resource fee.
    pub fn inclusion_fee(&self) -> i64 {
        self.full_fee().saturating_sub(self.resource_fee())
    }

    pub fn full_fee(&self) -> i64 {
        self.bump.as_ref().map_or(self.tx.fee.into(), |bump| bump.fee)
    }

    /// What fees and a ledger's room are counted in; a fee bump is one more.
    pub fn operations(&self) -> u64 {
        (self.tx.operations.len() + usize::from(self.is_fee_bump())) as u64
    }

    pub fn min_inclusion_fee(&self) -> i64 {
        BASE_FEE * self.operations() as i64
    }

    /// By the inclusion fee for an operation.
    pub fn compare_bid(&self, other: &Self) -> Ordering {
        let bid = |frame: &Self, other: &Self| i128::from(frame.inclusion_fee()) * i128::from(other.operations());
        bid(self, other).cmp(&bid(other, self))
    }

    /// What is taken before applying: of the bid, as much as the ledger asks.
    pub fn fee_to_charge(&self, base_fee: i64) -> i64 {
        self.resource_fee() + self.inclusion_fee().min(base_fee * self.operations() as i64)
    }

    /// (non-refundable, refundable) fee of the declared resources and the
    /// given size of emitted events.
    pub fn compute_fee(&self, config: &NetworkConfig, events_size: u32) -> (i64, i64) {
        let Some(data) = self.soroban() else {
            return (0, 0);
        };
        let resources = TransactionResources {
            instructions: data.resources.instructions,
            disk_read_entries: self.disk_read_entries(data),
            write_entries: data.resources.footprint.read_write.len() as u32,
            disk_read_bytes: data.resources.disk_read_bytes,
            write_bytes: data.resources.write_bytes,
            contract_events_size_bytes: events_size,
            transaction_size_bytes: self.size,
        };
        compute_transaction_resource_fee(&resources, &config.fee_configuration)
    }

    /// Contract state is in memory; what is read from disk are classic
    /// entries and archived ones.
    pub fn disk_read_entries(&self, data: &SorobanTransactionData) -> u32 {
        let footprint = &data.resources.footprint;
        let restore = matches!(self.tx.operations[0].body, OperationBody::RestoreFootprint(_));
        let classic = |key: &&LedgerKey| get_key_durability(key).is_none();
        let written = footprint.read_write.iter().filter(|key| restore || classic(key)).count();
        let read = footprint.read_only.iter().filter(classic).count();
        (read + written + archived_entries(data).len()) as u32
    }

    pub fn operation_source(&self, op: &Operation) -> AccountId {
        op.source_account.as_ref().map_or_else(|| self.source(), account_id)
    }

    /// The least that it would have been charged, for those that are refused.
    pub fn min_fee(&self) -> i64 {
        self.resource_fee().saturating_add(self.min_inclusion_fee())
    }

    pub fn rejection_result(&self, rejection: &Rejection, fee: i64) -> TransactionResult {
        match (&rejection.outcome, rejection.outer) {
            (Outcome::Code(code), true) => {
                TransactionResult { fee_charged: fee, result: from_code(*code), ext: TransactionResultExt::V0 }
            }
            (outcome, _) => self.result(outcome, fee),
        }
    }

    /// The outcome as XDR, wrapped for fee bumps.
    pub fn result(&self, outcome: &Outcome, fee_charged: i64) -> TransactionResult {
        let result = if self.is_fee_bump() {
            let inner = match outcome {
                Outcome::Success(ops) => InnerTransactionResultResult::TxSuccess(list(ops.clone())),
                Outcome::Failed(ops) => InnerTransactionResultResult::TxFailed(list(ops.clone())),
                Outcome::Code(code) => from_code(*code),
            };
            let pair = InnerTransactionResultPair {
                transaction_hash: Hash(self.inner_hash),
                result: InnerTransactionResult { fee_charged: 0, result: inner, ext: InnerTransactionResultExt::V0 },
            };
            match outcome {
                Outcome::Success(_) => TransactionResultResult::TxFeeBumpInnerSuccess(pair),
                _ => TransactionResultResult::TxFeeBumpInnerFailed(pair),
            }
        } else {
            match outcome {
                Outcome::Success(ops) => TransactionResultResult::TxSuccess(list(ops.clone())),
                Outcome::Failed(ops) => TransactionResultResult::TxFailed(list(ops.clone())),
                Outcome::Code(code) => from_code(*code),
            }
        };
        TransactionResult { fee_charged, result, ext: TransactionResultExt::V0 }
    }
}

/// The result arm of a bare code: those without a body are just the code.
fn from_code<T: ReadXdr>(code: TransactionResultCode) -> T {
    decode(&(code as i32).to_be_bytes()).expect("a code without a body")
}

pub fn archived_entries(data: &SorobanTransactionData) -> &[u32] {
    match &data.ext {
        SorobanTransactionDataExt::V0 => &[],
        SorobanTransactionDataExt::V1(ext) => &ext.archived_soroban_entries,
    }
}

pub fn issuer(asset: &TrustLineAsset) -> Option<&AccountId> {
    match asset {
        TrustLineAsset::CreditAlphanum4(a) => Some(&a.issuer),
        TrustLineAsset::CreditAlphanum12(a) => Some(&a.issuer),
        TrustLineAsset::Native | TrustLineAsset::PoolShare(_) => None,
    }
}
