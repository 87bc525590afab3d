//! Tokens that fail, lie, charge, and call back: what each call that moves money makes of them.

use std::string::{String, ToString};

use soroban_sdk::{vec as svec, Bytes, Error, IntoVal, Symbol, Val, Vec as SVec};

use super::*;
use crate::events::{EnergyDelivered, PaymentSettled};
use crate::{EnergyTransaction, TransactionState, ARBITRATION_PERIOD, REVIEW_PERIOD};
use hostile::{Fault, HostileToken, HostileTokenClient, Visit};
use Party::*;
use Payment::*;

mod hostile;
mod reentry;

/// An agreement on the fixture's terms, and the delivery that is looked at, if there is one.
#[derive(Clone, Copy)]
pub struct Trade {
    pub agreement: u64,
    pub transaction: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Party {
    Consumer,
    Provider,
    Contract,
}

/// A call that moves tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payment {
    Fund,
    /// A delivery of 40 kWh; the contract pays from a reviewed deposit.
    Settle {
        payer: Party,
        settler: Party,
    },
    /// Deliveries of 10 and 30 kWh. One of 20 between them is disputed, and one of 5 is newer than the settler asks
    /// for.
    SettleAll {
        payer: Party,
        settler: Party,
    },
    /// What an expired agreement did not deliver.
    Refund,
    /// A metered delivery of 40 kWh, from a metered deposit.
    Deliver,
}

/// Those that fail with the token.
pub const PAYMENTS: [Payment; 10] = [
    Fund,
    Settle { payer: Consumer, settler: Consumer },
    Settle { payer: Consumer, settler: Provider },
    Settle { payer: Contract, settler: Consumer },
    Settle { payer: Contract, settler: Provider },
    SettleAll { payer: Consumer, settler: Consumer },
    SettleAll { payer: Consumer, settler: Provider },
    SettleAll { payer: Contract, settler: Consumer },
    SettleAll { payer: Contract, settler: Provider },
    Refund,
];

pub fn all_payments() -> impl Iterator<Item = Payment> {
    PAYMENTS.into_iter().chain([Deliver])
}

impl Payment {
    /// What leads up to it.
    pub fn prepare(self, f: &Fixture) -> Trade {
        f.at(START);
        if self == Deliver {
            f.client.register_meter(&f.provider, &Some(f.meter.clone()), &0);
        }
        let agreement = if self.payer() == Contract { f.funded_agreement() } else { f.agreement() };
        let transaction = match self {
            Settle { .. } | Refund => f.deliver(agreement, 40),
            SettleAll { .. } => {
                f.deliver(agreement, 10);
                f.disputed(agreement, 20);
                let through = f.deliver(agreement, 30);
                f.deliver(agreement, 5);
                through
            }
            Fund | Deliver => transaction_id(agreement, 1),
        };
        match self {
            Settle { payer: Contract, settler: Provider } | SettleAll { payer: Contract, settler: Provider } => {
                f.at(START + REVIEW_PERIOD)
            }
            Refund => f.at(DEADLINE + 1),
            _ => {}
        }
        Trade { agreement, transaction }
    }

    pub fn call(self, f: &Fixture, Trade { agreement, transaction }: Trade) -> Answer<(), ()> {
        match self {
            Fund => plain(f.client.try_fund_agreement(&agreement, &f.consumer)),
            Settle { settler, .. } => plain(f.client.try_settle_payment(&transaction, f.party(settler))),
            SettleAll { settler, .. } => {
                plain(f.client.try_settle_agreement(&agreement, &transaction, f.party(settler)))
            }
            Refund => plain(f.client.try_claim_refund(&agreement)),
            Deliver => plain(f.client.try_deliver_energy(&agreement, &40, &40, &f.provider)),
        }
    }

    #[track_caller]
    pub fn succeeds(self, f: &Fixture, trade: Trade) {
        assert_eq!(self.call(f, trade), Ok(Ok(())), "{self:?}");
    }

    /// The token refuses: the call fails. A delivery is recorded all the same, and not paid.
    #[track_caller]
    pub fn fails(self, f: &Fixture, trade: Trade) {
        if self == Deliver {
            delivers_unpaid(f, trade);
        } else {
            f.fails(SharingError::PaymentFailed, |_| self.call(f, trade));
        }
    }

