//! Ledgers of several transactions: their order, conflicts, limits and fees;
//! and how long they are remembered.

use ed25519_dalek::SigningKey;
use serde_json::{json, Value};

use super::client::*;
use localnet::settings::*;
use localnet::xdr::*;
use localnet::Options;

/// A network whose ledgers close when the test says so.
fn slow(accounts: &[&SigningKey]) -> Client {
    let mut client = Client::with_options(Options { ledger_seconds: 1000, ..Options::default() });
    for key in accounts {
        client.fund(key).unwrap();
    }
    client.ledger.close().unwrap();
    client
}

fn keys(count: u8) -> Vec<SigningKey> {
    (1..=count).map(key).collect()
}

/// Sends a payment to oneself, and returns its hash.
fn send_payment(client: &mut Client, from: &SigningKey, fee: u32) -> Value {
    let mut tx = client.transaction(from, vec![payment(from, Asset::Native, 1)]);
    tx.fee = fee;
    let envelope = client.sign(tx, &[from]);
    let sent = client.send(TransactionEnvelope::Tx(envelope));
    assert_eq!(sent["status"], "PENDING", "{}", error_result(&sent));
    sent["hash"].clone()
}

#[test]
fn a_ledger_takes_all_that_waits_in_an_order_of_its_own() {
    let keys = keys(20);
    let mut client = slow(&keys.iter().collect::<Vec<_>>());
    let seq = client.ledger.seq();
    let hashes: Vec<Value> = keys.iter().map(|key| send_payment(&mut client, key, 100)).collect();
    assert_eq!(client.find(&hashes[0])["status"], "NOT_FOUND");
    client.ledger.close().unwrap();
    assert_eq!(client.ledger.seq(), seq + 1);
    let orders: Vec<u64> = hashes.iter().map(|hash| client.find(hash)["applicationOrder"].as_u64().unwrap()).collect();
    let sent: Vec<u64> = (1..=20).collect();
    assert_ne!(orders, sent);
    let mut sorted = orders;
    sorted.sort_unstable();
    assert_eq!(sorted, sent);
    let listed = client.call("getTransactions", json!({ "startLedger": seq + 1 }));
    let listed: Vec<u64> = listed["transactions"].as_array().unwrap().iter().map(order).collect();
    assert_eq!(listed, sent);
}

fn order(transaction: &Value) -> u64 {
    transaction["applicationOrder"].as_u64().unwrap()
}

#[test]
fn an_account_has_one_transaction_in_a_ledger() {
    let (alice, bob) = (key(1), key(2));
    let mut client = slow(&[&alice, &bob]);
    let first = client.transaction(&alice, vec![payment(&bob, Asset::Native, 1)]);
    let mut second = first.clone();
    second.seq_num.0 += 1;
    let mut older = first.clone();
    older.seq_num.0 -= 1;
    assert_eq!(client.status(&first, &alice), "PENDING");
    assert_eq!(client.status(&first, &alice), "DUPLICATE");
    assert_eq!(client.status(&second, &alice), "TRY_AGAIN_LATER");
    assert_eq!(client.refuse(older, &[&alice]), "TxBadSeq");
    client.ledger.close().unwrap();
    assert_eq!(client.status(&second, &alice), "PENDING");
    assert_eq!(client.account(&alice).seq_num, first.seq_num);
}

#[test]
fn a_pending_transaction_is_replaced_for_ten_times_its_fee() {
    let (alice, bob) = (key(1), key(2));
    let mut client = slow(&[&alice, &bob]);
    let tx = client.transaction(&alice, vec![payment(&bob, Asset::Native, 1)]);
    let inner = client.sign(tx.clone(), &[&alice]);
    assert_eq!(client.status(&tx, &alice), "PENDING");
    let below = client.send(bump(&client, inner.clone(), &bob, 1999));
    assert_eq!(error_result(&below), "TxInsufficientFee");
    let wanted: TransactionResult = from_base64(below["errorResultXdr"].as_str().unwrap()).unwrap();
    assert_eq!(wanted.fee_charged, 2000);
    let replaced = client.send(bump(&client, inner, &bob, 2000));
    assert_eq!(replaced["status"], "PENDING");
    assert_eq!(client.status(&tx, &alice), "DUPLICATE");
    client.ledger.close().unwrap();
    assert_eq!(client.find(&replaced["hash"])["status"], "SUCCESS");
    assert_eq!(client.account(&bob).balance, 100_000_000_000 - 200 + 1);
}

