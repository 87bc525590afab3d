//! What the grid operator's intervals come to: each rule by examples that can be checked by hand, and a model that corrects,
//! delays and delivers.

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use p2p_gateway::allocation::{allocate, explain, Allocated, Contradiction, Days, Gap, Life, Party, Readings, Table};
use p2p_gateway::config::Rule;
use p2p_gateway::counting::Share;
use p2p_gateway::energy::Energy;
use p2p_gateway::input::intervals::Series;
use proptest::prelude::*;

const QUARTER: i64 = 900;
const KWH: u32 = 1_000_000;

fn vienna() -> TimeZone {
    TimeZone::get("Europe/Vienna").unwrap()
}

/// When a day begins in Vienna.
fn midnight(year: i16, month: i8, day: i8) -> Timestamp {
    vienna().to_timestamp(date(year, month, day).at(0, 0, 0, 0)).unwrap()
}

fn first() -> Timestamp {
    midnight(2026, 7, 1)
}

/// All days that have passed.
fn days() -> Days {
    Days { since: first(), before: Timestamp::MAX, zone: vienna() }
}

fn seconds(time: Timestamp) -> u64 {
    time.as_second().try_into().unwrap()
}

/// Values that begin when the first day does, as far as they are told, and then zeros until so many days are whole.
fn series(values: &[u32], days: usize) -> Series {
    let zeros = (days * 96).saturating_sub(values.len());
    let all = values.iter().copied().chain(std::iter::repeat_n(0, zeros));
    Series::new(first().as_second(), QUARTER, all.map(Some))
}

fn readings<'a>(production: Option<&'a Series>, consumers: &'a [Series]) -> Readings<'a> {
    Readings {
        step: 900,
        production: production.map(|series| vec![series]),
        consumers: consumers.iter().map(|series| vec![series]).collect(),
    }
}

/// An agreement of July 2026 with much room.
fn life(agreement_id: u64) -> Life {
    Life {
        agreement_id,
        created_at: seconds(first()),
        delivery_deadline: seconds(midnight(2026, 8, 1)),
        energy_amount_kwh: 1_000,
        energy_delivered_kwh: 0,
        may_fill: true,
    }
}

fn party(share: Option<u32>, agreements: &[Life]) -> Party {
    Party { share: share.and_then(Share::from_millionths), agreements: agreements.to_vec() }
}

/// What each of as many consumers was allocated, in mWh, of one interval of 10 kWh.
fn allocated(rule: Rule, used: &[u32], shares: Option<&[u32]>) -> Vec<u64> {
    let production = series(&[10 * KWH], 1);
    let consumers: Vec<Series> = used.iter().map(|used| series(&[*used], 1)).collect();
    let parties: Vec<Party> =
        (0..used.len()).map(|place| party(shares.map(|shares| shares[place]), &[life(1 + place as u64)])).collect();
    let allocated = allocate(&readings(Some(&production), &consumers), rule, &parties, &days()).unwrap();
    assert_eq!(allocated.exported, Energy::from_kwh(10).unwrap());
    assert_eq!(allocated.until, midnight(2026, 7, 2));
    allocated.allocated.into_iter().map(Energy::mwh).collect()
}

#[test]
fn a_share_is_of_what_is_exported_and_at_most_what_is_used() {
    let found = allocated(Rule::Share, &[9_000_000, 1_000_000, 9_000_000], Some(&[400_000, 333_333, 1]));
    assert_eq!(found, [4_000_000, 1_000_000, 10]);
}

#[test]
fn pro_rata_divides_by_use_and_leaves_the_remainder_to_nobody() {
    assert_eq!(allocated(Rule::ProRata, &[10_000_000; 3], None), [3_333_333; 3]);
    assert_eq!(allocated(Rule::ProRata, &[30_000_000, 10_000_000, 0], None), [7_500_000, 2_500_000, 0]);
    // Where there is enough for all, each gets what it used.
    assert_eq!(allocated(Rule::ProRata, &[1_000_000, 2_000_000, 3_000_000], None), [1_000_000, 2_000_000, 3_000_000]);
    assert_eq!(allocated(Rule::ProRata, &[0, 0, 0], None), [0, 0, 0]);
}

