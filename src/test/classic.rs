//! Classic accounts with trustlines, as most people have them.

use std::rc::Rc;

use soroban_sdk::xdr::{
    AccountEntry, AccountId, AlphaNum4, AssetCode4, LedgerEntry, LedgerKeyAccount, LedgerKeyTrustLine, PublicKey,
    ScAddress, SequenceNumber, Thresholds, TrustLineAsset, TrustLineEntry, TrustLineFlags, Uint256,
};

use super::*;

impl Fixture {
    /// As `deployed`, provider and consumer being classic accounts without trustlines.
    pub fn deployed_for_accounts() -> Self {
        let f = Self::deployed();
        let [provider, consumer] = [1, 2].map(|key| f.account(key));
        Self { provider, consumer, ..f }
    }

    /// As `new`, provider and consumer being classic accounts with trustlines.
    pub fn classic() -> Self {
        let f = Self::deployed_for_accounts();
        f.trust(&f.provider, |_| {});
        f.trust(&f.consumer, |_| {});
        f.asset.mint(&f.consumer, &WEALTH);
        f.started()
    }

    pub fn account(&self, key: u8) -> Address {
        let account_id = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256([key; 32])));
        let account = AccountEntry {
            account_id: account_id.clone(),
            balance: 100_000_000,
            seq_num: SequenceNumber(0),
            num_sub_entries: 1,
            inflation_dest: None,
            flags: 0,
            home_domain: Default::default(),
            thresholds: Thresholds([1; 4]),
            signers: Default::default(),
            ext: Default::default(),
        };
        let key = LedgerKey::Account(LedgerKeyAccount { account_id: account_id.clone() });
        self.put(key, LedgerEntryData::Account(account));
        Address::try_from_val(&self.env, &ScAddress::Account(account_id)).unwrap()
    }

    /// Changes an account's trustline, which is unlimited and authorised if it is new.
    pub fn trust(&self, owner: &Address, change: impl FnOnce(&mut TrustLineEntry)) {
        let [account_id, issuer] = [owner, &self.issuer.address()].map(|address| match ScAddress::from(address) {
            ScAddress::Account(id) => id,
            other => panic!("{other:?} is no account"),
        });
        let asset = TrustLineAsset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4(*b"aaa\0"), issuer });
        let key = LedgerKey::Trustline(LedgerKeyTrustLine { account_id: account_id.clone(), asset: asset.clone() });
        let mut line =
            match self.env.host().get_ledger_entry(&Rc::new(key.clone())).unwrap().map(|(entry, _)| entry.data.clone())
            {
                Some(LedgerEntryData::Trustline(line)) => line,
                _ => TrustLineEntry {
                    account_id,
                    asset,
                    balance: 0,
                    limit: i64::MAX,
                    flags: TrustLineFlags::AuthorizedFlag as u32,
                    ext: Default::default(),
                },
            };
        change(&mut line);
        self.put(key, LedgerEntryData::Trustline(line));
    }

    fn put(&self, key: LedgerKey, data: LedgerEntryData) {
        let entry = LedgerEntry { last_modified_ledger_seq: 0, data, ext: Default::default() };
        self.env.host().add_ledger_entry(&Rc::new(key), &Rc::new(entry), None).unwrap();
    }
}