#[test]
fn what_does_not_fit_waits_and_the_lowest_bid_is_what_all_pay() {
    // Eleven transactions of a hundred operations, for room of ten.
    let keys = keys(11);
    let mut client = slow(&keys.iter().collect::<Vec<_>>());
    let send = |client: &mut Client, key: &SigningKey, fee: u32| {
        let mut tx = client.transaction(key, vec![payment(key, Asset::Native, 1); 100]);
        tx.fee = fee;
        assert_eq!(client.status(&tx, key), "PENDING");
        client.sign(tx, &[]).tx.hash(client.ledger.network_id).map(|hash| json!(hex(hash))).unwrap()
    };
    let hashes: Vec<Value> = keys.iter().zip(0..).map(|(key, n)| send(&mut client, key, 10_000 + n * 1000)).collect();
    client.ledger.close().unwrap();
    assert_eq!(client.find(&hashes[0])["status"], "NOT_FOUND");
    for hash in &hashes[1..] {
        let found = client.find(hash);
        let charged: TransactionResult = from_base64(found["resultXdr"].as_str().unwrap()).unwrap();
        assert_eq!(charged.fee_charged, 11_000);
    }
    let stats = client.call("getFeeStats", json!({}));
    assert_eq!(stats["inclusionFee"]["max"], "110");
    client.ledger.close().unwrap();
    assert_eq!(client.find(&hashes[0])["status"], "SUCCESS");
}

#[test]
fn a_full_queue_takes_only_higher_bids() {
    // Room for two ledgers: twenty transactions of a hundred operations.
    let keys = keys(22);
    let mut client = slow(&keys.iter().collect::<Vec<_>>());
    let transaction = |client: &mut Client, key: &SigningKey, fee: u32| {
        let mut tx = client.transaction(key, vec![payment(key, Asset::Native, 1); 100]);
        tx.fee = fee;
        tx
    };
    for key in &keys[..20] {
        let tx = transaction(&mut client, key, 20_000);
        assert_eq!(client.status(&tx, key), "PENDING");
    }
    let same = transaction(&mut client, &keys[20], 20_000);
    let envelope = client.sign(same.clone(), &[&keys[20]]);
    let refused = client.send(TransactionEnvelope::Tx(envelope));
    assert_eq!(error_result(&refused), "TxInsufficientFee");
    let wanted: TransactionResult = from_base64(refused["errorResultXdr"].as_str().unwrap()).unwrap();
    assert_eq!(wanted.fee_charged, 20_001);
    assert_eq!(client.status(&same, &keys[20]), "TRY_AGAIN_LATER");
    let higher = transaction(&mut client, &keys[21], 20_001);
    assert_eq!(client.status(&higher, &keys[21]), "PENDING");
}

#[test]
fn what_is_not_taken_in_four_ledgers_is_dropped() {
    let keys = keys(12);
    let mut client = slow(&keys.iter().collect::<Vec<_>>());
    let low = {
        let tx = client.transaction(&keys[11], vec![payment(&keys[11], Asset::Native, 1); 100]);
        assert_eq!(client.status(&tx, &keys[11]), "PENDING");
        tx
    };
    for _ in 0..4 {
        for key in &keys[..10] {
            let mut tx = client.transaction(key, vec![payment(key, Asset::Native, 1); 100]);
            tx.fee = 20_000;
            assert_eq!(client.status(&tx, key), "PENDING");
        }
        client.ledger.close().unwrap();
    }
    assert_eq!(client.status(&low, &keys[11]), "TRY_AGAIN_LATER");
    client.ledger.close().unwrap();
    assert_eq!(client.account(&keys[11]).seq_num.0, low.seq_num.0 - 1);
}

