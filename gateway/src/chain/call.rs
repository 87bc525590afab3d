//! The one call that a gateway signs, `deliver_energy`: built, compared with its simulation, and signed. Of what is signed
//! the RPC's answer chooses resources and a fee below the limit, and nothing else.

use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use stellar_xdr::*;
use thiserror::Error;

use super::rpc::Simulation;
use crate::counting::Delivery;

/// Bytes that the call may read and write beyond its simulation, and stroops for them. Until it is applied, accounts and
/// trustlines may grow, a provider who can no longer receive has it recorded unpaid, and a new day begins.
const ROOM_BYTES: u32 = 1_000;
const ROOM_FEE: u32 = 1_000_000;
const INCLUSION_FEE: u32 = 1_000;

/// A contract on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    pub id: ContractId,
    pub network_id: [u8; 32],
}

/// Why a simulated call is not signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unsafe {
    #[error("the simulation does not answer with a transaction id")]
    Answer,
    #[error("the simulation wants more signed than this call")]
    Authorization,
    #[error("this key is not the provider's certified meter")]
    NotTheMeter,
    #[error("the call costs {0} stroops, more than max_fee: has the contract expired?")]
    Fee(u64),
}

/// A signed transaction, as it is kept and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub envelope: TransactionEnvelope,
    pub hash: [u8; 32],
}

impl Contract {
    pub fn new(id: ContractId, passphrase: &str) -> Self {
        Self { id, network_id: Sha256::digest(passphrase).into() }
    }

    pub fn deliver_energy(&self, delivery: &Delivery, provider: &ScAddress) -> InvokeContractArgs {
        let Delivery { agreement_id, energy_kwh, meter_reading } = *delivery;
        let numbers = [agreement_id, energy_kwh, meter_reading].map(ScVal::U64);
        self.call("deliver_energy", numbers.into_iter().chain([ScVal::Address(provider.clone())]))
    }

    /// A call of any function. The names and lists that this program makes are short.
    pub fn call(&self, function: &str, args: impl IntoIterator<Item = ScVal>) -> InvokeContractArgs {
        let function_name = ScSymbol(function.try_into().expect("a function's name fits"));
        let args: Vec<_> = args.into_iter().collect();
        let args = args.try_into().expect("a few arguments fit");
        InvokeContractArgs { contract_address: ScAddress::Contract(self.id.clone()), function_name, args }
    }

    /// The simulated call with its resources, to be signed; if it is what was asked for and costs no more than the limit.
    pub fn prepare(
        &self,
        mut transaction: Transaction,
        call: &InvokeContractArgs,
        simulation: &Simulation,
        max_fee: u32,
    ) -> Result<Transaction, Unsafe> {
        if !matches!(simulation.value, ScVal::U64(_)) {
            return Err(Unsafe::Answer);
        }
        let [entry] = simulation.auth.as_slice() else {
            return Err(Unsafe::Authorization);
        };
        let root = &entry.root_invocation;
        let is_this_call = root.function == SorobanAuthorizedFunction::ContractFn(call.clone());
        if !is_this_call || !root.sub_invocations.is_empty() {
            return Err(Unsafe::Authorization);
        }
        // What is signed is built here; the answer was only compared with it.
        if entry.credentials != SorobanCredentials::SourceAccount {
            return Err(Unsafe::NotTheMeter);
        }
        let asked = simulation.min_resource_fee.saturating_add(INCLUSION_FEE.into());
        if asked > max_fee.into() {
            return Err(Unsafe::Fee(asked));
        }
        let fee = asked.saturating_add(ROOM_FEE.into()).min(max_fee.into());
        let mut data = simulation.transaction_data.clone();
        data.resource_fee = (fee - u64::from(INCLUSION_FEE)) as i64;
        data.resources.disk_read_bytes = data.resources.disk_read_bytes.saturating_add(ROOM_BYTES);
        data.resources.write_bytes = data.resources.write_bytes.saturating_add(ROOM_BYTES);
        transaction.fee = fee as u32;
        transaction.ext = TransactionExt::V1(data);
        transaction.operations = operations(call, vec![entry.clone()]);
        Ok(transaction)
    }

    pub fn sign(&self, transaction: Transaction, key: &SigningKey) -> Signed {
        let payload = TransactionSignaturePayload {
            network_id: Hash(self.network_id),
            tagged_transaction: TransactionSignaturePayloadTaggedTransaction::Tx(transaction.clone()),
        };
        let bytes = payload.to_xdr(Limits::none()).expect("a transaction of one call can be encoded");
        let hash: [u8; 32] = Sha256::digest(bytes).into();
        let public = key.verifying_key().to_bytes();
        let hint = SignatureHint([public[28], public[29], public[30], public[31]]);
        let signature = Signature(key.sign(&hash).to_bytes().to_vec().try_into().expect("64 bytes fit"));
        let signatures = vec![DecoratedSignature { hint, signature }].try_into().expect("one signature fits");
        let envelope = TransactionEnvelope::Tx(TransactionV1Envelope { tx: transaction, signatures });
        Signed { envelope, hash }
    }
}

/// A transaction of one call, as it is simulated. It is valid with the account's next sequence number alone, until a time
/// of the ledger's clock.
pub fn transaction(source: &[u8; 32], sequence: i64, call: &InvokeContractArgs, max_time: u64) -> Transaction {
    Transaction {
        source_account: MuxedAccount::Ed25519(Uint256(*source)),
        fee: INCLUSION_FEE,
        seq_num: SequenceNumber(sequence.saturating_add(1)),
        cond: Preconditions::Time(TimeBounds { min_time: TimePoint(0), max_time: TimePoint(max_time) }),
        memo: Memo::None,
        operations: operations(call, vec![]),
        ext: TransactionExt::V0,
    }
}

