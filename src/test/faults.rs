//! The real asset with classic accounts: short of money, frozen, full, without a trustline, clawed back, and the issuer itself.

use std::rc::Rc;

use soroban_sdk::{
    testutils::IssuerFlags,
    xdr::{
        AccountEntry, AccountId, AlphaNum4, AssetCode4, LedgerEntry, LedgerKeyAccount, LedgerKeyTrustLine, PublicKey, ScAddress,
        SequenceNumber, Thresholds, TrustLineAsset, TrustLineEntry, TrustLineFlags, Uint256,
    },
};
use soroban_token_sdk::events::{Burn, MintWithAmountOnly};

use super::token::{sum, Payment, PAYMENTS, REFUNDS};
use super::*;
use crate::events::{AgreementFunded, EscrowRefunded};

const HALF: u64 = 1 << 62;

impl Fixture {
    /// Provider and consumer are classic accounts without trustlines.
    fn without_trustlines() -> Self {
        let f = Self::deployed();
        let [provider, consumer] = [1, 2].map(|key| f.account(key));
        Self { provider, consumer, ..f }.started()
    }

    /// Only the consumer has a trustline, and its wealth in it.
    fn without_the_providers_trustline() -> Self {
        let f = Self::without_trustlines();
        f.trust(&f.consumer, |_| {});
        f.asset.mint(&f.consumer, &WEALTH);
        f
    }

    /// Provider and consumer are classic accounts with trustlines.
    fn classic() -> Self {
        let f = Self::without_the_providers_trustline();
        f.trust(&f.provider, |_| {});
        f
    }

    /// As `classic`, and its issuer may freeze accounts and claw back.
    fn clawback() -> Self {
        let f = Self::classic();
        f.issuer.set_flag(IssuerFlags::RevocableFlag);
        f.issuer.set_flag(IssuerFlags::ClawbackEnabledFlag);
        f
    }

    fn account(&self, key: u8) -> Address {
        let account_id = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256([key; 32])));
        let account = AccountEntry {
            account_id: account_id.clone(),
            balance: 100_000_000,
            seq_num: SequenceNumber(0),
            num_sub_entries: 1,
            inflation_dest: None,
            flags: 0,
            home_domain: Default::default(),
            thresholds: Thresholds([1; 4]),
            signers: Default::default(),
            ext: Default::default(),
        };
        let key = LedgerKey::Account(LedgerKeyAccount { account_id: account_id.clone() });
        self.put(key, LedgerEntryData::Account(account));
        Address::try_from_val(&self.env, &ScAddress::Account(account_id)).unwrap()
    }

    /// Changes an account's trustline, which is unlimited and authorised if it is new.
    fn trust(&self, owner: &Address, change: impl FnOnce(&mut TrustLineEntry)) {
        let [account_id, issuer] = [owner, &self.issuer.address()].map(|address| match ScAddress::from(address) {
            ScAddress::Account(id) => id,
            other => panic!("{other:?} is no account"),
        });
        let asset = TrustLineAsset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4(*b"aaa\0"), issuer });
        let key = LedgerKey::Trustline(LedgerKeyTrustLine { account_id: account_id.clone(), asset: asset.clone() });
        let mut line = match self.env.host().get_ledger_entry(&Rc::new(key.clone())).unwrap().map(|(entry, _)| entry.data.clone()) {
            Some(LedgerEntryData::Trustline(line)) => line,
            _ => TrustLineEntry {
                account_id,
                asset,
                balance: 0,
                limit: i64::MAX,
                flags: TrustLineFlags::AuthorizedFlag as u32,
                ext: Default::default(),
            },
        };
        change(&mut line);
        self.put(key, LedgerEntryData::Trustline(line));
    }

    fn put(&self, key: LedgerKey, data: LedgerEntryData) {
        let entry = LedgerEntry { last_modified_ledger_seq: 0, data, ext: Default::default() };
        self.env.host().add_ledger_entry(&Rc::new(key), &Rc::new(entry), None).unwrap();
    }

    /// The number with which the asset itself refuses to move tokens.
    fn refusal(&self, from: &Address, to: &Address, amount: u64) -> u32 {
        match self.token.try_transfer(from, to, &amount.into()) {
            Err(Ok(error)) => error.get_code(),
            answer => panic!("{answer:?}"),
        }
    }

    fn parties(&self) -> [&Address; 3] {
        [&self.consumer, &self.provider, &self.contract]
    }

    fn freeze(&self, owner: &Address, frozen: bool) {
        self.issuer.set_flag(IssuerFlags::RevocableFlag);
        self.asset.set_authorized(owner, &!frozen);
    }
}

