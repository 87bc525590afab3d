//! What the commands do.

mod check;
mod explain;
pub mod init;
mod read;
mod run;
mod status;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use signal_hook::consts::SIGPIPE;
use signal_hook::low_level::emulate_default_handler;
use thiserror::Error;

pub use check::check;
pub use explain::explain;
pub use read::read;
pub use run::{once, run};
pub use status::status;

use crate::book::Book;
use crate::config::{self, Config, Meter};
use crate::gateway::{files_of_keys, Gateway, Mode};
use crate::run::{hear, simulate};
use crate::source::Heard;
use crate::{journal, key, log};

/// Why a command could not do its work. Whatever it found out instead is told by itself.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Config(#[from] config::Failure),
    #[error(transparent)]
    Key(#[from] key::Failure),
    #[error(transparent)]
    Journal(#[from] journal::Failure),
    #[error(transparent)]
    Init(#[from] init::Failure),
    #[error("{0}")]
    Network(String),
    /// What ended a running gateway: it may go on when it is started again.
    #[error("{0}")]
    Ended(String),
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Other(String),
}

/// A person has to look, or something waits.
pub const LOOK: u8 = 1;
const WRONG: u8 = 2;
const NO_NETWORK: u8 = 3;

impl Failure {
    /// Who reads what is printed has read enough, as `head` has.
    fn is_enough(&self) -> bool {
        match self {
            Self::Output(error) | Self::Init(init::Failure::Ask(error)) => error.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }

    /// Says what it is, and returns the exit code.
    pub fn tell(&self) -> ExitCode {
        // What was not printed is not known to be well. As other programs do, it ends by the signal that says why.
        if self.is_enough() {
            let _ = emulate_default_handler(SIGPIPE);
        }
        // Where nobody can be told, the code still tells.
        let _ = writeln!(io::stderr(), "error: {}", log::plain_lines(&self.to_string()));
        ExitCode::from(match self {
            Self::Network(_) => NO_NETWORK,
            // A full disk may have room again.
            Self::Ended(_) | Self::Journal(journal::Failure::Io { .. }) => LOOK,
            _ => WRONG,
        })
    }
}

/// Prints lines, of which nothing commands a terminal: some are the words of servers, or names of files.
fn say(lines: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{}", log::plain_lines(&lines.to_string()))
}

/// Prints JSON. Its strings stay what they are, and what could command a terminal is written as JSON escapes it.
fn say_json(value: &impl Serialize) -> io::Result<()> {
    writeln!(io::stdout(), "{}", json(value))
}

fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("what this program reports is JSON");
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() && char != '\n' {
            escaped.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            escaped.push(char);
        }
    }
    escaped
}

pub fn init(path: &Path) -> Result<ExitCode, Failure> {
    init::run(&mut std::io::stdin().lock(), &mut std::io::stdout(), path)?;
    Ok(ExitCode::SUCCESS)
}

/// The files of the keys that a configuration names.
pub fn key_files(config: &Config) -> Vec<PathBuf> {
    files_of_keys(&config.providers).into_keys().map(PathBuf::from).collect()
}

/// Makes keys where there are none, and prints their addresses.
pub fn key(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut lines = vec![];
    for file in files {
        let key = if file.exists() { key::read(file)? } else { key::create(file)? };
        lines.push(format!("{}  {}", key::address(&key), file.display()));
    }
    say(lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A gateway with its keys and its journal.
fn open(config: Config, book: Book) -> Result<Arc<Gateway>, Failure> {
    let keys = files_of_keys(&config.providers)
        .into_iter()
        .map(|(file, providers)| Ok((key::read(file)?, providers)))
        .collect::<Result<Vec<_>, key::Failure>>()?;
    Ok(Arc::new(Gateway::new(config, book, keys)))
}

/// Looks at every provider, and hears its meter until two readings have agreed, for so long at most.
fn settle(gateway: &Gateway, heard: &std::sync::mpsc::Receiver<Heard>, wait: Duration) -> Result<(), Failure> {
    gateway.refresh_clock(Duration::ZERO).map_err(|trouble| Failure::Network(trouble.to_string()))?;
    for key in gateway.keys() {
        for place in &key.providers {
            // What is in the way shows when it is visited again.
            let _ = gateway.visit(key, *place, Mode::DryRun);
        }
    }
    const APART: u64 = 10;
    let end = Instant::now() + wait;
    let places = 0..gateway.config.providers.len();
    let is_settled = |place: usize| {
        let config = &gateway.config.providers[place];
        let has_no_register = matches!(config.meter, Meter::Intervals(_));
        has_no_register
            || gateway.provider(place).meter.trouble(config.max_age(), gateway.clock.now().unwrap_or(0)).is_none()
    };
    let mut times = vec![APART, 0];
    while Instant::now() < end && !gateway.stop.is_stopped() && !places.clone().all(is_settled) {
        let now = gateway.clock.now().unwrap_or(0);
        let at: Vec<_> = times.drain(..).map(|ago| now.saturating_sub(ago)).collect();
        for place in places.clone() {
            simulate(gateway, place, &at).map_err(Failure::Other)?;
        }
        times.push(0);
        if let Ok(heard) = heard.recv_timeout(Duration::from_millis(200)) {
            hear(gateway, heard).map_err(Failure::Other)?;
        } else {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn json_commands_no_terminal_and_keeps_its_strings() {
        let name = "Zoe\u{308} \u{9b}2J\u{1b}[2J\u{7f}";
        let text = json(&[name]);
        assert_eq!(text, "[\n  \"Zoe\u{308} \\u009b2J\\u001b[2J\\u007f\"\n]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [name]);
    }
}
