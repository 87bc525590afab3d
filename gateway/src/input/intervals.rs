//! A grid operator's file of quarter hours (or other intervals): columns by name, a clock that changes twice a year, and
//! values that are marked as measured or not. A file whose header does not fit is refused as a whole; a line that does not
//! fit is refused alone, and leaves a gap.

mod profiles;
mod text;
mod times;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use csv::{ReaderBuilder, StringRecord};
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::shown;
use crate::energy::{Energy, NotEnergy, Rounding, Unit};
use times::Times;

pub use profiles::{profile, NoProfile, Role};
pub use times::{Stamp, TimeFormat};

/// JSON takes many times its bytes when it is read. It is what portals give to one household: a year has 5 MB.
const MOST_JSON_BYTES: usize = 32 << 20;

/// The energy of an interval that begins at this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub start: Timestamp,
    pub energy: Energy,
}

/// What is wanted of a file: the column of one party, in the layouts of a profile.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub layouts: Vec<Layout>,
    /// No interval has more energy than this.
    pub most: Option<Energy>,
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
    #[error("the file has more than {0} MB: have it exported in parts, such as months")]
    TooLarge(u64),
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
            Self::TooLarge(_) => "too_large",
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

/// What a file says of one column, in order of time. A year of quarter hours is 140 kB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// When the first interval begins, in Unix seconds.
    start: i64,
    /// How many seconds an interval lasts.
    step: i64,
    /// mWh, or `NOTHING`.
    values: Vec<u32>,
    /// The first of them, and how many they are.
    pub refused: Vec<Refused>,
    pub refused_count: u64,
}

/// In place of mWh: there is no value. So an interval has less than 4,294 kWh, the quarter of an hour of 17 MW.
const NOTHING: u32 = u32::MAX;

impl Series {
    /// Values one after the other, in mWh.
    pub fn new(start: i64, step: i64, values: impl IntoIterator<Item = Option<u32>>) -> Self {
        let values = values.into_iter().map(|value| value.unwrap_or(NOTHING)).collect();
        Self { start, step, values, ..Self::default() }
    }

    /// The mWh of the interval that begins at this Unix second.
    pub fn mwh(&self, start: i64) -> Option<u32> {
        let since = u64::try_from(start.checked_sub(self.start)?).ok()?;
        let step = u64::try_from(self.step.max(1)).ok()?;
        let place = usize::try_from(since / step).ok().filter(|_| since % step == 0)?;
        self.values.get(place).copied().filter(|value| *value != NOTHING)
    }

    /// It may know of an interval that begins within these Unix seconds.
    pub fn overlaps(&self, seconds: &Range<i64>) -> bool {
        let count = i64::try_from(self.values.len()).unwrap_or(i64::MAX);
        self.start < seconds.end && seconds.start < self.start.saturating_add(count.saturating_mul(self.step))
    }

    pub fn intervals(&self) -> impl Iterator<Item = Interval> + '_ {
        let starts = (0..).map(|place| self.start + place * self.step);
        let known = starts.zip(&self.values).filter(|(_, value)| **value != NOTHING);
        known.filter_map(|(start, value)| {
            Some(Interval { start: Timestamp::from_second(start).ok()?, energy: Energy::from_mwh((*value).into()) })
        })
    }

    /// From when until when there is nothing between the first and the last interval.
    pub fn gaps(&self) -> Vec<(Timestamp, Timestamp)> {
        let ends =
            self.intervals().filter_map(|interval| Timestamp::from_second(interval.start.as_second() + self.step).ok());
        let starts = self.intervals().skip(1).map(|interval| interval.start);
        ends.zip(starts).filter(|(end, next)| end < next).collect()
    }

    fn refuse(&mut self, line: u64, why: NoInterval) {
        self.refused_count += 1;
        if self.refused.len() < MOST_REFUSED {
            self.refused.push(Refused { line, why });
        }
    }
}

