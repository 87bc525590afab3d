//! The network's XDR types, plus encoding and hashing helpers.

use sha2::{Digest, Sha256};

pub use stellar_xdr::*;

const DEPTH: u32 = 500;

pub fn encode(value: &impl WriteXdr) -> Vec<u8> {
    // Only values that came in through `decode` or out of the host get here,
    // and both keep to the same depth limit.
    value.to_xdr(Limits::depth(DEPTH)).expect("XDR value within limits")
}

pub fn decode<T: ReadXdr>(bytes: &[u8]) -> Result<T, Error> {
    T::from_xdr(bytes, Limits { depth: DEPTH, len: bytes.len() })
}

pub fn base64(value: &impl WriteXdr) -> String {
    value.to_xdr_base64(Limits::depth(DEPTH)).expect("XDR value within limits")
}

pub fn from_base64<T: ReadXdr>(text: &str) -> Result<T, Error> {
    T::from_xdr_base64(text, Limits { depth: DEPTH, len: text.len() })
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn hex(bytes: [u8; 32]) -> String {
    Hash(bytes).to_string()
}

/// The account behind a plain or muxed address.
pub fn account_id(muxed: &MuxedAccount) -> AccountId {
    let key = match muxed {
        MuxedAccount::Ed25519(key) => key.clone(),
        MuxedAccount::MuxedEd25519(m) => m.ed25519.clone(),
    };
    AccountId(PublicKey::PublicKeyTypeEd25519(key))
}

/// A host-made list that is known to fit its XDR bound.
pub fn list<T, const N: u32>(items: Vec<T>) -> VecM<T, N> {
    items.try_into().expect("list within XDR bound")
}
