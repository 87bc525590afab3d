use super::*;

const TOP: &str = r#"
network = "local"
contract = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM"
state = "state"
key = "meter.key"
"#;

const PROVIDER: &str = r#"
[[provider]]
name = "Alice"
address = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"
"#;

const METER: &str = r#"
[provider.meter]
source = "mqtt"
broker = "mqtt://127.0.0.1:1883"
topic = "tele/meter/SENSOR"
pointers = ["/SML/Total_out"]
unit = "kWh"
"#;

const CONSUMER: &str = r#"
[[provider.consumer]]
name = "Bob"
address = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM"
share = 0.4
pays = "deposit"
"#;

fn parse(parts: &[&str]) -> Result<Config, String> {
    Config::parse(&parts.concat(), Path::new("/etc/gateway/gateway.toml")).map_err(|failure| failure.to_string())
}

#[test]
fn a_household_needs_few_lines() {
    let config = parse(&[TOP, PROVIDER, METER, CONSUMER]).unwrap();
    assert_eq!(config.network.rpc, ["http://localhost:8000/rpc"]);
    assert_eq!((config.max_fee, config.max_fee_per_day), (1_000_000, 10_000_000));
    assert_eq!(config.state, Path::new("/etc/gateway/state"));
    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    assert_eq!(provider.key, Path::new("/etc/gateway/meter.key"));
    assert_eq!(provider.schedule, Schedule { every: Every::Day, at: Time::constant(21, 30, 0, 0) });
    assert_eq!(provider.consumers[0].share, Share::from_millionths(400_000));
    assert_eq!(provider.consumers[0].pays, Pays::Deposit);
}

const HTTP: &str = r#"
[provider.meter]
source = "http"
url = "http://192.168.1.20/api"
unit = "Wh"
"#;

const TELEGRAM: &str = r#"
[provider.meter]
source = "telegram"
line = "/dev/ttyUSB0"
"#;

const SIMULATED: &str = r#"
[provider.meter]
source = "simulated"
since = "2026-03-01"
"#;

const INTERVALS: &str = r#"
[provider.meter]
source = "intervals"
folder = "files"
profile = "netz-noe"
rule = "share"
files = "*plant*.csv"
since = "2026-03-01"
"#;

const CAROL: &str = "GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV";

fn household(meter: &str) -> String {
    let column = if meter == INTERVALS { "value = \"Verbrauch (kWh)\"\n" } else { "" };
    [TOP, PROVIDER, meter, CONSUMER, column].concat()
}

/// What is wrong with it, after the file's path.
#[track_caller]
fn wrong(text: &str) -> String {
    let wrong = parse(&[text]).expect_err(text);
    wrong.strip_prefix("/etc/gateway/gateway.toml").expect("the file's path").into()
}

/// The household's text with a line in place of another.
#[track_caller]
fn with(meter: &str, line: &str, other: &str) -> String {
    let text = household(meter);
    let all = text.lines().filter(|known| *known == line).count();
    assert_eq!(all, 1, "{line}");
    text.replacen(&format!("\n{line}\n"), &format!("\n{other}\n"), 1)
}

#[test]
fn an_error_names_the_file_the_line_and_the_key() {
    let failure = parse(&[&with(METER, "source = \"mqtt\"", "source = \"mqtt\"\nbrokr = 1")]).unwrap_err();
    let expected = "/etc/gateway/gateway.toml, line 13: brokr = 1\n  unknown field `brokr`, expected one of `broker`, ";
    assert!(failure.starts_with(expected), "{failure}");
}

