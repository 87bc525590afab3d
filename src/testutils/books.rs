//! The state of the contract as its events tell it, and nothing else: what the getters must answer.
//!
//! A prosumer has agreements, an agreement has transactions, and every event changes some of them: `Books::apply` is an indexer.

use super::std::{cmp::Ordering, collections::BTreeMap, string::String, vec, vec::Vec};

use super::{DAY, HOUR};
use crate::{AgreementStatus, Deposit, SharingError, TransactionStatus};

/// The periods and limits of the design, apart from the contract's own constants.
pub const REVIEW: u64 = 24 * HOUR;
pub const ARBITRATION: u64 = 30 * DAY;
pub const TERM: u64 = 366 * DAY;
pub const FORTY: usize = 40;
pub const PAGE: usize = 25;
pub const HIGHEST_READING: u64 = (1 << 35) - 1;
pub const MOST_POWER: u64 = (1 << 24) - 1;

/// The steps of the ids: from provider to provider, and from one transaction of an agreement to the next.
pub const PROVIDER_STEP: u64 = 1_000_000;
pub const TRANSACTION_STEP: u64 = 10_000_000 * PROVIDER_STEP;

/// Whoever has an address, by its place in the test's list.
pub type Person = usize;

/// An event as it is published: topics after the name in their order, data by its names.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub topics: Vec<Value>,
    pub data: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Nothing,
    Flag(bool),
    Number(u64),
    Deposit(Deposit),
    Person(Person),
}

impl Event {
    pub fn new<const N: usize>(name: &str, topics: Vec<Value>, data: [(&str, Value); N]) -> Self {
        Self { name: name.into(), topics, data: data.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }

    /// The agreement or transaction of its first topic.
    pub fn id(&self) -> u64 {
        self.topics[0].number().unwrap()
    }

    pub fn person(&self, topic: usize) -> Person {
        self.topics[topic].person().unwrap()
    }

    pub fn number(&self, name: &str) -> u64 {
        self.data[name].number().unwrap()
    }

    /// The agreement that it is about, or that its transaction is of.
    pub fn agreement(&self) -> Option<u64> {
        self.data.get("agreement_id").or(self.topics.first()).and_then(|id| id.number())
    }
}

impl Value {
    pub fn number(self) -> Option<u64> {
        if let Self::Number(number) = self {
            Some(number)
        } else {
            None
        }
    }

    pub fn person(self) -> Option<Person> {
        if let Self::Person(person) = self {
            Some(person)
        } else {
            None
        }
    }

