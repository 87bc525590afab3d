//! `status`: what a running gateway says of itself; or, if none runs, what chain and journal say. Needs no key.

use std::process::ExitCode;
use std::time::Duration;

use super::{say, say_json, Failure, LOOK};
use crate::book::{Book, Memory};
use crate::chain::call::Contract;
use crate::chain::rpc::Rpc;
use crate::chain::view::Reader;
use crate::config::{self, Config};
use crate::gateway::reporting::{report_chain, report_consumer};
use crate::plan;
use crate::report::*;

pub fn status(config: Config, json: bool) -> Result<ExitCode, Failure> {
    let report = match running(&config) {
        Some(report) => report,
        None => offline(&config)?,
    };
    if json {
        say_json(&report)?;
    } else {
        say(table(&report))?;
    }
    Ok(if is_healthy(&report).is_ok() { ExitCode::SUCCESS } else { ExitCode::from(LOOK) })
}

fn running(config: &Config) -> Option<Report> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(3))).build().new_agent();
    let mut response = agent.get(format!("http://{}/status", config.health?)).call().ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    serde_json::from_str(&text).ok()
}

fn offline(config: &Config) -> Result<Report, Failure> {
    let network = |error: &dyn std::fmt::Display| Failure::Network(error.to_string());
    let memory = Book::look(&config.state)?.memory;
    let rpc = Rpc::new(&config.network.rpc, &config.network.passphrase);
    let contract = Contract::new(config.contract.clone(), &config.network.passphrase);
    // Nobody signs what is only simulated.
    let reader = Reader { rpc: &rpc, contract: &contract, source: [0; 32] };
    let latest = rpc.latest().map_err(|error| network(&error))?;
    let providers = config.providers.iter().map(|provider| offline_provider(provider, &memory, &reader, latest.close));
    Ok(Report {
        version: env!("CARGO_PKG_VERSION").into(),
        network: config.network.passphrase.clone(),
        contract: config.contract.to_string(),
        at: latest.close,
        ledger: Some(Ledger { sequence: latest.ledger, close: latest.close }),
        requests: rpc.requests(),
        problem: config.health.map(|address| format!("no gateway answers at {address}: is it running?")),
        providers: providers.collect(),
        keys: vec![],
    })
}

fn offline_provider(provider: &config::Provider, memory: &Memory, reader: &Reader, now: u64) -> ProviderReport {
    let address = provider.address.to_string();
    let memory = memory.providers.get(&address).cloned().unwrap_or_default();
    let shown = reader.prosumer(&provider.address, 0);
    let agreements = reader.agreements(&provider.address, None, now, 0).map(|entries| plan::by_consumer(&entries));
    let problem = shown.as_ref().err().or(agreements.as_ref().err()).map(ToString::to_string);
    let agreements = agreements.unwrap_or_default();
    let prosumer = shown.ok().map(|(prosumer, _)| prosumer);
    let believed = memory.believed;
    let consumers = provider.consumers.iter().map(|consumer| {
        let own = agreements.get(&consumer.address.to_string()).cloned().unwrap_or_default();
        report_consumer(consumer, &memory, &own, believed.map(|believed| believed.energy), now)
    });
    let meter = MeterReport {
        believed: believed
            .map(|believed| Observed { kwh: believed.energy, age_seconds: now.saturating_sub(believed.at) }),
        ..MeterReport::default()
    };
    ProviderReport {
        name: provider.name.clone(),
        key: prosumer
            .as_ref()
            .and_then(|prosumer| prosumer.meter.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
        state: State::Waiting,
        problem,
        meter,
        chain: prosumer.as_ref().map(report_chain),
        consumers: consumers.collect(),
        address,
    }
}
