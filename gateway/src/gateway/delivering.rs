//! A visit to a provider: the chain is read, accounts are kept, and what is due is delivered, one call after the other.

use std::collections::btree_map::Entry::Vacant;
use std::collections::BTreeMap;

use jiff::Timestamp;
use stellar_xdr::{Hash, Limits, Transaction, WriteXdr};

use super::{account, lock, Files, Gateway, Key, Mode, Seen, Trouble, Visit};
use crate::allocation::{self, Days, Life};
use crate::book::{Ended, Entry, Fate, Signed, DAY};
use crate::chain::call::{transaction, Unsafe};
use crate::chain::records::Recorded;
use crate::chain::rpc::Simulated;
use crate::chain::view::{self, View};
use crate::config::{self, Intervals, Meter};
use crate::counting::{
    can_be_read_from, claims, next_delivery, record, Account, Claim, Delivery, Seller, Share, MAX_TRANSACTIONS,
};
use crate::energy::Energy;
use crate::folder::Folder;
use crate::log;
use crate::plan::{self, Missing, Party};
use crate::report::xlm;
use crate::submission::InFlight;

/// A call can be applied for so many seconds of the ledger's clock.
const LIFETIME: u64 = 60;

/// What the contract refuses, although it was planned on what the contract showed, is planned anew so often.
const MOST_REFUSALS: u32 = 3;

/// So long before an agreement's deadline what is due is delivered whatever the schedule says.
const LAST_CHANCE: u64 = 2 * 3_600;

/// Stroops that an account keeps for itself and for each of its entries.
const RESERVE: i64 = 5_000_000;

const INVALID_METER_READING: u32 = 15;

/// Deliveries of agreements, as far as they had to be read.
type Readings = BTreeMap<u64, Vec<Recorded>>;

