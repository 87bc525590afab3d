//! The life of the money: deposits, settlement, disputes and refunds. The only file that calls the token.

use soroban_sdk::{token::TokenClient, Address, Env, Executable};

use crate::utils::events::{AgreementFunded, DisputeResolved, EscrowRefunded, PaymentSettled, TransactionDisputed};
use crate::utils::storage::{self, Agreement, Transaction};
use crate::utils::{add, sub, Config, EnergyTransaction, SharingError, TransactionState, TransactionStatus};

/// How long a consumer can look at a delivery that no meter signed before its provider may draw on the deposit: 24 hours.
pub const REVIEW_PERIOD: u64 = 24 * 60 * 60;

/// How long a dispute waits for a ruling before anyone may close it: 30 days.
pub const ARBITRATION_PERIOD: u64 = 30 * 24 * 60 * 60;

impl Agreement {
    /// What the escrow holds beyond what may still fall due.
    fn surplus(&self, now: u64) -> u64 {
        let undelivered = match self.check_open(now) {
            Ok(()) => self.remaining_kwh().saturating_mul(self.price_per_kwh),
            Err(_) => 0,
        };
        self.state.escrow_amount.saturating_sub(self.state.pending_amount.saturating_add(undelivered))
    }
}

impl Transaction {
    /// Fits: it is a part of the agreement's total.
    pub fn payment_amount(&self, agreement: &Agreement) -> u64 {
        self.energy_accepted_kwh.unwrap_or(self.energy_delivered_kwh).saturating_mul(agreement.price_per_kwh)
    }

    pub fn into_record(self, agreement: Agreement) -> EnergyTransaction {
        EnergyTransaction {
            transaction_id: self.id,
            agreement_id: self.agreement_id,
            payment_amount: self.payment_amount(&agreement),
            provider: agreement.provider,
            consumer: agreement.consumer,
            energy_delivered_kwh: self.energy_delivered_kwh,
            meter_reading: self.meter_reading,
            delivered_at: self.delivered_at,
            settled_at: (self.status == TransactionStatus::Settled).then_some(self.status_since),
            status: self.status,
        }
    }

    pub fn state(&self) -> TransactionState {
        let ruled = self.energy_accepted_kwh.is_some();
        TransactionState {
            metered: self.metered,
            ruled,
            disputed_at: (self.status == TransactionStatus::Disputed).then_some(self.status_since),
            provider_settles_from: if self.metered || ruled { self.delivered_at } else { self.delivered_at.saturating_add(REVIEW_PERIOD) },
        }
    }

    fn check_unsettled(&self) -> Result<(), SharingError> {
        match self.status {
            TransactionStatus::Settled => Err(SharingError::TransactionAlreadySettled),
            TransactionStatus::Disputed => Err(SharingError::TransactionDisputed),
            _ => Ok(()),
        }
    }

    fn check_disputed(&self) -> Result<(), SharingError> {
        if self.status == TransactionStatus::Disputed {
            Ok(())
        } else {
            Err(SharingError::TransactionNotDisputed)
        }
    }
}

pub fn transaction_and_agreement(env: &Env, transaction_id: u64) -> Result<(Transaction, Agreement), SharingError> {
    let transaction = storage::transaction(env, transaction_id)?;
    let agreement = storage::agreement(env, transaction.agreement_id)?;
    Ok((transaction, agreement))
}

pub fn get_transaction(env: &Env, transaction_id: u64) -> Result<EnergyTransaction, SharingError> {
    let (transaction, agreement) = transaction_and_agreement(env, transaction_id)?;
    Ok(transaction.into_record(agreement))
}

