//! Validity rules, classic operations, the clock and the state file.

use serde_json::json;

use super::client::*;
use localnet::ledger::Ledger;
use localnet::log::Log;
use localnet::xdr::*;

fn payment(to: &ed25519_dalek::SigningKey, asset: Asset, amount: i64) -> OperationBody {
    OperationBody::Payment(PaymentOp { destination: muxed(to), asset, amount })
}

fn credit(issuer: &ed25519_dalek::SigningKey) -> AlphaNum4 {
    AlphaNum4 { asset_code: AssetCode4(*b"KWH\0"), issuer: account(issuer) }
}

#[test]
fn friendbot_funds_an_account_once() {
    let alice = key(1);
    let mut client = Client::with_accounts(&[&alice]);
    assert_eq!(client.account(&alice).balance, 100_000_000_000);
    assert!(client.fund(&alice).unwrap_err().to_string().contains("already funded"));
}

#[test]
fn a_payment_needs_the_right_signature_and_sequence_number() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let tx = client.transaction(&alice, vec![payment(&bob, Asset::Native, 5)]);
    assert_eq!(client.refuse(tx.clone(), &[&bob]), "TxBadAuth");
    assert_eq!(client.refuse(tx.clone(), &[&alice, &bob]), "TxBadAuthExtra");
    let mut late = tx.clone();
    late.seq_num.0 += 1;
    assert_eq!(client.refuse(late, &[&alice]), "TxBadSeq");
    let mut cheap = tx.clone();
    cheap.fee = 99;
    assert_eq!(client.refuse(cheap, &[&alice]), "TxInsufficientFee");

    let paid = client.apply(tx.clone(), &[&alice]);
    assert_eq!(paid["status"], "SUCCESS");
    assert_eq!(client.account(&alice).balance, 100_000_000_000 - 105);
    assert_eq!(client.account(&bob).balance, 100_000_000_000 + 5);
    let again = client.sign(tx, &[&alice]);
    assert_eq!(client.send(TransactionEnvelope::Tx(again))["status"], "DUPLICATE");
}

#[test]
fn a_failed_operation_undoes_the_others_but_costs_the_fee() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let before = client.account(&alice);
    let too_much = payment(&bob, Asset::Native, 1_000_000_000_000);
    let failed = client.classic(&alice, vec![payment(&bob, Asset::Native, 5), too_much]);
    assert_eq!(failed["status"], "FAILED");
    assert!(result(&failed).contains("Payment(Underfunded)"));
    let after = client.account(&alice);
    assert_eq!(after.balance, before.balance - 200);
    assert_eq!(after.seq_num.0, before.seq_num.0 + 1);
    assert_eq!(client.account(&bob).balance, 100_000_000_000);
}

#[test]
fn a_fee_bump_is_paid_by_its_source() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let tx = client.transaction(&alice, vec![payment(&bob, Asset::Native, 5)]);
    let outer = FeeBumpTransaction {
        fee_source: muxed(&bob),
        fee: 200,
        inner_tx: FeeBumpTransactionInnerTx::Tx(client.sign(tx, &[&alice])),
        ext: FeeBumpTransactionExt::V0,
    };
    let hash = outer.hash(client.ledger.network_id).unwrap();
    let mut send = |signer| {
        let signatures = list(vec![decorated(signer, hash)]);
        let envelope = FeeBumpTransactionEnvelope { tx: outer.clone(), signatures };
        client.send(TransactionEnvelope::TxFeeBump(envelope))
    };
    assert_eq!(send(&alice)["status"], "ERROR");
    assert_eq!(send(&bob)["status"], "PENDING");
    assert_eq!(client.account(&bob).balance, 100_000_000_000 + 5 - 200);
    assert_eq!(client.account(&alice).balance, 100_000_000_000 - 5);
}

#[test]
fn credit_assets_need_trustlines() {
    let (issuer, alice, bob) = (key(1), key(2), key(3));
    let mut client = Client::with_accounts(&[&issuer, &alice, &bob]);
    let (asset, line) = (Asset::CreditAlphanum4(credit(&issuer)), credit(&issuer));
    let trust = |limit| {
        let line = ChangeTrustAsset::CreditAlphanum4(line.clone());
        OperationBody::ChangeTrust(ChangeTrustOp { line, limit })
    };
    let unasked = client.classic(&issuer, vec![payment(&alice, asset.clone(), 10)]);
    assert!(result(&unasked).contains("Payment(NoTrust)"));
    client.classic(&alice, vec![trust(100)]);
    client.classic(&bob, vec![trust(3)]);
    let issued = client.classic(&issuer, vec![payment(&alice, asset.clone(), 10)]);
    assert_eq!(issued["status"], "SUCCESS");
    let over_limit = client.classic(&alice, vec![payment(&bob, asset.clone(), 4)]);
    assert!(result(&over_limit).contains("Payment(LineFull)"));

    // The asset's contract works on the same balances.
    let contract = client.deploy_asset(&alice, asset);
    let args = vec![address(&alice), address(&bob), amount(3)];
    let moved = client.invoke(&alice, call_contract(&contract, "transfer", args), &[]);
    assert_eq!(moved["status"], "SUCCESS");
    let balance = call_contract(&contract, "balance", vec![address(&bob)]);
    assert_eq!(client.read(&alice, balance), amount(3));
    let shrunk = client.classic(&bob, vec![trust(0)]);
    assert!(result(&shrunk).contains("ChangeTrust(InvalidLimit)"));
}

