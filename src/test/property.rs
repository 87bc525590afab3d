//! Random sequences of every call by random parties, against the model: each answer, signer, event, balance and record.
//!
//! `SEQUENCES` and `STEPS` set how many and how long, `COVERAGE` prints what was reached. The seed is fixed: a failure can be repeated.
//! With more than about a thousand steps the complete history would not fit the budget of a call any more.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    env::var,
    format, println,
    string::String,
    vec,
    vec::Vec,
};

use proptest::{
    array::uniform5,
    bool::weighted,
    collection::vec as sequence,
    prelude::{any, ProptestConfig, Strategy},
    prop_assert, prop_assert_eq,
    test_runner::{RngSeed, TestCaseError, TestRunner},
};
use soroban_sdk::testutils::IssuerFlags;

use super::{
    books::{Agreement, Event, Person, Transaction, Value},
    model::{Call, Model, Token},
    steps::{choose, Action, Step, ADMINS, ASSET, CONTRACT, FROZEN, METERS, OPERATIONS, STRANGER},
    *,
};
use crate::{Config, EnergyAgreement, EnergyTransaction, TransactionState};

/// Small enough to be spent, but for the provider's and the consumer's of the fixture.
const POCKET: i128 = 20_000;

type Check = Result<(), TestCaseError>;
/// Of the ledger: what it holds, and until when.
type Entry = (LedgerKey, LedgerEntryData, Option<u32>);

/// How often something was reached.
type Coverage = RefCell<BTreeMap<String, u32>>;

struct Run<'a> {
    f: Fixture,
    people: Vec<Address>,
    addresses: Vec<ScVal>,
    model: Model,
    gifts: i128,
    agreement_status: BTreeMap<u64, AgreementStatus>,
    transaction_status: BTreeMap<u64, TransactionStatus>,
    coverage: &'a Coverage,
    log: Vec<String>,
}

#[test]
fn every_sequence_of_calls_agrees_with_the_model() {
    let number = |name, default| var(name).map_or(default, |number| number.parse().unwrap());
    let (sequences, steps) = (number("SEQUENCES", 256), number("STEPS", 40) as usize);
    let shorter = sequences < 256 || steps < 40;
    let coverage = Coverage::default();
    let config = ProptestConfig {
        cases: sequences,
        rng_seed: RngSeed::Fixed(1),
        source_file: Some(file!()),
        // A run takes milliseconds, and each step less makes the failure clearer.
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    };
    // A sequence keeps its length, and shrinks by leaving steps out.
    let steps = sequence((weighted(1.0), 0..OPERATIONS, uniform5(any::<u8>())), steps).prop_map(|steps| {
        let kept = steps.into_iter().filter(|(kept, ..)| *kept);
        kept.map(|(_, operation, numbers)| (operation, numbers)).collect::<Vec<Step>>()
    });
    // One in twelve begins with a contract that is not initialised.
    let result = TestRunner::new(config).run(&(0_u8..12, steps), |(setup, steps)| Run::sequence(&coverage, setup < 11, &steps));
    let coverage = coverage.into_inner();
    if var("COVERAGE").is_ok() {
        coverage.iter().for_each(|(what, count)| println!("{count:7} {what}"));
    }
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let missing: Vec<_> = everything().into_iter().filter(|what| !coverage.contains_key(what)).collect();
    assert!(shorter || missing.is_empty(), "never reached: {missing:?}");
}

