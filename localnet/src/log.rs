//! The optional state file: a log of what closed ledgers, one JSON object a
//! line. The state is not stored; it is what applying the log again yields.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{ensure, Context};
use serde_json::{json, Value};

use crate::xdr::*;

pub struct Log {
    file: File,
}

pub struct Record {
    pub seq: u32,
    pub time: u64,
    pub offset: u64,
    /// None where only the clock was moved.
    pub envelope: Option<TransactionEnvelope>,
}

impl Log {
    pub fn new(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        Ok(Self { file: file.with_context(|| format!("cannot open {}", path.display()))? })
    }

    /// What the file holds; a new file gets its first line here.
    pub fn open(&mut self, passphrase: &str, protocol: u32) -> anyhow::Result<Vec<Record>> {
        let network = json!({ "passphrase": passphrase, "protocol": protocol });
        let mut lines = BufReader::new(&self.file).lines();
        let Some(first) = lines.next() else {
            self.write(&network)?;
            return Ok(vec![]);
        };
        let first: Value = serde_json::from_str(&first?)?;
        ensure!(first == network, "it is of another network: {first}");
        lines.map(|line| parse(&line?)).collect()
    }

    pub fn append(
        &mut self,
        seq: u32,
        time: u64,
        offset: u64,
        envelope: Option<TransactionEnvelope>,
    ) -> anyhow::Result<()> {
        let tx = envelope.map(|envelope| base64(&envelope));
        self.write(&json!({ "seq": seq, "time": time, "offset": offset, "tx": tx }))
    }

    /// In one piece, so that a kill does not leave half a line.
    fn write(&mut self, line: &Value) -> anyhow::Result<()> {
        let line = format!("{line}\n");
        self.file.write_all(line.as_bytes()).context("cannot write the state file")
    }
}

fn parse(line: &str) -> anyhow::Result<Record> {
    let value: Value = serde_json::from_str(line)?;
    let number = |name: &str| value[name].as_u64().with_context(|| format!("no {name} in {line}"));
    Ok(Record {
        seq: number("seq")?.try_into()?,
        time: number("time")?,
        offset: number("offset")?,
        envelope: value["tx"].as_str().map(from_base64).transpose()?,
    })
}
