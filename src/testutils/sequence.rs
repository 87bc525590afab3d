//! Sequences of every call by every party, which small numbers choose, against the model: each answer, signer, event, balance and record.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    format,
    string::String,
    vec,
    vec::Vec,
};

use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};
use soroban_sdk::{
    testutils::{Address as _, IssuerFlags},
    xdr::{ContractEvent, ContractEventBody, LedgerEntryData, LedgerKey, ScVal},
    Address, Env, TryFromVal,
};

use super::{
    books::{
        Agreement, Event, Person, Transaction, Value, FORTY, HIGHEST_READING, MOST_POWER, PROVIDER_STEP, REVIEW,
        TRANSACTION_STEP,
    },
    model::{Call, Model, Token},
    std, Answer, Fixture, START,
};
use crate::utils::storage;
use crate::{AgreementState, AgreementStatus, Deposit, Prosumer, SharingError, TransactionState, TransactionStatus};
pub use coverage::Coverage;
pub use steps::Step;
use steps::{choose, Action, ADMINS, ASSET, CONTRACT, METERS, PROSUMERS, STRANGER};

mod coverage;
mod getters;
mod steps;

/// How a sequence can begin: of twelve ways, one with a contract that is not initialised, and one with hardly an id left.
pub const SETUPS: u8 = 12;

/// Small enough to be spent, but for the provider's and the consumer's of the fixture.
const POCKET: i128 = 20_000;

/// What differs between contract and model, with the log of the calls.
pub type Check = Result<(), TestCaseError>;
/// Of the ledger: what it holds, and until when.
type Entry = (LedgerKey, LedgerEntryData, Option<u32>);

struct Run<'a> {
    f: Fixture,
    people: Vec<Address>,
    addresses: Vec<ScVal>,
    model: Model,
    /// What the contract was given, less what was clawed back from it.
    gifts: i128,
    agreement_status: BTreeMap<u64, AgreementStatus>,
    transaction_status: BTreeMap<u64, TransactionStatus>,
    coverage: &'a Coverage,
    log: Vec<String>,
}

/// Plays what a fuzzer made up, and panics with the log of its calls where contract and model differ.
pub fn check_sequence(bytes: &[u8]) {
    let (setup, steps) = from_bytes(bytes);
    if let Err(failure) = play(&Coverage::default(), setup, &steps) {
        panic!("{failure}");
    }
}

/// How it begins, and its steps.
pub fn from_bytes(bytes: &[u8]) -> (u8, Vec<Step>) {
    let (setup, steps) = bytes.split_first().unwrap_or((&0, &[]));
    (setup % SETUPS, steps.chunks_exact(size_of::<Step>()).filter_map(|step| step.try_into().ok()).collect())
}

/// Plays a sequence, and notes what it reached.
pub fn play(coverage: &Coverage, setup: u8, steps: &[Step]) -> Check {
    let mut run = Run::new(coverage);
    let mut result = match setup {
        11 => run.check_everything(),
        10 => run.setup_with_few_ids(),
        _ => run.setup(),
    };
    for step in steps {
        result = result.and_then(|()| choose(&run.model, step).into_iter().try_for_each(|action| run.act(action)));
    }
    result
        .and_then(|()| run.check_everything())
        .map_err(|failure| TestCaseError::fail(format!("{failure}\n{}", run.log.join("\n"))))
}

impl<'a> Run<'a> {
    fn new(coverage: &'a Coverage) -> Self {
        let f = Fixture::deployed();
        f.issuer.set_flag(IssuerFlags::RevocableFlag);
        f.issuer.set_flag(IssuerFlags::ClawbackEnabledFlag);
        let new = || Address::generate(&f.env);
        let mut people = vec![f.provider.clone(), f.consumer.clone(), new(), new(), new(), new(), f.stranger.clone()];
        people.extend([f.admin.clone(), new(), f.meter.clone(), new(), f.contract.clone(), f.token.address.clone()]);
        people[..=STRANGER].iter().for_each(|person| f.asset.mint(person, &POCKET));
        f.asset.mint(&f.provider, &(2 * i128::from(u64::MAX)));
        let addresses = people.iter().map(|person| ScVal::try_from_val(&f.env, &person.to_val()).unwrap()).collect();
        let token =
            Token { balances: people.iter().map(|person| f.token.balance(person)).collect(), frozen: BTreeSet::new() };
        let model = Model { now: START, books: Default::default(), token, contract: CONTRACT, asset: ASSET };
        Self {
            f,
            people,
            addresses,
            model,
            gifts: 0,
            agreement_status: BTreeMap::new(),
            transaction_status: BTreeMap::new(),
            coverage,
            log: Vec::new(),
        }
    }