impl Gateway {
    /// One provider's turn. What is in its way is its own trouble, and holds up nobody else.
    pub fn visit(&self, key: &Key, place: usize, mode: Mode) -> Result<Visit, Trouble> {
        let mut visit = Visit::default();
        let mut readings = Readings::new();
        let mut refusals = 0;
        // Agreements for which the contract refuses what it should take: they hold up no other.
        let mut aside = BTreeMap::new();
        if mode != Mode::DryRun {
            self.finish_in_flight(key)?;
        }
        loop {
            if self.stop.is_stopped() {
                return Err(Trouble::Stopping);
            }
            let now = self.refresh_clock(self.config.network.clock_age())?;
            // If what one server shows is not believed, the next turn asks the next one.
            let server = self.rpc.current();
            let view = self.look(key, place, now).inspect_err(|_| self.rpc.leave(server))?;
            let parties = self.parties(key, place, &view, &mut readings, now)?;
            let mut seller = view.prosumer.seller;
            let (reading, mut claims) = match &self.config.providers[place].meter {
                Meter::Register(_) => self.claims_of_register(place, &parties, &seller, now)?,
                // Files are read only when it is time, or the last chance.
                Meter::Intervals(_) if mode == Mode::Look && !has_last_chance(&parties, now) => return Ok(visit),
                Meter::Intervals(intervals) => self.claims_of_intervals(place, intervals, &parties, &seller, now)?,
            };
            claims.retain(|claim| !aside.contains_key(&claim.agreement.id));
            let is_last_chance =
                claims.iter().any(|claim| claim.due_kwh > 0 && claim.agreement.delivery_deadline - now < LAST_CHANCE);
            if mode == Mode::Look && !is_last_chance {
                return Ok(visit);
            }
            let next = |claims: &[Claim]| {
                next_delivery(&seller, claims, reading, now).map_err(|stop| Trouble::Stopped(stop.to_string()))
            };
            let next = match (next(&claims)?, self.reserved(key, &view, now)) {
                (Some(_), Some(reserved)) => {
                    let its = next(&plan::reserved_claims(&reserved, &claims))?;
                    Some(its.ok_or_else(|| held_for(&reserved))?)
                }
                (next, _) => next,
            };
            let Some(delivery) = next else {
                if let Some((agreement_id, why)) = aside.pop_first() {
                    visit.refused = Some(format!("agreement {agreement_id}: {why}"));
                    return Ok(visit);
                }
                visit.due_at = due_at(&seller, &claims, reading, now);
                if let Some(days) = visit.due_at.map(|at| (at - now) / DAY).filter(|days| *days > 0) {
                    return Err(Trouble::Held(format!(
                        "the plant would need {days} days for what the meter shows beyond the chain's {} kWh: is the \
                         certified reading, its power or `since` wrong?",
                        seller.meter_reading
                    )));
                }
                return Ok(visit);
            };
            let prepared = match self.prepare(key, place, &view, &delivery, now)? {
                Ok(prepared) => prepared,
                // Another agreement may have had this reading: only its own deliveries tell whether this one has, too.
                Err(INVALID_METER_READING) if !readings.contains_key(&delivery.agreement_id) => {
                    let read = self.reader(key).transactions(delivery.agreement_id, view.ledger)?;
                    readings.insert(delivery.agreement_id, read);
                    continue;
                }
                Err(_) if refusals < MOST_REFUSALS => {
                    refusals += 1;
                    self.stop.wait(self.config.network.ledger)?;
                    continue;
                }
                Err(code) => {
                    refusals = 0;
                    aside.insert(delivery.agreement_id, format!("{} (error {code})", plan::refusal(code)));
                    continue;
                }
            };
            if mode == Mode::DryRun {
                visit.would_deliver = Some((delivery, prepared.fee));
                return Ok(visit);
            }
            let party = parties.iter().find(|party| party.has(delivery.agreement_id));
            let signed = self.sign(key, place, prepared, &delivery, party, reading, now);
            self.write(Entry::Signed(signed.clone()))?;
            self.follow(key, &signed, InFlight::new(signed.signed_at, signed.max_time))?;
            let Delivery { agreement_id, energy_kwh, meter_reading } = delivery;
            let name = &self.config.providers[place].name;
            log::info(format!("{name}: delivered {energy_kwh} kWh to agreement {agreement_id} at {meter_reading} kWh"));
            visit.delivered.push(delivery);
            readings.remove(&delivery.agreement_id);
            // The chain is read again only if something more is due.
            record(&mut seller, &mut claims, &delivery);
            self.show_delivered(place, &seller, &delivery);
            if aside.is_empty() && matches!(next_delivery(&seller, &claims, reading, now), Ok(None)) {
                return Ok(visit);
            }
        }
    }

    /// The chain's state, if it is what may be believed, and this key is the provider's meter.
    fn look(&self, key: &Key, place: usize, now: u64) -> Result<View, Trouble> {
        let provider = &self.config.providers[place];
        let memory = self.memory(place);
        let consumers: Vec<_> = provider.consumers.iter().map(|consumer| consumer.address.to_string()).collect();
        let since = plan::since(&memory, &consumers);
        let view = self.reader(key).view(&provider.address, since, now, self.needed());
        if let Err(view::Failure::Behind { .. }) = view {
            self.miss();
        }
        let view = view?;
        self.see(view.ledger);
        lock(&key.state).balance = Some(view.account.balance);
        let prosumer = view.prosumer.clone();
        let agreements = plan::by_consumer(&view.agreements);
        self.provider(place).seen = Some(Seen { prosumer, agreements });
        match &view.prosumer.meter {
            Some(meter) if *meter == account(&key.secret.verifying_key().to_bytes()) => {}
            Some(meter) => {
                return Err(Trouble::Stopped(format!(
                    "the certified meter is {meter}, and this key is {}",
                    key.address
                )));
            }
            None => return Err(Trouble::Stopped(format!("no meter is certified: have {} certified", key.address))),
        }
        self.check_recorded(key, place, &view, since, now)?;
        self.begin(place, &view.prosumer.seller, now)?;
        Ok(view)
    }

