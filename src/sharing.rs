//! The life of the energy: the operator, prosumers, meters, agreements, deliveries and their history.

use soroban_sdk::{Address, Env, Vec};

use crate::payment;
use crate::utils::events::{
    AdminChanged, AgreementCancelled, AgreementCreated, EnergyDelivered, Initialized, MeterRegistered,
    ProsumerRegistered,
};
use crate::utils::packed::can_pack;
use crate::utils::records::{
    Agreement, Outcome, Transaction, AGREEMENTS_PER_PROVIDER, MAX_POWER, MAX_PROSUMERS, MAX_READING, MAX_TRANSACTIONS,
};
use crate::utils::{
    storage, AgreementEntry, AgreementStatus, Deposit, EnergyTransaction, Prosumer, SharingError, TransactionState,
};

/// The furthest deadline is a leap year ahead. So milliseconds that are given for seconds are refused, and deposits that
/// would be locked for years.
pub const MAX_TERM: u64 = 366 * 24 * 60 * 60;

const SECONDS_PER_HOUR: u64 = 60 * 60;

/// The most agreements of a page: an answer must fit the network's 16,384 bytes of events and return value. An
/// `AgreementEntry` takes 632 at most, 368 of them its `EnergyAgreement`: (16,384 - 12) / 632 = 25.9.
pub const MAX_PAGE: u32 = 25;

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
    if storage::is_registered(env, &address) {
        return Ok(());
    }
    if !can_pack(env, &address) {
        return Err(SharingError::InvalidInput);
    }
    let number = storage::prosumer_count(env);
    if number >= MAX_PROSUMERS {
        return Err(SharingError::AmountOverflow);
    }

    storage::set_prosumer_count(env, number + 1);
    storage::set_prosumer(env, &address, &Prosumer { number, ..Prosumer::default() });
    ProsumerRegistered { prosumer: address, number }.publish(env);
    Ok(())
}

