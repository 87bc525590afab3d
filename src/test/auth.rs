//! Who signs what: the tree that each call records, and that the call fails without each of its signatures.

use soroban_sdk::{
    testutils::{AuthorizedFunction, AuthorizedInvocation, MockAuth, MockAuthInvoke},
    vec as svec, IntoVal, Symbol, Val, Vec as SVec,
};

use std::format;

use super::*;

/// An address, and the tokens that its signature lets the call move: from it to another.
type Signer<'a> = (&'a Address, Option<(&'a Address, u64)>);

impl Fixture {
    /// Calls with just these signatures.
    fn call(&self, function: &str, args: &SVec<Val>, signers: &[Signer]) -> Answer<Val, soroban_sdk::ConversionError> {
        let transfers: Vec<_> = (signers.iter())
            .map(|(from, pays)| {
                pays.map(|(to, amount)| MockAuthInvoke {
                    contract: &self.token.address,
                    fn_name: "transfer",
                    args: (*from, to, i128::from(amount)).into_val(&self.env),
                    sub_invokes: &[],
                })
            })
            .collect();
        let calls: Vec<_> = (transfers.iter())
            .map(|transfer| MockAuthInvoke {
                contract: &self.contract,
                fn_name: function,
                args: args.clone(),
                sub_invokes: transfer.as_slice(),
            })
            .collect();
        let mocks: Vec<_> =
            (signers.iter().zip(&calls)).map(|((address, _), invoke)| MockAuth { address, invoke }).collect();
        self.env.mock_auths(&mocks);
        self.env.try_invoke_contract(&self.contract, &Symbol::new(&self.env, function), args.clone())
    }

    /// Asserts that a call needs each of these signatures, and no other.
    #[track_caller]
    fn needs(&self, function: &str, args: SVec<Val>, signers: &[Signer]) {
        for missing in 0..signers.len() {
            let others = [&signers[..missing], &signers[missing + 1..]].concat();
            // The signers' accounts come into being with their first signature.
            self.env.mock_auths(&[]);
            let _ = self.call(function, &args, &others);
            let before = self.ledger();
            match self.call(function, &args, &others) {
                Err(Err(InvokeError::Abort)) => {}
                answer => panic!("{function} without the signature {missing}: {answer:?}"),
            }
            assert_eq!(self.events(), []);
            assert!(self.ledger() == before, "{function} without the signature {missing} changed something");
        }
        match self.call(function, &args, signers) {
            Ok(Ok(_)) => {}
            answer => panic!("{function}: {answer:?}"),
        }
        let signed: Vec<_> = (signers.iter())
            .map(|(address, pays)| {
                let transfers = pays.map(|(to, amount)| {
                    let args: SVec<Val> = (*address, to, i128::from(amount)).into_val(&self.env);
                    self.invocation(&self.token.address, "transfer", args, Vec::new())
                });
                let call = self.invocation(&self.contract, function, args.clone(), transfers.into_iter().collect());
                ((*address).clone(), call)
            })
            .collect();
        assert_eq!(self.env.auths(), signed);
        self.env.mock_all_auths();
    }

    fn invocation(
        &self,
        contract: &Address,
        function: &str,
        args: SVec<Val>,
        sub_invocations: Vec<AuthorizedInvocation>,
    ) -> AuthorizedInvocation {
        let function = AuthorizedFunction::Contract((contract.clone(), Symbol::new(&self.env, function), args));
        AuthorizedInvocation { function, sub_invocations }
    }

    fn args(&self, args: impl IntoVal<Env, SVec<Val>>) -> SVec<Val> {
        args.into_val(&self.env)
    }
}

#[test]
fn initialize_needs_the_admin() {
    let f = Fixture::deployed();
    f.needs("initialize", f.args((&f.admin, &f.token.address)), &[(&f.admin, None)]);
}

#[test]
fn set_admin_needs_the_old_and_the_new_admin() {
    let f = Fixture::new();
    f.needs("set_admin", f.args((&f.stranger,)), &[(&f.admin, None), (&f.stranger, None)]);
    f.needs("set_admin", f.args((&f.admin,)), &[(&f.stranger, None), (&f.admin, None)]);
}

#[test]
fn register_prosumer_needs_the_prosumer() {
    let f = Fixture::new();
    f.needs("register_prosumer", f.args((&f.stranger,)), &[(&f.stranger, None)]);
    // Again, too.
    f.needs("register_prosumer", f.args((&f.stranger,)), &[(&f.stranger, None)]);
}

#[test]
fn register_meter_needs_the_admin_and_the_prosumer_where_a_meter_is_given() {
    let f = Fixture::new();
    let certify = f.args((&f.provider, Some(&f.meter), 0_u64, POWER));
    f.needs("register_meter", certify, &[(&f.admin, None), (&f.provider, None)]);
    f.needs("register_meter", f.args((&f.provider, None::<Address>, 0_u64, 0_u64)), &[(&f.admin, None)]);
}

#[test]
fn register_meter_asks_an_admin_that_is_the_prosumer_once() {
    let f = Fixture::new();
    f.client.register_prosumer(&f.admin);
    f.needs("register_meter", f.args((&f.admin, Some(&f.meter), 0_u64, POWER)), &[(&f.admin, None)]);
}

#[test]
fn create_agreement_needs_the_provider() {
    let f = Fixture::new();
    f.needs("create_agreement", f.args((&f.provider, &f.consumer, KWH, PRICE, DEADLINE)), &[(&f.provider, None)]);
}

#[test]
fn fund_agreement_needs_the_consumer_for_the_call_and_the_deposit() {
    let f = Fixture::new();
    let id = f.agreement();
    let args = f.args((id, &f.consumer, Deposit::Reviewed));
    // For the call alone the token refuses.
    assert_eq!(f.call("fund_agreement", &args, &[(&f.consumer, None)]).unwrap_err(), Ok(SharingError::PaymentFailed));
    f.assert_owned(0, 0);
    f.needs("fund_agreement", args, &[(&f.consumer, Some((&f.contract, TOTAL)))]);
}

#[test]
fn cancel_agreement_needs_the_canceller() {
    let f = Fixture::new();
    for (id, canceller) in
        [(f.agreement(), &f.provider), (f.agreement(), &f.consumer), (f.funded_agreement(), &f.provider)]
    {
        f.needs("cancel_agreement", f.args((id, canceller)), &[(canceller, None)]);
    }
}

#[test]
fn claim_refund_needs_nobody() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    f.at(DEADLINE + 1);
    f.needs("claim_refund", f.args((id,)), &[]);
}