    /// The chain shows what was recorded. What only a server had said to be recorded is forgotten when it cannot be any more.
    fn check_recorded(
        &self,
        key: &Key,
        place: usize,
        view: &View,
        since: Option<u64>,
        now: u64,
    ) -> Result<(), Trouble> {
        loop {
            let memory = self.memory(place);
            let recorded = lock(&self.book).memory.keys.get(&key.address).and_then(|key| key.recorded);
            let less = plan::check(&memory, &view.agreements, since);
            let missing = plan::missing(&memory, &key.address, recorded, view.account.sequence, &less, now)?;
            let Some(Missing { signed, waits }) = missing else { return Ok(()) };
            let (id, kwh) = (signed.delivery.agreement_id, signed.delivery.energy_kwh);
            if let Some(seconds) = waits {
                return Err(Trouble::Held(format!(
                    "a server said that {kwh} kWh were recorded in agreement {id}, and the chain does not have them: they are \
                     due again when that call cannot come any more, in {seconds} s"
                )));
            }
            log::warning(format!(
                "{kwh} kWh that a server said were recorded in agreement {id} are not, and are due again"
            ));
            let (end, at, fee, transaction_id) = (Fate::Missing, now, 0, None);
            self.write(Entry::Ended(Ended { key: signed.key, hash: signed.hash, end, at, fee, transaction_id }))?;
        }
    }

    /// What is shown of the chain until it is read again.
    fn show_delivered(&self, place: usize, seller: &Seller, delivery: &Delivery) {
        let mut provider = self.provider(place);
        let Some(seen) = &mut provider.seen else { return };
        seen.prosumer.seller = *seller;
        let all = seen.agreements.values_mut().flatten();
        for agreement in all.filter(|agreement| agreement.id == delivery.agreement_id) {
            agreement.energy_delivered_kwh += delivery.energy_kwh;
        }
    }

    /// With a new certificate, another power or a lower reading of the chain samples are judged anew.
    fn begin(&self, place: usize, seller: &Seller, now: u64) -> Result<(), Trouble> {
        let address = self.address(place);
        let mut memory = self.memory(place);
        // What the meter has shown and is not yet kept is where the old one ended.
        let confirmed = self.provider(place).meter.confirmed();
        if confirmed.is_some() {
            memory.believed = confirmed;
        }
        let certified = plan::certified(&address, &memory, seller, now)?;
        let is_new = certified.is_some();
        if let Some(entry) = certified {
            self.write(entry)?;
            let name = &self.config.providers[place].name;
            log::info(format!("{name}: counts by the meter's certificate of {} kWh", seller.meter_start));
            memory = self.memory(place);
        }
        let consumers = self.config.providers[place].consumers.iter();
        let shares: Vec<_> = consumers.filter_map(|of| Some((of.address.to_string(), of.share?))).collect();
        let shares = shares.iter().map(|(consumer, share)| (consumer, *share));
        for entry in plan::lowered(&address, &memory, shares) {
            self.write(entry)?;
        }
        let limit = self.config.providers[place].max_kw().unwrap_or(u64::MAX);
        let max_power_kw = seller.max_power_kw.min(limit);
        let meter = &mut self.provider(place).meter;
        if is_new || meter.must_begin(seller, max_power_kw) {
            meter.begin(seller, memory.believed, max_power_kw, now);
        }
        Ok(())
    }

