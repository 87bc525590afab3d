//! What a meter's register has shown, and how much of it is believed. Heads and bridges invent values: 0, a total of
//! last year, a hundred million kWh. What the contract is told can never be taken back, so a value is believed only when
//! the one after it agrees.

use crate::energy::Energy;

/// A value of the register, and when it was read, in seconds of one clock that never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub at: u64,
    pub energy: Energy,
}

/// What a sample changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sample before it is believed now, since this one agrees with it.
    Confirms,
    /// It is plausible, and waits for one that agrees.
    Waits,
    /// It is no reading, and is forgotten.
    Ignored(Odd),
    /// Odd values have lasted: the meter was exchanged, reset or mixed up, and a person has to look.
    Lasting(Odd),
}

/// Why a sample is not plausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// By a kWh or more below what is believed.
    Lower,
    /// More than the plant can have exported since.
    TooHigh,
    /// Of a time before the last sample's, as a retained or delayed message is.
    Old,
}

/// A register that is read again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    max_power_kw: u64,
    believed: Point,
    candidate: Option<Point>,
    /// When the last sample was read.
    last: u64,
    /// Since when all samples were odd, and how many they are.
    odd: Option<(u64, u32)>,
}

/// A reading, and how much more it is than the plant can have exported: what rounding hid before. It is not hidden a second
/// time, so this adds up until the plant has had the time for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    reading: Reading,
    ahead: Energy,
}

/// Two samples agree only if they are so far apart: one message that comes twice is one sample.
const APART_SECONDS: u64 = 5;

/// A register may stand this much lower for a moment, for instance where a bridge rounds: then what it showed before counts.
const JITTER: Energy = Energy::from_mwh(999_999);

/// Odd values are a fault that lasts if they have for so long, and are so many.
const LASTING_SECONDS: u64 = 15 * 60;
const LASTING_SAMPLES: u32 = 5;

impl Register {
    /// A register of which nothing is known but this: the last reading on the chain, or the last that was believed.
    pub fn new(max_power_kw: u64, believed: Reading) -> Self {
        let last = believed.at;
        let believed = Point { reading: believed, ahead: Energy::ZERO };
        Self { max_power_kw, believed, candidate: None, last, odd: None }
    }

    /// The highest value that two samples in a row have shown.
    pub fn believed(&self) -> Reading {
        self.believed.reading
    }

    pub fn max_power_kw(&self) -> u64 {
        self.max_power_kw
    }

    pub fn take(&mut self, sample: Reading) -> Verdict {
        if sample.at < self.last {
            return Verdict::Ignored(Odd::Old);
        }
        self.last = sample.at;
        let ahead = match self.follows(self.believed, sample) {
            Ok(ahead) => ahead,
            Err(odd) => {
                self.candidate = None;
                let (since, count) = self.odd.map_or((sample.at, 1), |(since, count)| (since, count.saturating_add(1)));
                self.odd = Some((since, count));
                let lasting = count >= LASTING_SAMPLES && sample.at - since >= LASTING_SECONDS;
                return if lasting { Verdict::Lasting(odd) } else { Verdict::Ignored(odd) };
            }
        };
        self.odd = None;
        let agrees = self.candidate.and_then(|candidate| Some((candidate, self.follows(candidate, sample).ok()?)));
        if agrees.is_some_and(|(candidate, _)| sample.at - candidate.reading.at < APART_SECONDS) {
            return Verdict::Waits;
        }
        let (before, ahead) = agrees.unwrap_or((self.believed, ahead));
        let energy = sample.energy.max(before.reading.energy);
        self.candidate = Some(Point { reading: Reading { energy, ..sample }, ahead });
        if agrees.is_none() {
            return Verdict::Waits;
        }
        self.believed = before;
        Verdict::Confirms
    }

