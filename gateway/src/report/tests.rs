use super::*;

const ALICE: &str = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF";
const METER: &str = "GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV";
const NOW: u64 = 1_772_400_600;

/// A household whose deliveries go well.
pub(crate) fn sample() -> Report {
    let mut no_reading = NoReadings::default();
    no_reading.count(&NoReading::Null { what: "/SML/Total_out".into() }, NOW - 7_200);
    no_reading.count(&NoReading::Null { what: "/SML/Total_out".into() }, NOW - 7_190);
    no_reading.count(&NoReading::Retained, NOW - 300);
    Report {
        version: "0.1.0".into(),
        network: "testnet".into(),
        contract: "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM".into(),
        at: NOW,
        ledger: Some(Ledger { sequence: 1_234_567, close: NOW - 4 }),
        requests: 42,
        problem: None,
        providers: vec![ProviderReport {
            name: "Alice".into(),
            address: ALICE.into(),
            key: METER.into(),
            state: State::Waiting,
            problem: None,
            meter: MeterReport {
                believed: Some(Observed { kwh: Energy::from_mwh(120_530_123_000), age_seconds: 12 }),
                sample: Some(Observed { kwh: Energy::from_mwh(120_530_124_500), age_seconds: 2 }),
                no_reading,
            },
            chain: Some(ChainReport {
                meter_reading_kwh: 120_529,
                energy_sold_kwh: 411,
                max_power_kw: 12,
                meter: Some(METER.into()),
            }),
            consumers: vec![
                ConsumerReport {
                    name: "Bob".into(),
                    address: ALICE.into(),
                    entitled_kwh: Energy::from_mwh(412_345_600),
                    delivered_kwh: 411,
                    due_kwh: 1,
                    agreements: vec![
                        AgreementReport {
                            id: 3,
                            remaining_kwh: 89,
                            deadline: NOW + 3 * 86_400,
                            waits_for_deposit: false,
                        },
                        AgreementReport {
                            id: 4,
                            remaining_kwh: 500,
                            deadline: NOW + 30 * 86_400,
                            waits_for_deposit: true,
                        },
                    ],
                    last_delivery: Some(DeliveryReport {
                        agreement_id: 3,
                        energy_kwh: 11,
                        meter_reading_kwh: 120_528,
                        transaction_id: 3_011,
                        delivered_at: NOW - 86_400,
                        fee_stroops: Some(123_400),
                    }),
                },
                ConsumerReport {
                    name: "Kindergarten am Brunnenplatz".into(),
                    address: METER.into(),
                    entitled_kwh: Energy::ZERO,
                    delivered_kwh: 0,
                    due_kwh: 0,
                    agreements: vec![],
                    last_delivery: None,
                },
            ],
        }],
        keys: vec![KeyReport {
            address: METER.into(),
            balance_stroops: Some(123_456_789),
            fees_stroops: 123_400,
            max_fees_stroops: 10_000_000,
            in_flight: None,
            failures: 0,
        }],
    }
}

/// The same household, where all goes wrong that can.
fn troubled() -> Report {
    let mut report = sample();
    report.ledger = None;
    report.problem = Some("no RPC answers: is the line down? Nothing is lost meanwhile".into());
    let provider = &mut report.providers[0];
    let reason = "the meter shows 12 kWh and the chain has 120529 kWh: if it was exchanged, have it certified anew \
                  (make register-meter-testnet); else look at its reader";
    provider.state = State::Stopped { reason: reason.into() };
    provider.problem = Some("no good reading for 15 min".into());
    provider.chain.as_mut().unwrap().meter = Some(ALICE.into());
    provider.meter.believed = None;
    let mut second = provider.clone();
    second.name = "Carol".into();
    second.state = State::Held { reason: "a delivery costs more than max_fee".into() };
    second.problem = None;
    second.consumers.clear();
    second.chain = None;
    second.meter = MeterReport::default();
    report.providers.push(second);
    let key = &mut report.keys[0];
    key.fees_stroops = 10_000_000;
    key.failures = 3;
    key.balance_stroops = None;
    key.in_flight = Some(InFlightReport { hash: "ab".repeat(32), since: NOW - 30, unanswered: None });
    report
}

