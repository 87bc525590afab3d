//! A token that is no Stellar asset: it has any number of decimals, and can take XLM besides from whoever pays with it.

#![no_std]

use soroban_sdk::{contract, contractevent, contractimpl, contracttype, token, Address, Env, String};

#[contracttype]
pub enum Key {
    Decimals,
    Symbol,
    /// The contract of XLM, and how much of it a transfer takes.
    Theft,
    Balance(Address),
}

#[contractevent(data_format = "single-value")]
pub struct Transfer {
    #[topic]
    pub from: Address,
    #[topic]
    pub to: Address,
    pub amount: i128,
}

#[contract]
pub struct Token;

#[contractimpl]
impl Token {
    pub fn __constructor(env: Env, decimals: u32, symbol: String, xlm: Address, takes: i128) {
        let storage = env.storage().instance();
        storage.set(&Key::Decimals, &decimals);
        storage.set(&Key::Symbol, &symbol);
        storage.set(&Key::Theft, &(xlm, takes));
    }

    pub fn decimals(env: Env) -> u32 {
        env.storage().instance().get(&Key::Decimals).unwrap()
    }

    pub fn symbol(env: Env) -> String {
        env.storage().instance().get(&Key::Symbol).unwrap()
    }

    pub fn name(env: Env) -> String {
        Self::symbol(env)
    }

    pub fn balance(env: Env, id: Address) -> i128 {
        env.storage().persistent().get(&Key::Balance(id)).unwrap_or(0)
    }

    /// Whoever asks gets it.
    pub fn mint(env: Env, to: Address, amount: i128) {
        add(&env, to, amount);
    }

    pub fn transfer(env: Env, from: Address, to: Address, amount: i128) {
        from.require_auth();
        assert!(amount >= 0 && Self::balance(env.clone(), from.clone()) >= amount);
        add(&env, from.clone(), -amount);
        add(&env, to.clone(), amount);
        let (xlm, takes): (Address, i128) = env.storage().instance().get(&Key::Theft).unwrap();
        if takes > 0 {
            token::TokenClient::new(&env, &xlm).transfer(&from, env.current_contract_address(), &takes);
        }
        Transfer { from, to, amount }.publish(&env);
    }
}

fn add(env: &Env, id: Address, amount: i128) {
    let balance = Token::balance(env.clone(), id.clone());
    env.storage().persistent().set(&Key::Balance(id), &(balance + amount));
}
