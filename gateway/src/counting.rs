//! Who is to be sold how much of what a meter exports, and the next delivery that says so. It counts from totals: what a
//! consumer is entitled to since its account was opened, less what the chain shows. So fractions of a kWh carry over, a
//! correction heals by itself, and a delivery whose answer was lost is found instead of repeated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::energy::Energy;

/// The most transactions that an agreement has, and the most that a register shows: limits of the contract.
pub const MAX_TRANSACTIONS: u32 = 40;
pub const MAX_READING: u64 = (1 << 35) - 1;

/// An agreement's last transaction waits until so long before its deadline, unless it fills the agreement.
const LAST_SECONDS: u64 = 6 * 3_600;

/// A fixed part of what is exported, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(u32);

impl Share {
    pub const WHOLE: u32 = 1_000_000;
    pub const NONE: Self = Self(0);

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

/// What a consumer is entitled to since its account was opened, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub share: Share,
    /// The reading from which the share counts.
    pub from: Energy,
    /// What it was entitled to at that reading.
    pub entitled: Energy,
    /// The first agreement that counts, and the last one that could be filled when it was looked at.
    pub since: u64,
    pub until: u64,
    /// An older one that may get its deposit yet: so far back the chain is read, though it does not count.
    pub waits: Option<u64>,
    /// kWh delivered in agreements that no longer count.
    pub delivered_before: i64,
    /// What agreements that count had been delivered before they did, if anything.
    #[serde(default)]
    pub had: BTreeMap<u64, u64>,
}

impl Account {
    /// An account that counts from this reading on, beginning with the oldest of these agreements.
    pub fn open<'a>(
        share: Share,
        reading: Energy,
        agreements: impl IntoIterator<Item = &'a Agreement> + Clone,
    ) -> Self {
        let ids = || agreements.clone().into_iter().map(|agreement| agreement.id);
        let (since, until) = (ids().min().unwrap_or(0), ids().max().unwrap_or(0));
        let mut account = Self {
            share,
            from: reading,
            entitled: Energy::ZERO,
            since,
            until,
            waits: None,
            delivered_before: 0,
            had: BTreeMap::new(),
        };
        account.begin_with(agreements);
        account
    }

    /// What these agreements were delivered so far is no part of what is counted.
    fn begin_with<'a>(&mut self, agreements: impl IntoIterator<Item = &'a Agreement>) {
        let delivered = agreements.into_iter().filter(|agreement| agreement.energy_delivered_kwh > 0);
        self.had.extend(delivered.map(|agreement| (agreement.id, agreement.energy_delivered_kwh)));
    }

    /// No agreement had more than it is shown with: a server made that up.
    pub fn correct(&mut self, agreements: &[Agreement]) {
        for Agreement { id, energy_delivered_kwh, .. } in agreements {
            if let Some(had) = self.had.get_mut(id) {
                *had = (*had).min(*energy_delivered_kwh);
            }
        }
    }

    /// kWh that were delivered in this agreement since it counts.
    fn delivered_in(&self, agreement: &Agreement) -> i64 {
        let had = self.had.get(&agreement.id).copied().unwrap_or(0);
        signed(agreement.energy_delivered_kwh.saturating_sub(had))
    }

    pub fn entitled(&self, reading: Energy) -> Energy {
        let since = self.share.of(reading.saturating_sub(self.from));
        self.entitled.checked_add(since).unwrap_or(Energy::from_mwh(u64::MAX))
    }

    /// kWh that were delivered on this account.
    pub fn delivered(&self, agreements: &[Agreement]) -> i64 {
        let counted = agreements.iter().filter(|agreement| agreement.id >= self.since);
        let delivered = counted.map(|agreement| self.delivered_in(agreement));
        delivered.fold(self.delivered_before, i64::saturating_add)
    }

    /// Whole kWh that are still to be delivered. A lower total than what was delivered only delays the next delivery.
    pub fn due(&self, reading: Energy, agreements: &[Agreement]) -> u64 {
        let due = i128::from(self.entitled(reading).kwh()) - i128::from(self.delivered(agreements));
        u64::try_from(due).unwrap_or(0)
    }

    /// Nobody buys what is exported until this reading: what is due is the supplier's, with its fraction, since nothing tells
    /// how much of it was exported while somebody did. What was delivered too much stays a debt.
    pub fn skip(&mut self, reading: Energy, agreements: &[Agreement]) {
        let delivered = u64::try_from(self.delivered(agreements)).unwrap_or(0);
        let delivered = Energy::from_kwh(delivered).unwrap_or(Energy::ZERO);
        self.entitled = self.entitled(reading).min(delivered);
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

    /// An agreement that did not count may be filled after all, since its deposit came later than a younger one's, or since a
    /// server had said that it was over. What it was delivered before is no part of what is counted from now on.
    pub fn reopen(&mut self, agreements: &[Agreement], oldest_open: u64) {
        if oldest_open < self.since {
            let since = self.since;
            let counted = agreements.iter().filter(|agreement| (oldest_open..since).contains(&agreement.id));
            self.begin_with(counted);
            self.since = oldest_open;
        }
    }

    pub fn wait_for_deposits(&mut self, agreements: &[Agreement], now: u64) {
        let older = agreements.iter().filter(|agreement| agreement.id < self.since && !agreement.has_ended(now));
        self.waits = older.map(|agreement| agreement.id).min();
    }

    /// Agreements that have ended need not be read for ever: what they were delivered is remembered in their place, if it is
    /// settled. Else another server, which may show another total, is believed as long as they are read.
    pub fn forget_ended(&mut self, agreements: &[Agreement], now: u64, is_settled: impl Fn(&Agreement) -> bool) {
        let mut counted: Vec<_> = agreements.iter().filter(|agreement| agreement.id >= self.since).collect();
        counted.sort_by_key(|agreement| agreement.id);
        for pair in counted.windows(2) {
            let [ended, next] = pair else { continue };
            if !ended.has_ended(now) || !is_settled(ended) {
                break;
            }
            self.delivered_before = self.delivered_before.saturating_add(self.delivered_in(ended));
            self.since = next.id;
        }
        self.had.retain(|id, _| *id >= self.since);
    }
}

