//! The real asset with classic accounts: short of money, frozen, full, without a trustline, clawed back, and the issuer
//! itself.

use soroban_token_sdk::events::{Burn, MintWithAmountOnly};

use super::payments::{
    all_payments, sum,
    Party::{self, *},
    Payment::{self, *},
    PAYMENTS,
};
use super::*;
use crate::events::AgreementFunded;
use crate::ARBITRATION_PERIOD;

const HALF: u64 = 1 << 62;

/// The numbers with which the asset contract refuses.
const BALANCE: u32 = 10;
const DEAUTHORIZED: u32 = 11;
const OVERFLOW: u32 = 12;
const TRUSTLINE_MISSING: u32 = 13;

impl Fixture {
    /// As `classic`, without the provider's trustline.
    fn without_the_providers_trustline() -> Self {
        let f = Self::deployed_for_accounts();
        f.trust(&f.consumer, |_| {});
        f.asset.mint(&f.consumer, &WEALTH);
        f.started()
    }

    /// As `classic`, without the consumer's trustline.
    fn without_the_consumers_trustline() -> Self {
        let f = Self::deployed_for_accounts();
        f.trust(&f.provider, |_| {});
        f.started()
    }

    /// As `classic`, and its issuer may freeze accounts and claw back.
    fn clawback() -> Self {
        let f = Self::classic();
        f.issuer.set_flag(IssuerFlags::RevocableFlag);
        f.issuer.set_flag(IssuerFlags::ClawbackEnabledFlag);
        f
    }

    /// The number with which the asset itself refuses to move tokens.
    fn refusal(&self, from: &Address, to: &Address, amount: u64) -> u32 {
        match self.token.try_transfer(from, to, &amount.into()) {
            Err(Ok(error)) => error.get_code(),
            answer => panic!("{answer:?}"),
        }
    }
}

/// What can be wrong with a party's balance.
#[derive(Clone, Copy, Debug)]
enum Fault {
    ShortByOne,
    Frozen,
    FullButOne,
}
use Fault::*;

const FAULTS: [(Fault, Party); 7] = [
    (ShortByOne, Consumer),
    (ShortByOne, Contract),
    (Frozen, Consumer),
    (Frozen, Provider),
    (Frozen, Contract),
    (FullButOne, Consumer),
    (FullButOne, Provider),
];

impl Fault {
    fn happens(self, f: &Fixture, party: Party, amount: i64) {
        let owner = f.party(party);
        match self {
            // As a clawback leaves the contract.
            ShortByOne => {
                f.token.transfer(owner, &f.stranger, &(f.token.balance(owner) - i128::from(amount) + 1).max(0))
            }
            Frozen => f.freeze(owner, true),
            FullButOne => f.trust(owner, |line| line.limit = line.balance + amount - 1),
        }
    }

    fn passes(self, f: &Fixture, party: Party) {
        let owner = f.party(party);
        match self {
            ShortByOne => f.token.transfer(&f.stranger, owner, &1),
            Frozen => f.freeze(owner, false),
            FullButOne => f.trust(owner, |line| line.limit += 1),
        }
    }

    /// Whether it concerns the party in this payment.
    fn stops(self, party: Party, payment: Payment) -> bool {
        match self {
            ShortByOne => party == payment.payer(),
            Frozen => party == payment.payer() || party == payment.payee(),
            FullButOne => party == payment.payee(),
        }
    }

    fn number(self) -> u32 {
        match self {
            ShortByOne | FullButOne => BALANCE,
            Frozen => DEAUTHORIZED,
        }
    }
}

/// The number with which the asset refuses this payment.
fn refusal(f: &Fixture, payment: Payment) -> u32 {
    f.refusal(f.party(payment.payer()), f.party(payment.payee()), payment.amount())
}

#[test]
fn a_fault_stops_just_the_payments_of_whom_it_concerns_until_it_passes() {
    for payment in all_payments() {
        for (fault, party) in FAULTS {
            let f = Fixture::classic();
            let trade = payment.prepare(&f);
            fault.happens(&f, party, payment.amount() as i64);
            let stopped = fault.stops(party, payment);
            if stopped {
                assert_eq!(refusal(&f, payment), fault.number(), "{payment:?}, {fault:?} {party:?}");
                let before = f.balances();
                payment.fails(&f, trade);
                assert_eq!(f.balances(), before);
                fault.passes(&f, party);
            }
            let before = f.balances();
            let again = if stopped { payment.later() } else { payment };
            again.succeeds(&f, trade);
            assert_eq!(f.balances(), sum(before, payment.moved()), "{payment:?}, {fault:?} {party:?}");
        }
    }
}

