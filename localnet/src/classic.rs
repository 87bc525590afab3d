//! The classic operations that contracts' surroundings need: accounts,
//! payments, trustlines and account options.

use crate::account::{available_balance, min_balance, new_account, set_signer};
use crate::state::State;
use crate::tx::{is_soroban, issuer};
use crate::xdr::*;

/// All flags that an account can have.
const ACCOUNT_FLAGS: u32 = 0xf;
const AUTHORIZED: u32 = TrustLineFlags::AuthorizedFlag as u32;

pub struct Classic<'a> {
    pub state: &'a mut State,
    pub seq: u32,
}

/// The success result of an operation.
pub fn success(body: &OperationBody) -> OperationResult {
    OperationResult::OpInner(match body {
        OperationBody::CreateAccount(_) => OperationResultTr::CreateAccount(CreateAccountResult::Success),
        OperationBody::Payment(_) => OperationResultTr::Payment(PaymentResult::Success),
        OperationBody::ChangeTrust(_) => OperationResultTr::ChangeTrust(ChangeTrustResult::Success),
        OperationBody::SetOptions(_) => OperationResultTr::SetOptions(SetOptionsResult::Success),
        _ => return OperationResult::OpNotSupported,
    })
}

/// The result of an operation that could never work: the network does not even
/// accept its transaction.
pub fn impossible(source: &AccountId, body: &OperationBody) -> Option<OperationResult> {
    use OperationResultTr as Tr;
    let result = match body {
        OperationBody::CreateAccount(op) if op.starting_balance < 0 || op.destination == *source => {
            Tr::CreateAccount(CreateAccountResult::Malformed)
        }
        OperationBody::Payment(op) if op.amount <= 0 || !is_valid(&held_asset(&op.asset)) => {
            Tr::Payment(PaymentResult::Malformed)
        }
        OperationBody::ChangeTrust(op) => {
            let Some(asset) = trustline_asset(&op.line) else { return Some(OperationResult::OpNotSupported) };
            let trusted = issuer(&asset).is_some_and(|issuer| issuer != source);
            match trusted && is_valid(&asset) && op.limit >= 0 {
                true => return None,
                false => Tr::ChangeTrust(ChangeTrustResult::Malformed),
            }
        }
        OperationBody::SetOptions(op) => Tr::SetOptions(check_options(source, op).err()?),
        OperationBody::CreateAccount(_) | OperationBody::Payment(_) => return None,
        body if is_soroban(body) => return None,
        _ => return Some(OperationResult::OpNotSupported),
    };
    Some(OperationResult::OpInner(result))
}

fn check_options(source: &AccountId, op: &SetOptionsOp) -> Result<(), SetOptionsResult> {
    let (clear, set) = (op.clear_flags.unwrap_or(0), op.set_flags.unwrap_or(0));
    if (clear | set) & !ACCOUNT_FLAGS != 0 {
        return Err(SetOptionsResult::UnknownFlag);
    }
    if clear & set != 0 {
        return Err(SetOptionsResult::BadFlags);
    }
    let weights = [op.master_weight, op.low_threshold, op.med_threshold, op.high_threshold];
    if weights.into_iter().flatten().any(|weight| weight > 255) {
        return Err(SetOptionsResult::ThresholdOutOfRange);
    }
    if let Some(Signer { key, weight }) = &op.signer {
        let PublicKey::PublicKeyTypeEd25519(own) = &source.0;
        let is_own = matches!(key, SignerKey::Ed25519(key) if key == own);
        let is_empty = matches!(key, SignerKey::Ed25519SignedPayload(signed) if signed.payload.is_empty());
        if is_own || is_empty || *weight > 255 {
            return Err(SetOptionsResult::BadSigner);
        }
    }
    let printable = |domain: &String32| domain.0.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_control());
    match op.home_domain.as_ref().is_none_or(printable) {
        true => Ok(()),
        false => Err(SetOptionsResult::InvalidHomeDomain),
    }
}

