//! Agreements and deliveries as the rules see them, and the rules that look at one record only.

use soroban_sdk::{Address, Env};

use super::{
    AgreementEntry, AgreementState, AgreementStatus, Deposit, EnergyAgreement, EnergyTransaction, SharingError,
    TransactionState, TransactionStatus,
};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// How long a consumer can look at a delivery that is not metered before its provider may draw on the deposit: 24
/// hours.
pub const REVIEW_PERIOD: u64 = SECONDS_PER_DAY;

/// How long a dispute waits for a ruling before anyone may close it: 30 days (decision 8 in docs/decisions.md).
pub const ARBITRATION_PERIOD: u64 = 30 * SECONDS_PER_DAY;

/// The most transactions of an agreement, and so of one settlement (decision 4 in docs/decisions.md). What a call emits
/// and returns must fit the network's 16,384 bytes. A `PaymentSettled` takes 348 at most and the transfer 244:
/// 40 * 348 + 244 = 14,164. An `EnergyTransaction` takes 400 at most, which are 12 and, for each field, 8 and its padded
/// name and value (32 + 60 + 32 + 40 + 36 + 36 + 60 + 32 + 24 + 36 = 388): 12 + 40 * 400 = 16,012.
pub const MAX_TRANSACTIONS: u32 = 40;

/// The most prosumers, and one more than the agreements that one of them can offer. So all ids have at most 15 digits:
/// 40 * 10,000,000 * 1,000,000 = 4 * 10^14.
pub const MAX_PROSUMERS: u64 = 10_000_000;
pub const AGREEMENTS_PER_PROVIDER: u64 = 1_000_000;

/// The step from one transaction of an agreement to the next. Agreement ids are below it, so that an id tells where its
/// record belongs (decision 1 in docs/decisions.md).
pub const TRANSACTION_STEP: u64 = MAX_PROSUMERS * AGREEMENTS_PER_PROVIDER;

/// The highest meter reading is 34 TWh, so that it packs into 5 bytes, and a mistyped one is refused where it would put
/// the register out of use.
pub const MAX_READING: u64 = (1 << 35) - 1;

/// The most power of a plant, 16 GW, is the largest number that packs into 3 bytes.
pub const MAX_POWER: u64 = (1 << 24) - 1;

/// An agreement with all its transactions.
#[derive(Clone)]
pub struct Agreement {
    /// The ledger's time, which decides about its status.
    pub now: u64,
    pub id: u64,
    pub provider: Address,
    pub consumer: Address,
    pub energy_amount_kwh: u64,
    pub price_per_kwh: u64,
    pub created_at: u64,
    pub delivery_deadline: u64,
    /// The agreements before it in the lists of its provider and of its consumer; 0 where it is the first.
    pub provider_previous: u64,
    pub consumer_previous: u64,
    pub escrow_amount: u64,
    pub deposit: Deposit,
    pub cancelled: bool,
    /// The oldest come first, and empty places last.
    pub transactions: [Transaction; MAX_TRANSACTIONS as usize],
}

/// A delivery and its payment, or all those of one day that were paid at once. Its place in the agreement makes its id.
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    /// It is 0 in an empty place.
    pub energy_delivered_kwh: u64,
    /// This much is paid for: all that was delivered, unless a ruling said less.
    pub energy_accepted_kwh: u64,
    pub meter_reading: u64,
    pub delivered_at: u64,
    pub metered: bool,
    pub ruled: bool,
    pub outcome: Outcome,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// It waits to be settled or disputed.
    Open,
    Disputed {
        since: u64,
    },
    Settled {
        at: u64,
    },
    /// It was settled by the call that recorded it.
    PaidAtOnce,
}

impl Agreement {
    pub fn new(env: &Env, id: u64, provider: Address, consumer: Address) -> Self {
        Self {
            now: env.ledger().timestamp(),
            id,
            provider,
            consumer,
            energy_amount_kwh: 0,
            price_per_kwh: 0,
            created_at: 0,
            delivery_deadline: 0,
            provider_previous: 0,
            consumer_previous: 0,
            escrow_amount: 0,
            deposit: Deposit::None,
            cancelled: false,
            transactions: Transaction::NONE,
        }
    }

