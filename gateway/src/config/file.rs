//! How the file is laid out, and what its parts demand of each other.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::Spanned;

use super::values::*;
use super::*;
use crate::counting::{Pays, MAX_READING};
use crate::energy::Unit;
use crate::input::intervals::{self, Role};
use crate::input::json::{Clock, Format};
use crate::log::plain;
use crate::schedule::EVENING;

/// What is wrong, and where in the text.
pub struct Wrong {
    at: Range<usize>,
    reason: String,
}

impl Wrong {
    fn new(at: Range<usize>, reason: impl ToString) -> Self {
        Self { at, reason: reason.to_string() }
    }

    /// About the file as a whole.
    fn whole(reason: impl ToString) -> Self {
        Self::new(0..0, reason)
    }

    pub fn locate(self, text: &str, path: &Path) -> Failure {
        let reason = plain(&self.reason);
        // The top table is everywhere.
        if self.at.start == 0 && text.get(self.at.clone()).is_none_or(|at| at.is_empty() || at.contains('\n')) {
            return Failure::Whole { path: path.into(), reason };
        }
        let before = text.get(..self.at.start).unwrap_or(text);
        let line = before.lines().count() + usize::from(before.is_empty() || before.ends_with('\n'));
        let shown = text.lines().nth(line - 1).unwrap_or_default().trim();
        Failure::Wrong { path: path.into(), line, text: plain(shown), reason }
    }
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message();
        let missing = message.strip_prefix("missing field ").map(|key| format!("{key} is missing"));
        Self::new(error.span().unwrap_or(0..0), missing.unwrap_or_else(|| message.into()))
    }
}

type Name = Text<Filled>;

/// kW of a plant, and bits per second of a line.
type Power = Whole<1, 1_000_000_000>;
type Baud = Whole<50, 4_000_000>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    network: Option<Text<Named>>,
    rpc: Option<List<Url>>,
    passphrase: Option<Name>,
    contract: Text<Contract>,
    state: Name,
    key: Option<Name>,
    time_zone: Option<Text<Zone>>,
    health: Option<Text<Loopback>>,
    ledger: Option<Text<Span>>,
    max_fee: Option<Spanned<Xlm>>,
    max_fee_per_day: Option<Xlm>,
}

