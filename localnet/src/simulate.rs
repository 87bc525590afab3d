//! simulateTransaction: dry runs on the latest ledger.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, bail, ensure, Error};
use serde::Deserialize;
use serde_json::{json, Value};

use crate::format::Format;
use crate::ledger::Ledger;
use crate::xdr::*;
use soroban_env_host::e2e_invoke::RecordingInvocationAuthMode as AuthMode;
use soroban_env_host::events::HostEvent;
use soroban_simulation::simulation::{
    simulate_extend_ttl_op, simulate_invoke_host_function_op, simulate_restore_op, LedgerEntryDiff,
    SimulationAdjustmentConfig,
};
use soroban_simulation::AutoRestoringSnapshotSource;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Simulation {
    transaction: Option<String>,
    resource_config: Option<ResourceConfig>,
    auth_mode: Option<String>,
    use_upgraded_auth: Option<bool>,
    xdr_format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ResourceConfig {
    instruction_leeway: Option<u32>,
}

/// Failures are part of the response, as they are in stellar-rpc.
pub fn simulate(ledger: &Ledger, request: Simulation) -> Value {
    let mut response = run(ledger, &request).unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
    response["latestLedger"] = json!(ledger.seq());
    response
}

fn run(ledger: &Ledger, request: &Simulation) -> anyhow::Result<Value> {
    let format = &request.xdr_format;
    format.check().map_err(Error::msg)?;
    let text = request.transaction.as_deref().unwrap_or_default();
    let envelope = from_base64(text).map_err(|_| anyhow!("Could not unmarshal transaction"))?;
    let tx = match envelope {
        TransactionEnvelope::Tx(inner) => inner.tx,
        TransactionEnvelope::TxFeeBump(outer) => match outer.tx.inner_tx {
            FeeBumpTransactionInnerTx::Tx(inner) => inner.tx,
        },
        TransactionEnvelope::TxV0(_) => bail!("V0 envelopes are not supported"),
    };
    let [op] = tx.operations.as_slice() else {
        bail!("Transaction contains more than one operation");
    };
    ensure!(tx.memo == Memo::None, "Transaction contains a memo. Soroban transactions do not support memos.");
    let source = account_id(op.source_account.as_ref().unwrap_or(&tx.source_account));
    let footprint = || match &tx.ext {
        TransactionExt::V1(data) => Ok(&data.resources.footprint),
        TransactionExt::V0 => Err(anyhow!(
            "To perform a SimulateTransaction for ExtendFootprintTtl or RestoreFootprint \
             operations, SorobanTransactionData must be provided"
        )),
    };
    let mode = request.auth_mode.as_deref().unwrap_or_default();
    let invocation = matches!(op.body, OperationBody::InvokeHostFunction(_));
    ensure!(invocation || mode.is_empty(), "cannot set authMode with non-InvokeHostFunction operations");
    match &op.body {
        OperationBody::InvokeHostFunction(op) => invoke(ledger, request, op, &source),
        OperationBody::ExtendFootprintTtl(op) => extend(ledger, op.extend_to, &footprint()?.read_only, format),
        OperationBody::RestoreFootprint(_) => {
            let info = ledger.info(ledger.seq(), ledger.time());
            let adjustment = SimulationAdjustmentConfig::default_adjustment();
            let keys = &footprint()?.read_write;
            let state = ledger.state.as_ref();
            let result = simulate_restore_op(state, &ledger.config, &adjustment, &info, keys)?;
            Ok(resources(&result.transaction_data, format))
        }
        body => bail!("Transaction contains unsupported operation type: {}", body.name()),
    }
}

fn invoke(
    ledger: &Ledger,
    request: &Simulation,
    op: &InvokeHostFunctionOp,
    source: &AccountId,
) -> anyhow::Result<Value> {
    let format = &request.xdr_format;
    let mut adjustment = SimulationAdjustmentConfig::default_adjustment();
    if let Some(leeway) = request.resource_config.as_ref().and_then(|config| config.instruction_leeway) {
        let additive = &mut adjustment.instructions.additive_factor;
        *additive = leeway.max(*additive);
    }
    let result = simulate_invoke_host_function_op(
        ledger.state.clone(),
        &ledger.config,
        &adjustment,
        &ledger.info(ledger.seq(), ledger.time()),
        op.host_function.clone(),
        auth_mode(request, &op.auth)?,
        source,
        random_seed(op),
        true,
    )?;
    let events = format.encode_all(&result.diagnostic_events);
    let events_name = format.name("events", "eventsJson");
    let value = match &result.invoke_result {
        Ok(value) => value,
        Err(error) => {
            let log = event_log(&result.diagnostic_events);
            let error = format!("HostError: {:?}\n\nEvent log (newest first):\n{log}", error.error);
            return Ok(json!({ "error": error, events_name: events }));
        }
    };
    let data = result.transaction_data.ok_or_else(|| anyhow!("simulation made no resources"))?;
    let mut response = resources(&data, format);
    response[events_name] = events;
    response["results"] = json!([{
        format.name("auth", "authJson"): format.encode_all(&result.auth),
        format.name("xdr", "returnValueJson"): format.encode(value),
    }]);
    let changes = result.modified_entries.iter().filter_map(|diff| state_change(diff, format));
    response["stateChanges"] = changes.collect();
    Ok(response)
}

/// The nonces of recorded authorization come from this, so no two simulations
/// may share one.
fn random_seed(op: &InvokeHostFunctionOp) -> [u8; 32] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = now.map_or(0, |since| since.as_nanos());
    sha256(&[&nanos.to_be_bytes()[..], &encode(op)].concat())
}

