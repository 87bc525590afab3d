//! docs/costs.md and its pictures, from what is measured.

use soroban_sdk::xdr::{Limited, ReadXdr, ScMetaEntry};
use wasmparser::{Parser, Payload};

use super::months::{community, first_month, half_a_year, month_without_deposit, PAIRS, RATES};
use super::*;

/// The rate of rent, the pairs, and what their calls and the contract's life cost.
type Community = (i64, i64, [i64; 2]);

/// Its label, its parts in stroops with their colours, and its sum.
type Bar = (String, Vec<(i64, &'static str)>, String);

const PAGE: &str = "docs/costs.md";

/// What is generated: between these marks.
const BEGIN: &str = "<!-- costs -->\n";
const END: &str = "<!-- end of costs -->";

/// Writes what is measured into the page, and draws its pictures.
pub fn write() {
    let (text, months, communities) = measured();
    print!("{text}");
    let page = page();
    let [head, _, tail] = parts(&page);
    fs::write(PAGE, format!("{head}{BEGIN}{text}{END}{tail}")).unwrap();
    fs::write("docs/costs.svg", month_chart(&months)).unwrap();
    fs::write("docs/community.svg", community_chart(&communities)).unwrap();
}

pub fn page() -> String {
    fs::read_to_string(PAGE).unwrap()
}

/// What is generated, and the text before and after it.
pub fn parts(page: &str) -> [&str; 3] {
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (shown, tail) = rest.split_once(END).unwrap();
    [head, shown, tail]
}

/// The text, the months' prices, and the communities'.
pub fn measured() -> (String, [i64; 4], Vec<Community>) {
    let calls = costs(0);
    let bytes = code_rent();
    let mut text = format!(
        "Measured on the Wasm that Rust {} builds: {} bytes, whose rent is for {} bytes, {} XLM for 120 days at 10,000 \
         stroops a KB.\n\n",
        compiler(),
        grouped(fs::metadata(var("CONTRACT_WASM").unwrap()).unwrap().len() as i64),
        grouped(bytes),
        xlm(code_rent_stroops(bytes, 10_000)),
    );
    text += &format!("| Call | {} |\n|---|{}\n", HEAD.join(" | "), "---:|".repeat(HEAD.len()));
    for (name, columns) in &calls {
        text += &format!("| {name} | {} |\n", columns.map(grouped).join(" | "));
    }

    let year = half_a_year();
    let [without, hourly, quarterly] = [month_without_deposit(), first_month(24), first_month(96)];
    let lines = [
        ("A trade with one delivery, paid directly (create, deliver, settle)", direct_trade(&calls)),
        ("A month of 30 deliveries from a `Metered` deposit", year[0].fee),
        ("The same in the fifth month, when the parties' records have to be kept", year[4].fee),
        ("A month of 30 deliveries without a deposit, paid with one `settle_agreement`", without.fee),
        ("A month of a delivery every hour (720) from a `Metered` deposit", hourly.fee),
        ("A month of a delivery every quarter of an hour (2,880)", quarterly.fee),
    ];
    text += "\n| Two neighbours pay | stroops | XLM |\n|---|---:|---:|\n";
    for (what, stroops) in lines {
        text += &format!("| {what} | {} | {:.2} |\n", grouped(stroops), stroops as f64 / 10_000_000.0);
    }
    for (kind, metered) in [("paid at once", true), ("that waits", false)] {
        let (_, deliveries, _) = daily(metered);
        let fees = || deliveries[1..].iter().map(|columns| columns[FEE]);
        let [least, most] = [fees().min().unwrap(), fees().max().unwrap()].map(grouped);
        text += &format!("\nA further daily delivery {kind} costs from {least} to {most} stroops.\n");
    }

    // The fifth month's: what goes on for years.
    let communities: Vec<_> = RATES
        .into_iter()
        .flat_map(|rate| PAIRS.map(|pairs| (rate, pairs, community(pairs, year[4], bytes, rate))))
        .collect();
    text += "\n| Stroops a KB | pairs of neighbours | their calls, XLM | the contract's life, XLM | together, for a pair |\n\
             |---:|---:|---:|---:|---:|\n";
    for (rate, pairs, [calls, life]) in &communities {
        let pair = (calls + life) as f64 / *pairs as f64 / 10_000_000.0;
        text += &format!("| {} | {pairs} | {} | {} | {pair:.2} |\n", grouped(*rate), xlm(*calls), xlm(*life));
    }
    (text, [year[0].fee, without.fee, hourly.fee, quarterly.fee], communities)
}

fn xlm(stroops: i64) -> String {
    format!("{:.0}", stroops as f64 / 10_000_000.0)
}

/// The version of Rust that the Wasm names.
fn compiler() -> String {
    let wasm = fs::read(var("CONTRACT_WASM").unwrap()).unwrap();
    let sections = Parser::new(0).parse_all(&wasm).filter_map(|payload| match payload.unwrap() {
        Payload::CustomSection(section) if section.name() == "contractmetav0" => Some(section.data().to_vec()),
        _ => None,
    });
    let bytes: Vec<_> = sections.flatten().collect();
    let mut reader = Limited::new(&bytes[..], Limits::none());
    let entries = ScMetaEntry::read_xdr_iter(&mut reader).map(Result::unwrap);
    let mut versions = entries.map(|ScMetaEntry::ScMetaV0(entry)| (entry.key.to_string(), entry.val.to_string()));
    versions.find(|(key, _)| key == "rsver").unwrap().1
}

/// 1234567 as 1,234,567.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// A month of daily trades in stroops: of the implementation that keeps all records in one entry, whose deliveries these
/// are (it dies at the 84th), and of a contract that keeps each transaction in an entry of its own.
const ONE_ENTRY_MONTH: i64 = 467_000_000;
const ENTRY_EACH_MONTH: i64 = 69_600_000;

/// The price of a month of daily deliveries in XLM: of other ways to store it, and ours; and of hourly ones.
fn month_chart(ours: &[i64; 4]) -> String {
    let bars = [
        ("all records in one entry, daily (fails for ever at trade 84)", ONE_ENTRY_MONTH, "#c0392b"),
        ("an entry for each transaction, daily", ENTRY_EACH_MONTH, "#b7791f"),
        ("this contract, every quarter of an hour, from a deposit", ours[3], "#1f7a4d"),
        ("this contract, every hour, from a deposit", ours[2], "#1f7a4d"),
        ("this contract, daily, without a deposit: one signature", ours[1], "#1f7a4d"),
        ("this contract, daily, from a deposit: paid at once", ours[0], "#1f7a4d"),
    ];
    let bars: Vec<_> = bars
        .into_iter()
        .map(|(label, stroops, colour)| {
            (label.to_string(), vec![(stroops, colour)], format!("{:.2}", stroops as f64 / 1e7))
        })
        .collect();
    chart("What a month costs two neighbours, in XLM", &bars, 12.0)
}

/// What a month costs a pair in communities of several sizes, the contract's life included.
fn community_chart(communities: &[Community]) -> String {
    let bars: Vec<_> = communities
        .iter()
        .map(|(rate, pairs, [calls, life])| {
            let [calls, life] = [calls / pairs, life / pairs];
            let label = format!("{pairs} pairs, {} stroops a KB", grouped(*rate));
            let total = format!("{:.2}", (calls + life) as f64 / 1e7);
            (label, vec![(calls, "#1f7a4d"), (life, "#b7791f")], total)
        })
        .collect();
    chart("A month of a pair, in XLM: its calls (green) and its part of the contract's life (brown)", &bars, 30.0)
}

/// Bars of one or more parts in stroops, so many units of the picture an XLM.
fn chart(title: &str, bars: &[Bar], unit: f64) -> String {
    let height = 50 + 48 * bars.len();
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 700 {height}' font-family='sans-serif' font-size='13' \
         fill='#444'>\n\
         <rect width='700' height='{height}' fill='#fff'/>\n\
         <text x='20' y='28' font-size='15' fill='#111'>{title}</text>\n"
    );
    for (place, (label, parts, total)) in bars.iter().enumerate() {
        let (y, mut x) = (50 + 48 * place, 20.0);
        svg += &format!("<text x='20' y='{}'>{label}</text>\n", y + 8);
        for (stroops, colour) in parts {
            let width = unit * *stroops as f64 / 1e7;
            svg += &format!("<rect x='{x:.1}' y='{}' width='{width:.1}' height='16' fill='{colour}'/>\n", y + 14);
            x += width;
        }
        svg += &format!("<text x='{:.1}' y='{}' fill='#111'>{total}</text>\n", x + 8.0, y + 27);
    }
    svg + "</svg>\n"
}