/// So many refused lines are kept: a year of them tells no more.
pub const MOST_REFUSED: usize = 100;

/// The header is within so many lines.
const MOST_ABOVE: usize = 12;

/// Reads a file as the first of these layouts that its header fits. No interval has more energy than `most`, if that is given.
pub fn read(file: &[u8], layouts: &[Layout], most: Option<Energy>) -> Result<Series, NoFile> {
    let wanted = Wanted { layouts: layouts.to_vec(), most };
    let read = read_many(file, &[&wanted], Timestamp::MIN..Timestamp::MAX)?;
    read.into_iter().next().unwrap_or(Err(NoFile::Empty))
}

/// Reads what several want of a file, line by line once. Their layouts are of one profile. Intervals that do not begin
/// within this time are left out. An error is everybody's; one within is of him who does not find his columns.
pub fn read_many(
    file: &[u8],
    wanted: &[&Wanted],
    within: Range<Timestamp>,
) -> Result<Vec<Result<Series, NoFile>>, NoFile> {
    let file = text::decode(file);
    if file.trim().is_empty() {
        return Err(NoFile::Empty);
    }
    let is_json = file.trim_start().starts_with(['[', '{']);
    if is_json && file.len() > MOST_JSON_BYTES {
        return Err(NoFile::TooLarge(MOST_JSON_BYTES as u64 >> 20));
    }
    let mut misfit = None;
    let alternatives = wanted.iter().map(|wanted| wanted.layouts.len()).min().unwrap_or(0);
    for place in 0..alternatives {
        let wanted: Vec<(&Layout, Option<Energy>)> =
            wanted.iter().filter_map(|wanted| Some((wanted.layouts.get(place)?, wanted.most))).collect();
        let result = match wanted.first().map(|(layout, _)| layout.delimiter) {
            Some(Delimiter::Char(delimiter)) if !is_json => read_lines(&file, delimiter, &wanted, &within),
            Some(Delimiter::Json) if is_json => read_objects(&file, &wanted, &within),
            _ => continue,
        };
        match result {
            Err(error @ NoFile::Header { .. }) => misfit = misfit.or(Some(error)),
            result => return result,
        }
    }
    Err(misfit.unwrap_or(if is_json { NoFile::NotLines } else { NoFile::NotJson }))
}

type Many = Result<Vec<Result<Series, NoFile>>, NoFile>;

fn read_lines(file: &str, delimiter: u8, wanted: &[(&Layout, Option<Energy>)], within: &Range<Timestamp>) -> Many {
    let mut lines =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(file.as_bytes());
    let mut above: Vec<StringRecord> = vec![];
    let mut line = StringRecord::new();
    let found = loop {
        let is_read = above.len() < MOST_ABOVE && matches!(lines.read_record(&mut line), Ok(true));
        if !is_read {
            return Err(misfit(wanted, &above, delimiter));
        }
        if let Some(found) = find_columns(wanted, &line) {
            break found;
        }
        above.push(line.clone());
    };
    let found = found.into_iter().zip(wanted).map(|(columns, (layout, _))| match columns {
        Ok(Some(columns)) => layout.check_above(&above).map(|()| columns),
        Ok(None) => Err(layout.misfit(std::slice::from_ref(&line), delimiter)),
        Err(error) => Err(error),
    });
    let mut reader = Reader::new(wanted, found.collect());
    loop {
        let read = lines.read_record(&mut line);
        let number = line.position().map_or(0, csv::Position::line);
        match read {
            Ok(true) => reader.take(number, |column| line.get(column).map(str::trim).filter(|cell| !cell.is_empty())),
            Ok(false) => break,
            Err(_) => reader.refuse(number, &NoInterval::Unreadable),
        }
    }
    Ok(reader.series(within))
}

