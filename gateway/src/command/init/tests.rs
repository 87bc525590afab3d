use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use super::*;
use crate::config::{Every, Line, Meter, Rule};
use crate::counting::Pays;

const CONTRACT: &str = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM";
const ALICE: &str = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF";
const BOB: &str = "GAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSABOV";

const MQTT: &str = "mqtt\n\ntele/meter/SENSOR\n/SML/Total_out\nkWh\n";
const HTTP: &str = "http\nhttp://192.168.1.20/api/v1/data\n/t1 /t2\nkWh\n";
const PLAIN: &str = "mqtt\nmqtts://broker.example:8883\nhome/export\n\nWh\n";
const SERIAL: &str = "telegram\n\n9600\n";
const TCP: &str = "telegram\ntcp://192.168.1.21:23\n";
const SIMULATED: &str = "simulated\n8000\n120500\n2026-03-01\n";
const INTERVALS: &str = "intervals\n/srv/files\nnetz-noe\n\n*einspeisung*.csv\n2026-03-01\n";
const INTERVALS_BY_SHARE: &str = "intervals\n\nwiener-netze\nshare\n\n2026-03-01\n";

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("p2p-gateway-init-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// All that is asked, up to the consumers.
fn answers(source: &str) -> String {
    format!("testnet\n{CONTRACT}\nEurope/Vienna\nAlice\n{ALICE}\n{source}")
}

fn init(path: &Path, answers: &str) -> Result<String, Failure> {
    let mut said = vec![];
    run(&mut answers.as_bytes(), &mut said, path)?;
    Ok(String::from_utf8(said).unwrap())
}

/// The configuration that these answers make, with one consumer who has a share, and its text.
fn written(name: &str, source: &str) -> (Config, String) {
    let path = folder(name).join("gateway.toml");
    let files = if source.starts_with("intervals") { "\n\nVerbrauch (kWh)\n" } else { "" };
    init(&path, &format!("{}Bob\n{BOB}\n0.4\ndeposit\n{files}\n", answers(source))).unwrap();
    (Config::read(&path).unwrap(), fs::read_to_string(&path).unwrap())
}

fn source(config: &Config) -> &config::Source {
    match &config.providers[0].meter {
        Meter::Register(register) => &register.source,
        Meter::Intervals(_) => panic!("a register"),
    }
}

#[test]
fn a_household_with_a_broker_is_configured() {
    let (config, _) = written("mqtt", MQTT);
    assert_eq!(config.network.passphrase, "Test SDF Network ; September 2015");
    assert_eq!(config.time_zone, TimeZone::get("Europe/Vienna").unwrap());
    assert_eq!(config.health, Some("127.0.0.1:9464".parse().unwrap()));
    let provider = &config.providers[0];
    assert_eq!((provider.name.as_str(), provider.schedule.every), ("Alice", Every::Day));
    let consumer = &provider.consumers[0];
    assert_eq!((consumer.name.as_str(), consumer.pays), ("Bob", Pays::Deposit));
    assert_eq!(consumer.share.unwrap().millionths(), 400_000);
    let config::Source::Mqtt(mqtt) = source(&config) else { panic!("mqtt") };
    assert_eq!((mqtt.host.as_str(), mqtt.port, mqtt.tls), ("127.0.0.1", 1883, false));
    assert_eq!((mqtt.topics.as_slice(), mqtt.format.unit), (&["tele/meter/SENSOR".into()][..], Unit::KilowattHours));
    assert_eq!(mqtt.format.pointers, ["/SML/Total_out"]);
}

#[test]
fn a_topic_that_is_only_a_number_needs_no_pointer() {
    let (config, _) = written("plain", PLAIN);
    let config::Source::Mqtt(mqtt) = source(&config) else { panic!("mqtt") };
    assert_eq!((mqtt.host.as_str(), mqtt.port, mqtt.tls), ("broker.example", 8883, true));
    assert_eq!((mqtt.format.pointers.len(), mqtt.format.unit), (0, Unit::WattHours));
}

#[test]
fn a_device_with_two_tariffs_is_configured() {
    let (config, _) = written("http", HTTP);
    let config::Source::Http(http) = source(&config) else { panic!("http") };
    assert_eq!((http.url.as_str(), http.every), ("http://192.168.1.20/api/v1/data", Duration::from_secs(10)));
    assert_eq!(http.format.pointers, ["/t1", "/t2"]);
}

#[test]
fn an_optical_head_and_a_port_are_configured() {
    let (config, _) = written("serial", SERIAL);
    let config::Source::Telegram(line) = source(&config) else { panic!("telegram") };
    assert_eq!(*line, Line::Serial { device: "/dev/ttyUSB0".into(), baud: 9_600, seven_even: false });
    let (config, _) = written("tcp", TCP);
    let config::Source::Telegram(line) = source(&config) else { panic!("telegram") };
    assert_eq!(*line, Line::Tcp { host: "192.168.1.21".into(), port: 23 });
}

#[test]
fn a_simulated_sun_is_configured() {
    let (config, _) = written("simulated", SIMULATED);
    let config::Source::Simulated(sun) = source(&config) else { panic!("simulated") };
    // Midnight in Vienna.
    let expected = config::Simulated { seed: 1, peak_watts: 8_000, start_kwh: 120_500, since: 1_772_319_600 };
    assert_eq!(*sun, expected);
}

#[test]
fn the_operators_files_are_configured() {
    let path = folder("intervals").join("gateway.toml");
    init(&path, &format!("{}Bob\n{BOB}\nbill\nbob*.csv\n\nEigendeckung (kWh)\n\n", answers(INTERVALS))).unwrap();
    let config = Config::read(&path).unwrap();
    let Meter::Intervals(intervals) = &config.providers[0].meter else { panic!("intervals") };
    assert_eq!((intervals.rule, intervals.files.as_deref()), (Rule::Given, Some("*einspeisung*.csv")));
    let consumer = &config.providers[0].consumers[0];
    assert_eq!((consumer.share, consumer.pays), (None, Pays::Bill));
    assert_eq!((consumer.files.as_deref(), consumer.point.as_deref()), (Some("bob*.csv"), None));
    assert_eq!(consumer.value.as_deref(), Some("Eigendeckung (kWh)"));
}

#[test]
fn what_a_profile_needs_is_asked() {
    let source = INTERVALS_BY_SHARE.replace("wiener-netze", "wien\nwiener-netze\nAT001");
    let (config, _) = written("point", &source);
    let Meter::Intervals(intervals) = &config.providers[0].meter else { panic!("intervals") };
    assert_eq!((intervals.rule, intervals.point.as_deref()), (Rule::Share, Some("AT001")));
    assert_eq!(intervals.folder, Path::new("/srv/quarter-hours"));
}

/// With every optional line in force it is a configuration still, so no comment names a key that does not exist.
#[test]
fn every_optional_key_may_be_put_in_force() {
    let profile = INTERVALS_BY_SHARE.replace("wiener-netze", "netz-noe");
    for (place, source) in [MQTT, PLAIN, HTTP, SERIAL, TCP, SIMULATED, &profile].iter().enumerate() {
        let (_, text) = written(&format!("optional-{place}"), source);
        let in_force: Vec<_> = text
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .collect();
        assert_ne!(in_force.join("\n"), text);
        if let Err(failure) = Config::parse(&in_force.join("\n"), Path::new("gateway.toml")) {
            panic!("{failure}");
        }
    }
}

#[test]
fn optional_lines_show_the_defaults() {
    let (config, text) = written("defaults", HTTP);
    let defaults = ["max_fee", "max_fee_per_day", "every", "at", "max_age"];
    let in_force: Vec<_> = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if defaults.iter().any(|key| rest.starts_with(&format!("{key} = "))) => rest,
            _ => line,
        })
        .collect();
    let path = folder("defaults").join("gateway.toml");
    let explicit = Config::parse(&in_force.join("\n"), &path).unwrap();
    assert_eq!(format!("{explicit:?}"), format!("{config:?}"));
}

