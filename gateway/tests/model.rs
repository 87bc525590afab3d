//! A meter that lies now and then, a gateway that is restarted, and a contract: what the contract records is the floor of
//! the truth, never more, and reaches it when the noise ends.

use std::collections::BTreeMap;

use p2p_gateway::book::{Entry, Memory, ProviderMemory};
use p2p_gateway::counting::{claims, next_delivery, Account, Agreement, Claim, Delivery, Pays, Seller, Share};
use p2p_gateway::energy::Energy;
use p2p_gateway::plan::{self, Party};
use p2p_gateway::register::{Reading, Register};
use proptest::prelude::*;

const POWER: u64 = 12;
const START: u64 = 1_000_000;
const DAY: u64 = 86_400;
/// Beyond every sequence of steps.
const DEADLINE: u64 = START + 100 * DAY;
const FIRST_READING: u64 = 1_000;
const SHARES: [u32; 3] = [400_000, 333_333, 266_667];

/// The rules of the contract that a delivery meets, stated anew.
struct Contract {
    seller: Seller,
    agreements: Vec<(usize, Agreement, u64)>,
    refused: u32,
}

impl Contract {
    fn new() -> Self {
        let seller = Seller {
            meter_start: FIRST_READING,
            meter_reading: FIRST_READING,
            read_at: START,
            energy_sold_kwh: 0,
            max_power_kw: POWER + 1,
        };
        Self { seller, agreements: vec![], refused: 0 }
    }

    fn offer(&mut self, consumer: usize, energy_amount_kwh: u64) {
        let agreement = Agreement {
            id: self.agreements.len() as u64 + 1,
            energy_amount_kwh,
            energy_delivered_kwh: 0,
            created_at: START,
            delivery_deadline: DEADLINE,
            cancelled: false,
            funded: consumer != 2,
            transactions: 0,
            last_reading: None,
            joins: false,
        };
        self.agreements.push((consumer, agreement, 0));
    }

    /// Another meter is certified, which shows this.
    fn certify(&mut self, kwh: u64, now: u64) {
        let seller = &mut self.seller;
        (seller.meter_start, seller.meter_reading, seller.read_at, seller.energy_sold_kwh) = (kwh, kwh, now, 0);
        self.agreements.iter_mut().for_each(|(_, agreement, _)| agreement.last_reading = None);
    }

    fn deliver(&mut self, call: Delivery, now: u64) -> bool {
        let seller = &mut self.seller;
        let (_, agreement, last_day) = &mut self.agreements[call.agreement_id as usize - 1];
        let joins = agreement.funded && agreement.transactions > 0 && *last_day == now / DAY;
        let risen = call.meter_reading.saturating_sub(seller.meter_reading);
        let exported_by = |kwh: u64| seller.read_at + (kwh * 3_600).div_ceil(seller.max_power_kw);
        let is_refused = call.energy_kwh == 0
            || now > agreement.delivery_deadline
            || call.energy_kwh > agreement.energy_amount_kwh - agreement.energy_delivered_kwh
            || (agreement.transactions == 40 && !joins)
            || call.meter_reading < seller.meter_reading
            || agreement.last_reading.is_some_and(|last| call.meter_reading <= last)
            || seller.energy_sold_kwh + call.energy_kwh > call.meter_reading - seller.meter_start
            || (risen > 0 && now < exported_by(risen - 1));
        if is_refused {
            self.refused += 1;
            return false;
        }
        if risen > 0 {
            seller.read_at = now.max(exported_by(risen));
        }
        seller.meter_reading = call.meter_reading;
        seller.energy_sold_kwh += call.energy_kwh;
        agreement.energy_delivered_kwh += call.energy_kwh;
        agreement.last_reading = Some(call.meter_reading);
        agreement.transactions += u32::from(!joins);
        *last_day = now / DAY;
        true
    }

    /// What a consumer's agreements show, as a gateway reads them.
    fn agreements_of(&self, consumer: usize, now: u64) -> Vec<Agreement> {
        let own = self.agreements.iter().filter(|(of, ..)| *of == consumer);
        own.map(|(_, agreement, last_day)| Agreement {
            joins: agreement.funded && agreement.transactions > 0 && *last_day == now / DAY,
            ..*agreement
        })
        .collect()
    }

