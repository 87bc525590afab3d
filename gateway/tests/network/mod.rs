//! A local network of a test's own, with the contract on it: programs that LOCALNET and WASM name.

#![allow(dead_code, reason = "not every test needs all of it")]

pub mod scene;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use p2p_gateway::chain::call::Contract;
use p2p_gateway::chain::rpc::{Outcome, Rpc, Sent, Simulated};
use sha2::{Digest, Sha256};
use stellar_xdr::*;

pub const PASSPHRASE: &str = "Standalone Network ; February 2017";

/// A signature ends so many ledgers after it was asked for.
const EXPIRES: u32 = 10_000;

/// What a call may cost beyond its simulation, in stroops.
const ROOM: u32 = 500_000;

pub struct Network {
    program: Child,
    pub url: String,
    pub rpc: Rpc,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A path that the environment names.
pub fn path(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run these tests by make test-gateway"))
}

impl Network {
    pub fn start(args: &[&str]) -> Self {
        let mut program = Command::new(path("LOCALNET"))
            .args(["--port", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the local network starts");
        let mut lines = BufReader::new(program.stdout.take().expect("its output")).lines();
        let ready =
            lines.find_map(|line| line.ok()?.split_once("ready at ")?.1.split_whitespace().next().map(String::from));
        let url = ready.expect("the network says where it is");
        std::thread::spawn(move || lines.for_each(drop));
        Self { program, rpc: Rpc::new(std::slice::from_ref(&url), PASSPHRASE), url }
    }

    /// With SIGKILL, as a power cut ends it.
    pub fn kill(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }

    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Where what is not RPC is answered.
    fn at(&self, path: &str) -> String {
        self.url.replace("/rpc", path)
    }

    pub fn advance(&self, seconds: u64) {
        let url = self.at(&format!("/advance?seconds={seconds}"));
        ureq::post(&url).send_empty().expect("the clock is moved");
    }

    /// The next midnight comes, and ten minutes more: by any season's sun it is dark, so that no second makes a difference.
    pub fn night(&self) {
        const DAY: u64 = 86_400;
        self.advance(DAY + 600 - self.now() % DAY);
    }

    pub fn now(&self) -> u64 {
        self.rpc.latest().expect("the network answers").close
    }

    /// A key with 10,000 XLM.
    pub fn person(&self, seed: u64) -> SigningKey {
        let key = SigningKey::from_bytes(&Sha256::digest(seed.to_be_bytes()).into());
        let url = self.at(&format!("/friendbot?addr={}", address(&key)));
        ureq::get(&url).call().expect("an account is made");
        key
    }

    /// Does this by the key's account; others that have to agree sign as well.
    pub fn submit(&self, key: &SigningKey, function: HostFunction, others: &[&SigningKey]) -> ScVal {
        let source = key.verifying_key().to_bytes();
        let account = self.rpc.account(&source).unwrap().expect("the account is there");
        let operation = |auth: Vec<SorobanAuthorizationEntry>| Operation {
            source_account: None,
            body: OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
                host_function: function.clone(),
                auth: auth.try_into().unwrap(),
            }),
        };
        let mut transaction = Transaction {
            source_account: MuxedAccount::Ed25519(Uint256(source)),
            fee: ROOM,
            seq_num: SequenceNumber(account.sequence + 1),
            cond: Preconditions::None,
            memo: Memo::None,
            operations: vec![operation(vec![])].try_into().unwrap(),
            ext: TransactionExt::V0,
        };
        let simulated = |transaction: &Transaction| match self.rpc.simulate(transaction).unwrap() {
            Simulated::Succeeds(simulation) => simulation,
            other => panic!("{other:?}"),
        };
        let asked = simulated(&transaction);
        let sign = |entry| sign_entry(entry, others, asked.ledger + EXPIRES);
        let auth: Vec<_> = asked.auth.iter().cloned().map(sign).collect();
        transaction.operations = vec![operation(auth)].try_into().unwrap();
        let simulation = simulated(&transaction);
        let mut data = simulation.transaction_data.clone();
        transaction.fee = u32::try_from(simulation.min_resource_fee).expect("a fee") + ROOM;
        data.resource_fee = i64::from(transaction.fee - 1_000);
        transaction.ext = TransactionExt::V1(data);
        let signed = Contract::new(ContractId(Hash([0; 32])), PASSPHRASE).sign(transaction, key);
        let sent = self.rpc.send(&signed.envelope).unwrap();
        assert_eq!(sent, Sent::Pending);
        for _ in 0..600 {
            match self.rpc.transaction(&signed.hash).unwrap().outcome {
                Outcome::Succeeded => return simulation.value,
                Outcome::Failed => panic!("failed: {function:.300?}"),
                Outcome::NotFound => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        panic!("the call is not in a ledger")
    }

    /// The contract, initialised by this admin, and paid in XLM.
    pub fn deploy(&self, admin: &SigningKey) -> Contract {
        let wasm = std::fs::read(path("WASM")).expect("the contract's Wasm");
        let hash = Hash(Sha256::digest(&wasm).into());
        self.submit(admin, HostFunction::UploadContractWasm(wasm.try_into().unwrap()), &[]);
        let create = |preimage, executable| {
            HostFunction::CreateContract(CreateContractArgs { contract_id_preimage: preimage, executable })
        };
        let native = create(ContractIdPreimage::Asset(Asset::Native), ContractExecutable::StellarAsset);
        let token = self.submit(admin, native, &[]);
        let preimage = ContractIdPreimage::Address(ContractIdPreimageFromAddress {
            address: sc_address(admin),
            salt: Uint256([7; 32]),
        });
        let id = self.submit(admin, create(preimage, ContractExecutable::Wasm(hash)), &[]);
        let ScVal::Address(ScAddress::Contract(id)) = id else { panic!("{id:?}") };
        let contract = Contract::new(id, PASSPHRASE);
        self.call(&contract, admin, "initialize", [ScVal::Address(sc_address(admin)), token], &[]);
        contract
    }

    /// Pays stroops of XLM.
    pub fn pay(&self, from: &SigningKey, to: &SigningKey, stroops: i64) {
        let preimage = HashIdPreimage::ContractId(HashIdPreimageContractId {
            network_id: Hash(Sha256::digest(PASSPHRASE).into()),
            contract_id_preimage: ContractIdPreimage::Asset(Asset::Native),
        });
        let id = ContractId(Hash(Sha256::digest(preimage.to_xdr(Limits::none()).unwrap()).into()));
        let amount = ScVal::I128(Int128Parts { hi: 0, lo: u64::try_from(stroops).expect("an amount") });
        let args = [ScVal::Address(sc_address(from)), ScVal::Address(sc_address(to)), amount];
        self.call(&Contract::new(id, PASSPHRASE), from, "transfer", args, &[]);
    }

    pub fn call(
        &self,
        contract: &Contract,
        key: &SigningKey,
        function: &str,
        args: impl IntoIterator<Item = ScVal>,
        others: &[&SigningKey],
    ) -> ScVal {
        self.submit(key, HostFunction::InvokeContract(contract.call(function, args)), others)
    }

    /// What the contract shows, read by nobody's account.
    pub fn show(&self, contract: &Contract, function: &str, args: impl IntoIterator<Item = ScVal>) -> ScVal {
        let call = contract.call(function, args);
        let transaction = p2p_gateway::chain::call::transaction(&[1; 32], 0, &call, 0);
        match self.rpc.simulate(&transaction).unwrap() {
            Simulated::Succeeds(simulation) => simulation.value,
            other => panic!("{other:?}"),
        }
    }

    pub fn balance(&self, key: &SigningKey) -> i64 {
        self.rpc.account(&key.verifying_key().to_bytes()).unwrap().map_or(0, |account| account.balance)
    }
}

pub fn sc_address(key: &SigningKey) -> ScAddress {
    p2p_gateway::gateway::account(&key.verifying_key().to_bytes())
}

pub fn address(key: &SigningKey) -> String {
    sc_address(key).to_string()
}

/// An entry that asks for the signature of one of these is signed by it.
fn sign_entry(
    mut entry: SorobanAuthorizationEntry,
    signers: &[&SigningKey],
    expires: u32,
) -> SorobanAuthorizationEntry {
    let SorobanCredentials::Address(credentials) = &mut entry.credentials else { return entry };
    let signer = signers.iter().find(|key| sc_address(key) == credentials.address).expect("somebody else has to sign");
    credentials.signature_expiration_ledger = expires;
    let preimage = HashIdPreimage::SorobanAuthorization(HashIdPreimageSorobanAuthorization {
        network_id: Hash(Sha256::digest(PASSPHRASE).into()),
        nonce: credentials.nonce,
        signature_expiration_ledger: credentials.signature_expiration_ledger,
        invocation: entry.root_invocation.clone(),
    });
    let payload = Sha256::digest(preimage.to_xdr(Limits::none()).unwrap());
    let bytes = |bytes: &[u8]| ScVal::Bytes(ScBytes(bytes.to_vec().try_into().unwrap()));
    let field = |name: &str, value| ScMapEntry { key: ScVal::Symbol(ScSymbol(name.try_into().unwrap())), val: value };
    let public = signer.verifying_key().to_bytes();
    let signature = signer.sign(&payload).to_bytes();
    let map = vec![field("public_key", bytes(&public)), field("signature", bytes(&signature))];
    let map = ScVal::Map(Some(ScMap(map.try_into().unwrap())));
    credentials.signature = ScVal::Vec(Some(ScVec(vec![map].try_into().unwrap())));
    entry
}
