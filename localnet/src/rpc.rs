//! The JSON-RPC methods of stellar-rpc.

use serde_json::{json, Map, Value};
use stellar_strkey::Contract;

use crate::jsonrpc::*;
use crate::ledger::{ClosedLedger, Emitted, Ledger, Submission, Transacted};
use crate::settings::PROTOCOL;
use crate::simulate::simulate;
use crate::tx::Frame;
use crate::xdr::*;

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: INTERNAL_ERROR, message: format!("{error:#}"), data: None }
    }
}

/// Answers one call. `url` is where this server is reached.
pub fn call(ledger: &mut Ledger, url: &str, method: &str, params: Value) -> Reply {
    ledger.tick();
    let params = &params;
    if params["xdrFormat"].as_str().is_some_and(|format| format != "base64") {
        return fail(INVALID_PARAMS, "only the base64 xdrFormat is supported");
    }
    match method {
        "getHealth" => Ok(get_health(ledger)),
        "getNetwork" => Ok(json!({
            "friendbotUrl": format!("{url}/friendbot"),
            "passphrase": ledger.passphrase,
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
        "getLatestLedger" => Ok(get_latest_ledger(ledger)),
        "getLedgers" => get_ledgers(ledger, params),
        "getLedgerEntries" => get_ledger_entries(ledger, params),
        "simulateTransaction" => Ok(simulate(ledger, params)),
        "sendTransaction" => send_transaction(ledger, params),
        "getTransaction" => get_transaction(ledger, params),
        "getTransactions" => get_transactions(ledger, params),
        "getEvents" => get_events(ledger, params),
        _ => {
            let data = Some(method.into());
            Err(Failure { code: METHOD_NOT_FOUND, message: "method not found".into(), data })
        }
    }
}

pub fn encode_all(values: &[impl WriteXdr]) -> Vec<String> {
    values.iter().map(base64).collect()
}

/// Sequence number and close time of the first ledger.
fn oldest(ledger: &Ledger) -> (u32, u64) {
    let first = ledger.closed.values().next().map(|ledger| &ledger.header.header);
    first.map_or((0, 0), |header| (header.ledger_seq, header.scp_value.close_time.0))
}

fn get_health(ledger: &Ledger) -> Value {
    json!({
        "status": "healthy",
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time().to_string(),
        "oldestLedger": oldest(ledger).0,
        "oldestLedgerCloseTime": oldest(ledger).1.to_string(),
        "ledgerRetentionWindow": ledger.seq(),
    })
}

/// There is no competition for ledger space, so every fee is the base fee.
fn get_fee_stats(ledger: &Ledger) -> Value {
    let mut stats = Map::new();
    for name in ["max", "min", "mode"] {
        stats.insert(name.into(), "100".into());
    }
    for percentile in [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99] {
        stats.insert(format!("p{percentile}"), "100".into());
    }
    stats.insert("transactionCount".into(), ledger.transactions.len().to_string().into());
    stats.insert("ledgerCount".into(), ledger.closed.len().into());
    json!({ "sorobanInclusionFee": stats, "inclusionFee": stats, "latestLedger": ledger.seq() })
}

fn get_latest_ledger(ledger: &Ledger) -> Value {
    let ClosedLedger { header, meta } = ledger.latest();
    json!({
        "id": header.hash.to_string(),
        "protocolVersion": PROTOCOL,
        "sequence": ledger.seq(),
        "closeTime": ledger.time().to_string(),
        "headerXdr": base64(&header.header),
        "metadataXdr": base64(meta),
    })
}

fn get_ledgers(ledger: &Ledger, params: &Value) -> Reply {
    let (cursor, limit) = pagination(params, 50)?;
    let after = cursor.map(|cursor| cursor.parse::<u32>());
    let start = match after {
        Some(Ok(after)) => after.saturating_add(1),
        Some(Err(_)) => return fail(INVALID_PARAMS, "invalid cursor"),
        None => start_ledger(ledger, params)?,
    };
    let found: Vec<_> = ledger.closed.range(start..).take(limit).collect();
    let last = found.last().map_or(start.saturating_sub(1), |(seq, _)| **seq);
    let ledgers = found.into_iter().map(|(seq, closed)| {
        json!({
            "hash": closed.header.hash.to_string(),
            "sequence": seq,
            "ledgerCloseTime": closed.header.header.scp_value.close_time.0.to_string(),
            "headerXdr": base64(&closed.header),
            "metadataXdr": base64(&closed.meta),
        })
    });
    Ok(json!({
        "ledgers": ledgers.collect::<Vec<_>>(),
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time(),
        "oldestLedger": oldest(ledger).0,
        "oldestLedgerCloseTime": oldest(ledger).1,
        "cursor": last.to_string(),
    }))
}

fn get_ledger_entries(ledger: &Ledger, params: &Value) -> Reply {
    let Some(keys) = params["keys"].as_array().filter(|keys| keys.len() <= 200) else {
        return fail(INVALID_PARAMS, "keys must be an array of at most 200 ledger keys");
    };
    let mut entries = vec![];
    for text in keys.iter().map(|key| key.as_str().unwrap_or_default()) {
        let Ok(key) = from_base64::<LedgerKey>(text) else {
            return fail(INVALID_PARAMS, format!("cannot unmarshal key value {text}"));
        };
        if matches!(key, LedgerKey::Ttl(_)) {
            return fail(INVALID_PARAMS, "ledger ttl entries cannot be queried directly");
        }
        let Some(slot) = ledger.state.visible(&key, ledger.seq()) else {
            continue;
        };
        let mut entry = json!({
            "key": base64(&key),
            "xdr": base64(&slot.entry.data),
            "extXdr": base64(&slot.entry.ext),
            "lastModifiedLedgerSeq": slot.entry.last_modified_ledger_seq,
        });
        if let Some(until) = slot.live_until {
            // As in stellar-rpc, zero marks an archived entry.
            let until = if slot.is_live(ledger.seq()) { until } else { 0 };
            entry["liveUntilLedgerSeq"] = until.into();
        }
        entries.push(entry);
    }
    Ok(json!({ "entries": entries, "latestLedger": ledger.seq() }))
}

fn send_transaction(ledger: &mut Ledger, params: &Value) -> Reply {
    let text = params["transaction"].as_str().unwrap_or_default();
    let Ok(envelope) = from_base64::<TransactionEnvelope>(text) else {
        return fail(INVALID_PARAMS, "invalid_xdr");
    };
    let frame = match Frame::new(envelope, ledger.network_id) {
        Ok(frame) => frame,
        Err(error) => return fail(INVALID_PARAMS, error.to_string()),
    };
    let mut response = json!({
        "hash": hex(frame.hash),
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time().to_string(),
    });
    response["status"] = match ledger.submit(frame)? {
        Submission::Pending => "PENDING".into(),
        Submission::Duplicate => "DUPLICATE".into(),
        Submission::Error(result, diagnostics) => {
            response["errorResultXdr"] = base64(result.as_ref()).into();
            response["diagnosticEventsXdr"] = encode_all(&diagnostics).into();
            "ERROR".into()
        }
    };
    Ok(response)
}

fn get_transaction(ledger: &Ledger, params: &Value) -> Reply {
    let text = params["hash"].as_str().unwrap_or_default();
    let Ok(hash) = text.parse::<Hash>() else {
        return fail(INVALID_PARAMS, format!("incorrect hash: {text:?}"));
    };
    let mut response = match ledger.transaction(&hash.0) {
        None => json!({ "status": "NOT_FOUND", "txHash": text }),
        Some(transaction) => {
            let mut details = transaction_details(transaction);
            details["createdAt"] = transaction.time.to_string().into();
            details
        }
    };
    response["latestLedger"] = ledger.seq().into();
    response["latestLedgerCloseTime"] = ledger.time().to_string().into();
    response["oldestLedger"] = oldest(ledger).0.into();
    response["oldestLedgerCloseTime"] = oldest(ledger).1.to_string().into();
    Ok(response)
}

fn transaction_details(transaction: &Transacted) -> Value {
    let meta = &transaction.meta;
    let events = meta.operations.iter().map(|op| encode_all(&op.events));
    json!({
        "status": if transaction.successful { "SUCCESS" } else { "FAILED" },
        "txHash": hex(transaction.hash),
        "applicationOrder": 1,
        "feeBump": transaction.fee_bump,
        "envelopeXdr": base64(&transaction.envelope),
        "resultXdr": base64(&transaction.result),
        "resultMetaXdr": base64(&TransactionMeta::V4(meta.clone())),
        "diagnosticEventsXdr": encode_all(&meta.diagnostic_events),
        "events": {
            "contractEventsXdr": events.collect::<Vec<_>>(),
            "diagnosticEventsXdr": encode_all(&meta.diagnostic_events),
            "transactionEventsXdr": encode_all(&meta.events),
        },
        "ledger": transaction.seq,
    })
}

fn get_transactions(ledger: &Ledger, params: &Value) -> Reply {
    let (cursor, limit) = pagination(params, 50)?;
    let after = match cursor.map(|cursor| cursor.parse::<u64>()) {
        Some(Ok(after)) => after,
        Some(Err(_)) => return fail(INVALID_PARAMS, "invalid cursor"),
        None => u64::from(start_ledger(ledger, params)?) << 32,
    };
    // A cursor is a position with operation number 1.
    let position = |transaction: &Transacted| toid(transaction.seq) + 1;
    let pending = ledger.transactions.iter().filter(|transaction| position(transaction) > after);
    let found: Vec<_> = pending.take(limit).collect();
    let last = found.last().map_or((u64::from(ledger.seq()) << 32) + 1, |last| position(last));
    let transactions = found.into_iter().map(|transaction| {
        let mut details = transaction_details(transaction);
        details["createdAt"] = transaction.time.into();
        details
    });
    Ok(json!({
        "transactions": transactions.collect::<Vec<_>>(),
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTimestamp": ledger.time(),
        "oldestLedger": oldest(ledger).0,
        "oldestLedgerCloseTimestamp": oldest(ledger).1,
        "cursor": last.to_string(),
    }))
}

fn get_events(ledger: &Ledger, params: &Value) -> Reply {
    let (cursor, limit) = pagination(params, 100)?;
    let after = match cursor {
        Some(cursor) => parse_event_id(cursor)?,
        None => ((u64::from(start_ledger(ledger, params)?) << 32), None),
    };
    let end = params["endLedger"].as_u64().filter(|end| *end > 0).unwrap_or(u64::MAX);
    let end = end.min(u64::from(ledger.seq()) + 1);
    let filters = params["filters"].as_array().map_or(&[][..], Vec::as_slice);
    for filter in filters {
        validate_filter(filter)?;
    }
    let matching = ledger.events.iter().filter(|emitted| {
        (toid(emitted.seq), Some(emitted.index)) > after
            && u64::from(emitted.seq) < end
            && (filters.is_empty() || filters.iter().any(|filter| matches(filter, &emitted.event)))
    });
    let found: Vec<&Emitted> = matching.take(limit).collect();
    let cursor = match found.last() {
        Some(last) if found.len() == limit => event_id(last),
        // The end of what was searched.
        _ => format!("{:019}-{:010}", (end << 32) - 1, u32::MAX),
    };
    Ok(json!({
        "events": found.into_iter().map(event_info).collect::<Vec<_>>(),
        "cursor": cursor,
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time().to_string(),
        "oldestLedger": oldest(ledger).0,
        "oldestLedgerCloseTime": oldest(ledger).1.to_string(),
    }))
}

/// The total order id of a ledger's only transaction and its first operation.
fn toid(seq: u32) -> u64 {
    (u64::from(seq) << 32) | (1 << 12)
}

fn event_id(emitted: &Emitted) -> String {
    format!("{:019}-{:010}", toid(emitted.seq), emitted.index)
}

fn parse_event_id(text: &str) -> Result<(u64, Option<u32>), Failure> {
    let parts = text.split_once('-').and_then(|(toid, index)| Some((toid.parse().ok()?, Some(index.parse().ok()?))));
    parts.map_or_else(|| fail(INVALID_PARAMS, format!("invalid cursor {text:?}")), Ok)
}

fn event_info(emitted: &Emitted) -> Value {
    let ContractEventBody::V0(body) = &emitted.event.body;
    let contract = emitted.event.contract_id.as_ref();
    json!({
        "type": event_type(&emitted.event),
        "ledger": emitted.seq,
        "ledgerClosedAt": rfc3339(emitted.time),
        "contractId": contract.map_or(String::new(), |id| Contract(id.0 .0).to_string()),
        "id": event_id(emitted),
        "operationIndex": 0,
        "transactionIndex": 1,
        "txHash": hex(emitted.tx_hash),
        "inSuccessfulContractCall": true,
        "topic": encode_all(&body.topics),
        "value": base64(&body.data),
    })
}

fn event_type(event: &ContractEvent) -> &'static str {
    match event.type_ {
        ContractEventType::System => "system",
        ContractEventType::Contract => "contract",
        ContractEventType::Diagnostic => "diagnostic",
    }
}

fn validate_filter(filter: &Value) -> Result<(), Failure> {
    for id in strings(&filter["contractIds"]) {
        if Contract::from_string(id).is_err() {
            return fail(INVALID_PARAMS, format!("invalid contract ID: {id}"));
        }
    }
    for topics in filter["topics"].as_array().into_iter().flatten() {
        for topic in strings(topics).filter(|topic| !matches!(*topic, "*" | "**")) {
            if from_base64::<ScVal>(topic).is_err() {
                return fail(INVALID_PARAMS, format!("invalid topic: {topic}"));
            }
        }
    }
    Ok(())
}

/// Each kind of condition holds if it is absent or any of its values match.
fn matches(filter: &Value, event: &ContractEvent) -> bool {
    let types = filter["type"].as_str().unwrap_or_default();
    let contract = event.contract_id.as_ref().map(|id| Contract(id.0 .0).to_string());
    let contracts = filter["contractIds"].as_array().map_or(&[][..], Vec::as_slice);
    let topics = filter["topics"].as_array().map_or(&[][..], Vec::as_slice);
    let ContractEventBody::V0(body) = &event.body;
    (types.is_empty() || types.split(',').any(|wanted| wanted.trim() == event_type(event)))
        && (contracts.is_empty() || contracts.iter().any(|id| id.as_str() == contract.as_deref()))
        && (topics.is_empty() || topics.iter().any(|wanted| topics_match(wanted, &body.topics)))
}

/// `*` stands for one topic, and a final `**` for any number of them.
fn topics_match(wanted: &Value, topics: &[ScVal]) -> bool {
    let mut wanted: Vec<&str> = strings(wanted).collect();
    let open_ended = wanted.last() == Some(&"**");
    if open_ended {
        wanted.pop();
    }
    let long_enough = if open_ended { topics.len() >= wanted.len() } else { topics.len() == wanted.len() };
    long_enough && wanted.iter().zip(topics).all(|(wanted, topic)| *wanted == "*" || *wanted == base64(topic))
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The cursor, if one is given, and the number of items to return.
fn pagination(params: &Value, default: usize) -> Result<(Option<&str>, usize), Failure> {
    let pagination = &params["pagination"];
    let cursor = pagination["cursor"].as_str().filter(|cursor| !cursor.is_empty());
    let limit = pagination["limit"].as_u64().filter(|limit| *limit > 0);
    if cursor.is_some() && params["startLedger"].as_u64().is_some_and(|start| start > 0) {
        return fail(INVALID_PARAMS, "startLedger and cursor cannot both be set");
    }
    match limit.map_or(default, |limit| limit as usize) {
        limit if limit > 10_000 => fail(INVALID_PARAMS, "limit must not exceed 10000"),
        limit => Ok((cursor, limit)),
    }
}

fn start_ledger(ledger: &Ledger, params: &Value) -> Result<u32, Failure> {
    let (oldest, latest) = (oldest(ledger).0, ledger.seq());
    let start = params["startLedger"].as_u64().unwrap_or(0);
    match u32::try_from(start) {
        Ok(start) if (oldest..=latest).contains(&start) => Ok(start),
        _ => fail(INVALID_REQUEST, format!("startLedger must be within the ledger range: {oldest} - {latest}")),
    }
}

/// Seconds since 1970 as a UTC date and time.
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that start in March have the leap day last; an era is 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn formats_times() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(rfc3339(4_102_444_800), "2100-01-01T00:00:00Z");
    }
}
