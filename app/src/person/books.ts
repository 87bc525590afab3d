// A person's deliveries: as rows, summed by day and month, and as CSV.

import { TransactionStatus, type EnergyTransaction } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import { exactAmount, type Unit } from "../words/format.js";

export interface Row {
  role: "bought" | "sold";
  transaction: EnergyTransaction;
}

/** The sums of a day or a month. */
export interface Period {
  start: Date;
  boughtKwh: bigint;
  soldKwh: bigint;
  paid: bigint;
  received: bigint;
  /** What is not settled yet: the person has to pay the one, and is to receive the other. */
  toPay: bigint;
  toReceive: bigint;
}

export type Step = "day" | "month";

/** Reads all deliveries in which the person is a party, the oldest first, and tells how many agreements it has read if that takes a while. */
export async function readRows(chain: Chain, me: string, onProgress: (agreements: number) => void, signal: AbortSignal): Promise<Row[]> {
  const transactions = await chain.history(me, onProgress, signal);
  const rows = transactions.map((transaction): Row => ({ role: transaction.consumer === me ? "bought" : "sold", transaction }));
  return rows.sort((a, b) => Number(a.transaction.delivered_at - b.transaction.delivered_at));
}

/** Sums by the person's own calendar: every day or month from the first to the last, those without deliveries too. */
export function sumUp(rows: Row[], step: Step): Period[] {
  const periods: Period[] = [];
  for (const { role, transaction } of rows) {
    const start = startOf(new Date(Number(transaction.delivered_at) * 1000), step);
    let period = periods.at(-1) ?? add(periods, start);
    while (period.start < start) period = add(periods, after(period.start, step));
    const { energy_delivered_kwh: kwh, payment_amount: amount, status } = transaction;
    const settled = status === TransactionStatus.Settled;
    if (role === "bought") {
      period.boughtKwh += kwh;
      period[settled ? "paid" : "toPay"] += amount;
    } else {
      period.soldKwh += kwh;
      period[settled ? "received" : "toReceive"] += amount;
    }
  }
  return periods;
}

/** What a kWh has cost on average, settled or not, rounded to the token's smallest unit; undefined where there was none. */
export function averagePrices(periods: Period[]): { bought?: bigint; sold?: bigint } {
  const sum = (...columns: Exclude<keyof Period, "start">[]) =>
    periods.reduce((sum, period) => columns.reduce((all, column) => all + period[column], sum), 0n);
  const price = (amount: bigint, kwh: bigint) => (kwh > 0n ? (amount + kwh / 2n) / kwh : undefined);
  return { bought: price(sum("paid", "toPay"), sum("boughtKwh")), sold: price(sum("received", "toReceive"), sum("soldKwh")) };
}

function add(periods: Period[], start: Date): Period {
  const period = { start, boughtKwh: 0n, soldKwh: 0n, paid: 0n, received: 0n, toPay: 0n, toReceive: 0n };
  periods.push(period);
  return period;
}

const startOf = (date: Date, step: Step) => new Date(date.getFullYear(), date.getMonth(), step === "day" ? date.getDate() : 1);

const after = (start: Date, step: Step) =>
  step === "day"
    ? new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1)
    : new Date(start.getFullYear(), start.getMonth() + 1, 1);

const COLUMNS = [
  "transaction_id",
  "agreement_id",
  "direction",
  "neighbour",
  "delivered_at",
  "energy_kwh",
  "meter_reading_kwh",
  "amount",
  "token",
  "status",
  "settled_at",
];

/** A table with one line for each delivery. Of its values only the token's symbol comes from outside; the rest are numbers, addresses, times and this page's words. */
export function toCsv(rows: Row[], { symbol, decimals }: Unit): string {
  const lines = rows.map(({ role, transaction: of }) => [
    of.transaction_id,
    of.agreement_id,
    role,
    role === "bought" ? of.provider : of.consumer,
    isoTime(of.delivered_at),
    of.energy_delivered_kwh,
    of.meter_reading,
    exactAmount(of.payment_amount, decimals),
    symbol.replace(/[^A-Za-z0-9]/g, ""),
    TransactionStatus[of.status],
    of.settled_at === null ? "" : isoTime(of.settled_at),
  ]);
  return [COLUMNS, ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

const isoTime = (seconds: bigint) => new Date(Number(seconds) * 1000).toISOString();