#[test]
fn what_is_needed_and_missing_is_named() {
    const FILE: &str = ": ";
    const PROVIDER: &str = ", line 7: [[provider]]\n  ";
    const IN_METER: &str = ", line 11: [provider.meter]\n  ";
    let contract = "contract = \"CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM\"";
    let address = "address = \"GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF\"";
    for (meter, line, place, reason) in [
        (
            METER,
            "network = \"local\"",
            FILE,
            "name a `network` (mainnet, testnet, local), or give `rpc` and `passphrase`",
        ),
        (METER, contract, FILE, "`contract` is missing"),
        (METER, "state = \"state\"", FILE, "`state` is missing"),
        (
            METER,
            "key = \"meter.key\"",
            ", line 7: [[provider]]\n  ",
            "there is no `key`, neither here nor at the top: the file of the meter's secret key",
        ),
        (METER, "name = \"Alice\"", PROVIDER, "`name` is missing"),
        (METER, address, PROVIDER, "`address` is missing"),
        (
            METER,
            "source = \"mqtt\"",
            IN_METER,
            "the meter has no `source`: mqtt, http, telegram, simulated or intervals",
        ),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", IN_METER, "`broker` is missing"),
        (METER, "topic = \"tele/meter/SENSOR\"", IN_METER, "`topic` is missing"),
        (METER, "unit = \"kWh\"", IN_METER, "`unit` is missing"),
        (HTTP, "url = \"http://192.168.1.20/api\"", IN_METER, "`url` is missing"),
        (HTTP, "unit = \"Wh\"", IN_METER, "`unit` is missing"),
        (TELEGRAM, "line = \"/dev/ttyUSB0\"", IN_METER, "`line` is missing"),
        (SIMULATED, "since = \"2026-03-01\"", IN_METER, "`since` is missing"),
        (INTERVALS, "folder = \"files\"", IN_METER, "`folder` is missing"),
        (INTERVALS, "profile = \"netz-noe\"", IN_METER, "`profile` is missing"),
        (INTERVALS, "rule = \"share\"", IN_METER, "`rule` is missing"),
        (INTERVALS, "since = \"2026-03-01\"", IN_METER, "`since` is missing"),
    ] {
        assert_eq!(wrong(&with(meter, line, "")), format!("{place}{reason}"), "{line}");
    }
    for (line, reason) in [
        ("name = \"Bob\"", "`name` is missing"),
        ("share = 0.4", "the consumer Bob needs a `share`"),
        ("pays = \"deposit\"", "`pays` is missing"),
    ] {
        let expected = format!(", line 18: [[provider.consumer]]\n  {reason}");
        assert_eq!(wrong(&with(METER, line, "")), expected, "{line}");
    }
    assert_eq!(wrong(""), ": `contract` is missing");
    assert_eq!(wrong(TOP), ": there is no [[provider]]");
    assert_eq!(
        wrong(&[TOP, self::PROVIDER].concat()),
        ", line 7: [[provider]]\n  the provider has no [provider.meter]"
    );
}

#[test]
fn a_key_that_is_not_known_is_an_error_in_each_table() {
    let top =
        "`network`, `rpc`, `passphrase`, `contract`, `state`, `key`, `time_zone`, `health`, `ledger`, `max_fee`, \
               `max_fee_per_day`";
    let mqtt = "`broker`, `ca`, `user`, `password_file`, `topic`, `pointers`, `unit`, `id_pointer`, `time_pointer`, \
                `time_format`, `id`, `max_kw`, `max_age`";
    let http =
        "`url`, `authorization_file`, `every`, `pointers`, `unit`, `id_pointer`, `time_pointer`, `time_format`, \
                `id`, `max_kw`, `max_age`";
    let telegram = "`line`, `baud`, `seven_even`, `id`, `max_kw`, `max_age`";
    let simulated = "`seed`, `peak_watts`, `start_kwh`, `since`";
    let intervals =
        "`folder`, `profile`, `rule`, `files`, `point`, `value`, `since`, `final_after`, `max_kw`, `max_age`";
    for (meter, after, line, known) in [
        (METER, "key = \"meter.key\"", 6, top),
        (METER, "name = \"Alice\"", 9, "`name`, `address`, `key`, `every`, `at`"),
        (METER, "source = \"mqtt\"", 13, mqtt),
        (HTTP, "source = \"http\"", 13, http),
        (TELEGRAM, "source = \"telegram\"", 13, telegram),
        (SIMULATED, "source = \"simulated\"", 13, simulated),
        (INTERVALS, "source = \"intervals\"", 13, intervals),
        (METER, "name = \"Bob\"", 20, "`name`, `address`, `share`, `pays`, `files`, `point`, `value`"),
    ] {
        let text = with(meter, after, &format!("{after}\nMax_fee = 1"));
        let expected = format!(", line {line}: Max_fee = 1\n  unknown field `Max_fee`, expected one of {known}");
        assert_eq!(wrong(&text), expected);
    }
}

