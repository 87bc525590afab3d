//! Drives the network through its RPC methods. The contracts are built-in asset contracts and a hand-made one, so that no
//! Wasm target is needed.

mod suite {
    mod client;
    mod contracts;
    mod http;
    mod ledgers;
    mod state_file;
    mod transactions;
}
