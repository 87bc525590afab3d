// A person's books: sums by period and neighbour, and the table for spreadsheets.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Deposit, TransactionStatus, type AgreementEntry, type EnergyTransaction } from "../../client/src/index.js";
import { averagePrices, byNeighbour, inMonth, monthsOf, monthSpan, sumOf, sumUp, toRows } from "../../src/person/books.js";
import { toCsv } from "../../src/person/csv.js";
import { exactAmount } from "../../src/words/format.js";

const { TZ } = process.env;
test.beforeAll(() => {
  process.env.TZ = "Europe/Berlin";
});
test.afterAll(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

const [me, alice, carol] = ["ME", "ALICE", "CAROL"];
const seconds = (text: string) => BigInt(Date.parse(text) / 1000);
const STEP = 10_000_000_000_000n;

interface Given {
  id?: bigint;
  provider?: string;
  consumer?: string;
  kwh?: bigint;
  amount?: bigint;
  at?: string;
  status?: TransactionStatus;
}

function transaction({
  id = 1n,
  provider = alice,
  consumer = me,
  kwh = 9n,
  amount = 13_500_000n,
  at = "2026-11-28T14:10:05Z",
  status = TransactionStatus.Settled,
}: Given): EnergyTransaction {
  return {
    transaction_id: id,
    agreement_id: id % STEP,
    provider,
    consumer,
    energy_delivered_kwh: kwh,
    meter_reading: 100n,
    payment_amount: amount,
    delivered_at: seconds(at),
    settled_at: status === TransactionStatus.Settled ? seconds(at) + 60n : null,
    status,
  };
}

const entry = (agreement_id: bigint, price_per_kwh: bigint) => ({ agreement: { agreement_id, price_per_kwh }, state: { deposit: Deposit.None } }) as AgreementEntry;

/** An agreement at 0.15. */
const rowsOf = (...given: Given[]) => toRows([entry(1n, 1_500_000n), entry(2n, 1_500_000n)], given.map(transaction), me);

test("of 9 kWh of which 5 were ruled, 5 are summed", () => {
  const rows = rowsOf({ amount: 7_500_000n });
  assert.deepEqual(rows.map(({ acceptedKwh, neighbour, role }) => [acceptedKwh, neighbour, role]), [[5n, alice, "bought"]]);
  assert.deepEqual(sumOf(rows), { boughtKwh: 5n, soldKwh: 0n, paid: 7_500_000n, received: 0n, toPay: 0n, toReceive: 0n, disputedKwh: 0n, disputed: 0n });
});

test("what is disputed is neither paid nor to be paid", () => {
  const sums = sumOf(rowsOf({ status: TransactionStatus.Disputed }, { id: STEP + 1n, status: TransactionStatus.Delivered }));
  assert.deepEqual([sums.disputed, sums.toPay, sums.paid], [13_500_000n, 13_500_000n, 0n]);
  assert.deepEqual([sums.disputedKwh, sums.boughtKwh], [9n, 9n]);
});

test("a month begins and ends at midnight of the person's own clock", () => {
  const rows = rowsOf({ at: "2026-10-31T23:30:00Z" }, { id: STEP + 1n, at: "2026-10-31T22:30:00Z" });
  assert.deepEqual(monthsOf(rows), ["2026-11", "2026-10"]);
  assert.deepEqual(inMonth(rows, "2026-11").map(({ transaction }) => transaction.transaction_id), [1n]);
  const { start, end } = monthSpan("2026-12");
  assert.deepEqual([start.toISOString(), end.toISOString()], ["2026-11-30T23:00:00.000Z", "2026-12-31T23:00:00.000Z"]);
});

test("days without deliveries are there, between the first and the last", () => {
  const days = sumUp(rowsOf({ at: "2026-11-28T12:00:00Z" }, { id: STEP + 1n, at: "2026-11-25T12:00:00Z" }), "day");
  assert.deepEqual(days.map(({ boughtKwh }) => boughtKwh), [9n, 0n, 0n, 9n]);
});

test("each neighbour has sums of their own, the largest trade first", () => {
  const rows = rowsOf({}, { id: 2n, provider: me, consumer: carol, kwh: 20n, amount: 30_000_000n }, { id: STEP + 1n });
  assert.deepEqual(
    byNeighbour(rows).map(([neighbour, { boughtKwh, soldKwh, paid, received }]) => [neighbour, boughtKwh, soldKwh, paid, received]),
    [
      [carol, 0n, 20n, 0n, 30_000_000n],
      [alice, 18n, 0n, 27_000_000n, 0n],
    ],
  );
});

const EUR = { symbol: "EUR", decimals: 7 };
const csv = (decimalSign: string, names: Record<string, string> = {}, symbol = "EUR") =>
  toCsv(rowsOf({ id: 2n * STEP + 1n, amount: 7_500_000n }, { id: 3n * STEP + 1n, status: TransactionStatus.Delivered }), {
    token: { ...EUR, symbol },
    decimalSign,
    names,
    paymentOf: ({ transaction }) => (transaction.settled_at ? { hash: "abc", fee: 12_345n } : undefined),
  }).split("\r\n");

test("the average price counts what is open, too, is rounded to the nearest unit, and is not there without a delivery", () => {
  const sold = { provider: me, consumer: carol };
  const given = [
    { id: 1n, amount: 4n },
    { id: 2n, amount: 2n, status: TransactionStatus.Delivered },
    { ...sold, id: 1n, amount: 1n },
    { ...sold, id: 2n, amount: 4n, status: TransactionStatus.Delivered },
  ].map(transaction);
  const rows = toRows([entry(1n, 1n), entry(2n, 2n)], given, me);
  assert.deepEqual(averagePrices(sumUp(rows, "month")), { bought: 1n, sold: 2n });
  assert.deepEqual(averagePrices([]), { bought: undefined, sold: undefined });
});

test("a table for a spreadsheet has one line for each delivery, with what was ruled, hash and fee", () => {
  const [head, first, second, end] = csv(".");
  assert.equal(
    head,
    "\uFEFFdate,time,time_zone,agreement,transaction,neighbour,neighbour_address,direction,energy_kwh,accepted_kwh,price,amount,token,status,settled_at,transaction_hash,fee_xlm",
  );
  assert.equal(
    first,
    '2026-11-28,15:10:05,UTC+01:00,"=""1""","=""20000000000001""",,ALICE,bought,9,5,0.1500000,0.7500000,EUR,Settled,2026-11-28 15:11:05 UTC+01:00,abc,0.0012345',
  );
  assert.equal(
    second,
    '2026-11-28,15:10:05,UTC+01:00,"=""1""","=""30000000000001""",,ALICE,bought,9,9,0.1500000,1.3500000,EUR,Delivered,,,',
  );
  assert.equal(end, "");
});

test("where the decimal sign is a comma, columns are parted by semicolons", () => {
  const [, first] = csv(",", { ALICE: "Alice; Müller" });
  assert.equal(
    first,
    '2026-11-28;15:10:05;UTC+01:00;"=""1""";"=""20000000000001""";"Alice; Müller";ALICE;bought;9;5;0,1500000;0,7500000;EUR;Settled;2026-11-28 15:11:05 UTC+01:00;abc;0,0012345',
  );
});

test("a name or a symbol is never a formula, and ends no column and no line", () => {
  const names = ["=1+1", "+1", "-1", "@a", "＝1", "a;=1", "a; +1", 'a "b"', "a,b", "a,=b", "a-b", "a\nb"].map((ALICE) => csv(".", { ALICE }, "=X").slice(1, 2).join());
  const parts = names.map((line) => /001""",(.*),ALICE,.*,([^,]*),Settled/s.exec(line)?.slice(1));
  assert.deepEqual(parts, [
    ["'=1+1", "'=X"],
    ["'+1", "'=X"],
    ["'-1", "'=X"],
    ["'@a", "'=X"],
    ["'＝1", "'=X"],
    ["a;'=1", "'=X"],
    ["a; '+1", "'=X"],
    ['"a ""b"""', "'=X"],
    ['"a,b"', "'=X"],
    [`"a,'=b"`, "'=X"],
    ["a-b", "'=X"],
    ['"a\nb"', "'=X"],
  ]);
});