fn read_objects(file: &str, wanted: &[(&Layout, Option<Energy>)], within: &Range<Timestamp>) -> Many {
    let Ok(Value::Array(objects)) = serde_json::from_str(file) else { return Err(NoFile::NotJson) };
    let Some(Value::Object(first)) = objects.first() else { return Err(NoFile::Empty) };
    let header: StringRecord = first.keys().collect();
    let Some(found) = find_columns(wanted, &header) else { return Err(misfit(wanted, &[header], b',')) };
    let found = found.into_iter().zip(wanted).map(|(columns, (layout, _))| {
        columns.and_then(|columns| columns.ok_or_else(|| layout.misfit(std::slice::from_ref(&header), b',')))
    });
    let mut reader = Reader::new(wanted, found.collect());
    for (number, object) in (1..).zip(&objects) {
        reader.take(number, |column| match header.get(column).and_then(|name| object.get(name)) {
            Some(Value::String(text)) => Some(text.trim()).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.as_str()),
            _ => None,
        });
    }
    Ok(reader.series(within))
}

/// Where each finds its columns in this line, if it is the header of at least one.
fn find_columns(
    wanted: &[(&Layout, Option<Energy>)],
    line: &StringRecord,
) -> Option<Vec<Result<Option<Columns>, NoFile>>> {
    let found: Vec<_> = wanted.iter().map(|(layout, _)| layout.columns(line)).collect();
    found.iter().any(|columns| !matches!(columns, Ok(None))).then_some(found)
}

fn misfit(wanted: &[(&Layout, Option<Energy>)], lines: &[StringRecord], delimiter: u8) -> NoFile {
    wanted.first().map_or(NoFile::Empty, |(layout, _)| layout.misfit(lines, delimiter))
}

impl Layout {
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

impl Columns {
    fn is_of_same_lines(&self, other: &Self) -> bool {
        let lines = |columns: &Self| (columns.at.clone(), columns.until.clone(), columns.point, columns.only.clone());
        lines(self) == lines(other)
    }
}

/// The lines of a file that concern the same parties: all of them where each party has a column, those of its metering
/// point where each has lines of its own.
struct Group<'a> {
    layout: &'a Layout,
    times: Times<'a>,
    point: Option<String>,
    error: Option<NoFile>,
    /// Numbers and times, which are resolved when the order of the file is known.
    lines: Vec<(u64, times::Read)>,
    targets: Vec<Target<'a>>,
    joined: String,
}

/// A column of values.
struct Target<'a> {
    /// Whose it is.
    place: usize,
    layout: &'a Layout,
    most: Option<Energy>,
    columns: Columns,
    /// One for each line of the group.
    values: Vec<u32>,
    series: Series,
}

struct Reader<'a> {
    groups: Vec<Group<'a>>,
    /// The groups that any line concerns, and those that only lines with this value in this column do.
    always: Vec<usize>,
    by_value: BTreeMap<usize, HashMap<String, Vec<usize>>>,
    /// What those who do not find their columns are told.
    errors: Vec<Option<NoFile>>,
}