#[test]
fn a_value_out_of_form_is_told_its_form() {
    const TEXT: &str = "text in quotes";
    const LENGTH: &str = "a length of time is a whole number and its unit, such as 90s, 15m, 2h or 5d";
    const AMOUNT: &str = "an amount is a number of XLM, more than 0, with at most 7 decimals";
    const SHARE: &str = "a share is more than 0 and at most 1, with at most 6 decimals";
    const ADDRESS: &str = "an address is G or C and 55 more characters, of which none may be wrong";
    const BROKER: &str = "a broker is mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS";
    const WIRE: &str = "a line is tcp://HOST:PORT, or a device such as /dev/ttyUSB0";
    const TOPIC: &str = "a topic is a text without the wildcards # and +: one topic is one register";
    const POINTER: &str = "a JSON pointer begins with /, such as /SML/Total_out";
    const DAY: &str = "a day is written like \"2026-03-01\"";
    const CLOCK: &str = "a time of day is written like \"21:30\" or \"09:00\"";
    let kind = |found: &str, expected: &str| format!("invalid type: {found}, expected {expected}");
    let value = |found: &str, expected: &str| format!("invalid value: integer `{found}`, expected {expected}");
    let kw = "a whole number from 1 to 1000000000";
    let top = "key = \"meter.key\"";
    let muxed = "MAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB5IG";
    let profiles =
        "there is no profile \"x\"; there are netz-noe, wiener-netze, e-control, kaernten, graz, graz-2024, \
                    burgenland, steiermark, enedis, datadis";
    for (meter, after, line, reason) in [
        (METER, top, "rpc = 3", kind("integer `3`", "text in quotes, or a list of it")),
        (METER, top, "rpc = []", "the list is empty".into()),
        (METER, top, "rpc = \"ftp://host\"", "an address begins with http:// or https://".into()),
        (METER, top, "rpc = [\"http://host\", 1]", kind("integer `1`", TEXT)),
        (METER, top, "passphrase = \"\"", "it is empty".into()),
        (METER, top, "time_zone = \"Vienna\"", "there is no such time zone: they are named like Europe/Vienna".into()),
        (METER, top, "health = 9464", kind("integer `9464`", TEXT)),
        (METER, top, "health = \"9464\"", "it is an address and a port, such as 127.0.0.1:9464".into()),
        (
            METER,
            top,
            "health = \"0.0.0.0:9464\"",
            "it answers to this machine alone: 127.0.0.1 or [::1], and a port".into(),
        ),
        (METER, top, "ledger = \"5\"", LENGTH.into()),
        (METER, top, "ledger = \"0s\"", "it is more than 0".into()),
        (METER, top, "max_fee = 0", AMOUNT.into()),
        (METER, top, "max_fee = -1", AMOUNT.into()),
        (METER, top, "max_fee = nan", AMOUNT.into()),
        (METER, top, "max_fee = \"0,1\"", AMOUNT.into()),
        (METER, top, "max_fee = \"0.12345678\"", AMOUNT.into()),
        (METER, top, "max_fee = true", kind("boolean `true`", "a number of XLM")),
        (METER, top, "max_fee = 430", "a transaction's fee is at most 429 XLM".into()),
        (METER, top, "max_fee_per_day = \"1 XLM\"", AMOUNT.into()),
        (METER, top, "network = \"local\"", "duplicate key".into()),
        (METER, top, "words", "key with no value, expected `=`".into()),
        (METER, top, "state = words", "string values must be quoted, expected literal string".into()),
        (METER, "name = \"Alice\"", "every = \"daily\"", "it is one of quarter-hour, hour, day, week, month".into()),
        (METER, "name = \"Alice\"", "at = \"21.30\"", CLOCK.into()),
        (METER, "name = \"Alice\"", "at = \"9:30\"", CLOCK.into()),
        (METER, "name = \"Alice\"", "at = \"24:30\"", CLOCK.into()),
        (METER, "source = \"mqtt\"", "ca = \"ca.pem\"", "`ca` is for a broker with TLS: mqtts://".into()),
        (METER, "source = \"mqtt\"", "password_file = \"mqtt\"", "a `password_file` needs a `user`".into()),
        (METER, "source = \"mqtt\"", "id_pointer = \"id\"", POINTER.into()),
        (METER, "source = \"mqtt\"", "id = 5", kind("integer `5`", TEXT)),
        (METER, "source = \"mqtt\"", "time_format = \"iso\"", "`time_format` needs a `time_pointer`".into()),
        (METER, "source = \"mqtt\"", "time_format = \"unix\"", "it is one of iso, seconds, milliseconds".into()),
        (METER, "source = \"mqtt\"", "max_kw = 0", value("0", kw)),
        (METER, "source = \"mqtt\"", "max_kw = -1", value("-1", kw)),
        (METER, "source = \"mqtt\"", "max_kw = 12.5", kind("floating point `12.5`", kw)),
        (METER, "source = \"mqtt\"", "max_kw = \"12\"", kind("string \"12\"", kw)),
        (METER, "source = \"mqtt\"", "max_age = 15", kind("integer `15`", TEXT)),
        (METER, "source = \"mqtt\"", "max_age = \"-1m\"", LENGTH.into()),
        (METER, "source = \"mqtt\"", "max_age = \"3651d\"", "it is at most 3650d".into()),
        (METER, "source = \"mqtt\"", "max_age = \"99999999999999999999d\"", LENGTH.into()),
        (HTTP, "source = \"http\"", "every = \"0ms\"", "it is more than 0".into()),
        (TELEGRAM, "source = \"telegram\"", "baud = 0", value("0", "a whole number from 50 to 4000000")),
        (TELEGRAM, "source = \"telegram\"", "seven_even = 1", kind("integer `1`", "a boolean")),
        (SIMULATED, "source = \"simulated\"", "peak_watts = 0", value("0", kw)),
        (
            SIMULATED,
            "source = \"simulated\"",
            "start_kwh = 34359738368",
            value("34359738368", "a whole number from 0 to 34359738367"),
        ),
        (INTERVALS, "source = \"intervals\"", "final_after = \"0s\"", "it is more than 0".into()),
        (METER, "name = \"Bob\"", "value = \"kWh\"", "this key is for a meter with source = \"intervals\"".into()),
    ] {
        let text = with(meter, after, &format!("{after}\n{line}"));
        let number = text.lines().position(|other| other == after).unwrap() + 2;
        assert_eq!(wrong(&text), format!(", line {number}: {line}\n  {reason}"));
    }
    let contract = "contract = \"CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM\"";
    let address = "address = \"GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF\"";
    let sources = "there is no such source: mqtt, http, telegram, simulated or intervals";
    let no_contract = "a contract's id is C and 55 more characters, of which none may be wrong";
    for (meter, line, other, reason) in [
        (METER, "network = \"local\"", "network = \"main\"", "it is one of mainnet, testnet, local".into()),
        (METER, "network = \"local\"", "network = 1", kind("integer `1`", TEXT)),
        (METER, contract, &contract.replace("D2KM", "D2KN"), no_contract.into()),
        (METER, contract, &address.replace("address", "contract"), no_contract.into()),
        (METER, address, &address.replace("WHF", "WHG"), ADDRESS.into()),
        (
            METER,
            address,
            &format!("address = \"{muxed}\""),
            "an address is an account (G...) or a contract (C...), and this is neither".into(),
        ),
        (METER, "state = \"state\"", "state = \"\"", "it is empty".into()),
        (METER, "key = \"meter.key\"", "key = \" \"", "it is empty".into()),
        (METER, "name = \"Alice\"", "name = \"\"", "it is empty".into()),
        (
            METER,
            "name = \"Alice\"",
            "name = \"Al\\nice\"",
            "it is more than one line, or has characters that cannot be seen".into(),
        ),
        (METER, "source = \"mqtt\"", "source = \"modbus\"", sources.into()),
        (METER, "source = \"mqtt\"", "source = 1", sources.into()),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", "broker = \"127.0.0.1:1883\"", BROKER.into()),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", "broker = \"mqtt://\"", BROKER.into()),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", "broker = \"mqtt://host:65536\"", BROKER.into()),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", "broker = \"mqtt://host:0\"", BROKER.into()),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", "broker = \"mqtt://user:word@host\"", BROKER.into()),
        (METER, "broker = \"mqtt://127.0.0.1:1883\"", "broker = \"mqtt://[::g]:1883\"", BROKER.into()),
        (METER, "topic = \"tele/meter/SENSOR\"", "topic = []", "the list is empty".into()),
        (METER, "topic = \"tele/meter/SENSOR\"", "topic = \"\"", TOPIC.into()),
        (METER, "topic = \"tele/meter/SENSOR\"", "topic = [\"a\", \"tele/#\"]", TOPIC.into()),
        (METER, "topic = \"tele/meter/SENSOR\"", "topic = \"tele/+/SENSOR\"", TOPIC.into()),
        (METER, "pointers = [\"/SML/Total_out\"]", "pointers = [\"SML.Total_out\"]", POINTER.into()),
        (METER, "pointers = [\"/SML/Total_out\"]", "pointers = []", "the list is empty".into()),
        (METER, "unit = \"kWh\"", "unit = \"kwh\"", "it is one of Wh, kWh, MWh, Wmin".into()),
        (
            HTTP,
            "url = \"http://192.168.1.20/api\"",
            "url = \"192.168.1.20/api\"",
            "an address begins with http:// or https://".into(),
        ),
        (TELEGRAM, "line = \"/dev/ttyUSB0\"", "line = \"ttyUSB0\"", WIRE.into()),
        (TELEGRAM, "line = \"/dev/ttyUSB0\"", "line = \"tcp://host\"", WIRE.into()),
        (SIMULATED, "since = \"2026-03-01\"", "since = \"1.3.2026\"", DAY.into()),
        (SIMULATED, "since = \"2026-03-01\"", "since = \"2026-02-29\"", DAY.into()),
        (SIMULATED, "since = \"2026-03-01\"", "since = \"1969-12-31\"", "a day is of 1970 or later".into()),
        (INTERVALS, "profile = \"netz-noe\"", "profile = \"x\"", profiles.into()),
        (
            INTERVALS,
            "profile = \"netz-noe\"",
            "profile = \"wiener-netze\"",
            "the profile \"wiener-netze\" needs the metering point, by which the column is named".into(),
        ),
        (INTERVALS, "files = \"*plant*.csv\"", "files = \"\"", "it is empty".into()),
        (INTERVALS, "rule = \"share\"", "rule = \"equal\"", "it is one of share, pro-rata, priority, given".into()),
        (METER, "share = 0.4", "share = 0", SHARE.into()),
        (METER, "share = 0.4", "share = 1.000001", SHARE.into()),
        (METER, "share = 0.4", "share = 2", SHARE.into()),
        (METER, "share = 0.4", "share = -0.4", SHARE.into()),
        (METER, "share = 0.4", "share = 0.1234567", SHARE.into()),
        (METER, "share = 0.4", "share = \"40 %\"", SHARE.into()),
        (METER, "share = 0.4", "share = true", kind("boolean `true`", "a share, more than 0 and at most 1")),
        (METER, "pays = \"deposit\"", "pays = \"later\"", "it is one of deposit, bill".into()),
    ] {
        let text = with(meter, line, other);
        let number = text.lines().position(|line| line == other).unwrap() + 1;
        assert_eq!(wrong(&text), format!(", line {number}: {other}\n  {reason}"));
    }
}

