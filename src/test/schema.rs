//! What clients, indexers and stored entries rely on: `schema.txt` has every kind of stored entry and every event as
//! real calls make them, and the whole interface without its docs. Accept a change on purpose with `UPDATE_EXPECT=1
//! cargo test schema`, and review the file's.
//!
//! Addresses stand there by their names, so the file is the same for every engine and generator.

use std::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
};

use expect_test::expect_file;
use soroban_sdk::xdr::{ContractEventV0, Limits, ScSpecEntry, ScSpecEventParamLocationV0, WriteXdr};

use super::spec::type_name;
use super::*;

/// Writes down what each call emits and stores.
struct Recorder<'a> {
    f: &'a Fixture,
    stored: BTreeMap<ScVal, ScVal>,
    lines: Vec<String>,
}

impl Recorder<'_> {
    /// The call that was just made: the contract's events, and its entries that are new or changed.
    fn record(&mut self, call: &str) {
        let events = self.f.events().filter_by_contract(&self.f.contract);
        for event in events.events() {
            let ContractEventBody::V0(ContractEventV0 { topics, data }) = &event.body;
            self.line(format!("{call} emits [{}] {}", list(topics, readable), readable(data)));
        }
        for (_, entry, _) in self.f.ledger() {
            match entry {
                LedgerEntryData::ContractData(entry) if entry.contract == (&self.f.contract).into() => {
                    match entry.val {
                        // The settings; its code is the engine's.
                        ScVal::ContractInstance(instance) => {
                            instance
                                .storage
                                .unwrap()
                                .iter()
                                .for_each(|setting| self.entry(call, "instance ", &setting.key, &setting.val));
                        }
                        value => self.entry(call, "", &entry.key, &value),
                    }
                }
                _ => {}
            }
        }
    }

    fn entry(&mut self, call: &str, place: &str, key: &ScVal, value: &ScVal) {
        if self.stored.insert(key.clone(), value.clone()).as_ref() != Some(value) {
            self.line(format!("{call} stores {place}{} = {}", readable(key), readable(value)));
            let [key, value] = [key, value].map(|part| hex(&part.to_xdr(Limits::none()).unwrap()));
            self.line(format!("    {key} = {value}"));
        }
    }

    /// Puts names for addresses, readable or encoded.
    fn line(&mut self, mut line: String) {
        let f = self.f;
        let (token, issuer) = (&f.token.address, f.issuer.address());
        let names = [&f.admin, &f.provider, &f.consumer, &f.meter, &f.stranger, token, &issuer];
        for (address, name) in
            names.into_iter().zip(["admin", "provider", "consumer", "meter", "stranger", "token", "account"])
        {
            let encoded = ScVal::from(address).to_xdr(Limits::none()).unwrap();
            let (_, id) = encoded.split_last_chunk::<32>().unwrap();
            line = line.replace(&address.to_string().to_string(), name).replace(&hex(id), &format!("<{name}>"));
        }
        self.lines.push(line);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list<T>(items: &[T], item: impl Fn(&T) -> String) -> String {
    items.iter().map(item).collect::<Vec<_>>().join(", ")
}

fn readable(value: &ScVal) -> String {
    match value {
        ScVal::Void => "void".into(),
        ScVal::Bool(value) => value.to_string(),
        ScVal::U64(number) => format!("{number}u64"),
        ScVal::I64(number) => format!("{number}i64"),
        ScVal::Symbol(symbol) => symbol.0.to_string(),
        ScVal::Address(address) => address.to_string(),
        ScVal::Bytes(bytes) => format!("0x{}", hex(bytes)),
        ScVal::Vec(Some(items)) => format!("[{}]", list(items, readable)),
        ScVal::Map(Some(map)) => {
            format!("{{{}}}", list(map, |entry| format!("{}: {}", readable(&entry.key), readable(&entry.val))))
        }
        other => format!("{other:?}"),
    }
}

/// One life of everything, with numbers that differ from each other.
fn record_calls() -> Vec<String> {
    let f = Fixture::deployed();
    let client = &f.client;
    let account = f.issuer.address();
    let mut recorder = Recorder { f: &f, stored: BTreeMap::new(), lines: Vec::new() };

    client.initialize(&f.admin, &f.token.address);
    recorder.record("initialize");
    for prosumer in [&f.provider, &f.consumer, &account] {
        client.register_prosumer(prosumer);
        recorder.record("register_prosumer");
    }
    client.register_meter(&f.provider, &Some(f.meter.clone()), &120_000, &POWER);
    recorder.record("register_meter");

    // An account without a meter sells as well.
    let unmetered = client.create_agreement(&account, &f.consumer, &50, &3_000_000, &DEADLINE);
    recorder.record("create_agreement");
    f.at(START + HOUR);
    let agreement = f.agreement();
    recorder.record("create_agreement");
    client.fund_agreement(&agreement, &f.consumer, &Deposit::Metered);
    recorder.record("fund_agreement");
    client.deliver_energy(&agreement, &40, &120_050, &f.provider);
    recorder.record("deliver_energy (paid at once)");
    f.at(START + 2 * HOUR);
    f.freeze(&f.provider, true);
    let unpaid = client.deliver_energy(&agreement, &30, &120_080, &f.provider);
    recorder.record("deliver_energy (metered, and the token refuses)");
    f.freeze(&f.provider, false);
    client.settle_payment(&unpaid, &f.provider);
    recorder.record("settle_payment");
    let [closed, ruled, settled] = [10, 20, 15].map(|kwh| {
        let reading = client.get_prosumer(&account).meter_reading + 500;
        let id = client.deliver_energy(&unmetered, &kwh, &reading, &account);
        recorder.record("deliver_energy (unmetered)");
        id
    });
    f.at(START + 3 * HOUR);
    for id in [closed, ruled] {
        client.dispute_transaction(&id, &f.consumer);
        recorder.record("dispute_transaction");
    }
    client.resolve_dispute(&ruled, &15, &f.admin);
    recorder.record("resolve_dispute");
    client.settle_agreement(&unmetered, &settled, &f.consumer);
    recorder.record("settle_agreement");
    client.cancel_agreement(&agreement, &f.provider);
    recorder.record("cancel_agreement");
    client.claim_refund(&agreement);
    recorder.record("claim_refund");
    client.register_meter(&f.provider, &None, &0, &POWER);
    recorder.record("register_meter (retired)");
    f.at(START + 3 * HOUR + crate::ARBITRATION_PERIOD);
    client.close_dispute(&closed);
    recorder.record("close_dispute");
    client.set_admin(&f.stranger);
    recorder.record("set_admin");
    recorder.lines
}

/// An entry of the spec, one line for each part that has a place or a number of its own.
fn interface(entry: ScSpecEntry) -> Vec<String> {
    match entry {
        ScSpecEntry::FunctionV0(function) => {
            let inputs = list(&function.inputs, |input| format!("{}: {}", input.name, type_name(&input.type_)));
            [format!("fn {}({inputs}) -> {}", function.name.0, list(&function.outputs, type_name))].into()
        }
        ScSpecEntry::UdtStructV0(udt) => {
            let fields = udt.fields.iter();
            fields.map(|field| format!("struct {}: {}: {}", udt.name, field.name, type_name(&field.type_))).collect()
        }
        ScSpecEntry::UdtEnumV0(udt) => {
            udt.cases.iter().map(|case| format!("enum {}: {} = {}", udt.name, case.name, case.value)).collect()
        }
        ScSpecEntry::UdtErrorEnumV0(udt) => {
            udt.cases.iter().map(|case| format!("error {}: {} = {}", udt.name, case.name, case.value)).collect()
        }
        ScSpecEntry::EventV0(event) => {
            let params = list(&event.params, |param| {
                let topic = if param.location == ScSpecEventParamLocationV0::TopicList { "#" } else { "" };
                format!("{topic}{}: {}", param.name, type_name(&param.type_))
            });
            [format!(
                "event {}: [{}] {params} in a {:?}",
                event.name.to_utf8_string_lossy(),
                list(&event.prefix_topics, |topic| topic.0.to_string()),
                event.data_format
            )]
            .into()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn storage_events_and_interface_are_as_accepted() {
    let lines = record_calls().into_iter().chain(spec::entries().into_iter().flat_map(interface));
    expect_file!["schema.txt"].assert_eq(&(lines.collect::<Vec<_>>().join("\n") + "\n"));
}
