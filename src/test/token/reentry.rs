//! Tokens that call other contracts in the middle of a payment: this one, another instance of it, other tokens.

use soroban_sdk::testutils::{MockAuth, MockAuthInvoke};

use soroban_sdk::xdr::{ScErrorCode, ScErrorType};

use super::*;

const CALLS_BACK: usize = 17;

/// What the host answers to a call that it refuses.
fn refused() -> Option<(bool, Error)> {
    Some((false, Error::from_type_and_code(ScErrorType::Context, ScErrorCode::InvalidAction)))
}

impl Hostile {
    /// All calls into the contract that act, and one that only reads, in the middle of another.
    fn calls_back(&self, Trade { agreement, transaction }: Trade) -> [Visit; CALLS_BACK] {
        let Fixture { contract, admin, provider, consumer, stranger, meter, .. } = &self.f;
        let call = |function, args| self.visit(contract, function, args);
        let args = |args: &[Val]| SVec::from_slice(&self.f.env, args);
        let [agreement, transaction, zero, one, reading] =
            [agreement, transaction, 0, 1, 1_000].map(|number| self.val(number));
        let [admin, provider, consumer, stranger, meter, token] =
            [admin, provider, consumer, stranger, meter, &self.token.address].map(|address| self.val(address));
        [
            call("initialize", args(&[stranger, token])),
            call("set_admin", args(&[stranger])),
            call("register_prosumer", args(&[stranger])),
            call("register_meter", args(&[provider, meter, zero, one])),
            call("create_agreement", args(&[provider, consumer, one, one, self.val(DEADLINE + DAY)])),
            call("fund_agreement", args(&[agreement, consumer, self.val(Deposit::Reviewed)])),
            call("cancel_agreement", args(&[agreement, provider])),
            call("claim_refund", args(&[agreement])),
            call("deliver_energy", args(&[agreement, one, reading, provider])),
            call("settle_payment", args(&[transaction, consumer])),
            call("settle_payment", args(&[transaction, provider])),
            call("settle_agreement", args(&[agreement, transaction, consumer])),
            call("settle_agreement", args(&[agreement, transaction, provider])),
            call("dispute_transaction", args(&[transaction, consumer])),
            call("resolve_dispute", args(&[transaction, zero, admin])),
            call("close_dispute", args(&[transaction])),
            call("get_agreement_state", args(&[agreement])),
        ]
    }

    /// Another instance of the contract with this token, and a deposit in it that anyone can have refunded a moment
    /// later.
    fn neighbour(&self, token: &Address) -> (Fixture, u64) {
        let Fixture { env, asset, issuer, admin, provider, consumer, meter, stranger, .. } = &self.f;
        let contract = deploy(env);
        let neighbour = Fixture {
            client: PeerToPeerEnergySharingClient::new(env, &contract),
            contract,
            token: TokenClient::new(env, token),
            env: env.clone(),
            asset: StellarAssetClient::new(env, &asset.address),
            issuer: issuer.clone(),
            admin: admin.clone(),
            provider: provider.clone(),
            consumer: consumer.clone(),
            meter: meter.clone(),
            stranger: stranger.clone(),
        }
        .started();
        let id = neighbour.client.create_agreement(provider, consumer, &KWH, &PRICE, &(START + 1));
        neighbour.client.fund_agreement(&id, consumer, &Deposit::Reviewed);
        (neighbour, id)
    }
}

#[test]
fn no_payment_can_be_called_back_into() {
    for payment in all_payments() {
        let h = Hostile::new();
        let f = &h.f;
        for calls in 0..payment.token_calls().len() {
            for n in 0..CALLS_BACK {
                // A token that insists fails; a delivery is recorded, and not paid.
                h.misbehave([]);
                h.token.mint(&f.consumer, &TOTAL.into());
                let trade = payment.prepare(f);
                let before = h.holds();
                let visit = h.calls_back(trade)[n].clone();
                h.misbehave_after(calls, &Fault::Calls(visit.clone()));
                payment.fails(f, trade);
                assert_eq!(h.holds(), before);
                h.misbehave([]);
                payment.later().succeeds(f, trade);
                assert_eq!(h.holds(), sum(before, payment.moved()), "{payment:?}, {visit:?}");

                // One that puts up with it pays.
                h.token.mint(&f.consumer, &TOTAL.into());
                let trade = payment.prepare(f);
                let before = h.holds();
                let visit = h.calls_back(trade)[n].clone();
                h.misbehave_after(calls, &Fault::Tries(visit.clone()));
                payment.succeeds(f, trade);
                assert_eq!(h.token.answer(), refused());
                assert_eq!(h.calls(), payment.token_calls());
                assert_eq!(h.holds(), sum(before, payment.moved()), "{payment:?}, {visit:?}");
                f.fails(payment.error_of_repetition(), |_| payment.call(f, trade));
            }
        }
    }
}