#[test]
fn deliver_energy_needs_the_certified_meter_alone_or_else_the_provider() {
    let f = Fixture::new();
    let id = f.agreement();
    f.needs("deliver_energy", f.args((id, 1_u64, 1_u64, &f.provider)), &[(&f.provider, None)]);
    f.certify(0);
    f.needs("deliver_energy", f.args((id, 1_u64, 2_u64, &f.provider)), &[(&f.meter, None)]);
    // The same where it is paid at once: the contract pays.
    let funded = f.funded_agreement();
    f.needs("deliver_energy", f.args((funded, 1_u64, 3_u64, &f.provider)), &[(&f.meter, None)]);
    assert_eq!(f.balances()[1], i128::from(PRICE));
    f.retire();
    f.needs("deliver_energy", f.args((id, 1_u64, 4_u64, &f.provider)), &[(&f.provider, None)]);
}

#[test]
fn the_provider_cannot_deliver_in_place_of_its_meter() {
    let f = Fixture::metered();
    let args = f.args((f.funded_agreement(), 1_u64, 1_u64, &f.provider));
    for signer in [&f.provider, &f.consumer, &f.admin] {
        assert!(matches!(f.call("deliver_energy", &args, &[(signer, None)]), Err(Err(InvokeError::Abort))));
    }
}

