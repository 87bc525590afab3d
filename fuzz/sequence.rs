//! Sequences of calls that libFuzzer makes up, against the model of the rules: `testutils` plays and checks them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use peer_to_peer_energy_sharing::testutils::check_sequence;

fuzz_target!(|bytes: &[u8]| check_sequence(bytes));