/// What a run has to reach: the success and each error of each call, and each step of the life cycles.
const EVERYTHING: [&str; 18] = [
    "Initialize = Ok AlreadyInitialized InvalidInput",
    "SetAdmin = Ok NotInitialized InvalidInput",
    "RegisterProsumer = Ok NotInitialized",
    "RegisterMeter = Ok NotInitialized ProsumerNotRegistered InvalidInput",
    "CreateAgreement = Ok NotInitialized ProsumerNotRegistered InvalidInput SelfSharingNotAllowed DeliveryDeadlinePassed AmountOverflow",
    "FundAgreement = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive DeliveryDeadlinePassed AgreementFunded \
     DeliveryStarted PaymentFailed",
    "CancelAgreement = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive AgreementFunded",
    "ClaimRefund = Ok NotInitialized AgreementNotFound NothingToRefund PaymentFailed",
    "DeliverEnergy = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive DeliveryDeadlinePassed InvalidInput \
     InsufficientEnergy InvalidMeterReading",
    "SettlePayment = Ok NotInitialized TransactionNotFound NotAuthorized TransactionAlreadySettled TransactionDisputed ReviewPeriodOpen \
     PaymentFailed",
    "DisputeTransaction = Ok NotInitialized TransactionNotFound NotAuthorized TransactionAlreadySettled TransactionDisputed \
     DisputeAlreadyResolved",
    "ResolveDispute = Ok NotInitialized TransactionNotFound TransactionNotDisputed NotAuthorized InvalidInput",
    "CloseDispute = Ok NotInitialized TransactionNotFound TransactionNotDisputed ArbitrationPeriodOpen",
    "Active = Delivered Cancelled Expired",
    "Delivered = Settled",
    "delivery Delivered = Settled Disputed",
    "delivery Disputed = Delivered Settled",
    "refund = failed",
];

fn everything() -> Vec<String> {
    let all = EVERYTHING.iter().map(|line| line.split_once(" = ").unwrap_or_default());
    all.flat_map(|(what, ends)| ends.split_whitespace().map(move |end| format!("{what} = {end}"))).collect()
}

impl<'a> Run<'a> {
    fn sequence(coverage: &'a Coverage, setup: bool, steps: &[Step]) -> Check {
        let mut run = Self::new(coverage);
        let mut result = if setup { run.setup() } else { run.check_everything() };
        for step in steps {
            result = result.and_then(|()| run.act(choose(&run.model, *step)));
        }
        result.and_then(|()| run.check_everything()).map_err(|failure| TestCaseError::fail(format!("{failure}\n{}", run.log.join("\n"))))
    }

