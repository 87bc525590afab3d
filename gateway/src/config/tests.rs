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

#[test]
fn an_error_names_the_file_the_line_and_the_key() {
    let wrong = parse(&[TOP, PROVIDER, &METER.replace("broker", "brokr"), CONSUMER]).unwrap_err();
    let expected = "/etc/gateway/gateway.toml, line 13: brokr = \"mqtt://127.0.0.1:1883\"\n  unknown field `brokr`, expected one of";
    assert!(wrong.starts_with(expected), "{wrong}");
}
