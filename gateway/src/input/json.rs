//! What MQTT topics and HTTP addresses give: JSON, of which pointers (RFC 6901) name the values, or a plain number. Numbers
//! and strings are read alike, as the decimal text that was sent.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::Timestamp;
use serde_json::Value;

use super::{shown, NoReading, Sample};
use crate::energy::{Energy, Rounding, Unit};

/// More than any device sends in one message.
pub const MOST_BYTES: usize = 64 * 1024;

/// Where the reading is in a message.
#[derive(Clone, Debug)]
pub struct Format {
    /// The values that are added up, for instance one of each phase or tariff. None: the message is a plain number.
    pub pointers: Vec<String>,
    pub unit: Unit,
    pub meter_id: Option<String>,
    pub time: Option<(String, Clock)>,
}

/// How a message tells its time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// RFC 3339, with an offset from UTC.
    Rfc3339,
    /// The same, where a time without an offset is of this zone.
    Local(TimeZone),
    /// Seconds since 1970. Fractions are cut off.
    Seconds,
    Milliseconds,
}

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub payload: &'a [u8],
    /// The broker had it before the gateway subscribed.
    pub is_retained: bool,
}

impl Format {
    pub fn decode(&self, message: Message) -> Result<Sample, NoReading> {
        if message.is_retained {
            return Err(NoReading::Retained);
        }
        if message.payload.len() > MOST_BYTES {
            return Err(NoReading::TooLong { limit: MOST_BYTES });
        }
        if self.pointers.is_empty() {
            return Ok(Sample { energy: self.plain(message.payload)?, meter_id: None, time: None });
        }
        let json: Value = serde_json::from_slice(message.payload).map_err(|_| NoReading::NotJson)?;
        let mut energy = Energy::ZERO;
        for pointer in &self.pointers {
            energy = energy.checked_add(self.energy(&text_at(&json, pointer)?)?).ok_or(NoReading::TooLarge)?;
        }
        let meter_id = self.meter_id.as_ref().map(|pointer| text_at(&json, pointer)).transpose()?;
        let time = match &self.time {
            Some((pointer, clock)) => Some(clock.read(&text_at(&json, pointer)?)?),
            None => None,
        };
        Ok(Sample { energy, meter_id, time })
    }

    fn plain(&self, payload: &[u8]) -> Result<Energy, NoReading> {
        let text = std::str::from_utf8(payload).map_err(|_| NoReading::Garbled)?.trim();
        let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        self.energy(unquoted.unwrap_or(text))
    }

    fn energy(&self, text: &str) -> Result<Energy, NoReading> {
        Energy::from_decimal(text, '.', self.unit, Rounding::Down).map_err(|error| NoReading::of_number(text, error))
    }
}

/// The string or number there, as it was sent.
fn text_at(json: &Value, pointer: &str) -> Result<String, NoReading> {
    match json.pointer(pointer) {
        None => Err(NoReading::Missing { what: pointer.into() }),
        Some(Value::Null) => Err(NoReading::Null { what: pointer.into() }),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.as_str().into()),
        Some(other) => Err(NoReading::NotANumber { text: shown(&other.to_string()) }),
    }
}

impl Clock {
    fn read(&self, text: &str) -> Result<Timestamp, NoReading> {
        let not_a_time = || NoReading::NotATime { text: shown(text) };
        let whole = || {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let is_decimal =
                !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
            is_decimal.then(|| whole.parse().ok()).flatten().ok_or_else(not_a_time)
        };
        let time = match self {
            Self::Seconds => Timestamp::from_second(whole()?),
            Self::Milliseconds => Timestamp::from_millisecond(whole()?),
            Self::Rfc3339 | Self::Local(_) => {
                let pieces = Pieces::parse(text).map_err(|_| not_a_time())?;
                let local = DateTime::from_parts(pieces.date(), pieces.time().ok_or_else(not_a_time)?);
                match (pieces.to_numeric_offset(), self) {
                    (Some(offset), _) => offset.to_timestamp(local),
                    // Of the hour that autumn repeats the first one is meant, so that no message looks newer than it is.
                    (None, Self::Local(zone)) => zone.to_ambiguous_timestamp(local).earlier(),
                    (None, _) => return Err(NoReading::NoTimeZone { text: shown(text) }),
                }
            }
        };
        time.map_err(|_| not_a_time())
    }
}

/// The sum over several topics, which arrive one after the other: there is one whenever each of them has said something
/// since the last sum. A topic that falls behind only makes the sum lower than the truth for a moment.
#[derive(Clone, Debug)]
pub struct Topics {
    latest: Vec<Option<Sample>>,
}

impl Topics {
    pub fn new(count: usize) -> Self {
        Self { latest: vec![None; count] }
    }

    /// What a topic said. `None` until the others have spoken too; a message without a reading has to be repeated.
    pub fn take(&mut self, topic: usize, said: Result<Sample, NoReading>) -> Result<Option<Sample>, NoReading> {
        let Some(latest) = self.latest.get_mut(topic) else { return Ok(None) };
        *latest = None;
        *latest = Some(said?);
        if self.latest.iter().any(Option::is_none) {
            return Ok(None);
        }
        let mut parts = self.latest.iter_mut().filter_map(Option::take);
        let Some(mut sum) = parts.next() else { return Ok(None) };
        for part in parts {
            if let (Some(first), Some(second)) = (&sum.meter_id, &part.meter_id) {
                if first != second {
                    return Err(NoReading::TwoMeters { first: shown(first), second: shown(second) });
                }
            }
            sum.energy = sum.energy.checked_add(part.energy).ok_or(NoReading::TooLarge)?;
            sum.meter_id = sum.meter_id.or(part.meter_id);
            sum.time = match (sum.time, part.time) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        Ok(Some(sum))
    }
}