#[test]
fn keys_that_rule_each_other_out_are_told() {
    let hourly = with(METER, "name = \"Alice\"", "name = \"Alice\"\nevery = \"hour\"\nat = \"21:30\"");
    let expected = ", line 10: at = \"21:30\"\n  `at` is for every = \"day\", \"week\" or \"month\"";
    assert_eq!(wrong(&hourly), expected);
    for key in ["baud = 9600", "seven_even = true"] {
        let tcp = with(TELEGRAM, "line = \"/dev/ttyUSB0\"", &format!("line = \"tcp://host:23\"\n{key}"));
        assert_eq!(wrong(&tcp), format!(", line 14: {key}\n  this key is for a serial device"));
    }
    for rule in ["pro-rata", "priority", "given"] {
        let text = with(INTERVALS, "rule = \"share\"", &format!("rule = \"{rule}\""));
        let expected =
            ", line 19: [[provider.consumer]]\n  the consumer Bob has a `share`, which this rule does not use";
        assert_eq!(wrong(&text), expected);
    }
}

#[test]
fn a_table_in_a_wrong_form_is_told_its_form() {
    let provider = "write [[provider]], with two brackets, and its keys below: there may be several";
    let meter = "write [provider.meter], with one bracket, and its keys below: a provider has one";
    let consumer = "write [[provider.consumer]], with two brackets, and its keys below: there may be several";
    for (line, other, reason) in [
        ("[[provider]]", "[provider]", provider),
        ("[provider.meter]", "[[provider.meter]]", meter),
        ("[[provider.consumer]]", "[provider.consumer]", consumer),
        ("[provider.meter]", "[meter]", "it belongs to a provider: write [provider.meter], below [[provider]]"),
        (
            "[[provider.consumer]]",
            "[[consumer]]",
            "it belongs to a provider: write [[provider.consumer]], below [[provider]]",
        ),
    ] {
        let text = with(METER, line, other);
        let number = text.lines().position(|line| line == other).unwrap() + 1;
        assert_eq!(wrong(&text), format!(", line {number}: {other}\n  {reason}"));
    }
    assert_eq!(wrong(&format!("{TOP}provider = 3")), format!(", line 6: provider = 3\n  {provider}"));
    assert_eq!(wrong(&format!("{TOP}provider = [3]")), format!(", line 6: provider = [3]\n  {provider}"));
    assert_eq!(wrong(&format!("{TOP}{PROVIDER}meter = 3")), format!(", line 10: meter = 3\n  {meter}"));
}

