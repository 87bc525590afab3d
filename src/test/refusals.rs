//! What can be wrong with each call, in the order in which it is checked: of two things that are wrong at a time the first is answered,
//! and a call that fails leaves nothing behind. `auth` has the signatures, which are given here.

use super::payments::{plain, Answered};
use super::*;
use crate::{
    AGREEMENTS_PER_PROVIDER, ARBITRATION_PERIOD, MAX_POWER, MAX_PROSUMERS, MAX_READING, MAX_TERM, REVIEW_PERIOD,
};
use SharingError::*;
use Who::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Admin,
    Provider,
    Consumer,
    Meter,
    Stranger,
    Token,
}

/// A ledger with one agreement, on the fixture's terms, and the arguments of a call.
#[derive(Clone, Debug, PartialEq)]
struct Scene {
    initialized: bool,
    /// Whether another prosumer and another agreement get an id.
    ids_left: bool,
    /// Whether the provider has a certified meter.
    metered: bool,
    deposit: Deposit,
    /// In kWh. The token refuses to pay them from a `Metered` deposit.
    deliveries: Vec<u64>,
    /// What was ruled on a dispute of the last delivery.
    ruling: Option<u64>,
    /// Whether the last delivery is.
    disputed: bool,
    settled: bool,
    cancelled: bool,
    /// Whether the token refuses to move the parties' money.
    frozen: bool,
    now: u64,

    agreement_id: u64,
    transaction_id: u64,
    /// Who acts, or whom the call is about, and another one.
    who: Who,
    other: Who,
    kwh: u64,
    price: u64,
    deadline: u64,
    reading: u64,
    power: u64,
    kind: Deposit,
    before: Option<u64>,
}

impl Scene {
    const fn new() -> Self {
        Self {
            initialized: true,
            ids_left: true,
            metered: false,
            deposit: Deposit::None,
            deliveries: Vec::new(),
            ruling: None,
            disputed: false,
            settled: false,
            cancelled: false,
            frozen: false,
            now: START,
            agreement_id: 1,
            transaction_id: 1,
            who: Provider,
            other: Consumer,
            kwh: 1,
            price: 1,
            deadline: DEADLINE,
            reading: 1_000,
            power: 1,
            kind: Deposit::Reviewed,
            before: None,
        }
    }

    /// The ledger; none if the contract refuses what leads up to it.
    fn make(&self) -> Option<Fixture> {
        let f = Fixture::deployed();
        if !self.initialized {
            return Some(f);
        }
        let f = f.started();
        if self.metered {
            f.certify(0);
        }
        let agreement = f.agreement();
        if self.deposit != Deposit::None {
            f.client.fund_agreement(&agreement, &f.consumer, &self.deposit);
        }
        f.freeze(&f.provider, self.deposit == Deposit::Metered);
        let mut last = 0;
        for kwh in &self.deliveries {
            last = f.deliver(agreement, *kwh);
        }
        f.freeze(&f.provider, false);
        if let Some(kwh) = self.ruling {
            f.client.try_dispute_transaction(&last, &f.consumer).ok()?.ok()?;
            f.client.resolve_dispute(&last, &kwh, &f.admin);
        }
        if self.disputed {
            f.client.try_dispute_transaction(&last, &f.consumer).ok()?.ok()?;
        }
        if self.settled {
            f.client.try_settle_payment(&last, &f.consumer).ok()?.ok()?;
        }
        if self.cancelled {
            f.client.cancel_agreement(&agreement, &f.provider);
        }
        if !self.ids_left {
            f.set_agreements(AGREEMENTS_PER_PROVIDER - 1);
            f.env.as_contract(&f.contract, || storage::set_prosumer_count(&f.env, MAX_PROSUMERS));
        }
        for party in [&f.provider, &f.consumer] {
            f.freeze(party, self.frozen);
        }
        f.at(self.now);
        Some(f)
    }
}

impl Who {
    fn of(self, f: &Fixture) -> &Address {
        match self {
            Admin => &f.admin,
            Provider => &f.provider,
            Consumer => &f.consumer,
            Meter => &f.meter,
            Stranger => &f.stranger,
            Token => &f.token.address,
        }
    }
}

/// The error, and the least that makes it.
type Refusal = (SharingError, fn(&mut Scene));

pub struct Entrypoint {
    pub name: &'static str,
    /// What it takes to succeed.
    success: fn(&mut Scene),
    call: fn(&Fixture, &Scene) -> Answered,
    refusals: &'static [Refusal],
}