impl<'a> Reader<'a> {
    fn new(wanted: &[(&'a Layout, Option<Energy>)], found: Vec<Result<Columns, NoFile>>) -> Self {
        let mut reader = Self { groups: vec![], always: vec![], by_value: BTreeMap::new(), errors: vec![] };
        for (place, (columns, (layout, most))) in found.into_iter().zip(wanted).enumerate() {
            match columns {
                Err(error) => reader.errors.push(Some(error)),
                Ok(columns) => {
                    reader.errors.push(None);
                    let series = Series::default();
                    reader.add(Target { place, layout, most: *most, columns, values: vec![], series });
                }
            }
        }
        reader
    }

    fn add(&mut self, target: Target<'a>) {
        let candidates = match target.columns.only.first() {
            None => &mut self.always,
            Some((column, value)) => self.by_value.entry(*column).or_default().entry(value.clone()).or_default(),
        };
        for place in candidates.iter() {
            let Some(group) = self.groups.get_mut(*place) else { continue };
            if group.targets.first().is_some_and(|other| other.columns.is_of_same_lines(&target.columns)) {
                group.targets.push(target);
                return;
            }
        }
        candidates.push(self.groups.len());
        self.groups.push(Group {
            layout: target.layout,
            times: Times::new(&target.layout.time),
            point: None,
            error: None,
            lines: vec![],
            targets: vec![target],
            joined: String::new(),
        });
    }

    /// A line that cannot be read may have been anybody's.
    fn refuse(&mut self, number: u64, why: &NoInterval) {
        for target in self.groups.iter_mut().flat_map(|group| &mut group.targets) {
            target.series.refuse(number, why.clone());
        }
    }

    fn take<'c>(&mut self, number: u64, cell: impl Fn(usize) -> Option<&'c str> + Copy) {
        let of_value = self.by_value.iter().filter_map(|(column, groups)| groups.get(cell(*column)?)).flatten();
        for place in self.always.iter().chain(of_value) {
            if let Some(group) = self.groups.get_mut(*place) {
                group.take(number, cell);
            }
        }
    }

    fn series(self, within: &Range<Timestamp>) -> Vec<Result<Series, NoFile>> {
        let mut all: Vec<Result<Series, NoFile>> =
            self.errors.into_iter().map(|error| error.map_or_else(|| Ok(Series::default()), Err)).collect();
        for group in self.groups {
            for (place, series) in group.series(within) {
                if let Some(slot) = all.get_mut(place) {
                    *slot = series;
                }
            }
        }
        all
    }
}

impl Group<'_> {
    fn take<'c>(&mut self, number: u64, cell: impl Fn(usize) -> Option<&'c str> + Copy) {
        let Some(columns) = self.targets.first().map(|target| &target.columns) else { return };
        if self.error.is_some() || columns.only.iter().any(|(column, value)| cell(*column) != Some(value)) {
            return;
        }
        if let Some(point) = columns.point.and_then(cell) {
            match &self.point {
                None => self.point = Some(point.into()),
                Some(first) if first != point => {
                    self.error = Some(NoFile::TwoPoints { first: shown(first), second: shown(point) });
                    return;
                }
                Some(_) => {}
            }
        }
        let at = match self.at(cell) {
            Ok(at) => at,
            Err(why) => {
                self.targets.iter_mut().for_each(|target| target.series.refuse(number, why.clone()));
                return;
            }
        };
        let mut is_any = false;
        for target in &mut self.targets {
            let value = target.value(cell);
            is_any |= value.is_ok();
            target.values.push(*value.as_ref().unwrap_or(&NOTHING));
            if let Err(why) = value {
                target.series.refuse(number, why);
            }
        }
        if is_any {
            self.lines.push((number, at));
        } else {
            self.targets.iter_mut().for_each(|target| target.values.truncate(self.lines.len()));
        }
    }

    fn at<'c>(&mut self, cell: impl Fn(usize) -> Option<&'c str> + Copy) -> Result<times::Read, NoInterval> {
        let Self { layout, times, targets, joined, .. } = self;
        let mut read = |places: &[usize], named: &[Column]| {
            let get = |(place, named): (&usize, &Column)| {
                cell(*place).ok_or_else(|| NoInterval::Missing { column: named.name() })
            };
            if let ([place], [named]) = (places, named) {
                return times.read(get((place, named))?);
            }
            joined.clear();
            for pair in places.iter().zip(named) {
                if !joined.is_empty() {
                    joined.push(' ');
                }
                joined.push_str(get(pair)?);
            }
            times.read(joined)
        };
        let Some(Target { columns, .. }) = targets.first() else { return Err(NoInterval::Unreadable) };
        let at = read(&columns.at, &layout.at)?;
        if !columns.until.is_empty() {
            let until = read(&columns.until, &layout.until)?;
            times.check_length(at, until)?;
        }
        Ok(at)
    }

    fn series(mut self, within: &Range<Timestamp>) -> Vec<(usize, Result<Series, NoFile>)> {
        if let Some(error) = self.error {
            return self.targets.iter().map(|target| (target.place, Err(error.clone()))).collect();
        }
        let mut lines: Vec<(usize, u64, times::Read)> =
            self.lines.iter().enumerate().map(|(place, (number, at))| (place, *number, *at)).collect();
        // Some portals list the newest first. The hour that autumn repeats is told apart by its order, so that must be time's.
        if let (Some((_, _, first)), Some((_, _, last))) = (lines.first(), lines.last()) {
            if first.local() > last.local() {
                lines.reverse();
            }
        }
        // When each line's interval begins, its number, and its place among the values.
        let mut starts: Vec<(i64, u64, usize)> = Vec::with_capacity(lines.len());
        for (place, number, at) in lines {
            match self.times.start(at) {
                Ok(start) if within.contains(&start) => starts.push((start.as_second(), number, place)),
                Ok(_) => {}
                Err(why) => {
                    let concerned = self
                        .targets
                        .iter_mut()
                        .filter(|target| target.values.get(place).is_some_and(|value| *value != NOTHING));
                    concerned.for_each(|target| target.series.refuse(number, why.clone()));
                }
            }
        }
        if !starts.is_sorted_by_key(|(start, ..)| start) {
            starts.sort_by_key(|(start, ..)| *start);
        }
        let step = self.layout.time.seconds();
        self.targets.into_iter().map(|target| (target.place, Ok(target.series(&starts, step)))).collect()
    }
}

