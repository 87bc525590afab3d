#![no_std]
//! Peer-to-peer energy sharing on Stellar: prosumers agree on kWh and price, the provider records deliveries with meter readings, and the
//! consumer's tokens pay for them, directly or from a deposit, with disputes, deadlines and a full history.
//!
//! This file is the table of contents. The energy's rules are in `sharing`, the money's in `payment`, and those that look at one record only
//! in `utils::records`; the public types and errors are in `utils`, the events in `utils::events`, what is stored in `utils::storage`. Why it
//! has this shape is in docs/decisions.md.
//!
//! The entrypoints' documentation is also the on-chain spec. Its lines are not wrapped, since the stellar CLI prints a line break as `\n`.

use soroban_sdk::{contract, contractimpl, contractmeta, Address, Env, Vec};

mod payment;
mod sharing;
mod utils;

#[cfg(test)]
mod test;
#[cfg(feature = "testutils")]
pub mod testutils;

pub use sharing::{MAX_PAGE, MAX_TERM};
pub use utils::records::{
    AGREEMENTS_PER_PROVIDER, ARBITRATION_PERIOD, MAX_POWER, MAX_PROSUMERS, MAX_READING, MAX_TRANSACTIONS,
    REVIEW_PERIOD, TRANSACTION_STEP,
};
pub use utils::{
    events, AgreementEntry, AgreementState, AgreementStatus, Config, Deposit, EnergyAgreement, EnergyTransaction,
    Prosumer, SharingError, TransactionState, TransactionStatus,
};

use utils::storage;

contractmeta!(
    key = "Description",
    val = "Peer-to-peer energy sharing: agreements, metered deliveries, payment, escrow, disputes"
);
contractmeta!(key = "binver", val = env!("CARGO_PKG_VERSION"));

#[contract]
pub struct PeerToPeerEnergySharing;

#[contractimpl]
impl PeerToPeerEnergySharing {
    /// Sets the admin, who certifies meters and rules disputes, and the token of all payments. Once, after deployment: anyone can be first, so check `get_config` afterwards.
    ///
    /// Signs: admin.
    ///
    /// Errors: AlreadyInitialized; InvalidInput (token_contract is not a token).
    ///
    /// Event: Initialized.
    pub fn initialize(env: Env, admin: Address, token_contract: Address) -> Result<(), SharingError> {
        if storage::is_initialized(&env) {
            return Err(SharingError::AlreadyInitialized);
        }
        admin.require_auth();
        sharing::initialize(&env, admin, token_contract)
    }

    /// Hands the role of the admin over.
    ///
    /// Signs: the admin and new_admin.
    ///
    /// Errors: NotInitialized; InvalidInput (the same admin again).
    ///
    /// Event: AdminChanged.
    pub fn set_admin(env: Env, new_admin: Address) -> Result<(), SharingError> {
        storage::enter(&env);
        let admin = storage::admin(&env);
        admin.require_auth();
        sharing::set_admin(&env, admin, new_admin)
    }

    /// Registers a household or business that shares energy. Repeating it has no effect.
    ///
    /// Signs: prosumer.
    ///
    /// Errors: NotInitialized; InvalidInput (neither an account nor a contract); AmountOverflow (10,000,000 are registered).
    ///
    /// Event: ProsumerRegistered.
    pub fn register_prosumer(env: Env, prosumer: Address) -> Result<(), SharingError> {
        storage::enter(&env);
        prosumer.require_auth();
        sharing::register_prosumer(&env, prosumer)
    }

    /// Certifies a prosumer's meter, which from then on alone signs its deliveries, draws on its Metered deposits and counts from meter_reading, no faster than max_power_kw allows; or, without a meter, retires it. Also for an exchange, a rollover or a mistyped reading.
    ///
    /// Signs: the admin; and the prosumer where a meter is given.
    ///
    /// Units: meter_reading is the meter's cumulative export register (OBIS 2.8.0), whole kWh, below 2^35; max_power_kw what the plant can export at most, kW, 1 to 2^24 - 1. Both are ignored without a meter.
    ///
    /// Errors: NotInitialized; ProsumerNotRegistered; InvalidInput (the prosumer itself as its meter, a reading or a power out of range).
    ///
    /// Event: MeterRegistered.
    pub fn register_meter(
        env: Env,
        prosumer: Address,
        meter: Option<Address>,
        meter_reading: u64,
        max_power_kw: u64,
    ) -> Result<(), SharingError> {
        storage::enter(&env);
        let admin = storage::admin(&env);
        admin.require_auth();
        sharing::register_meter(&env, &admin, prosumer, meter, meter_reading, max_power_kw)
    }