    fn deposit(self) -> Option<Deposit> {
        if let Self::Deposit(deposit) = self {
            Some(deposit)
        } else {
            None
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<Deposit> for Value {
    fn from(deposit: Deposit) -> Self {
        Self::Deposit(deposit)
    }
}

impl From<Person> for Value {
    fn from(person: Person) -> Self {
        Self::Person(person)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// All that the getters answer, added up from events alone.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The admin and the token.
    pub config: Option<(Person, Person)>,
    /// How many prosumers are registered.
    pub registered: u64,
    pub prosumers: BTreeMap<Person, Prosumer>,
    pub agreements: BTreeMap<u64, Agreement>,
    /// Agreements in the order in which they were created.
    pub created: Vec<u64>,
    pub transactions: BTreeMap<u64, Transaction>,
}

#[derive(Clone, Debug, Default)]
pub struct Prosumer {
    pub number: u64,
    pub meter: Option<Person>,
    pub power: u64,
    pub start: u64,
    pub reading: u64,
    pub read_at: u64,
    pub sold: u64,
    pub agreements: u64,
    pub last_agreement: Option<u64>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Agreement {
    pub id: u64,
    pub provider: Person,
    pub consumer: Person,
    pub kwh: u64,
    pub price: u64,
    pub total: u64,
    pub deadline: u64,
    pub created_at: u64,
    pub delivered: u64,
    pub pending: u64,
    pub escrow: u64,
    pub deposit: Deposit,
    pub cancelled: bool,
    /// The oldest first.
    pub transactions: Vec<u64>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Transaction {
    pub agreement: u64,
    pub kwh: u64,
    pub reading: u64,
    pub payment: u64,
    pub delivered_at: u64,
    pub settled_at: Option<u64>,
    pub disputed_at: Option<u64>,
    pub metered: bool,
    pub ruled: bool,
    /// It was paid in the call that recorded it.
    pub at_once: bool,
}

impl Ord for Deposit {
    fn cmp(&self, other: &Self) -> Ordering {
        (*self as u32).cmp(&(*other as u32))
    }
}

impl PartialOrd for Deposit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Agreement {
    pub fn status(&self, now: u64) -> AgreementStatus {
        match (self.cancelled, self.delivered == self.kwh, self.pending) {
            (true, ..) => AgreementStatus::Cancelled,
            (_, true, 0) => AgreementStatus::Settled,
            (_, true, _) => AgreementStatus::Delivered,
            _ if now > self.deadline => AgreementStatus::Expired,
            _ => AgreementStatus::Active,
        }
    }

    pub fn open(&self, now: u64) -> bool {
        self.status(now) == AgreementStatus::Active
    }

    pub fn funded(&self) -> bool {
        self.deposit != Deposit::None
    }

    pub fn remaining(&self) -> u64 {
        self.kwh - self.delivered
    }

    pub fn owed(&self, now: u64) -> u64 {
        self.pending + if self.open(now) { self.remaining() * self.price } else { 0 }
    }

    pub fn surplus(&self, now: u64) -> u64 {
        self.escrow.saturating_sub(self.owed(now))
    }

    pub fn parties(&self) -> [Person; 2] {
        [self.provider, self.consumer]
    }

    pub fn party(&self, person: Person) -> bool {
        self.parties().contains(&person)
    }

    pub fn event<const N: usize>(&self, name: &str, data: [(&str, Value); N]) -> Event {
        Event::new(name, vec![self.id.into(), self.provider.into(), self.consumer.into()], data)
    }

    /// An event of one of its transactions.
    pub fn transaction_event<const N: usize>(&self, name: &str, id: u64, data: [(&str, Value); N]) -> Event {
        let mut event = self.event(name, data);
        event.topics[0] = id.into();
        event.data.insert("agreement_id".into(), self.id.into());
        event
    }
}

impl Transaction {
    pub fn status(&self) -> TransactionStatus {
        match (self.settled_at, self.disputed_at) {
            (Some(_), _) => TransactionStatus::Settled,
            (_, Some(_)) => TransactionStatus::Disputed,
            _ => TransactionStatus::Delivered,
        }
    }

    /// Waits to be settled.
    pub fn due(&self) -> bool {
        self.status() == TransactionStatus::Delivered
    }

    pub fn disputed(&self) -> bool {
        self.status() == TransactionStatus::Disputed
    }

    pub fn day(&self) -> u64 {
        self.delivered_at / DAY
    }

    pub fn provider_settles_from(&self) -> u64 {
        if self.metered || self.ruled {
            self.delivered_at
        } else {
            self.delivered_at.saturating_add(REVIEW)
        }
    }
}

impl Prosumer {
    /// From when a certified plant can have exported so much since its last reading. What has no meter is not bound.
    pub fn can_export(&self, kwh: u64) -> u64 {
        if self.meter.is_none() {
            return 0;
        }
        self.read_at.saturating_add((kwh * HOUR).div_ceil(self.power))
    }
}

impl Books {
    pub fn config(&self) -> Result<(Person, Person), SharingError> {
        self.config.ok_or(SharingError::NotInitialized)
    }

    pub fn prosumer(&self, person: Person) -> Result<&Prosumer, SharingError> {
        self.config()?;
        self.prosumers.get(&person).ok_or(SharingError::ProsumerNotRegistered)
    }

    pub fn agreement(&self, id: u64) -> Result<&Agreement, SharingError> {
        self.config()?;
        self.agreements.get(&id).ok_or(SharingError::AgreementNotFound)
    }

    pub fn transaction(&self, id: u64) -> Result<(&Transaction, &Agreement), SharingError> {
        self.config()?;
        let transaction = self.transactions.get(&id).ok_or(SharingError::TransactionNotFound)?;
        Ok((transaction, &self.agreements[&transaction.agreement]))
    }

    /// A prosumer's transactions: by agreement in the order of their creation, the oldest delivery of each first.
    pub fn history(&self, person: Person) -> Result<Vec<u64>, SharingError> {
        self.prosumer(person)?;
        Ok(self.agreements_of(person).flat_map(|id| &self.agreements[&id].transactions).copied().collect())
    }

    /// A prosumer's agreements, the newest first.
    pub fn page(&self, person: Person, before: Option<u64>, limit: u32) -> Result<Vec<u64>, SharingError> {
        self.prosumer(person)?;
        let mut older: Vec<_> = self.agreements_of(person).collect();
        if let Some(before) = before {
            older.truncate(older.iter().position(|id| *id == before).ok_or(SharingError::AgreementNotFound)?);
        }
        Ok(older.into_iter().rev().take(PAGE.min(limit as usize)).collect())
    }

    fn agreements_of(&self, person: Person) -> impl Iterator<Item = u64> + '_ {
        self.created.iter().copied().filter(move |id| self.agreements[id].party(person))
    }

    /// All that a call emitted.
    pub fn apply(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.apply_one(event));
        let paid = events.iter().any(|event| event.name == "payment_settled");
        let delivered = events.iter().find(|event| event.name == "energy_delivered");
        if let Some(delivered) = delivered.filter(|_| paid) {
            self.transactions.get_mut(&delivered.id()).unwrap().at_once = true;
        }
    }

    fn apply_one(&mut self, event: &Event) {
        match event.name.as_str() {
            // The token's.
            "transfer" => {}
            "initialized" => self.config = Some((event.person(0), event.data["token_contract"].person().unwrap())),
            "admin_changed" => self.config = self.config.map(|(_, token)| (event.person(1), token)),
            "prosumer_registered" => {
                let number = event.number("number");
                self.registered = number + 1;
                self.prosumers.insert(event.person(0), Prosumer { number, ..Prosumer::default() });
            }
            "meter_registered" => {
                let prosumer = self.prosumers.get_mut(&event.person(0)).unwrap();
                prosumer.meter = event.data["meter"].person();
                prosumer.power = event.number("max_power_kw");
                prosumer.read_at = event.number("read_at");
                prosumer.start = event.number("meter_start");
                prosumer.reading = event.number("meter_reading");
                prosumer.sold = event.number("energy_sold_kwh");
            }
            "agreement_created" => self.created(event),
            "energy_delivered" => self.delivered(event),
            "transaction_disputed" | "dispute_resolved" | "payment_settled" => self.transaction_changed(event),
            _ => self.agreement_changed(event),
        }
    }

    fn created(&mut self, event: &Event) {
        let agreement = Agreement {
            id: event.id(),
            provider: event.person(1),
            consumer: event.person(2),
            kwh: event.number("energy_amount_kwh"),
            price: event.number("price_per_kwh"),
            total: event.number("total_amount"),
            deadline: event.number("delivery_deadline"),
            created_at: event.number("created_at"),
            delivered: 0,
            pending: 0,
            escrow: 0,
            deposit: Deposit::None,
            cancelled: false,
            transactions: Vec::new(),
        };
        self.prosumers.get_mut(&agreement.provider).unwrap().agreements += 1;
        for party in agreement.parties() {
            self.prosumers.get_mut(&party).unwrap().last_agreement = Some(agreement.id);
        }
        self.created.push(agreement.id);
        self.agreements.insert(agreement.id, agreement);
    }

    /// Of an id that is there already, it is more of what was paid at once on that day.
    fn delivered(&mut self, event: &Event) {
        let transaction = Transaction {
            agreement: event.number("agreement_id"),
            kwh: event.number("energy_delivered_kwh"),
            reading: event.number("meter_reading"),
            payment: event.number("payment_amount"),
            delivered_at: event.number("delivered_at"),
            settled_at: None,
            disputed_at: None,
            metered: event.data["metered"] == Value::Flag(true),
            ruled: false,
            at_once: false,
        };
        let agreement = self.agreements.get_mut(&transaction.agreement).unwrap();
        agreement.delivered += transaction.kwh;
        agreement.pending += transaction.payment;
        let provider = self.prosumers.get_mut(&agreement.provider).unwrap();
        if let Some(risen) = transaction.reading.checked_sub(provider.reading).filter(|risen| *risen > 0) {
            provider.read_at = transaction.delivered_at.max(provider.can_export(risen));
        }
        provider.reading = transaction.reading;
        provider.sold += transaction.kwh;
        match self.transactions.get_mut(&event.id()) {
            Some(day) => {
                *day = Transaction {
                    kwh: day.kwh + transaction.kwh,
                    payment: day.payment + transaction.payment,
                    ..transaction
                }
            }
            None => {
                agreement.transactions.push(event.id());
                self.transactions.insert(event.id(), transaction);
            }
        }
    }

    fn transaction_changed(&mut self, event: &Event) {
        let transaction = self.transactions.get_mut(&event.id()).unwrap();
        let agreement = self.agreements.get_mut(&event.number("agreement_id")).unwrap();
        match event.name.as_str() {
            "transaction_disputed" => transaction.disputed_at = Some(event.number("disputed_at")),
            "dispute_resolved" => {
                agreement.pending -= transaction.payment - event.number("payment_amount");
                transaction.payment = event.number("payment_amount");
                transaction.settled_at = event.data["settled_at"].number();
                transaction.disputed_at = None;
                transaction.ruled = true;
            }
            _ => {
                transaction.settled_at = Some(event.number("settled_at"));
                agreement.pending -= event.number("payment_amount");
                if agreement.funded() {
                    agreement.escrow -= event.number("payment_amount");
                }
            }
        }
    }

    fn agreement_changed(&mut self, event: &Event) {
        let agreement = self.agreements.get_mut(&event.id()).unwrap();
        match event.name.as_str() {
            "agreement_funded" => {
                agreement.escrow = event.number("escrow_amount");
                agreement.deposit = event.data["deposit"].deposit().unwrap();
            }
            "agreement_cancelled" => agreement.cancelled = true,
            "escrow_refunded" => agreement.escrow -= event.number("refund_amount"),
            name => panic!("an event of no kind: {name}"),
        }
    }
}
