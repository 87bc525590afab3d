//! `run`: as a service, or once.

use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{open, say, say_json, settle, Failure, LOOK};
use crate::book::Book;
use crate::config::Config;
use crate::counting::Delivery;
use crate::gateway::{Gateway, Mode};
use crate::log::plain;
use crate::report::{self, is_healthy};
use crate::service::Service;
use crate::{health, log, source};

/// How often systemd is told how it goes.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// What waits to be heard. A source that is faster than this waits.
const HEARD: usize = 1_000;

pub fn run(config: Config) -> Result<ExitCode, Failure> {
    let service = Service::from_env().map_err(|error| Failure::Other(format!("systemd's socket: {error}")))?;
    let gateway = open(config.clone(), Book::open(&config.state)?)?;
    end_by_signals(&gateway)?;
    let _health = match config.health {
        None => None,
        Some(address) => {
            let shown = gateway.clone();
            let server = health::serve(address, move || shown.report());
            // Who took its port must not stop the deliveries.
            server
                .map_err(|error| log::error(format!("health = \"{address}\": {error}: nobody can ask how it is")))
                .ok()
        }
    };
    let (sender, heard) = sync_channel(HEARD);
    let sources = source::start(&config, sender);
    for key in gateway.keys() {
        let providers = key.providers.iter().map(|place| config.providers[*place].name.as_str());
        log::info(format!("{} is the meter of {}", key.address, providers.collect::<Vec<_>>().join(", ")));
    }
    service.ready();
    let mut alive = Instant::now();
    let mut looked = None;
    let mut told = String::new();
    let beat = || {
        if service.alive_every().is_some_and(|every| alive.elapsed() >= every) {
            service.alive();
            alive = Instant::now();
        }
        if looked.is_some_and(|looked: Instant| looked.elapsed() < STATUS_EVERY) {
            return;
        }
        looked = Some(Instant::now());
        let status = match is_healthy(&gateway.report()) {
            Ok(()) => "all is well".to_string(),
            Err(problems) => problems.join("; "),
        };
        if status != told {
            service.status(&status);
            told = status;
        }
    };
    let ran = crate::run::run(&gateway, &heard, beat);
    service.stopping();
    drop(sources);
    log::info("stopped");
    ran.map(|()| ExitCode::SUCCESS).map_err(Failure::Ended)
}

/// SIGTERM and Ctrl-C end it at once: what is on its way is in the journal.
fn end_by_signals(gateway: &Arc<Gateway>) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(|error| Failure::Other(format!("signals: {error}")))?;
    let gateway = gateway.clone();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            gateway.stop.stop();
        }
    });
    Ok(())
}

#[derive(Serialize)]
struct Outcome {
    delivered: Vec<Delivery>,
    /// What a dry run would deliver first, and its fee in stroops.
    would_deliver: Option<(Delivery, u32)>,
    trouble: Option<String>,
}

/// Delivers what is due now; or says what it would.
pub fn once(config: Config, is_dry: bool, wait: Duration, json: bool) -> Result<ExitCode, Failure> {
    let book = if is_dry { Book::look(&config.state)? } else { Book::open(&config.state)? };
    let gateway = open(config.clone(), book)?;
    end_by_signals(&gateway)?;
    let (sender, heard) = sync_channel(HEARD);
    let _sources = source::start(&config, sender);
    settle(&gateway, &heard, wait)?;
    let mode = if is_dry { Mode::DryRun } else { Mode::Deliver };
    let mut outcomes = vec![];
    for key in gateway.keys() {
        for place in &key.providers {
            let visit = crate::run::turn(&gateway, key, *place, mode);
            let name = config.providers[*place].name.clone();
            outcomes.push((
                name,
                match visit {
                    Ok(visit) => Outcome {
                        delivered: visit.delivered,
                        would_deliver: visit.would_deliver,
                        trouble: visit.refused,
                    },
                    Err(trouble) => {
                        Outcome { delivered: vec![], would_deliver: None, trouble: Some(trouble.to_string()) }
                    }
                },
            ));
        }
    }
    if json {
        let outcomes: std::collections::BTreeMap<_, _> =
            outcomes.iter().map(|(name, outcome)| (name, outcome)).collect();
        say_json(&outcomes)?;
    } else {
        print(&gateway, &outcomes)?;
    }
    let is_well = outcomes.iter().all(|(_, outcome)| outcome.trouble.is_none());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(LOOK) })
}

fn print(gateway: &Gateway, outcomes: &[(String, Outcome)]) -> Result<(), Failure> {
    for (name, outcome) in outcomes {
        let tell = |verb: &str, delivery: &Delivery, fee: String| {
            let Delivery { agreement_id, energy_kwh, meter_reading } = delivery;
            say(format_args!("{name}: {verb} {energy_kwh} kWh to agreement {agreement_id} at {meter_reading} kWh{fee}"))
        };
        outcome.delivered.iter().try_for_each(|delivery| tell("delivered", delivery, String::new()))?;
        if let Some((delivery, fee)) = &outcome.would_deliver {
            tell("would deliver", delivery, format!(", for at most {} XLM", report::xlm(u64::from(*fee))))?;
        }
        match &outcome.trouble {
            Some(trouble) => say(format_args!("{name}: {}", plain(trouble)))?,
            None if outcome.delivered.is_empty() && outcome.would_deliver.is_none() => {
                say(format_args!("{name}: nothing is due"))?;
            }
            None => {}
        }
    }
    Ok(say(format_args!("\n{}", report::table(&gateway.report())))?)
}