#[test]
fn who_is_there_twice_or_gets_too_much_is_named() {
    let line = ", line 24: [[provider.consumer]]\n  ";
    let contract = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM";
    let same_name = CONSUMER.replace(contract, CAROL);
    let same_address = CONSUMER.replace("Bob", "Carol");
    let carol = CONSUMER.replace("Bob", "Carol").replace(contract, CAROL);
    assert_eq!(wrong(&(household(METER) + &same_name)), format!("{line}the consumer Bob is there twice"));
    assert_eq!(wrong(&(household(METER) + &same_address)), format!("{line}the consumer Carol is there twice"));
    let too_much = household(METER) + &carol.replace("0.4", "0.600001");
    assert_eq!(wrong(&too_much), format!("{line}the consumer Carol makes the shares of all consumers more than 1"));
    let all = parse(&[&household(METER), &carol.replace("0.4", "0.6")]).unwrap();
    assert_eq!(all.providers[0].consumers.len(), 2);
    let itself = household(METER).replace(contract, "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF");
    let itself = itself.replacen(
        "contract = \"GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF\"",
        &format!("contract = \"{contract}\""),
        1,
    );
    let expected = ", line 18: [[provider.consumer]]\n  the consumer Bob is the provider itself";
    assert_eq!(wrong(&itself), expected);
    for other in [PROVIDER.replace("Alice", "Carol"), PROVIDER.replace(&PROVIDER[40..96], CAROL)] {
        let name = if other.contains("Carol") { "Carol" } else { "Alice" };
        let expected = format!(", line 18: [[provider]]\n  the provider {name} is there twice");
        assert_eq!(wrong(&[TOP, PROVIDER, METER, &other, METER].concat()), expected, "{other}");
    }
}

