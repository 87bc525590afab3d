//! The six methods of Stellar's RPC that a gateway needs, with all that their answers distinguish: what was not found may
//! still come, what was sent twice is no error, and the ledger's time is the clock.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Value};
use stellar_xdr::*;
use thiserror::Error;

/// A slow answer is as good as none: the next question is asked anew.
const TIMEOUT: Duration = Duration::from_secs(15);

/// More than any answer to these questions.
const MAX_ANSWER: u64 = 4 << 20;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("{url} does not answer: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} is of another network: \"{found}\"")]
    OtherNetwork { url: String, found: String },
    #[error("{method} is answered with the error {code}: {message}")]
    Refused { method: &'static str, code: i64, message: String },
    #[error("the answer to {method} is not as it should be: {reason}")]
    Garbled { method: &'static str, reason: String },
}

/// Where a network is reached: by the first address that answers, if it is the network that was configured.
pub struct Rpc {
    servers: Vec<Server>,
    passphrase: String,
    agent: ureq::Agent,
    /// The server that is asked first: the one that answered last, unless that was not believed.
    current: AtomicUsize,
    requests: AtomicU64,
}

struct Server {
    url: String,
    /// It said that it is of the right network.
    is_known: AtomicBool,
}

/// The state of an account, at a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub sequence: i64,
    pub balance: i64,
    pub sub_entries: u32,
    pub ledger: u32,
}

/// A call as it would go now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    pub value: ScVal,
    pub auth: Vec<SorobanAuthorizationEntry>,
    pub transaction_data: SorobanTransactionData,
    pub min_resource_fee: u64,
    /// The ledger of which this is true.
    pub ledger: u32,
}

/// What a simulation comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Simulated {
    Succeeds(Box<Simulation>),
    /// The contract refuses, with one of its errors.
    Refused(u32),
    /// It is not the contract that refuses.
    Fails(String),
}

/// What became of a transaction that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Or it is known already.
    Pending,
    TryAgainLater,
    Refused(TransactionResultCode),
}

/// What the network knows of a transaction, when its latest ledger closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub outcome: Outcome,
    /// What it cost, in stroops, if it was applied.
    pub fee: u64,
    pub transaction_id: Option<u64>,
    pub latest_ledger: u32,
    /// Unix seconds.
    pub latest_close: u64,
    /// When the oldest ledger closed that it remembers, Unix seconds.
    pub oldest_close: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may still come, until a ledger closes after its time.
    NotFound,
    Succeeded,
    Failed,
}

/// The newest ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    pub ledger: u32,
    pub close: u64,
}