    /// The prosumers registered, half of them with a certified meter.
    fn setup(&mut self) -> Check {
        self.act(Action::Call(Call::Initialize(ADMINS[0], ASSET)))?;
        for prosumer in PROSUMERS {
            self.act(Action::Call(Call::RegisterProsumer(prosumer)))?;
        }
        for (prosumer, meter, power) in [(0, METERS[0], MOST_POWER), (2, METERS[1], 30), (4, METERS[1], 4)] {
            self.act(Action::Call(Call::RegisterMeter(prosumer, Some(meter), 100, power)))?;
        }
        Ok(())
    }

    /// The same after ten million less six others registered, and with an agreement left for each.
    fn setup_with_few_ids(&mut self) -> Check {
        let (others, agreements) = (TRANSACTION_STEP / PROVIDER_STEP - PROSUMERS.len() as u64, PROVIDER_STEP - 2);
        self.f.env.as_contract(&self.f.contract, || storage::set_prosumer_count(&self.f.env, others));
        self.model.books.registered = others;
        self.setup()?;
        for (person, prosumer) in &mut self.model.books.prosumers {
            self.f.change_prosumer(&self.people[*person], |prosumer| prosumer.agreements = agreements);
            prosumer.agreements = agreements;
        }
        Ok(())
    }

    fn act(&mut self, action: Action) -> Check {
        self.log.push(format!("{action:?}"));
        match action {
            Action::Call(call) => self.call(call)?,
            Action::Transfer(from, to, amount) => {
                let moved = self.model.token.pay(from, to, amount).is_ok();
                let answer = self.f.token.try_transfer(&self.people[from], &self.people[to], &amount.into());
                prop_assert_eq!(answer == Ok(Ok(())), moved);
                self.gifts += if moved && to == CONTRACT { amount.into() } else { 0 };
                self.check_balances()?;
            }
            Action::Freeze(person, frozen) => {
                self.f.asset.set_authorized(&self.people[person], &!frozen);
                if frozen {
                    self.model.token.frozen.insert(person)
                } else {
                    self.model.token.frozen.remove(&person)
                };
            }
            Action::ClawBack(amount) => {
                self.f.asset.clawback(&self.f.contract, &amount.into());
                self.model.token.balances[CONTRACT] -= i128::from(amount);
                self.gifts -= i128::from(amount);
                self.check_balances()?;
            }
            Action::Wait(time) => {
                self.f.at(time);
                self.model.now = time;
                for id in self.model.books.created.clone() {
                    self.check_agreement(id)?;
                }
            }
            Action::Look(person, agreement, transaction, before, limit) => {
                let ledger = self.f.ledger();
                self.check_config()?;
                self.check_count()?;
                self.check_prosumer(person)?;
                self.check_agreement(agreement)?;
                self.check_transaction(transaction)?;
                self.check_history(person)?;
                self.check_page(person, before, limit)?;
                prop_assert!(self.unchanged(&ledger), "a getter changed something");
            }
        }
        self.check_escrows()
    }

    fn call(&mut self, call: Call) -> Check {
        let balances = self.model.token.balances.clone();
        let expected = self.model.call(call);
        // What a call that succeeds changes shows in the getters.
        let ledger = expected.is_err().then(|| self.f.ledger());
        let answer = self.answer(call)?;
        let (signed, emitted) = (self.f.env.auths(), self.f.events());
        if let Some(log) = self.log.last_mut() {
            *log += &format!(" = {answer:?}");
        }
        prop_assert_eq!(answer, expected.as_ref().map(|done| done.answer).map_err(|error| *error));
        let Ok(done) = expected else {
            prop_assert_eq!(emitted.events(), &[]);
            prop_assert!(self.unchanged(&ledger.unwrap_or_default()), "a failed call changed something");
            self.note(call, answer, &[]);
            return Ok(());
        };

        let mut signers: Vec<_> =
            signed.iter().map(|(address, _)| self.people.iter().position(|person| person == address)).collect();
        signers.sort();
        prop_assert_eq!(signers, done.signers.iter().copied().map(Some).collect::<Vec<_>>(), "who signed");
        let events: Vec<_> = emitted.events().iter().map(|event| self.event(event)).collect();
        prop_assert_eq!(&events, &done.events, "what was emitted");
        // The books learn of the call by what the contract emitted only.
        for event in &events {
            self.check_payment(event, &events, &done.signers)?;
        }
        self.model.books.apply(&events);
        // The token emits whatever it moves.
        if events.iter().any(|event| event.name == "transfer") {
            self.check_balances()?;
        }
        self.check_owners(&balances, &events, &done.signers)?;
        self.check_touched(&events)?;
        self.note(call, answer, &events);
        Ok(())
    }

