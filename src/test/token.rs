//! Tokens that fail, lie, charge, and call back: what each call that moves money makes of them.

use std::ops::RangeInclusive;

use soroban_sdk::{vec as svec, Bytes, Error, IntoVal, Symbol, Val, Vec as SVec};

use super::*;
use crate::events::PaymentSettled;
use crate::{ARBITRATION_PERIOD, REVIEW_PERIOD};
use hostile::{Fault, HostileToken, HostileTokenClient, Visit};

mod hostile;
mod reentry;

/// A call that moves tokens.
pub struct Payment {
    pub name: &'static str,
    /// What leads up to it: an agreement on the fixture's terms, and a delivery of 40 kWh where there is one.
    prepare: fn(&Fixture) -> [u64; 2],
    call: fn(&Fixture, [u64; 2]) -> Answer<(), ()>,
    /// How much more consumer, provider and contract then own, in kWh.
    kwh: [i64; 3],
}

impl Payment {
    pub fn prepare(&self, f: &Fixture) -> [u64; 2] {
        f.at(START);
        (self.prepare)(f)
    }

    pub fn call(&self, f: &Fixture, ids: [u64; 2]) -> Answer<(), ()> {
        (self.call)(f, ids)
    }

    #[track_caller]
    pub fn succeeds(&self, f: &Fixture, ids: [u64; 2]) {
        assert_eq!(self.call(f, ids), Ok(Ok(())), "{}", self.name);
    }

    #[track_caller]
    pub fn fails(&self, f: &Fixture, ids: [u64; 2]) {
        f.fails(SharingError::PaymentFailed, |_| self.call(f, ids));
    }

    /// How much more consumer, provider and contract then own.
    pub fn moved(&self) -> [i128; 3] {
        self.kwh.map(|kwh| i128::from(kwh) * i128::from(PRICE))
    }

    pub fn amount(&self) -> u64 {
        self.kwh.map(i64::unsigned_abs).into_iter().max().unwrap() * PRICE
    }

    /// Its calls of the token: for a deposit the balance before, the transfer and the balance after; else one transfer.
    fn token_calls(&self) -> RangeInclusive<u32> {
        1..=if self.kwh[0] == -100 { 3 } else { 1 }
    }

    /// The transfer among them.
    fn transfer(&self) -> u32 {
        self.token_calls().count().min(2) as u32
    }
}

/// Calls that fail with the token.
pub const PAYMENTS: [Payment; 6] = [
    Payment {
        name: "fund_agreement",
        prepare: |f| [f.agreement(), 0],
        call: |f, [agreement, _]| plain(f.client.try_fund_agreement(&agreement, &f.consumer)),
        kwh: [-100, 0, 100],
    },
    Payment {
        name: "settle_payment, directly, by the consumer",
        prepare: |f| delivery(f, f.agreement()),
        call: |f, [_, id]| plain(f.client.try_settle_payment(&id, &f.consumer)),
        kwh: [-40, 40, 0],
    },
    Payment {
        name: "settle_payment, directly, by the provider",
        prepare: |f| delivery(f, f.agreement()),
        call: |f, [_, id]| plain(f.client.try_settle_payment(&id, &f.provider)),
        kwh: [-40, 40, 0],
    },
    Payment {
        name: "settle_payment, from the deposit, by the consumer",
        prepare: |f| delivery(f, f.funded_agreement()),
        call: |f, [_, id]| plain(f.client.try_settle_payment(&id, &f.consumer)),
        kwh: [0, 40, -40],
    },
    Payment {
        name: "settle_payment, from the deposit, by the provider",
        prepare: |f| {
            let ids = delivery(f, f.funded_agreement());
            f.at(START + REVIEW_PERIOD);
            ids
        },
        call: |f, [_, id]| plain(f.client.try_settle_payment(&id, &f.provider)),
        kwh: [0, 40, -40],
    },
    Payment {
        name: "claim_refund",
        prepare: |f| {
            let ids = delivery(f, f.funded_agreement());
            f.at(DEADLINE + 1);
            ids
        },
        call: |f, [agreement, _]| plain(f.client.try_claim_refund(&agreement)),
        kwh: [60, 0, -60],
    },
];

