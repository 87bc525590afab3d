//! Creates accounts on request, by real transactions of the root account.

use anyhow::{anyhow, bail};
use ed25519_dalek::Signer;
use stellar_strkey::ed25519::PublicKey as Address;

use crate::ledger::{account_of, root_key, Ledger, Submission, Transacted};
use crate::tx::Frame;
use crate::xdr::*;

const STARTING_BALANCE: i64 = 10_000 * 10_000_000;

pub fn fund<'a>(ledger: &'a mut Ledger, address: &str) -> anyhow::Result<&'a Transacted> {
    ledger.tick();
    let Ok(Address(key)) = Address::from_string(address) else {
        bail!("addr must be an account address (G...), not {address:?}");
    };
    let destination = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key)));
    if ledger.state.account(&destination).is_some() {
        // Clients look for one or the other of these phrases.
        bail!("account already funded to starting balance (createAccountAlreadyExist)");
    }
    let root = root_key(ledger.network_id);
    let account = ledger.state.account(&account_of(&root)).ok_or_else(|| anyhow!("no root account"))?;
    let tx = Transaction {
        source_account: MuxedAccount::Ed25519(Uint256(root.verifying_key().to_bytes())),
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
        hint: SignatureHint(root.verifying_key().to_bytes()[28..].try_into()?),
        signature: Signature(root.sign(&hash).to_bytes().to_vec().try_into()?),
    };
    let envelope = TransactionV1Envelope { tx, signatures: list(vec![signature]) };
    let frame = Frame::new(TransactionEnvelope::Tx(envelope), ledger.network_id)?;
    match ledger.submit(frame)? {
        Submission::Error(result, _) => bail!("funding failed: {:?}", result.result),
        _ => ledger.transaction(&hash).ok_or_else(|| anyhow!("funding transaction not found")),
    }
}