    /// Offers energy to a consumer at a price, until a deadline. Returns the agreement's id. It binds nobody to pay: that takes the consumer's signature, in fund_agreement, settle_payment or settle_agreement.
    ///
    /// Signs: provider.
    ///
    /// Units: whole kWh; price in the token's smallest unit (1 XLM or USDC = 10,000,000); deadline in Unix seconds, at most 366 days ahead.
    ///
    /// Errors: NotInitialized; ProsumerNotRegistered (either); InvalidInput (a zero, or a deadline too far ahead); SelfSharingNotAllowed; DeliveryDeadlinePassed; AmountOverflow (energy * price, or no id left).
    ///
    /// Event: AgreementCreated.
    pub fn create_agreement(
        env: Env,
        provider: Address,
        consumer: Address,
        energy_amount_kwh: u64,
        price_per_kwh: u64,
        delivery_deadline: u64,
    ) -> Result<u64, SharingError> {
        storage::enter(&env);
        provider.require_auth();
        sharing::create_agreement(&env, provider, consumer, energy_amount_kwh, price_per_kwh, delivery_deadline)
    }

    /// Deposits the agreement's total, from which its deliveries are then paid: what the certified meter records at once (Metered), or each after 24 hours in which the consumer can dispute it (Reviewed), meter or not. claim_refund returns what is not owed, once the deadline has passed, the provider has cancelled or a ruling frees it.
    ///
    /// Signs: consumer, for this call and for the token's transfer in it.
    ///
    /// Errors: NotInitialized; InvalidInput (None); AgreementNotFound; NotAuthorized (not its consumer); AgreementNotActive; DeliveryDeadlinePassed; AgreementFunded; DeliveryStarted; MeterNotCertified (Metered, without a meter); PaymentFailed.
    ///
    /// Event: AgreementFunded.
    pub fn fund_agreement(
        env: Env,
        agreement_id: u64,
        consumer: Address,
        deposit: Deposit,
    ) -> Result<(), SharingError> {
        storage::enter(&env);
        consumer.require_auth();
        payment::fund_agreement(&env, agreement_id, consumer, deposit)
    }

    /// Ends an open agreement. What was delivered is still to be settled; claim_refund returns the rest of a deposit.
    ///
    /// Signs: canceller, the provider or, while it is not funded, the consumer.
    ///
    /// Errors: NotInitialized; AgreementNotFound; NotAuthorized (not a party); AgreementNotActive; AgreementFunded (the consumer).
    ///
    /// Event: AgreementCancelled.
    pub fn cancel_agreement(env: Env, agreement_id: u64, canceller: Address) -> Result<(), SharingError> {
        storage::enter(&env);
        canceller.require_auth();
        sharing::cancel_agreement(&env, agreement_id, canceller)
    }

    /// Returns to the consumer what its deposit holds beyond what is owed: after the deadline, a cancellation or a ruling. Returns the amount.
    ///
    /// Signs: nobody; anyone may call.
    ///
    /// Units: the token's smallest unit.
    ///
    /// Errors: NotInitialized; AgreementNotFound; NothingToRefund; PaymentFailed.
    ///
    /// Event: EscrowRefunded.
    pub fn claim_refund(env: Env, agreement_id: u64) -> Result<u64, SharingError> {
        storage::enter(&env);
        payment::claim_refund(&env, agreement_id)
    }