/// Calls that succeed whether or not their refund does.
pub const REFUNDS: [Payment; 4] = [
    Payment {
        name: "cancel_agreement",
        prepare: |f| delivery(f, f.funded_agreement()),
        call: |f, [agreement, _]| plain(f.client.try_cancel_agreement(&agreement, &f.provider)),
        kwh: [60, 0, -60],
    },
    Payment {
        name: "resolve_dispute, by the admin",
        prepare: disputed,
        call: |f, [_, id]| plain(f.client.try_resolve_dispute(&id, &10, &f.admin)),
        kwh: [30, 0, -30],
    },
    Payment {
        name: "resolve_dispute, by the provider",
        prepare: disputed,
        call: |f, [_, id]| plain(f.client.try_resolve_dispute(&id, &0, &f.provider)),
        kwh: [40, 0, -40],
    },
    Payment {
        name: "close_dispute",
        prepare: |f| {
            let ids = disputed(f);
            f.at(START + ARBITRATION_PERIOD);
            ids
        },
        call: |f, [_, id]| plain(f.client.try_close_dispute(&id)),
        kwh: [100, 0, -100],
    },
];

fn plain<T, E>(answer: Answer<T, E>) -> Answer<(), ()> {
    answer.map(|answer| answer.map(|_| ()).map_err(|_| ()))
}

fn delivery(f: &Fixture, agreement_id: u64) -> [u64; 2] {
    [agreement_id, f.deliver(agreement_id, 40)]
}

fn disputed(f: &Fixture) -> [u64; 2] {
    let agreement = f.funded_agreement();
    [agreement, f.disputed(agreement, 40)]
}