#[test]
fn priority_serves_in_the_order_of_names() {
    assert_eq!(allocated(Rule::Priority, &[6_000_000, 7_000_000, 1], None), [6_000_000, 4_000_000, 0]);
}

#[test]
fn given_takes_the_operators_word() {
    assert_eq!(allocated(Rule::Given, &[6_000_000, 4_000_000, 0], None), [6_000_000, 4_000_000, 0]);
}

#[test]
fn given_without_the_plants_file_exports_what_was_given() {
    let consumers = [series(&[2 * KWH], 1), series(&[KWH], 1)];
    let parties = [party(None, &[life(1)]), party(None, &[life(2)])];
    let found =
        allocate(&readings(None, &consumers), Rule::Given, &parties, &Days { before: midnight(2026, 7, 2), ..days() });
    let found = found.unwrap();
    assert_eq!((found.exported, found.due), (Energy::from_kwh(3).unwrap(), vec![vec![(1, 2)], vec![(2, 1)]]));
}

/// What is left to draw from the grid is most when the plant gives least.
#[test]
fn given_refuses_residual_in_place_of_shared_energy() {
    let production = series(&[0, 5 * KWH], 1);
    let (shared, residual) = ([series(&[0, KWH], 1)], [series(&[KWH, 0], 1)]);
    let of =
        |consumers| allocate(&readings(Some(&production), consumers), Rule::Given, &[party(None, &[life(1)])], &days());
    assert_eq!(of(&shared).unwrap().due, [[(1, 1)]]);
    let expected = Contradiction::GivenAboveProduction {
        start: first(),
        given: Energy::from_kwh(1).unwrap(),
        production: Energy::ZERO,
    };
    assert_eq!(of(&residual).unwrap_err(), expected);
}

/// One consumer that uses all there is.
fn alone(production: &[u32], whole_days: usize, agreements: &[Life]) -> Allocated {
    let production = series(production, whole_days);
    let used = [production.clone()];
    allocate(&readings(Some(&production), &used), Rule::Priority, &[party(None, agreements)], &days()).unwrap()
}

#[test]
fn a_fraction_of_a_kwh_waits_for_the_rest_of_it() {
    assert_eq!(alone(&[999_999], 1, &[life(1)]).due, [[(1, 0)]]);
    assert_eq!(alone(&[999_999, 1], 1, &[life(1)]).due, [[(1, 1)]]);
    assert_eq!(alone(&[2_700_000], 1, &[Life { energy_delivered_kwh: 2, ..life(1) }]).due, [[(1, 0)]]);
}

#[test]
fn a_fraction_goes_on_with_the_next_agreement() {
    let of_first_day =
        Life { delivery_deadline: seconds(midnight(2026, 7, 2)), energy_delivered_kwh: 2, may_fill: false, ..life(1) };
    let next = Life { created_at: seconds(midnight(2026, 7, 2)), ..life(2) };
    let mut exported = vec![0; 97];
    (exported[0], exported[96]) = (2_700_000, 300_000);
    assert_eq!(alone(&exported, 2, &[of_first_day, next]).due, [[(1, 0), (2, 1)]]);
}

#[test]
fn what_nobody_could_buy_is_the_suppliers() {
    let cancelled = Life { may_fill: false, delivery_deadline: seconds(midnight(2026, 7, 2)), ..life(1) };
    let next = Life { created_at: seconds(midnight(2026, 7, 2)), ..life(2) };
    let mut exported = vec![0; 97];
    (exported[0], exported[96]) = (50_200_000, 3_800_000);
    assert_eq!(alone(&exported, 2, &[cancelled, next]).due, [[(1, 0), (2, 4)]]);
}

#[test]
fn the_oldest_agreement_is_filled_before_the_next() {
    let small = Life { energy_amount_kwh: 3, ..life(1) };
    assert_eq!(alone(&[5_500_000], 1, &[life(2), small]).due, [[(1, 3), (2, 2)]]);
    let full = Life { energy_delivered_kwh: 3, may_fill: false, ..small };
    assert_eq!(alone(&[5_500_000], 1, &[full, life(2)]).due, [[(1, 0), (2, 2)]]);
}

