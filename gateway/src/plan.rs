//! What changes in the consumers' accounts when the chain and the meter have been read, and what speaks against a delivery.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::book::{Certificate, Ended, Entry, ProviderMemory, Signed, DAY};
use crate::chain::records;
use crate::counting::{Account, Agreement, Claim, Pays, Seller, Share};
use crate::energy::Energy;

/// A server that says it is so many seconds later than it is may be right: computers' clocks differ.
pub const AHEAD: u64 = 120;

/// A consumer of the configuration with its agreements, as the chain shows them.
#[derive(Clone, Debug)]
pub struct Party {
    /// As the journal names it.
    pub address: String,
    pub share: Share,
    pub pays: Pays,
    pub agreements: Vec<Agreement>,
}

impl Party {
    pub fn has(&self, agreement_id: u64) -> bool {
        self.agreements.iter().any(|agreement| agreement.id == agreement_id)
    }
}

/// The chain shows less than this gateway has recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the server shows {shown} kWh delivered in agreement {agreement_id}, and {recorded} kWh were recorded: it is behind, or it lies")]
pub struct ShowsLess {
    pub agreement_id: u64,
    pub shown: u64,
    pub recorded: u64,
}

/// Compares with what was recorded by this gateway, in agreements that were asked for.
pub fn check(memory: &ProviderMemory, agreements: &[records::Entry], since: Option<u64>) -> Vec<ShowsLess> {
    let since = since.or(agreements.iter().map(|entry| entry.agreement.id).min()).unwrap_or(0);
    let compare = |(agreement_id, recorded): (&u64, &u64)| {
        let (agreement_id, recorded) = (*agreement_id, *recorded);
        let shown = agreements.iter().find(|entry| entry.agreement.id == agreement_id);
        let shown = shown.map_or(0, |entry| entry.agreement.energy_delivered_kwh);
        (shown < recorded).then_some(ShowsLess { agreement_id, shown, recorded })
    };
    memory.delivered.range(since..).filter_map(compare).collect()
}

/// A call that an answer said to be recorded, and that the chain does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub signed: Signed,
    /// It can still come, for so many seconds. After them its number is free: what is signed next takes that number, so that
    /// of both at most one is ever applied, whatever a server says.
    pub waits: Option<u64>,
}

/// Why the chain is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unbelievable {
    #[error(transparent)]
    ShowsLess(#[from] ShowsLess),
    #[error("the server shows a number of this key below that of a call that was recorded: it is behind, or it lies")]
    OldNumber,
}

/// Compares with what was recorded, by the agreements and by the account's number at this time of the ledger's clock. Of
/// several calls that are missing it is the last one.
pub fn missing(
    memory: &ProviderMemory,
    key: &str,
    recorded: Option<i64>,
    sequence: i64,
    less: &[ShowsLess],
    now: u64,
) -> Result<Option<Missing>, Unbelievable> {
    let Some(recorded) = recorded.filter(|recorded| sequence < *recorded) else {
        return less.first().map_or(Ok(None), |less| Err((*less).into()));
    };
    let later = memory.last.values().map(|(signed, _)| signed).filter(|of| of.key == key && of.sequence > sequence);
    let of = |less: &ShowsLess| {
        let agreement_id = less.agreement_id;
        later.clone().filter(move |signed| signed.delivery.agreement_id == agreement_id)
    };
    // The chain is as it was before the first of those calls: nothing else is missing.
    let is_of_before = |less: &&ShowsLess| {
        of(less).min_by_key(|signed| signed.sequence).is_some_and(|signed| signed.delivered_before == less.shown)
    };
    if let Some(other) = less.iter().find(|less| !is_of_before(less)) {
        return Err((*other).into());
    }
    let last = less.iter().flat_map(of).find(|signed| signed.sequence == recorded);
    let signed = last.ok_or(Unbelievable::OldNumber)?;
    let until = signed.max_time.saturating_add(AHEAD);
    Ok(Some(Missing { signed: signed.clone(), waits: until.checked_sub(now) }))
}

/// The call of the last day that may still have the next number, though it was said not to be in the ledger. Until that day is
/// over the number is for the same agreement at the same total alone: so of the calls with it at most one is applied, and
/// whatever a server says of the later one, the chain's total tells of the earlier one, too.
pub fn reserved(doubted: &[(Signed, Ended)], sequence: i64, now: u64) -> Option<&Signed> {
    let number = sequence.saturating_add(1);
    let of_now = |(signed, ended): &&(Signed, Ended)| signed.sequence == number && now < ended.at.saturating_add(DAY);
    doubted.iter().find(of_now).map(|(signed, _)| signed)
}

/// The claims that a reserved number is for.
pub fn reserved_claims(reserved: &Signed, claims: &[Claim]) -> Vec<Claim> {
    let (id, before) = (reserved.delivery.agreement_id, reserved.delivered_before);
    let is_its = |claim: &&Claim| claim.agreement.id == id && claim.agreement.energy_delivered_kwh == before;
    claims.iter().filter(is_its).copied().collect()
}

/// The chain shows a certificate that is no later than the one that was counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the server shows a meter's certificate of {} kWh that is no later than that of {} kWh, by which was counted: it is behind, \
     or one of the two was made up. It goes on when a later one is seen", shown.meter_start, known.meter_start
)]
pub struct OldCertificate {
    pub known: Certificate,
    pub shown: Certificate,
}

