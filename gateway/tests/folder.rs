//! A grid operator's files in a folder: who has what in them, which of them is believed, and what is read again.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use p2p_gateway::allocation::Readings;
use p2p_gateway::config::{Consumer, Intervals, Rule};
use p2p_gateway::counting::Pays;
use p2p_gateway::folder::{Failure, Folder};
use stellar_xdr::{ContractId, Hash, ScAddress};

/// A folder that is removed at the end.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("p2p-gateway-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, lines: &[&str]) {
        std::fs::write(self.0.join(name), lines.join("\n")).unwrap();
    }

    /// As if it had been written so many seconds after 2026-07-20.
    fn date(&self, name: &str, seconds: u64) {
        let file = std::fs::File::options().write(true).open(self.0.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_784_505_600 + seconds)).unwrap();
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const PLANT: &str = "Messzeitpunkt;Einspeisung (kWh)";
const BOB: &str = "Messzeitpunkt;Verbrauch (kWh)";
const START: &str = "2026-07-14T10:00:00Z";

fn intervals(folder: &Path, profile: &str, files: &str) -> Intervals {
    Intervals {
        folder: folder.into(),
        rule: Rule::ProRata,
        profile: profile.into(),
        files: Some(files.into()),
        point: None,
        value: None,
        since: 1_783_893_600,
        final_after: Duration::ZERO,
        max_kw: None,
        max_age: Duration::ZERO,
    }
}

fn consumer(name: &str, files: Option<&str>, point: Option<&str>, value: Option<&str>) -> Consumer {
    Consumer {
        name: name.into(),
        address: ScAddress::Contract(ContractId(Hash([0; 32]))),
        share: None,
        pays: Pays::Bill,
        files: files.map(Into::into),
        point: point.map(Into::into),
        value: value.map(Into::into),
    }
}

fn bob() -> Consumer {
    consumer("Bob", Some("bob*.csv"), None, Some("Verbrauch (kWh)"))
}

fn now() -> Timestamp {
    "2026-07-20T00:00:00Z".parse().unwrap()
}

/// What the plant and each consumer have in the first intervals after noon, in mWh: of the latest file that tells.
fn told(readings: &Readings, count: i64) -> Vec<Vec<Option<u32>>> {
    let start: Timestamp = START.parse().unwrap();
    let parties = readings.production.iter().chain(&readings.consumers);
    let of = |files: &Vec<_>| {
        let starts = (0..count).map(|place| start.as_second() + place * 900);
        starts
            .map(|start| {
                files.iter().rev().find_map(|series: &&p2p_gateway::input::intervals::Series| series.mwh(start))
            })
            .collect()
    };
    parties.map(of).collect()
}

fn problems(folder: &Folder) -> Vec<String> {
    folder.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn each_has_its_files_by_their_names() {
    let files = Files::new("by-names");
    files.write("Einspeisung Juli.CSV", &[PLANT, "14.07.2026 12:15;0,5", "14.07.2026 12:30;0,25"]);
    files.write("bob.csv", &[BOB, "14.07.2026 12:15;1"]);
    files.write("notes.txt", &["nothing of it is read"]);
    files.write(".bob.csv.part", &["nor of this"]);
    std::os::unix::fs::symlink("elsewhere", files.0.join("bob 2.csv")).unwrap();
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "*einspeisung*.csv"), &[bob()], None).unwrap();
    assert!(folder.refresh(now()).unwrap());
    let readings = folder.readings();
    assert_eq!(readings.step, 900);
    assert_eq!(told(&readings, 2), [[Some(500_000), Some(250_000)], [Some(1_000_000), None]]);
    assert_eq!(problems(&folder), [""; 0]);
}

#[test]
fn the_later_name_corrects_the_earlier_whenever_it_was_written() {
    let files = Files::new("corrections");
    let write = |name: &str, lines: &[&str], seconds| {
        files.write(name, &[&[PLANT], lines].concat());
        files.date(name, seconds);
    };
    write("export (10).csv", &["14.07.2026 12:15;4"], 1);
    write("export (2).csv", &["14.07.2026 12:15;3", "14.07.2026 12:30;3"], 2);
    write("export.csv", &["14.07.2026 12:15;1", "14.07.2026 12:30;1", "14.07.2026 12:45;1"], 3);
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "export*.csv"), &[], None).unwrap();
    folder.refresh(now()).unwrap();
    assert_eq!(told(&folder.readings(), 3), [[Some(4_000_000), Some(3_000_000), Some(1_000_000)]]);
}