    fn delivered(&self, consumer: usize) -> u64 {
        self.agreements
            .iter()
            .filter(|(of, ..)| *of == consumer)
            .map(|(_, agreement, _)| agreement.energy_delivered_kwh)
            .sum()
    }
}

#[derive(Clone, Copy, Debug)]
enum Sample {
    True,
    Zero,
    Wild(u64),
    /// Plausible and wrong, but only once.
    Spike(u64),
    /// A little lower than before.
    Jitter,
    Late,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The plant exports for so many seconds, at so many thousandths of its power.
    Sun(u64, u64),
    Reads(Sample),
    Delivers,
    /// The same call is sent once more, by a gateway that had no answer, or by another one.
    Again,
    /// A restart without its memory: the journal has the accounts, and the chain the reading.
    Restarts,
}

fn step() -> impl Strategy<Value = Step> {
    let sample = prop_oneof![
        8 => Just(Sample::True),
        1 => Just(Sample::Zero),
        1 => (1_000_000..200_000_000_u64).prop_map(Sample::Wild),
        1 => (2..40_u64).prop_map(Sample::Spike),
        1 => Just(Sample::Jitter),
        1 => Just(Sample::Late),
    ];
    prop_oneof![
        4 => (1..20_000_u64, 0..=1_000_u64).prop_map(|(seconds, thousandths)| Step::Sun(seconds, thousandths)),
        8 => sample.prop_map(Step::Reads),
        4 => Just(Step::Delivers),
        1 => Just(Step::Again),
        1 => Just(Step::Restarts),
    ]
}

struct Run {
    contract: Contract,
    accounts: [Account; 3],
    register: Register,
    now: u64,
    /// What the plant has exported, beyond any doubt, in mWh of its register.
    truth: u64,
    last_call: Option<Delivery>,
}

impl Run {
    fn new() -> Self {
        let mut contract = Contract::new();
        for consumer in 0..3 {
            contract.offer(consumer, 1_000_000);
        }
        let first = Energy::from_kwh(FIRST_READING).unwrap();
        let accounts = SHARES.map(|share| Account::open(Share::from_millionths(share).unwrap(), first, &[]));
        let register = Register::new(POWER, Reading { at: START, energy: first });
        Self { contract, accounts, register, now: START, truth: first.mwh(), last_call: None }
    }

    fn reads(&mut self, sample: Sample) {
        self.now += 5;
        let kwh = Energy::KWH.mwh();
        let (at, mwh) = match sample {
            Sample::True => (self.now, self.truth),
            Sample::Zero => (self.now, 0),
            Sample::Wild(more) => (self.now, self.truth + more * kwh),
            Sample::Spike(more) => (self.now, self.truth + more * kwh),
            Sample::Jitter => (self.now, self.truth - kwh / 2),
            Sample::Late => (self.now - 1, self.truth),
        };
        self.register.take(Reading { at, energy: Energy::from_mwh(mwh) });
        if matches!(sample, Sample::Spike(_)) {
            self.reads(Sample::True);
        }
    }

    fn claims(&self) -> Vec<Claim> {
        let pays = [Pays::Deposit, Pays::Deposit, Pays::Bill];
        let reading = self.register.believed().energy;
        let of = |consumer: usize| {
            let agreements = self.contract.agreements_of(consumer, self.now);
            claims(&self.accounts[consumer], pays[consumer], &agreements, reading, self.now)
        };
        (0..3).flat_map(of).collect()
    }

    /// All that is due now; how many deliveries that were.
    fn delivers(&mut self) -> usize {
        let mut deliveries = 0;
        loop {
            let reading = self.register.believed().energy;
            let Some(call) = next_delivery(&self.contract.seller, &self.claims(), reading, self.now).unwrap() else {
                return deliveries;
            };
            assert!(self.contract.deliver(call, self.now), "refused: {call:?}");
            self.last_call = Some(call);
            deliveries += 1;
            assert!(deliveries <= 3, "a reading is delivered to each consumer once");
        }
    }