pub fn register_meter(
    env: &Env,
    admin: &Address,
    address: Address,
    meter: Option<Address>,
    meter_reading: u64,
    max_power_kw: u64,
) -> Result<(), SharingError> {
    let mut prosumer = storage::prosumer(env, &address);
    if let Some(meter) = &meter {
        if *meter == address
            || !can_pack(env, meter)
            || meter_reading > MAX_READING
            || max_power_kw == 0
            || max_power_kw > MAX_POWER
        {
            return Err(SharingError::InvalidInput);
        }
        if address != *admin {
            address.require_auth();
        }
        prosumer.max_power_kw = max_power_kw;
        prosumer.meter_start = meter_reading;
        prosumer.meter_reading = meter_reading;
        prosumer.read_at = env.ledger().timestamp();
        prosumer.energy_sold_kwh = 0;
    } else if prosumer.meter.is_some() {
        prosumer.max_power_kw = 0;
    } else {
        return Ok(());
    }

    prosumer.meter = meter;
    storage::set_prosumer(env, &address, &prosumer);
    MeterRegistered {
        prosumer: address,
        meter: prosumer.meter,
        max_power_kw: prosumer.max_power_kw,
        meter_start: prosumer.meter_start,
        meter_reading: prosumer.meter_reading,
        read_at: prosumer.read_at,
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
    let mut seller = storage::prosumer(env, &provider);
    let mut buyer = storage::prosumer(env, &consumer);
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
    if delivery_deadline - created_at > MAX_TERM {
        return Err(SharingError::InvalidInput);
    }
    let total_amount = energy_amount_kwh.wrapping_mul(price_per_kwh);
    if total_amount / energy_amount_kwh != price_per_kwh {
        return Err(SharingError::AmountOverflow);
    }
    seller.agreements += 1;
    if seller.agreements >= AGREEMENTS_PER_PROVIDER {
        return Err(SharingError::AmountOverflow);
    }

    let id = seller.number.wrapping_mul(AGREEMENTS_PER_PROVIDER) + seller.agreements;
    let mut agreement = Agreement::new(env, id, provider, consumer);
    agreement.energy_amount_kwh = energy_amount_kwh;
    agreement.price_per_kwh = price_per_kwh;
    agreement.created_at = created_at;
    agreement.delivery_deadline = delivery_deadline;
    agreement.provider_previous = seller.last_agreement.replace(id).unwrap_or_default();
    agreement.consumer_previous = buyer.last_agreement.replace(id).unwrap_or_default();
    storage::set_prosumer(env, &agreement.provider, &seller);
    storage::set_prosumer(env, &agreement.consumer, &buyer);
    storage::set_agreement(env, &agreement);
    AgreementCreated {
        agreement_id: id,
        provider: agreement.provider,
        consumer: agreement.consumer,
        energy_amount_kwh,
        price_per_kwh,
        total_amount,
        delivery_deadline,
        created_at,
    }
    .publish(env);
    Ok(id)
}

pub fn cancel_agreement(env: &Env, agreement_id: u64, canceller: Address) -> Result<(), SharingError> {
    let mut agreement = storage::agreement(env, agreement_id);
    agreement.check_party(&canceller)?;
    if agreement.status() != AgreementStatus::Active {
        return Err(SharingError::AgreementNotActive);
    }
    // The deposit is the provider's assurance until the deadline.
    if agreement.is_funded() && canceller == agreement.consumer {
        return Err(SharingError::AgreementFunded);
    }

    agreement.cancelled = true;
    storage::set_agreement(env, &agreement);
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
    let mut agreement = storage::agreement(env, agreement_id);
    if provider != agreement.provider {
        return Err(SharingError::NotAuthorized);
    }
    agreement.check_open()?;
    if energy_delivered_kwh == 0 {
        return Err(SharingError::InvalidInput);
    }
    if energy_delivered_kwh > agreement.remaining_kwh() {
        return Err(SharingError::InsufficientEnergy);
    }
    let mut seller = storage::prosumer(env, &provider);
    let delivered_at = agreement.now;
    let metered = seller.meter.is_some() && agreement.deposit != Deposit::Reviewed;
    let at_once = metered && agreement.deposit == Deposit::Metered;
    let mut delivery = Transaction {
        energy_delivered_kwh,
        energy_accepted_kwh: energy_delivered_kwh,
        meter_reading,
        delivered_at,
        metered,
        ruled: false,
        outcome: if at_once { Outcome::PaidAtOnce } else { Outcome::Open },
    };
    let before = agreement.clone();
    let mut transaction_id = agreement.add(delivery)?;
    read_meter(&mut seller, delivered_at, before.last_reading(), energy_delivered_kwh, meter_reading)?;
    seller.meter.as_ref().unwrap_or(&provider).require_auth();

    storage::set_prosumer(env, &provider, &seller);
    let is_paid = at_once && payment::pay_at_once(env, &mut agreement, energy_delivered_kwh);
    if at_once && !is_paid {
        // It becomes a transaction of its own, to be settled later: who cannot receive does not stop the meter.
        delivery.outcome = Outcome::Open;
        agreement = before;
        transaction_id = agreement.add(delivery)?;
    }
    if !is_paid {
        storage::set_agreement(env, &agreement);
    }
    EnergyDelivered {
        transaction_id,
        provider: provider.clone(),
        consumer: agreement.consumer.clone(),
        agreement_id,
        energy_delivered_kwh,
        meter_reading,
        payment_amount: agreement.amount(energy_delivered_kwh),
        delivered_at,
        metered,
    }
    .publish(env);
    if is_paid {
        payment::publish_settled(env, &agreement, transaction_id, energy_delivered_kwh, provider);
    }
    Ok(transaction_id)
}

/// Holds a reading to the meter rule, and enters it into the seller's register. `last_reading` is the agreement's.
fn read_meter(
    seller: &mut Prosumer,
    now: u64,
    last_reading: u64,
    energy_kwh: u64,
    meter_reading: u64,
) -> Result<(), SharingError> {
    let goes_back = meter_reading < seller.meter_reading;
    let too_high = meter_reading > MAX_READING;
    // A register below the agreement's last reading was certified anew since then, and counts from there.
    let exchanged = seller.meter_reading < last_reading;
    // A call that is sent again after a time-out must not be recorded, and paid, twice.
    let sent_twice = meter_reading <= last_reading && !exchanged;
    if goes_back || too_high || sent_twice {
        return Err(SharingError::InvalidMeterReading);
    }
    let sold_kwh = seller.energy_sold_kwh.saturating_add(energy_kwh);
    if sold_kwh > meter_reading - seller.meter_start {
        return Err(SharingError::InvalidMeterReading);
    }
    if meter_reading > seller.meter_reading {
        seller.read_at = read_at(seller, now, meter_reading - seller.meter_reading)?;
    }
    seller.meter_reading = meter_reading;
    seller.energy_sold_kwh = sold_kwh;
    Ok(())
}

/// The time from which a register's next growth counts, after it has risen by `exported_kwh`. That is now or, if it is
/// later, when a certified plant at full power has exported this: the last kWh may come before its time, since the
/// reading before hid a fraction, but not one with each call (decision 7 in docs/decisions.md).
fn read_at(seller: &Prosumer, now: u64, exported_kwh: u64) -> Result<u64, SharingError> {
    if seller.meter.is_none() {
        return Ok(now);
    }
    let exported_by =
        |kwh: u64| seller.read_at.saturating_add(kwh.wrapping_mul(SECONDS_PER_HOUR).div_ceil(seller.max_power_kw));
    if now < exported_by(exported_kwh - 1) {
        return Err(SharingError::InvalidMeterReading);
    }
    Ok(now.max(exported_by(exported_kwh)))
}

pub fn get_agreement_transactions(env: &Env, agreement_id: u64) -> Vec<EnergyTransaction> {
    let mut transactions = Vec::new(env);
    put_first(&mut transactions, storage::agreement(env, agreement_id));
    transactions
}

pub fn get_transaction_states(env: &Env, agreement_id: u64) -> Vec<TransactionState> {
    let mut states = Vec::new(env);
    for transaction in storage::agreement(env, agreement_id).existing() {
        states.push_back(transaction.state());
    }
    states
}

pub fn get_transaction_history(env: &Env, address: &Address) -> Vec<EnergyTransaction> {
    let mut next = storage::prosumer(env, address).last_agreement.unwrap_or_default();
    let mut history = Vec::new(env);
    while next != 0 {
        let agreement = storage::agreement(env, next);
        next = agreement.previous(address);
        put_first(&mut history, agreement);
    }
    history
}

/// Puts an agreement's transactions before those of newer agreements.
fn put_first(newer: &mut Vec<EnergyTransaction>, mut agreement: Agreement) {
    for n in 0..MAX_TRANSACTIONS {
        if let Ok(transaction) = agreement.transaction_record(agreement.transaction_id(n.into())) {
            newer.insert(n, transaction);
        }
    }
}

pub fn get_agreement_page(
    env: &Env,
    address: &Address,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<AgreementEntry>, SharingError> {
    let mut next = storage::prosumer(env, address).last_agreement.unwrap_or_default();
    if let Some(id) = before {
        let agreement = storage::agreement(env, id);
        agreement.check_party(address).map_err(|_| SharingError::AgreementNotFound)?;
        next = agreement.previous(address);
    }
    let mut page = Vec::new(env);
    while next != 0 && page.len() < limit.min(MAX_PAGE) {
        let agreement = storage::agreement(env, next);
        page.push_back(agreement.to_entry());
        next = agreement.previous(address);
    }
    Ok(page)
}
