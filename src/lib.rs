#![no_std]
//! Peer-to-peer energy sharing on Stellar: prosumers agree on kWh and price, the provider records deliveries with meter readings, and the
//! consumer's tokens pay for them, directly or from a deposit, with disputes, deadlines and a full history.
//!
//! This file is the table of contents. The energy's rules are in `sharing`, the money's in `payment`, data structures and errors in `utils`,
//! what is stored in `utils::storage`, and the events in `utils::events`.

use soroban_sdk::{contract, contractimpl, contractmeta, Address, Env, Vec};

mod payment;
mod sharing;
mod utils;

#[cfg(test)]
mod test;

pub use payment::{ARBITRATION_PERIOD, REVIEW_PERIOD};
pub use sharing::{MAX_PAGE, MAX_TERM};
pub use utils::{
    events, AgreementState, AgreementStatus, Config, EnergyAgreement, EnergyTransaction, Prosumer, SharingError, TransactionState,
    TransactionStatus, IDS_PER_PROVIDER,
};

use utils::storage;

contractmeta!(key = "Description", val = "Peer-to-peer energy sharing: agreements, metered deliveries, payment, escrow, disputes");
contractmeta!(key = "Version", val = env!("CARGO_PKG_VERSION"));

#[contract]
pub struct PeerToPeerEnergySharing;

#[contractimpl]
impl PeerToPeerEnergySharing {
    #[doc = "Sets the admin, who certifies meters and rules disputes, and the token of all payments. \
             Once, after deployment: anyone can be first, so check `get_config` afterwards. \
             Signs: admin. \
             Errors: AlreadyInitialized; InvalidInput (token_contract is not a token). \
             Event: Initialized."]
    pub fn initialize(env: Env, admin: Address, token_contract: Address) -> Result<(), SharingError> {
        if storage::config(&env).is_ok() {
            return Err(SharingError::AlreadyInitialized);
        }
        admin.require_auth();
        sharing::initialize(&env, &Config { admin, token_contract })
    }

    #[doc = "Hands the role of the admin over. \
             Signs: the admin and new_admin. \
             Errors: NotInitialized; InvalidInput (the same admin again). \
             Event: AdminChanged."]
    pub fn set_admin(env: Env, new_admin: Address) -> Result<(), SharingError> {
        let config = enter(&env)?;
        config.admin.require_auth();
        sharing::set_admin(&env, config, new_admin)
    }

    #[doc = "Registers a household or business that shares energy. Again changes nothing. \
             Signs: prosumer. \
             Errors: NotInitialized. \
             Event: ProsumerRegistered."]
    pub fn register_prosumer(env: Env, prosumer: Address) -> Result<(), SharingError> {
        enter(&env)?;
        prosumer.require_auth();
        sharing::register_prosumer(&env, prosumer)
    }

    #[doc = "Certifies a prosumer's meter, which then co-signs its deliveries and counts from meter_reading; or, without a meter, \
             retires it. \
             Also for a meter's exchange or rollover, and to correct a mistyped reading. \
             Signs: the admin; and the prosumer where a meter is given. \
             Units: meter_reading is the meter's cumulative export register (OBIS 2.8.0), whole kWh; ignored without a meter. \
             Errors: NotInitialized; ProsumerNotRegistered; InvalidInput (the prosumer itself as its meter). \
             Event: MeterRegistered."]
    pub fn register_meter(env: Env, prosumer: Address, meter: Option<Address>, meter_reading: u64) -> Result<(), SharingError> {
        let config = enter(&env)?;
        config.admin.require_auth();
        sharing::register_meter(&env, &config, prosumer, meter, meter_reading)
    }

    #[doc = "Offers energy to a consumer at a price, until a deadline. Returns the agreement's id. \
             It binds nobody to pay: that takes the consumer's signature, in fund_agreement or settle_payment. \
             Signs: provider. \
             Units: whole kWh; price in the token's smallest unit (1 XLM or USDC = 10,000,000); deadline in Unix seconds, at most 366 \
             days ahead. \
             Errors: NotInitialized; ProsumerNotRegistered (either); InvalidInput (a zero, or a deadline too far ahead); \
             SelfSharingNotAllowed; DeliveryDeadlinePassed; AmountOverflow (energy * price, or no id left). \
             Event: AgreementCreated."]
    pub fn create_agreement(
        env: Env,
        provider: Address,
        consumer: Address,
        energy_amount_kwh: u64,
        price_per_kwh: u64,
        delivery_deadline: u64,
    ) -> Result<u64, SharingError> {
        enter(&env)?;
        provider.require_auth();
        sharing::create_agreement(&env, provider, consumer, energy_amount_kwh, price_per_kwh, delivery_deadline)
    }

