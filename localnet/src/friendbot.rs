//! Creates accounts on request, by real transactions.

use anyhow::bail;
use ed25519_dalek::Signer;
use stellar_strkey::ed25519::PublicKey as Address;

use crate::genesis::{account_of, funders, STARTING_BALANCE};
use crate::ledger::{Ledger, Submission};
use crate::tx::Frame;
use crate::xdr::*;

/// Submits the transaction, and returns its hash.
pub fn fund(ledger: &mut Ledger, address: &str) -> anyhow::Result<[u8; 32]> {
    ledger.tick();
    let Ok(Address(key)) = Address::from_string(address) else {
        bail!("addr must be an account address (G...), not {address:?}");
    };
    let destination = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key)));
    if ledger.state.account(&destination).is_some() {
        // Clients look for one or the other of these phrases.
        bail!("account already funded to starting balance (createAccountAlreadyExist)");
    }
    let mut funders = funders(ledger.network_id).map(|key| (account_of(&key), key));
    let free = funders.find(|(account, _)| !ledger.is_pending(account));
    let Some((account, key)) = free else { bail!("too many accounts for one ledger, try again") };
    let Some(account) = ledger.state.account(&account) else { bail!("no funding account") };
    let tx = Transaction {
        source_account: MuxedAccount::Ed25519(Uint256(key.verifying_key().to_bytes())),
        fee: 100,
        seq_num: SequenceNumber(account.seq_num.0 + 1),
        cond: Preconditions::None,
        memo: Memo::None,
        operations: list(vec![Operation {
            source_account: None,
            body: OperationBody::CreateAccount(CreateAccountOp { destination, starting_balance: STARTING_BALANCE }),
        }]),
        ext: TransactionExt::V0,
    };
    let hash = tx.hash(ledger.network_id)?;
    let signature = DecoratedSignature {
        hint: SignatureHint(key.verifying_key().to_bytes()[28..].try_into()?),
        signature: Signature(key.sign(&hash).to_bytes().to_vec().try_into()?),
    };
    let envelope = TransactionV1Envelope { tx, signatures: list(vec![signature]) };
    let frame = Frame::new(TransactionEnvelope::Tx(envelope), ledger.network_id)?;
    match ledger.submit(frame)? {
        Submission::Pending => Ok(hash),
        Submission::Error(result, _) => bail!("funding failed: {:?}", result.result),
        Submission::Duplicate | Submission::TryAgainLater => bail!("the network is busy, try again"),
    }
}