#[derive(Clone, Copy)]
enum Named {
    Mainnet,
    Testnet,
    Local,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &[("mainnet", Self::Mainnet), ("testnet", Self::Testnet), ("local", Self::Local)])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderTable {
    name: Name,
    address: Text<Address>,
    key: Option<Name>,
    every: Option<Text<Every>>,
    at: Option<Spanned<Text<TimeOfDay>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsumerTable {
    name: Name,
    address: Text<Address>,
    share: Option<Part>,
    pays: Text<Pays>,
    files: Option<Spanned<Name>>,
    point: Option<Spanned<Name>>,
    value: Option<Spanned<Name>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttTable {
    broker: Text<Broker>,
    ca: Option<Spanned<Name>>,
    user: Option<Name>,
    password_file: Option<Spanned<Name>>,
    topic: List<Topic>,
    pointers: Option<List<Pointer>>,
    unit: Text<Unit>,
    id_pointer: Option<Text<Pointer>>,
    time_pointer: Option<Text<Pointer>>,
    time_format: Option<Spanned<Text<ClockName>>>,
    id: Option<Name>,
    max_kw: Option<Power>,
    max_age: Option<Text<Span>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTable {
    url: Text<Url>,
    authorization_file: Option<Name>,
    every: Option<Text<Span>>,
    pointers: Option<List<Pointer>>,
    unit: Text<Unit>,
    id_pointer: Option<Text<Pointer>>,
    time_pointer: Option<Text<Pointer>>,
    time_format: Option<Spanned<Text<ClockName>>>,
    id: Option<Name>,
    max_kw: Option<Power>,
    max_age: Option<Text<Span>>,
}

#[derive(Clone, Copy)]
enum ClockName {
    /// A time without an offset is of the configured zone.
    Iso,
    Seconds,
    Milliseconds,
}

impl FromStr for ClockName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &[("iso", Self::Iso), ("seconds", Self::Seconds), ("milliseconds", Self::Milliseconds)])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TelegramTable {
    line: Text<Wire>,
    baud: Option<Spanned<Baud>>,
    /// 7 bits and even parity in place of 8 and none.
    seven_even: Option<Spanned<bool>>,
    id: Option<Name>,
    max_kw: Option<Power>,
    max_age: Option<Text<Span>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SimulatedTable {
    seed: Option<Whole<0, { i64::MAX as u64 }>>,
    peak_watts: Option<Whole<1, 1_000_000_000>>,
    start_kwh: Option<Whole<0, MAX_READING>>,
    since: Spanned<Text<Day>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalsTable {
    folder: Name,
    profile: Spanned<Name>,
    rule: Text<Rule>,
    files: Option<Spanned<Name>>,
    point: Option<Name>,
    value: Option<Name>,
    since: Spanned<Text<Day>>,
    final_after: Option<Text<Delay>>,
    max_kw: Option<Power>,
    max_age: Option<Text<Span>>,
}

pub fn parse(text: &str, folder: &Path) -> Result<Config, Wrong> {
    let mut document = DeTable::parse(text)?;
    let table = document.get_mut();
    for (key, right) in [("meter", "[provider.meter]"), ("consumer", "[[provider.consumer]]")] {
        if let Some(value) = table.remove(key) {
            return Err(Wrong::new(
                value.span(),
                format!("it belongs to a provider: write {right}, below [[provider]]"),
            ));
        }
    }
    let providers = table.remove("provider");
    let top: Top = read(document)?;
    let time_zone = top.time_zone.as_ref().map_or(TimeZone::UTC, |zone| zone.0 .0.clone());
    let network = network(&top)?;
    let max_fee = match &top.max_fee {
        None => 1_000_000,
        Some(fee) => {
            let too_much = |_| Wrong::new(fee.span(), "a transaction's fee is at most 429 XLM");
            u32::try_from(fee.get_ref().0).map_err(too_much)?
        }
    };
    let max_fee_per_day = top.max_fee_per_day.as_ref().map_or(10 * u64::from(max_fee), |fee| fee.0);
    let Some(providers) = providers else {
        return Err(Wrong::whole("there is no [[provider]]"));
    };
    let mut all: Vec<Provider> = vec![];
    for table in tables(providers, "provider")? {
        let span = table.span();
        let provider = provider(table, &top, folder, &time_zone)?;
        if all.iter().any(|other| other.address == provider.address || other.name == provider.name) {
            return Err(Wrong::new(span, format!("the provider {} is there twice", provider.name)));
        }
        all.push(provider);
    }
    Ok(Config {
        network,
        contract: top.contract.0 .0,
        state: folder.join(top.state.0 .0),
        time_zone,
        health: top.health.map(|address| address.0 .0),
        max_fee,
        max_fee_per_day,
        providers: all,
    })
}

fn read<T: DeserializeOwned>(table: Spanned<DeTable>) -> Result<T, Wrong> {
    Ok(T::deserialize(toml::Deserializer::from(table))?)
}

/// The tables of [[this]] name.
fn tables<'a>(value: Spanned<DeValue<'a>>, name: &str) -> Result<Vec<Spanned<DeTable<'a>>>, Wrong> {
    let span = value.span();
    let wrong = |span| {
        Wrong::new(span, format!("write [[{name}]], with two brackets, and its keys below: there may be several"))
    };
    let DeValue::Array(values) = value.into_inner() else {
        return Err(wrong(span));
    };
    let table = |value: Spanned<DeValue<'a>>| match (value.span(), value.into_inner()) {
        (span, DeValue::Table(table)) => Ok(Spanned::new(span, table)),
        (span, _) => Err(wrong(span)),
    };
    values.into_iter().map(table).collect()
}

fn network(top: &Top) -> Result<Network, Wrong> {
    const LOCAL_LEDGER: Duration = Duration::from_millis(200);
    const LEDGER: Duration = Duration::from_secs(5);
    let (rpc, passphrase, ledger) = match top.network.as_ref().map(|network| network.0) {
        Some(Named::Mainnet) => {
            (Some("https://mainnet.sorobanrpc.com"), Some("Public Global Stellar Network ; September 2015"), LEDGER)
        }
        Some(Named::Testnet) => {
            (Some("https://soroban-testnet.stellar.org"), Some("Test SDF Network ; September 2015"), LEDGER)
        }
        Some(Named::Local) => {
            (Some("http://localhost:8000/rpc"), Some("Standalone Network ; February 2017"), LOCAL_LEDGER)
        }
        None => (None, None, LEDGER),
    };
    let rpc = match &top.rpc {
        Some(List(urls)) => urls.iter().map(|url| url.0.clone()).collect(),
        None => Vec::from_iter(rpc.map(String::from)),
    };
    let passphrase = top.passphrase.as_ref().map(|text| text.0 .0.clone()).or(passphrase.map(String::from));
    let (false, Some(passphrase)) = (rpc.is_empty(), passphrase) else {
        return Err(Wrong::whole("name a `network` (mainnet, testnet, local), or give `rpc` and `passphrase`"));
    };
    Ok(Network { rpc, passphrase, ledger: top.ledger.as_ref().map_or(ledger, |span| span.0 .0) })
}

fn provider(table: Spanned<DeTable>, top: &Top, folder: &Path, time_zone: &TimeZone) -> Result<Provider, Wrong> {
    let span = table.span();
    let mut table = table.into_inner();
    let Some(meter) = table.remove("meter") else {
        return Err(Wrong::new(span, "the provider has no [provider.meter]"));
    };
    let consumers = table.remove("consumer");
    let provider: ProviderTable = read(Spanned::new(span.clone(), table))?;
    let address = provider.address.0 .0;
    let meter = self::meter(meter, folder, time_zone)?;
    let consumers = consumers.map_or(Ok(vec![]), |consumers| tables(consumers, "provider.consumer"))?;
    let consumers = self::consumers(consumers, &address, &meter)?;
    let every = provider.every.map_or(Every::Day, |every| every.0);
    let at = match provider.at {
        Some(at) if matches!(every, Every::QuarterHour | Every::Hour) => {
            return Err(Wrong::new(at.span(), "`at` is for every = \"day\", \"week\" or \"month\""));
        }
        at => at.map_or(EVENING, |at| at.into_inner().0 .0),
    };
    let Some(key) = provider.key.as_ref().or(top.key.as_ref()) else {
        return Err(Wrong::new(
            span,
            "there is no `key`, neither here nor at the top: the file of the meter's secret key",
        ));
    };
    Ok(Provider {
        name: provider.name.0 .0,
        address,
        key: key_path(folder, Path::new(&key.0 .0)),
        schedule: Schedule { every, at },
        meter,
        consumers,
    })
}

/// Where systemd hands over credentials, if it does and has it; else beside the configuration.
fn key_path(folder: &Path, key: &Path) -> PathBuf {
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|credentials| Path::new(&credentials).join(key));
    credential.filter(|path| path.exists()).unwrap_or_else(|| folder.join(key))
}