#[test]
fn what_was_delivered_too_much_is_a_debt_of_the_next_agreement() {
    // The file said 9 kWh when these were delivered; it was corrected to 5.
    let ended =
        Life { delivery_deadline: seconds(midnight(2026, 7, 2)), energy_delivered_kwh: 9, may_fill: false, ..life(1) };
    let next = Life { created_at: seconds(midnight(2026, 7, 2)), energy_amount_kwh: 10, ..life(2) };
    let mut exported = vec![0; 97];
    exported[0] = 5 * KWH;
    for (later, due, over) in [(3 * KWH, 0, 1), (6 * KWH, 2, 0), (20 * KWH, 10, 0)] {
        exported[96] = later;
        let found = alone(&exported, 2, &[ended, next]);
        assert_eq!(
            (found.due, found.over_delivered),
            (vec![vec![(1, 0), (2, due)]], vec![Energy::from_kwh(over).unwrap()])
        );
    }
}

#[test]
fn an_agreement_with_a_debt_before_it_is_filled_before_the_next() {
    let end = seconds(midnight(2026, 7, 2));
    let ended = Life { delivery_deadline: end, energy_delivered_kwh: 9, may_fill: false, ..life(1) };
    let next = Life { created_at: end, energy_amount_kwh: 10, ..life(2) };
    let youngest = Life { created_at: end, ..life(3) };
    let mut exported = vec![0; 97];
    (exported[0], exported[96]) = (5 * KWH, 20 * KWH);
    assert_eq!(alone(&exported, 2, &[ended, next, youngest]).due, [[(1, 0), (2, 10), (3, 6)]]);
}

/// The first agreement waits for its deposit while the second is filled; then the deposit comes.
#[test]
fn nothing_is_due_twice_when_an_older_agreement_is_paid_late() {
    let waiting = Life { may_fill: false, ..life(1) };
    assert_eq!(alone(&[5 * KWH], 1, &[waiting, life(2)]).due, [[(1, 0), (2, 5)]]);
    let second = Life { energy_delivered_kwh: 5, ..life(2) };
    assert_eq!(alone(&[5 * KWH], 1, &[life(1), second]).due, [[(1, 0), (2, 0)]]);
    assert_eq!(alone(&[8 * KWH], 1, &[life(1), second]).due, [[(1, 3), (2, 0)]]);
}

/// A member that joins in mid-year has a file of the whole year.
#[test]
fn intervals_before_the_agreement_and_after_its_deadline_do_not_count() {
    let noon = first().checked_add(12.hours()).unwrap();
    let exported = [KWH; 3 * 96];
    let agreement =
        Life { created_at: seconds(noon) + 1, delivery_deadline: seconds(midnight(2026, 7, 3)) + 899, ..life(1) };
    // The quarter of an hour in which it was created does not count, and neither does the one in which it ended.
    assert_eq!(alone(&exported, 3, &[agreement]).due, [[(1, 47 + 96)]]);
}

#[test]
fn a_deadline_counts_beside_an_older_agreement_that_lives_on() {
    let full = Life { energy_amount_kwh: 1, energy_delivered_kwh: 1, may_fill: false, ..life(1) };
    let ends = Life { delivery_deadline: seconds(midnight(2026, 7, 2)) + 899, ..life(2) };
    assert_eq!(alone(&[KWH; 2 * 96], 2, &[full, ends]).due, [[(1, 0), (2, 95)]]);
}

#[test]
fn a_consumer_without_an_agreement_takes_no_part_and_needs_no_file() {
    let production = series(&[10 * KWH], 2);
    let consumers = [series(&[10 * KWH], 2), Series::default()];
    let later = Life { created_at: seconds(midnight(2026, 7, 3)), ..life(2) };
    for parties in [[party(None, &[life(1)]), party(None, &[])], [party(None, &[life(1)]), party(None, &[later])]] {
        let found = allocate(&readings(Some(&production), &consumers), Rule::ProRata, &parties, &days()).unwrap();
        assert_eq!((found.until, found.due[0][0]), (midnight(2026, 7, 3), (1, 10)));
    }
}

