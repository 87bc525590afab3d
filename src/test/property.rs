//! Random sequences of every call by random parties, against the model: each answer, signer, event, balance and record.
//!
//! `SEQUENCES` and `STEPS` set how many and how long, `COVERAGE` prints what was reached. The seed is fixed: a failure can be repeated.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    env::var,
    fmt::Display,
    format, println,
    string::String,
    vec,
    vec::Vec,
};

use proptest::{
    array::uniform20,
    bool::weighted,
    collection::vec as sequence,
    prelude::{any, ProptestConfig, Strategy},
    prop_assert, prop_assert_eq,
    test_runner::{RngSeed, TestCaseError, TestRunner},
};
use soroban_sdk::{testutils::IssuerFlags, IntoVal, Val, Vec as Records};

use super::{
    books::{
        Agreement, Event, Person, Transaction, Value, FORTY, HIGHEST_READING, PROVIDER_STEP, REVIEW, TRANSACTION_STEP,
    },
    model::{Call, Model, Token},
    steps::{choose, Action, Step, ADMINS, ASSET, CONTRACT, METERS, PROSUMERS, STRANGER},
    *,
};
use crate::{Config, Deposit, EnergyAgreement, EnergyTransaction, TransactionState};

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
    /// What the contract was given, less what was clawed back from it.
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
        failure_persistence: None,
        // A run takes milliseconds, and each step less makes the failure clearer.
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    };
    // A sequence keeps its length, and shrinks by leaving steps out.
    let steps = sequence((weighted(1.0), uniform20(any::<u8>())), steps).prop_map(|steps| {
        let kept = steps.into_iter().filter(|(kept, _)| *kept);
        kept.map(|(_, numbers)| numbers).collect::<Vec<Step>>()
    });
    let result =
        TestRunner::new(config).run(&(0_u8..12, steps), |(setup, steps)| Run::sequence(&coverage, setup, &steps));
    let coverage = coverage.into_inner();
    if var("COVERAGE").is_ok() {
        coverage.iter().for_each(|(what, count)| println!("{count:7} {what}"));
    }
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let (everything, reached) = (everything(), coverage.into_keys().collect());
    let (missing, unlisted): (Vec<_>, Vec<_>) =
        (everything.difference(&reached).collect(), reached.difference(&everything).collect());
    assert!(shorter || missing.is_empty(), "never reached: {missing:?}");
    assert!(unlisted.is_empty(), "reached, and not listed: {unlisted:?}");
}

/// What a run has to reach, and nothing else: the success and each error of each call, and each step of the life cycles.
const EVERYTHING: [&str; 33] = [
    "Initialize = Ok AlreadyInitialized InvalidInput",
    "SetAdmin = Ok NotInitialized InvalidInput",
    "RegisterProsumer = Ok NotInitialized AmountOverflow",
    "RegisterMeter = Ok NotInitialized ProsumerNotRegistered InvalidInput",
    "CreateAgreement = Ok NotInitialized ProsumerNotRegistered InvalidInput SelfSharingNotAllowed DeliveryDeadlinePassed AmountOverflow",
    "FundAgreement = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive DeliveryDeadlinePassed AgreementFunded \
     DeliveryStarted PaymentFailed",
    "CancelAgreement = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive AgreementFunded",
    "ClaimRefund = Ok NotInitialized AgreementNotFound NothingToRefund PaymentFailed",
    "DeliverEnergy = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive DeliveryDeadlinePassed InvalidInput \
     InsufficientEnergy TooManyTransactions InvalidMeterReading",
    "SettlePayment = Ok NotInitialized TransactionNotFound NotAuthorized TransactionAlreadySettled TransactionDisputed ReviewPeriodOpen \
     PaymentFailed",
    "SettleAgreement = Ok NotInitialized AgreementNotFound NotAuthorized TransactionNotFound ReviewPeriodOpen NothingToSettle \
     PaymentFailed",
    "DisputeTransaction = Ok NotInitialized TransactionNotFound NotAuthorized TransactionAlreadySettled TransactionDisputed \
     DisputeAlreadyResolved",
    "ResolveDispute = Ok NotInitialized TransactionNotFound TransactionNotDisputed NotAuthorized InvalidInput",
    "CloseDispute = Ok NotInitialized TransactionNotFound TransactionNotDisputed ArbitrationPeriodOpen",
    "get_config = Ok NotInitialized",
    "get_prosumer = Ok NotInitialized ProsumerNotRegistered",
    "get_agreement = Ok NotInitialized AgreementNotFound",
    "get_agreement_state = Ok NotInitialized AgreementNotFound",
    "get_transaction = Ok NotInitialized TransactionNotFound",
    "get_transaction_state = Ok NotInitialized TransactionNotFound",
    "get_transaction_history = Ok NotInitialized ProsumerNotRegistered",
    "get_agreement_page = Ok NotInitialized ProsumerNotRegistered AgreementNotFound",
    "get_agreement_transactions = Ok NotInitialized AgreementNotFound",
    "agreement Active = Delivered Settled Cancelled Expired",
    "agreement Delivered = Settled",
    "transaction Delivered = Settled Disputed",
    "transaction Disputed = Delivered Settled",
    "deposit = Reviewed Metered",
    "payment at once = paid refused-to-provider refused-to-contract clawed-back",
    "settled together = 1 several 40",
    "left unsettled = disputed in-review newer",
    "reading = of-an-exchanged-meter highest",
    "ids = used-up",
];

