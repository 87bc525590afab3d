//! `p2p-gateway init`: asks what a configuration needs, writes it with its comments, makes the meter's key, and says what
//! comes next. Each answer is checked when it is given, by what reads the configuration.

mod text;

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::Timestamp;
use thiserror::Error;

use crate::config::{self, Config, Part};
use crate::energy::Unit;
use crate::input::intervals::{self, NoProfile, Role};
use crate::key;

pub use text::text;

#[derive(Debug, Error)]
pub enum Failure {
    #[error("there is already a configuration {0}, and it stays as it is")]
    Exists(PathBuf),
    #[error("the questions ended before all was answered, so nothing was written")]
    Unanswered,
    #[error("cannot write {path}: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error("cannot ask: {0}")]
    Ask(#[from] io::Error),
    #[error(transparent)]
    Wrong(#[from] config::Failure),
    #[error(transparent)]
    Key(#[from] key::Failure),
}

/// What a configuration is made of. What is not asked has its default, and stands in the text as a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    pub network: String,
    pub contract: String,
    pub time_zone: String,
    pub name: String,
    pub address: String,
    pub source: Source,
    pub consumers: Vec<Consumer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Mqtt { broker: String, topic: String, pointers: Vec<String>, unit: String },
    Http { url: String, pointers: Vec<String>, unit: String },
    Telegram { line: String, baud: Option<u32> },
    Simulated { peak_watts: u32, start_kwh: u64, since: Date },
    Intervals { folder: String, profile: String, rule: String, files: String, column: Column, since: Date },
}

/// Where a file's values stand, if the profile does not know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    pub point: Option<String>,
    pub value: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    pub name: String,
    pub address: String,
    pub share: Option<String>,
    pub pays: String,
    /// With intervals: its files.
    pub files: Option<(String, Column)>,
}

/// Asks on `output`, reads the answers from `input`, and writes the configuration to `path`.
pub fn run(input: &mut impl BufRead, output: &mut impl Write, path: &Path) -> Result<(), Failure> {
    refuse_existing(path)?;
    let answers = Dialog { input, output }.answers()?;
    let text = text(&answers, path);
    let config = Config::parse(&text, path)?;
    let key_path = config.providers.first().map_or(PathBuf::new(), |provider| provider.key.clone());
    // The key first: without the configuration, the next attempt finds it.
    let key = match key::create(&key_path) {
        Err(key::Failure::Exists(_)) => key::read(&key_path)?,
        key => key?,
    };
    write(path, &text)?;
    next_steps(output, &answers, path, &key_path, &key::address(&key))?;
    Ok(())
}

/// A copy of the package's example holds nothing of anybody's while it is as it came.
fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match fs::read_to_string(path) {
        Ok(text) if text == example() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(Failure::Exists(path.into())),
    }
}

/// Whole or not at all, for its owner and group.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    const MODE: u32 = 0o640;
    let mut new = path.as_os_str().to_os_string();
    new.push(".new");
    let write = || {
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new)?;
        // Whatever is taken away from files that this user makes: the service reads it as their group.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| Failure::Write { path: path.into(), error })?;
    refuse_existing(path)?;
    fs::rename(&new, path).map_err(|error| Failure::Write { path: path.into(), error })
}

fn next_steps(
    output: &mut impl Write,
    answers: &Answers,
    path: &Path,
    key_path: &Path,
    meter: &str,
) -> Result<(), io::Error> {
    let Answers { network, address, .. } = answers;
    let fund = match network.as_str() {
        "testnet" => format!("curl 'https://friendbot.stellar.org/?addr={meter}'"),
        "local" => format!("curl 'http://localhost:8000/friendbot?addr={meter}'"),
        _ => format!(
            "Send 5 XLM from any wallet to\n     {meter}\n     1 XLM stays as its reserve; a delivery costs about 0.02 XLM."
        ),
    };
    let (config, key) = (path.display(), key_path.display());
    write!(
        output,
        "
Written: {config}
The meter's secret key: {key}. Keep no copy: a lost key is replaced by a new one and a new certification.
Its address: {meter}

Next:
  1. Have the contract's admin certify it; you sign that as well. It says what the export register shows and what the plant can
     feed in:
     on the page under \"Certify a meter\", or with
     make register-meter-{network} ADMIN_ADDRESS=admin PROSUMER_ADDRESS={address} \\
         METER_ADDRESS={meter} METER_READING=kWh MAX_POWER_KW=kW
  2. Give it XLM for fees:
     {fund}

Then: p2p-gateway check --config {config}
"
    )
}

/// The package's example of a configuration: it holds until its placeholders are replaced, by hand or by `init`.
pub fn example() -> String {
    let answers = Answers {
        network: "testnet".into(),
        contract: "C...".into(),
        time_zone: "Europe/Vienna".into(),
        name: "Alice".into(),
        address: "G...".into(),
        source: Source::Mqtt {
            broker: "mqtt://127.0.0.1:1883".into(),
            topic: "tele/meter/SENSOR".into(),
            pointers: vec!["/SML/Total_out".into()],
            unit: "kWh".into(),
        },
        consumers: vec![Consumer {
            name: "Bob".into(),
            address: "G...".into(),
            share: Some("0.4".into()),
            pays: "deposit".into(),
            files: None,
        }],
    };
    text(&answers, Path::new("/etc/p2p-gateway/gateway.toml"))
}

