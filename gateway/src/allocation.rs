//! What was exported in each interval, divided among the consumers, and what of it is due to each of their agreements. It is
//! counted from totals: all that a consumer was given since the beginning, less what the chain shows. So the fractions of a
//! kWh carry over, and a correction of an old interval heals by itself.

use std::fmt;
use std::ops::Range;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::Timestamp;
use thiserror::Error;

use crate::config::{Intervals, Rule};
use crate::counting::{Agreement, Pays, Share};
use crate::energy::Energy;
use crate::input::intervals::Series;

/// What is known of one party, a file after the other. Where two tell of the same interval, the later one corrects the
/// earlier.
pub type Files<'a> = Vec<&'a Series>;

/// What a plant exported and what each consumer used, or was given by the grid operator.
#[derive(Clone, Debug, Default)]
pub struct Readings<'a> {
    /// How many seconds an interval lasts.
    pub step: u32,
    /// `None` if nobody tells: then all that was exported is what was given.
    pub production: Option<Files<'a>>,
    pub consumers: Vec<Files<'a>>,
}

/// A consumer, as far as an allocation needs to know it.
#[derive(Clone, Debug, Default)]
pub struct Party {
    pub share: Option<Share>,
    pub agreements: Vec<Life>,
}

/// An agreement: when it lived, in Unix seconds, and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub agreement_id: u64,
    pub created_at: u64,
    pub delivery_deadline: u64,
    pub energy_amount_kwh: u64,
    pub energy_delivered_kwh: u64,
    /// A delivery could be recorded now.
    pub may_fill: bool,
}

impl Life {
    /// A consumer's agreements as the chain shows them now, but for those that ended without a delivery: they take no part.
    pub fn of_all(agreements: &[Agreement], pays: Pays, now: u64) -> Vec<Self> {
        let takes_part = |agreement: &&Agreement| agreement.energy_delivered_kwh > 0 || !agreement.has_ended(now);
        agreements.iter().filter(takes_part).map(|agreement| Self::of(agreement, pays, now)).collect()
    }

    fn of(agreement: &Agreement, pays: Pays, now: u64) -> Self {
        Self {
            agreement_id: agreement.id,
            created_at: agreement.created_at,
            delivery_deadline: agreement.delivery_deadline,
            energy_amount_kwh: agreement.energy_amount_kwh,
            energy_delivered_kwh: agreement.energy_delivered_kwh,
            may_fill: agreement.may_fill(pays, now),
        }
    }

    /// It lived during all of the interval.
    fn covers(&self, interval: &Range<i64>) -> bool {
        signed(self.created_at) <= interval.start && interval.end <= signed(self.delivery_deadline)
    }

    fn room(&self) -> i128 {
        mwh(if self.may_fill { self.energy_amount_kwh } else { self.energy_delivered_kwh })
    }

    fn remaining(&self) -> u64 {
        self.energy_amount_kwh.saturating_sub(self.energy_delivered_kwh)
    }
}

/// Which days are counted.
#[derive(Clone, Debug)]
pub struct Days {
    /// The first one begins then, or contains it.
    pub since: Timestamp,
    /// The last one has ended by then: what is younger may still be corrected.
    pub before: Timestamp,
    pub zone: TimeZone,
}

impl Days {
    /// Those that are final at this time, in Unix seconds. `None` if it is no time.
    pub fn of(intervals: &Intervals, zone: &TimeZone, now: u64) -> Option<Self> {
        let time = |seconds: u64| Timestamp::from_second(i64::try_from(seconds).ok()?).ok();
        let before = time(now.saturating_sub(intervals.final_after.as_secs()))?;
        Some(Self { since: time(intervals.since)?, before, zone: zone.clone() })
    }
}

/// What is due, as far as the files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// All whole days until then are counted.
    pub until: Timestamp,
    /// What was exported until then, since the first day began.
    pub exported: Energy,
    /// The agreements of each consumer, the oldest first, with the kWh that are due to them.
    pub due: Vec<Vec<(u64, u64)>>,
    /// What each consumer was allocated until then.
    pub allocated: Vec<Energy>,
    /// What each consumer was delivered more than is now allocated, since files were corrected. Its next agreements have
    /// to wait for it.
    pub over_delivered: Vec<Energy>,
    /// The interval that is missing, so that the day before its own is the last.
    pub gap: Option<Gap>,
    /// The same of each consumer whose days end sooner than the others'.
    pub consumer_gaps: Vec<Option<Timestamp>>,
}

/// The beginning of an interval that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    OfPlant { start: Timestamp },
    OfConsumer { place: usize, start: Timestamp },
}

