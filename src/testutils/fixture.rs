//! Mainnet's time to live and limits, a Stellar asset contract with a real issuer, and named parties.
//!
//! The contract runs natively, or from the Wasm file that the environment variable `CONTRACT_WASM` names.

use std::{env::var, fmt::Debug, fs, vec::Vec};

use soroban_sdk::{
    testutils::{
        Address as _, ContractEvents, EnvTestConfig, Events as _, IssuerFlags, Ledger as _, StellarAssetIssuer,
    },
    token::{StellarAssetClient, TokenClient},
    xdr::{ContractEvent, ContractEventBody, LedgerEntryData, LedgerKey, ScVal},
    Address, Env, Event, InvokeError, TryFromVal,
};
use soroban_token_sdk::events::TransferWithAmountOnly;

use super::std;
use crate::events::{EnergyDelivered, EscrowRefunded, PaymentSettled};
use crate::utils::storage;
use crate::{
    AgreementState, AgreementStatus, Deposit, EnergyTransaction, PeerToPeerEnergySharing,
    PeerToPeerEnergySharingClient, Prosumer, SharingError, TransactionState, TransactionStatus, TRANSACTION_STEP,
};

mod classic;

pub const HOUR: u64 = 60 * 60;
pub const DAY: u64 = 24 * HOUR;
/// When the fixture begins, Unix time.
pub const START: u64 = 1_800_000_000;
/// The terms of the fixture's agreements: 100 kWh at 0.25 of the token, within a week.
pub const KWH: u64 = 100;
pub const PRICE: u64 = 2_500_000;
pub const TOTAL: u64 = KWH * PRICE;
pub const DEADLINE: u64 = START + 7 * DAY;
/// Of the fixture's plants, kW.
pub const POWER: u64 = crate::MAX_POWER;
/// What the consumer owns at the beginning.
pub const WEALTH: i128 = 1_000 * 10_000_000;

/// Of accounts.
pub const ACCOUNTS: [&str; 2] = [
    "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",
    "GCEZWKCA5VLDNRLN3RPRJMRZOX3Z6G5CHCGSNFHEYVXM3XOJMDS674JZ",
];

/// An answer of a `try_` method of the client.
pub type Answer<T, E> = Result<Result<T, E>, Result<SharingError, InvokeError>>;

pub struct Fixture {
    pub env: Env,
    pub contract: Address,
    pub client: PeerToPeerEnergySharingClient<'static>,
    pub token: TokenClient<'static>,
    pub asset: StellarAssetClient<'static>,
    pub issuer: StellarAssetIssuer,
    pub admin: Address,
    pub provider: Address,
    pub consumer: Address,
    pub meter: Address,
    pub stranger: Address,
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

impl Fixture {
    /// A deployed contract, not initialised, and nobody registered. All signatures are mocked: `auth` tests them.
    pub fn deployed() -> Self {
        let env = Env::new_with_config(EnvTestConfig { capture_snapshot_at_drop: false });
        env.ledger().with_mut(|ledger| {
            ledger.timestamp = START;
            ledger.sequence_number = 1_000_000;
            ledger.min_persistent_entry_ttl = 2_073_600;
            ledger.min_temp_entry_ttl = 17_280;
            ledger.max_entry_ttl = 3_110_400;
        });
        env.mock_all_auths();
        let contract = deploy(&env);
        let asset = env.register_stellar_asset_contract_v2(Address::generate(&env));
        let consumer = Address::generate(&env);
        let fixture = Self {
            client: PeerToPeerEnergySharingClient::new(&env, &contract),
            token: TokenClient::new(&env, &asset.address()),
            asset: StellarAssetClient::new(&env, &asset.address()),
            issuer: asset.issuer(),
            admin: Address::generate(&env),
            provider: Address::generate(&env),
            meter: Address::generate(&env),
            stranger: Address::generate(&env),
            contract,
            consumer,
            env,
        };
        fixture.asset.mint(&fixture.consumer, &WEALTH);
        fixture
    }

    /// Initialised, provider and consumer registered.
    pub fn new() -> Self {
        Self::deployed().started()
    }

    /// As `new`, whatever was changed in it before.
    pub fn started(self) -> Self {
        self.client.initialize(&self.admin, &self.token.address);
        self.client.register_prosumer(&self.provider);
        self.client.register_prosumer(&self.consumer);
        self
    }

    /// As `new`, and the provider's meter certified at a reading of 0.
    pub fn metered() -> Self {
        let fixture = Self::new();
        fixture.certify(0);
        fixture
    }

    /// As `new`, provider and consumer being accounts, whose addresses are the longest.
    pub fn accounts() -> Self {
        let f = Self::deployed();
        let [provider, consumer] = ACCOUNTS.map(|account| Address::from_str(&f.env, account));
        Self { provider, consumer, ..f }.started()
    }

    /// An agreement on the fixture's terms.
    pub fn agreement(&self) -> u64 {
        self.client.create_agreement(&self.provider, &self.consumer, &KWH, &PRICE, &DEADLINE)
    }