fn consumers(tables: Vec<Spanned<DeTable>>, provider: &ScAddress, meter: &Meter) -> Result<Vec<Consumer>, Wrong> {
    let (shares, is_register) = match meter {
        Meter::Register(_) => (true, true),
        Meter::Intervals(intervals) => (intervals.rule == Rule::Share, false),
    };
    let mut sum = 0;
    let mut all: Vec<Consumer> = vec![];
    for table in tables {
        let span = table.span();
        let table: ConsumerTable = read(table)?;
        let only_intervals = [&table.files, &table.point, &table.value].into_iter().flatten().next();
        if let Some(key) = only_intervals.filter(|_| is_register) {
            return Err(Wrong::new(key.span(), "this key is for a meter with source = \"intervals\""));
        }
        if let Meter::Intervals(intervals) = meter {
            check_columns(&table, intervals, span.clone())?;
        }
        let filled = |key: Option<Spanned<Name>>| key.map(|key| key.into_inner().0 .0);
        let consumer = Consumer {
            name: table.name.0 .0,
            address: table.address.0 .0,
            share: table.share.map(|share| share.0),
            pays: table.pays.0,
            files: filled(table.files),
            point: filled(table.point),
            value: filled(table.value),
        };
        let wrong = |reason: &str| Err(Wrong::new(span.clone(), format!("the consumer {} {reason}", consumer.name)));
        match consumer.share {
            None if shares => return wrong("needs a `share`"),
            Some(_) if !shares => return wrong("has a `share`, which this rule does not use"),
            share => sum += share.map_or(0, |share| share.millionths()),
        }
        if sum > Share::WHOLE {
            return wrong("makes the shares of all consumers more than 1");
        }
        if consumer.address == *provider {
            return wrong("is the provider itself");
        }
        if all.iter().any(|other| other.address == consumer.address || other.name == consumer.name) {
            return wrong("is there twice");
        }
        all.push(consumer);
    }
    Ok(all)
}

