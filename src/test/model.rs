//! The rules of the contract in plain Rust: what each call answers, who signs it, what it emits and whom it pays.
//!
//! The model has no records of its own. It reads books that are what the emitted events add up to, so that every answer that agrees with
//! it shows that an indexer needs nothing but the events.

use super::std::{collections::BTreeSet, vec, vec::Vec};

use super::books::{Agreement, Books, Event, Person, ARBITRATION, IDS, TERM};
use crate::SharingError;

/// Every entrypoint that acts, with its arguments in their order.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Initialize(Person, Person),
    SetAdmin(Person),
    RegisterProsumer(Person),
    RegisterMeter(Person, Option<Person>, u64),
    CreateAgreement(Person, Person, u64, u64, u64),
    FundAgreement(u64, Person),
    CancelAgreement(u64, Person),
    ClaimRefund(u64),
    DeliverEnergy(u64, u64, u64, Person),
    SettlePayment(u64, Person),
    DisputeTransaction(u64, Person),
    ResolveDispute(u64, u64, Person),
    CloseDispute(u64),
}

/// What a call that succeeds returns (0 if nothing), who signs it, and what it emits.
#[derive(Debug)]
pub struct Done {
    pub answer: u64,
    pub signers: BTreeSet<Person>,
    pub events: Vec<Event>,
}

/// The payment token, as far as calls of the contract move it.
#[derive(Debug)]
pub struct Token {
    pub balances: Vec<i128>,
    pub frozen: BTreeSet<Person>,
}

impl Token {
    /// Whether the token moved the amount.
    pub fn pay(&mut self, from: Person, to: Person, amount: u64) -> bool {
        let amount = i128::from(amount);
        let allowed = !self.frozen.contains(&from) && !self.frozen.contains(&to) && self.balances[from] >= amount;
        if allowed {
            self.balances[from] -= amount;
            self.balances[to] += amount;
        }
        allowed
    }
}

pub struct Model {
    pub now: u64,
    pub books: Books,
    pub token: Token,
    /// Of the contract and of its token.
    pub contract: Person,
    pub asset: Person,
    /// Agreements whose last refund failed.
    pub unpaid: BTreeSet<u64>,
}

impl Model {
    /// Moves the tokens if the call succeeds. The books follow by the events.
    pub fn call(&mut self, call: Call) -> Result<Done, SharingError> {
        if let Call::Initialize(admin, token) = call {
            let event = Event::new("initialized", vec![admin.into()], [("token_contract", token.into())]);
            return match self.books.config {
                Some(_) => Err(SharingError::AlreadyInitialized),
                None if token != self.asset => Err(SharingError::InvalidInput),
                None => done(0, [admin], [event]),
            };
        }
        let (admin, _) = self.books.config()?;
        match call {
            Call::Initialize(..) => unreachable!(),
            Call::SetAdmin(new) if new == admin => Err(SharingError::InvalidInput),
            Call::SetAdmin(new) => done(0, [admin, new], [Event::new("admin_changed", vec![admin.into(), new.into()], [])]),
            Call::RegisterProsumer(prosumer) if self.books.prosumer(prosumer).is_ok() => done(0, [prosumer], None),
            Call::RegisterProsumer(prosumer) => {
                let number = self.books.prosumers.len() as u64;
                done(0, [prosumer], [Event::new("prosumer_registered", vec![prosumer.into()], [("number", number.into())])])
            }
            Call::RegisterMeter(prosumer, meter, reading) => self.register_meter(admin, prosumer, meter, reading),
            Call::CreateAgreement(provider, consumer, kwh, price, deadline) => self.create(provider, consumer, kwh, price, deadline),
            Call::FundAgreement(id, consumer) => self.fund(id, consumer),
            Call::CancelAgreement(id, canceller) => self.cancel(id, canceller),
            Call::ClaimRefund(id) => self.claim(id),
            Call::DeliverEnergy(id, kwh, reading, provider) => self.deliver(id, kwh, reading, provider),
            Call::SettlePayment(id, settler) => self.settle(id, settler),
            Call::DisputeTransaction(id, disputer) => self.dispute(id, disputer),
            Call::ResolveDispute(id, accepted, resolver) => self.resolve(id, accepted, resolver, admin),
            Call::CloseDispute(id) => self.close(id),
        }
    }

