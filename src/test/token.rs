//! Tokens that fail, lie, charge, and call back: what each call that moves money makes of them.

use soroban_sdk::{Error, IntoVal, Val, Vec as SVec};

use super::payments::{all_payments, sum, Party::*, Payment::*, Trade, PAYMENTS};
use super::*;
use crate::ARBITRATION_PERIOD;
use fixture::Hostile;
use hostile::{Fault, Visit};

mod fixture;
mod hostile;
mod reentry;

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
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Reviewed);
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
                f.settled_event(transaction_id(agreement, 1), agreement, 10, f.party(settler)),
                f.settled_event(transaction_id(agreement, 3), agreement, 30, f.party(settler)),
                h.transfer_event(f.party(payer), &f.provider, 100_000_000)
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
    f.certify(0);
    deliver(reviewed);
    deliver(direct);
    // Without the meter that was there when the deposit was made.
    let metered = f.funded_agreement();
    f.retire();
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
            h.transfer_event(&f.contract, &f.provider, 100_000_000),
            f.delivered_event(trade.transaction, trade.agreement, 40, 40, true),
            f.settled_event(trade.transaction, trade.agreement, 40, &f.provider)
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
            Deliver.fails(f, trade);
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
        Deliver.fails(f, trade);
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
    let delivered = f.delivered_event(trade.transaction, trade.agreement, 40, 40, true);
    assert_eq!(f.events(), [h.transfer_event(&f.contract, &f.provider, 100_000_000), delivered]);
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
        f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&id, &f.consumer, &Deposit::Reviewed));
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
        f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&id, &f.consumer, &Deposit::Reviewed));
    }

    // A fee on top of the total is between the token and the consumer.
    h.misbehave([Fault::None, Fault::Moves(1, 0)]);
    f.client.fund_agreement(&id, &f.consumer, &Deposit::Reviewed);
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
        f.client.fund_agreement(&id, &f.consumer, &Deposit::Reviewed);
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
    f.client.fund_agreement(&hollow, &f.consumer, &Deposit::Reviewed);
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