pub fn fund_agreement(env: &Env, config: &Config, agreement_id: u64, consumer: Address) -> Result<(), SharingError> {
    let mut agreement = storage::agreement(env, agreement_id)?;
    if consumer != agreement.consumer {
        return Err(SharingError::NotAuthorized);
    }
    agreement.check_open(env.ledger().timestamp())?;
    if agreement.funded {
        return Err(SharingError::AgreementFunded);
    }
    // Its consumer could not have reviewed a delivery for which the deposit would fall due at once.
    if agreement.state.energy_delivered_kwh > 0 {
        return Err(SharingError::DeliveryStarted);
    }

    let escrow_amount = agreement.total_amount();
    agreement.funded = true;
    agreement.state.escrow_amount = escrow_amount;
    storage::set_agreement(env, &agreement);
    let before = balance(env, config)?;
    transfer(env, config, &consumer, &env.current_contract_address(), escrow_amount)?;
    // A token that takes a fee, or moves nothing, would have other people's deposits pay for this one.
    if balance(env, config)?.checked_sub(before) != Some(escrow_amount.into()) {
        return Err(SharingError::PaymentFailed);
    }
    AgreementFunded { agreement_id, provider: agreement.provider, consumer, escrow_amount }.publish(env);
    Ok(())
}

pub fn settle_payment(env: &Env, config: &Config, transaction_id: u64, settler: Address) -> Result<(), SharingError> {
    let (mut transaction, mut agreement) = transaction_and_agreement(env, transaction_id)?;
    agreement.check_party(&settler)?;
    transaction.check_unsettled()?;
    let settled_at = env.ledger().timestamp();
    let payment_amount = transaction.payment_amount(&agreement);
    let payer = if agreement.funded {
        if settler == agreement.provider && settled_at < transaction.state().provider_settles_from {
            return Err(SharingError::ReviewPeriodOpen);
        }
        agreement.state.escrow_amount = sub(agreement.state.escrow_amount, payment_amount)?;
        env.current_contract_address()
    } else {
        if settler != agreement.consumer {
            agreement.consumer.require_auth();
        }
        agreement.consumer.clone()
    };

    agreement.state.pending_amount = sub(agreement.state.pending_amount, payment_amount)?;
    transaction.status = TransactionStatus::Settled;
    transaction.status_since = settled_at;
    storage::set_agreement(env, &agreement);
    storage::set_transaction(env, &transaction);
    transfer(env, config, &payer, &agreement.provider, payment_amount)?;
    PaymentSettled {
        transaction_id,
        provider: agreement.provider,
        consumer: agreement.consumer,
        agreement_id: agreement.id,
        payment_amount,
        settled_at,
        settler,
    }
    .publish(env);
    Ok(())
}

