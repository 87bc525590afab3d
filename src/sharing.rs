//! The life of the energy: the operator, prosumers, meters, agreements, deliveries and their history.

use soroban_sdk::{Address, Env, Vec};

use crate::payment;
use crate::utils::events::{
    AdminChanged, AgreementCancelled, AgreementCreated, EnergyDelivered, Initialized, MeterRegistered, ProsumerRegistered,
};
use crate::utils::storage::{self, Agreement, Transaction};
use crate::utils::{
    add, mul, AgreementState, AgreementStatus, Config, EnergyAgreement, EnergyTransaction, Prosumer, SharingError, TransactionStatus,
    IDS_PER_PROVIDER,
};

/// The furthest deadline, a leap year ahead: catches milliseconds given for seconds, and deposits locked for ages.
pub const MAX_TERM: u64 = 366 * 24 * 60 * 60;

/// The most transactions of a page: an answer must fit the network's 16,384 bytes of events and return value. An `EnergyTransaction`
/// takes 400 at most (12 and, for each field, 8 and its padded name and value: 32 + 60 + 32 + 40 + 36 + 36 + 60 + 32 + 24 + 36 = 388),
/// and the vector 12: (16,384 - 12) / 400 = 40.9.
pub const MAX_PAGE: u32 = 40;

impl Agreement {
    pub fn status(&self, now: u64) -> AgreementStatus {
        if self.cancelled {
            AgreementStatus::Cancelled
        } else if self.state.energy_delivered_kwh < self.energy_amount_kwh {
            if now > self.delivery_deadline {
                AgreementStatus::Expired
            } else {
                AgreementStatus::Active
            }
        } else if self.state.pending_amount == 0 {
            // Whatever is not settled has a payment of at least 1 pending.
            AgreementStatus::Settled
        } else {
            AgreementStatus::Delivered
        }
    }