    /// With a deposit that is `Metered` if the provider has a certified meter, else `Reviewed`.
    pub fn funded_agreement(&self) -> u64 {
        let metered = self.client.get_prosumer(&self.provider).meter.is_some();
        self.agreement_with(if metered { Deposit::Metered } else { Deposit::Reviewed })
    }

    pub fn agreement_with(&self, deposit: Deposit) -> u64 {
        let id = self.agreement();
        self.client.fund_agreement(&id, &self.consumer, &deposit);
        id
    }

    /// Agreements that ended: cancelled, delivered and settled.
    pub fn ended_agreements(&self) -> [u64; 3] {
        let [cancelled, delivered, settled] = [self.agreement(), self.agreement(), self.agreement()];
        self.client.cancel_agreement(&cancelled, &self.provider);
        self.deliver(delivered, KWH);
        self.client.settle_payment(&self.deliver(settled, KWH), &self.consumer);
        [cancelled, delivered, settled]
    }

    /// A delivery with a meter that has exported just enough, and something since the last one.
    pub fn deliver(&self, agreement_id: u64, kwh: u64) -> u64 {
        let prosumer = self.client.get_prosumer(&self.provider);
        if prosumer.meter.is_some() {
            self.let_meter_rest();
        }
        let reading = (prosumer.meter_reading + 1).max(prosumer.meter_start + prosumer.energy_sold_kwh + kwh);
        self.client.deliver_energy(&agreement_id, &kwh, &reading, &self.provider)
    }

    /// Certifies the provider's meter, which could have shown any reading long ago: `power` tests the plant's power.
    pub fn certify(&self, meter_reading: u64) {
        self.client.register_meter(&self.provider, &Some(self.meter.clone()), &meter_reading, &POWER);
        self.let_meter_rest();
    }

    pub fn let_meter_rest(&self) {
        self.change_prosumer(&self.provider, |prosumer| prosumer.read_at = 0);
    }

    pub fn retire(&self) {
        self.client.register_meter(&self.provider, &None, &0, &0);
    }

    /// A disputed delivery.
    pub fn disputed(&self, agreement_id: u64, kwh: u64) -> u64 {
        let id = self.deliver(agreement_id, kwh);
        self.client.dispute_transaction(&id, &self.consumer);
        id
    }

    /// Has the provider created so many agreements.
    pub fn set_agreements(&self, agreements: u64) {
        self.change_prosumer(&self.provider, |prosumer| prosumer.agreements = agreements);
    }

    /// Changes a prosumer's record as no call does.
    pub fn change_prosumer(&self, address: &Address, change: impl Fn(&mut Prosumer)) {
        self.env.as_contract(&self.contract, || {
            let mut prosumer = storage::prosumer(&self.env, address);
            change(&mut prosumer);
            storage::set_prosumer(&self.env, address, &prosumer);
        });
    }

    /// Moves the clock; ledgers close every 5 seconds.
    pub fn at(&self, time: u64) {
        let passed = time.saturating_sub(self.env.ledger().timestamp());
        self.env.ledger().with_mut(|ledger| {
            ledger.timestamp = time;
            ledger.sequence_number = ledger.sequence_number.saturating_add(u32::try_from(passed / 5).unwrap_or(0));
        });
    }

    /// Freezes an account's balance, or thaws it.
    pub fn freeze(&self, owner: &Address, frozen: bool) {
        self.issuer.set_flag(IssuerFlags::RevocableFlag);
        self.asset.set_authorized(owner, &!frozen);
    }

    /// What consumer, provider and contract own.
    pub fn balances(&self) -> [i128; 3] {
        [&self.consumer, &self.provider, &self.contract].map(|owner| self.token.balance(owner))
    }

    /// Asserts what provider and contract own, and that the consumer's wealth paid for just that.
    #[track_caller]
    pub fn assert_owned(&self, provider: u64, contract: u64) {
        let [provider, contract] = [provider, contract].map(i128::from);
        assert_eq!(self.balances(), [WEALTH - provider - contract, provider, contract]);
    }

    pub fn status(&self, agreement_id: u64) -> AgreementStatus {
        self.client.get_agreement(&agreement_id).status
    }

    pub fn transaction_status(&self, transaction_id: u64) -> TransactionStatus {
        self.client.get_transaction(&transaction_id).status
    }

    pub fn transaction_state(&self, transaction_id: u64) -> TransactionState {
        let states = self.client.get_transaction_states(&(transaction_id % TRANSACTION_STEP));
        states.get((transaction_id / TRANSACTION_STEP) as u32).unwrap()
    }

    /// Asserts delivered kWh, pending and escrow of an agreement; what is disputed is the sum of its disputed transactions.
    #[track_caller]
    pub fn assert_state(&self, agreement_id: u64, energy_delivered_kwh: u64, pending_amount: u64, escrow_amount: u64) {
        let state = self.client.get_agreement_state(&agreement_id);
        let transactions = self.client.get_agreement_transactions(&agreement_id).iter();
        let disputed = transactions.filter(|transaction| transaction.status == TransactionStatus::Disputed);
        let disputed_amount = disputed.map(|transaction| transaction.payment_amount).sum();
        let expected =
            AgreementState { energy_delivered_kwh, pending_amount, disputed_amount, escrow_amount, ..state.clone() };
        assert_eq!(state, expected);
    }