    /// The consumers with their agreements, with what had to be read of these besides.
    fn parties(
        &self,
        key: &Key,
        place: usize,
        view: &View,
        readings: &mut Readings,
        now: u64,
    ) -> Result<Vec<Party>, Trouble> {
        let memory = self.memory(place);
        let mut all = plan::by_consumer(&view.agreements);
        let mut parties = vec![];
        for consumer in &self.config.providers[place].consumers {
            let address = consumer.address.to_string();
            let mut agreements = all.remove(&address).unwrap_or_default();
            let is_new = !memory.accounts.contains_key(&address);
            for agreement in &mut agreements {
                let is_open = agreement.delivery_deadline >= now && agreement.remaining() > 0 && !agreement.cancelled;
                let is_nearly_full = agreement.transactions >= MAX_TRANSACTIONS - 1;
                if is_open && agreement.transactions > 0 && (is_new || is_nearly_full) {
                    if let Vacant(place) = readings.entry(agreement.id) {
                        place.insert(self.reader(key).transactions(agreement.id, view.ledger)?);
                    }
                }
                if let Some(last) = readings.get(&agreement.id).and_then(|read| read.last()) {
                    let entry = view.agreements.iter().find(|entry| entry.agreement.id == agreement.id);
                    agreement.last_reading = Some(last.meter_reading);
                    agreement.joins =
                        entry.is_some_and(|entry| entry.is_metered) && last.delivered_at / DAY == now / DAY;
                }
            }
            let share = consumer.share.unwrap_or(Share::NONE);
            parties.push(Party { address, share, pays: consumer.pays, agreements });
        }
        Ok(parties)
    }

    /// The register, if what it says can be relied on now.
    fn reading(&self, place: usize, now: u64) -> Result<Energy, Trouble> {
        let provider = &self.config.providers[place];
        let state = self.provider(place);
        if let Some(trouble) = state.meter.trouble(provider.max_age(), now) {
            return Err(match &state.meter {
                meter if meter.is_lasting() => Trouble::Stopped(trouble),
                meter if meter.is_beginning(provider.max_age()) => Trouble::Beginning(trouble),
                _ => Trouble::Held(trouble),
            });
        }
        let believed = state.meter.believed().map(|believed| believed.energy);
        believed.ok_or(Trouble::Held("the meter has not been read yet".into()))
    }

    /// What is due by the register, the first consumer of the configuration first. Accounts that change are written down.
    fn claims_of_register(
        &self,
        place: usize,
        parties: &[Party],
        seller: &Seller,
        now: u64,
    ) -> Result<(Energy, Vec<Claim>), Trouble> {
        let reading = self.reading(place, now)?;
        let mut all = vec![];
        for party in parties {
            let memory = self.memory(place);
            let before = memory.accounts.get(&party.address);
            let changed = plan::account(&memory, party, seller, reading, now);
            let due = |account: &Account| account.due(reading, &party.agreements);
            let (was, is) = (before.map_or(0, due), changed.as_ref().map_or(u64::MAX, due));
            if is < was {
                let config::Provider { name, consumers, .. } = &self.config.providers[place];
                let consumer = consumers.iter().find(|consumer| consumer.address.to_string() == party.address);
                let consumer = consumer.map_or(&party.address, |consumer| &consumer.name);
                let kwh = was - is;
                log::warning(format!(
                    "{name}: {consumer} has no agreement that takes {kwh} kWh: they are the supplier's"
                ));
            }
            if let Some(account) = changed.clone() {
                let (provider, consumer) = (self.address(place), party.address.clone());
                self.write(Entry::Account { provider, consumer, account })?;
            }
            if let Some(account) = changed.or(before.cloned()) {
                all.extend(claims(&account, party.pays, &party.agreements, reading, now));
            }
        }
        Ok((reading, all))
    }