    /// kWh that a consumer is entitled to by the truth.
    fn entitled(&self, consumer: usize) -> u64 {
        let exported = self.truth - FIRST_READING * Energy::KWH.mwh();
        (u128::from(exported) * u128::from(SHARES[consumer]) / 1_000_000 / 1_000_000) as u64
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Sun(seconds, thousandths) => {
                self.now += seconds;
                self.truth += POWER * thousandths * seconds * 1_000 / 3_600;
            }
            Step::Reads(sample) => self.reads(sample),
            Step::Delivers => {
                self.delivers();
            }
            Step::Again => {
                if let Some(call) = self.last_call {
                    let sold = self.contract.seller.energy_sold_kwh;
                    assert!(!self.contract.deliver(call, self.now));
                    assert_eq!(self.contract.seller.energy_sold_kwh, sold);
                }
            }
            Step::Restarts => {
                let (kwh, at) = (self.contract.seller.meter_reading, self.contract.seller.read_at.min(self.now));
                self.register = Register::new(POWER, Reading { at, energy: Energy::from_kwh(kwh).unwrap() });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_chain_records_the_floor_of_the_truth_and_never_more(steps in prop::collection::vec(step(), 1..120)) {
        let mut run = Run::new();
        for step in steps {
            run.play(step);
            for consumer in 0..3 {
                prop_assert!(run.contract.delivered(consumer) <= run.entitled(consumer));
            }
        }
        // The noise ends, and another kWh makes the reading one that no agreement has had. The third consumer pays bills,
        // of which each delivery is a transaction: it has another agreement, should those of the first be used up.
        run.now = DEADLINE - 3_600;
        run.truth += Energy::KWH.mwh();
        run.contract.offer(2, 1_000_000);
        run.reads(Sample::True);
        run.reads(Sample::True);
        run.delivers();
        for consumer in 0..3 {
            prop_assert_eq!(run.contract.delivered(consumer), run.entitled(consumer), "of consumer {}", consumer);
        }
    }
}

/// What happens to accounts over their life.
#[derive(Clone, Copy, Debug)]
enum Event {
    Sun(u64, u64),
    /// The evening's visit, with true samples.
    Visits,
    /// The same, and the answers to so many of its deliveries are lost with the program, which starts again.
    Dies(usize),
    /// A consumer is offered another agreement, of so many kWh.
    Offers(usize, u64),
    /// One of its agreements is cancelled.
    Cancels(usize),
    ChangesShare(usize, u32),
    /// The meter is exchanged for one that shows so many kWh.
    Exchanges(u64),
    /// A server makes up so many certificates, the first of so many kWh, and shows the true one again.
    SeesMadeUp(u64, u64),
    LosesJournal,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (600..30_000_u64, 0..=1_000_u64).prop_map(|(seconds, thousandths)| Event::Sun(seconds, thousandths)),
        8 => Just(Event::Visits),
        3 => (0..4_usize).prop_map(Event::Dies),
        3 => (0..3_usize, 1..60_u64).prop_map(|(consumer, kwh)| Event::Offers(consumer, kwh)),
        1 => (0..3_usize).prop_map(Event::Cancels),
        1 => (0..3_usize, 1..300_000_u32).prop_map(|(consumer, share)| Event::ChangesShare(consumer, share)),
        1 => (0..3_000_u64).prop_map(Event::Exchanges),
        1 => (0..3_000_u64, 1..4_u64).prop_map(|(kwh, count)| Event::SeesMadeUp(kwh, count)),
        1 => Just(Event::LosesJournal),
    ]
}

/// What a consumer is entitled to by the truth, in millionths of a mWh: while it has an agreement that can be filled.
#[derive(Clone, Copy)]
struct Truth {
    share: u32,
    entitled: u128,
    /// Nothing happened that costs it a part of a kWh, or all that was exported in a time that nothing tells of.
    is_whole: bool,
}

/// A kWh, and what changes of an account may cut off: less than a mWh each.
const KWH: u128 = 1_000_000 * 1_000_000;
const CUTS: u128 = 200 * 1_000_000;

/// A provider with its journal, as the gateway keeps both.
struct Household {
    contract: Contract,
    memory: Memory,
    register: Register,
    now: u64,
    shown: u64,
    /// Exported since the last change, in mWh, of which the truths do not have their shares yet.
    exported: u64,
    truths: [Truth; 3],
}

const PROVIDER: &str = "GALICE";

impl Household {
    fn new() -> Self {
        let first = Energy::from_kwh(FIRST_READING).unwrap();
        let register = Register::new(POWER, Reading { at: START, energy: first });
        let truths = [300_000, 250_001, 199_999].map(|share| Truth { share, entitled: 0, is_whole: true });
        let mut household = Self {
            contract: Contract::new(),
            memory: Memory::default(),
            register,
            now: START,
            shown: first.mwh(),
            exported: 0,
            truths,
        };
        (0..3).for_each(|consumer| household.contract.offer(consumer, 40));
        household.visits(usize::MAX);
        household
    }

