//! The live sources against real parts: Debian's broker `mosquitto`, pseudo terminals of `socat`, and servers on loopback.

#[allow(dead_code, reason = "only the telegrams are of use here")]
mod generate;
#[path = "sources/parts.rs"]
mod parts;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use generate::telegram::{lines, sml, text, End, Entry, Number};
use p2p_gateway::source;
use parts::*;

fn mqtt(broker: &Broker, more: &str) -> String {
    format!("source = \"mqtt\"\nbroker = \"mqtt://127.0.0.1:{}\"\nunit = \"kWh\"\n{more}", broker.port)
}

const TOTAL: &str = "topic = \"tele/meter/SENSOR\"\npointers = [\"/SML/Total_out\"]";

fn total(kwh: &str) -> String {
    format!(r#"{{"Time":"2026-07-02T11:00:00","SML":{{"Total_in":12345.678,"Total_out":{kwh}}}}}"#)
}

#[test]
fn readings_go_on_after_the_broker_was_stopped_and_started_again() {
    let mut broker = Broker::start("restart", "allow_anonymous true\n");
    let ear = Ear::new(&[&mqtt(&broker, TOTAL)]);
    assert_eq!(ear.next(), "0 connected");
    for round in 1..=2 {
        broker.publish("tele/meter/SENSOR", &total(&format!("4567.{round}")));
        assert_eq!(ear.next(), format!("0 4567.{round} kWh"));
        broker.stop();
        let down = ear.next();
        assert!(down.starts_with(&format!("0 down: mqtt://127.0.0.1:{}: ", broker.port)), "{down}");
        broker.run();
        // Another attempt may have failed for another reason in between.
        while ear.next() != "0 connected" {}
    }
    broker.publish("tele/meter/SENSOR", &total("4567.890"));
    assert_eq!(ear.next(), "0 4567.89 kWh");
}

#[test]
fn a_retained_message_is_no_reading_and_the_next_one_is() {
    let broker = Broker::start("retained", "allow_anonymous true\n");
    broker.retain("tele/meter/SENSOR", &total("4567.890"));
    let ear = Ear::new(&[&mqtt(&broker, TOTAL)]);
    let mut first = [ear.next(), ear.next()];
    first.sort();
    assert_eq!(first, ["0 connected", "0 retained"]);
    broker.publish("tele/meter/SENSOR", &total("4567.891"));
    assert_eq!(ear.next(), "0 4567.891 kWh");
}

#[test]
fn two_topics_are_added_up_each_time_that_both_have_spoken() {
    let mut broker = Broker::start("topics", "allow_anonymous true\n");
    let ear = Ear::new(&[&mqtt(&broker, "topic = [\"dsmr/returned_1\", \"dsmr/returned_2\"]")]);
    assert_eq!(ear.next(), "0 connected");
    broker.publish("dsmr/returned_1", "\"1285.951\"");
    broker.publish("dsmr/returned_2", "\"2876.514\"");
    assert_eq!(ear.next(), "0 4162.465 kWh");
    // What was said before the connection was lost is not added to what is said after it.
    broker.publish("dsmr/returned_2", "\"2876.600\"");
    broker.stop();
    broker.run();
    while ear.next() != "0 connected" {}
    broker.publish("dsmr/returned_1", "\"1286.000\"");
    broker.publish("dsmr/returned_2", "\"2877.000\"");
    assert_eq!(ear.next(), "0 4163 kWh");
}

#[test]
fn a_message_that_cannot_be_read_costs_only_itself() {
    let broker = Broker::start("bad", "allow_anonymous true\n");
    let ear = Ear::new(&[&mqtt(&broker, TOTAL)]);
    assert_eq!(ear.next(), "0 connected");
    for (message, heard) in [
        (r#"{"SML":{"Total_out":45"#, "0 not_json"),
        (r#"{"SML":{"Total_out":null}}"#, "0 null"),
        ("", "0 not_json"),
        (&total(&"9".repeat(100_000)), "0 too_long"),
        (&total("4567.890"), "0 4567.89 kWh"),
    ] {
        broker.publish("tele/meter/SENSOR", message);
        assert_eq!(ear.next(), heard);
    }
}

#[test]
fn old_values_that_are_published_on_and_on_are_no_readings() {
    let broker = Broker::start("old", "allow_anonymous true\n");
    let time = "topic = \"meter\"\npointers = [\"/total\"]\ntime_pointer = \"/time\"\ntime_format = \"seconds\"";
    let ear = Ear::new(&[&mqtt(&broker, time)]);
    assert_eq!(ear.next(), "0 connected");
    let now = jiff::Timestamp::now().as_second();
    for (time, heard) in [(now, "0 7 kWh"), (now - 1_000, "0 old"), (now - 1_000, "0 old"), (now - 60, "0 7 kWh")] {
        broker.publish("meter", &format!(r#"{{"time":{time},"total":7}}"#));
        assert_eq!(ear.next(), heard);
    }
}

#[test]
fn a_wrong_password_is_named_and_a_right_one_taken_without_a_restart() {
    let broker = Broker::start("password", "");
    let secret = broker.folder.join("password");
    fs::write(&secret, "wrong\n").unwrap();
    let user = format!("{TOTAL}\nuser = \"gateway\"\npassword_file = \"{}\"", secret.display());
    let ear = Ear::new(&[&mqtt(&broker, &user)]);
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    assert_eq!(ear.next(), format!("0 down: {url}: the broker refuses the user or the password"));
    fs::write(&secret, format!("{}\n", Broker::PASSWORD)).unwrap();
    assert_eq!(ear.next(), "0 connected");
    broker.publish("tele/meter/SENSOR", &total("4567.890"));
    assert_eq!(ear.next(), "0 4567.89 kWh");
    fs::remove_file(&secret).unwrap();
    let another = Ear::new(&[&mqtt(&broker, &user)]);
    let down = another.next();
    assert!(down.starts_with(&format!("0 down: {url}: cannot read {}: ", secret.display())), "{down}");
}

#[test]
fn a_broker_with_tls_is_believed_if_its_certificate_is_of_the_authority_that_is_configured() {
    let broker = Broker::start_tls("tls");
    let tls = |ca: &str| {
        let ca = broker.folder.join(ca);
        mqtt(&broker, &format!("{TOTAL}\nca = \"{}\"", ca.display()))
            .replace(&format!("mqtt://127.0.0.1:{}", broker.port), &format!("mqtts://localhost:{}", broker.tls_port))
    };
    let ear = Ear::new(&[&tls("ca.pem")]);
    assert_eq!(ear.next(), "0 connected");
    broker.publish("tele/meter/SENSOR", &total("4567.890"));
    assert_eq!(ear.next(), "0 4567.89 kWh");
    let url = format!("mqtts://localhost:{}", broker.tls_port);
    let unknown = format!("0 down: {url}: TLS: I/O: invalid peer certificate: UnknownIssuer");
    assert_eq!(Ear::new(&[&tls("other.pem")]).next(), unknown);
    // Without a `ca` the public authorities are believed, of which this is none.
    let public = tls("ca.pem").lines().filter(|line| !line.starts_with("ca ")).collect::<Vec<_>>().join("\n");
    assert_eq!(Ear::new(&[&public]).next(), unknown);
}

#[test]
fn providers_of_one_broker_share_a_connection_and_each_hears_its_own() {
    let broker = Broker::start("shared", "allow_anonymous true\n");
    let meters: Vec<String> = ["a", "b", "a"].map(|topic| mqtt(&broker, &format!("topic = \"{topic}\""))).into();
    let ear = Ear::new(&meters.iter().map(String::as_str).collect::<Vec<_>>());
    for provider in 0..3 {
        assert_eq!(ear.next(), format!("{provider} connected"));
    }
    assert_eq!(broker.log().matches("New client connected").count(), 1);
    broker.publish("b", "2");
    assert_eq!(ear.next(), "1 2 kWh");
    broker.publish("a", "1");
    assert_eq!([ear.next(), ear.next()], ["0 1 kWh", "2 1 kWh"]);
}

#[test]
fn a_look_at_the_meter_does_not_throw_the_running_gateway_out() {
    let broker = Broker::start("beside", "allow_anonymous true\n");
    let ears = [(); 2].map(|()| Ear::new(&[&mqtt(&broker, TOTAL)]));
    for ear in &ears {
        assert_eq!(ear.next(), "0 connected");
    }
    broker.publish("tele/meter/SENSOR", &total("4567.890"));
    for ear in &ears {
        assert_eq!(ear.next(), "0 4567.89 kWh");
    }
}

#[test]
fn a_topic_that_the_broker_refuses_is_named_to_the_provider_that_reads_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let meter = |topic: &str| format!("source = \"mqtt\"\nbroker = \"{url}\"\nunit = \"kWh\"\ntopic = \"{topic}\"");
    let ear = Ear::new(&[&meter("allowed"), &meter("forbidden")]);
    let _stream = accept(&listener, &[1, 0x80]);
    assert_eq!(ear.next(), "0 connected");
    assert_eq!(ear.next(), "1 down: the broker does not let this user read the topic forbidden");
}

#[test]
fn what_came_right_before_a_connection_was_lost_is_not_heard_after_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let ear = Ear::new(&[&format!("source = \"mqtt\"\nbroker = \"{url}\"\nunit = \"kWh\"\ntopic = \"a\"")]);
    for value in [b'1', b'2', b'3'] {
        let mut stream = accept(&listener, &[1]);
        let heard: Vec<_> = std::iter::repeat_with(|| ear.next()).take_while(|heard| heard != "0 connected").collect();
        assert!(heard.iter().all(|heard| heard.starts_with("0 down: ")), "{heard:?}");
        // With the end of the connection right behind it.
        stream.write_all(&[0x30, 4, 0, 1, b'a', value]).unwrap();
        drop(stream);
        let heard = ear.next();
        assert!(heard.starts_with("0 down: ") || heard == format!("0 {} kWh", value as char), "{heard}");
    }
}

#[test]
fn a_broker_that_sends_garbage_costs_the_connection_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let ear = Ear::new(&[&format!("source = \"mqtt\"\nbroker = \"{url}\"\nunit = \"kWh\"\ntopic = \"a\"")]);
    for garbage in [&[0x40, 2, 0xff, 0xff][..], &[0x30, 1, 0], &[0x30, 0xff, 0xff, 0xff, 0x7f], &[0xf0, 1, 0]] {
        let mut stream = accept(&listener, &[1]);
        assert_eq!(ear.next(), "0 connected");
        stream.write_all(garbage).unwrap();
        let down = ear.next();
        assert!(down.starts_with(&format!("0 down: {url}: ")), "{down}");
    }
    let mut stream = accept(&listener, &[1]);
    assert_eq!(ear.next(), "0 connected");
    stream.write_all(b"\x30\x04\0\x01a7").unwrap();
    assert_eq!(ear.next(), "0 7 kWh");
}

fn http(port: u16, path: &str, more: &str) -> String {
    format!("source = \"http\"\nurl = \"http://127.0.0.1:{port}{path}\"\nevery = \"200ms\"\n{more}")
}

#[test]
fn devices_are_read_by_http() {
    let server = Server::start(|request| match request.path() {
        "/api/v1/data" => json(r#"{"total_power_export_t1_kwh":1285.951,"total_power_export_t2_kwh":2876.51}"#),
        "/rpc/EM1Data.GetStatus?id=0" => {
            json(r#"{"id":"0","total_act_energy":1264.15,"total_act_ret_energy":144792.28}"#)
        }
        "/rest/channel/_sum/GridSellActiveEnergy" => json(r#"{"value":3476800,"unit":"Wh_Σ"}"#),
        "/rest/channel/_sum/null" => json(r#"{"value":null,"unit":"Wh_Σ"}"#),
        "/data/chn0" => json("19949322.15"),
        "/html" => "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>no</html>".into(),
        "/long" => json(&"1".repeat(70_000)),
        path => panic!("{path}"),
    });
    for (path, more, heard) in [
        (
            "/api/v1/data",
            "unit = \"kWh\"\npointers = [\"/total_power_export_t1_kwh\", \"/total_power_export_t2_kwh\"]",
            "4162.461 kWh",
        ),
        (
            "/rpc/EM1Data.GetStatus?id=0",
            "unit = \"Wh\"\npointers = [\"/total_act_ret_energy\"]\nid_pointer = \"/id\"\nid = \"0\"",
            "144.79228 kWh",
        ),
        ("/rest/channel/_sum/GridSellActiveEnergy", "unit = \"Wh\"\npointers = [\"/value\"]", "3476.8 kWh"),
        ("/rest/channel/_sum/null", "unit = \"Wh\"\npointers = [\"/value\"]", "null"),
        ("/data/chn0", "unit = \"Wh\"", "19949.32215 kWh"),
        ("/html", "unit = \"Wh\"\npointers = [\"/value\"]", "not_json"),
        ("/long", "unit = \"Wh\"", "too_long"),
    ] {
        let ear = Ear::new(&[&http(server.port, path, more)]);
        assert_eq!(ear.next(), "0 connected", "{path}");
        for _ in 0..2 {
            assert_eq!(ear.next(), format!("0 {heard}"), "{path}");
        }
    }
}

#[test]
fn an_answer_that_is_none_is_named_with_what_to_do() {
    let server = Server::start(|request| match request.path() {
        "/secret" if request.header("authorization") == Some("Bearer 0123") => json("7"),
        "/secret" => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".into(),
        "/moved" => "HTTP/1.1 302 Found\r\nLocation: /target\r\nContent-Length: 0\r\n\r\n".into(),
        "/broken" => "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".into(),
        "/garbage" => "what is this?\r\n\r\n".into(),
        path => panic!("{path} was asked for"),
    });
    let folder = folder("authorization");
    let [right, wrong] = ["0123", "4567"].map(|token| {
        let file = folder.join(token);
        fs::write(&file, format!("Bearer {token}\n")).unwrap();
        format!("unit = \"kWh\"\nauthorization_file = \"{}\"", file.display())
    });
    let plain = "unit = \"kWh\"".to_string();
    for (path, more, heard) in [
        ("/secret", &plain, "down: URL: it answers 401 Unauthorized: it wants an authorization_file"),
        ("/secret", &wrong, "down: URL: it answers 401 Unauthorized: it wants another authorization_file"),
        ("/secret", &right, "connected"),
        (
            "/moved",
            &plain,
            "down: URL: it sends the gateway to \"/target\": configure the address that answers by itself",
        ),
        ("/broken", &plain, "down: URL: it answers 500 Internal Server Error"),
        ("/garbage", &plain, "down: URL: protocol: http parse fail: invalid HTTP version"),
    ] {
        let ear = Ear::new(&[&http(server.port, path, more)]);
        let url = format!("http://127.0.0.1:{}{path}", server.port);
        assert_eq!(ear.next(), format!("0 {}", heard.replace("URL", &url)));
    }
    // The redirect was asked for again and again, and not followed.
    assert!(server.asked().iter().all(|path| path != "/target"));
}

#[test]
fn a_device_that_does_not_answer_is_asked_again() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let ear = Ear::new(&[&http(port, "/", "unit = \"kWh\"")]);
    let began = Instant::now();
    let (stream, _) = silent.accept().unwrap();
    assert_eq!(ear.next(), format!("0 down: http://127.0.0.1:{port}/: no answer within 10 s"));
    assert!((9..20).contains(&began.elapsed().as_secs()));
    drop(stream);
    drop(silent);
    let down = ear.next();
    assert!(down.starts_with("0 down: "), "{down}");
    let _server = Server::at(port, |_| json("7"));
    while ear.next() != "0 connected" {}
    assert_eq!(ear.next(), "0 7 kWh");
}

/// A telegram of P1 whose clock stands still.
fn p1(id: &str, kwh: &str) -> Vec<u8> {
    let all =
        lines("1-3:0.2.8(50)|0-0:1.0.0(000101000000W)|0-0:96.1.1(ID)|1-0:1.8.1(004102.311*kWh)|1-0:2.8.0(KWH*kWh)");
    let all: Vec<_> = all.iter().map(|line| line.replace("ID", id).replace("KWH", kwh)).collect();
    text("KFM5KAIFA-METER", &all, End::Crc)
}

fn sml_of(wh: u64) -> Vec<u8> {
    sml(&[(b"\x0a\x01ESY\x1b\x1b", &[Entry([2, 8, 0], Some(30), -1, Number::U64(wh * 10))])])
}

fn tcp(port: u16, more: &str) -> String {
    format!("source = \"telegram\"\nline = \"tcp://127.0.0.1:{port}\"\n{more}")
}

#[test]
fn a_telegram_is_read_over_tcp_though_the_meters_clock_stands_in_2000() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ear = Ear::new(&[&tcp(listener.local_addr().unwrap().port(), "")]);
    let (mut stream, _) = listener.accept().unwrap();
    // Begun in its middle, whole, and with a value that was damaged on its way.
    let telegram = p1("4530", "001285.951");
    stream.write_all(&telegram[40..]).unwrap();
    stream.write_all(&telegram).unwrap();
    let damaged = String::from_utf8(telegram).unwrap().replace("001285.951", "001256.951");
    stream.write_all(damaged.as_bytes()).unwrap();
    stream.write_all(&p1("4530", "001285.952")).unwrap();
    for heard in ["0 connected", "0 1285.951 kWh", "0 bad_checksum", "0 1285.952 kWh"] {
        assert_eq!(ear.next(), heard);
    }
}

#[test]
fn a_peer_that_closes_or_falls_silent_is_connected_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ear = Ear::new(&[&tcp(port, "max_age = \"2s\"")]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(&p1("4530", "001285.951")).unwrap();
    drop(stream);
    for heard in ["connected", "1285.951 kWh", &format!("down: tcp://127.0.0.1:{port}: the connection was closed")] {
        assert_eq!(ear.next(), format!("0 {heard}"));
    }
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(&p1("4530", "001285.952")).unwrap();
    for heard in ["connected", "1285.952 kWh", &format!("down: tcp://127.0.0.1:{port}: nothing has come for 2 s")] {
        assert_eq!(ear.next(), format!("0 {heard}"));
    }
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(&p1("4530", "001285.953")).unwrap();
    for heard in ["connected", "1285.953 kWh"] {
        assert_eq!(ear.next(), format!("0 {heard}"));
    }
}

#[test]
fn telegrams_of_a_serial_line_are_read_in_pieces_between_noise() {
    for (name, telegrams) in [
        ("p1", [p1("4530", "001285.951"), p1("4530", "001285.952"), p1("4530", "001285.953")]),
        ("sml", [sml_of(1_285_951), sml_of(1_285_952), sml_of(1_285_953)]),
    ] {
        let mut line = Pty::start(&format!("pieces-{name}"));
        let ear = Ear::new(&[&line.meter("")]);
        line.plugged(&ear);
        // The end of one that began before, and noise of the light in the room.
        line.write(&telegrams[0][telegrams[0].len() / 2..]);
        line.write(&[0xff, 0x00, 0x55, 0x1b, b'\r', b'\n']);
        for (telegram, heard) in telegrams.iter().zip(["1285.951", "1285.952", "1285.953"]) {
            for piece in telegram.chunks(23) {
                line.write(piece);
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(ear.next(), format!("0 {heard} kWh"), "{name}");
        }
    }
}

#[test]
fn a_head_that_is_unplugged_and_plugged_again_is_read_on() {
    let mut line = Pty::start("unplugged");
    let ear = Ear::new(&[&line.meter("seven_even = true\nbaud = 9600")]);
    line.plugged(&ear);
    line.write(&p1("4530", "001285.951"));
    assert_eq!(ear.next(), "0 1285.951 kWh");
    line.unplug();
    let down = ear.next();
    assert!(down.starts_with(&format!("0 down: {}: ", line.device.display())), "{down}");
    let gone = format!("0 down: {}: there is no such device here: it is not plugged in, or serial.conf is missing beside the service's unit", line.device.display());
    assert_eq!(ear.next(), gone);
    line.plug();
    line.plugged(&ear);
    line.write(&p1("4530", "001285.952"));
    assert_eq!(ear.next(), "0 1285.952 kWh");
}

#[test]
fn two_meters_of_one_line_are_told_apart_by_their_ids() {
    let mut line = Pty::start("two-meters");
    let ear = Ear::new(&[&line.meter("id = \"A\""), &line.meter("id = \"B\"")]);
    line.plugged(&ear);
    assert_eq!(ear.next(), "1 connected");
    line.write(&[p1("A", "1"), p1("B", "2"), p1("A", "3")].concat());
    for heard in ["0 1 kWh", "1 2 kWh", "0 3 kWh"] {
        assert_eq!(ear.next(), heard);
    }
    // A third one is of nobody, and may be what one of them was exchanged for.
    line.write(&p1("C", "4"));
    for heard in ["0 other_meter", "1 other_meter"] {
        assert_eq!(ear.next(), heard);
    }
}

#[test]
fn what_is_no_serial_device_is_named() {
    let folder = folder("no-device");
    let file = folder.join("file");
    fs::write(&file, "").unwrap();
    let line = |path: &std::path::Path| format!("source = \"telegram\"\nline = \"{}\"", path.display());
    let heard = Ear::new(&[&line(&file)]).next();
    assert_eq!(heard, format!("0 down: {}: it is no serial device", file.display()));
    let missing = folder.join("missing");
    let heard = Ear::new(&[&line(&missing)]).next();
    assert_eq!(heard, format!("0 down: {}: there is no such device here: it is not plugged in, or serial.conf is missing beside the service's unit", missing.display()));
}

#[test]
fn sources_end_within_a_second_whatever_they_do() {
    let broker = Broker::start("end", "allow_anonymous true\n");
    let server = Server::start(|_| json("7"));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let meters = [
        mqtt(&broker, TOTAL),
        mqtt(&broker, TOTAL).replace(&broker.port.to_string(), &closed.to_string()),
        http(server.port, "/", "unit = \"kWh\""),
        tcp(silent.local_addr().unwrap().port(), ""),
        tcp(closed, ""),
        "source = \"simulated\"\nsince = \"2026-03-01\"".into(),
    ];
    let config = config(&meters.iter().map(String::as_str).collect::<Vec<_>>());
    // With room for one message, which nobody takes.
    let (sender, receiver) = sync_channel(1);
    let sources = source::start(&config, sender);
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    sources.stop();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(receiver.iter().count(), 1);
}

#[test]
fn samples_without_room_are_lost_and_the_connection_is_not() {
    let server = Server::start(|_| json("7"));
    let config = config(&[&http(server.port, "/", "unit = \"kWh\"")]);
    let (sender, receiver) = sync_channel(2);
    let _sources = source::start(&config, sender);
    while server.asked().len() < 8 {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(receiver.try_iter().map(|heard| shown(&heard)).collect::<Vec<_>>(), ["0 connected", "0 7 kWh"]);
    assert_eq!(shown(&receiver.recv_timeout(PATIENCE).unwrap()), "0 7 kWh");
}
