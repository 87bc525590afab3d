//! Validity: whether a transaction may enter the next ledger.

use crate::account::{available_balance, last_use};
use crate::classic::{impossible, success};
use crate::settings::*;
use crate::signatures::Signatures;
use crate::state::State;
use crate::tx::{archived_entries, is_soroban, issuer, Bump, Frame, Rejection};
use crate::xdr::*;
use soroban_env_host::ledger_info::get_key_durability;
use soroban_simulation::NetworkConfig;

/// The ledger that a transaction would enter.
#[derive(Clone, Copy)]
pub struct Next {
    pub seq: u32,
    pub time: u64,
    /// Seconds that its clock is ahead of the wall clock.
    pub ahead: u64,
}

impl Frame {
    /// Whether the transaction may enter the next ledger. `owed` is what the
    /// payer of its fee already owes for others that wait.
    pub fn validate(&self, state: &State, config: &NetworkConfig, next: Next, owed: i64) -> Result<(), Rejection> {
        let payable = |account: &AccountEntry| match available_balance(account) - owed < self.full_fee() {
            true => Err(TransactionResultCode::TxInsufficientBalance),
            false => Ok(()),
        };
        if let Some(bump) = &self.bump {
            self.validate_bump(bump, state, payable).map_err(outer)?;
        }
        self.validate_form(config)?;
        self.validate_preconditions(next)?;
        if self.bump.is_none() && self.inclusion_fee() < self.min_inclusion_fee() {
            return Err(TransactionResultCode::TxInsufficientFee.into());
        }
        let account = self.validate_now(state, next)?;
        if self.bump.is_none() {
            payable(&account)?;
        }
        Ok(())
    }

    /// What may have changed once its fee is charged, in a ledger in which
    /// others came first. Returns the source account.
    pub fn validate_now(&self, state: &State, next: Next) -> Result<AccountEntry, Rejection> {
        if let Some(bump) = &self.bump {
            self.validate_bump(bump, state, |_| Ok(())).map_err(outer)?;
        }
        self.validate_preconditions(next)?;
        let account = state.account(&self.source()).ok_or(TransactionResultCode::TxNoAccount)?;
        self.validate_sequence(&account, next)?;
        self.validate_signatures(&account, state)?;
        Ok(account)
    }

    fn validate_bump(
        &self,
        bump: &Bump,
        state: &State,
        payable: impl FnOnce(&AccountEntry) -> Result<(), TransactionResultCode>,
    ) -> Result<(), TransactionResultCode> {
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
        payable(&account)?;
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

    pub fn validate_resources(&self, data: &SorobanTransactionData) -> Result<(), Rejection> {
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
    fn validate_preconditions(&self, next: Next) -> Result<(), TransactionResultCode> {
        let Next { seq, time, ahead } = next;
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

    fn validate_sequence(&self, account: &AccountEntry, next: Next) -> Result<(), TransactionResultCode> {
        let Next { seq, time, .. } = next;
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
        if !signatures.authorize(account, account.thresholds.0[1]) || !self.has_extra_signatures(&mut signatures) {
            return Err(TransactionResultCode::TxBadAuth.into());
        }
        let check = |op: &Operation| {
            let source = self.operation_source(op);
            let Some(account) = state.account(&source) else {
                return Some(OperationResult::OpNoAccount);
            };
            let threshold = account.thresholds.0[threshold_index(&op.body)];
            match signatures.authorize(&account, threshold) {
                true => impossible(&source, &op.body),
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

    /// Signers that the preconditions ask for, besides those of accounts.
    fn has_extra_signatures(&self, signatures: &mut Signatures) -> bool {
        let Preconditions::V2(cond) = &self.tx.cond else { return true };
        let signers: Vec<_> = cond.extra_signers.iter().map(|key| (key.clone(), 1)).collect();
        let needed = signers.len() as u32;
        needed == 0 || signatures.reach(signers, needed)
    }
}

fn outer(code: TransactionResultCode) -> Rejection {
    Rejection { outer: true, ..code.into() }
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
