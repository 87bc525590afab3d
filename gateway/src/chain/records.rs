//! What the contract's getters answer, as far as a gateway needs it.

use stellar_xdr::*;
use thiserror::Error;

use crate::counting::{Agreement, Seller, MAX_READING};

/// The most kW of a plant: a limit of the contract.
const MAX_POWER: u64 = (1 << 24) - 1;

/// The contract adds up what the registers of several meters showed. Nobody has a thousand within an agreement.
const MAX_DELIVERED: u64 = 1_000 * MAX_READING;

/// An answer that is not what the interface says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    #[error("the contract's answer has no {0}: is it another contract?")]
    Missing(&'static str),
    #[error("the server shows {shown} as {name}, more than the contract can have: it lies")]
    TooHigh { name: &'static str, shown: u64 },
}

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
            _ => return Err(Unreadable::Missing("meter")),
        };
        let seller = Seller {
            meter_start: fields.up_to(MAX_READING, "meter_start")?,
            meter_reading: fields.up_to(MAX_READING, "meter_reading")?,
            read_at: fields.number("read_at")?,
            energy_sold_kwh: fields.up_to(MAX_READING, "energy_sold_kwh")?,
            max_power_kw: fields.up_to(MAX_POWER, "max_power_kw")?,
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
            energy_delivered_kwh: state.up_to(MAX_DELIVERED, "energy_delivered_kwh")?,
            created_at: terms.number("created_at")?,
            delivery_deadline: terms.number("delivery_deadline")?,
            cancelled: terms.choice("status")? == CANCELLED,
            funded: state.choice("deposit")? > 0,
            transactions: state.number("transactions")?.try_into().map_err(|_| Unreadable::Missing("transactions"))?,
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
            energy_kwh: fields.up_to(MAX_DELIVERED, "energy_delivered_kwh")?,
            meter_reading: fields.up_to(MAX_READING, "meter_reading")?,
            delivered_at: fields.number("delivered_at")?,
        })
    }
}

/// The items of a list.
fn list<'a>(value: &'a ScVal, name: &'static str) -> Result<&'a [ScVal], Unreadable> {
    match value {
        ScVal::Vec(Some(items)) => Ok(items.as_slice()),
        _ => Err(Unreadable::Missing(name)),
    }
}

/// The fields of a record.
struct Fields<'a>(&'a [ScMapEntry]);

impl<'a> Fields<'a> {
    fn of(value: &'a ScVal, name: &'static str) -> Result<Self, Unreadable> {
        match value {
            ScVal::Map(Some(map)) => Ok(Self(map.as_slice())),
            _ => Err(Unreadable::Missing(name)),
        }
    }

