//! The contract as a gateway sees it: what it reads there, the one call that it makes, and the RPC between them.

pub mod call;
pub mod records;
pub mod rpc;
pub mod view;
