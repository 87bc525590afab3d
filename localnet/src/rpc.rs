//! The JSON-RPC methods of stellar-rpc.

use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Map, Value};

use crate::format::Format;
use crate::jsonrpc::*;
use crate::ledger::{Ledger, Submission};
use crate::settings::PROTOCOL;
use crate::simulate::simulate;
use crate::tx::Frame;
use crate::xdr::*;

mod events;
mod ledgers;

/// Ledgers whose fees getFeeStats is made of.
const CLASSIC_FEE_WINDOW: u32 = 10;
const SOROBAN_FEE_WINDOW: u32 = 50;

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: INTERNAL_ERROR, message: format!("{error:#}"), data: None }
    }
}

/// Answers one call. `url` is where this server is reached.
pub fn call(ledger: &mut Ledger, url: &str, method: &str, params: Value) -> Reply {
    ledger.tick();
    match method {
        "getHealth" => Ok(get_health(ledger)),
        "getNetwork" => Ok(json!({
            "friendbotUrl": format!("{url}/friendbot"),
            "passphrase": ledger.options.passphrase,
            "protocolVersion": PROTOCOL,
        })),
        "getVersionInfo" => Ok(json!({
            "version": concat!("localnet-", env!("CARGO_PKG_VERSION")),
            "commitHash": "",
            "buildTimestamp": "",
            "captiveCoreVersion": "none",
            "protocolVersion": PROTOCOL,
        })),
        "getFeeStats" => Ok(get_fee_stats(ledger)),
        "getLatestLedger" => Ok(ledgers::get_latest_ledger(ledger)),
        "getLedgers" => ledgers::get_ledgers(ledger, read(params)?),
        "getLedgerEntries" => get_ledger_entries(ledger, read(params)?),
        "simulateTransaction" => Ok(simulate(ledger, read(params)?)),
        "sendTransaction" => send_transaction(ledger, read(params)?),
        "getTransaction" => ledgers::get_transaction(ledger, read(params)?),
        "getTransactions" => ledgers::get_transactions(ledger, read(params)?),
        "getEvents" => events::get_events(ledger, read(params)?),
        _ => {
            let data = Some(method.into());
            Err(Failure { code: METHOD_NOT_FOUND, message: "method not found".into(), data })
        }
    }
}

/// Parameters by name; what is absent or null is empty, as in Go.
fn read<T: DeserializeOwned + Default>(params: Value) -> Result<T, Failure> {
    let invalid = |reason: String| Failure { code: INVALID_PARAMS, message: reason, data: None };
    match params {
        Value::Null => Ok(T::default()),
        Value::Array(_) => Err(invalid("invalid parameters: they must be named".into())),
        params => serde_json::from_value(params).map_err(|error| invalid(format!("invalid parameters: {error}"))),
    }
}

