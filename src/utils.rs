//! The data structures of the interface, and its errors.

use soroban_sdk::{contracterror, contracttype, Address};

pub mod events;
pub mod packed;
pub mod records;
pub mod storage;

/// What the provider and the consumer agreed on.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnergyAgreement {
    /// provider's number * 1,000,000 + n, for its n-th agreement
    pub agreement_id: u64,
    /// sells the energy
    pub provider: Address,
    /// buys the energy
    pub consumer: Address,
    /// whole kWh
    pub energy_amount_kwh: u64,
    /// in the token's smallest unit
    pub price_per_kwh: u64,
    /// energy_amount_kwh * price_per_kwh
    pub total_amount: u64,
    /// the last second for deliveries, Unix time
    pub delivery_deadline: u64,
    pub status: AgreementStatus,
    /// Unix time
    pub created_at: u64,
}

/// A delivery and its payment; or those of one UTC day that were paid at once, with the last reading and time.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnergyTransaction {
    /// (k - 1) * 10,000,000,000,000 + agreement_id, for the agreement's k-th transaction
    pub transaction_id: u64,
    pub agreement_id: u64,
    /// delivered the energy and is paid
    pub provider: Address,
    /// received the energy and pays
    pub consumer: Address,
    /// whole kWh as reported; a ruling does not change it
    pub energy_delivered_kwh: u64,
    /// the provider's cumulative export register (OBIS 2.8.0), whole kWh
    pub meter_reading: u64,
    /// what is paid for it, in the token's smallest unit
    pub payment_amount: u64,
    /// Unix time
    pub delivered_at: u64,
    /// Unix time
    pub settled_at: Option<u64>,
    pub status: TransactionStatus,
}

/// The life of an agreement.
#[contracttype]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum AgreementStatus {
    /// Open for deliveries until its deadline.
    Active = 0,
    /// All energy is delivered, some of it not yet settled.
    Delivered = 1,
    /// All energy is delivered and settled.
    Settled = 2,
    /// Ended by a party before all energy was delivered.
    Cancelled = 3,
    /// The deadline passed before all energy was delivered.
    Expired = 4,
}

/// The life of a transaction.
#[contracttype]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum TransactionStatus {
    /// Part of the interface, never stored: a transaction is born delivered.
    Pending = 0,
    /// Recorded, to be settled or disputed.
    Delivered = 1,
    /// Paid, or ruled to be worth nothing.
    Settled = 2,
    /// Waits for a ruling.
    Disputed = 3,
}

/// What changes in an agreement while it is filled.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementState {
    /// delivered so far, whole kWh
    pub energy_delivered_kwh: u64,
    /// payments of its unsettled transactions, in the token's smallest unit
    pub pending_amount: u64,
    /// what of pending_amount is disputed
    pub disputed_amount: u64,
    /// what the contract holds for it, in the token's smallest unit
    pub escrow_amount: u64,
    /// how many transactions
    pub transactions: u64,
    /// how its deposit may be drawn
    pub deposit: Deposit,
}

/// An agreement of a page.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementEntry {
    pub agreement: EnergyAgreement,
    pub state: AgreementState,
}

/// How a deposit may be drawn, fixed when it was made.
#[contracttype]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Deposit {
    /// There is none: the consumer pays each delivery itself.
    None = 0,
    /// Its provider alone draws on it 24 hours after a delivery, in which the consumer can dispute it, meter or not.
    Reviewed = 1,
    /// It pays what the certified meter records, at once.
    Metered = 2,
}

/// What decides when and by whom a transaction can be settled.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransactionState {
    /// signed by the provider's certified meter, and not from a Reviewed deposit
    pub metered: bool,
    /// a dispute about it was ruled on
    pub ruled: bool,
    /// only while it is disputed, Unix time
    pub disputed_at: Option<u64>,
    /// from when the provider alone may draw on a deposit, Unix time
    pub provider_settles_from: u64,
}

