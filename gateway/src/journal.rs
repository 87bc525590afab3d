//! What has to outlive the program, one JSON object a line: a person can read it, and half a line tells that nothing came
//! of it. Whatever is decided by it happens only after its line is on the disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::Serialize;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Failure {
    #[error("cannot use the journal {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("another gateway uses the journal {0}")]
    InUse(PathBuf),
    #[error("{0} is no journal, and is left as it is")]
    NoJournal(PathBuf),
    #[error("line {line} of the journal {path} cannot be read: {reason}; it was changed by another program")]
    Unreadable { path: PathBuf, line: usize, reason: serde_json::Error },
}

/// The first line of every journal.
const HEADER: &[u8] = b"\"p2p-gateway journal 1\"\n";

/// A file of entries, of which one program at a time appends to the end.
pub struct Journal<T> {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines. Behind them may be what was written in part.
    whole: u64,
    entries: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens it, or begins it, and returns what it holds. A last line that is torn was being written when the program
    /// ended, so nothing was done because of it: it is dropped.
    pub fn open(path: &Path) -> Result<(Self, Vec<T>), Failure> {
        let failed = |error| Failure::Io { path: path.to_path_buf(), error };
        if !path.exists() {
            begin(path).map_err(failed)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Failure::InUse(path.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let (entries, whole) = parse(&mut file, path)?;
        let mut journal = Self { path: path.to_path_buf(), file, whole, entries: PhantomData };
        journal.drop_torn().map_err(failed)?;
        Ok((journal, entries))
    }

    /// What it holds, also while another program appends to it.
    pub fn read(path: &Path) -> Result<Vec<T>, Failure> {
        let mut file = File::open(path).map_err(|error| Failure::Io { path: path.to_path_buf(), error })?;
        parse(&mut file, path).map(|(entries, _)| entries)
    }

    /// Bytes on the disk.
    pub fn length(&self) -> u64 {
        self.whole
    }

    /// Begins anew with these entries. The journal of before is kept beside it, as `.old`.
    pub fn replace(&mut self, entries: &[T]) -> Result<(), Failure> {
        self.swap(entries).map_err(|error| Failure::Io { path: self.path.clone(), error })
    }

    fn swap(&mut self, entries: &[T]) -> io::Result<()> {
        let (new, old) = (beside(&self.path, ".new"), beside(&self.path, ".old"));
        let mut text = HEADER.to_vec();
        for entry in entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new)?;
        file.try_lock()?;
        file.write_all(&text)?;
        file.sync_all()?;
        // There is a whole journal under the name at every moment.
        let _ = fs::remove_file(&old);
        fs::hard_link(&self.path, &old)?;
        fs::rename(&new, &self.path)?;
        sync_folder(&self.path)?;
        self.file = file;
        self.whole = text.len() as u64;
        Ok(())
    }

    /// Returns when the entry is on the disk. After a failure the next entry takes the place of what was written in part.
    pub fn append(&mut self, entry: &T) -> Result<(), Failure> {
        self.write(entry).map_err(|error| Failure::Io { path: self.path.clone(), error })
    }

    fn write(&mut self, entry: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.drop_torn()?;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.whole += line.len() as u64;
        Ok(())
    }

    fn drop_torn(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() > self.whole {
            self.file.set_len(self.whole)?;
            self.file.sync_all()?;
        }
        self.file.seek(SeekFrom::Start(self.whole)).map(|_| ())
    }
}

/// The entries of its whole lines, and how many bytes those are with the first line.
fn parse<T: DeserializeOwned>(file: &mut File, path: &Path) -> Result<(Vec<T>, u64), Failure> {
    let mut text = vec![];
    file.read_to_end(&mut text).map_err(|error| Failure::Io { path: path.to_path_buf(), error })?;
    let Some(text) = text.strip_prefix(HEADER) else {
        return Err(Failure::NoJournal(path.to_path_buf()));
    };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate();
    let entries = lines.map(|(index, line)| {
        let unreadable = |reason| Failure::Unreadable { path: path.to_path_buf(), line: index + 2, reason };
        serde_json::from_slice(line).map_err(unreadable)
    });
    Ok((entries.collect::<Result<_, _>>()?, (HEADER.len() + whole) as u64))
}

/// A new journal is whole, or not there: so a file without its first line is somebody else's.
fn begin(path: &Path) -> io::Result<()> {
    let new = beside(path, ".new");
    let mut file = File::create(&new)?;
    file.write_all(HEADER)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(end);
    name.into()
}

/// After a power cut a file is there only if its folder says so.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("p2p-gateway-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    #[test]
    fn what_was_appended_is_there_after_a_restart() {
        let path = path("restart");
        let (mut journal, entries) = Journal::<u64>::open(&path).unwrap();
        assert!(entries.is_empty());
        journal.append(&1).unwrap();
        journal.append(&2).unwrap();
        drop(journal);
        let (mut journal, entries) = Journal::<u64>::open(&path).unwrap();
        assert_eq!(entries, [1, 2]);
        journal.append(&3).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "\"p2p-gateway journal 1\"\n1\n2\n3\n");
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
        let path = path("torn");
        let whole = "[1,2]\n[3,4]\n";
        for length in 0..=whole.len() {
            fs::write(&path, [HEADER, &whole.as_bytes()[..length]].concat()).unwrap();
            let (mut journal, entries) = Journal::<Vec<u64>>::open(&path).unwrap();
            let kept = whole[..length].matches('\n').count();
            assert_eq!(entries, [vec![1, 2], vec![3, 4]][..kept]);
            journal.append(&vec![5]).unwrap();
            drop(journal);
            let (_, entries) = Journal::<Vec<u64>>::open(&path).unwrap();
            assert_eq!((entries.len(), entries.last()), (kept + 1, Some(&vec![5])));
        }
    }

    #[test]
    fn a_line_that_somebody_changed_is_an_error_that_names_it() {
        let path = path("changed");
        fs::write(&path, [HEADER, b"1\nx\n3\n"].concat()).unwrap();
        let failure = Journal::<u64>::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(failure, Failure::Unreadable { line: 3, .. }), "{failure}");
    }

    #[test]
    fn an_entry_that_was_written_in_part_does_not_spoil_the_next() {
        let path = path("part");
        let (mut journal, _) = Journal::<u64>::open(&path).unwrap();
        journal.append(&1).unwrap();
        // What a full disk leaves behind.
        journal.file.write_all(b"2").unwrap();
        journal.append(&3).unwrap();
        drop(journal);
        assert_eq!(Journal::<u64>::open(&path).unwrap().1, [1, 3]);
    }

    #[test]
    fn a_file_of_somebody_elses_is_left_as_it_is() {
        let path = path("other");
        for text in ["", "a secret without a newline", "1\n2\n"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(Journal::<u64>::open(&path).map(|_| ()).unwrap_err(), Failure::NoJournal(_)));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn it_can_begin_anew_and_keeps_what_was_before() {
        let path = path("anew");
        let (mut journal, _) = Journal::<u64>::open(&path).unwrap();
        for entry in 0..5 {
            journal.append(&entry).unwrap();
        }
        journal.replace(&[10]).unwrap();
        journal.append(&11).unwrap();
        let failure = Journal::<u64>::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(failure, Failure::InUse(_)), "{failure}");
        drop(journal);
        assert_eq!(Journal::<u64>::open(&path).unwrap().1, [10, 11]);
        assert_eq!(Journal::<u64>::read(&beside(&path, ".old")).unwrap(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_second_gateway_cannot_use_it() {
        let path = path("second");
        let (_first, _) = Journal::<u64>::open(&path).unwrap();
        let failure = Journal::<u64>::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(failure, Failure::InUse(_)), "{failure}");
    }
}