impl Classic<'_> {
    pub fn apply(&mut self, source: &AccountId, body: &OperationBody) -> OperationResult {
        use OperationResultTr as Tr;
        let Some(account) = self.state.account(source) else {
            return OperationResult::OpNoAccount;
        };
        let failure = match body {
            OperationBody::CreateAccount(op) => self.create_account(account, op).map_err(Tr::CreateAccount),
            OperationBody::Payment(op) => self.payment(source, op).map_err(Tr::Payment),
            OperationBody::ChangeTrust(op) => match trustline_asset(&op.line) {
                Some(asset) => self.change_trust(account, asset, op.limit).map_err(Tr::ChangeTrust),
                None => return OperationResult::OpNotSupported,
            },
            OperationBody::SetOptions(op) => self.set_options(account, op).map_err(Tr::SetOptions),
            _ => return OperationResult::OpNotSupported,
        };
        match failure {
            Ok(()) => success(body),
            Err(result) => OperationResult::OpInner(result),
        }
    }

    fn create_account(&mut self, mut source: AccountEntry, op: &CreateAccountOp) -> Result<(), CreateAccountResult> {
        if self.state.account(&op.destination).is_some() {
            return Err(CreateAccountResult::AlreadyExist);
        }
        if op.starting_balance < min_balance(0) {
            return Err(CreateAccountResult::LowReserve);
        }
        if available_balance(&source) < op.starting_balance {
            return Err(CreateAccountResult::Underfunded);
        }
        source.balance -= op.starting_balance;
        self.state.put_account(source, self.seq);
        let account = new_account(op.destination.clone(), op.starting_balance, self.seq);
        self.state.put_account(account, self.seq);
        Ok(())
    }

    fn payment(&mut self, source: &AccountId, op: &PaymentOp) -> Result<(), PaymentResult> {
        let destination = account_id(&op.destination);
        let asset = held_asset(&op.asset);
        if self.state.account(&destination).is_none() {
            return Err(PaymentResult::NoDestination);
        }
        self.debit(source, &asset, op.amount)?;
        self.credit(&destination, &asset, op.amount)
    }

    fn debit(&mut self, from: &AccountId, asset: &TrustLineAsset, amount: i64) -> Result<(), PaymentResult> {
        if *asset == TrustLineAsset::Native {
            let mut account = self.state.account(from).ok_or(PaymentResult::Underfunded)?;
            if available_balance(&account) < amount {
                return Err(PaymentResult::Underfunded);
            }
            account.balance -= amount;
            self.state.put_account(account, self.seq);
        } else if issuer(asset) != Some(from) {
            let mut line = self.state.trustline(from, asset).ok_or(PaymentResult::SrcNoTrust)?;
            if line.flags & AUTHORIZED == 0 {
                return Err(PaymentResult::SrcNotAuthorized);
            }
            if line.balance < amount {
                return Err(PaymentResult::Underfunded);
            }
            line.balance -= amount;
            self.state.put_trustline(line, self.seq);
        }
        Ok(())
    }

    fn credit(&mut self, to: &AccountId, asset: &TrustLineAsset, amount: i64) -> Result<(), PaymentResult> {
        if *asset == TrustLineAsset::Native {
            let mut account = self.state.account(to).ok_or(PaymentResult::NoDestination)?;
            account.balance = account.balance.checked_add(amount).ok_or(PaymentResult::LineFull)?;
            self.state.put_account(account, self.seq);
        } else if issuer(asset) != Some(to) {
            let mut line = self.state.trustline(to, asset).ok_or(PaymentResult::NoTrust)?;
            if line.flags & AUTHORIZED == 0 {
                return Err(PaymentResult::NotAuthorized);
            }
            if line.limit - line.balance < amount {
                return Err(PaymentResult::LineFull);
            }
            line.balance += amount;
            self.state.put_trustline(line, self.seq);
        }
        Ok(())
    }

    fn change_trust(
        &mut self,
        mut account: AccountEntry,
        asset: TrustLineAsset,
        limit: i64,
    ) -> Result<(), ChangeTrustResult> {
        let issuer = issuer(&asset).ok_or(ChangeTrustResult::Malformed)?;
        let existing = self.state.trustline(&account.account_id, &asset);
        match existing {
            Some(line) if limit < line.balance => Err(ChangeTrustResult::InvalidLimit),
            Some(line) if limit == 0 => {
                self.state.remove(&LedgerKey::from(line.to_key()));
                account.num_sub_entries -= 1;
                self.state.put_account(account, self.seq);
                Ok(())
            }
            Some(mut line) => {
                self.state.account(issuer).ok_or(ChangeTrustResult::NoIssuer)?;
                line.limit = limit;
                self.state.put_trustline(line, self.seq);
                Ok(())
            }
            None if limit == 0 => Err(ChangeTrustResult::InvalidLimit),
            None => {
                let issuer = self.state.account(issuer).ok_or(ChangeTrustResult::NoIssuer)?;
                if account.balance < min_balance(account.num_sub_entries + 1) {
                    return Err(ChangeTrustResult::LowReserve);
                }
                let has = |flag: AccountFlags| issuer.flags & flag as u32 != 0;
                let mut flags = 0;
                if !has(AccountFlags::RequiredFlag) {
                    flags |= AUTHORIZED;
                }
                if has(AccountFlags::ClawbackEnabledFlag) {
                    flags |= TrustLineFlags::TrustlineClawbackEnabledFlag as u32;
                }
                self.state.put_trustline(
                    TrustLineEntry {
                        account_id: account.account_id.clone(),
                        asset,
                        balance: 0,
                        limit,
                        flags,
                        ext: TrustLineEntryExt::V0,
                    },
                    self.seq,
                );
                account.num_sub_entries += 1;
                self.state.put_account(account, self.seq);
                Ok(())
            }
        }
    }

    fn set_options(&mut self, mut account: AccountEntry, op: &SetOptionsOp) -> Result<(), SetOptionsResult> {
        let (clear, set) = (op.clear_flags.unwrap_or(0), op.set_flags.unwrap_or(0));
        let immutable = AccountFlags::ImmutableFlag as u32;
        if (clear | set) != 0 && account.flags & immutable != 0 {
            return Err(SetOptionsResult::CantChange);
        }
        account.flags = (account.flags & !clear) | set;
        let has = |flag: AccountFlags| account.flags & flag as u32 != 0;
        if has(AccountFlags::ClawbackEnabledFlag) && !has(AccountFlags::RevocableFlag) {
            return Err(SetOptionsResult::AuthRevocableRequired);
        }
        let weights = [op.master_weight, op.low_threshold, op.med_threshold, op.high_threshold];
        for (threshold, weight) in account.thresholds.0.iter_mut().zip(weights) {
            *threshold = weight.map_or(*threshold, |weight| weight as u8);
        }
        if let Some(id) = &op.inflation_dest {
            self.state.account(id).ok_or(SetOptionsResult::InvalidInflation)?;
            account.inflation_dest = Some(id.clone());
        }
        if let Some(domain) = &op.home_domain {
            account.home_domain = domain.clone();
        }
        if let Some(signer) = &op.signer {
            set_signer(&mut account, signer)?;
        }
        self.state.put_account(account, self.seq);
        Ok(())
    }
}