#[test]
fn only_owner_and_group_may_read_what_was_written() {
    let folder = folder("modes");
    let path = folder.join("gateway.toml");
    init(&path, &format!("{}\n", answers(SIMULATED))).unwrap();
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("gateway.toml"), mode("meter.key")), (0o640, 0o600));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn a_configuration_that_exists_is_not_replaced_and_the_packages_example_is() {
    let path = folder("exists").join("gateway.toml");
    let answers = format!("{}\n", answers(SIMULATED));
    fs::write(&path, "mine").unwrap();
    assert!(matches!(init(&path, &answers), Err(Failure::Exists(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    fs::write(&path, example()).unwrap();
    init(&path, &answers).unwrap();
    assert_eq!(Config::read(&path).unwrap().providers[0].name, "Alice");
}

#[test]
fn a_key_that_exists_is_used() {
    let folder = folder("key");
    let key = key::create(&folder.join("meter.key")).unwrap();
    let said = init(&folder.join("gateway.toml"), &format!("{}\n", answers(SIMULATED))).unwrap();
    assert!(said.contains(&format!("METER_ADDRESS={} METER_READING", key::address(&key))), "{said}");
    assert_eq!(key::read(&folder.join("meter.key")).unwrap(), key);
}

#[test]
fn what_comes_next_is_said_and_no_secret() {
    for (network, funds) in [
        ("testnet", "https://friendbot.stellar.org/?addr=G"),
        ("local", "http://localhost:8000/friendbot?addr=G"),
        ("mainnet", "Send 5 XLM from any wallet to\n     G"),
    ] {
        let path = folder(&format!("next-{network}")).join("alice.toml");
        let answers = format!("{}\n", answers(SIMULATED)).replace("testnet", network);
        let said = init(&path, &answers).unwrap();
        assert!(said.contains(funds), "{said}");
        let make = format!("make register-meter-{network} ADMIN_ADDRESS=admin PROSUMER_ADDRESS={ALICE} \\");
        assert!(said.contains(&make), "{said}");
        assert!(said.ends_with(&format!("Then: p2p-gateway check --config {}\n", path.display())), "{said}");
        let secret = fs::read_to_string(path.with_file_name("alice.key")).unwrap();
        assert!(!said.contains(secret.trim()));
    }
}

#[test]
fn a_wrong_answer_is_asked_again() {
    let answers = format!(
        "tesnet\ntestnet\nX\n{ALICE}\n{CONTRACT}\nVienna\nEurope/Vienna\n\nAlice\n{CONTRACT}x\n{ALICE}\n\nsun\n\
         simulated\n-1\n8000\nmany\n120500\n1.3.2026\n2026-03-01\n\
         Bob\n{ALICE}\n{BOB}\n1.1\n0.6\nlater\nbill\nBob\nCarol\n{BOB}\n{CONTRACT}\n0.5\n0.4\nbill\n\n"
    );
    let path = folder("again").join("gateway.toml");
    let said = init(&path, &answers).unwrap();
    for reason in [
        "one of testnet, mainnet, local",
        "there is no such time zone: they are named like Europe/Vienna",
        "it is empty",
        "one of mqtt, http, telegram, intervals, simulated",
        "that is Alice",
        "a share is more than 0 and at most 1, with at most 6 decimals",
        "one of deposit, bill",
        "it is there already",
        "with the shares before it is more than 1",
    ] {
        assert!(
            said.contains(&format!("\n  {reason}\n")) || said.contains(&format!(":   {reason}\n")),
            "{reason}: {said}"
        );
    }
    assert_eq!(Config::read(&path).unwrap().providers[0].consumers.len(), 2);
}

#[test]
fn nothing_is_written_when_the_answers_end_early() {
    let folder = folder("early");
    let answers = format!("{}Bob\n{BOB}\n", answers(SIMULATED));
    for (end, _) in answers.match_indices('\n') {
        let failure = init(&folder.join("gateway.toml"), &answers[..=end]).unwrap_err();
        assert!(matches!(failure, Failure::Unanswered), "{failure}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_name_cannot_become_another_key() {
    let path = folder("quoted").join("gateway.toml");
    let answers = format!("{}\n", answers(SIMULATED)).replace("\nAlice\n", "\nAl\"ice\\ # '''x\n");
    init(&path, &answers).unwrap();
    assert_eq!(Config::read(&path).unwrap().providers[0].name, "Al\"ice\\ # '''x");
}

#[test]
fn a_second_gateway_of_a_machine_has_its_own_key_and_journal() {
    let example = example();
    assert!(example.contains("\nstate = \"/var/lib/p2p-gateway\"\n") && example.contains("\nkey = \"meter.key\"\n"));
    let path = folder("second").join("alice.toml");
    init(&path, &format!("{}\n", answers(SIMULATED))).unwrap();
    let config = Config::read(&path).unwrap();
    assert_eq!(config.state, path.with_file_name("state/alice"));
    assert_eq!(config.providers[0].key, path.with_file_name("alice.key"));
}

#[test]
fn the_packages_example_is_what_init_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/gateway.toml");
    assert_eq!(fs::read_to_string(&path).unwrap(), example(), "write into {}:\n{}", path.display(), example());
}

#[test]
fn the_packages_example_needs_its_placeholders_filled_in_and_no_more() {
    let path = Path::new("/etc/p2p-gateway/gateway.toml");
    let wrong = Config::parse(&example(), path).unwrap_err().to_string();
    let expected = "/etc/p2p-gateway/gateway.toml, line 8: contract = \"C...\"\n";
    assert!(wrong.starts_with(expected), "{wrong}");
    let filled = example().replace("C...", CONTRACT).replacen("G...", ALICE, 1).replace("G...", BOB);
    assert_eq!(Config::parse(&filled, path).unwrap().providers[0].consumers.len(), 1);
}
