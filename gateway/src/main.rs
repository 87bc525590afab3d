//! The gateway's command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use p2p_gateway::command;
use p2p_gateway::config::Config;

/// Delivers what a meter exports to the neighbours who agreed to buy it: exactly once, by the meter's own key.
///
/// Exit codes: 0 all is well; 1 a person has to look, or something waits; 2 the command, the configuration, the key or the
/// journal is wrong; 3 the network does not answer. If its output is closed before all is printed, it ends by SIGPIPE, which a
/// shell shows as 141.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// The configuration
    #[arg(long, short, global = true, default_value = "/etc/p2p-gateway/gateway.toml", value_name = "FILE")]
    config: PathBuf,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Ask what a configuration needs, write it, and make the meter's key
    Init,
    /// Make a key for a meter, and print its address, which is to be certified
    Key {
        /// Where to keep it; else where the configuration says
        file: Option<PathBuf>,
    },
    /// Show what the meters say, and what is wrong with it
    Read {
        /// For how many seconds; without it until Ctrl-C
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
    /// Try everything but sending: key, network, certificate, meter, agreements, fee
    Check {
        /// How long to wait for two readings that agree
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u64,
    },
    /// Deliver what is due, whenever it is time
    Run {
        /// Deliver what is due now, and end
        #[arg(long)]
        once: bool,
        /// Say what would be delivered now, sign nothing, and end
        #[arg(long)]
        dry_run: bool,
        /// With --once or --dry-run: how long to wait for two readings that agree
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u64,
    },
    /// Show what meters, chain and deliveries are at; needs no key
    Status,
    /// Show how the kWh of an agreement came about
    Explain {
        /// The agreement's id
        agreement: u64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run(&arguments).unwrap_or_else(|failure| failure.tell())
}

fn run(arguments: &Arguments) -> Result<ExitCode, command::Failure> {
    let config = || Config::read(&arguments.config).map_err(command::Failure::from);
    match &arguments.command {
        Command::Init => command::init(&arguments.config),
        Command::Key { file } => match file {
            Some(file) => command::key(std::slice::from_ref(file)),
            None => command::key(&command::key_files(&config()?)),
        },
        Command::Read { seconds } => command::read(config()?, seconds.map(Duration::from_secs)),
        Command::Check { wait } => command::check(config()?, Duration::from_secs(*wait), arguments.json),
        Command::Run { once, dry_run, wait } if *once || *dry_run => {
            command::once(config()?, *dry_run, Duration::from_secs(*wait), arguments.json)
        }
        Command::Run { .. } => command::run(config()?),
        Command::Status => command::status(config()?, arguments.json),
        Command::Explain { agreement } => command::explain(config()?, *agreement, arguments.json),
    }
}
