//! The life of the money: deposits, settlement, disputes and refunds. The only file that calls the token.
//!
//! State is written before tokens move, and an error rolls it back.

use soroban_sdk::{token::TokenClient, xdr::ToXdr, Address, Env};

use crate::utils::events::{AgreementFunded, DisputeResolved, EscrowRefunded, PaymentSettled, TransactionDisputed};
use crate::utils::records::{
    Agreement, Delivery, AGREEMENT_IDS, ARBITRATION_PERIOD, DISPUTED, FUNDED, METERED, METERED_DEPOSIT, PAID_AT_ONCE,
    REVIEWED_DEPOSIT, RULED, SETTLED,
};
use crate::utils::{storage, Prosumer, SharingError};

pub fn fund_agreement(env: &Env, agreement_id: u64, consumer: Address) -> Result<(), SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    if consumer != agreement.consumer {
        return Err(SharingError::NotAuthorized);
    }
    let state = agreement.state();
    agreement.check_open(&state)?;
    if agreement.has(FUNDED) {
        return Err(SharingError::AgreementFunded);
    }
    // Its consumer could not have reviewed a delivery for which the deposit would fall due at once.
    if state.transactions > 0 {
        return Err(SharingError::DeliveryStarted);
    }

    let mut provider = Prosumer::default();
    storage::read_prosumer(env, &agreement.provider, &mut provider)?;
    agreement.flags |= if provider.meter.is_some() { METERED_DEPOSIT } else { REVIEWED_DEPOSIT };
    agreement.escrow_amount = agreement.amount(agreement.energy_amount_kwh);
    storage::write_agreement(env, &mut agreement);
    let before = balance(env)?;
    transfer(env, &consumer, &env.current_contract_address(), agreement.escrow_amount)?;
    // A token that takes a fee, or moves nothing, would have other people's deposits pay for this one.
    if balance(env)?.checked_sub(before) != Some(agreement.escrow_amount.into()) {
        return Err(SharingError::PaymentFailed);
    }
    AgreementFunded {
        agreement_id,
        deposit: agreement.state().deposit,
        escrow_amount: agreement.escrow_amount,
        provider: agreement.provider,
        consumer,
    }
    .publish(env);
    Ok(())
}

pub fn settle_payment(env: &Env, transaction_id: u64, settler: Address) -> Result<(), SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_transaction(env, transaction_id, &mut agreement)?;
    agreement.check_party(&settler)?;
    agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?.check_unsettled()?;
    settle(env, &mut agreement, transaction_id, transaction_id, settler).map(|_| ())
}

pub fn settle_agreement(env: &Env, agreement_id: u64, through: u64, settler: Address) -> Result<u64, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    agreement.check_party(&settler)?;
    agreement.delivery(through).ok_or(SharingError::TransactionNotFound)?;
    settle(env, &mut agreement, agreement_id, through, settler)
}

/// Pays, with one transfer, those from one transaction through another that the settler can settle now.
fn settle(
    env: &Env,
    agreement: &mut Agreement,
    from: u64,
    through: u64,
    settler: Address,
) -> Result<u64, SharingError> {
    let (now, from_deposit) = (agreement.now, agreement.has(FUNDED));
    let reviewed = from_deposit && settler == agreement.provider;
    let (mut energy_kwh, mut settled, mut error) = (0_u64, 0_u64, SharingError::NothingToSettle);
    // A bit for each that is settled now.
    let bit = |id| 1_u64.unbounded_shl((id / AGREEMENT_IDS) as u32);
    let mut id = from;
    while id <= through {
        let delivery = agreement.delivery(id).ok_or(SharingError::TransactionNotFound)?;
        if delivery.check_unsettled().is_ok() {
            if reviewed && now < delivery.provider_settles_from() {
                error = SharingError::ReviewPeriodOpen;
            } else {
                delivery.flags |= SETTLED;
                delivery.changed_at = now;
                energy_kwh = energy_kwh.saturating_add(delivery.energy_accepted_kwh);
                settled |= bit(id);
            }
        }
        id = id.saturating_add(AGREEMENT_IDS);
    }
    if settled == 0 {
        return Err(error);
    }

    let amount = agreement.amount(energy_kwh);
    let payer = if from_deposit {
        agreement.escrow_amount = agreement.escrow_amount.saturating_sub(amount);
        env.current_contract_address()
    } else {
        if settler != agreement.consumer {
            agreement.consumer.require_auth();
        }
        agreement.consumer.clone()
    };
    storage::write_agreement(env, agreement);
    transfer(env, &payer, &agreement.provider, amount)?;
    id = from;
    while id <= through {
        if settled & bit(id) != 0 {
            publish_settled(env, agreement, id, settler.clone())?;
        }
        id = id.saturating_add(AGREEMENT_IDS);
    }
    Ok(amount)
}