    /// What is due by the grid operator's files. The reading is the certified one and what was exported since.
    fn claims_of_intervals(
        &self,
        place: usize,
        intervals: &Intervals,
        parties: &[Party],
        seller: &Seller,
        now: u64,
    ) -> Result<(Energy, Vec<Claim>), Trouble> {
        let provider = &self.config.providers[place];
        let max_kw = seller.max_power_kw.min(intervals.max_kw.unwrap_or(u64::MAX));
        let held = |error: &dyn std::fmt::Display| Trouble::Held(error.to_string());
        let mut folder = Folder::new(intervals, &provider.consumers, Some(max_kw)).map_err(|error| held(&error))?;
        let no_time = || Trouble::Held("the ledger's time is no time".into());
        let days = Days::of(intervals, &self.config.time_zone, now).ok_or_else(no_time)?;
        let time = i64::try_from(now).ok().and_then(|now| Timestamp::from_second(now).ok()).ok_or_else(no_time)?;
        folder.refresh(time).map_err(|error| held(&error))?;
        let lives = parties.iter().zip(&provider.consumers).map(|(party, consumer)| allocation::Party {
            share: consumer.share,
            agreements: Life::of_all(&party.agreements, party.pays, now),
        });
        let lives: Vec<_> = lives.collect();
        let allocated = allocation::allocate(&folder.readings(), intervals.rule, &lives, &days);
        let problems = folder.problems();
        self.provider(place).files = Some(Files { problems, newest: folder.newest() });
        let allocated = allocated.map_err(|error| Trouble::Stopped(error.to_string()))?;
        let start = Energy::from_kwh(seller.meter_start).unwrap_or_default();
        let reading = start.checked_add(allocated.exported).ok_or(Trouble::Stopped("the register overflows".into()))?;
        if reading.kwh() < seller.meter_reading {
            let (shown, chain) = (reading.kwh(), seller.meter_reading);
            return Err(Trouble::Held(format!(
                "the files come to a register of {shown} kWh, and the chain has {chain} already: a correction, or `since` is wrong"
            )));
        }
        let mut claims = vec![];
        for (party, due) in parties.iter().zip(&allocated.due) {
            for (agreement_id, due_kwh) in due.iter().filter(|(_, due_kwh)| *due_kwh > 0) {
                let agreement = party.agreements.iter().find(|agreement| agreement.id == *agreement_id);
                claims.extend(agreement.map(|agreement| Claim { agreement: *agreement, due_kwh: *due_kwh }));
            }
        }
        Ok((reading, claims))
    }

    /// The call as it would be signed; or the contract's error.
    fn prepare(
        &self,
        key: &Key,
        place: usize,
        view: &View,
        delivery: &Delivery,
        now: u64,
    ) -> Result<Result<Transaction, u32>, Trouble> {
        let held_until = lock(&key.state).held_until;
        if now < held_until {
            let seconds = held_until - now;
            return Err(Trouble::Held(format!("after calls that came to nothing this key rests for {seconds} s")));
        }
        let server = self.rpc.current();
        self.check_doubted(key, place, view, now).inspect_err(|_| self.rpc.leave(server))?;
        let call = self.contract.deliver_energy(delivery, &self.config.providers[place].address);
        let source = key.secret.verifying_key().to_bytes();
        let transaction = transaction(&source, view.account.sequence, &call, now + LIFETIME);
        let simulation = match self.rpc.simulate(&transaction)? {
            Simulated::Succeeds(simulation) => simulation,
            Simulated::Refused(code) => return Ok(Err(code)),
            Simulated::Fails(reason) => {
                let reason = reason.lines().next().unwrap_or_default();
                return Err(Trouble::Held(format!("the delivery cannot be simulated: {reason}")));
            }
        };
        let prepared = self.contract.prepare(transaction, &call, &simulation, self.config.max_fee);
        let prepared = prepared.map_err(|unsafe_| match unsafe_ {
            Unsafe::Fee(_) => Trouble::Held(unsafe_.to_string()),
            _ => Trouble::Stopped(unsafe_.to_string()),
        })?;
        let fee = i64::from(prepared.fee);
        let spent = self.spent_today(key, now);
        if spent + u64::from(prepared.fee) > self.config.max_fee_per_day {
            return Err(Trouble::Held(format!(
                "{} XLM of fees were paid today: more is above max_fee_per_day",
                xlm(spent)
            )));
        }
        let reserve = RESERVE * (2 + i64::from(view.account.sub_entries));
        if view.account.balance.saturating_sub(reserve) < fee {
            let (has, fee) = (xlm(view.account.balance.unsigned_abs()), xlm(prepared.fee.into()));
            return Err(Trouble::Held(format!("{} has {has} XLM, too little for the fee of {fee}", key.address)));
        }
        Ok(Ok(prepared))
    }

    fn reserved(&self, key: &Key, view: &View, now: u64) -> Option<Signed> {
        let book = lock(&self.book);
        plan::reserved(&book.memory.keys.get(&key.address)?.doubted, view.account.sequence, now).cloned()
    }

