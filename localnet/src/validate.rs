//! Validity: whether a transaction may enter the next ledger.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::account::{available_balance, last_use};
use crate::classic::success;
use crate::settings::*;
use crate::state::State;
use crate::tx::{archived_entries, issuer, Bump, Frame, Rejection};
use crate::xdr::*;
use soroban_env_host::ledger_info::get_key_durability;
use soroban_simulation::NetworkConfig;

impl Frame {
    /// Whether the transaction may enter ledger `seq` closing at `time`, which
    /// is `ahead` seconds ahead of the wall clock.
    pub fn validate(
        &self,
        state: &State,
        config: &NetworkConfig,
        seq: u32,
        time: u64,
        ahead: u64,
    ) -> Result<(), Rejection> {
        if let Some(bump) = &self.bump {
            self.validate_bump(bump, state).map_err(|code| Rejection { outer: true, ..code.into() })?;
        }
        self.validate_form(config)?;
        self.validate_preconditions(seq, time, ahead)?;
        if self.bump.is_none() && self.inclusion_fee() < self.min_inclusion_fee() {
            return Err(TransactionResultCode::TxInsufficientFee.into());
        }
        let account = state.account(&self.source()).ok_or(TransactionResultCode::TxNoAccount)?;
        self.validate_sequence(&account, seq, time)?;
        self.validate_signatures(&account, state)?;
        if self.bump.is_none() && available_balance(&account) < self.full_fee() {
            return Err(TransactionResultCode::TxInsufficientBalance.into());
        }
        Ok(())
    }

    fn validate_bump(&self, bump: &Bump, state: &State) -> Result<(), TransactionResultCode> {
        let outer_fee = self.inclusion_fee();
        let inner_fee = i64::from(self.tx.fee).saturating_sub(self.resource_fee());
        let inner_minimum = BASE_FEE * self.tx.operations.len() as i64;
        // The fee rate must not be lower than the inner one's.
        let rate = |fee: i64, minimum: i64| i128::from(fee) * i128::from(minimum);
        if outer_fee < self.min_inclusion_fee()
            || rate(outer_fee, inner_minimum) < rate(inner_fee, self.min_inclusion_fee())
        {
            return Err(TransactionResultCode::TxInsufficientFee);
        }
        let account = state.account(&bump.source).ok_or(TransactionResultCode::TxNoAccount)?;
        let mut signatures = Signatures::new(self.hash, &bump.signatures);
        if !signatures.authorize(&account, account.thresholds.0[1]) {
            return Err(TransactionResultCode::TxBadAuth);
        }
        if available_balance(&account) < bump.fee {
            return Err(TransactionResultCode::TxInsufficientBalance);
        }
        if !signatures.all_used() {
            return Err(TransactionResultCode::TxBadAuthExtra);
        }
        Ok(())
    }

    fn validate_form(&self, config: &NetworkConfig) -> Result<(), Rejection> {
        let operations = &self.tx.operations;
        if operations.is_empty() {
            return Err(TransactionResultCode::TxMissingOperation.into());
        }
        let contract_ops = operations.iter().filter(|op| is_soroban(&op.body)).count();
        let Some(data) = self.soroban() else {
            return match contract_ops {
                0 => Ok(()),
                _ => Err(TransactionResultCode::TxMalformed.into()),
            };
        };
        if contract_ops != 1 || operations.len() != 1 {
            return Err(TransactionResultCode::TxMalformed.into());
        }
        let muxed = |source: &MuxedAccount| matches!(source, MuxedAccount::MuxedEd25519(_));
        if matches!(operations[0].body, OperationBody::InvokeHostFunction(_))
            && (self.tx.memo != Memo::None
                || muxed(&self.tx.source_account)
                || operations[0].source_account.as_ref().is_some_and(muxed))
        {
            let reason = "Soroban transactions are not allowed to use memo or muxed source account";
            return Err(Rejection::soroban(reason));
        }
        self.validate_resources(data)?;
        if self.bump.is_none() && data.resource_fee > self.full_fee() {
            return Err(Rejection::soroban("resource fee is higher than the full transaction fee"));
        }
        let (non_refundable, refundable) = self.compute_fee(config, 0);
        let minimum = non_refundable.saturating_add(refundable);
        if data.resource_fee < minimum {
            return Err(Rejection::soroban(format!(
                "resource fee {} is lower than the {minimum} that the declared resources cost",
                data.resource_fee
            )));
        }
        self.validate_contract_op(data)
    }