#[test]
fn days_of_92_96_and_100_quarters_are_whole() {
    for (month, day, count) in [(3, 29, 92), (7, 14, 96), (10, 25, 100)] {
        let (since, end) = (midnight(2026, month, day), midnight(2026, month, day).checked_add(25.hours()).unwrap());
        let next = vienna().to_timestamp(date(2026, month, day).tomorrow().unwrap().at(0, 0, 0, 0)).unwrap();
        let of = |count: usize| {
            let exported = Series::new(since.as_second(), QUARTER, vec![Some(KWH); count]);
            let agreement = Life { created_at: 0, delivery_deadline: seconds(end), ..life(1) };
            let used = [exported.clone()];
            let days = Days { since, before: Timestamp::MAX, zone: vienna() };
            let parties = [party(None, &[agreement])];
            let found = allocate(&readings(Some(&exported), &used), Rule::ProRata, &parties, &days).unwrap();
            (found.until, found.due[0][0].1)
        };
        assert_eq!(of(count), (next, count as u64));
        assert_eq!(of(count - 1), (since, 0));
    }
}

#[test]
fn days_of_23_24_and_25_hours_are_whole() {
    for (month, day, count) in [(3, 29, 23), (7, 14, 24), (10, 25, 25)] {
        let since = midnight(2026, month, day);
        let of = |count: usize| {
            let exported = Series::new(since.as_second(), 3_600, vec![Some(KWH); count]);
            let readings = Readings { step: 3_600, ..readings(Some(&exported), &[]) };
            let days = Days { since, before: Timestamp::MAX, zone: vienna() };
            allocate(&readings, Rule::ProRata, &[], &days).unwrap().exported
        };
        assert_eq!((of(count), of(count - 1)), (Energy::from_kwh(count as u64).unwrap(), Energy::ZERO));
    }
}

/// All of a day is in one interval, and the others are not there.
#[test]
fn a_gap_stops_the_days_until_it_is_filled() {
    let with_gap = Series::new(
        first().as_second(),
        QUARTER,
        (0..3 * 96).map(|place| (place != 100).then_some(if place == 96 { 48 * KWH } else { 0 })),
    );
    let filled = Series::new(first().as_second() + 100 * QUARTER, QUARTER, [Some(2 * KWH)]);
    let missing = Timestamp::from_second(first().as_second() + 100 * QUARTER).unwrap();
    let used = series(&[100 * KWH; 3 * 96], 3);
    let parties = [party(None, &[life(1)])];
    let of = |files| {
        let readings = Readings { step: 900, production: Some(files), consumers: vec![vec![&used]] };
        allocate(&readings, Rule::ProRata, &parties, &days()).unwrap()
    };
    let found = of(vec![&with_gap]);
    assert_eq!((found.until, found.gap), (midnight(2026, 7, 2), Some(Gap::OfPlant { start: missing })));
    assert_eq!((found.exported, found.due), (Energy::ZERO, vec![vec![(1, 0)]]));
    let found = of(vec![&with_gap, &filled]);
    assert_eq!((found.until, found.due), (midnight(2026, 7, 4), vec![vec![(1, 50)]]));
}

#[test]
fn a_consumers_gap_stops_those_whose_part_depends_on_it() {
    let production = series(&[4 * KWH; 3 * 96], 3);
    let with_gap = (0..3 * 96).map(|place| (place != 97).then_some(4 * KWH));
    let consumers = [production.clone(), Series::new(first().as_second(), QUARTER, with_gap)];
    let missing = Timestamp::from_second(first().as_second() + 97 * QUARTER).unwrap();
    let of = |rule, share| {
        let parties = [party(share, &[life(1)]), party(share, &[life(2)])];
        allocate(&readings(Some(&production), &consumers), rule, &parties, &days()).unwrap()
    };
    for (rule, due) in [(Rule::ProRata, [192, 192]), (Rule::Priority, [384, 0])] {
        let found = of(rule, None);
        assert_eq!(
            (found.until, found.gap),
            (midnight(2026, 7, 2), Some(Gap::OfConsumer { place: 1, start: missing }))
        );
        assert_eq!(found.due, [[(1, due[0])], [(2, due[1])]]);
    }
    let found = of(Rule::Share, Some(500_000));
    assert_eq!((found.until, found.gap), (midnight(2026, 7, 4), Some(Gap::OfPlant { start: midnight(2026, 7, 4) })));
    assert_eq!(found.consumer_gaps, [None, Some(missing)]);
    // The third day of the second consumer is whole, but waits for the day before.
    assert_eq!(found.due, [[(1, 3 * 192)], [(2, 192)]]);
}