#[test]
fn a_person_reads_it_in_a_hundred_columns() {
    let expected = "\
p2p-gateway 0.1.0 on testnet: ledger 1234567, closed 4 s ago
contract CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM

All is well.

Alice: waiting for what is due
  address   GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF
  meter     120530.123 kWh, 12 s ago; last sample 120530.1245 kWh, 2 s ago
  refused   2 null, 1 retained; the last one 5 min ago: the broker kept this message from before: it
            says nothing about now
  on chain  120529 kWh; 411 kWh are sold; the plant has 12 kW
  key       GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV, certified
  consumer                               entitled kWh   delivered kWh         due kWh
  Bob                                        412.3456             411               1
    #3: 89 kWh to go, until 2026-03-04 21:30 UTC (in 3 d)
    #4: 500 kWh to go, no deposit yet, until 2026-03-31 21:30 UTC (in 30 d)
    last delivery: 11 kWh of #3 at 120528 kWh, 23 h ago, transaction 3011, for 0.01234 XLM
  Kindergarten am Brunnenplatz                      0               0               0
    no open agreement

Key GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV
  balance   12.3456789 XLM
  fees      0.01234 XLM today, of 1 XLM at most
  in flight nothing
";
    assert_eq!(table(&sample()), expected);
}

#[test]
fn what_is_wrong_comes_first_with_what_to_do() {
    let text = table(&troubled());
    let expected = "\
p2p-gateway 0.1.0 on testnet: no ledger seen yet
contract CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM

To look at:
  1. no RPC answers: is the line down? Nothing is lost meanwhile
  2. Alice: stopped: the meter shows 12 kWh and the chain has 120529 kWh: if it was exchanged, have
     it certified anew (make register-meter-testnet); else look at its reader
  3. Alice: no good reading for 15 min
  4. Carol: deliveries wait: a delivery costs more than max_fee
";
    assert!(text.starts_with(expected), "{text}");
    let key =
        "  key       GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV, NOT certified:\n            GAAAAAAAA";
    assert!(text.contains(key), "{text}");
}

