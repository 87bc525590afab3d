//! A gateway with a real contract on a local network, in one process.

mod network;

use std::time::Duration;

use network::scene::Scene;
use p2p_gateway::gateway::Mode;
use p2p_gateway::run;

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_simulated_meter_sells_by_a_deposit() {
    let scene = Scene::new("deposit", &[]);
    let gateway = scene.gateway();
    let key = &gateway.keys()[0];
    gateway.refresh_clock(Duration::ZERO).unwrap();
    let id = scene.agree(500);
    scene.fund(id);
    println!("{:?}", gateway.visit(key, 0, Mode::Look));
    for hours in 0..30 {
        scene.network.advance(3_600);
        let now = gateway.refresh_clock(Duration::ZERO).unwrap();
        run::simulate(&gateway, 0, &[now - 10, now]).unwrap();
        let before = gateway.rpc.requests();
        let visit = gateway.visit(key, 0, Mode::Deliver).unwrap();
        println!("{hours} {visit:?} {} {:?}", gateway.rpc.requests() - before, gateway.provider(0).meter.believed());
    }
    println!("{}", scene.delivered(id));
    println!("{}", std::fs::read_to_string(scene.folder.join("journal")).unwrap());
}