/// Marks a metered delivery as paid if its deposit can be drawn on at once: it is written like that before
/// `pay_at_once` calls the token.
pub fn draw_at_once(env: &Env, agreement: &mut Agreement, transaction_id: u64) -> Result<bool, SharingError> {
    let from_deposit = agreement.has(METERED_DEPOSIT);
    let delivery = agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?;
    // Reading the balance counts it among the bytes that the call declares, even if the transfer writes it and then
    // fails: see `pay_at_once`.
    if !from_deposit || !delivery.has(METERED) || balance(env).is_err() {
        return Ok(false);
    }
    delivery.flags |= PAID_AT_ONCE;
    let energy_kwh = delivery.energy_delivered_kwh;
    agreement.escrow_amount = agreement.escrow_amount.saturating_sub(agreement.amount(energy_kwh));
    Ok(true)
}

/// Pays a delivery that was drawn at once. Where the token refuses, it is settled later as any other: a provider who
/// cannot receive does not stop its meter.
pub fn pay_at_once(env: &Env, agreement: &mut Agreement, transaction_id: u64) -> Result<(), SharingError> {
    let energy_kwh = agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?.energy_accepted_kwh;
    let amount = agreement.amount(energy_kwh);
    if transfer(env, &env.current_contract_address(), &agreement.provider, amount).is_ok() {
        return publish_settled(env, agreement, transaction_id, agreement.provider.clone());
    }
    agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?.flags = METERED;
    agreement.escrow_amount = agreement.escrow_amount.saturating_add(amount);
    storage::write_agreement(env, agreement);
    Ok(())
}

fn publish_settled(
    env: &Env,
    agreement: &mut Agreement,
    transaction_id: u64,
    settler: Address,
) -> Result<(), SharingError> {
    let Delivery { changed_at: settled_at, energy_accepted_kwh: energy_kwh, .. } =
        *agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?;
    PaymentSettled {
        transaction_id,
        provider: agreement.provider.clone(),
        consumer: agreement.consumer.clone(),
        agreement_id: agreement.id,
        payment_amount: agreement.amount(energy_kwh),
        settled_at,
        settler,
    }
    .publish(env);
    Ok(())
}

pub fn dispute_transaction(env: &Env, transaction_id: u64, disputer: Address) -> Result<(), SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_transaction(env, transaction_id, &mut agreement)?;
    agreement.check_party(&disputer)?;
    let disputed_at = agreement.now;
    let delivery = agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?;
    delivery.check_unsettled()?;
    if delivery.has(RULED) {
        return Err(SharingError::DisputeAlreadyResolved);
    }

    delivery.flags |= DISPUTED;
    delivery.changed_at = disputed_at;
    storage::write_agreement(env, &mut agreement);
    TransactionDisputed {
        transaction_id,
        provider: agreement.provider,
        consumer: agreement.consumer,
        agreement_id: agreement.id,
        disputed_at,
        disputer,
    }
    .publish(env);
    Ok(())
}

pub fn resolve_dispute(
    env: &Env,
    transaction_id: u64,
    energy_accepted_kwh: u64,
    resolver: Address,
) -> Result<(), SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_transaction(env, transaction_id, &mut agreement)?;
    let delivery = agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?;
    delivery.check_disputed()?;
    let energy_delivered_kwh = delivery.energy_delivered_kwh;
    // A party gives away alone what is its own; for the rest the other party signs too.
    let second = if resolver == agreement.consumer {
        (energy_accepted_kwh != energy_delivered_kwh).then_some(&agreement.provider)
    } else if resolver == agreement.provider {
        (energy_accepted_kwh != 0).then_some(&agreement.consumer)
    } else if resolver == storage::admin(env)? {
        None
    } else {
        return Err(SharingError::NotAuthorized);
    };
    if energy_accepted_kwh > energy_delivered_kwh {
        return Err(SharingError::InvalidInput);
    }
    if let Some(second) = second {
        second.require_auth();
    }
    rule(env, &mut agreement, transaction_id, energy_accepted_kwh, Some(resolver))
}

