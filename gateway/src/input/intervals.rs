//! A grid operator's file of quarter hours (or other intervals): columns by name, a clock that changes twice a year, and
//! values that are marked as measured or not. A file whose header does not fit is refused as a whole; a line that does not
//! fit is refused alone, and leaves a gap.

mod profiles;
mod text;
mod times;

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::shown;
use crate::energy::{Energy, NotEnergy, Rounding, Unit};
use times::Times;

pub use profiles::{profile, NoProfile};
pub use times::{Stamp, TimeFormat};

/// The energy of an interval that begins at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub start: Timestamp,
    pub energy: Energy,
}

/// How a file is laid out. One that may be laid out in several ways is read with the first that fits.
#[derive(Clone, Debug)]
pub struct Layout {
    pub delimiter: Delimiter,
    pub time: TimeFormat,
    /// The columns of the time, which are joined by a space: `Datum` and `Zeit von`.
    pub at: Vec<Column>,
    /// Those of the other end of the interval, if the file has both. They only have to agree with its length.
    pub until: Vec<Column>,
    pub value: Column,
    pub decimal: char,
    pub measure: Measure,
    /// The column that repeats the unit in each line.
    pub unit: Option<Column>,
    pub quality: Option<Quality>,
    /// The column of the metering point. All lines have to have the same one.
    pub point: Option<Column>,
    /// Lines that do not have these values in these columns are another point's or register's, and are left out.
    pub only: Vec<(Column, String)>,
    /// What lines above the header have to say: a name, and the first word of the value below it.
    pub above: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    Char(u8),
    /// An array of objects in JSON, in place of lines.
    Json,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Energy(Unit),
    /// The mean power of the interval, in W.
    MeanWatts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quality {
    pub column: Column,
    /// The marks of values that may be sold.
    pub accepted: Vec<String>,
}

/// How a column is found in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    Named(String),
    /// Named after the metering point: the name has the first and ends with the second.
    Of(String, String),
}

impl Column {
    fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Named(expected) => name == expected,
            Self::Of(point, end) => name.contains(point.as_str()) && name.ends_with(end.as_str()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Of(point, end) => format!("…{point}…{end}"),
        }
    }
}

/// Why a file is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoFile {
    #[error("the file is empty")]
    Empty,
    #[error("the file is not JSON, or no list of objects")]
    NotJson,
    #[error("the file is JSON, and not lines of columns")]
    NotLines,
    #[error("the header does not fit:\n  expected {expected}\n  found    {found}")]
    Header { expected: String, found: String },
    #[error("several columns are called {name}: name the one to read")]
    Ambiguous { name: String },
    #[error("above the header, {name} is \"{found}\" where \"{expected}\" was expected")]
    Above { name: String, expected: String, found: String },
    #[error("there are two metering points in it, {first} and {second}: name the one to read")]
    TwoPoints { first: String, second: String },
}

impl NoFile {
    /// A short name that does not change, for counters.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotJson => "not_json",
            Self::NotLines => "not_lines",
            Self::Header { .. } => "header",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Above { .. } => "above",
            Self::TwoPoints { .. } => "two_points",
        }
    }
}

/// Why a line is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoInterval {
    #[error("the line has no {column}")]
    Missing { column: String },
    #[error("\"{text}\" is not a decimal number")]
    NotANumber { text: String },
    #[error("the value is negative")]
    Negative,
    #[error("the value is larger than the plant can feed in")]
    TooLarge,
    #[error("the unit is \"{unit}\"")]
    WrongUnit { unit: String },
    #[error("the value is marked as \"{mark}\"")]
    Quality { mark: String },
    #[error("\"{text}\" is not a time of the expected form")]
    NotATime { text: String },
    #[error("\"{text}\" does not exist: the clock was put forward")]
    NoSuchTime { text: String },
    #[error("it is not on the grid of {minutes} minutes")]
    OffGrid { minutes: u32 },
    #[error("it ends before it starts")]
    EndBeforeStart,
    #[error("it does not last {minutes} minutes: is it a sum?")]
    WrongLength { minutes: u32 },
    #[error("the interval of {start} is there twice, with different values")]
    Contradiction { start: Timestamp },
    #[error("the line cannot be read")]
    Unreadable,
}

impl NoInterval {
    /// A short name that does not change, for counters.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::NotANumber { .. } => "not_a_number",
            Self::Negative => "negative",
            Self::TooLarge => "too_large",
            Self::WrongUnit { .. } => "wrong_unit",
            Self::Quality { .. } => "quality",
            Self::NotATime { .. } => "not_a_time",
            Self::NoSuchTime { .. } => "no_such_time",
            Self::OffGrid { .. } => "off_grid",
            Self::EndBeforeStart => "end_before_start",
            Self::WrongLength { .. } => "wrong_length",
            Self::Contradiction { .. } => "contradiction",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A line that was refused, counted from 1; in JSON, the object's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub line: u64,
    pub why: NoInterval,
}

