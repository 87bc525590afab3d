//! Random sequences of calls against the model, and those that a fuzzer found: `testutils::sequence` plays and checks them.
//!
//! `SEQUENCES` and `STEPS` set how many and how long, `SHRINKS` how often a failure is shortened, `COVERAGE` prints what was reached. The
//! seed is fixed: a failure can be repeated.

use proptest::{
    array::uniform20,
    bool::weighted,
    collection::vec as sequence,
    prelude::{any, ProptestConfig, Strategy},
    test_runner::{RngSeed, TestRunner},
};

use super::*;
use crate::testutils::sequence::{from_bytes, play, Coverage, Step, SETUPS};

#[test]
fn every_sequence_of_calls_agrees_with_the_model() {
    let number = |name, default| var(name).map_or(default, |number| number.parse().unwrap());
    let (sequences, length, shrinks) = (number("SEQUENCES", 256), number("STEPS", 40), number("SHRINKS", 20_000));
    let coverage = Coverage::default();
    let config = ProptestConfig {
        cases: sequences,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        // A run takes milliseconds, and each step less makes the failure clearer.
        max_shrink_iters: shrinks,
        ..ProptestConfig::default()
    };
    // A sequence keeps its length, and shrinks by leaving steps out.
    let steps = sequence((weighted(1.0), uniform20(any::<u8>())), length as usize).prop_map(|steps| {
        let kept = steps.into_iter().filter(|(kept, _)| *kept);
        kept.map(|(_, numbers)| numbers).collect::<Vec<Step>>()
    });
    let result = TestRunner::new(config).run(&(0..SETUPS, steps), |(setup, steps)| play(&coverage, setup, &steps));
    if var("COVERAGE").is_ok() {
        coverage.print();
    }
    if let Err(failure) = result {
        panic!("{failure}");
    }
    coverage.assert_complete(sequences < 256 || length < 40);
}

/// Those on which a fuzzer failed, and those from which it starts, which reach all that there is to reach.
#[test]
fn every_seed_of_the_fuzzer_agrees_with_the_model_and_nothing_is_reached_by_none() {
    let coverage = Coverage::default();
    for seed in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds")).unwrap() {
        let seed = seed.unwrap().path();
        let (setup, steps) = from_bytes(&fs::read(&seed).unwrap());
        if let Err(failure) = play(&coverage, setup, &steps) {
            panic!("{}: {failure}", seed.display());
        }
    }
    coverage.assert_complete(false);
}