#[test]
fn a_neighbour_that_pays_in_the_middle_pays_another_token_at_once_and_the_same_token_later() {
    for payment in all_payments() {
        for same in [false, true] {
            let h = Hostile::new();
            let f = &h.f;
            let (neighbour, id) = h.neighbour(if same { &h.token.address } else { &f.asset.address });
            let trade = payment.prepare(f);
            f.at(f.env.ledger().timestamp().max(START + 2));
            let before = h.holds();
            let visit = h.visit(&neighbour.contract, "claim_refund", (id,));
            h.misbehave_after(payment.transfer(), &Fault::Tries(visit));
            payment.succeeds(f, trade);
            assert_eq!(h.holds(), sum(before, payment.moved()), "{payment:?}");
            if same {
                // The token would be called back.
                assert_eq!(h.token.answer(), Some((false, SharingError::PaymentFailed.into())));
                neighbour.assert_state(id, 0, 0, TOTAL);
                assert_eq!(neighbour.client.claim_refund(&id), TOTAL);
            } else {
                assert_eq!(neighbour.balances(), [WEALTH, 0, 0]);
            }
            neighbour.assert_state(id, 0, 0, 0);
        }
    }
}

#[test]
fn a_neighbour_that_delivers_in_the_middle_is_paid_in_another_token_at_once_and_in_the_same_token_later() {
    let payment = Settle { payer: Contract, settler: Consumer };
    for same in [false, true] {
        let h = Hostile::new();
        let f = &h.f;
        let (neighbour, _) = h.neighbour(if same { &h.token.address } else { &f.asset.address });
        // Its provider's meter is the token.
        let neighbour = Fixture { meter: h.token.address.clone(), ..neighbour };
        let [trade, delivery] = [payment.prepare(f), Deliver.prepare(&neighbour)];
        let args = (delivery.agreement, 40_u64, 40_u64, &f.provider);
        h.misbehave([Fault::Tries(h.visit(&neighbour.contract, "deliver_energy", args))]);
        payment.succeeds(f, trade);
        assert!(h.token.answer().unwrap().0);
        if same {
            assert_eq!(neighbour.transaction_status(delivery.transaction), TransactionStatus::Delivered);
            neighbour.assert_state(delivery.agreement, 40, 100_000_000, TOTAL);
            Deliver.later().succeeds(&neighbour, delivery);
        }
        assert_eq!(neighbour.transaction_status(delivery.transaction), TransactionStatus::Settled);
        neighbour.assert_state(delivery.agreement, 40, 0, 150_000_000);
        assert_eq!(neighbour.token.balance(&f.provider), if same { 200_000_000 } else { 100_000_000 });
    }
}

#[test]
fn the_errors_of_a_neighbour_do_not_pass_for_ours() {
    for payment in PAYMENTS {
        let h = Hostile::new();
        let (neighbour, id) = h.neighbour(&h.f.asset.address);
        let trade = payment.prepare(&h.f);
        h.f.at(h.f.env.ledger().timestamp().max(START + 2));
        neighbour.client.claim_refund(&id);
        // The same numbers, of the same contract: one that names nothing, and a deposit that is spent.
        for (id, error) in [(0, SharingError::AgreementNotFound), (id, SharingError::NothingToRefund)] {
            h.f.fails(error, |_| neighbour.client.try_claim_refund(&id));
            h.misbehave_after(payment.transfer(), &Fault::Calls(h.visit(&neighbour.contract, "claim_refund", (id,))));
            payment.fails(&h.f, trade);
        }
    }
}

#[test]
fn a_token_cannot_move_other_tokens_of_those_who_call_it() {
    let h = Hostile::new();
    let f = &h.f;
    let asset = TokenClient::new(&f.env, &f.asset.address);
    f.asset.mint(&f.contract, &5);
    let theft = |owner| Fault::Tries(h.visit(&asset.address, "transfer", (owner, &f.stranger, 5_i128)));
    let fund = |id, deposit: Deposit| {
        let transfer = MockAuthInvoke {
            contract: &h.token.address,
            fn_name: "transfer",
            args: (&f.consumer, &f.contract, i128::from(TOTAL)).into_val(&f.env),
            sub_invokes: &[],
        };
        let invoke = &MockAuthInvoke {
            contract: &f.contract,
            fn_name: "fund_agreement",
            args: (id, &f.consumer, deposit).into_val(&f.env),
            sub_invokes: &[transfer],
        };
        f.client.mock_auths(&[MockAuth { address: &f.consumer, invoke }]).fund_agreement(&id, &f.consumer, &deposit);
        assert_eq!(h.token.answer(), refused());
        f.env.mock_all_auths();
    };
    // Neither the consumer's tokens nor the contract's own: with the consumer's signature,
    let first = f.agreement();
    h.misbehave_after(Fund.transfer(), &theft(&f.consumer));
    fund(first, Deposit::Reviewed);
    f.certify(0);
    let second = f.agreement();
    h.misbehave_after(Fund.transfer(), &theft(&f.contract));
    fund(second, Deposit::Metered);
    // with the meter's,
    h.misbehave_after(Deliver.transfer(), &theft(&f.contract));
    let invoke = &MockAuthInvoke {
        contract: &f.contract,
        fn_name: "deliver_energy",
        args: (second, 40_u64, 40_u64, &f.provider).into_val(&f.env),
        sub_invokes: &[],
    };
    f.client.mock_auths(&[MockAuth { address: &f.meter, invoke }]).deliver_energy(&second, &40, &40, &f.provider);
    assert_eq!(h.token.answer(), refused());
    // and with nobody's.
    f.at(DEADLINE + 1);
    h.misbehave([theft(&f.contract)]);
    f.client.mock_auths(&[]).claim_refund(&first);
    assert_eq!(h.token.answer(), refused());
    assert_eq!([&f.consumer, &f.contract, &f.stranger].map(|owner| asset.balance(owner)), [WEALTH, 5, 0]);
    assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), 100_000_000, 150_000_000]);
}
