//! Files of intervals as portals give them: days of 92, 96 and 100 quarter hours, and what goes wrong in them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Case, Dice};

const QUARTER: i64 = 900;

/// What was fed in: when each interval begins, and its mWh, in steps of a Wh.
type Truth = Vec<(Timestamp, u64)>;

/// A local day of intervals, or the hours of one from..until.
fn day(zone: &str, date: &str, hours: std::ops::Range<i64>, seconds: i64) -> Truth {
    let zone = TimeZone::get(zone).unwrap();
    let midnight: jiff::civil::Date = date.parse().unwrap();
    let start = midnight.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(zone.clone()).unwrap();
    let end = start.checked_add(1.day()).unwrap().timestamp().as_second();
    let start = start.timestamp().as_second();
    let mut dice = Dice(start as u64);
    (start + hours.start * 3_600..end.min(start + hours.end * 3_600))
        .step_by(seconds as usize)
        .map(|second| (Timestamp::from_second(second).unwrap(), dice.below(3_000) * 1_000))
        .collect()
}

fn whole_day(zone: &str, date: &str) -> Truth {
    day(zone, date, 0..25, QUARTER)
}

fn local(time: Timestamp, zone: &str, format: &str) -> String {
    time.to_zoned_datetime(TimeZone::get(zone).unwrap()).strftime(format).to_string()
}

