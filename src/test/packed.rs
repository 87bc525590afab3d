//! The codec: whatever is packed comes back as it was, over random and extreme values.

use proptest::{
    collection::vec,
    option,
    prelude::{any, Just, Strategy},
    prop_assert_eq, prop_oneof, proptest,
};
use soroban_sdk::Bytes;

use super::*;
use crate::utils::packed::{Packed, AGREEMENT_BYTES, PROSUMER_BYTES};
use crate::utils::records::{Agreement, Delivery, CANCELLED, FUNDED, METERED, PAID_AT_ONCE, RULED, SETTLED};
use crate::{AGREEMENTS_PER_PROVIDER, MAX_PROSUMERS, MAX_READING, MAX_TERM};

/// Numbers of every length, the extremes often.
fn up_to(most: u64) -> impl Strategy<Value = u64> + Clone {
    let random = (any::<u64>(), 0..64_u32).prop_map(move |(number, shift)| number >> shift);
    let random = random.prop_map(move |number| if most == u64::MAX { number } else { number % (most + 1) });
    prop_oneof![1 => Just(0), 1 => Just(most), 6 => random]
}

type Parts = (u64, u64, u64, u64, u64, u64);

/// Energy and what of it is accepted, the reading, what passed since the last one and until it changed, and flags.
fn delivery() -> impl Strategy<Value = Parts> {
    let flags = prop_oneof![0_u64..12, Just(METERED | PAID_AT_ONCE)];
    (1..=MAX_READING, up_to(MAX_READING), up_to(MAX_READING), up_to(MAX_TERM), up_to(u64::MAX), flags)
}

fn agreement(env: &Env, terms: Parts, flags: u64, previous: (u64, u64), deliveries: &[Parts]) -> Agreement {
    let (created_at, term, energy_amount_kwh, price_per_kwh, escrow_amount, _) = terms;
    let mut agreement = Agreement {
        created_at,
        delivery_deadline: created_at.saturating_add(term),
        energy_amount_kwh,
        price_per_kwh,
        escrow_amount,
        provider_previous: previous.0,
        consumer_previous: previous.1,
        flags,
        ..Agreement::blank(env)
    };
    let mut time = created_at;
    for (place, (kwh, accepted, reading, passed, later, flags)) in agreement.deliveries.iter_mut().zip(deliveries) {
        time = time.saturating_add(*passed);
        let at_once = flags & PAID_AT_ONCE == PAID_AT_ONCE;
        *place = Delivery {
            energy_delivered_kwh: *kwh,
            energy_accepted_kwh: if at_once { *kwh } else { *accepted.min(kwh) },
            meter_reading: *reading,
            delivered_at: time,
            changed_at: if at_once { time } else { time.saturating_add(*later) },
            flags: *flags,
        };
    }
    agreement
}

/// Everything of it that is packed.
fn parts(agreement: &Agreement) -> Vec<u64> {
    let terms = [
        agreement.created_at,
        agreement.delivery_deadline,
        agreement.energy_amount_kwh,
        agreement.price_per_kwh,
        agreement.escrow_amount,
        agreement.provider_previous,
        agreement.consumer_previous,
        agreement.flags,
    ];
    let of = |d: &Delivery| {
        [d.energy_delivered_kwh, d.energy_accepted_kwh, d.meter_reading, d.delivered_at, d.changed_at, d.flags]
    };
    terms.into_iter().chain(agreement.deliveries.iter().flat_map(of)).collect()
}

fn packed(env: &Env, agreement: &mut Agreement) -> Bytes {
    let mut bytes = [0; AGREEMENT_BYTES];
    let mut packed = Packed::writer(&mut bytes);
    packed.agreement(agreement);
    packed.to_bytes(env)
}

fn unpacked(env: &Env, bytes: &Bytes) -> Agreement {
    let mut agreement = Agreement::blank(env);
    let mut place = [0; AGREEMENT_BYTES];
    let mut packed = Packed::writer(&mut place);
    packed.read(bytes);
    packed.agreement(&mut agreement);
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
        terms in (up_to(u64::MAX), up_to(MAX_TERM), up_to(u64::MAX), up_to(u64::MAX), up_to(u64::MAX), Just(0)),
        flags in 0..=(FUNDED | CANCELLED),
        previous in (up_to(AGREEMENT_IDS - 1), up_to(AGREEMENT_IDS - 1)),
        deliveries in vec(delivery(), 0..=40),
    ) {
        within(|env| {
            let mut agreement = agreement(env, terms, flags, previous, &deliveries);
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
        last_agreement in option::of(1..AGREEMENT_IDS),
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
            let mut place = [0; PROSUMER_BYTES];
            let (mut stored, mut packed) = (Prosumer::default(), Packed::writer(&mut place));
            packed.read(&bytes);
            packed.prosumer(&mut stored);
            prop_assert_eq!(&stored, &prosumer);
            Ok(())
        })?;
    }
}

#[test]
fn the_longest_agreement_takes_1_376_bytes() {
    // Each reading is one below the one before, which is the largest difference there is, and a term passes between two
    // deliveries.
    let reading = |n: u64| MAX_READING - n;
    let delivery = |n: u64| (MAX_READING, MAX_READING, reading(n), MAX_TERM, u64::MAX, METERED | RULED | SETTLED);
    let deliveries: Vec<_> = (0..40).map(delivery).collect();
    within(|env| {
        let mut agreement = agreement(
            env,
            (1 << 63, MAX_TERM, u64::MAX, u64::MAX, u64::MAX, 0),
            FUNDED | CANCELLED,
            (1, 1),
            &deliveries,
        );
        let before = parts(&agreement);
        let bytes = packed(env, &mut agreement);
        // The long times have 63 bits: 9 bytes, not 10.
        assert_eq!(bytes.len(), 1_376 - 40);
        assert_eq!(parts(&unpacked(env, &bytes)), before);
    });
}
