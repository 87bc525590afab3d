//! Account entries: creation, reserves and sequence numbers.

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
            signer_sponsoring_i_ds: VecM::default(),
            ext: AccountEntryExtensionV2Ext::V3(AccountEntryExtensionV3 {
                ext: ExtensionPoint::V0,
                seq_ledger: seq,
                seq_time: TimePoint(time),
            }),
        }),
    });
}