    /// Calls the contract, and fails on whatever is not an error of its own.
    fn answer(&self, call: Call) -> Result<Result<u64, SharingError>, TestCaseError> {
        let c = &self.f.client;
        let person = |person: Person| &self.people[person];
        Ok(match call {
            Call::Initialize(admin, token) => typed(c.try_initialize(person(admin), person(token)))?.map(|()| 0),
            Call::SetAdmin(new) => typed(c.try_set_admin(person(new)))?.map(|()| 0),
            Call::RegisterProsumer(prosumer) => typed(c.try_register_prosumer(person(prosumer)))?.map(|()| 0),
            Call::RegisterMeter(prosumer, meter, reading, power) => {
                let meter = meter.map(|meter| person(meter).clone());
                typed(c.try_register_meter(person(prosumer), &meter, &reading, &power))?.map(|()| 0)
            }
            Call::CreateAgreement(provider, consumer, kwh, price, deadline) => {
                typed(c.try_create_agreement(person(provider), person(consumer), &kwh, &price, &deadline))?
            }
            Call::FundAgreement(id, consumer, deposit) => {
                typed(c.try_fund_agreement(&id, person(consumer), &deposit))?.map(|()| 0)
            }
            Call::CancelAgreement(id, canceller) => typed(c.try_cancel_agreement(&id, person(canceller)))?.map(|()| 0),
            Call::ClaimRefund(id) => typed(c.try_claim_refund(&id))?,
            Call::DeliverEnergy(id, kwh, reading, provider) => {
                typed(c.try_deliver_energy(&id, &kwh, &reading, person(provider)))?
            }
            Call::SettlePayment(id, settler) => typed(c.try_settle_payment(&id, person(settler)))?.map(|()| 0),
            Call::SettleAgreement(id, through, settler) => {
                typed(c.try_settle_agreement(&id, &through, person(settler)))?
            }
            Call::DisputeTransaction(id, disputer) => {
                typed(c.try_dispute_transaction(&id, person(disputer)))?.map(|()| 0)
            }
            Call::ResolveDispute(id, accepted, resolver) => {
                typed(c.try_resolve_dispute(&id, &accepted, person(resolver)))?.map(|()| 0)
            }
            Call::CloseDispute(id) => typed(c.try_close_dispute(&id))?.map(|()| 0),
        })
    }

    /// An event as it stands in the ledger's meta data; of the token's, without the asset's name.
    fn event(&self, event: &ContractEvent) -> Event {
        let ContractEventBody::V0(body) = &event.body;
        let name = |name: &ScVal| {
            if let ScVal::Symbol(name) = name {
                name.to_utf8_string_lossy()
            } else {
                panic!("no name: {name:?}")
            }
        };
        let topics = body.topics[1..]
            .iter()
            .filter(|topic| !matches!(topic, ScVal::String(_)))
            .map(|topic| self.value(topic))
            .collect();
        let data = match &body.data {
            ScVal::Map(Some(data)) => data.iter().map(|entry| (name(&entry.key), self.value(&entry.val))).collect(),
            amount => [("amount".into(), self.value(amount))].into(),
        };
        Event { name: name(&body.topics[0]), topics, data }
    }

    fn value(&self, value: &ScVal) -> Value {
        match value {
            ScVal::Void => Value::Nothing,
            ScVal::Bool(flag) => Value::Flag(*flag),
            ScVal::U64(number) => Value::Number(*number),
            ScVal::I128(amount) if amount.hi == 0 => Value::Number(amount.lo),
            ScVal::U32(deposit) => {
                Value::Deposit([Deposit::None, Deposit::Reviewed, Deposit::Metered][*deposit as usize])
            }
            address => Value::Person(self.addresses.iter().position(|person| person == address).unwrap()),
        }
    }

