//! The HTTP server: JSON-RPC, friendbot and the clock.

use std::convert::Infallible;
use std::future::{pending, Future};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{json, Value};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::history::Transacted;
use crate::jsonrpc::Calls;
use crate::ledger::Ledger;
use crate::node::{Node, Panicked};
use crate::settings::PROTOCOL;
use crate::{friendbot, rpc, xdr, Args};

/// The most that stellar-rpc reads of a request.
const MAX_BODY: usize = 512 * 1024;
/// Calls of a batch, all of whose answers are held at a time.
const MAX_CALLS: usize = 100;
/// How long a client may take to send a request, or to begin the next one.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long friendbot waits for a ledger.
const FUNDING_PATIENCE: Duration = Duration::from_secs(30);

pub struct Server {
    node: Node,
    ledger_thread: JoinHandle<()>,
    listener: TcpListener,
    ipv6_listener: Option<TcpListener>,
    url: String,
    patience: Duration,
}

type Answer = (StatusCode, Option<Value>);

impl Server {
    /// Starts the ledger and takes the port.
    pub async fn start(args: Args) -> anyhow::Result<Self> {
        let port = args.port;
        let (node, ledger_thread) = Node::start(move || Ledger::open(&args))?;
        let listeners = listen(port).await;
        let (listener, ipv6_listener) = listeners.with_context(|| format!("cannot listen on port {port}"))?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        Ok(Self { node, ledger_thread, listener, ipv6_listener, url, patience: PATIENCE })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn node(&self) -> Node {
        self.node.clone()
    }

    /// The same, for clients that may take another time to send a request.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub fn announce(&self) {
        println!("localnet ready at {}/rpc (protocol {PROTOCOL})", self.url);
    }

    /// Serves until `stop` ends. Requests that are under way are given up,
    /// but the ledger is left whole: the job it is at comes to its end.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { node, ledger_thread, listener, ipv6_listener, url, patience } = self;
        let accept_all = |listener| accept_all(listener, &node, &url, patience);
        tokio::select! {
            () = accept_all(Some(listener)) => {}
            () = accept_all(ipv6_listener) => {}
            () = stop => {}
        }
        node.stop();
        let _ = ledger_thread.join();
    }
}

/// Takes the port on both loopback addresses, since `localhost` means either. Another program on one of them would be
/// asked in this one's place; a machine without IPv6 has no second.
async fn listen(port: u16) -> io::Result<(TcpListener, Option<TcpListener>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        ipv6_listener => Ok((listener, ipv6_listener.ok())),
    }
}