/// The keys of a meter depend on its source.
fn meter(meter: Spanned<DeValue>, folder: &Path, time_zone: &TimeZone) -> Result<Meter, Wrong> {
    const MAX_AGE: Duration = Duration::from_secs(15 * 60);
    const SOURCES: &str = "mqtt, http, telegram, simulated or intervals";
    let span = meter.span();
    let DeValue::Table(mut table) = meter.into_inner() else {
        return Err(Wrong::new(
            span,
            "write [provider.meter], with one bracket, and its keys below: a provider has one",
        ));
    };
    let Some(source) = table.remove("source") else {
        return Err(Wrong::new(span, format!("the meter has no `source`: {SOURCES}")));
    };
    let name = source.get_ref().as_str().unwrap_or_default().to_string();
    let table = Spanned::new(span, table);
    let join = |path: Name| folder.join(path.0 .0);
    let register = |source, id: Option<Name>, max_kw: Option<Power>, max_age: Option<Text<Span>>| {
        Meter::Register(Register {
            source,
            id: id.map(|id| id.0 .0),
            max_kw: max_kw.map(|kw| kw.0),
            max_age: max_age.map_or(MAX_AGE, |span| span.0 .0),
        })
    };
    Ok(match name.as_str() {
        "mqtt" => {
            let table: MqttTable = read(table)?;
            let Broker { host, port, tls } = table.broker.0;
            if let Some(ca) = table.ca.as_ref().filter(|_| !tls) {
                return Err(Wrong::new(ca.span(), "`ca` is for a broker with TLS: mqtts://"));
            }
            if let Some(file) = table.password_file.as_ref().filter(|_| table.user.is_none()) {
                return Err(Wrong::new(file.span(), "a `password_file` needs a `user`"));
            }
            let format =
                format(table.pointers, table.unit, table.id_pointer, table.time_pointer, table.time_format, time_zone)?;
            let mqtt = Mqtt {
                host,
                port,
                tls,
                ca: table.ca.map(|path| join(path.into_inner())),
                user: table.user.map(|user| user.0 .0),
                password_file: table.password_file.map(|path| join(path.into_inner())),
                topics: table.topic.0.into_iter().map(|topic| topic.0).collect(),
                format,
            };
            register(Source::Mqtt(mqtt), table.id, table.max_kw, table.max_age)
        }
        "http" => {
            const EVERY: Duration = Duration::from_secs(10);
            let table: HttpTable = read(table)?;
            let format =
                format(table.pointers, table.unit, table.id_pointer, table.time_pointer, table.time_format, time_zone)?;
            let http = Http {
                url: table.url.0 .0,
                authorization_file: table.authorization_file.map(join),
                every: table.every.map_or(EVERY, |span| span.0 .0),
                format,
            };
            register(Source::Http(http), table.id, table.max_kw, table.max_age)
        }
        "telegram" => {
            const BAUD: u32 = 115_200;
            let table: TelegramTable = read(table)?;
            let only_serial = [table.baud.as_ref().map(Spanned::span), table.seven_even.as_ref().map(Spanned::span)];
            let line = match (table.line.0, only_serial.into_iter().flatten().next()) {
                (Wire::Tcp { .. }, Some(key)) => return Err(Wrong::new(key, "this key is for a serial device")),
                (Wire::Tcp { host, port }, None) => Line::Tcp { host, port },
                (Wire::Device(device), _) => Line::Serial {
                    device,
                    baud: table.baud.and_then(|baud| u32::try_from(baud.get_ref().0).ok()).unwrap_or(BAUD),
                    seven_even: table.seven_even.is_some_and(Spanned::into_inner),
                },
            };
            register(Source::Telegram(line), table.id, table.max_kw, table.max_age)
        }
        "simulated" => {
            const PEAK_WATTS: u32 = 10_000;
            let table: SimulatedTable = read(table)?;
            let simulated = Simulated {
                seed: table.seed.map_or(1, |seed| seed.0),
                peak_watts: table.peak_watts.and_then(|watts| u32::try_from(watts.0).ok()).unwrap_or(PEAK_WATTS),
                start_kwh: table.start_kwh.map_or(0, |kwh| kwh.0),
                since: midnight(&table.since, time_zone)?,
            };
            register(Source::Simulated(simulated), None, None, None)
        }
        "intervals" => {
            const MAX_FILE_AGE: Duration = Duration::from_secs(10 * 86_400);
            const FINAL_AFTER: Duration = Duration::from_secs(5 * 86_400);
            let at = table.span();
            let table: IntervalsTable = read(table)?;
            let filled = |key: Option<Name>| key.map(|key| key.0 .0);
            let (point, value) = (filled(table.point), filled(table.value));
            let profile = &table.profile.get_ref().0 .0;
            match &table.files {
                Some(files) => {
                    pattern(files)?;
                    intervals::profile(profile, Role::Plant, point.as_deref(), value.as_deref())
                        .map_err(|error| Wrong::new(table.profile.span(), error))?;
                }
                None if table.rule.0 == Rule::Given => {}
                None => {
                    let what = "there is no `files`: which of the folder's tell what the plant exports";
                    return Err(Wrong::new(at, what));
                }
            }
            Meter::Intervals(Intervals {
                folder: join(table.folder),
                rule: table.rule.0,
                profile: profile.clone(),
                files: table.files.map(|files| files.into_inner().0 .0),
                point,
                value,
                since: midnight(&table.since, time_zone)?,
                final_after: table.final_after.map_or(FINAL_AFTER, |delay| delay.0 .0),
                max_kw: table.max_kw.map(|kw| kw.0),
                max_age: table.max_age.map_or(MAX_FILE_AGE, |span| span.0 .0),
            })
        }
        _ => return Err(Wrong::new(source.span(), format!("there is no such source: {SOURCES}"))),
    })
}