    /// How it is paid after it failed: by the same call, or for a delivery by its settlement.
    pub fn later(self) -> Self {
        if self == Deliver {
            Settle { payer: Contract, settler: Provider }
        } else {
            self
        }
    }

    /// What the same call answers after it succeeded.
    fn error_of_repetition(self) -> SharingError {
        match self {
            Fund => SharingError::AgreementFunded,
            Settle { .. } => SharingError::TransactionAlreadySettled,
            SettleAll { .. } => SharingError::NothingToSettle,
            Refund => SharingError::NothingToRefund,
            Deliver => SharingError::InvalidMeterReading,
        }
    }

    pub fn payer(self) -> Party {
        match self {
            Fund => Consumer,
            Settle { payer, .. } | SettleAll { payer, .. } => payer,
            Refund | Deliver => Contract,
        }
    }

    pub fn payee(self) -> Party {
        match self {
            Fund => Contract,
            Settle { .. } | SettleAll { .. } | Deliver => Provider,
            Refund => Consumer,
        }
    }

    pub fn amount(self) -> u64 {
        let kwh = match self {
            Fund => KWH,
            Settle { .. } | SettleAll { .. } | Deliver => 40,
            Refund => 60,
        };
        kwh * PRICE
    }

    /// How much more consumer, provider and contract then own.
    pub fn moved(self) -> [i128; 3] {
        let sign = |party| i128::from(party == self.payee()) - i128::from(party == self.payer());
        [Consumer, Provider, Contract].map(|party| sign(party) * i128::from(self.amount()))
    }

    fn token_calls(self) -> &'static [&'static str] {
        match self {
            Fund => &["balance", "transfer", "balance"],
            Deliver => &["balance", "transfer"],
            _ => &["transfer"],
        }
    }

    /// Which of them is the transfer.
    fn transfer(self) -> usize {
        self.token_calls().iter().position(|function| *function == "transfer").unwrap()
    }
}

fn plain<T, E>(answer: Answer<T, E>) -> Answer<(), ()> {
    answer.map(|answer| answer.map(|_| ()).map_err(|_| ()))
}

pub fn sum(left: [i128; 3], right: [i128; 3]) -> [i128; 3] {
    core::array::from_fn(|i| left[i] + right[i])
}

/// A metered delivery that the token does not pay is recorded, unsettled, and nothing else happens.
#[track_caller]
fn delivers_unpaid(f: &Fixture, trade: Trade) {
    Deliver.succeeds(f, trade);
    assert_eq!(f.events(), [f.delivered(trade)]);
    let Trade { agreement: agreement_id, transaction: transaction_id } = trade;
    let delivered_at = f.env.ledger().timestamp();
    let transaction = EnergyTransaction {
        transaction_id,
        agreement_id,
        provider: f.provider.clone(),
        consumer: f.consumer.clone(),
        energy_delivered_kwh: 40,
        meter_reading: 40,
        payment_amount: 100_000_000,
        delivered_at,
        settled_at: None,
        status: TransactionStatus::Delivered,
    };
    assert_eq!(f.client.get_transaction(&transaction_id), transaction);
    let state =
        TransactionState { metered: true, ruled: false, disputed_at: None, provider_settles_from: delivered_at };
    assert_eq!(f.client.get_transaction_state(&transaction_id), state);
    f.assert_state(agreement_id, 40, 100_000_000, TOTAL);
    let register = f.client.get_prosumer(&f.provider);
    assert_eq!((register.meter_reading, register.energy_sold_kwh), (40, 40));
}

impl Fixture {
    pub fn party(&self, party: Party) -> &Address {
        match party {
            Consumer => &self.consumer,
            Provider => &self.provider,
            Contract => &self.contract,
        }
    }

    /// The event of `Payment::Deliver`, paid or not.
    fn delivered(&self, trade: Trade) -> ContractEvent {
        self.event(&EnergyDelivered {
            transaction_id: trade.transaction,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            agreement_id: trade.agreement,
            energy_delivered_kwh: 40,
            meter_reading: 40,
            payment_amount: 100_000_000,
            delivered_at: self.env.ledger().timestamp(),
            metered: true,
        })
    }

    fn settled(&self, agreement: u64, k: u64, kwh: u64, settler: Party) -> ContractEvent {
        self.event(&PaymentSettled {
            transaction_id: transaction_id(agreement, k),
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            agreement_id: agreement,
            payment_amount: kwh * PRICE,
            settled_at: self.env.ledger().timestamp(),
            settler: self.party(settler).clone(),
        })
    }
}

