//! initialize, set_admin and register_prosumer.

use super::*;
use crate::events::{AdminChanged, Initialized, ProsumerRegistered};
use crate::{Config, MAX_PROSUMERS};

#[test]
fn initialize_stores_admin_and_token() {
    let f = Fixture::deployed();
    f.client.initialize(&f.admin, &f.token.address);
    assert_eq!(f.events(), [f.event(&Initialized { admin: f.admin.clone(), token_contract: f.token.address.clone() })]);
    assert_eq!(f.client.get_config(), Config { admin: f.admin.clone(), token_contract: f.token.address.clone() });
}

#[test]
fn initialize_fails_if_the_token_is_no_token() {
    let f = Fixture::deployed();
    let account = Address::from_str(&f.env, "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ");
    let nothing = Address::generate(&f.env);
    let no_token = f.env.register(PeerToPeerEnergySharing, ());
    for address in [account, f.issuer.address(), nothing, no_token, f.contract.clone()] {
        f.fails(SharingError::InvalidInput, |c| c.try_initialize(&f.admin, &address));
    }
}

#[test]
fn set_admin_hands_the_role_over() {
    let f = Fixture::new();
    f.client.set_admin(&f.stranger);
    assert_eq!(f.events(), [f.event(&AdminChanged { old_admin: f.admin.clone(), new_admin: f.stranger.clone() })]);
    assert_eq!(f.client.get_config(), Config { admin: f.stranger.clone(), token_contract: f.token.address.clone() });
}

#[test]
fn prosumers_are_numbered_as_they_register() {
    let f = Fixture::new();
    f.client.register_prosumer(&f.stranger);
    assert_eq!(f.events(), [f.event(&ProsumerRegistered { prosumer: f.stranger.clone(), number: 2 })]);
    for (number, prosumer) in (0..).zip([&f.provider, &f.consumer, &f.stranger]) {
        assert_eq!(
            f.client.get_prosumer(prosumer),
            Prosumer {
                number,
                meter: None,
                max_power_kw: 0,
                meter_start: 0,
                meter_reading: 0,
                read_at: 0,
                energy_sold_kwh: 0,
                agreements: 0,
                last_agreement: None
            }
        );
    }
}

#[test]
fn the_count_of_prosumers_is_that_of_registrations() {
    let f = Fixture::deployed();
    f.client.initialize(&f.admin, &f.token.address);
    assert_eq!(f.client.get_prosumer_count(), 0);
    for (count, prosumer) in [(1, &f.provider), (2, &f.consumer), (2, &f.provider), (3, &f.stranger)] {
        f.client.register_prosumer(prosumer);
        assert_eq!(f.client.get_prosumer_count(), count);
    }
}

#[test]
fn the_last_prosumer_that_can_register_is_the_10_000_000th() {
    let f = Fixture::new();
    f.env.as_contract(&f.contract, || storage::set_prosumer_count(&f.env, MAX_PROSUMERS - 1));
    f.client.register_prosumer(&f.stranger);
    assert_eq!(f.client.get_prosumer(&f.stranger).number, 9_999_999);
    f.fails(SharingError::AmountOverflow, |c| c.try_register_prosumer(&f.meter));
    // Those who are registered already are not asked again.
    f.client.register_prosumer(&f.stranger);
}

#[test]
fn registering_again_changes_nothing_and_emits_nothing() {
    let f = Fixture::metered();
    let agreement = f.agreement();
    f.deliver(agreement, 1);
    let before = f.ledger();
    f.client.register_prosumer(&f.provider);
    assert_eq!(f.events(), []);
    assert!(f.ledger() == before);
}