    /// Every byte of the ledger is as it was. Whatever was archived, reading it brought back.
    fn unchanged(&self, before: &[Entry]) -> bool {
        let (now, after) = (self.f.env.ledger().sequence(), self.f.ledger());
        let same = |((key, data, lives), (new_key, new_data, new_lives)): (&Entry, &Entry)| {
            key == new_key && data == new_data && (lives == new_lives || lives.is_some_and(|until| until < now))
        };
        before.len() == after.len() && before.iter().zip(&after).all(same)
    }

    /// A transaction is paid once, and by the provider alone from a reviewed deposit only after the review or a ruling.
    /// What is paid in the call that records it is from a deposit that trusts the meter.
    fn check_payment(&self, event: &Event, events: &[Event], signers: &BTreeSet<Person>) -> Check {
        let delivered = events.iter().find(|event| event.name == "energy_delivered");
        if let Some(delivered) = delivered.filter(|_| event.name == "payment_settled") {
            let agreement = &self.model.books.agreements[&delivered.number("agreement_id")];
            let metered = delivered.data["metered"] == Value::Flag(true);
            prop_assert!(metered && agreement.deposit == Deposit::Metered, "paid at once, and no meter is trusted");
        } else if event.name == "payment_settled" {
            let (transaction, agreement) = self.model.books.transaction(event.id()).unwrap();
            prop_assert!(transaction.settled_at.is_none(), "{} paid twice", event.id());
            let alone = agreement.deposit == Deposit::Reviewed && !signers.contains(&agreement.consumer);
            let reviewed = transaction.ruled || self.model.now >= transaction.delivered_at.saturating_add(REVIEW);
            prop_assert!(!alone || reviewed, "{} paid without its review", event.id());
        }
        Ok(())
    }

    /// Nobody pays who did not sign, and nobody receives but for an event that says so.
    fn check_owners(&self, before: &[i128], events: &[Event], signers: &BTreeSet<Person>) -> Check {
        let receiver = |event: &Event| match event.name.as_str() {
            "agreement_funded" => Some(CONTRACT),
            "payment_settled" => Some(event.person(1)),
            "escrow_refunded" => Some(event.person(2)),
            _ => None,
        };
        let receivers: Vec<_> = events.iter().filter_map(receiver).collect();
        for (person, (before, after)) in before.iter().zip(&self.model.token.balances).enumerate() {
            prop_assert!(
                after >= before || person == CONTRACT || signers.contains(&person),
                "{person} paid and did not sign"
            );
            prop_assert!(after <= before || receivers.contains(&person), "{person} received for no reason");
        }
        Ok(())
    }

    /// Nobody's balance moved other than the model's.
    fn check_balances(&self) -> Check {
        let balances: Vec<_> = self.people.iter().map(|person| self.f.token.balance(person)).collect();
        prop_assert_eq!(&balances, &self.model.token.balances);
        Ok(())
    }

    /// The contract owns the escrows and what it was given, and the escrow of a funded agreement is enough: exactly what is owed while it is
    /// open and nothing was ruled on.
    fn check_escrows(&self) -> Check {
        let (books, now, mut escrows) = (&self.model.books, self.model.now, 0);
        for (id, agreement) in &books.agreements {
            let Agreement { escrow, transactions, .. } = agreement;
            escrows += i128::from(*escrow);
            prop_assert!(
                agreement.delivered <= agreement.kwh && transactions.len() <= FORTY,
                "agreement {id} is overfull"
            );
            if !agreement.funded() {
                prop_assert_eq!(*escrow, 0, "agreement {} has no deposit", id);
                continue;
            }
            let owed = agreement.owed(now);
            prop_assert!(*escrow >= owed, "agreement {id} owes {owed} and holds {escrow}");
            let exact = agreement.open(now) && !transactions.iter().any(|id| books.transactions[id].ruled);
            prop_assert!(!exact || *escrow == owed, "agreement {id} holds {escrow} and owes {owed}");
        }
        prop_assert_eq!(self.model.token.balances[CONTRACT], escrows + self.gifts, "the contract's tokens");
        Ok(())
    }
}

/// An answer of the contract. A refusal by the host is a failure of the test.
fn typed<T: Debug, E: Debug>(answer: Answer<T, E>) -> Result<Result<T, SharingError>, TestCaseError> {
    match answer {
        Ok(Ok(answer)) => Ok(Ok(answer)),
        Err(Ok(error)) => Ok(Err(error)),
        other => Err(TestCaseError::fail(format!("not an answer of the contract: {other:?}"))),
    }
}