/// Why nothing of it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Contradiction {
    #[error(
        "in the interval of {start} the consumers were given {given}, more than the {production} of the plant: \
         does a column tell of another energy than what was shared?"
    )]
    GivenAboveProduction { start: Timestamp, given: Energy, production: Energy },
}

/// What an agreement was allocated on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub exported: Energy,
    /// What its consumer was allocated, by all its agreements.
    pub allocated: Energy,
    /// What of it counts for this agreement.
    pub counted: Energy,
    /// That of all days until this one ends.
    pub total: Energy,
    /// kWh that were recorded on this day.
    pub delivered_kwh: u64,
}

/// Divides all whole days and says what is due.
pub fn allocate(readings: &Readings, rule: Rule, parties: &[Party], days: &Days) -> Result<Allocated, Contradiction> {
    Counting::new(readings, rule, parties).count(days, |_, _| {})
}

/// How an agreement of the consumer at this place came by what it is entitled to, day by day. Deliveries are the Unix
/// seconds and the kWh that the chain shows of it.
pub fn explain(
    readings: &Readings,
    rule: Rule,
    parties: &[Party],
    days: &Days,
    (place, agreement_id): (usize, u64),
    deliveries: &[(u64, u64)],
) -> Result<Vec<Day>, Contradiction> {
    let mut explained: Vec<Day> = vec![];
    let mut before = (Energy::ZERO, Energy::ZERO, Energy::ZERO);
    Counting::new(readings, rule, parties).count(days, |counting, date| {
        let Some(ledger) = counting.ledgers.get(place) else { return };
        let total = ledger.credited(agreement_id);
        let (exported, allocated, counted) = before;
        before = (counting.exported, ledger.allocated, total);
        let is_on_day = |(at, _): &&(u64, u64)| day_of(*at, &days.zone) == Some(date);
        explained.push(Day {
            date,
            exported: counting.exported.saturating_sub(exported),
            allocated: ledger.allocated.saturating_sub(allocated),
            counted: total.saturating_sub(counted),
            total,
            delivered_kwh: deliveries.iter().filter(is_on_day).map(|(_, kwh)| kwh).sum(),
        });
    })?;
    Ok(explained)
}

fn day_of(seconds: u64, zone: &TimeZone) -> Option<Date> {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok())?;
    Some(zone.to_datetime(time).date())
}

/// Days in a table, with their energy in kWh.
pub struct Table<'a>(pub &'a [Day]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const HEADER: [&str; 6] = ["day", "exported", "allocated", "counted", "total", "delivered"];
        let [day, rest @ ..] = HEADER;
        write!(f, "{day:<10}")?;
        rest.iter().try_for_each(|name| write!(f, "{name:>16}"))?;
        for day in self.0 {
            write!(f, "\n{}", day.date)?;
            for energy in [day.exported, day.allocated, day.counted, day.total] {
                write!(f, "{:>16}", format!("{:.6}", Kwh(energy)))?;
            }
            write!(f, "{:>16}", day.delivered_kwh)?;
        }
        Ok(())
    }
}

/// With all its decimals, so that they stand below each other.
struct Kwh(Energy);

impl fmt::Display for Kwh {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mwh = self.0.mwh();
        write!(f, "{}.{:06}", mwh / MWH_PER_KWH, mwh % MWH_PER_KWH)
    }
}

const MWH_PER_KWH: u64 = Energy::KWH.mwh();

fn mwh(kwh: u64) -> i128 {
    i128::from(kwh) * i128::from(MWH_PER_KWH)
}

/// What is left of a balance when whole kWh that nobody can buy are the supplier's. A debt stays.
fn fraction(balance: i128) -> i128 {
    if balance > 0 {
        balance % mwh(1)
    } else {
        balance
    }
}

/// What a consumer's agreements are entitled to.
struct Ledger<'a> {
    /// The oldest first, with the mWh that count for each.
    agreements: Vec<(&'a Life, i128)>,
    allocated: Energy,
    /// Those before this place have ended, with what they leave to those after them.
    ended: usize,
    left: i128,
    gap: Option<i64>,
}

impl<'a> Ledger<'a> {
    fn new(party: &'a Party) -> Self {
        let mut agreements: Vec<_> = party.agreements.iter().map(|life| (life, 0)).collect();
        agreements.sort_by_key(|(life, _)| (life.created_at, life.agreement_id));
        Self { agreements, allocated: Energy::ZERO, ended: 0, left: 0, gap: None }
    }

    fn takes_part(&self, interval: &Range<i64>) -> bool {
        self.agreements.iter().skip(self.ended).any(|(life, _)| life.covers(interval))
    }

    fn credited(&self, agreement_id: u64) -> Energy {
        let credited = self.agreements.iter().find(|(life, _)| life.agreement_id == agreement_id);
        let credited = credited.map_or(0, |(_, credited)| *credited);
        u64::try_from(credited).map_or(Energy::ZERO, Energy::from_mwh)
    }

