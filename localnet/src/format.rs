//! In what form an answer has its XDR.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::xdr::*;

/// In what form XDR is wanted.
#[derive(Deserialize, Default, Clone)]
#[serde(transparent)]
pub struct Format(Option<String>);

impl Format {
    pub fn check(&self) -> Result<(), String> {
        match self.0.as_deref() {
            None | Some("" | "base64" | "json") => Ok(()),
            Some(other) => Err(format!("got '{other}': expected base64, json for optional 'xdrFormat'")),
        }
    }

    pub fn encode(&self, value: &(impl WriteXdr + Serialize)) -> Value {
        match self.0.as_deref() {
            Some("json") => serde_json::to_value(value).expect("XDR types are JSON"),
            _ => base64(value).into(),
        }
    }

    pub fn encode_all<'a, T: WriteXdr + Serialize + 'a>(&self, values: impl IntoIterator<Item = &'a T>) -> Value {
        values.into_iter().map(|value| self.encode(value)).collect()
    }

    /// The name of a field: that for base64, or that for JSON.
    pub fn name<'a>(&self, base64: &'a str, json: &'a str) -> &'a str {
        match self.0.as_deref() {
            Some("json") => json,
            _ => base64,
        }
    }
}