const CONSUMER: usize = 0;
const PROVIDER: usize = 1;
const CONTRACT: usize = 2;

/// What can be wrong with a party's account.
struct Fault {
    name: &'static str,
    party: usize,
    stops_paying: bool,
    stops_being_paid: bool,
    /// The asset's own number for it.
    number: u32,
    happen: fn(&Fixture, &Address, i64),
    pass: fn(&Fixture, &Address, i64),
}

const fn frozen(party: usize) -> Fault {
    Fault {
        name: "frozen",
        party,
        stops_paying: true,
        stops_being_paid: true,
        number: 11,
        happen: |f, owner, _| f.freeze(owner, true),
        pass: |f, owner, _| f.freeze(owner, false),
    }
}

const fn full(party: usize) -> Fault {
    Fault {
        name: "full",
        party,
        stops_paying: false,
        stops_being_paid: true,
        number: 10,
        happen: |f, owner, amount| f.trust(owner, |line| line.limit = line.balance + amount - 1),
        pass: |f, owner, _| f.trust(owner, |line| line.limit += 1),
    }
}

const FAULTS: [Fault; 6] = [
    Fault {
        name: "short by one",
        party: CONSUMER,
        stops_paying: true,
        stops_being_paid: false,
        number: 10,
        happen: |f, owner, amount| f.trust(owner, |line| line.balance = amount - 1),
        pass: |f, owner, _| f.trust(owner, |line| line.balance += 1),
    },
    frozen(CONSUMER),
    frozen(PROVIDER),
    frozen(CONTRACT),
    full(CONSUMER),
    full(PROVIDER),
];

impl Fault {
    /// Whether it concerns this payment, and whoever pays and is paid in it.
    fn stops(&self, payment: &Payment) -> bool {
        let moved = payment.moved()[self.party];
        (self.stops_paying && moved < 0) || (self.stops_being_paid && moved > 0)
    }
}

fn refusal(f: &Fixture, payment: &Payment) -> u32 {
    let party = |paid: bool| f.parties()[payment.moved().iter().position(|moved| if paid { *moved > 0 } else { *moved < 0 }).unwrap()];
    f.refusal(party(false), party(true), payment.amount())
}

#[test]
fn a_fault_stops_just_the_payments_of_whom_it_concerns_until_it_passes() {
    for payment in &PAYMENTS {
        for fault in &FAULTS {
            let f = Fixture::classic();
            let owner = f.parties()[fault.party];
            let amount = payment.amount() as i64;
            let ids = payment.prepare(&f);
            (fault.happen)(&f, owner, amount);
            if fault.stops(payment) {
                assert_eq!(refusal(&f, payment), fault.number, "{}, {}", payment.name, fault.name);
                payment.fails(&f, ids);
                (fault.pass)(&f, owner, amount);
            }
            let before = f.balances();
            payment.succeeds(&f, ids);
            assert_eq!(f.balances(), sum(before, payment.moved()), "{}, {}", payment.name, fault.name);
        }
    }
}