    pub fn is_funded(&self) -> bool {
        self.deposit != Deposit::None
    }

    /// The price of so much of its energy. `create_agreement` checked the total, and no part is larger. Where a bound
    /// proves a product, as here, it wraps: to check 64 bits takes a multiplication of 128, and all of them 5,800 bytes
    /// of the code's rent.
    pub fn amount(&self, energy_kwh: u64) -> u64 {
        energy_kwh.wrapping_mul(self.price_per_kwh)
    }

    /// The sums over its transactions. They cannot overflow: the agreement's energy bounds them.
    pub fn state(&self) -> AgreementState {
        let (mut energy_delivered_kwh, mut pending_kwh, mut disputed_kwh, mut transactions) = (0, 0, 0, 0);
        for transaction in self.existing() {
            energy_delivered_kwh += transaction.energy_delivered_kwh;
            if !transaction.is_settled() {
                pending_kwh += transaction.energy_accepted_kwh;
            }
            if transaction.disputed_at().is_some() {
                disputed_kwh += transaction.energy_accepted_kwh;
            }
            transactions += 1;
        }
        AgreementState {
            energy_delivered_kwh,
            pending_amount: self.amount(pending_kwh),
            disputed_amount: self.amount(disputed_kwh),
            escrow_amount: self.escrow_amount,
            transactions,
            deposit: self.deposit,
        }
    }

    pub fn status(&self) -> AgreementStatus {
        let state = self.state();
        if self.cancelled {
            AgreementStatus::Cancelled
        } else if state.energy_delivered_kwh < self.energy_amount_kwh {
            if self.now > self.delivery_deadline {
                AgreementStatus::Expired
            } else {
                AgreementStatus::Active
            }
        } else if state.pending_amount == 0 {
            // Whatever is not settled has a payment of at least 1 pending.
            AgreementStatus::Settled
        } else {
            AgreementStatus::Delivered
        }
    }

    /// Fails unless the agreement is open for a deposit and for deliveries.
    pub fn check_open(&self) -> Result<(), SharingError> {
        match self.status() {
            AgreementStatus::Active => Ok(()),
            AgreementStatus::Expired => Err(SharingError::DeliveryDeadlinePassed),
            _ => Err(SharingError::AgreementNotActive),
        }
    }

    pub fn check_party(&self, address: &Address) -> Result<(), SharingError> {
        if *address == self.provider || *address == self.consumer {
            Ok(())
        } else {
            Err(SharingError::NotAuthorized)
        }
    }

    pub fn remaining_kwh(&self) -> u64 {
        self.energy_amount_kwh - self.state().energy_delivered_kwh
    }

    /// What the escrow holds beyond all that is due or may still fall due.
    pub fn surplus(&self) -> u64 {
        let undelivered_kwh = if self.status() == AgreementStatus::Active { self.remaining_kwh() } else { 0 };
        self.escrow_amount.saturating_sub(self.state().pending_amount + self.amount(undelivered_kwh))
    }

    /// The agreement before it in the list of one of its parties.
    pub fn previous(&self, party: &Address) -> u64 {
        if *party == self.provider {
            self.provider_previous
        } else {
            self.consumer_previous
        }
    }

    /// The transaction of this id, if it is one of this agreement.
    pub fn transaction(&mut self, id: u64) -> Result<&mut Transaction, SharingError> {
        let place = (id / TRANSACTION_STEP) as usize;
        match self.transactions.get_mut(place) {
            Some(transaction) if transaction.exists() && id % TRANSACTION_STEP == self.id => Ok(transaction),
            _ => Err(SharingError::TransactionNotFound),
        }
    }

    pub fn last_reading(&self) -> u64 {
        self.existing().last().map_or(0, |last| last.meter_reading)
    }

    pub fn existing(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.iter().take_while(|transaction| transaction.exists())
    }

