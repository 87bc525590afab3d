//! The configuration as text: what was answered, and every other key in a comment, so that nobody has to look one up.

use std::fmt::Write;
use std::path::Path;

use super::{Answers, Column, Consumer, Source};

/// The configuration that is written to this path. The file's name tells one of several gateways on a machine from another.
pub fn text(answers: &Answers, path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let state = if path.starts_with("/etc") { "/var/lib/p2p-gateway" } else { "state" };
    let (key, state) = match &*name {
        "gateway" => ("meter.key".into(), state.into()),
        name => (format!("{name}.key"), format!("{state}/{name}")),
    };
    let Answers { network, contract, time_zone, name, address, source, consumers } = answers;
    let mut text = format!(
        r#"# A gateway's configuration. A line like #key = value, with no space after the #, is optional: it shows the default, or an
# example where there is none. A key that is misspelt is an error, and so is one in the wrong place.
# Paths are relative to this file's folder. Try it with: p2p-gateway check

# mainnet, testnet or local; or in its place rpc and passphrase, of any network.
network = {network}
# The contract that records deliveries.
contract = {contract}
# Several RPCs are asked in this order: the next one if one does not answer.
#rpc = ["https://rpc.example", "https://other.example"]
# The journal's folder: what was signed, and from where it counts.
state = {state}
# The meter's secret key, a file that its owner alone may read. As a service, what systemd hands over under this name.
key = {key}
# The zone of the times below.
time_zone = {time_zone}
# Where /health, /metrics (Prometheus) and /status answer: on this machine alone.
health = "127.0.0.1:9464"
# XLM that one delivery may cost, and the deliveries of a key in one day of UTC. What costs more is held, and reported.
#max_fee = "0.1"
#max_fee_per_day = "1"

# The household or business that sells. There may be several, each with its [provider.meter] and its consumers.
[[provider]]
name = {name}
address = {address}
# Another key than the one above.
#key = {key}
# How often deliveries are recorded: quarter-hour, hour, day, week or month; and when, if not by the hour. From a deposit all
# deliveries of a day are one of the agreement's 40 transactions; without one, each is, so take "week" or "month".
#every = "day"
#at = "21:30"

[provider.meter]
"#,
        network = quoted(network),
        contract = quoted(contract),
        state = quoted(&state),
        key = quoted(&key),
        time_zone = quoted(time_zone),
        name = quoted(name),
        address = quoted(address),
    );
    meter(&mut text, source);
    for consumer in consumers {
        self::consumer(&mut text, consumer);
    }
    text
}

fn meter(text: &mut String, source: &Source) {
    match source {
        Source::Mqtt { broker, topic, pointers, unit } => {
            let ca = if broker.starts_with("mqtts://") { "#ca = \"ca.pem\"\n" } else { "" };
            let (broker, topic) = (quoted(broker), quoted(topic));
            let _ = write!(
                text,
                r#"source = "mqtt"
# mqtts:// with TLS, where `ca` names what to trust in place of the public authorities.
broker = {broker}
{ca}#user = "gateway"
#password_file = "mqtt.password"
# Several topics, ["a", "b"], are added up: one of each tariff.
topic = {topic}
"#
            );
            format(text, pointers, unit);
            register(text);
        }
        Source::Http { url, pointers, unit } => {
            let url = quoted(url);
            let _ = write!(
                text,
                r#"source = "http"
url = {url}
# A file with the value of the Authorization header, such as: Bearer 123
#authorization_file = "authorization"
#every = "10s"
"#
            );
            format(text, pointers, unit);
            register(text);
        }
        Source::Telegram { line, baud } => {
            let line = quoted(line);
            let _ = write!(
                text,
                r#"source = "telegram"
# A serial device, or tcp://HOST:PORT. DSMR, IEC 62056-21 and SML are told apart by themselves.
line = {line}
"#
            );
            if let Some(baud) = baud {
                let _ = write!(
                    text,
                    r#"# 115200 at a P1 port, 9600 at an optical head; old meters send 7 bits with even parity.
baud = {baud}
#seven_even = false
"#
                );
            }
            register(text);
        }
        Source::Simulated { peak_watts, start_kwh, since } => {
            let _ = write!(
                text,
                r#"# A sun that is made up, to try things: it is the same each time.
source = "simulated"
peak_watts = {peak_watts}
# What the register shows when the day `since` begins.
start_kwh = {start_kwh}
since = "{since}"
# Another number is another sky.
#seed = 1
"#
            );
        }
        Source::Intervals { folder, profile, rule, files, column, since } => {
            let (folder, profile, files) = (quoted(folder), quoted(profile), quoted(files));
            let _ = write!(
                text,
                r#"# The grid operator's files of quarter hours.
source = "intervals"
folder = {folder}
# How the files are laid out.
profile = {profile}
# How a quarter hour is divided: share (what each consumer is given, and no more than it used), pro-rata (by what each used),
# priority (the first consumer below gets what it used, then the second), given (what the files say).
rule = "{rule}"
# The plant's files; * stands for anything.
files = {files}
"#
            );
            self::column(text, column);
            let _ = write!(
                text,
                r#"# The register showed the certified reading when this day began.
since = "{since}"
# Younger days may still be corrected, and are not sold yet.
#final_after = "5d"
# kW that the plant can feed in, if less than what was certified.
#max_kw = 12
# Without a good file for so long the gateway is unhealthy.
#max_age = "10d"
"#
            );
        }
    }
}