#[test]
fn a_fault_stops_the_refund_and_nothing_else_of_a_cancellation_or_ruling() {
    for refund in &REFUNDS {
        for fault in &FAULTS {
            let f = Fixture::classic();
            let owner = f.parties()[fault.party];
            let amount = refund.amount() as i64;
            let ids @ [agreement, id] = refund.prepare(&f);
            (fault.happen)(&f, owner, amount);
            let before = f.balances();
            let stops = fault.stops(refund);
            if stops {
                assert_eq!(refusal(&f, refund), fault.number, "{}, {}", refund.name, fault.name);
            }
            refund.succeeds(&f, ids);
            if stops {
                assert_eq!(f.balances(), before);
                assert_eq!(f.client.get_agreement_state(&agreement).escrow_amount, TOTAL);
                f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&agreement));
            }
            // Whatever its consumer's account is like, the provider is paid.
            let pending = f.client.get_agreement_state(&agreement).pending_amount;
            let mut paid = [0; 3];
            if pending > 0 && fault.party == CONSUMER {
                f.client.settle_payment(&id, &f.consumer);
                paid = [0, pending.into(), -i128::from(pending)];
            }
            if stops {
                (fault.pass)(&f, owner, amount);
                assert_eq!(f.client.claim_refund(&agreement), refund.amount());
            }
            assert_eq!(f.balances(), sum(sum(before, refund.moved()), paid), "{}, {}", refund.name, fault.name);
            assert_eq!(f.client.get_agreement_state(&agreement).escrow_amount, TOTAL - refund.amount() - paid[PROVIDER] as u64);
        }
    }
}

#[test]
fn a_provider_without_a_trustline_is_paid_once_it_has_one() {
    for payment in PAYMENTS.iter().filter(|payment| payment.moved()[PROVIDER] > 0) {
        let f = Fixture::without_the_providers_trustline();
        let ids = payment.prepare(&f);
        let [consumer, contract] = [&f.consumer, &f.contract].map(|owner| f.token.balance(owner));
        assert_eq!(refusal(&f, payment), SharingError::SelfSharingNotAllowed as u32);
        payment.fails(&f, ids);
        f.trust(&f.provider, |_| {});
        payment.succeeds(&f, ids);
        assert_eq!(f.balances(), sum([consumer, 0, contract], payment.moved()), "{}", payment.name);
    }
    // It blocks nobody's refund.
    for refund in PAYMENTS.iter().filter(|payment| payment.moved()[CONTRACT] < 0 && payment.moved()[CONSUMER] > 0).chain(&REFUNDS) {
        let f = Fixture::without_the_providers_trustline();
        let ids = refund.prepare(&f);
        refund.succeeds(&f, ids);
        let refunded = i128::from(refund.amount());
        let total = i128::from(TOTAL);
        assert_eq!([&f.consumer, &f.contract].map(|owner| f.token.balance(owner)), [WEALTH - total + refunded, total - refunded]);
    }
}

#[test]
fn a_consumer_without_a_trustline_neither_funds_nor_pays() {
    for payment in PAYMENTS.iter().filter(|payment| payment.moved()[CONSUMER] < 0) {
        let f = Fixture::without_trustlines();
        f.trust(&f.provider, |_| {});
        let ids = payment.prepare(&f);
        assert_eq!(refusal(&f, payment), 13);
        payment.fails(&f, ids);
        f.trust(&f.consumer, |line| line.balance = payment.amount() as i64);
        payment.succeeds(&f, ids);
        assert_eq!(f.balances(), sum([payment.amount().into(), 0, 0], payment.moved()), "{}", payment.name);
    }
}

