//! The folder into which a grid operator's files are put. A file is read once, for all who have a column or lines in it, and
//! again when its size or time has changed.
//!
//! Files may follow each other or overlap: portals give any span that is asked for, a month or the year until today, and a
//! correction is a later export of the same days. Where two tell of the same interval, the one whose name comes later is
//! believed; names are compared as people do, so that `export (2)` is before `export (10)`. The time of a file does not
//! decide: it is lost when files are copied or restored, and the same folder has to yield the same kWh for ever.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::{MatchOptions, Pattern};
use jiff::Timestamp;
use thiserror::Error;

use crate::allocation::{Files, Readings};
use crate::config::{most_of_interval, Consumer, Intervals, Rule};
use crate::input::intervals::{self, NoFile, NoProfile, Refused, Role, Series, Wanted};
use crate::log::plain;

/// A file is read as a whole, and the service has 512 MB of memory. A year's quarter hours of 500 members in one file are 105.
const MOST_BYTES: u64 = 128 << 20;

/// What is known of a provider's folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    since: Timestamp,
    /// Seconds of an interval.
    step: u32,
    has_plant: bool,
    /// The plant, if its files are named, and then the consumers in their order.
    members: Vec<Member>,
    files: BTreeMap<Name, File>,
}

#[derive(Debug)]
struct Member {
    name: String,
    pattern: Pattern,
    wanted: Wanted,
}

#[derive(Debug)]
struct File {
    size: u64,
    modified: SystemTime,
    /// What the members have in it, by their place. An error of all of them is the first one's.
    read: Vec<(usize, Result<Series, NoFile>)>,
}

/// Why a folder cannot be read at all.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("cannot read {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("{who}: {error}")]
    Profile { who: String, error: NoProfile },
    #[error("{who}: \"{pattern}\" is no pattern of file names")]
    Pattern { who: String, pattern: String },
    #[error("{who}: there is no `files`, neither here nor at the meter")]
    NoFiles { who: String },
}

/// What was wrong with a file, for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// The provider's plant, or the consumer's name.
    pub who: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is not believed at all.
    RefusedFile(NoFile),
    /// So many lines are not believed, of which these are the first.
    RefusedLines { count: u64, first: Vec<Refused> },
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} ({}): ", plain(&self.file), self.who)?;
        match &self.what {
            What::RefusedFile(why) => write!(f, "{why}"),
            What::RefusedLines { count, first } => {
                write!(f, "refused lines: {count}")?;
                first.iter().take(3).try_for_each(|refused| write!(f, "; line {}: {}", refused.line, refused.why))
            }
        }
    }
}

impl Folder {
    /// Nothing is read yet. The plant's power in kW is the most that can be exported or given.
    pub fn new(intervals: &Intervals, consumers: &[Consumer], max_kw: Option<u64>) -> Result<Self, Failure> {
        let profile = |who: &str, role, point: &Option<String>, value: &Option<String>| {
            intervals::profile(&intervals.profile, role, point.as_deref(), value.as_deref())
                .map_err(|error| Failure::Profile { who: who.into(), error })
        };
        let minutes = |layouts: &[intervals::Layout]| layouts.first().map_or(15, |layout| layout.time.minutes);
        let most = |layouts: &[intervals::Layout]| max_kw.map(|kw| most_of_interval(kw, minutes(layouts)));
        let mut members = vec![];
        let mut step = 0;
        if let Some(files) = &intervals.files {
            let who = "the plant";
            let layouts = profile(who, Role::Plant, &intervals.point, &intervals.value)?;
            step = minutes(&layouts) * 60;
            let wanted = Wanted { most: most(&layouts), layouts };
            members.push(Member { name: who.into(), pattern: pattern(who, files)?, wanted });
        }
        for consumer in consumers {
            let who = &consumer.name;
            let layouts = profile(who, Role::Consumer, &consumer.point, &consumer.value)?;
            step = minutes(&layouts) * 60;
            // More may be used than is exported, but not given.
            let most = if intervals.rule == Rule::Given { most(&layouts) } else { None };
            let files = consumer.files.as_ref().or(intervals.files.as_ref());
            let files = files.ok_or_else(|| Failure::NoFiles { who: who.clone() })?;
            members.push(Member { name: who.clone(), pattern: pattern(who, files)?, wanted: Wanted { most, layouts } });
        }
        let since = i64::try_from(intervals.since).ok().and_then(|since| Timestamp::from_second(since).ok());
        Ok(Self {
            path: intervals.folder.clone(),
            since: since.unwrap_or(Timestamp::MAX),
            step,
            has_plant: intervals.files.is_some(),
            members,
            files: BTreeMap::new(),
        })
    }

    /// Reads what has changed, and says whether anything has. What a file says of times after it was read is left out.
    pub fn refresh(&mut self, now: Timestamp) -> Result<bool, Failure> {
        let mut found = BTreeMap::new();
        let failure = |path: &Path| {
            let path = path.to_path_buf();
            move |error| Failure::Io { path, error }
        };
        for entry in std::fs::read_dir(&self.path).map_err(failure(&self.path))? {
            let entry = entry.map_err(failure(&self.path))?;
            // A name that is no text is nobody's pattern.
            let Some(name) = entry.file_name().to_str().map(str::to_string) else { continue };
            if name.starts_with('.') || !self.members.iter().any(|member| member.has(&name)) {
                continue;
            }
            let path = entry.path();
            match path.metadata().and_then(|metadata| Ok((metadata.is_file(), metadata.len(), metadata.modified()?))) {
                Ok((true, size, modified)) => found.insert(Name(name), (size, modified)),
                Ok((false, ..)) => None,
                // It was removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(failure(&path)(error)),
            };
        }
        let before = self.files.len();
        self.files.retain(|name, file| found.get(name) == Some(&(file.size, file.modified)));
        let mut has_changed = self.files.len() < before;
        for (name, (size, modified)) in found {
            if self.files.contains_key(&name) {
                continue;
            }
            let members: Vec<(usize, &Member)> =
                self.members.iter().enumerate().filter(|(_, member)| member.has(&name.0)).collect();
            let path = self.path.join(&name.0);
            let read = match load(&path).map_err(failure(&path))? {
                Some(bytes) => read(&bytes, &members, self.since..now),
                None => {
                    let error = NoFile::TooLarge(MOST_BYTES >> 20);
                    members.iter().take(1).map(|(place, _)| (*place, Err(error.clone()))).collect()
                }
            };
            self.files.insert(name, File { size, modified, read });
            has_changed = true;
        }
        Ok(has_changed)
    }

