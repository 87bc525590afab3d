//! Applies the contract operations: invocation in the host's enforcing mode,
//! TTL extension and restoration.

use crate::settings::*;
use crate::state::{Slot, State};
use crate::tx::{archived_entries, Frame};
use crate::xdr::*;
use soroban_env_host::budget::Budget;
use soroban_env_host::e2e_invoke::{
    entry_size_for_rent, extract_rent_changes, invoke_host_function, InvokeHostFunctionResult as HostResult,
    LedgerEntryChange, TtlLedgerEntryMeta,
};
use soroban_env_host::fees::{compute_rent_fee, LedgerEntryRentChange};
use soroban_env_host::ledger_info::get_key_durability;
use soroban_env_host::{Host, HostError, LedgerInfo, ModuleCache};
use soroban_simulation::NetworkConfig;

/// One application of a contract operation.
pub struct Contracts<'a> {
    pub state: &'a mut State,
    pub config: &'a NetworkConfig,
    pub modules: &'a ModuleCache,
    pub info: LedgerInfo,
    pub frame: &'a Frame,
    pub diagnostics: &'a mut Vec<DiagnosticEvent>,
}

/// What a successful operation leaves besides its ledger changes.
#[derive(Default)]
pub struct Effects {
    pub return_value: Option<ScVal>,
    pub events: Vec<ContractEvent>,
    pub rent_fee: i64,
    pub events_fee: i64,
}

/// Why an operation failed; each operation has its own codes for these.
enum Failure {
    Trapped,
    ResourceLimitExceeded,
    EntryArchived,
    InsufficientRefundableFee,
}

type Attempt<T> = Result<T, Failure>;

