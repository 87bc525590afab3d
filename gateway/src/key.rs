//! The file of the meter's secret key: one line, an `S...` strkey. Whoever has it can record deliveries in the household's
//! name, so nothing here shows it, in errors neither.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use stellar_strkey::ed25519::{PrivateKey, PublicKey};
use thiserror::Error;
use zeroize::Zeroizing;

#[derive(Debug, Error)]
pub enum Failure {
    #[error("cannot use the key file {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("there is no key file {0}: `p2p-gateway key` makes one")]
    Absent(PathBuf),
    #[error("there is already a key file {0}, and it stays as it is")]
    Exists(PathBuf),
    #[error("the key file {path} has the mode {mode:04o}, so others may read it: chmod 600 {path}")]
    Open { path: PathBuf, mode: u32 },
    #[error("the key file {path} {what}; it holds one line, the meter's secret key, which begins with S")]
    NoKey { path: PathBuf, what: &'static str },
}

/// Bytes that a key file may have: a line, and what an editor adds.
const MOST_BYTES: usize = 1_000;

/// Makes a key, which only the file's owner may read. When it returns, the key is on the disk.
pub fn create(path: &Path) -> Result<SigningKey, Failure> {
    let key = generate().map_err(|error| Failure::Io { path: path.into(), error })?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists(path.into()),
        _ => Failure::Io { path: path.into(), error },
    })?;
    let line = Zeroizing::new(stellar_strkey::Unredacted(&PrivateKey(key.to_bytes())).to_string());
    let written = file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| sync_folder(path)) {
        // Half a key is worth nothing, and would be in the way of the next attempt.
        let _ = fs::remove_file(path);
        return Err(Failure::Io { path: path.into(), error });
    }
    Ok(key)
}

/// Reads a key that nobody but its owner may read. What systemd hands over in $CREDENTIALS_DIRECTORY is in its care.
pub fn read(path: &Path) -> Result<SigningKey, Failure> {
    read_below(path, std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).as_deref())
}

fn read_below(path: &Path, credentials: Option<&Path>) -> Result<SigningKey, Failure> {
    const OTHERS: u32 = 0o077;
    const MODE: u32 = 0o7777;
    let no_key = |what| Failure::NoKey { path: path.into(), what };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Absent(path.into()),
        _ => Failure::Io { path: path.into(), error },
    };
    // Before it is opened: to open a pipe would wait for who writes to it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(no_key("is no file"));
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & MODE;
    let is_credential = credentials.is_some_and(|folder| path.starts_with(folder));
    if mode & OTHERS != 0 && !is_credential {
        return Err(Failure::Open { path: path.into(), mode });
    }
    // With its whole room from the start: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    parse(&text).map_err(no_key)
}

/// The key in this text, or what is there in its place.
fn parse(text: &[u8]) -> Result<SigningKey, &'static str> {
    const WORDS: usize = 12;
    if text.len() > MOST_BYTES {
        return Err("is too long for a key");
    }
    let line = text.trim_ascii();
    if line.is_empty() {
        return Err("is empty");
    }
    if let Ok(key) = PrivateKey::from_slice(line) {
        return Ok(SigningKey::from_bytes(&key.0));
    }
    let text = std::str::from_utf8(line).unwrap_or_default();
    Err(if PublicKey::from_string(text).is_ok() {
        "holds an address (G...), not the secret key of it"
    } else if text.split_whitespace().count() >= WORDS {
        "holds the words of a wallet: these open all of its accounts, and a meter has a key of its own"
    } else if text.starts_with('S') && !text.contains(char::is_whitespace) {
        "holds a secret key with a character that is wrong, or missing"
    } else {
        "holds no secret key"
    })
}

/// The account that this key signs for.
pub fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

/// The same as people and the contract's admin are told it: G...
pub fn address(key: &SigningKey) -> String {
    PublicKey(public(key)).to_string().as_str().into()
}

fn generate() -> io::Result<SigningKey> {
    let mut seed = Zeroizing::new([0; 32]);
    // The kernel answers so few bytes whole, as soon as it has collected enough randomness after its start.
    let count = rustix::rand::getrandom(&mut *seed, rustix::rand::GetRandomFlags::empty())?;
    if count != seed.len() {
        return Err(io::Error::other("the system gave too little randomness"));
    }
    Ok(SigningKey::from_bytes(&seed))
}

