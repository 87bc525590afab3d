//! The rules of the contract in plain Rust: what each call answers, who signs it, what it emits and whom it pays.
//!
//! The model has no records of its own. It reads books that are what the emitted events add up to, so that every answer that agrees with
//! it shows that an indexer needs nothing but the events.

use super::std::{collections::BTreeSet, iter, vec, vec::Vec};

use super::books::{
    Agreement, Books, Event, Person, Prosumer, Transaction, ARBITRATION, FORTY, HIGHEST_READING, MOST_POWER,
    PROVIDER_STEP, TERM, TRANSACTION_STEP,
};
use super::DAY;
use crate::{Deposit, SharingError, TransactionStatus};

/// Every entrypoint that acts, with its arguments in their order.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Initialize(Person, Person),
    SetAdmin(Person),
    RegisterProsumer(Person),
    RegisterMeter(Person, Option<Person>, u64, u64),
    CreateAgreement(Person, Person, u64, u64, u64),
    FundAgreement(u64, Person, Deposit),
    CancelAgreement(u64, Person),
    ClaimRefund(u64),
    DeliverEnergy(u64, u64, u64, Person),
    SettlePayment(u64, Person),
    SettleAgreement(u64, u64, Person),
    DisputeTransaction(u64, Person),
    ResolveDispute(u64, u64, Person),
    CloseDispute(u64),
}

/// What a call that succeeds returns (0 if nothing), who signs it, and what the contract and the token emit.
#[derive(Debug)]
pub struct Done {
    pub answer: u64,
    pub signers: BTreeSet<Person>,
    pub events: Vec<Event>,
}

type Answer = Result<Done, SharingError>;

/// The payment token, as far as calls of the contract move it.
#[derive(Clone, Debug)]
pub struct Token {
    pub balances: Vec<i128>,
    pub frozen: BTreeSet<Person>,
}

impl Token {
    /// Moves the amount, or refuses.
    pub fn pay(&mut self, from: Person, to: Person, amount: u64) -> Result<Event, SharingError> {
        let tokens = i128::from(amount);
        if self.frozen.contains(&from) || self.frozen.contains(&to) || self.balances[from] < tokens {
            return Err(SharingError::PaymentFailed);
        }
        self.balances[from] -= tokens;
        self.balances[to] += tokens;
        Ok(Event::new("transfer", vec![from.into(), to.into()], [("amount", amount.into())]))
    }
}

#[derive(Clone)]
pub struct Model {
    pub now: u64,
    pub books: Books,
    pub token: Token,
    /// Of the contract and of its token.
    pub contract: Person,
    pub asset: Person,
}

impl Model {
    /// Moves the tokens if the call succeeds. The books follow by the events.
    pub fn call(&mut self, call: Call) -> Answer {
        if let Call::Initialize(admin, token) = call {
            return self.initialize(admin, token);
        }
        let (admin, _) = self.books.config()?;
        match call {
            Call::Initialize(..) => unreachable!(),
            Call::SetAdmin(new) => set_admin(admin, new),
            Call::RegisterProsumer(prosumer) => self.register_prosumer(prosumer),
            Call::RegisterMeter(prosumer, meter, reading, power) => {
                self.register_meter(admin, prosumer, meter, reading, power)
            }
            Call::CreateAgreement(provider, consumer, kwh, price, deadline) => {
                self.create(provider, consumer, kwh, price, deadline)
            }
            Call::FundAgreement(id, consumer, deposit) => self.fund(id, consumer, deposit),
            Call::CancelAgreement(id, canceller) => self.cancel(id, canceller),
            Call::ClaimRefund(id) => self.claim(id),
            Call::DeliverEnergy(id, kwh, reading, provider) => self.deliver(id, kwh, reading, provider),
            Call::SettlePayment(id, settler) => self.settle_payment(id, settler),
            Call::SettleAgreement(id, through, settler) => self.settle_agreement(id, through, settler),
            Call::DisputeTransaction(id, disputer) => self.dispute(id, disputer),
            Call::ResolveDispute(id, accepted, resolver) => self.resolve(id, accepted, resolver, admin),
            Call::CloseDispute(id) => self.close(id),
        }
    }

    fn initialize(&self, admin: Person, token: Person) -> Answer {
        if self.books.config.is_some() {
            return Err(SharingError::AlreadyInitialized);
        }
        if token != self.asset {
            return Err(SharingError::InvalidInput);
        }
        done(0, [admin], [Event::new("initialized", vec![admin.into()], [("token_contract", token.into())])])
    }