    /// The event as the contract publishes it.
    pub fn event(&self, event: &impl Event) -> ContractEvent {
        event.to_xdr(&self.env, &self.contract)
    }

    /// A delivery by the provider at this moment, metered or not.
    pub fn delivered_event(
        &self,
        transaction_id: u64,
        agreement_id: u64,
        kwh: u64,
        meter_reading: u64,
        metered: bool,
    ) -> ContractEvent {
        self.event(&EnergyDelivered {
            transaction_id,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            agreement_id,
            energy_delivered_kwh: kwh,
            meter_reading,
            payment_amount: kwh * PRICE,
            delivered_at: self.env.ledger().timestamp(),
            metered,
        })
    }

    /// The record of such a delivery, which waits to be settled.
    pub fn delivered(&self, transaction_id: u64, agreement_id: u64, kwh: u64, meter_reading: u64) -> EnergyTransaction {
        EnergyTransaction {
            transaction_id,
            agreement_id,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            energy_delivered_kwh: kwh,
            meter_reading,
            payment_amount: kwh * PRICE,
            delivered_at: self.env.ledger().timestamp(),
            settled_at: None,
            status: TransactionStatus::Delivered,
        }
    }

    pub fn refund_event(&self, agreement_id: u64, refund_amount: u64, escrow_amount: u64) -> ContractEvent {
        let (provider, consumer) = (self.provider.clone(), self.consumer.clone());
        self.event(&EscrowRefunded { agreement_id, provider, consumer, refund_amount, escrow_amount })
    }

    pub fn settled_event(&self, transaction_id: u64, agreement_id: u64, kwh: u64, settler: &Address) -> ContractEvent {
        self.event(&PaymentSettled {
            transaction_id,
            provider: self.provider.clone(),
            consumer: self.consumer.clone(),
            agreement_id,
            payment_amount: kwh * PRICE,
            settled_at: self.env.ledger().timestamp(),
            settler: settler.clone(),
        })
    }

    pub fn transfer_event(&self, from: &Address, to: &Address, amount: u64) -> ContractEvent {
        self.asset_event(&TransferWithAmountOnly { from: from.clone(), to: to.clone(), amount: amount.into() })
    }

    /// The asset contract's event: SEP-41's, and the asset's name as its last topic.
    pub fn asset_event(&self, event: &impl Event) -> ContractEvent {
        let mut event = event.to_xdr(&self.env, &self.token.address);
        let ContractEventBody::V0(body) = &mut event.body;
        let mut topics = body.topics.to_vec();
        topics.push(ScVal::try_from_val(&self.env, &self.token.name().to_val()).unwrap());
        body.topics = topics.try_into().unwrap();
        event
    }

    /// What the last call emitted, the token's events included.
    pub fn events(&self) -> ContractEvents {
        self.env.events().all()
    }

    /// Asserts that a call fails with just this error, changes nothing and emits nothing.
    #[track_caller]
    pub fn fails<T: Debug, E: Debug>(
        &self,
        error: SharingError,
        call: impl FnOnce(&PeerToPeerEnergySharingClient<'static>) -> Answer<T, E>,
    ) {
        let before = self.ledger();
        match call(&self.client) {
            Err(Ok(answer)) => assert_eq!(answer, error),
            answer => panic!("expected {error:?}, got {answer:?}"),
        }
        assert_eq!(self.events(), []);
        assert!(self.ledger() == before, "{error:?} left something changed");
    }

    /// Everything on the ledger with its time to live, but for the nonces of signatures.
    pub fn ledger(&self) -> Vec<(LedgerKey, LedgerEntryData, Option<u32>)> {
        let mut entries: Vec<_> = (self.env.to_ledger_snapshot().ledger_entries.into_iter())
            .filter(|(key, _)| !is_nonce(key))
            .map(|(key, (entry, live_until))| (*key, entry.data, live_until))
            .collect();
        entries.sort();
        entries
    }
}

/// The id of an agreement's k-th transaction.
pub fn transaction_id(agreement_id: u64, k: u64) -> u64 {
    (k - 1) * TRANSACTION_STEP + agreement_id
}

/// Deploys the contract.
pub fn deploy(env: &Env) -> Address {
    match var("CONTRACT_WASM") {
        Ok(file) => env.register(fs::read(file).unwrap().as_slice(), ()),
        Err(_) => env.register(PeerToPeerEnergySharing, ()),
    }
}

/// Of a signature.
pub fn is_nonce(key: &LedgerKey) -> bool {
    matches!(key, LedgerKey::ContractData(data) if matches!(data.key, ScVal::LedgerKeyNonce(_)))
}
