//! A meter's own telegrams, out of a stream of bytes: DSMR P1 and IEC 62056-21 mode D, which are text, and SML, which is
//! binary. The first bytes tell which it is. Noise, torn and damaged telegrams cost themselves and nothing after them.

use crc::{Crc, CRC_16_ARC};
use sml_rs::parser::common::{ListEntry, Value};
use sml_rs::parser::streaming::{MessageBody, ParseEvent, Parser};
use sml_rs::transport::{DecodeErr, Decoder};

use super::{shown, NoReading, Sample};
use crate::energy::{Energy, NotEnergy, Rounding, Unit};

/// More than any meter sends at once; what is longer is no telegram.
pub const MOST_BYTES: usize = 8 * 1024;

const SML_START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01];
const TEXT_START: u8 = b'/';
const ASCII: u8 = 0x7f;
const TOO_LONG: NoReading = NoReading::TooLong { limit: MOST_BYTES };
const ARC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// The telegrams of one line. Bytes go in as they come, in pieces of any size.
#[derive(Clone, Debug, Default)]
pub struct Telegrams {
    buffer: Vec<u8>,
    /// Bytes that belonged to no telegram since the last one.
    noise: usize,
    /// A meter that sent one checksum sends it always.
    has_checksum: bool,
}

/// What the beginning of the buffer is.
enum Found {
    /// The rest has not come yet.
    Begun,
    /// So many bytes, with a reading.
    Whole(usize, Sample),
    /// A telegram, but not one to read. What follows its first byte is looked at again, since another one may begin there.
    Bad(NoReading),
    /// So many bytes are a whole telegram that has no reading.
    Useless(usize, NoReading),
    Nothing,
}

impl Telegrams {
    pub fn new() -> Self {
        Self::default()
    }

    /// The readings that these bytes complete, and what was wrong with telegrams that have none.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Sample, NoReading>> {
        let mut readings = vec![];
        for piece in bytes.chunks(MOST_BYTES) {
            self.buffer.extend_from_slice(piece);
            self.split(&mut readings);
        }
        readings
    }

    fn split(&mut self, readings: &mut Vec<Result<Sample, NoReading>>) {
        let mut done = 0;
        while let Some(rest) = self.buffer.get(done..).filter(|rest| !rest.is_empty()) {
            let (used, reading) = match find(rest, &mut self.has_checksum) {
                Found::Begun => break,
                Found::Whole(used, sample) => (used, Some(Ok(sample))),
                Found::Useless(used, error) => (used, Some(Err(error))),
                Found::Bad(error) => (1, Some(Err(error))),
                Found::Nothing => (1, None),
            };
            done += used;
            match reading {
                Some(reading) => {
                    self.noise = 0;
                    readings.push(reading);
                }
                None => {
                    self.noise += used;
                    if self.noise >= MOST_BYTES {
                        self.noise = 0;
                        readings.push(Err(NoReading::Noise));
                    }
                }
            }
        }
        self.buffer.drain(..done);
    }
}

fn find(rest: &[u8], has_checksum: &mut bool) -> Found {
    if rest.first().is_some_and(|first| first & ASCII == TEXT_START) {
        return find_text(rest, has_checksum);
    }
    match rest.get(..SML_START.len()) {
        Some(start) if start == SML_START => find_binary(rest),
        None if SML_START.starts_with(rest) => Found::Begun,
        _ => Found::Nothing,
    }
}

/// From the `/` before the maker's three letters to the line that begins with `!`.
fn find_text(rest: &[u8], has_checksum: &mut bool) -> Found {
    // A line of 7 bits and even parity that is read as one of 8 bits has the parity in the eighth: it is the only check
    // that such a telegram has.
    let has_parity = rest.first().is_some_and(|first| first & !ASCII != 0);
    let mut text = Vec::with_capacity(rest.len());
    let mut empty_lines = 0;
    let mut end = None;
    for (at, byte) in rest.iter().enumerate() {
        if at >= MOST_BYTES {
            return Found::Bad(TOO_LONG);
        }
        let is_damaged = if has_parity { byte.count_ones() % 2 == 1 } else { !byte.is_ascii() };
        let byte = byte & ASCII;
        let is_begun = text.len() > 3;
        if !is_begun && at > 0 && !byte.is_ascii_alphanumeric() {
            return Found::Nothing;
        }
        if is_damaged || (is_begun && !matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~')) {
            return if is_begun { Found::Bad(NoReading::Garbled) } else { Found::Nothing };
        }
        // Only the first line has an empty one after it. A second one is the beginning of the next telegram.
        if byte == b'\n' && (text.ends_with(b"\n\r") || text.ends_with(b"\n")) {
            empty_lines += 1;
            if empty_lines > 1 {
                return Found::Bad(NoReading::TornFrame);
            }
        }
        if let Some(end) = end {
            if matches!(byte, b'\r' | b'\n' | b'/') {
                let used = if byte == b'/' { at } else { at + 1 };
                return match read_text(&text, end, has_checksum) {
                    Ok(sample) => Found::Whole(used, sample),
                    Err(error @ (NoReading::BadChecksum | NoReading::NoChecksum | NoReading::Garbled)) => {
                        Found::Bad(error)
                    }
                    Err(error) => Found::Useless(used, error),
                };
            }
            if !byte.is_ascii_hexdigit() || text.len() >= end + 4 {
                return Found::Bad(NoReading::Garbled);
            }
        } else if byte == b'!' && text.last() == Some(&b'\n') {
            end = Some(text.len() + 1);
        }
        text.push(byte);
    }
    Found::Begun
}