impl Target<'_> {
    fn value<'c>(&self, cell: impl Fn(usize) -> Option<&'c str>) -> Result<u32, NoInterval> {
        let Self { layout, columns, .. } = self;
        if let (Some(quality), Some(column)) = (&layout.quality, columns.quality) {
            let mark = cell(column).unwrap_or_default();
            if !quality.accepted.iter().any(|accepted| accepted == mark) {
                return Err(NoInterval::Quality { mark: shown(mark) });
            }
        }
        if let Some(column) = columns.unit {
            let unit = cell(column).unwrap_or_default();
            if !unit.eq_ignore_ascii_case(layout.measure.symbol()) {
                return Err(NoInterval::WrongUnit { unit: shown(unit) });
            }
        }
        let value = cell(columns.value).ok_or_else(|| NoInterval::Missing { column: layout.value.name() })?;
        let energy = layout.measure.energy(value, layout.decimal, layout.time.minutes)?;
        let is_possible = self.most.is_none_or(|most| energy <= most);
        let mwh = u32::try_from(energy.mwh()).ok().filter(|mwh| is_possible && *mwh != NOTHING);
        mwh.ok_or(NoInterval::TooLarge)
    }

    fn series(mut self, starts: &[(i64, u64, usize)], step: i64) -> Series {
        let Some((first, ..)) = starts.first() else { return self.series };
        self.series.start = *first;
        self.series.step = step;
        let value = |(start, number, place): &(i64, u64, usize)| {
            self.values.get(*place).filter(|value| **value != NOTHING).map(|value| (*start, *number, *value))
        };
        for same in starts.chunk_by(|(one, ..), (other, ..)| one == other) {
            let mut told = same.iter().filter_map(value);
            let Some((start, _, mwh)) = told.next() else { continue };
            // An interval that two overlapping exports tell alike is one; if they differ, neither is believed.
            if told.all(|(_, _, other)| other == mwh) {
                let Ok(place) = usize::try_from((start - first) / step.max(1)) else { continue };
                self.series.values.resize(place, NOTHING);
                self.series.values.push(mwh);
                continue;
            }
            for (start, number, _) in same.iter().filter_map(value) {
                let Ok(start) = Timestamp::from_second(start) else { continue };
                self.series.refuse(number, NoInterval::Contradiction { start });
            }
        }
        self.series
    }
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