#[test]
fn settle_payment_needs_the_consumer_where_it_pays_directly() {
    let f = Fixture::new();
    let id = f.agreement();
    let amount = 10 * PRICE;
    let pays = Some((&f.provider, amount));
    let by_consumer = f.args((f.deliver(id, 10), &f.consumer));
    f.needs("settle_payment", by_consumer, &[(&f.consumer, pays)]);
    let by_provider = f.args((f.deliver(id, 10), &f.provider));
    // For the call alone the token refuses.
    assert_eq!(
        f.call("settle_payment", &by_provider, &[(&f.provider, None), (&f.consumer, None)]).unwrap_err(),
        Ok(SharingError::PaymentFailed)
    );
    f.needs("settle_payment", by_provider, &[(&f.provider, None), (&f.consumer, pays)]);
    assert_eq!(f.balances(), [WEALTH - 2 * i128::from(amount), 2 * i128::from(amount), 0]);
}

#[test]
fn settle_payment_needs_the_settler_alone_where_the_escrow_pays() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    let deliveries = [f.deliver(id, 10), f.deliver(id, 10)];
    f.at(START + DAY);
    for (delivery, settler) in deliveries.into_iter().zip([&f.provider, &f.consumer]) {
        f.needs("settle_payment", f.args((delivery, settler)), &[(settler, None)]);
    }
}

#[test]
fn settle_agreement_needs_the_consumer_where_it_pays_directly() {
    let f = Fixture::new();
    let id = f.agreement();
    let pays = Some((&f.provider, 30 * PRICE));
    let two = || [f.deliver(id, 10), f.deliver(id, 20)][1];
    f.needs("settle_agreement", f.args((id, two(), &f.consumer)), &[(&f.consumer, pays)]);
    f.needs("settle_agreement", f.args((id, two(), &f.provider)), &[(&f.provider, None), (&f.consumer, pays)]);
    assert_eq!(f.balances()[1], i128::from(60 * PRICE));
}

#[test]
fn settle_agreement_needs_the_settler_alone_where_the_escrow_pays() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    let [first, second] = [f.deliver(id, 10), f.deliver(id, 10)];
    f.at(START + DAY);
    for (through, settler) in [(first, &f.provider), (second, &f.consumer)] {
        f.needs("settle_agreement", f.args((id, through, settler)), &[(settler, None)]);
    }
}

#[test]
fn one_signature_for_a_bill_outlives_newer_deliveries() {
    let f = Fixture::new();
    let id = f.agreement();
    let through = f.deliver(id, 10);
    // What the consumer signed while there was one delivery pays for just that one.
    f.deliver(id, 20);
    f.needs("settle_agreement", f.args((id, through, &f.consumer)), &[(&f.consumer, Some((&f.provider, 10 * PRICE)))]);
}

#[test]
fn dispute_transaction_needs_the_disputer() {
    let f = Fixture::new();
    let id = f.agreement();
    for disputer in [&f.provider, &f.consumer] {
        f.needs("dispute_transaction", f.args((f.deliver(id, 10), disputer)), &[(disputer, None)]);
    }
}

#[test]
fn resolve_dispute_needs_who_gives_away_its_own_and_both_parties_for_the_rest() {
    let f = Fixture::new();
    let id = f.funded_agreement();
    let (provider, consumer, admin) = (&f.provider, &f.consumer, &f.admin);
    for (accepted, resolver, second) in [
        (0, admin, None),
        (5, admin, None),
        (10, admin, None),
        (10, consumer, None),
        (9, consumer, Some(provider)),
        (0, consumer, Some(provider)),
        (0, provider, None),
        (1, provider, Some(consumer)),
        (10, provider, Some(consumer)),
    ] {
        let signers: Vec<Signer> =
            [Some(resolver), second].into_iter().flatten().map(|address| (address, None)).collect();
        f.needs("resolve_dispute", f.args((f.disputed(id, 10), accepted as u64, resolver)), &signers);
    }
}