/// A text of which `end` bytes, until the `!`, are what the checksum behind them is of.
fn read_text(text: &[u8], end: usize, has_checksum: &mut bool) -> Result<Sample, NoReading> {
    let (body, checksum) = text.split_at_checked(end).ok_or(NoReading::TornFrame)?;
    let body_text = std::str::from_utf8(body).map_err(|_| NoReading::Garbled)?;
    let checksum = std::str::from_utf8(checksum).map_err(|_| NoReading::Garbled)?;
    // These lines tell the version of a P1 telegram, and the versions that have them have a checksum.
    let has_version = body_text.contains("\n1-3:0.2.8(") || body_text.contains("\n0-0:96.1.4(");
    if !checksum.is_empty() {
        // Some meters leave out leading zeros.
        if u16::from_str_radix(checksum, 16) != Ok(ARC.checksum(body)) {
            return Err(NoReading::BadChecksum);
        }
        *has_checksum = true;
    } else if *has_checksum || has_version {
        return Err(NoReading::NoChecksum);
    }
    let mut registers = Registers::default();
    for line in body_text.lines().skip(1) {
        registers.take_line(line)?;
    }
    registers.sample()
}

/// What a telegram shows of the meter.
#[derive(Default)]
struct Registers {
    /// 2.8.0, and 2.8.1 and 2.8.2 of the two tariffs.
    export: [Option<Energy>; 3],
    has_import: bool,
    /// The number of the device, and of the metering point.
    ids: [Option<String>; 2],
}

const EXPORT: [&str; 3] = ["2.8.0", "2.8.1", "2.8.2"];
const IDS: [&str; 2] = ["0-0:96.1.1", "1-0:0.0.9"];

impl Registers {
    /// `1-0:2.8.0*255(00123.456*kWh)`. Old meters leave out the medium and the 255.
    fn take_line(&mut self, line: &str) -> Result<(), NoReading> {
        let Some((code, value)) = line.split_once('(') else { return Ok(()) };
        let code = code.strip_suffix("*255").unwrap_or(code);
        if let Some(id) = IDS.iter().position(|id| *id == code) {
            let value = value.strip_suffix(')').ok_or(NoReading::Garbled)?;
            return self.take_id(id, value);
        }
        let register = code.strip_prefix("1-0:").or(code.strip_prefix("1-1:")).unwrap_or(code);
        self.has_import |= register.starts_with("1.8.");
        let Some(index) = EXPORT.iter().position(|export| *export == register) else { return Ok(()) };
        let value = value.strip_suffix(')').ok_or(NoReading::Garbled)?;
        let (number, unit) = value.split_once('*').unwrap_or((value, ""));
        let unit = match unit {
            "kWh" => Unit::KilowattHours,
            "Wh" => Unit::WattHours,
            _ => return Err(NoReading::WrongUnit { unit: shown(unit) }),
        };
        let energy = Energy::from_decimal(number, '.', unit, Rounding::Down);
        self.take_export(index, energy.map_err(|error| NoReading::of_number(number, error))?)
    }