/// A fixture whose token misbehaves.
struct Hostile {
    f: Fixture,
    token: HostileTokenClient<'static>,
}

impl Hostile {
    fn deployed(decimals: u32) -> Self {
        let f = Fixture::deployed();
        let token = HostileTokenClient::new(&f.env, &f.env.register(HostileToken, (decimals,)));
        token.mint(&f.consumer, &WEALTH);
        Self { f: Fixture { token: TokenClient::new(&f.env, &token.address), ..f }, token }
    }

    fn new() -> Self {
        let Self { f, token } = Self::deployed(7);
        Self { f: f.started(), token }
    }

    /// What the next calls of the token do.
    fn misbehave<const N: usize>(&self, faults: [Fault; N]) {
        self.token.misbehave(&SVec::from_array(&self.f.env, faults));
    }

    /// Goes wrong after so many calls.
    fn misbehave_after(&self, calls: usize, fault: &Fault) {
        let faults = std::iter::repeat_n(&Fault::None, calls).chain([fault]).cloned();
        self.token.misbehave(&SVec::from_iter(&self.f.env, faults));
    }

    /// What was called since then.
    fn calls(&self) -> Vec<String> {
        self.token.calls().iter().map(|function| function.to_string()).collect()
    }

    /// What consumer, provider and contract own in truth.
    fn holds(&self) -> [i128; 3] {
        [&self.f.consumer, &self.f.provider, &self.f.contract].map(|owner| self.token.holds(owner))
    }

    fn transfer_event(&self, from: &Address, to: &Address, amount: i128) -> ContractEvent {
        TransferWithAmountOnly { from: from.clone(), to: to.clone(), amount }.to_xdr(&self.f.env, &self.token.address)
    }

    fn answers(&self, value: impl IntoVal<Env, Val>) -> Fault {
        Fault::Answers(svec![&self.f.env, self.val(value)])
    }

    fn does_and_answers(&self, value: impl IntoVal<Env, Val>) -> Fault {
        Fault::DoesAndAnswers(svec![&self.f.env, self.val(value)])
    }

    fn val(&self, value: impl IntoVal<Env, Val>) -> Val {
        value.into_val(&self.f.env)
    }

    fn visit(&self, contract: &Address, function: &str, args: impl IntoVal<Env, SVec<Val>>) -> Visit {
        Visit {
            contract: contract.clone(),
            function: Symbol::new(&self.f.env, function),
            args: args.into_val(&self.f.env),
        }
    }

    /// Of a type that no call of a token answers.
    fn wrong_answers(&self) -> [Val; 7] {
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
    fn refusals(&self) -> Vec<Fault> {
        let errors = [0, u32::MAX].into_iter().chain(1..=25).map(Fault::Fails);
        let answers = self.wrong_answers().map(|answer| self.answers(answer));
        errors.chain([Fault::Panics, Fault::Traps, Fault::DoesAndFails]).chain(answers).collect()
    }

    /// All ways to fail: a token may also move the money and then answer wrongly.
    fn failures(&self) -> Vec<Fault> {
        self.refusals().into_iter().chain(self.wrong_answers().map(|answer| self.does_and_answers(answer))).collect()
    }
}

#[test]
fn initialize_fails_while_the_token_does_not_tell_its_decimals() {
    let h = Hostile::deployed(7);
    let f = &h.f;
    let mut faults = h.failures();
    faults.extend([h.answers(7_i128), h.answers(())]);
    let late = h.visit(&f.contract, "initialize", (&f.stranger, &h.token.address));
    faults.extend([late, h.visit(&f.contract, "get_config", ())].map(Fault::Calls));
    for fault in faults {
        h.misbehave([fault]);
        f.fails(SharingError::InvalidInput, |c| c.try_initialize(&f.admin, &h.token.address));
    }
    h.misbehave([Fault::Tries(h.visit(&f.contract, "initialize", (&f.stranger, &h.token.address)))]);
    f.client.initialize(&f.admin, &h.token.address);
    assert!(!h.token.answer().unwrap().0);
    assert_eq!(
        f.client.get_config(),
        crate::Config { admin: f.admin.clone(), token_contract: h.token.address.clone() }
    );
}

#[test]
fn every_number_of_decimals_is_traded_alike() {
    for decimals in [0, 7, 18, u32::MAX] {
        let Hostile { f, token } = Hostile::deployed(decimals);
        let h = Hostile { f: f.started(), token };
        let f = &h.f;
        let agreement = f.funded_agreement();
        f.client.settle_payment(&f.deliver(agreement, 40), &f.consumer);
        f.client.cancel_agreement(&agreement, &f.provider);
        assert_eq!(f.client.claim_refund(&agreement), 150_000_000);
        assert_eq!(h.holds(), [WEALTH - 100_000_000, 100_000_000, 0]);
    }
}

#[test]
fn eighteen_decimals_leave_room_for_18_whole_tokens() {
    let Hostile { f, token } = Hostile::deployed(18);
    let f = f.started();
    let token_unit = 10_u64.pow(18);
    token.mint(&f.consumer, &u64::MAX.into());
    f.fails(SharingError::AmountOverflow, |c| {
        c.try_create_agreement(&f.provider, &f.consumer, &19, &token_unit, &DEADLINE)
    });
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &18, &token_unit, &DEADLINE);
    f.client.fund_agreement(&agreement, &f.consumer);
    f.assert_state(agreement, 0, 0, 18 * token_unit);
    f.client.settle_payment(&f.deliver(agreement, 18), &f.consumer);
    assert_eq!(f.balances(), [WEALTH + i128::from(u64::MAX - 18 * token_unit), (18 * token_unit).into(), 0]);
}