fn after(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// kWh with a comma and without trailing zeros.
fn kwh(mwh: u64) -> String {
    let text = format!("{},{:03}", mwh / 1_000_000, mwh / 1_000 % 1_000);
    text.trim_end_matches('0').trim_end_matches(',').into()
}

fn rows(truth: &Truth, row: impl Fn(Timestamp, Timestamp, u64) -> String) -> Vec<String> {
    truth.iter().map(|(start, mwh)| row(*start, after(*start, QUARTER), *mwh)).collect()
}

fn reads(truth: &Truth) -> Vec<String> {
    truth.iter().map(|(start, mwh)| format!("{start} {mwh}")).collect()
}

fn lines(header: &str, rows: &[String]) -> String {
    let all: Vec<&str> = header.split('|').chain(rows.iter().map(String::as_str)).collect();
    all.join("\n") + "\n"
}

fn case(name: &str, format: &str, file: impl Into<Vec<u8>>, expected: &[String]) -> Case {
    let expected = if expected.is_empty() { "nothing\n".into() } else { expected.join("\n") + "\n" };
    Case::new(name).with("format.json", format!("{format}\n")).with("file", file).with("expected", expected)
}

const VIENNA: &str = "Europe/Vienna";
const MINUTES: &str = "%d.%m.%Y %H:%M";
const NOE: &str = r#"{"profile": "netz-noe"}"#;
const NOE_HEADER: &str = "\u{feff}Messzeitpunkt;Einspeisung (kWh);";
const SPRING: &str = "2026-03-29";
const AUTUMN: &str = "2026-10-25";
const POINT: &str = "AT0099900000000000000000012345678";

fn noe_rows(truth: &Truth) -> Vec<String> {
    rows(truth, |_, end, mwh| format!("{};{};", local(end, VIENNA, MINUTES), kwh(mwh)))
}

pub fn cases() -> Vec<Case> {
    let mut cases = profiles();
    cases.extend(clock_changes());
    cases.extend(free());
    cases.extend(lines_refused());
    cases.extend(files_refused());
    cases
}

fn profiles() -> Vec<Case> {
    let hour = day(VIENNA, "2026-07-14", 11..12, QUARTER);
    let burgenland = format!("Zählpunktbezeichnung;Kennzahl;Zählernummer;Exportiere ab;Exportiere bis|{POINT};1-1:2.9.0 P.01;;01.07.2026;31.07.2026|Startdatum;Startuhrzeit;Enddatum;Enduhrzeit;Einspeisung (in kWh);Zählerstand um 24 Uhr (in kWh);Status");
    let kaernten = "Startdatum;Enddatum;Zählpunktbezeichnung;Name der Energiegemeinschaft;ID der Energiegemeinschaft;OBIS;OBIS Kurzbeschreibung;Wert;Einheit;Qualität;Qualität Beschreibung";
    let kaernten_rows = rows(&hour, |start, end, mwh| {
        let (start, end) = (local(start, VIENNA, MINUTES), local(end, VIENNA, MINUTES));
        format!("{start};{end};{POINT};;;;;{};kWh;L1;Echtwert gemessen", kwh(mwh))
    });
    let latin: Vec<u8> = lines(kaernten, &kaernten_rows).replace('\n', "\r\n").chars().map(|char| char as u8).collect();
    let community =
        "\u{feff}Messzeitpunkt;Verbrauch (kWh);Restnetzbezug (kWh);Eigendeckung (kWh);Ideeller Anteil (kWh);";
    let community_rows = rows(&hour, |_, end, mwh| {
        let (all, shared) = (kwh(mwh + 7_000), kwh(mwh));
        format!("{};{all};0,007;{shared};9,9;", local(end, VIENNA, MINUTES))
    });
    let half_hours = day("Europe/Paris", "2026-07-14", 11..13, 2 * QUARTER);
    let enedis = "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Unite;Pas en minutes|09000000000001;Courbe de charge;01/07/2026;31/07/2026;W;30|Horodate;Valeur";
    // 30 minutes of so many W are half as many Wh.
    let watts: Vec<String> = half_hours
        .iter()
        .map(|(start, mwh)| {
            format!("{};{}", local(after(*start, 1_800), "Europe/Paris", "%Y-%m-%dT%H:%M:%S%:z"), mwh / 500)
        })
        .collect();
    let hours = day("Europe/Madrid", "2026-07-14", 20..24, 3_600);
    let datadis = |start: Timestamp| {
        let date = local(start, "Europe/Madrid", "%Y/%m/%d");
        let hour: u64 = local(start, "Europe/Madrid", "%H").parse().unwrap();
        (date, format!("{:02}:00", hour + 1))
    };
    let objects: Vec<String> = hours
        .iter()
        .map(|(start, mwh)| {
            let (date, time) = datadis(*start);
            let surplus = kwh(*mwh).replace(',', ".");
            format!(r#"{{"cups":"ES0099","date":"{date}","time":"{time}","consumptionKWh":0.2,"obtainMethod":"Real","surplusEnergyKWh":{surplus}}}"#)
        })
        .collect();
    let datadis_lines: Vec<String> = hours
        .iter()
        .map(|(start, mwh)| {
            let (date, time) = datadis(*start);
            format!("ES0099;{date};{time};0,2;Real;{}", kwh(*mwh))
        })
        .collect();
    vec![
        case("netz-noe", NOE, lines(NOE_HEADER, &noe_rows(&hour)), &reads(&hour)),
        case(
            "netz-noe-shared-in-a-community",
            r#"{"profile": "netz-noe", "value": "Eigendeckung (kWh)"}"#,
            lines(community, &community_rows),
            &reads(&hour),
        ),
        case(
            "wiener-netze-until-midnight",
            &format!(r#"{{"profile": "wiener-netze", "point": "{POINT}"}}"#),
            {
                let header = format!("\u{feff}Datum;Zeit von;Zeit bis;Dach - {POINT} - Verbrauch [kWh];Dach - {POINT} - Einspeiser [kWh]");
                let evening = day(VIENNA, "2026-07-14", 23..24, QUARTER);
                let row = |start, end, mwh| format!("{};{};0;{}", local(start, VIENNA, "%d.%m.%Y;%H:%M:%S"), local(end, VIENNA, "%H:%M:%S"), kwh(mwh));
                lines(&header, &rows(&evening, row))
            },
            &reads(&day(VIENNA, "2026-07-14", 23..24, QUARTER)),
        ),
        case(
            "e-control",
            &format!(r#"{{"profile": "e-control", "point": "{POINT}"}}"#),
            lines(
                &format!("\u{feff}Ende Ablesezeitraum;Messintervall;Abrechnungsmaßeinheit;Dach - {POINT} (0000000000) - Einspeiser [kWh]"),
                &rows(&hour, |_, end, mwh| format!("{};QH;KWH;{}", local(end, VIENNA, "%Y-%m-%dT%H:%M%:z"), kwh(mwh))),
            ),
            &reads(&hour),
        ),
        case("kaernten-latin-1", r#"{"profile": "kaernten"}"#, latin, &reads(&hour)),
        case(
            "graz-line-above-the-header",
            r#"{"profile": "graz", "value": "Einspeisung Gesamt - 2.8.0"}"#,
            lines(
                "Lieferrichtung: Lieferung|Ablesezeitpunkt;Zaehlerstand Gesamt - 2.8.0;Einspeisung Gesamt - 2.8.0;Status Gesamt - 2.8.0;Zaehlerstand Hochtarif - 2.8.1",
                &rows(&hour, |_, end, mwh| {
                    format!("{};3021,75;{};VAL;", local(end, VIENNA, "%Y-%m-%dT%H:%M:%S.000%:z"), kwh(mwh))
                }),
            ),
            &reads(&hour),
        ),
        case(
            "graz-2024-decimal-point",
            r#"{"profile": "graz-2024", "value": "Einspeisung Gesamt - 2.8.0"}"#,
            lines(
                "Ablesezeitpunkt;Zaehlerstand Gesamt - 2.8.0;Einspeisung Gesamt - 2.8.0;Status Gesamt - 2.8.0",
                &rows(&hour, |_, end, mwh| {
                    let value = kwh(mwh).replace(',', ".");
                    format!("{};3021.75;{value};VAL", local(end, VIENNA, "%Y-%m-%dT%H:%M:%S.000%:z"))
                }),
            ),
            &reads(&hour),
        ),
        case(
            "burgenland-two-headers",
            r#"{"profile": "burgenland", "value": "Einspeisung (in kWh)"}"#,
            lines(
                &burgenland,
                &rows(&hour, |start, end, mwh| {
                    let both = "%d.%m.%Y;%H:%M";
                    format!("{};{};{};-;Wahrer Wert", local(start, VIENNA, both), local(end, VIENNA, both), kwh(mwh))
                }),
            ),
            &reads(&hour),
        ),
        case(
            "burgenland-of-what-is-drawn",
            r#"{"profile": "burgenland", "value": "Einspeisung (in kWh)"}"#,
            lines(&burgenland.replace("1-1:2.9.0", "1-1:1.9.0"), &[]),
            &["error above: above the header, Kennzahl is \"1-1:1.9.0 P.01\" where \"1-1:2.9.0\" was expected".into()],
        ),
        case(
            "steiermark-estimated-values-leave-a-gap",
            r#"{"profile": "steiermark"}"#,
            {
                let mut rows = rows(&hour, |start, end, mwh| {
                    let (start, end) = (local(start, VIENNA, MINUTES), local(end, VIENNA, MINUTES));
                    format!("01234567;{POINT};;{start};{end};{};KWH;VAL", kwh(mwh))
                });
                rows[1] = rows[1].replace("VAL", "EST");
                lines("\u{feff}Anlagennummer;Zählpunkt;Tarif;Statistikzeitraum Beginn;Statistikzeitraum Ende;Wert;Einheit;Messwert: VAL...gemessen, EST...rechnerisch ermittelt", &rows)
            },
            &{
                let mut expected = reads(&hour);
                expected.remove(1);
                expected.push(format!("gap {} {}", hour[1].0, hour[2].0));
                expected.push("refused 3 quality: the value is marked as \"EST\"".into());
                expected
            },
        ),
        case("enedis-mean-watts", r#"{"profile": "enedis"}"#, lines(enedis, &watts), &reads(&half_hours)),
        case(
            "enedis-other-unit",
            r#"{"profile": "enedis"}"#,
            lines(&enedis.replace(";W;", ";Wh;"), &watts),
            // Wh begins as W does: what is expected is the whole word.
            &["error above: above the header, Unite is \"Wh\" where \"W\" was expected".into()],
        ),
        case("datadis-json-until-24", r#"{"profile": "datadis"}"#, format!("[{}]\n", objects.join(",\n")), &reads(&hours)),
        case(
            "datadis-csv",
            r#"{"profile": "datadis"}"#,
            lines("cups;fecha;hora;consumo_kWh;metodoObtencion;energiaVertida_kWh", &datadis_lines),
            &reads(&hours),
        ),
        case(
            "datadis-surplus-is-null-or-estimated",
            r#"{"profile": "datadis"}"#,
            format!("[{},\n{}]\n", objects[0].replace("\"Real\"", "\"Estimada\""), {
                let (before, _) = objects[1].rsplit_once(':').unwrap();
                format!("{before}:null}}")
            }),
            &[
                "refused 1 quality: the value is marked as \"Estimada\"".into(),
                "refused 2 missing: the line has no surplusEnergyKWh".into(),
            ],
        ),
    ]
}

fn clock_changes() -> Vec<Case> {
    let start_format = r#"{"free": {"at": ["DATE_FROM"], "until": ["DATE_TO"], "value": "VALUE", "format": "%d.%m.%Y %H:%M", "stamp": "start", "zone": "Europe/Vienna", "decimal": ",", "unit": "kWh"}}"#;
    let both = |truth: &Truth| {
        lines(
            "DATE_FROM;DATE_TO;VALUE",
            &rows(truth, |start, end, mwh| {
                format!("{};{};{}", local(start, VIENNA, MINUTES), local(end, VIENNA, MINUTES), kwh(mwh))
            }),
        )
    };
    let mut cases = vec![];
    for (name, date, count) in [("spring", SPRING, 92), ("summer", "2026-07-14", 96), ("autumn", AUTUMN, 100)] {
        let truth = whole_day(VIENNA, date);
        assert_eq!(truth.len(), count);
        cases.push(case(&format!("day-of-{count}-by-start"), start_format, both(&truth), &reads(&truth)));
        cases.push(case(&format!("day-of-{count}-by-end"), NOE, lines(NOE_HEADER, &noe_rows(&truth)), &reads(&truth)));
        // Portals that count the end from the start, without a look at the clock: 02:45 and 15 minutes are 03:00.
        let counted = rows(&truth, |start, _, mwh| {
            let end = start.to_zoned_datetime(TimeZone::get(VIENNA).unwrap()).datetime() + 15.minutes();
            format!("{};{};", end.strftime(MINUTES), kwh(mwh))
        });
        cases.push(case(&format!("day-of-{count}-by-counted-end"), NOE, lines(NOE_HEADER, &counted), &reads(&truth)));
        let mut newest_first = noe_rows(&truth);
        newest_first.reverse();
        cases.push(case(&format!("{name}-newest-first"), NOE, lines(NOE_HEADER, &newest_first), &reads(&truth)));
    }
    // The export of a portal that loses the second of the two hours.
    let truth = whole_day(VIENNA, AUTUMN);
    let all = noe_rows(&truth);
    let kept: Vec<String> = all[..12].iter().chain(&all[16..]).cloned().collect();
    let mut expected = reads(&truth);
    expected.drain(12..16);
    expected.push(format!("gap {} {}", truth[12].0, truth[16].0));
    cases.push(case("autumn-of-96-lines", NOE, lines(NOE_HEADER, &kept), &expected));
    cases.push(case(
        "spring-hour-that-does-not-exist",
        r#"{"free": {"at": ["at"], "value": "kWh", "format": "%Y-%m-%d %H:%M", "stamp": "start", "zone": "Europe/Vienna", "decimal": ".", "unit": "kWh"}}"#,
        "at;kWh\n2026-03-29 01:45;1\n2026-03-29 02:00;2\n2026-03-29 03:00;3\n",
        &[
            "2026-03-29T00:45:00Z 1000000".into(),
            "2026-03-29T01:00:00Z 3000000".into(),
            "refused 3 no_such_time: \"2026-03-29T02:00:00\" does not exist: the clock was put forward".into(),
        ],
    ));
    cases.push(case(
        "a-zone-without-summer-time",
        r#"{"free": {"at": ["at"], "value": "kWh", "format": "%Y-%m-%d %H:%M", "stamp": "start", "zone": "Etc/GMT-1", "decimal": ".", "unit": "kWh"}}"#,
        "at;kWh\n2026-03-29 01:45;1\n2026-03-29 02:00;2\n",
        &["2026-03-29T00:45:00Z 1000000".into(), "2026-03-29T01:00:00Z 2000000".into()],
    ));
    cases
}

fn free() -> Vec<Case> {
    let hour = day(VIENNA, "2026-07-14", 11..12, QUARTER);
    let vorarlberg = lines(
        "Vertragskonto;000000|Zählpunkt;AT0099|Beginn der Messreihe;Ende der Messreihe;Messwert in kWh",
        &rows(&hour, |start, end, mwh| {
            format!("{};{};{}", local(start, VIENNA, MINUTES), local(end, VIENNA, MINUTES), kwh(mwh))
        }),
    );
    let utf16: Vec<u8> = vorarlberg.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_big: Vec<u8> =
        "\u{feff}".encode_utf16().chain(vorarlberg.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let format = r#"{"free": {"at": ["Beginn der Messreihe"], "until": ["Ende der Messreihe"], "value": "Messwert in kWh", "format": "%d.%m.%Y %H:%M", "stamp": "start", "zone": "Europe/Vienna", "decimal": ",", "unit": "kWh"}}"#;
    vec![
        case("utf-16", format, utf16, &reads(&hour)),
        case("utf-16-big-endian", format, utf16_big, &reads(&hour)),
        case(
            "float-noise-is-rounded",
            r#"{"free": {"at": ["at"], "value": "kWh", "format": "%Y-%m-%d %H:%M", "stamp": "end", "zone": "UTC", "decimal": ",", "unit": "kWh", "delimiter": "\t"}}"#,
            "at\tkWh\n2026-07-14 00:15\t0,120999999999185\n2026-07-14 00:30\t0,3000000000004\n",
            &["2026-07-14T00:00:00Z 121000".into(), "2026-07-14T00:15:00Z 300000".into()],
        ),
        case(
            "marks-in-words",
            r#"{"free": {"at": ["Datum"], "value": "Einspeisung (kWh)", "format": "%d.%m.%Y %H:%M:%S", "stamp": "start", "zone": "Europe/Vienna", "decimal": ",", "unit": "kWh", "quality": "Status", "accepted": ["Wert ist gültig(L1)"]}}"#,
            "\"Datum\";\"Einspeisung (kWh)\";\"Status\";\"Zeitumstellung\"\n\"14.07.2026 12:00:00\";0,05;\"Wert ist gültig(L1)\";\"\"\n\"14.07.2026 12:15:00\";0,05;\"Ersatzwert(L2)\";\"\"\n",
            &[
                "2026-07-14T10:00:00Z 50000".into(),
                "refused 3 quality: the value is marked as \"Ersatzwert(L2)\"".into(),
            ],
        ),
        case(
            "another-register-is-left-out",
            r#"{"free": {"at": ["at"], "value": "Wh", "format": "%Y-%m-%d %H:%M", "stamp": "start", "zone": "UTC", "decimal": ".", "unit": "Wh", "only": {"OBIS": "2.9.0"}}}"#,
            "at;OBIS;Wh\n2026-07-14 10:00;1.9.0;5\n2026-07-14 10:00;2.9.0;700\n2026-07-14 10:15;1.9.0;5\n2026-07-14 10:15;2.9.0;701\n",
            &["2026-07-14T10:00:00Z 700000".into(), "2026-07-14T10:15:00Z 701000".into()],
        ),
    ]
}

fn lines_refused() -> Vec<Case> {
    let format = r#"{"free": {"at": ["from"], "until": ["to"], "value": "kWh", "format": "%Y-%m-%d %H:%M", "stamp": "start", "zone": "UTC", "decimal": ".", "unit": "kWh", "unit_column": "unit", "most": 3000000}}"#;
    let quarter =
        |minute: u32, value: &str| format!("2026-07-14 10:{minute:02};2026-07-14 10:{:02};{value};kWh", minute + 15);
    let read = |minute: u32, mwh: u64| format!("2026-07-14T10:{minute:02}:00Z {mwh}");
    let gap = |from: u32, until: u32| format!("gap 2026-07-14T10:{from:02}:00Z 2026-07-14T10:{until:02}:00Z");
    // A line in place of the second of three quarter hours.
    let simple = |name: &str, line: &str, why: &str| {
        let file = lines("from;to;kWh;unit", &[quarter(0, "1"), line.into(), quarter(30, "2.5")]);
        case(name, format, file, &[read(0, 1_000_000), read(30, 2_500_000), gap(15, 30), format!("refused 3 {why}")])
    };
    let second = quarter(15, "2");
    vec![
        simple("line-without-a-value", &quarter(15, ""), "missing: the line has no kWh"),
        simple(
            "line-that-is-torn",
            "2026-07-14 10:15;2026-07",
            "not_a_time: \"2026-07\" is not a time of the expected form",
        ),
        simple("line-of-a-word", &quarter(15, "-"), "not_a_number: \"-\" is not a decimal number"),
        simple("line-of-a-comma", &quarter(15, "0,5"), "not_a_number: \"0,5\" is not a decimal number"),
        simple("line-that-is-negative", &quarter(15, "-0.5"), "negative: the value is negative"),
        simple("line-of-24-mwh", &quarter(15, "24000"), "too_large: the value is larger than the plant can feed in"),
        simple("line-of-another-unit", &second.replace("kWh", "Wh"), "wrong_unit: the unit is \"Wh\""),
        simple(
            "line-of-a-date",
            &second.replacen("2026-07-14 10:15", "2026-07-14", 1),
            "not_a_time: \"2026-07-14\" is not a time of the expected form",
        ),
        simple(
            "line-of-a-sum",
            "2026-07-14 00:00;2026-07-15 00:00;40;kWh",
            "wrong_length: it does not last 15 minutes: is it a sum?",
        ),
        simple(
            "line-that-ends-before-it-starts",
            "2026-07-14 10:30;2026-07-14 10:15;2;kWh",
            "end_before_start: it ends before it starts",
        ),
        simple(
            "line-off-the-grid",
            "2026-07-14 10:20;2026-07-14 10:35;2;kWh",
            "off_grid: it is not on the grid of 15 minutes",
        ),
        simple(
            "line-of-a-year-of-two-digits",
            "26-07-14 10:15;2026-07-14 10:30;2;kWh",
            "not_a_time: \"26-07-14 10:15\" is not a time of the expected form",
        ),
        simple(
            "line-of-the-31st-of-june",
            "2026-06-31 10:15;2026-07-14 10:30;2;kWh",
            "not_a_time: \"2026-06-31 10:15\" is not a time of the expected form",
        ),
        case(
            "the-same-line-twice-and-one-at-full-power",
            format,
            lines("from;to;kWh;unit", &[quarter(0, "1"), second.clone(), second.clone(), quarter(30, "3")]),
            &[read(0, 1_000_000), read(15, 2_000_000), read(30, 3_000_000)],
        ),
        case(
            "two-values-for-one-interval",
            format,
            lines("from;to;kWh;unit", &[quarter(0, "1"), second, quarter(15, "2.001"), quarter(30, "2.5")]),
            &[
                read(0, 1_000_000),
                read(30, 2_500_000),
                gap(15, 30),
                "refused 3 contradiction: the interval of 2026-07-14T10:15:00Z is there twice, with different values"
                    .into(),
                "refused 4 contradiction: the interval of 2026-07-14T10:15:00Z is there twice, with different values"
                    .into(),
            ],
        ),
    ]
}

fn files_refused() -> Vec<Case> {
    let error = |text: &str| vec![format!("error {text}")];
    vec![
        case("empty-file", NOE, "\u{feff}\n", &error("empty: the file is empty")),
        case(
            "header-was-changed",
            NOE,
            "Messzeitpunkt;Gemessene Menge (kWh);\n14.07.2026 00:15;0,5;\n",
            &error("header: the header does not fit:\n  expected Messzeitpunkt;Einspeisung (kWh)\n  found    Messzeitpunkt;Gemessene Menge (kWh);"),
        ),
        case(
            "header-of-another-portal",
            &format!(r#"{{"profile": "wiener-netze", "point": "{POINT}"}}"#),
            "Messzeitpunkt;Einspeisung (kWh);\n14.07.2026 00:15;0,5;\n",
            &error(&format!("header: the header does not fit:\n  expected Datum;Zeit von;…{POINT}… - Einspeiser [kWh]\n  found    Messzeitpunkt;Einspeisung (kWh);")),
        ),
        case(
            "no-header-but-numbers",
            NOE,
            "14.07.2026 00:15;0,5\n",
            &error("header: the header does not fit:\n  expected Messzeitpunkt;Einspeisung (kWh)\n  found    14.07.2026 00:15;0,5"),
        ),
        case(
            "header-in-the-twelfth-line",
            NOE,
            format!("{}Messzeitpunkt;Einspeisung (kWh);\n14.07.2026 00:15;0,5;\n", "a;b\n".repeat(11)),
            &["2026-07-13T22:00:00Z 500000".into()],
        ),
        case(
            "header-below-twelve-lines",
            NOE,
            format!("first;line\n{}Messzeitpunkt;Einspeisung (kWh);\n14.07.2026 00:15;0,5;\n", "a;b\n".repeat(11)),
            &error("header: the header does not fit:\n  expected Messzeitpunkt;Einspeisung (kWh)\n  found    first;line"),
        ),
        case("header-and-nothing-else", NOE, "Messzeitpunkt;Einspeisung (kWh);\n", &[]),
        case(
            "two-blocks-side-by-side",
            r#"{"free": {"at": ["DATE_FROM"], "value": "VALUE", "format": "%d.%m.%Y %H:%M", "stamp": "start", "zone": "Europe/Vienna", "decimal": ",", "unit": "kWh"}}"#,
            "DATE_FROM;DATE_TO;VALUE;DATE_FROM;DATE_TO;VALUE\n14.07.2026 00:00;14.07.2026 00:15;0,5;;;\n",
            &error("ambiguous: several columns are called VALUE: name the one to read"),
        ),
        case(
            "two-metering-points",
            r#"{"profile": "steiermark"}"#,
            "Zählpunkt;Statistikzeitraum Beginn;Statistikzeitraum Ende;Wert;Einheit;Messwert: VAL...gemessen, EST...rechnerisch ermittelt\nAT01;14.07.2026 00:00;14.07.2026 00:15;1;KWH;VAL\nAT02;14.07.2026 00:00;14.07.2026 00:15;2;KWH;VAL\n",
            &error("two_points: there are two metering points in it, AT01 and AT02: name the one to read"),
        ),
        case(
            "one-of-two-metering-points",
            r#"{"profile": "steiermark", "point": "AT02"}"#,
            "Zählpunkt;Statistikzeitraum Beginn;Statistikzeitraum Ende;Wert;Einheit;Messwert: VAL...gemessen, EST...rechnerisch ermittelt\nAT01;14.07.2026 00:00;14.07.2026 00:15;1;KWH;VAL\nAT02;14.07.2026 00:00;14.07.2026 00:15;2;KWH;VAL\n",
            &["2026-07-13T22:00:00Z 2000000".into()],
        ),
        case(
            "datadis-answer-of-an-error",
            r#"{"profile": "datadis"}"#,
            "{\"timestamp\":1,\"status\":500}\n",
            &error("not_json: the file is not JSON, or no list of objects"),
        ),
        case(
            "datadis-json-of-other-names",
            r#"{"profile": "datadis"}"#,
            "[{\"date\":\"2026/07/14\",\"hour\":\"01:00\",\"surplusEnergyKWh\":1}]\n",
            &error("header: the header does not fit:\n  expected date,time,surplusEnergyKWh,obtainMethod,cups\n  found    date,hour,surplusEnergyKWh"),
        ),
        case(
            "datadis-csv-of-other-names",
            r#"{"profile": "datadis"}"#,
            "CUPS;Fecha;Hora;Consumo_kWh;Metodo_obtencion\nES0099;14/07/2026;1;0,057;R\n",
            &error("header: the header does not fit:\n  expected fecha;hora;energiaVertida_kWh;metodoObtencion;cups\n  found    CUPS;Fecha;Hora;Consumo_kWh;Metodo_obtencion"),
        ),
        case(
            "json-where-lines-are-expected",
            NOE,
            "[{\"Messzeitpunkt\":\"14.07.2026 00:15\"}]\n",
            &error("not_lines: the file is JSON, and not lines of columns"),
        ),
    ]
}
