//! The documentation says what the code says: its tables are compared, row by row, with the doc comments and the
//! on-chain spec.

use std::{
    format,
    string::{String, ToString},
};

use soroban_sdk::xdr::{Limits, ReadXdr, ScSpecEntry};

use super::*;

const README: &str = include_str!("../../README.md");
const REFERENCE: &str = include_str!("../../docs/reference.md");
const SECURITY: &str = include_str!("../../SECURITY.md");
const GUIDES: [&str; 6] = [
    README,
    SECURITY,
    include_str!("../../CONTRIBUTING.md"),
    include_str!("../../docs/integrating.md"),
    include_str!("../../docs/network.md"),
    include_str!("../../docs/decisions.md"),
];
const MAKEFILE: &str = include_str!("../../Makefile");
const ENTRYPOINTS: &str = include_str!("../lib.rs");
const EVENTS: &str = include_str!("../utils/events.rs");

/// The rows of a section's table, without its head. There is no other, nor a line that is left of one.
#[track_caller]
fn table(page: &'static str, section: &str) -> Vec<&'static str> {
    let (_, text) = page.split_once(&format!("\n## {section}\n")).unwrap();
    let text = text.split("\n## ").next().unwrap();
    let (before, table) = text.split_once("\n|").unwrap();
    let (table, after) = table.split_once("|\n\n").unwrap_or((table.trim_end(), ""));
    assert!(!before.contains('|') && !after.contains('|'), "beside the table of {section}: {after}");
    assert!(table.lines().skip(1).all(|row| row.starts_with('|')), "a row of {section} is broken");
    text.lines().filter(|line| line.starts_with('|')).skip(2).collect()
}

/// Number, name and advice of all errors, from the contract's spec.
fn errors() -> Vec<(u32, String, String)> {
    let Ok(ScSpecEntry::UdtErrorEnumV0(errors)) = ScSpecEntry::from_xdr(SharingError::spec_xdr(), Limits::none())
    else {
        panic!("the spec of the errors");
    };
    let cases = errors.cases.iter();
    cases.map(|case| (case.value, case.name.to_utf8_string().unwrap(), case.doc.to_utf8_string().unwrap())).collect()
}

/// The row of an entrypoint, from its doc comment and signature: what it does, who signs, which errors but
/// `NotInitialized`. All arguments but `Env` are shown, and what a `Result` returns if it is no error.
fn entrypoint(source: &'static str) -> String {
    let (doc, code) = source.split_once("    pub fn ").unwrap();
    let lines: Vec<_> = doc.lines().filter_map(|line| line.trim().strip_prefix("/// ")).collect();
    let find =
        |label: &str| lines.iter().find_map(|line| line.strip_prefix(label)).map(|line| line.trim_end_matches('.'));

    let (name, code) = code.split_once('(').unwrap();
    let (arguments, code) = code.split_once(") -> Result<").unwrap();
    let arguments: Vec<_> =
        arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()).skip(1).collect();
    let (returns, _) = code.split_once(", SharingError> {").unwrap();

    let known: Vec<_> = errors().into_iter().map(|(_, name, _)| name).collect();
    let named = find("Errors: ").unwrap().split(|c: char| !c.is_alphanumeric());
    let errors: Vec<_> =
        named.filter(|word| known.iter().any(|name| name == word)).skip(1).map(|name| format!("`{name}`")).collect();
    let errors = if errors.is_empty() { "–".to_string() } else { errors.join(", ") };
    let errors = if name == "initialize" { format!("`AlreadyInitialized`, {errors}") } else { errors };
    format!(
        "| `{name}({})` | `{returns}` | {} | {errors} | {} |",
        arguments.join(", "),
        find("Signs: ").unwrap_or("–"),
        lines[0]
    )
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
    let [topics, data] =
        [topics, data].map(|fields| if fields.is_empty() { "–".to_string() } else { fields.join(", ") });
    format!("| `{name}` | {topics} | {data} |")
}

#[test]
fn the_reference_lists_every_error_with_its_number_and_advice() {
    let expected: Vec<_> =
        errors().into_iter().map(|(number, name, advice)| format!("| {number} | `{name}` | {advice} |")).collect();
    assert_eq!(table(REFERENCE, "Errors"), expected);
}