/// The line that a new certificate needs: from now on the accounts count from its reading. A certificate is known by its first
/// reading alone, since a server may show any time with it. If an earlier one is back, those that came after it were made up
/// by a server, and the accounts are what they were by it.
pub fn certified(
    provider: &str,
    memory: &ProviderMemory,
    seller: &Seller,
    now: u64,
) -> Result<Option<Entry>, OldCertificate> {
    let shown = Certificate { meter_start: seller.meter_start, read_at: seller.read_at.min(now) };
    let entry = |certificate, accounts| Entry::Certified { provider: provider.into(), certificate, accounts };
    let Some(known) = memory.certificate else {
        return Ok(Some(entry(shown, memory.accounts.clone())));
    };
    if known.meter_start == shown.meter_start {
        return Ok(None);
    }
    let before = memory.before.iter().rev().find(|counted| counted.certificate.meter_start == shown.meter_start);
    if let Some(counted) = before {
        return Ok(Some(entry(counted.certificate, counted.accounts.clone())));
    }
    if shown.read_at <= known.read_at {
        return Err(OldCertificate { known, shown });
    }
    let mut accounts = memory.accounts.clone();
    // If it shows more already, another program sold by it: that is not counted a second time.
    let first = Energy::from_kwh(seller.meter_reading).unwrap_or_default();
    for account in accounts.values_mut() {
        account.exchange_meter(memory.last_reading(account), first);
    }
    Ok(Some(entry(shown, accounts)))
}

/// The lines that shares need which are lower than when the journal was written: they count from the last reading that it
/// has. Nothing tells when they were lowered, or whether the journal is one of long before.
pub fn lowered<'a>(
    provider: &str,
    memory: &ProviderMemory,
    shares: impl IntoIterator<Item = (&'a String, Share)>,
) -> Vec<Entry> {
    let lowered = |(consumer, share): (&String, Share)| {
        let mut account = memory.accounts.get(consumer).filter(|account| account.share > share)?.clone();
        account.change_share(memory.last_reading(&account), share);
        Some(Entry::Account { provider: provider.into(), consumer: consumer.clone(), account })
    };
    shares.into_iter().filter_map(lowered).collect()
}

/// The account of a consumer at this reading, if it differs from what the journal has. It is opened with the first
/// agreement that may be filled, and while there is none nothing accumulates.
pub fn account(memory: &ProviderMemory, party: &Party, seller: &Seller, reading: Energy, now: u64) -> Option<Account> {
    let open: Vec<_> = party.agreements.iter().filter(|agreement| agreement.may_fill(party.pays, now)).collect();
    let Some(before) = memory.accounts.get(&party.address) else {
        let since = open.iter().map(|agreement| agreement.id).min()?;
        let counted: Vec<_> = party.agreements.iter().filter(|agreement| agreement.id >= since).copied().collect();
        // Where the journal was lost, counting goes on from the last delivery, by the share of now: nothing tells of others
        // since. Up to a kWh more was counted there.
        let last = open.iter().filter_map(|agreement| agreement.last_reading).max();
        let last = last.filter(|last| *last >= seller.meter_start).and_then(|last| Energy::from_kwh(last + 1));
        let mut account = Account::open(party.share, last.map_or(reading, |last| last.min(reading)), &counted);
        account.wait_for_deposits(&party.agreements, now);
        return Some(account);
    };
    let mut account = before.clone();
    account.correct(&party.agreements);
    if account.share != party.share {
        account.change_share(reading, party.share);
    }
    if let Some(oldest) = open.iter().map(|agreement| agreement.id).min() {
        account.reopen(&party.agreements, oldest);
    }
    // Those that could be filled when it was looked at last have ended, and others may have begun long after.
    let goes_on = open.iter().any(|agreement| agreement.id <= account.until);
    if !goes_on && (!open.is_empty() || account.due(reading, &party.agreements) > 0) {
        account.skip(reading, &party.agreements);
    }
    account.until = open.iter().map(|agreement| agreement.id).fold(account.until, u64::max);
    account.forget_ended(&party.agreements, now, |agreement| is_settled(memory, agreement, now));
    account.wait_for_deposits(&party.agreements, now);
    (account != *before).then_some(account)
}

/// Whether what an agreement was delivered in all is what this gateway has recorded. More may be a server's lie; but where the
/// journal was lost, nothing is recorded of what was delivered before: a month after its deadline that is believed. While the
/// journal has a call of the agreement, that may turn out to be missing, which only the agreement itself tells.
fn is_settled(memory: &ProviderMemory, agreement: &Agreement, now: u64) -> bool {
    const MONTH: u64 = 30 * DAY;
    let is_old = now > agreement.delivery_deadline.saturating_add(MONTH);
    let has_last = memory.last.values().any(|(signed, _)| signed.delivery.agreement_id == agreement.id);
    match memory.delivered.get(&agreement.id) {
        Some(recorded) => agreement.energy_delivered_kwh == *recorded && (is_old || !has_last),
        None => agreement.energy_delivered_kwh == 0 || is_old,
    }
}

