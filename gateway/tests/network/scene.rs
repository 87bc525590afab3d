//! A provider and its consumer, with a contract and a certified meter.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use p2p_gateway::book::Book;
use p2p_gateway::chain::call::Contract;
use p2p_gateway::config::Config;
use p2p_gateway::gateway::Gateway;
use p2p_gateway::input::sun::Sun;
use stellar_xdr::ScVal;

use super::{address, sc_address, Network};

/// Alice, who is admin as well, sells to Bob by her certified meter.
pub struct Scene {
    pub network: Network,
    pub contract: Contract,
    pub alice: SigningKey,
    pub bob: SigningKey,
    pub meter: SigningKey,
    pub folder: PathBuf,
    /// Where the gateway reaches the network.
    pub url: String,
    /// The midnight at which the simulated register showed 1,000 kWh.
    pub since: u64,
    /// Lines at the beginning of the configuration.
    pub top: String,
}

impl Scene {
    pub fn new(name: &str, args: &[&str]) -> Self {
        let network = Network::start(args);
        let [alice, bob, meter] = [1, 2, 3].map(|seed| network.person(seed));
        let contract = network.deploy(&alice);
        for person in [&alice, &bob] {
            network.call(&contract, person, "register_prosumer", [ScVal::Address(sc_address(person))], &[]);
        }
        let folder = std::env::temp_dir().join(format!("p2p-gateway-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (url, since) = (network.url.clone(), network.now() / 86_400 * 86_400);
        let scene = Self { network, contract, alice, bob, meter, folder, url, since, top: String::new() };
        // What the register shows now: in the evening the plant would need hours for what the sun has given since midnight.
        let sun = Sun { seed: 1, peak_watts: 10_000, since };
        scene.certify(1_000 + sun.register(scene.network.now()).kwh(), 20);
        scene
    }

    pub fn certify(&self, reading: u64, max_power_kw: u64) {
        let args = [
            ScVal::Address(sc_address(&self.alice)),
            ScVal::Address(sc_address(&self.meter)),
            ScVal::U64(reading),
            ScVal::U64(max_power_kw),
        ];
        // Bob pays the fee: what Alice has tells what she was paid.
        self.network.call(&self.contract, &self.bob, "register_meter", args, &[&self.alice]);
    }

    pub fn agree(&self, kwh: u64) -> u64 {
        let args = [
            ScVal::Address(sc_address(&self.alice)),
            ScVal::Address(sc_address(&self.bob)),
            ScVal::U64(kwh),
            ScVal::U64(1_000_000),
            ScVal::U64(self.network.now() + 30 * 86_400),
        ];
        let id = self.network.call(&self.contract, &self.alice, "create_agreement", args, &[]);
        let ScVal::U64(id) = id else { panic!("{id:?}") };
        id
    }

    pub fn fund(&self, agreement_id: u64) {
        const METERED: u32 = 2;
        let args = [ScVal::U64(agreement_id), ScVal::Address(sc_address(&self.bob)), ScVal::U32(METERED)];
        self.network.call(&self.contract, &self.bob, "fund_agreement", args, &[]);
    }

    pub fn delivered(&self, agreement_id: u64) -> u64 {
        delivered(&self.network, &self.contract, agreement_id)
    }

    fn date(&self) -> String {
        let since = jiff::Timestamp::from_second(self.since as i64).unwrap();
        jiff::tz::TimeZone::UTC.to_datetime(since).date().to_string()
    }

    pub fn config(&self, more: &str) -> Config {
        Config::parse(&self.text(more), &self.folder.join("gateway.toml")).unwrap()
    }

    fn text(&self, more: &str) -> String {
        format!(
            r#"
{top}
network = "local"
rpc = "{url}"
contract = "{contract}"
state = "."
key = "meter.key"
[[provider]]
name = "Alice"
address = "{alice}"
every = "hour"
[provider.meter]
source = "simulated"
since = "{since}"
start_kwh = 1000
peak_watts = 10000
[[provider.consumer]]
name = "Bob"
address = "{bob}"
share = 0.5
pays = "deposit"
{more}
"#,
            top = self.top,
            since = self.date(),
            url = self.url,
            contract = self.contract.id,
            alice = address(&self.alice),
            bob = address(&self.bob),
        )
    }

    /// The gateway's files: configuration and key.
    pub fn write(&self, more: &str) -> PathBuf {
        let path = self.folder.join("gateway.toml");
        std::fs::write(&path, self.text(more)).unwrap();
        self.write_key(&self.meter);
        path
    }

    pub fn write_key(&self, key: &SigningKey) {
        write_key(&self.folder.join("meter.key"), key);
    }

    pub fn gateway(&self) -> Arc<Gateway> {
        let book = Book::open(&self.folder).unwrap();
        Arc::new(Gateway::new(self.config(""), book, vec![(self.meter.clone(), vec![0])]))
    }
}

pub fn write_key(path: &Path, key: &SigningKey) {
    let secret = stellar_strkey::ed25519::PrivateKey(key.to_bytes());
    std::fs::write(path, format!("{}\n", secret.as_unredacted())).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// kWh that an agreement has been delivered.
pub fn delivered(network: &Network, contract: &Contract, agreement_id: u64) -> u64 {
    let state = network.show(contract, "get_agreement_state", [ScVal::U64(agreement_id)]);
    let ScVal::Map(Some(fields)) = state else { panic!("{state:?}") };
    let name = ScVal::Symbol(stellar_xdr::ScSymbol("energy_delivered_kwh".try_into().unwrap()));
    match fields.iter().find(|field| field.key == name).expect("it is a state").val {
        ScVal::U64(kwh) => kwh,
        ref other => panic!("{other:?}"),
    }
}
