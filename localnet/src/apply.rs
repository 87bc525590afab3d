//! Applies the transactions of a ledger: all pay their fees first, then each
//! is carried out, and what is left of resource fees goes back at the end.

use crate::account::{remove_pre_authorized, use_sequence};
use crate::asset_events;
use crate::classic::Classic;
use crate::soroban::{Contracts, Effects};
use crate::state::State;
use crate::tx::{Frame, Outcome};
use crate::validate::Next;
use crate::xdr::*;
use soroban_env_host::{LedgerInfo, ModuleCache};
use soroban_simulation::NetworkConfig;

/// What a ledger's transactions are applied to.
pub struct Applying<'a> {
    pub state: &'a mut State,
    pub config: &'a NetworkConfig,
    pub modules: &'a ModuleCache,
    pub info: LedgerInfo,
    pub next: Next,
}

/// What is taken of a transaction's payer before any is applied.
pub struct Charged {
    pub fee: i64,
    pub changes: LedgerEntryChanges,
    event: Option<TransactionEvent>,
}

pub struct Applied {
    /// With the fee that was charged first.
    pub result: TransactionResult,
    pub meta: TransactionMetaV4,
    /// Of the resource fee, what was not used.
    pub refund: i64,
}

impl Applying<'_> {
    pub fn charge(&mut self, frame: &Frame, base_fee: i64) -> Charged {
        let mark = self.state.mark();
        let mut fee = frame.fee_to_charge(base_fee);
        self.change_account(&frame.fee_source(), |account| {
            fee = fee.min(account.balance);
            account.balance -= fee;
        });
        let stage = TransactionEventStage::BeforeAllTxs;
        let event = asset_events::fee(self.info.network_id, &frame.fee_source(), fee, stage);
        Charged { fee, changes: self.state.changes(mark, self.next.seq), event }
    }

    /// If an operation fails, all operations are rolled back, but the fee and
    /// the sequence number stay used.
    pub fn apply(&mut self, frame: &Frame, charged: &Charged) -> Applied {
        let fee = charged.fee;
        let events: Vec<_> = charged.event.iter().cloned().collect();
        if let Err(rejection) = frame.validate_now(self.state, self.next) {
            let (non_refundable, _) = frame.compute_fee(self.config, 0);
            return Applied {
                result: frame.rejection_result(&rejection, fee),
                meta: TransactionMetaV4 {
                    ext: ExtensionPoint::V0,
                    tx_changes_before: LedgerEntryChanges::default(),
                    operations: VecM::default(),
                    tx_changes_after: LedgerEntryChanges::default(),
                    soroban_meta: soroban_meta(frame, non_refundable, &Effects::default()),
                    events: list(events),
                    diagnostic_events: VecM::default(),
                },
                refund: frame.resource_fee() - non_refundable,
            };
        }
        let tx_changes_before = self.use_up(frame);
        let before_operations = self.state.mark();
        let mut diagnostics = vec![];
        let mut effects = Effects::default();
        let (mut results, mut operations) = (vec![], vec![]);
        for op in frame.tx.operations.iter() {
            let mark = self.state.mark();
            let source = frame.operation_source(op);
            let result = match frame.soroban() {
                None => {
                    let result = Classic { state: self.state, seq: self.next.seq }.apply(&source, &op.body);
                    if is_success(&result) {
                        effects.events = asset_events::moved(self.info.network_id, frame, &source, &op.body);
                    }
                    result
                }
                Some(data) => {
                    let (result, done) = Contracts {
                        state: self.state,
                        config: self.config,
                        modules: self.modules,
                        info: self.info.clone(),
                        frame,
                        diagnostics: &mut diagnostics,
                    }
                    .apply(&source, &op.body, data);
                    effects = done;
                    result
                }
            };
            operations.push(OperationMetaV2 {
                ext: ExtensionPoint::V0,
                changes: self.state.changes(mark, self.next.seq),
                events: list(std::mem::take(&mut effects.events)),
            });
            results.push(result);
        }
        let outcome = match results.iter().all(is_success) {
            true => Outcome::Success(results),
            false => {
                self.state.rollback(before_operations);
                operations.clear();
                Outcome::Failed(results)
            }
        };
        // What the declared resources do not use up of the resource fee pays
        // for rent and events; the rest of it goes back.
        let (non_refundable, _) = frame.compute_fee(self.config, 0);
        Applied {
            result: frame.result(&outcome, fee),
            refund: frame.resource_fee() - non_refundable - effects.rent_fee - effects.events_fee,
            meta: TransactionMetaV4 {
                ext: ExtensionPoint::V0,
                tx_changes_before,
                operations: list(operations),
                tx_changes_after: LedgerEntryChanges::default(),
                soroban_meta: soroban_meta(frame, non_refundable, &effects),
                events: list(events),
                diagnostic_events: list(diagnostics),
            },
        }
    }

    /// What a transaction uses up even if it fails: its sequence number, and
    /// the signers that authorized this one only.
    fn use_up(&mut self, frame: &Frame) -> LedgerEntryChanges {
        let mark = self.state.mark();
        let (seq, time) = (self.next.seq, self.next.time);
        let number = frame.tx.seq_num.clone();
        self.change_account(&frame.source(), |account| use_sequence(account, number, seq, time));
        let sources = frame.tx.operations.iter().map(|op| frame.operation_source(op));
        for source in sources.chain([frame.source()]) {
            if let Some(mut account) = self.state.account(&source) {
                if remove_pre_authorized(&mut account, frame.inner_hash) {
                    self.state.put_account(account, seq);
                }
            }
        }
        self.state.changes(mark, seq)
    }

    pub fn refund(&mut self, frame: &Frame, applied: &mut Applied) -> LedgerEntryChanges {
        let mark = self.state.mark();
        let refund = applied.refund;
        if refund > 0 {
            self.change_account(&frame.fee_source(), |account| account.balance += refund);
            applied.result.fee_charged -= refund;
            let stage = TransactionEventStage::AfterAllTxs;
            let event = asset_events::fee(self.info.network_id, &frame.fee_source(), -refund, stage);
            applied.meta.events = list(applied.meta.events.iter().cloned().chain(event).collect());
        }
        self.state.changes(mark, self.next.seq)
    }

    fn change_account(&mut self, id: &AccountId, change: impl FnOnce(&mut AccountEntry)) {
        // Validation has found the account, and no operation here deletes any.
        if let Some(mut account) = self.state.account(id) {
            change(&mut account);
            self.state.put_account(account, self.next.seq);
        }
    }
}