    fn register_prosumer(&self, prosumer: Person) -> Answer {
        if self.books.prosumer(prosumer).is_ok() {
            return done(0, [prosumer], []);
        }
        let number = self.books.registered;
        if number * PROVIDER_STEP == TRANSACTION_STEP {
            return Err(SharingError::AmountOverflow);
        }
        done(0, [prosumer], [Event::new("prosumer_registered", vec![prosumer.into()], [("number", number.into())])])
    }

    fn register_meter(
        &self,
        admin: Person,
        prosumer: Person,
        meter: Option<Person>,
        reading: u64,
        power: u64,
    ) -> Answer {
        let register = self.books.prosumer(prosumer)?;
        let signers = if meter.is_some() { vec![admin, prosumer] } else { vec![admin] };
        let after = match meter {
            Some(meter) if meter == prosumer || reading > HIGHEST_READING || power == 0 || power > MOST_POWER => {
                return Err(SharingError::InvalidInput)
            }
            Some(_) => Prosumer { power, start: reading, reading, read_at: self.now, sold: 0, ..*register },
            None if register.meter.is_none() => return done(0, [admin], []),
            None => Prosumer { power: 0, ..*register },
        };
        let data = [
            ("meter", meter.into()),
            ("max_power_kw", after.power.into()),
            ("meter_start", after.start.into()),
            ("meter_reading", after.reading.into()),
            ("read_at", after.read_at.into()),
            ("energy_sold_kwh", after.sold.into()),
        ];
        done(0, signers, [Event::new("meter_registered", vec![prosumer.into()], data)])
    }

    fn create(&self, provider: Person, consumer: Person, kwh: u64, price: u64, deadline: u64) -> Answer {
        let seller = self.books.prosumer(provider)?;
        self.books.prosumer(consumer)?;
        if kwh == 0 || price == 0 || deadline == 0 {
            return Err(SharingError::InvalidInput);
        }
        if provider == consumer {
            return Err(SharingError::SelfSharingNotAllowed);
        }
        if deadline <= self.now {
            return Err(SharingError::DeliveryDeadlinePassed);
        }
        if deadline - self.now > TERM {
            return Err(SharingError::InvalidInput);
        }
        let total = kwh.checked_mul(price).ok_or(SharingError::AmountOverflow)?;
        let n = seller.agreements + 1;
        if n == PROVIDER_STEP {
            return Err(SharingError::AmountOverflow);
        }
        let id = seller.number * PROVIDER_STEP + n;
        let data = [
            ("energy_amount_kwh", kwh.into()),
            ("price_per_kwh", price.into()),
            ("total_amount", total.into()),
            ("delivery_deadline", deadline.into()),
            ("created_at", self.now.into()),
        ];
        done(id, [provider], [Event::new("agreement_created", vec![id.into(), provider.into(), consumer.into()], data)])
    }

    fn fund(&mut self, id: u64, consumer: Person, deposit: Deposit) -> Answer {
        if deposit == Deposit::None {
            return Err(SharingError::InvalidInput);
        }
        let agreement = self.books.agreement(id)?;
        if consumer != agreement.consumer {
            return Err(SharingError::NotAuthorized);
        }
        self.in_time(agreement)?;
        if agreement.funded() {
            return Err(SharingError::AgreementFunded);
        }
        if !agreement.transactions.is_empty() {
            return Err(SharingError::DeliveryStarted);
        }
        if deposit == Deposit::Metered && self.books.prosumer(agreement.provider)?.meter.is_none() {
            return Err(SharingError::MeterNotCertified);
        }
        let transfer = self.token.pay(consumer, self.contract, agreement.total)?;
        let data = [("escrow_amount", agreement.total.into()), ("deposit", deposit.into())];
        done(0, [consumer], [agreement.event("agreement_funded", data), transfer])
    }

    fn cancel(&self, id: u64, canceller: Person) -> Answer {
        let agreement = self.books.agreement(id)?;
        if !agreement.party(canceller) {
            return Err(SharingError::NotAuthorized);
        }
        if !agreement.open(self.now) {
            return Err(SharingError::AgreementNotActive);
        }
        if agreement.funded() && canceller == agreement.consumer {
            return Err(SharingError::AgreementFunded);
        }
        done(0, [canceller], [agreement.event("agreement_cancelled", [("canceller", canceller.into())])])
    }

    fn claim(&mut self, id: u64) -> Answer {
        let agreement = self.books.agreement(id)?;
        let surplus = agreement.surplus(self.now);
        if surplus == 0 {
            return Err(SharingError::NothingToRefund);
        }
        let transfer = self.token.pay(self.contract, agreement.consumer, surplus)?;
        let data = [("refund_amount", surplus.into()), ("escrow_amount", (agreement.escrow - surplus).into())];
        done(surplus, [], [agreement.event("escrow_refunded", data), transfer])
    }