#[test]
fn only_what_changed_is_read_again() {
    let files = Files::new("again");
    files.write("plant.csv", &[PLANT, "14.07.2026 12:15;1"]);
    files.write("bob.csv", &[BOB, "14.07.2026 12:15;1"]);
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "plant.csv"), &[bob()], None).unwrap();
    assert!(folder.refresh(now()).unwrap());
    assert!(!folder.refresh(now()).unwrap());
    // Of the same size and time, so that only a file that is read again would show it.
    files.date("plant.csv", 0);
    files.date("bob.csv", 0);
    assert!(folder.refresh(now()).unwrap());
    files.write("plant.csv", &[PLANT, "14.07.2026 12:15;2"]);
    files.write("bob.csv", &[BOB, "14.07.2026 12:15;2"]);
    files.date("plant.csv", 0);
    files.date("bob.csv", 1);
    assert!(folder.refresh(now()).unwrap());
    assert_eq!(told(&folder.readings(), 1), [[Some(1_000_000)], [Some(2_000_000)]]);
    std::fs::remove_file(files.0.join("bob.csv")).unwrap();
    assert!(folder.refresh(now()).unwrap());
    assert_eq!(told(&folder.readings(), 1), [[Some(1_000_000)], [None]]);
    folder.forget();
    assert!(folder.refresh(now()).unwrap());
    assert_eq!(told(&folder.readings(), 1), [[Some(2_000_000)], [None]]);
}

#[test]
fn a_changed_header_refuses_the_file_with_both_side_by_side() {
    let files = Files::new("header");
    files.write("plant 1.csv", &[PLANT, "14.07.2026 12:15;1"]);
    files.write("plant 2.csv", &["Messzeitpunkt;Gemessene Menge (kWh)", "14.07.2026 12:15;2"]);
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "plant*.csv"), &[], None).unwrap();
    folder.refresh(now()).unwrap();
    assert_eq!(told(&folder.readings(), 1), [[Some(1_000_000)]]);
    let expected = "plant 2.csv (the plant): the header does not fit:\n  \
        expected Messzeitpunkt;Einspeisung (kWh)\n  found    Messzeitpunkt;Gemessene Menge (kWh)";
    assert_eq!(problems(&folder), [expected]);
}

#[test]
fn refused_lines_are_counted_and_the_first_are_named() {
    let files = Files::new("lines");
    let lines = ["14.07.2026 12:15;1", "14.07.2026 12:30;-", "14.07.2026 12:45;24000", "14.07.2026 13:00;?", "x;1"];
    files.write("plant.csv", &[&[PLANT], &lines[..]].concat());
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "plant.csv"), &[], Some(12)).unwrap();
    folder.refresh(now()).unwrap();
    assert_eq!(told(&folder.readings(), 2), [[Some(1_000_000), None]]);
    let expected = "plant.csv (the plant): refused lines: 4; line 3: \"-\" is not a decimal number; \
        line 4: the value is larger than the plant can feed in; line 5: \"?\" is not a decimal number";
    assert_eq!(problems(&folder), [expected]);
}

#[test]
fn a_file_with_a_column_for_each_is_read_for_all() {
    let files = Files::new("columns");
    let header = "Ende Ablesezeitraum;Messintervall;Abrechnungsmaßeinheit;Dach AT001 - Einspeiser [kWh];AT002 - Bezug [kWh];AT003 - Bezug [kWh]";
    files.write("all.csv", &[header, "2026-07-14T12:15+02:00;QH;KWH;1;2;3", "2026-07-14T12:30+02:00;QH;KWH;4;;6"]);
    let members = ["AT002", "AT003", "AT004"].map(|point| consumer(point, None, Some(point), Some(" - Bezug [kWh]")));
    let mut of_plant = intervals(&files.0, "e-control", "*.csv");
    of_plant.point = Some("AT001".into());
    let mut folder = Folder::new(&of_plant, &members, None).unwrap();
    folder.refresh(now()).unwrap();
    let kwh = |kwh: u32| Some(kwh * 1_000_000);
    assert_eq!(told(&folder.readings(), 2), [[kwh(1), kwh(4)], [kwh(2), None], [kwh(3), kwh(6)], [None, None]]);
    assert_eq!(problems(&folder), ["all.csv (AT002): refused lines: 1; line 3: the line has no …AT002… - Bezug [kWh]"]);
}

