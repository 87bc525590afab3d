//! Contract invocations: authorization, limits, fees, expiry and events.

use ed25519_dalek::SigningKey;
use serde_json::{json, Value};

use super::client::*;
use localnet::xdr::*;

const DAY: u64 = 86_400;

/// Alice and Bob on a network with the lumen contract deployed.
fn setup() -> (Client, SigningKey, SigningKey, ScAddress) {
    let (alice, bob) = (key(1), key(2));
    let mut client = Client::with_accounts(&[&alice, &bob]);
    let contract = client.deploy_asset(&alice, Asset::Native);
    (client, alice, bob, contract)
}

fn transfer(contract: &ScAddress, from: ScVal, to: ScVal, value: i64) -> HostFunction {
    call_contract(contract, "transfer", vec![from, to, amount(value)])
}

/// An address that only exists as a balance of the contract.
fn stranger() -> ScVal {
    ScVal::Address(ScAddress::Contract(ContractId(Hash([9; 32]))))
}

fn return_value(transaction: &Value) -> Option<ScVal> {
    let meta: TransactionMeta = from_base64(transaction["resultMetaXdr"].as_str().unwrap()).unwrap();
    match meta {
        TransactionMeta::V4(meta) => meta.soroban_meta?.return_value,
        _ => None,
    }
}

#[test]
fn another_account_authorizes_by_signing_its_entry() {
    let (mut client, alice, bob, contract) = setup();
    let function = transfer(&contract, address(&bob), address(&alice), 1000);
    let before = (client.account(&alice), client.account(&bob));
    let done = client.invoke(&alice, function.clone(), &[&bob]);
    assert_eq!(done["status"], "SUCCESS", "{}", result(&done));
    assert_eq!(return_value(&done), Some(ScVal::Void));
    assert_eq!(client.account(&bob).balance, before.1.balance - 1000);
    // Alice paid the fee that the result says, out of a larger one declared.
    let charged: TransactionResult = from_base64(done["resultXdr"].as_str().unwrap()).unwrap();
    let after = client.account(&alice);
    assert_eq!(after.balance, before.0.balance + 1000 - charged.fee_charged);

    // The same, signed by the wrong key.
    let mut tx = client.prepare(&alice, function, &[&bob]);
    let forged = auth(&tx).into_iter().map(|entry| client.sign_entry_with(entry, &alice));
    set_auth(&mut tx, forged.collect());
    let (before, bob_before) = (client.account(&alice), client.account(&bob));
    let forged = client.apply(tx, &[&alice]);
    assert_eq!(forged["status"], "FAILED");
    assert!(result(&forged).contains("InvokeHostFunction(Trapped)"));
    assert_eq!(client.account(&bob), bob_before);
    assert_eq!(client.account(&alice).seq_num.0, before.seq_num.0 + 1);
    assert!(client.account(&alice).balance < before.balance);
    assert!(!forged["diagnosticEventsXdr"].as_array().unwrap().is_empty());
}

#[test]
fn contract_errors_are_reported_by_simulation() {
    let (mut client, alice, bob, contract) = setup();
    let function = transfer(&contract, address(&alice), address(&bob), i64::MAX);
    let op = InvokeHostFunctionOp { host_function: function, auth: VecM::default() };
    let tx = client.transaction(&alice, vec![OperationBody::InvokeHostFunction(op)]);
    let simulated = client.simulate(&tx);
    let error = simulated["error"].as_str().unwrap();
    assert!(error.starts_with("HostError: Error(Contract, #10)"), "{error}");
    assert!(error.contains("Event log (newest first):\n   0: "), "{error}");
}