fn format(text: &mut String, pointers: &[String], unit: &str) {
    if pointers.is_empty() {
        text.push_str(
            "# JSON pointers to the register, which are added up. Without them the message is a number.\n\
             #pointers = [\"/SML/Total_out\"]\n",
        );
    } else {
        let pointers: Vec<_> = pointers.iter().map(|pointer| quoted(pointer)).collect();
        let _ = writeln!(
            text,
            "# JSON pointers to the register, which are added up: [\"/t1\", \"/t2\"].\npointers = [{}]",
            pointers.join(", ")
        );
    }
    let _ =
        writeln!(text, "# Wh, kWh, MWh or Wmin: no message says it reliably, so it is not guessed.\nunit = \"{unit}\"");
    text.push_str(
        "# Where the message says when it was made (iso, seconds, milliseconds): what is too old is no reading.\n\
         #time_pointer = \"/Time\"\n\
         #time_format = \"iso\"\n\
         # Where it says the meter's number.\n\
         #id_pointer = \"/SML/Meter_id\"\n",
    );
}

fn register(text: &mut String) {
    text.push_str(
        "# The meter's number: another one stops deliveries.\n\
         #id = \"1EMH0012345678\"\n\
         # kW that the plant can feed in, if less than what was certified: a register that grows faster is not believed.\n\
         #max_kw = 12\n\
         # Without a good reading for so long the gateway is unhealthy.\n\
         #max_age = \"15m\"\n",
    );
}

fn column(text: &mut String, Column { point, value }: &Column) {
    let line = |key: &str, value: &Option<String>, example: &str| match value {
        Some(value) => format!("{key} = {}\n", quoted(value)),
        None => format!("#{key} = {}\n", quoted(example)),
    };
    text.push_str("# The metering point, where a file has several, and the column, if it is not the profile's.\n");
    text.push_str(&line("point", point, "AT0010000000000000000000000000001"));
    text.push_str(&line("value", value, "Einspeisung (kWh)"));
}

fn consumer(text: &mut String, Consumer { name, address, share, pays, files }: &Consumer) {
    let _ = write!(
        text,
        r#"
# A neighbour who gets of it what was agreed. Nothing is delivered to others.
[[provider.consumer]]
name = {}
address = {}
"#,
        quoted(name),
        quoted(address)
    );
    if let Some(share) = share {
        let _ = writeln!(text, "# Of what is exported; all shares together are at most 1.\nshare = {share}");
    }
    let _ = writeln!(
        text,
        "# deposit: nothing is delivered before it is made, since the first delivery rules it out. bill: delivered at once.\n\
         pays = \"{pays}\""
    );
    if let Some((files, column)) = files {
        let _ = writeln!(text, "# What it used, or was given.\nfiles = {}", quoted(files));
        self::column(text, column);
    }
}

/// As TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