async fn accept_all(listener: Option<TcpListener>, node: &Node, url: &str, patience: Duration) {
    let Some(listener) = listener else { return pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, node.clone(), url.to_string(), patience));
            }
            // Out of file descriptors, most likely: some will be free.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, node: Node, url: String, patience: Duration) {
    let service = service_fn(move |request| respond(request, node.clone(), url.clone(), patience));
    let mut connection = hyper::server::conn::http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(patience);
    // A connection that breaks is its client's concern.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    request: Request<Incoming>,
    node: Node,
    url: String,
    patience: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = route(request, node, url, patience).await;
    let mut response = Response::new(match body {
        Some(body) => Full::from(body.to_string()),
        None => Full::default(),
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::REQUEST_TIMEOUT {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn route(request: Request<Incoming>, node: Node, url: String, patience: Duration) -> Answer {
    let query = request.uri().query().unwrap_or_default().to_string();
    let answer = match (request.method(), request.uri().path()) {
        (&Method::OPTIONS, _) => Ok((StatusCode::NO_CONTENT, None)),
        (&Method::POST, "/" | "/rpc" | "/soroban/rpc") => return call(request, node, url, patience).await,
        (&Method::GET | &Method::POST, "/friendbot") => fund(&node, parameter(&query, "addr").to_string()).await,
        (&Method::POST, "/advance") if is_foreign(&request) => {
            Ok(problem(StatusCode::FORBIDDEN, "a page of another machine may not move the clock"))
        }
        (&Method::POST, "/advance") => node.run(move |ledger| advance(ledger, parameter(&query, "seconds"))).await,
        (_, "/" | "/rpc" | "/soroban/rpc" | "/friendbot" | "/advance") => {
            Ok(problem(StatusCode::METHOD_NOT_ALLOWED, "not with this method"))
        }
        _ => Ok(problem(StatusCode::NOT_FOUND, "POST JSON-RPC to /rpc, GET /friendbot?addr=, POST /advance?seconds=")),
    };
    answer.unwrap_or_else(|Panicked| problem(StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the output"))
}

async fn call(request: Request<Incoming>, node: Node, url: String, patience: Duration) -> Answer {
    if !is_json(&request) {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type must be application/json");
    }
    let body = match timeout(patience, Limited::new(request.into_body(), MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("a request has at most {MAX_BODY} bytes"));
        }
        Ok(Err(error)) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(_) => return problem(StatusCode::REQUEST_TIMEOUT, "the request did not come to its end"),
    };
    let Some(calls) = Calls::parse(&body) else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "[-32700] invalid request value");
    };
    if calls.count() > MAX_CALLS {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("a batch has at most {MAX_CALLS} calls"));
    }
    let id = calls.id();
    match node.run(move |ledger| calls.answer(|method, params| rpc::call(ledger, &url, method, params))).await {
        Ok(Some(answer)) => (StatusCode::OK, Some(answer)),
        Ok(None) => (StatusCode::NO_CONTENT, None),
        Err(Panicked) => (StatusCode::INTERNAL_SERVER_ERROR, Some(Calls::internal_error(id))),
    }
}

/// Whether a browser says that a page of another machine asks: any page can send such a request, and the clock never goes
/// back.
fn is_foreign(request: &Request<Incoming>) -> bool {
    request.headers().get(header::ORIGIN).is_some_and(|origin| {
        let origin: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
        !origin.is_some_and(|origin| matches!(origin.host(), Some("localhost" | "127.0.0.1")))
    })
}

fn is_json(request: &Request<Incoming>) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Addresses and numbers need no percent-decoding.
fn parameter<'a>(query: &'a str, name: &str) -> &'a str {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

/// Answers when the account exists, which may take a ledger.
async fn fund(node: &Node, address: String) -> Result<Answer, Panicked> {
    let hash = match node.run(move |ledger| friendbot::fund(ledger, &address)).await? {
        Ok(hash) => hash,
        Err(error) => return Ok(problem(StatusCode::BAD_REQUEST, &format!("{error:#}"))),
    };
    let start = Instant::now();
    while start.elapsed() < FUNDING_PATIENCE {
        let funded = node.run(move |ledger| ledger.history.transaction(&hash).map(|transaction| funding(&transaction)));
        if let Some(answer) = funded.await? {
            return Ok(answer);
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(problem(StatusCode::GATEWAY_TIMEOUT, "no ledger took the transaction"))
}

fn funding(transaction: &Transacted) -> Answer {
    if !transaction.successful() {
        // Somebody else asked for the same account in the same ledger.
        let detail = "account already funded to starting balance (createAccountAlreadyExist)";
        return problem(StatusCode::BAD_REQUEST, detail);
    }
    let body = json!({
        "hash": xdr::hex(transaction.hash),
        "successful": true,
        "ledger": transaction.seq,
        "envelope_xdr": xdr::base64(&transaction.envelope),
        "result_xdr": xdr::base64(&transaction.result),
    });
    (StatusCode::OK, Some(body))
}

fn advance(ledger: &mut Ledger, seconds: &str) -> Answer {
    let result = seconds.parse().context("seconds must be a whole number").and_then(|seconds| ledger.advance(seconds));
    match result {
        Ok(()) => (StatusCode::OK, Some(json!({ "latestLedger": ledger.seq(), "closeTime": ledger.time() }))),
        Err(error) => problem(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

fn problem(status: StatusCode, detail: &str) -> Answer {
    (status, Some(json!({ "status": status.as_u16(), "detail": detail })))
}
