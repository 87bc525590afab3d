//! Agreements and deliveries as the rules see them, and the rules that look at one record only.

use soroban_sdk::{Address, Env};

use super::{
    AgreementState, AgreementStatus, Deposit, EnergyAgreement, EnergyTransaction, SharingError, TransactionState,
    TransactionStatus,
};

/// How long a consumer can look at a delivery that is not metered before its provider may draw on the deposit: 24
/// hours.
pub const REVIEW_PERIOD: u64 = 24 * 60 * 60;

/// How long a dispute waits for a ruling before anyone may close it: 30 days.
pub const ARBITRATION_PERIOD: u64 = 30 * 24 * 60 * 60;

/// The most transactions of an agreement, and so of one settlement: a delivery a day for a month, and some more. What a
/// call emits and returns must fit the network's 16,384 bytes. A `PaymentSettled` takes 348 at most and the transfer
/// 244: 40 * 348 + 244 = 14,164. An `EnergyTransaction` takes 400 at most (see `MAX_PAGE`): 12 + 40 * 400 = 16,012.
pub const MAX_TRANSACTIONS: u32 = 40;

/// Registered prosumers, and one more than the agreements that one of them can offer. All ids have at most 15 digits,
/// which JSON, JavaScript and spreadsheets keep exactly: 40 * 10,000,000 * 1,000,000 = 4 * 10^14.
pub const MAX_PROSUMERS: u64 = 10_000_000;
pub const AGREEMENTS_PER_PROVIDER: u64 = 1_000_000;

/// Agreement ids are below this, and it is the step from one transaction of an agreement to the next: no id needs an
/// index.
pub const AGREEMENT_IDS: u64 = MAX_PROSUMERS * AGREEMENTS_PER_PROVIDER;

/// The highest meter reading, 34 TWh: a slip of the hand cannot put a register out of use. A reading always packs into
/// 5 bytes.
pub const MAX_READING: u64 = (1 << 35) - 1;

/// Flags of an agreement. Without the first two it has no deposit.
pub const REVIEWED_DEPOSIT: u64 = 1;
pub const METERED_DEPOSIT: u64 = 2;
pub const CANCELLED: u64 = 4;
pub const FUNDED: u64 = REVIEWED_DEPOSIT | METERED_DEPOSIT;
pub const AGREEMENT_FLAG_BITS: u32 = 3;

/// Flags of a delivery. Without the last two it waits to be settled; with both it was paid when it was recorded.
pub const METERED: u64 = 1;
pub const RULED: u64 = 2;
pub const DISPUTED: u64 = 4;
pub const SETTLED: u64 = 8;
pub const PAID_AT_ONCE: u64 = DISPUTED | SETTLED;
pub const DELIVERY_FLAG_BITS: u32 = 4;

/// An agreement with all its deliveries.
pub struct Agreement {
    /// When it is looked at.
    pub now: u64,
    pub id: u64,
    pub provider: Address,
    pub consumer: Address,
    pub energy_amount_kwh: u64,
    pub price_per_kwh: u64,
    pub created_at: u64,
    pub delivery_deadline: u64,
    /// The agreements before it, of its provider and of its consumer; 0 is none.
    pub provider_previous: u64,
    pub consumer_previous: u64,
    pub escrow_amount: u64,
    pub flags: u64,
    /// The oldest first, then empty places.
    pub deliveries: [Delivery; MAX_TRANSACTIONS as usize],
}

/// A delivery. Its place in the agreement makes its id.
#[derive(Clone, Copy)]
pub struct Delivery {
    /// 0 is an empty place.
    pub energy_delivered_kwh: u64,
    /// What is paid for: all of it, unless a ruling said less.
    pub energy_accepted_kwh: u64,
    pub meter_reading: u64,
    pub delivered_at: u64,
    /// When it was settled, disputed or ruled on.
    pub changed_at: u64,
    pub flags: u64,
}

impl Agreement {
    /// A place to read an agreement into. (A record that is returned is copied: that costs 4 % of the contract's rent.)
    pub fn blank(env: &Env) -> Self {
        let nobody = env.current_contract_address();
        Self {
            now: env.ledger().timestamp(),
            id: 0,
            provider: nobody.clone(),
            consumer: nobody,
            energy_amount_kwh: 0,
            price_per_kwh: 0,
            created_at: 0,
            delivery_deadline: 0,
            provider_previous: 0,
            consumer_previous: 0,
            escrow_amount: 0,
            flags: 0,
            deliveries: Delivery::NONE,
        }
    }

    pub fn has(&self, flags: u64) -> bool {
        self.flags & flags != 0
    }

    /// Cannot overflow: checked in `create_agreement` for all of the energy.
    #[inline(never)]
    pub fn amount(&self, energy_kwh: u64) -> u64 {
        energy_kwh.saturating_mul(self.price_per_kwh)
    }

