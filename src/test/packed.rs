//! The codec: whatever is packed comes back as it was, over random and extreme values.

use std::{format, string::String};

use proptest::{
    collection::vec,
    option,
    prelude::{any, Just, Strategy},
    prop_assert_eq, prop_oneof, proptest,
};
use soroban_sdk::Bytes;

use super::*;
use crate::utils::packed::{Packed, AGREEMENT_BYTES, PROSUMER_BYTES};
use crate::utils::records::{Agreement, Outcome, Transaction};
use crate::{Deposit, AGREEMENTS_PER_PROVIDER, MAX_PROSUMERS, MAX_READING, MAX_TERM};

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

fn blank(env: &Env) -> Agreement {
    let nobody = env.current_contract_address();
    Agreement::new(env, 0, nobody.clone(), nobody)
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
    format!("{terms:?} {:?} {} {:?}", agreement.deposit, agreement.cancelled, agreement.transactions)
}

fn packed(env: &Env, agreement: &mut Agreement) -> Bytes {
    let mut bytes = [0; AGREEMENT_BYTES];
    let mut packed = Packed::writer(&mut bytes);
    packed.agreement(agreement);
    packed.to_bytes(env)
}

fn unpacked(env: &Env, bytes: &Bytes) -> Agreement {
    let mut agreement = blank(env);
    Packed::reader(&mut [0; AGREEMENT_BYTES], bytes).agreement(&mut agreement);
    agreement
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
            let mut agreement = agreement(env, terms, kind, previous, &transactions);
            let before = parts(&agreement);
            let bytes = packed(env, &mut agreement);
            // Packing changes nothing.
            prop_assert_eq!(parts(&agreement), before.clone());
            prop_assert_eq!(parts(&unpacked(env, &bytes)), before);
            prop_assert_eq!(packed(env, &mut unpacked(env, &bytes)), bytes);
            Ok(())
        })?;
    }

    #[test]
    fn a_prosumer_comes_back_as_it_was(
        number in up_to(MAX_PROSUMERS), agreements in up_to(AGREEMENTS_PER_PROVIDER),
        last_agreement in option::of(1..TRANSACTION_STEP),
        start in up_to(MAX_READING), reading in up_to(MAX_READING), sold in up_to(MAX_READING),
    ) {
        let prosumer = Prosumer {
            number,
            meter: None,
            meter_start: start,
            meter_reading: reading,
            energy_sold_kwh: sold,
            agreements,
            last_agreement,
        };
        within(|env| {
            let mut place = [0; PROSUMER_BYTES];
            let mut packed = Packed::writer(&mut place);
            packed.prosumer(&mut prosumer.clone());
            let bytes = packed.to_bytes(env);
            let mut stored = Prosumer::default();
            Packed::reader(&mut [0; PROSUMER_BYTES], &bytes).prosumer(&mut stored);
            prop_assert_eq!(&stored, &prosumer);
            Ok(())
        })?;
    }
}

#[test]
fn the_longest_agreement_takes_1_367_bytes() {
    // Each reading is one below the one before, which is the largest difference there is, and a term passes between two
    // deliveries.
    let reading = |n: u64| MAX_READING - n;
    let numbers = |n: u64| (MAX_READING, MAX_READING, reading(n), MAX_TERM, u64::MAX);
    let transactions: Vec<_> = (0..40).map(|n| (numbers(n), (true, true, 2))).collect();
    within(|env| {
        let mut agreement =
            agreement(env, (1 << 63, MAX_TERM, u64::MAX, 1, u64::MAX), (Deposit::Metered, true), (1, 1), &transactions);
        let before = parts(&agreement);
        let bytes = packed(env, &mut agreement);
        // The long times have 63 bits: 9 bytes, not 10.
        assert_eq!(bytes.len(), 1_367 - 40);
        assert_eq!(parts(&unpacked(env, &bytes)), before);
    });
}
