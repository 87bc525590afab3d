//! Parties that are contracts: smart wallets with a `__check_auth` of their own as provider, consumer, meter and admin.
//! Nothing is mocked.

use std::vec::Vec as List;

use ed25519_dalek::{Signer, SigningKey};
use soroban_sdk::{
    auth::{Context, CustomAccountInterface},
    contract, contracterror, contractimpl,
    crypto::Hash,
    xdr::{
        HashIdPreimage, HashIdPreimageSorobanAuthorization, InvokeContractArgs, Limits, ScBytes, ScVec,
        SorobanAddressCredentials, SorobanAuthorizationEntry, SorobanAuthorizedFunction, SorobanAuthorizedInvocation,
        SorobanCredentials, WriteXdr,
    },
    Bytes, BytesN, IntoVal, Symbol, Val, Vec,
};

use super::*;

/// A wallet that some of its keys have to sign for.
#[contract]
struct Wallet;

#[contracterror]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WalletError {
    TooFewSignatures = 1,
}

#[contractimpl]
impl Wallet {
    pub fn __constructor(env: Env, keys: Vec<BytesN<32>>, threshold: u32) {
        env.storage().instance().set(&0_u32, &(keys, threshold));
    }
}

#[contractimpl]
impl CustomAccountInterface for Wallet {
    /// By its place, the signature of each key, or none.
    type Signature = Vec<Option<BytesN<64>>>;
    type Error = WalletError;

    fn __check_auth(
        env: Env,
        payload: Hash<32>,
        signatures: Vec<Option<BytesN<64>>>,
        _contexts: Vec<Context>,
    ) -> Result<(), WalletError> {
        let (keys, threshold): (Vec<BytesN<32>>, u32) = env.storage().instance().get(&0_u32).unwrap();
        let mut signed = 0;
        for (key, signature) in keys.iter().zip(signatures) {
            if let Some(signature) = signature {
                env.crypto().ed25519_verify(&key, &payload.to_bytes().into(), &signature);
                signed += 1;
            }
        }
        if signed < threshold {
            return Err(WalletError::TooFewSignatures);
        }
        Ok(())
    }
}

/// A wallet and those of its keys that are at hand.
struct Owner {
    address: Address,
    keys: List<SigningKey>,
}

impl Owner {
    fn new(f: &Fixture, first: u8, keys: u8, threshold: u32) -> Self {
        let keys: List<_> = (first..first + keys).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
        let public = keys.iter().map(|key| BytesN::from_array(&f.env, key.verifying_key().as_bytes()));
        let address = f.env.register(Wallet, (Vec::from_iter(&f.env, public), threshold));
        Self { address, keys }
    }

    /// Its authorization entry for a call, signed by those of its keys that take part.
    fn signs(
        &self,
        f: &Fixture,
        nonce: i64,
        call: &SorobanAuthorizedInvocation,
        taking_part: &[bool],
    ) -> SorobanAuthorizationEntry {
        let network_id = f.env.ledger().network_id().to_array().into();
        let signature_expiration_ledger = f.env.ledger().sequence() + 100;
        let invocation = call.clone();
        let preimage =
            HashIdPreimageSorobanAuthorization { network_id, nonce, signature_expiration_ledger, invocation };
        let preimage = HashIdPreimage::SorobanAuthorization(preimage).to_xdr(Limits::none()).unwrap();
        let payload = f.env.crypto().sha256(&Bytes::from_slice(&f.env, &preimage)).to_array();
        let sign = |(key, takes_part): (&SigningKey, &bool)| match takes_part {
            true => ScVal::Bytes(ScBytes(key.sign(&payload).to_bytes().try_into().unwrap())),
            false => ScVal::Void,
        };
        let signatures: List<_> = self.keys.iter().zip(taking_part).map(sign).collect();
        SorobanAuthorizationEntry {
            credentials: SorobanCredentials::Address(SorobanAddressCredentials {
                address: (&self.address).into(),
                nonce,
                signature_expiration_ledger,
                signature: ScVal::Vec(Some(ScVec(signatures.try_into().unwrap()))),
            }),
            root_invocation: call.clone(),
        }
    }
}

