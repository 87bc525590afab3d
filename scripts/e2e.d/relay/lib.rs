//! What whoever submits a meter's signed call can put on the call stack above it: the token, or a hundred contracts.
//! And an account that anybody signs for, as a provider that is a contract.

#![no_std]

use soroban_sdk::{
    auth::{Context, CustomAccountInterface},
    contract, contractimpl, contracttype,
    crypto::Hash,
    vec, Address, BytesN, ContractExecutable, Env, Error, IntoVal, Symbol, Vec,
};

/// A call of `deliver_energy`.
#[contracttype]
pub struct Delivery {
    pub contract: Address,
    pub agreement_id: u64,
    pub energy_delivered_kwh: u64,
    pub meter_reading: u64,
    pub provider: Address,
}

#[contract]
pub struct Relay;

#[contractimpl]
impl Relay {
    /// So many contracts like this one.
    pub fn multiply(env: Env, wasm_hash: BytesN<32>, number: u32) -> Vec<Address> {
        let code = ContractExecutable::Wasm(wasm_hash);
        let mut relays = vec![&env];
        for n in 0..number {
            let mut salt = [0; 32];
            salt[..4].copy_from_slice(&n.to_be_bytes());
            relays.push_back(env.deployer().with_current_contract(salt).deploy_contract(code.clone(), ()));
        }
        relays
    }

    /// Makes the call with all of the path on the call stack. Returns the transaction's id.
    pub fn relay(env: Env, mut path: Vec<Address>, delivery: Delivery) -> u64 {
        match path.pop_front() {
            Some(next) => env.invoke_contract(
                &next,
                &Symbol::new(&env, "relay"),
                vec![&env, path.into_val(&env), delivery.into_val(&env)],
            ),
            None => deliver(&env, delivery),
        }
    }
}

#[contractimpl]
impl CustomAccountInterface for Relay {
    type Error = Error;
    type Signature = Option<Delivery>;

    /// Agrees to everything. A signature that is a call is made, with the token on the call stack that asks for it.
    fn __check_auth(
        env: Env,
        _payload: Hash<32>,
        signature: Option<Delivery>,
        _contexts: Vec<Context>,
    ) -> Result<(), Error> {
        if let Some(delivery) = signature {
            deliver(&env, delivery);
        }
        Ok(())
    }
}

fn deliver(env: &Env, delivery: Delivery) -> u64 {
    env.invoke_contract(
        &delivery.contract,
        &Symbol::new(env, "deliver_energy"),
        vec![
            env,
            delivery.agreement_id.into_val(env),
            delivery.energy_delivered_kwh.into_val(env),
            delivery.meter_reading.into_val(env),
            delivery.provider.into_val(env),
        ],
    )
}
