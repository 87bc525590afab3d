//! One event for each transition, with all that it changed: an indexer rebuilds the whole state from them.
//!
//! None is sparse: a field without a value is there, and void, so that the Wasm needs no code that leaves fields out.

use soroban_sdk::{contractevent, Address};

use super::Deposit;

/// The contract was set up.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Initialized {
    #[topic]
    pub admin: Address,
    pub token_contract: Address,
}

/// The admin handed its role over.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdminChanged {
    #[topic]
    pub old_admin: Address,
    #[topic]
    pub new_admin: Address,
}

/// A prosumer registered.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProsumerRegistered {
    #[topic]
    pub prosumer: Address,
    pub number: u64,
}

/// A prosumer's meter was certified and its register restarted; or the meter was retired, and the register stands as it
/// was.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MeterRegistered {
    #[topic]
    pub prosumer: Address,
    pub meter: Option<Address>,
    pub max_power_kw: u64,
    pub meter_start: u64,
    pub meter_reading: u64,
    pub read_at: u64,
    pub energy_sold_kwh: u64,
}

/// A provider offered an agreement to a consumer.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementCreated {
    #[topic]
    pub agreement_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub energy_amount_kwh: u64,
    pub price_per_kwh: u64,
    pub total_amount: u64,
    pub delivery_deadline: u64,
    pub created_at: u64,
}

/// The consumer deposited the total, to be drawn on as its kind says.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementFunded {
    #[topic]
    pub agreement_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub escrow_amount: u64,
    pub deposit: Deposit,
}

/// A party ended the agreement. What was delivered is still to be settled, and what is not owed can be claimed back.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementCancelled {
    #[topic]
    pub agreement_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub canceller: Address,
}

/// A delivery was recorded, by the provider's certified meter if it has one, else by the provider.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnergyDelivered {
    #[topic]
    pub transaction_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub agreement_id: u64,
    pub energy_delivered_kwh: u64,
    pub meter_reading: u64,
    pub payment_amount: u64,
    pub delivered_at: u64,
    pub metered: bool,
}

/// The provider was paid: from the escrow of a funded agreement, else by the consumer.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentSettled {
    #[topic]
    pub transaction_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub agreement_id: u64,
    pub payment_amount: u64,
    pub settled_at: u64,
    pub settler: Address,
}

/// A party disputed a delivery: it cannot be settled before a ruling.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransactionDisputed {
    #[topic]
    pub transaction_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub agreement_id: u64,
    pub disputed_at: u64,
    pub disputer: Address,
}

/// A dispute was ruled on: by the resolver, or by default after the arbitration period. A payment of 0 settles it at
/// once.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisputeResolved {
    #[topic]
    pub transaction_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub agreement_id: u64,
    pub energy_accepted_kwh: u64,
    pub payment_amount: u64,
    pub settled_at: Option<u64>,
    pub resolver: Option<Address>,
}

/// The consumer got back what the escrow held beyond what is owed.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EscrowRefunded {
    #[topic]
    pub agreement_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub refund_amount: u64,
    pub escrow_amount: u64,
}