pub fn sum<const N: usize>(left: [i128; N], right: [i128; N]) -> [i128; N] {
    core::array::from_fn(|i| left[i] + right[i])
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

    /// The call-th call goes wrong.
    fn misbehave_at(&self, call: u32, fault: &Fault) {
        let before = [Fault::None, Fault::None];
        let faults = before.iter().take(call as usize - 1).chain([fault]).cloned();
        self.token.misbehave(&SVec::from_iter(&self.f.env, faults));
    }

    /// What consumer, provider and contract own in truth.
    fn holds(&self) -> [i128; 3] {
        [&self.f.consumer, &self.f.provider, &self.f.contract].map(|owner| self.token.holds(owner))
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
        Visit { contract: contract.clone(), function: Symbol::new(&self.f.env, function), args: args.into_val(&self.f.env) }
    }

    /// All ways to fail: with errors of its own, whose numbers are also ours, by a trap, and with answers of the wrong type.
    fn failures(&self) -> Vec<Fault> {
        let env = &self.f.env;
        let errors = [0, u32::MAX].into_iter().chain(1..=23).map(Fault::Fails);
        let answers = [
            self.val(true),
            self.val(7_u64),
            self.val(-7_i32),
            self.val(Symbol::new(env, "ok")),
            self.val(Bytes::new(env)),
            self.val(svec![env, 7_i128]),
            self.val(&self.f.contract),
        ];
        let answers = answers.iter().flat_map(|answer| [self.answers(*answer), self.does_and_answers(*answer)]);
        errors.chain([Fault::Panics, Fault::Traps]).chain(answers).collect()
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
    assert_eq!(f.client.get_config(), crate::Config { admin: f.admin.clone(), token_contract: h.token.address.clone() });
}

#[test]
fn every_number_of_decimals_is_traded_alike() {
    for decimals in [0, 7, 18, u32::MAX] {
        let Hostile { f, token } = Hostile::deployed(decimals);
        let h = Hostile { f: f.started(), token };
        let f = &h.f;
        let agreement = f.funded_agreement();
        let id = f.deliver(agreement, 40);
        f.client.settle_payment(&id, &f.consumer);
        f.client.cancel_agreement(&agreement, &f.provider);
        assert_eq!(f.balances(), [WEALTH - 100_000_000, 100_000_000, 0]);
    }
}

#[test]
fn eighteen_decimals_leave_room_for_18_whole_tokens() {
    let Hostile { f, token } = Hostile::deployed(18);
    let f = f.started();
    let token_unit = 10_u64.pow(18);
    token.mint(&f.consumer, &u64::MAX.into());
    f.fails(SharingError::AmountOverflow, |c| c.try_create_agreement(&f.provider, &f.consumer, &19, &token_unit, &DEADLINE));
    let agreement = f.client.create_agreement(&f.provider, &f.consumer, &18, &token_unit, &DEADLINE);
    f.client.fund_agreement(&agreement, &f.consumer);
    f.assert_state(agreement, 0, 0, 18 * token_unit);
    f.client.settle_payment(&f.deliver(agreement, 18), &f.consumer);
    assert_eq!(f.balances(), [WEALTH + i128::from(u64::MAX - 18 * token_unit), (18 * token_unit).into(), 0]);
}

#[test]
fn a_token_that_fails_fails_every_payment_until_it_recovers() {
    for payment in &PAYMENTS {
        let h = Hostile::new();
        let ids = payment.prepare(&h.f);
        let before = h.holds();
        for (call, fault) in payment.token_calls().flat_map(|call| h.failures().into_iter().map(move |fault| (call, fault))) {
            h.misbehave_at(call, &fault);
            payment.fails(&h.f, ids);
        }
        h.misbehave([]);
        payment.succeeds(&h.f, ids);
        assert_eq!(h.token.calls(), *payment.token_calls().end(), "{}", payment.name);
        assert_eq!(h.holds(), sum(before, payment.moved()), "{}", payment.name);
    }
}

#[test]
fn a_token_that_fails_stops_neither_cancellation_nor_ruling() {
    for refund in &REFUNDS {
        let h = Hostile::new();
        let f = &h.f;
        for fault in h.failures() {
            if matches!(fault, Fault::DoesAndAnswers(_)) {
                continue;
            }
            let ids = refund.prepare(f);
            let before = h.holds();
            h.misbehave([fault.clone(), fault]);
            refund.succeeds(f, ids);
            assert_eq!(f.events().filter_by_contract(&f.contract).events().len(), 1, "{}", refund.name);
            assert_eq!(h.holds(), before);
            assert_eq!(f.client.get_agreement_state(&ids[0]).escrow_amount, TOTAL);
            f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&ids[0]));
            h.misbehave([]);
            assert_eq!(f.client.claim_refund(&ids[0]), refund.amount());
            assert_eq!(h.holds(), sum(before, refund.moved()), "{}", refund.name);
            assert_eq!(f.client.get_agreement_state(&ids[0]).escrow_amount, TOTAL - refund.amount());
        }
        let ids = refund.prepare(f);
        h.misbehave([]);
        refund.succeeds(f, ids);
        assert_eq!(h.token.calls(), 1, "{}", refund.name);
    }
}

#[test]
fn a_refund_that_is_paid_but_answered_wrongly_can_be_claimed_once_more() {
    // Such a token is no SEP-41 token. The escrow goes down only for a plain success: the loss is its users', of this token alone.
    let h = Hostile::new();
    let f = &h.f;
    let [agreement, other] = [f.funded_agreement(), f.funded_agreement()];
    h.misbehave([h.does_and_answers(true)]);
    f.client.cancel_agreement(&agreement, &f.provider);
    f.assert_state(agreement, 0, 0, TOTAL);
    assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), 0, TOTAL.into()]);
    h.misbehave([]);
    assert_eq!(f.client.claim_refund(&agreement), TOTAL);
    assert_eq!(h.holds(), [WEALTH, 0, 0]);
    f.client.cancel_agreement(&other, &f.provider);
    f.assert_state(other, 0, 0, TOTAL);
    f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&other));
}