struct Dialog<'a, I, O> {
    input: &'a mut I,
    output: &'a mut O,
}

impl<I: BufRead, O: Write> Dialog<'_, I, O> {
    fn answers(&mut self) -> Result<Answers, Failure> {
        writeln!(self.output, "Enter takes what is in brackets.\n")?;
        let network = self.choose("Network", &["testnet", "mainnet", "local"], Some("testnet"))?;
        let contract = self.text("Contract (C...)", None, parsed::<config::Contract>)?;
        let time_zone =
            self.text("Time zone, for the times of deliveries", Some(&system_zone()), parsed::<config::Zone>)?;
        let name = self.text("Name of the household or business that sells", None, parsed::<config::Filled>)?;
        let address = self.text("Its address (G... or C...)", None, parsed::<config::Address>)?;
        let source = self.source(&time_zone)?;
        let consumers = self.consumers(&source, &name, &address)?;
        Ok(Answers { network, contract, time_zone, name, address, source, consumers })
    }

    fn source(&mut self, time_zone: &str) -> Result<Source, Failure> {
        let sources = ["mqtt", "http", "telegram", "intervals", "simulated"];
        let question = "\
What the kWh come from
  mqtt       a reader, inverter or home automation that publishes the export register
  http       a device that answers with it
  telegram   the meter's own telegrams, at a serial device or a TCP port
  intervals  the grid operator's files of quarter hours
  simulated  a sun, to try it
Source";
        let source = self.choose(question, &sources, None)?;
        Ok(match source.as_str() {
            "mqtt" => {
                let broker = self.text("Broker", Some("mqtt://127.0.0.1:1883"), parsed::<config::Broker>)?;
                let topic = self.text("Topic", None, parsed::<config::Topic>)?;
                let (pointers, unit) = self.format()?;
                Source::Mqtt { broker, topic, pointers, unit }
            }
            "http" => {
                let url = self.text("Address (http://...)", None, parsed::<config::Url>)?;
                let (pointers, unit) = self.format()?;
                Source::Http { url, pointers, unit }
            }
            "telegram" => {
                let question = "Line (/dev/serial/by-id/..., or tcp://HOST:PORT)";
                let line = self.text(question, Some("/dev/ttyUSB0"), parsed::<config::Wire>)?;
                let baud = match line.starts_with('/') {
                    false => None,
                    true => {
                        let question = "Its speed (a P1 port has 115200, an optical head 9600)";
                        Some(self.value(question, Some("115200"))?)
                    }
                };
                Source::Telegram { line, baud }
            }
            "simulated" => {
                let peak_watts = self.value("Peak power in W", Some("10000"))?;
                let start_kwh = self.value("kWh that the register shows at first", Some("0"))?;
                let since = self.since("The day on whose beginning it shows that", time_zone)?;
                Source::Simulated { peak_watts, start_kwh, since }
            }
            _ => {
                let folder = self.text("Folder of the files", Some("/srv/quarter-hours"), parsed::<config::Filled>)?;
                let (profile, column) = self.profile()?;
                let rule = self.choose(
                    "How a quarter hour is divided: by shares, by use, in the order of the consumers, as the files say",
                    &["share", "pro-rata", "priority", "given"],
                    Some("given"),
                )?;
                let files =
                    self.text("Files of the plant (* stands for anything)", Some("*"), parsed::<config::Filled>)?;
                let since =
                    self.since("The day on whose beginning the register shows the certified reading", time_zone)?;
                Source::Intervals { folder, profile, rule, files, column, since }
            }
        })
    }

    fn format(&mut self) -> Result<(Vec<String>, String), Failure> {
        let question = "JSON pointers to the export register, with spaces between: they are added up; \
                        Enter if the message is only a number";
        let pointers = self
            .text(question, Some(""), |pointers| pointers.split_whitespace().try_for_each(parsed::<config::Pointer>))?;
        let unit = self.text("Unit (Wh, kWh, MWh, Wmin)", None, parsed::<Unit>)?;
        Ok((pointers.split_whitespace().map(String::from).collect(), unit))
    }

    fn profile(&mut self) -> Result<(String, Column), Failure> {
        let check = |name: &str| match intervals::profile(name, Role::Plant, None, None) {
            Err(error @ NoProfile::Unknown { .. }) => Err(error.to_string()),
            _ => Ok(()),
        };
        let profile = self.text("Profile (such as netz-noe, e-control, datadis)", None, check)?;
        let mut column = Column::default();
        if let Err(NoProfile::NeedsPoint { .. }) = intervals::profile(&profile, Role::Plant, None, None) {
            column.point = Some(self.text("Metering point of the plant", None, parsed::<config::Filled>)?);
        }
        let point = column.point.as_deref();
        if let Err(NoProfile::NeedsValue { .. }) = intervals::profile(&profile, Role::Plant, point, None) {
            column.value = Some(self.text("Column of what was exported", None, parsed::<config::Filled>)?);
        }
        Ok((profile, column))
    }

    fn since(&mut self, question: &str, time_zone: &str) -> Result<Date, Failure> {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let today = zone.to_datetime(Timestamp::now()).date().to_string();
        self.value(question, Some(&today))
    }

    fn consumers(&mut self, source: &Source, provider: &str, address: &str) -> Result<Vec<Consumer>, Failure> {
        writeln!(self.output, "\nThe neighbours who get it. Nothing is delivered to others, whatever they agreed.")?;
        let mut consumers: Vec<Consumer> = vec![];
        let mut left = 1_000_000;
        loop {
            let question = format!("Name of consumer {} (Enter if there is none)", consumers.len() + 1);
            let taken: Vec<_> = consumers.iter().map(|consumer| consumer.name.clone()).collect();
            let name = self.text(&question, Some(""), |name| {
                (!taken.iter().any(|other| other == name)).then_some(()).ok_or("it is there already".into())
            })?;
            if name.is_empty() {
                return Ok(consumers);
            }
            let taken: Vec<_> = consumers.iter().map(|consumer| consumer.address.clone()).collect();
            let address = self.text(&format!("{name}'s address (G... or C...)"), None, |text| {
                parsed::<config::Address>(text)?;
                if text == address {
                    return Err(format!("that is {provider}"));
                }
                (!taken.iter().any(|other| other == text)).then_some(()).ok_or("it is there already".into())
            })?;
            let by_share = !matches!(source, Source::Intervals { rule, .. } if rule != "share");
            let share = match by_share {
                false => None,
                true => {
                    let question = format!("{name}'s share of what is exported (0.4 is 40 %)");
                    let share = self.text(&question, None, |share| {
                        let part: Part = share.parse()?;
                        let fits = part.0.millionths() <= left;
                        fits.then_some(()).ok_or("with the shares before it is more than 1".into())
                    })?;
                    left -= share.parse::<Part>().map_or(0, |part| part.0.millionths());
                    Some(share)
                }
            };
            let question = format!("{name} pays by a deposit, which is waited for, or by a bill");
            let pays = self.choose(&question, &["deposit", "bill"], None)?;
            let files = match source {
                Source::Intervals { profile, rule, .. } => Some(self.consumer_files(&name, profile, rule)?),
                _ => None,
            };
            consumers.push(Consumer { name, address, share, pays, files });
        }
    }

    fn consumer_files(&mut self, name: &str, profile: &str, rule: &str) -> Result<(String, Column), Failure> {
        let filled = |answer: String| Some(answer).filter(|answer| !answer.is_empty());
        let files = self.text(&format!("Files of {name}"), Some("*"), parsed::<config::Filled>)?;
        let question = format!("{name}'s metering point, if the files name it");
        let point = filled(self.text(&question, Some(""), |_| Ok(()))?);
        let what = if rule == "given" { "was given" } else { "used" };
        let question = format!("Column of what {name} {what}, if it is not the profile's");
        let value = self.text(&question, Some(""), |value| {
            let value = filled(value.into());
            if rule == "given" && value.is_none() {
                return Err("this rule needs the column's name".into());
            }
            let layouts = intervals::profile(profile, Role::Consumer, point.as_deref(), value.as_deref());
            layouts.map(|_| ()).map_err(|error| error.to_string())
        })?;
        Ok((files, Column { value: filled(value), point }))
    }

    fn choose(&mut self, question: &str, choices: &[&str], default: Option<&str>) -> Result<String, Failure> {
        let all = choices.join(", ");
        self.text(&format!("{question} ({all})"), default, |answer| {
            choices.contains(&answer).then_some(()).ok_or(format!("one of {all}"))
        })
    }

    fn value<T: FromStr<Err: ToString>>(&mut self, question: &str, default: Option<&str>) -> Result<T, Failure> {
        loop {
            let answer = self.text(question, default, parsed::<T>)?;
            if let Ok(value) = answer.parse() {
                return Ok(value);
            }
        }
    }

    /// Asks until the answer is right.
    fn text(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Failure> {
        loop {
            match default {
                Some(default) if !default.is_empty() => write!(self.output, "{question} [{default}]: ")?,
                _ => write!(self.output, "{question}: ")?,
            }
            self.output.flush()?;
            let mut line = String::new();
            if self.input.read_line(&mut line)? == 0 {
                return Err(Failure::Unanswered);
            }
            let answer = match (line.trim(), default) {
                ("", Some(default)) => default,
                (answer, _) => answer,
            };
            match check(answer) {
                Ok(()) => return Ok(answer.into()),
                Err(reason) => writeln!(self.output, "  {reason}")?,
            }
        }
    }
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(drop).map_err(|error| error.to_string())
}

/// The name of the zone that the system is set to.
fn system_zone() -> String {
    let link = fs::read_link("/etc/localtime").unwrap_or_default();
    let link = link.to_string_lossy();
    let name = link.split_once("zoneinfo/").map_or("UTC", |(_, name)| name);
    if TimeZone::get(name).is_ok() { name } else { "UTC" }.into()
}

#[cfg(test)]
mod tests;