test("what is disputed is left empty in a table, so that its columns add up to what is paid or due", () => {
  const rows = rowsOf({ status: TransactionStatus.Disputed }, { id: STEP + 1n, amount: 7_500_000n }, { id: 2n, status: TransactionStatus.Delivered });
  const text = toCsv(rows, { token: EUR, decimalSign: ".", names: {}, paymentOf: () => undefined });
  assert.match(text, /,bought,9,,0\.1500000,,EUR,Disputed,/);
  const [head = [], ...lines] = text
    .trimEnd()
    .split("\r\n")
    .map((line) => line.split(","));
  const sum = (name: string) => lines.reduce((sum, line) => sum + Number(line[head.indexOf(name)]), 0);
  const { boughtKwh, disputedKwh, paid, toPay } = sumOf(rows);
  assert.deepEqual([sum("amount"), exactAmount(paid + toPay, 7)], [2.1, "2.1000000"]);
  assert.deepEqual([sum("accepted_kwh"), boughtKwh, disputedKwh], [14, 14n, 9n]);
});

test("a fee that paid several deliveries is counted once", () => {
  const rows = rowsOf({}, { id: STEP + 1n });
  const text = toCsv(rows, { token: EUR, decimalSign: ".", names: {}, paymentOf: () => ({ hash: "abc", fee: 5n }) });
  assert.deepEqual(text.split("\r\n").map((line) => line.split(",").slice(-2)), [
    ["transaction_hash", "fee_xlm"],
    ["abc", exactAmount(5n, 7)],
    ["abc", ""],
    [""],
  ]);
});
