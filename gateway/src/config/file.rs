//! How the file is laid out, and what its parts demand of each other.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use toml::de::{DeTable, DeValue};
use toml::Spanned;

use super::values::{Address, Contract, Part, Span, Text, Xlm};
use super::*;
use crate::counting::Pays;
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

    pub fn locate(self, text: &str, path: &Path) -> Failure {
        let before = text.get(..self.at.start).unwrap_or(text);
        let line = before.lines().count() + usize::from(before.is_empty() || before.ends_with('\n'));
        let shown = text.lines().nth(line - 1).unwrap_or_default().trim();
        Failure::Wrong { path: path.into(), line, text: plain(shown), reason: plain(&self.reason) }
    }
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        Self::new(error.span().unwrap_or(0..0), error.message())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    network: Option<Spanned<Named>>,
    rpc: Option<OneOrMany>,
    passphrase: Option<String>,
    contract: Text<Contract>,
    state: PathBuf,
    key: Option<PathBuf>,
    #[serde(default, deserialize_with = "zone")]
    time_zone: Option<TimeZone>,
    health: Option<SocketAddr>,
    ledger: Option<Span>,
    max_fee: Option<Spanned<Xlm>>,
    max_fee_per_day: Option<Xlm>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Mainnet,
    Testnet,
    Local,
}