#[test]
fn nobodys_payment_waits_for_the_other_partys() {
    for refund in &REFUNDS {
        let h = Hostile::new();
        let f = &h.f;
        let ids @ [agreement, id] = refund.prepare(f);
        let refuses = |party: &Address| [(); 3].map(|()| Fault::Refuses(party.clone()));
        // The consumer cannot be paid: its provider is.
        h.misbehave(refuses(&f.consumer));
        refund.succeeds(f, ids);
        let pending = f.client.get_agreement_state(&agreement).pending_amount;
        if pending > 0 {
            f.at(START + REVIEW_PERIOD);
            f.client.settle_payment(&id, &f.provider);
        }
        f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&agreement));
        let paid = i128::from(pending);
        assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), paid, i128::from(TOTAL) - paid], "{}", refund.name);
        h.misbehave([]);
        assert_eq!(f.client.claim_refund(&agreement), refund.amount());
    }
    // The provider cannot be paid: its consumer is refunded.
    for refund in PAYMENTS[5..].iter().chain(&REFUNDS) {
        let h = Hostile::new();
        let f = &h.f;
        let ids = refund.prepare(f);
        let before = h.holds();
        h.misbehave([(); 3].map(|()| Fault::Refuses(f.provider.clone())));
        refund.succeeds(f, ids);
        assert_eq!(h.holds(), sum(before, refund.moved()), "{}", refund.name);
        if f.client.get_agreement_state(&ids[0]).pending_amount > 0 {
            f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&ids[1], &f.consumer));
            h.misbehave([]);
            f.client.settle_payment(&ids[1], &f.consumer);
        }
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
    // The contract cannot know better than the token who owns what. Nothing is due twice, so the payee has lost its payment in this token.
    for payment in PAYMENTS[1..].iter().chain(&REFUNDS) {
        let h = Hostile::new();
        let f = &h.f;
        let ids = payment.prepare(f);
        let escrow = f.client.get_agreement_state(&ids[0]).escrow_amount;
        let before = h.holds();
        h.misbehave([h.answers(())]);
        payment.succeeds(f, ids);
        assert_eq!(h.holds(), before);
        h.misbehave([]);
        let state = f.client.get_agreement_state(&ids[0]);
        let paid = u64::try_from(-payment.moved()[2]).unwrap();
        assert_eq!(state.escrow_amount, escrow - paid, "{}", payment.name);
        if payment.moved()[1] > 0 {
            assert_eq!(state.pending_amount, 0);
            f.fails(SharingError::TransactionAlreadySettled, |_| payment.call(f, ids));
        } else {
            f.fails(SharingError::NothingToRefund, |c| c.try_claim_refund(&ids[0]));
        }
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
    assert_eq!(h.holds(), [WEALTH, 0, 0]);
    let id = f.deliver(honest, KWH);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&id, &f.consumer));
    h.token.mint(&f.contract, &TOTAL.into());
    f.client.settle_payment(&id, &f.consumer);
    assert_eq!(h.holds(), [WEALTH, TOTAL.into(), 0]);
}

#[test]
fn a_settlement_counts_as_paid_whatever_the_token_takes_or_gives() {
    let paid = 100_000_000;
    let total = i128::from(TOTAL);
    // A fee from the payee, one from the payer, and a token that empties the contract of the other deposit.
    for (taken, given) in [(0, -1), (1, 0), (0, -paid), (total, 0), (total, total)] {
        let h = Hostile::new();
        let f = &h.f;
        let [agreement, other] = [f.funded_agreement(), f.funded_agreement()];
        let id = f.deliver(agreement, 40);
        h.misbehave([Fault::Moves(taken, given)]);
        f.client.settle_payment(&id, &f.consumer);
        assert_eq!(
            f.events().filter_by_contract(&f.contract),
            [f.event(&PaymentSettled {
                transaction_id: id,
                provider: f.provider.clone(),
                consumer: f.consumer.clone(),
                agreement_id: agreement,
                payment_amount: 100_000_000,
                settled_at: START,
                settler: f.consumer.clone(),
            })]
        );
        assert_eq!(h.holds(), [WEALTH - 2 * total, paid + given, 2 * total - paid - taken]);
        f.assert_state(agreement, 40, 0, TOTAL - 100_000_000);
        f.assert_state(other, 0, 0, TOTAL);
        // First come, first served; what is missing is missing until somebody makes up for it.
        f.client.cancel_agreement(&agreement, &f.provider);
        f.client.cancel_agreement(&other, &f.provider);
        let missing = i128::from(f.client.get_agreement_state(&other).escrow_amount);
        assert_eq!(missing, if taken > 0 { total } else { 0 });
        if taken > 0 {
            f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&other));
            h.token.mint(&f.contract, &taken);
            assert_eq!(f.client.claim_refund(&other), TOTAL);
        }
        assert_eq!(h.holds()[2], 0);
    }
}
