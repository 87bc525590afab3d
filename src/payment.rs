//! The life of the money: deposits, settlement, disputes and refunds. The only file that calls the token.
//!
//! Records and events are written before tokens move, and an error undoes both. `pay_at_once` alone is different: its
//! events follow the transfer, since there a refusal is no error of the call.

use soroban_sdk::{token::TokenClient, Address, Env};

use crate::utils::events::{AgreementFunded, DisputeResolved, EscrowRefunded, PaymentSettled, TransactionDisputed};
use crate::utils::packed::is_contract;
use crate::utils::records::{Agreement, Outcome, ARBITRATION_PERIOD, TRANSACTION_STEP};
use crate::utils::{storage, Deposit, SharingError};

pub fn fund_agreement(env: &Env, agreement_id: u64, consumer: Address, deposit: Deposit) -> Result<(), SharingError> {
    if deposit == Deposit::None {
        return Err(SharingError::InvalidInput);
    }
    let mut agreement = storage::agreement(env, agreement_id);
    if consumer != agreement.consumer {
        return Err(SharingError::NotAuthorized);
    }
    agreement.check_open()?;
    if agreement.is_funded() {
        return Err(SharingError::AgreementFunded);
    }
    // The review of what was delivered may be over, and a deposit would pay it before its consumer has looked at it.
    if agreement.state().transactions > 0 {
        return Err(SharingError::DeliveryStarted);
    }
    if deposit == Deposit::Metered && storage::prosumer(env, &agreement.provider).meter.is_none() {
        return Err(SharingError::MeterNotCertified);
    }

    let total_amount = agreement.amount(agreement.energy_amount_kwh);
    agreement.deposit = deposit;
    agreement.escrow_amount = total_amount;
    storage::set_agreement(env, &agreement);
    AgreementFunded {
        agreement_id,
        provider: agreement.provider,
        consumer: consumer.clone(),
        escrow_amount: total_amount,
        deposit,
    }
    .publish(env);
    let before = balance(env)?;
    transfer(env, &consumer, &env.current_contract_address(), total_amount)?;
    // With a token that takes a fee, or moves nothing, other people's deposits would pay for this one.
    if balance(env)?.checked_sub(before) != Some(total_amount.into()) {
        return Err(SharingError::PaymentFailed);
    }
    Ok(())
}

pub fn settle_payment(env: &Env, transaction_id: u64, settler: Address) -> Result<(), SharingError> {
    let mut agreement = storage::agreement_of(env, transaction_id);
    agreement.check_party(&settler)?;
    agreement.transaction(transaction_id)?.check_unsettled()?;
    settle(env, agreement, transaction_id, transaction_id, settler)?;
    Ok(())
}

pub fn settle_agreement(env: &Env, agreement_id: u64, through: u64, settler: Address) -> Result<u64, SharingError> {
    let mut agreement = storage::agreement(env, agreement_id);
    agreement.check_party(&settler)?;
    agreement.transaction(through)?;
    settle(env, agreement, agreement_id, through, settler)
}

/// Pays, with one transfer, all transactions from `from` to `through` that the settler can settle now.
fn settle(env: &Env, mut agreement: Agreement, from: u64, through: u64, settler: Address) -> Result<u64, SharingError> {
    let (now, is_funded) = (agreement.now, agreement.is_funded());
    let needs_review = is_funded && settler == agreement.provider;
    let (mut amount, mut error) = (0, SharingError::NothingToSettle);
    let mut id = from;
    while id <= through {
        let transaction = agreement.transaction(id)?;
        if transaction.check_unsettled().is_ok() {
            if needs_review && now < transaction.provider_settles_from() {
                error = SharingError::ReviewPeriodOpen;
            } else {
                transaction.outcome = Outcome::Settled { at: now };
                let energy_kwh = transaction.energy_accepted_kwh;
                amount += agreement.amount(energy_kwh);
                publish_settled(env, &agreement, id, energy_kwh, settler.clone());
            }
        }
        id += TRANSACTION_STEP;
    }
    // Whatever can be settled has a payment of at least 1.
    if amount == 0 {
        return Err(error);
    }

    let payer = if is_funded {
        agreement.escrow_amount -= amount;
        env.current_contract_address()
    } else {
        if settler != agreement.consumer {
            agreement.consumer.require_auth();
        }
        agreement.consumer.clone()
    };
    storage::set_agreement(env, &agreement);
    transfer(env, &payer, &agreement.provider, amount)?;
    Ok(amount)
}

/// Pays for a delivery in the call that records it, from the deposit of the agreement, to which it was added already.
/// Answers false where the token refuses: then the caller writes the agreement with the delivery unpaid.
pub fn pay_at_once(env: &Env, agreement: &mut Agreement, energy_kwh: u64) -> bool {
    // A simulation counts the bytes of an entry only if a frame that succeeds has read it. So the balance is read here:
    // without that, a call whose transfer writes it and then fails declares too few bytes, and is never applied.
    if balance(env).is_err() {
        return false;
    }
    let amount = agreement.amount(energy_kwh);
    agreement.escrow_amount -= amount;
    storage::set_agreement(env, agreement);
    transfer(env, &env.current_contract_address(), &agreement.provider, amount).is_ok()
}

pub fn publish_settled(env: &Env, agreement: &Agreement, transaction_id: u64, energy_kwh: u64, settler: Address) {
    PaymentSettled {
        transaction_id,
        provider: agreement.provider.clone(),
        consumer: agreement.consumer.clone(),
        agreement_id: agreement.id,
        payment_amount: agreement.amount(energy_kwh),
        settled_at: agreement.now,
        settler,
    }
    .publish(env);
}