#[test]
fn a_provider_without_a_trustline_is_paid_once_it_has_one() {
    for payment in all_payments().filter(|payment| payment.payee() == Provider) {
        let f = Fixture::without_the_providers_trustline();
        let trade = payment.prepare(&f);
        let [consumer, contract] = [&f.consumer, &f.contract].map(|owner| f.token.balance(owner));
        assert_eq!(refusal(&f, payment), TRUSTLINE_MISSING);
        payment.fails(&f, trade);
        f.trust(&f.provider, |_| {});
        assert_eq!(f.balances(), [consumer, 0, contract]);
        payment.later().succeeds(&f, trade);
        assert_eq!(f.balances(), sum([consumer, 0, contract], payment.moved()), "{payment:?}");
    }
}

#[test]
fn a_provider_without_a_trustline_blocks_no_refund() {
    let f = Fixture::without_the_providers_trustline();
    let trade = Refund.prepare(&f);
    Refund.succeeds(&f, trade);
    assert_eq!([&f.consumer, &f.contract].map(|owner| f.token.balance(owner)), [WEALTH - 100_000_000, 100_000_000]);
}

#[test]
fn a_consumer_without_a_trustline_neither_funds_nor_pays() {
    for payment in PAYMENTS.into_iter().filter(|payment| payment.payer() == Consumer) {
        let f = Fixture::without_the_consumers_trustline();
        let trade = payment.prepare(&f);
        assert_eq!(refusal(&f, payment), TRUSTLINE_MISSING);
        payment.fails(&f, trade);
        f.trust(&f.consumer, |line| line.balance = payment.amount() as i64);
        payment.succeeds(&f, trade);
        assert_eq!(f.balances(), sum([payment.amount().into(), 0, 0], payment.moved()), "{payment:?}");
    }
}

#[test]
fn a_consumer_that_dropped_its_trustline_blocks_nobody_and_is_refunded_once_it_has_one_again() {
    let f = Fixture::without_the_consumers_trustline();
    f.certify(0);
    // A deposit as it is on the ledger after its consumer dropped the trustline: entries cannot be taken out of a
    // test's ledger.
    let deposit = |kind| {
        let id = f.agreement();
        f.asset.mint(&f.contract, &TOTAL.into());
        f.env.as_contract(&f.contract, || {
            let mut agreement = storage::agreement(&f.env, id);
            agreement.deposit = kind;
            agreement.escrow_amount = TOTAL;
            storage::set_agreement(&f.env, &agreement);
        });
        id
    };
    let agreements @ [metered, cancelled, ruled, closed] =
        [Deposit::Metered, Deposit::Reviewed, Deposit::Reviewed, Deposit::Reviewed].map(deposit);
    assert_eq!(f.refusal(&f.contract, &f.consumer, 1), TRUSTLINE_MISSING);
    // The provider is paid at once,
    f.deliver(metered, 20);
    f.assert_state(metered, 20, 0, 80 * PRICE);
    // cancels and is paid,
    let delivered = f.deliver(cancelled, 40);
    f.client.cancel_agreement(&cancelled, &f.provider);
    f.client.settle_payment(&delivered, &f.consumer);
    f.assert_state(cancelled, 40, 0, 60 * PRICE);
    // is paid what the admin ruled,
    let disputed = f.disputed(ruled, KWH);
    f.client.resolve_dispute(&disputed, &30, &f.admin);
    f.client.settle_agreement(&ruled, &disputed, &f.provider);
    f.assert_state(ruled, KWH, 0, 70 * PRICE);
    // and loses what nobody ruled on.
    let disputed = f.disputed(closed, KWH);
    f.at(START + ARBITRATION_PERIOD);
    f.client.close_dispute(&disputed);
    f.assert_state(closed, KWH, 0, TOTAL);

    for id in agreements {
        f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&id));
    }
    f.trust(&f.consumer, |_| {});
    assert_eq!(f.balances(), [0, 90 * PRICE, 310 * PRICE].map(i128::from));
    assert_eq!(agreements.map(|id| f.client.claim_refund(&id)), [80 * PRICE, 60 * PRICE, 70 * PRICE, TOTAL]);
    assert_eq!(f.balances(), [310 * PRICE, 90 * PRICE, 0].map(i128::from));
}

