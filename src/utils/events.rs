//! One event for each transition, with all that it changed: an indexer rebuilds the whole state from them.

use soroban_sdk::{contractevent, Address};

/// The contract was set up.
#[contractevent]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Initialized {
    #[topic]
    pub admin: Address,
    pub token_contract: Address,
}

/// The admin handed its role over.
#[contractevent]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdminChanged {
    #[topic]
    pub old_admin: Address,
    #[topic]
    pub new_admin: Address,
}

/// A prosumer registered.
#[contractevent]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProsumerRegistered {
    #[topic]
    pub prosumer: Address,
    pub number: u64,
}

/// A prosumer's meter was certified and its register restarted, or it was retired: then there is no meter, and the register stands as it was.
#[contractevent(sparse = false)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MeterRegistered {
    #[topic]
    pub prosumer: Address,
    pub meter: Option<Address>,
    pub meter_start: u64,
    pub meter_reading: u64,
    pub energy_sold_kwh: u64,
}

/// A provider offered an agreement to a consumer.
#[contractevent]
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

/// The consumer deposited the total.
#[contractevent]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementFunded {
    #[topic]
    pub agreement_id: u64,
    #[topic]
    pub provider: Address,
    #[topic]
    pub consumer: Address,
    pub escrow_amount: u64,
}

/// A party ended the agreement. What was delivered is still to be settled.
#[contractevent]
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

/// The provider recorded a delivery.
#[contractevent]
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
#[contractevent]
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
#[contractevent]
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

/// A dispute was ruled on: by the resolver, or by default after the arbitration period. A payment of 0 settles it at once.
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
#[contractevent]
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
