//! The README says what the code says: its tables are compared, row by row, with the doc comments and the on-chain spec.

use std::{
    format,
    string::{String, ToString},
};

use soroban_sdk::xdr::{Limits, ReadXdr, ScSpecEntry};

use super::*;

const README: &str = include_str!("../../README.md");
const MAKEFILE: &str = include_str!("../../Makefile");
const ENTRYPOINTS: &str = include_str!("../lib.rs");
const EVENTS: &str = include_str!("../utils/events.rs");

/// The rows of the first table in a section, without its head.
#[track_caller]
fn table(section: &str) -> Vec<&'static str> {
    let (_, text) = README.split_once(&format!("\n## {section}\n")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).collect()
}

/// Number, name and advice of all errors, from the contract's spec.
fn errors() -> Vec<(u32, String, String)> {
    let Ok(ScSpecEntry::UdtErrorEnumV0(errors)) = ScSpecEntry::from_xdr(SharingError::spec_xdr(), Limits::none()) else {
        panic!("the spec of the errors");
    };
    let cases = errors.cases.iter();
    cases.map(|case| (case.value, case.name.to_utf8_string().unwrap(), case.doc.to_utf8_string().unwrap())).collect()
}

/// The row of an entrypoint, from its doc comment and signature. All but `Env` is shown, and what a `Result` returns if it is no error.
fn entrypoint(source: &'static str) -> String {
    let (doc, code) = source.split_once("    pub fn ").unwrap();
    let line = |line: &'static str| {
        line.trim().trim_start_matches("///").trim_start_matches("#[doc = \"").trim_end_matches("\"]").trim_end_matches('\\').trim()
    };
    let doc = doc.lines().map(line).collect::<Vec<_>>().join(" ");
    let find = |label: &str| {
        let (_, text) = doc.split_once(label)?;
        let end = ["Signs: ", "Units: ", "Errors: ", "Event: ", "Events: "].iter().filter_map(|next| text.find(next)).min();
        text[..end.unwrap_or(text.len())].trim().strip_suffix('.')
    };
    let what = find("").unwrap();

    let (name, code) = code.split_once('(').unwrap();
    let (arguments, code) = code.split_once(") -> Result<").unwrap();
    let arguments: Vec<_> = arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()).skip(1).collect();
    let (returns, _) = code.split_once(", SharingError> {").unwrap();

    let errors = errors();
    let number = |word: &str| Some(errors.iter().find(|(_, name, _)| name == word)?.0.to_string());
    let numbers: Vec<_> = find("Errors: ").unwrap().split(|c: char| !c.is_alphanumeric()).filter_map(number).collect();

    let [arguments, numbers] = [arguments.join(", "), numbers.join(", ")];
    format!("| `{name}({arguments})` | `{returns}` | {} | {numbers} | {what}. |", find("Signs: ").unwrap_or("–"))
}

/// The row of an event, from its struct. A field that may be left out is marked.
fn event(source: &str) -> String {
    let (name, source) = source.split_once(" {\n").unwrap();
    let (fields, _) = source.split_once("\n}").unwrap();
    let [mut topics, mut data] = [Vec::new(), Vec::new()];
    let mut is_topic = false;
    for line in fields.lines().map(str::trim) {
        if let Some((field, kind)) = line.strip_prefix("pub ").and_then(|field| field.split_once(": ")) {
            let mark = if kind.starts_with("Option<") { "?" } else { "" };
            let list = if is_topic { &mut topics } else { &mut data };
            list.push(format!("`{field}{mark}`"));
        }
        is_topic = line == "#[topic]";
    }
    let [topics, data] = [topics, data].map(|fields| if fields.is_empty() { "–".to_string() } else { fields.join(", ") });
    format!("| `{name}` | {topics} | {data} |")
}

#[test]
fn readme_lists_every_error_with_its_number_and_advice() {
    let expected: Vec<_> = errors().into_iter().map(|(number, name, advice)| format!("| {number} | `{name}` | {advice} |")).collect();
    assert_eq!(table("Errors"), expected);
}

#[test]
fn readme_lists_every_entrypoint_as_its_documentation_does() {
    let (_, functions) = ENTRYPOINTS.split_once("\n#[contractimpl]\nimpl PeerToPeerEnergySharing {\n").unwrap();
    let (functions, _) = functions.split_once("\n}\n").unwrap();
    let expected: Vec<_> = functions.split("\n    }\n").map(entrypoint).collect();
    assert_eq!(table("Entrypoints"), expected);
}

#[test]
fn readme_lists_every_event_with_its_topics_and_data() {
    let expected: Vec<_> = EVENTS.split("\npub struct ").skip(1).map(event).collect();
    assert_eq!(table("Events"), expected);
}

#[test]
fn readme_states_the_limits() {
    let limits = [
        ("REVIEW_PERIOD", crate::REVIEW_PERIOD),
        ("ARBITRATION_PERIOD", crate::ARBITRATION_PERIOD),
        ("MAX_TERM", crate::MAX_TERM),
        ("MAX_PAGE", crate::MAX_PAGE.into()),
        ("IDS_PER_PROVIDER", crate::IDS_PER_PROVIDER),
    ];
    let stated: Vec<_> = table("Limits").into_iter().map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" | ")).collect();
    assert_eq!(stated, limits.map(|(name, value)| format!("| `{name}` | {value}")));
}

#[test]
fn readme_names_only_make_targets_that_exist() {
    let exists = |target: &&str| {
        let pattern = match target.strip_suffix("testnet") {
            Some(start) => format!("{start}%:"),
            None => format!("{target}:"),
        };
        MAKEFILE.lines().any(|line| line.starts_with(&pattern))
    };
    let commands = README.split(['`', '\n']).filter_map(|text| text.strip_prefix("make "));
    let (found, missing): (Vec<_>, Vec<_>) = commands.filter_map(|command| command.split_whitespace().next()).partition(exists);
    assert!(!found.is_empty());
    assert_eq!(missing, Vec::<&str>::new());
}
