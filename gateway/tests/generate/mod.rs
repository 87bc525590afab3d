//! Writes the cases: what meters, bridges and portals send, and what there is to read in it. The shapes are facts, the values
//! are invented. It knows nothing of the decoders, so that both have to be right for a case to hold.

mod intervals;
mod json;
pub mod telegram;

use std::collections::BTreeMap;

/// The files of a case, by their path below the folder of the cases.
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn all() -> Files {
    let mut files = Files::new();
    for (input, cases) in [("json", json::cases()), ("telegram", telegram::cases()), ("intervals", intervals::cases())]
    {
        for case in cases {
            for (name, bytes) in case.files {
                let before = files.insert(format!("{input}/{}/{name}", case.name), bytes);
                assert!(before.is_none(), "two cases are called {}", case.name);
            }
        }
    }
    files
}

pub struct Case {
    name: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Case {
    fn new(name: &str) -> Self {
        Self { name: name.into(), files: vec![] }
    }

    fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.into(), bytes.into()));
        self
    }
}

/// A small generator of numbers that look random and are always the same (xorshift).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
