//! The HTTP server: JSON-RPC, friendbot and the clock.

use std::io::Read;
use std::net::Ipv4Addr;
use std::panic::{catch_unwind, AssertUnwindSafe};

use anyhow::{anyhow, Context};
use serde_json::{json, Value};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::settings::PROTOCOL;
use crate::{friendbot, ledger::Ledger, rpc};
use crate::{log::Log, xdr, Args};

const MAX_BODY: u64 = 4 * 1024 * 1024;

pub fn serve(args: Args) -> anyhow::Result<()> {
    let mut ledger = Ledger::new(&args.passphrase)?;
    if let Some(path) = &args.state_file {
        let failed = || format!("cannot use the state file {}", path.display());
        ledger.attach(Log::new(path)?).with_context(failed)?;
    }
    let server = Server::http((Ipv4Addr::LOCALHOST, args.port))
        .map_err(|error| anyhow!("cannot listen on port {}: {error}", args.port))?;
    let port = server.server_addr().to_ip().map_or(args.port, |address| address.port());
    let url = format!("http://localhost:{port}");
    println!("localnet ready at {url}/rpc (protocol {PROTOCOL})");
    for request in server.incoming_requests() {
        respond(&mut ledger, &url, request);
    }
    Ok(())
}

fn respond(ledger: &mut Ledger, url: &str, mut request: Request) {
    let answer = catch_unwind(AssertUnwindSafe(|| route(ledger, url, &mut request)));
    let (status, body) = answer.unwrap_or_else(|_| {
        ledger.abandon();
        problem(500, "internal error, see the server's output")
    });
    let mut response = Response::from_string(body.to_string()).with_status_code(status);
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Headers", "*"),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ] {
        response.add_header(Header::from_bytes(name, value).expect("valid header"));
    }
    // A client that has gone away is none of our concern.
    let _ = request.respond(response);
}

fn route(ledger: &mut Ledger, url: &str, request: &mut Request) -> (u16, Value) {
    let target = request.url().to_string();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    match (request.method(), path) {
        (Method::Options, _) => (200, Value::Null),
        (Method::Get | Method::Post, "/friendbot") => fund(ledger, parameter(query, "addr")),
        (Method::Post, "/advance") => advance(ledger, parameter(query, "seconds")),
        (Method::Post, _) => match read_json(request) {
            Ok(call) => (200, rpc::handle(ledger, url, &call)),
            Err(error) => {
                let error = json!({ "code": -32700, "message": format!("{error:#}") });
                (200, json!({ "jsonrpc": "2.0", "id": null, "error": error }))
            }
        },
        _ => problem(404, "POST JSON-RPC here, GET /friendbot?addr=, POST /advance?seconds="),
    }
}

fn read_json(request: &mut Request) -> anyhow::Result<Value> {
    let mut body = vec![];
    request.as_reader().take(MAX_BODY).read_to_end(&mut body)?;
    serde_json::from_slice(&body).context("the request is not JSON")
}

/// Addresses and numbers need no percent-decoding.
fn parameter<'a>(query: &'a str, name: &str) -> &'a str {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

fn fund(ledger: &mut Ledger, address: &str) -> (u16, Value) {
    match friendbot::fund(ledger, address) {
        Ok(transaction) => {
            let body = json!({
                "hash": xdr::hex(transaction.hash),
                "successful": transaction.successful,
                "ledger": transaction.seq,
                "envelope_xdr": xdr::base64(&transaction.envelope),
                "result_xdr": xdr::base64(&transaction.result),
            });
            (200, body)
        }
        Err(error) => problem(400, &format!("{error:#}")),
    }
}

fn advance(ledger: &mut Ledger, seconds: &str) -> (u16, Value) {
    let result = seconds.parse().context("seconds must be a whole number").and_then(|seconds| ledger.advance(seconds));
    match result {
        Ok(()) => (200, json!({ "latestLedger": ledger.seq(), "closeTime": ledger.time() })),
        Err(error) => problem(400, &format!("{error:#}")),
    }
}

fn problem(status: u16, detail: &str) -> (u16, Value) {
    (status, json!({ "status": status, "detail": detail }))
}