    fn validate_resources(&self, data: &SorobanTransactionData) -> Result<(), Rejection> {
        let resources = &data.resources;
        let (read, written) = (&resources.footprint.read_only, &resources.footprint.read_write);
        let entries = (read.len() + written.len()) as u32;
        for (what, value, limit) in [
            ("instructions", resources.instructions, TX_MAX_INSTRUCTIONS),
            ("disk read bytes", resources.disk_read_bytes, TX_MAX_DISK_READ_BYTES),
            ("write bytes", resources.write_bytes, TX_MAX_WRITE_BYTES),
            ("footprint entries", entries, TX_MAX_FOOTPRINT_ENTRIES),
            ("disk read entries", self.disk_read_entries(data), TX_MAX_DISK_READ_ENTRIES),
            ("write entries", written.len() as u32, TX_MAX_WRITE_ENTRIES),
            ("transaction size", self.size, TX_MAX_SIZE_BYTES),
        ] {
            if value > limit {
                return Err(Rejection::soroban(format!(
                    "transaction {what} {value} exceed the network limit of {limit}"
                )));
            }
        }
        let mut keys: Vec<&LedgerKey> = read.iter().chain(written.iter()).collect();
        for key in &keys {
            validate_key(key).map_err(Rejection::soroban)?;
        }
        keys.sort();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Rejection::soroban("duplicate key in the footprint"));
        }
        let archived = archived_entries(data);
        let restorable = |index: &u32| {
            let key = written.get(*index as usize);
            key.and_then(get_key_durability) == Some(ContractDataDurability::Persistent)
        };
        if !archived.windows(2).all(|pair| pair[0] < pair[1]) || !archived.iter().all(restorable) {
            let reason = "archivedSorobanEntries must be ascending indexes of persistent entries";
            return Err(Rejection::soroban(reason));
        }
        Ok(())
    }

    fn validate_contract_op(&self, data: &SorobanTransactionData) -> Result<(), Rejection> {
        let footprint = &data.resources.footprint;
        let soroban = |key: &LedgerKey| get_key_durability(key).is_some();
        let persistent = |key: &LedgerKey| get_key_durability(key) == Some(ContractDataDurability::Persistent);
        let (valid, result) = match &self.tx.operations[0].body {
            OperationBody::InvokeHostFunction(op) => {
                let fits = match &op.host_function {
                    HostFunction::UploadContractWasm(wasm) => wasm.len() as u32 <= MAX_CODE_BYTES,
                    _ => true,
                };
                let result = InvokeHostFunctionResult::Malformed;
                (fits, OperationResultTr::InvokeHostFunction(result))
            }
            OperationBody::ExtendFootprintTtl(op) => {
                let result = ExtendFootprintTtlResult::Malformed;
                let valid = footprint.read_write.is_empty()
                    && footprint.read_only.iter().all(soroban)
                    && op.extend_to < MAX_ENTRY_TTL;
                (valid, OperationResultTr::ExtendFootprintTtl(result))
            }
            _ => {
                let result = RestoreFootprintResult::Malformed;
                let valid = footprint.read_only.is_empty() && footprint.read_write.iter().all(persistent);
                (valid, OperationResultTr::RestoreFootprint(result))
            }
        };
        match valid {
            true => Ok(()),
            false => Err(Rejection::operations(vec![OperationResult::OpInner(result)])),
        }
    }

    /// Clients take time bounds from their own clock, so once the ledger's has
    /// been advanced, either clock may be within the bounds.
    fn validate_preconditions(&self, seq: u32, time: u64, ahead: u64) -> Result<(), TransactionResultCode> {
        let (times, ledgers) = match &self.tx.cond {
            Preconditions::None => (None, None),
            Preconditions::Time(times) => (Some(times), None),
            Preconditions::V2(cond) => (cond.time_bounds.as_ref(), cond.ledger_bounds.as_ref()),
        };
        if times.is_some_and(|t| t.min_time.0 > time) || ledgers.is_some_and(|l| l.min_ledger > seq) {
            return Err(TransactionResultCode::TxTooEarly);
        }
        if times.is_some_and(|t| t.max_time.0 != 0 && t.max_time.0 < time - ahead)
            || ledgers.is_some_and(|l| l.max_ledger != 0 && l.max_ledger <= seq)
        {
            return Err(TransactionResultCode::TxTooLate);
        }
        Ok(())
    }

    fn validate_sequence(&self, account: &AccountEntry, seq: u32, time: u64) -> Result<(), TransactionResultCode> {
        let (current, wanted) = (account.seq_num.0, self.tx.seq_num.0);
        let cond = match &self.tx.cond {
            Preconditions::V2(cond) => Some(cond),
            _ => None,
        };
        let in_order = match cond.and_then(|cond| cond.min_seq_num.as_ref()) {
            Some(minimum) => current >= minimum.0 && current < wanted,
            None => current.checked_add(1) == Some(wanted),
        };
        if !in_order {
            return Err(TransactionResultCode::TxBadSeq);
        }
        let (last_seq, last_time) = last_use(account);
        if cond.is_some_and(|cond| {
            time.saturating_sub(cond.min_seq_age.0) < last_time
                || seq.saturating_sub(cond.min_seq_ledger_gap) < last_seq
        }) {
            return Err(TransactionResultCode::TxBadMinSeqAgeOrGap);
        }
        Ok(())
    }

    fn validate_signatures(&self, account: &AccountEntry, state: &State) -> Result<(), Rejection> {
        let mut signatures = Signatures::new(self.inner_hash, &self.signatures);
        if !signatures.authorize(account, account.thresholds.0[1]) || self.has_extra_signers() {
            return Err(TransactionResultCode::TxBadAuth.into());
        }
        let check = |op: &Operation| {
            let source = self.operation_source(op);
            let Some(account) = state.account(&source) else {
                return Some(OperationResult::OpNoAccount);
            };
            let threshold = account.thresholds.0[threshold_index(&op.body)];
            match signatures.authorize(&account, threshold) {
                true => None,
                false => Some(OperationResult::OpBadAuth),
            }
        };
        let failures: Vec<Option<OperationResult>> = self.tx.operations.iter().map(check).collect();
        if failures.iter().any(Option::is_some) {
            let success = |op: &Operation| success(&op.body);
            let results = failures.into_iter().zip(self.tx.operations.iter());
            let results = results.map(|(failure, op)| failure.unwrap_or_else(|| success(op)));
            return Err(Rejection::operations(results.collect()));
        }
        match signatures.all_used() {
            true => Ok(()),
            false => Err(TransactionResultCode::TxBadAuthExtra.into()),
        }
    }

    /// Extra signers of preconditions are not supported, hence never satisfied.
    fn has_extra_signers(&self) -> bool {
        matches!(&self.tx.cond, Preconditions::V2(cond) if !cond.extra_signers.is_empty())
    }
}

