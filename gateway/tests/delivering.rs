//! A gateway with a real contract on a local network, in one process.

mod network;

use std::time::Duration;

use network::address;
use network::scene::Scene;
use p2p_gateway::gateway::Mode;
use p2p_gateway::run;

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_delivery_is_six_requests_and_what_was_exported_is_paid_to_the_kwh() {
    const PRICE: i64 = 1_000_000;
    let scene = Scene::new("deposit", &[]);
    let gateway = scene.gateway();
    let key = &gateway.keys()[0];
    gateway.refresh_clock(Duration::ZERO).unwrap();
    let id = scene.agree(500);
    scene.fund(id);
    let before = scene.network.balance(&scene.alice);
    // Until it is looked at no sample can be judged.
    assert!(gateway.visit(key, 0, Mode::Look).is_err());
    let mut total = 0;
    for _ in 0..48 {
        scene.network.advance(3_600);
        let now = gateway.refresh_clock(Duration::ZERO).unwrap();
        run::simulate(&gateway, 0, &[now - 10, now]).unwrap();
        let asked = gateway.rpc.requests();
        let visit = gateway.visit(key, 0, Mode::Deliver).unwrap();
        let delivered: u64 = visit.delivered.iter().map(|delivery| delivery.energy_kwh).sum();
        assert!(visit.delivered.len() <= 1);
        let expected = if delivered > 0 { 6 } else { 3 };
        assert_eq!(gateway.rpc.requests() - asked, expected, "{visit:?}");
        total += delivered;
    }
    assert_eq!(scene.delivered(id), total);
    assert_eq!(scene.network.balance(&scene.alice) - before, total as i64 * PRICE);
    let account = gateway.memory(0).accounts[&address(&scene.bob)].clone();
    let reading = gateway.provider(0).meter.believed().unwrap().energy;
    // Half of what two days of sun gave. A kWh waits where the register has not risen by one since the last delivery.
    let entitled = (reading.mwh() - account.from.mwh()) / 2 / 1_000_000;
    assert!(total > 0 && (total == entitled || total + 1 == entitled), "{total} of {entitled} kWh");
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn an_agreement_of_long_before_is_found_when_its_deposit_comes() {
    let scene = Scene::new("old-deposit", &[]);
    let gateway = scene.gateway();
    let visit = |mode| {
        let now = gateway.refresh_clock(Duration::ZERO).unwrap();
        run::simulate(&gateway, 0, &[now - 10, now]).unwrap();
        let asked = gateway.rpc.requests();
        let visit = gateway.visit(&gateway.keys()[0], 0, mode);
        (visit, gateway.rpc.requests() - asked)
    };
    let old = scene.agree(500);
    // A page has 25.
    let others: Vec<u64> = (0..26).map(|_| scene.agree(1)).collect();
    let last = scene.agree(1);
    scene.fund(last);
    scene.network.advance(48 * 3_600);
    assert!(visit(Mode::Look).0.is_err());
    visit(Mode::Look).0.unwrap();
    scene.network.advance(24 * 3_600);
    // Two pages, while those of before may get their deposits.
    let (delivered, asked) = visit(Mode::Deliver);
    assert_eq!((delivered.unwrap().delivered.len(), asked), (1, 7));
    scene.fund(old);
    visit(Mode::Look).0.unwrap();
    scene.network.advance(24 * 3_600);
    let (delivered, asked) = visit(Mode::Deliver);
    assert_eq!((delivered.unwrap().delivered[0].agreement_id, asked), (old, 7));
    assert!(others.iter().all(|id| scene.delivered(*id) == 0) && scene.delivered(old) > 0);
}