/// One text, or a list of them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected one text in quotes, or a list of them")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderTable {
    name: String,
    address: Spanned<Text<Address>>,
    key: Option<PathBuf>,
    every: Option<EveryName>,
    at: Option<Spanned<Text<Time>>>,
    #[serde(default)]
    consumer: Vec<Spanned<ConsumerTable>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EveryName {
    QuarterHour,
    Hour,
    Day,
    Week,
    Month,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsumerTable {
    name: String,
    address: Spanned<Text<Address>>,
    share: Option<Spanned<Part>>,
    pays: PaysName,
    files: Option<Spanned<String>>,
    point: Option<Spanned<String>>,
    value: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PaysName {
    Deposit,
    Bill,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttTable {
    broker: Spanned<String>,
    ca: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    topic: OneOrMany,
    #[serde(default)]
    pointers: Vec<Text<Pointer>>,
    unit: Text<Unit>,
    id_pointer: Option<Text<Pointer>>,
    time_pointer: Option<Text<Pointer>>,
    time_format: Option<Spanned<ClockName>>,
    id: Option<String>,
    max_kw: Option<u64>,
    max_age: Option<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTable {
    url: Spanned<String>,
    authorization_file: Option<PathBuf>,
    every: Option<Span>,
    #[serde(default)]
    pointers: Vec<Text<Pointer>>,
    unit: Text<Unit>,
    id_pointer: Option<Text<Pointer>>,
    time_pointer: Option<Text<Pointer>>,
    time_format: Option<Spanned<ClockName>>,
    id: Option<String>,
    max_kw: Option<u64>,
    max_age: Option<Span>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClockName {
    /// A time without an offset is of the configured zone.
    Iso,
    Seconds,
    Milliseconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TelegramTable {
    /// tcp://HOST:PORT, or the path of a serial device.
    line: Spanned<String>,
    baud: Option<u32>,
    /// 7 bits and even parity in place of 8 and none.
    #[serde(default)]
    seven_even: bool,
    id: Option<String>,
    max_kw: Option<u64>,
    max_age: Option<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SimulatedTable {
    seed: Option<u64>,
    peak_watts: Option<u32>,
    start_kwh: Option<u64>,
    since: Spanned<Text<Date>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalsTable {
    folder: PathBuf,
    profile: Spanned<String>,
    rule: RuleName,
    files: Option<Spanned<String>>,
    point: Option<String>,
    value: Option<String>,
    since: Spanned<Text<Date>>,
    final_after: Option<Span>,
    max_kw: Option<u64>,
    max_age: Option<Span>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RuleName {
    Share,
    ProRata,
    Priority,
    Given,
}

/// A place in JSON, as RFC 6901 writes it.
struct Pointer(String);

impl std::str::FromStr for Pointer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_pointer = text.starts_with('/');
        is_pointer.then(|| Self(text.into())).ok_or("a JSON pointer begins with /, such as /SML/Total_out")
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeZone>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let unknown = |_| serde::de::Error::custom("there is no such time zone: they are named like Europe/Vienna");
    TimeZone::get(&name).map(Some).map_err(unknown)
}

pub fn parse(text: &str, folder: &Path) -> Result<Config, Wrong> {
    let mut document = DeTable::parse(text)?;
    let end = text.len()..text.len();
    let providers = document.get_mut().remove("provider");
    let top: Top = read(document)?;
    let time_zone = top.time_zone.clone().unwrap_or(TimeZone::UTC);
    let network = network(&top, top.network.as_ref().map_or(0..0, Spanned::span))?;
    let max_fee = match &top.max_fee {
        None => 1_000_000,
        Some(fee) => {
            let too_much = |_| Wrong::new(fee.span(), "a transaction's fee is at most 429 XLM");
            u32::try_from(fee.get_ref().0).map_err(too_much)?
        }
    };
    let max_fee_per_day = top.max_fee_per_day.as_ref().map_or(10 * u64::from(max_fee), |fee| fee.0);
    let Some(providers) = providers else {
        return Err(Wrong::new(end, "there is no [[provider]]"));
    };
    let span = providers.span();
    let DeValue::Array(tables) = providers.into_inner() else {
        return Err(Wrong::new(span, "write [[provider]], with two brackets: there may be several"));
    };
    let mut all: Vec<Provider> = vec![];
    for table in tables {
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
        state: folder.join(top.state),
        time_zone,
        health: top.health,
        max_fee,
        max_fee_per_day,
        providers: all,
    })
}

fn read<T: DeserializeOwned>(table: Spanned<DeTable>) -> Result<T, Wrong> {
    Ok(T::deserialize(toml::Deserializer::from(table))?)
}

fn network(top: &Top, at: Range<usize>) -> Result<Network, Wrong> {
    const LOCAL_LEDGER: Duration = Duration::from_millis(200);
    const LEDGER: Duration = Duration::from_secs(5);
    let (rpc, passphrase, ledger) = match top.network.as_ref().map(|network| *network.get_ref()) {
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
        Some(OneOrMany::One(url)) => vec![url.clone()],
        Some(OneOrMany::Many(urls)) => urls.clone(),
        None => rpc.map(String::from).into_iter().collect(),
    };
    let passphrase = top.passphrase.clone().or(passphrase.map(String::from));
    let (false, Some(passphrase)) = (rpc.is_empty(), passphrase) else {
        return Err(Wrong::new(at, "name a network (mainnet, testnet, local), or give rpc and passphrase"));
    };
    for url in &rpc {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Wrong::new(at, format!("rpc: \"{url}\" is no address: it begins with https:// or http://")));
        }
    }
    Ok(Network { rpc, passphrase, ledger: top.ledger.map_or(ledger, |span| span.0) })
}

fn provider(table: Spanned<DeValue>, top: &Top, folder: &Path, time_zone: &TimeZone) -> Result<Provider, Wrong> {
    let span = table.span();
    let DeValue::Table(mut table) = table.into_inner() else {
        return Err(Wrong::new(span, "write [[provider]], and its keys below"));
    };
    let Some(meter) = table.remove("meter") else {
        return Err(Wrong::new(span, "the provider has no [provider.meter]"));
    };
    let provider: ProviderTable = read(Spanned::new(span.clone(), table))?;
    let meter_span = meter.span();
    let meter = self::meter(meter, folder, time_zone)?;
    let consumers = provider.consumer.into_iter().map(|consumer| self::consumer(consumer, &meter));
    let consumers = consumers.collect::<Result<Vec<_>, Wrong>>()?;
    check_shares(&consumers, &provider.address, &meter, meter_span)?;
    let every = match provider.every {
        Some(EveryName::QuarterHour) => Every::QuarterHour,
        Some(EveryName::Hour) => Every::Hour,
        None | Some(EveryName::Day) => Every::Day,
        Some(EveryName::Week) => Every::Week,
        Some(EveryName::Month) => Every::Month,
    };
    let at = match provider.at {
        Some(at) if matches!(every, Every::QuarterHour | Every::Hour) => {
            return Err(Wrong::new(at.span(), "`at` is for every = \"day\", \"week\" or \"month\""));
        }
        at => at.map_or(EVENING, |at| at.into_inner().0),
    };
    let Some(key) = provider.key.as_ref().or(top.key.as_ref()) else {
        return Err(Wrong::new(
            span,
            "there is no `key`, neither here nor at the top: the file of the meter's secret key",
        ));
    };
    Ok(Provider {
        name: provider.name,
        address: provider.address.into_inner().0 .0,
        key: key_path(folder, key),
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

fn check_shares(
    consumers: &[Consumer],
    provider: &Spanned<Text<Address>>,
    meter: &Meter,
    at: Range<usize>,
) -> Result<(), Wrong> {
    let needs_share = match meter {
        Meter::Register(_) => true,
        Meter::Intervals(intervals) => intervals.rule == Rule::Share,
    };
    let mut sum = 0;
    for (place, consumer) in consumers.iter().enumerate() {
        let wrong = |reason: &str| Err(Wrong::new(at.clone(), format!("the consumer {}: {reason}", consumer.name)));
        match consumer.share {
            None if needs_share => return wrong("needs a `share`"),
            Some(_) if !needs_share => return wrong("has a `share`, which this rule does not use"),
            share => sum += share.map_or(0, |share| share.millionths()),
        }
        if consumer.address == provider.get_ref().0 .0 {
            return wrong("is the provider itself");
        }
        let before = consumers.iter().take(place);
        if before.into_iter().any(|other| other.address == consumer.address || other.name == consumer.name) {
            return wrong("is there twice");
        }
    }
    if sum > Share::WHOLE {
        return Err(Wrong::new(at, "the shares of the consumers add up to more than 1"));
    }
    Ok(())
}

/// The keys of a meter depend on its source.
fn meter(meter: Spanned<DeValue>, folder: &Path, time_zone: &TimeZone) -> Result<Meter, Wrong> {
    const MAX_AGE: Duration = Duration::from_secs(15 * 60);
    const SOURCES: &str = "mqtt, http, telegram, simulated or intervals";
    let span = meter.span();
    let DeValue::Table(mut table) = meter.into_inner() else {
        return Err(Wrong::new(span, "write [provider.meter], and its keys below"));
    };
    let Some(source) = table.remove("source") else {
        return Err(Wrong::new(span, format!("the meter has no `source`: {SOURCES}")));
    };
    let name = source.get_ref().as_str().unwrap_or_default().to_string();
    let table = Spanned::new(span, table);
    let register = |source, id, max_kw, max_age: Option<Span>| {
        Meter::Register(Register { source, id, max_kw, max_age: max_age.map_or(MAX_AGE, |span| span.0) })
    };
    Ok(match name.as_str() {
        "mqtt" => {
            let table: MqttTable = read(table)?;
            let (host, port, tls) = broker(&table.broker)?;
            let topics = match table.topic {
                OneOrMany::One(topic) => vec![topic],
                OneOrMany::Many(topics) => topics,
            };
            let format =
                format(table.pointers, table.unit, table.id_pointer, table.time_pointer, table.time_format, time_zone)?;
            let mqtt = Mqtt {
                host,
                port,
                tls,
                ca: table.ca.map(|path| folder.join(path)),
                user: table.user,
                password_file: table.password_file.map(|path| folder.join(path)),
                topics,
                format,
            };
            register(Source::Mqtt(mqtt), table.id, table.max_kw, table.max_age)
        }
        "http" => {
            const EVERY: Duration = Duration::from_secs(10);
            let table: HttpTable = read(table)?;
            let url = table.url.get_ref();
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(Wrong::new(table.url.span(), "an address begins with http:// or https://"));
            }
            let http = Http {
                url: url.clone(),
                authorization_file: table.authorization_file.map(|path| folder.join(path)),
                every: table.every.map_or(EVERY, |span| span.0),
                format: format(
                    table.pointers,
                    table.unit,
                    table.id_pointer,
                    table.time_pointer,
                    table.time_format,
                    time_zone,
                )?,
            };
            register(Source::Http(http), table.id, table.max_kw, table.max_age)
        }
        "telegram" => {
            let table: TelegramTable = read(table)?;
            let line = line(&table)?;
            register(Source::Telegram(line), table.id, table.max_kw, table.max_age)
        }
        "simulated" => {
            const PEAK_WATTS: u32 = 10_000;
            let table: SimulatedTable = read(table)?;
            let simulated = Simulated {
                seed: table.seed.unwrap_or(1),
                peak_watts: table.peak_watts.unwrap_or(PEAK_WATTS),
                start_kwh: table.start_kwh.unwrap_or(0),
                since: midnight(&table.since, time_zone)?,
            };
            register(Source::Simulated(simulated), None, None, None)
        }
        "intervals" => {
            const MAX_FILE_AGE: Duration = Duration::from_secs(10 * 86_400);
            const FINAL_AFTER: Duration = Duration::from_secs(5 * 86_400);
            let at = table.span();
            let table: IntervalsTable = read(table)?;
            match &table.files {
                Some(files) => {
                    pattern(files)?;
                    intervals::profile(
                        table.profile.get_ref(),
                        Role::Plant,
                        table.point.as_deref(),
                        table.value.as_deref(),
                    )
                    .map_err(|error| Wrong::new(table.profile.span(), error))?;
                }
                None if matches!(table.rule, RuleName::Given) => {}
                None => {
                    return Err(Wrong::new(
                        at,
                        "there is no `files`: which of the folder's tell what the plant exports",
                    ))
                }
            }
            Meter::Intervals(Intervals {
                folder: folder.join(table.folder),
                rule: match table.rule {
                    RuleName::Share => Rule::Share,
                    RuleName::ProRata => Rule::ProRata,
                    RuleName::Priority => Rule::Priority,
                    RuleName::Given => Rule::Given,
                },
                profile: table.profile.into_inner(),
                files: table.files.map(Spanned::into_inner),
                point: table.point,
                value: table.value,
                since: midnight(&table.since, time_zone)?,
                final_after: table.final_after.map_or(FINAL_AFTER, |span| span.0),
                max_kw: table.max_kw,
                max_age: table.max_age.map_or(MAX_FILE_AGE, |span| span.0),
            })
        }
        _ => return Err(Wrong::new(source.span(), format!("there is no such source: {SOURCES}"))),
    })
}

fn consumer(consumer: Spanned<ConsumerTable>, meter: &Meter) -> Result<Consumer, Wrong> {
    let at = consumer.span();
    let consumer = consumer.into_inner();
    match meter {
        Meter::Register(_) => {
            let only_intervals = [&consumer.files, &consumer.point, &consumer.value].into_iter().flatten().next();
            if let Some(key) = only_intervals {
                return Err(Wrong::new(key.span(), "this key is for a meter with source = \"intervals\""));
            }
        }
        Meter::Intervals(intervals) => consumer_columns(&consumer, intervals, at)?,
    }
    Ok(Consumer {
        name: consumer.name,
        address: consumer.address.into_inner().0 .0,
        share: consumer.share.map(|share| share.into_inner().0),
        pays: match consumer.pays {
            PaysName::Deposit => Pays::Deposit,
            PaysName::Bill => Pays::Bill,
        },
        files: consumer.files.map(Spanned::into_inner),
        point: consumer.point.map(Spanned::into_inner),
        value: consumer.value.map(Spanned::into_inner),
    })
}

/// What a consumer used, or was given, is in files and columns that are told from the plant's.
fn consumer_columns(consumer: &ConsumerTable, intervals: &Intervals, at: Range<usize>) -> Result<(), Wrong> {
    let text = |key: &Option<Spanned<String>>| key.as_ref().map(|text| text.get_ref().clone());
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

fn pattern(files: &Spanned<String>) -> Result<(), Wrong> {
    let is_pattern = glob::Pattern::new(files.get_ref()).is_ok() && !files.get_ref().contains('/');
    let form = "this is a pattern of file names within the folder, such as *einspeisung*.csv";
    is_pattern.then_some(()).ok_or_else(|| Wrong::new(files.span(), form))
}

fn format(
    pointers: Vec<Text<Pointer>>,
    unit: Text<Unit>,
    id: Option<Text<Pointer>>,
    time: Option<Text<Pointer>>,
    clock: Option<Spanned<ClockName>>,
    time_zone: &TimeZone,
) -> Result<Format, Wrong> {
    let time = match (time, clock) {
        (None, None) => None,
        (None, Some(clock)) => return Err(Wrong::new(clock.span(), "time_format needs a time_pointer")),
        (Some(pointer), clock) => {
            let clock = match clock.map(Spanned::into_inner) {
                None | Some(ClockName::Iso) => Clock::Local(time_zone.clone()),
                Some(ClockName::Seconds) => Clock::Seconds,
                Some(ClockName::Milliseconds) => Clock::Milliseconds,
            };
            Some((pointer.0 .0, clock))
        }
    };
    let pointers = pointers.into_iter().map(|pointer| pointer.0 .0).collect();
    Ok(Format { pointers, unit: unit.0, meter_id: id.map(|pointer| pointer.0 .0), time })
}

/// mqtt://HOST:PORT, or mqtts:// with TLS.
fn broker(url: &Spanned<String>) -> Result<(String, u16, bool), Wrong> {
    const PLAIN: u16 = 1883;
    const TLS: u16 = 8883;
    let wrong = || Wrong::new(url.span(), "a broker is mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS");
    let text = url.get_ref();
    let (place, tls) = match (text.strip_prefix("mqtt://"), text.strip_prefix("mqtts://")) {
        (Some(place), _) => (place, false),
        (_, Some(place)) => (place, true),
        _ => return Err(wrong()),
    };
    let place = place.trim_end_matches('/');
    let (host, port) = match host_port(place) {
        Some(pair) => pair,
        None => (place, if tls { TLS } else { PLAIN }),
    };
    if host.is_empty() || host.contains(['/', '@']) {
        return Err(wrong());
    }
    Ok((host.into(), port, tls))
}

fn line(table: &TelegramTable) -> Result<Line, Wrong> {
    const BAUD: u32 = 115_200;
    let text = table.line.get_ref();
    let wrong = || Wrong::new(table.line.span(), "a line is tcp://HOST:PORT, or a device such as /dev/ttyUSB0");
    if let Some(place) = text.strip_prefix("tcp://") {
        let (host, port) = host_port(place).ok_or_else(wrong)?;
        return Ok(Line::Tcp { host: host.into(), port });
    }
    if !text.starts_with('/') {
        return Err(wrong());
    }
    Ok(Line::Serial { device: text.into(), baud: table.baud.unwrap_or(BAUD), seven_even: table.seven_even })
}

fn host_port(place: &str) -> Option<(&str, u16)> {
    let (host, port) = place.rsplit_once(':')?;
    Some((host, port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

/// When this day begins, in Unix seconds.
fn midnight(date: &Spanned<Text<Date>>, time_zone: &TimeZone) -> Result<u64, Wrong> {
    let start = time_zone.to_timestamp(date.get_ref().0.to_datetime(Time::midnight())).ok();
    let seconds = start.and_then(|start| u64::try_from(start.as_second()).ok());
    seconds.ok_or_else(|| Wrong::new(date.span(), "a day is written like \"2026-03-01\""))
}
