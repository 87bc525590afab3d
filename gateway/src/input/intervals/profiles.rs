//! The files that grid operators are known to give, by name. Where only a file of what is drawn from the grid is known, the
//! column of what is fed in has to be named.

use jiff::tz::TimeZone;
use thiserror::Error;

use super::{Column, Delimiter, Layout, Measure, Quality, Stamp, TimeFormat};
use crate::energy::Unit;

/// Why there is no layout.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoProfile {
    #[error("there is no profile \"{name}\"; there are {}", NAMES.join(", "))]
    Unknown { name: String },
    #[error("the profile \"{name}\" needs the metering point, by which the column is named")]
    NeedsPoint { name: String },
    #[error("the profile \"{name}\" needs the name of the column to read")]
    NeedsValue { name: String },
}

const NAMES: [&str; 10] = [
    "netz-noe",
    "wiener-netze",
    "e-control",
    "kaernten",
    "graz",
    "graz-2024",
    "burgenland",
    "steiermark",
    "enedis",
    "datadis",
];

/// Whose energy is looked for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What it fed in.
    Plant,
    /// What it drew from the grid, or what was shared with it: which of them is for its column to say.
    Consumer,
}

/// The layouts of this profile, of one metering point where a file may have several, with another column to read than the
/// profile's own, if it is named. Where both are, the column's name has the first and ends with the second.
pub fn profile(name: &str, role: Role, point: Option<&str>, value: Option<&str>) -> Result<Vec<Layout>, NoProfile> {
    let unknown = || NoProfile::Unknown { name: name.into() };
    let needs_value = || NoProfile::NeedsValue { name: name.into() };
    let named = |default: Option<&str>| value.or(default).map(column).ok_or_else(needs_value);
    // A plant's own column is known. What a consumer's is called depends on what is looked for.
    let of_plant = |default: &'static str| named(Some(default).filter(|_| role == Role::Plant));
    let of_point = || match (value, point) {
        (Some(value), Some(point)) => Ok(Column::Of(point.into(), value.into())),
        (Some(value), None) => Ok(column(value)),
        (None, Some(point)) if role == Role::Plant => Ok(Column::Of(point.into(), " - Einspeiser [kWh]".into())),
        (None, Some(_)) => Err(needs_value()),
        (None, None) => Err(NoProfile::NeedsPoint { name: name.into() }),
    };
    let vienna = || zone("Europe/Vienna").ok_or_else(unknown);
    let base = |value, format: &str, stamp, zone| Layout {
        delimiter: Delimiter::Char(b';'),
        time: TimeFormat { format: format.into(), stamp, zone, minutes: 15 },
        at: vec![],
        until: vec![],
        value,
        decimal: ',',
        measure: Measure::Energy(Unit::KilowattHours),
        unit: None,
        quality: None,
        point: None,
        only: vec![],
        above: vec![],
    };
    let quality = |name: &str, accepted: &[&str]| {
        Some(Quality { column: column(name), accepted: accepted.iter().map(|mark| (*mark).into()).collect() })
    };
    let only_point = |name: &str| point.map(|point| (column(name), point.into())).into_iter().collect();
    Ok(match name {
        "netz-noe" => {
            let value = of_plant("Einspeisung (kWh)")?;
            vec![Layout { at: columns(&["Messzeitpunkt"]), ..base(value, "%d.%m.%Y %H:%M", Stamp::End, vienna()?) }]
        }
        // The end has no date of its own, so it is not read.
        "wiener-netze" => vec![Layout {
            at: columns(&["Datum", "Zeit von"]),
            ..base(of_point()?, "%d.%m.%Y %H:%M:%S", Stamp::Start, vienna()?)
        }],
        "e-control" => vec![Layout {
            at: columns(&["Ende Ablesezeitraum"]),
            unit: Some(column("Abrechnungsmaßeinheit")),
            only: vec![(column("Messintervall"), "QH".into())],
            ..base(of_point()?, "%Y-%m-%dT%H:%M%:z", Stamp::End, vienna()?)
        }],
        "kaernten" => vec![Layout {
            at: columns(&["Startdatum"]),
            until: columns(&["Enddatum"]),
            unit: Some(column("Einheit")),
            quality: quality("Qualität", &["L1"]),
            point: Some(column("Zählpunktbezeichnung")),
            only: only_point("Zählpunktbezeichnung"),
            ..base(named(Some("Wert"))?, "%d.%m.%Y %H:%M", Stamp::Start, vienna()?)
        }],
        // Einspeisung Gesamt - 2.8.0 has its mark in Status Gesamt - 2.8.0. Until 2024 the decimal mark was a point.
        "graz" | "graz-2024" => {
            let value = value.ok_or_else(needs_value)?;
            let (_, register) = value.split_once(' ').ok_or_else(needs_value)?;
            vec![Layout {
                at: columns(&["Ablesezeitpunkt"]),
                quality: quality(&format!("Status {register}"), &["VAL"]),
                decimal: if name == "graz" { ',' } else { '.' },
                ..base(column(value), "%Y-%m-%dT%H:%M:%S%.f%:z", Stamp::End, vienna()?)
            }]
        }
        "burgenland" => vec![Layout {
            at: columns(&["Startdatum", "Startuhrzeit"]),
            until: columns(&["Enddatum", "Enduhrzeit"]),
            quality: quality("Status", &["Wahrer Wert"]),
            above: match role {
                Role::Plant => vec![("Kennzahl".into(), "1-1:2.9.0".into())],
                Role::Consumer => vec![("Kennzahl".into(), "1-1:1.9.0".into())],
            },
            ..base(named(None)?, "%d.%m.%Y %H:%M", Stamp::Start, vienna()?)
        }],
        "steiermark" => vec![Layout {
            at: columns(&["Statistikzeitraum Beginn"]),
            until: columns(&["Statistikzeitraum Ende"]),
            unit: Some(column("Einheit")),
            quality: quality("Messwert: VAL...gemessen, EST...rechnerisch ermittelt", &["VAL"]),
            point: Some(column("Zählpunkt")),
            only: only_point("Zählpunkt"),
            ..base(named(Some("Wert"))?, "%d.%m.%Y %H:%M", Stamp::Start, vienna()?)
        }],
        "enedis" => {
            let zone = zone("Europe/Paris").ok_or_else(unknown)?;
            let mut layout = base(named(Some("Valeur"))?, "%Y-%m-%dT%H:%M:%S%:z", Stamp::End, zone);
            layout.at = columns(&["Horodate"]);
            layout.time.minutes = 30;
            layout.decimal = '.';
            layout.measure = Measure::MeanWatts;
            layout.above = vec![("Unite".into(), "W".into()), ("Pas en minutes".into(), "30".into())];
            vec![layout]
        }
        // What the interface answers, and what the portal's page saves, have other names.
        "datadis" => {
            let zone = zone("Europe/Madrid").ok_or_else(unknown)?;
            let hours = |delimiter, decimal, value, at: &[&str], mark: &str| {
                let mut layout = base(value, "%Y/%m/%d %H:%M", Stamp::End, zone.clone());
                layout.at = columns(at);
                layout.time.minutes = 60;
                layout.decimal = decimal;
                layout.quality = quality(mark, &["Real"]);
                layout.point = Some(column("cups"));
                layout.only = only_point("cups");
                layout.delimiter = delimiter;
                layout
            };
            let answer = hours(Delimiter::Json, '.', of_plant("surplusEnergyKWh")?, &["date", "time"], "obtainMethod");
            let value = of_plant("energiaVertida_kWh")?;
            let saved = hours(Delimiter::Char(b';'), ',', value, &["fecha", "hora"], "metodoObtencion");
            vec![answer, saved]
        }
        _ => return Err(unknown()),
    })
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

fn column(name: &str) -> Column {
    Column::Named(name.into())
}

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| column(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_a_profile() {
        for name in NAMES {
            assert!(profile(name, Role::Plant, Some("AT001"), Some("Einspeisung Gesamt - 2.8.0")).is_ok(), "{name}");
        }
        assert_eq!(
            profile("tinetz", Role::Plant, None, None).unwrap_err().to_string(),
            "there is no profile \"tinetz\"; there are netz-noe, wiener-netze, e-control, kaernten, graz, graz-2024, \
             burgenland, steiermark, enedis, datadis"
        );
    }

    #[test]
    fn a_column_that_is_not_known_has_to_be_named() {
        for name in ["graz", "graz-2024", "burgenland"] {
            assert_eq!(
                profile(name, Role::Plant, None, None).unwrap_err(),
                NoProfile::NeedsValue { name: name.into() }
            );
        }
        for name in ["wiener-netze", "e-control"] {
            assert_eq!(
                profile(name, Role::Plant, None, None).unwrap_err(),
                NoProfile::NeedsPoint { name: name.into() }
            );
        }
        for name in ["netz-noe", "wiener-netze", "datadis"] {
            let of_consumer = profile(name, Role::Consumer, Some("AT001"), None);
            assert_eq!(of_consumer.unwrap_err(), NoProfile::NeedsValue { name: name.into() });
        }
    }
}
