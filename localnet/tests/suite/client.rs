//! A minimal client: builds, signs and sends transactions.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{json, Value};

use localnet::jsonrpc::Calls;
use localnet::xdr::*;
use localnet::{friendbot, ledger::Ledger, rpc, Options};

pub struct Client {
    pub ledger: Ledger,
}

/// Keys made of one byte are plenty for tests.
pub fn key(byte: u8) -> SigningKey {
    SigningKey::from_bytes(&[byte; 32])
}

pub fn account(key: &SigningKey) -> AccountId {
    AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key.verifying_key().to_bytes())))
}

pub fn address(key: &SigningKey) -> ScVal {
    ScVal::Address(ScAddress::Account(account(key)))
}

pub fn muxed(key: &SigningKey) -> MuxedAccount {
    MuxedAccount::Ed25519(Uint256(key.verifying_key().to_bytes()))
}

pub fn symbol(name: &str) -> ScVal {
    ScVal::Symbol(ScSymbol(name.try_into().unwrap()))
}

pub fn amount(value: i64) -> ScVal {
    ScVal::I128(Int128Parts { hi: if value < 0 { -1 } else { 0 }, lo: value as u64 })
}

impl Client {
    pub fn new() -> Self {
        Self::with_options(Options::default())
    }

    pub fn with_options(options: Options) -> Self {
        Self { ledger: Ledger::new(options).unwrap() }
    }

    /// A network with these accounts funded.
    pub fn with_accounts(keys: &[&SigningKey]) -> Self {
        let mut client = Self::new();
        for key in keys {
            client.fund(key).unwrap();
        }
        client
    }