fn event_log(events: &[DiagnosticEvent]) -> String {
    let lines = events.iter().rev().enumerate().map(|(index, diagnostic)| {
        let failed_call = !diagnostic.in_successful_contract_call;
        let event = HostEvent { event: diagnostic.event.clone(), failed_call };
        format!("   {index}: {event}\n")
    });
    lines.collect()
}

/// Signed entries are enforced, and without any the needed ones are recorded,
/// unless the client asks otherwise.
fn auth_mode(request: &Simulation, auth: &[SorobanAuthorizationEntry]) -> anyhow::Result<AuthMode> {
    let upgraded = request.use_upgraded_auth.unwrap_or(false);
    let mode = request.auth_mode.as_deref().unwrap_or_default();
    match mode {
        "record" | "record_allow_nonroot" if !auth.is_empty() => {
            bail!("cannot set authMode to '{mode}' with an auth footprint")
        }
        "" if auth.is_empty() => Ok(AuthMode::recording(true, upgraded)),
        "" | "enforce" => Ok(AuthMode::Enforcing(auth.to_vec())),
        "record" => Ok(AuthMode::recording(true, upgraded)),
        "record_allow_nonroot" => Ok(AuthMode::recording(false, upgraded)),
        _ => bail!("optional 'authMode' must be one of enforce,record,record_allow_nonroot when included"),
    }
}

fn extend(ledger: &Ledger, extend_to: u32, keys: &[LedgerKey], format: &Format) -> anyhow::Result<Value> {
    let info = ledger.info(ledger.seq(), ledger.time());
    let adjustment = SimulationAdjustmentConfig::default_adjustment();
    // Archived entries are simulated as if restored, which a preamble tells
    // the client to do first.
    let state = AutoRestoringSnapshotSource::new(ledger.state.clone(), &info)?;
    let result = simulate_extend_ttl_op(&state, &ledger.config, &adjustment, &info, keys, extend_to)?;
    let mut response = resources(&result.transaction_data, format);
    let preamble = state.simulate_restore_keys_op(&ledger.config, &adjustment, &info)?;
    if let Some(preamble) = preamble {
        response["restorePreamble"] = resources(&preamble.transaction_data, format);
    }
    Ok(response)
}

fn resources(data: &SorobanTransactionData, format: &Format) -> Value {
    json!({
        format.name("transactionData", "transactionDataJson"): format.encode(data),
        "minResourceFee": data.resource_fee.to_string(),
    })
}

fn state_change(diff: &LedgerEntryDiff, format: &Format) -> Option<Value> {
    let (before, after) = (diff.state_before.as_ref(), diff.state_after.as_ref());
    let kind = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => "created",
        (Some(_), Some(_)) => "updated",
        (Some(_), None) => "deleted",
    };
    let side = |entry: Option<&LedgerEntry>| entry.map(|entry| format.encode(entry));
    Some(json!({
        "type": kind,
        format.name("key", "keyJson"): format.encode(&before.or(after)?.to_key()),
        format.name("before", "beforeJson"): side(before),
        format.name("after", "afterJson"): side(after),
    }))
}