    fn register_meter(&self, admin: Person, prosumer: Person, meter: Option<Person>, reading: u64) -> Result<Done, SharingError> {
        let register = self.books.prosumer(prosumer)?;
        if meter == Some(prosumer) {
            return Err(SharingError::InvalidInput);
        }
        let (signers, start, reading, sold) = match meter {
            Some(_) => (vec![admin, prosumer], reading, reading, 0),
            None if register.meter.is_none() => return done(0, [admin], None),
            None => (vec![admin], register.start, register.reading, register.sold),
        };
        let data =
            [("meter", meter.into()), ("meter_start", start.into()), ("meter_reading", reading.into()), ("energy_sold_kwh", sold.into())];
        done(0, signers, [Event::new("meter_registered", vec![prosumer.into()], data)])
    }

    fn create(&self, provider: Person, consumer: Person, kwh: u64, price: u64, deadline: u64) -> Result<Done, SharingError> {
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
        let id = seller.number * IDS + seller.agreements + 1;
        let data = [
            ("energy_amount_kwh", kwh.into()),
            ("price_per_kwh", price.into()),
            ("total_amount", total.into()),
            ("delivery_deadline", deadline.into()),
            ("created_at", self.now.into()),
        ];
        done(id, [provider], [Event::new("agreement_created", vec![id.into(), provider.into(), consumer.into()], data)])
    }

    fn fund(&mut self, id: u64, consumer: Person) -> Result<Done, SharingError> {
        let agreement = self.books.agreement(id)?;
        if consumer != agreement.consumer {
            return Err(SharingError::NotAuthorized);
        }
        agreement.in_time(self.now)?;
        if agreement.funded {
            return Err(SharingError::AgreementFunded);
        }
        if agreement.delivered > 0 {
            return Err(SharingError::DeliveryStarted);
        }
        if !self.token.pay(consumer, self.contract, agreement.total) {
            return Err(SharingError::PaymentFailed);
        }
        done(0, [consumer], [agreement.event("agreement_funded", id, [("escrow_amount", agreement.total.into())])])
    }

    fn cancel(&mut self, id: u64, canceller: Person) -> Result<Done, SharingError> {
        let mut agreement = self.books.agreement(id)?.clone();
        if !agreement.party(canceller) {
            return Err(SharingError::NotAuthorized);
        }
        if !agreement.open(self.now) {
            return Err(SharingError::AgreementNotActive);
        }
        if agreement.funded && canceller == agreement.consumer {
            return Err(SharingError::AgreementFunded);
        }
        agreement.cancelled = true;
        let cancelled = agreement.event("agreement_cancelled", id, [("canceller", canceller.into())]);
        done(0, [canceller], [Some(cancelled), self.refund(id, &agreement)].into_iter().flatten())
    }

    /// Pays the surplus, if there is one and the token lets it.
    fn refund(&mut self, id: u64, agreement: &Agreement) -> Option<Event> {
        let surplus = agreement.surplus(self.now);
        if surplus == 0 {
            return None;
        }
        if !self.token.pay(self.contract, agreement.consumer, surplus) {
            self.unpaid.insert(id);
            return None;
        }
        self.unpaid.remove(&id);
        let data = [("refund_amount", surplus.into()), ("escrow_amount", (agreement.escrow - surplus).into())];
        Some(agreement.event("escrow_refunded", id, data))
    }

    fn claim(&mut self, id: u64) -> Result<Done, SharingError> {
        let agreement = self.books.agreement(id)?.clone();
        let surplus = agreement.surplus(self.now);
        if surplus == 0 {
            return Err(SharingError::NothingToRefund);
        }
        done(surplus, [], Some(self.refund(id, &agreement).ok_or(SharingError::PaymentFailed)?))
    }

    fn deliver(&self, id: u64, kwh: u64, reading: u64, provider: Person) -> Result<Done, SharingError> {
        let agreement = self.books.agreement(id)?;
        if provider != agreement.provider {
            return Err(SharingError::NotAuthorized);
        }
        agreement.in_time(self.now)?;
        if kwh == 0 {
            return Err(SharingError::InvalidInput);
        }
        if kwh > agreement.kwh - agreement.delivered {
            return Err(SharingError::InsufficientEnergy);
        }
        let seller = self.books.prosumer(provider)?;
        if reading < seller.reading || u128::from(seller.sold) + u128::from(kwh) > u128::from(reading - seller.start) {
            return Err(SharingError::InvalidMeterReading);
        }
        let transaction = seller.number * IDS + seller.deliveries + 1;
        let data = [
            ("agreement_id", id.into()),
            ("energy_delivered_kwh", kwh.into()),
            ("meter_reading", reading.into()),
            ("payment_amount", (kwh * agreement.price).into()),
            ("delivered_at", self.now.into()),
            ("metered", seller.meter.is_some().into()),
        ];
        let signers = [provider].into_iter().chain(seller.meter);
        done(transaction, signers, [agreement.event("energy_delivered", transaction, data)])
    }