#[test]
fn a_secret_key_in_the_wrong_place_is_not_repeated() {
    let secret = "SAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCFZV";
    let address = "address = \"GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF\"";
    let expected =
        ", line 9: address = \"S…\"\n  an address is expected (G... or C...), and a secret key belongs nowhere \
                    but in its file";
    assert_eq!(wrong(&with(METER, address, &format!("address = \"{secret}\""))), expected);
    let text = with(METER, "unit = \"kWh\"", &format!("unit = \"kWh\"\n{secret} = 1"));
    assert!(wrong(&text).starts_with(", line 17: S… = 1\n  unknown field `S…`, expected"), "{}", wrong(&text));
}

#[test]
fn hosts_are_names_or_addresses_and_ports_have_defaults() {
    for (broker, expected) in [
        ("mqtt://host", ("host", 1883, false)),
        ("mqtts://host/", ("host", 8883, true)),
        ("mqtt://192.168.1.2:1884", ("192.168.1.2", 1884, false)),
        ("mqtt://[::1]", ("::1", 1883, false)),
        ("mqtts://[fe80::1]:1885", ("fe80::1", 1885, true)),
    ] {
        let text = with(METER, "broker = \"mqtt://127.0.0.1:1883\"", &format!("broker = \"{broker}\""));
        let config = parse(&[&text]).unwrap();
        let Meter::Register(Register { source: Source::Mqtt(mqtt), .. }) = &config.providers[0].meter else {
            panic!("mqtt")
        };
        assert_eq!((mqtt.host.as_str(), mqtt.port, mqtt.tls), expected);
    }
}