#[test]
fn time_bounds_end_while_waiting() {
    let alice = key(1);
    let mut client = slow(&[&alice]);
    let mut tx = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
    let max_ledger = client.ledger.seq() + 2;
    tx.cond = Preconditions::V2(PreconditionsV2 {
        time_bounds: None,
        ledger_bounds: Some(LedgerBounds { min_ledger: 0, max_ledger }),
        min_seq_num: None,
        min_seq_age: Duration(0),
        min_seq_ledger_gap: 0,
        extra_signers: VecM::default(),
    });
    assert_eq!(client.status(&tx, &alice), "PENDING");
    client.ledger.advance(60).unwrap();
    assert_eq!(client.account(&alice).seq_num.0, tx.seq_num.0 - 1);
    let hash = json!(hex(tx.hash(client.ledger.network_id).unwrap()));
    assert_eq!(client.find(&hash)["status"], "NOT_FOUND");
}

#[test]
fn fees_are_charged_before_anything_is_applied() {
    let (alice, bob) = (key(1), key(2));
    let mut client = slow(&[&alice, &bob]);
    // Alice's two payers: what she owes for both is counted together.
    let own = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
    assert_eq!(client.status(&own, &alice), "PENDING");
    let tx = client.transaction(&bob, vec![payment(&bob, Asset::Native, 1)]);
    let inner = client.sign(tx, &[&bob]);
    let available = 100_000_000_000 - 10_000_000;
    let over = bump(&client, inner.clone(), &alice, available - 99);
    assert_eq!(error_result(&client.send(over)), "TxInsufficientBalance");
    assert_eq!(client.send(bump(&client, inner, &alice, available - 100))["status"], "PENDING");
}

#[test]
fn calls_that_touch_the_same_conflict_with_what_was_simulated() {
    let (alice, bob, carol) = (key(1), key(2), key(3));
    let mut client = slow(&[&alice, &bob, &carol]);
    let preimage = ContractIdPreimage::Asset(Asset::Native);
    let create = HostFunction::CreateContract(CreateContractArgs {
        contract_id_preimage: preimage.clone(),
        executable: ContractExecutable::StellarAsset,
    });
    // Both simulate a network without the contract; one of them is too late.
    let hashes: Vec<Value> = [&alice, &bob]
        .into_iter()
        .map(|key| {
            let tx = client.prepare(key, create.clone(), &[]);
            assert_eq!(client.status(&tx, key), "PENDING");
            json!(hex(tx.hash(client.ledger.network_id).unwrap()))
        })
        .collect();
    // A classic transaction is applied before both.
    let paid = send_payment(&mut client, &carol, 100);
    client.ledger.close().unwrap();
    let mut ends: Vec<_> = hashes.iter().map(|hash| client.find(hash)).collect();
    ends.sort_by_key(order);
    assert_eq!(order(&client.find(&paid)), 1);
    assert_eq!((&ends[0]["status"], order(&ends[0])), (&json!("SUCCESS"), 2));
    assert_eq!((&ends[1]["status"], order(&ends[1])), (&json!("FAILED"), 3));
    assert!(result(&ends[1]).contains("InvokeHostFunction(Trapped)"), "{}", result(&ends[1]));
}

#[test]
fn a_ledger_has_room_for_so_many_instructions() {
    let keys = keys(4);
    let mut client = slow(&keys.iter().collect::<Vec<_>>());
    let preimage = ContractIdPreimage::Asset(Asset::Native);
    let create = HostFunction::CreateContract(CreateContractArgs {
        contract_id_preimage: preimage.clone(),
        executable: ContractExecutable::StellarAsset,
    });
    let mut sent = vec![];
    for key in &keys[..3] {
        let mut tx = client.prepare(key, create.clone(), &[]);
        let data = soroban_data(&mut tx);
        data.resources.instructions = TX_MAX_INSTRUCTIONS;
        data.resource_fee += 1_000_000;
        tx.fee += 1_000_000;
        assert_eq!(client.status(&tx, key), "PENDING");
        sent.push(json!(hex(tx.hash(client.ledger.network_id).unwrap())));
    }
    // All write the same entry, so they share one thread's 580 million.
    for applied in 1..=3 {
        client.ledger.close().unwrap();
        let ends = sent.iter().filter(|hash| client.find(hash)["status"] != "NOT_FOUND").count();
        assert_eq!(ends, applied);
    }
}