    /// What an agreement leaves to the next one.
    fn left(life: &Life, balance: i128) -> i128 {
        let due = if life.may_fill { balance.clamp(0, mwh(life.remaining())) } else { 0 };
        fraction(balance - due / mwh(1) * mwh(1))
    }

    /// The energy is that of the oldest agreement that lived then and has room, and of the next one where that is full.
    /// What none has room for stays with the youngest, which leaves it to the supplier.
    fn credit(&mut self, interval: &Range<i64>, energy: u32) {
        if energy == 0 {
            return;
        }
        while let Some((life, credited)) = self.agreements.get(self.ended) {
            if interval.end <= signed(life.delivery_deadline) {
                break;
            }
            self.left = Self::left(life, self.left + credited - mwh(life.energy_delivered_kwh));
            self.ended += 1;
        }
        let mut energy = i128::from(energy);
        let mut left = self.left;
        let mut youngest = None;
        for (place, (life, credited)) in self.agreements.iter_mut().enumerate().skip(self.ended) {
            if life.covers(interval) {
                youngest = Some(place);
                let room = life.room() - left - *credited;
                let taken = energy.min(room.max(0));
                *credited += taken;
                energy -= taken;
                if energy == 0 {
                    return;
                }
            }
            left = Self::left(life, left + *credited - mwh(life.energy_delivered_kwh));
        }
        if let Some((_, credited)) = youngest.and_then(|place| self.agreements.get_mut(place)) {
            *credited += energy;
        }
    }

    /// What is due to each agreement, and what none of them can make good.
    fn due(&self) -> (Vec<(u64, u64)>, Energy) {
        let mut balances: Vec<i128> =
            self.agreements.iter().map(|(life, credited)| credited - mwh(life.energy_delivered_kwh)).collect();
        let mut left = 0;
        let mut due = vec![];
        for (place, (life, _)) in self.agreements.iter().enumerate() {
            let (before, after) = balances.split_at_mut(place + 1);
            let balance = left + before.last().copied().unwrap_or(0);
            left = Self::left(life, balance);
            let whole = if life.may_fill { balance.clamp(0, mwh(life.remaining())) / mwh(1) } else { 0 };
            let mut open = whole * mwh(1) + left;
            // What a younger agreement was delivered too much is paid by the first that has something.
            for debt in after.iter_mut().filter(|debt| **debt < 0) {
                let paid = (-*debt).min(open.max(0));
                *debt += paid;
                open -= paid;
            }
            let whole = whole.min(open.max(0) / mwh(1));
            left = fraction(open - whole * mwh(1));
            due.push((life.agreement_id, u64::try_from(whole).unwrap_or(0)));
        }
        (due, Energy::from_mwh(u64::try_from(-left).unwrap_or(0)))
    }
}

/// Goes through the intervals.
struct Counting<'a> {
    readings: &'a Readings<'a>,
    rule: Rule,
    shares: Vec<Share>,
    ledgers: Vec<Ledger<'a>>,
    exported: Energy,
    gap: Option<Gap>,
}

impl<'a> Counting<'a> {
    fn new(readings: &'a Readings<'a>, rule: Rule, parties: &'a [Party]) -> Self {
        let none = Share::from_millionths(0);
        let shares = parties.iter().filter_map(|party| party.share.or(none)).collect();
        let ledgers = parties.iter().map(Ledger::new).collect();
        Self { readings, rule, shares, ledgers, exported: Energy::ZERO, gap: None }
    }

    fn count(mut self, days: &Days, mut seen: impl FnMut(&Self, Date)) -> Result<Allocated, Contradiction> {
        let mut until = days.since;
        let mut date = days.zone.to_datetime(days.since).date();
        let midnight = |date: Date| days.zone.to_timestamp(date.to_datetime(Time::midnight())).ok();
        while let Some((tomorrow, end)) = date.tomorrow().ok().and_then(|next| Some((next, midnight(next)?))) {
            if end > days.before || !self.day(until.as_second()..end.as_second())? {
                break;
            }
            seen(&self, date);
            (until, date) = (end, tomorrow);
        }
        let (due, over_delivered) = self.ledgers.iter().map(Ledger::due).unzip();
        Ok(Allocated {
            until,
            exported: self.exported,
            due,
            over_delivered,
            allocated: self.ledgers.iter().map(|ledger| ledger.allocated).collect(),
            gap: self.gap,
            consumer_gaps: self.ledgers.iter().map(|ledger| second(ledger.gap?)).collect(),
        })
    }