/// A household or business that produces and consumes electricity.
#[contracttype]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Prosumer {
    /// how many registered before it
    pub number: u64,
    /// signs its deliveries, certified by the admin
    pub meter: Option<Address>,
    /// what the certified plant can export at most, kW
    pub max_power_kw: u64,
    /// the reading from which its meter counts, whole kWh
    pub meter_start: u64,
    /// its last reading, whole kWh
    pub meter_reading: u64,
    /// from when its growth counts: when it was certified or last rose, or a kWh's time later at most, Unix time
    pub read_at: u64,
    /// delivered since meter_start, whole kWh
    pub energy_sold_kwh: u64,
    /// created as provider
    pub agreements: u64,
    /// the newest in which it is a party
    pub last_agreement: Option<u64>,
}

/// Who runs the contract, and what it pays with.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// certifies meters and rules disputes
    pub admin: Address,
    /// the token of all payments
    pub token_contract: Address,
}

/// What went wrong, and what to do about it.
#[contracterror]
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u32)]
pub enum SharingError {
    /// It is initialised already: read its settings with get_config.
    AlreadyInitialized = 1,
    /// It is not initialised yet: call initialize first.
    NotInitialized = 2,
    /// This address may not do this: call as a party, or as the admin where the admin acts.
    NotAuthorized = 3,
    /// A value is zero, out of range or of the wrong kind: check the units (kWh, smallest token unit, Unix seconds).
    InvalidInput = 4,
    /// This address is not registered: call register_prosumer.
    ProsumerNotRegistered = 5,
    /// No agreement has this id, or none of this prosumer: check it.
    AgreementNotFound = 6,
    /// No transaction has this id, or none of this agreement: check it.
    TransactionNotFound = 7,
    /// The agreement is delivered, cancelled or expired: settle what was delivered, and make a new one.
    AgreementNotActive = 8,
    /// More than what remains of the agreement: deliver at most that.
    InsufficientEnergy = 9,
    /// The token did not move this amount: check balances, trustlines and authorisation, then repeat.
    PaymentFailed = 10,
    /// The delivery deadline is in the past: choose a later one or make a new agreement.
    DeliveryDeadlinePassed = 11,
    /// The transaction is settled: nothing is left to do.
    TransactionAlreadySettled = 12,
    /// Provider and consumer are the same: name another consumer.
    SelfSharingNotAllowed = 13,
    /// A number is over its limit: agree on less or a lower price; or the provider has no id left.
    AmountOverflow = 14,
    /// The reading is not new, too low for the energy sold, or too high for the plant: read the meter again later, or certify it anew.
    InvalidMeterReading = 15,
    /// The agreement is funded: it takes no second deposit, and its consumer cannot cancel it.
    AgreementFunded = 16,
    /// The consumer may still review this delivery: settle from provider_settles_from on.
    ReviewPeriodOpen = 17,
    /// The transaction is disputed: wait for the ruling, or close the dispute after 30 days.
    TransactionDisputed = 18,
    /// The transaction is not disputed: there is nothing to rule on.
    TransactionNotDisputed = 19,
    /// The transaction was ruled on, which is final: settle it.
    DisputeAlreadyResolved = 20,
    /// A dispute is closed 30 days after it was opened: wait, or ask for a ruling.
    ArbitrationPeriodOpen = 21,
    /// The escrow holds nothing beyond what is owed: nothing to refund now.
    NothingToRefund = 22,
    /// Energy was delivered already, so no deposit is taken: settle each delivery directly.
    DeliveryStarted = 23,
    /// The agreement has its 40 transactions: settle them, and make a new one for what remains.
    TooManyTransactions = 24,
    /// Nothing is left to settle up to this transaction: look at the agreement's transactions.
    NothingToSettle = 25,
    /// The deposit is Metered, so what the meter recorded is not disputed: settle it.
    DepositTrustsMeter = 26,
    /// The provider has no certified meter, which a Metered deposit needs: make a Reviewed one.
    MeterNotCertified = 27,
}
