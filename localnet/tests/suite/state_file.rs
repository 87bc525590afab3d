//! Networks that go on where they were.

use std::fs::{read, write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::*;
use localnet::ledger::Ledger;
use localnet::xdr::*;
use localnet::Options;

/// A file that is gone with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("localnet-{name}-{}.state", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn open(path: &Path) -> Client {
    let mut client = Client::new();
    client.ledger.attach(path).unwrap();
    client
}

#[test]
fn a_restarted_network_has_the_same_state_and_history() {
    let file = File::new("restart");
    let (alice, bob) = (key(1), key(2));
    let mut client = open(&file.0);
    client.fund(&alice).unwrap();
    client.fund(&bob).unwrap();
    client.ledger.advance(500).unwrap();
    let contract = client.deploy_asset(&alice, Asset::Native);
    let args = vec![address(&alice), ScVal::Address(ScAddress::Contract(ContractId(Hash([9; 32])))), amount(3)];
    client.invoke(&alice, call_contract(&contract, "transfer", args.clone()), &[]);
    let until = ScVal::U32(client.ledger.seq() + 1000);
    let allow = vec![address(&alice), address(&bob), amount(50), until];
    client.invoke(&alice, call_contract(&contract, "approve", allow), &[]);
    let everything = |client: &mut Client| {
        let transactions = client.call("getTransactions", json!({ "startLedger": 1 }))["transactions"].clone();
        let events = client.call("getEvents", json!({ "startLedger": 1 }))["events"].clone();
        (transactions, events, client.account(&alice), client.account(&bob), client.ledger.header().clone())
    };
    let before = everything(&mut client);
    assert!(client.ledger.options.ledger_seconds == 0 && before.1.as_array().unwrap().len() >= 2);
    let time = client.ledger.time();
    drop(client);
    // Twice, as the first start writes the file anew.
    for _ in 0..2 {
        let mut again = open(&file.0);
        assert_eq!(everything(&mut again), before);
        assert_eq!(again.ledger.time(), time);
        let allowance = call_contract(&contract, "allowance", vec![address(&alice), address(&bob)]);
        assert_eq!(again.read(&alice, allowance), amount(50));
    }
    // It goes on, and what is archived meanwhile is restored by use.
    let mut again = open(&file.0);
    again.ledger.advance(200 * 86_400).unwrap();
    let restored = again.invoke(&alice, call_contract(&contract, "transfer", args.clone()), &[]);
    assert_eq!(restored["status"], "SUCCESS", "{}", result(&restored));
    let account = again.account(&alice);
    drop(again);
    let mut last = open(&file.0);
    assert_eq!(last.account(&alice), account);
    let sent = last.invoke(&alice, call_contract(&contract, "transfer", args), &[]);
    assert_eq!(sent["status"], "SUCCESS", "{}", result(&sent));
}

#[test]
fn a_line_that_was_cut_off_is_removed() {
    let file = File::new("cut");
    let alice = key(1);
    let mut client = open(&file.0);
    client.fund(&alice).unwrap();
    client.fund(&key(2)).unwrap();
    drop(client);
    let whole = read(&file.0).unwrap();
    write(&file.0, &whole[..whole.len() - 10]).unwrap();
    let mut again = open(&file.0);
    assert_eq!(again.account(&alice).balance, 100_000_000_000);
    let second = LedgerKey::Account(LedgerKeyAccount { account_id: account(&key(2)) });
    assert!(again.entry(&second).is_none());
    again.fund(&key(2)).unwrap();
    drop(again);
    assert!(open(&file.0).entry(&second).is_some());
}

#[test]
fn a_file_is_one_networks_at_a_time() {
    let file = File::new("second");
    let mut first = open(&file.0);
    let refused = || format!("{:#}", Client::new().ledger.attach(&file.0).unwrap_err());
    assert!(refused().starts_with("another network uses it"), "{}", refused());
    // Also after a start that wrote it anew.
    first.fund(&key(1)).unwrap();
    drop(first);
    let again = open(&file.0);
    assert!(refused().starts_with("another network uses it"), "{}", refused());
    drop(again);
    open(&file.0);
}

#[test]
fn a_file_of_somebody_elses_is_left_as_it_is() {
    let file = File::new("other");
    for text in ["a secret without a newline", "{\"passphrase\":\"Another", "a line\n"] {
        write(&file.0, text).unwrap();
        assert!(Client::new().ledger.attach(&file.0).is_err());
        assert_eq!(read(&file.0).unwrap(), text.as_bytes());
    }
    // The first line of its own may have been cut off.
    write(&file.0, "{\"passphrase\":\"Stand").unwrap();
    open(&file.0);
}

#[test]
fn a_broken_line_and_another_network_are_said() {
    let file = File::new("broken");
    let mut client = open(&file.0);
    client.fund(&key(1)).unwrap();
    drop(client);
    let mut other = Ledger::new(Options { passphrase: "Another Network".into(), ..Options::default() }).unwrap();
    let error = format!("{:#}", other.attach(&file.0).unwrap_err());
    assert!(error.contains("it is of another network"), "{error}");
    let mut text = String::from_utf8(read(&file.0).unwrap()).unwrap();
    text.insert_str(text.find('\n').unwrap() + 1, "{}\n");
    write(&file.0, text).unwrap();
    let error = format!("{:#}", Client::new().ledger.attach(&file.0).unwrap_err());
    assert!(error.starts_with("line 2"), "{error}");
}

/// Six households, thirty days, some seventeen calls a day each.
#[test]
fn a_month_of_a_neighbourhood_is_read_in_seconds() {
    let file = File::new("month");
    let (alice, bob) = (key(1), key(2));
    let mut client = open(&file.0);
    client.fund(&alice).unwrap();
    client.fund(&bob).unwrap();
    let contract = client.deploy_asset(&alice, Asset::Native);
    for _ in 0..30 {
        for _ in 0..100 {
            let args = vec![address(&alice), address(&bob), amount(1)];
            client.invoke(&alice, call_contract(&contract, "transfer", args), &[]);
        }
        client.ledger.advance(86_400).unwrap();
    }
    let account = client.account(&alice);
    drop(client);
    for start in ["after all of it", "after being written anew"] {
        let begin = Instant::now();
        let mut again = open(&file.0);
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(10), "{start}: {took:?}");
        assert_eq!(again.account(&alice), account);
    }
}