    /// Whether a true register can show the later value after the earlier one, and how much it is ahead then. Whole kWh hide
    /// a fraction of each.
    fn follows(&self, earlier: Point, later: Reading) -> Result<Energy, Odd> {
        let Point { reading, ahead } = earlier;
        if later.energy < reading.energy.saturating_sub(JITTER) {
            return Err(Odd::Lower);
        }
        let most = Energy::from_mwh(u64::MAX);
        let seconds = later.at - reading.at;
        // Rounded up: a plant at full power for months is not ahead.
        let exported = Energy::from_kwh(self.max_power_kw).unwrap_or(most).part(seconds, 3_600);
        let exported = exported.checked_add(Energy::from_mwh(1)).unwrap_or(most);
        let ahead = ahead.checked_add(later.energy.saturating_sub(reading.energy)).unwrap_or(most);
        let ahead = ahead.saturating_sub(exported);
        if ahead > Energy::KWH {
            return Err(Odd::TooHigh);
        }
        Ok(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn reading(at: u64, kwh: u64) -> Reading {
        Reading { at, energy: Energy::from_kwh(kwh).unwrap() }
    }

    /// 12 kW, at 1,000 kWh.
    fn register() -> Register {
        Register::new(12, reading(0, 1_000))
    }

    fn kwh(register: &Register) -> u64 {
        register.believed().energy.kwh()
    }

    #[test]
    fn a_value_is_believed_when_the_next_one_agrees() {
        let mut register = register();
        assert_eq!(register.take(reading(HOUR, 1_010)), Verdict::Waits);
        assert_eq!(kwh(&register), 1_000);
        assert_eq!(register.take(reading(HOUR + 5, 1_010)), Verdict::Confirms);
        assert_eq!(kwh(&register), 1_010);
    }

    #[test]
    fn a_message_that_comes_twice_is_one_sample() {
        let mut register = register();
        register.take(reading(24 * HOUR - 10, 1_040));
        for at in [24 * HOUR, 24 * HOUR, 24 * HOUR + 4] {
            assert_eq!(register.take(reading(at, 1_200)), Verdict::Waits);
        }
        assert_eq!(kwh(&register), 1_000);
        register.take(reading(24 * HOUR + 6, 1_040));
        assert_eq!(register.take(reading(24 * HOUR + 11, 1_040)), Verdict::Confirms);
        assert_eq!(kwh(&register), 1_040);
    }

    #[test]
    fn a_plausible_spike_that_is_seen_once_is_never_believed() {
        let mut register = register();
        register.take(reading(24 * HOUR, 1_040));
        assert_eq!(register.take(reading(24 * HOUR + 10, 1_200)), Verdict::Waits);
        for second in 20..30 {
            register.take(reading(24 * HOUR + second, 1_040));
        }
        assert_eq!(kwh(&register), 1_040);
    }

    #[test]
    fn more_than_the_plant_exports_is_no_reading() {
        let mut register = register();
        assert_eq!(register.take(reading(10, 158_198_682)), Verdict::Ignored(Odd::TooHigh));
        assert_eq!(register.take(reading(HOUR, 1_014)), Verdict::Ignored(Odd::TooHigh));
        // The kWh of which the believed reading hid a fraction is there already.
        assert_eq!(register.take(reading(HOUR, 1_013)), Verdict::Waits);
        assert_eq!(register.take(reading(HOUR + 300, 1_014)), Verdict::Confirms);
    }

    #[test]
    fn a_fraction_is_hidden_once_and_not_by_each_sample() {
        let mut register = register();
        // A kWh each 5 s, of a plant that needs 300 s for one.
        for sample in 1..=240 {
            register.take(reading(sample * 5, 1_000 + sample));
            assert!(kwh(&register) <= 1_001 + sample * 5 / 300, "{} kWh after {} s", kwh(&register), sample * 5);
        }
        // At full power nothing adds up.
        let mut register = self::register();
        let mwh = |second: u64| Energy::from_mwh(1_000_000_000 + second * 12_000_000 / 3_600);
        for at in (0..100 * 24 * HOUR).step_by(5) {
            register.take(Reading { at, energy: mwh(at) });
        }
        assert_eq!(register.believed.ahead, Energy::ZERO);
        assert_eq!(register.believed().energy, mwh(100 * 24 * HOUR - 10));
    }

    #[test]
    fn samples_out_of_order_are_old_whatever_came_between() {
        let mut register = register();
        assert_eq!(register.take(reading(HOUR, 0)), Verdict::Ignored(Odd::Lower));
        assert_eq!(register.take(reading(HOUR - 10, 1_001)), Verdict::Ignored(Odd::Old));
        assert_eq!(register.take(reading(HOUR + 10, 0)), Verdict::Ignored(Odd::Lower));
    }

    #[test]
    fn a_short_dip_is_ignored_and_moves_nothing() {
        let mut register = register();
        for (at, kwh) in [(10, 1_000), (20, 0), (30, 1_000), (40, 1_000)] {
            register.take(reading(at, kwh));
        }
        assert_eq!(kwh(&register), 1_000);
        // What the meter grows by from the dip on is no growth.
        assert_eq!(register.take(reading(50, 0)), Verdict::Ignored(Odd::Lower));
        assert_eq!(register.take(reading(60, 1)), Verdict::Ignored(Odd::Lower));
        assert_eq!(kwh(&register), 1_000);
    }

    #[test]
    fn a_little_less_than_before_is_what_it_was_before() {
        let mut register = Register::new(12, Reading { at: 0, energy: Energy::from_mwh(215_700_000) });
        let less = |at| Reading { at, energy: Energy::from_mwh(215_600_000) };
        assert_eq!(register.take(less(10)), Verdict::Waits);
        assert_eq!(register.take(less(20)), Verdict::Confirms);
        assert_eq!(register.believed().energy, Energy::from_mwh(215_700_000));
        // By a whole kWh it is another register.
        let mut register = self::register();
        let less_by = |mwh: u64| Reading { at: 30, energy: Energy::from_mwh(1_000_000_000 - mwh) };
        assert_eq!(register.take(less_by(1_000_000)), Verdict::Ignored(Odd::Lower));
        assert_eq!(register.take(less_by(999_999)), Verdict::Waits);
    }

    #[test]
    fn values_that_stay_odd_are_a_fault_that_lasts() {
        for (kwh, odd) in [(5, Odd::Lower), (999_999, Odd::TooHigh)] {
            let mut register = register();
            for sample in 0..9 {
                assert_eq!(register.take(reading(sample * 100, kwh)), Verdict::Ignored(odd));
            }
            assert_eq!(register.take(reading(900, kwh)), Verdict::Lasting(odd));
            // One good value ends it.
            assert_eq!(register.take(reading(910, 1_000)), Verdict::Waits);
            assert_eq!(register.take(reading(920, kwh)), Verdict::Ignored(odd));
        }
    }

    #[test]
    fn few_odd_values_over_a_long_time_are_no_fault() {
        let mut register = register();
        for sample in 0..4 {
            assert_eq!(register.take(reading(sample * HOUR, 5)), Verdict::Ignored(Odd::Lower));
        }
    }

    #[test]
    fn an_old_message_is_no_reading() {
        let mut register = register();
        register.take(reading(100, 1_000));
        assert_eq!(register.take(reading(99, 1_000)), Verdict::Ignored(Odd::Old));
        assert_eq!(kwh(&register), 1_000);
    }
}