#[test]
fn no_line_is_longer_than_a_hundred_columns() {
    let mut largest = troubled();
    for consumer in &mut largest.providers[0].consumers {
        consumer.entitled_kwh = Energy::from_mwh((1 << 35) * 1_000_000 - 1);
        consumer.delivered_kwh = (1 << 35) - 1;
        consumer.due_kwh = (1 << 35) - 1;
        consumer.name = "Neighbour ".repeat(9);
    }
    for report in [sample(), troubled(), largest] {
        for line in table(&report).lines() {
            assert!(line.chars().count() <= 100, "{line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn a_strangers_text_cannot_command_the_terminal() {
    let mut report = sample();
    report.problem = Some("\u{1b}[2J\nAll is well.".into());
    report.providers[0].name = "Al\u{1b}[0mice\n".into();
    report.providers[0].consumers[0].name = "B\u{7}ob".into();
    let text = table(&report);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
    assert!(!text.lines().any(|line| line == "All is well."), "{text}");
}

#[test]
fn it_is_healthy_unless_a_person_has_to_look() {
    assert_eq!(is_healthy(&sample()), Ok(()));
    let mut delivering = sample();
    delivering.providers[0].state = State::Delivering;
    delivering.keys[0].failures = 2;
    assert_eq!(is_healthy(&delivering), Ok(()));
    let reasons = is_healthy(&troubled()).unwrap_err();
    let expected = [
        "no RPC answers",
        "Alice: stopped: the meter shows 12 kWh",
        "Alice: no good reading for 15 min",
        "Carol: deliveries wait: a delivery costs more",
        "key GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV: the fees of today have reached max_fee_per_day",
        "key GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV: 3 attempts in a row failed",
    ];
    assert_eq!(reasons.len(), expected.len());
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[test]
fn json_says_all_of_it_and_no_energy_is_a_float() {
    for report in [sample(), troubled()] {
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
    let json = serde_json::to_value(sample()).unwrap();
    assert_eq!(json.pointer("/providers/0/meter/believed/kwh").unwrap(), "120530.123");
    assert_eq!(json.pointer("/providers/0/consumers/0/entitled_kwh").unwrap(), "412.3456");
    assert_eq!(json.pointer("/providers/0/state/name").unwrap(), "waiting");
    assert_eq!(json.pointer("/providers/0/meter/no_reading/counts/null").unwrap(), 2);
    let json = serde_json::to_value(troubled()).unwrap();
    assert_eq!(json.pointer("/providers/1/state/reason").unwrap(), "a delivery costs more than max_fee");
}

/// The value of a sample, by its name and labels.
fn value<'a>(text: &'a str, sample: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix("p2p_gateway_")?.strip_prefix(sample)?.strip_prefix(' '))
}

#[test]
fn prometheus_reads_what_an_alarm_needs() {
    let text = metrics(&sample());
    let key = "{key=\"GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV\"}";
    for (name, expected) in [
        ("healthy", "1"),
        ("ledger_sequence", "1234567"),
        ("ledger_close_timestamp_seconds", "1772400596"),
        ("provider_state{provider=\"Alice\",state=\"waiting\"}", "1"),
        ("provider_state{provider=\"Alice\",state=\"stopped\"}", "0"),
        ("provider_problem{provider=\"Alice\"}", "0"),
        ("meter_register_kwh{provider=\"Alice\"}", "120530.123"),
        ("meter_register_age_seconds{provider=\"Alice\"}", "12"),
        ("meter_sample_age_seconds{provider=\"Alice\"}", "2"),
        ("meter_no_reading_total{provider=\"Alice\",reason=\"null\"}", "2"),
        ("meter_no_reading_total{provider=\"Alice\",reason=\"retained\"}", "1"),
        ("chain_register_kwh{provider=\"Alice\"}", "120529"),
        ("chain_energy_sold_kwh{provider=\"Alice\"}", "411"),
        ("meter_certified{provider=\"Alice\"}", "1"),
        ("consumer_entitled_kwh{provider=\"Alice\",consumer=\"Bob\"}", "412.3456"),
        ("consumer_delivered_kwh{provider=\"Alice\",consumer=\"Bob\"}", "411"),
        ("consumer_due_kwh{provider=\"Alice\",consumer=\"Bob\"}", "1"),
        ("consumer_remaining_kwh{provider=\"Alice\",consumer=\"Bob\"}", "89"),
        ("consumer_deadline_timestamp_seconds{provider=\"Alice\",consumer=\"Bob\"}", "1772659800"),
        ("consumer_last_delivery_timestamp_seconds{provider=\"Alice\",consumer=\"Bob\"}", "1772314200"),
        (&format!("key_balance_xlm{key}"), "12.3456789"),
        (&format!("key_fees_xlm{key}"), "0.01234"),
        (&format!("key_max_fees_xlm{key}"), "1"),
        (&format!("key_failures{key}"), "0"),
    ] {
        assert_eq!(value(&text, name), Some(expected), "{name}\n{text}");
    }
    assert_eq!(value(&text, &format!("key_in_flight_since_timestamp_seconds{key}")), None);
    let text = metrics(&troubled());
    assert_eq!(value(&text, "healthy"), Some("0"));
    assert_eq!(value(&text, "provider_state{provider=\"Carol\",state=\"held\"}"), Some("1"));
    assert_eq!(value(&text, "meter_certified{provider=\"Alice\"}"), Some("0"));
    assert_eq!(value(&text, "meter_register_kwh{provider=\"Alice\"}"), None);
    assert_eq!(value(&text, &format!("key_in_flight_since_timestamp_seconds{key}")), Some("1772400570"));
}

#[test]
fn each_metric_has_its_help_and_type_once_and_its_samples_together() {
    let text = metrics(&troubled());
    let mut names = vec![];
    let mut lines = text.lines();
    while let Some(help) = lines.next() {
        let Some(rest) = help.strip_prefix("# HELP ") else {
            let (sample, value) = help.rsplit_once(' ').unwrap();
            assert_eq!(sample.split('{').next(), names.last().copied(), "{help}");
            assert!(value.parse::<f64>().is_ok(), "{help}");
            continue;
        };
        let name = rest.split(' ').next().unwrap();
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        assert!(!names.contains(&name), "{name}");
        names.push(name);
    }
}

#[test]
fn labels_are_escaped() {
    let mut report = sample();
    report.providers[0].name = "A\"l\\i\nce".into();
    let text = metrics(&report);
    assert_eq!(value(&text, "provider_problem{provider=\"A\\\"l\\\\i\\nce\"}"), Some("0"), "{text}");
}