/// After a power cut a file is there only if its folder says so.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A secret that belongs to nobody.
    const SEED: [u8; 32] = [1; 32];

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("p2p-gateway-key-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn secret() -> String {
        stellar_strkey::Unredacted(&PrivateKey(SEED)).to_string().as_str().into()
    }

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_created_key_is_read_back_and_only_its_owner_may_read_it() {
        let path = folder("create").join("meter.key");
        let key = create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(read(&path).unwrap(), key);
        assert_eq!(fs::read_to_string(&path).unwrap().len(), 57);
        assert_eq!(PublicKey::from_string(&address(&key)).unwrap().0, public(&key));
    }

    #[test]
    fn two_keys_are_not_alike() {
        let folder = folder("two");
        let [one, two] = ["1", "2"].map(|name| create(&folder.join(name)).unwrap());
        assert_ne!(one, two);
    }

    #[test]
    fn a_key_that_exists_is_not_replaced() {
        let path = folder("exists").join("meter.key");
        fs::write(&path, "something").unwrap();
        assert!(matches!(create(&path), Err(Failure::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "something");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let path = folder("open").join("meter.key");
        for mode in [0o640, 0o604, 0o660, 0o644, 0o622, 0o601] {
            write(&path, &secret(), mode);
            let shown = read_below(&path, None).unwrap_err().to_string();
            let path = path.display();
            let expected =
                format!("the key file {path} has the mode {mode:04o}, so others may read it: chmod 600 {path}");
            assert_eq!(shown, expected);
        }
        for mode in [0o600, 0o400] {
            write(&path, &secret(), mode);
            assert_eq!(read_below(&path, None).unwrap().to_bytes(), SEED);
        }
    }

    #[test]
    fn what_systemd_hands_over_is_in_its_care() {
        let folder = folder("credential");
        let path = folder.join("meter.key");
        write(&path, &secret(), 0o440);
        assert_eq!(read_below(&path, Some(&folder)).unwrap().to_bytes(), SEED);
        assert!(matches!(read_below(&path, Some(&folder.join("other"))), Err(Failure::Open { mode: 0o440, .. })));
    }

    #[test]
    fn spaces_around_a_key_do_not_matter() {
        for text in [format!("{}\r\n", secret()), format!("\n  {}", secret()), secret()] {
            assert_eq!(parse(text.as_bytes()).unwrap().to_bytes(), SEED);
        }
    }

    #[test]
    fn what_is_no_key_is_named_and_never_shown() {
        let path = folder("wrong").join("meter.key");
        let key = SigningKey::from_bytes(&SEED);
        let misspelt = secret().replace('S', "T").replacen('T', "S", 1) + "A";
        let words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        for (text, what) in [
            (String::new(), "is empty"),
            (" \n\n".into(), "is empty"),
            (address(&key), "holds an address (G...), not the secret key of it"),
            (
                words.into(),
                "holds the words of a wallet: these open all of its accounts, and a meter has a key of its own",
            ),
            (misspelt, "holds a secret key with a character that is wrong, or missing"),
            (secret()[..55].into(), "holds a secret key with a character that is wrong, or missing"),
            (secret().to_lowercase(), "holds no secret key"),
            (format!("key = \"{}\"", secret()), "holds no secret key"),
            (format!("{0}\n{0}", secret()), "holds no secret key"),
            ("0".repeat(64), "holds no secret key"),
            ("x".repeat(MOST_BYTES + 1), "is too long for a key"),
        ] {
            write(&path, &text, 0o600);
            let failure = read(&path).unwrap_err();
            let expected = format!(
                "the key file {} {what}; it holds one line, the meter's secret key, which begins with S",
                path.display()
            );
            assert_eq!(failure.to_string(), expected);
            for shown in [failure.to_string(), format!("{failure:?}")] {
                assert!(text.trim().is_empty() || !shown.contains(text.trim()), "{shown}");
            }
        }
    }

    #[test]
    fn a_folder_and_nothing_are_no_key_files() {
        let folder = folder("none");
        assert!(matches!(read(&folder), Err(Failure::NoKey { what: "is no file", .. })));
        assert!(matches!(read(&folder.join("absent")), Err(Failure::Absent(_))));
    }

    #[test]
    fn a_key_shows_no_secret_when_it_is_printed_for_debugging() {
        let key = SigningKey::from_bytes(&SEED);
        let shown = format!("{key:?}");
        assert!(!shown.contains(&secret()) && !shown.contains("1, 1, 1"), "{shown}");
    }
}