impl Entrypoint {
    fn scene(&self) -> Scene {
        let mut scene = Scene::new();
        (self.success)(&mut scene);
        scene
    }

    /// Its errors but `NotInitialized`, in the order of their checks.
    pub fn errors(&self) -> Vec<SharingError> {
        let mut errors: Vec<_> = self.refusals.iter().map(|(error, _)| *error).collect();
        let mut known = Vec::new();
        errors.retain(|error| {
            !known.contains(error) && {
                known.push(*error);
                true
            }
        });
        errors
    }
}

/// Errors that the documentation has and no call can show: no host takes an address of another kind than a contract's or an account's.
pub const NOT_SHOWN: [(&str, SharingError); 1] = [("register_prosumer", InvalidInput)];

/// What is never wrong at the same time, as the calls that lead up to it are refused, or as the second is what is left without the first.
const NEVER_BOTH: [(&str, SharingError, SharingError); 6] = [
    ("settle_payment", TransactionAlreadySettled, TransactionDisputed),
    ("settle_agreement", ReviewPeriodOpen, NothingToSettle),
    ("dispute_transaction", TransactionAlreadySettled, TransactionDisputed),
    ("dispute_transaction", TransactionDisputed, DisputeAlreadyResolved),
    ("dispute_transaction", TransactionDisputed, DepositTrustsMeter),
    ("dispute_transaction", DisputeAlreadyResolved, DepositTrustsMeter),
];