fn soroban_meta(frame: &Frame, non_refundable: i64, effects: &Effects) -> Option<SorobanTransactionMetaV2> {
    frame.soroban()?;
    Some(SorobanTransactionMetaV2 {
        ext: SorobanTransactionMetaExt::V1(SorobanTransactionMetaExtV1 {
            ext: ExtensionPoint::V0,
            total_non_refundable_resource_fee_charged: non_refundable,
            total_refundable_resource_fee_charged: effects.rent_fee + effects.events_fee,
            rent_fee_charged: effects.rent_fee,
        }),
        return_value: effects.return_value.clone(),
    })
}

fn is_success(result: &OperationResult) -> bool {
    use OperationResultTr as Tr;
    let OperationResult::OpInner(result) = result else {
        return false;
    };
    matches!(
        result,
        Tr::CreateAccount(CreateAccountResult::Success)
            | Tr::Payment(PaymentResult::Success)
            | Tr::ChangeTrust(ChangeTrustResult::Success)
            | Tr::SetOptions(SetOptionsResult::Success)
            | Tr::InvokeHostFunction(InvokeHostFunctionResult::Success(_))
            | Tr::ExtendFootprintTtl(ExtendFootprintTtlResult::Success)
            | Tr::RestoreFootprint(RestoreFootprintResult::Success)
    )
}
