// A person's deliveries: as rows, and summed by day, by month and by neighbour.

import { Deposit, TransactionStatus, type AgreementEntry, type EnergyTransaction } from "../../client/src/index.js";

export interface Row {
  role: "bought" | "sold";
  /** The other party. */
  neighbour: string;
  transaction: EnergyTransaction;
  price: bigint;
  /** What of the delivered energy is paid or to be paid: less than was delivered after a ruling, and all that is claimed before one. */
  acceptedKwh: bigint;
  /** Whether a deposit pays it. */
  deposited: boolean;
}

/** What was bought and sold, and for how much. Energy is what was accepted, so that kWh times price are the money. */
export interface Sums {
  boughtKwh: bigint;
  soldKwh: bigint;
  paid: bigint;
  received: bigint;
  /** What is not settled yet: the person has to pay the one, and is to receive the other. */
  toPay: bigint;
  toReceive: bigint;
  /** What waits for a ruling, and is in none of the others. */
  disputedKwh: bigint;
  disputed: bigint;
}

/** The sums of a day or a month. */
export interface Period extends Sums {
  start: Date;
}

export type Step = "day" | "month";

/** What a payment pays for: the ledger keeps the amount only, which a ruling lowers. */
export const acceptedKwh = (paymentAmount: bigint, price: bigint) => paymentAmount / price;

/** All deliveries in which the person is a party, the oldest first. */
export function toRows(entries: AgreementEntry[], transactions: EnergyTransaction[], me: string): Row[] {
  const known = new Map(entries.map((entry) => [entry.agreement.agreement_id, entry]));
  const rows = transactions.flatMap((transaction): Row[] => {
    const entry = known.get(transaction.agreement_id);
    // An agreement that was made between the two answers is left out until the next reading.
    if (!entry) return [];
    const price = entry.agreement.price_per_kwh;
    const role = transaction.consumer === me ? "bought" : "sold";
    const neighbour = role === "bought" ? transaction.provider : transaction.consumer;
    const deposited = entry.state.deposit !== Deposit.None;
    return [{ role, neighbour, transaction, price, acceptedKwh: acceptedKwh(transaction.payment_amount, price), deposited }];
  });
  return rows.sort((a, b) => Number(a.transaction.delivered_at - b.transaction.delivered_at));
}

const noSums = (): Sums => ({ boughtKwh: 0n, soldKwh: 0n, paid: 0n, received: 0n, toPay: 0n, toReceive: 0n, disputedKwh: 0n, disputed: 0n });

function addTo(sums: Sums, { role, acceptedKwh, transaction: { payment_amount: amount, status } }: Row): void {
  if (status === TransactionStatus.Disputed) {
    sums.disputedKwh += acceptedKwh;
    sums.disputed += amount;
    return;
  }
  sums[role === "bought" ? "boughtKwh" : "soldKwh"] += acceptedKwh;
  if (status === TransactionStatus.Settled) sums[role === "bought" ? "paid" : "received"] += amount;
  else sums[role === "bought" ? "toPay" : "toReceive"] += amount;
}

export function sumOf(rows: Row[]): Sums {
  const sums = noSums();
  for (const row of rows) addTo(sums, row);
  return sums;
}

/** Sums by the person's own calendar: every day or month from the first to the last, those without deliveries too. */
export function sumUp(rows: Row[], step: Step): Period[] {
  const periods: Period[] = [];
  for (const row of rows) {
    const start = startOf(dateOf(row), step);
    let period = periods.at(-1) ?? add(periods, start);
    while (period.start < start) period = add(periods, after(period.start, step));
    addTo(period, row);
  }
  return periods;
}

/** What an accepted kWh has cost on average, settled or not, rounded to the token's smallest unit; undefined where there was none. */
export function averagePrices(periods: Period[]): { bought?: bigint; sold?: bigint } {
  const sum = (...columns: (keyof Sums)[]) => periods.reduce((sum, period) => columns.reduce((all, column) => all + period[column], sum), 0n);
  const price = (amount: bigint, kwh: bigint) => (kwh > 0n ? (amount + kwh / 2n) / kwh : undefined);
  return { bought: price(sum("paid", "toPay"), sum("boughtKwh")), sold: price(sum("received", "toReceive"), sum("soldKwh")) };
}

/** The sums with each neighbour, the largest trade first. */
export function byNeighbour(rows: Row[]): [neighbour: string, sums: Sums][] {
  const all = new Map<string, Row[]>();
  for (const row of rows) all.set(row.neighbour, [...(all.get(row.neighbour) ?? []), row]);
  const kwh = ({ boughtKwh, soldKwh, disputedKwh }: Sums) => boughtKwh + soldKwh + disputedKwh;
  return [...all].map(([neighbour, of]): [string, Sums] => [neighbour, sumOf(of)]).sort(([, a], [, b]) => (kwh(a) < kwh(b) ? 1 : -1));
}

/** A month like 2026-03, by the person's own calendar. */
export const monthOf = (date: Date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}`;

export const inMonth = (rows: Row[], month: string) => rows.filter((row) => monthOf(dateOf(row)) === month);

/** The first moment of a month like 2026-03, and that of the next. */
export function monthSpan(month: string): { start: Date; end: Date } {
  const [year = 1970, number = 1] = month.split("-").map(Number);
  return { start: new Date(year, number - 1, 1), end: new Date(year, number, 1) };
}

/** The months that have deliveries, the newest first. */
export const monthsOf = (rows: Row[]) => [...new Set(rows.map((row) => monthOf(dateOf(row))))].reverse();

const dateOf = ({ transaction }: Row) => new Date(Number(transaction.delivered_at) * 1000);

function add(periods: Period[], start: Date): Period {
  const period = { start, ...noSums() };
  periods.push(period);
  return period;
}

const startOf = (date: Date, step: Step) => new Date(date.getFullYear(), date.getMonth(), step === "day" ? date.getDate() : 1);

const after = (start: Date, step: Step) =>
  step === "day"
    ? new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1)
    : new Date(start.getFullYear(), start.getMonth() + 1, 1);