#[test]
fn declared_resources_are_enforced() {
    let (mut client, alice, bob, contract) = setup();
    let function = transfer(&contract, address(&alice), address(&bob), 10);
    let tx = client.prepare(&alice, function, &[]);
    let attempt = |change: &dyn Fn(&mut SorobanTransactionData)| {
        let mut tx = tx.clone();
        change(soroban_data(&mut tx));
        tx
    };
    // Beyond the network's limits, or paying too little: refused.
    let over = attempt(&|data| data.resources.instructions = 400_000_001);
    assert_eq!(client.refuse(over, &[&alice]), "TxSorobanInvalid");
    let underpaid = attempt(&|data| data.resource_fee = 1000);
    assert_eq!(client.refuse(underpaid, &[&alice]), "TxSorobanInvalid");
    let unsorted = attempt(&|data| {
        let archived_soroban_entries = list(vec![7]);
        data.ext = SorobanTransactionDataExt::V1(SorobanResourcesExtV0 { archived_soroban_entries });
    });
    assert_eq!(client.refuse(unsorted, &[&alice]), "TxSorobanInvalid");
    // Within them, but not enough for the call: failed.
    let resources: [fn(&mut SorobanResources) -> &mut u32; 3] =
        [|r| &mut r.instructions, |r| &mut r.disk_read_bytes, |r| &mut r.write_bytes];
    for resource in resources {
        let mut tx = attempt(&|data| *resource(&mut data.resources) = 10);
        tx.seq_num.0 = client.account(&alice).seq_num.0 + 1;
        let failed = client.apply(tx, &[&alice]);
        assert!(result(&failed).contains("InvokeHostFunction(ResourceLimitExceeded)"));
    }
    // A footprint that lacks a key the call needs.
    let mut partial = attempt(&|data| {
        let keys = data.resources.footprint.read_write.to_vec();
        data.resources.footprint.read_write = list(keys[1..].to_vec());
    });
    partial.seq_num.0 = client.account(&alice).seq_num.0 + 1;
    let failed = client.apply(partial, &[&alice]);
    assert!(result(&failed).contains("InvokeHostFunction(Trapped)"));
}

#[test]
fn rent_has_to_be_paid_for() {
    let (mut client, alice, _, contract) = setup();
    // A new balance entry, whose rent is most of the resource fee.
    let function = transfer(&contract, address(&alice), stranger(), 10);
    let mut tx = client.prepare(&alice, function, &[]);
    soroban_data(&mut tx).resource_fee /= 2;
    let failed = client.apply(tx, &[&alice]);
    assert!(result(&failed).contains("InvokeHostFunction(InsufficientRefundableFee)"));
}

/// The smallest contract: a function `f` that returns true.
fn tiny_wasm() -> Vec<u8> {
    let version = ScEnvMetaEntryInterfaceVersion { protocol: 22, pre_release: 0 };
    let meta = encode(&ScEnvMetaEntry::ScEnvMetaKindInterfaceVersion(version));
    let name = b"contractenvmetav0";
    let custom = [&[name.len() as u8], &name[..], &meta[..]].concat();
    [
        b"\0asm\x01\0\0\0".as_slice(),
        &[1, 5, 1, 0x60, 0, 1, 0x7e],     // types: () -> i64
        &[3, 2, 1, 0],                    // functions: one, of that type
        &[7, 5, 1, 1, b'f', 0, 0],        // exports: it, as "f"
        &[10, 6, 1, 4, 0, 0x42, 1, 0x0b], // code: i64.const 1
        &[0, custom.len() as u8],         // custom section
        &custom,
    ]
    .concat()
}

#[test]
fn wasm_is_uploaded_deployed_and_run() {
    let alice = key(1);
    let mut client = Client::with_accounts(&[&alice]);
    let wasm = tiny_wasm();
    let hash = Hash(sha256(&wasm));
    let upload = HostFunction::UploadContractWasm(wasm.try_into().unwrap());
    let uploaded = client.invoke(&alice, upload, &[]);
    assert_eq!(uploaded["status"], "SUCCESS", "{}", result(&uploaded));
    let preimage = ContractIdPreimage::Address(ContractIdPreimageFromAddress {
        address: ScAddress::Account(account(&alice)),
        salt: Uint256([7; 32]),
    });
    let contract = client.deploy(&alice, preimage, ContractExecutable::Wasm(hash));
    let called = client.invoke(&alice, call_contract(&contract, "f", vec![]), &[]);
    assert_eq!(called["status"], "SUCCESS", "{}", result(&called));
    assert_eq!(return_value(&called), Some(ScVal::Bool(true)));
}