    fn take_entry(&mut self, entry: &ListEntry) -> Result<(), NoReading> {
        let &[1, 0, group, 8, tariff @ 0..=2, 255] = entry.obj_name else { return Ok(()) };
        self.has_import |= group == 1;
        if group != 2 {
            return Ok(());
        }
        const WATT_HOURS: u8 = 30;
        if entry.unit != Some(WATT_HOURS) {
            let unit = entry.unit.map_or(String::new(), |unit| format!("DLMS unit {unit}"));
            return Err(NoReading::WrongUnit { unit });
        }
        let value = match entry.value {
            Value::U8(value) => value.into(),
            Value::U16(value) => value.into(),
            Value::U32(value) => value.into(),
            Value::U64(value) => value,
            Value::I8(value) => not_negative(value)?,
            Value::I16(value) => not_negative(value)?,
            Value::I32(value) => not_negative(value)?,
            Value::I64(value) => not_negative(value)?,
            Value::Bool(_) | Value::Bytes(_) | Value::List(_) => {
                return Err(NoReading::NotANumber { text: shown(&format!("{:?}", entry.value)) });
            }
        };
        // The value is in 10^scaler Wh: tens of kWh to tenths of a mWh.
        let tenths = match entry.scaler.unwrap_or(0) {
            scaler @ -4..=3 => u128::from(value) * 10_u128.pow((i32::from(scaler) + 4).unsigned_abs()),
            scaler => return Err(NoReading::WrongUnit { unit: format!("10^{scaler} Wh") }),
        };
        let mwh = u64::try_from(tenths / 10).map_err(|_| NoReading::TooLarge)?;
        self.take_export(tariff.into(), Energy::from_mwh(mwh))
    }

    fn take_export(&mut self, index: usize, energy: Energy) -> Result<(), NoReading> {
        match self.export.get_mut(index) {
            Some(Some(before)) if *before != energy => {
                let register = EXPORT.get(index).copied().unwrap_or_default();
                Err(NoReading::Contradiction { register: register.into() })
            }
            Some(slot) => {
                *slot = Some(energy);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn take_id(&mut self, index: usize, id: &str) -> Result<(), NoReading> {
        match self.ids.get_mut(index) {
            Some(Some(before)) if before != id => Err(NoReading::TwoMeters { first: shown(before), second: shown(id) }),
            Some(slot) => {
                *slot = Some(id.into());
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn sample(self) -> Result<Sample, NoReading> {
        let energy = match self.export {
            [Some(total), _, _] => total,
            [None, Some(one), Some(other)] => one.checked_add(other).ok_or(NoReading::TooLarge)?,
            [None, None, None] if self.has_import => return Err(NoReading::NoExport),
            [None, None, None] => return Err(NoReading::Missing { what: "the register 2.8.0".into() }),
            [None, Some(_), None] => return Err(NoReading::Missing { what: "the register 2.8.2".into() }),
            [None, None, Some(_)] => return Err(NoReading::Missing { what: "the register 2.8.1".into() }),
        };
        let [device, point] = self.ids;
        Ok(Sample { energy, meter_id: device.or(point), time: None })
    }
}

fn not_negative<T: TryInto<u64>>(value: T) -> Result<u64, NoReading> {
    value.try_into().map_err(|_| NoReading::of_number("", NotEnergy::Negative))
}

/// An SML file in its transport, whose checksum the decoder has seen.
fn find_binary(rest: &[u8]) -> Found {
    let mut decoder = Decoder::<Vec<u8>>::new();
    for (at, byte) in rest.iter().enumerate().take(MOST_BYTES) {
        match decoder.push_byte(*byte) {
            Ok(None) => {}
            Ok(Some(file)) => {
                return match read_binary(file) {
                    Ok(sample) => Found::Whole(at + 1, sample),
                    Err(error) => Found::Useless(at + 1, error),
                };
            }
            Err(DecodeErr::DiscardedBytes(_)) => return Found::Bad(NoReading::TornFrame),
            Err(_) => return Found::Bad(NoReading::BadChecksum),
        }
    }
    if rest.len() > MOST_BYTES {
        return Found::Bad(TOO_LONG);
    }
    Found::Begun
}

fn read_binary(file: &[u8]) -> Result<Sample, NoReading> {
    // The length of a list of billions of entries, which the parser would add to.
    const ENDLESS: [u8; 6] = [0x8f; 6];
    if file.windows(ENDLESS.len()).any(|bytes| bytes == ENDLESS) {
        return Err(NoReading::Garbled);
    }
    let mut registers = Registers::default();
    for event in Parser::new(file) {
        match event.map_err(|_| NoReading::Garbled)? {
            ParseEvent::MessageStart(message) => {
                if let MessageBody::GetListResponse(list) = message.message_body {
                    let id: String = list.server_id.iter().map(|byte| format!("{byte:02x}")).collect();
                    registers.take_id(0, &id)?;
                }
            }
            ParseEvent::ListEntry(entry) => registers.take_entry(&entry)?,
            ParseEvent::GetListResponseEnd(_) => {}
        }
    }
    registers.sample()
}