fn operations(call: &InvokeContractArgs, auth: Vec<SorobanAuthorizationEntry>) -> VecM<Operation, 100> {
    let auth = auth.try_into().expect("one entry fits");
    let host_function = HostFunction::InvokeContract(call.clone());
    let body = OperationBody::InvokeHostFunction(InvokeHostFunctionOp { host_function, auth });
    vec![Operation { source_account: None, body }].try_into().expect("one operation fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_FEE: u32 = 1_000_000;
    const SOURCE: [u8; 32] = [1; 32];
    const CALL: Delivery = Delivery { agreement_id: 3_000_001, energy_kwh: 4, meter_reading: 1_004 };

    fn contract() -> Contract {
        Contract::new(ContractId(Hash([7; 32])), "Test Network")
    }

    fn provider() -> ScAddress {
        ScAddress::Account(AccountId(PublicKey::PublicKeyTypeEd25519(Uint256([2; 32]))))
    }

    fn call() -> InvokeContractArgs {
        contract().deliver_energy(&CALL, &provider())
    }

    fn entry(call: InvokeContractArgs) -> SorobanAuthorizationEntry {
        SorobanAuthorizationEntry {
            credentials: SorobanCredentials::SourceAccount,
            root_invocation: SorobanAuthorizedInvocation {
                function: SorobanAuthorizedFunction::ContractFn(call),
                sub_invocations: VecM::default(),
            },
        }
    }

    fn simulation() -> Simulation {
        Simulation {
            value: ScVal::U64(1),
            auth: vec![entry(call())],
            transaction_data: SorobanTransactionData {
                ext: SorobanTransactionDataExt::V0,
                resources: SorobanResources {
                    footprint: LedgerFootprint { read_only: VecM::default(), read_write: VecM::default() },
                    instructions: 800_000,
                    disk_read_bytes: 500,
                    write_bytes: 600,
                },
                resource_fee: 120_000,
            },
            min_resource_fee: 120_000,
            ledger: 9,
        }
    }

    fn prepare(simulation: &Simulation) -> Result<Transaction, Unsafe> {
        let transaction = transaction(&SOURCE, 41, &call(), 1_000);
        contract().prepare(transaction, &call(), simulation, MAX_FEE)
    }

    #[test]
    fn what_was_simulated_is_signed_with_room_below_the_limit() {
        let prepared = prepare(&simulation()).unwrap();
        assert_eq!((prepared.seq_num.0, prepared.fee), (42, MAX_FEE));
        let TransactionExt::V1(data) = &prepared.ext else { panic!("no resources") };
        assert_eq!((data.resources.disk_read_bytes, data.resources.write_bytes), (1_500, 1_600));
        assert_eq!(data.resource_fee, i64::from(MAX_FEE - INCLUSION_FEE));
        let key = SigningKey::from_bytes(&[5; 32]);
        let signed = contract().sign(prepared.clone(), &key);
        let TransactionEnvelope::Tx(envelope) = signed.envelope else { panic!("no transaction") };
        assert_eq!(envelope.tx, prepared);
        let bytes: &[u8] = envelope.signatures[0].signature.0.as_slice();
        let signature = ed25519_dalek::Signature::from_slice(bytes).unwrap();
        key.verifying_key().verify_strict(&signed.hash, &signature).unwrap();
    }

    #[test]
    fn a_simulation_that_wants_more_signed_than_the_call_is_unsafe() {
        let mut two = simulation();
        two.auth.push(entry(call()));
        let mut none = simulation();
        none.auth.clear();
        let mut other = simulation();
        let higher = Delivery { energy_kwh: 5, ..CALL };
        other.auth = vec![entry(contract().deliver_energy(&higher, &provider()))];
        let mut nested = simulation();
        nested.auth[0].root_invocation.sub_invocations =
            vec![entry(contract().call("transfer", [])).root_invocation].try_into().unwrap();
        for simulation in [two, none, other, nested] {
            assert_eq!(prepare(&simulation), Err(Unsafe::Authorization));
        }
    }

    #[test]
    fn a_key_that_is_not_the_meter_is_seen_before_signing() {
        let mut simulation = simulation();
        simulation.auth[0].credentials = SorobanCredentials::Address(SorobanAddressCredentials {
            address: provider(),
            nonce: 1,
            signature_expiration_ledger: 0,
            signature: ScVal::Void,
        });
        assert_eq!(prepare(&simulation), Err(Unsafe::NotTheMeter));
    }

    #[test]
    fn a_call_that_costs_more_than_the_limit_is_held() {
        let mut simulation = simulation();
        simulation.min_resource_fee = u64::from(MAX_FEE - INCLUSION_FEE);
        assert_eq!(prepare(&simulation).unwrap().fee, MAX_FEE);
        simulation.min_resource_fee += 1;
        assert_eq!(prepare(&simulation), Err(Unsafe::Fee(1_000_001)));
        simulation.min_resource_fee = u64::MAX;
        assert_eq!(prepare(&simulation), Err(Unsafe::Fee(u64::MAX)));
    }

    #[test]
    fn an_answer_that_is_no_transaction_id_is_unsafe() {
        let mut simulation = simulation();
        simulation.value = ScVal::Void;
        assert_eq!(prepare(&simulation), Err(Unsafe::Answer));
    }
}
