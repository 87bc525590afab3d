//! Who is to be sold how much of what a meter exports, and the next delivery that says so. It counts from totals: what a
//! consumer is entitled to since its account was opened, less what the chain shows. So fractions of a kWh carry over, a
//! correction heals by itself, and a delivery whose answer was lost is found instead of repeated.

use thiserror::Error;

use crate::energy::Energy;

/// The most transactions that an agreement has, and the most that a register shows: limits of the contract.
pub const MAX_TRANSACTIONS: u32 = 40;
pub const MAX_READING: u64 = (1 << 35) - 1;

/// An agreement's last transaction waits until so long before its deadline, unless it fills the agreement.
const LAST_SECONDS: u64 = 6 * 3_600;

/// A fixed part of what is exported, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    pub const WHOLE: u32 = 1_000_000;

    /// `None` above the whole.
    pub fn from_millionths(millionths: u32) -> Option<Self> {
        (millionths <= Self::WHOLE).then_some(Self(millionths))
    }

    pub fn millionths(self) -> u32 {
        self.0
    }

    fn of(self, energy: Energy) -> Energy {
        energy.part(self.0.into(), Self::WHOLE.into())
    }
}

/// What a consumer is entitled to, as the journal keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub share: Share,
    /// The reading from which the share counts.
    pub from: Energy,
    /// What it was entitled to at that reading.
    pub entitled: Energy,
    /// kWh that its agreements had been delivered when the account was opened.
    pub delivered_before: u64,
}

impl Account {
    pub fn open(share: Share, reading: Energy, delivered_kwh: u64) -> Self {
        Self { share, from: reading, entitled: Energy::ZERO, delivered_before: delivered_kwh }
    }

    pub fn entitled(&self, reading: Energy) -> Energy {
        let since = self.share.of(reading.saturating_sub(self.from));
        self.entitled.checked_add(since).unwrap_or(Energy::from_mwh(u64::MAX))
    }

    /// Whole kWh that are still to be delivered. A lower total than what was delivered only delays the next delivery.
    pub fn due(&self, reading: Energy, delivered_kwh: u64) -> u64 {
        self.entitled(reading).kwh().saturating_sub(self.delivered(delivered_kwh))
    }

    /// Nobody buys what is exported until this reading: whole kWh that are due are the supplier's, a fraction stays.
    pub fn skip(&mut self, reading: Energy, delivered_kwh: u64) {
        let entitled = self.entitled(reading);
        let unsold = Energy::from_kwh(self.due(reading, delivered_kwh)).unwrap_or(entitled);
        self.entitled = entitled.saturating_sub(unsold);
        self.from = reading;
    }

    pub fn change_share(&mut self, reading: Energy, share: Share) {
        self.entitled = self.entitled(reading);
        self.from = reading;
        self.share = share;
    }

    /// The meter was exchanged: the old one showed this at last, and the new one was certified at that.
    pub fn exchange_meter(&mut self, last: Energy, first: Energy) {
        self.entitled = self.entitled(last);
        self.from = first;
    }

    fn delivered(&self, delivered_kwh: u64) -> u64 {
        delivered_kwh.saturating_sub(self.delivered_before)
    }
}

/// A provider's register on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seller {
    pub meter_start: u64,
    pub meter_reading: u64,
    pub read_at: u64,
    pub energy_sold_kwh: u64,
    pub max_power_kw: u64,
}

/// An agreement on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    pub id: u64,
    pub energy_amount_kwh: u64,
    pub energy_delivered_kwh: u64,
    pub delivery_deadline: u64,
    pub cancelled: bool,
    pub funded: bool,
    pub transactions: u32,
    pub last_reading: Option<u64>,
    /// A delivery now would join its last transaction, which was paid at once today.
    pub joins: bool,
}

impl Agreement {
    fn remaining(&self) -> u64 {
        self.energy_amount_kwh.saturating_sub(self.energy_delivered_kwh)
    }
}

/// What was agreed with a consumer about payment. The first delivery rules out a deposit, so one that was agreed is
/// waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    Deposit,
    Bill,
}