/// What agreements were delivered, as it is read, is far below the most of either type.
fn signed(kwh: u64) -> i64 {
    i64::try_from(kwh).unwrap_or(i64::MAX)
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
    pub created_at: u64,
    pub delivery_deadline: u64,
    pub cancelled: bool,
    pub funded: bool,
    pub transactions: u32,
    pub last_reading: Option<u64>,
    /// A delivery now would join its last transaction, which was paid at once today.
    pub joins: bool,
}

impl Agreement {
    pub fn remaining(&self) -> u64 {
        self.energy_amount_kwh.saturating_sub(self.energy_delivered_kwh)
    }

    /// Whether nothing can be delivered any more.
    pub fn has_ended(&self, now: u64) -> bool {
        let is_full = self.transactions >= MAX_TRANSACTIONS && !self.joins;
        self.cancelled || now > self.delivery_deadline || self.remaining() == 0 || is_full
    }

    /// Whether it may be filled now, with the payment that was agreed.
    pub fn may_fill(&self, pays: Pays, now: u64) -> bool {
        !self.has_ended(now) && (pays == Pays::Bill || self.funded)
    }
}

/// What was agreed with a consumer about payment. The first delivery rules out a deposit, so one that was agreed is
/// waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    Deposit,
    Bill,
}

/// An agreement that may be filled, and kWh that are due for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub agreement: Agreement,
    pub due_kwh: u64,
}

/// A consumer's agreements that may be filled, the oldest first, with what is due for each: what one of them has no room
/// for goes to the next.
pub fn claims(account: &Account, pays: Pays, agreements: &[Agreement], reading: Energy, now: u64) -> Vec<Claim> {
    let mut due = account.due(reading, agreements);
    let mut open: Vec<_> = agreements.iter().filter(|agreement| agreement.may_fill(pays, now)).collect();
    open.sort_by_key(|agreement| agreement.id);
    let claim = |agreement: &Agreement| {
        let due_kwh = due.min(agreement.remaining());
        due -= due_kwh;
        Claim { agreement: *agreement, due_kwh }
    };
    open.into_iter().map(claim).collect()
}

/// The arguments of a `deliver_energy` call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub fn next_delivery(seller: &Seller, claims: &[Claim], reading: Energy, now: u64) -> Result<Option<Delivery>, Stop> {
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
    let delivery = |claim: &Claim| {
        let Claim { agreement, due_kwh } = claim;
        let energy_kwh = unsold.min(*due_kwh).min(agreement.remaining());
        let may_be_sent = is_new(seller, agreement, meter_reading) && is_time(agreement, energy_kwh, now);
        (energy_kwh > 0 && may_be_sent).then_some(Delivery { agreement_id: agreement.id, energy_kwh, meter_reading })
    };
    Ok(claims.iter().find_map(delivery))
}