pub fn dispute_transaction(env: &Env, transaction_id: u64, disputer: Address) -> Result<(), SharingError> {
    let mut agreement = storage::agreement_of(env, transaction_id);
    agreement.check_party(&disputer)?;
    let (disputed_at, deposit) = (agreement.now, agreement.deposit);
    let transaction = agreement.transaction(transaction_id)?;
    transaction.check_unsettled()?;
    if transaction.ruled {
        return Err(SharingError::DisputeAlreadyResolved);
    }
    // Whoever submits the meter's call can make its payment fail, which must not open to dispute what was to be paid at
    // once (decision 6 in docs/decisions.md).
    if transaction.metered && deposit == Deposit::Metered {
        return Err(SharingError::DepositTrustsMeter);
    }

    transaction.outcome = Outcome::Disputed { since: disputed_at };
    storage::set_agreement(env, &agreement);
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
    let mut agreement = storage::agreement_of(env, transaction_id);
    let transaction = *agreement.transaction(transaction_id)?;
    transaction.disputed_at().ok_or(SharingError::TransactionNotDisputed)?;
    // A party alone gives away what is its own: the consumer pays all, the provider asks for nothing. Any other amount
    // needs the other party's signature too.
    let second = if resolver == agreement.consumer {
        (energy_accepted_kwh != transaction.energy_delivered_kwh).then_some(&agreement.provider)
    } else if resolver == agreement.provider {
        (energy_accepted_kwh != 0).then_some(&agreement.consumer)
    } else if resolver == storage::admin(env) {
        None
    } else {
        return Err(SharingError::NotAuthorized);
    };
    if energy_accepted_kwh > transaction.energy_delivered_kwh {
        return Err(SharingError::InvalidInput);
    }
    if let Some(second) = second {
        second.require_auth();
    }
    rule(env, agreement, transaction_id, energy_accepted_kwh, Some(resolver))
}

pub fn close_dispute(env: &Env, transaction_id: u64) -> Result<(), SharingError> {
    let mut agreement = storage::agreement_of(env, transaction_id);
    let transaction = *agreement.transaction(transaction_id)?;
    let disputed_at = transaction.disputed_at().ok_or(SharingError::TransactionNotDisputed)?;
    if agreement.now < disputed_at.saturating_add(ARBITRATION_PERIOD) {
        return Err(SharingError::ArbitrationPeriodOpen);
    }
    let energy_accepted_kwh = if transaction.metered { transaction.energy_delivered_kwh } else { 0 };
    rule(env, agreement, transaction_id, energy_accepted_kwh, None)
}

/// Ends a dispute, which cannot be opened again.
fn rule(
    env: &Env,
    mut agreement: Agreement,
    transaction_id: u64,
    energy_accepted_kwh: u64,
    resolver: Option<Address>,
) -> Result<(), SharingError> {
    let settled_at = (energy_accepted_kwh == 0).then_some(agreement.now);
    let transaction = agreement.transaction(transaction_id)?;
    transaction.energy_accepted_kwh = energy_accepted_kwh;
    transaction.ruled = true;
    transaction.outcome = settled_at.map_or(Outcome::Open, |at| Outcome::Settled { at });
    storage::set_agreement(env, &agreement);
    DisputeResolved {
        transaction_id,
        payment_amount: agreement.amount(energy_accepted_kwh),
        provider: agreement.provider,
        consumer: agreement.consumer,
        agreement_id: agreement.id,
        energy_accepted_kwh,
        settled_at,
        resolver,
    }
    .publish(env);
    Ok(())
}

pub fn claim_refund(env: &Env, agreement_id: u64) -> Result<u64, SharingError> {
    let mut agreement = storage::agreement(env, agreement_id);
    let refund_amount = agreement.surplus();
    if refund_amount == 0 {
        return Err(SharingError::NothingToRefund);
    }

    agreement.escrow_amount -= refund_amount;
    storage::set_agreement(env, &agreement);
    EscrowRefunded {
        agreement_id,
        provider: agreement.provider,
        consumer: agreement.consumer.clone(),
        refund_amount,
        escrow_amount: agreement.escrow_amount,
    }
    .publish(env);
    transfer(env, &env.current_contract_address(), &agreement.consumer, refund_amount)?;
    Ok(refund_amount)
}

/// A token is a contract that answers `decimals()`. To call an account would trap, so the kind of the address is checked
/// first.
pub fn check_token(env: &Env, token_contract: &Address) -> Result<(), SharingError> {
    if is_contract(env, token_contract) {
        if let Ok(Ok(_)) = TokenClient::new(env, token_contract).try_decimals() {
            return Ok(());
        }
    }
    Err(SharingError::InvalidInput)
}

fn transfer(env: &Env, from: &Address, to: &Address, amount: u64) -> Result<(), SharingError> {
    match TokenClient::new(env, &storage::token(env)).try_transfer(from, to, &amount.into()) {
        Ok(Ok(())) => Ok(()),
        _ => Err(SharingError::PaymentFailed),
    }
}

/// What the contract holds of the token.
fn balance(env: &Env) -> Result<i128, SharingError> {
    match TokenClient::new(env, &storage::token(env)).try_balance(&env.current_contract_address()) {
        Ok(Ok(balance)) => Ok(balance),
        _ => Err(SharingError::PaymentFailed),
    }
}