    /// Records a delivery that fills the agreement, in whole or in part, and pays it at once from a Metered deposit: what is paid so on one UTC day is one transaction. Returns its id.
    ///
    /// Signs: the provider's certified meter if it has one, else the provider.
    ///
    /// Units: whole kWh; meter_reading is the provider's cumulative export register (OBIS 2.8.0), which never goes back, must have exported all that was sold, and rises from delivery to delivery of an agreement.
    ///
    /// Errors: NotInitialized; AgreementNotFound; NotAuthorized (not its provider); AgreementNotActive; DeliveryDeadlinePassed; InvalidInput (0 kWh); InsufficientEnergy (more than what remains); TooManyTransactions (40); InvalidMeterReading.
    ///
    /// Events: EnergyDelivered; PaymentSettled where it was paid.
    pub fn deliver_energy(
        env: Env,
        agreement_id: u64,
        energy_delivered_kwh: u64,
        meter_reading: u64,
        provider: Address,
    ) -> Result<u64, SharingError> {
        storage::enter(&env);
        sharing::deliver_energy(&env, agreement_id, energy_delivered_kwh, meter_reading, provider)
    }

    /// Pays the provider for a delivery: from the deposit of a funded agreement, else directly from the consumer. From a deposit the consumer settles at any time; the provider alone at once if the delivery is metered or ruled on, else 24 hours after it.
    ///
    /// Signs: settler, a party; without a deposit the consumer in any case, for this call and for the token's transfer in it.
    ///
    /// Errors: NotInitialized; TransactionNotFound; NotAuthorized (not a party); TransactionAlreadySettled; TransactionDisputed; ReviewPeriodOpen; PaymentFailed (repeat the same call later).
    ///
    /// Event: PaymentSettled.
    pub fn settle_payment(env: Env, transaction_id: u64, settler: Address) -> Result<(), SharingError> {
        storage::enter(&env);
        settler.require_auth();
        payment::settle_payment(&env, transaction_id, settler)
    }

    /// Pays, with one transfer, all deliveries of an agreement up to and with the transaction `through` that settle_payment would settle now. Returns the amount. `through` is the last delivery that the settler has looked at: newer ones wait, and disputed ones stop nothing.
    ///
    /// Signs: settler, a party; without a deposit the consumer in any case, for this call and for the token's transfer in it.
    ///
    /// Units: the token's smallest unit.
    ///
    /// Errors: NotInitialized; AgreementNotFound; NotAuthorized (not a party); TransactionNotFound (`through` is not of this agreement); ReviewPeriodOpen or NothingToSettle (none can be settled now); PaymentFailed (repeat the same call later).
    ///
    /// Events: a PaymentSettled for each.
    pub fn settle_agreement(env: Env, agreement_id: u64, through: u64, settler: Address) -> Result<u64, SharingError> {
        storage::enter(&env);
        settler.require_auth();
        payment::settle_agreement(&env, agreement_id, through, settler)
    }

    /// Disputes a delivery that is not settled: it waits for a ruling, 30 days at most.
    ///
    /// Signs: disputer, a party.
    ///
    /// Errors: NotInitialized; TransactionNotFound; NotAuthorized (not a party); TransactionAlreadySettled; TransactionDisputed; DisputeAlreadyResolved; DepositTrustsMeter (metered, from a Metered deposit).
    ///
    /// Event: TransactionDisputed.
    pub fn dispute_transaction(env: Env, transaction_id: u64, disputer: Address) -> Result<(), SharingError> {
        storage::enter(&env);
        disputer.require_auth();
        payment::dispute_transaction(&env, transaction_id, disputer)
    }

    /// Rules how much of a disputed delivery is to be paid. Final: it can be settled at once, or is settled if that is nothing. The rest of a deposit returns by claim_refund.
    ///
    /// Signs: resolver: the admin; or a party for what is its own to give (the consumer all of it, the provider nothing), any other amount with the other party's signature. An admin who is a party rules as a party.
    ///
    /// Units: energy_accepted_kwh in whole kWh, from 0 to what was delivered.
    ///
    /// Errors: NotInitialized; TransactionNotFound; TransactionNotDisputed; NotAuthorized; InvalidInput (more than delivered).
    ///
    /// Event: DisputeResolved.
    pub fn resolve_dispute(
        env: Env,
        transaction_id: u64,
        energy_accepted_kwh: u64,
        resolver: Address,
    ) -> Result<(), SharingError> {
        storage::enter(&env);
        resolver.require_auth();
        payment::resolve_dispute(&env, transaction_id, energy_accepted_kwh, resolver)
    }