/// Where a page of answers goes on, and how long it is.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Pagination {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// A form that is not known is an error of the request.
fn valid(format: &Format) -> Result<(), Failure> {
    format.check().or_else(|message| fail(INVALID_PARAMS, message))
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Entries {
    keys: Option<Vec<String>>,
    xdr_format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Sending {
    transaction: Option<String>,
    xdr_format: Format,
}

fn get_health(ledger: &Ledger) -> Value {
    json!({
        "status": "healthy",
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time().to_string(),
        "oldestLedger": ledger.history.oldest_seq(),
        "oldestLedgerCloseTime": ledger.history.oldest_time().to_string(),
        "ledgerRetentionWindow": ledger.options.retention_ledgers,
    })
}

fn get_fee_stats(ledger: &Ledger) -> Value {
    let window = |ledgers: u32| ledger.history.from((ledger.seq() + 1).saturating_sub(ledgers));
    let classic = window(CLASSIC_FEE_WINDOW).flat_map(|closed| &closed.classic_fees).copied().collect();
    let soroban = window(SOROBAN_FEE_WINDOW).flat_map(|closed| &closed.soroban_fees).copied().collect();
    json!({
        "sorobanInclusionFee": fee_distribution(soroban, SOROBAN_FEE_WINDOW.min(ledger.seq())),
        "inclusionFee": fee_distribution(classic, CLASSIC_FEE_WINDOW.min(ledger.seq())),
        "latestLedger": ledger.seq(),
    })
}

/// Where nothing was paid, all is zero.
fn fee_distribution(mut fees: Vec<i64>, ledgers: u32) -> Value {
    fees.sort_unstable();
    // Of the most frequent fees the lowest.
    let runs = fees.chunk_by(|a, b| a == b);
    let mode = runs.fold(&[][..], |longest, run| if run.len() > longest.len() { run } else { longest });
    let fee = |fee: Option<&i64>| Value::from(fee.copied().unwrap_or(0).to_string());
    let mut stats = Map::new();
    stats.insert("max".into(), fee(fees.last()));
    stats.insert("min".into(), fee(fees.first()));
    stats.insert("mode".into(), fee(mode.first()));
    for percentile in [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99] {
        let rank = (percentile * fees.len()).div_ceil(100);
        stats.insert(format!("p{percentile}"), fee(rank.checked_sub(1).and_then(|index| fees.get(index))));
    }
    stats.insert("transactionCount".into(), fees.len().to_string().into());
    stats.insert("ledgerCount".into(), ledgers.into());
    stats.into()
}

fn get_ledger_entries(ledger: &Ledger, request: Entries) -> Reply {
    let format = &request.xdr_format;
    valid(format)?;
    let keys = request.keys.unwrap_or_default();
    if keys.len() > 200 {
        return fail(INVALID_PARAMS, format!("key count ({}) exceeds maximum supported (200)", keys.len()));
    }
    let mut entries = vec![];
    for (text, index) in keys.iter().zip(0..) {
        let Ok(key) = from_base64::<LedgerKey>(text) else {
            return fail(INVALID_PARAMS, format!("cannot unmarshal key value {text} at index {index}"));
        };
        if let LedgerKey::Ttl(_) = key {
            return fail(INVALID_PARAMS, "ledger ttl entries cannot be queried directly");
        }
        let Some(slot) = ledger.state.visible(&key, ledger.seq()) else { continue };
        let mut entry = json!({ "lastModifiedLedgerSeq": slot.entry.last_modified_ledger_seq });
        entry[format.name("key", "keyJson")] = format.encode(&key);
        entry[format.name("xdr", "dataJson")] = format.encode(&slot.entry.data);
        entry[format.name("extXdr", "extJson")] = format.encode(&slot.entry.ext);
        if let Some(live_until) = slot.live_until {
            // An archived entry lives until nothing.
            let live = slot.is_live(ledger.seq());
            entry["liveUntilLedgerSeq"] = if live { live_until } else { 0 }.into();
        }
        entries.push(entry);
    }
    Ok(json!({ "entries": entries, "latestLedger": ledger.seq() }))
}

fn send_transaction(ledger: &mut Ledger, request: Sending) -> Reply {
    let format = &request.xdr_format;
    valid(format)?;
    let text = request.transaction.unwrap_or_default();
    let Ok(envelope) = from_base64(&text) else { return fail(INVALID_PARAMS, "invalid_xdr") };
    let Ok(frame) = Frame::new(envelope, ledger.network_id) else { return fail(INVALID_PARAMS, "invalid_hash") };
    // The ledger that was the latest when the request came.
    let mut response = json!({
        "hash": hex(frame.hash),
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time().to_string(),
    });
    response["status"] = match ledger.submit(frame)? {
        Submission::Pending => "PENDING",
        Submission::Duplicate => "DUPLICATE",
        Submission::TryAgainLater => "TRY_AGAIN_LATER",
        Submission::Error(result, events) => {
            response[format.name("errorResultXdr", "errorResultJson")] = format.encode(result.as_ref());
            if !events.is_empty() {
                let name = format.name("diagnosticEventsXdr", "diagnosticEventsJson");
                response[name] = format.encode_all(&events);
            }
            "ERROR"
        }
    }
    .into();
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_summed_up_by_nearest_rank() {
        let stats = fee_distribution(vec![300, 100, 200, 200, 100], 7);
        let at = |name: &str| stats[name].as_str().unwrap().to_string();
        assert_eq!((at("min"), at("mode"), at("max")), ("100".into(), "100".into(), "300".into()));
        assert_eq!(
            (at("p40"), at("p50"), at("p80"), at("p90")),
            ("100".into(), "200".into(), "200".into(), "300".into())
        );
        assert_eq!((at("transactionCount"), &stats["ledgerCount"]), ("5".into(), &json!(7)));
        assert_eq!(fee_distribution(vec![], 7)["p99"], "0");
    }
}
