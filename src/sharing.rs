//! The life of the energy: the operator, prosumers, meters, agreements, deliveries and their history.

use soroban_sdk::{Address, Env, Vec};

use crate::payment;
use crate::utils::events::{
    AdminChanged, AgreementCancelled, AgreementCreated, EnergyDelivered, Initialized, MeterRegistered,
    ProsumerRegistered,
};
use crate::utils::records::{
    Agreement, AGREEMENTS_PER_PROVIDER, AGREEMENT_IDS, CANCELLED, FUNDED, MAX_PROSUMERS, MAX_READING, MAX_TRANSACTIONS,
    METERED, REVIEWED_DEPOSIT,
};
use crate::utils::{
    storage, AgreementState, EnergyAgreement, EnergyTransaction, Prosumer, SharingError, TransactionState,
};

/// The furthest deadline, a leap year ahead: catches milliseconds given for seconds, and deposits locked for ages.
pub const MAX_TERM: u64 = 366 * 24 * 60 * 60;

/// The most agreements of a page: an answer must fit the network's 16,384 bytes of events and return value. An
/// `EnergyAgreement` takes 368 at most, fewer than an `EnergyTransaction`, whose 400 are 12 and, for each field, 8 and
/// its padded name and value (32 + 60 + 32 + 40 + 36 + 36 + 60 + 32 + 24 + 36 = 388): (16,384 - 12) / 400 = 40.9.
pub const MAX_PAGE: u32 = 40;

pub fn initialize(env: &Env, admin: Address, token_contract: Address) -> Result<(), SharingError> {
    payment::check_token(env, &token_contract)?;
    storage::set_admin(env, &admin);
    storage::set_token(env, &token_contract);
    Initialized { admin, token_contract }.publish(env);
    Ok(())
}

pub fn set_admin(env: &Env, old_admin: Address, new_admin: Address) -> Result<(), SharingError> {
    if new_admin == old_admin {
        return Err(SharingError::InvalidInput);
    }
    new_admin.require_auth();
    storage::set_admin(env, &new_admin);
    AdminChanged { old_admin, new_admin }.publish(env);
    Ok(())
}

pub fn register_prosumer(env: &Env, address: Address) -> Result<(), SharingError> {
    let mut prosumer = Prosumer::default();
    if storage::read_prosumer(env, &address, &mut prosumer).is_ok() {
        return Ok(());
    }
    let number = storage::prosumer_count(env);
    if number >= MAX_PROSUMERS {
        return Err(SharingError::AmountOverflow);
    }
    prosumer.number = number;
    storage::set_prosumer_count(env, number.saturating_add(1));
    storage::write_prosumer(env, &address, &mut prosumer);
    ProsumerRegistered { prosumer: address, number }.publish(env);
    Ok(())
}