pub const ENTRYPOINTS: [Entrypoint; 24] = [
    Entrypoint {
        name: "initialize",
        success: |s| (s.initialized, s.who, s.other) = (false, Admin, Token),
        call: |f, s| plain(f.client.try_initialize(s.who.of(f), s.other.of(f))),
        refusals: &[(AlreadyInitialized, |s| s.initialized = true), (InvalidInput, |s| s.other = Stranger)],
    },
    Entrypoint {
        name: "set_admin",
        success: |_| {},
        call: |f, s| plain(f.client.try_set_admin(s.who.of(f))),
        refusals: &[(InvalidInput, |s| s.who = Admin)],
    },
    Entrypoint {
        name: "register_prosumer",
        success: |s| s.who = Stranger,
        call: |f, s| plain(f.client.try_register_prosumer(s.who.of(f))),
        refusals: &[(AmountOverflow, |s| s.ids_left = false)],
    },
    Entrypoint {
        name: "register_meter",
        success: |s| s.other = Meter,
        call: |f, s| {
            let meter = Some(s.other.of(f).clone());
            plain(f.client.try_register_meter(s.who.of(f), &meter, &s.reading, &s.power))
        },
        refusals: &[
            (ProsumerNotRegistered, |s| s.who = Stranger),
            (InvalidInput, |s| s.other = Provider),
            (InvalidInput, |s| s.reading = MAX_READING + 1),
            (InvalidInput, |s| s.power = 0),
            (InvalidInput, |s| s.power = MAX_POWER + 1),
        ],
    },
    Entrypoint {
        name: "create_agreement",
        success: |_| {},
        call: |f, s| plain(f.client.try_create_agreement(s.who.of(f), s.other.of(f), &s.kwh, &s.price, &s.deadline)),
        refusals: &[
            (ProsumerNotRegistered, |s| s.who = Stranger),
            (ProsumerNotRegistered, |s| s.other = Stranger),
            (ProsumerNotRegistered, |s| (s.who, s.other) = (Stranger, Stranger)),
            (InvalidInput, |s| s.kwh = 0),
            (InvalidInput, |s| s.price = 0),
            (InvalidInput, |s| s.deadline = 0),
            (SelfSharingNotAllowed, |s| s.other = Provider),
            (DeliveryDeadlinePassed, |s| s.deadline = START),
            (InvalidInput, |s| s.deadline = START + MAX_TERM + 1),
            (AmountOverflow, |s| (s.kwh, s.price) = (2, 1 << 63)),
            (AmountOverflow, |s| s.ids_left = false),
        ],
    },
    Entrypoint {
        name: "fund_agreement",
        success: |s| (s.who, s.now) = (Consumer, DEADLINE),
        call: |f, s| plain(f.client.try_fund_agreement(&s.agreement_id, s.who.of(f), &s.kind)),
        refusals: &[
            (InvalidInput, |s| s.kind = Deposit::None),
            (AgreementNotFound, |s| s.agreement_id = 2),
            (NotAuthorized, |s| s.who = Provider),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Admin),
            (AgreementNotActive, |s| s.cancelled = true),
            (AgreementNotActive, |s| s.deliveries = [KWH].into()),
            (AgreementNotActive, |s| (s.deliveries, s.settled) = ([KWH].into(), true)),
            (DeliveryDeadlinePassed, |s| s.now = DEADLINE + 1),
            (AgreementFunded, |s| s.deposit = Deposit::Reviewed),
            (DeliveryStarted, |s| s.deliveries = [KWH - 1].into()),
            (DeliveryStarted, |s| (s.deliveries, s.settled) = ([KWH - 1].into(), true)),
            (MeterNotCertified, |s| s.kind = Deposit::Metered),
            (PaymentFailed, |s| s.frozen = true),
        ],
    },
    Entrypoint {
        name: "cancel_agreement",
        success: |s| (s.who, s.now) = (Consumer, DEADLINE),
        call: |f, s| plain(f.client.try_cancel_agreement(&s.agreement_id, s.who.of(f))),
        refusals: &[
            (AgreementNotFound, |s| s.agreement_id = 2),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Admin),
            (AgreementNotActive, |s| s.cancelled = true),
            (AgreementNotActive, |s| s.deliveries = [KWH].into()),
            (AgreementNotActive, |s| (s.deliveries, s.settled) = ([KWH].into(), true)),
            (AgreementNotActive, |s| s.now = DEADLINE + 1),
            (AgreementFunded, |s| s.deposit = Deposit::Reviewed),
        ],
    },
    Entrypoint {
        name: "claim_refund",
        success: |s| (s.deposit, s.cancelled) = (Deposit::Reviewed, true),
        call: |f, s| plain(f.client.try_claim_refund(&s.agreement_id)),
        refusals: &[
            (AgreementNotFound, |s| s.agreement_id = 2),
            (NothingToRefund, |s| s.cancelled = false),
            (NothingToRefund, |s| s.deposit = Deposit::None),
            (PaymentFailed, |s| s.frozen = true),
        ],
    },
    Entrypoint {
        name: "deliver_energy",
        success: |s| s.now = DEADLINE,
        call: |f, s| plain(f.client.try_deliver_energy(&s.agreement_id, &s.kwh, &s.reading, s.who.of(f))),
        refusals: &[
            (AgreementNotFound, |s| s.agreement_id = 2),
            (NotAuthorized, |s| s.who = Consumer),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Admin),
            (AgreementNotActive, |s| s.cancelled = true),
            (AgreementNotActive, |s| s.deliveries = [KWH].into()),
            (AgreementNotActive, |s| (s.deliveries, s.settled) = ([KWH].into(), true)),
            (DeliveryDeadlinePassed, |s| s.now = DEADLINE + 1),
            (InvalidInput, |s| s.kwh = 0),
            (InsufficientEnergy, |s| s.kwh = KWH + 1),
            (InsufficientEnergy, |s| s.kwh = u64::MAX),
            (TooManyTransactions, |s| s.deliveries = [1; 40].into()),
            (InvalidMeterReading, |s| s.reading = 0),
        ],
    },
    Entrypoint {
        name: "settle_payment",
        success: |s| (s.deposit, s.deliveries, s.now) = (Deposit::Reviewed, [40].into(), START + REVIEW_PERIOD),
        call: |f, s| plain(f.client.try_settle_payment(&s.transaction_id, s.who.of(f))),
        refusals: &[
            (TransactionNotFound, |s| s.transaction_id = transaction_id(1, 2)),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Admin),
            (TransactionAlreadySettled, |s| s.settled = true),
            (TransactionAlreadySettled, |s| (s.settled, s.who) = (true, Consumer)),
            (TransactionAlreadySettled, |s| (s.settled, s.deposit) = (true, Deposit::None)),
            (TransactionAlreadySettled, |s| s.ruling = Some(0)),
            (TransactionDisputed, |s| s.disputed = true),
            (TransactionDisputed, |s| (s.disputed, s.who) = (true, Consumer)),
            (TransactionDisputed, |s| (s.disputed, s.deposit) = (true, Deposit::None)),
            (ReviewPeriodOpen, |s| s.now = START + REVIEW_PERIOD - 1),
            (PaymentFailed, |s| s.frozen = true),
        ],
    },
    Entrypoint {
        name: "settle_agreement",
        success: |s| (s.deposit, s.deliveries, s.now) = (Deposit::Reviewed, [40].into(), START + REVIEW_PERIOD),
        call: |f, s| plain(f.client.try_settle_agreement(&s.agreement_id, &s.transaction_id, s.who.of(f))),
        refusals: &[
            (AgreementNotFound, |s| s.agreement_id = 2),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Admin),
            (NotAuthorized, |s| s.who = Meter),
            (TransactionNotFound, |s| s.transaction_id = transaction_id(1, 2)),
            (ReviewPeriodOpen, |s| s.now = START + REVIEW_PERIOD - 1),
            (NothingToSettle, |s| s.settled = true),
            (NothingToSettle, |s| s.disputed = true),
            (PaymentFailed, |s| s.frozen = true),
        ],
    },
    Entrypoint {
        name: "dispute_transaction",
        success: |s| (s.deliveries, s.who) = ([40].into(), Consumer),
        call: |f, s| plain(f.client.try_dispute_transaction(&s.transaction_id, s.who.of(f))),
        refusals: &[
            (TransactionNotFound, |s| s.transaction_id = transaction_id(1, 2)),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Admin),
            (TransactionAlreadySettled, |s| s.settled = true),
            (TransactionDisputed, |s| s.disputed = true),
            (TransactionDisputed, |s| (s.disputed, s.who) = (true, Provider)),
            (DisputeAlreadyResolved, |s| s.ruling = Some(1)),
            (DisputeAlreadyResolved, |s| (s.ruling, s.who) = (Some(1), Provider)),
            (DepositTrustsMeter, |s| (s.metered, s.deposit) = (true, Deposit::Metered)),
        ],
    },
    Entrypoint {
        name: "resolve_dispute",
        success: |s| (s.deliveries, s.disputed, s.kwh, s.who) = ([40].into(), true, 40, Admin),
        call: |f, s| plain(f.client.try_resolve_dispute(&s.transaction_id, &s.kwh, s.who.of(f))),
        refusals: &[
            (TransactionNotFound, |s| s.transaction_id = transaction_id(1, 2)),
            (TransactionNotDisputed, |s| s.disputed = false),
            (TransactionNotDisputed, |s| (s.disputed, s.settled) = (false, true)),
            (TransactionNotDisputed, |s| (s.disputed, s.ruling) = (false, Some(0))),
            (TransactionNotDisputed, |s| (s.disputed, s.ruling) = (false, Some(1))),
            (NotAuthorized, |s| s.who = Stranger),
            (NotAuthorized, |s| s.who = Meter),
            (InvalidInput, |s| s.kwh = 41),
            (InvalidInput, |s| (s.kwh, s.who) = (41, Consumer)),
            (InvalidInput, |s| (s.kwh, s.who) = (41, Provider)),
            (InvalidInput, |s| s.kwh = u64::MAX),
        ],
    },
    Entrypoint {
        name: "close_dispute",
        success: |s| (s.deliveries, s.disputed, s.now) = ([40].into(), true, START + ARBITRATION_PERIOD),
        call: |f, s| plain(f.client.try_close_dispute(&s.transaction_id)),
        refusals: &[
            (TransactionNotFound, |s| s.transaction_id = transaction_id(1, 2)),
            (TransactionNotDisputed, |s| s.disputed = false),
            (TransactionNotDisputed, |s| (s.disputed, s.settled) = (false, true)),
            (TransactionNotDisputed, |s| (s.disputed, s.ruling) = (false, Some(0))),
            (TransactionNotDisputed, |s| (s.disputed, s.ruling) = (false, Some(1))),
            (ArbitrationPeriodOpen, |s| s.now = START + ARBITRATION_PERIOD - 1),
        ],
    },
    Entrypoint { name: "get_config", success: |_| {}, call: |f, _| plain(f.client.try_get_config()), refusals: &[] },
    Entrypoint {
        name: "get_prosumer",
        success: |_| {},
        call: |f, s| plain(f.client.try_get_prosumer(s.who.of(f))),
        refusals: &[(ProsumerNotRegistered, |s| s.who = Stranger)],
    },
    Entrypoint {
        name: "get_agreement",
        success: |_| {},
        call: |f, s| plain(f.client.try_get_agreement(&s.agreement_id)),
        refusals: &[(AgreementNotFound, |s| s.agreement_id = 2)],
    },
    Entrypoint {
        name: "get_agreement_state",
        success: |_| {},
        call: |f, s| plain(f.client.try_get_agreement_state(&s.agreement_id)),
        refusals: &[(AgreementNotFound, |s| s.agreement_id = 2)],
    },
    Entrypoint {
        name: "get_transaction",
        success: |s| s.deliveries = [40].into(),
        call: |f, s| plain(f.client.try_get_transaction(&s.transaction_id)),
        refusals: &[(TransactionNotFound, |s| s.transaction_id = transaction_id(1, 2))],
    },
    Entrypoint {
        name: "get_transaction_history",
        success: |_| {},
        call: |f, s| plain(f.client.try_get_transaction_history(s.who.of(f))),
        refusals: &[(ProsumerNotRegistered, |s| s.who = Stranger)],
    },
    Entrypoint {
        name: "get_agreement_page",
        success: |_| {},
        // A page of none, so that what is wrong with it does not depend on its limit.
        call: |f, s| plain(f.client.try_get_agreement_page(s.who.of(f), &s.before, &0)),
        refusals: &[(ProsumerNotRegistered, |s| s.who = Stranger), (AgreementNotFound, |s| s.before = Some(2))],
    },
    Entrypoint {
        name: "get_agreement_transactions",
        success: |_| {},
        call: |f, s| plain(f.client.try_get_agreement_transactions(&s.agreement_id)),
        refusals: &[(AgreementNotFound, |s| s.agreement_id = 2)],
    },
    Entrypoint {
        name: "get_transaction_states",
        success: |_| {},
        call: |f, s| plain(f.client.try_get_transaction_states(&s.agreement_id)),
        refusals: &[(AgreementNotFound, |s| s.agreement_id = 2)],
    },
    Entrypoint {
        name: "get_prosumer_count",
        success: |_| {},
        call: |f, _| plain(f.client.try_get_prosumer_count()),
        refusals: &[],
    },
];

