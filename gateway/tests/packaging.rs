//! What the package brings fits together.

use std::fs;
use std::path::Path;

fn packaging(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The unit without the comment that it begins with.
fn unit(name: &str) -> String {
    let text = packaging(name);
    text[text.find("[Unit]").unwrap()..].into()
}

#[test]
fn the_template_differs_from_the_unit_only_in_names() {
    let expected = unit("p2p-gateway.service")
        .replace("to its neighbours", "to its neighbours (%i)")
        .replace("/gateway.toml", "/%i.toml")
        .replace("meter.key", "%i.key")
        .replace("StateDirectory=p2p-gateway", "StateDirectory=p2p-gateway/%i");
    assert_eq!(unit("p2p-gateway@.service"), expected);
}

#[test]
fn the_unit_hands_over_what_the_example_names() {
    let (unit, example) = (unit("p2p-gateway.service"), packaging("gateway.toml"));
    assert!(unit.contains("\nLoadCredential=meter.key:/etc/p2p-gateway/meter.key\n"));
    assert!(example.contains("\nkey = \"meter.key\"\n"));
    assert!(unit.contains("\nStateDirectory=p2p-gateway\n"));
    assert!(example.contains("\nstate = \"/var/lib/p2p-gateway\"\n"));
    assert!(unit.contains("\nExecStart=/usr/bin/p2p-gateway run --config /etc/p2p-gateway/gateway.toml\n"));
}
