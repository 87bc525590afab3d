//! The program is killed wherever it can be, its disk is lost or old, and others use its key: the chain has each kWh once.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use p2p_gateway::energy::Energy;
use p2p_gateway::gateway::{Mode, Trouble};
use p2p_gateway::input::Sample;

use crate::household::{House, Household};
use crate::network::{address, Network};
use crate::program::{explain, once, Program, ONCE};
use crate::proxy::Fault;

const SIMULATE: &str = "simulateTransaction deliver_energy";
const SEND: &str = "sendTransaction";
const FIND: &str = "getTransaction";

/// A household whose program has opened Bob's account, and a day's sun is due.
fn house(name: &str) -> House {
    house_with(name, &[], "")
}

fn house_with(name: &str, args: &[&str], top: &str) -> House {
    let mut house = House::new(name, args, top);
    house.night();
    let ended = once(folder(&house));
    assert!(ended.status.success(), "{}", ended.text);
    house.opened_now();
    house.night();
    house
}

fn folder(house: &House) -> &Path {
    &house.scene.folder
}

fn journal(house: &House) -> PathBuf {
    folder(house).join("journal")
}

fn lines(house: &House) -> usize {
    std::fs::read_to_string(journal(house)).unwrap().lines().count()
}

/// Runs it, and kills it at the first request of this name.
fn dies(house: &House, name: &'static str, fault: fn(Program) -> Fault) {
    let program = Program::default();
    house.proxy.fault(name, 1, fault(program.clone()));
    program.start(folder(house), &[], &ONCE);
    let ended = program.wait(folder(house));
    assert!(ended.was_killed(), "{} {}", ended.status, ended.text);
    house.proxy.heal();
}

fn before(program: Program) -> Fault {
    Fault::instead(move || program.kill())
}

fn after(program: Program) -> Fault {
    Fault::after(move || program.kill())
}

/// The next run leaves the chain exact, and the one after it has nothing to do.
fn goes_on(house: &House) {
    let ended = once(folder(house));
    assert!(ended.status.success(), "{}", ended.text);
    house.assert_exact();
    let sent = house.proxy.count(SEND);
    let ended = once(folder(house));
    assert!(ended.status.success() && ended.text.contains("nothing is due"), "{}", ended.text);
    assert_eq!(house.proxy.count(SEND), sent);
    house.assert_exact();
}