/// What a file says, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    pub intervals: Vec<Interval>,
    /// From when until when there is nothing between the first and the last interval.
    pub gaps: Vec<(Timestamp, Timestamp)>,
    /// The first of them, and how many they are.
    pub refused: Vec<Refused>,
    pub refused_count: u64,
}

/// So many refused lines are kept: a year of them tells no more.
pub const MOST_REFUSED: usize = 100;

/// The header is within so many lines.
const MOST_ABOVE: usize = 12;

/// Reads a file as the first of these layouts that its header fits. No interval has more energy than `most`, if that is given.
pub fn read(file: &[u8], layouts: &[Layout], most: Option<Energy>) -> Result<Series, NoFile> {
    let file = text::decode(file);
    if file.trim().is_empty() {
        return Err(NoFile::Empty);
    }
    let is_json = file.trim_start().starts_with(['[', '{']);
    let mut misfit = None;
    for layout in layouts.iter().filter(|layout| (layout.delimiter == Delimiter::Json) == is_json) {
        match layout.read(&file, most) {
            Err(error @ NoFile::Header { .. }) => misfit = misfit.or(Some(error)),
            result => return result,
        }
    }
    Err(misfit.unwrap_or(if is_json { NoFile::NotLines } else { NoFile::NotJson }))
}

impl Layout {
    fn read(&self, file: &str, most: Option<Energy>) -> Result<Series, NoFile> {
        match self.delimiter {
            Delimiter::Char(delimiter) => self.read_lines(file, delimiter, most),
            Delimiter::Json => self.read_objects(file, most),
        }
    }

    fn read_lines(&self, file: &str, delimiter: u8, most: Option<Energy>) -> Result<Series, NoFile> {
        let mut lines =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(file.as_bytes());
        let mut above: Vec<StringRecord> = vec![];
        let mut line = StringRecord::new();
        let columns = loop {
            let is_read = above.len() < MOST_ABOVE && matches!(lines.read_record(&mut line), Ok(true));
            if !is_read {
                return Err(self.misfit(&above, delimiter));
            }
            if let Some(columns) = self.columns(&line)? {
                break columns;
            }
            above.push(line.clone());
        };
        self.check_above(&above)?;
        let mut reader = Reader::new(self, most);
        loop {
            let read = lines.read_record(&mut line);
            let number = line.position().map_or(0, csv::Position::line);
            match read {
                Ok(true) => {
                    let cell = |column: usize| line.get(column).map(str::trim).filter(|cell| !cell.is_empty());
                    reader.take(number, &columns, cell)?;
                }
                Ok(false) => break,
                Err(_) => reader.refuse(number, NoInterval::Unreadable),
            }
        }
        Ok(reader.series())
    }

    fn read_objects(&self, file: &str, most: Option<Energy>) -> Result<Series, NoFile> {
        let Ok(Value::Array(objects)) = serde_json::from_str(file) else { return Err(NoFile::NotJson) };
        let Some(Value::Object(first)) = objects.first() else { return Err(NoFile::Empty) };
        let header: StringRecord = first.keys().collect();
        let Some(columns) = self.columns(&header)? else { return Err(self.misfit(&[header], b',')) };
        let mut reader = Reader::new(self, most);
        for (number, object) in (1..).zip(&objects) {
            let cell = |column: usize| match header.get(column).and_then(|name| object.get(name)) {
                Some(Value::String(text)) => Some(text.trim()).filter(|text| !text.is_empty()),
                Some(Value::Number(number)) => Some(number.as_str()),
                _ => None,
            };
            reader.take(number, &columns, cell)?;
        }
        Ok(reader.series())
    }

    /// Where the columns are in this line, if it is the header.
    fn columns(&self, header: &StringRecord) -> Result<Option<Columns>, NoFile> {
        let find = |column: &Column| header.iter().position(|name| column.is_named(name.trim()));
        let all = |columns: &[Column]| columns.iter().map(find).collect::<Option<Vec<_>>>();
        let optional = |column: Option<&Column>| column.map_or(Some(None), |column| find(column).map(Some));
        let only = self.only.iter().map(|(column, value)| Some((find(column)?, value.clone()))).collect::<Option<_>>();
        let columns = || {
            Some(Columns {
                at: all(&self.at)?,
                until: all(&self.until)?,
                value: find(&self.value)?,
                unit: optional(self.unit.as_ref())?,
                quality: optional(self.quality.as_ref().map(|quality| &quality.column))?,
                point: optional(self.point.as_ref())?,
                only: only?,
            })
        };
        let Some(columns) = columns() else { return Ok(None) };
        if header.iter().filter(|name| self.value.is_named(name.trim())).count() > 1 {
            return Err(NoFile::Ambiguous { name: self.value.name() });
        }
        Ok(Some(columns))
    }