#[test]
fn a_token_that_fails_fails_every_payment_until_it_recovers() {
    for payment in PAYMENTS {
        let h = Hostile::new();
        let trade = payment.prepare(&h.f);
        let before = h.holds();
        for calls in 0..payment.token_calls().len() {
            for fault in h.failures() {
                h.misbehave_after(calls, &fault);
                payment.fails(&h.f, trade);
            }
        }
        h.misbehave([]);
        payment.succeeds(&h.f, trade);
        assert_eq!(h.calls(), payment.token_calls(), "{payment:?}");
        assert_eq!(h.holds(), sum(before, payment.moved()), "{payment:?}");
        h.f.fails(payment.error_of_repetition(), |_| payment.call(&h.f, trade));
    }
}

#[test]
fn several_deliveries_are_settled_with_one_transfer() {
    for (payer, settler) in [(Consumer, Consumer), (Consumer, Provider), (Contract, Consumer), (Contract, Provider)] {
        let h = Hostile::new();
        let f = &h.f;
        let Trade { agreement, transaction: through } = SettleAll { payer, settler }.prepare(f);
        assert_eq!(f.client.settle_agreement(&agreement, &through, f.party(settler)), 100_000_000);
        assert_eq!(
            f.events(),
            [
                h.transfer_event(f.party(payer), &f.provider, 100_000_000),
                f.settled(agreement, 1, 10, settler),
                f.settled(agreement, 3, 30, settler)
            ]
        );
        let [settled, disputed, delivered] =
            [TransactionStatus::Settled, TransactionStatus::Disputed, TransactionStatus::Delivered];
        let statuses = [1, 2, 3, 4].map(|k| f.transaction_status(transaction_id(agreement, k)));
        assert_eq!(statuses, [settled, disputed, settled, delivered]);
        f.assert_state(agreement, 65, 25 * PRICE, if payer == Contract { TOTAL - 100_000_000 } else { 0 });
    }
}

#[test]
fn cancellation_ruling_and_closing_call_no_token_and_leave_the_deposit_to_be_claimed() {
    type End = fn(&Fixture, Trade);
    let ends: [(&str, End, u64); 5] = [
        ("cancelled", |f, t| f.client.cancel_agreement(&t.agreement, &f.provider), 60),
        ("ruled on by the admin", |f, t| f.client.resolve_dispute(&t.transaction, &10, &f.admin), 30),
        ("given up by the provider", |f, t| f.client.resolve_dispute(&t.transaction, &0, &f.provider), 40),
        ("ruled on by both parties", |f, t| f.client.resolve_dispute(&t.transaction, &20, &f.consumer), 20),
        (
            "closed",
            |f, t| {
                f.at(START + ARBITRATION_PERIOD);
                f.client.close_dispute(&t.transaction);
            },
            100,
        ),
    ];
    for (name, end, refund_kwh) in ends {
        let h = Hostile::new();
        let f = &h.f;
        let agreement = f.funded_agreement();
        let transaction = f.disputed(agreement, 40);
        let before = h.holds();
        // No fault: what fails is rolled back, and would not be counted.
        h.misbehave([]);
        end(f, Trade { agreement, transaction });
        assert_eq!(f.events().events().len(), 1, "{name}");
        assert_eq!(h.calls(), [""; 0], "{name}");
        assert_eq!(h.holds(), before);
        assert_eq!(f.client.get_agreement_state(&agreement).escrow_amount, TOTAL);

        let refund = refund_kwh * PRICE;
        assert_eq!(f.client.claim_refund(&agreement), refund, "{name}");
        assert_eq!(h.calls(), ["transfer"]);
        assert_eq!(h.holds(), sum(before, [refund.into(), 0, -i128::from(refund)]));
        assert_eq!(f.client.get_agreement_state(&agreement).escrow_amount, TOTAL - refund);
    }
}

