//! `read`: what the meters say, a line for each message, with what is wrong with it. It needs no network and no key.

use std::process::ExitCode;
use std::sync::mpsc::{sync_channel, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{say, Failure};
use crate::config::{Config, Intervals, Meter, Provider, Source};
use crate::folder::Folder;
use crate::log::plain;
use crate::run::simulated;
use crate::source::{self, Said};

pub fn read(config: Config, most: Option<Duration>) -> Result<ExitCode, Failure> {
    let (sender, heard) = sync_channel(100);
    for provider in &config.providers {
        if let Meter::Intervals(intervals) = &provider.meter {
            read_folder(provider, intervals)?;
        }
    }
    let is_register = |provider: &Provider| matches!(provider.meter, Meter::Register(_));
    if !config.providers.iter().any(is_register) {
        return Ok(ExitCode::SUCCESS);
    }
    let _sources = source::start(&config, sender);
    let end = most.map(|most| Instant::now() + most);
    while end.is_none_or(|end| Instant::now() < end) {
        match heard.recv_timeout(Duration::from_secs(1)) {
            Ok(heard) => {
                let said = match heard.said {
                    Said::Sample(sample) => {
                        let id = sample.meter_id.map_or(String::new(), |id| format!(", meter {id}"));
                        let time = sample.time.map_or(String::new(), |time| format!(", of {time}"));
                        format!("{}{id}{time}", sample.energy)
                    }
                    Said::NoReading(why) => format!("no reading: {why}"),
                    Said::Disconnected(why) => format!("not connected: {why}"),
                    Said::Connected => "connected".into(),
                };
                tell(&config.providers[heard.provider], &said)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_secs(1)),
        }
        for provider in &config.providers {
            if let Meter::Register(register) = &provider.meter {
                if let Source::Simulated(source) = &register.source {
                    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
                    tell(provider, &simulated(source, now).to_string())?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(provider: &Provider, said: &str) -> Result<(), Failure> {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(say(format_args!("{now}  {}  {}", provider.name, plain(said)))?)
}

fn read_folder(provider: &Provider, intervals: &Intervals) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Other(format!("{}: {error}", provider.name));
    let mut folder = Folder::new(intervals, &provider.consumers, intervals.max_kw).map_err(|error| wrong(&error))?;
    folder.refresh(Timestamp::now()).map_err(|error| wrong(&error))?;
    let readings = folder.readings();
    let plant = readings.production.iter().map(|files| ("the plant", files));
    let consumers =
        provider.consumers.iter().zip(&readings.consumers).map(|(consumer, files)| (&*consumer.name, files));
    for (who, files) in plant.chain(consumers) {
        let intervals = || files.iter().flat_map(|series| series.intervals());
        let first = intervals().map(|interval| interval.start).min();
        let last = intervals().map(|interval| interval.start).max();
        let sum: u64 = intervals().map(|interval| interval.energy.mwh()).sum();
        let energy = crate::energy::Energy::from_mwh(sum);
        match (first, last) {
            (Some(first), Some(last)) => {
                let count = intervals().count();
                say(format_args!(
                    "{}  {who}: {count} intervals from {first} until {last}, {energy} in {} files",
                    provider.name,
                    files.len()
                ))?;
            }
            _ => say(format_args!("{}  {who}: no interval in {}", provider.name, intervals_folder(provider)))?,
        }
    }
    for problem in folder.problems() {
        say(format_args!("{}  {problem}", provider.name))?;
    }
    Ok(())
}

fn intervals_folder(provider: &Provider) -> String {
    match &provider.meter {
        Meter::Intervals(intervals) => intervals.folder.display().to_string(),
        Meter::Register(_) => String::new(),
    }
}
