//! The codec: whatever is packed comes back as it was, over random and extreme values.

use std::{format, string::String};

use proptest::{
    collection::vec,
    option,
    prelude::{any, Just, Strategy},
    prop_assert_eq, prop_oneof, proptest,
};
use soroban_sdk::{
    xdr::{ClaimableBalanceId, Hash, Limits, PoolId, ScAddress, WriteXdr},
    Bytes,
};

use super::*;
use crate::utils::packed::{kind, pack_agreement, pack_prosumer, unpack_agreement, unpack_prosumer, ACCOUNT, CONTRACT};
use crate::utils::records::{Agreement, Outcome, Transaction};
use crate::{AGREEMENTS_PER_PROVIDER, MAX_POWER, MAX_PROSUMERS, MAX_READING, MAX_TERM};

/// Numbers of every length, the extremes often.
fn up_to(most: u64) -> impl Strategy<Value = u64> + Clone {
    let random = (any::<u64>(), 0..64_u32).prop_map(move |(number, shift)| number >> shift);
    let random = random.prop_map(move |number| if most == u64::MAX { number } else { number % (most + 1) });
    prop_oneof![1 => Just(0), 1 => Just(most), 6 => random]
}

type Parts = (u64, u64, u64, u64, u64);

/// What of a transaction's state is no number: metered, ruled, and its outcome.
type State = (bool, bool, u8);
const PAID_AT_ONCE: u8 = 3;

/// Energy and what of it is accepted, the reading, and what passed since the last one and until the outcome.
fn transaction() -> impl Strategy<Value = (Parts, State)> {
    let state = prop_oneof![(any::<bool>(), any::<bool>(), 0..PAID_AT_ONCE), Just((true, false, PAID_AT_ONCE))];
    ((1..=MAX_READING, up_to(MAX_READING), up_to(MAX_READING), up_to(MAX_TERM), up_to(u64::MAX)), state)
}

fn deposit() -> impl Strategy<Value = Deposit> {
    prop_oneof![Just(Deposit::None), Just(Deposit::Reviewed), Just(Deposit::Metered)]
}

fn agreement(
    env: &Env,
    terms: Parts,
    (deposit, cancelled): (Deposit, bool),
    previous: (u64, u64),
    transactions: &[(Parts, State)],
) -> Agreement {
    let (created_at, term, energy_amount_kwh, price_per_kwh, escrow_amount) = terms;
    let mut agreement = Agreement {
        created_at,
        delivery_deadline: created_at.saturating_add(term),
        energy_amount_kwh,
        // The total has 64 bits.
        price_per_kwh: price_per_kwh.min(u64::MAX / energy_amount_kwh.max(1)),
        escrow_amount,
        provider_previous: previous.0,
        consumer_previous: previous.1,
        deposit,
        cancelled,
        ..blank(env)
    };
    let mut time = created_at;
    for (place, (numbers, state)) in agreement.transactions.iter_mut().zip(transactions) {
        let ((kwh, accepted, reading, passed, later), (metered, ruled, outcome)) = (*numbers, *state);
        time = time.saturating_add(passed);
        let at = time.saturating_add(later);
        *place = Transaction {
            energy_delivered_kwh: kwh,
            energy_accepted_kwh: if outcome == PAID_AT_ONCE { kwh } else { accepted.min(kwh) },
            meter_reading: reading,
            delivered_at: time,
            metered,
            ruled,
            outcome: [Outcome::Open, Outcome::Disputed { since: at }, Outcome::Settled { at }, Outcome::PaidAtOnce]
                [usize::from(outcome)],
        };
    }
    agreement
}

/// A contract sells to an account.
fn blank(env: &Env) -> Agreement {
    Agreement::new(env, 7, env.current_contract_address(), Address::from_str(env, ACCOUNTS[0]))
}

/// Everything of it that is packed.
fn parts(agreement: &Agreement) -> String {
    let terms = [
        agreement.created_at,
        agreement.delivery_deadline,
        agreement.energy_amount_kwh,
        agreement.price_per_kwh,
        agreement.escrow_amount,
        agreement.provider_previous,
        agreement.consumer_previous,
    ];
    let Agreement { provider, consumer, deposit, cancelled, transactions, .. } = agreement;
    format!("{provider:?} {consumer:?} {terms:?} {deposit:?} {cancelled} {transactions:?}")
}

/// Within a contract, as the codec is.
fn within<T>(check: impl FnOnce(&Env) -> T) -> T {
    let env = Env::new_with_config(EnvTestConfig { capture_snapshot_at_drop: false });
    env.as_contract(&env.register(PeerToPeerEnergySharing, ()), || check(&env))
}

