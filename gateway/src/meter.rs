//! What a provider's meter has said: what of it is believed, how old that is, and what was no reading.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::counting::Seller;
use crate::energy::Energy;
use crate::input::{NoReading, Sample};
use crate::register::{Odd, Reading, Register, Verdict};
use crate::report::{LastNoReading, MeterReport, NoReadings, Observed};

const TOLD_EVERY: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub struct Meter {
    register: Option<Register>,
    /// The last sample, whether it is believed or not.
    last: Option<(Instant, Energy)>,
    /// Two samples have agreed since it began.
    is_confirmed: bool,
    /// When it began, and what the chain showed then.
    began: Option<Instant>,
    began_from_kwh: u64,
    /// Samples that were no readings, by the reason's short name, and the last reason in words.
    refused: BTreeMap<&'static str, u64>,
    last_refused: Option<LastNoReading>,
    /// When each of these reasons was told last.
    told: BTreeMap<&'static str, Instant>,
    news: bool,
    /// Odd values have lasted: a person has to look.
    lasting: Option<Odd>,
    /// Why there is no connection.
    lost: Option<String>,
}

impl Meter {
    /// Samples are judged from here on: by the last reading of the chain, or by a later one that the journal has.
    pub fn begin(&mut self, seller: &Seller, believed: Option<Reading>, max_power_kw: u64, now: u64) {
        let chain =
            Reading { at: seller.read_at.min(now), energy: Energy::from_kwh(seller.meter_reading).unwrap_or_default() };
        let later = believed.filter(|believed| believed.energy >= chain.energy && believed.at <= now);
        self.register = Some(Register::new(max_power_kw, later.unwrap_or(chain)));
        self.lasting = None;
        self.is_confirmed = false;
        self.began = Some(Instant::now());
        self.began_from_kwh = seller.meter_reading;
    }

    /// Whether it has to begin anew: with another power, or since the chain showed a higher reading when it began, as a server
    /// may have made up.
    pub fn must_begin(&self, seller: &Seller, max_power_kw: u64) -> bool {
        self.max_power_kw() != Some(max_power_kw) || seller.meter_reading < self.began_from_kwh
    }

    /// It has begun so lately that nobody has to know that no two samples have agreed yet.
    pub fn is_beginning(&self, max_age: Duration) -> bool {
        let is_young = self.began.is_some_and(|began| began.elapsed() < max_age);
        is_young && !self.is_confirmed && self.lasting.is_none()
    }

    fn max_power_kw(&self) -> Option<u64> {
        self.register.as_ref().map(Register::max_power_kw)
    }

    /// Whether odd values have lasted.
    pub fn is_lasting(&self) -> bool {
        self.lasting.is_some()
    }

    pub fn connection(&mut self, lost: Option<String>) {
        self.lost = lost;
    }

    /// Whether another value is believed now.
    pub fn take(&mut self, said: Result<Sample, NoReading>, now: u64) -> bool {
        let sample = match said {
            Ok(sample) => sample,
            Err(why) => {
                self.refuse(why.label(), why.to_string(), now);
                return false;
            }
        };
        self.last = Some((Instant::now(), sample.energy));
        let Some(register) = &mut self.register else { return false };
        let before = register.believed();
        let verdict = register.take(Reading { at: now, energy: sample.energy });
        let is_changed = register.believed() != before;
        match verdict {
            Verdict::Confirms => {
                self.is_confirmed = true;
                self.lasting = None;
            }
            Verdict::Waits => self.lasting = None,
            Verdict::Ignored(odd) | Verdict::Lasting(odd) => {
                self.refuse(label(odd), words(odd, sample.energy, before.energy), now);
                if matches!(verdict, Verdict::Lasting(_)) {
                    self.lasting = Some(odd);
                }
            }
        }
        is_changed
    }

    fn refuse(&mut self, label: &'static str, why: String, at: u64) {
        *self.refused.entry(label).or_default() += 1;
        self.last_refused = Some(LastNoReading { reason: why, at });
        let is_news = self.told.get(label).is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if is_news {
            self.told.insert(label, Instant::now());
            self.news = true;
        }
    }

    /// Why the last sample was no reading, unless that was told lately: a noisy line must not fill the log.
    pub fn news(&mut self) -> Option<String> {
        let is_news = std::mem::take(&mut self.news);
        self.last_refused.as_ref().filter(|_| is_news).map(|last| last.reason.clone())
    }