    #[doc = "Deposits the agreement's total, from which its deliveries are then paid. \
             The provider settles alone: metered deliveries at once, others 24 hours after delivery unless disputed. The deposit stays \
             until the deadline or the provider's cancellation; then claim_refund returns what is not owed. \
             Signs: consumer, for this call and for the token's transfer in it. \
             Errors: NotInitialized; AgreementNotFound; NotAuthorized (not its consumer); AgreementNotActive; DeliveryDeadlinePassed; \
             AgreementFunded; DeliveryStarted; PaymentFailed. \
             Event: AgreementFunded."]
    pub fn fund_agreement(env: Env, agreement_id: u64, consumer: Address) -> Result<(), SharingError> {
        let config = enter(&env)?;
        consumer.require_auth();
        payment::fund_agreement(&env, &config, agreement_id, consumer)
    }

    #[doc = "Ends an open agreement. What was delivered is still to be settled; the rest of a deposit returns to the consumer. \
             Signs: canceller, the provider or, while it is not funded, the consumer. \
             Errors: NotInitialized; AgreementNotFound; NotAuthorized (not a party); AgreementNotActive; AgreementFunded (the \
             consumer). \
             Events: AgreementCancelled; EscrowRefunded where a refund was paid."]
    pub fn cancel_agreement(env: Env, agreement_id: u64, canceller: Address) -> Result<(), SharingError> {
        let config = enter(&env)?;
        canceller.require_auth();
        sharing::cancel_agreement(&env, &config, agreement_id, canceller)
    }

    #[doc = "Pays what the deposit holds beyond what is owed back to the consumer, after a deadline say. Returns the amount. \
             Signs: nobody; anyone may call. \
             Units: the token's smallest unit. \
             Errors: NotInitialized; AgreementNotFound; NothingToRefund; PaymentFailed. \
             Event: EscrowRefunded."]
    pub fn claim_refund(env: Env, agreement_id: u64) -> Result<u64, SharingError> {
        let config = enter(&env)?;
        payment::claim_refund(&env, &config, agreement_id)
    }

    #[doc = "Records a delivery that fills the agreement, in whole or in part. Returns the transaction's id. \
             Signs: provider, and its certified meter if it has one. \
             Units: whole kWh; meter_reading is the provider's cumulative export register (OBIS 2.8.0), which never goes back and must \
             have exported all that was sold. \
             Errors: NotInitialized; AgreementNotFound; NotAuthorized (not its provider); AgreementNotActive; DeliveryDeadlinePassed; \
             InvalidInput (0 kWh); InsufficientEnergy (more than what remains); InvalidMeterReading; AmountOverflow (no id left). \
             Event: EnergyDelivered."]
    pub fn deliver_energy(
        env: Env,
        agreement_id: u64,
        energy_delivered_kwh: u64,
        meter_reading: u64,
        provider: Address,
    ) -> Result<u64, SharingError> {
        enter(&env)?;
        provider.require_auth();
        sharing::deliver_energy(&env, agreement_id, energy_delivered_kwh, meter_reading, provider)
    }

    #[doc = "Pays the provider for a delivery: from the deposit of a funded agreement, else directly from the consumer. \
             From a deposit the consumer settles at any time; the provider alone at once if the delivery is metered or ruled on, else 24 \
             hours after it. \
             Signs: settler, a party; without a deposit the consumer in any case, for this call and for the token's transfer in it. \
             Errors: NotInitialized; TransactionNotFound; NotAuthorized (not a party); TransactionAlreadySettled; TransactionDisputed; \
             ReviewPeriodOpen; PaymentFailed (repeat the same call later). \
             Event: PaymentSettled."]
    pub fn settle_payment(env: Env, transaction_id: u64, settler: Address) -> Result<(), SharingError> {
        let config = enter(&env)?;
        settler.require_auth();
        payment::settle_payment(&env, &config, transaction_id, settler)
    }

    #[doc = "Disputes a delivery that is not settled: it waits for a ruling, 30 days at most. \
             Signs: disputer, a party. \
             Errors: NotInitialized; TransactionNotFound; NotAuthorized (not a party); TransactionAlreadySettled; TransactionDisputed; \
             DisputeAlreadyResolved. \
             Event: TransactionDisputed."]
    pub fn dispute_transaction(env: Env, transaction_id: u64, disputer: Address) -> Result<(), SharingError> {
        enter(&env)?;
        disputer.require_auth();
        payment::dispute_transaction(&env, transaction_id, disputer)
    }

