//! The server, over sockets: what browsers and broken clients do to it.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{json, Value};
use tokio::sync::oneshot;

use super::client::{account, key};
use localnet::node::Node;
use localnet::server::Server;
use localnet::Args;

/// A server that stops with the test.
struct Running {
    address: String,
    node: Node,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(options: &[&str]) -> Self {
        let args = Args::parse_from([&["localnet", "--port", "0"], options].concat());
        let (started, address) = channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::start(args).await.unwrap().with_patience(Duration::from_secs(1));
                started.send((server.url().to_string(), server.node())).unwrap();
                server.run(async { stopped.await.unwrap_or(()) }).await;
            });
        });
        let (url, node) = address.recv().unwrap();
        let address = url.trim_start_matches("http://").to_string();
        Self { address, node, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address.replace("localhost", "127.0.0.1")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Connection { stream, buffer: vec![] }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Status and body of the next answer.
    fn receive(&mut self) -> (u16, String) {
        loop {
            let text = String::from_utf8_lossy(&self.buffer).to_string();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let mut lengths = head.lines().filter_map(|line| line.strip_prefix("content-length: "));
                let length = lengths.next().map_or(0, |length| length.parse().unwrap());
                if body.len() >= length {
                    self.buffer.drain(..head.len() + 4 + length);
                    return (head[9..12].parse().unwrap(), body[..length].to_string());
                }
            }
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server hung up after {text:?}");
            self.buffer.extend(&chunk[..read]);
        }
    }

    fn post(&mut self, path: &str, body: &str) -> (u16, String) {
        self.send("POST", path, "Content-Type: application/json\r\n", body);
        self.receive()
    }

    fn call(&mut self, method: &str) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method });
        let (status, body) = self.post("/rpc", &request.to_string());
        assert_eq!(status, 200);
        serde_json::from_str(&body).unwrap()
    }
}

#[test]
fn fifty_kept_connections_are_all_answered() {
    let server = Running::start(&[]);
    let mut connections: Vec<_> = (0..50).map(|_| server.connect()).collect();
    let request = json!({ "jsonrpc": "2.0", "id": 7, "method": "getLatestLedger" }).to_string();
    for _ in 0..3 {
        for connection in &mut connections {
            connection.send("POST", "/", "Content-Type: application/json\r\n", &request);
        }
        // The last one that asked is read first.
        for connection in connections.iter_mut().rev() {
            let (status, body) = connection.receive();
            let answer: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((status, &answer["id"]), (200, &json!(7)));
            assert_eq!(answer["result"]["protocolVersion"], 29);
        }
    }
}