#[test]
fn a_delivery_that_is_not_paid_at_once_calls_no_token() {
    let h = Hostile::new();
    let f = &h.f;
    let [reviewed, direct] = [f.funded_agreement(), f.agreement()];
    let deliver = |agreement| {
        h.misbehave([]);
        let id = f.deliver(agreement, 40);
        assert_eq!((f.transaction_status(id), h.calls()), (TransactionStatus::Delivered, Vec::new()));
    };
    // Without a meter, and with one.
    deliver(reviewed);
    deliver(direct);
    f.client.register_meter(&f.provider, &Some(f.meter.clone()), &0);
    deliver(reviewed);
    deliver(direct);
    // Without the meter that was there when the deposit was made.
    let metered = f.funded_agreement();
    f.client.register_meter(&f.provider, &None, &0);
    deliver(metered);
}

#[test]
fn a_metered_delivery_is_paid_at_once_with_one_transfer() {
    let h = Hostile::new();
    let f = &h.f;
    let trade = Deliver.prepare(f);
    h.misbehave([]);
    Deliver.succeeds(f, trade);
    assert_eq!(
        f.events(),
        [
            f.delivered(trade),
            h.transfer_event(&f.contract, &f.provider, 100_000_000),
            f.settled(trade.agreement, 1, 40, Provider)
        ]
    );
    assert_eq!(h.calls(), ["balance", "transfer"]);
    assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), 100_000_000, 150_000_000]);
    f.assert_state(trade.agreement, 40, 0, 150_000_000);
    f.fails(SharingError::TransactionAlreadySettled, |c| c.try_settle_payment(&trade.transaction, &f.provider));
}

#[test]
fn a_metered_delivery_is_recorded_however_the_token_fails_and_paid_later() {
    let h = Hostile::new();
    let f = &h.f;
    // A transfer that moves the money and answers wrongly cannot be taken back: see below.
    let unreadable = (0, h.failures(), h.answers(()));
    let refused = (1, h.refusals(), h.answers(7_i128));
    for (calls, faults, wrong) in [unreadable, refused] {
        for fault in faults.into_iter().chain([wrong]) {
            h.token.mint(&f.consumer, &TOTAL.into());
            h.misbehave([]);
            let trade = Deliver.prepare(f);
            let before = h.holds();
            h.misbehave_after(calls, &fault);
            delivers_unpaid(f, trade);
            assert_eq!(h.holds(), before, "{fault:?}");
            h.misbehave([]);
            // The meter was believed, so the provider waits for no review.
            f.client.settle_payment(&trade.transaction, &f.provider);
            assert_eq!(h.calls(), ["transfer"]);
            assert_eq!(h.holds(), sum(before, Deliver.moved()), "{fault:?}");
            f.assert_state(trade.agreement, 40, 0, 150_000_000);
        }
    }
}