    fn settle(&mut self, id: u64, settler: Person) -> Result<Done, SharingError> {
        let (transaction, agreement) = self.books.transaction(id)?;
        if !agreement.party(settler) {
            return Err(SharingError::NotAuthorized);
        }
        transaction.undisputed()?;
        if agreement.funded && settler != agreement.consumer && self.now < transaction.provider_settles_from() {
            return Err(SharingError::ReviewPeriodOpen);
        }
        let payer = if agreement.funded { self.contract } else { agreement.consumer };
        if !self.token.pay(payer, agreement.provider, transaction.payment) {
            return Err(SharingError::PaymentFailed);
        }
        let data = [
            ("agreement_id", transaction.agreement.into()),
            ("payment_amount", transaction.payment.into()),
            ("settled_at", self.now.into()),
            ("settler", settler.into()),
        ];
        let signers = [settler].into_iter().chain((!agreement.funded).then_some(agreement.consumer));
        done(0, signers, [agreement.event("payment_settled", id, data)])
    }

    fn dispute(&self, id: u64, disputer: Person) -> Result<Done, SharingError> {
        let (transaction, agreement) = self.books.transaction(id)?;
        if !agreement.party(disputer) {
            return Err(SharingError::NotAuthorized);
        }
        transaction.undisputed()?;
        if transaction.ruled {
            return Err(SharingError::DisputeAlreadyResolved);
        }
        let data = [("agreement_id", transaction.agreement.into()), ("disputed_at", self.now.into()), ("disputer", disputer.into())];
        done(0, [disputer], [agreement.event("transaction_disputed", id, data)])
    }

    fn resolve(&mut self, id: u64, accepted: u64, resolver: Person, admin: Person) -> Result<Done, SharingError> {
        let (transaction, agreement) = self.books.transaction(id)?;
        if transaction.disputed_at.is_none() {
            return Err(SharingError::TransactionNotDisputed);
        }
        if !agreement.party(resolver) && resolver != admin {
            return Err(SharingError::NotAuthorized);
        }
        if accepted > transaction.kwh {
            return Err(SharingError::InvalidInput);
        }
        let gives = if resolver == agreement.consumer { transaction.kwh } else { 0 };
        let signers =
            if agreement.party(resolver) && accepted != gives { vec![agreement.provider, agreement.consumer] } else { vec![resolver] };
        let events = self.rule(id, accepted, Some(resolver));
        done(0, signers, events)
    }

    fn close(&mut self, id: u64) -> Result<Done, SharingError> {
        let (transaction, _) = self.books.transaction(id)?;
        let disputed_at = transaction.disputed_at.ok_or(SharingError::TransactionNotDisputed)?;
        if self.now < disputed_at.saturating_add(ARBITRATION) {
            return Err(SharingError::ArbitrationPeriodOpen);
        }
        let accepted = if transaction.metered { transaction.kwh } else { 0 };
        let events = self.rule(id, accepted, None);
        done(0, [], events)
    }

    fn rule(&mut self, id: u64, accepted: u64, resolver: Option<Person>) -> Vec<Event> {
        let transaction = &self.books.transactions[&id];
        let agreement_id = transaction.agreement;
        let mut agreement = self.books.agreements[&agreement_id].clone();
        let payment = accepted * agreement.price;
        agreement.pending -= transaction.payment - payment;
        let data = [
            ("agreement_id", agreement_id.into()),
            ("energy_accepted_kwh", accepted.into()),
            ("payment_amount", payment.into()),
            ("settled_at", (accepted == 0).then_some(self.now).into()),
            ("resolver", resolver.into()),
        ];
        let resolved = agreement.event("dispute_resolved", id, data);
        [Some(resolved), self.refund(agreement_id, &agreement)].into_iter().flatten().collect()
    }
}

fn done(answer: u64, signers: impl IntoIterator<Item = Person>, events: impl IntoIterator<Item = Event>) -> Result<Done, SharingError> {
    Ok(Done { answer, signers: signers.into_iter().collect(), events: events.into_iter().collect() })
}