#[test]
fn a_consumer_that_dropped_its_trustline_blocks_nobody_and_is_refunded_once_it_has_one_again() {
    let f = Fixture::without_trustlines();
    f.trust(&f.provider, |_| {});
    // A deposit as it is on the ledger after its consumer dropped the trustline: entries cannot be taken out of a test's ledger.
    let deposit = || {
        let id = f.agreement();
        f.asset.mint(&f.contract, &TOTAL.into());
        f.env.as_contract(&f.contract, || {
            let mut agreement = storage::agreement(&f.env, id).unwrap();
            agreement.funded = true;
            agreement.state.escrow_amount = TOTAL;
            storage::set_agreement(&f.env, &agreement);
        });
        id
    };
    let [cancelled, ruled] = [deposit(), deposit()];
    let [first, second] = [f.deliver(cancelled, 40), f.disputed(ruled, KWH)];
    assert_eq!(f.refusal(&f.contract, &f.consumer, 1), 13);
    f.client.cancel_agreement(&cancelled, &f.provider);
    f.client.resolve_dispute(&second, &30, &f.admin);
    f.assert_state(cancelled, 40, 40 * PRICE, TOTAL);
    f.assert_state(ruled, KWH, 30 * PRICE, TOTAL);
    f.client.settle_payment(&first, &f.consumer);
    f.client.settle_payment(&second, &f.provider);
    for id in [cancelled, ruled] {
        f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&id));
    }
    f.trust(&f.consumer, |_| {});
    assert_eq!(f.balances(), [0, 175_000_000, 325_000_000]);
    assert_eq!([cancelled, ruled].map(|id| f.client.claim_refund(&id)), [150_000_000, 175_000_000]);
    assert_eq!(f.balances(), [325_000_000, 175_000_000, 0]);
}

#[test]
fn what_is_left_after_a_clawback_goes_to_whom_comes_first() {
    let f = Fixture::clawback();
    let agreements @ [first, second, third] = [(); 3].map(|()| f.funded_agreement());
    let [_, paid, _] = agreements.map(|id| f.deliver(id, KWH - 1));
    let total = i128::from(TOTAL);
    let delivered = i128::from(TOTAL - PRICE);
    // Enough for one and a half.
    f.asset.clawback(&f.contract, &(total + total / 2));
    f.client.settle_payment(&paid, &f.consumer);
    assert_eq!(f.balances(), [WEALTH - 3 * total, delivered, total / 2 + i128::from(PRICE)]);
    f.at(DEADLINE + 1);
    for id in [first, third] {
        let transaction = if id == first { 1 } else { 3 };
        f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&transaction, &f.provider));
        // A smaller claim is still paid.
        assert_eq!(f.client.claim_refund(&id), PRICE);
    }
    assert_eq!(f.client.claim_refund(&second), PRICE);
    assert_eq!(f.balances()[CONTRACT], total / 2 - 2 * i128::from(PRICE));
    // Somebody makes up for it.
    f.asset.mint(&f.contract, &(total + total / 2));
    for transaction in [1, 3] {
        f.client.settle_payment(&transaction, &f.provider);
    }
    assert_eq!(f.balances(), [WEALTH - 3 * delivered, 3 * delivered, 0]);
}

#[test]
fn after_a_clawback_of_everything_nothing_is_paid_and_everything_else_goes_on() {
    for payment in PAYMENTS.iter().filter(|payment| payment.moved()[CONTRACT] < 0) {
        let f = Fixture::clawback();
        let ids = payment.prepare(&f);
        let before = f.balances();
        f.asset.clawback(&f.contract, &before[CONTRACT]);
        payment.fails(&f, ids);
        f.asset.mint(&f.contract, &before[CONTRACT]);
        payment.succeeds(&f, ids);
        assert_eq!(f.balances(), sum(before, payment.moved()), "{}", payment.name);
    }
    for refund in &REFUNDS {
        let f = Fixture::clawback();
        let ids = refund.prepare(&f);
        f.asset.clawback(&f.contract, &TOTAL.into());
        refund.succeeds(&f, ids);
        f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&ids[0]));
        // A new deposit is the contract's only money: it pays the older claim.
        let deadline = f.env.ledger().timestamp() + DAY;
        let newer = f.client.create_agreement(&f.provider, &f.consumer, &KWH, &PRICE, &deadline);
        f.client.fund_agreement(&newer, &f.consumer);
        assert_eq!(f.client.claim_refund(&ids[0]), refund.amount());
        f.client.cancel_agreement(&newer, &f.provider);
        f.assert_state(newer, 0, 0, TOTAL);
        f.fails(SharingError::PaymentFailed, |c| c.try_claim_refund(&newer));
        assert_eq!(f.balances(), [WEALTH - 2 * i128::from(TOTAL) + i128::from(refund.amount()), 0, i128::from(TOTAL - refund.amount())]);
    }
}