/// What the chain shows after a delivery, as far as it decides what is due next.
pub fn record(seller: &mut Seller, claims: &mut [Claim], delivery: &Delivery) {
    seller.meter_reading = delivery.meter_reading;
    seller.energy_sold_kwh += delivery.energy_kwh;
    for Claim { agreement, due_kwh } in claims {
        if agreement.id == delivery.agreement_id {
            agreement.energy_delivered_kwh += delivery.energy_kwh;
            agreement.last_reading = Some(delivery.meter_reading);
            *due_kwh -= delivery.energy_kwh;
        }
    }
}

/// When the contract takes the reading: a plant needs its time for what it exports, except for one kWh.
pub fn can_be_read_from(seller: &Seller, meter_reading: u64) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;
    const DEADLINE: u64 = NOW + 86_400;

    fn seller() -> Seller {
        Seller { meter_start: 100, meter_reading: 120, read_at: NOW, energy_sold_kwh: 15, max_power_kw: 10 }
    }

    fn agreement(id: u64) -> Agreement {
        Agreement {
            id,
            energy_amount_kwh: 50,
            energy_delivered_kwh: 20,
            created_at: 0,
            delivery_deadline: DEADLINE,
            cancelled: false,
            funded: true,
            transactions: 3,
            last_reading: Some(120),
            joins: false,
        }
    }

    fn kwh(kwh: u64) -> Energy {
        Energy::from_kwh(kwh).unwrap()
    }

    fn next(seller: &Seller, agreement: Agreement, due_kwh: u64, reading: u64, now: u64) -> Option<u64> {
        let next = next_delivery(seller, &[Claim { agreement, due_kwh }], kwh(reading), now).unwrap();
        next.map(|delivery| {
            assert_eq!((delivery.agreement_id, delivery.meter_reading), (agreement.id, reading));
            delivery.energy_kwh
        })
    }

    #[test]
    fn a_delivery_is_what_is_due_as_far_as_it_was_exported_and_has_room() {
        assert_eq!(next(&seller(), agreement(1), 4, 121, NOW), Some(4));
        // 21 kWh were exported, and 15 are sold.
        assert_eq!(next(&seller(), agreement(1), 9, 121, NOW), Some(6));
        let nearly_full = Agreement { energy_delivered_kwh: 48, ..agreement(1) };
        assert_eq!(next(&seller(), nearly_full, 4, 121, NOW), Some(2));
        assert_eq!(next(&seller(), agreement(1), 0, 121, NOW), None);
        let all_sold = Seller { energy_sold_kwh: 21, ..seller() };
        assert_eq!(next(&all_sold, agreement(1), 4, 121, NOW), None);
    }

    #[test]
    fn a_reading_between_the_chains_and_the_highest_is_sent_once() {
        let at = |reading| next_delivery(&seller(), &[], kwh(reading), u64::MAX);
        assert_eq!(at(119), Err(Stop::BelowChain { register: 119, chain: 120 }));
        assert_eq!((at(120), at(MAX_READING)), (Ok(None), Ok(None)));
        assert_eq!(MAX_READING, 34_359_738_367);
        assert_eq!(at(MAX_READING + 1), Err(Stop::AboveHighest { register: MAX_READING + 1 }));
        assert_eq!(next(&seller(), agreement(1), 4, 120, NOW), None);
        let other = Agreement { last_reading: Some(119), ..agreement(1) };
        assert_eq!(next(&seller(), other, 4, 120, NOW), Some(4));
        // Of the meter before.
        let of_before = Agreement { last_reading: Some(5_000), ..agreement(1) };
        assert_eq!(next(&seller(), of_before, 4, 121, NOW), Some(4));
    }

    #[test]
    fn a_plant_has_its_time_for_all_but_one_kwh() {
        for (reading, seconds) in [(120, 0), (121, NOW), (122, NOW + 360), (131, NOW + 3_600)] {
            assert_eq!(can_be_read_from(&seller(), reading), seconds, "{reading} kWh");
        }
        assert_eq!(can_be_read_from(&Seller { max_power_kw: 7, ..seller() }, 122), NOW + 515);
        assert_eq!(can_be_read_from(&Seller { max_power_kw: 0, ..seller() }, 5_000), 0);
        assert_eq!(next(&seller(), agreement(1), 4, 122, NOW + 359), None);
        assert_eq!(next(&seller(), agreement(1), 4, 122, NOW + 360), Some(4));
    }

    #[test]
    fn the_last_transaction_waits_for_what_fills_it_or_for_the_last_six_hours() {
        let last = Agreement { transactions: 39, ..agreement(1) };
        let late = DEADLINE - 6 * 3_600;
        assert_eq!((next(&seller(), last, 4, 121, late), next(&seller(), last, 4, 121, late + 1)), (None, Some(4)));
        assert_eq!(next(&seller(), Agreement { joins: true, ..last }, 4, 121, NOW), Some(4));
        assert_eq!(next(&seller(), Agreement { transactions: 38, ..last }, 4, 121, NOW), Some(4));
        assert_eq!(next(&seller(), Agreement { energy_delivered_kwh: 46, ..last }, 4, 121, NOW), Some(4));
    }

    #[test]
    fn an_agreement_ends_by_its_deadline_its_kwh_its_transactions_or_a_word() {
        let full = Agreement { transactions: MAX_TRANSACTIONS, ..agreement(1) };
        for (agreement, now, has_ended) in [
            (agreement(1), DEADLINE, false),
            (agreement(1), DEADLINE + 1, true),
            (Agreement { energy_delivered_kwh: 49, ..agreement(1) }, NOW, false),
            (Agreement { energy_delivered_kwh: 50, ..agreement(1) }, NOW, true),
            (Agreement { cancelled: true, ..agreement(1) }, NOW, true),
            (Agreement { transactions: 39, ..agreement(1) }, NOW, false),
            (full, NOW, true),
            (Agreement { joins: true, ..full }, NOW, false),
        ] {
            assert_eq!(agreement.has_ended(now), has_ended, "{agreement:?}");
            assert_eq!(agreement.may_fill(Pays::Deposit, now), !has_ended, "{agreement:?}");
        }
        let unfunded = Agreement { funded: false, ..agreement(1) };
        assert_eq!((unfunded.may_fill(Pays::Deposit, NOW), unfunded.may_fill(Pays::Bill, NOW)), (false, true));
    }

    #[test]
    fn what_an_agreement_has_no_room_for_is_the_next_ones() {
        let both = [agreement(2), Agreement { energy_delivered_kwh: 45, ..agreement(1) }];
        let share = Share::from_millionths(500_000).unwrap();
        let account = Account::open(share, kwh(100), &both);
        assert_eq!((account.since, account.until, &account.had), (1, 2, &[(1, 45), (2, 20)].into()));
        let due = |reading| {
            let claims = claims(&account, Pays::Deposit, &both, kwh(reading), NOW);
            claims.iter().map(|claim| (claim.agreement.id, claim.due_kwh)).collect::<Vec<_>>()
        };
        assert_eq!(due(107), [(1, 3), (2, 0)]);
        assert_eq!(due(140), [(1, 5), (2, 15)]);
        let mut claims = claims(&account, Pays::Deposit, &both, kwh(140), NOW);
        let mut seller = seller();
        record(&mut seller, &mut claims, &Delivery { agreement_id: 1, energy_kwh: 5, meter_reading: 140 });
        assert_eq!((seller.meter_reading, seller.energy_sold_kwh), (140, 20));
        let shown: Vec<_> = claims
            .iter()
            .map(|claim| (claim.due_kwh, claim.agreement.energy_delivered_kwh, claim.agreement.last_reading))
            .collect();
        assert_eq!(shown, [(0, 50, Some(140)), (15, 20, Some(120))]);
    }

    #[test]
    fn a_share_that_changes_counts_what_it_was_until_then() {
        let share = |millionths| Share::from_millionths(millionths).unwrap();
        let mut account = Account::open(share(500_000), kwh(100), &[]);
        account.change_share(kwh(110), share(250_000));
        assert_eq!(account.entitled(kwh(130)), kwh(10));
        // Nobody bought: what was delivered is all that it had, with no fraction.
        account.skip(kwh(130), &[Agreement { energy_delivered_kwh: 7, ..agreement(1) }]);
        assert_eq!((account.entitled(kwh(130)), account.entitled(kwh(134))), (kwh(7), kwh(8)));
        assert_eq!(
            (Share::from_millionths(1_000_000), Share::from_millionths(1_000_001)),
            (Some(Share(1_000_000)), None)
        );
        assert_eq!(share(333_333).millionths(), 333_333);
    }
}