#[test]
fn wrong_paths_methods_and_types_have_statuses_of_their_own() {
    let server = Running::start(&[]);
    let mut connection = server.connect();
    let mut status = |method: &str, path: &str, headers: &str, body: &str| {
        connection.send(method, path, headers, body);
        connection.receive().0
    };
    let json = "Content-Type: application/json; charset=utf-8\r\n";
    assert_eq!(status("GET", "/nowhere", "", ""), 404);
    assert_eq!(status("GET", "/rpc", "", ""), 405);
    assert_eq!(status("GET", "/advance?seconds=1", "", ""), 405);
    assert_eq!(status("DELETE", "/friendbot", "", ""), 405);
    assert_eq!(status("OPTIONS", "/rpc", "", ""), 204);
    assert_eq!(status("POST", "/rpc", "", "{}"), 415);
    assert_eq!(status("POST", "/rpc", json, "{"), 500);
    assert_eq!(status("POST", "/rpc", json, r#"{"jsonrpc":"2.0","method":"getHealth"}"#), 204);
    assert_eq!(status("POST", "/advance?seconds=-1", "", ""), 400);
    assert_eq!(status("POST", "/friendbot?addr=G", "", ""), 400);
    let batch = |calls| format!("[{}]", vec![r#"{"jsonrpc":"2.0","id":1,"method":"getHealth"}"#; calls].join(","));
    assert_eq!([100, 101].map(|calls| status("POST", "/rpc", json, &batch(calls))), [200, 413]);
    assert_eq!(status("POST", "/rpc", json, &"[".repeat(100_000)), 500);
}

#[test]
fn localhost_is_served_by_both_addresses_that_it_means() {
    let server = Running::start(&[]);
    let port: u16 = server.address.split_once(':').unwrap().1.parse().unwrap();
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let machine_has_it = TcpListener::bind((address, 0)).is_ok();
        assert_eq!(TcpStream::connect((address, port)).is_ok(), machine_has_it, "{address}");
    }
}

#[test]
fn a_page_of_another_machine_does_not_move_the_clock() {
    let server = Running::start(&[]);
    let mut connection = server.connect();
    for (origin, status) in [
        ("https://example.org", 403),
        ("http://localhost.example.org:8000", 403),
        ("null", 403),
        ("http://localhost:4173", 200),
        ("http://127.0.0.1:4173", 200),
    ] {
        connection.send("POST", "/advance?seconds=1", &format!("Origin: {origin}\r\n"), "");
        assert_eq!(connection.receive().0, status, "{origin}");
    }
}

#[test]
fn a_huge_body_is_refused() {
    let server = Running::start(&[]);
    let (status, _) = server.connect().post("/rpc", &" ".repeat(600_000));
    assert_eq!(status, 413);
}

#[test]
fn a_slow_client_holds_up_nobody_and_is_hung_up_on() {
    let server = Running::start(&[]);
    let (mut headless, mut half) = (server.connect(), server.connect());
    headless.stream.write_all(b"POST /rpc HTTP/1.1\r\nHost: ").unwrap();
    let request = "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    half.stream.write_all(request.as_bytes()).unwrap();
    let start = Instant::now();
    assert_eq!(server.connect().call("getHealth")["result"]["status"], "healthy");
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(half.receive().0, 408);
    for mut slow in [headless, half] {
        let end = slow.stream.read_to_end(&mut vec![]).map_err(|error| error.kind());
        assert!(matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
}

#[test]
fn a_panic_is_an_error_and_the_network_lives_on() {
    let server = Running::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let panicked = runtime.block_on(server.node.run(|_| -> u32 { panic!("a fault for a test") }));
    assert!(panicked.is_err());
    assert_eq!(server.connect().call("getHealth")["result"]["status"], "healthy");
}

#[test]
fn ledgers_close_by_time_and_friendbot_waits_for_one() {
    let server = Running::start(&["--ledger-seconds", "1"]);
    let mut connections: Vec<_> = (1..=6).map(|byte| (server.connect(), key(byte))).collect();
    for (connection, key) in &mut connections {
        connection.send("GET", &format!("/friendbot?addr={}", account(key)), "", "");
    }
    let mut ledgers = vec![];
    for (connection, _) in &mut connections {
        let (status, body) = connection.receive();
        assert_eq!(status, 200, "{body}");
        ledgers.push(serde_json::from_str::<Value>(&body).unwrap()["ledger"].as_u64().unwrap());
    }
    ledgers.dedup();
    assert!(ledgers.len() <= 2, "{ledgers:?}");
    let mut again = server.connect();
    again.send("GET", &format!("/friendbot?addr={}", account(&key(1))), "", "");
    assert_eq!(again.receive().0, 400);
    let sequence = || server.connect().call("getLatestLedger")["result"]["sequence"].as_u64().unwrap();
    let before = sequence();
    thread::sleep(Duration::from_millis(2500));
    let closed = sequence() - before;
    assert!((2..=3).contains(&closed), "{closed}");
}

#[test]
fn stopping_waits_for_nobody() {
    let server = Running::start(&[]);
    let mut idle = server.connect();
    idle.call("getHealth");
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let mut rest = vec![];
    match idle.stream.read_to_end(&mut rest) {
        Ok(read) => assert_eq!(read, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}
