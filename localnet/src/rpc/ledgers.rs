//! Ledgers and transactions.

use serde::Deserialize;
use serde_json::{json, Value};

use super::{fail, valid, Pagination, Reply, INVALID_PARAMS, INVALID_REQUEST};
use crate::format::Format;
use crate::history::{Closed, Transacted};
use crate::jsonrpc::Failure;
use crate::ledger::Ledger;
use crate::settings::PROTOCOL;
use crate::xdr::*;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Range {
    start_ledger: Option<u32>,
    pagination: Option<Pagination>,
    xdr_format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Transaction {
    hash: Option<String>,
    xdr_format: Format,
}

/// Where a page begins.
enum Start {
    Ledger(u32),
    After(String),
}

impl Range {
    /// Where the page begins, and how much is on it.
    fn page(&self, ledger: &Ledger) -> Result<(Start, usize), Failure> {
        let pagination = self.pagination.as_ref();
        let cursor = pagination.and_then(|page| page.cursor.clone()).filter(|cursor| !cursor.is_empty());
        let (start, (oldest, latest)) = (self.start_ledger.unwrap_or(0), range(ledger));
        let start = match cursor {
            Some(cursor) if start > 0 => {
                let message = format!("startLedger ({start}) and cursor ({cursor}) cannot both be set");
                return fail(INVALID_REQUEST, message);
            }
            Some(cursor) => Start::After(cursor),
            None if (oldest..=latest).contains(&start) => Start::Ledger(start),
            None => return fail(INVALID_REQUEST, out_of_range(&format!("start ledger ({start})"), ledger)),
        };
        let limit = pagination.and_then(|page| page.limit).unwrap_or(0);
        if limit > MAX_LIMIT {
            return fail(INVALID_REQUEST, format!("limit must not exceed {MAX_LIMIT}"));
        }
        self.xdr_format.check().or_else(|message| fail(INVALID_REQUEST, message))?;
        Ok((start, if limit == 0 { DEFAULT_LIMIT } else { limit }))
    }
}

fn range(ledger: &Ledger) -> (u32, u32) {
    (ledger.history.oldest_seq(), ledger.seq())
}

fn out_of_range(what: &str, ledger: &Ledger) -> String {
    let (oldest, latest) = range(ledger);
    format!("{what} must be between the oldest ledger: {oldest} and the latest ledger: {latest} for this rpc instance")
}

pub fn get_latest_ledger(ledger: &Ledger) -> Value {
    let latest = ledger.history.latest();
    json!({
        "id": hex(latest.hash),
        "protocolVersion": PROTOCOL,
        "sequence": latest.seq,
        "closeTime": latest.time.to_string(),
        "headerXdr": base64(ledger.header()),
        "metadataXdr": base64(&LedgerCloseMeta::V2(latest.meta())),
    })
}

/// Ledgers without transactions are not kept, and are left out.
pub fn get_ledgers(ledger: &Ledger, request: Range) -> Reply {
    let (start, limit) = request.page(ledger)?;
    let start = match start {
        Start::Ledger(seq) => seq,
        Start::After(cursor) => {
            let Ok(after) = cursor.parse::<u32>() else {
                return fail(INVALID_PARAMS, format!("{cursor:?} is not a ledger"));
            };
            let (oldest, latest) = range(ledger);
            let next = after.saturating_add(1);
            if !(oldest..=latest).contains(&next) {
                return fail(INVALID_PARAMS, out_of_range(&format!("cursor ('{cursor}')"), ledger));
            }
            next
        }
    };
    let format = &request.xdr_format;
    let found: Vec<&Closed> = ledger.history.from(start).take(limit).collect();
    let cursor = found.last().map_or(start - 1, |last| last.seq);
    let ledgers = found.into_iter().map(|closed| {
        let meta = closed.meta();
        let mut info = json!({
            "hash": hex(closed.hash),
            "sequence": closed.seq,
            "ledgerCloseTime": closed.time.to_string(),
        });
        info[format.name("headerXdr", "headerJson")] = format.encode(&meta.ledger_header);
        info[format.name("metadataXdr", "metadataJson")] = format.encode(&LedgerCloseMeta::V2(meta));
        info
    });
    Ok(json!({
        "ledgers": ledgers.collect::<Vec<_>>(),
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTime": ledger.time(),
        "oldestLedger": ledger.history.oldest_seq(),
        "oldestLedgerCloseTime": ledger.history.oldest_time(),
        "cursor": cursor.to_string(),
    }))
}

pub fn get_transaction(ledger: &Ledger, request: Transaction) -> Reply {
    valid(&request.xdr_format)?;
    let text = request.hash.unwrap_or_default();
    if text.len() / 2 != 32 {
        return fail(INVALID_PARAMS, format!("unexpected hash length ({})", text.len()));
    }
    let Ok(hash) = text.parse::<Hash>() else {
        return fail(INVALID_PARAMS, format!("incorrect hash: {text}"));
    };
    let mut response = match ledger.history.transaction(&hash.0) {
        None => json!({
            "status": "NOT_FOUND",
            "txHash": text,
            "applicationOrder": 0,
            "feeBump": false,
            "events": {},
            "ledger": 0,
            "createdAt": "0",
        }),
        Some(transaction) => {
            let mut details = transaction_details(&transaction, &request.xdr_format);
            details["createdAt"] = transaction.time.to_string().into();
            details
        }
    };
    response["latestLedger"] = ledger.seq().into();
    response["latestLedgerCloseTime"] = ledger.time().to_string().into();
    response["oldestLedger"] = ledger.history.oldest_seq().into();
    response["oldestLedgerCloseTime"] = ledger.history.oldest_time().to_string().into();
    Ok(response)
}

fn transaction_details(transaction: &Transacted, format: &Format) -> Value {
    let meta = &transaction.meta;
    let mut details = json!({
        "status": if transaction.successful() { "SUCCESS" } else { "FAILED" },
        "txHash": hex(transaction.hash),
        "applicationOrder": transaction.order,
        "feeBump": matches!(transaction.envelope, TransactionEnvelope::TxFeeBump(_)),
        "events": {},
        "ledger": transaction.seq,
    });
    details[format.name("envelopeXdr", "envelopeJson")] = format.encode(&transaction.envelope);
    details[format.name("resultXdr", "resultJson")] = format.encode(&transaction.result);
    let whole = TransactionMeta::V4(meta.clone());
    details[format.name("resultMetaXdr", "resultMetaJson")] = format.encode(&whole);
    if !meta.diagnostic_events.is_empty() {
        let name = format.name("diagnosticEventsXdr", "diagnosticEventsJson");
        details[name] = format.encode_all(meta.diagnostic_events.iter());
    }
    let events = &mut details["events"];
    if !meta.operations.is_empty() {
        let operations = meta.operations.iter().map(|operation| format.encode_all(operation.events.iter()));
        events[format.name("contractEventsXdr", "contractEventsJson")] = operations.collect();
    }
    if !meta.events.is_empty() {
        let name = format.name("transactionEventsXdr", "transactionEventsJson");
        events[name] = format.encode_all(meta.events.iter());
    }
    details
}

pub fn get_transactions(ledger: &Ledger, request: Range) -> Reply {
    let (start, limit) = request.page(ledger)?;
    let (oldest, latest) = range(ledger);
    let (seq, after) = match start {
        Start::Ledger(seq) => (seq, 0),
        Start::After(cursor) => {
            let Ok(position) = cursor.parse::<u64>() else {
                return fail(INVALID_PARAMS, format!("{cursor:?} is not a cursor"));
            };
            ((position >> 32) as u32, position >> 12 & 0xf_ffff)
        }
    };
    if seq < oldest {
        return fail(INVALID_PARAMS, format!("database does not contain metadata for ledger: {seq}"));
    }
    let network_id = ledger.network_id;
    let all = ledger.history.from(seq).flat_map(|closed| closed.transactions(network_id));
    let found = all.filter(|transaction| transaction.seq > seq || u64::from(transaction.order) > after);
    let found: Vec<Transacted> = found.take(limit).collect();
    let cursor = match found.last() {
        Some(last) if found.len() == limit => position(last.seq, last.order),
        // The end of what was searched.
        _ => position(latest, ledger.history.latest().len() as u32),
    };
    let transactions = found.iter().map(|transaction| {
        let mut details = transaction_details(transaction, &request.xdr_format);
        details["createdAt"] = transaction.time.into();
        details
    });
    Ok(json!({
        "transactions": transactions.collect::<Vec<_>>(),
        "latestLedger": ledger.seq(),
        "latestLedgerCloseTimestamp": ledger.time(),
        "oldestLedger": oldest,
        "oldestLedgerCloseTimestamp": ledger.history.oldest_time(),
        "cursor": cursor.to_string(),
    }))
}

/// A total order id, of a transaction's first operation.
fn position(seq: u32, order: u32) -> u64 {
    u64::from(seq) << 32 | u64::from(order) << 12 | 1
}
