//! A token that has what the contract calls of SEP-41, and misbehaves when told to.

use soroban_sdk::{
    contract, contractimpl, contracttype, symbol_short, Address, Bytes, Env, Error, String, Symbol, TryIntoVal, Val,
    Vec,
};
use soroban_token_sdk::{
    events::{MintWithAmountOnly, TransferWithAmountOnly},
    metadata::TokenMetadata,
    TokenUtils,
};

const FAULTS: Symbol = symbol_short!("FAULTS");
const CALLS: Symbol = symbol_short!("CALLS");
const ANSWER: Symbol = symbol_short!("ANSWER");

/// How one call goes wrong.
#[contracttype]
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// Fails with this number.
    Fails(u32),
    Panics,
    /// Has the host refuse something.
    Traps,
    /// Does nothing and answers the value in this.
    Answers(Vec<Val>),
    /// Does what it should and answers the value in this.
    DoesAndAnswers(Vec<Val>),
    /// Does what it should and then fails.
    DoesAndFails,
    /// A transfer takes so much more from the payer than asked, and gives the payee so much more.
    Moves(i128, i128),
    /// Calls another contract first, and fails with it.
    Calls(Visit),
    /// Calls another contract first, keeps its answer for `answer`, and goes on.
    Tries(Visit),
}

#[contracttype]
#[derive(Clone, Debug)]
pub struct Visit {
    pub contract: Address,
    pub function: Symbol,
    pub args: Vec<Val>,
}

#[contract]
pub struct HostileToken;

#[contractimpl]
impl HostileToken {
    pub fn __constructor(env: Env, decimal: u32) {
        let name = String::from_str(&env, "Hostile");
        TokenUtils::new(&env).metadata().set_metadata(&TokenMetadata { decimal, symbol: name.clone(), name });
    }

    /// The calls from now on: the first goes wrong like the first of these, and so on; those after the last go well.
    pub fn misbehave(env: Env, faults: Vec<Fault>) {
        env.storage().instance().set(&FAULTS, &faults);
        env.storage().instance().remove(&CALLS);
        env.storage().instance().remove(&ANSWER);
    }

    pub fn mint(env: Env, to: Address, amount: i128) {
        add(&env, &to, amount);
        MintWithAmountOnly { to, amount }.publish(&env);
    }

    /// What somebody owns in truth. It does not count as a call.
    pub fn holds(env: Env, owner: Address) -> i128 {
        holds(&env, &owner)
    }

    /// What was called since `misbehave`, but for what was rolled back.
    pub fn calls(env: Env) -> Vec<Symbol> {
        env.storage().instance().get(&CALLS).unwrap_or(Vec::new(&env))
    }

    /// What was answered to the last `Tries`: whether it succeeded, and the error if it did not.
    pub fn answer(env: Env) -> Option<(bool, Error)> {
        env.storage().instance().get(&ANSWER)
    }

    pub fn decimals(env: Env) -> Result<Val, Error> {
        act(&env, symbol_short!("decimals"), |_, _| TokenUtils::new(&env).metadata().get_metadata().decimal.into())
    }

    pub fn balance(env: Env, id: Address) -> Result<Val, Error> {
        act(&env, symbol_short!("balance"), |_, _| holds(&env, &id).try_into_val(&env).unwrap())
    }

    pub fn transfer(env: Env, from: Address, to: Address, amount: i128) -> Result<Val, Error> {
        from.require_auth();
        act(&env, symbol_short!("transfer"), |taken, given| {
            add(&env, &from, -amount - taken);
            add(&env, &to, amount + given);
            TransferWithAmountOnly { from: from.clone(), to: to.clone(), amount: amount + given }.publish(&env);
            ().into()
        })
    }
}

/// What a call does, with its fault. `well` does it, taking and giving so much more.
fn act(env: &Env, function: Symbol, well: impl Fn(i128, i128) -> Val) -> Result<Val, Error> {
    let mut calls = HostileToken::calls(env.clone());
    let faults: Vec<Fault> = env.storage().instance().get(&FAULTS).unwrap_or(Vec::new(env));
    let fault = faults.get(calls.len()).unwrap_or(Fault::None);
    calls.push_back(function);
    env.storage().instance().set(&CALLS, &calls);
    match fault {
        Fault::None => {}
        Fault::Fails(number) => return Err(Error::from_contract_error(number)),
        Fault::Panics => panic!("as told"),
        Fault::Traps => {
            Bytes::new(env).get_unchecked(0);
        }
        Fault::Answers(answer) => return Ok(answer.get_unchecked(0)),
        Fault::DoesAndAnswers(answer) => {
            well(0, 0);
            return Ok(answer.get_unchecked(0));
        }
        Fault::DoesAndFails => {
            well(0, 0);
            return Err(Error::from_contract_error(1));
        }
        Fault::Moves(taken, given) => return Ok(well(taken, given)),
        Fault::Calls(Visit { contract, function, args }) => {
            env.invoke_contract::<Val>(&contract, &function, args);
        }
        Fault::Tries(Visit { contract, function, args }) => {
            let answer = match env.try_invoke_contract::<Val, Error>(&contract, &function, args) {
                Err(Ok(error)) => (false, error),
                _ => (true, Error::from_contract_error(0)),
            };
            env.storage().instance().set(&ANSWER, &answer);
        }
    }
    Ok(well(0, 0))
}

fn holds(env: &Env, owner: &Address) -> i128 {
    env.storage().persistent().get(owner).unwrap_or_default()
}

/// Nobody owns less than nothing.
fn add(env: &Env, owner: &Address, amount: i128) {
    let amount = holds(env, owner) + amount;
    assert!(amount >= 0, "short");
    env.storage().persistent().set(owner, &amount);
}
