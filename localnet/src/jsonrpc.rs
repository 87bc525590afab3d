//! JSON-RPC 2.0 as stellar-rpc's library (jrpc2) speaks it: batches,
//! notifications, and which error a broken request gets.

use serde_json::{json, Value};

pub const PARSE_ERROR: i32 = -32700;
pub const INVALID_REQUEST: i32 = -32600;
pub const METHOD_NOT_FOUND: i32 = -32601;
pub const INVALID_PARAMS: i32 = -32602;
pub const INTERNAL_ERROR: i32 = -32603;

#[derive(Debug, PartialEq)]
pub struct Failure {
    pub code: i32,
    pub message: String,
    pub data: Option<Value>,
}

pub type Reply = Result<Value, Failure>;

pub fn fail<T>(code: i32, message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { code, message: message.into(), data: None })
}

/// What one HTTP request asks for.
pub struct Calls {
    batch: bool,
    calls: Vec<(Option<Value>, Result<Call, Failure>)>,
}

pub struct Call {
    pub method: String,
    /// `Null` where there are none.
    pub params: Value,
}

impl Calls {
    /// None if it is not JSON, which stellar-rpc answers with status 500.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (batch, messages) = match serde_json::from_slice(body).ok()? {
            Value::Array(messages) => (true, messages),
            message => (false, vec![message]),
        };
        Some(Self { batch, calls: messages.into_iter().map(parse_message).collect() })
    }

    /// None if nothing wants an answer: to notifications there is none.
    pub fn answer(self, mut method: impl FnMut(&str, Value) -> Reply) -> Option<Value> {
        let answers = self.calls.into_iter().filter_map(|(id, call)| match call {
            Ok(call) => {
                let reply = method(&call.method, call.params);
                id.map(|id| response(id, reply))
            }
            Err(failure) => Some(response(id.unwrap_or(Value::Null), Err(failure))),
        });
        let mut answers: Vec<Value> = answers.collect();
        match answers.len() {
            0 => None,
            1 if !self.batch => answers.pop(),
            _ => Some(answers.into()),
        }
    }

    /// The answer where the answering itself failed.
    pub fn internal_error(id: Value) -> Value {
        response(id, fail(INTERNAL_ERROR, "internal error"))
    }

    pub fn count(&self) -> usize {
        self.calls.len()
    }

    /// The only request's id, if it has one.
    pub fn id(&self) -> Value {
        match self.calls.as_slice() {
            [(Some(id), _)] if !self.batch => id.clone(),
            _ => Value::Null,
        }
    }
}

fn response(id: Value, reply: Reply) -> Value {
    match reply {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Failure { code, message, data }) => {
            let mut error = json!({ "code": code, "message": message });
            if let Some(data) = data {
                error["data"] = data;
            }
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        }
    }
}

fn parse_message(message: Value) -> (Option<Value>, Result<Call, Failure>) {
    let Value::Object(mut fields) = message else {
        return (None, fail(PARSE_ERROR, "request is not a JSON object"));
    };
    let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_null());
    let (version, id, method, params) = (take("jsonrpc"), take("id"), take("method"), take("params"));
    let valid_id = matches!(id, None | Some(Value::String(_) | Value::Number(_)));
    let id = id.filter(|_| valid_id);
    let call = || {
        if !valid_id {
            return fail(INVALID_REQUEST, "invalid request ID");
        }
        let method = match method {
            None => String::new(),
            Some(Value::String(method)) => method,
            Some(_) => return fail(PARSE_ERROR, "invalid method name"),
        };
        if !matches!(params, None | Some(Value::Array(_) | Value::Object(_))) {
            return fail(INVALID_REQUEST, "parameters must be array or object");
        }
        if version != Some("2.0".into()) {
            return fail(INVALID_REQUEST, "invalid version marker");
        }
        if !fields.is_empty() {
            let data = Some(fields.keys().cloned().collect());
            return Err(Failure { code: INVALID_REQUEST, message: "extra fields in request".into(), data });
        }
        if method.is_empty() {
            return fail(INVALID_REQUEST, "empty method name");
        }
        Ok(Call { method, params: params.unwrap_or_default() })
    };
    let call = call();
    (id, call)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server answers whose methods return their parameters.
    fn answer(body: Value) -> Option<Value> {
        Calls::parse(body.to_string().as_bytes()).unwrap().answer(|method, params| match method {
            "echo" => Ok(params),
            _ => fail(METHOD_NOT_FOUND, "method not found"),
        })
    }

    fn code(body: Value) -> (i64, Value) {
        let answer = answer(body).unwrap();
        (answer["error"]["code"].as_i64().unwrap(), answer["id"].clone())
    }

    #[test]
    fn a_call_is_answered_under_its_id() {
        let called = answer(json!({ "jsonrpc": "2.0", "id": "a", "method": "echo", "params": { "x": 1 } }));
        assert_eq!(called, Some(json!({ "jsonrpc": "2.0", "id": "a", "result": { "x": 1 } })));
    }

    #[test]
    fn a_notification_is_not_answered() {
        assert_eq!(answer(json!({ "jsonrpc": "2.0", "method": "echo" })), None);
        assert_eq!(answer(json!({ "jsonrpc": "2.0", "id": null, "method": "nope" })), None);
        assert_eq!(answer(json!([])), None);
    }

    #[test]
    fn a_batch_is_answered_with_a_batch() {
        let answered = answer(json!([
            { "jsonrpc": "2.0", "id": 1, "method": "echo" },
            { "jsonrpc": "2.0", "method": "echo" },
            7,
        ]));
        let error = json!({ "code": -32700, "message": "request is not a JSON object" });
        let expected = json!([
            { "jsonrpc": "2.0", "id": 1, "result": null },
            { "jsonrpc": "2.0", "id": null, "error": error },
        ]);
        assert_eq!(answered, Some(expected));
    }

    #[test]
    fn broken_requests_get_the_codes_of_jrpc2() {
        assert_eq!(code(json!("echo")), (-32700, json!(null)));
        assert_eq!(code(json!({ "id": 1, "method": "echo" })), (-32600, json!(1)));
        assert_eq!(code(json!({ "jsonrpc": "2.0", "id": [], "method": "echo" })), (-32600, json!(null)));
        assert_eq!(code(json!({ "jsonrpc": "2.0", "id": 1, "method": 5 })), (-32700, json!(1)));
        assert_eq!(code(json!({ "jsonrpc": "2.0", "id": 1, "method": "" })), (-32600, json!(1)));
        assert_eq!(code(json!({ "jsonrpc": "2.0", "id": 1, "method": "echo", "params": 5 })), (-32600, json!(1)));
        assert_eq!(code(json!({ "jsonrpc": "2.0", "id": 1, "method": "echo", "extra": 5 })), (-32600, json!(1)));
        assert_eq!(code(json!({ "jsonrpc": "2.0", "id": 1, "method": "nope" })), (-32601, json!(1)));
        assert!(Calls::parse(b"{").is_none());
    }
}
