//! Events of contracts and of assets.

use serde::Deserialize;
use serde_json::{json, Value};
use stellar_strkey::Contract;

use super::{fail, valid, Pagination, Reply, INVALID_PARAMS, INVALID_REQUEST};
use crate::format::Format;
use crate::history::{Closed, Emitted, LAST_PLACE};
use crate::jsonrpc::Failure;
use crate::ledger::Ledger;
use crate::xdr::*;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 10_000;
/// Of filters, and of contracts and topics in each.
const MAX_CONDITIONS: usize = 5;
const MAX_SEGMENTS: usize = 4;
/// Ledgers that one request looks through.
const SCAN_LIMIT: u32 = 10_000;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Events {
    start_ledger: Option<u32>,
    end_ledger: Option<u32>,
    filters: Option<Vec<Filter>>,
    pagination: Option<Pagination>,
    xdr_format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Filter {
    #[serde(rename = "type")]
    types: Option<String>,
    contract_ids: Option<Vec<String>>,
    topics: Option<Vec<Vec<String>>>,
}

/// A place in the order of all events: ledger, transaction, operation, event.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
struct Cursor(u32, u32, u32, u32);

impl Cursor {
    fn of(closed: &Closed, emitted: &Emitted) -> Self {
        Self(closed.seq, emitted.order, emitted.operation, emitted.index)
    }

    /// The last place of a ledger.
    fn end_of(seq: u32) -> Self {
        Self(seq, LAST_PLACE, 0xfff, u32::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let (position, index) = text.split_once('-')?;
        let position: u64 = position.parse().ok()?;
        let part = |shift: u32, mask: u64| (position >> shift & mask) as u32;
        Some(Self(part(32, 0x7fff_ffff), part(12, LAST_PLACE.into()), part(0, 0xfff), index.parse().ok()?))
    }

    fn format(self) -> String {
        let Self(seq, order, operation, index) = self;
        let position = u64::from(seq) << 32 | u64::from(order) << 12 | u64::from(operation);
        format!("{position:019}-{index:010}")
    }
}

pub fn get_events(ledger: &Ledger, request: Events) -> Reply {
    let (after, limit) = request.validate()?;
    let (oldest, latest) = (ledger.history.oldest_seq(), ledger.seq());
    let start = after.map_or(request.start_ledger.unwrap_or(0), |cursor| cursor.0);
    if !(oldest..=latest).contains(&start) {
        let message = format!("startLedger must be within the ledger range: {oldest} - {latest}");
        return fail(INVALID_REQUEST, message);
    }
    let mut end = start.saturating_add(SCAN_LIMIT).min(latest + 1);
    if let Some(asked) = request.end_ledger.filter(|asked| *asked > 0) {
        end = end.min(asked);
    }
    let filters = request.filters.as_deref().unwrap_or_default();
    let scanned = ledger.history.from(start).take_while(|closed| closed.seq < end);
    let all = scanned.flat_map(|closed| closed.events.iter().map(move |emitted| (closed, emitted)));
    let found = all.filter(|(closed, emitted)| {
        after.is_none_or(|after| Cursor::of(closed, emitted) > after)
            && (filters.is_empty() || filters.iter().any(|filter| filter.matches(&emitted.event)))
    });
    let found: Vec<_> = found.take(limit).collect();
    let cursor = match found.last() {
        Some((closed, emitted)) if found.len() == limit => Cursor::of(closed, emitted),
        // The end of what was scanned.
        _ => Cursor::end_of(end.saturating_sub(1)),
    };
    let events = found.into_iter().map(|(closed, emitted)| event_info(closed, emitted, &request.xdr_format));
    Ok(json!({
        "events": events.collect::<Vec<_>>(),
        "cursor": cursor.format(),
        "latestLedger": latest,
        "latestLedgerCloseTime": ledger.time().to_string(),
        "oldestLedger": oldest,
        "oldestLedgerCloseTime": ledger.history.oldest_time().to_string(),
    }))
}

impl Events {
    /// After which place the page begins, and how much is on it.
    fn validate(&self) -> Result<(Option<Cursor>, usize), Failure> {
        valid(&self.xdr_format)?;
        let pagination = self.pagination.as_ref();
        let cursor = match pagination.and_then(|page| page.cursor.as_deref()) {
            Some(text) => match Cursor::parse(text) {
                Some(cursor) => Some(cursor),
                None => return fail(INVALID_PARAMS, format!("invalid parameters: invalid event id {text}")),
            },
            None => None,
        };
        let (start, end) = (self.start_ledger.unwrap_or(0), self.end_ledger.unwrap_or(0));
        if cursor.is_some() && (start, end) != (0, 0) {
            return fail(INVALID_PARAMS, "ledger ranges and cursor cannot both be set");
        }
        if cursor.is_none() && start == 0 {
            return fail(INVALID_PARAMS, "startLedger must be positive");
        }
        let limit = pagination.and_then(|page| page.limit).unwrap_or(0);
        if limit > MAX_LIMIT {
            return fail(INVALID_PARAMS, format!("limit must not exceed {MAX_LIMIT}"));
        }
        let filters = self.filters.as_deref().unwrap_or_default();
        if filters.len() > MAX_CONDITIONS {
            return fail(INVALID_PARAMS, format!("maximum {MAX_CONDITIONS} filters per request"));
        }
        for (filter, number) in filters.iter().zip(1..) {
            filter.validate().or_else(|reason| fail(INVALID_PARAMS, format!("filter {number} invalid: {reason}")))?;
        }
        Ok((cursor, if limit == 0 { DEFAULT_LIMIT } else { limit }))
    }
}

impl Filter {
    fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().flat_map(|types| types.split(',')).filter(|kind| !kind.is_empty())
    }

    fn validate(&self) -> Result<(), String> {
        if self.types().any(|kind| !matches!(kind, "system" | "contract")) {
            return Err("filter type invalid: if set, type must be either 'system' or 'contract'".into());
        }
        let ids = self.contract_ids.as_deref().unwrap_or_default();
        if ids.len() > MAX_CONDITIONS {
            return Err(format!("maximum {MAX_CONDITIONS} contract IDs per filter"));
        }
        if let Some(index) = ids.iter().position(|id| Contract::from_string(id).is_err()) {
            return Err(format!("contract ID {} invalid", index + 1));
        }
        let topics = self.topics.as_deref().unwrap_or_default();
        if topics.len() > MAX_CONDITIONS {
            return Err(format!("maximum {MAX_CONDITIONS} topics per filter"));
        }
        for (topic, number) in topics.iter().zip(1..) {
            validate_topic(topic).map_err(|reason| format!("topic {number} invalid: {reason}"))?;
        }
        Ok(())
    }

    /// Each kind of condition holds if it is absent or any of its values match.
    fn matches(&self, event: &ContractEvent) -> bool {
        let contract = event.contract_id.as_ref().map(|id| Contract(id.0 .0).to_string());
        let ids = self.contract_ids.as_deref().unwrap_or_default();
        let topics = self.topics.as_deref().unwrap_or_default();
        let ContractEventBody::V0(body) = &event.body;
        (self.types().next().is_none() || self.types().any(|kind| kind == event_type(event)))
            && (ids.is_empty() || contract.is_some_and(|contract| ids.iter().any(|id| *id == *contract)))
            && (topics.is_empty() || topics.iter().any(|wanted| topics_match(wanted, &body.topics)))
    }
}

fn validate_topic(topic: &[String]) -> Result<(), String> {
    let segments = match topic {
        [] => return Err("topic must have at least 1 segment".into()),
        [segments @ .., last] if last == "**" => segments,
        segments => segments,
    };
    if let Some(index) = segments.iter().position(|segment| segment == "**") {
        return Err(format!("segment {} invalid: wildcard '**' is only allowed as the last segment", index + 1));
    }
    if segments.len() > MAX_SEGMENTS {
        return Err(format!("topic cannot have more than {MAX_SEGMENTS} segments"));
    }
    let known = |segment: &String| segment == "*" || from_base64::<ScVal>(segment).is_ok();
    match segments.iter().position(|segment| !known(segment)) {
        Some(index) => Err(format!("segment {} invalid: neither a wildcard nor a value", index + 1)),
        None => Ok(()),
    }
}

/// `*` stands for one topic, and a final `**` for any number of them.
fn topics_match(wanted: &[String], topics: &[ScVal]) -> bool {
    let (wanted, open_ended) = match wanted {
        [wanted @ .., last] if last == "**" => (wanted, true),
        wanted => (wanted, false),
    };
    let long_enough = if open_ended { topics.len() >= wanted.len() } else { topics.len() == wanted.len() };
    long_enough && wanted.iter().zip(topics).all(|(wanted, topic)| wanted == "*" || *wanted == base64(topic))
}

fn event_info(closed: &Closed, emitted: &Emitted, format: &Format) -> Value {
    let ContractEventBody::V0(body) = &emitted.event.body;
    let contract = emitted.event.contract_id.as_ref();
    let mut info = json!({
        "type": event_type(&emitted.event),
        "ledger": closed.seq,
        "ledgerClosedAt": rfc3339(closed.time),
        "contractId": contract.map_or(String::new(), |id| Contract(id.0 .0).to_string()),
        "id": Cursor::of(closed, emitted).format(),
        "operationIndex": emitted.operation,
        "transactionIndex": emitted.order,
        "txHash": hex(emitted.tx_hash),
        "inSuccessfulContractCall": emitted.successful,
    });
    if !body.topics.is_empty() {
        info[format.name("topic", "topicJson")] = format.encode_all(body.topics.iter());
    }
    info[format.name("value", "valueJson")] = format.encode(&body.data);
    info
}

fn event_type(event: &ContractEvent) -> &'static str {
    match event.type_ {
        ContractEventType::System => "system",
        ContractEventType::Contract => "contract",
        ContractEventType::Diagnostic => "diagnostic",
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
    use super::*;

    #[test]
    fn cursors_keep_the_order_of_events() {
        let cursor = Cursor(7, 3, 1, 2);
        assert_eq!(cursor.format(), "0000000030064783361-0000000002");
        assert_eq!(Cursor::parse(&cursor.format()), Some(cursor));
        assert!(cursor < Cursor::end_of(7) && Cursor::end_of(7) < Cursor(8, 0, 0, 0));
        assert_eq!(Cursor::parse("7"), None);
    }

    #[test]
    fn formats_times() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(rfc3339(4_102_444_800), "2100-01-01T00:00:00Z");
    }
}
