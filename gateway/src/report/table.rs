//! The report for a person, in 100 columns: first what is wrong and what to do, then what is known.

use std::fmt::Write;

use jiff::Timestamp;

use super::*;
use crate::log::plain;

const WIDTH: usize = 100;
/// Characters of a name that a table shows.
const NAME: usize = 30;

pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let version = format!("p2p-gateway {} on {}", report.version, report.network);
    let ledger = match report.ledger {
        Some(ledger) => {
            format!("{version}: ledger {}, closed {}", ledger.sequence, ago(report.at.saturating_sub(ledger.close)))
        }
        None => format!("{version}: no ledger seen yet"),
    };
    paragraph(&mut text, "", &ledger);
    paragraph(&mut text, "", &format!("contract {}", report.contract));
    match is_healthy(report) {
        Ok(()) => text.push_str("\nAll is well.\n"),
        Err(problems) => {
            text.push_str("\nTo look at:\n");
            for (place, problem) in problems.iter().enumerate() {
                paragraph(&mut text, &format!("{:>3}. ", place + 1), problem);
            }
        }
    }
    // Deadlines are by the ledgers' clock.
    let now = report.ledger.map_or(report.at, |ledger| ledger.close);
    for provider in &report.providers {
        text.push('\n');
        provider_lines(&mut text, provider, report.at, now);
    }
    for key in &report.keys {
        text.push('\n');
        key_lines(&mut text, key, report.at);
    }
    text
}

fn provider_lines(text: &mut String, provider: &ProviderReport, at: u64, now: u64) {
    let state = match &provider.state {
        State::Waiting => "waiting for what is due",
        State::Delivering => "delivering",
        State::Held { .. } => "HELD",
        State::Stopped { .. } => "STOPPED",
    };
    paragraph(text, "", &format!("{}: {state}", provider.name));
    paragraph(text, "  address   ", &provider.address);
    paragraph(text, "  meter     ", &meter(&provider.meter));
    let refused = &provider.meter.no_reading;
    if let Some(LastNoReading { reason, at: when }) = &refused.last {
        let counts: Vec<_> = refused.counts.iter().map(|(label, count)| format!("{count} {label}")).collect();
        let last = ago(at.saturating_sub(*when));
        paragraph(text, "  refused   ", &format!("{}; the last one {last}: {reason}", counts.join(", ")));
    }
    let (chain, certified) = match &provider.chain {
        None => ("not read yet".into(), "not known to be certified yet".into()),
        Some(chain) => {
            let ChainReport { meter_reading_kwh, energy_sold_kwh, max_power_kw, meter } = chain;
            let register =
                format!("{meter_reading_kwh} kWh; {energy_sold_kwh} kWh are sold; the plant has {max_power_kw} kW");
            let certified = match meter {
                Some(meter) if *meter == provider.key => "certified".into(),
                Some(meter) => format!("NOT certified: {meter} is"),
                None => "NOT certified: no meter is".into(),
            };
            (register, certified)
        }
    };
    paragraph(text, "  on chain  ", &chain);
    paragraph(text, "  key       ", &format!("{}, {certified}", provider.key));
    if provider.consumers.is_empty() {
        return;
    }
    let row = |text: &mut String, name: &str, entitled: &str, delivered: &str, due: &str| {
        let _ = writeln!(text, "  {name:<NAME$} {entitled:>20} {delivered:>15} {due:>15}");
    };
    row(text, "consumer", "entitled kWh", "delivered kWh", "due kWh");
    for consumer in &provider.consumers {
        let (delivered, due) = (consumer.delivered_kwh.to_string(), consumer.due_kwh.to_string());
        row(text, &short(&consumer.name), &kwh(consumer.entitled_kwh), &delivered, &due);
        if consumer.agreements.is_empty() {
            text.push_str("    no open agreement\n");
        }
        for agreement in &consumer.agreements {
            paragraph(text, "    ", &self::agreement(agreement, now));
        }
        if let Some(last) = &consumer.last_delivery {
            let fee = last.fee_stroops.map(|fee| format!(", for {} XLM", xlm(fee))).unwrap_or_default();
            let DeliveryReport { agreement_id, energy_kwh, meter_reading_kwh, transaction_id, .. } = last;
            let line = format!(
                "last delivery: {energy_kwh} kWh of #{agreement_id} at {meter_reading_kwh} kWh, {}, transaction {transaction_id}{fee}",
                ago(now.saturating_sub(last.delivered_at))
            );
            paragraph(text, "    ", &line);
        }
    }
}

fn meter(meter: &MeterReport) -> String {
    let observed = |observed: &Observed| format!("{}, {}", observed.kwh, ago(observed.age_seconds));
    match (&meter.believed, &meter.sample) {
        (Some(believed), Some(sample)) if believed != sample => {
            format!("{}; last sample {}", observed(believed), observed(sample))
        }
        (Some(believed), _) => observed(believed),
        (None, Some(sample)) => format!("{}; a second sample has to agree", observed(sample)),
        (None, None) => "no reading yet".into(),
    }
}

fn agreement(agreement: &AgreementReport, now: u64) -> String {
    let AgreementReport { id, remaining_kwh, deadline, waits_for_deposit } = *agreement;
    let deposit = if waits_for_deposit { ", no deposit yet" } else { "" };
    let end = match deadline.checked_sub(now) {
        Some(left) => format!("until {} (in {})", day(deadline), span(left)),
        None => format!("its time ended {}", day(deadline)),
    };
    format!("#{id}: {remaining_kwh} kWh to go{deposit}, {end}")
}

fn key_lines(text: &mut String, key: &KeyReport, at: u64) {
    paragraph(text, "", &format!("Key {}", key.address));
    let balance = key.balance_stroops.map_or("not read yet".into(), |stroops| format!("{} XLM", xlm(stroops)));
    paragraph(text, "  balance   ", &balance);
    let fees = format!("{} XLM today, of {} XLM at most", xlm(key.fees_stroops), xlm(key.max_fees_stroops));
    paragraph(text, "  fees      ", &fees);
    let sent = match &key.in_flight {
        Some(InFlightReport { hash, since, .. }) => format!("{hash}, {}", ago(at.saturating_sub(*since))),
        None => "nothing".into(),
    };
    paragraph(text, "  in flight ", &sent);
    if key.failures > 0 {
        paragraph(text, "  failed    ", &format!("{} times in a row", key.failures));
    }
}

/// Words that are wrapped, each line below the first begins under the text.
fn paragraph(text: &mut String, lead: &str, words: &str) {
    let indent = lead.chars().count();
    let mut line = lead.to_string();
    let mut column = indent;
    for word in plain(words).split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            let _ = writeln!(text, "{line}");
            line = " ".repeat(indent);
            column = indent;
        }
        if column > indent {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += length;
    }
    let _ = writeln!(text, "{line}");
}

fn short(name: &str) -> String {
    let name = plain(name);
    if name.chars().count() <= NAME {
        return name;
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

fn ago(seconds: u64) -> String {
    format!("{} ago", span(seconds))
}

/// In its largest unit, rounded down.
fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", seconds / DAY),
    }
}

fn day(time: u64) -> String {
    let timestamp = i64::try_from(time).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(|| time.to_string(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
