//! Single values of the configuration, as they are written. An error of one of them is told with its line.

use std::marker::PhantomData;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use stellar_xdr::{ContractId, ScAddress};

use crate::counting::Share;

/// What text is parsed as.
#[derive(Clone)]
pub struct Text<T>(pub T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted<T>(PhantomData<T>);
        impl<T: FromStr<Err: std::fmt::Display>> Visitor<'_> for Quoted<T> {
            type Value = Text<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("text in quotes")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
                text.parse().map(Text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Quoted(PhantomData))
    }
}

/// What one of these texts stands for.
pub fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let chosen = choices.iter().find(|(name, _)| *name == text);
    chosen.map(|(_, value)| *value).ok_or_else(|| format!("it is one of {}", names()))
}

/// A name or a path: something, on one line.
#[derive(Clone)]
pub struct Filled(pub String);

impl FromStr for Filled {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err("it is empty");
        }
        if text.contains(char::is_control) {
            return Err("it is more than one line, or has characters that cannot be seen");
        }
        Ok(Self(text.into()))
    }
}

/// One text, or a list of at least one.
pub struct List<T>(pub Vec<T>);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts<T>(PhantomData<T>);
        impl<'de, T: FromStr<Err: std::fmt::Display>> Visitor<'de> for Texts<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("text in quotes, or a list of it")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
                text.parse().map(|item| List(vec![item])).map_err(E::custom)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<List<T>, A::Error> {
                let mut all = vec![];
                while let Some(Text(item)) = texts.next_element()? {
                    all.push(item);
                }
                if all.is_empty() {
                    return Err(A::Error::custom("the list is empty"));
                }
                Ok(List(all))
            }
        }
        deserializer.deserialize_any(Texts(PhantomData))
    }
}

/// A whole number of this range.
#[derive(Clone, Copy)]
pub struct Whole<const LEAST: u64, const MOST: u64>(pub u64);

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<const LEAST: u64, const MOST: u64>;
        impl<const LEAST: u64, const MOST: u64> Visitor<'_> for Number<LEAST, MOST> {
            type Value = Whole<LEAST, MOST>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                write!(f, "a whole number from {LEAST} to {MOST}")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                let fits = u64::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
                fits.map(Whole).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// The address of an RPC or a device.
pub struct Url(pub String);

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = text.strip_prefix("http://").or(text.strip_prefix("https://"));
        let is_url = place.is_some_and(|place| !place.is_empty() && !place.contains(char::is_whitespace));
        is_url.then(|| Self(text.into())).ok_or("an address begins with http:// or https://")
    }
}

/// mqtt://HOST:PORT, or mqtts:// with TLS.
pub struct Broker {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl FromStr for Broker {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a broker is mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS";
        const PLAIN: u16 = 1883;
        const TLS: u16 = 8883;
        let (place, tls) = match (text.strip_prefix("mqtt://"), text.strip_prefix("mqtts://")) {
            (Some(place), _) => (place, false),
            (_, Some(place)) => (place, true),
            _ => return Err(FORM),
        };
        let default = if tls { TLS } else { PLAIN };
        let (host, port) = host_port(place.trim_end_matches('/'), Some(default)).ok_or(FORM)?;
        Ok(Self { host, port, tls })
    }
}

/// tcp://HOST:PORT, or the path of a serial device.
pub enum Wire {
    Tcp { host: String, port: u16 },
    Device(PathBuf),
}

impl FromStr for Wire {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a line is tcp://HOST:PORT, or a device such as /dev/ttyUSB0";
        match text.strip_prefix("tcp://") {
            Some(place) => host_port(place, None).map(|(host, port)| Self::Tcp { host, port }).ok_or(FORM),
            None => text.starts_with('/').then(|| Self::Device(text.into())).ok_or(FORM),
        }
    }
}

/// An IPv6 address stands in brackets.
fn host_port(place: &str, default: Option<u16>) -> Option<(String, u16)> {
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (place, default?),
    };
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.to_string(),
        None => host.into(),
    };
    let is_name = !host.is_empty() && !host.contains(['/', '@']) && !host.contains(char::is_whitespace);
    (is_name && port > 0).then_some((host, port))
}

pub struct Topic(pub String);

impl FromStr for Topic {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_topic = !text.is_empty() && !text.contains(['#', '+', '\0']);
        is_topic
            .then(|| Self(text.into()))
            .ok_or("a topic is a text without the wildcards # and +: one topic is one register")
    }
}