    pub fn report(&self, now: u64) -> MeterReport {
        let counts = self.refused.iter().map(|(label, count)| (label.to_string(), *count)).collect();
        MeterReport {
            believed: self
                .believed()
                .map(|Reading { at, energy }| Observed { kwh: energy, age_seconds: now.saturating_sub(at) }),
            sample: self.last.map(|(at, energy)| Observed { kwh: energy, age_seconds: at.elapsed().as_secs() }),
            no_reading: NoReadings { counts, last: self.last_refused.clone() },
        }
    }

    pub fn believed(&self) -> Option<Reading> {
        self.register.as_ref().map(Register::believed)
    }

    /// What the meter itself has shown since it began.
    pub fn confirmed(&self) -> Option<Reading> {
        self.believed().filter(|_| self.is_confirmed)
    }

    /// Why nothing may be delivered by this meter at this time of the ledger's clock.
    pub fn trouble(&self, max_age: Duration, now: u64) -> Option<String> {
        if self.lasting.is_some() {
            let why = self.last_refused.as_ref().map_or("", |last| &last.reason);
            return Some(format!("{why}: was the meter exchanged? Then have the new one certified"));
        }
        let why = self
            .lost
            .as_ref()
            .or(self.last_refused.as_ref().map(|last| &last.reason))
            .map_or(String::new(), |why| format!(": {why}"));
        let age = self.confirmed().map(|believed| now.saturating_sub(believed.at));
        match age {
            Some(age) if age <= max_age.as_secs() => None,
            Some(age) => Some(format!("no good reading for {age} s{why}")),
            None => Some(format!("no two samples of the meter have agreed yet{why}")),
        }
    }
}

fn label(odd: Odd) -> &'static str {
    match odd {
        Odd::Lower => "lower",
        Odd::TooHigh => "too_high",
        Odd::Old => "out_of_order",
    }
}

fn words(odd: Odd, shown: Energy, believed: Energy) -> String {
    match odd {
        Odd::Lower => format!("the meter shows {shown}, less than {believed} before"),
        Odd::TooHigh => format!("the meter shows {shown}, more than the plant can have exported since {believed}"),
        Odd::Old => format!("a sample of {shown} came late"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_now_are_judged_though_the_chain_counts_from_a_later_time() {
        let seller =
            Seller { meter_start: 100, meter_reading: 120, read_at: 5_000, energy_sold_kwh: 0, max_power_kw: 12 };
        let sample = |kwh| Ok(Sample { energy: Energy::from_kwh(kwh).unwrap(), meter_id: None, time: None });
        let mut meter = Meter::default();
        meter.begin(&seller, None, 12, 1_000);
        assert!(!meter.take(sample(121), 1_000));
        assert!(meter.take(sample(121), 1_005));
        assert_eq!(meter.believed(), Some(Reading { at: 1_000, energy: Energy::from_kwh(121).unwrap() }));
    }

    #[test]
    fn a_reading_that_a_server_made_up_when_it_began_is_no_reading_of_the_meter() {
        let truth = Seller { meter_start: 100, meter_reading: 120, read_at: 500, energy_sold_kwh: 0, max_power_kw: 12 };
        let lie = Seller { meter_reading: 1_000_000, ..truth };
        let sample = |kwh| Ok(Sample { energy: Energy::from_kwh(kwh).unwrap(), meter_id: None, time: None });
        let mut meter = Meter::default();
        assert!(meter.must_begin(&lie, 12));
        meter.begin(&lie, None, 12, 1_000);
        meter.take(sample(121), 1_000);
        meter.take(sample(121), 1_005);
        assert_eq!((meter.confirmed(), meter.must_begin(&lie, 12), meter.must_begin(&truth, 12)), (None, false, true));
        meter.begin(&truth, meter.confirmed(), 12, 1_010);
        meter.take(sample(121), 1_010);
        meter.take(sample(121), 1_015);
        assert_eq!(meter.confirmed(), Some(Reading { at: 1_010, energy: Energy::from_kwh(121).unwrap() }));
        let delivered = Seller { meter_reading: 121, ..truth };
        assert_eq!((meter.must_begin(&delivered, 12), meter.must_begin(&delivered, 11)), (false, true));
    }
}