#[test]
fn what_is_left_after_a_clawback_goes_to_whom_comes_first() {
    let f = Fixture::clawback();
    let agreements @ [first, second, third] = [(); 3].map(|()| f.funded_agreement());
    let [unpaid, paid, late] = agreements.map(|id| f.deliver(id, KWH - 1));
    let total = i128::from(TOTAL);
    let delivered = i128::from(TOTAL - PRICE);
    // Enough for one and a half.
    f.asset.clawback(&f.contract, &(total + total / 2));
    f.client.settle_payment(&paid, &f.consumer);
    assert_eq!(f.balances(), [WEALTH - 3 * total, delivered, total / 2 + i128::from(PRICE)]);
    f.at(DEADLINE + 1);
    for (agreement, transaction) in [(first, unpaid), (third, late)] {
        f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&transaction, &f.provider));
        // A smaller claim is still paid.
        assert_eq!(f.client.claim_refund(&agreement), PRICE);
    }
    assert_eq!(f.client.claim_refund(&second), PRICE);
    assert_eq!(f.balances(), [WEALTH - 3 * delivered, delivered, total / 2 - 2 * i128::from(PRICE)]);
    // Somebody makes up for it.
    f.asset.mint(&f.contract, &(total + total / 2));
    for transaction in [unpaid, late] {
        f.client.settle_payment(&transaction, &f.provider);
    }
    assert_eq!(f.balances(), [WEALTH - 3 * delivered, 3 * delivered, 0]);
}

#[test]
fn where_too_little_is_left_for_all_deliveries_one_of_them_is_settled_alone() {
    let f = Fixture::clawback();
    let both = SettleAll { payer: Contract, settler: Provider };
    let trade = both.prepare(&f);
    // One too few for both.
    f.asset.clawback(&f.contract, &i128::from(TOTAL - both.amount() + 1));
    both.fails(&f, trade);
    f.client.settle_payment(&trade.transaction, &f.provider);
    both.fails(&f, trade);
    f.asset.mint(&f.contract, &1);
    assert_eq!(f.client.settle_agreement(&trade.agreement, &trade.transaction, &f.provider), 10 * PRICE);
    assert_eq!(f.balances(), [WEALTH - i128::from(TOTAL), both.amount().into(), 0]);
}

#[test]
fn after_a_clawback_of_everything_nothing_is_paid_until_somebody_makes_up_for_it() {
    for payment in all_payments().filter(|payment| payment.payer() == Contract) {
        let f = Fixture::clawback();
        let trade = payment.prepare(&f);
        let before = f.balances();
        f.asset.clawback(&f.contract, &TOTAL.into());
        payment.fails(&f, trade);
        f.asset.mint(&f.contract, &TOTAL.into());
        payment.later().succeeds(&f, trade);
        assert_eq!(f.balances(), sum(before, payment.moved()), "{payment:?}");
    }
}

#[test]
fn after_a_clawback_of_everything_a_new_deposit_pays_an_older_claim() {
    let f = Fixture::clawback();
    let older = Refund.prepare(&f);
    f.asset.clawback(&f.contract, &TOTAL.into());
    let newer = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &(DEADLINE + DAY));
    f.client.fund_agreement(&newer, &f.consumer, &Deposit::Reviewed);
    assert_eq!(f.client.claim_refund(&older.agreement), 150_000_000);
    f.client.cancel_agreement(&newer, &f.provider);
    f.assert_state(newer, 0, 0, TOTAL);
    f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&newer));
    assert_eq!(f.balances(), [WEALTH - 350_000_000, 0, 100_000_000]);
}

#[test]
fn the_issuer_as_provider_burns_what_it_is_paid() {
    for payment in all_payments().filter(|payment| payment.payee() == Provider) {
        let f = Fixture::classic();
        let f = Fixture { provider: f.issuer.address(), ..f };
        f.client.register_prosumer(&f.provider);
        let trade = payment.prepare(&f);
        let before = f.balances();
        payment.succeeds(&f, trade);
        let burnt = Burn { from: f.party(payment.payer()).clone(), amount: payment.amount().into() };
        assert_eq!(f.events().filter_by_contract(&f.token.address), [f.asset_event(&burnt)]);
        // The issuer's own balance is always the largest.
        let [consumer, _, contract] = sum(before, payment.moved());
        assert_eq!(f.balances(), [consumer, i64::MAX.into(), contract], "{payment:?}");
    }
}