    fn buys(&self, consumer: usize) -> bool {
        self.contract.agreements_of(consumer, self.now).iter().any(|agreement| agreement.may_fill(Pays::Bill, self.now))
    }

    /// What was exported since the last change is divided by the shares of now.
    fn divides(&mut self) {
        for consumer in 0..3 {
            if self.buys(consumer) {
                let truth = &mut self.truths[consumer];
                truth.entitled += u128::from(self.exported) * u128::from(truth.share);
            }
        }
        self.exported = 0;
    }

    fn provider(&self) -> ProviderMemory {
        self.memory.providers.get(PROVIDER).cloned().unwrap_or_default()
    }

    /// Samples of now, and all that is due; the journal learns of so many deliveries.
    fn visits(&mut self, learns: usize) {
        self.samples();
        let mut deliveries = 0;
        loop {
            let seller = self.contract.seller;
            let reading = self.register.believed().energy;
            self.sees(&seller);
            let mut all = vec![];
            for consumer in 0..3 {
                let address = consumer.to_string();
                let share = Share::from_millionths(self.truths[consumer].share).unwrap();
                let agreements = self.contract.agreements_of(consumer, self.now);
                let party = Party { address: address.clone(), share, pays: Pays::Bill, agreements };
                let memory = self.provider();
                let before = memory.accounts.get(&address).cloned();
                let changed = plan::account(&memory, &party, &seller, reading, self.now);
                if let Some(account) = changed.clone() {
                    self.memory.take(Entry::Account { provider: PROVIDER.into(), consumer: address, account });
                }
                if let Some(account) = changed.or(before) {
                    all.extend(claims(&account, party.pays, &party.agreements, reading, self.now));
                }
            }
            let Some(call) = next_delivery(&seller, &all, reading, self.now).unwrap() else { return };
            let consumer = self.contract.agreements[call.agreement_id as usize - 1].0;
            let was_buying = self.buys(consumer);
            assert!(self.contract.deliver(call, self.now), "refused: {call:?}");
            // What is left over after its last agreement was filled is nobody's.
            if was_buying && !self.buys(consumer) {
                self.truths[consumer].is_whole = false;
            }
            deliveries += 1;
            if deliveries > learns {
                // Nobody knows of it until the chain is read again.
                return;
            }
            assert!(deliveries <= 200, "it does not end");
            let (provider, agreement_id) = (PROVIDER.into(), call.agreement_id);
            let energy_kwh = self.contract.agreements[agreement_id as usize - 1].1.energy_delivered_kwh;
            self.memory.take(Entry::Delivered { provider, agreement_id, energy_kwh });
        }
    }

    /// What a gateway does with the certificate that a server shows.
    fn sees(&mut self, seller: &Seller) {
        let memory = ProviderMemory { believed: Some(self.register.believed()), ..self.provider() };
        let certified = plan::certified(PROVIDER, &memory, seller, self.now).expect("it is a later one");
        certified.into_iter().for_each(|entry| self.memory.take(entry));
    }

    fn samples(&mut self) {
        for _ in 0..3 {
            self.now += 5;
            self.register.take(Reading { at: self.now, energy: Energy::from_mwh(self.shown) });
        }
    }

