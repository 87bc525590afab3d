//! JSON and plain payloads, one or several for a reading.

use super::Case;

fn case(name: &str, format: &str, messages: &[&str], expected: &str) -> Case {
    let mut case = Case::new(name).with("format.json", format!("{format}\n"));
    for (number, message) in (1..).zip(messages) {
        case = case.with(&format!("message-{number}"), *message);
    }
    case.with("expected", format!("{expected}\n"))
}

pub fn cases() -> Vec<Case> {
    let mut cases = payloads();
    cases.extend(refusals());
    cases
}

/// What sources send, each with its trap.
fn payloads() -> Vec<Case> {
    let tasmota =
        r#"{"Time":"2026-07-14T12:30:00","SML":{"Total_in":8123.456,"Total_out":3021.750,"Power_curr":-2140}}"#;
    let shelly = r#"{"src":"shellypro3em-0a1b2c","method":"NotifyStatus","params":{"ts":1784025000.37,"emdata:0":{"a_total_act_ret_energy":40100.11,"b_total_act_ret_energy":40200.22,"c_total_act_ret_energy":40300.33,"n_current":null,"total_act":51234.07,"total_act_ret":120600.66}}}"#;
    let homewizard = r#"{"unique_id":"3c39e7aa0b1c","total_power_export_kwh":0,"total_power_export_t1_kwh":731.204,"total_power_export_t2_kwh":1904.5}"#;
    vec![
        case(
            "01-tasmota-sml-local-time",
            r#"{"pointers": ["/SML/Total_out"], "unit": "kWh", "time": "/Time", "clock": "Europe/Vienna"}"#,
            &[tasmota],
            "energy 3021750000\ntime 2026-07-14T10:30:00Z",
        ),
        case(
            "01-tasmota-sml-local-time-without-a-zone",
            r#"{"pointers": ["/SML/Total_out"], "unit": "kWh", "time": "/Time", "clock": "rfc3339"}"#,
            &[tasmota],
            "error no_time_zone: the time \"2026-07-14T12:30:00\" is local: a time zone has to be configured",
        ),
        case(
            "01-tasmota-sml-other-script",
            r#"{"pointers": ["/SML/Total_out"], "unit": "kWh"}"#,
            &[r#"{"Time":"2026-07-14T12:30:00","SML":{"Total_Einsp":3021.750}}"#],
            "error missing: the message does not have /SML/Total_out",
        ),
        case(
            "02-shelly-3em-all-phases",
            r#"{"pointers": ["/params/emdata:0/total_act_ret"], "unit": "Wh", "time": "/params/ts", "clock": "seconds"}"#,
            &[shelly],
            "energy 120600660\ntime 2026-07-14T10:30:00Z",
        ),
        case(
            "02-shelly-3em-sum-of-the-phases",
            r#"{"pointers": ["/params/emdata:0/a_total_act_ret_energy", "/params/emdata:0/b_total_act_ret_energy", "/params/emdata:0/c_total_act_ret_energy"], "unit": "Wh", "id": "/src", "meter": "shellypro3em-0a1b2c"}"#,
            &[shelly],
            "energy 120600660\nid shellypro3em-0a1b2c",
        ),
        case(
            "02-shelly-3em-other-event",
            r#"{"pointers": ["/params/emdata:0/total_act_ret"], "unit": "Wh"}"#,
            &[r#"{"src":"shellypro3em-0a1b2c","method":"NotifyEvent","params":{"ts":1784025001.1,"events":[]}}"#],
            "error missing: the message does not have /params/emdata:0/total_act_ret",
        ),
        case(
            "03-shelly-one-phase-id-is-a-string",
            r#"{"pointers": ["/total_act_ret_energy"], "unit": "Wh", "id": "/id"}"#,
            &[r#"{"id":"0","total_act_energy":2210.45,"total_act_ret_energy":98211.07}"#],
            "energy 98211070\nid 0",
        ),
        case(
            "03-shelly-one-phase-id-is-a-number",
            r#"{"pointers": ["/total_act_ret_energy"], "unit": "Wh", "id": "/id"}"#,
            &[r#"{"id":0,"total_act_energy":2210.45,"total_act_ret_energy":98211.07}"#],
            "energy 98211070\nid 0",
        ),
        case(
            "04-shelly-switch",
            r#"{"pointers": ["/ret_aenergy/total"], "unit": "Wh"}"#,
            &[r#"{"id":0,"aenergy":{"total":15321},"ret_aenergy":{"total":6042}}"#],
            "energy 6042000",
        ),
        case(
            "04-shelly-plug-has-one-direction",
            r#"{"pointers": ["/ret_aenergy/total"], "unit": "Wh"}"#,
            &[r#"{"id":0,"aenergy":{"total":15321}}"#],
            "error missing: the message does not have /ret_aenergy/total",
        ),
        case(
            "05-shelly-gen1-watt-minutes-of-three-phases",
            r#"{"pointers": [], "unit": "Wmin", "topics": 3}"#,
            &["611.53", "60", "0.06", "671.53"],
            "waits\nwaits\nenergy 11193\nwaits",
        ),
        case(
            "05-shelly-gen1-total-is-in-watt-hours",
            r#"{"pointers": [], "unit": "Wh"}"#,
            &["81234.5"],
            "energy 81234500",
        ),
        case(
            "06-homewizard-v1-total-is-0",
            r#"{"pointers": ["/total_power_export_t1_kwh", "/total_power_export_t2_kwh"], "unit": "kWh", "id": "/unique_id"}"#,
            &[homewizard],
            "energy 2635704000\nid 3c39e7aa0b1c",
        ),
        case(
            "06-homewizard-v1-old-firmware",
            r#"{"pointers": ["/total_power_export_kwh"], "unit": "kWh"}"#,
            &[r#"{"total_power_export_t1_kwh":731.204,"total_power_export_t2_kwh":1904.5}"#],
            "error missing: the message does not have /total_power_export_kwh",
        ),
        case(
            "07-homewizard-v2-has-no-total",
            r#"{"pointers": ["/energy_export_t1_kwh", "/energy_export_t2_kwh"], "unit": "kWh", "time": "/timestamp", "clock": "Europe/Amsterdam"}"#,
            &[r#"{"energy_export_t1_kwh":731.204,"energy_export_t2_kwh":1904.5,"timestamp":"2026-01-14T12:30:00"}"#],
            "energy 2635704000\ntime 2026-01-14T11:30:00Z",
        ),
        case(
            "08-p1-telegram-in-json",
            r#"{"pointers": ["/1-0:2.8.1", "/1-0:2.8.2"], "unit": "kWh"}"#,
            &[r#"{"1-0:1.8.1":"002120.100","1-0:2.8.1":"000731.204","1-0:2.8.2":"001904.500"}"#],
            "energy 2635704000",
        ),
        case(
            "09-dsmr-reader-two-topics",
            r#"{"pointers": [], "unit": "kWh", "topics": 2}"#,
            &["731.204", "\"1904.500\"", "731.210", "1904.600"],
            "waits\nenergy 2635704000\nwaits\nenergy 2635810000",
        ),
        case(
            "09-dsmr-reader-one-topic-fails",
            r#"{"pointers": [], "unit": "kWh", "topics": 2}"#,
            &["731.204", "unknown", "731.210", "1904.600"],
            "waits\nerror not_a_number: \"unknown\" is not a decimal number\nwaits\nenergy 2635810000",
        ),
        case(
            "10-esp8266-integers-without-a-unit",
            r#"{"pointers": [], "unit": "Wh", "topics": 2}"#,
            &["731204", "1904500"],
            "waits\nenergy 2635704000",
        ),
        case(
            "11-sml-with-a-scaler",
            r#"{"pointers": ["/2.8.0/value"], "unit": "Wh"}"#,
            &[r#"{"2.8.0":{"value":26357040.1,"scaler":-1,"unit":"Wh"}}"#],
            "energy 26357040100",
        ),
        case(
            "12-openems-value",
            r#"{"pointers": ["/value"], "unit": "Wh"}"#,
            &[r#"{"address":"_sum/GridSellActiveEnergy","type":"LONG","value":2635704,"unit":"Wh_Σ"}"#],
            "energy 2635704000",
        ),
        case(
            "12-openems-null-is-not-0",
            r#"{"pointers": ["/value"], "unit": "Wh"}"#,
            &[r#"{"address":"_sum/GridSellActiveEnergy","type":"LONG","value":null,"unit":"Wh_Σ"}"#],
            "error null: /value is null: the device has no value yet",
        ),
        case(
            "13-vzlogger-milliseconds",
            r#"{"pointers": ["/value"], "unit": "Wh", "time": "/timestamp", "clock": "milliseconds"}"#,
            &[r#"{"timestamp":1784025000370,"value":2635704.15}"#],
            "energy 2635704150\ntime 2026-07-14T10:30:00.37Z",
        ),
        case(
            "13-vzlogger-clock-of-the-seventies",
            r#"{"pointers": ["/value"], "unit": "Wh", "time": "/timestamp", "clock": "milliseconds", "oldest": "2026-07-14T10:15:00Z"}"#,
            &[r#"{"timestamp":86400000,"value":2635704.15}"#],
            "error old: the message is of 1970-01-02T00:00:00Z, which is too long ago",
        ),
        case(
            "14-home-assistant-state",
            r#"{"pointers": [], "unit": "kWh"}"#,
            &["3021.75", "unavailable", "unknown"],
            "energy 3021750000\nerror not_a_number: \"unavailable\" is not a decimal number\n\
             error not_a_number: \"unknown\" is not a decimal number",
        ),
        case(
            "14-home-assistant-state-is-retained",
            r#"{"pointers": [], "unit": "kWh", "retained": true}"#,
            &["3021.75"],
            "error retained: the broker kept this message from before: it says nothing about now",
        ),
        case(
            "15-sinapsi-strings-in-an-array",
            r#"{"pointers": ["/0/data/0/1-0:2.8.0.255_3,0_2"], "unit": "Wh", "time": "/0/data/0/ts", "clock": "seconds"}"#,
            &[r#"[{"data":[{"ts":"1784025000","1-0:2.8.0.255_3,0_2":"7301"}]}]"#],
            "energy 7301000\ntime 2026-07-14T10:30:00Z",
        ),
        case("16-evcc", r#"{"pointers": [], "unit": "kWh"}"#, &["3021.8"], "energy 3021800000"),
        case(
            "17-zigbee2mqtt",
            r#"{"pointers": ["/produced_energy"], "unit": "kWh"}"#,
            &[r#"{"energy":77.01,"produced_energy":45.12,"power":-311}"#],
            "energy 45120000",
        ),
        case(
            "18-eda-is-packed",
            r#"{"pointers": ["/value/0"], "unit": "kWh"}"#,
            &["H4sIAAAAAAAAA6tWSs4vSlWyMtBRKkvMKU0FAGy2vqESAAAA"],
            "error not_json: the message is not JSON",
        ),
    ]
}

/// What is no reading, whoever sends it.
fn refusals() -> Vec<Case> {
    let value = r#"{"pointers": ["/value"], "unit": "kWh"}"#;
    let simple = |name: &str, message: &str, expected: &str| case(name, value, &[message], expected);
    let timed = |name: &str, clock: &str, time: &str, expected: &str| {
        let format = format!(r#"{{"pointers": ["/value"], "unit": "kWh", "time": "/at", "clock": "{clock}"}}"#);
        case(name, &format, &[&format!(r#"{{"value":5,"at":{time}}}"#)], expected)
    };
    let deep = "[".repeat(200);
    let long = format!("{{\"value\":1,\"more\":\"{}\"}}", "x".repeat(70_000));
    vec![
        simple("exponent", r#"{"value":3.02e3}"#, "error not_a_number: \"3.02e+3\" is not a decimal number"),
        simple(
            "negative",
            r#"{"value":-3.5}"#,
            "error negative: the register is negative, so it is not the export register",
        ),
        simple("boolean", r#"{"value":true}"#, "error not_a_number: \"true\" is not a decimal number"),
        simple("object", r#"{"value":{"x":1}}"#, "error not_a_number: \"{\\\"x\\\":1}\" is not a decimal number"),
        simple("empty-string", r#"{"value":""}"#, "error not_a_number: \"\" is not a decimal number"),
        simple("comma", r#"{"value":"3021,75"}"#, "error not_a_number: \"3021,75\" is not a decimal number"),
        simple(
            "too-large",
            r#"{"value":99999999999999999999999}"#,
            "error too_large: the value is larger than any register",
        ),
        simple("many-digits", r#"{"value":3021.75000000000000000000000000001}"#, "energy 3021750000"),
        simple("beyond-a-float", r#"{"value":9007199254.740993}"#, "energy 9007199254740993"),
        simple("torn", r#"{"value":3021.7"#, "error not_json: the message is not JSON"),
        simple("two-documents", r#"{"value":1}{"value":2}"#, "error not_json: the message is not JSON"),
        simple("nested-too-deep", &deep, "error not_json: the message is not JSON"),
        simple("too-long", &long, "error too_long: the message is longer than 65536 bytes"),
        simple("empty", "", "error not_json: the message is not JSON"),
        case(
            "escaped-pointer",
            r#"{"pointers": ["/a~1b/c~0d"], "unit": "MWh"}"#,
            &[r#"{"a/b":{"c~d":"0.0030215"}}"#],
            "energy 3021500",
        ),
        case(
            "one-of-two-is-null",
            r#"{"pointers": ["/one", "/two"], "unit": "kWh"}"#,
            &[r#"{"one":5,"two":null}"#],
            "error null: /two is null: the device has no value yet",
        ),
        case(
            "sum-too-large",
            r#"{"pointers": ["/one", "/two"], "unit": "MWh"}"#,
            &[r#"{"one":18446744073,"two":1}"#],
            "error too_large: the value is larger than any register",
        ),
        case(
            "other-meter",
            r#"{"pointers": ["/value"], "unit": "kWh", "id": "/id", "meter": "EMH0012345"}"#,
            &[r#"{"value":3,"id":"EMH0099999"}"#],
            "error other_meter: this is the meter EMH0099999, and not EMH0012345: was it exchanged?",
        ),
        case(
            "no-meter",
            r#"{"pointers": ["/value"], "unit": "kWh", "meter": "EMH0012345"}"#,
            &[r#"{"value":3}"#],
            "error missing: the message does not have the meter's id",
        ),
        case(
            "two-meters",
            r#"{"pointers": ["/value"], "unit": "kWh", "id": "/id", "topics": 2}"#,
            &[r#"{"value":3,"id":"EMH0012345"}"#, r#"{"value":4,"id":"EMH0099999"}"#],
            "waits\nerror two_meters: there are two meters in it: EMH0012345 and EMH0099999",
        ),
        timed(
            "time-with-an-offset",
            "rfc3339",
            r#""2026-07-14T12:30:00+02:00""#,
            "energy 5000000\ntime 2026-07-14T10:30:00Z",
        ),
        timed(
            "time-in-utc",
            "rfc3339",
            r#""2026-07-14T10:30:00.250Z""#,
            "energy 5000000\ntime 2026-07-14T10:30:00.25Z",
        ),
        timed(
            "time-that-is-there-twice",
            "Europe/Vienna",
            r#""2026-10-25T02:30:00""#,
            "energy 5000000\ntime 2026-10-25T00:30:00Z",
        ),
        timed(
            "time-that-has-an-offset-though-local",
            "Europe/Vienna",
            r#""2026-10-25T02:30:00+01:00""#,
            "energy 5000000\ntime 2026-10-25T01:30:00Z",
        ),
        timed(
            "date-without-a-time",
            "Europe/Vienna",
            r#""2026-10-25""#,
            "error not_a_time: \"2026-10-25\" is not a time",
        ),
        timed("time-that-is-none", "rfc3339", r#""noon""#, "error not_a_time: \"noon\" is not a time"),
        timed("seconds-with-an-exponent", "seconds", "1.784025e9", "error not_a_time: \"1.784025e+9\" is not a time"),
        timed(
            "seconds-beyond-all-time",
            "seconds",
            "99999999999999",
            "error not_a_time: \"99999999999999\" is not a time",
        ),
        timed("null-time", "seconds", "null", "error null: /at is null: the device has no value yet"),
    ]
}