    /// The expected header beside the line that has most of it.
    fn misfit(&self, lines: &[StringRecord], delimiter: u8) -> NoFile {
        let unit = self.unit.iter();
        let quality = self.quality.iter().map(|quality| &quality.column);
        let only = self.only.iter().map(|(column, _)| column);
        let all = self.at.iter().chain(&self.until).chain([&self.value]).chain(unit).chain(quality).chain(&self.point);
        let expected: Vec<&Column> = all.chain(only).collect();
        let fits = |line: &&StringRecord| {
            let has = |column: &&&Column| line.iter().any(|name| column.is_named(name.trim()));
            expected.iter().filter(has).count()
        };
        let delimiter = char::from(delimiter).to_string();
        // Of lines that fit equally well, the one that was read first.
        let found = lines.iter().rev().max_by_key(fits).map_or(String::new(), |line| {
            let names: Vec<Cow<str>> = line.iter().map(|name| Cow::from(shown(name.trim()))).collect();
            names.join(&delimiter)
        });
        let expected: Vec<String> = expected.into_iter().map(Column::name).collect();
        NoFile::Header { expected: expected.join(&delimiter), found }
    }

    fn check_above(&self, above: &[StringRecord]) -> Result<(), NoFile> {
        for (name, expected) in &self.above {
            let mut pairs = above.iter().zip(above.iter().skip(1));
            let below = pairs.find_map(|(names, values)| {
                let column = names.iter().position(|cell| cell.trim() == name)?;
                values.get(column)
            });
            let found = below.unwrap_or_default().trim();
            let word = found.split_whitespace().next().unwrap_or_default();
            if word != expected {
                return Err(NoFile::Above { name: name.clone(), expected: expected.clone(), found: shown(found) });
            }
        }
        Ok(())
    }
}

/// Where the columns are.
struct Columns {
    at: Vec<usize>,
    until: Vec<usize>,
    value: usize,
    unit: Option<usize>,
    quality: Option<usize>,
    point: Option<usize>,
    only: Vec<(usize, String)>,
}

/// A line that was understood: its civil time is resolved when the order of the file is known.
struct Line {
    number: u64,
    at: times::Read,
    energy: Energy,
}

struct Reader<'a> {
    layout: &'a Layout,
    most: Option<Energy>,
    times: Times<'a>,
    point: Option<String>,
    lines: Vec<Line>,
    series: Series,
    joined: String,
}

impl<'a> Reader<'a> {
    fn new(layout: &'a Layout, most: Option<Energy>) -> Self {
        let times = Times::new(&layout.time);
        Self { layout, most, times, point: None, lines: vec![], series: Series::default(), joined: String::new() }
    }

    fn refuse(&mut self, line: u64, why: NoInterval) {
        self.series.refused_count += 1;
        if self.series.refused.len() < MOST_REFUSED {
            self.series.refused.push(Refused { line, why });
        }
    }