    fn new(coverage: &'a Coverage) -> Self {
        let f = Fixture::deployed();
        f.issuer.set_flag(IssuerFlags::RevocableFlag);
        let new = || Address::generate(&f.env);
        let mut people = vec![f.admin.clone(), new(), f.provider.clone(), f.consumer.clone(), new(), new(), new(), new()];
        people.extend([f.stranger.clone(), f.meter.clone(), new(), f.contract.clone(), f.token.address.clone()]);
        people[..=STRANGER].iter().for_each(|person| f.asset.mint(person, &POCKET));
        f.asset.mint(&f.provider, &(2 * i128::from(u64::MAX)));
        let addresses = people.iter().map(|person| ScVal::try_from_val(&f.env, &person.to_val()).unwrap()).collect();
        let token = Token { balances: people.iter().map(|person| f.token.balance(person)).collect(), frozen: BTreeSet::new() };
        let model = Model { now: START, books: Default::default(), token, contract: CONTRACT, asset: ASSET, unpaid: BTreeSet::new() };
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

    /// Everybody registered but the stranger, two meters certified, one account frozen.
    fn setup(&mut self) -> Check {
        self.act(Action::Call(Call::Initialize(ADMINS[0], ASSET)))?;
        for prosumer in 2..=FROZEN {
            self.act(Action::Call(Call::RegisterProsumer(prosumer)))?;
        }
        for (prosumer, meter) in [2, 4].into_iter().zip(METERS) {
            self.act(Action::Call(Call::RegisterMeter(prosumer, Some(meter), 100)))?;
        }
        self.act(Action::Freeze(FROZEN, true))
    }

    fn reached(&self, what: impl Into<String>) {
        *self.coverage.borrow_mut().entry(what.into()).or_default() += 1;
    }

    fn act(&mut self, action: Action) -> Check {
        self.log.push(format!("{action:?}"));
        match action {
            Action::Call(call) => self.call(call)?,
            Action::Transfer(from, to, amount) => {
                let moved = self.model.token.pay(from, to, amount);
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
            Action::Wait(time) => {
                self.f.at(time);
                self.model.now = time;
                for id in self.model.books.agreements.keys().copied().collect::<Vec<_>>() {
                    self.check_agreement(id)?;
                }
            }
            Action::Look(person, agreement, transaction, before, limit) => {
                let ledger = self.f.ledger();
                self.check_config()?;
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
        let unpaid = self.model.unpaid.len();
        let expected = self.model.call(call);
        // What a call that succeeds changes shows in the getters.
        let before = expected.is_err().then(|| self.f.ledger());
        let answer = self.answer(call)?;
        let (signed, emitted) = (self.f.env.auths(), self.f.events());
        if let Some(log) = self.log.last_mut() {
            *log += &format!(" = {answer:?}");
        }
        prop_assert_eq!(answer, expected.as_ref().map(|done| done.answer).map_err(|error| *error));
        let name = format!("{call:?}");
        let name = name.split('(').next().unwrap_or_default();
        let Ok(done) = expected else {
            self.reached(format!("{name} = {:?}", answer.unwrap_err()));
            prop_assert_eq!(emitted.events(), &[]);
            prop_assert!(self.unchanged(&before.unwrap_or_default()), "a failed call changed something");
            return Ok(());
        };
        self.reached(format!("{name} = Ok"));
        if self.model.unpaid.len() > unpaid {
            self.reached("refund = failed");
        }
        let mut signers: Vec<_> = signed.iter().map(|(address, _)| self.people.iter().position(|person| person == address)).collect();
        signers.sort();
        prop_assert_eq!(signers, done.signers.into_iter().map(Some).collect::<Vec<_>>(), "who signed");
        let events = emitted.filter_by_contract(&self.f.contract);
        let events: Vec<_> = events.events().iter().map(|event| self.event(event)).collect();
        prop_assert_eq!(&events, &done.events, "what was emitted");
        // The books learn of the call by what it emitted only.
        events.iter().for_each(|event| self.model.books.apply(event));
        self.check_balances()?;
        events.iter().try_for_each(|event| self.check_touched(event))
    }

    /// Calls the contract, and fails on whatever is not an error of its own.
    fn answer(&self, call: Call) -> Result<Result<u64, SharingError>, TestCaseError> {
        let c = &self.f.client;
        let person = |person: Person| &self.people[person];
        Ok(match call {
            Call::Initialize(admin, token) => typed(c.try_initialize(person(admin), person(token)))?.map(|()| 0),
            Call::SetAdmin(new) => typed(c.try_set_admin(person(new)))?.map(|()| 0),
            Call::RegisterProsumer(prosumer) => typed(c.try_register_prosumer(person(prosumer)))?.map(|()| 0),
            Call::RegisterMeter(prosumer, meter, reading) => {
                typed(c.try_register_meter(person(prosumer), &meter.map(|meter| person(meter).clone()), &reading))?.map(|()| 0)
            }
            Call::CreateAgreement(provider, consumer, kwh, price, deadline) => {
                typed(c.try_create_agreement(person(provider), person(consumer), &kwh, &price, &deadline))?
            }
            Call::FundAgreement(id, consumer) => typed(c.try_fund_agreement(&id, person(consumer)))?.map(|()| 0),
            Call::CancelAgreement(id, canceller) => typed(c.try_cancel_agreement(&id, person(canceller)))?.map(|()| 0),
            Call::ClaimRefund(id) => typed(c.try_claim_refund(&id))?,
            Call::DeliverEnergy(id, kwh, reading, provider) => typed(c.try_deliver_energy(&id, &kwh, &reading, person(provider)))?,
            Call::SettlePayment(id, settler) => typed(c.try_settle_payment(&id, person(settler)))?.map(|()| 0),
            Call::DisputeTransaction(id, disputer) => typed(c.try_dispute_transaction(&id, person(disputer)))?.map(|()| 0),
            Call::ResolveDispute(id, accepted, resolver) => typed(c.try_resolve_dispute(&id, &accepted, person(resolver)))?.map(|()| 0),
            Call::CloseDispute(id) => typed(c.try_close_dispute(&id))?.map(|()| 0),
        })
    }

    /// An event as it stands in the ledger's meta data.
    fn event(&self, event: &ContractEvent) -> Event {
        let ContractEventBody::V0(body) = &event.body;
        let name = |name: &ScVal| if let ScVal::Symbol(name) = name { name.to_utf8_string_lossy() } else { panic!("no name: {name:?}") };
        let data = match &body.data {
            ScVal::Map(Some(data)) => data.iter().map(|entry| (name(&entry.key), self.value(&entry.val))).collect(),
            data => panic!("no map: {data:?}"),
        };
        Event { name: name(&body.topics[0]), topics: body.topics[1..].iter().map(|topic| self.value(topic)).collect(), data }
    }

    fn value(&self, value: &ScVal) -> Value {
        match value {
            ScVal::Void => Value::Nothing,
            ScVal::Bool(flag) => Value::Flag(*flag),
            ScVal::U64(number) => Value::Number(*number),
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

    /// Nobody's balance moved other than the model's.
    fn check_balances(&self) -> Check {
        let balances: Vec<_> = self.people.iter().map(|person| self.f.token.balance(person)).collect();
        prop_assert_eq!(&balances, &self.model.token.balances);
        Ok(())
    }

    /// The contract owns the escrows and gifts, and an open agreement's escrow is what is owed unless a refund failed.
    fn check_escrows(&self) -> Check {
        let (model, mut escrows) = (&self.model, 0);
        for (id, agreement) in &model.books.agreements {
            escrows += i128::from(agreement.escrow);
            let owed = agreement.owed(model.now);
            prop_assert!(!agreement.funded || agreement.escrow >= owed, "agreement {} owes more than it holds", id);
            let exact = agreement.escrow == owed || model.unpaid.contains(id);
            prop_assert!(exact || !agreement.funded || !agreement.open(model.now), "agreement {} holds more than it owes", id);
        }
        prop_assert_eq!(model.token.balances[CONTRACT], escrows + self.gifts);
        Ok(())
    }

    /// The records that an event names.
    fn check_touched(&mut self, event: &Event) -> Check {
        let people: Vec<_> = event.topics.iter().filter_map(|topic| topic.person()).collect();
        if ["initialized", "admin_changed"].contains(&event.name.as_str()) {
            return self.check_config();
        }
        if let Some(Value::Number(agreement)) = event.data.get("agreement_id") {
            self.check_transaction(event.id())?;
            self.check_agreement(*agreement)?;
            for person in &people {
                self.check_history(*person)?;
                let history = self.model.books.history(*person).unwrap_or_default();
                self.check_page(*person, history.get(history.len() / 2).copied(), 1 + (event.id() % 4) as u32)?;
                self.check_page(*person, None, 3)?;
            }
        } else if people.len() > 1 {
            self.check_agreement(event.id())?;
        }
        people.into_iter().try_for_each(|person| self.check_prosumer(person))
    }

    fn check_everything(&mut self) -> Check {
        self.check_config()?;
        self.check_balances()?;
        for id in self.model.books.agreements.keys().copied().collect::<Vec<_>>() {
            self.check_agreement(id)?;
        }
        for id in self.model.books.deliveries.clone() {
            self.check_transaction(id)?;
        }
        for person in 0..self.people.len() {
            self.check_prosumer(person)?;
            self.check_history(person)?;
            self.check_page(person, None, u32::MAX)?;
        }
        Ok(())
    }

    fn check_config(&self) -> Check {
        let expected = self.model.books.config();
        let expected =
            expected.map(|(admin, token)| Config { admin: self.people[admin].clone(), token_contract: self.people[token].clone() });
        prop_assert_eq!(typed(self.f.client.try_get_config())?, expected);
        Ok(())
    }

    fn check_prosumer(&self, person: Person) -> Check {
        let answer = typed(self.f.client.try_get_prosumer(&self.people[person]))?;
        if let Ok(prosumer) = &answer {
            prop_assert!(prosumer.energy_sold_kwh <= prosumer.meter_reading - prosumer.meter_start, "sold more than was exported");
        }
        let expected = self.model.books.prosumer(person).map(|prosumer| Prosumer {
            number: prosumer.number,
            meter: prosumer.meter.map(|meter| self.people[meter].clone()),
            meter_start: prosumer.start,
            meter_reading: prosumer.reading,
            energy_sold_kwh: prosumer.sold,
            agreements: prosumer.agreements,
            deliveries: prosumer.deliveries,
            last_transaction: prosumer.last_transaction,
        });
        prop_assert_eq!(answer, expected);
        Ok(())
    }

    fn check_agreement(&mut self, id: u64) -> Check {
        let agreement = self.model.books.agreement(id);
        let state = agreement.map(|agreement| AgreementState {
            energy_delivered_kwh: agreement.delivered,
            pending_amount: agreement.pending,
            escrow_amount: agreement.escrow,
        });
        let expected = agreement.map(|agreement| EnergyAgreement {
            agreement_id: id,
            provider: self.people[agreement.provider].clone(),
            consumer: self.people[agreement.consumer].clone(),
            energy_amount_kwh: agreement.kwh,
            price_per_kwh: agreement.price,
            total_amount: agreement.total,
            delivery_deadline: agreement.deadline,
            status: agreement.status(self.model.now),
            created_at: agreement.created_at,
        });
        let answer = typed(self.f.client.try_get_agreement(&id))?;
        prop_assert_eq!(&answer, &expected);
        prop_assert_eq!(typed(self.f.client.try_get_agreement_state(&id))?, state);
        let Ok(EnergyAgreement { status: new, .. }) = answer else { return Ok(()) };
        let old = self.agreement_status.insert(id, new).unwrap_or(AgreementStatus::Active);
        use AgreementStatus::*;
        if old != new {
            prop_assert!(matches!((old, new), (Active, Delivered | Cancelled | Expired) | (Delivered, Settled)), "{old:?} to {new:?}");
            self.reached(format!("{old:?} = {new:?}"));
        }
        Ok(())
    }

    fn check_transaction(&mut self, id: u64) -> Check {
        let found = self.model.books.transaction(id);
        let state = found.map(|(transaction, _)| TransactionState {
            metered: transaction.metered,
            ruled: transaction.ruled,
            disputed_at: transaction.disputed_at,
            provider_settles_from: transaction.provider_settles_from(),
        });
        let answer = typed(self.f.client.try_get_transaction(&id))?;
        prop_assert_eq!(&answer, &found.map(|(transaction, agreement)| self.transaction(id, transaction, agreement)));
        prop_assert_eq!(typed(self.f.client.try_get_transaction_state(&id))?, state);
        let Ok(EnergyTransaction { status: new, .. }) = answer else { return Ok(()) };
        let old = self.transaction_status.insert(id, new).unwrap_or(TransactionStatus::Delivered);
        use TransactionStatus::*;
        if old != new {
            prop_assert!(matches!((old, new), (Delivered, Settled | Disputed) | (Disputed, Delivered | Settled)), "{old:?} to {new:?}");
            self.reached(format!("delivery {old:?} = {new:?}"));
        }
        Ok(())
    }

    fn transaction(&self, id: u64, transaction: &Transaction, agreement: &Agreement) -> EnergyTransaction {
        EnergyTransaction {
            transaction_id: id,
            agreement_id: transaction.agreement,
            provider: self.people[agreement.provider].clone(),
            consumer: self.people[agreement.consumer].clone(),
            energy_delivered_kwh: transaction.kwh,
            meter_reading: transaction.reading,
            payment_amount: transaction.payment,
            delivered_at: transaction.delivered_at,
            settled_at: transaction.settled_at,
            status: transaction.status(),
        }
    }

    fn transactions(&self, ids: &[u64]) -> Vec<EnergyTransaction> {
        let found = ids.iter().filter_map(|id| Some((id, self.model.books.transaction(*id).ok()?)));
        found.map(|(id, (transaction, agreement))| self.transaction(*id, transaction, agreement)).collect()
    }

    fn check_history(&self, person: Person) -> Check {
        let answer = typed(self.f.client.try_get_transaction_history(&self.people[person]))?;
        let expected = self.model.books.history(person).map(|ids| self.transactions(&ids));
        prop_assert_eq!(answer.map(|history| history.iter().collect::<Vec<_>>()), expected);
        Ok(())
    }

    fn check_page(&self, person: Person, before: Option<u64>, limit: u32) -> Check {
        let answer = typed(self.f.client.try_get_transaction_page(&self.people[person], &before, &limit))?;
        let expected = self.model.books.page(person, before, limit).map(|ids| self.transactions(&ids));
        prop_assert_eq!(answer.map(|page| page.iter().collect::<Vec<_>>()), expected, "before {:?}, limit {}", before, limit);
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