    /// What the files say now. The consumers are in their order.
    pub fn readings(&self) -> Readings<'_> {
        let mut all: Vec<Files> = vec![vec![]; self.members.len()];
        for (place, series) in self.files.values().flat_map(|file| &file.read) {
            if let (Some(files), Ok(series)) = (all.get_mut(*place), series) {
                files.push(series);
            }
        }
        let consumers = all.split_off(usize::from(self.has_plant).min(all.len()));
        Readings { step: self.step, production: all.pop(), consumers }
    }

    /// What is wrong with the files, in their order.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = vec![];
        for (name, file) in &self.files {
            for (place, read) in &file.read {
                let what = match read {
                    Err(why) => What::RefusedFile(why.clone()),
                    Ok(series) if series.refused_count > 0 => {
                        What::RefusedLines { count: series.refused_count, first: series.refused.clone() }
                    }
                    Ok(_) => continue,
                };
                let who = self.members.get(*place).map(|member| member.name.clone()).unwrap_or_default();
                problems.push(Problem { file: name.0.clone(), who, what });
            }
        }
        problems
    }

    /// When the newest of the files was written.
    pub fn newest(&self) -> Option<SystemTime> {
        self.files.values().map(|file| file.modified).max()
    }

    /// Forgets what was read, to be read again when it is needed: a year of quarter hours is 140 kB a member.
    pub fn forget(&mut self) {
        self.files.clear();
    }
}

/// Nothing if it is too large.
fn load(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length > MOST_BYTES {
        return Ok(None);
    }
    read_at_most(MOST_BYTES, file, length)
}

/// The same of a file that had this length, and may have grown since.
fn read_at_most(most: u64, file: impl Read, length: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

fn pattern(who: &str, text: &str) -> Result<Pattern, Failure> {
    Pattern::new(text).map_err(|_| Failure::Pattern { who: who.into(), pattern: text.into() })
}

impl Member {
    fn has(&self, name: &str) -> bool {
        let options = MatchOptions { case_sensitive: false, ..MatchOptions::new() };
        self.pattern.matches_with(name, options)
    }
}

fn read(
    bytes: &[u8],
    members: &[(usize, &Member)],
    within: std::ops::Range<Timestamp>,
) -> Vec<(usize, Result<Series, NoFile>)> {
    let wanted: Vec<&Wanted> = members.iter().map(|(_, member)| &member.wanted).collect();
    let places = members.iter().map(|(place, _)| *place);
    match intervals::read_many(bytes, &wanted, within) {
        Err(error) => places.take(1).map(|place| (place, Err(error.clone()))).collect(),
        Ok(read) => {
            // Of those who look for their columns in the same files, one who does not find them here may elsewhere.
            let fits: Vec<&Pattern> = members
                .iter()
                .zip(&read)
                .filter(|(_, read)| !matches!(read, Err(NoFile::Header { .. })))
                .map(|((_, member), _)| &member.pattern)
                .collect();
            let is_elsewhere = |member: &Member, read: &Result<Series, NoFile>| {
                matches!(read, Err(NoFile::Header { .. })) && fits.contains(&&member.pattern)
            };
            let elsewhere: Vec<bool> =
                members.iter().zip(&read).map(|((_, member), read)| is_elsewhere(member, read)).collect();
            let all = places.zip(read).zip(elsewhere);
            all.filter(|(_, is_elsewhere)| !is_elsewhere).map(|(read, _)| read).collect()
        }
    }
}

/// A file's name, in the order in which people put names: by the part before the ending, numbers by their value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name(String);

impl Name {
    fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('.').unwrap_or((&self.0, ""))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((one, _), (two, _)) = (self.parts(), other.parts());
        natural(one, two).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn natural(mut one: &str, mut two: &str) -> Ordering {
    let digits = |text: &str| text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    while let (Some(first), Some(second)) = (one.chars().next(), two.chars().next()) {
        let ((number, rest), (other, other_rest)) = (one.split_at(digits(one)), two.split_at(digits(two)));
        let order = if number.is_empty() || other.is_empty() {
            (one, two) = (one.split_at(first.len_utf8()).1, two.split_at(second.len_utf8()).1);
            first.cmp(&second)
        } else {
            (one, two) = (rest, other_rest);
            let (number, other) = (number.trim_start_matches('0'), other.trim_start_matches('0'));
            number.len().cmp(&other.len()).then_with(|| number.cmp(other))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.len().cmp(&two.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_while_it_is_read_is_read_if_it_is_not_too_large_then() {
        assert_eq!(read_at_most(5, &b"12345"[..], 2).unwrap().as_deref(), Some(&b"12345"[..]));
        assert_eq!(read_at_most(5, &b"123456"[..], 2).unwrap(), None);
    }
}
