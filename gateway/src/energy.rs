//! Energy in whole mWh, and how decimal text becomes that. A decimal is never a float, so no digit is made up or lost.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Energy in mWh: 2^64 of them are 18 TWh, a thousand times what the largest register of the contract can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Energy(u64);

/// The unit of a number, which is configured and never guessed: no payload says it reliably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    WattHours,
    KilowattHours,
    MegawattHours,
    /// What some phase meters count.
    WattMinutes,
}

/// What happens to digits beyond a mWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// A register: it has not shown more than this yet.
    Down,
    /// The energy of an interval, whose text may carry the noise of somebody's float: 0.120999999999185 is 0.121.
    Nearest,
}

/// Why a text is no energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotEnergy {
    #[error("it is empty")]
    Empty,
    #[error("it is negative")]
    Negative,
    #[error("it is not a decimal number")]
    NotDecimal,
    #[error("it is too large")]
    TooLarge,
}

const MWH_PER_WH: u64 = 1_000;
const MWH_PER_KWH: u64 = 1_000_000;
const MWH_PER_MEGAWATT_HOUR: u64 = 1_000_000_000;

impl Energy {
    pub const ZERO: Self = Self(0);
    pub const KWH: Self = Self(MWH_PER_KWH);

    pub const fn from_mwh(mwh: u64) -> Self {
        Self(mwh)
    }

    /// `None` above 2^64 mWh.
    pub fn from_kwh(kwh: u64) -> Option<Self> {
        kwh.checked_mul(MWH_PER_KWH).map(Self)
    }

    pub const fn mwh(self) -> u64 {
        self.0
    }

    /// Whole kWh, rounded down: all that the contract is ever told.
    pub const fn kwh(self) -> u64 {
        self.0 / MWH_PER_KWH
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The decimal number in this text, whose decimal mark is given, as energy. Spaces around it are ignored; a sign, an exponent, a
    /// group separator and words such as `null` or `unavailable` are errors.
    pub fn from_decimal(text: &str, mark: char, unit: Unit, rounding: Rounding) -> Result<Self, NotEnergy> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NotEnergy::Empty);
        }
        let (whole, fraction) = text.split_once(mark).unwrap_or((text, ""));
        let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(number) = whole.strip_prefix('-') {
            let is_number = is_digits(number) && is_digits(fraction) && !(number.is_empty() && fraction.is_empty());
            return Err(if is_number { NotEnergy::Negative } else { NotEnergy::NotDecimal });
        }
        if !is_digits(whole) || !is_digits(fraction) || whole.is_empty() {
            return Err(NotEnergy::NotDecimal);
        }
        // A number of `per` mWh and `parts`, such as the 60 watt-minutes of a watt-hour.
        let (per, parts) = match unit {
            Unit::WattHours => (MWH_PER_WH, 1),
            Unit::KilowattHours => (MWH_PER_KWH, 1),
            Unit::MegawattHours => (MWH_PER_MEGAWATT_HOUR, 1),
            Unit::WattMinutes => (MWH_PER_WH, 60),
        };
        // Twelve digits after the mark are more than any unit needs for a mWh; further ones only decide how it is rounded, where 5 and
        // nothing is as good as 5 and more.
        const DIGITS: usize = 12;
        const SCALE: u128 = 1_000_000_000_000;
        let kept = fraction.bytes().map(|digit| u128::from(digit - b'0')).chain(std::iter::repeat(0)).take(DIGITS);
        let fraction = kept.fold(0, |number, digit| number * 10 + digit);
        let whole: u128 = whole.parse().map_err(|_| NotEnergy::TooLarge)?;
        let scaled = whole.checked_mul(SCALE).and_then(|scaled| scaled.checked_add(fraction));
        let scaled = scaled.and_then(|scaled| scaled.checked_mul(per.into())).ok_or(NotEnergy::TooLarge)?;
        let divisor = SCALE * parts;
        let half = if rounding == Rounding::Nearest { divisor / 2 } else { 0 };
        let mwh = scaled.checked_add(half).ok_or(NotEnergy::TooLarge)? / divisor;
        u64::try_from(mwh).map(Self).map_err(|_| NotEnergy::TooLarge)
    }

    /// `parts` of a `whole`, rounded down. A whole of 0 has no parts.
    pub fn part(self, parts: u64, whole: u64) -> Self {
        let mwh = (u128::from(self.0) * u128::from(parts)).checked_div(whole.into()).unwrap_or(0);
        Self(u64::try_from(mwh).unwrap_or(u64::MAX))
    }
}