/// What a consumer used, or was given, is in files and columns that are told from the plant's.
fn check_columns(consumer: &ConsumerTable, intervals: &Intervals, at: Range<usize>) -> Result<(), Wrong> {
    let text = |key: &Option<Spanned<Name>>| key.as_ref().map(|text| text.get_ref().0 .0.clone());
    let (files, point, value) = (text(&consumer.files), text(&consumer.point), text(&consumer.value));
    match &consumer.files {
        Some(files) => pattern(files)?,
        None if intervals.files.is_none() => {
            return Err(Wrong::new(at, "there is no `files`, neither here nor at the meter"));
        }
        None => {}
    }
    if intervals.rule == Rule::Given && value.is_none() {
        return Err(Wrong::new(at, "the rule \"given\" needs the name of the column of what was shared, as `value`"));
    }
    intervals::profile(&intervals.profile, Role::Consumer, point.as_deref(), value.as_deref())
        .map_err(|error| Wrong::new(at.clone(), error))?;
    let has_files_of_plant = files.is_none() || files == intervals.files;
    if has_files_of_plant && (&point, &value) == (&intervals.point, &intervals.value) {
        return Err(Wrong::new(at, "these are the plant's own files and column: name another point, or another value"));
    }
    Ok(())
}

fn pattern(files: &Spanned<Name>) -> Result<(), Wrong> {
    let text = &files.get_ref().0 .0;
    let is_pattern = glob::Pattern::new(text).is_ok() && !text.contains('/');
    let form = "this is a pattern of file names within the folder, such as *einspeisung*.csv";
    is_pattern.then_some(()).ok_or_else(|| Wrong::new(files.span(), form))
}

fn format(
    pointers: Option<List<Pointer>>,
    unit: Text<Unit>,
    id: Option<Text<Pointer>>,
    time: Option<Text<Pointer>>,
    clock: Option<Spanned<Text<ClockName>>>,
    time_zone: &TimeZone,
) -> Result<Format, Wrong> {
    let time = match (time, clock) {
        (None, None) => None,
        (None, Some(clock)) => return Err(Wrong::new(clock.span(), "`time_format` needs a `time_pointer`")),
        (Some(pointer), clock) => {
            let clock = match clock.map(|clock| clock.into_inner().0) {
                None | Some(ClockName::Iso) => Clock::Local(time_zone.clone()),
                Some(ClockName::Seconds) => Clock::Seconds,
                Some(ClockName::Milliseconds) => Clock::Milliseconds,
            };
            Some((pointer.0 .0, clock))
        }
    };
    let pointers = pointers.map_or(vec![], |pointers| pointers.0).into_iter().map(|pointer| pointer.0).collect();
    Ok(Format { pointers, unit: unit.0, meter_id: id.map(|pointer| pointer.0 .0), time })
}

/// When this day begins, in Unix seconds.
fn midnight(day: &Spanned<Text<Day>>, time_zone: &TimeZone) -> Result<u64, Wrong> {
    let start = time_zone.to_timestamp(day.get_ref().0 .0.to_datetime(Time::midnight())).ok();
    let seconds = start.and_then(|start| u64::try_from(start.as_second()).ok());
    seconds.ok_or_else(|| Wrong::new(day.span(), "a day is of 1970 or later"))
}
