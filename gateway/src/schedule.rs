//! When deliveries are recorded: at local times, which a change of the clock moves, and not at one second for everybody.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use sha2::{Digest, Sha256};

use crate::config::{Every, Schedule};

/// Gateways that have the same time are spread over so many seconds.
const SPREAD: u64 = 60;

impl Schedule {
    /// The last time until now at which it was due, in Unix seconds, for whoever has this address.
    pub fn last_due(self, zone: &TimeZone, address: &str, now: u64) -> u64 {
        const HOUR: u64 = 3_600;
        let spread = spread(address);
        let before = now.saturating_sub(spread);
        let grid = |seconds: u64| before / seconds * seconds + spread;
        match self.every {
            Every::QuarterHour => grid(HOUR / 4),
            Every::Hour => grid(HOUR),
            Every::Day | Every::Week | Every::Month => self.last_day(zone, before).unwrap_or(0) + spread,
        }
    }

    fn last_day(self, zone: &TimeZone, now: u64) -> Option<u64> {
        let now = Timestamp::from_second(i64::try_from(now).ok()?).ok()?;
        let today = zone.to_datetime(now).date();
        let mut day = self.first_day(today);
        if self.moment(zone, day)? > now {
            day = self.first_day(day.yesterday().ok()?);
        }
        u64::try_from(self.moment(zone, day)?.as_second()).ok()
    }

    /// The day until this one on which it is due.
    fn first_day(self, day: Date) -> Date {
        let back = match self.every {
            Every::Week => day.weekday().since(Weekday::Monday).into(),
            Every::Month => i32::from(day.day()) - 1,
            _ => 0,
        };
        day.checked_sub(back.days()).unwrap_or(day)
    }

    /// A time that spring leaves out is an hour later, and of two that autumn has the first is meant.
    fn moment(self, zone: &TimeZone, day: Date) -> Option<Timestamp> {
        zone.to_timestamp(day.to_datetime(self.at)).ok()
    }
}

fn spread(address: &str) -> u64 {
    let hash: [u8; 32] = Sha256::digest(address).into();
    u64::from(hash[0]) * SPREAD / 256
}

/// The time of a schedule that names none.
pub const EVENING: Time = Time::constant(21, 30, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: &str = "";

    fn last(every: Every, at: Time, zone: &str, now: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let seconds = now.parse::<Timestamp>().unwrap().as_second() as u64 + spread(NOBODY);
        let due = Schedule { every, at }.last_due(&zone, NOBODY, seconds) - spread(NOBODY);
        Timestamp::from_second(due as i64).unwrap().to_string()
    }

    #[test]
    fn it_is_due_at_local_times() {
        let vienna = |every, now| last(every, EVENING, "Europe/Vienna", now);
        for (every, now, due) in [
            (Every::QuarterHour, "2026-07-03T10:14:59Z", "2026-07-03T10:00:00Z"),
            (Every::Hour, "2026-07-03T10:59:59Z", "2026-07-03T10:00:00Z"),
            (Every::Day, "2026-07-03T19:29:59Z", "2026-07-02T19:30:00Z"),
            (Every::Day, "2026-07-03T19:30:00Z", "2026-07-03T19:30:00Z"),
            (Every::Day, "2026-12-03T19:30:00Z", "2026-12-02T20:30:00Z"),
            // A Friday: the Monday before.
            (Every::Week, "2026-07-03T19:30:00Z", "2026-06-29T19:30:00Z"),
            (Every::Week, "2026-07-06T19:29:00Z", "2026-06-29T19:30:00Z"),
            (Every::Month, "2026-07-03T19:30:00Z", "2026-07-01T19:30:00Z"),
            (Every::Month, "2026-07-01T19:29:00Z", "2026-06-01T19:30:00Z"),
        ] {
            assert_eq!(vienna(every, now), due, "{every:?} {now}");
        }
    }

    #[test]
    fn a_time_that_the_clock_leaves_out_or_has_twice_is_due_once() {
        let half_past_two = Time::constant(2, 30, 0, 0);
        let day = |now| last(Every::Day, half_past_two, "Europe/Vienna", now);
        assert_eq!(day("2026-03-29T12:00:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(day("2026-10-25T12:00:00Z"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn gateways_are_spread_over_a_minute() {
        let schedule = Schedule { every: Every::Hour, at: EVENING };
        let due: std::collections::BTreeSet<u64> = (0..500)
            .map(|number| schedule.last_due(&TimeZone::UTC, &number.to_string(), 7_200_000) % 3_600)
            .map(|second| if second > 60 { second - 3_540 } else { second })
            .collect();
        assert!(due.len() > 40 && due.iter().all(|second| *second < SPREAD), "{due:?}");
    }
}
