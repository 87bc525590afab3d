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
}

export const households: readonly [Household, Household, ...Household[]] = [
  { name: "Alice", roofW: 12_000, maxPowerKw: 12, dailyLoadWh: 32_000, meterKwh: 8_412 },
  { name: "Bob", roofW: 1_600, maxPowerKw: 2, dailyLoadWh: 44_000, meterKwh: 655 },
  { name: "Carol", roofW: 15_000, maxPowerKw: 15, dailyLoadWh: 14_000, meterKwh: 20_107 },
  { name: "Dave", roofW: 6_000, maxPowerKw: 6, dailyLoadWh: 52_000, meterKwh: 3_090 },
  { name: "Erin", roofW: 2_400, maxPowerKw: 3, dailyLoadWh: 36_000, meterKwh: 1_248 },
  { name: "Frank", roofW: 30_000, maxPowerKw: 30, dailyLoadWh: 22_000, meterKwh: 61_530 },
];

export const COOP = "the co-op";

/** These act by whoever plays them. */
export const played: readonly string[] = ["Alice", "Bob"];

export interface Trade {
  seller: string;
  buyer: string;
  /** How the buyer pays: a bill now and then, or a deposit of this kind. */
  pays: "bill" | "reviewed" | "metered";
  /** Whether deliveries that are paid at once come every hour, or all come in the evening. */
  hourly: boolean;
  kwh: bigint;
  /** In cents for each kWh. */
  price: bigint;
  /** It begins so many days before the history ends; all others with the history. */
  lastDays?: number;
}

export const trades: readonly Trade[] = [
  { seller: "Alice", buyer: "Bob", pays: "bill", hourly: false, kwh: 80n, price: 25n },
  { seller: "Alice", buyer: "Dave", pays: "metered", hourly: true, kwh: 50n, price: 24n },
  { seller: "Carol", buyer: "Bob", pays: "reviewed", hourly: false, kwh: 60n, price: 23n },
  { seller: "Carol", buyer: "Erin", pays: "bill", hourly: false, kwh: 50n, price: 22n },
  { seller: "Frank", buyer: "Alice", pays: "metered", hourly: false, kwh: 20n, price: 20n },
  { seller: "Frank", buyer: "Erin", pays: "metered", hourly: true, kwh: 80n, price: 21n },
  { seller: "Frank", buyer: "Dave", pays: "reviewed", hourly: false, kwh: 80n, price: 19n },
  // This one waits for the answer of whoever plays Bob.
  { seller: "Dave", buyer: "Bob", pays: "metered", hourly: true, kwh: 25n, price: 21n, lastDays: 1 },
];
