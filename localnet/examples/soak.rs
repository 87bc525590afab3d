//! Applies many transactions to a network that forgets, and prints how much
//! memory the process takes: it must not grow with the number.
//!
//!     cargo run --release --example soak -- 100000

use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use localnet::genesis::account_of;
use localnet::ledger::Ledger;
use localnet::xdr::*;
use localnet::{friendbot, rpc, Options};
use serde_json::json;

const RETENTION_LEDGERS: u32 = 10_000;

fn main() -> anyhow::Result<()> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(100_000), |count| count.parse())?;
    let mut ledger = Ledger::new(Options { retention_ledgers: RETENTION_LEDGERS, ..Options::default() })?;
    let key = SigningKey::from_bytes(&[1; 32]);
    friendbot::fund(&mut ledger, &account_of(&key).to_string())?;
    let start = Instant::now();
    for number in 1..=count {
        let sent = send(&mut ledger, &key)?;
        anyhow::ensure!(sent == "PENDING", "{number}: {sent}");
        if number % (count / 10).max(1) == 0 {
            let (seconds, memory) = (start.elapsed().as_secs(), resident_kb()? / 1024);
            println!("{number} transactions, {seconds} s, {memory} MB, oldest ledger {}", ledger.history.oldest_seq());
        }
    }
    Ok(())
}

fn send(ledger: &mut Ledger, key: &SigningKey) -> anyhow::Result<String> {
    let source = MuxedAccount::Ed25519(Uint256(key.verifying_key().to_bytes()));
    let account = ledger.state.account(&account_of(key)).expect("funded");
    let payment = PaymentOp { destination: source.clone(), asset: Asset::Native, amount: 1 };
    let tx = Transaction {
        source_account: source,
        fee: 100,
        seq_num: SequenceNumber(account.seq_num.0 + 1),
        cond: Preconditions::None,
        memo: Memo::None,
        operations: list(vec![Operation { source_account: None, body: OperationBody::Payment(payment) }]),
        ext: TransactionExt::V0,
    };
    let signature = DecoratedSignature {
        hint: SignatureHint(key.verifying_key().to_bytes()[28..].try_into()?),
        signature: Signature(key.sign(&tx.hash(ledger.network_id)?).to_bytes().to_vec().try_into()?),
    };
    let envelope = TransactionEnvelope::Tx(TransactionV1Envelope { tx, signatures: list(vec![signature]) });
    let params = json!({ "transaction": base64(&envelope) });
    let sent = rpc::call(ledger, "", "sendTransaction", params).map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    Ok(sent["status"].as_str().unwrap_or_default().to_string())
}

fn resident_kb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).unwrap_or_default().parse()?)
}