    fn plays(&mut self, event: Event) {
        match event {
            Event::Sun(seconds, thousandths) => {
                self.now += seconds;
                let mwh = POWER * thousandths * seconds * 1_000 / 3_600;
                self.shown += mwh;
                self.exported += mwh;
                let before: BTreeMap<_, _> = (0..3).map(|consumer| (consumer, self.buys(consumer))).collect();
                self.divides();
                // The gateway may have seen of it what was exported before.
                (0..3).filter(|consumer| !before[consumer]).for_each(|consumer| self.truths[consumer].is_whole = false);
            }
            Event::Visits => self.visits(usize::MAX),
            Event::Dies(learns) => {
                self.visits(learns);
                self.restarts();
            }
            Event::Offers(consumer, kwh) => self.contract.offer(consumer, kwh),
            Event::Cancels(consumer) => {
                let own = self.contract.agreements.iter_mut().filter(|(of, ..)| *of == consumer);
                if let Some((_, agreement, _)) = own.last() {
                    agreement.cancelled = true;
                }
                self.truths[consumer].is_whole = false;
            }
            Event::ChangesShare(consumer, share) => {
                self.visits(usize::MAX);
                self.truths[consumer].share = share;
                self.visits(usize::MAX);
            }
            Event::Exchanges(kwh) => {
                self.visits(usize::MAX);
                // A new certificate is seen by its first reading, as the guide says.
                let kwh = kwh + u64::from(kwh == self.contract.seller.meter_start);
                self.contract.certify(kwh, self.now);
                let first = Energy::from_kwh(kwh).unwrap();
                // The gateway looks: the old meter's last reading is what it believed.
                self.sees(&self.contract.seller.clone());
                self.shown = first.mwh();
                self.register = Register::new(POWER, Reading { at: self.now, energy: first });
            }
            Event::SeesMadeUp(first, count) => {
                self.visits(usize::MAX);
                let true_one = self.contract.seller;
                for kwh in (first..first + count).filter(|kwh| *kwh != true_one.meter_start) {
                    self.now += 1;
                    let (meter_start, meter_reading, read_at, energy_sold_kwh) = (kwh, kwh, self.now, 0);
                    self.sees(&Seller { meter_start, meter_reading, read_at, energy_sold_kwh, ..true_one });
                }
                self.visits(usize::MAX);
            }
            Event::LosesJournal => {
                self.memory = Memory::default();
                self.restarts();
                for consumer in 0..3 {
                    let all_by_this_share = self.since_last_delivery(consumer);
                    let truth = &mut self.truths[consumer];
                    truth.entitled = truth.entitled.max(all_by_this_share);
                    truth.is_whole = false;
                }
            }
        }
    }

    /// What a consumer has, and the share of now of all that was exported since its last delivery: without a journal nothing
    /// tells that it had another share in between.
    fn since_last_delivery(&self, consumer: usize) -> u128 {
        let agreements = self.contract.agreements_of(consumer, self.now);
        let open = agreements.iter().filter(|agreement| agreement.may_fill(Pays::Bill, self.now));
        let last = open.filter_map(|agreement| agreement.last_reading).max().unwrap_or(u64::MAX / Energy::KWH.mwh());
        let exported = self.shown.saturating_sub(last * Energy::KWH.mwh());
        let share = u128::from(self.truths[consumer].share);
        u128::from(self.contract.delivered(consumer)) * KWH + u128::from(exported) * share
    }

    fn restarts(&mut self) {
        let (kwh, at) = (self.contract.seller.meter_reading, self.contract.seller.read_at.min(self.now));
        self.register = Register::new(POWER, Reading { at, energy: Energy::from_kwh(kwh).unwrap() });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn over_the_life_of_accounts_the_chain_never_has_more_than_the_truth(events in prop::collection::vec(event(), 1..80)) {
        let mut household = Household::new();
        for event in events {
            household.plays(event);
            for consumer in 0..3 {
                let (has, truth) = (u128::from(household.contract.delivered(consumer)), household.truths[consumer].entitled / KWH);
                prop_assert!(has <= truth, "consumer {} has {} of {} kWh after {:?}", consumer, has, truth, event);
            }
        }
        // At last there are agreements for all, and enough sun for what an exchanged meter had left over.
        (0..3).for_each(|consumer| household.contract.offer(consumer, 1_000_000));
        household.visits(usize::MAX);
        for _ in 0..30 {
            household.plays(Event::Sun(20_000, 1_000));
            household.visits(usize::MAX);
        }
        for (consumer, truth) in household.truths.iter().enumerate() {
            let has = u128::from(household.contract.delivered(consumer));
            let (most, least) = (truth.entitled / KWH, truth.entitled.saturating_sub(CUTS) / KWH);
            prop_assert!(has <= most, "consumer {} has {} of {} kWh", consumer, has, most);
            prop_assert!(has >= least || !truth.is_whole, "consumer {} has {} of {} kWh", consumer, has, least);
        }
    }
}
