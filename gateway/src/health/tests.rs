use super::*;
use crate::report::tests::sample;

/// A time that tests wait for, and one that no machine is too slow for.
const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(60);

fn server(report: Report) -> Handle {
    server_within(report, LONG)
}

fn server_within(report: Report, most_time: Duration) -> Handle {
    serve_within("127.0.0.1:0".parse().unwrap(), move || report.clone(), most_time).unwrap()
}

fn ask(server: &Handle, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // What is refused early may be closed before all of it is written.
    let _ = stream.write_all(request);
    let mut answer = String::new();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn get(server: &Handle, path: &str) -> (u16, String) {
    code_and_body(&ask(server, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()))
}

fn code_and_body(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.into())
}

#[test]
fn a_healthy_gateway_is_ok() {
    assert_eq!(get(&server(sample()), "/health"), (200, "ok\n".into()));
}

#[test]
fn an_unhealthy_gateway_says_why() {
    let mut report = sample();
    report.problem = Some("no RPC answers:\nok\u{1b}[2J".into());
    report.providers[0].problem = Some("no good reading for 15 min".into());
    let reasons = "no RPC answers:\\nok\\u{1b}[2J\nAlice: no good reading for 15 min\n";
    assert_eq!(get(&server(report), "/health"), (503, reasons.into()));
}

#[test]
fn metrics_and_status_show_the_report() {
    let server = server(sample());
    assert_eq!(get(&server, "/metrics"), (200, metrics(&sample())));
    let (code, body) = get(&server, "/status");
    assert_eq!((code, serde_json::from_str::<Report>(&body).unwrap()), (200, sample()));
    assert_eq!(get(&server, "/").0, 404);
    assert_eq!(get(&server, "/health?x=1").0, 404);
}

#[test]
fn only_get_is_answered() {
    let server = server(sample());
    for method in ["POST", "HEAD", "DELETE", "OPTIONS", "get"] {
        let answer = ask(&server, format!("{method} /health HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        assert_eq!(code_and_body(&answer).0, 405, "{method}");
        assert!(answer.contains("\r\nAllow: GET\r\n"));
    }
}

#[test]
fn a_page_that_leads_its_own_name_here_is_refused() {
    let server = server(sample());
    let code =
        |host: &str| code_and_body(&ask(&server, format!("GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())).0;
    for host in ["localhost", "LOCALHOST:9464", "127.0.0.1", "127.0.0.1:9464", "127.1.2.3", "[::1]", "[::1]:9464"] {
        assert_eq!(code(host), 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:9464",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.2",
        "0.0.0.0",
        "[::]",
        "::1",
        "localhost:",
        "localhost:evil",
        "",
    ] {
        assert_eq!(code(host), 403, "{host}");
    }
    for hosts in ["", "Host: localhost\r\nHost: evil.example\r\n", "Host : localhost\r\n"] {
        let answer = ask(&server, format!("GET /status HTTP/1.1\r\n{hosts}\r\n").as_bytes());
        assert_eq!(code_and_body(&answer).0, 400, "{hosts}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let server = server(sample());
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..],
        b"hello\r\n\r\n",
        b"\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET  /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/2\r\nHost: localhost\r\n\r\n",
    ] {
        assert_eq!(code_and_body(&ask(&server, request)).0, 400, "{request:?}");
    }
}

#[test]
fn a_huge_request_is_not_read() {
    let server = server(sample());
    let huge = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(MOST_BYTES));
    assert_eq!(code_and_body(&ask(&server, huge.as_bytes())).0, 431);
}

#[test]
fn a_request_that_never_ends_is_cut_off() {
    let server = server_within(sample(), SHORT);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    let started = Instant::now();
    while stream.write_all(&[b'x'; 1_000]).is_ok() {
        assert!(started.elapsed() < LONG);
    }
}

#[test]
fn a_slow_client_is_cut_off() {
    let server = server_within(sample(), SHORT);
    let mut slow = TcpStream::connect(server.address()).unwrap();
    let started = Instant::now();
    // A byte now and then gains it no time.
    while slow.write_all(b"G").is_ok() {
        assert!(started.elapsed() < LONG);
        thread::sleep(SHORT / 8);
    }
    assert!(started.elapsed() >= SHORT);
}

#[test]
fn a_slow_client_holds_up_nobody() {
    let server = server(sample());
    let _slow = TcpStream::connect(server.address()).unwrap();
    let started = Instant::now();
    assert_eq!(get(&server, "/health").0, 200);
    assert!(started.elapsed() < LONG);
}

#[test]
fn one_connection_too_many_is_closed_and_a_later_one_served() {
    let server = server(sample());
    let connect = || TcpStream::connect(server.address()).unwrap();
    let read = |mut stream: &TcpStream, time: Duration| {
        stream.set_read_timeout(Some(time)).unwrap();
        stream.read(&mut [0]).map_err(|error| error.kind())
    };
    let open: Vec<_> = (0..MOST_CONNECTIONS).map(|_| connect()).collect();
    let one_too_many = connect();
    assert_eq!(read(&one_too_many, LONG), Ok(0));
    for stream in &open {
        assert_eq!(read(stream, Duration::from_millis(1)), Err(ErrorKind::WouldBlock));
    }
    drop(open);
    let started = Instant::now();
    while !ask(&server, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200") {
        assert!(started.elapsed() < LONG);
    }
}

#[test]
fn a_client_that_reads_nothing_is_let_go() {
    let mut report = sample();
    report.providers = vec![report.providers[0].clone(); 5_000];
    let server = server_within(report, SHORT);
    let request = b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let deaf: Vec<_> = (0..MOST_CONNECTIONS)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(request).unwrap();
            stream
        })
        .collect();
    let started = Instant::now();
    loop {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut answer = String::new();
        if stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 404") {
            break;
        }
        assert!(started.elapsed() < LONG);
        thread::sleep(SHORT / 8);
    }
    drop(deaf);
}

#[test]
fn it_listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "[::]:0", "192.168.1.2:0"] {
        let refused = serve(address.parse().unwrap(), sample).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{address}");
    }
}

#[test]
fn it_ends_when_it_is_dropped() {
    let server = server(sample());
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}