pub fn register_meter(
    env: &Env,
    admin: &Address,
    address: Address,
    meter: Option<Address>,
    meter_reading: u64,
) -> Result<(), SharingError> {
    let mut prosumer = Prosumer::default();
    storage::read_prosumer(env, &address, &mut prosumer)?;
    if let Some(meter) = &meter {
        if *meter == address || meter_reading > MAX_READING {
            return Err(SharingError::InvalidInput);
        }
        if address != *admin {
            address.require_auth();
        }
        prosumer.meter_start = meter_reading;
        prosumer.meter_reading = meter_reading;
        prosumer.energy_sold_kwh = 0;
    } else if prosumer.meter.is_none() {
        return Ok(());
    }
    prosumer.meter = meter;
    storage::write_prosumer(env, &address, &mut prosumer);
    MeterRegistered {
        prosumer: address,
        meter: prosumer.meter,
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
    let mut seller = Prosumer::default();
    storage::read_prosumer(env, &provider, &mut seller)?;
    let mut buyer = Prosumer::default();
    storage::read_prosumer(env, &consumer, &mut buyer)?;
    if energy_amount_kwh == 0 || price_per_kwh == 0 || delivery_deadline == 0 {
        return Err(SharingError::InvalidInput);
    }
    if provider == consumer {
        return Err(SharingError::SelfSharingNotAllowed);
    }
    let mut agreement = Agreement::blank(env);
    let created_at = agreement.now;
    if delivery_deadline <= created_at {
        return Err(SharingError::DeliveryDeadlinePassed);
    }
    if delivery_deadline > created_at.saturating_add(MAX_TERM) {
        return Err(SharingError::InvalidInput);
    }
    let total_amount = energy_amount_kwh.checked_mul(price_per_kwh).ok_or(SharingError::AmountOverflow)?;
    seller.agreements = seller.agreements.saturating_add(1);
    if seller.agreements >= AGREEMENTS_PER_PROVIDER {
        return Err(SharingError::AmountOverflow);
    }

    agreement.id = seller.number.saturating_mul(AGREEMENTS_PER_PROVIDER).saturating_add(seller.agreements);
    agreement.provider = provider;
    agreement.consumer = consumer;
    agreement.energy_amount_kwh = energy_amount_kwh;
    agreement.price_per_kwh = price_per_kwh;
    agreement.created_at = created_at;
    agreement.delivery_deadline = delivery_deadline;
    agreement.provider_previous = seller.last_agreement.replace(agreement.id).unwrap_or_default();
    agreement.consumer_previous = buyer.last_agreement.replace(agreement.id).unwrap_or_default();
    storage::write_prosumer(env, &agreement.provider, &mut seller);
    storage::write_prosumer(env, &agreement.consumer, &mut buyer);
    storage::write_agreement(env, &mut agreement);
    AgreementCreated {
        agreement_id: agreement.id,
        provider: agreement.provider,
        consumer: agreement.consumer,
        energy_amount_kwh,
        price_per_kwh,
        total_amount,
        delivery_deadline,
        created_at,
    }
    .publish(env);
    Ok(agreement.id)
}

pub fn cancel_agreement(env: &Env, agreement_id: u64, canceller: Address) -> Result<(), SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    agreement.check_party(&canceller)?;
    if agreement.check_open(&agreement.state()).is_err() {
        return Err(SharingError::AgreementNotActive);
    }
    // The deposit is the provider's assurance until the deadline.
    if agreement.has(FUNDED) && canceller == agreement.consumer {
        return Err(SharingError::AgreementFunded);
    }

    agreement.flags |= CANCELLED;
    storage::write_agreement(env, &mut agreement);
    AgreementCancelled { agreement_id, provider: agreement.provider, consumer: agreement.consumer, canceller }
        .publish(env);
    Ok(())
}

pub fn deliver_energy(
    env: &Env,
    agreement_id: u64,
    energy_delivered_kwh: u64,
    meter_reading: u64,
    provider: Address,
) -> Result<u64, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    if provider != agreement.provider {
        return Err(SharingError::NotAuthorized);
    }
    let delivered_at = agreement.now;
    let state = agreement.state();
    agreement.check_open(&state)?;
    if energy_delivered_kwh == 0 {
        return Err(SharingError::InvalidInput);
    }
    if energy_delivered_kwh > agreement.remaining_kwh(&state) {
        return Err(SharingError::InsufficientEnergy);
    }
    let transaction_id = agreement.transaction_id(state.transactions);
    let last_reading =
        agreement.delivery(transaction_id.wrapping_sub(AGREEMENT_IDS)).map_or(0, |last| last.meter_reading);
    let reviewed = agreement.has(REVIEWED_DEPOSIT);
    let delivery =
        agreement.deliveries.get_mut(state.transactions as usize).ok_or(SharingError::TooManyTransactions)?;
    let mut seller = Prosumer::default();
    storage::read_prosumer(env, &provider, &mut seller)?;
    read_meter(&mut seller, last_reading, energy_delivered_kwh, meter_reading)?;
    seller.meter.as_ref().unwrap_or(&provider).require_auth();

    let metered = seller.meter.is_some() && !reviewed;
    delivery.energy_delivered_kwh = energy_delivered_kwh;
    delivery.energy_accepted_kwh = energy_delivered_kwh;
    delivery.meter_reading = meter_reading;
    delivery.delivered_at = delivered_at;
    delivery.changed_at = delivered_at;
    delivery.flags = if metered { METERED } else { 0 };
    let drawn = payment::draw_at_once(env, &mut agreement, transaction_id)?;
    storage::write_prosumer(env, &provider, &mut seller);
    storage::write_agreement(env, &mut agreement);
    EnergyDelivered {
        transaction_id,
        provider,
        consumer: agreement.consumer.clone(),
        agreement_id,
        energy_delivered_kwh,
        meter_reading,
        payment_amount: agreement.amount(energy_delivered_kwh),
        delivered_at,
        metered,
    }
    .publish(env);
    if drawn {
        payment::pay_at_once(env, &mut agreement, transaction_id)?;
    }
    Ok(transaction_id)
}