    /// A server that hides a call which it has passed on, or says that it failed, shows by the account's number that one
    /// was applied. Then nothing is signed in its place before the chain shows it, or a day has gone by in which somebody
    /// could look.
    fn check_doubted(&self, key: &Key, place: usize, view: &View, now: u64) -> Result<(), Trouble> {
        let doubted = lock(&self.book).memory.keys.get(&key.address).map(|key| key.doubted.clone());
        let is_used =
            |signed: &Signed| signed.provider == self.address(place) && view.account.sequence >= signed.sequence;
        let used: Vec<_> = doubted.iter().flatten().filter(|(signed, _)| is_used(signed)).collect();
        let is_shown = |signed: &Signed| {
            let shown = view.agreements.iter().find(|entry| entry.agreement.id == signed.delivery.agreement_id);
            shown.map_or(0, |entry| entry.agreement.energy_delivered_kwh) >= signed.total()
        };
        for (signed, ended) in &used {
            if used.iter().any(|(other, _)| other.sequence == signed.sequence && is_shown(other)) {
                continue;
            }
            let id = signed.delivery.agreement_id;
            // A server had said that it is recorded, so one of two lies, and no time tells which.
            if ended.end == Fate::Missing {
                let (kwh, hash) = (signed.delivery.energy_kwh, &signed.hash);
                return Err(Trouble::Stopped(format!(
                    "a server said that {kwh} kWh were recorded in agreement {id}, and this one does not show them, though \
                     that call's number is used: ask another server for {hash}"
                )));
            }
            if now < ended.at + DAY {
                let why = match ended.end {
                    Fate::Failed => "that call did nothing",
                    _ => "another program used this key",
                };
                return Err(Trouble::Held(format!(
                    "the number of a call for agreement {id} is used, and the server does not show that call: {why}, or \
                     the server hides it. It goes on after a day"
                )));
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "each is a field of the journal's line")]
    fn sign(
        &self,
        key: &Key,
        place: usize,
        prepared: Transaction,
        delivery: &Delivery,
        party: Option<&Party>,
        reading: Energy,
        now: u64,
    ) -> Signed {
        let (fee, sequence) = (prepared.fee, prepared.seq_num.0);
        let signed = self.contract.sign(prepared, &key.secret);
        let agreement = party.and_then(|party| party.agreements.iter().find(|of| of.id == delivery.agreement_id));
        let consumer = party.map(|party| party.address.clone()).unwrap_or_default();
        let account = self.memory(place).accounts.get(&consumer).cloned();
        Signed {
            key: key.address.clone(),
            provider: self.address(place),
            consumer,
            delivery: *delivery,
            delivered_before: agreement.map_or(0, |agreement| agreement.energy_delivered_kwh),
            entitled: account.map_or(Energy::ZERO, |account| account.entitled(reading)),
            sequence,
            signed_at: now,
            max_time: now + LIFETIME,
            fee,
            hash: Hash(signed.hash).to_string(),
            envelope: signed.envelope.to_xdr_base64(Limits::none()).expect("what was signed can be encoded"),
        }
    }
}

fn held_for(reserved: &Signed) -> Trouble {
    Trouble::Held(format!(
        "a call for agreement {} was said not to be in the ledger: for a day its number is for that agreement alone, which \
         takes nothing now",
        reserved.delivery.agreement_id
    ))
}

/// Whether an agreement ends soon.
fn has_last_chance(parties: &[Party], now: u64) -> bool {
    let open = |party: &Party| {
        let pays = party.pays;
        party.agreements.iter().any(|of| of.may_fill(pays, now) && of.delivery_deadline - now < LAST_CHANCE)
    };
    parties.iter().any(open)
}

/// When the plant has had the time for what is due now.
fn due_at(seller: &Seller, claims: &[Claim], reading: Energy, now: u64) -> Option<u64> {
    let is_due = claims.iter().any(|claim| claim.due_kwh > 0);
    let readable = can_be_read_from(seller, reading.kwh());
    (is_due && readable > now).then_some(readable)
}