    fn value(&self, name: &'static str) -> Result<&'a ScVal, Unreadable> {
        let is_it = |entry: &&ScMapEntry| matches!(&entry.key, ScVal::Symbol(key) if key.as_slice() == name.as_bytes());
        self.0.iter().find(is_it).map(|entry| &entry.val).ok_or(Unreadable::Missing(name))
    }

    fn number(&self, name: &'static str) -> Result<u64, Unreadable> {
        match self.value(name)? {
            ScVal::U64(number) => Ok(*number),
            _ => Err(Unreadable::Missing(name)),
        }
    }

    fn up_to(&self, most: u64, name: &'static str) -> Result<u64, Unreadable> {
        match self.number(name)? {
            shown if shown > most => Err(Unreadable::TooHigh { name, shown }),
            shown => Ok(shown),
        }
    }

    fn choice(&self, name: &'static str) -> Result<u32, Unreadable> {
        match self.value(name)? {
            ScVal::U32(number) => Ok(*number),
            _ => Err(Unreadable::Missing(name)),
        }
    }

    fn address(&self, name: &'static str) -> Result<ScAddress, Unreadable> {
        match self.value(name)? {
            ScVal::Address(address) => Ok(address.clone()),
            _ => Err(Unreadable::Missing(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &[(&str, ScVal)]) -> ScVal {
        let entry = |(name, val): &(&str, ScVal)| {
            let key = ScVal::Symbol(ScSymbol((*name).try_into().unwrap()));
            ScMapEntry { key, val: val.clone() }
        };
        ScVal::Map(Some(ScMap(fields.iter().map(entry).collect::<Vec<_>>().try_into().unwrap())))
    }

    fn list_of(record: ScVal) -> ScVal {
        ScVal::Vec(Some(ScVec(vec![record].try_into().unwrap())))
    }

    /// With 1 in all fields but this.
    fn number(field: &str, other: (&str, u64)) -> ScVal {
        ScVal::U64(if field == other.0 { other.1 } else { 1 })
    }

    fn prosumer(other: (&str, u64)) -> Result<Prosumer, Unreadable> {
        let numbers = ["meter_start", "meter_reading", "read_at", "energy_sold_kwh", "max_power_kw"];
        let mut fields = numbers.map(|name| (name, number(name, other))).to_vec();
        fields.push(("meter", ScVal::Void));
        Prosumer::read(&record(&fields))
    }

    fn page(other: (&str, u64)) -> Result<Vec<Entry>, Unreadable> {
        let party = ScVal::Address(crate::gateway::account(&[1; 32]));
        let numbers = ["agreement_id", "energy_amount_kwh", "created_at", "delivery_deadline"];
        let mut terms = numbers.map(|name| (name, number(name, other))).to_vec();
        terms.extend([("status", ScVal::U32(0)), ("provider", party.clone()), ("consumer", party)]);
        let mut state = ["energy_delivered_kwh", "transactions"].map(|name| (name, number(name, other))).to_vec();
        state.push(("deposit", ScVal::U32(2)));
        Entry::read_page(&list_of(record(&[("agreement", record(&terms)), ("state", record(&state))])))
    }

    fn transactions(other: (&str, u64)) -> Result<Vec<Recorded>, Unreadable> {
        let names = ["transaction_id", "energy_delivered_kwh", "meter_reading", "delivered_at"];
        Recorded::read_all(&list_of(record(&names.map(|name| (name, number(name, other))))))
    }

    fn too_high<T>(name: &'static str, shown: u64) -> Result<T, Unreadable> {
        Err(Unreadable::TooHigh { name, shown })
    }

    #[test]
    fn readings_and_energies_above_what_the_contract_can_have_are_refused() {
        for (name, most) in [
            ("meter_start", MAX_READING),
            ("meter_reading", MAX_READING),
            ("energy_sold_kwh", MAX_READING),
            ("max_power_kw", 16_777_215),
        ] {
            assert!(prosumer((name, most)).is_ok(), "{name}");
            assert_eq!(prosumer((name, most + 1)), too_high(name, most + 1));
        }
        let most = 1_000 * MAX_READING;
        assert_eq!(page(("energy_delivered_kwh", most)).unwrap()[0].agreement.energy_delivered_kwh, most);
        assert_eq!(page(("energy_delivered_kwh", most + 1)), too_high("energy_delivered_kwh", most + 1));
        for (name, most) in [("meter_reading", MAX_READING), ("energy_delivered_kwh", most)] {
            assert!(transactions((name, most)).is_ok(), "{name}");
            assert_eq!(transactions((name, u64::MAX)), too_high(name, u64::MAX));
        }
        assert_eq!(
            too_high::<()>("meter_reading", 34_359_738_368).unwrap_err().to_string(),
            "the server shows 34359738368 as meter_reading, more than the contract can have: it lies"
        );
    }

    #[test]
    fn an_offer_may_be_of_any_energy_since_strangers_make_offers() {
        assert_eq!(page(("energy_amount_kwh", u64::MAX)).unwrap()[0].agreement.energy_amount_kwh, u64::MAX);
    }
}