proptest! {
    #[test]
    fn an_agreement_comes_back_as_it_was(
        terms in (up_to(u64::MAX), up_to(MAX_TERM), up_to(u64::MAX), up_to(u64::MAX), up_to(u64::MAX)),
        kind in (deposit(), any::<bool>()),
        previous in (up_to(TRANSACTION_STEP - 1), up_to(TRANSACTION_STEP - 1)),
        transactions in vec(transaction(), 0..=40),
    ) {
        within(|env| {
            let agreement = agreement(env, terms, kind, previous, &transactions);
            let packed = pack_agreement(env, &agreement);
            let unpacked = unpack_agreement(env, 7, &packed);
            prop_assert_eq!(parts(&unpacked), parts(&agreement));
            prop_assert_eq!(pack_agreement(env, &unpacked), packed);
            Ok(())
        })?;
    }

    #[test]
    fn a_prosumer_comes_back_as_it_was(
        number in up_to(MAX_PROSUMERS), agreements in up_to(AGREEMENTS_PER_PROVIDER),
        last_agreement in option::of(1..TRANSACTION_STEP),
        start in up_to(MAX_READING), reading in up_to(MAX_READING), sold in up_to(MAX_READING),
        power in up_to(MAX_POWER), read_at in up_to(u64::MAX),
    ) {
        within(|env| {
            for meter in [None, Some(env.current_contract_address()), Some(Address::from_str(env, ACCOUNTS[0]))] {
                let prosumer = Prosumer {
                    number,
                    max_power_kw: if meter.is_some() { power } else { 0 },
                    meter,
                    meter_start: start,
                    meter_reading: reading,
                    read_at,
                    energy_sold_kwh: sold,
                    agreements,
                    last_agreement,
                };
                prop_assert_eq!(unpack_prosumer(env, &pack_prosumer(env, &prosumer)), prosumer);
            }
            Ok(())
        })?;
    }
}

#[test]
fn the_longest_agreement_takes_1_424_bytes() {
    // Each reading is one below the one before, which is the largest difference there is, and a term passes between two
    // deliveries.
    let reading = |n: u64| MAX_READING - n;
    let numbers = |n: u64| (MAX_READING, MAX_READING, reading(n), MAX_TERM, u64::MAX);
    let transactions: Vec<_> = (0..40).map(|n| (numbers(n), (true, true, 2))).collect();
    // Either the time of its creation has 64 bits, and what passes until an outcome 63; or the other way about.
    for (created_at, bytes) in [(1 << 63, 1_393), (0, 1_424)] {
        within(|env| {
            let terms = (created_at, MAX_TERM, u64::MAX, 1, u64::MAX);
            let agreement = agreement(env, terms, (Deposit::Metered, true), (1, 1), &transactions);
            let packed = pack_agreement(env, &agreement);
            assert_eq!(packed.len(), bytes);
            assert_eq!(parts(&unpack_agreement(env, 7, &packed)), parts(&agreement));
        });
    }
}

#[test]
fn the_end_of_a_delivery_takes_no_more_room_for_17_years() {
    within(|env| {
        let bytes = |later: u64| {
            let delivery = [((9, 9, 9, 9, later), (false, false, 2))];
            pack_agreement(env, &agreement(env, (START, 9, 9, 9, 9), (Deposit::None, false), (1, 1), &delivery)).len()
        };
        assert_eq!([DAY, 17 * 365 * DAY, (1 << 29) - 2].map(bytes), [bytes(0); 3]);
        assert_eq!(bytes((1 << 29) - 1), bytes(0) + 5);
    });
}

#[test]
fn the_kind_of_an_address_is_told_by_its_xdr() {
    // No host takes one of the last two, so that they cannot be given to a call.
    let f = Fixture::new();
    let found = |address: ScAddress| {
        let xdr = ScVal::Address(address).to_xdr(Limits::none()).unwrap();
        kind(&Bytes::from_slice(&f.env, &xdr))
    };
    assert_eq!(found((&Address::from_str(&f.env, ACCOUNTS[0])).into()), ACCOUNT);
    assert_eq!(found((&f.contract).into()), CONTRACT);
    let balance = ClaimableBalanceId::ClaimableBalanceIdTypeV0(Hash([0; 32]));
    assert!(found(ScAddress::ClaimableBalance(balance)) > CONTRACT);
    assert!(found(ScAddress::LiquidityPool(PoolId(Hash([0; 32])))) > CONTRACT);
}
