//! `explain`: how the kWh of an agreement came about, delivery by delivery, from the chain and the journal; in intervals also
//! day by day, from the files.

use std::collections::BTreeMap;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use super::{say, say_json, Failure};
use crate::allocation::{self, Days, Life};
use crate::book::{self, Entry, Signed};
use crate::chain::call::Contract;
use crate::chain::records::Recorded;
use crate::chain::rpc::Rpc;
use crate::chain::view::Reader;
use crate::config::{Config, Intervals, Meter, Provider};
use crate::counting::Delivery;
use crate::folder::Folder;
use crate::plan;

#[derive(Serialize)]
struct Line {
    delivered_at: u64,
    transaction_id: u64,
    meter_reading: u64,
    energy_kwh: u64,
    total_kwh: u64,
    /// Calls of this gateway that make it up: several are one transaction if they were paid at once on a day.
    calls: Vec<Call>,
}

#[derive(Serialize)]
struct Call {
    signed_at: u64,
    meter_reading: u64,
    energy_kwh: u64,
    /// What the consumer was entitled to then, in all, as decimal kWh.
    entitled_kwh: String,
}

pub fn explain(config: Config, agreement_id: u64, json: bool) -> Result<ExitCode, Failure> {
    let network = |error: &dyn std::fmt::Display| Failure::Network(error.to_string());
    let rpc = Rpc::new(&config.network.rpc, &config.network.passphrase);
    let contract = Contract::new(config.contract.clone(), &config.network.passphrase);
    let reader = Reader { rpc: &rpc, contract: &contract, source: [0; 32] };
    let recorded = reader.transactions(agreement_id, 0).map_err(|error| network(&error))?;
    let now = rpc.latest().map_err(|error| network(&error))?.close;
    let mut signed = signed_for(&config, agreement_id, &recorded)?;
    let mut total_kwh = 0;
    let lines: Vec<Line> = recorded
        .iter()
        .map(|recorded| {
            total_kwh += recorded.energy_kwh;
            // The calls until this reading that are not part of an earlier transaction.
            let later = signed.split_off(&(recorded.meter_reading + 1));
            let calls = std::mem::replace(&mut signed, later).into_values().map(|signed| Call {
                signed_at: signed.signed_at,
                meter_reading: signed.delivery.meter_reading,
                energy_kwh: signed.delivery.energy_kwh,
                entitled_kwh: signed.entitled.to_string().trim_end_matches(" kWh").into(),
            });
            Line {
                delivered_at: recorded.delivered_at,
                transaction_id: recorded.transaction_id,
                meter_reading: recorded.meter_reading,
                energy_kwh: recorded.energy_kwh,
                total_kwh,
                calls: calls.collect(),
            }
        })
        .collect();
    if json {
        say_json(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&lines)?;
    for provider in &config.providers {
        if let Meter::Intervals(intervals) = &provider.meter {
            let deliveries: Vec<_> = lines.iter().map(|line| (line.delivered_at, line.energy_kwh)).collect();
            explain_intervals(&config, provider, intervals, agreement_id, &deliveries, &reader, now)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What this gateway signed for the agreement and was recorded, by reading. The chain knows that also of a call whose end
/// the journal does not have.
fn signed_for(config: &Config, agreement_id: u64, recorded: &[Recorded]) -> Result<BTreeMap<u64, Signed>, Failure> {
    let mut total_kwh = 0;
    let totals: BTreeMap<_, _> = recorded
        .iter()
        .map(|recorded| {
            total_kwh += recorded.energy_kwh;
            (recorded.meter_reading, total_kwh)
        })
        .collect();
    let entries = book::read_all(&config.state)?;
    // The last word on each: what was said to be recorded may have turned out not to be.
    let ends: BTreeMap<_, _> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Ended(ended) => Some((ended.hash.clone(), ended.end)),
            _ => None,
        })
        .collect();
    let is_on_chain = |signed: &Signed| {
        let Delivery { energy_kwh, meter_reading, .. } = signed.delivery;
        totals.get(&meter_reading) == Some(&(signed.delivered_before + energy_kwh))
    };
    let is_own = |signed: &Signed| {
        signed.delivery.agreement_id == agreement_id
            && (ends.get(&signed.hash) == Some(&book::Fate::Recorded) || is_on_chain(signed))
    };
    let signed = entries.into_iter().filter_map(|entry| match entry {
        Entry::Signed(signed) if is_own(&signed) => Some((signed.delivery.meter_reading, signed)),
        _ => None,
    });
    Ok(signed.collect())
}

fn print(lines: &[Line]) -> Result<(), Failure> {
    say(format_args!(
        "{:<17} {:>14} {:>9} {:>9}   {:>14}  signed",
        "recorded (UTC)", "reading kWh", "kWh", "total", "entitled kWh"
    ))?;
    for line in lines {
        let Line { delivered_at, meter_reading, energy_kwh, total_kwh, calls, .. } = line;
        let first = calls.last().map_or(("", String::new()), |call| (call.entitled_kwh.as_str(), time(call.signed_at)));
        say(format_args!(
            "{:<17} {meter_reading:>14} {energy_kwh:>9} {total_kwh:>9}   {:>14}  {}",
            time(*delivered_at),
            first.0,
            if calls.is_empty() { "by another gateway, or before this journal".into() } else { first.1 },
        ))?;
        if calls.len() > 1 {
            for Call { signed_at, meter_reading, energy_kwh, entitled_kwh } in calls {
                say(format_args!(
                    "{:<17} {meter_reading:>14} {energy_kwh:>9} {:>9}   {entitled_kwh:>14}  {}",
                    "  of it",
                    "",
                    time(*signed_at)
                ))?;
            }
        }
    }
    if lines.is_empty() {
        say("nothing was delivered yet")?;
    }
    Ok(())
}

fn time(seconds: u64) -> String {
    let time = Timestamp::from_second(i64::try_from(seconds).unwrap_or(0)).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

#[allow(clippy::too_many_arguments, reason = "all of it is the command's")]
fn explain_intervals(
    config: &Config,
    provider: &Provider,
    intervals: &Intervals,
    agreement_id: u64,
    deliveries: &[(u64, u64)],
    reader: &Reader,
    now: u64,
) -> Result<(), Failure> {
    let other = |error: &dyn std::fmt::Display| Failure::Other(error.to_string());
    let entries = reader.agreements(&provider.address, None, now, 0).map_err(|error| other(&error))?;
    let agreements = plan::by_consumer(&entries);
    let parties: Vec<_> = provider
        .consumers
        .iter()
        .map(|consumer| {
            let own = agreements.get(&consumer.address.to_string()).cloned().unwrap_or_default();
            allocation::Party { share: consumer.share, agreements: Life::of_all(&own, consumer.pays, now) }
        })
        .collect();
    let is_of = |party: &allocation::Party| party.agreements.iter().any(|life| life.agreement_id == agreement_id);
    let Some(place) = parties.iter().position(is_of) else { return Ok(()) };
    let mut folder = Folder::new(intervals, &provider.consumers, intervals.max_kw).map_err(|error| other(&error))?;
    folder.refresh(Timestamp::now()).map_err(|error| other(&error))?;
    let days = Days::of(intervals, &config.time_zone, now).ok_or_else(|| other(&"the ledger's time is no time"))?;
    let explained =
        allocation::explain(&folder.readings(), intervals.rule, &parties, &days, (place, agreement_id), deliveries);
    say(format_args!("\n{}", allocation::Table(&explained.map_err(|error| other(&error))?)))?;
    Ok(())
}