pub fn close_dispute(env: &Env, transaction_id: u64) -> Result<(), SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_transaction(env, transaction_id, &mut agreement)?;
    let now = agreement.now;
    let delivery = agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?;
    delivery.check_disputed()?;
    if now < delivery.changed_at.saturating_add(ARBITRATION_PERIOD) {
        return Err(SharingError::ArbitrationPeriodOpen);
    }
    let energy_accepted_kwh = if delivery.has(METERED) { delivery.energy_delivered_kwh } else { 0 };
    rule(env, &mut agreement, transaction_id, energy_accepted_kwh, None)
}

/// Ends a dispute for good.
fn rule(
    env: &Env,
    agreement: &mut Agreement,
    transaction_id: u64,
    energy_accepted_kwh: u64,
    resolver: Option<Address>,
) -> Result<(), SharingError> {
    let ruled_at = agreement.now;
    let settled_at = (energy_accepted_kwh == 0).then_some(ruled_at);
    let delivery = agreement.delivery(transaction_id).ok_or(SharingError::TransactionNotFound)?;
    delivery.energy_accepted_kwh = energy_accepted_kwh;
    delivery.changed_at = ruled_at;
    delivery.flags = delivery.flags & METERED | RULED | if energy_accepted_kwh == 0 { SETTLED } else { 0 };
    storage::write_agreement(env, agreement);
    DisputeResolved {
        transaction_id,
        provider: agreement.provider.clone(),
        consumer: agreement.consumer.clone(),
        agreement_id: agreement.id,
        energy_accepted_kwh,
        payment_amount: agreement.amount(energy_accepted_kwh),
        settled_at,
        resolver,
    }
    .publish(env);
    Ok(())
}

pub fn claim_refund(env: &Env, agreement_id: u64) -> Result<u64, SharingError> {
    let mut agreement = Agreement::blank(env);
    storage::read_agreement(env, agreement_id, &mut agreement)?;
    let refund_amount = agreement.surplus();
    if refund_amount == 0 {
        return Err(SharingError::NothingToRefund);
    }

    agreement.escrow_amount = agreement.escrow_amount.saturating_sub(refund_amount);
    storage::write_agreement(env, &mut agreement);
    transfer(env, &env.current_contract_address(), &agreement.consumer, refund_amount)?;
    EscrowRefunded {
        agreement_id,
        provider: agreement.provider,
        consumer: agreement.consumer,
        refund_amount,
        escrow_amount: agreement.escrow_amount,
    }
    .publish(env);
    Ok(refund_amount)
}

/// A token is a contract that knows its decimals. Calling an account would trap, so the kind of the address is looked
/// at first: in XDR a contract's begins with the type of the value (18) and the type of the address (1), 4 bytes each.
pub fn check_token(env: &Env, token_contract: &Address) -> Result<(), SharingError> {
    if token_contract.to_xdr(env).get(7) == Some(1) {
        if let Ok(Ok(_)) = TokenClient::new(env, token_contract).try_decimals() {
            return Ok(());
        }
    }
    Err(SharingError::InvalidInput)
}

fn transfer(env: &Env, from: &Address, to: &Address, amount: u64) -> Result<(), SharingError> {
    match TokenClient::new(env, &storage::token(env)?).try_transfer(from, to, &amount.into()) {
        Ok(Ok(())) => Ok(()),
        _ => Err(SharingError::PaymentFailed),
    }
}

/// What the contract holds of the token.
fn balance(env: &Env) -> Result<i128, SharingError> {
    match TokenClient::new(env, &storage::token(env)?).try_balance(&env.current_contract_address()) {
        Ok(Ok(balance)) => Ok(balance),
        _ => Err(SharingError::PaymentFailed),
    }
}
