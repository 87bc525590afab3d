//! The state of the contract as its events tell it, and nothing else: what the getters must answer.

use super::std::{collections::BTreeMap, string::String, vec, vec::Vec};

use super::{DAY, HOUR};
use crate::{AgreementStatus, SharingError, TransactionStatus, MAX_PAGE};

/// The periods and ids of the design, apart from the contract's own constants.
pub const REVIEW: u64 = 24 * HOUR;
pub const ARBITRATION: u64 = 30 * DAY;
pub const TERM: u64 = 366 * DAY;
pub const IDS: u64 = 1_000_000_000;

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
}

impl Value {
    fn number(self) -> Option<u64> {
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
#[derive(Debug, Default)]
pub struct Books {
    /// The admin and the token.
    pub config: Option<(Person, Person)>,
    pub prosumers: BTreeMap<Person, Prosumer>,
    pub agreements: BTreeMap<u64, Agreement>,
    pub transactions: BTreeMap<u64, Transaction>,
    /// Transactions as they were delivered.
    pub deliveries: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Prosumer {
    pub number: u64,
    pub meter: Option<Person>,
    pub start: u64,
    pub reading: u64,
    pub sold: u64,
    pub agreements: u64,
    pub deliveries: u64,
    pub last_transaction: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Agreement {
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
    pub funded: bool,
    pub cancelled: bool,
}

#[derive(Clone, Debug)]
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

    /// Not open: why.
    pub fn in_time(&self, now: u64) -> Result<(), SharingError> {
        match self.status(now) {
            AgreementStatus::Active => Ok(()),
            AgreementStatus::Expired => Err(SharingError::DeliveryDeadlinePassed),
            _ => Err(SharingError::AgreementNotActive),
        }
    }

    pub fn owed(&self, now: u64) -> u64 {
        self.pending + if self.open(now) { (self.kwh - self.delivered) * self.price } else { 0 }
    }

    pub fn surplus(&self, now: u64) -> u64 {
        self.escrow.saturating_sub(self.owed(now))
    }

    pub fn party(&self, person: Person) -> bool {
        [self.provider, self.consumer].contains(&person)
    }

    /// An event of this agreement, or of a transaction under it.
    pub fn event<const N: usize>(&self, name: &str, id: u64, data: [(&str, Value); N]) -> Event {
        Event::new(name, vec![id.into(), self.provider.into(), self.consumer.into()], data)
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

    pub fn provider_settles_from(&self) -> u64 {
        if self.metered || self.ruled {
            self.delivered_at
        } else {
            self.delivered_at.saturating_add(REVIEW)
        }
    }

    pub fn undisputed(&self) -> Result<(), SharingError> {
        match self.status() {
            TransactionStatus::Settled => Err(SharingError::TransactionAlreadySettled),
            TransactionStatus::Disputed => Err(SharingError::TransactionDisputed),
            _ => Ok(()),
        }
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

    /// The oldest first.
    pub fn history(&self, person: Person) -> Result<Vec<u64>, SharingError> {
        self.prosumer(person)?;
        Ok(self.deliveries.iter().copied().filter(|id| self.agreements[&self.transactions[id].agreement].party(person)).collect())
    }

    /// The newest first.
    pub fn page(&self, person: Person, before: Option<u64>, limit: u32) -> Result<Vec<u64>, SharingError> {
        let history = self.history(person)?;
        let end = match before {
            Some(id) => history.iter().position(|found| *found == id).ok_or(SharingError::TransactionNotFound)?,
            None => history.len(),
        };
        Ok(history[..end].iter().rev().take(limit.min(MAX_PAGE) as usize).copied().collect())
    }

    pub fn apply(&mut self, event: &Event) {
        match event.name.as_str() {
            "initialized" => self.config = Some((event.person(0), event.data["token_contract"].person().unwrap())),
            "admin_changed" => self.config = self.config.map(|(_, token)| (event.person(1), token)),
            "prosumer_registered" => {
                self.prosumers.insert(event.person(0), Prosumer { number: event.number("number"), ..Prosumer::default() });
            }
            "meter_registered" => {
                let prosumer = self.prosumers.get_mut(&event.person(0)).unwrap();
                prosumer.meter = event.data["meter"].person();
                prosumer.start = event.number("meter_start");
                prosumer.reading = event.number("meter_reading");
                prosumer.sold = event.number("energy_sold_kwh");
            }
            "agreement_created" => {
                self.prosumers.get_mut(&event.person(1)).unwrap().agreements += 1;
                let agreement = Agreement {
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
                    funded: false,
                    cancelled: false,
                };
                self.agreements.insert(event.id(), agreement);
            }
            "agreement_funded" => {
                let agreement = self.agreements.get_mut(&event.id()).unwrap();
                agreement.funded = true;
                agreement.escrow = event.number("escrow_amount");
            }
            "agreement_cancelled" => self.agreements.get_mut(&event.id()).unwrap().cancelled = true,
            "escrow_refunded" => self.agreements.get_mut(&event.id()).unwrap().escrow -= event.number("refund_amount"),
            "energy_delivered" => self.delivered(event),
            _ => self.transaction_changed(event),
        }
    }

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
        };
        let agreement = self.agreements.get_mut(&transaction.agreement).unwrap();
        agreement.delivered += transaction.kwh;
        agreement.pending += transaction.payment;
        let provider = self.prosumers.get_mut(&agreement.provider).unwrap();
        provider.reading = transaction.reading;
        provider.sold += transaction.kwh;
        provider.deliveries += 1;
        for party in [agreement.provider, agreement.consumer] {
            self.prosumers.get_mut(&party).unwrap().last_transaction = Some(event.id());
        }
        self.deliveries.push(event.id());
        self.transactions.insert(event.id(), transaction);
    }

    fn transaction_changed(&mut self, event: &Event) {
        let transaction = self.transactions.get_mut(&event.id()).unwrap();
        let agreement = self.agreements.get_mut(&event.number("agreement_id")).unwrap();
        match event.name.as_str() {
            "payment_settled" => {
                transaction.settled_at = Some(event.number("settled_at"));
                agreement.pending -= event.number("payment_amount");
                if agreement.funded {
                    agreement.escrow -= event.number("payment_amount");
                }
            }
            "transaction_disputed" => transaction.disputed_at = Some(event.number("disputed_at")),
            "dispute_resolved" => {
                agreement.pending -= transaction.payment - event.number("payment_amount");
                transaction.payment = event.number("payment_amount");
                transaction.settled_at = event.data["settled_at"].number();
                transaction.disputed_at = None;
                transaction.ruled = true;
            }
            name => panic!("an event of no kind: {name}"),
        }
    }
}