#[test]
fn events_are_numbered_by_their_transactions() {
    let keys = keys(6);
    let mut client = Client::with_accounts(&keys.iter().collect::<Vec<_>>());
    let contract = client.deploy_asset(&keys[0], Asset::Native);
    client.ledger.options.ledger_seconds = 1000;
    client.ledger.close().unwrap();
    for from in &keys {
        let args = vec![address(from), address(&key(1)), amount(1)];
        let tx = client.prepare(from, call_contract(&contract, "transfer", args), &[]);
        assert_eq!(client.status(&tx, from), "PENDING");
    }
    client.ledger.close().unwrap();
    let (fees, events) = events_of(&mut client);
    let places: Vec<u64> = events.iter().map(|event| event["transactionIndex"].as_u64().unwrap()).collect();
    assert_eq!(places, [1, 2, 3, 4, 5, 6]);
    let ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    let seq = u64::from(client.ledger.seq());
    assert_eq!(ids[2], format!("{:019}-0000000000", seq << 32 | 3 << 12));
    for event in events {
        assert_eq!(client.find(&event["txHash"])["applicationOrder"], event["transactionIndex"]);
    }
    // Fees are before all, and refunds after all.
    let places: Vec<u64> = fees.iter().map(|event| event["transactionIndex"].as_u64().unwrap()).collect();
    assert_eq!(places, [[0; 6], [0xf_ffff; 6]].concat());
}

/// The fees, and the other events of the latest ledger.
fn events_of(client: &mut Client) -> (Vec<Value>, Vec<Value>) {
    let found = client.call("getEvents", json!({ "startLedger": client.ledger.seq() }));
    let fee = base64(&symbol("fee"));
    found["events"].as_array().unwrap().iter().cloned().partition(|event| event["topic"][0] == json!(fee))
}

#[test]
fn payments_and_fees_have_events_of_their_assets_contract() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let contract = client.deploy_asset(&alice, Asset::Native);
    let ScAddress::Contract(id) = &contract else { unreachable!() };
    client.classic(&alice, vec![payment(&bob, Asset::Native, 5)]);
    let (fees, moved) = events_of(&mut client);
    assert_eq!((fees.len(), moved.len()), (1, 1));
    let text = |value: &str| ScVal::String(ScString(value.try_into().unwrap()));
    let topics = [symbol("transfer"), address(&alice), address(&bob), text("native")].map(|topic| base64(&topic));
    assert_eq!((&moved[0]["topic"], &moved[0]["value"]), (&json!(topics), &json!(base64(&amount(5)))));
    assert_eq!((&moved[0]["contractId"], &fees[0]["contractId"]), (&json!(id.to_string()), &json!(id.to_string())));
    let topics = [symbol("fee"), address(&alice)].map(|topic| base64(&topic));
    assert_eq!((&fees[0]["topic"], &fees[0]["value"]), (&json!(topics), &json!(base64(&amount(100)))));

    // What the issuer pays is minted, and what a memo is for is said.
    let code = AlphaNum4 { asset_code: AssetCode4(*b"KWH\0"), issuer: account(&bob) };
    let line = ChangeTrustAsset::CreditAlphanum4(code.clone());
    client.classic(&alice, vec![OperationBody::ChangeTrust(ChangeTrustOp { line, limit: 100 })]);
    assert_eq!(events_of(&mut client).1, Vec::<Value>::new());
    let mut tx = client.transaction(&bob, vec![payment(&alice, Asset::CreditAlphanum4(code), 7)]);
    tx.memo = Memo::Id(9);
    client.apply(tx, &[&bob]);
    let name = text(&format!("KWH:{}", account(&bob)));
    let topics = [symbol("mint"), address(&alice), name].map(|topic| base64(&topic));
    let fields = ScMap::sorted_from(vec![(symbol("amount"), amount(7)), (symbol("to_muxed_id"), ScVal::U64(9))]);
    let value = base64(&ScVal::Map(Some(fields.unwrap())));
    let (_, moved) = events_of(&mut client);
    assert_eq!((&moved[0]["topic"], &moved[0]["value"]), (&json!(topics), &json!(value)));
}