    #[doc = "Rules how much of a disputed delivery is to be paid. Final: it can be settled at once, or is settled if that is nothing. \
             Signs: resolver: the admin; or a party for what is its own to give (the consumer all of it, the provider nothing), any \
             other amount with the other party's signature. An admin who is a party rules as a party. \
             Units: energy_accepted_kwh in whole kWh, from 0 to what was delivered. \
             Errors: NotInitialized; TransactionNotFound; TransactionNotDisputed; NotAuthorized; InvalidInput (more than delivered). \
             Events: DisputeResolved; EscrowRefunded where a refund was paid."]
    pub fn resolve_dispute(env: Env, transaction_id: u64, energy_accepted_kwh: u64, resolver: Address) -> Result<(), SharingError> {
        let config = enter(&env)?;
        resolver.require_auth();
        payment::resolve_dispute(&env, &config, transaction_id, energy_accepted_kwh, resolver)
    }

    #[doc = "Rules by default on a dispute that nobody ruled on for 30 days: all of it if it is metered, nothing if not. \
             Signs: nobody; anyone may call. \
             Errors: NotInitialized; TransactionNotFound; TransactionNotDisputed; ArbitrationPeriodOpen. \
             Events: DisputeResolved, without a resolver; EscrowRefunded where a refund was paid."]
    pub fn close_dispute(env: Env, transaction_id: u64) -> Result<(), SharingError> {
        let config = enter(&env)?;
        payment::close_dispute(&env, &config, transaction_id)
    }

    #[doc = "The admin and the token. \
             Errors: NotInitialized."]
    pub fn get_config(env: Env) -> Result<Config, SharingError> {
        storage::config(&env)
    }

    #[doc = "A prosumer's number, meter, register and counts. \
             Errors: NotInitialized; ProsumerNotRegistered."]
    pub fn get_prosumer(env: Env, prosumer: Address) -> Result<Prosumer, SharingError> {
        storage::config(&env)?;
        storage::prosumer(&env, &prosumer)
    }

    #[doc = "An agreement's terms and status. \
             Errors: NotInitialized; AgreementNotFound."]
    pub fn get_agreement(env: Env, agreement_id: u64) -> Result<EnergyAgreement, SharingError> {
        storage::config(&env)?;
        sharing::get_agreement(&env, agreement_id)
    }

    #[doc = "What of an agreement is delivered, waits to be settled, and is in escrow. \
             Errors: NotInitialized; AgreementNotFound."]
    pub fn get_agreement_state(env: Env, agreement_id: u64) -> Result<AgreementState, SharingError> {
        storage::config(&env)?;
        Ok(storage::agreement(&env, agreement_id)?.state)
    }

    #[doc = "A delivery and its payment. \
             Errors: NotInitialized; TransactionNotFound."]
    pub fn get_transaction(env: Env, transaction_id: u64) -> Result<EnergyTransaction, SharingError> {
        storage::config(&env)?;
        payment::get_transaction(&env, transaction_id)
    }

    #[doc = "Whether a transaction is metered, ruled on or disputed, and from when its provider alone may settle it from a deposit. \
             Errors: NotInitialized; TransactionNotFound."]
    pub fn get_transaction_state(env: Env, transaction_id: u64) -> Result<TransactionState, SharingError> {
        storage::config(&env)?;
        Ok(storage::transaction(&env, transaction_id)?.state())
    }

    #[doc = "All transactions in which the prosumer is a party, the oldest first. \
             For simulation: it ends where the budget of a call ends. Pages never do. \
             Errors: NotInitialized; ProsumerNotRegistered."]
    pub fn get_transaction_history(env: Env, prosumer: Address) -> Result<Vec<EnergyTransaction>, SharingError> {
        storage::config(&env)?;
        sharing::get_transaction_history(&env, &prosumer)
    }

    #[doc = "The prosumer's newest transactions, the newest first: those before the transaction `before`, or the newest of all without \
             it. \
             Units: limit in transactions, at most 40. \
             Errors: NotInitialized; ProsumerNotRegistered; TransactionNotFound (`before` is not one of this prosumer)."]
    pub fn get_transaction_page(
        env: Env,
        prosumer: Address,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<EnergyTransaction>, SharingError> {
        storage::config(&env)?;
        sharing::get_transaction_page(&env, &prosumer, before, limit)
    }
}

/// Every call that acts: the contract must be initialised, and is kept alive.
fn enter(env: &Env) -> Result<Config, SharingError> {
    let config = storage::config(env)?;
    storage::keep_alive(env);
    Ok(config)
}