    pub fn fund(&mut self, key: &SigningKey) -> anyhow::Result<()> {
        let address = account(key).to_string();
        friendbot::fund(&mut self.ledger, &address).map(|_| ())
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let calls = Calls::parse(request.to_string().as_bytes()).unwrap();
        calls.answer(|method, params| rpc::call(&mut self.ledger, "http://localhost", method, params)).unwrap()
    }

    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let mut response = self.request(method, params);
        assert!(response["error"].is_null(), "{method}: {}", response["error"]);
        response["result"].take()
    }

    pub fn entry(&mut self, key: &LedgerKey) -> Option<(LedgerEntryData, Value)> {
        let result = self.call("getLedgerEntries", json!({ "keys": [base64(key)] }));
        let entry = result["entries"].get(0)?.clone();
        Some((from_base64(entry["xdr"].as_str()?).unwrap(), entry))
    }

    pub fn account(&mut self, key: &SigningKey) -> AccountEntry {
        let ledger_key = LedgerKey::Account(LedgerKeyAccount { account_id: account(key) });
        match self.entry(&ledger_key) {
            Some((LedgerEntryData::Account(account), _)) => account,
            other => panic!("no account: {other:?}"),
        }
    }

    pub fn transaction(&mut self, source: &SigningKey, bodies: Vec<OperationBody>) -> Transaction {
        let operation = |body| Operation { source_account: None, body };
        Transaction {
            source_account: muxed(source),
            fee: 100 * bodies.len() as u32,
            seq_num: SequenceNumber(self.account(source).seq_num.0 + 1),
            cond: Preconditions::None,
            memo: Memo::None,
            operations: list(bodies.into_iter().map(operation).collect()),
            ext: TransactionExt::V0,
        }
    }

    pub fn sign(&self, tx: Transaction, signers: &[&SigningKey]) -> TransactionV1Envelope {
        let hash = tx.hash(self.ledger.network_id).unwrap();
        let signatures = signers.iter().map(|key| decorated(key, hash)).collect();
        TransactionV1Envelope { tx, signatures: list(signatures) }
    }

    pub fn send(&mut self, envelope: TransactionEnvelope) -> Value {
        self.call("sendTransaction", json!({ "transaction": base64(&envelope) }))
    }

    /// Sends, and returns the transaction as it was applied.
    pub fn apply(&mut self, tx: Transaction, signers: &[&SigningKey]) -> Value {
        let envelope = self.sign(tx, signers);
        let sent = self.send(TransactionEnvelope::Tx(envelope));
        assert_eq!(sent["status"], "PENDING", "{}", error_result(&sent));
        self.find(&sent["hash"])
    }

    pub fn find(&mut self, hash: &Value) -> Value {
        self.call("getTransaction", json!({ "hash": hash }))
    }

    /// The status of a transaction that is sent, signed by its source.
    pub fn status(&mut self, tx: &Transaction, signer: &SigningKey) -> String {
        let envelope = self.sign(tx.clone(), &[signer]);
        self.send(TransactionEnvelope::Tx(envelope))["status"].as_str().unwrap().to_string()
    }

    /// The result of a transaction that must be refused.
    pub fn refuse(&mut self, tx: Transaction, signers: &[&SigningKey]) -> String {
        let envelope = self.sign(tx, signers);
        let sent = self.send(TransactionEnvelope::Tx(envelope));
        assert_eq!(sent["status"], "ERROR");
        error_result(&sent)
    }

    pub fn classic(&mut self, source: &SigningKey, bodies: Vec<OperationBody>) -> Value {
        let tx = self.transaction(source, bodies);
        self.apply(tx, &[source])
    }

    pub fn simulate(&mut self, tx: &Transaction) -> Value {
        let envelope = TransactionV1Envelope { tx: tx.clone(), signatures: VecM::default() };
        let text = base64(&TransactionEnvelope::Tx(envelope));
        self.call("simulateTransaction", json!({ "transaction": text }))
    }

    /// Simulates and fills in authorization, resources and fee, as SDKs do.
    /// Entries of other accounts are signed by `others`.
    pub fn prepare(&mut self, source: &SigningKey, function: HostFunction, others: &[&SigningKey]) -> Transaction {
        let op = InvokeHostFunctionOp { host_function: function, auth: VecM::default() };
        let mut tx = self.transaction(source, vec![OperationBody::InvokeHostFunction(op)]);
        let simulated = self.simulate(&tx);
        let entries = simulated["results"][0]["auth"].as_array();
        let entries = entries.unwrap_or_else(|| panic!("simulation failed: {simulated}"));
        let signed = entries.iter().map(|entry| {
            let entry = from_base64(entry.as_str().unwrap()).unwrap();
            self.sign_entry(entry, others)
        });
        set_auth(&mut tx, signed.collect());
        self.fill_resources(&mut tx);
        tx
    }

    pub fn fill_resources(&mut self, tx: &mut Transaction) {
        let simulated = self.simulate(tx);
        let data = simulated["transactionData"].as_str();
        let data = data.unwrap_or_else(|| panic!("simulation failed: {simulated}"));
        let data: SorobanTransactionData = from_base64(data).unwrap();
        tx.fee = 100 + data.resource_fee as u32;
        tx.ext = TransactionExt::V1(data);
    }

    pub fn invoke(&mut self, source: &SigningKey, function: HostFunction, others: &[&SigningKey]) -> Value {
        let tx = self.prepare(source, function, others);
        self.apply(tx, &[source])
    }

    /// The value a call returns when simulated.
    pub fn read(&mut self, source: &SigningKey, function: HostFunction) -> ScVal {
        let op = InvokeHostFunctionOp { host_function: function, auth: VecM::default() };
        let tx = self.transaction(source, vec![OperationBody::InvokeHostFunction(op)]);
        let simulated = self.simulate(&tx);
        let value = simulated["results"][0]["xdr"].as_str();
        from_base64(value.unwrap_or_else(|| panic!("simulation failed: {simulated}"))).unwrap()
    }

    fn sign_entry(&self, entry: SorobanAuthorizationEntry, keys: &[&SigningKey]) -> SorobanAuthorizationEntry {
        let SorobanCredentials::Address(credentials) = &entry.credentials else {
            return entry;
        };
        let owner = |key: &&&SigningKey| ScAddress::Account(account(key)) == credentials.address;
        match keys.iter().find(owner) {
            Some(key) => self.sign_entry_with(entry, key),
            None => entry,
        }
    }

    pub fn sign_entry_with(&self, mut entry: SorobanAuthorizationEntry, key: &SigningKey) -> SorobanAuthorizationEntry {
        let SorobanCredentials::Address(credentials) = &mut entry.credentials else {
            return entry;
        };
        credentials.signature_expiration_ledger = self.ledger.seq() + 100;
        let preimage = HashIdPreimage::SorobanAuthorization(HashIdPreimageSorobanAuthorization {
            network_id: Hash(self.ledger.network_id),
            nonce: credentials.nonce,
            signature_expiration_ledger: credentials.signature_expiration_ledger,
            invocation: entry.root_invocation.clone(),
        });
        let signature = key.sign(&sha256(&encode(&preimage))).to_bytes();
        let bytes = |bytes: &[u8]| ScVal::Bytes(ScBytes(bytes.try_into().unwrap()));
        let fields = ScMap::sorted_from(vec![
            (symbol("public_key"), bytes(key.verifying_key().as_bytes())),
            (symbol("signature"), bytes(&signature)),
        ]);
        let signature = ScVal::Map(Some(fields.unwrap()));
        credentials.signature = ScVal::Vec(Some(ScVec(list(vec![signature]))));
        entry
    }

    pub fn deploy_asset(&mut self, source: &SigningKey, asset: Asset) -> ScAddress {
        let preimage = ContractIdPreimage::Asset(asset);
        self.deploy(source, preimage, ContractExecutable::StellarAsset)
    }

    /// Deploys a contract and returns its address.
    pub fn deploy(
        &mut self,
        source: &SigningKey,
        preimage: ContractIdPreimage,
        executable: ContractExecutable,
    ) -> ScAddress {
        let function =
            HostFunction::CreateContract(CreateContractArgs { contract_id_preimage: preimage.clone(), executable });
        let deployed = self.invoke(source, function, &[]);
        assert_eq!(deployed["status"], "SUCCESS", "{}", result(&deployed));
        let preimage = HashIdPreimage::ContractId(HashIdPreimageContractId {
            network_id: Hash(self.ledger.network_id),
            contract_id_preimage: preimage,
        });
        ScAddress::Contract(ContractId(Hash(sha256(&encode(&preimage)))))
    }
}