impl Contracts<'_> {
    pub fn apply(
        &mut self,
        source: &AccountId,
        body: &OperationBody,
        data: &SorobanTransactionData,
    ) -> (OperationResult, Effects) {
        use OperationResultTr as Tr;
        let (result, effects) = match body {
            OperationBody::InvokeHostFunction(op) => {
                use InvokeHostFunctionResult as R;
                let (code, effects) = match self.invoke(source, op, data) {
                    Ok((hash, effects)) => (R::Success(hash), effects),
                    Err(failure) => (failure.of_invocation(), Effects::default()),
                };
                (Tr::InvokeHostFunction(code), effects)
            }
            OperationBody::ExtendFootprintTtl(op) => {
                use ExtendFootprintTtlResult as R;
                let (code, effects) = match self.extend(op.extend_to, data) {
                    Ok(effects) => (R::Success, effects),
                    Err(Failure::InsufficientRefundableFee) => (R::InsufficientRefundableFee, Effects::default()),
                    Err(_) => (R::ResourceLimitExceeded, Effects::default()),
                };
                (Tr::ExtendFootprintTtl(code), effects)
            }
            _ => {
                use RestoreFootprintResult as R;
                let (code, effects) = match self.restore(data) {
                    Ok(effects) => (R::Success, effects),
                    Err(Failure::InsufficientRefundableFee) => (R::InsufficientRefundableFee, Effects::default()),
                    Err(_) => (R::ResourceLimitExceeded, Effects::default()),
                };
                (Tr::RestoreFootprint(code), effects)
            }
        };
        (OperationResult::OpInner(result), effects)
    }

    fn invoke(
        &mut self,
        source: &AccountId,
        op: &InvokeHostFunctionOp,
        data: &SorobanTransactionData,
    ) -> Attempt<(Hash, Effects)> {
        let (entries, restored) = self.load_footprint(data)?;
        let budget = self.budget(data.resources.instructions);
        let result = self.call_host(&budget, source, op, data, entries, &restored);
        let HostResult { encoded_invoke_result, ledger_changes, encoded_contract_events } =
            result.map_err(|_| self.host_failure(&budget, data))?;
        let value = encoded_invoke_result.map_err(|_| self.host_failure(&budget, data))?;

        self.store_changes(&ledger_changes, data.resources.write_bytes)?;
        let event_sizes = encoded_contract_events.iter().map(Vec::len);
        let output_size = (event_sizes.sum::<usize>() + value.len()) as u32;
        self.check("events and return value size", output_size, TX_MAX_EVENTS_BYTES)?;

        let events = encoded_contract_events.iter().map(|event| decode(event));
        let mut success = InvokeHostFunctionSuccessPreImage {
            return_value: decode(&value).expect("host output"),
            events: list(events.collect::<Result<Vec<_>, _>>().expect("host output")),
        };
        let mut effects = self.charge(&extract_rent_changes(&ledger_changes), output_size, data)?;
        let hash = Hash(sha256(&encode(&success)));
        effects.events = std::mem::take(&mut success.events).into();
        effects.return_value = Some(success.return_value);
        Ok((hash, effects))
    }

    fn call_host(
        &mut self,
        budget: &Budget,
        source: &AccountId,
        op: &InvokeHostFunctionOp,
        data: &SorobanTransactionData,
        entries: Vec<(Option<Vec<u8>>, Option<TtlLedgerEntryMeta>)>,
        restored: &[u32],
    ) -> Result<HostResult, HostError> {
        // Depends only on what the state file records, so that it replays.
        let seed = [&self.frame.hash[..], &self.info.sequence_number.to_be_bytes()].concat();
        let auth: Vec<Vec<u8>> = op.auth.iter().map(encode).collect();
        invoke_host_function(
            budget,
            true,
            encode(&op.host_function),
            encode(&data.resources),
            restored,
            encode(source),
            auth.into_iter(),
            self.info.clone(),
            entries.into_iter(),
            sha256(&seed).to_vec(),
            self.diagnostics,
            None,
            Some(self.module_cache(data)?),
        )
    }

    /// The network keeps all live contracts parsed, so invocations do not pay
    /// for parsing. What is archived they restore, and parse themselves.
    fn module_cache(&self, data: &SorobanTransactionData) -> Result<ModuleCache, HostError> {
        let footprint = &data.resources.footprint;
        let keys = footprint.read_only.iter().chain(footprint.read_write.iter());
        let slots: Vec<&Slot> = keys.filter_map(|key| self.state.get(key)).collect();
        let (seq, protocol) = (self.info.sequence_number, self.info.protocol_version);
        let cache = match slots.iter().all(|slot| slot.is_live(seq)) {
            true => self.modules.clone(),
            false => ModuleCache::new(&Host::default())?,
        };
        for slot in slots.into_iter().filter(|slot| slot.is_live(seq)) {
            if let LedgerEntryData::ContractCode(code) = &slot.entry.data {
                if !cache.contains_module(&code.hash)? {
                    cache.parse_and_cache_module_simple(&Host::default(), protocol, &code.code)?;
                }
            }
        }
        Ok(cache)
    }

    /// The host's inputs for the footprint, read-only keys first, and the
    /// indexes of the read-write entries that are restored on the way.
    #[allow(clippy::type_complexity)]
    fn load_footprint(
        &mut self,
        data: &SorobanTransactionData,
    ) -> Attempt<(Vec<(Option<Vec<u8>>, Option<TtlLedgerEntryMeta>)>, Vec<u32>)> {
        let seq = self.info.sequence_number;
        let footprint = &data.resources.footprint;
        let read_only = footprint.read_only.iter().map(|key| (key, None));
        let read_write = footprint.read_write.iter().zip((0..).map(Some));
        let (mut entries, mut restored, mut read_bytes) = (vec![], vec![], 0);
        for (key, index) in read_only.chain(read_write) {
            let Some(slot) = self.state.visible(key, seq).cloned() else {
                entries.push((None, None));
                continue;
            };
            let bytes = encode(slot.entry.as_ref());
            let size = bytes.len() as u32;
            self.check_entry_size(key, size)?;
            let mut live_until = slot.live_until;
            if !slot.is_live(seq) {
                let listed = |index: &u32| archived_entries(data).contains(index);
                let Some(index) = index.filter(listed) else {
                    self.report("trying to access an archived entry that is not listed for restoration");
                    return Err(Failure::EntryArchived);
                };
                restored.push(index);
                live_until = Some(self.restored_live_until());
            }
            // Live contract state is in memory; the rest is read from disk.
            if slot.live_until.is_none() || !slot.is_live(seq) {
                read_bytes += size;
                self.check("disk read bytes", read_bytes, data.resources.disk_read_bytes)?;
            }
            let ttl = live_until.map(|live_until_ledger| TtlLedgerEntryMeta {
                live_until_ledger,
                entry_size_for_rent: self.rent_size(&slot.entry, size),
            });
            entries.push((Some(bytes), ttl));
        }
        Ok((entries, restored))
    }

    /// Writes what the host returned: every entry of the footprint.
    fn store_changes(&mut self, changes: &[LedgerEntryChange], limit: u32) -> Attempt<()> {
        let seq = self.info.sequence_number;
        let mut written = 0;
        for change in changes {
            let key: LedgerKey = decode(&change.encoded_key).expect("host output");
            let live_until = change.ttl_change.as_ref().map(|ttl| ttl.new_live_until_ledger);
            match (&change.encoded_new_value, change.read_only) {
                (Some(value), _) => {
                    self.check_entry_size(&key, value.len() as u32)?;
                    written += value.len() as u32;
                    self.check("write bytes", written, limit)?;
                    let entry: LedgerEntry = decode(value).expect("host output");
                    self.state.put(Slot::new(entry.data, seq, live_until));
                }
                (None, false) => self.state.remove(&key),
                (None, true) => {
                    if let Some(slot) = self.state.visible(&key, seq).cloned() {
                        if slot.live_until < live_until {
                            self.state.put(Slot { live_until, ..slot });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn extend(&mut self, extend_to: u32, data: &SorobanTransactionData) -> Attempt<Effects> {
        let seq = self.info.sequence_number;
        let new_live_until = seq + extend_to;
        let mut rent = vec![];
        for key in data.resources.footprint.read_only.iter() {
            // Missing and archived entries are skipped, as are longer-lived ones.
            let Some(slot) = self.state.get(key).filter(|slot| slot.is_live(seq)).cloned() else {
                continue;
            };
            let old_live_until = slot.live_until.unwrap_or(0);
            if old_live_until >= new_live_until {
                continue;
            }
            let size = self.rent_size(&slot.entry, encode(slot.entry.as_ref()).len() as u32);
            rent.push(rent_change(key, (size, old_live_until), (size, new_live_until)));
            self.state.put(Slot { live_until: Some(new_live_until), ..slot });
        }
        self.charge(&rent, 0, data)
    }

    fn restore(&mut self, data: &SorobanTransactionData) -> Attempt<Effects> {
        let seq = self.info.sequence_number;
        let live_until = self.restored_live_until();
        let (mut rent, mut bytes) = (vec![], 0);
        for key in data.resources.footprint.read_write.iter() {
            let Some(slot) = self.state.get(key).filter(|slot| !slot.is_live(seq)).cloned() else {
                continue;
            };
            let size = encode(slot.entry.as_ref()).len() as u32;
            self.check_entry_size(key, size)?;
            bytes += size;
            self.check("disk read bytes", bytes, data.resources.disk_read_bytes)?;
            self.check("write bytes", bytes, data.resources.write_bytes)?;
            let size = self.rent_size(&slot.entry, size);
            rent.push(rent_change(key, (0, 0), (size, live_until)));
            self.state.put(Slot::new(slot.entry.data.clone(), seq, Some(live_until)));
        }
        self.charge(&rent, 0, data)
    }

    /// Rent and events are paid from what the resource fee leaves after the
    /// declared resources.
    fn charge(
        &mut self,
        rent: &[LedgerEntryRentChange],
        output_size: u32,
        data: &SorobanTransactionData,
    ) -> Attempt<Effects> {
        let rates = &self.config.rent_fee_configuration;
        let rent_fee = compute_rent_fee(rent, rates, self.info.sequence_number);
        let (non_refundable, events_fee) = self.frame.compute_fee(self.config, output_size);
        let available = data.resource_fee - non_refundable;
        if rent_fee.saturating_add(events_fee) > available {
            self.report(&format!("refundable fee {available} does not cover rent {rent_fee} and events {events_fee}"));
            return Err(Failure::InsufficientRefundableFee);
        }
        Ok(Effects { rent_fee, events_fee, ..Effects::default() })
    }

    fn budget(&self, instructions: u32) -> Budget {
        let (cpu, memory) = (u64::from(instructions), u64::from(TX_MEMORY_LIMIT));
        Budget::try_from_configs_with_shadow_limits(
            cpu,
            memory,
            cpu * 10,
            memory * 2,
            self.config.cpu_cost_params.clone(),
            self.config.memory_cost_params.clone(),
        )
        .expect("valid cost parameters")
    }

    /// A failed invocation either ran out of resources or trapped.
    fn host_failure(&mut self, budget: &Budget, data: &SorobanTransactionData) -> Failure {
        let cpu = budget.get_cpu_insns_consumed().unwrap_or(u64::MAX);
        let memory = budget.get_mem_bytes_consumed().unwrap_or(u64::MAX);
        if cpu > data.resources.instructions.into() || memory > TX_MEMORY_LIMIT.into() {
            self.report(&format!("resources exceeded: {cpu} instructions, {memory} bytes of memory"));
            return Failure::ResourceLimitExceeded;
        }
        Failure::Trapped
    }

    fn restored_live_until(&self) -> u32 {
        let durability = ContractDataDurability::Persistent;
        self.info.min_live_until_ledger_checked(durability).unwrap_or(u32::MAX)
    }

    fn rent_size(&self, entry: &LedgerEntry, size: u32) -> u32 {
        entry_size_for_rent(&self.budget(0), entry, size).unwrap_or(size)
    }

    fn check_entry_size(&mut self, key: &LedgerKey, size: u32) -> Attempt<()> {
        match key {
            LedgerKey::ContractCode(_) => self.check("contract code size", size, MAX_CODE_BYTES),
            LedgerKey::ContractData(_) => self.check("contract data entry size", size, MAX_DATA_ENTRY_BYTES),
            _ => Ok(()),
        }
    }

    fn check(&mut self, what: &str, value: u32, limit: u32) -> Attempt<()> {
        if value <= limit {
            return Ok(());
        }
        self.report(&format!("{what} {value} exceeds the limit of {limit}"));
        Err(Failure::ResourceLimitExceeded)
    }

    fn report(&mut self, message: &str) {
        self.diagnostics.push(error_event(message));
    }
}

impl Failure {
    fn of_invocation(self) -> InvokeHostFunctionResult {
        match self {
            Self::Trapped => InvokeHostFunctionResult::Trapped,
            Self::ResourceLimitExceeded => InvokeHostFunctionResult::ResourceLimitExceeded,
            Self::EntryArchived => InvokeHostFunctionResult::EntryArchived,
            Self::InsufficientRefundableFee => InvokeHostFunctionResult::InsufficientRefundableFee,
        }
    }
}

/// From and to are pairs of size and last live ledger.
fn rent_change(key: &LedgerKey, from: (u32, u32), to: (u32, u32)) -> LedgerEntryRentChange {
    LedgerEntryRentChange {
        is_persistent: get_key_durability(key) == Some(ContractDataDurability::Persistent),
        is_code_entry: matches!(key, LedgerKey::ContractCode(_)),
        old_size_bytes: from.0,
        new_size_bytes: to.0,
        old_live_until_ledger: from.1,
        new_live_until_ledger: to.1,
    }
}

/// A diagnostic event for a rule that the network, not the host, enforces.
pub fn error_event(message: &str) -> DiagnosticEvent {
    let topic = ScVal::Symbol(ScSymbol("error".try_into().expect("short symbol")));
    let data = ScVal::String(ScString(message.try_into().unwrap_or_default()));
    DiagnosticEvent {
        in_successful_contract_call: false,
        event: ContractEvent {
            ext: ExtensionPoint::V0,
            contract_id: None,
            type_: ContractEventType::Diagnostic,
            body: ContractEventBody::V0(ContractEventV0 { topics: list(vec![topic]), data }),
        },
    }
}
