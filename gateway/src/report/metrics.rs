//! The report in the text format of Prometheus: what an operator would raise an alarm on, with its unit in its name.

use std::fmt::{Display, Write};

use super::*;

/// The samples of one name have to be together, so they are gathered by name.
struct Metrics(String);

type Labels<'a> = &'a [(&'a str, &'a str)];

impl Metrics {
    /// A metric, and a line for each of its samples.
    fn add<'a, V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl Iterator<Item = (Vec<(&'a str, &'a str)>, V)>,
    ) {
        let _ = writeln!(self.0, "# HELP p2p_gateway_{name} {help}\n# TYPE p2p_gateway_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(self.0, "p2p_gateway_{name}{} {value}", shown(&labels));
        }
    }
}

fn shown(labels: Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", labels.join(","))
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub fn metrics(report: &Report) -> String {
    let mut all = Metrics(String::new());
    let gauge = "gauge";
    let info = vec![
        ("version", report.version.as_str()),
        ("network", report.network.as_str()),
        ("contract", report.contract.as_str()),
    ];
    all.add("info", gauge, "The program, and what it works for.", [(info, 1)].into_iter());
    let healthy = u8::from(is_healthy(report).is_ok());
    all.add("healthy", gauge, "1 if nobody has to look at anything.", [(vec![], healthy)].into_iter());
    let ledger = || report.ledger.iter();
    let sequence = ledger().map(|ledger| (vec![], ledger.sequence));
    all.add("ledger_sequence", gauge, "The newest ledger that was seen.", sequence);
    let close = ledger().map(|ledger| (vec![], ledger.close));
    all.add("ledger_close_timestamp_seconds", gauge, "When the newest ledger that was seen closed.", close);
    let requests = [(vec![], report.requests)].into_iter();
    all.add("rpc_requests_total", "counter", "Requests to the network since the start.", requests);

    let providers = || report.providers.iter().map(|provider| (vec![("provider", provider.name.as_str())], provider));
    let of_provider = |value: fn(&ProviderReport) -> Option<String>| {
        providers().filter_map(move |(labels, provider)| Some((labels, value(provider)?)))
    };
    let states = providers().flat_map(|(labels, provider)| {
        let state = match provider.state {
            State::Waiting => "waiting",
            State::Delivering => "delivering",
            State::Held { .. } => "held",
            State::Stopped { .. } => "stopped",
        };
        ["waiting", "delivering", "held", "stopped"].map(|name| {
            let mut labels = labels.clone();
            labels.push(("state", name));
            (labels, u8::from(name == state))
        })
    });
    all.add("provider_state", gauge, "1 for the state that a provider is in.", states);
    let problem = of_provider(|provider| Some(u8::from(provider.problem.is_some()).to_string()));
    all.add(
        "provider_problem",
        gauge,
        "1 if a provider has a problem beside its state, such as a silent meter.",
        problem,
    );
    let believed = of_provider(|provider| provider.meter.believed.map(|believed| kwh(believed.kwh)));
    all.add("meter_register_kwh", gauge, "The export register as far as it is believed.", believed);
    let age = of_provider(|provider| provider.meter.believed.map(|believed| believed.age_seconds.to_string()));
    all.add("meter_register_age_seconds", gauge, "How old the believed register is.", age);
    let sample = of_provider(|provider| provider.meter.sample.map(|sample| sample.age_seconds.to_string()));
    all.add("meter_sample_age_seconds", gauge, "How old the last sample is, believed or not.", sample);
    let refused = providers().flat_map(|(labels, provider)| {
        provider.meter.no_reading.counts.iter().map(move |(reason, count)| {
            let mut labels = labels.clone();
            labels.push(("reason", reason));
            (labels, *count)
        })
    });
    all.add("meter_no_reading_total", "counter", "What arrived from the meter and was no reading, by reason.", refused);
    let reading = of_provider(|provider| provider.chain.as_ref().map(|chain| chain.meter_reading_kwh.to_string()));
    all.add("chain_register_kwh", gauge, "The register as the contract has it.", reading);
    let sold = of_provider(|provider| provider.chain.as_ref().map(|chain| chain.energy_sold_kwh.to_string()));
    all.add("chain_energy_sold_kwh", gauge, "What the contract counts as sold.", sold);
    let certified = of_provider(|provider| {
        let chain = provider.chain.as_ref()?;
        Some(u8::from(chain.meter.as_ref() == Some(&provider.key)).to_string())
    });
    all.add("meter_certified", gauge, "1 if the key is the provider's certified meter.", certified);

    let consumers = || {
        providers().flat_map(|(labels, provider)| {
            provider.consumers.iter().map(move |consumer| {
                let mut labels = labels.clone();
                labels.push(("consumer", consumer.name.as_str()));
                (labels, consumer)
            })
        })
    };
    let entitled = consumers().map(|(labels, consumer)| (labels, kwh(consumer.entitled_kwh)));
    all.add("consumer_entitled_kwh", gauge, "What a consumer is to get since its account was opened.", entitled);
    let delivered = consumers().map(|(labels, consumer)| (labels, consumer.delivered_kwh));
    all.add("consumer_delivered_kwh", gauge, "What a consumer got since its account was opened.", delivered);
    let due = consumers().map(|(labels, consumer)| (labels, consumer.due_kwh));
    all.add("consumer_due_kwh", gauge, "Whole kWh that are to be delivered.", due);
    let remaining = consumers().map(|(labels, consumer)| {
        let agreements = consumer.agreements.iter().filter(|agreement| !agreement.waits_for_deposit);
        (labels, agreements.map(|agreement| agreement.remaining_kwh).fold(0, u64::saturating_add))
    });
    all.add("consumer_remaining_kwh", gauge, "What a consumer's open agreements still take.", remaining);
    let deadline = consumers().filter_map(|(labels, consumer)| {
        Some((labels, consumer.agreements.iter().map(|agreement| agreement.deadline).min()?))
    });
    all.add("consumer_deadline_timestamp_seconds", gauge, "The next deadline of an open agreement.", deadline);
    let last =
        consumers().filter_map(|(labels, consumer)| Some((labels, consumer.last_delivery.as_ref()?.delivered_at)));
    all.add("consumer_last_delivery_timestamp_seconds", gauge, "When a consumer got the last delivery.", last);

    let keys = || report.keys.iter().map(|key| (vec![("key", key.address.as_str())], key));
    let balance = keys().filter_map(|(labels, key)| Some((labels, xlm(key.balance_stroops?))));
    all.add("key_balance_xlm", gauge, "What the key's account has for fees.", balance);
    let fees = keys().map(|(labels, key)| (labels, xlm(key.fees_stroops)));
    all.add("key_fees_xlm", gauge, "Fees of this day of UTC.", fees);
    let most = keys().map(|(labels, key)| (labels, xlm(key.max_fees_stroops)));
    all.add("key_max_fees_xlm", gauge, "Fees that a day may cost.", most);
    let since = keys().filter_map(|(labels, key)| Some((labels, key.in_flight.as_ref()?.since)));
    all.add("key_in_flight_since_timestamp_seconds", gauge, "Since when a call is on its way; none if none is.", since);
    let failures = keys().map(|(labels, key)| (labels, key.failures));
    all.add("key_failures", gauge, "Attempts to deliver that failed in a row.", failures);
    all.0
}
