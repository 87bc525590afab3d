//! One line for each event on the standard error. systemd's journal gets its levels; elsewhere they are words, after the
//! time.

use std::fmt::Display;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A person has to look.
    Error,
    /// It goes on, though something is not as it should be.
    Warning,
    Info,
}

pub fn error(event: impl Display) {
    write(Level::Error, event);
}

pub fn warning(event: impl Display) {
    write(Level::Warning, event);
}

pub fn info(event: impl Display) {
    write(Level::Info, event);
}

fn write(level: Level, event: impl Display) {
    static IS_JOURNAL: OnceLock<bool> = OnceLock::new();
    let is_journal = *IS_JOURNAL.get_or_init(|| is_journal(std::env::var("JOURNAL_STREAM").ok().as_deref()));
    let time = (!is_journal).then(Timestamp::now);
    // If nobody can be told, it goes on: to record deliveries matters more.
    let _ = std::io::stderr().write_all(line(level, time, &event.to_string()).as_bytes());
}

/// systemd names the device and inode of the pipe that it reads. What was redirected to a file is another one.
fn is_journal(stream: Option<&str>) -> bool {
    let Some((device, inode)) = stream.and_then(|stream| stream.split_once(':')) else {
        return false;
    };
    let stderr = std::fs::metadata("/dev/stderr");
    stderr.is_ok_and(|stderr| (device, inode) == (&*stderr.dev().to_string(), &*stderr.ino().to_string()))
}

fn line(level: Level, time: Option<Timestamp>, event: &str) -> String {
    let (number, word) = match level {
        Level::Error => (3, "error"),
        Level::Warning => (4, "warning"),
        Level::Info => (6, "info"),
    };
    let event = plain(event);
    match time {
        Some(time) => format!("{} {word}: {event}\n", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
        None => format!("<{number}>{event}\n"),
    }
}

/// A text on one line, of which nothing commands a terminal or changes how it reads. A secret key in it is hidden.
pub fn plain(text: &str) -> String {
    let escaped = text.chars().flat_map(|c| {
        let is_plain = matches!(c, '\'' | '"' | '\\');
        let escape = (!is_plain).then(|| c.escape_debug());
        escape.into_iter().flatten().chain(is_plain.then_some(c))
    });
    hide_secrets(escaped.collect())
}

/// The same of a text that has several lines.
pub fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// What is written as a secret key, 56 characters of base32 that begin with S, with what it may be part of.
fn hide_secrets(text: String) -> String {
    const LENGTH: usize = 56;
    let is_base32 = |c: char| matches!(c, 'A'..='Z' | '2'..='7');
    let is_secret = |word: &str| word.len() >= LENGTH && word.starts_with('S');
    if !text.split(|c| !is_base32(c)).any(is_secret) {
        return text;
    }
    let mut hidden = String::new();
    for part in text.split_inclusive(|c| !is_base32(c)) {
        let word = part.trim_end_matches(|c| !is_base32(c));
        hidden.push_str(if is_secret(word) { "S…" } else { word });
        hidden.push_str(&part[word.len()..]);
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_its_level() {
        let time = "2026-03-01T21:30:00.9Z".parse().unwrap();
        assert_eq!(line(Level::Error, Some(time), "no money"), "2026-03-01T21:30:00Z error: no money\n");
        assert_eq!(line(Level::Warning, Some(time), "held"), "2026-03-01T21:30:00Z warning: held\n");
        assert_eq!(line(Level::Info, Some(time), "done"), "2026-03-01T21:30:00Z info: done\n");
        assert_eq!(line(Level::Error, None, "no money"), "<3>no money\n");
        assert_eq!(line(Level::Warning, None, "held"), "<4>held\n");
        assert_eq!(line(Level::Info, None, "done"), "<6>done\n");
    }

    #[test]
    fn a_strangers_text_stays_on_its_line_and_commands_no_terminal() {
        assert_eq!(plain("a\nb\r\tc\u{1b}[2Jd\u{202e}e\0"), "a\\nb\\r\\tc\\u{1b}[2Jd\\u{202e}e\\0");
        assert_eq!(plain("Böb's \"house\" \\ 電"), "Böb's \"house\" \\ 電");
        assert_eq!(line(Level::Info, None, "x\n<0>y"), "<6>x\\n<0>y\n");
        assert_eq!(plain_lines("\na\r\nb\u{9b}2J\n"), "\na\nb\\u{9b}2J");
    }

    #[test]
    fn a_secret_key_is_hidden_wherever_it_comes_from() {
        let secret = "S".to_string() + &"A2".repeat(27) + "B";
        assert_eq!(secret.len(), 56);
        assert_eq!(plain(&format!("key = \"{secret}\".")), "key = \"S…\".");
        assert_eq!(plain(&format!("{secret}\n{secret}")), "S…\\nS…");
        let address = secret.replacen('S', "G", 1);
        assert_eq!(plain(&address), address);
        let short = &secret[..55];
        assert_eq!(plain(short), short);
    }

    #[test]
    fn only_the_stream_that_systemd_names_is_its_journal() {
        let stderr = std::fs::metadata("/dev/stderr").unwrap();
        assert!(is_journal(Some(&format!("{}:{}", stderr.dev(), stderr.ino()))));
        assert!(!is_journal(Some(&format!("{}:{}", stderr.dev(), stderr.ino() + 1))));
        assert!(!is_journal(Some("")));
        assert!(!is_journal(None));
    }
}