fn everything() -> BTreeSet<String> {
    let all = EVERYTHING.iter().map(|line| line.split_once(" = ").unwrap_or_default());
    all.flat_map(|(what, ends)| ends.split_whitespace().map(move |end| format!("{what} = {end}"))).collect()
}

impl<'a> Run<'a> {
    /// One in twelve begins with a contract that is not initialised, and one with hardly an id left.
    fn sequence(coverage: &'a Coverage, setup: u8, steps: &[Step]) -> Check {
        let mut run = Self::new(coverage);
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
        for (prosumer, meter) in [(0, METERS[0]), (2, METERS[1]), (4, METERS[1])] {
            self.act(Action::Call(Call::RegisterMeter(prosumer, Some(meter), 100)))?;
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

    fn reached(&self, what: &str, end: impl Display) {
        *self.coverage.borrow_mut().entry(format!("{what} = {end}")).or_default() += 1;
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
        for event in events.iter().filter(|event| event.name != "transfer") {
            self.check_payment(event, &done.signers)?;
            self.model.books.apply(event);
        }
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
            Call::RegisterMeter(prosumer, meter, reading) => {
                typed(c.try_register_meter(person(prosumer), &meter.map(|meter| person(meter).clone()), &reading))?
                    .map(|()| 0)
            }
            Call::CreateAgreement(provider, consumer, kwh, price, deadline) => {
                typed(c.try_create_agreement(person(provider), person(consumer), &kwh, &price, &deadline))?
            }
            Call::FundAgreement(id, consumer) => typed(c.try_fund_agreement(&id, person(consumer)))?.map(|()| 0),
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

    /// Notes a call's outcome, and what it shows of the life cycles.
    fn note(&self, call: Call, answer: Result<u64, SharingError>, events: &[Event]) {
        let (books, name) = (&self.model.books, format!("{call:?}"));
        self.reached(name.split('(').next().unwrap_or_default(), outcome(&answer));
        match (call, answer) {
            (Call::CreateAgreement(_, _, kwh, price, _), Err(SharingError::AmountOverflow))
                if kwh.checked_mul(price).is_some() =>
            {
                self.reached("ids", "used-up");
            }
            (Call::FundAgreement(id, _), Ok(_)) => {
                self.reached("deposit", format!("{:?}", books.agreements[&id].deposit))
            }
            (Call::DeliverEnergy(id, ..), Ok(_)) => self.note_delivery(&books.agreements[&id]),
            (Call::SettleAgreement(id, through, _), Ok(_)) => {
                self.note_settlement(&books.agreements[&id], through, events)
            }
            _ => {}
        }
    }

    fn note_delivery(&self, agreement: &Agreement) {
        let frozen = &self.model.token.frozen;
        let mut newest = agreement.transactions.iter().rev().map(|id| &self.model.books.transactions[id]);
        let (new, last) = (newest.next().unwrap(), newest.next());
        if last.is_some_and(|last| new.reading <= last.reading) {
            self.reached("reading", "of-an-exchanged-meter");
        }
        if new.reading == HIGHEST_READING {
            self.reached("reading", "highest");
        }
        if new.metered && agreement.deposit == Deposit::Metered {
            let outcome = match new.settled_at {
                Some(_) => "paid",
                None if frozen.contains(&CONTRACT) => "refused-to-contract",
                None if frozen.contains(&agreement.provider) => "refused-to-provider",
                None => "clawed-back",
            };
            self.reached("payment at once", outcome);
        }
    }

    fn note_settlement(&self, agreement: &Agreement, through: u64, events: &[Event]) {
        match events.iter().filter(|event| event.name == "payment_settled").count() {
            1 => self.reached("settled together", "1"),
            FORTY => self.reached("settled together", "40"),
            _ => self.reached("settled together", "several"),
        }
        for id in &agreement.transactions {
            match self.model.books.transactions[id].status() {
                TransactionStatus::Delivered if *id > through => self.reached("left unsettled", "newer"),
                TransactionStatus::Delivered => self.reached("left unsettled", "in-review"),
                TransactionStatus::Disputed if *id < through => self.reached("left unsettled", "disputed"),
                _ => {}
            }
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
    fn check_payment(&self, event: &Event, signers: &BTreeSet<Person>) -> Check {
        if event.name == "payment_settled" {
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

    /// The records that events name.
    fn check_touched(&mut self, events: &[Event]) -> Check {
        let (mut people, mut agreements, mut transactions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in events.iter().filter(|event| event.name != "transfer") {
            people.extend(event.topics.iter().filter_map(|topic| topic.person()));
            agreements.extend(event.agreement());
            transactions.extend(event.data.get("agreement_id").map(|_| event.id()));
        }
        self.check_config()?;
        transactions.into_iter().try_for_each(|id| self.check_transaction(id))?;
        agreements.iter().try_for_each(|id| self.check_agreement(*id))?;
        for person in people {
            self.check_prosumer(person)?;
            self.check_history(person)?;
            self.check_page(person, None, 3)?;
            self.check_page(person, agreements.first().copied(), 2)?;
        }
        Ok(())
    }

    /// All records, and that nothing is found under an id that names nothing.
    fn check_everything(&mut self) -> Check {
        self.check_config()?;
        self.check_balances()?;
        let (nothing, books) = (0, &self.model.books);
        let agreements: Vec<_> = books.created.iter().copied().chain([nothing]).collect();
        let transactions: Vec<_> = books.transactions.keys().copied().chain([nothing]).collect();
        agreements.into_iter().try_for_each(|id| self.check_agreement(id))?;
        transactions.into_iter().try_for_each(|id| self.check_transaction(id))?;
        for person in 0..self.people.len() {
            self.check_prosumer(person)?;
            self.check_history(person)?;
            self.check_page(person, None, u32::MAX)?;
        }
        Ok(())
    }

    fn check_config(&self) -> Check {
        let expected = self.model.books.config();
        let expected = expected.map(|(admin, token)| Config {
            admin: self.people[admin].clone(),
            token_contract: self.people[token].clone(),
        });
        self.same("get_config", self.f.client.try_get_config(), expected)
    }

    fn check_prosumer(&self, person: Person) -> Check {
        let expected = self.model.books.prosumer(person).map(|prosumer| Prosumer {
            number: prosumer.number,
            meter: prosumer.meter.map(|meter| self.people[meter].clone()),
            meter_start: prosumer.start,
            meter_reading: prosumer.reading,
            energy_sold_kwh: prosumer.sold,
            agreements: prosumer.agreements,
            last_agreement: prosumer.last_agreement,
        });
        if let Ok(prosumer) = &expected {
            prop_assert!(
                prosumer.energy_sold_kwh <= prosumer.meter_reading - prosumer.meter_start,
                "sold more than was exported"
            );
        }
        self.same("get_prosumer", self.f.client.try_get_prosumer(&self.people[person]), expected)
    }

    fn check_agreement(&mut self, id: u64) -> Check {
        let found = self.model.books.agreement(id);
        self.same(
            "get_agreement",
            self.f.client.try_get_agreement(&id),
            found.map(|agreement| self.agreement(agreement)),
        )?;
        let state = found.map(|agreement| AgreementState {
            energy_delivered_kwh: agreement.delivered,
            pending_amount: agreement.pending,
            escrow_amount: agreement.escrow,
            transactions: agreement.transactions.len() as u64,
            deposit: agreement.deposit,
        });
        self.same("get_agreement_state", self.f.client.try_get_agreement_state(&id), state)?;
        let transactions = found.map(|agreement| self.transactions(&agreement.transactions));
        self.same(
            "get_agreement_transactions",
            listed(self.f.client.try_get_agreement_transactions(&id)),
            transactions,
        )?;

        let Ok(new) = found.map(|agreement| agreement.status(self.model.now)) else { return Ok(()) };
        let old = self.agreement_status.insert(id, new).unwrap_or(AgreementStatus::Active);
        use AgreementStatus::*;
        if old != new {
            let allowed =
                matches!((old, new), (Active, Delivered | Settled | Cancelled | Expired) | (Delivered, Settled));
            prop_assert!(allowed, "{old:?} to {new:?}");
            self.reached(&format!("agreement {old:?}"), format!("{new:?}"));
        }
        Ok(())
    }

    fn check_transaction(&mut self, id: u64) -> Check {
        let found = self.model.books.transaction(id);
        let expected = found.map(|(transaction, agreement)| self.transaction(id, transaction, agreement));
        self.same("get_transaction", self.f.client.try_get_transaction(&id), expected)?;
        let state = found.map(|(transaction, _)| TransactionState {
            metered: transaction.metered,
            ruled: transaction.ruled,
            disputed_at: transaction.disputed_at,
            provider_settles_from: transaction.provider_settles_from(),
        });
        self.same("get_transaction_state", self.f.client.try_get_transaction_state(&id), state)?;

        let Ok(new) = found.map(|(transaction, _)| transaction.status()) else { return Ok(()) };
        let old = self.transaction_status.insert(id, new).unwrap_or(TransactionStatus::Delivered);
        use TransactionStatus::*;
        if old != new {
            let allowed = matches!((old, new), (Delivered, Settled | Disputed) | (Disputed, Delivered | Settled));
            prop_assert!(allowed, "{old:?} to {new:?}");
            self.reached(&format!("transaction {old:?}"), format!("{new:?}"));
        }
        Ok(())
    }

    fn check_history(&self, person: Person) -> Check {
        let expected = self.model.books.history(person).map(|ids| self.transactions(&ids));
        self.same(
            "get_transaction_history",
            listed(self.f.client.try_get_transaction_history(&self.people[person])),
            expected,
        )
    }

    fn check_page(&self, person: Person, before: Option<u64>, limit: u32) -> Check {
        let books = &self.model.books;
        let expected = books
            .page(person, before, limit)
            .map(|ids| ids.iter().map(|id| self.agreement(&books.agreements[id])).collect());
        self.same(
            "get_agreement_page",
            listed(self.f.client.try_get_agreement_page(&self.people[person], &before, &limit)),
            expected,
        )
    }

    /// What a getter answers is what the books say.
    fn same<T: Debug + PartialEq, E: Debug>(
        &self,
        getter: &str,
        answer: Answer<T, E>,
        expected: Result<T, SharingError>,
    ) -> Check {
        let answer = typed(answer)?;
        self.reached(getter, outcome(&answer));
        prop_assert_eq!(answer, expected, "{}", getter);
        Ok(())
    }

    fn agreement(&self, agreement: &Agreement) -> EnergyAgreement {
        EnergyAgreement {
            agreement_id: agreement.id,
            provider: self.people[agreement.provider].clone(),
            consumer: self.people[agreement.consumer].clone(),
            energy_amount_kwh: agreement.kwh,
            price_per_kwh: agreement.price,
            total_amount: agreement.total,
            delivery_deadline: agreement.deadline,
            status: agreement.status(self.model.now),
            created_at: agreement.created_at,
        }
    }

    fn transaction(&self, id: u64, transaction: &Transaction, agreement: &Agreement) -> EnergyTransaction {
        EnergyTransaction {
            transaction_id: id,
            agreement_id: agreement.id,
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
}

/// An answer of the contract. A refusal by the host is a failure of the test.
fn typed<T: Debug, E: Debug>(answer: Answer<T, E>) -> Result<Result<T, SharingError>, TestCaseError> {
    match answer {
        Ok(Ok(answer)) => Ok(Ok(answer)),
        Err(Ok(error)) => Ok(Err(error)),
        other => Err(TestCaseError::fail(format!("not an answer of the contract: {other:?}"))),
    }
}

/// An answer with its records one by one.
fn listed<T: TryFromVal<Env, Val> + IntoVal<Env, Val>, E>(answer: Answer<Records<T>, E>) -> Answer<Vec<T>, E> {
    answer.map(|answer| answer.map(|records| records.into_iter().collect()))
}

fn outcome<T>(answer: &Result<T, SharingError>) -> String {
    answer.as_ref().map_or_else(|error| format!("{error:?}"), |_| "Ok".into())
}
