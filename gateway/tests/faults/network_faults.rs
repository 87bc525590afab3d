//! What a network does wrong: nothing is paid twice, nothing is missing once it ends, nothing else is signed, and the gateway
//! says what is wrong.

use std::sync::mpsc::channel;
use std::time::Duration;

use p2p_gateway::counting::Share;
use p2p_gateway::gateway::{Mode, Trouble};
use p2p_gateway::plan::AHEAD;
use serde_json::{json, Value};
use stellar_xdr::*;

use crate::household::{Household, DAY};
use crate::network::{address, sc_address};
use crate::proxy::Fault;

const SIMULATE: &str = "simulateTransaction deliver_energy";
const SEND: &str = "sendTransaction";
const FIND: &str = "getTransaction";

fn edit<T: ReadXdr + WriteXdr>(value: &mut Value, change: impl FnOnce(&mut T)) {
    let mut decoded = T::from_xdr_base64(value.as_str().expect("XDR is text"), Limits::none()).expect("it is XDR");
    change(&mut decoded);
    *value = decoded.to_xdr_base64(Limits::none()).unwrap().into();
}

/// An answer of sending that refuses.
fn refusal(code: TransactionResultResult) -> Fault {
    let result = TransactionResult { fee_charged: 0, result: code, ext: TransactionResultExt::V0 };
    Fault::result(json!({ "status": "ERROR", "errorResultXdr": result.to_xdr_base64(Limits::none()).unwrap() }))
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn what_is_sent_and_lost_is_sent_again_and_recorded_once() {
    let house = Household::new("lost-request");
    house.proxy.fault(SEND, 2, Fault::SwallowRequest);
    assert_eq!(house.deliver().unwrap().delivered.len(), 1);
    house.assert_exact();
    // It is the same envelope each time.
    let mut sent = house.proxy.requests(SEND);
    assert_eq!(sent.len(), 3);
    sent.dedup_by(|one, other| one.body == other.body);
    assert_eq!(sent.len(), 1);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn what_was_recorded_and_whose_answer_was_lost_is_found_and_not_sent_again() {
    let house = Household::new("lost-answer");
    house.proxy.fault(SEND, 1, Fault::SwallowAnswer);
    house.proxy.fault(FIND, 3, Fault::SwallowAnswer);
    assert_eq!(house.deliver().unwrap().delivered.len(), 1);
    house.assert_exact();
    assert_eq!(house.proxy.count(FIND), 4);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_network_that_is_full_is_asked_again_with_the_same_envelope() {
    let house = Household::new("full");
    house.proxy.fault(SEND, 3, Fault::result(json!({ "status": "TRY_AGAIN_LATER" })));
    assert_eq!(house.deliver().unwrap().delivered.len(), 1);
    house.assert_exact();
    let mut sent = house.proxy.requests(SEND);
    assert_eq!(sent.len(), 4);
    sent.dedup_by(|one, other| one.body == other.body);
    assert_eq!(sent.len(), 1);
}

/// Whatever is asked first, second, third…: a server that is broken then holds deliveries and loses none.
fn breaks_everywhere(name: &str, fault: &Fault, words: &str) {
    let mut house = Household::new(name);
    let mut held = 0;
    for place in 0..8 {
        house.proxy.later("", place, 1, fault.clone());
        match house.deliver() {
            Ok(_) => {}
            Err(Trouble::Held(_)) => {
                held += 1;
                assert!(house.words().contains(words), "{}", house.words());
            }
            Err(other) => panic!("{other}"),
        }
        house.heals();
        house.night();
        house.samples();
    }
    assert!(held >= 4, "it was held {held} times");
    house.restart();
    house.samples();
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_error_of_the_server_wherever_it_comes_costs_nothing() {
    breaks_everywhere("500", &Fault::Answer(500, "Internal Server Error".into()), "500");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn nonsense_wherever_it_comes_costs_nothing() {
    breaks_everywhere("garbage", &Fault::Answer(200, "<html>Welcome</html>".into()), "is not as it should be");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_connection_that_breaks_wherever_it_does_costs_nothing() {
    breaks_everywhere("broken", &Fault::SwallowAnswer, "does not answer");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_call_that_comes_after_its_time_is_not_paid_beside_the_next() {
    let house = Household::new("late");
    // What is sent first arrives when the second is signed: the number of both is the same.
    let (sender, late) = channel();
    let (network, url) =
        (house.scene.network.url.clone(), house.scene.network.url.replace("/rpc", "/advance?seconds=90"));
    let first = std::sync::Mutex::new(Some(sender));
    house.proxy.fault(SEND, 1, Fault::SwallowRequest);
    house.proxy.fault(
        FIND,
        1,
        Fault::before(move || {
            ureq::post(&url).send_empty().unwrap();
            if let Some(sender) = first.lock().unwrap().take() {
                sender.send(()).unwrap();
            }
        }),
    );
    let visit = house.deliver();
    late.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("did not reach the ledger in its time"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), 0);
    let lost = house.proxy.requests(SEND)[0].body.clone();
    house.proxy.fault(
        SEND,
        1,
        Fault::before(move || {
            ureq::post(&network).content_type("application/json").send(lost.as_str()).unwrap();
            std::thread::sleep(Duration::from_millis(200));
        }),
    );
    house.advance(60);
    house.samples();
    let _ = house.deliver();
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_call_that_the_network_finds_too_late_is_planned_again() {
    let house = Household::new("too-late");
    house.proxy.fault(SEND, 1, refusal(TransactionResultResult::TxTooLate));
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("TxTooLate"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), 0);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_of_another_network_gets_nothing_signed() {
    let house = Household::before("other-network", &[], "");
    house.proxy.fault("getNetwork", 99, Fault::lie(|answer| answer["result"]["passphrase"] = "Another Network".into()));
    let visit = house.turn(Mode::Deliver);
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("is of another network: \"Another Network\""), "{}", house.words());
    assert_eq!(house.proxy.count(SEND), 0);
    house.proxy.heal();
    let mut house = house;
    house.night();
    house.open();
    house.deliver().unwrap();
    house.assert_exact();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_fee_a_thousand_times_as_high_is_not_paid() {
    let house = Household::new("fee");
    house.proxy.fault(
        SIMULATE,
        9,
        Fault::lie(|answer| {
            let fee: u64 = answer["result"]["minResourceFee"].as_str().unwrap().parse().unwrap();
            answer["result"]["minResourceFee"] = (fee * 1_000).to_string().into();
        }),
    );
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("more than max_fee"), "{}", house.words());
    assert_eq!(house.proxy.count(SEND), 0);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_lies_about_what_the_call_needs_costs_a_fee_and_no_energy() {
    let house = Household::new("resources");
    let meter = || house.scene.network.balance(&house.scene.meter);
    let before = meter();
    house.proxy.fault(
        SIMULATE,
        1,
        Fault::lie(|answer| {
            edit::<SorobanTransactionData>(&mut answer["result"]["transactionData"], |data| {
                data.resources.instructions = 1
            });
        }),
    );
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("was applied and did nothing"), "{}", house.words());
    let paid = before - meter();
    assert!((1..=1_000_000).contains(&paid), "{paid} stroops");
    assert_eq!(house.scene.delivered(house.agreement), 0);
    // The key rests, and pays no second fee meanwhile.
    assert!(house.deliver().is_err());
    assert!(house.words().contains("rests for"), "{}", house.words());
    assert_eq!((before - meter(), house.proxy.count(SEND)), (paid, 1));
    // The server may say so of a call that was recorded: for a day nothing is signed in its place.
    house.proxy.heal();
    house.advance(120);
    house.samples();
    assert!(house.deliver().is_err());
    assert!(house.words().contains("that call did nothing, or the server hides it"), "{}", house.words());
    house.advance(24 * 3_600);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn nothing_is_signed_that_is_not_this_call() {
    let house = Household::new("authorization");
    let contract = house.scene.contract.clone();
    let alice = sc_address(&house.scene.alice);
    let steal = contract.call("transfer", [ScVal::Address(alice.clone())]);
    let theft = SorobanAuthorizedInvocation {
        function: SorobanAuthorizedFunction::ContractFn(steal),
        sub_invocations: VecM::default(),
    };
    type Change = Box<dyn Fn(&mut Vec<SorobanAuthorizationEntry>) + Send + Sync>;
    let (other, nested) = (theft.clone(), theft.clone());
    let not_this_call: Vec<(Change, &str)> = vec![
        (Box::new(move |auth| auth[0].root_invocation = other.clone()), "more signed than this call"),
        (
            Box::new(move |auth| {
                auth.push(SorobanAuthorizationEntry { root_invocation: theft.clone(), ..auth[0].clone() })
            }),
            "more signed than this call",
        ),
        (
            Box::new(move |auth| auth[0].root_invocation.sub_invocations = vec![nested.clone()].try_into().unwrap()),
            "more signed than this call",
        ),
        (Box::new(|auth| auth.clear()), "more signed than this call"),
        (
            Box::new(|auth| {
                let SorobanAuthorizedFunction::ContractFn(call) = &mut auth[0].root_invocation.function else {
                    panic!()
                };
                let mut args = call.args.to_vec();
                args[1] = ScVal::U64(400);
                call.args = args.try_into().unwrap();
            }),
            "more signed than this call",
        ),
        (
            Box::new(move |auth| {
                auth[0].credentials = SorobanCredentials::Address(SorobanAddressCredentials {
                    address: alice.clone(),
                    nonce: 1,
                    signature_expiration_ledger: 0,
                    signature: ScVal::Void,
                })
            }),
            "not the provider's certified meter",
        ),
    ];
    for (change, words) in not_this_call {
        house.proxy.fault(
            SIMULATE,
            1,
            Fault::lie(move |answer| {
                let list = &mut answer["result"]["results"][0]["auth"];
                let decode = |entry: &Value| {
                    SorobanAuthorizationEntry::from_xdr_base64(entry.as_str().unwrap(), Limits::none()).unwrap()
                };
                let mut auth: Vec<_> = list.as_array().unwrap().iter().map(decode).collect();
                change(&mut auth);
                *list =
                    auth.iter().map(|entry| entry.to_xdr_base64(Limits::none()).unwrap()).collect::<Vec<_>>().into();
            }),
        );
        let visit = house.deliver();
        assert!(matches!(visit, Err(Trouble::Stopped(_))), "{visit:?}");
        assert!(house.words().contains(words), "{}", house.words());
    }
    assert_eq!(house.proxy.count(SEND), 0);
    house.heals();
}

/// Changes this field of all records in what a getter answers.
fn lie_in_records(value: &mut ScVal, name: &str, lie: &dyn Fn(&mut ScVal)) {
    match value {
        ScVal::Vec(Some(list)) => {
            let mut items = list.to_vec();
            items.iter_mut().for_each(|item| lie_in_records(item, name, lie));
            *list = ScVec(items.try_into().unwrap());
        }
        ScVal::Map(Some(map)) => {
            let mut entries = map.to_vec();
            for entry in &mut entries {
                if entry.key == ScVal::Symbol(ScSymbol(name.try_into().unwrap())) {
                    lie(&mut entry.val);
                }
                lie_in_records(&mut entry.val, name, lie);
            }
            *map = ScMap(entries.try_into().unwrap());
        }
        _ => {}
    }
}

fn lie_about(name: &'static str, lie: impl Fn(&mut ScVal) + Send + Sync + 'static) -> Fault {
    Fault::lie(move |answer| {
        if let Some(xdr) = answer.pointer_mut("/result/results/0/xdr") {
            edit::<ScVal>(xdr, |value| lie_in_records(value, name, &lie));
        }
    })
}

/// The first delivery is there already, and more is due; nothing is sent while the lie lasts.
fn is_not_believed(house: &Household, name: &'static str, fault: Fault, words: &str) {
    house.deliver().unwrap();
    house.assert_exact();
    house.night();
    house.samples();
    let (sent, delivered) = (house.proxy.count(SEND), house.scene.delivered(house.agreement));
    house.proxy.fault(name, 99, fault);
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains(words), "{}", house.words());
    assert_eq!((house.proxy.count(SEND), house.scene.delivered(house.agreement)), (sent, delivered));
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_shows_less_delivered_is_not_believed() {
    let lie = lie_about("energy_delivered_kwh", |kwh| *kwh = ScVal::U64(0));
    is_not_believed(&Household::new("less"), "simulateTransaction get_agreement_page", lie, "it is behind, or it lies");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_shows_more_than_the_contract_can_have_is_not_believed() {
    let lie = |name| lie_about(name, |number| *number = ScVal::U64(u64::MAX));
    let page = "simulateTransaction get_agreement_page";
    let words = "18446744073709551615 as energy_delivered_kwh, more than the contract can have";
    is_not_believed(&Household::new("above-energy"), page, lie("energy_delivered_kwh"), words);
    let prosumer = "simulateTransaction get_prosumer";
    let words = "18446744073709551615 as meter_reading, more than the contract can have";
    is_not_believed(&Household::new("above-reading"), prosumer, lie("meter_reading"), words);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_fee_that_a_server_made_up_counts_no_more_than_was_signed() {
    let house = Household::new("made-up-fee");
    house.proxy.fault(
        FIND,
        9,
        Fault::lie(|answer| {
            if answer["result"]["status"] == "SUCCESS" {
                edit::<TransactionResult>(&mut answer["result"]["resultXdr"], |result| result.fee_charged = i64::MAX);
            }
        }),
    );
    house.deliver().unwrap();
    let memory = house.gateway.memory(0);
    let (signed, _) = memory.last_delivery(&address(&house.scene.bob)).unwrap();
    assert_eq!(house.gateway.report().keys[0].fees_stroops, u64::from(signed.fee));
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_hides_an_agreement_is_not_believed() {
    let lie = Fault::lie(|answer| {
        edit::<ScVal>(&mut answer["result"]["results"][0]["xdr"], |page| *page = ScVal::Vec(Some(ScVec::default())));
    });
    is_not_believed(
        &Household::new("hidden"),
        "simulateTransaction get_agreement_page",
        lie,
        "it is behind, or it lies",
    );
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_is_behind_is_not_believed() {
    let lie = || {
        Fault::lie(|answer| {
            let ledger = &mut answer["result"]["latestLedger"];
            *ledger = (ledger.as_u64().unwrap() - 1_000).into();
        })
    };
    is_not_believed(&Household::new("behind-calls"), "simulateTransaction", lie(), "the server is behind");
    is_not_believed(&Household::new("behind-account"), "getLedgerEntries", lie(), "the server is behind");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_is_behind_does_not_say_what_became_of_a_call() {
    let house = Household::new("behind-end");
    house.proxy.fault(SEND, 1, Fault::SwallowAnswer);
    // One server remembers no ledger of that time, and the other one has not seen the call yet.
    let forgets = Fault::lie(|answer| {
        let answer = &mut answer["result"];
        (answer["status"], answer["oldestLedgerCloseTime"]) =
            ("NOT_FOUND".into(), answer["latestLedgerCloseTime"].clone());
    });
    // The clock goes on, so that this is after the call was signed.
    let url = house.scene.network.url.replace("/rpc", "/advance?seconds=10");
    house.proxy.fault("getLedgerEntries", 1, Fault::after(move || drop(ureq::post(&url).send_empty().unwrap())));
    house.proxy.fault(FIND, 9, forgets);
    house.proxy.fault(
        "getLedgerEntries",
        1,
        Fault::lie(|answer| {
            let ledger = &mut answer["result"]["latestLedger"];
            *ledger = (ledger.as_u64().unwrap() - 20).into();
            edit::<LedgerEntryData>(&mut answer["result"]["entries"][0]["xdr"], |data| {
                let LedgerEntryData::Account(account) = data else { panic!("it is no account") };
                account.seq_num.0 -= 1;
            });
        }),
    );
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("the server is behind"), "{}", house.words());
    house.heals();
    let last = house.gateway.memory(0).last;
    assert_eq!(last.values().map(|(signed, _)| signed.delivery.energy_kwh).sum::<u64>(), house.truth());
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_ledger_of_the_far_future_does_not_hold_deliveries_for_ever() {
    let house = Household::with("far-ledger", &[], "ledger = \"10ms\"");
    house.proxy.fault("getHealth", 1, Fault::lie(|answer| answer["result"]["latestLedger"] = 4_000_000_000_u32.into()));
    house.gateway.refresh_clock(Duration::ZERO).unwrap();
    assert!(house.deliver().is_err());
    assert!(house.words().contains("the server is behind"), "{}", house.words());
    std::thread::sleep(Duration::from_secs(1));
    assert!(house.deliver().is_err());
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn with_a_number_that_is_too_low_or_too_high_nothing_is_recorded_twice() {
    for (lie, words) in [(-1, "below that of a call that was recorded"), (1, "TxBadSeq")] {
        let house = Household::new(&format!("number{lie}"));
        house.deliver().unwrap();
        house.assert_exact();
        house.night();
        house.samples();
        let delivered = house.scene.delivered(house.agreement);
        house.proxy.fault(
            "getLedgerEntries",
            99,
            Fault::lie(move |answer| {
                edit::<LedgerEntryData>(&mut answer["result"]["entries"][0]["xdr"], |data| {
                    let LedgerEntryData::Account(account) = data else { panic!("it is no account") };
                    account.seq_num.0 += lie;
                });
            }),
        );
        let visit = house.deliver();
        assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
        assert!(house.words().contains(words), "{}", house.words());
        assert_eq!(house.scene.delivered(house.agreement), delivered);
        house.heals();
    }
}

/// The server shows of the agreement that nothing was delivered.
fn shows_nothing_delivered(house: &Household) {
    house.proxy.fault(
        "simulateTransaction get_agreement_page",
        99,
        Fault::lie(|answer| {
            edit::<ScVal>(&mut answer["result"]["results"][0]["xdr"], |page| {
                let ScVal::Vec(Some(page)) = page else { panic!("it is no page") };
                let ScVal::Map(Some(entry)) = &page[0] else { panic!("it is no entry") };
                let mut entry = entry.to_vec();
                for field in &mut entry {
                    if let ScVal::Map(Some(state)) = &field.val {
                        let mut state = state.to_vec();
                        for field in &mut state {
                            if field.key == ScVal::Symbol(ScSymbol("energy_delivered_kwh".try_into().unwrap())) {
                                field.val = ScVal::U64(0);
                            }
                        }
                        field.val = ScVal::Map(Some(ScMap(state.try_into().unwrap())));
                    }
                }
                let entry = ScVal::Map(Some(ScMap(entry.try_into().unwrap())));
                *page = ScVec(vec![entry].try_into().unwrap());
            });
        }),
    );
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_says_that_a_recorded_call_failed_has_nothing_recorded_twice() {
    let house = Household::new("said-to-fail");
    house.proxy.fault(
        FIND,
        99,
        Fault::lie(|answer| {
            if answer["result"]["status"] == "SUCCESS" {
                answer["result"]["status"] = json!("FAILED");
            }
        }),
    );
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("was applied and did nothing"), "{}", house.words());
    let recorded = house.scene.delivered(house.agreement);
    assert!(recorded > 0);
    house.proxy.heal();
    shows_nothing_delivered(&house);
    house.advance(23 * 3_600);
    house.samples();
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("that call did nothing, or the server hides it"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), recorded);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_server_that_hides_a_call_that_it_passed_on_has_nothing_recorded_twice() {
    let house = Household::new("hidden-call");
    // It is recorded, and said not to be there after its time is over; the account's number is the old one as well.
    house.proxy.fault(
        FIND,
        99,
        Fault::lie(|answer| {
            answer["result"]["status"] = json!("NOT_FOUND");
            let close = &mut answer["result"]["latestLedgerCloseTime"];
            let told = close.as_str().map_or_else(|| close.as_u64(), |close| close.parse().ok());
            *close = (told.expect("a time") + 120).to_string().into();
        }),
    );
    house.proxy.later(
        "getLedgerEntries",
        1,
        1,
        Fault::lie(|answer| {
            edit::<LedgerEntryData>(&mut answer["result"]["entries"][0]["xdr"], |data| {
                let LedgerEntryData::Account(account) = data else { panic!("it is no account") };
                account.seq_num.0 -= 1;
            });
        }),
    );
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("did not reach the ledger"), "{}", house.words());
    let recorded = house.scene.delivered(house.agreement);
    assert!(recorded > 0);
    house.proxy.heal();
    // From now on it shows the true number, and the state of before.
    shows_nothing_delivered(&house);
    house.advance(23 * 3_600);
    house.samples();
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("the server does not show that call"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), recorded);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn what_became_of_a_call_that_no_server_tells_is_read_from_the_chain() {
    let house = Household::new("never-told");
    let url = house.scene.network.url.replace("/rpc", "/advance?seconds=130");
    house.proxy.fault(SEND, 1, Fault::after(move || drop(ureq::post(&url).send_empty().unwrap())));
    let refuses = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32601, "message": "no such method" } });
    house.proxy.fault(FIND, 99, Fault::Answer(200, refuses.to_string()));
    assert_eq!(house.deliver().unwrap().delivered.len(), 1);
    house.assert_exact();
    assert_eq!(house.proxy.count(SEND), 1);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_network_that_dies_after_a_call_was_sent_is_told_of_at_once_and_gets_no_other_one() {
    let house = Household::new("dead");
    let url = house.scene.network.url.replace("/rpc", "/advance?seconds=130");
    let gateway = house.gateway.clone();
    let (seen, reports) = channel();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    // After the first question that is not answered it is looked at, and then its time goes by.
    let dead = Fault::instead(move || match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => {}
        1 => {
            let _ = seen.send(gateway.report());
        }
        _ => drop(ureq::post(&url).send_empty().unwrap()),
    });
    house.proxy.fault(FIND, 99, dead);
    house.proxy.later("getLedgerEntries", 1, 99, Fault::Answer(503, "down".into()));
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("503"), "{}", house.words());
    let report = reports.recv_timeout(Duration::from_secs(1)).unwrap();
    let problems = p2p_gateway::report::is_healthy(&report).unwrap_err().join("\n");
    assert!(problems.contains("does not say what became of the call"), "{problems}");
    assert!(house.gateway.report().keys[0].in_flight.is_some());
    assert!(house.deliver().is_err());
    assert_eq!(house.proxy.count(SEND), 1);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_answer_without_end_is_no_answer() {
    let house = Household::new("endless");
    house.proxy.fault("getLedgerEntries", 1, Fault::Answer(200, " ".repeat(5 << 20)));
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("larger than"), "{}", house.words());
    house.heals();
}

/// A server takes the next call, says that it was recorded, and passes nothing on.
fn says_that_it_was_recorded(house: &Household) {
    house.proxy.fault(SEND, 1, Fault::result(json!({ "status": "PENDING" })));
    house.proxy.fault(FIND, 1, Fault::lie(|answer| answer["result"]["status"] = "SUCCESS".into()));
    assert_eq!(house.deliver().unwrap().delivered.len(), 1);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_call_that_a_server_made_believe_is_due_again_when_it_cannot_come_any_more() {
    let mut house = Household::new("believed-call");
    says_that_it_was_recorded(&house);
    assert_eq!(house.scene.delivered(house.agreement), 0);
    let (signed, _) = house.gateway.memory(0).last_delivery(&address(&house.scene.bob)).cloned().unwrap();
    let until = signed.max_time + AHEAD;
    let after = house.scene.network.now() + 60;
    house.advance(60);
    house.samples();
    let visit = house.deliver();
    // Between two ledgers its clock goes on.
    let before = house.scene.network.now() + 10;
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    let words = |now: u64| format!("when that call cannot come any more, in {} s", until - now);
    assert!((after..=before).any(|now| house.words().contains(&words(now))), "{}", house.words());
    assert_eq!(house.proxy.count(SEND), 1);
    house.restart();
    house.turn(Mode::Look).unwrap_err();
    house.heals();
    assert_eq!(house.proxy.count(SEND), 2);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_call_that_was_recorded_and_is_hidden_later_is_not_recorded_twice() {
    let house = Household::new("hidden-later");
    house.deliver().unwrap();
    house.assert_exact();
    let recorded = house.scene.delivered(house.agreement);
    let less = || lie_about("energy_delivered_kwh", |kwh| *kwh = ScVal::U64(0));
    house.proxy.fault("simulateTransaction get_agreement_page", 99, less());
    house.proxy.fault(
        "getLedgerEntries",
        1,
        Fault::lie(|answer| {
            edit::<LedgerEntryData>(&mut answer["result"]["entries"][0]["xdr"], |data| {
                let LedgerEntryData::Account(account) = data else { panic!("it is no account") };
                account.seq_num.0 -= 1;
            });
        }),
    );
    house.night();
    house.samples();
    // It believes that the call is missing, and its next one has the number of that.
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("took this one's place"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), recorded);
    // However long the server goes on with the true number, it takes a person.
    for _ in 0..3 {
        house.night();
        house.samples();
        let visit = house.deliver();
        assert!(matches!(visit, Err(Trouble::Stopped(_))), "{visit:?}");
        assert!(house.words().contains("ask another server"), "{}", house.words());
        assert_eq!(house.scene.delivered(house.agreement), recorded);
    }
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_share_that_was_lowered_while_a_server_made_up_a_certificate_is_no_higher_since_then() {
    let mut house = Household::new("lowered");
    house.deliver().unwrap();
    house.assert_exact();
    let by_half = house.register();
    let certified_lower = lie_about("meter_start", |kwh| *kwh = ScVal::U64(999));
    house.proxy.fault("simulateTransaction get_prosumer", 99, certified_lower);
    house.turn(Mode::Look).unwrap_err();
    house.night();
    let mut config = house.scene.config("");
    config.providers[0].consumers[0].share = Share::from_millionths(250_000);
    house.starts_with(config);
    house.turn(Mode::Look).unwrap_err();
    house.samples();
    house.turn(Mode::Look).unwrap();
    house.proxy.heal();
    house.night();
    // The true certificate is back, and the meter is read anew.
    house.turn(Mode::Look).unwrap_err();
    house.samples();
    house.deliver().unwrap();
    let entitled = (by_half - house.opened) / 2 + (house.register() - by_half) / 4;
    assert_eq!(house.scene.delivered(house.agreement), entitled / 1_000_000);
}

/// A household that has an agreement with Carol as well, who has a quarter and pays later.
fn with_carol(name: &str) -> (Household, u64) {
    let mut house = Household::before(name, &[], "");
    let carol = house.scene.network.person(9);
    let (of_carol, of_alice) = (ScVal::Address(sc_address(&carol)), ScVal::Address(sc_address(&house.scene.alice)));
    let (network, contract) = (&house.scene.network, &house.scene.contract);
    network.call(contract, &carol, "register_prosumer", [of_carol.clone()], &[]);
    let deadline = network.now() + 30 * DAY;
    let terms = [of_alice, of_carol, ScVal::U64(500), ScVal::U64(1), ScVal::U64(deadline)];
    let ScVal::U64(other) = network.call(contract, &house.scene.bob, "create_agreement", terms, &[&house.scene.alice])
    else {
        panic!("it has no id")
    };
    let more = format!(
        "[[provider.consumer]]\nname = \"Carol\"\naddress = \"{}\"\nshare = 0.25\npays = \"bill\"\n",
        address(&carol)
    );
    house.starts_with(house.scene.config(&more));
    house.night();
    house.open();
    (house, other)
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn calls_of_two_agreements_that_a_server_made_believe_are_both_due_again() {
    let (house, other) = with_carol("believed-calls");
    house.proxy.fault(SEND, 2, Fault::result(json!({ "status": "PENDING" })));
    house.proxy.fault(FIND, 2, Fault::lie(|answer| answer["result"]["status"] = "SUCCESS".into()));
    // After the first one it shows Bob's agreement, the older one, and the account's number as if it were true.
    let kwh = house.truth();
    house.proxy.later(
        "simulateTransaction get_agreement_page",
        1,
        99,
        Fault::lie(move |answer| {
            edit::<ScVal>(&mut answer["result"]["results"][0]["xdr"], |page| {
                let ScVal::Vec(Some(page)) = page else { panic!("it is no page") };
                let mut entries = page.to_vec();
                let of_bob = entries.last_mut().expect("an entry");
                lie_in_records(of_bob, "energy_delivered_kwh", &|delivered| *delivered = ScVal::U64(kwh));
                *page = ScVec(entries.try_into().unwrap());
            });
        }),
    );
    house.proxy.later(
        "getLedgerEntries",
        1,
        99,
        Fault::lie(|answer| {
            edit::<LedgerEntryData>(&mut answer["result"]["entries"][0]["xdr"], |data| {
                let LedgerEntryData::Account(account) = data else { panic!("it is no account") };
                account.seq_num.0 += 1;
            });
        }),
    );
    let delivered = house.deliver().unwrap().delivered;
    assert_eq!(delivered.iter().map(|one| one.agreement_id).collect::<Vec<_>>(), [house.agreement, other]);
    let of_carol = || house.scene.delivered(other);
    assert_eq!((house.scene.delivered(house.agreement), of_carol()), (0, 0));
    house.heals();
    assert_eq!(of_carol(), (house.register() - house.opened) / 4 / 1_000_000);
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_agreement_that_the_contract_refuses_holds_up_no_other() {
    let (house, other) = with_carol("aside");
    // Bob's is first: it is tried, and tried anew three times.
    let refused = json!({ "error": "HostError: Error(Contract, #24)", "latestLedger": 1 });
    house.proxy.fault(SIMULATE, 4, Fault::result(refused));
    let visit = house.deliver().unwrap();
    assert_eq!((visit.delivered.len(), visit.delivered[0].agreement_id), (1, other));
    // A look says no other thing.
    house.turn(Mode::Look).unwrap();
    assert!(
        house.words().contains("agreement 1: the agreement has all its transactions (error 24)"),
        "{}",
        house.words()
    );
    assert_eq!(house.scene.delivered(house.agreement), 0);
    assert!(house.scene.delivered(other) > 0);
}

const YEARS: u64 = 3 * 366 * DAY;

pub fn later(answer: &mut Value) {
    for field in ["latestLedgerCloseTime", "oldestLedgerCloseTime"] {
        let time = &mut answer["result"][field];
        if let Some(close) = time.as_str().and_then(|close| close.parse::<u64>().ok()) {
            *time = (close + YEARS).to_string().into();
        } else if let Some(close) = time.as_u64() {
            *time = (close + YEARS).into();
        }
    }
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_clock_that_is_years_ahead_is_not_believed() {
    // With ledgers of a second it is no network whose clock is moved.
    let house = Household::before("years", &[], "ledger = \"1s\"");
    house.proxy.fault("getHealth", 99, Fault::lie(later));
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("s ahead of this clock"), "{}", house.words());
    house.proxy.heal();
    house.gateway.refresh_clock(Duration::ZERO).unwrap();
    assert!(house.deliver().is_err());
    assert!(house.words().contains("no two samples"), "{}", house.words());
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_key_without_money_says_so_and_goes_on_when_there_is_some() {
    let house = Household::new("money");
    house.proxy.fault(
        "getLedgerEntries",
        3,
        Fault::lie(|answer| {
            edit::<LedgerEntryData>(&mut answer["result"]["entries"][0]["xdr"], |data| {
                let LedgerEntryData::Account(account) = data else { panic!("it is no account") };
                account.balance = 10_000_000 + 50_000;
            });
        }),
    );
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    let words = format!("{} has 1.005 XLM, too little for the fee", address(&house.scene.meter));
    assert!(house.words().contains(&words), "{}", house.words());
    assert_eq!(house.proxy.count(SEND), 0);
    house.heals();
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn the_fees_of_a_day_have_a_limit() {
    let house = Household::with("budget", &[], "max_fee_per_day = \"0.1\"");
    house.deliver().unwrap();
    house.assert_exact();
    let spent = house.gateway.report().keys[0].fees_stroops;
    assert!((1..1_000_000).contains(&spent), "{spent} stroops");
    // The same day once more.
    house.advance(14 * 3_600);
    house.samples();
    let delivered = house.scene.delivered(house.agreement);
    let visit = house.deliver();
    assert!(matches!(visit, Err(Trouble::Held(_))), "{visit:?}");
    assert!(house.words().contains("more is above max_fee_per_day"), "{}", house.words());
    assert_eq!(house.scene.delivered(house.agreement), delivered);
    house.night();
    house.heals();
}