/// A place in JSON, as RFC 6901 writes it.
pub struct Pointer(pub String);

impl FromStr for Pointer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_pointer = text.starts_with('/');
        is_pointer.then(|| Self(text.into())).ok_or("a JSON pointer begins with /, such as /SML/Total_out")
    }
}

#[derive(Clone)]
pub struct Zone(pub TimeZone);

impl FromStr for Zone {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        TimeZone::get(text).map(Self).map_err(|_| "there is no such time zone: they are named like Europe/Vienna")
    }
}

/// An address of this machine, at which nobody else can ask.
pub struct Loopback(pub SocketAddr);

impl FromStr for Loopback {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: SocketAddr = text.parse().map_err(|_| "it is an address and a port, such as 127.0.0.1:9464")?;
        let is_loopback = address.ip().is_loopback();
        is_loopback.then_some(Self(address)).ok_or("it answers to this machine alone: 127.0.0.1 or [::1], and a port")
    }
}

#[derive(Clone, Copy)]
pub struct Day(pub Date);

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "a day is written like \"2026-03-01\"")
    }
}

#[derive(Clone, Copy)]
pub struct TimeOfDay(pub Time);

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "a time of day is written like \"21:30\" or \"09:00\"")
    }
}

/// The address of a household or business: an account or a contract.
pub struct Address(pub ScAddress);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(address @ (ScAddress::Account(_) | ScAddress::Contract(_))) => Ok(Self(address)),
            Ok(_) => Err("an address is an account (G...) or a contract (C...), and this is neither"),
            Err(_) if text.starts_with('S') => {
                Err("an address is expected (G... or C...), and a secret key belongs nowhere but in its file")
            }
            Err(_) => Err("an address is G or C and 55 more characters, of which none may be wrong"),
        }
    }
}

/// The contract that records deliveries.
pub struct Contract(pub ContractId);

impl FromStr for Contract {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "a contract's id is C and 55 more characters, of which none may be wrong")
    }
}

/// A length of time: "90s", "15m", "2h", "5d".
#[derive(Clone, Copy)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a length of time is a whole number and its unit, such as 90s, 15m, 2h or 5d";
        const MOST: Duration = Duration::from_secs(3_650 * 86_400);
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(FORM)?);
        let number: u64 = number.parse().map_err(|_| FORM)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(FORM),
        };
        let span = Duration::from_millis(number.saturating_mul(milliseconds));
        match span {
            Duration::ZERO => Err("it is more than 0"),
            span if span > MOST => Err("it is at most 3650d"),
            span => Ok(Self(span)),
        }
    }
}

/// A length of time that may be none at all: "0d".
#[derive(Clone, Copy)]
pub struct Delay(pub Duration);

impl FromStr for Delay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0d" {
            return Ok(Self(Duration::ZERO));
        }
        text.parse().map(|span: Span| Self(span.0))
    }
}

/// XLM, in stroops: "0.1". Written as text or as a number.
pub struct Xlm(pub u64);

/// A part of the whole, in millionths: 0.4.
pub struct Part(pub Share);

impl FromStr for Xlm {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let stroops = decimal(text, 7).filter(|stroops| *stroops > 0);
        stroops.map(Self).ok_or("an amount is a number of XLM, more than 0, with at most 7 decimals")
    }
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let millionths = decimal(text, 6).and_then(|millionths| u32::try_from(millionths).ok());
        let share = millionths.and_then(Share::from_millionths).filter(|share| share.millionths() > 0);
        share.map(Self).ok_or("a share is more than 0 and at most 1, with at most 6 decimals")
    }
}

/// The number without its decimal mark, if it has no more decimals than these.
fn decimal(text: &str, decimals: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_number = !whole.is_empty() && whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit());
    if !is_number || fraction.len() > decimals {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// Text, or a number as it is written: shortest digits tell exactly what the file says.
macro_rules! number_or_text {
    ($type:ident, $what:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Written;
                impl Visitor<'_> for Written {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_i64<E: Error>(self, number: i64) -> Result<$type, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                    fn visit_f64<E: Error>(self, number: f64) -> Result<$type, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Written)
            }
        }
    };
}

number_or_text!(Xlm, "a number of XLM");
number_or_text!(Part, "a share, more than 0 and at most 1");
