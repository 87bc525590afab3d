//! The data structures of the interface, its errors, and checked arithmetic.

use soroban_sdk::{contracterror, contracttype, Address};

pub mod events;
pub mod storage;

/// Ids that one provider can give to its agreements, and as many to its deliveries.
///
/// An id is `number of the provider * IDS_PER_PROVIDER + n`, n counting from 1: no two providers compete for the next id.
pub const IDS_PER_PROVIDER: u64 = 1_000_000_000;

/// What the provider and the consumer agreed on.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnergyAgreement {
    /// provider's number * 1,000,000,000 + n, for its n-th agreement
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

/// One delivery and its payment.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnergyTransaction {
    /// provider's number * 1,000,000,000 + n, for its n-th delivery
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
    /// Part of the interface, never used: a transaction is born delivered.
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
    /// what the contract holds for it, in the token's smallest unit
    pub escrow_amount: u64,
}

/// What decides when and by whom a transaction can be settled.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransactionState {
    /// co-signed by the provider's certified meter
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
    /// co-signs its deliveries, certified by the admin
    pub meter: Option<Address>,
    /// the reading from which its meter counts, whole kWh
    pub meter_start: u64,
    /// its last reading, whole kWh
    pub meter_reading: u64,
    /// delivered since meter_start, whole kWh
    pub energy_sold_kwh: u64,
    /// created as provider
    pub agreements: u64,
    /// recorded as provider
    pub deliveries: u64,
    /// the newest in which it is a party
    pub last_transaction: Option<u64>,
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
    /// The contract is initialised already: read its settings with get_config.
    AlreadyInitialized = 1,
    /// The contract is not initialised yet: call initialize first.
    NotInitialized = 2,
    /// This address may not do this: call with the address of a party, or of the admin where the admin acts.
    NotAuthorized = 3,
    /// A value is zero, out of range or of the wrong kind: check units (kWh, smallest token unit, Unix seconds) and addresses.
    InvalidInput = 4,
    /// This address is not registered: register it with register_prosumer.
    ProsumerNotRegistered = 5,
    /// There is no agreement with this id: check the id.
    AgreementNotFound = 6,
    /// There is no transaction with this id, or not one of this prosumer: check the id.
    TransactionNotFound = 7,
    /// The agreement is delivered, cancelled or expired: settle what was delivered, and make a new one.
    AgreementNotActive = 8,
    /// More than what remains of the agreement: deliver at most that.
    InsufficientEnergy = 9,
    /// The token did not move this amount: check balance, trustline and authorisation of the parties, then repeat.
    PaymentFailed = 10,
    /// The delivery deadline is in the past: choose a later one or make a new agreement.
    DeliveryDeadlinePassed = 11,
    /// The transaction is settled: nothing is left to do.
    TransactionAlreadySettled = 12,
    /// Provider and consumer are the same: name another consumer.
    SelfSharingNotAllowed = 13,
    /// A number is over its limit: agree on less or a lower price; or the provider has no id left.
    AmountOverflow = 14,
    /// The reading goes back, or the meter has not exported that much: read the meter again, or have it certified anew.
    InvalidMeterReading = 15,
    /// The agreement is funded: a second deposit is refused, and its consumer cannot cancel it.
    AgreementFunded = 16,
    /// The consumer may still review this delivery: settle after provider_settles_from of get_transaction_state.
    ReviewPeriodOpen = 17,
    /// The transaction is disputed: wait for the ruling, or close the dispute after 30 days.
    TransactionDisputed = 18,
    /// The transaction is not disputed: there is nothing to rule on.
    TransactionNotDisputed = 19,
    /// The transaction was ruled on, which is final: settle it.
    DisputeAlreadyResolved = 20,
    /// The dispute may be closed 30 days after it was opened: wait, or ask for a ruling.
    ArbitrationPeriodOpen = 21,
    /// The escrow holds nothing beyond what is owed: nothing to refund now.
    NothingToRefund = 22,
    /// Energy was delivered already, so no deposit is taken: settle each delivery directly.
    DeliveryStarted = 23,
}

/// `a + b`, or `AmountOverflow`.
pub fn add(a: u64, b: u64) -> Result<u64, SharingError> {
    a.checked_add(b).ok_or(SharingError::AmountOverflow)
}

/// `a - b`, or `AmountOverflow`.
pub fn sub(a: u64, b: u64) -> Result<u64, SharingError> {
    a.checked_sub(b).ok_or(SharingError::AmountOverflow)
}

/// `a * b`, or `AmountOverflow`.
pub fn mul(a: u64, b: u64) -> Result<u64, SharingError> {
    a.checked_mul(b).ok_or(SharingError::AmountOverflow)
}