#[test]
fn oversized_wasm_is_refused() {
    let alice = key(1);
    let mut client = Client::with_accounts(&[&alice]);
    let wasm = vec![0_u8; 131_073];
    let host_function = HostFunction::UploadContractWasm(wasm.try_into().unwrap());
    let op = InvokeHostFunctionOp { host_function, auth: VecM::default() };
    let mut tx = client.transaction(&alice, vec![OperationBody::InvokeHostFunction(op)]);
    assert!(client.simulate(&tx)["error"].is_string());
    tx.fee = 10_000_000;
    tx.ext = TransactionExt::V1(SorobanTransactionData {
        ext: SorobanTransactionDataExt::V0,
        resources: SorobanResources {
            footprint: LedgerFootprint::default(),
            instructions: 1_000_000,
            disk_read_bytes: 0,
            write_bytes: 0,
        },
        resource_fee: 9_000_000,
    });
    assert!(client.refuse(tx, &[&alice]).contains("InvokeHostFunction(Malformed)"));
}

#[test]
fn archived_entries_are_restored_when_listed() {
    let (mut client, alice, _, contract) = setup();
    let pay = transfer(&contract, address(&alice), stranger(), 10);
    client.invoke(&alice, pay.clone(), &[]);
    let fresh = client.prepare(&alice, pay.clone(), &[]);
    client.ledger.advance(200 * DAY).unwrap();

    // The old footprint does not list what has been archived since.
    let failed = client.apply(fresh, &[&alice]);
    assert!(result(&failed).contains("InvokeHostFunction(EntryArchived)"));
    let mut tx = client.prepare(&alice, pay, &[]);
    let SorobanTransactionDataExt::V1(ext) = &soroban_data(&mut tx).ext else { panic!("nothing to restore") };
    assert_eq!(ext.archived_soroban_entries.len(), 2);
    let paid = client.apply(tx, &[&alice]);
    assert_eq!(paid["status"], "SUCCESS", "{}", result(&paid));
    let balance = call_contract(&contract, "balance", vec![stranger()]);
    let ScVal::I128(value) = client.read(&alice, balance) else { panic!("no balance") };
    assert_eq!(value.lo, 20);
}

#[test]
fn entries_can_be_extended_and_restored() {
    let (mut client, alice, _, contract) = setup();
    let instance = LedgerKey::ContractData(LedgerKeyContractData {
        contract,
        key: ScVal::LedgerKeyContractInstance,
        durability: ContractDataDurability::Persistent,
    });
    let live_until = |client: &mut Client| {
        let (_, entry) = client.entry(&instance).unwrap();
        entry["liveUntilLedgerSeq"].as_u64().unwrap()
    };
    let footprint = |body: OperationBody, client: &mut Client| {
        let mut tx = client.transaction(&alice, vec![body]);
        let key = list(vec![instance.clone()]);
        let (read_only, read_write) = match &tx.operations[0].body {
            OperationBody::ExtendFootprintTtl(_) => (key, VecM::default()),
            _ => (VecM::default(), key),
        };
        let footprint = LedgerFootprint { read_only, read_write };
        let resources = SorobanResources { footprint, ..Default::default() };
        tx.ext = TransactionExt::V1(SorobanTransactionData { resources, ..Default::default() });
        client.fill_resources(&mut tx);
        client.apply(tx, &[&alice])
    };
    let extend = ExtendFootprintTtlOp { ext: ExtensionPoint::V0, extend_to: 2_500_000 };
    let extended = footprint(OperationBody::ExtendFootprintTtl(extend), &mut client);
    assert_eq!(extended["status"], "SUCCESS", "{}", result(&extended));
    assert_eq!(live_until(&mut client), extended["ledger"].as_u64().unwrap() + 2_500_000);

    client.ledger.advance(200 * DAY).unwrap();
    assert_eq!(live_until(&mut client), 0);
    let restore = RestoreFootprintOp { ext: ExtensionPoint::V0 };
    let restored = footprint(OperationBody::RestoreFootprint(restore), &mut client);
    assert_eq!(restored["status"], "SUCCESS", "{}", result(&restored));
    assert_eq!(live_until(&mut client), restored["ledger"].as_u64().unwrap() + 2_073_599);
}