#[test]
fn the_issuer_as_consumer_mints_its_deposit_and_burns_its_refund() {
    let f = Fixture::classic();
    let f = Fixture { consumer: f.issuer.address(), ..f };
    f.client.register_prosumer(&f.consumer);
    let [agreement, direct] = [f.agreement(), f.agreement()];
    let issuer = i128::from(i64::MAX);
    f.client.fund_agreement(&agreement, &f.consumer, &Deposit::Reviewed);
    assert_eq!(
        f.events(),
        [
            f.event(&AgreementFunded {
                agreement_id: agreement,
                provider: f.provider.clone(),
                consumer: f.consumer.clone(),
                escrow_amount: TOTAL,
                deposit: Deposit::Reviewed,
            }),
            f.asset_event(&MintWithAmountOnly { to: f.contract.clone(), amount: TOTAL.into() })
        ]
    );
    assert_eq!(f.balances(), [issuer, 0, TOTAL.into()]);
    let [from_deposit, directly] = [agreement, direct].map(|id| f.deliver(id, 40));
    f.client.settle_payment(&directly, &f.provider);
    assert_eq!(f.balances(), [issuer, 100_000_000, TOTAL.into()]);
    f.client.settle_payment(&from_deposit, &f.consumer);
    assert_eq!(f.balances(), [issuer, 200_000_000, 150_000_000]);
    f.at(DEADLINE + 1);
    assert_eq!(f.client.claim_refund(&agreement), 150_000_000);
    assert_eq!(
        f.events(),
        [
            f.refund_event(agreement, 150_000_000, 0),
            f.asset_event(&Burn { from: f.contract.clone(), amount: 150_000_000 })
        ]
    );
    assert_eq!(f.balances(), [issuer, 200_000_000, 0]);
}

#[test]
fn a_classic_account_pays_and_receives_up_to_i64_max() {
    let most = i64::MAX as u64;
    let f = Fixture::classic();
    f.trust(&f.consumer, |line| line.balance = i64::MAX);
    let create = |kwh, price| f.client.create_agreement(&f.provider, &f.consumer, &kwh, &price, &DEADLINE);
    for total in [most + 1, u64::MAX] {
        let beyond = create(1, total);
        assert_eq!(f.refusal(&f.consumer, &f.contract, total), OVERFLOW);
        f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&beyond, &f.consumer, &Deposit::Reviewed));
        let id = f.deliver(beyond, 1);
        f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&id, &f.consumer));
    }
    let id = create(1, most);
    f.client.fund_agreement(&id, &f.consumer, &Deposit::Reviewed);
    assert_eq!(f.balances(), [0, 0, most.into()]);
    f.client.settle_payment(&f.deliver(id, 1), &f.consumer);
    assert_eq!(f.balances(), [0, most.into(), 0]);
}

#[test]
fn a_payment_beyond_i64_max_to_a_classic_account_is_settled_in_parts_or_given_up() {
    // A consumer that is a contract owns more than an account can.
    let f = Fixture::classic();
    let f = Fixture { consumer: Address::generate(&f.env), ..f };
    f.client.register_prosumer(&f.consumer);
    f.asset.mint(&f.consumer, &(2 * i128::from(u64::MAX)));
    let fund = |kwh, price| {
        let id = f.client.create_agreement(&f.provider, &f.consumer, &kwh, &price, &DEADLINE);
        f.client.fund_agreement(&id, &f.consumer, &Deposit::Reviewed);
        id
    };
    let [parts, whole] = [fund(2, HALF), fund(1, 2 * HALF)];
    let half = i128::from(HALF);
    let consumer = 2 * i128::from(u64::MAX) - 4 * half;
    assert_eq!(f.balances(), [consumer, 0, 4 * half]);
    let [first, second, third] = [f.deliver(parts, 1), f.deliver(parts, 1), f.deliver(whole, 1)];
    // The account cannot hold both halves at a time.
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_agreement(&parts, &second, &f.consumer));
    f.client.settle_payment(&first, &f.consumer);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&second, &f.consumer));
    f.token.transfer(&f.provider, &f.stranger, &half);
    f.client.settle_payment(&second, &f.consumer);
    assert_eq!(f.balances(), [consumer, half, 2 * half]);
    // The provider cannot be paid this in any way, and lets it go.
    f.token.transfer(&f.provider, &f.stranger, &half);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&third, &f.consumer));
    f.client.dispute_transaction(&third, &f.consumer);
    f.client.resolve_dispute(&third, &0, &f.provider);
    assert_eq!(f.client.claim_refund(&whole), 2 * HALF);
    assert_eq!(f.balances(), [consumer + 2 * half, 0, 0]);
}