/// In kWh, with all digits that are not 0.
impl fmt::Display for Energy {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (kwh, rest) = (self.0 / MWH_PER_KWH, self.0 % MWH_PER_KWH);
        if rest == 0 {
            return write!(f, "{kwh} kWh");
        }
        let rest = format!("{rest:06}");
        write!(f, "{kwh}.{} kWh", rest.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(text: &str, unit: Unit) -> Result<u64, NotEnergy> {
        Energy::from_decimal(text, '.', unit, Rounding::Down).map(Energy::mwh)
    }

    #[test]
    fn decimals_become_mwh_without_a_float() {
        for (text, unit, mwh) in [
            ("4567.890", Unit::KilowattHours, 4_567_890_000),
            ("131881.85", Unit::WattHours, 131_881_850),
            ("611.53", Unit::WattMinutes, 10_192),
            ("60", Unit::WattMinutes, 1_000),
            ("001285.951", Unit::KilowattHours, 1_285_951_000),
            ("000000058", Unit::WattHours, 58_000),
            ("00019949.3221493", Unit::KilowattHours, 19_949_322_149),
            ("2209397", Unit::WattHours, 2_209_397_000),
            ("0", Unit::KilowattHours, 0),
            ("7.", Unit::KilowattHours, 7_000_000),
            (" 59\n", Unit::WattHours, 59_000),
            ("0.000000999", Unit::KilowattHours, 0),
            ("0.0000000019", Unit::MegawattHours, 1),
            ("18446744073.709551615", Unit::MegawattHours, u64::MAX),
        ] {
            assert_eq!(register(text, unit), Ok(mwh), "{text}");
        }
    }

    #[test]
    fn an_interval_is_rounded_to_the_next_mwh_and_a_register_down() {
        for (text, register, interval) in [
            ("0.120999999999185", 120_999, 121_000),
            ("0,0000005", 0, 1),
            ("0,00000049999999", 0, 0),
            ("1,5", 1_500_000, 1_500_000),
        ] {
            let mark = if text.contains(',') { ',' } else { '.' };
            let read = |rounding| Energy::from_decimal(text, mark, Unit::KilowattHours, rounding).map(Energy::mwh);
            assert_eq!((read(Rounding::Down), read(Rounding::Nearest)), (Ok(register), Ok(interval)), "{text}");
        }
    }

    #[test]
    fn energy_is_shown_in_kwh_with_all_its_digits() {
        for (mwh, shown) in [(0, "0 kWh"), (1, "0.000001 kWh"), (1_500_000, "1.5 kWh"), (120_530_000_000, "120530 kWh")]
        {
            assert_eq!(Energy::from_mwh(mwh).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_no_energy() {
        for text in [
            "null",
            "unavailable",
            "unknown",
            "NaN",
            "inf",
            "1e3",
            "+1",
            "1,5",
            "1.2.3",
            ".5",
            ".",
            "1 000",
            "0x10",
            "١",
        ] {
            assert_eq!(register(text, Unit::KilowattHours), Err(NotEnergy::NotDecimal), "{text}");
        }
        for text in ["-1", "-0.5", "-5."] {
            assert_eq!(register(text, Unit::KilowattHours), Err(NotEnergy::Negative), "{text}");
        }
        assert_eq!(register("-", Unit::KilowattHours), Err(NotEnergy::NotDecimal));
        for text in ["", "  "] {
            assert_eq!(register(text, Unit::KilowattHours), Err(NotEnergy::Empty));
        }
        for text in ["18446744073710", "99999999999999999999999999999999999999999999"] {
            assert_eq!(register(text, Unit::KilowattHours), Err(NotEnergy::TooLarge), "{text}");
        }
    }
}
