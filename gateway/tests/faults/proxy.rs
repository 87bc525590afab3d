//! What stands between a gateway and its network, and can do what networks do: lose a request or its answer, be late, refuse,
//! answer nonsense, and lie.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{json, Value};
use stellar_xdr::{HostFunction, Limits, OperationBody, ReadXdr, TransactionEnvelope};

pub type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone)]
pub enum Fault {
    /// The network never sees it.
    SwallowRequest,
    /// The network does it, and nobody learns of it.
    SwallowAnswer,
    /// This is answered in the network's place, with this status.
    Answer(u16, String),
    /// Of what the network answers this is changed.
    Lie(Arc<dyn Fn(&mut Value) + Send + Sync>),
    /// This happens first.
    Before(Hook),
    /// This happens in its place: the network never sees it.
    Instead(Hook),
    /// This happens before the answer is passed on.
    After(Hook),
}

impl Fault {
    pub fn result(result: Value) -> Self {
        Self::Answer(200, json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string())
    }

    pub fn lie(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Lie(Arc::new(change))
    }

    pub fn before(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(hook))
    }

    pub fn instead(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Instead(Arc::new(hook))
    }

    pub fn after(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self::After(Arc::new(hook))
    }
}

/// A fault for the requests of a name, the first ones excepted, so many times.
struct Rule {
    name: &'static str,
    skip: usize,
    left: usize,
    fault: Fault,
}

/// Faults at random: of a thousand requests so many.
struct Chaos {
    dice: Dice,
    per_mille: u64,
}

/// Numbers that look random and are the same again (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// A request that arrived: its method, with the contract's function where one is simulated, and all of it.
#[derive(Clone, Debug)]
pub struct Request {
    pub name: String,
    pub body: String,
}

#[derive(Default)]
struct State {
    upstream: String,
    rules: Vec<Rule>,
    chaos: Option<Chaos>,
    requests: Vec<Request>,
    faults: u64,
}

pub struct Proxy {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    pub fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/rpc", listener.local_addr().expect("its address"));
        let state = Arc::new(Mutex::new(State { upstream: upstream.into(), ..State::default() }));
        let shared = state.clone();
        let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().new_agent();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, agent) = (shared.clone(), agent.clone());
                // A client that is killed breaks its connections, which is no fault of the proxy.
                std::thread::spawn(move || serve(stream, &state, &agent).unwrap_or(()));
            }
        });
        Self { url, state }
    }

    /// The next requests of this name meet this fault, so many times. A name may be cut: "" is any.
    pub fn fault(&self, name: &'static str, times: usize, fault: Fault) {
        self.later(name, 0, times, fault);
    }

    /// The same after so many that pass.
    pub fn later(&self, name: &'static str, skip: usize, times: usize, fault: Fault) {
        lock(&self.state).rules.push(Rule { name, skip, left: times, fault });
    }

    pub fn chaos(&self, seed: u64, per_mille: u64) {
        lock(&self.state).chaos = Some(Chaos { dice: Dice(seed), per_mille });
    }

    /// The network is somewhere else from now on.
    pub fn moves(&self, upstream: &str) {
        lock(&self.state).upstream = upstream.into();
    }

    /// Ends all faults.
    pub fn heal(&self) {
        let mut state = lock(&self.state);
        state.rules.clear();
        state.chaos = None;
    }

    pub fn requests(&self, name: &str) -> Vec<Request> {
        lock(&self.state).requests.iter().filter(|request| request.name.starts_with(name)).cloned().collect()
    }

    pub fn count(&self, name: &str) -> usize {
        lock(&self.state).requests.iter().filter(|request| request.name.starts_with(name)).count()
    }

    pub fn faults(&self) -> u64 {
        lock(&self.state).faults
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn choose(&mut self, name: &str) -> Option<Fault> {
        let fault = self.rule(name).or_else(|| self.dice(name));
        self.faults += u64::from(fault.is_some());
        fault
    }

    fn rule(&mut self, name: &str) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| rule.left > 0 && name.starts_with(rule.name))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    fn dice(&mut self, name: &str) -> Option<Fault> {
        let chaos = self.chaos.as_mut()?;
        if chaos.dice.below(1_000) >= chaos.per_mille {
            return None;
        }
        Some(match chaos.dice.below(6) {
            0 => Fault::SwallowRequest,
            1 => Fault::SwallowAnswer,
            2 => Fault::Answer(500, "Internal Server Error".into()),
            3 => Fault::Answer(200, "<html>".into()),
            4 if name == "sendTransaction" => Fault::result(json!({ "status": "TRY_AGAIN_LATER" })),
            4 => Fault::Answer(429, "Too Many Requests".into()),
            _ => older(),
        })
    }
}

/// A server that is a few ledgers behind says so.
fn older() -> Fault {
    Fault::lie(|answer| {
        let ledger = &mut answer["result"]["latestLedger"];
        if let Some(number) = ledger.as_u64() {
            *ledger = number.saturating_sub(20).into();
        }
    })
}

fn serve(stream: TcpStream, state: &Mutex<State>, agent: &ureq::Agent) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut length = None;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse::<usize>().ok();
                }
            }
        }
        let mut body = vec![0; length.expect("requests of RPC have a length")];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8(body).expect("requests of RPC are text");
        let name = name(&body);
        let (fault, upstream) = {
            let mut state = lock(state);
            state.requests.push(Request { name: name.clone(), body: body.clone() });
            (state.choose(&name), state.upstream.clone())
        };
        let forward = || {
            let mut response = agent.post(&upstream).content_type("application/json").send(body.as_str()).ok()?;
            response.body_mut().read_to_string().ok()
        };
        let (status, answer) = match fault {
            Some(Fault::SwallowRequest) => return Ok(()),
            Some(Fault::SwallowAnswer) => {
                forward();
                return Ok(());
            }
            Some(Fault::Answer(status, answer)) => (status, Some(answer)),
            Some(Fault::Lie(change)) => {
                let answer = forward().map(|answer| {
                    let mut answer = serde_json::from_str(&answer).expect("the network answers in JSON");
                    change(&mut answer);
                    answer.to_string()
                });
                (200, answer)
            }
            Some(Fault::Before(hook)) => {
                hook();
                (200, forward())
            }
            Some(Fault::Instead(hook)) => {
                hook();
                return Ok(());
            }
            Some(Fault::After(hook)) => {
                let answer = forward();
                hook();
                (200, answer)
            }
            None => (200, forward()),
        };
        let Some(answer) = answer else { return Ok(()) };
        let head = format!(
            "HTTP/1.1 {status} .\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all(&[head.as_bytes(), answer.as_bytes()].concat())?;
    }
}

/// What is asked for: the method, and what is simulated.
fn name(body: &str) -> String {
    let body: Value = serde_json::from_str(body).expect("requests of RPC are JSON");
    let method = body["method"].as_str().unwrap_or_default().to_string();
    let function = || {
        let envelope = body["params"]["transaction"].as_str().filter(|_| method == "simulateTransaction")?;
        let TransactionEnvelope::Tx(envelope) = TransactionEnvelope::from_xdr_base64(envelope, Limits::none()).ok()?
        else {
            return None;
        };
        let OperationBody::InvokeHostFunction(call) = &envelope.tx.operations.first()?.body else { return None };
        let HostFunction::InvokeContract(call) = &call.host_function else { return None };
        Some(format!("{method} {}", call.function_name.0.to_utf8_string_lossy()))
    };
    function().unwrap_or(method)
}