    /// Adds a transaction, and answers its id. If it is paid at once, as the last one was on the same day, it joins that
    /// one (decision 5 in docs/decisions.md).
    pub fn add(&mut self, new: Transaction) -> Result<u64, SharingError> {
        let count = self.existing().count();
        if let Some(last) = self.transactions.get_mut(count.wrapping_sub(1)) {
            if new.is_paid_at_once() && last.is_paid_at_once() && new.day() == last.day() {
                last.energy_delivered_kwh += new.energy_delivered_kwh;
                last.energy_accepted_kwh += new.energy_accepted_kwh;
                last.meter_reading = new.meter_reading;
                last.delivered_at = new.delivered_at;
                return Ok(self.transaction_id(count as u64 - 1));
            }
        }
        let Some(place) = self.transactions.get_mut(count) else { return Err(SharingError::TooManyTransactions) };
        *place = new;
        Ok(self.transaction_id(count as u64))
    }

    /// The id of its n-th transaction, from 0.
    pub fn transaction_id(&self, n: u64) -> u64 {
        n.wrapping_mul(TRANSACTION_STEP) + self.id
    }

    pub fn to_entry(&self) -> AgreementEntry {
        AgreementEntry { agreement: self.to_record(), state: self.state() }
    }

    pub fn to_record(&self) -> EnergyAgreement {
        EnergyAgreement {
            agreement_id: self.id,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            energy_amount_kwh: self.energy_amount_kwh,
            price_per_kwh: self.price_per_kwh,
            total_amount: self.amount(self.energy_amount_kwh),
            delivery_deadline: self.delivery_deadline,
            status: self.status(),
            created_at: self.created_at,
        }
    }

    pub fn transaction_record(&mut self, id: u64) -> Result<EnergyTransaction, SharingError> {
        let transaction = *self.transaction(id)?;
        let (status, settled_at) = match transaction.outcome {
            Outcome::Open => (TransactionStatus::Delivered, None),
            Outcome::Disputed { .. } => (TransactionStatus::Disputed, None),
            Outcome::Settled { at } => (TransactionStatus::Settled, Some(at)),
            Outcome::PaidAtOnce => (TransactionStatus::Settled, Some(transaction.delivered_at)),
        };
        Ok(EnergyTransaction {
            transaction_id: id,
            agreement_id: self.id,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            energy_delivered_kwh: transaction.energy_delivered_kwh,
            meter_reading: transaction.meter_reading,
            payment_amount: self.amount(transaction.energy_accepted_kwh),
            delivered_at: transaction.delivered_at,
            settled_at,
            status,
        })
    }
}

impl Transaction {
    const NONE: [Self; MAX_TRANSACTIONS as usize] = [Self {
        energy_delivered_kwh: 0,
        energy_accepted_kwh: 0,
        meter_reading: 0,
        delivered_at: 0,
        metered: false,
        ruled: false,
        outcome: Outcome::Open,
    }; MAX_TRANSACTIONS as usize];

    pub fn exists(&self) -> bool {
        self.energy_delivered_kwh != 0
    }

    fn is_paid_at_once(&self) -> bool {
        matches!(self.outcome, Outcome::PaidAtOnce)
    }

    fn day(&self) -> u64 {
        self.delivered_at / SECONDS_PER_DAY
    }

    pub fn is_settled(&self) -> bool {
        matches!(self.outcome, Outcome::Settled { .. }) || self.is_paid_at_once()
    }

    pub fn check_unsettled(&self) -> Result<(), SharingError> {
        match self.outcome {
            Outcome::Open => Ok(()),
            Outcome::Disputed { .. } => Err(SharingError::TransactionDisputed),
            _ => Err(SharingError::TransactionAlreadySettled),
        }
    }

    pub fn disputed_at(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Disputed { since } => Some(since),
            _ => None,
        }
    }

    /// The time from which the provider alone may draw on a deposit for it.
    pub fn provider_settles_from(&self) -> u64 {
        if self.metered || self.ruled {
            self.delivered_at
        } else {
            self.delivered_at.saturating_add(REVIEW_PERIOD)
        }
    }

    pub fn state(&self) -> TransactionState {
        TransactionState {
            metered: self.metered,
            ruled: self.ruled,
            disputed_at: self.disputed_at(),
            provider_settles_from: self.provider_settles_from(),
        }
    }
}