    fn deliver(&mut self, agreement_id: u64, kwh: u64, reading: u64, provider: Person) -> Answer {
        let agreement = self.books.agreement(agreement_id)?;
        if provider != agreement.provider {
            return Err(SharingError::NotAuthorized);
        }
        self.in_time(agreement)?;
        if kwh == 0 {
            return Err(SharingError::InvalidInput);
        }
        if kwh > agreement.remaining() {
            return Err(SharingError::InsufficientEnergy);
        }
        let seller = self.books.prosumer(provider)?;
        let metered = seller.meter.is_some() && agreement.deposit != Deposit::Reviewed;
        let at_once = metered && agreement.deposit == Deposit::Metered;
        let last = agreement.transactions.last().map(|id| (*id, &self.books.transactions[id]));
        let joins = last.filter(|(_, last)| at_once && last.at_once && last.day() == self.now / DAY);
        let is_full = agreement.transactions.len() == FORTY;
        if is_full && joins.is_none() {
            return Err(SharingError::TooManyTransactions);
        }
        if !plausible(reading, kwh, seller, last.map(|(_, last)| last.reading), self.now) {
            return Err(SharingError::InvalidMeterReading);
        }

        let payment = kwh * agreement.price;
        let paid = if at_once { self.token.pay(self.contract, provider, payment).ok() } else { None };
        let id = match joins {
            Some((id, _)) if paid.is_some() => id,
            _ if is_full => return Err(SharingError::TooManyTransactions),
            _ => agreement.transactions.len() as u64 * TRANSACTION_STEP + agreement_id,
        };
        let data = [
            ("energy_delivered_kwh", kwh.into()),
            ("meter_reading", reading.into()),
            ("payment_amount", payment.into()),
            ("delivered_at", self.now.into()),
            ("metered", metered.into()),
        ];
        let mut events = vec![agreement.transaction_event("energy_delivered", id, data)];
        if let Some(transfer) = paid {
            events.insert(0, transfer);
            events.push(self.settled(agreement, id, payment, provider));
        }
        done(id, [seller.meter.unwrap_or(provider)], events)
    }

    fn settle_payment(&mut self, id: u64, settler: Person) -> Answer {
        let (transaction, agreement) = self.books.transaction(id)?;
        if !agreement.party(settler) {
            return Err(SharingError::NotAuthorized);
        }
        self.can_settle(transaction, agreement, settler)?;
        let agreement_id = transaction.agreement;
        let paid = self.settle(agreement_id, &[id], settler)?;
        Ok(Done { answer: 0, ..paid })
    }

    fn settle_agreement(&mut self, id: u64, through: u64, settler: Person) -> Answer {
        let agreement = self.books.agreement(id)?;
        if !agreement.party(settler) {
            return Err(SharingError::NotAuthorized);
        }
        let last =
            agreement.transactions.iter().position(|id| *id == through).ok_or(SharingError::TransactionNotFound)?;
        let (mut ids, mut reviewed) = (Vec::new(), false);
        for id in &agreement.transactions[..=last] {
            match self.can_settle(&self.books.transactions[id], agreement, settler) {
                Ok(()) => ids.push(*id),
                Err(error) => reviewed |= error == SharingError::ReviewPeriodOpen,
            }
        }
        match ids[..] {
            [] if reviewed => Err(SharingError::ReviewPeriodOpen),
            [] => Err(SharingError::NothingToSettle),
            _ => self.settle(id, &ids, settler),
        }
    }

    /// Pays transactions of an agreement with one transfer: from its deposit, or with the consumer's signature.
    fn settle(&mut self, agreement_id: u64, ids: &[u64], settler: Person) -> Answer {
        let agreement = &self.books.agreements[&agreement_id];
        let payments = ids.iter().map(|id| (*id, self.books.transactions[id].payment));
        let sum = payments.clone().map(|(_, payment)| payment).sum();
        let (payer, second) =
            if agreement.funded() { (self.contract, None) } else { (agreement.consumer, Some(agreement.consumer)) };
        let transfer = self.token.pay(payer, agreement.provider, sum)?;
        let settled = payments.map(|(id, payment)| self.settled(agreement, id, payment, settler));
        done(sum, [settler].into_iter().chain(second), settled.chain(iter::once(transfer)))
    }

    /// Whether a party can settle a transaction now.
    fn can_settle(
        &self,
        transaction: &Transaction,
        agreement: &Agreement,
        settler: Person,
    ) -> Result<(), SharingError> {
        unsettled(transaction)?;
        if agreement.funded() && settler == agreement.provider && self.now < transaction.provider_settles_from() {
            return Err(SharingError::ReviewPeriodOpen);
        }
        Ok(())
    }