#[test]
fn what_was_not_paid_at_once_is_settled_once_by_either_party_one_by_one_or_together() {
    for (settler, together) in [(Consumer, false), (Consumer, true), (Provider, false), (Provider, true)] {
        let h = Hostile::new();
        let f = &h.f;
        let trade = Deliver.prepare(f);
        h.misbehave([Fault::Fails(1)]);
        delivers_unpaid(f, trade);
        h.misbehave([]);
        f.deliver(trade.agreement, 20);
        h.misbehave([Fault::Fails(1)]);
        let [first, third] = [trade.transaction, f.deliver(trade.agreement, 10)];
        f.assert_state(trade.agreement, 70, 50 * PRICE, 80 * PRICE);
        let settler = f.party(settler);

        h.misbehave([]);
        if together {
            assert_eq!(f.client.settle_agreement(&trade.agreement, &third, settler), 50 * PRICE);
            assert_eq!(h.calls(), ["transfer"]);
        } else {
            f.client.settle_payment(&first, settler);
            f.client.settle_payment(&third, settler);
            assert_eq!(h.calls(), ["transfer", "transfer"]);
        }
        let provider = i128::from(70 * PRICE);
        assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), provider, i128::from(TOTAL) - provider]);
        f.assert_state(trade.agreement, 70, 0, 30 * PRICE);
        f.fails(SharingError::NothingToSettle, |c| c.try_settle_agreement(&trade.agreement, &third, settler));
        for id in [first, third] {
            f.fails(SharingError::TransactionAlreadySettled, |c| c.try_settle_payment(&id, settler));
        }
    }
}

#[test]
fn a_delivery_that_is_paid_but_answered_wrongly_is_settled_once_more() {
    // Such a token is no SEP-41 token. The escrow goes down only for a plain success: the loss is its users', of this
    // token alone.
    let h = Hostile::new();
    let f = &h.f;
    let trade = Deliver.prepare(f);
    let other = f.funded_agreement();
    h.misbehave([Fault::None, h.does_and_answers(true)]);
    Deliver.succeeds(f, trade);
    assert_eq!(f.events(), [f.delivered(trade), h.transfer_event(&f.contract, &f.provider, 100_000_000)]);
    assert_eq!(f.transaction_status(trade.transaction), TransactionStatus::Delivered);
    f.assert_state(trade.agreement, 40, 100_000_000, TOTAL);
    assert_eq!(h.holds(), [WEALTH - 500_000_000, 100_000_000, 400_000_000]);

    f.client.settle_payment(&trade.transaction, &f.provider);
    f.assert_state(trade.agreement, 40, 0, 150_000_000);
    assert_eq!(h.holds(), [WEALTH - 500_000_000, 200_000_000, 300_000_000]);
    // Who comes last finds too little, until somebody makes up for it.
    f.at(DEADLINE + 1);
    assert_eq!(f.client.claim_refund(&other), TOTAL);
    f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&trade.agreement));
    h.token.mint(&f.contract, &100_000_000);
    assert_eq!(f.client.claim_refund(&trade.agreement), 150_000_000);
    assert_eq!(h.holds(), [WEALTH - 100_000_000, 200_000_000, 0]);
}

#[test]
fn a_metered_delivery_is_paid_whatever_the_contract_is_said_to_own() {
    for balance in [i128::MIN, -1, 0, i128::MAX] {
        let h = Hostile::new();
        let trade = Deliver.prepare(&h.f);
        let before = h.holds();
        h.misbehave([h.answers(balance)]);
        Deliver.succeeds(&h.f, trade);
        assert_eq!(h.f.transaction_status(trade.transaction), TransactionStatus::Settled);
        assert_eq!(h.holds(), sum(before, Deliver.moved()));
    }
}

#[test]
fn a_deposit_must_raise_the_balance_by_just_its_total() {
    let h = Hostile::new();
    let f = &h.f;
    let id = f.agreement();
    let total = i128::from(TOTAL);
    let transfers = [
        h.answers(()),
        Fault::Moves(0, -1),
        Fault::Moves(0, 1),
        Fault::Moves(1, 1),
        Fault::Moves(-1, -1),
        Fault::Moves(0, -total),
        Fault::Moves(0, 1 << 64),
    ];
    for transfer in transfers {
        h.misbehave([Fault::None, transfer]);
        f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&id, &f.consumer));
    }
    let balances = [
        (0, 0),
        (0, total - 1),
        (0, total + 1),
        (0, -total),
        (total, 0),
        (0, total + (1 << 64)),
        (-1, total),
        (i128::MIN, i128::MAX),
        (i128::MAX, i128::MIN),
        (i128::MAX, i128::MIN + total),
        (i128::MAX - total + 1, i128::MIN),
        (i128::MIN, 0),
        (i128::MAX, i128::MAX),
    ];
    for balances in balances {
        let [before, after] = [balances.0, balances.1].map(|balance: i128| h.answers(balance));
        h.misbehave([before, Fault::None, after]);
        f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&id, &f.consumer));
    }

    // A fee on top of the total is between the token and the consumer.
    h.misbehave([Fault::None, Fault::Moves(1, 0)]);
    f.client.fund_agreement(&id, &f.consumer);
    assert_eq!(h.holds(), [WEALTH - total - 1, 0, total]);
    f.assert_state(id, 0, 0, TOTAL);
}

