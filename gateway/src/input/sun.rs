//! A simulated roof: a register that is a function of time alone, so that any two programs that ask see the same one. It has
//! days, seasons and clouds, all in integers, and belongs to no place on earth.

use crate::energy::Energy;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// In the middle of a day of UTC the sun is highest.
const NOON: u64 = 12 * HOUR;
const YEAR_DAYS: u64 = 365;
/// 1 January is so many days after the winter solstice.
const SOLSTICE: u64 = 11;

/// Daylight lasts from 8 hours in winter to 16 in summer, and the sun reaches from 15 to 85 % of the peak.
const SHORTEST: u64 = 8 * HOUR;
const LONGEST: u64 = 16 * HOUR;
const LOWEST_PERCENT: u64 = 15;
const HIGHEST_PERCENT: u64 = 85;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sun {
    /// Whose clouds these are.
    pub seed: u64,
    pub peak_watts: u32,
    /// When the meter was mounted, showing 0, in seconds since 1970.
    pub since: u64,
}

impl Sun {
    /// What the register shows at this time, in seconds since 1970. It never falls.
    pub fn register(&self, time: u64) -> Energy {
        let from = self.since.min(time);
        let whole_days = |day: u64| (self.since / DAY..day).map(|day| self.day(day, DAY)).sum::<u64>();
        let until = |time: u64| whole_days(time / DAY).saturating_add(self.day(time / DAY, time % DAY));
        Energy::from_mwh(until(time).saturating_sub(until(from)))
    }

    /// mWh from the beginning of a day until so many seconds later.
    fn day(&self, day: u64, seconds: u64) -> u64 {
        let season = summer(day);
        let daylight = SHORTEST + (LONGEST - SHORTEST) * season / 1_000;
        let sunrise = NOON - daylight / 2;
        let percent = LOWEST_PERCENT + (HIGHEST_PERCENT - LOWEST_PERCENT) * season / 1_000;
        let clear = |at: u64| self.clear(at.saturating_sub(sunrise).min(daylight), daylight) * percent / 100;
        // Clouds come and go by the hour, on some days more than on others.
        let haze = self.dice(day, 24) % 100;
        let mut before = 0;
        let hours = (0..24).take_while(|hour| hour * HOUR < seconds).map(|hour| {
            let until = clear(seconds.min((hour + 1) * HOUR));
            let lit = until - std::mem::replace(&mut before, until);
            lit * (100 - haze * (40 + self.dice(day, hour) % 61) / 100) / 100
        });
        hours.sum()
    }

    /// mWh until so many seconds after sunrise under a clear sky, where the power is a parabola over the daylight: the
    /// integral of 4·x·(1 − x).
    fn clear(&self, lit: u64, daylight: u64) -> u64 {
        let (lit, daylight, peak) = (u128::from(lit), u128::from(daylight), u128::from(self.peak_watts));
        let watt_seconds = peak * 2 * lit * lit * (3 * daylight - 2 * lit);
        let mwh = watt_seconds * 1_000 / (3 * daylight * daylight * u128::from(HOUR));
        u64::try_from(mwh).unwrap_or(u64::MAX)
    }

    /// A number that looks random, for an hour of a day (SplitMix64).
    fn dice(&self, day: u64, hour: u64) -> u64 {
        let mut z = self.seed.wrapping_add((day * 25 + hour + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// How much summer a day has: 0 at the winter solstice, 1,000 half a year later.
fn summer(day: u64) -> u64 {
    let day = (day + SOLSTICE) % YEAR_DAYS;
    day.min(YEAR_DAYS - day) * 2_000 / YEAR_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1 January 2026.
    const START: u64 = 1_767_225_600;
    const ROOF: Sun = Sun { seed: 7, peak_watts: 10_000, since: START };

    fn kwh(sun: Sun, from_day: u64, until_day: u64) -> u64 {
        let at = |day: u64| sun.register(START + day * DAY).mwh();
        (at(until_day) - at(from_day)) / Energy::KWH.mwh()
    }

    #[test]
    fn a_year_of_10_kw_is_like_a_year_of_10_kw() {
        assert_eq!((kwh(ROOF, 0, 365), kwh(ROOF, 0, 31), kwh(ROOF, 151, 181)), (10_098, 419, 1_726));
    }

    #[test]
    fn another_seed_has_other_clouds() {
        let other = Sun { seed: 8, ..ROOF };
        assert_ne!(kwh(ROOF, 0, 31), kwh(other, 0, 31));
    }

    #[test]
    fn nothing_comes_at_night_or_before_the_meter_was_mounted() {
        let midnight = START + 100 * DAY;
        assert_eq!(ROOF.register(midnight - 3 * HOUR), ROOF.register(midnight + 3 * HOUR));
        assert_eq!(ROOF.register(START), Energy::ZERO);
        assert_eq!(ROOF.register(START - 1), Energy::ZERO);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_never_falls_and_never_exceeds_its_peak(seed: u64, watts: u32, at in 0..400 * DAY, seconds in 0..2 * DAY) {
            let sun = Sun { seed, peak_watts: watts, since: START };
            let (before, after) = (sun.register(START + at).mwh(), sun.register(START + at + seconds).mwh());
            prop_assert!(before <= after);
            // Each hour of clouds may round by a mWh.
            prop_assert!(after - before <= u64::from(watts) * 1_000 * seconds / HOUR + 50);
        }
    }
}
