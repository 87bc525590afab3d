//! What is known of a running gateway, for people, programs and alarms. It is made by the run loop, and everything that
//! shows a gateway's state shows this.

mod metrics;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::energy::Energy;
use crate::input::NoReading;

pub use metrics::metrics;
pub use table::table;

/// Times are Unix seconds: `at` by the gateway's clock, what the chain says by the ledgers'. Ages are seconds before `at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// A name or a passphrase, never an address of an RPC: these may hold somebody's API key.
    pub network: String,
    pub contract: String,
    pub at: u64,
    /// The newest ledger that was seen.
    pub ledger: Option<Ledger>,
    /// Requests to the network since the start.
    pub requests: u64,
    /// What stops all providers, such as a network that does not answer, and what to do.
    pub problem: Option<String>,
    pub providers: Vec<ProviderReport>,
    pub keys: Vec<KeyReport>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub sequence: u32,
    pub close: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderReport {
    pub name: String,
    pub address: String,
    /// The key that signs for it, as an address.
    pub key: String,
    pub state: State,
    /// Why it is not healthy though it may deliver, such as a meter that is silent, and what to do.
    pub problem: Option<String>,
    pub meter: MeterReport,
    /// Nothing before the chain was read.
    pub chain: Option<ChainReport>,
    pub consumers: Vec<ConsumerReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum State {
    /// Nothing is due, or it is not the time to deliver.
    Waiting,
    Delivering,
    /// Deliveries wait until the reason is gone, and go on by themselves.
    Held {
        reason: String,
    },
    /// A person has to look.
    Stopped {
        reason: String,
    },
}

/// What the meter says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterReport {
    /// What two samples agreed on.
    pub believed: Option<Observed>,
    /// The last sample, believed or not.
    pub sample: Option<Observed>,
    pub no_reading: NoReadings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    #[serde(with = "decimal")]
    pub kwh: Energy,
    pub age_seconds: u64,
}

/// What arrived and was no reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoReadings {
    /// How often, by the name that `NoReading::label` gives it.
    pub counts: BTreeMap<String, u64>,
    pub last: Option<LastNoReading>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastNoReading {
    /// In words.
    pub reason: String,
    pub at: u64,
}

/// What the contract has of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainReport {
    pub meter_reading_kwh: u64,
    pub energy_sold_kwh: u64,
    pub max_power_kw: u64,
    /// The account or contract that is certified.
    pub meter: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerReport {
    pub name: String,
    pub address: String,
    /// Since its account was opened: what it is to get, and what it got. What is due is the whole kWh between.
    #[serde(with = "decimal")]
    pub entitled_kwh: Energy,
    pub delivered_kwh: u64,
    pub due_kwh: u64,
    /// Those that are open, the oldest first.
    pub agreements: Vec<AgreementReport>,
    pub last_delivery: Option<DeliveryReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementReport {
    pub id: u64,
    pub remaining_kwh: u64,
    pub deadline: u64,
    /// The consumer is to pay by a deposit, and has not made it.
    pub waits_for_deposit: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReport {
    pub agreement_id: u64,
    pub energy_kwh: u64,
    pub meter_reading_kwh: u64,
    pub transaction_id: u64,
    pub delivered_at: u64,
    /// Nothing if another run of the gateway sent it.
    pub fee_stroops: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyReport {
    /// The key's account.
    pub address: String,
    pub balance_stroops: Option<u64>,
    /// Of this day of UTC.
    pub fees_stroops: u64,
    pub max_fees_stroops: u64,
    pub in_flight: Option<InFlightReport>,
    /// Attempts to deliver that failed, one after the other.
    pub failures: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlightReport {
    pub hash: String,
    pub since: u64,
    /// Why the network did not say what became of it, when it was asked last.
    pub unanswered: Option<String>,
}

impl NoReadings {
    pub fn count(&mut self, no_reading: &NoReading, at: u64) {
        *self.counts.entry(no_reading.label().into()).or_default() += 1;
        self.last = Some(LastNoReading { reason: no_reading.to_string(), at });
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// What a person has to look at, the most urgent first.
pub fn is_healthy(report: &Report) -> Result<(), Vec<String>> {
    let mut problems: Vec<String> = report.problem.iter().cloned().collect();
    let mut held = vec![];
    for provider in &report.providers {
        match &provider.state {
            State::Waiting | State::Delivering => {}
            State::Held { reason } => held.push(format!("{}: deliveries wait: {reason}", provider.name)),
            State::Stopped { reason } => problems.push(format!("{}: stopped: {reason}", provider.name)),
        }
        held.extend(provider.problem.iter().map(|problem| format!("{}: {problem}", provider.name)));
    }
    problems.extend(held);
    problems.extend(report.keys.iter().flat_map(|key| key_problems(key, report.at)));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn key_problems(key: &KeyReport, now: u64) -> Vec<String> {
    const FAILURES: u32 = 3;
    /// A call can be applied for a minute: then its end is only a question of the network's answers.
    const IN_FLIGHT_SECONDS: u64 = 300;
    let mut problems = vec![];
    if key.fees_stroops >= key.max_fees_stroops {
        problems.push(format!(
            "key {}: the fees of today have reached max_fee_per_day: it goes on at midnight UTC; raise it if they are right",
            key.address
        ));
    }
    if let Some(InFlightReport { hash, since, unanswered }) = &key.in_flight {
        let address = &key.address;
        let why = unanswered.as_ref().map_or(String::new(), |why| format!(": {why}"));
        if unanswered.is_some() || now.saturating_sub(*since) > IN_FLIGHT_SECONDS {
            problems.push(format!(
                "key {address}: the network does not say what became of the call {hash}: deliveries wait{why}"
            ));
        }
    }
    if key.failures >= FAILURES {
        problems.push(format!("key {}: {} attempts in a row failed: see the log", key.address, key.failures));
    }
    problems
}

/// Energy as decimal text in kWh: a number in JSON is a float to most who read it.
mod decimal {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    use crate::energy::{Energy, Rounding, Unit};

    pub fn serialize<S: Serializer>(energy: &Energy, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::kwh(*energy))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Energy, D::Error> {
        let text = String::deserialize(deserializer)?;
        Energy::from_decimal(&text, '.', Unit::KilowattHours, Rounding::Down).map_err(D::Error::custom)
    }
}

/// The number alone.
fn kwh(energy: Energy) -> String {
    energy.to_string().trim_end_matches(" kWh").into()
}

/// Stroops in XLM, as a decimal number.
pub fn xlm(stroops: u64) -> String {
    const PER_XLM: u64 = 10_000_000;
    let text = format!("{}.{:07}", stroops / PER_XLM, stroops % PER_XLM);
    text.trim_end_matches('0').trim_end_matches('.').into()
}

#[cfg(test)]
pub(crate) mod tests;
