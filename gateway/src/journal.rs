//! What has to outlive the program, one JSON object a line: a person can read it, and half a line tells that nothing came
//! of it. Whatever is decided by it happens only after its line is on the disk.

use std::fs::{File, OpenOptions, TryLockError};
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
    #[error("line {line} of the journal {path} cannot be read: {reason}; it was changed by another program")]
    Unreadable { path: PathBuf, line: usize, reason: serde_json::Error },
}

/// A file of entries, of which one program at a time appends to the end.
pub struct Journal<T> {
    path: PathBuf,
    file: File,
    entries: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens it, or begins it, and returns what it holds. A last line that is torn was being written when the program
    /// ended, so nothing was done because of it: it is dropped.
    pub fn open(path: &Path) -> Result<(Self, Vec<T>), Failure> {
        let failed = |error| Failure::Io { path: path.to_path_buf(), error };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Failure::InUse(path.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = vec![];
        file.read_to_end(&mut text).map_err(failed)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        // A file that was created just now is there after a power cut only if its folder says so.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        let lines = text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate();
        let entries = lines.map(|(index, line)| {
            let unreadable = |reason| Failure::Unreadable { path: path.to_path_buf(), line: index + 1, reason };
            serde_json::from_slice(line).map_err(unreadable)
        });
        let entries = entries.collect::<Result<_, _>>()?;
        Ok((Self { path: path.to_path_buf(), file, entries: PhantomData }, entries))
    }

    /// Returns when the entry is on the disk.
    pub fn append(&mut self, entry: &T) -> Result<(), Failure> {
        let failed = |error| Failure::Io { path: self.path.clone(), error };
        let mut line = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)?;
        self.file.sync_data().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
        let path = path("torn");
        let whole = "[1,2]\n[3,4]\n";
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
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
        fs::write(&path, "1\nx\n3\n").unwrap();
        let failure = Journal::<u64>::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(failure, Failure::Unreadable { line: 2, .. }), "{failure}");
    }

    #[test]
    fn a_second_gateway_cannot_use_it() {
        let path = path("second");
        let (_first, _) = Journal::<u64>::open(&path).unwrap();
        let failure = Journal::<u64>::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(failure, Failure::InUse(_)), "{failure}");
    }
}