    /// Rules by default on a dispute that nobody ruled on for 30 days: all of it if it is metered, nothing if not.
    ///
    /// Signs: nobody; anyone may call.
    ///
    /// Errors: NotInitialized; TransactionNotFound; TransactionNotDisputed; ArbitrationPeriodOpen.
    ///
    /// Event: DisputeResolved, without a resolver.
    pub fn close_dispute(env: Env, transaction_id: u64) -> Result<(), SharingError> {
        storage::enter(&env);
        payment::close_dispute(&env, transaction_id)
    }

    /// The admin and the token.
    ///
    /// Errors: NotInitialized.
    pub fn get_config(env: Env) -> Result<Config, SharingError> {
        Ok(Config { admin: storage::admin(&env), token_contract: storage::token(&env) })
    }

    /// A prosumer's number, meter, register, count of agreements and newest agreement.
    ///
    /// Errors: NotInitialized; ProsumerNotRegistered.
    pub fn get_prosumer(env: Env, prosumer: Address) -> Result<Prosumer, SharingError> {
        Ok(storage::prosumer(&env, &prosumer))
    }

    /// An agreement's terms and status.
    ///
    /// Errors: NotInitialized; AgreementNotFound.
    pub fn get_agreement(env: Env, agreement_id: u64) -> Result<EnergyAgreement, SharingError> {
        Ok(storage::agreement(&env, agreement_id).to_record())
    }

    /// What of an agreement is delivered, waits to be settled, is disputed and is in escrow, its number of transactions and kind of deposit.
    ///
    /// Errors: NotInitialized; AgreementNotFound.
    pub fn get_agreement_state(env: Env, agreement_id: u64) -> Result<AgreementState, SharingError> {
        Ok(storage::agreement(&env, agreement_id).state())
    }

    /// A delivery and its payment, or those of a day that were paid at once.
    ///
    /// Errors: NotInitialized; TransactionNotFound.
    pub fn get_transaction(env: Env, transaction_id: u64) -> Result<EnergyTransaction, SharingError> {
        storage::agreement_of(&env, transaction_id).transaction_record(transaction_id)
    }

    /// All transactions in which the prosumer is a party: agreement by agreement as they were created, and within each the oldest first. For simulation: it ends where the budget of a call ends. Pages of agreements never do.
    ///
    /// Errors: NotInitialized; ProsumerNotRegistered.
    pub fn get_transaction_history(env: Env, prosumer: Address) -> Result<Vec<EnergyTransaction>, SharingError> {
        Ok(sharing::get_transaction_history(&env, &prosumer))
    }

    /// The prosumer's newest agreements with their states, offers too, the newest first: those before the agreement `before`, or the newest of all without it.
    ///
    /// Units: limit in agreements, at most 25.
    ///
    /// Errors: NotInitialized; ProsumerNotRegistered; AgreementNotFound (`before` is not one of this prosumer).
    pub fn get_agreement_page(
        env: Env,
        prosumer: Address,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AgreementEntry>, SharingError> {
        sharing::get_agreement_page(&env, &prosumer, before, limit)
    }

    /// All transactions of an agreement, the oldest first.
    ///
    /// Errors: NotInitialized; AgreementNotFound.
    pub fn get_agreement_transactions(env: Env, agreement_id: u64) -> Result<Vec<EnergyTransaction>, SharingError> {
        Ok(sharing::get_agreement_transactions(&env, agreement_id))
    }

    /// Whether each transaction of an agreement, the oldest first, is metered, ruled on or disputed, and from when its provider alone may settle it from a deposit.
    ///
    /// Errors: NotInitialized; AgreementNotFound.
    pub fn get_transaction_states(env: Env, agreement_id: u64) -> Result<Vec<TransactionState>, SharingError> {
        Ok(sharing::get_transaction_states(&env, agreement_id))
    }

    /// How many prosumers are registered: their numbers are below it.
    ///
    /// Errors: NotInitialized.
    pub fn get_prosumer_count(env: Env) -> Result<u64, SharingError> {
        storage::admin(&env);
        Ok(storage::prosumer_count(&env))
    }
}
