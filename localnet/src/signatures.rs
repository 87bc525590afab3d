//! Signatures, and whether they authorize what a transaction does.

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey};

use crate::xdr::*;

/// The signatures of one envelope, and which of them were needed.
pub struct Signatures<'a> {
    hash: [u8; 32],
    signatures: &'a [DecoratedSignature],
    used: Vec<bool>,
}

impl<'a> Signatures<'a> {
    pub fn new(hash: [u8; 32], signatures: &'a [DecoratedSignature]) -> Self {
        Self { hash, signatures, used: vec![false; signatures.len()] }
    }

    pub fn authorize(&mut self, account: &AccountEntry, threshold: u8) -> bool {
        let PublicKey::PublicKeyTypeEd25519(master) = &account.account_id.0;
        let mut signers: Vec<(SignerKey, u32)> =
            account.signers.iter().map(|signer| (signer.key.clone(), signer.weight.min(255))).collect();
        let weight = account.thresholds.0[0];
        if weight > 0 {
            signers.push((SignerKey::Ed25519(master.clone()), weight.into()));
        }
        self.reach(signers, threshold.into())
    }

    /// Whether signers with this weight in sum have signed; at least one has
    /// to, whatever the weight.
    pub fn reach(&mut self, mut signers: Vec<(SignerKey, u32)>, needed: u32) -> bool {
        let mut reached = 0;
        // What authorizes itself needs no signature, and is counted first.
        for (key, weight) in &signers {
            if matches!(key, SignerKey::PreAuthTx(hash) if hash.0 == self.hash) {
                reached += weight;
                if reached >= needed {
                    return true;
                }
            }
        }
        let kinds: [fn(&SignerKey) -> bool; 3] = [
            |key| matches!(key, SignerKey::HashX(_)),
            |key| matches!(key, SignerKey::Ed25519(_)),
            |key| matches!(key, SignerKey::Ed25519SignedPayload(_)),
        ];
        for is_kind in kinds {
            for (signature, used) in self.signatures.iter().zip(&mut self.used) {
                let signed = |(key, _): &(SignerKey, u32)| is_kind(key) && verify(key, signature, self.hash);
                let Some(index) = signers.iter().position(signed) else { continue };
                *used = true;
                reached += signers.remove(index).1;
                if reached >= needed {
                    return true;
                }
            }
        }
        false
    }

    pub fn all_used(&self) -> bool {
        self.used.iter().all(|used| *used)
    }
}

fn verify(key: &SignerKey, signature: &DecoratedSignature, hash: [u8; 32]) -> bool {
    let DecoratedSignature { hint, signature } = signature;
    let hinted = |bytes: &[u8]| bytes.ends_with(&hint.0);
    match key {
        SignerKey::PreAuthTx(_) => false,
        SignerKey::HashX(preimage_hash) => hinted(&preimage_hash.0) && sha256(&signature.0) == preimage_hash.0,
        SignerKey::Ed25519(key) => hinted(&key.0) && verify_ed25519(key, &signature.0, &hash),
        SignerKey::Ed25519SignedPayload(SignerKeyEd25519SignedPayload { ed25519, payload }) => {
            // The hint is made of both, so that one key can sign several.
            let mut tail = [0; 4];
            let end = &payload[payload.len().saturating_sub(4)..];
            tail[..end.len()].copy_from_slice(end);
            let mixed: [u8; 4] = std::array::from_fn(|index| ed25519.0[28 + index] ^ tail[index]);
            mixed == hint.0 && verify_ed25519(ed25519, &signature.0, payload)
        }
    }
}

fn verify_ed25519(key: &Uint256, signature: &[u8], message: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else { return false };
    Ed25519Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}
