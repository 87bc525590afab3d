//! Validity rules, classic operations and the clock.

use serde_json::json;

use super::client::*;
use localnet::xdr::*;

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
    // What was applied is not taken again for ten ledgers; then it is too old.
    assert_eq!(client.send(TransactionEnvelope::Tx(again.clone()))["status"], "TRY_AGAIN_LATER");
    for _ in 0..10 {
        client.ledger.advance(5).unwrap();
    }
    let sent = client.send(TransactionEnvelope::Tx(again));
    assert_eq!(error_result(&sent), "TxBadSeq");
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
    let inner = client.sign(tx, &[&alice]);
    let cheap = bump(&client, inner.clone(), &bob, 199);
    assert_eq!(error_result(&client.send(cheap)), "TxInsufficientFee");
    let mut forged = bump(&client, inner.clone(), &bob, 200);
    if let TransactionEnvelope::TxFeeBump(outer) = &mut forged {
        outer.signatures = list(vec![decorated(&alice, outer.tx.hash(client.ledger.network_id).unwrap())]);
    }
    assert_eq!(error_result(&client.send(forged)), "TxBadAuth");
    let sent = client.send(bump(&client, inner, &bob, 200));
    assert_eq!(sent["status"], "PENDING");
    let found = client.find(&sent["hash"]);
    assert_eq!((&found["feeBump"], &found["status"]), (&json!(true), &json!("SUCCESS")));
    assert!(result(&found).starts_with("TxFeeBumpInnerSuccess"));
    assert_eq!(client.account(&bob).balance, 100_000_000_000 + 5 - 200);
    assert_eq!(client.account(&alice).balance, 100_000_000_000 - 5);
}

#[test]
fn a_fee_bump_bids_at_least_the_inner_rate() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let mut tx = client.transaction(&alice, vec![payment(&bob, Asset::Native, 5)]);
    tx.fee = 300;
    let inner = client.sign(tx, &[&alice]);
    let below = client.send(bump(&client, inner.clone(), &bob, 599));
    assert_eq!(error_result(&below), "TxInsufficientFee");
    assert_eq!(client.send(bump(&client, inner, &bob, 600))["status"], "PENDING");
}

fn options() -> SetOptionsOp {
    SetOptionsOp {
        inflation_dest: None,
        clear_flags: None,
        set_flags: None,
        master_weight: None,
        low_threshold: None,
        med_threshold: None,
        high_threshold: None,
        home_domain: None,
        signer: None,
    }
}

fn with_signer(key: SignerKey, weight: u32) -> OperationBody {
    OperationBody::SetOptions(SetOptionsOp { signer: Some(Signer { key, weight }), ..options() })
}

fn signer(key: &ed25519_dalek::SigningKey) -> SignerKey {
    SignerKey::Ed25519(Uint256(key.verifying_key().to_bytes()))
}

#[test]
fn thresholds_say_how_many_signers_are_needed() {
    let (alice, bob, carol) = (key(1), key(2), key(3));
    let mut client = Client::with_accounts(&[&alice]);
    let thresholds =
        SetOptionsOp { low_threshold: Some(1), med_threshold: Some(2), high_threshold: Some(3), ..options() };
    let setup =
        vec![with_signer(signer(&bob), 1), with_signer(signer(&carol), 2), OperationBody::SetOptions(thresholds)];
    assert_eq!(client.classic(&alice, setup)["status"], "SUCCESS");
    let account = client.account(&alice);
    assert_eq!((account.num_sub_entries, account.signers.len()), (2, 2));

    let pay = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
    assert!(client.refuse(pay.clone(), &[&alice]).contains("OpBadAuth"));
    assert_eq!(client.refuse(pay.clone(), &[&key(9)]), "TxBadAuth");
    assert_eq!(client.refuse(pay.clone(), &[&carol, &key(9)]), "TxBadAuthExtra");
    assert_eq!(client.apply(pay, &[&carol])["status"], "SUCCESS");
    let pay = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
    assert_eq!(client.apply(pay, &[&alice, &bob])["status"], "SUCCESS");

    // Signers are changed by the high threshold, and one of no weight is gone.
    let remove = client.transaction(&alice, vec![with_signer(signer(&bob), 0)]);
    assert!(client.refuse(remove.clone(), &[&alice, &bob]).contains("OpBadAuth"));
    assert_eq!(client.apply(remove, &[&alice, &carol])["status"], "SUCCESS");
    assert_eq!(client.account(&alice).num_sub_entries, 1);
    let own = client.transaction(&alice, vec![with_signer(signer(&alice), 1)]);
    assert!(client.refuse(own, &[&alice, &carol]).contains("SetOptions(BadSigner)"));
}

