//! Answers on loopback how the gateway is: /health for a watcher, /metrics for Prometheus, /status for `p2p-gateway
//! status`. It is bounded in everything, since whatever runs on the machine may connect, and refuses what a web page could
//! make a browser ask for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::log::plain;
use crate::report::{is_healthy, metrics, Report};

/// Bytes of a request, connections at a time, and how long one may take from its first byte to its last.
const MOST_BYTES: usize = 4_096;
const MOST_CONNECTIONS: usize = 8;
const MOST_TIME: Duration = Duration::from_secs(2);

/// Answers until it is dropped.
pub struct Handle {
    address: SocketAddr,
    stops: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

/// Port 0 is any free one.
pub fn serve(address: SocketAddr, report: impl Fn() -> Report + Send + 'static) -> io::Result<Handle> {
    serve_within(address, report, MOST_TIME)
}

fn serve_within(
    address: SocketAddr,
    report: impl Fn() -> Report + Send + 'static,
    most_time: Duration,
) -> io::Result<Handle> {
    if !address.ip().is_loopback() {
        let reason = format!("health: {address} is not of this machine alone: use 127.0.0.1 or [::1]");
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let stops = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stops);
    let accept = move || accept(&listener, Arc::new(Mutex::new(report)), &stop, most_time);
    let listener = small_thread("health", accept)?;
    Ok(Handle { address, stops, listener: Some(listener) })
}

impl Handle {
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::SeqCst);
        // It waits for a connection, so it gets one.
        let is_awake = TcpStream::connect_timeout(&self.address, MOST_TIME).is_ok();
        if let Some(listener) = self.listener.take().filter(|_| is_awake) {
            let _ = listener.join();
        }
    }
}

fn small_thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    const STACK_BYTES: usize = 256 * 1_024;
    thread::Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(run)
}

fn accept<F: Fn() -> Report + Send + 'static>(
    listener: &TcpListener,
    report: Arc<Mutex<F>>,
    stops: &AtomicBool,
    most_time: Duration,
) {
    /// When no connection can be had, for instance since too many files are open.
    const PAUSE: Duration = Duration::from_millis(100);
    let connections = Arc::new(AtomicUsize::new(0));
    loop {
        let accepted = listener.accept();
        if stops.load(Ordering::SeqCst) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(PAUSE);
            continue;
        };
        // One too many is closed without an answer: to write one could take time.
        let place = Place::take(&connections);
        let Some(place) = place else { continue };
        let report = Arc::clone(&report);
        let _ = small_thread("health-answer", move || {
            let _place = place;
            let _ = converse(stream, &*report, most_time);
        });
    }
}

/// One of the connections that may be open.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(connections: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(connections));
        (connections.fetch_add(1, Ordering::SeqCst) < MOST_CONNECTIONS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn converse<F: Fn() -> Report>(mut stream: TcpStream, report: &Mutex<F>, most_time: Duration) -> io::Result<()> {
    let until = Instant::now() + most_time;
    let answer = match read_head(&mut stream, until)? {
        Some(head) => answer(&head, report),
        None => Answer::text(431, "the request is too long"),
    };
    let bytes = answer.bytes();
    let mut left = bytes.as_slice();
    while !left.is_empty() {
        stream.set_write_timeout(Some(time_left(until)?))?;
        let written = stream.write(left)?;
        left = left.get(written..).unwrap_or_default();
    }
    // If what it sent on were left unread, the answer would be thrown away with it.
    stream.shutdown(Shutdown::Write)?;
    let mut rest = [0; MOST_BYTES];
    loop {
        stream.set_read_timeout(Some(time_left(until)?))?;
        if stream.read(&mut rest)? == 0 {
            return Ok(());
        }
    }
}

fn time_left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// The request's line and headers; nothing if they are too long.
fn read_head(stream: &mut TcpStream, until: Instant) -> io::Result<Option<String>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = vec![];
    let mut part = [0; 1_024];
    loop {
        stream.set_read_timeout(Some(time_left(until)?))?;
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(part.get(..count).unwrap_or_default());
        if head.len() > MOST_BYTES {
            return Ok(None);
        }
        if let Some(end) = head.windows(END.len()).position(|bytes| bytes == END) {
            head.truncate(end);
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
    }
}

struct Answer {
    code: u16,
    kind: &'static str,
    body: String,
}

impl Answer {
    fn text(code: u16, body: &str) -> Self {
        Self { code, kind: "text/plain; charset=utf-8", body: format!("{body}\n") }
    }

    fn bytes(&self) -> Vec<u8> {
        let reason = match self.code {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            _ => "Service Unavailable",
        };
        let Self { code, kind, body } = self;
        let allow = if *code == 405 { "Allow: GET\r\n" } else { "" };
        let length = body.len();
        format!(
            "HTTP/1.1 {code} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{allow}\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

fn answer<F: Fn() -> Report>(head: &str, report: &Mutex<F>) -> Answer {
    let mut lines = head.split("\r\n");
    let line: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, "HTTP/1.1" | "HTTP/1.0"] = line.as_slice() else {
        return Answer::text(400, "this is no request");
    };
    let headers = lines.filter_map(|line| line.split_once(':'));
    let hosts: Vec<_> = headers.filter(|(name, _)| name.eq_ignore_ascii_case("host")).collect();
    let [(_, host)] = hosts.as_slice() else {
        return Answer::text(400, "the request has no Host header, or several");
    };
    if !is_loopback(host.trim()) {
        return Answer::text(403, "this is answered to the machine itself: ask for 127.0.0.1, [::1] or localhost");
    }
    if *method != "GET" {
        return Answer::text(405, "there is only GET");
    }
    let respond: fn(&Report) -> Answer = match *target {
        "/health" => health,
        "/metrics" => {
            |report| Answer { code: 200, kind: "text/plain; version=0.0.4; charset=utf-8", body: metrics(report) }
        }
        "/status" => status,
        _ => return Answer::text(404, "there are /health, /metrics and /status"),
    };
    // A report that panicked once is asked for again.
    let report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    respond(&report())
}

fn health(report: &Report) -> Answer {
    match is_healthy(report) {
        Ok(()) => Answer::text(200, "ok"),
        // Of which some are other people's words, and whoever asks may sit at a terminal.
        Err(problems) => {
            Answer::text(503, &problems.iter().map(|problem| plain(problem)).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn status(report: &Report) -> Answer {
    match serde_json::to_string(report) {
        Ok(body) => Answer { code: 200, kind: "application/json", body },
        Err(error) => Answer::text(500, &error.to_string()),
    }
}

/// A page of another site can lead its own name to this machine, but the browser still sends that name.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        || name.parse::<Ipv4Addr>().is_ok_and(|address| IpAddr::V4(address).is_loopback())
}

#[cfg(test)]
mod tests;