#[test]
fn the_reference_lists_every_entrypoint_as_its_documentation_does() {
    let (_, functions) = ENTRYPOINTS.split_once("\n#[contractimpl]\nimpl PeerToPeerEnergySharing {\n").unwrap();
    let (functions, _) = functions.split_once("\n}\n").unwrap();
    let expected: Vec<_> = functions.split("\n    }\n").map(entrypoint).collect();
    assert_eq!(table(REFERENCE, "Entrypoints"), expected);
}

#[test]
fn the_reference_lists_every_event_with_its_topics_and_data() {
    let expected: Vec<_> = EVENTS.split("\npub struct ").skip(1).map(event).collect();
    assert_eq!(table(REFERENCE, "Events"), expected);
}

#[test]
fn the_reference_states_the_limits() {
    let limits = [
        ("REVIEW_PERIOD", crate::REVIEW_PERIOD),
        ("ARBITRATION_PERIOD", crate::ARBITRATION_PERIOD),
        ("MAX_TERM", crate::MAX_TERM),
        ("MAX_READING", crate::MAX_READING),
        ("MAX_POWER", crate::MAX_POWER),
        ("MAX_TRANSACTIONS", crate::MAX_TRANSACTIONS.into()),
        ("MAX_PAGE", crate::MAX_PAGE.into()),
        ("MAX_PROSUMERS", crate::MAX_PROSUMERS),
        ("AGREEMENTS_PER_PROVIDER", crate::AGREEMENTS_PER_PROVIDER),
        ("TRANSACTION_STEP", TRANSACTION_STEP),
    ];
    let stated: Vec<_> = table(REFERENCE, "Limits")
        .into_iter()
        .map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" | "))
        .collect();
    assert_eq!(stated, limits.map(|(name, value)| format!("| `{name}` | {value}")));
}

#[test]
fn the_documentation_names_only_make_targets_that_exist() {
    let exists = |target: &&str| {
        let pattern = match target.strip_suffix("testnet").or(target.strip_suffix("N")) {
            Some(start) => format!("{start}%:"),
            None => format!("{target}:"),
        };
        MAKEFILE.lines().any(|line| line.starts_with(&pattern))
    };
    let commands = GUIDES.iter().flat_map(|page| page.split(['`', '\n'])).filter_map(|text| text.strip_prefix("make "));
    let targets = commands.filter_map(|command| command.split([' ', ',']).next());
    let (found, missing): (Vec<_>, Vec<_>) = targets.partition(exists);
    assert!(found.len() > 20);
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_threat_names_a_test_that_exists() {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/test")).unwrap();
    let tests: String = files.filter_map(|file| fs::read_to_string(file.unwrap().path()).ok()).collect();
    let threats = table(SECURITY, "Threats, the rules against them, and the tests that hold them");
    assert!(threats.len() > 10);
    for threat in threats {
        let (_, test) = threat.trim_end_matches("` |").rsplit_once('`').unwrap();
        let is_there = test.ends_with(".rs") || tests.contains(&format!("fn {test}("));
        assert!(is_there, "{test}");
    }
}

#[test]
fn the_guides_link_to_pages_and_sections_that_exist() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let pages = [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "docs/reference.md",
        "docs/costs.md",
        "docs/integrating.md",
        "docs/network.md",
        "docs/decisions.md",
    ];
    for page in pages {
        let text = fs::read_to_string(format!("{root}{page}")).unwrap();
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        let links =
            text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.starts_with("http"));
        for link in links {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.to_string() } else { format!("{folder}/{file}") };
            let target = fs::read_to_string(format!("{root}{target}")).unwrap_or_else(|_| {
                assert!(fs::metadata(format!("{root}{target}")).is_ok(), "{page} links to {link}");
                String::new()
            });
            let slug =
                |heading: &str| heading.to_lowercase().replace(' ', "-").replace(['\'', ',', ':', '?', '.', '`'], "");
            let headings = target.lines().filter_map(|line| line.strip_prefix("## ").or(line.strip_prefix("### ")));
            assert!(
                section.is_empty() || headings.map(slug).any(|heading| heading == section),
                "{page} links to {link}"
            );
        }
    }
}
