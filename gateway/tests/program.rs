//! The program as a person uses it, on a local network.

mod network;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use network::address;
use network::scene::Scene;
use serde_json::Value;

/// What it says, and its exit code.
fn gateway(scene: &Scene, args: &[&str]) -> (String, i32) {
    let config = scene.folder.join("gateway.toml");
    let output =
        Command::new(env!("CARGO_BIN_EXE_p2p-gateway")).arg("--config").arg(config).args(args).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    println!("$ p2p-gateway {}\n{said}{}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    (said, output.status.code().unwrap())
}

#[test]
fn the_service_may_read_what_a_cautious_user_had_written() {
    const ANSWERS: &str = "local
CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM
Europe/Vienna
Alice
GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF
simulated
8000
120500
2026-03-01

";
    let folder = std::env::temp_dir().join(format!("p2p-gateway-umask-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("gateway.toml");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_p2p-gateway"), "--config"]);
    let mut init = shell.arg(&config).arg("init").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    init.stdin.take().unwrap().write_all(ANSWERS.as_bytes()).unwrap();
    assert!(init.wait().unwrap().success());
    assert_eq!(fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o640);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_person_checks_delivers_and_has_it_explained() {
    let scene = Scene::new("program", &[]);
    scene.write("");
    // Between two commands nothing more is exported.
    scene.network.night();
    let (said, code) = gateway(&scene, &["key"]);
    assert!(said.starts_with(&address(&scene.meter)) && code == 0);
    let (said, code) = gateway(&scene, &["check"]);
    assert!(said.contains("ok    Alice: next delivery    nothing is due now") && code == 0);
    let id = scene.agree(500);
    scene.fund(id);
    let (said, code) = gateway(&scene, &["run", "--once"]);
    assert!(said.contains("Alice: nothing is due") && code == 0);
    scene.network.night();
    let (said, code) = gateway(&scene, &["run", "--once", "--dry-run"]);
    assert!(said.contains("Alice: would deliver ") && code == 0);
    assert_eq!(scene.delivered(id), 0);
    let (said, code) = gateway(&scene, &["run", "--once"]);
    let kwh = scene.delivered(id);
    assert!(kwh > 0 && said.contains(&format!("Alice: delivered {kwh} kWh to agreement {id} at ")) && code == 0);
    let (said, code) = gateway(&scene, &["run", "--once"]);
    assert!(said.contains("Alice: nothing is due") && code == 0);
    assert_eq!(scene.delivered(id), kwh);
    let (said, code) = gateway(&scene, &["status", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    let consumer = &report["providers"][0]["consumers"][0];
    assert_eq!((&consumer["name"], &consumer["delivered_kwh"], code), (&"Bob".into(), &kwh.into(), 0));
    let (said, code) = gateway(&scene, &["explain", &id.to_string(), "--json"]);
    let lines: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&lines[0]["total_kwh"], &lines[0]["calls"][0]["energy_kwh"], code), (&kwh.into(), &kwh.into(), 0));
    let (said, code) = gateway(&scene, &["read", "--seconds", "1"]);
    assert!(said.contains("  Alice  10") && code == 0);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn exit_codes_tell_what_is_wrong() {
    let scene = Scene::new("codes", &[]);
    assert_eq!(gateway(&scene, &["check"]).1, 2, "there is no configuration");
    scene.write("");
    scene.write_key(&scene.bob);
    let (said, code) = gateway(&scene, &["check", "--wait", "1"]);
    assert!(said.contains("WRONG Alice: certified meter") && code == 1);
    let unreachable = scene.folder.join("gateway.toml");
    let text = std::fs::read_to_string(&unreachable).unwrap().replace(&scene.url, "http://127.0.0.1:1/rpc");
    std::fs::write(unreachable, text).unwrap();
    assert_eq!(gateway(&scene, &["run", "--once"]).1, 3);
}

/// A household that reaches no network, whose meter is simulated.
fn alone(name: &str, rpc: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("p2p-gateway-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let contract = stellar_strkey::Contract([7; 32]);
    let [alice, bob] = [1, 2].map(|byte| stellar_strkey::ed25519::PublicKey([byte; 32]));
    let config = folder.join("gateway.toml");
    let text = format!(
        "network = \"local\"\nrpc = \"{rpc}\"\ncontract = \"{contract}\"\nstate = \".\"\nkey = \"meter.key\"\n\
         [[provider]]\nname = \"Alice\"\naddress = \"{alice}\"\n[provider.meter]\nsource = \"simulated\"\n\
         since = \"2026-01-01\"\nstart_kwh = 1000\n[[provider.consumer]]\nname = \"Bob\"\naddress = \"{bob}\"\n\
         share = 0.5\npays = \"bill\"\n"
    );
    std::fs::write(&config, text).unwrap();
    config
}

/// What nobody reads, as after `| head`.
fn closed() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn a_command_whose_reader_has_had_enough_ends_quietly_by_sigpipe() {
    let config = alone("enough", "http://127.0.0.1:1/rpc");
    // It makes the key, and prints its address; the other one would never end.
    for args in [["key"].as_slice(), &["read"]] {
        let program = env!("CARGO_BIN_EXE_p2p-gateway");
        let output = Command::new(program).arg("--config").arg(&config).args(args).stdout(closed()).output().unwrap();
        assert_eq!(
            (String::from_utf8(output.stderr).unwrap(), output.status.signal()),
            (String::new(), Some(13)),
            "{args:?}"
        );
    }
    let errors = Command::new(env!("CARGO_BIN_EXE_p2p-gateway"))
        .arg("--config")
        .arg(&config)
        .arg("status")
        .stderr(closed())
        .output()
        .unwrap();
    assert_eq!(errors.status.code(), Some(3), "the network does not answer");
    std::fs::remove_dir_all(config.parent().unwrap()).unwrap();
}

#[test]
fn what_a_server_answers_commands_no_terminal() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = alone("escapes", &format!("http://{}/rpc", server.local_addr().unwrap()));
    std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = std::io::Read::read(&mut stream, &mut [0; 4_096]);
        let body = "{\"result\":{\"passphrase\":\"\\u001b]0;x\\u0007\\u009b2J\"}}";
        let answer = format!("HTTP/1.1 200 .\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
    });
    let output =
        Command::new(env!("CARGO_BIN_EXE_p2p-gateway")).arg("--config").arg(&config).arg("status").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is of another network: \"\\u{1b}]0;x\\u{7}\\u{9b}2J\""), "{said}");
    std::fs::remove_dir_all(config.parent().unwrap()).unwrap();
}