fn held_asset(asset: &Asset) -> TrustLineAsset {
    match asset {
        Asset::Native => TrustLineAsset::Native,
        Asset::CreditAlphanum4(a) => TrustLineAsset::CreditAlphanum4(a.clone()),
        Asset::CreditAlphanum12(a) => TrustLineAsset::CreditAlphanum12(a.clone()),
    }
}

fn trustline_asset(line: &ChangeTrustAsset) -> Option<TrustLineAsset> {
    match line {
        ChangeTrustAsset::Native => Some(TrustLineAsset::Native),
        ChangeTrustAsset::CreditAlphanum4(a) => Some(TrustLineAsset::CreditAlphanum4(a.clone())),
        ChangeTrustAsset::CreditAlphanum12(a) => Some(TrustLineAsset::CreditAlphanum12(a.clone())),
        ChangeTrustAsset::PoolShare(_) => None,
    }
}

/// Asset codes are alphanumeric, zero-padded, and no longer than needed.
fn is_valid(asset: &TrustLineAsset) -> bool {
    let (code, shortest): (&[u8], _) = match asset {
        TrustLineAsset::Native => return true,
        TrustLineAsset::CreditAlphanum4(a) => (&a.asset_code.0, 1),
        TrustLineAsset::CreditAlphanum12(a) => (&a.asset_code.0, 5),
        TrustLineAsset::PoolShare(_) => return false,
    };
    let length = code.iter().position(|byte| *byte == 0).unwrap_or(code.len());
    let (name, padding) = code.split_at(length);
    length >= shortest && name.iter().all(u8::is_ascii_alphanumeric) && padding.iter().all(|byte| *byte == 0)
}
