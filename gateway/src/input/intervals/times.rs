//! When an interval begins. A local time may be there twice, in the hour that autumn repeats, or not at all, in the one that
//! spring leaves out; and portals disagree on how they write the ends of intervals there.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::{shown, NoInterval};

/// How a file tells the time of an interval.
#[derive(Clone, Debug)]
pub struct TimeFormat {
    /// As for strptime: `%d.%m.%Y %H:%M`. With `%z` the time needs no zone. 24:00 is the end of a day.
    pub format: String,
    pub stamp: Stamp,
    pub zone: TimeZone,
    /// How long an interval lasts.
    pub minutes: u32,
}

/// Which end of an interval its time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    Start,
    End,
}

impl TimeFormat {
    pub(super) fn seconds(&self) -> i64 {
        i64::from(self.minutes) * 60
    }
}

/// A time as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    local: DateTime,
    offset: Option<Offset>,
}

impl Read {
    pub fn local(self) -> DateTime {
        self.local
    }
}

/// No meter of quarter hours is older.
const FIRST_YEAR: i16 = 2000;

/// Reads the times of one file, in its order.
pub struct Times<'a> {
    format: &'a TimeFormat,
    previous: Option<Timestamp>,
    /// The last text that was read: an interval often begins where the one before ended.
    last: Option<(String, Read)>,
    /// A date on which the clock does not change, and the offset of that day.
    steady: Option<(Date, Offset)>,
}

impl<'a> Times<'a> {
    pub fn new(format: &'a TimeFormat) -> Self {
        Self { format, previous: None, last: None, steady: None }
    }

    pub fn read(&mut self, text: &str) -> Result<Read, NoInterval> {
        if let Some((_, read)) = self.last.as_ref().filter(|(last, _)| last == text) {
            return Ok(*read);
        }
        let not_a_time = || NoInterval::NotATime { text: shown(text) };
        let midnight =
            text.strip_suffix("24:00").filter(|before| !before.ends_with(|char: char| char.is_ascii_digit()));
        let parse = |text: &str| strtime::parse(&self.format.format, text).map_err(|_| not_a_time());
        let (time, days) = match midnight {
            Some(before) => (parse(&format!("{before}00:00"))?, 1),
            None => (parse(text)?, 0),
        };
        let local = time.to_datetime().map_err(|_| not_a_time())?;
        let local = if days == 0 { local } else { local.tomorrow().map_err(|_| not_a_time())? };
        // A year of two digits is one of the Romans to the format.
        if local.year() < FIRST_YEAR {
            return Err(not_a_time());
        }
        let read = Read { local, offset: time.offset() };
        let (last, slot) = self.last.get_or_insert((String::new(), read));
        last.clear();
        last.push_str(text);
        *slot = read;
        Ok(read)
    }

    /// That an interval with these times, as they are written, can be one. Where the clock is put back, the end is written
    /// as an hour before what is counted from the start; where it is put forward, as an hour after that.
    pub fn check_length(&mut self, one: Read, other: Read) -> Result<(), NoInterval> {
        let (start, end) = match self.format.stamp {
            Stamp::Start => (one, other),
            Stamp::End => (other, one),
        };
        let seconds = self.format.seconds();
        let counted = end.local.duration_since(start.local).as_secs();
        let (starts, ends) = (self.instants(start), self.instants(end));
        let fits = |start: &i64| ends.contains(&Some(start + seconds));
        if counted == seconds || starts.iter().flatten().any(fits) {
            return Ok(());
        }
        Err(if counted < 0 {
            NoInterval::EndBeforeStart
        } else {
            NoInterval::WrongLength { minutes: self.format.minutes }
        })
    }

    /// When the interval begins: the earliest time that its text can mean after the interval before, or at all.
    pub fn start(&mut self, read: Read) -> Result<Timestamp, NoInterval> {
        let seconds = self.format.seconds();
        let [one, other] = self.instants(read);
        let starts = match self.format.stamp {
            Stamp::Start => [one, other, None, None],
            Stamp::End => {
                // The end of the last interval before the clock changes is written as the clock shows it then, or as the
                // start and so many minutes.
                let counted = read.local.checked_sub(SignedDuration::from_secs(seconds)).ok();
                let counted = counted.filter(|_| read.offset.is_none()).map(|local| Read { local, ..read });
                let [third, fourth] = counted.map_or([None; 2], |read| self.instants(read));
                [one.map(|end| end - seconds), other.map(|end| end - seconds), third, fourth]
            }
        };
        let starts = || starts.iter().flatten().copied();
        let is_after = |start: &i64| self.previous.is_none_or(|previous| *start > previous.as_second());
        let chosen = starts().filter(is_after).min().or_else(|| starts().max());
        let no_such_time = || NoInterval::NoSuchTime { text: read.local.to_string() };
        let start = Timestamp::from_second(chosen.ok_or_else(no_such_time)?).map_err(|_| no_such_time())?;
        if start.as_second() % seconds.max(1) != 0 {
            return Err(NoInterval::OffGrid { minutes: self.format.minutes });
        }
        self.previous = Some(start);
        Ok(start)
    }

    /// The seconds since 1970 that this text can be: none, one or two.
    fn instants(&mut self, read: Read) -> [Option<i64>; 2] {
        let instant = |offset: Offset| offset.to_timestamp(read.local).ok().map(Timestamp::as_second);
        if let Some(offset) = read.offset.or_else(|| self.steady_offset(read.local.date())) {
            return [instant(offset), None];
        }
        match self.format.zone.to_ambiguous_timestamp(read.local).offset() {
            AmbiguousOffset::Unambiguous { offset } => [instant(offset), None],
            AmbiguousOffset::Fold { before, after } => [instant(before), instant(after)],
            AmbiguousOffset::Gap { .. } => [None, None],
        }
    }

    /// The offset of a date from its beginning to its end, if it is one. No zone changes its clock twice a day.
    fn steady_offset(&mut self, date: Date) -> Option<Offset> {
        if let Some((_, offset)) = self.steady.filter(|(steady, _)| *steady == date) {
            return Some(offset);
        }
        let at = |local: DateTime| match self.format.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some(offset),
            AmbiguousOffset::Fold { .. } | AmbiguousOffset::Gap { .. } => None,
        };
        let offset = at(date.at(0, 0, 0, 0))?;
        let next = at(date.tomorrow().ok()?.at(0, 0, 0, 0))?;
        self.steady = (offset == next).then_some((date, offset));
        self.steady.map(|(_, offset)| offset)
    }
}