impl Rpc {
    pub fn new(urls: &[String], passphrase: &str) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0);
        let server = |url: &String| Server { url: url.clone(), is_known: AtomicBool::new(false) };
        Self {
            servers: urls.iter().map(server).collect(),
            passphrase: passphrase.into(),
            agent: config.build().new_agent(),
            current: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
        }
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The server that is asked first, by its place.
    pub fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// What this server showed is not believed: the next one is asked first. If another thread has left it already, nothing
    /// changes.
    pub fn leave(&self, place: usize) {
        let next = (place + 1) % self.servers.len().max(1);
        let _ = self.current.compare_exchange(place, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub fn latest(&self) -> Result<Latest, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            latest_ledger: u32,
            latest_ledger_close_time: Number,
        }
        let answer: Answer = self.ask("getHealth", json!({}))?;
        Ok(Latest { ledger: answer.latest_ledger, close: answer.latest_ledger_close_time.read("getHealth")? })
    }

    /// `None` if there is no such account.
    pub fn account(&self, key: &[u8; 32]) -> Result<Option<Account>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            entries: Vec<Entry>,
            latest_ledger: u32,
        }
        #[derive(Deserialize)]
        struct Entry {
            xdr: String,
        }
        const METHOD: &str = "getLedgerEntries";
        let account_id = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(*key)));
        let key = encode(&LedgerKey::Account(LedgerKeyAccount { account_id }));
        let answer: Answer = self.ask(METHOD, json!({ "keys": [key] }))?;
        let Some(entry) = answer.entries.first() else {
            return Ok(None);
        };
        let LedgerEntryData::Account(account) = decode(METHOD, &entry.xdr)? else {
            return Err(garbled(METHOD, "it is no account"));
        };
        Ok(Some(Account {
            sequence: account.seq_num.0,
            balance: account.balance,
            sub_entries: account.num_sub_entries,
            ledger: answer.latest_ledger,
        }))
    }

    pub fn simulate(&self, transaction: &Transaction) -> Result<Simulated, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            error: Option<String>,
            transaction_data: Option<String>,
            min_resource_fee: Option<Number>,
            #[serde(default)]
            results: Vec<Returned>,
            latest_ledger: u32,
        }
        #[derive(Deserialize)]
        struct Returned {
            xdr: String,
            #[serde(default)]
            auth: Vec<String>,
        }
        const METHOD: &str = "simulateTransaction";
        let envelope =
            TransactionEnvelope::Tx(TransactionV1Envelope { tx: transaction.clone(), signatures: VecM::default() });
        let answer: Answer = self.ask(METHOD, json!({ "transaction": encode(&envelope) }))?;
        if let Some(error) = answer.error {
            return Ok(contract_error(&error).map_or(Simulated::Fails(error), Simulated::Refused));
        }
        let (Some(data), Some(fee), [returned]) =
            (answer.transaction_data, answer.min_resource_fee, answer.results.as_slice())
        else {
            return Err(garbled(METHOD, "it has neither a result nor an error"));
        };
        let auth = returned.auth.iter().map(|entry| decode(METHOD, entry)).collect::<Result<_, _>>()?;
        Ok(Simulated::Succeeds(Box::new(Simulation {
            value: decode(METHOD, &returned.xdr)?,
            auth,
            transaction_data: decode(METHOD, &data)?,
            min_resource_fee: fee.read(METHOD)?,
            ledger: answer.latest_ledger,
        })))
    }

    pub fn send(&self, envelope: &TransactionEnvelope) -> Result<Sent, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            status: String,
            error_result_xdr: Option<String>,
        }
        const METHOD: &str = "sendTransaction";
        let answer: Answer = self.ask(METHOD, json!({ "transaction": encode(envelope) }))?;
        match answer.status.as_str() {
            "PENDING" | "DUPLICATE" => Ok(Sent::Pending),
            "TRY_AGAIN_LATER" => Ok(Sent::TryAgainLater),
            "ERROR" => {
                let result: TransactionResult = decode(METHOD, &answer.error_result_xdr.unwrap_or_default())?;
                Ok(Sent::Refused(result.result.discriminant()))
            }
            status => Err(garbled(METHOD, status)),
        }
    }

    pub fn transaction(&self, hash: &[u8; 32]) -> Result<Found, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            status: String,
            latest_ledger: u32,
            latest_ledger_close_time: Number,
            oldest_ledger_close_time: Number,
            result_xdr: Option<String>,
            result_meta_xdr: Option<String>,
        }
        const METHOD: &str = "getTransaction";
        let answer: Answer = self.ask(METHOD, json!({ "hash": Hash(*hash).to_string() }))?;
        let outcome = match answer.status.as_str() {
            "NOT_FOUND" => Outcome::NotFound,
            "SUCCESS" => Outcome::Succeeded,
            "FAILED" => Outcome::Failed,
            status => return Err(garbled(METHOD, status)),
        };
        let fee = match (&answer.result_xdr, outcome) {
            (Some(result), Outcome::Succeeded | Outcome::Failed) => {
                let result: TransactionResult = decode(METHOD, result)?;
                u64::try_from(result.fee_charged).unwrap_or(0)
            }
            _ => 0,
        };
        // Not all networks keep what a call answered: the contract's records tell the same.
        let meta = answer.result_meta_xdr.and_then(|meta| decode(METHOD, &meta).ok());
        Ok(Found {
            outcome,
            fee,
            transaction_id: meta.as_ref().and_then(returned_id),
            latest_ledger: answer.latest_ledger,
            latest_close: answer.latest_ledger_close_time.read(METHOD)?,
            oldest_close: answer.oldest_ledger_close_time.read(METHOD)?,
        })
    }

    /// By the server that is asked first, or by the next one if that does not answer.
    fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, Failure> {
        let first = self.current();
        let mut failure = None;
        for place in first..first + self.servers.len() {
            let place = place % self.servers.len();
            match self.ask_server(&self.servers[place], method, &params) {
                Err(error @ (Failure::Unreachable { .. } | Failure::OtherNetwork { .. } | Failure::Garbled { .. })) => {
                    failure = failure.or(Some(error));
                }
                answer => {
                    self.current.store(place, Ordering::Relaxed);
                    return answer;
                }
            }
        }
        Err(failure.unwrap_or(garbled(method, "no server is configured")))
    }

    fn ask_server<T: DeserializeOwned>(
        &self,
        server: &Server,
        method: &'static str,
        params: &Value,
    ) -> Result<T, Failure> {
        #[derive(Deserialize)]
        struct Network {
            passphrase: String,
        }
        if !server.is_known.load(Ordering::Relaxed) {
            let found: Network = self.post(&server.url, "getNetwork", &json!({}))?;
            if found.passphrase != self.passphrase {
                return Err(Failure::OtherNetwork { url: server.url.clone(), found: found.passphrase });
            }
            server.is_known.store(true, Ordering::Relaxed);
        }
        let answer = self.post(&server.url, method, params);
        if matches!(answer, Err(Failure::Unreachable { .. })) {
            // Whoever answers there next time is asked again who it is.
            server.is_known.store(false, Ordering::Relaxed);
        }
        answer
    }

    fn post<T: DeserializeOwned>(&self, url: &str, method: &'static str, params: &Value) -> Result<T, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            result: Option<Value>,
            error: Option<Refusal>,
        }
        #[derive(Deserialize)]
        struct Refusal {
            code: i64,
            message: String,
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let unreachable = |error: ureq::Error| Failure::Unreachable { url: url.into(), reason: error.to_string() };
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let body = request.to_string();
        let post = self.agent.post(url).content_type("application/json");
        let mut response = post.send(body.as_str()).map_err(unreachable)?;
        let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().map_err(unreachable)?;
        let answer: Answer = serde_json::from_str(&text).map_err(|error| garbled(method, error))?;
        match (answer.result, answer.error) {
            (_, Some(Refusal { code, message })) => Err(Failure::Refused { method, code, message }),
            (Some(result), None) => serde_json::from_value(result).map_err(|error| garbled(method, error)),
            (None, None) => Err(garbled(method, "it has neither a result nor an error")),
        }
    }
}