    fn take<'c>(
        &mut self,
        number: u64,
        columns: &Columns,
        cell: impl Fn(usize) -> Option<&'c str> + Copy,
    ) -> Result<(), NoFile> {
        if columns.only.iter().any(|(column, value)| cell(*column) != Some(value)) {
            return Ok(());
        }
        if let Some(point) = columns.point.and_then(cell) {
            match &self.point {
                None => self.point = Some(point.into()),
                Some(first) if first != point => {
                    return Err(NoFile::TwoPoints { first: shown(first), second: shown(point) });
                }
                Some(_) => {}
            }
        }
        match self.line(number, columns, cell) {
            Ok(line) => self.lines.push(line),
            Err(why) => self.refuse(number, why),
        }
        Ok(())
    }

    fn line<'c>(
        &mut self,
        number: u64,
        columns: &Columns,
        cell: impl Fn(usize) -> Option<&'c str> + Copy,
    ) -> Result<Line, NoInterval> {
        let at = self.time(&columns.at, &self.layout.at, cell)?;
        if !columns.until.is_empty() {
            let until = self.time(&columns.until, &self.layout.until, cell)?;
            self.times.check_length(at, until)?;
        }
        if let (Some(quality), Some(column)) = (&self.layout.quality, columns.quality) {
            let mark = cell(column).unwrap_or_default();
            if !quality.accepted.iter().any(|accepted| accepted == mark) {
                return Err(NoInterval::Quality { mark: shown(mark) });
            }
        }
        if let Some(column) = columns.unit {
            let unit = cell(column).unwrap_or_default();
            if !unit.eq_ignore_ascii_case(self.layout.measure.symbol()) {
                return Err(NoInterval::WrongUnit { unit: shown(unit) });
            }
        }
        let value = cell(columns.value).ok_or_else(|| NoInterval::Missing { column: self.layout.value.name() })?;
        let energy = self.layout.measure.energy(value, self.layout.decimal, self.layout.time.minutes)?;
        if self.most.is_some_and(|most| energy > most) {
            return Err(NoInterval::TooLarge);
        }
        Ok(Line { number, at, energy })
    }

    fn time<'c>(
        &mut self,
        columns: &[usize],
        named: &[Column],
        cell: impl Fn(usize) -> Option<&'c str>,
    ) -> Result<times::Read, NoInterval> {
        let get = |(column, named): (&usize, &Column)| {
            cell(*column).ok_or_else(|| NoInterval::Missing { column: named.name() })
        };
        if let ([column], [named]) = (columns, named) {
            return self.times.read(get((column, named))?);
        }
        self.joined.clear();
        for pair in columns.iter().zip(named) {
            if !self.joined.is_empty() {
                self.joined.push(' ');
            }
            self.joined.push_str(get(pair)?);
        }
        self.times.read(&self.joined)
    }

    fn series(mut self) -> Series {
        let mut lines = std::mem::take(&mut self.lines);
        // Some portals list the newest first. The hour that autumn repeats is told apart by its order, so that must be time's.
        if let (Some(first), Some(last)) = (lines.first(), lines.last()) {
            if first.at.local() > last.at.local() {
                lines.reverse();
            }
        }
        let mut intervals = Vec::with_capacity(lines.len());
        for line in &lines {
            match self.times.start(line.at) {
                Ok(start) => intervals.push((Interval { start, energy: line.energy }, line.number)),
                Err(why) => self.refuse(line.number, why),
            }
        }
        if !intervals.is_sorted_by_key(|(interval, _)| interval.start) {
            intervals.sort_by_key(|(interval, _)| interval.start);
        }
        for same in intervals.chunk_by(|(one, _), (other, _)| one.start == other.start) {
            let Some((first, others)) = same.split_first() else { continue };
            // An interval that two overlapping exports tell alike is one; if they differ, neither is believed.
            if others.iter().all(|other| other.0 == first.0) {
                self.series.intervals.push(first.0);
                continue;
            }
            for (interval, number) in same {
                self.refuse(*number, NoInterval::Contradiction { start: interval.start });
            }
        }
        self.series.gaps = gaps(&self.series.intervals, self.layout.time.seconds());
        self.series
    }
}

fn gaps(intervals: &[Interval], seconds: i64) -> Vec<(Timestamp, Timestamp)> {
    let pairs = intervals.windows(2).filter_map(|pair| match pair {
        [before, after] => Some((before.start.as_second() + seconds, after.start)),
        _ => None,
    });
    let missing = pairs.filter(|(end, next)| *end < next.as_second());
    missing.filter_map(|(end, next)| Some((Timestamp::from_second(end).ok()?, next))).collect()
}

impl Measure {
    fn symbol(self) -> &'static str {
        match self {
            Self::Energy(Unit::WattHours) => "Wh",
            Self::Energy(Unit::KilowattHours) => "kWh",
            Self::Energy(Unit::MegawattHours) => "MWh",
            Self::Energy(Unit::WattMinutes) => "Wmin",
            Self::MeanWatts => "W",
        }
    }

    fn energy(self, text: &str, decimal: char, minutes: u32) -> Result<Energy, NoInterval> {
        let unit = match self {
            Self::Energy(unit) => unit,
            Self::MeanWatts => Unit::WattHours,
        };
        let energy = Energy::from_decimal(text, decimal, unit, Rounding::Nearest).map_err(|error| match error {
            NotEnergy::Negative => NoInterval::Negative,
            NotEnergy::TooLarge => NoInterval::TooLarge,
            NotEnergy::Empty | NotEnergy::NotDecimal => NoInterval::NotANumber { text: shown(text) },
        })?;
        Ok(match self {
            Self::Energy(_) => energy,
            Self::MeanWatts => energy.part(minutes.into(), 60),
        })
    }
}
