use std::process::ExitCode;
use std::thread;

use anyhow::anyhow;
use clap::Parser;
use localnet::{server::serve, Args};

/// Contract calls can nest deeply on the host's stack.
const STACK_SIZE: usize = 256 * 1024 * 1024;

fn main() -> ExitCode {
    let args = Args::parse();
    let server = thread::Builder::new().stack_size(STACK_SIZE);
    let outcome = match server.spawn(move || serve(args)) {
        Ok(server) => server.join().unwrap_or_else(|_| Err(anyhow!("the server panicked"))),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
