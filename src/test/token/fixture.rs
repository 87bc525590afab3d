//! The fixture with a token that misbehaves.

use std::string::{String, ToString};

use soroban_sdk::{vec as svec, Bytes, IntoVal, Symbol, Val, Vec as SVec};

use super::super::*;
use super::hostile::{Fault, HostileToken, HostileTokenClient, Visit};

/// A fixture whose token misbehaves.
pub struct Hostile {
    pub f: Fixture,
    pub token: HostileTokenClient<'static>,
}

impl Hostile {
    pub fn deployed(decimals: u32) -> Self {
        let f = Fixture::deployed();
        let token = HostileTokenClient::new(&f.env, &f.env.register(HostileToken, (decimals,)));
        token.mint(&f.consumer, &WEALTH);
        Self { f: Fixture { token: TokenClient::new(&f.env, &token.address), ..f }, token }
    }

    pub fn new() -> Self {
        let Self { f, token } = Self::deployed(7);
        Self { f: f.started(), token }
    }

    /// What the next calls of the token do.
    pub fn misbehave<const N: usize>(&self, faults: [Fault; N]) {
        self.token.misbehave(&SVec::from_array(&self.f.env, faults));
    }

    /// Goes wrong after so many calls.
    pub fn misbehave_after(&self, calls: usize, fault: &Fault) {
        let faults = std::iter::repeat_n(&Fault::None, calls).chain([fault]).cloned();
        self.token.misbehave(&SVec::from_iter(&self.f.env, faults));
    }

    /// What was called since then.
    pub fn calls(&self) -> Vec<String> {
        self.token.calls().iter().map(|function| function.to_string()).collect()
    }

    /// What consumer, provider and contract own in truth.
    pub fn holds(&self) -> [i128; 3] {
        [&self.f.consumer, &self.f.provider, &self.f.contract].map(|owner| self.token.holds(owner))
    }

    pub fn transfer_event(&self, from: &Address, to: &Address, amount: i128) -> ContractEvent {
        TransferWithAmountOnly { from: from.clone(), to: to.clone(), amount }.to_xdr(&self.f.env, &self.token.address)
    }

    pub fn answers(&self, value: impl IntoVal<Env, Val>) -> Fault {
        Fault::Answers(svec![&self.f.env, self.val(value)])
    }

    pub fn does_and_answers(&self, value: impl IntoVal<Env, Val>) -> Fault {
        Fault::DoesAndAnswers(svec![&self.f.env, self.val(value)])
    }

    pub fn val(&self, value: impl IntoVal<Env, Val>) -> Val {
        value.into_val(&self.f.env)
    }

    pub fn visit(&self, contract: &Address, function: &str, args: impl IntoVal<Env, SVec<Val>>) -> Visit {
        Visit {
            contract: contract.clone(),
            function: Symbol::new(&self.f.env, function),
            args: args.into_val(&self.f.env),
        }
    }

    /// Of a type that no call of a token answers.
    pub fn wrong_answers(&self) -> [Val; 7] {
        let env = &self.f.env;
        [
            self.val(true),
            self.val(7_u64),
            self.val(-7_i32),
            self.val(Symbol::new(env, "ok")),
            self.val(Bytes::new(env)),
            self.val(svec![env, 7_i128]),
            self.val(&self.f.contract),
        ]
    }

    /// The ways to fail that move nothing, or nothing that is not rolled back: with errors of its own, whose numbers
    /// are also ours, by a trap, and with answers of the wrong type.
    pub fn refusals(&self) -> Vec<Fault> {
        let errors = [0, u32::MAX].into_iter().chain(1..=SharingError::MeterNotCertified as u32).map(Fault::Fails);
        let answers = self.wrong_answers().map(|answer| self.answers(answer));
        errors.chain([Fault::Panics, Fault::Traps, Fault::DoesAndFails]).chain(answers).collect()
    }

    /// All ways to fail: a token may also move the money and then answer wrongly.
    pub fn failures(&self) -> Vec<Fault> {
        self.refusals().into_iter().chain(self.wrong_answers().map(|answer| self.does_and_answers(answer))).collect()
    }
}
