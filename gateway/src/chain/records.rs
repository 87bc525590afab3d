//! What the contract's getters answer, as far as a gateway needs it.

use stellar_xdr::*;
use thiserror::Error;

use crate::counting::{Agreement, Seller};

/// An answer that is not what the interface says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the contract's answer has no {0}: is it another contract?")]
pub struct Unreadable(pub &'static str);

/// A prosumer: its certified meter, and its register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prosumer {
    pub meter: Option<ScAddress>,
    pub seller: Seller,
}

/// An agreement of a page, with its parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub provider: ScAddress,
    pub consumer: ScAddress,
    pub agreement: Agreement,
    /// Its deposit pays what the meter records at once.
    pub is_metered: bool,
}

/// A transaction of an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub transaction_id: u64,
    pub energy_kwh: u64,
    pub meter_reading: u64,
    pub delivered_at: u64,
}

impl Prosumer {
    pub fn read(value: &ScVal) -> Result<Self, Unreadable> {
        let fields = Fields::of(value, "prosumer")?;
        let meter = match fields.value("meter")? {
            ScVal::Void => None,
            ScVal::Address(address) => Some(address.clone()),
            _ => return Err(Unreadable("meter")),
        };
        let seller = Seller {
            meter_start: fields.number("meter_start")?,
            meter_reading: fields.number("meter_reading")?,
            read_at: fields.number("read_at")?,
            energy_sold_kwh: fields.number("energy_sold_kwh")?,
            max_power_kw: fields.number("max_power_kw")?,
        };
        Ok(Self { meter, seller })
    }
}

impl Entry {
    /// The agreements of a page.
    pub fn read_page(value: &ScVal) -> Result<Vec<Self>, Unreadable> {
        list(value, "page")?.iter().map(Self::read).collect()
    }

    fn read(value: &ScVal) -> Result<Self, Unreadable> {
        const CANCELLED: u32 = 3;
        const METERED: u32 = 2;
        let entry = Fields::of(value, "entry")?;
        let (terms, state) =
            (Fields::of(entry.value("agreement")?, "agreement")?, Fields::of(entry.value("state")?, "state")?);
        let agreement = Agreement {
            id: terms.number("agreement_id")?,
            energy_amount_kwh: terms.number("energy_amount_kwh")?,
            energy_delivered_kwh: state.number("energy_delivered_kwh")?,
            created_at: terms.number("created_at")?,
            delivery_deadline: terms.number("delivery_deadline")?,
            cancelled: terms.choice("status")? == CANCELLED,
            funded: state.choice("deposit")? > 0,
            transactions: state.number("transactions")?.try_into().map_err(|_| Unreadable("transactions"))?,
            last_reading: None,
            joins: false,
        };
        let is_metered = state.choice("deposit")? == METERED;
        Ok(Self { provider: terms.address("provider")?, consumer: terms.address("consumer")?, agreement, is_metered })
    }
}

impl Recorded {
    pub fn read_all(value: &ScVal) -> Result<Vec<Self>, Unreadable> {
        list(value, "transactions")?.iter().map(Self::read).collect()
    }

    fn read(value: &ScVal) -> Result<Self, Unreadable> {
        let fields = Fields::of(value, "transaction")?;
        Ok(Self {
            transaction_id: fields.number("transaction_id")?,
            energy_kwh: fields.number("energy_delivered_kwh")?,
            meter_reading: fields.number("meter_reading")?,
            delivered_at: fields.number("delivered_at")?,
        })
    }
}

/// The items of a list.
fn list<'a>(value: &'a ScVal, name: &'static str) -> Result<&'a [ScVal], Unreadable> {
    match value {
        ScVal::Vec(Some(items)) => Ok(items.as_slice()),
        _ => Err(Unreadable(name)),
    }
}

/// The fields of a record.
struct Fields<'a>(&'a [ScMapEntry]);

impl<'a> Fields<'a> {
    fn of(value: &'a ScVal, name: &'static str) -> Result<Self, Unreadable> {
        match value {
            ScVal::Map(Some(map)) => Ok(Self(map.as_slice())),
            _ => Err(Unreadable(name)),
        }
    }

    fn value(&self, name: &'static str) -> Result<&'a ScVal, Unreadable> {
        let is_it = |entry: &&ScMapEntry| matches!(&entry.key, ScVal::Symbol(key) if key.as_slice() == name.as_bytes());
        self.0.iter().find(is_it).map(|entry| &entry.val).ok_or(Unreadable(name))
    }

    fn number(&self, name: &'static str) -> Result<u64, Unreadable> {
        match self.value(name)? {
            ScVal::U64(number) => Ok(*number),
            _ => Err(Unreadable(name)),
        }
    }

    fn choice(&self, name: &'static str) -> Result<u32, Unreadable> {
        match self.value(name)? {
            ScVal::U32(number) => Ok(*number),
            _ => Err(Unreadable(name)),
        }
    }

    fn address(&self, name: &'static str) -> Result<ScAddress, Unreadable> {
        match self.value(name)? {
            ScVal::Address(address) => Ok(address.clone()),
            _ => Err(Unreadable(name)),
        }
    }
}
