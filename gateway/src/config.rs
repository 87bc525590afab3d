//! The configuration: one file of TOML for one provider or many. What is not known is an error that names file, line and
//! key, since a misspelt key that is ignored would be money.

mod file;
mod values;

use values::one_of;
pub(crate) use values::{Address, Broker, Contract, Filled, Part, Pointer, Topic, Url, Wire, Zone};

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use stellar_xdr::{ContractId, ScAddress};
use thiserror::Error;

use crate::counting::{Pays, Share};
use crate::energy::{Energy, Unit};
use crate::input::json::Format;

#[derive(Clone, Debug)]
pub struct Config {
    pub network: Network,
    pub contract: ContractId,
    /// The folder of the journal.
    pub state: PathBuf,
    pub time_zone: TimeZone,
    /// Where /health, /metrics and /status answer.
    pub health: Option<SocketAddr>,
    /// Stroops that one delivery may cost, and those that the deliveries of a key may cost in a day of UTC.
    pub max_fee: u32,
    pub max_fee_per_day: u64,
    pub providers: Vec<Provider>,
}

#[derive(Clone, Debug)]
pub struct Network {
    /// Asked in this order: the next one if one does not answer.
    pub rpc: Vec<String>,
    pub passphrase: String,
    /// How long the network takes for a ledger, about: when a sent call is first asked for.
    pub ledger: Duration,
}

/// A household or business that sells, with its meter.
#[derive(Clone, Debug)]
pub struct Provider {
    pub name: String,
    pub address: ScAddress,
    /// The file of the meter's secret key. Providers with the same file share the key.
    pub key: PathBuf,
    pub schedule: Schedule,
    pub meter: Meter,
    pub consumers: Vec<Consumer>,
}

/// When deliveries are recorded, in the configured time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub every: Every,
    /// The time of the day, where `every` is a day or more.
    pub at: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    QuarterHour,
    Hour,
    Day,
    /// On Mondays, for the week before.
    Week,
    /// On the first of the month, for the month before.
    Month,
}

/// What the kWh come from.
#[derive(Clone, Debug)]
pub enum Meter {
    /// The export register is read, and each consumer has a share of what it counts.
    Register(Register),
    /// The grid operator's files say what was exported and used in each interval.
    Intervals(Intervals),
}

#[derive(Clone, Debug)]
pub struct Register {
    pub source: Source,
    /// The meter's own number. Another one stops deliveries.
    pub id: Option<String>,
    /// kW that the plant can feed in, if less than what was certified.
    pub max_kw: Option<u64>,
    /// Without a good reading for so long the gateway is unhealthy.
    pub max_age: Duration,
}

#[derive(Clone, Debug)]
pub enum Source {
    Mqtt(Mqtt),
    Http(Http),
    Telegram(Line),
    Simulated(Simulated),
}

#[derive(Clone, Debug)]
pub struct Mqtt {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// Certificates of authorities to trust in place of the public ones.
    pub ca: Option<PathBuf>,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    /// Several are added up.
    pub topics: Vec<String>,
    pub format: Format,
}

#[derive(Clone, Debug)]
pub struct Http {
    pub url: String,
    /// A file with the value of the Authorization header.
    pub authorization_file: Option<PathBuf>,
    pub every: Duration,
    pub format: Format,
}

/// Where telegrams come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Tcp { host: String, port: u16 },
    Serial { device: PathBuf, baud: u32, seven_even: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulated {
    pub seed: u64,
    pub peak_watts: u32,
    /// kWh that the register shows at `since`, in Unix seconds.
    pub start_kwh: u64,
    pub since: u64,
}

#[derive(Clone, Debug)]
pub struct Intervals {
    pub folder: PathBuf,
    pub rule: Rule,
    /// The layout's name, and what the export is called in it.
    pub profile: String,
    /// The file or files of the plant, and of consumers without any of their own: a pattern such as `*einspeisung*.csv`.
    /// There may be none where the rule is `Given`: then nothing says what else was exported.
    pub files: Option<String>,
    pub point: Option<String>,
    pub value: Option<String>,
    /// The register showed the certified reading when this time began, in Unix seconds.
    pub since: u64,
    /// Days younger than this may still be corrected, and are not sold yet.
    pub final_after: Duration,
    /// kW that the plant can feed in, if less than what was certified.
    pub max_kw: Option<u64>,
    pub max_age: Duration,
}

/// How what was exported in an interval is divided. What nobody gets is the supplier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Each consumer's share, and no more than it used.
    Share,
    /// By what each used.
    ProRata,
    /// The first one named gets what it used, then the second, and so on.
    Priority,
    /// What the grid operator's file says.
    Given,
}

#[derive(Clone, Debug)]
pub struct Consumer {
    pub name: String,
    pub address: ScAddress,
    pub share: Option<Share>,
    pub pays: Pays,
    /// In intervals: the files of what it used, or was given.
    pub files: Option<String>,
    pub point: Option<String>,
    pub value: Option<String>,
}

#[derive(Debug, Error)]
pub enum Failure {
    #[error("cannot read the configuration {path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{path}: {reason}")]
    Whole { path: PathBuf, reason: String },
    #[error("{path}, line {line}: {text}\n  {reason}")]
    Wrong { path: PathBuf, line: usize, text: String, reason: String },
}

impl Config {
    /// Paths in it are relative to its folder.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::Io { path: path.into(), error })?;
        Self::parse(&text, path)
    }

    pub fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        let folder = path.parent().unwrap_or(Path::new(""));
        file::parse(text, folder).map_err(|wrong| wrong.locate(text, path))
    }
}

impl Network {
    /// The ledger's time is asked for again when it is so old.
    pub fn clock_age(&self) -> Duration {
        self.ledger * 12
    }
}

impl Provider {
    /// The plant's power as far as the configuration limits it, in kW.
    pub fn max_kw(&self) -> Option<u64> {
        match &self.meter {
            Meter::Register(register) => register.max_kw,
            Meter::Intervals(intervals) => intervals.max_kw,
        }
    }

    pub fn max_age(&self) -> Duration {
        match &self.meter {
            Meter::Register(register) => register.max_age,
            Meter::Intervals(intervals) => intervals.max_age,
        }
    }
}

/// How the file names a unit.
impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [
            ("Wh", Self::WattHours),
            ("kWh", Self::KilowattHours),
            ("MWh", Self::MegawattHours),
            ("Wmin", Self::WattMinutes),
        ];
        one_of(text, &units)
    }
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let times = [
            ("quarter-hour", Self::QuarterHour),
            ("hour", Self::Hour),
            ("day", Self::Day),
            ("week", Self::Week),
            ("month", Self::Month),
        ];
        one_of(text, &times)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rules =
            [("share", Self::Share), ("pro-rata", Self::ProRata), ("priority", Self::Priority), ("given", Self::Given)];
        one_of(text, &rules)
    }
}

impl FromStr for Pays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &[("deposit", Self::Deposit), ("bill", Self::Bill)])
    }
}

/// What a plant of so many kW exports in an interval of so many minutes at most.
pub fn most_of_interval(kw: u64, minutes: u32) -> Energy {
    Energy::from_kwh(kw).unwrap_or(Energy::from_mwh(u64::MAX)).part(minutes.into(), 60)
}

#[cfg(test)]
mod tests;
