// Who lives here: six households, what their roofs make and their homes take, and who sells to whom.

export interface Household {
  name: string;
  /** The power of its panels in full sun. */
  roofW: number;
  /** The most that its plant can feed in, which its meter is certified with. */
  maxPowerKw: number;
  /** What it takes on a day. */
  dailyLoadWh: number;
  /** What its meter shows when it is certified. */
  meterKwh: number;
  /** How often its gateway records deliveries. Each is a transaction of its own, unless the meter draws on a deposit. */
  every: "hour" | "day";
}

export const households: readonly [Household, Household, ...Household[]] = [
  { name: "Alice", roofW: 12_000, maxPowerKw: 12, dailyLoadWh: 32_000, meterKwh: 8_412, every: "day" },
  { name: "Bob", roofW: 1_600, maxPowerKw: 2, dailyLoadWh: 44_000, meterKwh: 655, every: "hour" },
  { name: "Carol", roofW: 15_000, maxPowerKw: 15, dailyLoadWh: 14_000, meterKwh: 20_107, every: "day" },
  { name: "Dave", roofW: 6_000, maxPowerKw: 6, dailyLoadWh: 52_000, meterKwh: 3_090, every: "hour" },
  { name: "Erin", roofW: 2_400, maxPowerKw: 3, dailyLoadWh: 36_000, meterKwh: 1_248, every: "hour" },
  { name: "Frank", roofW: 30_000, maxPowerKw: 30, dailyLoadWh: 22_000, meterKwh: 61_530, every: "hour" },
];

/** For trying a gateway by hand: her meter is one that the gateway makes up, and nobody else delivers for her. */
export const guest = { name: "Grace", maxPowerKw: 5, meterKwh: 0, buyer: "Dave", kwh: 1_000n, price: 20n };

export const COOP = "the co-op";

/** These act by whoever plays them. */
export const played: readonly string[] = ["Alice", "Bob"];

export interface Trade {
  seller: string;
  buyer: string;
  /** How the buyer pays: a bill now and then, or a deposit of this kind. */
  pays: "bill" | "reviewed" | "metered";
  /** Of what the seller exports, in percent. */
  share: number;
  kwh: bigint;
  /** In cents for each kWh. */
  price: bigint;
  /** It begins so many days before the history ends; all others with the history. */
  lastDays?: number;
}

export const trades: readonly Trade[] = [
  { seller: "Alice", buyer: "Bob", pays: "bill", share: 15, kwh: 80n, price: 25n },
  { seller: "Alice", buyer: "Dave", pays: "metered", share: 10, kwh: 50n, price: 24n },
  { seller: "Carol", buyer: "Bob", pays: "reviewed", share: 10, kwh: 60n, price: 23n },
  { seller: "Carol", buyer: "Erin", pays: "bill", share: 10, kwh: 50n, price: 22n },
  { seller: "Frank", buyer: "Alice", pays: "metered", share: 5, kwh: 20n, price: 20n },
  { seller: "Frank", buyer: "Erin", pays: "metered", share: 8, kwh: 80n, price: 21n },
  { seller: "Frank", buyer: "Dave", pays: "metered", share: 8, kwh: 80n, price: 19n },
  // This one waits for the answer of whoever plays Bob.
  { seller: "Dave", buyer: "Bob", pays: "metered", share: 60, kwh: 25n, price: 21n, lastDays: 1 },
];

export interface Pair {
  seller: string;
  buyer: string;
}

/** A neighbour who may buy. */
export interface Consumer extends Pair {
  /** Of what the seller exports, in percent: all of a seller's consumers together have 100 at most. */
  share: number;
  /** Whether it is delivered only when there is a deposit. */
  pays: "deposit" | "bill";
}

export const tradeOf = (pair: Pair): Trade | undefined =>
  trades.find(({ seller, buyer }) => seller === pair.seller && buyer === pair.buyer);

/** All others, since whoever plays may make anybody an offer. What the trades leave is shared equally among those without one. */
export function consumersOf(seller: string): Consumer[] {
  const others = households.map(({ name }) => name).filter((name) => name !== seller);
  const own = trades.filter((trade) => trade.seller === seller);
  const left = 100 - own.reduce((sum, { share }) => sum + share, 0);
  return others.map((buyer) => {
    const trade = tradeOf({ seller, buyer });
    // Those who are played may leave an offer unanswered, and pay the bill.
    const arePlayed = !trade && played.includes(seller) && played.includes(buyer);
    const share = trade?.share ?? Math.floor(left / (others.length - own.length));
    return { seller, buyer, share, pays: arePlayed || trade?.pays === "bill" ? "bill" : "deposit" };
  });
}