#[test]
fn options_are_set_and_malformed_operations_refused() {
    let alice = key(1);
    let mut client = Client::with_accounts(&[&alice]);
    let options = |set_flags: u32, domain: &str| {
        OperationBody::SetOptions(SetOptionsOp {
            inflation_dest: None,
            clear_flags: None,
            set_flags: Some(set_flags),
            master_weight: None,
            low_threshold: None,
            med_threshold: None,
            high_threshold: None,
            home_domain: Some(String32(domain.try_into().unwrap())),
            signer: None,
        })
    };
    client.classic(&alice, vec![options(2, "energy.example")]);
    assert_eq!(client.account(&alice).flags, 2);
    assert_eq!(client.account(&alice).home_domain.0.to_string(), "energy.example");
    let before = client.account(&alice);
    let tx = client.transaction(&alice, vec![options(16, "")]);
    assert!(client.refuse(tx, &[&alice]).contains("SetOptions(UnknownFlag)"));
    assert_eq!(client.account(&alice), before);
}

#[test]
fn the_clock_can_be_advanced() {
    let alice = key(1);
    let mut client = Client::with_accounts(&[&alice]);
    let (seq, time) = (client.ledger.seq(), client.ledger.time());
    client.ledger.advance(1000).unwrap();
    assert_eq!(client.ledger.seq(), seq + 200);
    assert!(client.ledger.time() >= time + 1000);
    let bounded = |client: &mut Client, min_time, max_time| {
        let mut tx = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
        let (min_time, max_time) = (TimePoint(min_time), TimePoint(max_time));
        tx.cond = Preconditions::Time(TimeBounds { min_time, max_time });
        tx
    };
    let past = bounded(&mut client, 0, time - 60);
    assert_eq!(client.refuse(past, &[&alice]), "TxTooLate");
    let future = bounded(&mut client, time + 2000, 0);
    assert_eq!(client.refuse(future, &[&alice]), "TxTooEarly");
    // A client's clock has not been advanced.
    let now = bounded(&mut client, time - 60, time + 60);
    assert_eq!(client.apply(now, &[&alice])["status"], "SUCCESS");
}

#[test]
fn the_state_file_restores_the_network() {
    let path = std::env::temp_dir().join(format!("localnet-test-{}.log", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::new();
    client.ledger.attach(Log::new(&path).unwrap()).unwrap();
    client.fund(&alice).unwrap();
    client.fund(&bob).unwrap();
    client.ledger.advance(500).unwrap();
    let contract = client.deploy_asset(&alice, Asset::Native);
    let args = vec![address(&alice), address(&bob), amount(3)];
    client.invoke(&alice, call_contract(&contract, "transfer", args), &[]);
    let latest = client.call("getTransactions", json!({ "startLedger": 1 }));

    let mut ledger = Ledger::new(PASSPHRASE).unwrap();
    ledger.attach(Log::new(&path).unwrap()).unwrap();
    let mut restored = Client { ledger };
    for key in [&alice, &bob] {
        assert_eq!(restored.account(key), client.account(key));
    }
    let replayed = restored.call("getTransactions", json!({ "startLedger": 1 }));
    assert_eq!(replayed["transactions"], latest["transactions"]);
    let other = Ledger::new("Another Network").unwrap();
    assert!({ other }.attach(Log::new(&path).unwrap()).is_err());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn malformed_requests_are_answered_with_errors() {
    let mut client = Client::new();
    for (method, params, code) in [
        ("nope", json!({}), -32601),
        ("sendTransaction", json!({ "transaction": "AAAA" }), -32602),
        ("getTransaction", json!({ "hash": "12" }), -32602),
        ("getEvents", json!({ "startLedger": 99 }), -32600),
        ("getLedgerEntries", json!({ "keys": ["x"] }), -32602),
    ] {
        assert_eq!(client.request(method, params)["error"]["code"], code, "{method}");
    }
    let unknown = "0".repeat(64);
    assert_eq!(client.call("getTransaction", json!({ "hash": unknown }))["status"], "NOT_FOUND");
    assert!(client.call("simulateTransaction", json!({}))["error"].is_string());
}