/// The authorization entries of a transaction's only operation.
pub fn auth(tx: &Transaction) -> Vec<SorobanAuthorizationEntry> {
    match &tx.operations[0].body {
        OperationBody::InvokeHostFunction(op) => op.auth.to_vec(),
        body => panic!("not an invocation: {body:?}"),
    }
}

pub fn set_auth(tx: &mut Transaction, auth: Vec<SorobanAuthorizationEntry>) {
    let mut operation = tx.operations[0].clone();
    if let OperationBody::InvokeHostFunction(op) = &mut operation.body {
        op.auth = list(auth);
    }
    tx.operations = list(vec![operation]);
}

pub fn call_contract(contract: &ScAddress, name: &str, args: Vec<ScVal>) -> HostFunction {
    HostFunction::InvokeContract(InvokeContractArgs {
        contract_address: contract.clone(),
        function_name: ScSymbol(name.try_into().unwrap()),
        args: list(args),
    })
}

pub fn payment(to: &SigningKey, asset: Asset, amount: i64) -> OperationBody {
    OperationBody::Payment(PaymentOp { destination: muxed(to), asset, amount })
}

/// A fee bump, signed.
pub fn bump(client: &Client, inner: TransactionV1Envelope, payer: &SigningKey, fee: i64) -> TransactionEnvelope {
    let tx = FeeBumpTransaction {
        fee_source: muxed(payer),
        fee,
        inner_tx: FeeBumpTransactionInnerTx::Tx(inner),
        ext: FeeBumpTransactionExt::V0,
    };
    let signature = decorated(payer, tx.hash(client.ledger.network_id).unwrap());
    TransactionEnvelope::TxFeeBump(FeeBumpTransactionEnvelope { tx, signatures: list(vec![signature]) })
}

pub fn decorated(key: &SigningKey, hash: [u8; 32]) -> DecoratedSignature {
    DecoratedSignature {
        hint: SignatureHint(key.verifying_key().to_bytes()[28..].try_into().unwrap()),
        signature: Signature(key.sign(&hash).to_bytes().to_vec().try_into().unwrap()),
    }
}

pub fn soroban_data(tx: &mut Transaction) -> &mut SorobanTransactionData {
    match &mut tx.ext {
        TransactionExt::V1(data) => data,
        TransactionExt::V0 => panic!("not a contract transaction"),
    }
}

pub fn result(transaction: &Value) -> String {
    let result: TransactionResult = from_base64(transaction["resultXdr"].as_str().unwrap()).unwrap();
    format!("{:?}", result.result)
}

pub fn error_result(sent: &Value) -> String {
    let Some(text) = sent["errorResultXdr"].as_str() else {
        return String::new();
    };
    let result: TransactionResult = from_base64(text).unwrap();
    format!("{:?}", result.result)
}