#[test]
fn a_hash_and_a_transaction_can_be_signers() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let preimage = b"a secret".to_vec();
    let hash = sha256(&preimage);
    client.classic(&alice, vec![with_signer(SignerKey::HashX(Uint256(hash)), 1)]);
    let tx = client.transaction(&alice, vec![payment(&bob, Asset::Native, 1)]);
    let mut envelope = client.sign(tx, &[]);
    let hint = SignatureHint(hash[28..].try_into().unwrap());
    envelope.signatures = list(vec![DecoratedSignature { hint, signature: Signature(preimage.try_into().unwrap()) }]);
    assert_eq!(client.send(TransactionEnvelope::Tx(envelope))["status"], "PENDING");

    let mut later = client.transaction(&alice, vec![payment(&bob, Asset::Native, 1)]);
    later.seq_num.0 += 1;
    let authorized = later.hash(client.ledger.network_id).unwrap();
    client.classic(&alice, vec![with_signer(SignerKey::PreAuthTx(Uint256(authorized)), 1)]);
    assert_eq!(client.account(&alice).signers.len(), 2);
    assert_eq!(client.apply(later, &[])["status"], "SUCCESS");
    // It was for that one only.
    let account = client.account(&alice);
    assert_eq!((account.signers.len(), account.num_sub_entries), (1, 1));
}

#[test]
fn signers_that_preconditions_ask_for_have_to_sign() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice]);
    let mut tx = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
    tx.cond = Preconditions::V2(PreconditionsV2 {
        time_bounds: None,
        ledger_bounds: None,
        min_seq_num: None,
        min_seq_age: Duration(0),
        min_seq_ledger_gap: 0,
        extra_signers: list(vec![signer(&bob)]),
    });
    assert_eq!(client.refuse(tx.clone(), &[&alice]), "TxBadAuth");
    assert_eq!(client.apply(tx, &[&alice, &bob])["status"], "SUCCESS");
}

#[test]
fn muxed_accounts_pay_and_are_paid() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let numbered = |key: &ed25519_dalek::SigningKey, id| {
        MuxedAccount::MuxedEd25519(MuxedAccountMed25519 { id, ed25519: Uint256(key.verifying_key().to_bytes()) })
    };
    let pay = PaymentOp { destination: numbered(&bob, 7), asset: Asset::Native, amount: 5 };
    let mut tx = client.transaction(&alice, vec![OperationBody::Payment(pay)]);
    tx.source_account = numbered(&alice, 9);
    assert_eq!(client.apply(tx, &[&alice])["status"], "SUCCESS");
    assert_eq!(client.account(&bob).balance, 100_000_000_005);
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
        let home_domain = Some(String32(domain.try_into().unwrap()));
        OperationBody::SetOptions(SetOptionsOp { set_flags: Some(set_flags), home_domain, ..options() })
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
fn malformed_requests_are_answered_with_errors() {
    let mut client = Client::new();
    for (method, params, code) in [
        ("nope", json!({}), -32601),
        ("sendTransaction", json!({ "transaction": "AAAA" }), -32602),
        ("getTransaction", json!({ "hash": "12" }), -32602),
        ("getEvents", json!({ "startLedger": 99 }), -32600),
        ("getEvents", json!({}), -32602),
        ("getEvents", json!({ "startLedger": "1" }), -32602),
        ("getEvents", json!({ "startLedger": 1, "filters": [{ "type": "diagnostic" }] }), -32602),
        ("getEvents", json!({ "startLedger": 1, "filters": [{ "topics": [["**", "*"]] }] }), -32602),
        ("getEvents", json!({ "startLedger": 1, "pagination": { "cursor": "1" } }), -32602),
        ("getTransactions", json!({ "startLedger": 1, "pagination": { "limit": 201 } }), -32600),
        ("getLedgers", json!({ "startLedger": 0 }), -32600),
        ("getLedgerEntries", json!([["x"]]), -32602),
        ("getTransaction", json!({ "hash": "0".repeat(64), "xdrFormat": "hex" }), -32602),
        ("getLedgerEntries", json!({ "keys": ["x"] }), -32602),
    ] {
        assert_eq!(client.request(method, params)["error"]["code"], code, "{method}");
    }
    let unknown = "0".repeat(64);
    assert_eq!(client.call("getTransaction", json!({ "hash": unknown }))["status"], "NOT_FOUND");
    assert!(client.call("simulateTransaction", json!({}))["error"].is_string());
}