/// How far back the chain has to be read, if every consumer has an account: to the first agreement that one counts, or to an
/// older one that waits for its deposit.
pub fn since<'a>(memory: &ProviderMemory, consumers: impl IntoIterator<Item = &'a String>) -> Option<u64> {
    let first = |account: &Account| account.waits.unwrap_or(account.since);
    let since = |consumer| memory.accounts.get(consumer).map(first);
    consumers.into_iter().map(since).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// The contract's errors, in words.
pub fn refusal(code: u32) -> &'static str {
    match code {
        2 => "the contract is not initialised: is it the right one?",
        3 => "the agreement is another provider's",
        4 => "a delivery of nothing",
        6 => "there is no such agreement: is it the right contract?",
        8 => "the agreement is not active any more",
        9 => "the agreement has less left",
        11 => "the agreement's deadline has passed",
        15 => "the contract does not take the meter's reading",
        24 => "the agreement has all its transactions",
        _ => "the contract refuses it",
    }
}

/// The agreements of each of these consumers.
pub fn by_consumer(entries: &[records::Entry]) -> BTreeMap<String, Vec<Agreement>> {
    let mut all: BTreeMap<String, Vec<Agreement>> = BTreeMap::new();
    for entry in entries {
        all.entry(entry.consumer.to_string()).or_default().push(entry.agreement);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Fate, Memory};
    use crate::counting::Delivery;

    const DEADLINE: u64 = 1_000_000;
    const NOW: u64 = 1_000;

    fn address(byte: u8) -> stellar_xdr::ScAddress {
        crate::gateway::account(&[byte; 32])
    }

    fn seller() -> Seller {
        Seller { meter_start: 100, meter_reading: 120, read_at: 0, energy_sold_kwh: 0, max_power_kw: 10 }
    }

    fn agreement(id: u64, delivered: u64) -> Agreement {
        Agreement {
            id,
            energy_amount_kwh: 50,
            energy_delivered_kwh: delivered,
            created_at: 0,
            delivery_deadline: DEADLINE,
            cancelled: false,
            funded: true,
            transactions: u32::from(delivered > 0),
            last_reading: None,
            joins: false,
        }
    }

    fn party(agreements: &[Agreement]) -> Party {
        let share = Share::from_millionths(500_000).unwrap();
        Party { address: "GBOB".into(), share, pays: Pays::Deposit, agreements: agreements.to_vec() }
    }

    fn kwh(kwh: u64) -> Energy {
        Energy::from_kwh(kwh).unwrap()
    }

    /// This gateway has recorded all that the party's agreements show.
    fn account(before: Option<&Account>, party: &Party, seller: &Seller, reading: Energy, now: u64) -> Option<Account> {
        let memory = ProviderMemory {
            accounts: before.map(|account| (party.address.clone(), account.clone())).into_iter().collect(),
            delivered: party.agreements.iter().map(|of| (of.id, of.energy_delivered_kwh)).collect(),
            ..ProviderMemory::default()
        };
        super::account(&memory, party, seller, reading, now)
    }

    #[test]
    fn an_account_is_opened_with_the_first_agreement_that_may_be_filled() {
        let unfunded = Agreement { funded: false, ..agreement(1, 0) };
        assert_eq!(account(None, &party(&[unfunded]), &seller(), kwh(130), NOW), None);
        let opened = account(None, &party(&[unfunded, agreement(2, 0)]), &seller(), kwh(130), NOW).unwrap();
        assert_eq!((opened.since, opened.from, opened.entitled), (2, kwh(130), Energy::ZERO));
        assert_eq!(opened.due(kwh(141), &[unfunded, agreement(2, 0)]), 5);
    }

    #[test]
    fn without_a_journal_counting_goes_on_from_the_last_delivery() {
        let delivered = Agreement { last_reading: Some(118), ..agreement(2, 9) };
        let opened = account(None, &party(&[agreement(1, 50), delivered]), &seller(), kwh(130), NOW).unwrap();
        assert_eq!((opened.since, opened.from), (2, kwh(119)));
        assert_eq!(opened.due(kwh(130), &[delivered]), 5);
        // A reading of another meter says nothing.
        let exchanged = Seller { meter_start: 119, ..seller() };
        let opened = account(None, &party(&[delivered]), &exchanged, kwh(130), NOW).unwrap();
        assert_eq!(opened.from, kwh(130));
    }

    #[test]
    fn while_nobody_buys_nothing_accumulates() {
        let first = party(&[agreement(1, 0)]);
        let opened = account(None, &first, &seller(), kwh(100), NOW).unwrap();
        let full = party(&[agreement(1, 50)]);
        let skipped = account(Some(&opened), &full, &seller(), kwh(221), NOW).unwrap();
        assert_eq!((skipped.entitled, skipped.from), (kwh(50), kwh(221)));
        assert_eq!(account(Some(&skipped), &full, &seller(), kwh(222), NOW), None);
        // What was exported until the next one was seen is nobody's, either.
        let next = party(&[agreement(1, 50), agreement(2, 0)]);
        let counted = account(Some(&skipped), &next, &seller(), kwh(229), NOW).unwrap();
        assert_eq!((counted.since, counted.until, counted.due(kwh(231), &next.agreements)), (2, 2, 1));
        assert_eq!(account(Some(&counted), &next, &seller(), kwh(240), NOW), None);
    }

    #[test]
    fn agreements_that_follow_each_other_lose_no_fraction() {
        let both = party(&[agreement(1, 0), agreement(2, 0)]);
        let opened = account(None, &both, &seller(), kwh(100), NOW).unwrap();
        assert_eq!((opened.since, opened.until), (1, 2));
        let next = party(&[agreement(1, 50), agreement(2, 0)]);
        let counted = account(Some(&opened), &next, &seller(), kwh(201), NOW).unwrap();
        assert_eq!(
            (counted.entitled(kwh(201)), counted.due(kwh(202), &next.agreements)),
            (Energy::from_mwh(50_500_000), 1)
        );
    }

    #[test]
    fn a_gateway_that_was_away_while_nobody_bought_counts_none_of_it() {
        let opened = account(None, &party(&[agreement(1, 0)]), &seller(), kwh(100), NOW).unwrap();
        let ended = Agreement { delivery_deadline: NOW, ..agreement(1, 3) };
        let next = party(&[ended, agreement(2, 0)]);
        let counted = account(Some(&opened), &next, &seller(), kwh(300), NOW + 1).unwrap();
        assert_eq!((counted.due(kwh(300), &next.agreements), counted.due(kwh(304), &next.agreements)), (0, 2));
    }

    #[test]
    fn an_older_agreement_whose_deposit_comes_later_is_counted_from_then_on() {
        let unfunded = Agreement { funded: false, ..agreement(1, 0) };
        let opened = account(None, &party(&[unfunded, agreement(2, 0)]), &seller(), kwh(100), NOW).unwrap();
        assert_eq!(opened.since, 2);
        let both = party(&[agreement(1, 0), agreement(2, 3)]);
        let reopened = account(Some(&opened), &both, &seller(), kwh(120), NOW).unwrap();
        assert_eq!((reopened.since, reopened.due(kwh(120), &both.agreements)), (1, 7));
        let filled = party(&[agreement(1, 7), agreement(2, 3)]);
        assert_eq!(reopened.due(kwh(120), &filled.agreements), 0);
    }

    #[test]
    fn the_chain_is_read_back_to_an_older_agreement_while_it_may_get_its_deposit() {
        let unfunded = Agreement { funded: false, ..agreement(1, 0) };
        let all = party(&[unfunded, agreement(30, 0)]);
        let opened = account(None, &all, &seller(), kwh(100), NOW).unwrap();
        let reads_since = |account| {
            let memory = ProviderMemory { accounts: [("GBOB".into(), account)].into(), ..ProviderMemory::default() };
            since(&memory, [&"GBOB".to_string()])
        };
        assert_eq!((opened.since, reads_since(opened.clone())), (30, Some(1)));
        let over = account(Some(&opened), &all, &seller(), kwh(100), DEADLINE + 1).unwrap();
        assert_eq!((over.since, reads_since(over)), (30, Some(30)));
        let funded = party(&[agreement(1, 0), agreement(30, 0)]);
        let reopened = account(Some(&opened), &funded, &seller(), kwh(100), NOW).unwrap();
        assert_eq!((reopened.since, reads_since(reopened)), (1, Some(1)));
    }

    #[test]
    fn an_agreement_that_was_forgotten_too_early_does_not_count_twice() {
        let both = party(&[agreement(1, 5), agreement(2, 0)]);
        let opened = account(None, &both, &seller(), kwh(100), NOW).unwrap();
        let lie = party(&[Agreement { cancelled: true, ..agreement(1, 5) }, agreement(2, 0)]);
        let forgot = account(Some(&opened), &lie, &seller(), kwh(110), NOW).unwrap();
        assert_eq!((forgot.since, forgot.due(kwh(110), &both.agreements)), (2, 5));
        let again = account(Some(&forgot), &both, &seller(), kwh(110), NOW).unwrap();
        assert_eq!((again.since, again.due(kwh(110), &both.agreements)), (1, 5));
        let delivered = party(&[agreement(1, 10), agreement(2, 0)]);
        assert_eq!(again.due(kwh(110), &delivered.agreements), 0);
    }

    #[test]
    fn what_a_server_made_up_that_agreements_had_before_they_counted_is_no_longer_subtracted_when_less_is_shown() {
        let opened = account(None, &party(&[agreement(2, 40)]), &seller(), kwh(100), NOW).unwrap();
        let truth = |delivered| party(&[agreement(2, delivered)]);
        // Half of 20 kWh is due, whether it is looked at first or not.
        assert_eq!((opened.due(kwh(120), &truth(40).agreements), opened.due(kwh(120), &truth(0).agreements)), (10, 10));
        let corrected = account(Some(&opened), &truth(0), &seller(), kwh(120), NOW).unwrap();
        assert_eq!(corrected.due(kwh(120), &truth(10).agreements), 0);
        assert_eq!(account(Some(&corrected), &truth(10), &seller(), kwh(120), NOW), None);
        // An older agreement that is not there.
        let invented = party(&[agreement(1, 40), agreement(2, 10)]);
        let reopened = account(Some(&corrected), &invented, &seller(), kwh(140), NOW).unwrap();
        assert_eq!((reopened.since, reopened.due(kwh(140), &invented.agreements)), (1, 10));
        assert_eq!(reopened.due(kwh(140), &truth(10).agreements), 10);
        assert_eq!(reopened.due(kwh(140), &truth(20).agreements), 0);
    }

    #[test]
    fn what_a_server_shows_more_of_an_agreement_that_has_ended_counts_only_while_it_does() {
        let both = |delivered| party(&[Agreement { cancelled: true, ..agreement(1, delivered) }, agreement(2, 0)]);
        let opened = account(None, &party(&[agreement(1, 0), agreement(2, 0)]), &seller(), kwh(100), NOW).unwrap();
        let mut memory = ProviderMemory {
            accounts: [("GBOB".into(), opened.clone())].into(),
            delivered: [(1, 5)].into(),
            ..ProviderMemory::default()
        };
        let lie = super::account(&memory, &both(49), &seller(), kwh(120), NOW).unwrap_or(opened);
        assert_eq!((lie.since, lie.due(kwh(120), &both(49).agreements)), (1, 0));
        memory.accounts.insert("GBOB".into(), lie);
        let truth = super::account(&memory, &both(5), &seller(), kwh(120), NOW).unwrap();
        assert_eq!((truth.since, truth.delivered_before, truth.due(kwh(120), &both(5).agreements)), (2, 5, 5));
    }

    #[test]
    fn what_a_lost_journal_does_not_have_is_read_until_a_month_after_the_agreements_deadline() {
        let both = party(&[agreement(1, 5), Agreement { delivery_deadline: u64::MAX, ..agreement(2, 0) }]);
        let opened = account(None, &both, &seller(), kwh(100), NOW).unwrap();
        let memory = |delivered: &[(u64, u64)]| ProviderMemory {
            accounts: [("GBOB".into(), opened.clone())].into(),
            delivered: delivered.iter().copied().collect(),
            ..ProviderMemory::default()
        };
        let month_later = DEADLINE + 30 * DAY;
        let look = |delivered: &[_], now| super::account(&memory(delivered), &both, &seller(), kwh(100), now);
        assert_eq!(look(&[], month_later), None);
        let forgot = look(&[], month_later + 1).unwrap();
        assert_eq!((forgot.since, forgot.delivered_before), (2, 0));
        // Another total than the recorded one is never remembered in its place.
        assert_eq!(look(&[(1, 4)], month_later + 1), None);
    }

    const PROVIDER: &str = "GALICE";

    /// Half of what was exported since 100 kWh, by a certificate of then.
    fn certified_at_100() -> Memory {
        let opened = account(None, &party(&[agreement(1, 0)]), &seller(), kwh(100), NOW).unwrap();
        let mut memory = Memory::default();
        memory.take(certified(PROVIDER, &ProviderMemory::default(), &seller(), NOW).unwrap().unwrap());
        memory.take(Entry::Account { provider: PROVIDER.into(), consumer: "GBOB".into(), account: opened });
        memory.take(Entry::Believed { provider: PROVIDER.into(), at: NOW, energy: kwh(121) });
        memory
    }

    fn sees(memory: &mut Memory, seller: &Seller) -> Result<bool, OldCertificate> {
        let entry = certified(PROVIDER, &memory.providers[PROVIDER], seller, NOW)?;
        let is_another = entry.is_some();
        entry.into_iter().for_each(|entry| memory.take(entry));
        Ok(is_another)
    }

    fn entitled(memory: &Memory, reading: u64) -> Energy {
        memory.providers[PROVIDER].accounts["GBOB"].entitled(kwh(reading))
    }

    #[test]
    fn a_new_certificate_counts_on_from_its_reading() {
        let mut memory = certified_at_100();
        assert_eq!(sees(&mut memory, &seller()), Ok(false));
        assert_eq!(sees(&mut memory, &Seller { meter_start: 3, meter_reading: 3, read_at: 1, ..seller() }), Ok(true));
        // 21 kWh of the old meter and 4 of the new one, of which half.
        assert_eq!(entitled(&memory, 7), Energy::from_mwh(12_500_000));
        // One that begins where the first did is taken for it: no kWh are counted by it a second time.
        for (reading, read_at) in [(100, 2), (101, 3)] {
            let like_the_first = Seller { meter_start: 100, meter_reading: reading, read_at, ..seller() };
            assert_eq!(sees(&mut memory, &like_the_first), Ok(read_at == 2));
            assert_eq!(entitled(&memory, 121), Energy::from_mwh(10_500_000));
        }
    }

    #[test]
    fn a_share_that_was_lowered_counts_from_the_last_reading_that_the_journal_has() {
        let mut memory = certified_at_100();
        let (bob, share) = ("GBOB".to_string(), |millionths| Share::from_millionths(millionths).unwrap());
        let lowered = |memory: &Memory, millionths| {
            super::lowered(PROVIDER, &memory.providers[PROVIDER], [(&bob, share(millionths))])
        };
        // One that is raised counts from a reading of now.
        assert_eq!((lowered(&memory, 500_000), lowered(&memory, 600_000)), (vec![], vec![]));
        let entries = lowered(&memory, 250_000);
        entries.into_iter().for_each(|entry| memory.take(entry));
        // Half of 21 kWh until it was written, and a quarter of the 40 since.
        assert_eq!(entitled(&memory, 161), Energy::from_mwh(20_500_000));
    }

    #[test]
    fn a_certificate_that_a_server_made_up_is_undone_by_the_true_one() {
        let mut memory = certified_at_100();
        let made_up = Seller { meter_start: 110, meter_reading: 110, read_at: NOW, ..seller() };
        let delivered_later = Seller { meter_reading: 121, read_at: NOW, energy_sold_kwh: 5, ..seller() };
        for truth in [seller(), delivered_later] {
            memory.take(Entry::Believed { provider: PROVIDER.into(), at: NOW, energy: kwh(121) });
            assert_eq!(sees(&mut memory, &made_up), Ok(true));
            assert_eq!(entitled(&memory, 121), kwh(16));
            assert_eq!(sees(&mut memory, &truth), Ok(true));
            assert_eq!(entitled(&memory, 121), Energy::from_mwh(10_500_000));
        }
    }

    #[test]
    fn certificates_that_a_server_made_up_in_a_row_are_all_undone_by_the_true_one() {
        let mut memory = certified_at_100();
        let made_up = |kwh, read_at| Seller { meter_start: kwh, meter_reading: kwh, read_at, ..seller() };
        let makes_up = |memory: &mut Memory, kwh| assert_eq!(sees(memory, &made_up(kwh, kwh)), Ok(true));
        for first in [110, 200] {
            for kwh in first..first + 16 {
                makes_up(&mut memory, kwh);
            }
            assert_eq!(sees(&mut memory, &seller()), Ok(true));
            assert_eq!(entitled(&memory, 121), Energy::from_mwh(10_500_000));
        }
        // One of them begins where the true one does: it counts by that one's accounts.
        for last in [None, Some(made_up(120, NOW))] {
            for seller in [made_up(110, NOW - 3), made_up(100, NOW - 1)].into_iter().chain(last) {
                assert_eq!(sees(&mut memory, &seller), Ok(true));
            }
            for read_at in [NOW - 2, NOW] {
                let truth = Seller { meter_reading: 121, read_at, energy_sold_kwh: 1, ..seller() };
                assert_eq!(sees(&mut memory, &truth), Ok(last.is_some() && read_at < NOW));
                assert_eq!(entitled(&memory, 121), Energy::from_mwh(10_500_000));
            }
        }
        // No journal has them without end.
        (300..317).for_each(|kwh| makes_up(&mut memory, kwh));
        let certificate = |meter_start, read_at| Certificate { meter_start, read_at };
        let (known, shown) = (certificate(316, 316), certificate(100, 0));
        assert_eq!(sees(&mut memory, &seller()), Err(OldCertificate { known, shown }));
    }

    #[test]
    fn a_certificate_that_a_server_hid_counts_no_second_time_when_it_is_shown_again() {
        let mut memory = certified_at_100();
        let exchanged = Seller { meter_start: 200, meter_reading: 200, read_at: 500, ..seller() };
        assert_eq!(sees(&mut memory, &exchanged), Ok(true));
        assert_eq!(entitled(&memory, 210), Energy::from_mwh(15_500_000));
        assert_eq!(sees(&mut memory, &Seller { meter_reading: 121, read_at: 400, ..seller() }), Ok(true));
        memory.take(Entry::Believed { provider: PROVIDER.into(), at: NOW, energy: kwh(210) });
        assert_eq!(sees(&mut memory, &exchanged), Ok(true));
        assert_eq!(entitled(&memory, 210), Energy::from_mwh(15_500_000));
    }

    #[test]
    fn a_first_look_that_shows_the_true_certificate_with_a_later_time_holds_nothing_up() {
        let mut memory = Memory::default();
        let first = certified(PROVIDER, &ProviderMemory::default(), &Seller { read_at: NOW, ..seller() }, NOW);
        memory.take(first.unwrap().unwrap());
        assert_eq!(sees(&mut memory, &Seller { read_at: 500, ..seller() }), Ok(false));
    }

    #[test]
    fn a_share_that_was_lowered_while_a_made_up_certificate_was_believed_is_no_higher_since_then() {
        let mut memory = certified_at_100();
        let made_up = Seller { meter_start: 110, meter_reading: 110, read_at: NOW, ..seller() };
        assert_eq!(sees(&mut memory, &made_up), Ok(true));
        memory.take(Entry::Believed { provider: PROVIDER.into(), at: NOW, energy: kwh(141) });
        assert_eq!(sees(&mut memory, &seller()), Ok(true));
        let bob = "GBOB".to_string();
        let quarter = Share::from_millionths(250_000).unwrap();
        let entries = lowered(PROVIDER, &memory.providers[PROVIDER], [(&bob, quarter)]);
        entries.into_iter().for_each(|entry| memory.take(entry));
        // Half of the 21 kWh until it was made up, and a quarter of the 40 since.
        assert_eq!(entitled(&memory, 161), Energy::from_mwh(20_500_000));
    }

    #[test]
    fn a_certificate_that_is_no_later_than_the_known_one_is_not_believed() {
        let mut memory = certified_at_100();
        let before = memory.clone();
        let shown = Seller { meter_start: 3, meter_reading: 3, ..seller() };
        let certificate = |meter_start| Certificate { meter_start, read_at: 0 };
        let old = OldCertificate { known: certificate(100), shown: certificate(3) };
        assert_eq!((sees(&mut memory, &shown), memory), (Err(old), before));
    }

    #[test]
    fn a_certificate_is_of_no_later_time_than_now() {
        // The contract counts a reading from when the plant has had its time for it.
        let entry =
            |certificate| Entry::Certified { provider: PROVIDER.into(), certificate, accounts: BTreeMap::new() };
        for (read_at, of) in [(NOW - 1, NOW - 1), (NOW, NOW), (NOW + 1, NOW)] {
            let seen = certified(PROVIDER, &ProviderMemory::default(), &Seller { read_at, ..seller() }, NOW);
            assert_eq!(seen, Ok(Some(entry(Certificate { meter_start: 100, read_at: of }))));
        }
        // It is the same one for a gateway that starts again with an earlier clock.
        let certificate = Some(Certificate { meter_start: 100, read_at: NOW });
        let memory = ProviderMemory { certificate, ..ProviderMemory::default() };
        let shown = Seller { read_at: NOW + 9, ..seller() };
        assert_eq!(certified(PROVIDER, &memory, &shown, NOW - 5), Ok(None));
    }

    /// 4 kWh for agreement 7, which had 10.
    fn call() -> (Signed, Ended) {
        let signed = Signed {
            key: "GMETER".into(),
            provider: "GALICE".into(),
            consumer: "GBOB".into(),
            delivery: Delivery { agreement_id: 7, energy_kwh: 4, meter_reading: 104 },
            delivered_before: 10,
            entitled: kwh(14),
            sequence: 9,
            signed_at: 100,
            max_time: 160,
            fee: 50_000,
            hash: "a".into(),
            envelope: "AAAA".into(),
        };
        let ended = Ended {
            key: "GMETER".into(),
            hash: "a".into(),
            end: Fate::Recorded,
            at: 110,
            fee: 20_000,
            transaction_id: None,
        };
        (signed, ended)
    }

    #[test]
    fn the_number_of_a_doubted_call_is_for_its_agreement_at_its_total_for_a_day() {
        let (signed, ended) = call();
        let elsewhere = Signed { sequence: 11, delivered_before: 0, ..signed.clone() };
        let doubted =
            [(elsewhere, ended.clone()), (signed.clone(), Ended { end: Fate::Gone, at: 200, ..ended.clone() })];
        assert_eq!(reserved(&doubted, 8, 199 + DAY), Some(&signed));
        assert_eq!(reserved(&doubted, 8, 200 + DAY), None);
        assert_eq!((reserved(&doubted, 7, 200), reserved(&doubted, 9, 200)), (None, None));
        let claim = |id, delivered| Claim { agreement: agreement(id, delivered), due_kwh: 4 };
        assert_eq!(reserved_claims(&signed, &[claim(6, 10), claim(7, 10)]), [claim(7, 10)]);
        assert_eq!(reserved_claims(&signed, &[claim(6, 10), claim(7, 11)]), []);
    }

    #[test]
    fn an_agreement_that_a_call_which_is_missing_filled_is_not_forgotten() {
        let both = |delivered| party(&[agreement(7, delivered), agreement(8, 0)]);
        let (signed, ended) = call();
        let signed = Signed { delivered_before: 46, ..signed };
        let opened = account(None, &both(46), &seller(), kwh(100), NOW).unwrap();
        let mut memory = Memory::default();
        memory.take(Entry::Account { provider: "GALICE".into(), consumer: "GBOB".into(), account: opened.clone() });
        memory.take(Entry::Signed(signed.clone()));
        memory.take(Entry::Ended(ended));
        // The server that said so shows it full, for some hours.
        let look =
            |memory: &Memory, now| super::account(&memory.providers["GALICE"], &both(50), &seller(), kwh(100), now);
        let full = look(&memory, NOW).unwrap_or(opened);
        assert_eq!(full.since, 7);
        memory.take(Entry::Account { provider: "GALICE".into(), consumer: "GBOB".into(), account: full });
        let provider = &memory.providers["GALICE"];
        let signed = Signed { envelope: String::new(), ..signed };
        let shows = |id, delivered| records::Entry {
            provider: address(1),
            consumer: address(2),
            agreement: agreement(id, delivered),
            is_metered: false,
        };
        let less = check(provider, &[shows(8, 0), shows(7, 46)], Some(7));
        assert_eq!(missing(provider, "GMETER", Some(9), 8, &less, NOW), Ok(Some(Missing { signed, waits: None })));
        // A month after its deadline nobody disputes it.
        assert_eq!(look(&memory, DEADLINE + 30 * DAY + 1).unwrap().since, 8);
    }

    #[test]
    fn what_was_only_said_to_be_recorded_is_missing_when_neither_agreement_nor_number_show_it() {
        const UNTIL: u64 = 160 + AHEAD;
        let (signed, ended) = call();
        // The call before it went to another agreement.
        let to_other = Delivery { agreement_id: 6, ..signed.delivery };
        let before = Signed { delivery: to_other, sequence: 8, ..signed.clone() };
        let number = |of: &Signed| (of.key.clone(), of.sequence);
        let last = [(number(&signed), (signed.clone(), ended.clone())), (number(&before), (before.clone(), ended))];
        let last = last.into();
        let memory = ProviderMemory { last, ..ProviderMemory::default() };
        let less = |shown| ShowsLess { agreement_id: 7, shown, recorded: 14 };
        let other = |shown| ShowsLess { agreement_id: 6, ..less(shown) };
        let look = |sequence, less: &[ShowsLess], now| missing(&memory, "GMETER", Some(9), sequence, less, now);
        let missed = |signed: &Signed, waits| Ok(Some(Missing { signed: signed.clone(), waits }));
        assert_eq!(look(9, &[], 0), Ok(None));
        assert_eq!(look(8, &[less(10)], UNTIL), missed(&signed, Some(0)));
        assert_eq!(look(8, &[less(10)], UNTIL + 1), missed(&signed, None));
        // If both are, it is the last one first.
        let both = [other(10), less(10)];
        assert_eq!(look(7, &both, UNTIL + 1), missed(&signed, None));
        assert_eq!(missing(&memory, "GMETER", Some(8), 7, &both[..1], UNTIL + 1), missed(&before, None));
        // A number is used, more is missing, or another agreement's: one of the two servers lies.
        let lies = |less| Err(Unbelievable::ShowsLess(less));
        assert_eq!(look(9, &[less(10)], UNTIL + 1), lies(less(10)));
        assert_eq!(look(8, &both, UNTIL + 1), lies(other(10)));
        assert_eq!(look(8, &[less(9)], UNTIL + 1), lies(less(9)));
        assert_eq!(look(7, &[other(10), less(9)], UNTIL + 1), lies(less(9)));
        let of_none = ShowsLess { agreement_id: 5, ..less(10) };
        assert_eq!(look(7, &[of_none, less(10)], UNTIL + 1), lies(of_none));
        assert_eq!(missing(&memory, "GOTHER", Some(9), 8, &[less(10)], UNTIL + 1), lies(less(10)));
        assert_eq!(look(8, &[], UNTIL + 1), Err(Unbelievable::OldNumber));
        assert_eq!(look(7, &[other(10)], UNTIL + 1), Err(Unbelievable::OldNumber));
    }

    #[test]
    fn all_calls_that_are_missing_in_one_agreement_are_undone_the_last_one_first() {
        let (first, ended) = call();
        let next = Delivery { energy_kwh: 1, meter_reading: 105, agreement_id: 7 };
        let then = Signed { delivery: next, delivered_before: 14, sequence: 10, hash: "b".into(), ..first.clone() };
        let mut memory = Memory::default();
        for signed in [first, then] {
            let ended = Ended { hash: signed.hash.clone(), ..ended.clone() };
            memory.take(Entry::Signed(signed));
            memory.take(Entry::Ended(ended));
        }
        let mut looks = |sequence, shown| -> Result<_, Unbelievable> {
            let (provider, key) = (&memory.providers["GALICE"], &memory.keys["GMETER"]);
            let less = ShowsLess { agreement_id: 7, shown, recorded: provider.delivered[&7] };
            let less = Vec::from_iter((shown < less.recorded).then_some(less));
            let Some(Missing { signed, .. }) = missing(provider, "GMETER", key.recorded, sequence, &less, NOW)? else {
                return Ok(None);
            };
            let ended = Ended { hash: signed.hash.clone(), end: Fate::Missing, at: NOW, ..ended.clone() };
            memory.take(Entry::Ended(ended));
            Ok(Some((signed.hash, memory.providers["GALICE"].delivered[&7])))
        };
        let less = |shown| Unbelievable::ShowsLess(ShowsLess { agreement_id: 7, shown, recorded: 15 });
        assert_eq!((looks(8, 14), looks(8, 9)), (Err(less(14)), Err(less(9))));
        assert_eq!((looks(8, 10), looks(8, 10)), (Ok(Some(("b".into(), 14))), Ok(Some(("a".into(), 10)))));
        assert_eq!(looks(8, 10), Ok(None));
    }

    #[test]
    fn a_server_that_shows_less_than_was_recorded_is_not_believed() {
        let memory = ProviderMemory { delivered: [(6, 9), (7, 12)].into(), ..ProviderMemory::default() };
        let (provider, consumer) = (address(1), address(2));
        let entry = |id, delivered| records::Entry {
            provider: provider.clone(),
            consumer: consumer.clone(),
            agreement: agreement(id, delivered),
            is_metered: false,
        };
        let less = |agreement_id, shown, recorded| ShowsLess { agreement_id, shown, recorded };
        assert_eq!(check(&memory, &[], None), [less(6, 0, 9), less(7, 0, 12)]);
        assert_eq!(check(&memory, &[entry(7, 11), entry(6, 9)], None), [less(7, 11, 12)]);
        assert_eq!(check(&memory, &[entry(7, 12), entry(6, 10)], None), []);
        // Of what is older than it had to be read, nothing is known.
        assert_eq!(check(&memory, &[entry(7, 12)], None), []);
        assert_eq!(check(&memory, &[entry(7, 12)], Some(7)), []);
        assert_eq!(check(&memory, &[entry(7, 12)], Some(6)), [less(6, 0, 9)]);
        let party = Party { agreements: vec![agreement(7, 0)], ..party(&[]) };
        assert_eq!([6, 7, 8].map(|id| party.has(id)), [false, true, false]);
    }
}
