//! The program as a person uses it, on a local network.

mod network;

use std::process::{Command, Output};

use network::scene::Scene;

fn gateway(scene: &Scene, args: &[&str]) -> Output {
    let config = scene.folder.join("gateway.toml");
    let output =
        Command::new(env!("CARGO_BIN_EXE_p2p-gateway")).arg("--config").arg(config).args(args).output().unwrap();
    println!(
        "$ p2p-gateway {}\n{}{}{}\n",
        args.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status
    );
    output
}

#[test]
#[ignore = "needs a local network and the contract: make test-gateway"]
fn a_simulated_meter_sells_by_one_command() {
    let scene = Scene::new("program", &[]);
    scene.write("");
    gateway(&scene, &["check", "--wait", "3"]);
    let id = scene.agree(500);
    scene.fund(id);
    gateway(&scene, &["run", "--once"]);
    scene.network.advance(12 * 3_600);
    gateway(&scene, &["run", "--once", "--dry-run"]);
    gateway(&scene, &["run", "--once"]);
    scene.network.advance(24 * 3_600);
    gateway(&scene, &["run", "--once"]);
    gateway(&scene, &["status"]);
    gateway(&scene, &["explain", &id.to_string()]);
    gateway(&scene, &["read", "--seconds", "2"]);
    gateway(&scene, &["check"]);
}
