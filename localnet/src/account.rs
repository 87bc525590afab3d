//! Account entries: creation, reserves, signers and sequence numbers.

use crate::settings::BASE_RESERVE;
use crate::xdr::*;

/// A fresh account; its sequence numbers start at its ledger's.
pub fn new_account(id: AccountId, balance: i64, seq: u32) -> AccountEntry {
    AccountEntry {
        account_id: id,
        balance,
        seq_num: SequenceNumber(i64::from(seq) << 32),
        thresholds: Thresholds([1, 0, 0, 0]),
        ..Default::default()
    }
}

/// Balance above the reserve, which is two base reserves plus one per
/// subentry.
pub fn available_balance(account: &AccountEntry) -> i64 {
    account.balance - min_balance(account.num_sub_entries)
}

pub fn min_balance(sub_entries: u32) -> i64 {
    (2 + i64::from(sub_entries)) * i64::from(BASE_RESERVE)
}

/// Ledger and time of the account's last sequence number change.
pub fn last_use(account: &AccountEntry) -> (u32, u64) {
    if let AccountEntryExt::V1(v1) = &account.ext {
        if let AccountEntryExtensionV1Ext::V2(v2) = &v1.ext {
            if let AccountEntryExtensionV2Ext::V3(v3) = &v2.ext {
                return (v3.seq_ledger, v3.seq_time.0);
            }
        }
    }
    (0, 0)
}

/// Sets the sequence number and records when, in the extension that the
/// network adds to every account that has sent a transaction.
pub fn use_sequence(account: &mut AccountEntry, number: SequenceNumber, seq: u32, time: u64) {
    account.seq_num = number;
    account.ext = AccountEntryExt::V1(AccountEntryExtensionV1 {
        liabilities: Liabilities { buying: 0, selling: 0 },
        ext: AccountEntryExtensionV1Ext::V2(AccountEntryExtensionV2 {
            num_sponsored: 0,
            num_sponsoring: 0,
            signer_sponsoring_i_ds: list(vec![SponsorshipDescriptor(None); account.signers.len()]),
            ext: AccountEntryExtensionV2Ext::V3(AccountEntryExtensionV3 {
                ext: ExtensionPoint::V0,
                seq_ledger: seq,
                seq_time: TimePoint(time),
            }),
        }),
    });
}

/// Adds or changes a signer; one of no weight is removed. Each is a subentry.
pub fn set_signer(account: &mut AccountEntry, signer: &Signer) -> Result<(), SetOptionsResult> {
    let mut signers = account.signers.to_vec();
    let known = signers.iter().position(|other| other.key == signer.key);
    match known {
        Some(index) if signer.weight == 0 => {
            signers.remove(index);
            account.num_sub_entries -= 1;
        }
        Some(index) => signers[index].weight = signer.weight,
        None if signer.weight == 0 => return Ok(()),
        None if signers.len() == MAX_SIGNERS as usize => return Err(SetOptionsResult::TooManySigners),
        None if account.balance < min_balance(account.num_sub_entries + 1) => {
            return Err(SetOptionsResult::LowReserve);
        }
        None => {
            signers.push(signer.clone());
            signers.sort_by(|a, b| a.key.cmp(&b.key));
            account.num_sub_entries += 1;
        }
    }
    let sponsorships = list(vec![SponsorshipDescriptor(None); signers.len()]);
    account.signers = list(signers);
    if let AccountEntryExt::V1(v1) = &mut account.ext {
        if let AccountEntryExtensionV1Ext::V2(v2) = &mut v1.ext {
            v2.signer_sponsoring_i_ds = sponsorships;
        }
    }
    Ok(())
}

/// Removes the signer that a transaction's own hash was, if there is one.
pub fn remove_pre_authorized(account: &mut AccountEntry, hash: [u8; 32]) -> bool {
    let key = SignerKey::PreAuthTx(Uint256(hash));
    let known = account.signers.iter().any(|signer| signer.key == key);
    known && set_signer(account, &Signer { key, weight: 0 }).is_ok()
}