#[test]
fn an_admin_who_is_a_party_rules_as_a_party() {
    let f = Fixture::new();
    let id = f.agreement();
    let (provider, consumer) = (&f.provider, &f.consumer);
    for (admin, other, own) in [(provider, consumer, 0), (consumer, provider, 10)] {
        f.client.set_admin(admin);
        f.needs("resolve_dispute", f.args((f.disputed(id, 10), own as u64, admin)), &[(admin, None)]);
        f.needs("resolve_dispute", f.args((f.disputed(id, 10), 5_u64, admin)), &[(admin, None), (other, None)]);
    }
}

#[test]
fn close_dispute_needs_nobody() {
    let f = Fixture::new();
    let id = f.disputed(f.funded_agreement(), 10);
    f.at(START + crate::ARBITRATION_PERIOD);
    f.needs("close_dispute", f.args((id,)), &[]);
}

#[test]
fn the_first_signature_is_asked_for_before_anything_is_looked_at() {
    let f = Fixture::deployed();
    let refused = |function, args: SVec<Val>| match f.call(function, &args, &[]) {
        Err(Err(InvokeError::Abort)) => {}
        answer => panic!("{function}: {answer:?}"),
    };
    refused("initialize", f.args((&f.admin, &f.stranger)));
    f.env.mock_all_auths();
    f.client.initialize(&f.admin, &f.token.address);
    refused("set_admin", f.args((&f.admin,)));
    refused("register_meter", f.args((&f.stranger, Some(&f.stranger), 0_u64, 0_u64)));
    refused("create_agreement", f.args((&f.stranger, &f.stranger, 0_u64, 0_u64, 0_u64)));
    refused("fund_agreement", f.args((9_u64, &f.stranger, Deposit::Reviewed)));
    refused("fund_agreement", f.args((9_u64, &f.stranger, Deposit::None)));
    refused("cancel_agreement", f.args((9_u64, &f.stranger)));
    refused("settle_payment", f.args((9_u64, &f.stranger)));
    refused("settle_agreement", f.args((9_u64, 9_u64, &f.stranger)));
    refused("dispute_transaction", f.args((9_u64, &f.stranger)));
    refused("resolve_dispute", f.args((9_u64, 0_u64, &f.stranger)));
}

#[test]
fn initialize_fails_the_second_time_whoever_signed() {
    let f = Fixture::new();
    f.env.mock_auths(&[]);
    f.fails(SharingError::AlreadyInitialized, |c| c.try_initialize(&f.admin, &f.stranger));
}

#[test]
fn a_second_signature_is_asked_for_only_when_all_else_is_right() {
    let f = Fixture::metered();
    let agreement = f.agreement();
    let [settled, disputed] = [f.deliver(agreement, 10), f.disputed(agreement, 10)];
    f.client.settle_payment(&settled, &f.consumer);
    let fails = |error, function, args: SVec<Val>, signer| {
        assert_eq!(f.call(function, &args, &[(signer, None)]).unwrap_err(), Ok(error), "{function}");
    };
    let (admin, provider, consumer) = (&f.admin, &f.provider, &f.consumer);
    fails(SharingError::InvalidInput, "set_admin", f.args((admin,)), admin);
    fails(
        SharingError::ProsumerNotRegistered,
        "register_meter",
        f.args((&f.stranger, Some(&f.meter), 0_u64, POWER)),
        admin,
    );
    fails(SharingError::InvalidInput, "register_meter", f.args((provider, Some(provider), 0_u64, POWER)), admin);
    fails(SharingError::InvalidInput, "register_meter", f.args((provider, Some(&f.meter), u64::MAX, POWER)), admin);
    for power in [0, crate::MAX_POWER + 1] {
        fails(SharingError::InvalidInput, "register_meter", f.args((provider, Some(&f.meter), 0_u64, power)), admin);
    }
    fails(SharingError::InvalidMeterReading, "deliver_energy", f.args((agreement, 1_u64, 0_u64, provider)), provider);
    fails(SharingError::AgreementNotFound, "deliver_energy", f.args((9_u64, 1_u64, 99_u64, provider)), provider);
    fails(SharingError::TransactionAlreadySettled, "settle_payment", f.args((settled, provider)), provider);
    fails(SharingError::TransactionDisputed, "settle_payment", f.args((disputed, provider)), provider);
    fails(SharingError::TransactionNotFound, "settle_agreement", f.args((agreement, 9_u64, provider)), provider);
    fails(SharingError::NothingToSettle, "settle_agreement", f.args((agreement, disputed, provider)), provider);
    fails(SharingError::InvalidInput, "resolve_dispute", f.args((disputed, 11_u64, provider)), provider);
    fails(SharingError::InvalidInput, "resolve_dispute", f.args((disputed, 11_u64, consumer)), consumer);
}