#[test]
fn balances_at_the_ends_of_their_range_are_subtracted_exactly() {
    for before in [-1, -i128::from(TOTAL), i128::MIN, i128::MAX - i128::from(TOTAL)] {
        let h = Hostile::new();
        let f = &h.f;
        let id = f.agreement();
        let [before, after] = [before, before + i128::from(TOTAL)].map(|balance: i128| h.answers(balance));
        h.misbehave([before, Fault::None, after]);
        f.client.fund_agreement(&id, &f.consumer);
        f.assert_state(id, 0, 0, TOTAL);
    }
}

#[test]
fn a_token_that_only_says_that_it_paid_is_believed_by_its_own_users() {
    // The contract cannot know better than the token who owns what. Nothing is due twice, so the payee has lost its
    // payment in this token.
    for payment in all_payments().filter(|payment| *payment != Fund) {
        let h = Hostile::new();
        let f = &h.f;
        let trade = payment.prepare(f);
        let escrow = f.client.get_agreement_state(&trade.agreement).escrow_amount;
        let before = h.holds();
        h.misbehave_after(payment.transfer(), &h.answers(()));
        payment.succeeds(f, trade);
        assert_eq!(h.holds(), before);
        let paid = if payment.payer() == Contract { payment.amount() } else { 0 };
        assert_eq!(f.client.get_agreement_state(&trade.agreement).escrow_amount, escrow - paid, "{payment:?}");
        h.misbehave([]);
        f.fails(payment.error_of_repetition(), |_| payment.call(f, trade));
    }
}

#[test]
fn a_deposit_that_only_the_token_believes_in_is_paid_while_there_is_something_to_pay_with() {
    let h = Hostile::new();
    let f = &h.f;
    let [honest, hollow] = [f.funded_agreement(), f.agreement()];
    let [before, after] = [TOTAL, 2 * TOTAL].map(|balance| h.answers(i128::from(balance)));
    h.misbehave([before, h.answers(()), after]);
    f.client.fund_agreement(&hollow, &f.consumer);
    assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), 0, TOTAL.into()]);
    f.client.cancel_agreement(&hollow, &f.provider);
    assert_eq!(f.client.claim_refund(&hollow), TOTAL);
    assert_eq!(h.holds(), [WEALTH, 0, 0]);
    let id = f.deliver(honest, KWH);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&id, &f.consumer));
    h.token.mint(&f.contract, &TOTAL.into());
    f.client.settle_payment(&id, &f.consumer);
    assert_eq!(h.holds(), [WEALTH, TOTAL.into(), 0]);
}

#[test]
fn a_delivery_counts_as_paid_whatever_the_token_takes_or_gives() {
    let paid = 100_000_000;
    let total = i128::from(TOTAL);
    for payment in [Settle { payer: Contract, settler: Consumer }, Deliver] {
        // A fee from the payee, one from the payer, and a token that empties the contract of the other deposit.
        for (taken, given) in [(0, -1), (1, 0), (0, -paid), (total, 0), (total, total)] {
            let h = Hostile::new();
            let f = &h.f;
            let other = f.funded_agreement();
            let trade = payment.prepare(f);
            h.misbehave_after(payment.transfer(), &Fault::Moves(taken, given));
            payment.succeeds(f, trade);
            assert_eq!(f.transaction_status(trade.transaction), TransactionStatus::Settled);
            assert_eq!(h.holds(), [WEALTH - 2 * total, paid + given, 2 * total - paid - taken]);
            f.assert_state(trade.agreement, 40, 0, 150_000_000);
            f.assert_state(other, 0, 0, TOTAL);
            // First come, first served; what is missing is missing until somebody makes up for it.
            f.at(DEADLINE + 1);
            assert_eq!(f.client.claim_refund(&trade.agreement), 150_000_000);
            if taken > 0 {
                f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&other));
                h.token.mint(&f.contract, &taken);
            }
            assert_eq!(f.client.claim_refund(&other), TOTAL);
            assert_eq!(h.holds(), [WEALTH - paid, paid + given, 0]);
        }
    }
}