/// The four wallets: of one key each, but for the admin's, of which two of three have to sign.
struct Wallets {
    f: Fixture,
    admin: Owner,
    provider: Owner,
    consumer: Owner,
    meter: Owner,
    nonce: std::cell::Cell<i64>,
}

impl Wallets {
    fn new() -> Self {
        let f = Fixture::deployed();
        let [provider, consumer, meter] = [10, 20, 30].map(|first| Owner::new(&f, first, 1, 1));
        let admin = Owner::new(&f, 40, 3, 2);
        f.asset.mint(&consumer.address, &WEALTH);
        let addresses = [&admin, &provider, &consumer, &meter].map(|owner| owner.address.clone());
        let [admin_address, provider_address, consumer_address, meter_address] = addresses;
        let f = Fixture {
            admin: admin_address,
            provider: provider_address,
            consumer: consumer_address,
            meter: meter_address,
            ..f
        };
        f.env.set_auths(&[]);
        Self { f, admin, provider, consumer, meter, nonce: 0.into() }
    }

    fn invocation(&self, contract: &Address, function: &str, args: Vec<Val>) -> SorobanAuthorizedInvocation {
        let args: List<_> = args.iter().map(|arg| ScVal::try_from_val(&self.f.env, &arg).unwrap()).collect();
        SorobanAuthorizedInvocation {
            function: SorobanAuthorizedFunction::ContractFn(InvokeContractArgs {
                contract_address: contract.into(),
                function_name: function.try_into().unwrap(),
                args: args.try_into().unwrap(),
            }),
            sub_invocations: Default::default(),
        }
    }

    /// Calls with the signatures of these wallets, each by those of its keys that take part, and for a transfer in it.
    fn call(
        &self,
        function: &str,
        args: impl IntoVal<Env, Vec<Val>>,
        signers: &[(&Owner, &[bool])],
        pays: Option<(&Address, &Address, u64)>,
    ) -> Answer<Val, soroban_sdk::ConversionError> {
        let f = &self.f;
        let args = args.into_val(&f.env);
        let call = self.invocation(&f.contract, function, args.clone());
        let entries: List<_> = (signers.iter())
            .map(|(owner, taking_part)| {
                let mut call = call.clone();
                if let Some((from, to, amount)) = pays.filter(|(from, ..)| **from == owner.address) {
                    let transfer =
                        self.invocation(&f.token.address, "transfer", (from, to, i128::from(amount)).into_val(&f.env));
                    call.sub_invocations = [transfer].try_into().unwrap();
                }
                self.nonce.set(self.nonce.get() + 1);
                owner.signs(f, self.nonce.get(), &call, taking_part)
            })
            .collect();
        f.env.set_auths(&entries);
        let answer = f.env.try_invoke_contract(&f.contract, &Symbol::new(&f.env, function), args);
        f.env.set_auths(&[]);
        answer
    }

    #[track_caller]
    fn succeeds(
        &self,
        function: &str,
        args: impl IntoVal<Env, Vec<Val>>,
        signers: &[(&Owner, &[bool])],
        pays: Option<(&Address, &Address, u64)>,
    ) {
        let answer = self.call(function, args, signers, pays);
        assert!(matches!(answer, Ok(Ok(_))), "{function}: {answer:?}");
    }

    #[track_caller]
    fn refused(&self, function: &str, args: impl IntoVal<Env, Vec<Val>>, signers: &[(&Owner, &[bool])]) {
        let before = self.f.ledger();
        let answer = self.call(function, args, signers, None);
        assert!(matches!(answer, Err(Err(InvokeError::Abort))), "{function}: {answer:?}");
        assert!(self.f.ledger() == before);
    }

    /// Initialised, both registered, and the meter certified.
    fn started(self) -> Self {
        let f = &self.f;
        self.succeeds("initialize", (&f.admin, &f.token.address), &[(&self.admin, TWO)], None);
        self.succeeds("register_prosumer", (&f.provider,), &[(&self.provider, ONE)], None);
        self.succeeds("register_prosumer", (&f.consumer,), &[(&self.consumer, ONE)], None);
        let signers: [(&Owner, &[bool]); 2] = [(&self.admin, TWO), (&self.provider, ONE)];
        self.succeeds("register_meter", (&f.provider, Some(&f.meter), 0_u64, POWER), &signers, None);
        self
    }
}