    /// Open for a deposit and for deliveries.
    pub fn check_open(&self, now: u64) -> Result<(), SharingError> {
        match self.status(now) {
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
        self.energy_amount_kwh.saturating_sub(self.state.energy_delivered_kwh)
    }

    /// Fits: `create_agreement` saw to it.
    pub fn total_amount(&self) -> u64 {
        self.energy_amount_kwh.saturating_mul(self.price_per_kwh)
    }
}

pub fn initialize(env: &Env, config: &Config) -> Result<(), SharingError> {
    payment::check_token(env, &config.token_contract)?;
    storage::set_config(env, config);
    Initialized { admin: config.admin.clone(), token_contract: config.token_contract.clone() }.publish(env);
    Ok(())
}

pub fn set_admin(env: &Env, config: Config, new_admin: Address) -> Result<(), SharingError> {
    if new_admin == config.admin {
        return Err(SharingError::InvalidInput);
    }
    new_admin.require_auth();
    storage::set_config(env, &Config { admin: new_admin.clone(), ..config.clone() });
    AdminChanged { old_admin: config.admin, new_admin }.publish(env);
    Ok(())
}

pub fn register_prosumer(env: &Env, address: Address) -> Result<(), SharingError> {
    if storage::prosumer(env, &address).is_ok() {
        return Ok(());
    }
    let number = storage::prosumers(env);
    storage::set_prosumers(env, add(number, 1)?);
    storage::set_prosumer(env, &address, &Prosumer { number, ..Prosumer::default() });
    ProsumerRegistered { prosumer: address, number }.publish(env);
    Ok(())
}

pub fn register_meter(
    env: &Env,
    config: &Config,
    address: Address,
    meter: Option<Address>,
    meter_reading: u64,
) -> Result<(), SharingError> {
    let mut prosumer = storage::prosumer(env, &address)?;
    match &meter {
        Some(meter) => {
            if *meter == address {
                return Err(SharingError::InvalidInput);
            }
            if address != config.admin {
                address.require_auth();
            }
            prosumer.meter_start = meter_reading;
            prosumer.meter_reading = meter_reading;
            prosumer.energy_sold_kwh = 0;
        }
        None if prosumer.meter.is_none() => return Ok(()),
        None => {}
    }
    prosumer.meter = meter.clone();
    storage::set_prosumer(env, &address, &prosumer);
    MeterRegistered {
        prosumer: address,
        meter,
        meter_start: prosumer.meter_start,
        meter_reading: prosumer.meter_reading,
        energy_sold_kwh: prosumer.energy_sold_kwh,
    }
    .publish(env);
    Ok(())
}

pub fn create_agreement(
    env: &Env,
    provider: Address,
    consumer: Address,
    energy_amount_kwh: u64,
    price_per_kwh: u64,
    delivery_deadline: u64,
) -> Result<u64, SharingError> {
    let mut seller = storage::prosumer(env, &provider)?;
    storage::prosumer(env, &consumer)?;
    if energy_amount_kwh == 0 || price_per_kwh == 0 || delivery_deadline == 0 {
        return Err(SharingError::InvalidInput);
    }
    if provider == consumer {
        return Err(SharingError::SelfSharingNotAllowed);
    }
    let created_at = env.ledger().timestamp();
    if delivery_deadline <= created_at {
        return Err(SharingError::DeliveryDeadlinePassed);
    }
    if delivery_deadline > created_at.saturating_add(MAX_TERM) {
        return Err(SharingError::InvalidInput);
    }
    let total_amount = mul(energy_amount_kwh, price_per_kwh)?;
    let agreement_id = next_id(seller.number, &mut seller.agreements)?;

    storage::set_prosumer(env, &provider, &seller);
    storage::set_agreement(
        env,
        &Agreement {
            id: agreement_id,
            provider: provider.clone(),
            consumer: consumer.clone(),
            energy_amount_kwh,
            price_per_kwh,
            created_at,
            delivery_deadline,
            state: AgreementState { energy_delivered_kwh: 0, pending_amount: 0, escrow_amount: 0 },
            funded: false,
            cancelled: false,
        },
    );
    AgreementCreated { agreement_id, provider, consumer, energy_amount_kwh, price_per_kwh, total_amount, delivery_deadline, created_at }
        .publish(env);
    Ok(agreement_id)
}

pub fn cancel_agreement(env: &Env, config: &Config, agreement_id: u64, canceller: Address) -> Result<(), SharingError> {
    let mut agreement = storage::agreement(env, agreement_id)?;
    agreement.check_party(&canceller)?;
    if agreement.status(env.ledger().timestamp()) != AgreementStatus::Active {
        return Err(SharingError::AgreementNotActive);
    }
    // The deposit is the provider's assurance until the deadline.
    if agreement.funded && canceller == agreement.consumer {
        return Err(SharingError::AgreementFunded);
    }

    agreement.cancelled = true;
    storage::set_agreement(env, &agreement);
    AgreementCancelled { agreement_id, provider: agreement.provider.clone(), consumer: agreement.consumer.clone(), canceller }.publish(env);
    payment::refund_if_possible(env, config, &mut agreement);
    Ok(())
}

pub fn deliver_energy(
    env: &Env,
    agreement_id: u64,
    energy_delivered_kwh: u64,
    meter_reading: u64,
    provider: Address,
) -> Result<u64, SharingError> {
    let mut agreement = storage::agreement(env, agreement_id)?;
    if provider != agreement.provider {
        return Err(SharingError::NotAuthorized);
    }
    let delivered_at = env.ledger().timestamp();
    agreement.check_open(delivered_at)?;
    if energy_delivered_kwh == 0 {
        return Err(SharingError::InvalidInput);
    }
    if energy_delivered_kwh > agreement.remaining_kwh() {
        return Err(SharingError::InsufficientEnergy);
    }
    let mut seller = storage::prosumer(env, &provider)?;
    read_meter(&mut seller, energy_delivered_kwh, meter_reading).ok_or(SharingError::InvalidMeterReading)?;
    let transaction_id = next_id(seller.number, &mut seller.deliveries)?;
    if let Some(meter) = &seller.meter {
        meter.require_auth();
    }

    let consumer = agreement.consumer.clone();
    let mut buyer = storage::prosumer(env, &consumer)?;
    let transaction = Transaction {
        id: transaction_id,
        agreement_id,
        energy_delivered_kwh,
        meter_reading,
        delivered_at,
        metered: seller.meter.is_some(),
        status: TransactionStatus::Delivered,
        status_since: 0,
        energy_accepted_kwh: None,
        provider_previous: seller.last_transaction.replace(transaction_id),
        consumer_previous: buyer.last_transaction.replace(transaction_id),
    };
    let payment_amount = transaction.payment_amount(&agreement);
    agreement.state.energy_delivered_kwh = add(agreement.state.energy_delivered_kwh, energy_delivered_kwh)?;
    agreement.state.pending_amount = add(agreement.state.pending_amount, payment_amount)?;
    storage::set_prosumer(env, &provider, &seller);
    storage::set_prosumer(env, &consumer, &buyer);
    storage::set_agreement(env, &agreement);
    storage::set_transaction(env, &transaction);
    EnergyDelivered {
        transaction_id,
        provider,
        consumer,
        agreement_id,
        energy_delivered_kwh,
        meter_reading,
        payment_amount,
        delivered_at,
        metered: transaction.metered,
    }
    .publish(env);
    Ok(transaction_id)
}

pub fn get_agreement(env: &Env, agreement_id: u64) -> Result<EnergyAgreement, SharingError> {
    let agreement = storage::agreement(env, agreement_id)?;
    Ok(EnergyAgreement {
        agreement_id,
        total_amount: agreement.total_amount(),
        status: agreement.status(env.ledger().timestamp()),
        provider: agreement.provider,
        consumer: agreement.consumer,
        energy_amount_kwh: agreement.energy_amount_kwh,
        price_per_kwh: agreement.price_per_kwh,
        delivery_deadline: agreement.delivery_deadline,
        created_at: agreement.created_at,
    })
}

pub fn get_transaction_history(env: &Env, prosumer: &Address) -> Result<Vec<EnergyTransaction>, SharingError> {
    let newest = storage::prosumer(env, prosumer)?.last_transaction;
    let (oldest_first, _) = walk_back(env, prosumer, newest, u32::MAX, true)?;
    Ok(oldest_first)
}

pub fn get_transaction_page(
    env: &Env,
    prosumer: &Address,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<EnergyTransaction>, SharingError> {
    let mut next = storage::prosumer(env, prosumer)?.last_transaction;
    if before.is_some() {
        (_, next) = walk_back(env, prosumer, before, 1, false)?;
    }
    let (newest_first, _) = walk_back(env, prosumer, next, limit.min(MAX_PAGE), false)?;
    Ok(newest_first)
}

/// A prosumer's transactions from `next` on towards the oldest, and the one where the next walk goes on.
fn walk_back(
    env: &Env,
    prosumer: &Address,
    mut next: Option<u64>,
    limit: u32,
    oldest_first: bool,
) -> Result<(Vec<EnergyTransaction>, Option<u64>), SharingError> {
    let mut transactions = Vec::new(env);
    for _ in 0..limit {
        let Some(id) = next else { break };
        let (transaction, agreement) = payment::transaction_and_agreement(env, id)?;
        agreement.check_party(prosumer).map_err(|_| SharingError::TransactionNotFound)?;
        next = if *prosumer == agreement.provider { transaction.provider_previous } else { transaction.consumer_previous };
        let record = transaction.into_record(agreement);
        if oldest_first {
            transactions.push_front(record);
        } else {
            transactions.push_back(record);
        }
    }
    Ok((transactions, next))
}

/// The n-th id of the provider with this number; ids that failed calls would have used are used again.
fn next_id(number: u64, n: &mut u64) -> Result<u64, SharingError> {
    *n = add(*n, 1)?;
    if *n >= IDS_PER_PROVIDER {
        return Err(SharingError::AmountOverflow);
    }
    add(mul(number, IDS_PER_PROVIDER)?, *n)
}

/// The meter rule: a reading never goes back, and nobody sells more than the meter has exported.
fn read_meter(seller: &mut Prosumer, energy_kwh: u64, meter_reading: u64) -> Option<()> {
    let sold_kwh = seller.energy_sold_kwh.checked_add(energy_kwh)?;
    let exported_kwh = meter_reading.checked_sub(seller.meter_start)?;
    if meter_reading < seller.meter_reading || sold_kwh > exported_kwh {
        return None;
    }
    seller.meter_reading = meter_reading;
    seller.energy_sold_kwh = sold_kwh;
    Some(())
}