#[test]
fn the_table_has_every_entrypoint() {
    assert_eq!(ENTRYPOINTS.map(|entrypoint| entrypoint.name), auth::CLASSES.map(|(name, _)| name));
}

#[test]
fn each_call_succeeds_and_fails_with_each_of_its_errors_alone() {
    for entrypoint in &ENTRYPOINTS {
        let plain = entrypoint.scene();
        assert_eq!((entrypoint.call)(&plain.make().unwrap(), &plain), Ok(Ok(())), "{}", entrypoint.name);
        for (error, spoil) in entrypoint.refusals {
            let mut scene = plain.clone();
            spoil(&mut scene);
            let f = scene.make().unwrap();
            f.fails(*error, |_| (entrypoint.call)(&f, &scene));
        }
    }
}

#[test]
fn of_two_errors_the_first_in_order_is_answered() {
    let (mut pairs, mut never) = (0, Vec::new());
    for entrypoint in &ENTRYPOINTS {
        for (place, (first, spoil_first)) in entrypoint.refusals.iter().enumerate() {
            for (second, spoil_second) in &entrypoint.refusals[place + 1..] {
                let [mut scene, mut turned] = [entrypoint.scene(), entrypoint.scene()];
                spoil_first(&mut scene);
                spoil_second(&mut scene);
                spoil_second(&mut turned);
                spoil_first(&mut turned);
                // One field cannot have two values.
                if first == second || scene != turned {
                    continue;
                }
                let names = (entrypoint.name, *first, *second);
                let is_never = NEVER_BOTH.contains(&names);
                never.extend(is_never.then_some(names));
                match scene.make() {
                    Some(f) => {
                        f.fails(if is_never { *second } else { *first }, |_| (entrypoint.call)(&f, &scene));
                        pairs += u32::from(!is_never);
                    }
                    None => assert!(is_never, "{names:?}"),
                }
            }
        }
    }
    assert!(NEVER_BOTH.iter().all(|names| never.contains(names)), "{never:?}");
    assert!(pairs > 200, "{pairs}");
}

#[test]
fn a_contract_that_is_not_initialized_says_so_before_anything_is_looked_at() {
    let f = Fixture::deployed();
    // Nor at who signed.
    f.env.mock_auths(&[]);
    let wrong = Scene {
        who: Stranger,
        other: Stranger,
        agreement_id: 2,
        transaction_id: 2,
        kwh: 0,
        price: 0,
        deadline: 0,
        reading: u64::MAX,
        power: 0,
        kind: Deposit::None,
        before: Some(2),
        ..Scene::new()
    };
    for Entrypoint { call, .. } in &ENTRYPOINTS[1..] {
        f.fails(NotInitialized, |_| call(&f, &wrong));
    }
}
