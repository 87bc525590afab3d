//! A year of quarter hours of a plant and its members, read from files and allocated: how long it takes, and how much memory.
//!
//! `cargo run --release --example year -- 500` is the size for which the bars are set; fewer members have less. It fails
//! above a bar. The files are written to a folder for temporary files, which is removed.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use p2p_gateway::allocation::{allocate, Days, Life, Party};
use p2p_gateway::config::{Consumer, Intervals, Rule};
use p2p_gateway::counting::Pays;
use p2p_gateway::folder::Folder;
use stellar_xdr::{ContractId, Hash, ScAddress};

const MOST_MEMBERS: usize = 500;
/// The bars for that many members. Fewer than a tenth of them are not held to less than a tenth.
const MOST_MS: usize = 20_000;
const MOST_MEMORY_MB: usize = 300;

const DAYS: usize = 365;
const SINCE: &str = "2025-01-01T00:00:00+01:00";
const EXPORTED_MWH: u32 = 100_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let members: usize = std::env::args().nth(1).map_or(Ok(100), |count| count.parse())?;
    for is_wide in [true, false] {
        let folder = std::env::temp_dir().join(format!("p2p-gateway-year-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let result = write(&folder, members, is_wide).and_then(|()| measure(&folder, members, is_wide));
        std::fs::remove_dir_all(&folder)?;
        result?;
    }
    Ok(())
}

/// The Wh that a member uses in an interval: all different, and together more than what is exported.
fn used_wh(member: usize, interval: usize) -> u32 {
    ((member * 7_919 + interval * 104_729) % 1_000 + 1) as u32
}

fn zone() -> Result<TimeZone, jiff::Error> {
    TimeZone::get("Europe/Vienna")
}

/// A file for each month with a column for each, or a file for each of them.
fn write(folder: &Path, members: usize, is_wide: bool) -> Result<(), Box<dyn Error>> {
    let since: Timestamp = SINCE.parse()?;
    let (zone, count) = (zone()?, DAYS * 96);
    let time = |interval: usize| -> Result<String, jiff::Error> {
        let end = since.checked_add((15 * (interval as i64 + 1)).minutes())?;
        Ok(end.to_zoned_datetime(zone.clone()).strftime("%d.%m.%Y %H:%M").to_string())
    };
    let decimal = |wh: u32| format!("{},{:03}", wh / 1_000, wh % 1_000);
    let times = (0..count).map(time).collect::<Result<Vec<_>, _>>()?;
    let exported = decimal(EXPORTED_MWH / 1_000);
    if is_wide {
        for (month, times) in times.chunks(count.div_ceil(12)).enumerate() {
            let mut file = BufWriter::new(File::create(folder.join(format!("{month}.csv")))?);
            write!(file, "Messzeitpunkt;Einspeisung (kWh)")?;
            (0..members).try_for_each(|member| write!(file, ";{} - Verbrauch (kWh)", point(member)))?;
            for (place, time) in times.iter().enumerate() {
                let interval = month * count.div_ceil(12) + place;
                write!(file, "\n{time};{exported}")?;
                (0..members).try_for_each(|member| write!(file, ";{}", decimal(used_wh(member, interval))))?;
            }
            file.flush()?;
        }
        return Ok(());
    }
    for member in 0..=members {
        let (name, column) = match members.checked_sub(member + 1) {
            None => ("plant".into(), "Einspeisung (kWh)".into()),
            Some(_) => (point(member), format!("{} - Verbrauch (kWh)", point(member))),
        };
        let mut file = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
        write!(file, "Messzeitpunkt;{column}")?;
        for (interval, time) in times.iter().enumerate() {
            let value = if member == members { exported.clone() } else { decimal(used_wh(member, interval)) };
            write!(file, "\n{time};{value}")?;
        }
        file.flush()?;
    }
    Ok(())
}

fn point(member: usize) -> String {
    format!("AT{member:031}")
}

fn measure(folder: &Path, members: usize, is_wide: bool) -> Result<(), Box<dyn Error>> {
    let since: Timestamp = SINCE.parse()?;
    let intervals = Intervals {
        folder: folder.into(),
        rule: Rule::ProRata,
        profile: "netz-noe".into(),
        files: Some(if is_wide { "*.csv" } else { "plant.csv" }.into()),
        point: None,
        value: None,
        since: u64::try_from(since.as_second())?,
        final_after: Duration::ZERO,
        max_kw: None,
        max_age: Duration::ZERO,
    };
    let consumer = |member: usize| Consumer {
        name: format!("member {member}"),
        address: ScAddress::Contract(ContractId(Hash([0; 32]))),
        share: None,
        pays: Pays::Bill,
        files: (!is_wide).then(|| format!("{}.csv", point(member))),
        point: None,
        value: Some(format!("{} - Verbrauch (kWh)", point(member))),
    };
    let consumers: Vec<Consumer> = (0..members).map(consumer).collect();
    let agreement = |month: u64| Life {
        agreement_id: month,
        created_at: intervals.since + month * 30 * 86_400,
        delivery_deadline: intervals.since + (month + 2) * 30 * 86_400,
        energy_amount_kwh: 100,
        energy_delivered_kwh: 0,
        may_fill: true,
    };
    let parties: Vec<Party> =
        consumers.iter().map(|_| Party { share: None, agreements: (0..12).map(agreement).collect() }).collect();
    let end = since.checked_add((24 * DAYS as i64).hours())?;
    let days = Days { since, before: end, zone: zone()? };

    let began = Instant::now();
    let mut files = Folder::new(&intervals, &consumers, None)?;
    files.refresh(end)?;
    let read = began.elapsed();
    let allocated = allocate(&files.readings(), intervals.rule, &parties, &days)?;
    let taken = began.elapsed();

    if let Some(problem) = files.problems().first() {
        return Err(problem.to_string().into());
    }
    let kwh = (DAYS as u64 * 96 * u64::from(EXPORTED_MWH)) / 1_000_000;
    if (allocated.until, allocated.exported.kwh()) != (end, kwh) {
        return Err(format!("{} kWh until {}, and not {kwh}", allocated.exported, allocated.until).into());
    }
    let due: u64 = allocated.due.iter().flatten().map(|(_, kwh)| kwh).sum();
    let memory = peak_memory_mb()?;
    println!(
        "{members} members, {}: {} values read in {:.1} s, allocated in {:.1} s, at most {memory} MB; {due} kWh due",
        if is_wide { "a file for each month" } else { "a file for each member" },
        (members + 1) * DAYS * 96,
        read.as_secs_f64(),
        (taken - read).as_secs_f64(),
    );
    let part = |bar: usize| bar * members.max(MOST_MEMBERS / 10) / MOST_MEMBERS;
    let (most_ms, most_memory) = (part(MOST_MS), part(MOST_MEMORY_MB));
    if taken.as_millis() > most_ms as u128 || memory > most_memory {
        return Err(format!("above the bar of {most_ms} ms and {most_memory} MB").into());
    }
    Ok(())
}

/// The most that this process ever had in memory.
fn peak_memory_mb() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kilobytes: usize = line.trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes.div_ceil(1_024))
}
