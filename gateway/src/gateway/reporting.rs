//! A gateway's state for those who look at it.

use std::time::Duration;

use super::{lock, Gateway, Key, Provider, Status};
use crate::book::{ProviderMemory, Signed};
use crate::chain::records::Prosumer;
use crate::config::{self, Meter};
use crate::counting::{Account, Agreement, Pays};
use crate::energy::Energy;
use crate::report::*;

impl Gateway {
    pub fn report(&self) -> Report {
        let now = self.clock.now().unwrap_or(0);
        let age = self.clock.age();
        let is_silent = age.is_none_or(|age| age > self.config.network.clock_age() * 2 + Duration::from_secs(30));
        Report {
            version: env!("CARGO_PKG_VERSION").into(),
            network: self.config.network.passphrase.clone(),
            contract: self.config.contract.to_string(),
            at: now,
            ledger: self.clock.ledger(),
            requests: self.rpc.requests(),
            problem: is_silent.then(|| {
                let why = lock(&self.silence).as_ref().map_or(String::new(), |why| format!(": {why}"));
                format!("the network does not tell the time{why}")
            }),
            providers: (0..self.config.providers.len()).map(|place| self.report_provider(place, now)).collect(),
            keys: self.keys.iter().map(|key| self.report_key(key, now)).collect(),
        }
    }

    fn report_provider(&self, place: usize, now: u64) -> ProviderReport {
        let memory = self.memory(place);
        let config = &self.config.providers[place];
        let provider = self.provider(place);
        let reading = provider.meter.believed().map(|believed| believed.energy);
        let consumers = config.consumers.iter().map(|consumer| {
            let address = consumer.address.to_string();
            let none = vec![];
            let agreements = provider.seen.as_ref().and_then(|seen| seen.agreements.get(&address)).unwrap_or(&none);
            report_consumer(consumer, &memory, agreements, reading, now)
        });
        let key = self.keys.iter().find(|key| key.providers.contains(&place));
        ProviderReport {
            name: config.name.clone(),
            address: self.address(place),
            key: key.map(|key| key.address.clone()).unwrap_or_default(),
            state: match &provider.status {
                Status::Waiting => State::Waiting,
                Status::Delivering => State::Delivering,
                Status::Held(reason) => State::Held { reason: reason.clone() },
                Status::Stopped(reason) => State::Stopped { reason: reason.clone() },
            },
            problem: problem(config, &provider, now),
            meter: provider.meter.report(now),
            chain: provider.seen.as_ref().map(|seen| report_chain(&seen.prosumer)),
            consumers: consumers.collect(),
        }
    }

    fn report_key(&self, key: &Key, now: u64) -> KeyReport {
        let in_flight = lock(&self.book).memory.keys.get(&key.address).and_then(|key| key.in_flight.clone());
        let state = lock(&key.state).clone();
        KeyReport {
            address: key.address.clone(),
            balance_stroops: state.balance.and_then(|balance| balance.try_into().ok()),
            fees_stroops: self.spent_today(key, now),
            max_fees_stroops: self.config.max_fee_per_day,
            in_flight: in_flight.map(|Signed { hash, signed_at, .. }| InFlightReport {
                hash,
                since: signed_at,
                unanswered: state.unanswered,
            }),
            failures: state.failures.max(state.displaced),
        }
    }
}

/// A meter that is silent is a problem before anything is due.
fn problem(config: &config::Provider, provider: &Provider, now: u64) -> Option<String> {
    let Some(files) = &provider.files else {
        return match &config.meter {
            Meter::Register(_) => provider.meter.trouble(config.max_age(), now),
            Meter::Intervals(_) => None,
        };
    };
    if let Some(problem) = files.problems.first() {
        return Some(problem.to_string());
    }
    let age = files.newest.and_then(|newest| newest.elapsed().ok());
    let is_old = age.is_none_or(|age| age > config.max_age());
    is_old.then(|| format!("no new file for {} days", config.max_age().as_secs() / 86_400))
}

pub fn report_chain(prosumer: &Prosumer) -> ChainReport {
    ChainReport {
        meter_reading_kwh: prosumer.seller.meter_reading,
        energy_sold_kwh: prosumer.seller.energy_sold_kwh,
        max_power_kw: prosumer.seller.max_power_kw,
        meter: prosumer.meter.as_ref().map(ToString::to_string),
    }
}

pub fn report_consumer(
    consumer: &config::Consumer,
    memory: &ProviderMemory,
    agreements: &[Agreement],
    reading: Option<Energy>,
    now: u64,
) -> ConsumerReport {
    let address = consumer.address.to_string();
    let account = memory.accounts.get(&address);
    let delivered = agreements.iter().map(|agreement| agreement.energy_delivered_kwh).fold(0, u64::saturating_add);
    let counted = |account: &Account| {
        let entitled = reading.map_or(account.entitled, |reading| account.entitled(reading));
        let delivered = u64::try_from(account.delivered(agreements)).unwrap_or(0);
        (entitled, delivered, entitled.kwh().saturating_sub(delivered))
    };
    // In intervals no account is kept: what was delivered is what it was entitled to, but for what is due.
    let by_files = || (Energy::from_kwh(delivered).unwrap_or_default(), delivered, 0);
    let (entitled_kwh, delivered_kwh, due_kwh) = account.map_or_else(by_files, counted);
    let mut open: Vec<_> = agreements.iter().filter(|agreement| !agreement.has_ended(now)).collect();
    open.sort_by_key(|agreement| agreement.id);
    let report = |agreement: &Agreement| AgreementReport {
        id: agreement.id,
        remaining_kwh: agreement.remaining(),
        deadline: agreement.delivery_deadline,
        waits_for_deposit: consumer.pays == Pays::Deposit && !agreement.funded,
    };
    ConsumerReport {
        name: consumer.name.clone(),
        entitled_kwh,
        delivered_kwh,
        due_kwh,
        agreements: open.into_iter().map(report).collect(),
        last_delivery: memory.last_delivery(&address).map(|(signed, ended)| DeliveryReport {
            agreement_id: signed.delivery.agreement_id,
            energy_kwh: signed.delivery.energy_kwh,
            meter_reading_kwh: signed.delivery.meter_reading,
            transaction_id: ended.transaction_id.unwrap_or_default(),
            delivered_at: ended.at,
            fee_stroops: Some(ended.fee),
        }),
        address,
    }
}