/// The meter rule: a reading never goes back, and nobody sells more than the meter has exported. Within an agreement a
/// reading is higher than the last, so that a call sent twice is not recorded twice; not where the register stands
/// below it: then a meter was exchanged.
fn read_meter(
    seller: &mut Prosumer,
    last_reading: u64,
    energy_kwh: u64,
    meter_reading: u64,
) -> Result<(), SharingError> {
    let sent_twice = meter_reading <= last_reading && last_reading <= seller.meter_reading;
    let sold_kwh = seller.energy_sold_kwh.saturating_add(energy_kwh);
    if sent_twice
        || meter_reading < seller.meter_reading
        || meter_reading > MAX_READING
        || sold_kwh > meter_reading.saturating_sub(seller.meter_start)
    {
        return Err(SharingError::InvalidMeterReading);
    }
    seller.meter_reading = meter_reading;
    seller.energy_sold_kwh = sold_kwh;
    Ok(())
}

pub fn get_prosumer(env: &Env, address: &Address) -> Result<Prosumer, SharingError> {
    let mut prosumer = Prosumer::default();
    storage::read_prosumer(env, address, &mut prosumer)?;
    Ok(prosumer)
}

pub fn get_agreement(env: &Env, agreement_id: u64) -> Result<EnergyAgreement, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    Ok(agreement.to_record())
}

pub fn get_agreement_state(env: &Env, agreement_id: u64) -> Result<AgreementState, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    Ok(agreement.state())
}

pub fn get_transaction(env: &Env, transaction_id: u64) -> Result<EnergyTransaction, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_transaction(env, transaction_id, &mut agreement)?;
    agreement.to_transaction(transaction_id)
}

pub fn get_transaction_state(env: &Env, transaction_id: u64) -> Result<TransactionState, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_transaction(env, transaction_id, &mut agreement)?;
    Ok(agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?.state())
}

pub fn get_agreement_transactions(env: &Env, agreement_id: u64) -> Result<Vec<EnergyTransaction>, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    let mut transactions = Vec::from_slice(env, &[]);
    put_before(&mut transactions, &agreement);
    Ok(transactions)
}

pub fn get_transaction_history(env: &Env, address: &Address) -> Result<Vec<EnergyTransaction>, SharingError> {
    let mut prosumer = Prosumer::default();
    storage::read_prosumer(env, address, &mut prosumer)?;
    let mut next = prosumer.last_agreement.unwrap_or_default();
    let mut history = Vec::from_slice(env, &[]);
    while next != 0 {
        let mut agreement = Agreement::blank(env);
        storage::read_agreement(env, next, &mut agreement)?;
        put_before(&mut history, &agreement);
        next = agreement.previous(address);
    }
    Ok(history)
}

/// Puts an agreement's transactions before those of newer ones.
fn put_before(newer: &mut Vec<EnergyTransaction>, agreement: &Agreement) {
    for n in 0..MAX_TRANSACTIONS {
        if let Ok(transaction) = agreement.to_transaction(agreement.transaction_id(n.into())) {
            newer.insert(n, transaction);
        }
    }
}

pub fn get_agreement_page(
    env: &Env,
    address: &Address,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<EnergyAgreement>, SharingError> {
    let mut prosumer = Prosumer::default();
    storage::read_prosumer(env, address, &mut prosumer)?;
    let mut next = prosumer.last_agreement.unwrap_or_default();
    if let Some(id) = before {
        let mut agreement = Agreement::blank(env);
        storage::read_agreement(env, id, &mut agreement)?;
        agreement.check_party(address).map_err(|_| SharingError::AgreementNotFound)?;
        next = agreement.previous(address);
    }
    let mut page = Vec::from_slice(env, &[]);
    for n in 0..limit.min(MAX_PAGE) {
        if next == 0 {
            break;
        }
        let mut agreement = Agreement::blank(env);
        storage::read_agreement(env, next, &mut agreement)?;
        page.insert(n, agreement.to_record());
        next = agreement.previous(address);
    }
    Ok(page)
}
