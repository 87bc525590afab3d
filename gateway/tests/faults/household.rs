//! A household whose gateway reaches its network through a proxy. What is due is looked at by night, when the simulated
//! register stands still, so that it is known to the mWh whatever the second.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use p2p_gateway::book::Book;
use p2p_gateway::config::Config;
use p2p_gateway::gateway::{Gateway, Mode, Status, Trouble, Visit};
use p2p_gateway::input::sun::Sun;
use p2p_gateway::run;

use crate::network::scene::Scene;
use crate::proxy::Proxy;

pub const DAY: u64 = 86_400;
/// Bob pays so many stroops for a kWh.
pub const PRICE: i64 = 1_000_000;

/// A scene with its proxy, and what is known of it without any gateway.
pub struct House {
    pub scene: Scene,
    pub proxy: Proxy,
    pub agreement: u64,
    /// What the register showed when Bob's account was opened, in mWh.
    pub opened: u64,
    /// What Alice had then, in stroops.
    had: i64,
}

impl House {
    /// With a deposit of Bob's; `top` is the beginning of the configuration.
    pub fn new(name: &str, args: &[&str], top: &str) -> Self {
        Self::of(name, args, top, 500)
    }

    /// The same, for so many kWh.
    pub fn of(name: &str, args: &[&str], top: &str, kwh: u64) -> Self {
        let mut scene = Scene::new(name, args);
        let proxy = Proxy::start(&scene.network.url);
        scene.url.clone_from(&proxy.url);
        scene.top = top.into();
        let agreement = scene.agree(kwh);
        scene.fund(agreement);
        scene.write("");
        Self { scene, proxy, agreement, opened: 0, had: 0 }
    }

    /// Bob's account is opened at what the register shows now.
    pub fn opened_now(&mut self) {
        self.opened = self.register();
        self.had = self.scene.network.balance(&self.scene.alice);
    }

    pub fn night(&self) {
        self.scene.network.night();
    }

    /// What the simulated register shows now, in mWh.
    pub fn register(&self) -> u64 {
        let sun = Sun { seed: 1, peak_watts: 10_000, since: self.scene.since };
        1_000_000_000 + sun.register(self.scene.network.now()).mwh()
    }

    /// kWh that are Bob's half by now.
    pub fn truth(&self) -> u64 {
        (self.register() - self.opened) / 2 / 1_000_000
    }

    /// The chain has all that is Bob's and not one kWh more, and he paid for just that.
    pub fn assert_exact(&self) {
        let truth = self.truth();
        assert!(truth > 0, "there was no sun");
        assert_eq!(self.scene.delivered(self.agreement), truth, "kWh delivered");
        self.assert_paid(truth);
    }

    pub fn assert_paid(&self, kwh: u64) {
        let paid = self.scene.network.balance(&self.scene.alice) - self.had;
        assert_eq!(paid, PRICE * i64::try_from(kwh).unwrap(), "stroops paid");
    }
}

/// With a gateway in this process, which a test takes step by step.
pub struct Household {
    house: House,
    pub gateway: Arc<Gateway>,
}

impl Deref for Household {
    type Target = House;

    fn deref(&self) -> &House {
        &self.house
    }
}

impl Household {
    pub fn new(name: &str) -> Self {
        Self::with(name, &[], "")
    }

    /// With an account that is open, and the next day's sun to deliver.
    pub fn with(name: &str, args: &[&str], top: &str) -> Self {
        let mut household = Self::before(name, args, top);
        household.night();
        household.open();
        household
    }

    /// Nothing was read yet.
    pub fn before(name: &str, args: &[&str], top: &str) -> Self {
        let house = House::new(name, args, top);
        let gateway = house.scene.gateway();
        Self { house, gateway }
    }

    /// The account is opened at what the register shows now, and a day passes.
    pub fn open(&mut self) {
        // Samples are judged by what the chain shows, which is read first.
        assert!(self.turn(Mode::Look).is_err());
        self.samples();
        self.turn(Mode::Look).expect("it can look");
        let consumers = self.gateway.config.providers[0].consumers.len();
        assert_eq!(self.gateway.memory(0).accounts.len(), consumers, "the accounts are open");
        self.house.opened_now();
        self.night();
        self.samples();
    }

    pub fn night(&self) {
        self.house.night();
        // A network that fails may not tell.
        let _ = self.gateway.refresh_clock(Duration::ZERO);
    }

    pub fn advance(&self, seconds: u64) {
        self.scene.network.advance(seconds);
        let _ = self.gateway.refresh_clock(Duration::ZERO);
    }

    /// Two samples that agree.
    pub fn samples(&self) {
        let now = self.scene.network.now();
        run::simulate(&self.gateway, 0, &[now - 10, now]).expect("the journal can be written");
    }

    pub fn turn(&self, mode: Mode) -> Result<Visit, Trouble> {
        run::turn(&self.gateway, &self.gateway.keys()[0], 0, mode)
    }

    pub fn deliver(&self) -> Result<Visit, Trouble> {
        self.turn(Mode::Deliver)
    }

    /// What its state says is wrong.
    pub fn words(&self) -> String {
        match &self.gateway.provider(0).status {
            Status::Held(why) | Status::Stopped(why) => why.clone(),
            other => format!("{other:?}"),
        }
    }

    /// It starts again with this configuration.
    pub fn starts_with(&mut self, config: Config) {
        let none = Book::look(&std::path::PathBuf::from("/nonexistent")).expect("nothing");
        self.gateway = Arc::new(Gateway::new(self.scene.config(""), none, vec![]));
        let book = Book::open(&self.scene.folder).expect("its journal");
        let keys = vec![(self.scene.meter.clone(), vec![0])];
        self.gateway = Arc::new(Gateway::new(config, book, keys));
        self.gateway.refresh_clock(Duration::ZERO).expect("the network tells the time");
    }

    /// It starts again with the journal that it has, or with none.
    pub fn restart(&mut self) {
        // The journal of the gateway that ended has to be closed first.
        let none = Book::look(&std::path::PathBuf::from("/nonexistent")).expect("nothing");
        self.gateway = Arc::new(Gateway::new(self.scene.config(""), none, vec![]));
        self.gateway = self.scene.gateway();
        self.gateway.refresh_clock(Duration::ZERO).expect("the network tells the time");
    }

    /// Once the fault has ended, and a key that had to rest has rested, it delivers all.
    pub fn heals(&self) {
        self.proxy.heal();
        self.advance(120);
        self.samples();
        for _ in 0..3 {
            if self.deliver().is_ok() {
                self.assert_exact();
                return;
            }
            self.advance(120);
            self.samples();
        }
        panic!("it does not heal: {}", self.words());
    }
}
