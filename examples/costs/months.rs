//! What two neighbours pay for a month, and a community with the contract's own life.

use super::*;

/// What a month costs, in stroops: all of it, and what of it is rent at the estimate's rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bill {
    pub fee: i64,
    pub rent: i64,
}

/// Stroops a KB of rent: the network's least, its target's, and the estimate's.
pub const RATES: [i64; 3] = [1_000, 10_000, ESTIMATE_RATE];
pub const ESTIMATE_RATE: i64 = 12_000;

/// How many pairs of neighbours a community has.
pub const PAIRS: [i64; 3] = [5, 20, 100];

impl Bill {
    fn add(&mut self, columns: Columns) {
        self.fee += columns[FEE];
        self.rent += columns[RENT];
    }

    pub fn at(self, rate: i64) -> i64 {
        self.fee - self.rent + self.rent * rate / ESTIMATE_RATE
    }
}

/// A pair whose provider has a certified meter.
fn pair() -> Fixture {
    let f = deployed().started();
    Scene::of(&f, &f.env).certify();
    f.asset.mint(&f.consumer, &(100 * WEALTH));
    f
}

/// The provider's next month, from a `Metered` deposit: the offer, the deposit, and so many deliveries a day.
fn month(f: &Fixture, deliveries_a_day: u64) -> Bill {
    // Others keep the contract and the token alive.
    for shared in [&f.contract, &f.token.address] {
        f.env.deployer().extend_ttl(shared.clone(), 3_110_399, 3_110_399);
    }
    let mut bill = Bill::default();
    let now = f.env.ledger().timestamp();
    let kwh = if deliveries_a_day == 1 { DAY_KWH } else { 1 };
    bill.add(measure(f, &f.provider, |s| {
        let deadline = now + 31 * DAY;
        s.client.create_agreement(&s.provider, &s.consumer, &(30 * deliveries_a_day * kwh), &PRICE, &deadline);
    }));
    let newest = |s: &Scene| s.client.get_prosumer(&s.provider).last_agreement.unwrap();
    bill.add(measure(f, &f.consumer, |s| s.client.fund_agreement(&newest(s), &s.consumer, &Deposit::Metered)));
    for n in 1..=30 * deliveries_a_day {
        f.at(now + n * DAY / deliveries_a_day);
        bill.add(measure(f, &f.meter, |s| {
            let reading = s.client.get_prosumer(&s.provider).meter_reading + kwh;
            s.client.deliver_energy(&newest(s), &kwh, &reading, &s.provider);
        }));
    }
    bill
}

/// A month of so many deliveries a day.
pub fn first_month(deliveries_a_day: u64) -> Bill {
    month(&pair(), deliveries_a_day)
}

/// Six months of daily deliveries, one after the other.
pub fn half_a_year() -> [Bill; 6] {
    let f = pair();
    array::from_fn(|_| month(&f, 1))
}

/// A month of daily deliveries without a deposit, paid with one signature.
pub fn month_without_deposit() -> Bill {
    let mut bill = Bill::default();
    let (before, deliveries, f) = daily(false);
    before.into_iter().chain(deliveries.into_iter().take(30)).for_each(|columns| bill.add(columns));
    bill.add(measure(&f, &f.consumer, |s| {
        s.client.settle_agreement(&1, &transaction_id(1, 30), &s.consumer);
    }));
    bill
}

/// What so many pairs and the contract's code cost in a month, in stroops: the pairs' part, and the code's.
pub fn community(pairs: i64, pair: Bill, code_bytes: i64, rate: i64) -> [i64; 2] {
    [pairs * pair.at(rate), code_rent_stroops(code_bytes, rate) / 4]
}
