//! Tokens that call other contracts in the middle of a payment: this one, another instance of it, other tokens.

use soroban_sdk::testutils::{MockAuth, MockAuthInvoke};

use soroban_sdk::xdr::{ScErrorCode, ScErrorType};

use super::*;

/// What the host answers to a call that it refuses.
fn refused() -> Option<(bool, Error)> {
    Some((false, Error::from_type_and_code(ScErrorType::Context, ScErrorCode::InvalidAction)))
}

impl Hostile {
    /// The calls into the contract that would gain something in the middle of another, and one that only reads.
    fn calls_back(&self, [agreement, transaction]: [u64; 2]) -> [Visit; 13] {
        let Fixture { contract, admin, provider, consumer, stranger, .. } = &self.f;
        let call = |function, args| self.visit(contract, function, args);
        let args = |args: &[Val]| SVec::from_slice(&self.f.env, args);
        let [agreement, transaction, one] = [agreement, transaction, 1].map(|number| self.val(number));
        let [admin, provider, consumer, stranger, token] =
            [admin, provider, consumer, stranger, &self.token.address].map(|address| self.val(address));
        [
            call("fund_agreement", args(&[agreement, consumer])),
            call("settle_payment", args(&[transaction, consumer])),
            call("settle_payment", args(&[transaction, provider])),
            call("claim_refund", args(&[agreement])),
            call("cancel_agreement", args(&[agreement, provider])),
            call("deliver_energy", args(&[agreement, one, self.val(1_000_u64), provider])),
            call("dispute_transaction", args(&[transaction, consumer])),
            call("resolve_dispute", args(&[transaction, self.val(0_u64), admin])),
            call("close_dispute", args(&[transaction])),
            call("initialize", args(&[stranger, token])),
            call("set_admin", args(&[stranger])),
            call("register_prosumer", args(&[stranger])),
            call("get_agreement_state", args(&[agreement])),
        ]
    }

    /// Another instance of the contract with this token, and a deposit in it that anyone can have refunded a moment later.
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
        neighbour.client.fund_agreement(&id, consumer);
        (neighbour, id)
    }
}

#[test]
fn no_payment_can_be_called_back_into() {
    for payment in &PAYMENTS {
        let h = Hostile::new();
        let f = &h.f;
        let mut ids = payment.prepare(f);
        for call in payment.token_calls() {
            for visit in h.calls_back(ids) {
                h.misbehave_at(call, &Fault::Calls(visit));
                payment.fails(f, ids);
            }
        }
        for i in 0..h.calls_back(ids).len() {
            let before = h.holds();
            let visit = h.calls_back(ids)[i].clone();
            h.misbehave_at(payment.transfer(), &Fault::Tries(visit));
            payment.succeeds(f, ids);
            assert_eq!(h.token.answer(), refused());
            assert_eq!(h.holds(), sum(before, payment.moved()), "{}", payment.name);
            h.misbehave([]);
            ids = payment.prepare(f);
        }
    }
}

#[test]
fn no_refund_can_be_called_back_into() {
    for refund in &REFUNDS {
        let h = Hostile::new();
        let f = &h.f;
        for i in 0..13 {
            for tries in [true, false] {
                h.misbehave([]);
                let ids = refund.prepare(f);
                let before = h.holds();
                let visit = h.calls_back(ids)[i].clone();
                h.misbehave([if tries { Fault::Tries(visit) } else { Fault::Calls(visit) }]);
                refund.succeeds(f, ids);
                if tries {
                    assert_eq!(h.token.answer(), refused());
                } else {
                    assert_eq!(h.holds(), before);
                    h.misbehave([]);
                    assert_eq!(f.client.claim_refund(&ids[0]), refund.amount());
                }
                assert_eq!(h.holds(), sum(before, refund.moved()), "{}", refund.name);
                assert_eq!(f.client.get_agreement_state(&ids[0]).escrow_amount, TOTAL - refund.amount());
            }
        }
    }
}

#[test]
fn a_neighbour_that_pays_in_the_middle_pays_another_token_at_once_and_the_same_token_later() {
    for payment in PAYMENTS.iter().chain(&REFUNDS) {
        for same in [false, true] {
            let h = Hostile::new();
            let f = &h.f;
            let (neighbour, id) = h.neighbour(if same { &h.token.address } else { &f.asset.address });
            let ids = payment.prepare(f);
            f.at(f.env.ledger().timestamp().max(START + 2));
            let before = h.holds();
            h.misbehave_at(payment.transfer(), &Fault::Tries(h.visit(&neighbour.contract, "claim_refund", (id,))));
            payment.succeeds(f, ids);
            assert_eq!(h.holds(), sum(before, payment.moved()), "{}", payment.name);
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
fn the_errors_of_a_neighbour_do_not_pass_for_ours() {
    for payment in &PAYMENTS {
        let h = Hostile::new();
        let (neighbour, id) = h.neighbour(&h.f.asset.address);
        let ids = payment.prepare(&h.f);
        // The same numbers, of the same contract: AgreementNotFound, and what the deposit of the neighbour answers.
        for (id, error) in [(0, SharingError::AgreementNotFound), (id, SharingError::NothingToRefund)] {
            h.f.at(h.f.env.ledger().timestamp().max(START + 2));
            if id > 0 {
                neighbour.client.claim_refund(&id);
            }
            h.f.fails(error, |_| neighbour.client.try_claim_refund(&id));
            h.misbehave_at(payment.transfer(), &Fault::Calls(h.visit(&neighbour.contract, "claim_refund", (id,))));
            payment.fails(&h.f, ids);
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
    for owner in [&f.consumer, &f.contract] {
        let id = f.agreement();
        h.misbehave_at(2, &theft(owner));
        let transfer = MockAuthInvoke {
            contract: &h.token.address,
            fn_name: "transfer",
            args: (&f.consumer, &f.contract, i128::from(TOTAL)).into_val(&f.env),
            sub_invokes: &[],
        };
        let invoke = &MockAuthInvoke {
            contract: &f.contract,
            fn_name: "fund_agreement",
            args: (id, &f.consumer).into_val(&f.env),
            sub_invokes: &[transfer],
        };
        f.client.mock_auths(&[MockAuth { address: &f.consumer, invoke }]).fund_agreement(&id, &f.consumer);
        assert_eq!(h.token.answer(), refused());
        f.env.mock_all_auths();
    }
    f.at(DEADLINE + 1);
    h.misbehave([theft(&f.contract)]);
    f.client.mock_auths(&[]).claim_refund(&1);
    assert_eq!(h.token.answer(), refused());
    assert_eq!([&f.consumer, &f.contract, &f.stranger].map(|owner| asset.balance(owner)), [WEALTH, 5, 0]);
    assert_eq!(h.holds(), [WEALTH - i128::from(TOTAL), 0, TOTAL.into()]);
}
