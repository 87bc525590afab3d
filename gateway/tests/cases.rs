//! Each folder below `cases` is what an input gave, how it is to be read, and what there is to read in it. The files are
//! written by the generator beside this: `UPDATE_CASES=1 cargo test --test cases`.

mod generate;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use generate::telegram::{lines, sml, text, End, Entry, Number};
use generate::Files;
use jiff::tz::TimeZone;
use jiff::Timestamp;
use p2p_gateway::energy::{Energy, Unit};
use p2p_gateway::input::intervals::{self, Column, Delimiter, Layout, Measure, Quality, Stamp, TimeFormat};
use p2p_gateway::input::json::{Clock, Format, Message, Topics};
use p2p_gateway::input::telegram::Telegrams;
use p2p_gateway::input::{NoReading, Sample};
use proptest::prelude::*;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Writes the cases anew, if that is asked for, before the first test reads them.
static UPDATE: LazyLock<()> = LazyLock::new(|| {
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::remove_dir_all(folder()).ok();
        for (name, bytes) in generate::all() {
            let path = folder().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
});

/// The files on disk, by their path below the folder of the cases.
fn on_disk() -> Files {
    LazyLock::force(&UPDATE);
    let mut files = Files::new();
    let mut folders = vec![folder()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(path).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder()).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn the_cases_are_what_their_generator_writes() {
    let generated = generate::all();
    let on_disk = on_disk();
    assert_eq!(on_disk.keys().collect::<Vec<_>>(), generated.keys().collect::<Vec<_>>());
    for (name, bytes) in generated {
        assert!(on_disk[&name] == bytes, "{name} is not what the generator writes");
    }
}

/// Reads each case of an input and compares it with what is expected.
fn walk(input: &str, read: impl Fn(&BTreeMap<String, Vec<u8>>) -> String) {
    let mut cases: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for (name, bytes) in on_disk() {
        let (case, file) = name.rsplit_once('/').unwrap();
        if let Some(case) = case.strip_prefix(&format!("{input}/")) {
            cases.entry(case.into()).or_default().insert(file.into(), bytes);
        }
    }
    assert!(cases.len() > 20, "only {} cases of {input}", cases.len());
    let mut wrong = String::new();
    for (name, files) in &cases {
        let expected = std::str::from_utf8(&files["expected"]).unwrap();
        let found = read(files);
        if found != expected {
            wrong += &format!("\n{input}/{name}\nexpected {expected}found    {found}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn shown(read: Result<Option<Sample>, NoReading>) -> String {
    match read {
        Ok(None) => "waits\n".into(),
        Ok(Some(sample)) => {
            let id = sample.meter_id.map_or(String::new(), |id| format!("id {id}\n"));
            let time = sample.time.map_or(String::new(), |time| format!("time {time}\n"));
            format!("energy {}\n{id}{time}", sample.energy.mwh())
        }
        Err(error) => format!("error {}: {error}\n", error.label()),
    }
}

fn unit(name: &str) -> Unit {
    match name {
        "Wh" => Unit::WattHours,
        "kWh" => Unit::KilowattHours,
        "MWh" => Unit::MegawattHours,
        "Wmin" => Unit::WattMinutes,
        other => panic!("no unit {other}"),
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().into()).collect()
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(Into::into)
}

#[test]
fn json_messages_are_read_as_expected() {
    walk("json", |files| {
        let format: Value = serde_json::from_slice(&files["format.json"]).unwrap();
        let clock = |name: &str| match name {
            "rfc3339" => Clock::Rfc3339,
            "seconds" => Clock::Seconds,
            "milliseconds" => Clock::Milliseconds,
            zone => Clock::Local(TimeZone::get(zone).unwrap()),
        };
        let reader = Format {
            pointers: strings(&format["pointers"]),
            unit: unit(format["unit"].as_str().unwrap()),
            meter_id: string(&format["id"]),
            time: string(&format["time"]).map(|pointer| (pointer, clock(format["clock"].as_str().unwrap()))),
        };
        let meter = format["meter"].as_str();
        let oldest = format["oldest"].as_str().map_or(Timestamp::MIN, |time| time.parse().unwrap());
        let count = format["topics"].as_u64().unwrap_or(1) as usize;
        let mut topics = Topics::new(count);
        let messages = files.iter().filter(|(name, _)| name.starts_with("message-"));
        let is_retained = format["retained"] == true;
        let read = |(number, (_, payload)): (usize, (&String, &Vec<u8>))| {
            let said = reader.decode(Message { payload, is_retained }).and_then(|sample| sample.accept(meter, oldest));
            shown(topics.take(number % count, said))
        };
        messages.enumerate().map(read).collect()
    });
}

#[test]
fn telegrams_are_read_as_expected() {
    walk("telegram", |files| {
        let stream = &files["stream"];
        let at_once = Telegrams::new().push(stream);
        let mut by_bytes = Telegrams::new();
        let one_by_one: Vec<_> = stream.iter().flat_map(|byte| by_bytes.push(&[*byte])).collect();
        assert_eq!(at_once, one_by_one);
        let found: String = at_once.into_iter().map(|read| shown(read.map(Some))).collect();
        if found.is_empty() {
            "nothing\n".into()
        } else {
            found
        }
    });
}

/// A layout from the case's own words.
fn free(format: &Value) -> Layout {
    let column = |name: &str| Column::Named(name.into());
    let columns = |value: &Value| strings(value).iter().map(|name| column(name)).collect();
    let char = |name: &str, default| format[name].as_str().map_or(default, |text| text.chars().next().unwrap());
    let only = format["only"].as_object().into_iter().flatten();
    Layout {
        delimiter: Delimiter::Char(char("delimiter", ';') as u8),
        time: TimeFormat {
            format: string(&format["format"]).unwrap(),
            stamp: if format["stamp"] == "end" { Stamp::End } else { Stamp::Start },
            zone: TimeZone::get(format["zone"].as_str().unwrap()).unwrap(),
            minutes: 15,
        },
        at: columns(&format["at"]),
        until: columns(&format["until"]),
        value: column(format["value"].as_str().unwrap()),
        decimal: char("decimal", '.'),
        measure: Measure::Energy(unit(format["unit"].as_str().unwrap())),
        unit: format["unit_column"].as_str().map(column),
        quality: format["quality"]
            .as_str()
            .map(|name| Quality { column: column(name), accepted: strings(&format["accepted"]) }),
        point: None,
        only: only.map(|(name, value)| (column(name), string(value).unwrap())).collect(),
        above: vec![],
    }
}

#[test]
fn files_of_intervals_are_read_as_expected() {
    walk("intervals", |files| {
        let format: Value = serde_json::from_slice(&files["format.json"]).unwrap();
        let layouts = match format["profile"].as_str() {
            Some(name) => {
                intervals::profile(name, intervals::Role::Plant, format["point"].as_str(), format["value"].as_str())
                    .unwrap()
            }
            None => vec![free(&format["free"])],
        };
        let most = format["free"]["most"].as_u64().map(Energy::from_mwh);
        let series = match intervals::read(&files["file"], &layouts, most) {
            Ok(series) => series,
            Err(error) => return format!("error {}: {error}\n", error.label()),
        };
        assert_eq!(series.refused_count, series.refused.len() as u64);
        let read = series.intervals().map(|interval| format!("{} {}\n", interval.start, interval.energy.mwh()));
        let gaps = series.gaps().into_iter().map(|(from, until)| format!("gap {from} {until}\n"));
        let refused = series
            .refused
            .iter()
            .map(|refused| format!("refused {} {}: {}\n", refused.line, refused.why.label(), refused.why));
        let found: String = read.chain(gaps).chain(refused).collect();
        if found.is_empty() {
            "nothing\n".into()
        } else {
            found
        }
    });
}

#[test]
fn a_year_of_refused_lines_is_counted_and_its_beginning_kept() {
    let file = format!("Messzeitpunkt;Einspeisung (kWh);\n{}", "01.01.2026 00:15;-;\n".repeat(35_040));
    let layouts = intervals::profile("netz-noe", intervals::Role::Plant, None, None).unwrap();
    let series = intervals::read(file.as_bytes(), &layouts, None).unwrap();
    assert_eq!((series.refused_count, series.refused.len()), (35_040, intervals::MOST_REFUSED));
    assert_eq!(series.refused.last().unwrap().line, 101);
}

/// A telegram with a checksum, and the mWh that it reads.
fn text_telegram() -> impl Strategy<Value = (Vec<u8>, u64)> {
    let wh = || 0..999_999_999_u64;
    (wh(), wh(), prop_oneof![Just(End::Crc), Just(End::Unpadded)]).prop_map(|(one, other, end)| {
        let register = |tariff: u8, wh: u64| format!("1-0:2.8.{tariff}({:06}.{:03}*kWh)", wh / 1_000, wh % 1_000);
        let mut all = lines("1-3:0.2.8(50)|0-0:96.1.1(4530)|1-0:1.8.1(004102.311*kWh)");
        all.extend([register(1, one), register(2, other), "0-0:96.14.0(0002)".into()]);
        (text("KFM5KAIFA-METER", &all, end), (one + other) * 1_000)
    })
}

fn sml_telegram() -> impl Strategy<Value = (Vec<u8>, u64)> {
    // Of values that are full of escapes too.
    prop_oneof![any::<u32>(), Just(0x1b1b_1b1b), Just(0x0101_0101)].prop_map(|value| {
        let entry = Entry([2, 8, 0], Some(30), -1, Number::U64(value.into()));
        (sml(&[(b"\x0a\x01ESY\x1b\x1b", &[entry])]), u64::from(value) * 100)
    })
}

/// Two telegrams of one meter.
fn pair() -> impl Strategy<Value = ((Vec<u8>, u64), (Vec<u8>, u64))> {
    prop_oneof![(text_telegram(), text_telegram()), (sml_telegram(), sml_telegram())]
}

/// One without a checksum, of a meter that never sends any.
fn plain_telegram() -> impl Strategy<Value = (Vec<u8>, u64)> {
    (0..999_999_999_u64).prop_map(|wh| {
        let register = format!("1-0:2.8.0*255({:05}.{:03}0000*kWh)", wh / 1_000, wh % 1_000);
        let all = ["1-0:0.0.9*255(1ESY)".into(), register, "1-0:16.7.0*255(000000.00*W)".into()];
        (text("ESY5Q3DB1024 V3.04", &all, End::Nothing), wh * 1_000)
    })
}

fn readings(found: Vec<Result<Sample, NoReading>>) -> Vec<u64> {
    found.into_iter().flatten().map(|sample| sample.energy.mwh()).collect()
}

/// A telegram with its reading, and where it is torn, if it is.
type Part = ((Vec<u8>, u64), Option<usize>);

fn parts(telegram: impl Strategy<Value = (Vec<u8>, u64)>) -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec((telegram, prop::option::weighted(0.4, any::<usize>())), 1..8)
}

/// Whole telegrams and beginnings of others, one after the other.
fn stream(parts: &[Part]) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = vec![];
    let mut expected = vec![];
    for ((telegram, reading), torn) in parts {
        match torn {
            // The last two bytes are only the end of the line.
            Some(at) => bytes.extend(&telegram[..at % (telegram.len() - 2)]),
            None => {
                bytes.extend(telegram);
                expected.push(*reading);
            }
        }
    }
    (bytes, expected)
}

fn push_in_pieces(bytes: &[u8], piece: usize) -> Vec<Result<Sample, NoReading>> {
    let mut telegrams = Telegrams::new();
    bytes.chunks(piece).flat_map(|piece| telegrams.push(piece)).collect()
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_stream_of_torn_telegrams_yields_exactly_the_whole_ones(parts in parts(text_telegram()), piece in 1..700_usize) {
        let (bytes, expected) = stream(&parts);
        prop_assert_eq!(readings(push_in_pieces(&bytes, piece)), expected);
    }

    #[test]
    fn without_a_checksum_too(parts in parts(plain_telegram()), piece in 1..700_usize) {
        let (bytes, expected) = stream(&parts);
        prop_assert_eq!(readings(push_in_pieces(&bytes, piece)), expected);
    }

    #[test]
    fn a_stream_of_torn_sml_too(parts in parts(sml_telegram()), piece in 1..700_usize) {
        let (bytes, expected) = stream(&parts);
        prop_assert_eq!(readings(push_in_pieces(&bytes, piece)), expected);
    }

    /// Two bytes side by side are what a checksum of 16 bits always finds.
    #[test]
    fn damage_never_yields_another_reading_than_the_true_one(
        ((bytes, reading), (next, next_reading)) in pair(),
        at: prop::sample::Index,
        damage in prop::array::uniform2(any::<u8>()),
    ) {
        let mut damaged = bytes;
        let at = at.index(damaged.len() - 1);
        damaged[at..at + 2].copy_from_slice(&damage);
        damaged.extend(next);
        let mut found = readings(Telegrams::new().push(&damaged));
        prop_assert_eq!(found.pop(), Some(next_reading));
        prop_assert!(found.is_empty() || found == [reading]);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        ((telegram, _), _) in pair(),
        at: prop::sample::Index,
    ) {
        let mut mixed = telegram.clone();
        let at = at.index(mixed.len());
        mixed.splice(at..at, bytes.iter().copied());
        mixed.extend(&telegram);
        for stream in [&bytes, &mixed] {
            Telegrams::new().push(stream);
        }
        let message = Message { payload: &bytes, is_retained: false };
        let time = Some(("/t".to_string(), Clock::Rfc3339));
        for pointers in [vec![], vec![String::new()], vec!["/a".into()]] {
            let format = Format { pointers, unit: Unit::WattHours, meter_id: None, time: time.clone() };
            prop_assert!(format.decode(message).is_err() || bytes.iter().any(u8::is_ascii_digit));
        }
        for name in ["netz-noe", "datadis", "kaernten"] {
            prop_assert!(intervals::read(&bytes, &intervals::profile(name, intervals::Role::Plant, None, None).unwrap(), None).is_err());
        }
    }

    /// Frames whose checksum is right, with any file within.
    #[test]
    fn no_sml_file_makes_the_decoder_panic(file in prop::collection::vec(any::<u8>(), 0..300)) {
        Telegrams::new().push(&generate::telegram::transport(&file));
    }

    #[test]
    fn no_text_makes_a_file_of_intervals_panic(rows in "([0-9]{2}\\.[0-9]{2}\\.[0-9]{4} [0-9]{2}:[0-9]{2};[0-9,-]{0,6};\\PC{0,3}\n){0,30}") {
        let file = format!("Messzeitpunkt;Einspeisung (kWh);\n{rows}");
        let series = intervals::read(file.as_bytes(), &intervals::profile("netz-noe", intervals::Role::Plant, None, None).unwrap(), None).unwrap();
        prop_assert!(series.intervals().is_sorted_by(|one, other| one.start < other.start));
    }
}
