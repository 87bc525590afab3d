//! The accounts that a network begins with.

use ed25519_dalek::SigningKey;

use crate::account::new_account;
use crate::xdr::*;

/// What friendbot gives.
pub const STARTING_BALANCE: i64 = 10_000 * 10_000_000;
/// What each of its accounts has at first: enough for ten thousand.
const MEANS: i64 = 10_000 * STARTING_BALANCE;
/// An account can have one transaction in a ledger, so there are several.
const FUNDERS: u8 = 100;

pub const TOTAL_COINS: i64 = 1_000_000_000_000_000_000;

/// All coins: friendbot's, and the rest with the root account, whose key is
/// derived from the passphrase as on every Stellar network.
pub fn accounts(network_id: [u8; 32]) -> Vec<AccountEntry> {
    let root = account_of(&SigningKey::from_bytes(&network_id));
    let rest = TOTAL_COINS - i64::from(FUNDERS) * MEANS;
    let given = funders(network_id).map(|key| new_account(account_of(&key), MEANS, 0));
    [new_account(root, rest, 0)].into_iter().chain(given).collect()
}

/// The keys that friendbot signs with.
pub fn funders(network_id: [u8; 32]) -> impl Iterator<Item = SigningKey> {
    let seed = move |index: u8| sha256(&[&network_id[..], b"friendbot", &[index]].concat());
    (0..FUNDERS).map(move |index| SigningKey::from_bytes(&seed(index)))
}

pub fn account_of(key: &SigningKey) -> AccountId {
    AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key.verifying_key().to_bytes())))
}