#[test]
fn temporary_entries_vanish() {
    let (mut client, alice, bob, contract) = setup();
    let until = ScVal::U32(client.ledger.seq() + 1000);
    let args = vec![address(&alice), address(&bob), amount(50), until];
    client.invoke(&alice, call_contract(&contract, "approve", args), &[]);
    let allowance = call_contract(&contract, "allowance", vec![address(&alice), address(&bob)]);
    assert_eq!(client.read(&alice, allowance.clone()), amount(50));
    client.ledger.advance(2 * DAY).unwrap();
    assert_eq!(client.read(&alice, allowance), amount(0));
    // The next ledger that changes the state evicts them.
    let paid = client.classic(&alice, vec![payment(&bob, Asset::Native, 1)]);
    let listed = client.call("getLedgers", json!({ "startLedger": paid["ledger"] }));
    let meta = from_base64(listed["ledgers"][0]["metadataXdr"].as_str().unwrap()).unwrap();
    let LedgerCloseMeta::V2(meta) = meta else { panic!("another version") };
    let temporary = |key: &&LedgerKey| matches!(key, LedgerKey::ContractData(data) if data.durability == ContractDataDurability::Temporary);
    // With each goes the entry of its life. The nonce was recorded, too.
    let evicted = meta.evicted_keys.iter().filter(temporary).count();
    assert_eq!((evicted, meta.evicted_keys.len()), (1, 2));
}

#[test]
fn events_are_filtered_and_paged() {
    let (mut client, alice, bob, contract) = setup();
    for value in [1, 2, 3] {
        client.invoke(&alice, transfer(&contract, address(&alice), address(&bob), value), &[]);
    }
    let ScAddress::Contract(id) = &contract else { unreachable!() };
    let id = id.to_string();
    let first = client.ledger.seq() - 2;
    let mut query = |mut filter: Value, pagination: Value, start: Option<u32>| {
        // Without the events of fees and of friendbot.
        if filter["topics"].is_null() {
            filter["topics"] = json!([[base64(&symbol("transfer")), "**"]]);
        }
        let start = start.map(|_| first);
        let filters = json!([filter]);
        let params = json!({ "startLedger": start, "filters": filters, "pagination": pagination });
        let result = client.call("getEvents", params);
        (result["events"].as_array().unwrap().clone(), result["cursor"].clone())
    };
    let named = |name: &str| base64(&symbol(name));
    let topics = |topics: Value| json!({ "contractIds": [id], "topics": [topics] });
    let exact = topics(json!([named("transfer"), base64(&address(&alice)), "*", "*"]));
    assert_eq!(query(exact, json!({}), Some(1)).0.len(), 3);
    assert_eq!(query(topics(json!([named("transfer"), "**"])), json!({}), Some(1)).0.len(), 3);
    assert_eq!(query(topics(json!(["*"])), json!({}), Some(1)).0.len(), 0);
    assert_eq!(query(topics(json!([named("mint"), "**"])), json!({}), Some(1)).0.len(), 0);
    assert_eq!(query(json!({ "type": "system" }), json!({}), Some(1)).0.len(), 0);

    let (first, cursor) = query(json!({}), json!({ "limit": 2 }), Some(1));
    assert_eq!(first.len(), 2);
    let (rest, cursor) = query(json!({}), json!({ "limit": 2, "cursor": cursor }), None);
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["value"], base64(&amount(3)));
    assert!(query(json!({}), json!({ "cursor": cursor }), None).0.is_empty());
}
