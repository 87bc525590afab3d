//! Applies a valid transaction: fee, sequence number, operations, refund.

use crate::account::use_sequence;
use crate::classic::{is_malformed, Classic};
use crate::soroban::{Contracts, Effects};
use crate::state::State;
use crate::tx::{Frame, Outcome, Rejection};
use crate::xdr::*;
use soroban_env_host::LedgerInfo;
use soroban_simulation::NetworkConfig;

pub struct Applied {
    pub successful: bool,
    pub result: TransactionResult,
    pub meta: TransactionMetaV4,
    pub fee_changes: LedgerEntryChanges,
    pub refund_changes: LedgerEntryChanges,
}

/// If an operation fails, all operations are rolled back, but the fee and
/// the sequence number stay used. A transaction with a malformed operation
/// is rejected and leaves no trace.
pub fn apply(frame: &Frame, state: &mut State, config: &NetworkConfig, info: LedgerInfo) -> Result<Applied, Rejection> {
    let (seq, time) = (info.sequence_number, info.timestamp);

    let start = state.mark();
    let charged = frame.fee_to_charge();
    change_account(state, &frame.fee_source(), seq, |account| account.balance -= charged);
    let fee_changes = state.changes(start, seq);

    let mark = state.mark();
    let number = frame.tx.seq_num.clone();
    change_account(state, &frame.source(), seq, |account| use_sequence(account, number, seq, time));
    let tx_changes_before = state.changes(mark, seq);

    let before_operations = state.mark();
    let mut diagnostics = vec![];
    let mut effects = Effects::default();
    let (mut results, mut operations) = (vec![], vec![]);
    for op in frame.tx.operations.iter() {
        let mark = state.mark();
        let source = frame.operation_source(op);
        let result = match frame.soroban() {
            None => Classic { state, seq }.apply(&source, &op.body),
            Some(data) => {
                let info = info.clone();
                let diagnostics = &mut diagnostics;
                let (result, done) =
                    Contracts { state, config, info, frame, diagnostics }.apply(&source, &op.body, data);
                effects = done;
                result
            }
        };
        operations.push(OperationMetaV2 {
            ext: ExtensionPoint::V0,
            changes: state.changes(mark, seq),
            events: list(std::mem::take(&mut effects.events)),
        });
        results.push(result);
    }

    let successful = results.iter().all(is_success);
    if !successful {
        state.rollback(before_operations);
        operations.clear();
        if results.iter().any(is_malformed) {
            state.rollback(start);
            return Err(Rejection::operations(results));
        }
    }

    // What the declared resources do not use up of the resource fee pays for
    // rent and events; the rest of it goes back.
    let mark = state.mark();
    let (non_refundable, _) = frame.compute_fee(config, 0);
    let consumed = effects.rent_fee + effects.events_fee;
    let refund = frame.soroban().map_or(0, |data| data.resource_fee - non_refundable - consumed);
    if refund > 0 {
        change_account(state, &frame.fee_source(), seq, |account| account.balance += refund);
    }
    let outcome = match successful {
        true => Outcome::Success(results),
        false => Outcome::Failed(results),
    };
    let soroban_meta = frame.soroban().map(|_| SorobanTransactionMetaV2 {
        ext: SorobanTransactionMetaExt::V1(SorobanTransactionMetaExtV1 {
            ext: ExtensionPoint::V0,
            total_non_refundable_resource_fee_charged: non_refundable,
            total_refundable_resource_fee_charged: consumed,
            rent_fee_charged: effects.rent_fee,
        }),
        return_value: effects.return_value,
    });
    Ok(Applied {
        successful,
        result: frame.result(&outcome, charged - refund),
        meta: TransactionMetaV4 {
            ext: ExtensionPoint::V0,
            tx_changes_before,
            operations: list(operations),
            tx_changes_after: LedgerEntryChanges::default(),
            soroban_meta,
            events: VecM::default(),
            diagnostic_events: list(diagnostics),
        },
        fee_changes,
        refund_changes: state.changes(mark, seq),
    })
}

fn change_account(state: &mut State, id: &AccountId, seq: u32, change: impl FnOnce(&mut AccountEntry)) {
    // Validation has found the account, and no operation here deletes any.
    if let Some(mut account) = state.account(id) {
        change(&mut account);
        state.put_account(account, seq);
    }
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
