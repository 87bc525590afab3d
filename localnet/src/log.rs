//! The optional state file, one JSON object a line: what each ledger changed,
//! so that a start need not call the contracts again. At each start it is
//! written anew, without what is forgotten.

use std::fs::{rename, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{bail, ensure, Context};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::state::Slot;
use crate::xdr::*;

pub struct Log {
    path: PathBuf,
    file: File,
}

pub enum Record {
    /// A ledger that changed the state.
    Ledger {
        meta: Box<LedgerCloseMetaV2>,
        offset: u64,
    },
    /// A ledger whose changes are in the entries already.
    History(Box<LedgerCloseMetaV2>),
    Entry(Slot),
    /// A ledger without transactions.
    Empty {
        seq: u32,
        time: u64,
        offset: u64,
    },
    /// How far the clock was ahead when the file was written anew.
    Clock(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Line {
    Ledger(String, u64),
    History(String),
    Entry(String, Option<u32>),
    Empty(u32, u64, u64),
    Clock(u64),
}

impl Log {
    /// What the file holds, each record handed to `take`; a new file gets its
    /// first line here. A last line that was cut off by a kill is removed.
    pub fn open(
        path: &Path,
        passphrase: &str,
        protocol: u32,
        mut take: impl FnMut(Record) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut log = Self { path: path.into(), file: file.context("cannot open it")? };
        log.file.try_lock().context("another network uses it")?;
        let network = json!({ "passphrase": passphrase, "protocol": protocol });
        let mut reader = BufReader::new(&log.file);
        let (mut whole, mut number, mut line) = (0, 0, String::new());
        while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
            number += 1;
            whole += line.len() as u64;
            if number == 1 {
                let first: Value = serde_json::from_str(&line).context("line 1")?;
                ensure!(first == network, "it is of another network: {first}");
            } else {
                parse(&line).and_then(&mut take).with_context(|| format!("line {number}"))?;
            }
            line.clear();
        }
        // Whatever else is in the file would be lost.
        ensure!(number > 0 || format!("{network}\n").starts_with(&line), "it is no state file");
        if !line.is_empty() {
            eprintln!("{}: the last line was cut off, and is removed", path.display());
            log.file.set_len(whole)?;
        }
        if number == 0 {
            log.write(&network)?;
        }
        log.file.seek(SeekFrom::End(0))?;
        Ok(log)
    }

    pub fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        self.write(&format(record))
    }

    /// Replaces the file by one with these records.
    pub fn rewrite(
        &mut self,
        passphrase: &str,
        protocol: u32,
        records: impl Iterator<Item = Record>,
    ) -> anyhow::Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let file = OpenOptions::new().append(true).create(true).open(&new).context("cannot write it anew")?;
        // Whoever opens the new file finds it locked too.
        file.try_lock().context("another network writes it anew")?;
        file.set_len(0)?;
        let mut writer = BufWriter::new(file);
        writeln!(writer, "{}", json!({ "passphrase": passphrase, "protocol": protocol }))?;
        for record in records {
            serde_json::to_writer(&mut writer, &format(&record))?;
            writer.write_all(b"\n")?;
        }
        self.file = writer.into_inner()?;
        self.file.sync_all()?;
        rename(&new, &self.path)?;
        Ok(())
    }

    /// In one piece, so that a kill seldom leaves half a line.
    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let line = serde_json::to_string(line)? + "\n";
        self.file.write_all(line.as_bytes()).context("cannot write the state file")
    }
}

fn format(record: &Record) -> Line {
    let encoded = |meta: &LedgerCloseMetaV2| base64(&LedgerCloseMeta::V2(meta.clone()));
    match record {
        Record::Ledger { meta, offset } => Line::Ledger(encoded(meta), *offset),
        Record::History(meta) => Line::History(encoded(meta)),
        Record::Entry(slot) => Line::Entry(base64(slot.entry.as_ref()), slot.live_until),
        Record::Empty { seq, time, offset } => Line::Empty(*seq, *time, *offset),
        Record::Clock(offset) => Line::Clock(*offset),
    }
}

fn parse(line: &str) -> anyhow::Result<Record> {
    let decoded = |text: String| match from_base64(&text)? {
        LedgerCloseMeta::V2(meta) => Ok(Box::new(meta)),
        _ => bail!("a ledger of another version"),
    };
    Ok(match serde_json::from_str(line)? {
        Line::Ledger(text, offset) => Record::Ledger { meta: decoded(text)?, offset },
        Line::History(text) => Record::History(decoded(text)?),
        Line::Entry(text, live_until) => Record::Entry(Slot { entry: Rc::new(from_base64(&text)?), live_until }),
        Line::Empty(seq, time, offset) => Record::Empty { seq, time, offset },
        Line::Clock(offset) => Record::Clock(offset),
    })
}