#[test]
fn what_is_older_than_the_retention_is_forgotten() {
    let alice = key(1);
    let mut client = Client::with_options(Options { retention_ledgers: 100, ..Options::default() });
    client.fund(&alice).unwrap();
    let tx = client.transaction(&alice, vec![payment(&alice, Asset::Native, 1)]);
    let old = client.apply(tx, &[&alice]);
    let seq = old["ledger"].as_u64().unwrap() as u32;
    client.ledger.advance((99 - 1) * SECONDS_PER_LEDGER).unwrap();
    assert_eq!(client.find(&old["txHash"])["status"], "SUCCESS");
    client.ledger.advance(10 * SECONDS_PER_LEDGER).unwrap();
    assert_eq!(client.find(&old["txHash"])["status"], "NOT_FOUND");
    let health = client.call("getHealth", json!({}));
    let latest = client.ledger.seq();
    assert_eq!(health["oldestLedger"], latest - 99);
    assert_eq!(health["ledgerRetentionWindow"], 100);
    let closed: u64 = health["oldestLedgerCloseTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(closed, client.ledger.time() - 99 * SECONDS_PER_LEDGER);
    let range = format!("{} - {latest}", latest - 99);
    let error = &client.request("getEvents", json!({ "startLedger": seq }))["error"];
    assert_eq!(error["message"], format!("startLedger must be within the ledger range: {range}"));
    for method in ["getTransactions", "getLedgers"] {
        let error = &client.request(method, json!({ "startLedger": seq }))["error"];
        let bounds = format!("the oldest ledger: {} and the latest ledger: {latest}", latest - 99);
        assert_eq!(error["message"], format!("start ledger ({seq}) must be between {bounds} for this rpc instance"));
    }
}

#[test]
fn events_are_looked_for_in_ten_thousand_ledgers_at_a_time() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let contract = client.deploy_asset(&alice, Asset::Native);
    client.ledger.advance(25_000 * SECONDS_PER_LEDGER).unwrap();
    let args = vec![address(&alice), address(&bob), amount(1)];
    client.invoke(&alice, call_contract(&contract, "transfer", args), &[]);
    let mut pages = vec![];
    let filters = json!([{ "topics": [[base64(&symbol("transfer")), "**"]] }]);
    // Not those of friendbot.
    let mut params = json!({ "startLedger": 4, "filters": filters });
    loop {
        let page = client.call("getEvents", params.clone());
        pages.push(page["events"].as_array().unwrap().len());
        let cursor: u64 = page["cursor"].as_str().unwrap()[..19].parse().unwrap();
        if cursor >> 32 == u64::from(client.ledger.seq()) {
            break;
        }
        assert_eq!((cursor >> 32) as usize, pages.len() * 9_999 + 4);
        params = json!({ "filters": filters, "pagination": { "cursor": page["cursor"] } });
    }
    assert_eq!(pages, [0, 0, 1]);
}

#[test]
fn answers_are_given_as_json_where_that_is_asked_for() {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let paid = client.classic(&alice, vec![payment(&bob, Asset::Native, 5)]);
    let params = json!({ "hash": paid["txHash"], "xdrFormat": "json" });
    let found = client.call("getTransaction", params);
    let operation = &found["envelopeJson"]["tx"]["tx"]["operations"][0]["body"]["payment"];
    assert_eq!(operation["destination"], account(&bob).to_string());
    assert_eq!(found["resultJson"]["result"]["tx_success"].as_array().unwrap().len(), 1);
    assert!(found["envelopeXdr"].is_null());
}

#[test]
fn the_rate_of_rent_is_the_one_that_is_asked_for() {
    for rate in [1000, 10_000, 12_000] {
        let client = Client::with_options(Options { rent_rate: rate, ..Options::default() });
        assert_eq!(client.ledger.config.rent_fee_configuration.fee_per_rent_1kb, rate);
    }
}