const ONE: &[bool] = &[true];
const TWO: &[bool] = &[true, false, true];
const TOO_FEW: &[bool] = &[false, true, false];

#[test]
fn wallets_that_are_contracts_play_all_roles() {
    let w = Wallets::new().started();
    let f = &w.f;
    w.succeeds("create_agreement", (&f.provider, &f.consumer, KWH, PRICE, DEADLINE), &[(&w.provider, ONE)], None);
    w.succeeds(
        "fund_agreement",
        (1_u64, &f.consumer, Deposit::Metered),
        &[(&w.consumer, ONE)],
        Some((&f.consumer, &f.contract, TOTAL)),
    );
    // The meter's wallet alone records, and the delivery is paid at once.
    f.let_meter_rest();
    w.succeeds("deliver_energy", (1_u64, 40_u64, 40_u64, &f.provider), &[(&w.meter, ONE)], None);
    f.assert_owned(40 * PRICE, 60 * PRICE);
    w.succeeds("cancel_agreement", (1_u64, &f.provider), &[(&w.provider, ONE)], None);
    w.succeeds("claim_refund", (1_u64,), &[], None);
    f.assert_owned(40 * PRICE, 0);

    // Without a deposit: a dispute that two of the admin's three keys rule on, and a bill.
    w.succeeds("create_agreement", (&f.provider, &f.consumer, KWH, PRICE, DEADLINE), &[(&w.provider, ONE)], None);
    for reading in [50_u64, 60] {
        f.let_meter_rest();
        w.succeeds("deliver_energy", (2_u64, 10_u64, reading, &f.provider), &[(&w.meter, ONE)], None);
    }
    w.succeeds("dispute_transaction", (2_u64, &f.consumer), &[(&w.consumer, ONE)], None);
    w.succeeds("resolve_dispute", (2_u64, 5_u64, &f.admin), &[(&w.admin, TWO)], None);
    let through = transaction_id(2, 2);
    let pays = Some((&f.consumer, &f.provider, 15 * PRICE));
    w.succeeds("settle_agreement", (2_u64, through, &f.consumer), &[(&w.consumer, ONE)], pays);
    f.assert_owned(55 * PRICE, 0);
    w.succeeds("set_admin", (&f.consumer,), &[(&w.admin, TWO), (&w.consumer, ONE)], None);
    assert_eq!(f.client.get_config().admin, f.consumer);
}

#[test]
fn one_of_three_keys_does_not_act_for_an_admin_of_two() {
    let w = Wallets::new();
    let f = &w.f;
    w.refused("initialize", (&f.admin, &f.token.address), &[(&w.admin, TOO_FEW)]);
    let w = w.started();
    let f = &w.f;
    w.refused("register_meter", (&f.provider, None::<Address>, 0_u64, 0_u64), &[(&w.admin, TOO_FEW)]);
    w.refused("set_admin", (&f.consumer,), &[(&w.admin, TOO_FEW), (&w.consumer, ONE)]);
}

#[test]
fn a_wallet_whose_key_did_not_sign_is_not_obeyed() {
    let w = Wallets::new().started();
    let f = &w.f;
    w.succeeds("create_agreement", (&f.provider, &f.consumer, KWH, PRICE, DEADLINE), &[(&w.provider, ONE)], None);
    f.let_meter_rest();
    w.refused("deliver_energy", (1_u64, 40_u64, 40_u64, &f.provider), &[(&w.meter, &[false])]);
    w.refused("deliver_energy", (1_u64, 40_u64, 40_u64, &f.provider), &[(&w.provider, ONE)]);
    // Another's key in its place.
    let forged = Owner { address: f.meter.clone(), keys: [SigningKey::from_bytes(&[99; 32])].into() };
    w.refused("deliver_energy", (1_u64, 40_u64, 40_u64, &f.provider), &[(&forged, ONE)]);
    // Its signature for the call, but not for the tokens in it.
    let funded = w.call("fund_agreement", (1_u64, &f.consumer, Deposit::Metered), &[(&w.consumer, ONE)], None);
    assert!(matches!(funded, Err(Ok(SharingError::PaymentFailed))), "{funded:?}");
}
