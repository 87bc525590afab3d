//! The documentation says what the code says: its tables are compared, row by row, with the on-chain spec, which has
//! the doc comments, and with the order in which errors are found.

use std::{
    format,
    string::{String, ToString},
};

use soroban_sdk::xdr::{ScSpecEntry, ScSpecEventParamLocationV0, ScSpecEventV0, ScSpecFunctionV0, ScSpecTypeDef};

use super::refusals::{ENTRYPOINTS, NOT_SHOWN};
use super::spec::type_name;
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

/// Number, name and advice of all errors.
fn errors() -> Vec<(u32, String, String)> {
    let cases = spec::entries().into_iter().find_map(|entry| match entry {
        ScSpecEntry::UdtErrorEnumV0(errors) => Some(errors.cases),
        _ => None,
    });
    cases.unwrap().iter().map(|case| (case.value, case.name.to_string(), case.doc.to_string())).collect()
}

/// Names as a cell of a table.
fn cell(names: impl IntoIterator<Item = String>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "–".into()
    } else {
        names.join(", ")
    }
}

/// A type in Rust's words; what a `Result` has if it is no error.
fn rust_type(of: &ScSpecTypeDef) -> String {
    let of = if let ScSpecTypeDef::Result(result) = of { &result.ok_type } else { of };
    type_name(of).replace("U64", "u64").replace("U32", "u32").replace("Void", "()")
}

/// The row of an entrypoint: what it does, who signs, which errors but `NotInitialized`.
fn entrypoint(function: &ScSpecFunctionV0) -> String {
    let (name, doc) = (&function.name.0, function.doc.to_utf8_string().unwrap());
    let find =
        |label: &str| doc.lines().find_map(|line| line.strip_prefix(label)).map(|line| line.trim_end_matches('.'));
    let inputs: Vec<_> =
        function.inputs.iter().map(|input| format!("{}: {}", input.name, rust_type(&input.type_))).collect();
    let known: Vec<_> = errors().into_iter().map(|(_, name, _)| name).collect();
    let named = find("Errors: ").unwrap().split(|c: char| !c.is_alphanumeric()).map(String::from);
    let errors = cell(named.filter(|word| word != "NotInitialized" && known.contains(word)));
    let (inputs, output) = (inputs.join(", "), rust_type(&function.outputs[0]));
    let (signs, what) = (find("Signs: ").unwrap_or("–"), doc.lines().next().unwrap());
    format!("| `{name}({inputs})` | `{output}` | {signs} | {errors} | {what} |")
}

/// The row of an event. A field that may be left out is marked.
fn event(event: &ScSpecEventV0) -> String {
    let [topics, data] = [ScSpecEventParamLocationV0::TopicList, ScSpecEventParamLocationV0::Data].map(|location| {
        cell(event.params.iter().filter(|param| param.location == location).map(|param| {
            let mark = if matches!(param.type_, ScSpecTypeDef::Option(_)) { "?" } else { "" };
            format!("{}{mark}", param.name)
        }))
    });
    format!("| `{}` | {topics} | {data} |", event.name.0)
}

#[test]
fn the_reference_lists_every_error_with_its_number_and_advice() {
    let expected: Vec<_> =
        errors().into_iter().map(|(number, name, advice)| format!("| {number} | `{name}` | {advice} |")).collect();
    assert_eq!(table(REFERENCE, "Errors"), expected);
}

#[test]
fn the_reference_lists_every_entrypoint_as_its_documentation_does() {
    let entries = spec::entries();
    let rows = entries.iter().filter_map(|entry| match entry {
        ScSpecEntry::FunctionV0(function) => Some(entrypoint(function)),
        _ => None,
    });
    assert_eq!(table(REFERENCE, "Entrypoints"), rows.collect::<Vec<_>>());
}

#[test]
fn the_reference_lists_errors_in_the_order_of_their_checks() {
    let rows = table(REFERENCE, "Entrypoints");
    assert_eq!(rows.len(), ENTRYPOINTS.len());
    for (row, entrypoint) in rows.iter().zip(&ENTRYPOINTS) {
        let columns: Vec<_> = row.split(" | ").collect();
        assert!(columns[0].starts_with(&format!("| `{}(", entrypoint.name)), "{row}");
        let not_shown = NOT_SHOWN.iter().filter(|(name, _)| *name == entrypoint.name).map(|(_, error)| *error);
        let errors = not_shown.chain(entrypoint.errors());
        assert_eq!(columns[3], cell(errors.map(|error| format!("{error:?}"))), "{}", entrypoint.name);
    }
}

#[test]
fn the_reference_lists_every_event_with_its_topics_and_data() {
    let entries = spec::entries();
    let rows = entries.iter().filter_map(|entry| match entry {
        ScSpecEntry::EventV0(known) => Some(event(known)),
        _ => None,
    });
    assert_eq!(table(REFERENCE, "Events"), rows.collect::<Vec<_>>());
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
