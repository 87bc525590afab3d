//! Single values of the configuration, as they are written. An error of one of them is told with its line.

use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use stellar_xdr::{ContractId, ScAddress};

use crate::counting::Share;

/// What text is parsed as.
pub struct Text<T>(pub T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
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

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text: Text<Self>| text.0)
    }
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a length of time is a whole number and its unit, such as 90s, 15m, 2h or 5d";
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(FORM)?);
        let seconds = match unit {
            "ms" => return Ok(Self(Duration::from_millis(number.parse().map_err(|_| FORM)?))),
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(FORM),
        };
        let number: u32 = number.parse().map_err(|_| FORM)?;
        Ok(Self(Duration::from_secs(u64::from(number) * seconds)))
    }
}

/// XLM, in stroops: "0.1". Written as text or as a number.
pub struct Xlm(pub u64);

/// A part of the whole, in millionths: 0.4.
pub struct Part(pub Share);

impl FromStr for Xlm {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal(text, 7).map(Self).ok_or("an amount is a number of XLM with at most 7 decimals")
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
                        number.to_string().parse().map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
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
