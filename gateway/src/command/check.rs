//! `check`: everything but sending, step by step, with what to do about what is wrong.

use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{open, say, say_json, settle, Failure, LOOK};
use crate::book::Book;
use crate::config::{Config, Meter};
use crate::gateway::{Gateway, Mode};
use crate::log::plain;
use crate::report::{self, xlm};
use crate::source;

#[derive(Serialize)]
struct Step {
    what: String,
    /// What was found.
    found: String,
    is_good: bool,
}

pub fn check(config: Config, wait: Duration, json: bool) -> Result<ExitCode, Failure> {
    let gateway = open(config.clone(), Book::look(&config.state)?)?;
    let (sender, heard) = sync_channel(1_000);
    let _sources = source::start(&config, sender);
    settle(&gateway, &heard, wait)?;
    let mut steps = vec![clock(&gateway)];
    for key in gateway.keys() {
        for place in &key.providers {
            let visit = gateway.visit(key, *place, Mode::DryRun);
            let name = &config.providers[*place].name;
            let mut step = |what: &str, found: String, is_good| {
                steps.push(Step { what: format!("{name}: {what}"), found, is_good });
            };
            let now = gateway.clock.now().unwrap_or(0);
            let state = gateway.provider(*place);
            if let Some(seen) = &state.seen {
                let seller = &seen.prosumer.seller;
                let meter = seen.prosumer.meter.as_ref().map_or("none".into(), ToString::to_string);
                let is_own = meter == key.address;
                let own = if is_own { String::new() } else { format!("; this key is {}", key.address) };
                step("certified meter", format!("{meter}, {} kW{own}", seller.max_power_kw), is_own);
                if matches!(config.providers[*place].meter, Meter::Register(_)) {
                    let trouble = state.meter.trouble(config.providers[*place].max_age(), now);
                    let believed = state.meter.believed().map(|believed| believed.energy.to_string());
                    let shown = trouble.clone().or(believed).unwrap_or_default();
                    let found = format!("meter {shown}, chain {} kWh", seller.meter_reading);
                    step("reading", found, trouble.is_none());
                }
            }
            drop(state);
            let (found, is_good) = match visit {
                Ok(visit) => match visit.would_deliver {
                    Some((delivery, fee)) => {
                        let (kwh, id) = (delivery.energy_kwh, delivery.agreement_id);
                        let fee = xlm(u64::from(fee));
                        (format!("{kwh} kWh to agreement {id}, for at most {fee} XLM"), true)
                    }
                    None => {
                        let is_good = visit.refused.is_none();
                        (visit.refused.unwrap_or("nothing is due now".into()), is_good)
                    }
                },
                Err(trouble) => (trouble.to_string(), false),
            };
            step("next delivery", found, is_good);
        }
    }
    let is_good = steps.iter().all(|step| step.is_good);
    if json {
        let answer = serde_json::json!({ "steps": steps, "report": gateway.report() });
        say_json(&answer)?;
    } else {
        let width = steps.iter().map(|step| step.what.chars().count()).max().unwrap_or(0);
        for Step { what, found, is_good } in &steps {
            say(format_args!("{} {what:<width$}  {}", if *is_good { "ok   " } else { "WRONG" }, plain(found)))?;
        }
        say(format_args!("\n{}", report::table(&gateway.report())))?;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(LOOK) })
}

/// Deadlines are the ledger's. A clock that is far off only confuses logs and the ages of messages.
fn clock(gateway: &Gateway) -> Step {
    const APART: u64 = 300;
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let ledger = gateway.clock.now().unwrap_or(0);
    let apart = wall.abs_diff(ledger);
    let url = gateway.config.network.rpc.join(", ");
    let found = format!("{url}, whose ledger is {apart} s from this machine's clock");
    // The clock of a local network may have been moved.
    let is_local = gateway.config.network.ledger < Duration::from_secs(1);
    Step { what: "network".into(), found, is_good: apart < APART || is_local }
}