#[test]
fn a_later_file_corrects_an_earlier() {
    let (one, two) = (series(&[KWH, KWH], 1), Series::new(first().as_second(), QUARTER, [Some(3 * KWH)]));
    let used = series(&[9 * KWH; 96], 1);
    let due = |files| {
        let readings = Readings { step: 900, production: Some(files), consumers: vec![vec![&used]] };
        allocate(&readings, Rule::ProRata, &[party(None, &[life(1)])], &days()).unwrap().due[0][0].1
    };
    assert_eq!((due(vec![&one, &two]), due(vec![&two, &one])), (4, 2));
}

#[test]
fn a_day_that_may_still_be_corrected_is_not_counted() {
    let production = series(&[KWH; 3 * 96], 3);
    let used = [production.clone()];
    let of = |before| {
        let days = Days { before, ..days() };
        let parties = [party(None, &[life(1)])];
        allocate(&readings(Some(&production), &used), Rule::ProRata, &parties, &days).unwrap().until
    };
    let end = midnight(2026, 7, 3);
    assert_eq!(of(end), end);
    assert_eq!(of(end.checked_sub(1.second()).unwrap()), midnight(2026, 7, 2));
}

#[test]
fn the_days_explain_each_kwh() {
    let mut exported = vec![0; 97];
    (exported[40], exported[96]) = (2_700_000, 300_001);
    let production = series(&exported, 2);
    let used = [series(&[2_500_000; 2 * 96], 2)];
    let deliveries = [(seconds(midnight(2026, 7, 2)) + 75_600, 2)];
    let parties = [party(None, &[life(7)])];
    let days =
        explain(&readings(Some(&production), &used), Rule::ProRata, &parties, &days(), (0, 7), &deliveries).unwrap();
    let expected = "\
day               exported       allocated         counted           total       delivered
2026-07-01        2.700000        2.500000        2.500000        2.500000               0
2026-07-02        0.300001        0.300001        0.300001        2.800001               2";
    assert_eq!(Table(&days).to_string(), expected);
}

/// Parts of a day of a few quarters, and who used how much in each.
fn uses() -> impl Strategy<Value = (Vec<u32>, Vec<Vec<u32>>)> {
    (1..20_usize, 1..5_usize).prop_flat_map(|(intervals, members)| {
        let energy = || prop_oneof![Just(0), 0..50_u32, 0..3 * KWH, Just(u32::MAX - 1)];
        let values = move || prop::collection::vec(energy(), intervals);
        (values(), prop::collection::vec(values(), members))
    })
}