/// What `explain` says adds up to what the chain has, delivery by delivery.
fn is_explained(house: &House, agreement: u64) {
    let explained = explain(folder(house), agreement);
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    let total: u64 = explained.iter().map(|line| number(&line["energy_kwh"])).sum();
    assert_eq!(total, house.scene.delivered(agreement));
    for line in &explained {
        let calls = line["calls"].as_array().unwrap();
        let of_calls: u64 = calls.iter().map(|call| number(&call["energy_kwh"])).sum();
        assert_eq!(of_calls, number(&line["energy_kwh"]), "{line}");
    }
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_is_killed_before_it_signs() {
    let house = house("simulating");
    dies(&house, SIMULATE, before);
    assert_eq!((house.proxy.count(SEND), house.scene.delivered(house.agreement)), (0, 0));
    goes_on(&house);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_is_killed_after_it_signs_and_before_the_network_has_it() {
    let house = house("signed");
    dies(&house, SEND, before);
    assert_eq!(house.scene.delivered(house.agreement), 0);
    goes_on(&house);
    // It was the same envelope.
    let sent = house.proxy.requests(SEND);
    assert_eq!((sent.len(), &sent[0].body), (2, &sent[1].body));
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_is_killed_when_the_network_has_it_and_it_does_not_know() {
    let house = house("sent");
    dies(&house, SEND, after);
    house.assert_exact();
    goes_on(&house);
    assert_eq!(house.proxy.count(SEND), 1);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_is_killed_before_it_learns_that_it_was_recorded() {
    let house = house("recorded");
    dies(&house, FIND, after);
    house.assert_exact();
    // Before it starts again the chain tells what its journal does not.
    is_explained(&house, house.agreement);
    goes_on(&house);
    assert_eq!(house.proxy.count(SEND), 1);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_is_killed_and_found_days_later() {
    let house = house_with("days", &["--retention-ledgers", "100"], "");
    dies(&house, SEND, after);
    house.assert_exact();
    // The network remembers the call no more; the contract does.
    house.night();
    house.night();
    goes_on(&house);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn what_was_signed_and_never_sent_is_given_up_when_its_time_is_over() {
    let house = house("gone");
    dies(&house, SEND, before);
    house.night();
    let ended = once(folder(&house));
    assert!(ended.text.contains("did not reach the ledger in its time"), "{}", ended.text);
    goes_on(&house);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_is_killed_between_two_agreements_of_one_evening() {
    // The first has room for 2 kWh; the rest of the day is the next one's.
    let mut house = House::of("between", &[], "", 2);
    let first = house.agreement;
    house.agreement = house.scene.agree(500);
    house.scene.fund(house.agreement);
    house.night();
    assert!(once(folder(&house)).status.success());
    house.opened_now();
    house.night();
    let program = Program::default();
    house.proxy.later(SEND, 1, 1, before(program.clone()));
    program.start(folder(&house), &[], &ONCE);
    assert!(program.wait(folder(&house)).was_killed());
    house.proxy.heal();
    assert_eq!((house.scene.delivered(first), house.scene.delivered(house.agreement)), (2, 0));
    let ended = once(folder(&house));
    assert!(ended.status.success(), "{}", ended.text);
    let truth = house.truth();
    assert!(truth > 2, "{truth}");
    assert_eq!((house.scene.delivered(first), house.scene.delivered(house.agreement)), (2, truth - 2));
    house.assert_paid(truth);
    is_explained(&house, first);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn half_a_line_of_the_journal_is_nothing() {
    let house = house("torn");
    // Power was lost while a line was being written, and so before its call was sent.
    for part in [1, 50, 99] {
        let before = std::fs::read(journal(&house)).unwrap().len();
        dies(&house, SEND, self::before);
        let whole = std::fs::read(journal(&house)).unwrap();
        let line = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        assert!(line >= before, "it was signed");
        std::fs::write(journal(&house), &whole[..line + (whole.len() - line) * part / 100]).unwrap();
        let ended = once(folder(&house));
        assert!(ended.status.success(), "{}", ended.text);
        house.assert_exact();
        is_explained(&house, house.agreement);
        house.night();
    }
    goes_on(&house);
    is_explained(&house, house.agreement);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn without_its_journal_it_goes_on_from_the_chain_and_delivers_no_kwh_twice() {
    let house = house("lost");
    for killed in [after, before] {
        dies(&house, SEND, killed);
        std::fs::remove_file(journal(&house)).unwrap();
        let before = house.scene.delivered(house.agreement);
        let ended = once(folder(&house));
        assert!(ended.status.success(), "{}", ended.text);
        let (recorded, truth) = (house.scene.delivered(house.agreement), house.truth());
        assert!(recorded >= before && recorded <= truth, "{recorded} of {truth}");
        // Each loss costs the fraction of a kWh that nothing tells, on either side.
        assert!(truth - recorded <= 2, "{recorded} of {truth}");
        house.assert_paid(recorded);
        house.night();
    }
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_old_journal_that_is_restored_repeats_nothing() {
    let house = house("backup");
    let backup = folder(&house).join("backup");
    std::fs::copy(journal(&house), &backup).unwrap();
    for _ in 0..3 {
        goes_on(&house);
        house.night();
    }
    std::fs::copy(&backup, journal(&house)).unwrap();
    goes_on(&house);
    // One that ends with a call on its way, of which the network has long been told.
    house.night();
    dies(&house, SEND, after);
    std::fs::copy(journal(&house), &backup).unwrap();
    for _ in 0..2 {
        goes_on(&house);
        house.night();
    }
    std::fs::copy(&backup, journal(&house)).unwrap();
    goes_on(&house);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_old_journal_that_is_restored_counts_nothing_by_a_share_of_before() {
    let house = house("backup-share");
    goes_on(&house);
    let backup = folder(&house).join("backup");
    std::fs::copy(journal(&house), &backup).unwrap();
    let by_half = house.truth();
    let config = std::fs::read_to_string(folder(&house).join("gateway.toml")).unwrap();
    std::fs::write(folder(&house).join("gateway.toml"), config.replace("share = 0.5", "share = 0.25")).unwrap();
    for _ in 0..2 {
        house.night();
        assert!(once(folder(&house)).status.success());
    }
    std::fs::copy(&backup, journal(&house)).unwrap();
    house.night();
    assert!(once(folder(&house)).status.success());
    let (delivered, most) = (house.scene.delivered(house.agreement), (by_half + house.truth()).div_ceil(2));
    assert!(by_half < delivered && delivered <= most, "{by_half} < {delivered} <= {most}");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn two_gateways_with_one_key_pay_nothing_twice() {
    let house = house("two");
    let second = folder(&house).join("second");
    std::fs::create_dir_all(&second).unwrap();
    for file in ["gateway.toml", "meter.key"] {
        std::fs::copy(folder(&house).join(file), second.join(file)).unwrap();
    }
    for _ in 0..4 {
        let programs = [folder(&house), &second].map(|folder| {
            let program = Program::default();
            program.start(folder, &[], &ONCE);
            (program, folder)
        });
        for (program, folder) in &programs {
            let ended = program.wait(folder);
            assert!(!ended.was_killed(), "{}", ended.text);
        }
        let (recorded, truth) = (house.scene.delivered(house.agreement), house.truth());
        assert!(recorded <= truth, "{recorded} of {truth}");
        house.assert_paid(recorded);
        house.night();
    }
    // Alone again, the first one completes it.
    once(folder(&house));
    house.night();
    once(folder(&house));
    house.assert_exact();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_second_gateway_in_the_same_folder_does_not_start() {
    let house = house("same");
    let program = Program::default();
    let (held, go) = std::sync::mpsc::channel();
    let held = std::sync::Mutex::new(held);
    house.proxy.fault(
        SEND,
        1,
        Fault::after(move || {
            held.lock().unwrap().send(()).unwrap();
            std::thread::sleep(Duration::from_millis(500));
        }),
    );
    program.start(folder(&house), &[], &ONCE);
    go.recv_timeout(Duration::from_secs(20)).expect("it is sent");
    let ended = once(folder(&house));
    assert_eq!(ended.status.code(), Some(2));
    let log = std::fs::read_to_string(folder(&house).join("log")).unwrap();
    assert!(log.contains("another gateway uses the journal"), "{log}");
    assert!(program.wait(folder(&house)).status.success());
    goes_on(&house);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_key_that_is_not_the_certified_meter_signs_nothing() {
    let house = house("key");
    let other = house.scene.network.person(99);
    house.scene.write_key(&other);
    let ended = once(folder(&house));
    assert_eq!(ended.status.code(), Some(1));
    let words = format!("the certified meter is {}, and this key is {}", address(&house.scene.meter), address(&other));
    assert!(ended.text.contains(&words), "{}", ended.text);
    assert_eq!(house.proxy.count(SEND), 0);
    house.scene.write_key(&house.scene.meter);
    goes_on(&house);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_key_without_money_waits_for_some() {
    let house = house("money");
    let meter = &house.scene.meter;
    // The reserve is 1 XLM, and a delivery's fee may be 0.1.
    let left = 10_800_000;
    house.scene.network.pay(meter, &house.scene.bob, house.scene.network.balance(meter) - left);
    let ended = once(folder(&house));
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.text.contains("XLM, too little for the fee"), "{}", ended.text);
    assert_eq!(house.proxy.count(SEND), 0);
    house.scene.network.pay(&house.scene.bob, meter, 10_000_000);
    goes_on(&house);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_network_that_starts_again_is_the_same_network() {
    let state = std::env::temp_dir().join(format!("p2p-gateway-{}-network-state", std::process::id()));
    let _ = std::fs::remove_file(&state);
    let state = state.to_str().unwrap();
    let mut house = house_with("restart", &["--state-file", state], "");
    dies(&house, SEND, after);
    house.scene.network = {
        house.scene.network.kill();
        Network::start(&["--state-file", state])
    };
    house.proxy.moves(&house.scene.network.url);
    goes_on(&house);
    house.night();
    // Now while the gateway runs, with its call on the way.
    let program = Program::default();
    let pid = house.scene.network.id();
    house.proxy.fault(
        SEND,
        1,
        Fault::after(move || {
            std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        }),
    );
    program.start(folder(&house), &[], &ONCE);
    let began = Instant::now();
    while house.proxy.count(SEND) < 2 && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    house.scene.network.kill();
    house.scene.network = Network::start(&["--state-file", state]);
    house.proxy.moves(&house.scene.network.url);
    assert!(program.wait(folder(&house)).status.success());
    goes_on(&house);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_start_and_an_end_are_nothing_to_warn_of() {
    let house = house("quiet");
    std::fs::remove_file(folder(&house).join("log")).unwrap();
    let program = Program::default();
    program.start(folder(&house), &[], &["run"]);
    let began = Instant::now();
    while house.scene.delivered(house.agreement) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is delivered");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(program.terminate(folder(&house)).1.status.success());
    let log = std::fs::read_to_string(folder(&house).join("log")).unwrap();
    assert!(!log.contains("warning") && !log.contains("goes on"), "{log}");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn it_ends_within_a_second_while_a_call_is_on_its_way() {
    for (name, request) in [("end-find", FIND), ("end-clock", "getHealth"), ("end-send", SEND)] {
        let house = house(name);
        let (held, go) = std::sync::mpsc::channel();
        let held = std::sync::Mutex::new(held);
        // The server hangs.
        let hangs = Fault::before(move || {
            let _ = held.lock().unwrap().send(());
            std::thread::sleep(Duration::from_secs(4));
        });
        let skip = if request == "getHealth" { 2 } else { 0 };
        house.proxy.later(request, skip, 99, hangs);
        let program = Program::default();
        program.start(folder(&house), &[], &["run"]);
        let began = Instant::now();
        // The second sample comes with the clock.
        while go.try_recv().is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not get to {request}");
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_millis(100));
        let (took, ended) = program.terminate(folder(&house));
        assert!(took < Duration::from_secs(1), "{request}: {took:?}");
        assert!(ended.status.success(), "{}", ended.status);
        house.proxy.heal();
        std::thread::sleep(Duration::from_secs(4));
        goes_on(&house);
    }
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn what_the_computers_clock_says_changes_nothing() {
    let house = house("clock");
    for time in ["@1970-01-01 00:00:07", "+4000d", "-10d", "@2000-01-01 00:00:00"] {
        let program = Program::default();
        program.start(folder(&house), &["faketime", "-f", time], &ONCE);
        let ended = program.wait(folder(&house));
        assert!(ended.status.success(), "{time}: {}", ended.text);
        house.assert_exact();
        house.night();
    }
    goes_on(&house);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_whose_clock_is_years_ahead_ends_no_call() {
    // The computer's clock is the ledger's, as on a network that nobody moves on.
    let house = house_with("years", &[], "");
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let ahead = format!("+{}", house.scene.network.now() - wall);
    let config = std::fs::read_to_string(folder(&house).join("gateway.toml")).unwrap();
    std::fs::write(folder(&house).join("gateway.toml"), format!("ledger = \"1s\"\n{config}")).unwrap();
    house.proxy.fault(SEND, 1, Fault::SwallowRequest);
    house.proxy.fault(FIND, 2, Fault::lie(crate::network_faults::later));
    let program = Program::default();
    program.start(folder(&house), &["faketime", "-f", &ahead], &ONCE);
    let ended = program.wait(folder(&house));
    assert!(ended.status.success(), "{}", ended.text);
    house.assert_exact();
    // Nothing was signed in its place.
    let sent = house.proxy.requests(SEND);
    assert_eq!((sent.len(), &sent[0].body), (2, &sent[1].body));
    house.night();
    let ahead = format!("+{}", house.scene.network.now() - wall);
    house.proxy.fault("getHealth", 9, Fault::lie(crate::network_faults::later));
    let program = Program::default();
    program.start(folder(&house), &["faketime", "-f", &ahead], &ONCE);
    let ended = program.wait(folder(&house));
    assert_eq!(ended.status.code(), Some(3));
    let log = std::fs::read_to_string(folder(&house).join("log")).unwrap();
    assert!(log.contains("s ahead of this clock"), "{log}");
    house.proxy.heal();
    let lines = lines(&house);
    program.start(folder(&house), &["faketime", "-f", &ahead], &ONCE);
    assert!(program.wait(folder(&house)).status.success());
    assert!(self::lines(&house) > lines);
    house.assert_exact();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_exchanged_meter_stops_it_until_the_new_one_is_certified() {
    let house = Household::new("exchange");
    house.deliver().unwrap();
    house.assert_exact();
    house.night();
    house.samples();
    let (delivered, last) = (house.scene.delivered(house.agreement), house.register());
    // The new meter begins at 3 kWh, and nobody has told the contract.
    let shows = |mwh: u64| {
        let sample = Sample { energy: Energy::from_mwh(mwh), meter_id: None, time: None };
        let now = house.gateway.clock.now().unwrap();
        house.gateway.hear(0, Ok(sample), now).unwrap();
    };
    for _ in 0..6 {
        house.advance(200);
        shows(3_200_000);
    }
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Stopped(_))), "{visit:?}");
    assert!(house.words().contains("was the meter exchanged?"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), delivered);
    house.scene.certify(3, 20);
    let _ = house.turn(Mode::Look);
    for _ in 0..2 {
        house.advance(7_200);
        shows(23_000_000);
    }
    house.advance(10);
    shows(23_000_000);
    house.deliver().unwrap();
    // Half of what the old meter counted until it was taken away, and of the 20 kWh of the new one.
    let truth = ((last - house.opened) + 20_000_000) / 2 / 1_000_000;
    assert!(truth > delivered);
    assert_eq!(house.scene.delivered(house.agreement), truth);
    house.assert_paid(truth);
}