/// A consumer that the configuration names, and its agreements with the provider.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub account: Account,
    pub pays: Pays,
    pub agreements: Vec<Agreement>,
}

impl Consumer {
    /// kWh that all its agreements were delivered: what the chain shows of this account.
    pub fn delivered_kwh(&self) -> u64 {
        let delivered = self.agreements.iter().map(|agreement| agreement.energy_delivered_kwh);
        delivered.fold(0, u64::saturating_add)
    }

    /// Its agreements that may be filled now, the oldest first.
    pub fn open_agreements(&self, now: u64) -> impl Iterator<Item = &Agreement> {
        let mut open: Vec<_> = self.agreements.iter().filter(|agreement| self.may_fill(agreement, now)).collect();
        open.sort_by_key(|agreement| agreement.id);
        open.into_iter()
    }

    fn may_fill(&self, agreement: &Agreement, now: u64) -> bool {
        let has_place = agreement.transactions < MAX_TRANSACTIONS || agreement.joins;
        let is_paid_as_agreed = self.pays == Pays::Bill || agreement.funded;
        let is_active = !agreement.cancelled && now <= agreement.delivery_deadline && agreement.remaining() > 0;
        is_active && has_place && is_paid_as_agreed
    }
}

/// The arguments of a `deliver_energy` call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub agreement_id: u64,
    pub energy_kwh: u64,
    pub meter_reading: u64,
}

/// Why nothing may be delivered until a person has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Stop {
    #[error(
        "the meter shows {register} kWh, and the chain {chain}: was it exchanged, or does another gateway use its key?"
    )]
    BelowChain { register: u64, chain: u64 },
    #[error("the meter shows {register} kWh, more than the contract takes")]
    AboveHighest { register: u64 },
}

/// The next delivery that is due at a reading that is believed, at the ledger's time.
pub fn next_delivery(
    seller: &Seller,
    consumers: &[Consumer],
    reading: Energy,
    now: u64,
) -> Result<Option<Delivery>, Stop> {
    let meter_reading = reading.kwh();
    if meter_reading < seller.meter_reading {
        return Err(Stop::BelowChain { register: meter_reading, chain: seller.meter_reading });
    }
    if meter_reading > MAX_READING {
        return Err(Stop::AboveHighest { register: meter_reading });
    }
    if now < can_be_read_from(seller, meter_reading) {
        return Ok(None);
    }
    let unsold = meter_reading.saturating_sub(seller.meter_start).saturating_sub(seller.energy_sold_kwh);
    let delivery = |consumer: &Consumer| {
        let due = consumer.account.due(reading, consumer.delivered_kwh()).min(unsold);
        let agreement = consumer.open_agreements(now).find(|agreement| is_new(seller, agreement, meter_reading))?;
        let energy_kwh = due.min(agreement.remaining());
        let delivery = Delivery { agreement_id: agreement.id, energy_kwh, meter_reading };
        (energy_kwh > 0 && is_time(agreement, energy_kwh, now)).then_some(delivery)
    };
    Ok(consumers.iter().find_map(delivery))
}

/// When the contract takes the reading: a plant needs its time for what it exports, except for one kWh.
fn can_be_read_from(seller: &Seller, meter_reading: u64) -> u64 {
    match (meter_reading - seller.meter_reading).checked_sub(1) {
        Some(kwh) if seller.max_power_kw > 0 => {
            seller.read_at.saturating_add(kwh.saturating_mul(3_600).div_ceil(seller.max_power_kw))
        }
        _ => 0,
    }
}

/// Within an agreement each reading is higher than the one before, until the meter is exchanged.
fn is_new(seller: &Seller, agreement: &Agreement, meter_reading: u64) -> bool {
    agreement.last_reading.is_none_or(|last| meter_reading > last || seller.meter_reading < last)
}

/// The last transaction is kept for what is left.
fn is_time(agreement: &Agreement, energy_kwh: u64, now: u64) -> bool {
    let is_last = agreement.transactions == MAX_TRANSACTIONS - 1 && !agreement.joins;
    !is_last || energy_kwh == agreement.remaining() || agreement.delivery_deadline - now < LAST_SECONDS
}