#[test]
fn the_issuer_as_provider_burns_what_it_is_paid() {
    for payment in PAYMENTS.iter().filter(|payment| payment.moved()[PROVIDER] > 0) {
        let f = Fixture::classic();
        let f = Fixture { provider: f.issuer.address(), ..f };
        f.client.register_prosumer(&f.provider);
        let ids = payment.prepare(&f);
        let before = f.balances();
        payment.succeeds(&f, ids);
        let payer = f.parties()[payment.moved().iter().position(|moved| *moved < 0).unwrap()];
        assert_eq!(f.events().events()[0], f.asset_event(&Burn { from: payer.clone(), amount: payment.amount().into() }));
        let mut moved = payment.moved();
        // The issuer's own balance is always the largest.
        moved[PROVIDER] = 0;
        assert_eq!(f.balances(), sum(before, moved), "{}", payment.name);
        assert_eq!(before[PROVIDER], i128::from(i64::MAX));
    }
}

#[test]
fn the_issuer_as_consumer_mints_its_deposit_and_burns_its_refund() {
    let f = Fixture::classic();
    let f = Fixture { consumer: f.issuer.address(), ..f };
    f.client.register_prosumer(&f.consumer);
    let [agreement, direct] = [f.agreement(), f.agreement()];
    let issuer = i128::from(i64::MAX);
    let (provider, consumer) = (f.provider.clone(), f.consumer.clone());
    f.client.fund_agreement(&agreement, &f.consumer);
    assert_eq!(
        f.events(),
        [
            f.asset_event(&MintWithAmountOnly { to: f.contract.clone(), amount: TOTAL.into() }),
            f.event(&AgreementFunded {
                agreement_id: agreement,
                provider: provider.clone(),
                consumer: consumer.clone(),
                escrow_amount: TOTAL
            })
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
            f.asset_event(&Burn { from: f.contract.clone(), amount: 150_000_000 }),
            f.event(&EscrowRefunded { agreement_id: agreement, provider, consumer, refund_amount: 150_000_000, escrow_amount: 0 })
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
        assert_eq!(f.refusal(&f.consumer, &f.contract, total), SharingError::TransactionAlreadySettled as u32);
        f.fails(SharingError::PaymentFailed, |c| c.try_fund_agreement(&beyond, &f.consumer));
        let id = f.deliver(beyond, 1);
        f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&id, &f.consumer));
    }
    let id = create(1, most);
    f.client.fund_agreement(&id, &f.consumer);
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
        f.client.fund_agreement(&id, &f.consumer);
        id
    };
    let [parts, whole] = [fund(2, HALF), fund(1, 2 * HALF)];
    let half = i128::from(HALF);
    let consumer = 2 * i128::from(u64::MAX) - 4 * half;
    assert_eq!(f.balances(), [consumer, 0, 4 * half]);
    let [first, second, third] = [f.deliver(parts, 1), f.deliver(parts, 1), f.deliver(whole, 1)];
    f.client.settle_payment(&first, &f.consumer);
    // The account cannot hold both halves at a time.
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&second, &f.consumer));
    f.token.transfer(&f.provider, &f.stranger, &half);
    f.client.settle_payment(&second, &f.consumer);
    assert_eq!(f.balances(), [consumer, half, 2 * half]);
    // The provider cannot be paid this in any way, and lets it go.
    f.token.transfer(&f.provider, &f.stranger, &half);
    f.fails(SharingError::PaymentFailed, |c| c.try_settle_payment(&third, &f.consumer));
    f.client.dispute_transaction(&third, &f.consumer);
    f.client.resolve_dispute(&third, &0, &f.provider);
    assert_eq!(f.balances(), [consumer + 2 * half, 0, 0]);
}