    /// Whether nothing that is needed of this day is missing. Otherwise nothing of it is counted.
    fn day(&mut self, day: Range<i64>) -> Result<bool, Contradiction> {
        let step = i64::from(self.readings.step.max(1));
        // An interval is of the day in which it begins.
        let first = day.start.div_euclid(step) + i64::from(day.start.rem_euclid(step) > 0);
        let starts = || (first..).map(|place| place * step).take_while(|start| *start < day.end);
        let production = match &self.readings.production {
            None => None,
            Some(files) => {
                let files = of_day(files, &day);
                let mut values = vec![];
                for start in starts() {
                    let Some(value) = value(&files, start) else {
                        self.gap = second(start).map(|start| Gap::OfPlant { start });
                        return Ok(false);
                    };
                    values.push(value);
                }
                Some(values)
            }
        };
        // By consumer: what it used or was given in each interval, or nothing while it had no agreement.
        let mut used: Vec<Vec<u32>> = Vec::with_capacity(self.ledgers.len());
        for (place, (ledger, files)) in self.ledgers.iter_mut().zip(&self.readings.consumers).enumerate() {
            let mut values = vec![];
            if ledger.gap.is_some() {
                used.push(values);
                continue;
            }
            let files = of_day(files, &day);
            for start in starts() {
                if !ledger.takes_part(&(start..start + step)) {
                    values.push(0);
                    continue;
                }
                let Some(value) = value(&files, start) else {
                    // The others' parts depend on this one's, or else they go on without it.
                    if matches!(self.rule, Rule::ProRata | Rule::Priority) {
                        self.gap = second(start).map(|start| Gap::OfConsumer { place, start });
                        return Ok(false);
                    }
                    ledger.gap = Some(start);
                    values.clear();
                    break;
                };
                values.push(value);
            }
            used.push(values);
        }
        let mut parts: Vec<u32> = vec![0; used.len()];
        for (place, start) in starts().enumerate() {
            let of_interval = |values: &Vec<u32>| values.get(place).copied().unwrap_or(0);
            let exported = production.as_ref().map(of_interval);
            for (part, values) in parts.iter_mut().zip(&used) {
                *part = of_interval(values);
            }
            let exported = self.divide(exported, &mut parts, start)?;
            self.exported = plus(self.exported, exported);
            for (ledger, part) in self.ledgers.iter_mut().zip(&parts).filter(|(_, part)| **part > 0) {
                ledger.allocated = plus(ledger.allocated, (*part).into());
                ledger.credit(&(start..start + step), *part);
            }
        }
        Ok(true)
    }

    /// Makes what each used in an interval what it gets of what was exported, and says how much that was. What is left
    /// over by rounding down is nobody's.
    fn divide(&self, production: Option<u32>, parts: &mut [u32], start: i64) -> Result<u64, Contradiction> {
        let sum: u64 = parts.iter().map(|part| u64::from(*part)).sum();
        let Some(production) = production else {
            // Without the plant's own word only the operator's allocation tells what was exported.
            if self.rule == Rule::Given {
                return Ok(sum);
            }
            parts.fill(0);
            return Ok(0);
        };
        match self.rule {
            Rule::Share => {
                for (part, share) in parts.iter_mut().zip(&self.shares) {
                    *part = (*part).min(portion(production, share.millionths(), Share::WHOLE.into()));
                }
            }
            Rule::ProRata => {
                if sum > production.into() {
                    for part in parts.iter_mut() {
                        *part = portion(*part, production, sum);
                    }
                }
            }
            Rule::Priority => {
                let mut left = production;
                for part in parts.iter_mut() {
                    *part = (*part).min(left);
                    left -= *part;
                }
            }
            Rule::Given => {
                if sum > production.into() {
                    return Err(Contradiction::GivenAboveProduction {
                        start: second(start).unwrap_or_default(),
                        given: Energy::from_mwh(sum),
                        production: Energy::from_mwh(production.into()),
                    });
                }
            }
        }
        Ok(production.into())
    }
}

/// Files that tell of this day, the latest first.
fn of_day<'a>(files: &Files<'a>, day: &Range<i64>) -> Vec<&'a Series> {
    files.iter().rev().filter(|series| series.overlaps(day)).copied().collect()
}

fn value(files: &[&Series], start: i64) -> Option<u32> {
    files.iter().find_map(|series| series.mwh(start))
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn portion(value: u32, parts: u32, whole: u64) -> u32 {
    let part = (u64::from(value) * u64::from(parts)).checked_div(whole).unwrap_or(0);
    u32::try_from(part).unwrap_or(value)
}

fn plus(energy: Energy, mwh: u64) -> Energy {
    energy.checked_add(Energy::from_mwh(mwh)).unwrap_or(energy)
}

fn second(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}
