//! How what a meter, a bridge or a grid operator says becomes energy. All of it is pure: bytes in, samples or the reason why
//! there is none out. A wrong sample is worse than none, so whatever is not plainly a reading is refused, by name.

pub mod intervals;
pub mod json;
pub mod sun;
pub mod telegram;

use jiff::Timestamp;
use thiserror::Error;

use crate::energy::{Energy, NotEnergy};

/// What the export register showed in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub energy: Energy,
    pub meter_id: Option<String>,
    /// When the message says it was made. Telegrams leave it empty: the clocks of meters stand still or are years off.
    pub time: Option<Timestamp>,
}

impl Sample {
    /// This sample, if it is of the meter that is configured and was not made before `oldest`.
    pub fn accept(self, meter_id: Option<&str>, oldest: Timestamp) -> Result<Self, NoReading> {
        if let Some(expected) = meter_id {
            match &self.meter_id {
                Some(found) if found == expected => {}
                Some(found) => {
                    return Err(NoReading::OtherMeter { expected: expected.into(), found: shown(found) });
                }
                None => return Err(NoReading::Missing { what: "the meter's id".into() }),
            }
        }
        match self.time {
            Some(time) if time < oldest => Err(NoReading::Old { time }),
            _ => Ok(self),
        }
    }
}

/// Why a message has no reading.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoReading {
    #[error("the message does not have {what}")]
    Missing { what: String },
    #[error("{what} is null: the device has no value yet")]
    Null { what: String },
    #[error("\"{text}\" is not a decimal number")]
    NotANumber { text: String },
    #[error("the register is negative, so it is not the export register")]
    Negative,
    #[error("the value is larger than any register")]
    TooLarge,
    #[error("the unit is \"{unit}\", where Wh or kWh was expected")]
    WrongUnit { unit: String },
    #[error("the message is not JSON")]
    NotJson,
    #[error("the message is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the telegram's checksum is wrong: it was damaged on its way")]
    BadChecksum,
    #[error("the telegram has no checksum, though this meter sends one")]
    NoChecksum,
    #[error("the telegram is torn: its end is missing")]
    TornFrame,
    #[error("the telegram has characters or fields that do not belong there")]
    Garbled,
    #[error("what arrives is no telegram: check the speed of the line, and whether the meter encrypts")]
    Noise,
    #[error("the meter shows only what is drawn from the grid (1.8.x), and nothing that is exported (2.8.x)")]
    NoExport,
    #[error("the register {register} is there twice, with different values")]
    Contradiction { register: String },
    #[error("there are two meters in it: {first} and {second}")]
    TwoMeters { first: String, second: String },
    #[error("this is the meter {found}, and not {expected}: was it exchanged?")]
    OtherMeter { expected: String, found: String },
    #[error("\"{text}\" is not a time")]
    NotATime { text: String },
    #[error("the time \"{text}\" is local: a time zone has to be configured")]
    NoTimeZone { text: String },
    #[error("the message is of {time}, which is too long ago")]
    Old { time: Timestamp },
    #[error("the broker kept this message from before: it says nothing about now")]
    Retained,
}

impl NoReading {
    /// A short name that does not change, for counters.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Null { .. } => "null",
            Self::NotANumber { .. } => "not_a_number",
            Self::Negative => "negative",
            Self::TooLarge => "too_large",
            Self::WrongUnit { .. } => "wrong_unit",
            Self::NotJson => "not_json",
            Self::TooLong { .. } => "too_long",
            Self::BadChecksum => "bad_checksum",
            Self::NoChecksum => "no_checksum",
            Self::TornFrame => "torn_frame",
            Self::Garbled => "garbled",
            Self::Noise => "noise",
            Self::NoExport => "no_export",
            Self::Contradiction { .. } => "contradiction",
            Self::TwoMeters { .. } => "two_meters",
            Self::OtherMeter { .. } => "other_meter",
            Self::NotATime { .. } => "not_a_time",
            Self::NoTimeZone { .. } => "no_time_zone",
            Self::Old { .. } => "old",
            Self::Retained => "retained",
        }
    }

    fn of_number(text: &str, error: NotEnergy) -> Self {
        match error {
            NotEnergy::Negative => Self::Negative,
            NotEnergy::TooLarge => Self::TooLarge,
            NotEnergy::Empty | NotEnergy::NotDecimal => Self::NotANumber { text: shown(text) },
        }
    }
}

/// A stranger's text as a log may show it: short, on one line, without control characters.
fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let short: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        format!("{short}…")
    } else {
        short
    }
}