/// Who has to sign each call: whoever is asked, and in which cases. A getter asks nobody.
pub const CLASSES: [(&str, &str); 24] = [
    ("initialize", "admin, an argument"),
    ("set_admin", "the admin and new_admin"),
    ("register_prosumer", "prosumer"),
    ("register_meter", "the admin; and prosumer where a meter is given"),
    ("create_agreement", "provider"),
    ("fund_agreement", "consumer, who pays"),
    ("cancel_agreement", "canceller, a party"),
    ("claim_refund", "nobody"),
    ("deliver_energy", "the provider's certified meter, or else provider"),
    ("settle_payment", "settler, a party; and the consumer where it pays directly"),
    ("settle_agreement", "settler, a party; and the consumer where it pays directly"),
    ("dispute_transaction", "disputer, a party"),
    ("resolve_dispute", "resolver: the admin, or a party; and the other party for what is not its own to give"),
    ("close_dispute", "nobody"),
    ("get_config", GETTER),
    ("get_prosumer", GETTER),
    ("get_agreement", GETTER),
    ("get_agreement_state", GETTER),
    ("get_transaction", GETTER),
    ("get_transaction_history", GETTER),
    ("get_agreement_page", GETTER),
    ("get_agreement_transactions", GETTER),
    ("get_transaction_states", GETTER),
    ("get_prosumer_count", GETTER),
];
const GETTER: &str = "nobody; it only reads";

#[test]
fn every_entrypoint_has_a_class_of_authorisation_and_a_test_of_it() {
    let tests = include_str!("auth.rs");
    assert_eq!(spec::functions(), CLASSES.map(|(name, _)| name));
    for (name, _) in CLASSES {
        let tested = [format!("f.needs(\"{name}\""), format!("        (\"{name}\", ")];
        assert!(tested.iter().any(|call| tests.contains(call)), "no test shows who signs {name}");
    }
}

#[test]
fn getters_need_nobody_write_nothing_and_emit_nothing() {
    let f = Fixture::new();
    let id = f.agreement();
    let transaction = f.deliver(id, 10);
    // Where all entries are due to be extended.
    f.at(START + 100 * DAY);
    let before = f.ledger();
    for (function, args) in [
        ("get_config", svec![&f.env]),
        ("get_prosumer", f.args((&f.provider,))),
        ("get_agreement", f.args((id,))),
        ("get_agreement_state", f.args((id,))),
        ("get_transaction", f.args((transaction,))),
        ("get_transaction_history", f.args((&f.provider,))),
        ("get_agreement_page", f.args((&f.provider, None::<u64>, 10_u32))),
        ("get_agreement_transactions", f.args((id,))),
        ("get_transaction_states", f.args((id,))),
        ("get_prosumer_count", f.args(())),
    ] {
        f.needs(function, args, &[]);
        assert_eq!(f.events(), []);
        assert!(f.ledger() == before, "{function} changed something");
    }
}