/// A file's true values, and what is told of them before they are corrected: too much, too little or nothing.
fn months() -> impl Strategy<Value = (Vec<u32>, Vec<Vec<Option<u32>>>)> {
    (1..4_usize).prop_flat_map(|days| {
        let value = || 0..KWH / 4;
        let told = prop::collection::vec(prop::option::weighted(0.999, value()), days * 96);
        (prop::collection::vec(value(), days * 96), prop::collection::vec(told, 1..4))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_more_is_allocated_than_was_exported_and_used((exported, used) in uses()) {
        for rule in [Rule::Share, Rule::ProRata, Rule::Priority] {
            let production = series(&exported, 1);
            let consumers: Vec<Series> = used.iter().map(|used| series(used, 1)).collect();
            let share = Share::WHOLE / used.len() as u32;
            let parties: Vec<Party> = (0..used.len()).map(|place| party(Some(share), &[life(place as u64)])).collect();
            let found = allocate(&readings(Some(&production), &consumers), rule, &parties, &days()).unwrap();
            let sum = |values: &[u32]| values.iter().map(|value| u64::from(*value)).sum::<u64>();
            let all: u64 = found.allocated.iter().map(|energy| energy.mwh()).sum();
            prop_assert_eq!(found.exported.mwh(), sum(&exported));
            prop_assert!(all <= sum(&exported));
            for (energy, used) in found.allocated.iter().zip(&used) {
                prop_assert!(energy.mwh() <= sum(used));
            }
            // Where there is less than is used, all but what rounding leaves is divided by what each used.
            let most: u64 = (0..exported.len())
                .map(|place| sum(&used.iter().map(|used| used[place]).collect::<Vec<_>>()).min(exported[place].into()))
                .sum();
            match rule {
                Rule::Priority => prop_assert_eq!(all, most),
                Rule::ProRata => prop_assert!(all <= most && most - all <= (exported.len() * used.len()) as u64),
                Rule::Share | Rule::Given => {}
            }
        }
    }

    #[test]
    fn more_days_are_never_worth_less((exported, used) in uses(), later in 0..3 * KWH) {
        let consumers: Vec<Series> = used.iter().map(|used| series(used, 2)).collect();
        let parties: Vec<Party> = (0..used.len()).map(|place| party(None, &[life(place as u64)])).collect();
        let of = |exported: &[u32], days_told| {
            let production = series(exported, days_told);
            allocate(&readings(Some(&production), &consumers), Rule::ProRata, &parties, &days()).unwrap()
        };
        let mut more = exported.clone();
        more.resize(96, 0);
        more.push(later);
        let (one, two) = (of(&exported, 1), of(&more, 2));
        prop_assert!(one.until < two.until && one.exported <= two.exported);
        prop_assert!(one.allocated.iter().zip(&two.allocated).all(|(before, after)| before <= after));
        prop_assert!(one.due.iter().flatten().zip(two.due.iter().flatten()).all(|(before, after)| before.1 <= after.1));
    }

    /// Agreements in a row; each evening all that is due is delivered. The files tell wrongly, and then the truth.
    #[test]
    fn corrections_heal_and_the_total_is_reached((truth, told) in months(), amounts in prop::collection::vec(1..30_u64, 1..6)) {
        let whole_days = truth.len() / 96;
        let end = seconds(midnight(2026, 7, 1 + whole_days as i8));
        let agreements: Vec<Life> = (1..).zip(amounts.iter().chain([&1_000]))
            .map(|(agreement_id, amount)| Life { energy_amount_kwh: *amount, delivery_deadline: end, ..life(agreement_id) })
            .collect();
        let mut parties = [party(None, &agreements)];
        let truth = Series::new(first().as_second(), QUARTER, truth.iter().copied().map(Some));
        let told: Vec<Series> =
            told.into_iter().map(|values| Series::new(first().as_second(), QUARTER, values)).collect();
        let mut files: Vec<&Series> = vec![];
        let mut entitled_at_most = 0;
        for file in told.iter().chain([&truth]) {
            files.push(file);
            let readings = Readings { step: 900, production: Some(files.clone()), consumers: vec![files.clone()] };
            let found = allocate(&readings, Rule::ProRata, &parties, &days()).unwrap();
            entitled_at_most = found.exported.kwh().max(entitled_at_most);
            for (life, (id, kwh)) in parties[0].agreements.iter_mut().zip(&found.due[0]) {
                prop_assert_eq!(life.agreement_id, *id);
                life.energy_delivered_kwh += kwh;
                prop_assert!(life.energy_delivered_kwh <= life.energy_amount_kwh);
                life.may_fill = life.energy_delivered_kwh < life.energy_amount_kwh;
            }
            let delivered: u64 = parties[0].agreements.iter().map(|life| life.energy_delivered_kwh).sum();
            // Never more than some version of the files entitled to, and all that this one does.
            prop_assert!(delivered <= entitled_at_most && delivered >= found.exported.kwh());
        }
    }
}