    fn dispute(&self, id: u64, disputer: Person) -> Answer {
        let (transaction, agreement) = self.books.transaction(id)?;
        if !agreement.party(disputer) {
            return Err(SharingError::NotAuthorized);
        }
        unsettled(transaction)?;
        if transaction.ruled {
            return Err(SharingError::DisputeAlreadyResolved);
        }
        if transaction.metered && agreement.deposit == Deposit::Metered {
            return Err(SharingError::DepositTrustsMeter);
        }
        let data = [("disputed_at", self.now.into()), ("disputer", disputer.into())];
        done(0, [disputer], [agreement.transaction_event("transaction_disputed", id, data)])
    }

    fn resolve(&self, id: u64, accepted: u64, resolver: Person, admin: Person) -> Answer {
        let (transaction, agreement) = self.books.transaction(id)?;
        if !transaction.disputed() {
            return Err(SharingError::TransactionNotDisputed);
        }
        if !agreement.party(resolver) && resolver != admin {
            return Err(SharingError::NotAuthorized);
        }
        if accepted > transaction.kwh {
            return Err(SharingError::InvalidInput);
        }
        let its_own = if resolver == agreement.consumer { transaction.kwh } else { 0 };
        let both = agreement.party(resolver) && accepted != its_own;
        let signers = if both { agreement.parties().to_vec() } else { vec![resolver] };
        done(0, signers, [self.ruling(id, accepted, Some(resolver))])
    }

    fn close(&self, id: u64) -> Answer {
        let (transaction, _) = self.books.transaction(id)?;
        let disputed_at = transaction.disputed_at.ok_or(SharingError::TransactionNotDisputed)?;
        if self.now < disputed_at.saturating_add(ARBITRATION) {
            return Err(SharingError::ArbitrationPeriodOpen);
        }
        let accepted = if transaction.metered { transaction.kwh } else { 0 };
        done(0, [], [self.ruling(id, accepted, None)])
    }

    fn ruling(&self, id: u64, accepted: u64, resolver: Option<Person>) -> Event {
        let agreement = &self.books.agreements[&self.books.transactions[&id].agreement];
        let data = [
            ("energy_accepted_kwh", accepted.into()),
            ("payment_amount", (accepted * agreement.price).into()),
            ("settled_at", (accepted == 0).then_some(self.now).into()),
            ("resolver", resolver.into()),
        ];
        agreement.transaction_event("dispute_resolved", id, data)
    }

    fn settled(&self, agreement: &Agreement, id: u64, payment: u64, settler: Person) -> Event {
        let data = [("payment_amount", payment.into()), ("settled_at", self.now.into()), ("settler", settler.into())];
        agreement.transaction_event("payment_settled", id, data)
    }

    /// Open for a deposit and for deliveries, or why not.
    fn in_time(&self, agreement: &Agreement) -> Result<(), SharingError> {
        if agreement.cancelled || agreement.remaining() == 0 {
            return Err(SharingError::AgreementNotActive);
        }
        if self.now > agreement.deadline {
            return Err(SharingError::DeliveryDeadlinePassed);
        }
        Ok(())
    }
}

fn set_admin(admin: Person, new: Person) -> Answer {
    if new == admin {
        return Err(SharingError::InvalidInput);
    }
    done(0, [admin, new], [Event::new("admin_changed", vec![admin.into(), new.into()], [])])
}

/// The meter rule, for a delivery after the agreement's last reading.
fn plausible(reading: u64, kwh: u64, seller: &Prosumer, last: Option<u64>, now: u64) -> bool {
    let goes_back = reading < seller.reading;
    let too_high = reading > HIGHEST_READING;
    let exchanged = last.is_some_and(|last| seller.reading < last);
    let sent_twice = last.is_some_and(|last| reading <= last) && !exchanged;
    let exported = u128::from(reading.saturating_sub(seller.start));
    let risen = reading.saturating_sub(seller.reading);
    // The kWh of which the last reading hid a fraction is there already.
    let too_fast = !too_high && risen > 0 && now < seller.can_export(risen - 1);
    !goes_back && !too_high && !sent_twice && !too_fast && u128::from(seller.sold) + u128::from(kwh) <= exported
}

fn unsettled(transaction: &Transaction) -> Result<(), SharingError> {
    match transaction.status() {
        TransactionStatus::Settled => Err(SharingError::TransactionAlreadySettled),
        TransactionStatus::Disputed => Err(SharingError::TransactionDisputed),
        _ => Ok(()),
    }
}

fn done(answer: u64, signers: impl IntoIterator<Item = Person>, events: impl IntoIterator<Item = Event>) -> Answer {
    Ok(Done { answer, signers: signers.into_iter().collect(), events: events.into_iter().collect() })
}