    pub fn state(&self) -> AgreementState {
        let (mut energy_delivered_kwh, mut pending_kwh, mut transactions) = (0_u64, 0_u64, 0_u64);
        // Cannot overflow: the agreement's energy bounds the sums.
        for delivery in self.deliveries.iter().take_while(|delivery| delivery.energy_delivered_kwh != 0) {
            energy_delivered_kwh = energy_delivered_kwh.wrapping_add(delivery.energy_delivered_kwh);
            if !delivery.has(SETTLED) {
                pending_kwh = pending_kwh.wrapping_add(delivery.energy_accepted_kwh);
            }
            transactions = transactions.wrapping_add(1);
        }
        AgreementState {
            energy_delivered_kwh,
            pending_amount: self.amount(pending_kwh),
            escrow_amount: self.escrow_amount,
            transactions,
            deposit: match self.flags & FUNDED {
                0 => Deposit::None,
                REVIEWED_DEPOSIT => Deposit::Reviewed,
                _ => Deposit::Metered,
            },
        }
    }

    pub fn status(&self, state: &AgreementState) -> AgreementStatus {
        if self.has(CANCELLED) {
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

    /// Open for a deposit and for deliveries.
    pub fn check_open(&self, state: &AgreementState) -> Result<(), SharingError> {
        match self.status(state) {
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

    pub fn remaining_kwh(&self, state: &AgreementState) -> u64 {
        self.energy_amount_kwh.saturating_sub(state.energy_delivered_kwh)
    }

    /// What the escrow holds beyond what may still fall due.
    pub fn surplus(&self) -> u64 {
        let state = self.state();
        let undelivered = match self.check_open(&state) {
            Ok(()) => self.amount(self.remaining_kwh(&state)),
            Err(_) => 0,
        };
        self.escrow_amount.saturating_sub(state.pending_amount).saturating_sub(undelivered)
    }

    /// The agreement before it in the list of one of its parties.
    pub fn previous(&self, party: &Address) -> u64 {
        if *party == self.provider {
            self.provider_previous
        } else {
            self.consumer_previous
        }
    }

    /// The delivery that is this transaction, if it is one of this agreement.
    pub fn delivery(&mut self, transaction_id: u64) -> Option<&mut Delivery> {
        let place = (transaction_id / AGREEMENT_IDS) as usize;
        let delivery = self.deliveries.get_mut(place)?;
        (delivery.energy_delivered_kwh != 0 && transaction_id % AGREEMENT_IDS == self.id).then_some(delivery)
    }

    pub fn find(&self, transaction_id: u64) -> Option<&Delivery> {
        let place = (transaction_id / AGREEMENT_IDS) as usize;
        let delivery = self.deliveries.get(place)?;
        (delivery.energy_delivered_kwh != 0 && transaction_id % AGREEMENT_IDS == self.id).then_some(delivery)
    }

    /// The id of its n-th transaction, from 0. No overflow: n is below `MAX_TRANSACTIONS`.
    pub fn transaction_id(&self, n: u64) -> u64 {
        n.saturating_mul(AGREEMENT_IDS).saturating_add(self.id)
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
            status: self.status(&self.state()),
            created_at: self.created_at,
        }
    }

    pub fn to_transaction(&self, transaction_id: u64) -> Result<EnergyTransaction, SharingError> {
        let delivery = self.find(transaction_id).ok_or(SharingError::TransactionNotFound)?;
        Ok(EnergyTransaction {
            transaction_id,
            agreement_id: self.id,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            energy_delivered_kwh: delivery.energy_delivered_kwh,
            meter_reading: delivery.meter_reading,
            payment_amount: self.amount(delivery.energy_accepted_kwh),
            delivered_at: delivery.delivered_at,
            settled_at: delivery.has(SETTLED).then_some(delivery.changed_at),
            status: match delivery.check_unsettled() {
                Ok(()) => TransactionStatus::Delivered,
                Err(SharingError::TransactionDisputed) => TransactionStatus::Disputed,
                Err(_) => TransactionStatus::Settled,
            },
        })
    }
}

impl Delivery {
    const NONE: [Self; MAX_TRANSACTIONS as usize] = [Self {
        energy_delivered_kwh: 0,
        energy_accepted_kwh: 0,
        meter_reading: 0,
        delivered_at: 0,
        changed_at: 0,
        flags: 0,
    }; MAX_TRANSACTIONS as usize];

    pub fn has(&self, flags: u64) -> bool {
        self.flags & flags != 0
    }

    pub fn check_unsettled(&self) -> Result<(), SharingError> {
        if self.has(SETTLED) {
            Err(SharingError::TransactionAlreadySettled)
        } else if self.has(DISPUTED) {
            Err(SharingError::TransactionDisputed)
        } else {
            Ok(())
        }
    }

    pub fn check_disputed(&self) -> Result<(), SharingError> {
        match self.check_unsettled() {
            Err(SharingError::TransactionDisputed) => Ok(()),
            _ => Err(SharingError::TransactionNotDisputed),
        }
    }

    /// From when the provider alone may draw on a deposit.
    pub fn provider_settles_from(&self) -> u64 {
        if self.has(METERED | RULED) {
            self.delivered_at
        } else {
            self.delivered_at.saturating_add(REVIEW_PERIOD)
        }
    }

    pub fn state(&self) -> TransactionState {
        TransactionState {
            metered: self.has(METERED),
            ruled: self.has(RULED),
            disputed_at: self.check_disputed().is_ok().then_some(self.changed_at),
            provider_settles_from: self.provider_settles_from(),
        }
    }
}