fn is_soroban(body: &OperationBody) -> bool {
    matches!(
        body,
        OperationBody::InvokeHostFunction(_)
            | OperationBody::ExtendFootprintTtl(_)
            | OperationBody::RestoreFootprint(_)
    )
}

/// Index into `Thresholds` of what an operation needs: low, medium or high.
fn threshold_index(body: &OperationBody) -> usize {
    match body {
        OperationBody::ExtendFootprintTtl(_) | OperationBody::RestoreFootprint(_) => 1,
        OperationBody::SetOptions(op)
            if op.master_weight.is_some()
                || op.low_threshold.is_some()
                || op.med_threshold.is_some()
                || op.high_threshold.is_some()
                || op.signer.is_some() =>
        {
            3
        }
        _ => 2,
    }
}

fn validate_key(key: &LedgerKey) -> Result<(), String> {
    match key {
        LedgerKey::Account(_) | LedgerKey::ContractData(_) | LedgerKey::ContractCode(_) => {}
        LedgerKey::Trustline(line) if issuer(&line.asset).is_some_and(|i| *i != line.account_id) => {}
        _ => return Err(format!("unsupported key in the footprint: {:?}", key.discriminant())),
    }
    let size = encode(key).len() as u32;
    if size > MAX_DATA_KEY_BYTES {
        return Err(format!("footprint key of {size} bytes exceeds the network limit of {MAX_DATA_KEY_BYTES}"));
    }
    Ok(())
}

/// The signatures of one envelope, and which of them were needed.
struct Signatures<'a> {
    hash: [u8; 32],
    signatures: &'a [DecoratedSignature],
    used: Vec<bool>,
}

impl<'a> Signatures<'a> {
    fn new(hash: [u8; 32], signatures: &'a [DecoratedSignature]) -> Self {
        Self { hash, signatures, used: vec![false; signatures.len()] }
    }

    /// Only master keys can sign: SetOptions does not add other signers.
    fn authorize(&mut self, account: &AccountEntry, threshold: u8) -> bool {
        let PublicKey::PublicKeyTypeEd25519(Uint256(key)) = &account.account_id.0;
        let weight = account.thresholds.0[0];
        let Ok(verifier) = VerifyingKey::from_bytes(key) else {
            return false;
        };
        for (signature, used) in self.signatures.iter().zip(&mut self.used) {
            let valid = signature.hint.0 == key[28..]
                && Signature::from_slice(&signature.signature.0)
                    .is_ok_and(|s| verifier.verify_strict(&self.hash, &s).is_ok());
            if valid {
                *used = true;
                return weight > 0 && weight >= threshold;
            }
        }
        false
    }

    fn all_used(&self) -> bool {
        self.used.iter().all(|used| *used)
    }
}