#[test]
fn several_topics_and_pointers_may_be_listed() {
    let text = with(METER, "topic = \"tele/meter/SENSOR\"", "topic = [\"t1\", \"t2\"]");
    let text = text.replace("[\"/SML/Total_out\"]", "\"/value\"");
    let config = parse(&[&text]).unwrap();
    let Meter::Register(Register { source: Source::Mqtt(mqtt), .. }) = &config.providers[0].meter else {
        panic!("mqtt")
    };
    assert_eq!(mqtt.topics, ["t1", "t2"]);
    assert_eq!(mqtt.format.pointers, ["/value"]);
}

const PLANT: &str = r#"
[provider.meter]
source = "intervals"
folder = "files"
profile = "netz-noe"
rule = "pro-rata"
files = "*einspeisung*.csv"
since = "2026-07-01"
"#;

const MEMBER: &str = r#"
[[provider.consumer]]
name = "Bob"
address = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM"
pays = "bill"
files = "*bob*.csv"
value = "Verbrauch (kWh)"
"#;

#[test]
fn intervals_name_the_files_and_columns_of_all() {
    let config = parse(&[TOP, PROVIDER, PLANT, MEMBER]).unwrap();
    let Meter::Intervals(intervals) = &config.providers[0].meter else { panic!("intervals") };
    assert_eq!(intervals.folder, Path::new("/etc/gateway/files"));
    assert_eq!((intervals.rule, intervals.final_after), (Rule::ProRata, Duration::from_secs(5 * 86_400)));
    let wrong = |from: &str, to: &str| {
        let replaced = [TOP, PROVIDER, PLANT, MEMBER].concat().replace(from, to);
        let error = parse(&[&replaced]).unwrap_err();
        error.split_once("\n  ").unwrap().1.to_string()
    };
    let of_plant = "there is no `files`: which of the folder's tell what the plant exports";
    assert_eq!(wrong("files = \"*einspeisung*.csv\"", ""), of_plant);
    let pattern = "this is a pattern of file names within the folder, such as *einspeisung*.csv";
    assert_eq!(wrong("*bob*", "[bob"), pattern);
    assert_eq!(wrong("*einspeisung*", "2026/*"), pattern);
    let value = "the profile \"netz-noe\" needs the name of the column to read";
    assert_eq!(wrong("value = \"Verbrauch (kWh)\"", ""), value);
}

#[test]
fn given_needs_no_file_of_the_plant_but_the_column_of_what_was_shared() {
    let given = PLANT.replace("pro-rata", "given").replace("files = \"*einspeisung*.csv\"", "");
    let config = parse(&[TOP, PROVIDER, &given, MEMBER]).unwrap();
    let Meter::Intervals(intervals) = &config.providers[0].meter else { panic!("intervals") };
    assert_eq!((intervals.rule, &intervals.files), (Rule::Given, &None));
    let unnamed = MEMBER.replace("value = \"Verbrauch (kWh)\"", "");
    let error = parse(&[TOP, PROVIDER, &given, &unnamed]).unwrap_err();
    let expected = "the rule \"given\" needs the name of the column of what was shared, as `value`";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn a_consumer_with_the_plants_own_column_is_refused() {
    let steiermark = PLANT.replace("netz-noe", "steiermark");
    let same = MEMBER.replace("files = \"*bob*.csv\"", "").replace("value = \"Verbrauch (kWh)\"", "");
    let error = parse(&[TOP, PROVIDER, &steiermark, &same]).unwrap_err();
    let expected = "these are the plant's own files and column: name another point, or another value";
    assert!(error.ends_with(expected), "{error}");
}