/// A number of 64 bits, which this protocol writes as text, and some servers as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

impl Number {
    fn read(&self, method: &'static str) -> Result<u64, Failure> {
        match self {
            Self::Text(text) => text.parse().map_err(|error| garbled(method, error)),
            Self::Number(number) => Ok(*number),
        }
    }
}

/// The id that a call answered.
fn returned_id(meta: &TransactionMeta) -> Option<u64> {
    let value = match meta {
        TransactionMeta::V3(meta) => &meta.soroban_meta.as_ref()?.return_value,
        TransactionMeta::V4(meta) => meta.soroban_meta.as_ref()?.return_value.as_ref()?,
        _ => return None,
    };
    match value {
        ScVal::U64(id) => Some(*id),
        _ => None,
    }
}

/// The number of the contract's error in a simulation's text, whose first line ends with it.
fn contract_error(text: &str) -> Option<u32> {
    let (_, number) = text.lines().next()?.split_once("Error(Contract, #")?;
    number.split_once(')')?.0.parse().ok()
}

fn garbled(method: &'static str, reason: impl ToString) -> Failure {
    Failure::Garbled { method, reason: reason.to_string() }
}

fn encode(value: &impl WriteXdr) -> String {
    value.to_xdr_base64(Limits::none()).expect("what this program builds can be encoded")
}

/// What an RPC answers is bounded in depth, and by its length.
fn decode<T: ReadXdr>(method: &'static str, text: &str) -> Result<T, Failure> {
    T::from_xdr_base64(text, Limits { depth: 500, len: text.len() }).map_err(|error| garbled(method, error))
}

#[cfg(test)]
mod tests {
    use super::{contract_error, Rpc};

    #[test]
    fn the_contracts_error_is_read_from_the_first_line_alone() {
        for (text, error) in [
            ("HostError: Error(Contract, #15)\n\nEvent log (newest first):\n", Some(15)),
            ("HostError: Error(Auth, InvalidAction)\n\n  0: Error(Contract, #15)", None),
            ("Error(Contract, #4294967296)", None),
            ("", None),
        ] {
            assert_eq!(contract_error(text), error, "{text}");
        }
    }

    #[test]
    fn a_server_that_is_not_believed_is_left_once_for_the_next_one() {
        let rpc = Rpc::new(&["http://one".into(), "http://other".into()], "Test");
        let mut place = 0;
        for next in [1, 0] {
            rpc.leave(place);
            rpc.leave(place);
            assert_eq!(rpc.current(), next);
            place = next;
        }
    }
}
