// Numbers, times and sums, without a browser.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import {
  AgreementStatus,
  Deposit,
  TransactionStatus,
  type AgreementEntry,
  type EnergyTransaction,
  type Prosumer,
  type TransactionState,
} from "../../client/src/index.js";
import { describe } from "../../src/contract/describe.js";
import { exactAmount, Format } from "../../src/words/format.js";
import { agreementActions, deliveryActions } from "../../src/contract/rules.js";
import { de } from "../../src/words/de.js";
import { en } from "../../src/words/en.js";

const english = new Format("en-GB");
const german = new Format("de-DE");
const XLM = { symbol: "XLM", decimals: 7 };

test("amounts show every digit, and at least two after the point", () => {
  assert.equal(english.amount(1_500_000n, XLM), "0.15 XLM");
  assert.equal(english.amount(12_345_678_9012345n, XLM), "12,345,678.9012345 XLM");
  assert.equal(english.amount(30_000_000n, XLM), "3.00 XLM");
  assert.equal(english.amount(1n, XLM), "0.0000001 XLM");
  assert.equal(english.amount(18_446_744_073_709_551_615n, XLM), "1,844,674,407,370.9551615 XLM");
  assert.equal(english.amount(5n, { symbol: "PTS", decimals: 0 }), "5 PTS");
  assert.equal(german.amount(12_345_000_000n, XLM), "1.234,50 XLM");
  assert.equal(exactAmount(1_500_000n, 7), "0.1500000");
});

test("times are near ones as a person says them", () => {
  const now = 1_800_000_000n;
  assert.equal(english.fromNow(now + 3n * 86_400n + 5n, now), "in 3 days");
  assert.equal(english.fromNow(now + 86_400n, now), "in 24 hours");
  assert.equal(german.fromNow(now - 7_200n, now), "vor 2 Stunden");
  // A moment that something waits for has its date as well.
  assert.match(english.when(now + 9n * 86_400n, now), /^24 Jan 2027, \d\d:\d\d \S+ \(in 9 days\)$/);
});

test("every sentence is there in German, and none is left in English", () => {
  const texts = (words: object, path = ""): [string, string][] =>
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === "object" ? texts(value as object, `${path}.${key}`) : [[`${path}.${key}`, String(value)]],
    );
  const german = new Map(texts(de));
  for (const [key, text] of texts(en)) {
    assert.ok(german.get(key), key);
    if (/ .* /.test(text) && !text.includes("=>")) assert.notEqual(german.get(key), text, key);
  }
});

test("a buyer chooses the kind of deposit where the seller has a meter, and each kind says before it is signed what it is", () => {
  const offered = (meter: string | null) => {
    const entry = { agreement: { status: AgreementStatus.Active }, state: { deposit: Deposit.None, transactions: 0n } } as AgreementEntry;
    return agreementActions(entry, [], "consumer", { meter } as Prosumer, 0n).map(({ name }) => name);
  };
  assert.deepEqual(offered("GM"), ["fundReviewed", "fundMetered", "cancel"]);
  assert.deepEqual(offered(null), ["fundReviewed", "cancel"]);
  const said = (deposit: Deposit) =>
    describe(
      { method: "fund_agreement", args: { agreement_id: 7n, consumer: "GB", deposit } },
      { words: en, format: english, token: XLM, nameOf: String },
    );
  assert.equal(said(Deposit.Metered), "Pay the deposit for agreement 7, on which the certified meter draws at once.");
  assert.equal(said(Deposit.Reviewed), "Pay the deposit for agreement 7, and look at each delivery for 24 hours before it pays.");
});

test("what a deposit trusts the meter with is not disputed, and all else is", () => {
  const blocked = (deposit: Deposit, metered: boolean, ruled: boolean) => {
    const { transaction } = delivery("2027-01-30", 3n, false);
    const state: TransactionState = { metered, ruled, disputed_at: null, provider_settles_from: 0n };
    const [dispute] = deliveryActions({ state: { deposit } } as AgreementEntry, { transaction, state }, "consumer", 1, 0n);
    return [dispute?.name, dispute?.blocked?.kind];
  };
  assert.deepEqual(blocked(Deposit.Metered, true, false), ["dispute", "trustsMeter"]);
  assert.deepEqual(blocked(Deposit.Metered, false, false), ["dispute", undefined]);
  assert.deepEqual(blocked(Deposit.Reviewed, false, false), ["dispute", undefined]);
  assert.deepEqual(blocked(Deposit.None, true, false), ["dispute", undefined]);
  assert.deepEqual(blocked(Deposit.None, true, true), ["dispute", "ruledFinal"]);
});

function delivery(day: string, kwh: bigint, settled: boolean): { transaction: EnergyTransaction } {
  const at = BigInt(Date.parse(`${day}T12:00:00Z`) / 1000);
  const transaction: EnergyTransaction = {
    transaction_id: 7n,
    agreement_id: 7n,
    provider: "GA",
    consumer: "GB",
    energy_delivered_kwh: kwh,
    meter_reading: 100n,
    payment_amount: kwh,
    delivered_at: at,
    settled_at: settled ? at : null,
    status: settled ? TransactionStatus.Settled : TransactionStatus.Delivered,
  };
  return { transaction };
}

test("a fee is rounded up to what people read, and never down", () => {
  const shown = [0n, 1n, 100n, 1_000n, 1_001n, 4_001_670n, 9_999_001n, 9_999_999n, 10_000_000n, 10_000_001n, 50_000_001n, 4_451_179_430n].map((stroops) => english.fee(stroops));
  const expected = ["0.00", "0.0001", "0.0001", "0.0001", "0.0002", "0.4002", "1.00", "1.00", "1.00", "1.01", "5.01", "445.12"];
  assert.deepEqual(shown, expected.map((amount) => `${amount} XLM`));
  assert.equal(german.fee(4_001_670n), "0,4002 XLM");
});

test("an amount below zero, as only a token that is a program says one, is shown as one", () => {
  const shown = [-5n, -1_234_567n, -12_345_678n, -(2n ** 127n)].map((value) => english.amount(value, XLM));
  assert.deepEqual(shown, ["-0.0000005 XLM", "-0.1234567 XLM", "-1.2345678 XLM", "-17,014,118,346,046,923,173,168,730,371,588.4105728 XLM"]);
  assert.equal(exactAmount(-5n, 7), "-0.0000005");
});

test("only the admin rules: a party that gives in or proposes a compromise agrees", () => {
  const said = (resolver: string, words = en, format = english) =>
    describe(
      { method: "resolve_dispute", args: { transaction_id: 10_000_000_000_007n, energy_accepted_kwh: 3n, resolver } },
      { words, format, token: XLM, config: { admin: "GADMIN" }, me: "GB", nameOf: String },
    );
  assert.equal(said("GADMIN"), "Rule that 3 kWh of delivery 2 of agreement 7 are to be paid. That is final.");
  assert.equal(said("GB"), "Agree that 3 kWh of delivery 2 of agreement 7 are to be paid. That is final.");
  assert.equal(said("GB", de, german), "Zustimmen, dass 3 kWh aus Lieferung 2 von Vertrag 7 zu bezahlen sind. Das ist endgültig.");
});