/// Lines of each point, one point after the other or mixed: the repeated hour of autumn is told apart for each of them.
#[test]
fn a_file_with_lines_of_each_point_is_read_for_all() {
    let files = Files::new("points");
    let header = "Startdatum;Enddatum;Zählpunktbezeichnung;Wert;Einheit;Qualität";
    let line =
        |time: &str, end: &str, point: &str, kwh| format!("25.10.2026 {time};25.10.2026 {end};{point};{kwh};kWh;L1");
    let mut lines = vec![header.to_string()];
    for (point, base) in [("AT001", 0), ("AT002", 10), ("AT009", 90)] {
        lines.push(line("02:45", "02:00", point, base + 1));
        lines.push(line("02:00", "02:15", point, base + 2));
        lines.push(line("02:15", "02:30", point, base + 3));
    }
    for (time, end) in [("02:30", "02:45"), ("02:45", "03:00")] {
        ["AT002", "AT001"].iter().for_each(|point| lines.push(line(time, end, point, 7)));
    }
    files.write("all.csv", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut of_plant = intervals(&files.0, "kaernten", "*.csv");
    of_plant.point = Some("AT001".into());
    let mut folder = Folder::new(&of_plant, &[consumer("Bob", None, Some("AT002"), None)], None).unwrap();
    folder.refresh("2026-10-26T00:00:00Z".parse().unwrap()).unwrap();
    let readings = folder.readings();
    let first: Timestamp = "2026-10-25T00:45:00Z".parse().unwrap();
    let of = |files: &Vec<&p2p_gateway::input::intervals::Series>| -> Vec<u32> {
        let starts = (0..6).map(|place| first.as_second() + place * 900);
        starts.map(|start| files[0].mwh(start).map_or(0, |mwh| mwh / 1_000_000)).collect()
    };
    assert_eq!(of(readings.production.as_ref().unwrap()), [1, 2, 3, 7, 7, 0]);
    assert_eq!(of(&readings.consumers[0]), [11, 12, 13, 7, 7, 0]);
    assert_eq!(problems(&folder), [""; 0]);
}

#[test]
fn times_before_the_certified_reading_and_times_to_come_are_left_out() {
    let files = Files::new("times");
    files.write("plant.csv", &[PLANT, "01.07.2026 00:15;1", "14.07.2026 12:15;2", "01.08.2099 00:15;3"]);
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "plant.csv"), &[], None).unwrap();
    folder.refresh(now()).unwrap();
    let readings = folder.readings();
    let read: Vec<_> = readings.production.as_ref().unwrap()[0].intervals().collect();
    assert_eq!(read.iter().map(|interval| interval.start.to_string()).collect::<Vec<_>>(), [START]);
}

#[test]
fn a_file_that_is_too_large_is_named_and_not_read() {
    let files = Files::new("too-large");
    files.write("bob.csv", &[BOB, "14.07.2026 12:15;0,250"]);
    // It has no blocks on the disk, and would have as many bytes in memory.
    std::fs::File::create(files.0.join("plant.csv")).unwrap().set_len(10 << 30).unwrap();
    let mut folder = Folder::new(&intervals(&files.0, "netz-noe", "plant.csv"), &[bob()], None).unwrap();
    folder.refresh(now()).unwrap();
    assert_eq!(told(&folder.readings(), 1), [[None], [Some(250_000)]]);
    let expected = "plant.csv (the plant): the file has more than 128 MB: have it exported in parts, such as months";
    assert_eq!(problems(&folder), [expected]);
    // What is read of JSON takes many times its bytes.
    let file = std::fs::File::create(files.0.join("plant.csv")).unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"[1", 0).unwrap();
    file.set_len(33 << 20).unwrap();
    folder.refresh(now()).unwrap();
    assert_eq!(problems(&folder), [expected.replace("128", "32")]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let missing = Path::new("/nowhere/at/all");
    let mut folder = Folder::new(&intervals(missing, "netz-noe", "*.csv"), &[], None).unwrap();
    let error = folder.refresh(now()).unwrap_err();
    assert!(matches!(&error, Failure::Io { path, .. } if path == missing), "{error}");
    let text = Folder::new(&intervals(missing, "netz-noe", "["), &[], None).unwrap_err().to_string();
    assert_eq!(text, "the plant: \"[\" is no pattern of file names");
}