pub fn dispute_transaction(env: &Env, transaction_id: u64, disputer: Address) -> Result<(), SharingError> {
    let (mut transaction, agreement) = transaction_and_agreement(env, transaction_id)?;
    agreement.check_party(&disputer)?;
    transaction.check_unsettled()?;
    if transaction.energy_accepted_kwh.is_some() {
        return Err(SharingError::DisputeAlreadyResolved);
    }

    let disputed_at = env.ledger().timestamp();
    transaction.status = TransactionStatus::Disputed;
    transaction.status_since = disputed_at;
    storage::set_transaction(env, &transaction);
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
    config: &Config,
    transaction_id: u64,
    energy_accepted_kwh: u64,
    resolver: Address,
) -> Result<(), SharingError> {
    let (transaction, agreement) = transaction_and_agreement(env, transaction_id)?;
    transaction.check_disputed()?;
    // A party gives away alone what is its own; for the rest the other party signs too.
    let second = if resolver == agreement.consumer {
        (energy_accepted_kwh != transaction.energy_delivered_kwh).then_some(&agreement.provider)
    } else if resolver == agreement.provider {
        (energy_accepted_kwh != 0).then_some(&agreement.consumer)
    } else if resolver == config.admin {
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
    rule(env, config, transaction, agreement, energy_accepted_kwh, Some(resolver))
}

pub fn close_dispute(env: &Env, config: &Config, transaction_id: u64) -> Result<(), SharingError> {
    let (transaction, agreement) = transaction_and_agreement(env, transaction_id)?;
    transaction.check_disputed()?;
    if env.ledger().timestamp() < transaction.status_since.saturating_add(ARBITRATION_PERIOD) {
        return Err(SharingError::ArbitrationPeriodOpen);
    }
    let energy_accepted_kwh = if transaction.metered { transaction.energy_delivered_kwh } else { 0 };
    rule(env, config, transaction, agreement, energy_accepted_kwh, None)
}

pub fn claim_refund(env: &Env, config: &Config, agreement_id: u64) -> Result<u64, SharingError> {
    refund(env, config, &mut storage::agreement(env, agreement_id)?)
}

/// Pays out a surplus if the token does so now; else it stays claimable, so that no consumer blocks its provider.
pub fn refund_if_possible(env: &Env, config: &Config, agreement: &mut Agreement) {
    let _ = refund(env, config, agreement);
}

/// A token is a contract that knows its decimals. Calling an account would trap, so its executable is looked at first.
pub fn check_token(env: &Env, token_contract: &Address) -> Result<(), SharingError> {
    match token_contract.executable() {
        Some(Executable::Wasm(_) | Executable::StellarAsset) => {}
        _ => return Err(SharingError::InvalidInput),
    }
    match TokenClient::new(env, token_contract).try_decimals() {
        Ok(Ok(_)) => Ok(()),
        _ => Err(SharingError::InvalidInput),
    }
}

/// Ends a dispute for good.
fn rule(
    env: &Env,
    config: &Config,
    mut transaction: Transaction,
    mut agreement: Agreement,
    energy_accepted_kwh: u64,
    resolver: Option<Address>,
) -> Result<(), SharingError> {
    let reported_amount = transaction.payment_amount(&agreement);
    transaction.energy_accepted_kwh = Some(energy_accepted_kwh);
    let payment_amount = transaction.payment_amount(&agreement);
    agreement.state.pending_amount = add(sub(agreement.state.pending_amount, reported_amount)?, payment_amount)?;
    let settled_at = (payment_amount == 0).then(|| env.ledger().timestamp());
    transaction.status = match settled_at {
        Some(_) => TransactionStatus::Settled,
        None => TransactionStatus::Delivered,
    };
    transaction.status_since = settled_at.unwrap_or_default();

    storage::set_agreement(env, &agreement);
    storage::set_transaction(env, &transaction);
    DisputeResolved {
        transaction_id: transaction.id,
        provider: agreement.provider.clone(),
        consumer: agreement.consumer.clone(),
        agreement_id: agreement.id,
        energy_accepted_kwh,
        payment_amount,
        settled_at,
        resolver,
    }
    .publish(env);
    refund_if_possible(env, config, &mut agreement);
    Ok(())
}

/// Pays a surplus to the consumer, or leaves everything as it was.
fn refund(env: &Env, config: &Config, agreement: &mut Agreement) -> Result<u64, SharingError> {
    let refund_amount = agreement.surplus(env.ledger().timestamp());
    if refund_amount == 0 {
        return Err(SharingError::NothingToRefund);
    }
    let escrow_amount = agreement.state.escrow_amount;
    agreement.state.escrow_amount = sub(escrow_amount, refund_amount)?;
    storage::set_agreement(env, agreement);
    if let Err(error) = transfer(env, config, &env.current_contract_address(), &agreement.consumer, refund_amount) {
        agreement.state.escrow_amount = escrow_amount;
        storage::set_agreement(env, agreement);
        return Err(error);
    }
    EscrowRefunded {
        agreement_id: agreement.id,
        provider: agreement.provider.clone(),
        consumer: agreement.consumer.clone(),
        refund_amount,
        escrow_amount: agreement.state.escrow_amount,
    }
    .publish(env);
    Ok(refund_amount)
}

fn transfer(env: &Env, config: &Config, from: &Address, to: &Address, amount: u64) -> Result<(), SharingError> {
    match TokenClient::new(env, &config.token_contract).try_transfer(from, to, &amount.into()) {
        Ok(Ok(())) => Ok(()),
        _ => Err(SharingError::PaymentFailed),
    }
}

/// What the contract holds of the token.
fn balance(env: &Env, config: &Config) -> Result<i128, SharingError> {
    match TokenClient::new(env, &config.token_contract).try_balance(&env.current_contract_address()) {
        Ok(Ok(balance)) => Ok(balance),
        _ => Err(SharingError::PaymentFailed),
    }
}
